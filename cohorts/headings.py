"""What the heading of a column says: which answer stands below it, and of which day and hours."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from . import clocks
from .answers import FIELDS
from .language import lazy_gettext as lazy
from .questions import QUESTIONS, CustomQuestion
from .tables import heading_key
from .texts import interest_key

IGNORED: Final = ""
FIRST, LAST, TURNED, BUSY, SENT = "name.first", "name.last", "name.turned", "availability.busy", "row.sent"
"""What a column of a file can hold besides a whole answer; no question's key has a dot."""

WRONG: Final = "What is wrong"
"""Heads the column that is added to refused rows when they are given back."""

NAMES: Final = {
    "name": lazy("Name"),
    FIRST: lazy("First name"),
    LAST: lazy("Last name"),
    TURNED: lazy("Name, the last one first"),
    "email": lazy("E-mail"),
    "time_zone": lazy("Time zone"),
    "availability": lazy("Hours that are free"),
    "if_needed": lazy("Hours if needed"),
    BUSY: lazy("Hours that are busy"),
    SENT: lazy("When the answer was sent"),
    **{key: question.short for key, question in QUESTIONS.items()},
}
"""Everything a column can be, as organisers read it; a course's own questions come on top."""

_NOT: Final = r"\b(?:not|n[o']t|never|cannot|can't|won't|rather not)\b"
_WITH: Final = r"\b(with|on your team|in your group)\b"
_RULES: Final = tuple(
    (target, re.compile(pattern))
    for target, pattern in (
        (
            SENT,
            r"^(timestamp|zeitstempel|marca temporal|horodateur|date submitted|submitdate|submit date"
            r"|submitted( at| on)?|completion time|recorded ?date|response date)\b",
        ),
        ("wants_help_with", r"\b(need|want|like|get|receive|use|looking for)\b.*(?<!to )\bhelp\b"
         r"|\bhelp (needed|wanted)\b|^needs?$"),
        ("can_help_with", r"\b(can|could|able|offer|happy)\b.*\b(help|teach|offer)\b"
         r"|\b(like|want|willing) to (help|teach)\b|skills? (you|i) have|^offers?$"),
        ("avoids", rf"avoid|{_NOT}.*\b(be|work|put|have|grouped|paired)\b.*{_WITH}"),
        ("works_with", rf"\b(like|want|wish|prefer|request)\w*\b.*{_WITH}|teammate"),
        ("convenor", r"\bconvenor\b|\b(lead|facilitate|organi[sz]e|host|get)\b.*\b(meeting|cohort|group|team)"
),
        ("time_zone", r"\btime ?zone\b|zeitzone|zona horaria|huso horario|fuseau|tijdzone|fuso hor"),
        ("email", r"\be ?mail\b|^correo|^courriel|^username$|^sis login id$|^login id$|^user name$"),
        (FIRST, r"\b(first|given|fore) ?name\b|^first$|vorname|^nombre$|prénom|voornaam|^nome$"),
        (LAST, r"\b(last|family|sur) ?name\b|^last$|^surname$|nachname|apellido|nom de famille|achternaam"),
        ("hours_per_week", r"\bhours?\b.*\bweek(ly)?\b|\bweekly hours\b|time commitment|stunden pro woche"),
        ("if_needed", r"\bif (really )?need(ed| be)\b|\bin a pinch\b"),
        (
            BUSY,
            rf"\bbusy\b|\bunavailab|{_NOT}.*\b(available|free|meet|attend|make)\b|\bconflicts?\b"
            r"|\bclass times?\b|\bno disponible|\bocupad|\bnicht verfügbar|\bbeschäftigt|\boccupé|\bindispo",
        ),
        (
            "availability",
            r"\bavailab|\bfree\b|\bwhen (can|could|are) you\b|\b(time|hour|day)s?\b.*\b(meet|work|suit)\b"
            r"|\bschedule\b|\bdisponib|\bverfügbar|\blibre\b|\bmeeting times?\b",
        ),
        ("languages", r"\blanguages?\b|\bsprachen?\b|\bidiomas?\b|\blangues?\b"),
        ("interests", r"\binterest|\btopics?\b|\bgenres?\b|\bhobb|\bintereses\b|\binteressen\b|\bthemen\b"),
        ("experience", r"\bexperienced?\b|\bfamiliar\b|\b(skill )?level\b|\berfahrung|\bexperiencia\b"),
        ("goal", r"\bgoals?\b|\bhope\b|\bget out of\b|\bwhy\b.*\b(join|sign|tak)|\bexpect|\bmotivation\b"),
        ("name", r"^(your |full |preferred |display |student )*name\b|\byour (full |preferred )?name\b"
         r"|\bcall you\b|^(student|participant|who)$|^nombre completo|^name und|^nom$"),
    )
)  # fmt: skip
"""What the words of a heading say, the first that fits: a wish about people speaks of e-mail, too."""


@dataclass(frozen=True, slots=True)
class Heading:
    """The head of a column.

    Attributes:
        text: All of it in one line, as the file calls it.
        question: What was asked.
        row: Which row of a grid, or which option, where one question has several columns.
    """

    text: str
    question: str = ""
    row: str = ""

    @classmethod
    def of(cls, text: str) -> Heading:
        """Return a heading such as ``When? [Monday]``, a question and a row of it."""
        text = " ".join(text.split())
        found = re.fullmatch(r"(?P<question>.*\S)\s*\[(?P<row>[^\[\]]+)\](?P<rest>.*)", text)
        if found is None or len(found["question"]) < 2:
            return cls(text, text)
        if found["rest"].strip(" ."):  # LimeSurvey's code, then the words: Q1[SQ001]. When? [Monday]
            return replace_text(cls.of(found["rest"].strip(" .")), text)
        return cls(text, found["question"], found["row"].strip())

    @property
    def option(self) -> str:
        """What the column stands for when its cells only say yes or no."""
        return self.row or self.text


def replace_text(heading: Heading, text: str) -> Heading:
    """Return a heading that the file calls ``text``."""
    return Heading(text, heading.question, heading.row)


@dataclass(frozen=True, slots=True)
class Place:
    """Where in the week a column stands; without days or hours its cells name them."""

    days: tuple[int, ...] = ()
    spans: tuple[clocks.Span, ...] = ()


@lru_cache(maxsize=4096)
def place(heading: Heading) -> Place:
    """Return the days and hours that a heading names, its row first."""
    for text in dict.fromkeys((heading.row, heading.text)):
        day = clocks.days(text) or _one(clocks.day_in(text))
        spans = clocks.spans_in(text)
        if day or spans:
            return Place(day, spans)
    return Place()


def _one(day: int | None) -> tuple[int, ...]:
    return () if day is None else (day,)


def target(heading: Heading, questions: Sequence[CustomQuestion] = ()) -> str:
    """Return which answer stands below a heading, or ``IGNORED`` if that cannot be told."""
    if not heading.text or heading.text == WRONG:
        return IGNORED
    for own in questions:
        names = {interest_key(own.label), own.key, interest_key(own.key.replace("_", " "))}
        if any(_bare(text) in names or interest_key(text) in names for text in _said(heading)):
            return own.key
    exact = next((key for key in map(heading_key, _said(heading)) if key in FIELDS), IGNORED)
    fixed = {_bare(str(each.label)): key for key, each in QUESTIONS.items()}
    if exact or _bare(heading.question) in fixed:
        return exact or fixed[_bare(heading.question)]
    found = _by_words(heading)
    if not found and _is_in_grid(heading):
        return "availability"
    return found


def _said(heading: Heading) -> tuple[str, ...]:
    return tuple(dict.fromkeys((heading.text, heading.question, _without_code(heading.question))))


def _without_code(text: str) -> str:
    """Return a question without the code before it: ``G01Q02. Your name`` is ``Your name``."""
    return re.sub(r"^[A-Z]+\d\w*(?:\[\w+\])?\.\s+|^\d+[.)]\s+", "", text)


def _bare(text: str) -> str:
    return interest_key(re.sub(r"\s*\(.*?\)\s*$", "", text).strip(" *:?.!"))


def _by_words(heading: Heading) -> str:
    texts = (_without_code(heading.question), heading.row)
    for text in (" ".join(re.split(r"[\s*_:?.,!-]+", each.casefold().replace("’", "'"))) for each in texts):
        for found, pattern in _RULES:
            if text.strip() and pattern.search(text.strip()):
                return found
    return IGNORED


def _is_in_grid(heading: Heading) -> bool:
    found = place(heading)
    alone = bool(clocks.days(heading.row or heading.text))
    return alone or bool(found.days and found.spans)


@lru_cache(maxsize=4096)
def is_known(text: str) -> bool:
    """Tell whether a text looks like a heading that sign-ups have; names and answers do not."""
    return 0 < len(text) <= 200 and target(Heading.of(text)) != IGNORED

"""What people write into the cells of a survey, read as generously as it can be read without guessing."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

from . import kinds, native
from .answers import is_address, time_zones
from .language import gettext as _
from .questions import CustomQuestion, Experience, Kind
from .said import NO_WORDS, YES_WORDS
from .texts import interest_key

_ZONE_NAMES: Final = tuple(
    (re.compile(pattern, re.I), zone)
    for pattern, zone in (
        (r"^(utc|gmt|zulu|z|(utc|gmt)\s*[+-]?\s*0{1,2}(:?00)?)$", "UTC"),
        (r"\beastern (standard |daylight )?time\b.*(us|canada)|^(us )?eastern( time)?$", "America/New_York"),
        (r"\bcentral (standard |daylight )?time\b.*(us|canada)|^us central( time)?$", "America/Chicago"),
        (r"\bmountain (standard |daylight )?time\b.*(us|canada)|^(us )?mountain( time)?$", "America/Denver"),
        (r"\bpacific (standard |daylight )?time\b.*(us|canada)|^us pacific( time)?$", "America/Los_Angeles"),
        (r"^(eastern (standard |daylight )?time|e[sd]?t)$", "America/New_York"),
        (r"^(central (standard |daylight )?time|c[d]?t)$", "America/Chicago"),
        (r"^(mountain (standard |daylight )?time|m[d]?t)$", "America/Denver"),
        (r"^(pacific (standard |daylight )?time|p[sd]?t)$", "America/Los_Angeles"),
        (r"^(central european (summer )?time|ces?t|mes?z)$", "Europe/Berlin"),
        (r"^(british (summer )?time|uk( time)?)$", "Europe/London"),
        (r"^(india(n)? standard time|ist \(india\))$", "Asia/Kolkata"),
    )
)  # fmt: skip
"""Names of zones that mean one clock to those who write them; CST, IST and BST mean several."""

_EXPERIENCES: Final = (
    (Experience.BEGINNER, r"\bbeginn|\bnovice\b|\bnew(bie|comer)?\b|\bno(ne| experience)\b|\banfäng"),
    (Experience.INTERMEDIATE, r"\bintermedia|\bsome experience\b|\bmittel|\bfortgeschritten"),
    (Experience.ADVANCED, r"\badvanced\b|\bexpert\b|\bexperienced\b|\bavanzad|\bexpertin?"),
)  # fmt: skip
_SEPARATORS: Final = re.compile(r"[;\n]")
_NAMED: Final = re.compile(r"(?P<name>[^@]*?)[\s<(\[,;-]*(?P<email>[^\s<>()@,;]+@[^\s<>()@,;]+)[>)\]\s]*")
_TO: Final = r"\s*(?:[-\u2010-\u2015\u2212]|to|or|bis)\s*"
_NUMBER: Final = r"\d+(?:[.,]\d+)?"


@lru_cache(maxsize=256)
def _options_in(options: tuple[str, ...]) -> re.Pattern[str]:
    """Return what finds those options that would be split."""
    apart = (re.escape(option) for option in options if re.search(r"[,;\n]", option))
    longest_first = sorted(apart, key=len, reverse=True)
    return re.compile(rf"(?:(?<=[;,\n])|^)\s*({'|'.join(longest_first) or '(?!)'})\s*(?=[;,\n]|$)", re.I)


def split(text: str, options: Sequence[str] = ()) -> tuple[str, ...]:
    """Return the answers in a cell; an option with a comma in it stays whole.

    Semicolons and new lines separate; where there is none, commas do.
    """
    separator = _SEPARATORS if _SEPARATORS.search(text) else re.compile(",")
    found, done = [], 0
    for known in _options_in(tuple(options)).finditer(text):
        found += separator.split(text[done : known.start()])
        found.append(known[1])
        done = known.end()
    found += separator.split(text[done:])
    return tuple(each.strip(" ,") for each in found if each.strip(" ,"))


def time_zone(text: str) -> str:
    """Return the IANA name of a zone: its name, its city, or a name that means one clock.

    Raises:
        ValueError: It is none, or only an offset, which says nothing of clock changes.
    """
    meant = next((zone for pattern, zone in _ZONE_NAMES if pattern.search(text.strip())), None)
    if meant:
        return meant  # before the IANA list, in which EST is Panama's clock
    try:
        return native.time_zone(text)
    except ValueError as error:
        refused = error
    if (spelt := text.strip().replace(" ", "_")) in time_zones():
        return spelt
    pieces = [piece.strip() for piece in re.split(r"[(),;]| - ", text) if piece.strip()]
    for each in (text.strip(), *pieces[1:], *pieces[:1]):
        named = next((zone for pattern, zone in _ZONE_NAMES if pattern.search(each)), None)
        found = _cities().get(each.casefold()) or named
        if found:
            return found
    if re.fullmatch(r"\W*(utc|gmt)?\s*[+\-−–]\s*\d{1,2}([:.]?\d\d)?\W*", text.strip(), re.I):
        raise ValueError(
            _(
                "%(text)r says nothing of summer time. Write a place, such as Europe/Berlin.",
                text=text,
            )
        ) from refused
    raise refused


@lru_cache(maxsize=1)
def _cities() -> Mapping[str, str]:
    return {zone.rpartition("/")[2].replace("_", " ").casefold(): zone for zone in sorted(time_zones())}


def hours(text: str) -> float | None:
    """Return hours a week from ``5``, ``40+``, ``9-10 hours`` (their middle) or ``about 5 hrs``.

    Raises:
        ValueError: No number of hours can be told.
    """
    cleaned = re.sub(
        r"\b(hours?|hrs?|h|stunden|std|horas?|heures?|per|a|an|each|every|week|wk|about|around|approx|circa|ca"
        r"|roughly|maybe|at least|up to|less than|more than|min|max)\b\.?|[~≈<>+/]",
        " ",
        text.casefold(),
    )
    found = re.fullmatch(rf"\s*({_NUMBER})(?:{_TO}({_NUMBER}))?\s*", cleaned)
    if found is None:
        raise ValueError(_("%(text)r is not a number of hours, such as 5 or 7.5.", text=text[:60]))
    ends = [float(end.replace(",", ".")) for end in found.groups() if end]
    return sum(ends) / len(ends)


def experience(text: str) -> Experience | None:
    """Return how familiar somebody is, from words such as ``Beginner (less than a year)``.

    Raises:
        ValueError: No word says it, or several do.
    """
    said = [level for level, words in _EXPERIENCES if re.search(words, text.casefold())]
    if len(said) != 1:
        words = ", ".join(Experience)
        raise ValueError(_("%(text)r is not one of: %(words)s.", text=text[:60], words=words))
    return said[0]


def yes_or_no(text: str) -> bool:
    """Return what a cell says, from ``Yes, gladly``, ``Y``, ``1``, ``No thanks``.

    Raises:
        ValueError: It says neither.
    """
    said = text.strip().casefold()
    first = re.split(r"[^\w✓✔✅✗✖]+", said)[0] if said else ""
    if (said in NO_WORDS) or first in NO_WORDS - {""}:
        return False
    if said in YES_WORDS or first in YES_WORDS:
        return True
    raise ValueError(_("%(text)r is neither yes nor no.", text=text[:60]))


def named(text: str) -> tuple[str, str]:
    """Return a name and the address that stands with it, as in ``Ann Lee <ann@example.org>``, if one does."""
    if len(text) > 400:
        return text, ""
    found = _NAMED.fullmatch(text)
    if found is None or not is_address(found["email"]):
        return text, ""
    return found["name"], found["email"]


def people(text: str, called: Mapping[str, str]) -> tuple[str, ...]:
    """Return the addresses of people who are named by address or by name; ``called`` has addresses by name.

    A name that nobody or more than one has stays as it is, for ``answers.check`` to complain about.
    """
    found: list[str] = []
    for piece in re.split(r"[;\n]", text):
        whole = re.sub(r".*<([^<>\s]+@[^<>\s]+)>.*", r"\1", piece.strip())
        parts = re.split(r"[,\s]+", whole) if _is_list(whole, called) else [whole]
        parts = [part for each in parts for part in (each.split(",") if "@" not in each else [each])]
        found += [called.get(interest_key(part), "") or part.strip() for part in parts if part.strip()]
    return tuple(found)


def _is_list(text: str, called: Mapping[str, str]) -> bool:
    """Tell whether a text is several addresses with commas or spaces between them."""
    return "@" in text and not is_address(text) and interest_key(text) not in called


def custom(question: CustomQuestion, cells: Iterable[tuple[str, str]]) -> Any:
    """Return the answer to a question of a course's own; each cell comes with what its column stands for.

    Raises:
        kinds.Unfit: It is no answer to the question.
    """
    filled = [(option, cell) for option, cell in cells if cell]
    if not filled:
        return None
    if question.kind is Kind.RATING and (len(filled) > 1 or _is_option(filled[0][0], question.options)):
        return kinds.clean(question, {option: _step(cell) for option, cell in filled})
    if question.kind in (Kind.MANY, Kind.FAVOURITES):
        return kinds.clean(question, list(labels(filled, question.options)))
    text = "; ".join(cell for _option, cell in filled)
    if question.kind is Kind.SCALE:
        ends = dict(zip(map(interest_key, question.options), (1, question.points), strict=False))
        text = str(ends.get(interest_key(text)) or _step(text))
    if question.kind is Kind.YES_NO:
        try:
            text = "yes" if yes_or_no(text) else "no"
        except ValueError as error:
            raise kinds.Unfit(str(error)) from error
    return kinds.read(question, text)


def labels(cells: Iterable[tuple[str, str]], options: Sequence[str]) -> tuple[str, ...]:
    """Return the answers in several cells; ``Y`` is what its column stands for, ``N`` is nothing."""
    kept = list(cells)
    found: list[str] = []
    for option, cell in kept:
        is_tick = len(kept) > 1 or _is_option(option, options)
        if is_tick and cell.casefold() in NO_WORDS:
            continue
        ticked = is_tick and cell.casefold() in YES_WORDS
        found += [option] if ticked or interest_key(cell) == interest_key(option) else split(cell, options)
    return tuple(found)


_CODE: Final = re.compile(r"(?:SQ|AO|A|L)\d{1,4}")


def refuse_codes(cells: Iterable[tuple[str, str]]) -> None:
    """Refuse what stands for an answer in LimeSurvey, whose words are not in the file.

    Raises:
        ValueError: A cell, or the column of one that says yes, has such a code.
    """
    for option, cell in cells:
        said = option if cell.casefold() in YES_WORDS else cell
        if _CODE.fullmatch(said):
            raise ValueError(
                _(
                    "%(code)s is LimeSurvey's code of an answer. Export full answers and full questions.",
                    code=said,
                )
            )


def ticked(option: str, cell: str) -> str:
    """Return what a cell below one option says: the option for yes, nothing for no, else what it says."""
    said = cell.casefold()
    return option if said in YES_WORDS else "" if said in NO_WORDS else cell


def _is_option(text: str, options: Collection[str]) -> bool:
    return interest_key(text) in set(map(interest_key, options))


def _step(text: str) -> str:
    """Return the number that a step of a scale begins or ends with: ``5 - very much``, ``very much (5)``."""
    found = re.search(r"^\W*(\d+)\b|\b(\d+)\W*$", text)
    return (found[1] or found[2]) if found else text

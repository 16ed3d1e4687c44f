"""The kinds of question a course can think of: what an answer is, and how it is written.

An answer is kept as JSON:

- many and favourites: a list of labels;
- one: an option; yes_no: true or false; text: a text;
- scale: a number from 1; rating: such a number by item;
- help: {"can": labels, "wants": labels}.

``clean`` decides for all ways in, the form and files alike, what is one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from .language import gettext as _
from .language import lazy_gettext as lazy
from .questions import Counts, CustomQuestion, Kind
from .texts import interest_key, is_plain, once, one_line

MAX_LABEL: Final = 80
MAX_LABELS: Final = 40
MAX_TEXT: Final = 1000
CAN, WANTS = "can", "wants"


class Unfit(ValueError):
    """This is no answer to that question; the message says why."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What holds for one kind.

    Attributes:
        name: What an organiser calls it.
        hint: What it is good for.
        counts: How it can enter a match.
        clean: A question and what was given for it, as it is kept; raises ``Unfit``.
        words: A question and a kept answer as texts to read.
        write: A question and a kept answer as a cell of a file.
        read: A question and a cell as something for ``clean``.
    """

    name: str
    hint: str
    counts: tuple[Counts, ...]
    clean: Callable[[CustomQuestion, Any], Any]
    words: Callable[[CustomQuestion, Any], list[str]]
    write: Callable[[CustomQuestion, Any], str]
    read: Callable[[CustomQuestion, str], Any]


def clean(question: CustomQuestion, given: Any) -> Any:
    """Return an answer as it is kept, or None where nothing was answered.

    Raises:
        Unfit: It is no answer to the question.
    """
    if given is None or given == "":
        return None
    found = KINDS[question.kind].clean(question, given)
    return None if found in ("", [], {}) else found


def fitting(question: CustomQuestion, kept: Any) -> Any:
    """Return a kept answer, or None where it no longer fits because the question was changed since."""
    try:
        return clean(question, kept)
    except Unfit:
        return None


def words(question: CustomQuestion, kept: Any) -> list[str]:
    """Return a kept answer as texts to read; none when there is no answer."""
    found = fitting(question, kept)
    return [] if found is None else KINDS[question.kind].words(question, found)


def write(question: CustomQuestion, kept: Any) -> str:
    """Return a kept answer as a cell; ``read`` gives the same answer back."""
    found = fitting(question, kept)
    return "" if found is None else KINDS[question.kind].write(question, found)


def read(question: CustomQuestion, cell: str) -> Any:
    """Return what a cell says, as it is kept.

    Raises:
        Unfit: It is no answer to the question.
    """
    return clean(question, KINDS[question.kind].read(question, cell.strip())) if cell.strip() else None


# How what was given becomes what is kept


def _labels(question: CustomQuestion, given: Any, most: int) -> list[str]:
    """Return labels, each once, those of the course's own in its spelling."""
    if not isinstance(given, list | tuple) or not all(isinstance(each, str) for each in given):
        raise Unfit(_("This is not a list."))
    # A semicolon stands between two of them in files, so it does so everywhere.
    found = [one_line(piece) for each in given[: MAX_LABELS * 5] for piece in each.split(";")]
    known = {interest_key(option): option for option in question.options}
    labels = list(once(known.get(interest_key(label), label) for label in found))
    if len(labels) > most:
        raise Unfit(_("Give at most %(most)s.", most=most))
    if any(len(label) > MAX_LABEL for label in labels):
        raise Unfit(_("Use at most %(most)s characters for each.", most=MAX_LABEL))
    if not all(map(is_plain, labels)):
        raise Unfit(_("Some of these contain characters that cannot be shown."))
    return labels


def _many(question: CustomQuestion, given: Any) -> list[str]:
    return _labels(question, given, MAX_LABELS)


def _favourites(question: CustomQuestion, given: Any) -> list[str]:
    return _labels(question, given, question.points)


def _one(question: CustomQuestion, given: Any) -> str:
    known = {interest_key(option): option for option in question.options}
    if not isinstance(given, str) or interest_key(given) not in known:
        raise Unfit(_("Choose one of these."))
    return known[interest_key(given)]


def _yes_no(question: CustomQuestion, given: Any) -> bool:
    if isinstance(given, str) and given.strip().casefold() in ("yes", "no"):
        return given.strip().casefold() == "yes"
    if not isinstance(given, bool):
        raise Unfit(_("Choose yes or no."))
    return given


def _step(question: CustomQuestion, given: Any) -> int:
    """Return a number from 1 to the last step."""
    text = given.strip() if isinstance(given, str) else ""
    if text.isascii() and text.isdecimal() and len(text) <= 2:
        given = int(text)
    if isinstance(given, bool) or not isinstance(given, int) or not 1 <= given <= question.points:
        raise Unfit(_("Choose a number from 1 to %(most)s.", most=question.points))
    return given


def _rating(question: CustomQuestion, given: Any) -> dict[str, int]:
    if not isinstance(given, Mapping):
        raise Unfit(_("This is not a list of ratings."))
    known = {interest_key(item): item for item in question.options}
    rated = {}
    for item, value in list(given.items())[: len(known) + 1]:
        if not isinstance(item, str) or interest_key(item) not in known:
            raise Unfit(_("Rate only what is listed."))
        if value not in (None, ""):
            rated[known[interest_key(item)]] = _step(question, value)
    return {item: rated[item] for item in question.options if item in rated}


def _help(question: CustomQuestion, given: Any) -> dict[str, list[str]]:
    if not isinstance(given, Mapping) or not set(given) <= {CAN, WANTS}:
        raise Unfit(_("Say what you can help with and what you would like help with."))
    sides = {side: _labels(question, given.get(side) or [], MAX_LABELS) for side in (CAN, WANTS)}
    return {side: labels for side, labels in sides.items() if labels}


def _text(question: CustomQuestion, given: Any) -> str:
    if not isinstance(given, str):
        raise Unfit(_("This is not a text."))
    text = given.replace("\r\n", "\n").replace("\r", "\n").strip()
    if len(text) > MAX_TEXT:
        raise Unfit(_("Use at most %(most)s characters.", most=MAX_TEXT))
    if not is_plain(text.replace("\n", "").replace("\t", "")):
        raise Unfit(_("This text contains characters that cannot be shown."))
    return text


# Words and cells


def _end_words(question: CustomQuestion, step: int) -> list[str]:
    ends = dict(zip((1, question.points), question.options, strict=False))
    of = _("%(step)s of %(most)s", step=step, most=question.points)
    return [f"{of} ({ends[step]})" if ends.get(step) else of]


def _rating_words(question: CustomQuestion, rated: dict[str, int]) -> list[str]:
    return [
        _("%(item)s: %(step)s of %(most)s", item=item, step=step, most=question.points)
        for item, step in rated.items()
    ]


def _help_words(question: CustomQuestion, sides: dict[str, list[str]]) -> list[str]:
    can = [_("can help with %(what)s", what=each) for each in sides.get(CAN, ())]
    return can + [_("would like help with %(what)s", what=each) for each in sides.get(WANTS, ())]


def _joined(items: Iterable[str]) -> str:
    return "; ".join(items)


def _pairs(cell: str) -> list[tuple[str, str]]:
    """Return ``a: 1; b: 2`` as pairs; a name may hold a colon, as only the last one counts."""
    split = [piece.rpartition(":") for piece in cell.split(";") if piece.strip()]
    return [(name.strip(), value.strip()) for name, _colon, value in split]


def _read_help(question: CustomQuestion, cell: str) -> dict[str, list[str]]:
    sides: dict[str, list[str]] = {}
    for piece in filter(str.strip, cell.split(";")):
        side, colon, what = piece.partition(":")
        if not colon:
            raise Unfit(_("Write it as can: maths; wants: music."))
        sides.setdefault(side.strip().casefold(), []).append(what)
    return sides


_ALIKE: Final = (Counts.SIMILAR, Counts.DIVERSE)

KINDS: Final[dict[Kind, Rules]] = {
    Kind.MANY: Rules(
        lazy("Pick many"),
        lazy("Suggestions to tick, and room for what you did not think of."),
        (*_ALIKE, Counts.SAME, Counts.SHOWN),
        _many,
        lambda _question, labels: list(labels),
        lambda _question, labels: _joined(labels),
        lambda _question, cell: cell.split(";"),
    ),
    Kind.FAVOURITES: Rules(
        lazy("Favourites in own words"),
        lazy("A few short lines, such as five artists you love. Spelling is forgiven."),
        (*_ALIKE, Counts.SHOWN),
        _favourites,
        lambda _question, labels: list(labels),
        lambda _question, labels: _joined(labels),
        lambda _question, cell: cell.split(";"),
    ),
    Kind.ONE: Rules(
        lazy("Pick one"),
        lazy("One of a few options."),
        (*_ALIKE, Counts.BALANCED, Counts.SAME, Counts.SHOWN),
        _one,
        lambda _question, option: [option],
        lambda _question, option: str(option),
        lambda _question, cell: cell,
    ),
    Kind.YES_NO: Rules(
        lazy("Yes or no"),
        lazy("A plain question."),
        (*_ALIKE, Counts.BALANCED, Counts.SAME, Counts.SHOWN),
        _yes_no,
        lambda _question, yes: [_("Yes") if yes else _("No")],
        lambda _question, yes: "yes" if yes else "no",
        lambda _question, cell: cell,
    ),
    Kind.SCALE: Rules(
        lazy("Scale"),
        lazy("A number of steps between two ends with names."),
        (*_ALIKE, Counts.BALANCED, Counts.SHOWN),
        _step,
        _end_words,
        lambda _question, step: str(step),
        lambda _question, cell: cell,
    ),
    Kind.RATING: Rules(
        lazy("Rate a list"),
        lazy("A number for each thing of a list; leaving some out is fine."),
        (*_ALIKE, Counts.SHOWN),
        _rating,
        _rating_words,
        lambda _question, rated: _joined(f"{item}: {step}" for item, step in rated.items()),
        lambda _question, cell: dict(_pairs(cell)),
    ),
    Kind.HELP: Rules(
        lazy("Needs and offers"),
        lazy("What somebody can help with, and what they would like help with."),
        (Counts.COMPLEMENTARY, Counts.SHOWN),
        _help,
        _help_words,
        lambda _question, sides: _joined(
            f"{side}: {each}" for side in (CAN, WANTS) for each in sides.get(side, ())
        ),
        _read_help,
    ),
    Kind.TEXT: Rules(
        lazy("Short text"),
        lazy("A few sentences in own words."),
        (*_ALIKE, Counts.SHOWN),
        _text,
        lambda _question, text: [text],
        lambda _question, text: str(text),
        lambda _question, cell: cell,
    ),
}
"""What holds for each kind."""

CHOICES: Final = frozenset({Kind.MANY, Kind.ONE, Kind.YES_NO})
"""Kinds whose answer somebody may not want to be the only one with."""

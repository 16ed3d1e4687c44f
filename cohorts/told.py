"""What a file tells of who had to do with whom, before it is known who these people are."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from . import clocks
from .language import gettext as _
from .tables import MalformedFile

Person = tuple[str, ...]
"""Everything somebody is called by, what tells most first: an address, a user name, a name."""

MOST: Final = 200_000
"""Interactions that are read of one file."""
MAX_KIND: Final = 40
MAX_NAME: Final = 200
YEARS: Final = range(2000, 2100)
_FIRST_DAY: Final = datetime(1899, 12, 30, tzinfo=UTC)

REPLY, MENTION = "reply", "mention"


@dataclass(frozen=True, slots=True)
class Told:
    """One interaction: where the file tells of it, who, to whom, when, and what it was."""

    place: str
    giver: Person
    taker: Person
    at: datetime
    kind: str


@dataclass(frozen=True, slots=True)
class Slip:
    """What of a file was not understood, and where that stands."""

    place: str
    message: str


@dataclass(frozen=True, slots=True)
class Reading:
    """What a file tells: which tool wrote it, its interactions, and what was not understood."""

    tool: str
    told: tuple[Told, ...]
    slips: tuple[Slip, ...] = ()
    notes: tuple[str, ...] = ()

    @classmethod
    def of(cls, tool: str, found: Iterable[Told | Slip | None], most: int = MOST) -> Reading:
        """Gather what a reader yields: None for what tells of nobody.

        Raises:
            MalformedFile: There is too much of it.
        """
        told, slips, n_silent = [], [], 0
        for each in found:
            if isinstance(each, Told):
                told.append(each)
            elif each is not None:
                slips.append(each)
            else:
                n_silent += 1
            if len(told) + len(slips) > most:
                raise MalformedFile(
                    _("The file tells of more than %(most)s interactions. Split it.", most=f"{most:,}")
                )
        notes = (_("%(number)s entries answer or mention nobody.", number=f"{n_silent:,}"),)
        return cls(tool, tuple(told), tuple(slips), notes if n_silent else ())


def one(place: str, giver: Person, taker: Person, at: datetime | None, kind: str) -> Told | Slip:
    """Return an interaction, or what is missing for one."""
    if not giver or not taker:
        return Slip(place, _("It is not told who this was.") if not giver else _("It is not told to whom."))
    if at is None:
        return Slip(place, _("It is not told when this was."))
    return Told(place, giver, taker, at, clean(kind)[:MAX_KIND])


def clean(text: str) -> str:
    """Return a text in one line that every database keeps."""
    return " ".join("".join(each for each in text if each.isprintable() or each.isspace()).split())


def called(*names: Any) -> Person:
    """Return what somebody is called by, from values that may be anything or nothing."""
    texts = (clean(text_of(each))[:MAX_NAME] for each in names)
    return tuple(dict.fromkeys(each for each in texts if each))


def text_of(value: Any) -> str:
    """Return a value of a JSON file as a text; what is neither text nor number is none."""
    if isinstance(value, str):
        return value
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else ""


def record(value: Any) -> dict[str, Any]:
    """Return an object of a JSON file; anything else is an empty one."""
    return value if isinstance(value, dict) else {}


def records(value: Any) -> Iterator[dict[str, Any]]:
    """Yield the objects in a list of a JSON file."""
    return (each for each in value if isinstance(each, dict)) if isinstance(value, list) else iter(())


def moment(value: Any, *, day_first: bool = False) -> datetime | None:
    """Return a moment from a date and time as people or programs write it, or from seconds since 1970.

    Without a zone it is in UTC. None if it is no moment of our days.
    """
    text = text_of(value).strip()[:60]
    try:
        found = _since_1970(float(text))
    except (ValueError, OverflowError):
        found = None
    try:
        found = (found or _written(text, day_first) or datetime.min).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return found if found.year in YEARS else None


def _since_1970(number: float) -> datetime | None:
    """Return a moment from seconds, or thousandths or millionths of them; or from days, as spreadsheets
    count them.
    """
    if 36_526 <= number < 73_051:
        return _FIRST_DAY + timedelta(days=number)
    if not 1e8 < number < 1e17:
        return None
    while number > 1e11:
        number /= 1000
    return datetime.fromtimestamp(number, UTC)


def _written(text: str, day_first: bool) -> datetime | None:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        is_date = len(re.findall(r"\d+", text)) >= 3 or re.search(r"[^\W\d].*\b\d{4}\b", text)
        return clocks.moment(text, day_first=day_first) if is_date else None
    return found if found.tzinfo else found.replace(tzinfo=UTC)

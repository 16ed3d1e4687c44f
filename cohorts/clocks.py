"""Days, hours and moments as people and survey tools write them: ``Tue 9-11 am``, ``18h30``, ``Mardi``."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import pairwise
from typing import Final

from . import availability
from .language import gettext as _
from .week import SLOTS, WEEKDAYS

DAY: Final = 24 * 60
Span = tuple[int, int | None]
"""Minutes of a day from midnight; the end is None where only a beginning is written."""

LOCALES: Final = ("en", "es", "de", "fr", "pt", "it", "nl")
"""Languages whose names of weekdays are read."""

_GROUPS: Final = {"weekdays": range(5), "weekends": (5, 6), "daily": range(7), "every day": range(7)}
_PARTS: Final = {
    "morning": (480, 720),
    "afternoon": (720, 1020),
    "evening": (1020, 1260),
    "all day": (0, DAY),
}
"""What words for a part of a day are taken for: 8 to 12, 12 to 17, 17 to 21."""
_NOTHING: Final = frozenset(
    {"", "-", "–", "none", "n/a", "na", "no", "never", "not available", "unavailable"}
)

_DASH: Final = r"\s*(?:[-\u2010-\u2015\u2212]|\bto\b|\buntil\b|\btill\b|\bbis\b|\ba\b|à)\s*"
_CLOCK: Final = (
    r"(?:(?P<hour{0}>\d{{1,2}})(?:\s*[:.h]\s*(?P<minute{0}>[0-5]\d))?(?::[0-5]\d)?\s*"
    r"(?P<half{0}>[ap]\.?\s?m\.?|[ap](?![a-z]))?(?:\s*(?:h|uhr|o'clock)\b)?|(?P<word{0}>noon|midday|midnight))"
)
_SPAN: Final = re.compile(_CLOCK.format(1) + "(?:" + _DASH + _CLOCK.format(2) + ")?", re.I)
_PIECES: Final = re.compile(r"[;,\n&]|\band\b|\bund\b|\by\b|\bet\b", re.I)
_WORD: Final = re.compile(r"[^\W\d_]+")
_DAYS_APART: Final = re.compile(r"\s*(?:[-\u2010-\u2015\u2212]|\bto\b|\bthrough\b|\bbis\b)\s*", re.I)


@lru_cache(maxsize=1)
def _day_names() -> dict[str, tuple[int, ...]]:
    """Return what the days are called: English short names, and full ones in several languages."""
    from babel.dates import get_day_names  # known to whoever reads a foreign file only

    names: dict[str, tuple[int, ...]] = {}
    for locale in LOCALES:
        for day, name in get_day_names("wide", locale=locale).items():
            names |= dict.fromkeys((name.casefold(), name.casefold().partition("-")[0]), (day,))
    names |= {name: (day,) for name, day in availability.DAYS.items()}
    names |= {f"{weekday.casefold()}s": (day,) for day, weekday in enumerate(WEEKDAYS)}
    names |= {weekday[:2].casefold(): (day,) for day, weekday in enumerate(WEEKDAYS)}
    groups = {name: tuple(days) for name, days in _GROUPS.items()}
    return names | groups | {name.removesuffix("s"): days for name, days in groups.items()}


def days(text: str) -> tuple[int, ...]:
    """Return the days that a text is made of, such as ``Mon, Wed-Fri``; none if it is anything else."""
    found: list[int] = []
    for piece in re.split(r"[;,\n/&]|\band\b", text.casefold()):
        whole = _day_names().get(piece.strip(" .:*"))
        parts = _DAYS_APART.split(piece.strip(), maxsplit=1)
        ends = [whole] if whole else [_day_names().get(end.strip(" .:*"), ()) for end in parts]
        if not all(ends):
            return ()
        first, last = ends[0], ends[-1]
        single = len(first) == len(last) == 1 and len(ends) == 2
        found += ((first[0] + step) % 7 for step in range((last[0] - first[0]) % 7 + 1)) if single else first
    return tuple(dict.fromkeys(found))


_LETTERS: Final = {"M": 0, "T": 1, "W": 2, "R": 3, "F": 4, "S": 5, "U": 6}
"""Days as registrars of the United States write them before an hour: ``R 3:00 PM`` is a Thursday."""


def day_in(text: str) -> int | None:
    """Return the only day that a longer text names, or that its date falls on."""
    lettered = re.fullmatch(r"(?:.*[:\s])?([MTWRFSU])\s+\d.*", text)
    if lettered:
        return _LETTERS[lettered[1]]
    short = re.match(r"(\w\w)\.?\s+\d", text)
    if short and len(found := _day_names().get(short[1].casefold(), ())) == 1:
        return found[0]
    words = (_day_names().get(word.casefold(), ()) for word in _WORD.findall(text) if len(word) > 2)
    named = {each[0] for each in words if len(each) == 1}
    if len(named) == 1:
        return named.pop()
    moment_ = moment(text) if not named and re.search(r"\b\d{4}\b", text) else None
    return moment_.weekday() if moment_ else None


def spans_in(text: str) -> tuple[Span, ...]:
    """Return the hours that a longer text names, such as a heading; a lone number is no hour."""
    text = re.sub(r"\b\d{4}-\d\d-\d\d[T ]?|\b\d{1,2}[/.]\d{1,2}[/.]\d{2,4}", " ", text)
    marked = (each for each in _SPAN.finditer(text) if _is_marked(each))
    return tuple(found for each in marked if (found := _span(each)) is not None)


def _is_marked(found: re.Match[str]) -> bool:
    """Tell whether a match is hours and no other number: it has minutes, am or pm, a word, or an end."""
    return any(found[f"{part}{end}"] for part in ("minute", "half", "word") for end in "12") or bool(
        found["hour2"]
    )


@lru_cache(maxsize=50_000)
def times(text: str) -> tuple[Span, ...]:
    """Return hours from a cell such as ``9am, 10am-noon; evening``.

    Raises:
        ValueError: A part is not understood; the message says which.
    """
    if text.strip().casefold() in _NOTHING:
        return ()
    return tuple(_time(piece.strip()) for piece in _PIECES.split(text) if piece.strip())


@lru_cache(maxsize=10_000)
def _time(piece: str) -> Span:
    in_brackets = re.search(r"\(([^)]*\d[^)]*)\)", piece)
    wanted = (in_brackets[1] if in_brackets else re.sub(r"\(.*?\)", "", piece)).strip(" .")
    part = _PARTS.get(wanted.casefold().removesuffix("s"))
    if part is not None:
        return part
    found = _SPAN.fullmatch(wanted)
    span = _span(found) if found else None
    if span is None:
        raise ValueError(_("%(part)r is not an hour. Write hours like 18:00-21:00 or 6 pm.", part=piece[:60]))
    return span


def _span(found: re.Match[str]) -> Span | None:
    """Return the hours of a match; ``9-11 am`` is all before noon, and ``11-1 pm`` around it."""
    end = _minutes(found, "2", found["half2"]) if found["hour2"] or found["word2"] else None
    start = _minutes(found, "1", found["half1"] or found["half2"])
    if start is not None and end is not None and not found["half1"] and found["half2"] and start >= end:
        start = _minutes(found, "1", "am")
    if start is None or start >= DAY or ((found["hour2"] or found["word2"]) and end is None):
        return None
    return start, end


def _minutes(found: re.Match[str], which: str, half: str | None) -> int | None:
    word = found[f"word{which}"]
    if word:
        return {"noon": 720, "midday": 720}.get(word.casefold(), DAY if which == "2" else 0)
    hour, minute = int(found[f"hour{which}"]), int(found[f"minute{which}"] or 0)
    if half:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + 12 * half.casefold().startswith("p")
    total = hour * 60 + minute
    return total if total <= DAY else None


def slots(
    found: Iterable[Span], on: Iterable[int], step: int = 60, *, touched: bool = False
) -> frozenset[int]:
    """Return the half hours of some days that lie within hours, or with ``touched`` all they touch.

    A beginning without an end is ``step`` minutes long; an end before the beginning is the next day's.
    """
    halves: list[int] = []
    for start, end in found:
        end = start + step if end is None else end + DAY if end <= start else end
        halves += range(start // 30, -(-end // 30)) if touched else range(-(-start // 30), end // 30)
    return frozenset((day * 48 + half) % SLOTS for day in on for half in halves)


def week(text: str, *, touched: bool = False) -> frozenset[int]:
    """Return the half hours of a week from free words such as ``Mon-Fri 6-9 pm; Saturday morning``.

    Raises:
        ValueError: A part is not understood; the message says which and what is meant.
    """
    if text.strip().casefold() in _NOTHING:
        return frozenset()
    try:
        return availability.parse(text)
    except ValueError as error:
        refused = error
    found: set[int] = set()
    on: tuple[int, ...] = ()
    grows = False
    for piece in filter(str.strip, _PIECES.split(text)):
        named, hours = _days_first(piece.strip())
        on = (*on, *named) if grows and named else named or on
        grows = not hours
        if not on:
            raise refused
        found |= slots(times(hours) if hours else (), on, touched=touched)
    if grows:
        raise refused
    return frozenset(found)


def _days_first(piece: str) -> tuple[tuple[int, ...], str]:
    """Return the days a piece begins with, and the rest of it."""
    ends = [each.end() for each in re.finditer(r"[^\W\d]+[.:]?(?=\s|$|\d)", piece)]
    for end in reversed(ends):
        found = days(piece[:end])
        if found:
            return found, piece[end:].strip(" :.")
    return (), piece


_SERIAL_0: Final = datetime(1899, 12, 30, tzinfo=UTC)
"""The day from which spreadsheets count; a cell with no format of a date shows only the number."""


@lru_cache(maxsize=20_000)
def moment(text: str, *, day_first: bool = False) -> datetime | None:
    """Return the moment that a text names, or None; zones count where their offset is written."""
    from dateutil import parser  # only files with moments need it

    cleaned = re.sub(r"\b(?:[ECMP][SD]?T|GMT|UTC)\b", "", text).strip()
    if not re.search(r"\d", cleaned):
        return None
    if re.fullmatch(r"[3-7]\d{4}(?:[.,]\d+)?", cleaned):
        return _SERIAL_0 + timedelta(days=float(cleaned.replace(",", ".")))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found: datetime = parser.parse(cleaned, dayfirst=day_first, default=datetime(2000, 1, 1))
    except (ValueError, OverflowError, TypeError):
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def is_day_first(texts: Iterable[str]) -> bool:
    """Tell whether days come before months in a column: a number above 12 or a dot behind it says so."""
    found = (re.match(r"\s*(\d{1,2})([/.])\d{1,2}[/.]\d{4}", text) for text in texts)
    return any(each is not None and (int(each[1]) > 12 or each[2] == ".") for each in found)


def step_of(found: Iterable[Span]) -> int:
    """Return how many minutes lie between the beginnings of a grid's hours: at most an hour."""
    starts = sorted({start for start, _end in found})
    return min([60, *_gaps(starts)])


def _gaps(starts: list[int]) -> Iterator[int]:
    return (later - start for start, later in pairwise(starts) if later - start >= 30)

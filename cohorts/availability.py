"""Weekly availability as text: ``Mon 18:00-21:00; Sat 09:00-12:00`` in the learner's own zone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from . import language
from .language import gettext as _
from .week import SLOTS, WEEKDAYS

SLOTS_A_DAY: Final = SLOTS // 7
EXAMPLE: Final = "Mon 18:00-21:00; Sat 09:00-12:00"

DAYS: Final = {
    name: day for day, weekday in enumerate(WEEKDAYS) for name in (weekday.casefold(), weekday[:3].casefold())
} | {"tues": 1, "weds": 2, "thur": 3, "thurs": 3}
_SPAN: Final = re.compile(
    r"(?P<day>\w+)\.?\s+(?P<start>\d{1,2}(?::\d{2})?)\s*[-\u2010-\u2015\u2212]\s*(?P<end>\d{1,2}(?::\d{2})?)"
)


def parse(text: str) -> frozenset[int]:
    """Return the half hours of a week that a text names; an end before its start is the next day's.

    Raises:
        ValueError: A part is not understood; the message says which and what is meant.
    """
    parts = [part.strip() for part in text.split(";")]
    return frozenset(slot for part in parts if part for slot in _slots(part))


def write(slots: frozenset[int]) -> str:
    """Return the text of a set of half hours for files; ``parse`` reads the same set back."""
    return "; ".join(
        f"{WEEKDAYS[day][:3]} {_clock(start)}-{_clock(end)}"
        for day in range(7)
        for start, end in _stretches(slots, day)
    )


def pieces(slots: frozenset[int]) -> list[str]:
    """Return each stretch of a day as people read it, such as ``Mon 18:00–21:00``, a week in their order."""
    return [
        _(
            "%(weekday)s %(start)s–%(end)s",
            weekday=language.weekday(day, "abbreviated"),
            start=language.slot_time(start),
            end=language.slot_time(end),
        )
        for day in language.week()
        for start, end in _stretches(slots, day)
    ]


def _stretches(slots: frozenset[int], day: int) -> Iterator[tuple[int, int]]:
    """Yield the unbroken stretches of one day as half hours of that day."""
    start = None
    for half_hour in range(SLOTS_A_DAY + 1):
        is_free = half_hour < SLOTS_A_DAY and day * SLOTS_A_DAY + half_hour in slots
        if is_free and start is None:
            start = half_hour
        elif not is_free and start is not None:
            yield start, half_hour
            start = None


def _clock(half_hour: int) -> str:
    return f"{half_hour // 2:02d}:{half_hour % 2 * 30:02d}"


def _slots(part: str) -> list[int]:
    """Return the half hours of one part such as ``Mon 18:00-21:00``."""
    found = _SPAN.fullmatch(part)
    if found is None or found["day"].casefold() not in DAYS:
        raise ValueError(
            _("%(part)r is not a day and hours. Write them like %(example)s.", part=part, example=EXAMPLE)
        )
    start, end = _half_hours(found["start"], part), _half_hours(found["end"], part)
    if start == SLOTS_A_DAY:
        raise ValueError(_("%(part)r starts at 24:00. Write it as 00:00 of the next day.", part=part))
    if start == end != 0:
        raise ValueError(_("%(part)r ends when it starts. For a whole day write 00:00-24:00.", part=part))
    if end <= start:
        end += SLOTS_A_DAY
    first = DAYS[found["day"].casefold()] * SLOTS_A_DAY
    return [(first + half_hour) % SLOTS for half_hour in range(start, end)]


def _half_hours(clock: str, part: str) -> int:
    """Return a time of day in half hours since midnight."""
    hours, _colon, minutes = clock.partition(":")
    total = int(hours) * 60 + int(minutes or 0)
    if int(minutes or 0) > 59 or total > 24 * 60:
        raise ValueError(_("%(part)r has a time that does not exist: %(clock)s.", part=part, clock=clock))
    if total % 30:
        raise ValueError(
            _(
                "%(part)r is not on the half hour: %(clock)s. Use times such as 18:00 or 18:30.",
                part=part,
                clock=clock,
            )
        )
    return total // 30

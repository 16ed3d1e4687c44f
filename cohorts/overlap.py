"""How many learners of a course share a meeting time with a week that somebody is just marking.

It is a count and no match: it takes the clocks of the day on which the course starts, and asks of each
learner by themselves whether a whole meeting fits into the hours of both, free or if needed. Weeks are kept
as integers of a bit for each quarter of an hour of UTC, since some zones are a quarter of an hour off, so
that thousands are compared in a few milliseconds.

Whoever asks chooses the week, so the answers must not tell the hours of a single person:

- Numbers are told in fives, rounded down, and none below five: asking for one hour after another never
  shows one or two people.
- Only whole fives of learners are counted, in the order in which their sign-ups last changed: the same
  question before and after somebody signed up differs by five people or by nobody.
- Every process answers alike, so asking several of them tells no more than asking one; and the site takes a
  limited number of questions a minute from one address (see ``web/overlap.py``).

What is left: somebody who confirms four sign-ups of their own in the same five as another person, and knows
whose the fifth is, can ask just around a rounding step and learn at which hours that person is free. They
learn no name and no answer but this one.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import String, func, select, type_coerce
from sqlalchemy.orm import Session

from .models import Course, Signup, SignupState
from .policies import FEW
from .week import SLOTS

_QUARTERS: Final = 2 * SLOTS
_ALL: Final = (1 << _QUARTERS) - 1
_QUARTER: Final = timedelta(minutes=15)
_DOUBLED: Final = {
    ord(f"{digit:x}"): f"{sum(0b11 << 2 * bit for bit in range(4) if digit >> bit & 1):02x}"
    for digit in range(16)
}
"""What four half hours, a hexadecimal digit, are in quarters."""

_Kept = tuple[tuple[int, int], ...]
"""For every learner who is counted, the id of their sign-up and when a meeting can start."""

_kept: dict[int, tuple[Any, _Kept]] = {}
"""The learners of each course as they were at a version of its sign-ups; anything newer takes its place."""


@dataclass(frozen=True, slots=True)
class Overlap:
    """How many share a meeting time, and of how many; None where it is fewer than five."""

    shared: int | None
    total: int | None


def overlap(
    session: Session, course: Course, time_zone: str, slots: frozenset[int], *, without: int | None = None
) -> Overlap:
    """Count the confirmed learners of ``course`` who share a meeting time with these hours.

    ``without`` is the id of a sign-up to leave out: one's own.
    """
    mine = _starts(_bits(slots), time_zone, course.start, course.meeting_minutes)
    others = [starts for key, starts in _learners(session, course) if key != without]
    return Overlap(_in_fives(sum(1 for starts in others if starts & mine)), _in_fives(len(others)))


def is_long_enough(slots: frozenset[int], minutes: int) -> bool:
    """Tell whether a meeting fits into these hours at all."""
    return _starts(_bits(slots), "UTC", date(2001, 1, 1), minutes) != 0


def _bits(slots: frozenset[int]) -> int:
    return sum(1 << slot for slot in slots)


def _in_fives(number: int) -> int | None:
    return number // FEW * FEW or None


def _learners(session: Session, course: Course) -> _Kept:
    counted = (Signup.course_id == course.id, Signup.state == SignupState.CONFIRMED)
    newest = session.execute(select(func.count(), func.max(Signup.updated_at)).where(*counted)).one()
    version = (course.slug, course.start, course.meeting_minutes, *newest)
    known = _kept.get(course.id)
    if known is not None and known[0] == version:
        return known[1]
    rows = session.execute(
        select(
            Signup.id,
            type_coerce(Signup.availability, String),  # as digits: making sets of them takes long
            type_coerce(Signup.if_needed, String),
            Signup.time_zone,
        )
        .where(*counted)
        .order_by(Signup.updated_at, Signup.id)
    ).all()
    found = tuple(
        (key, _starts(int(free, 16) | int(maybe, 16), zone, course.start, course.meeting_minutes))
        for key, free, maybe, zone in rows[: len(rows) // FEW * FEW]
    )
    _kept[course.id] = (version, found)
    return found


@lru_cache(maxsize=20_000)
def _starts(slots: int, zone: str, day: date, minutes: int) -> int:
    """Return the quarters of a UTC week in which a meeting of so many minutes can start."""
    week = _earlier(int(f"{slots:x}".translate(_DOUBLED), 16), _quarters_ahead(zone, day))
    length = -(-minutes // 15)
    done = 1
    while done < length:
        step = min(done, length - done)
        week &= _earlier(week, step)
        done += step
    return week


def _earlier(week: int, quarters: int) -> int:
    """Return a week in which everything is so many quarters earlier; Sunday is followed by Monday."""
    quarters %= _QUARTERS
    return (week >> quarters | week << (_QUARTERS - quarters)) & _ALL


@lru_cache(maxsize=1000)
def _quarters_ahead(zone: str, day: date) -> int:
    """Return how far a zone is ahead of UTC on a day at noon, in quarters of an hour."""
    offset = datetime.combine(day, time(12), tzinfo=ZoneInfo(zone)).utcoffset() or timedelta()
    return round(offset / _QUARTER)

"""When a cohort meets: a weekly wall-clock time in one zone, seen from any other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from itertools import groupby
from typing import TYPE_CHECKING, Final, Protocol
from zoneinfo import ZoneInfo

from . import language
from .exceptions import NotFound
from .language import gettext as _
from .week import SLOT_MINUTES

if TYPE_CHECKING:
    from .models import Cohort

CHOSEN: Final = "chosen"
"""The rule that is broken by a cohort whose members cannot all come at the time decided for."""

_STAMP: Final = "%Y%m%dT%H%MZ"


class Dates(Protocol):
    """When meetings can be: a course has this, and so have the settings of a match without one."""

    @property
    def start(self) -> date:
        """The first day."""
        ...

    @property
    def weeks(self) -> int:
        """How many weeks, the first day's among them."""
        ...

    @property
    def meeting_minutes(self) -> int:
        """How long a meeting is."""
        ...


@dataclass(frozen=True, slots=True)
class Meeting:
    """A block of a week: the same wall-clock start in ``zone`` in every week of the course.

    Attributes:
        zone: IANA name of the anchor zone.
        slot: Start in half hours since Monday 00:00 in that zone.
    """

    zone: str
    slot: int

    @property
    def key(self) -> str:
        """The block as a form names it: ``Europe/Berlin:38``."""
        return f"{self.zone}:{self.slot}"


@dataclass(frozen=True, slots=True)
class LocalTime:
    """A weekday and hours as somebody in ``zone`` sees them, from the date ``since`` on."""

    since: date
    weekday: int
    start: time
    end: time

    def __str__(self) -> str:
        return language.hours(self.weekday, self.start, self.end)


def read_key(text: str) -> Meeting:
    """Return the block that a form names.

    Raises:
        NotFound: It names none.
    """
    zone, _, slot = text.rpartition(":")
    if not slot.isdecimal():
        raise NotFound
    return Meeting(zone, int(slot))


def of_cohort(cohort: Cohort) -> list[Meeting]:
    """Return a cohort's common blocks, best first."""
    return [Meeting(zone, slot) for zone, slot in cohort.meetings]


def wanted(cohort: Cohort) -> Meeting | None:
    """Return the time that somebody decided for: fixed, or chosen before the cohort was published."""
    if cohort.fixed:
        return Meeting(cohort.fixed[-1].zone, cohort.fixed[-1].slot)
    return Meeting(*cohort.chosen) if cohort.chosen else None


def weekly(cohort: Cohort) -> Meeting | None:
    """Return the weekly time that holds for a cohort: the one decided for, or else the best common block.

    A time that was only chosen, and does not suit all members any more, does not hold unless an organiser
    said that it does nonetheless.
    """
    blocks, wish = of_cohort(cohort), wanted(cohort)
    if wish is not None and (cohort.fixed or wish in blocks or CHOSEN in cohort.set_aside):
        return wish
    return next(iter(blocks), None)


def first_monday(start: date) -> date:
    """Return the Monday of the week a course starts in."""
    return start - timedelta(days=start.weekday())


def course_week(course: Dates, at: datetime, zone: str) -> int | None:
    """Return the week of a course, from 1, that somebody in ``zone`` is in; None before and after it."""
    today = in_zone(at, zone).date()
    week = (today - first_monday(course.start)).days // 7 + 1
    return week if today >= course.start and week <= course.weeks else None


def week_begins(course: Dates, week: int, zone: str) -> datetime:
    """Return the Monday, 00:00 in ``zone``, on which a week of a course begins."""
    monday = first_monday(course.start) + timedelta(weeks=week - 1)
    return datetime.combine(monday, time(), tzinfo=clock_of(zone))


def occurrences(course: Dates, meeting: Meeting) -> list[datetime]:
    """Return the start of every meeting of a course, aware, in the anchor zone."""
    return list(by_week(course, meeting).values())


def by_week(course: Dates, meeting: Meeting) -> dict[int, datetime]:
    """Return the start of every meeting by the week of the course it is in, counted from 0.

    The first week has none when its day has passed before the course starts.
    """
    day, half_hours = divmod(meeting.slot, 48)
    at = time(half_hours // 2, half_hours % 2 * SLOT_MINUTES, tzinfo=clock_of(meeting.zone))
    monday = first_monday(course.start)
    days = {week: monday + timedelta(weeks=week, days=day) for week in range(course.weeks)}
    return {week: datetime.combine(each, at) for week, each in days.items() if each >= course.start}


@cache
def clock_of(zone: str) -> ZoneInfo:
    """Return the clocks of a zone; Python itself remembers eight of them and reads others from disk anew."""
    return ZoneInfo(zone)


def in_zone(moment: datetime, zone: str) -> datetime:
    """Return the same moment on the clocks of ``zone``."""
    return moment.astimezone(clock_of(zone))


def stamp(moment: datetime) -> str:
    """Return a moment as it stands in an address: 20270112T1830Z."""
    return f"{moment.astimezone(UTC):{_STAMP}}"


def read_stamp(text: str) -> datetime:
    """Return the moment that ``stamp`` wrote.

    Raises:
        NotFound: It was written by somebody else.
    """
    try:
        return datetime.strptime(text, _STAMP).replace(tzinfo=UTC)
    except ValueError as error:
        raise NotFound from error


def local_times(course: Dates, meeting: Meeting, zone: str) -> list[LocalTime]:
    """Return when somebody in ``zone`` meets: one entry, or more where the clocks change."""
    length = timedelta(minutes=course.meeting_minutes)
    local = [in_zone(start, zone) for start in occurrences(course, meeting)]

    def seen(start: datetime) -> tuple[int, time, time]:
        # The length is added in UTC, so that a clock change during a meeting is not an hour.
        end = in_zone(start.astimezone(UTC) + length, zone)
        return start.weekday(), start.time(), end.time()

    return [LocalTime(next(same).date(), *key) for key, same in groupby(local, key=seen)]


def when(course: Dates, meeting: Meeting, zone: str) -> str:
    """Return the weekday and hours of a meeting in ``zone`` as one line of text."""
    times: Sequence[LocalTime] = local_times(course, meeting, zone)
    if not times:
        return ""
    changes = [_("from %(date)s: %(time)s", date=language.day(each.since), time=each) for each in times[1:]]
    return "; ".join([str(times[0]), *changes])

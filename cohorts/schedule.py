"""Which meetings a cohort has, week by week, through every change of its time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from . import meetings
from .meetings import Dates, Meeting
from .models import Cohort

_BEFORE_ALL = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Plan:
    """A weekly time and the moment from which it holds; number 0 is what the match proposed."""

    sequence: int
    meeting: Meeting
    since: datetime


@dataclass(frozen=True, slots=True)
class Occurrence:
    """The meeting of one week.

    Attributes:
        week: Week of the course, counted from 0; it tells the meeting apart through all changes.
        start: When it begins, in the zone whose wall clock it keeps to.
        sequence: Number of the plan that put it there, or took it away.
        since: When that plan came.
        is_cancelled: It was planned, and the present plan has no meeting in its week.
    """

    week: int
    start: datetime
    sequence: int
    since: datetime
    is_cancelled: bool = False

    @property
    def starts_at(self) -> datetime:
        """When it begins in UTC; a wall-clock time that comes twice is equal to nothing in other zones."""
        return self.start.astimezone(UTC)

    @property
    def is_fixed(self) -> bool:
        """Whether somebody fixed its time, and it is not only proposed."""
        return self.sequence > 0


def plans(cohort: Cohort) -> list[Plan]:
    """Return the weekly times of a cohort in the order in which they came."""
    proposed = meetings.of_cohort(cohort)[:1]
    since = cohort.run.published_at or _BEFORE_ALL
    return [
        *(Plan(0, meeting, since) for meeting in proposed),
        *(Plan(each.sequence, Meeting(each.zone, each.slot), each.fixed_at) for each in cohort.fixed),
    ]


def of_cohort(course: Dates, cohort: Cohort, until: datetime | None = None) -> list[Occurrence]:
    """Return the meetings of a cohort, also those that were cancelled, in the order of their weeks.

    A new time holds for what is still to come: a meeting that has begun stays where it was, and a
    week in which the new time is over already has none. Plans from ``until`` on are left out.
    """
    found: dict[int, Occurrence] = {}
    for plan in plans(cohort):
        if until is not None and plan.since >= until:
            break
        starts = meetings.by_week(course, plan.meeting)
        for week in range(course.weeks):
            before, start = found.get(week), starts.get(week)
            if before is not None and not before.is_cancelled and before.starts_at <= plan.since:
                continue
            if start is not None and start.astimezone(UTC) > plan.since:
                found[week] = Occurrence(week, start, plan.sequence, plan.since)
            elif before is not None and not before.is_cancelled:
                found[week] = replace(before, sequence=plan.sequence, since=plan.since, is_cancelled=True)
    return [found[week] for week in sorted(found)]


def standing(occurrences: Sequence[Occurrence]) -> list[Occurrence]:
    """Return the meetings that take place or took place."""
    return [each for each in occurrences if not each.is_cancelled]


def coming(course: Dates, cohort: Cohort, at: datetime) -> Occurrence | None:
    """Return the meeting that is under way or comes next."""
    length = timedelta(minutes=course.meeting_minutes)
    found = standing(of_cohort(course, cohort))
    return next((each for each in found if each.starts_at + length > at), None)


def latest(course: Dates, cohort: Cohort, at: datetime) -> Occurrence | None:
    """Return the meeting that has begun last."""
    begun = [each for each in standing(of_cohort(course, cohort)) if each.starts_at <= at]
    return begun[-1] if begun else None

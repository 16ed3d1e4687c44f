"""Signals: check-ins and meetings that somebody missed since their last sign of life.

Only what others in the cohort did counts as missed: a week in which nobody checked in, and a meeting of
which nobody noted who was there, say nothing about anybody. Neither does what began before somebody joined,
was last there, or came back from a pause, nor a check-in of whoever stopped the mails that ask for it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from functools import cache
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, select, true
from sqlalchemy.orm import Session

from . import language
from .language import gettext as _
from .language import ngettext
from .meetings import in_zone, week_begins
from .models import (
    Answer,
    Attendance,
    CheckIn,
    Cohort,
    Course,
    CourseState,
    Membership,
    Presence,
    Signup,
    SignupState,
)
from .subscriptions import Topic

LEEWAY: Final = timedelta(hours=2)
"""A week is over so long after its end, so that a clock that is ahead accuses nobody."""
RESPITE: Final = timedelta(days=3)
"""What is missed in this time after somebody was asked does not count: a mail may lie that long."""
_NOTED: Final = (
    Attendance.cohort_id,
    Attendance.signup_id,
    Attendance.starts_at,
    Attendance.answer,
    Attendance.answered_at,
    Attendance.was_there,
    Attendance.noted_at,
    Attendance.noted_by_id,
)


@dataclass(frozen=True, slots=True)
class Silence:
    """What a member of a living cohort missed since their last sign of life.

    Attributes:
        since: The last sign of life, or when they joined their cohort.
        nudged_at: When they were asked whether they are still there, if they have given no sign since.
        check_ins: When each week that they did not check in was over, by its number.
        meetings: When each meeting that they were not at began.
    """

    signup_id: int
    cohort_id: int
    course: Course = field(repr=False)
    since: datetime
    nudged_at: datetime | None
    check_ins: Mapping[int, datetime]
    meetings: Sequence[datetime]

    @property
    def is_to_be_nudged(self) -> bool:
        """Whether it is time to ask them."""
        return self.nudged_at is None and 0 < self.course.nudge_after <= self._missed()

    @property
    def is_to_be_removed(self) -> bool:
        """Whether they were asked, and missed so much since that others get their seat."""
        if self.nudged_at is None or not self.course.remove_after:
            return False
        return self._missed(self.nudged_at + RESPITE) >= self.course.remove_after

    def _missed(self, after: datetime | None = None) -> int:
        """Return how many check-ins or meetings were missed, whichever are more."""
        return max(
            sum(after is None or each > after for each in missed)
            for missed in (self.check_ins.values(), self.meetings)
        )


def of_courses(session: Session, at: datetime) -> list[Silence]:
    """Return what everybody missed in the courses that want to know, in a fixed number of queries."""
    return list(_silences(session, at, true()))


def of_signup(session: Session, signup: Signup, at: datetime) -> Silence | None:
    """Return what one learner missed; None when they are in no cohort, or nobody wants to know."""
    mine = select(Membership.cohort_id).where(Membership.signup_id == signup.id, Membership.until.is_(None))
    found = _silences(session, at, Membership.cohort_id.in_(mine))
    return next((each for each in found if each.signup_id == signup.id), None)


def _silences(session: Session, at: datetime, which: ColumnElement[bool]) -> Iterator[Silence]:
    watchful = select(Course).where(Course.state == CourseState.RUNNING, Course.nudge_after > 0)
    courses = {each.id: each for each in session.scalars(watchful)}
    if not courses:
        return
    members = _members(session, which & Signup.course_id.in_(courses))
    known = _Known(session, members, which & Signup.course_id.in_(courses))
    begins = cache(lambda course_id, week, zone: week_begins(courses[course_id], week, zone))
    for row in members:
        course, since = courses[row.course_id], known.last_sign(row)
        check_ins = {}
        for week in range(1, course.weeks + 1):
            over = begins(course.id, week + 1, row.time_zone)
            is_past = since <= begins(course.id, week, row.time_zone) and over + LEEWAY <= at
            if is_past and known.has_missed_week(row, week):
                check_ins[week] = over
        nudged = row.nudged_at if row.nudged_at is not None and row.nudged_at >= since else None
        missed = [each for each in known.missed_meetings(row) if since < each <= at]
        yield Silence(row.id, row.cohort_id, course, since, nudged, check_ins, sorted(missed))


def _members(session: Session, which: ColumnElement[bool]) -> Sequence[Any]:
    """Return who is in a living cohort, with what is known of their presence."""
    return session.execute(
        select(
            Signup.id,
            Signup.course_id,
            Signup.time_zone,
            Signup.paused_until,
            Signup.stopped_mails,
            Membership.cohort_id,
            Membership.since,
            Presence.seen_at,
            Presence.nudged_at,
        )
        .join(Membership, Membership.signup_id == Signup.id)
        .join(Cohort, Cohort.id == Membership.cohort_id)
        .outerjoin(Presence, Presence.signup_id == Signup.id)
        .where(which, Signup.state == SignupState.CONFIRMED)
        .where(Membership.until.is_(None), Cohort.ended_at.is_(None))
        .order_by(Signup.id)
    ).all()


class _Known:
    """What the members of some cohorts did, read at once."""

    def __init__(self, session: Session, members: Sequence[Any], which: ColumnElement[bool]) -> None:
        cohort_of = {row.id: row.cohort_id for row in members}
        self._signs: dict[int, list[datetime]] = defaultdict(list)
        self._given: set[tuple[int, int]] = set()
        self._spoken: set[tuple[int, int]] = set()
        self._absent: dict[tuple[int, int], list[datetime]] = defaultdict(list)
        self._met: set[tuple[int, datetime]] = set()
        present = select(Membership.signup_id, Membership.cohort_id).join(Signup)
        here = present.where(which, Membership.until.is_(None)).subquery()
        check_ins = select(CheckIn.signup_id, CheckIn.week, CheckIn.updated_at)
        for learner, week, moment in session.execute(
            check_ins.where(CheckIn.signup_id.in_(select(here.c.signup_id)))
        ):
            self._signs[learner].append(moment)
            self._given.add((learner, week))
            self._spoken.add((cohort_of.get(learner, 0), week))
        noted = select(*_NOTED).where(Attendance.cohort_id.in_(select(here.c.cohort_id)))
        for row in session.execute(noted):
            self._note(row)

    def _note(self, row: Any) -> None:
        """Take in what is known of one learner and one meeting."""
        if row.answered_at is not None:
            self._signs[row.signup_id].append(row.answered_at)
        if row.noted_by_id is not None and row.noted_at is not None:
            self._signs[row.noted_by_id].append(row.noted_at)
        if row.was_there:
            self._signs[row.signup_id].append(row.starts_at)
            self._met.add((row.cohort_id, row.starts_at))
        elif row.was_there is False and row.answer is not Answer.ABSENT:
            self._absent[row.cohort_id, row.signup_id].append(row.starts_at)

    def last_sign(self, row: Any) -> datetime:
        """Return the last sign of life of a member; a pause is one until it ends."""
        signs: list[datetime] = [row.since, *self._signs[row.id]]
        if row.seen_at is not None:
            signs.append(row.seen_at)
        if row.paused_until is not None:
            signs.append(datetime.combine(row.paused_until, time(), tzinfo=ZoneInfo(row.time_zone)))
        return max(signs)

    def has_missed_week(self, row: Any, week: int) -> bool:
        """Tell whether others in the cohort checked in that week, and this member did not."""
        is_asked = Topic.CHECK_INS.value not in row.stopped_mails
        return is_asked and (row.id, week) not in self._given and (row.cohort_id, week) in self._spoken

    def missed_meetings(self, row: Any) -> list[datetime]:
        """Return the meetings of their cohort at which others were, and this member was not."""
        missed = self._absent[row.cohort_id, row.id]
        return [each for each in missed if (row.cohort_id, each) in self._met]


def told(silence: Silence, time_zone: str) -> list[str]:
    """Return what somebody missed in words, by their own clock."""
    lines = []
    if silence.check_ins:
        weeks = language.listing([language.number(week) for week in silence.check_ins])
        lines.append(
            ngettext(
                "The check-in of week %(weeks)s.",
                "The check-ins of weeks %(weeks)s.",
                len(silence.check_ins),
                weeks=weeks,
            )
        )
    lines += [
        _("The meeting of your cohort on %(day)s.", day=language.day(in_zone(each, time_zone)))
        for each in silence.meetings
    ]
    return lines

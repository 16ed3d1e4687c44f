"""Who will be at a meeting, and who was: what members say before and after."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from . import schedule
from .exceptions import Conflict, NotFound
from .language import gettext as _
from .models import Answer, Attendance, Cohort, Course, Signup
from .schedule import Occurrence
from .standing import enter, members_of


@dataclass(frozen=True, slots=True)
class Sheet:
    """One meeting and what its members said of it, each list by name.

    Attributes:
        coming: Those who will be there.
        absent: Those who cannot.
        silent: Those who have not said.
        there: Those who were there, as somebody noted afterwards.
        is_noted: Whether somebody has noted who was there; there may have been nobody.
    """

    occurrence: Occurrence
    coming: list[Signup]
    absent: list[Signup]
    silent: list[Signup]
    there: list[Signup]
    is_noted: bool

    @property
    def members(self) -> list[Signup]:
        """Everybody whose meeting it is."""
        return sorted([*self.coming, *self.absent, *self.silent], key=lambda each: each.name.casefold())

    def answer_of(self, member: Signup) -> Answer | None:
        """Return what a member said."""
        if any(each.id == member.id for each in self.coming):
            return Answer.COMING
        return Answer.ABSENT if any(each.id == member.id for each in self.absent) else None


def occurrence(course: Course, cohort: Cohort, starts_at: datetime) -> Occurrence:
    """Return the meeting of a cohort that begins at a moment.

    Raises:
        NotFound: There is none at that time (any more).
    """
    for each in schedule.standing(schedule.of_cohort(course, cohort)):
        if each.starts_at == starts_at:
            return each
    raise NotFound(_("There is no meeting at that time any more. Your cohort's page has the present one."))


def sheet(session: Session, cohort: Cohort, meeting: Occurrence) -> Sheet:
    """Return what members said of a meeting."""
    known = _rows(session, cohort, meeting.starts_at)
    members = _members_at(cohort, meeting.starts_at)
    answers = {each.id: known[each.id].answer if each.id in known else None for each in members}
    return Sheet(
        meeting,
        coming=[each for each in members if answers[each.id] is Answer.COMING],
        absent=[each for each in members if answers[each.id] is Answer.ABSENT],
        silent=[each for each in members if answers[each.id] is None],
        there=[each for each in members if each.id in known and known[each.id].was_there],
        is_noted=any(each.was_there is not None for each in known.values()),
    )


def answer(
    session: Session, cohort: Cohort, member: Signup, starts_at: datetime, said: Answer, at: datetime
) -> None:
    """Say whether one will be at a meeting; one may think again until it begins.

    Raises:
        NotFound: There is no such meeting.
        Conflict: It has begun, the cohort has ended, or the member has left.
    """
    enter(session, cohort, member)
    meeting = occurrence(member.course, cohort, starts_at)
    if meeting.starts_at <= at:
        raise Conflict(_("This meeting has begun already."))
    row = _row_of(session, _rows(session, cohort, starts_at), cohort, member, starts_at)
    row.answer, row.answered_at = said, at
    session.flush()


def note(
    session: Session,
    cohort: Cohort,
    member: Signup,
    starts_at: datetime,
    there: Collection[str],
    at: datetime,
) -> None:
    """Note who was at a meeting, by their keys; nobody, if it did not take place.

    The last note counts. It covers the members who were in the cohort at that time.

    Raises:
        NotFound: There was no such meeting, or somebody named was no member then.
        Conflict: It has not begun yet, the cohort has ended, or the member has left.
    """
    enter(session, cohort, member)
    meeting = occurrence(member.course, cohort, starts_at)
    if meeting.starts_at > at:
        raise Conflict(_("This meeting has not begun yet."))
    members = _members_at(cohort, meeting.starts_at)
    if not set(there) <= {each.key for each in members}:
        raise NotFound
    rows = _rows(session, cohort, starts_at)
    for each in members:
        row = _row_of(session, rows, cohort, each, starts_at)
        row.was_there, row.noted_at, row.noted_by_id = each.key in there, at, member.id
    session.flush()


def _members_at(cohort: Cohort, moment: datetime) -> list[Signup]:
    """Return who is in a cohort and is or was so at a moment; who has left is not spoken of."""
    since = {each.signup_id: each.since for each in cohort.memberships if each.until is None}
    return [each for each in members_of(cohort) if since[each.id] <= moment]


def _rows(session: Session, cohort: Cohort, starts_at: datetime) -> dict[int, Attendance]:
    """Return what is known of a meeting, by the ids of the sign-ups."""
    known = select(Attendance).where(Attendance.cohort_id == cohort.id, Attendance.starts_at == starts_at)
    return {each.signup_id: each for each in session.scalars(known)}


def _row_of(
    session: Session, rows: dict[int, Attendance], cohort: Cohort, member: Signup, starts_at: datetime
) -> Attendance:
    """Return the row of a learner and a meeting; a new one where there was none."""
    if member.id not in rows:
        rows[member.id] = Attendance(cohort_id=cohort.id, signup_id=member.id, starts_at=starts_at)
        session.add(rows[member.id])
    return rows[member.id]

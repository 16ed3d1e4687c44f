"""The roster of a course: who is in which cohort and when it meets, as plain rows."""

from __future__ import annotations

from sqlalchemy import ColumnElement, select, true
from sqlalchemy.orm import Session, selectinload
from sqlalchemy.sql.base import ExecutableOption

from . import meetings
from .asking import custom_questions
from .exceptions import NotFound
from .language import lazy_gettext as lazy
from .language import translated
from .models import Cohort, Course, Membership, Run, RunState, Seat, Signup, SignupState
from .roster_rows import RosterRow, clock, row_of

NOT_MATCHED_YET = lazy("Signed up after the cohorts were formed.")


def rows(session: Session, course: Course, only: ColumnElement[bool] | None = None) -> list[RosterRow]:
    """Return the roster of a course, by cohort, then by name, those without a cohort last.

    With ``only``, a condition on cohorts, those alone and nobody without a cohort.
    It is empty until cohorts are published. The number of queries does not grow with that of learners.
    """
    run = latest_published(session, course)
    if run is None:
        return []
    unplaced_seats = select(Seat.signup_id, Seat.reason).where(
        Seat.run_id == run.id, Seat.cohort_id.is_(None)
    )
    reasons = dict(session.execute(unplaced_seats).all())
    members = _members(session, course, true() if only is None else only)
    when, asked = clock(course), custom_questions(course)
    placed = [
        (
            cohort.position,
            row_of(
                signup,
                cohort.name,
                when(meetings.weekly(cohort), signup.time_zone),
                questions=asked,
            ),
        )
        for signup, cohort in members
    ]
    placed.sort(key=lambda each: (each[0], each[1].name.casefold(), each[1].email))
    if only is not None:
        return [row for _, row in placed]
    left = _left(session, course, {signup.id for signup, _ in members})
    unplaced = [
        row_of(signup, "", "", translated(reasons.get(signup.id, "")) or str(NOT_MATCHED_YET), asked)
        for signup in sorted(left, key=lambda signup: (signup.name.casefold(), signup.email))
    ]
    return [row for _, row in placed] + unplaced


def cohorts(session: Session, course: Course, *options: ExecutableOption) -> list[Cohort]:
    """Return the living cohorts of a course in their order, their run loaded, and more by ``options``."""
    return list(
        session.scalars(
            select(Cohort)
            .join(Run)
            .where(Run.course_id == course.id, Run.state == RunState.PUBLISHED, Cohort.ended_at.is_(None))
            .order_by(Cohort.position, Cohort.id)
            .options(selectinload(Cohort.run), *options)
        )
    )


def cohort(session: Session, course: Course, key: str, only: ColumnElement[bool] | None = None) -> Cohort:
    """Return a cohort of a course that has been published, its members loaded.

    Raises:
        NotFound: The course has no such cohort, or it does not meet the condition ``only``.
    """
    found = session.scalar(
        select(Cohort)
        .join(Run)
        .where(Cohort.key == key, Run.course_id == course.id, Run.state == RunState.PUBLISHED)
        .where(true() if only is None else only)
        .options(selectinload(Cohort.run), selectinload(Cohort.memberships).selectinload(Membership.signup))
    )
    if found is None:
        raise NotFound
    return found


def latest_published(session: Session, course: Course) -> Run | None:
    """Return the run that was published last, or None when nothing is official yet."""
    return session.scalar(
        select(Run)
        .where(Run.course_id == course.id, Run.state == RunState.PUBLISHED)
        .order_by(Run.published_at.desc(), Run.id.desc())
        .limit(1)
    )


def _members(session: Session, course: Course, only: ColumnElement[bool]) -> list[tuple[Signup, Cohort]]:
    """Return every learner with a seat in a living cohort."""
    found = session.execute(
        select(Signup, Cohort)
        .join(Membership, Membership.signup_id == Signup.id)
        .join(Cohort, Membership.cohort_id == Cohort.id)
        .where(Signup.course_id == course.id, Membership.until.is_(None), Cohort.ended_at.is_(None), only)
        .options(selectinload(Signup.interests))
    )
    return [(signup, cohort) for signup, cohort in found]


def _left(session: Session, course: Course, placed: set[int]) -> list[Signup]:
    """Return the confirmed learners who are in no cohort and do not wait for a place in the course."""
    confirmed = session.scalars(
        select(Signup)
        .where(
            Signup.course_id == course.id, Signup.state == SignupState.CONFIRMED, Signup.waiting.is_(False)
        )
        .options(selectinload(Signup.interests))
    )
    return [signup for signup in confirmed if signup.id not in placed]

"""Proposals: what a run suggests, and how it becomes official."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session, joinedload

from . import courses, notices
from .exceptions import Conflict
from .meetings import Meeting, of_cohort
from .models import (
    Cohort,
    Course,
    CourseState,
    Membership,
    Run,
    RunState,
    Seat,
    Signup,
    SignupState,
    now,
)


@dataclass(frozen=True, slots=True)
class ProposedCohort:
    """A cohort of a proposal with its members, in the order of their names."""

    cohort: Cohort
    members: list[Signup]
    meetings: list[Meeting]

    @property
    def score(self) -> float:
        """The cohort's score, as the matcher gave it."""
        return self.cohort.score


@dataclass(frozen=True, slots=True)
class Proposal:
    """What a run proposes: cohorts, and the seats of those who are in none."""

    cohorts: list[ProposedCohort]
    unplaced: list[Seat]


def of_run(session: Session, run: Run) -> Proposal:
    """Return what a run proposes, in a fixed number of queries."""
    cohorts = session.scalars(select(Cohort).where(Cohort.run_id == run.id).order_by(Cohort.position)).all()
    seats = session.scalars(select(Seat).where(Seat.run_id == run.id).options(joinedload(Seat.signup))).all()
    members: dict[int | None, list[Seat]] = defaultdict(list)
    for seat in sorted(seats, key=lambda seat: seat.signup.name.casefold()):
        members[seat.cohort_id].append(seat)
    return Proposal(
        [
            ProposedCohort(cohort, [seat.signup for seat in members[cohort.id]], of_cohort(cohort))
            for cohort in cohorts
        ],
        members[None],
    )


def publish(session: Session, run: Run) -> None:
    """Make a proposal official: open the memberships and write to everybody concerned.

    Whoever has withdrawn since is left out. Cohorts of an earlier run end.

    Raises:
        Conflict: The run is no proposal (any more).
    """
    course = session.scalar(select(Course).where(Course.id == run.course_id).with_for_update())
    assert course is not None
    session.refresh(run)
    if run.state is not RunState.PROPOSED:
        raise Conflict(f"This run is {run.state.value}, so it cannot be published.")
    at = now()
    _end_cohorts(session, course, at)
    for seat in session.scalars(select(Seat).where(Seat.run_id == run.id).options(joinedload(Seat.signup))):
        if seat.signup.state is not SignupState.CONFIRMED:
            continue
        if seat.cohort_id is not None:
            session.add(Membership(signup_id=seat.signup_id, cohort_id=seat.cohort_id, since=at))
        kind = notices.Kind.UNPLACED if seat.cohort_id is None else notices.Kind.PLACED
        notices.enqueue(session, kind, signup=seat.signup)
    run.state, run.published_at = RunState.PUBLISHED, at
    courses.move(session, course, CourseState.RUNNING)
    session.flush()


def _end_cohorts(session: Session, course: Course, at: datetime) -> None:
    """End the living cohorts of a course, because a new proposal takes their place."""
    living = (
        select(Cohort.id)
        .join(Run)
        .where(Run.course_id == course.id, Run.state == RunState.PUBLISHED, Cohort.ended_at.is_(None))
    )
    session.execute(
        update(Membership)
        .where(Membership.cohort_id.in_(living), Membership.until.is_(None))
        .values(until=at, ended_because="a new match was published")
    )
    session.execute(update(Cohort).where(Cohort.id.in_(living)).values(ended_at=at))

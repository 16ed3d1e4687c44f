"""Proposals: what a run suggests, and how it becomes official."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session, joinedload

from . import courses, language, notices
from .exceptions import Conflict
from .language import gettext as _
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
    """What a run proposes: cohorts, the seats of those who are in none, and the ids of who is pinned."""

    cohorts: list[ProposedCohort]
    unplaced: list[Seat]
    pinned: frozenset[int]


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
        frozenset(seat.signup_id for seat in seats if seat.pinned),
    )


def publish(session: Session, run: Run) -> None:
    """Make a proposal official: open the memberships and write to everybody concerned.

    Whoever has withdrawn since is left out, also when they came back to wait for a place. Cohorts of
    an earlier run end.

    Raises:
        Conflict: The run is no proposal (any more), or the course meets at other times by now.
    """
    locked = select(Course).where(Course.id == run.course_id).with_for_update()
    course = session.scalars(locked.execution_options(populate_existing=True)).one()
    session.refresh(run)
    if run.state is not RunState.PROPOSED:
        raise Conflict(_("This run is not a proposal any more, so it cannot be published."))
    require_same_times(course, run)
    at = now()
    _end_cohorts(session, course, at)
    for seat in session.scalars(select(Seat).where(Seat.run_id == run.id).options(joinedload(Seat.signup))):
        if not takes_part(seat.signup):
            continue
        if seat.cohort_id is not None:
            session.add(Membership(signup_id=seat.signup_id, cohort_id=seat.cohort_id, since=at))
        kind = notices.Kind.UNPLACED if seat.cohort_id is None else notices.Kind.PLACED
        notices.enqueue(session, kind, signup=seat.signup)
    run.state, run.published_at = RunState.PUBLISHED, at
    courses.move(session, course, CourseState.RUNNING)
    session.flush()


def takes_part(signup: Signup) -> bool:
    """Tell whether a learner with a seat in a proposal is still one of those who are matched."""
    return signup.state is SignupState.CONFIRMED and not signup.waiting


def require_same_times(course: Course, run: Run) -> None:
    """Refuse a proposal whose common blocks were found for other weeks or other meetings.

    Raises:
        Conflict: The course has changed since; the message says in what.
    """
    changed = [
        words
        for name, words in courses.TIMES.items()
        if name in run.parameters and run.parameters[name] != _as_kept(getattr(course, name))
    ]
    if changed:
        raise Conflict(
            _(
                "Since this run the course has changed: %(what)s. These cohorts may not be able to meet. "
                "Match again, or change the settings back.",
                what=language.listing(changed),
            )
        )


def _as_kept(value: date | int) -> str | int:
    """Return a setting of a course as it is kept with a run."""
    return value.isoformat() if isinstance(value, date) else value


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

"""Cohorts that live: who is in them now, whatever run they come from, and changed by hand until told.

Where a proposal has seats, a course that runs has memberships. Its board belongs to the run that was
published last, whose settings hold.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, delete, func, or_, select, update
from sqlalchemy.orm import Session

from . import memberships, presence, roster
from .door import MatchSettings
from .exceptions import Conflict
from .language import gettext as _
from .models import (
    Adjustment,
    Cohort,
    Course,
    Mail,
    MailState,
    Membership,
    Run,
    RunState,
    Signup,
    SignupState,
)
from .notices import HOLD, held_until


@dataclass(slots=True)
class Place:
    """Where a learner of a running course is: in a cohort, or in none."""

    signup: Signup
    cohort_id: int | None
    pinned: bool = False

    @property
    def signup_id(self) -> int:
        """The id of the sign-up."""
        return self.signup.id

    def __hash__(self) -> int:
        return hash(self.signup.id)


def is_on(session: Session, run: Run) -> bool:
    """Tell whether the board of a run is that of the living cohorts of its course."""
    if run.state is not RunState.PUBLISHED:
        return False
    latest = roster.latest_published(session, run.course)
    return latest is not None and latest.id == run.id


def settings_of(run: Run) -> MatchSettings:
    """Return the settings by which cohorts are judged: those of the run, or else of its course."""
    if "start" in run.parameters:
        return MatchSettings.from_json(run.parameters)
    return MatchSettings.of_course(run.course)


def people(course_id: int) -> Select[int]:
    """Return the ids of those who are in a cohort of a course or could be."""
    return select(Signup.id).where(
        Signup.course_id == course_id,
        Signup.state == SignupState.CONFIRMED,
        Signup.waiting.is_(False),
        ~presence.is_gone(),
    )


def homes(session: Session, course_id: int) -> dict[int, int | None]:
    """Return the id of everybody who takes part in a course, and of the cohort they are in, if any."""
    here = (Membership.signup_id == Signup.id) & Membership.until.is_(None)
    rows = session.execute(
        select(Signup.id, Membership.cohort_id)
        .outerjoin(Membership, here)
        .where(Signup.id.in_(people(course_id)))
    )
    return {each.id: each.cohort_id for each in rows}


def places(session: Session, course_id: int) -> list[Place]:
    """Return everybody who takes part in a course and where they are now, by their names."""
    here = (Membership.signup_id == Signup.id) & Membership.until.is_(None)
    rows = session.execute(
        select(Signup, Membership.cohort_id)
        .outerjoin(Membership, here)
        .where(Signup.id.in_(people(course_id)))
        .execution_options(populate_existing=True)
    ).all()
    found = [Place(signup, cohort_id) for signup, cohort_id in rows]
    return sorted(found, key=lambda each: (each.signup.name.casefold(), each.signup.id))


def leave_at(session: Session, change: Adjustment, at: datetime) -> datetime | None:
    """Return when the mails about a change leave; None once any has, or there are none."""
    return held_until(session, Mail.adjustment_id == change.id, at)


def apply(session: Session, change: Adjustment, cohorts: Collection[Cohort]) -> None:
    """Seat the learners of a change where it says, and write to those it touches, ten minutes later."""
    by_id = {each.id: each for each in cohorts}
    seats = {each.signup: by_id[each.joined_id] if each.joined_id else None for each in change.seats}
    for mail in memberships.move(session, seats, memberships.BY_HAND, change.at, hold=HOLD):
        mail.adjustment_id = change.id
    session.flush()


def unmake(session: Session, change: Adjustment) -> None:
    """Let a change never have been: nobody hears of it, and the history of nobody shows it.

    Raises:
        Conflict: A mail about it has just left.
    """
    waiting = Mail.adjustment_id == change.id, Mail.state == MailState.WAITING, Mail.attempts == 0
    dropped = update(Mail).where(*waiting).values(state=MailState.DROPPED, adjustment_id=None)
    session.execute(dropped.execution_options(synchronize_session=False))
    if session.scalar(select(func.count()).where(Mail.adjustment_id == change.id)):
        raise Conflict(_("The mails are on their way by now. Try again, and those concerned hear of it."))
    ids = [each.signup_id for each in change.seats]
    session.execute(delete(Membership).where(Membership.signup_id.in_(ids), Membership.until.is_(None)))
    for each in change.seats:
        if each.left_id is None:
            continue
        left = (
            select(Membership)
            .where(Membership.signup_id == each.signup_id, Membership.cohort_id == each.left_id)
            .order_by(Membership.until.desc(), Membership.id.desc())
            .limit(1)
        )
        membership = session.scalars(left).one()
        membership.until, membership.ended_because = None, ""
    session.flush()
    touched = {each for seat in change.seats for each in (seat.left_id, seat.joined_id)}
    for cohort in session.scalars(select(Cohort).where(Cohort.id.in_(touched))):
        session.expire(cohort, ["memberships"])


def require_as_left(session: Session, change: Adjustment, homes: Mapping[int, int | None]) -> None:
    """Refuse to reverse a change when somebody has moved since who was not part of it.

    Raises:
        Conflict: Somebody has, so figures that were true before it are not any more.
    """
    ids = {each.signup_id for each in change.seats}
    others = select(Membership.id).where(
        Membership.cohort_id.in_([int(each) for each in change.cohorts]),
        Membership.signup_id.not_in(ids),
        or_(Membership.since > change.at, Membership.until > change.at),
    )
    moved = any(homes.get(each.signup_id, -1) != each.joined_id for each in change.seats)
    if moved or not ids or session.scalar(others.limit(1)) is not None:
        raise Conflict(
            _(
                "Somebody has joined or left one of these cohorts since, so this cannot be reversed. "
                "Move learners instead."
            )
        )


def cohorts_of(session: Session, course: Course) -> list[Cohort]:
    """Return the living cohorts of a course."""
    return roster.cohorts(session, course)

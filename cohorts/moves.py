"""Moves: a learner takes an open seat, leaves their cohort or the course, or comes back to it."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from . import signups
from .exceptions import Conflict, InvalidInput
from .language import gettext as _
from .models import Cohort, Departure, Leaving, Membership, Signup, SignupState
from .notices import Kind, enqueue, enqueue_latest
from .seats import open_seats

MOST_WORDS: Final = 1000


def take_seat(session: Session, signup: Signup, key: str, at: datetime) -> Cohort:
    """Move a learner to the cohort with ``key``; of two who want the last seat one gets it.

    Raises:
        Conflict: They are not taking part, or the seat is not open to them (any more).
    """
    signups.lock_with(session, signup)
    if not may_take_seat(session, signup):
        raise Conflict(_("You hold no place in this course at the moment."))
    seat = next((each for each in open_seats(session, signup, at) if each.cohort.key == key), None)
    if seat is None:
        raise Conflict(_("This seat has been taken in the meantime, or it does not fit you any more."))
    _close(session, signup, at, "moved")
    signup.waiting = False
    others = [each.signup for each in seat.cohort.memberships if each.until is None]
    session.add(Membership(signup_id=signup.id, cohort_id=seat.cohort.id, since=at))
    session.flush()
    session.expire(seat.cohort, ["memberships"])
    _tell(session, others)
    enqueue(session, Kind.PLACED, signup=signup)
    session.flush()
    return seat.cohort


def may_take_seat(session: Session, signup: Signup) -> bool:
    """Tell whether a learner takes part, or was in a cohort and comes back while the course has room."""
    if signup.state is not SignupState.CONFIRMED or not signup.waiting:
        return signup.state is SignupState.CONFIRMED
    return was_in_cohort(session, signup) and signups.has_room(session, signup.course)


def leave_cohort(session: Session, signup: Signup, because: Leaving | None, words: str, at: datetime) -> None:
    """Take a learner out of their cohort; they stay in the course. Twice is the same as once."""
    signups.lock_with(session, signup)
    if _close(session, signup, at, "left"):
        _note(session, signup, because, words, at, whole_course=False)
        session.flush()


def leave_course(session: Session, signup: Signup, because: Leaving | None, words: str, at: datetime) -> None:
    """Take a learner out of the course, and of their cohort. Twice is the same as once."""
    signups.lock_with(session, signup)
    if signup.state is SignupState.WITHDRAWN:
        return
    _note(session, signup, because, words, at, whole_course=True)
    _close(session, signup, at, "withdrew")
    signups.withdraw(session, signup, at)


def was_in_cohort(session: Session, signup: Signup) -> bool:
    """Tell whether a learner left a cohort that still lives."""
    closed = (
        select(Membership.id)
        .join(Cohort)
        .where(Membership.signup_id == signup.id, Membership.until.is_not(None), Cohort.ended_at.is_(None))
    )
    return session.scalar(closed.limit(1)) is not None


def _note(
    session: Session,
    signup: Signup,
    because: Leaving | None,
    words: str,
    at: datetime,
    *,
    whole_course: bool,
) -> None:
    words = words.replace("\x00", "").replace("\r\n", "\n").strip()
    if len(words) > MOST_WORDS:
        raise InvalidInput({"words": [_("Use at most %(most)s characters.", most=MOST_WORDS)]})
    session.add(
        Departure(
            course_id=signup.course_id,
            signup_id=signup.id,
            whole_course=whole_course,
            because=because,
            words=words,
            at=at,
        )
    )


def _close(session: Session, signup: Signup, at: datetime, because: str) -> bool:
    """End the membership a learner has, and tell those who stay; return whether there was one."""
    membership = session.scalar(
        select(Membership).where(Membership.signup_id == signup.id, Membership.until.is_(None))
    )
    if membership is None:
        return False
    membership.until, membership.ended_because = at, because
    session.flush()
    stay = select(Membership).where(Membership.cohort_id == membership.cohort_id, Membership.until.is_(None))
    _tell(
        session, [each.signup for each in session.scalars(stay.options(joinedload(Membership.signup))).all()]
    )
    return True


def _tell(session: Session, members: list[Signup]) -> None:
    """Mail members that their cohort has changed; of several changes the mail about the last one goes."""
    for member in members:
        enqueue_latest(session, Kind.COHORT_CHANGED, member)

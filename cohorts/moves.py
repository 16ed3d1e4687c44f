"""Moves: a learner takes an open seat, leaves their cohort or the course, or comes back to it."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from . import memberships, signups
from .exceptions import Conflict, InvalidInput
from .language import gettext as _
from .models import Cohort, Departure, Leaving, Membership, Signup, SignupState
from .notices import Kind
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
    signup.waiting = False
    memberships.move(session, {signup: seat.cohort}, memberships.MOVED, at, told=Kind.PLACED)
    return seat.cohort


def may_take_seat(session: Session, signup: Signup) -> bool:
    """Tell whether a learner takes part, or was in a cohort and comes back while the course has room."""
    if signup.state is not SignupState.CONFIRMED or not signup.waiting:
        return signup.state is SignupState.CONFIRMED
    was_in_one = session.scalar(_closed(signup).limit(1)) is not None
    return was_in_one and signups.has_room(session, signup.course)


def leave_cohort(session: Session, signup: Signup, because: Leaving | None, words: str, at: datetime) -> None:
    """Take a learner out of their cohort; they stay in the course. Twice is the same as once."""
    signups.lock_with(session, signup)
    if memberships.has_one(session, signup):
        memberships.move(session, {signup: None}, memberships.LEFT, at, told=None)
        _note(session, signup, because, words, at, whole_course=False)
        session.flush()


def leave_course(session: Session, signup: Signup, because: Leaving | None, words: str, at: datetime) -> None:
    """Take a learner out of the course, and of their cohort. Twice is the same as once."""
    signups.lock_with(session, signup)
    if signup.state is SignupState.WITHDRAWN:
        return
    _note(session, signup, because, words, at, whole_course=True)
    memberships.move(session, {signup: None}, memberships.WITHDREW, at, told=None)
    signups.withdraw(session, signup, at)


def ask_for_another(session: Session, signup: Signup, at: datetime) -> None:
    """Note that a learner would like another cohort, and keeps their seat until a rematch finds one.

    Raises:
        Conflict: They are in no cohort.
    """
    signups.lock_with(session, signup)
    if not memberships.has_one(session, signup):
        raise Conflict(_("You are in no cohort at the moment, so there is none to change."))
    signup.wants_another_at = at
    session.flush()


def stay_after_all(session: Session, signup: Signup) -> None:
    """Take back the wish for another cohort; without one nothing happens."""
    signup.wants_another_at = None
    session.flush()


def wants_another(session: Session, signup: Signup) -> bool:
    """Tell whether a learner asked for another cohort than the one they are in."""
    since = session.scalar(
        select(Membership.since).where(Membership.signup_id == signup.id, Membership.until.is_(None))
    )
    return since is not None and signup.wants_another_at is not None and signup.wants_another_at >= since


def was_in_cohort(session: Session, signup: Signup) -> bool:
    """Tell whether a learner left a cohort that still lives."""
    lives = Cohort.ended_at.is_(None)
    return session.scalar(_closed(signup).join(Cohort).where(lives).limit(1)) is not None


def _closed(signup: Signup) -> Select[int]:
    """Select the memberships of a learner that have ended."""
    return select(Membership.id).where(Membership.signup_id == signup.id, Membership.until.is_not(None))


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

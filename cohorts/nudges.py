"""Whoever has gone quiet is asked whether they are still there; after more silence others get their seat.

It is a soft removal: they stay signed up, are told kindly, and one press brings them back.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from . import history, memberships, moves, presence, signals, signups
from .database import Database
from .models import Cohort, Course, Presence, Signup, SignupState
from .notices import Kind, enqueue
from .policies import FEW
from .seats import open_seats
from .signals import Silence

BATCH: Final = 500
"""So many people at a time, so that nobody waits long for them."""


def attend(database: Database, at: datetime) -> tuple[int, int]:
    """Ask whom it is time to ask, and give free whose seat it is time to; return how many they were.

    Who is due is looked for without a lock, and looked at again under that of their presence: another
    worker may have been faster, or they may have shown up. A second sweep finds nothing left to do.
    """
    with database.reading() as session:
        due = [each.signup_id for each in signals.of_courses(session, at) if _is_due(each)][:BATCH]
    if not due:
        return 0, 0
    with database.transaction() as session:
        presence.keep(session, due)
        locked = select(Presence.signup_id).where(Presence.signup_id.in_(due)).order_by(Presence.signup_id)
        session.execute(locked.with_for_update()).all()
        courses = select(Course.id).join(Signup).where(Signup.id.in_(due)).distinct()
        session.execute(select(Course.id).where(Course.id.in_(courses)).order_by(Course.id).with_for_update())
        found = [each for each in signals.of_courses(session, at) if each.signup_id in set(due)]
        nudged = [each for each in found if each.is_to_be_nudged]
        removed = [each for each in found if each.is_to_be_removed]
        _ask(session, nudged, at)
        _let_go(session, removed, at)
    return len(nudged), len(removed)


def _is_due(silence: Silence) -> bool:
    return silence.is_to_be_nudged or silence.is_to_be_removed


def _ask(session: Session, silences: Sequence[Silence], at: datetime) -> None:
    """Ask people whether they are still there."""
    if silences:
        ids = [each.signup_id for each in silences]
        presence.keep(session, ids, nudged_at=at)
        for signup in session.scalars(select(Signup).where(Signup.id.in_(ids)).order_by(Signup.id)):
            enqueue(session, Kind.STILL_HERE, signup=signup)
        session.flush()


def _let_go(session: Session, silences: Sequence[Silence], at: datetime) -> None:
    """Take people out of their cohorts who did not answer, and tell them, and those who stay."""
    if not silences:
        return
    ids = [each.signup_id for each in silences]
    presence.keep(session, ids, removed_at=at)
    quiet = session.scalars(select(Signup).where(Signup.id.in_(ids)).order_by(Signup.id))
    memberships.move(session, dict.fromkeys(quiet), memberships.SILENT, at, told=Kind.SEAT_FREED)


def rejoin(session: Session, signup: Signup, at: datetime) -> Cohort | None:
    """Bring back whoever lost their seat in silence: to that seat while it is free.

    Otherwise they are among those who are seated next, and None is returned.

    Raises:
        Conflict: They are not taking part in the course, or somebody was faster.
    """
    signups.lock_with(session, signup)
    presence.seen(session, signup, at)
    latest = history.of_signup(session, signup)[-1:]
    if not latest or latest[0].ended_because != memberships.SILENT:
        return None
    old = latest[0].cohort_id
    seat = next((each for each in open_seats(session, signup, at) if each.cohort.id == old), None)
    return None if seat is None else moves.take_seat(session, signup, seat.cohort.key, at)


def count_asked(session: Session, course: Course) -> int | None:
    """Return how many members were asked and have not answered; None for fewer than five.

    It tells who misses check-ins, which no organiser reads by name.
    """
    asked = (
        select(func.count())
        .select_from(Presence)
        .join(Signup, Signup.id == Presence.signup_id)
        .where(Signup.course_id == course.id, Signup.state == SignupState.CONFIRMED)
        .where(Presence.nudged_at.is_not(None), Presence.removed_at.is_(None))
    )
    number = session.scalar(asked) or 0
    return number if number >= FEW else None


def gone(session: Session, course: Course) -> list[Signup]:
    """Return those who lost their seat in silence and have not come back, by name."""
    return _listed(session, course, presence.is_gone())


def unreachable(session: Session, course: Course) -> list[Signup]:
    """Return those whose address takes no mail, by name."""
    return _listed(session, course, presence.is_unreachable())


def _listed(session: Session, course: Course, which: ColumnElement[bool]) -> list[Signup]:
    there = (Signup.course_id == course.id) & (Signup.state != SignupState.WITHDRAWN)
    return list(
        session.scalars(select(Signup).where(there, which).order_by(func.lower(Signup.name), Signup.id))
    )

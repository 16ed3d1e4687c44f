"""Denying a connection: a learner says that they are not connected with somebody, and nothing uses it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from . import person_blocks
from .exceptions import NotFound
from .models import Connection, ConnectionDenial, Interaction, Signup


def of(session: Session, signup: Signup) -> list[ConnectionDenial]:
    """Return what a learner has denied, latest first, each with the other."""
    mine = select(ConnectionDenial).where(ConnectionDenial.signup_id == signup.id)
    latest = mine.order_by(ConnectionDenial.id.desc()).options(joinedload(ConnectionDenial.other))
    return list(session.scalars(latest))


def pairs(session: Session, course_id: int) -> set[tuple[int, int]]:
    """Return who in a course is not connected, as one of the two says, as pairs of ids in order."""
    denied = select(ConnectionDenial.signup_id, ConnectionDenial.other_id)
    rows = denied.join(Signup, Signup.id == ConnectionDenial.signup_id).where(Signup.course_id == course_id)
    return {(min(one, two), max(one, two)) for one, two in session.execute(rows)}


def deny(session: Session, signup: Signup, key: str, at: datetime) -> None:
    """Say that one is not connected with whoever has this key; twice is once.

    Raises:
        NotFound: The learner neither sees a connection with them nor was in a cohort with them.
    """
    session.refresh(signup, ["state"], with_for_update=True)
    other = session.scalar(select(Signup).where(Signup.key == key, Signup.course_id == signup.course_id))
    if other is None or other.id == signup.id:
        raise NotFound
    if any(each.other_id == other.id for each in of(session, signup)):
        return
    if other.id not in _known(session, signup):
        raise NotFound
    session.add(ConnectionDenial(signup_id=signup.id, other_id=other.id, at=at))
    session.flush()


def take_back(session: Session, signup: Signup, key: str) -> None:
    """Let a connection count again; one that was not denied is no error."""
    for each in of(session, signup):
        if each.other.key == key:
            session.delete(each)
    session.flush()


def _known(session: Session, signup: Signup) -> set[int]:
    """Return whom a learner can know here: those they named, wrote with elsewhere, or shared a cohort with.

    Whether the other has blocked the learner makes no difference, or it could be told from the answer.
    """
    named = select(Connection.to_id).where(Connection.from_id == signup.id, Connection.to_id.is_not(None))
    wrote = select(Interaction.to_id).where(Interaction.from_id == signup.id)
    heard = select(Interaction.from_id).where(Interaction.to_id == signup.id)
    found = {each for query in (named, wrote, heard) for each in session.scalars(query) if each is not None}
    return found | {each.id for each in person_blocks.knew(session, signup)}

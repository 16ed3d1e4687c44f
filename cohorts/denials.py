"""Denying a connection: a learner says that they are not connected with somebody, and nothing uses it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from . import person_blocks, ties
from .exceptions import NotFound
from .models import ConnectionDenial, Signup


def of(session: Session, signup: Signup) -> list[ConnectionDenial]:
    """Return what a learner has denied, latest first, each with the other."""
    mine = select(ConnectionDenial).where(ConnectionDenial.signup_id == signup.id)
    latest = mine.order_by(ConnectionDenial.id.desc()).options(joinedload(ConnectionDenial.other))
    return list(session.scalars(latest))


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
    if other.id not in _known(session, signup, at):
        raise NotFound
    session.add(ConnectionDenial(signup_id=signup.id, other_id=other.id, at=at))
    session.flush()


def take_back(session: Session, signup: Signup, key: str) -> None:
    """Let a connection count again; one that was not denied is no error."""
    for each in of(session, signup):
        if each.other.key == key:
            session.delete(each)
    session.flush()


def _known(session: Session, signup: Signup, at: datetime) -> set[int]:
    tied = {each for tie in ties.of_learner(session, signup, at) for each in (tie.one, tie.two)}
    return tied | {each.id for each in person_blocks.knew(session, signup)}

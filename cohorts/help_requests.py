"""Requests for help: the only words of a check-in that an organiser reads by name."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from sqlalchemy import Select, select
from sqlalchemy.orm import Session, joinedload

from . import help_mails
from .exceptions import NotFound
from .models import Course, HelpRequest, Signup

MOST: Final = 1000
"""Characters of a request."""


def words(session: Session, signup: Signup) -> str:
    """Return the request of a learner that is not answered yet, or nothing."""
    found = session.scalar(_open(signup))
    return found.words if found is not None else ""


def ask(session: Session, signup: Signup, text: str, at: datetime) -> None:
    """Make ``text`` the open request of a learner, and tell the organisers; no text takes it back."""
    text = text.replace("\x00", "").replace("\r\n", "\n").strip()
    found = session.scalar(_open(signup))
    if found is None and text:
        session.add(HelpRequest(signup_id=signup.id, words=text, at=at))
        help_mails.tell(session, signup.course, at)
    elif found is not None and not text:
        session.delete(found)
    elif found is not None and found.words != text:
        found.words, found.at = text, at
    session.flush()


def of_course(session: Session, course: Course) -> list[HelpRequest]:
    """Return the requests of a course that wait for an answer, oldest first."""
    waiting = (
        select(HelpRequest)
        .join(Signup)
        .where(Signup.course_id == course.id, HelpRequest.answered_at.is_(None))
        .order_by(HelpRequest.at, HelpRequest.id)
        .options(joinedload(HelpRequest.signup))
    )
    return list(session.scalars(waiting))


def answered(session: Session, course: Course, key: str, at: datetime) -> None:
    """Note that an organiser has answered a request; doing so again changes nothing.

    Raises:
        NotFound: The course has no such request.
    """
    found = session.scalar(
        select(HelpRequest).join(Signup).where(Signup.course_id == course.id, HelpRequest.key == key)
    )
    if found is None:
        raise NotFound
    found.answered_at = found.answered_at or at
    session.flush()


def _open(signup: Signup) -> Select[HelpRequest]:
    mine = (HelpRequest.signup_id == signup.id) & HelpRequest.answered_at.is_(None)
    return select(HelpRequest).where(mine).order_by(HelpRequest.id).limit(1)

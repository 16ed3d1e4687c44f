"""Pauses: a learner is away until a day, keeps their seat and gets no mails."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from .exceptions import InvalidInput
from .language import gettext as _
from .meetings import in_zone
from .models import Course, Mail, MailState, Signup, SignupState, now


def last_day(course: Course) -> date:
    """Return the latest day somebody can be back on: the one after the course."""
    return course.start + timedelta(weeks=course.weeks)


def is_paused(signup: Signup, at: datetime) -> bool:
    """Tell whether a learner is away now; a pause ends by itself."""
    return signup.paused_until is not None and in_zone(at, signup.time_zone).date() < signup.paused_until


def ends(signup: Signup) -> datetime:
    """Return the moment at which a pause ends."""
    assert signup.paused_until is not None
    return datetime.combine(signup.paused_until, time(), tzinfo=ZoneInfo(signup.time_zone))


def pause(session: Session, signup: Signup, until: date | None, at: datetime) -> None:
    """Let a learner be away until the day ``until``.

    Raises:
        InvalidInput: The day is missing, has passed, or is after the course.
    """
    today = in_zone(at, signup.time_zone).date()
    if until is None:
        raise InvalidInput({"until": [_("Say on which day you are back.")]})
    if until <= today:
        raise InvalidInput({"until": [_("This day is not in the future.")]})
    if until > last_day(signup.course):
        raise InvalidInput({"until": [_("The course is over by then. You can leave it instead.")]})
    signup.paused_until = until
    session.flush()


def resume(session: Session, signup: Signup) -> None:
    """End a pause now; mails that waited for its end go out."""
    if signup.paused_until is None:
        return
    signup.paused_until = None
    waiting = (Mail.signup_id == signup.id) & (Mail.state == MailState.WAITING)
    session.execute(update(Mail).where(waiting, Mail.not_before > now()).values(not_before=now()))
    session.flush()


def count(session: Session, course: Course, at: datetime) -> int:
    """Return how many learners of a course are away on this day (in UTC)."""
    away = (Signup.state == SignupState.CONFIRMED) & (Signup.paused_until > at.date())
    return session.scalar(select(func.count(Signup.id)).where(Signup.course_id == course.id, away)) or 0

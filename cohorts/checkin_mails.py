"""The weekly mail that asks for a check-in."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Select, exists, func, select
from sqlalchemy.orm import Session, contains_eager

from . import pauses
from .meetings import course_week, in_zone
from .models import CheckIn, Cohort, Course, CourseState, Mail, Membership, Signup, SignupState
from .notices import Kind, enqueue

FRIDAY: Final = 4
NOON: Final = 12
LATELY: Final = timedelta(days=4)
"""A mail this young was about the same week: the next week's is due no sooner than seven days later."""


def send(session: Session, at: datetime) -> int:
    """Mail everybody in a cohort, once a week, from Friday noon on where they live; return how many.

    Whoever has checked in this week, is away or has withdrawn gets none.
    """
    # Two workers at once wait for each other here, and the second finds the mails of the first.
    running = select(Course.id).where(Course.state == CourseState.RUNNING).order_by(Course.id)
    ids = session.scalars(running.with_for_update()).all()
    asked = 0
    for signup, latest in session.execute(_unasked(ids, at)).all():
        week = course_week(signup.course, at, signup.time_zone)
        if week in (None, latest) or not _is_time(signup, at) or pauses.is_paused(signup, at):
            continue
        enqueue(session, Kind.CHECK_IN, signup=signup).created_at = at
        asked += 1
    session.flush()
    return asked


def _is_time(signup: Signup, at: datetime) -> bool:
    local = in_zone(at, signup.time_zone)
    return local.weekday() > FRIDAY or (local.weekday() == FRIDAY and local.hour >= NOON)


def _unasked(courses: Sequence[int], at: datetime) -> Select[Signup, int | None]:
    """Return who is in a cohort and was not mailed lately, each with the latest week they checked in."""
    mailed = exists().where(
        Mail.signup_id == Signup.id, Mail.kind == Kind.CHECK_IN.value, Mail.created_at > at - LATELY
    )
    latest = select(func.max(CheckIn.week)).where(CheckIn.signup_id == Signup.id).scalar_subquery()
    return (
        select(Signup, latest)
        .join(Signup.course)
        .join(Membership, Membership.signup_id == Signup.id)
        .join(Cohort, Cohort.id == Membership.cohort_id)
        .where(Course.id.in_(courses), Signup.state == SignupState.CONFIRMED)
        .where(Membership.until.is_(None), Cohort.ended_at.is_(None), ~mailed)
        .options(contains_eager(Signup.course))
        .order_by(Signup.id)
    )

"""Reminders: each learner is written to once before each meeting, by however many workers."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session, contains_eager

from . import notices, pauses, schedule
from .database import Database
from .models import (
    Answer,
    Attendance,
    Cohort,
    Course,
    CourseState,
    Mail,
    Membership,
    Reminder,
    Run,
    RunState,
    Signup,
    SignupState,
)

BEFORE: Final = timedelta(days=1)
BATCH: Final = 500
"""So many cohorts at a time, so that nobody waits long for their lock."""


@dataclass(frozen=True, slots=True)
class _Due:
    cohort_id: int
    starts_at: datetime
    signup: Signup


def enqueue_due(database: Database, at: datetime, before: timedelta = BEFORE) -> int:
    """Put a reminder of every meeting that begins soon into the outbox; return how many they were.

    What is due is looked for without a lock, and looked at again under that of its cohorts: another
    worker may have been faster, or a convenor may have moved the meeting.
    """
    with database.reading() as session:
        waiting = sorted({each.cohort_id for each in _due(session, at, before)})[:BATCH]
    if not waiting:
        return 0
    with database.transaction() as session:
        lock(session, waiting)
        due = _due(session, at, before, waiting)
        for each in due:
            mail = notices.enqueue(session, notices.Kind.REMINDER, signup=each.signup)
            session.add(
                Reminder(
                    cohort_id=each.cohort_id, signup_id=each.signup.id, starts_at=each.starts_at, mail=mail
                )
            )
    return len(due)


def lock(session: Session, cohort_ids: Collection[int]) -> None:
    """Wait until nobody else changes these cohorts; it holds until the transaction ends."""
    found = select(Cohort.id).where(Cohort.id.in_(cohort_ids)).order_by(Cohort.id)
    session.execute(found.with_for_update()).all()


def _due(
    session: Session, at: datetime, before: timedelta, cohort_ids: Collection[int] | None = None
) -> list[_Due]:
    """Return who is to be reminded: members who have not been, and are neither away then nor said so.

    Whoever has not been told yet that they are in this cohort hears that first: it may still be undone.
    """
    untold = select(Mail.signup_id).where(notices.held_back(at), Mail.signup_id.is_not(None))
    starts = _starts(session, at, before, cohort_ids)
    members = session.execute(
        select(Membership.cohort_id, Signup)
        .join(Signup, Signup.id == Membership.signup_id)
        .where(Membership.cohort_id.in_(starts), Membership.until.is_(None))
        .where(Signup.state == SignupState.CONFIRMED, Signup.id.not_in(untold))
        .order_by(Membership.id)
    ).all()
    spared = _spared(session, Reminder, starts) | _spared(session, Attendance, starts)
    return [
        _Due(cohort_id, starts[cohort_id], signup)
        for cohort_id, signup in members
        if (cohort_id, signup.id, starts[cohort_id]) not in spared
        and not pauses.is_paused(signup, starts[cohort_id])
    ]


def _starts(
    session: Session, at: datetime, before: timedelta, cohort_ids: Collection[int] | None
) -> dict[int, datetime]:
    """Return when each living cohort meets next, of those that meet soon."""
    living = (
        select(Cohort)
        .join(Cohort.run)
        .join(Run.course)
        .where(Run.state == RunState.PUBLISHED, Cohort.ended_at.is_(None))
        .where(Course.state == CourseState.RUNNING, Course.start <= (at + before).date() + timedelta(days=1))
        .options(contains_eager(Cohort.run).contains_eager(Run.course))
    )
    if cohort_ids is not None:
        living = living.where(Cohort.id.in_(cohort_ids))
    soon = {}
    for cohort in session.scalars(living):
        meetings = schedule.standing(schedule.of_cohort(cohort.run.course, cohort))
        following = next((each.starts_at for each in meetings if each.starts_at > at), None)
        if following is not None and following - at <= before:
            soon[cohort.id] = following
    return soon


def _spared(
    session: Session, kind: type[Reminder | Attendance], starts: dict[int, datetime]
) -> set[tuple[int, int, datetime]]:
    """Return whom no reminder goes to: they had one, or said that they cannot come."""
    rows = (
        select(kind.cohort_id, kind.signup_id, kind.starts_at)
        .where(kind.cohort_id.in_(starts))
        .where(kind.starts_at.in_(set(starts.values())))
    )
    if kind is Attendance:
        rows = rows.where(Attendance.answer == Answer.ABSENT)
    return {(cohort_id, signup_id, starts_at) for cohort_id, signup_id, starts_at in session.execute(rows)}

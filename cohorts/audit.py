"""The log of what organisers did: one table, written in the transaction that did it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session, joinedload

from .models import AuditEntry, Cohort, Course, CourseQuestion, Run, Signup, User

PAGE: Final = 50


@dataclass(frozen=True, slots=True)
class Page:
    """Some entries of a log, newest first.

    Attributes:
        entries: What was done.
        names: What the rows that were acted on are called now, by their keys, as far as they are there.
        number: Which page this is, from 1.
        pages: How many there are, at least 1.
    """

    entries: list[AuditEntry]
    names: dict[str, str]
    number: int
    pages: int


def record(
    session: Session,
    course: Course,
    user: User | None,
    action: str,
    at: datetime,
    *,
    subject: str = "",
    detail: str = "",
) -> AuditEntry:
    """Note what somebody does to a course; ``subject`` is the key of a row, never a name."""
    entry = AuditEntry(
        course_id=course.id,
        user_id=user.id if user else None,
        at=at,
        action=action,
        subject=subject,
        detail=detail,
    )
    session.add(entry)
    return entry


def page(session: Session, course: Course, number: int = 1) -> Page:
    """Return a page of the log of a course; the number of queries does not grow with it."""
    here = AuditEntry.course_id == course.id
    total = session.scalar(select(func.count()).select_from(AuditEntry).where(here)) or 0
    pages = max(1, -(-total // PAGE))
    number = min(max(1, number), pages)
    entries = list(
        session.scalars(
            select(AuditEntry)
            .where(here)
            .order_by(AuditEntry.id.desc())
            .limit(PAGE)
            .offset((number - 1) * PAGE)
            .options(joinedload(AuditEntry.user))
        )
    )
    return Page(entries, _names(session, course, {each.subject for each in entries}), number, pages)


def _names(session: Session, course: Course, keys: set[str]) -> dict[str, str]:
    """Return what rows are called. Nobody who was erased is among them: only their key was noted."""
    signups = select(Signup.key, Signup.name).where(Signup.course_id == course.id, Signup.key.in_(keys))
    cohorts = select(Cohort.key, Cohort.name).join(Run).where(Run.course_id == course.id)
    questions = select(CourseQuestion.key, CourseQuestion.label).where(
        CourseQuestion.course_id == course.id, CourseQuestion.key.in_(keys), CourseQuestion.label != ""
    )
    people = {str(user_id) for user_id in keys if user_id.isdecimal()}
    users = select(User.id, User.email).where(User.id.in_([int(each) for each in people]))
    found: dict[str, str] = {}
    for query in (signups, cohorts.where(Cohort.key.in_(keys)), questions, users):
        found |= {str(key): name for key, name in session.execute(query)}
    return found

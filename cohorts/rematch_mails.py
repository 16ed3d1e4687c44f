"""Mails about rematches: to who got another seat, and to organisers when the course did it by itself."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session, joinedload

from . import acquaintances, seat_mails
from .links import Links
from .models import (
    Cohort,
    CohortChange,
    Course,
    CourseOrganiser,
    CourseRole,
    Decision,
    Mail,
    MailState,
    Reseating,
    Run,
    RunKind,
    Signup,
    User,
)

FOUND: Final = "rematch_found"
NEW_FOR: Final = timedelta(days=14)
"""So long a learner's page says why they are in a cohort that a rematch gave them."""
TOLD: Final = (CourseRole.OWNER, CourseRole.ORGANISER)
"""Who may decide on a rematch, and so hears of one."""


def latest(session: Session, signup: Signup) -> Reseating | None:
    """Return the last other seat that a rematch gave a learner."""
    return session.scalar(
        select(Reseating)
        .where(Reseating.signup_id == signup.id, Reseating.state == Decision.ACCEPTED)
        .order_by(Reseating.decided_at.desc(), Reseating.id.desc())
        .limit(1)
        .options(
            joinedload(Reseating.left).joinedload(CohortChange.cohort),
            joinedload(Reseating.joined).joinedload(CohortChange.cohort),
        )
    )


def lately(session: Session, signup: Signup, cohort: Cohort, at: datetime) -> Reseating | None:
    """Return how a rematch brought a learner into the cohort they are in, if that was not long ago."""
    row = latest(session, signup)
    if row is None or row.decided_at is None or row.decided_at < at - NEW_FOR:
        return None
    return row if row.joined is not None and row.joined.cohort_id == cohort.id else None


def reseated_words(session: Session, signup: Signup, words: dict[str, Any]) -> dict[str, Any] | None:
    """Return the words that tell of another seat, why, and whom the learner knows there."""
    row = latest(session, signup)
    found = seat_mails.moved_words(session, signup, words)
    if row is None:
        return found if found["cohort"] is not None else None
    members = found.get("members", [])
    known = acquaintances.known_to(session, signup, members)
    return found | {"row": row, "known": [each.name for each in members if each.id in known]}


def tell_organisers(session: Session, course: Course, at: datetime) -> None:
    """Mail the organisers of a course that there is a rematch to look at; one that waits is not doubled."""
    organisers = session.scalars(
        select(CourseOrganiser.user_id)
        .join(User)
        .where(CourseOrganiser.course_id == course.id, CourseOrganiser.role.in_(TOLD), User.active)
        .order_by(CourseOrganiser.user_id)
    ).all()
    waiting = set(
        session.scalars(
            select(Mail.user_id).where(
                Mail.course_id == course.id, Mail.kind == FOUND, Mail.state == MailState.WAITING
            )
        )
    )
    session.add_all(
        Mail(kind=FOUND, user_id=each, course_id=course.id, not_before=at)
        for each in organisers
        if each not in waiting
    )
    session.flush()


def organiser_words(session: Session, mail: Mail, links: Links) -> dict[str, Any] | None:
    """Return what the mail to an organiser may say; None when nothing is left to look at."""
    organiser = session.get(CourseOrganiser, (mail.course_id, mail.user_id))
    if organiser is None or organiser.role not in TOLD or mail.course is None or not organiser.user.active:
        return None
    run = session.scalar(
        select(Run)
        .where(Run.course_id == mail.course_id, Run.kind == RunKind.REMATCH, Run.requested_by.is_(None))
        .order_by(Run.id.desc())
        .limit(1)
    )
    if run is None:
        return None
    rows = select(Reseating.state, func.count()).where(Reseating.run_id == run.id)
    counts: dict[Decision, int] = dict(session.execute(rows.group_by(Reseating.state)).all())
    open_ones, done = counts.get(Decision.PROPOSED, 0), counts.get(Decision.ACCEPTED, 0)
    if not open_ones and not done:
        return None
    return {
        "user": organiser.user,
        "course": mail.course,
        "number": open_ones or done,
        "done": not open_ones,
        "link": links.rematch(mail.course.slug, run.key),
    }

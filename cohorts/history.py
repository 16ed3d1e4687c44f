"""The history of memberships: who was where, from when to when, and why it ended."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session, joinedload

from .language import lazy_gettext as lazy
from .memberships import ASKED, BY_HAND, LEFT, MOVED, REMATCHED, REPLACED, SILENT, WITHDREW
from .models import Cohort, Course, Membership, Run, Signup

WHY: Final[Mapping[str, str]] = {
    LEFT: lazy("They left the cohort"),
    MOVED: lazy("They moved to another cohort"),
    ASKED: lazy("A rematch gave them the other cohort they asked for"),
    REMATCHED: lazy("A rematch gave them another seat"),
    BY_HAND: lazy("An organiser moved them"),
    WITHDREW: lazy("They left the course"),
    SILENT: lazy("No sign of life; the seat was released"),
    REPLACED: lazy("Cohorts were formed anew"),
}
"""Why a membership ended, as organisers read it. What somebody gave as their reason is not said here."""

GONE: Final = frozenset({LEFT, WITHDREW, SILENT})
"""These end a membership because its learner does not go on."""

ENOUGH: Final = 20
"""Of fewer people than this no share is worth telling."""
MOST_EXPECTED: Final = 0.5


def of_signup(session: Session, signup: Signup) -> list[Membership]:
    """Return the memberships of a learner, oldest first, each with its cohort."""
    return list(
        session.scalars(
            select(Membership)
            .where(Membership.signup_id == signup.id)
            .order_by(Membership.since, Membership.id)
            .options(joinedload(Membership.cohort))
        )
    )


def overlaps(session: Session) -> list[tuple[Membership, Membership]]:
    """Return memberships of one learner that lie over each other, or end before they begin: there are none.

    PostgreSQL refuses them; this is for databases that do not.
    """
    found = session.scalars(
        select(Membership).order_by(
            Membership.signup_id,
            Membership.since,
            Membership.until.is_(None),
            Membership.until,
            Membership.id,
        )
    ).all()
    wrong = [(each, each) for each in found if each.until is not None and each.until < each.since]
    return wrong + [
        (one, other)
        for one, other in pairwise(found)
        if one.signup_id == other.signup_id and (one.until is None or one.until > other.since)
    ]


def expected_dropout(session: Session, course: Course) -> float:
    """Return the share of those who are seated now that is likely not to go on: what was so up to now.

    It is 0 while too few were seated, and never more than half: cohorts cannot be made for a course that
    nearly everybody leaves.
    """
    return min(dropout(session, course) or 0.0, MOST_EXPECTED)


def dropout(session: Session, course: Course) -> float | None:
    """Return the share of those ever seated in a course who did not go on; None if they are too few to tell.

    Whoever came back, or was only moved, goes on. Whoever was erased is not counted any more.
    """
    latest = (
        select(Membership.signup_id, func.max(Membership.id).label("id"))
        .join(Cohort)
        .join(Run)
        .where(Run.course_id == course.id)
        .group_by(Membership.signup_id)
        .subquery()
    )
    gone = Membership.ended_because.in_(GONE)
    seated, left = session.execute(
        select(func.count(), func.count().filter(gone)).join(latest, Membership.id == latest.c.id)
    ).one()
    return left / seated if seated >= ENOUGH else None

"""What mails about a seat say: which cohort somebody is in now, or why they are in none."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from . import meetings, schedule
from .models import Cohort, Membership, Run, Seat, Signup, now

Words = dict[str, Any]


def placed_words(session: Session, signup: Signup, words: Words) -> Words | None:
    """Return the words that tell of a cohort; None for whoever is in none any more."""
    cohort = session.scalar(
        select(Cohort)
        .join(Membership)
        .where(Membership.signup_id == signup.id, Membership.until.is_(None))
        .options(selectinload(Cohort.memberships).joinedload(Membership.signup))
    )
    if cohort is None:
        return None
    weekly = meetings.weekly(cohort)
    members = [each.signup for each in cohort.memberships if each.until is None]
    first = schedule.coming(signup.course, cohort, now())
    return words | {
        "cohort": cohort,
        "members": sorted(members, key=lambda member: member.name.casefold()),
        "meeting": meetings.when(signup.course, weekly, signup.time_zone) if weekly else "",
        "first_meeting": meetings.in_zone(first.start, signup.time_zone) if first else None,
    }


def moved_words(session: Session, signup: Signup, words: Words) -> Words:
    """Return the words that tell of another cohort, or of none."""
    return placed_words(session, signup, words) or words | {"cohort": None}


def unplaced_words(session: Session, signup: Signup, words: Words) -> Words | None:
    """Return the words that tell why a match found no cohort; None where it did."""
    seat = session.scalar(
        select(Seat)
        .join(Run)
        .where(Seat.signup_id == signup.id, Seat.cohort_id.is_(None), Run.published_at.is_not(None))
        .order_by(Run.published_at.desc())
        .limit(1)
    )
    return None if seat is None else words | {"reason": seat.reason, "remedy": seat.remedy}

"""Where one learner stands: the cohort they are in, or why they are in none."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload, selectinload

from .exceptions import Conflict
from .language import gettext as _
from .models import Cohort, Membership, Run, Seat, Signup


@dataclass(frozen=True, slots=True)
class Standing:
    """What the published cohorts of a course mean for one learner.

    Attributes:
        cohort: The cohort they are in now, if any.
        unplaced: The published seat without a cohort, with its reason, if that is the latest word.
    """

    cohort: Cohort | None = None
    unplaced: Seat | None = None


def standing_of(session: Session, signup: Signup) -> Standing:
    """Return where a learner stands by what has been published."""
    cohort = session.scalar(
        select(Cohort)
        .join(Membership)
        .where(Membership.signup_id == signup.id, Membership.until.is_(None))
        .options(
            selectinload(Cohort.memberships).joinedload(Membership.signup).selectinload(Signup.interests),
            joinedload(Cohort.run).joinedload(Run.course),
        )
    )
    if cohort is not None:
        return Standing(cohort=cohort)
    latest = session.scalar(
        select(Seat)
        .join(Run)
        .where(Seat.signup_id == signup.id, Run.published_at.is_not(None))
        .order_by(Run.published_at.desc())
        .limit(1)
    )
    return Standing(unplaced=latest if latest is not None and latest.cohort_id is None else None)


def members_of(cohort: Cohort) -> list[Signup]:
    """Return who is in a cohort now, by name."""
    present = [each.signup for each in cohort.memberships if each.until is None]
    return sorted(present, key=lambda member: (member.name.casefold(), member.id))


def enter(session: Session, cohort: Cohort, member: Signup | None = None) -> None:
    """Lock a cohort that is about to change, and see it as it is since then.

    The lock holds until the transaction ends.

    Raises:
        Conflict: The cohort has ended, or ``member`` has left it.
    """
    session.flush()
    session.refresh(cohort, ["ended_at", "channel", "ticks"], with_for_update=True)
    session.refresh(cohort, ["fixed"])
    if cohort.ended_at is not None:
        raise Conflict(_("This cohort has ended."))
    if member is None:
        return
    is_in = select(Membership.id).where(
        Membership.cohort_id == cohort.id, Membership.signup_id == member.id, Membership.until.is_(None)
    )
    if session.scalar(is_in) is None:
        raise Conflict(_("You are not in this cohort any more."))

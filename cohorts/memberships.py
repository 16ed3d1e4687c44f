"""Memberships: dated history of who was where. One step ends some, opens others, and tells those touched."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import ColumnElement, Select, case, func, literal, select
from sqlalchemy.orm import Session, joinedload

from .models import Cohort, Mail, Membership, Signup
from .notices import Kind, enqueue

LEFT: Final = "left"
"""Why a membership ends when a learner leaves their cohort."""
WITHDREW: Final = "withdrew"
"""Why it ends when they leave the course."""
SILENT: Final = "silent"
"""Why it ends when they gave no sign of life (see ``cohorts.nudges``)."""
REPLACED: Final = "a new match was published"
"""Why it ends when another proposal takes the place of its cohort."""
ASKED: Final = "asked"
"""Why it ends when a rematch gives them the other cohort they asked for."""
REMATCHED: Final = "rematched"
"""Why it ends when a rematch gives them another seat for any other reason."""
MOVED: Final = "moved"
"""Why it ends when they take a seat elsewhere."""
BY_HAND: Final = "moved by hand"
"""Why it ends when an organiser gives them another seat, or none."""


def move(
    session: Session,
    seats: Mapping[Signup, Cohort | None],
    because: str | Mapping[Signup, str],
    at: datetime,
    *,
    hold: timedelta = timedelta(),
    told: Kind | None = Kind.MOVED,
) -> list[Mail]:
    """End the membership of each learner, open one in their new cohort, and write to those it touches.

    All of ``seats`` is one change: two may change places, and who stays in a cohort that loses or gains
    somebody gets one mail. Whoever is where they are to be already is left alone. The course must be locked
    (see ``signups.lock``), and whether a cohort has room and suits is the caller's to know.

    Args:
        session: Is flushed.
        seats: The cohort of each learner from now on; None for none.
        because: Why the memberships that they have end, all of them or each.
        at: Now.
        hold: So long the mails wait.
        told: What those who move get; None for nothing, because they did it themselves.

    Returns:
        The mails, for the caller to say what they are about.
    """
    session.flush()
    ids = [each.id for each in seats]
    homes = {
        each.signup_id: each for each in session.scalars(_present().where(Membership.signup_id.in_(ids)))
    }
    touched, movers = set(), []
    for signup, cohort in seats.items():
        home = homes.get(signup.id)
        if (home.cohort_id if home else None) == (cohort.id if cohort else None):
            continue
        movers.append(signup)
        if home is not None:
            end(home, at, because if isinstance(because, str) else because[signup])
            touched.add(home.cohort_id)
    session.flush()  # nobody is in two cohorts, not even for a moment
    since = beginnings(session, ids, at)
    for signup in movers:
        cohort = seats[signup]
        if cohort is not None:
            session.add(Membership(signup_id=signup.id, cohort_id=cohort.id, since=since[signup.id]))
            touched.add(cohort.id)
    session.flush()
    for changed in session.scalars(select(Cohort).where(Cohort.id.in_(touched))):
        session.expire(changed, ["memberships"])
    stay = session.scalars(
        _present()
        .where(Membership.cohort_id.in_(touched), Membership.signup_id.not_in([each.id for each in movers]))
        .order_by(Membership.id)
        .options(joinedload(Membership.signup))
    ).all()
    mails = [enqueue(session, told, signup=each) for each in movers if told is not None]
    mails += [enqueue(session, Kind.COHORT_CHANGED, signup=each.signup) for each in stay]
    for mail in mails:
        mail.not_before = at + hold
    session.flush()
    return mails


def end(membership: Membership, at: datetime, because: str) -> None:
    """End a membership; never before it began, whatever the clocks of two machines say."""
    membership.until, membership.ended_because = max(at, membership.since), because


def ending(at: datetime) -> ColumnElement[datetime]:
    """Return the moment at which each of many memberships ends, for an update of them all."""
    moment = literal(at, Membership.since.type)
    return case((Membership.since > moment, Membership.since), else_=moment)


def beginnings(session: Session, signup_ids: Collection[int], at: datetime) -> dict[int, datetime]:
    """Return from when on each of these learners is elsewhere: never before they left where they were."""
    left = (
        select(Membership.signup_id, func.max(Membership.until))
        .where(Membership.signup_id.in_(signup_ids), Membership.until.is_not(None))
        .group_by(Membership.signup_id)
    )
    latest = {each: moment or at for each, moment in session.execute(left)}
    return {each: max(at, latest.get(each, at)) for each in signup_ids}


def has_one(session: Session, signup: Signup) -> bool:
    """Tell whether a learner is in a cohort now."""
    return session.scalar(_present().where(Membership.signup_id == signup.id)) is not None


def _present() -> Select[Membership]:
    return select(Membership).where(Membership.until.is_(None))

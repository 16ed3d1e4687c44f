"""Signs of life: whoever presses a button on their own pages is there."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from .models import Presence, Signup


def seen(session: Session, signup: Signup, at: datetime) -> None:
    """Note that a learner is there: nobody asks any more, and mails go to their address again."""
    keep(session, [signup.id], seen_at=at, nudged_at=None, removed_at=None, bounced_at=None)


def bounced(session: Session, signup: Signup, at: datetime) -> None:
    """Note that a learner's address takes no mail; none is sent there until they give a sign of life."""
    keep(session, [signup.id], bounced_at=at)


def keep(session: Session, signups: Collection[int], **moments: datetime | None) -> None:
    """Write some moments down for the sign-ups with these ids, whether or not something is known of them.

    It is one statement, so two who do it at once do not collide.
    """
    insert: Any = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    session.flush()
    statement = insert(Presence).values([{"signup_id": each, **moments} for each in sorted(signups)])
    if moments:
        statement = statement.on_conflict_do_update(index_elements=["signup_id"], set_=moments)
    else:
        statement = statement.on_conflict_do_nothing()
    session.execute(statement)
    for row in [each for each in session.identity_map.values() if isinstance(each, Presence | Signup)]:
        if isinstance(row, Presence) and row.signup_id in signups:
            session.expire(row)
        elif isinstance(row, Signup) and row.id in signups:
            session.expire(row, ["presence"])


def of(session: Session, signup: Signup) -> Presence:
    """Return what is known of a learner's presence; an empty row where nothing is."""
    found = session.get(Presence, signup.id, populate_existing=True)
    return found or Presence(signup_id=signup.id)


def is_gone() -> ColumnElement[bool]:
    """Return the condition that a sign-up lost its seat for want of a sign of life, and has given none since.

    They have a place in the course still, but are not seated before they come back.
    """
    return Signup.id.in_(select(Presence.signup_id).where(Presence.removed_at.is_not(None)))


def is_unreachable() -> ColumnElement[bool]:
    """Return the condition that the address of a sign-up takes no mail."""
    return Signup.id.in_(select(Presence.signup_id).where(Presence.bounced_at.is_not(None)))

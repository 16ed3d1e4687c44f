"""What the two mails to somebody who has gone quiet say; neither goes to whoever was heard of since."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from . import presence, signals
from .models import Cohort, Mail, Membership, Signup, now

Words = dict[str, Any]
ASKED = "still_here"


def words(session: Session, mail: Mail, signup: Signup, words: Words) -> Words | None:
    """Return the words of such a mail; None when it has nothing to say any more."""
    return _asking(session, signup, words) if mail.kind == ASKED else _freed(session, signup, words)


def _asking(session: Session, signup: Signup, words: Words) -> Words | None:
    silence = signals.of_signup(session, signup, now())
    if silence is None or silence.nudged_at is None:
        return None
    missed = signals.told(silence, signup.time_zone)
    return words | {"missed": missed} if missed else None


def _freed(session: Session, signup: Signup, words: Words) -> Words | None:
    if presence.of(session, signup).removed_at is None:
        return None
    latest = (
        select(Cohort)
        .join(Membership)
        .where(Membership.signup_id == signup.id)
        .order_by(Membership.since.desc(), Membership.id.desc())
    )
    cohort = session.scalar(latest.limit(1))
    return None if cohort is None else words | {"cohort": cohort}

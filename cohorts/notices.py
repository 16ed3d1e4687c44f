"""E-mails through the outbox: written in the transaction that causes them, sent by the worker."""

from __future__ import annotations

from enum import StrEnum

from sqlalchemy.orm import Session

from .models import Mail, Signup, User


class Kind(StrEnum):
    """What a mail says; ``cohorts/emails/<kind>.txt`` holds its words."""

    CONFIRM = "confirm"
    ALREADY_SIGNED_UP = "already_signed_up"
    WAITING = "waiting"
    PLACE_FREE = "place_free"
    PLACED = "placed"
    UNPLACED = "unplaced"
    SIGN_IN = "sign_in"


def enqueue(session: Session, kind: Kind, *, signup: Signup | None = None, user: User | None = None) -> Mail:
    """Put a mail to a learner or to a user into the outbox; it goes once the caller commits."""
    mail = Mail(kind=kind.value, signup=signup, user=user)
    session.add(mail)
    return mail

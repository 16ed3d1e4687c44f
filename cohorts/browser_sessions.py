"""Who is signed in in which browser: kept here, so that signing out, and losing a right, ends it at once.

The cookie of a browser holds 256 random bits, the database their digest alone.
"""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Final

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from .models import BrowserSession, User

LIFETIME: Final = timedelta(days=14)


def begin(session: Session, user: User, at: datetime) -> str:
    """Sign a user in, and return what their browser is to show from now on."""
    text = secrets.token_urlsafe(32)
    session.add(
        BrowserSession(digest=_digest(text), user_id=user.id, created_at=at, expires_at=at + LIFETIME)
    )
    session.flush()
    return text


def user_of(session: Session, text: str, at: datetime) -> User | None:
    """Return who is signed in in a browser that shows ``text``, if anybody."""
    found = (
        select(User)
        .join(BrowserSession)
        .where(BrowserSession.digest == _digest(text), BrowserSession.expires_at > at, User.active.is_(True))
    )
    return session.scalar(found)


def end(session: Session, text: str) -> None:
    """Sign out in one browser."""
    session.execute(delete(BrowserSession).where(BrowserSession.digest == _digest(text)))


def end_all(session: Session, user_id: int) -> None:
    """Sign a user out everywhere."""
    session.execute(delete(BrowserSession).where(BrowserSession.user_id == user_id))


def count(session: Session, user: User, at: datetime) -> int:
    """Return in how many browsers a user is signed in."""
    mine = BrowserSession.user_id == user.id, BrowserSession.expires_at > at
    return session.scalar(select(func.count()).select_from(BrowserSession).where(*mine)) or 0


def expire(session: Session, at: datetime) -> None:
    """Delete what has run out."""
    session.execute(delete(BrowserSession).where(BrowserSession.expires_at <= at))


def _digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()

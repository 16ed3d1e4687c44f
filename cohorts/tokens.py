"""Tokens: what a program shows to act for an organiser, within scopes and until a day.

A token has 256 random bits and is shown once; only its digest is kept, so that a copy of the database opens
nothing.
"""

from __future__ import annotations

import enum
import secrets
from collections.abc import Collection
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Final

from sqlalchemy import case, delete, func, select, update
from sqlalchemy.orm import Session

from .database import Database
from .exceptions import CohortsError, InvalidInput, NotFound
from .language import gettext as _
from .language import lazy_gettext as lazy
from .models import ApiToken, User
from .texts import is_plain, one_line

PREFIX: Final = "cohorts_"
"""Every token begins like this, so that one that leaked is recognised."""
PER_MINUTE: Final = 120
DAYS: Final = (7, 30, 90, 365)
MAX_NAME: Final = 60
MOST: Final = 20


class Scope(enum.StrEnum):
    """What a token may be used for."""

    READ = "read"
    SIGNUPS = "signups:write"
    RUNS = "runs:write"
    CONNECTIONS = "connections:write"


class NotAuthenticated(CohortsError):
    """A program shows no token, or one that is not valid any more."""

    said = lazy("Send a valid token: Authorization: Bearer cohorts_…")


class OutOfScope(CohortsError):
    """A token is not meant for this."""

    said = lazy("This token was not made for this. Make one with the scope that is needed.")


class TooManyRequests(CohortsError):
    """A token was used too often within a minute.

    Attributes:
        seconds: When to try again.
    """

    said = lazy("That was too often. Wait until the next minute.")

    def __init__(self, seconds: int) -> None:
        self.seconds = seconds
        super().__init__()


def make(
    session: Session, user: User, name: str, scopes: Collection[Scope], days: int, at: datetime
) -> tuple[ApiToken, str]:
    """Make a token; return its row and its text, which cannot be had again.

    Raises:
        InvalidInput: The name is missing or too long, no scope is chosen, or there are very many tokens.
    """
    name = one_line(name)
    errors: dict[str, list[str]] = {}
    if not name or len(name) > MAX_NAME or not is_plain(name):
        errors["name"] = [_("Give it a name of at most %(most)s characters.", most=MAX_NAME)]
    if not scopes:
        errors["scopes"] = [_("Choose what it may do.")]
    if days not in DAYS:
        errors["days"] = [_("Choose how long it works.")]
    if (session.scalar(select(func.count(ApiToken.id)).where(ApiToken.user_id == user.id)) or 0) >= MOST:
        errors["name"] = [_("You have %(most)s tokens. Revoke one first.", most=MOST)]
    if errors:
        raise InvalidInput(errors)
    text = PREFIX + secrets.token_urlsafe(32)
    token = ApiToken(
        user_id=user.id,
        name=name,
        digest=_digest(text),
        scopes=[scope.value for scope in Scope if scope in scopes],
        created_at=at,
        expires_at=at + timedelta(days=days),
    )
    session.add(token)
    session.flush()
    return token, text


def of_user(session: Session, user: User) -> list[ApiToken]:
    """Return the tokens of a user, newest first."""
    mine = select(ApiToken).where(ApiToken.user_id == user.id).order_by(ApiToken.id.desc())
    return list(session.scalars(mine))


def revoke(session: Session, user: User, key: str) -> None:
    """Make a token worthless at once.

    Raises:
        NotFound: The user has no such token.
    """
    mine = delete(ApiToken).where(ApiToken.user_id == user.id, ApiToken.key == key)
    if session.execute(mine.returning(ApiToken.id)).first() is None:
        raise NotFound


def use(database: Database, text: str, scope: Scope, at: datetime) -> int:
    """Count a use of a token, in a transaction of its own; return the id of its user.

    The count is in the database, so that it holds for all web processes together.

    Raises:
        NotAuthenticated: There is no such token, it has expired, or its user may not sign in any more.
        OutOfScope: It was not made for this.
        TooManyRequests: It has been used too often within this minute.
    """
    minute, second = divmod(int(at.timestamp()), 60)
    valid = select(ApiToken).join(User).where(ApiToken.expires_at > at, User.active.is_(True))
    with database.reading() as session:
        token = session.scalar(valid.where(ApiToken.digest == _digest(text)))
    if token is None:
        raise NotAuthenticated
    if scope not in token.scopes:
        raise OutOfScope
    if token.minute == minute and token.uses >= PER_MINUTE:
        raise TooManyRequests(60 - second)
    uses = case((ApiToken.minute == minute, ApiToken.uses + 1), else_=1)
    counted = (
        update(ApiToken).where(ApiToken.id == token.id).values(uses=uses, minute=minute, last_used_at=at)
    )
    with database.transaction() as session:
        used = session.scalar(counted.returning(ApiToken.uses))
    if used is None:  # revoked at this very moment
        raise NotAuthenticated
    if used > PER_MINUTE:
        raise TooManyRequests(60 - second)
    return token.user_id


def _digest(text: str) -> str:
    return sha256(text.encode(errors="replace")).hexdigest()

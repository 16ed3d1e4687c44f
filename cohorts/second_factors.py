"""A second proof of who signs in: a code from an app on their phone (RFC 6238), or one of a few on paper.

The secret that the app shares is sealed with a key that is not in the database; of codes on paper only
digests are kept. Each code is good once.
"""

from __future__ import annotations

import base64
import secrets
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Final

import pyotp
from cryptography.fernet import Fernet, InvalidToken
from sqlalchemy.orm import Session

from .exceptions import InvalidInput
from .language import gettext as _
from .models import SecondFactor, User

STEP_SECONDS: Final = 30
PAPER_CODES: Final = 10
ATTEMPTS: Final = 5
LOCKED_FOR: Final = timedelta(minutes=10)


class Factors:
    """Makes and checks second factors."""

    def __init__(self, secret_key: str) -> None:
        """Seal with a key that is derived from ``secret_key``."""
        key = sha256(b"second factor\0" + secret_key.encode()).digest()
        self._seal = Fernet(base64.urlsafe_b64encode(key))

    def of(self, session: Session, user: User) -> SecondFactor | None:
        """Return the second factor that a user has to show, if they have set one up."""
        found = session.get(SecondFactor, user.id)
        return found if found is not None and found.confirmed_at is not None else None

    def prepare(self, session: Session, user: User) -> pyotp.TOTP:
        """Return what an app is to be told; it counts once `confirm` has seen a code of it.

        Asking again before that gives the same.
        """
        found = session.get(SecondFactor, user.id)
        if found is None:
            found = SecondFactor(user_id=user.id, sealed=self._sealed(pyotp.random_base32()))
            session.add(found)
            session.flush()
        return self._app(found, user)

    def confirm(self, session: Session, user: User, code: str, at: datetime) -> list[str]:
        """Ask for a second factor from now on, and return the codes to keep on paper, this once.

        Raises:
            InvalidInput: The code is not the app's.
        """
        found = session.get(SecondFactor, user.id, with_for_update=True)
        if found is None or found.confirmed_at is not None or not self._is_apps(found, user, code, at):
            raise _wrong()
        codes = [
            f"{secrets.token_hex(2)}-{secrets.token_hex(2)}-{secrets.token_hex(2)}"
            for _ in range(PAPER_CODES)
        ]
        found.confirmed_at, found.paper = at, [_digest(each) for each in codes]
        session.flush()
        return codes

    def check(self, session: Session, user: User, code: str, at: datetime) -> bool:
        """Tell whether a code is good; whoever guesses too often has to wait, whatever they enter then.

        The caller commits, also where it is not.
        """
        found = session.get(SecondFactor, user.id, with_for_update=True)
        if found is None or found.confirmed_at is None:
            return False
        if found.locked_until is not None and at < found.locked_until:
            return False
        if self._is_apps(found, user, code, at) or _is_on_paper(found, code):
            found.failures, found.locked_until = 0, None
        else:
            found.failures += 1
            if found.failures % ATTEMPTS == 0:
                found.locked_until = at + LOCKED_FOR
        session.flush()
        return found.failures == 0

    def remove(self, session: Session, user: User) -> None:
        """Ask for no second factor any more."""
        found = session.get(SecondFactor, user.id)
        if found is not None:
            session.delete(found)
            session.flush()

    def _is_apps(self, found: SecondFactor, user: User, code: str, at: datetime) -> bool:
        """Tell whether a code is the app's now, or was or will be in half a minute, and use it up."""
        app, typed = self._app(found, user), "".join(code.split()).encode()
        now = int(at.timestamp()) // STEP_SECONDS
        for step in (now - 1, now, now + 1):
            if step > found.used_step and secrets.compare_digest(app.generate_otp(step).encode(), typed):
                found.used_step = step
                return True
        return False

    def _app(self, found: SecondFactor, user: User) -> pyotp.TOTP:
        try:
            secret = self._seal.decrypt(found.sealed.encode()).decode()
        except InvalidToken:  # the secret key of the site was changed: no code can be right any more
            secret = pyotp.random_base32()
        return pyotp.TOTP(secret, name=user.email, issuer="Cohorts", interval=STEP_SECONDS)

    def _sealed(self, secret: str) -> str:
        return self._seal.encrypt(secret.encode()).decode()


def _is_on_paper(found: SecondFactor, code: str) -> bool:
    digest = _digest("".join(code.split()).lower())
    if digest not in found.paper:
        return False
    found.paper = [each for each in found.paper if each != digest]
    return True


def _digest(code: str) -> str:
    return sha256(code.encode()).hexdigest()


def _wrong() -> InvalidInput:
    return InvalidInput(
        {"code": [_("This is not the code that the app shows now. Wait for the next one, and try again.")]}
    )

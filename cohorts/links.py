"""Links that carry their own proof: signed, never stored."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Iterable
from datetime import datetime
from typing import Final

from itsdangerous import BadData, URLSafeSerializer, URLSafeTimedSerializer
from sqlalchemy import select, update
from sqlalchemy.orm import Session, joinedload

from .exceptions import InvalidLink
from .language import gettext as _
from .meetings import stamp
from .models import CourseOrganiser, Invitation, Signup, User, now
from .subscriptions import Topic

SIGN_IN_SECONDS: Final = 600


class Links:
    """Makes and reads the links that mails contain."""

    def __init__(self, secret_key: str, public_url: str) -> None:
        """Sign with ``secret_key``; ``public_url`` has no trailing slash."""
        self.public_url = public_url
        self._learner = URLSafeSerializer(secret_key, salt="learner link")
        self._stop_mails = URLSafeSerializer(secret_key, salt="stop mails")
        self._stop_help_mails = URLSafeSerializer(secret_key, salt="stop help mails")
        self._calendar = URLSafeSerializer(secret_key, salt="calendar link")
        self._invitation = URLSafeSerializer(secret_key, salt="invitation to organise")
        self._sign_in = URLSafeTimedSerializer(secret_key, salt="sign-in link")
        self._code_key = f"code of a sign-in link\0{secret_key}".encode()

    def course(self, slug: str) -> str:
        """Return the address of a course's public page."""
        return f"{self.public_url}/c/{slug}"

    def learner_token(self, signup: Signup) -> str:
        """Return the token of a learner's personal link, valid until ``link_version`` grows."""
        return str(self._learner.dumps([signup.key, signup.link_version]))

    def learner(self, signup: Signup) -> str:
        """Return a learner's personal link: confirm, edit, withdraw, see the cohort."""
        return f"{self.public_url}/l/{self.learner_token(signup)}"

    def read_learner(self, session: Session, token: str) -> Signup:
        """Return the sign-up a personal link belongs to.

        Raises:
            InvalidLink: The token was not made here, or was replaced by a newer one.
        """
        try:
            key, version = self._learner.loads(token)
        except (BadData, TypeError, ValueError) as error:
            raise InvalidLink from error
        signup = session.scalar(select(Signup).where(Signup.key == key, Signup.link_version == version))
        if signup is None:
            raise InvalidLink
        return signup

    def stop_mails(self, signup: Signup, topics: Iterable[Topic]) -> str:
        """Return a link that stops a learner's mails about some topics and can do nothing else.

        It outlives a new personal link: old mails can still be stopped.
        """
        token = self._stop_mails.dumps([signup.key, [topic.value for topic in topics]])
        return f"{self.public_url}/stop-mails/{token}"

    def read_stop_mails(self, session: Session, token: str) -> tuple[Signup, list[Topic]]:
        """Return whose mails about which topics a link stops.

        Raises:
            InvalidLink: The token was not made here, or the learner has been erased.
        """
        try:
            key, topics = self._stop_mails.loads(token)
            found = [Topic(topic) for topic in topics]
        except (BadData, TypeError, ValueError) as error:
            raise InvalidLink from error
        signup = session.scalar(select(Signup).where(Signup.key == key))
        if signup is None:
            raise InvalidLink
        return signup, found

    def desk(self, slug: str) -> str:
        """Return the address of a course's desk, which organisers see once they have signed in."""
        return f"{self.public_url}/organise/{slug}"

    def rematch(self, slug: str, key: str) -> str:
        """Return the address of what a rematch proposes, which organisers see once they have signed in."""
        return f"{self.desk(slug)}/rematches/{key}"

    def stop_help_mails(self, organiser: CourseOrganiser) -> str:
        """Return a link that stops the mails about requests for help in one course to one organiser."""
        token = self._stop_help_mails.dumps([organiser.course_id, organiser.user_id])
        return f"{self.public_url}/stop-help-mails/{token}"

    def read_stop_help_mails(self, session: Session, token: str) -> CourseOrganiser:
        """Return whose mails about which course a link stops.

        Raises:
            InvalidLink: The token was not made here, or they organise that course no more.
        """
        try:
            course_id, user_id = self._stop_help_mails.loads(token)
        except (BadData, TypeError, ValueError) as error:
            raise InvalidLink from error
        organiser = session.get(CourseOrganiser, (course_id, user_id))
        if organiser is None:
            raise InvalidLink
        return organiser

    def meeting(self, signup: Signup, moment: datetime) -> str:
        """Return the page on which a learner says whether they come to a meeting."""
        return f"{self.learner(signup)}/meetings/{stamp(moment)}"

    def calendar(self, signup: Signup) -> str:
        """Return the address that a learner's calendar program looks at; it shows the meetings alone.

        It is valid until ``calendar_version`` or ``link_version`` grows.
        """
        token = self._calendar.dumps([signup.key, signup.calendar_version, signup.link_version])
        return f"{self.public_url}/calendar/{token}.ics"

    def read_calendar(self, session: Session, token: str) -> Signup:
        """Return the sign-up that the address of a calendar belongs to.

        Raises:
            InvalidLink: The token was not made here, or was replaced by a newer one.
        """
        try:
            key, version, link_version = self._calendar.loads(token)
        except (BadData, TypeError, ValueError) as error:
            raise InvalidLink from error
        signup = session.scalar(
            select(Signup).where(
                Signup.key == key,
                Signup.calendar_version == version,
                Signup.link_version == link_version,
            )
        )
        if signup is None:
            raise InvalidLink
        return signup

    def sign_in(self, user: User) -> str:
        """Return a link that signs ``user`` in once, within ten minutes, in any browser: not for mails."""
        return self._sign_in_link(user, in_any_browser=True)

    def mailed_sign_in(self, user: User) -> str:
        """Return a link like `sign_in` for the browser that asked for it; others need its code."""
        return self._sign_in_link(user, in_any_browser=False)

    def _sign_in_link(self, user: User, *, in_any_browser: bool) -> str:
        token = self._sign_in.dumps([user.id, user.sign_in_nonce, in_any_browser])
        return f"{self.public_url}/sign-in/{token}"

    def sign_in_code(self, nonce: str) -> str:
        """Return the six digits that are shown where a link with this nonce was asked for."""
        return f"{int.from_bytes(hmac.digest(self._code_key, nonce.encode(), 'sha256')) % 10**6:06}"

    def read_sign_in(self, session: Session, token: str) -> tuple[User, bool]:
        """Return whose a sign-in link is, and whether it works in any browser; nothing is spent."""
        try:
            user_id, nonce, in_any_browser = self._sign_in.loads(token, max_age=SIGN_IN_SECONDS)
        except (BadData, TypeError, ValueError) as error:
            raise InvalidLink(_spent()) from error
        user = session.scalar(
            select(User).where(User.id == user_id, User.sign_in_nonce == nonce, User.active.is_(True))
        )
        if user is None:
            raise InvalidLink(_spent())
        return user, bool(in_any_browser)

    def spend_sign_in(self, session: Session, token: str) -> User:
        """Return the user a sign-in link belongs to; the link is worth nothing afterwards.

        Two requests with one link cannot both win: the nonce is replaced only where it still holds.
        """
        user, _in_any_browser = self.read_sign_in(session, token)
        spent = session.execute(
            update(User)
            .where(User.id == user.id, User.sign_in_nonce == user.sign_in_nonce)
            .values(sign_in_nonce=secrets.token_urlsafe(16), signed_in_at=now())
            .execution_options(synchronize_session=False)
        )
        if spent.rowcount != 1:  # type: ignore[attr-defined]
            raise InvalidLink(_spent())
        session.refresh(user)
        return user

    def invitation(self, invitation: Invitation) -> str:
        """Return a link that makes whoever is invited an organiser, once."""
        return f"{self.public_url}/join/{self._invitation.dumps(invitation.key)}"

    def read_invitation(self, session: Session, token: str) -> Invitation:
        """Return the invitation that a link belongs to, without spending it.

        Raises:
            InvalidLink: The token was not made here; or it was accepted, taken back or has run out.
        """
        try:
            key = str(self._invitation.loads(token))
        except BadData as error:
            raise InvalidLink(_uninvited()) from error
        found = session.scalar(
            select(Invitation)
            .where(Invitation.key == key, Invitation.accepted_at.is_(None), Invitation.expires_at > now())
            .options(joinedload(Invitation.course), joinedload(Invitation.invited_by))
        )
        if found is None:
            raise InvalidLink(_uninvited())
        return found


def _uninvited() -> str:
    return _("This invitation was accepted or taken back, or it has run out. Ask for a new one.")


def _spent() -> str:
    return _("This sign-in link was used already, or it has run out. Ask for a new one.")

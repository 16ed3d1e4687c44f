"""How a finished mail leaves: by SMTP, or printed on the terminal."""

from __future__ import annotations

import re
import smtplib
import ssl
import sys
from email.header import Header
from email.message import EmailMessage
from email.policy import EmailPolicy
from types import TracebackType
from typing import Any, Final, Protocol, Self
from urllib.parse import unquote, urlsplit

_STATUS: Final = re.compile(r"5\.\d{1,3}\.\d{1,3}")
TIMEOUT_SECONDS: Final = 20
LONGEST_SUBJECT: Final = 65
"""A longer one is folded, and a fold before its first word would be read as a space."""


class MailError(Exception):
    """A mail was not taken.

    Attributes:
        permanent: True when another attempt cannot help (the address is refused).
        is_unknown: True when no mail to this address can arrive: there is no such mailbox (any more).
    """

    def __init__(self, message: str, *, permanent: bool = False, is_unknown: bool = False) -> None:
        """Keep the message and whether to give up."""
        super().__init__(message)
        self.permanent, self.is_unknown = permanent, is_unknown


class SubjectsAsWritten(EmailPolicy):
    """Messages whose subject arrives as it was written.

    The usual policy folds a long one that is not plain ASCII with spaces too many between its words, and
    takes what looks like an encoded word for one, whoever wrote it.
    """

    def header_store_parse(self, name: str, value: Any) -> tuple[str, Any]:
        """Encode a subject whole, where it would not stay as it is."""
        if name.lower() != "subject" or _stays_as_it_is(value):
            return super().header_store_parse(name, value)
        return name, Header(value, "utf-8", header_name=name).encode()


def _stays_as_it_is(subject: str) -> bool:
    return subject.isascii() and "=?" not in subject and len(subject) <= LONGEST_SUBJECT


MESSAGES: Final = SubjectsAsWritten()
"""How mails are written down."""


class Mailer(Protocol):
    """Sends mails between ``__enter__`` and ``__exit__``."""

    def __enter__(self) -> Self:
        """Get ready to send."""
        ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Say goodbye."""
        ...

    def send(self, message: EmailMessage) -> None:
        """Hand over one mail; raises MailError."""
        ...


def _is_about_the_mailbox(code: int, answer: bytes) -> bool:
    """Tell whether a server refused an address because it has no such mailbox.

    Its enhanced status code says so where there is one (RFC 3463): 5.1.x is about the address and 5.2.1 a
    mailbox that is switched off, while 5.7.x, say, is a server that does not let us send at all.
    """
    if code < 500:
        return False
    found = _STATUS.match(answer.decode("ascii", "replace"))
    if found is None:
        return code in (550, 551, 553) and b"relay" not in answer.lower()
    return found[0].startswith("5.1.") or found[0] == "5.2.1"


def from_url(url: str) -> Mailer:
    """Return the mailer that a ``COHORTS_MAIL_URL`` names."""
    return TerminalMailer() if urlsplit(url).scheme == "terminal" else SmtpMailer(url)


class TerminalMailer:
    """Prints mails, for trying things out without a mail server."""

    def __enter__(self) -> Self:
        """Need nothing."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave nothing."""

    def send(self, message: EmailMessage) -> None:
        """Print a mail in a frame."""
        rule = "─" * 78
        sys.stdout.write(
            f"{rule}\nTo: {message['To']}\nSubject: {message['Subject']}\n\n{message.get_content()}{rule}\n"
        )
        sys.stdout.flush()


class SmtpMailer:
    """Sends mails to an SMTP server over one connection a batch, opened when first needed."""

    def __init__(self, url: str) -> None:
        """Take ``smtp://``, ``smtp+starttls://`` or ``smtps://`` with host, port, user and password."""
        self._url = urlsplit(url)
        self._connection: smtplib.SMTP | None = None

    def __enter__(self) -> Self:
        """Connect only once there is something to send."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the connection, if there was one."""
        self._close()

    def send(self, message: EmailMessage) -> None:
        """Hand over one mail; raises MailError."""
        try:
            if self._connection is None:
                self._connection = self._connect()
            self._connection.send_message(message)
        except smtplib.SMTPRecipientsRefused as error:
            refusals = list(error.recipients.values())
            permanent = all(code >= 500 for code, _ in refusals)
            is_unknown = all(_is_about_the_mailbox(*each) for each in refusals)
            raise MailError("the address was refused", permanent=permanent, is_unknown=is_unknown) from error
        except (OSError, smtplib.SMTPException) as error:
            self._close()
            raise MailError(f"{type(error).__name__}: {error}") from error

    def greet(self) -> None:
        """Connect and sign in, without sending anything; raises MailError."""
        try:
            self._connection = self._connection or self._connect()
            self._connection.noop()
        except (OSError, smtplib.SMTPException) as error:
            self._close()
            raise MailError(f"{type(error).__name__}: {error}") from error

    def _connect(self) -> smtplib.SMTP:
        host, port = self._url.hostname or "localhost", self._url.port
        if self._url.scheme == "smtps":
            context = ssl.create_default_context()
            connection: smtplib.SMTP = smtplib.SMTP_SSL(
                host, port or 465, timeout=TIMEOUT_SECONDS, context=context
            )
        else:
            connection = smtplib.SMTP(host, port or 25, timeout=TIMEOUT_SECONDS)
        if self._url.scheme == "smtp+starttls":
            connection.starttls(context=ssl.create_default_context())
        if self._url.username:
            connection.login(unquote(self._url.username), unquote(self._url.password or ""))
        return connection

    def _close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is None:
            return
        try:
            connection.quit()
        except (OSError, smtplib.SMTPException):
            connection.close()

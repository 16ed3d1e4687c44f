"""E-mails through the outbox: written in the transaction that causes them, sent by the worker.

A row names its addressee and kind only. The words are made when the mail is sent, from
``cohorts/emails/<kind>.txt``, so that no link lies in the database and an erasure reaches it.
"""

from __future__ import annotations

import logging
import math
import re
import secrets
import time
from datetime import datetime, timedelta
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime
from enum import StrEnum
from functools import lru_cache, partial
from typing import Any, Final
from urllib.parse import urlsplit

from jinja2 import Environment, PackageLoader, StrictUndefined
from sqlalchemy import ColumnElement, and_, delete, func, select, update
from sqlalchemy.orm import Session

from . import (
    help_mails,
    language,
    letters,
    meeting_mails,
    meetings,
    pauses,
    presence,
    rematch_mails,
    seat_mails,
    signal_mails,
)
from .database import Database
from .links import SIGN_IN_SECONDS, Links
from .mailers import MESSAGES, Mailer, MailError
from .models import (
    Invitation,
    Mail,
    MailState,
    Signup,
    SignupState,
    User,
    now,
)
from .subscriptions import Topic, wants

ATTEMPTS: Final = 10
CLAIM: Final = timedelta(minutes=2)
BATCH: Final = 50
SIGN_IN_MAILS: Final = 3
"""So many sign-in links go to one user while the first of them is valid."""

_log = logging.getLogger(__name__)


class Kind(StrEnum):
    """What a mail says; ``cohorts/emails/<kind>.txt`` holds its words."""

    CONFIRM = "confirm"
    ALREADY_SIGNED_UP = "already_signed_up"
    WAITING = "waiting"
    PLACE_FREE = "place_free"
    PLACED = "placed"
    UNPLACED = "unplaced"
    MEETING = "meeting"
    REMINDER = "reminder"
    COHORT_CHANGED = "cohort_changed"
    MOVED = "moved"
    RESEATED = "reseated"
    CHECK_IN = "check_in"
    STILL_HERE = "still_here"
    SEAT_FREED = "seat_freed"
    OLD_ANSWERS = "old_answers"
    SIGN_IN = "sign_in"
    INVITATION = "invitation"
    HELP_ASKED = "help_asked"
    REMATCH_FOUND = rematch_mails.FOUND
    MESSAGE = letters.KIND


FOR_CONFIRMED_ONLY: Final = {
    Kind.WAITING,
    Kind.PLACE_FREE,
    Kind.PLACED,
    Kind.UNPLACED,
    Kind.MEETING,
    Kind.REMINDER,
    Kind.COHORT_CHANGED,
    Kind.MOVED,
    Kind.RESEATED,
    Kind.CHECK_IN,
    Kind.STILL_HERE,
    Kind.SEAT_FREED,
    Kind.MESSAGE,
}
"""Mails that are dropped when the learner has withdrawn before they were sent, and wait while they pause."""

URGENT: Final = frozenset({Kind.SIGN_IN, Kind.CONFIRM, Kind.ALREADY_SIGNED_UP, Kind.OLD_ANSWERS})
"""Mails that somebody waits for at their screen; they leave before all others, and at once."""

OPTIONAL: Final[dict[Kind, Topic]] = {
    Kind.REMINDER: Topic.REMINDERS,
    Kind.CHECK_IN: Topic.CHECK_INS,
    Kind.COHORT_CHANGED: Topic.NEWS,
    Kind.MESSAGE: Topic.LETTERS,
}
"""Mails that a learner can stop. All others answer what somebody did, and always come."""

OF_SEATS: Final = (Kind.PLACED, Kind.RESEATED, Kind.MOVED, Kind.COHORT_CHANGED, Kind.UNPLACED)
"""Mails that say where somebody sits when they leave: of those that wait, the first one goes."""
TRIED_ANYWAY: Final = {Kind.CONFIRM, Kind.ALREADY_SIGNED_UP, Kind.OLD_ANSWERS}
"""Mails that somebody asks for at this moment; they are tried even where a mail was refused before."""

HOLD: Final = timedelta(minutes=10)
"""So long the mails of a publication, or of a change by hand, wait: until then it can be taken back."""

MAX_SUBJECT: Final = 120
MAX_NAME: Final = 60
"""So much of the name of a course or a cohort stands in a subject: the rest of it is to be read, too."""

_DIRECTIONS: Final = re.compile("[\u202a-\u202e\u2066-\u2069]")
"""Characters that turn the direction of what follows them, with which a name could dress up a link."""


def enqueue(session: Session, kind: Kind, *, signup: Signup | None = None, user: User | None = None) -> Mail:
    """Put a mail to a learner or to a user into the outbox; it goes once the caller commits."""
    mail = Mail(kind=kind.value, signup=signup, user=user)
    session.add(mail)
    return mail


def enqueue_latest(session: Session, kind: Kind, *signups: Signup) -> None:
    """Put mails into the outbox that say how things are now; those that have not gone yet are dropped."""
    session.execute(
        update(Mail)
        .where(Mail.signup_id.in_([each.id for each in signups]), Mail.kind == kind.value)
        .where(Mail.state == MailState.WAITING, Mail.attempts == 0)
        .values(state=MailState.DROPPED)
        .execution_options(synchronize_session=False)
    )
    for signup in signups:
        enqueue(session, kind, signup=signup)


def enqueue_sign_in(session: Session, user: User | None, at: datetime) -> str:
    """Mail a sign-in link, which takes the place of every earlier one, and return its nonce.

    For nobody, or if that was just done a few times (anybody may type an address), a mail to nobody is put
    down and the nonce is good for nothing: it takes the same statements, so that no clock tells who is known.
    """
    lately = select(func.count(Mail.id)).where(
        Mail.user_id == (user.id if user is not None else 0),
        Mail.kind == Kind.SIGN_IN.value,
        Mail.created_at > at - timedelta(seconds=SIGN_IN_SECONDS),
    )
    addressee = user if (session.scalar(lately) or 0) < SIGN_IN_MAILS else None
    mail = Mail(kind=Kind.SIGN_IN.value, user=addressee, created_at=at)
    mail.state = MailState.WAITING if addressee is not None else MailState.DROPPED
    nonce = secrets.token_urlsafe(16)
    session.add(mail)
    session.flush()
    theirs = User.id == (addressee.id if addressee is not None else 0)
    session.execute(update(User).where(theirs).values(sign_in_nonce=nonce))
    return nonce


def expire_mails_to_nobody(session: Session, at: datetime) -> None:
    """Delete what `enqueue_sign_in` put down for nobody a while ago."""
    nobodys = Mail.kind == Kind.SIGN_IN.value, Mail.user_id.is_(None), Mail.state == MailState.DROPPED
    session.execute(delete(Mail).where(*nobodys, Mail.created_at < at - timedelta(seconds=SIGN_IN_SECONDS)))


def enqueue_invitation(session: Session, invitation: Invitation) -> None:
    """Mail somebody that they are invited to organise a course."""
    session.add(Mail(kind=Kind.INVITATION.value, invitation=invitation))


def deliver_due(
    database: Database, links: Links, mailer: Mailer, sender: str, *, per_second: float = math.inf
) -> int:
    """Send some of what is due, the urgent first, and return how many mails went out.

    Of those that are not urgent no more than ``per_second`` leave. Each mail is claimed in a transaction of
    its own, sent outside any transaction and then marked. A worker that dies in between leaves a claim that
    runs out; the mail goes again with the same Message-ID.
    """
    is_urgent = Mail.kind.in_(URGENT)
    waiting = select(Mail.id, is_urgent).where(_is_due()).order_by(is_urgent.desc(), Mail.id).limit(BATCH)
    with database.reading() as session:
        due = session.execute(waiting).all()
    if not due:
        return 0
    n_sent = 0
    with mailer:
        for mail_id, urgent in due:
            began = time.monotonic()
            n_sent += _deliver(database, links, mailer, sender, mail_id)
            if not urgent:
                time.sleep(max(0.0, 1 / per_second - (time.monotonic() - began)))
    return n_sent


def _is_due() -> ColumnElement[bool]:
    return and_(Mail.state == MailState.WAITING, Mail.not_before <= now())


def _deliver(database: Database, links: Links, mailer: Mailer, sender: str, mail_id: int) -> bool:
    with database.transaction() as session:
        if not _claim(session, mail_id):
            return False
        mail = session.get_one(Mail, mail_id)
        if (
            mail.kind in FOR_CONFIRMED_ONLY
            and mail.signup is not None
            and pauses.is_paused(mail.signup, now())
        ):
            mail.not_before = pauses.ends(mail.signup)
            return False
        if _is_in_vain(session, mail):
            mail.state, mail.last_error = MailState.DROPPED, "The address took no mail before."
            return False
        if not _goes_now(session, mail):
            return False
            return False
        try:
            message = render(session, mail, links, sender)
        except Exception:
            # One mail that cannot be put into words must not hold up those behind it.
            _log.exception("mail %s (%s) cannot be put into words", mail.key, mail.kind)
            _later(mail, "It cannot be put into words.")
            return False
        if message is None:
            mail.state = MailState.DROPPED
            return False
    try:
        mailer.send(message)
    except MailError as error:
        _postpone(database, mail_id, error)
        return False
    with database.transaction() as session:
        sent = {"state": MailState.SENT, "sent_at": now(), "last_error": ""}
        session.execute(update(Mail).where(Mail.id == mail_id).values(sent))
    return True


def held_until(session: Session, about: ColumnElement[bool], at: datetime) -> datetime | None:
    """Return when the mails about something leave; None once any has, or there are none."""
    mails, untouched, leaves = session.execute(
        select(
            func.count(),
            func.count().filter(Mail.state == MailState.WAITING, Mail.attempts == 0),
            func.min(Mail.not_before),
        ).where(about)
    ).one()
    found: datetime | None = leaves
    return found if found is not None and mails == untouched and found > at else None


def held_back(at: datetime) -> ColumnElement[bool]:
    """Whether a mail about somebody's seat has not left yet, so that what it tells can be taken back."""
    return and_(
        Mail.kind.in_([each.value for each in OF_SEATS]),
        Mail.state == MailState.WAITING,
        Mail.attempts == 0,
        Mail.not_before > at,
    )


def _goes_now(session: Session, mail: Mail) -> bool:
    """Let one of the mails about somebody's seat speak for the others, once none of them is held back.

    Whoever is moved twice, or whose cohort changes twice, hears of it once. What is held back may still be
    undone, and all of them tell how things are when they leave: so the others wait with it.
    """
    if mail.kind not in OF_SEATS:
        return True
    waiting = (Mail.signup_id == mail.signup_id) & (Mail.state == MailState.WAITING) & (Mail.id != mail.id)
    latest = session.scalar(select(func.max(Mail.not_before)).where(waiting, held_back(now())))
    if latest is not None:
        mail.not_before, mail.attempts = latest, mail.attempts - 1
        return False
    others = session.scalars(
        select(Mail).where(waiting, Mail.kind.in_([each.value for each in OF_SEATS]))
    ).all()
    first = min((mail, *others), key=lambda each: (OF_SEATS.index(Kind(each.kind)), -each.id))
    for each in (mail, *others):
        if each is not first:
            each.state = MailState.DROPPED
    return first is mail


def _is_in_vain(session: Session, mail: Mail) -> bool:
    """Tell whether a mail goes to a learner whose address took none before."""
    if mail.signup is None or mail.kind in TRIED_ANYWAY:
        return False
    return presence.of(session, mail.signup).bounced_at is not None


def _claim(session: Session, mail_id: int) -> bool:
    """Reserve a mail for this worker; of two workers only one succeeds."""
    claimed = session.execute(
        update(Mail)
        .where(Mail.id == mail_id, _is_due())
        .values(not_before=now() + CLAIM, attempts=Mail.attempts + 1)
        .execution_options(synchronize_session=False)
    )
    return bool(claimed.rowcount == 1)  # type: ignore[attr-defined]


def _postpone(database: Database, mail_id: int, error: MailError) -> None:
    """Note why a mail was not taken, and when to try again."""
    with database.transaction() as session:
        mail = session.get(Mail, mail_id)
        if mail is None:  # erased in the meantime
            return
        _later(mail, str(error), permanent=error.permanent)
        if error.is_unknown and mail.signup is not None:
            presence.bounced(session, mail.signup, now())
        _log.warning("mail %s (%s) was not taken: %s", mail.key, mail.kind, error)


def _later(mail: Mail, reason: str, *, permanent: bool = False) -> None:
    """Try again later, each time after a longer pause, and give up after ten attempts."""
    mail.last_error = reason[:500]
    mail.not_before = now() + timedelta(seconds=min(30 * 2**mail.attempts, 6 * 3600))
    if permanent or mail.attempts >= ATTEMPTS:
        mail.state = MailState.DROPPED


def render(session: Session, mail: Mail, links: Links, sender: str) -> EmailMessage | None:
    """Put a mail into words of its addressee's language; None when it has nothing to say any more."""
    with language.using(_person(mail).locale):
        return _rendered(session, mail, links, sender)


def _rendered(session: Session, mail: Mail, links: Links, sender: str) -> EmailMessage | None:
    topic = OPTIONAL.get(Kind(mail.kind))
    if topic is not None and mail.signup is not None and not wants(mail.signup, topic):
        return None
    words = _words(session, mail, links)
    if words is None:
        return None
    stop = words.get("stop") or _stop_link(mail, links)
    text = _templates().get_template(f"{mail.kind}.txt").render(words)
    if topic is not None and stop is not None:
        text += _templates().get_template("_stop.txt").render(words, stop=stop)
    subject, body = _DIRECTIONS.sub("", text).split("\n", 1)
    message = _envelope(mail, links, sender)
    message["Subject"] = _one_line(subject.removeprefix("Subject:"), MAX_SUBJECT)
    if mail.message is not None and mail.message.author is not None:
        message["Reply-To"] = Address(addr_spec=mail.message.author.email)
    if stop is not None:
        message["List-Unsubscribe"] = f"<{stop}>"
        message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    message.set_content(body.strip() + "\n")
    message["Content-Language"] = language.code()  # setting a content clears all that is said of it
    return message


def _envelope(mail: Mail, links: Links, sender: str) -> EmailMessage:
    """Return a mail without words: who writes to whom, when."""
    name, address = _addressee(mail)
    message = EmailMessage(MESSAGES)
    message["From"] = sender
    message["To"] = Address(display_name=_one_line(_DIRECTIONS.sub("", name)), addr_spec=address)
    message["Date"] = format_datetime(mail.created_at)
    message["Message-ID"] = f"<{mail.key}@{urlsplit(links.public_url).hostname}>"
    message["Auto-Submitted"] = "auto-generated"
    return message


def _stop_link(mail: Mail, links: Links) -> str | None:
    """Return the address where a mail program stops mails: this kind, or all that can be stopped."""
    if mail.signup is None:
        return None  # what organisers can stop, they stop for one course (see ``cohorts.help_mails``)
    topic = OPTIONAL.get(Kind(mail.kind))
    return links.stop_mails(mail.signup, Topic if topic is None else [topic])


def _one_line(text: str, most: int | None = None) -> str:
    line = " ".join(text.split())
    return line if most is None or len(line) <= most else line[: most - 1].rstrip() + "…"


@lru_cache(maxsize=1)
def _templates() -> Environment:
    environment = Environment(
        loader=PackageLoader("cohorts", "emails"),
        autoescape=False,  # noqa: S701 (plain text, no HTML)
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    language.install(environment)
    environment.filters["brief"] = partial(_one_line, most=MAX_NAME)
    return environment


def _person(mail: Mail) -> Signup | User | Invitation:
    person = mail.signup or mail.user or mail.invitation
    assert person is not None
    return person


def _addressee(mail: Mail) -> tuple[str, str]:
    person = _person(mail)
    # Until an address is confirmed, anybody may have typed the name beside it.
    is_known = mail.signup is None or mail.signup.confirmed_at is not None
    return getattr(person, "name", "") if is_known else "", person.email


def _words(session: Session, mail: Mail, links: Links) -> dict[str, Any] | None:
    """Return what the template of a mail may use."""
    if mail.message is not None:
        return letters.mail_words(session, mail, links)
    signup = mail.signup
    if signup is None:
        return _organisers_words(session, mail, links)
    if mail.kind in FOR_CONFIRMED_ONLY and signup.state is not SignupState.CONFIRMED:
        return None
    words: dict[str, Any] = {
        "signup": signup,
        "course": signup.course,
        "link": links.learner(signup),
    }
    if mail.kind == Kind.CHECK_IN and not _is_of_this_week(mail, signup):
        return None
    if mail.kind in OF_SEATS:
        return _SEAT_WORDS[Kind(mail.kind)](session, signup, words)
    if mail.kind in (Kind.MEETING, Kind.REMINDER):
        return meeting_mails.words(session, mail, signup, words, links)
    if mail.kind in (Kind.STILL_HERE, Kind.SEAT_FREED):
        return signal_mails.words(session, mail, signup, words)
    if mail.kind == Kind.OLD_ANSWERS:
        return words | {"next_course": mail.course}
    return words


def _organisers_words(session: Session, mail: Mail, links: Links) -> dict[str, Any] | None:
    if mail.kind == Kind.HELP_ASKED:
        return help_mails.words(session, mail, links)
    if mail.kind == Kind.REMATCH_FOUND:
        return rematch_mails.organiser_words(session, mail, links)
    invitation = mail.invitation
    if invitation is None:
        assert mail.user is not None
        return {"user": mail.user, "link": links.mailed_sign_in(mail.user)}
    if invitation.accepted_at is not None or invitation.expires_at <= now():
        return None
    return {
        "invitation": invitation,
        "course": invitation.course,
        "by": invitation.invited_by,
        "link": links.invitation(invitation),
    }


def _is_of_this_week(mail: Mail, signup: Signup) -> bool:
    """Tell whether the week that a check-in mail asks about still goes on."""
    week = meetings.course_week(signup.course, now(), signup.time_zone)
    return week is not None and week == meetings.course_week(signup.course, mail.created_at, signup.time_zone)


_SEAT_WORDS: Final = {
    Kind.PLACED: seat_mails.placed_words,
    Kind.RESEATED: rematch_mails.reseated_words,
    Kind.MOVED: seat_mails.moved_words,
    Kind.COHORT_CHANGED: seat_mails.placed_words,
    Kind.UNPLACED: seat_mails.unplaced_words,
}

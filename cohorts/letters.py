"""Letters from the organisers of a course to its learners: drafted, tried out, sent through the outbox."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, func, insert, select
from sqlalchemy.orm import Session, joinedload

from .exceptions import Conflict, InvalidInput, NotFound
from .language import gettext as _
from .language import lazy_gettext as lazy
from .links import Links
from .models import Audience, Cohort, Course, Mail, Membership, Message, Signup, SignupState, User
from .subscriptions import Topic
from .texts import one_line

KIND: Final = "message"
"""What the outbox calls a letter."""

FIELDS: Final = {
    "name": lazy("the name of whoever reads it"),
    "course": lazy("the title of the course"),
    "cohort": lazy("the name of their cohort; nothing if they have none"),
    "link": lazy("their personal link; not in the subject"),
}
"""What a letter may have in braces, and what stands there when it is read."""

MAX_SUBJECT: Final = 120
MAX_TEXT: Final = 10_000
A_DAY: Final = 10
"""So many letters may leave a course within a day."""
A_MINUTE: Final = 120
"""So many mails of a letter leave within a minute, so that others, such as sign-in links, need not wait."""
TESTS: Final = 10
"""So many times a letter can be tried out."""

_FIELD: Final = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class Recipients:
    """Who gets a letter: ids of sign-ups, and how many more have stopped such mails."""

    ids: tuple[int, ...]
    stopped: int


def fill_in(text: str, values: Mapping[str, str]) -> str:
    """Replace what is known in braces, once: what is put in is never looked at again."""
    return _FIELD.sub(lambda found: values.get(found[1], found[0]), text)


def unknown_fields(message: Message) -> list[str]:
    """Return what stands in braces and means nothing here, and so stays as it is."""
    found = _FIELD.findall(f"{message.subject}\n{message.text}")
    return sorted({each for each in found if each not in FIELDS})


def in_words(message: Message, values: Mapping[str, str]) -> dict[str, str]:
    """Return subject and text of a letter as somebody reads them; subjects hold no secret."""
    open_values = {name: value for name, value in values.items() if name != "link"}
    return {
        "subject": one_line(fill_in(message.subject, open_values)),
        "text": fill_in(message.text, values),
    }


def example(message: Message, user: User, links: Links) -> dict[str, str]:
    """Return a letter as an organiser reads it who tries it out."""
    course = message.course
    values = {
        "name": user.name or user.email,
        "course": course.title,
        "cohort": message.cohort.name if message.cohort else _("Cohort %(number)s", number=1),
        "link": links.course(course.slug),
    }
    return in_words(message, values)


def mail_words(session: Session, mail: Mail, links: Links) -> dict[str, Any] | None:
    """Return what the mail of a letter says, to a learner or to the organiser who tries it out."""
    message, signup = mail.message, mail.signup
    assert message is not None
    if signup is None:
        assert mail.user is not None
        found = example(message, mail.user, links)
        return found | {"subject": _("Test: %(subject)s", subject=found["subject"])}
    if signup.state is not SignupState.CONFIRMED:
        return None
    cohort = session.scalar(
        select(Cohort.name).join(Membership).where(Membership.signup_id == signup.id, _is_open())
    )
    values = {
        "name": signup.name,
        "course": signup.course.title,
        "cohort": cohort or "",
        "link": links.learner(signup),
    }
    return in_words(message, values) | {"course": signup.course}


def of_course(session: Session, course: Course) -> list[Message]:
    """Return the letters of a course, newest first, drafts before those that were sent."""
    return list(
        session.scalars(
            select(Message)
            .where(Message.course_id == course.id)
            .order_by(Message.sent_at.is_not(None), Message.id.desc())
            .options(joinedload(Message.cohort), joinedload(Message.author))
        )
    )


def get(session: Session, course: Course, key: str) -> Message:
    """Return a letter of a course.

    Raises:
        NotFound: The course has none like this.
    """
    found = session.scalar(
        select(Message)
        .where(Message.course_id == course.id, Message.key == key)
        .options(joinedload(Message.cohort), joinedload(Message.course))
    )
    if found is None:
        raise NotFound
    return found


def write(
    session: Session,
    course: Course,
    by: User,
    subject: str,
    text: str,
    audience: Audience,
    cohort: Cohort | None = None,
) -> Message:
    """Keep a new draft.

    Raises:
        InvalidInput: It has no subject or text, or too much of it.
    """
    message = Message(course=course, author=by)
    _fill(message, subject, text, audience, cohort)
    session.add(message)
    session.flush()
    return message


def rewrite(
    session: Session,
    message: Message,
    subject: str,
    text: str,
    audience: Audience,
    cohort: Cohort | None = None,
) -> None:
    """Change a draft.

    Raises:
        InvalidInput: As for `write`.
        Conflict: It was sent.
    """
    _lock_draft(session, message)
    _fill(message, subject, text, audience, cohort)
    session.flush()


def _fill(message: Message, subject: str, text: str, audience: Audience, cohort: Cohort | None) -> None:
    subject, text = one_line(subject), text.strip()
    errors: dict[str, list[str]] = {}
    if not subject or len(subject) > MAX_SUBJECT:
        errors["subject"] = [_("Write a subject of at most %(most)s characters.", most=MAX_SUBJECT)]
    if not text or len(text) > MAX_TEXT:
        errors["text"] = [_("Write a text of at most %(most)s characters.", most=MAX_TEXT)]
    if errors:
        raise InvalidInput(errors)
    message.subject, message.text = subject, text
    message.audience = audience
    message.cohort = cohort if audience is Audience.COHORT else None


def recipients(session: Session, message: Message) -> Recipients:
    """Return who gets a letter if it is sent now."""
    rows = session.execute(
        select(Signup.id, Signup.stopped_mails).where(*_addressed(message)).order_by(Signup.id)
    ).all()
    ids = tuple(row.id for row in rows if Topic.LETTERS.value not in row.stopped_mails)
    return Recipients(ids, len(rows) - len(ids))


def _addressed(message: Message) -> list[ColumnElement[bool]]:
    """Return who is meant: always of this course, and with a sign-up that counts."""
    here = [Signup.course_id == message.course_id, Signup.state == SignupState.CONFIRMED]
    placed = select(Membership.signup_id).where(_is_open())
    if message.audience is Audience.UNPLACED:
        return [*here, Signup.waiting.is_(False), Signup.id.not_in(placed)]
    if message.audience is Audience.COHORT:
        return [*here, Signup.id.in_(placed.where(Membership.cohort_id == message.cohort_id))]
    return here


def _is_open() -> ColumnElement[bool]:
    return Membership.until.is_(None)


def try_out(session: Session, message: Message, user: User) -> None:
    """Mail a letter to an organiser alone, as it stands.

    Raises:
        Conflict: That was done often enough.
    """
    tried = select(func.count()).where(Mail.message_id == message.id, Mail.user_id.is_not(None))
    if (session.scalar(tried) or 0) >= TESTS:
        raise Conflict(_("You have tried this letter out often enough. Look at the preview instead."))
    session.add(Mail(kind=KIND, message=message, user=user))
    session.flush()


def send(session: Session, message: Message, at: datetime) -> int:
    """Put the mails of a letter into the outbox, some for each minute; return how many there are.

    Raises:
        Conflict: It was sent, nobody gets it, or the course has sent enough for today.
    """
    _lock_draft(session, message)
    lately = select(func.count()).where(
        Message.course_id == message.course_id, Message.sent_at > at - timedelta(days=1)
    )
    if (session.scalar(lately) or 0) >= A_DAY:
        raise Conflict(
            _("This course has sent %(most)s letters within a day. Wait until tomorrow.", most=A_DAY)
        )
    found = recipients(session, message)
    if not found.ids:
        raise Conflict(_("Nobody would get this letter."))
    rows = [
        {
            "kind": KIND,
            "message_id": message.id,
            "signup_id": signup_id,
            "created_at": at,
            "not_before": at + timedelta(minutes=number // A_MINUTE),
        }
        for number, signup_id in enumerate(found.ids)
    ]
    session.execute(insert(Mail), rows)
    message.sent_at, message.n_sent = at, len(rows)
    session.flush()
    return len(rows)


def discard(session: Session, message: Message) -> None:
    """Throw a draft away.

    Raises:
        Conflict: It was sent.
    """
    _lock_draft(session, message)
    session.delete(message)
    session.flush()


def _lock_draft(session: Session, message: Message) -> None:
    """Wait for whoever changes a letter or a course's letters at this moment; of two who send, one does."""
    session.refresh(message.course, ["state"], with_for_update=True)
    session.refresh(message, ["sent_at"])
    if message.sent_at is not None:
        raise Conflict(_("This letter was sent already."))

"""Mails to organisers that learners ask for help: that they do, and never in which words."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from .links import Links
from .models import Course, CourseOrganiser, CourseRole, HelpRequest, Mail, MailState, Signup, User

HELP: Final = "help"
"""The name of these mails among those an organiser has stopped."""
KIND: Final = "help_asked"
PAUSE: Final = timedelta(hours=1)
"""Whoever asks within this time after a mail is counted in the next one."""
ANSWERING: Final = (CourseRole.OWNER, CourseRole.ORGANISER)
"""Who can see a request and mark it as answered."""


def tell(session: Session, course: Course, at: datetime) -> None:
    """Put a mail to each organiser of a course into the outbox, unless one is on its way to them already."""
    found = (
        select(CourseOrganiser)
        .join(User)
        .where(CourseOrganiser.course_id == course.id, CourseOrganiser.role.in_(ANSWERING), User.active)
        .order_by(CourseOrganiser.user_id)
        .with_for_update(of=CourseOrganiser)  # of two who ask at once, the second sees the first one's mail
    )
    organisers = [each for each in session.scalars(found) if HELP not in each.stopped_mails]
    mails = session.scalars(
        select(Mail)
        .where(Mail.course_id == course.id, Mail.kind == KIND, Mail.state != MailState.DROPPED)
        .order_by(Mail.id)
    )
    latest = {mail.user_id: mail for mail in mails}
    for organiser in organisers:
        before = latest.get(organiser.user_id)
        if before is not None and before.state is MailState.WAITING:
            continue
        due = at if before is None else max(at, (before.sent_at or before.not_before) + PAUSE)
        session.add(Mail(kind=KIND, user_id=organiser.user_id, course_id=course.id, not_before=due))
    session.flush()


def words(session: Session, mail: Mail, links: Links) -> dict[str, Any] | None:
    """Return what the mail may say; None when nobody waits any more, or its reader wants none."""
    organiser = session.get(CourseOrganiser, (mail.course_id, mail.user_id))
    if organiser is None or organiser.role not in ANSWERING or HELP in organiser.stopped_mails:
        return None
    waiting = (
        select(func.count(HelpRequest.id))
        .join(Signup)
        .where(Signup.course_id == mail.course_id, HelpRequest.answered_at.is_(None))
    )
    number = session.scalar(waiting) or 0
    if not number or mail.course is None or not organiser.user.active:
        return None
    return {
        "user": organiser.user,
        "course": mail.course,
        "number": number,
        "link": links.desk(mail.course.slug),
        "stop": links.stop_help_mails(organiser),
    }


def choose(session: Session, organiser: CourseOrganiser, *, wanted: bool) -> None:
    """Send an organiser these mails, or no more of them."""
    others = [each for each in organiser.stopped_mails if each != HELP]
    organiser.stopped_mails = others if wanted else [*others, HELP]
    session.flush()

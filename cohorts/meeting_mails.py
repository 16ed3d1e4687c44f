"""What mails about a meeting say: when it is for whoever reads them, and that it is still on."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload, selectinload

from . import attendance, meetings, schedule
from .exceptions import NotFound
from .links import Links
from .models import Answer, Cohort, Mail, Membership, Reminder, Signup, now
from .schedule import Occurrence

Words = dict[str, Any]
FIXED = "meeting"


def words(session: Session, mail: Mail, signup: Signup, words: Words, links: Links) -> Words | None:
    """Return the words of a mail about a meeting; None when it has nothing to say any more."""
    if mail.kind == FIXED:
        return _meeting_words(session, signup, words, links)
    return _reminder_words(session, mail, signup, words, links)


def _meeting_words(session: Session, signup: Signup, words: Words, links: Links) -> Words | None:
    """Return the words that tell when a cohort meets now; None for whoever is in none any more."""
    cohort = _cohort_of(session, signup)
    if cohort is None or not cohort.fixed:
        return None
    following = schedule.coming(signup.course, cohort, now())
    weekly, latest = meetings.weekly(cohort), cohort.fixed[-1]
    if following is None or weekly is None:
        return None
    return words | {
        "is_moved": latest.sequence > 1,
        "by": latest.signup.name if latest.signup else "",
        "weekly": meetings.when(signup.course, weekly, signup.time_zone),
        **_one_meeting(cohort, signup, following, links),
    }


def _reminder_words(session: Session, mail: Mail, signup: Signup, words: Words, links: Links) -> Words | None:
    """Return the words of a reminder; None when that meeting is off, over, or not theirs any more."""
    reminder = session.scalar(select(Reminder).where(Reminder.mail_id == mail.id))
    cohort = _cohort_of(session, signup)
    if reminder is None or cohort is None or reminder.cohort_id != cohort.id:
        return None
    try:
        meeting = attendance.occurrence(signup.course, cohort, reminder.starts_at)
    except NotFound:
        return None
    sheet = attendance.sheet(session, cohort, meeting)
    said = sheet.answer_of(signup)
    if said is Answer.ABSENT or meeting.starts_at <= now():
        return None
    return words | {
        "is_fixed": meeting.is_fixed,
        "has_answered": said is not None,
        "coming": [each.name for each in sheet.coming if each.id != signup.id],
        **_one_meeting(cohort, signup, meeting, links),
    }


def _cohort_of(session: Session, signup: Signup) -> Cohort | None:
    return session.scalar(
        select(Cohort)
        .join(Membership)
        .where(Membership.signup_id == signup.id, Membership.until.is_(None), Cohort.ended_at.is_(None))
        .options(joinedload(Cohort.run), selectinload(Cohort.memberships).joinedload(Membership.signup))
    )


def _one_meeting(cohort: Cohort, signup: Signup, meeting: Occurrence, links: Links) -> Words:
    """Return what every mail about one meeting tells, in the time zone of its reader."""
    return {
        "cohort": cohort,
        "start": meetings.in_zone(meeting.start, signup.time_zone),
        "minutes": signup.course.meeting_minutes,
        "channel": cohort.channel,
        "answer_link": links.meeting(signup, meeting.starts_at),
    }

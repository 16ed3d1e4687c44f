"""Answers that a learner gave for one course, brought along to the next.

Only whoever holds a personal link may bring its answers: an address alone opens nothing, and asking with one
is answered by mail, so that nobody learns who was in which course.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from . import kinds
from .answers import Answers, address, answers_of
from .asking import custom_questions
from .models import Course, Mail, MailState, Signup, SignupState
from .notices import Kind, enqueue
from .signups import MAIL_PAUSE, open_courses
from .texts import interest_key

MOST_COURSES = 6


def brought(signup: Signup, course: Course) -> Answers:
    """Return what a learner answered before, as far as ``course`` asks the same.

    A question of a course's own is the same where it has the same words and kind, and the old answer fits
    it. What the cohort sees is chosen anew.
    """
    answers = answers_of(signup)
    before = {(each.kind, interest_key(each.label)): each.key for each in custom_questions(signup.course)}
    custom, not_alone = {}, []
    for question in custom_questions(course):
        key = before.get((question.kind, interest_key(question.label)))
        found = kinds.fitting(question, answers.custom.get(key)) if key and question.asked else None
        if found is not None:
            custom[question.key] = found
            if question.may_mind and key in answers.not_alone:
                not_alone.append(question.key)
    return replace(answers, custom=custom, not_alone=tuple(not_alone), shown=None)


def next_courses(session: Session, signup: Signup, at: datetime) -> list[Course]:
    """Return the courses a learner could sign up for next; none until their address is confirmed."""
    if signup.confirmed_at is None:
        return []
    here = select(Signup.course_id).where(Signup.email == signup.email, Signup.state != SignupState.WITHDRAWN)
    known = {signup.course_id, *session.scalars(here)}
    return [each for each in open_courses(session, at) if each.id not in known][:MOST_COURSES]


def ask(session: Session, course: Course, email: str, at: datetime) -> None:
    """Mail whoever was in another course a link that brings their answers to ``course``.

    The caller cannot tell whether anybody was: nothing is returned, and an unknown address gets nothing.
    """
    latest = (
        select(Signup)
        .where(Signup.email == address(email), Signup.course_id != course.id)
        .where(Signup.confirmed_at.is_not(None))
        .order_by(Signup.updated_at.desc(), Signup.id.desc())
        .limit(1)
    )
    signup = session.scalar(latest)
    if signup is None:
        return
    recent = (
        select(Mail.id)
        .where(Mail.signup_id == signup.id, Mail.state != MailState.DROPPED)
        .where(Mail.kind == Kind.OLD_ANSWERS.value, Mail.created_at > at - MAIL_PAUSE)
    )
    if session.scalar(recent.limit(1)) is None:
        mail = enqueue(session, Kind.OLD_ANSWERS, signup=signup)
        mail.course, mail.created_at = course, at
        session.flush()

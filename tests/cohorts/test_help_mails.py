"""Organisers hear that learners ask for help: once an hour at most, and without their words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from cohorts import help_mails, help_requests, notices
from cohorts.links import Links
from cohorts.models import Course, CourseOrganiser, CourseRole, Mail, MailState, User
from tests.factories import make_course, make_signup, make_user

NOW = datetime(2027, 1, 13, 20, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def organiser(session: Session) -> User:
    return make_user(session, name="Olga")


@pytest.fixture
def course(session: Session, organiser: User) -> Course:
    return make_course(session, organiser, title="Play")


def ask(session: Session, course: Course, at: datetime, words: str = "A secret worry") -> None:
    help_requests.ask(session, make_signup(session, course, name="Ada Asks"), words, at)


def mails(session: Session) -> list[Mail]:
    return list(session.scalars(select(Mail).where(Mail.kind == help_mails.KIND).order_by(Mail.id)))


def test_two_who_ask_are_told_of_in_one_mail_without_their_words(
    session: Session, course: Course, links: Links
) -> None:
    ask(session, course, NOW)
    ask(session, course, NOW + timedelta(minutes=5))
    [mail] = mails(session)
    message = notices.render(session, mail, links, "cohorts@example.org")
    assert message is not None
    assert message["Subject"] == "2 learners in Play ask for help"
    text = message.get_content()
    assert f"http://localhost/organise/{course.slug}\n" in text
    assert "Ada" not in text
    assert "secret" not in text
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


def test_the_next_mail_waits_for_an_hour_after_the_last(session: Session, course: Course) -> None:
    ask(session, course, NOW)
    mails(session)[0].state, mails(session)[0].sent_at = MailState.SENT, NOW
    for minutes in (10, 20):
        ask(session, course, NOW + timedelta(minutes=minutes))
    assert [each.not_before for each in mails(session)] == [NOW, NOW + HOUR]
    mails(session)[1].state, mails(session)[1].sent_at = MailState.SENT, NOW + HOUR
    ask(session, course, NOW + 9 * HOUR)
    assert mails(session)[2].not_before == NOW + 9 * HOUR


def test_only_who_can_answer_is_told(session: Session, course: Course, organiser: User) -> None:
    for role in (CourseRole.READER, CourseRole.FACILITATOR):
        user_id = make_user(session).id
        session.add(CourseOrganiser(course_id=course.id, user_id=user_id, role=role))
    gone = make_user(session, active=False)
    session.add(CourseOrganiser(course_id=course.id, user_id=gone.id))
    make_course(session, make_user(session))
    ask(session, course, NOW)
    assert [each.user_id for each in mails(session)] == [organiser.id]


def test_a_request_that_is_answered_or_taken_back_says_nothing(
    session: Session, course: Course, links: Links
) -> None:
    ask(session, course, NOW)
    [request] = help_requests.of_course(session, course)
    help_requests.answered(session, course, request.key, NOW)
    assert notices.render(session, mails(session)[0], links, "cohorts@example.org") is None


def test_stopping_holds_for_one_course_and_can_be_undone(
    session: Session, course: Course, organiser: User, links: Links
) -> None:
    other = make_course(session, organiser)
    mine = session.get_one(CourseOrganiser, (course.id, organiser.id))
    ask(session, course, NOW)
    help_mails.choose(session, mine, wanted=False)
    help_mails.choose(session, mine, wanted=False)
    assert mine.stopped_mails == ["help"]
    assert notices.render(session, mails(session)[0], links, "cohorts@example.org") is None
    mails(session)[0].state = MailState.DROPPED
    ask(session, course, NOW + HOUR)
    ask(session, other, NOW + HOUR)
    assert [each.course_id for each in mails(session)] == [course.id, other.id]
    help_mails.choose(session, mine, wanted=True)
    assert mine.stopped_mails == []

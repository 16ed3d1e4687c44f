"""Answers are brought to the next course as far as it asks the same, by their owner alone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from cohorts import notices, old_answers
from cohorts.links import Links
from cohorts.models import CourseState, Mail, Signup, SignupState
from cohorts.questions import Counts, CustomQuestion, Kind
from tests.factories import ask, make_course, make_signup

NOW = datetime(2027, 1, 4, 12, tzinfo=UTC)
ADDRESS = "ada@example.org"


def role(**given: Any) -> CustomQuestion:
    usual = {"key": "role", "kind": Kind.ONE, "label": "Your role", "options": ("Player", "Listener")}
    return CustomQuestion(**{**usual, "may_mind": True, "counts": Counts.SIMILAR, **given})


def bring(session: Session, here: list[CustomQuestion], there: list[CustomQuestion]) -> Any:
    before = ask(session, make_course(session), *here)
    signup = make_signup(
        session, before, ("Jazz",), custom={"role": "Player"}, not_alone=["role"], shown=["goal", "role"]
    )
    return old_answers.brought(signup, ask(session, make_course(session), *there))


def test_a_question_with_the_same_words_keeps_its_answer_under_another_key(session: Session) -> None:
    found = bring(session, [role()], [role(key="role-2", label="your  Role")])
    assert (found.custom, found.not_alone) == ({"role-2": "Player"}, ("role-2",))


@pytest.mark.parametrize(
    "there",
    [
        [],
        [role(label="Your part")],
        [role(kind=Kind.TEXT, options=())],
        [role(options=("Singer", "Listener"))],
        [role(asked=False)],
    ],
    ids=["not there", "other words", "other kind", "answer does not fit", "rests"],
)
def test_another_question_gets_no_answer(session: Session, there: list[CustomQuestion]) -> None:
    found = bring(session, [role()], there)
    assert (found.custom, found.not_alone) == ({}, ())


def test_what_a_cohort_sees_is_chosen_anew_and_the_rest_comes_along(session: Session) -> None:
    found = bring(session, [], [])
    assert found.shown is None
    assert (found.interests, found.languages) == (("Jazz",), ("English",))


def test_courses_to_join_are_open_and_new_to_the_learner(session: Session) -> None:
    signup = make_signup(session, make_course(session), email=ADDRESS)
    wanted = make_course(session, title="Next")
    make_course(session, title="Closed", state=CourseState.CLOSED)
    make_course(session, title="Later", opens_at=NOW + timedelta(days=1))
    make_signup(session, make_course(session, title="Known"), email=ADDRESS)
    left = make_signup(session, make_course(session, title="Left"), email=ADDRESS)
    left.state = SignupState.WITHDRAWN
    session.flush()
    assert old_answers.next_courses(session, signup, NOW) == [wanted, left.course]
    signup.confirmed_at = None
    assert old_answers.next_courses(session, signup, NOW) == []


def mails(session: Session) -> list[Mail]:
    return list(session.scalars(select(Mail).where(Mail.kind == "old_answers").order_by(Mail.id)))


def test_the_mail_goes_to_the_latest_confirmed_sign_up_elsewhere(session: Session, links: Links) -> None:
    course = make_course(session, slug="next", title="Next")
    for number, given in enumerate(({}, {"name": "Ada"}, {"confirmed_at": None}, {})):
        where = course if number == 3 else make_course(session)
        make_signup(session, where, email=ADDRESS, updated_at=NOW - timedelta(days=9 - number), **given)
    old_answers.ask(session, course, " Ada@Example.org", NOW)
    [mail] = mails(session)
    assert mail.signup is not None
    assert mail.signup.name == "Ada"
    message = notices.render(session, mail, links, "cohorts@example.org")
    assert message is not None
    assert message["Subject"] == "Your answers for Next"
    assert f"{links.learner(mail.signup)}/join/next\n" in message.get_content()


def test_asking_again_soon_sends_no_second_mail(session: Session) -> None:
    make_signup(session, make_course(session), email=ADDRESS)
    course = make_course(session)
    for minutes in (0, 5, 11):
        old_answers.ask(session, course, ADDRESS, NOW + timedelta(minutes=minutes))
    assert len(mails(session)) == 2


@pytest.mark.parametrize("email", ["stranger@example.org", "no address", ADDRESS])
def test_an_address_without_a_confirmed_sign_up_elsewhere_gets_nothing(session: Session, email: str) -> None:
    course = make_course(session)
    make_signup(session, course, email=ADDRESS)
    make_signup(session, make_course(session), email=ADDRESS, confirmed_at=None, state=SignupState.PENDING)
    old_answers.ask(session, course, email, NOW)
    assert mails(session) == []
    assert len(session.scalars(select(Signup)).all()) == 2

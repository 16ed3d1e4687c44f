"""Letters to learners: who gets one, once, slowly, with names that change nothing else."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from cohorts import letters, notices, privacy
from cohorts.exceptions import Conflict, InvalidInput, NotFound
from cohorts.links import Links
from cohorts.models import Audience, Mail, Message, SignupState, User, now
from cohorts.subscriptions import Topic
from tests.factories import make_cohort, make_course, make_signup, make_user

HOSTILE = "{link} {name} {{ 31 * 31337 }} %(name)s <b>\r\nBcc: all@example.org"


@pytest.fixture
def author(session: Session) -> User:
    return make_user(session, name="Olga")


@given(st.text(), st.text())
def test_what_is_put_in_is_never_looked_at_again(text: str, name: str) -> None:
    assert letters.fill_in("{name}", {"name": name, "link": "secret"}) == name
    assert letters.fill_in(text.replace("{", "("), {"name": name}) == text.replace("{", "(")
    assert letters.fill_in("{name.__class__} {0} {} {other}", {"name": name}) == (
        "{name.__class__} {0} {} {other}"
    )


def test_recipients_of_each_audience(session: Session, author: User) -> None:
    course = make_course(session, author)
    placed, free, waiting = (make_signup(session, course) for _ in range(3))
    waiting.waiting = True
    make_signup(session, course, state=SignupState.PENDING)
    make_signup(session, course, state=SignupState.WITHDRAWN)
    make_signup(session, make_course(session, author))
    deaf = make_signup(session, course, stopped_mails=[Topic.LETTERS.value])
    cohort = make_cohort(session, placed)
    expected = {
        Audience.EVERYONE: {placed.id, free.id, waiting.id},
        Audience.UNPLACED: {free.id},
        Audience.COHORT: {placed.id},
    }
    for audience, ids in expected.items():
        letter = letters.write(session, course, author, "Hello", "Hello", audience, cohort)
        found = letters.recipients(session, letter)
        assert set(found.ids) == ids
        assert found.stopped == (0 if audience is Audience.COHORT else 1)
    assert deaf.id not in expected[Audience.EVERYONE]


def test_send_once_and_a_few_at_a_time(session: Session, author: User) -> None:
    course = make_course(session, author)
    for _ in range(letters.A_MINUTE + 1):
        make_signup(session, course)
    letter = letters.write(session, course, author, "Hello", "Hello {name}", Audience.EVERYONE)
    at = now()
    assert letters.send(session, letter, at) == letters.A_MINUTE + 1
    starts = session.execute(
        select(Mail.not_before, func.count())
        .where(Mail.message_id == letter.id)
        .group_by(Mail.not_before)
        .order_by(Mail.not_before)
    )
    assert [tuple(row) for row in starts] == [(at, letters.A_MINUTE), (at + timedelta(minutes=1), 1)]
    for act in (
        lambda: letters.send(session, letter, at),
        lambda: letters.discard(session, letter),
        lambda: letters.rewrite(session, letter, "Other", "Other", Audience.EVERYONE),
    ):
        with pytest.raises(Conflict):
            act()
    assert (letter.n_sent, letter.subject) == (letters.A_MINUTE + 1, "Hello")


def test_send_no_more_than_some_a_day(session: Session, author: User) -> None:
    course = make_course(session, author)
    make_signup(session, course)
    at = now()
    for _ in range(letters.A_DAY):
        letters.send(session, letters.write(session, course, author, "A", "B", Audience.EVERYONE), at)
    last = letters.write(session, course, author, "A", "B", Audience.EVERYONE)
    with pytest.raises(Conflict):
        letters.send(session, last, at)
    assert letters.send(session, last, at + timedelta(days=1, minutes=1)) == 1


def test_send_to_nobody(session: Session, author: User) -> None:
    letter = letters.write(session, make_course(session, author), author, "A", "B", Audience.UNPLACED)
    with pytest.raises(Conflict):
        letters.send(session, letter, now())


def test_mail_of_a_hostile_name_title_and_text(session: Session, author: User, links: Links) -> None:
    course = make_course(session, author, title=HOSTILE)
    signup = make_signup(session, course, name=HOSTILE)
    letter = letters.write(session, course, author, "For {name}: {link}", HOSTILE, Audience.EVERYONE)
    letters.send(session, letter, now())
    mail = session.scalars(select(Mail).where(Mail.signup_id == signup.id)).one()
    message = notices.render(session, mail, links, "cohorts@example.org")
    assert message is not None
    assert message["Bcc"] is None
    assert message["Reply-To"] == author.email
    assert "/l/" not in message["Subject"]
    text = message.get_content()
    assert text.count(links.learner(signup)) == 1  # of the text, not of the name that was put into it
    assert "{{ 31 * 31337 }}" in text
    assert "971447" not in text


def test_try_out_goes_to_the_organiser_alone(session: Session, author: User, links: Links) -> None:
    course = make_course(session, author)
    make_signup(session, course)
    letter = letters.write(session, course, author, "Hello {name}", "{link} {cohort}", Audience.EVERYONE)
    letters.try_out(session, letter, author)
    mail = session.scalars(select(Mail)).one()
    message = notices.render(session, mail, links, "cohorts@example.org")
    assert message is not None
    assert (message["To"], message["Subject"]) == (f"Olga <{author.email}>", "Test: Hello Olga")
    assert "/l/" not in message.get_content()
    for _ in range(letters.TESTS - 1):
        letters.try_out(session, letter, author)
    with pytest.raises(Conflict):
        letters.try_out(session, letter, author)


def test_write_with_nothing_or_too_much(session: Session, author: User) -> None:
    course = make_course(session, author)
    for subject, text in ((" ", "text"), ("subject", " "), ("x" * 121, "text"), ("subject", "x" * 10_001)):
        with pytest.raises(InvalidInput):
            letters.write(session, course, author, subject, text, Audience.EVERYONE)
    letter = letters.write(session, course, author, "A\nB", "{nme}", Audience.EVERYONE)
    assert (letter.subject, letters.unknown_fields(letter)) == ("A B", ["nme"])
    with pytest.raises(NotFound):
        letters.get(session, make_course(session, author), letter.key)


def test_erasing_leaves_no_name_in_a_letter(session: Session, author: User) -> None:
    course = make_course(session, author)
    signup = make_signup(session, course, name="Ann Lee")
    make_signup(session, course)
    letter = letters.write(session, course, author, "About Ann Lee", "Ann Lee, Annlee", Audience.EVERYONE)
    letters.send(session, letter, now())
    privacy.erase(session, signup, now())
    session.expire_all()
    kept = session.scalars(select(Message)).one()
    assert (kept.subject, kept.text) == ("About …", "…, Annlee")
    assert session.scalar(select(func.count()).select_from(Mail).where(Mail.message_id == letter.id)) == 1


def test_sending_takes_a_fixed_number_of_queries(
    session: Session, author: User, count_queries: list[str]
) -> None:
    counts = []
    for number in (3, 300):
        course = make_course(session, author)
        for _ in range(number):
            make_signup(session, course)
        letter = letters.write(session, course, author, "A", "B", Audience.EVERYONE)
        count_queries.clear()
        letters.send(session, letter, now())
        counts.append(len([each for each in count_queries if not each.startswith("INSERT")]))
    assert counts[0] == counts[1]

"""Writing to learners, from the form to the outbox."""

from collections.abc import Callable

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from cohorts.models import Audience, Mail, Message, User
from tests.factories import make_cohort, make_course, make_signup, make_user

SignIn = Callable[[User], FlaskClient]


@pytest.fixture
def browser(session: Session, signed_in: SignIn) -> FlaskClient:
    owner = make_user(session, name="<b>Olga</b>")
    course = make_course(session, owner, slug="poems")
    make_cohort(session, make_signup(session, course), name="Owls")
    make_signup(session, course)
    session.commit()
    return signed_in(owner)


def draft(session: Session, browser: FlaskClient, **given: str) -> str:
    """Write a letter; return the path of its page."""
    data = {"to": "everyone", "subject": "Hello {name}", "text": "Dear {name}, {link}"} | given
    answer = browser.post("/organise/poems/letters/new", data=data)
    assert answer.status_code == 302, answer.text
    path: str = answer.location
    return path


def test_letter_is_seen_tried_out_and_sent_once(session: Session, browser: FlaskClient) -> None:
    path = draft(session, browser)
    page = browser.get(path).text
    assert "Hello &lt;b&gt;Olga&lt;/b&gt;" in page
    assert "2 learners get it" in page
    assert browser.post(f"{path}/test").status_code == 302
    assert [bool(mail.user_id) for mail in session.scalars(select(Mail))] == [True]
    session.commit()
    assert browser.post(f"{path}/send").status_code == 302
    assert browser.post(f"{path}/send").status_code == 409
    assert browser.post(f"{path}/discard").status_code == 409
    assert len(session.scalars(select(Mail).where(Mail.signup_id.is_not(None))).all()) == 2
    session.commit()
    assert "Hello {name}" in browser.get("/organise/poems/letters").text


def test_letter_to_a_cohort(session: Session, browser: FlaskClient) -> None:
    form = browser.get("/organise/poems/letters/new?to=unplaced").text
    assert 'selected value="unplaced"' in form
    key = form.partition('">Owls</option>')[0].rpartition('value="')[2]
    path = draft(session, browser, to=key)
    assert session.scalars(select(Message)).one().audience is Audience.COHORT
    session.commit()
    edited = browser.post(f"{path}/edit", data={"to": "unplaced", "subject": "A", "text": "B"})
    assert edited.status_code == 302
    session.expire_all()
    assert session.scalars(select(Message.audience)).one() is Audience.UNPLACED
    session.commit()
    assert browser.post(f"{path}/discard").status_code == 302
    assert browser.get(path).status_code == 404


@pytest.mark.parametrize(
    "wrong",
    [{"subject": ""}, {"text": ""}, {"to": "somebody"}, {"subject": "x" * 121}, {"text": "x" * 10_001}],
)
def test_letter_with_a_wrong_field(session: Session, browser: FlaskClient, wrong: dict[str, str]) -> None:
    data = {"to": "everyone", "subject": "Hello", "text": "Dear"} | wrong
    answer = browser.post("/organise/poems/letters/new", data=data)
    assert answer.status_code == 422
    assert f'href="#{next(iter(wrong))}"' in answer.text
    assert session.scalars(select(Message)).all() == []

"""Old answers in the form of the next course: filled in for the owner of a link, and for nobody else."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from cohorts.database import Database
from cohorts.links import Links
from cohorts.models import Course, Mail, Signup, SignupState
from cohorts.questions import Experience
from tests.factories import make_course, make_signup


@pytest.fixture
def saved(session: Session) -> Iterator[Session]:
    """Give a session for preparing rows; ``commit`` it before a request."""
    yield session
    session.rollback()


@pytest.fixture
def next_course(saved: Session) -> Course:
    return make_course(saved, slug="next", title="The next course")


@pytest.fixture
def old(saved: Session) -> Signup:
    return make_signup(
        saved,
        make_course(saved, title="The old course"),
        ("Jazz", "Chess"),
        name="Ada <Lovelace>",
        email="ada@example.org",
        time_zone="Europe/London",
        experience=Experience.ADVANCED,
        goal="To play.",
        locale="es",
    )


def path(links: Links, signup: Signup, then: str = "") -> str:
    return f"/l/{links.learner_token(signup)}{then}"


def test_one_press_on_the_own_page_fills_in_the_form(
    client: FlaskClient, saved: Session, old: Signup, next_course: Course, links: Links
) -> None:
    old.locale = ""
    saved.commit()
    page = client.get(path(links, old)).text
    address = path(links, old, "/join/next")
    assert f'href="{address}"' in page
    text = client.get(address).text
    assert "Your answers for “The old course” are filled in." in text
    assert 'value="Ada &lt;Lovelace&gt;"' in text
    assert 'value="ada@example.org"' in text
    assert '<option value="Europe/London" selected>' in text
    assert "Chess\nJazz</textarea>" in text
    assert re.search(r'value="advanced"[^>]*checked|checked[^>]*value="advanced"', text)
    free = re.findall(r'name="availability" value="(\d+)" aria-label="[^"]*" checked', text)
    assert free == [str(slot) for slot in sorted(old.availability)]
    saved.expire_all()
    assert saved.scalar(select(func.count(Signup.id))) == 1


def test_signing_up_with_them_asks_to_confirm_as_always(
    client: FlaskClient, saved: Session, old: Signup, next_course: Course, links: Links, database: Database
) -> None:
    saved.commit()
    answers = {"name": "Ada", "email": old.email, "time_zone": "UTC", "availability": "36"}
    address = path(links, old, "/join/next")
    wrong = client.post(address, data={**answers, "availability": ""})
    assert wrong.status_code == 422
    assert f'action="{address}"' in wrong.text
    assert client.post(address, data=answers).headers["Location"] == "/c/next/thanks"
    with database.reading() as session:
        signup = session.scalars(select(Signup).where(Signup.course_id == next_course.id)).one()
        assert (signup.state, signup.locale) == (SignupState.PENDING, "es")
        assert session.scalars(select(Mail.kind)).all() == ["confirm"]


@pytest.mark.parametrize("case", ["not confirmed", "same course"])
def test_answers_that_nobody_confirmed_or_of_the_same_course_are_not_brought(
    client: FlaskClient, saved: Session, old: Signup, next_course: Course, links: Links, case: str
) -> None:
    if case == "not confirmed":
        old.state, old.confirmed_at = SignupState.PENDING, None
    else:
        old.course = next_course
    saved.commit()
    address = path(links, old, "/join/next")
    for answer in (client.get(address), client.post(address, data={})):
        assert answer.status_code == 404
        assert "Lovelace" not in answer.text


def test_asking_by_address_looks_the_same_for_everybody(
    client: FlaskClient, saved: Session, old: Signup, next_course: Course, database: Database
) -> None:
    old.locale = ""
    saved.commit()
    known = client.post("/c/next/old-answers", data={"email": old.email})
    unknown = client.post("/c/next/old-answers", data={"email": "bob@example.org"})
    assert known.text.replace(old.email, "…") == unknown.text.replace("bob@example.org", "…")
    assert known.status_code == unknown.status_code == 200
    with database.reading() as session:
        [mail] = session.scalars(select(Mail)).all()
        assert (mail.signup_id, mail.course_id) == (old.id, next_course.id)


def test_nobody_is_offered_answers_on_the_public_page(
    client: FlaskClient, saved: Session, old: Signup, next_course: Course, links: Links
) -> None:
    saved.commit()
    client.get(path(links, old))  # a link that was opened on this device before opens nothing by itself
    text = client.get("/c/next").text
    assert "Lovelace" not in text
    assert 'href="/c/next/old-answers"' in text

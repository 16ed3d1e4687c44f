"""Three hundred sign-ups in every kind of file, as its tool writes it, arrive as they were."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from cohorts import availability, sample
from cohorts.answers import Answers, answers_of
from cohorts.models import Course, Interest, Signup, User
from cohorts.week import SLOTS
from tests.factories import make_course, make_signup, make_user
from tests.tool_makers import KINDS
from tests.web.test_import_pages import go_on, upload
from tests.web.test_organiser import text_of
from tests.web.test_questions import alone

PEOPLE = [
    replace(
        each,
        if_needed=frozenset((slot + 1) % SLOTS for slot in each.availability) if place % 3 else frozenset(),
    )
    for place, each in enumerate(sample.people(300, 5))
]
ZONE, HOURS = "Africa/Nairobi", "Mon 18:00-20:00"


@pytest.fixture
def organiser(session: Session) -> User:
    user = make_user(session)
    session.commit()
    return user


@pytest.fixture
def course(session: Session, organiser: User) -> Course:
    course = make_course(session, organiser, slug="poems")
    options = sample.interests_of(PEOPLE)
    course.interests = [Interest(label=label, key=label.casefold()) for label in options]
    session.commit()
    return course


@pytest.fixture
def browser(signed_in: Callable[[User], FlaskClient], session: Session, organiser: User) -> FlaskClient:
    return alone(signed_in(organiser), session)


@pytest.mark.parametrize(
    ("database", "name"),
    [*(("sqlite", name) for name in KINDS), ("postgresql", "google")],
    indirect=["database"],
)
def test_all_sign_ups_of_a_file_arrive(
    name: str, session: Session, course: Course, browser: FlaskClient, tmp_path: Path
) -> None:
    kind = KINDS[name]
    if "email" in kind.lacks:  # a poll knows names, so the list of the class has come before it
        for each in PEOPLE:
            make_signup(session, course, name=each.name, email=each.email, time_zone=ZONE)
        session.commit()
    file = tmp_path / f"sign-ups{kind.suffix}"
    kind.make(file, PEOPLE)
    address = upload(browser, file.read_bytes(), file.name).location
    if address.endswith("/columns"):
        assert f"{file.name} · {kind.dialect}" in text_of(browser.get(address))
        lacks = {"zone": ZONE if "time_zone" in kind.lacks else "", "hours": HOURS}
        address = go_on(browser, address, **lacks).location
    page = text_of(browser.get(address))
    assert "Every row can be read" in page
    assert browser.post(f"{address}/apply").status_code == 302
    session.expire_all()
    found = session.scalars(select(Signup).options(selectinload(Signup.interests)))
    stored = {signup.email: answers_of(signup) for signup in found}
    assert stored.keys() == {each.email for each in PEOPLE}
    for person in PEOPLE:
        assert said(stored[person.email], kind.tells) == said(person, kind.tells)
    if "availability" in kind.lacks:
        assert {(each.time_zone, each.availability) for each in stored.values()} == {
            (ZONE, availability.parse(HOURS))
        }


def said(answers: Answers, tells: frozenset[str]) -> dict[str, object]:
    """Return some answers; those that are lists in no order."""
    found = {name: getattr(answers, name) for name in tells}
    return {name: set(each) if isinstance(each, tuple) else each for name, each in found.items()}

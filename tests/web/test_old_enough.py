"""Old enough? as the form asks it, without a script: by the zone chosen on the same form."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from cohorts.database import Database
from cohorts.links import Links
from cohorts.models import Course, Signup
from tests.factories import make_course, make_signup

ADA: dict[str, Any] = {
    "name": "Ada Lovelace",
    "email": "ada@example.org",
    "time_zone": "Europe/Madrid",
    "availability": ["36", "37", "38"],
    "goal": "To win at chess.",
}


@pytest.fixture
def saved(session: Session) -> Iterator[Session]:
    """Give a session for preparing rows; ``commit`` it before a request."""
    yield session
    session.rollback()


@pytest.fixture
def course(saved: Session) -> Course:
    found = make_course(saved, slug="web", asks_age=True)
    saved.commit()
    return found


def signed_up(database: Database) -> list[Signup]:
    with database.reading() as session:
        return list(session.scalars(select(Signup)))


def send(client: FlaskClient, answer: str = "", age: str = "", **given: Any) -> TestResponse:
    return client.post("/c/web", data={**ADA, "old_enough": answer, "age_asked": age, **given})


def age_asked(text: str) -> str:
    found = re.search(r'name="age_asked" value="(\d+)"', text)
    assert found is not None
    assert f"I am at least {found[1]} years old" in text
    return found[1]


def test_who_has_not_chosen_a_zone_is_asked_about_the_age_elsewhere(
    client: FlaskClient, course: Course
) -> None:
    assert age_asked(client.get("/c/web").text) == "16"


def test_a_course_that_does_not_ask_shows_no_such_question(client: FlaskClient, saved: Session) -> None:
    make_course(saved, slug="web")
    saved.commit()
    assert 'name="old_enough"' not in client.get("/c/web").text
    assert send(client).status_code == 302


@pytest.mark.parametrize(
    ("answer", "age", "zone"),
    [
        ("", "16", "Europe/Madrid"),
        ("yes", "", "Europe/Madrid"),
        ("yes", "99", "Europe/Madrid"),
        ("maybe", "14", "Europe/Madrid"),
        ("yes", "13", "Europe/Madrid"),
        ("no", "16", "Europe/Madrid"),
    ],
    ids=[
        "no answer",
        "no age",
        "made up age",
        "made up answer",
        "younger than it takes",
        "older than it takes",
    ],
)
def test_the_form_comes_again_with_that_one_question(
    client: FlaskClient, course: Course, database: Database, answer: str, age: str, zone: str
) -> None:
    shown = send(client, answer, age, time_zone=zone)
    assert shown.status_code == 422
    assert age_asked(shown.text) == "14"
    assert re.findall(r'<li><a href="#(\w+)">', shown.text) == ["old_enough"]
    assert 'value="Ada Lovelace"' in shown.text
    assert "To win at chess.</textarea>" in shown.text
    assert '<option value="Europe/Madrid" selected>' in shown.text
    assert shown.text.count('name="old_enough"') == 2
    assert not re.search(r'name="old_enough"[^>]*checked', shown.text)
    assert signed_up(database) == []
    assert send(client, "yes", "14").status_code == 302


@pytest.mark.parametrize("age", ["14", "16"])
def test_yes_to_enough_years_signs_up(
    client: FlaskClient, course: Course, database: Database, age: str
) -> None:
    assert send(client, "yes", age).status_code == 302
    assert [(each.of_age, each.of_age_at is not None) for each in signed_up(database)] == [(int(age), True)]


def test_whoever_is_too_young_is_told_what_to_do_and_nothing_is_kept(
    client: FlaskClient, course: Course, database: Database
) -> None:
    answer = send(client, "no", "14", availability="")
    assert answer.status_code == 422
    assert "people under 14 sign up" in answer.text
    assert "parent or guardian" in answer.text
    assert 'data-signed-up="web"' in answer.text  # what the browser kept of the form goes, too
    for word in ("Ada", "example.org", "chess"):
        assert word not in answer.text
    assert signed_up(database) == []


def test_without_a_zone_a_no_waits_for_it(client: FlaskClient, course: Course, database: Database) -> None:
    shown = send(client, "no", "16", time_zone="")
    assert re.findall(r'<li><a href="#(\w+)">', shown.text) == ["time_zone"]
    assert re.search(r'value="no" required checked', shown.text)


def test_changing_answers_asks_only_where_it_takes_more_years(
    client: FlaskClient, saved: Session, course: Course, links: Links, database: Database
) -> None:
    signup = make_signup(saved, course, time_zone="Europe/London", of_age=13)
    saved.commit()
    path = f"/l/{links.learner_token(signup)}/edit"
    assert 'name="old_enough"' not in client.get(path).text
    moved = {**ADA, "email": ""}
    shown = client.post(path, data=moved)
    assert (shown.status_code, age_asked(shown.text)) == (422, "14")
    refused = client.post(path, data={**moved, "old_enough": "no", "age_asked": "14"})
    assert "Your new answers are not saved." in refused.text
    assert [each.time_zone for each in signed_up(database)] == ["Europe/London"]
    assert client.post(path, data={**moved, "old_enough": "yes", "age_asked": "14"}).status_code == 302
    assert [(each.time_zone, each.of_age) for each in signed_up(database)] == [("Europe/Madrid", 14)]

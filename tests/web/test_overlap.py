"""The live count beside the week of the sign-up form."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from cohorts.links import Links
from cohorts.models import CourseState
from tests.factories import MONDAY_EVENING, make_course, make_signup
from web import overlap

WEEK = {"time_zone": "UTC", "availability": [str(slot) for slot in MONDAY_EVENING]}


def ask(client: FlaskClient, **given: Any) -> str:
    answer = client.post("/c/web/overlap", data={**WEEK, **given})
    assert answer.status_code == 200
    return str(answer.get_json()["text"])


def test_count_is_told_in_fives(session: Session, client: FlaskClient) -> None:
    course = make_course(session, slug="web")
    for _ in range(13):
        make_signup(session, course, name="Secret Name")
    session.commit()
    answer = client.post("/c/web/overlap", data=WEEK)
    assert answer.get_json() == {"text": "You share a meeting time with about 10 of 10 people so far."}
    assert answer.headers["Cache-Control"] == "no-store"


def test_zones_are_heeded(session: Session, client: FlaskClient) -> None:
    course = make_course(session, slug="web")
    for _ in range(5):
        make_signup(session, course, time_zone="Asia/Tokyo")
    session.commit()
    assert ask(client).startswith("Fewer than 5 of 5 share a meeting time")
    tokyo = {"availability": [str(slot - 18) for slot in MONDAY_EVENING]}
    assert ask(client, **tokyo) == "You share a meeting time with about 5 of 5 people so far."
    assert ask(client, time_zone="Asia/Tokyo").endswith("5 of 5 people so far.")


def test_few_sign_ups_and_short_hours_are_not_counted(session: Session, client: FlaskClient) -> None:
    course = make_course(session, slug="web", meeting_minutes=60)
    for _ in range(4):
        make_signup(session, course)
    session.commit()
    assert ask(client).startswith("Too few have signed up yet")
    assert ask(client, availability=["36"]).startswith("Mark 60 minutes in a row")
    assert ask(client, availability=["36"], if_needed=["37"]).startswith("Too few have signed up yet")


@pytest.mark.parametrize(
    "given",
    [
        {"time_zone": "Mars/Olympus"},
        {"time_zone": ""},
        {"availability": ["336"]},
        {"availability": ["-1"]},
        {"if_needed": ["one"]},
    ],
)
def test_what_is_no_week_is_refused(session: Session, client: FlaskClient, given: dict[str, Any]) -> None:
    make_course(session, slug="web")
    session.commit()
    assert client.post("/c/web/overlap", data={**WEEK, **given}).status_code == 422


def test_drafts_are_not_counted_nor_asked_by_address(session: Session, client: FlaskClient) -> None:
    make_course(session, slug="web", state=CourseState.DRAFT)
    make_course(session, slug="open")
    session.commit()
    assert client.post("/c/web/overlap", data=WEEK).status_code == 404
    assert client.get("/c/open/overlap").status_code == 405


def test_asking_without_end_is_refused(
    session: Session, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(overlap, "QUESTIONS_A_MINUTE", 3)
    make_course(session, slug="web")
    session.commit()
    found = [client.post("/c/web/overlap", data=WEEK).status_code for _ in range(4)]
    assert found == [200, 200, 200, 429]
    elsewhere = client.post("/c/web/overlap", data=WEEK, environ_base={"REMOTE_ADDR": "192.0.2.7"})
    assert elsewhere.status_code == 200


def test_asking_needs_the_token_of_the_page(app: Flask, session: Session) -> None:
    make_course(session, slug="web")
    session.commit()
    app.config["WTF_CSRF_ENABLED"] = True
    assert app.test_client().post("/c/web/overlap", data=WEEK).status_code == 400


def test_page_of_a_sign_up_tells_of_the_others(session: Session, client: FlaskClient, links: Links) -> None:
    course = make_course(session, slug="web")
    signups = [make_signup(session, course) for _ in range(11)]
    session.commit()
    page = client.get(links.learner(signups[0]).removeprefix(links.public_url)).get_data(as_text=True)
    assert "You share a meeting time with about 5 of 5 people so far." in page

"""Rematching on the site: what the organiser sees and decides, and what the learners see of it."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from cohorts import moves, rematch_rules, runs
from cohorts.database import Database
from cohorts.links import Links
from cohorts.models import (
    AuditEntry,
    Connection,
    Course,
    CourseState,
    Membership,
    RematchWhen,
    Run,
    RunKind,
    RunState,
    Signup,
    Source,
    User,
    now,
)
from tests.factories import make_cohort, make_course, make_signup, make_user


@pytest.fixture
def town(database: Database, signed_in: Callable[[User], FlaskClient]) -> tuple[FlaskClient, dict[str, str]]:
    """An organiser's browser, and a course with a cohort too small beside a large one."""
    with database.transaction() as session:
        owner = make_user(session)
        course = make_course(
            session, owner, slug="town", state=CourseState.RUNNING, size_min=3, target_size=4, size_max=6
        )
        names = ("Ana", "Bo", "Cleo", "Dan", "Eve", "Finn", "Gil")
        people = {name: make_signup(session, course, name=name) for name in names}
        make_cohort(session, *(people[each] for each in names[:4]), name="Large")
        make_cohort(session, *(people[each] for each in names[4:]), name="Small")
        for one, other in (("Eve", "Ana"), ("Ana", "Eve"), ("Finn", "Bo")):
            session.add(
                Connection(
                    course_id=course.id,
                    from_id=people[one].id,
                    to_id=people[other].id,
                    source=Source.TALKED_WITH,
                )
            )
        moves.leave_course(session, people["Gil"], None, "", now())
        keys = {name: each.key for name, each in people.items()}
    return signed_in(owner), keys


def words(page: str) -> str:
    """Return the text of the main part of a page, one space between words."""
    main = page[page.index("<main") :]
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", main)).split())


def asked_and_done(browser: FlaskClient, database: Database) -> str:
    """Press Rematch, let a worker do it, and return the address of what it proposes."""
    answer = browser.post("/organise/town/rematch", data={"keep_small": "y", "max_moves": ""})
    assert answer.status_code == 302
    with database.reading() as session:
        run = session.scalars(select(Run).where(Run.kind == RunKind.REMATCH)).one()
    assert b"Cohorts are being formed" in browser.get(answer.location).data
    runs.execute(database, run.id, "worker")
    return str(answer.location)


def learner_page(client: FlaskClient, database: Database, links: Links, key: str, page: str) -> str:
    with database.reading() as session:
        signup = session.scalars(select(Signup).where(Signup.key == key)).one()
        token = links.learner_token(signup)
    return words(client.get(f"/l/{token}{page}").text)


def test_the_page_says_why_a_cohort_is_too_small(town: tuple[FlaskClient, dict[str, str]]) -> None:
    browser, _keys = town
    text = words(browser.get("/organise/town/rematch").text)
    assert "Small 2, needs 3 1 left the course" in text
    assert "Rematch now" in text


def test_a_rematch_is_read_and_accepted_in_part(
    town: tuple[FlaskClient, dict[str, str]], database: Database, client: FlaskClient, links: Links
) -> None:
    browser, keys = town
    address = asked_and_done(browser, database)
    page = browser.get(address).text
    text = words(page)
    assert "Small joins Large" in text
    assert "The cohort they were in has come down to 2 people." in text
    assert "6 after" in text
    [bundle] = set(re.findall(r'name="bundle" value="(\d+)"', page))
    answer = browser.post(f"{address}/accept", data={"bundle": bundle}, follow_redirects=True)
    assert b"2 learners have another seat" in answer.data
    assert b"Take it back" in answer.data
    eve = learner_page(client, database, links, keys["Eve"], "/cohort")
    assert "You are new here Your cohort Small had become too small" in eve
    assert "You know somebody here already: Ana." in eve
    finn = learner_page(client, database, links, keys["Finn"], "/cohort")
    assert "You are new here" in finn
    assert "You know somebody here" not in finn
    assert browser.post(f"{address}/accept", data={"bundle": bundle}).status_code == 409
    taken = browser.post(f"{address}/take-back", follow_redirects=True)
    assert b"everybody sits where they sat" in taken.data
    assert "You are new here" not in learner_page(client, database, links, keys["Eve"], "/cohort")
    with database.reading() as session:
        done = set(session.scalars(select(AuditEntry.action)))
        assert done >= {"rematch", "accept_rematch", "take_rematch_back"}


def test_declining_changes_nothing(town: tuple[FlaskClient, dict[str, str]], database: Database) -> None:
    browser, _keys = town
    address = asked_and_done(browser, database)
    assert b"nobody is told anything" in browser.post(f"{address}/decline", follow_redirects=True).data
    assert browser.post(f"{address}/decline").status_code == 409
    with database.reading() as session:
        assert (
            session.scalars(select(Run.state).where(Run.kind == RunKind.REMATCH)).one() is RunState.PROPOSED
        )
        assert len(session.scalars(select(Membership).where(Membership.until.is_(None))).all()) == 6


def test_a_rematch_is_no_proposal_to_publish(
    town: tuple[FlaskClient, dict[str, str]], database: Database
) -> None:
    browser, _keys = town
    address = asked_and_done(browser, database)
    as_run = address.replace("/rematches/", "/runs/")
    assert browser.get(as_run).location == address
    for page in ("board", "publish"):
        assert browser.get(f"{as_run}/{page}").status_code == 404
    assert "Rematch" in words(browser.get("/organise/town/runs").text)


def test_the_rule_is_set_and_refused_in_words(
    town: tuple[FlaskClient, dict[str, str]], database: Database
) -> None:
    browser, _keys = town
    rule = {"trigger": "too small", "acts": "act", "act_within": "3", "rule_small": "y"}
    assert browser.post("/organise/town/rematch/rule", data=rule).status_code == 303
    with database.reading() as session:
        course = session.scalars(select(Course)).one()
        found = rematch_rules.of_course(session, course)
        assert (found.trigger, found.act_within, found.keep_small) == (RematchWhen.TOO_SMALL, 3, True)
    refused = browser.post("/organise/town/rematch/rule", data=rule | {"act_within": "many"})
    assert refused.status_code == 422
    assert b"Write a whole number" in refused.data


def test_a_learner_asks_for_another_cohort_and_stays_after_all(
    town: tuple[FlaskClient, dict[str, str]], database: Database, client: FlaskClient, links: Links
) -> None:
    _browser, keys = town
    with database.reading() as session:
        ana = session.scalars(select(Signup).where(Signup.key == keys["Ana"])).one()
        token = links.learner_token(ana)
    asked = client.post(f"/l/{token}/another-cohort", follow_redirects=True)
    assert b"You asked for another cohort" in asked.data
    stayed = client.post(f"/l/{token}/another-cohort", data={"stay": "1"}, follow_redirects=True)
    assert b"You asked for another cohort" not in stayed.data

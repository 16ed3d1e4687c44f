"""The pages around going quiet: asked why, answered by one press, and told to organisers with care."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from cohorts import memberships, presence
from cohorts.database import Database
from cohorts.links import Links
from cohorts.models import CheckIn, Cohort, Course, CourseState, Presence, Signup, User, now
from tests.factories import make_cohort, make_course, make_signup, make_user
from tests.web.test_organiser import course_form


@pytest.fixture
def cohort(database: Database) -> Cohort:
    """Me, who was asked after two missed check-ins, and two others; all of them run by Olga."""
    with database.transaction() as session:
        olga = make_user(session, name="Olga")
        monday = now().date() - timedelta(days=now().date().weekday())
        course = make_course(
            session,
            olga,
            slug="quiet",
            state=CourseState.RUNNING,
            start=monday - timedelta(weeks=3),
            nudge_after=2,
            remove_after=2,
            size_min=2,
        )
        people = [make_signup(session, course, name=name) for name in ("Me", "Mate", "Other")]
        cohort = make_cohort(session, *people, name="Larks", at=now() - timedelta(weeks=5))
        session.add_all(CheckIn(signup_id=people[1].id, week=week) for week in (1, 2, 3))
        presence.keep(session, [people[0].id], nudged_at=now())
        return cohort


def person(database: Database, name: str) -> Signup:
    with database.reading() as session:
        return session.scalars(select(Signup).where(Signup.name == name)).one()


def page_of(links: Links, signup: Signup) -> str:
    return links.learner(signup).removeprefix(links.public_url)


def known(database: Database, name: str = "Me") -> Presence:
    with database.reading() as session:
        return presence.of(session, person(database, name))


def let_go(database: Database, name: str = "Me") -> None:
    with database.transaction() as session:
        signup = session.scalars(select(Signup).where(Signup.name == name)).one()
        presence.keep(session, [signup.id], removed_at=now())
        memberships.move(session, {signup: None}, memberships.SILENT, now(), told=None)


def test_whoever_is_asked_reads_why_and_answers_with_one_press(
    client: FlaskClient, database: Database, cohort: Cohort, links: Links
) -> None:
    path = page_of(links, person(database, "Me"))
    assert "Are you still there?" in client.get(path).text
    page = client.get(f"{path}/still-here").text
    assert "The check-ins of weeks 1, 2 and 3." in page
    for words in ("I am away for a while", "I would like another cohort", "I am leaving"):
        assert words in page
    assert "Are you still there?" in client.get(path).text  # to open a page says nothing
    assert client.post(f"{path}/still-here").status_code == 302
    assert "Are you still there?" not in client.get(path).text
    assert "You have missed nothing since we last heard from you" in client.get(f"{path}/my-data").text
    assert known(database).nudged_at is None


def test_any_button_of_ones_own_is_a_sign_of_life_and_no_page_is(
    client: FlaskClient, database: Database, cohort: Cohort, links: Links
) -> None:
    path = page_of(links, person(database, "Me"))
    for page in ("", "/still-here", "/my-data", "/cohort", "/check-in", "/changes", "/my-data.json"):
        assert client.get(path + page).status_code == 200
    assert known(database).seen_at is None
    client.post(f"{path}/cohort/vote", data={"block": "Europe/Berlin:38", "suits": "yes"})
    assert known(database).seen_at is not None
    assert known(database).nudged_at is None


def test_one_press_brings_somebody_back_to_their_old_seat(
    client: FlaskClient, database: Database, cohort: Cohort, links: Links
) -> None:
    let_go(database)
    path = page_of(links, person(database, "Me"))
    assert "Your seat is free for others" in client.get(path).text
    assert "Bring me back" in client.get(f"{path}/still-here").text
    answer = client.post(f"{path}/rejoin")
    assert answer.headers["Location"].endswith("/cohort")
    assert "Larks" in client.get(f"{path}/cohort").text
    assert client.post(f"{path}/rejoin").status_code == 302  # twice is the same as once


def test_whoever_finds_their_seat_taken_is_shown_others(
    client: FlaskClient, database: Database, cohort: Cohort, links: Links
) -> None:
    let_go(database)
    with database.transaction() as session:
        session.get_one(Cohort, cohort.id).ended_at = now()
    path = page_of(links, person(database, "Me"))
    answer = client.post(f"{path}/rejoin", follow_redirects=True)
    assert "You are among those who are seated next" in answer.text


def test_whoever_gets_no_mails_reads_so_and_says_that_their_address_works(
    client: FlaskClient, database: Database, cohort: Cohort, links: Links
) -> None:
    mate = person(database, "Mate")
    with database.transaction() as session:
        presence.bounced(session, session.get_one(Signup, mate.id), now())
    path = page_of(links, mate)
    assert "Our mails do not reach you" in client.get(path).text
    client.post(f"{path}/still-here")
    assert "Our mails do not reach you" not in client.get(path).text
    assert known(database, "Mate").bounced_at is None


def test_organisers_read_whose_seat_was_given_free_and_not_who_was_asked(
    database: Database, cohort: Cohort, links: Links, signed_in: Callable[[User], FlaskClient]
) -> None:
    with database.reading() as session:
        olga = session.scalars(select(User).where(User.name == "Olga")).one()
    browser = signed_in(olga)
    assert "Who has gone quiet" not in browser.get("/organise/quiet").text  # one who was asked is too few
    let_go(database)
    desk = browser.get("/organise/quiet").text
    assert "1 seat released" in desk
    me = person(database, "Me")
    assert f"/organise/quiet/signups/{me.key}" in desk
    listed = browser.get("/organise/quiet/signups?state=gone").text
    assert (">Me<" in listed, ">Mate<" in listed) == (True, False)
    page = browser.get(f"/organise/quiet/signups/{me.key}").text
    assert "Larks" in page
    assert "No sign of life; the seat was released" in page
    assert "Gave no sign of life" in browser.get("/organise/quiet/roster").text
    with database.transaction() as session:
        presence.bounced(session, session.get_one(Signup, me.id), now())
    assert "a mail server refused a mail" in browser.get(f"/organise/quiet/signups/{me.key}").text
    assert "1 address takes no mail" in browser.get("/organise/quiet").text


def test_the_rule_is_set_with_the_course(
    database: Database, cohort: Cohort, signed_in: Callable[[User], FlaskClient]
) -> None:
    with database.reading() as session:
        olga = session.scalars(select(User).where(User.name == "Olga")).one()
        course = session.scalars(select(Course)).one()
    browser = signed_in(olga)
    assert 'name="nudge_after"' in browser.get("/organise/quiet/settings").text
    form = course_form(slug="quiet", start=course.start.isoformat(), weeks=str(course.weeks), size_min="2")
    for nudge, remove, status in (("3", "0", 302), ("99", "0", 422)):
        answer = browser.post(
            "/organise/quiet/settings", data={**form, "nudge_after": nudge, "remove_after": remove}
        )
        assert answer.status_code == status
    with database.reading() as session:
        found = session.scalars(select(Course)).one()
        assert (found.nudge_after, found.remove_after) == (3, 0)

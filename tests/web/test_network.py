"""The page of a course's connections, and what draws it in a browser."""

import itertools
from collections.abc import Callable
from datetime import date, timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from cohorts.models import (
    AuditEntry,
    Connection,
    Course,
    CourseState,
    Seat,
    Signup,
    Source,
    TieStudy,
    User,
    now,
)
from tests.factories import make_cohort, make_course, make_signup, make_user

SignIn = Callable[[User], FlaskClient]


@pytest.fixture
def owner(session: Session) -> User:
    return make_user(session)


@pytest.fixture
def course(session: Session, owner: User) -> Course:
    start = date.today() - timedelta(weeks=5)
    return make_course(session, owner, slug="poems", start=start, state=CourseState.RUNNING)


def cohorts_of(session: Session, course: Course, number: int) -> list[Signup]:
    """Five people to a cohort, each connected with the next."""
    people = [make_signup(session, course, created_at=now() - timedelta(weeks=9)) for _ in range(number)]
    for first in range(0, number, 5):
        make_cohort(session, *people[first : first + 5])
    for one, two in itertools.pairwise(people):
        row = {"course_id": course.id, "from_id": one.id, "to_id": two.id, "source": Source.TALKED_WITH}
        session.add(Connection(**row, at=now()))
    session.commit()
    return people


@pytest.mark.parametrize("path", ["connections", "connections.json"])
def test_connections_take_as_many_queries_for_600_people_as_for_30(
    session: Session,
    course: Course,
    owner: User,
    signed_in: SignIn,
    count_queries: list[str],
    path: str,
) -> None:
    session.commit()
    browser, found = signed_in(owner), []
    for number in (30, 570):
        cohorts_of(session, course, number)
        count_queries.clear()
        assert browser.get(f"/organise/poems/{path}").status_code == 200
        found.append(len([each for each in count_queries if each.startswith("SELECT")]))
    assert found[0] == found[1] <= 20


def test_page_names_only_who_allows_it_and_hides_small_numbers(
    session: Session, course: Course, owner: User, signed_in: SignIn
) -> None:
    people = [make_signup(session, course, name=f"Hidden Person {each}") for each in range(8)]
    people[7].name, people[7].findable = "Findable Freda", True
    people[0].findable = True
    make_cohort(session, *people[:4], name="Left cohort")
    make_cohort(session, *people[4:], name="Right cohort")
    row = {"course_id": course.id, "from_id": people[0].id, "to_id": people[4].id}
    session.add(Connection(**row, source=Source.GO_ON_WITH, at=now()))
    session.commit()
    page = signed_in(owner).get("/organise/poems/connections").text
    assert "Hidden Person" not in page
    assert "Findable Freda" in page
    assert "6 of 8 people in cohorts are connected with nobody" in page
    assert page.count('data-label="Pairs with others">of fewer than 5 people') == 2
    assert "<dd>fewer than 5</dd>" in page
    assert "GO_ON" not in page
    drawn = signed_in(owner).get("/organise/poems/connections.json")
    assert "Person" not in drawn.text
    assert "Freda" not in drawn.text
    data = drawn.get_json()
    assert [(each["name"], len(each["people"])) for each in data["cohorts"]] == [
        ("Left cohort", 8),
        ("Right cohort", 8),
    ]
    assert data["lines"] == [[0, 1, 0]]


def test_page_says_when_there_is_nothing_yet(
    session: Session, course: Course, owner: User, signed_in: SignIn
) -> None:
    session.commit()
    assert "No cohorts yet" in signed_in(owner).get("/organise/poems/connections").text
    assert signed_in(owner).get("/organise/poems/connections.json").get_json()["cohorts"] == []


def test_what_predicts_connections_is_asked_of_the_worker_and_told_with_its_interval(
    session: Session, course: Course, owner: User, signed_in: SignIn
) -> None:
    cohorts_of(session, course, 10)
    browser = signed_in(owner)
    assert "Nobody has asked yet" in browser.get("/organise/poems/connections").text
    assert browser.post("/organise/poems/connections/study").status_code == 302
    assert "Being worked out" in browser.get("/organise/poems/connections").text
    assert session.scalars(select(AuditEntry.action)).all() == ["study_connections"]
    study = session.get_one(TieStudy, course.id)
    study.answered_at, study.n_ties = now(), 4
    study.powers = [
        {"name": "common hours", "auc": [0.52, 0.46, 0.58]},
        {"name": "same cohort", "auc": [0.81, 0.76, 0.86]},
    ]
    session.commit()
    page = browser.get("/organise/poems/connections").text
    assert "too few connections to tell anything from" in page
    assert "0.81" not in page.partition('id="predictors"')[2]
    study.n_ties = 63
    session.commit()
    told = browser.get("/organise/poems/connections").text.partition('id="predictors"')[2]
    assert "From 63 connections" in told
    better, chance = told.index("Having been in one cohort"), told.index("Common hours")
    assert better < chance
    assert '0.81 <span class="muted small">(0.76 to 0.86)</span>' in told[better:chance]
    assert "Tells who connects better than chance." in told[better:chance]
    assert "no better than chance" in told[chance:]


def test_names_of_cohorts_are_no_markup(
    session: Session, course: Course, owner: User, signed_in: SignIn
) -> None:
    make_cohort(session, make_signup(session, course), name='<b onload="x">')
    session.commit()
    page = signed_in(owner).get("/organise/poems/connections").text
    assert "<b onload" not in page
    assert "&lt;b onload=" in page


def test_proposal_says_where_some_know_each_other_and_not_who(
    session: Session, course: Course, owner: User, signed_in: SignIn
) -> None:
    people = [make_signup(session, course) for _ in range(8)]
    first, second = people[:4], people[4:]
    run = make_cohort(session, *first).run
    row = {"course_id": course.id, "source": Source.TALKED_WITH}
    for one, two in (
        (first[0], first[1]),
        (first[1], first[0]),
        (first[0], second[0]),
        (second[0], first[0]),
    ):
        session.add(Connection(**row, from_id=one.id, to_id=two.id))
    session.add(Connection(**row, from_id=second[0].id, to_id=second[1].id))
    run.cohorts.append(make_cohort(session, *second))
    for cohort in run.cohorts:
        session.add_all(Seat(run=run, cohort=cohort, signup_id=stay.signup_id) for stay in cohort.memberships)
    session.commit()
    page = signed_in(owner).get(f"/organise/poems/runs/{run.key}").text
    assert page.count("Some of them know each other already.") == 1

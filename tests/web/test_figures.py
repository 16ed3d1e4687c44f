"""The page of the sign-ups at a glance."""

import re
from collections.abc import Callable

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from cohorts.models import AuditEntry, Course, Run, RunState, User
from tests.factories import make_course, make_signup, make_user


@pytest.fixture
def owner(session: Session) -> User:
    return make_user(session)


@pytest.fixture
def course(session: Session, owner: User) -> Course:
    return make_course(session, owner, slug="poems")


@pytest.mark.parametrize("number", [30, 300])
def test_figures_take_a_fixed_number_of_queries(
    session: Session,
    course: Course,
    owner: User,
    signed_in: Callable[[User], FlaskClient],
    count_queries: list[str],
    number: int,
) -> None:
    for each in range(number):
        make_signup(session, course, (f"interest {each}", "Jazz"))
    session.commit()
    browser = signed_in(owner)
    count_queries.clear()
    assert browser.get("/organise/poems/figures").status_code == 200
    assert len([each for each in count_queries if each.startswith("SELECT")]) == 10


def test_figures_tell_no_number_below_five(
    session: Session, course: Course, owner: User, signed_in: Callable[[User], FlaskClient]
) -> None:
    for each in range(9):
        zone = "Europe/Berlin" if each < 6 else "Asia/Kolkata"
        make_signup(session, course, ("Jazz",) if each < 5 else ("Yodelling",), time_zone=zone)
    session.commit()
    page = signed_in(owner).get("/organise/poems/figures").text
    assert '<th scope="row">Jazz</th><td class="number">5</td>' in page
    assert '<th scope="row">Europe/Berlin</th><td class="number">6</td>' in page
    assert "Yodelling" in page
    assert '<th scope="row">Yodelling</th>' not in page
    assert '<th scope="row">Asia/Kolkata</th>' not in page
    assert "fewer than 5" in page


def test_hours_are_a_picture_and_a_table(
    session: Session, course: Course, owner: User, signed_in: Callable[[User], FlaskClient]
) -> None:
    tuesday = 48
    for each in range(10):
        # All are free on Tuesday 18:00 to 19:00, six an hour longer, four another hour longer.
        hours = 2 if each < 4 else 4 if each < 6 else 6
        free = frozenset(tuesday + 36 + slot for slot in range(hours))
        make_signup(session, course, ("Jazz", "Dub", f"Own {each}"), availability=free)
    session.commit()
    page = signed_in(owner).get("/organise/poems/figures").text
    assert "The most, 10 learners, are free on Tuesday from 18:00." in page
    bars = re.findall(r'<rect class="heat-bar"[^>]* y="(\d+)" width="([\d.]+)"', page)
    assert bars == [("291", "40.0"), ("306", "24.0")]  # 18:00 and 19:00; four are not told
    assert '<td class="heat-9">10</td>' in page
    assert '<th scope="row">Dub and Jazz</th><td class="number">10</td>' in page
    assert "Own 1 and" not in page
    assert "style=" not in page


def test_rehearse_asks_the_worker_and_is_no_run_of_the_list(
    session: Session, course: Course, owner: User, signed_in: Callable[[User], FlaskClient]
) -> None:
    for _ in range(5):
        make_signup(session, course)
    session.commit()
    browser = signed_in(owner)
    assert browser.post("/organise/poems/figures/rehearse").status_code == 302
    run = session.scalars(select(Run)).one()
    assert (run.rehearsal, run.state) == (True, RunState.QUEUED)
    assert session.scalars(select(AuditEntry.action)).all() == ["rehearse"]
    session.commit()
    assert "Being worked out" in browser.get("/organise/poems/figures").text
    assert browser.post("/organise/poems/figures/rehearse").status_code == 409
    assert browser.get(f"/organise/poems/runs/{run.key}").status_code == 404
    assert run.key not in browser.get("/organise/poems/runs").text
    run.state, run.n_placed = RunState.PROPOSED, 5
    run.tally = [({"text": "Their hours meet nobody's.", "values": {}}, 6), (None, 2)]
    run.n_learners, run.finished_at = 13, run.created_at
    session.commit()
    page = browser.get("/organise/poems/figures").text
    assert "5 of 13 learners could be placed" in page
    assert "Their hours meet nobody" in page
    assert '<td class="number">fewer than 5</td>' in page

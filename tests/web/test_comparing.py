"""The pages of proposals side by side and of fairness."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from urllib.parse import urlencode

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from cohorts.models import Cohort, Course, Run, RunKind, RunState, Seat, Signup, User
from tests.factories import make_course, make_signup, make_user

SignIn = Callable[[User], FlaskClient]
PARTS = {"interests": [0.3, 0.6], "common blocks": [0.2, 0.4]}


@pytest.fixture
def owner(session: Session) -> User:
    return make_user(session)


@pytest.fixture
def course(session: Session, owner: User) -> Course:
    return make_course(session, owner, slug="poems", title="Reading poems")


def propose(session: Session, course: Course, people: Sequence[Signup], size: int, reason: str = "") -> Run:
    """Seat people in their order, ``size`` to a cohort; who is over has no cohort."""
    whole = len(people) // size * size
    run = Run(course=course, state=RunState.PROPOSED, n_learners=len(people), n_placed=whole)
    session.add(run)
    for start in range(0, whole, size):
        cohort = Cohort(run=run, position=start, name=f"Of {size}: {start}", score=0.5, parts=PARTS)
        session.add(cohort)
        session.add_all(Seat(run=run, cohort=cohort, signup=each) for each in people[start : start + size])
    session.add_all(Seat(run=run, signup=each, reason=reason) for each in people[whole:])
    session.flush()
    return run


def address(*runs: Run) -> str:
    return "/organise/poems/compare?" + urlencode([("run", run.key) for run in runs])


def text_of(page: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", page).split())


def test_two_proposals_side_by_side_say_who_moved_and_who_has_no_cohort_now(
    session: Session, course: Course, owner: User, signed_in: SignIn
) -> None:
    people = [make_signup(session, course, name=f"Learner {each:02}") for each in range(13)]
    first = propose(session, course, people, 4, "No common hour.")
    second = propose(session, course, people, 5, "Too few share a language.")
    first.parameters = {"start": "2027-01-11", "size_max": 4}
    second.parameters = {"start": "2027-01-11", "size_max": 5}
    session.commit()
    browser = signed_in(owner)
    listed = browser.get("/organise/poems/runs").text
    assert listed.count('name="run"') == 2
    assert 'action="/organise/poems/compare"' in listed
    page = browser.get(address(first, second)).text
    words = text_of(page)
    assert "Placed 12 of 13 10 of 13" in words
    assert "Largest cohort 4 5" in words
    assert "Interests 0.3 of 0.6 (50%) 0.3 of 0.6 (50%)" in words
    assert "3 learners in another cohort" in words
    assert "2 learners now without one Learner 10 Learner 11" in words
    # The first four stay together, of the second four three do, and of the third two.
    assert "Of 18 pairs of people who share a cohort in A, 10 (56%) share one in B too." in words
    assert "3 learners have no cohort in one of them, or not for the same reason." in words
    assert re.search(r"Learner 12 UTC No common hour\. Too few share a language\.", words)
    assert re.search(r"Learner 10 UTC Of 4: 8 Too few share a language\.", words)


def test_pages_take_as_many_queries_for_many_people_as_for_few(
    session: Session, course: Course, owner: User, signed_in: SignIn, count_queries: list[str]
) -> None:
    session.commit()
    browser = signed_in(owner)

    def asked(number: int) -> tuple[int, ...]:
        people = [make_signup(session, course) for _ in range(number)]
        runs = [propose(session, course, people[shift:] + people[:shift], 7) for shift in (0, 3, 5)]
        session.commit()
        found = []
        for path in (address(*runs), f"/organise/poems/runs/{runs[0].key}/fairness"):
            count_queries.clear()
            assert browser.get(path).status_code == 200
            found.append(sum(each.startswith("SELECT") for each in count_queries))
        return tuple(found)

    few = asked(30)
    assert max(few) <= 14
    assert asked(600) == few


def test_one_run_alone_is_a_choice_of_others(
    session: Session, course: Course, owner: User, signed_in: SignIn
) -> None:
    people = [make_signup(session, course) for _ in range(8)]
    first = propose(session, course, people, 4)
    session.commit()
    browser = signed_in(owner)
    assert "There is nothing to compare yet" in browser.get(address(first)).text
    assert 'name="run"' not in browser.get("/organise/poems/runs").text
    propose(session, course, people, 4)
    session.commit()
    page = browser.get(address(first)).text
    assert "Which ones?" in page
    assert page.count('name="run"') == 2
    assert page.count(" checked") == 1
    proposal = browser.get(f"/organise/poems/runs/{first.key}").text
    assert f"/organise/poems/compare?run={first.key}" in proposal
    assert f"/organise/poems/runs/{first.key}/fairness" in proposal


def test_runs_under_way_and_without_a_proposal_are_told_and_left_out(
    session: Session, course: Course, owner: User, signed_in: SignIn
) -> None:
    people = [make_signup(session, course) for _ in range(8)]
    runs = [propose(session, course, people, 4) for _ in range(2)]
    runs += [Run(course=course, state=RunState.RUNNING), Run(course=course, state=RunState.FAILED)]
    session.add_all(runs)
    rematch = Run(course=course, kind=RunKind.REMATCH, state=RunState.PROPOSED)
    session.add(rematch)
    session.commit()
    browser = signed_in(owner)
    assert browser.get(address(runs[0], rematch)).status_code == 404
    assert browser.get("/organise/poems/runs").text.count('name="run"') == 2
    page = browser.get(address(*runs)).text
    assert "is still under way" in page
    assert "has no proposal" in page
    assert "Nobody: everybody sits with the same people." in page
    assert browser.get(f"/organise/poems/runs/{runs[2].key}/fairness").status_code == 404
    fifth = propose(session, course, people, 4)
    session.commit()
    assert "Only 4 proposals fit beside each other" in browser.get(address(*runs, fifth)).text


def test_runs_of_another_course_are_not_found(
    session: Session, course: Course, owner: User, signed_in: SignIn
) -> None:
    mine = propose(session, course, [make_signup(session, course) for _ in range(4)], 4)
    other = make_course(session, make_user(session), slug="foreign")
    foreign = propose(session, other, [make_signup(session, other) for _ in range(4)], 4)
    session.commit()
    browser = signed_in(owner)
    assert browser.get(address(mine, foreign)).status_code == 404
    assert browser.get("/organise/poems/compare?run=%00nonsense").status_code == 404
    assert browser.get(f"/organise/poems/runs/{foreign.key}/fairness").status_code == 404


def test_proposals_from_before_scores_were_kept_by_goal_say_so(
    session: Session, course: Course, owner: User, signed_in: SignIn
) -> None:
    people = [make_signup(session, course) for _ in range(8)]
    first, second = (propose(session, course, people, 4) for _ in range(2))
    for cohort in second.cohorts:
        cohort.parts = None
    session.commit()
    browser = signed_in(owner)
    words = text_of(browser.get(address(first, second)).text)
    assert "Interests 0.3 of 0.6 (50%) not known" in words
    for cohort in first.cohorts:
        cohort.parts = None
    session.commit()
    assert "made before the score was kept by goal" in browser.get(address(first, second)).text


def test_fairness_names_who_gets_less_and_hides_few(
    session: Session, course: Course, owner: User, signed_in: SignIn
) -> None:
    zones = ["Europe/Berlin"] * 24 + ["America/New_York"] * 12 + ["Asia/Tokyo"] * 7 + ["Africa/Nairobi"] * 2
    people = [make_signup(session, course, time_zone=zone) for zone in zones]
    run = propose(session, course, people[:36], 6)
    session.add_all(Seat(run=run, signup=each, reason="No common hour.") for each in people[36:])
    session.commit()
    words = text_of(signed_in(owner).get(f"/organise/poems/runs/{run.key}/fairness").text)
    assert "South Asia (UTC+3 to UTC+5:45); East and Southeast Asia (UTC+6 to UTC+9) : fewer have a" in words
    assert "(0%; of everybody, 80%). Chance alone would seldom bring that." in words
    assert "not told" in words
    assert "There are not enough people outside of one band to compare with." in words

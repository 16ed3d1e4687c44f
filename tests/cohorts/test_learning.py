"""What connections teach: a planted reason to connect is found, told and used; chance is told as chance."""

from __future__ import annotations

import random
from datetime import timedelta
from itertools import combinations

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from cohorts import learning, person_blocks, predictors, runs
from cohorts.database import Database
from cohorts.door import MatchSettings
from cohorts.language import translated
from cohorts.models import Course, Interaction, InteractionImport, Run, Signup, Source, now
from cohorts.questions import Experience
from tests.factories import make_cohort, make_course, make_signup

TOPICS = ("Jazz", "Rilke", "Chess", "Bees")


def crowd(session: Session, n: int = 60) -> tuple[Course, list[Signup]]:
    """Learners who have one of four interests, and an experience that has nothing to do with it."""
    course = make_course(session)
    dice = random.Random(7)
    for question in course.questions:
        question.asked = question.key in ("interests", "experience")
        question.weight = {"interests": 0.5, "experience": 4.0}.get(question.key, 1.0)
    people = [
        make_signup(
            session,
            course,
            (TOPICS[number % 4],),
            experience=dice.choice([Experience.BEGINNER, Experience.ADVANCED]),
        )
        for number in range(n)
    ]
    return course, people


def connect(session: Session, course: Course, pairs: list[tuple[Signup, Signup]], days_ago: int = 3) -> None:
    told = InteractionImport(course_id=course.id, source=Source.IMPORTED, tool="csv", n_kept=len(pairs))
    session.add(told)
    session.flush()
    session.add_all(
        Interaction(import_id=told.id, from_id=a.id, to_id=b.id, at=now() - timedelta(days=days_ago), kind="")
        for a, b in pairs
    )
    session.flush()


def of_one_interest(people: list[Signup], n: int) -> list[tuple[Signup, Signup]]:
    pairs = [(a, b) for a, b in combinations(people, 2) if a.interests == b.interests]
    return random.Random(1).sample(pairs, n)


def test_a_run_learns_what_connects_and_says_so(database: Database) -> None:
    with database.transaction() as session:
        course, people = crowd(session)
        connect(session, course, of_one_interest(people, 120))
        run_id = runs.request(session, course, None, time_limit=1.0).id
    runs.execute(database, run_id, "w")
    with database.transaction() as session:
        run = session.get_one(Run, run_id)
        assert run.learnt is not None
        assert run.learnt["is_used"]
        assert run.learnt["n_connected"] == 120
        assert "predict held-out connections better" in translated(run.learnt["words"])
        chosen, weights = run.learnt["chosen"], MatchSettings.from_json(run.parameters).weights
        assert chosen["interests"] == 0.5
        assert weights["interests"] > weights["experience"]
        again = runs.rerun(session, run, None)
        assert MatchSettings.from_json(again.parameters).weights == chosen


def test_chance_is_told_as_chance_and_not_used(session: Session) -> None:
    course, people = crowd(session)
    pairs = random.Random(3).sample(list(combinations(people, 2)), 120)
    connect(session, course, pairs)
    keys = {each.id: each.key for each in people}
    settings = MatchSettings.of_course(course)
    answers = person_blocks.answers_with_blocks(session, people)
    given = [(each.key, answer) for each, answer in zip(people, answers, strict=True)]
    after, kept = learning.learn(given, settings, learning.seen(session, course, keys, now()))
    assert after == settings
    assert kept is not None
    assert not kept["is_used"]
    assert "no better" in translated(kept["words"])


def test_without_connections_a_run_says_nothing_of_them(session: Session) -> None:
    course, people = crowd(session, 4)
    keys = {each.id: each.key for each in people}
    settings = MatchSettings.of_course(course)
    seen = learning.seen(session, course, keys, now())
    assert learning.learn([], settings, seen) == (settings, None)


def test_whoever_cancels_a_run_does_not_wait_for_what_it_learns(session: Session) -> None:
    course, people = crowd(session)
    connect(session, course, of_one_interest(people, 120))
    answers = person_blocks.answers_with_blocks(session, people)
    given = [(each.key, answer) for each, answer in zip(people, answers, strict=True)]
    settings = MatchSettings.of_course(course)
    seen = learning.seen(session, course, {each.id: each.key for each in people}, now())
    assert len(seen.connected) == 120
    assert learning.learn(given, settings, seen, lambda: True) == (settings, None)


def test_who_sat_together_is_compared_with_whom_they_sat_with(session: Session) -> None:
    course, people = crowd(session)
    cohorts = [people[start : start + 6] for start in range(0, 60, 6)]
    for members in cohorts:
        make_cohort(session, *members, at=now() - timedelta(days=20))
    within = [pair for members in cohorts for pair in list(combinations(members, 2))[:5]]
    across = [(people[0], people[-1])]
    connect(session, course, within + across)
    keys = {each.id: each.key for each in people}
    seen = learning.seen(session, course, keys, now())
    assert len(seen.connected) == len(within)
    assert seen.could_have is not None
    assert len(seen.could_have) == 10 * 15
    only = learning.seen(session, course, {each: keys[each] for each in list(keys)[:6]}, now())
    assert only.could_have is None


@pytest.fixture
def studied(database: Database) -> int:
    """A course in which people of one interest connect, mostly with whom they were connected with before."""
    with database.transaction() as session:
        course, people = crowd(session)
        pairs = of_one_interest(people, 120)
        connect(session, course, pairs[:80], days_ago=20)
        connect(session, course, pairs[20:], days_ago=3)
        make_cohort(session, *people[:6], at=now() - timedelta(days=30))
        predictors.ask(session, course, now())
        predictors.ask(session, course, now())
        return course.id


def test_what_predicts_connections_is_asked_and_answered(database: Database, studied: int) -> None:
    with database.reading() as session:
        study = predictors.of_course(session, session.get_one(Course, studied))
        assert study is not None
        assert not study.is_ready
        assert study.predictors == []
    assert predictors.answer_waiting(database) == 1
    assert predictors.answer_waiting(database) == 0
    with database.transaction() as session:
        course = session.get_one(Course, studied)
        study = predictors.of_course(session, course)
        assert study is not None
        assert (study.is_ready, study.n_ties, study.trouble) == (True, 120, "")
        found = {each.name: each for each in study.predictors}
        assert found["interests"].is_better
        assert found["earlier connection"].is_better
        assert not found["experience"].is_better
        assert not found["common hours"].is_better  # everybody's are the same
        assert found["common hours"].verdict == "Tells who connects no better than chance."
        assert found["same cohort"].label == "Having been in one cohort"
        best = [each.auc for each in study.predictors if each.auc is not None]
        assert best == sorted(best, reverse=True)
        predictors.ask(session, course, now())
        again = predictors.of_course(session, course)
        assert again is not None
        assert (again.is_ready, again.predictors) == (False, study.predictors)


def test_few_connections_are_not_told(database: Database) -> None:
    with database.transaction() as session:
        course, people = crowd(session, 8)
        connect(session, course, of_one_interest(people, 3))
        predictors.ask(session, course, now())
        course_id = course.id
    predictors.answer_waiting(database)
    with database.reading() as session:
        study = predictors.of_course(session, session.get_one(Course, course_id))
        assert study is not None
        assert study.n_ties is None
        assert {each.verdict for each in study.predictors} == {"Too few connections to tell."}


def test_a_course_without_learners_is_answered(database: Database) -> None:
    with database.transaction() as session:
        predictors.ask(session, make_course(session), now())
    assert predictors.answer_waiting(database) == 1
    with database.reading() as session:
        study = predictors.of_course(session, session.scalars(select(Course)).one())
        assert study is not None
        assert study.trouble == ""

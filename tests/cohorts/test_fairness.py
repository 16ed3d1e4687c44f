"""Fairness: bands of people, what is hidden of them, and what is more than chance."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import fisher_exact
from sqlalchemy.orm import Session

from cohorts import fairness
from cohorts.models import Cohort, Course, Run, RunState, Seat
from cohorts.policies import FEW
from tests.factories import make_course, make_signup

ZONES = ("Europe/Berlin", "Asia/Tokyo", "America/New_York", "Pacific/Auckland", "Asia/Kathmandu")


def propose(session: Session, cohorts: list[tuple[str, float]], left: list[str], size: int = 4) -> Run:
    """Cohorts by the zone of their members, each with a score, and the zones of those without one."""
    course = make_course(session, start=date(2027, 1, 11))
    run = Run(course=course, state=RunState.PROPOSED)
    session.add(run)
    for number, (zone, score) in enumerate(cohorts):
        cohort = Cohort(run=run, position=number, name=f"Cohort {number}", score=score, meetings=[["UTC", 1]])
        session.add(cohort)
        session.add_all(
            Seat(run=run, cohort=cohort, signup=make_signup(session, course, time_zone=zone))
            for _ in range(size)
        )
    session.add_all(Seat(run=run, signup=make_signup(session, course, time_zone=zone)) for zone in left)
    session.flush()
    return run


def world(session: Session, run: Run) -> fairness.Table:
    course = session.get_one(Course, run.course_id)
    found = fairness.of_run(session, course, run).world
    assert found is not None
    assert sum(each.n for each in found.bands) == found.whole.n
    return found


def test_a_part_of_the_world_that_is_left_out_is_named(session: Session) -> None:
    cohorts = [("Europe/Berlin", 0.5)] * 8 + [("America/New_York", 0.5)] * 3
    found = world(session, propose(session, cohorts, ["Asia/Tokyo"] * 9))
    assert [(each.n, each.placed, each.less) for each in found.bands] == [
        (12, 1.0, ()),
        (32, 1.0, ()),
        (9, 0.0, ("placed",)),
    ]
    assert found.bands[2].score is None
    assert [each.labels for each in found.worse] == [("East and Southeast Asia (UTC+6 to UTC+9)",)]


def test_lower_scores_of_many_cohorts_are_told_but_not_of_one(session: Session) -> None:
    high = [("Europe/Berlin", 0.6 + 0.01 * each) for each in range(8)]
    low = [("Asia/Tokyo", 0.2 + 0.01 * each) for each in range(6)]
    found = world(session, propose(session, high + low, []))
    assert [each.less for each in found.bands] == [(), ("score",)]
    # Five people in one cohort are one piece of evidence.
    found = world(session, propose(session, [*high, low[0]], [], size=6))
    assert [each.less for each in found.bands] == [(), ()]
    assert found.bands[1].score == pytest.approx(0.2)


def test_chance_alone_rarely_raises_an_alarm() -> None:
    random, alarms = np.random.default_rng(3), 0
    for _ in range(60):
        groups = [fairness._Person(int(home), 0, 0.0) for home in np.repeat(np.arange(30), 5)]
        bands = random.integers(0, 4, size=len(groups))
        figures = np.column_stack([random.random(30), random.integers(1, 9, 30)])
        everybody = [
            fairness._Person(None if random.random() < 0.1 else one.home, int(band), 0.0)
            for one, band in zip(groups, bands, strict=True)
        ]
        table = fairness._table(everybody, figures, list("abcd"), lambda one: one.offset)
        assert table is not None
        alarms += bool(table.worse)
    assert alarms <= 14  # 60 times up to 15 in 100, and some luck


def test_too_few_are_not_told_apart_and_not_found_by_subtraction(session: Session) -> None:
    cohorts = [("Europe/Berlin", 0.5)] * 3 + [("America/New_York", 0.5)] * 2
    run = propose(session, cohorts, ["Asia/Tokyo", "Asia/Kathmandu"])
    found = world(session, run)
    assert [each.n for each in found.bands] == [12, 10]
    assert len(found.bands[1].labels) == 3
    lonely = propose(session, [], ["Asia/Tokyo"] * 4)
    course = session.get_one(Course, lonely.course_id)
    assert fairness.of_run(session, course, lonely) == fairness.Fairness(None, None)


@given(st.lists(st.integers(1, 12), min_size=1, max_size=6))
def test_nobody_is_told_of_in_fewer_than_five_and_nobody_is_lost(sizes: list[int]) -> None:
    groups = [fairness._Group(number, [str(number)], n) for number, n in enumerate(sizes)]
    found = fairness.pooled(groups)
    assert sum(each.n for each in found) == sum(sizes)
    assert sorted(label for each in found for label in each.labels) == [str(n) for n in range(len(sizes))]
    assert all(each.n >= FEW for each in found) or sum(sizes) < FEW


@given(st.data())
def test_chance_of_so_few_is_that_of_fishers_test(data: st.DataObject) -> None:
    n = data.draw(st.integers(2, 60))
    people, n_placed = data.draw(st.integers(1, n - 1)), data.draw(st.integers(0, n))
    placed = data.draw(st.integers(max(0, people - (n - n_placed)), min(people, n_placed)))
    table = [[placed, people - placed], [n_placed - placed, n - people - n_placed + placed]]
    expected = fisher_exact(table, alternative="less").pvalue
    assert fairness.chance_of_so_few(placed, people, n_placed, n) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize(
    ("zone", "label"),
    [
        ("Pacific/Honolulu", "Pacific coast"),
        ("America/Los_Angeles", "Pacific coast"),
        ("America/St_Johns", "rest of the Americas"),
        ("Europe/London", "Europe"),
        ("Europe/Helsinki", "Europe"),
        ("Africa/Nairobi", "East Africa"),
        ("Asia/Kathmandu", "South Asia"),
        ("Asia/Tokyo", "Southeast Asia"),
        ("Australia/Darwin", "Pacific"),
        ("Pacific/Kiritimati", "Pacific"),
    ],
)
def test_the_world_is_cut_between_clocks(session: Session, zone: str, label: str) -> None:
    (band,) = world(session, propose(session, [], [zone] * 5)).bands
    assert label in band.labels[0]

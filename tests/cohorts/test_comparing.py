"""Proposals side by side: who goes with whom, who moved, what is counted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import combinations, permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from cohorts import comparing, goals, unlike_settings
from cohorts.comparing import Home, Side
from cohorts.door import AFFINITY, COMMON_BLOCKS, CONNECTIONS, SIZE, MatchSettings
from cohorts.exceptions import NotFound
from cohorts.models import Cohort, Run, RunState, Seat
from tests.factories import make_course, make_signup

Seats = Mapping[int, int | None]


def side(seats: Seats, letter: str = "A") -> Side:
    sizes = {home: list(seats.values()).count(home) for home in seats.values() if home is not None}
    homes = {
        home: Home(home, f"k{home}", f"Cohort {home}", 0.5, None, 1, size) for home, size in sizes.items()
    }
    reasons = {each: "No hours." for each, home in seats.items() if home is None}
    return Side(letter, Run(), homes, seats, reasons)


def seatings(people: int = 14, homes: int = 4) -> st.SearchStrategy[dict[int, int | None]]:
    return st.dictionaries(st.integers(1, people), st.none() | st.integers(1, homes), max_size=people)


@given(seatings(40, 8))
def test_a_proposal_beside_itself_moves_nobody(seats: Seats) -> None:
    found = comparing.compare(side(seats), side(seats))
    assert found.is_same
    assert found.pairs_kept == found.pairs_before == found.pairs_after
    assert found.n_same == len(found.before.homes)


@given(seatings(40, 8), st.permutations(range(101, 109)))
def test_other_numbers_for_the_same_cohorts_move_nobody(seats: Seats, numbers: list[int]) -> None:
    other = {each: None if home is None else numbers[home - 1] for each, home in seats.items()}
    found = comparing.compare(side(seats), side(other))
    assert found.is_same
    assert found.goes_with == {home: numbers[home - 1] for home in found.before.homes}


@given(seatings(), seatings())
def test_everybody_is_counted_once_and_pairs_are_those_that_sit_together(one: Seats, other: Seats) -> None:
    before, after = side(one), side(other)
    found = comparing.compare(before, after)
    lists = (found.moved, found.placed, found.unplaced, found.came, found.went)
    assert len({each for some in lists for each in some}) == sum(map(len, lists))
    both = one.keys() & other.keys()
    stay = sum(found.stay.values())
    assert stay + len(found.moved) == sum(one[each] is not None is not other[each] for each in both)
    assert before.n_placed - len(found.unplaced) + len(found.placed) - after.n_placed == sum(
        one[each] is not None for each in found.went
    ) - sum(other[each] is not None for each in found.came)

    def together(seats: Seats) -> set[tuple[int, int]]:
        pairs = combinations(sorted(both), 2)
        return {(a, b) for a, b in pairs if seats[a] is not None and seats[a] == seats[b]}

    assert found.pairs_before == len(together(one))
    assert found.pairs_after == len(together(other))
    assert found.pairs_kept == len(together(one) & together(other))


@given(st.dictionaries(st.tuples(st.integers(0, 4), st.integers(10, 14)), st.integers(1, 9), max_size=12))
def test_as_many_stay_as_in_the_best_of_all_assignments(overlaps: dict[tuple[int, int], int]) -> None:
    found = comparing.assigned(overlaps)
    assert len(set(found.values())) == len(found)
    assert all(pair in overlaps for pair in found.items())
    best = max(
        sum(overlaps.get((one, other), 0) for one, other in enumerate(others))
        for others in permutations(range(10, 15))
    )
    assert sum(overlaps[pair] for pair in found.items()) == best


def test_those_without_a_cohort_differ_by_place_part_and_reason() -> None:
    one = side({1: 7, 2: None, 3: None, 4: None, 5: 7})
    other = side({1: None, 2: None, 3: 8, 5: 8})
    assert comparing.unlike([one, other]) == ([1, 3, 4], [2])
    assert comparing.unlike([one, replace(one, reasons={**one.reasons, 3: "Another reason."})]) == (
        [3],
        [2, 4],
    )


def test_goals_add_up_to_the_mean_score_and_are_not_known_by_halves() -> None:
    found = side({1: 1, 2: 2})
    first, second = found.homes.values()
    homes = {
        1: replace(first, score=0.5, parts={"interests": [0.4, 0.8], "size": [0.1, 0.2]}),
        2: replace(second, score=0.3, parts={"interests": [0.1, 0.8], "size": [0.2, 0.2]}),
    }
    known = replace(found, homes=homes)
    assert known.goals is not None
    assert known.scores is not None
    assert sum(each.value for each in known.goals.values()) == pytest.approx(known.scores.mean)
    assert known.goals["interests"].reached == pytest.approx(0.3125)
    assert replace(found, homes={**homes, 2: second}).goals is None


def test_sides_are_read_as_they_are_stored(session: Session) -> None:
    course = make_course(session)
    people = [make_signup(session, course, name=f"Learner {each}") for each in range(5)]
    runs = [Run(course=course, state=RunState.PROPOSED) for _ in range(2)]
    for run in runs:
        cohort = Cohort(run=run, position=1, name="Cohort 1", score=0.5, meetings=[["UTC", 36]])
        session.add_all([cohort, Cohort(run=run, position=2, name="Emptied by hand", score=0.0)])
        session.add_all(Seat(run=run, cohort=cohort, signup=each) for each in people[:4])
        session.add(Seat(run=run, signup=people[4], reason="No common hour."))
    session.flush()
    chosen = comparing.choose(session, course, [runs[1].key, runs[0].key, runs[1].key])
    assert chosen == [runs[1], runs[0]]
    found = comparing.sides_of(session, chosen)
    assert [each.letter for each in found] == ["A", "B"]
    assert [each.name for each in found[0].homes.values()] == ["Cohort 1"]
    assert found[0].reasons == {people[4].id: "No common hour."}
    assert (found[0].n_placed, found[0].mean_times, found[0].goals) == (4, 1, None)
    other = make_course(session)
    with pytest.raises(NotFound):
        comparing.choose(session, other, [runs[0].key])


def test_settings_that_differ_are_told_in_words(session: Session) -> None:
    course = make_course(session)
    plain = MatchSettings.of_course(course)
    weights = {**plain.weights, "goal": 2.0, "gone": 1.0}
    changed = replace(plain, size_max=9, max_simultaneous=3, asynchronous=True, weights=weights)
    kept = [Run(parameters=each.as_json()) for each in (plain, plain, changed)]
    assert unlike_settings.unlike(course, kept[:2]) == []
    assert unlike_settings.unlike(course, [*kept[1:], Run(parameters={})]) == [
        ("Largest cohort", ["8", "9", "not known"]),
        ("Cohorts that may meet at one time", ["any number", "3", "not known"]),
        ("People whose hours fit nobody's get a cohort without a fixed meeting", ["no", "yes", "not known"]),
        ("Weight of “Goal”", ["0.5", "2", "not known"]),
        ("Weight of “gone”", ["0", "1", "not known"]),
    ]


def test_the_matcher_and_the_page_call_goals_the_same(session: Session) -> None:
    from matcher import shares

    assert (shares.AFFINITY, shares.COMMON_BLOCKS, shares.SIZE) == (AFFINITY, COMMON_BLOCKS, SIZE)
    assert {AFFINITY, COMMON_BLOCKS, SIZE, CONNECTIONS} <= goals.labels(make_course(session)).keys()

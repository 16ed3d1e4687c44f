"""Figures of a network, against what their words say, found by looking at everything."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import combinations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from cohorts import graph, layout
from cohorts.models import Source
from cohorts.ties import Tie

AT = datetime(2027, 2, 1, 12, tzinfo=UTC)
PEOPLE, COHORTS = range(9), range(4)


def tie(
    one: int, two: int, *, strength: float = 0.5, first: datetime = AT, across: bool | None = None
) -> Tie:
    return Tie(one, two, strength, first, first, frozenset({Source.TALKED_WITH}), across)


pairs = st.sets(st.sampled_from(list(combinations(PEOPLE, 2))))
seatings = st.dictionaries(st.sampled_from(PEOPLE), st.sampled_from(COHORTS))


@given(pairs, seatings)
def test_pairs_are_within_or_between_or_of_somebody_without_a_cohort(
    joined: set[tuple[int, int]], seats: dict[int, int]
) -> None:
    ties = [tie(*pair) for pair in sorted(joined)]
    inside, between = graph.within(ties, seats), graph.between(ties, seats)
    outward = graph.outward(between)
    for one in COHORTS:
        here = {pair for pair in joined if [seats.get(each) for each in pair] == [one, one]}
        found = inside.get(one, graph.Tally())
        assert (found.pairs, found.people) == (len(here), {each for pair in here for each in pair})
        leaving = {
            pair for pair in joined if set(pair) <= seats.keys() and sum(seats[e] == one for e in pair) == 1
        }
        assert outward.get(one, graph.Tally()).pairs == len(leaving)
        for two in range(one + 1, len(COHORTS)):
            there = {pair for pair in joined if {seats.get(each) for each in pair} == {one, two}}
            assert between.get((one, two), graph.Tally()).pairs == len(there)
    everybody = {each for pair in joined for each in pair}
    assert graph.alone(graph.tally(ties), seats) == seats.keys() - everybody
    assert graph.together(between.values()).people == {
        person
        for person in seats
        for other in seats
        if seats[person] != seats[other] and (min(person, other), max(person, other)) in joined
    }


@given(pairs)
def test_no_number_of_fewer_than_five_people_is_told(joined: set[tuple[int, int]]) -> None:
    found = graph.tally(tie(*pair) for pair in joined)
    people = {each for pair in joined for each in pair}
    assert found.told == (len(joined) if not joined or len(people) >= 5 else None)
    assert graph.told(people) == (len(people) if not people or len(people) >= 5 else None)


def reachable(nodes: set[int], lines: set[tuple[int, int]]) -> list[set[int]]:
    """The parts of a graph, the largest last."""
    parts = [{each} for each in nodes]
    for line in lines:
        if set(line) <= nodes:
            one, two = (next(part for part in parts if end in part) for end in line)
            if one is not two:
                parts.remove(two)
                one |= two
    return sorted(parts, key=len)


@given(st.sets(st.sampled_from(list(combinations(range(8), 2))), max_size=14))
def test_bridges_are_those_without_whom_a_part_falls_apart(lines: set[tuple[int, int]]) -> None:
    expected = {}
    for part in reachable({end for line in lines for end in line}, lines):
        for point in part:
            rest = reachable(part - {point}, lines)
            if len(rest) > 1:
                expected[point] = sum(map(len, rest[:-1]))
    assert graph.held_together(sorted(lines)) == expected


moments = st.integers(-80, 40).map(lambda days: AT + timedelta(days=days))


class Dates:
    start, weeks, meeting_minutes = date(2027, 1, 13), 3, 90  # a Wednesday


@given(st.lists(st.tuples(st.sampled_from(list(combinations(PEOPLE, 2))), moments, st.booleans())))
def test_weeks_tell_a_share_only_where_both_parts_may_be_told(
    began: list[tuple[tuple[int, int], datetime, bool]],
) -> None:
    ties = [tie(*pair, first=first, across=across) for pair, first, across in began]
    found = {each.week: each for each in graph.by_week(Dates(), [*ties, tie(0, 1, across=None)], {})}
    edges = [date(2027, 1, 11), date(2027, 1, 18), date(2027, 1, 25)]
    for week in range(4):
        here = [each for each in ties if min(3, sum(each.first.date() >= edge for edge in edges)) == week]
        if not here:
            assert week not in found
            continue
        parts = [[each for each in here if each.across is across] for across in (False, True)]
        hidden = [part for part in parts if part and len({e for t in part for e in (t.one, t.two)}) < 5]
        if hidden:
            assert (found[week].across, found[week].share) == (None, None)
        else:
            assert found[week].across == len(parts[1])
            assert found[week].share == len(parts[1]) / len(here)
        assert found[week].began == graph.tally(here).told


def test_connections_that_went_with_somebody_still_count_in_their_week() -> None:
    ties = [tie(one, one + 1, first=AT, across=True) for one in range(6)]
    gone: dict[tuple[date, bool | None], int] = {(date(2027, 1, 25), True): 2, (date(2027, 1, 25), None): 9}
    (week,) = graph.by_week(Dates(), ties, gone)
    assert (week.began, week.across, week.share) == (8, 8, 1.0)


def test_faint_connections_join_nobody() -> None:
    ties = [tie(0, 1, strength=graph.FAINT), tie(1, 2, strength=graph.FAINT / 2)]
    assert graph.lasting(ties) == ties[:1]


def test_cohorts_are_silent_after_three_weeks_and_not_while_they_are_young() -> None:
    long_ago, lately = AT - graph.SILENT_AFTER, AT - graph.SILENT_AFTER + timedelta(minutes=1)
    since = {1: long_ago, 2: long_ago, 3: lately, 4: long_ago - timedelta(days=9)}
    assert graph.silent(since, {2: lately, 4: long_ago}, AT) == {1: None, 4: long_ago}


@given(st.lists(st.integers(0, 12), max_size=30), st.data())
def test_layout_puts_no_cohort_over_another_and_is_always_the_same(
    sizes: list[int], data: st.DataObject
) -> None:
    radii = [layout.radius(size) for size in sizes]
    pairs = list(combinations(range(len(sizes)), 2))
    lines = data.draw(st.lists(st.sampled_from(pairs), unique=True, max_size=40)) if pairs else []
    places = layout.spring(radii, lines)
    assert places.shape == (len(sizes), 2)
    assert np.isfinite(places).all()
    layout._spring.cache_clear()
    assert np.array_equal(places, layout.spring(radii, lines))
    for one, two in pairs:
        assert np.linalg.norm(places[one] - places[two]) > radii[one] + radii[two]


def test_layout_puts_connected_cohorts_near_each_other() -> None:
    ring = [(each, (each + 1) % 6) for each in range(6)]
    lines = ring + [(one + 6, two + 6) for one, two in ring]
    places = layout.spring([layout.radius(6)] * 12, lines)
    apart = np.linalg.norm(places[:, None] - places[None], axis=2)
    assert np.mean([apart[line] for line in lines]) < 0.6 * apart[:6, 6:].mean()


@given(st.integers(1, 60))
def test_people_of_a_cohort_fit_its_disc_side_by_side(n_people: int) -> None:
    places = layout.sunflower(n_people)
    assert np.linalg.norm(places, axis=1).max() + 0.4 <= layout.radius(n_people) + 1e-9
    for one, two in combinations(range(n_people), 2):
        assert np.linalg.norm(places[one] - places[two]) > 0.8

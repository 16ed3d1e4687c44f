"""The search's own state never disagrees with the definitions, whatever moves are made."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

from matcher import match
from matcher.columns import all_cohorts
from matcher.construct import construct
from matcher.params import Params
from matcher.progress import Watch
from matcher.search import anneal, seat_waiting, swap
from matcher.solve import Sides, bound_of, find_neighbours, solve, worth_of
from matcher.state import cohorts_of, draw, empty_state, seat
from matcher.units import contradictions
from tests.matcher.pools import TOPICS, any_params, learner, params_of, pool_of, pools
from tests.matcher.test_match import crowd
from tests.matcher.test_score import problem_of


def prepared(pool, params):
    p = problem_of(pool, params)
    barred = contradictions(p)
    active = np.array([i for i in range(len(pool)) if i not in barred], dtype=np.int32)
    state = empty_state(p, params.random_state)
    near, partners = find_neighbours(p, active, state, Watch(60))
    return p, active, state, near, partners


def consistent(p, state):
    """Everybody sits where the cohorts say, units whole, values right, seats' masks right."""
    for c in np.flatnonzero(state.size):
        members = state.members[c, : state.size[c]]
        assert (state.cohort[members] == c).all()
        assert state.value[c] == pytest.approx(worth_of(p, tuple(members.tolist())))
        assert state.value[c] > 0
        for i in members:
            assert (state.cohort[p.unit == p.unit[i]] == c).all()
            mates = members[p.unit[members] != p.unit[i]]
            assert (state.mates[i] == np.bitwise_and.reduce(p.can[mates])).all()
    assert (state.cohort >= 0).sum() == state.size.sum()


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(pool=pools(), params=any_params())
def test_moves_keep_the_state_consistent(pool, params):
    p, active, state, near, _ = prepared(pool, params)
    if not len(active):
        return
    construct(p, state, active, active, params.target_size)
    consistent(p, state)
    for heat in (5.0, 0.05, 0.0):
        anneal(p, state, active, near, np.zeros(len(p.unit), dtype=np.int32), 300, heat, heat)
        consistent(p, state)
        seat_waiting(p, state, active, 3, params.target_size)
        consistent(p, state)


def test_swap_of_units_that_would_break_the_sizes_is_refused():
    # a and b stay together: either of them for d would leave a cohort of two, where three is the size.
    together = {"a": frozenset("b"), "b": frozenset("a")}
    pool = pool_of(*(learner(name, together=together.get(name, frozenset())) for name in "abcdef"))
    p, _, state, _, _ = prepared(pool, params_of(size_min=3, target_size=3, size_max=3))
    for place, members in enumerate(((0, 1, 2), (3, 4, 5))):
        seat(p, state, place, np.array(members, dtype=np.int32), 3)
    one, two = np.zeros(5, dtype=np.int32), np.zeros(5, dtype=np.int32)
    whatever = 1e9
    assert not swap(p, state, 0, 3, whatever, one, two)
    assert not swap(p, state, 3, 0, whatever, one, two)
    assert swap(p, state, 2, 3, whatever, one, two)
    assert cohorts_of(state) == [(0, 1, 3), (2, 4, 5)]
    consistent(p, state)


def test_anneal_without_heat_never_loses_worth():
    p, active, state, near, _ = prepared(crowd(200), params_of(questions=(TOPICS,)))
    construct(p, state, active, active, 6)
    before = state.value.sum()
    anneal(p, state, active, near, np.zeros(len(p.unit), dtype=np.int32), 50_000, 0.0, 0.0)
    assert state.value.sum() >= before


def test_sides_on_two_cores_keep_the_state_consistent():
    params = params_of(questions=(TOPICS,), n_jobs=2)
    p, active, state, near, _ = prepared(crowd(300), params)
    construct(p, state, active, active, 6)
    before, sides = state.value.sum(), Sides(p, params, active, near, state)
    assert sides.n == 2
    for heat in (0.05, 0.01, 0.0, 0.0):
        sides.anneal(50_000, heat, heat)
        consistent(p, state)
    assert state.value.sum() > before


def test_solve_on_two_cores_repeats():
    params = params_of(questions=(TOPICS,), n_jobs=2, random_state=5)
    first, second = (match(crowd(250), params) for _ in range(2))
    assert first.labels.tolist() == second.labels.tolist()
    assert first.objective == second.objective


def test_sides_of_a_small_pool_are_one():
    params = params_of(questions=(TOPICS,), n_jobs=8)
    p, active, state, near, _ = prepared(crowd(60), params)
    assert Sides(p, params, active, near, state).n == 1


def test_neighbours_are_compatible_and_the_best_first():
    p, active, _, near, partners = prepared(crowd(100), params_of(questions=(TOPICS,)))
    for i in active:
        listed = near[i][near[i] >= 0]
        assert len(listed) == min(near.shape[1], partners[i])
        values = p.affinity[i, listed]
        assert (np.diff(values) <= 2e-4).all()
        assert (p.can[i] & p.can[listed]).any(axis=(1, 2)).all()


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(pool=pools(most=8), params=any_params())
def test_quick_bound_is_never_below_the_best(pool, params):
    p, active, _, near, _ = prepared(pool, params)
    solution = solve(p, params, active, Watch(60))
    assert bound_of(p, active, near) >= solution.objective - 1e-3


def test_all_cohorts_lists_each_once_and_only_good_ones():
    pool = pool_of(*(learner(i, apart=frozenset({"1"}) if i == 0 else frozenset()) for i in range(6)))
    params: Params = params_of(size_min=2, target_size=2, size_max=3)
    p, active, *_ = prepared(pool, params)
    columns, worths = all_cohorts(p, active)
    listed = [tuple(sorted(row[row < 6].tolist())) for row in columns]
    # 15 pairs and 20 triples, without the pair 0-1 and the 4 triples that hold it.
    assert len(listed) == len(set(listed)) == 30
    assert worths == pytest.approx([worth_of(p, members) for members in listed])


def test_all_cohorts_gives_up_when_there_are_too_many(monkeypatch):
    monkeypatch.setattr("matcher.columns.MOST_COLUMNS", 10)
    p, active, *_ = prepared(pool_of(*(learner(i) for i in range(8))), params_of())
    assert all_cohorts(p, active) is None


def test_draw_is_even_and_repeats():
    noise = np.array([12345], dtype=np.uint64)
    first = [draw(noise, 10) for _ in range(10_000)]
    assert first[:5] == [draw(n, 10) for n in [np.array([12345], dtype=np.uint64)] for _ in range(5)]
    assert np.abs(np.bincount(first, minlength=10) - 1000).max() < 150


def test_cohorts_of_an_empty_state_are_none():
    p, *_ = prepared(pool_of(learner("a")), params_of())
    assert cohorts_of(empty_state(p, 1)) == []

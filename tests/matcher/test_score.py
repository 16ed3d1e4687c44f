"""The kernels against the plain definition, on hand-made and invented cohorts."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from matcher.affinity import pool_affinity
from matcher.availability import availability
from matcher.checks import plain_score
from matcher.problem import build_problem
from matcher.rules import rules_of
from matcher.score import (
    INFEASIBLE,
    PARTS,
    PLACED,
    active_parts,
    active_values,
    block_values,
    ceiling,
    common_halves,
    popcount,
    size_values,
    weights,
    worth,
)
from tests.matcher.pools import any_params, learner, params_of, pool_of, pools
from tests.matcher.test_rules import CASES


def problem_of(pool, params):
    return build_problem(pool, params, availability(pool, params), pool_affinity(pool, params))


def worth_of(p, members):
    return worth(p, np.array(members, dtype=np.int32), len(members))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(pool=pools(most=8), params=any_params(), data=st.data())
def test_worth_is_infeasible_or_what_the_definition_says(pool, params, data):
    if len(pool) < 2:
        return
    members = data.draw(st.lists(st.integers(0, len(pool) - 1), min_size=2, max_size=6, unique=True))
    p = problem_of(pool, params)
    value = worth_of(p, members)
    broken = [
        words for rule in rules_of(pool, params) if rule.name != "together" for words in rule.broken(members)
    ]
    if value == INFEASIBLE:
        # At a clock change the matcher may refuse a block that the bare definition still allows; else
        # they agree.
        assert broken or params.start.month in (3, 10)
        return
    assert broken == []
    halves = common_halves(
        p.can, p.prefers, p.home, p.sizes[3], np.array(members, dtype=np.int32), len(members)
    )
    score = plain_score(pool, params, p.affinity[np.ix_(members, members)], members, halves / 2)
    assert 0 <= score <= 1
    assert value == pytest.approx(len(members) * (PLACED + score), abs=1e-4)
    assert value <= ceiling(p, len(members), (value / len(members)) - PLACED) + 1e-9


def test_weights_add_up_to_1():
    assert sum(
        weights(params_of(common_blocks_weight=3, size_weight=0.5, worst_off_weight=0.3))
    ) == pytest.approx(1)


def test_block_values_have_diminishing_returns_and_if_needed_counts_half():
    values = block_values(params_of()) / weights(params_of()).blocks
    assert values[[0, 1, 2, 4, 6]] == pytest.approx([0, 1 - 0.5**0.5, 0.5, 0.75, 0.875])


def test_size_values_peak_at_the_target():
    params = params_of(size_min=4, target_size=6, size_max=8)
    values = size_values(params, np.array([PARTS])) / weights(params).size
    assert values[4:] == pytest.approx([0, 0.75, 1, 0.75, 0])


def test_size_counts_those_who_are_expected_to_stay():
    def best_size(dropout):
        params = params_of(size_min=4, target_size=6, size_max=9)
        pool = pool_of(*(learner(i, dropout=dropout) for i in range(9)))
        p = problem_of(pool, params)
        return max(range(4, 10), key=lambda k: worth_of(p, range(k)) / k)

    assert [best_size(dropout) for dropout in (0, 0.15, 0.25, 1 / 3)] == [6, 7, 8, 9]


@given(st.lists(st.floats(0, 1), min_size=4, max_size=8))
def test_size_values_are_never_passed_by_what_members_give(dropouts):
    params = params_of(size_min=2, target_size=5, size_max=8)
    active = np.array([active_parts(learner(i, dropout=d)) for i, d in enumerate(dropouts)])
    assert active_values(params)[active.sum()] <= size_values(params, active)[len(active)] + 1e-12


def test_worst_off_weight_prefers_the_even_cohort():
    # One at the edge: a, b and c are alike, d is like nobody.
    alike = np.array([[0, 1, 1, 0], [1, 0, 1, 0], [1, 1, 0, 0], [0, 0, 0, 0]], dtype=np.float32)
    even = np.full((4, 4), 0.5, dtype=np.float32)
    np.fill_diagonal(even, 0)
    params = params_of(worst_off_weight=0.2)
    pool = pool_of(*map(learner, "abcd"))
    assert plain_score(pool, params, even, range(4), 1) > plain_score(pool, params, alike, range(4), 1)


def test_if_needed_blocks_are_worth_less():
    def value(free, if_needed):
        pool = pool_of(*(learner(i, free, if_needed=frozenset(if_needed)) for i in range(4)))
        return worth_of(problem_of(pool, params_of()), range(4))

    assert value(range(36, 40), ()) > value(range(36, 39), {39}) > value((), range(36, 40)) > PLACED * 4


@pytest.mark.parametrize("word", [0, 1, 2**63, 2**64 - 1, 0xF0F0])
def test_popcount_counts_bits(word):
    assert popcount(np.uint64(word)) == word.bit_count()


@pytest.mark.parametrize("name", CASES)
def test_worth_itself_keeps_every_rule(name):
    keeps, breaks, params, _, _ = CASES[name]
    assert worth_of(problem_of(pool_of(*keeps), params), range(len(keeps))) > 0
    assert worth_of(problem_of(pool_of(*breaks), params), range(len(breaks))) == INFEASIBLE


@pytest.mark.parametrize(("met", "most", "allowed"), [("b", 0, False), ("b", 1, True), ("bc", 1, False)])
def test_no_more_past_mates_than_allowed_meet_again(met, most, allowed):
    pool = pool_of(learner("a", past_mates=frozenset(met)), learner("b"), learner("c"), learner("d"))
    p = problem_of(pool, params_of(max_past_mates=most))
    assert (worth_of(p, range(4)) > 0) == allowed

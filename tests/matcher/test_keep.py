"""Matching around cohorts that are kept as they are; everybody else is matched as well as can be."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matcher import Infeasible, MatcherError, Pool, Preview, match, match_around
from matcher.checks import claims, count_broken, plain_objective
from tests.matcher.pools import TOPICS, learner, params_of, pool_of, pools, small_params
from tests.matcher.test_match import crowd

PARAMS = params_of(questions=(TOPICS,), time_limit=2)


def test_nothing_kept_is_a_match():
    pool = crowd(20)
    around, plain = match_around(pool, PARAMS, []), match(pool, PARAMS)
    assert (around.cohorts, around.objective) == (plain.cohorts, plain.objective)


def test_kept_cohorts_come_first_and_the_rest_is_matched_beside_them():
    pool = crowd(24)
    first = match(pool, PARAMS)
    kept = [first.cohorts[0].members, first.cohorts[1].members]
    again = match_around(pool, PARAMS, kept)
    assert [one.members for one in again.cohorts[:2]] == kept
    assert [one.score for one in again.cohorts[:2]] == pytest.approx([one.score for one in first.cohorts[:2]])
    # What is left had room for what it had before, so nothing is lost by keeping.
    assert again.n_placed >= first.n_placed
    assert again.bound is not None
    assert again.objective <= again.bound + 1e-6


def test_a_kept_cohort_may_break_the_rules():
    pool = pool_of(*(learner(i) for i in range(8)), learner("late", {200, 201, 202}))
    found = match_around(pool, small_params(time_limit=2), [(0, 1, 2, 3, 4, 8)])
    assert found.cohorts[0].members == (0, 1, 2, 3, 4, 8)
    assert found.cohorts[0].asynchronous
    assert found.n_placed == 9


def test_everybody_kept_leaves_nothing_to_match():
    found = match_around(crowd(6), PARAMS, [range(6)])
    assert [one.members for one in found.cohorts] == [(0, 1, 2, 3, 4, 5)]
    assert found.unplaced == ()


def test_nobody_is_kept_twice():
    with pytest.raises(MatcherError, match="two of the cohorts"):
        match_around(crowd(8), PARAMS, [(0, 1, 2, 3), (3, 4, 5, 6)])


@settings(max_examples=15)
@given(pools(most=9), st.data())
def test_any_cohorts_can_be_kept(pool: Pool, data: st.DataObject):
    params = small_params(questions=(TOPICS,), time_limit=1)
    order = data.draw(st.permutations(range(len(pool))))
    cut = data.draw(st.integers(0, len(pool)))
    kept = [tuple(order[:cut])] if cut else []
    try:
        found = match_around(pool, params, kept)
    except Infeasible:
        return
    assert [one.members for one in found.cohorts[: len(kept)]] == kept
    assert sorted(
        [i for one in found.cohorts for i in one.members] + [u.learner for u in found.unplaced]
    ) == list(range(len(pool)))
    preview = Preview(pool, params)
    for one in found.cohorts:
        assert one.score == pytest.approx(preview.score(one.members, one.asynchronous).score, abs=1e-5)
    made = found.cohorts[len(kept) :]
    # The wishes of those who sit in a kept cohort bind nobody else.
    broken = count_broken(pool, params, [one.members for one in made], claims(made))
    assert {name for name, times in broken.items() if times} <= {"together"}
    worth = plain_objective(params, [c.score for c in found.cohorts], [len(c.members) for c in found.cohorts])
    assert found.objective == pytest.approx(worth, abs=1e-4)
    assert (found.labels >= -1).all()
    assert np.unique(found.labels[found.labels >= 0]).size == len(found.cohorts)

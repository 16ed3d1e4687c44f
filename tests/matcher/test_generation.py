"""Column generation agrees with listing all cohorts, and dives to cohorts that keep the rules."""

import datetime as dt
import math

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from matcher import Learner, Params, Pool
from matcher.columns import all_cohorts
from matcher.generation import dive, generate
from matcher.partition import best_of_all, relaxation
from matcher.progress import Watch
from matcher.solve import worth_of
from tests.matcher.pools import any_params, pools
from tests.matcher.test_pricing import problem_of

SLOW = settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def relaxed(pool, params, seed):
    """A problem, all its cohorts, and what generating them step by step gives."""
    p = problem_of(pool, params, seed)
    active = np.array([i for i in range(len(pool)) if p.can[i].any()], dtype=np.int32)
    bound, found = generate(p, active, [], {}, Watch(math.inf))
    return p, all_cohorts(p, active), bound, found


def plain(n):
    pool = Pool(tuple(Learner(str(i), "UTC", frozenset(range(4))) for i in range(n)))
    return pool, Params(start=dt.date(2027, 1, 11), size_min=4, size_max=4, target_size=4)


@SLOW
@given(pool=pools(most=12), params=any_params(), seed=st.integers(0, 9))
def test_generate_bounds_every_matching_and_dive_reaches_no_more(pool, params, seed):
    assume(any(one.free | one.if_needed for one in pool.learners))
    p, (columns, worths), bound, found = relaxed(pool, params, seed)
    if len(worths):
        _, optimum = best_of_all(columns, worths, [], 0.0, len(pool), Watch(math.inf), 0)
        assert optimum is not None
        assert bound >= optimum - 1e-6
    settled = dive(found, Watch(math.inf))
    members = [i for cohort in settled for i in cohort]
    assert len(members) == len(set(members))
    assert settled == {cohort: pytest.approx(worth_of(p, cohort)) for cohort in settled}
    assert all(worth > 0 for worth in settled.values())
    assert sum(settled.values()) <= bound + 1e-6


@SLOW
@given(pool=pools(most=10), params=any_params(), seed=st.integers(0, 9))
def test_generate_reaches_the_relaxation_over_all_cohorts(pool, params, seed):
    assume(any(one.free | one.if_needed for one in pool.learners))
    p, (columns, worths), bound, _ = relaxed(pool, params, seed)
    # Units and convenors are no part of pricing, which may leave the bound above the relaxation.
    if len(worths) and len(np.unique(p.unit)) == len(p.unit):
        least, _ = relaxation(columns, worths, len(pool), Watch(math.inf))
        assert bound >= least - 1e-4
        assert bound == pytest.approx(least, rel=0.02, abs=1e-3)


def test_dive_gives_up_nothing_of_what_it_came_upon_and_can_be_repeated():
    pool, params = plain(24)
    _, _, bound, found = relaxed(pool, params, 3)
    first, again = dive(found, Watch(math.inf)), dive(found, Watch(math.inf))
    chance = dive(found, Watch(math.inf), random=np.random.default_rng(0))
    for settled in (first, again, chance):
        assert sorted(i for cohort in settled for i in cohort) == list(range(24))
        assert 0.95 * bound <= sum(settled.values()) <= bound + 1e-6


def test_dive_without_time_settles_what_is_clear_and_stops():
    pool, params = plain(24)
    _, _, _, found = relaxed(pool, params, 3)
    settled = dive(found, Watch(1e-9))
    members = [i for cohort in settled for i in cohort]
    assert len(members) == len(set(members))

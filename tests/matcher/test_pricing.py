"""Pricing finds exactly the cohorts that brute force finds."""

import datetime as dt
from itertools import combinations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from matcher import Learner, Params, Pool, pricing
from matcher.availability import availability
from matcher.pricing import Pricer
from matcher.problem import build_problem
from matcher.score import worth
from tests.matcher.pools import any_params, pools

SLOW = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def problem_of(pool, params, seed=0):
    """Affinities in a few steps, so that ties are common."""
    upper = np.triu(np.random.default_rng(seed).integers(0, 4, (len(pool), len(pool))) / 4, 1)
    affinity = (upper + upper.T).astype(np.float32)
    return build_problem(pool, params, availability(pool, params), affinity)


def every(p, active, prices, k, least):
    """Each learner's greatest reduced cost, by trying all."""
    best = np.full(len(active), least)
    for places in combinations(range(len(active)), k):
        value = worth(p, active[list(places)], k)
        if value >= 0:
            gain = value - prices[list(places)].sum()
            best[list(places)] = np.maximum(best[list(places)], gain)
    return best


@SLOW
@given(
    pool=pools(most=9),
    params=any_params(),
    seed=st.integers(0, 9),
    level=st.floats(0, 3.2),
    least=st.sampled_from([0.0, 0.0, 0.3, 2.0]),
)
def test_price_finds_each_learners_best_reduced_cost(pool, params, seed, level, least):
    p = problem_of(pool, params, seed)
    active = np.array([i for i in range(len(pool)) if p.can[i].any()], dtype=np.int32)
    prices = level * np.random.default_rng(seed).integers(0, 3, len(active)) / 2
    for k in range(params.size_min, params.size_max + 1):
        priced = Pricer(p, active).price(prices, k, least, 2)
        assert priced.complete
        assert priced.best == pytest.approx(every(p, active, prices, k, least), abs=1e-5)
        place = {int(i): at for at, i in enumerate(active)}
        for column, value in zip(priced.columns, priced.worths, strict=True):
            gain = value - sum(prices[place[int(i)]] for i in column)
            assert worth(p, column, k) == value
            assert least - 1e-9 < gain <= min(priced.best[place[int(i)]] for i in column) + 1e-5


def test_looking_near_finds_nothing_that_looking_widely_does_not(monkeypatch):
    monkeypatch.setattr(pricing, "N_NEAR", 2)
    pool = Pool(tuple(Learner(str(i), "UTC", frozenset(range(4))) for i in range(14)))
    p = problem_of(pool, Params(start=dt.date(2027, 1, 11), size_min=3, size_max=3, target_size=3), 5)
    active = np.arange(14, dtype=np.int32)
    pricer, prices = Pricer(p, active), np.full(14, 2.3)
    near, wide = (pricer.price(prices, 3, 0.0, 2, widely=widely) for widely in (False, True))
    assert wide.complete
    assert not near.complete
    assert len(near.columns)
    assert (near.best <= wide.best).all()
    assert (near.best < wide.best).any()
    few = pricer.price(prices, 3, 0.0, 2, most_sets=1)
    assert not few.complete
    assert (few.best <= wide.best).all()

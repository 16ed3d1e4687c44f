"""The plain case: equal sizes, nothing but affinity."""

from functools import cache
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matcher.grouping import Kinship, group_equally, inside, labels_of
from matcher.progress import Watch

QUICK = settings(max_examples=25, deadline=None)


def symmetric(n, seed):
    upper = np.triu(np.random.default_rng(seed).uniform(-1, 1, (n, n)), 1)
    return upper + upper.T


def rows_of(n, seed):
    return np.random.default_rng(seed).standard_normal((n, 4)).astype(np.float32)


def optimum(kin, size):
    """By trying every way to fill the first learner's cohort, and then the rest."""
    affinity = kin.between(slice(0, len(kin)))

    @cache
    def best(left):
        if not left:
            return 0.0
        found = []
        for mates in combinations(left[1:], size - 1):
            own = sum(affinity[i, j] for i, j in combinations((left[0], *mates), 2))
            found.append(own + best(tuple(i for i in left[1:] if i not in mates)))
        return max(found)

    return best(tuple(range(len(kin))))


@pytest.fixture(autouse=True, scope="module")
def _kernels_are_compiled():
    for kin in (Kinship.of_rows(rows_of(40, 0)), Kinship.of_matrix(symmetric(40, 0))):
        for size in (4, 20):
            group_equally(kin, size, Watch(0.5), random_state=0)


def limited(seconds=0.3):
    return Watch(seconds)


@QUICK
@given(
    shape=st.sampled_from([(0, 3), (3, 3), (6, 1), (8, 2), (12, 3), (20, 10), (36, 12)]),
    seed=st.integers(0, 99),
    by_rows=st.booleans(),
)
def test_everybody_sits_once_in_a_cohort_of_the_size(shape, seed, by_rows):
    n, size = shape
    kin = Kinship.of_rows(rows_of(n, seed)) if by_rows else Kinship.of_matrix(symmetric(n, seed))
    cohorts = group_equally(kin, size, limited(), random_state=seed)
    assert cohorts.shape == (n // size, size)
    assert sorted(cohorts.ravel().tolist()) == list(range(n))


@QUICK
@given(shape=st.sampled_from([(6, 2), (8, 4), (9, 3)]), seed=st.integers(0, 999), by_rows=st.booleans())
def test_a_tiny_pool_reaches_the_optimum(shape, seed, by_rows):
    n, size = shape
    kin = Kinship.of_rows(rows_of(n, seed)) if by_rows else Kinship.of_matrix(symmetric(n, seed))
    found = inside(kin, group_equally(kin, size, limited(), random_state=0))
    assert found == pytest.approx(optimum(kin, size), abs=1e-3)


@settings(max_examples=8)
@given(seed=st.integers(0, 999))
def test_large_cohorts_reach_the_optimum_of_two_halves(seed):
    kin = Kinship.of_matrix(symmetric(20, seed))
    halves = [(0, *mates) for mates in combinations(range(1, 20), 9)]
    held = np.zeros((len(halves), 20))
    held[np.arange(len(halves))[:, None], np.array(halves)] = 1
    affinity = kin.matrix.astype(np.float64)
    totals = ((held @ affinity) * held).sum(axis=1) + (((1 - held) @ affinity) * (1 - held)).sum(axis=1)
    # A busy machine must not decide it.
    found = inside(kin, group_equally(kin, 10, limited(2.0), random_state=0))
    assert found == pytest.approx(totals.max() / 2, abs=1e-3)


def test_rows_and_their_dot_products_are_one_problem():
    rows = rows_of(60, 1)
    by_rows, by_matrix = Kinship.of_rows(rows), Kinship.of_matrix(rows @ rows.T)
    cohorts = labels_of(group_equally(by_rows, 5, limited(5), random_state=0))
    assert cohorts.shape == (60,)
    seats = np.arange(60, dtype=np.int32).reshape(-1, 5)
    assert inside(by_rows, seats) == pytest.approx(inside(by_matrix, seats), rel=1e-5)


def test_the_same_seed_gives_the_same_cohorts_when_time_does_not_end_the_search():
    kin = Kinship.of_rows(rows_of(40, 3))
    one, two = (group_equally(kin, 4, Watch(60.0), random_state=5) for _ in range(2))
    assert (one == two).all()


def test_a_search_that_is_stopped_hands_out_cohorts():
    watch = Watch(60.0, should_stop=lambda: True)
    watch.tick()
    cohorts = group_equally(Kinship.of_matrix(symmetric(24, 0)), 12, watch, random_state=0, fill_time=True)
    assert sorted(cohorts.ravel().tolist()) == list(range(24))


def test_a_size_that_does_not_divide_is_refused():
    with pytest.raises(ValueError, match="7 learners cannot be cut into cohorts of 2"):
        group_equally(Kinship.of_matrix(symmetric(7, 0)), 2, limited(), random_state=0)

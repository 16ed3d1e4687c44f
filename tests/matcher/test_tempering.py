"""Large cohorts of one size: the tables stay right, and the ladder reaches from warm to cold."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matcher.grouping import Kinship, group_equally, inside
from matcher.progress import Budget, Watch
from matcher.tempering import MOST_TEMPERED, REPLICAS, STEPS, Replica, Tempering, Ties, ladder, like_profiles

QUICK = settings(max_examples=25, deadline=None)


def matrix_of(n, seed, geometry):
    random = np.random.default_rng(seed)
    if geometry:
        points = random.uniform(0, 1, (n, 3))
        return np.sqrt(((points[:, None] - points) ** 2).sum(axis=2)).astype(np.float32)
    upper = np.triu(random.uniform(-1, 1, (n, n)), 1)
    return (upper + upper.T).astype(np.float32)


def dealt(n, cohorts, seed):
    return (np.random.default_rng(seed).permutation(n) % cohorts).astype(np.int32)


def best_swap(matrix, label):
    """The most that any swap of two gains, by trying all."""
    same = label[:, None] == label
    to = np.array([[matrix[i, label == c].sum() for c in range(label.max() + 1)] for i in range(len(label))])
    gains = to[:, label] + to[:, label].T - 2 * matrix
    gains -= np.add.outer(to[np.arange(len(label)), label], to[np.arange(len(label)), label])
    return np.where(same, 0, gains).max()


@QUICK
@given(
    shape=st.sampled_from([(20, 2), (40, 4), (150, 10)]),
    seed=st.integers(0, 99),
    geometry=st.booleans(),
    heat=st.sampled_from([0.01, 0.5, 5.0]),
)
def test_annealing_keeps_sizes_and_tables_right(shape, seed, geometry, heat):
    n, cohorts = shape
    matrix = matrix_of(n, seed, geometry)
    replica = Replica(Ties.of(matrix), dealt(n, cohorts, seed))
    replica.anneal(heat, 200, np.array([seed + 1], dtype=np.uint64))
    assert np.bincount(replica.label).tolist() == [n // cohorts] * cohorts
    fresh = Replica(replica.ties, replica.label)
    assert replica.gain == pytest.approx(fresh.gain, abs=1e-3)
    assert replica.own == pytest.approx(fresh.own, abs=1e-3)
    seats = np.argsort(replica.label, kind="stable").astype(np.int32).reshape(cohorts, -1)
    assert replica.total() == pytest.approx(inside(Kinship.of_matrix(matrix), seats), rel=1e-4, abs=1e-3)


@QUICK
@given(shape=st.sampled_from([(20, 2), (60, 3)]), seed=st.integers(0, 99), geometry=st.booleans())
def test_nobody_gains_by_a_swap_in_what_has_settled(shape, seed, geometry):
    n, cohorts = shape
    matrix = matrix_of(n, seed, geometry)
    replica = Replica(Ties.of(matrix), dealt(n, cohorts, seed))
    settled = replica.settled()
    assert settled.total() >= replica.total() - 1e-4
    assert best_swap(matrix.astype(np.float64), settled.label) < 1e-3


def test_profiles_are_alike_only_where_affinities_have_a_geometry():
    geometry = matrix_of(300, 0, geometry=True)
    like = like_profiles(geometry)
    assert like.shape == (300, 64)
    profiles = ((geometry[0] - geometry) ** 2).sum(axis=1)
    assert set(like[0].tolist()) == set(np.argsort(profiles)[1:65].tolist())
    assert like_profiles(matrix_of(300, 0, geometry=False)).shape == (300, 0)


def test_the_ladder_rises_from_where_little_is_to_come():
    matrix = matrix_of(200, 1, geometry=False)
    random = np.random.default_rng(0)
    search = Tempering(matrix, dealt(200, 10, 0), 0.6, random)
    watch = Watch(30.0)
    cooled = search.cool(watch, Budget(watch, 1.0, 50_000_000, False), 1.0)
    assert len(cooled) == STEPS
    heats, labels = ladder(cooled)
    assert len(heats) == len(labels) == REPLICAS
    assert (np.diff(heats) > 0).all()
    totals = [Replica(search.ties, label).total() for label in labels]
    assert totals[0] > totals[-1]


def test_tempering_is_better_than_annealing_alone_where_annealing_gets_stuck():
    kin = Kinship.of_matrix(matrix_of(120, 5, geometry=False))
    random = np.random.default_rng(0)
    search = Tempering(kin.matrix, dealt(120, 6, 0), kin.spread(random), random)
    watch = Watch(60.0)
    budget = Budget(watch, 1.0, 200_000_000, False)
    search.cool(watch, budget, 0.1)
    search.keep(search.first)
    annealed = search.best_total
    best = inside(kin, group_equally(kin, 20, Watch(60.0), random_state=0))
    assert best > annealed


def test_all_alike_leaves_nothing_to_search_for():
    kin = Kinship.of_matrix(np.ones((40, 40)))
    cohorts = group_equally(kin, 20, Watch(5.0), random_state=0, fill_time=True)
    assert sorted(cohorts.ravel().tolist()) == list(range(40))


def test_rows_of_very_many_learners_are_not_compared():
    assert like_profiles(np.zeros((MOST_TEMPERED + 1, MOST_TEMPERED + 1), dtype=np.float32)).shape[1] == 0

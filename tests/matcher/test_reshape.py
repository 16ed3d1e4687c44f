"""Three-way exchanges, merges and splits: each keeps the state right and finds what only it can find."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from matcher import match
from matcher.construct import construct
from matcher.reshape import merge, reshape, split
from matcher.search import anneal, move, rotate, swap
from matcher.solve import Sides, worth_of
from matcher.state import cohorts_of, seat
from tests.matcher.pools import TOPICS, any_params, learner, params_of, pool_of, pools
from tests.matcher.test_match import crowd
from tests.matcher.test_search import consistent, prepared

HOTTEST = 1e9  # whatever breaks no rule is done


def topical(name, *topics, **fields):
    return learner(name, answers={"topics": frozenset(topics)}, **fields)


def seated(pool, params, cohorts):
    """A problem and a state in which these cohorts sit, and nobody else."""
    p, active, state, near, _ = prepared(pool, params)
    for place, members in enumerate(cohorts):
        seat(p, state, place, np.array(members, dtype=np.int32), len(members))
    return p, active, state, near


def drafts(p):
    return tuple(np.zeros(int(p.sizes[1]) + 2, dtype=np.int32) for _ in range(3))


def nobody_doubled(state):
    places = [i for members in cohorts_of(state) for i in members]
    assert len(places) == len(set(places))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(pool=pools(), params=any_params(), data=st.data())
def test_any_exchange_of_three_keeps_the_state_consistent(pool, params, data):
    p, active, state, _, _ = prepared(pool, params)
    construct(p, state, active, active, params.size_min)
    heat = data.draw(st.sampled_from([0.0, 0.05, HOTTEST]))
    order = data.draw(st.permutations(range(len(pool))))
    for i, j, k in zip(order[::3], order[1::3], order[2::3], strict=False):
        a, b, c = state.cohort[[i, j, k]].tolist()
        # Whoever waits must be one who may be seated at all.
        if b < 0 or c < 0 or len({a, b, c}) < 3 or i not in active:
            continue
        before = state.cohort.copy()
        done = rotate(p, state, i, j, k, heat, *drafts(p))
        consistent(p, state)
        nobody_doubled(state)
        assert state.cohort[[i, j, k]].tolist() == ([b, c, a] if done else [a, b, c])
        others = ~np.isin(p.unit, p.unit[[i, j, k]])
        assert (state.cohort == before)[others].all()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(pool=pools(), params=any_params(), heat=st.sampled_from([0.0, 0.05, HOTTEST]))
def test_merges_and_splits_keep_the_state_consistent_and_all_seated(pool, params, heat):
    p, active, state, near, _ = prepared(pool, params)
    if not len(active):
        return
    construct(p, state, active, active, params.target_size)
    before, worth = state.cohort >= 0, state.value.sum()
    for _ in range(5):
        reshape(p, state, active, near, 20, heat)
        consistent(p, state)
        nobody_doubled(state)
        assert ((state.cohort >= 0) == before).all()
    assert heat > 0 or state.value.sum() >= worth - 1e-9


def ring():
    """Three hosts, each free on an evening of their own, and beside each a mover who could also meet the next
    host, with whom they share a topic.
    """
    evenings = [frozenset(48 * day + half for half in range(36, 42)) for day in range(3)]
    learners = []
    for at in range(3):
        both = evenings[at] | evenings[(at + 1) % 3]
        learners.append(topical(f"mover{at}", f"topic{(at + 1) % 3}", free=both))
        learners.append(topical(f"host{at}", f"topic{at}", free=evenings[at]))
    return pool_of(*learners)


def pairs_only(**fields):
    return params_of(size_min=2, target_size=2, size_max=2, questions=(TOPICS,), **fields)


def test_three_pairs_improve_by_an_exchange_of_three_and_nothing_else():
    p, active, state, near = seated(ring(), pairs_only(), [(0, 1), (2, 3), (4, 5)])
    one, two, _ = drafts(p)
    for i in range(6):
        for j in range(6):
            if state.cohort[i] != state.cohort[j]:
                assert not swap(p, state, i, j, 0.0, one, two)
                assert not move(p, state, i, state.cohort[j], 0.0, one, two)
    before = state.value.sum()
    anneal(p, state, active, near, np.zeros(6, dtype=np.int32), 5_000, 0.0, 0.0)
    consistent(p, state)
    assert sorted(cohorts_of(state)) == [(0, 3), (1, 4), (2, 5)]
    assert state.value.sum() > before + 0.1


def test_exchange_of_three_leaves_out_the_one_who_fits_least():
    pool = pool_of(
        topical("waits", "a"),
        *(topical(name, *topics) for name, topics in [("1", "ab"), ("2", "b"), ("3", "b"), ("4", "z")]),
    )
    # 0 is closest to 1, 2 to 3, and 4 to nobody: 0 takes 2's seat and 2 takes 4's.
    p, _, state, _ = seated(pool, pairs_only(), [(1, 2), (3, 4)])
    before = state.value.sum()
    assert rotate(p, state, 0, 2, 4, 0.0, *drafts(p))
    consistent(p, state)
    assert cohorts_of(state) == [(0, 1), (2, 3)]
    assert state.cohort[4] == -1
    assert state.value.sum() > before


def test_exchange_of_three_takes_whole_units():
    pool = pool_of(
        *(topical(f"l{k}", "a", together=frozenset({f"l{k ^ 1}"})) for k in range(6)),
        *(topical(f"m{k}", "a") for k in range(3)),
    )
    params = params_of(size_min=3, target_size=3, size_max=3, questions=(TOPICS,))
    p, _, state, _ = seated(pool, params, [(0, 1, 6), (2, 3, 7), (4, 5, 8)])
    assert not rotate(p, state, 0, 2, 8, HOTTEST, *drafts(p))
    assert rotate(p, state, 0, 2, 4, HOTTEST, *drafts(p))
    consistent(p, state)
    assert cohorts_of(state) == [(4, 5, 6), (0, 1, 7), (2, 3, 8)]


def test_exchange_of_three_breaks_no_rule():
    pool = pool_of(*(topical(f"l{k}", "a", apart=frozenset({"l3"} if k == 0 else ())) for k in range(6)))
    p, _, state, _ = seated(pool, pairs_only(), [(0, 1), (2, 3), (4, 5)])
    assert not rotate(p, state, 0, 2, 4, HOTTEST, *drafts(p))
    assert rotate(p, state, 0, 3, 4, HOTTEST, *drafts(p))
    consistent(p, state)


def alike(n, **fields):
    return pool_of(*(learner(k, **fields) for k in range(n)))


def test_merge_of_two_of_four_where_eight_is_the_target_is_found():
    params = params_of(size_min=4, target_size=8, size_max=8, size_weight=1.0)
    p, active, state, near = seated(alike(8), params, [(0, 1, 2, 3), (4, 5, 6, 7)])
    zeros = np.zeros(8, dtype=np.int32)
    anneal(p, state, active, near, zeros, 5_000, 0.0, 0.0)
    assert sorted(state.size.tolist())[-2:] == [4, 4]
    reshape(p, state, active, near, 50, 0.0)
    consistent(p, state)
    assert cohorts_of(state) == [tuple(range(8))]


def test_merge_is_refused_without_a_common_evening():
    early = frozenset(range(36, 42))
    late = frozenset(range(84, 90))
    pool = pool_of(*(learner(k, early if k < 4 else late) for k in range(8)))
    params = params_of(size_min=4, target_size=8, size_max=8)
    p, _, state, _ = seated(pool, params, [(0, 1, 2, 3), (4, 5, 6, 7)])
    assert not merge(p, state, 0, 4, HOTTEST)


def test_merge_is_refused_past_the_largest_size():
    params = params_of(size_min=4, target_size=6, size_max=8)
    p, _, state, _ = seated(alike(9), params, [(0, 1, 2, 3), (4, 5, 6, 7, 8)])
    assert not merge(p, state, 0, 4, HOTTEST)


def test_split_of_eight_where_four_is_the_target_is_found():
    pool = pool_of(*(topical(k, "even" if k % 2 == 0 else "odd") for k in range(8)))
    params = params_of(size_min=4, target_size=4, size_max=8, questions=(TOPICS,))
    p, active, state, near = seated(pool, params, [tuple(range(8))])
    anneal(p, state, active, near, np.zeros(8, dtype=np.int32), 5_000, 0.0, 0.0)
    assert cohorts_of(state) == [tuple(range(8))]
    reshape(p, state, active, near, 50, 0.0)
    consistent(p, state)
    assert sorted(cohorts_of(state)) == [(0, 2, 4, 6), (1, 3, 5, 7)]


def test_split_keeps_units_whole_or_does_nothing():
    trio = [learner(k, together=frozenset(str(m) for m in range(3) if m != k)) for k in range(3)]
    params = params_of(size_min=2, target_size=2, size_max=5)
    p, _, state, _ = seated(pool_of(*trio, learner(3), learner(4)), params, [(0, 1, 2, 3, 4)])
    while not split(p, state, 0, HOTTEST):
        consistent(p, state)
    consistent(p, state)
    assert sorted(cohorts_of(state)) == [(0, 1, 2), (3, 4)]
    trio_and_one = seated(pool_of(*trio, learner(3)), params, [(0, 1, 2, 3)])
    assert not any(split(trio_and_one[0], trio_and_one[2], 0, HOTTEST) for _ in range(20))


def test_split_is_refused_for_a_cohort_too_small_for_two():
    params = params_of(size_min=4, target_size=6, size_max=8)
    p, _, state, _ = seated(alike(7), params, [tuple(range(7))])
    assert not split(p, state, 0, HOTTEST)
    assert state.value[0] == pytest.approx(worth_of(p, tuple(range(7))))


def test_merges_and_splits_on_two_cores_keep_the_state_consistent():
    params = params_of(size_min=2, target_size=4, size_max=6, questions=(TOPICS,), n_jobs=2)
    p, active, state, near, _ = prepared(crowd(250), params)
    construct(p, state, active, active, 4)
    sides = Sides(p, params, active, near, state)
    assert sides.n == 2
    for heat in (0.2, 0.05, 0.0):
        cohorts = set(cohorts_of(state))
        reshape(p, state, active, near, 500, heat)
        assert heat == 0.0 or set(cohorts_of(state)) != cohorts
        sides.anneal(50_000, heat, heat)
        consistent(p, state)
        nobody_doubled(state)


def test_match_that_merges_and_splits_on_two_cores_repeats():
    params = params_of(size_min=2, target_size=4, size_max=6, questions=(TOPICS,), n_jobs=2, random_state=3)
    first, second = (match(crowd(220), params) for _ in range(2))
    assert first.labels.tolist() == second.labels.tolist()

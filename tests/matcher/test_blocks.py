"""Pools in blocks: nothing is broken at the seams, and who solves the blocks makes no difference."""

import dataclasses
import os
import random
import signal
import threading
from functools import cache

import joblib
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matcher import blocks, match, solve
from matcher.affinity import AffinityModel, dense, pool_affinity
from matcher.availability import availability
from matcher.blocks import cut, keep_better, loose_bound, solve_in_blocks
from matcher.pool import mutual_groups
from matcher.problem import build_problem, take
from matcher.progress import Watch
from matcher.solve import worth_of
from tests.matcher.pools import TOPICS, learner, params_of, pool_of, pools, small_params
from tests.matcher.test_match import judged

# Blocks of more than are listed in full, of sizes that are not priced: quick to solve.
PARAMS = params_of(questions=(TOPICS,), size_max=9, time_limit=600.0)
N_CROWD = 400


@pytest.fixture
def in_blocks(monkeypatch):
    """Even a small pool is too large for one piece."""
    monkeypatch.setattr(blocks, "LARGE", 130)
    monkeypatch.setattr(blocks, "BLOCK", 130)


def crowd(n=N_CROWD):
    """Several zones and languages, evenings that mostly meet, pairs and people kept apart."""
    chance = random.Random(1)
    people = []
    for i in range(n):
        partner = i ^ 1 if i < 40 else i
        start = 36 + chance.randrange(4)
        days = chance.sample(range(5), 3)
        people.append(
            learner(
                i,
                free={day * 48 + start + k for day in days for k in range(8)},
                zone=chance.choice(["UTC", "Europe/London", "Asia/Kathmandu", "America/New_York"]),
                languages=frozenset(chance.sample(["en", "fr", "es"], 2)),
                answers={"topics": frozenset(chance.sample("abcdefgh", 3))},
                together=frozenset({str(partner)}),
                apart=frozenset({str(chance.randrange(40, n))}) if i > 60 else frozenset(),
            )
        )
    return pool_of(*people)


def members(matching):
    return [cohort.members for cohort in matching.cohorts]


@cache
def matched():
    """What one process makes of the crowd in blocks."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(blocks, "LARGE", 130)
        patch.setattr(blocks, "BLOCK", 130)
        return match(crowd(), PARAMS)


def test_large_pool_breaks_no_rule_and_keeps_units_whole():
    matching = judged(matched())
    assert matching.n_placed > N_CROWD / 2
    for unit in mutual_groups(matching.pool):
        assert len(set(matching.labels[unit].tolist())) == 1


@settings(max_examples=8, deadline=None)
@given(pool=pools(most=16))
def test_any_pool_in_blocks_breaks_no_rule(pool):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(blocks, "LARGE", 3)
        patch.setattr(blocks, "BLOCK", 5)
        patch.setattr(solve, "LEAST_PROPOSALS", 1000)
        judged(match(pool, small_params(questions=(TOPICS,), on_conflict="unplace", asynchronous=True)))


def test_matching_is_the_same_whoever_solves_the_blocks(in_blocks):
    alone = members(matched())
    assert len(alone) > 30
    with joblib.parallel_config(backend="threading", n_jobs=2):
        assert members(match(crowd(), PARAMS)) == alone
    assert members(match(crowd(), dataclasses.replace(PARAMS, n_jobs=2))) == alone


def test_killed_dask_worker_loses_nothing(in_blocks):
    distributed = pytest.importorskip("distributed")
    alone = members(matched())
    killed = []

    with (
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=":0") as cluster,
        distributed.Client(cluster) as client,
        joblib.parallel_config(backend="dask", client=client),
    ):
        pids = sorted(client.run(os.getpid).values())

        def kill_one(progress):
            if progress.stage == "Solving blocks" and not killed:
                killed.append(pids[0])
                os.kill(pids[0], signal.SIGKILL)

        assert members(match(crowd(), PARAMS, progress=kill_one)) == alone
    assert len(killed) == 1


def test_stopped_match_in_blocks_has_the_best_so_far(in_blocks):
    stages = []
    matching = match(
        crowd(),
        PARAMS,
        progress=lambda progress: stages.append(progress.stage),
        should_stop=lambda: "Solving blocks" in stages,
    )
    assert judged(matching).stopped
    assert matching.n_placed > N_CROWD / 2
    assert "Mending the seams" not in stages


def test_error_in_a_block_comes_through(in_blocks, monkeypatch):
    def fail(*args):
        raise ZeroDivisionError("in a block")

    monkeypatch.setattr(blocks, "solve", fail)
    with pytest.raises(ZeroDivisionError, match="in a block"):
        match(crowd(), PARAMS)
    assert threading.active_count() < 20


@settings(max_examples=40, deadline=None)
@given(pool=pools(), chosen=st.sets(st.integers(0, 11)), seed=st.integers(0, 3))
def test_taken_learners_are_worth_what_they_were(pool, chosen, seed):
    params = small_params(questions=(TOPICS,), convenor_required=bool(seed % 2))
    whole = build_problem(pool, params, availability(pool, params), pool_affinity(pool, params))
    rows = np.array(
        sorted(i for unit in mutual_groups(pool) if unit[0] in chosen for i in unit), dtype=np.intp
    )
    part = take(whole, rows)._replace(affinity=whole.affinity[np.ix_(rows, rows)])
    order = random.Random(seed)
    for size in range(2, min(4, len(rows)) + 1):
        some = sorted(order.sample(range(len(rows)), size))
        assert worth_of(part, tuple(some)) == pytest.approx(worth_of(whole, tuple(rows[some].tolist())))
    units = [sorted(rows[part.unit == u].tolist()) for u in range(len(part.unit_start) - 1)]
    assert sorted(units) == sorted(unit for unit in mutual_groups(pool) if unit[0] in chosen)
    assert [
        sorted(rows[part.unit_members[a:b]].tolist())
        for a, b in zip(part.unit_start, part.unit_start[1:], strict=False)
    ] == units


def test_cut_keeps_near_ones_and_items_together(monkeypatch):
    monkeypatch.setattr(blocks, "BLOCK", 10)
    place = np.repeat([0.0, 1.0, 2.0, 3.0], 10)[:, None].astype(np.float32)
    pieces = cut(np.arange(40), place)
    assert sorted(piece.tolist() for piece in pieces) == [list(range(a, a + 10)) for a in (0, 10, 20, 30)]
    pairs = np.arange(40) % 20
    for piece in cut(pairs, place):
        assert sorted(np.bincount(pairs[piece], minlength=20)) == [0] * (20 - len(piece) // 2) + [2] * (
            len(piece) // 2
        )


def test_new_cohorts_of_a_block_are_kept_only_where_better():
    seated = {(0, 1): 4.0, (2, 3): 5.0, (6, 7): 1.0}
    block = np.arange(5)
    keep_better(seated, block, [((0, 2), 6.0), ((1, 3), 3.0)])
    assert seated == {(0, 1): 4.0, (2, 3): 5.0, (6, 7): 1.0}
    keep_better(seated, block, [((0, 2), 9.5)])
    assert seated == {(0, 2): 9.5, (6, 7): 1.0}


def test_loose_bound_is_above_what_one_piece_proves():
    pool, params = crowd(), PARAMS
    whole = match(pool, params)
    problem = build_problem(pool, params, availability(pool, params))
    assert loose_bound(problem, np.arange(len(pool), dtype=np.int32)) >= whole.bound


def test_blocks_are_about_as_good_as_one_piece(in_blocks):
    pool, params = crowd(), PARAMS
    problem = build_problem(pool, params, availability(pool, params))
    affinity = AffinityModel(params).fit(pool).transform(pool)
    everybody = np.arange(len(pool), dtype=np.int32)
    cut_up = solve_in_blocks(problem, affinity, params, everybody, Watch(600.0))
    whole = solve.solve(problem._replace(affinity=dense(affinity)), params, everybody, Watch(600.0))
    assert cut_up.objective > 0.9 * whole.objective

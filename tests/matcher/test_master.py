"""The linear program of known cohorts is solved near enough, and takes up what happens to it."""

from itertools import combinations

import numpy as np
import pytest

from matcher import master
from matcher.master import Master

N = 24


def filled(seed, n=N, n_cohorts=400):
    """A program with random cohorts of two to four, and the worths of all."""
    random = np.random.default_rng(seed)
    program = Master(n)
    for _ in range(n_cohorts):
        places = sorted(random.choice(n, size=int(random.integers(2, 5)), replace=False).tolist())
        program.add(tuple(places), float(len(places) * (2 + random.random())))
    return program


def is_fractional_choice(program, slack):
    """Whether nobody is taken more than once, but for so much."""
    taken = np.zeros(len(program.left))
    for places, share in program.shares().items():
        taken[list(places)] += share
    for places in program.settled:
        taken[list(places)] += 1
    return bool((taken <= 1 + slack).all())


@pytest.mark.parametrize("seed", range(5))
def test_nearly_and_exactly_agree(seed, monkeypatch):
    monkeypatch.setattr(master, "FEW", 0)
    nearly, exactly = filled(seed), filled(seed)
    near = nearly.solve()
    monkeypatch.setattr(master, "FEW", N)
    best = exactly.solve()
    assert near == pytest.approx(best, rel=1e-3)
    for program in (nearly, exactly):
        assert is_fractional_choice(program, 0.02)
        assert program.prices().sum() == pytest.approx(best, rel=1e-3)
    assert exactly.reduced().max() <= 1e-6
    assert nearly.reduced().max() <= 0.1


@pytest.mark.parametrize("few", [0, N])
def test_what_is_settled_stays_until_it_is_released(few, monkeypatch):
    monkeypatch.setattr(master, "FEW", few)
    program = filled(1)
    best = program.solve()
    chosen = min(program.worths)
    program.settle([chosen])
    assert program.solve() <= best * 1.001
    assert is_fractional_choice(program, 0.02)
    assert chosen not in program.shares()
    assert (program.prices()[list(chosen)] == 0).all()
    program.release()
    assert program.solve() == pytest.approx(best, rel=2e-3)


def test_forgetting_keeps_what_matters():
    program = filled(2)
    best, known = program.solve(), len(program.worths)
    program.forget(known)
    assert len(program.worths) == known
    taken = set(program.shares())
    program.forget(N)
    assert taken <= set(program.worths)
    assert len(program.worths) == N
    assert program.solve() == pytest.approx(best)
    program.settle([max(program.worths)])
    program.forget(N)
    assert list(program.settled) == [max(program.worths)]


def test_a_program_without_cohorts_is_worth_nothing():
    program = Master(3)
    assert program.solve() == 0.0
    assert not program.shares()
    assert (program.prices() == 0).all()


def test_all_seated_leaves_nothing_to_solve():
    program = Master(4)
    for pair in combinations(range(4), 2):
        program.add(pair, 1.0 + pair[0])
    program.settle([(0, 1), (2, 3)])
    assert program.solve() == pytest.approx(4.0)

"""Tightening the relaxation of set packing, until so few cohorts are left that the best of them is soon
proven.

The cuts are the subset-row inequalities of Jepsen, Petersen, Spoorendonk and Pisinger (2008): of any three
learners, at most one cohort of a matching can hold two or more.
"""

from __future__ import annotations

from itertools import combinations
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.optimize import linprog

from matcher.progress import Watch

CUTS_A_ROUND = 40
MOST_ROUNDS = 40
VIOLATED = 0.02

Flags = NDArray[np.bool_]


class Relaxed(NamedTuple):
    """A solved relaxation: a bound, the price of each row, each column's reduced cost and its share."""

    bound: float
    prices: NDArray[np.float64]
    reduced: NDArray[np.float64]
    share: NDArray[np.float64]


def solve_relaxation(rows: sparse.csr_array, worths: NDArray[np.float64], n: int) -> Relaxed:
    """Maximise worth where each row holds at most 1; `rows` is (m, n_columns), n how many cohorts fit
    at most.
    """
    # HiGHS through SciPy: the package highspy and OR-Tools clash in one process.
    result = linprog(-worths, A_ub=rows, b_ub=np.ones(rows.shape[0]), bounds=(0, None), method="highs")
    prices = np.maximum(0.0, -np.asarray(result.ineqlin.marginals))
    reduced = worths - rows.T @ prices
    # Whatever the rounding of the prices: a matching has at most n cohorts, each at most this much
    # above them.
    bound = float(prices.sum() + n * max(0.0, float(reduced.max(initial=0.0))))
    return Relaxed(bound, prices, reduced, np.asarray(result.x))


def tighten(
    columns: NDArray[np.int32], worths: NDArray[np.float64], n: int, watch: Watch
) -> tuple[float, NDArray[np.float64]]:
    """A tighter bound on any matching made of these columns, and their (m,) reduced costs under it.

    `columns` is (m, size_max), padded with n.
    """
    held = np.zeros((n + 1, len(columns)), dtype=np.bool_)
    held[columns.T, np.arange(len(columns))] = True
    held = held[:n]
    cuts: NDArray[np.int64] = np.empty((0, 3), dtype=np.int64)
    bound, reduced = np.inf, np.zeros(len(columns))
    for _ in range(MOST_ROUNDS):
        if watch.tick():
            break
        rows = sparse.csr_array(np.vstack([held, _two_of(held, cuts)]).astype(np.float64))
        relaxed = solve_relaxation(rows, worths, n)
        bound, reduced = relaxed.bound, relaxed.reduced
        found = violated(held, relaxed.share)
        if not len(found):
            break
        cuts = np.concatenate([cuts, found])
    return bound, reduced


def _two_of(held: Flags, triples: NDArray[np.int64]) -> Flags:
    """(n_triples, n_columns) whether a column holds two or more of the three."""
    a, b, c = (held[triples[:, k]] for k in range(3))
    return (a & b) | (a & c) | (b & c)


def violated(held: Flags, share: NDArray[np.float64]) -> NDArray[np.int64]:
    """The triples of learners whose inequality the fractional solution breaks most."""
    part = np.flatnonzero((share > 1e-6) & (share < 1 - 1e-6))
    who = np.flatnonzero(held[:, part].any(axis=1))
    triples = np.array(list(combinations(who.tolist(), 3)), dtype=np.int64).reshape(-1, 3)
    excess = np.zeros(len(triples))
    for start in range(0, len(triples), 20_000):
        piece = slice(start, start + 20_000)
        excess[piece] = _two_of(held[:, part], triples[piece]) @ share[part] - 1.0
    worst = np.argsort(-excess, kind="stable")[:CUTS_A_ROUND]
    return triples[worst[excess[worst] > VIOLATED]]

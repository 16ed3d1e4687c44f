"""The linear program of column generation: what the best fractional choice of known cohorts takes of each."""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray
from ortools.pdlp import solvers_pb2
from ortools.pdlp.python import pdlp
from scipy import sparse

from matcher.cuts import solve_relaxation

Cohort = tuple[int, ...]

# How far the value of a solution may be from the best, in worth a learner, and how far it may be from keeping
# to its constraints, in the root mean square.
GAP, RESIDUAL = 3e-5, 1e-3
MOST_STEPS = 5_000
# A share that is none.
TRIFLE = 1e-6
# Up to so many learners a vertex of the program is found as quickly as a point near one.
FEW = 60


class Master:
    """The linear program over the cohorts known so far, and what each is worth.

    PDLP solves it, a first-order method (Applegate and others 2021) that starts from where it ended the last
    time: cohorts only join and learners are only settled, so that little changes from one solution to the
    next. A simplex method takes a hundred times longer on a thousand learners. Prices need not be exact, as
    any prices give a bound.

    Attributes:
        worths: The worth of each cohort, told by the places of its members' rows.
        left: (n,) whether a learner is not yet in a settled cohort.
    """

    def __init__(self, n: int) -> None:
        self.worths: dict[Cohort, float] = {}
        self.left = np.ones(n, dtype=np.bool_)
        self.settled: dict[Cohort, float] = {}
        self._members, self._ends = array("i"), array("q", [0])
        self._shares, self._prices = np.zeros(0), np.zeros(n)

    def add(self, places: Cohort, value: float) -> None:
        """Add a cohort, told by the places of its members' rows, unless it is there."""
        if places not in self.worths:
            self.worths[places] = value
            self._members.extend(places)
            self._ends.append(len(self._members))

    def forget(self, most: int) -> None:
        """Keep the `most` cohorts that pass their prices by most, and those that are taken of, once there are
        twice as many.
        """
        if len(self.worths) <= 2 * most:
            return
        order = np.argsort(-np.where(self._shares > TRIFLE, np.inf, self.reduced()), kind="stable")
        kept, cohorts, shares = np.sort(order[:most]), list(self.worths.items()), self._shares
        self.worths, self._members, self._ends = {}, array("i"), array("q", [0])
        for at in kept:
            self.add(*cohorts[at])
        self._shares = shares[kept]

    def settle(self, cohorts: Iterable[Cohort]) -> None:
        """Have every choice take some cohorts whole."""
        for places in cohorts:
            self.settled[places] = self.worths[places]
            self.left[list(places)] = False

    def release(self) -> None:
        """Take that back for all of them."""
        self.settled.clear()
        self.left[:] = True

    def solve(self) -> float:
        """Find the best fractional choice beside the cohorts that are settled; return what it is worth
        with them.
        """
        members, starts, worths = self._columns()
        self._shares = np.concatenate([self._shares, np.zeros(len(worths) - len(self._shares))])
        left = np.flatnonzero(self.left)
        is_open = np.flatnonzero(np.logical_and.reduceat(self.left[members], starts) if len(starts) else [])
        matrix = sparse.csc_array(
            (np.ones(len(members)), members, np.array(self._ends)), shape=(len(self.left), len(worths))
        )[:, is_open][left]
        shares, prices = self._shares[is_open], self._prices[left]
        self._shares[:] = self._prices[:] = 0.0
        if len(is_open):
            worths_open = worths[is_open]
            if len(left) <= FEW:
                found = solve_relaxation(matrix, worths_open, len(left))
                shares, prices = found.share, found.prices
            else:
                shares, prices = _solve_nearly(matrix, worths_open, shares, prices)
            self._shares[is_open], self._prices[left] = shares, prices
        return float(worths @ self._shares) + sum(self.settled.values())

    def prices(self) -> NDArray[np.float64]:
        """(n,) what another seat for each learner would be worth."""
        return self._prices.copy()

    def shares(self) -> dict[Cohort, float]:
        """The cohorts that the best fractional choice takes something of, but for those settled."""
        cohorts = list(self.worths)
        return {cohorts[at]: float(self._shares[at]) for at in np.flatnonzero(self._shares > TRIFLE)}

    def reduced(self) -> NDArray[np.float64]:
        """How far each cohort's worth passes its members' prices, in the order of `worths`."""
        members, starts, worths = self._columns()
        return worths - np.add.reduceat(self._prices[members], starts) if len(starts) else worths

    def _columns(self) -> tuple[NDArray[np.int32], NDArray[np.int64], NDArray[np.float64]]:
        """The members of all cohorts one after the other, where each one's begin, and the worths."""
        worths = np.fromiter(self.worths.values(), dtype=np.float64, count=len(self.worths))
        return np.array(self._members, dtype=np.int32), np.array(self._ends)[:-1], worths


def _solve_nearly(
    matrix: sparse.csc_array,
    worths: NDArray[np.float64],
    shares: NDArray[np.float64],
    prices: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Shares and prices near the best, found from those at hand.

    What is solved for is how prices change: with worths less prices for worths, the first steps of the method
    have the right length.
    """
    rows, columns = matrix.shape
    program = pdlp.QuadraticProgram()
    program.objective_vector = np.concatenate([matrix.T @ prices - worths, prices])
    program.constraint_matrix = sparse.hstack([matrix, sparse.eye_array(rows)], format="csc")
    program.constraint_lower_bounds = program.constraint_upper_bounds = np.ones(rows)
    program.variable_lower_bounds = np.zeros(columns + rows)
    program.variable_upper_bounds = np.full(columns + rows, np.inf)
    settings = solvers_pb2.PrimalDualHybridGradientParams()
    settings.termination_criteria.iteration_limit = MOST_STEPS
    near = settings.termination_criteria.detailed_optimality_criteria
    near.eps_optimal_objective_gap_relative, near.eps_optimal_objective_gap_absolute = 0.0, GAP * rows
    near.eps_optimal_primal_residual_relative, near.eps_optimal_primal_residual_absolute = RESIDUAL, 0.0
    near.eps_optimal_dual_residual_relative = 0.0
    near.eps_optimal_dual_residual_absolute = RESIDUAL * math.sqrt(columns)
    start = pdlp.PrimalAndDualSolution()
    start.primal_solution = np.concatenate([shares, np.maximum(0.0, 1.0 - matrix @ shares)])
    start.dual_solution = np.zeros(rows)
    found = pdlp.primal_dual_hybrid_gradient(program, settings, start)
    return np.maximum(found.primal_solution[:columns], 0.0), np.maximum(prices - found.dual_solution, 0.0)

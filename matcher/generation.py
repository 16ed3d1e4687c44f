"""Column generation: the relaxation of set packing over all cohorts there could be, which are never listed.

A linear program over the cohorts known so far puts a price on every learner; pricing finds the cohorts that
are worth more than their members' prices; they join, until there are none. At any time the prices give a
bound on every matching (Lagrange): nobody can add more to their price than their share of the best reduced
cost of a cohort with them. Prices are smoothed (Wentges 1997) and the threshold of pricing falls from round
to round, so that early rounds, whose prices are rough, do not drown in cohorts. Diving turns the relaxation
into a matching: the cohorts that it takes most of are settled, and the rest is relaxed again.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from ortools.linear_solver import pywraplp

from matcher.pricing import MOST_SETS, Pricer, pair_values
from matcher.problem import Problem
from matcher.progress import Watch
from matcher.score import worth

Cohort = tuple[int, ...]

# Cohorts that one round of pricing adds for each learner.
A_LEARNER = 3
# The least reduced cost that is looked for, as a share of the mean price, at first and at last.
FIRST, LAST = 0.05, 1e-6
# How far prices may leave the center, which gave the best bound so far, for those of the linear program.
MOST_TRUST = 0.5
# When the bound and the linear program are this near, nothing is left to gain.
CLOSE = 1e-5
# A dive settles cohorts that are taken by so much, and at least this share of the learners at a time.
SETTLED, A_DIVE = 0.9, 0.03
# In a dive prices are rough: few rounds, no trifles, and so many sets a learner before pricing is given up.
DIVE_ROUNDS, DIVE_LEAST, DIVE_SETS = 3, 1e-3, 60
# Up to so much of its share a cohort loses where chance has a say.
SHAKEN = 0.3
# So many cohorts a learner of the greatest reduced cost are handed on.
CLOSEST = 30


class Master:
    """The linear program over the cohorts known so far, and what each is worth.

    GLOP keeps its basis from one solution to the next, as columns only join.
    """

    def __init__(self, n: int) -> None:
        self.solver = pywraplp.Solver.CreateSolver("GLOP")
        self.rows = [self.solver.Constraint(-self.solver.infinity(), 1.0) for _ in range(n)]
        self.solver.Objective().SetMaximization()
        self.variables: dict[Cohort, Any] = {}
        self.worths: dict[Cohort, float] = {}
        self.settled: set[Cohort] = set()

    def add(self, places: Cohort, value: float) -> None:
        """Add a cohort, told by the places of its members' rows, unless it is there."""
        if places in self.variables:
            return
        variable = self.solver.NumVar(0.0, self.solver.infinity(), "")
        self.solver.Objective().SetCoefficient(variable, value)
        for i in places:
            self.rows[i].SetCoefficient(variable, 1.0)
        self.variables[places], self.worths[places] = variable, value

    def settle(self, places: Cohort) -> None:
        """Have every choice take a cohort whole."""
        self.variables[places].SetLb(1.0)
        self.settled.add(places)

    def release(self) -> None:
        """Take that back for all of them."""
        for places in self.settled:
            self.variables[places].SetLb(0.0)
        self.settled.clear()

    def solve(self) -> float:
        """The worth of the best fractional choice."""
        self.solver.Solve()
        return float(self.solver.Objective().Value())

    def prices(self) -> NDArray[np.float64]:
        """(n,) what another seat for each learner would be worth."""
        return np.array([max(0.0, row.dual_value()) for row in self.rows])

    def shares(self) -> dict[Cohort, float]:
        """The cohorts that the best fractional choice takes something of, but for those settled."""
        taken = {places: variable.solution_value() for places, variable in self.variables.items()}
        return {one: share for one, share in taken.items() if share > 1e-6 and one not in self.settled}


class Relaxation:
    """The master problem of some learners, and the pricing that feeds it.

    `values` are `pair_values` of the active learners; `known` are cohorts of any learners.
    """

    def __init__(
        self,
        p: Problem,
        active: NDArray[np.int32],
        values: NDArray[np.float32],
        known: Mapping[Cohort, float],
    ) -> None:
        self.p, self.active, self.values = p, active, values
        self.place = {int(i): at for at, i in enumerate(active)}
        self.left = np.arange(len(active))
        self.pricers = self._pricers()
        self.master = Master(len(active))
        self.add(known.items())

    def _pricers(self) -> list[Pricer]:
        """One a size, of the learners who are left."""
        some, values = self.active[self.left], self.values[np.ix_(self.left, self.left)]
        low, high = int(self.p.sizes[0]), int(self.p.sizes[1])
        return [Pricer(self.p, some, values, k) for k in range(low, high + 1)]

    def add(self, cohorts: Iterable[tuple[Iterable[int], float]]) -> None:
        """Let cohorts join whose members are all active."""
        for members, value in cohorts:
            places = [self.place.get(i, -1) for i in members]
            if min(places) >= 0:
                self.master.add(tuple(sorted(places)), value)

    def price(self, prices: NDArray[np.float64], least: float, most_sets: int = MOST_SETS) -> float | None:
        """Let the best cohorts join that pass their `prices`, (n_active,), by more than `least`; return a
        bound on any matching of those who are left, None when pricing was given up.
        """
        prices = prices[self.left]
        found = [pricer.price(prices, least, A_LEARNER, most_sets) for pricer in self.pricers]
        for one in found:
            whole = [self._is_whole(column) for column in one.columns]
            self.add(zip(one.columns[whole].tolist(), one.worths[whole].tolist(), strict=True))
        if not all(one.complete for one in found):
            return None
        best = np.max([one.best / pricer.k for one, pricer in zip(found, self.pricers, strict=True)], axis=0)
        return float(prices.sum() + best.sum())

    def settle(self, cohorts: Iterable[Cohort]) -> None:
        """Seat the members of some cohorts, told by their places, for good."""
        for places in cohorts:
            self.master.settle(places)
            self.left = np.setdiff1d(self.left, places)
        self.pricers = self._pricers()

    def release(self) -> None:
        """Let everybody be seated anew."""
        self.master.release()
        self.left = np.arange(len(self.active))
        self.pricers = self._pricers()

    def _is_whole(self, column: NDArray[np.int32]) -> bool:
        """Whether nobody is in it without those they stay together with: pricing takes no notice of units,
        which makes its bound the looser for pools with many, and holds all the same.
        """
        units = np.unique(self.p.unit[column])
        return int((self.p.unit_start[units + 1] - self.p.unit_start[units]).sum()) == len(column)

    def named(self, places: Cohort) -> Cohort:
        """The members at these places."""
        return tuple(int(self.active[at]) for at in places)

    def closest(self) -> dict[Cohort, float]:
        """The cohorts of greatest reduced cost, with their worths."""
        self.master.solve()
        prices = self.master.prices()
        reduced = {one: value - sum(prices[i] for i in one) for one, value in self.master.worths.items()}
        order = sorted(reduced, key=lambda one: (-reduced[one], one))[: CLOSEST * len(self.active)]
        return {self.named(one): self.master.worths[one] for one in order}


@dataclass
class Pace:
    """How low pricing looks and how far prices go from the center, from round to round."""

    least: float
    trust: float = 0.0

    def is_at_its_end(self) -> bool:
        """Whether pricing looked at the prices of the linear program for anything at all."""
        return self.trust == 1.0 and self.least <= LAST

    def adapt(self, complete: bool, new: int, n: int) -> None:
        """Look lower when little was found, and stay nearer to the center when there was too much."""
        if not complete:
            self.trust, self.least = self.trust / 2, self.least * 1.2
            return
        if new < n:
            self.least = max(LAST, self.least / 2)
        if new < n // 20 or n < 20:
            self.trust = min(MOST_TRUST if new else 1.0, self.trust + 0.1)


def generate(
    p: Problem,
    active: NDArray[np.int32],
    start: list[Cohort],
    seen: Mapping[Cohort, float],
    watch: Watch,
    rounds: int,
    until: float = 1.0,
) -> tuple[float, Relaxation]:
    """Relax set packing over all cohorts of the active learners.

    `start` is a matching at hand, out of the cohorts `seen` with their worths. The search ends when no cohort
    is left that would improve the relaxation, when the bound meets what `start` is worth, or when the
    share `until` of the watch's time or the `rounds` are used up.

    Returns a bound on any matching, infinite when there was no time for one, and the relaxation.
    """
    relaxation = Relaxation(p, active, pair_values(p, active), seen)
    master, objective = relaxation.master, sum(seen[members] for members in start)
    bound, reached, center = math.inf, objective, first_prices(p, active, start)
    # Prices of a program over few cohorts are wild: the first rounds believe in the center alone.
    prices, pace = center, Pace(FIRST * float(center.mean()))
    for _ in range(rounds):
        if bound - reached <= CLOSE or watch.tick() or watch.is_over(until):
            break
        before = len(master.worths)
        found = relaxation.price(prices, pace.least)
        if found is not None and found < bound:
            bound, center = found, prices
        watch.report(0.87, "Proving how good the cohorts are", objective, bound)
        new = len(master.worths) - before
        if found is not None and not new and pace.is_at_its_end():
            break
        pace.adapt(found is not None, new, len(active))
        if pace.trust:
            reached = max(objective, master.solve())
            prices = (1 - pace.trust) * center + pace.trust * master.prices()
        else:
            prices = center
    return bound, relaxation


def first_prices(p: Problem, active: NDArray[np.int32], start: list[Cohort]) -> NDArray[np.float64]:
    """(n_active,) what each learner adds to their cohort in a matching at hand; the worth of being placed for
    those without one.
    """
    prices = np.full(len(p.unit), p.weights[0])
    for members in start:
        among = p.affinity[np.ix_(members, members)].astype(np.float64)
        np.fill_diagonal(among, 0.0)
        own = (p.weights[1] + p.weights[2]) * among.sum(axis=1) / (len(members) - 1)
        rest = worth(p, np.array(members, dtype=np.int32), len(members)) - own.sum()
        prices[list(members)] = own + rest / len(members)
    return prices[active]


def dive(
    relaxation: Relaxation, watch: Watch, until: float = 1.0, random: np.random.Generator | None = None
) -> dict[Cohort, float]:
    """Settle the cohorts that the relaxation takes most of, relax the rest again, and so on to the end.

    When time is short more is settled at a time; with `random`, chance has a say in what is settled first.
    Returns disjoint cohorts with their worths, which may leave some learners out. The relaxation keeps the
    cohorts that were found on the way.
    """
    master, n, began = relaxation.master, len(relaxation.left), watch.elapsed
    master.solve()
    center = master.prices()
    least = DIVE_LEAST * float(center.mean())
    for step in itertools.count(1):
        is_last = watch.tick() or watch.is_over(until)
        # Steps that come later take longer: half as many are counted on.
        steps_left = watch.left(until) * step / max(1e-6, watch.elapsed - began) / 2
        at_least = max(1, round(A_DIVE * n), math.ceil(len(relaxation.left) / (1 + steps_left)))
        taken = _most_taken(_shaken(master.shares(), random), n if is_last else at_least)
        relaxation.settle(taken)
        if is_last or not taken or not len(relaxation.left):
            break
        for _ in range(DIVE_ROUNDS):
            master.solve()
            center = (1 - MOST_TRUST) * center + MOST_TRUST * master.prices()
            relaxation.price(center, least, DIVE_SETS * len(relaxation.left))
        master.solve()
    settled = {relaxation.named(one): master.worths[one] for one in sorted(master.settled)}
    relaxation.release()
    return settled


def _shaken(shares: Mapping[Cohort, float], random: np.random.Generator | None) -> dict[Cohort, float]:
    """The shares, each made less by chance."""
    if random is None:
        return dict(shares)
    return {one: share * random.uniform(1 - SHAKEN, 1) for one, share in sorted(shares.items())}


def _most_taken(shares: Mapping[Cohort, float], at_least: int) -> list[Cohort]:
    """Disjoint cohorts in falling order of their share: all that are nearly whole, and so many learners."""
    taken: list[Cohort] = []
    used: set[int] = set()
    for one in sorted(shares, key=lambda one: (-shares[one], one)):
        if shares[one] < SETTLED and len(used) >= at_least:
            break
        if used.isdisjoint(one):
            taken.append(one)
            used.update(one)
    return taken

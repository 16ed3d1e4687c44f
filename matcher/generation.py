"""Column generation: the relaxation of set packing over all cohorts there could be, which are never listed.

A linear program over the cohorts known so far puts a price on every learner; pricing finds the cohorts that
are worth more than their members' prices; they join, until there are none. At any time the prices give a
bound on every matching (Lagrange): nobody can add more to their price than their share of the best reduced
cost of a cohort with them. Prices are smoothed (Wentges 1997) and the threshold of pricing falls from round
to round, so that early rounds, whose prices are rough, do not drown in cohorts; these look near each learner
first, and what they say of the bound is only likely. Diving turns the relaxation
into a matching: the cohorts that it takes most of are settled, and the rest is relaxed again.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import NDArray

from matcher.master import Cohort, Master
from matcher.pricing import MOST_SETS, Pricer
from matcher.problem import Problem
from matcher.progress import Watch
from matcher.said import say
from matcher.score import worth

# Cohorts that one round of pricing adds for each learner.
A_LEARNER = 3
# Sets of learners that begin with the same one, before pricing gives them up while prices are rough.
FEW_SETS = 100
# So many cohorts a learner stay in the program; beyond twice as many those of least reduced cost are dropped.
KEPT = 6
# The least reduced cost that is looked for, as a share of the mean price, at first and at last.
FIRST, LAST = 0.0125, 1e-5
# When the bound and the linear program are this near, nothing is left to gain.
CLOSE = 1e-5
MOST_ROUNDS = 1_000
# After so many rounds that lowered the bound by no more than this share of it, it is taken to stay; the first
# two figures are those of a search that is in a hurry.
PATIENCE, STALLED = (2, 4), (5e-5, 3e-6)
# A dive settles cohorts that are taken by so much, and at least this share of all learners at a time, or of
# those who are left.
SETTLED, A_DIVE, OF_LEFT = 0.9, 0.03, 0.1
# In a dive prices are rough: few rounds and sets, in a hurry fewer still, no trifles. When so few learners
# are left, cohorts are sought among all.
DIVE_ROUNDS, DIVE_SETS, DIVE_LEAST, WIDE = (2, 3), (50, 200), 1e-3, 150
# Up to so much of its share a cohort loses where chance has a say.
SHAKEN = 0.3


class Relaxation:
    """The master problem of some learners, and the pricing that feeds it.

    `known` are cohorts of any learners.
    """

    def __init__(self, p: Problem, active: NDArray[np.int32], known: Mapping[Cohort, float]) -> None:
        self.p, self.active = p, active
        self.place = {int(i): at for at, i in enumerate(active)}
        self.pricer = Pricer(p, active)
        self.has_units = len(np.unique(p.unit[active])) < len(active)
        self.master = Master(len(active))
        self.add(known.items())

    def add(self, cohorts: Iterable[tuple[Iterable[int], float]]) -> None:
        """Let cohorts join whose members are all active."""
        for members, value in cohorts:
            places = [self.place.get(i, -1) for i in members]
            if min(places) >= 0:
                self.master.add(tuple(sorted(places)), value)

    def price(
        self, prices: NDArray[np.float64], least: float, *, widely: bool, most_sets: int = FEW_SETS
    ) -> tuple[float, bool]:
        """Let the best cohorts join that pass their `prices`, (n_active,), by more than `least`; return a
        bound on any matching of those who are left, and whether it holds or is only likely, since not all
        was looked at.
        """
        left = self.master.left
        sizes = range(int(self.p.sizes[0]), int(self.p.sizes[1]) + 1)
        prices = np.where(left, prices, np.inf)
        found = [
            self.pricer.price(prices, k, least, A_LEARNER, widely=widely, most_sets=most_sets) for k in sizes
        ]
        for one in found:
            whole = [self._is_whole(column) for column in one.columns]
            self.add(zip(one.columns[whole].tolist(), one.worths[whole].tolist(), strict=True))
        best = np.max([one.best / k for one, k in zip(found, sizes, strict=True)], axis=0)
        return float((prices + best)[left].sum()), all(one.complete for one in found)

    def _is_whole(self, column: NDArray[np.int32]) -> bool:
        """Whether nobody is in it without those they stay together with: pricing takes no notice of units,
        which makes its bound the looser for pools with many, and holds all the same.
        """
        if not self.has_units:
            return True
        units = np.unique(self.p.unit[column])
        return int((self.p.unit_start[units + 1] - self.p.unit_start[units]).sum()) == len(column)

    def named(self, places: Cohort) -> Cohort:
        """The members at these places."""
        return tuple(int(self.active[at]) for at in places)

    def known(self) -> dict[Cohort, float]:
        """The cohorts of the program with their worths."""
        return {self.named(places): value for places, value in self.master.worths.items()}


def generate(
    p: Problem,
    active: NDArray[np.int32],
    start: list[Cohort],
    seen: Mapping[Cohort, float],
    watch: Watch,
    until: float = 1.0,
    *,
    patient: bool = True,
) -> tuple[float, Relaxation]:
    """Relax set packing over all cohorts of the active learners.

    `start` is a matching at hand, out of the cohorts `seen` with their worths. The search ends when no cohort
    is left that would improve the relaxation, when the bound meets what `start` is worth, or when the
    share `until` of the watch's time is used up; unless
    `patient`, also when little more is to be had.

    Returns a bound on any matching, infinite when there was no time for one, and the relaxation.
    """
    relaxation = Relaxation(p, active, seen)
    master, objective = relaxation.master, sum(seen[members] for members in start)
    bound, reached, center = math.inf, objective, first_prices(p, active, start)
    prices, likely, least, widely, idle = center, math.inf, FIRST, False, 0
    for _ in range(MOST_ROUNDS):
        if bound - reached <= CLOSE or watch.tick() or watch.is_over(until):
            break
        before, known = likely, len(master.worths)
        found, holds = relaxation.price(
            prices,
            least * float(center.mean()),
            widely=widely,
            most_sets=MOST_SETS if widely else FEW_SETS,
        )
        if holds:
            bound = min(bound, found)
        if found < likely:
            likely, center = found, prices
        watch.report(0.87, say("Proving how good the cohorts are"), objective, bound)
        new = len(master.worths) - known
        is_idle = least == LAST and before - likely <= STALLED[patient] * abs(likely)
        idle = idle + 1 if is_idle else 0
        if idle == PATIENCE[patient] or (is_idle and not new):
            if widely:
                break
            widely, likely, idle = True, math.inf, 0
        if new < len(active):
            least = max(LAST, least / 2)
        reached = max(objective, master.solve())
        master.forget(KEPT * len(active))
        prices = (center + master.prices()) / 2
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
    relaxation: Relaxation,
    watch: Watch,
    until: float = 1.0,
    random: np.random.Generator | None = None,
    *,
    patient: bool = True,
) -> dict[Cohort, float]:
    """Settle the cohorts that the relaxation takes most of, relax the rest again, and so on to the end.

    When time is short more is settled at a time; with `random`, chance has a say in what is settled first.
    Returns disjoint cohorts with their worths, which may leave some learners out. The relaxation keeps the
    cohorts that were found on the way.
    """
    master, n, began = relaxation.master, len(relaxation.active), watch.elapsed
    master.solve()
    center = master.prices()
    least = DIVE_LEAST * float(center.mean())
    for step in itertools.count(1):
        is_last = watch.tick() or watch.is_over(until)
        # Steps that come later take longer: half as many are counted on.
        steps_left = watch.left(until) * step / max(1e-6, watch.elapsed - began) / 2
        left = int(master.left.sum())
        step_size = min(round(A_DIVE * n), round(OF_LEFT * left))
        at_least = max(1, step_size, math.ceil(left / (1 + steps_left)))
        taken = _most_taken(_shaken(master.shares(), random), n if is_last else at_least)
        master.settle(taken)
        if is_last or not taken or not master.left.any():
            break
        for _ in range(DIVE_ROUNDS[patient]):
            master.solve()
            master.forget(KEPT * len(relaxation.active))
            center = (center + master.prices()) / 2
            relaxation.price(center, least, widely=left <= WIDE, most_sets=DIVE_SETS[patient])
        master.solve()
    settled = {relaxation.named(one): value for one, value in sorted(master.settled.items())}
    master.release()
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

"""Large cohorts of one size: replica exchange over tables of what each learner would gain in each cohort.

One copy of the cohorts is annealed from hot to cold. Where it has nearly settled, several copies (replicas)
go on, each at a heat of its own, and from time to time two that are next to each other on this ladder trade
places by the rule of Metropolis (Swendsen and Wang 1986, Geyer 1991). What is stuck in the cold thus gets
warm, loosens, and comes back another way, where an annealer would have to start anew.

A pass looks at one learner and all whom they could trade seats with, in arrays, and makes one of the swaps
that the heat allows. Where affinities have a geometry, only swaps of learners with a like profile (row of
affinities) are ever accepted, so only those are looked at.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from matcher.compiled import fast_kernel
from matcher.progress import Budget, Watch
from matcher.said import say
from matcher.state import draw

Floats = NDArray[np.float32]
Labels = NDArray[np.int32]

# Annealing goes from `START` times the spread of a cohort's sums down to this share of it.
START, END = 1.0, 0.01
# The ladder reaches from where this share of what annealing gains is still to come to where hardly any is.
HOT, COLD = 0.15, 0.004
REPLICAS = 8
# Beyond so many learners replicas do not come to rest in time, and annealing alone gets all of it.
MOST_TEMPERED = 2_000
COOLING = 0.1
STEPS = 120
# Passes between two trades of replicas, and trades between two reports.
PASSES, TRADES = 300, 10
# Learners of like profile that are looked at, and how much nearer than the usual they must be.
N_LIKE, LIKE = 64, 0.88
# Quick sums must not meet an infinity.
FAR_BELOW = np.float32(-1e30)
# A table of logarithms of random numbers: reading a stretch of it is much quicker than drawing.
N_LOGS = 1 << 16
LOGS: Floats = np.log((np.random.default_rng(0).permutation(N_LOGS) + 0.5) / N_LOGS).astype(np.float32)


@dataclass(frozen=True)
class Ties:
    """What the kernels read: twice the affinities, and of each learner those whose profiles are like theirs.

    Attributes:
        double: (n, n) twice the affinities, 0 on the diagonal.
        like: (n, k) learners; k is 0 when all are to be looked at.
        like_double: (n, k) twice the affinities to them.
    """

    double: Floats
    like: Labels
    like_double: Floats

    @classmethod
    def of(cls, matrix: Floats) -> Ties:
        """From (n, n) affinities."""
        double = 2 * matrix
        np.fill_diagonal(double, 0.0)
        like = like_profiles(matrix)
        return cls(double, like, np.take_along_axis(double, like, axis=1))

    def table(self, label: Labels) -> Floats:
        """(n_cohorts, n) the sum of affinities of each learner to each cohort's members."""
        member = np.eye(int(label.max()) + 1, dtype=np.float32)[label]
        return np.ascontiguousarray((self.double @ member).T / 2)


def like_profiles(matrix: Floats) -> Labels:
    """(n, k) the learners whose rows of affinities are nearest to each one's; k = 0 when none stand out, or
    when there are too many learners to compare the rows of all pairs.
    """
    n = len(matrix)
    nobody = np.zeros((n, 0), dtype=np.int32)
    if not 2 * N_LIKE < n <= MOST_TEMPERED:
        return nobody
    profiles = matrix.astype(np.float64)
    square = (profiles**2).sum(axis=1)
    away = np.sqrt(np.maximum(square[:, None] + square - 2 * profiles @ profiles.T, 0.0))
    usual = away.sum() / (n * (n - 1))
    np.fill_diagonal(away, np.inf)
    like = np.argpartition(away, N_LIKE, axis=1)[:, :N_LIKE].astype(np.int32)
    near = np.take_along_axis(away, like, axis=1).mean()
    return like if near < LIKE * usual else nobody


class Replica:
    """One copy of the cohorts with its table."""

    def __init__(self, ties: Ties, label: Labels) -> None:
        self.ties, self.label = ties, label.copy()
        self.refresh()

    def refresh(self) -> None:
        """Build the table anew, which sheds the rounding of many swaps."""
        self.gain = self.ties.table(self.label)
        self.own = self.gain[self.label, np.arange(len(self.label))].copy()

    def total(self) -> float:
        """The sum of affinities inside cohorts."""
        return float(self.own.sum(dtype=np.float64) / 2)

    def anneal(self, heat: float, passes: int, noise: NDArray[np.uint64]) -> None:
        """Make some passes at one heat."""
        t = self.ties
        anneal_passes(
            t.double, t.like, t.like_double, self.label, self.own, self.gain, heat, passes, LOGS, noise
        )

    def settled(self) -> Replica:
        """A copy in which nobody gains by a swap."""
        copy = Replica(self.ties, self.label)
        descend(copy.ties.double, copy.label, copy.own, copy.gain)
        copy.refresh()
        return copy


class Tempering:
    """Searches one instance; `best` is the best labelling met."""

    def __init__(self, matrix: Floats, label: Labels, spread: float, random: np.random.Generator) -> None:
        self.ties, self.spread = Ties.of(matrix), spread
        self.noise = random.integers(1, 2**63, size=1, dtype=np.uint64)
        self.best, self.best_total = label, -np.inf
        self.first = Replica(self.ties, label)

    def run(self, watch: Watch, budget: Budget) -> Labels:
        """Search until the budget is used up; where all are alike there is nothing to search for."""
        n = len(self.best)
        if self.spread <= 0:
            return self.best
        cooled = self.cool(watch, budget, COOLING if n <= MOST_TEMPERED else 1.0)
        self.keep(self.first)
        if n <= MOST_TEMPERED and len(cooled) == STEPS:
            self.temper(watch, budget, *ladder(cooled))
        return self.best

    def keep(self, replica: Replica) -> None:
        """Remember what a replica settles to, if it is the best so far."""
        settled = replica.settled()
        if settled.total() > self.best_total:
            self.best, self.best_total = settled.label, settled.total()

    def cool(self, watch: Watch, budget: Budget, share: float) -> list[Step]:
        """Anneal the first replica down all heats, if possible within the share of the budget; say what it
        was like at each.
        """
        size = len(self.best) / self.first.gain.shape[0]
        top = START * self.spread * float(np.sqrt(size))
        steps: list[Step] = []
        for heat in np.geomspace(top, END * top, STEPS).tolist():
            if watch.is_over():
                break
            self.first.anneal(heat, PASSES, self.noise)
            self.spend(budget, PASSES)
            while budget.done < share * (len(steps) + 1) / STEPS:
                self.first.anneal(heat, PASSES, self.noise)
                self.spend(budget, PASSES)
            self.first.refresh()
            steps.append(Step(heat, self.first.total(), self.first.label.copy()))
            watch.report(0.15 + 0.7 * budget.done, say("Improving the cohorts"))
        return steps

    def temper(self, watch: Watch, budget: Budget, heats: Floats, labels: Sequence[Labels]) -> None:
        """Let replicas trade places on the ladder of heats, the coldest first."""
        ladder = [Replica(self.ties, label) for label in labels]
        parity = 0
        while budget.done < 1.0 and not watch.is_over():
            for _ in range(TRADES):
                for heat, replica in zip(heats.tolist(), ladder, strict=True):
                    replica.anneal(heat, PASSES, self.noise)
                parity = 1 - parity
                self.trade(ladder, heats, parity)
            self.spend(budget, TRADES * len(ladder) * PASSES)
            for replica in ladder[:2]:
                self.keep(replica)
            for replica in ladder:
                replica.refresh()
            watch.report(0.15 + 0.7 * budget.done, say("Improving the cohorts"))

    def trade(self, ladder: list[Replica], heats: Floats, parity: int) -> None:
        """Let every other pair of neighbours change heats, as likely as leaves each heat its distribution."""
        for r in range(parity, len(ladder) - 1, 2):
            more = ladder[r + 1].total() - ladder[r].total()
            coin = np.log((draw(self.noise, 1 << 30) + 1.0) / (1 << 30))
            if more * (1 / heats[r] - 1 / heats[r + 1]) > coin:
                ladder[r], ladder[r + 1] = ladder[r + 1], ladder[r]

    def spend(self, budget: Budget, passes: int) -> None:
        """Count the swaps looked at in some passes."""
        budget.spend(passes * (self.ties.like.shape[1] or len(self.best)))


@dataclass(frozen=True)
class Step:
    """Where annealing was at one heat."""

    heat: float
    total: float
    label: Labels


def ladder(cooled: Sequence[Step]) -> tuple[Floats, list[Labels]]:
    """Heats, rising, for the replicas, and the labels that annealing had at each."""
    first, last = cooled[0].total, max(step.total for step in cooled)
    to_come = np.array([last - step.total for step in cooled])
    heats = np.array([step.heat for step in cooled])

    def heat_at(share: float) -> float:
        """The lowest heat at which so much was still to come."""
        return float(heats[np.flatnonzero(to_come >= share * (last - first))[-1]])

    rungs = np.geomspace(heat_at(COLD), max(heat_at(HOT), heat_at(COLD) * 1.05), REPLICAS)
    at = [int(np.abs(np.log(heats / rung)).argmin()) for rung in rungs]
    return rungs.astype(np.float32), [cooled[k].label for k in at]


@fast_kernel
def _weigh_all(
    i: Any, double: Any, label: Any, own: Any, gains: Any, row: Any, slack: Any, margin: Any
) -> Any:
    """Write into `margin`, for everybody, what i gains by their seat less what they lose, with some slack;
    return the greatest.
    """
    weights = double[i]
    top = FAR_BELOW
    for j in range(len(label)):
        value = row[label[j]] + gains[j] - own[j] - weights[j] - slack[j]
        margin[j] = value
        top = max(top, value)
    return top


@fast_kernel
def _weigh_like(
    like: Any, weights: Any, label: Any, own: Any, gains: Any, row: Any, slack: Any, margin: Any
) -> Any:
    """The same for those in `like`."""
    top = FAR_BELOW
    for q in range(len(like)):
        j = like[q]
        value = row[label[j]] + gains[j] - own[j] - weights[q] - slack[q]
        margin[q] = value
        top = max(top, value)
    return top


@fast_kernel
def _swap(double: Any, label: Any, own: Any, gain: Any, i: Any, j: Any) -> Any:
    """Let i and j trade seats."""
    a, b = label[i], label[j]
    label[i], label[j] = b, a
    theirs, mine, left, joined = double[j], double[i], gain[a], gain[b]
    for x in range(len(label)):
        change = np.float32(0.5) * (theirs[x] - mine[x])
        left[x] += change
        joined[x] -= change
        own[x] = gain[label[x], x]


@fast_kernel
def anneal_passes(
    double: Any,
    like: Any,
    like_double: Any,
    label: Any,
    own: Any,
    gain: Any,
    heat: Any,
    passes: Any,
    logs: Any,
    noise: Any,
) -> Any:
    """Make `passes` passes over random learners, each with one swap at most."""
    n, n_like = len(label), like.shape[1]
    width = n_like if n_like else n
    margin = np.empty(width, dtype=np.float32)
    slack = np.empty(width, dtype=np.float32)
    row = np.empty(len(gain), dtype=np.float32)
    warmth = np.float32(heat)
    for _ in range(passes):
        i = draw(noise, n)
        a = label[i]
        at = draw(noise, len(logs) - width)
        for q in range(width):
            slack[q] = warmth * logs[at + q]
        for c in range(len(gain)):
            row[c] = gain[c, i]
        row[a] = FAR_BELOW
        if n_like:
            top = _weigh_like(like[i], like_double[i], label, own, gain[a], row, slack, margin)
        else:
            top = _weigh_all(i, double, label, own, gain[a], row, slack, margin)
        if top <= own[i]:
            continue
        q = draw(noise, width)
        while margin[q] <= own[i]:
            q = q + 1 if q + 1 < width else 0
        _swap(double, label, own, gain, i, like[i, q] if n_like else q)


@fast_kernel
def descend(double: Any, label: Any, own: Any, gain: Any) -> Any:
    """Let each learner in turn make their best swap, until nobody gains by one."""
    n = len(label)
    slack = np.zeros(n, dtype=np.float32)
    margin = np.empty(n, dtype=np.float32)
    row = np.empty(len(gain), dtype=np.float32)
    i, idle = 0, 0
    # Rounding must not keep two changing seats for ever.
    least = np.float32(1e-6) * np.abs(own).max() + np.float32(1e-9)
    while idle < n:
        a = label[i]
        for c in range(len(gain)):
            row[c] = gain[c, i]
        row[a] = FAR_BELOW
        idle += 1
        if _weigh_all(i, double, label, own, gain[a], row, slack, margin) > own[i] + least:
            _swap(double, label, own, gain, i, margin.argmax())
            idle = 0
        i = i + 1 if i + 1 < n else 0

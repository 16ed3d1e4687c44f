"""Pricing: which cohorts would improve the relaxation of set packing, found exactly and without a solver.

Given a price a learner, the reduced cost of a cohort is its worth less its members' prices. For one size k
it is at most a sum of weights over the cohort's pairs, since the affinity is a mean over pairs, the member
who fits least fits no better than the mean, and no cohort has more common blocks than any two of its members.
Of a set whose weights add up to something positive, the member with the least sum can be dropped, and what
is left is positive again; so every cohort wanted is reached from a pair by adding, each time, one who is then
the weakest (reverse search, Avis and Fukuda 1996). Each set is met once, and nothing needs to be remembered.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from matcher.compiled import kernel
from matcher.construct import compatible
from matcher.problem import Problem
from matcher.score import count_common, worth

# Weights are counted in whole parts of this size, rounded up: sums are exact, and so are ties.
SCALE = 1 << 19
# What two who cannot be together weigh: hardly a cohort makes up for it, and eight people's sum fits 32 bits.
NEVER = -(1 << 25)
# Sets looked at before the search for cohorts that begin with a learner is given up.
MOST_SETS = 20_000
# So many others are tried beside each learner while prices are rough.
N_NEAR = 150


class Priced(NamedTuple):
    """What pricing found for one size.

    Attributes:
        columns: (m, k) cohorts of greater reduced cost than asked for, few for each learner.
        worths: (m,) what they are worth.
        best: (n_active,) the greatest reduced cost of any cohort with each learner, and at least what was
            asked for.
        complete: whether all such cohorts were looked at, so that `best` holds.
    """

    columns: NDArray[np.int32]
    worths: NDArray[np.float64]
    best: NDArray[np.float64]
    complete: bool


def pair_values(p: Problem, active: NDArray[np.int32]) -> NDArray[np.float32]:
    """(m, m) what each pair of active learners adds to a cohort's score at most, by affinity and common
    blocks; -inf for those who cannot be together, and for oneself.
    """
    values = np.full((len(active), len(active)), -np.inf, dtype=np.float32)
    _pair_values(p, active, values)
    return values


@kernel
def _pair_values(p: Any, active: Any, values: Any) -> Any:
    pair = np.zeros(2, dtype=np.int32)
    for a in range(len(active)):
        for b in range(a + 1, len(active)):
            pair[0], pair[1] = active[a], active[b]
            if compatible(p, pair[0], pair[1]):
                halves = 0
                # Any anchor may be used: a later member may provide it.
                for anchor in range(p.can.shape[1]):
                    free = count_common(p.can, anchor, pair, 2)
                    gladly = count_common(p.prefers, anchor, pair, 2) if p.sizes[3] else free
                    halves = max(halves, free + gladly)
                affinity = p.affinity[min(pair[0], pair[1]), max(pair[0], pair[1])]
                value = (p.weights[1] + p.weights[2]) * affinity + p.block_values[halves]
                values[a, b] = values[b, a] = value


class Pricer:
    """Prices the cohorts of `active` learners.

    It keeps (n_active, n_active) whole numbers: weights, counted (k - 1)-fold so that they serve all sizes k.
    """

    def __init__(self, p: Problem, active: NDArray[np.int32]) -> None:
        self.p, self.active = p, active
        values = pair_values(p, active)
        values *= np.float32(2 * SCALE)
        self.weights = np.maximum(np.ceil(values, out=values), np.float32(NEVER)).astype(np.int32)
        n, n_near = len(active), min(N_NEAR, len(active))
        self.near = np.empty((n, n_near), dtype=np.int32)
        for i, row in enumerate(self.weights):
            self.near[i] = np.argpartition(row, n - n_near)[n - n_near :]

    def price(
        self,
        prices: NDArray[np.float64],
        k: int,
        least: float,
        a_learner: int,
        *,
        widely: bool = True,
        most_sets: int = MOST_SETS,
    ) -> Priced:
        """Look for the cohorts of `k` whose worth passes their members' `prices`, (n_active,), by more than
        `least`; nobody whose price is infinite is in them.

        Of those, the best `a_learner` of each learner are handed back. Unless `widely`, the others are sought
        among the `N_NEAR` who weigh most with the first. After `most_sets` sets that begin with the same
        learner the search goes on to the next.
        """
        p = self.p
        share = p.weights[0] + p.size_values[k] - prices
        own = np.maximum(np.ceil(SCALE * share), NEVER).astype(np.int32)
        if not (own > NEVER).any():
            return Priced(np.empty((0, k), dtype=np.int32), np.empty(0), np.full(len(own), least), True)
        near = np.flatnonzero(own > NEVER).astype(np.int32)[None, :] if widely else self.near
        found = np.full((len(self.active), a_learner), -np.inf)
        kept = np.zeros((len(self.active), a_learner, k), dtype=np.int32)
        best = np.full(len(self.active), least)
        ended = _search(p, self.active, self.weights, own, near, prices, least, found, kept, best, most_sets)
        columns = np.unique(np.sort(kept[np.isfinite(found)], axis=1), axis=0)
        worths = np.array([worth(p, column, k) for column in columns], dtype=np.float64)
        return Priced(columns, worths, best, bool(ended and (widely or near.shape[1] == len(self.active))))


@kernel
def _keep(found: Any, kept: Any, a: Any, gain: Any, people: Any, k: Any) -> Any:
    """Put a cohort among the best few of learner a when it belongs there."""
    least = 0
    for place in range(found.shape[1]):
        if found[a, place] < found[a, least]:
            least = place
    if gain > found[a, least]:
        found[a, least] = gain
        for m in range(k):
            kept[a, least, m] = people[m]


@kernel
def _is_weakest(weights: Any, own: Any, members: Any, degree: Any, s: Any, v: Any, tie: Any) -> Any:
    """Whether v, whose weights to `members[:s]` add up to `tie`, would be the least tied of them all."""
    for m in range(s):
        t = members[m]
        other = degree[m] + weights[t, v] + own[t] + own[v]
        if other < tie or (other == tie and t < v):
            return False
    return True


@kernel
def _may_join(p: Any, common: Any, spoken: Any, s: Any, i: Any) -> Any:
    """Note in row s + 1 the starts and languages of the set with learner i; return whether any are left."""
    common[s + 1], spoken[s + 1] = common[s] & p.can[i], spoken[s] & p.languages[i]
    return common[s + 1].any() and spoken[s + 1].any()


@kernel
def _next(row: Any, start: Any, missing: Any) -> Any:
    """The next place from `start` on whose entry is above `missing`; the length when there is none."""
    v = start
    while v < len(row) and row[v] <= missing:
        v += 1
    return v


@kernel
def _holds(members: Any, s: Any, v: Any) -> Any:
    """Whether v is one of `members[:s]`."""
    inside = False
    for m in range(s):
        inside |= members[m] == v
    return inside


@kernel
def _grow(
    weights: Any, own: Any, near: Any, members: Any, ties: Any, degree: Any, s: Any, v: Any, tie: Any
) -> Any:
    """Add v, tied to them by `tie`, to `members[:s]`: the ties of those near to the set, and its degrees."""
    for m in range(s):
        degree[s + 1, m] = degree[s, m] + weights[members[m], v] + own[members[m]] + own[v]
    degree[s + 1, s] = tie
    row = weights[v]
    for x in range(len(near)):
        ties[s + 1, x] = ties[s, x] + row[near[x]] + own[near[x]] + own[v]


@kernel
def _count(
    p: Any, active: Any, prices: Any, members: Any, least: Any, found: Any, kept: Any, best: Any
) -> Any:
    """Reckon the true reduced cost of a whole cohort, and note it with its members when it passes `least`."""
    k = len(members)
    people = active[members]
    gain = worth(p, people, k)
    if gain < 0:
        return
    for m in range(k):
        gain -= prices[members[m]]
    if gain > least:
        for m in range(k):
            best[members[m]] = max(best[members[m]], gain)
            _keep(found, kept, members[m], gain, people, k)


@kernel
def _search(
    p: Any,
    active: Any,
    weights: Any,
    own: Any,
    near: Any,
    prices: Any,
    least: Any,
    found: Any,
    kept: Any,
    best: Any,
    most: Any,
) -> Any:
    """Fill `found`, `kept` and `best`; return whether the search came to its end with at most `most` sets for
    each first learner. Where `near` is one row, it is everybody's.

    `members[:s]` is the set at hand, `ties[s]` the sums of weights to it of those near its first member,
    `degree[s]` its members'. A set grows towards a cohort above `least` only while its mean weight a pair is
    above that cohort's.
    """
    n, k, n_near = len(active), kept.shape[2], near.shape[1]
    complete = True
    goal = np.zeros(k + 1, dtype=np.int64)
    for s in range(2, k + 1):
        goal[s] = np.int64(least * SCALE * (s * (s - 1)) / k)
    members = np.zeros(k, dtype=np.int32)
    ties = np.zeros((k + 1, n_near), dtype=np.int32)
    degree = np.zeros((k + 1, k), dtype=np.int32)
    total = np.zeros(k + 1, dtype=np.int64)
    common = np.full((k + 1, p.can.shape[1], p.can.shape[2]), ~np.uint64(0), dtype=np.uint64)
    spoken = np.full((k + 1, p.languages.shape[1]), ~np.uint64(0), dtype=np.uint64)
    at = np.zeros(k + 1, dtype=np.int64)
    for first in range(n):
        if own[first] <= NEVER or not _may_join(p, common, spoken, 0, active[first]):
            continue
        others = near[first] if len(near) > 1 else near[0]
        members[0], sets, s, at[1] = first, 0, 1, 0
        for x in range(n_near):
            ties[1, x] = weights[first, others[x]] + own[first] + own[others[x]]
        while s >= 1:
            place = _next(ties[s], at[s], goal[s + 1] - total[s])
            at[s] = place + 1
            if place == n_near:
                s -= 1
                continue
            v, tie = others[place], ties[s, place]
            # The second comes later in the order; whoever follows may stand anywhere.
            weakest = v > first if s == 1 else _is_weakest(weights, own, members, degree[s], s, v, tie)
            if _holds(members, s, v) or not weakest or not _may_join(p, common, spoken, s, active[v]):
                continue
            sets += 1
            if sets > most:
                complete = False
                break
            members[s] = v
            total[s + 1] = total[s] + tie
            if s + 1 == k:
                _count(p, active, prices, members, least, found, kept, best)
                continue
            _grow(weights, own, others, members, ties, degree, s, v, tie)
            at[s + 1] = 0
            s += 1
    return complete

"""The plain case: everybody can be with everybody, and all cohorts have one size.

What is left of the score is the sum of the affinities inside cohorts, the maximally diverse grouping
problem. Small cohorts are annealed with swaps proposed along lists of kindred neighbours; for large ones see
`matcher.tempering`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from matcher.compiled import fast_kernel
from matcher.progress import Budget, Watch
from matcher.said import say
from matcher.state import draw
from matcher.tempering import Tempering

Floats = NDArray[np.float32]

# From this size on a table of gains pays: a cohort has more pairs than a table row has to be mended.
LARGE = 10
N_NEAR = 20
# Temperatures as shares of the spread of affinities over random pairs.
HOT, COLD = 0.6, 0.28
WARM = 0.4
CHUNK = 2_000
# Proposals a learner when no time is to be filled.
PROPOSALS, LEAST_PROPOSALS = 20_000, 1_000_000
# Swaps looked at in large cohorts; some five seconds' worth.
LARGE_PROPOSALS = 2_000_000_000


@dataclass(frozen=True)
class Kinship:
    """The affinities of a plain problem: an (n, n) symmetric `matrix` of any sign, or (n, d) `rows` whose
    dot products they are. One of the two has no entries.
    """

    matrix: Floats
    rows: Floats

    @classmethod
    def of_matrix(cls, matrix: NDArray[Any]) -> Kinship:
        """From all pairs."""
        return cls(
            np.ascontiguousarray(matrix, dtype=np.float32), np.zeros((len(matrix), 0), dtype=np.float32)
        )

    @classmethod
    def of_rows(cls, rows: NDArray[Any]) -> Kinship:
        """From features; no table of all pairs is ever made of more than 10,000 learners."""
        return cls(np.zeros((0, 0), dtype=np.float32), np.ascontiguousarray(rows, dtype=np.float32))

    def __len__(self) -> int:
        return len(self.rows)

    def between(self, some: slice) -> Floats:
        """(len(some), n) affinities of some learners to all."""
        if self.rows.shape[1]:
            return np.asarray(self.rows[some] @ self.rows.T, dtype=np.float32)
        return self.matrix[some]

    def spread(self, random: np.random.Generator) -> float:
        """The standard deviation of affinity over random pairs of different learners."""
        i, j = random.integers(len(self), size=(2, 20_000))
        i, j = i[i != j], j[i != j]
        values = (
            np.einsum("ij,ij->i", self.rows[i], self.rows[j]) if self.rows.shape[1] else self.matrix[i, j]
        )
        return float(values.std()) if len(values) else 0.0


def inside(kin: Kinship, cohorts: NDArray[np.int32]) -> float:
    """The sum of affinities over the pairs inside `cohorts`, (m, size)."""
    if kin.rows.shape[1]:
        among = kin.rows[cohorts].astype(np.float64)
        every = (among.sum(axis=1) ** 2).sum() - (among**2).sum()
    else:
        matrix = kin.matrix[cohorts[:, :, None], cohorts[:, None, :]].astype(np.float64)
        every = matrix.sum() - np.trace(matrix, axis1=1, axis2=2).sum()
    return float(every / 2)


def group_equally(
    kin: Kinship, size: int, watch: Watch, *, random_state: int, fill_time: bool = False, until: float = 0.95
) -> NDArray[np.int32]:
    """Cut all learners into cohorts of `size` with the greatest sum of affinities inside that can be found.

    With `fill_time` the search goes on until the share `until` of the time is up, and may differ from
    run to run; without, it ends after a number of proposals that grows with the pool, or when time is up.

    Returns (n / size, size) indices.

    Raises:
        ValueError: n is not a multiple of `size`.
    """
    n = len(kin)
    if size < 1 or n % size:
        raise ValueError(f"{n} learners cannot be cut into cohorts of {size}")
    random = np.random.default_rng(random_state)
    cohorts = random.permutation(n).astype(np.int32).reshape(-1, size)
    if not 1 < size < n:
        return cohorts
    if size >= LARGE and not kin.rows.shape[1]:
        return _large(kin, cohorts, watch, random, Budget(watch, until, LARGE_PROPOSALS, fill_time))
    proposals = max(LEAST_PROPOSALS, PROPOSALS * n)
    return _small(kin, cohorts, watch, random, Budget(watch, until, proposals, fill_time), proposals)


def _small(
    kin: Kinship,
    cohorts: NDArray[np.int32],
    watch: Watch,
    random: np.random.Generator,
    budget: Budget,
    proposals: int,
) -> NDArray[np.int32]:
    n, size = len(kin), cohorts.shape[1]
    near = nearest(kin, min(N_NEAR, n - 1), watch)
    cohorts = grow(near, size)
    noise = random.integers(1, 2**63, size=1, dtype=np.uint64)
    label = labels_of(cohorts)
    place = np.empty(n, dtype=np.int32)
    place[cohorts] = np.arange(size, dtype=np.int32)
    spread = kin.spread(random)
    best, best_total = cohorts.copy(), inside(kin, cohorts)
    hot, pace = (HOT, 100) if n < 20_000 else (WARM, 25)
    step = min(100_000 + pace * n, proposals // 60)
    while budget.done < 1.0 and not watch.is_over():
        heat = spread * (hot + (COLD - hot) * min(1.0, budget.done))
        anneal_small(kin.matrix, kin.rows, cohorts, label, place, near, heat, step, noise)
        budget.spend(step)
        quenched = cohorts.copy()
        anneal_small(kin.matrix, kin.rows, quenched, label.copy(), place.copy(), near, 0.0, 10 * n, noise)
        total = inside(kin, quenched)
        if total > best_total:
            best, best_total = quenched, total
        watch.report(0.15 + 0.7 * min(1.0, budget.done), say("Improving the cohorts"))
    return best


def nearest(kin: Kinship, k: int, watch: Watch) -> NDArray[np.int32]:
    """(n, k) the learners of greatest affinity to each, falling."""
    n = len(kin)
    near = np.empty((n, k), dtype=np.int32)
    for start in range(0, n, CHUNK):
        some = slice(start, min(start + CHUNK, n))
        values = kin.between(some).copy()
        values[np.arange(some.stop - start), np.arange(start, some.stop)] = -np.inf
        found = np.argpartition(values, n - k, axis=1)[:, n - k :]
        order = np.argsort(-np.take_along_axis(values, found, axis=1), axis=1, kind="stable")
        near[some] = np.take_along_axis(found, order, axis=1)
        watch.report(0.05 + 0.05 * start / n, say("Finding kindred learners"))
    return near


def labels_of(cohorts: NDArray[np.int32]) -> NDArray[np.int32]:
    """(n,) the row of each learner."""
    label = np.empty(cohorts.size, dtype=np.int32)
    label[cohorts] = np.arange(len(cohorts), dtype=np.int32)[:, None]
    return label


def grow(near: NDArray[np.int32], size: int) -> NDArray[np.int32]:
    """Cohorts of `size` grown along the lists of neighbours, around those in fewest lists first."""
    n = len(near)
    wanted = np.bincount(near.ravel(), minlength=n)
    grown: NDArray[np.int32] = _grow(near, np.argsort(wanted, kind="stable"), size)
    return grown.reshape(-1, size)


@fast_kernel
def _grow(near: Any, order: Any, size: Any) -> Any:
    n = len(order)
    seated = np.zeros(n, dtype=np.bool_)
    found = np.empty(n, dtype=np.int32)
    at = 0
    behind = 0
    for seed in order:
        if seated[seed]:
            continue
        first = at
        found[at] = seed
        seated[seed] = True
        at += 1
        head = first
        while at < first + size and head < at:
            for j in near[found[head]]:
                if not seated[j] and at < first + size:
                    found[at] = j
                    seated[j] = True
                    at += 1
            head += 1
        while at < first + size:
            while seated[order[behind]]:
                behind += 1
            found[at] = order[behind]
            seated[order[behind]] = True
            at += 1
    return found


@fast_kernel
def _tie(matrix: Any, rows: Any, i: Any, members: Any, skip: Any) -> Any:
    """The sum of affinities of i to `members` without the one at `skip`."""
    total = np.float32(0.0)
    for m in range(len(members)):
        if m != skip:
            if rows.shape[1]:
                for f in range(rows.shape[1]):
                    total += rows[i, f] * rows[members[m], f]
            else:
                total += matrix[i, members[m]]
    return total


@fast_kernel
def anneal_small(
    matrix: Any, rows: Any, cohorts: Any, label: Any, place: Any, near: Any, heat: Any, steps: Any, noise: Any
) -> Any:
    """Propose `steps` swaps at one heat: a learner takes the seat of a mate of one of their neighbours."""
    n, size, n_near = len(label), cohorts.shape[1], near.shape[1]
    n_features = rows.shape[1]
    sums = np.zeros((len(cohorts), n_features), dtype=np.float32)
    for i in range(n):
        for f in range(n_features):
            sums[label[i], f] += rows[i, f]
    for _ in range(steps):
        i = draw(noise, n)
        b = label[near[i, draw(noise, n_near)]]
        a = label[i]
        if a == b:
            continue
        slot = draw(noise, size)
        j = cohorts[b, slot]
        if n_features:
            gain = np.float32(0.0)
            for f in range(n_features):
                away = rows[i, f] - rows[j, f]
                gain += away * (sums[b, f] - sums[a, f] + away)
        else:
            mine, theirs = place[i], slot
            gain = _tie(matrix, rows, i, cohorts[b], theirs) - _tie(matrix, rows, i, cohorts[a], mine)
            gain += _tie(matrix, rows, j, cohorts[a], mine) - _tie(matrix, rows, j, cohorts[b], theirs)
        if gain <= 0.0 and (heat <= 0.0 or gain < heat * np.log((draw(noise, 1 << 30) + 1.0) / (1 << 30))):
            continue
        cohorts[a, place[i]] = j
        cohorts[b, slot] = i
        place[j] = place[i]
        place[i] = slot
        label[i], label[j] = b, a
        for f in range(n_features):
            away = rows[i, f] - rows[j, f]
            sums[b, f] += away
            sums[a, f] -= away


def _large(
    kin: Kinship, cohorts: NDArray[np.int32], watch: Watch, random: np.random.Generator, budget: Budget
) -> NDArray[np.int32]:
    best = Tempering(kin.matrix, labels_of(cohorts), kin.spread(random), random).run(watch, budget)
    return np.argsort(best, kind="stable").astype(np.int32).reshape(cohorts.shape)

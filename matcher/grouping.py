"""The plain case: everybody can be with everybody, and all cohorts have one size.

What is left of the score is the sum of the affinities inside cohorts, the maximally diverse grouping
problem. Small cohorts are annealed with swaps proposed along lists of kindred neighbours. Large ones are
searched by iterated local search over a table of what each learner would gain in each cohort (after Lai
and Hao, 2016), or annealed on the same table, whichever does better in a short trial.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from matcher.compiled import kernel
from matcher.progress import Watch
from matcher.state import draw

# Sums in any order: the search does not ask for the last digit.
fast_kernel = partial(kernel, fastmath=True)

Floats = NDArray[np.float32]

# From this size on a table of gains pays: a cohort has more pairs than a table row has to be mended.
LARGE = 10
N_NEAR = 20
# Temperatures as shares of the spread of affinities over random pairs.
HOT, COLD = 0.6, 0.28
WARM = 0.4
TRIAL = 0.08
CHUNK = 2_000
# Proposals a learner when no time is to be filled.
PROPOSALS, LEAST_PROPOSALS = 20_000, 1_000_000


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
    search = _large if size >= LARGE and not kin.rows.shape[1] else _small
    return search(kin, cohorts, watch, random, fill_time, until)


def _small(
    kin: Kinship,
    cohorts: NDArray[np.int32],
    watch: Watch,
    random: np.random.Generator,
    fill_time: bool,
    until: float,
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
    budget, began, done = max(LEAST_PROPOSALS, PROPOSALS * n), watch.elapsed, 0.0
    step = min(100_000 + 100 * n, budget // 60)
    span = max(1e-3, watch.left(until))
    hot = HOT if n < 20_000 else WARM
    count = 0
    while done < 1.0 and not watch.is_over(until):
        late = (watch.elapsed - began) / span
        done = late if fill_time else max(late, count / budget)
        heat = spread * (hot + (COLD - hot) * min(1.0, done))
        anneal_small(kin.matrix, kin.rows, cohorts, label, place, near, heat, step, noise)
        count += step
        quenched = cohorts.copy()
        anneal_small(kin.matrix, kin.rows, quenched, label.copy(), place.copy(), near, 0.0, 10 * n, noise)
        total = inside(kin, quenched)
        if total > best_total:
            best, best_total = quenched, total
        watch.report(0.15 + 0.7 * min(1.0, done), "Improving the cohorts")
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
        watch.report(0.05 + 0.05 * start / n, "Finding kindred learners")
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
    kin: Kinship,
    cohorts: NDArray[np.int32],
    watch: Watch,
    random: np.random.Generator,
    fill_time: bool,
    until: float,
) -> NDArray[np.int32]:
    """Try both ways for a while, then go on with the better."""
    began, span = watch.elapsed, max(1e-3, watch.left(until))
    label = labels_of(cohorts)
    noise = random.integers(1, 2**63, size=1, dtype=np.uint64)
    spread = kin.spread(random)
    ways: tuple[_Iterated | _Annealed, ...] = (
        _Iterated(kin, label, spread, noise),
        _Annealed(kin, label, spread, noise),
    )
    trial = span * TRIAL
    for way in ways:
        way.run(watch, watch.elapsed, trial)
    better: _Iterated | _Annealed = max(ways, key=lambda way: way.best_total)
    better.run(watch, watch.elapsed, max(1e-3, span - (watch.elapsed - began)))
    best = max(ways, key=lambda way: way.best_total).best
    return np.argsort(best, kind="stable").astype(np.int32).reshape(cohorts.shape)


class _Table:
    """A labelling with the table of what each learner would gain in each cohort."""

    def __init__(
        self, kin: Kinship, label: NDArray[np.int32], spread: float, noise: NDArray[np.uint64]
    ) -> None:
        self.matrix = kin.matrix.copy()
        np.fill_diagonal(self.matrix, 0.0)
        self.label, self.noise, self.spread = label.copy(), noise, spread
        self.refresh()
        self.best, self.best_total = self.label.copy(), self.total()

    def refresh(self) -> None:
        """Build the table anew."""
        member = np.zeros((len(self.label), int(self.label.max()) + 1), dtype=np.float32)
        member[np.arange(len(self.label)), self.label] = 1.0
        self.gain = np.ascontiguousarray(self.matrix @ member)

    def total(self) -> float:
        """The sum of affinities inside cohorts."""
        return float(self.gain[np.arange(len(self.label)), self.label].astype(np.float64).sum() / 2)

    def keep(self) -> None:
        """Remember the labelling when it is the best so far."""
        total = self.total()
        if total > self.best_total:
            self.best, self.best_total = self.label.copy(), total


class _Iterated(_Table):
    """Iterated local search: every local optimum is the start of the next, better or not."""

    def run(self, watch: Watch, began: float, span: float) -> None:
        """Search for `span` seconds; the disturbances shrink meanwhile."""
        self.label = self.best.copy()
        while watch.elapsed - began < span and not watch.is_over():
            self.refresh()
            share = (watch.elapsed - began) / span
            swaps = round(20 + (3 - 20) * share)
            total = iterate(
                self.matrix, self.label, self.gain, swaps, 20, self.best, self.best_total, self.noise
            )
            self.best_total = total
            watch.report(0.15 + 0.7 * share, "Improving the cohorts")
        self.label = self.best.copy()
        self.refresh()
        self.best_total = self.total()


class _Annealed(_Table):
    """Annealing on the table."""

    def run(self, watch: Watch, began: float, span: float) -> None:
        """Search for `span` seconds while it gets colder."""
        self.label = self.best.copy()
        self.refresh()
        steps = 20 * len(self.label)
        root = float(np.sqrt(len(self.label) / self.gain.shape[1]))
        while watch.elapsed - began < span and not watch.is_over():
            share = (watch.elapsed - began) / span
            heat = self.spread * root * 0.5 * (0.01**share)
            anneal_table(self.matrix, self.label, self.gain, heat, steps, self.noise)
            self.keep()
            watch.report(0.15 + 0.7 * share, "Improving the cohorts")
        descend(self.matrix, self.label, self.gain, self.noise)
        self.keep()


@fast_kernel
def _swap(matrix: Any, label: Any, gain: Any, i: Any, j: Any) -> Any:
    a, b = label[i], label[j]
    for x in range(len(label)):
        change = matrix[j, x] - matrix[i, x]
        gain[x, a] += change
        gain[x, b] -= change
    label[i], label[j] = b, a


@fast_kernel
def _best_swap(matrix: Any, label: Any, gain: Any, i: Any) -> Any:
    """Whom i had best change seats with, and what it gains."""
    a = label[i]
    best, found = 0.0, -1
    for j in range(len(label)):
        b = label[j]
        if b != a:
            change = gain[i, b] - gain[i, a] + gain[j, a] - gain[j, b] - 2 * matrix[i, j]
            if change > best:
                best, found = change, j
    return found, best


@fast_kernel
def descend(matrix: Any, label: Any, gain: Any, noise: Any) -> Any:
    """Let each learner in turn make their best swap, until nobody gains by one."""
    n = len(label)
    start = draw(noise, n)
    idle = 0
    while idle < n:
        i = start
        start = start + 1 if start + 1 < n else 0
        j, change = _best_swap(matrix, label, gain, i)
        if j >= 0 and change > 1e-4:
            _swap(matrix, label, gain, i, j)
            idle = 0
        else:
            idle += 1


@fast_kernel
def iterate(
    matrix: Any, label: Any, gain: Any, swaps: Any, rounds: Any, best: Any, best_total: Any, noise: Any
) -> Any:
    """`rounds` times disturb and descend; write the best labelling met into `best` and return its total."""
    n = len(label)
    for _ in range(rounds):
        for _ in range(swaps):
            i, j = draw(noise, n), draw(noise, n)
            if label[i] != label[j]:
                _swap(matrix, label, gain, i, j)
        descend(matrix, label, gain, noise)
        total = 0.0
        for i in range(n):
            total += gain[i, label[i]]
        if total / 2 > best_total:
            best_total = total / 2
            best[:] = label
    return best_total


@fast_kernel
def anneal_table(matrix: Any, label: Any, gain: Any, heat: Any, steps: Any, noise: Any) -> Any:
    """Propose `steps` swaps of any two learners at one heat."""
    n = len(label)
    for _ in range(steps):
        i, j = draw(noise, n), draw(noise, n)
        a, b = label[i], label[j]
        if a == b:
            continue
        change = gain[i, b] - gain[i, a] + gain[j, a] - gain[j, b] - 2 * matrix[i, j]
        if change > 0 or change > heat * np.log((draw(noise, 1 << 30) + 1.0) / (1 << 30)):
            _swap(matrix, label, gain, i, j)

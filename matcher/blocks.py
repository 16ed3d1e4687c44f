"""Pools too large for one piece: cut into blocks, solved side by side through joblib, the seams mended.

Learners get positions in a few dimensions, from their block starts, their languages and their affinity to
some landmarks, and recursive bisection along the longest axis cuts the pool into blocks of near ones; units
stay whole. Each block is a small `Problem` that knows nothing of the rest, so that it can be sent to another
thread, process or machine: whoever calls `match` says where, with `joblib.parallel_config`. Then those
without a cohort and the weakest cohorts, wherever they are, meet in new blocks, and what is better is kept.

Nothing here takes time or memory in proportion to pairs but inside a block.
"""

from __future__ import annotations

import itertools
import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from pathlib import Path

import joblib
import numpy as np
from numpy.typing import NDArray

from matcher.affinity import Affinity, chunks, dense
from matcher.availability import unpack
from matcher.exceptions import InvalidParams
from matcher.params import Params
from matcher.problem import NO_AFFINITY, Problem, take
from matcher.progress import EVERY, Watch
from matcher.said import Said, say
from matcher.solve import Cohort, Solution, ceilings, solve, worth_of

Places = NDArray[np.intp]
Positions = NDArray[np.float32]
# The cohorts of a block, each with its worth.
Part = list[tuple[Cohort, float]]

# Up to this many learners are one piece.
LARGE = 6_000
# Never are the affinities of all pairs of more learners than this held.
MOST_DENSE = 10_000
# How many learners a block has, give or take a half.
BLOCK = 3_000
LANDMARKS = 96
DIMENSIONS = 12
# Axes are found on about this many learners, and positions worked out for as many at a time.
SAMPLE = 8_192
# The share of learners whose cohorts are taken apart again to mend the seams.
WEAKEST = 0.15
FIRST_SHARE = 0.8


@dataclass(frozen=True)
class Task:
    """A block to be solved, wherever that may be: picklable and no larger than its learners.

    `problem` is still without affinities; once the file at `stop` exists, the best so far is wanted.
    """

    problem: Problem
    affinity: Affinity
    params: Params
    seconds: float
    stop: str


def solve_task(task: Task) -> Part:
    """Solve one block; members are places within it."""
    watch = Watch(task.seconds, should_stop=lambda: os.path.exists(task.stop))
    watch.tick()
    p = task.problem._replace(affinity=dense(task.affinity, watch.tick))
    solution = solve(p, task.params, np.arange(len(p.unit), dtype=np.int32), watch)
    return [(members, worth_of(p, members)) for members in solution.cohorts]


def all_pairs(affinity: Affinity, params: Params, watch: Watch) -> NDArray[np.float32]:
    """The affinities that a `Problem` holds: of all pairs, or of none when the pool is to be cut up.

    Raises:
        InvalidParams: too many learners for a limit of cohorts at one time, which no block knows alone.
    """
    if params.max_simultaneous is not None and len(affinity) > MOST_DENSE:
        raise InvalidParams(f"max_simultaneous: only pools of up to {MOST_DENSE:,} learners can be limited")
    if len(affinity) > LARGE and params.max_simultaneous is None:
        return NO_AFFINITY
    return dense(affinity, lambda: watch.report(0.04, say("Comparing answers")))


def solve_pool(
    p: Problem, affinity: Affinity, params: Params, active: NDArray[np.int32], watch: Watch
) -> Solution:
    """Seat the `active` learners (whole units) of a pool of any size, with all pairs in `p` or without."""
    if len(active) > LARGE:
        return solve_in_blocks(p, affinity, params, active, watch)
    if len(p.affinity) == len(p.unit):
        return solve(p, params, active, watch)
    rows = active.astype(np.intp)
    part = take(p, rows)._replace(affinity=dense(affinity.take(rows), watch.tick))
    found = solve(part, params, np.arange(len(rows), dtype=np.int32), watch)
    return replace(found, cohorts=[_back(rows, members) for members in found.cohorts])


def solve_in_blocks(
    p: Problem, affinity: Affinity, params: Params, active: NDArray[np.int32], watch: Watch
) -> Solution:
    """The same for a pool too large for one piece."""
    crew = Crew(p, affinity, params, watch)
    rows = active.astype(np.intp)
    positions = embed(p, affinity, rows, params.random_state)
    bound = loose_bound(p, active)
    watch.report(0.06, say("Cutting the pool into blocks"), 0.0, bound)
    _, unit = np.unique(p.unit[rows], return_inverse=True)
    blocks = [rows[block] for block in cut(unit, positions)]
    with tempfile.TemporaryDirectory() as folder:
        stop = Path(folder, "stop")
        parts = crew.solve(blocks, stop, FIRST_SHARE, Stage(say("Solving blocks"), 0.08, 0.75))
        seated = dict(itertools.chain.from_iterable(parts))
        if not watch.is_over():
            seams = weakest(seated, p, rows, positions)
            mending = Stage(say("Mending the seams"), 0.75, 0.92, sum(seated.values()))
            for block, part in zip(seams, crew.solve(seams, stop, 1.0, mending), strict=True):
                keep_better(seated, block, part)
    objective = sum(seated.values())
    return Solution(sorted(seated), objective, max(bound, objective))


@dataclass(frozen=True)
class Stage:
    """A part of the work: its name, from which to which fraction of all it goes, and the objective without
    it (None when cohorts add up as they come).
    """

    name: Said
    first: float
    last: float
    objective: float | None = None

    def report(self, watch: Watch, done: Sequence[Part], of: int) -> None:
        """Say how far it is."""
        worth = sum(worth for part in done for _, worth in part)
        fraction = self.first + (self.last - self.first) * len(done) / of
        watch.report(fraction, self.name, worth if self.objective is None else self.objective)


class Crew:
    """Hands blocks to joblib's workers while it passes progress on and looks whether to stop."""

    def __init__(self, p: Problem, affinity: Affinity, params: Params, watch: Watch) -> None:
        self.p, self.affinity, self.watch = p, affinity, watch
        # One core is what nobody asked otherwise: then whoever set up joblib decides.
        self.n_jobs = params.n_jobs if params.n_jobs > 1 else None
        # A block has its seconds from here; it is not to be patient because the whole pool has a time limit.
        self.params = replace(params, n_jobs=1, time_limit=None)

    def solve(self, blocks: Sequence[Places], stop: Path, share: float, stage: Stage) -> list[Part]:
        """Each block's cohorts with their worths, in the order of the blocks, whoever is done first."""
        # Both read what `joblib.parallel_config` said for this thread, so another one only consumes.
        parallel = joblib.Parallel(n_jobs=self.n_jobs, return_as="generator", batch_size=1)
        seconds = self.watch.left(share) * joblib.effective_n_jobs(self.n_jobs) / sum(map(len, blocks))
        tasks = (joblib.delayed(solve_task)(self._task(each, seconds, stop)) for each in blocks)
        found: list[Part] = []

        def consume() -> None:
            for block, part in zip(blocks, parallel(tasks), strict=True):
                found.append([(_back(block, members), worth) for members, worth in part])

        with ThreadPoolExecutor(1) as beside:
            work = beside.submit(consume)
            try:
                while wait([work], timeout=EVERY / 2).not_done:
                    stage.report(self.watch, found, len(blocks))
                    if self.watch.stopped:
                        stop.touch()
            except BaseException:
                stop.touch()
                raise
            work.result()
        return found

    def _task(self, block: Places, a_learner: float, stop: Path) -> Task:
        seconds = max(1e-3, a_learner * len(block))
        return Task(take(self.p, block), self.affinity.take(block), self.params, seconds, str(stop))


def _back(block: Places, members: Sequence[int]) -> Cohort:
    return tuple(sorted(block[list(members)].tolist()))


def embed(p: Problem, affinity: Affinity, rows: Places, seed: int) -> Positions:
    """(len(rows), some) positions: learners who could well share a cohort are near each other."""
    landmarks = np.sort(np.random.default_rng(seed).permutation(rows)[:LANDMARKS])
    hours = axes(lambda some: unpack(p.can[some, 0]), rows)
    likes = axes(lambda some: affinity.between(some, landmarks), rows)
    spoken = axes(lambda some: _flags(p.languages[some]), rows, of_one_size=False)
    return np.hstack([hours, likes, spoken])


def _flags(words: NDArray[np.uint64]) -> NDArray[np.uint8]:
    return np.unpackbits(np.ascontiguousarray(words).view(np.uint8), axis=1)


def axes(
    columns: Callable[[Places], NDArray[np.generic]], rows: Places, of_one_size: bool = True
) -> Positions:
    """Positions along the principal axes of some columns, in all of variance 1 if `of_one_size`."""
    sample = columns(rows[:: max(1, len(rows) // SAMPLE)]).astype(np.float32)
    centre = sample.mean(axis=0)
    spread, turned = np.linalg.eigh(np.cov((sample - centre).T).reshape(len(centre), -1))
    main = turned[:, ::-1][:, :DIMENSIONS]
    scale = np.sqrt(max(spread.clip(0).sum(), 1e-9)) if of_one_size else 1.0
    found = [
        (columns(rows[some]).astype(np.float32) - centre) @ main / scale for some in chunks(len(rows), SAMPLE)
    ]
    return np.vstack(found).astype(np.float32)


def cut(item: Places, positions: Positions) -> list[Places]:
    """Cut learners into blocks of about `BLOCK`; those with one `item` number (0, 1, …) stay together.

    Recursive bisection along the longest axis of each piece, so that pieces are as compact as can be cheaply.
    """
    weights = np.bincount(item)
    where = np.column_stack([np.bincount(item, column) for column in positions.T]) / weights[:, None]
    block = np.zeros(len(weights), dtype=np.intp)
    for number, items in enumerate(_pieces(where, weights)):
        block[items] = number
    order = np.argsort(block[item], kind="stable")
    return np.split(order, np.flatnonzero(np.diff(block[item][order])) + 1)


def _pieces(where: NDArray[np.float64], weights: NDArray[np.intp]) -> Iterator[Places]:
    waiting = [np.arange(len(weights))]
    while waiting:
        items = waiting.pop()
        parts = round(weights[items].sum() / BLOCK)
        if parts < 2:
            yield np.sort(items)
            continue
        centred = where[items] - where[items].mean(axis=0)
        along = centred @ np.linalg.eigh(centred.T @ centred)[1][:, -1]
        items = items[np.argsort(along, kind="stable")]
        filled = np.cumsum(weights[items])
        half = int(np.searchsorted(filled, filled[-1] * (parts // 2) / parts, side="right"))
        waiting += [items[half:], items[:half]]


def weakest(seated: dict[Cohort, float], p: Problem, rows: Places, positions: Positions) -> list[Places]:
    """Blocks of those without a cohort and of the weakest cohorts, each of them whole."""
    item = np.full(len(p.unit), -1, dtype=np.intp)
    places = sum(map(len, seated))
    for number, members in enumerate(sorted(seated, key=lambda one: (seated[one] / len(one), one))):
        item[list(members)] = number
        places -= len(members)
        if places < (1 - WEAKEST) * sum(map(len, seated)):
            break
    waiting = np.setdiff1d(rows, np.fromiter(itertools.chain.from_iterable(seated), np.intp))
    item[waiting] = len(seated) + p.unit[waiting]
    mended = item[rows] >= 0
    _, numbers = np.unique(item[rows][mended], return_inverse=True)
    return [rows[mended][block] for block in cut(numbers, positions[mended])]


def keep_better(seated: dict[Cohort, float], block: Places, part: Part) -> None:
    """Put the new cohorts of a block in the place of its old ones, if they are worth more."""
    inside = set(block.tolist())
    old = [members for members in seated if members[0] in inside]
    if sum(worth for _, worth in part) > sum(seated[members] for members in old) + 1e-9:
        for members in old:
            del seated[members]
        seated.update(part)


def loose_bound(p: Problem, active: NDArray[np.int32]) -> float:
    """A bound for any pool in linear time: nobody does better than with mates of affinity 1 in the best size.

    How near the best mates come to that would take looking at all pairs.
    """
    # Deferred: OR-Tools takes a third of a second to import.
    from matcher.partition import quick_bound

    mates = np.ones((len(p.unit), int(p.sizes[1]) - 1))
    return quick_bound(active, mates, *ceilings(p), p.weights)

"""The search from start to finish on one problem: construct, anneal, and let OR-Tools choose among all
seen.
"""

from __future__ import annotations

import datetime as dt
import math
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from matcher.availability import availability
from matcher.columns import all_cohorts, list_cohorts
from matcher.construct import construct, neighbours
from matcher.grouping import Kinship, group_equally, nearest
from matcher.joining import fitting, list_joined, nearest_units
from matcher.matching import Meeting
from matcher.meetings import Meetings
from matcher.openings import Openings
from matcher.params import Params
from matcher.pool import Learner, Pool
from matcher.pricing import Pricer
from matcher.problem import Problem, build_problem
from matcher.progress import Watch
from matcher.reshape import reshape
from matcher.said import say
from matcher.score import INFEASIBLE, worth
from matcher.search import anneal, seat_waiting
from matcher.standing import Change, Standing, build_seats, holds, seated_worth
from matcher.state import State, cohorts_of, empty_state, seat
from matcher.tempering import Replica, Ties

if TYPE_CHECKING:
    from matcher.generation import Relaxation

N_NEAR = 48
SLICES, POLISH_SLICES = 60, (20, 100)
# Heat in worth units: at first a swap that costs a tenth of a learner's score is often taken, at last
# none is.
HOT, COLD = 0.04, 0.004
# Proposals a learner, fewer where column generation follows; more make cohorts better, ever more slowly.
PROPOSALS, FEWER = 20_000, 3_000
LEAST_PROPOSALS = 1_000_000
# To so many proposals comes one to merge two cohorts or to split one.
RESHAPE = 1_000
# The share of the time that annealing may take before it is hurried.
ANNEAL_SHARE = 0.75
LISTED_FROM = 0.5
# So many learners at least are worth a core of their own.
LEAST_A_SIDE = 100
# Up to this many learners all cohorts are listed, if they are not too many, and the best set is proven.
SMALL = 120
# Worths are told apart no finer than this, with affinities in single precision.
EXACT = 2e-5
# Up to this size cohorts are priced; larger ones are too many to reach one by one.
PRICED = 8
# Up to so many learners there is column generation, and up to so many if a time limit was given that allows
# for the seconds a learner it takes.
DIVED, MOST_DIVED = 1_000, 10_000
PROOF_SECONDS = 0.01
# The shares of the time by which a plain search, column generation and the dive end.
SEARCH_SHARE, GENERATE_SHARE, DIVE_SHARE = 0.15, 0.65, 0.93

Cohort = tuple[int, ...]


@dataclass(frozen=True)
class Solution:
    """Cohorts as sorted tuples, their total worth and a bound on any."""

    cohorts: list[Cohort]
    objective: float
    bound: float


def worth_of(p: Problem, members: Cohort) -> float:
    """The worth of one cohort, `INFEASIBLE` when it breaks a rule."""
    if not members:
        return INFEASIBLE
    return float(worth(p, np.array(members, dtype=np.int32), len(members)))


def solve(p: Problem, params: Params, active: NDArray[np.int32], watch: Watch) -> Solution:
    """Seat the `active` learners (whole units); the rest stay out."""
    seen: dict[Cohort, float] = {}
    thorough = is_thorough(p, params, len(active), watch)
    if is_plain(p, active):
        near, best = group_plainly(p, params, active, thorough, watch)
    else:
        near, best = search(p, params, active, seen, thorough, watch)
    bound = bound_of(p, active, near)
    seen.update((members, worth_of(p, members)) for members in best)
    best = choose(seen, best, watch, params.random_state)
    if len(active) <= SMALL and not watch.is_over():
        best, proven = exactly(p, params, active, best, watch)
        bound = min(bound, proven)
    objective = sum(worth_of(p, members) for members in best)
    if thorough and best and bound - objective > EXACT and not watch.is_over():
        best, proven = refine(p, params, active, near, best, seen, watch)
        bound = min(bound, proven)
        objective = sum(worth_of(p, members) for members in best)
    return Solution(best, objective, bound if bound - objective > EXACT else objective)


def search(
    p: Problem,
    params: Params,
    active: NDArray[np.int32],
    seen: dict[Cohort, float],
    thorough: bool,
    watch: Watch,
) -> tuple[NDArray[np.int32], list[Cohort]]:
    """Construct and anneal, less where column generation follows; return everybody's neighbours and the best
    cohorts, and note others in `seen`.
    """
    state = empty_state(p, params.random_state)
    near, partners = find_neighbours(p, active, state, watch)
    order = active[np.argsort(partners[active], kind="stable")]
    # Also when stopped already: the first cohorts come quickly, and they are better than none.
    for start in range(0, len(order), 64):
        waiting = active[state.cohort[active] < 0]
        construct(p, state, waiting, order[start : start + 64], params.target_size)
        watch.report(0.1 + 0.05 * start / len(order), say("Growing the first cohorts"))
    return near, improve(p, params, active, near, state, seen, FEWER if thorough else PROPOSALS, watch)


def is_plain(p: Problem, active: NDArray[np.int32]) -> bool:
    """Whether nothing but affinity tells cohorts apart: one size that divides, and all can meet all."""
    k = int(p.sizes[0])
    if k != p.sizes[1] or not len(active) or len(active) % k or p.sizes[2] or p.weights[2]:
        return False
    one = active[0]
    alike = (p.can, p.prefers, p.languages, p.home, p.active)
    return bool(
        all((each[active] == each[one]).all() for each in alike)
        and p.can[one, 0].any()
        and len(np.unique(p.unit)) == len(p.unit)
        and not len(p.apart)
        and not len(p.past)
        and not p.minds.any()
    )


def group_plainly(
    p: Problem, params: Params, active: NDArray[np.int32], thorough: bool, watch: Watch
) -> tuple[NDArray[np.int32], list[Cohort]]:
    """The same for a plain problem: neighbours, and cohorts of one size.

    A time limit that was given is made use of, in part when there is time for a proof as well.
    """
    k = int(p.sizes[0])
    kin = Kinship.of_matrix(p.affinity[np.ix_(active, active)])
    patient = params.time_limit is not None
    share = SEARCH_SHARE if thorough else 0.95
    cohorts = group_equally(kin, k, watch, random_state=params.random_state, fill_time=patient, until=share)
    near = np.full((len(p.unit), max(N_NEAR, k)), -1, dtype=np.int32)
    found = active[nearest(kin, min(near.shape[1], len(active) - 1), watch)]
    near[active, : found.shape[1]] = found
    return near, sorted(tuple(sorted(one)) for one in active[cohorts].tolist())


def is_thorough(p: Problem, params: Params, n: int, watch: Watch) -> bool:
    """Whether column generation is likely to come to its end: for few learners, or when a time limit was
    given that allows for it.
    """
    patient = params.time_limit is not None and n <= MOST_DIVED and PROOF_SECONDS * n <= watch.left()
    return bool(p.sizes[1] <= PRICED and (n <= DIVED or patient))


def refine(
    p: Problem,
    params: Params,
    active: NDArray[np.int32],
    near: NDArray[np.int32],
    best: list[Cohort],
    seen: dict[Cohort, float],
    watch: Watch,
) -> tuple[list[Cohort], float]:
    """A bound by column generation and, where there is time for it to end, better cohorts by dives."""
    # Deferred: OR-Tools takes a third of a second to import.
    from matcher.generation import generate
    from matcher.partition import best_set

    patient = params.time_limit is not None
    bound, relaxation = generate(p, active, best, seen, watch, GENERATE_SHARE, patient=patient)
    seen.update(relaxation.known())
    best = dive_often(p, params, active, near, relaxation, best, seen, bound, watch)
    if not watch.is_over(DIVE_SHARE):
        best, _ = best_set(seen, best, watch, 1.0, params.random_state)
    return polish(p, params, active, near, best), bound


def dive_often(
    p: Problem,
    params: Params,
    active: NDArray[np.int32],
    near: NDArray[np.int32],
    relaxation: Relaxation,
    best: list[Cohort],
    seen: dict[Cohort, float],
    bound: float,
    watch: Watch,
) -> list[Cohort]:
    """The best cohorts after one dive, or after as many as the time allows if a time limit was given; what
    dives come upon is noted in `seen`.
    """
    # Deferred: OR-Tools takes a third of a second to import.
    from matcher.generation import dive

    value, random = sum(seen[members] for members in best), None
    while bound - value > EXACT:
        began = watch.elapsed
        # The first dive makes sure that there is one.
        patient = random is not None
        settled = dive(relaxation, watch, DIVE_SHARE, random, patient=patient)
        found = polish(p, params, active, near, list(settled), patient=patient)
        seen.update(settled | {members: worth_of(p, members) for members in found})
        if sum(seen[members] for members in found) > value:
            best, value = found, sum(seen[members] for members in found)
        random = random or np.random.default_rng(params.random_state)
        if params.time_limit is None or watch.left(DIVE_SHARE) < 1.5 * (watch.elapsed - began):
            break
    return best


def polish(
    p: Problem,
    params: Params,
    active: NDArray[np.int32],
    near: NDArray[np.int32],
    cohorts: list[Cohort],
    *,
    patient: bool = False,
) -> list[Cohort]:
    """Seat whom a matching left out, where that can be, anneal it a little, cold, and keep the better."""
    state = empty_state(p, params.random_state)
    for place, members in enumerate(cohorts):
        seat(p, state, place, np.array(members, dtype=np.int32), len(members))
    waiting = active[state.cohort[active] < 0]
    construct(p, state, waiting, waiting, params.target_size)
    cohorts, before = cohorts_of(state), float(state.value.sum())
    side = np.zeros(len(p.unit), dtype=np.int32)
    for heat in np.linspace(2 * COLD, 0.0, POLISH_SLICES[patient]):
        anneal(p, state, active, near, side, 50 * len(active), heat, heat)
    return cohorts_of(state) if state.value.sum() > before else cohorts


def warm_up(wanted: Params | None = None, *, again: bool = False) -> None:
    """Load the compiled kernels, or compile them on the first run after an installation (some 20 seconds).

    Given the parameters of a match, those are left out that it cannot need; `again` asks for those that a
    rematch needs.
    """
    pool = Pool(tuple(Learner(str(i), "UTC", frozenset(range(4))) for i in range(5)))
    params = Params(start=dt.date(2024, 1, 1), size_min=2, target_size=2, size_max=3)
    p = build_problem(pool, params, availability(pool, params), np.zeros((5, 5), dtype=np.float32))
    active = np.arange(5, dtype=np.int32)
    state = empty_state(p, 0)
    near, _ = find_neighbours(p, active, state, Watch(math.inf))
    construct(p, state, active, active, 2)
    anneal(p, state, active, near, np.zeros(5, dtype=np.int32), 10, HOT, COLD)
    reshape(p, state, active, near, 2, HOT)
    seat_waiting(p, state, active, 1, 2)
    list_cohorts(p, active, np.zeros((100, 3), dtype=np.int32), np.zeros(100), 100)
    Pricer(p, active).price(np.zeros(5), 3, 0.0, 1)
    if wanted is None or wanted.size_min == wanted.size_max:
        group_equally(Kinship.of_matrix(np.eye(4)), 2, Watch(0.01), random_state=0)
        replica = Replica(Ties.of(np.eye(4, dtype=np.float32)), np.array([0, 0, 1, 1], dtype=np.int32))
        replica.anneal(1.0, 1, state.noise)
        replica.settled()
    Openings(p, [(0, 1)]).barriers([2])
    if wanted is None or again:
        _warm_up_seats(p, Meetings(pool, availability(pool, params)), pool)


def _warm_up_seats(p: Problem, meetings: Meetings, pool: Pool) -> None:
    cohort = Standing((0, 1), Meeting("UTC", 0))
    q = build_seats(pool, int(p.sizes[1]), [cohort], [], [], Change(), meetings)
    start, units = np.array([0, 1], dtype=np.int32), np.array([2, 3], dtype=np.int32)
    fitting(p, start, units)
    nearest_units(p, q, 0, start, units, np.zeros(5), True, 2)
    list_joined(p, q, 0, start, units, True, np.zeros((4, 4), dtype=np.int32), np.zeros(4), np.array([9]))
    seated_worth(p, q, 0, start, 2)
    anchor, slot = q.meeting[0]
    holds(p, anchor, slot, start, 2)


def find_neighbours(
    p: Problem, active: NDArray[np.int32], state: State, watch: Watch
) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Each learner's compatible learners of highest affinity, and how many are compatible at all."""
    near = np.full((len(p.unit), max(N_NEAR, int(p.sizes[1]))), -1, dtype=np.int32)
    partners = np.zeros(len(p.unit), dtype=np.int64)
    step = max(1, 500_000 // max(1, len(active)))
    for start in range(0, len(active), step):
        if watch.stopped:
            break
        neighbours(p, active, start, min(start + step, len(active)), state.noise, near, partners)
        watch.report(0.05 + 0.05 * start / len(active), say("Finding who could meet whom"))
    return near, partners


def improve(
    p: Problem,
    params: Params,
    active: NDArray[np.int32],
    near: NDArray[np.int32],
    state: State,
    seen: dict[Cohort, float],
    each: int,
    watch: Watch,
) -> list[Cohort]:
    """Anneal with so many proposals for each learner; note in `seen` the cohorts met while it is cool; return
    the best set of cohorts met.
    """
    best, best_worth = cohorts_of(state), float(state.value.sum())
    sides = Sides(p, params, active, near, state)
    # Another core makes about half as many proposals more in the same time.
    proposals = max(LEAST_PROPOSALS, each * len(active)) * (sides.n + 1) // 2 // SLICES
    began, done = watch.elapsed, 0.0
    span = max(1e-3, watch.left(ANNEAL_SHARE))
    while done < 1.0 and not watch.stopped and len(active) > 1:
        # Short of time, the heat follows the clock; else it follows the count, so that a run repeats.
        late = (watch.elapsed - began) / span
        done, before = max(done + 1 / SLICES, late), done
        heats = [HOT * (COLD / HOT) ** min(1.0, share) for share in (before, done)]
        # Before the annealing, which then sorts out who sits in the cohorts made.
        reshape(p, state, active, near, proposals // RESHAPE, heats[0])
        sides.anneal(proposals, heats[0], heats[1])
        seat_waiting(p, state, active, 10, params.target_size)
        total = float(state.value.sum())
        if total > best_worth:
            best, best_worth = cohorts_of(state), total
        if done > LISTED_FROM or len(active) <= SMALL:
            note(state, seen)
        watch.report(0.15 + 0.7 * done, say("Improving the cohorts"), best_worth)
    for members in best:
        seen.setdefault(members, worth_of(p, members))
    return best


class Sides:
    """Anneals on several cores: each time, whole cohorts are dealt out anew to as many sides.

    No proposal crosses from one side to another, so the searches touch different entries of one state,
    and what they do is the same whichever is faster.
    """

    def __init__(
        self,
        p: Problem,
        params: Params,
        active: NDArray[np.int32],
        near: NDArray[np.int32],
        state: State,
    ) -> None:
        self.p, self.active, self.near = p, active, near
        self.random = np.random.default_rng(params.random_state)
        # A side with too few cohorts would have nothing to exchange.
        self.n = max(1, min(params.n_jobs, len(active) // LEAST_A_SIDE))
        lucks = [empty_state(p, params.random_state + k).noise for k in range(1, self.n)]
        self.states = [state, *(state._replace(noise=luck) for luck in lucks)]

    def anneal(self, proposals: int, heat: float, cooler: float) -> None:
        """Make some proposals on all sides together while the heat falls from `heat` to `cooler`."""
        side = self._deal()
        shares = [self.active[side[self.active] == k] for k in range(self.n)]

        def search(k: int) -> None:
            # Only one proposal in n stays on its side.
            each = proposals * self.n * len(shares[k]) // len(self.active)
            anneal(self.p, self.states[k], shares[k], self.near, side, each, heat, cooler)

        if self.n == 1:
            search(0)
            return
        # The kernels let go of the interpreter's lock, so threads do.
        with ThreadPoolExecutor(self.n) as cores:
            list(cores.map(search, range(self.n)))

    def _deal(self) -> NDArray[np.int32]:
        """Each learner's side: that of their cohort, or of their unit while they wait."""
        cohort = self.states[0].cohort
        of_cohort = self.random.integers(self.n, size=len(self.states[0].size), dtype=np.int32)
        of_unit = self.random.integers(self.n, size=len(self.p.unit_start), dtype=np.int32)
        return np.where(cohort >= 0, of_cohort[cohort], of_unit[self.p.unit])


def note(state: State, seen: dict[Cohort, float]) -> None:
    """Add the present cohorts to those seen."""
    seen.update(zip(cohorts_of(state), state.value[state.size > 0].tolist(), strict=True))


def choose(seen: dict[Cohort, float], best: list[Cohort], watch: Watch, seed: int) -> list[Cohort]:
    """Let OR-Tools pick the best set out of all cohorts seen."""
    if watch.is_over() or not best:
        return best
    # Deferred: OR-Tools takes a third of a second to import.
    from matcher.partition import best_set

    watch.report(0.87, say("Choosing the best set of cohorts"))
    effort = min(4.0, 0.5 + len(seen) / 10_000)
    chosen, _ = best_set(seen, best, watch, effort, seed)
    return chosen


def exactly(
    p: Problem, params: Params, active: NDArray[np.int32], best: list[Cohort], watch: Watch
) -> tuple[list[Cohort], float]:
    """The best matching of a small pool, with a proven bound (infinite when its cohorts are too many to
    list).
    """
    watch.report(0.87, say("Proving that no better cohorts exist"))
    listed = all_cohorts(p, active)
    if listed is None or not len(listed[0]):
        return best, math.inf if listed is None else 0.0
    # Deferred: OR-Tools takes a third of a second to import.
    from matcher.partition import best_of_all

    worth_now = sum(worth_of(p, members) for members in best)
    chosen, bound = best_of_all(*listed, best, worth_now, len(p.unit), watch, params.random_state)
    return chosen, math.inf if bound is None else bound


def bound_of(p: Problem, active: NDArray[np.int32], near: NDArray[np.int32]) -> float:
    """No matching of these learners is worth more (see `partition.quick_bound`)."""
    # Deferred: OR-Tools takes a third of a second to import.
    from matcher.partition import quick_bound

    high = int(p.sizes[1])
    mates = np.full((len(p.unit), high - 1), np.nan)
    for i in active.tolist():
        own = p.unit_members[p.unit_start[p.unit[i]] : p.unit_start[p.unit[i] + 1]]
        others = np.concatenate([near[i][near[i] >= 0], own[own != i]])
        # The lists break ties at random by up to 1e-4, so the bound allows for that much.
        values = np.sort(p.affinity[i, others])[::-1][: high - 1] + 1e-4
        mates[i, : len(values)] = values
    return quick_bound(active, mates, *ceilings(p), p.weights)


def ceilings(p: Problem) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The most that common blocks can add for each learner, and what each size adds, NaN where not
    allowed.
    """
    counts = np.bitwise_count(p.can).sum(axis=2) + np.bitwise_count(p.prefers).sum(axis=2)
    sizes = p.size_values.copy()
    sizes[: int(p.sizes[0])] = np.nan
    return p.block_values[counts.max(axis=1)], sizes

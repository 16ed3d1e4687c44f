"""The recipe: a pool in, a matching out."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from matcher.availability import Availability, availability
from matcher.checks import claims, count_broken, judge, own_scores, plain_objective, plain_score
from matcher.conflicts import refuse_conflicts
from matcher.matching import CohortResult, Matching, Meeting
from matcher.meetings import Meetings, count_blocks
from matcher.params import Params
from matcher.pool import Pool
from matcher.problem import Problem, build_problem
from matcher.progress import Progress, Watch
from matcher.said import Said, say
from matcher.units import contradictions

if TYPE_CHECKING:
    from matcher.affinity import Affinity
    from matcher.explain import CohortReasons
    from matcher.shares import Apart

Cohort = tuple[int, ...]


def match(
    pool: Pool,
    params: Params,
    *,
    affinity: Affinity | ArrayLike | None = None,
    progress: Callable[[Progress], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
    taken: Sequence[Meeting] = (),
) -> Matching:
    """Form the best cohorts that can be had of a pool.

    Deterministic: the same pool and parameters give the same matching, unless the time limit cuts the search.
    `progress` and `should_stop` are called several times a second; when the latter says true, the best
    matching so far is returned with `stopped` set. Nobody is lost: who has no cohort is in `unplaced`,
    with a reason. `affinity`, an (n, n) array or one of the kinds in `matcher.affinity`, takes the place of
    the one that answers give. `taken` are the times of other cohorts, which count where only so many may
    meet at one time.

    Raises:
        InvalidPool: an answer is not of its question's kind, or the affinity does not fit the pool.
        Infeasible: people's wishes contradict each other, and `params.on_conflict` is "refuse".
    """
    if params.on_conflict == "refuse":
        refuse_conflicts(pool, params)
    # Deferred: compiled kernels take a moment to load, and a page that only reads results needs none.
    from matcher.affinity import among
    from matcher.blocks import all_pairs
    from matcher.shares import taken_apart
    from matcher.solve import warm_up

    # Compiling, which only the first run does, is not counted against the time limit.
    warm_up(params)
    watch = Watch(params.seconds_allowed(len(pool)), progress, should_stop)
    hours = availability(pool, params, watch.tick)
    watch.report(0.01, say("Comparing answers"))
    affinity, tags = _affinity(pool, params, watch, affinity)
    problem = build_problem(pool, params, hours, all_pairs(affinity, params, watch))
    barred = contradictions(problem)
    active = np.array([i for i in range(len(pool)) if i not in barred], dtype=np.int32)
    meetings = Meetings(pool, hours)
    found = _seat(problem, affinity, params, meetings, active, watch, taken)
    watch.report(0.95, say("Checking the rules"))
    told = _Told(pool, params, meetings, _reasons(pool, params, problem, tags, found), found)
    results = []
    cohorts = sorted(found.cohorts)
    pieces = zip(cohorts, among(affinity, cohorts), taken_apart(affinity, cohorts), strict=True)
    for members, own, apart in pieces:
        results.append(told.result(members, own, apart))
        watch.tick()
    matching = judge(_matching(pool, params, hours, problem, results, barred, found, watch))
    watch.report(1.0, say("Done"), matching.objective, matching.bound)
    return matching


@dataclass
class _Found:
    """All cohorts; of them those that keep one block alone, and those that keep none; whom the limit of
    cohorts at one time has cost a seat, with what would help.
    """

    cohorts: list[Cohort]
    bound: float
    promised: Mapping[Cohort, Meeting] = field(default_factory=dict)
    asynchronous: Collection[Cohort] = ()
    crowded_out: Mapping[int, Said] = field(default_factory=dict)


def _seat(
    p: Problem,
    affinity: Affinity,
    params: Params,
    meetings: Meetings,
    active: NDArray[np.int32],
    watch: Watch,
    taken: Sequence[Meeting],
) -> _Found:
    from matcher.blocks import solve_pool

    solution = solve_pool(p, affinity, params, active, watch)
    found = _Found(solution.cohorts, solution.bound)
    if params.max_simultaneous is not None:
        # Deferred, as the next one: few matches need it.
        from matcher.timetable import Facilitated

        watch.report(0.9, say("Giving each cohort a time of its own"))
        kept = Facilitated(p, params, meetings, watch, taken).seat(solution.cohorts, active)
        found.cohorts, found.promised, found.crowded_out = (
            list(kept.promised),
            kept.promised,
            kept.crowded_out,
        )
    if params.asynchronous:
        from matcher.asynchronous import solve_without_meeting

        watch.report(0.93, say("Seating those whose hours fit nobody's"))
        placed = np.array([i for members in found.cohorts for i in members], dtype=np.int32)
        left = np.setdiff1d(np.arange(len(p.unit), dtype=np.int32), placed)
        without = solve_without_meeting(p, affinity, params, left, watch)
        found.cohorts, found.asynchronous = found.cohorts + without.cohorts, without.cohorts
        found.bound += without.bound
    return found


def _affinity(
    pool: Pool, params: Params, watch: Watch, given: Affinity | ArrayLike | None = None
) -> tuple[Affinity, dict[str, list[frozenset[str]]]]:
    # Deferred: scikit-learn takes a second to import, which nobody should pay who only wants to import
    # `Pool`.
    from matcher.affinity import AffinityModel, as_affinity
    from matcher.encoders import spelled_tags

    if given is None:
        model = AffinityModel(params).fit(pool, tick=lambda: watch.report(0.03, say("Comparing answers")))
        given = model.transform(pool)
    return as_affinity(given, pool), spelled_tags(pool, params)


@dataclass(frozen=True)
class _Told:
    """Turns members into cohorts with everything that is said about them."""

    pool: Pool
    params: Params
    meetings: Meetings
    why: CohortReasons
    found: _Found

    def result(self, members: Cohort, own: NDArray[np.float32], apart: Apart) -> CohortResult:
        # Deferred: it imports scikit-learn.
        from matcher.shares import shares

        asynchronous = members in self.found.asynchronous
        blocks = () if asynchronous else self.meetings.of(members)
        free = 0.0 if asynchronous else count_blocks(self.meetings.hours, members)
        about = (self.pool, self.params, own, members, free)
        kept = (self.found.promised[members],) if members in self.found.promised else blocks
        reasons = self.why.of(members, blocks, kept)
        return CohortResult(
            members,
            plain_score(*about),
            kept,
            reasons,
            own_scores(*about),
            asynchronous,
            shares(self.pool, self.params, apart, members, free),
        )


def _reasons(
    pool: Pool, params: Params, p: Problem, tags: dict[str, list[frozenset[str]]], found: _Found
) -> CohortReasons:
    # Deferred: kernels take a moment to load.
    from matcher.explain import MOST_FOR_ELSEWHERE, CohortReasons, drawn_elsewhere

    meeting = sorted(set(found.cohorts) - set(found.asynchronous))
    # It looks at all pairs, which a problem cut into blocks does not hold.
    at_hand = 0 < len(p.affinity) <= MOST_FOR_ELSEWHERE
    drawn = drawn_elsewhere(p, meeting) if meeting and at_hand else {}
    return CohortReasons(pool, params, tags, drawn)


def _matching(
    pool: Pool,
    params: Params,
    hours: Availability,
    p: Problem,
    cohorts: list[CohortResult],
    barred: dict[int, Said | None],
    found: _Found,
    watch: Watch,
) -> Matching:
    # Deferred: kernels take a moment to load.
    from matcher.unplaced import UnplacedReasons

    labels: NDArray[np.int64] = np.full(len(pool), -1, dtype=np.int64)
    for label, cohort in enumerate(cohorts):
        labels[list(cohort.members)] = label
    reasons = UnplacedReasons(pool, params, hours, p, cohorts)
    unplaced = tuple(
        reasons.of(i, barred.get(i), found.crowded_out.get(i)) for i in np.flatnonzero(labels < 0).tolist()
    )
    objective = plain_objective(params, [c.score for c in cohorts], [len(c.members) for c in cohorts])
    bound = max(found.bound, objective)
    broken = count_broken(pool, params, [c.members for c in cohorts], claims(cohorts), watch.tick)
    return Matching(
        pool=pool,
        params=params,
        labels=labels,
        cohorts=tuple(cohorts),
        unplaced=unplaced,
        objective=objective,
        bound=bound,
        gap=(bound - objective) / bound if bound - objective > 1e-9 else 0.0,
        seconds=watch.elapsed,
        rules=broken,
        stopped=watch.stopped,
    )

"""The verdict on a matching, from the definitions and without a solver."""

from __future__ import annotations

import datetime as dt
import math
from collections import Counter, deque
from collections.abc import Callable, Sequence
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from matcher.exceptions import MatcherError
from matcher.matching import CohortResult, Matching, Meeting
from matcher.params import Params
from matcher.pool import Pool
from matcher.rules import SLOT, WEEK, CommonBlock, Rule, rules_of
from matcher.said import say
from matcher.score import PLACED, active_parts, active_values, block_values, weights

TOLERANCE = 1e-4

CROWDED = say("More cohorts would meet at one time than a facilitator can attend.")


def count_broken(
    pool: Pool,
    params: Params,
    groups: Sequence[Sequence[int]],
    meetings: Sequence[Sequence[Meeting] | None],
    tick: Callable[[], object] = lambda: None,
) -> dict[str, int]:
    """How often each rule is broken by these cohorts.

    `meetings` are the blocks claimed for each cohort: one that does not hold breaks the rule `meeting`,
    and so does a cohort that claims none. None stands for a cohort that is asynchronous, where that is
    allowed. Where the organiser limits how many cohorts meet at one time, each cohort holds the first of its
    blocks. `tick` is called after each cohort.
    """
    broken = dict.fromkeys((rule.name for rule in rules_of(pool, params)), 0)
    for rule in rules_of(pool, params):
        for members, claimed in zip(groups, meetings, strict=True):
            broken[rule.name] += _times_broken(rule, members, claimed)
            tick()
    if params.max_simultaneous is not None:
        broken["simultaneous"] = simultaneous(params, [claimed[0] for claimed in meetings if claimed])
    return broken


def simultaneous(params: Params, meetings: Sequence[Meeting]) -> int:
    """How many meetings of the course begin while `max_simultaneous` others are under way."""
    length = params.block_slots * SLOT
    begins = [begin for meeting in meetings for begin in _begins(params, meeting)]
    under_way: deque[dt.datetime] = deque()
    crowded = 0
    for begin in sorted(begins):
        while under_way and under_way[0] + length <= begin:
            under_way.popleft()
        crowded += len(under_way) >= (params.max_simultaneous or math.inf)
        under_way.append(begin)
    return crowded


def crowded(params: Params, meetings: Sequence[Meeting]) -> list[bool]:
    """Which of some meetings are, in some week, at a time at which more than `max_simultaneous` are."""
    pieces = [_quarters(params, meeting) for meeting in meetings]
    busy = Counter(piece for each in pieces for piece in each)
    return [max(busy[piece] for piece in each) > (params.max_simultaneous or math.inf) for each in pieces]


def _quarters(params: Params, meeting: Meeting) -> set[dt.datetime]:
    """The quarters of an hour that a meeting takes in all weeks."""
    quarter = dt.timedelta(minutes=15)
    return {
        begin + k * quarter
        for begin in _begins(params, meeting)
        for k in range(params.block_slots * SLOT // quarter)
    }


def _begins(params: Params, meeting: Meeting) -> list[dt.datetime]:
    """When a meeting begins in each week of the course."""
    monday = dt.datetime.combine(params.first_monday, dt.time(), ZoneInfo(meeting.zone))
    local = [monday + week * WEEK + meeting.slot * SLOT for week in range(params.weeks)]
    return [one.astimezone(dt.UTC) for one in local]


def claims(cohorts: Sequence[CohortResult]) -> list[Sequence[Meeting] | None]:
    """The blocks that each cohort claims, None for an asynchronous one."""
    return [None if cohort.asynchronous else cohort.meetings for cohort in cohorts]


def _times_broken(rule: Rule, members: Sequence[int], claimed: Sequence[Meeting] | None) -> int:
    if isinstance(rule, CommonBlock):
        if claimed is None:
            return 0 if rule.params.asynchronous else 1
        return sum(not rule.holds(members, one.zone, one.slot) for one in claimed) if claimed else 1
    return len(list(rule.broken(members)))


def plain_score(
    pool: Pool, params: Params, affinity: NDArray[np.float32], members: Sequence[int], blocks: float
) -> float:
    """The score of a cohort with `blocks` common blocks (if-needed ones count half), step by step.

    `affinity` is (k, k), that of the members among each other.
    """
    means = _means(affinity)
    goals = weights(params)
    together = goals.affinity * sum(means) / len(means) + goals.worst_off * min(means)
    return float(together + sum(blocks_and_size(pool, params, members, blocks)))


def own_scores(
    pool: Pool, params: Params, affinity: NDArray[np.float32], members: Sequence[int], blocks: float
) -> tuple[float, ...]:
    """What the same cohort is worth to each member: its score with the member's own mean affinity in the
    place of the cohort's mean and least.
    """
    goals = weights(params)
    rest = sum(blocks_and_size(pool, params, members, blocks))
    return tuple((goals.affinity + goals.worst_off) * mean + rest for mean in _means(affinity))


def _means(affinity: NDArray[np.float32]) -> list[float]:
    """Each member's mean affinity with the others."""
    k = len(affinity)
    return [sum(float(affinity[a, b]) for b in range(k) if b != a) / max(1, k - 1) for a in range(k)]


def blocks_and_size(pool: Pool, params: Params, members: Sequence[int], blocks: float) -> tuple[float, float]:
    """What of the score is the same for every member: what common blocks add, and what size does."""
    active = sum(active_parts(pool.learners[i]) for i in members)
    size = active_values(params)[active] if len(members) <= params.size_max else 0.0
    return float(block_values(params)[round(2 * blocks)]), float(size)


def plain_objective(params: Params, scores: Sequence[float], sizes: Sequence[int]) -> float:
    """The sum of the cohorts' worths."""
    return float(sum(k * (PLACED + score) for k, score in zip(sizes, scores, strict=True)))


def judge(matching: Matching) -> Matching:
    """Hand the matching back when it keeps every rule and is worth what it says.

    Raises:
        MatcherError: it does not. That is a fault of the matcher, never of the pool.
    """
    groups = [cohort.members for cohort in matching.cohorts]
    broken = count_broken(matching.pool, matching.params, groups, claims(matching.cohorts))
    if any(broken.values()):
        raise MatcherError(f"the matcher made cohorts that break its own rules: {broken}; please report this")
    worth = plain_objective(matching.params, [c.score for c in matching.cohorts], [len(g) for g in groups])
    if abs(worth - matching.objective) > TOLERANCE * max(1.0, abs(worth)):
        raise MatcherError(f"the cohorts are worth {worth}, not {matching.objective}; please report this")
    return matching

"""Matching around cohorts that are kept as they are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import zip_longest
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from matcher.checks import plain_objective
from matcher.exceptions import MatcherError
from matcher.match import match
from matcher.matching import CohortResult, Matching, Meeting
from matcher.params import Params
from matcher.pool import Pool
from matcher.preview import Preview
from matcher.progress import Progress

if TYPE_CHECKING:
    from matcher.affinity import Affinity


def match_around(
    pool: Pool,
    params: Params,
    kept: Sequence[Sequence[int]],
    *,
    times: Sequence[Meeting | None] = (),
    affinity: Affinity | ArrayLike | None = None,
    progress: Callable[[Progress], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> Matching:
    """Form the best cohorts of those who sit in none of the cohorts `kept`.

    The matching holds the kept cohorts first, in the order given, and then those found. What was kept need
    not keep the rules: somebody has decided so. `times` says when each of them meets; without, it is at their
    best common block. Where only so many cohorts may meet at one time, those count. `rules` and the bound are
    about what was found around it. Affinity is that of the whole pool, so that all scores can be compared.

    Raises:
        MatcherError: a kept cohort is empty, or a learner sits in two of them.
        InvalidPool, Infeasible: as in `match`.
    """
    if not kept:
        return match(pool, params, affinity=affinity, progress=progress, should_stop=should_stop)
    preview = Preview(pool, params, affinity)
    results = [_as_it_is(preview, members, time) for members, time in zip_longest(kept, times[: len(kept)])]
    inside = [i for members in kept for i in members]
    if len(set(inside)) != len(inside):
        raise MatcherError("a learner sits in two of the cohorts that are kept")
    rest = np.setdiff1d(np.arange(len(pool)), inside)
    worth = plain_objective(params, [one.score for one in results], [len(one.members) for one in results])
    found = match(
        Pool(tuple(pool.learners[i] for i in rest)),
        params,
        affinity=preview.affinity.take(rest),
        progress=progress,
        should_stop=should_stop,
        taken=[one.meetings[0] for one in results if one.meetings],
    )
    results += [replace(one, members=tuple(rest[list(one.members)].tolist())) for one in found.cohorts]
    labels: NDArray[np.int64] = np.full(len(pool), -1, dtype=np.int64)
    for label, one in enumerate(results):
        labels[list(one.members)] = label
    return replace(
        found,
        pool=pool,
        labels=labels,
        cohorts=tuple(results),
        unplaced=tuple(replace(one, learner=int(rest[one.learner])) for one in found.unplaced),
        objective=found.objective + worth,
        bound=None if found.bound is None else found.bound + worth,
    )


def _as_it_is(preview: Preview, members: Sequence[int], time: Meeting | None) -> CohortResult:
    check = preview.score(members)
    meetings = check.meetings
    if time is not None:
        same = [each for each in meetings if (each.zone, each.slot) == (time.zone, time.slot)]
        meetings = (*(same or [time]), *(each for each in meetings if each not in same))
    return CohortResult(
        check.members,
        check.score,
        meetings,
        preview.told(check),
        asynchronous=not meetings,
        shares=preview.shares(members, not check.meetings),
    )

"""Matching around cohorts that are kept as they are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from matcher.checks import plain_objective
from matcher.exceptions import MatcherError
from matcher.match import match
from matcher.matching import CohortResult, Matching
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
    affinity: Affinity | ArrayLike | None = None,
    progress: Callable[[Progress], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> Matching:
    """Form the best cohorts of those who sit in none of the cohorts `kept`.

    The matching holds the kept cohorts first, in the order given, and then those found. What was kept need
    not keep the rules: somebody has decided so. `rules` and the bound are about what was found around it.
    Affinity is that of the whole pool, so that all scores can be compared.

    Raises:
        MatcherError: a kept cohort is empty, or a learner sits in two of them.
        InvalidPool, Infeasible: as in `match`.
    """
    if not kept:
        return match(pool, params, affinity=affinity, progress=progress, should_stop=should_stop)
    preview = Preview(pool, params, affinity)
    results = [_as_it_is(preview, members) for members in kept]
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


def _as_it_is(preview: Preview, members: Sequence[int]) -> CohortResult:
    check = preview.score(members)
    return CohortResult(
        check.members,
        check.score,
        check.meetings,
        preview.told(check),
        asynchronous=not check.meetings,
        shares=preview.shares(members, not check.meetings),
    )

"""What each goal adds to the score of a cohort: the score of `matcher.score`, taken apart.

Affinity is a weighted mean over questions, and both the mean over all pairs and the mean of the member who
fits least are sums over them. So each question adds its weight times its own mean over the pairs and that of
the same member; with common blocks and size these add up to the score.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from matcher.affinity import Affinity, Answers, among
from matcher.checks import blocks_and_size
from matcher.matching import Share
from matcher.params import Params
from matcher.pool import Pool
from matcher.score import weights

AFFINITY = "affinity"
COMMON_BLOCKS = "common blocks"
SIZE = "size"

Apart = list[tuple[str, float, NDArray[np.float32]]]
"""Of a cohort, for each question: its key, its weight, and (k, k) how alike the members are in it."""


def taken_apart(affinity: Affinity, cohorts: Sequence[Sequence[int]]) -> Iterator[Apart]:
    """Take the affinity of each cohort apart; one that was handed in has a single part, `AFFINITY`."""
    if isinstance(affinity, Answers):
        known = list(zip(affinity.names, affinity.weights, affinity.parts, strict=True))
        columns = [(name, weight, among(part, cohorts)) for name, weight, part in known]
    else:
        columns = [(AFFINITY, 1.0, among(affinity, cohorts))]
    for _ in cohorts:
        yield [(name, weight, next(column)) for name, weight, column in columns]


def shares(
    pool: Pool, params: Params, apart: Apart, members: Sequence[int], blocks: float
) -> tuple[Share, ...]:
    """What each goal adds to the score of a cohort with `blocks` common blocks (see `checks.plain_score`)."""
    goals = weights(params)
    means = np.array([weight * _means(alike) for _, weight, alike in apart]).reshape(-1, len(members))
    least = int(means.sum(axis=0).argmin())
    found = [
        Share(
            name,
            float(goals.affinity * own.mean() + goals.worst_off * own[least]),
            (goals.affinity + goals.worst_off) * weight,
        )
        for (name, weight, _), own in zip(apart, means, strict=True)
    ]
    common, size = blocks_and_size(pool, params, members, blocks)
    return (*found, Share(COMMON_BLOCKS, common, goals.blocks), Share(SIZE, size, goals.size))


def _means(alike: NDArray[np.float32]) -> NDArray[np.float64]:
    """(k,) each member's mean likeness with the others."""
    whole = alike.astype(np.float64)
    np.fill_diagonal(whole, 0.0)
    means: NDArray[np.float64] = whole.sum(axis=1) / max(1, len(whole) - 1)
    return means

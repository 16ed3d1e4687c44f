"""A pool and its parameters as plain arrays, which every kernel reads and none writes."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from matcher.availability import Availability
from matcher.params import Params
from matcher.pool import Pool, fold, mutual_groups
from matcher.score import PLACED, block_values, size_values, weights


class Problem(NamedTuple):
    """What the kernels know.

    Attributes:
        affinity: (n, n) symmetric, 0..1; the diagonal is not read.
        can: (n, n_anchors, 6) block starts of each learner, if-needed slots included.
        prefers: the same without if-needed slots (the same array when nobody gave any).
        languages: (n, n_words) one bit a language; all ones for a learner who names none.
        home: (n,) the anchor class of the learner's own zone.
        unit: (n,) which unit each learner belongs to; a unit stays together.
        unit_start, unit_members: the members of unit u are unit_members[unit_start[u]:unit_start[u + 1]].
        apart_start, apart: whom each learner is kept apart from, in the same layout, both ways round.
        convenor: (n,) 1 for those willing.
        sizes: size_min, size_max, 1 when a convenor is required, 1 when `prefers` differs from `can`.
        block_values: (673,) worth a learner of a cohort with k/2 common blocks.
        size_values: (size_max + 1,) worth a learner of each size.
        weights: worth a learner of being placed, of the mean affinity, of the least one's affinity.
    """

    affinity: NDArray[np.float32]
    can: NDArray[np.uint64]
    prefers: NDArray[np.uint64]
    languages: NDArray[np.uint64]
    home: NDArray[np.int32]
    unit: NDArray[np.int32]
    unit_start: NDArray[np.int32]
    unit_members: NDArray[np.int32]
    apart_start: NDArray[np.int32]
    apart: NDArray[np.int32]
    convenor: NDArray[np.uint8]
    sizes: NDArray[np.int64]
    block_values: NDArray[np.float64]
    size_values: NDArray[np.float64]
    weights: NDArray[np.float64]


def build_problem(pool: Pool, params: Params, hours: Availability, affinity: NDArray[np.float32]) -> Problem:
    """Put a pool, its availability and its affinity into arrays."""
    units = mutual_groups(pool)
    unit = np.zeros(len(pool), dtype=np.int32)
    for u, members in enumerate(units):
        unit[members] = u
    unit_start, unit_members = _ragged(units)
    apart_start, apart = _ragged(apart_lists(pool))
    goals = weights(params)
    return Problem(
        affinity=affinity,
        can=hours.can,
        prefers=hours.prefers,
        languages=_languages(pool),
        home=hours.home,
        unit=unit,
        unit_start=unit_start,
        unit_members=unit_members,
        apart_start=apart_start,
        apart=apart,
        convenor=np.array([one.convenor for one in pool.learners], dtype=np.uint8),
        sizes=np.array(
            [params.size_min, params.size_max, params.convenor_required, hours.can is not hours.prefers],
            dtype=np.int64,
        ),
        block_values=block_values(params),
        size_values=size_values(params),
        weights=np.array([PLACED, goals.affinity, goals.worst_off], dtype=np.float64),
    )


def apart_lists(pool: Pool) -> list[list[int]]:
    """For each learner, whom they or who named the other in `apart`; naming oneself has no effect."""
    place = pool.index()
    apart: list[set[int]] = [set() for _ in pool.learners]
    for i, learner in enumerate(pool.learners):
        for other in learner.apart:
            j = place.get(other, i)
            if j != i:
                apart[i].add(j)
                apart[j].add(i)
    return [sorted(ones) for ones in apart]


def _languages(pool: Pool) -> NDArray[np.uint64]:
    spoken = [fold(learner.languages) for learner in pool.learners]
    bit = {language: k for k, language in enumerate(sorted(frozenset().union(*spoken)))}
    words = np.zeros((len(pool), max(1, -(-len(bit) // 64))), dtype=np.uint64)
    for i, ones in enumerate(spoken):
        if not ones:
            words[i] = np.iinfo(np.uint64).max
        for language in ones:
            words[i, bit[language] // 64] |= np.uint64(1) << np.uint64(bit[language] % 64)
    return words


def _ragged(rows: list[list[int]]) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    start = np.zeros(len(rows) + 1, dtype=np.int32)
    start[1:] = np.cumsum([len(row) for row in rows], dtype=np.int32)
    return start, np.array([i for row in rows for i in row], dtype=np.int32)

"""A pool and its parameters as plain arrays, which every kernel reads and none writes."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from itertools import product
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from matcher.availability import Availability
from matcher.exceptions import InvalidPool
from matcher.params import Params
from matcher.pool import Pool, choices, fold, kept_apart, met_before, mutual_groups
from matcher.score import PLACED, active_parts, active_values, block_values, size_values, weights


class Problem(NamedTuple):
    """What the kernels know.

    Attributes:
        affinity: (n, n) symmetric, 0..1; the diagonal is not read. (0, 0) where nothing asks for it: of a
            pool that is to be taken in parts.
        can: (n, n_anchors, 6) block starts of each learner, if-needed slots included.
        prefers: the same without if-needed slots (the same array when nobody gave any).
        languages: (n, n_words) what all members share at least one of: one bit a language, and where answers
            must be the same one bit a combination of a language and an answer to each; a learner who names
            none has the bits of all.
        home: (n,) the anchor class of the learner's own zone.
        unit: (n,) which unit each learner belongs to; a unit stays together.
        unit_start, unit_members: the members of unit u are unit_members[unit_start[u]:unit_start[u + 1]].
        apart_start, apart: whom each learner is kept apart from, in the same layout, both ways round.
        past_start, past: those whom each learner may meet again only in part, in the same layout.
        convenor: (n,) 1 for those willing.
        minds: (n, n_questions) 1 where the learner does not want to be the only one with their answer.
        said: (n, n_questions, n_words) the answers to those questions, one bit each.
        active: (n,) how much of each learner is expected to stay, in sixteenths.
        sizes: size_min, size_max, 1 when a convenor is required, 1 when `prefers` differs from `can`,
            how many past mates a member may meet again.
        block_values: (673,) worth a learner of a cohort with k/2 common blocks.
        active_values: worth a learner of each expected number of active members, in sixteenths.
        size_values: (size_max + 1,) the most that `active_values` gives to a cohort of each size.
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
    past_start: NDArray[np.int32]
    past: NDArray[np.int32]
    convenor: NDArray[np.uint8]
    minds: NDArray[np.uint8]
    said: NDArray[np.uint64]
    active: NDArray[np.int64]
    sizes: NDArray[np.int64]
    block_values: NDArray[np.float64]
    active_values: NDArray[np.float64]
    size_values: NDArray[np.float64]
    weights: NDArray[np.float64]


# Each takes a bit of every learner, and all are looked at in every cohort that is tried.
MOST_COMBINATIONS = 4096

NO_AFFINITY: NDArray[np.float32] = np.zeros((0, 0), dtype=np.float32)


def build_problem(
    pool: Pool, params: Params, hours: Availability, affinity: NDArray[np.float32] = NO_AFFINITY
) -> Problem:
    """Put a pool, its availability and its affinity into arrays."""
    units = mutual_groups(pool)
    unit = np.zeros(len(pool), dtype=np.int32)
    for u, members in enumerate(units):
        unit[members] = u
    unit_start, unit_members = _ragged(units)
    apart, past = kept_apart(pool), met_before(pool)
    if params.max_past_mates == 0:
        # Not one of them again: the same as being kept apart, which the search knows how to avoid early.
        apart, past = [a | b for a, b in zip(apart, past, strict=True)], [set() for _ in pool.learners]
    apart_start, apart_flat = _ragged(apart)
    past_start, past_flat = _ragged(past)
    minds, said = _answers_minded(pool)
    active = np.array([active_parts(one) for one in pool.learners], dtype=np.int64)
    goals = weights(params)
    return Problem(
        affinity=affinity,
        can=hours.can,
        prefers=hours.prefers,
        languages=_languages(pool, params),
        home=hours.home,
        unit=unit,
        unit_start=unit_start,
        unit_members=unit_members,
        apart_start=apart_start,
        apart=apart_flat,
        past_start=past_start,
        past=past_flat,
        convenor=np.array([one.convenor for one in pool.learners], dtype=np.uint8),
        minds=minds,
        said=said,
        active=active,
        sizes=np.array(
            [
                params.size_min,
                params.size_max,
                params.convenor_required,
                hours.can is not hours.prefers,
                params.max_past_mates,
            ],
            dtype=np.int64,
        ),
        block_values=block_values(params),
        active_values=active_values(params),
        size_values=size_values(params, active),
        weights=np.array([PLACED, goals.affinity, goals.worst_off], dtype=np.float64),
    )


def _answers_minded(pool: Pool) -> tuple[NDArray[np.uint8], NDArray[np.uint64]]:
    """Who minds being the only one with their answer, and the answers that somebody minds about, as bits."""
    keys = sorted(frozenset().union(*(one.not_alone for one in pool.learners)))
    minds = np.zeros((len(pool), len(keys)), dtype=np.uint8)
    rows = [[choices(one, key) for one in pool.learners] for key in keys]
    for q, (key, chosen) in enumerate(zip(keys, rows, strict=True)):
        minds[:, q] = [bool(key in one.not_alone and c) for one, c in zip(pool.learners, chosen, strict=True)]
    counted = [
        frozenset().union(*(c for i, c in enumerate(chosen) if minds[i, q])) for q, chosen in enumerate(rows)
    ]
    said = np.zeros(
        (len(pool), len(keys), max(1, -(-max(map(len, counted), default=0) // 64))), dtype=np.uint64
    )
    for q, (chosen, known) in enumerate(zip(rows, counted, strict=True)):
        bit = {choice: at for at, choice in enumerate(sorted(known))}
        for i, ones in enumerate(chosen):
            for choice in ones & known:
                said[i, q, bit[choice] // 64] |= np.uint64(1) << np.uint64(bit[choice] % 64)
    return minds, said


def _languages(pool: Pool, params: Params) -> NDArray[np.uint64]:
    """Combinations of a language and of answers that must be the same, as bits.

    Some members share a language and an answer to each question just when they share a combination.
    """
    given = [[fold(learner.languages) for learner in pool.learners]]
    given += [[choices(learner, key) for learner in pool.learners] for key in params.same]
    known = [sorted(frozenset().union(*sets)) or [""] for sets in given]
    n_bits = math.prod(map(len, known))
    if n_bits > MOST_COMBINATIONS:
        raise InvalidPool(
            f"same: there are {n_bits} combinations of a language and answers that must be the same, where "
            f"{MOST_COMBINATIONS} are possible; ask it of fewer questions, or of ones with fewer answers"
        )
    bits = {one: k for k, one in enumerate(product(*known))}
    words = np.zeros((len(pool), -(-n_bits // 64)), dtype=np.uint64)
    anything = tuple(frozenset[str]() for _ in given)
    masks = {anything: np.full(words.shape[1], np.iinfo(np.uint64).max, dtype=np.uint64)}
    for i, sets in enumerate(zip(*given, strict=True)):
        if sets not in masks:
            mask = np.zeros(words.shape[1], dtype=np.uint64)
            for one in product(*(s or all_ for s, all_ in zip(sets, known, strict=True))):
                mask[bits[one] // 64] |= np.uint64(1) << np.uint64(bits[one] % 64)
            masks[sets] = mask
        words[i] = masks[sets]
    return words


def _ragged(rows: Sequence[Collection[int]]) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    start = np.zeros(len(rows) + 1, dtype=np.int32)
    start[1:] = np.cumsum([len(row) for row in rows], dtype=np.int32)
    return start, np.array([i for row in rows for i in sorted(row)], dtype=np.int32)


def take(p: Problem, rows: NDArray[np.intp]) -> Problem:
    """The problem of some learners (whole units) alone, in the order of `rows`, without affinities."""
    place = np.full(len(p.unit), -1, dtype=np.int32)
    place[rows] = np.arange(len(rows), dtype=np.int32)
    can = p.can[rows]
    _, unit = np.unique(p.unit[rows], return_inverse=True)
    apart_start, apart = _among(p.apart_start, p.apart, rows, place)
    past_start, past = _among(p.past_start, p.past, rows, place)
    return p._replace(
        affinity=NO_AFFINITY,
        can=can,
        prefers=can if p.prefers is p.can else p.prefers[rows],
        languages=p.languages[rows],
        home=p.home[rows],
        unit=unit.astype(np.int32),
        unit_start=np.append(0, np.cumsum(np.bincount(unit))).astype(np.int32),
        unit_members=np.argsort(unit, kind="stable").astype(np.int32),
        apart_start=apart_start,
        apart=apart,
        past_start=past_start,
        past=past,
        convenor=p.convenor[rows],
        minds=p.minds[rows],
        said=p.said[rows],
        active=p.active[rows],
    )


def _among(
    start: NDArray[np.int32], listed: NDArray[np.int32], rows: NDArray[np.intp], place: NDArray[np.int32]
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """The lists of `rows`, with only those in them who have a place."""
    counts = start[rows + 1] - start[rows]
    owner = np.repeat(np.arange(len(rows)), counts)
    first = np.repeat(start[rows] - (np.cumsum(counts) - counts), counts)
    found = place[listed[first + np.arange(len(owner))]]
    kept = np.bincount(owner[found >= 0], minlength=len(rows))
    return np.append(0, np.cumsum(kept)).astype(np.int32), found[found >= 0]

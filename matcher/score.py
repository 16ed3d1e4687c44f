"""What a cohort is worth. This is the one definition; everything else in the matcher reads it.

The *score* of a cohort lies between 0 and 1 and speaks for its average member. It is the weighted mean of

- affinity: the mean over all pairs of members, of which a share `worst_off_weight` is replaced by the mean
  affinity of the member who fits least with the others, so that nobody is left at the edge;
- common blocks: 1 - 2**-b for b common blocks, an if-needed block counting half, in the best anchor;
- size: 1 when the target size is expected to stay active, falling with the square of the distance to 0 at
  the farther limit.

Its *worth* is size x (PLACED + score), and a matching's objective is the sum of its cohorts' worths. As
scores do not pass 1 and PLACED is 2, seating one more person outweighs what one learner can gain or
lose by it.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from matcher.compiled import kernel
from matcher.params import Params
from matcher.pool import SLOTS_A_WEEK, Learner

PLACED = 2.0
INFEASIBLE = -1.0
# Expected numbers of active members are counted in sixteenths of a person.
PARTS = 16


class Weights(NamedTuple):
    """The share of each goal in the score; they add up to 1."""

    affinity: float
    worst_off: float
    blocks: float
    size: float


def weights(params: Params) -> Weights:
    """The organiser's weights, scaled to add up to 1."""
    total = 1.0 + params.common_blocks_weight + params.size_weight
    return Weights(
        (1.0 - params.worst_off_weight) / total,
        params.worst_off_weight / total,
        params.common_blocks_weight / total,
        params.size_weight / total,
    )


def block_values(params: Params) -> NDArray[np.float64]:
    """(673,) what k/2 common blocks add to the score."""
    halves = np.arange(2 * SLOTS_A_WEEK + 1)
    return weights(params).blocks * (1.0 - 0.5 ** (halves / 2))


def active_parts(learner: Learner) -> int:
    """How much of a learner is expected to stay active, in sixteenths."""
    return round(PARTS * (1.0 - learner.dropout))


def active_values(params: Params) -> NDArray[np.float64]:
    """(PARTS * size_max + 1,) what each expected number of active members, in sixteenths, adds."""
    away = np.abs(np.arange(PARTS * params.size_max + 1) / PARTS - params.target_size)
    farthest = max(params.target_size - params.size_min, params.size_max - params.target_size, 1)
    return weights(params).size * np.maximum(0.0, 1.0 - (away / farthest) ** 2)


def size_values(params: Params, active: NDArray[np.int64]) -> NDArray[np.float64]:
    """(size_max + 1,) the most that each size can add to the score when its members are of the (n,) `active`
    parts: what `active_values` says when nobody is expected to drop out.
    """
    values = active_values(params)
    least, most = int(active.min(initial=PARTS)), int(active.max(initial=0)) or PARTS
    return np.array([values[k * min(least, most) : k * most + 1].max() for k in range(params.size_max + 1)])


@kernel
def popcount(word: Any) -> Any:
    """The number of set bits of a 64-bit word (the classical parallel sum)."""
    word = word - ((word >> np.uint64(1)) & np.uint64(0x5555555555555555))
    word = (word & np.uint64(0x3333333333333333)) + ((word >> np.uint64(2)) & np.uint64(0x3333333333333333))
    word = (word + (word >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
    return np.int64((word * np.uint64(0x0101010101010101)) >> np.uint64(56))


@kernel
def count_common(bits: Any, anchor: Any, members: Any, k: Any) -> Any:
    """How many starts all of `members[:k]` share in one anchor class."""
    found = 0
    for w in range(bits.shape[2]):
        common = bits[members[0], anchor, w]
        for m in range(1, k):
            common &= bits[members[m], anchor, w]
        if common:
            found += popcount(common)
    return found


@kernel
def common_halves(can: Any, prefers: Any, home: Any, differ: Any, members: Any, k: Any) -> Any:
    """Common blocks in the best anchor that may be used, in halves: 2 for a free one, 1 for an if-needed one.

    An anchor may be used when it is UTC's class (0) or the class of a member's zone.
    """
    best = 0
    for anchor in range(can.shape[1]):
        usable = anchor == 0
        for m in range(k):
            usable |= home[members[m]] == anchor
        if usable:
            found = count_common(can, anchor, members, k)
            # Where nobody gave if-needed slots, every common block is a free one.
            if found:
                found += count_common(prefers, anchor, members, k) if differ else found
            best = max(best, found)
    return best


@kernel
def share_language(languages: Any, members: Any, k: Any) -> Any:
    """Whether all of `members[:k]` share a language."""
    for w in range(languages.shape[1]):
        common = languages[members[0], w]
        for m in range(1, k):
            common &= languages[members[m], w]
        if common:
            return True
    return False


@kernel
def any_apart(apart_start: Any, apart: Any, members: Any, k: Any) -> Any:
    """Whether two of `members[:k]` are kept apart."""
    for m in range(k):
        i = members[m]
        for at in range(apart_start[i], apart_start[i + 1]):
            for other in range(k):
                if members[other] == apart[at]:
                    return True
    return False


@kernel
def any_convenor(convenor: Any, members: Any, k: Any) -> Any:
    """Whether one of `members[:k]` is willing to convene."""
    willing = 0
    for m in range(k):
        willing += convenor[members[m]]
    return willing > 0


@kernel
def too_many_met(past_start: Any, past: Any, most: Any, members: Any, k: Any) -> Any:
    """Whether one of `members[:k]` has shared a cohort before with more than `most` of the others."""
    for m in range(k):
        i = members[m]
        met = 0
        for at in range(past_start[i], past_start[i + 1]):
            for other in range(k):
                met += members[other] == past[at]
        if met > most:
            return True
    return False


@kernel
def left_alone(minds: Any, said: Any, members: Any, k: Any) -> Any:
    """Whether one of `members[:k]` would be the only one with an answer with which they mind to be alone."""
    for q in range(minds.shape[1]):
        for m in range(k):
            i = members[m]
            alone = minds[i, q] != 0
            for other in range(k):
                if alone and other != m:
                    for w in range(said.shape[2]):
                        if said[i, q, w] & said[members[other], q, w]:
                            alone = False
            if alone:
                return True
    return False


@kernel
def expected_active(active: Any, members: Any, k: Any) -> Any:
    """How many of `members[:k]` are expected to stay active, in sixteenths."""
    parts = 0
    for m in range(k):
        parts += active[members[m]]
    return parts


@kernel
def affinity_of(affinity: Any, goals: Any, members: Any, k: Any) -> Any:
    """The affinity goal of `members[:k]`: mean over pairs and least member's mean, each with its weight."""
    total = 0.0
    least = np.inf
    for m in range(k):
        i = members[m]
        own = 0.0
        # Both visits of a pair read the same entry of the symmetric matrix, so that the second finds it
        # in the cache.
        for other in range(k):
            j = members[other]
            if other != m:
                own += affinity[min(i, j), max(i, j)]
        total += own
        least = min(least, own)
    return (goals[1] * total / k + goals[2] * least) / (k - 1)


@kernel
def worth(p: Any, members: Any, k: Any) -> Any:
    """What `members[:k]` are worth as a cohort: k x (PLACED + score), or INFEASIBLE when they break a rule.

    Units (together) are not looked at here: nothing in the matcher ever takes one apart.
    """
    if k < p.sizes[0] or k > p.sizes[1]:
        return INFEASIBLE
    return worth_with(p, members, k, affinity_of(p.affinity, p.weights, members, k))


@kernel
def worth_with(p: Any, members: Any, k: Any, affinity: Any) -> Any:
    """`worth` of an allowed size when the affinity goal is known already.

    The parts take single arrays: a call that hands on all of them costs more than the work.
    """
    if not share_language(p.languages, members, k):
        return INFEASIBLE
    halves = common_halves(p.can, p.prefers, p.home, p.sizes[3], members, k)
    if halves == 0 or any_apart(p.apart_start, p.apart, members, k):
        return INFEASIBLE
    if p.sizes[2] and not any_convenor(p.convenor, members, k):
        return INFEASIBLE
    if len(p.past) and too_many_met(p.past_start, p.past, p.sizes[4], members, k):
        return INFEASIBLE
    if p.minds.shape[1] and left_alone(p.minds, p.said, members, k):
        return INFEASIBLE
    size = p.active_values[expected_active(p.active, members, k)]
    return k * (p.weights[0] + affinity + p.block_values[halves] + size)


@kernel
def ceiling(p: Any, k: Any, affinity: Any) -> Any:
    """No cohort of k with this affinity goal is worth more, whatever its common blocks."""
    return k * (p.weights[0] + affinity + p.block_values[-1] + p.size_values[k])

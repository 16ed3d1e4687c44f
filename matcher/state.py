"""The cohorts as the kernels hold them while they search, and the few ways to change them."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from matcher.compiled import kernel
from matcher.problem import Problem
from matcher.score import worth


class State(NamedTuple):
    """Who sits where.

    Attributes:
        cohort: (n,) the cohort of each learner, -1 for none.
        members: (n_cohorts, size_max + 1) the members of each cohort, the first `size` entries count.
        size: (n_cohorts,) 0 for a place not in use.
        value: (n_cohorts,) the worth of each cohort.
        mates: (n, n_anchors, 6) the starts that the other units of the learner's cohort share: a quick
            test of who could take the learner's seat.
        noise: (1,) the state of the random generator.
    """

    cohort: NDArray[np.int32]
    members: NDArray[np.int32]
    size: NDArray[np.int64]
    value: NDArray[np.float64]
    mates: NDArray[np.uint64]
    noise: NDArray[np.uint64]


def empty_state(p: Problem, seed: int) -> State:
    """Nobody seated yet."""
    n = len(p.unit)
    places = n // int(p.sizes[0]) + 1
    # A generator of the xorshift kind must not start at 0; the odd factor spreads neighbouring seeds.
    noise = np.array([(seed * 0x9E3779B97F4A7C15 + 0x2545F4914F6CDD1D) % 2**64 or 1], dtype=np.uint64)
    return State(
        np.full(n, -1, dtype=np.int32),
        np.zeros((places, int(p.sizes[1]) + 1), dtype=np.int32),
        np.zeros(places, dtype=np.int64),
        np.zeros(places, dtype=np.float64),
        np.zeros_like(p.can),
        noise,
    )


def cohorts_of(s: State) -> list[tuple[int, ...]]:
    """The cohorts as sorted tuples of indices, in order of their places."""
    return [tuple(sorted(s.members[c, : s.size[c]].tolist())) for c in np.flatnonzero(s.size)]


@kernel
def draw(noise: Any, below: Any) -> Any:
    """A random integer from 0 to below - 1 (xorshift64*, Vigna 2016)."""
    x = noise[0]
    x ^= x >> np.uint64(12)
    x ^= x << np.uint64(25)
    x ^= x >> np.uint64(27)
    noise[0] = x
    high = (x * np.uint64(0x2545F4914F6CDD1D)) >> np.uint64(33)
    return np.int64((high * np.uint64(below)) >> np.uint64(31))


@kernel
def seat(p: Any, s: Any, c: Any, members: Any, k: Any) -> Any:
    """Make `members[:k]` the cohort at place c; k = 0 empties it. Those who left must be seated
    elsewhere or marked.
    """
    s.size[c] = k
    s.value[c] = worth(p, members, k) if k else 0.0
    for m in range(k):
        s.members[c, m] = members[m]
        s.cohort[members[m]] = c
    for m in range(k):
        i = members[m]
        for anchor in range(p.can.shape[1]):
            for w in range(p.can.shape[2]):
                common = ~np.uint64(0)
                for other in range(k):
                    if p.unit[members[other]] != p.unit[i]:
                        common &= p.can[members[other], anchor, w]
                s.mates[i, anchor, w] = common


@kernel
def free_place(s: Any) -> Any:
    """The first place without a cohort, -1 when there is none."""
    for c in range(len(s.size)):
        if s.size[c] == 0:
            return c
    return -1


@kernel
def fits(common: Any, can: Any, i: Any) -> Any:
    """Whether learner i can make one of the starts in `common`, (n_anchors, 6)."""
    for anchor in range(common.shape[0]):
        for w in range(common.shape[1]):
            if common[anchor, w] & can[i, anchor, w]:
                return True
    return False


@kernel
def exchange(p: Any, s: Any, c: Any, out: Any, into: Any, members: Any) -> Any:
    """Write into `members` the cohort at c without unit `out` and with unit `into` (-1 for none);
    return its size.

    The size is size_max + 1 when it would be even larger.
    """
    k = 0
    for m in range(s.size[c]):
        if p.unit[s.members[c, m]] != out:
            members[k] = s.members[c, m]
            k += 1
    if into >= 0:
        for at in range(p.unit_start[into], p.unit_start[into + 1]):
            if k > p.sizes[1]:
                return k
            members[k] = p.unit_members[at]
            k += 1
    return k


@kernel
def unseat(p: Any, s: Any, unit: Any) -> Any:
    """Mark a unit as seated nowhere."""
    for at in range(p.unit_start[unit], p.unit_start[unit + 1]):
        s.cohort[p.unit_members[at]] = -1

"""Cohorts made of two, and two made of one: the annealer's changes of how many cohorts there are.

They are rare and made between the slices of the annealing, by one thread: a new cohort needs a place, and
searches side by side would race for it.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from matcher.compiled import kernel
from matcher.score import affinity_of, ceiling, worth, worth_with
from matcher.search import least_gain
from matcher.state import draw, free_place, seat


@kernel
def _all_meet(can: Any, mates: Any, i: Any, j: Any) -> Any:
    """Whether the cohorts of i and j have a start in common."""
    for anchor in range(can.shape[1]):
        for w in range(can.shape[2]):
            if mates[i, anchor, w] & can[i, anchor, w] & mates[j, anchor, w] & can[j, anchor, w]:
                return True
    return False


@kernel
def merge(p: Any, s: Any, i: Any, j: Any, heat: Any) -> Any:
    """Make the cohorts of i and j, two and small enough, one; return whether it was done."""
    a, b = s.cohort[i], s.cohort[j]
    k = s.size[a] + s.size[b]
    if k > p.sizes[1] or not _all_meet(p.can, s.mates, i, j):
        return False
    whole = np.empty(k, dtype=np.int32)
    whole[: s.size[a]] = s.members[a, : s.size[a]]
    whole[s.size[a] :] = s.members[b, : s.size[b]]
    needed = s.value[a] + s.value[b] + least_gain(s.noise, heat)
    affinity = affinity_of(p.affinity, p.weights, whole, k)
    # A refused merge mostly fails on this already, so the rules are only worked out for the rest.
    if ceiling(p, k, affinity) < needed:
        return False
    value = worth_with(p, whole, k, affinity)
    if value < 0 or value < needed:
        return False
    seat(p, s, b, whole, 0)
    seat(p, s, a, whole, k)
    return True


@kernel
def _ties(p: Any, members: Any, apart: Any, unit: Any, k: Any, which: Any) -> Any:
    """The mean affinity of a unit with the others of `members[:k]` whose `apart` is `which`, 0 for none."""
    total, pairs = 0.0, 0
    for m in range(k):
        if p.unit[members[m]] == unit or apart[m] != which:
            continue
        for at in range(p.unit_start[unit], p.unit_start[unit + 1]):
            total += p.affinity[p.unit_members[at], members[m]]
            pairs += 1
    return total / pairs if pairs else 0.0


@kernel
def _next_apart(p: Any, members: Any, apart: Any, k: Any) -> Any:
    """The unit, of those who stay, that is drawn most to those who part, compared with what holds it."""
    best, unit = -np.inf, -1
    for m in range(k):
        if apart[m]:
            continue
        u = p.unit[members[m]]
        gain = _ties(p, members, apart, u, k, True) - _ties(p, members, apart, u, k, False)
        if gain > best:
            best, unit = gain, u
    return unit


@kernel
def _part(p: Any, members: Any, k: Any, size: Any) -> Any:
    """Which of `members[:k]` part from the others: first the least tied, then whoever has most in common with
    those who parted, until they are `size` or, as units stay whole, a few more.
    """
    apart = np.zeros(k, dtype=np.bool_)
    left = 0
    while left < size:
        unit = _next_apart(p, members, apart, k)
        for m in range(k):
            if p.unit[members[m]] == unit:
                apart[m] = True
                left += 1
    return apart


@kernel
def split(p: Any, s: Any, a: Any, heat: Any) -> Any:
    """Make two cohorts of the one at a; return whether it was done."""
    k = s.size[a]
    spare = k - 2 * p.sizes[0]
    place = free_place(s)
    if spare < 0 or place < 0:
        return False
    members = s.members[a, :k].copy()
    apart = _part(p, members, k, p.sizes[0] + draw(s.noise, spare + 1))
    ours, theirs = members[~apart], members[apart]
    value, rest = worth(p, ours, len(ours)), worth(p, theirs, len(theirs))
    if min(value, rest) < 0 or value + rest - s.value[a] < least_gain(s.noise, heat):
        return False
    seat(p, s, a, ours, len(ours))
    seat(p, s, place, theirs, len(theirs))
    return True


@kernel
def reshape(p: Any, s: Any, active: Any, near: Any, proposals: Any, heat: Any) -> None:
    """Propose to merge cohorts of kindred learners and to split cohorts, in turn."""
    for step in range(proposals):
        i = active[draw(s.noise, len(active))]
        j = near[i, draw(s.noise, near.shape[1])]
        a = s.cohort[i]
        if a < 0:
            continue
        if step % 2:
            split(p, s, a, heat)
        elif j >= 0 and s.cohort[j] >= 0 and s.cohort[j] != a:
            merge(p, s, i, j, heat)

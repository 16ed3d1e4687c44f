"""A feasible start: who could meet whom, and cohorts grown around the scarcest people first."""

from __future__ import annotations

from typing import Any

import numpy as np

from matcher.compiled import kernel
from matcher.score import any_apart, share_language, worth
from matcher.state import draw, exchange, fits, free_place, seat, unseat


@kernel
def can_meet(p: Any, i: Any, j: Any) -> Any:
    """Whether i and j share a block in an anchor that either of them, or UTC, provides."""
    for anchor in range(p.can.shape[1]):
        if anchor == 0 or p.home[i] == anchor or p.home[j] == anchor:
            for w in range(p.can.shape[2]):
                if p.can[i, anchor, w] & p.can[j, anchor, w]:
                    return True
    return False


@kernel
def shares_bit(one: Any, two: Any) -> Any:
    """Whether two rows of words have a bit in common."""
    found = False
    for w in range(len(one)):
        found |= (one[w] & two[w]) != 0
    return found


@kernel
def compatible(p: Any, i: Any, j: Any) -> Any:
    """Whether i and j break no rule between them: a block, a language, not kept apart."""
    if not can_meet(p, i, j):
        return False
    for at in range(p.apart_start[i], p.apart_start[i + 1]):
        if p.apart[at] == j:
            return False
    return shares_bit(p.languages[i], p.languages[j])


@kernel
def neighbours(p: Any, active: Any, start: Any, stop: Any, noise: Any, near: Any, partners: Any) -> Any:
    """For learners active[start:stop], the compatible ones of highest affinity and how many are compatible.

    `near` is (n, n_near), filled from the best on and padded with -1; `partners` is (n,). Ties fall at
    random, so that a pool without answers does not crowd round its first learners.
    """
    n_near = near.shape[1]
    keys = np.empty(n_near, dtype=np.float64)
    for at in range(start, stop):
        i = active[at]
        found = 0
        near[i] = -1
        for other in range(len(active)):
            j = active[other]
            if not compatible(p, i, j) or p.unit[j] == p.unit[i]:
                continue
            partners[i] += 1
            key = p.affinity[i, j] + 1e-4 * draw(noise, 1024) / 1024
            if found == n_near and key <= keys[found - 1]:
                continue
            place = min(found, n_near - 1)
            while place > 0 and keys[place - 1] < key:
                keys[place] = keys[place - 1]
                near[i, place] = near[i, place - 1]
                place -= 1
            keys[place] = key
            near[i, place] = j
            found = min(found + 1, n_near)


@kernel
def _may_leave(p: Any, s: Any, j: Any, steal: Any, taken: Any) -> Any:
    c = s.cohort[j]
    if c < 0:
        return True
    unit_size = p.unit_start[p.unit[j] + 1] - p.unit_start[p.unit[j]]
    return steal and s.size[c] - taken[c] - unit_size >= p.sizes[0]


@kernel
def _grown(p: Any, common: Any, members: Any, k: Any, unit: Any, largest: Any) -> Any:
    """The gain in affinity of adding `unit` to `members[:k]`, -1 when it cannot be; `common` holds
    their starts.
    """
    gain = 0.0
    for at in range(p.unit_start[unit], p.unit_start[unit + 1]):
        j = p.unit_members[at]
        if k >= largest or not fits(common, p.can, j):
            return -1.0
        for m in range(k):
            gain += p.affinity[j, members[m]]
        members[k] = j
        k += 1
    if not share_language(p.languages, members, k) or any_apart(p.apart_start, p.apart, members, k):
        return -1.0
    return gain


@kernel
def gather(p: Any, s: Any, active: Any, seed: Any, steal: Any, size: Any, members: Any) -> Any:
    """Grow a cohort of up to `size` around the unit of learner `seed`, best affinity first; return its size.

    It takes people who sit nowhere and, when `steal` is set, those whom their cohort can spare.
    """
    can, cohort = p.can, s.cohort
    taken = np.zeros(len(s.size), dtype=np.int64)
    common = np.full((p.can.shape[1], p.can.shape[2]), ~np.uint64(0), dtype=np.uint64)
    k = 0
    unit = p.unit[seed]
    while unit >= 0:
        for at in range(p.unit_start[unit], p.unit_start[unit + 1]):
            j = p.unit_members[at]
            members[k] = j
            k += 1
            common &= p.can[j]
            if s.cohort[j] >= 0:
                taken[s.cohort[j]] += 1
        unit = -1
        best = -1.0
        for at in range(len(active)):
            j = active[at]
            # These two tests take single arrays: a call that hands all of them on is dear.
            if (cohort[j] >= 0 and not steal) or not fits(common, can, j):
                continue
            inside = False
            for m in range(k):
                inside |= members[m] == j
            if k >= size or inside or not _may_leave(p, s, j, steal, taken):
                continue
            gain = _grown(p, common, members, k, p.unit[j], size)
            if gain >= 0 and s.cohort[j] < 0:
                gain += 1.0
            if gain > best:
                best = gain
                unit = p.unit[j]
    return k


@kernel
def form(p: Any, s: Any, active: Any, seed: Any, steal: Any, size: Any) -> Any:
    """Open a new cohort around `seed` when that makes the whole worth more; return whether it did."""
    place = free_place(s)
    if place < 0:
        return False
    members = np.zeros(s.members.shape[1] + 1, dtype=np.int32)
    k = gather(p, s, active, seed, steal, size, members)
    gained = worth(p, members, k)
    if gained < 0:
        return False
    left = np.zeros(s.members.shape[1], dtype=np.int32)
    if not _pays(p, s, members, k, gained, left):
        return False
    for m in range(k):
        c = s.cohort[members[m]]
        if c >= 0:
            unit = p.unit[members[m]]
            remain = exchange(p, s, c, unit, -1, left)
            unseat(p, s, unit)
            seat(p, s, c, left, remain)
    seat(p, s, place, members, k)
    return True


@kernel
def _pays(p: Any, s: Any, members: Any, k: Any, gained: Any, left: Any) -> Any:
    """Whether a new cohort is worth more than what the cohorts that it takes from lose."""
    for m in range(k):
        c = s.cohort[members[m]]
        first = c >= 0
        for before in range(m):
            first &= s.cohort[members[before]] != c
        if not first:
            continue
        remain = 0
        for at in range(s.size[c]):
            stays = True
            for other in range(k):
                stays &= members[other] != s.members[c, at]
            if stays:
                left[remain] = s.members[c, at]
                remain += 1
        after = worth(p, left, remain)
        if after < 0:
            return False
        gained += after - s.value[c]
    return gained > 1e-9


@kernel
def construct(p: Any, s: Any, active: Any, order: Any, size: Any) -> Any:
    """Grow cohorts around the learners of `order` who are still without one, of people without one."""
    for at in range(len(order)):
        if s.cohort[order[at]] < 0:
            form(p, s, active, order[at], False, size)

"""Simulated annealing over swaps, moves and three-way exchanges, along the lists of kindred neighbours.

A proposal is tested against the bit masks of the seat's mates first, which refuses most of those that
cannot meet, and only then scored in full. The budget is counted in proposals, not seconds, so that a
run repeats.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from matcher.compiled import kernel
from matcher.construct import form
from matcher.score import affinity_of, ceiling, worth, worth_with
from matcher.state import draw, exchange, seat, unseat

# One in so many exchanges of seats is proposed among three learners instead of two.
ROTATE = 8


@kernel
def least_gain(noise: Any, heat: Any) -> Any:
    """The gain from which on a change is accepted: the annealer's coin, tossed before the change is
    scored.
    """
    return heat * np.log((draw(noise, 1 << 30) + 1.0) / (1 << 30))


@kernel
def swap(p: Any, s: Any, i: Any, j: Any, heat: Any, one: Any, two: Any) -> Any:
    """Let the units of i and j, who share no cohort, trade places (i may have none); return whether it
    was done.
    """
    a, b = s.cohort[i], s.cohort[j]
    u, v = p.unit[i], p.unit[j]
    m = exchange(p, s, b, v, u, two)
    k = exchange(p, s, a, u, v, one) if a >= 0 else 0
    if m < p.sizes[0] or m > p.sizes[1] or (a >= 0 and (k < p.sizes[0] or k > p.sizes[1])):
        return False
    needed = s.value[b] + (s.value[a] if a >= 0 else 0.0) + least_gain(s.noise, heat)
    # Most swaps fail on affinity alone, so the rules and blocks are only worked out for the rest.
    ours = affinity_of(p.affinity, p.weights, one, k) if a >= 0 else 0.0
    theirs = affinity_of(p.affinity, p.weights, two, m)
    if ceiling(p, m, theirs) + (ceiling(p, k, ours) if a >= 0 else 0.0) < needed:
        return False
    value = worth_with(p, two, m, theirs)
    rest = worth_with(p, one, k, ours) if a >= 0 else 0.0
    if value < 0 or rest < 0 or value + rest < needed:
        return False
    unseat(p, s, u)
    unseat(p, s, v)
    if a >= 0:
        seat(p, s, a, one, k)
    seat(p, s, b, two, m)
    return True


@kernel
def rotate(p: Any, s: Any, i: Any, j: Any, k: Any, heat: Any, one: Any, two: Any, three: Any) -> Any:
    """Let the unit of i take the seat of j's, that of j the seat of k's and that of k the seat of i's; return
    whether it was done.

    The three share no cohort. When i has none, k ends up without one.
    """
    a, b, c = s.cohort[i], s.cohort[j], s.cohort[k]
    u, v, w = p.unit[i], p.unit[j], p.unit[k]
    size_a = exchange(p, s, a, u, w, one) if a >= 0 else 0
    size_b, size_c = exchange(p, s, b, v, u, two), exchange(p, s, c, w, v, three)
    least, most = min(size_b, size_c), max(size_a, size_b, size_c)
    if least < p.sizes[0] or most > p.sizes[1] or (a >= 0 and size_a < p.sizes[0]):
        return False
    needed = s.value[b] + s.value[c] + (s.value[a] if a >= 0 else 0.0) + least_gain(s.noise, heat)
    fit_a = affinity_of(p.affinity, p.weights, one, size_a) if a >= 0 else 0.0
    fit_b = affinity_of(p.affinity, p.weights, two, size_b)
    fit_c = affinity_of(p.affinity, p.weights, three, size_c)
    most_a = ceiling(p, size_a, fit_a) if a >= 0 else 0.0
    if most_a + ceiling(p, size_b, fit_b) + ceiling(p, size_c, fit_c) < needed:
        return False
    value_a = worth_with(p, one, size_a, fit_a) if a >= 0 else 0.0
    value_b = worth_with(p, two, size_b, fit_b)
    value_c = worth_with(p, three, size_c, fit_c)
    if min(value_a, value_b, value_c) < 0 or value_a + value_b + value_c < needed:
        return False
    if a >= 0:
        seat(p, s, a, one, size_a)
    else:
        unseat(p, s, w)
    seat(p, s, b, two, size_b)
    seat(p, s, c, three, size_c)
    return True


@kernel
def move(p: Any, s: Any, i: Any, b: Any, heat: Any, one: Any, two: Any) -> Any:
    """Move the unit of i, seated or not, into the cohort at b; return whether it was done."""
    a = s.cohort[i]
    u = p.unit[i]
    m = exchange(p, s, b, -1, u, two)
    value = worth(p, two, m)
    if value < 0:
        return False
    gain = value - s.value[b]
    k = 0
    if a >= 0:
        k = exchange(p, s, a, u, -1, one)
        value = worth(p, one, k) if k else 0.0
        if value < 0:
            return False
        gain += value - s.value[a]
    if gain < least_gain(s.noise, heat):
        return False
    if a >= 0:
        seat(p, s, a, one, k)
    seat(p, s, b, two, m)
    return True


@kernel
def _has_room(can: Any, mates: Any, i: Any, other: Any) -> Any:
    """Whether i could make a start that `other` and their mates all share."""
    for anchor in range(can.shape[1]):
        for w in range(can.shape[2]):
            if mates[other, anchor, w] & can[other, anchor, w] & can[i, anchor, w]:
                return True
    return False


@kernel
def _may_take(can: Any, mates: Any, i: Any, seat_of: Any) -> Any:
    """Whether i could make a start that the mates of `seat_of` share."""
    for anchor in range(can.shape[1]):
        for w in range(can.shape[2]):
            if mates[seat_of, anchor, w] & can[i, anchor, w]:
                return True
    return False


@kernel
def _pick(active: Any, waiting: Any, near: Any, noise: Any) -> Any:
    """A learner, now and then one who waits, and one of their neighbours, now and then just anybody."""
    i = active[draw(noise, len(active))]
    if len(waiting) and draw(noise, 16) == 0:
        i = waiting[draw(noise, len(waiting))]
    j = near[i, draw(noise, near.shape[1])]
    if j < 0 or draw(noise, 16) == 0:
        j = active[draw(noise, len(active))]
    return i, j


@kernel
def _onward(
    cohort: Any, members: Any, size: Any, near: Any, side: Any, noise: Any, i: Any, other: Any
) -> Any:
    """Whose seat `other` could take when i takes theirs: a mate of one of their neighbours, in a third
    cohort on the same side; -1 when the draw finds nobody.
    """
    k = near[other, draw(noise, near.shape[1])]
    if k < 0 or side[k] != side[i]:
        return -1
    c = cohort[k]
    if c < 0 or c == cohort[i] or c == cohort[other]:
        return -1
    third = members[c, draw(noise, size[c])]
    return third if third != k else -1


@kernel
def anneal(p: Any, s: Any, active: Any, near: Any, side: Any, proposals: Any, heat: Any, cooler: Any) -> Any:
    """Make `proposals` proposals while the heat falls from `heat` to `cooler` (worth units), linearly.

    The `active` learners are those of one side, `side` is every learner's: whoever is on another side is left
    to the search that goes on there at the same time.

    Each would bring a learner to where a neighbour sits: now and then as one more, else in place of a
    mate of the neighbour, who gets the learner's seat or, now and then, one beside a neighbour of their own,
    whose mate then gets the learner's. The tests that refuse most of them stand here and take single
    arrays, as a call that hands all of them on is dear.
    """
    one = np.zeros(s.members.shape[1] + 1, dtype=np.int32)
    two = np.zeros(s.members.shape[1] + 1, dtype=np.int32)
    three = np.zeros(s.members.shape[1] + 1, dtype=np.int32)
    can, mates, cohort, size, members, noise = p.can, s.mates, s.cohort, s.size, s.members, s.noise
    waiting = active[cohort[active] < 0]
    size_max = p.sizes[1]
    for step in range(proposals):
        i, j = _pick(active, waiting, near, noise)
        if side[j] != side[i]:
            continue
        if cohort[j] < 0:
            i, j = j, i
        b = cohort[j]
        if b < 0 or cohort[i] == b:
            continue
        now = heat + (cooler - heat) * step / proposals
        other = members[b, draw(noise, size[b])]
        may_move = size[b] < size_max and (cohort[i] < 0 or draw(noise, 8) == 0)
        if may_move and _has_room(can, mates, i, other) and move(p, s, i, b, now, one, two):
            continue
        if other == j or not _may_take(can, mates, i, other):
            continue
        if draw(noise, ROTATE) == 0:
            third = _onward(cohort, members, size, near, side, noise, i, other)
            if (
                third >= 0
                and _may_take(can, mates, other, third)
                and (cohort[i] < 0 or _may_take(can, mates, third, i))
            ):
                rotate(p, s, i, other, third, now, one, two, three)
        elif cohort[i] < 0 or _may_take(can, mates, other, i):
            swap(p, s, i, other, now, one, two)


@kernel
def seat_waiting(p: Any, s: Any, active: Any, attempts: Any, size: Any) -> Any:
    """Try to open new cohorts around some of those who wait, with people whom others can spare."""
    waiting = active[s.cohort[active] < 0]
    for _ in range(min(attempts, len(waiting))):
        i = waiting[draw(s.noise, len(waiting))]
        if s.cohort[i] < 0:
            form(p, s, active, i, True, p.sizes[0] + draw(s.noise, size - p.sizes[0] + 1))

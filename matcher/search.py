"""Simulated annealing over swaps and moves, proposed along the lists of kindred neighbours.

A proposal is tested against the bit masks of the seat's mates first, which refuses most of those that cannot meet,
and only then scored in full. The budget is counted in proposals, not seconds, so that a run repeats.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from matcher.construct import form
from matcher.score import kernel, worth
from matcher.state import draw, exchange, fits, seat, unseat


@kernel
def _accepts(noise: Any, gain: Any, heat: Any) -> Any:
    if gain >= 0:
        return True
    if heat <= 0 or gain < -20 * heat:
        return False
    return draw(noise, 1 << 30) < np.exp(gain / heat) * (1 << 30)


@kernel
def swap(p: Any, s: Any, i: Any, j: Any, heat: Any, one: Any, two: Any) -> Any:
    """Let the units of i and j trade places, either of which may be no cohort; return whether it was done."""
    a, b = s.cohort[i], s.cohort[j]
    if a == b or (a >= 0 and not fits(p, s.mates[i], j)) or (b >= 0 and not fits(p, s.mates[j], i)):
        return False
    u, v = p.unit[i], p.unit[j]
    gain = 0.0
    k = 0
    if a >= 0:
        k = exchange(p, s, a, u, v, one)
        value = worth(p, one, k)
        if value < 0:
            return False
        gain += value - s.value[a]
    m = 0
    if b >= 0:
        m = exchange(p, s, b, v, u, two)
        value = worth(p, two, m)
        if value < 0:
            return False
        gain += value - s.value[b]
    if not _accepts(s.noise, gain, heat):
        return False
    unseat(p, s, u)
    unseat(p, s, v)
    if a >= 0:
        seat(p, s, a, one, k)
    if b >= 0:
        seat(p, s, b, two, m)
    return True


@kernel
def move(p: Any, s: Any, i: Any, b: Any, heat: Any, one: Any, two: Any) -> Any:
    """Move the unit of i, seated or not, into the cohort at b; return whether it was done."""
    a = s.cohort[i]
    if a == b or s.size[b] >= p.sizes[1]:
        return False
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
    if not _accepts(s.noise, gain, heat):
        return False
    if a >= 0:
        seat(p, s, a, one, k)
    seat(p, s, b, two, m)
    return True


@kernel
def _propose(p: Any, s: Any, i: Any, j: Any, heat: Any, one: Any, two: Any) -> Any:
    """Bring i to where its neighbour j sits (or j to i, when j sits nowhere)."""
    b = s.cohort[j]
    if b < 0:
        i, j = j, i
        b = s.cohort[j]
    if b < 0 or s.cohort[i] == b:
        return
    if (s.cohort[i] < 0 or draw(s.noise, 8) == 0) and move(p, s, i, b, heat, one, two):
        return
    other = s.members[b, draw(s.noise, s.size[b])]
    if other != j:
        swap(p, s, i, other, heat, one, two)


@kernel
def anneal(p: Any, s: Any, active: Any, near: Any, proposals: Any, heat: Any, cooler: Any) -> Any:
    """Make `proposals` proposals while the heat falls from `heat` to `cooler` (worth units), linearly."""
    one = np.zeros(s.members.shape[1] + 1, dtype=np.int32)
    two = np.zeros(s.members.shape[1] + 1, dtype=np.int32)
    waiting = active[s.cohort[active] < 0]
    for step in range(proposals):
        now = heat + (cooler - heat) * step / proposals
        i = active[draw(s.noise, len(active))]
        if len(waiting) and draw(s.noise, 16) == 0:
            i = waiting[draw(s.noise, len(waiting))]
        j = near[i, draw(s.noise, near.shape[1])]
        if j < 0 or draw(s.noise, 16) == 0:
            j = active[draw(s.noise, len(active))]
        _propose(p, s, i, j, now, one, two)


@kernel
def seat_waiting(p: Any, s: Any, active: Any, attempts: Any, size: Any) -> Any:
    """Try to open new cohorts around some of those who wait, with people whom others can spare."""
    waiting = active[s.cohort[active] < 0]
    for _ in range(min(attempts, len(waiting))):
        i = waiting[draw(s.noise, len(waiting))]
        if s.cohort[i] < 0:
            form(p, s, active, i, True, p.sizes[0] + draw(s.noise, size - p.sizes[0] + 1))

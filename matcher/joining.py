"""Who could join some people, and all the ways in which others can join them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from matcher.columns import join
from matcher.compiled import kernel
from matcher.problem import Problem
from matcher.score import any_apart
from matcher.standing import holds, seated_worth

People = NDArray[np.int32]


def fitting(p: Problem, start: People, people: People) -> NDArray[np.bool_]:
    """(m,) which of `people` share a block and a language with all of `start`, and are not among them."""
    found = np.zeros(len(people), dtype=np.bool_)
    _fitting(p, start, people, found)
    return found


@kernel
def _shared(p: Any, start: Any) -> Any:
    """The block starts and the languages that all of `start` share."""
    common = np.full((p.can.shape[1], p.can.shape[2]), ~np.uint64(0), dtype=np.uint64)
    spoken = np.full(p.languages.shape[1], ~np.uint64(0), dtype=np.uint64)
    for m in range(len(start)):
        common &= p.can[start[m]]
        spoken &= p.languages[start[m]]
    return common, spoken


@kernel
def _fitting(p: Any, start: Any, people: Any, found: Any) -> Any:
    common, spoken = _shared(p, start)
    for at in range(len(people)):
        i = people[at]
        inside = False
        for m in range(len(start)):
            inside |= start[m] == i
        found[at] = not inside and (common & p.can[i]).any() and (spoken & p.languages[i]).any()


@kernel
def _liking(p: Any, q: Any, start: Any, i: Any) -> Any:
    """What i's affinity to `start`, and knowing somebody there, seem to add; twice the affinity to each, as a
    pair counts for both.
    """
    total, known = 0.0, 0.0
    for m in range(len(start)):
        total += p.affinity[i, start[m]]
        for at in range(q.tie_start[i], q.tie_start[i + 1]):
            if q.tie[at] == start[m]:
                known = max(known, q.strength[at])
    return 2 * (p.weights[1] + p.weights[2]) * total / max(1, len(start)) + q.weights[0] * known


@kernel
def _may_join(
    p: Any, q: Any, c: Any, timed: Any, common: Any, spoken: Any, together: Any, k: Any, size: Any
) -> Any:
    """Whether `together[k:size]` could join `together[:k]`, who share `common` and `spoken`."""
    shared, said = common.copy(), spoken.copy()
    for m in range(k, size):
        shared &= p.can[together[m]]
        said &= p.languages[together[m]]
    if not shared.any() or not said.any() or any_apart(p.apart_start, p.apart, together, size):
        return False
    return not timed or holds(p, q.meeting[c, 0], q.meeting[c, 1], together[k:], size - k)


@kernel
def nearest_units(p: Any, q: Any, c: Any, start: Any, units: Any, cost: Any, timed: Any, most: Any) -> Any:
    """The `most` units that seem to gain most by joining `start`, at these costs; padded with -1."""
    found = np.full(most, -1, dtype=np.int32)
    keys = np.full(most, -np.inf)
    common, spoken = _shared(p, start)
    together = np.zeros(p.sizes[1] + len(start), dtype=np.int32)
    together[: len(start)] = start
    for at in range(len(units)):
        first, last = p.unit_start[units[at]], p.unit_start[units[at] + 1]
        size = len(start) + last - first
        if size > p.sizes[1]:
            continue
        key = 0.0
        for place in range(first, last):
            i = p.unit_members[place]
            together[len(start) + place - first] = i
            key += (_liking(p, q, start, i) + q.goes[i] - cost[i]) / (last - first)
        if key <= keys[most - 1] or not _may_join(p, q, c, timed, common, spoken, together, len(start), size):
            continue
        place = most - 1
        while place > 0 and keys[place - 1] < key:
            keys[place] = keys[place - 1]
            found[place] = found[place - 1]
            place -= 1
        keys[place] = key
        found[place] = units[at]
    return found


@kernel
def list_joined(
    p: Any, q: Any, c: Any, start: Any, units: Any, timed: Any, columns: Any, values: Any, steps: Any
) -> Any:
    """Fill `columns` with those of `units` who can join `start`, and `values` with what all are worth
    together; return how many there are, -1 when they do not fit or take too many steps.

    Depth first over the units in order, as in `matcher.columns`. Where cohort c is `timed`, its fixed meeting
    must suit whoever joins. `steps[0]` counts down.
    """
    deepest = p.sizes[1] + 1
    common = np.zeros((deepest + 1, p.can.shape[1], p.can.shape[2]), dtype=np.uint64)
    spoken = np.zeros((deepest + 1, p.languages.shape[1]), dtype=np.uint64)
    common[0], spoken[0] = _shared(p, start)
    members = np.zeros(deepest + len(start), dtype=np.int32)
    members[: len(start)] = start
    at = np.zeros(deepest + 1, dtype=np.int64)
    size = np.zeros(deepest + 1, dtype=np.int64)
    size[0] = len(start)
    found = 0
    depth = 0
    while depth >= 0:
        if at[depth] >= len(units) or size[depth] >= p.sizes[1]:
            depth -= 1
            continue
        unit = units[at[depth]]
        at[depth] += 1
        steps[0] -= 1
        if steps[0] < 0:
            return -1
        before = size[depth]
        k = join(p, unit, common, spoken, members, before, depth)
        if k < 0:
            continue
        if timed and not holds(p, q.meeting[c, 0], q.meeting[c, 1], members[before:k], k - before):
            continue
        value = seated_worth(p, q, c, members, k)
        if value > -np.inf:
            if found == len(columns):
                return -1
            columns[found, : k - len(start)] = members[len(start) : k]
            values[found] = value
            found += 1
        if k < p.sizes[1]:
            at[depth + 1] = at[depth]
            size[depth + 1] = k
            depth += 1
    return found

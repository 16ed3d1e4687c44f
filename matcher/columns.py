"""All cohorts that keep the rules, for pools small enough to list them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from matcher.compiled import kernel
from matcher.problem import Problem
from matcher.score import worth

# Beyond these the list takes too long or too much memory, and the search must do without.
MOST_COLUMNS = 1_000_000
MOST_STEPS = 12_000_000


def all_cohorts(
    p: Problem, active: NDArray[np.int32]
) -> tuple[NDArray[np.int32], NDArray[np.float64]] | None:
    """Every cohort of the active learners that keeps the rules.

    Returns (m, size_max) members, padded with n_learners, and (m,) worths; None when there are too many.
    """
    units = np.unique(p.unit[active]).astype(np.int32)
    columns = np.full((MOST_COLUMNS, int(p.sizes[1])), len(p.unit), dtype=np.int32)
    worths = np.zeros(MOST_COLUMNS)
    found = list_cohorts(p, units, columns, worths, MOST_STEPS)
    return None if found < 0 else (columns[:found].copy(), worths[:found].copy())


@kernel
def join(p: Any, unit: Any, common: Any, spoken: Any, members: Any, k: Any, depth: Any) -> Any:
    """Add a unit to `members[:k]`; return the new size, or -1 when no larger cohort could hold them.

    Common starts, languages and being apart are hereditary: what fails for some of a cohort's members
    fails for the cohort. `common[depth]` and `spoken[depth]` belong to the members so far and are
    filled for depth + 1.
    """
    common[depth + 1] = common[depth]
    spoken[depth + 1] = spoken[depth]
    for at in range(p.unit_start[unit], p.unit_start[unit + 1]):
        i = p.unit_members[at]
        if k >= p.sizes[1]:
            return -1
        for forbidden in range(p.apart_start[i], p.apart_start[i + 1]):
            for m in range(k):
                if members[m] == p.apart[forbidden]:
                    return -1
        members[k] = i
        k += 1
        common[depth + 1] &= p.can[i]
        spoken[depth + 1] &= p.languages[i]
    return k if common[depth + 1].any() and spoken[depth + 1].any() else -1


@kernel
def list_cohorts(p: Any, units: Any, columns: Any, worths: Any, steps: Any) -> Any:
    """Fill `columns` and `worths`; return how many there are, -1 when they do not fit or take too many steps.

    Depth first over the units in order, leaving a branch as soon as its members could be part of no cohort.
    """
    deepest = p.sizes[1] + 1
    common = np.full((deepest + 1, p.can.shape[1], p.can.shape[2]), ~np.uint64(0), dtype=np.uint64)
    spoken = np.full((deepest + 1, p.languages.shape[1]), ~np.uint64(0), dtype=np.uint64)
    members = np.zeros(deepest + 1, dtype=np.int32)
    at = np.zeros(deepest + 1, dtype=np.int64)
    size = np.zeros(deepest + 1, dtype=np.int64)
    found = 0
    depth = 0
    while depth >= 0:
        if at[depth] >= len(units):
            depth -= 1
            continue
        unit = units[at[depth]]
        at[depth] += 1
        steps -= 1
        k = join(p, unit, common, spoken, members, size[depth], depth)
        if k < 0:
            continue
        value = worth(p, members, k)
        if value >= 0:
            if found == len(columns):
                return -1
            columns[found, :k] = members[:k]
            worths[found] = value
            found += 1
        if steps < 0:
            return -1
        if k < p.sizes[1]:
            at[depth + 1] = at[depth]
            size[depth + 1] = k
            depth += 1
    return found

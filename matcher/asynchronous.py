"""Cohorts without a meeting, for those whose hours fit nobody's.

They keep every other rule. Nobody who could have a meeting is asked to do without: only those whom the
search has left over come here.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from matcher.affinity import Affinity
from matcher.blocks import solve_pool
from matcher.params import Params
from matcher.problem import Problem
from matcher.progress import Watch
from matcher.solve import Solution
from matcher.units import seatable


def always_free(p: Problem) -> Problem:
    """The same problem in which everybody can meet at one time that counts for nothing."""
    start = np.ones((len(p.unit), 1, p.can.shape[2]), dtype=np.uint64)
    sizes = p.sizes.copy()
    sizes[3] = 0
    return p._replace(
        can=start,
        prefers=start,
        home=np.zeros_like(p.home),
        sizes=sizes,
        block_values=np.zeros_like(p.block_values),
    )


def solve_without_meeting(
    p: Problem, affinity: Affinity, params: Params, left: NDArray[np.int32], watch: Watch
) -> Solution:
    """Seat those of `left` (whole units) who fit together but for their hours."""
    free = always_free(p)
    active = seatable(free, left)
    if len(active) < params.size_min:
        return Solution([], 0.0, 0.0)
    return solve_pool(free, affinity, params, active, watch.beside())

"""Who can be seated at all: units (learners who stay together) whose own wishes and hours allow a cohort."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from matcher.pool import Pool
from matcher.problem import Problem
from matcher.score import any_apart, common_halves, share_language


def contradictions(pool: Pool, p: Problem) -> dict[int, str]:
    """Each learner whom no cohort can seat whatever the others do, with the reason.

    Alone that is a learner without a block. A unit is barred as a whole when it is larger than a cohort
    may be, holds two to be kept apart, or shares no language or no block.
    """
    barred: dict[int, str] = {}
    for u in range(len(p.unit_start) - 1):
        members = p.unit_members[p.unit_start[u] : p.unit_start[u + 1]]
        reason = _contradiction(p, members)
        if reason is None:
            continue
        for i in members.tolist():
            others = " and ".join(pool.learners[j].id for j in members.tolist() if j != i)
            barred[i] = f"You and {others} asked to be together, but {reason}." if others else ""
    return barred


def _contradiction(p: Problem, members: NDArray[np.int32]) -> str | None:
    k = len(members)
    if k > p.sizes[1]:
        return f"{k} people are more than the {p.sizes[1]} of a cohort"
    if any_apart(p.apart_start, p.apart, members, k):
        return "two of you are to be kept apart"
    if not share_language(p.languages, members, k):
        return "share no language"
    if common_halves(p.can, p.prefers, p.home, p.sizes[3], members, k) == 0 and not (
        k == 1 and p.can[members[0]].any()
    ):
        return "share no meeting time"
    return None

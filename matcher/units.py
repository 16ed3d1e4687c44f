"""Who can be seated at all: units (learners who stay together) whose own wishes and hours allow a cohort."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from matcher.problem import Problem
from matcher.said import Said, say, say_number
from matcher.score import any_apart, common_halves, share_language


def contradictions(p: Problem) -> dict[int, Said | None]:
    """Each learner whom no cohort can seat whatever the others do, with the reason.

    Alone that is a learner without a block, which needs no words. A unit is barred as a whole when it is
    larger than a cohort may be, holds two to be kept apart, or shares no language or no block.
    """
    barred: dict[int, Said | None] = {}
    for u in range(len(p.unit_start) - 1):
        members = p.unit_members[p.unit_start[u] : p.unit_start[u + 1]]
        reason = _contradiction(p, members)
        if reason is not None:
            barred.update(dict.fromkeys(members.tolist(), reason if len(members) > 1 else None))
    return barred


def seatable(p: Problem, some: NDArray[np.int32]) -> NDArray[np.int32]:
    """Those of `some` (whole units) whom a cohort could seat."""
    barred = contradictions(p)
    return np.array([i for i in some.tolist() if i not in barred], dtype=np.int32)


def _contradiction(p: Problem, members: NDArray[np.int32]) -> Said | None:
    k = len(members)
    if k > p.sizes[1]:
        return say_number(
            "You and the person you asked to be with are %(together)s together, more than the %(most)s of a "
            "cohort.",
            "You and the people you asked to be with are %(together)s together, more than the %(most)s of a "
            "cohort.",
            k - 1,
            together=k,
            most=p.sizes[1],
        )
    if any_apart(p.apart_start, p.apart, members, k):
        # Whom somebody avoids is private: nobody may read it off a reason.
        return say(
            "Not everything that you and the people you asked to be with wish for can be kept at once."
        )
    if not share_language(p.languages, members, k):
        return say_number(
            "You and the person you asked to be with share no language.",
            "You and the people you asked to be with share no language.",
            k - 1,
        )
    if common_halves(p.can, p.prefers, p.home, p.sizes[3], members, k) == 0 and not (
        k == 1 and p.can[members[0]].any()
    ):
        return say_number(
            "You and the person you asked to be with share no meeting time.",
            "You and the people you asked to be with share no meeting time.",
            k - 1,
        )
    return None

"""What keeps people out of the cohorts that stand: for each cohort, the rules that they would break there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from matcher.compiled import kernel
from matcher.problem import Problem
from matcher.score import any_apart, left_alone, share_language, too_many_met

# One bit a rule.
SIZE, LANGUAGE, MEETING, APART, PAST, ALONE = 1, 2, 4, 8, 16, 32


@kernel
def _meets(p: Any, common: Any, usable: Any, unit: Any) -> Any:
    """Whether `unit` is free at a start that the members, who share `common`, are free at as well."""
    for anchor in range(p.can.shape[1]):
        may = usable[anchor]
        for m in range(len(unit)):
            may |= p.home[unit[m]] == anchor
        if may:
            for w in range(p.can.shape[2]):
                shared = common[anchor, w]
                for m in range(len(unit)):
                    shared &= p.can[unit[m], anchor, w]
                if shared:
                    return True
    return False


@kernel
def _barriers(
    p: Any, members: Any, sizes: Any, common: Any, usable: Any, unit: Any, which: Any, found: Any
) -> Any:
    """Into `found`, for each cohort of `which`, the rules that would be broken if `unit` joined it."""
    for at in range(len(which)):
        c = which[at]
        joined = members[c]
        k = sizes[c] + len(unit)
        for m in range(len(unit)):
            joined[sizes[c] + m] = unit[m]
        broken = 0
        if not _meets(p, common[c], usable[c], unit):
            broken |= MEETING
        if k > p.sizes[1]:
            broken |= SIZE
        if not share_language(p.languages, joined, k):
            broken |= LANGUAGE
        if any_apart(p.apart_start, p.apart, joined, k):
            broken |= APART
        if too_many_met(p.past_start, p.past, p.sizes[4], joined, k):
            broken |= PAST
        if left_alone(p.minds, p.said, joined, k):
            broken |= ALONE
        found[at] = broken


class Openings:
    """Looks at all cohorts that meet at once; `members` gives them as tuples of indices."""

    def __init__(self, p: Problem, cohorts: Sequence[Sequence[int]]) -> None:
        self.p = p
        self.cohorts = cohorts
        self.sizes = np.array([len(members) for members in cohorts], dtype=np.int64)
        # Room for a unit beside the largest, which may be larger than a cohort should be.
        width = int(self.sizes.max(initial=0)) + int(p.sizes[1])
        self.members = np.zeros((len(cohorts), width), dtype=np.int32)
        self.common = np.zeros((len(cohorts), *p.can.shape[1:]), dtype=np.uint64)
        self.usable = np.zeros((len(cohorts), p.can.shape[1]), dtype=np.bool_)
        self.usable[:, :1] = True
        for c, members in enumerate(cohorts):
            rows = list(members)
            self.members[c, : len(rows)] = rows
            self.common[c] = np.bitwise_and.reduce(p.can[rows])
            self.usable[c, p.home[rows]] = True

    def barriers(self, unit: Sequence[int], which: NDArray[np.intp] | None = None) -> NDArray[np.int64]:
        """(n_cohorts,) or (len(which),) the rules that would be broken in each if all of `unit` joined."""
        which = np.arange(len(self.sizes)) if which is None else which
        found = np.zeros(len(which), dtype=np.int64)
        together = np.array(unit, dtype=np.int32)
        if len(which) and len(unit) <= self.p.sizes[1]:
            _barriers(self.p, self.members, self.sizes, self.common, self.usable, together, which, found)
        return found

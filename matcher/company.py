"""Wishes to be together of people in cohorts that stand: which of them can be, without costing a seat."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from matcher.openings import Openings
from matcher.params import Params
from matcher.pool import Pool, mutual_groups, mutual_pairs
from matcher.preview import Preview
from matcher.problem import Problem
from matcher.solve import worth_of
from matcher.standing import Change, Standing, holds, is_in_need


class Company:
    """Looks at each wish of a member and a newcomer, in the order of the pool: their cohort has to be able to
    take the newcomer, with all who are to be with them, beside those for whom that was found before.

    Wishes of members of two cohorts are left out: a living cohort gives nobody away.
    """

    def __init__(
        self, p: Problem, params: Params, preview: Preview, standing: Sequence[Standing], change: Change
    ) -> None:
        self.p, self.params, self.pool = p, params, preview.pool
        self.standing, self.change = standing, change
        self.meetings = preview.meetings
        self.home = {i: c for c, cohort in enumerate(standing) for i in cohort.members}
        self.pairs = mutual_pairs(self.pool, self.pool.index())
        self.together = [list(cohort.members) for cohort in standing]

    def possible(self) -> Pool:
        """The pool, without the wishes that cannot be."""
        wished = self._wished()
        if not wished:
            return self.pool
        among = _without(self.pool, wished)
        group_of = {i: group for group in mutual_groups(among) for i in group}
        goes_to: dict[int, int] = {}
        kept: list[tuple[int, int]] = []
        for i, j in wished:
            group = group_of[j]
            if j in self.home:
                continue
            if group[0] not in goes_to and self._can_take(self.home[i], group):
                goes_to[group[0]] = self.home[i]
                self.together[self.home[i]] += group
            if goes_to.get(group[0]) == self.home[i]:
                kept.append((i, j))
        return _without(self.pool, [pair for pair in wished if pair not in kept])

    def _wished(self) -> list[tuple[int, int]]:
        """The wishes of a member and somebody who is not in their cohort."""
        ordered = [(i, j) if i in self.home else (j, i) for i, j in self.pairs]
        return [(i, j) for i, j in ordered if i in self.home and self.home.get(j) != self.home[i]]

    def _can_take(self, c: int, group: Sequence[int]) -> bool:
        cohort, members = self.standing[c], self.together[c]
        if cohort.asynchronous or len(members) + len(group) > self.params.size_max:
            return False
        if is_in_need(cohort, self.params):
            return bool(Openings(self.p, [members]).barriers(group)[0] == 0)
        if cohort.meeting is not None and not self.change.move_meetings:
            anchor, start = self.meetings.place(cohort.meeting)
            if not holds(self.p, anchor, start, np.array(group, dtype=np.int32), len(group)):
                return False
        return worth_of(self.p, tuple(sorted((*members, *group)))) > 0


def _without(pool: Pool, pairs: Sequence[tuple[int, int]]) -> Pool:
    """The pool without some wishes."""
    if not pairs:
        return pool
    learners = list(pool.learners)
    for i, j in pairs:
        learners[i] = replace(learners[i], together=learners[i].together - {pool.learners[j].id})
    return Pool(tuple(learners))

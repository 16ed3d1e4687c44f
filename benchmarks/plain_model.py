"""The whole assignment as one plain CP-SAT model: who sits in which cohort, and when each cohort meets.

It keeps the rules that sign-up files ask for (sizes, a common block, a shared language, together, apart).
Its objective is the matcher's, made linear: what a place, the size and the first common block are worth, and
the pairwise affinities inside cohorts, each with the weight that it has in a cohort of the target size.
Left out are further common blocks and the member who fits least.
"""

from __future__ import annotations

from itertools import combinations

import numpy as np
from ortools.sat.python import cp_model

from matcher import Params, Pool
from matcher.affinity import pool_affinity
from matcher.availability import availability, unpack
from matcher.pool import SLOTS_A_WEEK, fold, kept_apart, mutual_groups
from matcher.score import PARTS, PLACED, active_values, block_values, weights

# CP-SAT counts in integers: worths are told in thousandths.
SCALE = 1_000


def most_cohorts(pool: Pool, params: Params) -> int:
    """How many cohorts there could be."""
    return len(pool) // params.size_min


def literals(pool: Pool, params: Params) -> int:
    """About how many Boolean variables the model would have, those that CP-SAT adds for times included."""
    n, n_cohorts = len(pool), most_cohorts(pool, params)
    alike = np.count_nonzero(pool_affinity(pool, params)) // 2
    anchors = availability(pool, params).can.shape[1]
    return n * (n_cohorts + 1) + alike + n_cohorts * anchors * SLOTS_A_WEEK


class PlainModel:
    """The variables and constraints.

    Attributes:
        model: the CP-SAT model.
        seats: `seats[i][c]` says whether learner i sits in cohort c; learners to be together share theirs.
        starts: when each cohort meets, as a slot of the week of one anchor class after the other.
    """

    def __init__(self, pool: Pool, params: Params) -> None:
        self.pool, self.params, self.n_cohorts = pool, params, most_cohorts(pool, params)
        self.model = cp_model.CpModel()
        self.worths: list[cp_model.LinearExprT] = []
        self._seat()
        self._size()
        self._meet()
        self._speak()
        self._keep_apart()
        self._like()
        self._order()
        self.model.maximize(cp_model.LinearExpr.sum(self.worths))

    def cohorts(self, solver: cp_model.CpSolver) -> list[list[int]]:
        """Who sits together in a solution; empty cohorts are left out."""
        found = [
            [i for i in range(len(self.pool)) if solver.boolean_value(self.seats[i][c])]
            for c in range(self.n_cohorts)
        ]
        return [members for members in found if members]

    def _seat(self) -> None:
        """Everybody sits in one cohort or in none, units as one."""
        choices: dict[int, list[cp_model.IntVar]] = {}
        for members in mutual_groups(self.pool):
            choice = [self.model.new_bool_var("") for _ in range(self.n_cohorts + 1)]
            self.model.add_exactly_one(choice)
            choices.update(dict.fromkeys(members, choice))
        self.seats = [choices[i][:-1] for i in range(len(self.pool))]
        self.nowhere = [choices[i][-1] for i in range(len(self.pool))]

    def _size(self) -> None:
        """A cohort is empty or of an allowed size; its members' places, its size and one block are worth
        something.
        """
        one_block = float(block_values(self.params)[2])
        values = active_values(self.params)[::PARTS]
        sizes = [0, *range(self.params.size_min, self.params.size_max + 1)]
        worths = [round(SCALE * k * (PLACED + float(values[k]) + one_block)) for k in sizes]
        for c in range(self.n_cohorts):
            has = [self.model.new_bool_var("") for _ in sizes]
            self.model.add_exactly_one(has)
            members = cp_model.LinearExpr.sum([row[c] for row in self.seats])
            self.model.add(members == cp_model.LinearExpr.weighted_sum(has, sizes))
            self.worths.append(cp_model.LinearExpr.weighted_sum(has, worths))

    def _meet(self) -> None:
        """A cohort meets at a start that suits all members, in UTC or in an anchor class of one of them."""
        hours = availability(self.pool, self.params)
        can = unpack(hours.can).reshape(len(self.pool), -1)
        suits = [cp_model.Domain.from_values(np.flatnonzero(row).tolist()) for row in can]
        self.starts = [self.model.new_int_var(0, can.shape[1] - 1, "") for _ in range(self.n_cohorts)]
        for c, start in enumerate(self.starts):
            for i, domain in enumerate(suits):
                self._within(start, domain, self.seats[i][c])
            for anchor in range(1, len(hours.anchors)):
                locals_ = [self.seats[i][c] for i in np.flatnonzero(hours.home == anchor).tolist()]
                self._anchor(start, anchor, locals_)

    def _within(self, number: cp_model.IntVar, domain: cp_model.Domain, when: cp_model.IntVar) -> None:
        if domain.is_empty():
            self.model.add(when == 0)
        else:
            self.model.add_linear_expression_in_domain(number, domain).only_enforce_if(when)

    def _anchor(self, start: cp_model.IntVar, anchor: int, locals_: list[cp_model.IntVar]) -> None:
        """A start in an anchor class asks for a member who lives by it."""
        here = self.model.new_bool_var("")
        domain = cp_model.Domain(anchor * SLOTS_A_WEEK, (anchor + 1) * SLOTS_A_WEEK - 1)
        self.model.add_linear_expression_in_domain(start, domain.complement()).only_enforce_if(~here)
        self.model.add_bool_or([~here, *locals_])

    def _speak(self) -> None:
        """A cohort has a language that all speak who named any."""
        spoken = [fold(one.languages) for one in self.pool.learners]
        place = {word: k for k, word in enumerate(sorted(frozenset().union(*spoken)))}
        domains = [cp_model.Domain.from_values(sorted(place[word] for word in ones)) for ones in spoken]
        for c in range(self.n_cohorts if place else 0):
            language = self.model.new_int_var(0, len(place) - 1, "")
            for i, domain in enumerate(domains):
                if spoken[i]:
                    self._within(language, domain, self.seats[i][c])

    def _keep_apart(self) -> None:
        """Two who are to be kept apart share no cohort."""
        for i, others in enumerate(kept_apart(self.pool)):
            for j in others:
                for c in range(self.n_cohorts if i < j else 0):
                    self.model.add_at_most_one(self.seats[i][c], self.seats[j][c])

    def _like(self) -> None:
        """A pair is worth its affinity when both have the same cohort."""
        labels = [self._label(i) for i in range(len(self.pool))]
        affinity = pool_affinity(self.pool, self.params)
        goals = weights(self.params)
        scale = SCALE * (goals.affinity + goals.worst_off) * 2 / (self.params.target_size - 1)
        for i, j in combinations(range(len(self.pool)), 2):
            if affinity[i, j] > 0:
                both = self.model.new_bool_var("")
                self.model.add(labels[i] == labels[j]).only_enforce_if(both)
                self.model.add_implication(both, ~self.nowhere[i])
                self.worths.append(round(scale * float(affinity[i, j])) * both)

    def _label(self, i: int) -> cp_model.IntVar:
        """The number of a learner's cohort; who has none has a number that nobody else has."""
        label = self.model.new_int_var(0, self.n_cohorts + i, "")
        numbers = [*range(self.n_cohorts), self.n_cohorts + i]
        told = cp_model.LinearExpr.weighted_sum([*self.seats[i], self.nowhere[i]], numbers)
        self.model.add(label == told)
        return label

    def _order(self) -> None:
        """Cohorts can be numbered in any way: in the order of their starts, which breaks the symmetry."""
        for before, after in zip(self.starts, self.starts[1:], strict=False):
            self.model.add(before <= after)

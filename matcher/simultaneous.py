"""OR-Tools: no more cohorts at one time than may meet, as a constraint on who sits where.

Times are decided about together with seats. Cohorts whose members share the same times are alike to CP-SAT,
so it only counts how many of them meet at each.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from ortools.sat.python import cp_model

from matcher.crowding import Crowding
from matcher.seating import Seating

Cohort = tuple[int, ...]

# Beyond so many choices of a time, for all sets of shared times, each set offers fewer, evenly spread.
MOST_TIMES = 40_000


class Held:
    """The limit, as what a choice of columns has to keep."""

    def __init__(self, seating: Seating, crowding: Crowding) -> None:
        self.seating, self.crowding = seating, crowding

    def tally(self) -> Callable[[Cohort], bool]:
        """Says of one column after the other whether there is room for it, and sets its time aside, while
        every standing cohort that has a time keeps it.
        """
        crowding = self.crowding
        busy = np.zeros(len(crowding.table.busy), dtype=np.int64)
        for moments in crowding.own_moments.values():
            busy[moments] += 1

        def has_room(rows: Cohort) -> bool:
            others = self.seating.times_of(rows).others
            free = (crowding.moments[time] for time in others)
            first = next((each for each in free if (busy[each] < crowding.most).all()), None)
            if first is not None:
                busy[first] += 1
            return first is not None or not others

        return has_room

    def add_to(
        self, model: cp_model.CpModel, columns: Sequence[Cohort], chosen: Sequence[cp_model.IntVar]
    ) -> None:
        """Let no more cohorts take a time than there is room for.

        Standing cohorts keep their own times even where they are too many; nobody else may then meet.
        """
        alike: dict[Cohort, list[cp_model.IntVar]] = {}
        stays, leaves = dict[int, list[cp_model.IntVar]](), dict[int, list[cp_model.IntVar]]()
        for rows, variable in zip(columns, chosen, strict=True):
            times, at = self.seating.times_of(rows), self.seating.opening_of(rows)
            if times.others:
                alike.setdefault(times.others, []).append(variable)
            if at >= 0:
                (stays if times.own else leaves).setdefault(at, []).append(variable)
        own: dict[int, Any] = {}
        for at, opening in enumerate(self.seating.openings):
            if opening.place not in self.crowding.own_moments:
                continue
            is_there = bool(opening.kept) and self.crowding.times(opening.place, opening.kept).own
            own[at] = 1 - sum(leaves.get(at, [])) if is_there else sum(stays.get(at, []))
        self._limit(model, own, self._counted(model, alike))

    def _counted(
        self, model: cp_model.CpModel, alike: dict[Cohort, list[cp_model.IntVar]]
    ) -> dict[int, list[cp_model.IntVar]]:
        """How many cohorts of each kind meet at each time, by the time."""
        total = sum(map(len, alike))
        counted: dict[int, list[cp_model.IntVar]] = {}
        for times, variables in alike.items():
            each = len(times) if total <= MOST_TIMES else max(1, MOST_TIMES * len(times) // total)
            some = sorted({times[k * len(times) // each] for k in range(each)})
            most = min(self.crowding.most, len(variables))
            counts = [model.new_int_var(0, most, "") for _ in some]
            model.add(sum(counts) == sum(variables))
            for time, count in zip(some, counts, strict=True):
                counted.setdefault(time, []).append(count)
        return counted

    def _limit(
        self,
        model: cp_model.CpModel,
        own: dict[int, Any],
        counted: dict[int, list[cp_model.IntVar]],
    ) -> None:
        """It is enough to look at the moments at which a meeting begins; alike ones are looked at once."""
        openings = self.seating.openings
        held = [(at, self.crowding.own_moments[openings[at].place]) for at in own]
        new = [(time, self.crowding.moments[time]) for time in counted]
        begins = {int(moment) for _, moments in held + new for moment in moments[:, 0]}
        at_moment: dict[int, tuple[list[int], list[int]]] = {each: ([], []) for each in begins}
        for which, group in enumerate((held, new)):
            for key, moments in group:
                for moment in set(moments.ravel().tolist()) & begins:
                    at_moment[moment][which].append(key)
        most = self.crowding.most
        for there, times in {(tuple(one), tuple(two)) for one, two in at_moment.values()}:
            if not times:
                continue
            standing: Any = sum(own[at] for at in there)
            counts: Any = sum(each for time in times for each in counted[time])
            if len(there) <= most:
                model.add(counts + standing <= most)
                continue
            is_free = model.new_bool_var("")
            model.add(counts <= most * is_free)
            model.add(counts + standing <= len(there) - (len(there) - most) * is_free)

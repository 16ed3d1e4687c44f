"""When the cohorts of a rematch may meet, where only so many may meet at one time.

A cohort keeps its own meeting where its members can make it, or share no time at all. Any other takes one of
the times that its members share, at which there is room. CP-SAT decides about times together with who sits
where: cohorts whose members share the same times are alike to it, so it only counts how many of them meet at
each.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from ortools.sat.python import cp_model

from matcher.availability import unpack
from matcher.exceptions import MatcherError
from matcher.matching import Meeting
from matcher.meetings import Meetings
from matcher.params import Params
from matcher.problem import Problem
from matcher.progress import Watch
from matcher.solve import worth_of
from matcher.standing import Standing
from matcher.timetable import Timetable

if TYPE_CHECKING:
    from matcher.seating import Seating

Cohort = tuple[int, ...]

# Beyond so many choices of a time, for all sets of shared times, each set offers fewer, evenly spread.
MOST_TIMES = 40_000


class Times(NamedTuple):
    """When a cohort may meet: at its own time, or at one of `others`, or without one."""

    own: bool = False
    others: Cohort = ()


class Crowding:
    """The times at which cohorts may meet; a time is a number, which stands for its moments."""

    def __init__(self, params: Params, standing: Sequence[Standing], meetings: Meetings) -> None:
        self.standing, self.meetings = standing, meetings
        self.table = Timetable(params)
        self.most = self.table.most
        self.moments: list[NDArray[np.int64]] = []
        self._number: dict[bytes, int] = {}
        self._at: dict[tuple[int, int], int] = {}
        self._shared: dict[bytes, Cohort] = {}

    def times(self, place: int, members: Cohort) -> Times:
        """When some members may meet as the standing cohort at `place` (-1: as a new one)."""
        if place >= 0 and self.standing[place].asynchronous:
            return Times()
        hours, rows = self.meetings.hours, list(members)
        shared = np.bitwise_and.reduce(hours.can[rows])
        anchors = sorted({0, *hours.home[rows].tolist()})
        fixed = self.standing[place].meeting if place >= 0 else None
        if fixed is not None:
            anchor, start = self.meetings.place(fixed)
            is_free = shared[anchor, start // 64] >> np.uint64(start % 64) & np.uint64(1)
            if is_free or not shared[anchors].any():
                return Times(own=True)
        key = bytes(str(anchors), "ascii") + shared[anchors].tobytes()
        if key not in self._shared:
            free = unpack(shared[anchors])
            found = {self._time(anchors[a], s) for a, s in np.argwhere(free).tolist()}
            self._shared[key] = tuple(sorted(found))
        return Times(others=self._shared[key])

    def _time(self, anchor: int, start: int) -> int:
        if (anchor, start) not in self._at:
            moments = self.table.moments_around(self.meetings.hours.anchors[anchor], start)
            number = self._number.setdefault(moments.tobytes(), len(self.moments))
            if number == len(self.moments):
                self.moments.append(moments)
            self._at[anchor, start] = number
        return self._at[anchor, start]

    @cached_property
    def own_moments(self) -> dict[int, NDArray[np.int64]]:
        """The moments of the meeting of each standing cohort that has one, by its place."""
        return {
            place: self.table.moments(each.meeting)
            for place, each in enumerate(self.standing)
            if each.meeting is not None and not each.asynchronous
        }


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


def meet(
    crowding: Crowding, p: Problem, cohorts: Sequence[tuple[int, Cohort]], untimed: Collection[int]
) -> dict[Cohort, Meeting]:
    """When each of some cohorts meets, who are told with their place (-1: a new one): at its own time, or at
    the best of its others at which there is room. `untimed` are the places of those without a time.

    Raises:
        MatcherError: there is no room for one. That is a fault of the matcher.
    """
    found, offers = dict[Cohort, Meeting](), dict[Cohort, Sequence[Meeting]]()
    for place, members in cohorts:
        times = crowding.times(place, members)
        own = crowding.standing[place].meeting if times.own else None
        if own is not None:
            found[members] = own
            crowding.table.keep(own)
        elif times.others and place not in untimed:
            offers[members] = crowding.meetings.of(members)
    room = {
        members: [m for m in each if crowding.table.room_needed(m) <= crowding.most]
        for members, each in offers.items()
    }
    # Nearly no time is needed, which is there also when that of the search is over.
    found |= crowding.table.choose(room, {members: worth_of(p, members) for members in room}, Watch(math.inf))
    lost = offers.keys() - found.keys()
    if lost:
        raise MatcherError(f"the matcher found no time for {len(lost)} cohorts; please report this")
    return found

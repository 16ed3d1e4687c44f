"""When the cohorts of a rematch may meet, where only so many may meet at one time.

A cohort keeps its own meeting where its members can make it, or share no time at all. Any other takes one of
the times that its members share, at which there is room.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from matcher.availability import unpack
from matcher.exceptions import MatcherError
from matcher.matching import Meeting
from matcher.meetings import Meetings
from matcher.params import Params
from matcher.progress import Watch
from matcher.standing import Standing
from matcher.timetable import Timetable

Cohort = tuple[int, ...]


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


def meet(
    crowding: Crowding, cohorts: Sequence[tuple[int, Cohort]], untimed: Collection[int]
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
    # It takes nearly no time, which is there also when that of the search is over.
    found |= crowding.table.choose(room, dict.fromkeys(room, 1.0), Watch(math.inf))
    lost = offers.keys() - found.keys()
    if lost:
        raise MatcherError(f"the matcher found no time for {len(lost)} cohorts; please report this")
    return found

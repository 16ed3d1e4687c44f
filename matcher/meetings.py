"""The common blocks of a cohort, told in a zone that its members know, the best first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from matcher.availability import Availability, Clock, needed_slots, read_clock, unpack
from matcher.matching import Meeting
from matcher.pool import SLOT_MINUTES, SLOTS_A_WEEK, Pool

# Local starts from 8:00, and ends no later than 22:00, count as humane.
HUMANE = range(16, 44)


class Meetings:
    """Lists common blocks; keeps what it has worked out about pairs of clocks."""

    def __init__(self, pool: Pool, hours: Availability) -> None:
        self.pool = pool
        self.hours = hours
        self._living_in = {learner.time_zone: i for i, learner in enumerate(pool.learners)}
        self._anchor = {clock.anchor_key(): a for a, clock in enumerate(hours.anchors)}
        self._humane: dict[tuple[Clock, int], NDArray[np.bool_]] = {}

    def of(self, members: Sequence[int]) -> tuple[Meeting, ...]:
        """All common blocks: nobody's if-needed first, then humane hours for most, then stable for
        most, then early.
        """
        rows = list(members)
        found: dict[bytes, tuple[tuple[int, ...], Meeting]] = {}
        for anchor in sorted({0, *self.hours.home[rows].tolist()}, key=lambda a: -self._at_home(rows, a)):
            can = unpack(np.bitwise_and.reduce(self.hours.can[rows, anchor]))
            prefers = unpack(self.hours.prefers[rows, anchor])
            humane = np.array([self._is_humane(i, anchor) for i in rows])
            for slot in np.flatnonzero(can).tolist():
                same = self._instants(anchor, slot)
                if same in found:
                    continue
                grudging = int((~prefers[:, slot]).sum())
                kind = int(humane[:, slot].sum())
                zone, told = self._told(rows, anchor, slot)
                order = (grudging, -kind, -self._at_home(rows, anchor), told)
                found[same] = (order, Meeting(zone, told, grudging, kind))
        return tuple(meeting for _, meeting in sorted(found.values(), key=lambda pair: pair[0]))

    def place(self, meeting: Meeting) -> tuple[int, int]:
        """The anchor class of a meeting's zone, and its start in that class's week.

        Where nobody in the pool has such a clock, that is UTC's, and the start is that of the first week.
        """
        clock = self._clock(meeting.zone)
        anchor = self._anchor.get(clock.anchor_key(), 0)
        return anchor, (meeting.slot - self._shift(clock, anchor)) % SLOTS_A_WEEK

    def _clock(self, zone: str) -> Clock:
        """The clock of a zone, also of one where only somebody lived who is not in the pool any more."""
        learner = self._living_in.get(zone)
        if learner is None:
            return read_clock(zone, self.hours.params.first_monday, self.hours.params.weeks)
        return self.hours.clocks[learner]

    def _shift(self, clock: Clock, anchor: int) -> int:
        """How many slots a clock is ahead of an anchor's."""
        return int((clock.offsets[0] - self.hours.anchors[anchor].offsets[0]) // SLOT_MINUTES)

    def _at_home(self, rows: list[int], anchor: int) -> int:
        """How many members keep the same wall-clock time in this anchor."""
        return int((self.hours.home[rows] == anchor).sum())

    def _instants(self, anchor: int, slot: int) -> bytes:
        weeks = np.arange(self.hours.params.weeks) * SLOTS_A_WEEK * SLOT_MINUTES
        return bytes(self.hours.anchors[anchor].to_utc(weeks + slot * SLOT_MINUTES).tobytes())

    def _told(self, rows: list[int], anchor: int, slot: int) -> tuple[str, int]:
        """The same start in the zone of most members who can anchor it, or UTC."""
        zones = [(self.pool.learners[i].time_zone, i) for i in rows if self.hours.home[i] == anchor]
        if not zones:
            return "UTC", slot
        most = Counter(zone for zone, _ in zones)
        zone = min(most, key=lambda key: (-most[key], key))
        return zone, (slot + self._shift(self._clock(zone), anchor)) % SLOTS_A_WEEK

    def _is_humane(self, i: int, anchor: int) -> NDArray[np.bool_]:
        """(336,) whether a meeting lies within the learner's humane hours in every week."""
        clock = self.hours.clocks[i]
        if (clock, anchor) not in self._humane:
            needed, _ = needed_slots(clock, self.hours.anchors[anchor], self.hours.params)
            self._humane[clock, anchor] = np.all(np.isin(needed % 48, HUMANE), axis=0)
        return self._humane[clock, anchor]


def count_blocks(hours: Availability, members: Sequence[int]) -> float:
    """Common blocks in the best anchor, an if-needed one counting half."""
    # Deferred: compiled kernels take a moment to load, and a page that only reads results needs none.
    from matcher.score import common_halves

    array = np.array(members, dtype=np.int32)
    differ = hours.can is not hours.prefers
    return float(common_halves(hours.can, hours.prefers, hours.home, differ, array, len(members))) / 2

"""Weekly hours in IANA zones, turned into the block starts that hold in every week of the course.

A block is a run of half-hour slots as long as a meeting. It is *anchored* in a zone when it starts at
the same wall-clock time of that zone in every week. For each anchor this module works out, for each
learner, the starts at which the learner is free in every week: in the weeks of the anchor's calendar
and in the weeks of their own, so that it does not matter in whose calendar the course's weeks are
counted.

Zones are not handled one by one. Those with the same offsets throughout the course share a clock, and anchors
that differ by a constant number of half hours share a class, so that a pool from a hundred zones needs
a handful of tables. Time is in minutes since Monday 00:00 UTC of the first week; offsets are minutes
east of UTC.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from matcher.params import Params
from matcher.pool import SLOT_MINUTES, SLOTS_A_WEEK, Pool

WEEK = SLOTS_A_WEEK * SLOT_MINUTES
DAY = 24 * 60
# No two zones' clocks are farther apart.
MARGIN = 26 * 60
# All offsets in force since 1972 are multiples of 15 minutes, so samples that far apart miss nothing.
SAMPLE = 15
WORDS = 6

Bits = NDArray[np.uint64]
Flags = NDArray[np.bool_]
Minutes = NDArray[np.int64]


@dataclass(frozen=True)
class Clock:
    """The offsets of a zone through the course: `offsets[k]` holds from `changes[k - 1]` until
    `changes[k]`.
    """

    changes: tuple[int, ...]
    offsets: tuple[int, ...]

    def offset_at(self, utc: Minutes) -> Minutes:
        """Minutes east of UTC at each instant."""
        found: Minutes = np.asarray(self.offsets)[np.searchsorted(self.changes, utc, side="right")]
        return found

    def to_utc(self, local: Minutes) -> Minutes:
        """The first instant at which the clock shows each local time (as zoneinfo does with fold=0)."""
        edges = [
            change + max(before, after)
            for change, before, after in zip(self.changes, self.offsets, self.offsets[1:], strict=False)
        ]
        found: Minutes = local - np.asarray(self.offsets)[np.searchsorted(edges, local, side="right")]
        return found

    def anchor_key(self) -> tuple[int, tuple[int, ...], tuple[int, ...]]:
        """Equal for clocks that differ by a constant number of half hours: they anchor the same blocks."""
        first = self.offsets[0]
        return first % SLOT_MINUTES, self.changes, tuple(offset - first for offset in self.offsets)


UTC = Clock((), (0,))


def read_clock(key: str, monday: dt.date, weeks: int) -> Clock:
    """The clock of an IANA zone from three days before `monday` until three days after the course's end."""
    zone = ZoneInfo(key)
    origin = dt.datetime.combine(monday, dt.time(), dt.UTC)

    def offset(utc: int) -> int:
        shift = (origin + dt.timedelta(minutes=utc)).astimezone(zone).utcoffset()
        assert shift is not None
        return int(shift.total_seconds() // 60)

    changes: list[int] = []
    offsets = [offset(-3 * DAY)]
    for day in range(-3, weeks * 7 + 3):
        if offset((day + 1) * DAY) == offsets[-1]:
            continue
        low, high = day * DAY, (day + 1) * DAY
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if offset(middle) == offsets[-1] else (low, middle)
        changes.append(high)
        offsets.append(offset(high))
    return Clock(tuple(changes), tuple(offsets))


@dataclass(frozen=True)
class Availability:
    """When each learner can meet, anchor class by anchor class.

    Attributes:
        anchors: one clock a class, in whose local week the bits are counted; the first is UTC's.
        home: (n_learners,) the anchor class of each learner's zone.
        can: (n_learners, n_anchors, 6) 336 bits each: a block may start there.
        prefers: the same with free slots alone, no if-needed ones.
        clocks: (n_learners) the clock of each learner's zone.
    """

    params: Params
    anchors: tuple[Clock, ...]
    home: NDArray[np.int32]
    can: Bits
    prefers: Bits
    clocks: tuple[Clock, ...]


def availability(pool: Pool, params: Params, tick: Callable[[], object] = lambda: None) -> Availability:
    """Work out every learner's block starts for every anchor class that the pool needs.

    `tick` is called between pieces of the work, many times a second.
    """
    monday, weeks = params.first_monday, params.weeks
    by_key = {key: read_clock(key, monday, weeks) for key in sorted({one.time_zone for one in pool.learners})}
    clocks = tuple(by_key[learner.time_zone] for learner in pool.learners)
    anchors = _anchors(clocks)
    place = {anchor.anchor_key(): k for k, anchor in enumerate(anchors)}
    home = np.array([place[clock.anchor_key()] for clock in clocks], dtype=np.int32)
    free, any_free = _slots(pool)
    prefers = _bits(free, clocks, anchors, params, tick)
    # The two differ only where somebody gave if-needed slots, which most pools do not have.
    can = prefers if (free == any_free).all() else _bits(any_free, clocks, anchors, params, tick)
    return Availability(params, anchors, home, can, prefers, clocks)


def _anchors(clocks: Sequence[Clock]) -> tuple[Clock, ...]:
    """One clock for each anchor class of the pool; UTC first, then the most common."""
    found = {UTC.anchor_key(): UTC}
    for clock, _ in Counter(clocks).most_common():
        found.setdefault(clock.anchor_key(), clock)
    return tuple(found.values())


def _slots(pool: Pool) -> tuple[Flags, Flags]:
    free = np.zeros((len(pool), SLOTS_A_WEEK), dtype=np.bool_)
    any_free = np.zeros_like(free)
    for i, learner in enumerate(pool.learners):
        free[i, list(learner.free)] = True
        any_free[i, list(learner.free | learner.if_needed)] = True
    return free, any_free


def _bits(
    free: Flags,
    clocks: Sequence[Clock],
    anchors: Sequence[Clock],
    params: Params,
    tick: Callable[[], object],
) -> Bits:
    bits = np.zeros((len(clocks), len(anchors), WORDS), dtype=np.uint64)
    rows_of: dict[Clock, list[int]] = {}
    for i, clock in enumerate(clocks):
        rows_of.setdefault(clock, []).append(i)
    for clock, rows in rows_of.items():
        for a, anchor in enumerate(anchors):
            bits[rows, a] = pack(block_starts(free[rows], clock, anchor, params))
            tick()
    return bits


def pack(flags: Flags) -> Bits:
    """(…, 336) flags as (…, 6) words, the lowest bit first."""
    padded = np.zeros((*flags.shape[:-1], WORDS * 64), dtype=np.bool_)
    padded[..., :SLOTS_A_WEEK] = flags
    return np.packbits(padded, axis=-1, bitorder="little").view("<u8").astype(np.uint64, copy=False)


def unpack(bits: Bits) -> Flags:
    """The inverse of `pack`."""
    as_bytes = np.ascontiguousarray(bits).astype("<u8", copy=False).view(np.uint8)
    return np.unpackbits(as_bytes, axis=-1, bitorder="little")[..., :SLOTS_A_WEEK].astype(np.bool_)


def block_starts(free: Flags, clock: Clock, anchor: Clock, params: Params) -> Flags:
    """Which slots of the anchor's week can start a meeting for learners who all live by one clock.

    `free` is (n, 336) in the learners' own local week; so is the result, in the anchor's.
    """
    needed, exists = needed_slots(clock, anchor, params)
    starts = np.broadcast_to(exists, free.shape).copy()
    for slots in needed:
        starts &= free[:, slots]
    run = free.copy()
    for k in range(1, params.block_slots):
        run &= np.roll(free, -k, axis=1)
    for first, last in _own_weeks(clock, anchor, params):
        starts &= (run[:, first] & (first >= 0)) | (run[:, last] & (last >= 0))
    return starts


def needed_slots(clock: Clock, anchor: Clock, params: Params) -> tuple[Minutes, Flags]:
    """The local slots that a block covers, in every week of the anchor's calendar.

    Returns (m, 336) local slots, each row to be free for the start in its column, and (336,) whether the
    anchor's clock shows the start in every week (it skips some when clocks go forward).
    """
    weeks = np.arange(-1, params.weeks + 1)[:, None] * WEEK
    shown = weeks + np.arange(SLOTS_A_WEEK) * SLOT_MINUTES
    # What is Sunday in one zone is Monday of the next week in another: a day's margin at either end makes the
    # verdict the same whichever zone of a class its starts are told in.
    shown[0] += np.where(shown[0] < -MARGIN, WEEK, 0)
    shown[-1] -= np.where(shown[-1] >= params.weeks * WEEK + MARGIN, WEEK, 0)
    utc = anchor.to_utc(shown)
    exists = (utc + anchor.offset_at(utc) == shown).all(axis=0)
    samples = utc[:, None, :] + (np.arange(params.block_slots * 2) * SAMPLE)[None, :, None]
    slots = (samples + clock.offset_at(samples)) // SLOT_MINUTES % SLOTS_A_WEEK
    # Weeks are mostly alike; np.unique would sort them, which takes a hundred times as long.
    different = {row.tobytes(): row for row in slots.reshape(-1, SLOTS_A_WEEK)}
    return np.array(list(different.values())), exists


def _own_weeks(clock: Clock, anchor: Clock, params: Params) -> list[tuple[Minutes, Minutes]]:
    """For each week of the learner's own calendar, which local start falls on each slot of the anchor's.

    Two can fall on one slot when clocks go forward; none does where the anchor's clock jumps: -1.
    """
    found = {}
    for week in range(params.weeks):
        local = week * WEEK + np.arange(SLOTS_A_WEEK) * SLOT_MINUTES
        utc = clock.to_utc(local)
        slot = (utc + anchor.offset_at(utc)) % WEEK // SLOT_MINUTES
        first = np.full(SLOTS_A_WEEK, -1)
        last = first.copy()
        first[slot[::-1]] = np.arange(SLOTS_A_WEEK)[::-1]
        last[slot] = np.arange(SLOTS_A_WEEK)
        found[first.tobytes(), last.tobytes()] = (first, last)
    return list(found.values())

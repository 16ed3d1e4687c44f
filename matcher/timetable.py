"""Which block each cohort keeps when only so many cohorts may meet at one time.

A facilitator who attends every meeting cannot be in two. Each cohort keeps one of its common blocks, and at
no moment of the course do more than `max_simultaneous` meet. When not all cohorts can be kept, those of
greatest total worth are, which OR-Tools decides, and the people of the others are seated anew where there
is time left: on free seats of the cohorts kept, and in new cohorts at free times.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from ortools.sat.python import cp_model

from matcher.availability import SAMPLE, WEEK, Clock, pack, read_clock
from matcher.matching import Meeting
from matcher.meetings import Meetings
from matcher.params import Params
from matcher.partition import run_solver
from matcher.pool import SLOT_MINUTES, SLOTS_A_WEEK
from matcher.problem import Problem
from matcher.progress import Watch
from matcher.said import Said, say, say_number
from matcher.solve import Cohort, solve, worth_of
from matcher.units import seatable

# Moments of the weeks before and after the course, into which other zones' weeks reach.
EDGE = 2 * WEEK // SAMPLE
# CP-SAT's deterministic time, and how often the rest are seated anew.
EFFORT = 5.0
ROUNDS = 5
# Beyond so many blocks of one cohort, a worse one counts as no worse.
MOST_RANKS = 50


class Timetable:
    """How many cohorts meet at each moment, in quarters of an hour: all zones' clocks tell whole ones."""

    def __init__(self, params: Params) -> None:
        assert params.max_simultaneous is not None
        self.params = params
        self.most = params.max_simultaneous
        self.busy = np.zeros(params.weeks * WEEK // SAMPLE + 2 * EDGE, dtype=np.int64)
        self._clock = lru_cache(maxsize=None)(
            lambda zone: read_clock(zone, params.first_monday, params.weeks)
        )

    def moments(self, meeting: Meeting) -> NDArray[np.int64]:
        """(weeks, quarters of an hour) the moments that a meeting takes."""
        weeks = np.arange(self.params.weeks)
        return self._moments(self._clock(meeting.zone), weeks, np.array([meeting.slot]))[:, 0]

    def moments_around(self, anchor: Clock, start: int) -> NDArray[np.int64]:
        """The moments of a meeting told in an anchor's week. A week before and after the course count as
        well: told in another zone a start may fall into them.
        """
        weeks = np.arange(-1, self.params.weeks + 1)
        return self._moments(anchor, weeks, np.array([start]))[:, 0]

    def keep(self, meeting: Meeting) -> None:
        """Set the time of a meeting aside."""
        self.busy[self.moments(meeting)] += 1

    def room_needed(self, meeting: Meeting) -> int:
        """How many cohorts would meet at the worst moment of one more such meeting."""
        return int(self.busy[self.moments(meeting)].max()) + 1

    def room(self, anchor: Clock) -> NDArray[np.bool_]:
        """(336,) the starts of the anchor's week at which one more cohort can meet.

        A week before and after the course count as well: told in another zone a start may fall into
        them.
        """
        weeks = np.arange(-1, self.params.weeks + 1)
        moments = self._moments(anchor, weeks, np.arange(SLOTS_A_WEEK))
        return np.asarray(np.all(self.busy[moments] < self.most, axis=(0, 2)), dtype=np.bool_)

    def _moments(self, clock: Clock, weeks: NDArray[np.int64], slots: NDArray[np.int64]) -> NDArray[np.int64]:
        starts = clock.to_utc(weeks[:, None] * WEEK + slots * SLOT_MINUTES)
        length = np.arange(self.params.block_slots * SLOT_MINUTES // SAMPLE)
        return starts[..., None] // SAMPLE + length + EDGE

    def choose(
        self, offers: Mapping[Cohort, Sequence[Meeting]], worths: Mapping[Cohort, float], watch: Watch
    ) -> dict[Cohort, Meeting]:
        """Keep the cohorts of greatest total worth at a block with room, and among such choices the
        better-ranked blocks.
        """
        options = [(c, rank, m) for c in offers for rank, m in enumerate(offers[c])]
        if not options:
            return {}
        begin = self._greedy(offers, worths)
        model = cp_model.CpModel()
        kept = [model.new_bool_var("") for _ in options]
        of_cohort: dict[Cohort, list[cp_model.IntVar]] = {}
        for (cohort, rank, _), variable in zip(options, kept, strict=True):
            of_cohort.setdefault(cohort, []).append(variable)
            model.add_hint(variable, begin.get(cohort) == offers[cohort][rank])
        for variables in of_cohort.values():
            model.add_at_most_one(variables)
        for at, room in self._crowded([m for _, _, m in options]):
            model.add(sum(kept[k] for k in at) <= room)
        # No worse block is worth a cohort: all ranks together weigh less than the least of a worth.
        least = MOST_RANKS * len(offers) + 1
        gains = [round(worths[c] * 1000) * least - min(rank, MOST_RANKS) for c, rank, _ in options]
        model.maximize(cp_model.LinearExpr.weighted_sum(kept, gains))
        solver = cp_model.CpSolver()
        solver.parameters.num_workers = 1
        solver.parameters.random_seed = self.params.random_state % 2**31
        solver.parameters.max_deterministic_time = EFFORT
        if run_solver(solver, model, watch) not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
            return begin
        return {c: m for (c, _, m), one in zip(options, kept, strict=True) if solver.boolean_value(one)}

    def _greedy(
        self, offers: Mapping[Cohort, Sequence[Meeting]], worths: Mapping[Cohort, float]
    ) -> dict[Cohort, Meeting]:
        """The most worthy first, each at its best block that has room."""
        before, chosen = self.busy.copy(), {}
        for cohort in sorted(offers, key=lambda c: (-worths[c], c)):
            found = next((m for m in offers[cohort] if self.room_needed(m) <= self.most), None)
            if found is not None:
                chosen[cohort] = found
                self.keep(found)
        self.busy = before
        return chosen

    def _crowded(self, meetings: Sequence[Meeting]) -> list[tuple[list[int], int]]:
        """The sets of meetings that share a moment but may not all be held, and how many of them may.

        It is enough to look at the moments at which one of them begins.
        """
        moments = {m: self.moments(m) for m in dict.fromkeys(meetings)}
        begins = np.unique(np.concatenate([each[:, 0] for each in moments.values()]))
        place = np.full(len(self.busy), -1)
        place[begins] = np.arange(len(begins))
        held: list[list[int]] = [[] for _ in begins]
        for k, meeting in enumerate(meetings):
            for at in place[moments[meeting]].ravel().tolist():
                if at >= 0:
                    held[at].append(k)
        rooms = (self.most - self.busy[begins]).tolist()
        sets: dict[tuple[int, ...], int] = {}
        for ones, room in zip(held, rooms, strict=True):
            sets[tuple(ones)] = min(room, sets.get(tuple(ones), room))
        return [(list(ones), room) for ones, room in sets.items() if len(ones) > room]


@dataclass
class Kept:
    """The cohorts that keep a block, and what would have to give for those who lost theirs."""

    promised: dict[Cohort, Meeting] = field(default_factory=dict)
    crowded_out: dict[int, Said] = field(default_factory=dict)


class Facilitated:
    """Seats a pool within the limit, starting from cohorts that do not know of it."""

    def __init__(
        self, p: Problem, params: Params, meetings: Meetings, watch: Watch, taken: Sequence[Meeting] = ()
    ) -> None:
        self.p, self.params, self.meetings, self.watch = p, params, meetings, watch
        self.hours = meetings.hours
        self.table = Timetable(params)
        for meeting in taken:
            self.table.keep(meeting)
        self.promised: dict[Cohort, Meeting] = {}

    def seat(self, cohorts: Sequence[Cohort], active: NDArray[np.int32]) -> Kept:
        """Keep what can be kept of `cohorts`, and seat the rest of the `active` learners anew."""
        first = sorted(cohorts)
        waiting = first
        for _ in range(ROUNDS):
            self._keep(waiting)
            left = self._fill(self._left(active))
            if not len(left) or self.watch.is_over():
                break
            waiting = self._anew(left)
            if not waiting:
                break
        lost = set(self._left(active).tolist())
        out = {i: self._remedy(c, lost) for c in first for i in c if i in lost}
        return Kept(dict(sorted(self.promised.items())), out)

    def _keep(self, cohorts: Sequence[Cohort]) -> None:
        offers = {c: [m for m in self.meetings.of(c) if self._has_room(m)] for c in cohorts}
        worths = {c: worth_of(self.p, c) for c in cohorts}
        for cohort, meeting in self.table.choose(offers, worths, self.watch).items():
            self.promised[cohort] = meeting
            self.table.keep(meeting)

    def _has_room(self, meeting: Meeting) -> bool:
        return self.table.room_needed(meeting) <= self.table.most

    def _left(self, active: NDArray[np.int32]) -> NDArray[np.int32]:
        seated = np.array([i for c in self.promised for i in c], dtype=np.int32)
        return np.setdiff1d(active, seated)

    def _anew(self, left: NDArray[np.int32]) -> list[Cohort]:
        """New cohorts of those left over, at times with room."""
        room = pack(np.array([self.table.room(anchor) for anchor in self.hours.anchors]))
        free = self.p._replace(can=self.p.can & room, prefers=self.p.prefers & room)
        active = seatable(free, left)
        if len(active) < self.params.size_min:
            return []
        return sorted(solve(free, self.params, active, self.watch.beside()).cohorts)

    def _fill(self, left: NDArray[np.int32]) -> NDArray[np.int32]:
        """Give those left over seats in the cohorts kept, at the time kept; return who is still left."""
        still: list[int] = []
        for u in np.unique(self.p.unit[left]).tolist():
            unit = tuple(self.p.unit_members[self.p.unit_start[u] : self.p.unit_start[u + 1]].tolist())
            gains = {c: self._gain(c, unit) for c in self.promised if len(c) + len(unit) <= self.p.sizes[1]}
            best = max(gains, key=lambda c: (gains[c], c), default=())
            if not best or gains[best] <= 0:
                still += unit
                continue
            self.promised[tuple(sorted(best + unit))] = self.promised.pop(best)
        return np.array(sorted(still), dtype=np.int32)

    def _gain(self, cohort: Cohort, unit: Cohort) -> float:
        anchor, slot = self.meetings.place(self.promised[cohort])
        word, bit = slot // 64, np.uint64(1) << np.uint64(slot % 64)
        if not (self.hours.can[list(unit), anchor, word] & bit).all():
            return -1.0
        return worth_of(self.p, tuple(sorted(cohort + unit))) - worth_of(self.p, cohort)

    def _remedy(self, cohort: Cohort, lost: set[int]) -> Said:
        if not lost.issuperset(cohort):
            return say("Allow more cohorts at one time, or add hours at other times.")
        return say_number(
            "With %(num)s cohort at one time there would be room for a cohort with you.",
            "With %(num)s cohorts at one time there would be room for a cohort with you.",
            min(self.table.room_needed(meeting) for meeting in self.meetings.of(cohort)),
        )

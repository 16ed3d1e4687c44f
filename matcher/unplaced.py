"""Why somebody has no cohort, and what would have to give.

Reasons count people and never name them; that somebody is avoided by another, or avoids them, is never said.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from matcher.availability import Availability, Clock, needed_slots, unpack
from matcher.checks import CROWDED
from matcher.matching import Meeting, Unplaced
from matcher.meetings import Meetings
from matcher.openings import ALONE, APART, LANGUAGE, MEETING, PAST, SIZE, Openings
from matcher.params import Params
from matcher.pool import SLOTS_A_WEEK, Pool, kept_apart
from matcher.problem import Problem
from matcher.said import Hours, Said, say, say_number


class Seated(Protocol):
    """A cohort, as far as somebody without one is concerned."""

    @property
    def members(self) -> tuple[int, ...]:
        """Indices into the pool."""
        ...

    @property
    def meetings(self) -> tuple[Meeting, ...]:
        """Its common blocks, the one it keeps first."""
        ...

    @property
    def asynchronous(self) -> bool:
        """Whether it does without a meeting."""
        ...


class UnplacedReasons:
    """Says why a learner has no cohort, and which change would give them one."""

    def __init__(
        self, pool: Pool, params: Params, hours: Availability, p: Problem, cohorts: Sequence[Seated]
    ) -> None:
        self.pool = pool
        self.params = params
        self.hours = hours
        self.p = p
        meeting = [cohort for cohort in cohorts if not cohort.asynchronous]
        if params.max_simultaneous is not None:
            p = _at_kept_times(p, Meetings(pool, hours), meeting)
        self.openings = Openings(p, [cohort.members for cohort in meeting])
        # Cohorts as rows, the starts of UTC's week that their members share as columns.
        self.starts = unpack(self.openings.common[:, 0]).astype(np.float32)
        self.avoided = kept_apart(pool) if params.max_past_mates == 0 else []
        self._shared, self._rule = say("a language"), say("a shared language")
        if params.same:
            self._shared = say("a language and the answers that must be the same")
            self._rule = say("a shared language and the same answers")
        self._covers: dict[Clock, tuple[NDArray[np.float32], NDArray[np.bool_]]] = {}
        self._speakers: dict[bytes, _Speakers] = {}

    def of(self, i: int, contradiction: Said | None, crowded: Said | None = None) -> Unplaced:
        """The reason that comes first: no hours, a contradiction, hours too short, no room at one time
        (`crowded` says what would help), then other people.
        """
        learner = self.pool.learners[i]
        if not learner.free and not learner.if_needed:
            return Unplaced(i, say("No hours given."), (say("Give the hours in which you are free."),))
        if contradiction:
            change = say("Change your hours, or the people you asked to be with.")
            return Unplaced(i, contradiction, (change,))
        unit = self.p.unit_members[self.p.unit_start[self.p.unit[i]] : self.p.unit_start[self.p.unit[i] + 1]]
        barriers = self.openings.barriers(unit.tolist())
        size = self._size_needed(len(unit), barriers)
        remedies = tuple(self._remedies(unit.tolist(), barriers, size))
        if not self.hours.can[i].any():
            short = say(
                "None of your hours hold a %(minutes)s-minute meeting in every week.",
                minutes=self.params.meeting_minutes,
            )
            return Unplaced(i, short, remedies, size)
        language = self._language_keeps_out(i, barriers)
        if crowded:
            return Unplaced(i, CROWDED, (crowded, *remedies), size, language)
        return Unplaced(i, self._too_few(i) or self._lacking(i, barriers), remedies, size, language)

    def _language_keeps_out(self, i: int, barriers: NDArray[np.int64]) -> bool:
        """Whether languages alone keep a learner out of a cohort, or too few speak theirs for one.

        Where answers must be the same as well, nobody can tell which of both it is.
        """
        if self.params.same:
            return False
        speakers, out = self._could_speak(i)
        return bool((barriers == LANGUAGE).any()) or speakers.n - len(out) < self.params.size_min - 1

    def _too_few(self, i: int) -> Said | None:
        """What makes those who could sit with a learner too few, if anything does."""
        needed, apart = self.params.size_min - 1, self._apart(i)
        if len(self.pool) - 1 - len(apart) < needed:
            return say_number(
                "There are not %(num)s other learner to be with.",
                "There are not %(num)s other learners to be with.",
                needed,
            )
        speakers, out = self._could_speak(i)
        if speakers.n - len(out) < needed:
            return say_number(
                "Fewer than %(num)s other shares %(what)s with you.",
                "Fewer than %(num)s others share %(what)s with you.",
                needed,
                what=self._shared,
            )
        if speakers.at_once(i, out) < needed:
            return say_number(
                "No %(minutes)s-minute block is free for at least %(num)s other who shares %(what)s "
                "with you.",
                "No %(minutes)s-minute block is free for at least %(num)s others who share %(what)s "
                "with you.",
                needed,
                minutes=self.params.meeting_minutes,
                what=self._shared,
            )
        return None

    def _lacking(self, i: int, barriers: NDArray[np.int64]) -> Said:
        p, (speakers, out) = self.p, self._could_speak(i)
        willing = speakers.willing - int(p.convenor[out].sum()) + int(p.convenor[i])
        if self.params.convenor_required and not willing:
            return say("Nobody who could meet you is willing to convene a cohort.")
        if p.minds[i].any() and self._answers_alone(i, speakers.mask, out):
            return say(
                "Nobody who could meet you gave the answer with which you do not want to be the only one."
            )
        if (barriers == 0).any():
            return say("No seat was found that would not cost others more than it gives you.")
        return say(
            "The cohorts that meet when you can are full, and the others who can are too few for one more."
        )

    def _could_speak(self, i: int) -> tuple[_Speakers, list[int]]:
        """Those who share a language with a learner, and whom of them to leave out."""
        speakers = self._who_speak(i)
        return speakers, [j for j in [i, *self._apart(i)] if speakers.mask[j]]

    def _answers_alone(self, i: int, mask: NDArray[np.bool_], out: list[int]) -> bool:
        others = mask.copy()
        others[out] = False
        alike = (self.p.said[others] & self.p.said[i]).any(axis=2).any(axis=0)
        return bool((alike < self.p.minds[i]).any())

    def _who_speak(self, i: int) -> _Speakers:
        key = self.p.languages[i].tobytes()
        if key not in self._speakers:
            self._speakers[key] = _Speakers(self.p, self.p.languages[i])
        return self._speakers[key]

    def _apart(self, i: int) -> list[int]:
        ones: list[int] = self.p.apart[self.p.apart_start[i] : self.p.apart_start[i + 1]].tolist()
        return ones

    def _size_needed(self, n: int, barriers: NDArray[np.int64]) -> int | None:
        """The least largest size with which a cohort that size alone keeps closed could take `n` more."""
        closed = self.openings.sizes[barriers == SIZE]
        return int(closed.min()) + n if len(closed) else None

    def _remedies(self, unit: list[int], barriers: NDArray[np.int64], size: int | None) -> list[Said]:
        """Each single change that would give the unit a seat: in own answers first, then in the rules."""
        found = self._hours(unit[0], barriers == MEETING) if len(unit) == 1 else []
        larger = self.openings.sizes[barriers == SIZE] + len(unit)
        rules = [
            say_number(
                "Placed by hand, you would have a seat in %(num)s cohort.",
                "Placed by hand, you would have a seat in %(num)s cohorts.",
                int((barriers == 0).sum()),
            ),
            say_number(
                "If you might be the only one with your answer, you would have a seat in %(num)s cohort.",
                "If you might be the only one with your answer, you would have a seat in %(num)s cohorts.",
                int((barriers == ALONE).sum()),
            ),
            say_number(
                "With %(size)s as the largest size you would have a seat in %(num)s cohort.",
                "With %(size)s as the largest size you would have a seat in %(num)s cohorts.",
                int((larger == size).sum()),
                size=size or 0,
            ),
            say_number(
                "If people might meet again, you would have a seat in %(num)s cohort.",
                "If people might meet again, you would have a seat in %(num)s cohorts.",
                self._again(unit, barriers),
            ),
            say_number(
                "Without the rule of %(rule)s you would have a seat in %(num)s cohort.",
                "Without the rule of %(rule)s you would have a seat in %(num)s cohorts.",
                int((barriers == LANGUAGE).sum()),
                rule=self._rule,
            ),
        ]
        return found + [said for said in rules if said.n]

    def _again(self, unit: list[int], barriers: NDArray[np.int64]) -> int:
        """How many cohorts only past cohort-mates keep the unit out of.

        Where nobody may be met again at all, past mates are among those kept apart; other people kept apart
        stay so.
        """
        found = int((barriers == PAST).sum())
        if self.avoided:
            avoided = set().union(*(self.avoided[i] for i in unit))
            found += sum(
                avoided.isdisjoint(self.openings.cohorts[c])
                for c in np.flatnonzero(barriers == APART).tolist()
            )
        return found

    def _hours(self, i: int, fitting: NDArray[np.bool_]) -> list[Said]:
        """The block whose adding would open the most cohorts that have a seat left, in the learner's
        own time.
        """
        covers, exists = self._cover(self.hours.clocks[i])
        opened = np.where(exists, fitting.astype(np.float32) @ self.starts, 0).astype(np.int64)
        if not opened.any():
            return []
        lacks = np.ones(SLOTS_A_WEEK, dtype=np.float32)
        lacks[list(self.pool.learners[i].free | self.pool.learners[i].if_needed)] = 0
        missing = (covers @ lacks).astype(np.int64)
        # The fewest new half hours first, then the most cohorts, then the earliest.
        order = np.where(opened > 0, missing * (len(fitting) + 1) - opened, np.iinfo(np.int64).max)
        best = int(order.argmin())
        slots = set(np.flatnonzero(covers[best]).tolist())
        start = next((s for s in sorted(slots) if (s - 1) % SLOTS_A_WEEK not in slots), 0)
        return [
            say_number(
                "Adding %(hours)s in your own time would fit %(num)s cohort that has a seat.",
                "Adding %(hours)s in your own time would fit %(num)s cohorts that have a seat.",
                int(opened[best]),
                hours=Hours(start, len(slots)),
            )
        ]

    def _cover(self, own: Clock) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """(336, 336) 1 where a meeting at a start of UTC's week (row) takes a slot of the own week; and
        which starts there are in every week.
        """
        if own not in self._covers:
            needed, exists = needed_slots(own, self.hours.anchors[0], self.params)
            covers = np.zeros((SLOTS_A_WEEK, SLOTS_A_WEEK), dtype=np.float32)
            covers[np.arange(SLOTS_A_WEEK), needed] = 1
            self._covers[own] = covers, exists
        return self._covers[own]


class _Speakers:
    """Those who share one of some languages, counted once for all who ask."""

    def __init__(self, p: Problem, languages: NDArray[np.uint64]) -> None:
        self.p = p
        self.mask: NDArray[np.bool_] = np.any(p.languages & languages, axis=1)
        self.n = int(self.mask.sum())
        self.willing = int(p.convenor[self.mask].sum())
        self._counts: dict[int, NDArray[np.int64]] = {}

    def at_once(self, i: int, out: list[int]) -> int:
        """The most of them, without those `out`, who are free at one start at which learner i is."""
        most = 0
        for anchor in {0, int(self.p.home[i])}:
            if anchor not in self._counts:
                self._counts[anchor] = unpack(self.p.can[self.mask, anchor]).sum(axis=0, dtype=np.int64)
            others = self._counts[anchor] - unpack(self.p.can[out, anchor]).sum(axis=0)
            most = max(most, int(others[unpack(self.p.can[i, anchor])].max(initial=0)))
        return most


def _at_kept_times(p: Problem, meetings: Meetings, cohorts: Sequence[Seated]) -> Problem:
    """The same problem in which the members of each cohort are free for the block that it keeps, if any."""
    can = p.can.copy()
    for cohort in cohorts:
        if not cohort.meetings:
            continue
        rows = list(cohort.members)
        anchor, slot = meetings.place(cohort.meetings[0])
        can[rows] = 0
        can[rows, anchor, slot // 64] = np.uint64(1) << np.uint64(slot % 64)
    return p._replace(can=can)

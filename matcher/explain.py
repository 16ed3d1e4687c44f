"""Why these people sit together, why somebody has no cohort, and what would have to give.

Nothing here repeats another person's answer to a learner: reasons count people, they do not name them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from matcher.availability import WORDS, Availability, needed_slots, unpack
from matcher.matching import CohortResult, Meeting, Unplaced
from matcher.params import Params, clock
from matcher.pool import SLOTS_A_WEEK, Pool, fold
from matcher.problem import Problem


def count(n: int, one: str, many: str) -> str:
    """`1 block`, `3 blocks`."""
    return f"{n} {one if n == 1 else many}"


class CohortReasons:
    """Says why the members of a cohort belong together.

    `tags` holds, for each question of the kind tags, every learner's tags in one spelling.
    """

    def __init__(self, pool: Pool, params: Params, tags: dict[str, list[frozenset[str]]]) -> None:
        self.pool = pool
        self.params = params
        self.tags = tags

    def of(
        self, members: Sequence[int], meetings: Sequence[Meeting], kept: Sequence[Meeting]
    ) -> tuple[str, ...]:
        """Short plain sentences, the most telling first; of the common blocks `meetings` some are `kept`."""
        said = [*self._shared(members), *self._help(members), *self._convenors(members)]
        return (*said, self._meeting(meetings, kept))

    def _meeting(self, meetings: Sequence[Meeting], kept: Sequence[Meeting]) -> str:
        if not meetings:
            return "Without a meeting: there was no time for one that suits all members."
        blocks = count(len(meetings), "common block", "common blocks")
        told = f"{blocks} of {self.params.meeting_minutes} minutes in every week"
        return f"{told}." if len(kept) == len(meetings) else f"{told}, of which this cohort keeps one."

    def _shared(self, members: Sequence[int]) -> list[str]:
        said = []
        for question in self.params.questions:
            if question.kind != "tags" or question.goal != "similar" or question.key not in self.tags:
                continue
            sets = self.tags[question.key]
            held = Counter(tag for i in members for tag in sets[i])
            top = sorted(
                (tag for tag, times in held.items() if times > 1), key=lambda tag: (-held[tag], tag)
            )[:3]
            if top:
                named = ", ".join(
                    f"{self._as_written(question.key, tag, members)} ({held[tag]})" for tag in top
                )
                said.append(f"Shared {question.key.replace('_', ' ')}: {named} of {len(members)}.")
        return said

    def _as_written(self, key: str, tag: str, members: Sequence[int]) -> str:
        """A folded tag the way a member wrote it, when one wrote just that."""
        for i in members:
            answer = self.pool.learners[i].answers.get(key)
            for written in (
                [answer]
                if isinstance(answer, str)
                else sorted(answer)
                if isinstance(answer, frozenset)
                else []
            ):
                if written.strip().casefold() == tag:
                    return written.strip()
        return tag

    def _help(self, members: Sequence[int]) -> list[str]:
        learners = self.pool.learners
        helped = sum(
            any(fold(learners[i].wants) & fold(learners[j].offers) for j in members if j != i)
            for i in members
        )
        if not helped:
            return []
        return [f"{count(helped, 'member finds', 'members find')} help here with what they asked for."]

    def _convenors(self, members: Sequence[int]) -> list[str]:
        willing = sum(self.pool.learners[i].convenor for i in members)
        return [f"{count(willing, 'member is', 'members are')} willing to convene."] if willing else []


class UnplacedReasons:
    """Says why a learner has no cohort, and which half hours would change that."""

    def __init__(
        self, pool: Pool, params: Params, hours: Availability, p: Problem, cohorts: Sequence[CohortResult]
    ) -> None:
        self.pool = pool
        self.params = params
        self.hours = hours
        self.p = p
        self.open = [
            list(c.members) for c in cohorts if len(c.members) < params.size_max and not c.asynchronous
        ]
        common = [np.bitwise_and.reduce(hours.can[members, 0]) for members in self.open]
        self.open_starts = unpack(np.array(common, dtype=np.uint64).reshape(-1, WORDS))
        spoken = [np.bitwise_and.reduce(p.languages[members]) for members in self.open]
        self.open_languages = np.array(spoken, dtype=np.uint64).reshape(-1, p.languages.shape[1])

    def of(self, i: int, contradiction: str | None, crowded: str | None = None) -> Unplaced:
        """The reason that comes first: no hours, a contradiction, hours too short, no room at one time
        (`crowded` says what would help), then other people.
        """
        learner, minutes = self.pool.learners[i], self.params.meeting_minutes
        if not learner.free and not learner.if_needed:
            return Unplaced(i, "No hours given.", "Give the hours in which you are free.")
        if contradiction:
            return Unplaced(i, contradiction, "Change your hours, or the people you asked to be with.")
        if not self.hours.can[i].any():
            return Unplaced(
                i, f"None of your hours hold a {minutes}-minute meeting in every week.", self._remedy(i)
            )
        if crowded:
            return Unplaced(i, "More cohorts would meet at one time than a facilitator can attend.", crowded)
        return Unplaced(i, self._lacking(i), self._remedy(i))

    def _lacking(self, i: int) -> str:
        needed, minutes = self.params.size_min - 1, self.params.meeting_minutes
        others = np.ones(len(self.pool), dtype=np.bool_)
        others[[i, *self._apart(i)]] = False
        if others.sum() < needed:
            return f"There are not {count(needed, 'other learner', 'other learners')} to be with."
        others &= (self.p.languages & self.p.languages[i]).any(axis=1)
        if others.sum() < needed:
            return f"Fewer than {needed} others share a language with you."
        at_once = max(
            int((unpack(self.hours.can[others, a]) & unpack(self.hours.can[i, a])).sum(axis=0).max(initial=0))
            for a in {0, int(self.hours.home[i])}
        )
        if at_once < needed:
            block = f"{minutes}-minute block is free for at least {count(needed, 'other', 'others')}"
            return f"No {block} who share a language with you."
        willing = self.p.convenor[others].any() or self.p.convenor[i]
        if self.params.convenor_required and not willing:
            return "Nobody who could meet you is willing to convene a cohort."
        alike = (self.p.said[others] & self.p.said[i]).any(axis=2).any(axis=0)
        if (alike < self.p.minds[i]).any():
            return "Nobody who could meet you gave the answer with which you do not want to be the only one."
        return "The cohorts that meet when you can are full, and the others who can are too few for one more."

    def _apart(self, i: int) -> list[int]:
        ones: list[int] = self.p.apart[self.p.apart_start[i] : self.p.apart_start[i + 1]].tolist()
        return ones

    def _remedy(self, i: int) -> str | None:
        """The block whose adding would open the most cohorts that have a seat left, in the learner's
        own time.
        """
        # Where each cohort keeps one block alone, the others that it could have had are no way in.
        if (self.p.unit == self.p.unit[i]).sum() > 1 or self.params.max_simultaneous is not None:
            return None
        fitting = (self.open_languages & self.p.languages[i]).any(axis=1)
        apart = set(self._apart(i))
        fitting &= np.array([not apart & set(members) for members in self.open], dtype=np.bool_)
        needed, exists = needed_slots(self.hours.clocks[i], self.hours.anchors[0], self.params)
        opened = np.where(exists, self.open_starts[fitting].sum(axis=0), 0)
        if not opened.any():
            return None
        have = self.pool.learners[i].free | self.pool.learners[i].if_needed
        missing = [len(set(column) - have) for column in needed.T.tolist()]
        # The fewest new half hours first, then the most cohorts, then the earliest.
        best = min(np.flatnonzero(opened).tolist(), key=lambda t: (missing[t], -opened[t], t))
        slots = set(needed[:, best].tolist())
        start = next((s for s in sorted(slots) if (s - 1) % SLOTS_A_WEEK not in slots), 0)
        times = f"{clock(start)}-{clock(start + len(slots)).split()[1]}"
        with_seat = count(int(opened[best]), "cohort that has a seat", "cohorts that have a seat")
        return f"Adding {times} in your own time would fit {with_seat}."

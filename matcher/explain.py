"""Why these people sit together, what was traded away for it, and what else there was for one of them.

Nothing here repeats another person's answer to a learner: reasons count people, they do not name them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import combinations

import numpy as np

from matcher.matching import Meeting
from matcher.openings import SIZE, Openings
from matcher.params import Params, Question
from matcher.pool import Exchange, Pool, fold
from matcher.problem import Problem
from matcher.said import Asked, Said, Traded, say, say_number

# How much closer than their own cohort, in affinity, another must be to be worth a word.
NOTABLE = 0.02
CHUNK = 512
# Beyond so many learners nobody looks at all pairs of a learner and a cohort.
MOST_FOR_ELSEWHERE = 10_000


def count(n: int, one: str, many: str) -> str:
    """`1 block`, `3 blocks`."""
    return f"{n} {one if n == 1 else many}"


class CohortReasons:
    """Says why the members of a cohort belong together.

    `tags` holds, for each question of the kind tags, every learner's tags in one spelling.
    """

    def __init__(
        self,
        pool: Pool,
        params: Params,
        tags: dict[str, list[frozenset[str]]],
        drawn: Mapping[int, int] | None = None,
    ) -> None:
        self.pool = pool
        self.params = params
        self.tags = tags
        self.drawn = drawn or {}

    def of(
        self, members: Sequence[int], meetings: Sequence[Meeting], kept: Sequence[Meeting]
    ) -> tuple[Said, ...]:
        """Short plain sentences, the most telling first; of the common blocks `meetings` some are `kept`."""
        said = [*self._shared(members), *self._help(members), *self._convenors(members)]
        return (*said, self._meeting(meetings, kept), *self._traded(members, kept))

    def _meeting(self, meetings: Sequence[Meeting], kept: Sequence[Meeting]) -> Said:
        if not meetings:
            return say("Without a meeting: there was no time for one that suits all members.")
        n, minutes = len(meetings), self.params.meeting_minutes
        if len(kept) == n:
            return say_number(
                "%(num)s common block of %(minutes)s minutes in every week.",
                "%(num)s common blocks of %(minutes)s minutes in every week.",
                n,
                minutes=minutes,
            )
        return say_number(
            "%(num)s common block of %(minutes)s minutes in every week, of which this cohort keeps one.",
            "%(num)s common blocks of %(minutes)s minutes in every week, of which this cohort keeps one.",
            n,
            minutes=minutes,
        )

    def of_one(self, i: int, members: Sequence[int]) -> tuple[str, ...]:
        """What the others have in common with one member, of that member's own answers alone."""
        others, said = [j for j in members if j != i], []
        for question in self._asked():
            told = [self._named(j, question.key) for j in others]
            held = {tag: sum(tag in tags for tags in told) for tag in self.tags[question.key][i]}
            for tag in sorted((t for t in held if held[t]), key=lambda t: (-held[t], t))[:3]:
                also = count(held[tag], "other", "others")
                said.append(
                    f"{also} of {len(others)} gave {self._as_written(question.key, tag, [i])} as well."
                )
        offering = sum(self._helps(j, i) for j in others)
        asking = sum(self._helps(i, j) for j in others)
        if offering:
            said.append(f"{count(offering, 'other offers', 'others offer')} help that you asked for.")
        if asking:
            said.append(f"{count(asking, 'other asked', 'others asked')} for help that you offer.")
        return tuple(said)

    def in_common(self, i: int, members: Sequence[int], most: int = 3) -> tuple[str, ...]:
        """The answers that a member shares with most others of `members`, in their own words."""
        found = []
        for question in self._asked():
            told = [self._named(j, question.key) for j in members if j != i]
            for tag in self._named(i, question.key):
                held = sum(tag in tags for tags in told)
                found.append((-held, self._as_written(question.key, tag, [i])))
        return tuple(word for held, word in sorted(found)[:most] if held)

    def _asked(self) -> list[Question]:
        """The questions whose tags bring people together."""
        asked = self.params.questions
        return [q for q in asked if q.kind == "tags" and q.goal == "similar" and q.key in self.tags]

    def _traded(self, members: Sequence[int], kept: Sequence[Meeting]) -> list[Traded]:
        """What the cohort does without, for the sake of all."""
        off = len(members) - self.params.target_size
        gave = kept[0].if_needed_count if kept else 0
        early = len(members) - kept[0].humane_count if kept else 0
        told = [
            say_number(
                "%(num)s member would have more in common elsewhere.",
                "%(num)s members would have more in common elsewhere.",
                sum(i in self.drawn for i in members),
            ),
            say_number(
                "The best block is one that %(num)s member gave as if-needed.",
                "The best block is one that %(num)s members gave as if-needed.",
                gave,
            ),
            say_number(
                "The best block reaches before 8:00 or past 22:00 for %(num)s member.",
                "The best block reaches before 8:00 or past 22:00 for %(num)s members.",
                early,
            ),
        ]
        said = [each for each in told if each.n]
        if off > 0:
            said.append(say("%(number)s above the target size.", number=off))
        if off < 0:
            said.append(say("%(number)s below the target size.", number=-off))
        return [Traded(each.template, each.values, each.plural, each.n) for each in said]

    def _shared(self, members: Sequence[int]) -> list[Said]:
        said = []
        for question in self._asked():
            held = Counter(tag for i in members for tag in self._named(i, question.key))
            top = sorted(
                (tag for tag, times in held.items() if times > 1), key=lambda tag: (-held[tag], tag)
            )[:3]
            if top:
                named = tuple(f"{self._as_written(question.key, tag, members)} ({held[tag]})" for tag in top)
                said.append(
                    say(
                        "Shared %(question)s: %(answers)s of %(members)s.",
                        question=Asked(question.key),
                        answers=named,
                        members=len(members),
                    )
                )
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

    def _help(self, members: Sequence[int]) -> list[Said]:
        told = [
            say_number(
                "%(num)s member finds help here with what they asked for.",
                "%(num)s members find help here with what they asked for.",
                sum(any(self._helps(j, i) for j in members if j != i) for i in members),
            ),
            say_number(
                "%(num)s pair can help each other.",
                "%(num)s pairs can help each other.",
                sum(self._helps(i, j) and self._helps(j, i) for i, j in combinations(members, 2)),
            ),
        ]
        return [each for each in told if each.n]

    def _helps(self, giver: int, taker: int) -> bool:
        """Whether one offers what the other wants, as such or in a question of the kind help."""
        given, taken = self._exchanges(giver), self._exchanges(taker)
        return any(fold(g.offers) & fold(t.wants) for g, t in zip(given, taken, strict=True))

    def _exchanges(self, i: int) -> list[Exchange]:
        learner = self.pool.learners[i]
        asked = [
            learner.answers.get(question.key) for question in self.params.questions if question.kind == "help"
        ]
        told = [each if isinstance(each, Exchange) else Exchange() for each in asked]
        return [Exchange(learner.offers, learner.wants), *told]

    def _named(self, i: int, key: str) -> frozenset[str]:
        """The tags of a learner that a reason may name."""
        return frozenset() if key in self.pool.learners[i].private else self.tags[key][i]

    def _convenors(self, members: Sequence[int]) -> list[Said]:
        willing = sum(self.pool.learners[i].convenor for i in members)
        said = say_number(
            "%(num)s member is willing to convene.", "%(num)s members are willing to convene.", willing
        )
        return [said] if willing else []


def drawn_elsewhere(p: Problem, cohorts: Sequence[Sequence[int]]) -> dict[int, int]:
    """Each member who would have more in common with another cohort that could take them but for its size,
    and that cohort.

    Who asked to be with somebody is left out: their company is their own choice.
    """
    openings, found = Openings(p, cohorts), {}
    order = np.array([i for members in cohorts for i in members], dtype=np.int32)
    home = np.repeat(np.arange(len(cohorts)), openings.sizes)
    begins = np.cumsum(openings.sizes) - openings.sizes
    alone = np.diff(p.unit_start)[p.unit] == 1
    for start in range(0, len(order), CHUNK):
        rows = order[start : start + CHUNK]
        among = p.affinity[np.ix_(rows, order)]
        among[np.arange(len(rows)), np.arange(start, start + len(rows))] = 0
        sums = np.add.reduceat(among, begins, axis=1)
        own = home[start : start + len(rows)]
        mean = sums / openings.sizes
        here = sums[np.arange(len(rows)), own] / np.maximum(1, openings.sizes[own] - 1)
        mean[np.arange(len(rows)), own] = -1
        for i, means, least in zip(rows.tolist(), mean, here + NOTABLE, strict=True):
            which = np.flatnonzero(means > least) if alone[i] else np.array([], dtype=np.intp)
            open_to = which[(openings.barriers([i], which) & ~SIZE) == 0]
            if len(open_to):
                found[i] = int(open_to[means[open_to].argmax()])
    return found

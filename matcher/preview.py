"""What a cohort made by hand is worth, and what a move or a swap would change, without a new match."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from matcher.availability import availability
from matcher.checks import own_scores, plain_score
from matcher.exceptions import MatcherError
from matcher.matching import CohortCheck, LearnerReason, Meeting, Share
from matcher.meetings import Meetings, count_blocks
from matcher.params import Params
from matcher.pool import Pool
from matcher.problem import Problem, build_problem
from matcher.rules import CommonBlock, Size, rules_of

if TYPE_CHECKING:
    from matcher.affinity import Affinity
    from matcher.explain import CohortReasons
    from matcher.said import Said

Checks = tuple[CohortCheck, ...]
# Of how many cohorts, the closest first, the one worth most to a learner is sought.
LOOKED_AT = 20


class Preview:
    """A pool made ready once, so that each cohort is scored in a moment.

    Affinity is that of the whole pool, so that the figures are those of a match; `affinity` takes the place
    of the one that answers give, as in `match`.

    Raises:
        InvalidPool: an answer is not of its question's kind, or the affinity does not fit the pool.
    """

    def __init__(self, pool: Pool, params: Params, affinity: Affinity | ArrayLike | None = None) -> None:
        # Deferred: scikit-learn takes a second to import.
        from matcher.affinity import AffinityModel, as_affinity

        if affinity is None:
            affinity = AffinityModel(params).fit(pool).transform(pool)
        self.pool = pool
        self.params = params
        self.affinity = as_affinity(affinity, pool)
        self.hours = availability(pool, params)
        self.meetings = Meetings(pool, self.hours)
        self.rules = rules_of(pool, params)

    def score(self, members: Sequence[int], asynchronous: bool = False) -> CohortCheck:
        """What a cohort is worth, when it could meet and which rules it breaks, in words."""
        members = tuple(members)
        if not members:
            return CohortCheck((), 0.0, (), *self._broken((), ()))
        meetings = () if asynchronous else self.meetings.of(members)
        blocks = 0.0 if asynchronous else count_blocks(self.hours, members)
        places = np.array(members, dtype=np.intp)
        among = self.affinity.between(places, places)
        score = plain_score(self.pool, self.params, among, members, blocks)
        broken = self._broken(members, None if asynchronous else meetings)
        return CohortCheck(members, score, meetings, *broken)

    def shares(self, members: Sequence[int], asynchronous: bool = False) -> tuple[Share, ...]:
        """What each goal adds to the score of a cohort."""
        # Deferred: it imports scikit-learn.
        from matcher.shares import shares, taken_apart

        blocks = 0.0 if asynchronous else count_blocks(self.hours, members)
        (apart,) = taken_apart(self.affinity, [members])
        return shares(self.pool, self.params, apart, members, blocks)

    def told(self, check: CohortCheck) -> tuple[Said, ...]:
        """Why the members of a cohort belong together, as a match would say it."""
        return self.reasons.of(check.members, check.meetings, check.meetings)

    def what_if(
        self,
        cohorts: Sequence[Sequence[int]],
        learner: int,
        to_cohort: int | None,
        swap_with: int | None = None,
    ) -> tuple[Checks, Checks]:
        """The cohorts that a change touches, before it and after: the one that is left, the one that is
        joined.

        The learner moves to `to_cohort` (a place in `cohorts`, None: to no cohort), from their cohort or
        from none; `swap_with`, a member there, takes their seat.

        Raises:
            MatcherError: the learner sits there already, or the one to swap with does not.
        """
        home = next((c for c, members in enumerate(cohorts) if learner in members), None)
        there = () if to_cohort is None else cohorts[to_cohort]
        if home == to_cohort:
            raise MatcherError(f"learner {learner} sits there already")
        if swap_with is not None and swap_with not in there:
            raise MatcherError(f"learner {swap_with} does not sit in cohort {to_cohort}")
        before, after = [], []
        if home is not None:
            before.append(tuple(cohorts[home]))
            after.append(_exchanged(cohorts[home], learner, swap_with))
        if to_cohort is not None:
            before.append(tuple(there))
            after.append(_exchanged(there, swap_with, learner))
        return tuple(map(self.score, before)), tuple(map(self.score, after))

    def why(self, cohorts: Sequence[Sequence[int]], learner: int) -> LearnerReason:
        """Why a learner sits where they do, and where they would have been next: the cohort worth most to
        them of those that could take them but for its size.

        Raises:
            MatcherError: the learner sits in none of the cohorts.
        """
        home = next((c for c, members in enumerate(cohorts) if learner in members), None)
        if home is None:
            raise MatcherError(f"learner {learner} sits in none of the cohorts")
        own = self._own_score(cohorts[home], learner)
        shared = self.reasons.of_one(learner, cohorts[home])
        second = self._second(cohorts, learner, home)
        if second is None:
            return LearnerReason(own, shared)
        difference = self._own_score([*cohorts[second], learner], learner) - own
        if difference <= 0:
            why_not = "Your own cohort is worth more to you."
        elif len(cohorts[second]) >= self.params.size_max:
            why_not = "That cohort is full."
        elif len(cohorts[home]) <= self.params.size_min:
            why_not = "Your cohort would be too small without you."
        else:
            why_not = "The cohorts together are worth more as they are."
        return LearnerReason(own, shared, second, difference, why_not)

    def _second(self, cohorts: Sequence[Sequence[int]], learner: int, home: int) -> int | None:
        # Deferred: compiled kernels take a moment to load.
        from matcher.openings import SIZE, Openings

        openings = Openings(self._problem, cohorts)
        could = (openings.barriers([learner]) & ~SIZE) == 0
        could[home] = False
        liking = [
            float(self.affinity.between(np.array([learner]), np.array(cohorts[c])).mean())
            if could[c]
            else -1.0
            for c in range(len(cohorts))
        ]
        closest = sorted(np.flatnonzero(could).tolist(), key=lambda c: (-liking[c], c))[:LOOKED_AT]
        scores = {c: self._own_score([*cohorts[c], learner], learner) for c in closest}
        return max(scores, key=lambda c: (scores[c], -c), default=None)

    def _own_score(self, members: Sequence[int], learner: int) -> float:
        places = np.array(members, dtype=np.intp)
        among = self.affinity.between(places, places)
        blocks = count_blocks(self.hours, members)
        return own_scores(self.pool, self.params, among, members, blocks)[list(members).index(learner)]

    @cached_property
    def _problem(self) -> Problem:
        """The rules' arrays alone."""
        none = np.zeros((0, 0), dtype=np.float32)
        return build_problem(self.pool, self.params, self.hours, none)

    @cached_property
    def reasons(self) -> CohortReasons:
        """Says why people belong together."""
        from matcher.encoders import spelled_tags
        from matcher.explain import CohortReasons

        return CohortReasons(self.pool, self.params, spelled_tags(self.pool, self.params))

    def _broken(
        self, members: Sequence[int], meetings: Sequence[Meeting] | None
    ) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Each broken rule in words, and the names of those rules; `meetings` None asks for none, and
        nobody breaks but size.
        """
        words: list[str] = []
        names: list[str] = []
        for rule in self.rules:
            if isinstance(rule, CommonBlock):
                # The blocks are known: no need to search the week for one.
                found = [rule.words] if members and meetings == () else []
            else:
                found = list(rule.broken(members)) if members or isinstance(rule, Size) else []
            words += found
            names += [rule.name] if found else []
        return tuple(words), tuple(names)


def _exchanged(members: Sequence[int], leaves: int | None, comes: int | None) -> tuple[int, ...]:
    stay = [i for i in members if i != leaves]
    return tuple(stay if comes is None else [*stay, comes])


def score_cohorts(pool: Pool, params: Params, groups: Sequence[Sequence[int]]) -> list[CohortCheck]:
    """Score hand-made cohorts: what each is worth, when it could meet and which rules it breaks, in words.

    Raises:
        InvalidPool: an answer is not of its question's kind.
    """
    preview = Preview(pool, params)
    return [preview.score(group) for group in groups]

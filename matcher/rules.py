"""The rules: each holds in every cohort, or the cohort does not exist.

They are written from the definitions, with zoneinfo and plain sets, and know nothing of the kernels'
tables: what judges a matching must not share the faults of what made it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Protocol
from zoneinfo import ZoneInfo

from matcher.params import Params
from matcher.pool import SLOT_MINUTES, SLOTS_A_WEEK, Learner, Pool, choices, fold, mutual_pairs

WEEK = dt.timedelta(weeks=1)
SLOT = dt.timedelta(minutes=SLOT_MINUTES)
SAMPLE = SLOT / 2


class Rule(Protocol):
    """What must hold of every cohort."""

    name: str

    def broken(self, members: Sequence[int]) -> Iterable[str]:
        """In words, each way in which these members break the rule; nothing when it holds."""
        ...


class Size:
    """A cohort has from `size_min` to `size_max` members."""

    name = "size"

    def __init__(self, pool: Pool, params: Params) -> None:
        self.params = params

    def broken(self, members: Sequence[int]) -> Iterable[str]:
        """Too few or too many."""
        low, high = self.params.size_min, self.params.size_max
        if not low <= len(members) <= high:
            yield f"{len(members)} members, where {low} to {high} are allowed"


class CommonBlock:
    """In every week of the course all members are free for a meeting at one wall-clock start of a
    member's zone or UTC.
    """

    name = "meeting"

    def __init__(self, pool: Pool, params: Params) -> None:
        self.pool = pool
        self.params = params
        # Most gave none if needed: no copies for them.
        self.free = [one.free | one.if_needed if one.if_needed else one.free for one in pool.learners]
        self.words = f"no {params.meeting_minutes}-minute block suits everybody in every week"

    def broken(self, members: Sequence[int]) -> Iterable[str]:
        """No such block."""
        zones = dict.fromkeys(["UTC", *(self.pool.learners[i].time_zone for i in members)])
        if not any(self.holds(members, zone, slot) for zone in zones for slot in range(SLOTS_A_WEEK)):
            yield self.words

    def holds(self, members: Sequence[int], zone: str, slot: int) -> bool:
        """Whether a meeting that starts at `slot` of the week in `zone` suits all members in every week."""
        return all(self._suits(i, zone, slot) for i in members)

    def _suits(self, i: int, zone: str, slot: int) -> bool:
        free = self.free[i]
        covered = _covered(self.params, zone, slot, self.pool.learners[i].time_zone)
        if covered is None or not covered <= free:
            return False
        run = range(self.params.block_slots)
        own = _own_starts(self.params, zone, slot, self.pool.learners[i].time_zone)
        return all(any(all((s + k) % SLOTS_A_WEEK in free for k in run) for s in starts) for starts in own)


@lru_cache(maxsize=200_000)
def _covered(params: Params, anchor: str, slot: int, zone: str) -> frozenset[int] | None:
    """The slots of a learner's week that the meeting touches in some week; None when a week skips its
    start.
    """
    slots = set()
    for week in range(params.weeks):
        shown = dt.datetime.combine(params.first_monday, dt.time()) + week * WEEK + slot * SLOT
        start = shown.replace(tzinfo=ZoneInfo(anchor)).astimezone(dt.UTC)
        if start.astimezone(ZoneInfo(anchor)).replace(tzinfo=None) != shown:
            return None
        for piece in range(2 * params.block_slots):
            local = (start + piece * SAMPLE).astimezone(ZoneInfo(zone))
            slots.add((local.weekday() * 24 + local.hour) * 2 + local.minute // SLOT_MINUTES)
    return frozenset(slots)


@lru_cache(maxsize=200_000)
def _own_starts(params: Params, anchor: str, slot: int, zone: str) -> tuple[tuple[int, ...], ...]:
    """For each week of the learner's own calendar, the local starts that fall on `slot` of the anchor's
    week.
    """
    found = []
    for week in range(params.weeks):
        monday = dt.datetime.combine(params.first_monday, dt.time()) + week * WEEK
        near: set[int] = set()
        for shift in (-1, 0, 1):
            start = (monday + shift * WEEK + slot * SLOT).replace(tzinfo=ZoneInfo(anchor)).astimezone(dt.UTC)
            # Clocks may go over in the meantime by up to an hour: look two slots to either side.
            guess = (start.astimezone(ZoneInfo(zone)).replace(tzinfo=None) - monday) // SLOT
            near.update(range(guess - 2, guess + 4))
        starts = (s for s in sorted(near) if 0 <= s < SLOTS_A_WEEK)
        found.append(tuple(s for s in starts if _falls_on(monday + s * SLOT, zone, anchor) == slot))
    return tuple(found)


def _falls_on(local: dt.datetime, zone: str, anchor: str) -> int:
    seen = local.replace(tzinfo=ZoneInfo(zone)).astimezone(dt.UTC).astimezone(ZoneInfo(anchor))
    return (seen.weekday() * 24 + seen.hour) * 2 + seen.minute // SLOT_MINUTES


class SharedLanguage:
    """All members share a language; who names none speaks any."""

    name = "language"

    def __init__(self, pool: Pool, params: Params) -> None:
        self.spoken = [fold(learner.languages) for learner in pool.learners]

    def broken(self, members: Sequence[int]) -> Iterable[str]:
        """No language in common."""
        named = [self.spoken[i] for i in members if self.spoken[i]]
        if named and not frozenset.intersection(*named):
            yield "no language that all members share"


class SharedAnswer:
    """All members share an answer to each question that asks for it; who gave none goes with any."""

    name = "shared answer"

    def __init__(self, pool: Pool, params: Params) -> None:
        self.given = {key: [choices(learner, key) for learner in pool.learners] for key in params.same}

    def broken(self, members: Sequence[int]) -> Iterable[str]:
        """No answer in common."""
        for key, given in self.given.items():
            answered = [given[i] for i in members if given[i]]
            if answered and not frozenset.intersection(*answered):
                yield f"no answer to {key} that all members share"


class Together:
    """Two learners who each named the other share a cohort, or neither has one."""

    name = "together"

    def __init__(self, pool: Pool, params: Params) -> None:
        self.pool = pool
        self.mates: list[list[int]] = [[] for _ in pool.learners]
        for i, j in mutual_pairs(pool, pool.index()):
            self.mates[i].append(j)
            self.mates[j].append(i)

    def broken(self, members: Sequence[int]) -> Iterable[str]:
        """A member without the one they are to be with."""
        inside = set(members)
        for i in members:
            for j in self.mates[i]:
                if j not in inside:
                    mine, theirs = self.pool.learners[i].id, self.pool.learners[j].id
                    yield f"{mine} is to be with {theirs}, who is not here"


class Apart:
    """Nobody shares a cohort with a person that they, or who, asked to be kept apart from."""

    name = "apart"

    def __init__(self, pool: Pool, params: Params) -> None:
        self.pool = pool

    def broken(self, members: Sequence[int]) -> Iterable[str]:
        """Two members of whom one named the other."""
        ids = {self.pool.learners[i].id for i in members}
        for i in members:
            learner = self.pool.learners[i]
            for other in sorted(learner.apart & ids - {learner.id}):
                yield f"{learner.id} and {other} are to be kept apart"


class PastMates:
    """Nobody meets more than `max_past_mates` people again with whom they have shared a cohort before.

    People who both ask to be together again do not count.
    """

    name = "past mates"

    def __init__(self, pool: Pool, params: Params) -> None:
        self.pool = pool
        self.most = params.max_past_mates

    def broken(self, members: Sequence[int]) -> Iterable[str]:
        """A member who would meet too many again."""
        for i in members:
            again = sum(
                self._have_met(self.pool.learners[i], self.pool.learners[j]) for j in members if j != i
            )
            if again > self.most:
                yield f"{self.pool.learners[i].id} would meet {again} again, where {self.most} are allowed"

    def _have_met(self, one: Learner, two: Learner) -> bool:
        wanted = two.id in one.together and one.id in two.together
        return not wanted and (two.id in one.past_mates or one.id in two.past_mates)


class NotTheOnlyOne:
    """Nobody who minds it is the only one of their cohort with their answer to a choice question.

    Where several options can be chosen, one that another member chose as well is enough. Who did not
    answer is not alone.
    """

    name = "not the only one"

    def __init__(self, pool: Pool, params: Params) -> None:
        self.pool = pool

    def broken(self, members: Sequence[int]) -> Iterable[str]:
        """A member whose answer is nobody else's."""
        for i in members:
            learner = self.pool.learners[i]
            for key in sorted(learner.not_alone):
                own = choices(learner, key)
                if own and not any(own & choices(self.pool.learners[j], key) for j in members if j != i):
                    yield f"{learner.id} would be the only one with this answer to {key}"


class Convenor:
    """Where the organiser asks for it, at least one member is willing to convene."""

    name = "convenor"

    def __init__(self, pool: Pool, params: Params) -> None:
        self.pool = pool
        self.required = params.convenor_required

    def broken(self, members: Sequence[int]) -> Iterable[str]:
        """Nobody willing."""
        if self.required and not any(self.pool.learners[i].convenor for i in members):
            yield "nobody here is willing to convene"


RULES = (Size, CommonBlock, SharedLanguage, SharedAnswer, Together, Apart, PastMates, NotTheOnlyOne, Convenor)


def rules_of(pool: Pool, params: Params) -> list[Rule]:
    """Every rule, ready to judge cohorts of this pool."""
    return [rule(pool, params) for rule in RULES]

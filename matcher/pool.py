"""Who is to be seated: learners and the pool they form, both frozen and self-checking."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

from matcher.exceptions import InvalidPool

SLOTS_A_WEEK = 336
SLOT_MINUTES = 30


class Exchange(NamedTuple):
    """What somebody offers to others and what they want from them, in words."""

    offers: frozenset[str] = frozenset()
    wants: frozenset[str] = frozenset()


Answer = frozenset[str] | str | float | Mapping[str, float] | Exchange | None


@dataclass(frozen=True, slots=True)
class Learner:
    """One person of the pool.

    `free` and `if_needed` are half-hour slots 0..335 of the learner's own local week, 0 = Monday 00:00;
    `if_needed` slots would do but are worth less. No `languages` means any language. `together` counts
    only when it is mutual, `apart` when one side names it; `past_mates` are people they have shared a
    cohort with before. `connections` say how strong a tie to each is, 0..1. Ids in any of these that are
    not in the pool have no effect. `not_alone` holds the keys of questions whose answer nobody else in
    the cohort giving would trouble this learner, `private` those whose answer no reason names. `dropout`
    is the probability that they will not stay active.
    """

    id: str
    time_zone: str
    free: frozenset[int]
    if_needed: frozenset[int] = frozenset()
    languages: frozenset[str] = frozenset()
    answers: Mapping[str, Answer] = field(default_factory=dict)
    offers: frozenset[str] = frozenset()
    wants: frozenset[str] = frozenset()
    together: frozenset[str] = frozenset()
    apart: frozenset[str] = frozenset()
    convenor: bool = False
    not_alone: frozenset[str] = frozenset()
    private: frozenset[str] = frozenset()
    past_mates: frozenset[str] = frozenset()
    connections: Mapping[str, float] = field(default_factory=dict)
    dropout: float = 0.0


@dataclass(frozen=True)
class Pool:
    """All learners to be seated, in the order that every index in a matching refers to.

    Raises:
        InvalidPool: an id is empty or there twice, a time zone is unknown, a slot is outside 0..335 or
            both free and if-needed, or a strength or a probability is not between 0 and 1.
    """

    learners: tuple[Learner, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "learners", tuple(self.learners))
        for place, learner in enumerate(self.learners):
            _check_id(place, learner)
            _check_zone(learner)
            _check_slots(learner, "free", learner.free)
            _check_slots(learner, "if_needed", learner.if_needed)
            both = learner.free & learner.if_needed
            if both:
                raise InvalidPool(
                    f"{learner.id}: if_needed: slot {min(both)} is also in free; give it in one of them"
                )
            _check_share(learner, "dropout", learner.dropout)
            for other, strength in learner.connections.items():
                _check_share(learner, f"connections: {other}", strength)
        twice = [i for i, times in Counter(learner.id for learner in self.learners).items() if times > 1]
        if twice:
            raise InvalidPool(f"{twice[0]}: id: there are two learners with this id; ids must be unique")

    def __len__(self) -> int:
        return len(self.learners)

    def index(self) -> dict[str, int]:
        """Where each id stands in `learners`."""
        return {learner.id: place for place, learner in enumerate(self.learners)}


def mutual_groups(pool: Pool) -> list[list[int]]:
    """The pool cut into units: learners linked by mutual `together` share a list, everyone else has
    their own.

    Returns sorted lists of indices, ordered by their first member.
    """
    place = pool.index()
    unit = list(range(len(pool)))

    def root(i: int) -> int:
        while unit[i] != i:
            unit[i] = unit[unit[i]]
            i = unit[i]
        return i

    for i, j in mutual_pairs(pool, place):
        a, b = sorted((root(i), root(j)))
        unit[b] = a
    groups: dict[int, list[int]] = {}
    for i in range(len(pool)):
        groups.setdefault(root(i), []).append(i)
    return list(groups.values())


def mutual_pairs(pool: Pool, place: Mapping[str, int]) -> list[tuple[int, int]]:
    """Every pair of indices i < j in which each learner named the other in `together`."""
    pairs = set()
    for i, learner in enumerate(pool.learners):
        for other in learner.together:
            j = place.get(other, i)
            if j != i and learner.id in pool.learners[j].together:
                pairs.add((min(i, j), max(i, j)))
    return sorted(pairs)


def kept_apart(pool: Pool) -> list[set[int]]:
    """For each learner, whom they or who named the other in `apart`; naming oneself has no effect."""
    return _either_way(pool, "apart")


def met_before(pool: Pool) -> list[set[int]]:
    """For each learner, past cohort-mates by either one's word, but for those who both ask to be together
    again.
    """
    met = _either_way(pool, "past_mates")
    for i, j in mutual_pairs(pool, pool.index()):
        met[i].discard(j)
        met[j].discard(i)
    return met


def _either_way(pool: Pool, name: str) -> list[set[int]]:
    place = pool.index()
    found: list[set[int]] = [set() for _ in pool.learners]
    for i, learner in enumerate(pool.learners):
        for other in getattr(learner, name):
            j = place.get(other, i)
            if j != i:
                found[i].add(j)
                found[j].add(i)
    return found


def choices(learner: Learner, key: str) -> frozenset[str]:
    """The options that a learner chose in a choice question, folded; none when unanswered."""
    answer = learner.answers.get(key)
    if answer is None:
        return frozenset()
    return fold(answer if isinstance(answer, frozenset | set) else [str(answer)])


def fold(words: Iterable[str]) -> frozenset[str]:
    """Words as they are compared: without outer spaces and differences of case; empty ones are dropped."""
    return frozenset(word.strip().casefold() for word in words if word.strip())


@lru_cache(maxsize=1024)
def _is_zone(key: str) -> bool:
    try:
        ZoneInfo(key)
    except (ValueError, OSError, KeyError):
        return False
    return True


def _check_id(place: int, learner: Learner) -> None:
    if not isinstance(learner.id, str) or not learner.id:
        raise InvalidPool(f"learner {place}: id: must be a text that is not empty, not {learner.id!r}")


def _check_zone(learner: Learner) -> None:
    if not isinstance(learner.time_zone, str) or not learner.time_zone or not _is_zone(learner.time_zone):
        raise InvalidPool(f"{learner.id}: time_zone: {learner.time_zone!r} is not a zone of the IANA list")


def _check_slots(learner: Learner, name: str, slots: frozenset[int]) -> None:
    for slot in slots:
        if isinstance(slot, bool) or not isinstance(slot, int) or not 0 <= slot < SLOTS_A_WEEK:
            raise InvalidPool(
                f"{learner.id}: {name}: {slot!r} is not a half-hour slot from 0 to {SLOTS_A_WEEK - 1}"
            )


def _check_share(learner: Learner, name: str, value: float) -> None:
    if not 0 <= value <= 1:
        raise InvalidPool(f"{learner.id}: {name}: must be between 0 and 1, not {value!r}")

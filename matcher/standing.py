"""The cohorts that stand, and what it is worth to join, to leave and to go on: what rematching adds to a
score.

The worth of a cohort is that of `matcher.score`. Rematching adds, member by member,

- `ties`: for who joins, the strongest connection to another member, times `tie_reward`;
- `moving`: against who leaves a cohort for another, `move_cost`, up to twice that for somebody who has been
  there since the course began, and `tie_cost` times the connections to those left behind;
- `wish`: against who asked for another cohort and stays, or meets members of it elsewhere;
- `seat` for whoever has a cohort now and might get another, more than all that a whole cohort of newcomers
  comes to: nobody loses a seat for their sake.

All of these depend on the members of one cohort alone, so cohorts can still be told apart one by one.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from matcher.compiled import kernel
from matcher.exceptions import InvalidParams, InvalidPool
from matcher.matching import Meeting
from matcher.meetings import Meetings
from matcher.params import Params
from matcher.pool import Pool
from matcher.score import PLACED, worth


@dataclass(frozen=True, slots=True)
class Standing:
    """A cohort as it stands.

    Attributes:
        members: indices into the pool of those who are still in it; those who dropped out are not in the
        pool.
        meeting: when it meets; None when no time is fixed.
        asynchronous: whether it does without a meeting.
        since: what share of the course so far its members have been in it, 0 to 1.

    Raises:
        InvalidPool: `since` is not between 0 and 1.
    """

    members: tuple[int, ...]
    meeting: Meeting | None = None
    asynchronous: bool = False
    since: float = 1.0

    def __post_init__(self) -> None:
        if not 0 <= self.since <= 1:
            raise InvalidPool(f"since must be between 0 and 1, not {self.since}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What a rematch may cost and what it is after; all weights are in units of one learner's score (0..1).

    Attributes:
        move_cost: what moving a member weighs.
        tie_cost: what a full connection to somebody left behind weighs.
        tie_reward: what joining somebody one is fully connected with is worth.
        max_moves: how many members may move at most; None for any number.
        move_meetings: whether a cohort that goes on may get another meeting time.
        keep_small: whether a cohort with too few, whom nothing helps, is left as it is, against the rule of
            size; otherwise its members are without one.
        asked: indices of those who asked for another cohort. Those who are to be together with them come
        along.

    Raises:
        InvalidParams: a weight is negative, or `max_moves` is.
    """

    move_cost: float = 0.3
    tie_cost: float = 0.3
    tie_reward: float = 1.0
    max_moves: int | None = None
    move_meetings: bool = False
    keep_small: bool = False
    asked: Collection[int] = field(default_factory=frozenset)

    def __post_init__(self) -> None:
        for name in ("move_cost", "tie_cost", "tie_reward"):
            if not 0 <= getattr(self, name) < math.inf:
                raise InvalidParams(f"{name} must be 0 or more, not {getattr(self, name)}")
        if self.max_moves is not None and self.max_moves < 0:
            raise InvalidParams(f"max_moves must be 0 or more, not {self.max_moves}")


# Against staying where one asked to leave, and against a new meeting time, for each member.
WISH, NEW_TIME = 0.3, 0.1


class Seats(NamedTuple):
    """The same as arrays, which kernels read.

    Attributes:
        home: (n,) the standing cohort of each learner, -1 for none.
        stays, goes: (n,) what it adds when a learner is in their own cohort, or in another.
        wish: (n,) what it weighs against those who asked for another cohort to be with members of theirs.
        seat: what it costs when a member of a cohort loses their seat.
        tie_start, tie, strength: each learner's connections, ragged, both ways round.
        meeting: (n_standing, 2) anchor class and start of each fixed meeting, -1 for none.
        weights: tie_reward, tie_cost.
    """

    home: NDArray[np.int32]
    stays: NDArray[np.float64]
    goes: NDArray[np.float64]
    wish: NDArray[np.float64]
    seat: float
    tie_start: NDArray[np.int32]
    tie: NDArray[np.int32]
    strength: NDArray[np.float64]
    meeting: NDArray[np.int64]
    weights: NDArray[np.float64]


def check_standing(pool: Pool, standing: Sequence[Standing], change: Change) -> None:
    """See that the cohorts that stand can be those of the pool.

    Raises:
        InvalidPool: one has no members, or a learner is not there or sits in two of them.
    """
    seen: set[int] = set()
    for place, cohort in enumerate(standing):
        if not cohort.members:
            raise InvalidPool(f"standing cohort {place}: has no members; leave it out")
        for i in cohort.members:
            if not 0 <= i < len(pool):
                raise InvalidPool(f"standing cohort {place}: there is no learner {i}")
            if i in seen:
                raise InvalidPool(f"standing cohort {place}: {pool.learners[i].id} sits in two cohorts")
            seen.add(i)
    for i in change.asked:
        if i not in seen:
            raise InvalidPool(f"asked: learner {i} has no cohort to change")


def is_in_need(cohort: Standing, params: Params) -> bool:
    """Whether a cohort has too few to go on by itself."""
    return len(cohort.members) < params.size_min and not cohort.asynchronous


def seat_worth(size_max: int, change: Change) -> float:
    """What it counts that somebody who has a cohort still has one: more than a cohort of any others comes to
    and moving costs, so that as many as can be keep a seat, whatever else that means.
    """
    others = size_max * (PLACED + 1.0 + change.tie_reward + change.tie_cost)
    return others + 2.0 * change.move_cost + WISH


def build_seats(
    pool: Pool,
    size_max: int,
    standing: Sequence[Standing],
    movable: Collection[int],
    along: Collection[int],
    change: Change,
    meetings: Meetings,
) -> Seats:
    """Put the cohorts that stand, and what it costs to leave them, into arrays.

    `movable` are those with a cohort who might get another, `along` those of them who asked for it and who
    are to be together with one who did.
    """
    n = len(pool)
    home = np.full(n, -1, dtype=np.int32)
    stays, goes, wish = np.zeros(n), np.zeros(n), np.zeros(n)
    seat = seat_worth(size_max, change)
    wish[list(change.asked)] = WISH
    for place, cohort in enumerate(standing):
        home[list(cohort.members)] = place
    for i in movable:
        stays[i] = seat - wish[i]
        goes[i] = seat - (0.0 if i in along else change.move_cost * (1.0 + standing[home[i]].since))
    tie_start, tie, strength = _ties(pool)
    fixed = [(-1, -1) if each.meeting is None else meetings.place(each.meeting) for each in standing]
    return Seats(
        home=home,
        stays=stays,
        goes=goes,
        wish=wish,
        seat=seat,
        tie_start=tie_start,
        tie=tie,
        strength=strength,
        meeting=np.array(fixed, dtype=np.int64).reshape(len(standing), 2),
        weights=np.array([change.tie_reward, change.tie_cost]),
    )


def ties_of(pool: Pool) -> list[dict[int, float]]:
    """For each learner, how strongly they are connected with whom, by the stronger of both words; never with
    somebody they are to be kept apart from.
    """
    place = pool.index()
    ties: list[dict[int, float]] = [{} for _ in pool.learners]
    for i, learner in enumerate(pool.learners):
        for other, strength in learner.connections.items():
            j = place.get(other, i)
            if j == i or not strength or other in learner.apart or learner.id in pool.learners[j].apart:
                continue
            ties[i][j] = ties[j][i] = max(strength, ties[i].get(j, 0.0))
    return ties


def _ties(pool: Pool) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.float64]]:
    ties = ties_of(pool)
    start = np.zeros(len(pool) + 1, dtype=np.int32)
    start[1:] = np.cumsum([len(each) for each in ties])
    flat = [pair for each in ties for pair in sorted(each.items())]
    return (
        start,
        np.array([j for j, _ in flat], dtype=np.int32),
        np.array([strength for _, strength in flat], dtype=np.float64),
    )


@kernel
def holds(p: Any, anchor: Any, start: Any, members: Any, k: Any) -> Any:
    """Whether all of `members[:k]` can make the block that begins at `start` of an anchor's week."""
    bit = np.uint64(1) << np.uint64(start % 64)
    for m in range(k):
        bit &= p.can[members[m], anchor, start // 64]
    return bit != 0


@kernel
def _meets_again(p: Any, q: Any, i: Any, members: Any, k: Any) -> Any:
    """Whether some of `members[:k]` were in i's cohort, but for those who come along with i."""
    again = False
    for m in range(k):
        again |= q.home[members[m]] == q.home[i] and p.unit[members[m]] != p.unit[i]
    return again


@kernel
def seated_worth(p: Any, q: Any, c: Any, members: Any, k: Any) -> Any:
    """What `members[:k]` are worth as the standing cohort c (-1: as a new one) once they are seated so; -inf
    when they break a rule.
    """
    value = worth(p, members, k)
    if value < 0:
        return -np.inf
    stay = 0
    for m in range(k):
        i = members[m]
        if c >= 0 and q.home[i] == c:
            value += q.stays[i]
            stay += 1
            continue
        value += q.goes[i]
        if q.wish[i] > 0 and _meets_again(p, q, i, members, k):
            value -= q.wish[i]
        known = 0.0
        for at in range(q.tie_start[i], q.tie_start[i + 1]):
            inside = False
            for other in range(k):
                inside |= members[other] == q.tie[at]
            if inside:
                known = max(known, q.strength[at])
            elif q.home[i] >= 0 and q.home[q.tie[at]] == q.home[i]:
                value -= q.weights[1] * q.strength[at]
        value += q.weights[0] * known
    if c >= 0 and q.meeting[c, 0] >= 0 and not holds(p, q.meeting[c, 0], q.meeting[c, 1], members, k):
        value -= NEW_TIME * stay
    return value

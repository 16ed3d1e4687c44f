"""Proposals side by side: what differs, who moved, and what each goal came to.

Which cohort of one proposal is which of another is decided by their members: each cohort goes with at most
one of the other proposal, so that as many learners as possible stay in theirs. That is an assignment with the
numbers of common members as its weights; as a learner joins two cohorts at most, it is as sparse as there are
learners, and scipy's ``min_weight_full_bipartite_matching`` (LAPJVsp, Jonker and Volgenant 1987) solves
it exactly. To *move* is to sit in another cohort than the one that one's own goes with, so no reading of two
proposals has fewer people move. Pairs of people are told apart from this: they need no assignment.

Everything is read in a fixed number of queries, whatever the number of proposals, and worked out in time
linear in the learners but for the assignment of cohorts.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from statistics import fmean
from typing import Any, Final

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from .exceptions import NotFound
from .language import Sentence
from .models import Cohort, Course, Run, RunKind, RunState, Seat, Signup
from .proposals import Scores, scores_of

MOST: Final = 4
"""So many proposals stand side by side at most."""
LETTERS: Final = "ABCD"
PROPOSES: Final = (RunState.PROPOSED, RunState.PUBLISHED)

Reason = str | Sentence


@dataclass(frozen=True, slots=True)
class Home:
    """A cohort of a proposal; ``parts`` says what each goal adds to its score and could add at most."""

    id: int
    key: str
    name: str
    score: float
    parts: Mapping[str, Sequence[float]] | None
    n_times: int
    n_members: int


@dataclass(frozen=True, slots=True)
class Goal:
    """What a goal adds to the score of a cohort, in the middle of all cohorts, and the most it could add."""

    key: str
    value: float
    most: float

    @property
    def reached(self) -> float:
        """How much of what is possible is reached, 0 to 1."""
        return self.value / self.most if self.most > 0 else 0.0


@dataclass(frozen=True)
class Side:
    """One of the proposals that are compared.

    Attributes:
        letter: What it is called beside the others.
        run: The run that led to it.
        homes: Its cohorts, by their ids.
        seats: The cohort of each learner, by ids; None for who has none.
        reasons: Why those have none.
    """

    letter: str
    run: Run
    homes: Mapping[int, Home]
    seats: Mapping[int, int | None]
    reasons: Mapping[int, Reason]

    @property
    def n_placed(self) -> int:
        """How many learners have a cohort."""
        return len(self.seats) - len(self.reasons)

    @cached_property
    def scores(self) -> Scores | None:
        """How good its cohorts are."""
        return scores_of(each.score for each in self.homes.values())

    @cached_property
    def mean_times(self) -> float | None:
        """How many times suit all members of a cohort, in the middle."""
        return fmean(each.n_times for each in self.homes.values()) if self.homes else None

    @property
    def gap(self) -> float | None:
        """How much higher another proposal could score at most, as a share; None where it is not known."""
        objective, bound = self.run.objective, self.run.bound
        if objective is None or bound is None or objective <= 0 or objective > bound:
            return None
        return bound / objective - 1

    @cached_property
    def goals(self) -> dict[str, Goal] | None:
        """What each goal came to, by its key; None where that was not kept for every cohort."""
        parts = [each.parts for each in self.homes.values() if each.parts is not None]
        if not parts or len(parts) < len(self.homes):
            return None
        values: dict[str, list[float]] = defaultdict(list)
        most: dict[str, float] = {}
        for each in parts:
            for key, (value, could) in each.items():
                values[key].append(value)
                most[key] = max(could, most.get(key, 0.0))
        return {key: Goal(key, sum(found) / len(parts), most[key]) for key, found in values.items()}

    def worst(self, number: int) -> list[Home]:
        """Return the cohorts with the lowest scores, the lowest first."""
        return sorted(self.homes.values(), key=lambda each: (each.score, each.id))[:number]


@dataclass(frozen=True)
class Comparison:
    """What becomes of one proposal in another.

    Attributes:
        before: The proposal that is looked at first.
        after: The other one.
        goes_with: For each cohort of the first, the one of the other that it goes with, by ids.
        stay: For each such cohort of the first, how many members they have in common.
        moved: Who sits in another cohort than the one theirs goes with; likewise the others.
        placed: Who has a cohort in the other one only.
        unplaced: Who has a cohort in the first one only.
        came: Who takes part in the other one only.
        went: Who takes part in the first one only.
        pairs_before: How many pairs sit together in the first, of those who take part in both.
        pairs_after: The same of the other.
        pairs_kept: How many pairs sit together in both.
    """

    before: Side
    after: Side
    goes_with: Mapping[int, int]
    stay: Mapping[int, int]
    moved: list[int] = field(default_factory=list)
    placed: list[int] = field(default_factory=list)
    unplaced: list[int] = field(default_factory=list)
    came: list[int] = field(default_factory=list)
    went: list[int] = field(default_factory=list)
    pairs_before: int = 0
    pairs_after: int = 0
    pairs_kept: int = 0

    @property
    def n_same(self) -> int:
        """How many cohorts have the very same members in both."""
        return sum(
            self.before.homes[one].n_members == self.after.homes[other].n_members == self.stay[one]
            for one, other in self.goes_with.items()
        )

    @property
    def is_same(self) -> bool:
        """Whether everybody sits with the same people."""
        return not (self.moved or self.placed or self.unplaced or self.came or self.went)

    @property
    def kept_share(self) -> float | None:
        """Which share of the pairs of the first sits together in the other as well."""
        return self.pairs_kept / self.pairs_before if self.pairs_before else None


def is_comparable(run: Run) -> bool:
    """Tell whether a run has a proposal that others can be compared with; a rematch is told as a change."""
    return run.kind is RunKind.MATCH and run.state in PROPOSES


def choose(session: Session, course: Course, keys: Sequence[str]) -> list[Run]:
    """Return runs of a course by their keys, in this order, each once.

    Raises:
        NotFound: One of them is no match of this course.
    """
    wanted = list(dict.fromkeys(keys))
    mine = (Run.course_id == course.id, Run.rehearsal.is_(False), Run.kind == RunKind.MATCH)
    found = {run.key: run for run in session.scalars(select(Run).where(*mine, Run.key.in_(wanted)))}
    if len(found) < len(wanted):
        raise NotFound
    return [found[key] for key in wanted]


def sides_of(session: Session, chosen: Sequence[Run]) -> list[Side]:
    """Return proposals to be compared, in three queries."""
    ids = [run.id for run in chosen]
    seats: dict[int, dict[int, int | None]] = {each: {} for each in ids}
    reasons: dict[int, dict[int, Reason]] = {each: {} for each in ids}
    sizes: Counter[int] = Counter()
    rows = select(Seat.run_id, Seat.signup_id, Seat.cohort_id).where(Seat.run_id.in_(ids))
    for run_id, signup_id, cohort_id in session.execute(rows.order_by(Seat.id)):
        seats[run_id][signup_id] = cohort_id
        sizes[cohort_id or 0] += 1
    why = select(Seat.run_id, Seat.signup_id, Seat.reason).where(Seat.run_id.in_(ids))
    for run_id, signup_id, reason in session.execute(why.where(Seat.cohort_id.is_(None))):
        reasons[run_id][signup_id] = reason
    homes: dict[int, dict[int, Home]] = {each: {} for each in ids}
    columns = (Cohort.run_id, Cohort.id, Cohort.key, Cohort.name, Cohort.score, Cohort.parts, Cohort.meetings)
    found = select(*columns).where(Cohort.run_id.in_(ids)).order_by(Cohort.position, Cohort.id)
    for run_id, cohort_id, key, name, score, parts, meetings in session.execute(found):
        if sizes[cohort_id]:  # one that was emptied by hand is none
            homes[run_id][cohort_id] = Home(
                cohort_id, key, name, score, parts, len(meetings), sizes[cohort_id]
            )
    return [
        Side(letter, run, homes[run.id], seats[run.id], reasons[run.id])
        for letter, run in zip(LETTERS, chosen, strict=False)
    ]


def compare(before: Side, after: Side) -> Comparison:
    """Tell what becomes of one proposal in another."""
    both = before.seats.keys() & after.seats.keys()
    overlaps = Counter(
        (one, other)
        for each in both
        if (one := before.seats[each]) is not None and (other := after.seats[each]) is not None
    )
    goes_with = assigned(overlaps)
    found = Comparison(
        before,
        after,
        goes_with,
        {one: overlaps[one, other] for one, other in goes_with.items()},
        came=sorted(after.seats.keys() - before.seats.keys()),
        went=sorted(before.seats.keys() - after.seats.keys()),
        pairs_before=_pairs(Counter(before.seats[each] for each in both)),
        pairs_after=_pairs(Counter(after.seats[each] for each in both)),
        pairs_kept=sum(n * (n - 1) // 2 for n in overlaps.values()),
    )
    for each in sorted(both):
        one, other = before.seats[each], after.seats[each]
        if one is not None and other is not None:
            if goes_with.get(one) != other:
                found.moved.append(each)
        elif one is not None:
            found.unplaced.append(each)
        elif other is not None:
            found.placed.append(each)
    return found


def _pairs(sizes: Mapping[int | None, int]) -> int:
    return sum(n * (n - 1) // 2 for home, n in sizes.items() if home is not None)


def assigned(overlaps: Mapping[tuple[int, int], int]) -> dict[int, int]:
    """Return which goes with which, so that what they have in common adds up to the most.

    Args:
        overlaps: How much two of different sides have in common; pairs with nothing in common are left out.
    """
    if not overlaps:
        return {}
    # Deferred: it takes a quarter of a second to load.
    from scipy import sparse
    from scipy.sparse.csgraph import min_weight_full_bipartite_matching

    rows = {each: number for number, each in enumerate(sorted({one for one, _ in overlaps}))}
    cols = {each: number for number, each in enumerate(sorted({other for _, other in overlaps}))}
    n = len(rows)
    # Each row may also go with nothing, a column of its own that weighs less than all of them together.
    weights = np.array([*overlaps.values(), *[0.5 / n] * n], dtype=np.float64)
    at = np.array([rows[one] for one, _ in overlaps] + list(range(n)))
    to = np.array([cols[other] for _, other in overlaps] + list(range(len(cols), len(cols) + n)))
    graph = sparse.csr_array((weights, (at, to)), shape=(n, len(cols) + n))
    left, right = min_weight_full_bipartite_matching(graph, maximize=True)
    one_of, other_of = list(rows), list(cols)
    return {
        one_of[row]: other_of[col]
        for row, col in zip(left.tolist(), right.tolist(), strict=True)
        if col < len(cols)
    }


def unlike(sides: Sequence[Side]) -> tuple[list[int], list[int]]:
    """Return who is without a cohort somewhere: those for whom the proposals differ, and the others.

    They differ where somebody has a cohort in one of them, takes no part in one, or has another reason.
    """
    somewhere = sorted({each for side in sides for each in side.reasons})
    differ = [
        each for each in somewhere if any(_outcome(side, each) != _outcome(sides[0], each) for side in sides)
    ]
    same = set(somewhere) - set(differ)
    return differ, sorted(same)


def _outcome(side: Side, signup_id: int) -> Any:
    return side.reasons.get(signup_id, signup_id in side.seats)


def people(session: Session, wanted: Iterable[int]) -> dict[int, Any]:
    """Return id, key, name and time zone of some learners, by their ids."""
    found = select(Signup.id, Signup.key, Signup.name, Signup.time_zone).where(Signup.id.in_(set(wanted)))
    return {row.id: row for row in session.execute(found)}

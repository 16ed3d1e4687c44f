"""What a rematch found, as rows: what happens to each cohort, and to each learner who gets another seat.

Some seats only make sense together: a new cohort needs all of its members, a merger all of both. Those are
one bundle, and are accepted or declined as one. Any choice of bundles keeps every rule.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, count
from typing import TYPE_CHECKING, Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from . import meetings
from .door import MatchSettings, parts_of, sentence_of
from .meetings import Meeting
from .models import (
    Cause,
    Cohort,
    CohortChange,
    Course,
    Decision,
    Fate,
    Reseating,
    Run,
    RunKind,
    RunState,
    Seat,
    Signup,
)
from .roster_rows import cohort_name

if TYPE_CHECKING:
    from .door import CohortAfter, Rematching


@dataclass(frozen=True, slots=True)
class Before:
    """Whom a rematch was about.

    Attributes:
        learners: Ids of the sign-ups in the order of the pool.
        cohorts: Ids of the cohorts that stood, in the order they were given.
        asked: Ids of the learners who asked for another cohort.
        labels: The course's own questions by their keys.
    """

    learners: Sequence[int]
    cohorts: Sequence[int]
    asked: Collection[int]
    labels: Mapping[str, str]


def store(session: Session, run: Run, *, before: Before, found: Rematching) -> None:
    """Store what a rematch found; what earlier ones proposed and nobody decided is outdated."""
    _outdate_earlier(session, run)
    run.n_learners, run.n_placed = len(before.learners), found.n_placed
    run.objective, run.bound, run.seconds = found.objective, found.bound, found.seconds
    told = _Told(session, run, before, found)
    rows = told.reseatings()
    changes = told.changes()
    _put_in_bundles(session, run, rows, changes)
    session.add_all([*changes, *rows, *told.seats()])
    session.flush()


def _outdate_earlier(session: Session, run: Run) -> None:
    earlier = select(Run.id).where(
        Run.course_id == run.course_id, Run.kind == RunKind.REMATCH, Run.id != run.id
    )
    session.execute(
        update(Reseating)
        .where(Reseating.run_id.in_(earlier), Reseating.state == Decision.PROPOSED)
        .values(state=Decision.OUTDATED)
        .execution_options(synchronize_session=False)
    )


class _Told:
    """Turns what the matcher found into rows."""

    def __init__(self, session: Session, run: Run, before: Before, found: Rematching) -> None:
        self.session, self.run, self.before, self.found = session, run, before, found
        self.course: Course = run.course
        self.cohorts = {
            each.id: each for each in session.scalars(select(Cohort).where(Cohort.id.in_(before.cohorts)))
        }
        self.there = set(session.scalars(select(Signup.id).where(Signup.id.in_(before.learners))))
        self.after = {each.place: each for each in found.cohorts if each.place is not None}
        self.by_place: dict[int, CohortChange] = {}
        self.opened: dict[int, CohortChange] = {}
        self._tell_cohorts()

    def changes(self) -> list[CohortChange]:
        """Return what happens to each cohort that is touched, or too small and left so."""
        return [*self.by_place.values(), *self.opened.values()]

    def reseatings(self) -> list[Reseating]:
        """Return who gets another seat; whoever was erased in the meantime gets none."""
        moves = [each for each in self.found.moves if self.before.learners[each.learner] in self.there]
        return [
            Reseating(
                run_id=self.run.id,
                signup_id=self.before.learners[move.learner],
                left=None if move.before is None else self.by_place[move.before],
                joined=self._joined(move.after),
                cause=self._cause(move.learner, move.before),
                reasons=[sentence_of(each, self.before.labels) for each in move.reasons],
                score_before=move.score_before,
                score_after=move.score_after,
                n_known=len(move.knows),
            )
            for move in moves
        ]

    def seats(self) -> list[Seat]:
        """Return why those who are without a cohort afterwards are."""
        return [
            Seat(
                run_id=self.run.id,
                signup_id=self.before.learners[each.learner],
                reason=sentence_of(each.reason, self.before.labels),
                remedy=sentence_of(each.remedy, self.before.labels) if each.remedy else "",
                size_max=each.size_max,
            )
            for each in self.found.unplaced
            if self.before.learners[each.learner] in self.there
        ]

    def _cause(self, learner: int, before: int | None) -> Cause:
        if before is None:
            return Cause.NO_COHORT
        if self.before.learners[learner] in self.before.asked:
            return Cause.ASKED
        is_small = len(self.found.standing[before].members) < self.course.size_min
        return Cause.TOO_SMALL if is_small else Cause.ALONG

    def _joined(self, after: int | None) -> CohortChange | None:
        if after is None:
            return None
        place = self.found.cohorts[after].place
        return self.opened[after] if place is None else self.by_place[place]

    def _tell_cohorts(self) -> None:
        numbers, names = count(1), self._unused_names()
        places = range(len(self.before.cohorts))
        for place in places:
            fate = self._fate(place)
            if fate is not None:
                self.by_place[place] = self._change(next(numbers), place, fate)
        for at, each in enumerate(self.found.cohorts):
            if each.place is None:
                self.opened[at] = self._opening(next(numbers), next(names), each)
        for place, change in self.by_place.items():
            if change.fate is Fate.MERGES:
                change.into = self._joined(next(iter(self._goals(place))))

    def _goals(self, place: int) -> set[int | None]:
        return {each.after for each in self.found.moves if each.before == place}

    def _fate(self, place: int) -> Fate | None:
        after, goals = self.after.get(place), self._goals(place)
        standing = self.found.standing[place]
        if after is None:
            return Fate.MERGES if len(goals) == 1 and None not in goals else Fate.CLOSES
        if set(after.members) != set(standing.members):
            return Fate.GOES_ON
        is_small = len(standing.members) < self.course.size_min and not standing.asynchronous
        return Fate.STAYS_SMALL if is_small else None

    def _change(self, number: int, place: int, fate: Fate) -> CohortChange:
        cohort, after = self.cohorts[self.before.cohorts[place]], self.after.get(place)
        blocks, moves = self._meetings(cohort, after)
        return CohortChange(
            run_id=self.run.id,
            number=number,
            cohort=cohort,
            fate=fate,
            name=cohort.name,
            n_before=len(self.found.standing[place].members),
            n_after=0 if after is None else len(after.members),
            score_before=self.found.scores_before[place],
            score_after=None if after is None else after.score,
            meetings=blocks,
            meeting_moves=moves,
            parts=None if after is None else parts_of(after.shares),
            reasons=self._reasons(after),
        )

    def _opening(self, number: int, name: str, after: CohortAfter) -> CohortChange:
        return CohortChange(
            run_id=self.run.id,
            number=number,
            fate=Fate.OPENS,
            name=name,
            n_after=len(after.members),
            score_after=after.score,
            meetings=[[each.zone, each.slot] for each in after.meetings],
            parts=parts_of(after.shares),
            reasons=self._reasons(after),
        )

    def _reasons(self, after: CohortAfter | None) -> list[Any]:
        return [] if after is None else [sentence_of(each, self.before.labels) for each in after.reasons]

    def _meetings(self, cohort: Cohort, after: CohortAfter | None) -> tuple[list[Any], bool]:
        """Return the common blocks of a cohort afterwards, and whether it then meets at another time.

        A time that stays is spelt as it was: zones of one offset are told apart by their names only.
        """
        if after is None:
            return [], False
        found = [Meeting(each.zone, each.slot) for each in after.meetings]
        holds = meetings.weekly(cohort)
        if holds is None or not found:
            return _kept(found), holds is not None
        same = _same(self.course, holds, found[0])
        return _kept([holds, *found[1:]] if same else found), not same

    def _unused_names(self) -> Iterator[str]:
        taken = set(
            self.session.scalars(
                select(Cohort.name)
                .join(Run)
                .where(Run.course_id == self.run.course_id, Run.state == RunState.PUBLISHED)
            )
        )
        return (name for name in map(cohort_name, count(1)) if name not in taken)


def _kept(blocks: Iterable[Meeting]) -> list[Any]:
    return [[each.zone, each.slot] for each in blocks]


def _same(course: Course, one: Meeting, other: Meeting) -> bool:
    """Tell whether two meetings are at the same moments in every week of a course."""
    return one == other or meetings.occurrences(course, one) == meetings.occurrences(course, other)


def _put_in_bundles(
    session: Session, run: Run, rows: Sequence[Reseating], changes: Iterable[CohortChange]
) -> None:
    """Number the bundles of some reseatings."""
    settings = MatchSettings.from_json(run.parameters)
    is_strict = settings.convenor_required or any(each.may_mind for each in settings.custom)
    sizes = run.course.size_min, run.course.size_max
    coming, going = (Counter(getattr(each, name) for each in rows) for name in ("joined", "left"))
    whole = [each for each in changes if _goes_whole(each, coming[each], going[each], sizes, is_strict)]
    sets = [[n for n, row in enumerate(rows) if each in (row.left, row.joined)] for each in whole]
    for row, bundle in zip(rows, bundles(len(rows), [*sets, *_mates(session, rows)]), strict=True):
        row.bundle = bundle


def _goes_whole(
    change: CohortChange, coming: int, going: int, sizes: tuple[int, int], is_strict: bool
) -> bool:
    """Tell whether all seats in and out of a cohort depend on each other."""
    smallest, largest = sizes
    return (
        change.fate in (Fate.MERGES, Fate.CLOSES, Fate.OPENS)
        or change.meeting_moves
        or change.n_before < smallest
        or change.n_before - going < smallest
        or change.n_before + coming > largest
        # Of who minds being the only one, or of who convenes, no part of a change can be sure.
        or (is_strict and coming + going > 1)
    )


def _mates(session: Session, rows: Sequence[Reseating]) -> list[list[int]]:
    """Return the places of those who go the same way and asked to be with one another."""
    wishes = {
        each: (email, frozenset(works_with))
        for each, email, works_with in session.execute(
            select(Signup.id, Signup.email, Signup.works_with).where(
                Signup.id.in_([row.signup_id for row in rows])
            )
        )
    }
    ways: dict[Any, list[int]] = defaultdict(list)
    for n, row in enumerate(rows):
        for side in (("from", row.left), ("to", row.joined)):
            if side[1] is not None:
                ways[side].append(n)
    found = []
    for places in ways.values():
        for one, two in combinations(places, 2):
            (mine, i_want), (yours, you_want) = wishes[rows[one].signup_id], wishes[rows[two].signup_id]
            if yours in i_want or mine in you_want:
                found.append([one, two])
    return found


def bundles(n: int, together: Iterable[Sequence[int]]) -> list[int]:
    """Return a number for each of ``n`` things, the same for those that are together, directly or not."""
    head = list(range(n))

    def find(one: int) -> int:
        while head[one] != one:
            head[one] = head[head[one]]
            one = head[one]
        return one

    for group in together:
        for each in group[1:]:
            head[max(find(group[0]), find(each))] = min(find(group[0]), find(each))
    numbers: dict[int, int] = {}
    return [numbers.setdefault(find(each), len(numbers) + 1) for each in range(n)]

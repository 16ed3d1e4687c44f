"""What can be done with cohorts that stand and with the people who might move, as columns of set packing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from matcher.crowding import Crowding, Times
from matcher.joining import People, list_joined
from matcher.problem import Problem
from matcher.score import PLACED
from matcher.standing import Change, Seats, holds, seated_worth

Cohort = tuple[int, ...]

# Where up to so many might leave a cohort that breaks a rule, each choice of those who stay is looked at.
MOST_SUBSETS = 6


@dataclass(frozen=True)
class Opening:
    """A standing cohort, told by its place.

    `kept` are in it whatever happens. One `in_need` has too few to go on by itself: its `own` stay if it goes
    on, and are free to go elsewhere if it does not. Other members of either, who asked for another cohort or
    come along with somebody, may stay or go one by one.
    """

    place: int
    kept: Cohort
    own: Cohort = ()
    in_need: bool = False
    is_open: bool = True


class Reseated(NamedTuple):
    """The members of each standing cohort that goes on, by its place; the new cohorts; what it all comes to,
    and a bound on that; which standing cohorts there is no time for.
    """

    going_on: dict[int, Cohort]
    new: list[Cohort]
    objective: float
    bound: float
    untimed: frozenset[int] = frozenset()


class Columns(NamedTuple):
    """(m, width) rows, padded with the number of rows, and (m,) what each column adds."""

    rows: NDArray[np.int32]
    gains: NDArray[np.float64]


class Seating:
    """All that can be done with some standing cohorts and the people who might move.

    A row stands for each of `people`, in order of their index, and one for each opening. Where only so many
    cohorts may meet at one time, one more for each opening says that there is no time for its cohort.
    """

    def __init__(
        self,
        p: Problem,
        q: Seats,
        openings: Sequence[Opening],
        people: People,
        change: Change,
        crowding: Crowding | None = None,
    ) -> None:
        self.p, self.q = p, q
        self.openings = list(openings)
        self.people = np.sort(people)
        self.row = np.full(len(p.unit) + 1, -1, dtype=np.int32)
        self.row[self.people] = np.arange(len(people), dtype=np.int32)
        self.ends = len(people) + len(openings)
        self.n_rows = self.ends + (0 if crowding is None else len(openings))
        self.width = int(p.sizes[1]) + (1 if crowding is None else 2)
        self.change, self.crowding = change, crowding
        self._times: dict[Cohort, Times] = {}
        self.units = np.unique(p.unit[self.people]).astype(np.int32)
        self.bases = np.array([self._base(each) - self._alone_untimed(each) for each in self.openings])

    def worth(self, place: int, members: Cohort) -> float:
        """What some members are worth as the standing cohort at `place` (-1: as a new one), -inf when they
        break a rule.
        """
        array = np.array(members, dtype=np.int32)
        return float(seated_worth(self.p, self.q, place, array, len(array)))

    def _base(self, opening: Opening) -> float:
        """What it comes to when nobody joins and all leave who may. One that breaks a rule in any case is
        left as it is, and its members count as placed; if it would break one because of those who leave,
        some of them have to stay.
        """
        kept, low = opening.kept, self.p.sizes[0]
        alone = self.worth(opening.place, kept)
        if alone > -np.inf:
            return alone
        whole = (*kept, *self.there(opening))
        if len(kept) < low <= len(whole) or self.worth(opening.place, whole) > -np.inf:
            # Where times are short, seats of others must not be worth breaking a living cohort for.
            others = 1 if self.crowding is None else 1 + len(self.people)
            return -self.q.seat * others * len(kept)
        return PLACED * len(kept)

    def _alone_untimed(self, opening: Opening) -> float:
        """What it weighs that those who stay in any case have no time, if their cohort needs one."""
        if self.crowding is None or not opening.kept:
            return 0.0
        needs_one = self.crowding.times(opening.place, opening.kept).others
        return self.untimed(len(opening.kept)) if needs_one else 0.0

    def untimed(self, k: int) -> float:
        """What it weighs that a standing cohort of k has no time: as much as that all but one lose theirs."""
        return self.q.seat * max(1, k - 1)

    def times_of(self, rows: Cohort) -> Times:
        """When the cohort of a column may meet."""
        if self.crowding is None or max(rows) >= self.ends:
            return Times()
        if rows not in self._times:
            at = self.opening_of(rows)
            kept = self.openings[at].kept if at >= 0 else ()
            members = self.people[[row for row in rows if row < len(self.people)]].tolist()
            self._times[rows] = self.crowding.times(self._place(rows), (*kept, *members))
        return self._times[rows]

    def at_home(self, at: int) -> Cohort:
        """The rows of the column in which nobody leaves an opening's cohort and nobody joins it."""
        there = self.row[list(self.there(self.openings[at]))].tolist()
        return (*sorted(there), len(self.people) + at)

    def there(self, opening: Opening) -> Cohort:
        """The people who are in a cohort now and might leave it."""
        return tuple(self.people[self.q.home[self.people] == opening.place].tolist())

    def joined(self, at: int, units: People, most: int, steps: NDArray[np.int64]) -> Columns | None:
        """Every column in which some of `units` join the opening `at` (-1: form a new cohort); None when
        there are more than `most`, or finding them takes more than the `steps[0]` left, which are counted
        down.
        """
        opening = self.openings[at] if at >= 0 else Opening(-1, ())
        start = np.array([*opening.kept, *opening.own], dtype=np.int32)
        units = units[~np.isin(units, self.p.unit[start])]
        added = np.full((most, self.width), len(self.p.unit), dtype=np.int32)
        values = np.zeros(most)
        found = list_joined(
            self.p, self.q, opening.place, start, units, self.is_timed(opening), added, values, steps
        )
        if found < 0:
            return None
        added, values = added[:found], values[:found]
        if at >= 0 and not len(start):
            # Somebody has to stay for it to be the same cohort.
            stays = (np.append(self.q.home, -1)[added] == opening.place).any(axis=1)
            added, values = added[stays], values[stays]
        return self.columns(at, added, values)

    def is_timed(self, opening: Opening) -> bool:
        """Whether the meeting of a cohort has to stay as it is: that of one that can go on by itself."""
        fixed = opening.place >= 0 and self.q.meeting[opening.place, 0] >= 0
        return bool(fixed and not opening.in_need and not self.change.move_meetings)

    def columns(self, at: int, added: NDArray[np.int32], values: NDArray[np.float64]) -> Columns:
        """The same as rows: those who were added, and with an opening also its own people and itself."""
        rows = np.where(added < len(self.p.unit), self.row[added], self.n_rows)
        if at < 0:
            return Columns(np.sort(rows, axis=1), values.copy())
        own = self.row[list(self.openings[at].own)]
        beside = np.tile(np.append(own, len(self.people) + at).astype(np.int32), (len(rows), 1))
        rows = np.sort(np.hstack([rows, beside]), axis=1)[:, : self.width]
        return Columns(rows, values - self.bases[at])

    def by_person(self, prices: NDArray[np.float64]) -> NDArray[np.float64]:
        """(n_learners,) the price of each, 0 for those who cannot move."""
        found = np.zeros(len(self.p.unit))
        found[self.people] = prices[: len(self.people)]
        return found

    def can_make(self, opening: Opening, members: Cohort) -> bool:
        """Whether the fixed meeting of a cohort suits all of `members`."""
        anchor, start = self.q.meeting[opening.place]
        return bool(holds(self.p, anchor, start, np.array(members, dtype=np.int32), len(members)))

    def unaided(self) -> Columns:
        """The columns of leaving cohorts as they are, also such as break a rule, with nobody joining: those
        in need only if that is allowed.
        """
        columns = []
        for at, opening in enumerate(self.openings):
            others = [i for i in self.there(opening) if i not in opening.own]
            if opening.in_need and not self.change.keep_small:
                continue
            for some in self._staying(opening, others):
                added = np.array([some], dtype=np.int32).reshape(1, len(some))
                columns.append(self.columns(at, added, np.array([self._as_it_is(opening, some)])))
            if self.crowding is not None:
                columns += self._without_time(at, others)
            if opening.kept and (weighs := self._alone_untimed(opening)):
                alone = np.zeros((1, 0), dtype=np.int32)
                columns.append(self.columns(at, alone, np.array([self.bases[at] + weighs])))
        return self.gathered(columns)

    def _without_time(self, at: int, others: Sequence[int]) -> list[Columns]:
        """The columns of a cohort that nobody joins, and for which there is no time though it needs one."""
        opening, found = self.openings[at], []
        ways = {some: self._as_it_is(opening, some) for some in self._staying(opening, others)}
        if not opening.in_need:
            for some in self._subsets(others):
                ways.setdefault(some, self.worth(opening.place, (*opening.kept, *some)))
        for some, value in ways.items():
            staying = (*opening.own, *some)
            rows = (*sorted(self.row[list(staying)].tolist()), len(self.people) + at)
            if value > -np.inf and staying and self.times_of(rows).others:
                marked = np.array([[*rows, self.ends + at]], dtype=np.int32)
                weighs = self.untimed(len(opening.kept) + len(staying)) + self.bases[at]
                found.append(Columns(marked, np.array([value - weighs])))
        return found

    def _subsets(self, others: Sequence[int]) -> list[Cohort]:
        """Some of those who might leave, never all, with their company; none where they are many."""
        units = [tuple(i for i in others if self.p.unit[i] == u) for u in np.unique(self.p.unit[others])]
        if len(units) > MOST_SUBSETS:
            return []
        some = (each for k in range(len(units)) for each in combinations(units, k))
        return [tuple(i for unit in each for i in unit) for each in some]

    def _staying(self, opening: Opening, others: Sequence[int]) -> list[Cohort]:
        """Which of those who might leave could stay in a cohort that nobody joins: all of them and, where
        that breaks a rule in any case, also some.
        """
        base = (*opening.kept, *opening.own)
        found = [tuple(others)]
        if not (opening.is_open and self.worth(opening.place, (*base, *others)) > -np.inf):
            found += self._subsets(others)
        least = 2 if opening.in_need else min(int(self.p.sizes[0]), len(base) + len(others))
        return [each for each in found if (opening.own or each) and len(base) + len(each) >= least]

    def _as_it_is(self, opening: Opening, some: Cohort) -> float:
        """What a cohort comes to when nobody joins and, of those who might leave, `some` stay; its own stay
        as well.
        """
        staying = (*opening.own, *some)
        members = (*opening.kept, *staying)
        alike = np.isin(self.p.unit, self.p.unit[list(staying)])
        is_whole = np.isin(np.flatnonzero(alike), members).all()
        value = self.worth(opening.place, members) if is_whole else -np.inf
        if value > -np.inf:
            return value
        placed = 0.0 if opening.in_need else PLACED * len(members)
        return placed + float(self.q.stays[list(staying)].sum())

    def gathered(self, columns: Sequence[Columns]) -> Columns:
        """Several lists as one."""
        rows = np.full((sum(len(each.gains) for each in columns), self.width), self.n_rows, dtype=np.int32)
        done = 0
        for each in columns:
            rows[done : done + len(each.gains), : each.rows.shape[1]] = each.rows
            done += len(each.gains)
        return Columns(rows, np.concatenate([np.zeros(0), *(each.gains for each in columns)]))

    def moves(self, columns: Sequence[Cohort]) -> dict[Cohort, int]:
        """How many members change their cohort in each column."""
        return {rows: self._moves(rows) for rows in columns}

    def _moves(self, rows: Cohort) -> int:
        place = self._place(rows)
        homes = self.q.home[self.people[[row for row in rows if row < len(self.people)]]]
        return int(((homes >= 0) & (homes != place)).sum())

    def _place(self, rows: Cohort) -> int:
        at = self.opening_of(rows)
        return self.openings[at].place if at >= 0 else -1

    def opening_of(self, rows: Cohort) -> int:
        """Which of the openings a column is about, -1 for a new cohort."""
        last = max(row for row in rows if row < self.ends)
        return max(-1, last - len(self.people))

    def reseated(self, chosen: Sequence[Cohort], value: float, bound: float) -> Reseated:
        """What a choice of columns means for people."""
        going_on = {each.place: each.kept for each in self.openings if each.kept}
        new, open_still = [], {each.place for each in self.openings if self._alone_untimed(each)}
        untimed = set[int]()
        for rows in chosen:
            members = self.people[[row for row in rows if row < len(self.people)]].tolist()
            place = self._place(rows)
            if place < 0:
                new.append(tuple(sorted(members)))
            else:
                going_on[place] = tuple(sorted((*going_on.get(place, ()), *members)))
                open_still.discard(place)
                if max(rows) >= self.ends:
                    untimed.add(place)
        base = float(self.bases.sum())
        return Reseated(going_on, sorted(new), base + value, base + bound, frozenset(untimed | open_still))

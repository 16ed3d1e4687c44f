"""What can be done with cohorts that stand and with the people who might move, as columns of set packing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

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
    and a bound on that.
    """

    going_on: dict[int, Cohort]
    new: list[Cohort]
    objective: float
    bound: float


class Columns(NamedTuple):
    """(m, width) rows, padded with the number of rows, and (m,) what each column adds."""

    rows: NDArray[np.int32]
    gains: NDArray[np.float64]


class Seating:
    """All that can be done with some standing cohorts and the people who might move.

    A row stands for each of `people`, in order of their index, and one for each opening.
    """

    def __init__(
        self, p: Problem, q: Seats, openings: Sequence[Opening], people: People, change: Change
    ) -> None:
        self.p, self.q = p, q
        self.openings = list(openings)
        self.people = np.sort(people)
        self.row = np.full(len(p.unit) + 1, -1, dtype=np.int32)
        self.row[self.people] = np.arange(len(people), dtype=np.int32)
        self.n_rows = len(people) + len(openings)
        self.width = int(p.sizes[1]) + 1
        self.change = change
        self.units = np.unique(p.unit[self.people]).astype(np.int32)
        self.bases = np.array([self._base(each) for each in self.openings])

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
            return -self.q.seat * len(kept)
        return PLACED * len(kept)

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
        return self.gathered(columns)

    def _staying(self, opening: Opening, others: Sequence[int]) -> list[Cohort]:
        """Which of those who might leave could stay in a cohort that nobody joins: all of them and, where
        that breaks a rule in any case, also some.
        """
        base = (*opening.kept, *opening.own)
        units = [tuple(i for i in others if self.p.unit[i] == u) for u in np.unique(self.p.unit[others])]
        found = [tuple(others)]
        is_fine = opening.is_open and self.worth(opening.place, (*base, *others)) > -np.inf
        if not is_fine and len(units) <= MOST_SUBSETS:
            some = (each for k in range(len(units)) for each in combinations(units, k))
            found += [tuple(i for unit in each for i in unit) for each in some]
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
        last = max(rows)
        return self.openings[last - len(self.people)].place if last >= len(self.people) else -1

    def reseated(self, chosen: Sequence[Cohort], value: float, bound: float) -> Reseated:
        """What a choice of columns means for people."""
        going_on = {each.place: each.kept for each in self.openings if each.kept}
        new = []
        for rows in chosen:
            members = self.people[[row for row in rows if row < len(self.people)]].tolist()
            place = self._place(rows)
            if place < 0:
                new.append(tuple(sorted(members)))
            else:
                going_on[place] = tuple(sorted((*going_on.get(place, ()), *members)))
        base = float(self.bases.sum())
        return Reseated(going_on, sorted(new), base + value, base + bound)

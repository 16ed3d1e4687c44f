"""What can be done with cohorts that stand and with the people who might move, as columns of set packing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from matcher.joining import People, list_joined
from matcher.problem import Problem
from matcher.score import PLACED
from matcher.standing import Change, Seats, holds, seated_worth

Cohort = tuple[int, ...]


@dataclass(frozen=True)
class Opening:
    """A standing cohort, told by its place.

    `kept` are members who stay whatever happens. `own` stay if it goes on, and are free to go elsewhere if it
    does not; only a cohort that cannot go on by itself has any.
    """

    place: int
    kept: Cohort
    own: Cohort = ()
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
        """What it comes to when nobody joins: one that breaks a rule is left as it is, and its members count
        as placed.
        """
        if not opening.kept:
            return 0.0
        return max(self.worth(opening.place, opening.kept), PLACED * len(opening.kept))

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
        return None if found < 0 else self.columns(at, added[:found], values[:found])

    def is_timed(self, opening: Opening) -> bool:
        """Whether the meeting of a cohort has to stay as it is: that of one that can go on by itself."""
        fixed = opening.place >= 0 and self.q.meeting[opening.place, 0] >= 0
        return bool(fixed and opening.kept and not self.change.move_meetings)

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
        """For each cohort that cannot go on by itself, the column of leaving it as it is, if allowed."""
        nobody = np.zeros((1, 0), dtype=np.int32)
        return self.gathered(
            [
                self.columns(at, nobody, self.q.stays[list(opening.own)].sum(keepdims=True))
                for at, opening in enumerate(self.openings)
                if self.change.keep_small and len(opening.own) > 1
            ]
        )

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

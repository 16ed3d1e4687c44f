"""Wishes that contradict each other whatever anybody else does, found before any search and in the fewest
people.

Hours are not among them: who cannot meet is left unplaced with the reason, as hours can be added.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from matcher.exceptions import Infeasible
from matcher.params import Params
from matcher.pool import Pool, choices, fold, kept_apart, met_before, mutual_groups, mutual_pairs


def refuse_conflicts(pool: Pool, params: Params) -> None:
    """Do nothing when everybody's wishes can be kept.

    Raises:
        Infeasible: they cannot; it names the fewest people among whom, and the rules.
    """
    if params.convenor_required and len(pool) and not any(one.convenor for one in pool.learners):
        raise Infeasible(
            "every cohort is to have somebody willing to convene, but nobody in the pool is",
            (),
            ("convenor",),
        )
    conflicts = Conflicts(pool, params)
    for unit in mutual_groups(pool):
        if conflicts.rules(unit):
            people = conflicts.smallest(unit)
            names = tuple(pool.learners[i].id for i in people)
            rules = ("together", *conflicts.rules(people))
            raise Infeasible(
                f"the wishes of {', '.join(names)} contradict each other ({', '.join(rules)}): "
                "they cannot all be kept together",
                names,
                rules,
            )


class Conflicts:
    """Which rules people break who all are to stay together."""

    def __init__(self, pool: Pool, params: Params) -> None:
        self.params = params
        self.apart, self.met = kept_apart(pool), met_before(pool)
        self.spoken = [fold(one.languages) for one in pool.learners]
        self.given = [[choices(one, key) for one in pool.learners] for key in params.same]
        self.mates: dict[int, set[int]] = {i: set() for i in range(len(pool))}
        for i, j in mutual_pairs(pool, pool.index()):
            self.mates[i].add(j)
            self.mates[j].add(i)

    def rules(self, people: Sequence[int]) -> tuple[str, ...]:
        """The names of the rules that these people break as members of one cohort."""
        inside = set(people)
        broken = {
            "size": len(people) > self.params.size_max,
            "apart": any(self.apart[i] & inside for i in people),
            "past mates": any(len(self.met[i] & inside) > self.params.max_past_mates for i in people),
            "language": _nothing_shared(self.spoken, people),
            "shared answer": any(_nothing_shared(given, people) for given in self.given),
        }
        return tuple(name for name, breaks in broken.items() if breaks)

    def smallest(self, people: Sequence[int]) -> list[int]:
        """As few of them as still contradict each other: leave out one after the other who is not needed.

        The deletion filter of Chinneck and Dravnieks (1991). What is left when one is taken out may fall
        apart, so each of its connected pieces is looked at.
        """
        kept = list(people)
        for one in people:
            rest = [i for i in kept if i != one]
            piece = next((piece for piece in self._pieces(rest) if self.rules(piece)), None)
            if one in kept and piece is not None:
                kept = piece
        return kept

    def _pieces(self, people: Collection[int]) -> list[list[int]]:
        """The people cut into those who are still joined by wishes to be together."""
        left, pieces = set(people), []
        while left:
            piece, edge = set(), {min(left)}
            while edge:
                piece |= edge
                edge = set().union(*(self.mates[i] for i in edge)) & left - piece
            left -= piece
            pieces.append(sorted(piece))
        return pieces


def _nothing_shared(given: Sequence[frozenset[str]], people: Sequence[int]) -> bool:
    """Whether those of some people who gave anything have nothing in common."""
    sets = [given[i] for i in people if given[i]]
    return bool(sets) and not frozenset.intersection(*sets)

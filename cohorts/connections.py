"""How strongly two people are connected, from what is known of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Final, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

HALF_LIFE: Final = timedelta(days=28)
"""After so long what somebody said, or did together with another, counts half."""


Person = TypeVar("Person", str, int)
"""What people are told apart by."""


@dataclass(frozen=True, slots=True)
class Contact(Generic[Person]):
    """One sign that somebody is connected with somebody else: who gave it, to whom, when, and how strong it
    is, 0 to 1.
    """

    giver: Person
    taker: Person
    at: datetime
    strength: float = 1.0


def strengths(
    contacts: Iterable[Contact[Person]], until: datetime, half_life: timedelta = HALF_LIFE
) -> dict[tuple[Person, Person], float]:
    """Return how strongly each pair is connected, 0 to 1, by the two in order; see `by_pair`."""
    known = [each for each in contacts if each.giver != each.taker]
    people = sorted({person for each in known for person in (each.giver, each.taker)})
    number = {person: at for at, person in enumerate(people)}
    found = by_pair(
        np.array([number[each.giver] for each in known], dtype=np.int64),
        np.array([number[each.taker] for each in known], dtype=np.int64),
        np.array([(until - each.at) / half_life for each in known], dtype=float),
        np.array([each.strength for each in known], dtype=float),
    )
    pairs = [(people[one], people[two]) for one, two in found.pairs()]
    return dict(zip(pairs, found.strength.tolist(), strict=True))


@dataclass(frozen=True, slots=True)
class Pairs:
    """Pairs of people who are connected, as columns, in the order of the two.

    Attributes:
        one: The lower number of the two.
        two: The higher.
        strength: How strongly they are connected, 0 to 1.
        order: The numbers of all contacts, pair by pair and the oldest first.
        begin: Where in ``order`` those of each pair begin.
    """

    one: NDArray[np.int64]
    two: NDArray[np.int64]
    strength: NDArray[np.float64]
    order: NDArray[np.int64]
    begin: NDArray[np.int64]

    def pairs(self) -> Iterator[tuple[int, int]]:
        """Yield the two of each pair."""
        return zip(self.one.tolist(), self.two.tolist(), strict=True)

    def contacts(self) -> Iterator[list[int]]:
        """Yield the numbers of the contacts of each pair, the oldest first."""
        order, begin = self.order.tolist(), self.begin.tolist()
        for first, end in pairwise([*begin, len(order)]):
            yield order[first:end]


def by_pair(
    givers: NDArray[np.int64],
    takers: NDArray[np.int64],
    ages: NDArray[np.float64],
    shares: NDArray[np.float64],
    *,
    mutual: NDArray[np.bool_] | None = None,
) -> Pairs:
    """Return who is connected by contacts: who gave each to whom, how many half-lives ago, and how strong.

    A contact fades by half in each half-life. Of one side's contacts the first tells most: many bring
    that side near 1, never over it. Both sides count alike, so somebody who writes to everybody and is
    answered by nobody is connected by half at most. A ``mutual`` contact is one of both sides.
    """
    one, two = np.minimum(givers, takers), np.maximum(givers, takers)
    order = np.lexsort((-ages, two, one))
    one, two = one[order], two[order]
    if not len(order):
        return Pairs(one, two, np.zeros(0), order, order)
    begin = np.flatnonzero(np.r_[True, (one[1:] != one[:-1]) | (two[1:] != two[:-1])])
    left = 1.0 - shares[order] * 0.5 ** np.maximum(ages[order], 0.0)
    forth = givers[order] == one
    both = np.zeros(len(order), dtype=bool) if mutual is None else mutual[order]
    sides = (np.multiply.reduceat(np.where(side | both, left, 1.0), begin) for side in (forth, ~forth))
    strength = sum(((1.0 - missing) / 2 for missing in sides), np.zeros(len(begin)))
    return Pairs(one[begin], two[begin], strength, order, begin)

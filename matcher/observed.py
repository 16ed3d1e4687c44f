"""Observed connections: who connected, who could have, and the pairs of learners to learn from."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from matcher.exceptions import InvalidPool

Ends = NDArray[np.intp]
Flags = NDArray[np.bool_]
Pair = tuple[str, str]

# Beyond this many connections, a random sample tells as much.
MOST = 5_000
# Pairs that did not connect, for each that did: beyond a few, more tell next to nothing.
OTHERS = 5


@dataclass(frozen=True)
class Observed:
    """Pairs of learners' ids: `connected` are those who did, `could_have` those who had the chance, for
    example by sharing a cohort.

    A pair given twice, or either way round, counts once. `could_have` need not repeat `connected`, whose
    chance is plain; None says that it is not known who had the chance. Ids that are not in the pool have no
    effect, as some people are always gone by the time one learns from them.

    Raises:
        InvalidPool: something is no pair of ids, or pairs somebody with themselves.
    """

    connected: Collection[Pair]
    could_have: Collection[Pair] | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "connected", _in_order("connected", self.connected))
        if self.could_have is not None:
            object.__setattr__(self, "could_have", _in_order("could_have", self.could_have))

    def pairs(self, ids: Iterable[str], random: np.random.Generator) -> Pairs:
        """The pairs to learn from among the learners with these ids.

        They are the connected pairs, at most `MOST`, and for each up to `OTHERS` that did not connect: of
        those who could have, or else two ends of connections put together at random. This takes learners as
        often as they connect, so that what makes people active at all is not mistaken for what draws them to
        each other.
        """
        number = {name: place for place, name in enumerate(sorted(ids))}
        known = _numbered(self.connected, number)
        connected = random.permutation(known)[:MOST]
        wanted = OTHERS * len(connected)
        if self.could_have is not None:
            others = random.permutation(_numbered(self.could_have, number))
        else:
            # Four times as many as are wanted: some are of one learner, known, or there twice.
            others = random.choice(connected.ravel(), (4 * wanted, 2)) if wanted else connected
        others = _new(others, known)[:wanted]
        flags = np.arange(len(connected) + len(others)) < len(connected)
        return Pairs(np.concatenate([connected, others]), flags)


@dataclass(frozen=True)
class Pairs:
    """Pairs to learn from: (m, 2) `ends`, and (m,) whether they `connected`.

    Learners are numbered in the order of their ids, so that what is learnt does not hang on that of the pool.
    """

    ends: Ends
    connected: Flags

    def __len__(self) -> int:
        return len(self.ends)

    @property
    def counts(self) -> tuple[int, int]:
        """How many connected, and how many did not."""
        n_connected = int(self.connected.sum())
        return n_connected, len(self) - n_connected


def _in_order(name: str, pairs: Collection[Pair]) -> tuple[Pair, ...]:
    found = set()
    for pair in pairs:
        if not isinstance(pair, tuple | list) or len(pair) != 2 or not all(isinstance(i, str) for i in pair):
            raise InvalidPool(f"{name}: {pair!r} is not a pair of learners' ids")
        one, other = sorted(pair)
        if one == other:
            raise InvalidPool(f"{name}: {one!r} is paired with themselves; a pair needs two learners")
        found.add((one, other))
    return tuple(sorted(found))


def _numbered(pairs: Collection[Pair], number: Mapping[str, int]) -> Ends:
    both = [(number[one], number[other]) for one, other in pairs if one in number and other in number]
    return np.array(both, dtype=np.intp).reshape(-1, 2)


def _new(pairs: Ends, known: Ends) -> Ends:
    """Each of the pairs where it first stands, without those known and those of one learner."""
    ordered = np.sort(pairs, axis=1)
    ordered = ordered[ordered[:, 0] < ordered[:, 1]]
    size = 1 + max(ordered.max(initial=0), known.max(initial=0))
    codes, known_codes = ordered @ [size, 1], known @ [size, 1]
    first = np.sort(np.unique(codes, return_index=True)[1])
    return ordered[first[~np.isin(codes[first], known_codes)]]

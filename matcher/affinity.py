"""Affinity: how much two learners are likely to have to say to each other, 0..1.

`AffinityModel` makes it from answers: the weighted mean of the similarities of `matcher.features`, one a
question. A question that nobody answered does not count. So that a weight means the same for each, it is
divided by the spread of the question's similarity: equal or not swings between 0 and 1 where tags in common
rarely pass a third, and would otherwise drown them. Connections are the exception: as few have any, their
spread is near 0, and a single tie would drown every answer. They are divided by `TIE_SPREAD` instead, so that
a full tie weighs as much as two standard deviations of a question of the same weight.

Whoever has affinities of their own hands in `Precomputed` or `Dots`. None of these but `Precomputed` ever
holds all pairs: `dense` does so, for pools small enough.

This module imports scikit-learn, whose start takes a second: `matcher.match` imports it when it is needed.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, TransformerMixin

from matcher.availability import availability
from matcher.encoders import Encoder, parts_of
from matcher.exceptions import InvalidPool
from matcher.features import Features, Places, Rows
from matcher.learning import Learnt, Power, Sample, learn, powers
from matcher.observed import Observed, Pair
from matcher.params import Params
from matcher.pool import Pool

CHUNK = 512
# Spreads are measured on about this many learners against about as many as `SAMPLE_COLS`.
SAMPLE = 200
SAMPLE_COLS = 5_000
# A question whose answers hardly differ is not blown up beyond this.
LEAST_SPREAD = 0.05
# The spread of a tie, if half of all pairs had one.
TIE_SPREAD = 0.5
# Pairs looked at together when only they are asked for.
PAIRS = 64
# Cohorts whose affinities are looked up together.
TOGETHER = 16
TOLERANCE = 1e-5


class Affinity(Protocol):
    """Any pair's affinity, on demand."""

    def __len__(self) -> int:
        """The number of learners."""
        ...

    def between(self, rows: Places, cols: Places) -> Rows:
        """(len(rows), len(cols)) float32 affinities, 0..1; a learner's to themselves means nothing."""
        ...

    def take(self, rows: Places) -> Affinity:
        """A small picklable affinity of those learners alone, in that order and on the same scale."""
        ...


@dataclass(frozen=True)
class Answers:
    """The weighted mean over the parts of what learners answered.

    `names`, `weights` (adding up to 1) and `parts` go together; without any, everybody's affinity is 0.
    """

    n: int
    names: tuple[str, ...]
    weights: tuple[float, ...]
    parts: tuple[Features, ...]

    def __len__(self) -> int:
        return self.n

    def between(self, rows: Places, cols: Places) -> Rows:
        """(len(rows), len(cols)) affinities."""
        mean = np.zeros((len(rows), len(cols)), dtype=np.float32)
        for weight, part in zip(self.weights, self.parts, strict=True):
            mean += np.float32(weight) * part.between(rows, cols)
        return np.clip(mean, 0.0, 1.0, out=mean)

    def take(self, rows: Places) -> Answers:
        """Those learners' features, with spelling, rarity and spread of the whole pool."""
        parts = tuple(part.take(rows) for part in self.parts)
        return Answers(len(rows), self.names, self.weights, parts)

    def similarities(self, pairs: NDArray[np.integer]) -> Rows:
        """(m, n_parts) the similarity in each part of (m, 2) pairs of learners."""
        columns = [pair_similarities(part, pairs) for part in self.parts]
        return np.array(columns, dtype=np.float32).reshape(len(self.parts), len(pairs)).T


class Precomputed:
    """Affinities worked out elsewhere.

    Args:
        affinities: (n, n) symmetric, 0..1; the diagonal is not read.

    Raises:
        InvalidPool: the array is not square, not symmetric, or holds something that is no number from 0 to 1.
    """

    def __init__(self, affinities: ArrayLike) -> None:
        array = np.array(affinities, dtype=np.float32)
        if array.ndim != 2 or array.shape[0] != array.shape[1]:
            raise InvalidPool(f"affinity: must be one number a pair, (n, n), not {array.shape}")
        np.fill_diagonal(array, 0.0)
        _check_numbers(array)
        if array.size and (array.min() < 0 or array.max() > 1):
            raise InvalidPool(
                f"affinity: must lie between 0 and 1, not between {array.min():g} and {array.max():g}; take "
                "the least from all and divide by the distance to the greatest"
            )
        for start in range(0, len(array), CHUNK):
            rows = slice(start, start + CHUNK)
            off = np.abs(array[rows] - array[:, rows].T) > TOLERANCE
            if off.any():
                i, j = (int(place) for place in np.argwhere(off)[0])
                raise InvalidPool(
                    f"affinity: must be symmetric, but [{start + i}, {j}] is {array[start + i, j]:g} and "
                    f"[{j}, {start + i}] is {array[j, start + i]:g}; take the mean of both"
                )
        self.affinities: Rows = array

    def __len__(self) -> int:
        return len(self.affinities)

    def between(self, rows: Places, cols: Places) -> Rows:
        """(len(rows), len(cols)) affinities."""
        return self.affinities[np.ix_(rows, cols)]

    def take(self, rows: Places) -> Precomputed:
        """The affinities among those learners."""
        return Precomputed(self.between(rows, rows))


class Dots:
    """Affinities from feature rows: (1 + x_i . x_j) / 2, which for rows of length 1 grows with their cosine.

    Args:
        rows: (n, d), none longer than 1.

    Raises:
        InvalidPool: the array has no rows of numbers, or a row is longer than 1.
    """

    def __init__(self, rows: ArrayLike) -> None:
        array = np.array(rows, dtype=np.float32)
        if array.ndim != 2:
            raise InvalidPool(f"affinity: must be one row a learner, (n, d), not {array.shape}")
        _check_numbers(array)
        lengths = np.sqrt((array.astype(np.float64) ** 2).sum(axis=1))
        if (lengths > 1 + TOLERANCE).any():
            longest = int(lengths.argmax())
            raise InvalidPool(
                f"affinity: no row may be longer than 1, but row {longest} is {lengths[longest]:g} long; "
                "divide each by its length (cosine), or all by that of the longest"
            )
        self.rows: Rows = array

    def __len__(self) -> int:
        return len(self.rows)

    def between(self, rows: Places, cols: Places) -> Rows:
        """(len(rows), len(cols)) affinities."""
        return np.clip((1 + self.rows[rows] @ self.rows[cols].T) / 2, 0.0, 1.0)

    def take(self, rows: Places) -> Dots:
        """Those learners' rows."""
        return Dots(self.rows[rows])


def _check_numbers(array: Rows) -> None:
    wrong = ~np.isfinite(array)
    if wrong.any():
        place = ", ".join(str(k) for k in np.argwhere(wrong)[0].tolist())
        raise InvalidPool(f"affinity: [{place}] is no number; every pair needs one")


@dataclass(frozen=True)
class Part:
    """One part of the affinity, made for a pool: its weight counts in units of its spread."""

    name: str
    weight: float
    spread: float
    encoder: Encoder
    features: Features


class AffinityModel(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Learns from a pool's answers how to tell affinity, and from observed connections what matters in it.

    Attributes:
        names_: the parts: questions by their keys, `wants and offers`, `connections`.
        weights_: (n_parts,) the weight of each, by its spread; they add up to 1.
        encoders_: what each part learnt.
        learnt_: what observed connections taught, and whether `weights_` come from it; None without any.
    """

    def __init__(self, params: Params) -> None:
        self.params = params

    def fit(
        self, pool: Pool, y: Observed | None = None, tick: Callable[[], object] = lambda: None
    ) -> AffinityModel:
        """Learn spellings, rarities, ranges and spreads, and from `y`, if given, weights.

        Learnt weights are used only where they predict held-out connections better than the organiser's, and
        better than chance (see `matcher.learning`). Only what looks for likeness, and wants and offers, is
        learnt. What mixes or balances cohorts is wanted for its own sake, whoever connects; and known
        connections would be told by themselves. These keep the organiser's weights and have no say in an AUC;
        the others share the sum of theirs. `tick` is called between pieces of the work.

        Raises:
            InvalidPool: an answer is not of its question's kind.
        """
        parts = made_parts(pool, self.params, tick)
        self.names_ = [part.name for part in parts]
        self.encoders_ = [part.encoder for part in parts]
        self.learnt_ = None if y is None else learn_weights(pool, self.params, parts, y, tick)
        learnt = self.learnt_
        weights = learnt.weights if learnt and learnt.is_used else [part.weight for part in parts]
        by_spread = np.array(weights, dtype=np.float64) / [part.spread for part in parts]
        self.weights_ = by_spread / (by_spread.sum() or 1.0)
        return self

    def transform(self, pool: Pool) -> Answers:
        """The affinity of a pool's learners."""
        parts = tuple(encoder.transform(pool) for encoder in self.encoders_)
        return Answers(len(pool), tuple(self.names_), tuple(self.weights_.tolist()), parts)


def made_parts(pool: Pool, params: Params, tick: Callable[[], object] = lambda: None) -> list[Part]:
    """Each part that weighs anything, its encoder fitted to the pool; `tick` is called after each."""
    parts = []
    for name, weight, encoder in parts_of(pool, params):
        features = encoder.fit(pool).transform(pool)
        spread = TIE_SPREAD if name == "connections" else spread_of(features, len(pool))
        parts.append(Part(name, weight, spread, encoder, features))
        tick()
    return parts


def learn_weights(
    pool: Pool, params: Params, parts: Sequence[Part], observed: Observed, tick: Callable[[], object]
) -> Learnt:
    """What connections teach about the parts that may be learnt; the others keep their weights."""
    mixing = ("diverse", "balanced")
    kept = {"connections", *(question.key for question in params.questions if question.goal in mixing)}
    own = [k for k, part in enumerate(parts) if part.name not in kept]
    weights = np.array([part.weight for part in parts], dtype=np.float64)
    random = np.random.default_rng(params.random_state)
    sample = compared(pool, [parts[k] for k in own], observed, random)
    learnt = learn(sample, weights[own], random, tick)
    weights[own] = learnt.weights
    return replace(learnt, weights=tuple(weights.tolist()))


COMMON_HOURS = "common hours"


def predictive_power(
    pool: Pool, params: Params, observed: Observed, known: Mapping[str, Collection[Pair]] | None = None
) -> tuple[Power, ...]:
    """How well each part alone predicts connections, also questions that weigh nothing.

    With `known`, named sets of pairs of ids, these are asked about too, each as a yes or no; and so are
    `COMMON_HOURS`, how many blocks a pair has in common.

    Raises:
        InvalidPool: an answer is not of its question's kind.
    """
    all_count = tuple(replace(question, weight=1.0) for question in params.questions)
    params = replace(params, questions=all_count, complement_weight=1.0, connections_weight=0.0)
    parts = made_parts(pool, params)
    sample = compared(pool, parts, observed, np.random.default_rng(params.random_state))
    names = [part.name for part in parts]
    if known is not None:
        ids = sorted(pool.index())
        columns = [_common_blocks(pool, params, ids, sample.pairs.ends)]
        columns += [_are_among(pairs, ids, sample.pairs.ends) for pairs in known.values()]
        sample = Sample(np.column_stack([sample.x, *columns]), sample.pairs)
        names += [COMMON_HOURS, *known]
    return powers(sample, names)


def _common_blocks(
    pool: Pool, params: Params, ids: Sequence[str], ends: NDArray[np.intp]
) -> NDArray[np.float64]:
    """(m,) how many starts suit both of each pair, by the clock that gives them most."""
    place = pool.index()
    can = availability(pool, params).can[[place[name] for name in ids]]
    both = np.bitwise_count(can[ends[:, 0]] & can[ends[:, 1]]).sum(axis=2)
    most: NDArray[np.float64] = both.max(axis=1, initial=0).astype(np.float64)
    return most


def _are_among(pairs: Collection[Pair], ids: Sequence[str], ends: NDArray[np.intp]) -> NDArray[np.float64]:
    """(m,) 1 for each pair that is among some."""
    known = {frozenset(pair) for pair in pairs}
    return np.array([frozenset((ids[a], ids[b])) in known for a, b in ends.tolist()], dtype=np.float64)


def compared(pool: Pool, parts: Sequence[Part], observed: Observed, random: np.random.Generator) -> Sample:
    """Pairs to learn from and how alike they are in each part, in units of its spread."""
    place = pool.index()
    pairs = observed.pairs(place, random)
    ends = np.array([place[name] for name in sorted(place)], dtype=np.intp)[pairs.ends]
    columns = [pair_similarities(part.features, ends) / part.spread for part in parts]
    x = np.array(columns, dtype=np.float64).reshape(len(parts), len(pairs)).T
    return Sample(x, pairs)


def pair_similarities(features: Features, pairs: NDArray[np.integer]) -> Rows:
    """(m,) the similarities of (m, 2) pairs of learners."""
    found = np.zeros(len(pairs), dtype=np.float32)
    for start in range(0, len(pairs), PAIRS):
        some = np.asarray(pairs[start : start + PAIRS], dtype=np.intp)
        found[start : start + PAIRS] = np.diagonal(features.between(some[:, 0], some[:, 1]))
    return found


def spread_of(features: Features, n: int) -> float:
    """The standard deviation of a question's similarity over a sample of pairs, but not below a floor."""
    rows = np.arange(0, n, max(1, n // SAMPLE))
    cols = np.arange(0, n, max(1, n // SAMPLE_COLS))
    return max(LEAST_SPREAD, float(features.between(rows, cols).std()))


def dense(affinity: Affinity, tick: Callable[[], object] = lambda: None) -> Rows:
    """(n, n) float32 affinity of every pair, 0 on the diagonal; for small pools alone.

    `tick` is called between pieces of the work, a few times a second.
    """
    n = len(affinity)
    array = np.zeros((n, n), dtype=np.float32)
    for rows in chunks(n):
        array[rows[0] : rows[-1] + 1] = affinity.between(rows, np.arange(n))
        tick()
    np.fill_diagonal(array, 0.0)
    return array


def chunks(n: int, size: int = CHUNK) -> Iterator[Places]:
    """0..n-1 in pieces."""
    for start in range(0, n, size):
        yield np.arange(start, min(start + size, n))


def among(affinity: Affinity | Features, cohorts: Sequence[Sequence[int]]) -> Iterator[Rows]:
    """For each cohort the (k, k) affinities of its members; several are looked up at once."""
    for start in range(0, len(cohorts), TOGETHER):
        some = cohorts[start : start + TOGETHER]
        rows = np.array([i for members in some for i in members], dtype=np.intp)
        block, at = affinity.between(rows, rows), 0
        for members in some:
            yield block[at : at + len(members), at : at + len(members)]
            at += len(members)


def as_affinity(given: Affinity | ArrayLike, pool: Pool) -> Affinity:
    """What was handed in, checked against the pool; an (n, n) array is taken as `Precomputed`.

    Raises:
        InvalidPool: it is for another number of learners, or not well made.
    """
    affinity = cast(Affinity, given) if hasattr(given, "between") else Precomputed(given)
    if len(affinity) != len(pool):
        raise InvalidPool(f"affinity: is for {len(affinity)} learners, but the pool has {len(pool)}")
    return affinity


def pool_affinity(pool: Pool, params: Params, tick: Callable[[], object] = lambda: None) -> Rows:
    """`dense` affinities of a small pool from its answers.

    Raises:
        InvalidPool: an answer is not of its question's kind.
    """
    return dense(AffinityModel(params).fit(pool, tick=tick).transform(pool), tick)

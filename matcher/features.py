"""Features: what the learners gave to one question, in a small object that knows how similar any two are.

Each gives a similarity between 0 and 1:

- tags: the weighted Jaccard index, a tag's weight growing mildly as it gets rarer;
- text: the cosine of TF-IDF features over words and character n-grams, so that misspellings still meet;
- number: 1 minus the distance, in units of the range that holds the middle 90 % of answers;
- category: 1 when equal;
- ratings: 1 minus the mean distance over the items that both rated, in units of the whole range;
- `diverse` turns any of these round;
- `balanced` numbers and categories: (1 - z_i . z_j) / 2, where z is the answer's distance from the pool's
  mean. Over the pairs of a cohort these add up to minus the square of the cohort's distance from the pool's
  mean, and terms that do not depend on who sits where: the more like the pool, the better;
- wants met by offers, half for each direction;
- connections: the stronger of what the two say of each other.

They take memory in proportion to the answers, never to their pairs. `matcher.encoders` makes them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

Rows = NDArray[np.float32]
Places = NDArray[np.intp]

NEUTRAL = 0.5


class Features(Protocol):
    """What the learners gave to one question."""

    def between(self, rows: Places, cols: Places) -> Rows:
        """(len(rows), len(cols)) similarities, 0..1."""
        ...

    def take(self, rows: Places) -> Features:
        """Those learners' features alone."""
        ...


@dataclass(frozen=True)
class TagSets:
    """Sets of tags: their weights, which are held, and each set's total."""

    weights: sparse.csr_array
    held: sparse.csr_array
    mass: Rows

    def between(self, rows: Places, cols: Places) -> Rows:
        """The weighted Jaccard index; 0 between two empty sets."""
        both = _products(self.held[rows], self.weights[cols])
        either = self.mass[rows, None] + self.mass[cols] - both
        return _float32(np.divide(both, either, out=np.zeros_like(both), where=either > 0))

    def take(self, rows: Places) -> TagSets:
        """Those learners' sets, weighed as in the whole pool."""
        return TagSets(self.weights[rows], self.held[rows], self.mass[rows])


@dataclass(frozen=True)
class Texts:
    """Two blocks of unit rows side by side: words and character n-grams."""

    rows: sparse.csr_array

    def between(self, rows: Places, cols: Places) -> Rows:
        """The mean of both cosines."""
        return _float32(_products(self.rows[rows], self.rows[cols]) / 2)

    def take(self, rows: Places) -> Texts:
        """Those learners' rows."""
        return Texts(self.rows[rows])


@dataclass(frozen=True)
class Numbers:
    """Numbers in units of their usual range; NaN where none was given."""

    values: Rows

    def between(self, rows: Places, cols: Places) -> Rows:
        """1 minus the distance, at least 0."""
        alike = 1 - np.minimum(np.abs(self.values[rows, None] - self.values[cols]), 1)
        return _float32(np.nan_to_num(alike, nan=NEUTRAL))

    def take(self, rows: Places) -> Numbers:
        """Those learners' numbers."""
        return Numbers(self.values[rows])


@dataclass(frozen=True)
class Ratings:
    """Ratings in units of their range, one column an item; NaN where none was given."""

    values: Rows

    def between(self, rows: Places, cols: Places) -> Rows:
        """1 minus the mean distance over the items that both rated."""
        far = np.zeros((len(rows), len(cols)), dtype=np.float32)
        both = np.zeros_like(far)
        for item in self.values.T:
            apart = np.abs(item[rows, None] - item[cols])
            both += ~np.isnan(apart)
            far += np.nan_to_num(apart)
        alike = 1 - np.divide(far, both, out=np.full_like(far, 1 - NEUTRAL), where=both > 0)
        return _float32(alike)

    def take(self, rows: Places) -> Ratings:
        """Those learners' ratings."""
        return Ratings(self.values[rows])


@dataclass(frozen=True)
class Categories:
    """Categories as numbers from 0; -1 where none was given."""

    codes: NDArray[np.int32]

    def between(self, rows: Places, cols: Places) -> Rows:
        """1 where equal."""
        mine, theirs = self.codes[rows, None], self.codes[cols]
        known = (mine >= 0) & (theirs >= 0)
        return np.where(known, mine == theirs, NEUTRAL).astype(np.float32)

    def take(self, rows: Places) -> Categories:
        """Those learners' categories."""
        return Categories(self.codes[rows])


@dataclass(frozen=True)
class Turned:
    """The other way round: what was alike is different."""

    features: Features

    def between(self, rows: Places, cols: Places) -> Rows:
        """1 minus the similarity."""
        return 1 - self.features.between(rows, cols)

    def take(self, rows: Places) -> Turned:
        """Those learners' features."""
        return Turned(self.features.take(rows))


@dataclass(frozen=True)
class Deviations:
    """Distances from the pool's mean, -1..1; 0 where no number was given."""

    z: Rows

    def between(self, rows: Places, cols: Places) -> Rows:
        """High where one is above the mean and the other below."""
        return _float32((1 - self.z[rows, None] * self.z[cols]) / 2)

    def take(self, rows: Places) -> Deviations:
        """Those learners' distances, from the mean of the whole pool."""
        return Deviations(self.z[rows])


@dataclass(frozen=True)
class CategoryDeviations:
    """Categories (-1: none), and the product of two centred, scaled one-hot vectors in closed form.

    With shares p of the pool, (e_a - p) . (e_b - p) = [a = b] - p_a - p_b + p . p.
    """

    codes: NDArray[np.int32]
    shares: Rows
    longest: float

    def between(self, rows: Places, cols: Places) -> Rows:
        """Low between two of one rare category."""
        mine, theirs = self.codes[rows], self.codes[cols]
        even = self.shares @ self.shares
        equal = (mine[:, None] == theirs).astype(np.float32)
        dot = equal - self.shares[mine][:, None] - self.shares[theirs] + even
        known = (mine >= 0)[:, None] & (theirs >= 0)
        return np.where(known, (1 - dot / self.longest) / 2, NEUTRAL).astype(np.float32)

    def take(self, rows: Places) -> CategoryDeviations:
        """Those learners' categories, measured by the whole pool's shares."""
        return CategoryDeviations(self.codes[rows], self.shares, self.longest)


@dataclass(frozen=True)
class Help:
    """Who offers and who wants what, one column a word."""

    offers: sparse.csr_array
    wants: sparse.csr_array

    def between(self, rows: Places, cols: Places) -> Rows:
        """Half for each direction in which a want meets an offer."""
        given = _products(self.offers[rows], self.wants[cols]) > 0
        taken = _products(self.wants[rows], self.offers[cols]) > 0
        return _float32((given.astype(np.float32) + taken) / 2)

    def take(self, rows: Places) -> Help:
        """Those learners' offers and wants."""
        return Help(self.offers[rows], self.wants[rows])


@dataclass(frozen=True)
class Ties:
    """(n, n) strengths of known connections, sparse and symmetric."""

    strengths: sparse.csr_array

    def between(self, rows: Places, cols: Places) -> Rows:
        """The strength of each tie, 0 where there is none."""
        return _float32(self.strengths[rows][:, cols].toarray())

    def take(self, rows: Places) -> Ties:
        """The ties among those learners."""
        return Ties(self.strengths[rows][:, rows])


def _float32(values: Any) -> Rows:
    return np.asarray(values, dtype=np.float32)


def _products(rows: sparse.csr_array, cols: sparse.csr_array) -> Rows:
    return _float32((rows @ cols.T).toarray())

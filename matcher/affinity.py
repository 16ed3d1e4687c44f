"""Answers to features to affinity: how much two learners are likely to have to say to each other.

Each question gives a similarity between 0 and 1 for every pair:

- tags: the weighted Jaccard index, a tag's weight growing mildly as it gets rarer;
- text: the cosine of TF-IDF features over words and character n-grams, so that misspellings still meet;
- number: 1 minus the distance, in units of the range that holds the middle 90 % of answers;
- category: 1 when equal.

`diverse` turns it round. The affinity is the weighted mean over questions, in which `wants met by offers`
(both directions) counts as one more. A question that nobody answered does not count. So that a weight
means the same for each, it is divided by the spread of the question's similarity: equal or not swings
between 0 and 1 where tags in common rarely pass a third, and would otherwise drown them.

This module imports scikit-learn, whose start takes a second: `matcher.match` imports it when it is needed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.feature_extraction.text import CountVectorizer, TfidfTransformer, TfidfVectorizer
from sklearn.pipeline import Pipeline, make_pipeline, make_union

from matcher.exceptions import InvalidPool
from matcher.params import Params, Question
from matcher.pool import Learner, Pool, fold
from matcher.spelling import one_spelling

Rows = NDArray[np.float32]
# One function a question: the similarities of learners start..stop to all, (stop - start, n).
Block = Callable[[slice], Rows]

CHUNK = 512
NEUTRAL = 0.5
SAMPLE = 200
# A question whose answers hardly differ is not blown up beyond this.
LEAST_SPREAD = 0.05


class Dampen(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Raise every entry to `power`: with 0.5, a tag four times as telling by its idf counts twice as much."""

    def __init__(self, power: float = 0.5) -> None:
        self.power = power

    def fit(self, X: Any, y: Any = None) -> Dampen:
        """Nothing to learn."""
        return self

    def transform(self, X: Any) -> Any:
        """The same sparse matrix with its entries raised."""
        return sparse.csr_array(X).power(self.power)


def _as_they_are(tags: frozenset[str]) -> list[str]:
    return sorted(tags)


def tag_features() -> Pipeline:
    """Sets of tags to (n, n_tags) weights: one a tag held, the square root of its smoothed idf."""
    return make_pipeline(
        CountVectorizer(analyzer=_as_they_are, binary=True, dtype=np.float32),
        TfidfTransformer(norm=None, smooth_idf=True),
        Dampen(0.5),
    )


def text_features() -> Any:
    """Texts to (n, n_features) unit rows over words and character n-grams."""
    words = TfidfVectorizer(sublinear_tf=True, dtype=np.float32)
    parts = TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 4), sublinear_tf=True, dtype=np.float32)
    return make_union(words, parts)


def pool_affinity(pool: Pool, params: Params, tick: Callable[[], None] = lambda: None) -> Rows:
    """(n, n) float32 affinity of every pair, 0..1, 0 on the diagonal; 0 throughout when nothing was asked.

    `tick` is called between pieces of the work, a few times a second.

    Raises:
        InvalidPool: an answer is not of its question's kind.
    """
    n = len(pool)
    affinity = np.zeros((n, n), dtype=np.float32)
    parts = [(weight / _spread(block, n), block) for weight, block in _parts(pool, params, tick)]
    total = sum(weight for weight, _ in parts)
    for start in range(0, n, CHUNK):
        rows = slice(start, min(start + CHUNK, n))
        for weight, block in parts:
            affinity[rows] += np.float32(weight / total) * block(rows)
        tick()
    np.fill_diagonal(affinity, 0.0)
    return np.clip(affinity, 0.0, 1.0, out=affinity)


def _parts(pool: Pool, params: Params, tick: Callable[[], None]) -> Iterator[tuple[float, Block]]:
    makers = {"tags": _tags, "text": _text, "number": _number, "category": _category}
    for question in params.questions:
        answers = [learner.answers.get(question.key) for learner in pool.learners]
        if question.weight > 0 and any(answer not in (None, "", frozenset()) for answer in answers):
            block = makers[question.kind](pool, question)
            yield question.weight, _turned(block) if question.goal == "diverse" else block
        tick()
    offered = any(learner.offers for learner in pool.learners)
    if params.complement_weight > 0 and offered and any(learner.wants for learner in pool.learners):
        yield params.complement_weight, _complement(pool)


def _float32(values: Any) -> Rows:
    return np.asarray(values, dtype=np.float32)


def _spread(block: Block, n: int) -> float:
    """The standard deviation of a question's similarity over a sample of pairs, but not below a floor."""
    return max(LEAST_SPREAD, float(block(slice(0, n, max(1, n // SAMPLE))).std()))


def _turned(block: Block) -> Block:
    return lambda rows: 1 - block(rows)


def _wrong(learner: Learner, question: Question, answer: object) -> InvalidPool:
    return InvalidPool(
        f"{learner.id}: answers: {question.key}: {answer!r} is no answer of the kind {question.kind}"
    )


def tags_of(learner: Learner, question: Question) -> frozenset[str]:
    """A learner's case-folded tags for a question.

    Raises:
        InvalidPool: the answer is neither a text nor a set of texts.
    """
    answer = learner.answers.get(question.key)
    if answer is None or answer == "":
        return frozenset()
    if isinstance(answer, str):
        return fold([answer])
    if not isinstance(answer, frozenset | set) or not all(isinstance(tag, str) for tag in answer):
        raise _wrong(learner, question, answer)
    return fold(answer)


def spelled(sets: list[frozenset[str]]) -> list[frozenset[str]]:
    """The same sets with every tag in its most common spelling."""
    right = one_spelling(sets)
    return [frozenset(right[tag] for tag in ones) for ones in sets]


def spelled_tags(pool: Pool, params: Params) -> dict[str, list[frozenset[str]]]:
    """For each question of the kind tags, every learner's tags in one spelling."""
    return {
        question.key: spelled([tags_of(learner, question) for learner in pool.learners])
        for question in params.questions
        if question.kind == "tags"
    }


def _tags(pool: Pool, question: Question) -> Block:
    sets = spelled([tags_of(learner, question) for learner in pool.learners])
    features = sparse.csr_array(tag_features().fit_transform(sets))
    held = features.copy()
    held.data[:] = 1.0
    mass = np.asarray(features.sum(axis=1), dtype=np.float32).ravel()

    def block(rows: slice) -> Rows:
        both = (held[rows] @ features.T).toarray()
        either = mass[rows, None] + mass[None, :] - both
        return _float32(np.divide(both, either, out=np.zeros_like(both), where=either > 0))

    return block


def _text(pool: Pool, question: Question) -> Block:
    texts = []
    for learner in pool.learners:
        answer = learner.answers.get(question.key) or ""
        if not isinstance(answer, str):
            raise _wrong(learner, question, answer)
        texts.append(answer)
    # A text of nothing but signs leaves no word to learn from; it is then like nobody's.
    if not any(any(ch.isalnum() for ch in text) for text in texts):
        return lambda rows: np.zeros((len(texts[rows]), len(texts)), dtype=np.float32)
    features = sparse.csr_array(text_features().fit_transform(["  " + text for text in texts]))
    # Two unit blocks side by side, so that the dot product of two rows lies between 0 and 2.
    return lambda rows: np.asarray((features[rows] @ features.T).toarray() / 2, dtype=np.float32)


def _number(pool: Pool, question: Question) -> Block:
    values = np.full(len(pool), np.nan, dtype=np.float32)
    for i, learner in enumerate(pool.learners):
        answer = learner.answers.get(question.key)
        if answer is None or answer == "":
            continue
        if isinstance(answer, bool) or not isinstance(answer, int | float) or not np.isfinite(answer):
            raise _wrong(learner, question, answer)
        values[i] = answer
    low, high = np.nanquantile(values, [0.05, 0.95])
    reach = float(high - low) or 1.0

    def block(rows: slice) -> Rows:
        alike = 1 - np.minimum(np.abs(values[rows, None] - values[None, :]) / reach, 1)
        return _float32(np.nan_to_num(alike, nan=NEUTRAL))

    return block


def _category(pool: Pool, question: Question) -> Block:
    numbers: dict[str, int] = {}
    values = np.full(len(pool), -1)
    for i, learner in enumerate(pool.learners):
        answer = learner.answers.get(question.key)
        if answer is None or answer == "":
            continue
        if not isinstance(answer, str):
            raise _wrong(learner, question, answer)
        values[i] = numbers.setdefault(answer.strip().casefold(), len(numbers))

    def block(rows: slice) -> Rows:
        mine, theirs = values[rows, None], values[None, :]
        known = (mine >= 0) & (theirs >= 0)
        return np.where(known, mine == theirs, NEUTRAL).astype(np.float32)

    return block


def _complement(pool: Pool) -> Block:
    sets = spelled([fold(one.offers) for one in pool.learners] + [fold(one.wants) for one in pool.learners])
    held = CountVectorizer(analyzer=_as_they_are, binary=True, dtype=np.float32).fit_transform(sets)
    offers, wants = held[: len(pool)], held[len(pool) :]

    def block(rows: slice) -> Rows:
        given = (offers[rows] @ wants.T).toarray() > 0
        taken = (wants[rows] @ offers.T).toarray() > 0
        return _float32((given.astype(np.float32) + taken) / 2)

    return block

"""Encoders: for each question, how its answers become the features of `matcher.features`.

An encoder learns from a pool what is usual, such as spellings, rarities and ranges, and then turns any pool's
answers into features on that scale.

This module imports scikit-learn, whose start takes a second: `matcher.match` imports it when it is needed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.feature_extraction.text import CountVectorizer, TfidfTransformer, TfidfVectorizer
from sklearn.pipeline import Pipeline, make_pipeline, make_union

from matcher.exceptions import InvalidPool
from matcher.features import (
    Categories,
    CategoryDeviations,
    Deviations,
    Features,
    Help,
    Numbers,
    Ratings,
    TagSets,
    Texts,
    Ties,
    Turned,
)
from matcher.params import Params, Question
from matcher.pool import Exchange, Learner, Pool, fold
from matcher.spelling import one_spelling


class Encoder(Protocol):
    """Learns from a pool's answers to one question how to turn answers into features."""

    def fit(self, pool: Pool) -> Encoder:
        """Learn from a pool."""
        ...

    def transform(self, pool: Pool) -> Features:
        """The features of a pool's learners."""
        ...


class Dampen(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Raise every entry to `power`: with 0.5, a tag four times as telling by its idf counts twice as much."""

    def __init__(self, power: float = 0.5) -> None:
        self.power = power

    def fit(self, X: Any, y: Any = None) -> Dampen:
        """Nothing to learn."""
        return self

    def __sklearn_is_fitted__(self) -> bool:
        return True

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


def is_given(answer: object) -> bool:
    """Whether a learner answered at all."""
    return answer is not None and answer not in ("", frozenset(), {}, Exchange())


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


def _texts(pool: Pool, question: Question) -> list[str]:
    texts = []
    for learner in pool.learners:
        answer = learner.answers.get(question.key)
        if answer is not None and not isinstance(answer, str):
            raise _wrong(learner, question, answer)
        texts.append(answer or "")
    return texts


def _numbers(pool: Pool, question: Question) -> NDArray[np.float64]:
    values = np.full(len(pool), np.nan)
    for i, learner in enumerate(pool.learners):
        answer = learner.answers.get(question.key)
        if answer is None or answer == "":
            continue
        if not _is_number(answer):
            raise _wrong(learner, question, answer)
        values[i] = answer
    return values


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and bool(np.isfinite(value))


class TagEncoder:
    """Learns the usual spellings and how rare each tag is."""

    def __init__(self, question: Question) -> None:
        self.question = question

    def fit(self, pool: Pool) -> TagEncoder:
        """Learn from a pool."""
        sets = [tags_of(learner, self.question) for learner in pool.learners]
        self.spelling_ = one_spelling(sets)
        self.weigh_ = tag_features().fit(self._spelled(sets))
        return self

    def transform(self, pool: Pool) -> TagSets:
        """Tags that the pool learnt from did not have are left out."""
        sets = [tags_of(learner, self.question) for learner in pool.learners]
        weights = sparse.csr_array(self.weigh_.transform(self._spelled(sets)))
        held = weights.copy()
        held.data[:] = 1.0
        return TagSets(weights, held, np.asarray(weights.sum(axis=1), dtype=np.float32).ravel())

    def _spelled(self, sets: list[frozenset[str]]) -> list[frozenset[str]]:
        return [frozenset(self.spelling_.get(tag, tag) for tag in ones) for ones in sets]


class TextEncoder:
    """Learns the words and n-grams of a pool's texts."""

    def __init__(self, question: Question) -> None:
        self.question = question

    def fit(self, pool: Pool) -> TextEncoder:
        """Learn from a pool."""
        texts = _texts(pool, self.question)
        # A text of nothing but signs leaves no word to learn from; it is then like nobody's.
        has_words = any(any(ch.isalnum() for ch in text) for text in texts)
        self.weigh_ = text_features().fit(["  " + text for text in texts]) if has_words else None
        return self

    def transform(self, pool: Pool) -> Texts:
        """Words and n-grams that the pool learnt from did not have are left out."""
        texts = _texts(pool, self.question)
        if self.weigh_ is None:
            return Texts(sparse.csr_array((len(texts), 1), dtype=np.float32))
        return Texts(sparse.csr_array(self.weigh_.transform(["  " + text for text in texts])))


class NumberEncoder:
    """Learns the range that holds the middle 90 % of the answers."""

    def __init__(self, question: Question) -> None:
        self.question = question

    def fit(self, pool: Pool) -> NumberEncoder:
        """Learn from a pool."""
        values = _numbers(pool, self.question)
        self.low_, self.high_ = np.nanquantile(values, [0.05, 0.95])
        usual = np.clip(values, self.low_, self.high_)
        self.mean_ = float(np.nanmean(usual))
        self.farthest_ = max(self.high_ - self.mean_, self.mean_ - self.low_) or 1.0
        return self

    def transform(self, pool: Pool) -> Features:
        """Numbers, or their distances from the mean when they are to be balanced."""
        values = _numbers(pool, self.question)
        if self.question.goal == "balanced":
            z = (np.clip(values, self.low_, self.high_) - self.mean_) / self.farthest_
            return Deviations(np.nan_to_num(z).astype(np.float32))
        return Numbers((values / ((self.high_ - self.low_) or 1.0)).astype(np.float32))


class RatingEncoder:
    """Learns which items there are and the range of all ratings."""

    def __init__(self, question: Question) -> None:
        self.question = question

    def fit(self, pool: Pool) -> RatingEncoder:
        """Learn from a pool."""
        given = [self._ratings(learner) for learner in pool.learners]
        self.items_ = {
            item: k for k, item in enumerate(dict.fromkeys(item for each in given for item in each))
        }
        values = [value for each in given for value in each.values()]
        self.range_ = max(values) - min(values) or 1.0
        return self

    def transform(self, pool: Pool) -> Ratings:
        """Items that the pool learnt from did not have are left out."""
        values = np.full((len(pool), len(self.items_)), np.nan, dtype=np.float32)
        for i, learner in enumerate(pool.learners):
            for item, value in self._ratings(learner).items():
                if item in self.items_:
                    values[i, self.items_[item]] = value / self.range_
        return Ratings(values)

    def _ratings(self, learner: Learner) -> Mapping[str, float]:
        answer = learner.answers.get(self.question.key)
        if not is_given(answer):
            return {}
        if not isinstance(answer, Mapping) or not all(map(_is_number, answer.values())):
            raise _wrong(learner, self.question, answer)
        return answer


class CategoryEncoder:
    """Learns which categories there are and how common each is."""

    def __init__(self, question: Question) -> None:
        self.question = question

    def fit(self, pool: Pool) -> CategoryEncoder:
        """Learn from a pool."""
        given = [word for word in self._words(pool) if word]
        self.numbers_ = {word: k for k, word in enumerate(dict.fromkeys(given))}
        counts = np.bincount([self.numbers_[word] for word in given], minlength=1)
        self.shares_ = (counts / max(1, counts.sum())).astype(np.float32)
        # The longest centred one-hot vector is that of the rarest category.
        even = self.shares_ @ self.shares_
        self.longest_ = float(1 - 2 * self.shares_.min() + even) if len(self.numbers_) > 1 else 1.0
        return self

    def transform(self, pool: Pool) -> Features:
        """Categories, or their distances from the pool's shares when they are to be balanced."""
        codes = np.array([self.numbers_.get(word, -1) for word in self._words(pool)], dtype=np.int32)
        if self.question.goal == "balanced":
            return CategoryDeviations(codes, self.shares_, self.longest_)
        return Categories(codes)

    def _words(self, pool: Pool) -> list[str]:
        return [text.strip().casefold() for text in _texts(pool, self.question)]


def exchange_of(learner: Learner, question: Question | None) -> Exchange:
    """What a learner offers and wants by their answer to a question of the kind help, or as such.

    Raises:
        InvalidPool: the answer is no exchange.
    """
    if question is None:
        return Exchange(learner.offers, learner.wants)
    answer = learner.answers.get(question.key)
    if not is_given(answer):
        return Exchange()
    if not isinstance(answer, Exchange):
        raise _wrong(learner, question, answer)
    return answer


class HelpEncoder:
    """Learns the words in which help is offered and wanted: in a question of that kind, or without one in
    what learners offer and want as such.
    """

    def __init__(self, question: Question | None = None) -> None:
        self.question = question

    def fit(self, pool: Pool) -> HelpEncoder:
        """Learn from a pool."""
        sets = self._offers(pool) + self._wants(pool)
        self.spelling_ = one_spelling(sets)
        self.count_ = CountVectorizer(analyzer=_as_they_are, binary=True, dtype=np.float32)
        self.count_.fit(self._spelled(sets))
        return self

    def transform(self, pool: Pool) -> Help:
        """Who offers and who wants what."""
        offers, wants = (
            sparse.csr_array(self.count_.transform(self._spelled(sets)))
            for sets in (self._offers(pool), self._wants(pool))
        )
        return Help(offers, wants)

    def _offers(self, pool: Pool) -> list[frozenset[str]]:
        return [fold(exchange_of(learner, self.question).offers) for learner in pool.learners]

    def _wants(self, pool: Pool) -> list[frozenset[str]]:
        return [fold(exchange_of(learner, self.question).wants) for learner in pool.learners]

    def _spelled(self, sets: list[frozenset[str]]) -> list[frozenset[str]]:
        return [frozenset(self.spelling_.get(tag, tag) for tag in ones) for ones in sets]


class TieEncoder:
    """Puts known connections into a matrix; there is nothing to learn."""

    def fit(self, pool: Pool) -> TieEncoder:
        """Nothing to learn."""
        return self

    def transform(self, pool: Pool) -> Ties:
        """The stronger of what two learners say of each other; ties to others than the pool's are left
        out.
        """
        place = pool.index()
        ties = [
            (i, place[other], strength)
            for i, learner in enumerate(pool.learners)
            for other, strength in learner.connections.items()
            if place.get(other, i) != i
        ]
        rows, cols, strengths = zip(*ties, strict=True) if ties else ((), (), ())
        shape = (len(pool), len(pool))
        told = sparse.csr_array((np.array(strengths, dtype=np.float32), (rows, cols)), shape=shape)
        return Ties(sparse.csr_array(told.maximum(told.T)))


class Turn:
    """Another encoder's features turned round."""

    def __init__(self, encoder: Encoder) -> None:
        self.encoder = encoder

    def fit(self, pool: Pool) -> Turn:
        """Learn from a pool."""
        self.encoder.fit(pool)
        return self

    def transform(self, pool: Pool) -> Turned:
        """The features of a pool's learners."""
        return Turned(self.encoder.transform(pool))


def encoder_of(question: Question) -> Encoder:
    """The encoder of a question's kind and goal, not yet fitted."""
    makers: dict[str, type[Any]] = {
        "tags": TagEncoder,
        "text": TextEncoder,
        "number": NumberEncoder,
        "category": CategoryEncoder,
        "ratings": RatingEncoder,
        "help": HelpEncoder,
    }
    encoder: Encoder = makers[question.kind](question)
    return Turn(encoder) if question.goal == "diverse" else encoder


def is_answered(pool: Pool, question: Question) -> bool:
    """Whether anybody answered."""
    return any(is_given(learner.answers.get(question.key)) for learner in pool.learners)


def parts_of(pool: Pool, params: Params) -> Sequence[tuple[str, float, Encoder]]:
    """Each part of the affinity that weighs anything in this pool: its name, weight and encoder."""
    parts: list[tuple[str, float, Encoder]] = [
        (question.key, question.weight, encoder_of(question))
        for question in params.questions
        if question.weight > 0 and is_answered(pool, question)
    ]
    people = pool.learners
    if params.complement_weight > 0 and any(p.offers for p in people) and any(p.wants for p in people):
        parts.append(("wants and offers", params.complement_weight, HelpEncoder()))
    if params.connections_weight > 0 and any(p.connections for p in people):
        parts.append(("connections", params.connections_weight, TieEncoder()))
    return parts

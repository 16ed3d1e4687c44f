"""The kinds of question: what is an answer, and that it is the same in every shape."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cohorts import kinds, tables
from cohorts.questions import Kind
from tests.questions import EXAMPLES, Example

EVERY = pytest.mark.parametrize("each", EXAMPLES.values(), ids=EXAMPLES)

LABELS = st.text(max_size=12) | st.sampled_from(["Guitar", "A player", "Jazz", "yes", "3"])
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 12) | st.floats() | LABELS | st.binary(max_size=3),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(LABELS, inner, max_size=4),
    max_leaves=8,
)


def test_there_is_an_example_of_every_kind() -> None:
    assert set(EXAMPLES) == set(Kind) == set(kinds.KINDS)


@EVERY
def test_answer_that_is_kept_stays_the_same(each: Example) -> None:
    assert kinds.clean(each.question, each.kept) == each.kept


@EVERY
def test_answer_is_written_as_a_cell_and_read_back(each: Example) -> None:
    assert kinds.write(each.question, each.kept) == each.cell
    assert kinds.read(each.question, tables.from_text(tables.as_text(each.cell))) == each.kept


@EVERY
def test_answer_in_words(each: Example) -> None:
    assert kinds.words(each.question, each.kept) == each.words


@EVERY
def test_no_answer_is_none_everywhere(each: Example) -> None:
    for nothing in (None, ""):
        assert kinds.clean(each.question, nothing) is None
    assert kinds.read(each.question, "  ") is None
    assert kinds.words(each.question, None) == []
    assert kinds.write(each.question, None) == ""


@given(kind=st.sampled_from(Kind), given_=ANYTHING)
@example(kind=Kind.RATING, given_={"Jazz": True})
@example(kind=Kind.SCALE, given_="٣")
@example(kind=Kind.MANY, given_=["a\x00b"])
def test_anything_is_refused_or_kept_and_comes_back(kind: Kind, given_: Any) -> None:
    question = EXAMPLES[kind].question
    try:
        kept = kinds.clean(question, given_)
    except kinds.Unfit as error:
        assert str(error)  # noqa: PT017 (what is refused is refused in words)
        return
    assert kept is None or kinds.clean(question, kept) == kept
    assert json.loads(json.dumps(kept)) == kept
    assert kinds.read(question, tables.from_text(tables.as_text(kinds.write(question, kept)))) == kept
    assert bool(kinds.words(question, kept)) is (kept is not None)


@pytest.mark.parametrize(
    ("kind", "given_", "sentence"),
    [
        (Kind.MANY, "Guitar", "not a list"),
        (Kind.MANY, [["Guitar"]], "not a list"),
        (Kind.MANY, ["x" * 81], "at most 80"),
        (Kind.MANY, [str(number) for number in range(41)], "at most 40"),
        (Kind.MANY, ["a\x00b"], "cannot be shown"),
        (Kind.MANY, ["\ud800"], "cannot be shown"),
        (Kind.FAVOURITES, [str(number) for number in range(6)], "at most 5"),
        (Kind.FAVOURITES, ["x" * 100_000], "at most 80"),
        (Kind.ONE, "A president", "Choose one of these"),
        (Kind.ONE, ["A player"], "Choose one of these"),
        (Kind.YES_NO, "perhaps", "yes or no"),
        (Kind.YES_NO, 1, "yes or no"),
        (Kind.SCALE, "8", "from 1 to 7"),
        (Kind.SCALE, "0", "from 1 to 7"),
        (Kind.SCALE, "3.5", "from 1 to 7"),
        (Kind.SCALE, "9" * 10_000, "from 1 to 7"),
        (Kind.SCALE, True, "from 1 to 7"),
        (Kind.RATING, {"Jazz": "6"}, "from 1 to 5"),
        (Kind.RATING, {"Polka": "3"}, "only what is listed"),
        (Kind.RATING, {str(number): "3" for number in range(10_000)}, "only what is listed"),
        (Kind.RATING, ["Jazz"], "not a list of ratings"),
        (Kind.HELP, {"can": "mixing"}, "not a list"),
        (Kind.HELP, {"must": ["mixing"]}, "can help with"),
        (Kind.HELP, ["mixing"], "can help with"),
        (Kind.TEXT, "x" * 1001, "at most 1000"),
        (Kind.TEXT, "nul\x00", "cannot be shown"),
        (Kind.TEXT, {"a": 1}, "not a text"),
    ],
)
def test_what_is_no_answer_is_refused_in_words(kind: Kind, given_: Any, sentence: str) -> None:
    with pytest.raises(kinds.Unfit, match=sentence):
        kinds.clean(EXAMPLES[kind].question, given_)


@pytest.mark.parametrize(
    ("kind", "cell"),
    [(Kind.RATING, "Jazz"), (Kind.RATING, "Jazz: much"), (Kind.HELP, "mixing"), (Kind.YES_NO, "1")],
)
def test_cell_that_says_nothing_is_refused(kind: Kind, cell: str) -> None:
    with pytest.raises(kinds.Unfit):
        kinds.read(EXAMPLES[kind].question, cell)


def test_label_takes_the_spelling_of_the_course() -> None:
    question = EXAMPLES[Kind.MANY].question
    assert kinds.clean(question, ["  GUITAR ", "guitar", "Kazoo; kazoo"]) == ["Guitar", "Kazoo"]


def test_answer_that_no_longer_fits_is_as_none_and_comes_back_with_the_question() -> None:
    question = EXAMPLES[Kind.SCALE].question
    shorter = replace(question, points=3)
    assert (kinds.fitting(shorter, 7), kinds.words(shorter, 7), kinds.write(shorter, 7)) == (None, [], "")
    assert kinds.fitting(question, 7) == 7

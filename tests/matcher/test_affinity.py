import numpy as np
import pytest
from hypothesis import given, settings

from matcher import InvalidPool, Question
from matcher.affinity import pool_affinity, tag_features
from tests.matcher.pools import TOPICS, learner, params_of, pool_of, pools


def affinity_of(question, *answers):
    pool = pool_of(*(learner(i, answers={question.key: answer}) for i, answer in enumerate(answers)))
    return pool_affinity(pool, params_of(questions=(question,)))


@settings(max_examples=40, deadline=None)
@given(pool=pools())
def test_affinity_is_symmetric_between_0_and_1(pool):
    questions = (TOPICS, Question("hours", "number", "diverse", 2.0))
    affinity = pool_affinity(pool, params_of(questions=questions))
    assert affinity.shape == (len(pool), len(pool))
    assert np.allclose(affinity, affinity.T, atol=1e-6)
    assert (affinity >= 0).all()
    assert (affinity <= 1).all()
    assert (np.diag(affinity) == 0).all()


def test_affinity_without_questions_is_0():
    pool = pool_of(learner("a", answers={"topics": frozenset({"art"})}), learner("b"))
    assert pool_affinity(pool, params_of()).tolist() == [[0, 0], [0, 0]]


def test_tags_with_equal_weights_are_the_jaccard_index():
    sets = [frozenset(pair) for pair in (("a1", "b1"), ("b1", "c1"), ("c1", "a1"))]
    assert affinity_of(TOPICS, *sets)[0, 1] == pytest.approx(1 / 3)


def test_tags_that_are_rare_weigh_more_but_mildly():
    common, rare = frozenset({"common"}), frozenset({"rare"})
    weights = tag_features().fit_transform([common] * 98 + [rare] * 2).toarray()
    assert 1 < weights.max() / weights[weights > 0].min() < 3


def test_tags_of_nobody_or_none_have_no_affinity():
    assert affinity_of(TOPICS, frozenset(), frozenset(), frozenset({"a"}))[0].tolist() == [0, 0, 0]


def test_tags_meet_whatever_their_case_and_spelling():
    affinity = affinity_of(TOPICS, frozenset({"The Beatles"}), frozenset({"beatles "}), frozenset({"jazz"}))
    assert affinity[0].tolist() == [0, 1, 0]


def test_text_with_misspellings_is_nearer_than_other_text():
    goal = Question("goal", "text")
    affinity = affinity_of(goal, "learn photography", "lern fotography", "cook for my family", None, "!!")
    assert affinity[0, 1] > affinity[0, 2] >= affinity[0, 3] == 0


def test_text_of_signs_alone_is_like_nobodys():
    assert affinity_of(Question("goal", "text"), "?!", "?!").tolist() == [[0, 0], [0, 0]]


def test_numbers_are_alike_when_near_and_neutral_when_missing():
    affinity = affinity_of(Question("hours", "number"), 5, 5.0, 50, None)
    assert affinity[0, 1:].tolist() == [1.0, 0.0, 0.5]


def test_categories_are_alike_when_equal_and_diverse_turns_it_round():
    answers = ("New", "new ", "old", None)
    assert affinity_of(Question("level", "category"), *answers)[0, 1:].tolist() == [1.0, 0.0, 0.5]
    assert affinity_of(Question("level", "category", "diverse"), *answers)[0, 1:].tolist() == [0.0, 1.0, 0.5]


def test_offers_meet_wants_in_both_directions():
    maths, art = frozenset({"Maths"}), frozenset({"art"})
    pool = pool_of(
        learner("a", offers=maths, wants=art),
        learner("b", offers=art, wants=maths),
        learner("c", wants=maths),
    )
    affinity = pool_affinity(pool, params_of())
    assert affinity[0].tolist() == [0, 1.0, 0.5]
    assert affinity[1, 2] == 0


@pytest.mark.parametrize(
    ("kind", "answer"),
    [
        ("tags", 5),
        ("tags", frozenset({1})),
        ("text", 5),
        ("number", "five"),
        ("number", True),
        ("number", float("nan")),
        ("category", 1.0),
    ],
)
def test_answer_of_another_kind_names_learner_and_question(kind, answer):
    with pytest.raises(InvalidPool, match="0: answers: q"):
        affinity_of(Question("q", kind), answer)

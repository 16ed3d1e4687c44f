import itertools
import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matcher import Exchange, InvalidPool, Question, match
from matcher.affinity import AffinityModel, Dots, Precomputed, dense, pool_affinity
from matcher.encoders import tag_features
from tests.matcher.pools import TOPICS, learner, params_of, pool_of, pools, small_params

ALL_KINDS = (
    TOPICS,
    Question("goal", "text"),
    Question("hours", "number", "diverse", 2.0),
    Question("age", "number", "balanced"),
    Question("level", "category", "balanced"),
    Question("role", "category"),
)


def full_pool():
    words = ["art", "bikes", "chess", "cooking"]
    return pool_of(
        *(
            learner(
                i,
                answers={
                    "topics": frozenset(words[k] for k in range(4) if i >> k & 1),
                    "goal": " ".join(words[k] for k in range(4) if i >> k & 1),
                    "hours": i % 5,
                    "age": None if i == 3 else i**2,
                    "level": ("new", "some", "", "much", "new")[i % 5],
                    "role": ("a", "b")[i % 2],
                },
                offers=frozenset(words[i % 3 : i % 4]),
                wants=frozenset(words[i % 2 : i % 3]),
                connections={str((i + 1) % 12): 0.5},
            )
            for i in range(12)
        )
    )


def affinity_of(question, *answers):
    pool = pool_of(*(learner(i, answers={question.key: answer}) for i, answer in enumerate(answers)))
    return pool_affinity(pool, params_of(questions=(question,)))


@settings(max_examples=40, deadline=None)
@given(pool=pools())
def test_affinity_is_symmetric_between_0_and_1(pool):
    questions = (TOPICS, Question("hours", "number", "balanced", 2.0))
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


def test_ratings_are_alike_over_what_both_rated_and_neutral_without_any():
    ratings = ({"jazz": 5, "rock": 1}, {"jazz": 4, "folk": 2}, {"jazz": 1, "rock": 5}, {"folk": 2}, {})
    affinity = affinity_of(Question("taste", "ratings"), *ratings)
    assert affinity[0, 1] == pytest.approx(0.75)  # one of four steps apart in the one both rated
    assert affinity[0, 2] == pytest.approx(0.0)
    assert affinity[1, 3] == pytest.approx(1.0)
    assert affinity[0, 3] == affinity[0, 4] == affinity[3, 4] == 0.5
    other_way = affinity_of(Question("taste", "ratings", "diverse"), *ratings)
    assert other_way[0, 2] == pytest.approx(1.0)


def test_ratings_that_nobody_gave_do_not_count():
    assert affinity_of(Question("taste", "ratings"), {}, None).max() == 0


def test_help_of_a_question_meets_in_both_directions():
    bass, drums = frozenset({"bass"}), frozenset({"drums"})
    question = Question("band", "help", "complementary")
    both, one, none = Exchange(bass, drums), Exchange(frozenset({"Drums"}), bass), None
    affinity = affinity_of(question, both, one, none, Exchange(wants=bass))
    assert affinity[0, 1] == 1
    assert affinity[0, 2] == 0
    assert affinity[0, 3] == 0.5


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


@settings(max_examples=30, deadline=None)
@given(picked=st.lists(st.integers(0, 11), unique=True, min_size=1))
def test_taken_learners_keep_the_scale_of_the_whole_pool(picked):
    pool = full_pool()
    whole = AffinityModel(params_of(questions=ALL_KINDS)).fit(pool).transform(pool)
    taken = pickle.loads(pickle.dumps(whole.take(np.array(picked))))
    assert len(taken) == len(picked)
    assert np.allclose(dense(taken), dense(whole)[np.ix_(picked, picked)], atol=1e-6)


def test_similarities_of_pairs_are_those_of_the_parts():
    pool = full_pool()
    whole = AffinityModel(params_of(questions=ALL_KINDS)).fit(pool).transform(pool)
    pairs = np.array(list(itertools.combinations(range(12), 2)) * 3)
    parts = whole.similarities(pairs)
    assert whole.names == (
        "topics", "goal", "hours", "age", "level", "role", "wants and offers", "connections"
    )  # fmt: skip
    assert parts.shape == (len(pairs), 8)
    assert np.allclose(parts @ whole.weights, dense(whole)[pairs[:, 0], pairs[:, 1]], atol=1e-6)


@pytest.mark.parametrize("kind", ["number", "category"])
def test_balanced_pairs_add_up_to_the_distance_of_a_cohort_from_the_pool(kind):
    """All ways to cut twelve into a cohort of six and the rest: affinity falls as distance grows."""
    answers = [1, 1, 1, 2, 2, 3, 3, 3, 3, 5, 5, 6]
    given = answers if kind == "number" else [str(answer) for answer in answers]
    affinity = affinity_of(Question("q", kind, "balanced"), *given)
    one_hot = np.equal.outer(answers, sorted(set(answers))).astype(float)
    values = np.clip(answers, *np.quantile(answers, [0.05, 0.95]))[:, None] if kind == "number" else one_hot
    z = values - values.mean(axis=0)
    sums, distances = [], []
    for half in itertools.combinations(range(12), 6):
        rest = [i for i in range(12) if i not in half]
        sums.append(affinity[np.ix_(half, half)].sum() + affinity[np.ix_(rest, rest)].sum())
        distances.append((z[list(half)].sum(axis=0) ** 2).sum() + (z[rest].sum(axis=0) ** 2).sum())
    slope, start = np.polyfit(distances, sums, 1)
    assert slope < 0
    assert np.allclose(sums, np.multiply(distances, slope) + start, atol=1e-4)


def test_balanced_answers_that_are_missing_are_neutral():
    affinity = affinity_of(Question("level", "category", "balanced"), "new", "old", "new", None)
    assert affinity[3].tolist() == [0.5, 0.5, 0.5, 0.0]
    assert affinity[0, 1] > 0.5 > affinity[0, 2]


def test_connection_counts_in_the_stronger_direction_and_outweighs_no_question():
    others = {"answers": {"level": "new"}}
    pool = pool_of(
        learner("a", connections={"b": 0.25, "gone": 1.0}, **others),
        learner("b", connections={"a": 1.0, "b": 1.0}, **others),
        *(learner(i, answers={"level": "old"}) for i in range(30)),
    )
    assert pool_affinity(pool, params_of())[0, :3].tolist() == [0, 1.0, 0]
    both = pool_affinity(pool, params_of(questions=(Question("level", "category"),)))
    assert 0.3 < both[0, 1] - both[2, 3] < 0.7
    assert pool_affinity(pool, params_of(connections_weight=0)).max() == 0


def test_affinity_handed_in_decides_who_sits_with_whom():
    pool = pool_of(*(learner(i) for i in range(6)))
    alike = np.equal.outer([0, 1, 0, 1, 0, 1], [0, 1, 0, 1, 0, 1])
    for affinity in (alike, Precomputed(alike), Dots([[1, 0], [0, 1]] * 3)):
        matching = match(pool, small_params(size_min=3, size_max=3), affinity=affinity)
        assert sorted(c.members for c in matching.cohorts) == [(0, 2, 4), (1, 3, 5)]


@pytest.mark.parametrize(
    ("affinity", "wrong"),
    [
        (np.zeros((2, 2)), "for 2 learners, but the pool has 3"),
        (np.zeros(3), r"one number a pair, \(n, n\), not \(3,\)"),
        (np.full((3, 3), np.nan), r"\[0, 1\] is no number"),
        (np.eye(3) + 0.1 * np.eye(3, k=1), r"\[0, 1\] is 0.1 and \[1, 0\] is 0; take the mean of both"),
        (5 - 5 * np.eye(3), "must lie between 0 and 1, not between 0 and 5"),
    ],
)
def test_affinity_that_does_not_fit_names_what_is_wrong(affinity, wrong):
    pool = pool_of(*(learner(i) for i in range(3)))
    with pytest.raises(InvalidPool, match=wrong):
        match(pool, small_params(), affinity=affinity)


@pytest.mark.parametrize(
    ("rows", "wrong"),
    [
        ([1.0, 0.0], "one row a learner"),
        ([[0.0], [float("inf")]], r"\[1, 0\] is no number"),
        ([[0.0, 1.0], [3.0, 4.0]], "row 1 is 5 long"),
    ],
)
def test_dots_that_cannot_be_names_what_is_wrong(rows, wrong):
    with pytest.raises(InvalidPool, match=wrong):
        Dots(rows)


def test_dots_grow_with_the_cosine():
    assert Dots([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0]]).between(np.arange(1), np.arange(3)).tolist() == [
        [1.0, 0.5, 0.0]
    ]

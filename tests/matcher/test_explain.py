import pytest

from matcher import Exchange, MatcherError, Preview, Question, match
from tests.matcher.pools import TOPICS, learner, params_of, pool_of, small_params

THREES = {"size_min": 3, "target_size": 3, "size_max": 3}


def likes(name, *tags, **fields):
    return learner(name, answers={"topics": frozenset(tags)}, **fields)


def test_cohort_says_what_was_traded_away():
    night = range(4, 7)
    pool = pool_of(*(learner(i, night) for i in range(3)), learner("r", (), if_needed=frozenset(night)))
    matching = match(pool, params_of(size_min=4, target_size=5, size_max=5))
    assert matching.cohorts[0].reasons == (
        "1 common block of 90 minutes in every week.",
        "The best block is one that 1 member gave as if-needed.",
        "The best block reaches before 8:00 or past 22:00 for 4 members.",
        "1 below the target size.",
    )


def test_cohort_says_how_many_would_have_more_in_common_elsewhere():
    pool = pool_of(*(likes(i, "art") for i in range(4)), *(likes(i, "chess") for i in range(4, 6)))
    matching = match(pool, params_of(**THREES, questions=(TOPICS,)))
    (other,) = [cohort for cohort in matching.cohorts if 5 in cohort.members]
    assert "1 member would have more in common elsewhere." in other.reasons


def test_cohort_of_the_like_minded_traded_nothing_away():
    pool = pool_of(*(likes(i, "art") for i in range(3)), *(likes(i, "chess") for i in range(3, 6)))
    assert [c.reasons[1:] for c in match(pool, params_of(**THREES, questions=(TOPICS,))).cohorts] == [
        ("4 common blocks of 90 minutes in every week.",)
    ] * 2


def test_cohort_says_who_can_help_each_other():
    maths, music = frozenset({"maths"}), frozenset({"music"})
    pool = pool_of(learner("a", offers=maths, wants=music), learner("b", offers=music, wants=maths))
    matching = match(pool, params_of(size_min=2, target_size=2, size_max=2))
    assert matching.cohorts[0].reasons[:2] == (
        "2 members find help here with what they asked for.",
        "1 pair can help each other.",
    )


def test_cohort_says_who_can_help_by_a_question_of_its_own():
    maths, music = frozenset({"maths"}), frozenset({"music"})
    pool = pool_of(
        learner("a", answers={"q": Exchange(maths, music)}),
        learner("b", answers={"q": Exchange(music, maths)}),
    )
    asked = (Question("q", "help", "complementary"),)
    matching = match(pool, params_of(size_min=2, target_size=2, size_max=2, questions=asked))
    assert matching.cohorts[0].reasons[:2] == (
        "2 members find help here with what they asked for.",
        "1 pair can help each other.",
    )


def test_reasons_name_no_answer_that_is_private():
    pool = pool_of(
        likes("a", "art", "bikes"),
        likes("b", "art", "bikes"),
        likes("c", "art", private=frozenset({"topics"})),
    )
    matching = match(pool, params_of(size_min=3, target_size=3, size_max=3, questions=(TOPICS,)))
    assert matching.cohorts[0].reasons[0] == "Shared topics: art (2), bikes (2) of 3."


POOL = pool_of(
    likes("a", "Art", "bikes", wants=frozenset({"maths"})),
    likes("b", "art", "dance"),
    likes("c", "art", offers=frozenset({"maths"})),
    likes("d", "art", "bikes"),
    likes("e", "bikes", "chess"),
    likes("f", "eggs", free=range(100, 104)),
)
PARAMS = small_params(**THREES, questions=(TOPICS,))


def test_why_tells_a_learner_of_their_own_answers_alone():
    why = Preview(POOL, PARAMS).why([[0, 1, 2], [3, 4]], 0)
    assert why.shared == ("2 others of 2 gave Art as well.", "1 other offers help that you asked for.")
    assert not any("dance" in words for words in why.shared)


def tastes(*likings):
    return pool_of(*(likes(i, *tags) for i, tags in enumerate(likings)))


def test_why_names_the_second_best_cohort_and_how_much_it_would_be_worth():
    preview = Preview(POOL, PARAMS)
    why = preview.why([[0, 1, 2], [3, 4]], 0)
    there = preview.score([3, 4, 0])
    assert why.second == 1
    assert why.own_score + why.difference == pytest.approx(preview._own_score(there.members, 0))
    assert preview.why([[0, 1, 2], [3, 4], [5]], 1).second == 1


@pytest.mark.parametrize(
    ("cohorts", "sizes", "said"),
    [
        ([[1, 2, 3], [0, 4, 5]], THREES, "That cohort is full."),
        ([[1, 2, 3], [4, 5]], THREES, "Your cohort would be too small without you."),
        ([[1, 2, 3], [4, 5]], {}, "The cohorts together are worth more as they are."),
        ([[0, 3, 4], [1, 2]], {}, "Your own cohort is worth more to you."),
    ],
)
def test_why_says_what_keeps_a_learner_from_the_second_best(cohorts, sizes, said):
    preview = Preview(tastes("a", "b", "b", "a", "a", "a"), small_params(**sizes, questions=(TOPICS,)))
    assert preview.why(cohorts, 3).why_not == said


def test_why_of_one_whom_no_other_cohort_could_take_has_no_second():
    why = Preview(POOL, PARAMS).why([[0, 1, 2], [3, 5]], 1)
    assert (why.second, why.difference, why.why_not) == (None, None, "")


def test_why_of_one_without_a_cohort_is_refused():
    with pytest.raises(MatcherError, match="none of the cohorts"):
        Preview(POOL, PARAMS).why([[0, 1, 2]], 3)

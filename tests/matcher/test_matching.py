import dataclasses

import numpy as np
import pytest

from matcher import CohortResult, MatcherError, Meeting, match
from matcher.checks import count_broken, judge
from tests.matcher.pools import TOPICS, learner, params_of, pool_of


@pytest.fixture(scope="module")
def matching():
    return match(pool_of(*(learner(i) for i in range(4)), learner("late", range(100, 104))), params_of())


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"labels": np.zeros(5, dtype=np.int64)}, "labels"),
        ({"labels": np.zeros(2, dtype=np.int64)}, "labels"),
        ({"unplaced": ()}, "unplaced"),
        ({"objective": float("nan")}, "objective"),
        ({"bound": 1.0}, "bound"),
        ({"rules": {"size": 1}}, "broken"),
    ],
)
def test_matching_refuses_what_cannot_be(matching, change, said):
    with pytest.raises(MatcherError, match=said):
        dataclasses.replace(matching, **change)


def test_matching_refuses_somebody_in_two_cohorts(matching):
    twice = (*matching.cohorts, *matching.cohorts)
    with pytest.raises(MatcherError, match="another cohort"):
        dataclasses.replace(matching, cohorts=twice)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        (((), 0.5, (Meeting("UTC", 36),)), "members"),
        (((1, 1), 0.5, (Meeting("UTC", 36),)), "members"),
        (((0, 1), 1.5, (Meeting("UTC", 36),)), "score"),
        (((0, 1), 0.5, ()), "no meeting"),
        (((0, 1), 0.5, (Meeting("UTC", 36),), (), (0.5,)), "own scores"),
        (((0, 1), 0.5, (Meeting("UTC", 36),), (), (), True), "is asynchronous"),
    ],
)
def test_cohort_result_refuses_what_cannot_be(fields, said):
    with pytest.raises(MatcherError, match=said):
        CohortResult(*fields)


def test_meeting_outside_the_week_is_refused():
    with pytest.raises(MatcherError, match="slot"):
        Meeting("UTC", 336)


def test_judge_refuses_a_meeting_that_does_not_hold(matching):
    cohort = dataclasses.replace(matching.cohorts[0], meetings=(Meeting("UTC", 100),))
    with pytest.raises(MatcherError, match="break its own rules"):
        judge(dataclasses.replace(matching, cohorts=(cohort,)))


def test_judge_refuses_a_wrong_objective(matching):
    with pytest.raises(MatcherError, match="are worth"):
        judge(dataclasses.replace(matching, objective=1.0))


def test_judge_refuses_a_cohort_that_breaks_a_rule(matching):
    pool = pool_of(*(learner(i, apart=frozenset({"1"})) for i in range(4)), learner("late", range(100, 104)))
    with pytest.raises(MatcherError, match="break its own rules"):
        judge(dataclasses.replace(matching, pool=pool))


def test_count_broken_counts_a_cohort_without_meetings(matching):
    counted = count_broken(
        matching.pool, matching.params, [(0, 1, 2, 4), (0, 1)], [(), matching.cohorts[0].meetings]
    )
    assert (counted["meeting"], counted["size"]) == (1, 1)


def test_own_scores_show_who_has_least_in_common():
    tastes = ["art", "art", "art", "chess"]
    pool = pool_of(*(learner(i, answers={"topics": frozenset({taste})}) for i, taste in enumerate(tastes)))
    matching = match(pool, params_of(target_size=4, size_max=4, questions=(TOPICS,)))
    (cohort,) = matching.cohorts
    share = 1 / 1.3
    rest = cohort.own_scores[3]
    assert cohort.own_scores == pytest.approx([rest + share * 2 / 3] * 3 + [rest])
    assert matching.min_score == rest
    assert matching.mean_score == pytest.approx(rest + share / 2)
    assert matching.min_score < matching.p10_score < matching.mean_score


def test_figures_of_nobody_are_zero():
    matching = match(pool_of(learner("a")), params_of())
    assert (matching.mean_score, matching.p10_score, matching.min_score) == (0.0, 0.0, 0.0)


def test_figures_without_own_scores_are_those_of_the_cohorts(matching):
    plain = dataclasses.replace(matching.cohorts[0], own_scores=())
    again = dataclasses.replace(matching, cohorts=(plain,))
    assert (again.mean_score, again.p10_score, again.min_score) == pytest.approx((plain.score,) * 3)

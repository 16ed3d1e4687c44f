"""Cohorts without a meeting: every other rule holds, and only those whose hours fit nobody's are in one."""

import dataclasses

import pytest
from hypothesis import given, settings

from matcher import MatcherError, Pool, match
from matcher.checks import count_broken, judge
from matcher.rules import CommonBlock, rules_of
from tests.matcher.pools import any_params, learner, params_of, pool_of, pools, small_params
from tests.matcher.test_match import SLOW, judged

NOBODYS_HOURS = [{100 * k, 100 * k + 1, 100 * k + 2} for k in range(3)]


def scattered(*fields):
    """Three learners who are never free at one time, the third without any hours."""
    hours = [*NOBODYS_HOURS[:2], ()]
    given = fields or ({}, {}, {})
    return [learner(name, free, **one) for name, free, one in zip("abc", hours, given, strict=True)]


def test_asynchronous_cohort_seats_those_whose_hours_fit_nobodys():
    pool = pool_of(*(learner(i) for i in range(3)), *scattered())
    matching = judged(match(pool, small_params(asynchronous=True)))
    assert [(c.members, c.asynchronous) for c in matching.cohorts] == [((0, 1, 2), False), ((3, 4, 5), True)]
    apart = matching.cohorts[1]
    assert (apart.meetings, apart.reasons[-1]) == (
        (),
        "Without a meeting: there was no time for one that suits all members.",
    )
    assert matching.gap == pytest.approx(0, abs=1e-6)


def test_asynchronous_cohort_has_no_score_for_common_blocks():
    params = small_params(asynchronous=True, common_blocks_weight=1.0)
    meeting, apart = match(pool_of(*(learner(i) for i in range(3)), *scattered()), params).cohorts
    assert meeting.score - apart.score == pytest.approx((1 - 0.5 ** len(meeting.meetings)) / 2.1)


def test_asynchronous_cohort_is_not_made_where_nobody_asked_for_it():
    matching = match(pool_of(*scattered()), small_params())
    assert matching.n_placed == 0


WITH_B = {"together": frozenset("b")}


@pytest.mark.parametrize(
    ("fields", "params", "labels"),
    [
        (({}, {}, {}), {"size_min": 4, "target_size": 4}, [-1, -1, -1]),
        (({"languages": frozenset({"en"})}, {"languages": frozenset({"fr"})}, {}), {}, None),
        (({"apart": frozenset("bc")}, {}, {}), {}, [-1, 0, 0]),
        (({"past_mates": frozenset("bc")}, {}, {}), {}, [-1, 0, 0]),
        (({}, {}, {}), {"convenor_required": True, "on_conflict": "unplace"}, [-1, -1, -1]),
        (({"convenor": True}, {}, {}), {"convenor_required": True}, [0, 0, 0]),
        (({"not_alone": frozenset({"topics"}), "answers": {"topics": "x"}}, {}, {}), {}, [-1, 0, 0]),
        (({"together": frozenset("b")}, {"together": frozenset("a")}, {}), {}, [0, 0, 0]),
    ],
)
def test_asynchronous_cohort_keeps_the_other_rules(fields, params, labels):
    matching = judged(match(pool_of(*scattered(*fields)), small_params(asynchronous=True, **params)))
    if labels is None:
        assert matching.labels[0] != matching.labels[1]
    else:
        assert matching.labels.tolist() == labels


@settings(SLOW, max_examples=25)
@given(pool=pools(), params=any_params())
def test_asynchronous_cohorts_break_no_rule_and_lose_nobody(pool, params):
    params = dataclasses.replace(params, asynchronous=True)
    with_, without = judged(match(pool, params)), match(pool, dataclasses.replace(params, asynchronous=False))
    others = [rule for rule in rules_of(pool, params) if not isinstance(rule, CommonBlock)]
    for cohort in with_.cohorts:
        assert [words for rule in others for words in rule.broken(cohort.members)] == []
    # Nobody who could have a meeting does without one.
    meeting = [cohort.members for cohort in with_.cohorts if not cohort.asynchronous]
    assert meeting == [cohort.members for cohort in without.cohorts]


def test_judge_refuses_an_asynchronous_cohort_where_none_is_allowed():
    matching = match(pool_of(*scattered()), small_params(asynchronous=True))
    assert matching.n_placed == 3
    strict = dataclasses.replace(matching, params=small_params())
    with pytest.raises(MatcherError, match="break its own rules"):
        judge(strict)


def test_count_broken_asks_no_block_of_an_asynchronous_cohort():
    pool = Pool(tuple(scattered()))
    counted = [
        count_broken(pool, params_of(asynchronous=allowed), [(0, 1, 2)], [None])["meeting"]
        for allowed in (True, False)
    ]
    assert counted == [0, 1]

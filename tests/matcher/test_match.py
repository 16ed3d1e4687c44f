"""Whatever the pool: no rule broken, nobody lost; small pools match brute force."""

import dataclasses
import datetime as dt
from functools import cache
from itertools import combinations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from matcher import Matching, Pool, match, score_cohorts
from matcher.affinity import pool_affinity
from matcher.checks import claims, count_broken, plain_score
from matcher.rules import CommonBlock, rules_of
from matcher.score import PLACED
from tests.matcher.pools import SPRING, TOPICS, any_params, learner, params_of, pool_of, pools, small_params

SLOW = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def judged(matching):
    """What must hold of any matching, from the definitions."""
    groups = [cohort.members for cohort in matching.cohorts]
    broken = count_broken(matching.pool, matching.params, groups, claims(matching.cohorts))
    assert broken == dict.fromkeys(broken, 0)
    seated = [i for members in groups for i in members]
    assert sorted(seated + [one.learner for one in matching.unplaced]) == list(range(len(matching.pool)))
    assert all(one.reason for one in matching.unplaced)
    assert matching.bound >= matching.objective - 1e-6
    return matching


@SLOW
@given(pool=pools(), params=any_params())
def test_match_breaks_no_rule_and_loses_nobody(pool, params):
    judged(match(pool, params))


def brute_force(pool, params):
    """The greatest total worth of disjoint cohorts that keep the rules, by trying all."""
    affinity = pool_affinity(pool, params)
    rules = rules_of(pool, params)
    free_only = Pool(tuple(dataclasses.replace(one, if_needed=frozenset()) for one in pool.learners))
    blocks, free_blocks = CommonBlock(pool, params), CommonBlock(free_only, params)
    worth = {}
    for k in range(params.size_min, params.size_max + 1):
        for members in combinations(range(len(pool)), k):
            if any(True for rule in rules for _ in rule.broken(members)):
                continue
            zones = {"UTC", *(pool.learners[i].time_zone for i in members)}
            common = max(
                sum(b.holds(members, zone, slot) for b in (blocks, free_blocks) for slot in range(336))
                if any(blocks.holds(members, zone, slot) for slot in range(336))
                else 0
                for zone in zones
            )
            among = affinity[np.ix_(members, members)]
            worth[members] = k * (PLACED + plain_score(pool, params, among, members, common / 2))

    @cache
    def best(left):
        if not left:
            return 0.0
        first, rest = left[0], left[1:]
        with_first = [
            w + best(tuple(i for i in left if i not in c))
            for c, w in worth.items()
            if c[0] == first and set(c) <= set(left)
        ]
        return max([best(rest), *with_first])

    return best(tuple(range(len(pool))))


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(pool=pools(most=7, zones=("UTC", "Asia/Kolkata", "Asia/Kathmandu")), convenor=st.booleans())
def test_match_of_a_small_pool_equals_brute_force(pool, convenor):
    params = small_params(questions=(TOPICS,), weeks=2, convenor_required=convenor, on_conflict="unplace")
    matching = match(pool, params)
    assert matching.objective == pytest.approx(brute_force(pool, params), abs=1e-4)
    assert matching.bound == pytest.approx(matching.objective, abs=1e-4)


def test_match_of_nobody_is_empty():
    matching = match(Pool(()), params_of())
    assert (matching.cohorts, matching.unplaced, matching.objective, matching.gap) == ((), (), 0.0, 0.0)


def test_match_of_one_says_there_are_no_others():
    matching = match(pool_of(learner("a")), params_of())
    assert matching.unplaced[0].reason == "There are not 3 other learners to be with."


def test_match_of_learners_all_the_same_seats_all():
    matching = judged(match(pool_of(*(learner(i) for i in range(23))), params_of()))
    assert matching.n_placed == 23
    assert matching.gap == pytest.approx(0, abs=0.02)


def test_match_of_learners_without_hours_says_so():
    matching = judged(match(pool_of(*(learner(i, ()) for i in range(6))), params_of()))
    assert [one.reason for one in matching.unplaced] == ["No hours given."] * 6


def test_match_of_hours_too_short_says_so_and_what_would_help():
    short = learner("x", {36, 37})
    matching = judged(match(pool_of(*(learner(i) for i in range(4)), short), params_of()))
    unplaced = matching.unplaced[0]
    assert unplaced.reason == "None of your hours hold a 90-minute meeting in every week."
    assert unplaced.remedy == "Adding Monday 18:00-19:30 in your own time would fit 1 cohort that has a seat."


def test_match_of_everyone_apart_seats_nobody():
    names = frozenset(map(str, range(6)))
    matching = judged(match(pool_of(*(learner(n, apart=names) for n in sorted(names))), params_of()))
    assert matching.n_placed == 0


def test_match_keeps_a_chain_of_three_zones_together():
    chain = [
        learner("a", range(36, 42), "UTC", together=frozenset("b")),
        learner("b", range(47, 53), "Asia/Kolkata", together=frozenset("ac")),
        learner("c", range(26, 32), "America/New_York", together=frozenset("b")),
    ]
    matching = judged(match(pool_of(*chain, *(learner(i) for i in range(5))), params_of()))
    assert matching.n_placed == 8
    assert matching.labels[0] == matching.labels[1] == matching.labels[2]


def test_match_over_a_clock_change_finds_a_block_in_a_members_zone():
    evening = range(84, 90)
    locals_ = [learner(i, evening, "America/New_York") for i in range(4)]
    matching = judged(match(pool_of(*locals_), params_of(start=SPRING)))
    first = matching.cohorts[0].meetings[0]
    assert (first.zone, first.slot) == ("America/New_York", 84)


def test_match_over_a_clock_change_refuses_a_block_that_holds_in_some_weeks_only():
    # 18:00 in New York is 23:00 UTC until 14 March 2027 and 22:00 after.
    pool = pool_of(
        *(learner(i, range(36, 39), "America/New_York") for i in range(2)),
        *(learner(i, range(46, 49), "UTC") for i in range(2, 4)),
    )
    assert match(pool, params_of()).n_placed == 4
    assert match(pool, params_of(start=SPRING)).n_placed == 0


def test_match_prefers_people_with_something_in_common():
    tastes = ["art", "chess"] * 4
    pool = pool_of(*(learner(i, answers={"topics": frozenset({taste})}) for i, taste in enumerate(tastes)))
    matching = match(pool, params_of(target_size=4, questions=(TOPICS,)))
    assert [c.members for c in matching.cohorts] == [(0, 2, 4, 6), (1, 3, 5, 7)]
    assert matching.cohorts[0].reasons[0] == "Shared topics: art (4) of 4."
    assert matching.gap == 0.0


def test_match_lets_offers_meet_wants():
    pool = pool_of(
        *(learner(i, offers=frozenset({"maths"})) for i in range(2)),
        *(learner(i, wants=frozenset({"Maths"})) for i in range(2, 4)),
    )
    matching = match(pool, params_of(size_min=2, target_size=2, size_max=2))
    assert [len({0, 1} & set(c.members)) for c in matching.cohorts] == [1, 1]
    assert matching.cohorts[0].reasons[0] == "1 member finds help here with what they asked for."


def crowd(n, seed=0):
    random = np.random.default_rng(seed)
    tags = np.array(["art", "bikes", "chess", "dance", "eggs", "films", "games", "hats"])
    return pool_of(
        *(
            learner(
                i,
                {(int(s) + k) % 336 for s in random.choice([36, 84, 132, 180], 2) for k in range(6)},
                ["UTC", "Europe/Berlin", "America/New_York"][i % 3],
                answers={"topics": frozenset(random.choice(tags, 3).tolist())},
            )
            for i in range(n)
        )
    )


@pytest.mark.parametrize("n", [25, 150])
def test_match_twice_gives_the_same(n):
    pool, params = crowd(n), params_of(questions=(TOPICS,), random_state=3)
    one, two = match(pool, params), match(pool, params)
    assert one.labels.tolist() == two.labels.tolist()
    assert (one.objective, one.bound, one.cohorts, one.unplaced) == (
        two.objective,
        two.bound,
        two.cohorts,
        two.unplaced,
    )


def test_match_stopped_at_once_keeps_the_rules_and_everybody():
    matching = judged(match(crowd(150), params_of(questions=(TOPICS,)), should_stop=lambda: True))
    assert matching.stopped is True
    assert matching.n_placed >= 140


def test_match_stopped_in_the_middle_returns_the_best_so_far():
    seen = []
    matching = judged(
        match(
            crowd(400),
            params_of(questions=(TOPICS,)),
            progress=seen.append,
            should_stop=lambda: (
                bool(seen) and seen[-1].stage == "Improving the cohorts" and (seen[-1].objective or 0) > 0
            ),
        )
    )
    assert matching.stopped is True
    assert matching.objective >= seen[-1].objective - 1e-3


def test_match_under_a_tight_limit_ends_in_time_with_everything_kept():
    matching = judged(match(crowd(400), params_of(questions=(TOPICS,), time_limit=1.0)))
    assert matching.stopped is False
    assert matching.n_placed > 300


def test_match_progress_only_grows():
    seen = []
    match(crowd(100), params_of(questions=(TOPICS,)), progress=seen.append)
    fractions = [one.fraction for one in seen]
    assert fractions == sorted(fractions)
    assert 0 <= fractions[0] <= fractions[-1] == 1.0


def test_score_cohorts_agrees_with_the_matching():
    pool, params = crowd(60), params_of(questions=(TOPICS,))
    matching = match(pool, params)
    checks = score_cohorts(pool, params, [cohort.members for cohort in matching.cohorts])
    assert [(c.score, c.meetings, c.broken) for c in checks] == [
        (c.score, c.meetings, ()) for c in matching.cohorts
    ]


def test_score_cohorts_of_an_empty_cohort_says_it_is_too_small():
    check = score_cohorts(pool_of(learner("a")), params_of(), [[]])[0]
    assert (check.score, check.meetings, check.broken) == (0.0, (), ("0 members, where 4 to 8 are allowed",))


def test_matching_objective_is_the_sum_of_the_cohorts_worths():
    matching = match(crowd(60), params_of(questions=(TOPICS,)))
    total = sum(len(c.members) * (PLACED + c.score) for c in matching.cohorts)
    assert isinstance(matching, Matching)
    assert matching.objective == pytest.approx(total)


def test_weeks_over_new_year_and_a_leap_day_hold():
    pool = pool_of(
        *(learner(i, zone=z) for i, z in enumerate(["UTC", "Europe/Lisbon", "Africa/Accra", "UTC"]))
    )
    assert match(pool, params_of(start=dt.date(2027, 12, 20), weeks=11)).n_placed == 4

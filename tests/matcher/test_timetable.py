"""Where a facilitator must attend, no more cohorts meet at one time than are allowed."""

import dataclasses
import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matcher import MatcherError, Meeting, match, match_around
from matcher.checks import judge, simultaneous
from matcher.progress import Watch
from matcher.timetable import Timetable
from tests.matcher.pools import SPRING, any_params, learner, params_of, pool_of, pools, small_params
from tests.matcher.test_match import SLOW, crowd, judged

THREES = {"size_min": 3, "target_size": 3, "size_max": 3}
EVENINGS = [range(36 + 48 * day, 39 + 48 * day) for day in range(3)]


def most_at_once(params, meetings):
    """By brute force: the most meetings under way at any quarter of an hour of the course."""
    quarter = dt.timedelta(minutes=15)
    under_way = {}
    for meeting in meetings:
        for week in range(params.weeks):
            day = params.first_monday + dt.timedelta(weeks=week, days=meeting.slot // 48)
            time = dt.time(meeting.slot % 48 // 2, meeting.slot % 2 * 30)
            start = dt.datetime.combine(day, time, ZoneInfo(meeting.zone)).astimezone(dt.UTC)
            for k in range(2 * params.block_slots):
                under_way[start + k * quarter] = under_way.get(start + k * quarter, 0) + 1
    return max(under_way.values(), default=0)


def kept(matching):
    return [cohort.meetings[0] for cohort in matching.cohorts if not cohort.asynchronous]


def test_cohorts_free_at_two_times_meet_one_after_the_other():
    pool = pool_of(*(learner(i, [*EVENINGS[0], *EVENINGS[1]]) for i in range(6)))
    matching = judged(match(pool, params_of(**THREES, max_simultaneous=1)))
    assert matching.n_placed == 6
    assert [c.meetings for c in matching.cohorts] == [(Meeting("UTC", m.slot, 0, 3),) for m in kept(matching)]
    assert {m.slot for m in kept(matching)} == {36, 84}
    assert matching.rules["simultaneous"] == 0
    assert matching.cohorts[0].reasons[-1] == (
        "2 common blocks of 90 minutes in every week, of which this cohort keeps one."
    )


def test_cohorts_free_at_one_time_are_kept_as_far_as_the_limit_goes():
    pool = pool_of(*(learner(i, EVENINGS[0]) for i in range(9)))
    matching = judged(match(pool, params_of(**THREES, max_simultaneous=2)))
    assert matching.n_placed == 6
    assert {(one.reason, one.remedy) for one in matching.unplaced} == {
        (
            "More cohorts would meet at one time than a facilitator can attend.",
            "With 3 cohorts at one time there would be room for a cohort with you.",
        )
    }
    assert match(pool, params_of(**THREES, max_simultaneous=3)).n_placed == 9


def test_people_of_a_cohort_that_lost_its_time_take_free_seats():
    pool = pool_of(*(learner(i, EVENINGS[0]) for i in range(6)))
    matching = judged(match(pool, params_of(size_min=3, target_size=3, size_max=5, max_simultaneous=1)))
    assert [len(cohort.members) for cohort in matching.cohorts] == [5]
    assert len(matching.unplaced) == 1


def test_people_of_a_cohort_that_lost_its_time_meet_others_at_another():
    # Threes who like each other share one evening; across the threes there is another one.
    topics = ["art", "chess", "dance"]
    pool = pool_of(
        *(
            learner(
                i,
                [*EVENINGS[0], *(EVENINGS[1] if i % 3 == 0 else ())],
                answers={"topics": frozenset({topics[i // 3]})},
            )
            for i in range(9)
        )
    )
    matching = judged(match(pool, params_of(**THREES, max_simultaneous=1)))
    assert {m.slot for m in kept(matching)} == {36, 84}


def test_meetings_of_other_zones_that_overlap_in_one_week_alone_count():
    # 18:00 in Berlin is 13:00 in New York in the two weeks between the clock changes, else 12:00.
    params = params_of(start=SPRING, weeks=6, max_simultaneous=1, meeting_minutes=60)
    one, two = Meeting("Europe/Berlin", 36), Meeting("America/New_York", 26)
    assert simultaneous(params, [one, two]) == 2
    assert most_at_once(params, [one, two]) == 2
    assert simultaneous(dataclasses.replace(params, weeks=2), [one, two]) == 0


@pytest.mark.parametrize(
    ("slots", "crowded"), [([36, 38], 8), ([36, 39], 0), ([335, 0], 7), ([36, 36, 36], 16), ([0], 0)]
)
def test_simultaneous_counts_meetings_that_begin_while_others_last(slots, crowded):
    params = params_of(max_simultaneous=1, weeks=8)
    assert simultaneous(params, [Meeting("UTC", slot) for slot in slots]) == crowded


def test_judge_refuses_too_many_at_one_time():
    pool = pool_of(*(learner(i, EVENINGS[0]) for i in range(6)))
    matching = match(pool, params_of(**THREES))
    with pytest.raises(MatcherError, match="simultaneous"):
        judge(dataclasses.replace(matching, params=params_of(**THREES, max_simultaneous=1)))


def test_those_who_lose_their_time_can_do_without_a_meeting():
    pool = pool_of(*(learner(i, EVENINGS[0]) for i in range(6)))
    matching = judged(match(pool, params_of(**THREES, max_simultaneous=1, asynchronous=True)))
    assert sorted(cohort.asynchronous for cohort in matching.cohorts) == [False, True]


def test_a_crowd_keeps_the_limit_and_few_lose_their_seats():
    pool = crowd(60)
    free, limited = (match(pool, params_of(max_simultaneous=most)) for most in (None, 2))
    judged(limited)
    assert most_at_once(limited.params, kept(limited)) <= 2
    assert limited.n_placed >= free.n_placed - 20
    assert limited.objective <= limited.bound


@settings(SLOW, max_examples=25)
@given(pool=pools(), params=any_params(), most=st.integers(1, 2), asynchronous=st.booleans())
def test_the_limit_is_never_passed(pool, params, most, asynchronous):
    params = dataclasses.replace(params, max_simultaneous=most, asynchronous=asynchronous)
    matching = judged(match(pool, params))
    assert most_at_once(params, kept(matching)) <= most


def test_times_of_kept_cohorts_are_taken():
    pool = pool_of(*(learner(i, [*EVENINGS[0], *EVENINGS[1]]) for i in range(6)))
    params = params_of(**THREES, max_simultaneous=1)
    for taken, left in ((36, 84), (84, 36)):
        around = match_around(pool, params, [(0, 1, 2)], times=[Meeting("UTC", taken)])
        assert [each.slot for each in kept(around)] == [taken, left]
    assert around.cohorts[0].meetings[0].humane_count == 3
    lone = match_around(
        pool_of(*(learner(i, EVENINGS[0]) for i in range(6))), params, [(0, 1, 2)], times=[None]
    )
    assert lone.n_placed == 3


def test_timetable_prefers_the_better_block_but_never_to_a_cohort():
    table = Timetable(small_params(max_simultaneous=1))
    first, second = Meeting("UTC", 36), Meeting("UTC", 84)
    offers = {(0, 1): [first, second], (2, 3): [first]}
    chosen = table.choose(offers, {(0, 1): 6.0, (2, 3): 4.0}, Watch(60))
    assert chosen == {(0, 1): second, (2, 3): first}
    del offers[2, 3]
    assert table.choose(offers, {(0, 1): 6.0}, Watch(60)) == {(0, 1): first}

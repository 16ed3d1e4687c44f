import datetime as dt

import pytest

from matcher import InvalidParams, Params, Question
from matcher.params import clock
from tests.matcher.pools import params_of


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"size_min": 1}, "sizes"),
        ({"size_min": 7}, "sizes"),
        ({"target_size": 9}, "sizes"),
        ({"size_max": 65}, "sizes"),
        ({"weeks": 0}, "weeks"),
        ({"meeting_minutes": 0}, "meeting_minutes"),
        ({"meeting_minutes": 1500}, "meeting_minutes"),
        ({"start": "2027-01-11"}, "start"),
        ({"start": dt.datetime(2027, 1, 11, tzinfo=dt.UTC)}, "start"),
        ({"complement_weight": -1}, "complement_weight"),
        ({"common_blocks_weight": float("nan")}, "common_blocks_weight"),
        ({"worst_off_weight": 1.5}, "worst_off_weight"),
        ({"time_limit": 0}, "time_limit"),
        ({"random_state": -1}, "random_state"),
        ({"n_jobs": 0}, "n_jobs"),
        ({"questions": (Question("a", "tags"), Question("a", "text"))}, "questions"),
    ],
)
def test_params_out_of_range_name_the_parameter(fields, said):
    with pytest.raises(InvalidParams, match=said):
        params_of(**fields)


@pytest.mark.parametrize(
    ("kind", "goal", "weight"),
    [
        ("song", "similar", 1),
        ("tags", "same", 1),
        ("tags", "diverse", -1),
        ("ratings", "balanced", 1),
        ("help", "similar", 1),
        ("tags", "complementary", 1),
    ],
)
def test_question_out_of_range_names_its_key(kind, goal, weight):
    with pytest.raises(InvalidParams, match="question songs"):
        Question("songs", kind, goal, weight)


def test_first_monday_is_of_the_week_that_start_lies_in():
    assert Params(start=dt.date(2027, 1, 17)).first_monday == dt.date(2027, 1, 11)


@pytest.mark.parametrize(("minutes", "slots"), [(1, 1), (30, 1), (45, 2), (90, 3)])
def test_block_slots_round_up(minutes, slots):
    assert params_of(meeting_minutes=minutes).block_slots == slots


def test_time_limit_given_is_kept_and_else_grows_with_the_pool():
    assert params_of(time_limit=7).seconds_allowed(5_000) == 7
    assert params_of().seconds_allowed(5_000) == 60


def test_clock_reads_slots():
    assert clock(0) == "Monday 00:00"
    assert clock(335) == "Sunday 23:30"
    assert clock(336) == "Monday 00:00"

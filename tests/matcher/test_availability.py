"""Availability against an independent computation that walks through the course quarter by quarter of
an hour.
"""

import datetime as dt
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matcher.availability import UTC, availability, block_starts, pack, read_clock, unpack
from matcher.rules import CommonBlock
from tests.matcher.pools import SPRING, WINTER, ZONES, learner, params_of, pool_of, spans

QUARTER = dt.timedelta(minutes=15)


def truly_free(params, free, zone, anchor, slot):
    """In every week: is the learner free from the anchor's start to the meeting's end?"""
    for week in range(params.weeks):
        shown = dt.datetime.combine(params.first_monday, dt.time()) + dt.timedelta(
            weeks=week, minutes=30 * slot
        )
        start = shown.replace(tzinfo=ZoneInfo(anchor)).astimezone(dt.UTC)
        if start.astimezone(ZoneInfo(anchor)).replace(tzinfo=None) != shown:
            return False
        for quarter in range(2 * params.block_slots):
            local = (start + quarter * QUARTER).astimezone(ZoneInfo(zone))
            if local.weekday() * 48 + local.hour * 2 + local.minute // 30 not in free:
                return False
    return True


def starts_of(params, free, zone, anchor):
    flags = np.zeros((1, 336), dtype=bool)
    flags[0, list(free)] = True
    clocks = [read_clock(key, params.first_monday, params.weeks) for key in (zone, anchor)]
    return set(np.flatnonzero(block_starts(flags, *clocks, params)[0]).tolist())


@settings(max_examples=60, deadline=None)
@given(
    free=spans(),
    zone=st.sampled_from(ZONES),
    anchor=st.sampled_from(ZONES),
    start=st.sampled_from([WINTER, SPRING, dt.date(2026, 10, 19), dt.date(2027, 3, 29)]),
    minutes=st.sampled_from([30, 90]),
)
def test_block_starts_are_true_in_every_week(free, zone, anchor, start, minutes):
    params = params_of(start=start, weeks=4, meeting_minutes=minutes)
    found = starts_of(params, free, zone, anchor)
    truth = {slot for slot in range(336) if truly_free(params, free, zone, anchor, slot)}
    assert found <= truth
    rule = CommonBlock(pool_of(learner("a", free, zone)), params)
    assert all(rule.holds([0], anchor, slot) for slot in found)


@settings(max_examples=40, deadline=None)
@given(free=spans(), zone=st.sampled_from(ZONES), anchor=st.sampled_from(ZONES))
def test_block_starts_miss_nothing_when_no_clock_changes(free, zone, anchor):
    params = params_of(start=dt.date(2027, 5, 10), weeks=3)
    truth = {slot for slot in range(336) if truly_free(params, free, zone, anchor, slot)}
    assert starts_of(params, free, zone, anchor) == truth


def test_block_starts_miss_nothing_away_from_a_clock_change():
    params = params_of(start=SPRING, weeks=4)
    free = frozenset(range(84, 96))
    assert starts_of(params, free, "America/New_York", "America/New_York") == set(range(84, 94))
    # New York goes forward on 14 March: in UTC the same evening is an hour earlier from then on.
    assert starts_of(params, free, "America/New_York", "UTC") == set(range(94, 102))


def test_block_starts_wrap_around_the_week():
    free = {334, 335, 0}
    assert starts_of(params_of(), free, "UTC", "UTC") == {334}


def test_block_starts_across_a_quarter_hour_need_one_slot_more():
    evening = frozenset(range(36, 40))
    assert starts_of(params_of(), evening, "Asia/Kathmandu", "Asia/Kathmandu") == {36, 37}
    # 18:00 in Kathmandu is 12:15 UTC: only 12:30 fits in, from 18:15 to 19:45.
    assert starts_of(params_of(), evening, "Asia/Kathmandu", "UTC") == {25}


def test_block_start_skipped_by_a_clock_does_not_exist():
    params = params_of(start=dt.date(2027, 3, 8), weeks=1, meeting_minutes=30)
    sunday_half_past_two = 6 * 48 + 5
    assert sunday_half_past_two not in starts_of(params, range(336), "UTC", "America/New_York")


def test_anchors_are_one_a_class_and_start_with_utc():
    zones = ["Europe/Berlin", "Asia/Tokyo", "Asia/Kolkata", "Asia/Kathmandu", "Europe/Paris"]
    pool = pool_of(*(learner(zone, zone=zone) for zone in zones))
    winter = availability(pool, params_of())
    assert winter.anchors[0] == UTC
    assert winter.home.tolist() == [0, 0, 0, 1, 0]
    spring = availability(pool, params_of(start=SPRING))
    assert len(spring.anchors) == 3
    assert spring.home[0] == spring.home[4] != spring.home[1]


def test_if_needed_slots_count_for_can_but_not_for_prefers():
    pool = pool_of(learner("a", {36}, if_needed=frozenset({37, 38})), learner("b", {36, 37, 38}))
    hours = availability(pool, params_of())
    assert unpack(hours.can[:, 0]).sum(axis=1).tolist() == [1, 1]
    assert unpack(hours.prefers[:, 0]).sum(axis=1).tolist() == [0, 1]


@pytest.mark.parametrize("slots", [[], [0], [335], list(range(336))])
def test_pack_and_unpack_are_inverse(slots):
    flags = np.zeros(336, dtype=bool)
    flags[slots] = True
    assert np.flatnonzero(unpack(pack(flags))).tolist() == slots

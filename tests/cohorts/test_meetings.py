"""Meeting times: the same wall-clock time in the anchor zone, seen rightly from elsewhere."""

import itertools
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from cohorts.meetings import LocalTime, Meeting, in_zone, local_times, occurrences, when
from cohorts.models import Course

TUESDAY_18 = 48 + 36


def course(start: date = date(2027, 3, 1), weeks: int = 4, minutes: int = 90) -> Course:
    return Course(start=start, weeks=weeks, meeting_minutes=minutes)


def test_occurrences_are_weekly_at_one_wall_clock_time() -> None:
    found = occurrences(course(), Meeting("America/New_York", TUESDAY_18))
    assert [each.isoformat() for each in found] == [
        "2027-03-02T18:00:00-05:00",
        "2027-03-09T18:00:00-05:00",
        "2027-03-16T18:00:00-04:00",  # clocks went forward on 14 March
        "2027-03-23T18:00:00-04:00",
    ]


def test_occurrences_before_the_course_starts_are_left_out() -> None:
    found = occurrences(course(start=date(2027, 3, 3)), Meeting("UTC", TUESDAY_18))
    assert [each.date().isoformat() for each in found] == ["2027-03-09", "2027-03-16", "2027-03-23"]


def test_local_times_tell_of_a_clock_change() -> None:
    found = local_times(course(), Meeting("America/New_York", TUESDAY_18), "Europe/Berlin")
    assert found == [
        LocalTime(date(2027, 3, 3), 2, time(0, 0), time(1, 30)),
        LocalTime(date(2027, 3, 16), 1, time(23, 0), time(0, 30)),
    ]


def test_when_is_one_line_with_the_change() -> None:
    text = when(course(), Meeting("America/New_York", TUESDAY_18), "Europe/Berlin")
    assert text == "Wednesday 00:00–01:30; from 16 March: Tuesday 23:00–00:30"


def test_local_times_end_across_a_clock_change_counts_real_minutes() -> None:
    sunday_1 = 6 * 48 + 2
    found = local_times(course(start=date(2027, 3, 22), weeks=1), Meeting("UTC", sunday_1), "Europe/Berlin")
    assert found == [LocalTime(date(2027, 3, 28), 6, time(3, 0), time(4, 30))]
    found = local_times(course(start=date(2027, 3, 22), weeks=1), Meeting("UTC", 6 * 48 + 1), "Europe/Berlin")
    assert found == [LocalTime(date(2027, 3, 28), 6, time(1, 30), time(4, 0))]


@given(
    zone=st.sampled_from(["UTC", "Asia/Kathmandu", "Australia/Lord_Howe", "America/St_Johns"]),
    seen_from=st.sampled_from(["Europe/London", "Asia/Kolkata", "Pacific/Chatham", "America/Sao_Paulo"]),
    slot=st.integers(0, 335),
    start=st.dates(date(2026, 1, 1), date(2029, 1, 1)),
)
def test_local_times_cover_every_occurrence(zone: str, seen_from: str, slot: int, start: date) -> None:
    given_course = course(start=start, weeks=10)
    starts = occurrences(given_course, Meeting(zone, slot))
    told = local_times(given_course, Meeting(zone, slot), seen_from)
    for each in starts:
        local = each.astimezone(UTC).astimezone(ZoneInfo(seen_from))
        current = [entry for entry in told if entry.since <= local.date()][-1]
        assert (current.weekday, current.start) == (local.weekday(), local.time())
    assert all(
        later - earlier <= timedelta(weeks=1, hours=2) for earlier, later in itertools.pairwise(starts)
    )


def test_in_zone_keeps_the_moment() -> None:
    moment = datetime(2027, 1, 1, 12, tzinfo=UTC)
    assert in_zone(moment, "Asia/Kathmandu").isoformat() == "2027-01-01T17:45:00+05:45"

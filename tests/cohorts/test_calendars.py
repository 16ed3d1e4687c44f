"""Calendars, read back by a library that did not write them and held against ``zoneinfo``."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import count, pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import vobject
from hypothesis import given, settings
from hypothesis import strategies as st

from cohorts import calendars, schedule
from cohorts.calendars import Stay
from cohorts.models import Cohort, Course, FixedMeeting, Membership, Run

PUBLISHED = datetime(2027, 1, 2, 3, 4, 5, tzinfo=UTC)
WEDNESDAY_19 = 2 * 48 + 38
ZONES = ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "UTC"]


def course_from(start: date, weeks: int = 8) -> Course:
    return Course(title="Läuten, hören; bauen", slug="l", start=start, weeks=weeks, meeting_minutes=90)


def cohort_in(zone: str, slot: int = WEDNESDAY_19, **given: Any) -> Cohort:
    run = Run(created_at=datetime(2027, 1, 1, tzinfo=UTC), published_at=PUBLISHED)
    return Cohort(
        run=run, id=1, key="k" * 32, position=1, name="Cohort 1", channel="", meetings=[[zone, slot]], **given
    )


def fixed(zone: str, *times: tuple[datetime, int]) -> list[FixedMeeting]:
    return [
        FixedMeeting(sequence=place, zone=zone, slot=slot, fixed_at=at)
        for place, (at, slot) in enumerate(times, start=1)
    ]


_read = count(1)


def written(course: Course, cohorts: list[Cohort]) -> bytes:
    return b"".join(calendars.calendar(course, cohorts))


def events(content: bytes) -> list[Any]:
    """Return the events that vobject reads; their starts are aware by the file's own zone rules.

    The zones are renamed, each time anew: vobject would remember an earlier file's rules for a name,
    or look a name it knows up elsewhere.
    """
    text = re.sub(r"(TZID[:=])", rf"\g<1>File {next(_read)} ", content.decode())
    return list(getattr(vobject.readOne(text), "vevent_list", []))


class Subscriber:
    """A calendar program: it keeps one event a UID, and takes only what is not older than what it has."""

    def __init__(self) -> None:
        self.kept: dict[str, Any] = {}

    def look(self, content: bytes) -> None:
        """Read the feed again."""
        for event in events(content):
            old = self.kept.get(event.uid.value)
            if old is None or int(event.sequence.value) >= int(old.sequence.value):
                self.kept[event.uid.value] = event

    def meetings(self) -> list[datetime]:
        """Return the starts of the meetings that are on, in UTC."""
        on = [event for event in self.kept.values() if event.status.value != "CANCELLED"]
        return sorted(event.dtstart.value.astimezone(UTC) for event in on)


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("start", [date(2027, 3, 1), date(2027, 9, 27), date(2027, 10, 11)])
def test_calendar_meets_by_the_wall_clock_across_a_clock_change(zone: str, start: date) -> None:
    found = events(written(course_from(start), [cohort_in(zone)]))
    expected = [
        datetime(start.year, start.month, start.day, 19, tzinfo=ZoneInfo(zone)) + timedelta(days=2 + 7 * week)
        for week in range(8)
    ]
    assert [event.dtstart.value.astimezone(UTC) for event in found] == [
        each.astimezone(UTC) for each in expected
    ]
    assert {event.duration.value for event in found} == {timedelta(minutes=90)}
    assert [event.uid.value for event in found] == [f"{'k' * 32}-{week}@cohorts" for week in range(1, 9)]


def test_calendar_over_clock_changes_really_has_two_offsets() -> None:
    """Whatever the test above compares would be no proof if the clocks stood still."""
    found = events(written(course_from(date(2027, 3, 1)), [cohort_in("Europe/Berlin")]))
    assert {event.dtstart.value.utcoffset() for event in found} == {timedelta(hours=1), timedelta(hours=2)}


def unfold(content: bytes) -> list[str]:
    """Return the lines of an iCalendar file by the rule of RFC 5545, without any library."""
    return content.decode().replace("\r\n ", "").split("\r\n")


def observances(rules: list[str]) -> list[dict[str, str]]:
    """Return the properties of each stretch of standard or daylight time."""
    found: list[dict[str, str]] = []
    for line in rules:
        if line in ("BEGIN:STANDARD", "BEGIN:DAYLIGHT"):
            found.append({})
        elif found and not line.startswith("END:"):
            name, _, value = line.partition(":")
            found[-1][name] = value
    return found


def onsets(part: dict[str, str]) -> list[tuple[datetime, str]]:
    """Return the local times from which an offset holds."""
    times = [part["DTSTART"], *filter(None, part.get("RDATE", "").split(","))]
    return [(datetime.strptime(each, "%Y%m%dT%H%M%S"), part["TZOFFSETTO"]) for each in times]


@pytest.mark.parametrize(
    ("zone", "expected"),
    [("Europe/Berlin", 2), ("America/New_York", 2), ("Australia/Lord_Howe", 2), ("Asia/Kathmandu", 1)],
)
def test_calendar_zone_rules_agree_with_zoneinfo_across_a_clock_change(zone: str, expected: int) -> None:
    lines = unfold(written(course_from(date(2027, 3, 1)), [cohort_in(zone)]))
    begin = lines.index("BEGIN:VTIMEZONE")
    rules = lines[begin : lines.index("END:VTIMEZONE")]
    assert f"TZID:{zone}" in rules
    changes = [change for part in observances(rules) for change in onsets(part)]
    for each in range(8):
        local = datetime(2027, 3, 3, 19) + timedelta(weeks=each)
        told = max(change for change in changes if change[0] <= local)[1]
        assert told == local.replace(tzinfo=ZoneInfo(zone)).strftime("%z")
    for (before, offset), (onset, _) in pairwise(changes):
        # RFC 5545: an onset is the wall clock as it stood before the change.
        moment = onset.replace(tzinfo=UTC) - timedelta(hours=int(offset[:3]), minutes=int(offset[3:]))
        assert (moment - timedelta(seconds=1)).astimezone(ZoneInfo(zone)).strftime("%z") == offset
        assert moment.astimezone(ZoneInfo(zone)).strftime("%z") != offset
        assert before < onset
    assert len(changes) == expected


def test_calendar_in_utc_needs_no_zone_rules() -> None:
    content = written(course_from(date(2027, 3, 1)), [cohort_in("UTC", 0)])
    assert events(content)[0].dtstart.value.astimezone(UTC) == datetime(2027, 3, 1, tzinfo=UTC)
    assert b"VTIMEZONE" not in content


def test_calendar_is_the_same_for_the_same_cohorts() -> None:
    course = course_from(date(2027, 3, 1))
    first, second = (written(course, [cohort_in("Europe/Berlin")]) for _ in range(2))
    assert first == second
    assert b"DTSTAMP:20270102T030405Z" in first
    assert b"REFRESH-INTERVAL;VALUE=DURATION:PT1H" in first


def test_calendar_tells_a_proposed_time_from_a_fixed_one() -> None:
    course, cohort = course_from(date(2027, 3, 1)), cohort_in("Europe/Berlin")
    assert {each.status.value for each in events(written(course, [cohort]))} == {"TENTATIVE"}
    cohort.fixed = fixed("Europe/Berlin", (PUBLISHED + timedelta(days=1), WEDNESDAY_19))
    found = events(written(course, [cohort]))
    assert {(each.status.value, each.sequence.value) for each in found} == {("CONFIRMED", "1")}


def test_calendar_says_where_a_cohort_talks() -> None:
    course, cohort = course_from(date(2027, 3, 1), weeks=1), cohort_in("UTC")
    cohort.channel = "https://meet.example.org/a,b;c"
    (event,) = events(written(course, [cohort]))
    assert event.location.value == "https://meet.example.org/a,b;c"


def test_calendar_that_moves_leaves_no_doubles() -> None:
    course, subscriber = course_from(date(2027, 3, 1), weeks=4), Subscriber()
    cohort = cohort_in("Europe/Berlin")
    moves = [
        (datetime(2027, 2, 20, tzinfo=UTC), 3 * 48 + 40),  # Thursdays at 20:00
        (datetime(2027, 3, 12, tzinfo=UTC), 38),  # on the second Friday: to Mondays at 19:00
        (datetime(2027, 3, 19, tzinfo=UTC), 4 * 48 + 20),  # a week later: to Fridays at 10:00
    ]
    subscriber.look(written(course, [cohort]))
    assert [f"{each:%d %b %H:%M}" for each in subscriber.meetings()] == [
        "03 Mar 18:00",
        "10 Mar 18:00",
        "17 Mar 18:00",
        "24 Mar 18:00",
    ]
    for number in (1, 2, 3):
        cohort.fixed = fixed("Europe/Berlin", *moves[:number])
        subscriber.look(written(course, [cohort]))
    assert [f"{each:%d %b %H:%M}" for each in subscriber.meetings()] == [
        "04 Mar 19:00",
        "11 Mar 19:00",
        "15 Mar 18:00",
        "26 Mar 09:00",
    ]


@settings(max_examples=25, deadline=None)
@given(
    zone=st.sampled_from(ZONES),
    changes=st.lists(
        st.tuples(st.datetimes(datetime(2027, 2, 20), datetime(2027, 4, 15)), st.integers(0, 335)),
        min_size=1,
        max_size=4,
    ),
)
def test_calendar_shows_what_holds_after_any_changes(zone: str, changes: list[tuple[datetime, int]]) -> None:
    """Whoever looks after each change has what somebody has who looks for the first time at the end."""
    course, cohort = course_from(date(2027, 3, 8), weeks=5), cohort_in(zone)
    moves = sorted((at.replace(tzinfo=UTC), slot) for at, slot in changes)
    faithful, late = Subscriber(), Subscriber()
    for number in range(len(moves) + 1):
        cohort.fixed = fixed(zone, *moves[:number])
        faithful.look(written(course, [cohort]))
    late.look(written(course, [cohort]))
    holds = [each.starts_at for each in schedule.standing(schedule.of_cohort(course, cohort))]
    assert faithful.meetings() == late.meetings() == sorted(holds)


def test_calendar_of_a_cohort_that_has_ended_cancels_what_was_to_come() -> None:
    course = course_from(date(2027, 3, 1), weeks=3)
    cohort, subscriber = cohort_in("UTC"), Subscriber()
    subscriber.look(written(course, [cohort]))
    cohort.ended_at = datetime(2027, 3, 4, tzinfo=UTC)
    content = written(course, [cohort])
    subscriber.look(content)
    assert [each.status.value for each in events(content)] == ["TENTATIVE", "CANCELLED", "CANCELLED"]
    assert subscriber.meetings() == [datetime(2027, 3, 3, 19, tzinfo=UTC)]


def memberships(cohort: Cohort, stays: Sequence[Stay]) -> list[Membership]:
    return [
        Membership(id=place, cohort=cohort, cohort_id=cohort.id, since=stay.since, until=stay.until)
        for place, stay in enumerate(stays)
    ]


def test_calendar_of_a_learner_who_leaves_and_comes_back() -> None:
    course, cohort, subscriber = course_from(date(2027, 3, 1), weeks=4), cohort_in("UTC"), Subscriber()
    left, back = datetime(2027, 3, 4, tzinfo=UTC), datetime(2027, 3, 11, tzinfo=UTC)
    story = ([Stay(PUBLISHED, None)], [Stay(PUBLISHED, left)], [Stay(PUBLISHED, left), Stay(back, None)])
    seen = []
    for stays in story:
        cohort.memberships = []
        entries = calendars.of_learner(course, memberships(cohort, stays))
        subscriber.look(calendars.write(course, entries))
        seen.append([each.day for each in subscriber.meetings()])
    assert seen == [[3, 10, 17, 24], [3], [3, 17, 24]]


def test_calendar_of_a_learner_who_left_hides_where_the_others_go() -> None:
    course, cohort = course_from(date(2027, 3, 1), weeks=2), cohort_in("UTC")
    cohort.fixed = fixed("UTC", (datetime(2027, 2, 10, tzinfo=UTC), 10))
    cohort.channel = "https://meet.example.org/secret"
    left = memberships(cohort, [Stay(PUBLISHED, datetime(2027, 2, 5, tzinfo=UTC))])
    content = calendars.write(course, calendars.of_learner(course, left))
    assert [(each.dtstart.value.hour, each.status.value) for each in events(content)] == [
        (19, "CANCELLED")
    ] * 2
    assert b"secret" not in content


def test_calendar_of_a_learner_who_joined_late_starts_there() -> None:
    course, cohort = course_from(date(2027, 3, 1), weeks=3), cohort_in("UTC")
    late = memberships(cohort, [Stay(datetime(2027, 3, 5, tzinfo=UTC), None)])
    entries = calendars.of_learner(course, late)
    assert [each.occurrence.start.day for each in entries] == [10, 17]
    assert calendars.changed_at(entries) == datetime(2027, 3, 5, tzinfo=UTC)
    assert calendars.changed_at([]) is None

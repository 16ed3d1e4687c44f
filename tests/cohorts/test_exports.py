"""Rosters as files, read back by other means than they were written with."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import openpyxl
import pytest
from sqlalchemy.orm import Session

from cohorts import exports, roster
from cohorts.models import Cohort, Course, Run, now
from cohorts.roster_rows import COLUMNS
from tests.cohorts.test_roster import publish
from tests.factories import make_course

HOSTILE = ["=1+1", "+cmd", "-2", "@SUM(A1)", "a\nb", 'say "hi", you', "http://x.example", "'=x", "\t=1"]


@pytest.fixture
def course(session: Session) -> Course:
    """A published course, one of whose learners has a hostile name for each kind."""
    course = make_course(session)
    run = publish(session, course, ["UTC"] * len(HOSTILE))
    for membership, name in zip(run.cohorts[0].memberships, HOSTILE, strict=True):
        membership.signup.name = name
    session.flush()
    return course


@pytest.mark.parametrize("name", exports.FORMATS)
def test_export_never_tells_whom_somebody_avoids(session: Session, course: Course, name: str) -> None:
    made = exports.FORMATS[name]
    assert b"secret@example.org" not in made(session, course)
    assert made.suffix == f".{name}"


@pytest.mark.parametrize("name", exports.FORMATS)
def test_export_before_anything_is_published(session: Session, name: str) -> None:
    assert exports.FORMATS[name](session, make_course(session))


def test_csv_is_read_back_and_formulas_are_text(session: Session, course: Course) -> None:
    text = exports.FORMATS["csv"](session, course).decode()
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    expected = roster.rows(session, course)
    assert [row["email"] for row in rows] == [row.email for row in expected]
    assert list(rows[0])[:6] == ["cohort", "name", "email", "time_zone", "meeting", "reason"]
    escaped = {row.name: f"'{row.name}" for row in expected if row.name.lstrip("'")[0] in "=+-@\t"}
    assert [row["name"] for row in rows] == [escaped.get(row.name, row.name) for row in expected]
    assert len(escaped) == 6


def test_xlsx_is_read_back_and_formulas_are_text(session: Session, course: Course) -> None:
    book = openpyxl.load_workbook(io.BytesIO(exports.FORMATS["xlsx"](session, course)))
    header, *rows = book["Roster"].iter_rows()
    expected = roster.rows(session, course)
    assert [cell.value for cell in header] == list(COLUMNS)
    assert [row[1].value for row in rows] == [row.name for row in expected]
    assert {cell.data_type for row in rows for cell in row if cell.value is not None} == {"s"}
    assert [row[1].hyperlink for row in rows] == [None] * len(rows)


def test_json_is_read_back(session: Session, course: Course) -> None:
    document = json.loads(exports.FORMATS["json"](session, course))
    assert document["course"]["slug"] == course.slug
    assert [row["name"] for row in document["roster"]] == [row.name for row in roster.rows(session, course)]
    assert document["roster"][0]["interests"] == ["Jazz"]


def unfold(content: bytes) -> list[str]:
    """Return the lines of an iCalendar file by the rule of RFC 5545, without any library."""
    return content.decode().replace("\r\n ", "").split("\r\n")


def events(content: bytes) -> list[dict[str, str]]:
    """Return the properties of each event."""
    found: list[dict[str, str]] = []
    inside = False
    for line in unfold(content):
        if line in ("BEGIN:VEVENT", "END:VEVENT"):
            inside = line.startswith("BEGIN")
            found += [{}] if inside else []
        elif inside:
            name, _, value = line.partition(":")
            found[-1][name] = value
    return found


def make_cohort(course: Course, zone: str, slot: int, **given: object) -> Cohort:
    run = Run(course=course, created_at=datetime(2027, 1, 1, tzinfo=UTC), published_at=None)
    run.published_at = datetime(2027, 1, 2, 3, 4, 5, tzinfo=UTC)
    return Cohort(run=run, key="k" * 32, position=1, name="Cohort 1", meetings=[[zone, slot]], **given)


def course_from(start: date, weeks: int = 8) -> Course:
    return Course(title="Läuten, hören; bauen", slug="l", start=start, weeks=weeks, meeting_minutes=90)


@pytest.mark.parametrize(
    ("zone", "start"),
    [
        ("Europe/Berlin", date(2027, 3, 1)),
        ("America/New_York", date(2027, 2, 15)),
        ("Australia/Lord_Howe", date(2027, 3, 15)),
        ("Asia/Kathmandu", date(2027, 3, 1)),
    ],
)
def test_calendar_repeats_by_the_wall_clock_across_a_clock_change(zone: str, start: date) -> None:
    course = course_from(start)
    (event,) = events(exports.calendar(course, [make_cohort(course, zone, 2 * 48 + 38)]))
    first = datetime.strptime(event[f"DTSTART;TZID={zone}"], "%Y%m%dT%H%M%S")
    assert first == datetime.combine(start + timedelta(days=2), datetime.min.time()) + timedelta(hours=19)
    assert event["RRULE"] in ("FREQ=WEEKLY;COUNT=8", "COUNT=8;FREQ=WEEKLY")
    assert event["DURATION"] == "PT1H30M"


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
    course = course_from(date(2027, 3, 1))
    lines = unfold(exports.calendar(course, [make_cohort(course, zone, 2 * 48 + 38)]))
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
    course = course_from(date(2027, 3, 1))
    content = exports.calendar(course, [make_cohort(course, "UTC", 0)])
    assert events(content)[0]["DTSTART"] == "20270301T000000Z"
    assert b"VTIMEZONE" not in content


def test_calendar_starts_with_the_first_meeting_on_or_after_the_courses_start() -> None:
    course = course_from(date(2027, 3, 4), weeks=2)
    (event,) = events(exports.calendar(course, [make_cohort(course, "UTC", 0)]))
    assert (event["DTSTART"], event["RRULE"].count("COUNT=1")) == ("20270308T000000Z", 1)


def test_calendar_is_the_same_for_the_same_cohorts() -> None:
    course = course_from(date(2027, 3, 1))
    first, second = (exports.calendar(course, [make_cohort(course, "Europe/Berlin", 40)]) for _ in range(2))
    assert first == second
    (event,) = events(first)
    assert (event["UID"], event["SEQUENCE"], event["STATUS"]) == (f"{'k' * 32}@cohorts", "0", "CONFIRMED")
    assert event["DTSTAMP"] == "20270102T030405Z"


def test_calendar_of_a_cohort_that_has_ended_cancels_it() -> None:
    course = course_from(date(2027, 3, 1))
    (event,) = events(exports.calendar(course, [make_cohort(course, "UTC", 0, ended_at=now())]))
    assert (event["SEQUENCE"], event["STATUS"]) == ("1", "CANCELLED")


def test_calendar_of_a_roster_has_an_event_for_each_cohort(session: Session) -> None:
    course = make_course(session)
    run = publish(session, course, ["UTC"], ["Asia/Tokyo"])
    found = events(exports.FORMATS["ics"](session, course))
    assert [event["UID"] for event in found] == [f"{cohort.key}@cohorts" for cohort in run.cohorts]

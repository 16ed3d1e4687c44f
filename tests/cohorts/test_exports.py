"""Rosters as files, read back by other means than they were written with."""

from __future__ import annotations

import csv
import io
import json

import openpyxl
import pytest
import vobject
from sqlalchemy.orm import Session

from cohorts import exports, roster
from cohorts.models import Course
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


def test_calendar_of_a_roster_has_the_meetings_of_each_cohort(session: Session) -> None:
    course = make_course(session, weeks=3)
    run = publish(session, course, ["UTC"], ["Asia/Tokyo"])
    found = vobject.readOne(exports.FORMATS["ics"](session, course).decode()).vevent_list
    assert [event.uid.value for event in found] == [
        f"{cohort.key}-{week}@cohorts" for cohort in run.cohorts for week in (1, 2, 3)
    ]

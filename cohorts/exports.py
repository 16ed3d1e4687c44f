"""Rosters as files: one function and one entry in ``FORMATS`` for each format."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, Final

from sqlalchemy.orm import Session

from . import roster
from .calendars import calendar
from .models import Course
from .roster_rows import cells, columns, to_csv

__all__ = ["FORMATS", "Format", "calendar"]

_WIDTHS: Final = {"cohort": 12, "convenor": 9, "interests": 50, "reason": 50}


@dataclass(frozen=True, slots=True)
class Format:
    """A way to write a roster: call it with a session and a course."""

    write: Callable[[Session, Course], bytes]
    content_type: str
    suffix: str

    def __call__(self, session: Session, course: Course) -> bytes:
        """Return the roster of ``course`` as a file."""
        return self.write(session, course)


def _csv(session: Session, course: Course) -> bytes:
    return to_csv(roster.rows(session, course))


def _xlsx(session: Session, course: Course) -> bytes:
    import xlsxwriter  # a roster is exported now and then; nobody else waits for the library

    content = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(content, options) as book:
        sheet = book.add_worksheet("Roster")
        bold = book.add_format({"bold": True})
        rows = roster.rows(session, course)
        headings = columns(rows)
        for place, column in enumerate(headings):
            sheet.set_column(place, place, _WIDTHS.get(column, 24))
            sheet.write_string(0, place, column, bold)
        for line, row in enumerate(rows, start=1):
            for place, cell in enumerate(cells(row)):
                sheet.write_string(line, place, cell)
        sheet.freeze_panes(1, 0)
        sheet.autofilter(0, 0, len(rows), len(headings) - 1)
    return content.getvalue()


def _json(session: Session, course: Course) -> bytes:
    """Return the roster as JSON: the course, then one object a learner."""
    document: dict[str, Any] = {
        "course": {
            "slug": course.slug,
            "title": course.title,
            "start": course.start.isoformat(),
            "weeks": course.weeks,
            "meeting_minutes": course.meeting_minutes,
        },
        "roster": [asdict(row) for row in roster.rows(session, course)],
    }
    return json.dumps(document, ensure_ascii=False, indent=1).encode() + b"\n"


def _ics(session: Session, course: Course) -> bytes:
    return calendar(course, roster.cohorts(session, course))


FORMATS: Final = {
    "csv": Format(_csv, "text/csv; charset=utf-8", ".csv"),
    "xlsx": Format(_xlsx, "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", ".xlsx"),
    "json": Format(_json, "application/json", ".json"),
    "ics": Format(_ics, "text/calendar; charset=utf-8", ".ics"),
}
"""Every format a roster can be exported in."""

"""Rosters as files: one function and one entry in ``FORMATS`` for each format.

Files of other systems are in ``cohorts.foreign``. Everything is written piece by piece, so that the roster of
thousands takes no more memory than that of a few.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from functools import cached_property, partial
from itertools import groupby
from typing import Any, Final

from sqlalchemy import ColumnElement
from sqlalchemy.orm import Session

from . import foreign, meetings, roster
from .asking import custom_questions
from .calendars import calendar
from .exceptions import InvalidInput
from .foreign import Line, Told
from .language import gettext as _
from .language import lazy_gettext as lazy
from .models import Cohort, Course
from .roster_rows import COLUMNS, RosterRow, cell, separated, table

__all__ = ["FORMATS", "NAMES", "Choice", "Format", "Source", "calendar"]

MAX_TEXT: Final = 100
_WIDTHS: Final = {"cohort": 12, "convenor": 9, "interests": 50, "reason": 50}
_PIECE: Final = 64 * 1024

NAMES: Final[Mapping[str, str]] = {
    "cohort": lazy("Cohort"),
    "name": lazy("Name"),
    "email": lazy("E-mail"),
    "time_zone": lazy("Time zone"),
    "meeting": lazy("Meets (own time)"),
    "reason": lazy("Why without a cohort"),
    "languages": lazy("Languages"),
    "interests": lazy("Interests"),
    "can_help_with": lazy("Can help with"),
    "wants_help_with": lazy("Wants help with"),
    "convenor": lazy("Would get the first meeting going"),
}
"""The columns of a roster as people call them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What of a roster goes into a file.

    Attributes:
        cohort: Key of the one cohort that is exported; empty for all, and those without one.
        columns: Which columns, in this order; empty for all. A format with a header of its own has all of it.
        login: What another system knows a learner by: ``email``, ``local`` (the part of the address before
            the @), or the key of one of the course's own questions.
        their_course: The short name of the course in the other system; empty for the address here.
    """

    cohort: str = ""
    columns: tuple[str, ...] = ()
    login: str = "email"
    their_course: str = ""

    def as_json(self) -> dict[str, Any]:
        """Return it in plain values; ``from_json`` gives it back."""
        return {**asdict(self), "columns": list(self.columns)}

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> Choice:
        """Return what ``as_json`` made plain."""
        known = {each.name: kept[each.name] for each in fields(cls) if each.name in kept}
        return cls(**{**known, "columns": tuple(known.get("columns", ()))})


@dataclass(frozen=True)
class Source:
    """The part of a roster that a file is made of."""

    session: Session
    course: Course
    choice: Choice

    @property
    def rows(self) -> Iterator[RosterRow]:
        """The rows, read while they are written."""
        return roster.stream(self.session, self.course, self._only)

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """The columns of the file."""
        return self.choice.columns or columns_of(self.course)

    @cached_property
    def cohorts(self) -> dict[str, Cohort]:
        """The cohorts by their keys, in order."""
        living = roster.cohorts(self.session, self.course, only=self._only)
        return {each.key: each for each in living}

    @property
    def _only(self) -> ColumnElement[bool] | None:
        return Cohort.key == self.choice.cohort if self.choice.cohort else None

    def by_cohort(self) -> Iterator[tuple[Cohort | None, list[RosterRow]]]:
        """Yield each cohort with its rows; last, without a cohort, the others."""
        for key, some in groupby(self.rows, key=lambda row: row.cohort_key):
            yield self.cohorts.get(key), list(some)

    def meeting_of(self, cohort: Cohort) -> str:
        """Say when a cohort meets on the clock that its meeting keeps to."""
        weekly = meetings.weekly(cohort)
        if weekly is None:
            return _("no fixed meeting")
        return f"{meetings.when(self.course, weekly, weekly.zone)} ({weekly.zone})"

    def told(self) -> Told:
        """Return what files of other systems are made of."""
        return Told(
            rows=self.rows,
            groups=self.by_cohort,
            meetings={key: self.meeting_of(each) for key, each in self.cohorts.items()},
            channels={key: each.channel for key, each in self.cohorts.items()},
            login=self.choice.login,
            course=self.choice.their_course or self.course.slug,
        )


@dataclass(frozen=True, slots=True)
class Format:
    """A way to write a roster: call it with a session and a course.

    Attributes:
        write: Yields the file piece by piece.
        label: What people call the format.
        hint: What it is for.
        takes: Which parts of a choice besides the cohort make a difference.
    """

    write: Callable[[Source], Iterator[bytes]]
    content_type: str
    suffix: str
    label: str
    hint: str
    takes: frozenset[str] = frozenset()

    def __call__(self, session: Session, course: Course, choice: Choice | None = None) -> bytes:
        """Return the roster of ``course`` as a file."""
        return b"".join(self.stream(session, course, choice))

    def stream(self, session: Session, course: Course, choice: Choice | None = None) -> Iterator[bytes]:
        """Yield the roster of ``course`` as a file, piece by piece, while ``session`` is open.

        Raises:
            InvalidInput: The choice does not fit the course.
        """
        choice = choice or Choice()
        check(session, course, choice)
        return self.write(Source(session, course, choice))


def columns_of(course: Course) -> tuple[str, ...]:
    """Return every column a roster of ``course`` has."""
    return (*COLUMNS, *(each.key for each in custom_questions(course)))


def names_of(course: Course) -> dict[str, str]:
    """Return what the columns of a roster are called, by column."""
    return {**NAMES, **{each.key: each.label for each in custom_questions(course)}}


def logins_of(course: Course) -> dict[str, str]:
    """Return in words what another system may know learners by, by what ``Choice.login`` calls it."""
    own = {each.key: each.label for each in custom_questions(course)}
    return {"email": _("their e-mail address"), "local": _("the part of it before the @"), **own}


def check(session: Session, course: Course, choice: Choice) -> None:
    """Refuse a choice that does not fit a course.

    Raises:
        InvalidInput: It names a cohort, a column or a question that is not there.
    """
    errors: dict[str, list[str]] = {}
    if choice.cohort and choice.cohort not in {each.key for each in roster.cohorts(session, course)}:
        errors["cohort"] = [_("This cohort is not among those of the course any more.")]
    unknown = [each for each in choice.columns if each not in columns_of(course)]
    if unknown:
        errors["columns"] = [_("The roster has no column %(name)s.", name=unknown[0][:MAX_TEXT])]
    if choice.login not in logins_of(course):
        errors["login"] = [_("The course has no such question any more.")]
    if len(choice.their_course) > MAX_TEXT or not choice.their_course.isprintable():
        errors["their_course"] = [_("Use at most %(most)s characters.", most=MAX_TEXT)]
    if errors:
        raise InvalidInput(errors)


def _csv(source: Source) -> Iterator[bytes]:
    return separated(table(source.rows, source.columns))


def _xlsx(source: Source) -> Iterator[bytes]:
    """Yield a workbook in which every cell is a text; it is put together on disk, not in memory."""
    import xlsxwriter  # a roster is exported now and then; nobody else waits for the library

    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with tempfile.TemporaryFile() as file:
        with xlsxwriter.Workbook(file, options) as book:
            sheet = book.add_worksheet("Roster")
            bold = book.add_format({"bold": True})
            for place, column in enumerate(source.columns):
                sheet.set_column(place, place, _WIDTHS.get(column, 24))
                sheet.write_string(0, place, column, bold)
            line = 0
            for line, row in enumerate(source.rows, start=1):
                for place, column in enumerate(source.columns):
                    sheet.write_string(line, place, cell(row, column))
            sheet.freeze_panes(1, 0)
            sheet.autofilter(0, 0, line, len(source.columns) - 1)
        file.seek(0)
        yield from iter(partial(file.read, _PIECE), b"")


def _json(source: Source) -> Iterator[bytes]:
    """Yield JSON: the course, then one object a learner, each on a line of its own."""
    course = source.course
    about = {
        "slug": course.slug,
        "title": course.title,
        "start": course.start.isoformat(),
        "weeks": course.weeks,
        "meeting_minutes": course.meeting_minutes,
    }
    yield f'{{"course": {json.dumps(about, ensure_ascii=False)},\n"roster": ['.encode()
    between = "\n"
    for row in source.rows:
        yield f"{between}{json.dumps(_plain(row, source.choice.columns), ensure_ascii=False)}".encode()
        between = ",\n"
    yield b"\n]}\n"


def _plain(row: RosterRow, columns: tuple[str, ...]) -> dict[str, Any]:
    """Return a row in plain values, whole or with the chosen columns."""
    whole = asdict(row)
    return {each: whole.get(each, row.answers.get(each, "")) for each in columns} if columns else whole


def _ics(source: Source) -> Iterator[bytes]:
    return calendar(source.course, source.cohorts.values())


def _txt(source: Source) -> Iterator[bytes]:
    """Yield each cohort as a paragraph to paste into a message: name, meeting, room, members."""
    yield f"{source.course.title}\n".encode()
    for cohort, rows in source.by_cohort():
        head = [cohort.name, source.meeting_of(cohort)] if cohort else [_("Without a cohort")]
        if cohort and cohort.channel:
            head.append(cohort.channel)
        names, emails = (max(len(getattr(row, each)) for row in rows) for each in ("name", "email"))
        lines = [
            f"  {row.name:<{names}}  {row.email:<{emails}}  {row.meeting or row.reason}".rstrip()
            for row in rows
        ]
        yield "\n".join(["", *head, *lines, ""]).encode()


def _lines(
    function: Callable[[Told], Iterator[Line]], delimiter: str = ",", ending: str = "\r\n", mark: bytes = b""
) -> Callable[[Source], Iterator[bytes]]:
    """Return how to write the lines that a function of ``cohorts.foreign`` makes."""

    def write(source: Source) -> Iterator[bytes]:
        yield mark
        yield from separated(function(source.told()), delimiter, ending)

    return write


_CSV: Final = "text/csv; charset=utf-8"
_LOGIN: Final = frozenset({"login"})

FORMATS: Final = {
    "csv": Format(
        _csv,
        _CSV,
        "roster.csv",
        lazy("CSV"),
        lazy("For spreadsheets and scripts."),
        frozenset({"columns"}),
    ),
    "xlsx": Format(
        _xlsx,
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "roster.xlsx",
        lazy("Excel"),
        lazy("A workbook for Excel, LibreOffice or Google Sheets."),
        frozenset({"columns"}),
    ),
    "json": Format(
        _json,
        "application/json",
        "roster.json",
        lazy("JSON"),
        lazy("For programs; lists stay lists."),
        frozenset({"columns"}),
    ),
    "ics": Format(
        _ics,
        "text/calendar; charset=utf-8",
        "roster.ics",
        lazy("Calendar"),
        lazy("Every meeting, for any calendar program."),
    ),
    "txt": Format(
        _txt,
        "text/plain; charset=utf-8",
        "roster.txt",
        lazy("Plain text"),
        lazy("A paragraph for each cohort, to paste into a message."),
    ),
    "mail-merge": Format(
        _lines(foreign.mail_merge, mark=b"\xef\xbb\xbf"),
        _CSV,
        "mail-merge.csv",
        lazy("Mail merge"),
        lazy("For Word, LibreOffice or Thunderbird: a row for each letter, with the names of the others."),
    ),
    "canvas": Format(
        _lines(foreign.canvas),
        _CSV,
        "canvas-groups.csv",
        lazy("Canvas"),
        lazy("People → Group set → Import: makes the groups and puts learners into them."),
        _LOGIN,
    ),
    "moodle-groups": Format(
        _lines(foreign.moodle_groups, ending="\n"),
        _CSV,
        "moodle-groups.csv",
        lazy("Moodle: groups"),
        lazy("Groups → Import groups: makes the groups. Import the members next."),
    ),
    "moodle-users": Format(
        _lines(foreign.moodle_users, ending="\n"),
        _CSV,
        "moodle-users.csv",
        lazy("Moodle: members, by an administrator"),
        lazy("Upload users: puts learners into the groups of a course."),
        frozenset({"login", "their_course"}),
    ),
    "moodle-members": Format(
        _lines(foreign.moodle_members, ending="\n"),
        _CSV,
        "moodle-members.csv",
        lazy("Moodle: members, by a teacher"),
        lazy("For the block that uploads group members by e-mail address."),
    ),
    "catme": Format(
        _lines(foreign.catme),
        _CSV,
        "catme.csv",
        lazy("CATME"),
        lazy("Students with their teams, for peer evaluation."),
        _LOGIN,
    ),
    "gruepr": Format(
        _lines(foreign.gruepr, delimiter="\t", ending="\n"),
        "text/tab-separated-values; charset=utf-8",
        "gruepr.tsv",
        lazy("gruepr"),
        lazy("The tab-separated table that gruepr saves teams in."),
    ),
}
"""Every format a roster can be exported in."""

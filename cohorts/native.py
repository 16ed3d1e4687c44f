"""The native columns: one sign-up a row, read and written here and nowhere else."""

from __future__ import annotations

import csv
import difflib
import io
import math
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final

from . import availability, kinds, tables
from .answers import FIELDS, Answers, check, time_zones
from .language import gettext as _
from .questions import CustomQuestion, Experience
from .tables import Problem

if TYPE_CHECKING:
    from .models import Course

COLUMNS: Final = FIELDS
REQUIRED: Final = ("email", "time_zone", "availability")
"""Columns a file must have; the others may be left out, and every cell of theirs may be empty."""

_LISTS: Final = ("languages", "interests", "can_help_with", "wants_help_with", "works_with", "avoids")
MAX_ROWS: Final = 100_000

_YES_AND_NO: Final = {
    "yes": True,
    "true": True,
    "1": True,
    "no": False,
    "false": False,
    "0": False,
    "": False,
}


@dataclass(frozen=True, slots=True)
class Entry:
    """One row of a file: the answers as far as they could be read, and what is wrong with them."""

    line: int
    answers: Answers | None
    problems: tuple[Problem, ...] = ()
    notes: tuple[str, ...] = ()
    cells: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    """The heading and the cell behind an answer, where a file calls its columns something else."""


@dataclass(frozen=True, slots=True)
class Superseded:
    """A row that another one of the same person takes the place of."""

    line: int
    kept: int
    email: str


@dataclass(frozen=True, slots=True)
class File:
    """All rows of a file, its columns, and the headings that were ignored because nobody knows them."""

    entries: tuple[Entry, ...]
    columns: tuple[str, ...]
    unknown: tuple[str, ...]
    superseded: tuple[Superseded, ...] = ()
    notes: tuple[str, ...] = ()


def read(content: bytes, questions: Sequence[CustomQuestion] = ()) -> File:
    """Read sign-ups as they stand in a file; ``checked`` holds them against the form's rules.

    A file for a course may have a column for each of its own ``questions``, named by the key.

    Raises:
        MalformedFile: The file as a whole cannot be read.
    """
    return read_table(
        tables.read(content, (*COLUMNS, *(each.key for each in questions)), REQUIRED), questions
    )


def read_table(table: tables.Table, questions: Sequence[CustomQuestion] = ()) -> File:
    """Read sign-ups from a table with the native columns.

    Raises:
        MalformedFile: It has too many rows.
    """
    if len(table.rows) > MAX_ROWS:
        raise tables.MalformedFile(_("The file has more than %(most)s rows. Split it.", most=f"{MAX_ROWS:,}"))
    lines: dict[str, int] = {}
    return File(tuple(_entry(row, lines, questions) for row in table.rows), table.columns, table.unknown)


def checked(entry: Entry, answers: Answers, course: Course | None) -> Entry:
    """Return an entry with ``answers`` and with what the form for ``course`` would say about them.

    Without a course nothing but the fixed questions is required. A field that could not be read at all is
    not complained about twice.
    """
    unread = {problem.column for problem in entry.problems}
    found = (
        Problem(name, message, *entry.cells.get(name, ("", "")))
        for name, messages in check(answers, course).items()
        if name not in unread
        for message in messages
    )
    return replace(entry, answers=answers, problems=(*entry.problems, *found))


def absent(answers: Answers, people: Collection[str]) -> list[str]:
    """Return whom somebody wants to be with although they are not among ``people``; they may come yet."""
    return [each for each in answers.works_with if each not in people]


def write(people: Iterable[Answers], questions: Sequence[CustomQuestion] = ()) -> str:
    """Return sign-ups as text with the native columns; ``read`` gives the same answers back.

    A column for each of a course's own ``questions`` comes after them.
    """
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow((*COLUMNS, *(each.key for each in questions)))
    for person in people:
        cells = [_cell(getattr(person, column)) for column in COLUMNS]
        cells += [kinds.write(each, person.custom.get(each.key)) for each in questions]
        writer.writerow(map(tables.as_text, cells))
    return text.getvalue()


def _cell(value: Any) -> str:
    if isinstance(value, frozenset):
        return availability.write(value)
    if isinstance(value, tuple):
        return "; ".join(value)
    if isinstance(value, bool):
        return "yes" if value else ""
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else repr(value)
    return str(value) if value is not None else ""


def _entry(row: tables.Row, lines: dict[str, int], questions: Sequence[CustomQuestion]) -> Entry:
    """Read one row; ``lines`` remembers on which line each address stood first."""
    if row.problem is not None:
        return Entry(row.line, None, (row.problem,))
    values, problems = _values(row.cells)
    custom = {}
    for question in questions:
        try:
            custom[question.key] = kinds.read(question, row.cells.get(question.key, ""))
        except kinds.Unfit as error:
            problems.append(Problem(question.key, str(error)))
    answers = Answers(**values, custom={key: value for key, value in custom.items() if value is not None})
    first = lines.setdefault(answers.email, row.line) if answers.email else row.line
    if first != row.line:
        problems.append(
            Problem("email", _("%(email)s is on line %(line)s already.", email=answers.email, line=first))
        )
    return Entry(row.line, answers, tuple(problems))


def _values(cells: Mapping[str, str]) -> tuple[dict[str, Any], list[Problem]]:
    """Return every field's value; a cell that cannot be read leaves its field empty and a problem."""
    values: dict[str, Any] = {}
    problems: list[Problem] = []
    for column in COLUMNS:
        convert, empty = _READERS.get(column, (str, ""))
        try:
            values[column] = convert(cells.get(column, ""))
        except ValueError as error:
            values[column] = empty
            problems.append(Problem(column, str(error)))
    # Not every list of addresses comes with names; the part before the @ is better than nothing.
    values["name"] = values["name"] or values["email"].partition("@")[0]
    return values, problems


def _items(text: str) -> tuple[str, ...]:
    return tuple(text.split(";"))


def time_zone(text: str) -> str:
    """Return the name of a zone.

    Raises:
        ValueError: It is none; the message names the likeliest one that is meant.
    """
    if not text or text in time_zones():
        return text
    if text in _old_names():
        return _old_names()[text]
    refused = _("%(text)r is not a time zone of the IANA list, such as Europe/Berlin.", text=text)
    meant = _meant(text)
    raise ValueError(f"{refused} {_('Is %(zone)s meant?', zone=meant)}" if meant else refused)


@lru_cache(maxsize=1)
def _old_names() -> dict[str, str]:
    """Return names that the IANA list keeps for old files, such as US/Eastern, with those used today."""
    lines = files("tzdata").joinpath("zoneinfo", "tzdata.zi").read_text(encoding="utf-8").splitlines()
    links = {parts[2]: parts[1] for parts in map(str.split, lines) if len(parts) == 3 and parts[0] == "L"}
    links |= {"Etc/UTC": "UTC", "Etc/GMT": "UTC"}
    found = {}
    for old, new in links.items():
        while new in links and new not in time_zones():
            new = links[new]
        if new in time_zones() and old not in time_zones():
            found[old] = new
    return found


@lru_cache(maxsize=256)
def _meant(text: str) -> str:
    """Return the zone whose name, or whose city's, is closest to ``text``, if any is close."""
    zones = {zone.casefold(): zone for zone in sorted(time_zones())}
    cities = {zone.rpartition("/")[2]: zone for zone in zones}
    wanted = text.casefold().replace(" ", "_")
    if wanted in cities:
        return zones[cities[wanted]]
    close = difflib.get_close_matches(wanted, zones, n=1, cutoff=0.7)
    close = close or [cities[each] for each in difflib.get_close_matches(wanted, cities, n=1, cutoff=0.7)]
    return zones[close[0]] if close else ""


def _experience(text: str) -> Experience | None:
    try:
        return Experience(text.casefold()) if text else None
    except ValueError:
        words = ", ".join(Experience)
        raise ValueError(_("%(text)r is not one of: %(words)s.", text=text, words=words)) from None


def _hours(text: str) -> float | None:
    message = _("%(text)r is not a number of hours, such as 5 or 7.5.", text=text)
    try:
        hours = float(text.replace(",", ".")) if text else None
    except ValueError:
        raise ValueError(message) from None
    if hours is not None and not math.isfinite(hours):
        raise ValueError(message)
    return hours


def _yes_or_no(text: str) -> bool:
    if text.casefold() not in _YES_AND_NO:
        raise ValueError(_("%(text)r is neither yes nor no.", text=text))
    return _YES_AND_NO[text.casefold()]


_READERS: Final[dict[str, tuple[Callable[[str], Any], Any]]] = {
    "time_zone": (time_zone, ""),
    "availability": (availability.parse, frozenset()),
    "if_needed": (availability.parse, frozenset()),
    "experience": (_experience, None),
    "hours_per_week": (_hours, None),
    "convenor": (_yes_or_no, False),
    **dict.fromkeys(_LISTS, (_items, ())),
}
"""How each column that is no plain text is read, and what stands for a cell that cannot be read."""

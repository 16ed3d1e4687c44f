"""The rows of a roster, whether its people come from the database or from a file, and rosters as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import cache
from typing import Any, Final, Protocol

from . import kinds, meetings
from .language import gettext as _
from .questions import CustomQuestion
from .tables import as_label


class Listed(Protocol):
    """What a roster needs to know of a learner."""

    @property
    def name(self) -> str: ...  # noqa: D102
    @property
    def email(self) -> str: ...  # noqa: D102
    @property
    def time_zone(self) -> str: ...  # noqa: D102
    @property
    def languages(self) -> Sequence[str]: ...  # noqa: D102
    @property
    def interests(self) -> Sequence[str]: ...  # noqa: D102
    @property
    def can_help_with(self) -> Sequence[str]: ...  # noqa: D102
    @property
    def wants_help_with(self) -> Sequence[str]: ...  # noqa: D102
    @property
    def convenor(self) -> bool: ...  # noqa: D102
    @property
    def custom(self) -> Mapping[str, Any]: ...  # noqa: D102


@dataclass(frozen=True, slots=True, kw_only=True)
class RosterRow:
    """One learner of a roster; ``cohort`` is empty and ``reason`` is filled for those without a cohort.

    ``meeting`` is the weekday and hours of the cohort's first meeting in the learner's own zone. ``answers``
    are those to the course's own questions, by key, as cells; ``cohort_key`` is what the outside knows the
    cohort by, where it is stored.
    """

    cohort: str
    name: str
    email: str
    time_zone: str
    meeting: str
    reason: str
    languages: tuple[str, ...] = ()
    interests: tuple[str, ...] = ()
    can_help_with: tuple[str, ...] = ()
    wants_help_with: tuple[str, ...] = ()
    convenor: bool = False
    answers: Mapping[str, str] = field(default_factory=dict)
    cohort_key: str = ""


COLUMNS: Final = tuple(each.name for each in fields(RosterRow) if each.name not in ("answers", "cohort_key"))
"""Columns of a roster as CSV and XLSX; one for each of the course's own questions follows.

Whom somebody avoids is in none of the formats.
"""


_PIECE: Final = 64 * 1024
"""Characters of a file that are in memory at once."""


def cohort_name(position: int) -> str:
    """Return what a cohort is called that nobody has named."""
    return _("Cohort %(number)s", number=position)


def clock(course: meetings.Dates) -> Callable[[meetings.Meeting | None, str], str]:
    """Return a function that says when a meeting is, in a zone.

    It remembers what it has said: a cohort's members mostly share a few zones.
    """

    @cache
    def say(meeting: meetings.Meeting, zone: str) -> str:
        return meetings.when(course, meeting, zone)

    return lambda meeting, zone: say(meeting, zone) if meeting else _("no fixed meeting")


def row_of(
    learner: Listed,
    cohort: str,
    meeting: str,
    reason: str = "",
    questions: Sequence[CustomQuestion] = (),
    key: str = "",
) -> RosterRow:
    """Return the row of one learner, whose cohort meets at ``meeting`` in their own zone.

    It holds their answers to the course's own ``questions``.
    """
    return RosterRow(
        cohort=cohort,
        name=learner.name,
        email=learner.email,
        time_zone=learner.time_zone,
        meeting=meeting,
        reason=reason,
        languages=tuple(learner.languages),
        interests=tuple(learner.interests),
        can_help_with=tuple(learner.can_help_with),
        wants_help_with=tuple(learner.wants_help_with),
        convenor=learner.convenor,
        answers={each.key: kinds.write(each, learner.custom.get(each.key)) for each in questions},
        cohort_key=key,
    )


def to_csv(rows: Sequence[RosterRow]) -> bytes:
    """Return a roster as CSV with all its columns."""
    columns = (*COLUMNS, *(rows[0].answers if rows else ()))
    return b"".join(separated(table(rows, columns)))


def table(rows: Iterable[RosterRow], columns: Sequence[str]) -> Iterator[list[str]]:
    """Yield a header, then a line for each row; what looks like a formula gets an apostrophe in front."""
    yield list(columns)
    for row in rows:
        yield [as_label(cell(row, column)) for column in columns]


def separated(lines: Iterable[Sequence[str]], delimiter: str = ",", ending: str = "\r\n") -> Iterator[bytes]:
    """Yield lines of cells as text in UTF-8 (RFC 4180 unless said otherwise), a piece at a time."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=delimiter, lineterminator=ending)
    for line in lines:
        writer.writerow(line)
        if text.tell() > _PIECE:
            yield text.getvalue().encode()
            text.seek(0)
            text.truncate()
    yield text.getvalue().encode()


def cell(row: RosterRow, column: str) -> str:
    """Return what a row has in a column, one of ``COLUMNS`` or of the course's own questions, as text."""
    if column not in COLUMNS:
        return row.answers.get(column, "")
    value: str | tuple[str, ...] | bool = getattr(row, column)
    if isinstance(value, bool):
        return "yes" if value else ""
    return value if isinstance(value, str) else "; ".join(value)

"""Rosters in the tables of other systems, letter by letter as those read them.

Which cells may start like a formula is decided column by column:

- A *label*, such as the name of a learner or of a cohort, is only shown. It gets an apostrophe in front when
  a spreadsheet would run it, everywhere the same, so that the groups of two files have the same names.
- A *key*, such as a login or an address, must be found by the other system exactly as it is there. It stays
  as it is while it is made of letters, digits and ``. _ - + @`` alone: that can neither call a function nor
  name another file. Whatever else starts like a formula is nobody's login, and is treated as a label.

gruepr's table and the one for mail merge are read by spreadsheets: every cell is a label there.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from .roster_rows import RosterRow
from .tables import as_label as label

if TYPE_CHECKING:
    from .models import Cohort

GROUPING: Final = "Cohorts"
"""What the groups of a course are called together in Moodle."""

CATME_NAME: Final = 20
"""Letters of a first or last name that CATME takes."""

_PLAIN_KEY: Final = re.compile(r"[-+@]?\w[\w.@+-]*")

Line = Sequence[str]


@dataclass(frozen=True, slots=True)
class Told:
    """A roster as these functions are told it.

    Attributes:
        rows: One learner each, those in cohorts first.
        groups: Gives each cohort with its rows.
        meetings: When each cohort meets, in words, by key.
        channels: Where each cohort talks, by key.
        login: What the other system knows a learner by (see ``exports.Choice``).
        course: The short name of the course in the other system.
    """

    rows: Iterator[RosterRow]
    groups: Callable[[], Iterator[tuple[Cohort | None, list[RosterRow]]]]
    meetings: Mapping[str, str]
    channels: Mapping[str, str]
    login: str
    course: str

    @property
    def placed(self) -> Iterator[RosterRow]:
        """The learners in cohorts."""
        return (row for row in self.rows if row.cohort)

    def login_of(self, row: RosterRow) -> str:
        """Return what the other system knows a learner by."""
        if self.login == "email":
            return row.email
        return row.email.partition("@")[0] if self.login == "local" else row.answers.get(self.login, "")


def key(value: str) -> str:
    """Return what another system looks up; only what is no login at all is kept from being a formula."""
    return value if _PLAIN_KEY.fullmatch(value) else label(value)


def canvas(told: Told) -> Iterator[Line]:
    """Canvas, group import: one key of the learner and one of the group; unknown groups are made."""
    yield "canvas_user_id", "user_id", "login_id", "group_name", "canvas_group_id", "group_id"
    for row in told.placed:
        yield "", "", key(told.login_of(row)), label(row.cohort), "", ""


def moodle_groups(told: Told) -> Iterator[Line]:
    """Moodle, import of groups: makes them, without anybody in them."""
    yield "groupname", "description", "groupingname"
    for cohort, _rows in told.groups():
        if cohort is not None:
            # Older versions split a line at every comma, and put it back for this.
            cells = (_group(each) for each in (cohort.name, told.meetings[cohort.key]))
            yield *(each.replace(",", "&#44") for each in cells), GROUPING


def _group(text: str) -> str:
    """Return the name of a group for Moodle, whose older versions know no quotation marks around a cell."""
    return label(" ".join(text.split()).replace('"', "”"))


def moodle_users(told: Told) -> Iterator[Line]:
    """Moodle, upload of users: each into one group of one course."""
    yield "username", "course1", "group1"
    for row in told.placed:
        # Moodle keeps user names in small letters.
        yield key(told.login_of(row).lower()), key(told.course), _group(row.cohort)


def moodle_members(told: Told) -> Iterator[Line]:
    """Moodle, the block that uploads members of groups by their address."""
    yield "email", "group", "grouping"
    for row in told.placed:
        yield key(row.email), _group(row.cohort), GROUPING


def catme(told: Told) -> Iterator[Line]:
    """CATME, import of students with their teams."""
    yield "First", "Last", "Email", "ID", "Team"
    for row in told.placed:
        first, last = (label(each)[:CATME_NAME].strip() for each in _first_and_last(row.name))
        yield first, last, key(row.email), key(told.login_of(row)), label(row.cohort)


def _first_and_last(name: str) -> tuple[str, str]:
    """Return the two names that CATME wants of everybody; whoever has one name has it twice."""
    first, _, last = name.rpartition(" ")
    return first or last, last


def gruepr(told: Told) -> Iterator[Line]:
    """gruepr, the table of teams it saves; there are no sections here."""
    yield "Section", "Team", "Name", "Email"
    for row in told.placed:
        yield "", *(label(" ".join(each.split())) for each in (row.cohort, row.name, row.email))


def mail_merge(told: Told) -> Iterator[Line]:
    """A table for letters to everybody: who they are with, when they meet and where they talk."""
    yield (
        *("first_name", "name", "email", "cohort", "meeting", "time_zone"),
        *("others", "channel", "reason"),
    )
    for cohort, rows in told.groups():
        for row in rows:
            others = ", ".join(each.name for each in rows if each is not row) if cohort else ""
            channel = told.channels[cohort.key] if cohort else ""
            cells = (row.name.partition(" ")[0], row.name, row.email, row.cohort, row.meeting, row.time_zone)
            yield tuple(map(label, (*cells, others, channel, row.reason)))

"""The files of a rematch without a database: a roster, who left, who joined, and connections."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from . import meetings, tables
from .answers import Answers, address
from .connections import HALF_LIFE, Contact, strengths
from .language import gettext as _
from .roster_rows import clock
from .tables import Problem


@dataclass(frozen=True, slots=True)
class Noted:
    """What is wrong on a line of a file; a row with such a problem is left out."""

    line: int
    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class StandingCohort:
    """A cohort of a roster: its name, the addresses of its members, and what each member's row says of when
    it meets.
    """

    name: str
    members: dict[str, str] = field(default_factory=dict)


def read_roster(content: bytes) -> tuple[list[StandingCohort], list[Noted]]:
    """Read the cohorts of a roster, in the order of the file; who has none is left out.

    Raises:
        MalformedFile: The file as a whole cannot be read.
    """
    table = tables.read(content, ("email", "cohort", "meeting"), ("email", "cohort"))
    cohorts: dict[str, StandingCohort] = {}
    seen: dict[str, int] = {}
    noted = []
    for row in table.rows:
        email, name = address(row.cells.get("email", "")), row.cells.get("cohort", "").strip()
        problem = row.problem or _twice(email, seen, row.line)
        if problem is not None:
            noted.append(Noted(row.line, (problem,)))
        elif name:
            cohorts.setdefault(name, StandingCohort(name)).members[email] = row.cells.get("meeting", "")
    return list(cohorts.values()), noted


def read_addresses(content: bytes) -> tuple[dict[str, int], list[Noted]]:
    """Read the addresses in a file, each with its line.

    Raises:
        MalformedFile: The file as a whole cannot be read.
    """
    table = tables.read(content, ("email", "why"), ("email",))
    seen: dict[str, int] = {}
    noted = []
    for row in table.rows:
        problem = row.problem or _twice(address(row.cells.get("email", "")), seen, row.line)
        # Leaving twice is leaving.
        if problem is not None and problem.column != "email":
            noted.append(Noted(row.line, (problem,)))
    return seen, noted


def _twice(email: str, seen: dict[str, int], line: int) -> Problem | None:
    first = seen.setdefault(email, line)
    if first == line:
        return None
    return Problem("email", _("%(email)s is on line %(line)s already.", email=email, line=first))


def read_contacts(content: bytes) -> tuple[list[Contact[str]], list[Noted]]:
    """Read who connected with whom and when; rows about oneself are passed over.

    Raises:
        MalformedFile: The file as a whole cannot be read.
    """
    table = tables.read(content, ("from", "to", "time", "strength"), ("from", "to", "time"))
    contacts, noted = [], []
    for row in table.rows:
        problems = [] if row.problem is None else [row.problem]
        values: dict[str, datetime | float] = {}
        for column, read in (("time", _instant), ("strength", _share)):
            try:
                values[column] = read(row.cells.get(column, ""))
            except ValueError as error:
                problems.append(Problem(column, str(error)))
        if problems:
            noted.append(Noted(row.line, tuple(problems)))
            continue
        at, strength = values["time"], values["strength"]
        assert isinstance(at, datetime)
        assert isinstance(strength, float)
        contacts.append(Contact(address(row.cells["from"]), address(row.cells["to"]), at, strength))
    return contacts, noted


def _instant(text: str) -> datetime:
    """Return a moment as ISO 8601 writes it; without a zone it is in UTC, without hours at midnight."""
    try:
        found = datetime.fromisoformat(text.strip())
    except ValueError:
        message = _("%(text)r is not a date or time such as 2027-02-01 or 2027-02-01T18:30.", text=text)
        raise ValueError(message) from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _share(text: str) -> float:
    message = _("%(text)r is not a number from 0 to 1.", text=text)
    try:
        found = float(text.replace(",", ".")) if text.strip() else 1.0
    except ValueError:
        raise ValueError(message) from None
    if not math.isfinite(found) or not 0 <= found <= 1:
        raise ValueError(message)
    return found


def ties(
    contacts: Sequence[Contact[str]], people: Collection[str], half_life: timedelta = HALF_LIFE
) -> dict[tuple[str, str], float]:
    """Return how strongly any two of ``people`` are connected at the time of the latest contact."""
    known = [each for each in contacts if each.giver in people and each.taker in people]
    if not known:
        return {}
    return strengths(known, max(each.at for each in known), half_life)


class MeetingTimes:
    """Finds out, from what members read in a roster, when their cohort meets."""

    def __init__(self, course: meetings.Dates) -> None:
        """Know the weeks of the course and the length of a meeting."""
        self._say = clock(course)
        # In one's own zone a meeting that is anchored there is at the same hours in every week.
        self._slots = {self._say(meetings.Meeting("UTC", slot), "UTC"): slot for slot in range(336)}

    def of(self, told: Mapping[str, str], people: Mapping[str, Answers]) -> meetings.Meeting | None:
        """Return the meeting that each of some people sees as they were ``told``, by their addresses; None
        when there is none, or it is anchored in the zone of nobody among them.
        """
        zones = {email: people[email].time_zone for email in told}
        own = (
            meetings.Meeting(zones[email], self._slots[text])
            for email, text in told.items()
            if text in self._slots
        )
        anywhere = (meetings.Meeting("UTC", slot) for slot in range(336)) if any(told.values()) else ()
        for candidates in (dict.fromkeys(own), anywhere):
            for meeting in candidates:
                if all(self._say(meeting, zones[email]) == text for email, text in told.items()):
                    return meeting
        return None

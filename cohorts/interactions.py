"""Interactions from a file or a program: who these people are, what would be kept, and keeping it.

People are known by their address, by a table of user names that the organiser brings along, or by a name
that only one in the course has. Who is not known is counted and named in the report, and never stored. The
same interaction is kept once, so that a file may be imported again.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha1
from typing import Final

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from . import sheets, signups
from .answers import address, is_address
from .exceptions import NotFound
from .language import gettext as _
from .models import Course, Interaction, InteractionImport, Signup, SignupState, Source, User
from .texts import interest_key
from .told import Person, Reading, Slip, Told, called, one

AHEAD: Final = timedelta(days=1)
"""So far the clock of a file may be ahead."""

MOST_SHOWN: Final = 100

Names = Mapping[str, str]
"""Addresses by the user names of a tool, as `names_key` compares them."""


class Outcome(StrEnum):
    """What becomes of an interaction."""

    KEEP = "keep"
    REPEATED = "repeated"
    UNKNOWN = "unknown"
    OWN = "own"
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class Planned:
    """An interaction, what becomes of it, and between whom it is."""

    told: Told
    outcome: Outcome
    giver: int | None = None
    taker: int | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """What an import would do.

    Attributes:
        tool: What wrote the file.
        rows: Each interaction of it.
        slips: What was not understood, and where that stands.
        notes: What is worth knowing of the file as a whole.
        unknown: Who is not known, by what the file calls them, with how many interactions; most first.
        names: What those who are known are called, by the ids of their sign-ups.
    """

    tool: str
    rows: tuple[Planned, ...]
    slips: tuple[Slip, ...]
    notes: tuple[str, ...]
    unknown: tuple[tuple[str, int], ...]
    names: Mapping[int, str]

    @property
    def counts(self) -> dict[Outcome, int]:
        """How many have each outcome; what was not understood is wrong, too."""
        counted = Counter(row.outcome for row in self.rows)
        counted[Outcome.WRONG] += len(self.slips)
        return {outcome: counted[outcome] for outcome in Outcome}


class _People:
    """The learners of a course by everything they can be called."""

    def __init__(self, session: Session, course: Course, names: Names) -> None:
        rows = session.execute(
            select(Signup.id, Signup.email, Signup.name, Signup.key)
            .where(Signup.course_id == course.id, Signup.state != SignupState.PENDING)
            .order_by(Signup.id)
        ).all()
        self.names = {row.id: row.name for row in rows}
        self._emails = {row.email: row.id for row in rows}
        self._keys = {row.key: row.id for row in rows}
        # Learning records know people by this digest; it guards nothing here.
        self._digests = {
            sha1(f"mailto:{email}".encode(), usedforsecurity=False).hexdigest(): each
            for email, each in self._emails.items()
        }
        self._given = names
        self._named: dict[str, list[int]] = defaultdict(list)
        for row in rows:
            self._named[interest_key(row.name)].append(row.id)
        self._found: dict[Person, int | None] = {}

    def find(self, person: Person) -> int | None:
        """Return whose sign-up it is, or None."""
        if person not in self._found:
            ways = (self._by_address, self._keys.get, self._by_digest, self._by_given_name, self._by_name)
            tried = (way(name) for way in ways for name in person)
            self._found[person] = next((each for each in tried if each is not None), None)
        return self._found[person]

    def _by_address(self, name: str) -> int | None:
        return self._emails.get(address(name))

    def _by_digest(self, name: str) -> int | None:
        return self._digests.get(name.removeprefix("sha1:")) if name.startswith("sha1:") else None

    def _by_given_name(self, name: str) -> int | None:
        return self._emails.get(self._given.get(names_key(name), ""))

    def _by_name(self, name: str) -> int | None:
        found = self._named.get(interest_key(name), [])
        return found[0] if len(found) == 1 else None


def names_key(name: str) -> str:
    """Return a user name as names are compared: without an @ before it, in any case."""
    return interest_key(name.strip().removeprefix("@"))


def read_names(content: bytes) -> tuple[dict[str, str], list[Slip]]:
    """Read a table of who is who: in each row an address, and what a tool calls them in all other cells.

    Raises:
        UnreadableFile: The table as a whole cannot be read.
    """
    found: dict[str, str] = {}
    slips = []
    for number, line in enumerate(sheets.read(content).lines):
        emails = [address(each) for each in line.cells if is_address(address(each))]
        if len(set(emails)) != 1:
            if number:  # the first row may be headings
                words = _("A row names one address, and what the tool calls its owner.")
                slips.append(Slip(_("row %(number)s", number=line.number), words))
            continue
        found |= {names_key(each): emails[0] for each in line.cells if each and address(each) != emails[0]}
    return found, slips


def plan(session: Session, course: Course, reading: Reading, names: Names, at: datetime) -> Plan:
    """Say what an import would do; nothing is stored."""
    people = _People(session, course, names)
    seen = _kept(session, course)
    slips, rows = list(reading.slips), []
    unknown: Counter[str] = Counter()
    for told in reading.told:
        giver, taker = people.find(told.giver), people.find(told.taker)
        outcome = _outcome(told, giver, taker, at)
        if outcome is Outcome.KEEP:
            mark = (giver, taker, told.at, told.kind)
            outcome = Outcome.REPEATED if mark in seen else outcome
            seen.add(mark)
        elif outcome is Outcome.UNKNOWN:
            pairs = ((told.giver, giver), (told.taker, taker))
            unknown.update({shown(person) for person, found in pairs if found is None})
        rows.append(Planned(told, outcome, giver, taker))
    return Plan(
        reading.tool, tuple(rows), tuple(slips), reading.notes, tuple(unknown.most_common()), people.names
    )


def _outcome(told: Told, giver: int | None, taker: int | None, at: datetime) -> Outcome:
    if told.giver == told.taker or (giver is not None and giver == taker):
        return Outcome.OWN
    if giver is None or taker is None:
        return Outcome.UNKNOWN
    return Outcome.WRONG if told.at > at + AHEAD else Outcome.KEEP


def shown(person: Person) -> str:
    """Return what to call somebody who is not known: by the name that a person would read most easily."""
    return next((each for each in person if not each.startswith("sha1:")), person[0])


def _kept(session: Session, course: Course) -> set[tuple[int | None, int | None, datetime, str]]:
    """Return every interaction of a course that is stored."""
    rows = select(Interaction.from_id, Interaction.to_id, Interaction.at, Interaction.kind)
    here = rows.join(InteractionImport).where(InteractionImport.course_id == course.id)
    return {(giver, taker, moment, kind) for giver, taker, moment, kind in session.execute(here)}


def apply(
    session: Session,
    course: Course,
    reading: Reading,
    names: Names,
    at: datetime,
    *,
    user: User | None = None,
    source: Source = Source.IMPORTED,
) -> InteractionImport:
    """Keep the interactions of a file, looking again at who is signed up and what is stored by now."""
    signups.lock(session, course)
    found = plan(session, course, reading, names, at)
    counts = found.counts
    made = _import(session, course, reading.tool, at, user, source)
    made.n_kept += counts[Outcome.KEEP]
    made.n_repeated += counts[Outcome.REPEATED]
    made.n_unknown += counts[Outcome.UNKNOWN]
    made.n_own += counts[Outcome.OWN]
    made.n_wrong += counts[Outcome.WRONG]
    session.flush()
    rows = [
        {
            "import_id": made.id,
            "from_id": row.giver,
            "to_id": row.taker,
            "at": row.told.at,
            "kind": row.told.kind,
        }
        for row in found.rows
        if row.outcome is Outcome.KEEP
    ]
    if rows:
        session.execute(insert(Interaction), rows)
    return made


def _import(
    session: Session, course: Course, tool: str, at: datetime, user: User | None, source: Source
) -> InteractionImport:
    """Return a new import; what programs tell on one day is a single one."""
    user_id = user.id if user else None
    if source is Source.API:
        today = at.replace(hour=0, minute=0, second=0, microsecond=0)
        same = select(InteractionImport).filter_by(course_id=course.id, user_id=user_id, source=source)
        found = session.scalar(same.where(InteractionImport.at >= today).order_by(InteractionImport.id))
        if found is not None:
            return found
    made = InteractionImport(course_id=course.id, user_id=user_id, source=source, tool=tool, at=at)
    session.add(made)
    session.flush()
    return made


def imports(session: Session, course: Course) -> list[InteractionImport]:
    """Return the latest imports into a course, latest first."""
    mine = select(InteractionImport).where(InteractionImport.course_id == course.id)
    return list(session.scalars(mine.order_by(InteractionImport.id.desc()).limit(MOST_SHOWN)))


def remove(session: Session, course: Course, key: str) -> None:
    """Take an import back; what it kept goes with it.

    Raises:
        NotFound: The course has no such import.
    """
    mine = select(InteractionImport).where(InteractionImport.course_id == course.id)
    found = session.scalar(mine.where(InteractionImport.key == key))
    if found is None:
        raise NotFound
    session.delete(found)
    session.flush()


def between(pairs: Iterable[tuple[str, str, datetime, str]], tool: str) -> Reading:
    """Return what a program tells as a reading: who, to whom, when and what, numbered from 0."""
    told = (
        one(str(number), called(giver), called(taker), at, kind)
        for number, (giver, taker, at, kind) in enumerate(pairs)
    )
    return Reading.of(tool, told)

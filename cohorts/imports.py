"""Sign-ups from a file: a dry run first, then all of it or nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from . import native, readings, signups
from .answers import Answers, answers_of, interest_key
from .asking import custom_questions
from .dialects import Layout
from .exceptions import CohortsError
from .language import gettext as _
from .language import lazy_gettext as lazy
from .language import ngettext
from .models import Course, Signup, SignupState
from .native import COLUMNS, REQUIRED
from .recipes import Known, Recipe, by_name
from .tables import WHOLE_ROW, Problem

__all__ = [
    "COLUMNS",
    "REQUIRED",
    "Action",
    "ImportResult",
    "Plan",
    "PlannedRow",
    "Problem",
    "apply",
    "dry_run",
]

CONFIRMED: Final = "confirmed"
"""Stands among a row's changes when a sign-up that nobody confirmed yet becomes a confirmed one."""


class RowsRefused(CohortsError):
    """Rows of a file are refused, and nobody said that they may be left out."""

    said = lazy("Some rows of this file are refused, so nothing was imported.")


class Action(StrEnum):
    """What an import does with a row."""

    ADD = "add"
    CHANGE = "change"
    SAME = "same"
    REFUSE = "refuse"


@dataclass(frozen=True, slots=True)
class PlannedRow:
    """What an import does with one row, and why.

    Attributes:
        line: Where the row starts in the file.
        action: What becomes of it.
        answers: What will be stored; of a refused row, as much as could be read.
        problems: Why it is refused.
        changes: Fields whose answer differs from the stored one.
        notes: What is worth knowing although nothing is wrong.
        waiting: True when the course is full and the learner goes to the waiting list.
    """

    line: int
    action: Action
    answers: Answers | None
    problems: tuple[Problem, ...] = ()
    changes: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    waiting: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """What an import of a file would do; ``problems`` are about the file as a whole and stop nothing."""

    name: str
    file: native.File
    rows: tuple[PlannedRow, ...]
    problems: tuple[Problem, ...] = ()

    @property
    def counts(self) -> dict[Action, int]:
        """Number of rows by action."""
        counted = Counter(row.action for row in self.rows)
        return {action: counted[action] for action in Action}


@dataclass(frozen=True, slots=True)
class ImportResult:
    """How many sign-ups an import added and changed, and how many rows it left out."""

    added: int
    changed: int
    left_out: int


def dry_run(session: Session, course: Course, content: bytes, name: str, zone: str = "") -> Plan:
    """Say row by row what an import of a file would do; nothing is stored.

    ``zone`` is the time zone of whoever's row names none; files with the native columns always name one.

    Raises:
        UnreadableFile: The file as a whole cannot be read.
    """
    known = _known(session, course)
    file = readings.read_any(content, knowledge(course, known.values()), zone)
    return _plan(course, file, name, known, _free(session, course))


def dry_run_by(
    session: Session,
    course: Course,
    layout: Layout,
    recipe: Recipe,
    name: str,
    progress: Callable[[float], None] = lambda fraction: None,
) -> Plan:
    """Say row by row what an import of a file would do whose columns are read by a recipe."""
    known = _known(session, course)
    file = readings.read(layout, recipe, knowledge(course, known.values()), progress)
    return _plan(course, file, name, known, _free(session, course))


def plan_answers(
    session: Session, course: Course, people: Sequence[Answers], columns: Collection[str]
) -> Plan:
    """Say what an import of answers would do that come from a program, numbered from 1.

    Stored answers to what is not among ``columns`` stay as they are.
    """
    first: dict[str, int] = {}
    entries = []
    for number, answers in enumerate(people, start=1):
        earlier = first.setdefault(answers.email, number)
        message = _("%(email)s is on line %(line)s already.", email=answers.email, line=earlier)
        problems = () if earlier == number else (Problem("email", message),)
        entries.append(native.Entry(number, answers, problems))
    file = native.File(tuple(entries), tuple(columns), ())
    return _plan(course, file, "", _known(session, course), _free(session, course))


def knowledge(course: Course, people: Iterable[Signup] = ()) -> Known:
    """Return what a course knows that helps to read a file."""
    return Known(
        interests=tuple(interest.label for interest in course.interests),
        questions=tuple(custom_questions(course)),
        required=frozenset(row.key for row in course.questions if row.required and row.asked),
        called=by_name((each.name, each.email) for each in people),
    )


def apply(
    session: Session, course: Course, plan: Plan, *, leave_out_refused: bool, at: datetime
) -> ImportResult:
    """Import a file, looking again at what is stored by now. Sign-ups are confirmed; no mail goes out.

    Raises:
        RowsRefused: A row is refused and ``leave_out_refused`` is false; nothing is stored.
    """
    signups.lock(session, course)
    known = _known(session, course)
    plan = _plan(course, plan.file, plan.name, known, _free(session, course))
    counts = plan.counts
    if counts[Action.REFUSE] and not leave_out_refused:
        raise RowsRefused(
            ngettext(
                "%(num)s row of this file is refused, so nothing was imported.",
                "%(num)s rows of this file are refused, so nothing was imported.",
                counts[Action.REFUSE],
            )
        )
    book = signups.InterestBook(session, course)
    with session.no_autoflush:
        for row in plan.rows:
            if row.answers is not None and row.action in (Action.ADD, Action.CHANGE):
                _store(session, course, row, row.answers, known.get(row.answers.email), book, at)
    session.flush()
    return ImportResult(counts[Action.ADD], counts[Action.CHANGE], counts[Action.REFUSE])


def _store(
    session: Session,
    course: Course,
    row: PlannedRow,
    answers: Answers,
    known: Signup | None,
    book: signups.InterestBook,
    at: datetime,
) -> None:
    signup = signups.store(session, course, answers, signup=known, interests=book)
    if known is None:
        signup.created_at = at
        signup.waiting = row.waiting
    if signup.state is SignupState.PENDING:
        signup.state = SignupState.CONFIRMED
        signup.confirmed_at = at


def _known(session: Session, course: Course) -> dict[str, Signup]:
    """Return the sign-ups of a course by address, their interests loaded."""
    found = session.scalars(
        select(Signup).where(Signup.course_id == course.id).options(selectinload(Signup.interests))
    )
    return {signup.email: signup for signup in found}


def _free(session: Session, course: Course) -> int | None:
    """Return how many places are free, or None without a limit."""
    if course.capacity is None:
        return None
    return max(0, course.capacity - signups.places_taken(session, course))


def in_short(problems: Iterable[Problem]) -> str:
    """Return what is wrong with a row in one line, for whoever mends it in a spreadsheet."""
    return " ".join(
        f"{problem.heading or problem.column}: {problem.message}"
        if problem.column != WHOLE_ROW
        else problem.message
        for problem in problems
    )


def _plan(course: Course, file: native.File, name: str, known: dict[str, Signup], free: int | None) -> Plan:
    rows = (_row(course, entry, file.columns, known) for entry in file.entries)
    people = known.keys() | {entry.answers.email for entry in file.entries if entry.answers}
    noted = (_noted(row, people) for row in rows)
    unknown = tuple(
        Problem(heading, _("This column is not known here and is ignored.")) for heading in file.unknown
    )
    return Plan(name, file, tuple(_seated(noted, free)), unknown)


def _row(course: Course, entry: native.Entry, columns: Iterable[str], known: dict[str, Signup]) -> PlannedRow:
    """Decide what becomes of a row, places aside."""
    answers = entry.answers
    if answers is None:
        return PlannedRow(entry.line, Action.REFUSE, None, entry.problems, notes=entry.notes)
    signup = known.get(answers.email)
    before = answers_of(signup) if signup else None
    if before is not None:
        answers = _merged(before, answers, columns)
    entry = native.checked(entry, answers, course)
    problems = entry.problems
    if signup is not None and signup.state is SignupState.WITHDRAWN:
        message = _("This person has withdrawn; only they can come back, by their personal link.")
        problems += (Problem("email", message, *entry.cells.get("email", ("", ""))),)
    if problems:
        return PlannedRow(entry.line, Action.REFUSE, answers, problems, notes=entry.notes)
    if signup is None or before is None:
        return PlannedRow(entry.line, Action.ADD, answers, notes=entry.notes)
    changes = tuple(each for each in COLUMNS if getattr(before, each) != getattr(answers, each))
    own = (question.key for question in custom_questions(course))
    changes += tuple(key for key in own if before.custom.get(key) != answers.custom.get(key))
    if signup.state is SignupState.PENDING:
        changes += (CONFIRMED,)
    action = Action.CHANGE if changes else Action.SAME
    return PlannedRow(entry.line, action, answers, (), changes, entry.notes)


def _merged(before: Answers, answers: Answers, columns: Iterable[str]) -> Answers:
    """Return the stored answers with those of a file's columns; what it has no column for stays."""
    given = {column: getattr(answers, column) for column in columns if column in COLUMNS}
    own = {column: answers.custom.get(column) for column in columns if column not in COLUMNS}
    merged = replace(before, **given, custom={**before.custom, **own})
    if set(map(interest_key, merged.interests)) == set(map(interest_key, before.interests)):
        merged = replace(merged, interests=before.interests)  # only the order or the spelling differs
    return merged


def _noted(row: PlannedRow, people: Collection[str]) -> PlannedRow:
    """Add a note for each person somebody wants to be with who has not signed up; they may come later."""
    if row.answers is None:
        return row
    absent = native.absent(row.answers, people)
    notes = tuple(
        _("%(person)s has not signed up; if they do, the wish counts.", person=each) for each in absent
    )
    return replace(row, notes=(*row.notes, *notes)) if notes else row


def _seated(rows: Iterable[PlannedRow], free: int | None) -> Iterator[PlannedRow]:
    """Hand out the free places in the order of the file; who comes after them waits."""
    for row in rows:
        if row.action is not Action.ADD or free is None:
            yield row
        elif free > 0:
            free -= 1
            yield row
        else:
            note = _("The course is full; this learner goes to the waiting list.")
            yield replace(row, waiting=True, notes=(*row.notes, note))

"""What is held about a learner: all of it shown to them, and all of it erased when they ask."""

from __future__ import annotations

import enum
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any, Final

from sqlalchemy import Column, ColumnElement, Table, Text, cast, delete, or_, select, update
from sqlalchemy.orm import Session, joinedload

from . import availability, moves, person_blocks, signups, ties
from .language import Sentence, translated
from .language import gettext as _
from .models import (
    Adjustment,
    Base,
    Connection,
    Departure,
    Erasure,
    Interest,
    Message,
    PersonBlock,
    Run,
    Seat,
    Signup,
    SignupState,
    Upload,
    signup_interests,
)

OWNERS: Final = frozenset({"signup_id", "from_id"})
"""A column of this name that refers to a sign-up says whose row it is."""

OTHERS: Final = frozenset(
    {
        ("connections", "to_id"),
        ("interactions", "to_id"),
        ("connection_denials", "other_id"),
        ("attendances", "noted_by_id"),
    }
)
"""Columns that refer to a sign-up in a row that is another learner's word, and theirs alone."""

WITHHELD: Final = {
    ("signups", "link_version"): "a number that proves the personal link",
    ("signups", "calendar_version"): "a number that proves the calendar's address",
    ("attendances", "noted_by_id"): "another learner, who said so",
    ("reseatings", "reasons"): "may count connections that only others told of",
    ("reseatings", "n_known"): "counts connections that only others may have told of",
    ("reseatings", "bundle"): "says only who else is concerned",
    ("reseatings", "decided_by_id"): "an organiser, not the learner",
    ("weighings", "effects"): "the figures of whole cohorts, and who else is in them",
    ("person_blocks", "digest"): "says nothing but could be tested against the address of another",
}
"""Columns that are not given out, and why; ids of rows are not either."""

WORDS: Final = {
    "adjustments": "change",
    "courses": "title",
    "cohort_changes": "name",
    "cohorts": "name",
    "interests": "label",
    "interaction_imports": "tool",
    "invitations": "role",
    "messages": "subject",
    "outbox": "kind",
    "runs": "key",
    "signups": "name",
    "users": "name",
}
"""The column of a table that says what a row of it is called."""

Rows = list[dict[str, Any]]


def export(session: Session, signup: Signup) -> dict[str, Rows]:
    """Return everything held about a learner, by table and column, in plain values.

    A row that another refers to by its id is named instead: ``cohort_id`` is ``cohort``, with the
    cohort's name.
    """
    return {table: [_plain(row) for row in found] for table, found in rows(session, signup).items()}


def rows(session: Session, signup: Signup) -> dict[str, Rows]:
    """Return the same as ``export``, with the values as they are."""
    tables = ((table, _owner(table)) for table in Base.metadata.sorted_tables)
    return {
        table.name: [dict(row) for row in session.execute(_select(table, owner == signup.id)).mappings()]
        for table, owner in tables
        if owner is not None
    }


def _owner(table: Table) -> Column[Any] | None:
    """Return the column of a table that says whose row it is."""
    if table.name == "signups":
        return table.c.id
    return next((each for each in table.c if each.name in OWNERS and _target(each) is not None), None)


def _target(column: Column[Any]) -> Table | None:
    return next((key.column.table for key in column.foreign_keys), None)


def _select(table: Table, mine: ColumnElement[bool]) -> Any:
    return select(*columns(table)).where(mine).order_by(*table.primary_key)


def columns(table: Table) -> Iterator[ColumnElement[Any]]:
    """Return the columns of a table that its owner is given."""
    for column in table.c:
        target = _target(column)
        if (table.name, column.name) in WITHHELD or column.name == "id" or column.name in OWNERS:
            continue
        if target is None:
            yield column
        else:
            named = target.alias()
            words = select(named.c[WORDS[target.name]]).where(named.c.id == column).correlate(table)
            yield words.scalar_subquery().label(column.name.removesuffix("_id"))


def _plain(row: Any) -> dict[str, Any]:
    return {name: _value(value) for name, value in row.items()}


def _value(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="seconds")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, enum.Enum):
        return value.value
    if isinstance(value, Sentence):
        return translated(value)
    return availability.write(value) if isinstance(value, frozenset) else value


def erase(session: Session, signup: Signup, at: datetime) -> None:
    """Erase everything held about a learner; what stays are counts.

    What others noted about their address goes too. A wish to be apart from them stays with whoever
    has it, as a digest that says nothing by itself, so that it holds if they come back.
    """
    course = signups.lock_with(session, signup)
    ties.keep_counts(session, signup, at)
    if signup.state is SignupState.CONFIRMED:
        moves.leave_course(session, signup, None, "", at)
    _leave_proposals(session, signup)
    session.execute(update(Departure).where(Departure.signup_id == signup.id).values(words=""))
    _forget_address(session, signup, at)
    _forget_name(session, signup)
    session.add(Erasure(key=signup.key, at=at))
    session.delete(signup)
    session.flush()
    used = select(signup_interests.c.interest_id)
    unused = Interest.listed.is_(False) & Interest.id.not_in(used)
    session.execute(delete(Interest).where(Interest.course_id == course.id, unused))
    signups.fill_places(session, course, at)


def _leave_proposals(session: Session, signup: Signup) -> None:
    """Count a learner no more among those whom a run places, or leaves out."""
    mine = select(Seat).where(Seat.signup_id == signup.id)
    for seat in session.scalars(mine.options(joinedload(Seat.run))):
        seat.run.n_learners = (seat.run.n_learners or 1) - 1
        seat.run.n_placed = (seat.run.n_placed or 0) - (seat.cohort_id is not None)


def _forget_address(session: Session, signup: Signup, at: datetime) -> None:
    """Take an address out of what others wrote, in every course in which it is not signed up otherwise."""
    email = signup.email
    elsewhere = select(Signup.course_id).where(Signup.email == email, Signup.id != signup.id)
    here = Signup.course_id.not_in(elsewhere)
    lists = (Signup.works_with, Signup.avoids)
    named = or_(*(cast(each, Text).contains(email, autoescape=True) for each in lists))
    for other in session.scalars(select(Signup).where(here, named, Signup.id != signup.id)).all():
        if email in other.avoids:
            person_blocks.keep_apart(session, other, email, at)
        other.works_with = [each for each in other.works_with if each != email]
        other.avoids = [each for each in other.avoids if each != email]
    session.flush()
    about = PersonBlock.digest == person_blocks.digest(email)
    owners = select(Signup.id).where(here)
    session.execute(update(PersonBlock).where(about, PersonBlock.signup_id.in_(owners)).values(label=""))
    elsewhere_too = Connection.course_id.not_in(elsewhere)
    session.execute(delete(Connection).where(Connection.to_address == email, elsewhere_too))


def _forget_name(session: Session, signup: Signup) -> None:
    """Take a learner out of what organisers were told, and out of files that wait to be imported."""
    name = re.compile(rf"(?<!\w){re.escape(signup.name)}(?!\w)")
    for run in session.scalars(select(Run).where(Run.course_id == signup.course_id, Run.reason != "")):
        if name.search(run.reason):
            run.reason = _("Some wishes contradicted each other. Somebody concerned has erased theirs.")
    runs = select(Run.id).where(Run.course_id == signup.course_id)
    noted = select(Adjustment).where(Adjustment.run_id.in_(runs), Adjustment.because != "")
    for adjustment in session.scalars(noted):
        if name.search(adjustment.because):
            adjustment.because = ""
    letters = select(Message).where(Message.course_id == signup.course_id)
    for letter in session.scalars(letters.where(Message.text.contains(signup.name, autoescape=True))):
        letter.text = name.sub("…", letter.text)
    for letter in session.scalars(letters.where(Message.subject.contains(signup.name, autoescape=True))):
        letter.subject = name.sub("…", letter.subject)
    spellings = [signup.email.encode(encoding) for encoding in ("utf-8", "utf-16-le", "utf-16-be")]
    for upload in session.scalars(select(Upload).where(Upload.course_id == signup.course_id)):
        text = upload.content.decode("utf-8", "replace")
        if name.search(text) or any(each in upload.content.lower() for each in spellings):
            session.delete(upload)
    session.flush()

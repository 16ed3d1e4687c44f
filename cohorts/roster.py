"""The roster of a course: who is in which cohort and when it meets, as plain rows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from sqlalchemy import ColumnElement, select, true
from sqlalchemy.orm import Session, selectinload
from sqlalchemy.sql.base import ExecutableOption

from . import meetings, presence
from .asking import custom_questions
from .exceptions import InvalidInput, NotFound
from .language import Sentence, marked, translated
from .language import gettext as _
from .language import lazy_gettext as lazy
from .models import (
    Cohort,
    Course,
    Interest,
    Membership,
    Run,
    RunKind,
    RunState,
    Seat,
    Signup,
    SignupState,
    signup_interests,
)
from .roster_rows import RosterRow, clock, row_of

_BATCH: Final = 500
"""How many learners of an export are in memory at once."""
PAGE: Final = 300
"""Rows on one page of the site."""

NOT_MATCHED_YET = lazy("Signed up after the cohorts were formed.")
WENT_QUIET = marked("Gave no sign of life, so their seat was released.")
NOT_PUBLISHED_YET = marked("In a part of the proposal that is not published yet.")


@dataclass(frozen=True, slots=True)
class Page:
    """Some rows of a roster: all that contain a text, or those of one page of them.

    Attributes:
        rows: The rows.
        number: Which page this is, from 1.
        pages: How many pages there are, at least 1.
    """

    rows: list[RosterRow]
    number: int
    pages: int


class _Learner(NamedTuple):
    """What a roster tells of a learner; whole sign-ups would take several times as long to read."""

    name: str
    email: str
    time_zone: str
    languages: list[str]
    can_help_with: list[str]
    wants_help_with: list[str]
    convenor: bool
    custom: dict[str, Any]
    interests: Sequence[str] = ()


_READ: Final = tuple(name for name in _Learner._fields if name != "interests")


def stream(
    session: Session, course: Course, only: ColumnElement[bool] | None = None, *, batch: int = _BATCH
) -> Iterator[RosterRow]:
    """Yield the roster of a course, by cohort, then by name, those without a cohort last.

    With ``only``, a condition on cohorts, those alone and nobody without a cohort. It is empty until cohorts
    are published. ``batch`` rows are read at a time, so that thousands of them take little memory.
    """
    run = latest_published(session, course) if only is None else None
    return _rows(session, course, _seats(session, course, only, run), run, batch)


def find(
    session: Session, course: Course, only: ColumnElement[bool] | None, *, text: str = "", number: int = 1
) -> Page:
    """Return a page of the roster, as `stream` has it: rows whose cohort, name, address or zone has ``text``.

    The number of queries does not depend on that of learners.
    """
    run = latest_published(session, course) if only is None else None
    seats = _seats(session, course, only, run, text.casefold())
    pages = max(1, -(-len(seats) // PAGE))
    number = min(max(1, number), pages)
    some = seats[(number - 1) * PAGE : number * PAGE]
    return Page(list(_rows(session, course, some, run, PAGE)), number, pages)


def page(session: Session, course: Course, after: int, most: int) -> tuple[list[RosterRow], int | None]:
    """Return at most so many rows behind that of the sign-up with the id ``after``, 0 for the first ones.

    The last one's id comes along while there are more.

    Raises:
        InvalidInput: That sign-up is not in the roster any more.
    """
    run = latest_published(session, course)
    seats = _seats(session, course, None, run)
    first = next((n for n, (each, _cohort) in enumerate(seats, start=1) if each == after), 0)
    if after and not first:
        raise InvalidInput({"cursor": [_("The roster has changed. Begin again.")]})
    some = seats[first : first + most]
    return list(_rows(session, course, some, run, most)), some[-1][0] if first + most < len(seats) else None


def _seats(
    session: Session, course: Course, only: ColumnElement[bool] | None, run: Run | None, text: str = ""
) -> list[tuple[int, int | None]]:
    """Return the ids of learners and of their cohorts, in order; with a run, also who has no cohort."""
    placed = session.execute(
        select(
            Signup.id, Signup.name, Signup.email, Signup.time_zone, Cohort.id, Cohort.position, Cohort.name
        )
        .join(Membership, Membership.signup_id == Signup.id)
        .join(Cohort)
        .join(Run)
        .where(Membership.until.is_(None), *_living(course, only))
    ).all()
    keyed = sorted(
        (position, cohort_id, name.casefold(), email, signup_id)
        for signup_id, name, email, zone, cohort_id, position, cohort in placed
        if text in f"{cohort}\n{name}\n{email}\n{zone}".casefold()
    )
    left = [] if run is None else _left(session, course, {row[0] for row in placed}, text)
    return [
        *((signup_id, cohort_id) for _, cohort_id, _, _, signup_id in keyed),
        *((each, None) for each in left),
    ]


def _rows(
    session: Session, course: Course, seats: Sequence[tuple[int, int | None]], run: Run | None, batch: int
) -> Iterator[RosterRow]:
    """Yield the rows of sign-ups, given by their ids with that of their cohort."""
    when, asked = clock(course), custom_questions(course)
    reasons = {} if run is None else _reasons(session, run)
    for first in range(0, len(seats), batch):
        some = seats[first : first + batch]
        found = _learners(session, [signup_id for signup_id, _ in some])
        theirs = {cohort_id for _, cohort_id in some if cohort_id is not None}
        own = {each.id: each for each in cohorts(session, course, only=Cohort.id.in_(theirs))}
        for signup_id, cohort_id in some:
            learner = found.get(signup_id)
            if learner is None:  # erased since the order was read
                continue
            if cohort_id is None or cohort_id not in own:
                reason = translated(reasons.get(signup_id, "")) or str(NOT_MATCHED_YET)
                yield row_of(learner, "", "", reason, asked)
            else:
                cohort = own[cohort_id]
                meeting = when(meetings.weekly(cohort), learner.time_zone)
                yield row_of(learner, cohort.name, meeting, questions=asked, key=cohort.key)


def _learners(session: Session, ids: Sequence[int]) -> dict[int, _Learner]:
    picked: dict[int, list[str]] = defaultdict(list)
    labels = (
        select(signup_interests.c.signup_id, Interest.label)
        .join(Interest, Interest.id == signup_interests.c.interest_id)
        .where(signup_interests.c.signup_id.in_(ids))
        .order_by(Interest.label)
    )
    for signup_id, label in session.execute(labels):
        picked[signup_id].append(label)
    told = select(Signup.id, *(getattr(Signup, name) for name in _READ)).where(Signup.id.in_(ids))
    return {
        signup_id: _Learner._make([*about, picked[signup_id]]) for signup_id, *about in session.execute(told)
    }


def _living(course: Course, only: ColumnElement[bool] | None) -> tuple[ColumnElement[bool], ...]:
    """Return the conditions on a cohort and its run: it is a living one of a course, and meets ``only``."""
    here = (Run.course_id == course.id, Run.state == RunState.PUBLISHED, Cohort.ended_at.is_(None))
    return here if only is None else (*here, only)


def positions(session: Session, course: Course) -> dict[int, int]:
    """Return the position of each living cohort of a course, by its id."""
    found = select(Cohort.id, Cohort.position).join(Run).where(*_living(course, None))
    return {cohort_id: position for cohort_id, position in session.execute(found)}  # noqa: C416 (no pairs)


def cohorts(
    session: Session, course: Course, *options: ExecutableOption, only: ColumnElement[bool] | None = None
) -> list[Cohort]:
    """Return the living cohorts of a course in their order, their run loaded, and more by ``options``.

    With ``only``, a condition on cohorts, those that meet it.
    """
    return list(
        session.scalars(
            select(Cohort)
            .join(Run)
            .where(*_living(course, only))
            .order_by(Cohort.position, Cohort.id)
            .options(selectinload(Cohort.run), *options)
        )
    )


def cohort(session: Session, course: Course, key: str, only: ColumnElement[bool] | None = None) -> Cohort:
    """Return a cohort of a course that has been published, its members loaded.

    Raises:
        NotFound: The course has no such cohort, or it does not meet the condition ``only``.
    """
    found = session.scalar(
        select(Cohort)
        .join(Run)
        .where(Cohort.key == key, Run.course_id == course.id, Run.state == RunState.PUBLISHED)
        .where(true() if only is None else only)
        .options(selectinload(Cohort.run), selectinload(Cohort.memberships).selectinload(Membership.signup))
    )
    if found is None:
        raise NotFound
    return found


def names(session: Session, course: Course) -> dict[int, str]:
    """Return what the cohorts of a course are called, by id, whether they live or not."""
    found = session.execute(select(Cohort.id, Cohort.name).join(Run).where(Run.course_id == course.id))
    return {each.id: each.name for each in found}


def latest_published(session: Session, course: Course) -> Run | None:
    """Return the match that was published last, or None when nothing is official yet."""
    return session.scalar(
        select(Run)
        .where(Run.course_id == course.id, Run.state == RunState.PUBLISHED, Run.kind == RunKind.MATCH)
        .order_by(Run.published_at.desc(), Run.id.desc())
        .limit(1)
    )


def _left(session: Session, course: Course, placed: set[int], text: str) -> list[int]:
    """Return the confirmed learners who are in no cohort and do not wait for a place in the course."""
    confirmed = session.execute(
        select(Signup.id, Signup.name, Signup.email, Signup.time_zone).where(
            Signup.course_id == course.id, Signup.state == SignupState.CONFIRMED, Signup.waiting.is_(False)
        )
    )
    keyed = sorted(
        (name.casefold(), email, signup_id)
        for signup_id, name, email, zone in confirmed
        if signup_id not in placed and text in f"{name}\n{email}\n{zone}".casefold()
    )
    return [signup_id for _, _, signup_id in keyed]


def _reasons(session: Session, run: Run) -> dict[int, str | Sentence]:
    """Return why learners were left without a cohort, by the ids of their sign-ups."""
    unplaced = (
        select(Seat.signup_id, Seat.reason)
        .join(Run)
        .where(Run.course_id == run.course_id, Run.published_at >= run.published_at)
        .where(Seat.cohort_id.is_(None))
        .order_by(Run.published_at, Run.id)  # rematches since then know better
    )
    left_over = (
        select(Seat.signup_id)
        .join(Run)
        .where(Run.course_id == run.course_id, Run.state == RunState.PROPOSED, Run.part_of_id.is_not(None))
    )
    waiting = dict.fromkeys(session.scalars(left_over), NOT_PUBLISHED_YET)
    quiet = select(Signup.id).where(Signup.course_id == run.course_id, presence.is_gone())
    gone = dict.fromkeys(session.scalars(quiet), WENT_QUIET)
    return {**dict(session.execute(unplaced).all()), **waiting, **gone}

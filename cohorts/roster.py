"""The roster of a course: who is in which cohort and when it meets, as plain rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from sqlalchemy import ColumnElement, select, true
from sqlalchemy.orm import Session, selectinload
from sqlalchemy.sql.base import ExecutableOption

from . import meetings, presence
from .asking import custom_questions
from .exceptions import InvalidInput, NotFound
from .language import Sentence, marked, translated
from .language import gettext as _
from .language import lazy_gettext as lazy
from .models import Cohort, Course, Membership, Run, RunState, Seat, Signup, SignupState
from .roster_rows import RosterRow, clock, row_of

_BATCH: Final = 500
"""How many learners of an export are in memory at once."""
_PAGE: Final = 10_000
"""As many go into one query of a page."""

NOT_MATCHED_YET = lazy("Signed up after the cohorts were formed.")
WENT_QUIET = marked("Gave no sign of life, so their seat was given free.")
NOT_PUBLISHED_YET = marked("In a part of the proposal that is not published yet.")


def rows(session: Session, course: Course, only: ColumnElement[bool] | None = None) -> list[RosterRow]:
    """Return the roster of a course, by cohort, then by name, those without a cohort last.

    With ``only``, a condition on cohorts, those alone and nobody without a cohort.
    It is empty until cohorts are published. The number of queries does not grow with that of learners.
    """
    return list(stream(session, course, only, batch=_PAGE))


def stream(
    session: Session, course: Course, only: ColumnElement[bool] | None = None, *, batch: int = _BATCH
) -> Iterator[RosterRow]:
    """Yield the rows of a roster, read ``batch`` at a time, so that thousands of them take little memory."""
    living = _living(session, course, only)
    run = latest_published(session, course) if only is None else None
    reasons = {} if run is None else _reasons(session, run)
    return _rows(session, course, _seats(session, course, living, run), living, reasons, batch)


def page(session: Session, course: Course, after: int, most: int) -> tuple[list[RosterRow], int | None]:
    """Return at most so many rows behind that of the sign-up with the id ``after``, 0 for the first ones.

    The last one's id comes along while there are more.

    Raises:
        InvalidInput: That sign-up is not in the roster any more.
    """
    living, run = _living(session, course, None), latest_published(session, course)
    seats = _seats(session, course, living, run)
    first = next((n for n, (each, _cohort) in enumerate(seats, start=1) if each == after), 0)
    if after and not first:
        raise InvalidInput({"cursor": [_("The roster has changed. Begin again.")]})
    some = seats[first : first + most]
    reasons = {} if run is None else _reasons(session, run)
    rows = list(_rows(session, course, some, living, reasons, most))
    return rows, some[-1][0] if first + most < len(seats) else None


def _living(session: Session, course: Course, only: ColumnElement[bool] | None) -> dict[int, Cohort]:
    return {each.id: each for each in cohorts(session, course, only=only)}


def _seats(
    session: Session, course: Course, living: Mapping[int, Cohort], run: Run | None
) -> list[tuple[int, int | None]]:
    """Return the ids of learners and of their cohorts, in order; with a run, also who has no cohort."""
    placed = _placed(session, course, living)
    left = [] if run is None else _left(session, course, {each for each, _cohort in placed})
    return [*placed, *((each, None) for each in left)]


def _rows(
    session: Session,
    course: Course,
    seats: Sequence[tuple[int, int | None]],
    living: Mapping[int, Cohort],
    reasons: Mapping[int, str | Sentence],
    batch: int,
) -> Iterator[RosterRow]:
    """Yield the rows of sign-ups, given by their ids with that of their cohort."""
    when, asked = clock(course), custom_questions(course)
    for first in range(0, len(seats), batch):
        some = seats[first : first + batch]
        loaded = select(Signup).where(Signup.id.in_([each for each, _ in some]))
        found = {each.id: each for each in session.scalars(loaded.options(selectinload(Signup.interests)))}
        for signup_id, cohort_id in some:
            signup = found.get(signup_id)
            if signup is None:  # erased since the order was read
                continue
            if cohort_id is None:
                reason = translated(reasons.get(signup_id, "")) or str(NOT_MATCHED_YET)
                yield row_of(signup, "", "", reason, asked)
            else:
                own = living[cohort_id]
                meeting = when(meetings.weekly(own), signup.time_zone)
                yield row_of(signup, own.name, meeting, questions=asked, key=own.key)


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
            .where(Run.course_id == course.id, Run.state == RunState.PUBLISHED, Cohort.ended_at.is_(None))
            .where(true() if only is None else only)
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


def latest_published(session: Session, course: Course) -> Run | None:
    """Return the run that was published last, or None when nothing is official yet."""
    return session.scalar(
        select(Run)
        .where(Run.course_id == course.id, Run.state == RunState.PUBLISHED)
        .order_by(Run.published_at.desc(), Run.id.desc())
        .limit(1)
    )


def _placed(session: Session, course: Course, living: Mapping[int, Cohort]) -> list[tuple[int, int]]:
    """Return the ids of every learner with a seat in a living cohort and of that cohort, in order."""
    found = session.execute(
        select(Signup.id, Signup.name, Signup.email, Membership.cohort_id)
        .join(Membership, Membership.signup_id == Signup.id)
        .where(Signup.course_id == course.id, Membership.until.is_(None))
    )
    keyed = sorted(
        (living[cohort_id].position, cohort_id, name.casefold(), email, signup_id)
        for signup_id, name, email, cohort_id in found
        if cohort_id in living
    )
    return [(signup_id, cohort_id) for _, cohort_id, _, _, signup_id in keyed]


def _left(session: Session, course: Course, placed: set[int]) -> list[int]:
    """Return the confirmed learners who are in no cohort and do not wait for a place in the course."""
    confirmed = session.execute(
        select(Signup.id, Signup.name, Signup.email).where(
            Signup.course_id == course.id, Signup.state == SignupState.CONFIRMED, Signup.waiting.is_(False)
        )
    )
    keyed = sorted((name.casefold(), email, key) for key, name, email in confirmed if key not in placed)
    return [key for _, _, key in keyed]


def _reasons(session: Session, run: Run) -> dict[int, str | Sentence]:
    """Return why learners were left without a cohort, by the ids of their sign-ups."""
    unplaced = select(Seat.signup_id, Seat.reason).where(Seat.run_id == run.id, Seat.cohort_id.is_(None))
    left_over = (
        select(Seat.signup_id)
        .join(Run)
        .where(Run.course_id == run.course_id, Run.state == RunState.PROPOSED, Run.part_of_id.is_not(None))
    )
    waiting = dict.fromkeys(session.scalars(left_over), NOT_PUBLISHED_YET)
    quiet = select(Signup.id).where(Signup.course_id == run.course_id, presence.is_gone())
    gone = dict.fromkeys(session.scalars(quiet), WENT_QUIET)
    return {**dict(session.execute(unplaced).all()), **waiting, **gone}

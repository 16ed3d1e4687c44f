"""Weighing: what a change by hand would do to the cohorts it touches, before anybody makes it.

The web process has no matcher. It asks by a row, the worker answers in it within moments, and what is
then changed takes its figures from that row: so every change is scored before it is saved.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Select, delete, func, select, update
from sqlalchemy.orm import Session, load_only, selectinload

from . import living, person_blocks
from .asking import custom_questions
from .database import Database
from .door import Scales
from .effects import Board, Effect
from .exceptions import CohortsError, NotFound
from .language import marked
from .models import Adjustment, Cohort, Membership, PersonBlock, Run, RunState, Seat, Signup, Weighing, now

MOST_EFFECTS: Final = 60
"""So many of the changes that are possible are told, the best first."""
MOST_SCALES: Final = 3
LIFETIME: Final = timedelta(hours=6)

_log = logging.getLogger(__name__)


def version(session: Session, run: Run) -> int:
    """Return the version of a board: how often it has been changed."""
    return session.scalar(select(func.max(Adjustment.number)).where(Adjustment.run_id == run.id)) or 0


def ask(session: Session, run: Run, signup_key: str, cohort_key: str, at: datetime) -> Weighing:
    """Ask where else a learner of a run could sit; a cohort narrows it down to that one.

    The same question about the same version is asked once.

    Raises:
        NotFound: The learner has no seat in this run, or the cohort is another's.
    """
    signup = session.scalar(select(Signup).where(Signup.id.in_(_people(run)), Signup.key == signup_key))
    cohort = next((each for each in _cohorts(session, run) if each.key == cohort_key), None)
    if signup is None or (cohort_key and cohort is None):
        raise NotFound
    wanted = {
        "run_id": run.id,
        "version": version(session, run),
        "signup_id": signup.id,
        "cohort_id": cohort.id if cohort else None,
    }
    same = session.scalar(
        select(Weighing)
        .filter_by(**wanted)
        .where(Weighing.asked_at > at - LIFETIME / 2, Weighing.trouble == "")
    )
    if same is not None:
        return same
    found = Weighing(**wanted, asked_at=at)
    session.add(found)
    session.flush()
    return found


def get(session: Session, run: Run, key: str) -> Weighing:
    """Return a weighing of a run.

    Raises:
        NotFound: There is none, or it has expired.
    """
    found = session.scalar(select(Weighing).where(Weighing.run_id == run.id, Weighing.key == key))
    if found is None:
        raise NotFound
    return found


def effects(weighing: Weighing) -> list[Effect]:
    """Return what was weighed, the best change first."""
    return [Effect.from_json(each) for each in weighing.effects]


def concerned(
    session: Session, run: Run, found: Sequence[Effect]
) -> tuple[dict[int, Cohort], dict[int, Signup]]:
    """Return the cohorts of a run that changes touch, and the learners who would change places, by id."""
    touched = {each.cohort_id for effect in found for each in effect.touched}
    swapped = {each.swap_id for each in found if each.swap_id is not None}
    people = (
        select(Signup)
        .where(Signup.id.in_(swapped), Signup.id.in_(_people(run)))
        .options(load_only(Signup.key, Signup.name))
    )
    return (
        {each.id: each for each in session.scalars(select(Cohort).where(Cohort.id.in_(touched)))},
        {each.id: each for each in session.scalars(people)},
    )


def home(session: Session, weighing: Weighing) -> Cohort | None:
    """Return the cohort that the learner sits in who is asked about."""
    if weighing.run.state is RunState.PUBLISHED:
        here = (Membership.signup_id == weighing.signup_id) & Membership.until.is_(None)
        return session.scalar(select(Cohort).join(Membership).where(here))
    seat = (Seat.run_id == weighing.run_id) & (Seat.signup_id == weighing.signup_id)
    return session.scalar(select(Cohort).join(Seat, Seat.cohort_id == Cohort.id).where(seat))


def waiting(session: Session) -> list[int]:
    """Return the ids of the weighings that nobody has answered, oldest first."""
    return list(
        session.scalars(select(Weighing.id).where(Weighing.weighed_at.is_(None)).order_by(Weighing.id))
    )


def expire(session: Session, at: datetime) -> None:
    """Forget what was weighed long ago."""
    session.execute(delete(Weighing).where(Weighing.asked_at < at - LIFETIME))


class Weigher:
    """Answers weighings; keeps the scales of the runs that were asked about last."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._scales: dict[int, tuple[object, Scales]] = {}

    def weigh_waiting(self) -> int:
        """Answer all that wait, and return how many."""
        with self._database.reading() as session:
            found = waiting(session)
        for weighing_id in found:
            self.weigh(weighing_id)
        return len(found)

    def weigh(self, weighing_id: int) -> None:
        """Answer one weighing; what goes wrong is told in it."""
        answer: dict[str, Any] = {}
        try:
            with self._database.reading() as session:
                weighing = session.get(Weighing, weighing_id)
                if weighing is None or weighing.weighed_at is not None:
                    return
                answer["effects"] = [asdict(each) for each in self.effects(session, weighing)]
        except CohortsError as error:
            answer["trouble"] = str(error)
        except Exception:
            _log.exception("weighing %d failed", weighing_id)
            answer["trouble"] = marked("This could not be worked out, by an error of ours, which is noted.")
        with self._database.transaction() as session:
            session.execute(
                update(Weighing).where(Weighing.id == weighing_id).values(weighed_at=now(), **answer)
            )

    def effects(self, session: Session, weighing: Weighing) -> list[Effect]:
        """Work out what a weighing asks for, the best change first."""
        board = _board(session, weighing.run, self._scales_of(session, weighing.run))
        wanted = weighing.cohort_id
        if wanted is None:
            found = list(board.moves(weighing.signup_id))
            found.sort(key=lambda each: (bool(each.new_breaks), not each.is_possible, -each.gain))
            found = found[:MOST_EFFECTS]
        else:
            swaps = sorted(
                board.swaps(weighing.signup_id, wanted), key=lambda each: (bool(each.new_breaks), -each.gain)
            )
            found = [*board.moves(weighing.signup_id, [wanted]), *swaps]
        return [board.with_reasons(each) for each in found]

    def _scales_of(self, session: Session, run: Run) -> Scales:
        """Return the scales of a run, made anew when an answer has changed since."""
        state = _state(session, run)
        kept = self._scales.pop(run.id, None)
        scales = kept[1] if kept is not None and kept[0] == state else _scales(session, run)
        self._scales[run.id] = state, scales  # the one used last comes last
        while len(self._scales) > MOST_SCALES:
            del self._scales[next(iter(self._scales))]
        return scales


def _people(run: Run) -> Select[int]:
    """Return the ids of those on a board: with a seat in the proposal, or taking part in the course."""
    if run.state is RunState.PUBLISHED:
        return living.people(run.course_id)
    return select(Seat.signup_id).where(Seat.run_id == run.id)


def _cohorts(session: Session, run: Run) -> Sequence[Cohort]:
    if run.state is RunState.PUBLISHED:
        return living.cohorts_of(session, run.course)
    return session.scalars(select(Cohort).where(Cohort.run_id == run.id)).all()


def _homes(session: Session, run: Run) -> dict[int, int | None]:
    if run.state is RunState.PUBLISHED:
        return living.homes(session, run.course_id)
    seats = session.execute(select(Seat.signup_id, Seat.cohort_id).where(Seat.run_id == run.id)).all()
    return {each.signup_id: each.cohort_id for each in seats}


def _state(session: Session, run: Run) -> tuple[Any, ...]:
    """Return what differs whenever an answer of a learner on a board does."""
    people = session.execute(
        select(func.count(), func.max(Signup.updated_at)).where(Signup.id.in_(_people(run)))
    ).one()
    blocked = session.execute(select(func.count(), func.max(PersonBlock.id))).one()
    return (run.state, *people, *blocked)


def _scales(session: Session, run: Run) -> Scales:
    rows = session.scalars(
        select(Signup)
        .where(Signup.id.in_(_people(run)))
        .order_by(Signup.id)
        .options(selectinload(Signup.interests))
    ).all()
    answers = person_blocks.answers_with_blocks(session, rows)
    people = [(row.id, row.key, given) for row, given in zip(rows, answers, strict=True)]
    return Scales(people, living.settings_of(run))


def _board(session: Session, run: Run, scales: Scales) -> Board:
    return Board(
        scales,
        living.settings_of(run),
        {each.key: each.label for each in custom_questions(run.course)},
        _cohorts(session, run),
        _homes(session, run),
    )

"""A proposal that is published in parts: what is left over is a proposal of its own."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import ColumnElement, delete, func, or_, select, update
from sqlalchemy.orm import Session

from .exceptions import Conflict
from .language import gettext as _
from .models import Cohort, Run, RunState, Seat, Weighing


def family_of(run: type[Run]) -> ColumnElement[int]:
    """Return what all parts of one proposal have in common, for queries."""
    found: ColumnElement[int] = func.coalesce(run.part_of_id, run.id)
    return found


def family_id(run: Run) -> int:
    """Return what all parts of one proposal have in common."""
    return run.part_of_id or run.id


def require_latest(session: Session, run: Run) -> None:
    """Refuse to publish what was left over once another proposal has taken the place of the whole.

    Raises:
        Conflict: One has.
    """
    if run.part_of_id is None:
        return
    newer = select(Run.id).where(
        Run.course_id == run.course_id,
        Run.state == RunState.PUBLISHED,
        Run.published_at > run.created_at,
        family_of(Run) != family_id(run),
    )
    if session.scalar(newer.limit(1)) is not None:
        raise Conflict(_("Other cohorts have been published since this part was left over. Match again."))


def leave_rest(session: Session, run: Run, chosen: Collection[str]) -> Run | None:
    """Move all cohorts that are not chosen, and who has none, to a proposal of their own.

    Nothing happens when all are chosen. The objective of neither part is known.

    Raises:
        Conflict: Nobody sits in any of the cohorts that are chosen.
    """
    seated = select(Seat.cohort_id).where(Seat.run_id == run.id, Seat.cohort_id.is_not(None))
    cohorts = session.scalars(select(Cohort).where(Cohort.run_id == run.id, Cohort.id.in_(seated))).all()
    left = [each.id for each in cohorts if each.key not in chosen]
    if len(left) == len(cohorts):
        raise Conflict(_("Choose at least one cohort."))
    if not left:
        return None
    rest = Run(
        course_id=run.course_id,
        state=RunState.PROPOSED,
        part_of_id=family_id(run),
        based_on_id=run.based_on_id,
        **{name: getattr(run, name) for name in _LIKE_THE_WHOLE},
    )
    session.add(rest)
    session.flush()
    session.execute(delete(Weighing).where(Weighing.run_id == run.id))
    session.execute(update(Cohort).where(Cohort.id.in_(left)).values(run_id=rest.id))
    stays = or_(Seat.cohort_id.in_(left), Seat.cohort_id.is_(None))
    session.execute(update(Seat).where(Seat.run_id == run.id, stays).values(run_id=rest.id))
    for part in (run, rest):
        part.objective = part.bound = None
        part.n_learners, part.n_placed = session.execute(_counts(part)).one()
    session.flush()
    session.expire(run, ["cohorts", "seats"])
    return rest


_LIKE_THE_WHOLE = ("parameters", "random_state", "requested_by", "seconds", "started_at", "finished_at")


def _counts(run: Run) -> Any:
    return select(func.count(), func.count(Seat.cohort_id)).where(Seat.run_id == run.id)

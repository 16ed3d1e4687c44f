"""The pulse of a course: what its check-ins say as a whole. Nothing below five is told."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from .checkins import PRESENCES
from .models import CheckIn, Course, Departure, Leaving, Met, Signup
from .policies import FEW


@dataclass(frozen=True, slots=True)
class Week:
    """One week of a course; what fewer than five said is None.

    Attributes:
        week: The week of the course.
        met: How many met, did not, or not yet.
        presence: The mean of each presence, from 1 to 5.
    """

    week: int
    met: dict[Met, int | None]
    presence: dict[str, float | None]

    @property
    def is_hidden(self) -> bool:
        """Whether there is nothing to tell."""
        return not any(value is not None for value in (*self.met.values(), *self.presence.values()))


def weeks(session: Session, course: Course) -> list[Week]:
    """Return the pulse of each week that somebody has checked in, in two queries."""
    here = select(Signup.id).where(Signup.course_id == course.id)
    met: dict[int, dict[Met, int]] = defaultdict(dict)
    answers = (
        select(CheckIn.week, CheckIn.met, func.count())
        .where(CheckIn.signup_id.in_(here), CheckIn.met.is_not(None))
        .group_by(CheckIn.week, CheckIn.met)
    )
    for week, answer, count in session.execute(answers):
        if answer is not None:
            met[week][answer] = count
    values: list[Any] = []
    for name in PRESENCES:
        column = getattr(CheckIn, name)
        values += [func.count(column), func.avg(column)]
    rated = select(CheckIn.week, *values).where(CheckIn.signup_id.in_(here)).group_by(CheckIn.week)
    return [
        Week(week, {each: _told(met[week].get(each, 0)) for each in Met}, _means(counted))
        for week, *counted in session.execute(rated.order_by(CheckIn.week))
    ]


def reasons_to_leave(session: Session, course: Course) -> list[tuple[Leaving, int]]:
    """Return the reasons that five or more gave for leaving a cohort or the course, commonest first."""
    count = _people()
    rows = session.execute(
        select(Departure.because, count)
        .where(Departure.course_id == course.id, Departure.because.is_not(None))
        .group_by(Departure.because)
        .having(count >= FEW)
        .order_by(count.desc(), Departure.because)
    )
    return [(because, number) for because, number in rows if because is not None]


def words_on_leaving(session: Session, course: Course) -> list[str]:
    """Return what five or more wrote on leaving, without names, in an order that says nothing."""
    written = (Departure.course_id == course.id, Departure.words != "")
    if (session.scalar(select(_people()).where(*written)) or 0) < FEW:
        return []
    return sorted(session.scalars(select(Departure.words).where(*written)), key=str.casefold)


def _people() -> ColumnElement[int]:
    """How many left: somebody who left often is one, and so is each departure of those who were erased."""
    erased = func.count().filter(Departure.signup_id.is_(None))
    return func.count(Departure.signup_id.distinct()) + erased


def _told(count: int) -> int | None:
    return count if count >= FEW else None


def _means(counted: list[Any]) -> dict[str, float | None]:
    pairs = zip(counted[::2], counted[1::2], strict=True)
    return {
        name: round(float(mean), 1) if count >= FEW else None
        for name, (count, mean) in zip(PRESENCES, pairs, strict=True)
    }

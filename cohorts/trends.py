"""What the learners of a course do as a whole, without names: nothing that fewer than five did is told."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from statistics import median
from typing import Any, Final

from sqlalchemy import String, func, select, type_coerce
from sqlalchemy.orm import Session, aliased

from .models import (
    Cohort,
    Course,
    Departure,
    Interest,
    Membership,
    Run,
    Signup,
    SignupState,
    signup_interests,
)
from .policies import FEW

HOURS: Final = (5, 10, 20, 40)
"""Where the hours that people offer are cut into ranges: fewer than the first, up to the next, and so on."""

PAIRS: Final = 10
"""So many pairs of interests are told."""


@dataclass(frozen=True, slots=True)
class Trends:
    """Counts and middle values over many learners; None for what fewer than five say something about.

    Attributes:
        hours_offered: For each range of hours of a week that somebody is free: how many offer so many.
        hours_middle: Half of the learners are free for so many hours of a week, or more.
        together: Pairs of interests that the most learners picked both of, and how many did.
        interests_middle: Half of those who picked interests picked so many, or more.
        confirmed_after: Half of those who confirmed took no longer than this.
        stayed: Half of those who left a cohort had been in it for so long, or longer.
        left_by_week: For each week of the course, how many left a cohort or the course in it.
        withdrawn: How many withdrew.
    """

    hours_offered: list[tuple[int, int | None, int | None]]
    hours_middle: float | None
    interests_middle: float | None
    together: list[tuple[str, str, int]]
    confirmed_after: timedelta | None
    stayed: timedelta | None
    left_by_week: list[tuple[int, int | None]]
    withdrawn: int | None


def told(count: int) -> int | None:
    """Return a number of people, unless it is too few to be told."""
    return count if count >= FEW else None


def of_course(session: Session, course: Course) -> Trends:
    """Look at the learners of a course, in five queries."""
    rows = session.execute(
        select(
            Signup.state,
            Signup.created_at,
            Signup.confirmed_at,
            # Counting the bits of a week is a hundred times quicker than reading its slots.
            type_coerce(Signup.availability, String).label("week"),
        ).where(Signup.course_id == course.id)
    ).all()
    here = [row for row in rows if row.state is not SignupState.WITHDRAWN]
    hours = [int(row.week, 16).bit_count() / 2 for row in here]
    # Who came by a file was confirmed before the sign-up was made here.
    waited = [
        row.confirmed_at - row.created_at
        for row in here
        if row.confirmed_at is not None and row.confirmed_at > row.created_at
    ]
    return Trends(
        hours_offered=_ranges(hours),
        hours_middle=_middle(hours),
        interests_middle=_middle(_interests(session, course)),
        together=_together(session, course),
        confirmed_after=_middle(waited),
        stayed=_middle(_stays(session, course)),
        left_by_week=_by_week(session, course),
        withdrawn=told(len(rows) - len(here)),
    )


def _middle(values: Sequence[Any]) -> Any:
    return median(values) if len(values) >= FEW else None


def _ranges(hours: Sequence[float]) -> list[tuple[int, int | None, int | None]]:
    """Return ranges of hours as least, below and how many."""
    edges = (0, *HOURS, None)
    counts = Counter(sum(each >= edge for edge in HOURS) for each in hours)
    return [(low or 0, high, told(counts[number])) for number, (low, high) in enumerate(pairwise(edges))]


def _interests(session: Session, course: Course) -> list[int]:
    picked = (
        select(func.count())
        .select_from(signup_interests.join(Signup.__table__))
        .where(Signup.course_id == course.id, Signup.state != SignupState.WITHDRAWN)
        .group_by(signup_interests.c.signup_id)
    )
    return list(session.scalars(picked))


def _together(session: Session, course: Course) -> list[tuple[str, str, int]]:
    one, other = signup_interests.alias(), signup_interests.alias()
    first, second = aliased(Interest), aliased(Interest)
    count = func.count()
    rows = session.execute(
        select(first.label, second.label, count)
        .select_from(one)
        .join(other, (other.c.signup_id == one.c.signup_id) & (other.c.interest_id > one.c.interest_id))
        .join(Signup, Signup.id == one.c.signup_id)
        .join(first, first.id == one.c.interest_id)
        .join(second, second.id == other.c.interest_id)
        .where(Signup.course_id == course.id, Signup.state != SignupState.WITHDRAWN)
        .group_by(first.id, first.label, second.id, second.label)
        .having(count >= FEW)
        .order_by(count.desc(), first.label, second.label)
        .limit(PAIRS)
    )
    return [(min(pair, key=str.casefold), max(pair, key=str.casefold), n) for *pair, n in rows]


def _stays(session: Session, course: Course) -> list[timedelta]:
    ended = session.execute(
        select(Membership.since, Membership.until)
        .join(Cohort)
        .join(Run)
        .where(Run.course_id == course.id, Membership.until.is_not(None))
    )
    return [until - since for since, until in ended if until is not None]


def _by_week(session: Session, course: Course) -> list[tuple[int, int | None]]:
    """Return each week of the course in which somebody left; the weeks before it began are week 0."""
    left = session.scalars(select(Departure.at).where(Departure.course_id == course.id))
    counts = Counter(_week(course, at) for at in left)
    return [(week, told(count)) for week, count in sorted(counts.items())]


def _week(course: Course, at: datetime) -> int:
    return min(max(0, (at.date() - course.start).days // 7 + 1), course.weeks)

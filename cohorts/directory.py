"""Finding one sign-up, or a page of them, among those of a course."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session, selectinload

from . import presence
from .exceptions import NotFound
from .models import Course, Signup, SignupState, signup_interests

PAGE: Final = 100

STATES: Final[dict[str, ColumnElement[bool]]] = {
    "confirmed": (Signup.state == SignupState.CONFIRMED) & Signup.waiting.is_(False),
    "pending": (Signup.state == SignupState.PENDING) & Signup.waiting.is_(False),
    "waiting": Signup.waiting.is_(True) & (Signup.state != SignupState.WITHDRAWN),
    "withdrawn": Signup.state == SignupState.WITHDRAWN,
}
"""What an organiser calls the states of a sign-up; every sign-up is in exactly one."""

SIGNALS: Final[dict[str, ColumnElement[bool]]] = {
    "gone": presence.is_gone() & (Signup.state != SignupState.WITHDRAWN),
    "unreachable": presence.is_unreachable() & (Signup.state != SignupState.WITHDRAWN),
}
"""What may be the matter with some of them besides (see ``cohorts.nudges``)."""


@dataclass(frozen=True, slots=True)
class Page:
    """Some sign-ups of all that fit a filter.

    Attributes:
        rows: Sign-ups with the number of their interests.
        total: How many there are on all pages.
        number: Which page this is, from 1.
        pages: How many pages there are, at least 1.
    """

    rows: list[tuple[Signup, int]]
    total: int
    number: int
    pages: int


def state_of(signup: Signup) -> str:
    """Return the state of a sign-up as ``STATES`` calls it."""
    if signup.state is not SignupState.WITHDRAWN and signup.waiting:
        return "waiting"
    return signup.state.value


def find(session: Session, course: Course, *, state: str = "", text: str = "", number: int = 1) -> Page:
    """Return a page of the sign-ups in ``state`` whose name or e-mail contains ``text``, by name."""
    conditions = [Signup.course_id == course.id]
    if state in STATES or state in SIGNALS:
        conditions.append((STATES | SIGNALS)[state])
    if text:
        conditions.append(
            or_(Signup.name.icontains(text, autoescape=True), Signup.email.icontains(text, autoescape=True))
        )
    total = session.scalar(select(func.count()).select_from(Signup).where(*conditions)) or 0
    pages = max(1, -(-total // PAGE))
    number = min(max(1, number), pages)
    picked = (
        select(func.count())
        .where(signup_interests.c.signup_id == Signup.id)
        .correlate(Signup)
        .scalar_subquery()
    )
    rows = session.execute(
        select(Signup, picked)
        .where(*conditions)
        .order_by(func.lower(Signup.name), Signup.id)
        .limit(PAGE)
        .offset((number - 1) * PAGE)
    )
    return Page([(signup, count) for signup, count in rows], total, number, pages)


def get(session: Session, course: Course, key: str) -> Signup:
    """Return the sign-up of ``course`` that the outside knows by ``key``, with its interests.

    Raises:
        NotFound: There is none in this course.
    """
    signup = session.scalar(
        select(Signup)
        .where(Signup.course_id == course.id, Signup.key == key)
        .options(selectinload(Signup.interests))
    )
    if signup is None:
        raise NotFound
    return signup


def spans(slots: Iterable[int]) -> list[tuple[int, int, int]]:
    """Return slots that follow each other in a day as weekday, first slot of the day, number of slots."""
    found = []
    for (day, _), run in groupby(
        enumerate(sorted(slots)), key=lambda item: (item[1] // 48, item[1] - item[0])
    ):
        following = [slot for _, slot in run]
        found.append((day, following[0] % 48, len(following)))
    return found

"""Who may do what, in one table."""

from __future__ import annotations

import enum
from typing import Final

from sqlalchemy import ColumnElement, select, true
from sqlalchemy.orm import Session

from .exceptions import NotFound
from .models import Course, CourseOrganiser, Role, User

FEW: Final = 5
"""A number of fewer people is told to nobody else: it says too much about who they are."""


class Reach(enum.Enum):
    """Which courses somebody sees and runs."""

    OWN = "the courses they organise"
    ALL = "every course"


REACH: Final = {
    Role.ORGANISER: Reach.OWN,
    Role.ADMIN: Reach.ALL,
}
"""How far each role reaches. Within reach everything is allowed, out of reach nothing exists."""


def within_reach(user: User) -> ColumnElement[bool]:
    """Return the condition that a row of ``courses`` is one that ``user`` may see and run."""
    if not user.active:
        return ~true()
    if REACH[user.role] is Reach.ALL:
        return true()
    own = select(CourseOrganiser.course_id).where(CourseOrganiser.user_id == user.id)
    return Course.id.in_(own)


def course_for(session: Session, user: User, slug: str) -> Course:
    """Return the course that ``user`` knows by ``slug``.

    Raises:
        NotFound: There is none, or it is another organiser's; the two look the same.
    """
    course = session.scalar(select(Course).where(Course.slug == slug, within_reach(user)))
    if course is None:
        raise NotFound
    return course

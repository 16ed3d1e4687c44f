"""Who may do what, in one table."""

from __future__ import annotations

import enum
from typing import Final

from sqlalchemy import ColumnElement, and_, select, true
from sqlalchemy.orm import Session

from .exceptions import NotAllowed, NotFound
from .models import Cohort, Course, CourseOrganiser, CourseRole, FacilitatedCohort, Role, User

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
"""How far each role on this site reaches. Out of reach nothing exists; an administrator owns every course."""


class Act(enum.Enum):
    """What can be done with a course within reach."""

    LOOK = "see all of it: sign-ups, proposals, rosters"
    VISIT = "see cohorts and their rosters, at least their own"
    TEND = "say when those cohorts meet, and where they talk"
    CHANGE = "change the course, match, publish, import, write to learners"
    GOVERN = "say who organises the course, and read the log"


MAY: Final[dict[CourseRole, frozenset[Act]]] = {
    CourseRole.OWNER: frozenset(Act),
    CourseRole.ORGANISER: frozenset(Act) - {Act.GOVERN},
    CourseRole.FACILITATOR: frozenset({Act.VISIT, Act.TEND}),
    CourseRole.READER: frozenset({Act.LOOK, Act.VISIT}),
}
"""What each role in a course may do. Facilitators do it with their own cohorts alone."""


def within_reach(user: User) -> ColumnElement[bool]:
    """Return the condition that a row of ``courses`` is one that ``user`` has to do with."""
    if not user.active:
        return ~true()
    if REACH[user.role] is Reach.ALL:
        return true()
    own = select(CourseOrganiser.course_id).where(CourseOrganiser.user_id == user.id)
    return Course.id.in_(own)


def course_for(session: Session, user: User, slug: str, act: Act = Act.CHANGE) -> Course:
    """Return the course that ``user`` knows by ``slug``, if they may do ``act`` there.

    Raises:
        NotFound: There is none, or it is another organiser's; the two look the same.
        NotAllowed: Their role in this course does not allow it.
    """
    return admit(session, user, slug, act)[0]


def admit(session: Session, user: User, slug: str, act: Act) -> tuple[Course, CourseRole]:
    """Return a course like `course_for`, and what ``user`` is in it."""
    own = and_(CourseOrganiser.course_id == Course.id, CourseOrganiser.user_id == user.id)
    found = session.execute(
        select(Course, CourseOrganiser.role)
        .outerjoin(CourseOrganiser, own)
        .where(Course.slug == slug, within_reach(user))
    ).one_or_none()
    if found is None:
        raise NotFound
    course, given = found
    role = role_of(user, given)
    if act not in MAY[role]:
        raise NotAllowed
    return course, role


def role_of(user: User, given: CourseRole | None) -> CourseRole:
    """Return what a user is in a course within reach, from the role they were given there, if any."""
    if given is None or REACH[user.role] is Reach.ALL:
        return CourseRole.OWNER
    return given


def cohorts_within_reach(user: User, role: CourseRole) -> ColumnElement[bool] | None:
    """Return the condition that a row of ``cohorts`` is one that ``user`` may see; None if they see all."""
    if role is not CourseRole.FACILITATOR:
        return None
    return Cohort.id.in_(select(FacilitatedCohort.cohort_id).where(FacilitatedCohort.user_id == user.id))

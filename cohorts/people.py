"""Who organises a course: invited by mail, given a role, and let go."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Select, delete, func, select, update
from sqlalchemy.orm import Session, joinedload

from . import audit, language, notices, roster
from .answers import address, is_address
from .exceptions import Conflict, InvalidInput, InvalidLink, NotFound
from .language import gettext as _
from .models import (
    Cohort,
    Course,
    CourseOrganiser,
    CourseRole,
    FacilitatedCohort,
    Invitation,
    Run,
    User,
)

DAYS_TO_LIVE: Final = 7
"""So long an invitation can be accepted."""

MOST_OPEN: Final = 30
"""So many invitations to one course can be open at once: each is a mail to whatever address was typed."""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who organises a course; ``cohorts`` are the keys of those they look after as a facilitator."""

    user: User
    role: CourseRole
    cohorts: frozenset[str] = field(default=frozenset())


def of_course(session: Session, course: Course) -> list[Person]:
    """Return who organises a course, owners first, in two queries."""
    tended: dict[int, set[str]] = {}
    rows = session.execute(
        select(FacilitatedCohort.user_id, Cohort.key)
        .join(Cohort, Cohort.id == FacilitatedCohort.cohort_id)
        .join(Run)
        .where(Run.course_id == course.id)
    )
    for user_id, key in rows:
        tended.setdefault(user_id, set()).add(key)
    found = session.scalars(
        select(CourseOrganiser)
        .where(CourseOrganiser.course_id == course.id)
        .options(joinedload(CourseOrganiser.user))
    )
    people = [Person(each.user, each.role, frozenset(tended.get(each.user_id, ()))) for each in found]
    return sorted(people, key=lambda each: ([*CourseRole].index(each.role), each.user.email))


def get(session: Session, course: Course, user_id: int) -> CourseOrganiser:
    """Return what somebody is in a course.

    Raises:
        NotFound: Nothing.
    """
    found = session.get(CourseOrganiser, (course.id, user_id), populate_existing=True)
    if found is None:
        raise NotFound
    return found


def give_role(
    session: Session, course: Course, user_id: int, role: CourseRole, cohorts: Collection[str] = ()
) -> None:
    """Give somebody another role; a facilitator looks after ``cohorts`` (keys) and no others.

    Raises:
        NotFound: They do not organise this course.
        Conflict: They are the last owner.
    """
    _lock(session, course)
    found = get(session, course, user_id)
    if role is not CourseRole.OWNER:
        _keep_an_owner(session, course, found)
    found.role = role
    _let_go_of_cohorts(session, course, user_id)
    if role is CourseRole.FACILITATOR:
        _entrust(session, course, user_id, cohorts)
    session.flush()


def remove(session: Session, course: Course, user_id: int) -> None:
    """Let somebody organise a course no more.

    Raises:
        NotFound: They do not.
        Conflict: They are the last owner.
    """
    _lock(session, course)
    found = get(session, course, user_id)
    _keep_an_owner(session, course, found)
    _let_go_of_cohorts(session, course, user_id)
    session.delete(found)
    session.flush()


def _lock(session: Session, course: Course) -> None:
    """Two owners who remove each other at once must wait: the second would be the last."""
    session.refresh(course, ["state"], with_for_update=True)


def _keep_an_owner(session: Session, course: Course, leaving: CourseOrganiser) -> None:
    if leaving.role is not CourseRole.OWNER:
        return
    others = select(func.count()).where(
        CourseOrganiser.course_id == course.id,
        CourseOrganiser.role == CourseRole.OWNER,
        CourseOrganiser.user_id != leaving.user_id,
        CourseOrganiser.user_id.in_(select(User.id).where(User.active.is_(True))),
    )
    if not session.scalar(others):
        raise Conflict(_("A course needs an owner. Make somebody else an owner first."))


def _let_go_of_cohorts(session: Session, course: Course, user_id: int) -> None:
    here = select(Cohort.id).join(Run).where(Run.course_id == course.id)
    session.execute(
        delete(FacilitatedCohort).where(
            FacilitatedCohort.user_id == user_id, FacilitatedCohort.cohort_id.in_(here)
        )
    )


def _entrust(session: Session, course: Course, user_id: int, keys: Iterable[str]) -> None:
    wanted = set(keys)
    session.add_all(
        FacilitatedCohort(user_id=user_id, cohort_id=each.id)
        for each in roster.cohorts(session, course)
        if each.key in wanted
    )


def invitations(session: Session, course: Course, at: datetime) -> list[Invitation]:
    """Return the invitations to a course that can still be accepted, newest first."""
    return list(session.scalars(_open(course, at).order_by(Invitation.id.desc())))


def invite(
    session: Session,
    course: Course,
    by: User,
    email: str,
    role: CourseRole,
    at: datetime,
    *,
    cohorts: Collection[str] = (),
) -> Invitation:
    """Invite whoever has an address to organise a course; an earlier invitation to it counts no more.

    Raises:
        InvalidInput: It is no address, somebody who organises the course has it, or too many are open.
    """
    email = address(email)
    if not is_address(email):
        raise InvalidInput({"email": [_("Write an e-mail address, such as ana@example.org.")]})
    _lock(session, course)
    here = select(CourseOrganiser.user_id).where(CourseOrganiser.course_id == course.id)
    if session.scalar(select(User.id).where(User.email == email, User.id.in_(here))) is not None:
        raise InvalidInput({"email": [_("They organise this course already; change their role above.")]})
    still_open = invitations(session, course, at)
    for each in still_open:
        if each.email == email:
            session.delete(each)
    if sum(each.email != email for each in still_open) >= MOST_OPEN:
        raise InvalidInput({"email": [_("Too many invitations are open. Wait, or take some back.")]})
    found = Invitation(
        course_id=course.id,
        email=email,
        role=role,
        cohorts=sorted(cohorts) if role is CourseRole.FACILITATOR else [],
        locale=by.locale or language.locale(),
        invited_by_id=by.id,
        created_at=at,
        expires_at=at + timedelta(days=DAYS_TO_LIVE),
    )
    session.add(found)
    session.flush()
    notices.enqueue_invitation(session, found)
    return found


def revoke(session: Session, course: Course, key: str, at: datetime) -> None:
    """Take an invitation back; its mail says nothing any more.

    Raises:
        NotFound: It is not open (any more).
    """
    found = session.scalar(_open(course, at).where(Invitation.key == key))
    if found is None:
        raise NotFound
    session.delete(found)
    session.flush()


def accept(session: Session, invitation: Invitation, at: datetime) -> tuple[User, bool]:
    """Make whoever was invited an organiser; return them, and whether they are new to this site.

    Raises:
        InvalidLink: Somebody else was faster with the same link, or it has run out.
        Conflict: Their account is switched off.
    """
    spent = session.execute(
        update(Invitation)
        .where(Invitation.id == invitation.id, Invitation.accepted_at.is_(None), Invitation.expires_at > at)
        .values(accepted_at=at)
        .execution_options(synchronize_session=False)
    )
    if spent.rowcount != 1:  # type: ignore[attr-defined]
        raise InvalidLink
    user = session.scalar(select(User).where(User.email == invitation.email))
    is_new = user is None
    if user is None:
        user = User(email=invitation.email, locale=language.locale())
        session.add(user)
        session.flush()
    if not user.active:
        raise Conflict(_("This account is switched off. Ask whoever runs this site."))
    _lock(session, invitation.course)
    if session.get(CourseOrganiser, (invitation.course_id, user.id)) is None:
        session.add(CourseOrganiser(course_id=invitation.course_id, user_id=user.id, role=invitation.role))
        session.flush()
        _entrust(session, invitation.course, user.id, invitation.cohorts)
    audit.record(session, invitation.course, user, "joined", at, detail=invitation.role.value)
    session.flush()
    return user, is_new


def _open(course: Course, at: datetime) -> Select[Invitation]:
    return select(Invitation).where(
        Invitation.course_id == course.id, Invitation.accepted_at.is_(None), Invitation.expires_at > at
    )

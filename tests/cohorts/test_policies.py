"""Who may see and run which course."""

import pytest
from sqlalchemy.orm import Session

from cohorts import policies
from cohorts.exceptions import NotFound
from cohorts.models import CourseOrganiser, Role
from tests.factories import make_course, make_user


def test_course_for_own_course(session: Session) -> None:
    organiser = make_user(session)
    course = make_course(session, organiser)
    assert policies.course_for(session, organiser, course.slug) is course


def test_course_for_second_organiser(session: Session) -> None:
    first, second = make_user(session), make_user(session)
    course = make_course(session, first)
    session.add(CourseOrganiser(course_id=course.id, user_id=second.id))
    session.flush()
    assert policies.course_for(session, second, course.slug) is course


def test_course_for_foreign_and_unknown_course_look_the_same(session: Session) -> None:
    organiser = make_user(session)
    foreign = make_course(session, make_user(session))
    messages = []
    for slug in (foreign.slug, "there-is-none"):
        with pytest.raises(NotFound) as caught:
            policies.course_for(session, organiser, slug)
        messages.append(str(caught.value))
    assert messages[0] == messages[1]


def test_course_for_admin(session: Session) -> None:
    admin = make_user(session, role=Role.ADMIN)
    course = make_course(session, make_user(session))
    assert policies.course_for(session, admin, course.slug) is course


@pytest.mark.parametrize("role", list(Role))
def test_course_for_user_who_was_switched_off(session: Session, role: Role) -> None:
    user = make_user(session, role=role, active=False)
    course = make_course(session, user)
    with pytest.raises(NotFound):
        policies.course_for(session, user, course.slug)


def test_every_role_has_a_reach() -> None:
    assert set(policies.REACH) == set(Role)

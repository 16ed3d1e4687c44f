"""The network of a course, read from the database."""

from __future__ import annotations

import itertools
from datetime import date, timedelta

import pytest
from sqlalchemy.orm import Session

from cohorts import network, person_blocks
from cohorts.graph import SILENT_AFTER
from cohorts.models import (
    Attendance,
    CheckIn,
    Cohort,
    Connection,
    Course,
    CourseState,
    Membership,
    Signup,
    Source,
    now,
)
from tests.factories import make_cohort, make_course, make_signup

AT = now()
LONG_AGO = AT - timedelta(weeks=8)


@pytest.fixture
def course(session: Session) -> Course:
    start = date.today() - timedelta(weeks=8)
    return make_course(session, start=start, weeks=12, state=CourseState.RUNNING)


def cohort(session: Session, course: Course, size: int = 5) -> tuple[Cohort, list[Signup]]:
    members = [make_signup(session, course, created_at=LONG_AGO) for _ in range(size)]
    return make_cohort(session, *members, at=LONG_AGO), members


def talked(session: Session, one: Signup, two: Signup, weeks_ago: float = 0) -> None:
    at = AT - timedelta(weeks=weeks_ago)
    row = Connection(course_id=one.course_id, from_id=one.id, to_id=two.id, source=Source.TALKED_WITH, at=at)
    session.add(row)
    session.flush()


def test_network_tells_pairs_of_five_people_and_who_is_cut_off(session: Session, course: Course) -> None:
    (_a, ann), (b, bob), (_c, cid) = (cohort(session, course) for _ in range(3))
    for one, two in zip(ann, bob, strict=True):
        talked(session, one, two)
        talked(session, two, one)
    talked(session, bob[0], cid[0])
    for one, two in itertools.pairwise(ann):
        talked(session, one, two, 1)
    found = network.of_course(session, course, AT)
    assert [(each.within, each.outward, each.reaches, each.cuts_off) for each in found.homes] == [
        (4, 5, 1, 0),
        (0, 6, 2, 1),
        (0, None, 1, 0),
    ]
    assert found.bridges == [found.homes[1]]
    assert found.bridges[0].id == b.id
    assert found.lines == [(0, 1, 10), (1, 2, None)]
    assert (found.n_ties, found.bridging, found.alone) == (10, 11, None)
    assert found.share == 0.6


def test_only_those_who_allow_it_are_named_at_the_edge(session: Session, course: Course) -> None:
    _cohort, members = cohort(session, course, 7)
    talked(session, members[0], members[1])
    members[2].findable = members[0].findable = True
    session.flush()
    found = network.of_course(session, course, AT)
    assert (found.alone, [each.id for each in found.alone_named]) == (5, [members[2].id])


def test_blocks_faded_signs_and_whoever_left_join_nobody(session: Session, course: Course) -> None:
    _cohort, members = cohort(session, course, 8)
    talked(session, members[0], members[1])
    talked(session, members[2], members[3], 7.9)
    course.half_life_days = 7
    person_blocks.block(session, members[1], key=members[0].key, at=AT)
    stay = session.query(Membership).filter_by(signup_id=members[4].id).one()
    stay.until = AT
    session.flush()
    found = network.of_course(session, course, AT)
    assert (found.n_ties, found.alone, found.n_members) == (0, 7, 7)


def test_cohorts_are_silent_until_somebody_shows(session: Session, course: Course) -> None:
    (a, ann), (_b, bob), (c, cid) = (cohort(session, course) for _ in range(3))
    found = network.of_course(session, course, AT)
    assert [each.last_sign for each in found.silent] == [None, None, None]
    late, soon = AT - SILENT_AFTER, AT - SILENT_AFTER + timedelta(hours=1)
    session.add(CheckIn(signup_id=ann[0].id, week=2, updated_at=late))
    session.add(Attendance(cohort_id=c.id, signup_id=cid[0].id, starts_at=soon, was_there=False))
    talked(session, bob[0], bob[1], 1)
    found = network.of_course(session, course, AT)
    assert [each.id for each in found.silent] == [c.id, a.id]
    assert found.silent[1].last_sign == late
    session.add(CheckIn(signup_id=ann[0].id, week=3, updated_at=soon))
    session.add(Attendance(cohort_id=c.id, signup_id=cid[1].id, starts_at=soon, was_there=True))
    session.flush()
    assert network.of_course(session, course, AT).silent == []
    course.state = CourseState.FINISHED
    assert network.of_course(session, course, AT + timedelta(weeks=9)).silent == []


def test_what_somebody_did_before_they_came_is_no_sign_of_their_cohort(
    session: Session, course: Course
) -> None:
    _cohort, members = cohort(session, course)
    newcomer = make_signup(session, course, created_at=LONG_AGO)
    elsewhere = make_signup(session, course, created_at=LONG_AGO)
    session.add(CheckIn(signup_id=newcomer.id, week=7, updated_at=AT - timedelta(days=2)))
    talked(session, newcomer, elsewhere, 0.5)
    stay = Membership(signup_id=newcomer.id, cohort_id=_cohort.id, since=AT - timedelta(days=1))
    session.add(stay)
    session.flush()
    (home,) = network.of_course(session, course, AT).homes
    assert (home.n_members, home.last_sign, home.is_silent) == (len(members) + 1, None, True)

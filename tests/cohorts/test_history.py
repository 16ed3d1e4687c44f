"""The history of memberships: told in order, never overlapping, and what it says of who does not go on."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from cohorts import door, history, memberships, runs
from cohorts.database import Database
from cohorts.models import Cohort, Course, CourseState, Membership, Run, Signup
from tests.factories import make_cohort, make_course, make_signup

NOW = datetime(2027, 1, 13, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def two_cohorts(session: Session, course: Course) -> tuple[Signup, Cohort, Cohort]:
    me = make_signup(session, course, name="Me")
    return (
        me,
        make_cohort(session, me, make_signup(session, course), at=NOW),
        make_cohort(session, make_signup(session, course), at=NOW),
    )


def test_who_was_where_and_why_it_ended(session: Session) -> None:
    me, first, second = two_cohorts(session, make_course(session))
    memberships.move(session, {me: second}, memberships.MOVED, NOW + DAY)
    memberships.move(session, {me: None}, memberships.SILENT, NOW + 2 * DAY)
    told = [
        (each.cohort.name, each.since, each.until, str(history.WHY[each.ended_because]))
        for each in history.of_signup(session, me)
    ]
    assert told == [
        (first.name, NOW, NOW + DAY, "They moved to another cohort"),
        (second.name, NOW + DAY, NOW + 2 * DAY, "No sign of life; the seat was released"),
    ]
    assert history.overlaps(session) == []


def test_clocks_that_differ_by_an_hour_make_no_overlap(session: Session) -> None:
    me, first, second = two_cohorts(session, make_course(session))
    memberships.move(session, {me: second}, memberships.MOVED, NOW + DAY)
    memberships.move(session, {me: first}, memberships.MOVED, NOW + DAY - timedelta(hours=1))
    assert history.overlaps(session) == []
    assert [(each.since, each.until) for each in history.of_signup(session, me)] == [
        (NOW, NOW + DAY),
        (NOW + DAY, NOW + DAY),
        (NOW + DAY, None),
    ]


@pytest.mark.parametrize("stay", [(-DAY, DAY), (DAY, 3 * DAY), (DAY / 2, DAY), (-DAY, None)])
def test_an_overlap_is_found_and_postgresql_refuses_it(
    database: Database, session: Session, stay: tuple[timedelta, timedelta | None]
) -> None:
    me, _first, second = two_cohorts(session, make_course(session))
    memberships.move(session, {me: None}, memberships.LEFT, NOW + 2 * DAY)
    since, until = NOW + stay[0], None if stay[1] is None else NOW + stay[1]
    session.add(Membership(signup_id=me.id, cohort_id=second.id, since=since, until=until))
    if not database.is_sqlite:
        with pytest.raises(IntegrityError, match="history"):
            session.flush()
        return
    session.flush()
    ((one, other),) = history.overlaps(session)
    assert {one.cohort_id, other.cohort_id} >= {second.id}


def test_the_share_that_does_not_go_on_sizes_the_next_match(session: Session) -> None:
    course = make_course(session, state=CourseState.RUNNING, size_max=30)
    people = [make_signup(session, course) for _ in range(25)]
    cohort = make_cohort(session, *people[:19], at=NOW)
    memberships.move(session, {people[0]: None}, memberships.LEFT, NOW)
    assert history.dropout(session, course) is None  # too few to tell
    other = make_cohort(session, *people[19:], at=NOW)
    memberships.move(session, {people[1]: None}, memberships.SILENT, NOW)
    memberships.move(session, {people[2]: None}, memberships.LEFT, NOW)
    memberships.move(session, {people[2]: cohort}, memberships.MOVED, NOW + DAY)  # came back
    memberships.move(session, {people[3]: other}, memberships.MOVED, NOW + DAY)
    assert history.dropout(session, course) == 2 / 25
    run = runs.request(session, course, None)
    assert door.MatchSettings.from_json(run.parameters).dropout == 2 / 25
    assert isinstance(run, Run)


def test_nobody_expects_more_than_half_to_go(session: Session) -> None:
    course = make_course(session, state=CourseState.RUNNING)
    people = [make_signup(session, course) for _ in range(20)]
    make_cohort(session, *people, at=NOW)
    memberships.move(session, dict.fromkeys(people), memberships.LEFT, NOW)
    assert history.dropout(session, course) == 1.0
    assert history.expected_dropout(session, course) == 0.5


def test_the_matcher_is_told_of_it(session: Session) -> None:
    from cohorts.answers import answers_of

    me = make_signup(session, make_course(session))
    (learner,) = door.to_pool([("a", answers_of(me))], dropout=0.25).learners
    assert learner.dropout == 0.25

"""What learners do as a whole: middle values, and nothing about fewer than five."""

from datetime import date, timedelta

from sqlalchemy.orm import Session

from cohorts import runs, trends
from cohorts.database import Database
from cohorts.models import Departure, RunState, Seat, Signup, SignupState, now
from tests.factories import make_cohort, make_course, make_signup, make_user


def test_of_course_with_fewer_than_five_tells_nothing(session: Session) -> None:
    course = make_course(session)
    members = [make_signup(session, course, ("Jazz",)) for _ in range(4)]
    make_cohort(session, *members).memberships[0].until = now()
    session.add(Departure(course_id=course.id, whole_course=True, at=now()))
    make_signup(session, course, state=SignupState.WITHDRAWN)
    session.flush()
    found = trends.of_course(session, course)
    assert found.hours_middle is found.interests_middle is found.confirmed_after is found.stayed is None
    assert found.withdrawn is None
    assert {count for *_, count in found.hours_offered} == {None}
    assert [count for _, count in found.left_by_week] == [None]


def test_of_course_with_five(session: Session) -> None:
    course = make_course(session, start=date(2026, 9, 7))
    at = now()
    for number in range(5):
        made = {"created_at": at - timedelta(hours=number + 1), "confirmed_at": at}
        signup = make_signup(session, course, ("Jazz", "Dub")[: 1 + number % 2], **made)
        cohort = make_cohort(session, signup, at=at - timedelta(days=20))
        cohort.memberships[0].until = at - timedelta(days=number)
        left = Departure(course_id=course.id, whole_course=False, at=at.replace(year=2026, month=9, day=15))
        session.add(left)
        make_signup(session, course, state=SignupState.WITHDRAWN)
    session.flush()
    found = trends.of_course(session, course)
    assert (found.hours_middle, found.interests_middle) == (3.0, 1)
    assert found.confirmed_after == timedelta(hours=3)
    assert found.stayed == timedelta(days=18)
    assert found.left_by_week == [(2, 5)]
    assert found.withdrawn == 5
    assert found.hours_offered[0] == (0, 5, 5)


def test_rehearsal_leaves_counts_and_no_proposal(database: Database) -> None:
    with database.transaction() as session:
        user = make_user(session)
        course = make_course(session, user, size_min=3, target_size=3, size_max=3)
        for _ in range(3):
            make_signup(session, course)
        for hour in range(6):  # their hours meet nobody's
            make_signup(session, course, availability=frozenset(range(96 + 6 * hour, 99 + 6 * hour)))
        run = runs.rehearse(session, course, user)
        assert runs.for_course(session, course) == []
    runs.execute(database, run.id, "worker")
    with database.reading() as session:
        found = runs.latest_rehearsal(session, course)
        assert found is not None
        assert (found.state, found.n_learners, found.n_placed) == (RunState.PROPOSED, 9, 3), found.reason
        assert sum(count for _, count in found.tally) == 6
        assert all(count >= 5 for reason, count in found.tally if reason)
        assert session.query(Seat).count() == 0
        names = {signup.name for signup in session.query(Signup)}
        assert not any(name in str(found.tally) for name in names)

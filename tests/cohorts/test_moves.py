"""Open seats and moves: who may sit where, one press, and one winner of the last seat."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from cohorts import meetings, moves, person_blocks, seats, signups
from cohorts.database import Database
from cohorts.exceptions import Conflict
from cohorts.meetings import Meeting
from cohorts.models import (
    Course,
    CourseState,
    Departure,
    Leaving,
    Mail,
    Membership,
    Signup,
    SignupState,
)
from cohorts.seats import OpenSeat
from cohorts.standing import members_of, standing_of
from cohorts.week import SLOTS
from tests.factories import make_cohort, make_course, make_signup

NOW = datetime(2027, 1, 13, 12, tzinfo=UTC)
ALWAYS = frozenset(range(SLOTS))
EVENS = frozenset(range(0, SLOTS, 2))


@pytest.fixture
def course(session: Session) -> Course:
    return make_course(
        session,
        start=date(2027, 1, 11),
        weeks=8,
        state=CourseState.RUNNING,
        size_min=2,
        target_size=3,
        size_max=4,
    )


@pytest.fixture
def me(session: Session, course: Course) -> Signup:
    mine = make_signup(session, course, ("Chess", "Go"), name="Me", languages=["English", "Thai"])
    make_cohort(
        session, mine, make_signup(session, course, name="Old"), name="Mine", at=NOW - timedelta(days=9)
    )
    return mine


def offered(session: Session, me: Signup) -> list[str]:
    return [seat.cohort.name for seat in seats.open_seats(session, me, NOW)]


def mails(session: Session, kind: str) -> set[str]:
    found = session.scalars(select(Mail).where(Mail.kind == kind))
    return {each.signup.name for each in found if each.signup is not None}


def test_seat_that_fits_is_offered_with_what_it_shares(session: Session, course: Course, me: Signup) -> None:
    first = make_signup(session, course, ("chess", "Opera"))
    make_cohort(session, first, make_signup(session, course, ("CHESS",)), name="Open")
    [seat] = seats.open_seats(session, me, NOW)
    assert (seat.cohort.name, seat.n_members, seat.free, seat.shared) == ("Open", 2, 2, ("Chess",))
    assert (seat.meeting, seat.fits, seat.n_known, seat.was_mine) == (
        Meeting("Europe/Berlin", 38),
        True,
        0,
        False,
    )


def test_interests_that_members_keep_to_themselves_are_not_told(
    session: Session, course: Course, me: Signup
) -> None:
    hiding = make_signup(session, course, ("chess",), shown=["goal"])
    make_cohort(session, hiding, make_signup(session, course, ("Opera",)), name="Open")
    [seat] = seats.open_seats(session, me, NOW)
    assert seat.shared == ()
    hiding.shown = ["interests"]
    [seat] = seats.open_seats(session, me, NOW)
    assert seat.shared == ("Chess",)


@pytest.mark.parametrize(
    ("why", "members", "given"),
    [
        ("full", 4, {}),
        ("empty", 0, {}),
        ("ended", 2, {"ended_at": NOW}),
        ("other hours", 2, {"meetings": [["UTC", 100]]}),
    ],
)
def test_seat_that_does_not_fit_is_not_offered(
    session: Session, course: Course, me: Signup, why: str, members: int, given: dict[str, Any]
) -> None:
    make_cohort(session, *(make_signup(session, course) for _ in range(members)), course=course, **given)
    assert offered(session, me) == [], why


def test_seat_in_another_course_is_not_offered(session: Session, me: Signup) -> None:
    make_cohort(session, make_signup(session, make_course(session)))
    assert offered(session, me) == []


@pytest.mark.parametrize(
    ("languages", "fits"),
    [
        ([["Thai"], ["Thai", "Dutch"]], True),
        ([["Thai"], ["English"]], False),
        ([["Dutch"]], False),
        ([[], ["english"]], True),
        ([[]], True),
    ],
)
def test_seat_needs_one_language_that_all_share(
    session: Session, course: Course, me: Signup, languages: list[list[str]], fits: bool
) -> None:
    make_cohort(session, *(make_signup(session, course, languages=each) for each in languages), name="Open")
    assert offered(session, me) == (["Open"] if fits else [])


def test_cohort_without_a_meeting_fits_any_hours(session: Session, course: Course, me: Signup) -> None:
    make_cohort(session, make_signup(session, course), name="Letters", meetings=[])
    assert offered(session, me) == ["Letters"]


@pytest.mark.parametrize(
    "way", ["I blocked", "blocked me", "I avoid", "avoids me", "blocked by address elsewhere"]
)
def test_seat_beside_somebody_to_be_apart_from_is_not_offered(
    session: Session, course: Course, me: Signup, way: str
) -> None:
    other = make_signup(session, course)
    cohort = make_cohort(session, other, make_signup(session, course), name="Open")
    assert offered(session, me) == ["Open"]
    if way == "I blocked":
        person_blocks.block(session, me, email=other.email, at=NOW)
    elif way == "blocked me":
        person_blocks.block(session, other, email=me.email, at=NOW)
    elif way == "I avoid":
        me.avoids = [other.email]
    elif way == "avoids me":
        other.avoids = [me.email]
    else:
        before = make_signup(session, make_course(session), email=other.email)
        person_blocks.block(session, before, email=me.email, at=NOW)
    session.flush()
    assert offered(session, me) == []
    with pytest.raises(Conflict, match="taken in the meantime"):
        moves.take_seat(session, me, cohort.key, NOW)


def test_hours_hold_in_every_week_to_come_across_a_clock_change(session: Session) -> None:
    """Berlin's clocks go forward on 28 March 2027: 18:00 there is 17:00, then 16:00 in UTC."""
    course = make_course(session, start=date(2027, 3, 15), weeks=4, meeting_minutes=60)
    winter, summer = frozenset({34, 35}), frozenset({32, 33})
    meeting, before = Meeting("Europe/Berlin", 36), datetime(2027, 3, 1, tzinfo=UTC)
    after = datetime(2027, 3, 28, 12, tzinfo=UTC)
    for free, fits, fits_later in [
        (winter, False, False),
        (summer, False, True),
        (winter | summer, True, True),
    ]:
        learner = make_signup(session, course, availability=free)
        assert seats.is_free(learner, course, meeting, before) is fits
        assert seats.is_free(learner, course, meeting, after) is fits_later


@settings(max_examples=80, deadline=None)
@given(
    zone=st.sampled_from(
        ["UTC", "Asia/Kathmandu", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata"]
    ),
    anchor=st.sampled_from(["Europe/Berlin", "Pacific/Chatham", "UTC"]),
    slot=st.integers(0, SLOTS - 1),
    missing=st.integers(0, SLOTS - 1),
)
def test_free_means_every_half_hour_a_meeting_touches(
    zone: str, anchor: str, slot: int, missing: int
) -> None:
    course = Course(start=date(2027, 3, 15), weeks=6, meeting_minutes=90)
    learner = Signup(time_zone=zone, availability=EVENS - {missing}, if_needed=ALWAYS - EVENS - {missing})
    touched = set()
    for start in meetings.occurrences(course, Meeting(anchor, slot)):
        for minute in range(90):
            local = meetings.in_zone(start.astimezone(UTC) + timedelta(minutes=minute), zone)
            touched.add(local.weekday() * 48 + (local.hour * 60 + local.minute) // 30)
    free = seats.is_free(learner, course, Meeting(anchor, slot), datetime(2027, 1, 1, tzinfo=UTC))
    assert free is (missing not in touched)


def test_open_seats_need_as_many_queries_for_one_cohort_as_for_many(
    session: Session, course: Course, me: Signup, count_queries: list[str]
) -> None:
    counts = []
    for n_cohorts in (1, 12):
        for _ in range(n_cohorts):
            make_cohort(
                session, make_signup(session, course, ("Go",)), make_signup(session, course, ("Tea",))
            )
        session.flush()
        session.expire_all()
        learner = session.get_one(Signup, me.id)
        assert (learner.course.size_max, len(learner.interests)) == (4, 2)
        count_queries.clear()
        seats.open_seats(session, learner, NOW)
        counts.append(len(count_queries))
    assert counts[0] == counts[1] <= 8


def test_take_seat_closes_one_membership_opens_another_and_tells_both_cohorts(
    session: Session, course: Course, me: Signup
) -> None:
    cohort = make_cohort(session, make_signup(session, course, name="New"), name="Open")
    assert moves.take_seat(session, me, cohort.key, NOW) is cohort
    history = session.scalars(
        select(Membership).where(Membership.signup_id == me.id).order_by(Membership.id)
    ).all()
    assert [(each.until, each.ended_because) for each in history] == [(NOW, "moved"), (None, "")]
    assert history[1].since == NOW
    assert {each.name for each in members_of(cohort)} == {"Me", "New"}
    assert mails(session, "cohort_changed") == {"Old", "New"}
    assert mails(session, "placed") == {"Me"}


def test_seat_is_for_those_who_hold_a_place(session: Session, course: Course, me: Signup) -> None:
    cohort = make_cohort(session, make_signup(session, course))
    for change in ({"waiting": True}, {"state": SignupState.WITHDRAWN}):
        outside = make_signup(session, course, **change)
        with pytest.raises(Conflict, match="no place"):
            moves.take_seat(session, outside, cohort.key, NOW)


def press_together(database: Database, learners: list[int], key: str) -> list[bool]:
    together = threading.Barrier(len(learners), timeout=60)

    def press(learner: int) -> bool:
        together.wait()
        try:
            with database.transaction() as session:
                moves.take_seat(session, session.get_one(Signup, learner), key, NOW)
        except Conflict:
            return False
        return True

    with ThreadPoolExecutor(len(learners)) as pool:
        return list(pool.map(press, learners))


def last_seat(database: Database) -> tuple[list[int], str, int]:
    with database.transaction() as session:
        course = make_course(
            session, start=date(2027, 1, 11), state=CourseState.RUNNING, size_min=2, target_size=3, size_max=4
        )
        cohort = make_cohort(session, *(make_signup(session, course) for _ in range(3)))
        return [make_signup(session, course).id for _ in range(6)], cohort.key, cohort.id


def seated(database: Database, cohort: int) -> int:
    with database.reading() as session:
        open_ones = Membership.until.is_(None) & (Membership.cohort_id == cohort)
        return session.scalar(select(func.count(Membership.id)).where(open_ones)) or 0


def test_last_seat_goes_to_one_of_six_who_press_at_once(database: Database) -> None:
    learners, key, cohort = last_seat(database)
    assert sum(press_together(database, learners, key)) == 1
    assert seated(database, cohort) == 4


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_last_seat_goes_to_all_of_them_without_the_lock(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The positive control of the test above; SQLite has one writer at a time in any case."""
    learners, key, cohort = last_seat(database)
    looked = threading.Barrier(len(learners), timeout=60)

    def look_then_wait(session: Session, signup: Signup, at: datetime) -> list[OpenSeat]:
        found = seats.open_seats(session, signup, at)
        looked.wait()
        return found

    monkeypatch.setattr(signups, "lock", lambda session, course: None)
    monkeypatch.setattr(moves, "open_seats", look_then_wait)
    assert sum(press_together(database, learners, key)) == 6
    assert seated(database, cohort) == 9


def test_leave_cohort_keeps_the_place_in_the_course(session: Session, course: Course, me: Signup) -> None:
    moves.leave_cohort(session, me, Leaving.SILENT, " Nobody \r\nanswers. ", NOW)
    moves.leave_cohort(session, me, Leaving.PACE, "", NOW)
    assert standing_of(session, me).cohort is None
    assert me.state is SignupState.CONFIRMED
    [left] = session.scalars(select(Departure)).all()
    assert (left.because, left.words, left.whole_course) == (Leaving.SILENT, "Nobody \nanswers.", False)
    assert mails(session, "cohort_changed") == {"Old"}
    assert moves.was_in_cohort(session, me)


def test_leave_course_withdraws_with_its_reason_once(session: Session, course: Course, me: Signup) -> None:
    moves.leave_course(session, me, Leaving.LIFE, "", NOW)
    moves.leave_course(session, me, Leaving.PACE, "", NOW)
    assert me.state is SignupState.WITHDRAWN
    reasons = session.execute(select(Departure.because, Departure.whole_course)).all()
    assert [tuple(each) for each in reasons] == [(Leaving.LIFE, True)]
    ended = session.scalars(select(Membership.ended_because).where(Membership.signup_id == me.id)).all()
    assert ended == ["withdrew"]


def test_old_cohort_is_offered_first_even_if_the_hours_have_changed(
    session: Session, course: Course, me: Signup
) -> None:
    make_cohort(session, make_signup(session, course, ("Chess", "Go")), name="New", meetings=[["UTC", 100]])
    moves.leave_cohort(session, me, None, "", NOW)
    me.availability = frozenset(range(100, 104))
    found = seats.open_seats(session, me, NOW)
    assert [(each.cohort.name, each.was_mine, each.fits) for each in found] == [
        ("Mine", True, False),
        ("New", False, True),
    ]
    assert found[0].n_known == 1
    moves.take_seat(session, me, found[0].cohort.key, NOW)
    assert mails(session, "placed") == {"Me"}


def test_come_back_after_withdrawing_finds_the_old_people(
    session: Session, course: Course, me: Signup
) -> None:
    old = standing_of(session, me).cohort
    assert old is not None
    moves.leave_course(session, me, None, "", NOW)
    signups.come_back(session, me, NOW)
    assert seats.whereabouts(session, me) == [("Mine", 1)]
    assert me.waiting
    moves.take_seat(session, me, old.key, NOW)
    assert standing_of(session, me).cohort is old
    assert not me.waiting


def test_come_back_to_a_course_that_is_full_waits(session: Session, course: Course, me: Signup) -> None:
    old = standing_of(session, me).cohort
    assert old is not None
    moves.leave_course(session, me, None, "", NOW)
    course.capacity = 1
    signups.come_back(session, me, NOW)
    with pytest.raises(Conflict, match="no place"):
        moves.take_seat(session, me, old.key, NOW)


def test_whereabouts_count_those_known_and_nobody_else(session: Session, course: Course, me: Signup) -> None:
    old = session.scalars(select(Signup).where(Signup.name == "Old")).one()
    cohort = make_cohort(session, make_signup(session, course), name="New")
    moves.take_seat(session, old, cohort.key, NOW)
    late = make_signup(session, course)
    moves.take_seat(session, late, cohort.key, NOW)
    assert seats.whereabouts(session, me) == [("New", 1)]

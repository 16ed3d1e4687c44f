"""How many share a meeting time with a week."""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import delete, insert
from sqlalchemy.orm import Session

from cohorts import overlap as module
from cohorts.models import Course, Signup, SignupState, now
from cohorts.overlap import Overlap, is_long_enough, overlap
from tests.factories import MONDAY_EVENING, make_course, make_signup

ZONES = ("UTC", "Europe/Berlin", "Asia/Kathmandu", "America/St_Johns", "Pacific/Auckland", "Pacific/Honolulu")
NIGHT = frozenset(range(0, 6))


def sign_up_many(session: Session, course: Course, n: int, seed: int = 1) -> None:
    """Add many confirmed sign-ups in one statement."""
    random = Random(seed)

    def span() -> frozenset[int]:
        start = random.randrange(30, 330)
        return frozenset(start + k for k in range(6))

    rows = [
        {
            "course_id": course.id,
            "email": f"many{seed}-{each}@example.org",
            "name": "Many",
            "time_zone": random.choice(ZONES),
            "availability": (free := span()),
            "if_needed": span() - free,
            "state": SignupState.CONFIRMED,
        }
        for each in range(n)
    ]
    session.execute(insert(Signup), rows)


def test_confirmed_learners_are_counted_in_fives(session: Session) -> None:
    course = make_course(session)
    for _ in range(13):
        make_signup(session, course)
    for _ in range(4):
        make_signup(session, course, availability=NIGHT)
    make_signup(session, course, state=SignupState.PENDING)
    make_signup(session, course, state=SignupState.WITHDRAWN)
    assert overlap(session, course, "UTC", MONDAY_EVENING) == Overlap(10, 15)
    assert overlap(session, course, "UTC", NIGHT) == Overlap(None, 15)


def test_fewer_than_five_are_no_number(session: Session) -> None:
    course = make_course(session)
    for _ in range(4):
        make_signup(session, course)
    assert overlap(session, course, "UTC", MONDAY_EVENING) == Overlap(None, None)


def test_nobody_is_added_to_a_count_alone(session: Session) -> None:
    """The same question before and after one sign-up has the same answer; a fifth one changes it."""
    course = make_course(session)
    for _ in range(10):
        make_signup(session, course)
    for _ in range(4):
        make_signup(session, course, availability=MONDAY_EVENING | NIGHT)
        assert overlap(session, course, "UTC", MONDAY_EVENING) == Overlap(10, 10)
        assert overlap(session, course, "UTC", NIGHT) == Overlap(None, 10)
    make_signup(session, course, availability=MONDAY_EVENING | NIGHT)
    assert overlap(session, course, "UTC", NIGHT) == Overlap(5, 15)


def test_ones_own_sign_up_does_not_count(session: Session) -> None:
    course = make_course(session)
    signups = [make_signup(session, course) for _ in range(10)]
    assert overlap(session, course, "UTC", MONDAY_EVENING) == Overlap(10, 10)
    assert overlap(session, course, "UTC", MONDAY_EVENING, without=signups[0].id) == Overlap(5, 5)


def test_half_a_meeting_in_common_is_no_meeting(session: Session) -> None:
    course = make_course(session, meeting_minutes=90)
    for _ in range(5):
        make_signup(session, course, availability=frozenset(range(36, 40)))
    assert overlap(session, course, "UTC", frozenset(range(37, 42))) == Overlap(5, 5)
    assert overlap(session, course, "UTC", frozenset(range(38, 42))) == Overlap(None, 5)
    assert not is_long_enough(frozenset({1, 2}), 90)
    assert is_long_enough(frozenset({334, 335, 0}), 90)


def test_hours_that_would_do_if_needed_count_too(session: Session) -> None:
    course = make_course(session)
    for _ in range(5):
        make_signup(session, course, availability=frozenset({36}), if_needed=frozenset({37, 38}))
    assert overlap(session, course, "UTC", MONDAY_EVENING) == Overlap(5, 5)


def test_change_and_erasure_are_seen_at_once(session: Session) -> None:
    course = make_course(session)
    signups = [make_signup(session, course) for _ in range(10)]
    assert overlap(session, course, "UTC", MONDAY_EVENING) == Overlap(10, 10)
    for signup in signups[:5]:
        signup.availability = NIGHT
    session.flush()
    assert overlap(session, course, "UTC", MONDAY_EVENING) == Overlap(5, 10)
    session.execute(delete(Signup).where(Signup.id == signups[9].id))
    assert overlap(session, course, "UTC", MONDAY_EVENING) == Overlap(None, 5)


def meets(course: Course, one: tuple[str, frozenset[int]], other: tuple[str, frozenset[int]]) -> bool:
    """Tell quarter by quarter of the first week whether a meeting fits into the hours of both."""
    monday = datetime(2027, 1, 11, tzinfo=ZoneInfo("UTC"))

    def is_free(zone: str, slots: frozenset[int], quarter: int) -> bool:
        local = (monday + quarter % 672 * timedelta(minutes=15)).astimezone(ZoneInfo(zone))
        return local.weekday() * 48 + local.hour * 2 + local.minute // 30 in slots

    both = [is_free(*one, quarter) and is_free(*other, quarter) for quarter in range(672)]
    length = course.meeting_minutes // 15
    return any(all(both[(start + k) % 672] for k in range(length)) for start in range(672))


SPANS = st.builds(
    lambda start, length: frozenset((start + k) % 336 for k in range(length)),
    st.integers(0, 335),
    st.integers(1, 12),
)


@given(
    st.tuples(st.sampled_from(ZONES), SPANS),
    st.tuples(st.sampled_from(ZONES), SPANS),
    st.sampled_from([30, 45, 90, 120]),
)
def test_starts_agree_with_the_clocks(
    one: tuple[str, frozenset[int]], other: tuple[str, frozenset[int]], minutes: int
) -> None:
    course = Course(start=datetime(2027, 1, 11).date(), meeting_minutes=minutes)
    starts = [
        module._starts(module._bits(slots), zone, course.start, minutes) for zone, slots in (one, other)
    ]
    assert (starts[0] & starts[1] != 0) == meets(course, one, other)


def test_five_thousand_are_counted_within_a_tenth_of_a_second(session: Session) -> None:
    course = make_course(session)
    sign_up_many(session, course, 5000)

    def seconds() -> float:
        began = time.perf_counter()
        found = overlap(session, course, "Europe/Berlin", MONDAY_EVENING)
        assert found.shared is not None
        return time.perf_counter() - began

    seconds()
    assert min(seconds() for _ in range(5)) < 0.1
    after_another = []
    for _ in range(3):
        make_signup(session, course, updated_at=now())
        after_another.append(seconds())
    assert min(after_another) < 0.1, after_another


@pytest.mark.parametrize("minutes", [30, 480])
def test_meetings_of_any_length_are_counted(session: Session, minutes: int) -> None:
    course = make_course(session, meeting_minutes=minutes)
    for _ in range(5):
        make_signup(session, course, availability=frozenset(range(16, 16 + minutes // 30)))
    assert overlap(session, course, "UTC", frozenset(range(0, 100))) == Overlap(5, 5)
    assert overlap(session, course, "UTC", frozenset(range(17, 100))) == Overlap(None, 5)

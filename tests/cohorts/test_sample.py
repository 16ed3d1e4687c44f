"""Sample sign-ups and the sample course."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from cohorts import native, sample
from cohorts.models import CourseState, Signup, SignupState
from cohorts.policies import course_for
from tests.factories import make_user


def test_sample_is_the_same_for_the_same_seed() -> None:
    assert native.write(sample.people(200, 7)) == native.write(sample.people(200, 7))


def test_sample_differs_for_another_seed() -> None:
    assert sample.people(200, 7) != sample.people(200, 8)


def test_sample_addresses_are_all_different() -> None:
    made = sample.people(2000, 1)
    assert len({each.email for each in made}) == 2000


def test_sample_wishes_are_mutual_and_nobody_avoids_whom_they_want() -> None:
    made = {each.email: each for each in sample.people(2000, 1)}
    wishing = [each for each in made.values() if each.works_with]
    assert [made[other].works_with for each in wishing for other in each.works_with] == [
        (each.email,) for each in wishing for _ in each.works_with
    ]
    avoiding = [each for each in made.values() if each.avoids]
    assert (bool(wishing), bool(avoiding)) == (True, True)
    assert [each for each in avoiding if set(each.avoids) & set(each.works_with)] == []


def test_sample_has_rare_zones_and_odd_offsets() -> None:
    zones = {each.time_zone for each in sample.people(2000, 1)}
    assert {"Asia/Kolkata", "Asia/Kathmandu", "America/St_Johns", "Africa/Lagos"} <= zones


def test_sample_course_is_open_with_confirmed_sign_ups(session: Session) -> None:
    user = make_user(session)
    course = sample.course(session, user, n=30)
    assert course_for(session, user, course.slug) is course
    assert (course.state, course.title) == (CourseState.OPEN, "Play with your music (sample)")
    confirmed = (Signup.course_id == course.id) & (Signup.state == SignupState.CONFIRMED)
    assert session.scalar(select(func.count(Signup.id)).where(confirmed, Signup.waiting.is_(False))) == 30
    assert sum(interest.listed for interest in course.interests) > 20

"""Whether somebody is old enough: by the country of their zone, without a birth date, and not in files."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from babel.core import get_global
from sqlalchemy import select
from sqlalchemy.orm import Session

from cohorts import imports, privacy, signups
from cohorts.answers import Answers, time_zones
from cohorts.exceptions import InvalidInput
from cohorts.models import Course, Signup
from cohorts.old_enough import AGES, ELSEWHERE, age_in, age_to_ask
from tests.factories import make_course

NOW = datetime(2027, 1, 4, 12, tzinfo=UTC)
ADA = Answers(
    name="Ada", email="ada@example.org", time_zone="Europe/London", availability=frozenset({36, 37})
)


@pytest.fixture
def course(session: Session) -> Course:
    return make_course(session, asks_age=True)


def only_signup(session: Session) -> Signup:
    return session.scalars(select(Signup)).one()


@pytest.mark.parametrize(
    ("zone", "age"),
    [
        ("Europe/Berlin", 16),
        ("Europe/Warsaw", 16),
        ("Europe/Paris", 15),
        ("America/Martinique", 15),
        ("Europe/Copenhagen", 15),
        ("Europe/Ljubljana", 15),
        ("Europe/Oslo", 13),
        ("Asia/Kolkata", 18),
        ("Africa/Johannesburg", 18),
        ("Atlantic/Canary", 14),
        ("Asia/Seoul", 14),
        ("Asia/Shanghai", 14),
        ("Europe/London", 13),
        ("America/Chicago", 13),
        ("America/Indianapolis", 13),  # an older name of a zone, as some browsers have it
        ("Asia/Hong_Kong", ELSEWHERE),
        ("America/Sao_Paulo", ELSEWHERE),
        ("UTC", ELSEWHERE),
        ("", ELSEWHERE),
        ("Nowhere/Land", ELSEWHERE),
    ],
)
def test_age_follows_the_country_of_the_zone(zone: str, age: int) -> None:
    assert age_in(zone) == age


def test_every_zone_has_an_age_and_every_country_of_the_table_a_zone() -> None:
    assert {age_in(zone) for zone in time_zones()} == {13, 14, 15, 16, 18}
    assert set(AGES) <= set(get_global("zone_territories").values())


@pytest.mark.parametrize(("said", "asked"), [(None, 16), (13, 16), (16, None)])
def test_more_years_say_it_of_fewer(course: Course, said: int | None, asked: int | None) -> None:
    assert age_to_ask(course, "Europe/Berlin", said) == asked
    course.asks_age = False
    assert age_to_ask(course, "Europe/Berlin", said) is None


def test_nobody_signs_up_without_saying_so(session: Session, course: Course) -> None:
    for answers, of_age in ((ADA, None), (replace(ADA, time_zone="Europe/Berlin"), 15)):
        with pytest.raises(InvalidInput) as refused:
            signups.sign_up(session, course, answers, NOW, of_age=of_age)
        assert list(refused.value.errors) == ["old_enough"]
    assert session.scalars(select(Signup)).all() == []


def test_the_age_and_the_moment_are_kept_and_theirs_to_see(session: Session, course: Course) -> None:
    signups.sign_up(session, course, ADA, NOW, of_age=13)
    signup = only_signup(session)
    assert (signup.of_age, signup.of_age_at) == (13, NOW)
    [held] = privacy.export(session, signup)["signups"]
    assert (held["of_age"], held["of_age_at"]) == (13, "2027-01-04T12:00:00+00:00")
    privacy.erase(session, signup, NOW)
    assert session.scalars(select(Signup)).all() == []


def test_a_course_that_does_not_ask_keeps_nothing(session: Session) -> None:
    signups.sign_up(session, make_course(session), ADA, NOW, of_age=16)
    assert (only_signup(session).of_age, only_signup(session).of_age_at) == (None, None)


def test_moving_to_where_it_takes_more_years_asks_again(session: Session, course: Course) -> None:
    signups.sign_up(session, course, ADA, NOW, of_age=13)
    signup, later = only_signup(session), NOW + timedelta(days=1)
    there = replace(ADA, time_zone="Europe/Vienna")
    with pytest.raises(InvalidInput):
        signups.edit(session, signup, there, at=later)
    signups.edit(session, signup, there, of_age=14, at=later)
    assert (signup.of_age, signup.of_age_at) == (14, later)
    signups.edit(session, signup, ADA, at=later + timedelta(days=1))
    assert (signup.of_age, signup.of_age_at) == (14, later)


def test_whom_an_organiser_brings_in_is_not_asked(session: Session, course: Course) -> None:
    rows = b"name,email,time_zone,availability\nAda,ada@example.org,Europe/London,Mon 18:00-20:00\n"
    plan = imports.dry_run(session, course, rows, "a.csv")
    imports.apply(session, course, plan, leave_out_refused=False, at=NOW)
    signup = only_signup(session)
    signups.edit(session, signup, replace(ADA, time_zone="Europe/Berlin"), at=NOW)
    assert (signup.of_age, signup.time_zone) == (None, "Europe/Berlin")

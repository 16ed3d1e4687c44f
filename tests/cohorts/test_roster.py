"""Rosters of published cohorts, as rows."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy.orm import Session

from cohorts import choosing, roster
from cohorts.meetings import Meeting
from cohorts.models import Cohort, Course, Membership, Run, RunState, Seat, SignupState, now
from tests.factories import make_cohort, make_course, make_signup

FRIDAY_EVENING = ["Europe/Berlin", 4 * 48 + 36]


def publish(
    session: Session, course: Course, *cohorts: list[str], state: RunState = RunState.PUBLISHED
) -> Run:
    """Publish a run with a cohort for each list of time zones, and one unplaced learner."""
    run = Run(course=course, state=state, published_at=now() if state is RunState.PUBLISHED else None)
    session.add(run)
    for position, zones in enumerate(cohorts, start=1):
        cohort = Cohort(
            run=run, position=position, name=f"Cohort {position}", score=0.5, meetings=[FRIDAY_EVENING]
        )
        session.add(cohort)
        for zone in zones:
            signup = make_signup(session, course, ("Jazz",), time_zone=zone, avoids=["secret@example.org"])
            session.add(Seat(run=run, signup=signup, cohort=cohort))
            session.add(Membership(signup=signup, cohort=cohort))
    unplaced = make_signup(session, course, name="Lonely")
    session.add(Seat(run=run, signup=unplaced, reason="Nobody else is free then."))
    session.flush()
    return run


def test_roster_before_anything_is_published_is_empty(session: Session) -> None:
    course = make_course(session)
    publish(session, course, ["UTC", "UTC"], state=RunState.PROPOSED)
    assert list(roster.stream(session, course)) == []


def test_roster_shows_meetings_in_each_learners_own_zone(session: Session) -> None:
    course = make_course(session)
    publish(session, course, ["Asia/Tokyo", "Europe/London"])
    found = list(roster.stream(session, course))
    assert {row.time_zone: row.meeting for row in found if row.cohort} == {
        "Asia/Tokyo": "Saturday 02:00–03:30",
        "Europe/London": "Friday 17:00–18:30",
    }
    assert {row.cohort for row in found} == {"Cohort 1", ""}
    assert found[0].interests == ("Jazz",)


def test_roster_shows_the_time_that_was_fixed(session: Session) -> None:
    course = make_course(session)
    (cohort,) = publish(session, course, ["Asia/Tokyo", "Europe/London"]).cohorts
    cohort.meetings = [FRIDAY_EVENING, ["Europe/Berlin", 36]]
    choosing.fix(session, cohort, Meeting("Europe/Berlin", 36), now(), seen=0)
    assert {row.time_zone: row.meeting for row in roster.stream(session, course) if row.cohort} == {
        "Asia/Tokyo": "Tuesday 02:00–03:30",
        "Europe/London": "Monday 17:00–18:30",
    }


def test_roster_ends_with_the_unplaced_and_why(session: Session) -> None:
    course = make_course(session)
    publish(session, course, ["UTC", "UTC"])
    make_signup(session, course, name="Newcomer")
    make_signup(session, course, name="Waiter", waiting=True)
    make_signup(session, course, name="Leaver", state=SignupState.WITHDRAWN)
    make_signup(session, course, name="Unsure", state=SignupState.PENDING)
    found = [(row.name, row.cohort, row.reason) for row in roster.stream(session, course)][2:]
    assert found == [
        ("Lonely", "", "Nobody else is free then."),
        ("Newcomer", "", roster.NOT_MATCHED_YET),
    ]


def test_roster_is_in_the_order_of_cohorts_then_names(session: Session) -> None:
    course = make_course(session)
    publish(session, course, *[["UTC", "UTC"]] * 11)
    found = [row for row in roster.stream(session, course) if row.cohort]
    assert list(dict.fromkeys(row.cohort for row in found)) == [f"Cohort {n}" for n in range(1, 12)]
    assert all(
        one.name.casefold() <= other.name.casefold()
        for one, other in zip(found[::2], found[1::2], strict=True)
    )


def test_roster_leaves_out_who_has_left_their_cohort(session: Session) -> None:
    course = make_course(session)
    run = publish(session, course, ["UTC", "UTC", "UTC"])
    left = run.cohorts[0].memberships[0]
    left.until = now()
    left.signup.state = SignupState.WITHDRAWN
    session.flush()
    emails = [row.email for row in roster.stream(session, course)]
    assert len(emails) == 3
    assert left.signup.email not in emails


def test_roster_shows_the_run_published_last(session: Session) -> None:
    course = make_course(session)
    first = publish(session, course, ["UTC", "UTC"])
    first.published_at = now() - timedelta(days=1)
    for cohort in first.cohorts:
        cohort.ended_at = now()
        for membership in cohort.memberships:
            membership.until = now()
    second = publish(session, course, ["Asia/Tokyo", "Asia/Tokyo"])
    placed = [row for row in roster.stream(session, course) if row.cohort]
    assert [row.time_zone for row in placed] == ["Asia/Tokyo"] * 2
    assert roster.cohorts(session, course) == second.cohorts


def test_roster_of_another_course_stays_apart(session: Session) -> None:
    course, other = make_course(session), make_course(session)
    publish(session, course, ["UTC", "UTC"])
    publish(session, other, ["Asia/Tokyo", "Asia/Tokyo"])
    assert {row.time_zone for row in roster.stream(session, course)} == {"UTC"}


def test_number_of_queries_does_not_grow_with_the_learners(
    session: Session, count_queries: list[str]
) -> None:
    counts = []
    for n in (1, 30):
        course = make_course(session)
        publish(session, course, *[["UTC", "Asia/Tokyo"]] * n)
        session.commit()
        session.expunge_all()
        course = session.get_one(Course, course.id)
        count_queries.clear()
        assert len(list(roster.stream(session, course))) == 2 * n + 1
        counts.append(len(count_queries))
    assert counts[0] == counts[1]


def test_find_gives_a_page_of_those_who_fit(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    course = make_course(session)
    people = [make_signup(session, course, name=f"Émile {number:02}") for number in range(8)]
    make_cohort(session, *people[:4], name="Owls")
    make_cohort(session, *people[4:7], name="Larks")
    people[7].time_zone = "Asia/Tokyo"
    session.commit()
    monkeypatch.setattr(roster, "PAGE", 3)

    def found(**asked: Any) -> tuple[list[str], int, int]:
        page = roster.find(session, course, None, **asked)
        return [row.name.removeprefix("Émile ") for row in page.rows], page.number, page.pages

    assert found() == (["00", "01", "02"], 1, 3)
    assert found(number=3) == (["06", "07"], 3, 3)
    assert found(number=99) == found(number=3)
    assert found(text="oWL", number=2) == (["03"], 2, 2)
    assert found(text="ÉMILE 07") == found(text="tokyo") == (["07"], 1, 1)
    assert found(text="nobody") == ([], 1, 1)
    assert roster.find(session, course, Cohort.name == "Larks", text="émile").pages == 1
    whole = [row for number in (1, 2, 3) for row in roster.find(session, course, None, number=number).rows]
    assert whole == list(roster.stream(session, course))

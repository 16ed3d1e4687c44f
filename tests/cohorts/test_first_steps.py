"""The one thing that a member of a cohort is asked to do next."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy.orm import Session

from cohorts import attendance, choosing, first_steps, schedule
from cohorts.first_steps import Step
from cohorts.meetings import Meeting
from cohorts.models import Answer, Cohort, Signup
from tests.factories import make_cohort, make_course, make_signup

FIRST = datetime(2027, 1, 11, 18, tzinfo=UTC)
BEFORE = FIRST - timedelta(days=3)
MONDAY = Meeting("Europe/Berlin", 38)


@pytest.fixture
def pair(session: Session) -> list[Signup]:
    """Ada offered to get it going, Ben did not."""
    course = make_course(session)
    return [make_signup(session, course, name=name, convenor=name == "Ada") for name in ("Ada", "Ben")]


@pytest.fixture
def cohort(session: Session, pair: list[Signup]) -> Cohort:
    return make_cohort(session, *pair)


def steps(session: Session, cohort: Cohort, pair: list[Signup], at: datetime = BEFORE) -> list[Step]:
    """Return what each of the two is asked."""
    course = cohort.run.course
    coming, latest = schedule.coming(course, cohort, at), schedule.latest(course, cohort, at)
    sheets = [attendance.sheet(session, cohort, each) if each else None for each in (coming, latest)]
    return [
        first_steps.next_step(
            cohort, each, choosing.votes_of(session, cohort, each), sheets[0], sheets[1], at
        )
        for each in pair
    ]


def test_steps_lead_from_the_vote_to_hello(session: Session, cohort: Cohort, pair: list[Signup]) -> None:
    ada, ben = pair
    assert steps(session, cohort, pair) == [Step.VOTE, Step.VOTE]
    for each in pair:
        choosing.vote(session, cohort, each, MONDAY, suits=True)
    assert steps(session, cohort, pair) == [Step.FIX, Step.WAIT]
    choosing.fix(session, cohort, MONDAY, BEFORE, seen=0, by=ada)
    assert steps(session, cohort, pair) == [Step.CHANNEL, Step.ANSWER]
    choosing.set_channel(session, cohort, "https://chat.example.org", by=ada)
    assert steps(session, cohort, pair) == [Step.ANSWER, Step.ANSWER]
    for each, said in ((ada, Answer.COMING), (ben, Answer.ABSENT)):
        attendance.answer(session, cohort, each, FIRST, said, BEFORE)
    assert steps(session, cohort, pair) == [Step.HELLO, Step.HELLO]


def test_steps_after_a_meeting_ask_who_was_there_until_somebody_says_it(
    session: Session, cohort: Cohort, pair: list[Signup]
) -> None:
    after = FIRST + timedelta(hours=2)
    choosing.fix(session, cohort, MONDAY, BEFORE, seen=0)
    choosing.set_channel(session, cohort, "https://chat.example.org")
    assert steps(session, cohort, pair, after) == [Step.TELL, Step.TELL]
    attendance.note(session, cohort, pair[0], FIRST, [], after)
    assert steps(session, cohort, pair, after) == [Step.ANSWER, Step.ANSWER]


def test_steps_with_one_common_time_need_no_vote(
    session: Session, cohort: Cohort, pair: list[Signup]
) -> None:
    cohort.meetings = [["Europe/Berlin", 38]]
    assert steps(session, cohort, pair) == [Step.FIX, Step.WAIT]


def test_steps_without_a_common_time_lead_to_where_they_talk(
    session: Session, cohort: Cohort, pair: list[Signup]
) -> None:
    cohort.meetings = []
    assert steps(session, cohort, pair) == [Step.CHANNEL, Step.HELLO]

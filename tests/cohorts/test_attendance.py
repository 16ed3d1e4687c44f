"""Who will be at a meeting, and who was."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from cohorts import attendance, choosing, schedule, signups
from cohorts.exceptions import Conflict, NotFound
from cohorts.meetings import Meeting, read_stamp, stamp
from cohorts.models import Answer, Attendance, Cohort, Signup
from tests.factories import make_cohort, make_course, make_signup

FIRST = datetime(2027, 1, 11, 18, tzinfo=UTC)
BEFORE, AFTER = FIRST - timedelta(days=2), FIRST + timedelta(hours=2)


@pytest.fixture
def members(session: Session) -> list[Signup]:
    course = make_course(session)
    return [make_signup(session, course, name=name) for name in ("Ada", "Ben", "Cem", "Dee")]


@pytest.fixture
def cohort(session: Session, members: list[Signup]) -> Cohort:
    return make_cohort(session, *members)


def sheet(session: Session, cohort: Cohort) -> attendance.Sheet:
    course = cohort.run.course
    return attendance.sheet(session, cohort, attendance.occurrence(course, cohort, FIRST))


def names(people: list[Signup]) -> list[str]:
    return [each.name for each in people]


def test_answers_are_kept_and_may_change_until_the_meeting(
    session: Session, cohort: Cohort, members: list[Signup]
) -> None:
    ada, ben, cem, _ = members
    for who, said in ((ada, Answer.COMING), (ben, Answer.ABSENT), (cem, Answer.COMING), (cem, Answer.ABSENT)):
        attendance.answer(session, cohort, who, FIRST, said, BEFORE)
    found = sheet(session, cohort)
    assert [names(each) for each in (found.coming, found.absent, found.silent)] == [
        ["Ada"],
        ["Ben", "Cem"],
        ["Dee"],
    ]
    assert [found.answer_of(each) for each in members] == [
        Answer.COMING,
        Answer.ABSENT,
        Answer.ABSENT,
        None,
    ]
    assert names(found.members) == ["Ada", "Ben", "Cem", "Dee"]
    with pytest.raises(Conflict, match="begun already"):
        attendance.answer(session, cohort, ada, FIRST, Answer.ABSENT, FIRST)
    assert len(session.scalars(select(Attendance)).all()) == 3


def test_answer_to_a_meeting_that_is_not_is_refused(
    session: Session, cohort: Cohort, members: list[Signup]
) -> None:
    with pytest.raises(NotFound):
        attendance.answer(session, cohort, members[0], FIRST + timedelta(hours=1), Answer.COMING, BEFORE)


def test_answers_to_a_meeting_that_moved_are_asked_for_anew(
    session: Session, cohort: Cohort, members: list[Signup]
) -> None:
    attendance.answer(session, cohort, members[0], FIRST, Answer.COMING, BEFORE)
    choosing.fix(session, cohort, Meeting("Europe/Berlin", 48 + 38), BEFORE, seen=0)
    with pytest.raises(NotFound):
        attendance.occurrence(cohort.run.course, cohort, FIRST)
    moved = schedule.coming(cohort.run.course, cohort, BEFORE)
    assert moved is not None
    assert names(attendance.sheet(session, cohort, moved).silent) == ["Ada", "Ben", "Cem", "Dee"]


def test_who_left_is_not_counted_and_cannot_answer(
    session: Session, cohort: Cohort, members: list[Signup]
) -> None:
    attendance.answer(session, cohort, members[0], FIRST, Answer.COMING, BEFORE)
    signups.withdraw(session, members[0], BEFORE)
    session.expire_all()
    assert names(sheet(session, cohort).members) == ["Ben", "Cem", "Dee"]
    with pytest.raises(Conflict):
        attendance.answer(session, cohort, members[0], FIRST, Answer.COMING, BEFORE)


def test_note_who_was_there_and_the_last_note_counts(
    session: Session, cohort: Cohort, members: list[Signup]
) -> None:
    ada, ben, cem, _ = members
    attendance.answer(session, cohort, ada, FIRST, Answer.COMING, BEFORE)
    with pytest.raises(Conflict, match="not begun"):
        attendance.note(session, cohort, ada, FIRST, [ada.key], BEFORE)
    assert not sheet(session, cohort).is_noted
    attendance.note(session, cohort, ada, FIRST, [ada.key, ben.key], AFTER)
    attendance.note(session, cohort, ben, FIRST, [ben.key, cem.key], AFTER)
    found = sheet(session, cohort)
    assert (names(found.there), found.is_noted) == (["Ben", "Cem"], True)
    rows = session.scalars(select(Attendance).order_by(Attendance.signup_id)).all()
    assert [(row.was_there, row.noted_by_id) for row in rows] == [
        (there, ben.id) for there in (False, True, True, False)
    ]
    assert rows[0].answer is Answer.COMING
    attendance.note(session, cohort, ben, FIRST, [], AFTER)
    found = sheet(session, cohort)
    assert (found.there, found.is_noted) == ([], True)


def test_note_names_members_of_that_time_only(
    session: Session, cohort: Cohort, members: list[Signup]
) -> None:
    stranger = make_signup(session, cohort.run.course, name="Stranger")
    with pytest.raises(NotFound):
        attendance.note(session, cohort, members[0], FIRST, [stranger.key], AFTER)
    members_since = {each.signup_id: each for each in cohort.memberships}
    members_since[members[3].id].since = AFTER
    session.flush()
    with pytest.raises(NotFound):
        attendance.note(session, cohort, members[0], FIRST, [members[3].key], AFTER)
    assert session.scalars(select(Attendance)).all() == []


def test_stamps_are_read_back_and_nothing_else_is() -> None:
    assert read_stamp(stamp(FIRST)) == FIRST
    for text in ("", "csv", "20270111T1800", "2027-01-11", "20271311T1800Z"):
        with pytest.raises(NotFound):
            read_stamp(text)

"""Reminders go to the right people, once, whatever the workers do."""

from datetime import UTC, datetime, timedelta
from threading import Barrier, Thread
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from cohorts import attendance, choosing, meeting_mails, notices, reminders
from cohorts.database import Database
from cohorts.links import Links
from cohorts.meetings import Meeting
from cohorts.models import (
    Answer,
    Cohort,
    CourseState,
    Mail,
    Reminder,
    RunState,
    Signup,
    SignupState,
)
from cohorts.notices import Kind
from tests.factories import make_cohort, make_course, make_signup

FIRST = datetime(2027, 1, 11, 18, tzinfo=UTC)
DAY_BEFORE = FIRST - timedelta(hours=23)
SENDER = "cohorts@example.org"


def prepare(database: Database, n_members: int = 3, **given: Any) -> Cohort:
    with database.transaction() as session:
        course = make_course(session, state=CourseState.RUNNING, weeks=3)
        names = [f"Member {number}" for number in range(n_members)]
        return make_cohort(session, *(make_signup(session, course, name=name) for name in names), **given)


def reminded(database: Database) -> list[str]:
    """Return whom a mail in the outbox reminds."""
    with database.reading() as session:
        mails = select(Mail).where(Mail.kind == Kind.REMINDER).order_by(Mail.id)
        return [mail.signup.name for mail in session.scalars(mails) if mail.signup]


def change(database: Database, cohort: Cohort, what: Any) -> None:
    with database.transaction() as session:
        found = session.get_one(Cohort, cohort.id)
        what(session, found, [each.signup for each in found.memberships])


def test_reminders_go_once_a_day_before_each_meeting(database: Database) -> None:
    prepare(database)
    assert reminders.enqueue_due(database, FIRST - timedelta(hours=25)) == 0
    assert reminders.enqueue_due(database, DAY_BEFORE) == 3
    for later in (DAY_BEFORE, DAY_BEFORE + timedelta(hours=5), FIRST, FIRST + timedelta(days=3)):
        assert reminders.enqueue_due(database, later) == 0
    assert reminders.enqueue_due(database, DAY_BEFORE + timedelta(weeks=1)) == 3
    assert reminders.enqueue_due(database, DAY_BEFORE + timedelta(weeks=3)) == 0
    assert reminded(database) == ["Member 0", "Member 1", "Member 2"] * 2


def absent(session: Session, cohort: Cohort, members: list[Signup]) -> None:
    attendance.answer(session, cohort, members[1], FIRST, Answer.ABSENT, DAY_BEFORE)
    attendance.answer(session, cohort, members[0], FIRST, Answer.COMING, DAY_BEFORE)


def withdrawn(session: Session, cohort: Cohort, members: list[Signup]) -> None:
    members[1].state = SignupState.WITHDRAWN


def left(session: Session, cohort: Cohort, members: list[Signup]) -> None:
    cohort.memberships[1].until = DAY_BEFORE


def away(session: Session, cohort: Cohort, members: list[Signup]) -> None:
    members[1].paused_until = FIRST.date() + timedelta(days=1)
    members[0].paused_until = FIRST.date()  # back in time: the mail waits until then


@pytest.mark.parametrize("what", [absent, withdrawn, left, away])
def test_reminders_spare_who_does_not_come(database: Database, what: Any) -> None:
    change(database, prepare(database), what)
    assert reminders.enqueue_due(database, DAY_BEFORE) == 2
    assert reminded(database) == ["Member 0", "Member 2"]


def test_reminders_wait_until_a_publication_cannot_be_taken_back(database: Database) -> None:
    def published(session: Session, cohort: Cohort, members: list[Signup]) -> None:
        for member in members:
            mail = notices.enqueue(session, Kind.PLACED, signup=member)
            mail.not_before = DAY_BEFORE + timedelta(minutes=10)

    change(database, prepare(database), published)
    assert reminders.enqueue_due(database, DAY_BEFORE) == 0
    assert reminders.enqueue_due(database, DAY_BEFORE + timedelta(minutes=9)) == 0
    assert reminders.enqueue_due(database, DAY_BEFORE + timedelta(minutes=10)) == 3


def ended(session: Session, cohort: Cohort, members: list[Signup]) -> None:
    cohort.ended_at = DAY_BEFORE


def finished(session: Session, cohort: Cohort, members: list[Signup]) -> None:
    cohort.run.course.state = CourseState.FINISHED


def proposed(session: Session, cohort: Cohort, members: list[Signup]) -> None:
    cohort.run.state = RunState.PROPOSED


def without_meeting(session: Session, cohort: Cohort, members: list[Signup]) -> None:
    cohort.meetings = []


@pytest.mark.parametrize("what", [ended, finished, proposed, without_meeting])
def test_reminders_are_for_meetings_that_take_place(database: Database, what: Any) -> None:
    change(database, prepare(database), what)
    assert reminders.enqueue_due(database, DAY_BEFORE) == 0


def move_to_tuesday(session: Session, cohort: Cohort, members: list[Signup]) -> None:
    choosing.fix(session, cohort, Meeting("Europe/Berlin", 48 + 38), DAY_BEFORE, seen=0)


def test_reminders_follow_a_meeting_that_moves(
    database: Database, links: Links, monkeypatch: pytest.MonkeyPatch
) -> None:
    cohort = prepare(database, n_members=2)
    assert reminders.enqueue_due(database, DAY_BEFORE) == 2
    change(database, cohort, move_to_tuesday)
    assert reminders.enqueue_due(database, DAY_BEFORE) == 0
    assert reminders.enqueue_due(database, DAY_BEFORE + timedelta(days=1)) == 2
    monkeypatch.setattr(meeting_mails, "now", lambda: DAY_BEFORE)
    with database.transaction() as session:
        mails = session.scalars(select(Mail).where(Mail.kind == Kind.REMINDER).order_by(Mail.id)).all()
        said = [notices.render(session, mail, links, SENDER) for mail in mails]
    assert [message and message["Subject"] for message in said] == [
        None,
        None,
        "You meet on Tuesday, 12 January at 18:00",
        "You meet on Tuesday, 12 January at 18:00",
    ]


def test_reminder_is_in_the_learners_own_time_and_leads_to_two_buttons(
    database: Database, links: Links, monkeypatch: pytest.MonkeyPatch
) -> None:
    cohort = prepare(database)
    with database.transaction() as session:
        found = session.get_one(Cohort, cohort.id)
        found.channel = "https://chat.example.org/x"
        found.memberships[0].signup.time_zone = "Asia/Tokyo"
        attendance.answer(session, found, found.memberships[1].signup, FIRST, Answer.COMING, DAY_BEFORE)
    reminders.enqueue_due(database, DAY_BEFORE)
    monkeypatch.setattr(meeting_mails, "now", lambda: DAY_BEFORE)
    with database.transaction() as session:
        mails = session.scalars(select(Mail).order_by(Mail.id)).all()
        first, second, _ = [notices.render(session, mail, links, SENDER) for mail in mails]
        assert first is not None
        assert second is not None
        text = first.get_content()
        assert first["Subject"] == "You meet on Tuesday, 12 January at 03:00"
        for words in (
            "Tuesday, 12 January at 03:00, 90 minutes",
            "Asia/Tokyo",
            "https://chat.example.org/x",
            "There so far: Member 1.",
            f"{links.learner(mails[0].signup)}/meetings/20270111T1800Z",
        ):
            assert words in text
        assert "You said that you will be there" in second.get_content()
        assert "There so far" not in second.get_content()


def test_reminder_says_nothing_once_it_is_too_late(
    database: Database, links: Links, monkeypatch: pytest.MonkeyPatch
) -> None:
    cohort = prepare(database)
    reminders.enqueue_due(database, DAY_BEFORE)
    change(database, cohort, absent)
    change(
        database, cohort, lambda session, cohort, members: left(session, cohort, [*members[1:], members[0]])
    )
    with database.transaction() as session:
        mails = session.scalars(select(Mail).where(Mail.kind == Kind.REMINDER).order_by(Mail.id)).all()
        monkeypatch.setattr(meeting_mails, "now", lambda: DAY_BEFORE)
        said = [notices.render(session, mail, links, SENDER) is not None for mail in mails]
        assert said == [True, False, True]
        monkeypatch.setattr(meeting_mails, "now", lambda: FIRST)
        assert notices.render(session, mails[0], links, SENDER) is None


def two_workers(database: Database, at: datetime) -> list[int | type[Exception]]:
    """Have two workers look for reminders at once; return how many each found, or how it failed."""
    outcomes: list[int | type[Exception]] = []
    ready = Barrier(2)

    def work() -> None:
        ready.wait()
        try:
            outcomes.append(reminders.enqueue_due(database, at))
        except IntegrityError as error:
            outcomes.append(type(error))

    threads = [Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcomes


def test_two_workers_remind_everybody_once(database: Database) -> None:
    for _ in range(3):
        prepare(database, n_members=4)
    for week in range(3):
        assert sum(map(int, two_workers(database, DAY_BEFORE + timedelta(weeks=week)))) == 12  # type: ignore[arg-type]
    assert len(reminded(database)) == 36


def test_two_workers_without_the_lock_collide(
    migrated_postgresql: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The positive control: both find the same reminders due, and only the unique row stops the second."""
    with migrated_postgresql.transaction() as session:
        for course in session.scalars(select(Cohort)):
            course.ended_at = DAY_BEFORE
    cohort = prepare(migrated_postgresql)
    both_are_in, find = Barrier(2), reminders._due

    def find_together(session: Session, *arguments: Any) -> list[Any]:
        found = find(session, *arguments)
        both_are_in.wait(timeout=20)
        return found

    monkeypatch.setattr(reminders, "lock", lambda session, ids: None)
    monkeypatch.setattr(reminders, "_due", find_together)
    outcomes = two_workers(migrated_postgresql, DAY_BEFORE)
    assert sorted(map(str, outcomes)) == sorted(map(str, [3, IntegrityError]))
    with migrated_postgresql.reading() as session:
        rows = select(func.count(Reminder.id)).where(Reminder.cohort_id == cohort.id)
        assert session.scalar(rows) == 3


def test_reminders_need_the_same_queries_for_any_number_of_cohorts(
    database: Database, count_queries: list[str]
) -> None:
    counts = []
    for week, more in ((0, 1), (1, 9)):
        for _ in range(more):
            prepare(database)
        count_queries.clear()
        assert reminders.enqueue_due(database, DAY_BEFORE + timedelta(weeks=week)) > 0
        counts.append(len([sql for sql in count_queries if sql.startswith("SELECT")]))
    assert counts[0] == counts[1]

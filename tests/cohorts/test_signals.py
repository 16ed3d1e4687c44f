"""Who goes quiet is asked, then loses their seat softly; nobody is accused unjustly."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from cohorts import attendance, checkins, choosing, memberships, moves, nudges, pauses, presence, signals
from cohorts.checkins import Pulse
from cohorts.database import Database
from cohorts.meetings import Meeting, of_cohort
from cohorts.models import (
    Answer,
    Cohort,
    Course,
    CourseState,
    Mail,
    Membership,
    Presence,
    Signup,
    SignupState,
)
from cohorts.notices import Kind
from cohorts.runs import _matchable
from cohorts.standing import members_of, standing_of
from tests.factories import make_cohort, make_course, make_signup

START = datetime(2027, 1, 11, tzinfo=UTC)
HOUR = timedelta(hours=1)
ATTENDED = Meeting("UTC", 38)


def week(number: int, hours: float = 0) -> datetime:
    """Return a moment so many hours after a week of the course began, in UTC."""
    return START + timedelta(weeks=number - 1, hours=hours)


@dataclass
class Scene:
    """A cohort of Ann, Ben and Cem in a course of eight weeks, on a database that keeps what is done."""

    database: Database
    course_id: int
    cohort_id: int
    ids: dict[str, int]

    def sweep(self, at: datetime) -> tuple[int, int]:
        return nudges.attend(self.database, at)

    def check_in(self, name: str, *weeks: int) -> None:
        with self.database.transaction() as session:
            for number in weeks:
                checkins.check_in(session, self.person(session, name), Pulse(), week(number, 110))

    def note(self, *numbers: int, there: tuple[str, ...] = ("Ann",), by: str = "Ann") -> None:
        """Note who was at the meetings of some weeks."""
        with self.database.transaction() as session:
            cohort = session.get_one(Cohort, self.cohort_id)
            keys = [self.person(session, each).key for each in there]
            for number in numbers:
                begins = week(number, 19)
                attendance.note(session, cohort, self.person(session, by), begins, keys, begins + 2 * HOUR)

    def person(self, session: Session, name: str) -> Signup:
        return session.get_one(Signup, self.ids[name])

    def mails(self, kind: Kind) -> list[str]:
        with self.database.reading() as session:
            found = select(Signup.name).join(Mail, Mail.signup_id == Signup.id).where(Mail.kind == kind)
            return sorted(session.scalars(found))

    def members(self) -> list[str]:
        with self.database.reading() as session:
            return [each.name for each in members_of(session.get_one(Cohort, self.cohort_id))]


@pytest.fixture
def scene(database: Database) -> Scene:
    with database.transaction() as session:
        course = make_course(
            session,
            start=START.date(),
            state=CourseState.RUNNING,
            size_min=2,
            target_size=3,
            size_max=4,
            nudge_after=2,
            remove_after=2,
        )
        people = [make_signup(session, course, name=name) for name in ("Ann", "Ben", "Cem")]
        cohort = make_cohort(
            session, *people, at=week(1) - timedelta(days=3), meetings=[["UTC", 38], ["UTC", 86]]
        )
        ids = {each.name: each.id for each in people}
    return Scene(database, course.id, cohort.id, ids)


def test_two_missed_check_ins_ask_once_and_two_more_give_the_seat_free(scene: Scene) -> None:
    scene.check_in("Ann", 1, 2, 3, 4)
    scene.check_in("Cem", 1, 2, 3, 4)
    assert scene.sweep(week(3, 1)) == (0, 0)  # week 2 is over, but clocks may be an hour apart
    assert scene.sweep(week(3, 3)) == (1, 0)
    assert scene.sweep(week(3, 3)) == scene.sweep(week(3, 2)) == scene.sweep(week(4, 3)) == (0, 0)
    assert scene.mails(Kind.STILL_HERE) == ["Ben"]
    assert scene.sweep(week(5, 3)) == (0, 1)
    assert scene.sweep(week(5, 3)) == scene.sweep(week(5, 2)) == scene.sweep(week(8)) == (0, 0)
    assert scene.members() == ["Ann", "Cem"]
    assert scene.mails(Kind.SEAT_FREED) == ["Ben"]
    assert scene.mails(Kind.COHORT_CHANGED) == ["Ann", "Cem"]
    with scene.database.reading() as session:
        ben = scene.person(session, "Ben")
        assert ben.state is SignupState.CONFIRMED
        stay = session.scalars(select(Membership).where(Membership.signup_id == ben.id)).one()
        assert (stay.until, stay.ended_because) == (week(5, 3), memberships.SILENT)
        matched = session.scalars(select(Signup.name).where(*_matchable(ben.course))).all()
        assert "Ben" not in matched


def test_missed_meetings_count_and_those_nobody_noted_or_held_do_not(scene: Scene) -> None:
    assert scene.sweep(week(6)) == (0, 0)  # nobody notes anything
    scene.note(1, 2, there=())  # nobody came, so there was no meeting
    assert scene.sweep(week(3)) == (0, 0)
    scene.note(3, 4, there=("Ann", "Cem"))
    assert scene.sweep(week(4, 22)) == (1, 0)
    assert scene.mails(Kind.STILL_HERE) == ["Ben"]
    scene.note(5)
    assert scene.sweep(week(6, 3)) == (0, 0)  # Cem missed one, Ben one more
    scene.note(6)
    assert scene.sweep(week(6, 22)) == (1, 1)
    assert scene.members() == ["Ann", "Cem"]


def test_silence_of_the_whole_cohort_is_nobodys(scene: Scene) -> None:
    assert [scene.sweep(week(number, 3)) for number in range(2, 9)] == [(0, 0)] * 7


def test_what_a_check_in_and_a_meeting_of_one_week_are_is_not_two(scene: Scene) -> None:
    scene.check_in("Ann", 1)
    scene.note(1, there=("Ann", "Cem"))
    assert scene.sweep(week(2, 3)) == (0, 0)


SIGNS = {
    "check-in": lambda s, session, ben: checkins.check_in(session, ben, Pulse(), week(3, 50)),
    "button": lambda s, session, ben: presence.seen(session, ben, week(3, 50)),
    "pause": lambda s, session, ben: pauses.pause(session, ben, date(2027, 2, 22), week(3, 50)),
    "answer": lambda s, session, ben: attendance.answer(
        session, session.get_one(Cohort, s.cohort_id), ben, week(4, 19), Answer.COMING, week(3, 50)
    ),
    "attendance": lambda s, session, ben: attendance.note(
        session,
        session.get_one(Cohort, s.cohort_id),
        s.person(session, "Ann"),
        week(3, 19),
        [ben.key, s.person(session, "Ann").key],
        week(3, 22),
    ),
    "noting": lambda s, session, ben: attendance.note(
        session, session.get_one(Cohort, s.cohort_id), ben, week(3, 19), [], week(3, 50)
    ),
}


@pytest.mark.parametrize("sign", SIGNS)
def test_any_sign_of_life_after_being_asked_keeps_the_seat(scene: Scene, sign: str) -> None:
    scene.check_in("Ann", 1, 2)
    scene.check_in("Cem", 1, 2)
    assert scene.sweep(week(3, 3)) == (1, 0)
    with scene.database.transaction() as session:
        SIGNS[sign](scene, session, scene.person(session, "Ben"))
    scene.check_in("Ann", 3, 4)
    scene.check_in("Cem", 3, 4)
    assert scene.sweep(week(5, 3)) == (0, 0)
    with scene.database.reading() as session:
        silence = signals.of_signup(session, scene.person(session, "Ben"), week(5, 3))
        assert silence is not None
        assert (silence.nudged_at, len(silence.check_ins)) == (None, 0 if sign == "pause" else 1)


def test_who_cannot_come_or_wants_no_check_in_mails_misses_nothing(scene: Scene) -> None:
    with scene.database.transaction() as session:
        ben, cohort = scene.person(session, "Ben"), session.get_one(Cohort, scene.cohort_id)
        ben.stopped_mails = ["check-ins"]
        for number in (1, 2):
            attendance.answer(session, cohort, ben, week(number, 19), Answer.ABSENT, week(1) - HOUR)
    scene.check_in("Ann", 1, 2)
    scene.check_in("Cem", 1, 2)
    scene.note(1, 2, there=("Ann", "Cem"))
    assert scene.sweep(week(3, 3)) == (0, 0)


def test_the_rule_is_the_courses(scene: Scene) -> None:
    scene.check_in("Ann", 1, 2, 3, 4, 5)
    scene.check_in("Cem", 1, 2, 3, 4, 5)

    def rule(nudge: int, remove: int) -> None:
        with scene.database.transaction() as session:
            course = session.get_one(Course, scene.course_id)
            course.nudge_after, course.remove_after = nudge, remove

    rule(0, 1)
    assert scene.sweep(week(4, 3)) == (0, 0)
    rule(3, 0)
    assert scene.sweep(week(3, 3)) == (0, 0)
    assert scene.sweep(week(4, 3)) == (1, 0)
    assert scene.sweep(week(8)) == (0, 0)
    rule(3, 1)
    assert scene.sweep(week(5, 3)) == (0, 1)


def test_a_rule_that_comes_late_asks_before_it_takes_a_seat(scene: Scene) -> None:
    scene.check_in("Ann", 1, 2, 3, 4, 5, 6)
    scene.check_in("Cem", 1, 2, 3, 4, 5, 6)
    asked = week(6, 160)  # on Sunday evening; the week that is over in some hours is no time to answer
    assert scene.sweep(asked) == (1, 0)
    assert scene.sweep(week(7, 3)) == (0, 0)
    assert scene.members() == ["Ann", "Ben", "Cem"]


def test_whoever_comes_back_has_their_old_seat_while_it_is_free(scene: Scene) -> None:
    scene.check_in("Ann", 1, 2, 3, 4)
    scene.check_in("Cem", 1, 2, 3, 4)
    scene.sweep(week(3, 3))
    scene.sweep(week(5, 3))
    with scene.database.transaction() as session:
        ben = scene.person(session, "Ben")
        back = nudges.rejoin(session, ben, week(5, 20))
        assert back is not None
        assert back.id == scene.cohort_id
        assert presence.of(session, ben).removed_at is None
    assert scene.members() == ["Ann", "Ben", "Cem"]
    assert scene.sweep(week(6, 3)) == (0, 0)  # they begin afresh


def test_whose_seat_is_taken_is_seated_next(scene: Scene) -> None:
    scene.check_in("Ann", 1, 2, 3, 4)
    scene.check_in("Cem", 1, 2, 3, 4)
    scene.sweep(week(3, 3))
    scene.sweep(week(5, 3))
    with scene.database.transaction() as session:
        cohort = session.get_one(Cohort, scene.cohort_id)
        course = session.get_one(Course, scene.course_id)
        for _ in range(2):
            moves.take_seat(session, make_signup(session, course), cohort.key, week(5, 4))
        ben = scene.person(session, "Ben")
        assert nudges.rejoin(session, ben, week(5, 20)) is None
        assert standing_of(session, ben).cohort is None
        assert ben in session.scalars(select(Signup).where(*_matchable(course))).all()
        assert nudges.gone(session, course) == []


def test_two_sweeps_at_once_ask_once(scene: Scene) -> None:
    from concurrent.futures import ThreadPoolExecutor

    scene.check_in("Ann", 1, 2)
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda shift: scene.sweep(week(3, 3) + shift * HOUR), (0, 1, 0, 1)))
    assert sum(asked for asked, _ in found) == 2
    assert scene.mails(Kind.STILL_HERE) == ["Ben", "Cem"]


def test_a_sweep_takes_as_many_queries_for_many_as_for_one(scene: Scene, count_queries: list[str]) -> None:
    def sweep(at: datetime) -> int:
        count_queries.clear()
        scene.sweep(at)
        # SQLite takes the mails one by one, and so do all who write some.
        return sum(not each.startswith("INSERT INTO outbox") for each in count_queries)

    scene.check_in("Ann", 1, 2, 3, 4)
    scene.check_in("Cem", 1, 2, 3, 4)
    one = sweep(week(3, 3)), sweep(week(5, 3))
    with scene.database.transaction() as session:
        course = session.get_one(Course, scene.course_id)
        for _ in range(8):
            people = [make_signup(session, course) for _ in range(5)]
            cohort = make_cohort(session, *people, at=week(1) - timedelta(days=3))
            assert of_cohort(cohort)
            for number in (1, 2, 3, 4):
                checkins.check_in(session, people[0], Pulse(), week(number, 110))
    many = sweep(week(3, 3)), sweep(week(5, 3))
    with scene.database.reading() as session:
        assert session.scalar(select(func.count()).where(Presence.removed_at.is_not(None))) == 33
    assert many == one


def test_votes_are_no_way_around(session: Session) -> None:
    """A vote has no date: it is a sign of life through the page that it is cast on, see ``web.personal``."""
    course = make_course(session, start=START.date(), state=CourseState.RUNNING, nudge_after=1)
    me, mate = make_signup(session, course), make_signup(session, course)
    cohort = make_cohort(session, me, mate, at=week(1) - HOUR, meetings=[["UTC", 38]])
    checkins.check_in(session, mate, Pulse(), week(1, 50))
    choosing.vote(session, cohort, me, ATTENDED, suits=True)
    before = signals.of_signup(session, me, week(2, 3))
    assert before is not None
    assert before.is_to_be_nudged
    presence.seen(session, me, week(1, 60))
    after = signals.of_signup(session, me, week(2, 3))
    assert after is not None
    assert not after.is_to_be_nudged

"""Signing up: answers, places, the waiting list, confirming, editing, withdrawing and coming back."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from cohorts import signups
from cohorts.answers import Answers, answers_of, check
from cohorts.database import Database
from cohorts.exceptions import Conflict, InvalidInput, NotFound, SignUpClosed
from cohorts.models import (
    Cohort,
    Course,
    CourseState,
    Interest,
    Mail,
    Membership,
    Run,
    Signup,
    SignupState,
)
from cohorts.questions import Experience
from cohorts.signups import Phase, phase
from cohorts.standing import members_of, standing_of
from tests.factories import MONDAY_EVENING, make_course, make_signup

NOW = datetime(2026, 12, 1, 12, tzinfo=UTC)
ADA = Answers(name="Ada", email="ada@example.org", time_zone="Europe/London", availability=MONDAY_EVENING)


def someone(number: int) -> Answers:
    return replace(ADA, name=f"Learner {number}", email=f"someone{number}@example.org")


def stored(session: Session, email: str = ADA.email) -> Signup:
    return session.scalars(select(Signup).where(Signup.email == email)).one()


def mails(session: Session) -> list[tuple[str, str]]:
    rows = session.execute(select(Mail.kind, Signup.email).join(Mail.signup).order_by(Mail.id))
    return [(kind, email) for kind, email in rows]


# ---- answers ----


def test_answers_are_tidied_when_made() -> None:
    answers = Answers(
        name="  Ada \t Lovelace ",
        email=" ADA@Example.ORG ",
        time_zone=" Europe/London ",
        availability=MONDAY_EVENING,
        interests=("Chess", " chess ", "", "Go"),
        works_with=("Bob@example.org", "bob@EXAMPLE.org"),
        goal="one\r\ntwo ",
    )
    assert (answers.name, answers.email, answers.time_zone) == (
        "Ada Lovelace",
        "ada@example.org",
        "Europe/London",
    )
    assert answers.interests == ("Chess", "Go")
    assert answers.works_with == ("bob@example.org",)
    assert answers.goal == "one\ntwo"


WRONG = {
    "name missing": ({"name": " "}, "name"),
    "name too long": ({"name": "x" * 101}, "name"),
    "name with a control character": ({"name": "A\x07da"}, "name"),
    "name with a zero byte": ({"name": "A\x00da"}, "name"),
    "e-mail missing": ({"email": ""}, "email"),
    "e-mail without a host": ({"email": "ada@"}, "email"),
    "e-mail with two hosts": ({"email": "ada@example.org@example.org"}, "email"),
    "time zone missing": ({"time_zone": ""}, "time_zone"),
    "time zone made up": ({"time_zone": "Europe/Atlantis"}, "time_zone"),
    "time zone without a region": ({"time_zone": "Etc/GMT+3"}, "time_zone"),
    "time zone a path": ({"time_zone": "../../etc/passwd"}, "time_zone"),
    "never free": ({"availability": frozenset()}, "availability"),
    "free on the eighth day": ({"availability": frozenset({336})}, "availability"),
    "goal too long": ({"goal": "x" * 1001}, "goal"),
    "goal with a control character": ({"goal": "x\x1b[0m"}, "goal"),
    "fewer hours than none": ({"hours_per_week": -0.5}, "hours_per_week"),
    "too many hours": ({"hours_per_week": 168.5}, "hours_per_week"),
    "hours not a number": ({"hours_per_week": float("nan")}, "hours_per_week"),
    "too many interests": ({"interests": tuple(f"thing {n}" for n in range(101))}, "interests"),
    "an interest too long": ({"interests": ("x" * 81,)}, "interests"),
    "too many languages": ({"languages": tuple(f"language {n}" for n in range(21))}, "languages"),
    "a language of control characters": ({"languages": ("\x01",)}, "languages"),
    "too much help": ({"can_help_with": tuple(f"thing {n}" for n in range(21))}, "can_help_with"),
    "a wish too long": ({"wants_help_with": ("x" * 81,)}, "wants_help_with"),
    "no address of a friend": ({"works_with": ("Bob",)}, "works_with"),
    "one's own address": ({"works_with": ("ADA@example.org",)}, "works_with"),
    "too many friends": ({"works_with": tuple(f"f{n}@example.org" for n in range(21))}, "works_with"),
    "no address to avoid": ({"avoids": ("Bob",)}, "avoids"),
    "avoiding oneself": ({"avoids": ("ada@example.org",)}, "avoids"),
    "both wanted and avoided": (
        {"works_with": ("bob@example.org",), "avoids": ("Bob@example.org",)},
        "avoids",
    ),
}


@pytest.mark.parametrize(("changes", "field"), WRONG.values(), ids=WRONG)
def test_check_names_the_field_that_is_wrong(changes: dict[str, object], field: str) -> None:
    assert list(check(replace(ADA, **changes), Course())) == [field]


RIGHT = {
    "free all week": {"availability": frozenset(range(336))},
    "half an hour a week": {"hours_per_week": 0.5},
    "UTC": {"time_zone": "UTC"},
    "an older name of a zone": {"time_zone": "Asia/Calcutta"},
    "a name of one letter in another script": {"name": "Ж"},
    "a goal of several lines": {"goal": "one\n\n\ttwo"},
    "a host in another script": {"email": "ada@bücher.example.org"},
}


@pytest.mark.parametrize("changes", RIGHT.values(), ids=RIGHT)
def test_check_lets_through_what_is_unusual(changes: dict[str, object]) -> None:
    assert check(replace(ADA, **changes), Course()) == {}


REQUIRED = {
    "interests": ("Chess",),
    "languages": ("English",),
    "experience": Experience.BEGINNER,
    "hours_per_week": 2.0,
    "goal": "Win.",
    "can_help_with": ("chess",),
    "wants_help_with": ("go",),
    "works_with": ("bob@example.org",),
    "avoids": ("eve@example.org",),
}


def test_check_wants_what_the_course_requires(session: Session) -> None:
    course = make_course(session)
    for question in course.questions:
        question.required = True
    assert set(check(ADA, course)) == set(REQUIRED)
    assert check(replace(ADA, **REQUIRED), course) == {}


@given(st.text(max_size=200), st.text(max_size=60), st.lists(st.text(max_size=90), max_size=105).map(tuple))
def test_answers_that_pass_are_short_and_plain(name: str, email: str, tags: tuple[str, ...]) -> None:
    answers = replace(ADA, name=name, email=email, interests=tags)
    if not check(answers, Course()):
        assert 0 < len(answers.name) <= 100
        assert len(answers.interests) <= 100
        assert all("\x00" not in text for text in (answers.name, answers.email, *answers.interests))
    assert replace(answers) == answers


# ---- when a course takes sign-ups ----


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, Phase.OPEN),
        ({"state": CourseState.DRAFT}, Phase.NOT_YET),
        ({"opens_at": NOW + timedelta(seconds=1)}, Phase.NOT_YET),
        ({"opens_at": NOW}, Phase.OPEN),
        ({"closes_at": NOW + timedelta(seconds=1)}, Phase.OPEN),
        ({"closes_at": NOW}, Phase.LATE),
        ({"state": CourseState.CLOSED}, Phase.LATE),
        ({"state": CourseState.RUNNING}, Phase.LATE),
        ({"state": CourseState.FINISHED}, Phase.OVER),
        ({"start": date(2026, 9, 1), "weeks": 8}, Phase.OVER),
    ],
)
def test_phase_follows_state_and_dates(changes: dict[str, object], expected: Phase) -> None:
    course = Course(**{"state": CourseState.OPEN, "start": date(2027, 1, 11), "weeks": 8, **changes})
    assert phase(course, NOW) is expected


def test_public_course_does_not_exist_while_a_draft(session: Session) -> None:
    course = make_course(session, state=CourseState.DRAFT)
    with pytest.raises(NotFound):
        signups.public_course(session, course.slug)


# ---- signing up ----


def test_sign_up_stores_the_answers_and_asks_to_confirm(session: Session) -> None:
    course = make_course(session)
    answers = replace(ADA, **REQUIRED, convenor=True)
    signups.sign_up(session, course, answers, NOW)
    signup = stored(session)
    assert answers_of(signup) == answers
    assert (signup.state, signup.waiting) == (SignupState.PENDING, False)
    assert mails(session) == [("confirm", ADA.email)]


def test_sign_up_with_a_known_address_changes_nothing_but_sends_one_mail(session: Session) -> None:
    course = make_course(session)
    signups.sign_up(session, course, ADA, NOW)
    again = replace(ADA, name="Somebody else", email="ADA@example.org", interests=("Spam",))
    signups.sign_up(session, course, again, NOW)
    signups.sign_up(session, course, again, NOW)
    assert answers_of(stored(session)) == ADA
    assert session.scalar(select(func.count(Interest.id))) == 0
    assert mails(session) == [("confirm", ADA.email), ("already_signed_up", ADA.email)]


def test_sign_up_with_wrong_answers_stores_nothing(session: Session) -> None:
    course = make_course(session)
    with pytest.raises(InvalidInput) as caught:
        signups.sign_up(session, course, replace(ADA, name=""), NOW)
    assert list(caught.value.errors) == ["name"]
    assert session.scalar(select(func.count(Signup.id))) == 0


@pytest.mark.parametrize("state", [CourseState.DRAFT, CourseState.FINISHED])
def test_sign_up_for_a_course_that_takes_nobody_is_refused(session: Session, state: CourseState) -> None:
    course = make_course(session, state=state)
    with pytest.raises(SignUpClosed):
        signups.sign_up(session, course, ADA, NOW)


def test_sign_up_after_the_end_waits_even_where_places_are_free(session: Session) -> None:
    course = make_course(session, closes_at=NOW - timedelta(hours=1))
    signups.sign_up(session, course, ADA, NOW)
    signups.confirm(session, stored(session), NOW)
    assert stored(session).waiting is True
    assert mails(session) == [("confirm", ADA.email), ("waiting", ADA.email)]


def test_interests_are_the_same_in_any_case_and_shared(session: Session) -> None:
    course = make_course(session)
    course.interests.append(Interest(key="chess", label="Chess", listed=True))
    session.flush()
    signups.sign_up(session, course, replace(ADA, interests=("CHESS", "Knitting")), NOW)
    signups.sign_up(session, course, replace(someone(1), interests=("chess", "knitting")), NOW)
    assert session.scalars(select(Interest.label).order_by(Interest.label)).all() == ["Chess", "Knitting"]


def test_suggestions_hold_additions_of_confirmed_learners_only(session: Session) -> None:
    course = make_course(session)
    course.interests.append(Interest(key="chess", label="Chess", listed=True))
    signups.sign_up(session, course, replace(ADA, interests=("Knitting",)), NOW)
    assert signups.suggestions(session, course) == (["Chess"], [])
    signups.confirm(session, stored(session), NOW)
    assert signups.suggestions(session, course) == (["Chess"], ["Knitting"])
    signups.withdraw(session, stored(session), NOW)
    assert signups.suggestions(session, course) == (["Chess"], [])


# ---- places ----


def test_places_beyond_the_capacity_are_on_the_waiting_list(session: Session) -> None:
    course = make_course(session, capacity=2)
    for number in range(4):
        signups.sign_up(session, course, someone(number), NOW)
    waiting = session.scalars(select(Signup.waiting).order_by(Signup.id)).all()
    assert waiting == [False, False, True, True]
    assert signups.places_taken(session, course) == 2


def test_withdraw_lets_the_longest_waiting_confirmed_learner_move_up(session: Session) -> None:
    course = make_course(session, capacity=1)
    for number in range(4):
        signups.sign_up(session, course, someone(number), NOW + timedelta(minutes=number))
    for number in (0, 3, 2):  # number 1 never confirms
        signups.confirm(session, stored(session, f"someone{number}@example.org"), NOW)
    signups.withdraw(session, stored(session, "someone0@example.org"), NOW)
    rows = session.execute(select(Signup.email, Signup.waiting).order_by(Signup.id)).all()
    assert [waits for _email, waits in rows] == [False, True, False, True]
    assert mails(session)[-1] == ("place_free", "someone2@example.org")
    assert signups.places_taken(session, course) == 1


def test_withdraw_after_sign_up_closed_moves_nobody_up(session: Session) -> None:
    course = make_course(session, capacity=1)
    first = make_signup(session, course)
    second = make_signup(session, course, waiting=True)
    course.state = CourseState.CLOSED
    signups.withdraw(session, first, NOW)
    assert second.waiting is True


def test_fill_places_after_the_capacity_was_raised(session: Session) -> None:
    course = make_course(session, capacity=1)
    make_signup(session, course)
    waiting = [make_signup(session, course, waiting=True, created_at=NOW + timedelta(n)) for n in range(3)]
    course.capacity = 3
    assert signups.fill_places(session, course, NOW) == 2
    assert [signup.waiting for signup in waiting] == [False, False, True]


def test_confirm_takes_a_place_that_came_free(session: Session) -> None:
    course = make_course(session, capacity=1)
    first = make_signup(session, course)
    signups.sign_up(session, course, ADA, NOW)
    signups.withdraw(session, first, NOW)
    signups.confirm(session, stored(session), NOW)
    assert stored(session).waiting is False


def test_confirm_twice_is_the_same_as_once(session: Session) -> None:
    course = make_course(session)
    signups.sign_up(session, course, ADA, NOW)
    signups.confirm(session, stored(session), NOW)
    signups.confirm(session, stored(session), NOW + timedelta(days=1))
    assert stored(session).confirmed_at == NOW
    assert mails(session) == [("confirm", ADA.email)]


def post_all(database: Database, course_id: int, n_learners: int) -> None:
    """Sign many learners up at the same moment, each in a transaction of their own."""
    together = threading.Barrier(n_learners, timeout=60)

    def post(number: int) -> None:
        together.wait()
        with database.transaction() as session:
            signups.sign_up(session, session.get_one(Course, course_id), someone(number), NOW)

    with ThreadPoolExecutor(n_learners) as pool:
        list(pool.map(post, range(n_learners)))


def limited_course(database: Database) -> int:
    with database.transaction() as session:
        return make_course(session, capacity=10).id


def test_capacity_holds_when_fifty_sign_up_at_once(database: Database) -> None:
    course_id = limited_course(database)
    # The pool has 40 connections and a thread holds one at most, so that the last ten wait for one.
    post_all(database, course_id, 50)
    with database.reading() as session:
        assert signups.places_taken(session, session.get_one(Course, course_id)) == 10
        assert session.scalar(select(func.count(Signup.id))) == 50


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_capacity_breaks_without_the_lock(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """The positive control of the test above; SQLite has one writer at a time in any case."""
    course_id = limited_course(database)
    counted = threading.Barrier(20, timeout=60)
    has_place = signups._has_place

    def count_then_wait(session: Session, course: Course, at: datetime) -> bool:
        place = has_place(session, course, at)
        counted.wait()
        return place

    monkeypatch.setattr(signups, "lock", lambda session, course: None)
    monkeypatch.setattr(signups, "_has_place", count_then_wait)
    post_all(database, course_id, 20)
    with database.reading() as session:
        assert signups.places_taken(session, session.get_one(Course, course_id)) == 20


# ---- editing, withdrawing, coming back ----


def test_edit_replaces_all_answers(session: Session) -> None:
    signup = make_signup(session, make_course(session), interests=("Chess",), goal="Old")
    changed = replace(ADA, email=signup.email, interests=("Go",), languages=("Polish", "Greek"))
    signups.edit(session, signup, changed)
    session.expire_all()
    assert answers_of(stored(session, signup.email)) == changed


def test_edit_keeps_the_address(session: Session) -> None:
    signup = make_signup(session, make_course(session))
    with pytest.raises(InvalidInput) as caught:
        signups.edit(session, signup, ADA)
    assert list(caught.value.errors) == ["email"]


def test_edit_after_withdrawing_is_refused(session: Session) -> None:
    signup = make_signup(session, make_course(session), state=SignupState.WITHDRAWN)
    with pytest.raises(Conflict):
        signups.edit(session, signup, replace(ADA, email=signup.email))


def seat(session: Session, *members: Signup) -> Cohort:
    run = Run(course_id=members[0].course_id, published_at=NOW)
    session.add(run)
    session.flush()
    cohort = Cohort(run_id=run.id, position=1, name="Juniper", score=1.0)
    cohort.memberships = [Membership(signup=member) for member in members]
    session.add(cohort)
    session.flush()
    return cohort


def test_withdraw_ends_the_membership_and_keeps_its_history(session: Session) -> None:
    course = make_course(session)
    leaver, stayer = make_signup(session, course), make_signup(session, course)
    cohort = seat(session, leaver, stayer)
    signups.withdraw(session, leaver, NOW)
    signups.withdraw(session, leaver, NOW + timedelta(days=1))
    ended = session.scalars(select(Membership).where(Membership.signup_id == leaver.id)).one()
    assert (ended.until, ended.ended_because) == (NOW, "withdrew")
    assert standing_of(session, leaver).cohort is None
    assert standing_of(session, stayer).cohort is cohort
    assert members_of(cohort) == [stayer]


def test_come_back_restores_the_sign_up_with_its_answers(session: Session) -> None:
    course = make_course(session)
    signup = make_signup(session, course, interests=("Chess",))
    before = answers_of(signup)
    signups.withdraw(session, signup, NOW)
    signups.sign_up(session, course, replace(before, name="Other"), NOW)
    assert mails(session) == [("already_signed_up", signup.email)]
    signups.come_back(session, signup, NOW)
    assert (signup.state, signup.waiting, signup.withdrawn_at) == (SignupState.CONFIRMED, False, None)
    assert answers_of(signup) == before


def test_come_back_waits_behind_the_others_when_places_are_taken(session: Session) -> None:
    course = make_course(session, capacity=1)
    leaver = make_signup(session, course, created_at=NOW)
    waiting = make_signup(session, course, waiting=True, created_at=NOW)
    signups.withdraw(session, leaver, NOW)
    assert waiting.waiting is False
    signups.come_back(session, leaver, NOW)
    assert leaver.waiting is True
    assert mails(session)[-1] == ("waiting", leaver.email)


def test_come_back_to_a_course_that_is_over_is_refused(session: Session) -> None:
    signup = make_signup(
        session, make_course(session, state=CourseState.FINISHED), state=SignupState.WITHDRAWN
    )
    with pytest.raises(SignUpClosed):
        signups.come_back(session, signup, NOW)


@pytest.mark.parametrize("act", [signups.disown, signups.confirm, signups.withdraw, signups.come_back])
def test_what_was_disowned_a_moment_ago_is_not_found(
    database: Database, act: Callable[[Session, Signup, datetime], None]
) -> None:
    with database.transaction() as session:
        signup_id = make_signup(
            session, make_course(session), state=SignupState.PENDING, confirmed_at=None
        ).id
    with database.session(writes=False) as late:
        signup = late.get_one(Signup, signup_id)
        assert signup.course.state is CourseState.OPEN
        late.commit()
        with database.transaction() as session:
            signups.disown(session, session.get_one(Signup, signup_id), NOW)
        with pytest.raises(NotFound, match="deleted"):
            act(late, signup, NOW)


def test_disown_forgets_everything_and_only_before_confirming(session: Session) -> None:
    course = make_course(session)
    signups.sign_up(session, course, ADA, NOW)
    signups.disown(session, stored(session), NOW)
    assert session.scalar(select(func.count(Signup.id))) == 0
    assert session.scalar(select(func.count(Mail.id))) == 0
    with pytest.raises(Conflict):
        signups.disown(session, make_signup(session, course), NOW)


def test_expire_unconfirmed_frees_places_after_48_hours(session: Session) -> None:
    course = make_course(session, capacity=2)
    signups.sign_up(session, course, someone(1), NOW)
    signups.sign_up(session, course, someone(2), NOW + timedelta(hours=1))
    waiting = make_signup(session, course, waiting=True)
    assert signups.expire_unconfirmed(session, NOW + timedelta(hours=48, minutes=1)) == 1
    assert stored(session, "someone1@example.org").state is SignupState.WITHDRAWN
    assert stored(session, "someone2@example.org").state is SignupState.PENDING
    assert waiting.waiting is False
    with pytest.raises(Conflict):
        signups.confirm(session, stored(session, "someone1@example.org"), NOW)


def test_expire_unconfirmed_hands_out_the_places_of_a_raised_capacity(session: Session) -> None:
    course = make_course(session, capacity=1)
    make_signup(session, course)
    waiting = make_signup(session, course, waiting=True)
    assert signups.expire_unconfirmed(session, NOW) == 0
    assert waiting.waiting is True
    course.capacity = 2
    session.flush()
    assert signups.expire_unconfirmed(session, NOW) == 0
    assert waiting.waiting is False


def test_store_sends_no_mail_and_needs_few_queries_for_many_rows(
    session: Session, count_queries: list[str]
) -> None:
    course = make_course(session)
    counts = []
    for n_rows in (1, 30):
        count_queries.clear()
        book = signups.InterestBook(session, course)
        for number in range(n_rows):
            answers = replace(someone(100 * n_rows + number), interests=("Chess", f"Thing {n_rows}"))
            signups.store(session, course, answers, interests=book)
        session.flush()
        counts.append(sum(statement.startswith("SELECT") for statement in count_queries))
    assert counts == [1, 1]
    assert mails(session) == []
    assert session.scalar(select(func.count(Signup.id))) == 31


def test_admit_gives_late_learners_places_up_to_the_capacity(session: Session) -> None:
    course = make_course(session, state=CourseState.RUNNING, capacity=3)
    make_signup(session, course)
    late = [make_signup(session, course, waiting=True) for _ in range(3)]
    unconfirmed = make_signup(session, course, waiting=True, state=SignupState.PENDING)
    signups.lock(session, course)
    assert signups.fill_places(session, course, NOW) == 0
    assert signups.admit(session, course) == 2
    assert [each.waiting for each in (*late, unconfirmed)] == [False, False, True, True]
    assert signups.admit(session, course) == 0

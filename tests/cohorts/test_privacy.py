"""What is held about a learner is shown to them whole, and erased whole."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from typing import Any

import pytest
from sqlalchemy import Table, func, select
from sqlalchemy.orm import Session

from cohorts import checkins, help_requests, moves, notices, person_blocks, privacy
from cohorts.checkins import Pulse
from cohorts.models import (
    Base,
    CheckIn,
    ConnectionDenial,
    Course,
    CourseState,
    Departure,
    Interaction,
    InteractionImport,
    Interest,
    Leaving,
    Membership,
    Met,
    PersonBlock,
    Run,
    Seat,
    Signup,
    Source,
    Upload,
)
from tests.factories import make_cohort, make_course, make_signup, make_user

NOW = datetime(2027, 1, 13, 20, tzinfo=UTC)
CANARY = "canarybird"
ADDRESS = f"{CANARY}@example.org"


def tables_about_learners() -> list[Table]:
    """Every table with a column that refers to a sign-up, and that of sign-ups itself."""
    signups = Base.metadata.tables["signups"]
    return [
        table
        for table in Base.metadata.sorted_tables
        if table is signups or any(key.column.table is signups for key in table.foreign_keys)
    ]


@pytest.fixture
def course(session: Session) -> Course:
    return make_course(session, start=date(2027, 1, 11), state=CourseState.RUNNING, size_min=2, target_size=3)


@pytest.fixture
def canary(session: Session, course: Course) -> Signup:
    """A learner who has left a trace wherever one can be left."""
    me = make_signup(
        session,
        course,
        (f"{CANARY} watching",),
        name=f"Cara {CANARY}",
        email=ADDRESS,
        goal=f"{CANARY} goal",
        can_help_with=[CANARY],
        wants_help_with=[CANARY],
        languages=[CANARY],
        works_with=[f"{CANARY}.friend@example.org"],
    )
    mate = make_signup(session, course, works_with=[ADDRESS, "zoe@example.org"], name="Mate", languages=[])
    cohort = make_cohort(session, me, mate)
    session.add(Seat(run_id=cohort.run_id, signup_id=me.id, cohort_id=cohort.id, reason=CANARY))
    failed = Run(
        course_id=course.id, reason=f"Mate and Cara {CANARY} want to be together, but share no language"
    )
    session.add(failed)
    pulse = Pulse(
        met=Met.YES,
        social=1,
        talked_with=frozenset({mate.key}),
        others_talked_with=(f"{CANARY}.other@example.org",),
        help=f"{CANARY} needs help",
    )
    checkins.check_in(session, me, pulse, NOW)
    checkins.check_in(
        session, mate, Pulse(others_go_on_with=(ADDRESS,), talked_with=frozenset({me.key})), NOW
    )
    moves.leave_cohort(session, me, Leaving.UNCOMFORTABLE, f"{CANARY} left", NOW)
    moves.take_seat(session, me, cohort.key, NOW)
    person_blocks.block(session, me, email=f"{CANARY}.foe@example.org", at=NOW)
    person_blocks.block(session, mate, email=ADDRESS, at=NOW)
    make_signup(session, course, avoids=[ADDRESS, "zoe@example.org"], name="Wary")
    told = InteractionImport(course_id=course.id, source=Source.IMPORTED, tool="csv", n_kept=2)
    session.add(told)
    session.flush()
    for giver, taker in ((me, mate), (mate, me)):
        about = {"from_id": giver.id, "to_id": taker.id, "kind": CANARY}
        session.add(Interaction(import_id=told.id, at=NOW, **about))
        session.add(ConnectionDenial(signup_id=giver.id, other_id=taker.id))
    notices.enqueue(session, notices.Kind.PLACED, signup=me).last_error = CANARY
    owner = make_user(session)
    for encoding in ("utf-8", "utf-16"):
        content = f"email,time_zone\n{ADDRESS.title()},UTC\n".encode(encoding)
        session.add(Upload(course_id=course.id, user_id=owner.id, name="a.csv", content=content))
    session.flush()
    return me


def traces(session: Session) -> list[str]:
    """Return every table and column that holds the canary's word, in any spelling."""
    found = []
    for table in Base.metadata.sorted_tables:
        for row in session.execute(select(table)).mappings():
            for name, value in row.items():
                text = (
                    value.decode("latin-1").replace("\x00", "") if isinstance(value, bytes) else repr(value)
                )
                if CANARY in text.lower():
                    found.append(f"{table.name}.{name}")
    return found


def test_everything_about_a_learner_is_theirs_to_see(session: Session, canary: Signup) -> None:
    """The columns of all tables that refer to a sign-up, held against the export."""
    held = privacy.export(session, canary)
    assert sorted(held) == sorted(table.name for table in tables_about_learners())
    for table in tables_about_learners():
        shown = {column.key for column in privacy.columns(table)}
        assert all(set(row) == shown for row in held[table.name])
        for column in table.c:
            names = {column.name, column.name.removesuffix("_id")}
            is_key = column.name == "id" or column.name in privacy.OWNERS
            withheld = is_key or (table.name, column.name) in privacy.WITHHELD
            assert bool(names & shown) is not withheld, f"{table.name}.{column.name}"


def test_every_reference_to_a_sign_up_is_somebodys(session: Session) -> None:
    """A new table must say whose its rows are, and what becomes of them."""
    signups = Base.metadata.tables["signups"]
    for table in tables_about_learners():
        for column in table.c:
            keys = [key for key in column.foreign_keys if key.column.table is signups]
            if keys:
                known = column.name in privacy.OWNERS or (table.name, column.name) in privacy.OTHERS
                assert known, f"{table.name}.{column.name}"
                assert keys[0].ondelete in ("CASCADE", "SET NULL"), f"{table.name}.{column.name}"


def test_export_is_json_with_what_was_said(session: Session, canary: Signup) -> None:
    held: dict[str, Any] = json.loads(json.dumps(privacy.export(session, canary)))
    assert held["signups"][0]["email"] == ADDRESS
    assert held["signups"][0]["availability"] == "Mon 18:00-21:00"
    assert [row["interest"] for row in held["signup_interests"]] == [f"{CANARY} watching"]
    assert [row["ended_because"] for row in held["memberships"]] == ["left", ""]
    [given] = held["check_ins"]
    assert (given["week"], given["met"], given["social"], given["cognitive"]) == (1, "yes", 1, None)
    assert {(row["to"], row["to_address"]) for row in held["connections"]} == {
        ("Mate", ""),
        (None, f"{CANARY}.other@example.org"),
    }
    assert [row["words"] for row in held["help_requests"]] == [f"{CANARY} needs help"]
    assert [row["label"] for row in held["person_blocks"]] == [f"{CANARY}.foe@example.org"]


def test_export_tells_nothing_that_others_said(session: Session, canary: Signup, course: Course) -> None:
    mate = session.scalars(select(Signup).where(Signup.name == "Mate")).one()
    text = json.dumps(privacy.export(session, mate))
    assert "Cara" in text  # whom the mate ticked
    mine = json.dumps(privacy.export(session, canary))
    assert "go on with" not in mine  # which the mate said
    assert mate.email not in mine
    assert person_blocks.digest(ADDRESS) not in text


def test_erase_leaves_no_trace_in_any_table(session: Session, canary: Signup, course: Course) -> None:
    before = {each.split(".")[0] for each in traces(session)}
    assert before >= {"signups", "interests", "seats", "runs", "outbox", "uploads"}
    assert before >= {"connections", "help_requests", "person_blocks", "departures"}
    privacy.erase(session, canary, NOW)
    session.expire_all()
    assert traces(session) == []


def test_erase_keeps_counts_and_what_others_have(session: Session, canary: Signup, course: Course) -> None:
    mate = session.scalars(select(Signup).where(Signup.name == "Mate")).one()
    wary = session.scalars(select(Signup).where(Signup.name == "Wary")).one()
    privacy.erase(session, canary, NOW)
    session.expire_all()
    assert (
        session.scalar(select(func.count(Departure.id)).where(Departure.because == Leaving.UNCOMFORTABLE))
        == 1
    )
    assert (mate.works_with, wary.avoids) == (["zoe@example.org"], ["zoe@example.org"])
    assert session.scalars(select(CheckIn.signup_id)).all() == [mate.id]
    assert session.scalars(select(Membership.signup_id)).all() == [mate.id]
    assert session.scalars(select(Interest.label).where(Interest.listed.is_(False))).all() == []
    assert session.scalars(select(PersonBlock.label).order_by(PersonBlock.id)).all() == ["", ""]
    again = make_signup(session, course, email=ADDRESS)
    assert person_blocks.apart(session, again, [mate, wary]) == {mate.id, wary.id}


def test_erase_keeps_what_belongs_to_the_same_address_in_another_course(
    session: Session, canary: Signup
) -> None:
    other = make_course(session)
    elsewhere = make_signup(session, other, email=ADDRESS, name="Cara elsewhere")
    friend = make_signup(session, other, works_with=[ADDRESS])
    privacy.erase(session, canary, NOW)
    session.expire_all()
    assert elsewhere.name == "Cara elsewhere"
    assert friend.works_with == [ADDRESS]


def test_erase_gives_the_place_to_whoever_waits(session: Session) -> None:
    course = make_course(session, capacity=1)
    first, waiting = make_signup(session, course), make_signup(session, course, waiting=True)
    help_requests.ask(session, first, "Help", NOW)
    privacy.erase(session, first, NOW)
    assert waiting.waiting is False


def test_a_run_counts_nobody_who_was_erased(session: Session, course: Course) -> None:
    placed, out, stays = (make_signup(session, course) for _ in range(3))
    cohort = make_cohort(session, placed, stays)
    run = cohort.run
    session.add_all(Seat(run=run, signup=each, cohort=cohort) for each in (placed, stays))
    session.add(Seat(run=run, signup=out))
    run.n_learners, run.n_placed = 3, 2
    session.flush()
    privacy.erase(session, out, NOW)
    assert (run.n_learners, run.n_placed) == (2, 2)
    privacy.erase(session, placed, NOW)
    assert (run.n_learners, run.n_placed) == (1, 1)

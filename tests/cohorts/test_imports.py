"""Imports: what a dry run says, and what is stored."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from cohorts import imports, native, sample, tables
from cohorts.answers import answers_of
from cohorts.imports import Action
from cohorts.models import Course, Mail, Signup, SignupState
from tests.cohorts.test_native import GOOD, file_of
from tests.factories import make_course, make_signup

AT = datetime(2026, 12, 1, tzinfo=UTC)


def dry_run(session: Session, course: Course, *rows: dict[str, str], **kwargs: Any) -> imports.Plan:
    return imports.dry_run(session, course, file_of(*rows, **kwargs), "signups.csv")


def stored(session: Session, course: Course) -> dict[str, Signup]:
    found = session.scalars(select(Signup).where(Signup.course_id == course.id))
    return {signup.email: signup for signup in found}


def test_dry_run_stores_nothing(session: Session) -> None:
    course = make_course(session)
    plan = dry_run(session, course, GOOD)
    session.flush()
    assert [(row.line, row.action) for row in plan.rows] == [(2, Action.ADD)]
    assert stored(session, course) == {}


def test_import_adds_confirmed_sign_ups_without_mail(session: Session) -> None:
    course = make_course(session)
    row = GOOD | {"interests": "Jazz; jazz; Rock", "languages": "English", "convenor": "TRUE"}
    plan = dry_run(session, course, row, GOOD | {"email": "bob@example.org", "interests": "JAZZ"})
    assert imports.apply(session, course, plan, leave_out_refused=False, at=AT) == imports.ImportResult(
        2, 0, 0
    )
    ada = stored(session, course)["ada@example.org"]
    assert (ada.state, ada.confirmed_at, ada.waiting) == (SignupState.CONFIRMED, AT, False)
    assert answers_of(ada) == plan.rows[0].answers
    assert session.scalar(select(func.count(Mail.id))) == 0
    session.refresh(course, ["interests"])
    assert sorted(interest.key for interest in course.interests) == ["jazz", "rock"]


def test_import_is_refused_whole_while_a_row_is(session: Session) -> None:
    course = make_course(session)
    plan = dry_run(session, course, GOOD, GOOD | {"email": "x"})
    assert plan.counts == {Action.ADD: 1, Action.CHANGE: 0, Action.SAME: 0, Action.REFUSE: 1}
    with pytest.raises(imports.RowsRefused):
        imports.apply(session, course, plan, leave_out_refused=False, at=AT)
    assert stored(session, course) == {}


def test_import_leaves_out_refused_rows_when_told_to(session: Session) -> None:
    course = make_course(session)
    plan = dry_run(session, course, GOOD, GOOD | {"email": "x"})
    result = imports.apply(session, course, plan, leave_out_refused=True, at=AT)
    assert result == imports.ImportResult(1, 0, 1)
    assert list(stored(session, course)) == ["ada@example.org"]


def test_import_again_is_all_the_same(session: Session) -> None:
    course = make_course(session)
    content = native.write(sample.people(20, 3)).encode()
    first = imports.dry_run(session, course, content, "a.csv")
    imports.apply(session, course, first, leave_out_refused=False, at=AT)
    session.expire_all()
    again = imports.dry_run(session, course, content, "a.csv")
    assert again.counts == {Action.ADD: 0, Action.CHANGE: 0, Action.SAME: 20, Action.REFUSE: 0}


def test_import_changes_only_what_the_file_has_columns_for(session: Session) -> None:
    course = make_course(session)
    signup = make_signup(
        session,
        course,
        ("Jazz",),
        email="ada@example.org",
        name="Ada",
        goal="Listen",
        avoids=["b@example.org"],
    )
    row = {"email": "ada@example.org", "time_zone": "Asia/Tokyo", "availability": "Mon 18:00-21:00"}
    plan = dry_run(session, course, row, columns=native.REQUIRED)
    assert [(each.action, each.changes) for each in plan.rows] == [(Action.CHANGE, ("time_zone",))]
    imports.apply(session, course, plan, leave_out_refused=False, at=AT)
    assert (signup.name, signup.time_zone, signup.goal) == ("Ada", "Asia/Tokyo", "Listen")
    assert signup.avoids == ["b@example.org"]
    assert [interest.label for interest in signup.interests] == ["Jazz"]


def test_import_confirms_a_pending_sign_up(session: Session) -> None:
    course = make_course(session)
    signup = make_signup(
        session, course, email="ada@example.org", state=SignupState.PENDING, confirmed_at=None
    )
    plan = dry_run(session, course, GOOD | {"name": signup.name, "languages": "English"})
    assert plan.rows[0].changes == ("confirmed",)
    imports.apply(session, course, plan, leave_out_refused=False, at=AT)
    assert (signup.state, signup.confirmed_at) == (SignupState.CONFIRMED, AT)


def test_import_does_not_bring_back_who_has_withdrawn(session: Session) -> None:
    course = make_course(session)
    signup = make_signup(session, course, email="ada@example.org", state=SignupState.WITHDRAWN)
    plan = dry_run(session, course, GOOD)
    (row,) = plan.rows
    assert (row.action, row.problems[0].column) == (Action.REFUSE, "email")
    imports.apply(session, course, plan, leave_out_refused=True, at=AT)
    assert signup.state is SignupState.WITHDRAWN


def test_import_beyond_the_capacity_waits(session: Session) -> None:
    course = make_course(session, capacity=3)
    make_signup(session, course)
    rows = [GOOD | {"email": f"l{number}@example.org"} for number in range(4)]
    plan = dry_run(session, course, *rows)
    assert [row.waiting for row in plan.rows] == [False, False, True, True]
    assert plan.rows[2].notes == ("The course is full; this learner goes to the waiting list.",)
    imports.apply(session, course, plan, leave_out_refused=False, at=AT)
    assert sum(signup.waiting for signup in stored(session, course).values()) == 2


def test_import_looks_again_at_the_places_left(session: Session) -> None:
    course = make_course(session, capacity=1)
    plan = dry_run(session, course, GOOD)
    make_signup(session, course)
    imports.apply(session, course, plan, leave_out_refused=False, at=AT)
    assert stored(session, course)["ada@example.org"].waiting is True


def test_import_of_a_row_without_a_required_answer(session: Session) -> None:
    course = make_course(session)
    next(each for each in course.questions if each.key == "goal").required = True
    plan = dry_run(session, course, GOOD, columns=(*native.REQUIRED, "name"))
    assert plan.rows[0].problems == (tables.Problem("goal", "This course needs an answer here."),)


def test_person_named_who_has_not_signed_up_is_noted_and_kept(session: Session) -> None:
    course = make_course(session)
    plan = dry_run(session, course, GOOD | {"works_with": "late@example.org"})
    assert plan.rows[0].notes == ("late@example.org has not signed up; if they do, the wish counts.",)
    assert plan.rows[0].answers is not None
    assert plan.rows[0].answers.works_with == ("late@example.org",)


def test_name_falls_back_to_the_address(session: Session) -> None:
    plan = dry_run(session, make_course(session), GOOD | {"name": ""})
    assert plan.rows[0].answers is not None
    assert plan.rows[0].answers.name == "ada"


def test_number_of_look_ups_does_not_grow_with_the_rows(session: Session, count_queries: list[str]) -> None:
    counts = []
    for n in (1, 30):
        course = make_course(session)
        content = native.write([replace(each, interests=("x",)) for each in sample.people(n, 1)]).encode()
        count_queries.clear()
        plan = imports.dry_run(session, course, content, "a.csv")
        imports.apply(session, course, plan, leave_out_refused=False, at=AT)
        counts.append(sum(not statement.startswith("INSERT") for statement in count_queries))
    assert counts[0] == counts[1]

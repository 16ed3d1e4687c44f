"""Files of sign-ups: every way a row or a file can be wrong, and what an import stores."""

from __future__ import annotations

import csv
import io
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from cohorts import availability, imports, native, sample, tables
from cohorts.answers import Answers, answers_of, check, time_zones
from cohorts.exceptions import UnreadableFile
from cohorts.imports import Action
from cohorts.models import Course, Experience, Mail, Signup, SignupState
from tests.factories import make_course, make_signup

AT = datetime(2026, 12, 1, tzinfo=UTC)
GOOD = {"name": "Ada", "email": "ada@example.org", "time_zone": "UTC", "availability": "Mon 18:00-21:00"}


def file_of(*rows: dict[str, str], columns: tuple[str, ...] = native.COLUMNS) -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def problems_of(content: bytes) -> list[tuple[int, str, str]]:
    course = Course(questions=[])
    entries = native.read(content).entries
    checked = [native.checked(each, each.answers, course) if each.answers else each for each in entries]
    return [(entry.line, problem.column, problem.message) for entry in checked for problem in entry.problems]


@pytest.mark.parametrize(
    ("column", "cell", "message"),
    [
        ("availability", "Mon 25:00-26:00", "'Mon 25:00-26:00' has a time that does not exist: 25:00."),
        ("availability", "Mon 18:75-19:00", "'Mon 18:75-19:00' has a time that does not exist: 18:75."),
        (
            "availability",
            "Mon 25:00",
            "'Mon 25:00' is not a day and hours. Write them like Mon 18:00-21:00; Sat 09:00-12:00.",
        ),
        (
            "availability",
            "Montag 18-20",
            "'Montag 18-20' is not a day and hours. Write them like Mon 18:00-21:00; Sat 09:00-12:00.",
        ),
        (
            "availability",
            "Mon 18:00-18:10",
            "'Mon 18:00-18:10' is not on the half hour: 18:10. Use times such as 18:00 or 18:30.",
        ),
        (
            "availability",
            "Mon 18:00-18:00",
            "'Mon 18:00-18:00' ends when it starts. For a whole day write 00:00-24:00.",
        ),
        (
            "availability",
            "Mon 24:00-02:00",
            "'Mon 24:00-02:00' starts at 24:00. Write it as 00:00 of the next day.",
        ),
        ("availability", "", "Mark at least one half hour when you are free."),
        (
            "time_zone",
            "Europe/Berlim",
            "'Europe/Berlim' is not a time zone of the IANA list, such as Europe/Berlin. "
            "Is Europe/Berlin meant?",
        ),
        (
            "time_zone",
            "new york",
            "'new york' is not a time zone of the IANA list, such as Europe/Berlin. "
            "Is America/New_York meant?",
        ),
        ("time_zone", "qqqq", "'qqqq' is not a time zone of the IANA list, such as Europe/Berlin."),
        ("time_zone", "", "Choose your time zone."),
        ("hours_per_week", "40+", "'40+' is not a number of hours, such as 5 or 7.5."),
        ("hours_per_week", "9-10 hours", "'9-10 hours' is not a number of hours, such as 5 or 7.5."),
        ("hours_per_week", "nan", "'nan' is not a number of hours, such as 5 or 7.5."),
        ("hours_per_week", "200", "Give a number of hours from 0 to 168."),
        ("email", "ada", "This is not an e-mail address. It should look like name@example.org."),
        ("email", "", "Tell us your e-mail address."),
        ("experience", "expert", "'expert' is not one of: beginner, intermediate, advanced."),
        ("convenor", "perhaps", "'perhaps' is neither yes nor no."),
        ("works_with", "bob", "“bob” is not an e-mail address."),
        ("avoids", "ada@example.org", "This is your own address; name other people."),
    ],
)
def test_row_with_a_wrong_cell(column: str, cell: str, message: str) -> None:
    bob = GOOD | {"email": "bob@example.org"}
    found = problems_of(file_of(bob, {**GOOD, column: cell}))
    assert (3, column, message) in found
    assert {line for line, _, _ in found} == {3}


def test_row_with_several_wrong_cells_names_them_all() -> None:
    row = GOOD | {"time_zone": "Mars", "hours_per_week": "many", "availability": "always"}
    assert [column for _, column, _ in problems_of(file_of(row))] == [
        "time_zone",
        "availability",
        "hours_per_week",
    ]


def test_row_with_too_few_cells() -> None:
    content = b"email,time_zone,availability\nada@example.org,UTC\n"
    assert problems_of(content) == [(2, "row", "This row has 2 cells, but the header has 3.")]


def test_row_with_too_many_cells() -> None:
    content = b"email,time_zone,availability\nada@example.org,UTC,Mon 18-20,x\n"
    assert problems_of(content) == [(2, "row", "This row has 4 cells, but the header has 3.")]


def test_address_twice_is_refused_on_the_later_row() -> None:
    content = file_of(GOOD, GOOD | {"email": "bob@example.org"}, GOOD | {"email": "ADA@example.org"})
    assert problems_of(content) == [(4, "email", "ada@example.org is on line 2 already.")]


def test_line_numbers_are_the_files_own_despite_newlines_in_cells_and_blank_lines() -> None:
    content = (
        b'email,time_zone,availability,goal\n\na@example.org,UTC,Mon 18-20,"one\ntwo\nthree"\n,,,\n'
        b"b@example.org,UTC,never,\n"
    )
    assert [line for line, _, _ in problems_of(content)] == [7]
    assert native.read(content).entries[0].answers == Answers(
        name="a",
        email="a@example.org",
        time_zone="UTC",
        availability=frozenset(range(36, 40)),
        goal="one\ntwo\nthree",
    )


@pytest.mark.parametrize(
    ("content", "line", "message"),
    [
        (b"", 1, "The file is empty."),
        (b" \r\n\r\n", 1, "The file is empty."),
        (b"\xef\xbb\xbf", 1, "The file is empty."),
        (b"email,time_zone,availability\n", 1, "The file has a header but no rows below it."),
        (
            b"email,time_zone,availability\na@example.org,UTC,Mon\0 18-20\n",
            2,
            "Line 2 holds a NUL byte, so this is not a text file. Save it as CSV (UTF-8).",
        ),
        (
            b"name,email\nAda,a@example.org\n",
            1,
            "The first line has no column time_zone, availability. It must name the columns, "
            "separated by commas, semicolons or tabs.",
        ),
        (
            b"email,Time zone,availability,time_zone\na,b,c,d\n",
            1,
            "The header names the column time_zone twice. Rename or remove one.",
        ),
        (
            b"email,time_zone,availability,Other,other\na,b,c,d,e\n",
            1,
            "The header names the column other twice. Rename or remove one.",
        ),
        (
            b'email,time_zone,availability\na@example.org,UTC,"Mon 18-20\n',
            2,
            'A quotation mark (") opened on line 2 is never closed.',
        ),
        (b"PK\x03\x04abc", 1, "This is a workbook, not a CSV file. Save the sheet as CSV and use that."),
        (
            b"email,time_zone,availability\n\x81\x8d\x8f\n",
            1,
            "The letters of this file cannot be read. Save it as CSV (UTF-8).",
        ),
        (
            b"email,time_zone,availability,goal\na@example.org,UTC,Mon 18-20," + b"x" * 1_000_000 + b"\n",
            2,
            "Line 2 holds a cell of more than 131,072 characters.",
        ),
    ],
    ids=lambda value: value[:20] if isinstance(value, bytes) else None,
)
def test_file_that_cannot_be_read(content: bytes, line: int, message: str) -> None:
    with pytest.raises(tables.MalformedFile) as caught:
        native.read(content)
    assert (caught.value.line, str(caught.value)) == (line, message)
    assert isinstance(caught.value, UnreadableFile)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_file_as_programs_save_it(encoding: str, newline: str, delimiter: str) -> None:
    rows = [["Time Zone", "E_mail", "AVAILABILITY", "name"], ["UTC", "a@example.org", "Mon 18–20", "Zoë"]]
    rows[0][1] = "Email"
    content = newline.join(delimiter.join(row) for row in rows).encode(encoding)
    (entry,) = native.read(content).entries
    assert entry.problems == ()
    assert entry.answers == Answers(
        name="Zoë", email="a@example.org", time_zone="UTC", availability=frozenset(range(36, 40))
    )


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("US/Eastern", "America/New_York"),
        ("Etc/UTC", "UTC"),
        ("GB", "Europe/London"),
        ("Asia/Calcutta", "Asia/Calcutta"),
    ],
)
def test_old_name_of_a_time_zone_is_understood(old: str, new: str) -> None:
    (entry,) = native.read(file_of(GOOD | {"time_zone": old})).entries
    assert entry.answers is not None
    assert (entry.problems, entry.answers.time_zone) == ((), new)


def test_unknown_columns_are_reported() -> None:
    content = b"email,time_zone,availability,Shoe size,\na@example.org,UTC,Mon 18-20,42,\n"
    found = native.read(content)
    assert found.unknown == ("Shoe size", "column 5 (no heading)")
    assert found.entries[0].problems == ()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Mon 18:00-21:00", set(range(36, 42))),
        ("monday 18-20", set(range(36, 40))),
        ("Tue 23:00-01:00", {94, 95, 96, 97}),
        ("Sun 23:00-24:00", {334, 335}),
        ("Sun 23:30-00:30", {335, 0}),
        ("Mon 00:00-00:00", set(range(48))),
        ("Mon 18:00–20:00;", set(range(36, 40))),
        ("Mon 18:00 — 20:00; Mon 19:00-20:30", set(range(36, 41))),
        ("", set()),
    ],
)
def test_availability_as_it_is_written(text: str, expected: set[int]) -> None:
    assert availability.parse(text) == expected


@given(st.frozensets(st.integers(0, 335)))
def test_availability_is_read_back_as_written(slots: frozenset[int]) -> None:
    assert availability.parse(availability.write(slots)) == slots


plain = st.text(
    st.characters(blacklist_categories=("Cc", "Cs", "Zl", "Zp"), blacklist_characters=";"), max_size=40
)
addresses = st.from_regex(r"[a-z0-9=+-][a-z0-9]{0,8}@example\.org", fullmatch=True)
answers = st.builds(
    Answers,
    name=plain.filter(str.strip),
    email=addresses,
    time_zone=st.sampled_from(sorted(time_zones())),
    availability=st.frozensets(st.integers(0, 335), min_size=1),
    languages=st.lists(plain, max_size=4),
    interests=st.lists(plain, max_size=4),
    experience=st.sampled_from([None, *Experience]),
    hours_per_week=st.none() | st.floats(0, 168),
    goal=st.text(st.characters(blacklist_categories=("Cc", "Cs"), whitelist_characters="\n\t"), max_size=60),
    can_help_with=st.lists(plain, max_size=3),
    wants_help_with=st.lists(plain, max_size=3),
    works_with=st.lists(addresses, max_size=3),
    avoids=st.just(()),
    convenor=st.booleans(),
)


@given(st.lists(answers, min_size=1, max_size=5, unique_by=lambda each: each.email))
def test_sign_ups_are_read_back_as_written(people: list[Answers]) -> None:
    entries = native.read(native.write(people).encode()).entries
    assert [entry.answers for entry in entries] == people
    assert [entry.problems for entry in entries] == [()] * len(people)


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    header = b"email,time_zone,availability\n"
    for each in (content, header + content):
        with suppress(UnreadableFile):
            native.read(each)


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@x", "'=1", "''@x", "'plain"])
def test_formula_stays_text_and_comes_back(cell: str) -> None:
    written = tables.as_text(cell)
    assert not written.startswith(("=", "+", "-", "@"))
    assert tables.from_text(written) == cell


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


def test_every_sample_sign_up_passes_the_forms_rules() -> None:
    course = Course(questions=[])
    assert [check(each, course) for each in sample.people(500, 2)] == [{}] * 500

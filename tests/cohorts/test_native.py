"""The native columns: every way a row or a file can be wrong, and the way there and back."""

from __future__ import annotations

import csv
import io
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cohorts import availability, native, sample, tables
from cohorts.answers import Answers, check, time_zones
from cohorts.exceptions import UnreadableFile
from cohorts.models import Course
from cohorts.questions import Experience

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
        ("availability", "", "No time is marked yet. Mark every half hour in which you could meet."),
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
    if_needed=st.frozensets(st.integers(0, 335)),
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


def test_every_sample_sign_up_passes_the_forms_rules() -> None:
    course = Course(questions=[])
    assert [check(each, course) for each in sample.people(500, 2)] == [{}] * 500

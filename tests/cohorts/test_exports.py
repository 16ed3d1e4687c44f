"""Rosters as files, read back by other means than they were written with."""

from __future__ import annotations

import csv
import io
import json
import shutil
import subprocess
import tracemalloc
from itertools import groupby, repeat
from pathlib import Path

import icalendar
import openpyxl
import pytest
import vobject
from python_calamine import CalamineWorkbook
from sqlalchemy.orm import Session

from cohorts import exports, roster
from cohorts.exceptions import InvalidInput
from cohorts.exports import FORMATS, Choice
from cohorts.models import Course
from cohorts.questions import Counts, CustomQuestion, Kind
from cohorts.roster_rows import COLUMNS, RosterRow
from tests.cohorts.test_roster import publish
from tests.factories import ask, make_cohort, make_course, make_signup

HOSTILE = {
    "=1+1": "'=1+1",
    "+cmd": "'+cmd",
    "-2": "'-2",
    "@SUM(A1)": "'@SUM(A1)",
    "a\nb": "a\nb",
    'say "hi", you': 'say "hi", you',
    "http://x.example": "http://x.example",
    "'=x": "''=x",
    "\t=1": "'\t'=1",
    "a;=1+1": "a;'=1+1",
    "b, +1": "b, '+1",
}
"""Names, and what becomes of them in a table: formulas are text, wherever a spreadsheet cuts the line."""
FORMULA = ("=", "+", "-", "@", "\t", "\r")

HEADERS = {
    "csv": "cohort,name,email,time_zone,meeting,reason,languages,interests,"
    "can_help_with,wants_help_with,convenor",
    "mail-merge": "first_name,name,email,cohort,meeting,time_zone,others,channel,reason",
    "canvas": "canvas_user_id,user_id,login_id,group_name,canvas_group_id,group_id",
    "moodle-groups": "groupname,description,groupingname",
    "moodle-users": "username,course1,group1",
    "moodle-members": "email,group,grouping",
    "catme": "First,Last,Email,ID,Team",
    "gruepr": "Section\tTeam\tName\tEmail",
}
"""The first line of each table, as the program that reads it wants it, letter by letter."""

KEYS = {
    "canvas": {"login_id"},
    "moodle-users": {"username", "course1"},
    "moodle-members": {"email"},
    "catme": {"Email", "ID"},
}
"""Columns that another system looks up."""


@pytest.fixture
def course(session: Session) -> Course:
    """A published course, one of whose learners has a hostile name for each kind."""
    course = make_course(session)
    run = publish(session, course, ["UTC"] * len(HOSTILE))
    for membership, name in zip(run.cohorts[0].memberships, HOSTILE, strict=True):
        membership.signup.name = name
    session.flush()
    return course


def table(session: Session, course: Course, name: str, choice: Choice | None = None) -> list[dict[str, str]]:
    """Return the rows of a table, by the heading."""
    text = FORMATS[name](session, course, choice).decode("utf-8-sig")
    delimiter = "\t" if name == "gruepr" else ","
    return list(csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True))


@pytest.mark.parametrize("name", FORMATS)
def test_export_never_tells_whom_somebody_avoids(session: Session, course: Course, name: str) -> None:
    assert b"secret@example.org" not in FORMATS[name](session, course)


@pytest.mark.parametrize("name", FORMATS)
def test_export_before_anything_is_published(session: Session, name: str) -> None:
    assert FORMATS[name](session, make_course(session))


@pytest.mark.parametrize("name", HEADERS)
def test_header_is_what_the_other_program_wants(session: Session, course: Course, name: str) -> None:
    first = FORMATS[name](session, course).decode("utf-8-sig").splitlines()[0]
    assert first == HEADERS[name]


@pytest.mark.parametrize("name", HEADERS)
def test_no_cell_of_a_table_is_a_formula(session: Session, course: Course, name: str) -> None:
    found = table(session, course, name)
    assert found
    cells = [cell for row in found for column, cell in row.items() if column not in KEYS.get(name, ())]
    assert [cell for cell in cells if cell.startswith(FORMULA)] == []


def test_csv_is_read_back_and_formulas_are_text(session: Session, course: Course) -> None:
    text = FORMATS["csv"](session, course).decode()
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    expected = list(roster.stream(session, course))
    assert [row["email"] for row in rows] == [row.email for row in expected]
    assert [row["name"] for row in rows] == [HOSTILE.get(row.name, row.name) for row in expected]
    assert {row.name for row in expected} >= set(HOSTILE)


def test_xlsx_is_read_back_and_formulas_are_text(session: Session, course: Course) -> None:
    content = FORMATS["xlsx"](session, course)
    header, *rows = openpyxl.load_workbook(io.BytesIO(content))["Roster"].iter_rows()
    expected = list(roster.stream(session, course))
    assert [cell.value for cell in header] == list(COLUMNS)
    assert [row[1].value for row in rows] == [row.name for row in expected]
    assert {cell.data_type for row in rows for cell in row if cell.value is not None} == {"s"}
    assert [row[1].hyperlink for row in rows] == [None] * len(rows)
    others = CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_name("Roster").to_python()
    assert [line[1] for line in others[1:]] == [row.name for row in expected]


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_spreadsheets_run_no_formula(session: Session, course: Course, tmp_path: Path) -> None:
    """LibreOffice opens every table and takes no cell for a formula, as it does where one is."""
    folder = tmp_path / "files"
    folder.mkdir()
    (folder / "formula.csv").write_text("a,b\nx,=1+1\n")
    for name, made in FORMATS.items():
        ending = made.suffix.rpartition(".")[2]
        if ending in ("csv", "tsv", "xlsx"):
            # A table of tabs is read as one of commas is.
            (folder / f"{name}.{'csv' if ending == 'tsv' else ending}").write_bytes(made(session, course))
    found = opened_by_libreoffice(folder)
    assert len(found) == 10
    assert {name for name, sheet in found.items() if "table:formula" in sheet} == {"formula"}
    nameless = {"formula", "canvas", "moodle-groups", "moodle-users", "moodle-members"}
    assert {name for name, sheet in found.items() if "SUM(A1)" not in sheet} == nameless


def opened_by_libreoffice(folder: Path) -> dict[str, str]:
    """Return what LibreOffice makes of the tables in a folder, as XML, by their names."""
    office = shutil.which("soffice")
    assert office is not None, "LibreOffice is missing; type: apt-get install libreoffice-calc-nogui"
    profile = f"-env:UserInstallation={(folder / 'profile').as_uri()}"
    # Commas and tabs separate, a quotation mark encloses, UTF-8, every column as it comes.
    as_text = "--infilter=Text - txt - csv (StarCalc):44/9,34,76,1,,0,false,true,false,false,false,-1"
    for pattern, options in (("*.csv", [as_text]), ("*.xlsx", [])):
        command = [office, profile, "--headless", *options, "--convert-to", "fods", "--outdir", str(folder)]
        command += [str(file) for file in folder.glob(pattern)]
        subprocess.run(command, check=True, capture_output=True, timeout=120)
    return {file.stem: file.read_text() for file in folder.glob("*.fods")}


def test_json_is_read_back(session: Session, course: Course) -> None:
    document = json.loads(FORMATS["json"](session, course))
    assert document["course"]["slug"] == course.slug
    assert [row["name"] for row in document["roster"]] == [row.name for row in roster.stream(session, course)]
    assert document["roster"][0]["interests"] == ["Jazz"]


def test_calendar_of_a_roster_has_the_meetings_of_each_cohort(session: Session) -> None:
    course = make_course(session, weeks=3)
    run = publish(session, course, ["UTC"], ["Asia/Tokyo"])
    content = FORMATS["ics"](session, course)
    uids = [f"{cohort.key}-{week}@cohorts" for cohort in run.cohorts for week in (1, 2, 3)]
    assert [event.uid.value for event in vobject.readOne(content.decode()).vevent_list] == uids
    parsed = icalendar.Calendar.from_ical(content)
    assert [str(event["UID"]) for event in parsed.walk("VEVENT")] == uids
    assert parsed.errors == []


def test_columns_are_chosen_and_ordered(session: Session, course: Course) -> None:
    choice = Choice(columns=("email", "name"))
    assert list(table(session, course, "csv", choice)[0]) == ["email", "name"]
    book = openpyxl.load_workbook(io.BytesIO(FORMATS["xlsx"](session, course, choice)))
    assert [cell.value for cell in next(book["Roster"].iter_rows())] == ["email", "name"]
    assert list(json.loads(FORMATS["json"](session, course, choice))["roster"][0]) == ["email", "name"]


@pytest.mark.parametrize("name", FORMATS)
def test_one_cohort_alone(session: Session, name: str) -> None:
    course = make_course(session)
    first, second = publish(session, course, ["UTC", "UTC"], ["UTC", "UTC"]).cohorts
    content = FORMATS[name](session, course, Choice(cohort=second.key))
    if name == "xlsx":
        content = str(
            CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(0).to_python()
        ).encode()
    assert second.name.encode() in content
    assert first.name.encode() not in content
    assert b"Lonely" not in content


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        (Choice(cohort="no such"), "cohort"),
        (Choice(columns=("shoe size",)), "columns"),
        (Choice(login="shoes"), "login"),
        (Choice(their_course="a\nb"), "their_course"),
    ],
)
def test_choice_that_does_not_fit(session: Session, course: Course, wrong: Choice, field: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        FORMATS["csv"](session, course, wrong)
    assert list(refused.value.errors) == [field]


def test_cohort_of_another_course_is_not_there(session: Session, course: Course) -> None:
    other = make_cohort(session, make_signup(session, make_course(session)))
    with pytest.raises(InvalidInput):
        FORMATS["csv"](session, course, Choice(cohort=other.key))


def login_question() -> CustomQuestion:
    return CustomQuestion(key="login", kind=Kind.TEXT, label="Your login", counts=Counts.SHOWN)


@pytest.mark.parametrize(
    ("login", "written"),
    [
        ("ada.l", "ada.l"),
        ("-ada", "-ada"),
        ("+491234", "+491234"),
        ("@ada@uni.example", "@ada@uni.example"),
        ('=HYPERLINK("http://x.example")', '\'=HYPERLINK("http://x.example")'),
        ("+cmd|'/c calc'!A0", "'+cmd|'/c calc'!A0"),
        ("-SUM(A1)", "'-SUM(A1)"),
    ],
)
def test_logins_stay_as_they_are_unless_they_can_do_harm(session: Session, login: str, written: str) -> None:
    course = ask(session, make_course(session), login_question())
    make_cohort(session, make_signup(session, course, name="Ada", custom={"login": login}))
    choice = Choice(login="login", their_course="MUS-1")
    assert table(session, course, "canvas", choice)[0]["login_id"] == written
    assert table(session, course, "catme", choice)[0]["ID"] == written
    users = table(session, course, "moodle-users", choice)[0]
    assert (users["username"], users["course1"]) == (written.lower(), "MUS-1")


def test_canvas_has_one_key_of_the_learner_and_one_of_the_group(session: Session) -> None:
    course = make_course(session)
    learner = make_signup(session, course, email="+ada@example.org")
    make_cohort(session, learner, name="Early, birds")
    (row,) = table(session, course, "canvas")
    filled = {column: cell for column, cell in row.items() if cell}
    assert filled == {"login_id": "+ada@example.org", "group_name": "Early, birds"}
    (row,) = table(session, course, "canvas", Choice(login="local"))
    assert row["login_id"] == "+ada"


def test_moodle_files_survive_a_reader_that_splits_at_commas(session: Session) -> None:
    course = make_course(session)
    make_cohort(session, make_signup(session, course), name='Early, "quick" birds')
    header, line = FORMATS["moodle-groups"](session, course).decode().splitlines()
    assert len(line.split(",")) == len(header.split(",")) == 3
    assert line.split(",")[0].replace("&#44", ",") == "Early, ”quick” birds"
    assert '"' not in line
    (user,) = table(session, course, "moodle-users")
    (member,) = table(session, course, "moodle-members")
    assert user["group1"] == member["group"] == "Early, ”quick” birds"
    assert member["grouping"] == "Cohorts"


@pytest.mark.parametrize(
    ("name", "first", "last"),
    [
        ("Ada Lovelace", "Ada", "Lovelace"),
        ("Ivo", "Ivo", "Ivo"),
        ("Maria da Silva", "Maria da", "Silva"),
        ("Wolfeschlegelsteinhausenbergerdorff X", "Wolfeschlegelsteinha", "X"),
        ("=Ada Lovelace", "'=Ada", "Lovelace"),
    ],
)
def test_catme_wants_two_short_names(session: Session, name: str, first: str, last: str) -> None:
    course = make_course(session)
    make_cohort(session, make_signup(session, course, name=name))
    (row,) = table(session, course, "catme")
    assert (row["First"], row["Last"]) == (first, last)
    assert max(len(row["First"]), len(row["Last"])) <= 20


def test_gruepr_table_is_plain(session: Session) -> None:
    course = make_course(session)
    learner = make_signup(session, course, name="Ada\tLovelace")
    cohort = make_cohort(session, learner)
    content = FORMATS["gruepr"](session, course).decode()
    assert content == f"Section\tTeam\tName\tEmail\n\t{cohort.name}\tAda Lovelace\t{learner.email}\n"


def test_mail_merge_names_the_others(session: Session) -> None:
    course = make_course(session)
    ada, ben = (make_signup(session, course, name=name) for name in ("Ada Lovelace", "Ben Okafor"))
    make_cohort(session, ada, ben, channel="https://chat.example.org/room")
    make_signup(session, course, name="Late Comer")
    first, second, third = table(session, course, "mail-merge")
    assert (first["first_name"], first["others"], second["others"]) == ("Ada", "Ben Okafor", "Ada Lovelace")
    assert first["channel"] == "https://chat.example.org/room"
    assert (third["others"], third["channel"]) == ("", "")
    assert third["reason"]


def test_text_has_a_paragraph_for_each_cohort(session: Session) -> None:
    course = make_course(session, title="Singing")
    ada = make_signup(session, course, name="Ada", email="ada@example.org")
    make_cohort(session, ada, name="Larks", channel="https://chat.example.org/room")
    make_signup(session, course, name="Late Comer", email="late@example.org")
    assert FORMATS["txt"](session, course).decode().splitlines() == [
        "Singing",
        "",
        "Larks",
        "Monday 19:00–20:30 (Europe/Berlin)",
        "https://chat.example.org/room",
        "  Ada  ada@example.org  Monday 18:00–19:30",
        "",
        "Without a cohort",
        f"  Late Comer  late@example.org  {roster.NOT_MATCHED_YET}",
    ]


def test_choice_is_kept_in_plain_values() -> None:
    choice = Choice(cohort="a", columns=("name", "email"), login="local", their_course="MUS-1")
    assert Choice.from_json(json.loads(json.dumps(choice.as_json()))) == choice
    assert Choice.from_json({"a field of a later version": 1}) == Choice()


def test_learners_are_read_a_few_at_a_time(session: Session, count_queries: list[str]) -> None:
    course = make_course(session)
    make_cohort(session, *(make_signup(session, course) for _ in range(50)))
    session.commit()
    read_before = [len(count_queries) for _row in roster.stream(session, course, batch=10)]
    assert [len([*same]) for _count, same in groupby(read_before)] == [10] * 5


@pytest.mark.parametrize("name", ["csv", "xlsx", "json", "canvas", "gruepr"])
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_export_of_thousands_takes_little_memory(
    session: Session, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = RosterRow(cohort="A", name="x" * 900, email="a@example.org", time_zone="UTC", meeting="", reason="")
    monkeypatch.setattr(roster, "stream", lambda *_: repeat(row, 4000))
    course = make_course(session)
    FORMATS[name](session, course, Choice(columns=("name",)))  # whatever is loaded once is loaded now
    tracemalloc.start()
    pieces = [len(piece) for piece in FORMATS[name].stream(session, course, Choice(columns=("name",)))]
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(pieces) >= 1
    assert peak < 1_500_000
    if name in ("csv", "json", "gruepr"):
        assert sum(pieces) > 4000 * 900


def test_names_and_columns_say_the_same() -> None:
    assert tuple(exports.NAMES) == COLUMNS

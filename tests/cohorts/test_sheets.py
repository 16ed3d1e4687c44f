"""Spreadsheets of every kind, those meant to do harm among them: read whole, or refused in plain words."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from datetime import date, datetime, time

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cohorts import sheets
from cohorts.readings import layout_of
from cohorts.sheets import Line, Sheet
from cohorts.tables import MalformedFile
from tests.tool_files import xlsx_of

CELLS = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0\r"), max_size=12).map(
    str.strip
)
ROWS = st.lists(st.lists(CELLS, max_size=4), min_size=1, max_size=5)


def workbook(sheet: str, **parts: str) -> bytes:
    """Return a workbook whose only sheet has this XML in it."""
    content = io.BytesIO(xlsx_of(["x", "y"]))
    with zipfile.ZipFile(content) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    head, _, rest = files["xl/worksheets/sheet1.xml"].decode().partition("<sheetData>")
    files["xl/worksheets/sheet1.xml"] = (
        parts.get("before", "") + head + sheet + rest.partition("</sheetData>")[2]
    ).encode()
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, body in files.items():
            archive.writestr(name, body)
    return content.getvalue()


def cell(place: str, inner: str, kind: str = "") -> str:
    return f'<c r="{place}"{kind}>{inner}</c>'


def bomb() -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", "<x/>")
        archive.writestr("xl/sharedStrings.xml", b"0" * (sheets.MAX_UNPACKED + 1))
    assert len(content.getvalue()) < 1_000_000
    return content.getvalue()


def laughs() -> bytes:
    entities = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 10))
    before = f'<!DOCTYPE x [<!ENTITY a0 "ha">{entities}]>'
    return workbook(f'<sheetData><row r="1">{cell("A1", "<v>&a9;</v>")}</row></sheetData>', before=before)


def zipped(name: str) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr(name, "x")
    return content.getvalue()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: b"", "The file is empty"),
        (lambda: b"\xef\xbb\xbf \r\n,,,\r\n", "The file is empty"),
        (lambda: xlsx_of([]), "The file is empty"),
        (lambda: b"a,b\n1,\x00\n", "holds a NUL byte"),
        (lambda: b'a,b\n1,"2\n', "is never closed"),
        (lambda: ",".join(f"c{n}" for n in range(10_000)).encode() + b"\n1\n", "more than 500 columns"),
        (lambda: b"a,b\n" * 200_001, "more than 100,000 rows"),
        (lambda: b"a\n" + b"x" * 200_000 + b"\n", "a cell of more than 131,072"),
        (bomb, "larger than 100 MB"),
        (laughs, "This workbook cannot be read"),
        (lambda: b"PK\x03\x04abc", "This workbook is damaged"),
        (lambda: xlsx_of(["a", "b"])[:-400], "This workbook is damaged"),
        (lambda: zipped("content.xml"), "no Excel workbook"),
        (lambda: zipped("xl/workbook.xml"), "This workbook cannot be read"),
        (lambda: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "of the kind XLS"),
        (lambda: b"%PDF-1.7", "of the kind PDF"),
        (lambda: workbook(f'<sheetData><row r="2">{cell("B2", "<f>1+1</f>")}</row></sheetData>'), "Cell B2 is a formula"),
        (lambda: workbook(f'<sheetData><row r="1">{cell("XFD1", "<v>1</v>")}</row></sheetData>'), "more than 500 columns"),
    ],
)  # fmt: skip
def test_file_that_is_refused(make: Callable[[], bytes], message: str) -> None:
    with pytest.raises(MalformedFile, match=message):
        sheets.read(make())


def test_workbook_with_wide_empty_rows_is_given_up_before_memory_is() -> None:
    row = '<row r="{0}"><c r="XFD{0}"/></row>'
    first = f'<row r="1">{cell("A1", "<v>1</v>")}</row>'
    content = workbook(f"<sheetData>{first}{''.join(row.format(n) for n in range(2, 3000))}</sheetData>")
    with pytest.raises(MalformedFile, match="more than 100,000 rows"):
        sheets.read(content)


def test_workbook_with_a_last_row_at_the_end_of_the_world() -> None:
    inner = f'<row r="1">{cell("A1", "<v>1</v>")}</row><row r="1048576">{cell("A1048576", "<v>2</v>")}</row>'
    with pytest.raises(MalformedFile, match="more than 100,000 rows"):
        sheets.read(workbook(f"<sheetData>{inner}</sheetData>"))


@pytest.mark.parametrize("content", [b"E-mail,Name\n", b"E-mail\tName\r\n\r\n", xlsx_of(["E-mail", "Name"])])
def test_file_with_only_headings(content: bytes) -> None:
    with pytest.raises(MalformedFile, match="a header but no rows"):
        layout_of(content)


def test_formula_gives_its_result_and_is_never_run() -> None:
    sheet = (
        f'<sheetData><row r="1">{cell("A1", "<f>WEBSERVICE(&quot;x&quot;)</f><v>7</v>")}</row></sheetData>'
    )
    assert sheets.read(workbook(sheet)).lines == (Line(1, ("7",)),)


def test_cells_of_a_workbook_as_texts() -> None:
    book = openpyxl.Workbook()
    book.active.append(
        [1.0, 7.5, True, date(2027, 1, 11), datetime(2027, 1, 11, 18), time(9, 30), "=x", "a\rb"]
    )
    book.active["G1"].data_type = "s"
    book.create_sheet("Notes").append(["more"])
    content = io.BytesIO()
    book.save(content)
    found = sheets.read(content.getvalue())
    assert found.lines[0].cells == (
        "1", "7.5", "TRUE", "2027-01-11", "2027-01-11 18:00:00", "09:30", "=x", "a\nb",
    )  # fmt: skip
    assert found.notes == ("Only the sheet Sheet is read, not Notes.",)


def test_control_characters_stay_for_the_answers_check_to_refuse() -> None:
    assert sheets.read(b"a,b\n\x07x,\x1b[2J\n").lines[1] == Line(2, ("\x07x", "\x1b[2J"))


def test_rows_have_the_numbers_that_a_spreadsheet_shows() -> None:
    content = b'sep=;\r\na;b\r\n\r\n"one\r\ntwo";x\r\n;\r\nlast;\r\n'
    assert sheets.read(content).lines == (
        Line(1, ("a", "b")),
        Line(3, ("one\ntwo", "x")),
        Line(5, ("last",)),
    )


@pytest.mark.parametrize(("column", "letters"), [(0, "A"), (25, "Z"), (26, "AA"), (701, "ZZ"), (702, "AAA")])
def test_letter(column: int, letters: str) -> None:
    assert sheets.letter(column) == letters


@given(ROWS)
def test_sheet_is_written_and_read_back(rows: list[list[str]]) -> None:
    lines = tuple(
        Line(number * 2, tuple(row)) for number, row in enumerate(rows, start=1) if row and row[-1] and row[0]
    )
    if lines:
        sheet = Sheet(lines)
        assert sheets.read(sheets.write(sheet)) == sheet

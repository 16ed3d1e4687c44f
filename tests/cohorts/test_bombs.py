"""Files made to swell: each is refused within a second and with little memory, in a process of its own."""

from __future__ import annotations

import io
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cohorts.test_sheets import bomb, laughs, workbook
from tests.tool_files import xlsx_of

TEN = 10_000_000
"""Bytes that an upload may have."""
MEMORY, SECONDS = 50, 1.0

CHILD = """
import re, sys, time
import openpyxl
from cohorts import sheets
from cohorts.headings import is_known
from cohorts.tables import MalformedFile

def most():
    # Not ru_maxrss: that remembers the process which started this one.
    return int(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1])

warm = open(sys.argv[2], "rb").read()
sheets.read_all(warm, is_known)
content = open(sys.argv[1], "rb").read()
before, start = most(), time.process_time()
refusal = ""
try:
    sheets.read_all(content, is_known)
except MalformedFile as error:
    refusal = str(error)
grown = (most() - before) / 1024
print(grown, time.process_time() - start, refusal, sep="\\n")
"""


def with_part(name: str, body: bytes) -> bytes:
    """Return a workbook with one part replaced."""
    content = io.BytesIO(xlsx_of(["x", "y"]))
    with zipfile.ZipFile(content) as archive:
        files = {each: archive.read(each) for each in archive.namelist()}
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for each, old in (files | {name: body}).items():
            archive.writestr(each, body if each == name else old)
    return made.getvalue()


def many_parts() -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for number in range(60_000):
            archive.writestr(str(number), "")
    return content.getvalue()


def wide_rows() -> bytes:
    first = '<row r="1"><c r="A1"><v>1</v></c></row>'
    rest = "".join(f'<row r="{n}"><c r="XFD{n}"/></row>' for n in range(2, 30_000))
    return workbook(f"<sheetData>{first}{rest}</sheetData>")


SWELLING: dict[str, Callable[[], bytes]] = {
    "one line of commas": lambda: b"," * (TEN - 1) + b"x",
    "one row of quoted line ends": lambda: b'"\n",' * (TEN // 4 - 1) + b"x",
    "short rows": lambda: b"a,b\n" * (TEN // 4),
    "blank lines": lambda: b"\n" * (TEN - 1) + b"a",
    "one cell": lambda: b"x" * TEN,
    "a quotation mark that is never closed": lambda: b'"' + b"x\n" * (TEN // 2 - 1),
    "letters of four bytes": lambda: ("a,b\n" * 100 + "\U0001f600" * (TEN // 4 - 100)).encode(),
    "rows in UTF-16": lambda: ("a,b\n" * (TEN // 8 - 1)).encode("utf-16"),
    "zeros in the table of texts": bomb,
    "short texts": lambda: with_part("xl/sharedStrings.xml", b"<si><t>x</t></si>" * 5_000_000),
    "short rows of a workbook": lambda: with_part(
        "xl/worksheets/sheet1.xml", b"<row><c><v>1</v></c></row>" * 3_500_000
    ),
    "styles": lambda: with_part("xl/styles.xml", b"<xf/>" * 3_000_000),
    "many parts": many_parts,
    "wide rows": wide_rows,
    "entities of entities": laughs,
}


def measure(folder: Path, content: bytes) -> tuple[float, float, str]:
    """Return the megabytes and seconds that reading takes, and why the file is refused."""
    (folder / "file").write_bytes(content)
    (folder / "warm").write_bytes(xlsx_of(["E-mail", "Name"], ["a@example.org", "Ann"]))
    done = subprocess.run(
        [sys.executable, "-c", CHILD, folder / "file", folder / "warm"],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    grown, seconds, refusal = done.stdout.split("\n", 2)
    return float(grown), float(seconds), refusal.strip()


@pytest.mark.parametrize("name", SWELLING)
def test_swelling_file_is_refused_in_time_and_memory(name: str, tmp_path: Path) -> None:
    content = SWELLING[name]()
    assert len(content) <= TEN + 100
    grown, seconds, refusal = measure(tmp_path, content)
    assert refusal
    assert grown <= MEMORY
    assert seconds <= SECONDS


def test_measure_sees_memory_and_time(tmp_path: Path) -> None:
    """A large file that is no bomb is read, and takes more of both."""
    grown, seconds, refusal = measure(tmp_path, b'"name, of some length",x,y\n' * 90_000)
    assert refusal == ""
    assert grown > 10
    assert seconds > 0.05

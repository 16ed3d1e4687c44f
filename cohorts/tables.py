"""Files of rows and columns as people save them: bytes in, numbered rows out."""

from __future__ import annotations

import codecs
import csv
import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from .exceptions import UnreadableFile
from .language import gettext as _
from .language import ngettext

DELIMITERS: Final = (",", ";", "\t")
MAX_WIDTH: Final = 10_000
"""Cells of one line beyond which nobody counts them any more."""
WHOLE_ROW: Final = "row"
"""Stands for the column in a problem that concerns a row as a whole."""


class MalformedFile(UnreadableFile):
    """A file makes no sense as a whole."""

    def __init__(self, message: str, line: int = 1) -> None:
        """Keep the line on which the trouble begins."""
        self.line = line
        super().__init__(message)


_UTF_16: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_FORMULA: Final = tuple("=+-@\t\r＝＋－＠")
_AFTER_SEPARATOR: Final = re.compile(r"([;,\t\r\n][\s']*)(?=[=+@＝＋－＠-])")


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong in one cell, as a plain sentence.

    Attributes:
        column: The answer it is about, or ``WHOLE_ROW``.
        message: What is wrong, and what to do.
        heading: What the file calls the column, where that is another name.
        found: What stands in the cell.
    """

    column: str
    message: str
    heading: str = ""
    found: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """One row: the line it starts on (1 is the header's) and its cells by column.

    ``problem`` is set, and ``cells`` may be incomplete, when the row does not fit the header.
    """

    line: int
    cells: dict[str, str]
    problem: Problem | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """A file that could be read: its columns and rows, and the headings that were not understood."""

    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    unknown: tuple[str, ...]


def read(content: bytes, columns: Collection[str], required: Collection[str]) -> Table:
    """Read a file whose header has the ``required`` columns and any others of ``columns``.

    Order and case of the headings are free. Rows without any text are skipped.

    Raises:
        MalformedFile: The file as a whole makes no sense; the message says why and where.
    """
    text = decode(content)
    delimiter = _delimiter(text, required)
    lines = ((line, cells) for line, cells in parse(text, delimiter) if cells)
    _line, header = next(lines)
    return of_rows(header, lines, columns)


def of_rows(header: Sequence[str], lines: Iterable[tuple[int, list[str]]], columns: Collection[str]) -> Table:
    """Return a table of the rows below a header; each comes with its number.

    Raises:
        MalformedFile: A heading stands there twice, or there are no rows.
    """
    names = [heading_key(each) for each in header]
    _refuse_repeated(names)
    rows = tuple(_row(line, names, cells, columns) for line, cells in lines if any(map(str.strip, cells)))
    if not rows:
        raise MalformedFile(_("The file has a header but no rows below it."))
    unknown = [
        _("column %(place)s (no heading)", place=place) if not name else heading.strip()
        for place, (name, heading) in enumerate(zip(names, header, strict=True), start=1)
        if name not in columns
    ]
    return Table(tuple(name for name in names if name in columns), rows, tuple(unknown))


def as_text(value: str) -> str:
    """Return a cell that no spreadsheet takes for a formula: an apostrophe goes before = + - @."""
    return f"'{value}" if value.lstrip("'").startswith(_FORMULA) else value


def as_label(value: str) -> str:
    """Return a cell of which no part is taken for a formula either, wherever a spreadsheet cuts the line.

    What separates cells is chosen by whoever opens a file, or by their country, and not by who wrote it.
    """
    return as_text(_AFTER_SEPARATOR.sub(r"\1'", value))


def from_text(value: str) -> str:
    """Return a cell without the apostrophe that ``as_text`` put before it."""
    return value[1:] if value.startswith("'") and value.lstrip("'").startswith(_FORMULA) else value


def decode(content: bytes) -> str:
    """Return the text of a file: UTF-8, marked UTF-16, or what older Windows programs write; lines end in LF.

    Raises:
        MalformedFile: It is empty, or no text.
    """
    if content.startswith(b"PK\x03\x04"):
        raise MalformedFile(_("This is a workbook, not a CSV file. Save the sheet as CSV and use that."))
    text = _decode_strictly(content).replace("\r\n", "\n").replace("\r", "\n")
    if not text.strip():
        raise MalformedFile(_("The file is empty."))
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        message = _(
            "Line %(line)s holds a NUL byte, so this is not a text file. Save it as CSV (UTF-8).", line=line
        )
        raise MalformedFile(message, line)
    return text


def _decode_strictly(content: bytes) -> str:
    encodings = ("utf-8-sig", *(["utf-16"] if content.startswith(_UTF_16) else []), "cp1252")
    for encoding in encodings:
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise MalformedFile(_("The letters of this file cannot be read. Save it as CSV (UTF-8)."))


def _delimiter(text: str, required: Collection[str]) -> str:
    """Return what separates the cells of the header: what gives most of them, all ``required`` among them."""
    header = text.lstrip("\n").partition("\n")[0]
    found = {each: {heading_key(name) for name in _cells(header, each)} for each in DELIMITERS}
    fitting = [each for each, names in found.items() if names >= set(required)]
    if fitting:
        return max(fitting, key=lambda each: len(found[each]))
    most = max(found.values(), key=lambda names: (len(names & set(required)), len(names)))
    missing = ", ".join(each for each in required if each not in most)
    raise MalformedFile(
        _(
            "The first line has no column %(missing)s. It must name the columns, separated by commas, "
            "semicolons or tabs.",
            missing=missing,
        )
    )


def _cells(line: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader([line], delimiter=delimiter), [])
    except csv.Error:
        return []


def lines_of(text: str, delimiter: str) -> Iterator[str]:
    """Yield the lines of a text with their ends, none of them copied before it is needed.

    Raises:
        MalformedFile: A line is so wide that its cells alone would fill the memory.
    """
    start, number = 0, 1
    while start < len(text):
        end = text.find("\n", start) + 1 or len(text)
        if end - start > MAX_WIDTH and text.count(delimiter, start, end) > MAX_WIDTH:
            raise MalformedFile(_("Line %(line)s has too many columns.", line=number), number)
        yield text[start:end]
        start, number = end, number + 1


def parse(text: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the line each row starts on and its cells; a blank line has none.

    Raises:
        MalformedFile: A quotation mark is where none can be, or is never closed.
    """
    reader = csv.reader(lines_of(text, delimiter), delimiter=delimiter, strict=True)
    start = 1
    while True:
        try:
            cells = next(reader, None)
        except csv.Error as error:
            raise MalformedFile(_broken(start, str(error)), start) from error
        if cells is None:
            return
        yield start, cells
        start = reader.line_num + 1


def _broken(line: int, error: str) -> str:
    """Say in plain words why the csv module gave up on the row that starts on ``line``."""
    if "field larger" in error:
        return _(
            "Line %(line)s holds a cell of more than %(most)s characters.",
            line=line,
            most=f"{csv.field_size_limit():,}",
        )
    if "unexpected end" in error:
        return _('A quotation mark (") opened on line %(line)s is never closed.', line=line)
    return _('Line %(line)s has a quotation mark (") in the wrong place: %(error)s.', line=line, error=error)


def heading_key(text: str) -> str:
    """Return a heading as columns are compared: ``Time zone`` is ``time_zone``."""
    return "_".join(text.strip().casefold().replace("-", " ").replace("_", " ").split())


def _refuse_repeated(names: list[str]) -> None:
    repeated = [name for name, times in Counter(names).items() if name and times > 1]
    if repeated:
        raise MalformedFile(
            _("The header names the column %(name)s twice. Rename or remove one.", name=repeated[0])
        )


def _row(line: int, names: list[str], cells: list[str], columns: Collection[str]) -> Row:
    known = {
        name: from_text(cell.strip()) for name, cell in zip(names, cells, strict=False) if name in columns
    }
    if len(cells) == len(names):
        return Row(line, known)
    message = ngettext(
        "This row has %(num)s cell, but the header has %(columns)s.",
        "This row has %(num)s cells, but the header has %(columns)s.",
        len(cells),
        columns=len(names),
    )
    return Row(line, known, Problem(WHOLE_ROW, message))

"""A spreadsheet as its owner sees it: CSV, TSV or XLSX in, numbered rows of texts out.

Nothing is interpreted here, and nothing of a file is run: of a formula only its result is read.
"""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from itertools import islice
from typing import Any, Final

from . import tables
from .language import gettext as _
from .tables import MalformedFile

MAX_ROWS: Final = 100_000
MAX_COLUMNS: Final = 500
MAX_CELLS: Final = 5_000_000
MAX_SHEETS: Final = 20
MAX_UNPACKED: Final = 100 * 1024 * 1024
"""A workbook is a compressed archive; a small one can unpack to more than any memory holds."""
MAX_STRINGS: Final = 40 * 1024 * 1024
"""Texts of all cells; they are held in memory, rows are not."""
MAX_PART: Final = 5 * 1024 * 1024
"""Any other part of a workbook, such as its styles."""
MAX_RATIO: Final = 100
"""What is written once shrinks to a tenth or twentieth; what shrinks to less than this was made to swell."""
MAX_PARTS: Final = 2000

DELIMITERS: Final = (*tables.DELIMITERS, "|")
_LOOKED_AT: Final = 60
"""Rows from which the delimiter is told."""
_GLANCE: Final = 1 << 18
"""Letters in which these rows must be."""

_OTHER_KINDS: Final = (
    (b"\xd0\xcf\x11\xe0", "XLS"),
    (b"%PDF", "PDF"),
    (b"\x1f\x8b", "gzip"),
    (b"\x89PNG", "PNG"),
    (b"\xff\xd8\xff", "JPEG"),
)


@dataclass(frozen=True, slots=True)
class Line:
    """A row with something in it: its number, as a spreadsheet program shows it, and its cells."""

    number: int
    cells: tuple[str, ...]

    def __getitem__(self, column: int) -> str:
        """Return a cell; beyond the last one there is nothing."""
        return self.cells[column] if column < len(self.cells) else ""


@dataclass(frozen=True, slots=True)
class Sheet:
    """The rows of a file that are not empty, what it is called in its workbook, and what was not read."""

    lines: tuple[Line, ...]
    notes: tuple[str, ...] = field(default=(), compare=False)
    title: str = field(default="", compare=False)

    @property
    def width(self) -> int:
        """Number of columns."""
        return max((len(line.cells) for line in self.lines), default=0)


def read(content: bytes, knows: Callable[[str], bool] = lambda heading: False) -> Sheet:
    """Return the rows of a file, whatever kind it is of.

    ``knows`` tells whether a text is a known heading; where the delimiter is in doubt that decides.

    Raises:
        MalformedFile: It is no spreadsheet, too large, or empty; the message says what to do.
    """
    first, *others = read_all(content, knows)
    if not others:
        return first
    titles = ", ".join(sheet.title for sheet in others)
    note = _("Only the sheet %(sheet)s is read, not %(others)s.", sheet=first.title, others=titles)
    return replace(first, notes=(*first.notes, note))


def read_all(content: bytes, knows: Callable[[str], bool] = lambda heading: False) -> tuple[Sheet, ...]:
    """Return the rows of every sheet of a file that has any, hidden sheets last.

    A sheet that cannot be read is left out, with a note on the first, unless it is the first itself.

    Raises:
        MalformedFile: It is no spreadsheet, too large, or empty; the message says what to do.
    """
    kind = next((name for start, name in _OTHER_KINDS if content.startswith(start)), None)
    if kind is not None:
        raise MalformedFile(
            _("This is a file of the kind %(kind)s. Save the sheet as XLSX or CSV.", kind=kind)
        )
    if content.startswith(b"PK\x03\x04"):
        found = _workbook(content)
    else:
        found = [Sheet(tuple(_lines(_text(content, knows))))]
    if not found or not found[0].lines:
        raise MalformedFile(_("The file is empty."))
    return tuple(found)


def write(sheet: Sheet) -> bytes:
    """Return a sheet as CSV; ``read`` gives the same rows with the same numbers back."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    width, done = max(2, sheet.width), 0
    for line in sheet.lines:
        writer.writerows([[""] * width] * (line.number - done - 1))
        writer.writerow([*map(tables.as_text, line.cells), *[""] * (width - len(line.cells))])
        done = line.number
    return text.getvalue().encode()


def to_keep(sheet: Sheet) -> bytes:
    """Return a sheet as CSV that says what separates its cells, so that nobody has to find out again."""
    return b"sep=,\n" + write(sheet)


def letter(column: int) -> str:
    """Return what a spreadsheet program calls a column that is counted from 0."""
    before, place = divmod(column, 26)
    return (letter(before - 1) if before else "") + chr(ord("A") + place)


def _lines(rows: Iterable[tuple[int, list[str]]]) -> Iterator[Line]:
    """Yield the rows that hold something, without empty cells at their end."""
    total = filled = 0
    for count, (number, cells) in enumerate(rows, start=1):
        if count > MAX_ROWS * 2:
            raise _too_many_rows()
        while cells and not cells[-1].strip():
            cells.pop()
        if not cells:
            continue
        if len(cells) > MAX_COLUMNS:
            raise MalformedFile(
                _(
                    "Row %(row)s has more than %(most)s columns. Leave out some.",
                    row=number,
                    most=MAX_COLUMNS,
                ),
                number,
            )
        total, filled = total + len(cells), filled + 1
        if total > MAX_CELLS or filled > MAX_ROWS + _LOOKED_AT:
            raise _too_many_rows()
        yield Line(number, tuple(tables.from_text(cell.strip()) for cell in cells))


def _too_many_rows() -> MalformedFile:
    return MalformedFile(_("The file has more than %(most)s rows. Split it.", most=f"{MAX_ROWS:,}"))


# Text


def _text(content: bytes, knows: Callable[[str], bool]) -> Iterator[tuple[int, list[str]]]:
    text, given = _without_hint(tables.decode(content))
    delimiter = given or _delimiter(text, knows)
    return ((number, cells) for number, (_line, cells) in enumerate(tables.parse(text, delimiter), start=1))


def _without_hint(text: str) -> tuple[str, str]:
    """Return a text and the delimiter that its first line names, which is no row then."""
    found = re.match(r"sep=(.)\n", text)
    return (text[found.end() :], found[1]) if found else (text, "")


def _delimiter(text: str, knows: Callable[[str], bool]) -> str:
    """Return what separates cells: what gives most known headings in one row, then what fits most rows."""

    def score(delimiter: str) -> tuple[int, int]:
        rows = list(islice(filter(None, _loosely(text[:_GLANCE], delimiter)), _LOOKED_AT))
        known = max((sum(map(knows, row[:MAX_COLUMNS])) for row in rows[:10]), default=0)
        widths = Counter(len(row) for row in rows)
        return known, max(((width - 1) * times for width, times in widths.items()), default=0)

    return max(DELIMITERS, key=score)


def _loosely(text: str, delimiter: str) -> Iterator[list[str]]:
    """Yield rows as far as they can be read."""
    try:
        yield from csv.reader(tables.lines_of(text, delimiter), delimiter=delimiter)
    except csv.Error:
        return


# Workbooks


def _workbook(content: bytes) -> list[Sheet]:
    """Return the sheets with anything in them; formulas give their results."""
    # Heavy, and only needed by whoever brings a workbook.
    import openpyxl

    _refuse_bomb(content)
    try:
        book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True)
        whole = None
        if _has_formulas(content):
            whole = openpyxl.load_workbook(io.BytesIO(content), read_only=True)
        filled = [each for each in book.worksheets if _is_filled((whole or book)[each.title])]
        filled.sort(key=lambda sheet: sheet.sheet_state != "visible")
        return list(_sheets(filled[:MAX_SHEETS], whole, [sheet.title for sheet in filled[MAX_SHEETS:]]))
    except MalformedFile:
        raise
    except Exception as error:  # whatever a damaged archive makes the library stumble over
        raise MalformedFile(
            _("This workbook cannot be read. Open it, save it anew as XLSX or CSV, and bring that.")
        ) from error


def _sheets(filled: list[Any], whole: Any, too_many: list[str]) -> Iterator[Sheet]:
    """Yield some sheets of a workbook; ``whole`` is the workbook with its formulas."""
    found: list[Sheet] = []
    notes = [_("The sheet %(sheet)s is not read: there are too many.", sheet=title) for title in too_many]
    for sheet in filled:
        try:
            lines = tuple(_lines(_rows(sheet, whole[sheet.title] if whole else None)))
        except MalformedFile as error:
            if not found:
                raise
            notes.append(_("The sheet %(sheet)s is not read. %(why)s", sheet=sheet.title, why=str(error)))
        else:
            if lines:
                found.append(Sheet(lines, title=sheet.title))
    if found:
        found[0] = replace(found[0], notes=tuple(notes))
    yield from found


def _rows(sheet: Any, formulas: Any) -> Iterator[tuple[int, list[str]]]:
    written = dict(enumerate(_cells_of(formulas), start=1)) if formulas else {}
    width = 0
    for number, row in enumerate(_cells_of(sheet), start=1):
        _refuse_unknown_results(number, row, written.get(number, ()))
        width += len(row)
        if width > MAX_CELLS * 2:  # empty for the most part, but there
            raise _too_many_rows()
        last = next((place for place in range(len(row), 0, -1) if row[place - 1] is not None), 0)
        yield number, [_as_text(value) for value in row[:last]]


def _cells_of(sheet: Any) -> Iterator[tuple[Any, ...]]:
    sheet.reset_dimensions()  # they are what the file says of itself, not what is in it
    rows: Iterator[tuple[Any, ...]] = sheet.iter_rows(values_only=True, max_row=MAX_ROWS * 2 + 1)
    return rows


def _is_filled(sheet: Any) -> bool:
    width = 0
    for row in _cells_of(sheet):
        width += len(row)
        if any(value is not None for value in row):
            return True
        if width > MAX_CELLS:
            break
    return False


def _refuse_bomb(content: bytes) -> None:
    """Refuse an archive by its table of contents, before anything is unpacked."""
    if content.count(b"PK\x01\x02") > MAX_PARTS:
        raise _too_large()
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            parts = archive.infolist()
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError) as error:
        raise MalformedFile(_("This workbook is damaged. Save it anew and bring that.")) from error
    if "xl/workbook.xml" not in {part.filename for part in parts}:
        raise MalformedFile(_("This archive is no Excel workbook. Save the sheet as XLSX or CSV."))
    if sum(part.file_size for part in parts) > MAX_UNPACKED or any(map(_swells, parts)):
        raise _too_large()


def _swells(part: zipfile.ZipInfo) -> bool:
    """Tell whether a part of a workbook is larger than one that people made."""
    most = MAX_STRINGS if part.filename == "xl/sharedStrings.xml" else MAX_PART
    is_free = part.filename.startswith(("xl/worksheets/", "xl/media/"))
    is_dense = part.file_size > MAX_RATIO * max(part.compress_size, 10_000)
    return is_dense or (part.file_size > most and not is_free)


def _too_large() -> MalformedFile:
    return MalformedFile(
        _(
            "Unpacked, this workbook is larger than %(most)s MB. Save the sheet as CSV, or split it.",
            most=MAX_UNPACKED // 1024 // 1024,
        )
    )


def _has_formulas(content: bytes) -> bool:
    """Tell whether a cell of any sheet is a formula."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return any(
            any(map(_FORMULA.search, _pieces(archive, part)))
            for part in archive.namelist()
            if part.startswith("xl/worksheets/")
        )


_FORMULA: Final = re.compile(rb"<(?:\w+:)?f[ >/]")


def _pieces(archive: zipfile.ZipFile, part: str) -> Iterator[bytes]:
    """Yield a part of an archive piece by piece; each begins with the end of the one before."""
    with archive.open(part) as stream:
        end = b""
        while piece := stream.read(1 << 20):
            yield end + piece
            end = piece[-64:]


def _refuse_unknown_results(number: int, row: tuple[Any, ...], formulas: tuple[Any, ...]) -> None:
    """Refuse a formula that no program has worked out; what is not there cannot be read."""
    for column, formula in enumerate(formulas):
        if formula is not None and (row[column] if column < len(row) else None) is None:
            raise MalformedFile(
                _(
                    "Cell %(cell)s is a formula without a result. Open the file, save it, and bring that.",
                    cell=f"{letter(column)}{number}",
                ),
                number,
            )


def _as_text(value: Any) -> str:
    """Return a cell as a text; whole numbers have no decimals, moments are written the ISO way."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    if isinstance(value, datetime):
        midnight = value.time() == time()
        return value.date().isoformat() if midnight else value.isoformat(sep=" ", timespec="seconds")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, time):
        return value.strftime("%H:%M")
    if isinstance(value, timedelta):
        return f"{value.seconds // 3600:02d}:{value.seconds // 60 % 60:02d}"
    return str(value).replace("\r\n", "\n").replace("\r", "\n").replace("\0", "")

"""Which tool wrote a spreadsheet: one small recogniser a dialect, and one entry in ``DIALECTS``.

A recogniser finds the header, which may be several rows, and what below it are no sign-ups.
"""

from __future__ import annotations

import codecs
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from . import clocks, native, sheets
from .headings import BUSY, IGNORED, SENT, TURNED, WRONG, Heading, Place, is_known, place, target
from .language import gettext as _
from .language import lazy_gettext as lazy
from .sheets import Line, Sheet, letter
from .tables import MalformedFile, heading_key

NATIVE: Final = "native"
HEAD_ROWS: Final = 12
"""Rows from the top among which the header is looked for."""

_FOOTERS: Final = frozenset(("count", "total", "totals", "sum", "anzahl", "nombre", "recuento", "average"))


@dataclass(frozen=True, slots=True)
class Layout:
    """Where in a sheet its columns and sign-ups are.

    Attributes:
        dialect: Key of the tool that wrote it.
        headings: One for each column.
        head: The rows above the sign-ups, as they are.
        body: The rows with sign-ups.
        left_out: Rows that are none, by their number, and why.
        fixed: Columns whose meaning the dialect knows better than their headings.
        is_grouped: Whether the row above the headings groups them.
    """

    dialect: str
    headings: tuple[Heading, ...]
    head: tuple[Line, ...]
    body: tuple[Line, ...]
    left_out: tuple[tuple[int, str], ...] = ()
    fixed: tuple[tuple[int, str], ...] = ()
    is_grouped: bool = False

    @property
    def header(self) -> int:
        """The number of the row with the headings, or ``NO_HEADER``."""
        return self.head[-1].number if self.head else NO_HEADER

    def to_mend(self, wrong: Mapping[int, str]) -> bytes:
        """Return some rows as a file like this one, each with what is wrong with it in one more column.

        A byte order mark makes spreadsheet programs read its letters right.
        """
        width = max([len(self.headings), *(len(line.cells) for line in self.body if line.number in wrong)])
        noted = [(line, WRONG if line is self.head[-1] else "") for line in self.head]
        noted += [(line, wrong[line.number]) for line in self.body if line.number in wrong]
        lines = (
            Line(number, (*line.cells, *[""] * (width - len(line.cells)), note))
            for number, (line, note) in enumerate(noted, start=1)
        )
        return codecs.BOM_UTF8 + sheets.write(Sheet(tuple(lines)))


@dataclass(frozen=True, slots=True)
class Dialect:
    """A way in which sign-ups come; ``recognise`` says None where a sheet is not of its kind."""

    label: str
    recognise: Callable[[Sheet], Layout | None]


NO_HEADER: Final = -1


def recognise(sheet: Sheet, header: int = 0, head_rows: int = 0) -> Layout:
    """Return the layout of a sheet.

    ``header`` is the number of the row with the headings where somebody has said so, or ``NO_HEADER``;
    ``head_rows`` is 2 if the row above groups them, 1 if it does not, 0 to find out.

    Raises:
        MalformedFile: There is a header and nothing below it, or no row has the number that was said.
    """
    if header:
        layout = _as_said(sheet, header, head_rows)
    else:
        found = (dialect.recognise(sheet) for dialect in DIALECTS.values())
        layout = next(each for each in found if each is not None)
    layout = _without_footer(layout)
    if not layout.body:
        raise MalformedFile(_("The file has a header but no rows below it."))
    if len(layout.body) > native.MAX_ROWS:
        raise MalformedFile(_("The file has more than %(most)s rows. Split it.", most=f"{native.MAX_ROWS:,}"))
    return layout


def _without_footer(layout: Layout) -> Layout:
    last = layout.body[-1] if layout.body else None
    if (
        last is None
        or last[0].strip(" :").casefold() not in _FOOTERS
        or any("@" in cell for cell in last.cells)
    ):
        return layout
    why = _("It counts or sums up the rows above.")
    return replace(layout, body=layout.body[:-1], left_out=(*layout.left_out, (last.number, why)))


# The header


def _is_address(cell: str) -> bool:
    return "@" in cell and "." in cell and " " not in cell


def _known(line: Line) -> tuple[bool, int]:
    """Return whether a row has a heading in words, as days and hours may be answers, and how many in all."""
    known = [cell for cell in line.cells if is_known(cell)]
    return any(place(Heading.of(cell)) == Place() for cell in known), len(known)


def _header(sheet: Sheet) -> int:
    """Return which of the rows is the header: the one with most headings that are known.

    It is not below anybody's address.
    """
    top = sheet.lines[:HEAD_ROWS]
    first = next((place for place, line in enumerate(top) if any(map(_is_address, line.cells))), len(top))
    top = top[: first + 1] if first == 0 else top[:first]
    known = [_known(line) for line in top]
    if max(known)[1]:
        return known.index(max(known))
    return next((place for place, line in enumerate(top) if sum(map(bool, line.cells)) > 1), 0)


def _as_said(sheet: Sheet, header: int, head_rows: int) -> Layout:
    """Return the layout of a sheet whose headings are in the row that somebody has said."""
    if header == NO_HEADER:
        return _without_headings(sheet, "plain", 0)
    numbers = [line.number for line in sheet.lines]
    if header not in numbers:
        raise MalformedFile(_("Row %(row)s is empty, or not there.", row=header))
    return _table(sheet, "plain", numbers.index(header), head_rows)


def _without_headings(sheet: Sheet, dialect: str, at: int) -> Layout:
    """Return the layout of a sheet whose rows begin at once, or below what is no heading."""
    width = range(max(len(line.cells) for line in sheet.lines[at:]))
    headings = tuple(Heading.of(_("Column %(letter)s", letter=letter(column))) for column in width)
    return Layout(dialect, headings, sheet.lines[:at], sheet.lines[at:])


def _table(sheet: Sheet, dialect: str, at: int | None = None, head_rows: int = 0) -> Layout:
    """Return the layout of a sheet with one row of headings, and maybe one above it that groups them."""
    is_said = at is not None and dialect == "plain"
    at = _header(sheet) if at is None else at
    header = sheet.lines[at]
    if not is_said and any(map(_is_address, header.cells)):
        return _without_headings(sheet, dialect, at)
    groups = _groups(sheet, at) if head_rows != 1 else {}
    body = sheet.lines[at + 1 :]
    headings = tuple(
        _grouped(header[column], groups.get(column, "")) for column in range(_width(header, body))
    )
    why = _("It stands above the headings.")
    above = tuple((line.number, why) for line in sheet.lines[: at - bool(groups)])
    return Layout(dialect, headings, sheet.lines[: at + 1], body, above, is_grouped=bool(groups))


def _width(header: Line, body: tuple[Line, ...]) -> int:
    """Return how many columns there are: those with a heading, unless most rows have more."""
    longer = [len(line.cells) for line in body if len(line.cells) > len(header.cells)]
    return max(longer) if len(longer) * 2 > len(body) else len(header.cells)


def _groups(sheet: Sheet, at: int) -> dict[int, str]:
    """Return what a row of merged cells above the header says of each column; a title says nothing."""
    above = sheet.lines[at - 1] if at else None
    if above is None or above.number != sheet.lines[at].number - 1 or not any(above.cells[1:]):
        return {}
    return dict(enumerate(_filled(above, sheet.width)))


def _filled(line: Line, width: int) -> Iterable[str]:
    """Yield the cells of a row of merged cells, each as far as it reaches."""
    last = ""
    for column in range(width):
        last = line[column] or last
        yield last


def _grouped(text: str, group: str) -> Heading:
    """Return a heading below a merged cell; what it says by itself is not about the cell's subject."""
    heading = Heading.of(text)
    if not group or not text or target(heading) not in (IGNORED, "availability"):
        return heading
    return Heading(f"{group}: {heading.text}", group, heading.text)


def _keys(sheet: Sheet) -> set[str]:
    return {heading_key(cell) for cell in sheet.lines[_header(sheet)].cells}


# The dialects


def _has(dialect: str, *alternatives: Iterable[str]) -> Callable[[Sheet], Layout | None]:
    """Return a recogniser of sheets whose header has all names of one of some sets."""

    def recognise(sheet: Sheet) -> Layout | None:
        keys = _keys(sheet)
        return _table(sheet, dialect) if any(keys.issuperset(each) for each in alternatives) else None

    return recognise


def _native(sheet: Sheet) -> Layout | None:
    """Return the layout of a sheet with the columns of this site, none of them twice."""
    names = [heading_key(cell) for cell in sheet.lines[0].cells if cell]
    is_native = len(names) == len(set(names)) and set(names).issuperset(native.REQUIRED)
    return _table(sheet, NATIVE, 0) if is_native else None


def _google(sheet: Sheet) -> Layout | None:
    """Google Forms: the moment of the answer comes first, whatever the language calls it."""
    at = _header(sheet)
    first = sheet.lines[at][0].casefold()
    if first not in (
        "timestamp",
        "zeitstempel",
        "marca temporal",
        "horodateur",
        "carimbo de data/hora",
        "tijdstempel",
    ):
        return None
    return replace(_table(sheet, "google", at), fixed=((0, SENT),))


_CATME: Final = _has("catme", {"first", "last", "email", "id"})


def _catme(sheet: Sheet) -> Layout | None:
    """CATME: a list of students, and in its surveys a schedule in which they mark when they are busy."""
    layout = _CATME(sheet)
    if layout is None:
        return None
    busy = (
        column
        for column, each in enumerate(layout.headings)
        if "schedule" in each.text.casefold() or (place(each).days and place(each).spans)
    )
    return replace(layout, fixed=tuple((column, BUSY) for column in busy))


_LIMESURVEY: Final = _has("limesurvey", {"id", "submitdate"}, {"response_id", "date_submitted"})
_ABOUT_THE_ANSWER: Final = frozenset(
    (
        "id",
        "response_id",
        "last_page",
        "lastpage",
        "start_language",
        "startlanguage",
        "seed",
        "startdate",
        "date_started",
        "datestamp",
        "date_last_action",
        "ipaddr",
        "ip_address",
        "refurl",
        "referrer_url",
        "token",
    )
)


def _limesurvey(sheet: Sheet) -> Layout | None:
    """LimeSurvey: before the answers stands what it notes of its own, the language of its pages among it."""
    layout = _LIMESURVEY(sheet)
    if layout is None:
        return None
    notes = (
        column for column, each in enumerate(layout.headings) if heading_key(each.text) in _ABOUT_THE_ANSWER
    )
    return replace(layout, fixed=tuple((column, IGNORED) for column in notes))


def _gruepr(sheet: Sheet) -> Layout | None:
    """The desktop program gruepr: headings of Google Forms that it has written itself."""
    header = " ".join(sheet.lines[_header(sheet)].cells)
    asked = ("for group work. [", "What is your first name (or the name you prefer to be called)?")
    return _table(sheet, "gruepr") if any(text in header for text in asked) else None


def _qualtrics(sheet: Sheet) -> Layout | None:
    """Qualtrics: three rows of headings, codes, questions, and identifiers."""
    lines = sheet.lines[:3]
    if len(lines) < 3 or '{"ImportId"' not in "".join(lines[2].cells).replace("'", '"'):
        return None
    headings = tuple(Heading.of(lines[1][column] or lines[0][column]) for column in range(sheet.width))
    return Layout("qualtrics", headings, lines, sheet.lines[3:])


def _canvas(sheet: Sheet) -> Layout | None:
    """Canvas: the gradebook, with rows that are no students, or lists of people and of groups."""
    keys = _keys(sheet)
    if {"canvas_user_id", "login_id"} <= keys or {"user_id", "login_id", "email", "status"} <= keys:
        return _table(sheet, "canvas")
    if not {"student", "id", "section"} <= keys:
        return None
    layout = _table(sheet, "canvas")
    turned = next(
        column for column, each in enumerate(layout.headings) if heading_key(each.text) == "student"
    )
    why = _("It is about points, or made up by Canvas.")
    left = tuple((line.number, why) for line in layout.body if _is_no_student(line, turned))
    body = tuple(line for line in layout.body if not _is_no_student(line, turned))
    return replace(layout, body=body, left_out=(*layout.left_out, *left), fixed=((turned, TURNED),))


def _is_no_student(line: Line, turned: int) -> bool:
    return line[turned] in ("", "Points Possible", "Student, Test") and not any(
        "@" in cell for cell in line.cells
    )


def _doodle(sheet: Sheet) -> Layout | None:
    """Doodle: months, days and hours in rows of merged cells, then a name and OK, (OK) or nothing."""
    top = sheet.lines[:HEAD_ROWS]
    stacked = [place for place, line in enumerate(top) if _is_of_times(line)]
    if not stacked or stacked != list(range(stacked[0], stacked[-1] + 1)):
        return None
    end = stacked[-1] + 1
    states = {cell.casefold() for line in sheet.lines[end : end + 50] for cell in line.cells[1:]}
    if not states & {"ok", "(ok)"}:
        return None
    rows = [list(_filled(top[place], sheet.width)) for place in stacked[:-1]]
    rows.append([top[stacked[-1]][column] for column in range(sheet.width)])
    texts = [" ".join(row[column] for row in rows if row[column]) for column in range(sheet.width)]
    headings = (Heading.of(_("Name")), *(Heading(text, text, text) for text in texts[1:]))
    times = tuple((column, "availability") for column in range(1, sheet.width) if texts[column])
    return Layout("doodle", headings, sheet.lines[:end], sheet.lines[end:], fixed=((0, "name"), *times))


def _is_of_times(line: Line) -> bool:
    """Tell whether a row has an empty corner and then nothing but months, days and hours."""
    cells = [cell for cell in line.cells[1:] if cell]
    return not line[0] and bool(cells) and all(map(_is_time, cells))


def _is_time(cell: str) -> bool:
    return bool(clocks.spans_in(cell)) or clocks.day_in(cell) is not None or clocks.moment(cell) is not None


def _plain(sheet: Sheet) -> Layout:
    return _table(sheet, "plain")


DIALECTS: Final = {
    NATIVE: Dialect(lazy("The columns of this site"), _native),
    "doodle": Dialect("Doodle", _doodle),
    "qualtrics": Dialect("Qualtrics", _qualtrics),
    "typeform": Dialect("Typeform", _has("typeform", {"submit_date_(utc)"}, {"#", "network_id"})),
    "limesurvey": Dialect("LimeSurvey", _limesurvey),
    "gruepr": Dialect("gruepr", _gruepr),
    "google": Dialect("Google Forms", _google),
    "canvas": Dialect("Canvas", _canvas),
    "moodle": Dialect(
        "Moodle",
        _has(
            "moodle",
            {"first_name", "surname", "email_address"},
            {"first_name", "last_name", "email_address"},
            {"username", "firstname", "lastname", "email"},
        ),
    ),
    "catme": Dialect("CATME", _catme),
    "plain": Dialect(lazy("A table with headings"), _plain),
}
"""Every dialect, in the order in which they are tried; the last one takes what no other does."""

"""From the rows of any spreadsheet to sign-ups, by a recipe; what cannot be read is named."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final

from . import cells, clocks, dialects, grids, native, sheets, tables
from .answers import Answers
from .clocks import Span
from .dialects import NATIVE, Layout
from .headings import BUSY, FIRST, IGNORED, LAST, SENT, TURNED, WRONG, Heading, is_known
from .language import gettext as _
from .native import Entry, File, Superseded
from .recipes import HOURS, NAMED, NOBODY, SEVERAL, Known, Recipe, Repeated, by_name, guess
from .sheets import Line
from .tables import MalformedFile, Problem
from .texts import interest_key

Values = dict[str, Any]
_UNSAID: Final = frozenset(("n/a", "#n/a", "n.a."))
"""What tools write where nothing was answered."""


class Reader:
    """Reads rows of one layout by one recipe; ``read`` is the whole of it."""

    def __init__(self, layout: Layout, recipe: Recipe, known: Known = NOBODY) -> None:
        """Look at the columns once."""
        self.layout, self.recipe, self.known = layout, recipe, known
        self.columns: dict[str, list[int]] = defaultdict(list)
        for column, wanted in enumerate(recipe.targets[: len(layout.headings)]):
            if wanted != IGNORED:
                self.columns[wanted].append(column)
        self.called = dict(known.called)
        self.own = {question.key: question for question in known.questions}
        asked = clocks.times(recipe.asked) if recipe.asked else ()
        self.grids = {wanted: self._grid(wanted, asked) for wanted in HOURS if wanted in self.columns}
        self.usual = clocks.week(recipe.hours)
        self._day_first = clocks.is_day_first(
            line[column] for column in self.columns.get(SENT, ()) for line in layout.body
        )
        self._line: Line | None = None
        self._cells: dict[str, list[tuple[Heading, str]]] = {}
        self._marks = lru_cache(maxsize=50_000)(grids.marks)

    def _grid(self, wanted: str, asked: tuple[Span, ...]) -> grids.Grid:
        columns = {
            self.layout.headings[column]: {line[column] for line in self.layout.body if line[column]}
            for column in self.columns[wanted]
        }
        return grids.grid(columns, asked)

    @property
    def fields(self) -> tuple[str, ...]:
        """The answers that the file has something about."""
        found = set(self.columns) - {SENT, BUSY}
        found = found - NAMED | ({"name"} if found & NAMED else set())
        if self.grids:
            found.add("availability")
        if any(grids.is_maybe(cell) for cell in self._grid_cells()):
            found.add("if_needed")
        return tuple(each for each in (*native.COLUMNS, *self.own) if each in found)

    def _grid_cells(self) -> Iterator[str]:
        columns = [column for wanted in self.grids for column in self.columns[wanted]]
        return (line[column] for line in self.layout.body for column in columns)

    def cells(self, line: Line, wanted: str) -> list[tuple[Heading, str]]:
        """Return the cells of a row that are about one thing, empty ones too; ``N/A`` says nothing."""
        if line is not self._line:  # several ask about the same row
            self._line, self._cells = line, {}
        if wanted not in self._cells:
            found = ((self.layout.headings[column], line[column]) for column in self.columns.get(wanted, ()))
            self._cells[wanted] = [
                (heading, "" if len(cell) < 5 and cell.casefold() in _UNSAID else cell)
                for heading, cell in found
            ]
        return self._cells[wanted]

    def entry(self, line: Line) -> Entry:
        """Read one row."""
        if len(line.cells) > len(self.layout.headings):
            extra = next(cell for cell in line.cells[len(self.layout.headings) :] if cell)
            message = _("This row has more cells than the header. Is a quotation mark missing?")
            return Entry(line.number, None, (Problem(tables.WHOLE_ROW, message, "", extra[:80]),))
        values: Values = {"name": self.name(line), "custom": {}}
        problems: list[Problem] = []
        for wanted in self.columns:
            if wanted not in HOURS and wanted not in NAMED and wanted != SENT:
                self._read(line, wanted, values, problems)
        marked = self._hours(line, problems)
        values |= {"availability": marked.full, "if_needed": marked.maybe}
        values["email"] = values.get("email") or cells.named(self._full_name(line))[1]
        self._fill_up(values, problems, line)
        notes = list(self._passed_over(line))
        if self.recipe.lenient:
            problems = self._leave_out(problems, notes)
        if BUSY in self.columns and not any(cell for _heading, cell in self.cells(line, BUSY)):
            notes.append(_("No hour is marked as busy, so all hours that were asked about count as free."))
        return Entry(line.number, Answers(**values), tuple(problems), tuple(notes), self._found(line))

    def _passed_over(self, line: Line) -> Iterator[str]:
        """Yield what to say of cells that do not count because another one of the row does, or cannot."""
        for wanted, columns in self.columns.items():
            filled = [(heading, cell) for heading, cell in self.cells(line, wanted) if cell]
            if wanted == SENT:
                unread = [each for each in filled if self.sent(each[1]) is None]
                yield from (_left_out(*each) for each in unread)
                filled = [each for each in filled if each not in unread]
            is_one = wanted not in SEVERAL and wanted not in self.own and len(columns) > 1
            if is_one or (wanted in NAMED and wanted not in self._names(line)):
                counts = (
                    filled[0][1] if filled and (wanted not in NAMED or wanted in self._names(line)) else None
                )
                yield from (_left_out(*each) for each in filled if each[1] != counts)

    def _names(self, line: Line) -> tuple[str, ...]:
        """Return which columns make the name of a row: a whole name goes before its parts."""
        ways = (("name",), (TURNED,), (FIRST, LAST))
        return next((way for way in ways if any(_behind(self.cells(line, each))[1] for each in way)), ())

    def sent(self, cell: str) -> datetime | None:
        """Return the moment in a cell, days and months in the order that its whole column has."""
        return clocks.moment(cell, day_first=self._day_first)

    def name(self, line: Line) -> str:
        """Return what a row calls its learner; nothing if it does not say."""
        return cells.named(self._full_name(line))[0]

    def _full_name(self, line: Line) -> str:
        """Return all that stands where the name is asked for."""
        found = {wanted: _behind(self.cells(line, wanted))[1] for wanted in NAMED}
        last, comma, first = found[TURNED].partition(",")
        turned = f"{first.strip()} {last.strip()}" if comma else last
        return found["name"] or turned or f"{found[FIRST]} {found[LAST]}".strip()

    def _read(self, line: Line, wanted: str, values: Values, problems: list[Problem]) -> None:
        found = self.cells(line, wanted)
        try:
            if self.layout.dialect == "limesurvey" and wanted not in ("email", "goal"):
                cells.refuse_codes((heading.option, cell) for heading, cell in found)
            if wanted in self.own:
                answer = cells.custom(self.own[wanted], [(heading.option, cell) for heading, cell in found])
                if answer is not None:
                    values["custom"][wanted] = answer
            elif any(cell for _heading, cell in found):
                values[wanted] = self.convert(wanted, found)
        except ValueError as error:
            problems.append(Problem(wanted, str(error), *_behind(found)))

    def convert(self, wanted: str, found: Sequence[tuple[Heading, str]]) -> Any:
        """Return the answer in the cells of some columns; yes in a row of a grid is what the row stands for.

        Raises:
            ValueError: It is not understood; the message says what is meant.
        """
        pairs = [(heading.option, cell) for heading, cell in found]
        if wanted in TAGS:
            pairs = [
                (option, cells.ticked(heading.row, cell) if heading.row else cell)
                for (heading, _cell), (option, cell) in zip(found, pairs, strict=True)
            ]
        return READERS[wanted](self, pairs)

    def _hours(self, line: Line, problems: list[Problem]) -> grids.Marks:
        """Return the free hours of a row; what cannot be read is among the problems."""
        marked: dict[str, grids.Marks] = {}
        for wanted, grid in self.grids.items():
            full: set[int] = set()
            maybe: set[int] = set()
            for heading, cell in self.cells(line, wanted):
                try:
                    found = self._marks(heading, cell, wanted, grid)
                    full |= found.full
                    maybe |= found.maybe
                except ValueError as error:
                    name = "if_needed" if wanted == "if_needed" else "availability"
                    problems.append(Problem(name, str(error), heading.text, cell))
            marked[wanted] = grids.Marks(frozenset(full), frozenset(maybe))
        return grids.free(marked, self.grids.get(BUSY, grids.Grid()))

    def _fill_up(self, values: Values, problems: list[Problem], line: Line) -> None:
        """Put in what the row does not say: an address known by the name, the usual zone and hours."""
        if not values["email"] and values["name"]:
            key = interest_key(values["name"])
            values["email"] = self.known.called.get(key, "")
            if not values["email"]:
                several = _(
                    "More than one is called %(name)s. Write the e-mail address.", name=values["name"]
                )
                nobody = _(
                    "No e-mail address, and nobody called %(name)s has signed up.", name=values["name"]
                )
                message = several if key in self.known.called else nobody
                problems.append(Problem("email", message, *_behind(self.cells(line, "email"))))
        values["time_zone"] = values.get("time_zone") or self.recipe.zone
        if not values["availability"] and not values["if_needed"]:
            values["availability"] = self.usual
        values["name"] = values["name"] or values["email"].partition("@")[0]

    def _leave_out(self, problems: list[Problem], notes: list[str]) -> list[Problem]:
        """Turn problems of answers that may be left out into notes."""
        needed = {*native.REQUIRED, *self.known.required, tables.WHOLE_ROW}
        left = (each for each in problems if each.column not in needed)
        notes += (_left_out(Heading(each.heading), each.found) for each in left)
        return [each for each in problems if each.column in needed]

    def _found(self, line: Line) -> dict[str, tuple[str, str]]:
        """Return the heading and the cell behind each answer."""
        found = {wanted: _behind(self.cells(line, wanted)) for wanted in self.columns}
        names = ("name", TURNED, FIRST, LAST)
        found["name"] = next((found[each] for each in names if each in found), ("", ""))
        found.setdefault("availability", found.get(BUSY, ("", "")))
        found.setdefault("email", found["name"])  # an address may stand behind the name
        return found


def _left_out(heading: Heading, cell: str) -> str:
    return _("“%(found)s” below %(heading)s is left out.", found=cell[:60], heading=heading.text)


def _behind(found: Sequence[tuple[Heading, str]]) -> tuple[str, str]:
    """Return the heading and the cell to show for an answer: the first that has something in it."""
    heading, cell = next((each for each in found if each[1]), found[0] if found else (Heading(""), ""))
    return heading.text, cell


Cells = list[tuple[str, str]]


def _first(convert: Callable[[str], Any]) -> Callable[[Reader, Cells], Any]:
    return lambda _reader, found: convert(next(cell for _option, cell in found if cell))


def _labels(reader: Reader, found: Cells) -> tuple[str, ...]:
    return cells.labels(found, ())


def _people(reader: Reader, found: Cells) -> tuple[str, ...]:
    return tuple(each for _option, cell in found for each in cells.people(cell, reader.called))


TAGS: Final = ("interests", "languages", "can_help_with", "wants_help_with")
READERS: Final[Mapping[str, Callable[[Reader, Cells], Any]]] = {
    "email": _first(lambda cell: cell.removeprefix("mailto:").strip(" <>;,")),
    "time_zone": _first(cells.time_zone),
    "experience": _first(cells.experience),
    "hours_per_week": _first(cells.hours),
    "convenor": _first(cells.yes_or_no),
    "goal": lambda _reader, found: "\n".join(cell for _option, cell in found if cell),
    "interests": lambda reader, found: cells.labels(found, reader.known.interests),
    **dict.fromkeys(TAGS[1:], _labels),
    **dict.fromkeys(("works_with", "avoids"), _people),
}
"""How the cells of each answer are read, at least one of which is not empty."""


def layout_of(content: bytes, header: int = 0, head_rows: int = 0) -> Layout:
    """Return a file as rows below headings, recognised or in the row that is said.

    Raises:
        MalformedFile: The file as a whole cannot be read.
    """
    return dialects.recognise(sheets.read(content, is_known), header, head_rows)


def read_any(content: bytes, known: Known = NOBODY, zone: str = "") -> File:
    """Return the sign-ups of a file whose columns nobody looks at: native ones, or by what is guessed.

    Raises:
        MalformedFile: It has neither the native columns nor any from which sign-ups can be made.
    """
    try:
        return native.read(content, known.questions)
    except MalformedFile as error:
        refused = error
    layout = layout_of(content)
    recipe = replace(guess(layout, known), zone=zone)
    is_text = not content.startswith(b"PK")
    is_enough = "email" in recipe.targets and bool({*recipe.targets} & {*HOURS})
    if not is_enough or (layout.dialect == NATIVE and is_text):
        raise refused
    return read(layout, recipe, known)


def read(
    layout: Layout,
    recipe: Recipe,
    known: Known = NOBODY,
    progress: Callable[[float], None] = lambda fraction: None,
) -> File:
    """Return the sign-ups of a sheet by a recipe; ``native.checked`` holds them against the form's rules.

    ``progress`` is told now and then how much of it is read.
    """
    if (
        layout.dialect == NATIVE and recipe.targets == guess(layout, known).targets and recipe.is_plain
    ):  # then exactly as from the command line
        return native.read_table(_native_table(layout, known), known.questions)
    reader = Reader(layout, recipe, known)
    names = by_name((reader.name(line), _address(reader, line)) for line in layout.body)
    reader.called = {**known.called, **names}
    entries = []
    for place, line in enumerate(layout.body):
        if place % 200 == 0:
            progress(place / len(layout.body))
        entries.append(reader.entry(line))
    entries, superseded = _merged(entries, _sent(reader), recipe.repeated)
    unused = [
        heading.text or _("column %(place)s (no heading)", place=column + 1)
        for column, heading in enumerate(layout.headings)
        if recipe.targets[column] == IGNORED and heading.text != WRONG and _is_filled(layout, column)
    ]
    notes = tuple(_("Row %(row)s is no sign-up. %(why)s", row=row, why=why) for row, why in layout.left_out)
    return File(tuple(entries), reader.fields, tuple(unused), superseded, notes)


def _is_filled(layout: Layout, column: int) -> bool:
    return any(line[column] for line in layout.body)


def _address(reader: Reader, line: Line) -> str:
    return next((cell.lower() for _heading, cell in reader.cells(line, "email") if "@" in cell), "")


def _native_table(layout: Layout, known: Known) -> tables.Table:
    """Return a sheet with the native columns as they are read from CSV."""
    columns = (*native.COLUMNS, *(each.key for each in known.questions))
    width = len(layout.headings)
    return tables.of_rows(
        [heading.text for heading in layout.headings],
        ((line.number, list(line.cells) + [""] * (width - len(line.cells))) for line in layout.body),
        columns,
    )


def _sent(reader: Reader) -> dict[int, datetime]:
    """Return when each row was sent, where that can be told."""
    found = (
        (line.number, reader.sent(cell))
        for line in reader.layout.body
        for _h, cell in reader.cells(line, SENT)
    )
    return {number: moment for number, moment in found if moment is not None}


def _merged(
    entries: Sequence[Entry], sent: Mapping[int, datetime], rule: Repeated
) -> tuple[list[Entry], tuple[Superseded, ...]]:
    """Return the one row of each person that counts, and which rows gave way to it."""
    rows: dict[str, list[Entry]] = defaultdict(list)
    for entry in entries:
        if entry.answers and entry.answers.email:
            rows[entry.answers.email].append(entry)
    gone: dict[int, Superseded] = {}
    for email, several in rows.items():
        if len(several) > 1 and rule is not Repeated.REFUSE:
            all_sent = all(entry.line in sent for entry in several)
            moments = sent if all_sent else {}
            order = sorted(several, key=lambda each: (moments.get(each.line, _EVER), each.line))
            kept = order.pop() if rule is Repeated.LATEST else order.pop(0)
            gone |= {each.line: Superseded(each.line, kept.line, email) for each in order}
    left = [entry for entry in entries if entry.line not in gone]
    if rule is Repeated.REFUSE:
        left = list(_refusing(left))
    return left, tuple(gone[line] for line in sorted(gone))


_EVER: Final = datetime(1970, 1, 1, tzinfo=UTC)


def _refusing(entries: Iterable[Entry]) -> Iterator[Entry]:
    first: dict[str, int] = {}
    for entry in entries:
        email = entry.answers.email if entry.answers else ""
        line = first.setdefault(email, entry.line) if email else entry.line
        if line == entry.line:
            yield entry
        else:
            message = _("%(email)s is in row %(row)s already. Leave out one of them.", email=email, row=line)
            yield replace(entry, problems=(*entry.problems, Problem("email", message, *entry.cells["email"])))

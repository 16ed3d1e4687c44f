"""Hours of a week from the columns of a survey: one for all, or one for each day, hour, or both."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from . import clocks
from .clocks import DAY, Span
from .headings import BUSY, Heading, place
from .language import gettext as _
from .said import MAYBE_WORDS, NO_WORDS, YES_WORDS
from .week import SLOTS

USUAL_DAY: Final[Span] = (8 * 60, 22 * 60)
"""Hours that a question about busy times is taken to ask about where nothing in the file tells."""

EVERY_DAY: Final = range(7)


@dataclass(frozen=True, slots=True)
class Marks:
    """What one cell marks: half hours, and those that are marked with a reservation."""

    full: frozenset[int] = frozenset()
    maybe: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Grid:
    """What the columns of one question about hours have in common.

    Attributes:
        step: Minutes of an hour that has no end of its own.
        asked: Half hours that were asked about; whoever is not busy in one is free.
    """

    step: int = 60
    asked: frozenset[int] = frozenset()


def grid(columns: Mapping[Heading, Iterable[str]], asked: tuple[Span, ...] = ()) -> Grid:
    """Return what the columns about hours, each with its cells, have in common.

    Hours that were asked about are those given, or else those that stand in the file, from the earliest to
    the latest.
    """
    placed = [(place(heading), cells) for heading, cells in columns.items()]
    spans = {span for where, _cells in placed for span in where.spans}
    for where, cells in placed:
        if where.days and not where.spans:
            for cell in set(cells):
                spans |= set(_readable(cell))
    step = clocks.step_of(spans)
    days = {day for where, _cells in placed for day in where.days} or set(EVERY_DAY)
    if any(not where.days and not where.spans for where, _cells in placed):
        days = set(EVERY_DAY)
    starts = [start for start, _end in spans]
    ends = [start + step if end is None else end + DAY * (end <= start) for start, end in spans]
    whole = ((min(starts), min(max(ends), DAY)),) if spans and not asked else asked or (USUAL_DAY,)
    return Grid(step, clocks.slots(whole, days, touched=True))


def _readable(cell: str) -> tuple[Span, ...]:
    try:
        return clocks.times(cell)
    except ValueError:
        return ()


def marks(heading: Heading, cell: str, target: str, grid: Grid) -> Marks:
    """Return what a cell marks: free half hours, or busy ones where ``target`` is ``BUSY``.

    Raises:
        ValueError: It is not understood; the message says what is meant.
    """
    where, is_busy = place(heading), target == BUSY
    state = _state(cell, is_busy=is_busy)
    if where.days and where.spans:
        return _by_state(state, cell, clocks.slots(where.spans, where.days, grid.step, touched=is_busy))
    if where.days:
        if state in ("yes", "maybe"):  # nothing but the day is named: all of it that was asked about
            return _by_state(state, cell, frozenset(each for each in grid.asked if each // 48 in where.days))
        return Marks(clocks.slots(clocks.times(cell), where.days, grid.step, touched=is_busy))
    if where.spans:
        days = EVERY_DAY if state is not None else clocks.days(cell)
        if not days:
            raise ValueError(_("%(text)r names no day. Write days such as Monday, Thursday.", text=cell[:60]))
        slots = clocks.slots(where.spans, days, grid.step, touched=is_busy)
        return Marks(slots) if state is None else _by_state(state, cell, slots)
    return Marks(clocks.week(cell, touched=is_busy))


def _by_state(state: str | None, cell: str, slots: frozenset[int]) -> Marks:
    if state is None:
        raise ValueError(
            _("%(text)r is neither free nor busy. Write OK, (OK) for if needed, or nothing.", text=cell[:60])
        )
    return Marks(slots if state == "yes" else frozenset(), slots if state == "maybe" else frozenset())


_BUSY_SAID: Final = frozenset(("busy", "unavailable", "not available"))
_FREE_SAID: Final = frozenset(("free", "available"))


def _state(cell: str, *, is_busy: bool) -> str | None:
    """Return whether a word such as ``OK``, ``(OK)`` or nothing marks; what it says outright goes first."""
    said = cell.strip().casefold()
    if said in _BUSY_SAID | _FREE_SAID:
        return "yes" if (said in _BUSY_SAID) is is_busy else "no"
    states = (("yes", YES_WORDS), ("maybe", MAYBE_WORDS), ("no", NO_WORDS))
    return next((state for state, words in states if said in words), None)


def is_maybe(cell: str) -> bool:
    """Tell whether a cell marks something with a reservation, such as ``(OK)``."""
    return cell.strip().casefold() in MAYBE_WORDS


def free(marked: Mapping[str, Marks], grid: Grid) -> Marks:
    """Return the free half hours from what is marked in all columns about hours, by what they are.

    Busy hours are taken out of those asked about; a reservation about being busy leaves an hour if needed.
    """
    given, wanted = marked.get("availability", Marks()), marked.get("if_needed", Marks())
    full, maybe = given.full, given.maybe | wanted.full | wanted.maybe
    busy = marked.get(BUSY)
    if busy is not None:
        left = grid.asked - busy.full - busy.maybe
        full = full - busy.full if "availability" in marked else left
        maybe = (maybe | (busy.maybe & grid.asked)) - busy.full
    return Marks(frozenset(slot for slot in full if slot < SLOTS), maybe - full)

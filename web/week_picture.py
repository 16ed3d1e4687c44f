"""A small picture of a week with the times at which a cohort can meet, seen from one time zone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from cohorts import language
from cohorts.meetings import Dates, Meeting, local_times
from cohorts.week import SLOT_MINUTES

_A_DAY = 48
_MARGIN = 2
"""Half hours that are shown before the first and after the last block."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of one day: its column, its first half hour below the top, and how many there are."""

    column: int
    top: int
    height: int


@dataclass(frozen=True, slots=True)
class Picture:
    """A week from the first weekday of the present locale on, cut to the hours that matter.

    Attributes:
        days: Short name of each weekday, from left to right.
        height: Half hours from top to bottom.
        hours: Half hours below the top and the clock time there, for some full hours.
        common: When everybody is free.
        chosen: The meeting that holds.
    """

    days: list[str]
    height: int
    hours: list[tuple[int, str]]
    common: list[Piece]
    chosen: list[Piece]


def draw(course: Dates, blocks: Sequence[Meeting], chosen: Meeting | None, zone: str) -> Picture | None:
    """Return the picture of some common blocks; None when there are none.

    Where the clocks change during a course, it shows the first weeks.
    """
    shown = [piece for each in blocks for piece in _pieces(course, each, zone)]
    if not shown:
        return None
    top = max(0, (min(first for _, first, _ in shown) - _MARGIN) // 2 * 2)
    end = min(_A_DAY, -(-(max(first + length for _, first, length in shown) + _MARGIN) // 2) * 2)
    order = language.week()
    if language.direction() == "rtl":
        order = order[::-1]
    column = {weekday: place for place, weekday in enumerate(order)}

    def placed(pieces: Iterator[tuple[int, int, int]]) -> list[Piece]:
        return [Piece(column[weekday], first - top, length) for weekday, first, length in sorted(set(pieces))]

    step = 4 if end - top <= 24 else 8
    return Picture(
        days=[language.weekday(weekday, "abbreviated") for weekday in order],
        height=end - top,
        hours=[(slot - top, language.slot_time(slot)) for slot in range(-(-top // step) * step, end, step)],
        common=placed(iter(shown)),
        chosen=placed(_pieces(course, chosen, zone)) if chosen is not None else [],
    )


def _pieces(course: Dates, meeting: Meeting, zone: str) -> Iterator[tuple[int, int, int]]:
    """Yield a block as weekday, first half hour and length; one over midnight is two pieces."""
    for local in local_times(course, meeting, zone)[:1]:
        first = local.start.hour * 2 + local.start.minute // SLOT_MINUTES
        length = -(-course.meeting_minutes // SLOT_MINUTES)
        today = min(length, _A_DAY - first)
        yield local.weekday, first, today
        if today < length:
            yield (local.weekday + 1) % 7, 0, length - today

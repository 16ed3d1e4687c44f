"""What the connections of a course come to as a whole: nobody's own, and no number of people below five.

A number here is 0 where there is nothing, and None where it is of fewer than five people. Which of two
people said what of the other is told nowhere, and lines join cohorts, never persons: in a cohort of six
a line between two dots would as good as name them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Final

from .meetings import Dates, first_monday
from .policies import FEW
from .ties import Tie

FAINT: Final = 0.05
"""A connection that has faded below this strength joins nobody any more."""

SILENT_AFTER: Final = timedelta(weeks=3)
"""So long nothing has been heard from a cohort that is called silent."""

Seats = Mapping[int, int]
"""The cohort of each learner who is in one now, both by their ids."""


@dataclass(slots=True)
class Tally:
    """Some pairs of people."""

    pairs: int = 0
    people: set[int] = field(default_factory=set)

    def add(self, tie: Tie) -> None:
        """Count one more pair."""
        self.pairs += 1
        self.people.add(tie.one)
        self.people.add(tie.two)

    @property
    def told(self) -> int | None:
        """How many pairs; None where they are of fewer than five people."""
        return self.pairs if not self.pairs or len(self.people) >= FEW else None


def tally(ties: Iterable[Tie]) -> Tally:
    """Count pairs."""
    found = Tally()
    for tie in ties:
        found.add(tie)
    return found


def together(tallies: Iterable[Tally]) -> Tally:
    """Count the pairs of several tallies that have none in common."""
    found = Tally()
    for each in tallies:
        found.pairs += each.pairs
        found.people |= each.people
    return found


def share(inside: Tally, outside: Tally) -> float | None:
    """Return which part of all pairs is outside, if either number may be told and there are any."""
    pairs = inside.pairs + outside.pairs
    if not pairs or inside.told is None or outside.told is None:
        return None
    return outside.pairs / pairs


def told(people: Collection[int]) -> int | None:
    """Return how many people, if that may be told."""
    return len(people) if not people or len(people) >= FEW else None


def lasting(ties: Iterable[Tie]) -> list[Tie]:
    """Return the connections that have not faded away."""
    return [tie for tie in ties if tie.strength >= FAINT]


def within(ties: Iterable[Tie], seats: Seats) -> dict[int, Tally]:
    """Return the pairs that are now in one cohort, for each that has some."""
    found: dict[int, Tally] = defaultdict(Tally)
    for tie in ties:
        home = seats.get(tie.one)
        if home is not None and home == seats.get(tie.two):
            found[home].add(tie)
    return dict(found)


def between(ties: Iterable[Tie], seats: Seats) -> dict[tuple[int, int], Tally]:
    """Return the pairs that are now in two cohorts, for each two that have some, the smaller id first."""
    found: dict[tuple[int, int], Tally] = defaultdict(Tally)
    for tie in ties:
        one, two = seats.get(tie.one), seats.get(tie.two)
        if one is not None and two is not None and one != two:
            found[min(one, two), max(one, two)].add(tie)
    return dict(found)


def outward(lines: Mapping[tuple[int, int], Tally]) -> dict[int, Tally]:
    """Return the pairs that each cohort has with others, by those that are `between` every two."""
    found: dict[int, Tally] = defaultdict(Tally)
    for ends, between_them in lines.items():
        for home in ends:
            found[home].pairs += between_them.pairs
            found[home].people |= between_them.people
    return dict(found)


def alone(connected: Tally, seats: Seats) -> set[int]:
    """Return who is in a cohort and not among those who are connected with somebody."""
    return set(seats) - connected.people


def held_together(lines: Iterable[tuple[int, int]]) -> dict[int, int]:
    """Return for each bridge how many others would be cut off from most without it.

    Bridges are the articulation points of the graph of cohorts: without one of them a part of it falls into
    several. They are found by depth first search in linear time (Hopcroft and Tarjan, "Efficient algorithms
    for graph manipulation", 1973). Cut off is whoever is not in the largest of those parts.
    """
    neighbours: dict[int, list[int]] = defaultdict(list)
    for one, two in lines:
        neighbours[one].append(two)
        neighbours[two].append(one)
    order: dict[int, int] = {}
    found: dict[int, int] = {}
    for root in neighbours:
        if root not in order:
            n_before = len(order)
            cut = _parts_below(root, neighbours, order)
            n_here = len(order) - n_before
            for point, parts in cut.items():
                rest = n_here - 1 - sum(parts)
                lost = n_here - 1 - max(*parts, rest)
                if lost:
                    found[point] = lost
    return found


def _parts_below(
    root: int, neighbours: Mapping[int, Sequence[int]], order: dict[int, int]
) -> dict[int, list[int]]:
    """Search from ``root``; return the sizes of the parts that hang on each alone, seen from there."""
    parts: dict[int, list[int]] = defaultdict(list)
    size: dict[int, int] = {root: 1}
    lowest = {root: len(order)}
    order[root] = len(order)
    path = [(root, iter(neighbours[root]))]
    while path:
        here, others = path[-1]
        new = next((each for each in others if not _seen(each, here, order, lowest)), None)
        if new is not None:
            order[new] = lowest[new] = len(order)
            size[new] = 1
            path.append((new, iter(neighbours[new])))
            continue
        path.pop()
        if path:
            above = path[-1][0]
            lowest[above] = min(lowest[above], lowest[here])
            size[above] += size[here]
            if lowest[here] >= order[above]:
                parts[above].append(size[here])
    return parts


def _seen(each: int, here: int, order: Mapping[int, int], lowest: dict[int, int]) -> bool:
    """Tell whether the search has been somewhere, and note how far back ``here`` reaches by that."""
    if each not in order:
        return False
    lowest[here] = min(lowest[here], order[each])
    return True


@dataclass(frozen=True, slots=True)
class Week:
    """The connections that began in one week of a course; 0 is the time before it.

    Attributes:
        began: How many.
        across: How many of them between people who were in two cohorts then; None also where the others,
            those within a cohort, are of fewer than five people.
        share: The part of those across, if both may be told.
    """

    week: int
    began: int | None
    across: int | None
    share: float | None


def by_week(course: Dates, ties: Iterable[Tie], erased: Mapping[tuple[date, bool | None], int]) -> list[Week]:
    """Return the weeks in which connections began, of people who both were in a cohort then.

    ``erased`` counts those that went with somebody's data, by their Monday and whether they were across.
    """
    found: dict[int, dict[bool, Tally]] = defaultdict(lambda: {False: Tally(), True: Tally()})
    weeks: dict[date, int] = {}
    for tie in ties:
        if tie.across is not None:
            day = tie.first.date()
            if day not in weeks:
                weeks[day] = _week(course, day)
            found[weeks[day]][tie.across].add(tie)
    for (monday, across), pairs in erased.items():
        if across is not None:
            found[_week(course, monday)][across].pairs += pairs
    return [_told(week, both[False], both[True]) for week, both in sorted(found.items())]


def _week(course: Dates, day: date) -> int:
    return min(max(0, (day - first_monday(course.start)).days // 7 + 1), course.weeks)


def _told(week: int, inside: Tally, outside: Tally) -> Week:
    part = share(inside, outside)
    across = outside.pairs if part is not None else None
    return Week(week, together((inside, outside)).told, across, part)


def silent(
    since: Mapping[int, datetime], signs: Mapping[int, datetime], at: datetime
) -> dict[int, datetime | None]:
    """Return the cohorts from which nothing has been heard for `SILENT_AFTER`, with when it last was.

    ``since`` is when each began; ``signs`` the last sign of life of those that gave one. A cohort that is
    younger than that is not silent yet.
    """
    latest = {each: max(begun, signs.get(each, begun)) for each, begun in since.items()}
    return {each: signs.get(each) for each, last in latest.items() if at - last >= SILENT_AFTER}

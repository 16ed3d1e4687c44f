"""What a match of a file leaves behind: a roster, and a report for programs to read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from . import meetings
from .answers import Answers
from .roster_rows import RosterRow, clock, cohort_name, row_of
from .week import SLOT_MINUTES, WEEKDAYS

if TYPE_CHECKING:
    from .door import CohortAfter, Matching, MatchSettings, Meeting, Rematching, Said, Unplaced


class Formed(Protocol):
    """A cohort that the matcher made or kept."""

    @property
    def members(self) -> tuple[int, ...]:
        """Who is in it, by their places among the people."""
        ...

    @property
    def score(self) -> float:
        """What it is worth."""
        ...

    @property
    def meetings(self) -> tuple[Meeting, ...]:
        """Its common blocks, the best first."""
        ...

    @property
    def reasons(self) -> tuple[Said, ...]:
        """Why these people."""
        ...


def roster_of(
    people: Sequence[Answers],
    settings: MatchSettings,
    cohorts: Iterable[tuple[str, Formed]],
    unplaced: Iterable[Unplaced],
) -> list[RosterRow]:
    """Return one row for every one of ``people``: cohort by cohort with its name, then those without."""
    when = clock(settings)
    placed = [
        row_of(people[learner], name, when(best, people[learner].time_zone))
        for name, found in cohorts
        for best in [next((meetings.Meeting(each.zone, each.slot) for each in found.meetings), None)]
        for learner in found.members
    ]
    left = [
        row_of(people[each.learner], "", "", " ".join(filter(None, (each.reason, each.remedy))))
        for each in unplaced
    ]
    return placed + left


def named(matching: Matching) -> list[tuple[str, Formed]]:
    """Return the cohorts of a matching with names that count them."""
    return [(cohort_name(place), found) for place, found in enumerate(matching.cohorts, start=1)]


def report_of(people: Sequence[Answers], matching: Matching) -> dict[str, Any]:
    """Return the figures of a matching, its cohorts and the unplaced, ready to be written as JSON.

    A common block is given as the zone whose wall clock it keeps, and its weekday and start there.
    """
    return {
        **_figures(people, matching),
        "p10_score": matching.p10_score,
        "min_score": matching.min_score,
        "random_state": matching.params.random_state,
        "rules": dict(matching.rules),
        "cohorts": [_cohort(people, name, found) for name, found in named(matching)],
        "unplaced": _unplaced(people, matching.unplaced),
    }


def report_of_rematch(
    people: Sequence[Answers],
    found: Rematching,
    cohorts: Sequence[tuple[str, CohortAfter]],
    before: Sequence[str],
) -> dict[str, Any]:
    """Return the figures of a rematch, its cohorts, who sits elsewhere than before, and why.

    ``cohorts`` are those after it with their names, ``before`` are the names of those that stood.
    """
    names = [name for name, _found in cohorts]
    moves = [
        {
            "person": people[each.learner].email,
            "from": None if each.before is None else before[each.before],
            "to": None if each.after is None else names[each.after],
            "reason": " ".join(each.reasons),
            "score_before": each.score_before,
            "score_after": each.score_after,
            "knows": [people[i].email for i in each.knows],
        }
        for each in found.moves
    ]
    return {
        **_figures(people, found),
        "n_moved": found.n_moved,
        "moves": [each for each in moves if each["from"] and each["to"]],
        "joined": [each for each in moves if not each["from"]],
        "without_a_cohort": [each for each in moves if not each["to"]],
        "connections_kept": found.connections_kept,
        "connections_joined": found.connections_joined,
        "cohorts": [
            _cohort(people, name, each) | {"new": each.place is None, "broken": list(each.broken)}
            for name, each in cohorts
        ],
        "unplaced": _unplaced(people, found.unplaced),
    }


def _figures(people: Sequence[Answers], found: Matching | Rematching) -> dict[str, Any]:
    return {
        "n_learners": len(people),
        "n_placed": found.n_placed,
        "n_cohorts": len(found.cohorts),
        "objective": found.objective,
        "bound": found.bound,
        "gap": found.gap,
        "mean_score": found.mean_score,
        "seconds": round(found.seconds, 3),
        "stopped": found.stopped,
    }


def _cohort(people: Sequence[Answers], name: str, found: Formed) -> dict[str, Any]:
    return {
        "name": name,
        "members": [people[learner].email for learner in found.members],
        "score": found.score,
        "common_blocks": [{"zone": each.zone, "start": _clock(each.slot)} for each in found.meetings],
        "reasons": list(found.reasons),
    }


def _unplaced(people: Sequence[Answers], unplaced: Iterable[Unplaced]) -> list[dict[str, Any]]:
    return [
        {"email": people[each.learner].email, "reason": each.reason, "remedy": each.remedy}
        for each in unplaced
    ]


def _clock(slot: int) -> str:
    day, half_hours = divmod(slot, 48)
    return f"{WEEKDAYS[day]} {half_hours // 2:02d}:{half_hours % 2 * SLOT_MINUTES:02d}"

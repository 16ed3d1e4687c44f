"""What a match of a file leaves behind: a roster, and a report for programs to read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from . import meetings
from .answers import Answers
from .roster_rows import RosterRow, clock, cohort_name, row_of
from .week import SLOT_MINUTES, WEEKDAYS

if TYPE_CHECKING:
    from .door import Matching, MatchSettings


def roster_of(people: Sequence[Answers], settings: MatchSettings, matching: Matching) -> list[RosterRow]:
    """Return one row for every one of ``people``, cohort by cohort, those without a cohort last."""
    when = clock(settings)
    placed = [
        row_of(people[learner], cohort_name(place), when(best, people[learner].time_zone))
        for place, found in enumerate(matching.cohorts, start=1)
        for best in [next((meetings.Meeting(each.zone, each.slot) for each in found.meetings), None)]
        for learner in found.members
    ]
    unplaced = [
        row_of(people[each.learner], "", "", " ".join(filter(None, (each.reason, each.remedy))))
        for each in matching.unplaced
    ]
    return placed + unplaced


def report_of(people: Sequence[Answers], matching: Matching) -> dict[str, Any]:
    """Return the figures of a matching, its cohorts and the unplaced, ready to be written as JSON.

    A common block is given as the zone whose wall clock it keeps, and its weekday and start there.
    """
    return {
        "n_learners": len(people),
        "n_placed": matching.n_placed,
        "n_cohorts": len(matching.cohorts),
        "objective": matching.objective,
        "bound": matching.bound,
        "gap": matching.gap,
        "mean_score": matching.mean_score,
        "p10_score": matching.p10_score,
        "min_score": matching.min_score,
        "seconds": round(matching.seconds, 3),
        "random_state": matching.params.random_state,
        "stopped": matching.stopped,
        "rules": dict(matching.rules),
        "cohorts": [
            {
                "name": cohort_name(place),
                "members": [people[learner].email for learner in found.members],
                "score": found.score,
                "common_blocks": [{"zone": each.zone, "start": _clock(each.slot)} for each in found.meetings],
                "reasons": list(found.reasons),
            }
            for place, found in enumerate(matching.cohorts, start=1)
        ],
        "unplaced": [
            {"email": people[each.learner].email, "reason": each.reason, "remedy": each.remedy}
            for each in matching.unplaced
        ],
    }


def _clock(slot: int) -> str:
    day, half_hours = divmod(slot, 48)
    return f"{WEEKDAYS[day]} {half_hours // 2:02d}:{half_hours % 2 * SLOT_MINUTES:02d}"

"""Proposals side by side, and whether one of them gives some people the leftovers."""

from __future__ import annotations

from typing import Final

from flask import render_template, request
from flask.typing import ResponseReturnValue

from cohorts import comparing, fairness, goals, runs, unlike_settings
from cohorts.comparing import Comparison, Home
from cohorts.exceptions import NotFound
from cohorts.models import Course, Run
from cohorts.policies import FEW, Act

from .auth import requires
from .database import session
from .desk import blueprint, own_course
from .proposals import ACTIVE

LISTED: Final = 100
"""So many people are listed by name at once."""
WORST: Final = 10
"""So many of the cohorts with the lowest scores stand on each side."""
CHANGED: Final = 60
"""So many cohorts are listed with what became of them."""


@blueprint.get("/<slug>/compare")
@requires(Act.LOOK)
def compare(slug: str) -> ResponseReturnValue:
    """Show some proposals side by side; what they are compared with is the first of them."""
    course = own_course(slug)
    keys = list(dict.fromkeys(key.replace("\x00", "") for key in request.args.getlist("run")))
    chosen = comparing.choose(session(), course, keys[: comparing.MOST])
    ready = [run for run in chosen if comparing.is_comparable(run)]
    page = {
        "course": course,
        "chosen": chosen,
        "waiting": [run for run in chosen if run not in ready],
        "too_many": len(keys) > comparing.MOST,
        "most": comparing.MOST,
        "active": ACTIVE,
        "all_runs": [run for run in runs.for_course(session(), course) if comparing.is_comparable(run)],
    }
    if len(ready) > 1:
        page |= _compared(course, ready)
    return render_template("organiser/compare.html", **page)


def _compared(course: Course, ready: list[Run]) -> dict[str, object]:
    sides = comparing.sides_of(session(), ready)
    comparisons = [comparing.compare(sides[0], each) for each in sides[1:]]
    differ, same = comparing.unlike(sides)
    named = {*differ[:LISTED], *same[:LISTED]}
    for each in comparisons:
        for some in (each.moved, each.placed, each.unplaced, each.came, each.went):
            named.update(some[:LISTED])
    labels = goals.labels(course)
    known = {key for side in sides for key in side.goals or ()}
    return {
        "sides": sides,
        "comparisons": comparisons,
        "changes": [_changes(each) for each in comparisons],
        "settings": unlike_settings.unlike(course, ready),
        "goals": [
            (labels.get(key, key), key) for key in (*labels, *sorted(known - set(labels))) if key in known
        ],
        "labels": labels,
        "differ": differ,
        "same": same,
        "people": comparing.people(session(), named),
        "listed": LISTED,
        "worst": WORST,
    }


def _changes(found: Comparison) -> list[tuple[Home, Home | None, int]]:
    """Return what becomes of each cohort, those that lose most first: it, the other one, who stays."""
    before, after = found.before.homes, found.after.homes
    rows = [
        (home, after[found.goes_with[key]] if key in found.goes_with else None, found.stay.get(key, 0))
        for key, home in before.items()
    ]
    rows.sort(key=lambda row: (row[1] is not None, row[1].score - row[0].score if row[1] else 0, row[0].id))
    return rows[:CHANGED]


@blueprint.get("/<slug>/runs/<key>/fairness", endpoint="fairness")
@requires(Act.LOOK)
def fairness_page(slug: str, key: str) -> ResponseReturnValue:
    """Show a proposal by part of the world and by how many hours people offered."""
    course = own_course(slug)
    run = runs.get(session(), course, key)
    if not comparing.is_comparable(run):
        raise NotFound
    found = fairness.of_run(session(), course, run)
    return render_template("organiser/fairness.html", course=course, run=run, found=found, few=FEW)

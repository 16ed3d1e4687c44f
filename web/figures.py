"""The sign-ups of a course at a glance: how they grow, when people are free, who would be left over now."""

from __future__ import annotations

from flask import current_app, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from cohorts import runs, statistics, trends
from cohorts.models import RunState
from cohorts.policies import FEW, Act

from .auth import requires
from .database import session
from .desk import blueprint, chosen_zone, me, own_course
from .proposals import ACTIVE


@blueprint.get("/<slug>/figures")
@requires(Act.LOOK)
def figures(slug: str) -> ResponseReturnValue:
    """Show the sign-ups as a whole; a number of people below five is not told."""
    course = own_course(slug)
    found = statistics.of_course(session(), course, chosen_zone())
    hours = [[min(day[slot], day[slot + 1]) for slot in range(0, len(day), 2)] for day in found.free]
    rehearsal = runs.latest_rehearsal(session(), course)
    return render_template(
        "organiser/figures.html",
        course=course,
        found=found,
        trends=trends.of_course(session(), course),
        common=[each for each in found.interests if each[1] >= FEW],
        rare=[label for label, count in found.interests if 0 < count < FEW],
        hours=hours,
        most=max(map(max, hours)),
        peak=_peak(hours),
        few=FEW,
        rehearsal=rehearsal,
        is_rehearsing=rehearsal is not None and rehearsal.state in ACTIVE,
        is_told=rehearsal is not None and rehearsal.state is RunState.PROPOSED,
    )


def _peak(hours: list[list[int]]) -> tuple[int, int] | None:
    """Return the weekday and the hour in which the most are free, if that many may be told."""
    count, day, hour = max((n, -day, -hour) for day, each in enumerate(hours) for hour, n in enumerate(each))
    return (-day, -hour) if count >= FEW else None


@blueprint.post("/<slug>/figures/rehearse")
@requires(Act.CHANGE)
def rehearse(slug: str) -> ResponseReturnValue:
    """Have the worker find out who could be placed now; nothing is proposed."""
    run = runs.rehearse(session(), own_course(slug), me())
    session().commit()
    current_app.extensions["jobs"].execute_run(run.id)
    return redirect(url_for(".figures", slug=slug, _anchor="placed"))

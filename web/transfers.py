"""Rosters of a course: a page, and files."""

from __future__ import annotations

from flask import Response, abort, render_template
from flask.typing import ResponseReturnValue

from cohorts import exports, roster
from cohorts.policies import Act
from cohorts.roster_rows import RosterRow

from .auth import requires
from .database import session
from .desk import argument, blueprint, own_cohorts, own_course


@blueprint.get("/<slug>/roster", endpoint="roster")
@requires(Act.VISIT)
def roster_page(slug: str) -> ResponseReturnValue:
    """Show the roster of a course; those rows that contain a text, if one is asked for."""
    course = own_course(slug)
    rows, text = roster.rows(session(), course, own_cohorts()), argument("q")
    shown = [row for row in rows if text.casefold() in _searched(row)]
    return render_template(
        "organiser/roster.html",
        course=course,
        rows=shown,
        text=text,
        formats=list(exports.FORMATS),
        keys={each.name: each.key for each in roster.cohorts(session(), course)},
    )


def _searched(row: RosterRow) -> str:
    return f"{row.cohort}\n{row.name}\n{row.email}\n{row.time_zone}".casefold()


@blueprint.get("/<slug>/roster.<format_>")
@requires(Act.LOOK)
def export(slug: str, format_: str) -> ResponseReturnValue:
    """Give the roster of a course as a file."""
    course = own_course(slug)
    if format_ not in exports.FORMATS:
        abort(404)
    written = exports.FORMATS[format_]
    return Response(
        written(session(), course),
        content_type=written.content_type,
        headers={"Content-Disposition": f'attachment; filename="{course.slug}-roster{written.suffix}"'},
    )

"""Files in and out of a course: sign-ups from a file, rosters as files."""

from __future__ import annotations

from typing import Final

from flask import Response, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from cohorts import exports, imports, roster, uploads
from cohorts.exceptions import UnreadableFile
from cohorts.language import gettext as _
from cohorts.models import Course, Upload, now
from cohorts.policies import Act
from cohorts.roster_rows import RosterRow

from .auth import organiser_required, requires
from .course_forms import UploadForm
from .database import session
from .desk import argument, blueprint, me, own_cohorts, own_course

SHOWN: Final = 50
"""Rows of a file that are shown; the refused ones are shown all."""


@blueprint.route("/<slug>/import", methods=["GET", "POST"], endpoint="import_")
@organiser_required
def upload(slug: str) -> ResponseReturnValue:
    """Take a file of sign-ups for a dry run; nothing is signed up yet."""
    course = own_course(slug)
    form = UploadForm()
    if form.validate_on_submit():
        content, name = form.file.data.read(), form.file.data.filename or "sign-ups.csv"
        try:
            imports.dry_run(session(), course, content, name)
        except UnreadableFile as error:
            session().rollback()
            course = own_course(slug)
            form.file.errors = [str(error)]
        else:
            kept = uploads.keep(session(), course, me(), name, content)
            session().commit()
            return redirect(url_for(".dry_run", slug=slug, key=kept.key))
    page = render_template(
        "organiser/import.html", course=course, form=form, columns=imports.COLUMNS, required=imports.REQUIRED
    )
    return page, 422 if form.errors else 200


def _kept(course: Course, key: str) -> tuple[Upload, imports.Plan]:
    kept = uploads.get(session(), course, me(), key)
    return kept, imports.dry_run(session(), course, kept.content, kept.name)


@blueprint.get("/<slug>/import/<key>")
@organiser_required
def dry_run(slug: str, key: str) -> ResponseReturnValue:
    """Show row by row what an import would do."""
    course = own_course(slug)
    kept, plan = _kept(course, key)
    refused = [row for row in plan.rows if row.action is imports.Action.REFUSE]
    others = [row for row in plan.rows if row.action is not imports.Action.REFUSE]
    return render_template(
        "organiser/dry_run.html",
        course=course,
        upload=kept,
        plan=plan,
        refused=refused,
        others=others,
        shown=others[:SHOWN],
        counts=plan.counts,
    )


@blueprint.post("/<slug>/import/<key>/apply")
@organiser_required
def apply(slug: str, key: str) -> ResponseReturnValue:
    """Import a file, or those of its rows that can be read."""
    course = own_course(slug)
    kept, plan = _kept(course, key)
    result = imports.apply(session(), course, plan, leave_out_refused="leave_out" in request.form, at=now())
    session().delete(kept)
    session().commit()
    message = _("%(added)s added, %(changed)s changed.", added=result.added, changed=result.changed)
    left = _("%(number)s left out.", number=result.left_out) if result.left_out else ""
    flash(f"{message} {left}".strip(), "good")
    return redirect(url_for(".signups", slug=slug))


@blueprint.post("/<slug>/import/<key>/discard")
@organiser_required
def discard(slug: str, key: str) -> ResponseReturnValue:
    """Forget a file that was uploaded."""
    course = own_course(slug)
    session().delete(uploads.get(session(), course, me(), key))
    session().commit()
    flash(_("The file is forgotten; nothing was changed."), "good")
    return redirect(url_for(".import_", slug=slug))


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

"""The roster of a course: a page, files in every format, ways to export that are kept, and paper."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from flask import (
    Response,
    abort,
    current_app,
    flash,
    redirect,
    render_template,
    request,
    stream_with_context,
    url_for,
)
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from cohorts import exports, presets, roster
from cohorts.exceptions import InvalidInput
from cohorts.exports import FORMATS, Choice, Source
from cohorts.language import gettext as _
from cohorts.models import Cohort, Course, ExportPreset
from cohorts.policies import Act
from cohorts.roster_rows import cell

from .auth import organiser_required, requires
from .database import session, streamed
from .desk import argument, blueprint, own_cohorts, own_course
from .export_forms import ExportForm

PRINTED: Final = ("name", "email", "time_zone", "meeting")
"""Columns of the page to print, unless others are chosen."""


@blueprint.get("/<slug>/roster", endpoint="roster")
@requires(Act.VISIT)
def roster_page(slug: str) -> ResponseReturnValue:
    """Show the roster of a course; those rows that contain a text, if one is asked for."""
    course = own_course(slug)
    text = argument("q")
    page = roster.find(
        session(), course, own_cohorts(), text=text, number=request.args.get("page", 1, type=int)
    )
    return render_template("organiser/roster.html", course=course, page=page, text=text, formats=FORMATS)


@blueprint.get("/<slug>/export")
@requires(Act.LOOK)
def export_page(slug: str) -> ResponseReturnValue:
    """Show what can be exported, and the ways that are kept."""
    course = own_course(slug)
    key = argument("preset")
    preset = presets.get(session(), course, key) if key else None
    return _page(course, ExportForm.of(session(), course, preset))


def _page(course: Course, form: ExportForm) -> ResponseReturnValue:
    page = render_template(
        "organiser/export.html",
        course=course,
        form=form,
        formats=FORMATS,
        presets=[(each, _address(course, each)) for each in presets.of_course(session(), course)],
        is_published=bool(roster.cohorts(session(), course)),
    )
    return page, 422 if form.errors else 200


@blueprint.get("/<slug>/export/file")
@requires(Act.LOOK)
def chosen(slug: str) -> ResponseReturnValue:
    """Give the file that the form of the page asks for, or lead to the page to print."""
    course = own_course(slug)
    form = ExportForm.of(session(), course, None, request.args)
    if not form.validate():
        return _page(course, form)
    choice = form.choice()
    if "print" in request.args:
        return redirect(url_for(".print_roster", slug=slug, **query(choice)))
    return as_file(course, form.format.data, choice)


@blueprint.post("/<slug>/export/save")
@organiser_required
def save_preset(slug: str) -> ResponseReturnValue:
    """Keep a way to export, in the place of what had its name before."""
    course = own_course(slug)
    form = ExportForm.of(session(), course, None)
    if form.validate():
        try:
            preset = presets.save(session(), course, form.name.data, form.format.data, form.choice())
        except InvalidInput as error:
            session().rollback()
            course = own_course(slug)
            form.take_errors(error)
        else:
            session().commit()
            flash(_("“%(name)s” is saved.", name=preset.name), "good")
            return redirect(url_for(".export_page", slug=slug))
    return _page(course, form)


def query(choice: Choice) -> dict[str, Any]:
    """Return a choice as the arguments of an address; what is usual is left out."""
    usual = Choice().as_json()
    return {name: value for name, value in choice.as_json().items() if value != usual[name]}


def asked_choice() -> Choice:
    """Return the choice that the address of this request tells."""
    return Choice(
        cohort=argument("cohort"),
        columns=tuple(each.replace("\x00", "") for each in request.args.getlist("columns")),
        login=argument("login") or Choice().login,
        their_course=argument("their_course"),
    )


def _address(course: Course, preset: ExportPreset) -> str:
    chosen = query(Choice.from_json(preset.choice))
    return url_for(".export", slug=course.slug, format_=preset.format, **chosen)


@blueprint.post("/<slug>/export/<key>/remove")
@organiser_required
def remove_preset(slug: str, key: str) -> ResponseReturnValue:
    """Forget a way to export."""
    course = own_course(slug)
    preset = presets.get(session(), course, key)
    session().delete(preset)
    session().commit()
    flash(_("“%(name)s” is removed.", name=preset.name), "good")
    return redirect(url_for(".export_page", slug=slug))


@blueprint.get("/<slug>/roster.<format_>")
@requires(Act.LOOK)
def export(slug: str, format_: str) -> ResponseReturnValue:
    """Give the roster of a course as a file, piece by piece."""
    course = own_course(slug)
    if format_ not in FORMATS:
        abort(404)
    return as_file(course, format_, asked_choice())


def as_file(course: Course, format_: str, choice: Choice) -> Response:
    """Return a roster as a file that is written while it is sent."""
    exports.check(session(), course, choice)
    made = FORMATS[format_]

    def write(own: Session) -> Iterator[bytes]:
        return made.stream(own, own.get_one(Course, course.id), choice)

    return Response(
        streamed(write),
        content_type=made.content_type,
        headers={"Content-Disposition": f'attachment; filename="{course.slug}-{made.suffix}"'},
    )


@blueprint.get("/<slug>/roster/print")
@requires(Act.LOOK)
def print_roster(slug: str) -> ResponseReturnValue:
    """Show the roster for paper: each cohort in one piece, its meeting, room and members."""
    course = own_course(slug)
    choice = asked_choice()
    exports.check(session(), course, choice)
    names = exports.names_of(course)
    columns = choice.columns or PRINTED
    template = current_app.jinja_env.get_template("organiser/print.html")

    def write(own: Session) -> Iterator[bytes]:
        # Thousands of rows are sent while they are read.
        source = Source(own, own.get_one(Course, course.id), choice)
        around: dict[str, Any] = {
            "course": source.course,
            "groups": (
                (
                    cohort,
                    source.meeting_of(cohort) if cohort else "",
                    [names[each] for each in _shown(columns, cohort)],
                    [[cell(row, each) for each in _shown(columns, cohort)] for row in rows],
                )
                for cohort, rows in source.by_cohort()
            ),
        }
        current_app.update_template_context(around)
        return (piece.encode() for piece in template.generate(around))

    page = stream_with_context(streamed(write))
    return Response(page, content_type="text/html; charset=utf-8")


def _shown(columns: Sequence[str], cohort: Cohort | None) -> list[str]:
    """Return the columns below the name of a cohort; who has none reads why."""
    shown = [each for each in columns if each != "cohort"]
    return shown if cohort else ["reason" if each == "meeting" else each for each in shown]

"""Sign-ups from a file: bring it, say what its columns are, look at what would happen, import."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from flask import Response, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from cohorts import dialects, imports, readings, recipes, sheets, uploads
from cohorts.dialects import Layout
from cohorts.exceptions import UnreadableFile
from cohorts.headings import BUSY, IGNORED, NAMES, SENT, WRONG, Heading, is_known
from cohorts.imports import Action, Plan
from cohorts.language import gettext as _
from cohorts.models import Course, Upload, now
from cohorts.recipes import HOURS, NAMED, Known, Recipe
from cohorts.samples import samples

from .auth import organiser_required
from .database import session
from .desk import blueprint, me, own_course
from .import_forms import RecipeForm, UploadForm

SHOWN: Final = 50
"""Rows of a file that are shown."""
SHOWN_REFUSED: Final = 200
"""The refused ones matter more; all of them are in a file to mend."""


@blueprint.route("/<slug>/import", methods=["GET", "POST"], endpoint="import_")
@organiser_required
def upload(slug: str) -> ResponseReturnValue:
    """Take a file of sign-ups; nothing is signed up yet."""
    course = own_course(slug)
    form = UploadForm()
    if form.validate_on_submit():
        try:
            kept, is_clear = _keep(course, *form.content())
        except UnreadableFile as error:
            session().rollback()
            course = own_course(slug)
            field = form.file if form.file.data else form.pasted
            field.errors = [str(error)]
        else:
            session().commit()
            return redirect(url_for(".dry_run" if is_clear else ".import_columns", slug=slug, key=kept.key))
    page = render_template(
        "organiser/import.html",
        course=course,
        form=form,
        columns=imports.COLUMNS,
        required=imports.REQUIRED,
        dialects=[each.label for each in list(dialects.DIALECTS.values())[:-1]],
    )
    return page, 422 if form.errors else 200


def _keep(course: Course, content: bytes, name: str) -> tuple[Upload, bool]:
    """Keep a file as CSV; tell whether nobody needs to say what its columns are."""
    sheet = sheets.read(content, is_known)
    layout = dialects.recognise(sheet)
    known = imports.knowledge(course)
    recipe = uploads.kept_recipe(session(), course, recipes.digest(layout), known.questions)
    if recipe is not None:
        recipe = recipes.fitted(recipe, layout)
        flash(_("The columns are read as you said for an earlier file with the same headings."), "good")
    for note in sheet.notes:
        flash(note, "warn")
    kept = uploads.keep(session(), course, me(), name, sheets.to_keep(sheet), recipe)
    return kept, recipe is not None or layout.dialect == dialects.NATIVE


@dataclass(frozen=True, slots=True)
class Waiting:
    """A file that waits: its row, its layout, what the course knows, and how its columns are read."""

    upload: Upload
    layout: Layout
    known: Known
    recipe: Recipe

    @property
    def dialect(self) -> str:
        """What the tool that wrote the file is called."""
        return str(dialects.DIALECTS[self.layout.dialect].label)

    def plan(self, course: Course) -> Plan:
        """Return what an import would do."""
        return imports.dry_run_by(session(), course, self.layout, self.recipe, self.upload.name)


def _waiting(course: Course, key: str) -> Waiting:
    kept = uploads.get(session(), course, me(), key)
    layout = readings.layout_of(kept.content)
    known = imports.knowledge(course)
    if kept.recipe is None:
        return Waiting(kept, layout, known, recipes.guess(layout, known))
    return Waiting(
        kept, layout, known, recipes.fitted(Recipe.from_json(kept.recipe, known.questions), layout)
    )


@blueprint.route("/<slug>/import/<key>/columns", methods=["GET", "POST"])
@organiser_required
def import_columns(slug: str, key: str) -> ResponseReturnValue:
    """Show what each column is taken for and what its cells become; let it be changed."""
    course = own_course(slug)
    waiting = _waiting(course, key)
    form, recipe = RecipeForm(waiting.recipe), waiting.recipe
    if form.validate_on_submit():
        recipe = form.recipe(_chosen_targets(waiting))
        for name, message in recipe.problems().items():
            form[name].errors = [message]
        if not form.errors:
            return _kept_and_on(course, waiting, recipe, keep=form.keep.data)
        recipe = waiting.recipe
    page = render_template(
        "organiser/import_columns.html",
        course=course,
        form=form,
        waiting=waiting,
        columns=_columns(waiting, recipe),
        targets=_targets(waiting.known),
        asks_busy=BUSY in recipe.targets,
        lacks=_lacks(recipe),
    )
    return page, 422 if form.errors else 200


def _kept_and_on(course: Course, waiting: Waiting, recipe: Recipe, *, keep: bool) -> ResponseReturnValue:
    """Note how the columns are read; go on, or show the same page anew."""
    waiting.upload.recipe = recipe.to_json()
    goes_on = request.form.get("then") == "go_on"
    if goes_on and keep:
        uploads.keep_recipe(session(), course, recipes.digest(waiting.layout), recipe, now())
    session().commit()
    view = ".dry_run" if goes_on else ".import_columns"
    return redirect(url_for(view, slug=course.slug, key=waiting.upload.key))


def _chosen_targets(waiting: Waiting) -> tuple[str, ...]:
    """Return what was chosen for each column; what was not on the page stays."""
    known = {*NAMES, IGNORED, *(question.key for question in waiting.known.questions)}
    chosen = (
        request.form.get(f"column-{column}", before) for column, before in enumerate(waiting.recipe.targets)
    )
    return tuple(each if each in known else IGNORED for each in chosen)


def _targets(known: Known) -> list[tuple[str, list[tuple[str, str]]]]:
    """Return everything a column can be, in groups."""
    groups = (
        (_("Who"), [*("name", *sorted(NAMED - {"name"}), "email", SENT)]),
        (_("When"), ["time_zone", *HOURS]),
        (_("Answers"), [each for each in NAMES if each not in {*NAMED, "email", SENT, "time_zone", *HOURS}]),
    )
    found = [(label, [(key, str(NAMES[key])) for key in keys]) for label, keys in groups]
    own = [(question.key, question.label) for question in known.questions]
    return [*found, (_("This course's own questions"), own)] if own else found


def _columns(waiting: Waiting, recipe: Recipe) -> list[dict[str, Any]]:
    """Return each column with some of its cells and what they become."""
    reader = readings.Reader(waiting.layout, recipe, waiting.known)
    return [
        {
            "place": column,
            "letter": sheets.letter(column),
            "heading": heading.text,
            "target": recipe.targets[column],
            "samples": samples(reader, column),
        }
        for column, heading in enumerate(waiting.layout.headings)
        if _is_shown(heading, waiting.layout, column)
    ]


def _is_shown(heading: Heading, layout: Layout, column: int) -> bool:
    return heading.text != WRONG and (bool(heading.text) or any(line[column] for line in layout.body))


def _lacks(recipe: Recipe) -> list[str]:
    """Say what no column is yet, although nobody can be signed up without it."""
    found = {*recipe.targets}
    lacks = []
    if "email" not in found:
        lacks.append(_("No column has e-mail addresses: only who is signed up is found, by name."))
    if "time_zone" not in found and not recipe.zone:
        lacks.append(_("No column has time zones: choose one below for everybody who is new."))
    if not found & {*HOURS} and not recipe.hours:
        lacks.append(_("No column has hours: write below when everybody who is new is free."))
    return lacks


@blueprint.get("/<slug>/import/<key>")
@organiser_required
def dry_run(slug: str, key: str) -> ResponseReturnValue:
    """Show row by row what an import would do."""
    course = own_course(slug)
    waiting = _waiting(course, key)
    plan = waiting.plan(course)
    refused = [row for row in plan.rows if row.action is Action.REFUSE]
    others = [row for row in plan.rows if row.action is not Action.REFUSE]
    return render_template(
        "organiser/dry_run.html",
        course=course,
        upload=waiting.upload,
        dialect=waiting.dialect,
        plan=plan,
        refused=refused,
        shown_refused=refused[:SHOWN_REFUSED],
        others=others,
        shown=sorted(others, key=lambda row: not row.notes)[:SHOWN],
        counts=plan.counts,
    )


@blueprint.get("/<slug>/import/<key>/refused.csv")
@organiser_required
def refused_rows(slug: str, key: str) -> ResponseReturnValue:
    """Give the refused rows as a file to mend, with what is wrong in a column of its own."""
    course = own_course(slug)
    waiting = _waiting(course, key)
    refused = {row.line: row for row in waiting.plan(course).rows if row.action is Action.REFUSE}
    if not refused:
        abort(404)
    notes = {line: imports.in_short(row) for line, row in refused.items()}
    return Response(
        waiting.layout.to_mend(notes),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{course.slug}-to-mend.csv"'},
    )


@blueprint.post("/<slug>/import/<key>/apply")
@organiser_required
def apply(slug: str, key: str) -> ResponseReturnValue:
    """Import a file, or those of its rows that can be read."""
    course = own_course(slug)
    waiting = _waiting(course, key)
    result = imports.apply(
        session(), course, waiting.plan(course), leave_out_refused="leave_out" in request.form, at=now()
    )
    session().delete(waiting.upload)
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

"""Sign-ups from a file: bring it, say what its columns are, look at what would happen, import."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from flask import Response, abort, flash, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from cohorts import dialects, dry_runs, importing, imports, uploads
from cohorts.exceptions import UnreadableFile
from cohorts.headings import BUSY, IGNORED, NAMES, SENT
from cohorts.language import gettext as _
from cohorts.language import lazy_gettext as lazy
from cohorts.models import Course, Upload, UploadStage, now
from cohorts.recipes import HOURS, NAMED, Known, Recipe

from .auth import organiser_required
from .database import session
from .desk import blueprint, me, own_course
from .import_forms import RecipeForm, UploadForm

TITLES: Final = {
    dry_runs.REFUSED: lazy("Refused"),
    dry_runs.OTHERS: lazy("Rows that can be read"),
    dry_runs.REPEATED: lazy("Answered more than once"),
    dry_runs.NO_SIGN_UPS: lazy("No sign-ups"),
}
"""What the lists of a dry run are called."""


@blueprint.route("/<slug>/import", methods=["GET", "POST"], endpoint="import_")
@organiser_required
def upload(slug: str) -> ResponseReturnValue:
    """Take a file of sign-ups; nothing is signed up yet."""
    course = own_course(slug)
    form = UploadForm()
    if form.validate_on_submit():
        try:
            content, name = form.content()
            taken = uploads.take(session(), course, me(), name, content)
        except UnreadableFile as error:
            session().rollback()
            course = own_course(slug)
            field = form.file if form.file.data else form.pasted
            field.errors = [str(error)]
        else:
            session().commit()
            if taken.is_as_before:
                flash(
                    _("The columns are read as you said for an earlier file with the same headings."), "good"
                )
            for note in taken.notes:
                flash(note, "warn")
            view = ".dry_run" if taken.is_clear else ".import_columns"
            return redirect(url_for(view, slug=slug, key=taken.upload.key))
    page = render_template(
        "organiser/import.html",
        course=course,
        form=form,
        columns=imports.COLUMNS,
        required=imports.REQUIRED,
        dialects=[each.label for each in list(dialects.DIALECTS.values())[:-1]],
    )
    return page, 422 if form.errors else 200


def _shown_reading(course: Course, key: str) -> Upload | str:
    """Return a file that was read, or else the page that shows how far the work on it is."""
    kept = uploads.get(session(), course, me(), key)
    if kept.stage is UploadStage.READ:
        return kept
    return render_template("organiser/import_progress.html", course=course, upload=kept)


def _recipe_of(kept: Upload, known: Known) -> Recipe:
    assert kept.recipe is not None, "whoever reads a file keeps how"
    return Recipe.from_json(kept.recipe, known.questions)


@blueprint.route("/<slug>/import/<key>/columns", methods=["GET", "POST"])
@organiser_required
def import_columns(slug: str, key: str) -> ResponseReturnValue:
    """Show what each column is taken for and what its cells become; let it be changed."""
    course = own_course(slug)
    kept = _shown_reading(course, key)
    if isinstance(kept, str):
        return kept
    known = imports.knowledge(course)
    recipe, reading = _recipe_of(kept, known), kept.reading or {}
    form = RecipeForm(recipe, reading)
    if form.validate_on_submit():
        chosen = form.recipe(_chosen_targets(recipe, known))
        for name, message in chosen.problems().items():
            form[name].errors = [message]
        if not form.errors:
            return _kept_and_on(course, kept, chosen, form)
    page = render_template(
        "organiser/import_columns.html",
        course=course,
        form=form,
        upload=kept,
        sheets=uploads.sheets_of(session(), kept),
        dialect=_dialect(kept),
        reading=reading,
        targets=_targets(known),
        asks_busy=BUSY in recipe.targets,
        lacks=_lacks(recipe),
    )
    return page, 422 if form.errors else 200


def _dialect(kept: Upload) -> str:
    """Return what the tool that wrote a file is called."""
    return str(dialects.DIALECTS[(kept.reading or {})["dialect"]].label)


def _kept_and_on(course: Course, kept: Upload, recipe: Recipe, form: RecipeForm) -> ResponseReturnValue:
    """Note how the columns are read, and have them read so; go on, or show the same page anew."""
    goes_on = request.form.get("then") == "go_on" and not form.moves_headings
    if goes_on and form.keep.data:
        uploads.keep_recipe(session(), course, (kept.reading or {})["digest"], recipe, now())
    dry_runs.ask(session(), kept, recipe)
    session().commit()
    view = ".dry_run" if goes_on else ".import_columns"
    return redirect(url_for(view, slug=course.slug, key=kept.key))


def _chosen_targets(recipe: Recipe, known: Known) -> tuple[str, ...]:
    """Return what was chosen for each column; what was not on the page stays."""
    keys = {*NAMES, IGNORED, *(question.key for question in known.questions)}
    chosen = (request.form.get(f"column-{column}", before) for column, before in enumerate(recipe.targets))
    return tuple(each if each in keys else IGNORED for each in chosen)


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
    kept = _shown_reading(course, key)
    if isinstance(kept, str):
        return kept
    reading = kept.reading or {}
    lists = {kind: number for kind, number in reading["lists"].items() if number}
    kind = request.args.get("show", "")
    kind = kind if kind in lists else next(iter(lists), dry_runs.OTHERS)
    return render_template(
        "organiser/dry_run.html",
        course=course,
        upload=kept,
        dialect=_dialect(kept),
        reading=reading,
        counts=reading["counts"],
        lists=lists,
        titles={each: TITLES[each] for each in lists},
        page=dry_runs.page(session(), kept, kind, request.args.get("page", 1, type=int)),
        read_at=datetime.fromisoformat(reading["read_at"]),
    )


@blueprint.get("/<slug>/import/<key>.json")
@organiser_required
def import_progress(slug: str, key: str) -> ResponseReturnValue:
    """Tell how far the work on a file is."""
    kept = uploads.get(session(), own_course(slug), me(), key)
    active = kept.stage in (UploadStage.UNREAD, UploadStage.IMPORTING)
    return jsonify(active=active, progress=kept.progress, stage="")


@blueprint.post("/<slug>/import/<key>/again")
@organiser_required
def look_again(slug: str, key: str) -> ResponseReturnValue:
    """Have a file read anew: people may have signed up since."""
    course = own_course(slug)
    kept = uploads.get(session(), course, me(), key)
    if kept.stage is UploadStage.READ:
        dry_runs.ask(session(), kept)
    session().commit()
    return redirect(url_for(".dry_run", slug=slug, key=key))


@blueprint.get("/<slug>/import/<key>/refused.csv")
@organiser_required
def refused_rows(slug: str, key: str) -> ResponseReturnValue:
    """Give the refused rows as a file to mend, with what is wrong in a column of its own."""
    course = own_course(slug)
    content = dry_runs.to_mend(session(), uploads.get(session(), course, me(), key))
    if content is None:
        abort(404)
    return Response(
        content,
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{course.slug}-to-mend.csv"'},
    )


@blueprint.post("/<slug>/import/<key>/apply")
@organiser_required
def apply(slug: str, key: str) -> ResponseReturnValue:
    """Import a file, or those of its rows that can be read; a large one is imported by the worker."""
    course = own_course(slug)
    kept = uploads.get(session(), course, me(), key)
    if kept.stage is not UploadStage.READ:  # pressed twice
        return redirect(url_for(".dry_run", slug=slug, key=key))
    result = importing.apply(session(), kept, leave_out="leave_out" in request.form, at=now())
    session().commit()
    if result is None:
        return redirect(url_for(".dry_run", slug=slug, key=key))
    message = _("%(added)s added, %(changed)s changed.", added=result.added, changed=result.changed)
    left = _("%(number)s left out.", number=result.left_out) if result.left_out else ""
    flash(f"{message} {left}".strip(), "good")
    return redirect(url_for(".signups", slug=slug))


@blueprint.post("/<slug>/import/<key>/discard")
@organiser_required
def discard(slug: str, key: str) -> ResponseReturnValue:
    """Forget a file that was uploaded."""
    course = own_course(slug)
    importing.forget(session(), uploads.get(session(), course, me(), key))
    session().commit()
    flash(_("The file is forgotten; nothing was changed."), "good")
    return redirect(url_for(".import_", slug=slug))

"""Interactions from a file: bring it, say what its columns are, look at what would be kept, import."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from cohorts import interactions, sheets, uploads
from cohorts.drafts import Draft
from cohorts.exceptions import UnreadableFile
from cohorts.interactions import Outcome
from cohorts.language import gettext as _
from cohorts.models import Course, Purpose, Upload, now

from .auth import organiser_required
from .database import session
from .desk import blueprint, me, own_course
from .import_forms import InteractionsForm, TableForm

SHOWN: Final = 50
"""Interactions, and unknown people, that are shown."""
SHOWN_WRONG: Final = 200
SAMPLES: Final = 3


@blueprint.route("/<slug>/connections/import", methods=["GET", "POST"])
@organiser_required
def import_connections(slug: str) -> ResponseReturnValue:
    """Take a file of interactions; nothing is kept of it yet."""
    course = own_course(slug)
    form = InteractionsForm()
    draft = _draft(form) if form.validate_on_submit() else None
    if draft is not None:
        name = form.file.data.filename if form.file.data else _("Pasted rows")
        content = draft.to_bytes()
        kept = uploads.keep(session(), course, me(), name, content, purpose=Purpose.INTERACTIONS)
        session().commit()
        view = ".preview_connections" if draft.is_clear else ".connection_columns"
        return redirect(url_for(view, slug=slug, key=kept.key))
    past = interactions.imports(session(), course)
    page = render_template("organiser/connections_import.html", course=course, form=form, past=past)
    return page, 422 if form.errors else 200


def _draft(form: InteractionsForm) -> Draft | None:
    """Return what was brought; what cannot be read is told beside its field."""
    names: dict[str, str] = {}
    if (form.names.data or "").strip():
        try:
            names, slips = interactions.read_names(form.names.data.encode())
        except UnreadableFile as error:
            form.names.errors = [str(error)]
        else:
            form.names.errors = [f"{each.place}: {each.message}" for each in slips[:10]]
    content, name = form.content()
    try:
        draft = Draft.of(content, name, names)
    except UnreadableFile as error:
        field = form.file if form.file.data else form.pasted
        field.errors = [str(error)]
        return None
    return None if form.errors else draft


@blueprint.route("/<slug>/connections/import/<key>/columns", methods=["GET", "POST"])
@organiser_required
def connection_columns(slug: str, key: str) -> ResponseReturnValue:
    """Ask which column of a table says who, to whom, when and what."""
    course = own_course(slug)
    upload, draft = _waiting(course, key)
    if draft.table is None:
        return redirect(url_for(".preview_connections", slug=slug, key=key))
    head, *body = draft.table.lines
    headings = [
        f"{sheets.letter(place)}: {heading}" if heading else sheets.letter(place)
        for place, heading in enumerate(head[each] for each in range(draft.table.width))
    ]
    form = TableForm(headings, draft.columns)
    if form.validate_on_submit():
        draft = replace(draft, columns=form.columns())
        if draft.is_clear:
            upload.content = draft.to_bytes()
            session().commit()
            return redirect(url_for(".preview_connections", slug=slug, key=key))
        for field in (form.from_, form.to_, form.time_):
            field.errors = [_("Choose a column.")] if field.data < 0 else []
    page = render_template(
        "organiser/connections_columns.html",
        course=course,
        form=form,
        upload=upload,
        headings=headings,
        body=body[:SAMPLES],
        n_rows=len(body),
    )
    return page, 422 if form.errors else 200


def _waiting(course: Course, key: str) -> tuple[Upload, Draft]:
    upload = uploads.get(session(), course, me(), key, Purpose.INTERACTIONS)
    return upload, Draft.from_bytes(upload.content)


@blueprint.get("/<slug>/connections/import/<key>")
@organiser_required
def preview_connections(slug: str, key: str) -> ResponseReturnValue:
    """Show what would be kept of a file, and what of it was not understood."""
    course = own_course(slug)
    upload, draft = _waiting(course, key)
    if not draft.is_clear:
        return redirect(url_for(".connection_columns", slug=slug, key=key))
    try:
        reading = draft.reading()
    except UnreadableFile as error:
        flash(str(error), "bad")
        return redirect(url_for(".import_connections", slug=slug))
    plan = interactions.plan(session(), course, reading, draft.names, now())
    ahead = [
        (row.told.place, _("This lies in the future.")) for row in plan.rows if row.outcome is Outcome.WRONG
    ]
    wrong = [*((each.place, each.message) for each in plan.slips), *ahead]
    return render_template(
        "organiser/connections_preview.html",
        course=course,
        upload=upload,
        plan=plan,
        counts=plan.counts,
        is_table=draft.table is not None,
        wrong=wrong,
        shown_wrong=wrong[:SHOWN_WRONG],
        shown_unknown=plan.unknown[:SHOWN],
        shown=[row for row in plan.rows if row.outcome is Outcome.KEEP][:SHOWN],
    )


@blueprint.post("/<slug>/connections/import/<key>/apply")
@organiser_required
def apply_connections(slug: str, key: str) -> ResponseReturnValue:
    """Keep the interactions of a file."""
    course = own_course(slug)
    upload, draft = _waiting(course, key)
    done = interactions.apply(session(), course, draft.reading(), draft.names, now(), user=me())
    session().delete(upload)
    session().commit()
    flash(
        _(
            "%(kept)s interactions imported, %(repeated)s were there already.",
            kept=done.n_kept,
            repeated=done.n_repeated,
        ),
        "good",
    )
    return redirect(url_for(".connections", slug=slug))


@blueprint.post("/<slug>/connections/import/<key>/discard")
@organiser_required
def discard_connections(slug: str, key: str) -> ResponseReturnValue:
    """Forget a file that was uploaded."""
    course = own_course(slug)
    session().delete(_waiting(course, key)[0])
    session().commit()
    flash(_("The file is forgotten; nothing was changed."), "good")
    return redirect(url_for(".import_connections", slug=slug))


@blueprint.post("/<slug>/connections/imported/<key>/remove")
@organiser_required
def remove_connections(slug: str, key: str) -> ResponseReturnValue:
    """Take back what was imported."""
    course = own_course(slug)
    interactions.remove(session(), course, key)
    session().commit()
    flash(_("What was imported then is gone."), "good")
    return redirect(url_for(".import_connections", slug=slug))

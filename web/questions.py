"""A course's own questions: added, changed, put in order, removed, and looked at as a learner sees them."""

from __future__ import annotations

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from cohorts import custom, signups
from cohorts.exceptions import InvalidInput
from cohorts.kinds import KINDS
from cohorts.language import gettext as _
from cohorts.models import Course
from cohorts.policies import Act
from cohorts.questions import Kind

from .auth import organiser_required, requires
from .database import session
from .desk import argument, blueprint, own_course
from .forms import SignUpForm
from .question_forms import QuestionForm
from .sign_up_pages import form_parts


def _to_list(slug: str) -> ResponseReturnValue:
    return redirect(url_for(".settings", slug=slug, _anchor="own"))


@blueprint.route("/<slug>/questions/new", methods=["GET", "POST"])
@organiser_required
def new_question(slug: str) -> ResponseReturnValue:
    """Add a question; its kind is chosen first."""
    course = own_course(slug)
    if argument("kind") not in set(Kind):
        return render_template("organiser/question_kinds.html", course=course, kinds=KINDS)
    form = QuestionForm.showing(Kind(argument("kind")))
    if form.validate_on_submit():
        try:
            custom.add(session(), course, form.question())
        except InvalidInput as error:
            form.take_errors(error)
        else:
            session().commit()
            flash(_("The question is added."), "good")
            return _to_list(slug)
    return _page(course, form)


@blueprint.route("/<slug>/questions/<question>", methods=["GET", "POST"])
@organiser_required
def question(slug: str, question: str) -> ResponseReturnValue:
    """Change a question."""
    course = own_course(slug)
    found = custom.get(course, question)
    form = QuestionForm.showing(found.kind, found)
    if form.validate_on_submit():
        try:
            custom.change(session(), course, form.question())
        except InvalidInput as error:
            form.take_errors(error)
        else:
            session().commit()
            flash(_("The question is saved."), "good")
            return _to_list(slug)
    return _page(course, form, question)


def _page(course: Course, form: QuestionForm, key: str = "") -> ResponseReturnValue:
    page = render_template(
        "organiser/question.html", course=course, form=form, key=key, rules=KINDS[form.kind]
    )
    return page, 422 if form.errors else 200


@blueprint.post("/<slug>/questions/<question>/move")
@organiser_required
def move_question(slug: str, question: str) -> ResponseReturnValue:
    """Put a question before or behind its neighbour."""
    course = own_course(slug)
    if request.form.get("to") not in ("up", "down"):
        abort(400)
    custom.move(session(), course, question, up=request.form["to"] == "up")
    session().commit()
    return _to_list(slug)


@blueprint.route("/<slug>/questions/<question>/remove", methods=["GET", "POST"])
@organiser_required
def remove_question(slug: str, question: str) -> ResponseReturnValue:
    """Ask before a question and the answers to it are removed, and do so."""
    course = own_course(slug)
    found = custom.get(course, question)
    if request.method == "POST":
        signups.lock(session(), course)
        custom.remove(session(), course, question)
        session().commit()
        flash(_("The question and the answers to it are removed."), "good")
        return _to_list(slug)
    answered = custom.count_answers(session(), course)[question]
    return render_template("organiser/question_remove.html", course=course, question=found, answered=answered)


@blueprint.get("/<slug>/preview")
@requires(Act.LOOK)
def preview(slug: str) -> ResponseReturnValue:
    """Show the form as a learner sees it; nothing can be sent from there."""
    course = own_course(slug)
    listed, added = signups.suggestions(session(), course)
    form = SignUpForm(course, interests=[*listed, *added])
    return render_template("organiser/preview.html", course=course, **form_parts(form, (listed, added)))

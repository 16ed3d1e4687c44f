"""The blueprint of learners' pages, and what a personal link opens for all of them."""

from __future__ import annotations

from flask import Blueprint, abort, current_app, request
from flask_wtf import FlaskForm

from cohorts import presence
from cohorts.exceptions import InvalidInput, NotFound
from cohorts.language import gettext as _
from cohorts.links import Links
from cohorts.models import Cohort, Course, Signup, SignupState, now
from cohorts.standing import standing_of

from . import locales
from .database import session

blueprint = Blueprint("learner", __name__)


@blueprint.url_value_preprocessor
def refuse_nul(endpoint: str | None, values: dict[str, str] | None) -> None:
    """Answer 404 to an address that no database could look up."""
    if any("\x00" in value for value in (values or {}).values()):
        abort(404)


def links() -> Links:
    """Return what makes and reads the links of this site."""
    found: Links = current_app.extensions["links"]
    return found


def own_signup(token: str) -> Signup:
    """Return the sign-up that a personal link belongs to; anything else answers 404.

    The rest of the request is in that learner's language. Whatever they do there is a sign of life; only
    to open a page is none, for mail scanners do that, too.
    """
    signup = links().read_learner(session(), token)
    if request.method == "POST":
        presence.seen(session(), signup, now())
    locales.speak_to(signup, token)
    return signup


def own_confirmed(token: str) -> Signup:
    """Return the sign-up that a personal link belongs to, if it counts."""
    signup = own_signup(token)
    if signup.state is not SignupState.CONFIRMED:
        raise NotFound(_("Open your personal link first; there is a button to press there."))
    return signup


def own_cohort(token: str) -> tuple[Signup, Cohort]:
    """Return the sign-up that a personal link belongs to, and the cohort they are in now."""
    signup = own_signup(token)
    found = standing_of(session(), signup).cohort
    if found is None:
        raise NotFound(_("You are not in a cohort at the moment."))
    return signup, found


def asked(course: Course) -> set[str]:
    """Return the keys of the questions that a course asks."""
    return {question.key for question in course.questions if question.asked}


def refuse(form: FlaskForm, error: InvalidInput) -> None:
    """Show in a form what the domain finds wrong, at fields that could be read."""
    for name, sentences in error.errors.items():
        if name not in form:
            form.form_errors.extend(sentences)
        elif not form[name].errors:
            form[name].errors = list(sentences)

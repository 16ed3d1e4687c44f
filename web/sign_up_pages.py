"""Signing up: a course and its form, empty or with answers from an earlier course, and changing them."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from cohorts import availability, language, old_answers, old_enough, signups
from cohorts.exceptions import InvalidInput, NotFound
from cohorts.language import gettext as _
from cohorts.models import Course, Signup, now
from cohorts.policies import FEW
from cohorts.signups import Phase
from cohorts.week import SLOTS

from . import zones
from .database import session
from .forms import LANGUAGES, SignUpForm
from .personal import blueprint, links, own_confirmed, own_signup

Interests = tuple[list[str], list[str]]
"""What an organiser listed, and what learners added."""


@blueprint.get("/c/<slug>")
def course(slug: str) -> ResponseReturnValue:
    """Show a course and its form, or why there is none."""
    found = signups.public_course(session(), slug)
    interests = signups.suggestions(session(), found)
    return _course_page(found, _form(found, interests), interests)


@blueprint.post("/c/<slug>")
def sign_up(slug: str) -> ResponseReturnValue:
    """Sign up; the answer does not tell whether the address had been known."""
    return _take(signups.public_course(session(), slug))


@blueprint.get("/c/<slug>/thanks")
def thanks(slug: str) -> ResponseReturnValue:
    """Say that a mail is on its way."""
    return render_template("learner/thanks.html", course=signups.public_course(session(), slug))


@blueprint.route("/c/<slug>/old-answers", methods=["GET", "POST"])
def ask_for_old_answers(slug: str) -> ResponseReturnValue:
    """Offer to mail a link that fills in the form; the answer is the same for unknown addresses."""
    found = signups.public_course(session(), slug)
    email = request.form.get("email", "").strip()
    if email:
        old_answers.ask(session(), found, email, now())
        session().commit()
    return render_template("learner/old_answers.html", course=found, email=email)


@blueprint.get("/l/<token>/join/<slug>")
def join(token: str, slug: str) -> ResponseReturnValue:
    """Show the form of another course, filled in with the answers of the one that the link belongs to."""
    signup, found = _joining(token, slug)
    interests = signups.suggestions(session(), found)
    form = _form(found, interests, brought=old_answers.brought(signup, found))
    return _course_page(found, form, interests, token=token, before=signup.course)


@blueprint.post("/l/<token>/join/<slug>")
def sign_up_again(token: str, slug: str) -> ResponseReturnValue:
    """Sign up for another course, in the learner's own language."""
    signup, found = _joining(token, slug)
    return _take(found, token=token, before=signup.course)


def _joining(token: str, slug: str) -> tuple[Signup, Course]:
    """Return the sign-up that a personal link belongs to, and the other course to join.

    Until an address is confirmed, anybody may have written the answers beside it.
    """
    signup, found = own_signup(token), signups.public_course(session(), slug)
    if signup.confirmed_at is None or signup.course_id == found.id:
        raise NotFound
    return signup, found


def _take(found: Course, **around: Any) -> ResponseReturnValue:
    """Sign up with what was posted, or show it again; ``around`` is for the page."""
    interests = signups.suggestions(session(), found)
    form = _form(found, interests, posted=True)
    if form.is_too_young:
        return _too_young(found, form)
    if form.validate():
        try:
            signups.sign_up(session(), found, form.answers(), now(), of_age=form.of_age)
        except InvalidInput as error:
            form.refuse(error.errors)
        else:
            session().commit()
            return redirect(url_for(".thanks", slug=found.slug))
    return _course_page(found, form, interests, **around), 422


def _too_young(found: Course, form: SignUpForm, token: str = "") -> ResponseReturnValue:
    """Say what somebody can do who is not old enough; nothing of what they wrote is kept."""
    return render_template("learner/too_young.html", course=found, age=form.age, token=token), 422


def _form(found: Course, interests: Interests, *, posted: bool = False, **given: Any) -> SignUpForm:
    listed, added = interests
    return SignUpForm(found, request.form if posted else None, interests=[*listed, *added], **given)


@blueprint.get("/l/<token>/edit")
def edit(token: str) -> ResponseReturnValue:
    """Show a learner's answers in the form."""
    signup = own_confirmed(token)
    interests = signups.suggestions(session(), signup.course)
    return _edit_page(token, signup, _form(signup.course, interests, signup=signup), interests)


@blueprint.post("/l/<token>/edit")
def save(token: str) -> ResponseReturnValue:
    """Replace a learner's answers."""
    signup = own_confirmed(token)
    interests = signups.suggestions(session(), signup.course)
    form = _form(signup.course, interests, posted=True, signup=signup)
    if form.is_too_young:
        return _too_young(signup.course, form, token=token)
    if form.validate():
        try:
            signups.edit(session(), signup, form.answers(), of_age=form.of_age, at=now())
        except InvalidInput as error:
            form.refuse(error.errors)
        else:
            session().commit()
            flash(_("Your answers are saved."))
            return redirect(url_for(".mine", token=token))
    return _edit_page(token, signup, form, interests), 422


def _course_page(found: Course, form: SignUpForm, interests: Interests, **around: Any) -> str:
    """Show a course and its form; ``around`` is a personal link's token and the course it belongs to."""
    at = now()
    phase = signups.phase(found, at)
    count = signups.count_confirmed(session(), found)
    places = None
    if found.capacity is not None and phase is Phase.OPEN:
        places = max(0, found.capacity - signups.places_taken(session(), found))
    return render_template(
        "learner/course.html",
        course=found,
        phase=phase,
        count=count if count >= FEW else None,
        places=places,
        links=links(),
        **form_parts(form, interests),
        **around,
    )


def _edit_page(token: str, signup: Signup, form: SignUpForm, interests: Interests) -> str:
    return render_template(
        "learner/edit.html",
        signup=signup,
        course=signup.course,
        token=token,
        **form_parts(form, interests),
    )


def form_parts(form: SignUpForm, interests: Interests) -> dict[str, Any]:
    """Return what ``learner/_form.html`` needs."""
    zone = form.time_zone.data or ""
    return {
        "form": form,
        "listed": interests[0],
        "added": interests[1],
        "continents": zones.cities(),
        "zone_is_listed": zones.is_listed(zone),
        "age_elsewhere": old_enough.ELSEWHERE,
        "zones_by_age": zones.by_age() if form.age is not None else {},
        "known_languages": LANGUAGES,
        "days": [
            {
                "index": day,
                "name": language.weekday(day),
                "short": language.weekday(day, "abbreviated"),
                "tiny": language.weekday(day, "short"),
            }
            for day in language.week()
        ],
        "free": availability.write(frozenset(s for s in form.availability.data if s < SLOTS)),
    }

"""The pages of learners: courses, signing up, and what a personal link opens."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from cohorts import availability, language, meetings, signups
from cohorts.exceptions import InvalidInput
from cohorts.language import gettext as _
from cohorts.models import Course, Signup, SignupState, now
from cohorts.policies import FEW
from cohorts.signups import Phase
from cohorts.standing import standing_of
from cohorts.week import SLOTS
from cohorts.wording import in_words

from . import (
    change_pages,
    checkin_pages,
    cohort_pages,
    locales,
    meeting_pages,
    my_data,
    overlap,
    zones,
)
from .database import session
from .forms import LANGUAGES, SignUpForm
from .personal import blueprint, own_confirmed, own_signup

__all__ = ["blueprint", "checkin_pages", "cohort_pages", "meeting_pages", "my_data", "overlap"]


@blueprint.get("/")
def home() -> ResponseReturnValue:
    """Say what this is, and list the courses that are open."""
    return render_template("index.html", courses=signups.open_courses(session(), now()))


@blueprint.get("/c/<slug>")
def course(slug: str) -> ResponseReturnValue:
    """Show a course and its form, or why there is none."""
    found = signups.public_course(session(), slug)
    listed, added = signups.suggestions(session(), found)
    return _course_page(found, SignUpForm(found, interests=[*listed, *added]), (listed, added))


@blueprint.post("/c/<slug>")
def sign_up(slug: str) -> ResponseReturnValue:
    """Sign up; the answer does not tell whether the address had been known."""
    found = signups.public_course(session(), slug)
    listed, added = signups.suggestions(session(), found)
    form = SignUpForm(found, request.form, interests=[*listed, *added])
    if form.validate():
        try:
            signups.sign_up(session(), found, form.answers(), now())
        except InvalidInput as error:
            form.refuse(error.errors)
        else:
            session().commit()
            return redirect(url_for(".thanks", slug=slug))
    return _course_page(found, form, (listed, added)), 422


@blueprint.get("/c/<slug>/thanks")
def thanks(slug: str) -> ResponseReturnValue:
    """Say that a mail is on its way."""
    return render_template("learner/thanks.html", course=signups.public_course(session(), slug))


@blueprint.get("/l/<token>")
def mine(token: str) -> ResponseReturnValue:
    """Show a learner where they stand: to confirm, signed up, waiting, in a cohort, or out."""
    signup = own_signup(token)
    if signup.state is SignupState.PENDING:
        return render_template("learner/confirm.html", signup=signup, course=signup.course, token=token)
    if signup.state is SignupState.WITHDRAWN:
        return change_pages.withdrawn_page(token, signup)
    return render_template(
        "learner/mine.html",
        signup=signup,
        course=signup.course,
        token=token,
        standing=standing_of(session(), signup),
        free=availability.pieces(signup.availability),
        if_needed=availability.pieces(signup.if_needed),
        answers=[(each.label, each.words) for each in in_words(signup)],
        company=overlap.of_signup(signup),
        clock=meetings.in_zone(now(), signup.time_zone),
        **change_pages.standing_now(signup),
    )


@blueprint.post("/l/<token>/confirm")
def confirm(token: str) -> ResponseReturnValue:
    """Confirm a sign-up."""
    signups.confirm(session(), own_signup(token), now())
    session().commit()
    flash(_("Thank you, your sign-up is confirmed."))
    return redirect(url_for(".mine", token=token))


@blueprint.post("/l/<token>/disown")
def disown(token: str) -> ResponseReturnValue:
    """Forget a sign-up that somebody else made with this address."""
    signups.disown(session(), own_signup(token), now())
    session().commit()
    flash(_("That sign-up and everything in it is deleted. Sorry for the mail."))
    return redirect(url_for(".home"))


@blueprint.post("/l/<token>/return")
def come_back(token: str) -> ResponseReturnValue:
    """Sign up again, with the answers from before."""
    signups.come_back(session(), own_signup(token), now())
    session().commit()
    flash(_("Welcome back. Please look whether your answers still hold."))
    return redirect(url_for(".mine", token=token))


@blueprint.post("/l/<token>/language")
def change_language(token: str) -> ResponseReturnValue:
    """Change the language of a learner's pages and mails."""
    signup = own_signup(token)
    locales.choose(request.form.get("lang", ""))
    signup.locale = language.locale()
    session().commit()
    return locales.back()


@blueprint.get("/l/<token>/edit")
def edit(token: str) -> ResponseReturnValue:
    """Show a learner's answers in the form."""
    signup = own_confirmed(token)
    listed, added = signups.suggestions(session(), signup.course)
    form = SignUpForm(signup.course, interests=[*listed, *added], signup=signup)
    return _edit_page(token, signup, form, (listed, added))


@blueprint.post("/l/<token>/edit")
def save(token: str) -> ResponseReturnValue:
    """Replace a learner's answers."""
    signup = own_confirmed(token)
    listed, added = signups.suggestions(session(), signup.course)
    form = SignUpForm(signup.course, request.form, interests=[*listed, *added], signup=signup)
    if form.validate():
        try:
            signups.edit(session(), signup, form.answers())
        except InvalidInput as error:
            form.refuse(error.errors)
        else:
            session().commit()
            flash(_("Your answers are saved."))
            return redirect(url_for(".mine", token=token))
    return _edit_page(token, signup, form, (listed, added)), 422


def _course_page(found: Course, form: SignUpForm, interests: tuple[list[str], list[str]]) -> str:
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
        **form_parts(form, interests),
    )


def _edit_page(token: str, signup: Signup, form: SignUpForm, interests: tuple[list[str], list[str]]) -> str:
    return render_template(
        "learner/edit.html",
        signup=signup,
        course=signup.course,
        token=token,
        **form_parts(form, interests),
    )


def form_parts(form: SignUpForm, interests: tuple[list[str], list[str]]) -> dict[str, Any]:
    """Return what ``learner/_form.html`` needs."""
    zone = form.time_zone.data or ""
    return {
        "form": form,
        "listed": interests[0],
        "added": interests[1],
        "continents": zones.cities(),
        "zone_is_listed": zones.is_listed(zone),
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

"""The pages of learners: the first page, and what a personal link opens."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from cohorts import availability, language, meetings, old_answers, signups
from cohorts.language import gettext as _
from cohorts.models import SignupState, now
from cohorts.standing import standing_of
from cohorts.wording import in_words

from . import (
    change_pages,
    checkin_pages,
    cohort_pages,
    connection_pages,
    locales,
    meeting_pages,
    my_data,
    overlap,
    sign_up_pages,
)
from .database import session
from .personal import blueprint, own_signup

__all__ = [
    "blueprint",
    "checkin_pages",
    "cohort_pages",
    "connection_pages",
    "meeting_pages",
    "my_data",
    "overlap",
    "sign_up_pages",
]


@blueprint.get("/")
def home() -> ResponseReturnValue:
    """Say what this is, and list the courses that are open."""
    return render_template("index.html", courses=signups.open_courses(session(), now()))


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
        next_courses=old_answers.next_courses(session(), signup, now()),
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

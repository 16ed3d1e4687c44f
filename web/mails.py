"""Which mails a learner wants: a page behind their link, and the link that stops mails in one step."""

from __future__ import annotations

from typing import Final

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from cohorts import help_mails, language, subscriptions
from cohorts.language import gettext
from cohorts.language import lazy_gettext as _
from cohorts.models import Course
from cohorts.subscriptions import Topic

from .database import session
from .personal import blueprint, links, own_signup

TOPICS: Final = {
    Topic.REMINDERS: (_("Reminders"), _("A short mail before each meeting of your cohort.")),
    Topic.CHECK_INS: (_("Check-ins"), _("Once a week: did you meet, and how is it going?")),
    Topic.NEWS: (_("News of your cohort"), _("Somebody joins or leaves.")),
    Topic.LETTERS: (_("Letters"), _("What the organisers of the course write to many at once.")),
}
"""What each kind of mail that can be stopped is called, and what it is."""


@blueprint.get("/l/<token>/mails")
def mails(token: str) -> ResponseReturnValue:
    """Show a learner which mails they get."""
    signup = own_signup(token)
    wanted = [topic for topic in Topic if subscriptions.wants(signup, topic)]
    return render_template(
        "learner/mails.html", course=signup.course, token=token, topics=TOPICS, wanted=wanted
    )


@blueprint.post("/l/<token>/mails")
def choose_mails(token: str) -> ResponseReturnValue:
    """Send a learner the mails they ticked, and no others that can be stopped."""
    ticked = request.form.getlist("wanted")
    subscriptions.choose(session(), own_signup(token), [topic for topic in Topic if topic.value in ticked])
    session().commit()
    flash(gettext("Saved. You get the mails you ticked."))
    return redirect(url_for(".mails", token=token))


@blueprint.get("/stop-mails/<token>")
def ask_to_stop_mails(token: str) -> ResponseReturnValue:
    """Show a button: opening the link stops nothing, for mail scanners open every link."""
    return _stop_page(token, "asked")


@blueprint.post("/stop-mails/<token>")
def stop_mails(token: str) -> ResponseReturnValue:
    """Stop mails, or send them again, at once and with no cookie or form token (RFC 8058).

    Mail programs post here by themselves when somebody presses their “Unsubscribe”. They do not
    follow a redirect, so the answer is a page.
    """
    signup, topics = links().read_stop_mails(session(), token)
    resumes = "resume" in request.form
    act = subscriptions.resume if resumes else subscriptions.stop
    act(session(), signup, topics)
    session().commit()
    return _stop_page(token, "resumed" if resumes else "stopped")


def _stop_page(token: str, step: str) -> str:
    signup, topics = links().read_stop_mails(session(), token)
    if signup.locale:
        language.speak(signup.locale)
    return render_template(
        "learner/stop_mails.html",
        course=signup.course,
        token=token,
        step=step,
        names=[TOPICS[topic][0] for topic in topics],
    )


@blueprint.get("/stop-help-mails/<token>")
def ask_to_stop_help_mails(token: str) -> ResponseReturnValue:
    """Show an organiser the button; opening the link stops nothing."""
    return _stop_help_page(token, "asked")


@blueprint.post("/stop-help-mails/<token>")
def stop_help_mails(token: str) -> ResponseReturnValue:
    """Stop the mails about requests for help in one course, or send them again (RFC 8058)."""
    resumes = "resume" in request.form
    help_mails.choose(session(), links().read_stop_help_mails(session(), token), wanted=resumes)
    session().commit()
    return _stop_help_page(token, "resumed" if resumes else "stopped")


def _stop_help_page(token: str, step: str) -> str:
    organiser = links().read_stop_help_mails(session(), token)
    if organiser.user.locale:
        language.speak(organiser.user.locale)
    return render_template(
        "learner/stop_mails.html",
        course=session().get_one(Course, organiser.course_id),
        token=token,
        step=step,
        names=[gettext("Learners ask for help")],
        is_organiser=True,
    )

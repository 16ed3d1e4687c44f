"""An organiser's courses: the list, the settings and the desk of each."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from flask import Blueprint, abort, current_app, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import ColumnElement

from cohorts import (
    availability,
    courses,
    custom,
    directory,
    help_requests,
    history,
    policies,
    presence,
    roster,
    runs,
    signups,
    statistics,
)
from cohorts.answers import time_zones
from cohorts.asking import custom_questions
from cohorts.courses import Asking, Details
from cohorts.exceptions import InvalidInput
from cohorts.kinds import KINDS
from cohorts.language import gettext as _
from cohorts.links import Links
from cohorts.models import Cohort, Course, User, now
from cohorts.policies import Act
from cohorts.questions import QUESTIONS
from cohorts.wording import in_words

from . import course_pulse, logbook
from .auth import current_user, organiser_required, requires
from .course_forms import CourseForm
from .database import session
from .outlook import MOVES, outlook
from .question_forms import SHORT_COUNTS

blueprint = Blueprint("organiser", __name__, url_prefix="/organise")

USUAL_START: Final = timedelta(weeks=6)


@blueprint.url_value_preprocessor
def refuse_nul(endpoint: str | None, values: dict[str, str] | None) -> None:
    """Answer 404 to addresses that no database could hold."""
    if values and any("\x00" in value for value in values.values()):
        abort(404)


@blueprint.before_request
def note_what_is_done() -> None:
    """Have whatever this request does to a course written into its log."""
    if request.method == "POST":
        logbook.watch(session())


def me() -> User:
    """Return who is signed in; every view of this blueprint requires somebody to be."""
    if "me" not in g:
        g.me = current_user()  # held for the whole request, so that it is loaded only once
    user: User = g.me
    return user


def own_course(slug: str) -> Course:
    """Return a course in which whoever is signed in may do what the view is for (see `auth.requires`)."""
    g.course, g.role = policies.admit(session(), me(), slug, g.get("act", Act.CHANGE))
    course: Course = g.course
    return course


def own_cohorts() -> ColumnElement[bool] | None:
    """Return the condition on the cohorts that whoever is signed in may see of `own_course`."""
    return policies.cohorts_within_reach(me(), g.role)


def own_cohort(slug: str, key: str) -> Cohort:
    """Return a published cohort of one of the courses of whoever is signed in, if it is theirs to see."""
    return roster.cohort(session(), own_course(slug), key, own_cohorts())


@blueprint.context_processor
def permissions() -> dict[str, Callable[[str], bool]]:
    """Let pages show only what whoever is signed in may do: ``may("change")``."""
    return {"may": lambda act: "role" in g and Act[act.upper()] in policies.MAY[g.role]}


def argument(name: str) -> str:
    """Return a text from the query of the address."""
    return request.args.get(name, "").replace("\x00", "").strip()


def chosen_zone(default: str = "UTC") -> str:
    """Return the time zone that a page is to be shown in."""
    zone = argument("zone")
    return zone if zone in time_zones() else default


@blueprint.get("/", endpoint="courses")
@organiser_required
def course_list() -> ResponseReturnValue:
    """List the courses of whoever is signed in."""
    return render_template("organiser/courses.html", listed=courses.for_user(session(), me()))


@blueprint.route("/new", methods=["GET", "POST"])
@organiser_required
def new() -> ResponseReturnValue:
    """Make a course."""
    form = CourseForm.showing(_usual_details())
    if form.validate_on_submit():
        try:
            course = courses.create(session(), me(), form.details())
        except InvalidInput as error:
            session().rollback()
            form.take_errors(error)
        else:
            g.course = course
            session().commit()
            flash(_("The course is made. Look it over, then open sign-up."), "good")
            return redirect(url_for(".desk", slug=course.slug))
    return render_template("organiser/settings.html", form=form, course=None), _status(form)


def _usual_details() -> Details:
    """Return what a new course starts from: the usual sizes, on a Monday in six weeks."""
    monday: date = now().date() + USUAL_START
    monday -= timedelta(days=monday.weekday())
    questions = {key: Asking(weight=question.weight) for key, question in QUESTIONS.items()}
    return Details(title="", start=monday, questions=questions)


@blueprint.post("/<slug>/copy")
@organiser_required
def copy(slug: str) -> ResponseReturnValue:
    """Make a course like another, without its learners."""
    g.course = courses.copy(session(), me(), own_course(slug), now())
    session().commit()
    flash(_("Here is the copy, a draft. Look the dates over, then open sign-up."), "good")
    return redirect(url_for(".settings", slug=g.course.slug))


def _status(form: CourseForm) -> int:
    return 422 if form.errors else 200


@blueprint.route("/<slug>/settings", methods=["GET", "POST"])
@organiser_required
def settings(slug: str) -> ResponseReturnValue:
    """Change a course."""
    course = own_course(slug)
    form = CourseForm.showing(courses.details_of(course))
    if form.validate_on_submit():
        try:
            signups.lock(session(), course)
            courses.update(session(), course, form.details())
            signups.fill_places(session(), course, now())
        except InvalidInput as error:
            session().rollback()
            form.take_errors(error)
            course = own_course(slug)
        else:
            session().commit()
            flash(_("The settings are saved."), "good")
            return redirect(url_for(".desk", slug=course.slug))
    page = render_template(
        "organiser/settings.html",
        form=form,
        course=course,
        own=custom_questions(course),
        answered=custom.count_answers(session(), course),
        kinds=KINDS,
        short_counts=SHORT_COUNTS,
    )
    return page, _status(form)


@blueprint.get("/<slug>")
@requires(Act.LOOK)
def desk(slug: str) -> ResponseReturnValue:
    """Show how a course stands."""
    course = own_course(slug)
    links: Links = current_app.extensions["links"]
    return render_template(
        "organiser/desk.html",
        course=course,
        words=outlook(course, now()),
        link=links.course(course.slug),
        found=statistics.of_course(session(), course, chosen_zone()),
        runs=runs.for_course(session(), course)[:5],
        **course_pulse.on_desk(session(), course),
    )


@blueprint.post("/<slug>/help/<key>/answered")
@organiser_required
def answer_request(slug: str, key: str) -> ResponseReturnValue:
    """Note that a request for help is answered."""
    help_requests.answered(session(), own_course(slug), key, now())
    session().commit()
    return redirect(url_for(".desk", slug=slug))


@blueprint.post("/<slug>/state")
@organiser_required
def move(slug: str) -> ResponseReturnValue:
    """Open or close sign-up by hand, or bring a course on in another way."""
    course = own_course(slug)
    wanted = request.form.get("to", "")
    if wanted not in MOVES:
        abort(400)
    act, message = MOVES[wanted]
    signups.lock(session(), course)
    act(session(), course)
    signups.fill_places(session(), course, now())
    logbook.say(wanted)
    session().commit()
    flash(str(message), "good")  # a session keeps words, not what turns into them
    return redirect(url_for(".desk", slug=slug))


@blueprint.get("/<slug>/signups", endpoint="signups")
@requires(Act.LOOK)
def signup_list(slug: str) -> ResponseReturnValue:
    """List the sign-ups of a course, filtered and a page at a time."""
    course = own_course(slug)
    state, text = argument("state"), argument("q")
    number = request.args.get("page", 1, type=int)
    page = directory.find(session(), course, state=state, text=text, number=number)
    return render_template(
        "organiser/signups.html",
        course=course,
        page=page,
        state=state,
        text=text,
        state_of=directory.state_of,
    )


@blueprint.get("/<slug>/signups/<key>")
@requires(Act.LOOK)
def signup(slug: str, key: str) -> ResponseReturnValue:
    """Show one sign-up with its answers; whom somebody avoids is theirs alone."""
    course = own_course(slug)
    found = directory.get(session(), course, key)
    return render_template(
        "organiser/signup.html",
        course=course,
        signup=found,
        state=directory.state_of(found),
        clock=now().astimezone(ZoneInfo(found.time_zone)),
        pieces=directory.spans(found.availability),
        free=availability.pieces(found.availability),
        if_needed=availability.pieces(found.if_needed),
        answers=in_words(found),
        stays=history.of_signup(session(), found),
        why=history.WHY,
        presence=presence.of(session(), found),
    )

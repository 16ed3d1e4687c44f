"""Who organises a course, and the log of what they did: pages for its owners."""

from __future__ import annotations

from typing import Final

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from cohorts import audit, people, roster
from cohorts.exceptions import InvalidInput, NotFound
from cohorts.language import gettext as _
from cohorts.language import lazy_gettext as lazy
from cohorts.models import Course, CourseRole, now
from cohorts.policies import Act

from . import logbook
from .auth import requires
from .database import session
from .desk import blueprint, me, own_course

ROLES: Final = {
    CourseRole.OWNER: (lazy("Owner"), lazy("Does everything, and says who organises the course.")),
    CourseRole.ORGANISER: (lazy("Organiser"), lazy("Does everything but that.")),
    CourseRole.FACILITATOR: (
        lazy("Facilitator"),
        lazy("Looks after some cohorts: sees who is in them, when they meet and where they talk."),
    ),
    CourseRole.READER: (lazy("Reader"), lazy("Sees everything and changes nothing.")),
}
"""What each role is called, and what it is."""


@blueprint.get("/<slug>/people", endpoint="people")
@requires(Act.GOVERN)
def people_list(slug: str) -> ResponseReturnValue:
    """Show who organises a course, with the form to invite somebody."""
    return _page(own_course(slug))


def _page(course: Course, errors: dict[str, list[str]] | None = None) -> str:
    return render_template(
        "organiser/people.html",
        course=course,
        people=people.of_course(session(), course),
        invitations=people.invitations(session(), course, now()),
        cohorts=roster.cohorts(session(), course),
        roles=ROLES,
        days=people.DAYS_TO_LIVE,
        me=me(),
        given=request.form,
        ticked=request.form.getlist("cohorts"),
        errors=errors or {},
    )


@blueprint.post("/<slug>/people/invite")
@requires(Act.GOVERN)
def invite(slug: str) -> ResponseReturnValue:
    """Invite somebody by mail."""
    course, role = own_course(slug), _role()
    chosen = request.form.getlist("cohorts")
    email = request.form.get("email", "").replace("\x00", "")
    try:
        people.invite(session(), course, me(), email, role, now(), cohorts=chosen)
    except InvalidInput as error:
        session().rollback()
        return _page(own_course(slug), error.errors), 422
    logbook.say(role.value)
    session().commit()
    flash(_("The invitation is on its way."), "good")
    return redirect(url_for(".people", slug=slug))


@blueprint.post("/<slug>/people/invitations/<key>/revoke")
@requires(Act.GOVERN)
def revoke(slug: str, key: str) -> ResponseReturnValue:
    """Take an invitation back."""
    people.revoke(session(), own_course(slug), key, now())
    session().commit()
    flash(_("The invitation is taken back."), "good")
    return redirect(url_for(".people", slug=slug))


@blueprint.post("/<slug>/people/<person>/role")
@requires(Act.GOVERN)
def give_role(slug: str, person: str) -> ResponseReturnValue:
    """Give somebody another role, and a facilitator their cohorts."""
    course, role = own_course(slug), _role()
    people.give_role(session(), course, _number(person), role, request.form.getlist("cohorts"))
    logbook.say(role.value)
    session().commit()
    flash(_("The role is saved."), "good")
    return _on(slug, person)


@blueprint.post("/<slug>/people/<person>/remove")
@requires(Act.GOVERN)
def remove(slug: str, person: str) -> ResponseReturnValue:
    """Let somebody organise the course no more."""
    people.remove(session(), own_course(slug), _number(person))
    session().commit()
    flash(_("They do not organise this course any more."), "good")
    return _on(slug, person)


@blueprint.get("/<slug>/log")
@requires(Act.GOVERN)
def log(slug: str) -> ResponseReturnValue:
    """Show who did what, newest first."""
    course = own_course(slug)
    return render_template(
        "organiser/log.html",
        course=course,
        page=audit.page(session(), course, request.args.get("page", 1, type=int)),
        actions=logbook.ACTIONS,
        details=logbook.DETAILS,
    )


def _role() -> CourseRole:
    try:
        return CourseRole(request.form.get("role", ""))
    except ValueError:
        abort(400)


def _number(person: str) -> int:
    """Read the id of a user from an address."""
    if not (person.isascii() and person.isdecimal() and len(person) <= 9):
        raise NotFound
    return int(person)


def _on(slug: str, person: str) -> ResponseReturnValue:
    """Go on; whoever has changed what they are themselves may not see the page of people any more."""
    if person == str(me().id):
        return redirect(url_for(".courses"))
    return redirect(url_for(".people", slug=slug))

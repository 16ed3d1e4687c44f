"""One meeting of a learner's cohort: who comes, who was there, and the calendars that show it."""

from __future__ import annotations

from flask import Response, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from cohorts import attendance, meetings, schedule
from cohorts.exceptions import NotFound
from cohorts.language import gettext as _
from cohorts.models import Answer, Cohort, Membership, Signup, now

from . import zones
from .database import session
from .personal import blueprint, links, own_cohort, own_signup


@blueprint.get("/l/<token>/meetings/<stamp>")
def meeting(token: str, stamp: str) -> ResponseReturnValue:
    """Show one meeting with a button for yes and one for no; opening it says neither."""
    signup, found = own_cohort(token)
    starts_at = meetings.read_stamp(stamp)
    try:
        this = attendance.occurrence(signup.course, found, starts_at)
    except NotFound:
        following = schedule.coming(signup.course, found, now())
        return _moved(token, signup, found, following), 404
    return render_template(
        "learner/meeting.html",
        signup=signup,
        course=signup.course,
        token=token,
        cohort=found,
        sheet=attendance.sheet(session(), found, this),
        start=meetings.in_zone(this.start, signup.time_zone),
        anchor=this.start,
        city=zones.city(str(this.start.tzinfo)),
        stamp=stamp,
        has_begun=this.starts_at <= now(),
    )


def _moved(token: str, signup: Signup, found: Cohort, following: schedule.Occurrence | None) -> str:
    """Say that a meeting is not at that time any more, and when the next one is."""
    return render_template(
        "learner/meeting_moved.html",
        signup=signup,
        course=signup.course,
        token=token,
        cohort=found,
        start=meetings.in_zone(following.start, signup.time_zone) if following else None,
        stamp=meetings.stamp(following.starts_at) if following else "",
    )


@blueprint.post("/l/<token>/meetings/<stamp>")
def answer(token: str, stamp: str) -> ResponseReturnValue:
    """Say whether one will be there."""
    signup, found = own_cohort(token)
    said = request.form.get("answer", "")
    if said not in set(Answer):
        abort(400)
    attendance.answer(session(), found, signup, meetings.read_stamp(stamp), Answer(said), now())
    session().commit()
    flash(_("The others see that you will be there.") if said == Answer.COMING else _("The others know now."))
    if request.form.get("from") == "cohort":
        return redirect(url_for(".cohort", token=token, _anchor="next"))
    return redirect(url_for(".meeting", token=token, stamp=stamp))


@blueprint.post("/l/<token>/meetings/<stamp>/attendance")
def attended(token: str, stamp: str) -> ResponseReturnValue:
    """Note who was at a meeting."""
    signup, found = own_cohort(token)
    there = [] if request.form.get("met") == "no" else request.form.getlist("there")
    attendance.note(session(), found, signup, meetings.read_stamp(stamp), there, now())
    session().commit()
    flash(_("Thank you, it is noted."))
    return redirect(url_for(".meeting", token=token, stamp=stamp))


@blueprint.get("/l/<token>/cohort.ics")
def calendar(token: str) -> ResponseReturnValue:
    """Give a learner's meetings as a calendar file."""
    from cohorts import calendars  # icalendar is slow to load, and few requests need it

    signup, _found = own_cohort(token)
    content = calendars.write(signup.course, calendars.of_learner(signup.course, _memberships(signup)))
    headers = {"Content-Disposition": f'attachment; filename="{signup.course.slug}.ics"'}
    return Response(content, mimetype="text/calendar", headers=headers)


@blueprint.get("/calendar/<feed>.ics")
def subscription(feed: str) -> ResponseReturnValue:
    """Give a learner's meetings to the calendar program that looks at their private address.

    It stays valid for whoever left, so that the meetings leave their calendar, too.
    """
    from cohorts import calendars

    signup = links().read_calendar(session(), feed)
    entries = calendars.of_learner(signup.course, _memberships(signup))
    response = Response(calendars.write(signup.course, entries), mimetype="text/calendar")
    response.headers["Cache-Control"] = "private, max-age=900"
    response.last_modified = calendars.changed_at(entries)
    response.add_etag()
    # The tag alone decides: a course that is renamed is a change, too, and has no date.
    if request.if_none_match.contains_weak(response.get_etag()[0] or ""):
        response.status_code, response.data = 304, b""
    return response


@blueprint.post("/l/<token>/calendar/renew")
def renew_calendar(token: str) -> ResponseReturnValue:
    """Make a new private address for a learner's calendar; the old one stops working."""
    signup = own_signup(token)
    signup.calendar_version += 1
    session().commit()
    flash(_("Your calendar has a new address. The old one does not work any more."))
    return redirect(url_for(".cohort", token=token, _anchor="calendar"))


def _memberships(signup: Signup) -> list[Membership]:
    """Return every stay of a learner in a published cohort, the cohort loaded."""
    return list(
        session().scalars(
            select(Membership)
            .where(Membership.signup_id == signup.id)
            .options(joinedload(Membership.cohort).joinedload(Cohort.run))
        )
    )

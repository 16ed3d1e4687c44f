"""A learner's own cohort: who is in it, when it meets, and its calendar."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import Response, render_template
from flask.typing import ResponseReturnValue

from cohorts import meetings
from cohorts.answers import interest_key
from cohorts.models import Signup, now
from cohorts.standing import members_of

from . import zones
from .personal import asked, blueprint, own_cohort


@blueprint.get("/l/<token>/cohort")
def cohort(token: str) -> ResponseReturnValue:
    """Show a learner their own cohort."""
    signup, found = own_cohort(token)
    common = meetings.of_cohort(found)
    at = now()
    return render_template(
        "learner/cohort.html",
        signup=signup,
        course=signup.course,
        token=token,
        cohort=found,
        members=[_member(each, signup, at) for each in members_of(found)],
        times=[_time(signup, meeting) for meeting in common],
        first=_first_meeting(signup, common),
        shows=asked(signup.course),
    )


@blueprint.get("/l/<token>/cohort.ics")
def calendar(token: str) -> ResponseReturnValue:
    """Give a learner's meetings as a calendar file."""
    from cohorts import exports  # icalendar is slow to load, and few requests need it

    signup, found = own_cohort(token)
    headers = {"Content-Disposition": f'attachment; filename="{signup.course.slug}.ics"'}
    return Response(exports.calendar(signup.course, [found]), mimetype="text/calendar", headers=headers)


def _member(member: Signup, viewer: Signup, at: datetime) -> dict[str, Any]:
    """Return what one member of a cohort shows to another: never an address, never what is private."""
    mine = {interest_key(interest.label) for interest in viewer.interests}
    labels = [interest.label for interest in member.interests]
    return {
        "signup": member,
        "is_me": member.id == viewer.id,
        "shared": [label for label in labels if interest_key(label) in mine],
        "others": [label for label in labels if interest_key(label) not in mine],
        "city": zones.city(member.time_zone),
        "clock": meetings.in_zone(at, member.time_zone),
    }


def _time(signup: Signup, meeting: meetings.Meeting) -> dict[str, Any]:
    """Return a common block in the learner's own zone, and in the cohort's where it differs."""
    mine = meetings.local_times(signup.course, meeting, signup.time_zone)
    theirs = meetings.local_times(signup.course, meeting, meeting.zone)
    same = [str(each) for each in mine] == [str(each) for each in theirs]
    return {
        "mine": mine,
        "theirs": None if same else theirs[0] if theirs else None,
        "city": zones.city(meeting.zone),
    }


def _first_meeting(signup: Signup, common: list[meetings.Meeting]) -> datetime | None:
    found = meetings.occurrences(signup.course, common[0])[:1] if common else []
    return meetings.in_zone(found[0], signup.time_zone) if found else None

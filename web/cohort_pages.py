"""A learner's own cohort: who is in it and why, choosing when it meets, and where it talks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from cohorts import (
    acquaintances,
    attendance,
    channels,
    choosing,
    common_ground,
    first_steps,
    meetings,
    rematch_mails,
    schedule,
)
from cohorts.answers import interest_key
from cohorts.choosing import MeetingChanged, Votes
from cohorts.exceptions import InvalidInput
from cohorts.language import gettext as _
from cohorts.meetings import LocalTime, Meeting
from cohorts.models import Cohort, Signup, now
from cohorts.schedule import Occurrence
from cohorts.standing import members_of
from cohorts.wording import shown_answers

from . import week_picture, zones
from .database import session
from .personal import blueprint, links, own_cohort

FIRST_TIMES: Final = 6
"""So many common times are shown at once; the others unfold."""


@dataclass(frozen=True, slots=True)
class Time:
    """A common block as one member sees it.

    Attributes:
        mine: In their own zone; more than one entry where the clocks change.
        theirs: In the cohort's zone, where that reads differently.
        city: Where the cohort's clock hangs.
        votes: How many members it suits.
        is_mine: It suits this member.
        holds: It is the meeting, fixed or only proposed.
    """

    meeting: Meeting
    mine: list[LocalTime]
    theirs: LocalTime | None
    city: str
    votes: int
    is_mine: bool
    holds: bool


@blueprint.get("/l/<token>/cohort")
def cohort(token: str) -> ResponseReturnValue:
    """Show a learner their own cohort."""
    return _page(token)


@blueprint.post("/l/<token>/cohort/vote")
def vote(token: str) -> ResponseReturnValue:
    """Say that a common time suits, or does not any more."""
    signup, found = own_cohort(token)
    meeting = meetings.read_key(request.form.get("block", ""))
    choosing.vote(session(), found, signup, meeting, suits=request.form.get("suits") == "yes")
    session().commit()
    return redirect(url_for(".cohort", token=token, _anchor="when"))


@blueprint.post("/l/<token>/cohort/meeting")
def fix(token: str) -> ResponseReturnValue:
    """Fix when the cohort meets; whoever has not seen the last change is shown it first."""
    signup, found = own_cohort(token)
    meeting = meetings.read_key(request.form.get("block", ""))
    seen = request.form.get("seen", -1, type=int)
    try:
        choosing.fix(session(), found, meeting, now(), seen=seen, by=signup)
    except MeetingChanged:
        session().rollback()
        return _page(token, wanted=meeting), 409
    session().commit()
    flash(_("Your meeting is fixed. The others get a mail."))
    return redirect(url_for(".cohort", token=token, _anchor="when"))


@blueprint.post("/l/<token>/cohort/channel")
def channel(token: str) -> ResponseReturnValue:
    """Say where the cohort talks."""
    signup, found = own_cohort(token)
    address = request.form.get("channel", "")
    try:
        choosing.set_channel(session(), found, address, by=signup)
    except InvalidInput as error:
        session().rollback()
        return _page(token, channel=address, errors=error.errors["channel"]), 422
    session().commit()
    flash(_("Everybody in your cohort sees where you talk.") if found.channel else _("The link is gone."))
    return redirect(url_for(".cohort", token=token, _anchor="talk"))


@blueprint.post("/l/<token>/cohort/ticks")
def tick(token: str) -> ResponseReturnValue:
    """Note that something on the convenor's list is done, or is not."""
    signup, found = own_cohort(token)
    item, done = request.form.get("item", ""), request.form.get("done") == "yes"
    choosing.tick(session(), found, item, done=done, by=signup)
    session().commit()
    return redirect(url_for(".cohort", token=token, _anchor="list"))


def _page(
    token: str, *, wanted: Meeting | None = None, channel: str | None = None, errors: Sequence[str] = ()
) -> str:
    """Show the page of a cohort.

    ``wanted`` is a time that was not fixed because somebody else was faster; ``channel`` an address
    that was refused because of ``errors``.
    """
    signup, found = own_cohort(token)
    course, at, members = signup.course, now(), members_of(found)
    blocks, holds = meetings.of_cohort(found), meetings.weekly(found)
    votes = choosing.votes_of(session(), found, signup)
    coming = _sheet(found, schedule.coming(course, found, at))
    latest = _sheet(found, schedule.latest(course, found, at))
    times = [_time(signup, block, votes, holds) for block in blocks]
    return render_template(
        "learner/cohort.html",
        signup=signup,
        course=course,
        token=token,
        cohort=found,
        at=at,
        members=[_member(each, signup, at) for each in members],
        known=acquaintances.known_to(session(), signup, members),
        reseated=rematch_mails.lately(session(), signup, found, at),
        times=[time for time in times if time.mine],
        first_times=FIRST_TIMES,
        picture=week_picture.draw(course, blocks, holds, signup.time_zone),
        votes=votes,
        coming=coming,
        start=_start(coming, signup),
        latest=latest,
        latest_start=_start(latest, signup),
        step=first_steps.next_step(found, signup, votes, coming, latest, at).value,
        convenes=choosing.may_convene(found, signup),
        convenors=[each for each in members if each.convenor and "convenor" in _keys_shown(each)],
        ticked=choosing.done(found),
        checklist=choosing.CHECKLIST,
        version=choosing.version(found),
        wanted=_time(signup, wanted, votes, holds) if wanted in blocks and wanted else None,
        host=channels.host(found.channel) if found.channel else "",
        channel=found.channel if channel is None else channel,
        channel_errors=errors,
        ground=common_ground.of_cohort(members, signup, _keys_shown),
        feed=links().calendar(signup),
        stamp=meetings.stamp,
    )


def _sheet(found: Cohort, meeting: Occurrence | None) -> attendance.Sheet | None:
    return attendance.sheet(session(), found, meeting) if meeting is not None else None


def _start(sheet: attendance.Sheet | None, viewer: Signup) -> datetime | None:
    """Return when a meeting begins on the viewer's clock."""
    return meetings.in_zone(sheet.occurrence.start, viewer.time_zone) if sheet is not None else None


def _keys_shown(member: Signup) -> set[str]:
    """Return the keys of the questions whose answers a member shows to their cohort."""
    return {answer.key for answer in shown_answers(member)}


def _member(member: Signup, viewer: Signup, at: datetime) -> dict[str, Any]:
    """Return what one member of a cohort shows to another: never an address, never what is private."""
    mine = {interest_key(interest.label) for interest in viewer.interests}
    answers = {answer.key: answer for answer in shown_answers(member)}
    interests, convenor = answers.pop("interests", None), answers.pop("convenor", None)
    labels = interests.words if interests is not None else []
    return {
        "signup": member,
        "is_me": member.id == viewer.id,
        "convenes": member.convenor and convenor is not None,
        "answers": list(answers.values()),
        "shared": [label for label in labels if interest_key(label) in mine],
        "others": [label for label in labels if interest_key(label) not in mine],
        "city": zones.city(member.time_zone),
        "clock": meetings.in_zone(at, member.time_zone),
    }


def _time(signup: Signup, meeting: Meeting, votes: Votes, holds: Meeting | None) -> Time:
    """Return a common block in the learner's own zone, and in the cohort's where it differs."""
    mine = meetings.local_times(signup.course, meeting, signup.time_zone)
    theirs = meetings.local_times(signup.course, meeting, meeting.zone)
    same = [str(each) for each in mine] == [str(each) for each in theirs]
    return Time(
        meeting=meeting,
        mine=mine,
        theirs=None if same or not theirs else theirs[0],
        city=zones.city(meeting.zone),
        votes=votes.counts.get(meeting, 0),
        is_mine=meeting in votes.mine,
        holds=meeting == holds,
    )

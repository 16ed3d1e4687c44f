"""One published cohort on the organiser's side: when it meets, and where it talks."""

from __future__ import annotations

from collections.abc import Sequence

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from cohorts import channels, choosing, meetings, schedule
from cohorts.choosing import MeetingChanged
from cohorts.exceptions import InvalidInput
from cohorts.language import gettext as _
from cohorts.meetings import Meeting
from cohorts.models import now
from cohorts.policies import Act
from cohorts.standing import members_of

from . import week_picture
from .auth import requires
from .database import session
from .desk import blueprint, chosen_zone, own_cohort


@blueprint.get("/<slug>/cohorts/<key>")
@requires(Act.VISIT)
def cohort(slug: str, key: str) -> ResponseReturnValue:
    """Show a cohort, with the forms for its meeting and its link."""
    return _page(slug, key)


@blueprint.post("/<slug>/cohorts/<key>/meeting")
@requires(Act.TEND)
def fix_meeting(slug: str, key: str) -> ResponseReturnValue:
    """Fix when a cohort meets; a change that came in between is shown first."""
    found = own_cohort(slug, key)
    meeting = meetings.read_key(request.form.get("block", ""))
    try:
        choosing.fix(session(), found, meeting, now(), seen=request.form.get("seen", -1, type=int))
    except MeetingChanged:
        session().rollback()
        return _page(slug, key, wanted=meeting), 409
    session().commit()
    flash(_("The meeting is fixed. Its members get a mail."), "good")
    return redirect(url_for(".cohort", slug=slug, key=key))


@blueprint.post("/<slug>/cohorts/<key>/channel")
@requires(Act.TEND)
def set_channel(slug: str, key: str) -> ResponseReturnValue:
    """Say where a cohort talks."""
    found = own_cohort(slug, key)
    address = request.form.get("channel", "")
    try:
        choosing.set_channel(session(), found, address)
    except InvalidInput as error:
        session().rollback()
        return _page(slug, key, channel=address, errors=error.errors["channel"]), 422
    session().commit()
    flash(_("The link is saved.") if found.channel else _("The link is gone."), "good")
    return redirect(url_for(".cohort", slug=slug, key=key))


def _page(
    slug: str,
    key: str,
    *,
    wanted: Meeting | None = None,
    channel: str | None = None,
    errors: Sequence[str] = (),
) -> str:
    """Show a cohort; ``wanted`` is a time that was not fixed because somebody else was faster."""
    found = own_cohort(slug, key)
    course = found.run.course
    at, blocks, holds = now(), meetings.of_cohort(found), meetings.weekly(found)
    zone = chosen_zone(holds.zone if holds else "UTC")
    # How many want which time is the cohort's own; the most wanted simply come first.
    counts = choosing.votes_of(session(), found).counts
    coming = schedule.coming(course, found, at)
    return render_template(
        "organiser/cohort.html",
        course=course,
        cohort=found,
        members=members_of(found),
        zone=zone,
        times=[
            (each, meetings.when(course, each, zone)) for each in sorted(blocks, key=lambda b: -counts[b])
        ],
        holds=holds,
        holds_words=meetings.when(course, holds, zone) if holds else "",
        picture=week_picture.draw(course, blocks, holds, zone),
        start=meetings.in_zone(coming.start, zone) if coming else None,
        version=choosing.version(found),
        wanted=wanted if wanted in blocks else None,
        has_changed=wanted is not None,
        host=channels.host(found.channel) if found.channel else "",
        channel=found.channel if channel is None else channel,
        channel_errors=errors,
    )

"""Something has changed: a pause, another cohort, leaving, and coming back."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from cohorts import (
    checkins,
    help_requests,
    meetings,
    moves,
    nudges,
    old_answers,
    pauses,
    person_blocks,
    presence,
    seats,
    signals,
    signups,
)
from cohorts.exceptions import InvalidInput
from cohorts.language import gettext as _
from cohorts.models import Leaving, Signup, SignupState, now
from cohorts.seats import OpenSeat
from cohorts.signups import Phase
from cohorts.standing import standing_of

from . import zones
from .changes_forms import LeaveForm, PauseForm
from .database import session
from .personal import blueprint, own_confirmed, own_signup, refuse

MOST_SEATS = 6


@blueprint.get("/l/<token>/changes")
def changes(token: str) -> ResponseReturnValue:
    """Offer what can be done when something has changed."""
    signup = own_confirmed(token)
    return _page(token, signup, PauseForm(data={"until": signup.paused_until}))


@blueprint.post("/l/<token>/pause")
def pause(token: str) -> ResponseReturnValue:
    """Let a learner be away until a day."""
    signup = own_confirmed(token)
    form = PauseForm(request.form)
    if form.validate():
        try:
            pauses.pause(session(), signup, form.until.data, now())
        except InvalidInput as error:
            refuse(form, error)
        else:
            session().commit()
            flash(_("Enjoy your time away. Your seat is kept, and no mails come until then."))
            return redirect(url_for(".mine", token=token))
    return _page(token, signup, form), 422


@blueprint.post("/l/<token>/resume")
def resume(token: str) -> ResponseReturnValue:
    """End a pause now."""
    pauses.resume(session(), own_confirmed(token))
    session().commit()
    flash(_("Good to have you back."))
    return redirect(url_for(".mine", token=token))


@blueprint.post("/l/<token>/seat/<key>")
def take_seat(token: str, key: str) -> ResponseReturnValue:
    """Move to another cohort."""
    moves.take_seat(session(), own_confirmed(token), key, now())
    session().commit()
    flash(_("You have a seat. A mail tells everybody; say hello to them."))
    return redirect(url_for(".cohort", token=token))


@blueprint.get("/l/<token>/still-here")
def still_here(token: str) -> ResponseReturnValue:
    """Ask whether somebody is still there and say why; or offer the way back to whoever lost their seat."""
    signup = own_confirmed(token)
    return render_template(
        "learner/still_here.html",
        signup=signup,
        course=signup.course,
        token=token,
        city=zones.city(signup.time_zone),
        people=seats.whereabouts(session(), signup),
        **quiet(signup),
    )


@blueprint.post("/l/<token>/still-here")
def say_still_here(token: str) -> ResponseReturnValue:
    """Take note that a learner is there; opening their page by POST has done so already."""
    own_confirmed(token)
    session().commit()
    flash(_("Good to hear from you. Nothing else is needed."))
    return redirect(url_for(".mine", token=token))


@blueprint.post("/l/<token>/rejoin")
def rejoin(token: str) -> ResponseReturnValue:
    """Bring somebody back who lost their seat in silence."""
    cohort = nudges.rejoin(session(), own_confirmed(token), now())
    session().commit()
    if cohort is None:
        flash(_("Welcome back. You are among those who are seated next; or take a free seat yourself."))
        return redirect(url_for(".changes", token=token, _anchor="seats"))
    flash(_("Welcome back. You have your old seat again, and the others are told."))
    return redirect(url_for(".cohort", token=token))


@blueprint.post("/l/<token>/another-cohort")
def ask_for_another(token: str) -> ResponseReturnValue:
    """Ask for another cohort, or take that back; the seat is kept until there is one."""
    signup = own_confirmed(token)
    if "stay" in request.form:
        moves.stay_after_all(session(), signup)
        flash(_("Good; you stay where you are."))
    else:
        moves.ask_for_another(session(), signup, now())
        flash(_("Noted. Your seat is yours until there is a cohort that fits you better."))
    session().commit()
    return redirect(url_for(".changes", token=token), 303)


@blueprint.get("/l/<token>/leave-cohort")
def leave_cohort(token: str) -> ResponseReturnValue:
    """Ask why, and say what leaving a cohort means."""
    signup = own_confirmed(token)
    return _leaving(token, signup, LeaveForm(), whole_course=False)


@blueprint.post("/l/<token>/leave-cohort")
def left_cohort(token: str) -> ResponseReturnValue:
    """Leave a cohort and stay in the course."""
    signup = own_confirmed(token)
    form = LeaveForm(request.form)
    try:
        moves.leave_cohort(session(), signup, form.reason, form.words.data or "", now())
    except InvalidInput as error:
        session().rollback()
        refuse(form, error)
        return _leaving(token, own_confirmed(token), form, whole_course=False), 422
    session().commit()
    flash(_("You have left your cohort."))
    after = ".support" if form.reason is Leaving.UNCOMFORTABLE else ".changes"
    return redirect(url_for(after, token=token))


@blueprint.get("/l/<token>/withdraw")
def leave(token: str) -> ResponseReturnValue:
    """Ask before withdrawing, and say what it means."""
    return _leaving(token, own_confirmed(token), LeaveForm(), whole_course=True)


@blueprint.post("/l/<token>/withdraw")
def withdraw(token: str) -> ResponseReturnValue:
    """Withdraw from a course, and from one's cohort."""
    signup = own_signup(token)
    form = LeaveForm(request.form)
    try:
        moves.leave_course(session(), signup, form.reason, form.words.data or "", now())
    except InvalidInput as error:
        session().rollback()
        refuse(form, error)
        return _leaving(token, own_signup(token), form, whole_course=True), 422
    session().commit()
    after = ".support" if form.reason is Leaving.UNCOMFORTABLE else ".mine"
    return redirect(url_for(after, token=token))


@blueprint.get("/l/<token>/support")
def support(token: str) -> ResponseReturnValue:
    """Offer help, and to block somebody."""
    signup = own_signup(token)
    if signup.state is SignupState.PENDING:
        return redirect(url_for(".mine", token=token))
    return render_template(
        "learner/support.html",
        signup=signup,
        course=signup.course,
        token=token,
        people=person_blocks.knew(session(), signup),
        blocks=person_blocks.of(session(), signup),
        words=help_requests.words(session(), signup),
        most=help_requests.MOST,
    )


@blueprint.post("/l/<token>/support")
def ask_for_help(token: str) -> ResponseReturnValue:
    """Hand a request for help to the organisers of the course."""
    signup = own_signup(token)
    help_requests.ask(session(), signup, request.form.get("words", "")[: help_requests.MOST], now())
    session().commit()
    flash(_("The organisers of the course can read it now, with your name, and will write to you."))
    return redirect(url_for(".mine", token=token))


def standing_now(signup: Signup) -> dict[str, Any]:
    """Return what the personal page says of the present: a pause, a check-in, a cohort left."""
    at = now()
    week = meetings.course_week(signup.course, at, signup.time_zone)
    return {
        "paused": pauses.is_paused(signup, at),
        "week": week,
        "has_checked_in": week is not None and checkins.has_checked_in(session(), signup, week),
        "was_in_cohort": moves.was_in_cohort(session(), signup),
        "may_move": moves.may_take_seat(session(), signup),
        **quiet(signup),
    }


def quiet(signup: Signup) -> dict[str, Any]:
    """Return what is made of a learner's silence: what they missed, and what came of it."""
    known = presence.of(session(), signup)
    silence = signals.of_signup(session(), signup, now())
    return {
        "silence": silence,
        "missed": signals.told(silence, signup.time_zone) if silence is not None else [],
        "is_asked": silence is not None and silence.nudged_at is not None,
        "was_removed": known.removed_at is not None,
        "has_bounced": known.bounced_at is not None,
    }


def withdrawn_page(token: str, signup: Signup) -> str:
    """Return the page of somebody who is out; the way back is on it."""
    return render_template(
        "learner/withdrawn.html",
        signup=signup,
        course=signup.course,
        token=token,
        can_return=signups.phase(signup.course, now()) in (Phase.OPEN, Phase.LATE),
        people=seats.whereabouts(session(), signup),
        next_courses=old_answers.next_courses(session(), signup, now()),
    )


def _leaving(token: str, signup: Signup, form: LeaveForm, *, whole_course: bool) -> str:
    return render_template(
        "learner/withdraw.html",
        signup=signup,
        course=signup.course,
        token=token,
        form=form,
        cohort=standing_of(session(), signup).cohort,
        whole_course=whole_course,
    )


def _page(token: str, signup: Signup, form: PauseForm) -> str:
    at = now()
    may_move = moves.may_take_seat(session(), signup)
    found = seats.open_seats(session(), signup, at)[:MOST_SEATS] if may_move else []
    offered = {seat.cohort.name for seat in found}
    return render_template(
        "learner/changes.html",
        signup=signup,
        course=signup.course,
        token=token,
        form=form,
        paused=pauses.is_paused(signup, at),
        first=meetings.in_zone(at, signup.time_zone).date(),
        last=pauses.last_day(signup.course),
        cohort=standing_of(session(), signup).cohort,
        may_move=may_move,
        wants_another=moves.wants_another(session(), signup),
        seats=[(seat, _when(signup, seat)) for seat in found],
        people=[each for each in seats.whereabouts(session(), signup) if each[0] not in offered],
        city=zones.city(signup.time_zone),
    )


def _when(signup: Signup, seat: OpenSeat) -> str:
    return meetings.when(signup.course, seat.meeting, signup.time_zone) if seat.meeting else ""

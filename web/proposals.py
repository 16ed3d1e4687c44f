"""Matching a course: asking for a run, watching it, looking at its proposal, publishing it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

from flask import current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from cohorts import (
    acquaintances,
    comparing,
    courses,
    directory,
    history,
    language,
    living,
    notices,
    proposals,
    runs,
    signups,
    take_back,
    weighing,
)
from cohorts.asking import custom_questions
from cohorts.exceptions import Conflict, InvalidInput, RunInProgress, UnfitPool
from cohorts.language import gettext as _
from cohorts.meetings import Meeting, local_times, wanted, weekly, when
from cohorts.models import Course, Run, RunKind, RunState, now
from cohorts.policies import Act
from cohorts.week import SLOT_MINUTES

from .auth import organiser_required, requires
from .course_forms import MatchForm
from .database import session
from .desk import argument, blueprint, chosen_zone, me, own_course

ACTIVE: Final = (RunState.QUEUED, RunState.RUNNING)
CARDS: Final = 60
"""Cohorts on one page."""


def gap_in_words(run: Run) -> str:
    """Return how far a proposal can be from the best one, as a sentence."""
    if run.objective is None or run.bound is None or run.objective <= 0 or run.objective > run.bound:
        return ""
    gap = run.bound / run.objective - 1
    if gap <= 0:
        return _("No other proposal can score higher: this one is proven best.")
    return _(
        "No other proposal can score more than %(percent)s higher; it may be the best already.",
        percent=language.percent(max(gap, 0.001)),
    )


def blocks(course: Course, meetings: list[Meeting], zone: str) -> list[tuple[int, int, int]]:
    """Return meetings as pieces of a week in ``zone``: weekday, first slot of the day, slots.

    A meeting over midnight is two pieces.
    """
    pieces: set[tuple[int, int, int]] = set()
    for meeting in meetings:
        for local in local_times(course, meeting, zone)[:1]:
            first = local.start.hour * 2 + local.start.minute // SLOT_MINUTES
            length = course.meeting_minutes // SLOT_MINUTES
            today = min(length, 48 - first)
            pieces.add((local.weekday, first, today))
            if today < length:
                pieces.add(((local.weekday + 1) % 7, 0, length - today))
    return sorted(pieces)


def _newest(course: Course) -> list[Run]:
    return runs.for_course(session(), course)


@blueprint.route("/<slug>/match", methods=["GET", "POST"])
@organiser_required
def match(slug: str) -> ResponseReturnValue:
    """Ask for a run."""
    course = own_course(slug)
    details = courses.details_of(course)
    form = MatchForm.showing(details, custom_questions(course))
    if form.validate_on_submit():
        try:
            return _request(course, form)
        except RunInProgress as error:
            session().rollback()
            return conflict(own_course(slug), str(error))
        except InvalidInput as error:
            session().rollback()
            form.take_errors(error)
            course = own_course(slug)
        except UnfitPool as error:
            session().rollback()
            form.form_errors.append(str(error))
            course = own_course(slug)
    active = [run for run in _newest(course) if run.state in ACTIVE]
    number = directory.find(session(), course, state="confirmed").total
    page = render_template(
        "organiser/match.html",
        course=course,
        form=form,
        active=active,
        number_confirmed=number,
        dropout=history.dropout(session(), course),
    )
    return page, 422 if form.errors else 200


def _request(course: Course, form: MatchForm) -> ResponseReturnValue:
    signups.lock(session(), course)  # an interest that is picked right now must not look unused
    courses.update(session(), course, form.details(courses.details_of(course)))
    run = runs.request(session(), course, me(), **form.chosen())
    session().commit()
    current_app.extensions["jobs"].execute_run(run.id)
    return redirect(url_for(".run", slug=course.slug, key=run.key))


def conflict(course: Course, message: str) -> ResponseReturnValue:
    """Say what came in between, with a way on to the newest run."""
    newest = next(iter(_newest(course)), None)
    page = render_template("organiser/conflict.html", course=course, message=message, run=newest)
    return page, 409


@blueprint.get("/<slug>/runs")
@requires(Act.LOOK)
def run_list(slug: str) -> ResponseReturnValue:
    """List all runs of a course side by side."""
    course = own_course(slug)
    listed = _newest(course)
    comparable = [run for run in listed if comparing.is_comparable(run)]
    return render_template(
        "organiser/runs.html", course=course, runs=listed, comparable=comparable, most=comparing.MOST
    )


@blueprint.get("/<slug>/runs/<key>")
@requires(Act.LOOK)
def run(slug: str, key: str) -> ResponseReturnValue:
    """Show how a run gets on, and then its proposal."""
    course = own_course(slug)
    found = runs.get(session(), course, key, kind=None)
    if found.kind is RunKind.REMATCH:
        return redirect(url_for(".rematched", slug=slug, key=key))
    if found.state not in (RunState.PROPOSED, RunState.PUBLISHED):
        return render_template(
            "organiser/run.html", course=course, run=found, is_active=found.state in ACTIVE
        )
    return _proposal_page(course, found, proposals.of_run(session(), found))


def _proposal_page(course: Course, found: Run, proposal: proposals.Proposal) -> str:
    """Show the cohorts of a proposal, the lowest score first unless asked for by name."""
    by = "name" if argument("by") == "name" else "worst"
    ordered = sorted(proposal.cohorts, key=lambda each: each.cohort.position if by == "name" else each.score)
    pages = max(1, -(-len(ordered) // CARDS))
    number = min(max(1, request.args.get("page", 1, type=int)), pages)
    shown, zone = ordered[(number - 1) * CARDS : number * CARDS], chosen_zone("")
    zones = {member.time_zone for each in ordered for member in each.members} | {"UTC"}
    return render_template(
        "organiser/proposal.html",
        course=course,
        run=found,
        proposal=proposal,
        cohorts=shown,
        scores=proposals.scores_of(each.score for each in ordered),
        gap=gap_in_words(found),
        leaves=take_back.until(session(), found, now()),
        adjusted=weighing.version(session(), found),
        has_board=living.is_on(session(), found),
        by=by,
        zone=zone,
        zones=sorted(zones | {zone} if zone else zones),
        number_of_page=number,
        pages=pages,
        familiar=_familiar(course, shown),
        **times_of(course, shown, zone),
    )


def _familiar(course: Course, shown: list[proposals.ProposedCohort]) -> set[int]:
    """Return the ids of the cohorts in which some know each other; who, is nobody's business."""
    homes = {member.id: each.cohort.id for each in shown for member in each.members}
    pairs = acquaintances.know_each_other(session(), course, list(homes), [each.cohort.id for each in shown])
    return {homes[one] for one, two in pairs if homes[one] == homes[two]}


def times_of(course: Course, shown: list[proposals.ProposedCohort], zone: str) -> dict[str, dict[int, Any]]:
    """Return the common times of cohorts, by their ids, in words and as pieces of a week.

    The time at which a cohort meets comes first. ``blocks`` are the keys of the same times, as a form has
    them, ``wishes`` the times that somebody chose, in words, and whether they hold.
    """
    texts, pieces, keys, wishes = {}, {}, {}, {}
    for each in shown:
        holds = weekly(each.cohort)
        home = zone or next((meeting.zone for meeting in each.meetings), "UTC")
        ordered = sorted(each.meetings, key=lambda meeting: meeting != holds)
        texts[each.cohort.id] = [when(course, meeting, home) for meeting in ordered]
        pieces[each.cohort.id] = blocks(course, each.meetings, home)
        keys[each.cohort.id] = [meeting.key for meeting in ordered]
        wish = wanted(each.cohort)
        if wish is not None:
            wishes[each.cohort.id] = (when(course, wish, home), wish == holds)
    return {"texts": texts, "pieces": pieces, "blocks": keys, "wishes": wishes}


@blueprint.get("/<slug>/runs/<key>.json")
@requires(Act.LOOK)
def run_progress(slug: str, key: str) -> ResponseReturnValue:
    """Return how a run gets on, for the script that watches it."""
    found = runs.get(session(), own_course(slug), key, kind=None)
    return {
        "state": found.state.value,
        "active": found.state in ACTIVE,
        "progress": found.progress,
        "stage": language.translated(found.stage),
    }


@blueprint.post("/<slug>/runs/<key>/cancel")
@organiser_required
def cancel(slug: str, key: str) -> ResponseReturnValue:
    """Ask a run to stop."""
    course = own_course(slug)
    found = runs.get(session(), course, key, kind=None)
    try:
        runs.cancel(session(), found)
    except Conflict as error:
        session().rollback()
        return conflict(own_course(slug), str(error))
    session().commit()
    return redirect(url_for(".run", slug=slug, key=key))


@blueprint.route("/<slug>/runs/<key>/publish", methods=["GET", "POST"])
@organiser_required
def publish(slug: str, key: str) -> ResponseReturnValue:
    """Say who will get a mail (GET), and publish all cohorts or some (POST)."""
    course = own_course(slug)
    found = runs.get(session(), course, key)
    form = request.form
    try:
        if found.state is not RunState.PROPOSED:
            raise Conflict(_("This run is not a proposal any more; only a proposal can be published."))
        proposals.require_same_times(course, found)
        if request.method != "POST":
            return _publish_page(course, found)
        rest = proposals.publish(
            session(),
            found,
            form.getlist("cohort") if "some" in form else None,
            seen=form.get("seen", type=int),
            hold=timedelta() if "at_once" in form else notices.HOLD,
        )
    except Conflict as error:
        session().rollback()
        return conflict(own_course(slug), str(error))
    session().commit()
    if "at_once" in form:
        flash(_("The cohorts are published. The mails are on their way."), "good")
    else:
        flash(_("The cohorts are published. The mails leave in ten minutes."), "good")
    if rest is not None:
        flash(_("The other cohorts are a proposal of their own now; it is among the runs."), "good")
    return redirect(url_for(".run", slug=slug, key=key))


def _publish_page(course: Course, found: Run) -> str:
    """Say how many mails go to whom; who has withdrawn since the run gets none, even if they wait again."""
    proposal = proposals.of_run(session(), found)
    seated = [member for each in proposal.cohorts for member in each.members]
    unplaced = [seat.signup for seat in proposal.unplaced]
    placed, left_over = (sum(map(proposals.takes_part, some)) for some in (seated, unplaced))
    return render_template(
        "organiser/publish.html",
        course=course,
        run=found,
        cohorts=[each for each in proposal.cohorts if each.members],
        unplaced=[each for each in unplaced if proposals.takes_part(each)],
        unsuited=[
            each.cohort.name
            for each in proposal.cohorts
            if wanted(each.cohort) != weekly(each.cohort) and each.cohort.chosen and each.members
        ],
        names={
            each.cohort.id: [member.name for member in each.members if proposals.takes_part(member)]
            for each in proposal.cohorts
        },
        version=weighing.version(session(), found),
        placed=placed,
        left_over=left_over,
        gone=len(seated) + len(unplaced) - placed - left_over,
    )


@blueprint.post("/<slug>/runs/<key>/take-back")
@organiser_required
def take_it_back(slug: str, key: str) -> ResponseReturnValue:
    """Take back what was published, before its mails leave."""
    course = own_course(slug)
    found = runs.get(session(), course, key)
    try:
        take_back.take_back(session(), found)
    except Conflict as error:
        session().rollback()
        return conflict(own_course(slug), str(error))
    session().commit()
    flash(_("It is taken back: this is a proposal again, and nobody was told anything."), "good")
    return redirect(url_for(".run", slug=slug, key=key), 303)

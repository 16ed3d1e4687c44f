"""Rematching a course: who would be looked at, when it is done by itself, and what a rematch proposes."""

from __future__ import annotations

from collections import Counter
from typing import Any, Final

from flask import current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import func, select

from cohorts import deciding, diffs, memberships, rematch_rules, rematches, runs
from cohorts.exceptions import Conflict, RunInProgress, UnfitPool
from cohorts.language import gettext as _
from cohorts.language import lazy_gettext as lazy
from cohorts.language import ngettext
from cohorts.models import Course, Membership, Run, RunKind, RunState, now
from cohorts.policies import Act
from cohorts.rematches import Scene

from .auth import organiser_required, requires
from .database import session
from .desk import blueprint, me, own_course
from .proposals import ACTIVE, conflict, gap_in_words
from .rematch_forms import RematchForm, RematchRuleForm

ENDED: Final = {
    memberships.LEFT: lazy("left it"),
    memberships.WITHDREW: lazy("left the course"),
    memberships.SILENT: lazy("went quiet"),
    memberships.MOVED: lazy("took a seat elsewhere"),
    memberships.ASKED: lazy("asked for another cohort"),
    memberships.REMATCHED: lazy("got another seat"),
    memberships.BY_HAND: lazy("got another seat"),
}
"""Why somebody is not in a cohort any more, after how many they are."""


@blueprint.route("/<slug>/rematch", methods=["GET", "POST"])
@organiser_required
def rematch(slug: str) -> ResponseReturnValue:
    """Say who would be looked at (GET), and ask for a rematch (POST)."""
    course = own_course(slug)
    form = RematchForm(data={"keep_small": True}) if request.method == "GET" else RematchForm()
    if form.validate_on_submit():
        try:
            run = runs.request_rematch(session(), course, me(), **form.wishes())
        except RunInProgress as error:
            session().rollback()
            return conflict(own_course(slug), str(error))
        except UnfitPool as error:
            session().rollback()
            form.form_errors.append(str(error))
        else:
            session().commit()
            current_app.extensions["jobs"].execute_run(run.id)
            return redirect(url_for(".rematched", slug=slug, key=run.key))
    rule = RematchRuleForm.of(rematch_rules.of_course(session(), own_course(slug)))
    return _page(own_course(slug), form, rule if request.method == "GET" else _shown(slug))


@blueprint.post("/<slug>/rematch/rule")
@organiser_required
def rematch_rule(slug: str) -> ResponseReturnValue:
    """Set when a course is rematched by itself."""
    course = own_course(slug)
    form = RematchRuleForm()
    if not form.validate_on_submit():
        return _page(course, RematchForm(formdata=None, data={"keep_small": True}), form)
    rematch_rules.choose(session(), course, **form.chosen())
    session().commit()
    flash(_("This is how the course is rematched by itself from now on."), "good")
    return redirect(url_for(".rematch", slug=slug), 303)


def _shown(slug: str) -> RematchRuleForm:
    """Return the form of the rule beside one that was sent: as the rule is, not as that other form is."""
    rule = rematch_rules.of_course(session(), own_course(slug))
    form = RematchRuleForm(
        formdata=None,
        data={
            "trigger": rule.trigger.value,
            "acts": "propose" if rule.act_within is None else "act",
            "act_within": rule.act_within,
            "rule_meetings": rule.move_meetings,
            "rule_small": rule.keep_small,
        },
    )
    return form


def _page(course: Course, form: RematchForm, rule: RematchRuleForm) -> ResponseReturnValue:
    seen = rematches.scene(session(), course, now())
    page = render_template(
        "organiser/rematch.html",
        course=course,
        form=form,
        rule=rule,
        seen=seen,
        why=_why_small(seen),
        latest=latest(course),
    )
    return page, 422 if form.errors or rule.errors else 200


def _why_small(seen: Scene) -> dict[int, list[str]]:
    """Say of each cohort that is too small how many are not in it any more, and why."""
    rows = session().execute(
        select(Membership.cohort_id, Membership.ended_because, func.count())
        .where(Membership.cohort_id.in_([each.id for each in seen.small]), Membership.until.is_not(None))
        .group_by(Membership.cohort_id, Membership.ended_because)
        .order_by(func.count().desc(), Membership.ended_because)
    )
    counted: dict[int, Counter[str]] = {}
    for cohort_id, because, number in rows:
        counted.setdefault(cohort_id, Counter())[str(ENDED.get(because, _("left")))] += number
    return {
        cohort_id: [_("%(number)s %(what)s", number=number, what=what) for what, number in found.items()]
        for cohort_id, found in counted.items()
    }


def latest(course: Course) -> Run | None:
    """Return the newest rematch of a course that has come to something, or is under way."""
    return session().scalar(
        select(Run)
        .where(Run.course_id == course.id, Run.kind == RunKind.REMATCH)
        .where(Run.state.in_((*ACTIVE, RunState.PROPOSED, RunState.PUBLISHED)))
        .order_by(Run.id.desc())
        .limit(1)
    )


@blueprint.get("/<slug>/rematches/<key>")
@requires(Act.LOOK)
def rematched(slug: str, key: str) -> ResponseReturnValue:
    """Show how a rematch gets on, and then what it proposes."""
    course, found = _own(slug, key)
    if found.state not in (RunState.PROPOSED, RunState.PUBLISHED):
        active = found.state in ACTIVE
        return render_template("organiser/run.html", course=course, run=found, is_active=active)
    return render_template(
        "organiser/rematched.html",
        course=course,
        run=found,
        diff=diffs.of_run(session(), found, now()),
        gap=gap_in_words(found),
        leaves=deciding.until(session(), found, now()),
    )


@blueprint.post("/<slug>/rematches/<key>/accept")
@organiser_required
def accept_rematch(slug: str, key: str) -> ResponseReturnValue:
    """Give the seats of one bundle, or all that are not decided."""
    _course, found = _own(slug, key)
    try:
        outcome = deciding.accept(session(), found, me(), now(), **_chosen())
    except Conflict as error:
        session().rollback()
        return conflict(own_course(slug), str(error))
    session().commit()
    if outcome.accepted:
        words = ngettext(
            "%(num)s learner has another seat. The mails leave in ten minutes.",
            "%(num)s learners have another seat. The mails leave in ten minutes.",
            outcome.accepted,
        )
        flash(words, "good")
    for trouble in outcome.outdated:
        flash(_("Not done: %(why)s", why=trouble), "warn")
    return redirect(url_for(".rematched", slug=slug, key=key), 303)


@blueprint.post("/<slug>/rematches/<key>/decline")
@organiser_required
def decline_rematch(slug: str, key: str) -> ResponseReturnValue:
    """Decline one bundle, or all that are not decided."""
    _course, found = _own(slug, key)
    try:
        deciding.decline(session(), found, me(), now(), **_chosen())
    except Conflict as error:
        session().rollback()
        return conflict(own_course(slug), str(error))
    session().commit()
    flash(_("Declined; nothing changes and nobody is told anything."), "good")
    return redirect(url_for(".rematched", slug=slug, key=key), 303)


@blueprint.post("/<slug>/rematches/<key>/take-back")
@organiser_required
def take_rematch_back(slug: str, key: str) -> ResponseReturnValue:
    """Take back what was accepted, before its mails leave."""
    _course, found = _own(slug, key)
    try:
        deciding.take_it_back(session(), found, now())
    except Conflict as error:
        session().rollback()
        return conflict(own_course(slug), str(error))
    session().commit()
    flash(_("It is taken back: everybody sits where they sat, and nobody was told anything."), "good")
    return redirect(url_for(".rematched", slug=slug, key=key), 303)


def _own(slug: str, key: str) -> tuple[Course, Run]:
    course = own_course(slug)
    return course, runs.get(session(), course, key, kind=RunKind.REMATCH)


def _chosen() -> dict[str, Any]:
    number = request.form.get("bundle", type=int)
    return {} if number is None and "bundle" not in request.form else {"chosen": [number or 0]}

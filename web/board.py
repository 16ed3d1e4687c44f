"""The board of a proposal: cohorts as cards, changed by hand before they are published."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from flask import abort, current_app, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from cohorts import adjust, breaks, channels, living, proposals, roster, runs, weighing
from cohorts.adjust import Hand, RuleBreak, Stale
from cohorts.board_words import in_words
from cohorts.door import MatchSettings
from cohorts.effects import Effect, Touched
from cohorts.exceptions import Conflict, InvalidInput, RunInProgress
from cohorts.language import gettext as _
from cohorts.language import number, translated
from cohorts.models import Cohort, Course, Run, RunState, Signup, Weighing, now
from cohorts.remedies import remedies

from .auth import organiser_required
from .database import session
from .desk import blueprint, me, own_course
from .proposals import CARDS, conflict, times_of

LATEST: Final = 10
"""So many of the last changes are listed."""


@dataclass(frozen=True, slots=True)
class Option:
    """One change that is offered, ready to be shown."""

    effect: Effect
    to: Cohort | None
    swap: Signup | None
    breaks: list[str]

    @property
    def joined(self) -> Touched | None:
        """What becomes of the cohort that the learner joins."""
        return next((each for each in self.effect.touched if each.cohort_id == self.effect.to_id), None)

    @property
    def told(self) -> int:
        """How many hear of it when the cohorts live: who moves, and who is in a cohort they leave or join."""
        ids = {each for touched in self.effect.touched for each in touched.after.members}
        return len(ids | {each for touched in self.effect.touched for each in touched.before.members})

    @property
    def left(self) -> Touched | None:
        """What becomes of the cohort that the learner leaves."""
        return next((each for each in self.effect.touched if each.cohort_id != self.effect.to_id), None)


@blueprint.get("/<slug>/runs/<key>/board")
@organiser_required
def board(slug: str, key: str) -> ResponseReturnValue:
    """Show the cohorts of a proposal as cards to be changed by hand."""
    course = own_course(slug)
    return _board_page(course, _with_board(course, key))


def _shown(found: Run) -> proposals.Proposal:
    """Return the cohorts of a board, with the seats of a proposal or the members of those that live."""
    if _is_living(found):
        return proposals.of_living(session(), found.course)
    return proposals.of_run(session(), found)


def _is_living(found: Run) -> bool:
    return found.state is RunState.PUBLISHED


def _board_page(course: Course, found: Run, **more: Any) -> str:
    proposal = _shown(found)
    pages = max(1, -(-len(proposal.cohorts) // CARDS))
    page = min(max(1, request.args.get("page", 1, type=int)), pages)
    shown = proposal.cohorts[(page - 1) * CARDS : page * CARDS]
    is_living = _is_living(found)
    listed = adjust.adjustments(session(), found, living=is_living)
    done, undone = adjust.walk(listed)
    names = roster.names(session(), course)
    settings = living.settings_of(found)
    return render_template(
        "organiser/board.html",
        course=course,
        run=found,
        proposal=proposal,
        cohorts=shown,
        best=max((each.score for each in proposal.cohorts), default=1.0),
        version=weighing.version(session(), found),
        is_living=is_living,
        leaves=living.leave_at(session(), listed[-1], now()) if is_living and listed else None,
        undo=in_words(done[-1], names) if done else "",
        redo=in_words(undone[-1], names) if undone else "",
        latest=[(each, in_words(each, names)) for each in reversed(listed[-LATEST:])],
        broken={
            each.cohort.id: breaks.all_words(each.cohort.set_aside, settings, len(each.members))
            for each in shown
        },
        hosts={each.cohort.id: channels.host(each.cohort.channel) for each in shown if each.cohort.channel},
        remedies=[] if is_living else remedies(settings, proposal.unplaced),
        number_of_page=page,
        pages=pages,
        **times_of(course, shown, ""),
        **more,
    )


@blueprint.post("/<slug>/runs/<key>/board/weigh")
@organiser_required
def weigh(slug: str, key: str) -> ResponseReturnValue:
    """Ask where else a learner could sit."""
    found = _with_board(own_course(slug), key)
    asked = weighing.ask(
        session(), found, request.form.get("learner", ""), request.form.get("cohort", ""), now()
    )
    session().commit()
    page = url_for(".weighing", slug=slug, key=key, weighing_key=asked.key)
    if request.accept_mimetypes.best == "application/json":
        return {"page": page}
    return redirect(page, 303)


@blueprint.get("/<slug>/runs/<key>/board/<weighing_key>", endpoint="weighing")
@organiser_required
def weighing_page(slug: str, key: str, weighing_key: str) -> ResponseReturnValue:
    """Show what each change would do, with a press that makes it."""
    course = own_course(slug)
    found = _with_board(course, key)
    return _weighing_page(course, found, weighing.get(session(), found, weighing_key))


def _weighing_page(course: Course, found: Run, asked: Weighing, message: str = "") -> str:
    return render_template(
        "organiser/weighing.html",
        course=course,
        run=found,
        weighing=asked,
        home=weighing.home(session(), asked),
        options=_options(found, asked),
        is_living=_is_living(found),
        version=weighing.version(session(), found),
        message=message,
    )


def _options(found: Run, asked: Weighing) -> list[Option]:
    effects = weighing.effects(asked)
    cohorts, people = weighing.concerned(session(), found, effects)
    settings = living.settings_of(found)
    return [
        Option(
            effect,
            cohorts.get(effect.to_id or 0),
            people.get(effect.swap_id or 0),
            [
                f"{cohorts[each.cohort_id].name}: {breaks.words(rule, settings, len(each.after.members))}"
                for each in effect.touched
                for rule in each.new_breaks
            ],
        )
        for effect in effects
    ]


@blueprint.get("/<slug>/runs/<key>/board/<weighing_key>.json")
@organiser_required
def weighed(slug: str, key: str, weighing_key: str) -> ResponseReturnValue:
    """Return what each change would do, for the script that shows it while a learner is dragged."""
    found = _with_board(own_course(slug), key)
    asked = weighing.get(session(), found, weighing_key)
    return {
        "active": asked.weighed_at is None,
        "trouble": translated(asked.trouble),
        "effects": [
            {
                "to": each.to.key if each.to else "",
                "words": _effect_in_words(each),
                "breaks": each.breaks,
                "gains": each.effect.gain >= 0,
            }
            for each in _options(found, asked)
        ],
    }


def _effect_in_words(option: Option) -> str:
    """Say in a line what becomes of the cohorts that a change touches."""
    told = [
        _(
            "score %(before)s to %(after)s, common times %(times_before)s to %(times_after)s",
            before=number(round(each.before.score, 3)),
            after=number(round(each.after.score, 3)),
            times_before=len(each.before.meetings),
            times_after=len(each.after.meetings),
        )
        for each in (option.joined, option.left)
        if each is not None
    ]
    if option.joined is not None and option.left is not None:
        return _("Here: %(here)s. There: %(there)s.", here=told[0], there=told[1])
    return f"{told[0]}." if told else ""


@blueprint.post("/<slug>/runs/<key>/board/<weighing_key>")
@organiser_required
def make_move(slug: str, key: str, weighing_key: str) -> ResponseReturnValue:
    """Make a change that was weighed."""
    course = own_course(slug)
    found = _with_board(course, key)
    asked = weighing.get(session(), found, weighing_key)
    form = request.form
    try:
        adjust.move(
            session(),
            found,
            asked,
            form.get("to", ""),
            form.get("swap", ""),
            _hand(),
            set_aside="set_aside" in form,
            because=form.get("because", ""),
        )
    except Stale as error:
        return _stale_page(course, key, str(error))
    except Conflict as error:
        session().rollback()
        found = _with_board(course, key)
        asked = weighing.get(session(), found, weighing_key)
        return _weighing_page(course, found, asked, str(error)), 409
    except InvalidInput as error:
        session().rollback()
        found = _with_board(course, key)
        asked = weighing.get(session(), found, weighing_key)
        return _weighing_page(course, found, asked, " ".join(error.errors["because"])), 422
    return _saved(course, key)


@blueprint.post("/<slug>/runs/<key>/board")
@organiser_required
def change_board(slug: str, key: str) -> ResponseReturnValue:
    """Undo or redo, pin or let go, give a cohort a name, a weekly time or a link."""
    course, form = own_course(slug), request.form
    found = _with_board(course, key)
    try:
        _change(found)
    except Stale as error:
        return _stale_page(course, key, str(error))
    except RuleBreak as error:
        rule = breaks.words(error.rule, living.settings_of(found), 0)
        asked = {"crowded": form["time"], "crowded_words": rule, "block_asked": form.get("block", "")}
        return _board_again(slug, key, **asked), 409
    except InvalidInput as error:
        if "talk" in form:
            again = {"wrong_link": form["talk"], "link": form.get("channel", "")}
        else:
            again = {"wrong": form.get("rename", ""), "name": form.get("name", "")}
        errors = [text for texts in error.errors.values() for text in texts]
        return _board_again(slug, key, errors=errors, **again), 422
    return _saved(course, key)


def _board_again(slug: str, key: str, **more: Any) -> str:
    """Show the board once more, with what was wrong."""
    session().rollback()
    course = own_course(slug)
    return _board_page(course, _with_board(course, key), **more)


def _change(found: Run) -> None:
    form, hand = request.form, _hand()
    if "undo" in form:
        adjust.undo(session(), found, hand)
    elif "redo" in form:
        adjust.redo(session(), found, hand)
    elif "rename" in form:
        adjust.rename(session(), found, form["rename"], form.get("name", ""), hand)
    elif "time" in form:
        adjust.choose_time(
            session(),
            found,
            form["time"],
            form.get("block", ""),
            hand,
            set_aside="set_aside" in form,
            because=form.get("because", ""),
        )
    elif "talk" in form:
        adjust.set_channel(session(), found, form["talk"], form.get("channel", ""), hand)
    elif "pin" in form or "let_go" in form:
        adjust.pin_learner(session(), found, form.get("pin") or form["let_go"], "pin" in form, hand)
    elif "pin_cohort" in form or "let_cohort_go" in form:
        key = form.get("pin_cohort") or form["let_cohort_go"]
        adjust.pin_cohort(session(), found, key, "pin_cohort" in form, hand)
    else:
        abort(400)


@blueprint.post("/<slug>/runs/<key>/board/rerun")
@organiser_required
def rerun(slug: str, key: str) -> ResponseReturnValue:
    """Match again around what is pinned, with one rule relaxed if that is asked for."""
    course = own_course(slug)
    found = _require_proposal(runs.get(session(), course, key))
    proposal = proposals.of_run(session(), found)
    offered = {
        each.key: each for each in remedies(MatchSettings.from_json(found.parameters), proposal.unplaced)
    }
    wanted = request.form.get("remedy", "")
    if wanted and wanted not in offered:
        abort(400)
    changes = offered[wanted].changes if wanted else {"random_state": found.random_state + 1}
    try:
        made = runs.rerun(session(), found, me(), **changes)
    except RunInProgress as error:
        session().rollback()
        return conflict(own_course(slug), str(error))
    session().commit()
    current_app.extensions["jobs"].execute_run(made.id)
    return redirect(url_for(".run", slug=slug, key=made.key), 303)


def _stale_page(course: Course, key: str, message: str) -> ResponseReturnValue:
    """Show what came in between, with a press that makes the same change on top of it."""
    session().rollback()
    course = own_course(course.slug)
    found = _with_board(course, key)
    names = roster.names(session(), course)
    seen = request.form.get("seen", 0, type=int)
    since = adjust.adjustments(session(), found, after=seen)
    # What was undone or redone depends on what was done last: that is for a look at the board.
    again = {
        name: value
        for name, value in request.form.items()
        if name not in ("csrf_token", "seen") and not {"undo", "redo"} & set(request.form)
    }
    page = render_template(
        "organiser/board_conflict.html",
        course=course,
        run=found,
        message=message,
        since=[(each, in_words(each, names)) for each in since],
        again=again,
        version=weighing.version(session(), found),
    )
    return page, 409


def _saved(course: Course, key: str) -> ResponseReturnValue:
    session().commit()
    page = request.args.get("page", type=int)
    return redirect(url_for(".board", slug=course.slug, key=key, page=page), 303)


def _hand() -> Hand:
    """Return who changes the board, and which version they saw."""
    return Hand(me(), request.form.get("seen", -1, type=int), now())


def _with_board(course: Course, key: str) -> Run:
    """Return a run that has a board: a proposal, or the one published last, for the cohorts that live.

    Raises:
        Conflict: It is neither (any more).
    """
    found = runs.get(session(), course, key)
    if not _is_living(found):
        return _require_proposal(found)
    if not living.is_on(session(), found):
        raise Conflict(_("Other cohorts have been published since; their run has the board now."))
    return found


def _require_proposal(found: Run) -> Run:
    """Return a run that can be changed by hand before it is published.

    Raises:
        Conflict: It is no proposal (any more).
    """
    if found.state is not RunState.PROPOSED:
        raise Conflict(_("This run is not a proposal any more, so it cannot be changed by hand."))
    return found

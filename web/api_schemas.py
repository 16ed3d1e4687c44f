"""What the JSON API and ``--json`` give and take: one definition for answers, checks and the document."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final

from marshmallow import RAISE, Schema, ValidationError, pre_load
from marshmallow.fields import (
    AwareDateTime,
    Boolean,
    Date,
    DateTime,
    Dict,
    Field,
    Float,
    Function,
    Integer,
    List,
    Nested,
    Raw,
    String,
)
from marshmallow.validate import Length, OneOf, Range, Regexp

from cohorts import language, meetings
from cohorts.answers import MAX_GOAL, MAX_HOURS, MAX_INTERESTS, MAX_NAME, MAX_OTHERS
from cohorts.asking import custom_questions
from cohorts.directory import STATES, state_of
from cohorts.interactions import Outcome, Plan
from cohorts.kinds import fitting
from cohorts.language import gettext as _
from cohorts.models import Cohort, Course, CourseState, InteractionImport, Run, RunKind, RunState, Signup
from cohorts.questions import Experience
from cohorts.told import MAX_KIND, YEARS
from cohorts.week import SLOTS

MOST: Final = 200
"""Items of one page."""
MOST_INTERACTIONS: Final = 1000
"""Interactions of one request."""
MOST_SIGNUPS: Final = 500
"""Sign-ups of one request."""


def words(**about: Any) -> dict[str, Any]:
    """Return what the document says about a field."""
    return {"metadata": about}


def one_of(kind: type[StrEnum]) -> dict[str, Any]:
    """Return what the document says about a state."""
    return words(type="string", enum=[each.value for each in kind])


def array(type_: str) -> dict[str, Any]:
    """Return what the document says about a list."""
    return words(type="array", items={"type": type_})


class Strict(Schema):
    """What is taken; a field that is not known is refused, and so is a text that no database keeps."""

    class Meta:
        """How unknown fields are met."""

        unknown = RAISE

    @pre_load
    def refuse_unstorable(self, data: Any, **_: Any) -> Any:
        """Refuse NUL and half characters, wherever they are."""
        try:
            text = json.dumps(data, ensure_ascii=False)
            text.encode()
        except (TypeError, ValueError):
            text = "\\u0000"
        if "\\u0000" in text:
            raise ValidationError("A text has characters that cannot be stored.")
        return data


class Problem(Schema):
    """What is wrong (RFC 9457)."""

    type = String(required=True)
    title = String(required=True)
    status = Integer(required=True)
    detail = String(required=True)
    errors = Dict(keys=String(), values=Raw(), **words(description="What is wrong, by field."))


class PageArguments(Schema):
    """Which part of a list is wanted."""

    limit = Integer(load_default=50, validate=Range(1, MOST), **words(description="How many at most."))
    cursor = String(
        load_default=str,
        validate=Regexp(r"^[0-9a-f]{1,15}\Z"),
        **words(description="`next` of the page before; leave it out for the first page."),
    )


class SignupArguments(PageArguments):
    """Which sign-ups are wanted."""

    state = String(load_default=str, validate=OneOf(list(STATES)))


class ChoiceArguments(Schema):
    """What of a roster goes into a file."""

    cohort = String(load_default=str, **words(description="The key of one cohort; otherwise all."))
    columns = List(String(), load_default=list, **words(description="Which columns, in this order."))
    login = String(
        load_default=lambda: "email", **words(description="`email`, `local`, or a question's key.")
    )
    their_course = String(load_default=str, **words(description="Short name of the course in Moodle."))


def of_our_days(value: datetime) -> None:
    """Refuse a moment that no course can have had."""
    if value.year not in YEARS:
        raise ValidationError("Look at the year again.")


class Page(Schema):
    """A part of a list."""

    next = String(
        required=True, allow_none=True, **words(description="The cursor of the next page; null on the last.")
    )


class CourseOut(Schema):
    """A course."""

    slug = String(required=True)
    title = String(required=True)
    summary = String(required=True)
    state = Function(
        lambda it: it.state.value, **words(type="string", enum=[each.value for each in CourseState])
    )
    start = Date(required=True)
    weeks = Integer(required=True)
    meeting_minutes = Integer(required=True)
    size_min = Integer(required=True)
    target_size = Integer(required=True)
    size_max = Integer(required=True)
    capacity = Integer(required=True, allow_none=True)
    opens_at = DateTime(required=True, allow_none=True)
    closes_at = DateTime(required=True, allow_none=True)
    created_at = DateTime(required=True)


class CoursePage(Page):
    """A page of courses."""

    items = List(Nested(CourseOut), required=True)


def slots_field(description: str, **more: Any) -> Field[Any]:
    """Return half hours of a week as numbers."""
    return List(
        Integer(strict=True, validate=Range(0, SLOTS - 1)),
        validate=Length(max=SLOTS),
        **words(description=description),
        **more,
    )


def texts_field(most: int) -> Field[Any]:
    """Return a list of short texts."""
    return List(String(validate=Length(max=255)), validate=Length(max=most))


_SLOTS: Final = (
    "Half hours of a usual week in the learner's own zone, from 0 (Monday 00:00) to 335 (Sunday 23:30)."
)


class SignupOut(Schema):
    """A sign-up with its answers; whom somebody does not want to be with is told to nobody."""

    key = String(required=True)
    state = Function(state_of, **words(type="string", enum=list(STATES)))
    name = String(required=True)
    email = String(required=True)
    time_zone = String(required=True)
    availability = Function(
        lambda it: sorted(it.availability), **words(type="array", items={"type": "integer"})
    )
    if_needed = Function(lambda it: sorted(it.if_needed), **words(type="array", items={"type": "integer"}))
    languages = List(String(), required=True)
    interests = Function(lambda it: [each.label for each in it.interests], **array("string"))
    experience = Function(lambda it: it.experience and it.experience.value, **words(type=["string", "null"]))
    hours_per_week = Float(required=True, allow_none=True)
    goal = String(required=True)
    can_help_with = List(String(), required=True)
    wants_help_with = List(String(), required=True)
    works_with = List(String(), required=True)
    convenor = Boolean(required=True)
    custom = Function(
        lambda it: custom_of(it), **words(type="object", description="By the keys of questions.")
    )
    created_at = DateTime(required=True)
    confirmed_at = DateTime(required=True, allow_none=True)
    withdrawn_at = DateTime(required=True, allow_none=True)


def custom_of(signup: Signup) -> dict[str, Any]:
    """Return the answers to the course's own questions that fit them now, by key."""
    kept = {each.key: fitting(each, signup.custom.get(each.key)) for each in custom_questions(signup.course)}
    return {key: value for key, value in kept.items() if value is not None}


class SignupPage(Page):
    """A page of sign-ups."""

    items = List(Nested(SignupOut), required=True)


class SignupIn(Strict):
    """Answers of one learner."""

    email = String(required=True, validate=Length(1, 255), **words(format="email"))
    time_zone = String(required=True, validate=Length(1, 64), **words(example="Europe/Berlin"))
    availability = slots_field(_SLOTS, required=True)
    if_needed = slots_field("Half hours that would do if nothing else fits.")
    name = String(validate=Length(max=MAX_NAME))
    languages = texts_field(MAX_OTHERS)
    interests = texts_field(MAX_INTERESTS)
    experience = String(allow_none=True, validate=OneOf([each.value for each in Experience]))
    hours_per_week = Float(allow_none=True, validate=Range(0, MAX_HOURS))
    goal = String(validate=Length(max=MAX_GOAL))
    can_help_with = texts_field(MAX_OTHERS)
    wants_help_with = texts_field(MAX_OTHERS)
    works_with = texts_field(MAX_OTHERS)
    avoids = texts_field(MAX_OTHERS)
    convenor = Boolean()
    custom = Dict(keys=String(), values=Raw(allow_none=True))


class SignupsIn(Strict):
    """Sign-ups that come in: they count as confirmed, and nobody gets a mail."""

    signups = List(Nested(SignupIn), required=True, validate=Length(1, MOST_SIGNUPS))
    dry_run = Boolean(load_default=False, **words(description="Say what would happen and store nothing."))
    leave_out_refused = Boolean(
        load_default=False, **words(description="Store the others where some are refused.")
    )


class SignupsDone(Schema):
    """What became of sign-ups that came in."""

    added = Integer(required=True)
    changed = Integer(required=True)
    same = Integer(required=True)
    refused = Integer(required=True)
    waiting = Integer(required=True, **words(description="How many of the added wait for a place."))
    problems = Dict(
        keys=String(),
        values=Dict(keys=String(), values=List(String())),
        required=True,
        **words(description="What is wrong, by the place in the list, from 0, and by field."),
    )


class RunIn(Strict):
    """What may be chosen for one match; everything else is the course's."""

    random_state = Integer(strict=True, load_default=0, validate=Range(0, 2**31 - 1))
    convenor_required = Boolean(load_default=False)
    worst_off_weight = Float(load_default=0.1, validate=Range(0, 1))
    max_simultaneous = Integer(strict=True, load_default=None, allow_none=True, validate=Range(1, 100_000))
    asynchronous = Boolean(load_default=False)
    on_conflict = String(load_default="refuse", validate=OneOf(["refuse", "unplace"]))
    time_limit = Float(load_default=None, allow_none=True, validate=Range(1, 3600))


class RunOut(Schema):
    """A run: a match that was asked for, and how far it is."""

    key = String(required=True)
    kind = Function(
        lambda it: it.kind.value,
        **words(type="string", enum=[each.value for each in RunKind], description="What it does."),
    )
    state = Function(
        lambda it: it.state.value, **words(type="string", enum=[each.value for each in RunState])
    )
    progress = Float(required=True, **words(description="From 0 to 1."))
    stage = Function(lambda it: language.translated(it.stage), **words(type="string"))
    reason = Function(lambda it: language.translated(it.reason), **words(type="string"))
    random_state = Integer(required=True)
    learnt = Function(
        lambda it: language.translated(it.learnt["words"]) if it.learnt else None,
        **words(type=["string", "null"], description="What earlier connections taught."),
    )
    n_learners = Integer(required=True, allow_none=True)
    n_placed = Integer(required=True, allow_none=True)
    objective = Float(required=True, allow_none=True)
    bound = Float(required=True, allow_none=True)
    seconds = Float(required=True, allow_none=True)
    created_at = DateTime(required=True)
    started_at = DateTime(required=True, allow_none=True)
    finished_at = DateTime(required=True, allow_none=True)
    published_at = DateTime(required=True, allow_none=True)


class RunPage(Page):
    """A page of runs."""

    items = List(Nested(RunOut), required=True)


class MeetingOut(Schema):
    """A weekly time: the same wall clock in one zone in every week of the course."""

    zone = String(required=True)
    slot = Integer(required=True)


class MemberOut(Schema):
    """A member of a cohort."""

    key = String(required=True)
    name = String(required=True)
    email = String(required=True)
    time_zone = String(required=True)


class CohortOut(Schema):
    """A cohort with its members, proposed or published."""

    key = String(required=True)
    name = String(required=True)
    position = Integer(required=True)
    score = Float(required=True)
    channel = String(required=True)
    meeting = Function(
        lambda it: _meeting(meetings.weekly(it)),
        **words(type=["object", "null"], description="When it meets: `zone` and `slot`."),
    )
    meetings = Function(
        lambda it: [_meeting(each) for each in meetings.of_cohort(it)],
        **words(type="array", items={"type": "object"}, description="Common times, best first."),
    )
    members = Function(
        lambda it: MemberOut(many=True).dump(members_of(it)),
        **words(type="array", items={"type": "object"}, description="Each with key, name, email, time_zone."),
    )


def _meeting(meeting: meetings.Meeting | None) -> dict[str, Any] | None:
    return {"zone": meeting.zone, "slot": meeting.slot} if meeting else None


def members_of(cohort: Cohort) -> list[Signup]:
    """Return who is in a cohort, or would be if its run were published."""
    if cohort.run.state is RunState.PUBLISHED:
        found = [each.signup for each in cohort.memberships if each.until is None]
    else:
        found = [each.signup for each in cohort.seats]
    return sorted(found, key=lambda each: (each.name.casefold(), each.email))


class CohortPage(Page):
    """A page of cohorts."""

    items = List(Nested(CohortOut), required=True)


class ConnectionsOut(Schema):
    """How many pairs of learners are connected; null where fewer than five people are concerned."""

    source = Function(lambda it: it.source.value, **words(type="string"))
    within = Integer(required=True, allow_none=True, **words(description="Pairs of one cohort."))
    across = Integer(required=True, allow_none=True, **words(description="Pairs of different cohorts."))


class ConnectionList(Schema):
    """Every kind of connection there is."""

    items = List(Nested(ConnectionsOut), required=True)


class InteractionIn(Strict):
    """One learner had to do with another."""

    from_ = String(
        required=True,
        data_key="from",
        validate=Length(1, 255),
        **words(description="Who: an address, the key of a sign-up, or a name that only one has."),
    )
    to = String(required=True, validate=Length(1, 255), **words(description="To whom, likewise."))
    time = AwareDateTime(required=True, default_timezone=UTC, validate=of_our_days)
    kind = String(load_default=str, validate=Length(max=MAX_KIND), **words(example="reply"))


class InteractionsIn(Strict):
    """Interactions that come in; what was told before is kept once."""

    connections = List(Nested(InteractionIn), required=True, validate=Length(1, MOST_INTERACTIONS))
    dry_run = Boolean(load_default=False, **words(description="Say what would happen and store nothing."))


class InteractionsDone(Schema):
    """What became of interactions that came in."""

    kept = Integer(required=True)
    repeated = Integer(required=True, **words(description="Told before."))
    of_unknown = Integer(required=True, **words(description="Of people who are not signed up; not stored."))
    own = Integer(required=True, **words(description="With oneself; not stored."))
    wrong = Integer(required=True, **words(description="Not understood, or in the future; not stored."))
    problems = Dict(
        keys=String(),
        values=Dict(keys=String(), values=List(String())),
        required=True,
        **words(description="What is wrong, by the place in the list, from 0, and by field."),
    )


def interactions_done(plan: Plan) -> dict[str, Any]:
    """Return what becomes of interactions, and what is wrong with which, by its place."""
    problems: dict[str, dict[str, list[str]]] = {}
    for row in plan.rows:
        if row.outcome is Outcome.UNKNOWN:
            missing = (name for name, found in (("from", row.giver), ("to", row.taker)) if found is None)
            problems[row.told.place] = {name: [_("Nobody is signed up as this.")] for name in missing}
        elif row.outcome is Outcome.WRONG:
            problems[row.told.place] = {"time": [_("This lies in the future.")]}
    problems |= {each.place: {"from": [each.message]} for each in plan.slips}
    names = {"kept": Outcome.KEEP, "of_unknown": Outcome.UNKNOWN}
    names |= {each.value: each for each in (Outcome.REPEATED, Outcome.OWN, Outcome.WRONG)}
    return {name: plan.counts[outcome] for name, outcome in names.items()} | {"problems": problems}


class RosterRowOut(Schema):
    """A learner of a roster; without a cohort there is a reason."""

    cohort = String(required=True)
    cohort_key = String(required=True)
    name = String(required=True)
    email = String(required=True)
    time_zone = String(required=True)
    meeting = String(required=True)
    reason = String(required=True)
    languages = List(String(), required=True)
    interests = List(String(), required=True)
    can_help_with = List(String(), required=True)
    wants_help_with = List(String(), required=True)
    convenor = Boolean(required=True)
    answers = Dict(keys=String(), values=String(), required=True)


class RosterPage(Page):
    """A page of a roster."""

    items = List(Nested(RosterRowOut), required=True)


def one(item: Course | Signup | Run | Cohort | InteractionImport, schema: type[Schema]) -> dict[str, Any]:
    """Return an item in plain values, as the API gives it."""
    plain: dict[str, Any] = schema().dump(item)
    return plain

"""The JSON API: what organisers' programs read and write. The OpenAPI document is made from these views."""

from __future__ import annotations

from typing import Any, Final

from flask import current_app, g
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import selectinload

from cohorts import audit, directory, imports, interactions, policies, roster, runs, ties
from cohorts.answers import Answers
from cohorts.asking import custom_questions
from cohorts.exceptions import InvalidInput, NotFound
from cohorts.exports import FORMATS, Choice
from cohorts.imports import Action, Plan
from cohorts.language import gettext as _
from cohorts.models import Cohort, Course, Membership, Run, RunState, Seat, Signup, Source, User, now
from cohorts.policies import Act
from cohorts.questions import Experience
from cohorts.tokens import Scope

from . import api_schemas as schemas
from .api_base import ApiBlueprint, decoded, encoded, operation, page
from .database import session
from .roster_pages import as_file

blueprint = ApiBlueprint("api", __name__, url_prefix="/api/v1")

_MEMBERS: Final = (
    selectinload(Cohort.run),
    selectinload(Cohort.memberships).selectinload(Membership.signup),
    selectinload(Cohort.seats).selectinload(Seat.signup),
)


@operation(blueprint, "/courses", Scope.READ)
@blueprint.arguments(schemas.PageArguments, location="query")
@blueprint.response(200, schemas.CoursePage)
def list_courses(arguments: dict[str, Any]) -> dict[str, Any]:
    """List the courses within reach."""
    return page(select(Course).where(policies.within_reach(_me())), Course.id, arguments)


@operation(blueprint, "/courses/<course>", Scope.READ, act=Act.VISIT)
@blueprint.response(200, schemas.CourseOut)
def get_course(course: Course) -> Course:
    """Get one course."""
    return course


@operation(blueprint, "/courses/<course>/signups", Scope.READ)
@blueprint.arguments(schemas.SignupArguments, location="query")
@blueprint.response(200, schemas.SignupPage)
def list_signups(arguments: dict[str, Any], course: Course) -> dict[str, Any]:
    """List the sign-ups of a course."""
    query = select(Signup).where(Signup.course_id == course.id).options(selectinload(Signup.interests))
    if arguments["state"]:
        query = query.where(directory.STATES[arguments["state"]])
    return page(query, Signup.id, arguments)


@operation(blueprint, "/courses/<course>/signups/<signup>", Scope.READ)
@blueprint.response(200, schemas.SignupOut)
def get_signup(course: Course, signup: str) -> Signup:
    """Get one sign-up."""
    return directory.get(session(), course, signup)


@operation(
    blueprint,
    "/courses/<course>/signups",
    Scope.SIGNUPS,
    act=Act.CHANGE,
    method="POST",
    also=("BAD_REQUEST",),
)
@blueprint.arguments(schemas.SignupsIn)
@blueprint.response(200, schemas.SignupsDone)
def add_signups(given: dict[str, Any], course: Course) -> dict[str, Any]:
    """Add sign-ups, or change those with the same addresses; all of them or, if one is refused, none.

    They count as confirmed, and nobody gets a mail. Answers that no sign-up of the request has stay as they
    are. Whoever comes after a full course waits for a place.
    """
    people = [_answers(each) for each in given["signups"]]
    columns = {name for each in given["signups"] for name in each if name != "custom"}
    plan = imports.plan_answers(session(), course, people, sorted(columns | _own(course, given)))
    done = _done(plan)
    if given["dry_run"]:
        return done
    if done["refused"] and not given["leave_out_refused"]:
        raise InvalidInput(
            {
                f"signups.{number}.{field}": messages
                for number, fields in done["problems"].items()
                for field, messages in fields.items()
            }
        )
    imports.apply(session(), course, plan, leave_out_refused=True, at=now())
    audit.record(session(), course, _me(), "apply", now())
    session().commit()
    return done


def _own(course: Course, given: dict[str, Any]) -> set[str]:
    """Return the keys of the course's own questions that are answered.

    Raises:
        InvalidInput: There is no such question.
    """
    named = {key for each in given["signups"] for key in each.get("custom", ())}
    unknown = sorted(named - {each.key for each in custom_questions(course)})
    if unknown:
        raise InvalidInput({"custom": [_("The course has no question %(key)s.", key=unknown[0][:60])]})
    return named


def _answers(given: dict[str, Any]) -> Answers:
    """Return answers as the domain knows them; who gives no name is called by their address."""
    values: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in given.items()
    }
    values["availability"] = frozenset(given["availability"])
    values["if_needed"] = frozenset(given.get("if_needed", ()))
    values["name"] = given.get("name") or given["email"].partition("@")[0]
    experience = given.get("experience")
    values["experience"] = Experience(experience) if experience else None
    custom = given.get("custom", {})
    values["custom"] = {key: value for key, value in custom.items() if value is not None}
    return Answers(**values)


def _done(plan: Plan) -> dict[str, Any]:
    counts = plan.counts
    problems: dict[str, dict[str, list[str]]] = {}
    for row in plan.rows:
        for each in row.problems:
            problems.setdefault(str(row.line - 1), {}).setdefault(each.column, []).append(each.message)
    return {
        "added": counts[Action.ADD],
        "changed": counts[Action.CHANGE],
        "same": counts[Action.SAME],
        "refused": counts[Action.REFUSE],
        "waiting": sum(row.waiting for row in plan.rows),
        "problems": problems,
    }


@operation(blueprint, "/courses/<course>/runs", Scope.READ)
@blueprint.arguments(schemas.PageArguments, location="query")
@blueprint.response(200, schemas.RunPage)
def list_runs(arguments: dict[str, Any], course: Course) -> dict[str, Any]:
    """List the runs of a course, newest first."""
    return page(select(Run).where(Run.course_id == course.id), Run.id, arguments, newest=True)


@operation(
    blueprint,
    "/courses/<course>/runs",
    Scope.RUNS,
    act=Act.CHANGE,
    method="POST",
    also=("BAD_REQUEST", "CONFLICT"),
)
@blueprint.arguments(schemas.RunIn)
@blueprint.response(202, schemas.RunOut)
def start_run(given: dict[str, Any], course: Course) -> Run:
    """Ask for a match of everybody who is confirmed; look at the run to see how far it is.

    What it proposes is published on the site, by a person who has looked at it.
    """
    run = runs.request(session(), course, _me(), **given)
    session().flush()
    audit.record(session(), course, _me(), "match", now(), subject=run.key)
    session().commit()
    current_app.extensions["jobs"].execute_run(run.id)
    return run


@operation(blueprint, "/courses/<course>/runs/<run>", Scope.READ)
@blueprint.response(200, schemas.RunOut)
def get_run(course: Course, run: str) -> Run:
    """Get one run: how far it is, and what came of it."""
    return runs.get(session(), course, run, kind=None)


@operation(
    blueprint,
    "/courses/<course>/runs/<run>/cancel",
    Scope.RUNS,
    act=Act.CHANGE,
    method="POST",
    also=("CONFLICT",),
)
@blueprint.response(200, schemas.RunOut)
def cancel_run(course: Course, run: str) -> Run:
    """Ask a run to stop; one that has ended stays as it is."""
    found = runs.get(session(), course, run, kind=None)
    runs.cancel(session(), found)
    audit.record(session(), course, _me(), "cancel", now(), subject=found.key)
    session().commit()
    return found


@operation(blueprint, "/courses/<course>/runs/<run>/cohorts", Scope.READ)
@blueprint.arguments(schemas.PageArguments, location="query")
@blueprint.response(200, schemas.CohortPage)
def list_proposed_cohorts(arguments: dict[str, Any], course: Course, run: str) -> dict[str, Any]:
    """List the cohorts that a run proposes, or that were published from it."""
    found = runs.get(session(), course, run)
    return page(select(Cohort).where(Cohort.run_id == found.id).options(*_MEMBERS), Cohort.id, arguments)


@operation(blueprint, "/courses/<course>/cohorts", Scope.READ, act=Act.VISIT)
@blueprint.arguments(schemas.PageArguments, location="query")
@blueprint.response(200, schemas.CohortPage)
def list_cohorts(arguments: dict[str, Any], course: Course) -> dict[str, Any]:
    """List the living cohorts of a course; facilitators get their own."""
    living = select(Cohort).join(Run).where(Run.course_id == course.id, Run.state == RunState.PUBLISHED)
    only = policies.cohorts_within_reach(_me(), g.role)
    living = living if only is None else living.where(only)
    return page(living.where(Cohort.ended_at.is_(None)).options(*_MEMBERS), Cohort.id, arguments)


@operation(blueprint, "/courses/<course>/cohorts/<cohort>", Scope.READ, act=Act.VISIT)
@blueprint.response(200, schemas.CohortOut)
def get_cohort(course: Course, cohort: str) -> Cohort:
    """Get one published cohort; facilitators get their own."""
    return roster.cohort(session(), course, cohort, policies.cohorts_within_reach(_me(), g.role))


@operation(blueprint, "/courses/<course>/connections", Scope.READ)
@blueprint.response(200, schemas.ConnectionList)
def list_connections(course: Course) -> dict[str, Any]:
    """Count who is connected, within cohorts and across them; nobody learns who named whom."""
    return {"items": ties.counted(session(), course, now())}


@operation(
    blueprint,
    "/courses/<course>/connections",
    Scope.CONNECTIONS,
    act=Act.CHANGE,
    method="POST",
    also=("BAD_REQUEST",),
)
@blueprint.arguments(schemas.InteractionsIn)
@blueprint.response(200, schemas.InteractionsDone)
def add_connections(given: dict[str, Any], course: Course) -> dict[str, Any]:
    """Tell who had to do with whom: each interaction is kept once, however often it is told.

    Whoever is not signed up is counted and not stored.
    """
    told = [(each["from_"], each["to"], each["time"], each["kind"]) for each in given["connections"]]
    reading = interactions.between(told, "API")
    done = schemas.interactions_done(interactions.plan(session(), course, reading, {}, now()))
    if not given["dry_run"]:
        interactions.apply(session(), course, reading, {}, now(), user=_me(), source=Source.API)
        audit.record(session(), course, _me(), "apply_connections", now())
        session().commit()
    return done


@operation(blueprint, "/courses/<course>/roster", Scope.READ)
@blueprint.arguments(schemas.PageArguments, location="query")
@blueprint.response(200, schemas.RosterPage)
def list_roster(arguments: dict[str, Any], course: Course) -> dict[str, Any]:
    """List the roster of a course: learners by cohort, then those without one."""
    rows, last = roster.page(session(), course, decoded(arguments["cursor"]), arguments["limit"])
    return {"items": rows, "next": encoded(last)}


def _of_each_type(view: Any) -> Any:
    """Say in the document which content types files have."""
    for content_type in sorted({each.content_type for each in FORMATS.values()}):
        view = blueprint.response(200, {}, content_type=content_type.partition(";")[0])(view)
    return view


@operation(blueprint, "/courses/<course>/rosters/<format_>", Scope.READ)
@blueprint.arguments(schemas.ChoiceArguments, location="query")
@_of_each_type
def get_roster_file(arguments: dict[str, Any], course: Course, format_: str) -> ResponseReturnValue:
    """Get the roster as a file in one of the formats of the site, which is sent piece by piece."""
    if format_ not in FORMATS:
        raise NotFound
    return as_file(course, format_, Choice(**{**arguments, "columns": tuple(arguments["columns"])}))


def _me() -> User:
    """Return the user for whom the token of this request acts."""
    user: User = g.me
    return user

"""A course whose cohorts have lost people, what a rematch proposes for it, and what comes of it."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy.orm import Session

from cohorts import deciding, door, moves
from cohorts.models import (
    Cause,
    Cohort,
    CohortChange,
    Connection,
    Course,
    CourseState,
    Fate,
    Reseating,
    Run,
    RunKind,
    RunState,
    Seat,
    Signup,
    Source,
    User,
    now,
)
from matcher.said import say, say_number
from tests.browser.extremes import WORD
from tests.browser.people import NAMES, REASON, REASONS, REMEDY, keep_token, new_course, new_learner
from tests.browser.world import World
from tests.factories import make_cohort

SMALL = say_number(
    "The cohort they were in has come down to %(num)s person.",
    "The cohort they were in has come down to %(num)s people.",
    2,
)
KNOWS = say_number("Is connected with %(num)s of them.", "Is connected with %(num)s of them.", 2)
ASKED = say("Asked for another cohort.")


def healing(world: World, session: Session, organiser: User) -> None:
    """Fill the courses ``healing`` and ``healed``."""
    course, people = _course(world, session, organiser, "healing", "Healing songs")
    run = _rematch(session, course, people)
    world.words["rematch"] = run.key
    keep_token(world, "asking", people["asks"][0])

    course, people = _course(world, session, organiser, "healed", "Songs that go on")
    run = _rematch(session, course, people)
    world.words["rematch-accepted"] = run.key
    deciding.accept(session, run, organiser, now(), chosen=[1, 3])
    deciding.decline(session, run, organiser, now(), chosen=[2])
    keep_token(world, "new_here", people["small"][0])


def _course(
    world: World, session: Session, organiser: User, slug: str, title: str
) -> tuple[Course, dict[str, list[Signup]]]:
    start = now().date() - timedelta(weeks=3)
    sizes = {"size_min": 3, "target_size": 5, "size_max": 7}
    course = new_course(
        world, session, organiser, slug, title, start=start, state=CourseState.RUNNING, **sizes
    )
    names = iter((*NAMES, "Zoë", "Yann", "Xiu", WORD, "Wim", "Vera", "Uri", "Tess"))
    people = {
        name: [new_learner(session, course, next(names), number) for number in range(n)]
        for name, n in {"large": 4, "small": 3, "asks": 4, "new": 4, "out": 1}.items()
    }
    for name, called in (("large", "Early birds"), ("small", "Night owls"), ("asks", WORD)):
        make_cohort(session, *people[name], name=called)
    moves.leave_course(session, people["small"][2], None, "", now() - timedelta(days=2))
    moves.ask_for_another(session, people["asks"][0], now())
    for one, other in ((0, 1), (1, 0)):
        pair = (people["small"][0], people["large"][0])
        session.add(
            Connection(
                course_id=course.id, from_id=pair[one].id, to_id=pair[other].id, source=Source.TALKED_WITH
            )
        )
    return course, people


def _rematch(session: Session, course: Course, people: dict[str, list[Signup]]) -> Run:
    """Propose a merger, a new cohort, and a cohort for whoever asked for another one."""
    run = Run(
        course_id=course.id,
        kind=RunKind.REMATCH,
        state=RunState.PROPOSED,
        n_learners=15,
        n_placed=14,
        objective=9.1,
        bound=9.3,
        seconds=4.2,
        finished_at=now(),
    )
    session.add(run)
    session.flush()
    reasons = [door.sentence_of(each, {}) for each in REASONS]
    meetings = [["Europe/Berlin", 38]]
    cohorts = {each.name: each for each in session.query(Cohort).join(Run).filter(Run.course_id == course.id)}

    def change(number: int, fate: Fate, name: str, before: int, after: int) -> CohortChange:
        made = CohortChange(run_id=run.id, number=number, fate=fate, name=name, cohort=cohorts.get(name))
        made.n_before, made.n_after = before, after
        made.score_before, made.score_after = (0.41 if before else None), (0.52 if after else None)
        made.meetings, made.reasons = meetings if after else [], reasons if after else []
        session.add(made)
        return made

    large = change(1, Fate.GOES_ON, "Early birds", 4, 7)
    small = change(2, Fate.MERGES, "Night owls", 2, 0)
    asks = change(3, Fate.GOES_ON, WORD, 4, 3)
    opens = change(4, Fate.OPENS, "Cohort 4", 0, 4)
    small.into = large

    def seat(signup: Signup, bundle: int, cause: Cause, *said: object, **ways: CohortChange) -> None:
        row = Reseating(run_id=run.id, signup_id=signup.id, bundle=bundle, cause=cause, **ways)
        row.reasons = [door.sentence_of(each, {}) for each in said]  # type: ignore[arg-type]
        row.score_before, row.score_after = (0.38 if "left" in ways else None), 0.55
        session.add(row)

    for each in people["small"][:2]:
        seat(each, 1, Cause.TOO_SMALL, SMALL, KNOWS, left=small, joined=large)
    for each in people["new"]:
        seat(each, 2, Cause.NO_COHORT, REASONS[0], joined=opens)
    seat(people["asks"][0], 3, Cause.ASKED, ASKED, KNOWS, left=asks, joined=large)
    out = Seat(run_id=run.id, signup_id=people["out"][0].id)
    out.reason, out.remedy = (door.sentence_of(each, {}) for each in (REASON, REMEDY))
    session.add(out)
    session.flush()
    return run

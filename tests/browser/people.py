"""The courses, learners and proposals that scenes are made of."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from sqlalchemy.orm import Session

from cohorts import door
from cohorts.models import Cohort, Course, Run, RunState, Seat, Signup, User, now
from matcher.said import Asked, Hours, say, say_number
from tests.browser.world import World
from tests.factories import make_course, make_signup

NAMES = (
    "Amina Yusuf", "Ben Okafor", "Chiara Rossi", "Dmitri Ivanov", "Elif Yılmaz", "Farid Haddad", "Grace Kim",
    "Hana Nováková", "Ivo", "João da Silva", "Kaja Lindqvist", "Liam O’Brien",
)  # fmt: skip
ZONES = ("Europe/Berlin", "Africa/Lagos", "America/New_York", "Asia/Kolkata")
INTERESTS = ("Jazz", "The Beatles", "Field recording", "Mixing", "Songwriting", "Synthesizers", "Choir")
EVENINGS = frozenset(range(34, 44)) | frozenset(range(130, 140))


def new_course(
    world: World, session: Session, organiser: User, name: str, title: str, people: int = 0, **given: Any
) -> Course:
    """Make a course; its slug is called ``name``."""
    described = {
        "summary": "Learn how records are made by making one.",
        "description": "Six weeks, one song. You pick a piece, take it apart and put it together anew.",
        "start": date.today() + timedelta(weeks=6),
    }
    course = make_course(session, organiser, slug=name, title=title, **{**described, **given})
    world.words[name] = course.slug
    for number in range(people):
        new_learner(session, course, NAMES[number % len(NAMES)], number)
    return course


def new_learner(session: Session, course: Course, name: str, number: int = 0, **given: Any) -> Signup:
    answers = {
        "time_zone": ZONES[number % len(ZONES)],
        "availability": EVENINGS,
        "languages": ["English", "German"][: 1 + number % 2],
        "goal": "Finish one song that I am not ashamed of." if number % 3 else "",
        "can_help_with": ["mixing"] if number % 2 else [],
        "convenor": number % 4 == 0,
        "created_at": now() - timedelta(days=20 - number % 13),
    }
    liked = tuple(INTERESTS[(number + step) % len(INTERESTS)] for step in range(3))
    return make_signup(session, course, liked, name=name, **{**answers, **given})


def keep_token(world: World, name: str, signup: Signup) -> None:
    world.words[name] = world.links.learner_token(signup)


REASONS = (
    say(
        "Shared %(question)s: %(answers)s of %(members)s.",
        question=Asked("interests"),
        answers=("Jazz (4)", "Dub (2)"),
        members=5,
    ),
    say_number(
        "%(num)s member finds help here with what they asked for.",
        "%(num)s members find help here with what they asked for.",
        2,
    ),
    say_number(
        "%(num)s common block of %(minutes)s minutes in every week.",
        "%(num)s common blocks of %(minutes)s minutes in every week.",
        2,
        minutes=90,
    ),
    say("%(number)s below the target size.", number=1),
)
REASON = say_number(
    "Fewer than %(num)s other shares %(what)s with you.",
    "Fewer than %(num)s others share %(what)s with you.",
    3,
    what=say("a language"),
)
REMEDY = say_number(
    "Adding %(hours)s in your own time would fit %(num)s cohort that has a seat.",
    "Adding %(hours)s in your own time would fit %(num)s cohorts that have a seat.",
    1,
    hours=Hours(36, 3),
)
"""What a match says of a cohort, and of a learner who has none."""


def new_proposal(
    session: Session, course: Course, cohorts: Sequence[Sequence[Signup]], out: Sequence[Signup]
) -> Run:
    """Propose some cohorts, and leave some learners out with a reason."""
    placed = sum(map(len, cohorts))
    run = Run(
        course_id=course.id,
        state=RunState.PROPOSED,
        parameters=door.MatchSettings.of_course(course).as_json(),
        n_learners=placed + len(out),
        n_placed=placed,
        objective=0.61 * len(cohorts),
        bound=0.64 * len(cohorts),
        seconds=3.2,
        finished_at=now(),
    )
    session.add(run)
    for number, members in enumerate(cohorts, 1):
        cohort = Cohort(
            run=run,
            position=number,
            name=f"Cohort {number}",
            score=0.45 + 0.03 * (number % 7),
            meetings=[["Europe/Berlin", 36], ["Africa/Lagos", 130]],
            reasons=[door.sentence_of(each, {}) for each in REASONS],
        )
        session.add_all(Seat(run=run, cohort=cohort, signup_id=each.id) for each in members)
    reason, remedy = (door.sentence_of(each, {}) for each in (REASON, REMEDY))
    session.add_all(Seat(run=run, signup_id=each.id, reason=reason, remedy=remedy) for each in out)
    session.flush()
    return run

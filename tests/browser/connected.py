"""A course under way whose people have found each other, within their cohorts and between them."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from itertools import pairwise

from sqlalchemy.orm import Session

from cohorts.models import CheckIn, Cohort, Connection, CourseState, Met, Signup, Source, TieStudy, User, now
from tests.browser.people import NAMES, keep_token, new_course, new_learner
from tests.browser.world import World
from tests.factories import make_cohort

COHORTS = ("Early birds", "Night owls", "Field recorders", "Cohort 4", "Cohort 5", "Cohort 6", "Cohort 7",
           "Cohort 8", "Cohort 9")  # fmt: skip
LINES = ((0, 1, 6), (0, 2, 3), (1, 2, 1), (2, 3, 2), (3, 4, 5), (4, 5, 1), (3, 5, 2), (5, 6, 12))
"""Cohorts that people connect, and how many pairs."""


def connected(world: World, session: Session, organiser: User) -> None:
    """Fill the course ``connected``; its last two cohorts have been silent for weeks."""
    at = now()
    monday = date.today() - timedelta(days=date.today().weekday())
    start = monday - timedelta(weeks=6)
    given = {"start": start, "state": CourseState.RUNNING}
    course = new_course(world, session, organiser, "connected", "Singing across the world", **given)
    cohorts = [_cohort(session, course, name, number, at) for number, name in enumerate(COHORTS)]
    people = [[stay.signup for stay in each.memberships] for each in cohorts]
    for number, members in enumerate(people[:7]):
        for step, (one, other) in enumerate(pairwise(members)):
            if number != 4 or not step:
                say(session, one, other, at - timedelta(weeks=(number + step) % 5, days=1))
                say(session, other, one, at - timedelta(weeks=(number + step) % 5))
        session.add(CheckIn(signup_id=members[0].id, week=6, met=Met.YES, created_at=at))
    for one, two, pairs in LINES:
        for step in range(pairs):
            giver, taker = people[one][step % 6], people[two][(step + step // 6) % 6]
            say(session, giver, taker, at - timedelta(weeks=step % 4, hours=1))
    people[4][4].findable = people[7][1].findable = True
    keep_token(world, "connected", people[0][1])
    powers = [
        {"name": "same cohort", "auc": [0.81, 0.76, 0.86]},
        {"name": "interests", "auc": [0.57, 0.51, 0.63]},
        {"name": "common hours", "auc": [0.52, 0.46, 0.58]},
        {"name": "experience", "auc": [0.42, 0.36, 0.48]},
        {"name": "earlier connection", "auc": None},
    ]
    session.add(TieStudy(course_id=course.id, asked_at=at, answered_at=at, n_ties=63, powers=powers))


def _cohort(session: Session, course: object, name: str, number: int, at: datetime) -> Cohort:
    members = [
        new_learner(session, course, NAMES[(number * 5 + step) % 12], number * 6 + step)  # type: ignore[arg-type]
        for step in range(6)
    ]
    return make_cohort(session, *members, name=name, position=number, at=at - timedelta(weeks=6))


def say(
    session: Session, giver: Signup, taker: Signup, at: datetime, source: Source = Source.TALKED_WITH
) -> None:
    """Let somebody say something of somebody else."""
    row = Connection(course_id=giver.course_id, from_id=giver.id, to_id=taker.id, source=source, at=at)
    session.add(row)

"""A course under way whose people have found each other, within their cohorts and between them."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from itertools import pairwise

from sqlalchemy import select
from sqlalchemy.orm import Session

from cohorts.models import (
    Attendance,
    CheckIn,
    Cohort,
    Connection,
    ConnectionDenial,
    CourseState,
    Interaction,
    InteractionImport,
    Membership,
    Met,
    Signup,
    Source,
    TieStudy,
    User,
    now,
)
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
    _connections_of(session, people[0], people[3], at)
    keep_token(world, "connected", people[0][1])
    powers = [
        {"name": "same cohort", "auc": [0.81, 0.76, 0.86]},
        {"name": "interests", "auc": [0.57, 0.51, 0.63]},
        {"name": "common hours", "auc": [0.52, 0.46, 0.58]},
        {"name": "experience", "auc": [0.42, 0.36, 0.48]},
        {"name": "earlier connection", "auc": None},
    ]
    session.add(TieStudy(course_id=course.id, asked_at=at, answered_at=at, n_ties=63, powers=powers))


def _connections_of(session: Session, mates: list[Signup], others: list[Signup], at: datetime) -> None:
    """Give one learner connections of every sort."""
    learner = mates[1]
    for one, other in ((learner, mates[2]), (mates[2], learner)):
        say(session, one, other, at - timedelta(days=3), Source.GO_ON_WITH)
    for weeks in (2, 3):
        met = {"cohort_id": learner_home(session, learner), "starts_at": at - timedelta(weeks=weeks)}
        session.add_all(Attendance(signup_id=each.id, was_there=True, **met) for each in mates[1:5])
    others[0].findable = True
    told = InteractionImport(course_id=learner.course_id, source=Source.IMPORTED, tool="discourse")
    session.add(told)
    session.flush()
    wrote = Interaction(import_id=told.id, from_id=others[0].id, to_id=learner.id, at=at - timedelta(days=9))
    row = {"course_id": learner.course_id, "from_id": learner.id, "to_address": "old.friend@example.org"}
    denied = ConnectionDenial(signup_id=learner.id, other_id=mates[5].id)
    session.add_all([wrote, Connection(**row, source=Source.TALKED_WITH, at=at - timedelta(days=20)), denied])


def learner_home(session: Session, learner: Signup) -> int:
    """Return the id of the cohort somebody is in."""
    return session.scalars(select(Membership.cohort_id).where(Membership.signup_id == learner.id)).one()


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

"""A course with proposals to compare, one run that is under way, and people in many parts of the world."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy.orm import Session

from cohorts.models import Cohort, Course, Run, RunState, Signup, User, now
from tests.browser.people import NAMES, new_course, new_learner, new_proposal
from tests.browser.world import World

AWAY = ("America/Los_Angeles", "Asia/Tokyo", "Australia/Sydney")
FEW_HOURS = frozenset(range(36, 42))


def compared(world: World, session: Session, organiser: User) -> None:
    """Fill the course ``compared``: the second proposal leaves more of those far away without a cohort."""
    course = new_course(world, session, organiser, "compared", "Songs from everywhere")
    people = [new_learner(session, course, NAMES[each % 12], each) for each in range(36)]
    for number in range(24):
        given = {"time_zone": AWAY[number % 3], "availability": FEW_HOURS}
        people.append(new_learner(session, course, NAMES[(number * 5) % 12], number, **given))
    first = _proposal(session, course, people, [6] * 9, share=0.62)
    other = [*people[3:36], *people[:3], *people[36:]]
    second = _proposal(session, course, other, [7] * 6, share=0.55)
    old = _proposal(session, course, people, [6] * 9, share=None)
    for run, size, seed, days in ((first, 8, 0, 3), (second, 7, 5, 2), (old, 9, 0, 9)):
        run.parameters = run.parameters | {"size_max": size, "random_state": seed}
        run.random_state, run.created_at = seed, now() - timedelta(days=days)
    running = Run(course_id=course.id, state=RunState.RUNNING, n_learners=60, progress=0.4)
    session.add(running)
    session.flush()
    for name, run in (("one", first), ("two", second), ("old", old), ("running", running)):
        world.words[f"compared-{name}"] = run.key


def _proposal(
    session: Session, course: Course, people: Sequence[Signup], sizes: Sequence[int], share: float | None
) -> Run:
    cohorts, rest = [], list(people)
    for size in sizes:
        cohorts.append(rest[:size])
        rest = rest[size:]
    run = new_proposal(session, course, cohorts, rest)
    for number, cohort in enumerate(run.cohorts):
        _weigh(cohort, number, share)
    return run


def _weigh(cohort: Cohort, number: int, share: float | None) -> None:
    if share is None:
        return
    reached = share - 0.03 * (number % 8)
    most = {"interests": 0.5, "goal": 0.1, "wants and offers": 0.17, "common blocks": 0.15, "size": 0.08}
    values = dict(zip(most, (0.7 * reached, 0.4 * reached, reached / 3, 0.75, 0.9), strict=True))
    cohort.parts = {key: [round(most[key] * value, 4), most[key]] for key, value in values.items()}
    cohort.score = sum(value for value, _most in cohort.parts.values())

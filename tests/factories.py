"""Rows for tests: valid by themselves, every attribute may be given."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import count
from typing import Any

from sqlalchemy.orm import Session

from cohorts.asking import usually_shown
from cohorts.models import (
    Cohort,
    Course,
    CourseOrganiser,
    CourseQuestion,
    CourseState,
    Interest,
    Membership,
    Run,
    RunState,
    Signup,
    SignupState,
    User,
    now,
)
from cohorts.questions import QUESTIONS, CustomQuestion

_numbers = count(1)

MONDAY_EVENING = frozenset(range(36, 42))
"""Monday 18:00 to 21:00."""


def make_user(session: Session, **given: Any) -> User:
    """An organiser."""
    number = next(_numbers)
    user = User(**{"email": f"organiser{number}@example.org", "name": f"Organiser {number}", **given})
    session.add(user)
    session.flush()
    return user


def make_course(session: Session, organiser: User | None = None, **given: Any) -> Course:
    """An open course that asks every question and requires none, owned by ``organiser``."""
    number = next(_numbers)
    defaults = {
        "slug": f"course-{number}",
        "title": f"Course {number}",
        "start": date(2027, 1, 11),
        "state": CourseState.OPEN,
    }
    course = Course(**{**defaults, **given})
    course.questions = [
        CourseQuestion(key=question.key, weight=question.weight, position=position)
        for position, question in enumerate(QUESTIONS.values())
    ]
    session.add(course)
    session.flush()
    if organiser is not None:
        session.add(CourseOrganiser(course_id=course.id, user_id=organiser.id))
        session.flush()
    return course


def make_signup(session: Session, course: Course, interests: tuple[str, ...] = (), **given: Any) -> Signup:
    """A confirmed sign-up of a learner who is free on Monday evenings in UTC."""
    number = next(_numbers)
    defaults = {
        "name": f"Learner {number}",
        "email": f"learner{number}@example.org",
        "time_zone": "UTC",
        "availability": MONDAY_EVENING,
        "languages": ["English"],
        "shown": usually_shown(course),
        "state": SignupState.CONFIRMED,
        "confirmed_at": now(),
    }
    known = {interest.key: interest for interest in course.interests}
    signup = Signup(course=course, **{**defaults, **given})
    for label in interests:
        key = label.casefold()
        if key not in known:
            known[key] = Interest(key=key, label=label)
            course.interests.append(known[key])
        signup.interests.append(known[key])
    session.add(signup)
    session.flush()
    return signup


def make_cohort(session: Session, *members: Signup, **given: Any) -> Cohort:
    """A published cohort that meets on Mondays or Tuesdays at 19:00 in Berlin, since long ago."""
    then = given.pop("at", now() - timedelta(days=365))
    course = given.pop("course", None) or members[0].course
    run = Run(course=course, state=RunState.PUBLISHED, created_at=then, published_at=then)
    run.n_learners = run.n_placed = len(members)
    number = next(_numbers)
    defaults = {
        "name": f"Cohort {number}",
        "position": number,
        "score": 0.5,
        "meetings": [["Europe/Berlin", 38], ["Europe/Berlin", 48 + 38]],
    }
    cohort = Cohort(run=run, **{**defaults, **given})
    cohort.memberships = [Membership(signup=member, since=then) for member in members]
    session.add(cohort)
    session.flush()
    return cohort


def ask(session: Session, course: Course, *questions: CustomQuestion) -> Course:
    """Let a course ask questions of its own, by the keys they have."""
    for question in questions:
        place = len(course.questions)
        row = CourseQuestion(key=question.key, kind=question.kind, position=place)
        for name in ("label", "help", "points", "counts", "weight", "may_mind", "asked", "required"):
            setattr(row, name, getattr(question, name))
        row.options = list(question.options)
        course.questions.append(row)
    session.flush()
    return course

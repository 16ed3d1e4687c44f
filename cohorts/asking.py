"""What a course asks: its own questions, and those whose answer a learner shows to their cohort or not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .questions import QUESTIONS, Counts, CustomQuestion

if TYPE_CHECKING:
    # A file of sign-ups is read without a database; SQLAlchemy takes a third of a second to load.
    from .models import Course


def custom_questions(course: Course) -> list[CustomQuestion]:
    """Return a course's own questions in their order, those that rest among them."""
    return [
        CustomQuestion(
            key=row.key,
            kind=row.kind,
            label=row.label,
            help=row.help,
            options=tuple(row.options),
            points=row.points,
            counts=row.counts or Counts.SHOWN,
            weight=row.weight,
            may_mind=row.may_mind,
            asked=row.asked,
            required=row.required,
        )
        for row in course.questions
        if row.kind is not None
    ]


def choosable(course: Course) -> list[tuple[str, str, bool]]:
    """Return the questions whose answer a learner shows to their cohort or not: key, words, usual choice."""
    asked = {row.key for row in course.questions if row.asked}
    fixed = [
        (key, each.short, each.shown)
        for key, each in QUESTIONS.items()
        if key in asked and each.shown is not None
    ]
    return fixed + [(each.key, each.label, True) for each in custom_questions(course) if each.asked]


def usually_shown(course: Course) -> list[str]:
    """Return the keys of what a cohort sees of somebody who said nothing about it."""
    fixed = [key for key, each in QUESTIONS.items() if each.shown]
    return sorted(fixed + [each.key for each in custom_questions(course)])

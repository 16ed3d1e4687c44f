"""The questions a sign-up form can ask, and how each counts in a match."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Literal

from .language import lazy_gettext as lazy


class Counts(StrEnum):
    """How the answers to a question enter a match."""

    SIMILAR = "similar"
    COMPLEMENTARY = "complementary"
    RULE = "rule"
    SHOWN = "shown"


class Experience(StrEnum):
    """How familiar a learner is with the subject."""

    BEGINNER = "beginner"
    INTERMEDIATE = "intermediate"
    ADVANCED = "advanced"


@dataclass(frozen=True, slots=True)
class Question:
    """A question of the sign-up form.

    Attributes:
        key: Name of the attribute of a sign-up that holds the answer.
        label: The question as a learner reads it.
        counts: How it enters a match; only goals (similar, complementary) have a weight.
        kind: For goals, how answers are compared.
        weight: Default weight, from 0 (not at all) upwards; 1 is usual.
        private: True when only the learner and the matcher ever see the answer.
    """

    key: str
    label: str
    counts: Counts
    kind: Literal["tags", "text", "number", "category"] | None = None
    weight: float = 1.0
    private: bool = False


QUESTIONS: Final = {
    question.key: question
    for question in (
        Question("interests", lazy("What are you interested in?"), Counts.SIMILAR, "tags", 4.0),
        Question("languages", lazy("Which languages can you talk in?"), Counts.RULE),
        # In two open courses people of like experience replied to each other no more often than chance.
        Question(
            "experience", lazy("How familiar are you with the subject?"), Counts.SIMILAR, "category", 0.0
        ),
        Question("hours_per_week", lazy("How many hours a week do you have?"), Counts.SIMILAR, "number", 0.5),
        Question("goal", lazy("What do you want to get out of it?"), Counts.SIMILAR, "text", 0.5),
        Question("can_help_with", lazy("What can you help others with?"), Counts.COMPLEMENTARY, "tags", 0.5),
        Question(
            "wants_help_with", lazy("What would you like help with?"), Counts.COMPLEMENTARY, "tags", 0.5
        ),
        Question("works_with", lazy("Whom do you want to be with?"), Counts.RULE),
        Question("avoids", lazy("Whom do you not want to be with?"), Counts.RULE, private=True),
        Question("convenor", lazy("Would you get the first meeting going?"), Counts.SHOWN),
    )
}
"""Name, e-mail, time zone and availability are always asked; these a course may leave out."""

"""The questions a sign-up form can ask, and how each counts in a match."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Literal

from .language import lazy_gettext as lazy


class Counts(StrEnum):
    """How the answers to a question enter a match."""

    SIMILAR = "similar"
    DIVERSE = "diverse"
    BALANCED = "balanced"
    COMPLEMENTARY = "complementary"
    SAME = "same"
    RULE = "rule"
    SHOWN = "shown"


GOALS: Final = frozenset({Counts.SIMILAR, Counts.DIVERSE, Counts.BALANCED, Counts.COMPLEMENTARY})
"""What makes one cohort better than another, by a weight; the others are rules, or nothing to a match."""

MAX_WEIGHT: Final = 10.0


class Kind(StrEnum):
    """What an answer to a question of a course's own is (see ``cohorts.kinds``)."""

    MANY = "many"
    FAVOURITES = "favourites"
    ONE = "one"
    YES_NO = "yes_no"
    SCALE = "scale"
    RATING = "rating"
    HELP = "help"
    TEXT = "text"


class Experience(StrEnum):
    """How familiar a learner is with the subject."""

    BEGINNER = "beginner"
    INTERMEDIATE = "intermediate"
    ADVANCED = "advanced"


@dataclass(frozen=True, slots=True)
class Question:
    """A question that every course can ask.

    Attributes:
        key: Name of the attribute of a sign-up that holds the answer.
        label: The question as a learner reads it.
        short: The same in a word or two.
        counts: How it enters a match; only goals (similar, complementary) have a weight.
        kind: For goals, how answers are compared.
        weight: Default weight, from 0 (not at all) upwards; 1 is usual.
        private: True when only the learner and the matcher ever see the answer.
        shown: Whether the cohort sees an answer that says nothing else; None where the learner has no choice.
    """

    key: str
    label: str
    short: str
    counts: Counts
    kind: Literal["tags", "text", "number", "category"] | None = None
    weight: float = 1.0
    private: bool = False
    shown: bool | None = False


QUESTIONS: Final = {
    question.key: question
    for question in (
        Question(
            "interests",
            lazy("What are you interested in?"),
            lazy("Interests"),
            Counts.SIMILAR,
            "tags",
            4.0,
            shown=True,
        ),
        Question("languages", lazy("Which languages can you talk in?"), lazy("Languages"), Counts.RULE),
        # In two open courses people of like experience replied to each other no more often than chance.
        Question(
            "experience",
            lazy("How familiar are you with the subject?"),
            lazy("Experience"),
            Counts.SIMILAR,
            "category",
            0.0,
        ),
        Question(
            "hours_per_week",
            lazy("How many hours a week do you have?"),
            lazy("Hours a week"),
            Counts.SIMILAR,
            "number",
            0.5,
        ),
        Question(
            "goal",
            lazy("What do you want to get out of it?"),
            lazy("Goal"),
            Counts.SIMILAR,
            "text",
            0.5,
            shown=True,
        ),
        Question(
            "can_help_with",
            lazy("What can you help others with?"),
            lazy("Can help with"),
            Counts.COMPLEMENTARY,
            "tags",
            0.5,
            shown=True,
        ),
        Question(
            "wants_help_with",
            lazy("What would you like help with?"),
            lazy("Would like help with"),
            Counts.COMPLEMENTARY,
            "tags",
            0.5,
            shown=True,
        ),
        Question(
            "works_with",
            lazy("Whom do you want to be with?"),
            lazy("Wants to be with"),
            Counts.RULE,
            shown=None,
        ),
        Question(
            "avoids",
            lazy("Whom do you not want to be with?"),
            lazy("Does not want to be with"),
            Counts.RULE,
            private=True,
            shown=None,
        ),
        Question(
            "convenor",
            lazy("Would you get the first meeting going?"),
            lazy("Gets the first meeting going"),
            Counts.SHOWN,
            shown=True,
        ),
    )
}
"""Name, e-mail, time zone and availability are always asked; these a course may leave out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomQuestion:
    """A question that one course has thought of itself.

    Attributes:
        key: Its name in files and in what is stored; it never changes. Empty before it is stored.
        kind: What an answer is.
        label: The question as a learner reads it.
        help: A sentence below it.
        options: What can be picked, rated or is suggested; of a scale the words at its two ends.
        points: Steps of a scale or a rating, or how many favourites there is room for.
        counts: How it enters a match.
        weight: How much, where it is a goal.
        may_mind: Whether learners may ask not to be the only one with their answer.
        asked: False for one that rests: its answers stay.
        required: Nobody signs up without an answer.
    """

    key: str = ""
    kind: Kind
    label: str
    help: str = ""
    options: tuple[str, ...] = ()
    points: int = 5
    counts: Counts = Counts.SHOWN
    weight: float = 1.0
    may_mind: bool = False
    asked: bool = True
    required: bool = False

"""What the goals of a match are called: the questions that count, and what else makes a cohort better."""

from __future__ import annotations

from typing import Final

from .asking import custom_questions
from .door import AFFINITY, COMMON_BLOCKS, CONNECTIONS, SIZE, WANTS_AND_OFFERS
from .language import lazy_gettext as lazy
from .models import Course
from .questions import QUESTIONS

_OTHERS: Final = {
    WANTS_AND_OFFERS: lazy("Wants and offers of help"),
    CONNECTIONS: lazy("Earlier connections"),
    AFFINITY: lazy("What members have in common"),
    COMMON_BLOCKS: lazy("Common times"),
    SIZE: lazy("Size near the best"),
}


def labels(course: Course) -> dict[str, str]:
    """Return what to call each goal, by the key that the parts of a score have."""
    asked = {key: str(question.short) for key, question in QUESTIONS.items()}
    own = {each.key: each.label for each in custom_questions(course)}
    return {**asked, **own, **{key: str(label) for key, label in _OTHERS.items()}}

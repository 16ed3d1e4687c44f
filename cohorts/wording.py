"""Answers in words: all of them for whoever gave them, and what they share for their cohort."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from . import kinds
from .asking import custom_questions
from .language import gettext as _
from .language import lazy_gettext as lazy
from .language import number as number_text
from .models import Signup
from .questions import QUESTIONS, Experience

EXPERIENCES: Final = {
    Experience.BEGINNER: lazy("It is new to me"),
    Experience.INTERMEDIATE: lazy("I know the basics"),
    Experience.ADVANCED: lazy("I know it well"),
}


@dataclass(frozen=True, slots=True)
class AnswerInWords:
    """One answer as it is read.

    Attributes:
        key: The question's.
        label: The question.
        short: The question in a word or two; one of a course's own is as it is.
        words: The answer; several for one that is a list, none where there is no answer.
        is_shown: Whether the learner lets their cohort see it.
        is_private: Whether nobody but the learner ever sees it.
    """

    key: str
    label: str
    short: str
    words: list[str]
    is_shown: bool
    is_private: bool = False


def in_words(signup: Signup) -> list[AnswerInWords]:
    """Return every question that a learner's course asks, with their answer."""
    return list(_answers(signup))


def shown_answers(signup: Signup) -> list[AnswerInWords]:
    """Return what a learner chose to share with their cohort, of what their course asks."""
    return [each for each in _answers(signup) if each.is_shown and each.words]


def _answers(signup: Signup) -> Iterator[AnswerInWords]:
    asked = {row.key for row in signup.course.questions if row.asked}
    shown = set(signup.shown)
    for key, question in QUESTIONS.items():
        if key in asked:
            is_shown = key in shown and question.shown is not None and not question.private
            label, short = str(question.label), str(question.short)
            yield AnswerInWords(key, label, short, _words(signup, key), is_shown, question.private)
    for own in custom_questions(signup.course):
        if own.asked:
            found = kinds.words(own, signup.custom.get(own.key))
            yield AnswerInWords(own.key, own.label, own.label, found, own.key in shown)


def _words(signup: Signup, key: str) -> list[str]:
    value = getattr(signup, key)
    if key == "interests":
        return [interest.label for interest in value]
    if key == "experience":
        return [str(EXPERIENCES[value])] if value else []
    if key == "convenor":
        return [_("Yes") if value else _("No")]
    if key == "hours_per_week":
        return [number_text(value)] if value is not None else []
    return list(value) if isinstance(value, list) else [value] if value else []

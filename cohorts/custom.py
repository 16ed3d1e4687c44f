"""A course's own questions: made, changed, put in order and removed by its organisers."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from .answers import FIELDS, Errors
from .asking import custom_questions
from .exceptions import Conflict, InvalidInput, NotFound
from .kinds import CHOICES, KINDS, MAX_LABEL
from .language import gettext as _
from .models import Course, CourseQuestion, Signup
from .questions import GOALS, MAX_WEIGHT, QUESTIONS, CustomQuestion, Kind
from .roster_rows import COLUMNS
from .signups import forget
from .texts import is_plain, once, one_line

MAX_QUESTIONS: Final = 30
MAX_TEXT: Final = 200
MAX_OPTIONS: Final = 100
MAX_KEY: Final = 40

POINTS: Final = {Kind.SCALE: range(2, 11), Kind.RATING: range(2, 11), Kind.FAVOURITES: range(1, 11)}
"""How many steps a scale or a rating can have, and how many favourites there can be room for."""
WITH_OPTIONS: Final = frozenset({Kind.ONE, Kind.RATING})
"""Kinds that make no sense without options."""

_RESERVED: Final = {*FIELDS, *QUESTIONS, *COLUMNS, "new"}
"""Columns of files, and an address beside those of a course's questions."""


def get(course: Course, key: str) -> CustomQuestion:
    """Return one of a course's own questions.

    Raises:
        NotFound: It has none by that key.
    """
    found = next((each for each in custom_questions(course) if each.key == key), None)
    if found is None:
        raise NotFound
    return found


def add(session: Session, course: Course, question: CustomQuestion) -> CustomQuestion:
    """Ask one more question, after the others.

    Raises:
        InvalidInput: Something about it does not fit.
        Conflict: The course asks too many already.
    """
    question = tidied(question)
    if len(custom_questions(course)) >= MAX_QUESTIONS:
        raise Conflict(_("A course has at most %(most)s questions of its own.", most=MAX_QUESTIONS))
    position = max((row.position for row in course.questions), default=0) + 1
    question = replace(question, key=_free_key(course, question.label))
    row = CourseQuestion(course_id=course.id, key=question.key, kind=question.kind, position=position)
    _fill(row, question)
    course.questions.append(row)
    session.flush()
    return question


def change(session: Session, course: Course, question: CustomQuestion) -> None:
    """Change a question; its key and kind stay, and answers that no longer fit are asked for again.

    Raises:
        NotFound: The course has no such question.
        InvalidInput: Something about it does not fit.
    """
    row = _row(course, question.key)
    _fill(row, tidied(replace(question, kind=row.kind or question.kind)))
    session.flush()


def move(session: Session, course: Course, key: str, *, up: bool) -> None:
    """Put a question before or behind its neighbour; at the end nothing happens.

    Raises:
        NotFound: The course has no such question.
    """
    own = [row for row in course.questions if row.kind is not None]
    place = own.index(_row(course, key))
    other = place - 1 if up else place + 1
    if 0 <= other < len(own):
        own[place].position, own[other].position = own[other].position, own[place].position
        session.flush()
        session.expire(course, ["questions"])


def remove(session: Session, course: Course, key: str) -> None:
    """Remove a question and all answers to it.

    Raises:
        NotFound: The course has no such question.
    """
    row = _row(course, key)
    for signup in session.scalars(select(Signup).where(Signup.course_id == course.id)):
        if key in signup.custom or key in signup.not_alone or key in signup.shown:
            forget(signup, key)
    course.questions.remove(row)
    session.flush()


def count_answers(session: Session, course: Course) -> dict[str, int]:
    """Return how many learners have answered each of a course's own questions."""
    keys = [each.key for each in custom_questions(course)]
    answered = [func.count(Signup.custom[key].as_string()) for key in keys]
    counts = session.execute(select(func.count(), *answered).where(Signup.course_id == course.id)).one()
    return dict(zip(keys, counts[1:], strict=True))


def tidied(question: CustomQuestion) -> CustomQuestion:
    """Return a question as it is kept.

    Raises:
        InvalidInput: Something about it does not fit; every field that is wrong is named.
    """
    options = once(one_line(option) for option in question.options)
    if question.kind is Kind.SCALE:
        options = tuple(one_line(option) for option in question.options[:2])
    question = replace(
        question,
        label=one_line(question.label),
        help=one_line(question.help),
        options=options if question.kind not in (Kind.YES_NO, Kind.HELP, Kind.TEXT) else (),
        may_mind=question.may_mind and question.kind in CHOICES,
        asked=question.asked or question.required,
        weight=question.weight if question.counts in GOALS else 0.0,
    )
    errors: Errors = {}
    for field, sentence in _findings(question):
        errors.setdefault(field, []).append(sentence)
    if errors:
        raise InvalidInput(errors)
    return question


def _findings(question: CustomQuestion) -> Iterator[tuple[str, str]]:
    if not question.label:
        yield "label", _("Write the question.")
    for field, text in (("label", question.label), ("help", question.help)):
        if len(text) > MAX_TEXT:
            yield field, _("Use at most %(most)s characters.", most=MAX_TEXT)
        if not is_plain(text):
            yield field, _("This text contains characters that cannot be shown.")
    if question.counts not in KINDS[question.kind].counts:
        yield "counts", _("A question of this kind cannot count in this way.")
    if not 0 <= question.weight <= MAX_WEIGHT:
        yield "weight", _("A weight lies between 0 and %(most)s.", most=f"{MAX_WEIGHT:g}")
    points = POINTS.get(question.kind)
    if points is not None and question.points not in points:
        yield "points", _("Choose a number from %(least)s to %(most)s.", least=points[0], most=points[-1])
    yield from _about_options(question)


def _about_options(question: CustomQuestion) -> Iterator[tuple[str, str]]:
    options = question.options
    if question.kind in WITH_OPTIONS and len(options) < (2 if question.kind is Kind.ONE else 1):
        yield "options", _("Write what there is to choose from, one on each line.")
    if len(options) > MAX_OPTIONS:
        yield "options", _("Give at most %(most)s.", most=MAX_OPTIONS)
    if any(len(option) > MAX_LABEL for option in options):
        yield "options", _("Use at most %(most)s characters for each.", most=MAX_LABEL)
    if not all(map(is_plain, options)) or any(";" in option for option in options):
        yield "options", _("Leave out semicolons and characters that cannot be shown.")


def _row(course: Course, key: str) -> CourseQuestion:
    found = next((row for row in course.questions if row.key == key and row.kind is not None), None)
    if found is None:
        raise NotFound
    return found


def _fill(row: CourseQuestion, question: CustomQuestion) -> None:
    row.label, row.help, row.options = question.label, question.help, list(question.options)
    row.points, row.counts, row.weight = question.points, question.counts, question.weight
    row.may_mind, row.asked, row.required = question.may_mind, question.asked, question.required


def _free_key(course: Course, label: str) -> str:
    """Return the words of a question as a name that no other has, nor any column of a file."""
    plain = unicodedata.normalize("NFKD", label).encode("ascii", "ignore").decode().lower()
    stem = "_".join(re.findall(r"[a-z0-9]+", plain))[:MAX_KEY].strip("_") or "question"
    taken = _RESERVED | {row.key for row in course.questions}
    numbered = (f"{stem}_{number}" for number in range(2, MAX_QUESTIONS + 3))
    return next(key for key in (stem, *numbered) if key not in taken)

"""What predicts connections in a course: asked by a page, worked out by the worker, kept in one row.

A page calls ``ask`` (a POST) and shows ``of_course``; until ``Study.is_ready`` it says that it is being
worked out. Each ``Predictor`` has a name for programs, a label for people and an AUC with its interval: how
often, of a pair that connected and one that did not, the former has more of it; 0.5 is chance. ``verdict``
says it in a sentence, also that something is no better than chance. The names are

- ``same cohort``, ``earlier connection`` (of those who connected in the later half of the time: whether they
  were connected in the earlier one), ``asked for each other`` (when they signed up), ``common hours``,
- ``wants and offers``, and the keys of the questions that have a goal, the course's own among them.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import select, update
from sqlalchemy.orm import Session, selectinload

from . import learning, person_blocks, ties
from .asking import custom_questions
from .database import Database
from .door import WANTS_AND_OFFERS, MatchSettings, Power, Seen, predictive_power
from .exceptions import CohortsError
from .language import gettext as _
from .language import lazy_gettext as lazy
from .language import marked
from .models import Course, Signup, SignupState, Source, TieStudy, now
from .policies import FEW
from .questions import QUESTIONS
from .ties import Tie

SAME_COHORT: Final = "same cohort"
EARLIER: Final = "earlier connection"
ASKED: Final = "asked for each other"
COMMON_HOURS: Final = "common hours"

LABELS: Final = {
    SAME_COHORT: lazy("Having been in one cohort"),
    EARLIER: lazy("Having been connected before"),
    ASKED: lazy("Having asked to be together"),
    COMMON_HOURS: lazy("Common hours"),
    WANTS_AND_OFFERS: lazy("What one wants help with and the other can help with"),
}

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Predictor:
    """One thing that might predict who connects; without numbers there was too little to tell."""

    name: str
    label: str
    auc: float | None = None
    low: float | None = None
    high: float | None = None

    @property
    def is_better(self) -> bool:
        """Whether it predicts connections better than chance."""
        return self.low is not None and self.low > 0.5

    @property
    def is_worse(self) -> bool:
        """Whether those who have it connect less."""
        return self.high is not None and self.high < 0.5

    @property
    def verdict(self) -> str:
        """What that means."""
        if self.auc is None:
            return _("Too few connections to tell.")
        if self.is_better:
            return _("Tells who connects better than chance.")
        if self.is_worse:
            return _("Those who have more of this connect less.")
        return _("Tells who connects no better than chance.")


@dataclass(frozen=True, slots=True)
class Study:
    """What predicts connections in a course, best first, as far as it is worked out.

    ``n_ties`` is None below five.
    """

    is_ready: bool
    asked_at: datetime
    answered_at: datetime | None
    n_ties: int | None
    predictors: list[Predictor]
    trouble: str


def ask(session: Session, course: Course, at: datetime) -> None:
    """Ask the worker what predicts connections; while it is at it, asking again changes nothing."""
    session.refresh(course, ["state"], with_for_update=True)
    found = session.get(TieStudy, course.id)
    if found is None:
        session.add(TieStudy(course_id=course.id, asked_at=at))
    elif found.answered_at is not None:
        found.asked_at, found.answered_at, found.trouble = at, None, ""
    session.flush()


def of_course(session: Session, course: Course) -> Study | None:
    """Return what is known of what predicts connections in a course; None if nobody asked yet.

    While it is worked out anew, what was found before is still there.
    """
    found = session.get(TieStudy, course.id)
    if found is None:
        return None
    labels = _labels(course)
    predictors = [
        Predictor(each["name"], labels.get(each["name"], each["name"]), *(each["auc"] or ()))
        for each in found.powers
    ]
    predictors.sort(key=lambda each: (each.auc is None, -(each.auc or 0.0)))
    is_ready, n_ties = found.answered_at is not None, found.n_ties if found.n_ties >= FEW else None
    return Study(is_ready, found.asked_at, found.answered_at, n_ties, predictors, found.trouble)


def _labels(course: Course) -> dict[str, str]:
    own = {each.key: each.label for each in custom_questions(course)}
    asked = {key: str(question.short) for key, question in QUESTIONS.items()}
    return {**asked, **own, **{key: str(label) for key, label in LABELS.items()}}


def answer_waiting(database: Database) -> int:
    """Work out what predicts connections wherever somebody asked, and return for how many courses."""
    with database.reading() as session:
        waiting = list(session.scalars(select(TieStudy.course_id).where(TieStudy.answered_at.is_(None))))
    for course_id in waiting:
        _answer(database, course_id)
    return len(waiting)


def _answer(database: Database, course_id: int) -> None:
    answer: dict[str, Any] = {}
    try:
        with database.reading() as session:
            course = session.get(Course, course_id)
            if course is None:
                return
            found, n_ties = work_out(session, course, now())
        answer["powers"] = [{"name": each.name, "auc": each.auc} for each in found]
        answer["n_ties"] = n_ties
    except CohortsError as error:
        answer["trouble"] = str(error)
    except Exception:
        _log.exception("what predicts connections in course %d was not worked out", course_id)
        answer["trouble"] = marked("This could not be worked out, by an error of ours, which is noted.")
    with database.transaction() as session:
        mine = update(TieStudy).where(TieStudy.course_id == course_id)
        session.execute(mine.values(answered_at=now(), **answer))


def work_out(session: Session, course: Course, at: datetime) -> tuple[list[Power], int]:
    """Return how well each thing predicts connections, and how many there were to tell from."""
    rows = session.scalars(
        select(Signup)
        .where(Signup.course_id == course.id, Signup.state != SignupState.PENDING)
        .order_by(Signup.id)
        .options(selectinload(Signup.interests))
    ).all()
    answers = person_blocks.answers_with_blocks(session, rows)
    people = [(row.key, given) for row, given in zip(rows, answers, strict=True)]
    keys = {row.id: row.key for row in rows}
    found = ties.of_course(session, course, at)
    made = learning.chosen(found)
    settings = MatchSettings.of_course(course)

    def powers(ends: list[Tie], known: Mapping[str, learning.Pairs]) -> list[Power]:
        seen = Seen(learning.with_keys([(tie.one, tie.two) for tie in ends], keys))
        named = {name: learning.with_keys(pairs, keys) for name, pairs in known.items()}
        return predictive_power(people, settings, seen, named)

    asked = {(tie.one, tie.two) for tie in found if Source.INVITED_BY in tie.sources}
    before, after = _halves(made)
    whole = powers(made, {SAME_COHORT: ties.were_together(session, course), ASKED: asked})
    later = powers(after, {EARLIER: {(tie.one, tie.two) for tie in before}})
    return [*whole, *(each for each in later if each.name == EARLIER)], len(made)


def _halves(made: list[Tie]) -> tuple[list[Tie], list[Tie]]:
    """Return who was connected in the earlier half of the time, and who showed it in the later half."""
    if not made:
        return [], []
    begin, end = min(tie.first for tie in made), max(tie.last for tie in made)
    middle = begin + (end - begin) / 2
    return [tie for tie in made if tie.first <= middle], [tie for tie in made if tie.last > middle]

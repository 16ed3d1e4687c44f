"""Learning from connections: which of a course's questions tell who connects, for its next match.

Asked is: of those who were in one cohort, and so had the chance, who connected? Where too few did, or too
few did not, it is anybody who connected, within cohorts and across them, against pairs of the same people
put together at random. What is learnt is used only if it predicts connections it was not learnt from better
than the organiser's weights do; either way the run says so.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy.orm import Session

from . import door, ties
from .answers import Answers
from .door import MatchSettings, Seen
from .models import Course, Source
from .ties import Tie

TELLING: Final = frozenset({Source.TALKED_WITH, Source.GO_ON_WITH, Source.IMPORTED, Source.API})
"""Sources that tell of a choice; to have sat in one meeting is none, and a wish at sign-up comes before."""

LEAST: Final = 30
"""With fewer pairs of a sort nothing is learnt (as in the matcher)."""

Pairs = Collection[tuple[int, int]]


def chosen(found: Iterable[Tie]) -> list[Tie]:
    """Return the ties that somebody made by what they said or did."""
    return [tie for tie in found if tie.sources & TELLING]


def with_keys(pairs: Pairs, keys: Mapping[int, str]) -> list[tuple[str, str]]:
    """Return pairs of ids as pairs of the keys of those who are there."""
    return [(keys[one], keys[two]) for one, two in pairs if one in keys and two in keys]


def seen(session: Session, course: Course, keys: Mapping[int, str], at: datetime) -> Seen:
    """Return what there is to learn from about some people, told by the ids and keys of their sign-ups."""
    connected = {(tie.one, tie.two) for tie in chosen(ties.of_course(session, course, at))}
    together = ties.were_together(session, course)
    within = with_keys(connected & together, keys)
    could_have = with_keys(together, keys)
    if min(len(within), len(could_have) - len(within)) >= LEAST:
        return Seen(within, could_have)
    return Seen(with_keys(connected, keys))


class _StoppedError(Exception):
    """Nobody waits for what would be learnt any more."""


def learn(
    people: Sequence[tuple[str, Answers]],
    settings: MatchSettings,
    what: Seen,
    should_stop: Callable[[], bool] = lambda: False,
) -> tuple[MatchSettings, dict[str, Any] | None]:
    """Return the settings to match with, and what is kept with the run about how they came about.

    Kept are the fields of ``door.Lesson``, with ``chosen`` for the weights as they were before. If it should
    stop, nothing is learnt.
    """
    if not what.connected:
        return settings, None

    def tick() -> None:
        if should_stop():
            raise _StoppedError

    try:
        lesson = door.learn(people, settings, what, tick)
    except _StoppedError:
        return settings, None
    kept = asdict(lesson) | {"chosen": dict(settings.weights)}
    return replace(settings, weights=lesson.weights), kept


def unlearnt(settings: MatchSettings, learnt: Mapping[str, Any] | None) -> MatchSettings:
    """Return the settings of a run with the weights that were chosen for it, whatever it learnt."""
    return settings if learnt is None else replace(settings, weights=learnt["chosen"])

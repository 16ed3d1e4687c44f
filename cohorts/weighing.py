"""Weighing: what a change by hand would do to the cohorts it touches, before anybody makes it.

The web process has no matcher. It asks by a row, the worker answers in it within moments, and what is
then changed takes its figures from that row: so every change is scored before it is saved.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Self

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session, selectinload

from . import breaks, person_blocks
from .asking import custom_questions
from .database import Database
from .door import MatchSettings, Scales
from .exceptions import CohortsError, NotFound
from .language import Sentence, marked
from .models import Adjustment, Cohort, PersonBlock, Run, Seat, Signup, Weighing, now

MOST_EFFECTS: Final = 60
"""So many of the changes that are possible are told, the best first."""
MOST_SCALES: Final = 3
LIFETIME: Final = timedelta(hours=6)

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Figures:
    """A cohort as it is or would be: who is in it, by the ids of their sign-ups, and what it is worth.

    What is said about it and what each goal adds to its score is told of a cohort after a change alone.
    """

    members: list[int]
    score: float
    worth: float
    meetings: list[list[Any]]
    broken: list[str]
    reasons: list[Sentence]
    parts: dict[str, list[float]] | None = None


@dataclass(frozen=True, slots=True)
class Touched:
    """A cohort before a change and after it."""

    cohort_id: int
    before: Figures
    after: Figures

    @property
    def new_breaks(self) -> list[str]:
        """The rules that hold before the change and not after it."""
        return [rule for rule in self.after.broken if rule not in self.before.broken]


@dataclass(frozen=True, slots=True)
class Effect:
    """What a change would do: the learner sits in ``to_id`` then, and ``swap_id`` in their old seat."""

    to_id: int | None
    swap_id: int | None
    touched: list[Touched]

    @property
    def gain(self) -> float:
        """What all cohorts together are worth more."""
        return sum(each.after.worth - each.before.worth for each in self.touched)

    @property
    def new_breaks(self) -> list[str]:
        """The rules that this change would break."""
        return list(dict.fromkeys(rule for each in self.touched for rule in each.new_breaks))

    @property
    def is_possible(self) -> bool:
        """Whether an organiser may make this change at all."""
        return breaks.may_set_aside(self.new_breaks)

    @classmethod
    def from_json(cls, kept: dict[str, Any]) -> Self:
        """Return an effect that was kept with a weighing."""
        touched = [
            Touched(each["cohort_id"], Figures(**each["before"]), Figures(**each["after"]))
            for each in kept["touched"]
        ]
        return cls(kept["to_id"], kept["swap_id"], touched)


def version(session: Session, run: Run) -> int:
    """Return the version of a board: how often it has been changed."""
    return session.scalar(select(func.max(Adjustment.number)).where(Adjustment.run_id == run.id)) or 0


def ask(session: Session, run: Run, signup_key: str, cohort_key: str, at: datetime) -> Weighing:
    """Ask where else a learner of a run could sit; a cohort narrows it down to that one.

    The same question about the same version is asked once.

    Raises:
        NotFound: The learner has no seat in this run, or the cohort is another's.
    """
    signup = session.scalar(
        select(Signup)
        .join(Seat, Seat.signup_id == Signup.id)
        .where(Seat.run_id == run.id, Signup.key == signup_key)
    )
    cohort = session.scalar(select(Cohort).where(Cohort.run_id == run.id, Cohort.key == cohort_key))
    if signup is None or (cohort_key and cohort is None):
        raise NotFound
    wanted = {
        "run_id": run.id,
        "version": version(session, run),
        "signup_id": signup.id,
        "cohort_id": cohort.id if cohort else None,
    }
    same = session.scalar(
        select(Weighing)
        .filter_by(**wanted)
        .where(Weighing.asked_at > at - LIFETIME / 2, Weighing.trouble == "")
    )
    if same is not None:
        return same
    found = Weighing(**wanted, asked_at=at)
    session.add(found)
    session.flush()
    return found


def get(session: Session, run: Run, key: str) -> Weighing:
    """Return a weighing of a run.

    Raises:
        NotFound: There is none, or it has expired.
    """
    found = session.scalar(select(Weighing).where(Weighing.run_id == run.id, Weighing.key == key))
    if found is None:
        raise NotFound
    return found


def effects(weighing: Weighing) -> list[Effect]:
    """Return what was weighed, the best change first."""
    return [Effect.from_json(each) for each in weighing.effects]


def waiting(session: Session) -> list[int]:
    """Return the ids of the weighings that nobody has answered, oldest first."""
    return list(
        session.scalars(select(Weighing.id).where(Weighing.weighed_at.is_(None)).order_by(Weighing.id))
    )


def expire(session: Session, at: datetime) -> None:
    """Forget what was weighed long ago."""
    session.execute(delete(Weighing).where(Weighing.asked_at < at - LIFETIME))


class Weigher:
    """Answers weighings; keeps the scales of the runs that were asked about last."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._scales: dict[int, tuple[object, Scales]] = {}

    def weigh_waiting(self) -> int:
        """Answer all that wait, and return how many."""
        with self._database.reading() as session:
            found = waiting(session)
        for weighing_id in found:
            self.weigh(weighing_id)
        return len(found)

    def weigh(self, weighing_id: int) -> None:
        """Answer one weighing; what goes wrong is told in it."""
        answer: dict[str, Any] = {}
        try:
            with self._database.reading() as session:
                weighing = session.get(Weighing, weighing_id)
                if weighing is None or weighing.weighed_at is not None:
                    return
                answer["effects"] = [asdict(each) for each in self.effects(session, weighing)]
        except CohortsError as error:
            answer["trouble"] = str(error)
        except Exception:
            _log.exception("weighing %d failed", weighing_id)
            answer["trouble"] = marked("This could not be worked out, by an error of ours, which is noted.")
        with self._database.transaction() as session:
            session.execute(
                update(Weighing).where(Weighing.id == weighing_id).values(weighed_at=now(), **answer)
            )

    def effects(self, session: Session, weighing: Weighing) -> list[Effect]:
        """Work out what a weighing asks for, the best change first."""
        board = _Board(session, weighing.run, self._scales_of(session, weighing.run))
        wanted = weighing.cohort_id
        if wanted is None:
            found = list(board.moves(weighing.signup_id))
            found.sort(key=lambda each: (bool(each.new_breaks), not each.is_possible, -each.gain))
            found = found[:MOST_EFFECTS]
        else:
            swaps = sorted(
                board.swaps(weighing.signup_id, wanted), key=lambda each: (bool(each.new_breaks), -each.gain)
            )
            found = [*board.moves(weighing.signup_id, [wanted]), *swaps]
        return [board.with_reasons(each) for each in found]

    def _scales_of(self, session: Session, run: Run) -> Scales:
        """Return the scales of a run, made anew when an answer has changed since."""
        state = _state(session, run)
        kept = self._scales.pop(run.id, None)
        scales = kept[1] if kept is not None and kept[0] == state else _scales(session, run)
        self._scales[run.id] = state, scales  # the one used last comes last
        while len(self._scales) > MOST_SCALES:
            del self._scales[next(iter(self._scales))]
        return scales


def _state(session: Session, run: Run) -> tuple[Any, ...]:
    """Return what differs whenever an answer of a learner of a run does."""
    seated = select(Seat.signup_id).where(Seat.run_id == run.id)
    people = session.execute(
        select(func.count(), func.max(Signup.updated_at)).where(Signup.id.in_(seated))
    ).one()
    blocked = session.execute(select(func.count(), func.max(PersonBlock.id))).one()
    return (*people, *blocked)


def _scales(session: Session, run: Run) -> Scales:
    seated = select(Seat.signup_id).where(Seat.run_id == run.id)
    rows = session.scalars(
        select(Signup)
        .where(Signup.id.in_(seated))
        .order_by(Signup.id)
        .options(selectinload(Signup.interests))
    ).all()
    answers = person_blocks.answers_with_blocks(session, rows)
    people = [(row.id, row.key, given) for row, given in zip(rows, answers, strict=True)]
    return Scales(people, MatchSettings.from_json(run.parameters))


class _Board:
    """Who sits where in a proposal, and what a change would do to it."""

    def __init__(self, session: Session, run: Run, scales: Scales) -> None:
        self._scales = scales
        self._labels = {each.key: each.label for each in custom_questions(run.course)}
        asynchronous = MatchSettings.from_json(run.parameters).asynchronous
        cohorts = session.execute(
            select(Cohort.id, Cohort.meetings, Cohort.set_aside).where(Cohort.run_id == run.id)
        ).all()
        # Those that a match left without a meeting need none; those that lost theirs by hand do.
        self._without = {
            row.id for row in cohorts if asynchronous and not row.meetings and "meeting" not in row.set_aside
        }
        self._members: dict[int | None, list[int]] = defaultdict(list, {row.id: [] for row in cohorts})
        self._home: dict[int, int | None] = {}
        for signup_id, cohort_id in session.execute(
            select(Seat.signup_id, Seat.cohort_id).where(Seat.run_id == run.id).order_by(Seat.signup_id)
        ):
            self._members[cohort_id].append(signup_id)
            self._home[signup_id] = cohort_id
        self._known: dict[tuple[int, tuple[int, ...]], Figures] = {}

    def moves(self, learner: int, to: Sequence[int | None] = ()) -> Iterator[Effect]:
        """Move a learner to each of some cohorts; usually to all others, and to none."""
        home = self._home[learner]
        for there in to or self._members:
            if there != home:
                yield Effect(there, None, self._touched({home: (learner, None), there: (None, learner)}))
        if not to and home is not None and None not in self._members:
            yield Effect(None, None, self._touched({home: (learner, None)}))

    def swaps(self, learner: int, there: int) -> Iterator[Effect]:
        """Let a learner change places with each member of a cohort."""
        home = self._home[learner]
        if home == there:
            return
        for other in self._members[there]:
            yield Effect(there, other, self._touched({home: (learner, other), there: (other, learner)}))

    def with_reasons(self, effect: Effect) -> Effect:
        """Add what is said about the cohorts after a change."""
        touched = []
        for each in effect.touched:
            members, asynchronous = each.after.members, each.cohort_id in self._without
            after = asdict(each.after) | {
                "reasons": self._scales.reasons(members, self._labels, asynchronous=asynchronous),
                "parts": self._scales.parts(members, asynchronous=asynchronous),
            }
            touched.append(Touched(each.cohort_id, each.before, Figures(**after)))
        return Effect(effect.to_id, effect.swap_id, touched)

    def _touched(self, changes: dict[int | None, tuple[int | None, int | None]]) -> list[Touched]:
        found = []
        for cohort_id, (leaves, comes) in changes.items():
            if cohort_id is None:
                continue
            before = self._members[cohort_id]
            after = [each for each in before if each != leaves]
            after = after if comes is None else sorted([*after, comes])
            found.append(Touched(cohort_id, self._weigh(cohort_id, before), self._weigh(cohort_id, after)))
        return found

    def _weigh(self, cohort_id: int, members: Sequence[int]) -> Figures:
        known = (cohort_id, tuple(members))
        if known not in self._known:
            found = self._scales.weigh(members, asynchronous=cohort_id in self._without)
            self._known[known] = Figures(
                list(members), found.score, found.worth, found.meetings, breaks.told(found.broken), []
            )
        return self._known[known]

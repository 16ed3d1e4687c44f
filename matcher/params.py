"""What the organiser chose: sizes, the meeting, the course's weeks, the weights and the limits."""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass
from typing import Literal

from matcher.exceptions import InvalidParams
from matcher.pool import SLOT_MINUTES, SLOTS_A_WEEK

KINDS = ("tags", "text", "number", "category", "ratings", "help")
GOALS = ("similar", "diverse", "balanced", "complementary")

WEIGHTS = (
    "complement_weight",
    "connections_weight",
    "common_blocks_weight",
    "size_weight",
    "worst_off_weight",
)


@dataclass(frozen=True, slots=True)
class Question:
    """One question whose answers bring learners together (`similar`), mix them (`diverse`), are spread so
    that every cohort looks like the pool (`balanced`; numbers and categories alone) or bring wants to offers
    (`complementary`; help alone).

    `weight` is relative to the other questions; 0 leaves the question out.

    Raises:
        InvalidParams: an unknown kind or goal, or a weight that is negative or not a number.
    """

    key: str
    kind: Literal["tags", "text", "number", "category", "ratings", "help"]
    goal: Literal["similar", "diverse", "balanced", "complementary"] = "similar"
    weight: float = 1.0

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise InvalidParams(
                f"question {self.key}: kind must be one of {', '.join(KINDS)}, not {self.kind!r}"
            )
        if self.goal not in GOALS:
            raise InvalidParams(
                f"question {self.key}: goal must be one of {', '.join(GOALS)}, not {self.goal!r}"
            )
        if self.goal == "balanced" and self.kind not in ("number", "category"):
            raise InvalidParams(f"question {self.key}: only numbers and categories can be balanced")
        if (self.goal == "complementary") != (self.kind == "help"):
            raise InvalidParams(f"question {self.key}: help is complementary, and nothing else is")
        _check_weight(f"question {self.key}: weight", self.weight)


@dataclass(frozen=True, slots=True, kw_only=True)
class Params:
    """The rules' figures, the goals' weights and the limits of one match.

    `start` is any day of the course's first week, `meeting_minutes` is rounded up to half hours. The
    weights of common blocks, size and the worst-off are relative to affinity, which weighs 1;
    `complement_weight` and `connections_weight` are relative to those of the questions. All members of a
    cohort share an answer to each of the choice questions `same`. A member meets at
    most `max_past_mates` people again, and at most `max_simultaneous` cohorts meet at one time (None: any
    number). `asynchronous` gives those whose hours fit nobody's a cohort without a meeting. People whose
    wishes contradict each other make the match refuse (`on_conflict`), or are left unplaced.
    `time_limit` is in seconds for the whole match; None means one that grows with the pool (see
    `seconds_allowed`).

    Raises:
        InvalidParams: a value is out of its range or two do not go together.
    """

    start: dt.date
    weeks: int = 8
    size_min: int = 4
    size_max: int = 8
    target_size: int = 6
    meeting_minutes: int = 90
    questions: tuple[Question, ...] = ()
    same: tuple[str, ...] = ()
    complement_weight: float = 1.0
    common_blocks_weight: float = 0.2
    size_weight: float = 0.1
    worst_off_weight: float = 0.1
    connections_weight: float = 1.0
    convenor_required: bool = False
    max_past_mates: int = 0
    max_simultaneous: int | None = None
    asynchronous: bool = False
    on_conflict: Literal["refuse", "unplace"] = "refuse"
    time_limit: float | None = None
    random_state: int = 0
    n_jobs: int = 1

    def __post_init__(self) -> None:
        object.__setattr__(self, "questions", tuple(self.questions))
        object.__setattr__(self, "same", tuple(dict.fromkeys(self.same)))
        self._check_sizes()
        self._check_course()
        for name in WEIGHTS:
            _check_weight(name, getattr(self, name))
        if self.worst_off_weight > 1:
            raise InvalidParams(f"worst_off_weight must be between 0 and 1, not {self.worst_off_weight}")
        keys = [question.key for question in self.questions]
        if len(keys) != len(set(keys)):
            raise InvalidParams("questions: a key is there twice; keys must be unique")
        if self.time_limit is not None and not 0 < self.time_limit < math.inf:
            raise InvalidParams(f"time_limit must be more than 0 seconds, not {self.time_limit}")
        if self.random_state < 0:
            raise InvalidParams(f"random_state must not be negative, not {self.random_state}")
        if self.max_past_mates < 0:
            raise InvalidParams(f"max_past_mates must not be negative, not {self.max_past_mates}")
        if self.max_simultaneous is not None and self.max_simultaneous < 1:
            raise InvalidParams(f"max_simultaneous must be 1 or more, not {self.max_simultaneous}")
        if self.on_conflict not in ("refuse", "unplace"):
            raise InvalidParams(f"on_conflict must be refuse or unplace, not {self.on_conflict!r}")
        if self.n_jobs < 1:
            raise InvalidParams(f"n_jobs must be 1 or more, not {self.n_jobs}")

    def _check_sizes(self) -> None:
        if not 2 <= self.size_min <= self.target_size <= self.size_max <= 64:
            raise InvalidParams(
                "sizes must keep 2 <= size_min <= target_size <= size_max <= 64, "
                f"not {self.size_min}, {self.target_size}, {self.size_max}"
            )

    def _check_course(self) -> None:
        if isinstance(self.start, dt.datetime) or not isinstance(self.start, dt.date):
            raise InvalidParams(f"start must be a date, not {self.start!r}")
        if not 1 <= self.weeks <= 104:
            raise InvalidParams(f"weeks must be between 1 and 104, not {self.weeks}")
        if not 1 <= self.meeting_minutes <= 24 * 60:
            raise InvalidParams(f"meeting_minutes must be between 1 and 1440, not {self.meeting_minutes}")

    @property
    def first_monday(self) -> dt.date:
        """The Monday of the week that `start` lies in."""
        return self.start - dt.timedelta(days=self.start.weekday())

    @property
    def block_slots(self) -> int:
        """How many half-hour slots a meeting takes."""
        return -(-self.meeting_minutes // SLOT_MINUTES)

    def seconds_allowed(self, n_learners: int) -> float:
        """The time limit, or when none is given one that suits the pool: a minute for 1,000 to 5,000 (most
        need far less).
        """
        if self.time_limit is not None:
            return self.time_limit
        return 30.0 + min(n_learners, 1_000) * 0.03 + max(0, n_learners - 5_000) * 0.012


def _check_weight(name: str, weight: float) -> None:
    if not 0 <= weight < math.inf:
        raise InvalidParams(f"{name} must be 0 or more, not {weight}")


def clock(slot: int) -> str:
    """A slot of the week as a person reads it: 0 is `Monday 00:00`."""
    days = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
    day, rest = divmod(slot % SLOTS_A_WEEK, 48)
    return f"{days[day]} {rest // 2:02d}:{rest % 2 * SLOT_MINUTES:02d}"

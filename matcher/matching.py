"""The result of a match; it refuses values that cannot be."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from matcher.exceptions import MatcherError
from matcher.params import Params
from matcher.pool import SLOTS_A_WEEK, Pool
from matcher.said import Said


@dataclass(frozen=True, slots=True)
class Meeting:
    """A block that all members can make in every week of the course.

    `slot` is its start in the wall-clock week of `zone` (an IANA key, a member's own, or "UTC"), 0..335.
    `if_needed_count` members gave one of its slots as if-needed only; `humane_count` members have it
    between 8:00 and 22:00 of their own day throughout.
    """

    zone: str
    slot: int
    if_needed_count: int = 0
    humane_count: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.slot < SLOTS_A_WEEK:
            raise MatcherError(f"a meeting's slot must be from 0 to {SLOTS_A_WEEK - 1}, not {self.slot}")


@dataclass(frozen=True, slots=True)
class Share:
    """What one goal adds to the score of a cohort, `value`, and the `most` that it could add.

    A goal is a question, by its key, or another one of `matcher.shares`.
    """

    goal: str
    value: float
    most: float


@dataclass(frozen=True, slots=True)
class CohortResult:
    """One cohort: indices into the pool, its score (0..1, see `matcher.score`), its blocks, best first,
    and why.

    `own_scores` says what the cohort is worth to each member: its score with the member's own mean
    affinity to the others in the place of the cohort's. Where the organiser limits how many cohorts meet at
    one time, `meetings` holds the one block that is kept for this cohort. An `asynchronous` cohort has
    none. `shares` says what each goal adds to the score; they add up to it.
    """

    members: tuple[int, ...]
    score: float
    meetings: tuple[Meeting, ...]
    reasons: tuple[Said, ...] = ()
    own_scores: tuple[float, ...] = ()
    asynchronous: bool = False
    shares: tuple[Share, ...] = ()

    def __post_init__(self) -> None:
        if not self.members or len(set(self.members)) != len(self.members):
            raise MatcherError(f"a cohort must have members, each once, not {self.members}")
        if not -1e-6 <= self.score <= 1 + 1e-6:
            raise MatcherError(f"a cohort's score must be between 0 and 1, not {self.score}")
        if self.own_scores and len(self.own_scores) != len(self.members):
            raise MatcherError(f"the cohort {self.members} has {len(self.own_scores)} own scores")
        if not self.meetings and not self.asynchronous:
            raise MatcherError(f"the cohort {self.members} has no meeting")
        if self.meetings and self.asynchronous:
            raise MatcherError(f"the cohort {self.members} is asynchronous and has a meeting")


@dataclass(frozen=True, slots=True)
class Unplaced:
    """A learner without a cohort, with a reason they can read and, when any are known, the changes each of
    which would place them, the smallest first: in their own answers, then in the rules. `size_max` is the
    least largest size with which some cohort could take them, if size alone keeps them out; `language` says
    that the languages they speak keep them out.
    """

    learner: int
    reason: Said
    remedies: tuple[Said, ...] = ()
    size_max: int | None = None
    language: bool = False

    @property
    def remedy(self) -> Said | None:
        """The smallest change that is known."""
        return self.remedies[0] if self.remedies else None


@dataclass(frozen=True, slots=True)
class LearnerReason:
    """Why a learner sits where they do, in words that give no other person's answers away.

    `own_score` is what their cohort is worth to them (0..1). `second` is the cohort (its place) that would
    have been next for them, None when no other could take them even with a seat more; there it would be
    worth `difference` more to them, or less when negative, and `why_not` says why they are not there.
    """

    own_score: float
    shared: tuple[str, ...]
    second: int | None = None
    difference: float | None = None
    why_not: str = ""


@dataclass(frozen=True, slots=True)
class CohortCheck:
    """What a hand-made cohort is worth: score (0..1), all common blocks, and each broken rule in words.

    `rules` names the rules that are broken, each once, without saying by whom.
    """

    members: tuple[int, ...]
    score: float
    meetings: tuple[Meeting, ...]
    broken: tuple[str, ...]
    rules: tuple[str, ...] = ()


@dataclass(frozen=True)
class Matching:
    """The cohorts of a pool.

    `labels` is (n_learners,), the place in `cohorts` of each learner's cohort or -1. `objective` is the
    sum of the cohorts' worths; no matching that keeps the rules can pass `bound`; `gap` is their
    distance as a share of the bound. Where there are asynchronous cohorts, the bound is that of the cohorts
    that meet and that of the asynchronous cohorts of those whom these leave, added up. `rules` counts, for
    each rule, how often it is broken: always 0, or the matching would not exist.
    """

    pool: Pool
    params: Params
    labels: NDArray[np.int64]
    cohorts: tuple[CohortResult, ...]
    unplaced: tuple[Unplaced, ...]
    objective: float
    bound: float | None = None
    gap: float | None = None
    seconds: float = 0.0
    rules: Mapping[str, int] = field(default_factory=dict)
    stopped: bool = False

    def __post_init__(self) -> None:
        expected = np.full(len(self.pool), -1, dtype=np.int64)
        for label, cohort in enumerate(self.cohorts):
            members = list(cohort.members)
            if not all(0 <= i < len(self.pool) for i in members) or (expected[members] >= 0).any():
                raise MatcherError(f"cohort {label} names a learner who is not there or has another cohort")
            expected[members] = label
        if self.labels.shape != expected.shape or not (self.labels == expected).all():
            raise MatcherError("labels do not say what cohorts say")
        if sorted(one.learner for one in self.unplaced) != np.flatnonzero(expected < 0).tolist():
            raise MatcherError("unplaced must name exactly those who have no cohort")
        if not math.isfinite(self.objective) or (
            self.bound is not None and self.bound < self.objective - 1e-6
        ):
            raise MatcherError(f"an objective of {self.objective} cannot be, with a bound of {self.bound}")
        if any(self.rules.values()):
            raise MatcherError(f"rules are broken: {dict(self.rules)}")

    @property
    def n_placed(self) -> int:
        """How many learners have a cohort."""
        return int((self.labels >= 0).sum())

    @cached_property
    def own_scores(self) -> NDArray[np.float64]:
        """(n_placed,) what each placed learner's cohort is worth to them, cohort after cohort.

        The score of a cohort speaks for its average member; this one does not hide, behind people who
        have much in common, the one who has little with them.
        """
        found = [own for c in self.cohorts for own in c.own_scores or (c.score,) * len(c.members)]
        return np.array(found, dtype=np.float64)

    @property
    def mean_score(self) -> float:
        """The mean over placed learners of what their cohort is worth to them, 0 when nobody is placed."""
        return float(self.own_scores.mean()) if self.n_placed else 0.0

    @property
    def p10_score(self) -> float:
        """What one placed learner in ten does not pass, 0 when nobody is placed."""
        return float(np.quantile(self.own_scores, 0.1)) if self.n_placed else 0.0

    @property
    def min_score(self) -> float:
        """What the cohort is worth to the learner worst off among those placed, 0 when nobody is."""
        return float(self.own_scores.min()) if self.n_placed else 0.0

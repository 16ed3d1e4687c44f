"""Fairness: whether some part of the world, or those who offer few hours, get the leftovers of a proposal.

People are told apart in bands: by where the clock stands at them when the course starts, and by how many
hours of a week they offer. Of each band is told what share has a cohort, and for those who have one its mean
score and how many times suit all its members. No band of fewer than `policies.FEW` people stands by itself:
the smallest are put together until there are enough.

Whether a band gets less than the others is tested, so that nobody reads a pattern into chance:

- that fewer have a cohort, by Fisher's exact test (one-sided: the tail of the hypergeometric distribution);
- that scores are lower, or common times fewer, by a permutation test that deals out the cohorts' own figures
  to the cohorts at random. Whole cohorts are dealt, never persons: the members of one share a figure, and
  counting each as evidence of its own would find differences where there are none.

As several bands are asked about at once, Holm's method (1979) keeps the chance of a single false alarm in a
column of a table below `ALARM`. All this assumes that people are without a cohort independently of each
other, which those who asked to be together are not; a figure just below the limit is worth little.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, time
from itertools import pairwise
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln, logsumexp
from sqlalchemy import String, select, type_coerce
from sqlalchemy.orm import Session

from .language import gettext as _
from .language import lazy_gettext as lazy
from .models import Cohort, Course, Run, Seat, Signup
from .policies import FEW
from .trends import HOURS

ALARM: Final = 0.05
N_DEALS: Final = 999
KINDS: Final = ("placed", "score", "times")
"""What a band can have less of."""

_EDGES: Final = (-390, -90, 150, 360, 555)
"""Where the world is cut, in minutes ahead of UTC; between clocks that people have."""
_WORLD: Final = (
    lazy("The Pacific coast of the Americas and Hawaii (up to UTC−7)"),
    lazy("The rest of the Americas (UTC−6 to UTC−2)"),
    lazy("Europe, West and southern Africa (UTC−1 to UTC+2)"),
    lazy("East Africa, the Middle East and South Asia (UTC+3 to UTC+5:45)"),
    lazy("East and Southeast Asia (UTC+6 to UTC+9)"),
    lazy("Eastern Australia and the Pacific (from UTC+9:30)"),
)


@dataclass(frozen=True, slots=True)
class Band:
    """Some people of a proposal.

    Attributes:
        labels: What they are, one or several bands that were put together.
        n: How many they are.
        placed: Which share of them has a cohort.
        score: The mean score of the cohorts of those who have one; None where fewer than five do.
        times: How many times suit all members of those cohorts, in the middle; None likewise.
        less: What they have less of than the others, beyond chance: "placed", "score", "times".
    """

    labels: tuple[str, ...]
    n: int
    placed: float
    score: float | None
    times: float | None
    less: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Table:
    """All bands of one kind, in their order.

    Attributes:
        bands: The bands.
        whole: All people as one.
    """

    bands: list[Band]
    whole: Band

    @property
    def can_tell(self) -> bool:
        """Whether there is anything to compare."""
        return len(self.bands) > 1

    @property
    def worse(self) -> list[Band]:
        """Return the bands that have less of something."""
        return [each for each in self.bands if each.less]


@dataclass(frozen=True, slots=True)
class Fairness:
    """A proposal by part of the world and by hours offered; None for a table without enough people."""

    world: Table | None
    hours: Table | None


@dataclass(frozen=True, slots=True)
class _Person:
    home: int | None
    offset: int
    hours: float


@dataclass(slots=True)
class _Group:
    """People of some bands: how many, and how many of them sit in each cohort, by its number."""

    first: int
    labels: list[str]
    n: int = 0
    seats: dict[int, int] = field(default_factory=lambda: defaultdict(int))

    @property
    def n_placed(self) -> int:
        return sum(self.seats.values())

    def add(self, other: _Group) -> None:
        """Take in the people of another group."""
        self.labels += other.labels
        self.n += other.n
        for home, count in other.seats.items():
            self.seats[home] += count


def of_run(session: Session, course: Course, run: Run) -> Fairness:
    """Look at a proposal by part of the world and by hours offered, in two queries."""
    cohorts = session.execute(
        select(Cohort.id, Cohort.score, Cohort.meetings).where(Cohort.run_id == run.id).order_by(Cohort.id)
    ).all()
    place = {row.id: number for number, row in enumerate(cohorts)}
    figures = np.array([[row.score, len(row.meetings)] for row in cohorts], dtype=np.float64).reshape(-1, 2)
    rows = session.execute(
        # Counting the bits of a week is a hundred times quicker than reading its slots.
        select(Seat.cohort_id, Signup.time_zone, type_coerce(Signup.availability, String).label("week"))
        .join(Signup, Signup.id == Seat.signup_id)
        .where(Seat.run_id == run.id)
    ).all()
    noon = datetime.combine(course.start, time(12))
    ahead = {zone: _minutes_ahead(noon, zone) for zone in {row.time_zone for row in rows}}
    everybody = [
        _Person(
            None if row.cohort_id is None else place[row.cohort_id],
            ahead[row.time_zone],
            int(row.week, 16).bit_count() / 2,
        )
        for row in rows
    ]
    return Fairness(
        _table(everybody, figures, [str(each) for each in _WORLD], lambda one: _band(one.offset, _EDGES)),
        _table(everybody, figures, hour_labels(), lambda one: _band(one.hours, HOURS)),
    )


def hour_labels() -> list[str]:
    """Return what the ranges of hours offered are called."""
    between = [_("%(low)s up to %(high)s hours", low=low, high=high) for low, high in pairwise(HOURS)]
    return [
        _("fewer than %(high)s hours", high=HOURS[0]),
        *between,
        _("%(low)s hours or more", low=HOURS[-1]),
    ]


def _minutes_ahead(noon: datetime, zone: str) -> int:
    offset = noon.replace(tzinfo=ZoneInfo(zone)).utcoffset()
    return int(offset.total_seconds() // 60) if offset is not None else 0


def _band(value: float, edges: Sequence[float]) -> int:
    return sum(value >= edge for edge in edges)


def _table(
    everybody: Sequence[_Person],
    figures: NDArray[np.float64],
    labels: Sequence[str],
    band_of: Callable[[_Person], int],
) -> Table | None:
    if len(everybody) < FEW:
        return None
    groups = {number: _Group(number, [label]) for number, label in enumerate(labels)}
    for one in everybody:
        group = groups[band_of(one)]
        group.n += 1
        if one.home is not None:
            group.seats[one.home] += 1
    told = pooled([group for group in groups.values() if group.n])
    seats = np.zeros((len(told), len(figures)))
    for number, group in enumerate(told):
        seats[number, list(group.seats)] = list(group.seats.values())
    bands = [_told(group, seats[number], figures) for number, group in enumerate(told)]
    whole = _Group(0, [])
    for group in told:
        whole.add(group)
    if len(bands) > 1:
        less = _less([(group.n, group.n_placed) for group in told], seats, figures)
        bands = [replace(band, less=kinds) for band, kinds in zip(bands, less, strict=True)]
    return Table(bands, replace(_told(whole, seats.sum(axis=0), figures), labels=()))


def pooled(groups: Sequence[_Group]) -> list[_Group]:
    """Put the smallest groups together, until nobody is told of in fewer than `FEW`; the pool comes last."""
    small = [group for group in groups if group.n < FEW]
    large = sorted((group for group in groups if group.n >= FEW), key=lambda group: group.n)
    if not small:
        return list(groups)
    while sum(group.n for group in small) < FEW and large:
        small.append(large.pop(0))
    pool = _Group(0, [])
    for group in sorted(small, key=lambda group: group.first):
        pool.add(group)
    return [*sorted(large, key=lambda group: group.first), pool]


def _told(group: _Group, seats: NDArray[np.float64], figures: NDArray[np.float64]) -> Band:
    placed = group.n_placed
    score, times = (seats @ figures / placed).tolist() if placed >= FEW else (None, None)
    return Band(tuple(group.labels), group.n, placed / group.n, score, times)


def _less(
    counts: Sequence[tuple[int, int]], seats: NDArray[np.float64], figures: NDArray[np.float64]
) -> list[tuple[str, ...]]:
    """Return for each band what it has less of than the others, beyond chance."""
    n, n_placed = (sum(column) for column in zip(*counts, strict=True))
    chances: dict[tuple[int, str], float] = {}
    dealt = dealt_out(figures)
    for band, (people, placed) in enumerate(counts):
        chances[band, "placed"] = chance_of_so_few(placed, people, n_placed, n)
        if FEW <= placed <= n_placed - FEW:
            contrast = seats[band] / placed - (seats.sum(axis=0) - seats[band]) / (n_placed - placed)
            low = chances_of_so_low(contrast, figures, dealt)
            chances |= {(band, kind): chance for kind, chance in zip(KINDS[1:], low, strict=True)}
    found = {
        kind: holm({band: chance for (band, of), chance in chances.items() if of == kind}) for kind in KINDS
    }
    return [tuple(kind for kind in KINDS if band in found[kind]) for band in range(len(counts))]


def chance_of_so_few(placed: int, people: int, n_placed: int, n: int) -> float:
    """Return how likely ``people`` of ``n``, drawn at random, hold so few of ``n_placed`` seats, or fewer."""
    low = max(0, people - (n - n_placed))
    k = np.arange(low, placed + 1)
    logs = _log_choose(n_placed, k) + _log_choose(n - n_placed, people - k) - _log_choose(n, people)
    return min(1.0, float(np.exp(logsumexp(logs))))


def _log_choose(n: int, k: NDArray[np.int64] | int) -> NDArray[np.float64]:
    found: NDArray[np.float64] = gammaln(n + 1.0) - gammaln(np.asarray(k) + 1.0) - gammaln(n - k + 1.0)
    return found


def dealt_out(figures: NDArray[np.float64]) -> NDArray[np.float64]:
    """(N_DEALS, n_cohorts, 2) the figures of cohorts, each time in another order; always the same ones."""
    orders = np.tile(np.arange(len(figures)), (N_DEALS, 1))
    found: NDArray[np.float64] = figures[np.random.default_rng(0).permuted(orders, axis=1)]
    return found


def chances_of_so_low(
    contrast: NDArray[np.float64], figures: NDArray[np.float64], dealt: NDArray[np.float64]
) -> list[float]:
    """Return for each figure how often a band is so low against the others, or lower, by chance.

    Args:
        contrast: (n_cohorts,) what each cohort counts in the band's mean, less what in that of the others.
        figures: (n_cohorts, 2) the figures.
        dealt: (n_deals, n_cohorts, 2) the figures dealt out.
    """
    by_chance = np.einsum("c,dcf->df", contrast, dealt)
    lower = (by_chance <= contrast @ figures + 1e-12).sum(axis=0)
    found: list[float] = ((lower + 1) / (len(dealt) + 1)).tolist()
    return found


def holm(chances: dict[int, float]) -> list[int]:
    """Return what is beyond chance, most so first; a false alarm among all is rarer than `ALARM`."""
    found = []
    for number, key in enumerate(sorted(chances, key=chances.__getitem__)):
        if chances[key] > ALARM / (len(chances) - number):
            break
        found.append(key)
    return found

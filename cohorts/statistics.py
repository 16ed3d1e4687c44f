"""What the sign-ups of a course look like as a whole."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import accumulate
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import String, Text, cast, func, select, type_coerce
from sqlalchemy.orm import Session

from .database import week_slots
from .meetings import first_monday
from .models import Course, Interest, Signup, SignupState, signup_interests
from .week import SLOT_MINUTES, SLOTS

SLOTS_A_DAY: Final = 48

_NOBODY: Final = "[]"
"""How a list with nobody in it is kept."""


@dataclass(frozen=True, slots=True)
class Statistics:
    """Counts over the sign-ups of one course; only ``states`` counts the withdrawn ones too.

    Attributes:
        states: Number of sign-ups by "confirmed", "pending", "waiting" and "withdrawn".
        over_time: For every day from the first sign-up to the last, how many there were by its end.
        interests: Label and how many picked it, most common first.
        languages: Language and how many speak it, most common first.
        zones: Time zone and how many live there, most common first.
        experience: Level and how many chose it.
        convenors: How many would get the first meeting going.
        wishes: How many named somebody they want to be with.
        concerns: How many named somebody they do not want to be with; never who.
        free: For each weekday, how many are free in each of its half hours, in ``zone``.
        zone: The time zone of ``free``.
    """

    states: Counter[str]
    over_time: list[tuple[date, int]]
    interests: list[tuple[str, int]]
    languages: list[tuple[str, int]]
    zones: list[tuple[str, int]]
    experience: Counter[str]
    convenors: int
    wishes: int
    concerns: int
    free: list[list[int]]
    zone: str

    @property
    def n_learners(self) -> int:
        """Sign-ups that were not withdrawn."""
        return self.states.total() - self.states["withdrawn"]

    @property
    def most_free(self) -> int:
        """How many are free in the best half hour of the week."""
        return max(map(max, self.free))

    @property
    def rare_interests(self) -> list[str]:
        """Labels that exactly one learner picked."""
        return [label for label, count in self.interests if count == 1]


def of_course(session: Session, course: Course, zone: str = "UTC") -> Statistics:
    """Count the sign-ups of a course; availability is shown in ``zone``."""
    rows = session.execute(
        select(
            Signup.state,
            Signup.waiting,
            Signup.created_at,
            Signup.time_zone,
            # Texts as they are kept: thousands of lists and sets at once would take most of the time.
            type_coerce(Signup.availability, String).label("week"),
            cast(Signup.languages, Text).label("languages"),
            Signup.experience,
            Signup.convenor,
            (cast(Signup.works_with, Text) != _NOBODY).label("wishes"),
            (cast(Signup.avoids, Text) != _NOBODY).label("concerns"),
        ).where(Signup.course_id == course.id)
    ).all()
    here = [row for row in rows if row.state is not SignupState.WITHDRAWN]
    return Statistics(
        states=Counter(_state(row) for row in rows),
        over_time=_over_time(row.created_at.date() for row in here),
        interests=_interests(session, course),
        languages=_languages(row.languages for row in here),
        zones=_ranked(row.time_zone for row in here),
        experience=Counter(row.experience.value for row in here if row.experience),
        convenors=sum(row.convenor for row in here),
        wishes=sum(row.wishes for row in here),
        concerns=sum(row.concerns for row in here),
        free=_free(here, zone, first_monday(course.start)),
        zone=zone,
    )


def _state(row: Any) -> str:
    state: SignupState = row.state
    return "waiting" if row.waiting and state is not SignupState.WITHDRAWN else state.value


def _ranked(words: Iterable[str] | Mapping[str, int]) -> list[tuple[str, int]]:
    return sorted(Counter(words).items(), key=lambda item: (-item[1], item[0]))


def _languages(kept: Iterable[str]) -> list[tuple[str, int]]:
    """Count languages; many learners speak the same ones, so few texts are read."""
    counts: Counter[str] = Counter()
    for text, count in Counter(kept).items():
        counts.update(dict.fromkeys(json.loads(text), count))
    return _ranked(counts)


def _over_time(days: Iterable[date]) -> list[tuple[date, int]]:
    counts = Counter(days)
    if not counts:
        return []
    first = min(counts)
    every_day = [first + timedelta(days=number) for number in range((max(counts) - first).days + 1)]
    return list(zip(every_day, accumulate(counts[day] for day in every_day), strict=True))


def _interests(session: Session, course: Course) -> list[tuple[str, int]]:
    picked = func.count(Signup.id)
    rows = session.execute(
        select(Interest.label, picked)
        .outerjoin(signup_interests, signup_interests.c.interest_id == Interest.id)
        .outerjoin(
            Signup, (Signup.id == signup_interests.c.signup_id) & (Signup.state != SignupState.WITHDRAWN)
        )
        .where(Interest.course_id == course.id)
        .group_by(Interest.id, Interest.label)
        .order_by(picked.desc(), Interest.label)
    )
    return [(label, count) for label, count in rows]


def _free(rows: Sequence[Any], zone: str, monday: date) -> list[list[int]]:
    """Count who is free in each half hour, with the clocks as they stand when the course starts."""
    totals = [0] * SLOTS
    for home, times in _times_by_zone(rows).items():
        shift = _minutes_ahead(zone, monday) - _minutes_ahead(home, monday)
        for slot, count in times.items():
            # Zones off the half hour are rounded down: the picture is about crowds, not meetings.
            totals[(slot + shift // SLOT_MINUTES) % SLOTS] += count
    return [totals[start : start + SLOTS_A_DAY] for start in range(0, SLOTS, SLOTS_A_DAY)]


def _times_by_zone(rows: Sequence[Any]) -> dict[str, Counter[int]]:
    times: dict[str, Counter[int]] = {}
    for row in rows:
        times.setdefault(row.time_zone, Counter()).update(week_slots(row.week))
    return times


def _minutes_ahead(zone: str, day: date) -> int:
    """Return how far ``zone`` is ahead of UTC on a day at noon, in minutes."""
    offset = datetime.combine(day, time(12), tzinfo=ZoneInfo(zone)).utcoffset() or timedelta()
    return int(offset.total_seconds() // 60)

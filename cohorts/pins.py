"""Pins: what of a proposal stays as it is when the course is matched again."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from itertools import count

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from .answers import Answers
from .meetings import Meeting, weekly
from .models import Cohort, Run, Seat, Signup
from .roster_rows import cohort_name


@dataclass(frozen=True, slots=True)
class Pins:
    """Ids of sign-ups by the cohort that they were in.

    Attributes:
        cohorts: The members of each cohort that is pinned as a whole.
        learners: Who is pinned in each other cohort: they stay together, whoever else joins them.
    """

    cohorts: dict[int, list[int]] = field(default_factory=dict)
    learners: dict[int, list[int]] = field(default_factory=dict)

    def home_of(self, members: Collection[int]) -> int | None:
        """Return the cohort in which some of these members are pinned."""
        pinned = {**self.learners, **self.cohorts}
        return next((home for home, mates in pinned.items() if set(mates) & set(members)), None)


def of_run(session: Session, run_id: int | None, taking_part: Collection[int]) -> Pins:
    """Return what is pinned in a run, of those who still take part."""
    seats = session.execute(
        select(Seat.signup_id, Cohort.id, Cohort.pinned)
        .join(Cohort, Seat.cohort_id == Cohort.id)
        .where(Cohort.run_id == run_id, Seat.pinned | Cohort.pinned)
        .order_by(Cohort.position, Seat.signup_id)
    )
    cohorts: dict[int, list[int]] = defaultdict(list)
    learners: dict[int, list[int]] = defaultdict(list)
    for signup_id, cohort_id, whole in seats:
        if signup_id in taking_part:
            (cohorts if whole else learners)[cohort_id].append(signup_id)
    return Pins(dict(cohorts), dict(learners))


def together(rows: Sequence[Signup], answers: Sequence[Answers], pins: Pins) -> list[Answers]:
    """Return answers as if those who are pinned together had all asked for it."""
    emails = {row.id: row.email for row in rows}
    mates = {each: group for group in pins.learners.values() for each in group}
    return [
        replace(
            given, works_with=(*given.works_with, *(emails[each] for each in mates[row.id] if each != row.id))
        )
        if row.id in mates
        else given
        for row, given in zip(rows, answers, strict=True)
    ]


def times(session: Session, pins: Pins) -> list[Meeting | None]:
    """Return when each cohort that is pinned as a whole meets, in their order."""
    found = {each.id: each for each in session.scalars(select(Cohort).where(Cohort.id.in_(pins.cohorts)))}
    return [weekly(found[each]) for each in pins.cohorts]


def carry_over(session: Session, run: Run, pins: Pins) -> None:
    """Give the cohorts of a new proposal what is pinned in them, and the names, times and links they had."""
    session.flush()
    wanted = [*pins.cohorts, *pins.learners]
    if not wanted:
        return
    before = {each.id: each for each in session.scalars(select(Cohort).where(Cohort.id.in_(wanted)))}
    made = session.scalars(
        select(Cohort)
        .where(Cohort.run_id == run.id)
        .order_by(Cohort.position)
        .options(selectinload(Cohort.seats))
    ).all()
    named = set()
    for cohort in made:
        home = before.get(pins.home_of({seat.signup_id for seat in cohort.seats}) or 0)
        if home is None:
            continue
        # A time that does not suit all members now is shown with a warning, and does not hold.
        cohort.name, cohort.channel, cohort.chosen = home.name, home.channel, home.chosen
        named.add(cohort.id)
        if home.pinned:
            cohort.pinned, cohort.set_aside = True, home.set_aside
            cohort.meetings, cohort.reasons = home.meetings, home.reasons
        for seat in cohort.seats:
            seat.pinned = seat.signup_id in pins.learners.get(home.id, ())
    taken = {each.name.casefold() for each in made if each.id in named}
    free = (name for name in map(cohort_name, count(1)) if name.casefold() not in taken)
    for cohort in made:
        if cohort.id not in named:
            cohort.name = next(free)

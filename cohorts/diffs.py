"""What a rematch proposes, to be looked at: bundle by bundle, and each cohort before and after."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from . import deciding, roster
from .models import CohortChange, Decision, Fate, Membership, Reseating, Run, Seat, Signup


@dataclass(frozen=True, slots=True)
class Bundle:
    """Seats that go together.

    Attributes:
        number: Its number in the run.
        rows: The seats.
        state: What became of them.
        trouble: Why they cannot be accepted any more, in words.
    """

    number: int
    rows: list[Reseating]
    state: Decision
    trouble: str = ""

    @property
    def whole(self) -> CohortChange | None:
        """What happens to the cohort because of which they go together, if it is one alone."""
        left = {each.left for each in self.rows}
        joined = {each.joined for each in self.rows}
        shared = next((each for each in (left, joined) if len(each) == 1 and None not in each), None)
        return next(iter(shared)) if shared and len(self.rows) > 1 else None


@dataclass(frozen=True, slots=True)
class Picture:
    """A cohort before and after: who stays, who would come, and who would go."""

    change: CohortChange
    stay: list[str]
    come: list[str]
    go: list[str]


@dataclass(frozen=True, slots=True)
class Diff:
    """All that a rematch proposes.

    Attributes:
        bundles: Seats that go together, those to decide first.
        pictures: The cohorts that are touched, or too small and left so.
        unplaced: Who has no cohort afterwards, and why.
        untouched: How many living cohorts nothing happens to.
    """

    bundles: list[Bundle]
    pictures: list[Picture]
    unplaced: list[Seat]
    untouched: int

    @property
    def open_ones(self) -> list[Bundle]:
        """Those that are not decided."""
        return [each for each in self.bundles if each.state is Decision.PROPOSED]

    @property
    def decided(self) -> list[Bundle]:
        """Those that are."""
        return [each for each in self.bundles if each.state is not Decision.PROPOSED]

    def count(self, *, left: bool, joined: bool) -> int:
        """Count those who leave a cohort or had none, and come into one or get none."""
        rows = (row for bundle in self.bundles for row in bundle.rows)
        return sum((row.left is not None) is left and (row.joined is not None) is joined for row in rows)


def of_run(session: Session, run: Run, at: datetime) -> Diff:
    """Return what a rematch proposes, in a fixed number of queries."""
    rows = deciding.reseatings_of(session, run)
    troubles = deciding.troubles(session, run, rows, at)
    numbers: dict[int, list[Reseating]] = defaultdict(list)
    for row in rows:
        numbers[row.bundle].append(row)
    found = [Bundle(n, some, some[0].state, troubles.get(n, "")) for n, some in numbers.items()]
    changes = session.scalars(
        select(CohortChange)
        .where(CohortChange.run_id == run.id)
        .order_by(CohortChange.number)
        .options(joinedload(CohortChange.cohort), joinedload(CohortChange.into))
    ).all()
    seats = select(Seat).where(Seat.run_id == run.id, Seat.cohort_id.is_(None))
    unplaced = session.scalars(seats.options(joinedload(Seat.signup))).all()
    return Diff(
        bundles=sorted(found, key=lambda each: (each.state is not Decision.PROPOSED, each.number)),
        pictures=_pictures(session, rows, changes),
        unplaced=sorted(unplaced, key=lambda each: each.signup.name.casefold()),
        untouched=len(roster.positions(session, run.course).keys() - {each.cohort_id for each in changes}),
    )


def _pictures(session: Session, rows: Sequence[Reseating], changes: Sequence[CohortChange]) -> list[Picture]:
    here = [each.cohort_id for each in changes if each.cohort_id is not None]
    present = (
        select(Membership.cohort_id, Membership.signup_id, Signup.name)
        .join(Signup, Signup.id == Membership.signup_id)
        .where(Membership.cohort_id.in_(here), Membership.until.is_(None))
    )
    members: dict[int, dict[int, str]] = defaultdict(dict)
    for cohort_id, signup_id, name in session.execute(present):
        members[cohort_id][signup_id] = name
    kept = [row for row in rows if row.state in (Decision.PROPOSED, Decision.ACCEPTED)]
    coming: dict[CohortChange | None, dict[int, str]] = defaultdict(dict)
    going: dict[CohortChange | None, dict[int, str]] = defaultdict(dict)
    for row in kept:
        coming[row.joined][row.signup_id] = going[row.left][row.signup_id] = row.signup.name
    found = []
    for change in changes:
        come, go = coming[change], going[change]
        if not come and not go and change.fate is not Fate.STAYS_SMALL:
            continue  # all about it was declined, or overtaken
        inside = members[change.cohort_id] if change.cohort_id is not None else {}
        stay = {each: name for each, name in inside.items() if each not in come and each not in go}
        found.append(Picture(change, *(sorted(each.values(), key=str.casefold) for each in (stay, come, go))))
    return found

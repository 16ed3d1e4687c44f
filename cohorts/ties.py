"""Who is connected with whom in a course: the one reading of all that tells of it.

Pages, rematches and what is learnt from connections all read this, and nothing else. What counts: what
learners say in check-ins, meetings they were at together, whom they asked to be with when they signed up,
and interactions that were imported. What never counts: a pair of which one denies that they are
connected, and a pair of which one has blocked or avoids the other.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import combinations, permutations
from typing import Any, Final, NamedTuple

import numpy as np
from sqlalchemy import String, and_, cast, func, or_, select
from sqlalchemy.orm import Session, aliased

from . import denials, person_blocks
from .connections import Pairs, by_pair
from .database import is_empty
from .models import (
    Attendance,
    Connection,
    Course,
    ErasedTies,
    Interaction,
    InteractionImport,
    Membership,
    Signup,
    SignupState,
    Source,
)
from .policies import FEW

WEIGHTS: Final = {
    Source.GO_ON_WITH: 1.0,
    Source.TALKED_WITH: 0.7,
    Source.INVITED_BY: 0.7,
    Source.IMPORTED: 0.3,
    Source.API: 0.3,
    Source.MET: 0.1,
}
"""How strong one sign of each source is: a wish the most, having been in one meeting the least."""


class Tie(NamedTuple):
    """Two learners who are connected.

    Attributes:
        one: The sign-up with the lower id.
        two: The other.
        strength: How strongly at this time, 0 to 1.
        first: When the first sign of it was given.
        last: When the latest was.
        sources: What tells of it.
        across: Whether it arose between two cohorts: at its first sign with both in a cohort, these were
            not the same. None if they never were both in one.
    """

    one: int
    two: int
    strength: float
    first: datetime
    last: datetime
    sources: frozenset[Source]
    across: bool | None


_BITS: Final = {source: 1 << number for number, source in enumerate(WEIGHTS)}


class _Signs:
    """Signs of being connected, as columns: tens of thousands of rows would be far slower to handle.

    Attributes:
        givers: Who gave each sign; ``takers`` with whom.
        moments: When.
        sources: What tells of it, by its bit in `_BITS`.
        mutual: Whether both gave it, as those who met did.
    """

    def __init__(self) -> None:
        self.givers: list[int] = []
        self.takers: list[int] = []
        self.moments: list[datetime] = []
        self.sources: list[int] = []
        self.mutual: list[bool] = []

    def add(self, giver: int, taker: int, at: datetime, source: int, *, mutual: bool = False) -> None:
        """Add one sign."""
        self.givers.append(giver)
        self.takers.append(taker)
        self.moments.append(at)
        self.sources.append(source)
        self.mutual.append(mutual)

    def pairs(self, at: datetime, half_life: timedelta) -> Pairs:
        """Return who is connected by them at a time."""
        sources = np.array(self.sources, dtype=np.int64)
        weights = np.zeros(len(sources))
        for source, weight in WEIGHTS.items():
            weights[sources == _BITS[source]] = weight
        return by_pair(
            np.array(self.givers, dtype=np.int64),
            np.array(self.takers, dtype=np.int64),
            np.array([(at - each) / half_life for each in self.moments]),
            weights,
            mutual=np.array(self.mutual, dtype=bool),
        )

    def told_by(self, found: Pairs) -> Iterator[frozenset[Source]]:
        """Yield what tells of each pair."""
        sources = np.array(self.sources, dtype=np.int64)[found.order]
        bits = np.bitwise_or.reduceat(sources, found.begin).tolist() if len(sources) else []
        sets = {each: frozenset(source for source, bit in _BITS.items() if each & bit) for each in set(bits)}
        return (sets[each] for each in bits)


def of_course(session: Session, course: Course, at: datetime) -> list[Tie]:
    """Return who is connected in a course at a time, by the ids of the two.

    Whoever has withdrawn is among them, for they may come back; who never confirmed is not. Seven
    queries, whatever the number of people; the time is that of reading the signs once.
    """
    return _read(session, _Reading(course.id, course.half_life_days, at))


def of_learner(session: Session, signup: Signup, at: datetime) -> list[Tie]:
    """Return with whom a learner is connected, as far as they may know.

    What others said of them, and who of those they named by an address is signed up, is not theirs to
    know and does not count here.
    """
    course = signup.course
    return _read(session, _Reading(course.id, course.half_life_days, at, of=signup.id, own_only=True))


@dataclass(frozen=True, slots=True)
class Counted:
    """How many pairs of learners a source connects; None where fewer than five people are concerned.

    Attributes:
        source: What tells of it.
        within: Pairs that were in one cohort when they got connected.
        across: Pairs that were in two.
    """

    source: Source
    within: int | None
    across: int | None


def counted(session: Session, course: Course, at: datetime) -> list[Counted]:
    """Count the pairs of learners of a course who are connected, by what tells of it."""
    found = of_course(session, course, at)

    def number(source: Source, *, across: bool) -> int | None:
        pairs = [tie for tie in found if source in tie.sources and tie.across is across]
        people = {each for tie in pairs for each in (tie.one, tie.two)}
        return len(pairs) if len(people) >= FEW else None

    return [Counted(each, number(each, across=False), number(each, across=True)) for each in Source]


def were_together(session: Session, course: Course) -> set[tuple[int, int]]:
    """Return who were in one cohort at the same time, now or before, as pairs of ids in order."""
    rows = select(Membership.cohort_id, Membership.signup_id, Membership.since, Membership.until)
    stays: dict[int, list[Any]] = defaultdict(list)
    for row in session.execute(rows.join(Signup).where(Signup.course_id == course.id)):
        stays[row.cohort_id].append(row)
    return {
        (one.signup_id, two.signup_id)
        for here in stays.values()
        for one, two in permutations(here, 2)
        if one.signup_id < two.signup_id
        and (one.until is None or two.since < one.until)
        and (two.until is None or one.since < two.until)
    }


def keep_counts(session: Session, signup: Signup, at: datetime) -> None:
    """Count the connections of a learner who erases themselves; they go with the sign-up."""
    course = signup.course
    found = _read(session, _Reading(course.id, course.half_life_days, at, of=signup.id))
    weeks = Counter((monday(tie.first), tie.across) for tie in found)
    kept = session.scalars(select(ErasedTies).where(ErasedTies.course_id == course.id))
    known = {(each.week, each.across): each for each in kept}
    for (week, across), n in weeks.items():
        if (week, across) in known:
            known[week, across].n += n
        else:
            session.add(ErasedTies(course_id=course.id, week=week, across=across, n=n))
    mine = or_(Interaction.from_id == signup.id, Interaction.to_id == signup.id)
    counted = select(Interaction.import_id, func.count()).where(mine).group_by(Interaction.import_id)
    gone = {import_id: n for import_id, n in session.execute(counted)}  # noqa: C416 (rows are no pairs)
    for each in session.scalars(select(InteractionImport).where(InteractionImport.id.in_(gone))):
        each.n_erased += gone[each.id]
    session.flush()


def erased(session: Session, course: Course) -> dict[tuple[date, bool | None], int]:
    """Return how many connections went with people who erased themselves, by the Monday of the week they
    were first seen in and whether they were between two cohorts.
    """
    rows = select(ErasedTies).where(ErasedTies.course_id == course.id).order_by(ErasedTies.week)
    return {(each.week, each.across): each.n for each in session.scalars(rows)}


def apart(session: Session, course_id: int) -> set[tuple[int, int]]:
    """Return the pairs, by ids in order, that never count: one denies it, or blocked or avoids the other."""
    return person_blocks.pairs(session, course_id) | denials.pairs(session, course_id)


def monday(moment: datetime) -> date:
    """Return the first day of the week a moment is in, in UTC."""
    return moment.date() - timedelta(days=moment.weekday())


MOST_NAMED: Final = 1000
"""More addresses than this are not named in a query; then all of the course are read."""

_Sign = Any
"""A row of giver, taker, moment and source."""


@dataclass(frozen=True, slots=True)
class _Reading:
    """What is read: a course at a time; ``of`` one learner alone, and then perhaps what they may know."""

    course_id: int
    half_life_days: int
    at: datetime
    of: int | None = None
    own_only: bool = False

    def touches(self, *columns: Any) -> Any:
        """Return the condition that a row is about whom this is about."""
        return or_(*(each == self.of for each in columns)) if self.of is not None else True


def _read(session: Session, reading: _Reading) -> list[Tie]:
    never, stays = apart(session, reading.course_id), _stays(session, reading)
    signs = _signs(session, reading)
    found = signs.pairs(reading.at, timedelta(days=reading.half_life_days))
    rows = zip(found.pairs(), found.strength.tolist(), found.contacts(), signs.told_by(found), strict=True)
    ties = []
    for pair, strength, contacts, sources in rows:
        if pair not in never:
            moments = [signs.moments[each] for each in contacts]
            ties.append(Tie(*pair, strength, moments[0], moments[-1], sources, stays.across(*pair, moments)))
    return ties


class _Stays:
    """Who was in which cohort when."""

    def __init__(self, rows: Iterable[Any]) -> None:
        self._of: dict[int, list[tuple[datetime, datetime | None, int]]] = defaultdict(list)
        for signup_id, since, until, cohort_id in rows:
            self._of[signup_id].append((since, until, cohort_id))

    def cohort(self, signup_id: int, at: datetime) -> int | None:
        """Return the cohort somebody was in at a moment."""
        for since, until, cohort in self._of.get(signup_id, ()):
            if since <= at and (until is None or at < until):
                return cohort
        return None

    def across(self, one: int, two: int, moments: Iterable[datetime]) -> bool | None:
        """Tell whether two were in different cohorts at the first moment when both were in one, if any."""
        for at in moments:
            here, there = self.cohort(one, at), self.cohort(two, at)
            if here is not None and there is not None:
                return here != there
        return None


def _stays(session: Session, reading: _Reading) -> _Stays:
    rows = select(Membership.signup_id, Membership.since, Membership.until, Membership.cohort_id)
    return _Stays(session.execute(rows.join(Signup).where(Signup.course_id == reading.course_id)))


def _signs(session: Session, reading: _Reading) -> _Signs:
    """Return every sign between two confirmed learners of the course, so far."""
    people = select(Signup.id).where(
        Signup.course_id == reading.course_id, Signup.state != SignupState.PENDING
    )
    here, found = set(session.scalars(people)), _Signs()
    met = _BITS[Source.MET]
    for signs in (_said(session, reading), _imported(session, reading), _asked(session, reading)):
        for giver, taker, at, source in signs:
            if giver in here and taker in here and giver != taker and at <= reading.at:
                found.add(giver, taker, at, _BITS[source])
    for at, people_there in _meetings(session, reading, here):
        for one, other in combinations(people_there, 2):
            if reading.of is None or reading.of == one or reading.of == other:
                found.add(one, other, at, met, mutual=True)
    return found


def _said(session: Session, reading: _Reading) -> Iterable[_Sign]:
    """Yield what learners said in check-ins; an address is whoever is signed up with it."""
    addressed = aliased(Signup)
    taker = func.coalesce(Connection.to_id, addressed.id)
    rows = (
        select(Connection.from_id, taker, Connection.at, Connection.source)
        .outerjoin(
            addressed,
            and_(addressed.email == Connection.to_address, addressed.course_id == Connection.course_id),
        )
        .where(Connection.course_id == reading.course_id, taker.is_not(None))
    )
    if reading.own_only:
        rows = rows.where(Connection.from_id == reading.of, Connection.to_id.is_not(None))
    else:
        rows = rows.where(reading.touches(Connection.from_id, taker))
    return session.execute(rows)


def _imported(session: Session, reading: _Reading) -> Iterable[_Sign]:
    rows = (
        select(Interaction.from_id, Interaction.to_id, Interaction.at, InteractionImport.source)
        .join(InteractionImport)
        .where(InteractionImport.course_id == reading.course_id)
        .where(reading.touches(Interaction.from_id, Interaction.to_id))
    )
    return session.execute(rows)


def _asked(session: Session, reading: _Reading) -> Iterable[_Sign]:
    """Yield who asked to be with whom, from the moment both were signed up."""
    here = Signup.course_id == reading.course_id
    named = select(Signup.id, Signup.created_at, Signup.works_with).where(here, ~is_empty(Signup.works_with))
    people = session.execute(named).all()
    wished = {email for *_, wishes in people for email in wishes}
    if len(wished) <= MOST_NAMED:
        here &= Signup.email.in_(wished)
    known = select(Signup.email, Signup.id, Signup.created_at).where(here)
    ids = {email: (each, since) for email, each, since in session.execute(known)} if wished else {}
    for giver, since, wishes in people:
        for taker, later in (ids[each] for each in wishes if each in ids):
            if reading.of in (None, giver) or (reading.of == taker and not reading.own_only):
                yield giver, taker, max(since, later), Source.INVITED_BY


def _meetings(session: Session, reading: _Reading, here: set[int]) -> Iterator[tuple[datetime, list[int]]]:
    """Yield when each meeting was and who of them was there; a cohort is small, so there are few pairs."""
    there = func.aggregate_strings(cast(Attendance.signup_id, String), " ")
    rows = (
        select(Attendance.starts_at, there)
        .join(Signup, Signup.id == Attendance.signup_id)
        .where(Signup.course_id == reading.course_id, Attendance.was_there.is_(True))
        .where(Attendance.starts_at <= reading.at)
        .group_by(Attendance.cohort_id, Attendance.starts_at)
    )
    for starts_at, ids in session.execute(rows):
        yield starts_at, [each for each in map(int, ids.split()) if each in here]

"""Open seats: cohorts of a learner's course that still have room and would fit them.

Nothing here needs the matcher: the common blocks of each cohort are stored, and whether a learner is
free then is a matter of the calendar.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from . import meetings, person_blocks, roster
from .answers import interest_key
from .meetings import Meeting, in_zone, occurrences, of_cohort
from .models import Cohort, Course, Membership, Signup

QUARTER = timedelta(minutes=15)
"""Every time zone is whole quarters of an hour from every other."""


@dataclass(frozen=True, slots=True)
class OpenSeat:
    """A cohort that a learner can join.

    Attributes:
        cohort: The cohort.
        n_members: How many are in it now.
        free: How many more it takes.
        meeting: When it meets as suits the learner best; None if it has no fixed meeting.
        fits: Whether the learner is free then in every week to come; their old cohort is shown even if not.
        shared: Interests that members have in common with the learner, and let their cohort see.
        n_known: How many members were in a cohort with the learner before.
        was_mine: Whether the learner was in this cohort before.
    """

    cohort: Cohort
    n_members: int
    free: int
    meeting: Meeting | None
    fits: bool
    shared: tuple[str, ...]
    n_known: int
    was_mine: bool


def open_seats(session: Session, signup: Signup, at: datetime) -> list[OpenSeat]:
    """Return the seats a learner can take, their old cohorts first, then by what they share.

    A cohort with somebody the learner is to be apart from is left out, and so is nobody the wiser.
    The number of queries does not depend on the number of cohorts.
    """
    course = signup.course
    with_members = selectinload(Cohort.memberships).joinedload(Membership.signup)
    living = roster.cohorts(session, course, with_members.selectinload(Signup.interests))
    present = {each.id: [m.signup for m in each.memberships if m.until is None] for each in living}
    everybody = [member for members in present.values() for member in members]
    apart = person_blocks.apart(session, signup, everybody)
    known = {each.id for each in person_blocks.knew(session, signup)}
    before = {m.cohort_id for each in living for m in each.memberships if m.signup_id == signup.id}
    suits = _Suits(signup, course, at)
    found = []
    for cohort in living:
        members = present[cohort.id]
        free = course.size_max - len(members)
        ids = {each.id for each in members}
        was_mine = cohort.id in before
        if free < 1 or not members or signup.id in ids or ids & apart or not can_talk([signup, *members]):
            continue
        weekly = meetings.weekly(cohort) if cohort.fixed else None
        times = [weekly] if weekly else of_cohort(cohort)
        meeting = next((each for each in times if suits(each)), None)
        fits = not times or meeting is not None
        if not (fits or was_mine):
            continue
        shared = _shared(signup, members)
        meeting = meeting or next(iter(times), None)
        found.append(OpenSeat(cohort, len(members), free, meeting, fits, shared, len(ids & known), was_mine))
    return sorted(
        found, key=lambda seat: (not seat.was_mine, not seat.fits, -seat.n_known, -len(seat.shared))
    )


def whereabouts(session: Session, signup: Signup) -> list[tuple[str, int]]:
    """Return how many of those a learner was in a cohort with are in which other cohort now."""
    here = (Membership.signup_id == signup.id) & Membership.until.is_(None)
    known = [each.id for each in person_blocks.knew(session, signup)]
    names = session.scalars(
        select(Cohort.name)
        .join(Membership)
        .where(Membership.signup_id.in_(known), Membership.until.is_(None), Cohort.ended_at.is_(None))
        .where(Cohort.id.not_in(select(Membership.cohort_id).where(here)))
    )
    return sorted(Counter(names).items(), key=lambda each: (-each[1], each[0]))


class _Suits:
    """Tells whether a learner is free at a meeting in every week to come; each is looked at once."""

    def __init__(self, signup: Signup, course: Course, at: datetime) -> None:
        self._known: dict[Meeting, bool] = {}
        self._look = partial(is_free, signup, course, at=at)

    def __call__(self, meeting: Meeting) -> bool:
        if meeting not in self._known:
            self._known[meeting] = self._look(meeting)
        return self._known[meeting]


def is_free(signup: Signup, course: Course, meeting: Meeting, at: datetime) -> bool:
    """Tell whether a learner is free, if need be, at a meeting in every week of the course to come."""
    quarters = course.meeting_minutes // 15
    free = signup.availability | signup.if_needed
    return all(
        _slot(in_zone(start.astimezone(UTC) + number * QUARTER, signup.time_zone)) in free
        for start in occurrences(course, meeting)
        if start >= at
        for number in range(quarters)
    )


def _slot(local: datetime) -> int:
    return local.weekday() * 48 + local.hour * 2 + local.minute // 30


def can_talk(people: Sequence[Signup]) -> bool:
    """Tell whether all of them share a language; whoever named none takes any."""
    spoken = [{language.casefold() for language in each.languages} for each in people]
    named = [each for each in spoken if each]
    return not named or bool(set.intersection(*named))


def _shared(signup: Signup, members: Sequence[Signup]) -> tuple[str, ...]:
    """Return the learner's interests that members show, spelt as the learner did."""
    showing = [member for member in members if "interests" in member.shown]
    theirs = {interest_key(each.label) for member in showing for each in member.interests}
    return tuple(each.label for each in signup.interests if interest_key(each.label) in theirs)

"""Whether what a rematch proposed still holds: the world has gone on since.

Nothing here needs the matcher. What is said when something does not hold gives away nobody's wishes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from . import meetings, person_blocks, rematches, roster, seats, signups
from .crowding import Crowd
from .door import MatchSettings
from .language import gettext as _
from .meetings import Meeting
from .models import CohortChange, Course, Fate, Reseating, Signup, SignupState


@dataclass
class World:
    """A course as it is now: who is where, who may not be together, and how many places are free.

    Attributes:
        course: The course, which is locked while anything is changed.
        at: Now.
        living: The positions of its living cohorts by their ids.
        members: Who is in each of them.
        home: The cohort of each learner who has one.
        people: Those of them who are in a cohort that is looked at.
        apart: Pairs of ids who are not to be put together.
        room: How many places of the course are free; None for any number.
        settings: Those of the rematch, which may limit how many cohorts meet at one time.
        times: When each of the cohorts meets, if it does; empty where any number may.
    """

    course: Course
    at: datetime
    living: dict[int, int]
    members: dict[Any, set[int]]
    home: dict[int, int]
    people: dict[int, Signup]
    apart: set[tuple[int, int]]
    room: int | None
    settings: MatchSettings
    times: dict[Any, Meeting | None]

    @classmethod
    def of(
        cls,
        session: Session,
        course: Course,
        settings: MatchSettings,
        at: datetime,
        rows: Iterable[Reseating],
    ) -> World:
        """Read what tells whether ``rows`` still hold, in a fixed number of queries."""
        living = roster.positions(session, course)
        touched = {each.cohort_id for row in rows for each in (row.left, row.joined) if each is not None}
        stays = rematches.history(session, course)
        present = [each for each in stays if each.until is None and each.cohort_id in living]
        members: dict[Any, set[int]] = defaultdict(set)
        for each in present:
            members[each.cohort_id].add(each.signup_id)
        looked_at = [each.signup_id for each in present if each.cohort_id in touched]
        people = session.scalars(select(Signup).where(Signup.id.in_(looked_at)))
        taken = signups.places_taken(session, course)
        limited = roster.cohorts(session, course) if settings.max_simultaneous is not None else []
        return cls(
            course=course,
            at=at,
            living=living,
            members=members,
            home={each.signup_id: each.cohort_id for each in present},
            people={each.id: each for each in people},
            apart=person_blocks.pairs(session, course.id) | rematches.parted(stays),
            room=None if course.capacity is None else max(0, course.capacity - taken),
            settings=settings,
            times={each.id: meetings.weekly(each) for each in limited},
        )

    def trouble(self, rows: Sequence[Reseating]) -> str:
        """Return why a bundle cannot be accepted any more, in words that name no wish; or nothing."""
        for row in rows:
            words = self._trouble_of(row)
            if words:
                return words
        if self.room is not None and sum(row.signup.waiting for row in rows) > self.room:
            return _("The course has no free place for them any more.")
        after = self._after(rows)
        for change, members in after.items():
            words = self._trouble_in(change, members, rows)
            if words:
                return words
        return self._crowded(after)

    def _crowded(self, after: Mapping[CohortChange, set[int]]) -> str:
        """Say whether too many cohorts would meet at a new time of one; those that end make room."""
        if self.settings.max_simultaneous is None:
            return ""
        new = [each for each in after if after[each] and (each.meeting_moves or each.fate is Fate.OPENS)]
        elsewhere = {self.place(each) for each in after if each in new or not after[each]}
        crowd = Crowd(self.settings, (self.times[each] for each in self.times.keys() - elsewhere))
        for change in new:
            meeting = self.meeting_after(change)
            if not crowd.has_room(meeting):
                return _("More cohorts would meet at one time than a facilitator can attend.")
            crowd.add(meeting)
        return ""

    def _trouble_of(self, row: Reseating) -> str:
        """Say whether a learner is still where they were, and their new cohort still lives."""
        name = row.signup.name
        if row.signup.state is not SignupState.CONFIRMED:
            return _("%(name)s has left the course since.", name=name)
        if self.home.get(row.signup_id) != (row.left.cohort_id if row.left else None):
            return _("%(name)s sits elsewhere by now.", name=name)
        change = row.joined
        if change is not None and change.fate is not Fate.OPENS and change.cohort_id not in self.living:
            return _("%(cohort)s has ended since.", cohort=change.name)
        return ""

    def _trouble_in(self, change: CohortChange, members: set[int], rows: Sequence[Reseating]) -> str:
        """Say whether a cohort would still keep the rules."""
        names = {"cohort": change.name}
        course, before = self.course, self.members.get(self.place(change), set())
        joined = {row.signup_id for row in rows if row.joined is change}
        if joined and len(members) > course.size_max:
            return _("%(cohort)s has no free seat any more.", **names)
        was_enough = change.n_after >= course.size_min if joined else len(before) >= course.size_min
        if members and was_enough and len(members) < course.size_min:
            return _("%(cohort)s would be too small: somebody else has left it since.", **names)
        if any((min(one, two), max(one, two)) in self.apart for one in joined for two in members - {one}):
            return _("Somebody's wishes have changed, so these people are not put together any more.")
        meeting = self.meeting_after(change)
        people = self.people | {row.signup_id: row.signup for row in rows}
        concerned = members if change.meeting_moves or change.fate is Fate.OPENS else joined
        if joined and meeting is not None and not self._suits(meeting, [people[each] for each in concerned]):
            return _("The time of %(cohort)s does not suit all of them any more.", **names)
        if joined and not seats.can_talk([people[each] for each in members]):
            return _("Those in %(cohort)s would not share a language any more.", **names)
        return ""

    def _suits(self, meeting: Meeting, people: Iterable[Signup]) -> bool:
        return all(seats.is_free(each, self.course, meeting, self.at) for each in people)

    def meeting_after(self, change: CohortChange) -> Meeting | None:
        """Return when a cohort meets once its change is accepted."""
        if change.cohort is not None and not change.meeting_moves:
            return meetings.weekly(change.cohort)
        return Meeting(*change.meetings[0]) if change.meetings else None

    def go_through(self, rows: Iterable[Reseating]) -> None:
        """Change the world as a bundle asks."""
        rows = list(rows)
        for change, members in self._after(rows).items():
            self.times[self.place(change)] = self.meeting_after(change) if members else None
        for row in rows:
            if row.left is not None:
                self.members[self.place(row.left)].discard(row.signup_id)
                del self.home[row.signup_id]
            if row.joined is not None:
                self.members[self.place(row.joined)].add(row.signup_id)
            self.people[row.signup_id] = row.signup
            if row.signup.waiting and self.room is not None:
                self.room -= 1

    def _after(self, rows: Sequence[Reseating]) -> dict[CohortChange, set[int]]:
        after: dict[CohortChange, set[int]] = {}
        for row in rows:
            for change in (row.left, row.joined):
                if change is not None:
                    after.setdefault(change, set(self.members.get(self.place(change), ())))
        for row in rows:
            if row.left is not None:
                after[row.left].discard(row.signup_id)
        for row in rows:
            if row.joined is not None:
                after[row.joined].add(row.signup_id)
        return after

    @staticmethod
    def place(change: CohortChange) -> tuple[str, int] | int:
        """Return what the members of a cohort are kept under, also of one that is not there yet."""
        return ("opened", change.id) if change.cohort_id is None else change.cohort_id

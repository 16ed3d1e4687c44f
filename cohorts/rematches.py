"""Rematches: who is looked at when people are seated again, and what the matcher is told of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, time, timedelta
from functools import partial
from typing import Any, Final, NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload, load_only, selectinload
from sqlalchemy.sql.base import ExecutableOption

from . import door, meetings, memberships, pauses, person_blocks, presence, reseatings, roster, signups, ties
from .answers import Answers
from .asking import custom_questions
from .database import Database
from .door import MatchSettings, RematchWishes
from .history import expected_dropout
from .leases import Heartbeat
from .models import Cohort, Course, Membership, Run, RunKind, Signup, SignupState, now

BY_CHOICE: Final = (memberships.LEFT, memberships.MOVED, memberships.ASKED)
"""How a membership ends when its learner wanted to leave: no rematch brings them back to those people."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What a rematch may do.

    Attributes:
        max_moves: How many members of cohorts may get another one; None for any number.
        move_meetings: Whether cohorts that go on may get another meeting time.
        keep_small: Whether a cohort too small that nothing helps is left as it is.
        act: Whether what it finds is carried out at once.
    """

    max_moves: int | None = None
    move_meetings: bool = False
    keep_small: bool = True
    act: bool = False


@dataclass(frozen=True, slots=True)
class Scene:
    """The people and cohorts of a course, as a rematch sees them.

    Attributes:
        course: The course.
        cohorts: Its living cohorts that have members.
        members: Who is in each of them, by its id.
        without: Who has a place in the course and no cohort, and is not away.
        waiting: Who waits for a place and would get one: as many as the course has room for, longest first.
        asked: Ids of the members who asked for another cohort.
        returning: Ids of those without a cohort who were in one before.
    """

    course: Course
    cohorts: list[Cohort]
    members: dict[int, list[Signup]]
    without: list[Signup]
    waiting: list[Signup]
    asked: frozenset[int]
    returning: frozenset[int]

    @property
    def small(self) -> list[Cohort]:
        """Cohorts with too few members to go on by themselves."""
        return [each for each in self.cohorts if self.is_small(each)]

    def is_small(self, cohort: Cohort) -> bool:
        """Tell whether a cohort has too few members; one without a meeting never has."""
        return bool(cohort.meetings) and len(self.members[cohort.id]) < self.course.size_min

    @property
    def is_needed(self) -> bool:
        """Whether there is anybody to seat again."""
        return bool(self.without or self.waiting or self.asked or self.small)

    @property
    def people(self) -> list[Signup]:
        """Everybody who takes part, in the order of their ids."""
        seated = [each for members in self.members.values() for each in members]
        return sorted([*seated, *self.without, *self.waiting], key=lambda each: each.id)


_TOLD_OF_COHORTS: Final = (Cohort.key, Cohort.name, Cohort.meetings)
_TOLD_OF_PEOPLE: Final = (Signup.waiting, Signup.wants_another_at, Signup.paused_until, Signup.time_zone)


def scene(session: Session, course: Course, at: datetime, *options: ExecutableOption) -> Scene:
    """Return who would be looked at now, in a fixed number of queries.

    ``options`` say what is loaded of the people; without any, no more of them and of the cohorts than a
    page tells.
    """
    cohorts = roster.cohorts(session, course, *(() if options else (load_only(*_TOLD_OF_COHORTS),)))
    people = session.scalars(
        select(Signup)
        .where(Signup.course_id == course.id, Signup.state == SignupState.CONFIRMED, ~presence.is_gone())
        .order_by(Signup.created_at, Signup.id)
        .options(*options or (load_only(*_TOLD_OF_PEOPLE),))
    ).all()
    stays = history(session, course)
    living = {each.id for each in cohorts}
    present = {each.signup_id: each for each in stays if each.until is None and each.cohort_id in living}
    members: dict[int, list[Signup]] = defaultdict(list)
    asked = set()
    for each in people:
        if each.id in present:
            members[present[each.id].cohort_id].append(each)
            if each.wants_another_at is not None and each.wants_another_at >= present[each.id].since:
                asked.add(each.id)
    here = [each for each in people if each.id not in present and not pauses.is_paused(each, at)]
    waiting = [each for each in here if each.waiting]
    if course.capacity is not None:
        waiting = waiting[: max(0, course.capacity - signups.places_taken(session, course))]
    were_in_one = {each.signup_id for each in stays}
    return Scene(
        course=course,
        cohorts=[each for each in cohorts if each.id in members],
        members=dict(members),
        without=[each for each in here if not each.waiting],
        waiting=waiting,
        asked=frozenset(asked),
        returning=frozenset(each.id for each in here if each.id in were_in_one),
    )


class Stay(NamedTuple):
    """A membership as it is kept: who was in which cohort, since when and until when, and why it ended."""

    signup_id: int
    cohort_id: int
    since: datetime
    until: datetime | None
    ended_because: str


def history(session: Session, course: Course) -> list[Stay]:
    """Return every membership there was in a course, oldest first."""
    columns = [getattr(Membership, name) for name in Stay._fields]
    rows = select(*columns).join(Signup, Signup.id == Membership.signup_id)
    here = rows.where(Signup.course_id == course.id).order_by(Membership.since, Membership.id)
    return [Stay._make(each) for each in session.execute(here)]


def parted(stays: Sequence[Stay]) -> set[tuple[int, int]]:
    """Return who left whom by their own choice, as pairs of ids in order, unless they are together now."""
    by_cohort: dict[int, list[Stay]] = defaultdict(list)
    present: dict[int, set[int]] = defaultdict(set)
    for each in stays:
        by_cohort[each.cohort_id].append(each)
        if each.until is None:
            present[each.signup_id].add(each.cohort_id)
    return {
        (min(mine.signup_id, other.signup_id), max(mine.signup_id, other.signup_id))
        for mine in stays
        if mine.until is not None and mine.ended_because in BY_CHOICE
        for other in by_cohort[mine.cohort_id]
        if other.signup_id != mine.signup_id and other.since < mine.until
        if other.until is None or other.until >= mine.until
        if present[mine.signup_id].isdisjoint(present[other.signup_id])
    }


def wishes_of(run: Run) -> Wishes:
    """Return what a rematch may do, as it was asked for."""
    return Wishes(**run.wishes)


def new_run(session: Session, seen: Scene, wishes: Wishes, random_state: int, **chosen: Any) -> Run:
    """Return a run that seats the people of a scene again, with the settings of the last match."""
    course = seen.course
    match = roster.latest_published(session, course)
    before: Mapping[str, Any] = {} if match is None else match.parameters
    kept = {name: before[name] for name in _AS_BEFORE if name in before}
    kept["dropout"] = expected_dropout(session, course)
    settings = MatchSettings.of_course(course, random_state=random_state, **{**kept, **chosen})
    return Run(
        course_id=course.id,
        kind=RunKind.REMATCH,
        parameters=settings.as_json(),
        wishes=asdict(wishes),
        random_state=random_state,
        n_learners=len(seen.people),
    )


_AS_BEFORE: Final = ("convenor_required", "worst_off_weight", "asynchronous", "max_simultaneous")


def find(database: Database, run_id: int, heartbeat: Heartbeat) -> Callable[[Session, Run], None]:
    """Seat people again as a run asks, and return what stores that."""
    with database.reading() as session:
        run = session.get_one(Run, run_id, options=[joinedload(Run.course)])
        at = now()
        seen = scene(session, run.course, at, selectinload(Signup.interests))
        rows, keys = seen.people, {each.id: each.key for each in seen.people}
        stays = history(session, run.course)
        people = list(zip(keys.values(), _answers(session, rows, parted(stays)), strict=True))
        tied = {
            (keys[tie.one], keys[tie.two]): tie.strength
            for tie in ties.of_course(session, run.course, at)
            if tie.one in keys and tie.two in keys
        }
        standing = _standing(seen, stays, at)
        settings, wishes = MatchSettings.from_json(run.parameters), wishes_of(run)
        labels = {each.key: each.label for each in custom_questions(run.course)}
        before = reseatings.Before(
            learners=[each.id for each in rows],
            cohorts=[each.id for each in seen.cohorts],
            asked=seen.asked,
            labels=labels,
        )

    def report(progress: door.Progress) -> None:
        heartbeat.progress, heartbeat.stage = progress.fraction, str(progress.stage)

    found = door.rematch_answers(
        people,
        settings,
        standing,
        tied,
        RematchWishes(
            max_moves=wishes.max_moves,
            move_meetings=wishes.move_meetings,
            keep_small=wishes.keep_small,
            asked=frozenset(keys[each] for each in seen.asked),
        ),
        progress=report,
        should_stop=heartbeat.should_stop,
    )
    return partial(reseatings.store, before=before, found=found)


def _answers(session: Session, rows: Sequence[Signup], left: Iterable[tuple[int, int]]) -> list[Answers]:
    """Return the answers of learners; whom they blocked or left counts as somebody they avoid."""
    emails = {each.id: each.email for each in rows}
    avoided: dict[str, list[str]] = defaultdict(list)
    for one, two in left:
        if one in emails and two in emails:
            avoided[emails[one]].append(emails[two])
    return [
        replace(each, avoids=(*each.avoids, *avoided[each.email])) if each.email in avoided else each
        for each in person_blocks.answers_with_blocks(session, rows)
    ]


def _standing(seen: Scene, stays: Sequence[Stay], at: datetime) -> list[door.Standing]:
    """Return the cohorts as they stand, in the order of the scene.

    The time that its members see as theirs is kept, also where nobody has fixed it.
    """
    since: Mapping[int, datetime] = {each.signup_id: each.since for each in stays if each.until is None}
    begun = datetime.combine(seen.course.start, time(), tzinfo=UTC)
    so_far = max(at - begun, timedelta(seconds=1))
    found = []
    for cohort in seen.cohorts:
        members = seen.members[cohort.id]
        shares = [(at - max(since[each.id], begun)) / so_far if at > begun else 0.0 for each in members]
        found.append(
            door.Standing(
                members=tuple(each.key for each in members),
                meeting=meetings.weekly(cohort),
                asynchronous=not cohort.meetings,
                since=min(1.0, max(0.0, sum(shares) / len(shares))),
            )
        )
    return found

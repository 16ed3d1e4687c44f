"""Deciding on a rematch: its bundles are accepted or declined, and what was accepted can be taken back.

What is accepted is looked at anew (see ``cohorts.overtaken``): whatever does not hold any more is outdated.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session, joinedload

from . import (
    living,
    meetings,
    memberships,
    notices,
    rematch_mails,
    rematches,
    seats,
    signups,
    take_back,
)
from .exceptions import Conflict
from .language import gettext as _
from .models import (
    Cause,
    Cohort,
    CohortChange,
    Course,
    CourseState,
    Decision,
    Fate,
    FixedMeeting,
    Mail,
    MailState,
    Membership,
    Reseating,
    Run,
    RunKind,
    RunState,
    SignupState,
    User,
)
from .overtaken import World

Bundles = Mapping[int, list[Reseating]]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of some bundles: how many seats were given, and why others could not be, in words."""

    accepted: int
    outdated: list[str]


def reseatings_of(session: Session, run: Run) -> list[Reseating]:
    """Return all seats that a rematch proposed, with everything about them, bundle by bundle."""
    return list(
        session.scalars(
            select(Reseating)
            .where(Reseating.run_id == run.id)
            .order_by(Reseating.bundle, Reseating.id)
            .options(
                joinedload(Reseating.signup),
                joinedload(Reseating.left).joinedload(CohortChange.cohort),
                joinedload(Reseating.joined).joinedload(CohortChange.cohort),
            )
            .execution_options(populate_existing=True)
        ).unique()
    )


def in_bundles(rows: Iterable[Reseating], state: Decision = Decision.PROPOSED) -> dict[int, list[Reseating]]:
    """Return the rows that are in a state, by the bundle they are in."""
    found: dict[int, list[Reseating]] = defaultdict(list)
    for row in rows:
        if row.state is state:
            found[row.bundle].append(row)
    return dict(found)


def accept(
    session: Session,
    run: Run,
    user: User | None,
    at: datetime,
    *,
    chosen: Collection[int] | None = None,
    hold: timedelta = notices.HOLD,
) -> Outcome:
    """Give the seats of some bundles, or of all that are not decided, and write to those they touch.

    What does not hold any more is outdated, and the rest is done all the same. Mails leave after ``hold``.

    Raises:
        Conflict: Nothing of it is left to decide, or the course does not run.
    """
    course, open_ones = _open(session, run, chosen)
    if course.state is not CourseState.RUNNING:
        raise Conflict(_("The course is not running, so nobody can be given another seat."))
    settings = living.settings_of(run)
    world = World.of(session, course, settings, at, [row for rows in open_ones.values() for row in rows])
    accepted: list[Reseating] = []
    outdated = []
    for rows in open_ones.values():
        trouble = world.trouble(rows)
        for row in rows:
            row.state = Decision.OUTDATED if trouble else Decision.ACCEPTED
            row.decided_at, row.decided_by_id = at, user.id if user else None
        if trouble:
            outdated.append(trouble)
        else:
            world.go_through(rows)
            accepted += rows
    if accepted:
        _carry_out(session, run, course, accepted, world, hold)
    session.flush()
    return Outcome(len(accepted), outdated)


def decline(
    session: Session, run: Run, user: User | None, at: datetime, *, chosen: Collection[int] | None = None
) -> int:
    """Decline some bundles, or all that are not decided; return how many seats that were.

    Raises:
        Conflict: Nothing of it is left to decide.
    """
    _course, open_ones = _open(session, run, chosen)
    rows = [row for bundle in open_ones.values() for row in bundle]
    for row in rows:
        row.state, row.decided_at, row.decided_by_id = Decision.DECLINED, at, user.id if user else None
    session.flush()
    return len(rows)


def troubles(session: Session, run: Run, rows: Sequence[Reseating], at: datetime) -> dict[int, str]:
    """Return why some of the bundles that are not decided could not be accepted any more, in words."""
    open_ones = in_bundles(rows)
    settings = living.settings_of(run)
    world = World.of(session, run.course, settings, at, [row for some in open_ones.values() for row in some])
    found = ((bundle, world.trouble(some)) for bundle, some in open_ones.items())
    return {bundle: words for bundle, words in found if words}


def conclude(session: Session, run: Run, at: datetime) -> None:
    """Carry out a new proposal that may act by itself, and tell organisers of one that nobody asked for."""
    if run.requested_by is not None or not reseatings_of(session, run):
        return
    if rematches.wishes_of(run).act:
        accept(session, run, None, at)
    rematch_mails.tell_organisers(session, run.course, at)


def _open(session: Session, run: Run, chosen: Collection[int] | None) -> tuple[Course, Bundles]:
    """Lock the course of a rematch and return the bundles that can be decided."""
    course = session.get_one(Course, run.course_id)
    signups.lock(session, course)
    session.refresh(run, with_for_update=True)
    if run.kind is not RunKind.REMATCH or run.state not in (RunState.PROPOSED, RunState.PUBLISHED):
        raise Conflict(_("This run proposes nothing that could be decided."))
    found = in_bundles(reseatings_of(session, run))
    wanted = {n: rows for n, rows in found.items() if chosen is None or n in chosen}
    if not wanted:
        raise Conflict(_("This has been decided already, or other changes have overtaken it."))
    return course, wanted


def _carry_out(
    session: Session,
    run: Run,
    course: Course,
    rows: Sequence[Reseating],
    world: World,
    hold: timedelta,
) -> None:
    """Write what was accepted: cohorts, memberships, and mails to those touched."""
    at = world.at
    changes = {each for row in rows for each in (row.left, row.joined) if each is not None}
    if run.state is RunState.PROPOSED:
        run.state, run.published_at = RunState.PUBLISHED, at
    position = max(world.living.values(), default=0)
    for change in sorted(changes, key=lambda each: each.number):
        members = world.members[World.place(change)]
        if change.fate is Fate.OPENS:
            position += 1
            _open_cohort(run, change, position)
        elif not members:
            assert change.cohort is not None
            change.cohort.ended_at = at
        else:
            _change_cohort(change, course, rows, _is_whole(session, change), at)
    session.flush()
    for row in rows:
        if row.signup.waiting:
            row.was_waiting, row.signup.waiting = True, False
    seats_of = {row.signup: row.joined.cohort if row.joined else None for row in rows}
    because = {
        row.signup: memberships.ASKED if row.cause is Cause.ASKED else memberships.REMATCHED for row in rows
    }
    mails = memberships.move(session, seats_of, because, at, hold=hold, told=notices.Kind.RESEATED)
    for mail in mails:
        mail.run_id = run.id


def _open_cohort(run: Run, change: CohortChange, position: int) -> None:
    change.cohort = Cohort(
        run=run,
        position=position,
        name=change.name,
        score=change.score_after or 0.0,
        parts=change.parts,
        meetings=change.meetings,
        reasons=change.reasons,
    )


_WRITTEN_OVER: Final = ("meetings", "reasons", "parts", "score")


def _change_cohort(
    change: CohortChange, course: Course, rows: Sequence[Reseating], whole: bool, at: datetime
) -> None:
    """Let a cohort that goes on have what is true of its members now.

    When only part of its change is accepted, it keeps the common blocks that suit those who came, and what
    was said of all of its former members is said no more.
    """
    cohort = change.cohort
    assert cohort is not None
    if not change.was:
        change.was = {name: getattr(cohort, name) for name in _WRITTEN_OVER}
    if whole:
        cohort.meetings, cohort.reasons, cohort.parts = change.meetings, change.reasons, change.parts
        cohort.score = cohort.score if change.score_after is None else change.score_after
    else:
        came = [row.signup for row in rows if row.joined is change]
        cohort.meetings = [
            [each.zone, each.slot]
            for each in meetings.of_cohort(cohort)
            if all(seats.is_free(one, course, each, at) for one in came)
        ]
        cohort.reasons, cohort.parts = [], None
    if cohort.fixed and change.meeting_moves and change.meetings:
        zone, slot = change.meetings[0]
        cohort.fixed.append(
            FixedMeeting(sequence=cohort.fixed[-1].sequence + 1, zone=zone, slot=slot, fixed_at=at)
        )


def _is_whole(session: Session, change: CohortChange) -> bool:
    """Tell whether all that a rematch proposed about a cohort is accepted."""
    about = (Reseating.left_id == change.id) | (Reseating.joined_id == change.id)
    session.flush()
    missing = select(func.count()).where(about, Reseating.state != Decision.ACCEPTED)
    return not session.scalar(missing)


def until(session: Session, run: Run, at: datetime) -> datetime | None:
    """Return until when what was accepted of a rematch can be taken back."""
    return take_back.until(session, run, at) if run.kind is RunKind.REMATCH else None


def take_it_back(session: Session, run: Run, at: datetime) -> int:
    """Take back all that was accepted of a rematch, before its mails leave; return how many seats that were.

    Raises:
        Conflict: A mail has left, or somebody has moved on since.
    """
    course = session.get_one(Course, run.course_id)
    signups.lock(session, course)
    session.refresh(run, with_for_update=True)
    if until(session, run, at) is None:
        raise Conflict(_("The mails are on their way, so this cannot be taken back any more."))
    rows = in_bundles(reseatings_of(session, run), Decision.ACCEPTED)
    accepted = [row for some in rows.values() for row in some]
    _undo_seats(session, accepted)
    changes = {each for row in accepted for each in (row.left, row.joined) if each is not None}
    for change in changes:
        _undo_cohort(session, change, {row.decided_at for row in accepted})
    for row in accepted:
        row.signup.waiting = row.signup.waiting or row.was_waiting
        row.state, row.was_waiting, row.decided_at, row.decided_by_id = Decision.PROPOSED, False, None, None
    waiting = Mail.run_id == run.id, Mail.state == MailState.WAITING
    session.execute(update(Mail).where(*waiting).values(state=MailState.DROPPED, run_id=None))
    run.state, run.published_at = RunState.PROPOSED, None
    session.flush()
    session.expire_all()
    return len(accepted)


def _undo_seats(session: Session, rows: Sequence[Reseating]) -> None:
    """Let everybody sit where they sat.

    Raises:
        Conflict: Somebody does not sit where they were put any more.
    """
    ids = [row.signup_id for row in rows]
    stays: dict[int, list[Membership]] = defaultdict(list)
    for each in session.scalars(select(Membership).where(Membership.signup_id.in_(ids))):
        stays[each.signup_id].append(each)
    ended = []
    for row in rows:
        since = [each for each in stays[row.signup_id] if row.decided_at and each.since >= row.decided_at]
        goal = row.joined.cohort_id if row.joined else None
        there = [each.cohort_id for each in since if each.until is None]
        if (
            len(since) != len(there)
            or there != ([] if goal is None else [goal])
            or row.signup.state is not SignupState.CONFIRMED
        ):
            words = _("%(name)s has moved on since, so this cannot be taken back.", name=row.signup.name)
            raise Conflict(words)
        for each in since:
            session.delete(each)
        if row.left is not None:
            before = [each for each in stays[row.signup_id] if each not in since]
            ended.append(max(before, key=lambda each: each.since))
    session.flush()
    for each in ended:
        each.until, each.ended_because = None, ""
    session.flush()


def _undo_cohort(session: Session, change: CohortChange, moments: Collection[datetime | None]) -> None:
    cohort = change.cohort
    assert cohort is not None
    if change.fate is Fate.OPENS:
        change.cohort = None
        session.flush()
        session.execute(delete(Cohort).where(Cohort.id == cohort.id))
        session.expunge(cohort)
        return
    cohort.ended_at = None
    for name, value in change.was.items():
        setattr(cohort, name, value)
    change.was = {}
    for fixed in [each for each in cohort.fixed if each.signup_id is None and each.fixed_at in moments]:
        cohort.fixed.remove(fixed)
        session.delete(fixed)

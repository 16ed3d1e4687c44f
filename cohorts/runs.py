"""Runs: from sign-ups to a proposal."""

from __future__ import annotations

import json
import logging
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, joinedload, selectinload

from . import (
    deciding,
    history,
    language,
    learning,
    leases,
    person_blocks,
    pins,
    presence,
    rematches,
    remedies,
)
from .asking import custom_questions
from .database import Database
from .door import MatchSettings, Seen, match_answers, parts_of, sentence_of
from .exceptions import CohortsError, NotFound, RunInProgress, UnfitPool
from .language import gettext as _
from .language import marked
from .models import (
    Cohort,
    Course,
    CourseState,
    Run,
    RunKind,
    RunState,
    Seat,
    Signup,
    SignupState,
    User,
    now,
)
from .policies import FEW
from .roster_rows import cohort_name

if TYPE_CHECKING:
    from .door import Matching, Progress

REHEARSAL_SECONDS: Final = 10.0

_log = logging.getLogger(__name__)


def request(
    session: Session,
    course: Course,
    user: User | None,
    *,
    random_state: int = 0,
    **chosen: Any,
) -> Run:
    """Ask for a match of everybody who is confirmed and has a place.

    Settings that belong to the run and not to the course are given by name, see `MatchSettings`.

    Raises:
        RunInProgress: Another run of this course is under way.
        UnfitPool: There are fewer learners than one cohort needs.
    """
    n_learners = session.scalar(select(func.count()).select_from(Signup).where(*_matchable(course)))
    if not n_learners or n_learners < course.size_min:
        raise UnfitPool(
            _(
                "A cohort needs at least %(needed)s learners, but only %(confirmed)s have confirmed their "
                "sign-up so far.",
                needed=course.size_min,
                confirmed=n_learners or 0,
            )
        )
    chosen = {"dropout": history.expected_dropout(session, course)} | chosen
    return _queue(
        session,
        Run(
            course_id=course.id,
            parameters=MatchSettings.of_course(course, random_state=random_state, **chosen).as_json(),
            random_state=random_state,
            requested_by=user.id if user else None,
            n_learners=n_learners,
        ),
    )


def request_rematch(
    session: Session,
    course: Course,
    user: User | None,
    *,
    random_state: int = 0,
    time_limit: float | None = None,
    **wishes: Any,
) -> Run:
    """Ask for people to be seated again around the cohorts that stand.

    What it may do is given by name, see `rematches.Wishes`.

    Raises:
        RunInProgress: Another run of this course is under way.
        UnfitPool: There are no cohorts, or nobody needs another seat.
    """
    seen = rematches.scene(session, course, now())
    if course.state is not CourseState.RUNNING or not seen.cohorts:
        raise UnfitPool(_("No cohort of this course has members, so there is nothing to rematch around."))
    if not seen.is_needed:
        raise UnfitPool(
            _("Nobody is without a cohort or asked for another one, and no cohort is too small: all is well.")
        )
    run = rematches.new_run(
        session, seen, rematches.Wishes(**wishes), random_state=random_state, time_limit=time_limit
    )
    run.requested_by = user.id if user else None
    return _queue(session, run)


def rehearse(session: Session, course: Course, user: User | None) -> Run:
    """Ask for a short match that proposes nothing, to see how many would be unplaced now, and why.

    Raises:
        RunInProgress: A run of this course is under way.
        UnfitPool: There are fewer learners than one cohort needs.
    """
    run = request(session, course, user, time_limit=REHEARSAL_SECONDS, on_conflict="unplace")
    run.rehearsal = True
    session.flush()
    return run


def latest_rehearsal(session: Session, course: Course) -> Run | None:
    """Return the newest rehearsal of a course."""
    return session.scalar(
        select(Run)
        .where(Run.course_id == course.id, Run.rehearsal.is_(True))
        .order_by(Run.id.desc())
        .limit(1)
    )


def rerun(session: Session, run: Run, user: User | None, **changes: Any) -> Run:
    """Match again as in a run, with other settings where they are given by name; what is pinned stays.

    Raises:
        RunInProgress: Another run of this course is under way.
    """
    settings = learning.unlearnt(MatchSettings.from_json(run.parameters), run.learnt)
    settings = replace(settings, **changes)
    return _queue(
        session,
        Run(
            course_id=run.course_id,
            parameters=settings.as_json(),
            random_state=settings.random_state,
            requested_by=user.id if user else None,
            based_on_id=run.id,
            n_learners=session.scalar(
                select(func.count()).select_from(Signup).where(*_matchable(run.course))
            ),
        ),
    )


def _queue(session: Session, run: Run) -> Run:
    try:
        with session.begin_nested():
            session.add(run)
    except IntegrityError as error:
        raise RunInProgress from error
    return run


def cancel(session: Session, run: Run) -> None:
    """Stop a run: at once when it has not begun, within a second or two otherwise."""
    session.refresh(run, with_for_update=True)
    if run.state is RunState.QUEUED:
        run.state, run.finished_at = RunState.CANCELLED, now()
    elif run.state is RunState.RUNNING:
        run.cancel_requested = True
    session.flush()


def for_course(session: Session, course: Course) -> list[Run]:
    """Return the runs of a course that propose something, newest first."""
    mine = (Run.course_id == course.id, Run.rehearsal.is_(False))
    return list(session.scalars(select(Run).where(*mine).order_by(Run.id.desc())))


def get(session: Session, course: Course, key: str, *, kind: RunKind | None = RunKind.MATCH) -> Run:
    """Return one run of a course, of one kind or of any.

    Raises:
        NotFound: The course has no such run.
    """
    mine = (Run.course_id == course.id, Run.rehearsal.is_(False))
    run = session.scalar(select(Run).where(*mine, Run.key == key))
    if run is None or kind not in (None, run.kind):
        raise NotFound
    return run


def due(session: Session, at: datetime) -> list[int]:
    """Return the ids of the runs that wait for a worker, or whose worker has gone silent."""
    return list(session.scalars(select(Run.id).where(leases.claimable(at))))


def execute(database: Database, run_id: int, worker: str) -> None:
    """Carry out a run; doing so again, or beside another worker, changes nothing.

    The worker claims the run, renews its lease from a thread while it works, and stores the
    proposal only if the lease is still its own.
    """
    with database.transaction() as session:
        lease = leases.claim(session, run_id, worker)
        asker = select(User.locale).join(Run, Run.requested_by == User.id).where(Run.id == run_id)
        locale = session.scalar(asker)
        kind = session.scalar(select(Run.kind).where(Run.id == run_id))
    if lease is None:
        return
    # The names of cohorts and what went wrong are told in the language of whoever asked.
    with language.using(locale), leases.Heartbeat(database, lease) as heartbeat:
        try:
            find = rematches.find if kind is RunKind.REMATCH else _match
            keep = find(database, run_id, heartbeat)
        except CohortsError as error:
            _fail(database, lease, str(error))
        except Exception:
            _log.exception("run %d failed", run_id)
            _fail(
                database,
                lease,
                marked("The match stopped on an error of ours, which is noted. Nothing was changed."),
            )
        else:
            _store(database, lease, keep)


def _matchable(course: Course) -> tuple[ColumnElement[bool], ...]:
    """Who takes part in a match: confirmed, not on the waiting list, and not gone without a word."""
    return (
        Signup.course_id == course.id,
        Signup.state == SignupState.CONFIRMED,
        Signup.waiting.is_(False),
        ~presence.is_gone(),
    )


@dataclass(frozen=True, slots=True)
class _Found:
    """What a worker found for a run.

    Attributes:
        learners: Ids of the sign-ups in the order of the pool.
        matching: What the matcher found.
        pinned: What was kept.
        settings: What it was matched with.
        learnt: What earlier connections taught.
    """

    learners: list[int]
    matching: Matching
    pinned: pins.Pins
    settings: MatchSettings
    learnt: dict[str, Any] | None


def _match(database: Database, run_id: int, heartbeat: leases.Heartbeat) -> Callable[[Session, Run], None]:
    """Turn rows into a pool, learn from earlier connections, match, and return what stores that."""
    with database.reading() as session:
        run = session.get_one(Run, run_id, options=[joinedload(Run.course)])
        rows = session.scalars(
            select(Signup)
            .where(*_matchable(run.course))
            .order_by(Signup.id)
            .options(selectinload(Signup.interests))
        ).all()
        learners = [row.id for row in rows]
        pinned = pins.of_run(session, run.based_on_id, set(learners))
        answers = pins.together(rows, person_blocks.answers_with_blocks(session, rows), pinned)
        people = [(row.key, given) for row, given in zip(rows, answers, strict=True)]
        settings = learning.unlearnt(MatchSettings.from_json(run.parameters), run.learnt)
        times = pins.times(session, pinned)
        keys = {row.id: row.key for row in rows}
        # A rehearsal asks who could be placed, which no weight changes.
        seen = Seen([]) if run.rehearsal else learning.seen(session, run.course, keys, now())

    def report(progress: Progress) -> None:
        heartbeat.progress, heartbeat.stage = progress.fraction, str(progress.stage)

    if seen.connected:
        heartbeat.stage = marked("Learning from connections")
    settings, learnt = learning.learn(people, settings, seen, heartbeat.should_stop)
    place = {signup_id: number for number, signup_id in enumerate(learners)}
    kept = [[place[each] for each in members] for members in pinned.cohorts.values()]
    matching = match_answers(
        people,
        settings,
        kept=kept,
        times=times,
        progress=report,
        should_stop=heartbeat.should_stop,
    )
    return partial(_keep, found=_Found(learners, matching, pinned, settings, learnt))


def _fail(database: Database, lease: leases.Lease, reason: str) -> None:
    with database.transaction() as session:
        run = leases.held_run(session, lease)
        if run is not None:
            run.reason = reason
            leases.release(run, RunState.FAILED)


def _store(database: Database, lease: leases.Lease, keep: Callable[[Session, Run], None]) -> None:
    """Store what was found as the run's proposal, all or nothing, if the run is still ours."""
    with database.transaction() as session:
        run = leases.held_run(session, lease)
        if run is None:
            return
        if run.cancel_requested:
            leases.release(run, RunState.CANCELLED)
            return
        run.progress, run.stage = 1.0, ""
        leases.release(run, RunState.PROPOSED)
        keep(session, run)
        if run.kind is RunKind.REMATCH:
            deciding.conclude(session, run, now())


def _keep(session: Session, run: Run, found: _Found) -> None:
    """Store a matching as the proposal of a run, or what a rehearsal tells."""
    learners, matching = found.learners, found.matching
    if run.rehearsal:
        run.tally = _tally(run, matching)
    else:
        remaining = set(session.scalars(select(Signup.id).where(Signup.course_id == run.course_id)))
        session.add_all(_seats(run, learners, matching, remaining))
        remedies.note_languages(session, run, found.settings)
        pins.carry_over(session, run, found.pinned)
    # Whatever is weighed later, by hand or in words, is weighed as it was matched.
    run.parameters, run.learnt = found.settings.as_json(), found.learnt
    run.n_learners, run.n_placed = len(learners), len(learners) - len(matching.unplaced)
    run.objective, run.bound, run.seconds = matching.objective, matching.bound, matching.seconds


def _tally(run: Run, matching: Matching) -> list[Any]:
    """Return the reasons that five or more share, each with how many, and how many have another."""
    labels = {each.key: each.label for each in custom_questions(run.course)}
    reasons = [json.dumps(sentence_of(each.reason, labels), sort_keys=True) for each in matching.unplaced]
    common = [(json.loads(text), count) for text, count in Counter(reasons).most_common() if count >= FEW]
    return [*common, (None, len(reasons) - sum(count for _, count in common))]


def _seats(run: Run, learners: Sequence[int], matching: Matching, remaining: Collection[int]) -> list[Seat]:
    """Return a matching as the seats of a run, its cohorts along with them.

    Args:
        run: The run that led to the matching.
        learners: Ids of the sign-ups in the order of the matching's pool.
        matching: What the matcher found.
        remaining: Ids of the sign-ups that still exist; others were erased during the run.
    """
    labels = {each.key: each.label for each in custom_questions(run.course)}
    seats = [
        Seat(
            run_id=run.id,
            signup_id=learners[each.learner],
            reason=sentence_of(each.reason, labels),
            remedy=sentence_of(each.remedy, labels) if each.remedy else "",
            size_max=each.size_max,
            language=each.language,
        )
        for each in matching.unplaced
    ]
    for position, found in enumerate(matching.cohorts, start=1):
        cohort = Cohort(
            run_id=run.id,
            position=position,
            name=cohort_name(position),
            score=found.score,
            parts=parts_of(found.shares),
            meetings=[[meeting.zone, meeting.slot] for meeting in found.meetings],
            reasons=[sentence_of(each, labels) for each in found.reasons],
        )
        seats += [Seat(run_id=run.id, signup_id=learners[each], cohort=cohort) for each in found.members]
    return [seat for seat in seats if seat.signup_id in remaining]

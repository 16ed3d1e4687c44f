"""Proposals: what a run suggests, and how it becomes official."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from statistics import fmean, quantiles
from typing import Any, Final, NamedTuple

from sqlalchemy import select, update
from sqlalchemy.orm import Session, joinedload, load_only

from . import courses, language, living, memberships, notices, parts, person_blocks, weighing
from .exceptions import Conflict
from .language import gettext as _
from .language import marked
from .meetings import Meeting, of_cohort, wanted, weekly
from .models import (
    Cohort,
    Course,
    CourseState,
    FixedMeeting,
    Membership,
    Presence,
    Run,
    RunState,
    Seat,
    Signup,
    SignupState,
    now,
)


class Member(NamedTuple):
    """What pages tell of a learner in a proposal: reading whole sign-ups of thousands would take seconds."""

    id: int
    key: str
    name: str
    time_zone: str
    convenor: bool
    state: SignupState
    waiting: bool
    removed_at: datetime | None


_TOLD: Final = (
    Signup.id,
    Signup.key,
    Signup.name,
    Signup.time_zone,
    Signup.convenor,
    Signup.state,
    Signup.waiting,
)


@dataclass(frozen=True, slots=True)
class Scores:
    """How good the cohorts of a proposal are."""

    mean: float
    tenth: float
    worst: float
    best: float


def scores_of(cohorts: Iterable[float]) -> Scores | None:
    """Return the scores of some cohorts in four numbers; None when there are no cohorts."""
    found = sorted(cohorts)
    if not found:
        return None
    tenth = quantiles(found, n=10, method="inclusive")[0] if len(found) > 1 else found[0]
    return Scores(fmean(found), tenth, found[0], found[-1])


@dataclass(frozen=True, slots=True)
class ProposedCohort:
    """A cohort of a proposal with its members, in the order of their names."""

    cohort: Cohort
    members: list[Member]
    meetings: list[Meeting]

    @property
    def score(self) -> float:
        """The cohort's score, as the matcher gave it."""
        return self.cohort.score


@dataclass(frozen=True, slots=True)
class Proposal:
    """What a run proposes: cohorts, the seats of those who are in none, and the ids of who is pinned."""

    cohorts: list[ProposedCohort]
    unplaced: list[Seat]
    pinned: frozenset[int]


def of_run(session: Session, run: Run) -> Proposal:
    """Return what a run proposes, in a fixed number of queries."""
    cohorts = session.scalars(select(Cohort).where(Cohort.run_id == run.id).order_by(Cohort.position)).all()
    seated = session.execute(
        select(Seat.cohort_id, Seat.pinned, *_TOLD, Presence.removed_at)
        .join(Signup, Signup.id == Seat.signup_id)
        .outerjoin(Presence, Presence.signup_id == Signup.id)
        .where(Seat.run_id == run.id, Seat.cohort_id.is_not(None))
    ).all()
    members: dict[int | None, list[Member]] = defaultdict(list)
    for cohort_id, _pinned, *about in seated:
        members[cohort_id].append(Member(*about))
    return Proposal(
        [
            ProposedCohort(cohort, sorted(members[cohort.id], key=_by_name), of_cohort(cohort))
            for cohort in cohorts
        ],
        sorted(_unplaced(session, run), key=lambda seat: _by_name(seat.signup)),
        frozenset(signup_id for _cohort_id, pinned, signup_id, *_ in seated if pinned),
    )


def of_living(session: Session, course: Course) -> Proposal:
    """Return the living cohorts of a course with their members now, and who is in none, in the same shape.

    The seats of the latter are of no proposal, and so are not stored.
    """
    here = (Membership.signup_id == Signup.id) & Membership.until.is_(None)
    rows: Sequence[Any] = session.execute(
        select(Membership.cohort_id, *_TOLD, Presence.removed_at)
        .select_from(Signup)
        .outerjoin(Membership, here)
        .outerjoin(Presence, Presence.signup_id == Signup.id)
        .where(Signup.id.in_(living.people(course.id)))
    ).all()
    members: dict[int | None, list[Member]] = defaultdict(list)
    for cohort_id, *about in rows:
        members[cohort_id].append(Member(*about))
    nowhere = session.scalars(
        select(Signup)
        .where(Signup.id.in_([each.id for each in members[None]]))
        .options(load_only(*_TOLD), joinedload(Signup.presence))
    ).all()
    return Proposal(
        [
            ProposedCohort(each, sorted(members[each.id], key=_by_name), of_cohort(each))
            for each in living.cohorts_of(session, course)
        ],
        [
            Seat(signup=each, reason=marked("In no cohort now."), remedy="")
            for each in sorted(nowhere, key=_by_name)
        ],
        frozenset(),
    )


def _unplaced(session: Session, run: Run) -> Sequence[Seat]:
    told = joinedload(Seat.signup)
    return session.scalars(
        select(Seat)
        .where(Seat.run_id == run.id, Seat.cohort_id.is_(None))
        .options(told.load_only(*_TOLD), told.joinedload(Signup.presence))
    ).all()


def _by_name(learner: Signup | Member) -> str:
    return learner.name.casefold()


def publish(
    session: Session,
    run: Run,
    chosen: Collection[str] | None = None,
    *,
    seen: int | None = None,
    hold: timedelta = timedelta(),
) -> Run | None:
    """Make a proposal official: open the memberships and write to everybody concerned.

    Whoever has withdrawn since is left out, also when they came back to wait for a place. Cohorts of
    an earlier run end. With ``chosen``, the keys of some cohorts, only these become official; the others,
    and who has no cohort, are a proposal of their own then, which is returned. ``seen`` is the version of
    the board that was looked at, and the mails leave after ``hold``.

    Raises:
        Conflict: The run is no proposal (any more), somebody has changed it, nothing was chosen, or the
            course meets at other times by now.
    """
    locked = select(Course).where(Course.id == run.course_id).with_for_update()
    course = session.scalars(locked.execution_options(populate_existing=True)).one()
    session.refresh(run, with_for_update=True)
    if run.state is not RunState.PROPOSED:
        raise Conflict(_("This run is not a proposal any more, so it cannot be published."))
    if seen is not None and seen != weighing.version(session, run):
        raise Conflict(
            _("Somebody has changed these cohorts by hand since. Look at them before you publish.")
        )
    require_same_times(course, run)
    parts.require_latest(session, run)
    rest = None if chosen is None else parts.leave_rest(session, run, chosen)
    _require_apart(session, run)
    at = now()
    _end_cohorts(session, course, run, at)
    _open_memberships(session, run, at, hold)
    _fix_chosen_times(session, run, at)
    run.state, run.published_at, run.course_was = RunState.PUBLISHED, at, course.state
    courses.move(session, course, CourseState.RUNNING)
    session.flush()
    return rest


def _require_apart(session: Session, run: Run) -> None:
    """Refuse to seat two together of whom one has wished since to be apart from the other.

    Raises:
        Conflict: There are such; who they are is not said.
    """
    seats = session.scalars(
        select(Seat)
        .where(Seat.run_id == run.id, Seat.cohort_id.is_not(None))
        .options(joinedload(Seat.signup).joinedload(Signup.presence))
    )
    cohort_of = {seat.signup_id: seat.cohort_id for seat in seats if takes_part(seat.signup)}
    for one, other in person_blocks.pairs(session, run.course_id):
        if one in cohort_of and cohort_of[one] == cohort_of.get(other):
            raise Conflict(
                _("Since this run somebody has changed a wish that these cohorts do not keep. Match again.")
            )


def _open_memberships(session: Session, run: Run, at: datetime, hold: timedelta) -> None:
    """Seat everybody and write to them; whoever took a seat elsewhere in the meantime has one."""
    seats = session.scalars(
        select(Seat).where(Seat.run_id == run.id).options(joinedload(Seat.signup).joinedload(Signup.presence))
    ).all()
    theirs = select(Seat.signup_id).where(Seat.run_id == run.id)
    seated = set(
        session.scalars(
            select(Membership.signup_id).where(Membership.signup_id.in_(theirs), Membership.until.is_(None))
        )
    )
    since = memberships.beginnings(session, [seat.signup_id for seat in seats], at)
    for seat in seats:
        if not takes_part(seat.signup) or seat.signup_id in seated:
            continue
        kind = notices.Kind.PLACED
        if seat.cohort_id is None:
            kind = notices.Kind.UNPLACED
            seat.reason = seat.reason or marked("No cohort was found that suits you and the others.")
        else:
            begins = since[seat.signup_id]
            session.add(Membership(signup_id=seat.signup_id, cohort_id=seat.cohort_id, since=begins))
        mail = notices.enqueue(session, kind, signup=seat.signup)
        mail.run_id, mail.not_before = run.id, at + hold


def _fix_chosen_times(session: Session, run: Run, at: datetime) -> None:
    """Fix the weekly times that were chosen on the board, as far as they hold; the first mail tells them."""
    for cohort in session.scalars(select(Cohort).where(Cohort.run_id == run.id)):
        time = wanted(cohort)
        if time is not None and time == weekly(cohort):
            cohort.fixed.append(FixedMeeting(sequence=1, zone=time.zone, slot=time.slot, fixed_at=at))


def takes_part(signup: Signup | Member) -> bool:
    """Tell whether a learner with a seat in a proposal is still one of those who are matched."""
    if isinstance(signup, Signup):
        removed_at = signup.presence.removed_at if signup.presence else None
    else:
        removed_at = signup.removed_at
    return signup.state is SignupState.CONFIRMED and not signup.waiting and removed_at is None


def require_same_times(course: Course, run: Run) -> None:
    """Refuse a proposal whose common blocks were found for other weeks or other meetings.

    Raises:
        Conflict: The course has changed since; the message says in what.
    """
    changed = [
        words
        for name, words in courses.TIMES.items()
        if name in run.parameters and run.parameters[name] != _as_kept(getattr(course, name))
    ]
    if changed:
        raise Conflict(
            _(
                "Since this run the course has changed: %(what)s. These cohorts may not be able to meet. "
                "Match again, or change the settings back.",
                what=language.listing(changed),
            )
        )


def _as_kept(value: date | int) -> str | int:
    """Return a setting of a course as it is kept with a run."""
    return value.isoformat() if isinstance(value, date) else value


def _end_cohorts(session: Session, course: Course, run: Run, at: datetime) -> None:
    """End the living cohorts of a course, because a new proposal takes their place.

    Those of other parts of the same proposal go on.
    """
    living = (
        select(Cohort.id)
        .join(Run)
        .where(Run.course_id == course.id, Run.state == RunState.PUBLISHED, Cohort.ended_at.is_(None))
        .where(parts.family_of(Run) != parts.family_id(run))
    )
    session.execute(
        update(Membership)
        .where(Membership.cohort_id.in_(living), Membership.until.is_(None))
        .values(until=memberships.ending(at), ended_because=memberships.REPLACED)
        .execution_options(synchronize_session="fetch")
    )
    session.execute(update(Cohort).where(Cohort.id.in_(living)).values(ended_at=at))

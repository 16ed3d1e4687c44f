"""Taking back what was published, while its mails have not left yet."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, delete, func, or_, select, update
from sqlalchemy.orm import Session

from . import adjust, notices, parts, roster
from .exceptions import Conflict
from .language import gettext as _
from .memberships import REPLACED
from .models import (
    Cohort,
    Course,
    FixedMeeting,
    Mail,
    MailState,
    MeetingVote,
    Membership,
    Run,
    RunKind,
    RunState,
    Signup,
    SignupState,
    now,
)


def until(session: Session, run: Run, at: datetime) -> datetime | None:
    """Return when the mails about a published run leave; None once any has, or there are none."""
    if run.state is not RunState.PUBLISHED or _is_overtaken(session, run):
        return None
    return notices.held_until(session, Mail.run_id == run.id, at)


def _is_overtaken(session: Session, run: Run) -> bool:
    """Tell whether people were seated again since: then the cohorts of a run are gone, or not its own."""
    others = or_(Run.kind == RunKind.REMATCH, parts.family_of(Run) != parts.family_id(run))
    return session.scalar(select(Run.id).where(*_later(run), others).limit(1)) is not None


def _later(run: Run) -> tuple[ColumnElement[bool], ...]:
    """Which runs of the course were published since."""
    since = Run.published_at >= run.published_at
    return Run.course_id == run.course_id, Run.id != run.id, Run.state == RunState.PUBLISHED, since


def take_back(session: Session, run: Run) -> None:
    """Make a published run a proposal again, as if it had never been published.

    Its mails do not leave, and nobody has been a member of its cohorts. What it took the place of lives on,
    and the course is as it was.

    Raises:
        Conflict: A mail has left already, or the run is not published.
    """
    locked = select(Course).where(Course.id == run.course_id).with_for_update()
    course = session.scalars(locked.execution_options(populate_existing=True)).one()
    session.refresh(run, with_for_update=True)
    if run.state is not RunState.PUBLISHED or until(session, run, now()) is None:
        raise Conflict(_("The mails are on their way, so this cannot be taken back any more."))
    _require_untouched(session, run)
    waiting = Mail.run_id == run.id, Mail.state == MailState.WAITING, Mail.attempts == 0
    dropped = session.execute(update(Mail).where(*waiting).values(state=MailState.DROPPED, run_id=None))
    left = session.scalar(select(func.count()).where(Mail.run_id == run.id))
    if left or not dropped.rowcount:  # type: ignore[attr-defined]
        raise Conflict(_("The mails are on their way, so this cannot be taken back any more."))
    published = run.published_at
    cohorts = select(Cohort.id).where(Cohort.run_id == run.id)
    for kind in (Membership, FixedMeeting, MeetingVote):
        session.execute(delete(kind).where(kind.cohort_id.in_(cohorts)))
    _revive(session, course, published)
    # As long as another part of the proposal is published the course runs; taken back, that one ends it.
    other = session.scalar(select(Run).where(*_later(run)).order_by(Run.published_at, Run.id).limit(1))
    if run.course_was is not None and other is not None:
        other.course_was = run.course_was
    elif run.course_was is not None:
        course.state = run.course_was
    run.state, run.published_at, run.course_was = RunState.PROPOSED, None, None
    session.flush()


def _require_untouched(session: Session, run: Run) -> None:
    """Refuse to take back cohorts whose members were moved by hand since."""
    latest = roster.latest_published(session, run.course)
    for each in {run.id: run, **({latest.id: latest} if latest else {})}.values():
        done, _undone = adjust.walk(adjust.adjustments(session, each, living=True))
        if done:
            raise Conflict(_("Learners were moved by hand since. Undo that on the board first."))


def _revive(session: Session, course: Course, ended: datetime | None) -> None:
    """Let the cohorts live again that ended at a moment because others took their place."""
    replaced = select(Cohort.id).join(Run).where(Run.course_id == course.id, Cohort.ended_at == ended)
    # Whoever left the course in the meantime, or was somewhere else since, does not find themselves back.
    there = select(Signup.id).where(Signup.state == SignupState.CONFIRMED, Signup.waiting.is_(False))
    since = select(Membership.signup_id).where(or_(Membership.until.is_(None), Membership.since >= ended))
    session.execute(
        update(Membership)
        .where(Membership.cohort_id.in_(replaced), Membership.until == ended)
        .where(Membership.ended_because == REPLACED, Membership.signup_id.in_(there))
        .where(Membership.signup_id.not_in(since))
        .values(until=None, ended_because="")
        .execution_options(synchronize_session=False)
    )
    session.execute(
        update(Cohort)
        .where(Cohort.id.in_(replaced))
        .values(ended_at=None)
        .execution_options(synchronize_session=False)
    )
    session.expire_all()

"""A course that rematches by itself: each night, or as soon as a cohort has become too small."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from hashlib import sha256
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from . import rematches, runs, signups
from .exceptions import InvalidInput, RunInProgress
from .language import gettext as _
from .models import Course, CourseState, RematchRule, RematchWhen
from .rematches import Scene

HOUR: Final = 3
"""When the night is looked at, in UTC."""


def of_course(session: Session, course: Course) -> RematchRule:
    """Return the rule of a course; one that nobody has set says never, and is not stored."""
    return session.get(RematchRule, course.id) or RematchRule(
        course_id=course.id, trigger=RematchWhen.NEVER, move_meetings=False, keep_small=True, seen=""
    )


def choose(
    session: Session,
    course: Course,
    trigger: RematchWhen,
    *,
    act_within: int | None = None,
    move_meetings: bool = False,
    keep_small: bool = True,
) -> None:
    """Set the rule of a course.

    Raises:
        InvalidInput: The number of moves is negative.
    """
    if act_within is not None and act_within < 0:
        raise InvalidInput({"act_within": [_("Write a number of 0 or more.")]})
    signups.lock(session, course)
    rule = of_course(session, course)
    rule.trigger, rule.act_within = trigger, act_within
    rule.move_meetings, rule.keep_small = move_meetings, keep_small
    # What was proposed under another rule may be worth another look.
    rule.seen = ""
    session.add(rule)
    session.flush()


def see_to(session: Session, at: datetime) -> list[int]:
    """Ask for the rematches that are due by the rules of courses; return the ids of the runs.

    Nothing is asked for twice while nothing has changed, and nothing beside a run that is under way.
    """
    rules = session.scalars(
        select(RematchRule)
        .join(Course)
        .where(RematchRule.trigger != RematchWhen.NEVER, Course.state == CourseState.RUNNING)
        .order_by(RematchRule.course_id)
        .with_for_update(of=RematchRule, skip_locked=True)
    ).all()
    return [run_id for rule in rules for run_id in _see_to_one(session, rule, at)]


def _see_to_one(session: Session, rule: RematchRule, at: datetime) -> Sequence[int]:
    is_nightly = rule.trigger is RematchWhen.NIGHTLY
    if is_nightly and (rule.looked_on == at.date() or at.hour < HOUR):
        return ()
    seen = rematches.scene(session, rule.course, at)
    due = seen.is_needed if is_nightly else bool(seen.small)
    state = _digest(seen, small_only=not is_nightly) if due else ""
    if not due or state == rule.seen:
        rule.seen, rule.looked_on = state, at.date()
        session.flush()
        return ()
    try:
        run = runs.request_rematch(
            session,
            rule.course,
            None,
            max_moves=rule.act_within,
            move_meetings=rule.move_meetings,
            keep_small=rule.keep_small,
            act=rule.act_within is not None,
        )
    except RunInProgress:
        return ()  # it is looked at again once that run is over
    rule.seen, rule.looked_on = state, at.date()
    session.flush()
    return (run.id,)


def _digest(seen: Scene, *, small_only: bool) -> str:
    """Return a text that is another one whenever a rematch might find something else to do."""
    small = sorted((each.id, sorted(one.id for one in seen.members[each.id])) for each in seen.small)
    rest = [] if small_only else [sorted(each.id for each in seen.without), sorted(seen.asked)]
    waiting = [] if small_only else [sorted(each.id for each in seen.waiting)]
    return sha256(repr((small, rest, waiting)).encode()).hexdigest()

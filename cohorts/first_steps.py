"""The one thing that a member of a cohort can do next."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from . import meetings
from .attendance import Sheet
from .choosing import Votes, may_convene
from .models import Cohort, Signup

_RECENT: Final = timedelta(days=6)


class Step(StrEnum):
    """What is asked of a member; the page has the words."""

    TELL = "tell"
    VOTE = "vote"
    FIX = "fix"
    CHANNEL = "channel"
    ANSWER = "answer"
    WAIT = "wait"
    HELLO = "hello"


def next_step(
    cohort: Cohort, member: Signup, votes: Votes, coming: Sheet | None, latest: Sheet | None, at: datetime
) -> Step:
    """Return the smallest thing that brings a cohort on, of what this member may do.

    Args:
        cohort: With its memberships.
        member: Who is asked.
        votes: What members think of the common times.
        coming: The next meeting, if there is one.
        latest: The last meeting, if there was one.
        at: Now.
    """
    convenes = may_convene(cohort, member)
    if latest is not None and not latest.is_noted and at - latest.occurrence.starts_at < _RECENT:
        return Step.TELL
    if meetings.of_cohort(cohort) and not cohort.fixed:
        if not votes.mine and len(votes.counts) > 1:
            return Step.VOTE
        return Step.FIX if convenes else Step.WAIT
    if convenes and not cohort.channel:
        return Step.CHANNEL
    if coming is not None and coming.answer_of(member) is None and coming.occurrence.starts_at > at:
        return Step.ANSWER
    return Step.HELLO

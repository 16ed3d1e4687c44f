"""Which mails a learner wants: some kinds can be stopped, the others answer what the learner did."""

from __future__ import annotations

from collections.abc import Collection
from enum import StrEnum

from sqlalchemy.orm import Session

from .models import Signup


class Topic(StrEnum):
    """What a mail that can be stopped is about."""

    REMINDERS = "reminders"
    CHECK_INS = "check-ins"
    NEWS = "news"
    LETTERS = "letters"


def wants(signup: Signup, topic: Topic) -> bool:
    """Tell whether a learner gets mails about a topic; everybody does who has not stopped them."""
    return topic.value not in signup.stopped_mails


def choose(session: Session, signup: Signup, wanted: Collection[Topic]) -> None:
    """Send a learner mails about these topics and no others."""
    signup.stopped_mails = [topic.value for topic in Topic if topic not in wanted]
    session.flush()


def stop(session: Session, signup: Signup, topics: Collection[Topic]) -> None:
    """Send no more mails about some topics; stopping twice does nothing the second time."""
    choose(session, signup, _wanted(session, signup) - set(topics))


def resume(session: Session, signup: Signup, topics: Collection[Topic]) -> None:
    """Send mails about some topics again."""
    choose(session, signup, _wanted(session, signup) | set(topics))


def _wanted(session: Session, signup: Signup) -> set[Topic]:
    # Two mails that are stopped in one moment must not undo each other.
    session.refresh(signup, ["stopped_mails"], with_for_update=True)
    return {topic for topic in Topic if wants(signup, topic)}

"""How a course stands, in words, and what its organiser can do with it by hand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy.orm import Session

from cohorts import courses, signups
from cohorts.language import gettext as _
from cohorts.language import lazy_gettext as lazy
from cohorts.models import Course, CourseState, now
from cohorts.signups import Phase, phase


def _to(state: CourseState) -> Callable[[Session, Course], None]:
    return lambda session, course: courses.move(session, course, state)


MOVES: Final[dict[str, tuple[Callable[[Session, Course], object], str]]] = {
    "open": (
        lambda session, course: courses.open_sign_up(session, course, at=now()),
        lazy("Sign-up is open."),
    ),
    "announce": (courses.announce, lazy("The page can be seen. Sign-up opens by itself.")),
    "close": (
        courses.close_sign_up,
        lazy("Sign-up is closed. Whoever comes now is put on the waiting list."),
    ),
    "hide": (_to(CourseState.DRAFT), lazy("The page is hidden again.")),
    "admit": (signups.admit, lazy("Whoever waited has a place now, as far as there are places.")),
    "finish": (_to(CourseState.FINISHED), lazy("The course is finished.")),
    "resume": (_to(CourseState.RUNNING), lazy("The course is running again.")),
}
"""What an organiser can do with a course by hand, and what is said afterwards."""


@dataclass(frozen=True, slots=True)
class Outlook:
    """Where a course stands, and what comes next.

    Attributes:
        actions: Key in ``MOVES``, words and kind of each button.
        matches: True when the next step is to match.
        has_roster: True when cohorts are published.
        admits: True when late learners wait until the organiser gives them places.
    """

    title: str
    text: str
    actions: tuple[tuple[str, str, str], ...] = ()
    matches: bool = False
    has_roster: bool = False
    admits: bool = False


_FIXED: Final = {
    CourseState.RUNNING: Outlook(
        lazy("The course is running"),
        lazy("Its cohorts are published; learners see theirs by their personal link."),
        (("finish", lazy("Finish the course"), "quiet"),),
        has_roster=True,
        admits=True,
    ),
    CourseState.FINISHED: Outlook(
        lazy("The course is finished"),
        lazy("Rosters stay here."),
        (("resume", lazy("Run it again"), "quiet"),),
        has_roster=True,
    ),
}


_BY_PHASE: Final = {
    Phase.NOT_YET: Outlook(
        lazy("Sign-up opens soon"),
        lazy("The page can be seen already."),
        (("open", lazy("Open now"), ""), ("hide", lazy("Hide the page"), "quiet")),
    ),
    Phase.OPEN: Outlook(
        lazy("Sign-up is open"),
        lazy("Share the link. You can match at any time; nothing is final before you publish."),
        (("close", lazy("Close sign-up"), "quiet"), ("hide", lazy("Hide the page"), "plain")),
        matches=True,
    ),
    Phase.LATE: Outlook(
        lazy("Sign-up is closed"),
        lazy("Whoever comes now is put on the waiting list. The next step is to match."),
        (("open", lazy("Open again"), "quiet"),),
        matches=True,
        admits=True,
    ),
    Phase.OVER: Outlook(lazy("The course is over"), lazy("Its last week has passed.")),
}


def outlook(course: Course, at: datetime) -> Outlook:
    """Return where a course stands at a moment."""
    if course.state in _FIXED:
        return _FIXED[course.state]
    if course.state is CourseState.DRAFT:
        return _draft(course.opens_at is not None and course.opens_at > at)
    return _BY_PHASE[phase(course, at)]


def _draft(soon: bool) -> Outlook:
    if soon:
        actions = (("announce", _("Show the page"), ""), ("open", _("Open sign-up now"), "quiet"))
        return Outlook(_("This is a draft"), _("Show the page, and sign-up opens by itself."), actions)
    return Outlook(
        _("This is a draft"),
        _("Only you see it. Open sign-up when it looks right."),
        (("open", _("Open sign-up"), ""),),
    )

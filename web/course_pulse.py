"""What the desk tells of a running course: its pulse in counts of five or more, and who asks for help."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy.orm import Session

from cohorts import help_requests, nudges, pauses, pulse
from cohorts.checkins import PRESENCES
from cohorts.language import lazy_gettext as _l
from cohorts.models import Course, CourseState, now
from cohorts.policies import FEW

from .changes_forms import MET, REASONS

NAMES: Final = (("social", _l("Social")), ("cognitive", _l("Cognitive")), ("teaching", _l("Teaching")))
"""What the presences are called, in the order of the table."""


def on_desk(session: Session, course: Course) -> dict[str, Any]:
    """Return what ``organiser/_pulse.html`` shows; nothing before there are cohorts."""
    requests = help_requests.of_course(session, course)
    lost = {"gone": nudges.gone(session, course), "unreachable": nudges.unreachable(session, course)}
    if course.state not in (CourseState.RUNNING, CourseState.FINISHED) and not any(
        (requests, *lost.values())
    ):
        return {"pulse": None}
    words = dict(REASONS)
    away = pauses.count(session, course, now())
    found = {
        "requests": requests,
        **lost,
        "weeks": pulse.weeks(session, course),
        "met": MET,
        "presences": [(key, name, PRESENCES[key]) for key, name in NAMES],
        "reasons": [(words[because], count) for because, count in pulse.reasons_to_leave(session, course)],
        "words": pulse.words_on_leaving(session, course),
        "away": away if away >= FEW else None,
        "asked": nudges.count_asked(session, course),
    }
    return {"pulse": found}

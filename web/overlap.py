"""The live count beside the week of the sign-up form: how many share a meeting time with it so far."""

from __future__ import annotations

from typing import Any, Final

from flask import abort, current_app, jsonify, request
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm
from wtforms import StringField

from cohorts import signups
from cohorts.answers import time_zones
from cohorts.language import gettext as _
from cohorts.language import number
from cohorts.models import Course, Signup
from cohorts.overlap import is_long_enough, overlap
from cohorts.policies import FEW
from cohorts.week import SLOTS

from .database import session
from .forms import SlotsField
from .limits import RateLimit
from .personal import blueprint

QUESTIONS_A_MINUTE: Final = 240
"""Somebody who paints asks thirty times a minute; a class that signs up together has one address."""


class WeekForm(FlaskForm):  # type: ignore[misc]
    """The week of the sign-up form, by itself."""

    time_zone = StringField()
    availability = SlotsField()
    if_needed = SlotsField()

    @property
    def slots(self) -> frozenset[int]:
        """Every half hour that would do."""
        return frozenset(self.availability.data | self.if_needed.data)

    def validate(self, extra_validators: Any = None) -> bool:
        """Refuse a zone that nobody lives in and half hours that no week has."""
        fits = self.time_zone.data in time_zones() and all(slot < SLOTS for slot in self.slots)
        return bool(super().validate(extra_validators)) and fits


@blueprint.post("/c/<slug>/overlap")
def count_overlap(slug: str) -> ResponseReturnValue:
    """Answer with a sentence about a week that is not stored, nor logged: hence no GET."""
    limit = current_app.extensions.setdefault("overlap_limit", RateLimit(QUESTIONS_A_MINUTE, 60))
    if not limit.allows(request.remote_addr or ""):
        abort(429)
    course = signups.public_course(session(), slug)
    form = WeekForm()
    if not form.validate():
        abort(422)
    return jsonify(text=in_words(course, form.time_zone.data, form.slots))


def of_signup(signup: Signup) -> str:
    """Return the sentence for somebody who has signed up, about the others."""
    slots = signup.availability | signup.if_needed
    return in_words(signup.course, signup.time_zone, slots, without=signup.id)


def in_words(course: Course, time_zone: str, slots: frozenset[int], *, without: int | None = None) -> str:
    """Say how many share a meeting time with these hours, or why that cannot be said."""
    found = overlap(session(), course, time_zone, slots, without=without)
    if not is_long_enough(slots, course.meeting_minutes):
        return _(
            "Mark %(minutes)s minutes in a row, as long as a meeting, to see how many share a time with you.",
            minutes=course.meeting_minutes,
        )
    if found.total is None:
        return _("Too few have signed up yet to say how many share a meeting time with you.")
    if found.shared is None:
        return _(
            "Fewer than %(few)s of %(total)s share a meeting time with you so far. More hours would help.",
            few=FEW,
            total=number(found.total),
        )
    return _(
        "You share a meeting time with about %(shared)s of %(total)s people so far.",
        shared=number(found.shared),
        total=number(found.total),
    )

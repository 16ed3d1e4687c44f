"""The forms about rematching: what one may do, and when it is done by itself."""

from __future__ import annotations

from typing import Any

from flask_wtf import FlaskForm
from wtforms import BooleanField, RadioField, SelectChoice
from wtforms.validators import Optional

from cohorts.language import lazy_gettext as lazy
from cohorts.models import RematchRule, RematchWhen

from .course_forms import WholeNumberField


class RematchForm(FlaskForm):  # type: ignore[misc]
    """What a rematch may do."""

    max_moves = WholeNumberField(
        lazy("At most this many members change cohort"),
        validators=[Optional()],
    )
    move_meetings = BooleanField(lazy("Cohorts may get another meeting time"))
    keep_small = BooleanField(lazy("Keep a small cohort together if nothing better is found"))

    def wishes(self) -> dict[str, Any]:
        """Return what a rematch may do, by the names of `cohorts.rematches.Wishes`."""
        return {
            "max_moves": self.max_moves.data,
            "move_meetings": self.move_meetings.data,
            "keep_small": self.keep_small.data,
        }


class RematchRuleForm(FlaskForm):  # type: ignore[misc]
    """When a course is rematched by itself."""

    trigger = RadioField(
        lazy("When should this happen?"),
        choices=[
            SelectChoice(RematchWhen.NEVER.value, lazy("never")),
            SelectChoice(RematchWhen.NIGHTLY.value, lazy("each night")),
            SelectChoice(RematchWhen.TOO_SMALL.value, lazy("as soon as a cohort has become too small")),
        ],
    )
    acts = RadioField(
        lazy("What should be done with the result?"),
        choices=[
            SelectChoice("propose", lazy("propose it, and mail the organisers")),
            SelectChoice("act", lazy("do it at once, within the limit below")),
        ],
    )
    act_within = WholeNumberField(
        lazy("At most this many members change cohort without asking you"), validators=[Optional()]
    )
    rule_meetings = BooleanField(lazy("Cohorts may get another meeting time"))
    rule_small = BooleanField(lazy("Keep a small cohort together if nothing better is found"))

    @classmethod
    def of(cls, rule: RematchRule) -> RematchRuleForm:
        """Return a form that shows a rule, or what was just sent."""
        form: RematchRuleForm = cls(
            data={
                "trigger": rule.trigger.value,
                "acts": "propose" if rule.act_within is None else "act",
                "act_within": rule.act_within,
                "rule_meetings": rule.move_meetings,
                "rule_small": rule.keep_small,
            }
        )
        return form

    def chosen(self) -> dict[str, Any]:
        """Return the rule, by the names of `cohorts.rematch_rules.choose`."""
        return {
            "trigger": RematchWhen(self.trigger.data),
            "act_within": (self.act_within.data or 0) if self.acts.data == "act" else None,
            "move_meetings": self.rule_meetings.data,
            "keep_small": self.rule_small.data,
        }

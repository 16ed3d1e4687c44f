"""The form of one of a course's own questions."""

from __future__ import annotations

from typing import Any, Final, Self

from flask_wtf import FlaskForm
from wtforms import BooleanField, RadioField, SelectChoice, SelectField, StringField, TextAreaField
from wtforms.validators import Length

from cohorts import custom
from cohorts.exceptions import InvalidInput
from cohorts.kinds import CHOICES, KINDS
from cohorts.language import lazy_gettext as lazy
from cohorts.questions import Counts, CustomQuestion, Kind

from .course_forms import ASKED, tidy, weight_field

COUNTS: Final = {
    Counts.SIMILAR: lazy("People with like answers come together"),
    Counts.DIVERSE: lazy("People with different answers come together"),
    Counts.BALANCED: lazy("Every cohort has a mix like the whole course"),
    Counts.COMPLEMENTARY: lazy("Who wants help meets who offers it"),
    Counts.SAME: lazy("Everybody in a cohort gave the same answer: a rule, whatever it costs"),
    Counts.SHOWN: lazy("Not at all: it is only shown"),
}
"""How a question enters a match, in words."""

SHORT_COUNTS: Final = {
    Counts.SIMILAR: lazy("like answers"),
    Counts.DIVERSE: lazy("different answers"),
    Counts.BALANCED: lazy("a mix in every cohort"),
    Counts.COMPLEMENTARY: lazy("wants meet offers"),
    Counts.SAME: lazy("the same answer, as a rule"),
    Counts.SHOWN: lazy("only shown"),
}

OPTIONS: Final = {
    Kind.MANY: lazy("Suggestions to tick"),
    Kind.FAVOURITES: lazy("Suggestions while typing"),
    Kind.ONE: lazy("Options"),
    Kind.RATING: lazy("What is rated"),
    Kind.HELP: lazy("Suggestions to tick"),
}
"""What the options of a kind are called, where it has any."""

POINTS: Final = {
    Kind.SCALE: lazy("Steps"),
    Kind.RATING: lazy("Rated from 1 to"),
    Kind.FAVOURITES: lazy("Room for how many"),
}


class QuestionForm(FlaskForm):  # type: ignore[misc]
    """What an organiser says about a question; what its kind does not have is left out."""

    form_errors: list[str]

    label = StringField(lazy("The question"), [Length(max=custom.MAX_TEXT)], filters=[tidy])
    help = StringField(lazy("A sentence below it"), [Length(max=custom.MAX_TEXT)], filters=[tidy])
    options = TextAreaField(lazy("Options"), [Length(max=20_000)], filters=[tidy])
    low = StringField(lazy("The low end"), filters=[tidy])
    high = StringField(lazy("The high end"), filters=[tidy])
    points = SelectField(lazy("Steps"), coerce=int)
    asked = SelectField(lazy("Ask this?"), choices=ASKED)
    counts = RadioField(lazy("How it counts when cohorts are formed"))
    weight = weight_field()
    may_mind = BooleanField(
        lazy("Learners may say that they do not want to be the only one with their answer")
    )

    @classmethod
    def showing(cls, kind: Kind, question: CustomQuestion | None = None) -> Self:
        """Return a form for a question of some kind, or what was just sent."""
        first = KINDS[kind].counts[0]
        shown = question or CustomQuestion(kind=kind, label="", counts=first)
        low, high = (*shown.options, "", "")[:2]
        data: dict[str, Any] = {
            name: getattr(shown, name) for name in ("label", "help", "points", "may_mind")
        }
        data |= {"options": "\n".join(shown.options), "low": low, "high": high, "weight": shown.weight or 1.0}
        data |= {"counts": shown.counts.value, "asked": "required" if shown.required else "optional"}
        if not shown.asked:
            data["asked"] = "no"
        form = cls(data=data)
        form._fit(kind)
        form.kind, form._key = kind, shown.key
        return form

    kind: Kind
    _key: str

    def _fit(self, kind: Kind) -> None:
        """Leave out what a question of this kind does not have."""
        self.counts.choices = [SelectChoice(each.value, COUNTS[each]) for each in KINDS[kind].counts]
        points = custom.POINTS.get(kind)
        if points is not None:
            self.points.choices = [SelectChoice(str(number), str(number)) for number in points]
            self.points.label.text = POINTS[kind]
        if kind in OPTIONS:
            self.options.label.text = OPTIONS[kind]
        here = {
            "points": points is not None,
            "options": kind in OPTIONS,
            "low": kind is Kind.SCALE,
            "high": kind is Kind.SCALE,
            "may_mind": kind in CHOICES,
        }
        for name, is_here in here.items():
            if not is_here:
                del self[name]

    def question(self) -> CustomQuestion:
        """Return the question as it was filled in; what could not be read is as usual."""
        given: dict[str, Any] = {"key": self._key, "kind": self.kind, "label": self.label.data or ""}
        given |= {
            "help": self.help.data or "",
            "weight": 1.0 if self.weight.data is None else self.weight.data,
        }
        given |= {"asked": self.asked.data != "no", "required": self.asked.data == "required"}
        if self.counts.data in {each.value for each in KINDS[self.kind].counts}:
            given["counts"] = Counts(self.counts.data)
        if "options" in self:
            given["options"] = tuple((self.options.data or "").splitlines())
        if "low" in self:
            given["options"] = (self.low.data or "", self.high.data or "")
        if "points" in self and self.points.data is not None:
            given["points"] = self.points.data
        if "may_mind" in self:
            given["may_mind"] = self.may_mind.data
        return CustomQuestion(**given)

    def take_errors(self, error: InvalidInput) -> None:
        """Show what the domain found wrong beside the fields it is about."""
        for name, texts in error.errors.items():
            field = "low" if name == "options" and "low" in self else name
            if field in self and not self[field].errors:
                self[field].errors = list(texts)
            elif field not in self:
                self.form_errors = [*self.form_errors, *texts]

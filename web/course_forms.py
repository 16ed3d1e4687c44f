"""The forms of organisers: a course, a match."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields, replace
from datetime import UTC, date, datetime
from typing import Any, Final, Self

from flask_wtf import FlaskForm
from wtforms import (
    BooleanField,
    DateField,
    DateTimeLocalField,
    Form,
    FormField,
    IntegerField,
    SelectChoice,
    SelectField,
    StringField,
    TextAreaField,
)
from wtforms.validators import InputRequired, Length, NumberRange, Optional

from cohorts import courses
from cohorts.courses import Asking, Details
from cohorts.exceptions import InvalidInput
from cohorts.language import gettext as _
from cohorts.language import lazy_gettext as lazy
from cohorts.language import marked
from cohorts.models import now
from cohorts.questions import GOALS, QUESTIONS, CustomQuestion

from .custom_fields import PREFIX

WEIGHTS: Final = (
    (0.0, lazy("not at all (%(weight)s)", weight="0")),
    (0.5, lazy("a little (%(weight)s)", weight="0.5")),
    (1.0, lazy("some (%(weight)s)", weight="1")),
    (4.0, lazy("much (%(weight)s)", weight="4")),
)
"""How much the answers to a question count, in words."""

ASKED: Final = (
    SelectChoice("no", lazy("Not asked")),
    SelectChoice("optional", lazy("Optional")),
    SelectChoice("required", lazy("Required")),
)

SIZES: Final = ("size_min", "target_size", "size_max", "meeting_minutes")

MISSED: Final = (1, 2, 3, 4, 6)

LENGTHS: Final = (30, 60, 90, 120, 150, 180, 240)


def tidy(text: str | None) -> str:
    """Drop what no database keeps and the spaces around a text."""
    return (text or "").replace("\x00", "").replace("\r\n", "\n").strip()


class WholeNumberField(IntegerField):  # type: ignore[misc]
    """A whole number; anything else is refused in plain words."""

    def process_formdata(self, valuelist: list[str]) -> None:
        """Read digits; an empty field is None."""
        if not valuelist:
            return
        text = valuelist[0].strip()
        self.data = None
        if not text:
            return
        if not (text.isascii() and text.isdecimal() and len(text) <= 9):
            raise ValueError(_("Write a whole number, such as 6."))
        self.data = int(text)


class DayField(DateField):  # type: ignore[misc]
    """A day; anything else is refused in plain words."""

    def process_formdata(self, valuelist: list[str]) -> None:
        """Read a day; an empty field is None."""
        self.data = None
        if not valuelist or not valuelist[0].strip():
            return
        try:
            self.data = date.fromisoformat(valuelist[0].strip())
        except ValueError:
            raise ValueError(_("Write a day, such as 2027-01-11.")) from None


class UTCMomentField(DateTimeLocalField):  # type: ignore[misc]
    """A date and time in UTC."""

    def _value(self) -> str:
        if self.raw_data:
            return " ".join(self.raw_data)
        return f"{self.data.astimezone(UTC):%Y-%m-%dT%H:%M}" if self.data else ""

    def process_formdata(self, valuelist: list[str]) -> None:
        """Read a moment; an empty field is None."""
        self.data = None
        if not valuelist or not valuelist[0].strip():
            return
        try:
            self.data = datetime.fromisoformat(valuelist[0].strip().removesuffix("Z")).replace(tzinfo=UTC)
        except ValueError:
            raise ValueError(_("Write a date and a time, such as 2027-01-11 18:00.")) from None


class KeptSelectField(SelectField):  # type: ignore[misc]
    """A choice among usual values that keeps an unusual one a course has already."""

    choices: list[SelectChoice]

    def process_data(self, value: Any) -> None:
        """Offer ``value`` too."""
        super().process_data(value)
        if value is not None and value not in [self.coerce(each.value) for each in self.choices]:
            self.choices = [*self.choices, SelectChoice(f"{value:g}")]


def weight_field(label: str = lazy("How much it counts")) -> KeptSelectField:
    """Return a choice of how much a question counts, in words with the number beside."""
    choices = [SelectChoice(f"{weight:g}", words) for weight, words in WEIGHTS]
    return KeptSelectField(label, choices=choices, coerce=float)


def _minutes_field() -> KeptSelectField:
    return KeptSelectField(
        lazy("Length of a meeting"),
        choices=[SelectChoice(str(n), lazy("%(minutes)s minutes", minutes=n)) for n in LENGTHS],
        coerce=int,
    )


class AskedForm(Form):  # type: ignore[misc]
    """Whether a question is asked."""

    asked = SelectField(lazy("Ask this?"), choices=ASKED)


class GoalForm(AskedForm):
    """Whether a question is asked, and how much its answers count."""

    weight = weight_field()


def _missed_field(label: str, words: str) -> KeptSelectField:
    """Return a choice of how many check-ins or meetings somebody may miss in a row."""
    choices = [(0, lazy("never")), *((n, lazy(words, number=n)) for n in MISSED)]
    return KeptSelectField(label, choices=[SelectChoice(str(n), label) for n, label in choices], coerce=int)


def _goal_or_not(key: str) -> type[Form]:
    return GoalForm if key in courses.GOALS else AskedForm


def _weights_form(own: Iterable[CustomQuestion] = ()) -> type[Form]:
    """Return a form with a weight for every question that can have one, a course's own among them."""
    labels = {key: QUESTIONS[key].label for key in courses.GOALS}
    labels |= {f"{PREFIX}{each.key}": each.label for each in own}
    fields = {
        name: FormField(type("WeightForm", (Form,), {"weight": weight_field(label)}), label=label)
        for name, label in labels.items()
    }
    return type("WeightsForm", (Form,), fields)


def _a_form_for_each(keys: Iterable[str], kind: Callable[[str], type[Form]]) -> type[Form]:
    labelled = {key: FormField(kind(key), label=QUESTIONS[key].label) for key in keys}
    return type("QuestionsForm", (Form,), labelled)


class SizesForm(FlaskForm):  # type: ignore[misc]
    """How large cohorts are and how long they meet."""

    form_errors: list[str]

    size_min = WholeNumberField(lazy("Smallest"), [InputRequired(lazy("Say how small a cohort may be."))])
    target_size = WholeNumberField(lazy("Usual"), [InputRequired(lazy("Say how large a cohort usually is."))])
    size_max = WholeNumberField(lazy("Largest"), [InputRequired(lazy("Say how large a cohort may be."))])
    meeting_minutes = _minutes_field()

    def take_errors(self, error: InvalidInput) -> None:
        """Show what the domain found wrong beside the fields it is about."""
        for name, texts in error.errors.items():
            if name in self._fields and not isinstance(self._fields[name], FormField):
                self._fields[name].errors = [*self._fields[name].errors, *texts]
            else:
                self.form_errors = [*self.form_errors, *texts]


class CourseForm(SizesForm):
    """Everything an organiser says about a course."""

    title = StringField(lazy("Title"), [InputRequired(lazy("Give the course a title."))], filters=[tidy])
    slug = StringField(lazy("Address"), [Length(max=courses.MAX_SLUG)], filters=[tidy])
    summary = StringField(lazy("In one sentence"), [Length(max=200)], filters=[tidy])
    description = TextAreaField(lazy("Description"), [Length(max=10_000)], filters=[tidy])
    start = DayField(
        lazy("Starts on"), [InputRequired(lazy("Say when the course starts, such as 2027-01-11."))]
    )
    weeks = WholeNumberField(lazy("Weeks"), [InputRequired(lazy("Say how many weeks it lasts."))])
    capacity = WholeNumberField(lazy("Places"))
    opens_at = UTCMomentField(lazy("Sign-up opens (UTC)"))
    closes_at = UTCMomentField(lazy("Sign-up closes (UTC)"))
    asks_age = BooleanField(lazy("Ask learners whether they are old enough"))
    half_life_days = WholeNumberField(lazy("Days until a connection counts half"))
    nudge_after = _missed_field(
        lazy("Ask whether somebody is still there"), marked("after %(number)s missed in a row")
    )
    remove_after = _missed_field(
        lazy("Then give their seat to others"), marked("after %(number)s more missed")
    )
    interests = TextAreaField(lazy("Interests to choose from"), [Length(max=20_000)], filters=[tidy])
    questions = FormField(_a_form_for_each(QUESTIONS, _goal_or_not))

    @classmethod
    def showing(cls, details: Details) -> Self:
        """Return a form that shows a course's details, or what was just sent."""
        shown = {each.name: getattr(details, each.name) for each in fields(details)}
        missing = {key: Asking(asked=False, weight=QUESTIONS[key].weight) for key in QUESTIONS}
        asked = {
            key: {"asked": asked_as(asking), "weight": asking.weight}
            for key, asking in {**missing, **details.questions}.items()
        }
        return cls(data=shown | {"interests": "\n".join(details.interests or ()), "questions": asked})

    def validate(self, extra_validators: Any = None) -> bool:
        """Tell whether everything fits; all that does not is shown at once."""
        is_valid = bool(super().validate(extra_validators))
        try:
            courses.check(self.details())
        except InvalidInput as error:
            unknown = {name: texts for name, texts in error.errors.items() if name not in self.errors}
            self.take_errors(InvalidInput(unknown))
            return False
        return is_valid

    def details(self) -> Details:
        """Return what was filled in; what could not be read is as usual."""
        given = {name: value for name, value in self.data.items() if name in Details.__dataclass_fields__}
        readable = {name: value for name, value in given.items() if value is not None}
        asked = {key: _asking(key, answer) for key, answer in self.questions.data.items()}
        interests = tuple(self.interests.data.splitlines())
        usual = {"start": now().date()}
        return Details(**usual | readable | {"interests": interests, "questions": asked})


def asked_as(asking: Asking | CustomQuestion) -> str:
    """Return which of ``ASKED`` a question is."""
    if asking.required:
        return "required"
    return "optional" if asking.asked else "no"


def _asking(key: str, answer: Mapping[str, Any]) -> Asking:
    weight = answer.get("weight")
    weight = QUESTIONS[key].weight if weight is None else weight
    return Asking(asked=answer["asked"] != "no", required=answer["asked"] == "required", weight=weight)


class MatchForm(SizesForm):
    """What a match may be asked for."""

    time_limit = SelectField(
        lazy("Time to search"),
        default="",
        choices=[
            SelectChoice("", lazy("as long as it needs")),
            SelectChoice("10", lazy("%(number)s seconds", number=10)),
            SelectChoice("30", lazy("%(number)s seconds", number=30)),
            SelectChoice("120", lazy("%(minutes)s minutes", minutes=2)),
        ],
    )
    random_state = WholeNumberField(lazy("Variant"), default=0)
    worst_off = SelectField(
        lazy("Those who fit least count"),
        default="0.1",
        choices=[
            SelectChoice("0", lazy("not on their own (%(weight)s)", weight="0")),
            SelectChoice("0.1", lazy("a little (%(weight)s)", weight="0.1")),
            SelectChoice("0.3", lazy("some (%(weight)s)", weight="0.3")),
            SelectChoice("0.6", lazy("much (%(weight)s)", weight="0.6")),
        ],
    )
    max_simultaneous = WholeNumberField(
        lazy("Cohorts that may meet at one time"),
        [
            Optional(),
            NumberRange(
                min=1, message=lazy("Cohorts at one time must be 1 or more; leave it empty for any number.")
            ),
        ],
    )
    on_conflict = SelectField(
        lazy("If wishes contradict each other"),
        default="refuse",
        choices=[
            SelectChoice("refuse", lazy("stop, and tell me whose")),
            SelectChoice("unplace", lazy("leave those people out")),
        ],
    )
    convenor_required = BooleanField(lazy("Every cohort has somebody who would get the first meeting going"))
    asynchronous = BooleanField(lazy("People whose hours fit nobody's get a cohort without a fixed meeting"))
    weights = FormField(_weights_form())

    @classmethod
    def showing(cls, details: Details, own: Iterable[CustomQuestion] = ()) -> Self:
        """Return a form that shows how a course is matched, with questions of its own, or what was just sent.

        Only questions that are asked can count, so the others have no weight to choose.
        """
        own = [each for each in own if each.asked and each.counts in GOALS]
        counting = {key: asking for key, asking in details.questions.items() if key in courses.GOALS}
        weights = {key: {"weight": asking.weight} for key, asking in counting.items()}
        weights |= {f"{PREFIX}{each.key}": {"weight": each.weight} for each in own}
        kind = type(cls.__name__, (cls,), {"weights": FormField(_weights_form(own))})
        form: Self = kind(data={name: getattr(details, name) for name in SIZES} | {"weights": weights})
        for key in courses.GOALS:
            if key not in counting or not counting[key].asked:
                del form.weights.form[key]
        return form

    def chosen(self) -> dict[str, Any]:
        """Return what belongs to this run alone."""
        return {
            "time_limit": float(self.time_limit.data) if self.time_limit.data else None,
            "random_state": self.random_state.data or 0,
            "worst_off_weight": float(self.worst_off.data),
            "max_simultaneous": self.max_simultaneous.data,
            "on_conflict": self.on_conflict.data,
            "convenor_required": self.convenor_required.data,
            "asynchronous": self.asynchronous.data,
        }

    def details(self, before: Details) -> Details:
        """Return the details of a course with what was filled in."""
        weights = {name: answer["weight"] for name, answer in self.weights.data.items()}
        changed = {
            key: replace(before.questions[key], weight=weight)
            for key, weight in weights.items()
            if not key.startswith(PREFIX)
        }
        own = {
            name.removeprefix(PREFIX): weight for name, weight in weights.items() if name.startswith(PREFIX)
        }
        sizes = {name: self.data[name] for name in SIZES}
        return replace(before, **sizes, questions={**before.questions, **changed}, own_weights=own)

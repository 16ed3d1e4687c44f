"""The form of learners: what a course asks, read from a request and from a sign-up."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any, ClassVar, Final

from flask_wtf import FlaskForm
from werkzeug.datastructures import MultiDict
from wtforms import (
    BooleanField,
    EmailField,
    Field,
    RadioField,
    SelectChoice,
    StringField,
    TextAreaField,
    ValidationError,
)

from cohorts import old_enough
from cohorts.answers import FIELDS, Answers, Errors, answers_of, check, time_zones
from cohorts.asking import choosable, custom_questions
from cohorts.availability import SLOTS_A_DAY
from cohorts.language import gettext as _
from cohorts.language import lazy_gettext as lazy
from cohorts.models import Course, Signup
from cohorts.questions import QUESTIONS, CustomQuestion, Experience
from cohorts.week import SLOTS
from cohorts.wording import EXPERIENCES

from .custom_fields import PREFIX, CustomField

LANGUAGES: Final = (
    ("English", "English", "en"),
    ("Spanish", "Español", "es"),
    ("French", "Français", "fr"),
    ("Portuguese", "Português", "pt"),
    ("German", "Deutsch", "de"),
    ("Arabic", "العربية", "ar"),
    ("Hindi", "हिन्दी", "hi"),
    ("Chinese", "中文", "zh"),
    ("Russian", "Русский", "ru"),
    ("Bengali", "বাংলা", "bn"),
    ("Indonesian", "Bahasa Indonesia", "id"),
    ("Japanese", "日本語", "ja"),
    ("Italian", "Italiano", "it"),
    ("Polish", "Polski", "pl"),
    ("Turkish", "Türkçe", "tr"),
    ("Ukrainian", "Українська", "uk"),
    ("Swahili", "Kiswahili", "sw"),
    ("Dutch", "Nederlands", "nl"),
)
"""Languages to tick: the name that is stored, the language's own name and its code."""

DAYTIME: Final = range(16, 44)
"""Half hours of a day from 08:00 to 22:00; those outside fold away in the grid."""

_ALWAYS: Final = frozenset(
    {
        "name",
        "email",
        "time_zone",
        "availability",
        "if_needed",
        "whole_week",
        "not_alone",
        "shown",
        "shown_asked",
        "old_enough",
        "age_asked",
        "csrf_token",
    }
)


class SlotsField(Field):  # type: ignore[misc]
    """Half hours of a week, posted as numbers from 0 to 335."""

    data: frozenset[int]

    def process_data(self, value: Iterable[int] | None) -> None:
        """Take a set of half hours, or none."""
        self.data = frozenset(value or ())

    def process_formdata(self, valuelist: list[str]) -> None:
        """Read the numbers; what is none is refused after the others were kept."""
        numbers = [text for text in valuelist if text.isascii() and text.isdecimal() and len(text) <= 3]
        self.data = frozenset(map(int, numbers))
        if len(numbers) < len(valuelist):
            raise ValueError(_("Some of these times are not half hours of a week."))


class TagsField(Field):  # type: ignore[misc]
    """Ticked options and a free text with one more on each line or after each comma, under one name.

    A value that is an option counts as one even if it contains a comma.
    """

    data: list[str]
    options: Sequence[str] = ()
    separators: ClassVar[re.Pattern[str]] = re.compile(r"[,;\n]")

    def process_data(self, value: Iterable[str] | None) -> None:
        """Take a list of tags, or none."""
        self.data = list(value or ())

    def process_formdata(self, valuelist: list[str]) -> None:
        """Read ticks and the free text."""
        known = set(self.options)
        found = ([text] if text in known else self.separators.split(text) for text in valuelist)
        self.data = [tag.strip() for tags in found for tag in tags if tag.strip()]

    @property
    def ticked(self) -> set[str]:
        """The options that are chosen, whatever the case they were written in."""
        chosen = {tag.casefold() for tag in self.data}
        return {option for option in self.options if option.casefold() in chosen}

    @property
    def others(self) -> list[str]:
        """What was added to the options."""
        options = {option.casefold() for option in self.options}
        return [tag for tag in self.data if tag.casefold() not in options]


class PeopleField(TagsField):
    """E-mail addresses with commas, spaces or line ends between them."""

    separators: ClassVar[re.Pattern[str]] = re.compile(r"[,;\s]")


class KeysField(Field):  # type: ignore[misc]
    """Ticked keys of questions; unknown ones are dropped by the domain."""

    data: list[str]

    def process_data(self, value: Iterable[str] | None) -> None:
        """Take keys, or none."""
        self.data = list(value or ())

    def process_formdata(self, valuelist: list[str]) -> None:
        """Read the ticks."""
        self.data = valuelist


class HoursField(StringField):  # type: ignore[misc]
    """A number of hours; ``4,5`` is understood too."""

    hours: float | None = None

    def process_data(self, value: float | None) -> None:
        """Show whole hours without a fraction."""
        self.hours = value
        self.data = "" if value is None else f"{value:g}"

    def process_formdata(self, valuelist: list[str]) -> None:
        """Read the number; an empty field is no answer."""
        if not valuelist:
            return
        self.data = valuelist[0].strip()
        self.hours = None
        if not self.data:
            return
        if not re.fullmatch(r"[0-9]{1,3}([.,][0-9]{1,3})?", self.data):
            raise ValueError(_("Write a number of hours, such as 4 or 2.5."))
        self.hours = float(self.data.replace(",", "."))


class SignUpForm(FlaskForm):  # type: ignore[misc]
    """Everything a learner can be asked; what ``course`` does not ask is left out."""

    name = StringField(lazy("Your name"))
    email = EmailField(lazy("E-mail address"))
    time_zone = StringField(lazy("Your time zone"))
    availability = SlotsField(lazy("When are you free?"))
    if_needed = SlotsField(lazy("Only if needed"))
    whole_week = StringField()
    """What was meant by marking every hour: "yes", any of them, or "days", without the nights."""
    old_enough = RadioField(
        lazy("Are you old enough?"),
        choices=[SelectChoice("yes", ""), SelectChoice("no", "")],
        validate_choice=False,
    )
    age_asked = StringField()
    """The age that was asked about: another zone may have another one."""
    languages = TagsField(QUESTIONS["languages"].label)
    interests = TagsField(QUESTIONS["interests"].label)
    experience = RadioField(
        QUESTIONS["experience"].label,
        choices=[SelectChoice(value.value, words) for value, words in EXPERIENCES.items()],
        validate_choice=False,
    )
    hours_per_week = HoursField(QUESTIONS["hours_per_week"].label)
    goal = TextAreaField(QUESTIONS["goal"].label)
    can_help_with = TagsField(QUESTIONS["can_help_with"].label)
    wants_help_with = TagsField(QUESTIONS["wants_help_with"].label)
    works_with = PeopleField(QUESTIONS["works_with"].label)
    avoids = PeopleField(QUESTIONS["avoids"].label)
    convenor = BooleanField(QUESTIONS["convenor"].label)
    not_alone = KeysField()
    shown = KeysField(lazy("What your cohort sees"))
    shown_asked = StringField()
    """Posted by a form that asks what the cohort sees: then no tick means nothing is."""

    def __init__(
        self,
        course: Course,
        formdata: MultiDict[str, str] | None = None,
        *,
        interests: Sequence[str] = (),
        signup: Signup | None = None,
        brought: Answers | None = None,
    ) -> None:
        """Ask what ``course`` asks, with ``interests`` to tick.

        With a ``signup`` its answers are there to begin with, and its address is not asked again. So are
        answers that were ``brought`` from another course, the address among them.
        """
        start = _start(course, answers_of(signup) if signup is not None else brought)
        super().__init__(formdata=None, data=start)
        self._course = course
        self._email = signup.email if signup is not None else None
        self._had_whole_week = signup is not None and len(signup.availability) == SLOTS
        self.required = {question.key for question in course.questions if question.required}
        self.choosable = choosable(course)
        asked = {question.key for question in course.questions if question.asked} | _ALWAYS
        for name in [name for name in self._fields if name not in asked or (signup and name == "email")]:
            del self[name]
        self._said_age = signup.of_age if signup is not None else None
        if not course.asks_age or (signup is not None and signup.of_age is None):
            del self.old_enough, self.age_asked
        self._shown = tuple(signup.shown) if signup is not None else None
        self.custom = [self._add(each) for each in custom_questions(course) if each.asked]
        # How posted tags are read depends on the options, so these come before the request.
        self._give_options(languages=[value for value, _own, _code in LANGUAGES], interests=interests)
        self.process(formdata, data=start)

    def _add(self, question: CustomQuestion) -> CustomField:
        """Ask a question of the course's own.

        It is set past the class: the fields of WTForms are the same for all courses, and these are not.
        """
        name = f"{PREFIX}{question.key}"
        field: CustomField = CustomField(question).bind(form=self, name=name)
        self._fields[name] = field
        return field

    def _give_options(self, **options: Sequence[str]) -> None:
        for name, values in options.items():
            if name in self:
                self[name].options = values

    def validate(self, extra_validators: Any = None) -> bool:
        """Check what was posted; every field keeps what is wrong with it."""
        super().validate(extra_validators)
        self.refuse(check(self.answers(), self._course))
        return not self.errors

    def validate_availability(self, field: SlotsField) -> None:
        """Ask once whether the whole week is meant; somebody who said so before is not asked again."""
        if self.whole_week.data == "days":
            field.data = frozenset(slot for slot in field.data if slot % SLOTS_A_DAY in DAYTIME)
        elif self.marks_whole_week and self.whole_week.data != "yes" and not self._had_whole_week:
            raise ValidationError(_("You marked the whole week, nights too. Is that what you meant?"))

    @property
    def marks_whole_week(self) -> bool:
        """Whether every half hour is marked as free."""
        return len(self.availability.data) == SLOTS

    @property
    def age(self) -> int | None:
        """The age to ask about where the chosen zone is; None where nothing is to be asked."""
        if "old_enough" not in self:
            return None
        return old_enough.age_to_ask(self._course, self.time_zone.data or "", self._said_age)

    @property
    def of_age(self) -> int | None:
        """The age that a learner says they have reached."""
        return self._answered_age if self._answer_to_age == "yes" else None

    @property
    def is_too_young(self) -> bool:
        """Whether a learner says that they are younger than it takes where they are."""
        age, answered = self.age, self._answered_age
        is_there = self.time_zone.data in time_zones()
        says_no = self._answer_to_age == "no"
        return is_there and says_no and age is not None and answered is not None and answered <= age

    @property
    def _answer_to_age(self) -> str | None:
        return self.old_enough.data if "old_enough" in self else None

    @property
    def _answered_age(self) -> int | None:
        """The age that the answer is about, if it is one that could have been asked."""
        ages = {str(age): age for age in old_enough.AGES.values()}
        return ages.get(self.age_asked.data or "") if self._answer_to_age in ("yes", "no") else None

    def validate_old_enough(self, field: RadioField) -> None:
        """Ask once more where the zone that was chosen beside it takes another age."""
        age, answered = self.age, self._answered_age
        if age is None or (self.of_age or 0) >= age:
            return
        if answered is not None and self.time_zone.data not in time_zones():
            return  # the zone is asked for first
        field.data = None
        if answered is None:
            raise ValidationError(old_enough.question(age))
        raise ValidationError(_("Where you are it is %(age)s years. Please answer this once more.", age=age))

    def validate_experience(self, field: Field) -> None:
        """Refuse what is none of the options; no answer is fine."""
        if field.data and field.data not in set(Experience):
            raise ValidationError(_("Choose one of these."))

    def refuse(self, errors: Errors) -> None:
        """Show what the domain finds wrong, at fields that could be read."""
        for name, sentences in errors.items():
            field = name if name in self else f"{PREFIX}{name}"
            if field not in self:
                self.form_errors.extend(sentences)
            elif not self[field].errors:
                self[field].errors = list(sentences)

    def answers(self) -> Answers:
        """Return the answers as the domain knows them."""
        given: dict[str, Any] = {"email": self._email or self.email.data or ""}
        given |= {field.name: _answer(field) for field in self if field.name in FIELDS}
        return Answers(
            **given,
            custom={field.question.key: field.data for field in self.custom},
            not_alone=tuple(self.not_alone.data),
            shown=tuple(self.shown.data) if self.shown_asked.data else self._shown,
        )


def _answer(field: Field) -> Any:
    if isinstance(field, HoursField):
        return field.hours
    if isinstance(field, RadioField):
        return Experience(field.data) if field.data in set(Experience) else None
    if isinstance(field, TagsField):
        return tuple(field.data)
    return field.data if field.data is not None else ""


def _start(course: Course, answers: Answers | None) -> dict[str, Any]:
    """Return what the fields of a form begin with."""
    usual = [key for key, _words, is_usual in choosable(course) if is_usual]
    if answers is None:
        return {"shown": usual}
    start = {name: getattr(answers, name) for name in FIELDS}
    start |= {f"{PREFIX}{key}": answer for key, answer in answers.custom.items()}
    return start | {
        "not_alone": answers.not_alone,
        "shown": usual if answers.shown is None else answers.shown,
    }

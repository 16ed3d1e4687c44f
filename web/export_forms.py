"""The form that says what of a roster is exported, and how."""

from __future__ import annotations

from typing import Self

from flask_wtf import FlaskForm
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict
from wtforms import RadioField, SelectChoice, SelectField, SelectMultipleField, StringField
from wtforms.validators import Length
from wtforms.widgets import CheckboxInput, ListWidget

from cohorts import exports, presets, roster
from cohorts.exceptions import InvalidInput
from cohorts.exports import FORMATS, Choice
from cohorts.language import gettext as _
from cohorts.language import lazy_gettext as lazy
from cohorts.models import Course, ExportPreset

from .course_forms import tidy


class ExportForm(FlaskForm):  # type: ignore[misc]
    """Format, part and columns of a roster; what a format does not use makes no difference."""

    form_errors: list[str]

    format = RadioField(lazy("Format"), default="csv")
    cohort = SelectField(lazy("Which cohorts"), default="")
    columns = SelectMultipleField(
        lazy("Columns"), option_widget=CheckboxInput(), widget=ListWidget(prefix_label=False)
    )
    login = SelectField(lazy("The other system knows learners by"), default="email")
    their_course = StringField(
        lazy("Short name of the course there"), [Length(max=exports.MAX_TEXT)], filters=[tidy]
    )
    name = StringField(lazy("Name"), [Length(max=presets.MAX_NAME)], filters=[tidy])

    @classmethod
    def of(
        cls,
        session: Session,
        course: Course,
        preset: ExportPreset | None,
        asked: MultiDict[str, str] | None = None,
    ) -> Self:
        """Return the form for a course, filled in with a preset or with what is usual.

        ``asked`` are the arguments of an address, where nothing is changed and so nobody is led on to it.
        """
        choice = Choice.from_json(preset.choice) if preset else Choice()
        shown = {**choice.as_json(), "columns": list(choice.columns or exports.columns_of(course))}
        shown |= {"format": preset.format, "name": preset.name} if preset else {}
        form = cls(data=shown) if asked is None else cls(asked, data=shown, meta={"csrf": False})
        living = [SelectChoice(each.key, each.name) for each in roster.cohorts(session, course)]
        form.format.choices = [SelectChoice(key, str(each.label)) for key, each in FORMATS.items()]
        form.cohort.choices = [SelectChoice("", _("All, and those without one")), *living]
        form.columns.choices = [SelectChoice(*each) for each in exports.names_of(course).items()]
        form.login.choices = [SelectChoice(*each) for each in exports.logins_of(course).items()]
        return form

    def choice(self) -> Choice:
        """Return what was chosen; all columns are the same as none."""
        every = [each.value for each in self.columns.choices]
        return Choice(
            cohort=self.cohort.data,
            columns=() if self.columns.data == every else tuple(self.columns.data),
            login=self.login.data,
            their_course=self.their_course.data,
        )

    def take_errors(self, error: InvalidInput) -> None:
        """Show what the domain finds wrong."""
        for name, sentences in error.errors.items():
            self[name].errors = list(sentences)

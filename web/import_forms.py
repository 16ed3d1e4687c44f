"""The forms of an import: a file, and what its columns are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from flask_wtf import FlaskForm
from flask_wtf.file import FileField
from wtforms import (
    BooleanField,
    IntegerField,
    RadioField,
    SelectChoice,
    SelectField,
    StringField,
    TextAreaField,
)
from wtforms.validators import NumberRange

from cohorts.conversations import FIELDS, NEEDED, Columns
from cohorts.dialects import NO_HEADER
from cohorts.language import gettext as _
from cohorts.language import lazy_gettext as lazy
from cohorts.recipes import Recipe, Repeated

from .course_forms import tidy
from .zones import cities

REPEATED: Final = (
    SelectChoice(Repeated.LATEST.value, lazy("The latest counts")),
    SelectChoice(Repeated.FIRST.value, lazy("The first counts")),
    SelectChoice(Repeated.REFUSE.value, lazy("Refuse all but the first, so that I see them")),
)


class UploadForm(FlaskForm):  # type: ignore[misc]
    """A file of sign-ups, or its rows pasted."""

    file = FileField(lazy("File"))
    pasted = TextAreaField(lazy("Or paste the rows here"))

    def validate(self, extra_validators: Any = None) -> bool:
        """Tell whether there is a file or a text."""
        is_valid = bool(super().validate(extra_validators))
        if is_valid and not self.file.data and not (self.pasted.data or "").strip():
            self.file.errors = [_("Choose a file, or paste its rows.")]
            return False
        return is_valid

    def content(self) -> tuple[bytes, str]:
        """Return what was given, and what it is called."""
        if self.file.data:
            return self.file.data.read(), self.file.data.filename or _("sign-ups")
        return (self.pasted.data or "").encode(), _("Pasted rows")


class InteractionsForm(UploadForm):
    """A file that tells who had to do with whom, and who is who in it."""

    pasted = TextAreaField(lazy("Or paste its rows here"))
    names = TextAreaField(lazy("Who is who"))


class TableForm(FlaskForm):  # type: ignore[misc]
    """Which column of a table says who, to whom, when and what; they are counted from 0."""

    def __init__(self, headings: Sequence[str], columns: Columns) -> None:
        """Show which columns are taken for what, or what was just sent."""
        super().__init__(data={f"{field}_": columns.get(field, -1) for field in FIELDS})
        places = [SelectChoice(str(place), heading) for place, heading in enumerate(headings)]
        for field in FIELDS:
            none = [] if field in NEEDED and field in columns else [SelectChoice("-1", _("None"))]
            self[f"{field}_"].choices = [*none, *places]

    from_ = SelectField(FIELDS["from"], coerce=int)
    to_ = SelectField(FIELDS["to"], coerce=int)
    time_ = SelectField(FIELDS["time"], coerce=int)
    kind_ = SelectField(FIELDS["kind"], coerce=int)

    def columns(self) -> Columns:
        """Return what was chosen."""
        chosen = {field: self[f"{field}_"].data for field in FIELDS}
        return {field: place for field, place in chosen.items() if place >= 0}


class RecipeForm(FlaskForm):  # type: ignore[misc]
    """What goes for all rows of a file; its columns are asked for beside their cells."""

    form_errors: list[str]

    header = IntegerField(lazy("Row with the headings"), [NumberRange(0, 100_000)])
    is_grouped = BooleanField(lazy("The row above it groups them"))
    zone = SelectField(lazy("Time zone where a row names none"), validate_choice=False)
    hours = StringField(lazy("Free hours where a row names none"), filters=[tidy])
    asked = StringField(lazy("Hours of the day that were asked about"), filters=[tidy])
    repeated = RadioField(lazy("If somebody answered more than once"), choices=list(REPEATED))
    lenient = BooleanField(lazy("Leave out optional answers that cannot be read"))
    keep = BooleanField(lazy("Read the next file with these columns in the same way"))

    def __init__(self, recipe: Recipe, reading: Mapping[str, Any], **kwargs: Any) -> None:
        """Show a recipe and where the headings were found, or what was just sent."""
        self._shown = (max(reading["header"], 0), bool(reading["is_grouped"]))
        shown = {"header": self._shown[0], "is_grouped": self._shown[1], "keep": True}
        super().__init__(data=recipe.to_json() | shown, **kwargs)
        self._recipe = recipe
        self.zone.choices = {_("None"): [("", _("None: such rows are refused"))], **cities()}

    @property
    def moves_headings(self) -> bool:
        """Whether the headings are said to be elsewhere than they were found."""
        return (self.header.data, bool(self.is_grouped.data)) != self._shown

    def recipe(self, targets: tuple[str, ...]) -> Recipe:
        """Return what was filled in; with other headings the columns are to be guessed anew."""
        header, head_rows = self._recipe.header, self._recipe.head_rows
        if self.moves_headings:
            targets = ()
            header = self.header.data or NO_HEADER
            head_rows = 2 if self.is_grouped.data else 1
        return Recipe(
            targets,
            header=header,
            head_rows=head_rows,
            zone=self.zone.data or "",
            hours=self.hours.data or "",
            asked=self.asked.data or "",
            repeated=Repeated(self.repeated.data),
            lenient=bool(self.lenient.data),
        )

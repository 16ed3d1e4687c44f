"""The small forms of a learner whose plans change: a check-in, a pause, a reason to leave, a block."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from flask_wtf import FlaskForm
from wtforms import (
    DateField,
    EmailField,
    Field,
    RadioField,
    SelectChoice,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
)
from wtforms.validators import Optional

from cohorts.checkins import PRESENCES, SCALE, Pulse, Round
from cohorts.language import lazy_gettext as _l
from cohorts.models import Leaving, Met, Source

MET: Final = ((Met.YES, _l("Yes")), (Met.NO, _l("No")), (Met.NOT_YET, _l("Not yet")))

REASONS: Final = (
    (Leaving.TIMES, _l("The times do not suit me")),
    (Leaving.PACE, _l("It goes too fast or too slowly")),
    (Leaving.SILENT, _l("My cohort is silent")),
    (Leaving.UNCOMFORTABLE, _l("I do not feel comfortable")),
    (Leaving.LIFE, _l("Life gets in the way")),
)


class TextsField(Field):  # type: ignore[misc]
    """Several short texts under one name; empty ones do not count."""

    data: list[str]

    def process_data(self, value: Iterable[str] | None) -> None:
        """Take texts, or none."""
        self.data = list(value or ())

    def process_formdata(self, valuelist: list[str]) -> None:
        """Read the texts."""
        self.data = [" ".join(text.replace("\x00", "").split()) for text in valuelist if text.strip()]


def _scale(label: str) -> RadioField:
    numbers = [SelectChoice(str(number), str(number)) for number in SCALE]
    return RadioField(label, choices=numbers, coerce=_number, validate_choice=False)


def _number(value: object) -> int | None:
    return int(str(value)) if value not in (None, "", "None") else None


def _met(value: object) -> Met | None:
    return Met(str(value)) if value not in (None, "", "None") else None


class CheckInForm(FlaskForm):  # type: ignore[misc]
    """One week in a few presses; every question may be left out."""

    met = RadioField(
        _l("Did you meet?"),
        choices=[SelectChoice(value.value, label) for value, label in MET],
        coerce=_met,
        validate_choice=False,
    )
    social = _scale(PRESENCES["social"])
    cognitive = _scale(PRESENCES["cognitive"])
    teaching = _scale(PRESENCES["teaching"])
    talked_with = SelectMultipleField(_l("I talked with"), validate_choice=False)
    go_on_with = SelectMultipleField(_l("I want to go on with"), validate_choice=False)
    others_talked_with = TextsField(_l("I also talked with"))
    others_go_on_with = TextsField(_l("I also want to go on with"))
    help = TextAreaField(_l("What do you want help with?"))

    @classmethod
    def showing(cls, round_: Round) -> CheckInForm:
        """Return the form with what was said already in this week."""
        said = round_.said
        return cls(
            data={name: getattr(said, name) for name in said.__slots__}
            | {"talked_with": list(said.talked_with), "go_on_with": list(said.go_on_with)}
        )

    def pulse(self) -> Pulse:
        """Return what was said as the domain knows it."""
        return Pulse(
            met=self.met.data,
            social=self.social.data,
            cognitive=self.cognitive.data,
            teaching=self.teaching.data,
            talked_with=frozenset(self.talked_with.data or ()),
            go_on_with=frozenset(self.go_on_with.data or ()),
            others_talked_with=tuple(self.others_talked_with.data),
            others_go_on_with=tuple(self.others_go_on_with.data),
            help=self.help.data or "",
        )


class ConnectionForm(FlaskForm):  # type: ignore[misc]
    """What a learner says of somebody."""

    what = RadioField(
        _l("What would you like to say?"),
        choices=[
            SelectChoice(Source.TALKED_WITH.value, _l("We talked")),
            SelectChoice(Source.GO_ON_WITH.value, _l("I want to go on with them")),
        ],
        default=Source.TALKED_WITH.value,
        validate_choice=False,
    )
    mate = SelectField(_l("Somebody from my cohort, now or before"), choices=[], validate_choice=False)
    who = StringField(_l("Or somebody else"))

    @property
    def source(self) -> Source:
        """What is said."""
        wants = self.what.data == Source.GO_ON_WITH.value
        return Source.GO_ON_WITH if wants else Source.TALKED_WITH


class PauseForm(FlaskForm):  # type: ignore[misc]
    """How long somebody is away."""

    until = DateField(_l("I am back on"), validators=[Optional()])  # no day has words of its own


class LeaveForm(FlaskForm):  # type: ignore[misc]
    """One question: why. It may be left open."""

    because = RadioField(
        _l("Why do you leave?"),
        choices=[SelectChoice(value.value, label) for value, label in REASONS],
        validate_choice=False,
    )
    words = TextAreaField(_l("Anything you want to add?"))

    @property
    def reason(self) -> Leaving | None:
        """The reason, if one of those offered was chosen."""
        return Leaving(self.because.data) if self.because.data in set(Leaving) else None


class BlockForm(FlaskForm):  # type: ignore[misc]
    """Somebody to be apart from, by the address."""

    email = EmailField(_l("Their e-mail address"))

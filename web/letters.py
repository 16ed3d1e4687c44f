"""Writing to learners: a draft, how it will look, a test to oneself, and then to all it is meant for."""

from __future__ import annotations

from typing import Any

from flask import current_app, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm
from wtforms import SelectField, StringField, TextAreaField

from cohorts import letters, roster
from cohorts.exceptions import InvalidInput
from cohorts.language import gettext as _
from cohorts.language import lazy_gettext as lazy
from cohorts.models import Audience, Cohort, Course, Message, now

from .auth import organiser_required
from .course_forms import tidy
from .database import session
from .desk import argument, blueprint, me, own_course

AUDIENCES = {
    Audience.EVERYONE.value: lazy("Everybody who is signed up"),
    Audience.UNPLACED.value: lazy("Those who are in no cohort"),
}


class LetterForm(FlaskForm):  # type: ignore[misc]
    """A letter, and to whom it goes: one of `AUDIENCES`, or a cohort by its key."""

    to = SelectField(lazy("To"))
    subject = StringField(lazy("Subject"), filters=[tidy])
    text = TextAreaField(lazy("Text"), filters=[tidy])

    @classmethod
    def of(cls, cohorts: list[Cohort], **shown: Any) -> LetterForm:
        """Return a form that offers the cohorts of a course."""
        form = cls(data=shown)
        form.to.choices = [*AUDIENCES.items(), *((each.key, each.name) for each in cohorts)]
        return form

    def given(self, cohorts: list[Cohort]) -> dict[str, Any]:
        """Return what was filled in."""
        cohort = next((each for each in cohorts if each.key == self.to.data), None)
        audience = Audience.COHORT if cohort else Audience(self.to.data)
        return {
            "subject": self.subject.data,
            "text": self.text.data,
            "audience": audience,
            "cohort": cohort,
        }

    def take_errors(self, error: InvalidInput) -> None:
        """Show what the domain found wrong beside the fields it is about."""
        for name, texts in error.errors.items():
            self[name].errors = [*self[name].errors, *texts]


@blueprint.get("/<slug>/letters", endpoint="letters")
@organiser_required
def letter_list(slug: str) -> ResponseReturnValue:
    """List the letters of a course."""
    course = own_course(slug)
    found = letters.of_course(session(), course)
    return render_template("organiser/letters.html", course=course, letters=found, audiences=AUDIENCES)


@blueprint.route("/<slug>/letters/new", methods=["GET", "POST"])
@organiser_required
def write_letter(slug: str) -> ResponseReturnValue:
    """Write a letter; nothing is sent yet."""
    course = own_course(slug)
    cohorts = roster.cohorts(session(), course)
    form = LetterForm.of(cohorts, to=argument("to") or Audience.EVERYONE.value)
    if form.validate_on_submit():
        try:
            letter = letters.write(session(), course, me(), **form.given(cohorts))
        except InvalidInput as error:
            form.take_errors(error)
        else:
            session().commit()
            return redirect(url_for(".letter", slug=slug, key=letter.key))
    return _form_page(course, form)


@blueprint.route("/<slug>/letters/<key>/edit", methods=["GET", "POST"])
@organiser_required
def edit_letter(slug: str, key: str) -> ResponseReturnValue:
    """Change a draft."""
    course = own_course(slug)
    letter = letters.get(session(), course, key)
    cohorts = roster.cohorts(session(), course)
    to = letter.cohort.key if letter.cohort else letter.audience.value
    form = LetterForm.of(cohorts, to=to, subject=letter.subject, text=letter.text)
    if form.validate_on_submit():
        try:
            letters.rewrite(session(), letter, **form.given(cohorts))
        except InvalidInput as error:
            form.take_errors(error)
        else:
            session().commit()
            return redirect(url_for(".letter", slug=slug, key=key))
    return _form_page(course, form, letter)


def _form_page(course: Course, form: LetterForm, letter: Message | None = None) -> ResponseReturnValue:
    page = render_template(
        "organiser/letter_form.html", course=course, form=form, letter=letter, fields=letters.FIELDS, me=me()
    )
    return page, 422 if form.errors else 200


@blueprint.get("/<slug>/letters/<key>")
@organiser_required
def letter(slug: str, key: str) -> ResponseReturnValue:
    """Show a letter as it will look, and who gets it."""
    course = own_course(slug)
    found = letters.get(session(), course, key)
    recipients = letters.recipients(session(), found)
    return render_template(
        "organiser/letter.html",
        course=course,
        letter=found,
        shown=letters.example(found, me(), current_app.extensions["links"]),
        unknown=letters.unknown_fields(found),
        recipients=recipients,
        audiences=AUDIENCES,
        minutes=-(-len(recipients.ids) // letters.A_MINUTE),
        me=me(),
    )


@blueprint.post("/<slug>/letters/<key>/test")
@organiser_required
def try_letter(slug: str, key: str) -> ResponseReturnValue:
    """Mail a letter to whoever is signed in, and nobody else."""
    letters.try_out(session(), letters.get(session(), own_course(slug), key), me())
    session().commit()
    flash(_("The test is on its way to %(email)s.", email=me().email), "good")
    return redirect(url_for(".letter", slug=slug, key=key))


@blueprint.post("/<slug>/letters/<key>/send")
@organiser_required
def send_letter(slug: str, key: str) -> ResponseReturnValue:
    """Send a letter."""
    letters.send(session(), letters.get(session(), own_course(slug), key), now())
    session().commit()
    flash(_("The letter is on its way."), "good")
    return redirect(url_for(".letters", slug=slug))


@blueprint.post("/<slug>/letters/<key>/discard")
@organiser_required
def discard_letter(slug: str, key: str) -> ResponseReturnValue:
    """Throw a draft away."""
    letters.discard(session(), letters.get(session(), own_course(slug), key))
    session().commit()
    flash(_("The draft is gone."), "good")
    return redirect(url_for(".letters", slug=slug))

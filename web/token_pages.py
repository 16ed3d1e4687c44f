"""Tokens of programs: an organiser makes them, sees when they were used, and revokes them."""

from __future__ import annotations

from typing import Final

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm
from wtforms import RadioField, SelectChoice, SelectMultipleField, StringField
from wtforms.validators import Length
from wtforms.widgets import CheckboxInput, ListWidget

from cohorts import tokens
from cohorts.exceptions import InvalidInput
from cohorts.language import gettext as _
from cohorts.language import lazy_gettext as lazy
from cohorts.models import now
from cohorts.tokens import DAYS, Scope

from .auth import organiser_required
from .course_forms import tidy
from .database import session
from .desk import me

blueprint = Blueprint("account", __name__, url_prefix="/account")

SCOPES: Final = {
    Scope.READ: lazy("Read courses, sign-ups, runs, cohorts and rosters"),
    Scope.SIGNUPS: lazy("Add and change sign-ups"),
    Scope.RUNS: lazy("Start and cancel matches"),
    Scope.CONNECTIONS: lazy("Tell who had to do with whom"),
}
"""What a token may be used for, in words."""


class TokenForm(FlaskForm):  # type: ignore[misc]
    """What a token is called, what it may do and for how long."""

    name = StringField(lazy("What is it for?"), [Length(max=tokens.MAX_NAME)], filters=[tidy])
    scopes = SelectMultipleField(
        lazy("What it may do"),
        choices=[SelectChoice(scope.value, words) for scope, words in SCOPES.items()],
        default=[Scope.READ.value],
        option_widget=CheckboxInput(),
        widget=ListWidget(prefix_label=False),
    )
    days = RadioField(
        lazy("How long it works"),
        choices=[SelectChoice(str(n), lazy("%(days)s days", days=n)) for n in DAYS],
        default="90",
    )


@blueprint.get("/tokens", endpoint="tokens")
@organiser_required
def token_list() -> ResponseReturnValue:
    """Show the tokens of whoever is signed in."""
    return _page(TokenForm())


@blueprint.post("/tokens")
@organiser_required
def make_token() -> ResponseReturnValue:
    """Make a token and show it, this once."""
    form = TokenForm()
    if form.validate_on_submit():
        scopes = [Scope(each) for each in form.scopes.data]
        try:
            _token, text = tokens.make(session(), me(), form.name.data, scopes, int(form.days.data), now())
        except InvalidInput as error:
            session().rollback()
            for name, sentences in error.errors.items():
                form[name].errors = list(sentences)
        else:
            session().commit()
            return _page(TokenForm(formdata=None), text)
    return _page(form), 422


def _page(form: TokenForm, made: str = "") -> str:
    found = tokens.of_user(session(), me())
    return render_template(
        "account/tokens.html",
        form=form,
        tokens=found,
        made=made,
        words=SCOPES,
        at=now(),
        most=tokens.PER_MINUTE,
    )


@blueprint.post("/tokens/<key>/revoke")
@organiser_required
def revoke_token(key: str) -> ResponseReturnValue:
    """Make a token worthless at once."""
    tokens.revoke(session(), me(), key)
    session().commit()
    flash(_("The token does not work any more."), "good")
    return redirect(url_for(".tokens"))

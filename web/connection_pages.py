"""Whom a learner has connected with: to see, add to, take back, deny and block."""

from __future__ import annotations

from typing import Final

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from cohorts import acquaintances, checkins, denials, person_blocks
from cohorts.exceptions import InvalidInput, NotFound
from cohorts.language import gettext as _
from cohorts.models import Signup, Source, now

from . import zones
from .changes_forms import ConnectionForm
from .database import session
from .personal import blueprint, own_confirmed, refuse

LONGEST: Final = 254


@blueprint.get("/l/<token>/connections")
def connections(token: str) -> ResponseReturnValue:
    """Show a learner whom they have connected with."""
    return _page(token, own_confirmed(token), ConnectionForm(formdata=None))


@blueprint.post("/l/<token>/connections")
def add_connection(token: str) -> ResponseReturnValue:
    """Keep what a learner says of somebody."""
    signup = own_confirmed(token)
    form = ConnectionForm(request.form)
    text = " ".join((form.who.data or "").replace("\x00", "").split())[:LONGEST]
    try:
        acquaintances.say(session(), signup, form.source, now(), key=form.mate.data or "", text=text)
    except InvalidInput as error:
        session().rollback()
        refuse(form, error)
        return _page(token, own_confirmed(token), form), 422
    session().commit()
    flash(_("That is kept. Nobody is told."))
    return redirect(url_for(".connections", token=token))


@blueprint.post("/l/<token>/connections/take-back")
def take_back_connection(token: str) -> ResponseReturnValue:
    """Take back something a learner said of somebody."""
    number = request.form.get("said", "")
    if not (number.isascii() and number.isdecimal() and len(number) <= 18):
        raise NotFound
    acquaintances.take_back(session(), own_confirmed(token), int(number))
    session().commit()
    flash(_("That is taken back, as if you had never said it."))
    return redirect(url_for(".connections", token=token))


@blueprint.post("/l/<token>/connections/deny")
def deny_connection(token: str) -> ResponseReturnValue:
    """Say that one is not connected with somebody, or take that back."""
    signup, key = own_confirmed(token), request.form.get("person", "").replace("\x00", "")
    if request.form.get("denied") == "no":
        denials.take_back(session(), signup, key)
    else:
        denials.deny(session(), signup, key, now())
    session().commit()
    return redirect(url_for(".connections", token=token, _anchor="denied"))


def _page(token: str, signup: Signup, form: ConnectionForm) -> str:
    known = person_blocks.knew(session(), signup)
    if not known:
        form.who.label.text = _("Whom?")
    form.mate.choices = [("", _("Choose")), *((each.key, each.name) for each in known)]
    return render_template(
        "learner/connections.html",
        signup=signup,
        course=signup.course,
        token=token,
        form=form,
        people=acquaintances.of_learner(session(), signup),
        mates=known,
        findable=checkins.findable_by(session(), signup, known),
        denied=denials.of(session(), signup),
        blocks=person_blocks.of(session(), signup),
        talked=Source.TALKED_WITH,
        city=zones.city,
    )

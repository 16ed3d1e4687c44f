"""A learner's weekly check-in."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from cohorts import checkins
from cohorts.checkins import Round
from cohorts.exceptions import InvalidInput
from cohorts.language import gettext as _
from cohorts.models import Signup, now

from .changes_forms import CheckInForm
from .database import session
from .personal import blueprint, own_confirmed, refuse


@blueprint.get("/l/<token>/check-in")
def check_in(token: str) -> ResponseReturnValue:
    """Ask how this week went; what was said already is there to change."""
    signup = own_confirmed(token)
    round_ = checkins.open_round(session(), signup, now())
    return _page(token, signup, round_, CheckInForm.showing(round_))


@blueprint.post("/l/<token>/check-in")
def save_check_in(token: str) -> ResponseReturnValue:
    """Keep a check-in."""
    signup = own_confirmed(token)
    form = CheckInForm(request.form)
    if form.validate():
        try:
            checkins.check_in(session(), signup, form.pulse(), now())
        except InvalidInput as error:
            refuse(form, error)
        else:
            session().commit()
            flash(_("Thank you. You can change your answers until this week is over."))
            return redirect(url_for(".mine", token=token))
    return _page(token, signup, checkins.open_round(session(), signup, now()), form), 422


def _page(token: str, signup: Signup, round_: Round, form: CheckInForm) -> str:
    return render_template(
        "learner/check_in.html",
        signup=signup,
        course=signup.course,
        token=token,
        round=round_,
        form=form,
    )

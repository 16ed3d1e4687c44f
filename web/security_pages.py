"""How organisers look after their own access: a second factor, and where they are signed in."""

from __future__ import annotations

from base64 import b64encode
from io import BytesIO

import segno
from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from cohorts import browser_sessions
from cohorts.exceptions import InvalidInput
from cohorts.language import gettext as _
from cohorts.models import now

from .auth import factors, organiser_required, sign_in_as, wrong_code
from .database import session
from .desk import me
from .token_pages import blueprint


@blueprint.get("/security")
@organiser_required
def security() -> ResponseReturnValue:
    """Show whether there is a second factor, and in how many browsers one is signed in."""
    return _page()


@blueprint.post("/security/prepare")
@organiser_required
def prepare_factor() -> ResponseReturnValue:
    """Show what an app is to be told; nothing is asked for yet."""
    if factors().of(session(), me()) is not None:
        return redirect(url_for(".security"))
    page = _set_up_page()
    session().commit()
    return page


@blueprint.post("/security/confirm")
@organiser_required
def confirm_factor() -> ResponseReturnValue:
    """Ask for the second factor from now on, and show the codes to keep on paper, this once."""
    try:
        codes = factors().confirm(session(), me(), request.form.get("code", "")[:40], now())
    except InvalidInput as error:
        session().rollback()
        return _set_up_page(error.errors["code"][0]), 422
    session().commit()
    return _page(codes=codes)


@blueprint.post("/security/remove")
@organiser_required
def remove_factor() -> ResponseReturnValue:
    """Ask for no second factor any more; that takes a code once more."""
    is_good = factors().check(session(), me(), request.form.get("code", "")[:40], now())
    if is_good:
        factors().remove(session(), me())
    session().commit()
    if not is_good:
        return _page(wrong=wrong_code()), 422
    flash(_("The second factor is switched off."), "good")
    return redirect(url_for(".security"))


@blueprint.post("/security/sign-out-elsewhere")
@organiser_required
def sign_out_elsewhere() -> ResponseReturnValue:
    """End all sessions but this one."""
    browser_sessions.end_all(session(), me().id)
    sign_in_as(me())
    session().commit()
    flash(_("You are signed out everywhere else."), "good")
    return redirect(url_for(".security"))


def _page(codes: list[str] | None = None, wrong: str = "") -> str:
    return render_template(
        "account/security.html",
        factor=factors().of(session(), me()),
        browsers=browser_sessions.count(session(), me(), now()),
        codes=codes,
        wrong=wrong,
    )


def _set_up_page(wrong: str = "") -> str:
    app = factors().prepare(session(), me())
    picture = BytesIO()
    segno.make(app.provisioning_uri(), error="m", micro=False).save(
        picture, kind="svg", scale=5, border=4, dark="#000", light="#fff", xmldecl=False, svgns=True
    )
    return render_template(
        "account/second_factor.html",
        picture=f"data:image/svg+xml;base64,{b64encode(picture.getvalue()).decode()}",
        secret=" ".join(app.secret[at : at + 4] for at in range(0, len(app.secret), 4)),
        wrong=wrong,
    )

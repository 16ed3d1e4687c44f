"""Who is asking: organisers sign in with a mailed link that works once, and a second factor if they have one.

Opening a link shows a button; only pressing it signs in. A link works in the browser that asked for it; in
another one the code is needed that was shown there, so that whoever reads somebody's mail cannot use it.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from functools import wraps
from hashlib import sha256
from typing import Any, Final

from flask import Blueprint, Flask, current_app, flash, g, redirect, render_template, request, url_for
from flask import session as cookie
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from werkzeug.local import LocalProxy

from cohorts import browser_sessions, language, notices
from cohorts.answers import address, is_address
from cohorts.exceptions import InvalidLink
from cohorts.language import gettext as _
from cohorts.links import SIGN_IN_SECONDS, Links
from cohorts.models import User, now
from cohorts.policies import Act
from cohorts.second_factors import Factors

from . import locales
from .database import session
from .limits import RateLimit

blueprint = Blueprint("auth", __name__)

View = Callable[..., ResponseReturnValue]

SIGNED_IN: Final = "signed_in"
"""Where the cookie keeps what proves that somebody is signed in."""
ASKED: Final = "asked"
"""Where the cookie keeps the digests of the nonces of links that this browser asked for."""
HALF_WAY: Final = "half_way"
"""Where the cookie keeps who has still to show their second factor, and since when."""

ASKED_AT_MOST: Final = 60
"""How often links are mailed to one address of the network in ten minutes; an office may sit behind it."""
GUESSED_AT_MOST: Final = 5
"""How often the code of one link may be guessed."""


def init_app(app: Flask, secret_key: str) -> None:
    """Let organisers sign in on ``app``."""
    app.extensions["factors"] = Factors(secret_key)
    app.extensions["asking"] = RateLimit(ASKED_AT_MOST, SIGN_IN_SECONDS)
    app.extensions["guessing"] = RateLimit(GUESSED_AT_MOST, SIGN_IN_SECONDS)
    app.register_blueprint(blueprint)
    app.jinja_env.globals["signed_in"] = LocalProxy(current_user)


def current_user() -> User | None:
    """Return the user who is signed in, if any; looked up once a request."""
    if "user" not in g:
        text = cookie.get(SIGNED_IN)
        g.user = browser_sessions.user_of(session(), text, now()) if isinstance(text, str) else None
    user: User | None = g.user
    return user


def is_anybody_signed_in() -> bool:
    """Tell whether this browser claims that somebody is signed in; asks no database."""
    return SIGNED_IN in cookie


def sign_in_as(user: User) -> None:
    """Sign a user in in this browser; what it kept of anybody else is gone. The caller commits."""
    cookie.clear()
    cookie[SIGNED_IN] = browser_sessions.begin(session(), user, now())
    user.locale = user.locale or language.locale()
    locales.remember(user)
    g.user = user


def organiser_required(view: View) -> View:
    """Let only somebody who is signed in see ``view``; others are sent to sign in first."""

    @wraps(view)
    def guarded(*args: Any, **kwargs: Any) -> ResponseReturnValue:
        if current_user() is None:
            return redirect(url_for("auth.sign_in"))
        return view(*args, **kwargs)

    return guarded


def requires(act: Act) -> Callable[[View], View]:
    """Let only those who may do ``act`` see a view: `web.desk.own_course` asks the table for it.

    A view that says nothing is for those who may change the course.
    """

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(*args: Any, **kwargs: Any) -> ResponseReturnValue:
            g.act = act
            return organiser_required(view)(*args, **kwargs)

        return guarded

    return decorate


@blueprint.route("/sign-in", methods=["GET", "POST"])
def sign_in() -> ResponseReturnValue:
    """Ask for an address and mail a link to it; the answer is the same for unknown addresses."""
    if request.method != "POST":
        return render_template("auth/sign_in.html")
    email = address(request.form.get("email", ""))
    known = select(User).where(User.email == email, User.active.is_(True))
    user = session().scalar(known) if is_address(email) else None
    if current_app.extensions["asking"].allows(request.remote_addr or ""):
        nonce = notices.enqueue_sign_in(session(), user, now())
        session().commit()
    else:
        nonce = secrets.token_urlsafe(16)  # of no link at all
    cookie[ASKED] = [*cookie.get(ASKED, [])[-2:], _digest(nonce)]
    return render_template("auth/sign_in_sent.html", email=email, code=_links().sign_in_code(nonce))


@blueprint.route("/sign-in/<token>", methods=["GET", "POST"])
def confirm_sign_in(token: str) -> ResponseReturnValue:
    """Show a button (GET), or spend the link and sign in (POST)."""
    user, in_any_browser = _links().read_sign_in(session(), token)
    needs_code = not in_any_browser and _digest(user.sign_in_nonce) not in cookie.get(ASKED, [])
    if request.method != "POST":
        return render_template("auth/sign_in_confirm.html", email=user.email, needs_code=needs_code)
    if needs_code and not _is_code(user):
        wrong = _("This is not the code. It stands on the page where you asked for the link.")
        page = render_template(
            "auth/sign_in_confirm.html", email=user.email, needs_code=needs_code, wrong=wrong
        )
        return page, 422
    _links().spend_sign_in(session(), token)
    if factors().of(session(), user) is not None:
        session().commit()
        cookie.clear()
        cookie[HALF_WAY] = [user.id, now().timestamp()]
        return redirect(url_for(".second_step"))
    sign_in_as(user)
    session().commit()
    return redirect(url_for("organiser.courses"))


def _is_code(user: User) -> bool:
    if not current_app.extensions["guessing"].allows(user.sign_in_nonce):
        raise InvalidLink(_("Too many codes were tried with this link. Ask for a new one."))
    typed = "".join(request.form.get("code", "").split())
    return secrets.compare_digest(typed.encode(), _links().sign_in_code(user.sign_in_nonce).encode())


@blueprint.route("/sign-in/second-step", methods=["GET", "POST"])
def second_step() -> ResponseReturnValue:
    """Ask for the second factor of whoever has used their link."""
    user = _half_way()
    if user is None:
        return redirect(url_for(".sign_in"))
    if request.method != "POST":
        return render_template("auth/second_step.html")
    is_good = factors().check(session(), user, request.form.get("code", "")[:40], now())
    if is_good:
        sign_in_as(user)
    session().commit()
    if is_good:
        return redirect(url_for("organiser.courses"))
    return render_template("auth/second_step.html", wrong=wrong_code()), 422


def _half_way() -> User | None:
    """Return who has still to show their second factor, if they used their link a moment ago."""
    user_id, since = cookie.get(HALF_WAY, (0, 0.0))
    user = session().get(User, user_id)
    in_time = now().timestamp() - since < SIGN_IN_SECONDS
    return user if user is not None and user.active and in_time else None


@blueprint.post("/language")
def change_language() -> ResponseReturnValue:
    """Change the language of this browser, and of the mails to whoever is signed in."""
    locales.choose(request.form.get("lang", ""))
    user = current_user()
    if user is not None:
        user.locale = language.locale()
        session().commit()
    return locales.back()


@blueprint.post("/sign-out")
def sign_out() -> ResponseReturnValue:
    """End the session of this browser, and so of every copy of its cookie."""
    browser_sessions.end(session(), str(cookie.get(SIGNED_IN, "")))
    session().commit()
    cookie.pop(SIGNED_IN, None)
    g.user = None
    flash(_("You are signed out."))
    return redirect(url_for("learner.home"))


def _digest(nonce: str) -> str:
    return sha256(nonce.encode()).hexdigest()[:32]


def _links() -> Links:
    links: Links = current_app.extensions["links"]
    return links


def factors() -> Factors:
    """Return what makes and checks second factors here."""
    found: Factors = current_app.extensions["factors"]
    return found


def wrong_code() -> str:
    """Say that a code of a second step is not good."""
    return _("This code is not right, or was used already. After five wrong ones, wait ten minutes.")

"""Who is asking: organisers sign in with a mailed link that works once.

Flask-Security-Too keeps the session; its own e-mail links, which sign in on GET and can be
reused, are not switched on. Opening a link shows a button; only pressing it signs in.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, ClassVar, cast

from flask import Blueprint, Flask, current_app, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user as signed_in_account
from flask_security import RoleMixin, Security, SQLAlchemySessionUserDatastore, UserMixin
from flask_security.utils import login_user, logout_user
from sqlalchemy import select
from sqlalchemy.orm import Session, scoped_session
from werkzeug.local import LocalProxy

from cohorts import language, notices
from cohorts.answers import address, is_address
from cohorts.language import gettext as _
from cohorts.links import Links
from cohorts.models import Base, User, now
from cohorts.policies import Act

from . import locales
from .database import session

blueprint = Blueprint("auth", __name__)

View = Callable[..., ResponseReturnValue]


class Account(UserMixin):
    """A row of the users' table as Flask-Security sees it; the domain knows it as ``User``."""

    roles: ClassVar[list[RoleMixin]] = []  # type: ignore[misc]  # what a user may do is decided in cohorts.policies


class NoRole(RoleMixin):
    """Flask-Security asks for a role model; roles live in cohorts.policies."""


Base.registry.map_imperatively(
    Account, User.__table__, include_properties=["id", "email", "active", "fs_uniquifier"]
)


def init_app(app: Flask) -> None:
    """Put Flask-Security's session handling on ``app``, without any of its pages."""
    app.config.update(
        SECURITY_PASSWORD_SALT="unused: there are no passwords",  # noqa: S106
        SECURITY_API_ENABLED_METHODS=["session"],
        SECURITY_JOIN_USER_ROLES=False,
        SECURITY_USE_REGISTER_V2=True,
    )
    sessions = cast(scoped_session[Session], LocalProxy(session))
    Security(app, SQLAlchemySessionUserDatastore(sessions, Account, NoRole), register_blueprint=False)
    app.register_blueprint(blueprint)
    app.jinja_env.globals["signed_in"] = LocalProxy(current_user)


def current_user() -> User | None:
    """Return the user who is signed in, if any."""
    if not signed_in_account.is_authenticated:
        return None
    return session().get(User, signed_in_account.id)


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
    if user is not None:
        notices.enqueue_sign_in(session(), user, now())
        session().commit()
    return render_template("auth/sign_in_sent.html", email=email)


@blueprint.route("/sign-in/<token>", methods=["GET", "POST"])
def confirm_sign_in(token: str) -> ResponseReturnValue:
    """Show a button (GET), or spend the link and sign in (POST)."""
    links: Links = current_app.extensions["links"]
    if request.method != "POST":
        user = links.read_sign_in(session(), token)
        return render_template("auth/sign_in_confirm.html", email=user.email)
    user = links.spend_sign_in(session(), token)
    user.locale = user.locale or language.locale()
    session().commit()
    locales.remember(user)
    login_user(cast(UserMixin, session().get(Account, user.id)))
    return redirect(url_for("organiser.courses"))


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
    """End this session and every other one of the same user, copied cookies included."""
    user = current_user()
    logout_user()
    if user is not None:
        user.end_sessions()
        session().commit()
    flash(_("You are signed out."))
    return redirect(url_for("learner.home"))

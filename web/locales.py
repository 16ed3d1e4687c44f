"""Which language a request is answered in, and how people choose another."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from flask import Flask, g, redirect, request, session, url_for
from flask.typing import ResponseReturnValue

from cohorts import language
from cohorts.models import Signup, User

_CHOSEN: Final = "locale"
"""Where the session keeps what somebody chose."""
_HERE: Final = re.compile(r"/(?![/\\])[^\x00-\x20\\]*")
"""A path of this site: two slashes would lead elsewhere; browsers skip tabs and turn backslashes round."""


def init_app(app: Flask) -> None:
    """Answer every request in the language of whoever asks."""
    app.before_request(_listen)
    app.teardown_request(lambda error: language.speak(None))
    language.install(app.jinja_env)
    app.jinja_env.globals["language"] = language


def speak_to(signup: Signup, token: str) -> None:
    """Speak a learner's own language for the rest of this request."""
    g.learner_token = token  # the choice in the footer is theirs to keep
    if signup.locale:
        language.speak(signup.locale)


def choose(tag: str) -> None:
    """Speak a language from now on, in this browser; dates are written as in the country it names."""
    regional = (each for each in _accepted() if language.texts_of(each) == tag)
    language.speak(language.first_known((*regional, tag)))
    session[_CHOSEN] = language.locale()


def remember(user: User) -> None:
    """Speak a user's own language from now on, in this browser."""
    session[_CHOSEN] = user.locale
    language.speak(user.locale)


def back() -> ResponseReturnValue:
    """Return to the page where the language was chosen."""
    path = request.form.get("back", "")
    return redirect(path if _HERE.fullmatch(path) else url_for("learner.home"))


def _listen() -> None:
    """Speak the language this address names, else the chosen one, else the first the browser asks for."""
    wanted = (request.args.get("lang", ""), session.get(_CHOSEN, ""), *_accepted())
    language.speak(language.first_known(wanted))


def _accepted() -> Iterator[str]:
    """Yield the languages the browser asks for, the best first."""
    return (tag for tag, quality in request.accept_languages if quality > 0)

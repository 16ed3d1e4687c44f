"""Domain errors as pages: one table from error to status."""

from __future__ import annotations

import logging
from typing import Final

from flask import Flask, render_template, request
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException, InternalServerError

from cohorts.exceptions import (
    CohortsError,
    Conflict,
    InvalidLink,
    NotAllowed,
    NotFound,
    SignUpClosed,
    UnreadableFile,
)
from cohorts.language import gettext as _
from cohorts.language import lazy_gettext as lazy

STATUS: Final[dict[type[CohortsError], tuple[int, str]]] = {
    NotFound: (404, lazy("Not found")),
    NotAllowed: (403, lazy("Not part of your role")),
    InvalidLink: (404, lazy("This link does not work any more")),
    SignUpClosed: (409, lazy("Sign-up is closed")),
    Conflict: (409, lazy("Something changed in the meantime")),
    UnreadableFile: (422, lazy("This file cannot be read")),
    CohortsError: (422, lazy("This cannot be done")),
}
"""Status and title of the page for each domain error; the nearest base class counts."""

WORDS: Final = {
    404: (lazy("Not found"), lazy("There is nothing at this address, or it is not yours to see.")),
    400: (lazy("Not understood"), lazy("Something in this request makes no sense. Go back and try again.")),
    405: (lazy("Not possible"), lazy("This address does not take that kind of request.")),
    413: (
        lazy("Too large"),
        lazy("This file is larger than 10 MB. Split it, or leave out what is not needed."),
    ),
}

_log = logging.getLogger(__name__)


def init_app(app: Flask) -> None:
    """Show every error of ``app`` as a page that says what to do; never as a traceback."""
    app.register_error_handler(CohortsError, _domain_error)
    app.register_error_handler(CSRFError, _stale_form)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(Exception, _unexpected)


def _page(status: int, title: str, message: str) -> ResponseReturnValue:
    return render_template("errors/error.html", status=status, title=title, message=message), status


def _domain_error(error: CohortsError) -> ResponseReturnValue:
    status, title = next(STATUS[kind] for kind in type(error).__mro__ if kind in STATUS)
    return _page(status, str(title), str(error))


def _stale_form(error: CSRFError) -> ResponseReturnValue:
    message = _("The page was open for too long. Go back, reload it and send it once more.")
    return _page(400, _("Please send this again"), message)


def _http_error(error: HTTPException) -> ResponseReturnValue:
    if error.code is None or error.code < 400:
        return error
    title, message = WORDS.get(error.code, (error.name, error.description or error.name))
    return _page(error.code, str(title), str(message))


def _unexpected(error: Exception) -> ResponseReturnValue:
    _log.exception("%s %s failed", request.method, request.endpoint, exc_info=error)
    message = _("This is our fault, not yours; it has been noted. Try again in a minute.")
    return _page(InternalServerError.code, _("Something went wrong"), message)

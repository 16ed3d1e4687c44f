"""Domain errors as pages: one table from error to status."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any, Final

from flask import Flask, jsonify, render_template, request
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException, InternalServerError

from cohorts.exceptions import (
    CohortsError,
    Conflict,
    InvalidInput,
    InvalidLink,
    NotAllowed,
    NotFound,
    SignUpClosed,
    UnreadableFile,
)
from cohorts.language import gettext as _
from cohorts.language import lazy_gettext as lazy
from cohorts.tokens import NotAuthenticated, OutOfScope, TooManyRequests

STATUS: Final[dict[type[CohortsError], tuple[int, str]]] = {
    NotFound: (404, lazy("Not found")),
    NotAllowed: (403, lazy("Not part of your role")),
    InvalidLink: (404, lazy("This link does not work any more")),
    SignUpClosed: (409, lazy("Sign-up is closed")),
    Conflict: (409, lazy("Something changed in the meantime")),
    UnreadableFile: (422, lazy("This file cannot be read")),
    NotAuthenticated: (401, lazy("No valid token")),
    OutOfScope: (403, lazy("Not what this token is for")),
    TooManyRequests: (429, lazy("Too many requests")),
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


def _page(
    status: int,
    title: str,
    message: str,
    headers: Mapping[str, str] | None = None,
    errors: Mapping[str, Any] | None = None,
) -> ResponseReturnValue:
    """Answer with a page; programs that ask the API get the same in JSON (RFC 9457)."""
    if not request.path.startswith("/api/"):
        return render_template("errors/error.html", status=status, title=title, message=message), status
    problem: dict[str, Any] = {"type": "about:blank", "title": title, "status": status, "detail": message}
    answer = jsonify(problem | ({"errors": errors} if errors else {}))
    answer.content_type = "application/problem+json"
    answer.status_code = status
    answer.headers.extend(headers or {})
    return answer


def _domain_error(error: CohortsError) -> ResponseReturnValue:
    status, title = next(STATUS[kind] for kind in type(error).__mro__ if kind in STATUS)
    headers = {"WWW-Authenticate": "Bearer"} if status == 401 else {}
    if isinstance(error, TooManyRequests):
        headers["Retry-After"] = str(error.seconds)
    errors = error.errors if isinstance(error, InvalidInput) else None
    return _page(status, str(title), str(error), headers, errors)


def _stale_form(error: CSRFError) -> ResponseReturnValue:
    message = _("The page was open for too long. Go back, reload it and send it once more.")
    return _page(400, _("Please send this again"), message)


def _http_error(error: HTTPException) -> ResponseReturnValue:
    if error.code is None or error.code < 400:
        return error
    title, message = WORDS.get(error.code, (error.name, error.description or error.name))
    allowed = getattr(error, "valid_methods", None)
    headers = {"Allow": ", ".join(allowed)} if allowed else {}
    wrong = getattr(error, "data", {}).get("messages")  # what the reader of requests found
    return _page(error.code, str(title), str(message), headers, wrong)


def _unexpected(error: Exception) -> ResponseReturnValue:
    _log.exception("%s %s failed", request.method, request.endpoint, exc_info=error)
    message = _("This is our fault, not yours; it has been noted. Try again in a minute.")
    return _page(InternalServerError.code, _("Something went wrong"), message)

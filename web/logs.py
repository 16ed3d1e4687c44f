"""What is logged: one line a request and one a mishap, with the request's id and nobody's data.

An address may hold a personal link, so a request is named by its endpoint and not by its address.
"""

from __future__ import annotations

import logging
import re
import time
from logging.config import dictConfig
from typing import Any, Final

from flask import Flask, Response, g, has_request_context, request

from cohorts.models import new_key
from config import Settings

HEADER: Final = "X-Request-ID"
_GIVEN: Final = re.compile(r"[A-Za-z0-9._-]{8,64}")

_log = logging.getLogger(__name__)


def set_up(settings: Settings) -> None:
    """Log to standard error, as lines for people or as JSON for programs."""
    text = {"format": "%(asctime)s %(levelname)s %(name)s [%(request_id)s] %(message)s"}
    as_json = {
        "()": "pythonjsonlogger.json.JsonFormatter",
        "fmt": "%(asctime)s %(levelname)s %(name)s %(request_id)s %(message)s",
        "rename_fields": {"asctime": "time", "levelname": "level", "name": "logger"},
    }
    configuration: dict[str, Any] = {
        "version": 1,
        "disable_existing_loggers": False,
        "filters": {"request": {"()": WithRequest}},
        "formatters": {"text": text, "json": as_json},
        "handlers": {
            "stderr": {
                "class": "logging.StreamHandler",
                "formatter": settings.log_format,
                "filters": ["request"],
            }
        },
        "root": {"level": settings.log_level, "handlers": ["stderr"]},
        "loggers": {"huey": {"level": "WARNING"}},
    }
    dictConfig(configuration)


class WithRequest(logging.Filter):
    """Adds the id of the request that a line is about."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Let every line pass."""
        record.request_id = g.get("request_id", "-") if has_request_context() else "-"
        return True


def init_app(app: Flask, *, behind_proxy: bool) -> None:
    """Give each request an id and log how it went; an id that a proxy has given is kept."""

    @app.before_request
    def begin() -> None:
        given = request.headers.get(HEADER, "") if behind_proxy else ""
        g.request_id = given if _GIVEN.fullmatch(given) else new_key()
        g.began = time.perf_counter()

    @app.after_request
    def end(response: Response) -> Response:
        if "began" not in g:
            return response
        response.headers[HEADER] = g.request_id
        if request.endpoint != "static":
            told = {
                "method": request.method,
                "endpoint": request.endpoint or "none",
                "status": response.status_code,
                "milliseconds": round((time.perf_counter() - g.began) * 1000, 1),
            }
            _log.info("%(method)s %(endpoint)s %(status)s in %(milliseconds)s ms", told, extra=told)
        return response

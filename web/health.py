"""Pages for those who run the site: is it alive, can it serve, and in figures how it does.

None of them tells anything about anybody.
"""

from __future__ import annotations

import hmac
import logging
import os
import time
from collections.abc import Iterator
from datetime import timedelta

from flask import Blueprint, Flask, Response, current_app, g, request
from flask.typing import ResponseReturnValue
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector
from sqlalchemy.exc import SQLAlchemyError

from cohorts import vitals
from cohorts.database import Database
from cohorts.exceptions import NotFound
from cohorts.models import now

from .database import session

blueprint = Blueprint("health", __name__)

_log = logging.getLogger(__name__)


def init_app(app: Flask, metrics_token: str) -> None:
    """Serve the pages, and measure every request."""
    registry = CollectorRegistry()
    durations = Histogram(
        "cohorts_request_seconds",
        "How long requests took.",
        ("method", "endpoint", "status"),
        registry=registry,
        buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0),
    )
    app.extensions["metrics"] = (metrics_token, registry)
    app.register_blueprint(blueprint)

    @app.after_request
    def measure(response: Response) -> Response:
        if "began" in g and request.endpoint is not None:
            labels = request.method, request.endpoint, str(response.status_code)
            durations.labels(*labels).observe(time.perf_counter() - g.began)
        return response


@blueprint.get("/healthz")
def alive() -> ResponseReturnValue:
    """Say that this process answers."""
    return {"status": "ok"}


@blueprint.get("/readyz")
def ready() -> ResponseReturnValue:
    """Say whether this process can serve: the database answers and has the tables of this version."""
    database: Database = current_app.extensions["database"]
    try:
        is_current = database.is_current()
    except SQLAlchemyError:
        _log.exception("the database does not answer")
        return {"status": "not ready", "database": "does not answer"}, 503
    if not is_current:
        return {"status": "not ready", "database": "needs: cohorts db upgrade"}, 503
    return {"status": "ok", "database": "ok"}


@blueprint.get("/metrics")
def metrics() -> ResponseReturnValue:
    """Tell, in the format of Prometheus, how requests did and what waits; only whoever has the token."""
    token, registry = current_app.extensions["metrics"]
    given = request.headers.get("Authorization", "").removeprefix("Bearer ")
    if not token or not hmac.compare_digest(given.encode(), token.encode()):
        raise NotFound
    if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):  # what all processes have measured
        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    waiting = CollectorRegistry()
    waiting.register(_Waiting(vitals.read(session(), now())))
    return Response(generate_latest(registry) + generate_latest(waiting), content_type=CONTENT_TYPE_LATEST)


class _Waiting(Collector):
    """What waits to be done, as gauges."""

    def __init__(self, found: vitals.Vitals) -> None:
        self._found = found

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Yield one gauge a figure; what is not known is left out."""
        found = self._found
        yield GaugeMetricFamily("cohorts_mails_waiting", "Mails that are due.", found.n_mails)
        yield GaugeMetricFamily("cohorts_runs_waiting", "Matches that wait for a worker.", found.n_runs)
        yield from _seconds("cohorts_oldest_mail_seconds", "How long a mail has been due.", found.oldest_mail)
        yield from _seconds("cohorts_oldest_run_seconds", "How long a match has waited.", found.oldest_run)
        yield from _seconds("cohorts_worker_seen_seconds", "When a worker was last alive.", found.worker_seen)


def _seconds(name: str, meaning: str, value: timedelta | None) -> Iterator[GaugeMetricFamily]:
    if value is not None:
        yield GaugeMetricFamily(name, meaning, value.total_seconds())

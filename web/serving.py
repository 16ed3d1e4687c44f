"""Start the site: migrate, offer a first course, run the web server and keep a worker beside it."""

from __future__ import annotations

import ctypes
import gc
import logging
import math
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from types import FrameType
from typing import TYPE_CHECKING, Final

import click
from sqlalchemy import select

import config
from cohorts import jobs, mailers, sample
from cohorts.database import Database
from cohorts.links import Links
from cohorts.models import Role, User
from config import Settings

from . import logs

if TYPE_CHECKING:
    from flask import Flask

FIRST_ORGANISER: Final = "organiser@example.org"
RESTART_SECONDS: Final = 1.0
PR_SET_PDEATHSIG: Final = 1
"""Of Linux: the signal a process gets when its parent dies (prctl(2))."""

_log = logging.getLogger(__name__)


def open_database() -> Database:
    """Return the database that the settings name."""
    return Database(config.load().database_url)


def serve(host: str, port: int, processes: int, *, with_worker: bool) -> int:
    """Serve until SIGINT or SIGTERM; return the exit status."""
    if not _is_free(host, port):
        click.echo(
            f"Port {port} of {host} is taken. Stop what uses it, or choose another with --port.", err=True
        )
        return 2
    # In development the links in mails follow the port; in production the setting is required.
    os.environ.setdefault("COHORTS_PUBLIC_URL", "" if _in_production() else f"http://{host}:{port}")
    settings = config.load()
    database = Database(settings.database_url)
    prepare(database, settings)
    links = None if settings.production else Links(settings.secret_key, settings.public_url)
    welcome(database, links, f"http://{host}:{port}")
    database.engine.dispose()
    if settings.metrics_token:  # the processes add up what they measure
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = tempfile.mkdtemp(prefix="cohorts-metrics-")
    server = gunicorn_command(host, port, processes)
    if with_worker:
        return Processes(server, [sys.executable, "-m", "web", "worker"]).run()
    sys.stdout.flush()
    os.execv(server[0], server)  # noqa: S606 (the server takes this process's place)


def _in_production() -> bool:
    return os.environ.get("COHORTS_ENV") == "production"


def _is_free(host: str, port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def work() -> None:
    """Execute matches and send mail until SIGINT or SIGTERM."""
    settings = config.load()
    logs.set_up(settings)
    jobs.Worker(
        Database(settings.database_url),
        jobs.Queue(settings.queue_url, settings.secret_key),
        Links(settings.secret_key, settings.public_url),
        mailers.from_url(settings.mail_url),
        settings.mail_from,
        settings.mails_per_second or math.inf,
    ).work()


def application() -> Flask:
    """Return the web application as a web server loads it."""
    from . import create_app

    settings = config.load()
    logs.set_up(settings)
    app = create_app(settings)
    settle()
    return app


def settle() -> None:
    """Keep the collector from what is loaded for good: a page of thousands takes a third less."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)


def prepare(database: Database, settings: Settings) -> None:
    """Migrate, and on an empty database make a first organiser with a sample course.

    In production nobody is made: ``cohorts user add`` names the first administrator.
    """
    database.upgrade()
    with database.reading() as session:
        is_empty = session.scalar(select(User.id).limit(1)) is None
    if not is_empty:
        return
    if settings.production:
        click.echo("There is no organiser yet. Add one: cohorts user add EMAIL --role admin")
        return
    with database.transaction() as session:
        user = User(email=FIRST_ORGANISER, name="First organiser", role=Role.ADMIN)
        session.add(user)
        session.flush()
        sample.course(session, user)


def welcome(database: Database, links: Links | None, address: str) -> None:
    """Print where the site is and, until somebody has signed in, how to.

    Without ``links``, as in production, no link is printed: what a service prints is kept in logs.
    """
    click.echo(f"\nCohorts is served on {address}  (Ctrl-C stops it)")
    with database.reading() as session:
        users = session.scalars(select(User).where(User.active.is_(True)).order_by(User.id).limit(1)).all()
        for user in users:
            if user.signed_in_at is None and links is not None:
                click.echo(f"Sign in as the first organiser, within ten minutes:\n  {links.sign_in(user)}\n")
            else:
                click.echo(f"A new sign-in link: ./run cohorts user link {user.email}\n")


def gunicorn_command(host: str, port: int, workers: int) -> list[str]:
    """Return the command that serves the site.

    The application is loaded in each worker, not before the fork: OpenMP does not survive one.
    """
    return [
        *(sys.executable, "-m", "gunicorn", "web.serving:application()"),
        *("--bind", f"{host}:{port}", "--workers", str(workers), "--threads", "4"),
        *("--worker-class", "gthread", "--no-control-socket", "--log-level", "warning"),
        *("--graceful-timeout", "20", "--timeout", "60"),
    ]


class Processes:
    """Child processes that live and die together; the worker is started again when it dies."""

    def __init__(self, server: list[str], worker: list[str]) -> None:
        """Take the two commands."""
        self._server, self._worker = server, worker
        self._stopping = False

    def run(self) -> int:
        """Run both until SIGINT or SIGTERM; return the exit status of the web server."""
        for signum in (signal.SIGINT, signal.SIGTERM):
            signal.signal(signum, self._stop)
        server, worker = _start(self._server), _start(self._worker)
        while not self._stopping and server.poll() is None:
            if worker.poll() is not None:
                _log.warning("the worker ended with status %s; starting another", worker.returncode)
                time.sleep(RESTART_SECONDS)
                worker = _start(self._worker)
            time.sleep(0.2)
        for child in (server, worker):
            if child.poll() is None:
                child.terminate()
        worker.wait()
        status = server.wait()
        return 0 if self._stopping else status

    def _stop(self, signum: int, frame: FrameType | None) -> None:
        self._stopping = True


def _start(command: list[str]) -> subprocess.Popen[bytes]:
    """Start a child that is out of reach of Ctrl-C, but ends when this process is killed."""
    return subprocess.Popen(command, start_new_session=True, preexec_fn=_end_with_parent)  # noqa: S603


def _end_with_parent() -> None:
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)

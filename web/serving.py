"""Start the site: migrate, offer a first course, run the web server and keep a worker beside it."""

from __future__ import annotations

import logging
import signal
import subprocess
import sys
import time
from types import FrameType
from typing import Final

import click
from sqlalchemy import select

from cohorts import sample
from cohorts.database import Database
from cohorts.links import Links
from cohorts.models import Role, User
from config import Settings

FIRST_ORGANISER: Final = "organiser@example.org"
RESTART_SECONDS: Final = 1.0

_log = logging.getLogger(__name__)


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


def welcome(database: Database, links: Links, address: str) -> None:
    """Print where the site is and, until somebody has signed in, how to."""
    click.echo(f"\nCohorts is served on {address}  (Ctrl-C stops it)")
    with database.reading() as session:
        users = session.scalars(select(User).where(User.active.is_(True)).order_by(User.id).limit(1)).all()
        for user in users:
            if user.signed_in_at is None:
                click.echo(f"Sign in as the first organiser, within ten minutes:\n  {links.sign_in(user)}\n")
            else:
                click.echo(f"A new sign-in link: ./run cohorts user link {user.email}\n")


def gunicorn_command(host: str, port: int, workers: int) -> list[str]:
    """Return the command that serves the site.

    The application is loaded in each worker, not before the fork: OpenMP does not survive one.
    """
    return [
        *(sys.executable, "-m", "gunicorn", "web:create_app()"),
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
        server = subprocess.Popen(self._server, start_new_session=True)  # noqa: S603
        worker = subprocess.Popen(self._worker, start_new_session=True)  # noqa: S603
        while not self._stopping and server.poll() is None:
            if worker.poll() is not None:
                _log.warning("the worker ended with status %s; starting another", worker.returncode)
                time.sleep(RESTART_SECONDS)
                worker = subprocess.Popen(self._worker, start_new_session=True)  # noqa: S603
            time.sleep(0.2)
        for child in (server, worker):
            if child.poll() is None:
                child.terminate()
        worker.wait()
        status = server.wait()
        return 0 if self._stopping else status

    def _stop(self, signum: int, frame: FrameType | None) -> None:
        self._stopping = True

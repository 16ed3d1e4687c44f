"""The worker: thin background tasks that fetch by id and delegate.

The database is the truth about what is to be done: a run is due as long as its row says so,
a mail as long as it waits in the outbox. The queue only makes things start at once. What the
queue loses, because a worker was killed, the steward finds in the database and enqueues again.
"""

from __future__ import annotations

import logging
import math
import os
import socket
import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from huey import Huey, PostgresHuey, SqliteHuey
from huey.serializer import SignedSerializer
from sqlalchemy.engine import make_url

from . import (
    browser_sessions,
    checkin_mails,
    door,
    importing,
    notices,
    nudges,
    predictors,
    rematch_rules,
    reminders,
    runs,
    signups,
    uploads,
    vitals,
    weighing,
)
from .database import Database
from .links import Links
from .mailers import Mailer
from .models import now

SWEEP_SECONDS: Final = 1.0
WEIGH_SECONDS: Final = 0.2
FILES_SECONDS: Final = 0.5
TIDY_EVERY: Final = timedelta(minutes=10)
REMIND_EVERY: Final = timedelta(minutes=1)
ATTEND_EVERY: Final = timedelta(minutes=30)
REMATCH_EVERY: Final = timedelta(minutes=1)

_log = logging.getLogger(__name__)


class Queue:
    """The queue of matching work: the web enqueues, the worker executes.

    Attributes:
        execute_run: Call with a run's id to have it executed soon.
    """

    def __init__(self, url: str, secret_key: str) -> None:
        """Open the queue at ``sqlite:///FILE`` or ``postgresql://…``; jobs are signed."""
        self.huey = _open(url, SignedSerializer(secret=secret_key))
        self._execute: Callable[[int], None] | None = None
        self._task = self.huey.task(name="execute_run")(self._run)

    def execute_run(self, run_id: int) -> None:
        """Ask for a run to be executed at once.

        A queue that cannot be reached is no reason to refuse: the worker finds the run's row.
        """
        try:
            self._task(run_id)
        except Exception:
            _log.exception("run %d was not enqueued; the worker will find it", run_id)

    def waiting(self) -> set[int]:
        """Return the ids of the runs that are enqueued."""
        return {task.args[0] for task in self.huey.pending()}

    def consume(self, execute: Callable[[int], None]) -> Any:
        """Return a consumer that calls ``execute`` with the ids of runs."""
        self._execute = execute
        return self.huey.create_consumer(
            workers=2, worker_type="thread", initial_delay=0.05, max_delay=0.5, periodic=False
        )

    def _run(self, run_id: int) -> None:
        assert self._execute is not None, "only a worker executes runs"
        self._execute(run_id)


def _open(url: str, serializer: SignedSerializer) -> Huey:
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        file = Path(parsed.database or "queue.sqlite3")
        file.parent.mkdir(parents=True, exist_ok=True)
        return SqliteHuey("cohorts", filename=str(file), serializer=serializer, results=False)
    dsn = parsed.set(drivername="postgresql").render_as_string(hide_password=False)
    return PostgresHuey("cohorts", dsn=dsn, serializer=serializer, results=False)


class Worker:
    """Executes runs and sends mail until it is told to stop."""

    def __init__(
        self,
        database: Database,
        queue: Queue,
        links: Links,
        mailer: Mailer,
        sender: str,
        mails_per_second: float = math.inf,
    ) -> None:
        """Work on ``database`` and ``queue``; mails leave through ``mailer`` from ``sender``."""
        self.database, self.queue = database, queue
        self.links, self.mailer, self.sender = links, mailer, sender
        self.mails_per_second = mails_per_second
        self._weigher = weighing.Weigher(database)
        self.name = f"{socket.gethostname()}:{os.getpid()}"
        self._stop = threading.Event()
        self._tidied = now() - TIDY_EVERY
        self._reminded = now() - REMIND_EVERY
        self._attended = now() - ATTEND_EVERY
        self._beaten = now() - vitals.BEAT_EVERY
        self._rematched = now() - REMATCH_EVERY

    def work(self) -> None:
        """Work until SIGINT or SIGTERM."""
        consumer = self.queue.consume(self._execute)
        # A mail server that hangs must not keep the steward from what else is due, and whoever moves a
        # learner by hand waits for what that does.
        duties = (
            (
                SWEEP_SECONDS,
                self._beat,
                self._revive_runs,
                self._tidy,
                self._remind,
                self._rematch,
                self._ask_after_the_quiet,
            ),
            (SWEEP_SECONDS, self._send_mail),
            (WEIGH_SECONDS, self._weigh),
            (FILES_SECONDS, self._read_and_import),
            (SWEEP_SECONDS, self._study),
        )
        threads = [threading.Thread(target=self._attend, args=each, daemon=True) for each in duties]
        for thread in (threading.Thread(target=door.warm_up, daemon=True), *threads):
            thread.start()
        consumer.run()
        self._stop.set()
        for thread in threads:
            thread.join(timeout=30)

    def _execute(self, run_id: int) -> None:
        runs.execute(self.database, run_id, self.name)

    def _attend(self, pause: float, *duties: Callable[[], object]) -> None:
        """See to some duties again and again."""
        while not self._stop.wait(pause):
            for duty in duties:
                try:
                    duty()
                except Exception:
                    _log.exception("%s failed; it is tried again", duty.__name__)

    def _revive_runs(self) -> None:
        """Enqueue runs that are due but not in the queue: forgotten, or their worker died."""
        with self.database.reading() as session:
            due = runs.due(session, now())
        if due:
            for run_id in set(due) - self.queue.waiting():
                self.queue.execute_run(run_id)

    def _send_mail(self) -> None:
        notices.deliver_due(
            self.database, self.links, self.mailer, self.sender, per_second=self.mails_per_second
        )

    def _weigh(self) -> None:
        self._weigher.weigh_waiting()

    def _study(self) -> None:
        predictors.answer_waiting(self.database)

    def _beat(self) -> None:
        """Let others see that this worker is alive."""
        at = now()
        if at - self._beaten >= vitals.BEAT_EVERY:
            with self.database.transaction() as session:
                vitals.beat(session, self.name, at)
            self._beaten = at

    def _read_and_import(self) -> None:
        importing.work_off(self.database, self.name)

    def _tidy(self) -> None:
        """Free places nobody confirmed, delete what nobody needs any more, and ask for check-ins."""
        at = now()
        if at - self._tidied < TIDY_EVERY:
            return
        with self.database.transaction() as session:
            signups.expire_unconfirmed(session, at)
            uploads.expire(session, at)
            weighing.expire(session, at)
            browser_sessions.expire(session, at)
            notices.expire_mails_to_nobody(session, at)
            checkin_mails.send(session, at)
        self._tidied = at

    def _remind(self) -> None:
        """Put reminders of the meetings that begin soon into the outbox."""
        at = now()
        if at - self._reminded >= REMIND_EVERY:
            reminders.enqueue_due(self.database, at)
            self._reminded = at

    def _ask_after_the_quiet(self) -> None:
        """Ask who has gone quiet whether they are still there, and give their seats free in the end."""
        at = now()
        if at - self._attended >= ATTEND_EVERY:
            nudges.attend(self.database, at)
            self._attended = at

    def _rematch(self) -> None:
        """Ask for the rematches that are due by the rules of courses; they are found in the database."""
        at = now()
        if at - self._rematched >= REMATCH_EVERY:
            with self.database.transaction() as session:
                rematch_rules.see_to(session, at)
            self._rematched = at

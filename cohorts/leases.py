"""A worker's hold on a run: claimed once, renewed while it works, lost when it falls silent."""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Self

from sqlalchemy import ColumnElement, and_, or_, select, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from .database import Database
from .language import marked
from .models import Run, RunState, new_key, now

LEASE: Final = timedelta(seconds=20)
HEARTBEAT_SECONDS: Final = 1.0
ATTEMPTS: Final = 3

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Lease:
    """One claim of a run; ``holder`` differs for each claim, also by the same worker."""

    run_id: int
    holder: str


def claimable(at: datetime) -> ColumnElement[bool]:
    """Whether a run waits for a worker, or its worker has gone silent."""
    return or_(
        Run.state == RunState.QUEUED,
        and_(Run.state == RunState.RUNNING, Run.lease_until < at),
    )


def claim(session: Session, run_id: int, worker: str) -> Lease | None:
    """Take a run that is due; of several workers only one succeeds, the others get None."""
    at, lease = now(), Lease(run_id, f"{worker}:{new_key()}")
    claimed = session.execute(
        update(Run)
        .where(Run.id == run_id, claimable(at))
        .values(
            state=RunState.RUNNING,
            worker=lease.holder,
            lease_until=at + LEASE,
            started_at=at,
            attempts=Run.attempts + 1,
            progress=0.0,
            stage=marked("Getting ready"),
        )
        .execution_options(synchronize_session=False)
    )
    if claimed.rowcount != 1:  # type: ignore[attr-defined]
        return None
    run = session.get_one(Run, run_id, populate_existing=True)
    if run.attempts > ATTEMPTS:
        run.reason = marked("The worker stopped again and again while it was matching. See its log.")
        release(run, RunState.FAILED)
        session.flush()
        return None
    return lease


def held_run(session: Session, lease: Lease) -> Run | None:
    """Return the run, locked, if the lease on it still holds."""
    return session.scalar(select(Run).where(*_held(lease)).with_for_update())


def release(run: Run, state: RunState) -> None:
    """End the work on a run; it is in ``state`` now."""
    run.state, run.finished_at, run.lease_until = state, now(), None


class Heartbeat:
    """Renews the lease of a run, writes its progress and hears of a cancellation."""

    def __init__(self, database: Database, lease: Lease) -> None:
        self.progress, self.stage = 0.0, marked("Getting ready")
        self.cancelled = self.lost = False
        self._database, self._lease = database, lease
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="heartbeat", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._done.set()
        self._thread.join()

    def should_stop(self) -> bool:
        """Tell the matcher to stop when the run was cancelled or is somebody else's now."""
        return self.cancelled or self.lost

    def _beat(self) -> None:
        while not self._done.wait(HEARTBEAT_SECONDS):
            try:
                self._renew()
            except SQLAlchemyError:
                _log.exception("run %d: the lease was not renewed; trying again", self._lease.run_id)

    def _renew(self) -> None:
        with self._database.transaction() as session:
            renewed = session.scalar(
                update(Run)
                .where(*_held(self._lease))
                .values(lease_until=now() + LEASE, progress=self.progress, stage=self.stage)
                .returning(Run.cancel_requested)
                .execution_options(synchronize_session=False)
            )
        self.lost = renewed is None
        self.cancelled = bool(renewed)


def _held(lease: Lease) -> tuple[ColumnElement[bool], ...]:
    return Run.id == lease.run_id, Run.worker == lease.holder, Run.state == RunState.RUNNING

"""How the installation is: what waits to be done, and whether a worker is there to do it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from .models import Mail, MailState, Run, RunState, WorkerBeat

BEAT_EVERY: Final = timedelta(seconds=10)
FORGET_AFTER: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Vitals:
    """What waits at one moment.

    Attributes:
        n_mails: Mails that are due and have not left.
        oldest_mail: For how long the first of them has been due; None where there is none.
        n_runs: Runs that wait for a worker.
        oldest_run: For how long the first of them has waited; None where there is none.
        worker_seen: When a worker was last known to be alive; None where none has been for a day.
    """

    n_mails: int
    oldest_mail: timedelta | None
    n_runs: int
    oldest_run: timedelta | None
    worker_seen: timedelta | None


def read(session: Session, at: datetime) -> Vitals:
    """Return how things are, in three queries."""
    mails = select(func.count(), func.min(Mail.not_before)).where(
        Mail.state == MailState.WAITING, Mail.not_before <= at
    )
    runs = select(func.count(), func.min(Run.created_at)).where(Run.state == RunState.QUEUED)
    n_mails, first_mail = session.execute(mails).one()
    n_runs, first_run = session.execute(runs).one()
    seen = session.scalar(select(func.max(WorkerBeat.seen_at)))
    return Vitals(n_mails, _since(first_mail, at), n_runs, _since(first_run, at), _since(seen, at))


def _since(then: datetime | None, at: datetime) -> timedelta | None:
    return None if then is None else max(timedelta(0), at - then)


def beat(session: Session, worker: str, at: datetime) -> None:
    """Note that a worker is alive, and forget those that have not been for long."""
    session.execute(delete(WorkerBeat).where(WorkerBeat.seen_at < at - FORGET_AFTER))
    session.merge(WorkerBeat(worker=worker, seen_at=at))

"""A worker that is killed in mid-run costs time, nothing else."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from cohorts import proposals, runs
from cohorts.database import Database
from cohorts.exceptions import Conflict
from cohorts.models import Cohort, Mail, Membership, Run, RunState, Seat
from tests.factories import make_course, make_signup
from tests.site import SECRET

EVENINGS = [frozenset(day * 48 + half for half in range(36, 42)) for day in range(5)]
N_LEARNERS = 200


@pytest.fixture
def start_worker(database: Database, tmp_path: Path) -> Iterator[Callable[[], subprocess.Popen[bytes]]]:
    """Start real workers on the test's database; none outlives the test."""
    environ = {
        **os.environ,
        "COHORTS_SECRET_KEY": SECRET,
        "COHORTS_DATA_DIR": str(tmp_path),
        "COHORTS_MAIL_URL": "smtp://127.0.0.1:1",
        "DATABASE_URL": database.url.render_as_string(hide_password=False),
    }
    workers: list[subprocess.Popen[bytes]] = []

    def start() -> subprocess.Popen[bytes]:
        workers.append(subprocess.Popen([sys.executable, "-m", "web", "worker"], env=environ))
        return workers[-1]

    yield start
    for worker in workers:
        worker.kill()
        worker.wait()


def wait_for(database: Database, run_id: int, state: RunState, seconds: float) -> Run:
    """Return the run once it is in ``state``; fail when that takes too long or it ends otherwise."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        with database.reading() as session:
            run = session.get_one(Run, run_id)
        if run.state is state:
            return run
        assert run.state in (RunState.QUEUED, RunState.RUNNING), run.reason
        time.sleep(0.05)
    raise AssertionError(f"the run is {run.state.value} after {seconds} s, not {state.value}")


def requested_run(database: Database) -> int:
    with database.transaction() as session:
        course = make_course(session, start=date(2027, 1, 11))
        for number in range(N_LEARNERS):
            evenings = EVENINGS[number % 5] | EVENINGS[number % 3]
            make_signup(
                session, course, (f"Topic {number % 9}", f"Place {number % 7}"), availability=evenings
            )
        return runs.request(session, course, None, time_limit=10).id


def count(session: Session, table: type) -> int:
    return session.scalar(select(func.count()).select_from(table)) or 0


def test_worker_killed_in_mid_run_is_replaced(
    database: Database, start_worker: Callable[[], subprocess.Popen[bytes]]
) -> None:
    run_id = requested_run(database)
    first = start_worker()
    wait_for(database, run_id, RunState.RUNNING, seconds=30)
    first.send_signal(signal.SIGKILL)
    first.wait()
    start_worker()
    run = wait_for(database, run_id, RunState.PROPOSED, seconds=60)
    assert run.attempts == 2
    with database.transaction() as session:
        assert count(session, Seat) == N_LEARNERS
        seated = session.scalar(select(func.count()).where(Seat.cohort_id.is_not(None)))
        assert seated == run.n_placed
        assert session.scalars(select(Cohort.position).order_by(Cohort.position)).all() == list(
            range(1, count(session, Cohort) + 1)
        )
        proposals.publish(session, session.get_one(Run, run_id))
    with database.transaction() as session:
        with pytest.raises(Conflict):
            proposals.publish(session, session.get_one(Run, run_id))
        assert count(session, Membership) == run.n_placed
        assert count(session, Mail) == N_LEARNERS


def test_worker_left_alone_finishes_at_the_first_attempt(
    database: Database, start_worker: Callable[[], subprocess.Popen[bytes]]
) -> None:
    run_id = requested_run(database)
    start_worker()
    assert wait_for(database, run_id, RunState.PROPOSED, seconds=60).attempts == 1


def test_worker_stops_on_sigterm(
    database: Database, start_worker: Callable[[], subprocess.Popen[bytes]]
) -> None:
    worker = start_worker()
    time.sleep(3)
    worker.terminate()
    assert worker.wait(timeout=20) == 0

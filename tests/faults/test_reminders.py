"""Workers that are killed while they remind leave nobody out and remind nobody twice."""

import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from cohorts.database import Database
from cohorts.models import CourseState, Mail, now
from cohorts.notices import Kind
from tests.factories import make_cohort, make_course, make_signup
from tests.site import SECRET

N_COHORTS, SIZE = 60, 5


@pytest.fixture
def start_worker(database: Database, tmp_path: Path) -> Iterator[Callable[[], "subprocess.Popen[bytes]"]]:
    """Start real workers on the test's database; none outlives the test. No mail leaves."""
    environ = {
        **os.environ,
        "COHORTS_SECRET_KEY": SECRET,
        "COHORTS_DATA_DIR": str(tmp_path),
        "COHORTS_MAIL_URL": "smtp://127.0.0.1:1",
        "DATABASE_URL": database.url.render_as_string(hide_password=False),
    }
    workers: list[subprocess.Popen[bytes]] = []

    def start() -> "subprocess.Popen[bytes]":
        workers.append(subprocess.Popen([sys.executable, "-m", "web", "worker"], env=environ))
        return workers[-1]

    yield start
    for worker in workers:
        worker.kill()
        worker.wait()


def reminded(database: Database) -> Counter[int | None]:
    with database.reading() as session:
        return Counter(session.scalars(select(Mail.signup_id).where(Mail.kind == Kind.REMINDER)))


def test_two_workers_one_killed_and_started_again_remind_everybody_once(
    database: Database, start_worker: Callable[[], "subprocess.Popen[bytes]"]
) -> None:
    soon = now() + timedelta(hours=12)
    slot = soon.weekday() * 48 + soon.hour * 2
    with database.transaction() as session:
        course = make_course(session, state=CourseState.RUNNING, start=now().date() - timedelta(days=7))
        for _ in range(N_COHORTS):
            members = [make_signup(session, course) for _ in range(SIZE)]
            make_cohort(session, *members, meetings=[["UTC", slot]])
    first, _second = start_worker(), start_worker()
    until = time.monotonic() + 60
    while not reminded(database) and time.monotonic() < until:
        time.sleep(0.01)
    first.kill()
    first.wait()
    start_worker()
    while len(reminded(database)) < N_COHORTS * SIZE and time.monotonic() < until:
        time.sleep(0.1)
    time.sleep(3)  # the new worker has looked by now, too
    found = reminded(database)
    assert (len(found), set(found.values())) == (N_COHORTS * SIZE, {1})

"""Starting the site: once with a sample, afterwards as it was left; the worker is kept alive."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from sqlalchemy import func, select

from cohorts.database import Database
from cohorts.links import Links
from cohorts.models import Base, Course, CourseState, Role, Signup, SignupState, User
from config import Settings
from web import serving


def rows(database: Database) -> dict[str, list[object]]:
    """Return everything in the database."""
    with database.engine.connect() as connection:
        return {table.name: list(connection.execute(select(table))) for table in Base.metadata.sorted_tables}


def test_prepare_empty_database_gets_an_organiser_and_a_sample(
    database: Database, settings: Settings
) -> None:
    serving.prepare(database, settings)
    with database.reading() as session:
        user = session.scalars(select(User)).one()
        course = session.scalars(select(Course)).one()
        confirmed = select(func.count(Signup.id)).where(Signup.state == SignupState.CONFIRMED)
        assert (user.email, user.role) == (serving.FIRST_ORGANISER, Role.ADMIN)
        assert course.state is CourseState.OPEN
        assert session.scalar(confirmed) == 120
        zones = session.scalars(select(Signup.time_zone).distinct()).all()
        assert len(zones) >= 8


def test_prepare_again_changes_nothing(database: Database, settings: Settings) -> None:
    serving.prepare(database, settings)
    before = rows(database)
    serving.prepare(database, settings)
    assert rows(database) == before


def test_prepare_in_production_makes_nobody(
    database: Database, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    serving.prepare(database, replace(settings, production=True))
    assert "cohorts user add EMAIL --role admin" in capsys.readouterr().out
    with database.reading() as session:
        assert session.scalars(select(User)).all() == []


def test_welcome_links_until_somebody_has_signed_in(
    database: Database, settings: Settings, links: Links, capsys: pytest.CaptureFixture[str]
) -> None:
    serving.prepare(database, settings)
    serving.welcome(database, links, "http://127.0.0.1:8000")
    token = re.findall(r"/sign-in/(\S+)", capsys.readouterr().out)[0]
    with database.transaction() as session:
        links.spend_sign_in(session, token)
    serving.welcome(database, links, "http://127.0.0.1:8000")
    said = capsys.readouterr().out
    assert "/sign-in/" not in said
    assert f"./run cohorts user link {serving.FIRST_ORGANISER}" in said


def test_welcome_without_links_prints_none(
    database: Database, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    serving.prepare(database, settings)
    serving.welcome(database, None, "http://127.0.0.1:8000")
    said = capsys.readouterr().out
    assert "/sign-in/" not in said
    assert f"./run cohorts user link {serving.FIRST_ORGANISER}" in said


@pytest.mark.parametrize("production", [False, True])
def test_serve_prints_a_sign_in_link_outside_production_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], production: bool
) -> None:
    environ = {
        "COHORTS_DATA_DIR": str(tmp_path),
        "COHORTS_ENV": "production" if production else "development",
    }
    environ |= {"COHORTS_SECRET_KEY": "x" * 40, "COHORTS_PUBLIC_URL": "https://cohorts.example.org"}
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.setattr(serving.os, "execv", lambda *command: None)
    database = serving.open_database()
    database.upgrade()
    with database.transaction() as session:
        session.add(User(email="ada@example.org"))
    database.engine.dispose()
    serving.serve("127.0.0.1", 0, 1, with_worker=False)
    assert ("/sign-in/" in capsys.readouterr().out) is not production


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Start the site as ``./run`` does, in a folder of its own."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environ = {name: value for name, value in os.environ.items() if not name.startswith("COHORTS_")}
    environ |= {"COHORTS_DATA_DIR": str(tmp_path)}
    environ.pop("DATABASE_URL", None)
    command = [sys.executable, "-m", "web", "serve", "--port", str(port), "--with-worker"]
    server = subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, text=True)
    yield server, f"http://127.0.0.1:{port}"
    server.terminate()
    server.communicate(timeout=60)


def wait_for_answer(url: str) -> str:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                return str(answer.read().decode())
        except OSError:
            time.sleep(0.2)
    raise AssertionError(f"{url} did not answer within a minute")


def worker_of(server: psutil.Process) -> psutil.Process | None:
    for child in server.children():
        if "worker" in child.cmdline():
            return child
    return None


def test_serve_from_nothing_and_keep_a_worker(served: tuple[subprocess.Popen[str], str]) -> None:
    server, url = served
    assert "Play with your music" in wait_for_answer(url)
    first = worker_of(psutil.Process(server.pid))
    assert first is not None
    first.send_signal(signal.SIGKILL)
    first.wait()
    until = time.monotonic() + 30
    second = None
    while second is None and time.monotonic() < until:
        time.sleep(0.2)
        second = worker_of(psutil.Process(server.pid))
    assert second is not None
    assert second.pid != first.pid
    server.terminate()
    assert server.wait(timeout=60) == 0
    assert not second.is_running()


def test_serve_killed_takes_its_worker_along(served: tuple[subprocess.Popen[str], str]) -> None:
    server, url = served
    wait_for_answer(url)
    children = psutil.Process(server.pid).children(recursive=True)
    server.kill()
    _, alive = psutil.wait_procs(children, timeout=60)
    assert alive == []


def test_serve_port_taken_says_so(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        environ = {**os.environ, "COHORTS_DATA_DIR": str(tmp_path)}
        command = [sys.executable, "-m", "web", "serve", "--port", port]
        done = subprocess.run(command, env=environ, capture_output=True, text=True)
    assert done.returncode == 2
    assert f"Port {port} of 127.0.0.1 is taken" in done.stderr

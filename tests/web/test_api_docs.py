"""The round trips in the reference of the API, run as they stand there."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from threading import Event, Thread

import pytest
from flask import Flask
from werkzeug.serving import make_server

import config
from cohorts import runs, tokens
from cohorts.database import Database
from cohorts.models import now
from tests.factories import make_course, make_user

PAGE = Path(config.__file__).parent / "docs" / "reference" / "api.md"


def block(language: str) -> str:
    """Return the one piece of the page in a language."""
    (found,) = re.findall(rf"^```{language}\n(.*?)^```", PAGE.read_text(), re.M | re.S)
    return str(found)


@pytest.fixture
def address(app: Flask, database: Database) -> Iterator[str]:
    """Serve the application from this process, with something that executes runs beside it."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    stop = Event()

    def work() -> None:
        while not stop.wait(0.1):
            with database.reading() as session:
                due = runs.due(session, now())
            for run_id in due:
                runs.execute(database, run_id, "test")

    threads = [Thread(target=each, daemon=True) for each in (server.serve_forever, work)]
    for thread in threads:
        thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    stop.set()
    server.shutdown()
    for thread in threads:
        thread.join(timeout=30)
    server.server_close()


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_round_trips_run_as_they_are_written(address: str, database: Database, tmp_path: Path) -> None:
    with database.transaction() as session:
        user = make_user(session)
        make_course(session, user, slug="singing")
        _token, text = tokens.make(session, user, "docs", list(tokens.Scope), 7, now())
    environ = {**os.environ, "SITE": address, "TOKEN": text, "COURSE": "singing"}
    assert shutil.which("curl") is not None, "curl is missing; type: apt-get install curl"
    printed = {}
    for language, command in (("sh", ["sh", "-eu"]), ("python", [sys.executable])):
        piece = [*command, "-c", block(language)]
        done = subprocess.run(piece, env=environ, cwd=tmp_path, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr + done.stdout
        printed[language] = done.stdout
    assert '"added":2' in printed["sh"]
    assert '"email":"ada@example.org"' in printed["sh"]
    assert (tmp_path / "canvas.csv").read_text().startswith("canvas_user_id,")
    assert "'added': 3, 'changed': 2" in printed["python"]
    assert "proposed 5 of 5" in printed["python"]
    assert "['Ada', 'Ben', 'Chiara', 'Dmitri', 'Elif']" in printed["python"]

"""The round trips in the reference of the API, run as they stand there against a real site."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import config
from cohorts import tokens
from cohorts.models import now
from tests.factories import make_course, make_user
from tests.site import Site

PAGE = Path(config.__file__).parent / "docs" / "reference" / "api.md"


def block(language: str) -> str:
    """Return the one piece of the page in a language."""
    (found,) = re.findall(rf"^```{language}\n(.*?)^```", PAGE.read_text(), re.M | re.S)
    return str(found)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_round_trips_run_as_they_are_written(site: Site, tmp_path: Path) -> None:
    with site.database.transaction() as session:
        user = make_user(session)
        make_course(session, user, slug="singing")
        _token, text = tokens.make(session, user, "docs", list(tokens.Scope), 7, now())
    environ = {**os.environ, "SITE": site.url, "TOKEN": text, "COURSE": "singing"}
    assert shutil.which("curl") is not None, "curl is missing; type: apt-get install curl"
    for command, piece in ((["sh", "-eu"], block("sh")), ([sys.executable], block("python"))):
        done = subprocess.run(
            [*command, "-c", piece], env=environ, cwd=tmp_path, capture_output=True, text=True, timeout=120
        )
        assert done.returncode == 0, done.stderr + done.stdout
    assert '"ada@example.org"' not in done.stdout
    assert "proposed 5 of 5" in done.stdout
    assert "['Ada', 'Ben', 'Chiara', 'Dmitri', 'Elif']" in done.stdout
    assert (tmp_path / "canvas.csv").read_text().startswith("canvas_user_id,")

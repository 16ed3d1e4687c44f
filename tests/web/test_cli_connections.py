"""``cohorts import-connections``: files of interactions from the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import func, select

from cohorts.database import Database
from cohorts.models import Interaction
from tests import chat_files
from tests.conftest import SECRET
from tests.factories import make_course, make_signup
from web.cli import cli


@pytest.fixture
def database(migrated_sqlite: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Database:
    """The database that the command finds by the settings, with a course of three."""
    file = tmp_path / "here.sqlite3"
    file.write_bytes(migrated_sqlite.read_bytes())
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{file}")
    monkeypatch.setenv("COHORTS_SECRET_KEY", SECRET)
    monkeypatch.setenv("COHORTS_DATA_DIR", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    database = Database(f"sqlite:///{file}")
    with database.transaction() as session:
        course = make_course(session, slug="music")
        for name in ("Ann", "Bo", "Cy"):
            make_signup(session, course, name=name, email=f"{name.lower()}@example.org")
    return database


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["import-connections", "music", *arguments])


def n_kept(database: Database) -> int:
    with database.reading() as session:
        return session.scalar(select(func.count()).select_from(Interaction)) or 0


def test_an_export_is_imported_once(database: Database) -> None:
    Path("slack.zip").write_bytes(chat_files.slack())
    dry = run("slack.zip", "--dry-run")
    assert dry.stdout == (
        "2 to keep, 0 there already, 0 of unknown people, 0 with oneself, 0 not understood.\n"
    )
    assert n_kept(database) == 0
    done = json.loads(run("slack.zip", "--json").stdout)
    assert (done["kept"], done["repeated"], done["problems"]) == (2, 0, {})
    assert json.loads(run("slack.zip", "--json").stdout)["repeated"] == 2
    assert n_kept(database) == 2


def test_columns_and_names_are_told(database: Database) -> None:
    Path("chat.csv").write_text("wer,wem,wann\nannk,bo7,2026-01-13\nannk,x,2026-01-13\n,x,2026-01-13\n")
    Path("names.csv").write_text("annk,ann@example.org\nbo7,bo@example.org\nnobody,\n")
    refused = run("chat.csv")
    assert refused.exit_code != 0
    assert "It is not known which column says: who, to whom, when." in refused.output
    columns = ("--columns", "from=wer, to=Wem,time=wann")
    assert "shoes" in run("chat.csv", "--columns", "from=shoes").output
    done = run("chat.csv", *columns, "--names", "names.csv")
    assert done.exit_code == 0, done.output
    assert "1 kept" in done.stdout
    assert done.stderr.splitlines() == [
        "names.csv: row 3: A row names one address, and what the tool calls its owner.",
        "chat.csv: row 4: It is not told who this was.",
        "chat.csv: not signed up: x (1)",
    ]


def test_no_such_course_or_file(database: Database) -> None:
    Path("chat.csv").write_text("from,to,time\nAnn,Bo,2026-01-13\n")
    wrong = CliRunner().invoke(cli, ["import-connections", "other", "chat.csv"])
    assert (wrong.exit_code != 0, "There is no course other." in wrong.output) == (True, True)
    assert "cannot be read" in run("none.csv").output

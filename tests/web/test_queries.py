"""Every page of an organiser asks the database as often for a large course as for a small one."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import event

import config
from cohorts.database import Database
from cohorts.links import Links
from cohorts.models import User
from tests.crowds import Crowd, gather
from tests.organisers_pages import organisers_pages
from tests.site import SECRET
from web import create_app

SMALL, LARGE = 30, 3000
HERE = "http://localhost"
BATCH = 500
A_BATCH = 5
"""Files are written while they are read: learners, their interests and cohorts, 500 at a time."""
FILES = ("export ", "chosen", "print_roster")


@pytest.fixture(scope="module")
def queries(tmp_path_factory: pytest.TempPathFactory, migrated_sqlite: Path) -> dict[int, dict[str, int]]:
    """Ask for every page with both courses; give how many queries each took."""
    found = {}
    for number in (SMALL, LARGE):
        folder = tmp_path_factory.mktemp("crowd")
        file = folder / "crowd.sqlite3"
        file.write_bytes(migrated_sqlite.read_bytes())
        database = Database(f"sqlite:///{file}")
        with database.transaction() as session:
            crowd = gather(session, number)
        environ = {"COHORTS_SECRET_KEY": SECRET, "COHORTS_DATA_DIR": str(folder), "COHORTS_PUBLIC_URL": HERE}
        app = create_app(config.load({**environ, "DATABASE_URL": f"sqlite:///{file}"}), database)
        app.config.update(TESTING=True, WTF_CSRF_ENABLED=False)
        found[number] = counted(app, database, crowd)
        database.engine.dispose()
    return found


def counted(app: Flask, database: Database, crowd: Crowd) -> dict[str, int]:
    browser = app.test_client()
    with database.reading() as session:
        link = Links(SECRET, HERE).sign_in(session.get_one(User, crowd.owner.id))
    assert browser.post(link.removeprefix(HERE)).status_code == 302
    statements: list[str] = []
    event.listen(database.engine, "before_cursor_execute", lambda *given: statements.append(given[2]))
    found = {}
    for name, address in organisers_pages(app, crowd):
        statements.clear()
        with browser.get(address) as answer:
            assert answer.status_code == 200, (name, answer.status)
            assert answer.data
        found[name] = len(statements)
    return found


def test_pages_take_as_many_queries_for_thousands(queries: dict[int, dict[str, int]]) -> None:
    small, large = ({name: n for name, n in each.items() if not is_file(name)} for each in queries.values())
    assert len(small) >= 40
    assert large == small


def test_files_take_a_fixed_number_of_queries_a_batch(queries: dict[int, dict[str, int]]) -> None:
    more = {name: n - queries[SMALL][name] for name, n in queries[LARGE].items() if is_file(name)}
    assert len(more) >= 12
    batches = LARGE // BATCH - 1
    assert {name: n for name, n in more.items() if n not in (0, A_BATCH * batches)} == {}


def is_file(name: str) -> bool:
    return name.startswith(FILES)

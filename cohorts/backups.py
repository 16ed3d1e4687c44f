"""A backup is one SQLite file with every row there was at one moment, whatever database they came from.

It has the tables of the version of the program that it was taken from, so one can be taken before an upgrade,
and put back after it, or put into the other kind of database.

What happened after a backup was taken is not undone where that must not be: whoever was erased is erased
again (`Erasure` keeps their keys, which say nothing by themselves), and no mail leaves twice. That is known
from the database that the backup takes the place of. Everybody who was signed in has to sign in again.
"""

from __future__ import annotations

import os
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from sqlalchemy import (
    JSON,
    Connection,
    Engine,
    MetaData,
    create_engine,
    delete,
    func,
    insert,
    select,
    text,
)
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool

from . import privacy
from .database import Database, migrate, revision_of
from .exceptions import Conflict, UnreadableFile
from .language import gettext as _
from .models import BrowserSession, Erasure, Mail, MailState, Signup

BATCH: Final = 500
VERSION: Final = "alembic_version"


def write(database: Database, file: Path) -> int:
    """Write a backup to a new file that only its owner may read, and return how many rows are in it.

    People go on working meanwhile; what was stored before the start is in it.

    Raises:
        Conflict: The file is there already, or the database has no tables yet.
        OSError: The file cannot be written.
    """
    if file.exists():
        raise Conflict(_("%(file)s is there already. Choose another name.", file=file))
    with _room_beside(file) as folder, _snapshot(database) as source:
        revision = revision_of(source)
        if revision is None:
            raise Conflict(_("This database has no tables yet. Run: cohorts db upgrade"))
        copy = Database(f"sqlite:///{folder / 'backup.sqlite3'}")
        with copy.migrating() as target:
            migrate(target, "upgrade", revision)
            n_rows = _copy(source, target)
        copy.engine.dispose()
        os.link(_alone(folder / "backup.sqlite3"), file)  # unlike a rename this replaces nothing
    return n_rows


def restore(database: Database, file: Path, at: datetime, *, replace: bool = False) -> int:
    """Put a backup into a database, migrate it to this version, and return how many people were erased again.

    It is all there afterwards, or nothing has changed. Nothing else may use the database meanwhile.

    Raises:
        Conflict: There is something in the database, and ``replace`` is not given; or something else is
            using it.
        UnreadableFile: The file is no backup, is damaged, or comes from a newer version.
    """
    revision = _checked(file)
    with database.reading() as session:
        connection = session.connection()
        if not replace and not _is_empty(connection):
            raise Conflict(
                _("There is something in this database. To put the backup in its place, add --replace.")
            )
        since = _since(connection)
    if not database.is_sqlite:
        return _fill(database, file, revision, since, at)
    target = Path(database.url.database or "")
    with _room_beside(target) as folder:
        new = Database(f"sqlite:///{folder / 'restored.sqlite3'}")
        n_erased = _fill(new, file, revision, since, at)
        new.engine.dispose()
        database.engine.dispose()
        try:
            _alone(target)
        except sqlite3.OperationalError as error:
            raise Conflict(
                _("Something is using this database. Stop the web server and the workers first.")
            ) from error
        os.replace(_alone(folder / "restored.sqlite3"), target)
    return n_erased


@dataclass(frozen=True, slots=True)
class _Since:
    """The keys of sign-ups that were erased and of mails that were sent, before a backup is put back."""

    erased: frozenset[str]
    sent: frozenset[str]


def _fill(database: Database, file: Path, revision: str, since: _Since, at: datetime) -> int:
    from alembic.util import CommandError

    with _opened(file).connect() as source, database.migrating() as target:
        migrate(target, "downgrade", "base")
        try:
            migrate(target, "upgrade", revision)
        except CommandError as error:
            raise UnreadableFile(
                _("%(file)s comes from a newer version of this program.", file=file)
            ) from error
        _copy(source, target)
        migrate(target, "upgrade")
        if not database.is_sqlite:
            _count_on(target)
        with Session(target, expire_on_commit=False) as session:
            return _catch_up(session, since, at)


def _catch_up(session: Session, since: _Since, at: datetime) -> int:
    """Do again what must not be undone, and return how many people were erased again."""
    again = [each for each in session.scalars(select(Signup)) if each.key in since.erased]
    for signup in again:
        privacy.erase(session, signup, at)
    known = set(session.scalars(select(Erasure.key)))
    session.add_all(Erasure(key=key, at=at) for key in since.erased - known)
    for mail in session.scalars(select(Mail).where(Mail.state == MailState.WAITING)):
        if mail.key in since.sent:
            mail.state, mail.sent_at = MailState.SENT, at
    session.execute(delete(BrowserSession))
    session.flush()
    return len(again)


def _copy(source: Connection, target: Connection) -> int:
    """Copy the rows of all tables, those first that others refer to."""
    given, taken = _tables(source), _tables(target)
    n_rows = 0
    for table in taken.sorted_tables:
        rows = source.execution_options(yield_per=BATCH).execute(
            select(given.tables[table.name]).order_by(*given.tables[table.name].primary_key)
        )
        for batch in rows.mappings().partitions():
            values = [{name: _stored(value, target) for name, value in row.items()} for row in batch]
            target.execute(insert(table), values)
            n_rows += len(values)
    return n_rows


def _tables(connection: Connection) -> MetaData:
    """Return the tables as they are, which need not be those of this version of the program."""
    metadata = MetaData()
    metadata.reflect(connection, only=lambda name, _: name != VERSION)
    for table in metadata.tables.values():
        for column in table.columns:
            if isinstance(column.type, JSON):
                column.type = JSON(none_as_null=True)
    return metadata


def _stored(value: Any, target: Connection) -> Any:
    """Return a value as the other kind of database takes it: SQLite knows no zones and keeps UTC."""
    if not isinstance(value, datetime):
        return value
    aware = value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
    return aware.replace(tzinfo=None) if target.dialect.name == "sqlite" else aware


def _count_on(connection: Connection) -> None:
    """Let new rows get higher numbers than those that were copied."""
    for table in _tables(connection).sorted_tables:
        if "id" in table.columns:
            highest = select(func.max(table.c.id)).scalar_subquery()
            sequence = func.pg_get_serial_sequence(table.name, "id")
            connection.execute(select(func.setval(sequence, func.coalesce(highest, 1), highest.is_not(None))))


def _checked(file: Path) -> str:
    """Return the version of a backup that is whole."""
    try:
        with _opened(file).connect() as connection:
            revision = revision_of(connection)
            sound = connection.scalar(text("PRAGMA integrity_check")) == "ok"
            dangling = connection.execute(text("PRAGMA foreign_key_check")).first()
    except Exception as error:
        raise UnreadableFile(_("%(file)s is no backup.", file=file)) from error
    if revision is None or not sound or dangling is not None:
        raise UnreadableFile(_("%(file)s is no backup, or is damaged.", file=file))
    return revision


def _is_empty(connection: Connection) -> bool:
    tables = _tables(connection)
    return all(
        connection.execute(select(text("1")).select_from(table)).first() is None
        for table in tables.sorted_tables
    )


def _since(connection: Connection) -> _Since:
    tables = _tables(connection).tables
    erased, mails = tables.get(Erasure.__tablename__), tables.get(Mail.__tablename__)
    return _Since(
        frozenset() if erased is None else frozenset(connection.scalars(select(erased.c.key))),
        frozenset()
        if mails is None
        else frozenset(connection.scalars(select(mails.c.key).where(mails.c.state == MailState.SENT.value))),
    )


@contextmanager
def _snapshot(database: Database) -> Iterator[Connection]:
    """Give a connection that sees everything as it is at one moment."""
    # On SQLite a transaction sees nothing that is written after its first reading.
    level = {} if database.is_sqlite else {"isolation_level": "REPEATABLE READ"}
    with database.engine.execution_options(**level).connect() as connection, connection.begin():
        yield connection


def _opened(file: Path) -> Engine:
    """Return an engine that only reads a file, even where nothing may be written beside it."""
    address = f"file:{quote(str(file.resolve()))}?mode=ro&immutable=1"
    return create_engine("sqlite://", creator=lambda: sqlite3.connect(address, uri=True), poolclass=NullPool)


@contextmanager
def _room_beside(file: Path) -> Iterator[Path]:
    """Give a private folder on the disk of a file, for what is not finished yet."""
    with tempfile.TemporaryDirectory(dir=file.resolve().parent, prefix=f".{file.name}.") as folder:
        yield Path(folder)


def _alone(file: Path) -> Path:
    """Let nothing that belongs to a SQLite database lie in files beside it."""
    if file.exists():
        with closing(sqlite3.connect(file)) as connection:
            connection.execute("PRAGMA journal_mode=DELETE")
    return file

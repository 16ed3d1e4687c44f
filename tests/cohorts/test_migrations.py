"""From each version to the next and back again, with something in every table: nothing is lost."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from alembic.script import ScriptDirectory
from sqlalchemy import (
    JSON,
    Boolean,
    Connection,
    Date,
    DateTime,
    Enum,
    Float,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    insert,
    select,
)

import migrations
from cohorts.database import Database, WeekSlots
from cohorts.models import Base

NOW = datetime(2027, 1, 13, 20, tzinfo=UTC)
MADE_ANEW = {("users", "fs_uniquifier")}
"""Columns that no version before the next one looks at, and that a way down fills with something new."""
Known = dict[tuple[str, tuple[Any, ...]], dict[str, Any]]
"""What was once stored: the row by its table and the values of its primary key."""


def revisions() -> list[str]:
    """All versions, the first first."""
    scripts = ScriptDirectory(str(Path(migrations.__file__).parent))
    return [each.revision for each in scripts.walk_revisions()][::-1]


def tables(connection: Connection) -> MetaData:
    metadata = MetaData()
    metadata.reflect(connection, only=lambda name, _: name != "alembic_version")
    return metadata


def value(table: Table, name: str, number: int) -> Any:
    """Something that a column takes: what the model says when nothing is given, else of its type."""
    model = Base.metadata.tables.get(table.name)
    column = table.columns[name] if model is None or name not in model.columns else model.columns[name]
    kind = column.type
    if isinstance(kind, Enum):
        return next(iter(kind.enums))
    if isinstance(kind, WeekSlots):
        return "0" * 84
    if column.default is not None and column.default.is_scalar:
        given = column.default.arg
        return getattr(given, "value", given)
    for types, found in (
        (Boolean, True),
        (Integer, 3),
        (Float, 0.5),
        (DateTime, NOW),
        (Date, date(2027, 1, 11)),
        (JSON, ["kept"]),
        (LargeBinary, b"kept"),
    ):
        if isinstance(kind, types) or isinstance(getattr(kind, "impl", None), types):
            return found
    return f"{name} {number}"


def put_something_everywhere(connection: Connection, number: int, known: Known) -> None:
    """Add a row to each table; rows that refer to others refer to those of this round."""
    new: dict[str, dict[str, Any]] = {}
    for table in tables(connection).sorted_tables:
        row = {}
        for column in table.columns:
            target = next((key.column for key in column.foreign_keys), None)
            if target is not None and target.table is not table:
                row[column.name] = new[target.table.name][target.name]
            elif (
                target is None and column.name != "id" and not (column.nullable and column.name == "capacity")
            ):
                row[column.name] = value(table, column.name, number)
        key = connection.execute(insert(table).values(row)).inserted_primary_key
        assert key is not None
        stored = read(connection, table, tuple(key))
        assert stored is not None
        known[table.name, tuple(key)] = new[table.name] = stored


def read(connection: Connection, table: Table, key: tuple[Any, ...]) -> dict[str, Any] | None:
    mine = [column == part for column, part in zip(table.primary_key, key, strict=True)]
    row = connection.execute(select(table).where(*mine)).mappings().one_or_none()
    return None if row is None else dict(row)


def require_kept(connection: Connection, known: Known) -> None:
    found = tables(connection).tables
    for (name, key), stored in known.items():
        if name in found:
            now = read(connection, found[name], key)
            assert now is not None, f"{name} {key} is lost"
            same = [each for each in stored if each in now and (name, each) not in MADE_ANEW]
            assert {each: now[each] for each in same} == {each: stored[each] for each in same}, name


def test_nothing_is_lost_from_version_to_version(empty_database: Database) -> None:
    steps, known, known_at = revisions(), Known(), list[Known]()
    for number, revision in enumerate(steps):
        empty_database.upgrade(revision)
        with empty_database.engine.execution_options(writes=True).begin() as connection:
            require_kept(connection, known)
            put_something_everywhere(connection, number, known)
        known_at.append(dict(known))
    assert len(known) > 10 * len(steps)
    for number in range(len(steps) - 1, 0, -1):
        empty_database.downgrade(steps[number - 1])
        with empty_database.engine.connect() as connection:
            require_kept(connection, known_at[number - 1])

"""Backups: everything is in them, they go back whole into either database, and nothing wrong comes back."""

from __future__ import annotations

import sqlite3
import stat
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import column, insert, select, table, text
from sqlalchemy.orm import Session

from cohorts import backups, browser_sessions, notices, privacy
from cohorts.database import Database
from cohorts.exceptions import Conflict, UnreadableFile
from cohorts.models import Base, Erasure, Mail, MailState, Signup, User
from tests.factories import ask, make_cohort, make_course, make_signup, make_user
from tests.questions import EXAMPLES

NOW = datetime(2027, 1, 13, 20, tzinfo=UTC)


@pytest.fixture
def full(database: Database) -> Database:
    """A database with people, answers of every kind, a cohort, mails and somebody who was erased."""
    with database.transaction() as session:
        user = make_user(session, name="Zoë ☕")
        course = make_course(session, user)
        ask(session, course, *(each.question for each in EXAMPLES.values()))
        people = [make_signup(session, course, ("Jazz", "Björk")) for _ in range(4)]
        people[0].custom = {key: each.kept for key, each in EXAMPLES.items()}
        make_cohort(session, *people[:3])
        notices.enqueue(session, notices.Kind.PLACED, signup=people[0])
        browser_sessions.begin(session, user, NOW)
        privacy.erase(session, people[3], NOW)
    return database


def everything(database: Database, *but: str) -> dict[str, list[Any]]:
    with database.reading() as session:
        return {
            table.name: sorted(map(repr, session.execute(select(table))))
            for table in Base.metadata.sorted_tables
            if table.name not in but
        }


def test_all_of_it_goes_into_either_database(
    full: Database, empty_database: Database, tmp_path: Path
) -> None:
    file = tmp_path / "backup.sqlite3"
    n_rows = backups.write(full, file)
    assert n_rows == sum(map(len, everything(full).values()))
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [
        each.name for each in tmp_path.iterdir() if each.name.startswith((".backup", "backup.sqlite3-"))
    ] == []
    assert backups.restore(empty_database, file, NOW) == 0
    assert everything(empty_database, "browser_sessions") == everything(full, "browser_sessions")
    assert everything(empty_database)["browser_sessions"] == []
    with empty_database.transaction() as session:
        assert make_user(session).id > max(session.scalars(select(User.id).where(User.name == "Zoë ☕")))
        make_signup(session, make_course(session))


def test_what_was_erased_since_is_erased_again_and_no_mail_leaves_twice(
    full: Database, tmp_path: Path
) -> None:
    file = tmp_path / "backup.sqlite3"
    backups.write(full, file)
    with full.transaction() as session:
        mail = session.scalars(select(Mail).where(Mail.signup_id.is_not(None))).first()
        assert mail is not None
        gone = session.scalars(select(Signup).where(Signup.id != mail.signup_id)).first()
        assert gone is not None
        email, key = gone.email, gone.key
        mail.state = MailState.SENT
        privacy.erase(session, gone, NOW)
    with pytest.raises(Conflict, match="--replace"):
        backups.restore(full, file, NOW)
    assert backups.restore(full, file, NOW, replace=True) == 1
    assert email not in str(everything(full))
    with full.reading() as session:
        assert session.get(Erasure, key) is not None
        assert session.get_one(Mail, mail.id).state is MailState.SENT
    backups.write(full, tmp_path / "again.sqlite3")
    assert email.encode() not in (tmp_path / "again.sqlite3").read_bytes()


def test_a_backup_of_an_earlier_version_is_brought_up_to_date(
    migrated_sqlite: Path, empty_database: Database, tmp_path: Path
) -> None:
    old = Database(f"sqlite:///{tmp_path / 'old.sqlite3'}")
    old.upgrade("0003")
    with old.transaction() as session:
        given = {"email": "a@example.org", "name": "A", "role": "admin", "active": True, "fs_uniquifier": "x"}
        columns = [column(name) for name in (*given, "locale", "sign_in_nonce", "created_at")]
        values = {**given, "locale": "", "sign_in_nonce": "n", "created_at": "2026-01-01 00:00:00"}
        session.execute(insert(table("users", *columns)).values(values))
    backups.write(old, tmp_path / "backup.sqlite3")
    backups.restore(empty_database, tmp_path / "backup.sqlite3", NOW)
    with empty_database.reading() as session:
        assert [each.email for each in session.scalars(select(User))] == ["a@example.org"]
        assert session.scalars(select(Signup)).all() == []
    old.engine.dispose()


def damaged(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[8192:40960] = b"\xff" * 32768
    file.write_bytes(content)


def newer(file: Path) -> None:
    with sqlite3.connect(file) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (Path.unlink, "is no backup"),
        (lambda file: file.write_bytes(b""), "is no backup"),
        (lambda file: file.write_text("name,email\n"), "is no backup"),
        (damaged, "is no backup"),
        (newer, "newer version"),
    ],
    ids=["missing", "empty", "another file", "damaged", "newer"],
)
def test_what_is_no_backup_is_refused_and_nothing_changes(
    full: Database, tmp_path: Path, spoil: Any, said: str
) -> None:
    file = tmp_path / "backup.sqlite3"
    backups.write(full, file)
    spoil(file)
    before = everything(full)
    with pytest.raises(UnreadableFile, match=said):
        backups.restore(full, file, NOW, replace=True)
    assert everything(full) == before


def test_a_restore_that_fails_half_way_changes_nothing(
    full: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    backups.write(full, tmp_path / "backup.sqlite3")
    with full.transaction() as session:
        make_user(session, name="Since then")
    before = everything(full)

    def broken(*_: object) -> int:
        raise RuntimeError

    monkeypatch.setattr(backups, "_catch_up", broken)
    with pytest.raises(RuntimeError):
        backups.restore(full, tmp_path / "backup.sqlite3", NOW, replace=True)
    assert everything(full) == before
    assert [each.name for each in tmp_path.iterdir() if each.name.startswith(".")] == []


def test_a_file_that_is_there_is_not_written_over(full: Database, tmp_path: Path) -> None:
    file = tmp_path / "backup.sqlite3"
    file.write_text("something dear")
    with pytest.raises(Conflict, match="is there already"):
        backups.write(full, file)
    assert file.read_text() == "something dear"


def test_a_database_that_is_in_use_is_not_replaced(migrated_sqlite: Path, tmp_path: Path) -> None:
    file = tmp_path / "used.sqlite3"
    file.write_bytes(migrated_sqlite.read_bytes())
    database = Database(f"sqlite:///{file}")
    with database.transaction() as session:
        make_user(session)
    backups.write(database, tmp_path / "backup.sqlite3")
    beside = Database(f"sqlite:///{file}")
    with Session(beside.engine) as reading:
        assert len(reading.scalars(select(User)).all()) == 1
        with pytest.raises(Conflict, match="Stop the web server"):
            backups.restore(database, tmp_path / "backup.sqlite3", NOW, replace=True)
        assert reading.execute(text("SELECT count(*) FROM users")).scalar() == 1
    beside.engine.dispose()
    assert backups.restore(database, tmp_path / "backup.sqlite3", NOW, replace=True) == 0
    database.engine.dispose()


def test_a_database_without_tables_has_no_backup(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'new.sqlite3'}")
    with pytest.raises(Conflict, match="no tables"):
        backups.write(database, tmp_path / "backup.sqlite3")
    database.engine.dispose()

"""A backup beside people who go on working, put back: what was stored before its start is there."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from threading import Event, Thread

import pytest
from sqlalchemy import select, text

from cohorts import backups
from cohorts.database import Database
from cohorts.models import Interest, Signup
from tests import size
from tests.factories import make_course, make_signup

WRITES_PER_SECOND = 50
N_BACKUPS = size.usual(2, full=20)
NOW = datetime(2027, 1, 13, 20, tzinfo=UTC)


@pytest.fixture
def stored(database: Database) -> Iterator[list[str]]:
    """The addresses that were stored so far, each with its interest; more come all the time."""
    with database.transaction() as session:
        course = make_course(session)
    stop, done, failed = Event(), list[str](), list[BaseException]()

    def write() -> None:
        try:
            while not stop.wait(1 / WRITES_PER_SECOND):
                with database.transaction() as session:
                    signup = make_signup(session, session.merge(course))
                    signup.interests.append(Interest(course_id=course.id, key=signup.key, label="Jazz"))
                    email = signup.email
                done.append(email)
        except BaseException as error:
            failed.append(error)
            raise

    thread = Thread(target=write)
    thread.start()
    yield done
    stop.set()
    thread.join()
    assert failed == []


def test_a_backup_has_whole_what_was_stored_before_it(
    database: Database, stored: list[str], tmp_path: Path
) -> None:
    for number in range(N_BACKUPS):
        time.sleep(0.5)
        before = len(stored)
        assert before > 0
        file = tmp_path / f"backup-{number}.sqlite3"
        backups.write(database, file)
        restored = Database(f"sqlite:///{tmp_path / f'restored-{number}.sqlite3'}")
        backups.restore(restored, file, NOW)
        with restored.reading() as session:
            found = session.scalars(select(Signup)).all()
            assert {each.email for each in found} >= set(stored[:before])
            assert all(len(each.interests) == 1 for each in found)
            assert session.scalar(text("PRAGMA integrity_check")) == "ok"
            assert session.execute(text("PRAGMA foreign_key_check")).all() == []
        restored.engine.dispose()


def test_a_plain_copy_of_the_file_would_lose_them(migrated_sqlite: Path, tmp_path: Path) -> None:
    file = tmp_path / "copied.sqlite3"
    file.write_bytes(migrated_sqlite.read_bytes())
    database = Database(f"sqlite:///{file}")
    with database.transaction() as session:
        make_signup(session, make_course(session))
    (tmp_path / "copy.sqlite3").write_bytes(file.read_bytes())
    copy = Database(f"sqlite:///{tmp_path / 'copy.sqlite3'}")
    with copy.reading() as session:
        assert session.scalars(select(Signup)).all() == []
    backups.write(database, tmp_path / "backup.sqlite3")
    backups.restore(copy, tmp_path / "backup.sqlite3", NOW)
    with copy.reading() as session:
        assert len(session.scalars(select(Signup)).all()) == 1
    copy.engine.dispose()
    database.engine.dispose()

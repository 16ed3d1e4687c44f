"""The database layer: migrations both ways, column types, and writers that never collide."""

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from threading import Barrier, Thread

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import inspect, select, text
from sqlalchemy.dialects import sqlite
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.orm import Session

from cohorts.database import Database, Moment, WeekSlots
from cohorts.models import Base, Membership, Signup, User
from cohorts.questions import Kind
from cohorts.week import SLOTS
from tests.factories import ask, make_course, make_signup, make_user
from tests.questions import EXAMPLES

DIALECT = sqlite.dialect()


def test_upgrade_makes_the_tables_of_the_models(empty_database: Database) -> None:
    empty_database.upgrade()
    with empty_database.engine.connect() as connection:
        context = MigrationContext.configure(connection)
        assert compare_metadata(context, Base.metadata) == []


def test_downgrade_leaves_nothing(empty_database: Database) -> None:
    empty_database.upgrade()
    empty_database.downgrade("base")
    assert inspect(empty_database.engine).get_table_names() == ["alembic_version"]
    empty_database.upgrade()
    assert "signups" in inspect(empty_database.engine).get_table_names()


def test_sign_ups_survive_the_way_to_questions_of_a_courses_own_and_back(empty_database: Database) -> None:
    empty_database.upgrade()
    with empty_database.transaction() as session:
        course = ask(session, make_course(session), EXAMPLES[Kind.ONE].question)
        make_signup(session, course, name="Ada", custom={"role": "A player"}, not_alone=["role"])
        n_questions = len(course.questions)
    empty_database.downgrade("0006")
    with empty_database.engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM course_questions")).scalar() == n_questions - 1
        assert connection.execute(text("SELECT name FROM signups")).scalars().all() == ["Ada"]
    empty_database.upgrade()
    with empty_database.reading() as session:
        signup = session.scalars(select(Signup)).one()
        assert (signup.name, signup.custom, signup.not_alone) == ("Ada", {}, [])
        assert signup.shown == ["interests", "goal", "can_help_with", "convenor"]  # what cohorts saw before
        assert {row.kind for row in signup.course.questions} == {None}


def test_upgrade_twice_changes_nothing(empty_database: Database) -> None:
    empty_database.upgrade()
    with empty_database.transaction() as session:
        make_user(session, email="kept@example.org")
    empty_database.upgrade()
    with empty_database.reading() as session:
        assert session.scalars(select(User.email)).all() == ["kept@example.org"]


def test_upgrade_by_two_processes_at_once(empty_database: Database) -> None:
    barrier, errors = Barrier(2), []

    def upgrade() -> None:
        barrier.wait()
        try:
            empty_database.upgrade()
        except Exception as error:
            errors.append(error)

    threads = [Thread(target=upgrade) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert "signups" in inspect(empty_database.engine).get_table_names()


def test_moment_comes_back_in_utc(session: Session) -> None:
    moment = datetime(2027, 3, 1, 12, tzinfo=timezone(timedelta(hours=5, minutes=45)))
    user = make_user(session, created_at=moment)
    session.expire(user)
    assert user.created_at == moment
    assert user.created_at.tzinfo is UTC


def test_moment_naive_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        Moment().process_bind_param(datetime(2027, 1, 1), DIALECT)


@given(st.frozensets(st.integers(0, SLOTS - 1)))
def test_week_slots_come_back(slots: frozenset[int]) -> None:
    column = WeekSlots()
    digits = column.process_bind_param(slots, DIALECT)
    assert digits is not None
    assert len(digits) == 84
    assert column.process_result_value(digits, DIALECT) == slots


@pytest.mark.parametrize("slot", [-1, SLOTS])
def test_week_slots_outside_the_week_are_refused(slot: int) -> None:
    with pytest.raises(ValueError, match="between 0 and 335"):
        WeekSlots().process_bind_param(frozenset({slot}), DIALECT)


def test_foreign_keys_hold(session: Session) -> None:
    session.add(Membership(signup_id=1, cohort_id=1))
    with pytest.raises(IntegrityError):
        session.flush()


def test_address_signs_up_once_a_course(session: Session) -> None:
    course = make_course(session)
    make_signup(session, course, email="a@example.org")
    with pytest.raises(IntegrityError):
        make_signup(session, course, email="a@example.org")


def append_ten_letters(database: Database, user_id: int, *, locked: bool) -> None:
    """Read a name and write it back one letter longer, ten times."""
    for _ in range(10):
        with database.transaction() as session:
            user = session.get_one(User, user_id, with_for_update=locked)
            user.name += "x"


def test_transaction_writers_lose_nothing(database: Database) -> None:
    with database.transaction() as session:
        user_id = make_user(session, name="").id
    threads = [
        Thread(target=append_ten_letters, args=(database, user_id), kwargs={"locked": True}) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.reading() as session:
        assert session.get_one(User, user_id).name == "x" * 80


def test_transaction_without_writing_from_the_start_collides(migrated_sqlite: Path, tmp_path: Path) -> None:
    """The positive control: a reader that turns into a writer is refused by SQLite."""
    file = tmp_path / "race.sqlite3"
    file.write_bytes(migrated_sqlite.read_bytes())
    database = Database(f"sqlite:///{file}")
    with database.transaction() as session:
        user_id = make_user(session, name="").id
    with database.session(writes=False) as late, late.begin():
        user = late.get_one(User, user_id)
        append_ten_letters(database, user_id, locked=True)
        user.name = "lost"
        with pytest.raises(OperationalError, match="locked"):
            late.flush()
        late.rollback()
    database.engine.dispose()


def test_reading_goes_on_beside_a_writer(database: Database) -> None:
    with database.transaction() as session:
        course = make_course(session)
        make_signup(session, course)
    with database.transaction() as writer:
        make_signup(writer, writer.merge(course))
        with database.reading() as reader:
            assert len(reader.scalars(select(Signup)).all()) == 1
            reader.execute(text("SELECT 1"))


def test_a_new_sqlite_database_is_its_owners_alone(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/new/cohorts.sqlite3")
    database.upgrade()
    with database.transaction() as session:
        make_course(session)
        modes = {each.name: each.stat().st_mode & 0o777 for each in (tmp_path / "new").iterdir()}
    database.engine.dispose()
    assert set(modes) >= {"cohorts.sqlite3", "cohorts.sqlite3-wal"}
    assert set(modes.values()) == {0o600}

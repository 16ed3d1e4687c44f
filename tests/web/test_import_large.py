"""Large files: the worker reads and imports them, pages show what was kept, and it is all or nothing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from cohorts import dry_runs, importing, native, sample
from cohorts.database import Database
from cohorts.models import Course, Signup, Upload, UploadRow, UploadStage, User, now
from tests.factories import make_course, make_user
from tests.tool_files import TITLED, book_of, csv_of
from tests.web.test_import_pages import columns_of, go_on, stored, upload
from tests.web.test_organiser import text_of
from tests.web.test_questions import alone

GOOD = "email,time_zone,availability\n"
ROW = "p{}@example.org,UTC,Mon 18:00-20:00\n"


@pytest.fixture
def organiser(session: Session) -> User:
    user = make_user(session)
    session.commit()
    return user


@pytest.fixture
def course(session: Session, organiser: User) -> Course:
    course = make_course(session, organiser, slug="poems")
    session.commit()
    return course


@pytest.fixture
def browser(signed_in: Callable[[User], FlaskClient], session: Session, organiser: User) -> FlaskClient:
    return alone(signed_in(organiser), session)


@pytest.fixture
def all_is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave every file to the worker."""
    monkeypatch.setattr(dry_runs, "SMALL", 0)


def count(session: Session, table: type[Signup] | type[Upload] | type[UploadRow]) -> int:
    return session.scalar(select(func.count()).select_from(table)) or 0


def work(session: Session, database: Database) -> int:
    session.commit()
    return importing.work_off(database, "w")


def waiting_file(session: Session, browser: FlaskClient, database: Database, rows: int = 3) -> str:
    """Upload a file, have it read, and ask for its import; return the address of its pages."""
    content = GOOD + "".join(map(ROW.format, range(rows)))
    address: str = upload(browser, content).location
    work(session, database)
    assert browser.post(f"{address}/apply").location == address
    return address


@pytest.mark.usefixtures("all_is_large")
def test_large_file_is_read_and_imported_by_the_worker(
    session: Session, course: Course, browser: FlaskClient, database: Database
) -> None:
    address = upload(browser, GOOD + ROW.format(1) + "bad,UTC,Mon 18:00-20:00\n").location
    assert "The file is being read" in text_of(browser.get(address))
    assert "The file is being read" in text_of(browser.get(f"{address}/columns"))
    assert browser.get(f"{address}.json").json == {"active": True, "progress": 0.0, "stage": ""}
    assert work(session, database) == 1
    assert browser.get(f"{address}.json").json == {"active": False, "progress": 1.0, "stage": ""}
    assert "1 row cannot be read" in text_of(browser.get(address))
    browser.post(f"{address}/apply")
    assert work(session, database) == 1
    page = text_of(browser.get(address))
    assert "1 row of this file is refused, so nothing was imported." in page
    assert count(session, Signup) == 0
    browser.post(f"{address}/apply", data={"leave_out": "yes"})
    assert "The file is being imported" in text_of(browser.get(address))
    browser.post(f"{address}/apply", data={"leave_out": "yes"})
    assert work(session, database) == 1
    page = text_of(browser.get(address))
    assert "1 added, 0 changed. 1 left out." in page
    assert list(stored(session)) == ["p1@example.org"]
    assert (count(session, UploadRow), session.scalars(select(Upload.content)).all()) == (0, [b""])


@pytest.mark.usefixtures("all_is_large")
def test_worker_that_dies_over_an_import_leaves_nothing_and_the_next_one_does_it(
    session: Session,
    course: Course,
    browser: FlaskClient,
    database: Database,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    address = waiting_file(session, browser, database)
    with monkeypatch.context() as patch:
        patch.setattr(importing, "_close", _die)
        with pytest.raises(KeyboardInterrupt):
            work(session, database)
    assert count(session, Signup) == 0
    assert work(session, database) == 0, "it is held for a while yet"
    session.execute(update(Upload).values(lease_until=now() - timedelta(seconds=1)))
    assert work(session, database) == 1
    assert len(stored(session)) == 3
    assert "3 added" in text_of(browser.get(address))


def _die(*_: object) -> None:
    raise KeyboardInterrupt


@pytest.mark.usefixtures("all_is_large")
def test_file_over_which_workers_die_again_and_again_is_given_up(
    session: Session, course: Course, browser: FlaskClient, database: Database
) -> None:
    address = waiting_file(session, browser, database)
    session.execute(update(Upload).values(attempts=importing.ATTEMPTS))
    work(session, database)
    assert "The worker stopped again and again" in text_of(browser.get(address))
    assert session.scalars(select(Upload.stage)).one() is UploadStage.READ
    assert count(session, Signup) == 0


@pytest.mark.usefixtures("all_is_large")
def test_file_that_is_forgotten_meanwhile_is_not_imported(
    session: Session,
    course: Course,
    browser: FlaskClient,
    database: Database,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    waiting_file(session, browser, database)
    read = dry_runs.read

    def read_and_forget(*args: object, **kwargs: object) -> dry_runs.Reading:
        found = read(*args, **kwargs)  # type: ignore[arg-type]
        with database.transaction() as other:
            importing.forget(other, other.scalars(select(Upload)).one())
        return found

    monkeypatch.setattr(dry_runs, "read", read_and_forget)
    work(session, database)
    assert count(session, Signup) == 0


def test_pages_of_a_file_look_up_as_often_whatever_its_rows(
    session: Session, course: Course, browser: FlaskClient, database: Database, count_queries: list[str]
) -> None:
    counts = []
    for n in (30, 3_000):
        address = upload(browser, native.write(sample.people(n, 1))).location
        work(session, database)
        for path in (address, f"{address}?page=2", f"{address}/columns"):
            count_queries.clear()
            assert browser.get(path).status_code == 200
            counts.append(len(count_queries))
    assert counts[:3] == counts[3:]


def test_every_row_is_on_one_page_of_its_list(
    session: Session,
    course: Course,
    browser: FlaskClient,
    database: Database,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(dry_runs, "PAGE", 10)
    rows = "".join(map(ROW.format, range(25))) + "".join(f"bad{n},UTC,Mon 18:00-20:00\n" for n in range(12))
    address = upload(browser, GOOD + rows).location
    shown = [text_of(browser.get(f"{address}?show=refused&page={page}")) for page in (1, 2)]
    assert [sum(f"bad{n} " in page for n in range(12)) for page in shown] == [10, 2]
    others = "".join(text_of(browser.get(f"{address}?show=others&page={page}")) for page in (1, 2, 3))
    assert all(f" p{n}@example.org " in others for n in range(25))


def test_looking_again_sees_who_has_signed_up_since(
    session: Session, course: Course, browser: FlaskClient
) -> None:
    first, second = (upload(browser, GOOD + ROW.format(1)).location for _ in range(2))
    browser.post(f"{first}/apply")
    assert "1 learner will be added" in text_of(browser.get(second))
    browser.post(f"{second}/again")
    assert "There is nothing to do" in text_of(browser.get(second))


# ---- Sheets and headings ----


def test_sheet_of_a_workbook_is_chosen(session: Session, course: Course, browser: FlaskClient) -> None:
    people = (("E-mail", "Time zone", "Monday"), ("ann@example.org", "UTC", "18-20"))
    others = (("E-mail", "Time zone", "Friday"), ("bob@example.org", "UTC", "9-11"))
    notes = (("What", "Whom to ask"), ("Hours", "Ann"))
    book = book_of({"Read me": notes, "Spring": people, "Autumn": others, "Empty": ()}, hidden=["Autumn"])
    address = upload(browser, book, "answers.xlsx").location
    page = browser.get(address).get_data(as_text=True)
    assert columns_of(browser, address)["column-2"] == "availability"
    assert "Monday" in page
    sheets = {each.sheet: each for each in session.scalars(select(Upload))}
    assert list(sheets) == ["Read me", "Spring", "Autumn"]
    hidden = f"/organise/poems/import/{sheets['Autumn'].key}/columns"
    assert f'href="{hidden}"' in page
    done = go_on(browser, hidden).location
    browser.post(f"{done}/apply")
    assert list(stored(session)) == ["bob@example.org"]
    assert count(session, Upload) == 0


def test_row_of_the_headings_is_chosen(session: Session, course: Course, browser: FlaskClient) -> None:
    address = upload(browser, csv_of(*TITLED)).location
    assert columns_of(browser, address)["column-0"] != "name", "the title is taken for the headings"
    moved = go_on(browser, address, header="3", is_grouped="y", zone="UTC")
    assert moved.location == address
    found = columns_of(browser, address)
    assert [found[f"column-{column}"] for column in (0, 2, 3)] == ["name", "availability", "availability"]
    done = go_on(browser, address, column_1="email", header="3", is_grouped="y", zone="UTC", keep="y")
    assert "Every row can be read" in text_of(browser.get(done.location))
    browser.post(f"{done.location}/apply")
    assert sorted(stored(session)) == ["ann@example.org", "bob@example.org"]
    again = upload(browser, csv_of(*TITLED[:3], ("Cai", "cai@example.org", "9-10", "")))
    assert again.location == again.location.removesuffix("/columns"), "the way of reading was kept"
    browser.post(f"{again.location}/apply")
    assert "cai@example.org" in stored(session)


@pytest.mark.parametrize(
    ("header", "said"), [("99", "Row 99 is empty, or not there."), ("-1", "between 0 and 100000")]
)
def test_row_of_the_headings_that_is_none(
    course: Course, browser: FlaskClient, header: str, said: str
) -> None:
    address = upload(browser, csv_of(*TITLED)).location
    answer = go_on(browser, address, header=header)
    assert said in text_of(browser.get(address) if answer.status_code == 302 else answer)


def test_file_without_headings_is_read_from_its_first_row(
    session: Session, course: Course, browser: FlaskClient
) -> None:
    address = upload(browser, csv_of(("Time zone", "Goal", "x"), ("UTC", "Sing", "y"))).location
    go_on(browser, address, header="0")
    page = text_of(browser.get(address))
    assert "Column A" in page
    assert "2 rows" in page

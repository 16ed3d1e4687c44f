"""The pages of an import: a file or pasted rows, its columns, the dry run, and what is stored in the end."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from cohorts import availability, privacy, uploads
from cohorts.models import Course, KeptRecipe, Signup, SignupState, Upload, UploadRow, User, now
from tests import tool_files as made
from tests.factories import ask, make_course, make_signup, make_user
from tests.questions import EXAMPLES
from tests.tool_files import ANN, BOB, CAI, csv_of
from tests.web.test_organiser import text_of
from tests.web.test_questions import alone


@pytest.fixture
def organiser(session: Session) -> User:
    user = make_user(session)
    session.commit()
    return user


@pytest.fixture
def course(session: Session, organiser: User) -> Course:
    course = make_course(session, organiser, slug="poems", title="Reading poems")
    session.commit()
    return course


@pytest.fixture
def browser(signed_in: Callable[[User], FlaskClient], session: Session, organiser: User) -> FlaskClient:
    return alone(signed_in(organiser), session)


GOOD = "name,email,time_zone,availability,languages,interests\n"
ADA = "Ada,ada@example.org,Europe/Berlin,Mon 18:00-21:00,English,Rilke\n"
BROKEN = "Bo,not an address,Mars/Base,Mon 18:00-21:00,English,Rilke\n"


def upload(browser: FlaskClient, content: str | bytes, name: str = "people.csv") -> Any:
    file = (io.BytesIO(content.encode() if isinstance(content, str) else content), name)
    answer = browser.post("/organise/poems/import", data={"file": file}, content_type="multipart/form-data")
    answer.request.environ["wsgi.input"].close()  # a large one is a file, which nobody else closes here
    return answer


def test_import_shows_a_dry_run_and_stores_no_learner(
    session: Session, course: Course, browser: FlaskClient
) -> None:
    answer = upload(browser, GOOD + ADA)
    page = text_of(browser.get(answer.location))
    assert answer.status_code == 302
    assert "Every row can be read" in page
    assert "ada@example.org" in page
    assert session.scalar(select(func.count()).select_from(Signup)) == 0


def test_import_applies_a_file_and_forgets_it(session: Session, course: Course, browser: FlaskClient) -> None:
    address = upload(browser, GOOD + ADA).location
    assert browser.post(f"{address}/apply").status_code == 302
    learner = session.scalars(select(Signup)).one()
    assert (learner.email, learner.state) == ("ada@example.org", SignupState.CONFIRMED)
    assert session.scalar(select(func.count()).select_from(Upload)) == 0
    assert browser.post(f"{address}/apply").status_code == 404


def test_import_with_a_refused_row_shows_why(course: Course, browser: FlaskClient) -> None:
    page = text_of(browser.get(upload(browser, GOOD + ADA + BROKEN).location))
    assert "1 row cannot be read" in page
    assert "Import the others" in page
    assert "time_zone" in page


def test_import_leaves_rows_out_only_when_told(
    session: Session, course: Course, browser: FlaskClient
) -> None:
    address = upload(browser, GOOD + ADA + BROKEN).location
    assert 400 <= browser.post(f"{address}/apply").status_code < 500
    assert session.scalar(select(func.count()).select_from(Signup)) == 0
    assert browser.post(f"{address}/apply", data={"leave_out": "yes"}).status_code == 302
    assert session.scalars(select(Signup.email)).all() == ["ada@example.org"]


@pytest.mark.parametrize("text", ["", "E-mail,Name\n", "\x00\x01", 'a,b\n1,"2\n', "PK\x03\x04"])
def test_import_of_a_file_that_cannot_be_read(
    session: Session, course: Course, browser: FlaskClient, text: str
) -> None:
    answer = upload(browser, text)
    assert answer.status_code == 422
    assert 'href="#file"' in answer.get_data(as_text=True)
    assert session.scalar(select(func.count()).select_from(Upload)) == 0


def test_import_without_a_file(course: Course, browser: FlaskClient) -> None:
    assert browser.post("/organise/poems/import", data={}).status_code == 422


def test_import_of_a_file_that_is_too_large(course: Course, browser: FlaskClient) -> None:
    announced = {"CONTENT_LENGTH": str(10 * 1024 * 1024 + 1)}
    answer = browser.post(
        "/organise/poems/import",
        data=b"--x--",
        content_type="multipart/form-data; boundary=x",
        environ_overrides=announced,
    )
    assert answer.status_code == 413


def test_discard_forgets_a_file(session: Session, course: Course, browser: FlaskClient) -> None:
    address = upload(browser, GOOD + ADA).location
    assert browser.post(f"{address}/discard").status_code == 302
    assert session.scalar(select(func.count()).select_from(Upload)) == 0


# ---- Columns ----


def columns_of(browser: FlaskClient, address: str) -> dict[str, str]:
    """Return what each column is taken for, by the name of its field."""
    page = browser.get(address).get_data(as_text=True)
    found = {}
    for name, inside in re.findall(r'<select id="(column-\d+)".*?>(.*?)</select>', page, re.S):
        chosen = re.search(r'value="([^"]*)" selected', inside)
        found[name] = chosen[1] if chosen else ""
    return found


def go_on(browser: FlaskClient, address: str, **changed: str) -> Any:
    """Send the page of the columns as it is, but for what is ``changed``."""
    named = {re.sub(r"^column_", "column-", name): value for name, value in changed.items()}
    form = {**columns_of(browser, address), "repeated": "latest", "then": "go_on", **named}
    return browser.post(address, data=form)


def stored(session: Session) -> dict[str, Signup]:
    session.expire_all()
    return {each.email: each for each in session.scalars(select(Signup))}


@pytest.mark.parametrize(
    ("content", "name", "dialect"),
    [
        (made.GOOGLE, "answers.csv", "Google Forms"),
        (made.GRUEPR, "survey.csv", "gruepr"),
        (made.TYPEFORM, "responses.csv", "Typeform"),
        (made.LIMESURVEY, "results.csv", "LimeSurvey"),
        (made.CANVAS_GRADEBOOK, "grades.csv", "Canvas"),
        (made.MOODLE, "participants.csv", "Moodle"),
        (made.CATME, "catme.csv", "CATME"),
        (made.DOODLE, "doodle.xlsx", "Doodle"),
    ],
)
def test_file_of_another_tool_from_its_columns_to_the_sign_ups(
    session: Session, course: Course, browser: FlaskClient, content: str | bytes, name: str, dialect: str
) -> None:
    make_signup(session, course, name="Ann", email=ANN)
    make_signup(session, course, name="Bob", email=BOB)
    address = upload(browser, content, name).location
    assert address.endswith("/columns")
    assert f"{name} · {dialect}" in text_of(browser.get(address))
    answer = go_on(browser, address, zone="Europe/Berlin", hours="Mon 18:00-20:00")
    page = text_of(browser.get(answer.location))
    assert "to change" in page
    assert len(stored(session)) == 2
    assert browser.post(f"{answer.location}/apply", data={"leave_out": "yes"}).status_code == 302
    people = stored(session)
    assert set(people) >= {ANN, BOB}
    assert (CAI in people) == (dialect in ("Google Forms", "gruepr", "Typeform", "LimeSurvey"))


def test_rows_can_be_pasted(session: Session, course: Course, browser: FlaskClient) -> None:
    rows = csv_of(("Name", "E-mail", "Time zone", "Monday"), ("Ann", ANN, "UTC", "9am-noon"), delimiter="\t")
    answer = browser.post("/organise/poems/import", data={"pasted": rows})
    done = go_on(browser, answer.location)
    browser.post(f"{done.location}/apply")
    assert availability.write(stored(session)[ANN].availability) == "Mon 09:00-12:00"


def test_many_rows_can_be_pasted(course: Course, browser: FlaskClient) -> None:
    rows = csv_of(("E-mail", "Goal"), *((f"p{number}@example.org", "x" * 900) for number in range(900)))
    assert browser.post("/organise/poems/import", data={"pasted": rows}).status_code == 302


def test_file_that_waits_is_forgotten_with_a_learner_it_names(
    session: Session, course: Course, browser: FlaskClient
) -> None:
    learner = make_signup(session, course, name="Ann", email=ANN)
    upload(browser, made.DOODLE, "doodle.xlsx")
    assert session.scalars(select(UploadRow.name).where(UploadRow.name == "Ann")).all() == ["Ann"]
    privacy.erase(session, learner, now())
    assert session.scalar(select(func.count()).select_from(Upload)) == 0
    assert session.scalar(select(func.count()).select_from(UploadRow)) == 0


def test_file_that_nobody_imports_expires_with_what_was_read(
    session: Session, course: Course, browser: FlaskClient
) -> None:
    upload(browser, GOOD + ADA)
    uploads.expire(session, now() + uploads.LIFETIME - timedelta(minutes=1))
    assert session.scalar(select(func.count()).select_from(UploadRow)) == 1
    uploads.expire(session, now() + uploads.LIFETIME + timedelta(minutes=1))
    assert session.scalar(select(func.count()).select_from(UploadRow)) == 0


def test_cells_are_shown_with_what_they_become(course: Course, browser: FlaskClient) -> None:
    page = text_of(browser.get(upload(browser, made.GOOGLE).location))
    assert "6 PM, 7 PM, 8 PM Mon 18:00–21:00" in page.replace("\u202f", " ")
    assert "9-10 hours 9.5" in page
    assert "No column has time zones" not in page


def test_columns_are_changed_by_hand(session: Session, course: Course, browser: FlaskClient) -> None:
    rows = csv_of(("Who", "Contact", "When"), ("Ann", ANN, "Mon 18-20"), ("Bob", BOB, "no idea"))
    address = upload(browser, rows).location
    assert columns_of(browser, address) == {"column-0": "name", "column-1": "", "column-2": ""}
    assert "No column has e-mail addresses" in text_of(browser.get(address))
    looked = go_on(browser, address, column_1="email", column_2="availability", then="look", zone="UTC")
    assert looked.location == address
    page = text_of(browser.get(address))
    assert "no idea &#39;no idea&#39; is not a day and hours." in page
    assert columns_of(browser, address) == {
        "column-0": "name",
        "column-1": "email",
        "column-2": "availability",
    }
    dry = text_of(browser.get(go_on(browser, address, zone="UTC").location))
    assert "3 Bob When no idea &#39;no idea&#39; is not a day and hours." in dry
    assert stored(session) == {}


def test_what_goes_for_all_rows_is_checked(course: Course, browser: FlaskClient) -> None:
    address = upload(browser, made.MOODLE).location
    answer = go_on(browser, address, zone="Mars/Base", hours="whenever")
    assert answer.status_code == 422
    page = answer.get_data(as_text=True)
    assert 'href="#zone"' in page
    assert 'href="#hours"' in page
    assert go_on(browser, address, column_0="evil", repeated="never").status_code == 422


def test_way_of_reading_is_kept_for_the_next_file_with_the_same_headings(
    session: Session, course: Course, browser: FlaskClient
) -> None:
    rows = (("Who", "Contact", "When"), ("Ann", ANN, "Mon 18-20"))
    address = upload(browser, csv_of(*rows)).location
    go_on(browser, address, column_1="email", column_2="availability", zone="UTC", keep="y")
    assert session.scalar(select(func.count()).select_from(KeptRecipe)) == 1
    again = upload(browser, csv_of(rows[0], ("Bob", BOB, "Mon 19-20")))
    assert not again.location.endswith("/columns")
    page = text_of(browser.get(again.location))
    assert "as you said for an earlier file" in page
    assert "Every row can be read" in page
    other = upload(browser, csv_of(("Who", "Contact", "Hours"), ("Ann", ANN, "Mon 18-20")))
    assert other.location.endswith("/columns")


def test_refused_rows_come_as_a_file_that_is_read_again_once_mended(
    session: Session, course: Course, browser: FlaskClient
) -> None:
    rows = (
        ("Who", "E-mail", "Time zone", "Free on Monday"),
        ("Ann", ANN, "UTC", "9-11"),
        ("=Bob", BOB, "UTC+2", "soon"),
    )
    done = go_on(browser, upload(browser, csv_of(*rows)).location, keep="y")
    answer = browser.get(f"{done.location}/refused.csv")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="poems-to-mend.csv"'
    head, row = csv.reader(io.StringIO(answer.get_data().decode("utf-8-sig")))
    assert head == ["Who", "E-mail", "Time zone", "Free on Monday", "What is wrong"]
    assert row[:4] == ["'=Bob", BOB, "UTC+2", "soon"]
    assert "Time zone: 'UTC+2' says nothing of summer time." in row[4]
    assert "Free on Monday: 'soon' is not an hour." in row[4]
    mended = csv_of(head, [row[0], BOB, "Europe/Paris", "9-11", row[4]])
    again = upload(browser, mended)
    assert "Every row can be read" in text_of(browser.get(again.location))
    browser.post(f"{again.location}/apply")
    assert stored(session)[BOB].name == "=Bob"
    gone = upload(browser, GOOD + ADA).location
    assert browser.get(f"{gone}/refused.csv").status_code == 404


def test_questions_of_the_course_are_columns_to_choose(
    session: Session, course: Course, browser: FlaskClient
) -> None:
    ask(session, course, *(example.question for example in EXAMPLES.values()))
    session.commit()
    rows = (
        ("E-mail", "Time zone", "Free on Monday", "Which role?", "What do you play?"),
        (ANN, "UTC", "9-11", "a PLAYER", "Drums, bongos, piano"),
    )
    address = upload(browser, csv_of(*rows)).location
    assert columns_of(browser, address)["column-4"] == "instruments"
    done = go_on(browser, address, column_3="role")
    browser.post(f"{done.location}/apply")
    assert stored(session)[ANN].custom == {"role": "A player", "instruments": ["Drums, bongos", "Piano"]}


def test_number_of_look_ups_does_not_grow_with_the_rows(
    session: Session, course: Course, browser: FlaskClient, count_queries: list[str]
) -> None:
    counts = []
    for n in (1, 40):
        rows = [(f"p{number}@example.org", "UTC", "9-11") for number in range(n)]
        address = upload(browser, csv_of(("E-mail", "Time zone", "Monday"), *rows)).location
        done = go_on(browser, address).location
        for path in (address, done):
            count_queries.clear()
            browser.get(path)
            counts.append(len(count_queries))
    assert counts[:2] == counts[2:]

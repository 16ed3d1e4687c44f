"""The pages that import interactions: a file or rows, its columns, what would be kept, and what is."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from cohorts import privacy
from cohorts.models import Course, Interaction, InteractionImport, Signup, Upload, User, now
from tests import chat_files as made
from tests.factories import make_course, make_signup, make_user
from tests.web.test_organiser import text_of
from tests.web.test_questions import alone

PATH = "/organise/poems/connections/import"


@pytest.fixture
def organiser(session: Session) -> User:
    user = make_user(session)
    session.commit()
    return user


@pytest.fixture
def people(session: Session, organiser: User) -> list[Signup]:
    course = make_course(session, organiser, slug="poems", title="Reading poems")
    found = [
        make_signup(session, course, name=name, email=f"{name.lower()}@example.org")
        for name in ("Ann", "Bo", "Cy")
    ]
    session.commit()
    return found


@pytest.fixture
def browser(signed_in: Callable[[User], FlaskClient], session: Session, organiser: User) -> FlaskClient:
    return alone(signed_in(organiser), session)


def bring(browser: FlaskClient, content: bytes, name: str = "chat.csv", **fields: str) -> Any:
    data = {"file": (io.BytesIO(content), name), **fields}
    answer = browser.post(PATH, data=data, content_type="multipart/form-data")
    answer.request.environ["wsgi.input"].close()
    return answer


def n_kept(session: Session) -> int:
    return session.scalar(select(func.count()).select_from(Interaction)) or 0


def test_a_file_is_shown_kept_and_taken_back(
    session: Session, people: list[Signup], browser: FlaskClient
) -> None:
    answer = bring(browser, made.slack(), "slack.zip")
    assert answer.status_code == 302
    page = browser.get(answer.location)
    said = text_of(page)
    assert "2 interactions will be kept" in said
    assert "Slack" in said
    assert n_kept(session) == 0
    done = browser.post(f"{answer.location}/apply", follow_redirects=True)
    assert "2 interactions imported, 0 were there already." in text_of(done)
    assert n_kept(session) == 2
    assert session.scalars(select(Upload)).all() == []
    again = bring(browser, made.slack(), "slack.zip")
    assert "There is nothing to keep" in text_of(browser.get(again.location))
    assert browser.get(f"/organise/poems/import/{again.location.rpartition('/')[2]}").status_code == 404
    browser.post(f"{again.location}/discard")
    key = session.scalars(select(InteractionImport.key)).one()
    page = browser.get(PATH)
    assert f"/connections/imported/{key}/remove" in page.text
    browser.post(f"/organise/poems/connections/imported/{key}/remove")
    assert n_kept(session) == 0
    assert browser.post(f"/organise/poems/connections/imported/{key}/remove").status_code == 404


def test_columns_are_asked_for_where_they_are_not_known(
    session: Session, people: list[Signup], browser: FlaskClient
) -> None:
    rows = b"one,other,moment,remark\nAnn,Bo,2026-01-13,x\n"
    answer = bring(browser, rows)
    assert answer.location.endswith("/columns")
    wrong = browser.post(answer.location, data={"from_": "0", "to_": "1", "time_": "-1", "kind_": "-1"})
    assert wrong.status_code == 422
    assert "Choose a column." in wrong.text
    assert browser.post(answer.location, data={"from_": "0", "to_": "1", "time_": "99"}).status_code == 422
    chosen = {"from_": "0", "to_": "1", "time_": "2", "kind_": "-1"}
    preview = browser.post(answer.location, data=chosen, follow_redirects=True)
    assert "1 interaction will be kept" in text_of(preview)


def test_what_is_not_understood_and_not_known_is_told(people: list[Signup], browser: FlaskClient) -> None:
    rows = b"from,to,time\nAnn,stranger,2026-01-13\nAnn,Bo,soon\nAnn,Bo,2090-01-01\n"
    said = text_of(browser.get(bring(browser, rows).location))
    assert "stranger" in said
    assert "row 3" in said
    assert "“soon” is not a date and time." in said
    assert "This lies in the future." in said
    assert "There is nothing to keep" in said


def test_user_names_are_told_beside(people: list[Signup], browser: FlaskClient) -> None:
    rows = b"from,to,time\n@annk,bo7,2026-01-13\n"
    answer = bring(browser, rows, names="annk,ann@example.org\nbo7,bo@example.org")
    assert "1 interaction will be kept" in text_of(browser.get(answer.location))
    wrong = bring(browser, rows, names="annk,ann@example.org\nbo7,nobody")
    assert wrong.status_code == 422
    assert "row 2" in text_of(wrong)


@pytest.mark.parametrize(
    ("content", "words"), [(b"", "empty"), (b"{}", "none of the files"), (b"PK\x03\x04xx", "damaged")]
)
def test_what_cannot_be_read_is_said_beside_the_field(
    content: bytes, words: str, people: list[Signup], browser: FlaskClient
) -> None:
    answer = bring(browser, content, "x.json")
    assert answer.status_code == 422
    assert words in answer.text


def test_nothing_given_is_asked_for(people: list[Signup], browser: FlaskClient) -> None:
    assert browser.post(PATH, data={}).status_code == 422
    assert browser.post(PATH, data={"pasted": "from,to,time\nAnn,Bo,2026-01-13"}).status_code == 302


def test_of_what_was_written_nothing_waits_with_a_file(
    session: Session, people: list[Signup], browser: FlaskClient
) -> None:
    said = made.discord()
    said["messages"][1]["content"] = "A very private secret"
    bring(browser, json.dumps(said).encode(), "chat.json")
    table = f"from,to,time,text\nAnn,Bo,2026-01-13,{'long words ' * 40}\n"
    bring(browser, table.encode())
    waiting = session.scalars(select(Upload)).all()
    assert len(waiting) == 2
    assert all(b"secret" not in each.content and len(each.content) < 700 for each in waiting)


def test_an_erasure_reaches_files_that_wait(
    session: Session, people: list[Signup], browser: FlaskClient
) -> None:
    answer = bring(browser, b"from,to,time\nann7,Bo,2026-01-13\n", names="ann7,ann@example.org")
    privacy.erase(session, session.get_one(Signup, people[0].id), now())
    session.commit()
    assert session.scalars(select(Upload)).all() == []
    assert browser.get(answer.location).status_code == 404


def test_another_course_gives_nothing_away(
    session: Session, people: list[Signup], browser: FlaskClient
) -> None:
    other = make_course(session, make_user(session), slug="other")
    made_there = InteractionImport(course_id=other.id, source="imported", tool="CSV")
    session.add(made_there)
    session.commit()
    assert browser.post(f"/organise/poems/connections/imported/{made_there.key}/remove").status_code == 404
    assert session.scalars(select(InteractionImport.key)).all() == [made_there.key]
    assert not re.search(made_there.key, browser.get(PATH).text)
    assert session.scalars(select(Course.slug).order_by(Course.id)).all() == ["poems", "other"]

"""The page of exports: files as they are sent, ways to export that are kept, and paper."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from cohorts import presets
from cohorts.database import Database
from cohorts.exceptions import InvalidInput
from cohorts.exports import FORMATS, Choice
from cohorts.models import ExportPreset, User
from tests.factories import make_cohort, make_course, make_signup, make_user

SignIn = Callable[[User], FlaskClient]


@pytest.fixture
def desk(database: Database, signed_in: SignIn) -> FlaskClient:
    """A browser of the organiser of the course ``music``, with two cohorts."""
    with database.transaction() as session:
        user = make_user(session)
        course = make_course(session, user, slug="music")
        for name in ("Larks", "Owls"):
            people = [make_signup(session, course, name=f"{name} {n}") for n in (1, 2)]
            make_cohort(session, *people, name=name)
    return signed_in(user)


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_is_sent_as_a_file(desk: FlaskClient, name: str) -> None:
    answer = desk.get(f"/organise/music/roster.{name}")
    assert answer.status_code == 200
    assert answer.content_type == FORMATS[name].content_type
    assert answer.headers["Content-Disposition"] == f'attachment; filename="music-{FORMATS[name].suffix}"'
    assert answer.data


def test_a_file_is_sent_piece_by_piece(desk: FlaskClient) -> None:
    answer = desk.get("/organise/music/roster.csv", buffered=False)
    assert answer.is_streamed
    assert "Content-Length" not in answer.headers
    assert b"Larks 1" in answer.data


def test_a_file_speaks_the_language_of_whoever_asks(desk: FlaskClient) -> None:
    assert "Monday" in desk.get("/organise/music/roster.txt?lang=en").text
    assert "lunes" in desk.get("/organise/music/roster.txt?lang=es").text


def test_form_leads_to_the_chosen_file(desk: FlaskClient) -> None:
    query = "format=csv&columns=email&columns=name&cohort=&login=email&their_course=&name="
    answer = desk.get(f"/organise/music/export/file?{query}")
    rows = list(csv.reader(io.StringIO(answer.text)))
    assert (rows[0], len(rows)) == (["email", "name"], 5)
    printed = desk.get(f"/organise/music/export/file?{query}&print=1")
    assert printed.status_code == 302
    assert parse_qs(urlsplit(printed.headers["Location"]).query) == {"columns": ["email", "name"]}


def test_way_to_export_is_saved_shown_and_removed(desk: FlaskClient, database: Database) -> None:
    chosen = {"format": "canvas", "cohort": "", "login": "local", "their_course": "", "columns": ["name"]}
    saved = desk.post("/organise/music/export/save", data={**chosen, "name": "Every  Monday ", "save": "1"})
    assert saved.status_code == 302
    page = desk.get("/organise/music/export").text
    assert "Every Monday" in page
    assert "/organise/music/roster.canvas?" in page
    with database.reading() as session:
        preset = session.scalars(select(ExportPreset)).one()
        assert (preset.name, preset.format) == ("Every Monday", "canvas")
        assert Choice.from_json(preset.choice) == Choice(login="local", columns=("name",))
    filled = desk.get(f"/organise/music/export?preset={preset.key}").text
    assert 'value="Every Monday"' in filled
    assert '<option selected value="local">' in filled
    assert desk.post(f"/organise/music/export/{preset.key}/remove").status_code == 302
    assert "is removed" in desk.get("/organise/music/export").text
    assert "Every Monday" not in desk.get("/organise/music/export").text


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": ""},
        {"name": "x" * 61},
        {"name": "a", "cohort": "nothing"},
        {"name": "a", "format": "exe"},
        {"name": "a", "login": "shoes"},
        {"name": "a", "their_course": "x" * 101},
    ],
)
def test_what_does_not_fit_is_refused(desk: FlaskClient, database: Database, wrong: dict[str, str]) -> None:
    usual = {"format": "csv", "cohort": "", "login": "email", "columns": ["name"]}
    answer = desk.post("/organise/music/export/save", data={**usual, **wrong})
    assert (answer.status_code, 'id="error-summary"' in answer.text) == (422, True)
    if len(wrong) > 1:
        answer = desk.get("/organise/music/export/file", query_string={**usual, **wrong})
        assert (answer.status_code, 'id="error-summary"' in answer.text) == (422, True)
    with database.reading() as session:
        assert session.scalars(select(ExportPreset)).all() == []


def test_address_with_a_wrong_choice_is_refused(desk: FlaskClient) -> None:
    for query in (
        "cohort=nothing",
        "columns=shoes",
        "columns=%00",
        "login=shoes",
        f"their_course={'x' * 101}",
    ):
        for path in ("roster.csv", "roster/print"):
            assert desk.get(f"/organise/music/{path}?{query}").status_code == 422, query
    assert desk.get("/organise/music/roster.exe").status_code == 404


def test_page_to_print_has_each_cohort_in_one_piece(desk: FlaskClient) -> None:
    page = desk.get("/organise/music/roster/print?columns=name&columns=meeting").text
    assert page.count('class="sheet"') == 2
    assert page.index("Larks 2") < page.index("Owls 1")
    assert "Europe/Berlin" in page
    assert "@example.org" not in page


def test_a_name_is_saved_once_and_not_without_end(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(presets, "MOST", 1)
    with database.transaction() as session:
        course = make_course(session)
        first = presets.save(session, course, "Mondays", "csv", Choice())
        again = presets.save(session, course, "Mondays", "xlsx", Choice())
        assert (first.id, again.format) == (again.id, "xlsx")
        with pytest.raises(InvalidInput):
            presets.save(session, course, "Tuesdays", "csv", Choice())
        with pytest.raises(InvalidInput):
            presets.save(session, course, "Mondays", "exe", Choice())


def test_number_of_queries_does_not_grow_with_presets_and_learners(
    database: Database, signed_in: SignIn, count_queries: list[str]
) -> None:
    counts = []
    for n in (1, 30):
        with database.transaction() as session:
            user = make_user(session)
            course = make_course(session, user, slug=f"music-{n}")
            for number in range(n):
                make_cohort(session, make_signup(session, course))
                presets.save(session, course, f"Preset {number}", "csv", Choice())
        browser = signed_in(user)
        for path in ("export", "roster", "roster/print", "roster.csv"):
            count_queries.clear()
            assert browser.get(f"/organise/music-{n}/{path}").status_code == 200
            counts.append(len(count_queries))
    assert counts[:4] == counts[4:]

"""The language a page is in, and choosing another."""

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from cohorts import language
from cohorts.database import Database
from cohorts.links import Links
from cohorts.models import Signup, User
from tests.factories import make_course, make_signup, make_user


def lang(answer: TestResponse) -> str:
    return answer.text.split('<html lang="', 1)[1].split('"', 1)[0]


@pytest.mark.parametrize(
    ("accepted", "expected"),
    [
        ("es-MX,es;q=0.9,en;q=0.8", "es"),
        ("xx, es;q=0.5, en;q=0.9", "en"),
        ("es;q=0, en;q=0.1", "en"),
        ("", "en"),
        (";;;q=,,-", "en"),
        ("x" * 3000, "en"),
    ],
)
def test_the_browser_is_asked_for_its_languages(client: FlaskClient, accepted: str, expected: str) -> None:
    answer = client.get("/", headers={"Accept-Language": accepted})
    assert (lang(answer), 'dir="ltr"' in answer.text) == (expected, True)
    assert language.locale() == "en"  # nothing of a request is left behind


def test_an_address_can_name_a_language(client: FlaskClient) -> None:
    assert lang(client.get("/?lang=es")) == "es"
    assert lang(client.get("/?lang=xx")) == "en"
    assert lang(client.get("/")) == "en"


def test_errors_are_in_the_language_too(client: FlaskClient) -> None:
    assert lang(client.get("/nowhere", headers={"Accept-Language": "es"})) == "es"


def test_a_choice_is_kept_in_the_browser(client: FlaskClient) -> None:
    english = {"Accept-Language": "en"}
    answer = client.post("/language", data={"lang": "es", "back": "/sign-in"}, headers=english)
    assert (answer.status_code, answer.headers["Location"]) == (302, "/sign-in")
    assert lang(client.get("/", headers=english)) == "es"
    client.post("/language", data={"lang": "nonsense"}, headers=english)
    assert lang(client.get("/", headers=english)) == "en"


def test_dates_are_written_as_in_the_country_of_the_browser(client: FlaskClient) -> None:
    client.post("/language", data={"lang": "es"}, headers={"Accept-Language": "en-US,es-AR;q=0.5"})
    with client.session_transaction() as session:
        assert session["locale"] == "es_AR"


@pytest.mark.parametrize("back", ["//evil.example", "/\\evil.example", "https://evil.example", "evil", ""])
def test_nobody_is_led_away(client: FlaskClient, back: str) -> None:
    assert client.post("/language", data={"lang": "es", "back": back}).headers["Location"] == "/"


def test_the_choice_returns_to_the_page_it_was_made_on(client: FlaskClient) -> None:
    assert '<input type="hidden" name="back" value="/sign-in">' in client.get("/sign-in?lang=es").text
    assert '<input type="hidden" name="back" value="/">' in client.get("/nowhere").text


def test_a_learner_is_spoken_to_in_the_language_they_signed_up_in(
    client: FlaskClient, database: Database, links: Links
) -> None:
    with database.transaction() as session:
        course = make_course(session, slug="music")
        make_signup(session, course, email="ana@example.org", locale="es")
    form = {
        "name": "Eva",
        "email": "eva@example.org",
        "time_zone": "UTC",
        "availability": "36",
        "languages": "Spanish",
    }
    assert client.post("/c/music", data=form, headers={"Accept-Language": "es-MX"}).status_code == 302
    with database.reading() as session:
        found = {signup.email: signup for signup in session.scalars(select(Signup))}
        assert found["eva@example.org"].locale == "es_MX"
        path = f"/l/{links.learner_token(found['ana@example.org'])}"
    english = {"Accept-Language": "en"}
    assert lang(client.get(path, headers=english)) == "es"
    assert f'action="{path}/language"' in client.get(path).text
    assert client.post(f"{path}/language", data={"lang": "en", "back": path}).headers["Location"] == path
    assert lang(client.get(path, headers={"Accept-Language": "es"})) == "en"
    with database.reading() as session:
        assert session.scalars(select(Signup.locale).where(Signup.email == "ana@example.org")).one() == "en"


def test_a_user_takes_the_language_along(client: FlaskClient, database: Database, links: Links) -> None:
    with database.transaction() as session:
        user = make_user(session, locale="es")
        newcomer = make_user(session)
    for who, first, later in ((user, "es", "en"), (newcomer, "en", "es")):
        with database.reading() as session:
            link = links.sign_in(session.get_one(User, who.id)).removeprefix(links.public_url)
        client.post(link)
        assert lang(client.get("/courses")) == first
        client.post("/language", data={"lang": later})
        with database.reading() as session:
            assert session.get_one(User, who.id).locale == later
        client.post("/sign-out")
        client.post("/language", data={"lang": "en"})

"""Signing in: by a mailed link, by pressing its button, once."""

from collections.abc import Callable
from datetime import timedelta

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from cohorts import notices
from cohorts.database import Database
from cohorts.links import Links
from cohorts.models import Mail, User, now
from tests.factories import make_user


def committed_user(database: Database, **given: object) -> User:
    with database.transaction() as session:
        return make_user(session, **given)


def path_of(links: Links, user: User) -> str:
    return links.sign_in(user).removeprefix(links.public_url)


def test_sign_in_known_and_unknown_addresses_get_the_same_answer(
    client: FlaskClient, database: Database
) -> None:
    committed_user(database, email="known@example.org")
    known = client.post("/sign-in", data={"email": "Known@example.org "})
    unknown = client.post("/sign-in", data={"email": "nobody@example.org"})
    assert known.status_code == unknown.status_code == 200
    assert known.text.replace("known@example.org", "") == unknown.text.replace("nobody@example.org", "")
    with database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Mail)) == 1


def test_sign_in_with_what_is_no_address_looks_the_same(client: FlaskClient) -> None:
    for typed in ("", "x", "a\x00b@example.org", "@", "a" * 5000 + "@example.org"):
        assert client.post("/sign-in", data={"email": typed}).status_code == 200


def test_sign_in_understands_every_spelling_of_an_address(client: FlaskClient, database: Database) -> None:
    committed_user(database, email="ada@xn--mnchen-3ya.example")
    client.post("/sign-in", data={"email": "Ada@MÜNCHEN.example"})
    with database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Mail)) == 1


def test_sign_in_asked_for_again_and_again_does_not_fill_a_mailbox(
    client: FlaskClient, database: Database
) -> None:
    user = committed_user(database, email="ada@example.org")
    answers = [client.post("/sign-in", data={"email": "ada@example.org"}) for _ in range(5)]
    assert len({answer.text.partition("</main>")[0] for answer in answers}) == 1
    with database.transaction() as session:
        assert session.scalar(select(func.count()).select_from(Mail)) == 3
        notices.enqueue_sign_in(session, user, now() + timedelta(minutes=11))
        assert session.scalar(select(func.count()).select_from(Mail)) == 4


def test_sign_in_is_where_pages_of_organisers_lead(client: FlaskClient) -> None:
    assert client.get("/organise/poems?next=https://elsewhere.example").headers["Location"] == "/sign-in"
    assert "elsewhere" not in client.get("/sign-in?next=https://elsewhere.example").text


def test_sign_in_inactive_user_gets_no_mail(client: FlaskClient, database: Database) -> None:
    committed_user(database, email="gone@example.org", active=False)
    client.post("/sign-in", data={"email": "gone@example.org"})
    with database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Mail)) == 0


def test_opening_a_link_signs_nobody_in(client: FlaskClient, database: Database, links: Links) -> None:
    path = path_of(links, committed_user(database))
    for _ in range(3):
        assert client.head(path).status_code == 200
        assert "<button" in client.get(path).text
    assert client.get("/organise/").status_code == 302
    assert client.post(path).status_code == 302
    assert client.get("/organise/").status_code == 200


def test_a_link_works_once(app: Flask, database: Database, links: Links) -> None:
    path = path_of(links, committed_user(database))
    assert app.test_client().post(path).status_code == 302
    second = app.test_client()
    assert second.post(path).status_code == 404
    assert second.get("/organise/").status_code == 302


def test_a_link_that_is_spoilt_says_what_to_do(client: FlaskClient) -> None:
    answer = client.get("/sign-in/nonsense")
    assert answer.status_code == 404
    assert "Ask for a new one" in answer.text


def test_sign_out_ends_copied_sessions(
    app: Flask, database: Database, signed_in: Callable[[User], FlaskClient]
) -> None:
    browser = signed_in(committed_user(database))
    cookie = browser.get_cookie("cohorts")
    assert cookie is not None
    thief = app.test_client()
    thief.set_cookie("cohorts", cookie.value)
    assert thief.get("/organise/").status_code == 200
    assert browser.post("/sign-out").status_code == 302
    assert browser.get("/organise/").status_code == 302
    assert thief.get("/organise/").status_code == 302


def test_inactive_user_is_signed_out_at_once(
    database: Database, signed_in: Callable[[User], FlaskClient]
) -> None:
    user = committed_user(database)
    browser = signed_in(user)
    with database.transaction() as session:
        session.get_one(User, user.id).active = False
    assert browser.get("/organise/").status_code == 302


def test_pages_of_organisers_ask_to_sign_in(client: FlaskClient) -> None:
    answer = client.get("/organise/")
    assert answer.status_code == 302
    assert answer.headers["Location"].startswith("/sign-in")

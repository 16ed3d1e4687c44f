"""Signing in: by a mailed link, by pressing its button, once; in the browser that asked, or with its code."""

import re
import time
from collections.abc import Callable
from datetime import timedelta
from typing import NamedTuple

import pyotp
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from cohorts import browser_sessions, notices
from cohorts.database import Database
from cohorts.links import Links
from cohorts.models import BrowserSession, Mail, MailState, SecondFactor, User, now
from cohorts.second_factors import Factors
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
    same = [
        re.sub(r"<strong>\d{3} \d{3}</strong>", "", text)
        for text in (
            known.text.replace("known@example.org", ""),
            unknown.text.replace("nobody@example.org", ""),
        )
    ]
    assert same[0] == same[1]
    with database.reading() as session:
        assert session.scalar(select(func.count()).where(Mail.user_id.is_not(None))) == 1


def test_sign_in_takes_the_same_statements_for_known_and_unknown_addresses(
    client: FlaskClient, database: Database, count_queries: list[str]
) -> None:
    committed_user(database, email="known@example.org")
    asked = []
    for email in (*["known@example.org"] * 5, "nobody@example.org"):
        count_queries.clear()
        client.post("/sign-in", data={"email": email})
        asked.append([re.sub(r"_\d+", "", statement) for statement in count_queries])
    assert all(each == asked[0] for each in asked)
    assert len(asked[0]) >= 4
    with database.transaction() as session:
        assert session.scalar(select(func.count()).select_from(Mail)) == 6
        notices.expire_mails_to_nobody(session, now() + timedelta(minutes=11))
        assert session.scalar(select(func.count()).select_from(Mail)) == 3


def test_one_network_address_does_not_have_mails_written_without_end(
    client: FlaskClient, database: Database
) -> None:
    texts = {len(client.post("/sign-in", data={"email": "a@example.org"}).text) for _ in range(65)}
    assert len(texts) == 1
    with database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Mail)) == 60


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
    assert len({len(answer.text) for answer in answers}) == 1
    with database.transaction() as session:
        mails = select(func.count()).where(Mail.user_id == user.id)
        assert session.scalar(mails) == 3
        notices.enqueue_sign_in(session, user, now() + timedelta(minutes=11))
        assert session.scalar(mails) == 4


def test_sign_in_is_where_pages_of_organisers_lead(client: FlaskClient) -> None:
    assert client.get("/organise/poems?next=https://elsewhere.example").headers["Location"] == "/sign-in"
    assert "elsewhere" not in client.get("/sign-in?next=https://elsewhere.example").text


def test_sign_in_inactive_user_gets_no_mail(client: FlaskClient, database: Database) -> None:
    committed_user(database, email="gone@example.org", active=False)
    client.post("/sign-in", data={"email": "gone@example.org"})
    with database.reading() as session:
        assert [each.state for each in session.scalars(select(Mail))] == [MailState.DROPPED]


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


def mailed_path(database: Database, links: Links, email: str) -> str:
    with database.reading() as session:
        user = session.scalars(select(User).where(User.email == email)).one()
        return links.mailed_sign_in(user).removeprefix(links.public_url)


def asked_for(client: FlaskClient, email: str = "ada@example.org") -> str:
    """Ask for a link and return the code that is shown."""
    shown = re.search(
        r"<strong>(\d{3}) (\d{3})</strong>", client.post("/sign-in", data={"email": email}).text
    )
    assert shown is not None
    return shown[1] + shown[2]


def test_a_mailed_link_needs_no_code_in_the_browser_that_asked(
    client: FlaskClient, database: Database, links: Links
) -> None:
    committed_user(database, email="ada@example.org")
    asked_for(client)
    asked_for(client)
    path = mailed_path(database, links, "ada@example.org")
    assert 'name="code"' not in client.get(path).text
    assert client.post(path).status_code == 302
    assert client.get("/organise/").status_code == 200


def test_a_mailed_link_needs_the_code_anywhere_else(
    app: Flask, client: FlaskClient, database: Database, links: Links
) -> None:
    committed_user(database, email="ada@example.org")
    code = asked_for(client)
    path, other = mailed_path(database, links, "ada@example.org"), app.test_client()
    assert 'name="code"' in other.get(path).text
    for wrong in ("", "000000" if code != "000000" else "111111", asked_for(other, "nobody@example.org")):
        answer = other.post(path, data={"code": wrong})
        assert (answer.status_code, "This is not the code" in answer.text) == (422, True)
    assert other.get("/organise/").status_code == 302
    assert other.post(path, data={"code": f"{code[:3]} {code[3:]}"}).status_code == 302
    assert other.get("/organise/").status_code == 200


def test_a_code_cannot_be_guessed(app: Flask, client: FlaskClient, database: Database, links: Links) -> None:
    committed_user(database, email="ada@example.org")
    code = asked_for(client)
    path, thief = mailed_path(database, links, "ada@example.org"), app.test_client()
    answers = [thief.post(path, data={"code": f"x{number}"}).status_code for number in range(6)]
    assert answers == [422] * 5 + [404]
    assert thief.post(path, data={"code": code}).status_code == 404
    assert client.post(path).status_code == 302


def test_asking_again_makes_earlier_links_worthless(
    app: Flask, client: FlaskClient, database: Database, links: Links
) -> None:
    committed_user(database, email="ada@example.org")
    asked_for(client)
    earlier = mailed_path(database, links, "ada@example.org")
    asked_for(app.test_client())
    assert client.post(earlier).status_code == 404


def test_signing_in_forgets_what_the_browser_kept(
    client: FlaskClient, database: Database, links: Links
) -> None:
    path = path_of(links, committed_user(database))
    with client.session_transaction() as kept:
        kept["planted"] = "by somebody else"
    client.post(path)
    with client.session_transaction() as kept:
        assert "planted" not in kept
        assert "signed_in" in kept


def test_a_session_runs_out(database: Database, signed_in: Callable[[User], FlaskClient]) -> None:
    browser = signed_in(committed_user(database))
    with database.transaction() as session:
        found = session.scalars(select(BrowserSession)).one()
        found.expires_at = now()
    assert browser.get("/organise/").status_code == 302
    with database.transaction() as session:
        browser_sessions.expire(session, now())
        assert session.scalars(select(BrowserSession)).all() == []


def test_signing_out_elsewhere_leaves_this_browser(
    database: Database, signed_in: Callable[[User], FlaskClient]
) -> None:
    user = committed_user(database)
    here, there = signed_in(user), signed_in(user)
    assert "In 2 browsers" in here.get("/account/security").text
    assert here.post("/account/security/sign-out-elsewhere").status_code == 302
    assert here.get("/organise/").status_code == 200
    assert there.get("/organise/").status_code == 302


def test_a_cookie_made_up_opens_nothing(app: Flask, database: Database) -> None:
    committed_user(database)
    for made_up in ("", "x", "1", None, 1, ["x"]):
        client = app.test_client()
        with client.session_transaction() as kept:
            kept["signed_in"] = made_up
        assert client.get("/organise/").status_code == 302


class Careful(NamedTuple):
    """Somebody who has switched a second step on, the app on their phone, and their codes on paper."""

    user: User
    phone: pyotp.TOTP
    paper: list[str]


@pytest.fixture
def careful(database: Database, signed_in: Callable[[User], FlaskClient]) -> Careful:
    """Somebody with a second step."""
    user = committed_user(database, email="ada@example.org")
    browser = signed_in(user)
    page = browser.post("/account/security/prepare").text
    secret = re.search(r"<code>([A-Z2-7 ]+)</code>", page)
    assert secret is not None
    phone = pyotp.TOTP(secret[1].replace(" ", ""))
    assert browser.post("/account/security/confirm", data={"code": "000000x"}).status_code == 422
    shown = browser.post("/account/security/confirm", data={"code": phone.now()}).text
    assert len(re.findall(r"<li><code>[0-9a-f-]{14}</code></li>", shown)) == 10
    return Careful(user, phone, re.findall(r"<li><code>([0-9a-f-]{14})</code></li>", shown))


def test_a_second_step_is_asked_for_once_it_is_on(
    app: Flask, links: Links, database: Database, careful: Careful
) -> None:
    user, phone, _paper = careful
    client = app.test_client()
    with database.reading() as session:
        path = path_of(links, session.get_one(User, user.id))
    assert client.post(path).headers["Location"] == "/sign-in/second-step"
    assert client.get("/organise/").status_code == 302
    used = client.post("/sign-in/second-step", data={"code": phone.now()})
    assert (used.status_code, "used already" in used.text) == (422, True)
    later = phone.at(int(time.time()) + 30)
    assert client.post("/sign-in/second-step", data={"code": f"{later[:3]} {later[3:]}"}).status_code == 302
    assert client.get("/organise/").status_code == 200


def test_codes_on_paper_are_good_once(app: Flask, links: Links, database: Database, careful: Careful) -> None:
    paper = careful.paper[3]
    answers = []
    for _ in range(2):
        client = app.test_client()
        with database.reading() as session:
            client.post(path_of(links, session.get_one(User, careful.user.id)))
        answers.append(client.post("/sign-in/second-step", data={"code": paper.upper()}).status_code)
    assert answers == [302, 422]


def test_a_second_step_cannot_be_guessed_or_gone_round(
    app: Flask, links: Links, database: Database, careful: Careful
) -> None:
    user, phone, _paper = careful
    client = app.test_client()
    assert client.post("/sign-in/second-step", data={"code": phone.now()}).headers["Location"] == "/sign-in"
    with database.reading() as session:
        client.post(path_of(links, session.get_one(User, user.id)))
    for number in range(5):
        assert client.post("/sign-in/second-step", data={"code": f"{number}"}).status_code == 422
    right = phone.at(int(time.time()) + 30)
    assert client.post("/sign-in/second-step", data={"code": right}).status_code == 422
    with database.transaction() as session:
        session.get_one(SecondFactor, user.id).locked_until = now()
    assert client.post("/sign-in/second-step", data={"code": right}).status_code == 302


def test_a_second_step_is_switched_off_with_a_code_alone(
    app: Flask, links: Links, database: Database, careful: Careful
) -> None:
    client = app.test_client()
    with database.reading() as session:
        client.post(path_of(links, session.get_one(User, careful.user.id)))
    client.post("/sign-in/second-step", data={"code": careful.paper[0]})
    assert client.post("/account/security/prepare").headers["Location"] == "/account/security"
    assert client.post("/account/security/confirm", data={"code": "1"}).status_code == 422
    assert client.post("/account/security/remove", data={"code": careful.paper[0]}).status_code == 422
    assert client.post("/account/security/remove", data={"code": careful.paper[1]}).status_code == 302
    with database.reading() as session:
        assert session.scalars(select(SecondFactor)).all() == []


def test_the_database_alone_does_not_make_codes(database: Database, careful: Careful) -> None:
    user, phone, _paper = careful
    with database.transaction() as session:
        kept = session.get_one(SecondFactor, user.id)
        assert phone.secret not in kept.sealed
        assert not set(careful.paper) & set(kept.paper)
        elsewhere = Factors("another secret key")
        assert not elsewhere.check(
            session, session.get_one(User, user.id), phone.at(int(time.time()) + 30), now()
        )

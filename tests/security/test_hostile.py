"""Hostile words, addresses and headers: they are shown as they are, and lead nowhere."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from html.parser import HTMLParser
from itertools import product

import icalendar
import openpyxl
import pytest
from flask import Flask
from flask.testing import FlaskClient

from cohorts import notices
from cohorts.database import Database
from cohorts.links import Links
from cohorts.models import User
from config import Settings
from tests.factories import ask, make_cohort, make_course, make_signup, make_user
from tests.questions import EXAMPLES
from web import auth, create_app
from web.limits import RateLimit

on_sqlite = pytest.mark.parametrize("database", ["sqlite"], indirect=True)

BREAKOUTS = ("", '">', "'>", "</title>", "</textarea>", "</script>", "-->", "]]>", "{{191*7}}", "\u2028")
ELEMENTS = (
    "<script>x()</script>",
    "<img src=x onerror=x()>",
    "<svg onload=x()>",
    "<a href=javascript:x()>a</a>",
    "<iframe srcdoc=x>",
    "<input autofocus onfocus=x()>",
    "<meta http-equiv=refresh content=0>",
    "<base href=//evil.example>",
    "<style>@import'//evil.example'</style>",
    "<object data=//evil.example>",
)
PAYLOADS = [f"{before}{element}" for before, element in product(BREAKOUTS, ELEMENTS)]
FORMULAS = ["=1+1", "+1+1", "-1+1", "@SUM(1)", "\t=1+1", '=HYPERLINK("//evil.example")', "＝1+1"]


class Danger(HTMLParser):
    """Collects what would run, load or lead elsewhere in a page."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attributes}
        if tag in ("iframe", "object", "embed", "base", "style"):
            self.found.append(tag)
        if (
            tag == "script"
            and not given.get("src", "").startswith("/static/")
            and given.get("type") != "application/json"
        ):
            self.found.append(f"script {given}")
        if tag == "meta" and "http-equiv" in given:
            self.found.append("meta refresh")
        for name, value in given.items():
            leads = "".join(value.split()).casefold()
            if name.startswith("on") or name in ("style", "srcdoc"):
                self.found.append(f"{tag} {name}")
            if name in ("href", "src", "action", "formaction", "data") and leads.startswith(
                ("javascript:", "vbscript:", "data:text", "//evil")
            ):
                self.found.append(f"{tag} {name}={value}")


def dangers(text: str) -> list[str]:
    parser = Danger()
    parser.feed(text)
    return parser.found


def test_danger_would_be_seen() -> None:
    assert all(dangers(f"<p>{payload}") for payload in ELEMENTS)
    assert dangers('<p class="a">{{191*7}} &lt;script&gt;</p><script src="/static/app.js"></script>') == []


@pytest.fixture
def hostile(database: Database) -> tuple[User, list[str], list[str]]:
    """A course and a cohort in which every text is hostile, with all payloads among the learners."""
    with database.transaction() as session:
        owner = make_user(session, name=PAYLOADS[11])
        course = make_course(
            session, owner, slug="h", title=PAYLOADS[0], summary=PAYLOADS[1], description=PAYLOADS[2]
        )
        ask(session, course, *(replace(each.question, label=PAYLOADS[12]) for each in EXAMPLES.values()))
        people = [
            make_signup(
                session,
                course,
                (payload,),
                name=payload,
                goal=payload,
                can_help_with=[payload],
                wants_help_with=[payload],
                custom={key: each.kept for key, each in EXAMPLES.items()},
                shown=["interests", "goal", "can_help_with", "wants_help_with"],
            )
            for payload in PAYLOADS
        ]
        cohort = make_cohort(session, *people, name=PAYLOADS[3], channel="https://chat.example.org/x")
        cohort.reasons = [PAYLOADS[4]]
        session.flush()
        links = Links("a secret key that is used by tests alone", "http://localhost")
        tokens = [links.learner_token(each) for each in people[:2]]
        keys = [cohort.key, people[0].key, cohort.run.key]
    return owner, tokens, keys


@on_sqlite
def test_hostile_words_are_words_on_every_page(
    hostile: tuple[User, list[str], list[str]], signed_in: Callable[[User], FlaskClient]
) -> None:
    owner, tokens, (cohort, signup, run) = hostile
    browser = signed_in(owner)
    pages = [
        "/", "/c/h", "/organise/", "/account/security", "/account/tokens",
        *(f"/organise/h{rest}" for rest in (
            "", "/signups", f"/signups/{signup}", "/figures", "/settings", "/questions/new", "/preview",
            "/match", "/runs", f"/runs/{run}", f"/runs/{run}/board", f"/runs/{run}/fairness", "/roster",
            "/roster/print",
            "/export", f"/cohorts/{cohort}", "/people", "/log", "/letters", "/letters/new", "/share",
            "/connections", "/rematch", "/import",
        )),
        *(f"/l/{token}{rest}" for token in tokens for rest in (
            "", "/cohort", "/edit", "/my-data", "/check-in", "/changes", "/connections", "/mails", "/support",
        )),
    ]  # fmt: skip
    shown = 0
    for path in pages:
        answer = browser.get(path)
        assert answer.status_code in (200, 409), path  # too early for a check-in
        assert dangers(answer.text) == [], path
        assert "1337" not in answer.text, path  # 191 times 7, if a template were run
        shown += answer.text.count("&lt;script&gt;") > 0
    assert shown >= 20


@on_sqlite
def test_hostile_words_leave_in_files_and_mails_as_words(
    hostile: tuple[User, list[str], list[str]],
    database: Database,
    signed_in: Callable[[User], FlaskClient],
    links: Links,
) -> None:
    owner, tokens, _keys = hostile
    browser = signed_in(owner)
    with browser.get("/organise/h/roster.csv") as answer:
        names = {cell for row in csv.reader(io.StringIO(answer.text.lstrip("\ufeff"))) for cell in row}
    assert len(set(PAYLOADS) & names) > 80
    with browser.get("/organise/h/roster.xlsx") as answer:
        book = openpyxl.load_workbook(io.BytesIO(answer.data))
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row]
    assert all(cell.data_type != "f" and cell.hyperlink is None for cell in cells)
    calendar = browser.get(f"/l/{tokens[0]}/cohort.ics")
    events = icalendar.Calendar.from_ical(calendar.data).walk("VEVENT")
    assert events
    assert all("ATTACH" not in event and "EVIL" not in str(event.get("URL", "")).upper() for event in events)
    with database.transaction() as session:
        mails = []
        for token in tokens:
            signup = links.read_learner(session, token)
            mail = notices.enqueue(session, notices.Kind.PLACED, signup=signup)
            session.flush()
            mails.append(notices.render(session, mail, links, "Cohorts <cohorts@example.org>"))
    for message in mails:
        assert message is not None
        assert message.get_content_type() == "text/plain"
        assert set(message.keys()) <= {
            "From", "To", "Date", "Message-ID", "Auto-Submitted", "Subject", "List-Unsubscribe",
            "List-Unsubscribe-Post", "Content-Type", "Content-Transfer-Encoding", "MIME-Version",
            "Content-Language",
        }  # fmt: skip


@on_sqlite
@pytest.mark.parametrize("formula", FORMULAS)
def test_formulas_stay_text(
    database: Database, signed_in: Callable[[User], FlaskClient], formula: str
) -> None:
    with database.transaction() as session:
        owner = make_user(session)
        course = make_course(session, owner, slug="f", title=formula)
        make_cohort(session, make_signup(session, course, (formula,), name=formula), name=formula)
    browser = signed_in(owner)
    with browser.get("/organise/f/roster.csv") as answer:
        rows = list(csv.reader(io.StringIO(answer.text.lstrip("\ufeff"))))
    assert len(rows) == 2
    assert not any(cell[:1] in tuple("=+-@\t\r＝") for cell in rows[1] if cell)
    with browser.get("/organise/f/roster.xlsx") as answer:
        book = openpyxl.load_workbook(io.BytesIO(answer.data))
    assert all(cell.data_type != "f" for sheet in book for row in sheet.iter_rows() for cell in row)


HOSTS = ("evil.example", "evil.example%2f", "localhost@evil.example", "evil.example#localhost", "0x7f000001")
STARTS = (
    "//",
    "/\\",
    "\\\\",
    "https://",
    "http:",
    "HTTPS:\\",
    "///",
    "/\t/",
    "/%09/",
    "\x00//",
    " //",
    "javascript://",
)
REDIRECTS = [f"{start}{host}" for start, host in product(STARTS, HOSTS)]


@on_sqlite
@pytest.mark.parametrize("where", ["back", "next", "Referer"])
def test_nothing_leads_to_another_site(client: FlaskClient, database: Database, where: str) -> None:
    assert len(REDIRECTS) == 60
    for address in REDIRECTS:
        plain = address.replace("\x00", "%00").replace("\t", "%09")
        headers = {"Referer": plain} if where == "Referer" else {}
        form = {} if where == "Referer" else {where: address}
        answers = [
            client.post("/language", data={"lang": "es", **form}, headers=headers),
            client.post("/sign-out", data=form, headers=headers),
            client.get(f"/organise/?next={plain}", headers=headers),
        ]
        for answer in answers:
            location = answer.headers["Location"]
            assert location.startswith("/"), (address, location)
            assert location[1:2] not in ("/", "\\"), (address, location)
            assert not set(location) & set("\r\n\t\x00"), (address, location)


@on_sqlite
def test_no_path_leads_out_of_the_folders(client: FlaskClient, database: Database) -> None:
    ups = ("../", "..%2f", "%2e%2e/", "%2e%2e%2f", "..%5c", "..%252f", "....//", "/..;/", "%c0%ae%c0%ae/")
    for up, many in product(ups, (1, 4, 9)):
        for name in ("config.py", "etc/passwd", "web/auth.py"):
            with client.get(f"/static/{up * many}{name}") as answer:
                assert answer.status_code in (404, 308), (up, name)
                assert b"root:" not in answer.data
                assert b"import" not in answer.data


@on_sqlite
def test_words_in_a_header_stay_in_it(database: Database, signed_in: Callable[[User], FlaskClient]) -> None:
    with database.transaction() as session:
        owner = make_user(session)
        course = make_course(session, owner, slug="x", title="A\r\nSet-Cookie: evil=1\r\n\r\n<b>")
        make_cohort(session, make_signup(session, course))
    browser = signed_in(owner)
    for path in ("/organise/x/roster.csv", "/organise/x/share.svg", "/organise/x/roster.txt"):
        with browser.get(path) as answer:
            assert "evil" not in str(answer.headers.getlist("Set-Cookie"))
            assert not any(set(value) & set("\r\n") for _name, value in answer.headers)


@on_sqlite
@pytest.mark.parametrize(("proxies", "gets_through"), [(0, False), (1, False)])
def test_a_made_up_address_of_the_network_is_not_believed(
    settings: Settings, database: Database, proxies: int, gets_through: bool
) -> None:
    app = create_app(replace(settings, trusted_proxies=proxies), database)
    app.config.update(WTF_CSRF_ENABLED=False)
    app.extensions["asking"] = RateLimit(3, 600)
    seen = []
    app.extensions["asking"].allows, allows = (
        (lambda key: seen.append(key) or allows(key)),
        app.extensions["asking"].allows,
    )
    for number in range(5):
        forged = f"203.0.113.{number}, 198.51.100.7"  # what a visitor sent, and what the proxy added
        app.test_client().post(
            "/sign-in", data={"email": "a@example.org"}, headers={"X-Forwarded-For": forged}
        )
    assert set(seen) == ({"198.51.100.7"} if proxies else {"127.0.0.1"})
    assert gets_through is (len(set(seen)) > 1)


def test_a_limit_holds_under_two_hundred_at_once() -> None:
    limit = RateLimit(auth.ASKED_AT_MOST, 600)
    with ThreadPoolExecutor(200) as crowd:
        allowed = list(crowd.map(lambda _: limit.allows("one"), range(2000)))
    assert sum(allowed) == auth.ASKED_AT_MOST
    assert limit.allows("another")


@on_sqlite
def test_a_classroom_behind_one_address_signs_up(app: Flask, database: Database) -> None:
    with database.transaction() as session:
        make_course(session, slug="class")
    client = app.test_client()
    answers = {"name": "N", "time_zone": "UTC", "availability": ["36", "37", "38"], "languages": "English"}
    statuses = [
        client.post("/c/class", data={**answers, "email": f"pupil{number}@example.org"}).status_code
        for number in range(500)
    ]
    assert set(statuses) == {302}

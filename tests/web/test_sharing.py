"""Copying a course, its QR code, and the card that a shared link shows."""

import xml.etree.ElementTree as ET
from collections.abc import Callable
from html.parser import HTMLParser

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from cohorts.models import AuditEntry, Course, CourseState, User
from tests.factories import make_course, make_user

HOSTILE = '"><script>alert(1)</script>{{ 7 * 7 }}'


class Meta(HTMLParser):
    """Reads the properties of a page's card."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: dict[str, str] = {}
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "meta" and given.get("property"):
            self.found[given["property"] or ""] = given.get("content") or ""


@pytest.fixture
def browser(session: Session, signed_in: Callable[[User], FlaskClient]) -> FlaskClient:
    owner = make_user(session)
    make_course(session, owner, slug="poems", title=HOSTILE, summary=HOSTILE)
    session.commit()
    return signed_in(owner)


def test_card_of_a_hostile_title(browser: FlaskClient, client: FlaskClient) -> None:
    page = client.get("/c/poems").text
    found = Meta(page).found
    assert found["og:title"] == found["og:description"] == HOSTILE
    assert found["og:url"] == "http://localhost/c/poems"
    assert "<script>alert" not in page
    with client.get(found["og:image"].removeprefix("http://localhost")) as picture:
        assert picture.content_type == "image/png"
        assert picture.data[16:24] == (1200).to_bytes(4, "big") + (630).to_bytes(4, "big")


def test_qr_code_is_a_picture(browser: FlaskClient) -> None:
    answer = browser.get("/organise/poems/share.svg")
    assert answer.content_type.startswith("image/svg+xml")
    assert ET.fromstring(answer.data).tag.endswith("svg")
    assert 'value="http://localhost/c/poems"' in browser.get("/organise/poems/share").text


def test_copy_leads_to_the_settings_of_a_draft(session: Session, browser: FlaskClient) -> None:
    answer = browser.post("/organise/poems/copy")
    made = session.scalars(select(Course).order_by(Course.id.desc())).first()
    assert made is not None
    assert (made.state, answer.location) == (CourseState.DRAFT, f"/organise/{made.slug}/settings")
    entry = session.scalars(select(AuditEntry)).one()
    assert (entry.course_id, entry.action) == (made.id, "copy")
    session.commit()
    assert browser.get(answer.location).status_code == 200

"""Old enough? with a script: the age follows the zone at once, and no draft is kept of who is too young."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.sign_up import fill_in_person, go_on, send
from tests.factories import make_course
from tests.site import Site

OpenBrowser = Callable[..., Page]

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


def test_the_age_follows_the_zone(site: Site, open_browser: OpenBrowser) -> None:
    with site.database.transaction() as session:
        address = f"/c/{make_course(session, asks_age=True).slug}"
    page = open_browser(timezone_id="Europe/London")
    page.goto(address)
    older, younger = page.get_by_label("I am at least 13 years old"), page.get_by_label("I am younger")
    younger.check()
    expect(page.get_by_text("Then you cannot sign up by yourself yet.")).to_be_visible()
    page.get_by_label("Your name").fill("Ada")
    page.wait_for_timeout(600)
    assert page.evaluate("JSON.stringify(localStorage)") == "{}"
    older.check()
    expect(page.get_by_text("Then you cannot sign up by yourself yet.")).to_be_hidden()
    fill_in_person(page)
    page.get_by_label("Your time zone").select_option("Europe/Berlin")
    page.get_by_role("button", name="Weekday evenings").click()
    go_on(page)
    send(page)  # thirteen is not enough there: the first step is shown again
    choice = page.get_by_label("I am at least 16 years old")
    expect(choice).to_be_focused()
    expect(page.get_by_text("Say whether you are old enough.")).to_be_visible()
    choice.check()
    send(page)
    expect(page.get_by_role("heading", name="One step is left: look at your mail")).to_be_visible()

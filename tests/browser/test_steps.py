"""The sign-up form in steps, its draft, the live count and the clock of the time zone, in a browser."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, Route, expect
from sqlalchemy import select

from cohorts.models import Course, Signup
from tests.browser.sign_up import cell, fill_in_person, go_on, send
from tests.factories import MONDAY_EVENING, make_course, make_signup
from tests.site import Site

OpenBrowser = Callable[..., Page]

PHONE = {"viewport": {"width": 320, "height": 600}, "has_touch": True, "is_mobile": True}

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


@pytest.fixture
def address(site: Site) -> str:
    """Give the address of a course that eleven people have signed up for."""
    with site.database.transaction() as session:
        course = make_course(session)
        for _ in range(11):
            make_signup(session, course)
        return f"/c/{course.slug}"


def heading(page: Page, name: str) -> None:
    """Expect a step to be shown, and read from its heading."""
    expect(page.get_by_role("heading", name=re.compile(rf"(^|\d){name}$"), level=3)).to_be_focused()


def signup_of(site: Site, email: str) -> Signup:
    with site.database.reading() as session:
        return session.scalars(select(Signup).where(Signup.email == email)).one()


def test_steps_go_on_and_back_and_then_sign_up(site: Site, open_browser: OpenBrowser, address: str) -> None:
    page = open_browser(**PHONE, timezone_id="Asia/Tokyo")
    page.goto(address)
    expect(page.get_by_text("Step 1 of 5")).to_be_visible()
    expect(page.get_by_role("button", name="Back")).to_be_hidden()
    expect(page.get_by_role("button", name="Sign up", exact=True)).to_be_hidden()
    fill_in_person(page)
    heading(page, "Your week")
    expect(page.get_by_label("Your name")).to_be_hidden()
    page.get_by_role("button", name="Weekday evenings").tap()
    go_on(page)
    heading(page, "You and the subject")
    page.go_back()
    heading(page, "Your week")
    page.get_by_role("button", name="Back").tap()
    heading(page, "You")
    assert page.get_by_label("Your name").input_value() == "Ada"
    page.go_forward()
    heading(page, "Your week")
    go_on(page)
    page.get_by_label("How many hours a week").fill("3")
    page.keyboard.press("Enter")  # goes on, and sends nothing
    heading(page, "You and the others")
    page.evaluate("scrollTo(0, 0)")
    assert page.evaluate("document.documentElement.scrollWidth") == 320
    send(page)
    expect(page).to_have_url(re.compile("/thanks$"))
    stored = signup_of(site, "ada@example.org")
    assert (stored.time_zone, stored.hours_per_week) == ("Asia/Tokyo", 3.0)
    assert stored.availability == {day * 48 + row for day in range(5) for row in range(36, 42)}


def test_step_is_left_only_when_it_is_done(open_browser: OpenBrowser, address: str) -> None:
    page = open_browser(timezone_id="Europe/Berlin")
    page.goto(address)
    go_on(page)
    name = page.get_by_label("Your name")
    expect(name).to_be_focused()
    expect(name).to_have_accessible_description(re.compile("Error: Tell us your name"))
    assert name.get_attribute("aria-invalid") == "true"
    name.fill("Ada")
    expect(page.get_by_text("Tell us your name.")).to_be_hidden()
    assert name.get_attribute("aria-invalid") is None
    page.get_by_label("E-mail address", exact=True).fill("ada@")
    go_on(page)
    expect(page.get_by_text("It should look like name@example.org.")).to_be_visible()
    page.get_by_label("E-mail address", exact=True).fill("ada@example.org")
    go_on(page)
    heading(page, "Your week")
    go_on(page)
    expect(
        page.get_by_text("Mark every half hour in which you could meet.", exact=False).last
    ).to_be_focused()
    cell(page, 36).check()
    go_on(page)
    heading(page, "You and the subject")


def test_server_error_opens_its_step(site: Site, open_browser: OpenBrowser, address: str) -> None:
    page = open_browser(timezone_id="Europe/Berlin")
    page.goto(address)
    fill_in_person(page)
    cell(page, 36).check()
    go_on(page)
    page.get_by_label("How many hours a week").fill("many")
    send(page)
    expect(page.locator("#error-summary")).to_be_focused()
    expect(page.get_by_text("Step 3 of 5")).to_be_visible()
    expect(page.get_by_label("How many hours a week")).to_be_visible()
    assert page.title().startswith("Error: ")
    page.get_by_role("button", name="Back").click()
    page.get_by_role("link", name="Write a number of hours").click()
    expect(page.get_by_label("How many hours a week")).to_be_focused()
    page.get_by_label("How many hours a week").fill("4")
    send(page)
    expect(page).to_have_url(re.compile("/thanks$"))
    assert signup_of(site, "ada@example.org").hours_per_week == 4.0


def test_draft_survives_a_closed_tab_without_name_and_address(
    open_browser: OpenBrowser, address: str
) -> None:
    page = open_browser(timezone_id="Europe/Berlin")
    page.goto(address)
    fill_in_person(page, "ada@example.org", "Ada Lovelace")
    cell(page, 36).check()
    page.locator("label.brush", has_text="If needed").click()
    cell(page, 37).click()
    go_on(page)
    page.get_by_label("What do you want to get out of it?").fill("To win.")
    page.close()
    page = page.context.new_page()
    page.goto(address)
    kept = page.evaluate("JSON.stringify(localStorage)")
    assert "To win." in kept
    assert "Ada" not in kept
    assert "ada@" not in kept
    assert page.locator("[name=availability]:checked").count() == 0  # it may be somebody else's
    page.get_by_role("button", name="Continue where you left off").click()
    heading(page, "You and the subject")
    assert page.get_by_label("What do you want to get out of it?").input_value() == "To win."
    assert page.locator("[name=availability]:checked").count() == 1
    assert page.locator("[name=if_needed]:checked").count() == 1
    page.get_by_role("button", name="Back").click()
    expect(page.get_by_text("If needed 0.5 h: Mon 18:30–19:00")).to_be_visible()


def test_draft_is_dropped_afresh_after_a_week_and_by_signing_up(
    open_browser: OpenBrowser, address: str
) -> None:
    page = open_browser(timezone_id="Europe/Berlin")
    offer = page.get_by_role("button", name="Continue where you left off")

    def begin() -> None:
        page.goto(address)
        fill_in_person(page)
        cell(page, 36).check()
        go_on(page)
        page.goto(address)

    begin()
    page.get_by_role("button", name="Start afresh").click()
    heading(page, "You")
    page.reload()
    expect(offer).to_be_hidden()
    begin()
    expect(offer).to_be_visible()
    page.evaluate(
        """() => { for (const key of Object.keys(localStorage)) {
            const kept = JSON.parse(localStorage[key]);
            localStorage[key] = JSON.stringify({ ...kept, at: kept.at - 7 * 24 * 3600 * 1000 - 1 });
        } }"""
    )
    page.reload()
    expect(page.get_by_text("Step 1 of 5")).to_be_visible()
    expect(offer).to_be_hidden()
    assert page.evaluate("localStorage.length") == 0
    begin()
    offer.click()
    page.get_by_role("button", name="Back").click()
    page.get_by_role("button", name="Back").click()
    fill_in_person(page)
    send(page)
    expect(page).to_have_url(re.compile("/thanks$"))
    assert page.evaluate("localStorage.length") == 0


def test_count_follows_the_hours_and_the_zone(open_browser: OpenBrowser, address: str) -> None:
    page = open_browser(timezone_id="UTC")
    page.goto(address)
    fill_in_person(page)
    count = page.get_by_role("status").filter(has_text="share a meeting time")
    expect(count).to_contain_text("Mark your hours")
    page.get_by_role("button", name="Weekday evenings").click()
    expect(count).to_have_text("You share a meeting time with about 10 of 10 people so far.")
    page.locator("[name=time_zone]").select_option("Asia/Tokyo")
    expect(page.get_by_text("Fewer than 5 of 10 share a meeting time with you so far.")).to_be_visible()


def test_count_is_asked_for_once_a_pause(open_browser: OpenBrowser, address: str) -> None:
    page = open_browser(timezone_id="UTC")
    asked: list[str] = []

    def note(route: Route) -> None:
        asked.append(route.request.post_data or "")
        route.fulfill(body=json.dumps({"text": f"Answer {len(asked)}."}), content_type="application/json")

    page.route("**/overlap", note)
    page.goto(address)
    fill_in_person(page)
    cell(page, 36).focus()
    for _ in range(6):
        page.keyboard.press("Space")
        page.keyboard.press("ArrowDown")
    expect(page.get_by_text("Answer 1.")).to_be_visible()
    assert len(asked) == 1
    assert "availability=41" in asked[0]
    assert "ada" not in asked[0]


def test_clock_of_the_chosen_city_is_told(open_browser: OpenBrowser, address: str) -> None:
    page = open_browser(timezone_id="Europe/Berlin")
    page.clock.set_fixed_time("2026-12-01T13:05:00Z")
    page.goto(address)
    fill_in_person(page)
    expect(page.get_by_text("It is Tuesday 14:05 there now.")).to_be_visible()
    page.get_by_label("Search for a city").fill("Kathm")
    expect(page.get_by_text("It is Tuesday 18:50 there now.")).to_be_visible()
    assert page.get_by_label("Your time zone").input_value() == "Asia/Kathmandu"


def test_course_without_questions_has_two_steps(site: Site, open_browser: OpenBrowser) -> None:
    with site.database.transaction() as session:
        course: Course = make_course(session)
        for question in course.questions:
            question.asked = False
        slug = course.slug
    page = open_browser(timezone_id="UTC")
    page.goto(f"/c/{slug}")
    expect(page.get_by_text("Step 1 of 2")).to_be_visible()
    fill_in_person(page)
    for slot in sorted(MONDAY_EVENING):
        cell(page, slot).check()
    send(page)
    expect(page).to_have_url(re.compile("/thanks$"))

"""A cohort that really meets: vote, fix, follow in a calendar, answer; by keyboard and without scripts."""

from __future__ import annotations

import re
import urllib.request
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
import vobject
from playwright.sync_api import Page, expect
from sqlalchemy import select

from cohorts.models import Answer, Attendance, Cohort, Signup
from tests.factories import make_cohort, make_course, make_signup
from tests.site import Site

OpenBrowser = Callable[..., Page]


def prepare(site: Site) -> dict[str, str]:
    """Make a cohort of three; return each member's personal link by name."""
    with site.database.transaction() as session:
        course = make_course(session, weeks=4)
        people = [
            make_signup(
                session, course, name=name, email=f"{name.casefold()}@example.org", convenor=name == "Ada"
            )
            for name in ("Ada", "Ben", "Cem")
        ]
        make_cohort(session, *people)
        return {each.name: site.links.learner(each) for each in people}


def press(page: Page, name: str | re.Pattern[str]) -> None:
    """Go to a button by Tab and press it with Enter, as whoever has no mouse does."""
    wanted = page.get_by_role("button", name=name).first
    for _ in range(80):
        page.keyboard.press("Tab")
        if wanted.evaluate("button => button === document.activeElement"):
            break
    else:
        raise AssertionError(f"the button {name!r} is not reached by Tab")
    with page.expect_navigation():
        page.keyboard.press("Enter")


def click(page: Page, name: str | re.Pattern[str]) -> None:
    page.get_by_role("button", name=name).first.click()


def feed_of(page: Page) -> list[tuple[str, str, datetime]]:
    """Read the private calendar whose address the page shows, as a calendar program does."""
    address = page.locator("#feed").get_attribute("value")
    assert address is not None
    assert page.get_by_role("link", name="Follow in my calendar").get_attribute("href") == address.replace(
        "http://", "webcal://"
    )
    with urllib.request.urlopen(address, timeout=10) as answer:
        found = vobject.readOne(answer.read().decode())
    return [
        (each.uid.value, each.status.value, each.dtstart.value.astimezone(UTC)) for each in found.vevent_list
    ]


@pytest.mark.parametrize("way", ["keyboard", "without scripts"])
def test_cohort_votes_fixes_follows_and_answers(site: Site, open_browser: OpenBrowser, way: str) -> None:
    links = prepare(site)
    options = {"java_script_enabled": way == "keyboard", "viewport": {"width": 375, "height": 700}}
    do = press if way == "keyboard" else click

    ben = open_browser(**options)
    ben.goto(links["Ben"] + "/cohort")
    expect(ben.get_by_role("heading", name="Which times suit you?")).to_be_visible()
    do(ben, "Suits me Tuesday 18:00–19:30")
    expect(ben.get_by_role("button", name="Suits me Tuesday 18:00–19:30")).to_have_attribute(
        "aria-pressed", "true"
    )

    ada = open_browser(**options)
    ada.goto(links["Ada"] + "/cohort")
    before = feed_of(ada)
    assert {status for _, status, _ in before} == {"TENTATIVE"}
    do(ada, "Suits me Tuesday 18:00–19:30")
    expect(ada.get_by_role("row", name=re.compile("Tuesday 18:00.*2 members"))).to_be_visible()
    do(ada, "Fix this Tuesday 18:00–19:30")
    expect(ada.get_by_text("Your meeting is fixed")).to_be_visible()
    after = feed_of(ada)
    assert [uid for uid, _, _ in after] == [uid for uid, _, _ in before]
    assert {(status, start.weekday()) for _, status, start in after} == {("CONFIRMED", 1)}

    mail = site.mail("ben@example.org", "meets on Tuesday")
    link = re.search(r"https?://\S+/meetings/\S+", mail.get_content())
    assert link is not None
    ben.goto(link[0])
    expect(ben.get_by_role("heading", name="Will you be there?")).to_be_visible()
    with site.database.reading() as session:
        assert session.scalars(select(Attendance)).all() == []  # opening says nothing
    do(ben, "I'll be there")
    expect(ben.get_by_text("1 of 3 will be there")).to_be_visible()
    with site.database.reading() as session:
        (row,) = session.scalars(select(Attendance)).all()
        assert (row.answer, session.get_one(Signup, row.signup_id).name) == (Answer.COMING, "Ben")

    ada.goto(links["Ada"] + "/cohort")
    expect(ada.get_by_text(re.compile("1 of 3 will be there: Ben"))).to_be_visible()
    assert site.mails("ada@example.org") == []  # who fixed it needs no mail about it


def test_convenor_sets_the_link_and_ticks_the_list_by_keyboard(site: Site, open_browser: OpenBrowser) -> None:
    links = prepare(site)
    page = open_browser(viewport={"width": 1280, "height": 800})
    page.goto(links["Ada"] + "/cohort")
    page.get_by_label("Address of the room").fill("http://chat.example.org")
    page.get_by_role("button", name="Save the link").press("Enter")
    expect(page.get_by_text("must start with https://")).to_be_visible()
    expect(page.get_by_label("Address of the room")).to_be_focused()
    page.get_by_label("Address of the room").fill("https://chat.example.org/room")
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="Open the room")).to_have_attribute(
        "href", "https://chat.example.org/room"
    )
    press(page, re.compile("Plan the first meeting"))
    expect(page.get_by_role("button", name=re.compile("Plan the first meeting"))).to_have_attribute(
        "aria-pressed", "true"
    )
    with site.database.reading() as session:
        assert session.scalars(select(Cohort)).one().ticks == ["plan"]


@pytest.mark.parametrize("width", [320, 375, 1280])
def test_pages_of_a_cohort_fit_with_eight_long_names(
    site: Site, open_browser: OpenBrowser, width: int
) -> None:
    with site.database.transaction() as session:
        course = make_course(session, title="Donaudampfschifffahrtsgesellschaft" * 3)
        people = [
            make_signup(session, course, name="Wolfeschlegelsteinhausenbergerdorff" * 2, convenor=True)
            for _ in range(8)
        ]
        blocks = [["Europe/Berlin", slot] for slot in (*range(30, 46), *range(80, 96))]
        make_cohort(session, *people, meetings=blocks, channel=f"https://{'a' * 60}.example.org/{'b' * 300}")
        link = site.links.learner(people[0])
    page = open_browser(viewport={"width": width, "height": 700})
    page.goto(link + "/cohort")
    stamp = page.locator("form[action*='/meetings/']").first.get_attribute("action")
    for path in (link + "/cohort", stamp or ""):
        page.goto(path)
        page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
        assert page.evaluate("document.documentElement.scrollWidth") == width, path

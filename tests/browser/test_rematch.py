"""A cohort falls apart and is healed: people find themselves among people they know."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from cohorts.database import Database
from cohorts.models import Connection, CourseState, Signup, Source
from tests.browser.ways import tab_to
from tests.factories import make_cohort, make_course, make_signup, make_user
from tests.site import Site

SUNDAY = frozenset(range(6 * 48 + 36, 6 * 48 + 42))


@pytest.fixture
def links_of(database: Database, site: Site) -> dict[str, str]:
    """Two cohorts of a running course, and three people who are free on Sundays alone; the page of each."""
    with database.transaction() as session:
        owner = make_user(session)
        course = make_course(
            session, owner, slug="heal", state=CourseState.RUNNING, size_min=3, target_size=4, size_max=8
        )

        def new(name: str, **given: object) -> Signup:
            return make_signup(session, course, ("Choir",), name=name, **given)

        large = [new(name) for name in ("Ana", "Bo", "Cleo", "Dan")]
        small = [new(name) for name in ("Eve", "Finn", "Gil")]
        make_cohort(session, *large, name="Large")
        make_cohort(session, *small, name="Small")
        for number in range(3):
            new(f"Sunday {number}", availability=SUNDAY)
        for one, other in ((small[0], large[0]), (large[0], small[0])):
            session.add(
                Connection(course_id=course.id, from_id=one.id, to_id=other.id, source=Source.GO_ON_WITH)
            )
        session.flush()
        return {
            **{each.name: site.links.learner(each) for each in (*large, *small)},
            "organiser": site.links.sign_in(owner),
        }


def press_by_keyboard(page: Page, name: str) -> None:
    """Go to a button with the Tab key, and press it."""
    tab_to(page.get_by_role("button", name=name, exact=True))
    page.keyboard.press("Enter")


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_cohort_that_falls_apart_is_healed(
    open_browser: Callable[..., Page], links_of: dict[str, str]
) -> None:
    # A learner leaves the course, and their cohort is too small.
    gil = open_browser()
    gil.goto(f"{links_of['Gil']}/withdraw")
    gil.get_by_role("button", name="Withdraw", exact=True).click()
    expect(gil.get_by_role("heading", name="You have withdrawn")).to_be_visible()

    # The organiser sees why, and rematches without a script, by keyboard.
    organiser = open_browser(java_script_enabled=False)
    organiser.goto(links_of["organiser"])
    organiser.get_by_role("button", name="Sign in").click()
    organiser.goto("/organise/heal")
    organiser.get_by_role("link", name="Rematch").first.click()
    expect(
        organiser.get_by_role("row", name=re.compile("Small 2, needs 3 1 left the course"))
    ).to_be_visible()
    press_by_keyboard(organiser, "Rematch")
    expect(organiser).to_have_url(re.compile("/rematches/"))
    waiting = organiser.get_by_role("link", name="Refresh")
    for _ in range(240):
        if not waiting.is_visible():
            break
        organiser.wait_for_timeout(500)
        organiser.reload()
    # The diff: two changes, each with its reasons; only one is accepted.
    expect(organiser.get_by_role("heading", name="2 changes to decide")).to_be_visible()
    merger = organiser.get_by_role("listitem").filter(
        has=organiser.get_by_role("heading", name="Small joins Large")
    )
    expect(merger.get_by_text("The cohort they were in has come down to 2 people.").first).to_be_visible()
    press_by_keyboard(organiser, "Accept: Small joins Large")
    expect(organiser.get_by_text("2 learners have another seat.")).to_be_visible()
    expect(organiser.get_by_role("heading", name="1 change to decide")).to_be_visible()
    expect(organiser.get_by_role("button", name="Take it back")).to_be_visible()

    # Who was moved reads why, and whom they know there; who knows nobody is told of nobody.
    eve = open_browser()
    eve.goto(f"{links_of['Eve']}/cohort")
    expect(eve.get_by_role("heading", name="Large")).to_be_visible()
    expect(eve.get_by_text("Your cohort Small had become too small")).to_be_visible()
    expect(eve.get_by_text("You know somebody here already: Ana.")).to_be_visible()
    eve.goto(f"{links_of['Finn']}/cohort")
    expect(eve.get_by_role("heading", name="You are new here")).to_be_visible()
    expect(eve.get_by_text("You know somebody here already")).not_to_be_visible()

    # Who comes back is offered their old people, where they are now.
    gil.reload()
    expect(gil.get_by_text("Those who were in a cohort with you are in: Large (2).")).to_be_visible()
    gil.get_by_role("button", name="Sign me up again").click()
    gil.goto(f"{links_of['Gil']}/changes")
    expect(gil.get_by_text("2 of them were in a cohort with you")).to_be_visible()
    gil.get_by_role("button", name="Take the seat in Large").click()
    expect(gil.get_by_role("heading", name="Large")).to_be_visible()

"""The board in real browsers, with a worker: dragged, by keyboard alone, and two organisers at once."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select

from cohorts.models import Cohort, CourseOrganiser, Run, Seat, Signup
from tests.cohorts.test_adjust import proposal
from tests.factories import make_user
from tests.site import Site

OpenBrowser = Callable[..., Page]

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
"""What the database does is tested without a browser."""


def prepare(site: Site) -> tuple[str, list[str]]:
    """Propose cohorts; return the address of the board and two organisers' links for signing in."""
    run_id = proposal(site.database)
    with site.database.transaction() as session:
        run = session.get_one(Run, run_id)
        people = [make_user(session, name=name) for name in ("Olga", "Otto")]
        session.add_all(CourseOrganiser(course_id=run.course_id, user_id=each.id) for each in people)
        session.flush()
        return f"/organise/{run.course.slug}/runs/{run.key}/board", [
            site.links.sign_in(each) for each in people
        ]


def at_board(page: Page, link: str, address: str) -> Page:
    page.goto(link)
    page.get_by_role("button", name="Sign in").click()
    page.goto(address)
    return page


def home_of(site: Site, name: str) -> str | None:
    with site.database.reading() as session:
        return session.scalar(
            select(Cohort.name)
            .join(Seat, Seat.cohort_id == Cohort.id)
            .join(Signup)
            .where(Signup.name == name)
        )


def lift(page: Page, name: str, onto: str) -> None:
    """Take a learner with the mouse and hold them over a cohort."""
    person = page.locator(f"[data-learner][data-name='{name}'] .avatar").bounding_box()
    card = page.locator(f"[data-cohort][data-name='{onto}'] h3").bounding_box()
    assert person is not None
    assert card is not None
    page.mouse.move(person["x"] + 5, person["y"] + 5)
    page.mouse.down()
    page.mouse.move(person["x"] + 30, person["y"] + 20, steps=4)
    page.mouse.move(card["x"] + 30, card["y"] + 30, steps=8)


def press(page: Page, name: str) -> None:
    """Go to a button by Tab and press it with Enter."""
    wanted = page.get_by_role("button", name=name, exact=True).first
    for _ in range(120):
        page.keyboard.press("Tab")
        if wanted.evaluate("button => button === document.activeElement"):
            break
    else:
        raise AssertionError(f"the button {name!r} is not reached by Tab")
    page.keyboard.press("Enter")


def test_dragged_by_keyboard_and_two_at_once(site: Site, open_browser: OpenBrowser) -> None:
    address, (olga, otto) = prepare(site)
    first = at_board(open_browser(viewport={"width": 1280, "height": 1400}), olga, address)
    second = at_board(open_browser(java_script_enabled=False), otto, address)

    # Olga drags, sees what it would do, and drops.
    lift(first, "Learner 00", "Cohort 2")
    card = first.locator("[data-cohort][data-name='Cohort 2']")
    expect(card.locator("[data-effect]")).to_contain_text("score", timeout=30_000)
    assert home_of(site, "Learner 00") == "Cohort 1"
    first.mouse.up()
    expect(first.get_by_text("Learner 00 moved from Cohort 1 to Cohort 2").first).to_be_visible()
    assert home_of(site, "Learner 00") == "Cohort 2"

    # Otto, without scripts, pins on a board that is older now: he sees what Olga did, and goes on.
    second.get_by_role("button", name="Pin Cohort 3").click()
    expect(second.get_by_role("heading", name="Somebody was faster")).to_be_visible()
    expect(second.get_by_text("Learner 00 moved from Cohort 1 to Cohort 2")).to_be_visible()
    expect(second.get_by_text("Olga")).to_be_visible()
    second.get_by_role("button", name="Make my change on top of this").click()
    expect(second.get_by_text("Cohort 3 was pinned").first).to_be_visible()

    # He moves somebody by keyboard alone.
    press(second, "Move Learner 12")
    expect(second.get_by_role("heading", name="Where could Learner 12 sit?")).to_be_visible()
    second.get_by_role("heading", name="Move to Cohort 1").wait_for(timeout=30_000)
    press(second, "Move to Cohort 1")
    expect(second.get_by_text("Learner 12 moved from Cohort 3 to Cohort 1").first).to_be_visible()
    assert home_of(site, "Learner 12") == "Cohort 1"

    # A drop that would break a rule asks first.
    first.reload()
    lift(first, "Lone", "Cohort 1")
    expect(first.locator("[data-cohort][data-name='Cohort 1'] [data-effect]")).to_contain_text(
        "No time of 90 minutes", timeout=30_000
    )
    first.mouse.up()
    expect(first.get_by_role("heading", name="Lone to Cohort 1?")).to_be_visible()
    first.get_by_text("Do it nonetheless").first.click()
    first.get_by_label("Why?").first.fill("They only listen in")
    first.get_by_role("button", name="Set the rule aside").first.click()
    expect(first.get_by_text("They only listen in")).to_be_visible()
    assert home_of(site, "Lone") == "Cohort 1"

    # And back, with the pages without scripts as with them.
    press(first, "Undo: Lone got a seat in Cohort 1")
    expect(first.get_by_text("Undone: Lone got a seat in Cohort 1")).to_be_visible()
    assert home_of(site, "Lone") is None

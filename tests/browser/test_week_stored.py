"""Whatever the way a week is marked, the same half hours are stored."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select

from cohorts.models import Signup
from tests.browser.sign_up import cell, fill_in_person, middle, send, swipe
from tests.factories import make_course
from tests.site import Site

OpenBrowser = Callable[..., Page]

EMAIL = "ada@example.org"
FREE = frozenset({36, 37, 38, 84, 85, 86})
"""Monday and Tuesday, 18:00 to 19:30."""
IF_NEEDED = frozenset({39, 40})
"""Monday, 19:30 to 20:30."""

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


def by_mouse(page: Page) -> None:
    cell(page, 40).scroll_into_view_if_needed()
    for name, first, last in (("Free", 36, 86), ("If needed", 39, 40)):
        page.locator("label.brush", has_text=name).click()
        cell(page, first).scroll_into_view_if_needed()
        page.mouse.move(*middle(page, first))
        page.mouse.down()
        page.mouse.move(*middle(page, last), steps=6)
        page.mouse.up()


def by_touch(page: Page) -> None:
    page.get_by_role("button", name="Paint by finger").tap()
    for name, first, last in (("Free", 36, 86), ("If needed", 39, 40)):
        page.locator("label.brush", has_text=name).tap()
        cell(page, 38).evaluate("(cell) => cell.scrollIntoView({ block: 'center' })")
        swipe(page, middle(page, first), middle(page, last))


def by_keyboard(page: Page) -> None:
    page.locator("[name=availability][tabindex='0']").focus()
    for brush, keys in (("1", ("ArrowDown", "ArrowDown", "ArrowRight")), ("2", ("ArrowDown",))):
        page.keyboard.press(brush)
        page.keyboard.down("Shift")
        for key in keys:
            page.keyboard.press(key)
        page.keyboard.up("Shift")
        for key in ("ArrowLeft", "ArrowDown"):
            page.keyboard.press(key)


def by_screen_reader(page: Page) -> None:
    """Find every control by its name and press it, as a screen reader does, without a pointer."""

    def press(role: str, name: str) -> None:
        page.get_by_role(role, name=name, exact=True).evaluate("(it) => it.click()")  # type: ignore[arg-type]

    for day in ("Mon", "Tue"):
        for clock in ("18:00", "18:30", "19:00"):
            press("checkbox", f"{day} {clock}")
    press("radio", "If needed")
    press("checkbox", "Mon 19:30")
    press("checkbox", "Mon 20:00")
    expect(page.get_by_role("checkbox", name="Mon 20:00, if needed", exact=True)).to_be_visible()


def without_script(page: Page) -> None:
    for slot in FREE:
        cell(page, slot).check()
    page.get_by_text("Other hours, only if needed").click()
    for name in ("Mon 19:30, if needed", "Mon 20:00, if needed"):
        page.get_by_role("checkbox", name=name, exact=True).check()


WAYS: dict[str, tuple[Callable[[Page], None], dict[str, object]]] = {
    "mouse": (by_mouse, {}),
    "touch": (by_touch, {"viewport": {"width": 375, "height": 740}, "has_touch": True, "is_mobile": True}),
    "keyboard": (by_keyboard, {}),
    "screen-reader": (by_screen_reader, {}),
    "no-script": (without_script, {"java_script_enabled": False}),
}


@pytest.mark.parametrize("way", WAYS)
def test_same_half_hours_are_stored(site: Site, open_browser: OpenBrowser, way: str) -> None:
    mark, options = WAYS[way]
    with site.database.transaction() as session:
        slug = make_course(session).slug
    page = open_browser(**{"viewport": {"width": 1280, "height": 900}, "timezone_id": "UTC", **options})
    page.goto(f"/c/{slug}")
    if way == "no-script":
        page.get_by_label("Your name").fill("Ada")
        page.get_by_label("E-mail address", exact=True).fill(EMAIL)
        page.locator("[name=time_zone]").select_option("UTC")
    else:
        fill_in_person(page, EMAIL)
    mark(page)
    send(page)
    expect(page).to_have_url(re.compile("/thanks$"))
    with site.database.reading() as session:
        stored = session.scalars(select(Signup).where(Signup.email == EMAIL)).one()
    assert (stored.availability, stored.if_needed) == (FREE, IF_NEEDED)

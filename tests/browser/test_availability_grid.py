"""The week of the sign-up form, in a browser: whatever the way, the same checkboxes are ticked."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.factories import make_course
from tests.site import Site

OpenBrowser = Callable[..., Page]

PHONE = {"viewport": {"width": 320, "height": 740}, "has_touch": True, "is_mobile": True}
SQUARE = [36, 37, 38, 84, 85, 86]
"""Monday and Tuesday, 18:00 to 19:30."""

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


@pytest.fixture
def address(site: Site) -> str:
    """Give the address of an open course."""
    with site.database.transaction() as session:
        return f"/c/{make_course(session).slug}"


def cell(page: Page, slot: int) -> Locator:
    return page.locator(f"[name=availability][value='{slot}']")


def middle(page: Page, slot: int) -> tuple[float, float]:
    box = cell(page, slot).bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def ticked(page: Page) -> list[int]:
    found: list[int] = page.evaluate(
        "[...document.querySelectorAll('[name=availability]:checked')].map((cell) => Number(cell.value))"
    )
    return sorted(found)


def swipe(page: Page, start: tuple[float, float], end: tuple[float, float]) -> None:
    """Draw a finger over the screen."""
    steps = [
        (start[0] + (end[0] - start[0]) * step / 8, start[1] + (end[1] - start[1]) * step / 8)
        for step in range(1, 9)
    ]
    touch = page.context.new_cdp_session(page)

    def send(kind: str, *points: tuple[float, float]) -> None:
        where = [{"x": x, "y": y} for x, y in points]
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": where})

    send("touchStart", start)
    for point in steps:
        send("touchMove", point)
    send("touchEnd")


def press(page: Page, *names: str) -> None:
    for name in names:
        page.get_by_role("button", name=name).click()


def test_mouse_paints_a_rectangle_and_undo_takes_it_back(open_browser: OpenBrowser, address: str) -> None:
    page = open_browser()
    page.goto(address)
    cell(page, 36).scroll_into_view_if_needed()
    page.mouse.move(*middle(page, 36))
    page.mouse.down()
    page.mouse.move(*middle(page, 86), steps=6)
    page.mouse.up()
    assert ticked(page) == SQUARE
    expect(page.get_by_text("Free 3 h a week: Mon 18:00–19:30; Tue 18:00–19:30")).to_be_visible()
    press(page, "Undo")
    assert ticked(page) == []
    expect(page.get_by_role("button", name="Undo")).to_be_disabled()


def test_keyboard_has_one_tab_stop_and_paints_with_shift(open_browser: OpenBrowser, address: str) -> None:
    page = open_browser()
    page.goto(address)
    assert page.locator("[name=availability][tabindex='0']").count() == 1
    cell(page, 36).focus()
    page.keyboard.press("Space")
    page.keyboard.down("Shift")
    for key in ("ArrowDown", "ArrowDown", "ArrowRight"):
        page.keyboard.press(key)
    page.keyboard.up("Shift")
    assert ticked(page) == SQUARE
    press(page, "Undo")
    assert ticked(page) == [36]


def test_keyboard_unfolds_the_night(open_browser: OpenBrowser, address: str) -> None:
    page = open_browser()
    page.goto(address)
    cell(page, 16).focus()
    page.keyboard.press("ArrowUp")
    expect(cell(page, 15)).to_be_focused()
    expect(cell(page, 15)).to_be_visible()


def test_buttons_fill_copy_and_clear(open_browser: OpenBrowser, address: str) -> None:
    page = open_browser()
    page.goto(address)
    cell(page, 20).check()
    press(page, "Copy Monday")
    assert ticked(page) == [20 + 48 * day for day in range(5)]
    press(page, "Clear", "Weekday evenings")
    assert ticked(page) == sorted(48 * day + row for day in range(5) for row in range(36, 42))
    press(page, "Clear", "Weekends")
    assert ticked(page) == sorted(48 * day + row for day in (5, 6) for row in range(18, 42))


def test_finger_taps_scrolls_and_paints_when_asked(open_browser: OpenBrowser, address: str) -> None:
    page = open_browser(**PHONE)
    page.goto(address)
    for slot in SQUARE:
        cell(page, slot).tap()
    assert ticked(page) == SQUARE
    press(page, "Clear")
    cell(page, 30).scroll_into_view_if_needed()
    before = page.evaluate("scrollY")
    x, y = middle(page, 30)
    swipe(page, (x, y), (x, y - 250))
    page.wait_for_function("(before) => scrollY !== before", arg=before)
    assert ticked(page) == []
    press(page, "Paint by finger")
    cell(page, 36).evaluate("(cell) => cell.scrollIntoView({ block: 'center' })")
    swipe(page, middle(page, 36), middle(page, 86))
    assert ticked(page) == SQUARE


def test_form_without_script_has_every_half_hour(open_browser: OpenBrowser, address: str) -> None:
    page = open_browser(java_script_enabled=False, viewport={"width": 320, "height": 740})
    page.goto(address)
    page.get_by_text("Night and early morning").click()
    for slot in (3, *SQUARE):
        cell(page, slot).check()
    expect(page.get_by_role("button", name="Undo")).to_be_hidden()
    expect(page.get_by_role("checkbox", name="Mon 01:30")).to_be_checked()


def test_errors_are_summed_up_and_read_first(open_browser: OpenBrowser, address: str) -> None:
    page = open_browser(timezone_id="Asia/Tokyo")
    page.goto(address)
    assert page.get_by_label("Your time zone").input_value() == "Asia/Tokyo"
    page.get_by_role("button", name="Sign up").click()
    expect(page.locator("#error-summary")).to_be_focused()
    assert page.title().startswith("Error: ")
    page.get_by_role("link", name="Tell us your name.").click()
    expect(page.get_by_label("Your name")).to_be_focused()


def pages_without_sideways_scroll(page: Page, addresses: Iterable[str]) -> dict[str, int]:
    found = {}
    for each in addresses:
        page.goto(each)
        found[each] = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    return found


def test_pages_fit_a_narrow_phone(open_browser: OpenBrowser, address: str) -> None:
    page = open_browser(**PHONE)
    addresses = ["/", address, f"{address}/thanks", "/sign-in", "/nothing"]
    assert pages_without_sideways_scroll(page, addresses) == dict.fromkeys(addresses, 0)

"""The week of the sign-up form, in a browser: whatever the way, the same checkboxes are ticked."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.sign_up import cell, fill_in_person, middle, swipe
from tests.factories import make_course
from tests.site import Site

OpenBrowser = Callable[..., Page]

PHONE = {"viewport": {"width": 320, "height": 740}, "has_touch": True, "is_mobile": True}
SQUARE = [36, 37, 38, 84, 85, 86]
"""Monday and Tuesday, 18:00 to 19:30."""

CELLS = """(selector) => [...document.querySelectorAll(selector)].map((cell) => Number(cell.value))
    .sort((a, b) => a - b)"""

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


@pytest.fixture
def address(site: Site) -> str:
    """Give the address of an open course."""
    with site.database.transaction() as session:
        return f"/c/{make_course(session).slug}"


def ticked(page: Page) -> list[int]:
    return list(page.evaluate(CELLS, "[name=availability]:checked"))


def maybe(page: Page) -> list[int]:
    """Return the half hours that would do if needed: what is posted, and what is seen, which must agree."""
    posted = page.evaluate(CELLS, "[name=if_needed]:checked")
    seen = page.evaluate(CELLS, "[name=availability]:indeterminate")
    assert posted == seen
    return list(posted)


def open_week(page: Page, address: str) -> None:
    page.goto(address)
    fill_in_person(page)


def press(page: Page, *names: str) -> None:
    for name in names:
        page.get_by_role("button", name=name).click()


def test_mouse_paints_a_rectangle_and_undo_takes_it_back(open_browser: OpenBrowser, address: str) -> None:
    page = open_browser()
    open_week(page, address)
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
    open_week(page, address)
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
    open_week(page, address)
    cell(page, 16).focus()
    page.keyboard.press("ArrowUp")
    expect(cell(page, 15)).to_be_focused()
    expect(cell(page, 15)).to_be_visible()


def test_buttons_fill_copy_and_clear(open_browser: OpenBrowser, address: str) -> None:
    page = open_browser()
    open_week(page, address)
    cell(page, 20).check()
    press(page, "Copy Monday")
    assert ticked(page) == [20 + 48 * day for day in range(5)]
    press(page, "Clear all", "Weekday evenings")
    assert ticked(page) == sorted(48 * day + row for day in range(5) for row in range(36, 42))
    press(page, "Clear all", "Weekends")
    assert ticked(page) == sorted(48 * day + row for day in (5, 6) for row in range(18, 42))


def test_finger_taps_scrolls_and_paints_when_asked(open_browser: OpenBrowser, address: str) -> None:
    page = open_browser(**PHONE)
    open_week(page, address)
    for slot in SQUARE:
        cell(page, slot).tap()
    assert ticked(page) == SQUARE
    press(page, "Clear all")
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
    page.get_by_text("Other hours, only if needed").click()
    page.get_by_role("checkbox", name="Sun 23:30, if needed").check()
    expect(page.get_by_role("button", name="Undo")).to_be_hidden()
    expect(page.get_by_role("checkbox", name="Mon 01:30", exact=True)).to_be_checked()


def brush(page: Page, name: str) -> None:
    page.locator("label.brush", has_text=name).click()


def test_three_states_by_mouse(open_browser: OpenBrowser, address: str) -> None:
    page = open_browser()
    open_week(page, address)
    cell(page, 36).scroll_into_view_if_needed()
    cell(page, 36).click()
    brush(page, "If needed")
    cell(page, 37).click()
    cell(page, 38).click()
    cell(page, 38).click()
    assert (ticked(page), maybe(page)) == ([36], [37])
    cell(page, 36).click()
    assert (ticked(page), maybe(page)) == ([], [36, 37])
    expect(page.get_by_text("If needed 1 h: Mon 18:00–19:00")).to_be_visible()
    expect(page.get_by_role("checkbox", name="Mon 18:00, if needed")).to_be_visible()
    brush(page, "Clear")
    cell(page, 36).click()
    assert (ticked(page), maybe(page)) == ([], [37])
    press(page, "Undo", "Undo")
    assert (ticked(page), maybe(page)) == ([36], [37])


def test_three_states_by_keyboard(open_browser: OpenBrowser, address: str) -> None:
    page = open_browser()
    open_week(page, address)
    cell(page, 36).focus()
    for key in ("2", "Shift+ArrowDown", "ArrowDown", "1", "Space", "ArrowUp", "3", "Space"):
        page.keyboard.press(key)
    assert (ticked(page), maybe(page)) == ([38], [36])
    expect(page.get_by_role("radio", name="Clear")).to_be_checked()
    page.keyboard.press("Control+z")
    assert (ticked(page), maybe(page)) == ([38], [36, 37])


def test_working_week_takes_few_keys(open_browser: OpenBrowser, address: str) -> None:
    """Monday to Friday, 18 to 20, from the one tab stop of the grid."""
    page = open_browser()
    open_week(page, address)
    page.locator("[name=availability][tabindex='0']").focus()
    keys = ["ArrowDown"] * 3 + ["ArrowRight"] * 4
    page.keyboard.down("Shift")
    for key in keys:
        page.keyboard.press(key)
    page.keyboard.up("Shift")
    assert ticked(page) == [48 * day + row for day in range(5) for row in range(36, 40)]
    assert len(keys) + 1 <= 15  # Shift is one more


def test_home_and_end_lead_to_the_ends_of_a_row(open_browser: OpenBrowser, address: str) -> None:
    page = open_browser()
    open_week(page, address)
    cell(page, 36 + 48).focus()
    page.keyboard.press("End")
    expect(cell(page, 36 + 6 * 48)).to_be_focused()
    page.keyboard.press("Home")
    expect(cell(page, 36)).to_be_focused()


def test_arrows_follow_the_eye_from_right_to_left(open_browser: OpenBrowser, address: str) -> None:
    page = open_browser()
    open_week(page, address)
    page.evaluate("document.documentElement.dir = 'rtl'")
    cell(page, 36).focus()
    page.keyboard.press("ArrowLeft")
    expect(cell(page, 36 + 48)).to_be_focused()
    assert middle(page, 36)[0] > middle(page, 36 + 48)[0]


def test_folds_keep_and_count_what_is_in_them(open_browser: OpenBrowser, address: str) -> None:
    page = open_browser()
    open_week(page, address)
    night = page.get_by_text("Night and early morning")
    night.click()
    cell(page, 2).check()
    cell(page, 3).check()
    night.click()
    expect(cell(page, 2)).to_be_hidden()
    expect(page.get_by_text("1 h marked")).to_be_visible()
    assert ticked(page) == [2, 3]


def test_whole_week_is_asked_about(open_browser: OpenBrowser, address: str) -> None:
    page = open_browser()
    open_week(page, address)
    question = page.get_by_text("You marked the whole week, nights too.")
    expect(question).to_be_hidden()
    page.get_by_text("Night and early morning").click()
    cell(page, 0).focus()
    page.keyboard.down("Shift")
    for key in ["ArrowDown"] * 47 + ["End"]:
        page.keyboard.press(key)
    page.keyboard.up("Shift")
    expect(question).to_be_visible()
    page.get_by_role("button", name="Next").click()
    expect(page.get_by_role("button", name="Yes, any hour")).to_be_focused()
    press(page, "Only from 08:00 to 22:00")
    expect(question).to_be_hidden()
    assert len(ticked(page)) == 7 * 28
    press(page, "Undo")
    expect(question).to_be_visible()
    press(page, "Yes, any hour")
    expect(question).to_be_hidden()
    page.get_by_role("button", name="Next").click()
    expect(page.get_by_text("Step 3 of")).to_be_visible()


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

"""Ways through the sign-up form that browser tests share."""

from __future__ import annotations

from playwright.sync_api import Locator, Page


def cell(page: Page, slot: int) -> Locator:
    """Return the checkbox of a half hour."""
    return page.locator(f"[name=availability][value='{slot}']")


def middle(page: Page, slot: int) -> tuple[float, float]:
    """Return where the middle of a half hour is on the screen."""
    box = cell(page, slot).bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def go_on(page: Page) -> None:
    """Press the button that leads to the next step."""
    page.get_by_role("button", name="Next: ").click()


def fill_in_person(page: Page, email: str = "ada@example.org", name: str = "Ada") -> None:
    """Fill in the first step and go on to the week."""
    page.get_by_label("Your name").fill(name)
    page.get_by_label("E-mail address", exact=True).fill(email)
    for choice in page.get_by_label("I am at least").all():  # not every course asks
        choice.check()
    go_on(page)


def send(page: Page) -> None:
    """Go on to the last step and sign up."""
    button = page.get_by_role("button", name="Sign up", exact=True)
    while not button.is_visible():
        go_on(page)
    button.click()


def swipe(page: Page, start: tuple[float, float], end: tuple[float, float]) -> None:
    """Draw a finger over the screen."""
    steps = [
        (start[0] + (end[0] - start[0]) * step / 8, start[1] + (end[1] - start[1]) * step / 8)
        for step in range(1, 9)
    ]
    touch = page.context.new_cdp_session(page)

    def dispatch(kind: str, *points: tuple[float, float]) -> None:
        where = [{"x": x, "y": y} for x, y in points]
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": where})

    dispatch("touchStart", start)
    for point in steps:
        dispatch("touchMove", point)
        page.wait_for_timeout(30)  # a finger draws; a jump would be a fling, which eats the next tap
    page.wait_for_timeout(150)
    dispatch("touchEnd")

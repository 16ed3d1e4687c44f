"""The ways in which a learner uses the site: by mouse, by finger, by keyboard alone, with scripts off."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date

from playwright.sync_api import Locator, Page

ENOUGH_TABS = 150


def tab_to(target: Locator) -> None:
    """Press Tab until something has the focus; nobody should need a mouse to get there."""
    for _ in range(ENOUGH_TABS):
        target.page.keyboard.press("Tab")
        if target.evaluate("it => it === document.activeElement"):
            return
    raise AssertionError(f"{target} is not reached by Tab")


def send_by(button: Locator) -> None:
    """Press a button that sends a form, and wait for the answer."""
    with button.page.expect_navigation():
        button.click()


class Way:
    """A learner with a mouse; every press is counted."""

    def __init__(self, page: Page) -> None:
        """Use one page all the way."""
        self.page = page
        self.presses = 0

    def activate(self, target: Locator) -> None:
        """Press a link, a button or a box."""
        self.presses += 1
        self._activate(target)

    def send(self, name: str | re.Pattern[str]) -> None:
        """Press the button with this name, which leads to another page or to this one anew."""
        with self.page.expect_navigation():
            self.activate(self._named("button", name))

    def follow(self, name: str) -> None:
        """Follow the link with this name."""
        with self.page.expect_navigation():
            self.activate(self._named("link", name))

    def choose(self, selector: str) -> None:
        """Tick a box or choose one of several: mice and fingers press the words beside it."""
        self.activate(self.page.locator(f"label:has({selector})").first)
        assert self.page.locator(selector).first.is_checked(), selector

    def write_day(self, field: Locator, day: date) -> None:
        """Give a day."""
        field.fill(day.isoformat())

    def mark(self, cell: Locator) -> None:
        """Mark a half hour of the week."""
        self.activate(cell)

    @contextmanager
    def at_most(self, presses: int) -> Iterator[None]:
        """Fail when something takes more presses than this."""
        before = self.presses
        yield
        assert self.presses - before <= presses

    def _activate(self, target: Locator) -> None:
        target.click()

    def _named(self, role: str, name: str | re.Pattern[str]) -> Locator:
        exact = isinstance(name, str)
        return self.page.locator("main").get_by_role(role, name=name, exact=exact).first  # type: ignore[arg-type]


class Finger(Way):
    """A learner who taps."""

    def _activate(self, target: Locator) -> None:
        target.tap()


class Keyboard(Way):
    """A learner who goes about by Tab alone, and presses Enter, Space and arrows."""

    def choose(self, selector: str) -> None:
        """Tick a box with Space; go along a group of radio buttons by arrow, as they have one tab stop."""
        target = self.page.locator(selector).first
        self.presses += 1
        if target.get_attribute("type") == "checkbox":
            tab_to(target)
            self.page.keyboard.press("Space")
        else:
            tab_to(self.page.locator(f"[name='{target.get_attribute('name')}']").first)
            self.page.keyboard.press("Space")
            while not target.is_checked():
                self.page.keyboard.press("ArrowRight")
        assert target.is_checked(), selector

    def write_day(self, field: Locator, day: date) -> None:
        """Type the figures, in the order in which the field asks for them."""
        tab_to(field)
        self.page.keyboard.type(day.strftime("%m%d%Y"))
        assert field.input_value() == day.isoformat()

    def mark(self, cell: Locator) -> None:
        """Go along the column of a day from the one tab stop of the week."""
        grid = self.page.locator("[name=availability][tabindex='0']")
        tab_to(grid)
        while not cell.evaluate("it => it === document.activeElement"):
            self.page.keyboard.press("ArrowDown")
        self.page.keyboard.press("Space")

    def _activate(self, target: Locator) -> None:
        tab_to(target)
        self.page.keyboard.press("Enter")

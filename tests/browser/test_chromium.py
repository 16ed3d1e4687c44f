"""What is stuck in the browser fails its own test alone, and soon."""

from __future__ import annotations

import time

import pytest
from playwright.sync_api import Page

from tests.browser.chromium import Chromium, TookTooLong, time_limit

STUCK = ("new Promise(() => 0)", "(() => { for (;;); })()")


@pytest.mark.parametrize("script", STUCK)
def test_what_is_stuck_is_ended_and_the_browser_starts_anew(chromium: Chromium, script: str) -> None:
    page = chromium.browser().new_page()
    before = time.monotonic()
    with (
        pytest.raises(TookTooLong, match="The thought took more than 2 seconds"),
        time_limit(2, "The thought"),
    ):
        _think_and_close(page, script)
    assert time.monotonic() - before < 20
    with chromium.browser().new_context() as context:
        assert context.new_page().evaluate("6 * 7") == 42


def _think_and_close(page: Page, script: str) -> None:
    try:
        page.evaluate(script)
    finally:
        page.close()  # of a page whose renderer is busy for ever: this may never end by itself


def test_what_is_in_time_is_left_alone(chromium: Chromium) -> None:
    browser = chromium.browser()
    with time_limit(60, "A sum"):
        page = browser.new_page()
        assert page.evaluate("1 + 1") == 2
        page.close()
    assert chromium.browser() is browser

"""A real browser for the real site."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import BrowserContext, Page

from tests.browser.chromium import Chromium, time_limit
from tests.site import Site

SECONDS = 180
"""For a test, and for what is put up and tidied away around it; a quiet machine needs a tenth of it."""


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item: pytest.Item) -> Iterator[None]:
    """Limit the time of the fixtures of a test."""
    with time_limit(SECONDS, f"What {item.name} needs"):
        yield


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    """Limit the time of a test."""
    with time_limit(SECONDS, item.name):
        yield


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item) -> Iterator[None]:
    """Limit the time of tidying up after a test."""
    with time_limit(SECONDS, f"Tidying up after {item.name}"):
        yield


@pytest.fixture(scope="session")
def chromium() -> Iterator[Chromium]:
    """Give the browser that all tests share."""
    with Chromium() as chromium:
        yield chromium


@pytest.fixture
def open_browser(chromium: Chromium, site: Site) -> Iterator[Callable[..., Page]]:
    """Open a page of a fresh browser context; anything the page complains of fails the test."""
    browser = chromium.browser()
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def open_page(**options: object) -> Page:
        context = browser.new_context(base_url=site.url, **{"locale": "en-GB", **options})  # type: ignore[arg-type]
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda line: complaints.append(line.text) if line.type == "error" else None)
        return page

    yield open_page
    for context in contexts:
        context.close()
    # A page that answers with an error status on purpose is logged by the browser, too.
    assert [each for each in complaints if "Failed to load resource" not in each] == []

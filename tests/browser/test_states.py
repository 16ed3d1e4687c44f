"""Every page in every state: accessible, in both widths and colours, and never wider than a narrow phone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from flask import Flask
from playwright.sync_api import Page

from tests.browser.chromium import Chromium
from tests.browser.states import NO_PAGES, STATES, State
from tests.browser.visitor import Visitor, looks, visiting

RULES = {
    "resultTypes": ["violations"],
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"],
    # target-size is off unless asked for.
    "rules": {"target-size": {"enabled": True}},
}


@pytest.fixture(scope="module")
def visitor(chromium: Chromium, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Visitor]:
    """Send a visitor to two sites that all states share."""
    with visiting(chromium, tmp_path_factory.mktemp("states")) as visitor:
        yield visitor


def violations(page: Page) -> list[str]:
    """Return what axe finds in a page as it is shown now."""
    found = page.evaluate("(rules) => axe.run(rules)", RULES)
    return [
        f"{each['id']}: {node['html'][:150]} ({' '.join(node['failureSummary'].split())[:250]})"
        for each in found["violations"]
        for node in each["nodes"]
    ]


def too_wide(page: Page) -> int:
    """Return by how many pixels a page has to be scrolled sideways."""
    width: int = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    return width


@pytest.mark.parametrize("state", STATES, ids=lambda state: state.name)
def test_state_is_accessible_and_fits(visitor: Visitor, app_routes: Flask, state: State) -> None:
    with visitor.at(state) as page:
        if state.endpoint:
            path = urlsplit(page.url).path
            assert app_routes.url_map.bind("").match(path)[0] == state.endpoint, path
        page.evaluate(AXE_SCRIPT)
        assert {look: found for look in looks(page) if (found := violations(page))} == {}
        page.set_viewport_size({"width": 320, "height": 600})
        overflow = {}
        for direction in ("ltr", "rtl"):
            page.evaluate("(direction) => { document.documentElement.dir = direction }", direction)
            overflow[direction] = too_wide(page)
        assert overflow == {"ltr": 0, "rtl": 0}


@pytest.fixture(scope="module")
def app_routes(tmp_path_factory: pytest.TempPathFactory) -> Flask:
    """Give the application for its URL map alone."""
    import config
    from web import create_app

    return create_app(config.load({"COHORTS_DATA_DIR": str(tmp_path_factory.mktemp("routes"))}))


def test_every_page_has_a_state(app_routes: Flask) -> None:
    rules = [rule for rule in app_routes.url_map.iter_rules() if not rule.rule.startswith("/api/")]
    pages = {rule.endpoint for rule in rules if "GET" in (rule.methods or ())}
    assert pages >= NO_PAGES
    assert {state.endpoint for state in STATES} - {""} == pages - NO_PAGES


def test_states_have_names_of_their_own() -> None:
    assert [name for name, times in Counter(state.name for state in STATES).items() if times > 1] == []


def test_checks_find_what_is_wrong(chromium: Chromium) -> None:
    """A page with faults of each sort that the others are said to be without."""
    with chromium.browser().new_context() as context:
        page = context.new_page()
        page.set_content(
            "<html><body><img src='x.svg'><p style='color: #ccc; background: #fff'>pale</p>"
            "<button style='width: 9px; height: 9px; padding: 0'></button>"
            "<button style='width: 9px; height: 9px; padding: 0'>b</button><p style='width: 900px'>wide</p>"
        )
        page.evaluate(AXE_SCRIPT)
        page.set_viewport_size({"width": 320, "height": 600})
        found = {each.split(":")[0] for each in violations(page)}
        assert {"button-name", "color-contrast", "html-has-lang", "image-alt", "target-size"} <= found
        assert too_wide(page) > 0

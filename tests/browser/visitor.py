"""Who goes to a page in any of its states, signed in where that is needed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, Page

from tests.browser.chromium import Chromium
from tests.browser.scenes import fill, fill_bare
from tests.browser.states import State
from tests.browser.ways import send_by
from tests.browser.world import World, served

SIZES = (("1280", {"width": 1280, "height": 900}), ("375", {"width": 375, "height": 760}))
SCHEMES = ("light", "dark")


class Visitor:
    """Goes to any state, in one browser that keeps a session for each who signs in."""

    def __init__(self, chromium: Chromium, full: World, bare: World) -> None:
        """Look at two sites: one with something of everything, and a new one."""
        self._chromium = chromium
        self._browser: Browser | None = None
        self._sites = {False: full, True: bare}
        self._contexts: dict[str, BrowserContext] = {}

    @contextmanager
    def at(self, state: State) -> Iterator[Page]:
        """Give the page in a state, and its complaints on the console as ``page.complaints``."""
        world = self._sites[state.bare]
        page = self._context(state.who).new_page()
        try:
            answer = page.goto(world.address(state.path))
            assert answer is not None
            assert answer.status == state.status, f"{state.name}: {answer.status} {answer.url}"
            if state.act is not None:
                state.act(page)
            if state.rtl:
                page.evaluate("document.documentElement.dir = 'rtl'")
            yield page
        finally:
            page.close()

    def close(self) -> None:
        """Close the sessions."""
        for context in self._contexts.values():
            context.close()

    def _context(self, who: str) -> BrowserContext:
        browser = self._chromium.browser()
        if browser is not self._browser:  # the first, or one in the place of one that had to be ended
            self._browser, self._contexts = browser, {}
        if who not in self._contexts:
            context = browser.new_context(locale="en-GB", reduced_motion="reduce")
            if who:
                page = context.new_page()
                page.goto(self._sites[False].sign_in_link(who))
                send_by(page.get_by_role("button", name="Sign in"))  # a page must not be closed on its way
                page.close()
            self._contexts[who] = context
        return self._contexts[who]


def looks(page: Page) -> Iterator[str]:
    """Show a page in both widths, light and dark; give the name of each look."""
    for width, size in SIZES:
        page.set_viewport_size(size)  # type: ignore[arg-type]
        for scheme in SCHEMES:
            page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            yield f"{width}-{scheme}"


@contextmanager
def visiting(chromium: Chromium, folder: Path) -> Iterator[Visitor]:
    """Serve both sites and send a visitor."""
    for name in ("full", "bare"):
        (folder / name).mkdir()
    with served(folder / "full", fill) as full, served(folder / "bare", fill_bare) as bare:
        visitor = Visitor(chromium, full, bare)
        yield visitor
        visitor.close()

"""The browser that tests share, and the limit of time that nothing in it may pass.

Playwright waits for ever for a page to close, and for what a script in it returns. A page that is closed
in the middle of a navigation, for one, may never say that it is closed.
"""

from __future__ import annotations

import faulthandler
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Self

import psutil
from playwright.sync_api import Browser, sync_playwright

EXECUTABLE = os.environ.get("CHROMIUM", "/usr/bin/chromium")


class Chromium:
    """Debian's Chromium without a screen; started when it is needed, and anew when it has ended."""

    def __init__(self) -> None:
        self._running = ExitStack()
        self._browser: Browser | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._running.close()

    def browser(self) -> Browser:
        """Return a browser that runs."""
        if self._browser is None or not self._browser.is_connected():
            assert Path(EXECUTABLE).exists(), f"{EXECUTABLE} is missing; type: apt-get install chromium"
            self._running.close()
            playwright = self._running.enter_context(sync_playwright())
            arguments = ["--no-sandbox", "--disable-background-networking", "--disable-component-update"]
            self._browser = self._running.enter_context(
                playwright.chromium.launch(executable_path=EXECUTABLE, args=arguments)
            )
        return self._browser


class TookTooLong(Exception):
    """Something did not end within its time."""


@contextmanager
def time_limit(seconds: float, what: str) -> Iterator[None]:
    """End the browser and raise ``TookTooLong`` where the work is stuck, once ``seconds`` have passed.

    With the browser gone, what tidies up behind the work cannot be stuck in it, too; should it be stuck
    elsewhere, it is interrupted again, a quarter of the time later each.
    """

    def interrupt(*_: object) -> None:
        faulthandler.dump_traceback(sys.__stderr__)  # what the threads of a server are at
        _end_browser()
        raise TookTooLong(f"{what} took more than {seconds:g} seconds; its browser was ended.")

    before = signal.signal(signal.SIGALRM, interrupt)
    around = signal.setitimer(signal.ITIMER_REAL, seconds, seconds / 4)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, *around)
        signal.signal(signal.SIGALRM, before)


def _end_browser() -> None:
    """Kill the browser that this process started; Playwright's own process tells the rest of it."""
    for process in psutil.Process().children(recursive=True):
        try:
            if process.name().startswith("chrom"):
                process.kill()
        except psutil.NoSuchProcess:
            continue  # it went with its parent

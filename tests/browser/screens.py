"""Take a picture of every page in every state.

    python -m tests.browser.screens [WORD ...]

Writes ``build/screens/<state>-<width>-<light or dark>.png``, for the states whose names contain one of
the words if there are any.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import config
from tests.browser.chromium import Chromium, time_limit
from tests.browser.states import STATES
from tests.browser.visitor import looks, visiting

SCREENS = config.ROOT / "build" / "screens"


def main(words: list[str]) -> None:
    """Visit the states and write the pictures."""
    SCREENS.mkdir(parents=True, exist_ok=True)
    chosen = [state for state in STATES if not words or any(word in state.name for word in words)]
    with (
        tempfile.TemporaryDirectory() as folder,
        Chromium() as chromium,
        visiting(chromium, Path(folder)) as visitor,
    ):
        for state in chosen:
            with time_limit(120, state.name), visitor.at(state) as page:
                for look in looks(page):
                    page.screenshot(path=SCREENS / f"{state.name}-{look}.png", full_page=True)
    print(f"{len(chosen)} states are in {SCREENS}")  # noqa: T201


if __name__ == "__main__":
    main(sys.argv[1:])

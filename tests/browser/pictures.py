"""Take the pictures of the README from the running sample course.

    python -m tests.browser.pictures

Serves a fresh site on a free port, matches and publishes the sample course, and writes
``docs/images/{sign-up,proposal,cohort}.png``; ``connections.png`` is of a course under way.
"""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, Page, expect

import config
from cohorts.database import Database
from cohorts.links import Links
from cohorts.models import Membership, User
from tests.browser.chromium import Chromium
from tests.browser.sign_up import fill_in_person
from tests.browser.states import STATES
from tests.browser.visitor import Visitor, visiting
from tests.site import wait_until_served

IMAGES = config.ROOT / "docs" / "images"
SLUG = "play-with-your-music-sample"
KEY = "the key of the pictures is no secret"
PHONE = {"width": 375, "height": 760}


def main() -> None:
    """Serve, walk through, and write the pictures."""
    with socket.socket() as free, tempfile.TemporaryDirectory() as folder:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
        free.close()
        environ = {**os.environ, "COHORTS_DATA_DIR": folder, "COHORTS_SECRET_KEY": KEY}
        port = url.rsplit(":", 1)[1]
        command = [sys.executable, "-m", "web", "serve", "--port", port, "--with-worker"]
        server = subprocess.Popen(command, env=environ, stdout=subprocess.DEVNULL)
        try:
            wait_until_served(server, url)
            with Chromium() as chromium:
                take(chromium.browser(), Database(f"sqlite:///{folder}/cohorts.sqlite3"), Links(KEY, url))
                with tempfile.TemporaryDirectory() as other, visiting(chromium, Path(other)) as visitor:
                    take_connections(visitor)
        finally:
            server.terminate()
            server.wait()


def take(browser: Browser, database: Database, links: Links) -> None:
    """Take the three pictures."""
    phone = browser.new_page(viewport=PHONE, device_scale_factor=2, timezone_id="Europe/Berlin")
    phone.goto(f"{links.public_url}/c/{SLUG}")
    fill_in_person(phone, "amina@example.org", "Amina Yusuf")
    phone.get_by_role("button", name="Weekday evenings").click()
    phone.get_by_text("Free 15 h a week").wait_for()
    evening = phone.locator("[name=availability][value='38']")
    evening.evaluate("cell => cell.scrollIntoView({block: 'center'})")
    save(phone, "sign-up.png")
    desk = browser.new_page(viewport={"width": 1280, "height": 1500})
    match(desk, database, links)
    save(desk, "proposal.png")
    desk.get_by_role("link", name=re.compile("Publish")).click()
    desk.get_by_role("button", name=re.compile("Publish and send")).click()
    expect(desk.get_by_text("The cohorts are published")).to_be_visible()
    with database.reading() as session:
        membership = session.query(Membership).order_by(Membership.id).limit(1).one()
        link = links.learner(membership.signup)
    phone.goto(f"{link}/cohort")
    save(phone, "cohort.png")


def take_connections(visitor: Visitor) -> None:
    """Take the picture of a network."""
    state = next(state for state in STATES if state.name == "network")
    with visitor.at(state) as page:
        page.set_viewport_size({"width": 1280, "height": 1500})
        save(page, "connections.png")


def match(page: Page, database: Database, links: Links) -> None:
    """Sign in as the first organiser and have the sample course matched."""
    with database.reading() as session:
        page.goto(links.sign_in(session.query(User).one()))
    page.get_by_role("button", name="Sign in").click()
    page.goto(f"{links.public_url}/organise/{SLUG}/match")
    page.get_by_role("button", name="Match", exact=True).click()
    expect(page.get_by_role("heading", name="Proposal")).to_be_visible(timeout=60_000)


def save(page: Page, name: str) -> None:
    """Write what a page shows now."""
    IMAGES.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=Path(IMAGES, name))


if __name__ == "__main__":
    main()

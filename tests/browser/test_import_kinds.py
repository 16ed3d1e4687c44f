"""Three hundred sign-ups in each kind of file that the wizard knows, imported in a real browser."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select

from cohorts import sample
from cohorts.models import Course, Interest, Signup, SignupState, User
from tests.browser.test_old_enough import OpenBrowser
from tests.browser.ways import Way
from tests.factories import make_course, make_signup
from tests.site import Site
from tests.tool_makers import KINDS, Kind
from tests.web.test_import_whole import HOURS, PEOPLE, ZONE

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


def course_for(site: Site, user: User, slug: str, kind: Kind) -> None:
    """A course that offers the interests of all; a poll knows names, so the class has come before it."""
    with site.database.transaction() as session:
        course = make_course(session, session.get_one(User, user.id), slug=slug)
        labels = sample.interests_of(PEOPLE)
        course.interests = [Interest(label=label, key=label.casefold()) for label in labels]
        for each in PEOPLE if "email" in kind.lacks else ():
            make_signup(session, course, name=each.name, email=each.email, time_zone=ZONE)


def bring(page: Page, way: Way, slug: str, file: Path, kind: Kind) -> None:
    page.goto(f"/organise/{slug}/import")
    page.get_by_label("File", exact=True).set_input_files(file)
    way.send("Look at the file")
    columns = page.get_by_role("heading", name="What are the columns?")
    planned = page.get_by_role("heading", name="What this file would do")
    expect(columns.or_(planned)).to_be_visible(timeout=30_000)
    if columns.is_visible():
        expect(page.locator("main")).to_contain_text(kind.dialect)
        if "time_zone" in kind.lacks:
            page.locator("[name=zone]").select_option(ZONE)
        if "availability" in kind.lacks:
            page.locator("[name=hours]").fill(HOURS)
        way.send("See what would happen")
    expect(planned).to_be_visible(timeout=30_000)
    expect(page.locator("main")).to_contain_text("Every row can be read")
    way.send("Import")
    expect(page.get_by_text("The file is imported").or_(page.get_by_text(" changed.")).first).to_be_visible(
        timeout=60_000
    )


def test_every_kind_of_file_is_imported(site: Site, open_browser: OpenBrowser, tmp_path: Path) -> None:
    page, user = open_browser(), site.organiser()
    way = Way(page)
    page.goto(site.links.sign_in(user))
    way.send("Sign in")
    for place, (name, kind) in enumerate(KINDS.items()):
        slug, file = f"course-of-kind-{place}", tmp_path / f"sign-ups{kind.suffix}"
        course_for(site, user, slug, kind)
        kind.make(file, PEOPLE)
        bring(page, way, slug, file, kind)
        with site.database.reading() as session:
            here = (
                select(Signup).join(Course).where(Course.slug == slug, Signup.state == SignupState.CONFIRMED)
            )
            stored = {each.email: each for each in session.scalars(here)}
        assert stored.keys() == {each.email for each in PEOPLE}, name
        if "availability" in kind.tells:
            assert all(stored[each.email].availability == each.availability for each in PEOPLE), name

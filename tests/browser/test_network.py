"""The network of a course in a real browser, under the site's own rules for scripts."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from cohorts.models import Connection, CourseOrganiser, Source, now
from tests.factories import make_cohort, make_course, make_signup, make_user
from tests.site import Site

NO_WEBGL = "HTMLCanvasElement.prototype.getContext = () => null"


def prepare(site: Site) -> list[str]:
    """Make a course with two connected cohorts; return two links by which its owner signs in."""
    with site.database.transaction() as session:
        owners = [make_user(session) for _ in range(2)]
        course = make_course(session, owners[0], slug="choir")
        session.add(CourseOrganiser(course_id=course.id, user_id=owners[1].id))
        people = [make_signup(session, course) for _ in range(10)]
        for half, name in ((people[:5], "Early birds"), (people[5:], "Night owls")):
            make_cohort(session, *half, name=name)
        row = {"course_id": course.id, "from_id": people[0].id, "to_id": people[9].id}
        session.add(Connection(**row, source=Source.TALKED_WITH, at=now()))
        return [site.links.sign_in(each) for each in owners]


def at_network(page: Page, link: str) -> None:
    page.goto(link)
    page.get_by_role("button", name="Sign in").click()
    page.goto("/organise/choir/connections")
    expect(page.locator(".network-picture")).to_be_visible()
    page.get_by_role("button", name="Move around in it").press("Enter")


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_picture_opens_to_move_around_in_and_stays_where_there_is_no_webgl(
    site: Site, open_browser: Callable[..., Page]
) -> None:
    links = prepare(site)
    page = open_browser(reduced_motion="reduce")
    at_network(page, links[0])
    expect(page.locator(".network-stage canvas").first).to_be_visible()
    expect(page.locator(".network-picture")).to_be_hidden()
    expect(page.get_by_role("button", name="Closer")).to_be_focused()
    before = page.locator(".network-stage").screenshot()
    page.get_by_label("Go to a cohort").select_option("Night owls")
    page.wait_for_timeout(300)
    assert page.locator(".network-stage").screenshot() != before
    old = open_browser()
    old.add_init_script(NO_WEBGL)
    at_network(old, links[1])
    expect(old.get_by_role("button", name="The picture cannot be opened")).to_be_visible()
    expect(old.locator(".network-picture")).to_be_visible()
    expect(old.locator(".network-stage")).to_be_hidden()

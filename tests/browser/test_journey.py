"""One course all the way: people sign up in every way, are matched, told, and exported."""

import csv
import io
import re
from collections.abc import Callable, Iterable
from pathlib import Path

from playwright.sync_api import Page, expect
from sqlalchemy import select

from cohorts import native
from cohorts.answers import Answers
from cohorts.models import Signup, SignupState
from tests.browser.sign_up import fill_in_person, go_on, middle, send, swipe
from tests.browser.ways import tab_to
from tests.factories import make_course as course_row
from tests.site import Site, link_in

MONDAY_18_TO_20 = frozenset(range(36, 40))
ZONE = "Europe/Berlin"

OpenBrowser = Callable[..., Page]


def sign_in(page: Page, site: Site, address: str) -> None:
    """Sign in as an organiser by the mailed link."""
    page.goto("/sign-in")
    page.get_by_label("E-mail").fill(address)
    page.get_by_role("button", name="Send").click()
    page.goto(link_in(site.mail(address, "sign-in link")))
    page.get_by_role("button", name="Sign in").click()
    expect(page).to_have_url(re.compile("/organise/$"))


def make_course(page: Page) -> str:
    """Make a course by its form, open it, and return the last part of its address."""
    page.goto("/organise/new")
    page.get_by_label("Title").fill("Listening & mixing <together>")
    page.locator("[name=start]").fill("2027-01-11")
    page.get_by_role("button", name=re.compile("Make|Create|Save")).click()
    expect(page.get_by_text("The course is made")).to_be_visible()
    page.get_by_role("button", name="Open sign-up").click()
    expect(page.get_by_text("Sign-up is open").first).to_be_visible()
    return page.url.rstrip("/").split("/")[-1]


def paint_by_mouse(page: Page, slots: Iterable[int]) -> None:
    first, *_, last = sorted(slots)
    page.locator(f"[name=availability][value='{first}']").scroll_into_view_if_needed()
    page.mouse.move(*middle(page, first))
    page.mouse.down()
    page.mouse.move(*middle(page, last), steps=8)
    page.mouse.up()
    expect(page.get_by_text("Free 2 h a week: Mon 18:00–20:00")).to_be_visible()


def paint_by_touch(page: Page, slots: Iterable[int]) -> None:
    """Send real touch events, as a finger that is drawn over the grid does."""
    first, *_, last = sorted(slots)
    page.get_by_role("button", name="Paint by finger").tap()
    page.locator(f"[name=availability][value='{first}']").scroll_into_view_if_needed()
    swipe(page, middle(page, first), middle(page, last))
    expect(page.get_by_text("Free 2 h a week: Mon 18:00–20:00")).to_be_visible()


def sign_up_by_mouse(page: Page, path: str, email: str) -> None:
    page.goto(path)
    page.get_by_label("English").first.check()
    fill_in_person(page, email, "Mona Maus")
    paint_by_mouse(page, MONDAY_18_TO_20)
    go_on(page)
    page.locator("[name=interests]").first.fill("Jazz, The Beatles")
    send(page)


def sign_up_by_touch(page: Page, path: str, email: str) -> None:
    page.goto(path)
    page.get_by_label("Your name").tap()
    page.keyboard.type("Toni Tipp")
    page.get_by_label("E-mail address", exact=True).tap()
    page.keyboard.type(email)
    page.get_by_label("I am at least 16 years old").tap()
    page.get_by_label("English").first.tap()
    page.get_by_role("button", name="Next: ").tap()
    paint_by_touch(page, MONDAY_18_TO_20)
    finish = page.get_by_role("button", name="Sign up", exact=True)
    while not finish.is_visible():
        page.get_by_role("button", name="Next: ").tap()
    finish.tap()


def press_next(page: Page) -> None:
    tab_to(page.locator(".step-nav .button--large").first)
    page.keyboard.press("Enter")


def sign_up_by_keyboard(page: Page, path: str, email: str) -> None:
    page.goto(path)
    tab_to(page.locator("[name=name]").first)
    page.keyboard.type("Kim Key")
    tab_to(page.locator("[name=email]").first)
    page.keyboard.type(email)
    tab_to(page.locator("[name=old_enough]").first)
    page.keyboard.press("Space")
    tab_to(page.locator("[name=languages][value=English]").first)
    page.keyboard.press("Space")
    press_next(page)
    tab_to(page.locator("[name=availability][tabindex='0']"))
    assert page.evaluate("document.activeElement.value") == "36"  # Monday 18:00
    for _ in range(3):
        page.keyboard.press("Shift+ArrowDown")
    while not page.locator(".finish button").is_visible():
        press_next(page)
    tab_to(page.locator(".finish button").first)
    page.keyboard.press("Enter")


def confirm(page: Page, site: Site, email: str) -> None:
    """Open the link in the confirmation mail, which confirms nothing, and press the button."""
    expect(page).to_have_url(re.compile("/thanks$"))
    page.goto(link_in(site.mail(email, "Confirm your sign-up")))
    assert signup_of(site, email).state is SignupState.PENDING
    page.get_by_role("button", name="Confirm my sign-up").click()
    expect(page.get_by_text("You are signed up")).to_be_visible()
    assert signup_of(site, email).state is SignupState.CONFIRMED


def signup_of(site: Site, email: str) -> Signup:
    with site.database.reading() as session:
        return session.scalars(select(Signup).where(Signup.email == email)).one()


def write_sign_ups(file: Path) -> None:
    """Write eleven good sign-ups and one whose hours cannot be read."""
    people = [
        Answers(
            name=f"Imported {number}",
            email=f"imported{number}@example.org",
            time_zone=ZONE if number % 2 else "Africa/Lagos",
            availability=frozenset(range(34, 42)) | frozenset(range(130, 140)),
            languages=("English",),
            interests=("Jazz", "Mixing") if number % 3 else ("The Beatles",),
        )
        for number in range(11)
    ]
    rest = "," * (len(native.COLUMNS) - 4)
    text = native.write(people) + f'Bad,bad@example.org,UTC,"Mon 25:00-26:00"{rest}\n'
    file.write_text(text)


def import_file(page: Page, slug: str, file: Path) -> None:
    page.goto(f"/organise/{slug}/import")
    page.locator("[name=file]").set_input_files(file)
    page.get_by_role("button", name="Look at the file").click()
    expect(page.get_by_text("bad@example.org").or_(page.get_by_text("25:00")).first).to_be_visible()
    page.get_by_role("button", name="Import the others").click()
    expect(page.get_by_text(re.compile("11 "))).not_to_have_count(0)


def match_and_publish(page: Page, slug: str) -> None:
    page.goto(f"/organise/{slug}/match")
    page.get_by_role("button", name="Match", exact=True).click()
    expect(page.get_by_role("heading", name="Proposal")).to_be_visible(timeout=60_000)
    page.get_by_role("link", name=re.compile("Publish")).click()
    page.get_by_label("Send the mails at once").first.check()
    page.get_by_role("button", name=re.compile("Publish and send")).click()
    expect(page.get_by_text("The cohorts are published")).to_be_visible()


def cohort_page_shows_who_and_when(page: Page, site: Site, email: str) -> str:
    """Follow the mail to the cohort page; return the name of the cohort."""
    page.goto(link_in(site.mail(email, "Your cohort for")))
    name = page.get_by_role("heading", level=1).inner_text()
    expect(page.get_by_role("heading", name="When you can all meet")).to_be_visible()
    expect(page.get_by_text("Imported").first).to_be_visible()
    assert "@example.org" not in page.content()
    with page.expect_download() as download:
        page.get_by_role("link", name="Add to my calendar").click()
    assert "BEGIN:VEVENT" in Path(download.value.path()).read_text()
    return name


def roster_of(page: Page, slug: str) -> dict[str, dict[str, str]]:
    """Download the roster as CSV and return its rows by address."""
    page.goto(f"/organise/{slug}/roster")
    with page.expect_download() as download:
        page.get_by_role("link", name="CSV").click()
    text = Path(download.value.path()).read_text(encoding="utf-8")
    return {row["email"]: row for row in csv.DictReader(io.StringIO(text))}


def test_journey_from_sign_up_to_roster(site: Site, open_browser: OpenBrowser, tmp_path: Path) -> None:
    organiser = open_browser(viewport={"width": 1280, "height": 900})
    sign_in(organiser, site, site.organiser().email)
    slug = make_course(organiser)
    path = f"/c/{slug}"

    wide = open_browser(viewport={"width": 1280, "height": 900}, timezone_id=ZONE)
    phone = open_browser(viewport={"width": 375, "height": 700}, has_touch=True, timezone_id=ZONE)
    narrow = open_browser(viewport={"width": 320, "height": 600}, timezone_id=ZONE)
    for page, sign_up, email in (
        (wide, sign_up_by_mouse, "mouse@example.org"),
        (phone, sign_up_by_touch, "touch@example.org"),
        (narrow, sign_up_by_keyboard, "keyboard@example.org"),
    ):
        sign_up(page, path, email)
        confirm(page, site, email)
        stored = signup_of(site, email)
        assert (stored.availability, stored.time_zone) == (MONDAY_18_TO_20, ZONE)

    write_sign_ups(tmp_path / "signups.csv")
    import_file(organiser, slug, tmp_path / "signups.csv")
    match_and_publish(organiser, slug)

    for page, email in ((wide, "mouse@example.org"), (phone, "touch@example.org")):
        name = cohort_page_shows_who_and_when(page, site, email)
        assert roster_of(organiser, slug)[email]["cohort"] == name
    roster = roster_of(organiser, slug)
    assert len(roster) == 14
    assert roster["mouse@example.org"]["meeting"].startswith("Monday 18:")
    assert all(len(site.mails(email)) == 1 for email in roster if email.startswith("imported"))


def test_pages_fit_320_pixels(site: Site, open_browser: OpenBrowser) -> None:
    with site.database.transaction() as session:
        slug = course_row(session, title="Donaudampfschifffahrtsgesellschaft" * 3).slug
    page = open_browser(viewport={"width": 320, "height": 600})
    for path in ("/", f"/c/{slug}", "/sign-in"):
        page.goto(path)
        assert page.evaluate("document.documentElement.scrollWidth") == 320, path

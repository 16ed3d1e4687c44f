"""An organiser all the way, by mouse and by keyboard alone: from a course idea to rosters in files."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import icalendar
import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Locator, Page, expect
from sqlalchemy import func, select

from cohorts import native, sample
from cohorts.exports import FORMATS
from cohorts.models import (
    Cohort,
    Course,
    CourseState,
    Mail,
    Membership,
    Run,
    RunState,
    Seat,
    Signup,
    SignupState,
)
from tests.browser.test_board import lift
from tests.browser.test_states import violations
from tests.browser.ways import Keyboard, Way, tab_to
from tests.cohorts.test_exports import HEADERS, opened_by_libreoffice
from tests.site import Site
from tests.tool_makers import google

OpenBrowser = Callable[..., Page]

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)

A_MATCH = 90_000
"""Milliseconds within which a busy machine matches, too."""


@dataclass
class Walk:
    """One organiser on the way, in a browser; every page passed is looked at by axe."""

    site: Site
    way: Way
    people: int
    slug: str = ""
    seen: set[str] = field(default_factory=set)

    @property
    def page(self) -> Page:
        return self.way.page

    def at(self, heading: str, within: int = 10_000) -> None:
        """Wait for the page with a heading, and look at it the first time."""
        expect(self.page.get_by_role("heading", level=1, name=heading)).to_be_visible(timeout=within)
        if heading not in self.seen:
            self.page.evaluate(AXE_SCRIPT)
            assert violations(self.page) == [], heading
            self.seen.add(heading)

    def tab(self, name: str) -> None:
        """Go to another page of the course."""
        with self.page.expect_navigation():
            self.way.activate(self.page.locator("main nav").get_by_role("link", name=name, exact=True).first)

    def write(self, field: str | Locator, text: str) -> None:
        """Fill in a field; whoever has a keyboard alone goes there and types."""
        target = self.page.locator(f"[name='{field}']") if isinstance(field, str) else field
        if isinstance(self.way, Keyboard):
            tab_to(target)
            self.page.keyboard.press("ControlOrMeta+a")
            self.page.keyboard.insert_text(text)
        else:
            target.fill(text)

    def choose_next(self, name: str) -> None:
        """Choose what comes after the first option of a list."""
        target = self.page.locator(f"select[name='{name}']")
        if isinstance(self.way, Keyboard):
            tab_to(target)
            self.page.keyboard.press("ArrowDown")
        else:
            target.select_option(index=1)

    def unfold(self, words: str) -> None:
        """Open what is folded away."""
        self.way.activate(self.page.locator("summary").filter(has_text=words).first)

    def download(self, button: Locator, to: Path) -> Path:
        """Press what gives a file, and keep it."""
        with self.page.expect_download() as given:
            self.way.activate(button)
        given.value.save_as(to)
        return to


def start(site: Site, way: type[Way], page: Page, people: int) -> Walk:
    """Sign in as an organiser who has no course yet."""
    link = site.links.sign_in(site.organiser())
    page.goto(link)
    walk = Walk(site, way(page), people)
    walk.way.send("Sign in")
    return walk


def make_course(walk: Walk) -> None:
    """Make a course on one page, and look at its form as learners see it."""
    walk.way.follow("Make the first course")
    walk.at("New course")
    walk.write("title", "From an idea to cohorts")
    walk.write("interests", "\n".join(sample.interests_of(sample.people(walk.people, 3))))
    walk.way.send("Make the course")
    walk.slug = walk.page.url.rpartition("/")[2]
    with walk.site.database.reading() as session:
        course = session.scalars(select(Course).where(Course.slug == walk.slug)).one()
        sizes = (course.size_min, course.target_size, course.size_max, course.meeting_minutes, course.weeks)
        assert (*sizes, course.state) == (4, 6, 8, 90, 8, CourseState.DRAFT)
    walk.tab("Settings")
    walk.at("Settings")
    walk.way.follow("See the form as a learner does")
    walk.page.get_by_text("From an idea to cohorts").first.wait_for()
    walk.page.evaluate(AXE_SCRIPT)
    assert violations(walk.page) == []
    walk.page.goto(f"/organise/{walk.slug}")
    walk.way.send("Open sign-up")


def import_people(walk: Walk, bring: Callable[[Walk], None]) -> None:
    """Import sign-ups by the wizard; nothing is stored before "Import" is pressed."""
    walk.tab("Import")
    walk.at("Import sign-ups")
    bring(walk)
    walk.way.send("Look at the file")
    columns = walk.page.get_by_role("heading", name="What are the columns?")
    planned = walk.page.get_by_role("heading", name="What this file would do")
    expect(columns.or_(planned)).to_be_visible(timeout=30_000)
    if columns.is_visible():
        walk.at("What are the columns?")
        walk.way.send("See what would happen")
    walk.at("What this file would do", 30_000)
    assert confirmed(walk) == 0
    walk.way.send("Import")
    expect(walk.page.get_by_text(f"{walk.people} added, 0 changed.").first).to_be_visible(timeout=60_000)
    assert confirmed(walk) == walk.people


def confirmed(walk: Walk) -> int:
    with walk.site.database.reading() as session:
        here = (Course.slug == walk.slug) & (Signup.state == SignupState.CONFIRMED)
        return session.scalar(select(func.count(Signup.id)).join(Course).where(here)) or 0


def match(walk: Walk) -> str:
    """Match, and watch it; return the key of the run."""
    walk.tab("Match")
    walk.at("Match")
    walk.unfold("Search")
    walk.choose_next("time_limit")
    expect(walk.page.locator("[name=time_limit]")).to_have_value("10")
    walk.way.send("Match")
    return watched(walk)


def watched(walk: Walk) -> str:
    """Wait for the proposal of the run that is shown."""
    key = walk.page.url.rpartition("/")[2]
    bar = walk.page.get_by_role("progressbar")
    proposal = walk.page.get_by_role("heading", level=1, name="Proposal")
    expect(bar.or_(proposal)).to_be_visible()
    walk.at("Proposal", A_MATCH)
    with walk.site.database.reading() as session:
        run = session.scalars(select(Run).where(Run.key == key)).one()
        assert run.state is RunState.PROPOSED
        assert run.n_learners == walk.people
    return key


def seats(walk: Walk, key: str) -> dict[str, str | None]:
    """Return the cohort of everybody in a run, by name of the learner's address."""
    with walk.site.database.reading() as session:
        rows = session.execute(
            select(Signup.key, Cohort.name)
            .join(Seat, Seat.signup_id == Signup.id)
            .join(Run, Run.id == Seat.run_id)
            .outerjoin(Cohort, Cohort.id == Seat.cohort_id)
            .where(Run.key == key)
        )
        return dict(rows.all())


def pinned(walk: Walk, key: str) -> set[str]:
    with walk.site.database.reading() as session:
        rows = select(Signup.key).join(Seat, Seat.signup_id == Signup.id).join(Run, Run.id == Seat.run_id)
        return set(session.scalars(rows.where(Run.key == key, Seat.pinned.is_(True))))


def on_board(walk: Walk, key: str) -> None:
    walk.way.follow("Adjust by hand")
    walk.at("Board")


def move_by_button(walk: Walk, key: str) -> None:
    """Move the first learner of the board to where it does the most good."""
    before = seats(walk, key)
    learner = walk.page.locator("[data-cohort]:not([data-cohort='']) [data-learner]").first
    name = learner.get_attribute("data-name")
    walk.way.send(f"Move {name}")
    walk.at(f"Where could {name} sit?", 30_000)
    take_best(walk)
    walk.at("Board")
    after = seats(walk, key)
    assert [each for each in after if after[each] != before[each]] == [learner_key(walk, key, name)]


def take_best(walk: Walk) -> None:
    """Make the best change that is possible; a rule that it breaks is set aside, for a reason."""
    option = walk.page.locator(".option:has(form.option-act)").first
    option.wait_for(timeout=30_000)
    if option.locator("details").count():
        walk.way.activate(option.locator("summary"))
        walk.write(option.locator("[name=because]"), "They asked for it")
    with walk.page.expect_navigation():
        walk.way.activate(option.locator("form.option-act button").first)


def learner_key(walk: Walk, key: str, name: str | None) -> str:
    with walk.site.database.reading() as session:
        wanted = select(Signup.key).join(Course).where(Course.slug == walk.slug, Signup.name == name)
        return session.scalars(wanted).one()


def drag(walk: Walk, key: str) -> None:
    """Drag the first learner onto another cohort, whatever it does to the scores."""
    before = seats(walk, key)
    cards = walk.page.locator("[data-cohort]:not([data-cohort=''])")
    learner = cards.nth(0).locator("[data-learner]").first
    moved, name = learner.get_attribute("data-learner"), learner.get_attribute("data-name")
    onto = cards.nth(1).get_attribute("data-name")
    assert moved is not None
    assert onto is not None
    learner.scroll_into_view_if_needed()
    lift(walk.page, str(name), onto)
    effect = cards.nth(1).locator("[data-effect]")
    # What it would do is shown before it is dropped.
    expect(effect).to_contain_text(re.compile(f"score|{onto}:"), timeout=30_000)
    assert seats(walk, key) == before
    walk.page.mouse.up()
    asked = walk.page.get_by_role("heading", name=f"{name} to {onto}?")
    done = walk.page.get_by_text(f"{name} moved from").first
    expect(asked.or_(done)).to_be_visible(timeout=30_000)
    if asked.is_visible():  # a rule would break, which is asked about
        take_best(walk)
    expect(done).to_be_visible()
    assert seats(walk, key) == before | {moved: onto}


def pin_by_keyboard(walk: Walk, key: str) -> str:
    """Pin the first learner of the board without a mouse; return their key."""
    keys = Keyboard(walk.page)
    learner = walk.page.locator("[data-cohort]:not([data-cohort='']) [data-learner]").first
    moved, name = learner.get_attribute("data-learner"), learner.get_attribute("data-name")
    keys.send(f"Pin {name}")
    walk.at("Board")
    assert moved is not None
    assert pinned(walk, key) == {moved}
    return moved


def rerun(walk: Walk, kept: str) -> str:
    """Match again around what is pinned."""
    walk.way.send("Match the others again")
    key = watched(walk)
    assert pinned(walk, key) == {kept}
    assert seats(walk, key)[kept] is not None
    return key


def compare(walk: Walk, before: str, after: str) -> None:
    """Look at both proposals side by side; who sits elsewhere is who has other people around them."""
    walk.tab("Runs")
    walk.at("Runs")
    for key in (before, after):
        box = f"[name=run][value='{key}']"
        if not walk.page.locator(box).is_checked():
            walk.way.choose(box)
    walk.way.send("Compare side by side")
    walk.at("Proposals side by side")
    runs = [
        each.get_attribute("href") or "" for each in walk.page.locator("#figures ~ * a[href*='/runs/']").all()
    ]
    assert {before, after} <= {each.rpartition("/")[2] for each in runs}
    for key in (before, after):
        seated = [each for each in seats(walk, key).values() if each is not None]
        expect(walk.page.get_by_text(f"{len(seated)} of {walk.people}").first).to_be_visible()
    walk.page.goto(f"/organise/{walk.slug}/runs/{after}")
    walk.at("Proposal")


def publish(walk: Walk, key: str) -> None:
    """Publish one cohort, take it back, publish it again and then the others; each mail leaves once."""
    planned = seats(walk, key)
    walk.way.follow("Publish …")
    walk.at("Publish these cohorts?")
    walk.unfold("Publish only some")
    walk.way.choose("[name=cohort]")
    walk.way.send("Publish the ticked cohorts")
    walk.at("Published cohorts")
    some = seats(walk, key)
    assert count_members(walk) == len(some) < walk.people
    assert count_mails(walk, sent=True) == 0
    walk.way.send("Take it back")
    walk.at("Proposal")
    assert (count_members(walk), count_mails(walk)) == (0, 0)
    publish_at_once(walk)
    assert count_mails(walk) == len(some)
    with walk.site.database.reading() as session:
        rest = session.scalars(select(Run).where(Run.part_of_id.is_not(None), Run.key != key)).one().key
        state = session.scalar(select(Course.state).where(Course.slug == walk.slug))
    assert state is CourseState.RUNNING
    walk.page.goto(f"/organise/{walk.slug}/runs/{rest}")
    publish_at_once(walk)
    assert seats(walk, rest) | some == planned
    assert count_members(walk) == sum(each is not None for each in planned.values())
    assert count_mails(walk) == walk.people


def publish_at_once(walk: Walk) -> None:
    """Publish all cohorts of the proposal that is shown."""
    walk.way.follow("Publish …")
    walk.at("Publish these cohorts?")
    walk.way.choose("[name=at_once]")
    walk.way.send(re.compile("Publish and send"))
    walk.at("Published cohorts")


def count_members(walk: Walk) -> int:
    with walk.site.database.reading() as session:
        return session.scalar(select(func.count(Membership.id)).where(Membership.until.is_(None))) or 0


def count_mails(walk: Walk, *, sent: bool = False) -> int:
    """Count the mails that tell of a publication."""
    told = select(func.count(Mail.id)).where(Mail.run_id.is_not(None))
    with walk.site.database.reading() as session:
        return session.scalar(told.where(Mail.sent_at.is_not(None)) if sent else told) or 0


def export(walk: Walk, folder: Path, names: list[str]) -> dict[str, Path]:
    """Download the roster in some formats."""
    walk.way.follow("Roster")
    walk.at("Roster")
    walk.way.follow("More formats")
    walk.at("Export the roster")
    found = {}
    for name in names:
        walk.way.choose(f"[name=format][value='{name}']")
        button = walk.page.locator("main").get_by_role("button", name="Download", exact=True).last
        found[name] = walk.download(button, folder / f"{name}.{FORMATS[name].suffix.rpartition('.')[2]}")
    return found


def check_files(walk: Walk, files: dict[str, Path], folder: Path) -> None:
    """Open every file with something that is not ours."""
    members = count_members(walk)
    for name, header in HEADERS.items():
        assert files[name].read_text("utf-8-sig").splitlines()[0] == header, name
    for name in ("gruepr",):  # a table of tabs is read as one of commas is
        files[name].rename(folder / f"{name}.csv")
    sheets = opened_by_libreoffice(folder)
    assert sheets.keys() == {*HEADERS, "xlsx"}
    assert [name for name, sheet in sheets.items() if "table:formula" in sheet] == []
    with walk.site.database.reading() as session:
        course = session.scalars(select(Course).where(Course.slug == walk.slug)).one()
        cohorts = dict(session.execute(select(Cohort.name, Cohort.key).join(Run).where(
            Run.course_id == course.id, Run.state == RunState.PUBLISHED)).all())  # fmt: skip
        names = session.scalars(select(Signup.name).where(Signup.course_id == course.id)).all()
    for name in ("csv", "xlsx", "mail-merge"):
        assert all(each in sheets[name] for each in ("Cohort 1", names[0], names[-1])), name
    roster = json.loads(files["json"].read_text())["roster"]
    assert sum(bool(row["cohort"]) for row in roster) == members
    assert len(roster) == walk.people
    events = icalendar.Calendar.from_ical(files["ics"].read_bytes()).walk("VEVENT")
    assert {str(each["uid"]).rpartition("-")[0] for each in events} == set(cohorts.values())
    text = files["txt"].read_text()
    assert all(name in text for name in cohorts)


def test_whole_desk_by_mouse(site: Site, open_browser: OpenBrowser, tmp_path: Path) -> None:
    folder = tmp_path / "files"
    folder.mkdir()
    walk = start(site, Way, open_browser(viewport={"width": 1280, "height": 1400}), 300)
    made = tmp_path / "answers.csv"
    google(made, sample.people(walk.people, 3))
    make_course(walk)
    import_people(walk, lambda walk: walk.page.get_by_label("File", exact=True).set_input_files(made))
    key = match(walk)
    on_board(walk, key)
    drag(walk, key)
    kept = pin_by_keyboard(walk, key)
    first, key = key, rerun(walk, kept)
    compare(walk, first, key)
    publish(walk, key)
    files = export(walk, folder, [*FORMATS])
    check_files(walk, files, folder)


def test_whole_desk_by_keyboard_alone(site: Site, open_browser: OpenBrowser, tmp_path: Path) -> None:
    walk = start(site, Keyboard, open_browser(), 24)
    rows = native.write(sample.people(walk.people, 3))
    make_course(walk)
    import_people(walk, lambda walk: walk.write("pasted", rows))
    key = match(walk)
    on_board(walk, key)
    move_by_button(walk, key)
    kept = pin_by_keyboard(walk, key)
    first, key = key, rerun(walk, kept)
    compare(walk, first, key)
    publish(walk, key)
    files = export(walk, tmp_path, ["csv", "ics"])
    assert len(files["csv"].read_text().splitlines()) == walk.people + 1
    assert icalendar.Calendar.from_ical(files["ics"].read_bytes()).walk("VEVENT")

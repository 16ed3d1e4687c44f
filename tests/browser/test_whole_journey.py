"""One learner all the way, in each way: sign up, vote, check in, pause, move, leave, return, erase."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select

from cohorts.models import (
    Answer,
    Attendance,
    CheckIn,
    Cohort,
    Connection,
    CourseState,
    Departure,
    Leaving,
    Mail,
    MeetingVote,
    Membership,
    Met,
    Signup,
    SignupState,
    Source,
)
from tests.browser.sign_up import cell
from tests.browser.test_journey import (
    MONDAY_18_TO_20,
    ZONE,
    confirm,
    sign_up_by_keyboard,
    sign_up_by_mouse,
    sign_up_by_touch,
    signup_of,
)
from tests.browser.ways import Finger, Keyboard, Way
from tests.factories import make_cohort, make_course, make_signup
from tests.site import Site, link_in

EMAIL = "learner@example.org"
MONDAY_20 = 40
BACK = date.today() + timedelta(days=10)
HELD_OF_LEARNERS = (
    Membership.signup_id, MeetingVote.signup_id, Attendance.signup_id, CheckIn.signup_id, Connection.from_id,
    Mail.signup_id, Departure.signup_id,
)  # fmt: skip
WIDE, PHONE = {"width": 1280, "height": 900}, {"width": 375, "height": 700}


def sign_up_without_scripts(page: Page, path: str, email: str) -> None:
    page.goto(path)
    body = page.locator("body").bounding_box()
    assert body is not None
    assert body["width"] <= PHONE["width"]
    page.get_by_label("Your name").fill("Nora Noscript")
    page.get_by_label("E-mail address", exact=True).fill(email)
    page.get_by_label("English").first.check()
    page.get_by_label("I am at least 16 years old").check()
    page.locator("[name=time_zone]").select_option(ZONE)
    for slot in MONDAY_18_TO_20:
        cell(page, slot).check()
    page.get_by_role("button", name="Sign up", exact=True).click()


@dataclass(frozen=True)
class Case:
    """A way to sign up, a way to do all else, and the browser of whoever goes it."""

    sign_up: Callable[[Page, str, str], None]
    way: type[Way]
    options: dict[str, Any]


CASES = {
    "mouse-1280-light": Case(sign_up_by_mouse, Way, {"viewport": WIDE, "color_scheme": "light"}),
    "touch-375-dark": Case(
        sign_up_by_touch, Finger, {"viewport": PHONE, "color_scheme": "dark", "has_touch": True}
    ),
    "keyboard-1280-dark": Case(sign_up_by_keyboard, Keyboard, {"viewport": WIDE, "color_scheme": "dark"}),
    "no-scripts-375-light": Case(
        sign_up_without_scripts,
        Way,
        {"viewport": PHONE, "color_scheme": "light", "java_script_enabled": False},
    ),
}


def open_course(site: Site) -> str:
    """Open a course in its second week; return the path of its page."""
    monday = date.today() - timedelta(days=date.today().weekday())
    with site.database.transaction() as session:
        start = monday - timedelta(weeks=1)
        return f"/c/{make_course(session, title='Listening', start=start, asks_age=True).slug}"


def form_cohorts(site: Site) -> None:
    """Put the learner into Larks, who meet in two days; Owls have free seats on Mondays at six."""
    noon = (date.today() + timedelta(days=2)).weekday() * 48 + 24
    with site.database.transaction() as session:
        learner = session.scalars(select(Signup).where(Signup.email == EMAIL)).one()
        for name, people, slots in (
            ("Larks", ("Ada", "Ben", "Cem"), (noon, noon + 2)),
            ("Owls", ("Dora", "Eli", "Fay"), (36, 37)),
        ):
            members = [make_signup(session, learner.course, name=each, time_zone=ZONE) for each in people]
            members += [learner] if name == "Larks" else []
            make_cohort(session, *members, name=name, meetings=[[ZONE, slot] for slot in slots])
        learner.course.state = CourseState.RUNNING


def cohort_of(site: Site) -> str | None:
    """Return the name of the cohort the learner is in now."""
    here = (Signup.email == EMAIL) & Membership.until.is_(None)
    with site.database.reading() as session:
        return session.scalar(select(Cohort.name).join(Membership).join(Signup).where(here))


def vote(way: Way, site: Site) -> None:
    suits = way.page.get_by_role("button", name=re.compile("^Suits me")).nth(1)
    with way.page.expect_navigation():
        way.activate(suits)
    expect(way.page.get_by_role("button", name=re.compile("^Suits me"), pressed=True)).to_have_count(1)
    with site.database.reading() as session:
        voted = session.scalars(select(MeetingVote)).one()
        second = session.scalars(select(Cohort).where(Cohort.name == "Larks")).one().meetings[1]
        assert [voted.zone, voted.slot] == second


def say_to_come(way: Way, site: Site) -> None:
    way.send("I'll be there")
    expect(way.page.get_by_text("1 of 4 will be there")).to_be_visible()
    with site.database.reading() as session:
        row = session.scalars(select(Attendance)).one()
        assert row.answer is Answer.COMING
        assert session.get_one(Signup, row.signup_id).email == EMAIL


def check_in(way: Way, site: Site) -> None:
    with way.at_most(9):
        way.follow("Check in")
        way.choose("[name=met][value=yes]")
        for presence, number in (("social", 4), ("cognitive", 5), ("teaching", 1)):
            way.choose(f"[name={presence}][value='{number}']")
        way.choose("[name=talked_with]")
        way.choose("[name=go_on_with]")
        way.send("Save")
    expect(way.page.get_by_text("Thank you. You can change your answers")).to_be_visible()
    with site.database.reading() as session:
        said = session.scalars(select(CheckIn)).one()
        assert (said.met, said.social, said.cognitive, said.teaching) == (Met.YES, 4, 5, 1)
        named = session.execute(select(Connection.source, Signup.name).join(Connection.to)).all()
        assert {tuple(each) for each in named} == {(Source.TALKED_WITH, "Ada"), (Source.GO_ON_WITH, "Ada")}


def change_hours(way: Way, site: Site) -> None:
    way.follow("Change my hours")
    way.mark(cell(way.page, MONDAY_20))
    way.send("Save my answers")
    assert signup_of(site, EMAIL).availability == MONDAY_18_TO_20 | {MONDAY_20}


def pause_and_come_back(way: Way, site: Site) -> None:
    way.write_day(way.page.get_by_label("I am back on"), BACK)
    way.send("Pause")
    expect(way.page.get_by_role("heading", name="You are away until")).to_be_visible()
    assert signup_of(site, EMAIL).paused_until == BACK
    way.send("I am back")
    assert signup_of(site, EMAIL).paused_until is None


def take_seat(way: Way, site: Site, cohort: str) -> None:
    way.send(f"Take the seat in {cohort}")
    expect(way.page.get_by_text("You have a seat")).to_be_visible()
    expect(way.page.get_by_role("heading", level=1)).to_have_text(cohort)
    assert cohort_of(site) == cohort


def leave(way: Way, site: Site, link: str, button: str, because: Leaving) -> None:
    way.follow(link)
    way.choose(f"[name=because][value={because.value}]")
    way.send(button)
    assert cohort_of(site) is None
    with site.database.reading() as session:
        last = session.scalars(select(Departure).order_by(Departure.id.desc())).first()
        assert last is not None
        assert (last.because, last.whole_course) == (because, link == "Leave the course")


def see_my_data(way: Way) -> None:
    """The page and the file hold what was given on the way."""
    way.follow("My data")
    expect(way.page.get_by_text("Your check-ins")).to_be_visible()
    with way.page.expect_download() as download:
        way.activate(way.page.get_by_role("link", name="Download it (JSON)"))
    held = json.loads(Path(download.value.path()).read_text(encoding="utf-8"))
    assert held["signups"][0]["email"] == EMAIL
    assert held["check_ins"][0]["social"] == 4
    assert len(held["memberships"]) >= 3
    assert {each["because"] for each in held["departures"]} == {"life", "pace"}


def erase(way: Way, site: Site, link: str) -> None:
    me = signup_of(site, EMAIL).id
    way.follow("Erase everything")
    way.send("Erase everything")
    answer = way.page.goto(link)
    assert answer is not None
    assert answer.status == 404
    with site.database.reading() as session:
        assert EMAIL not in session.scalars(select(Signup.email)).all()
        for column in HELD_OF_LEARNERS:
            assert me not in session.scalars(select(column)).all(), column
        # Why somebody left stays, without a name; an erasure is a leave without a reason.
        assert set(session.scalars(select(Departure.because))) == {Leaving.PACE, Leaving.LIFE, None}


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_learner_goes_all_the_way(site: Site, open_browser: Callable[..., Page], case: Case) -> None:
    path = open_course(site)
    page = open_browser(timezone_id=ZONE, **case.options)
    case.sign_up(page, path, EMAIL)
    confirm(page, site, EMAIL)
    stored = signup_of(site, EMAIL)
    assert (stored.availability, stored.time_zone) == (MONDAY_18_TO_20, ZONE)
    link = link_in(site.mail(EMAIL, "Confirm your sign-up"))
    form_cohorts(site)
    way = case.way(page)

    page.goto(link)
    way.follow("Meet your cohort")
    expect(page.get_by_role("heading", level=1)).to_have_text("Larks")
    vote(way, site)
    say_to_come(way, site)
    page.goto(link)
    check_in(way, site)

    way.follow("Pause, move or leave")
    change_hours(way, site)
    page.goto(f"{link}/changes")
    pause_and_come_back(way, site)
    way.follow("Pause, move or leave")
    take_seat(way, site, "Owls")

    page.goto(f"{link}/changes")
    leave(way, site, "Leave my cohort", "Leave my cohort", Leaving.PACE)
    expect(page.get_by_text("You were here before").first).to_be_visible()
    take_seat(way, site, "Larks")
    page.goto(f"{link}/changes")
    leave(way, site, "Leave the course", "Withdraw", Leaving.LIFE)
    assert signup_of(site, EMAIL).state is SignupState.WITHDRAWN
    way.send("Sign me up again")
    assert signup_of(site, EMAIL).state is SignupState.CONFIRMED
    way.follow("Look for a free seat")
    take_seat(way, site, "Larks")

    page.goto(link)
    see_my_data(way)
    erase(way, site, link)

"""The board of a proposal as pages: asked, weighed by the worker, changed, undone, and two at once."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select, update
from werkzeug.test import TestResponse

from cohorts.database import Database
from cohorts.models import (
    Adjustment,
    Cohort,
    CourseOrganiser,
    Mail,
    MailState,
    Membership,
    Run,
    RunState,
    Seat,
    Signup,
    User,
    now,
)
from cohorts.weighing import Weigher
from tests.cohorts.test_adjust import proposal
from tests.factories import make_user


class Desk:
    """A signed-in organiser at the board of a proposal, with the worker's part at hand."""

    def __init__(self, browser: FlaskClient, database: Database, run_id: int) -> None:
        self.browser, self.database, self.weigher = browser, database, Weigher(database)
        with database.reading() as session:
            run = session.get_one(Run, run_id)
            self.address = f"/organise/{run.course.slug}/runs/{run.key}/board"
            self.cohorts = [each.key for each in run.cohorts]
            self.members = [[seat.signup.key for seat in each.seats] for each in run.cohorts]
            self.lone = session.scalars(select(Signup.key).where(Signup.name == "Lone")).one()
        self.run_id = run_id

    def weigh(self, learner: str, cohort: str = "") -> str:
        """Ask and let the worker answer; return the address of the answer."""
        answer = self.browser.post(self.address + "/weigh", data={"learner": learner, "cohort": cohort})
        assert answer.status_code == 303
        self.weigher.weigh_waiting()
        return answer.headers["Location"]

    def home_of(self, learner: str) -> str:
        """Return the key of a learner's cohort, or nothing."""
        with self.database.reading() as session:
            found = session.scalar(
                select(Cohort.key)
                .join(Seat, Seat.cohort_id == Cohort.id)
                .join(Signup)
                .where(Signup.key == learner)
            )
            return found or ""

    @property
    def version(self) -> int:
        """How often the board was changed."""
        with self.database.reading() as session:
            return session.scalar(select(func.count()).select_from(Adjustment)) or 0


@pytest.fixture
def desk(database: Database, signed_in: Callable[[User], FlaskClient]) -> Desk:
    run_id = proposal(database)
    with database.transaction() as session:
        organiser = make_user(session, name="Olga")
        session.add(CourseOrganiser(course_id=session.get_one(Run, run_id).course_id, user_id=organiser.id))
    return Desk(signed_in(organiser), database, run_id)


def test_a_learner_is_moved_after_the_effect_was_shown_and_back(desk: Desk) -> None:
    learner, home, there = desk.members[0][0], desk.cohorts[0], desk.cohorts[1]
    asked = desk.browser.post(desk.address + "/weigh", data={"learner": learner})
    waiting = desk.browser.get(asked.headers["Location"])
    assert "Working out what each change would do" in waiting.text
    assert 'http-equiv="refresh"' in waiting.text
    desk.weigher.weigh_waiting()
    page = desk.browser.get(asked.headers["Location"]).text
    assert "Where could Learner 00 sit?" in page
    assert "Move to Cohort 2" in page
    assert re.search(
        r"members <span class=\"number\">6</span>.*?<strong class=\"number\">7</strong>", page, re.DOTALL
    )
    done = desk.browser.post(asked.headers["Location"], data={"to": there, "seen": 0})
    assert (done.status_code, done.headers["Location"]) == (303, desk.address)
    assert desk.home_of(learner) == there
    assert "Learner 00 moved from Cohort 1 to Cohort 2" in desk.browser.get(desk.address).text
    assert desk.browser.post(desk.address, data={"undo": 1, "seen": 1}).status_code == 303
    assert desk.home_of(learner) == home
    assert desk.browser.post(desk.address, data={"redo": 1, "seen": 2}).status_code == 303
    assert desk.home_of(learner) == there
    assert "Done again: Learner 00 moved" in desk.browser.get(desk.address).text


def test_two_change_places(desk: Desk) -> None:
    one, two = desk.members[0][0], desk.members[1][0]
    address = desk.weigh(one, desk.cohorts[1])
    assert "Change places with Learner 06" in desk.browser.get(address).text
    assert desk.browser.post(address, data={"to": desk.cohorts[1], "swap": two, "seen": 0}).status_code == 303
    assert (desk.home_of(one), desk.home_of(two)) == (desk.cohorts[1], desk.cohorts[0])


def test_a_rule_break_is_told_refused_and_done_only_when_set_aside(desk: Desk) -> None:
    there = desk.cohorts[0]
    address = desk.weigh(desk.lone)
    page = desk.browser.get(address).text
    assert "Cohort 1: No time of 90 minutes suits all of them in every week" in page
    refused = desk.browser.post(address, data={"to": there, "seen": 0})
    assert refused.status_code == 409
    assert "This would break a rule" in refused.text
    assert desk.home_of(desk.lone) == ""
    setting = {"to": there, "seen": 0, "set_aside": "1", "because": "They only listen in"}
    assert desk.browser.post(address, data=setting).status_code == 303
    page = desk.browser.get(desk.address).text
    assert "They only listen in" in page
    assert "Rules it does not keep" in page


def test_the_second_of_two_sees_what_changed_and_can_go_on(desk: Desk) -> None:
    first = {"rename": desk.cohorts[0], "name": "Early birds", "seen": 0}
    second = {"rename": desk.cohorts[1], "name": "Night owls", "seen": 0}
    assert desk.browser.post(desk.address, data=first).status_code == 303
    conflict = desk.browser.post(desk.address, data=second)
    assert conflict.status_code == 409
    assert "Cohort 1 is called Early birds now" in conflict.text
    (form,) = re.findall(r"<form[^>]*/board\".*?</form>", conflict.text, re.DOTALL)
    fields = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', form))
    fields.pop("csrf_token")
    assert fields == second | {"seen": "1"}
    assert desk.browser.post(desk.address, data=fields).status_code == 303
    page = desk.browser.get(desk.address).text
    assert "Early birds" in page
    assert "Night owls" in page


def test_a_move_on_top_of_another_is_weighed_again(desk: Desk) -> None:
    one, other, there = desk.members[0][0], desk.members[0][1], desk.cohorts[1]
    mine, theirs = desk.weigh(one, there), desk.weigh(other, there)
    assert desk.browser.post(theirs, data={"to": there, "seen": 0}).status_code == 303
    stale = desk.browser.post(mine, data={"to": there, "seen": 0})
    assert (stale.status_code, "Make my change on top" in stale.text) == (409, True)
    on_top = desk.browser.post(mine, data={"to": there, "seen": 1})
    assert on_top.status_code == 409
    assert "The members of a cohort have changed" in on_top.text
    assert "Work it out again" in on_top.text
    assert desk.browser.post(desk.weigh(one, there), data={"to": there, "seen": 1}).status_code == 303
    assert desk.home_of(one) == desk.home_of(other) == there


def test_pins_and_names(desk: Desk) -> None:
    learner, cohort = desk.members[0][0], desk.cohorts[0]
    for number, data in enumerate(
        ({"pin": learner}, {"pin_cohort": cohort}, {"let_go": learner}, {"let_cohort_go": cohort})
    ):
        assert desk.browser.post(desk.address, data=data | {"seen": number}).status_code == 303
    wrong = desk.browser.post(desk.address, data={"rename": cohort, "name": "Cohort 2", "seen": 4})
    assert wrong.status_code == 422
    assert "Another cohort has this name." in wrong.text
    assert desk.browser.post(desk.address, data={"seen": 4}).status_code == 400
    assert desk.browser.post(desk.address, data={"undo": 1, "seen": 0}).status_code == 409
    assert desk.version == 4


def test_a_time_and_a_link_are_set_and_what_breaks_the_limit_is_asked_about(desk: Desk) -> None:
    with desk.database.transaction() as session:
        run = session.get_one(Run, desk.run_id)
        run.parameters = run.parameters | {"max_simultaneous": 2}
    first, second, third = desk.cohorts

    def choose(cohort: str, seen: int, **more: str) -> TestResponse:
        return desk.browser.post(desk.address, data={"time": cohort, "block": "UTC:36", "seen": seen} | more)

    assert choose(first, 0, set_aside="1").status_code == 303
    assert choose(second, 1, set_aside="1").status_code == 303
    refused = choose(third, 2)
    assert refused.status_code == 409
    assert "More than 2 cohorts would meet at one time" in refused.text
    assert 'name="set_aside"' in refused.text
    assert choose(third, 2, set_aside="1", because="Two of us come").status_code == 303
    page = desk.browser.get(desk.address).text
    assert "Two of us come" in page
    assert "Weekly time chosen" in page
    assert "Cohort 1 is to meet on Monday at 18:00 in UTC" in page
    wrong = desk.browser.post(desk.address, data={"talk": first, "channel": "ftp://x.example", "seen": 3})
    assert (wrong.status_code, "must start with https://" in wrong.text) == (422, True)
    link = {"talk": first, "channel": "https://talk.example.org/room", "seen": "3"}
    assert desk.browser.post(desk.address, data=link).status_code == 303
    assert "Talks at talk.example.org" in desk.browser.get(desk.address).text
    assert desk.browser.post(desk.address, data={"undo": 1, "seen": 4}).status_code == 303
    assert "Talks at talk.example.org" not in desk.browser.get(desk.address).text


def test_a_rerun_keeps_pins_and_relaxes_a_rule_that_is_offered(desk: Desk) -> None:
    with desk.database.transaction() as session:
        session.scalars(select(Seat).where(Seat.cohort_id.is_(None))).one().size_max = 9
    assert "Allow 9 in a cohort" in desk.browser.get(desk.address).text
    assert desk.browser.post(desk.address + "/rerun", data={"remedy": "size-12"}).status_code == 400
    answer = desk.browser.post(desk.address + "/rerun", data={"remedy": "size-9"})
    assert answer.status_code == 303
    with desk.database.reading() as session:
        made = session.scalars(select(Run).order_by(Run.id.desc())).first()
        assert made is not None
        assert (made.based_on_id, made.parameters["size_max"]) == (desk.run_id, 9)
    assert desk.browser.post(desk.address + "/rerun", data={"remedy": ""}).status_code == 409


def test_the_script_is_told_the_same_as_the_page(desk: Desk) -> None:
    learner = desk.members[0][0]
    asked = desk.browser.post(
        desk.address + "/weigh", data={"learner": learner}, headers={"Accept": "application/json"}
    )
    address = asked.get_json()["page"]
    assert desk.browser.get(address + ".json").get_json()["active"] is True
    desk.weigher.weigh_waiting()
    told = desk.browser.get(address + ".json").get_json()
    assert told["active"] is False
    assert {each["to"] for each in told["effects"]} == {"", *desk.cohorts[1:]}
    assert all("score" in each["words"] for each in told["effects"])


def test_only_a_proposal_has_a_board(desk: Desk) -> None:
    assert desk.browser.get(desk.address + "/weighing-of-nobody").status_code == 404
    assert desk.browser.post(desk.address + "/weigh", data={"learner": "nobody"}).status_code == 404
    with desk.database.transaction() as session:
        session.get_one(Run, desk.run_id).state = RunState.FAILED
    assert desk.browser.get(desk.address).status_code == 409


def test_a_board_takes_as_many_queries_for_many_learners(desk: Desk, count_queries: list[str]) -> None:
    desk.browser.get(desk.address)
    count_queries.clear()
    desk.browser.get(desk.address)
    few = len(count_queries)
    for number in range(3):
        address = desk.weigh(desk.members[number][0], desk.cohorts[(number + 1) % 3])
        desk.browser.post(address, data={"to": desk.cohorts[(number + 1) % 3], "seen": number})
    assert desk.version == 3
    desk.browser.get(desk.address)
    count_queries.clear()
    desk.browser.get(desk.address)
    assert len(count_queries) <= few + 3  # the changes, and whom they are about
    count_queries.clear()
    desk.browser.get(address)
    assert len(count_queries) <= 14


def test_learners_of_published_cohorts_are_moved_and_that_is_undone_before_anybody_hears(desk: Desk) -> None:
    learner, home, there = desk.members[0][0], desk.cohorts[0], desk.cohorts[1]
    run = desk.address.removesuffix("/board")
    desk.browser.post(run + "/publish", data={"seen": 0, "at_once": "1"})
    with desk.database.transaction() as session:
        session.execute(update(Mail).values(state=MailState.SENT))
    assert "Move learners" in desk.browser.get(run).text
    board = desk.browser.get(desk.address).text
    assert "These cohorts are published." in board
    assert "Match again" not in board
    assert 'name="pin"' not in board
    address = desk.weigh(learner, there)
    assert "13 learners get a mail, in ten minutes." not in desk.browser.get(address).text
    assert "12 learners get a mail, in ten minutes." in desk.browser.get(address).text
    assert desk.browser.post(address, data={"to": there, "seen": 0}).status_code == 303
    board = desk.browser.get(desk.address).text
    assert "Learner 00 moved from Cohort 1 to Cohort 2" in board
    assert "Undo it before then, and nobody is told anything." in board
    stale = desk.browser.post(address, data={"to": there, "seen": 0})
    assert (stale.status_code, "Learner 00 moved from" in stale.text) == (409, True)
    assert desk.browser.post(desk.address, data={"undo": 1, "seen": 1}).status_code == 303
    with desk.database.reading() as session:
        assert session.scalar(select(func.count()).where(Mail.state == MailState.WAITING)) == 0
        open_one = select(Cohort.key).join(Membership).join(Signup).where(Membership.until.is_(None))
        assert session.scalars(open_one.where(Signup.key == learner)).all() == [home]
    for refused in ({"pin": learner}, {"rename": home, "name": "New"}, {"time": home, "block": ""}):
        assert desk.browser.post(desk.address, data=refused | {"seen": 2}).status_code == 409
    assert desk.browser.post(desk.address + "/rerun", data={"remedy": ""}).status_code == 409


def test_some_cohorts_are_published_with_ten_minutes_to_take_it_back(desk: Desk) -> None:
    address = desk.address.removesuffix("/board")
    page = desk.browser.get(address + "/publish").text
    assert "Publish and send 19 mails" in page
    assert "Learner 00, Learner 01" in page
    nothing = desk.browser.post(address + "/publish", data={"some": "1", "seen": 0})
    assert (nothing.status_code, "Choose at least one cohort" in nothing.text) == (409, True)
    late = desk.browser.post(address + "/publish", data={"seen": 4})
    assert (late.status_code, "changed these cohorts by hand" in late.text) == (409, True)
    done = desk.browser.post(address + "/publish", data={"some": "1", "cohort": desk.cohorts[0], "seen": 0})
    assert done.status_code == 302
    page = desk.browser.get(address).text
    assert "The mails leave in ten minutes." in page
    assert "The other cohorts are a proposal of their own now" in page
    assert "Take it back" in page
    with desk.database.reading() as session:
        waiting = session.scalars(select(Mail).where(Mail.state == MailState.WAITING)).all()
        assert {mail.signup.key for mail in waiting if mail.signup} == set(desk.members[0])
        assert all(mail.not_before > now() + timedelta(minutes=9) for mail in waiting)
    assert desk.browser.post(address + "/take-back").status_code == 303
    assert "nobody was told anything" in desk.browser.get(address).text
    assert desk.browser.post(address + "/take-back").status_code == 409
    with desk.database.reading() as session:
        assert session.get_one(Run, desk.run_id).state is RunState.PROPOSED
        assert set(session.scalars(select(Mail.state))) == {MailState.DROPPED}

"""The organiser sets the meeting and the link of any cohort of their courses."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from cohorts import choosing
from cohorts.database import Database
from cohorts.meetings import Meeting
from cohorts.models import Cohort, Mail, Run, RunState, User, now
from cohorts.notices import Kind
from tests.factories import make_cohort, make_course, make_signup, make_user

TUESDAY = "Europe/Berlin:86"

SignIn = Callable[[User], FlaskClient]


@pytest.fixture
def desk(database: Database, signed_in: SignIn) -> tuple[FlaskClient, str, int]:
    """Give the browser of an organiser, the address of a cohort of theirs, and its id."""
    with database.transaction() as session:
        organiser = make_user(session)
        course = make_course(session, organiser, slug="web")
        pair = [make_signup(session, course, name=name) for name in ("Ada", "Ben")]
        cohort = make_cohort(session, *pair, name="Cohort Fern")
        way = f"/organise/web/cohorts/{cohort.key}"
    return signed_in(organiser), way, cohort.id


def kept(database: Database, cohort_id: int) -> Cohort:
    with database.reading() as session:
        return session.get_one(Cohort, cohort_id)


def test_roster_and_published_cohorts_lead_to_the_page(
    desk: tuple[FlaskClient, str, int], database: Database
) -> None:
    browser, way, _ = desk
    with database.reading() as session:
        run = session.scalars(select(Run.key)).one()
    for page in ("/organise/web/roster", f"/organise/web/runs/{run}"):
        assert f'href="{way}"' in browser.get(page).text
    text = browser.get(way).text
    for words in ("Cohort Fern", "Ada", "Ben", "Monday 19:00–20:30", "Proposed", "Nowhere yet"):
        assert words in text
    assert "Tuesday 03:00" in browser.get(way + "?zone=Asia/Tokyo").text


def test_organiser_fixes_the_meeting_and_everybody_is_told(
    desk: tuple[FlaskClient, str, int], database: Database
) -> None:
    browser, way, _ = desk
    assert browser.post(way + "/meeting", data={"block": TUESDAY, "seen": "0"}).location == way
    text = browser.get(way).text
    assert "Fixed by an organiser" in text
    assert "Tuesday 19:00–20:30" in text
    with database.reading() as session:
        run = session.scalars(select(Run.key)).one()
        card = browser.get(f"/organise/web/runs/{run}").text
        assert card.index("<p>Tuesday 19:00–20:30") < card.index("<p>Monday 19:00–20:30")
        mails = session.scalars(select(Mail).where(Mail.kind == Kind.MEETING)).all()
        assert sorted(mail.signup.name for mail in mails if mail.signup) == ["Ada", "Ben"]


def test_organiser_who_was_slower_sees_what_changed(
    desk: tuple[FlaskClient, str, int], database: Database
) -> None:
    browser, way, cohort_id = desk
    with database.transaction() as session:
        cohort = session.get_one(Cohort, cohort_id)
        by = cohort.memberships[0].signup
        choosing.fix(session, cohort, Meeting("Europe/Berlin", 86), now(), seen=0, by=by)
    answer = browser.post(way + "/meeting", data={"block": "Europe/Berlin:38", "seen": "0"})
    assert answer.status_code == 409
    assert "Somebody was faster" in answer.text
    assert "Fixed by Ada" in answer.text
    assert '<option value="Europe/Berlin:38" selected>' in answer.text  # what was chosen is not lost
    assert 'name="seen" value="1"' in answer.text
    assert len(kept(database, cohort_id).fixed) == 1


def test_organiser_sets_the_link(desk: tuple[FlaskClient, str, int], database: Database) -> None:
    browser, way, cohort_id = desk
    refused = browser.post(way + "/channel", data={"channel": "javascript:alert(1)"})
    assert refused.status_code == 422
    assert "must start with https://" in refused.text
    assert 'href="javascript' not in refused.text
    browser.post(way + "/channel", data={"channel": "https://chat.example.org/x"})
    assert kept(database, cohort_id).channel == "https://chat.example.org/x"
    assert 'rel="noreferrer noopener">chat.example.org<' in browser.get(way).text


def test_unknown_times_and_proposed_cohorts_answer_404(
    desk: tuple[FlaskClient, str, int], database: Database
) -> None:
    browser, way, cohort_id = desk
    assert browser.post(way + "/meeting", data={"block": "UTC:0", "seen": "0"}).status_code == 404
    with database.transaction() as session:
        session.get_one(Cohort, cohort_id).run.state = RunState.PROPOSED
    assert browser.get(way).status_code == 404
    assert browser.post(way + "/channel", data={"channel": ""}).status_code == 404


def test_cohort_of_another_course_of_ones_own_is_not_found_there(
    desk: tuple[FlaskClient, str, int], database: Database, signed_in: SignIn
) -> None:
    browser, way, _ = desk
    with database.transaction() as session:
        stranger = make_user(session)
        make_course(session, stranger, slug="other")
        for user in session.scalars(select(User)):
            make_course(session, user, slug=f"second-{user.id}")
        owner = session.scalars(select(User).order_by(User.id)).first()
        assert owner is not None
        second = f"second-{owner.id}"
    assert browser.get(way.replace("/web/", f"/{second}/")).status_code == 404
    assert signed_in(stranger).get(way.replace("/web/", "/other/")).status_code == 404


def test_cohort_that_has_ended_can_be_seen_and_not_changed(
    desk: tuple[FlaskClient, str, int], database: Database
) -> None:
    browser, way, cohort_id = desk
    with database.transaction() as session:
        session.get_one(Cohort, cohort_id).ended_at = now()
    text = browser.get(way).text
    assert "Ended" in text
    assert "Fix this time" not in text
    assert browser.post(way + "/meeting", data={"block": TUESDAY, "seen": "0"}).status_code == 409
    assert browser.post(way + "/channel", data={"channel": "https://a.example.org"}).status_code == 409

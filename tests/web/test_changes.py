"""The pages of check-ins, of changes and of a learner's own data, as a browser without scripts uses them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from cohorts.database import Database
from cohorts.links import Links
from cohorts.models import (
    CheckIn,
    Cohort,
    Connection,
    Course,
    CourseState,
    Departure,
    HelpRequest,
    Mail,
    Membership,
    Met,
    PersonBlock,
    Signup,
    SignupState,
    User,
    now,
)
from tests.factories import make_cohort, make_course, make_signup, make_user

ALWAYS = frozenset(range(336))


@pytest.fixture
def saved(session: Session) -> Iterator[Session]:
    yield session
    session.rollback()


@pytest.fixture
def course(saved: Session) -> Course:
    monday = now().date() - timedelta(days=now().weekday())
    return make_course(saved, slug="choir", title="Choir", start=monday, weeks=6, state=CourseState.RUNNING)


@pytest.fixture
def me(saved: Session, course: Course) -> Signup:
    mine = make_signup(saved, course, ("Jazz",), name="Mia Me", availability=ALWAYS)
    make_cohort(saved, mine, make_signup(saved, course, name="Mate One", availability=ALWAYS), name="Mine")
    saved.commit()
    return mine


@pytest.fixture
def link(links: Links, me: Signup) -> str:
    return links.learner(me).removeprefix(links.public_url)


def only(database: Database, kind: type[CheckIn]) -> CheckIn:
    with database.reading() as session:
        return session.scalars(select(kind)).one()


def count(database: Database, kind: type) -> int:
    with database.reading() as session:
        return session.scalar(select(func.count()).select_from(kind)) or 0


# ---- check-in ----


def test_check_in_is_kept_and_shown_again(client: FlaskClient, database: Database, link: str) -> None:
    page = client.get(f"{link}/check-in").text
    assert "How was week 1?" in page
    assert "Mate One" in page
    with database.reading() as session:
        mate = session.scalars(select(Signup.key).where(Signup.name == "Mate One")).one()
    posted = {
        "met": "yes",
        "social": "5",
        "talked_with": [mate],
        "go_on_with": [mate],
        "others_talked_with": ["zoe@example.org", ""],
        "help": "Which key?",
    }
    answer = client.post(f"{link}/check-in", data=posted)
    assert answer.status_code == 302
    given = only(database, CheckIn)
    assert (given.week, given.met, given.social, given.teaching) == (1, Met.YES, 5, None)
    assert (count(database, Connection), count(database, HelpRequest)) == (3, 1)
    again = client.get(f"{link}/check-in").text
    assert 'value="zoe@example.org"' in again
    assert "Which key?" in again
    assert again.count(" checked") == 4
    assert "You have checked in" in client.get(link).text


@pytest.mark.parametrize(
    ("posted", "words"),
    [
        ({"social": "9"}, "Choose one of the five"),
        ({"others_talked_with": "Nobody"}, "Nobody can be found as"),
        ({"talked_with": "x"}, "Your cohort has changed"),
        ({"help": "x" * 1001}, "at most 1000 characters"),
    ],
)
def test_check_in_that_cannot_be_names_the_field_and_keeps_the_rest(
    client: FlaskClient, database: Database, link: str, posted: dict[str, str], words: str
) -> None:
    answer = client.post(f"{link}/check-in", data={"met": "no", "teaching": "2", **posted})
    assert answer.status_code == 422
    assert words in answer.text
    assert 'id="error-summary"' in answer.text
    assert answer.text.count(" checked") >= 2
    assert count(database, CheckIn) == 0


@pytest.mark.parametrize("posted", [{"met": "maybe"}, {"social": "five"}, {"teaching": "1e9"}])
def test_check_in_with_values_of_no_form_is_refused(
    client: FlaskClient, database: Database, link: str, posted: dict[str, str]
) -> None:
    assert client.post(f"{link}/check-in", data=posted).status_code == 422
    assert count(database, CheckIn) == 0


def test_check_in_without_a_cohort_is_a_conflict(
    client: FlaskClient, saved: Session, course: Course, links: Links
) -> None:
    alone = make_signup(saved, course)
    saved.commit()
    path = links.learner(alone).removeprefix(links.public_url)
    assert client.get(f"{path}/check-in").status_code == 409
    assert client.post(f"{path}/check-in").status_code == 409


# ---- something has changed ----


def test_pause_and_back(client: FlaskClient, database: Database, link: str) -> None:
    until = now().date() + timedelta(days=7)
    assert client.post(f"{link}/pause", data={"until": until.isoformat()}).status_code == 302
    assert "You are away until" in client.get(link).text
    assert client.post(f"{link}/resume").status_code == 302
    assert "You are away until" not in client.get(link).text


@pytest.mark.parametrize("until", ["", "soon", "2001-01-01", "9999-12-31"])
def test_pause_needs_a_day_to_come(client: FlaskClient, link: str, until: str) -> None:
    answer = client.post(f"{link}/pause", data={"until": until})
    assert answer.status_code == 422
    assert 'href="#until"' in answer.text
    assert ("Say on which day you are back." in answer.text) == (until == "")


def test_seat_is_offered_without_names_and_taken_by_one_press(
    client: FlaskClient, database: Database, saved: Session, course: Course, link: str
) -> None:
    stranger = make_signup(
        saved, course, ("jazz",), name="Strange Name", goal="Strange goal", availability=ALWAYS
    )
    cohort = make_cohort(saved, stranger, name="Other")
    saved.commit()
    page = client.get(f"{link}/changes").text
    assert "Other" in page
    assert "Jazz" in page
    assert "Strange" not in page
    answer = client.post(f"{link}/seat/{cohort.key}")
    assert answer.headers["Location"].endswith("/cohort")
    assert "Strange Name" in client.get(f"{link}/cohort").text
    with database.reading() as session:
        told = session.scalars(select(Mail).where(Mail.kind == "cohort_changed")).all()
        assert {each.signup.name for each in told if each.signup} == {"Mate One", "Strange Name"}
    assert client.post(f"{link}/seat/{cohort.key}").status_code == 409
    assert client.post(f"{link}/seat/nonsense").status_code == 409


def test_leave_the_cohort_then_back_to_the_people_known(
    client: FlaskClient, database: Database, link: str
) -> None:
    answer = client.post(f"{link}/leave-cohort", data={"because": "silent", "words": "Quiet here."})
    assert answer.headers["Location"].endswith("/changes")
    page = client.get(f"{link}/changes").text
    assert "You were here before" in page
    assert "1 of them was in a cohort with you" in page
    with database.reading() as session:
        key = session.scalars(select(Cohort.key)).one()
    client.post(f"{link}/seat/{key}")
    with database.reading() as session:
        ended = session.scalars(select(Membership.ended_because)).all()
    assert sorted(ended) == ["", "", "left"]


def test_withdraw_and_return_finds_the_old_cohort(client: FlaskClient, database: Database, link: str) -> None:
    client.post(f"{link}/withdraw", data={"because": "life"})
    page = client.get(link).text
    assert "You have withdrawn" in page
    assert "<strong>Mine</strong> (1)" in page
    client.post(f"{link}/return")
    assert "You are in no cohort at the moment" in client.get(link).text
    assert "You were here before" in client.get(f"{link}/changes").text


@pytest.mark.parametrize("what", ["withdraw", "leave-cohort"])
def test_leaving_uncomfortable_leads_to_help_and_a_block(
    client: FlaskClient, database: Database, link: str, what: str
) -> None:
    answer = client.post(f"{link}/{what}", data={"because": "uncomfortable"})
    assert answer.headers["Location"].endswith("/support")
    page = client.get(answer.headers["Location"]).text
    assert "Ask for help" in page
    assert "Mate One" in page
    client.post(f"{link}/support", data={"words": "Please call me."})
    assert count(database, HelpRequest) == 1


def test_leaving_needs_no_reason_and_refuses_long_words(
    client: FlaskClient, database: Database, link: str
) -> None:
    answer = client.post(f"{link}/leave-cohort", data={"because": "odd", "words": "x" * 1001})
    assert answer.status_code == 422
    assert (count(database, Departure), "Mine" in client.get(link).text) == (0, True)
    assert client.post(f"{link}/leave-cohort", data={"because": "odd"}).status_code == 302
    assert count(database, Departure) == 1


# ---- my data ----


def test_my_data_shows_and_gives_everything(client: FlaskClient, link: str) -> None:
    page = client.get(f"{link}/my-data").text
    assert "Everything, as it is kept" in page
    answer = client.get(f"{link}/my-data.json")
    assert answer.mimetype == "application/json"
    assert "attachment" in answer.headers["Content-Disposition"]
    held = json.loads(answer.text)
    assert held["signups"][0]["name"] == "Mia Me"
    assert held["memberships"][0]["cohort"] == "Mine"


def test_block_looks_the_same_whether_the_address_is_signed_up(
    client: FlaskClient, database: Database, saved: Session, course: Course, link: str
) -> None:
    make_signup(saved, course, email="known@example.org")
    saved.commit()
    pages = []
    for address in ("known@example.org", "other@example.org"):
        answer = client.post(f"{link}/block", data={"email": address}, follow_redirects=True)
        with database.reading() as session:
            key = session.scalars(select(PersonBlock.key)).one()
        # A form's token tells the second at which it was made.
        page = re.sub(r'name="csrf_token" value="[^"]*"', "", answer.text)
        pages.append(page.replace(address, "").replace(key, ""))
        client.post(f"{link}/unblock/{key}")
    assert pages[0].split("Everything, as it is kept")[0] == pages[1].split("Everything, as it is kept")[0]
    assert count(database, PersonBlock) == 0


def test_block_of_a_mate_by_name_and_wrong_address(
    client: FlaskClient, database: Database, link: str
) -> None:
    with database.reading() as session:
        mate = session.scalars(select(Signup).where(Signup.name == "Mate One")).one()
    page = client.post(f"{link}/block", data={"key": mate.key}, follow_redirects=True).text
    assert mate.email not in page
    assert "Unblock" in page
    answer = client.post(f"{link}/block", data={"email": "nonsense"})
    assert answer.status_code == 422
    assert 'href="#email"' in answer.text
    assert client.post(f"{link}/block", data={"key": "stranger"}).status_code == 404


def test_being_found_is_chosen_and_taken_back(
    client: FlaskClient, database: Database, me: Signup, link: str
) -> None:
    for choice, expected in (("yes", True), ("no", False)):
        client.post(f"{link}/findable", data={"findable": choice})
        with database.reading() as session:
            assert session.get_one(Signup, me.id).findable is expected


def test_erase_asks_first_and_then_nothing_is_left(
    client: FlaskClient, database: Database, me: Signup, link: str
) -> None:
    assert "Erase everything?" in client.get(f"{link}/erase").text
    assert count(database, Signup) == 2
    answer = client.post(f"{link}/erase", follow_redirects=True)
    assert "is erased" in answer.text
    assert count(database, Signup) == 1
    assert client.get(link).status_code == 404


def test_pending_and_withdrawn_learners_reach_their_data(
    client: FlaskClient, saved: Session, course: Course, links: Links
) -> None:
    states = (SignupState.PENDING, SignupState.WITHDRAWN)
    learners = [make_signup(saved, course, state=state) for state in states]
    saved.commit()
    for learner in learners:
        path = links.learner(learner).removeprefix(links.public_url)
        assert client.get(f"{path}/my-data").status_code == 200
        assert client.post(f"{path}/erase").status_code == 302


# ---- the organiser's desk ----


def test_desk_shows_requests_by_name_and_other_answers_in_counts_of_five(
    database: Database, saved: Session, course: Course, signed_in: Callable[[User], FlaskClient]
) -> None:
    owner = make_user(saved)
    own = make_course(saved, owner, slug="own", state=CourseState.RUNNING)
    for number in range(5):
        learner = make_signup(saved, own, name=f"Learner {number}")
        saved.add(CheckIn(signup_id=learner.id, week=1, met=Met.YES, social=4))
        saved.add(CheckIn(signup_id=learner.id, week=2, met=Met.YES if number else Met.NO, social=4))
    saved.add(HelpRequest(signup_id=learner.id, words="Help me & <mine>"))
    saved.commit()
    browser = signed_in(owner)
    page = browser.get("/organise/own").text
    assert "Help me &amp; &lt;mine&gt;" in page
    rows = page.split("<tbody>")[1].split("</tbody>")[0].split("</tr>")
    assert [row.count(">5<") + row.count(">4<") for row in rows[:2]] == [2, 1]
    with database.reading() as session:
        key = session.scalars(select(HelpRequest.key)).one()
    assert browser.post(f"/organise/own/help/{key}/answered").status_code == 302
    assert "Help me" not in browser.get("/organise/own").text
    assert browser.post(f"/organise/choir/help/{key}/answered").status_code == 404
    assert browser.post("/organise/own/help/other/answered").status_code == 404

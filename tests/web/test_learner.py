"""Learners' pages: the course, signing up, and what a personal link opens."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from cohorts import notices
from cohorts.answers import answers_of
from cohorts.database import Database
from cohorts.links import Links
from cohorts.models import (
    Base,
    Cohort,
    Course,
    CourseState,
    Interest,
    Mail,
    Membership,
    Run,
    Seat,
    Signup,
    SignupState,
    now,
)
from tests.factories import make_course, make_signup

ADA: dict[str, Any] = {
    "name": "Ada Lovelace",
    "email": "ada@example.org",
    "time_zone": "Europe/London",
    "availability": ["36", "37", "38"],
    "languages": ["English", "Welsh"],
    "interests": ["Chess", "Knitting"],
    "experience": "beginner",
    "hours_per_week": "4",
    "goal": "To win at chess.",
    "can_help_with": "maths",
    "wants_help_with": "poetry",
    "works_with": "",
    "avoids": "",
}


@pytest.fixture
def saved(session: Session) -> Iterator[Session]:
    """Give a session for preparing rows; ``commit`` it before a request."""
    yield session
    session.rollback()


def path_of(links: Links, signup: Signup, then: str = "") -> str:
    return links.learner(signup).removeprefix(links.public_url) + then


def text_of(answer: TestResponse) -> str:
    return answer.get_data(as_text=True)


def only_signup(database: Database) -> Signup:
    with database.reading() as session:
        return session.scalars(select(Signup)).one()


def state_of(database: Database, signup: Signup) -> SignupState:
    with database.reading() as session:
        return session.get_one(Signup, signup.id).state


def everything(database: Database) -> dict[str, list[Any]]:
    """Return all rows of all tables, to see whether anything has changed."""
    with database.reading() as session:
        tables = Base.metadata.sorted_tables
        return {table.name: sorted(map(repr, session.execute(table.select()))) for table in tables}


def seat(session: Session, *members: Signup, **given: Any) -> Cohort:
    run = Run(course_id=members[0].course_id, published_at=now())
    session.add(run)
    session.flush()
    usual = {"name": "Cohort Juniper", "score": 1.0, "meetings": [["Europe/Berlin", 38]]}
    cohort = Cohort(run_id=run.id, position=1, **{**usual, **given})
    cohort.memberships = [Membership(signup=member) for member in members]
    session.add(cohort)
    session.flush()
    return cohort


# ---- the home page and the course page ----


def test_home_lists_open_courses_only(saved: Session, client: FlaskClient) -> None:
    make_course(saved, title="An open course")
    for state in CourseState:
        if state is not CourseState.OPEN:
            make_course(saved, title=f"One that is {state.value}", state=state)
    make_course(saved, title="One to come", opens_at=now() + timedelta(days=1))
    saved.commit()
    text = text_of(client.get("/"))
    assert "An open course" in text
    assert "One that is" not in text
    assert "One to come" not in text


def test_home_without_courses_says_so(client: FlaskClient, database: Database) -> None:
    assert "No course is open at the moment" in text_of(client.get("/"))


@pytest.mark.parametrize("path", ["/c/none", "/c/none/thanks", "/c/a%00b", "/l/none", "/l/a%00b/edit"])
def test_unknown_address_answers_404(client: FlaskClient, database: Database, path: str) -> None:
    assert client.get(path).status_code == 404


def test_draft_course_answers_404_to_all_methods(saved: Session, client: FlaskClient) -> None:
    make_course(saved, slug="draft", state=CourseState.DRAFT)
    saved.commit()
    answers = [client.get("/c/draft"), client.post("/c/draft", data=ADA), client.get("/c/draft/thanks")]
    assert [answer.status_code for answer in answers] == [404, 404, 404]


def test_course_page_hides_a_small_number_of_sign_ups(saved: Session, client: FlaskClient) -> None:
    course = make_course(saved, slug="web")
    for _ in range(4):
        make_signup(saved, course)
    saved.commit()
    assert "The first few" in text_of(client.get("/c/web"))
    make_signup(saved, course)
    saved.commit()
    assert "5 people" in text_of(client.get("/c/web"))


@pytest.mark.parametrize(
    ("changes", "words", "has_form"),
    [
        ({}, "Sign-up is open", True),
        ({"state": CourseState.CLOSED}, "Sign-up has closed", True),
        ({"opens_at": now() + timedelta(days=1)}, "Sign-up is not open yet", False),
        ({"state": CourseState.FINISHED}, "This course is over", False),
    ],
)
def test_course_page_has_a_form_or_says_why_not(
    saved: Session, client: FlaskClient, changes: dict[str, Any], words: str, has_form: bool
) -> None:
    make_course(saved, slug="web", **changes)
    saved.commit()
    text = text_of(client.get("/c/web"))
    assert words in text
    assert ('name="availability"' in text) is has_form


def test_course_page_says_when_all_places_are_taken(saved: Session, client: FlaskClient) -> None:
    make_signup(saved, make_course(saved, slug="web", capacity=1))
    saved.commit()
    assert "All places are taken" in text_of(client.get("/c/web"))


def test_course_page_says_that_added_interests_are_suggested(saved: Session, client: FlaskClient) -> None:
    course = make_course(saved, slug="web")
    saved.commit()
    assert "an interest you add is suggested to others" in text_of(client.get("/c/web"))
    next(each for each in course.questions if each.key == "interests").asked = False
    saved.commit()
    assert "an interest you add" not in text_of(client.get("/c/web"))


def test_waiting_after_sign_up_closed_is_not_blamed_on_places_alone(
    saved: Session, client: FlaskClient, links: Links
) -> None:
    course = make_course(saved, state=CourseState.CLOSED)
    signup = make_signup(saved, course, state=SignupState.PENDING, waiting=True, confirmed_at=None)
    mail = notices.enqueue(saved, notices.Kind.CONFIRM, signup=signup)
    saved.commit()
    message = notices.render(saved, mail, links, "cohorts@example.org")
    assert message is not None
    saved.commit()
    for text in (message.get_content(), text_of(client.get(path_of(links, signup)))):
        assert "All places are taken, or sign-up has closed" in text


def test_course_page_asks_only_what_the_course_asks(saved: Session, client: FlaskClient) -> None:
    course = make_course(saved, slug="web")
    for question in course.questions:
        question.asked = question.key == "goal"
    saved.commit()
    text = text_of(client.get("/c/web"))
    assert 'name="goal"' in text
    for key in ("interests", "languages", "experience", "hours_per_week", "works_with", "avoids", "convenor"):
        assert f'name="{key}"' not in text


def test_course_page_has_every_half_hour(saved: Session, client: FlaskClient) -> None:
    make_course(saved, slug="web")
    saved.commit()
    page = client.get("/c/web").get_data()
    for name in ("availability", "if_needed"):
        assert [f'name="{name}" value="{slot}"'.encode() in page for slot in range(336)] == [True] * 336


def test_course_page_needs_few_queries(saved: Session, client: FlaskClient, count_queries: list[str]) -> None:
    counts = []
    for slug, n_signups in (("small", 1), ("large", 30)):
        course = make_course(saved, slug=slug, capacity=100)
        for number in range(n_signups):
            make_signup(saved, course, interests=("Chess", f"Thing {number}"))
        saved.commit()
        count_queries.clear()
        assert client.get(f"/c/{slug}").status_code == 200
        counts.append(len([sql for sql in count_queries if sql.startswith("SELECT")]))
    assert counts[0] == counts[1]
    assert counts[0] <= 6


# ---- signing up ----


def test_sign_up_then_confirm(saved: Session, client: FlaskClient, database: Database, links: Links) -> None:
    make_course(saved, slug="web")
    saved.commit()
    answer = client.post("/c/web", data=ADA)
    assert (answer.status_code, answer.location) == (302, "/c/web/thanks")
    assert "look at your mail" in text_of(client.get("/c/web/thanks"))
    signup = only_signup(database)
    assert signup.state is SignupState.PENDING
    assert "Confirm my sign-up" in text_of(client.get(path_of(links, signup)))
    assert client.post(path_of(links, signup, "/confirm")).status_code == 302
    text = text_of(client.get(path_of(links, signup)))
    assert "your sign-up is confirmed" in text
    assert "To win at chess." in text


def test_sign_up_with_a_known_address_looks_the_same(
    saved: Session, client: FlaskClient, database: Database
) -> None:
    make_course(saved, slug="web")
    saved.commit()
    first = client.post("/c/web", data=ADA)
    again = client.post("/c/web", data={**ADA, "name": "Somebody else"})
    assert (first.status_code, first.location) == (again.status_code, again.location)
    assert first.get_data() == again.get_data()
    assert only_signup(database).name == "Ada Lovelace"
    with database.reading() as session:
        assert session.scalars(select(Mail.kind).order_by(Mail.id)).all() == ["confirm", "already_signed_up"]


WRONG = {
    "name": "",
    "email": "ada",
    "time_zone": "Mars/Olympus_Mons",
    "availability": [],
    "languages": ["x" * 81],
    "interests": ["x" * 81],
    "experience": "guru",
    "hours_per_week": "many",
    "goal": "x" * 1001,
    "can_help_with": "x" * 81,
    "wants_help_with": "x" * 81,
    "works_with": "Bob",
    "avoids": "Eve",
}


@pytest.mark.parametrize("field", WRONG)
def test_sign_up_with_one_wrong_field_names_it_and_keeps_the_answers(
    saved: Session, client: FlaskClient, database: Database, field: str
) -> None:
    course = make_course(saved, slug="web")
    course.interests = [Interest(key="chess", label="Chess", listed=True)]
    saved.commit()
    answer = client.post("/c/web", data={**ADA, field: WRONG[field]})
    text = text_of(answer)
    assert answer.status_code == 422
    assert "<title>Error: " in text
    assert text.count('<li><a href="#') == 1
    assert f'<li><a href="#{field}">' in text
    assert f'id="{field}"' in text
    kept = {
        "name": 'value="Ada Lovelace"',
        "email": 'value="ada@example.org"',
        "time_zone": '<option value="Europe/London" selected>',
        "availability": 'value="37" aria-label="Mon 18:30" checked',
        "languages": 'value="English" checked',
        "interests": 'value="Chess" checked',
        "experience": 'checked id="experience-1"',
        "hours_per_week": 'value="4"',
        "goal": "To win at chess.",
        "can_help_with": ">maths</textarea>",
        "wants_help_with": ">poetry</textarea>",
    }
    assert {name: shown in text for name, shown in kept.items() if name != field} == {
        name: True for name in kept if name != field
    }
    with database.reading() as session:
        assert session.scalar(select(func.count(Signup.id))) == 0


def test_sign_up_shows_what_was_typed_as_text(saved: Session, client: FlaskClient) -> None:
    make_course(saved, slug="web")
    saved.commit()
    text = text_of(client.post("/c/web", data={**ADA, "email": "no", "name": "<script>alert(1)</script>"}))
    assert "<script>alert" not in text


def test_sign_up_without_a_token_is_refused(saved: Session, client: FlaskClient) -> None:
    make_course(saved, slug="web")
    saved.commit()
    client.application.config["WTF_CSRF_ENABLED"] = True
    assert client.post("/c/web", data=ADA).status_code == 400


@pytest.mark.parametrize(
    "changes", [{"state": CourseState.FINISHED}, {"opens_at": now() + timedelta(days=1)}]
)
def test_sign_up_for_a_course_that_is_not_open_answers_409(
    saved: Session, client: FlaskClient, database: Database, changes: dict[str, Any]
) -> None:
    make_course(saved, slug="web", **changes)
    saved.commit()
    assert client.post("/c/web", data=ADA).status_code == 409
    with database.reading() as session:
        assert session.scalar(select(func.count(Signup.id))) == 0


# ---- the personal link ----


def test_get_changes_nothing(saved: Session, client: FlaskClient, database: Database, links: Links) -> None:
    course = make_course(saved, slug="web")
    signups = [
        make_signup(saved, course, state=state, confirmed_at=None if state is SignupState.PENDING else now())
        for state in SignupState
    ]
    seat(saved, signups[1])
    saved.commit()
    before = everything(database)
    addresses = ["/", "/c/web", "/c/web/thanks"]
    ways = ("", "/confirm", "/disown", "/return", "/edit", "/withdraw", "/cohort", "/cohort.ics")
    addresses += [path_of(links, signup, way) for signup in signups for way in ways]
    for address in addresses:
        assert client.get(address).status_code in (200, 404, 405)
        client.head(address)
    assert everything(database) == before


def test_link_of_another_key_or_version_answers_404(
    saved: Session, client: FlaskClient, links: Links
) -> None:
    signup = make_signup(saved, make_course(saved))
    saved.commit()
    forged = Links("another key", "http://localhost")
    ways = ("", "/edit", "/withdraw", "/cohort", "/cohort.ics")
    assert [client.get(path_of(forged, signup, way)).status_code for way in ways] == [404] * 5
    old = path_of(links, signup)
    signup.link_version = 2
    saved.commit()
    assert client.get(old).status_code == 404
    posts = ("/confirm", "/disown", "/return", "/edit", "/withdraw")
    assert [client.post(old + way).status_code for way in posts] == [404] * 5


def test_edit_starts_from_the_answers_and_saves_new_ones(
    saved: Session, client: FlaskClient, database: Database, links: Links
) -> None:
    course = make_course(saved)
    signup = make_signup(saved, course, interests=("Chess",), goal="Old goal", hours_per_week=3.0)
    saved.commit()
    text = text_of(client.get(path_of(links, signup, "/edit")))
    assert "Old goal" in text
    assert 'value="Chess" checked' in text
    assert 'name="email"' not in text
    answer = client.post(path_of(links, signup, "/edit"), data={**ADA, "email": "new@example.org"})
    assert answer.status_code == 302
    stored = only_signup(database)
    assert (stored.goal, stored.email) == ("To win at chess.", signup.email)


def test_edit_unchanged_changes_nothing(
    saved: Session, client: FlaskClient, database: Database, links: Links
) -> None:
    signup = make_signup(saved, make_course(saved), interests=("Chess",))
    saved.commit()
    before = answers_of(signup)
    posted = {
        "name": signup.name,
        "time_zone": "UTC",
        "availability": [str(slot) for slot in signup.availability],
        "languages": ["English"],
        "interests": ["Chess"],
    }
    client.post(path_of(links, signup, "/edit"), data=posted)
    with database.reading() as session:
        assert answers_of(session.scalars(select(Signup)).one()) == before


def test_edit_with_a_wrong_answer_keeps_what_is_stored(
    saved: Session, client: FlaskClient, database: Database, links: Links
) -> None:
    signup = make_signup(saved, make_course(saved), name="Ada")
    saved.commit()
    answer = client.post(path_of(links, signup, "/edit"), data={**ADA, "name": ""})
    assert answer.status_code == 422
    assert "<title>Error: " in text_of(answer)
    assert only_signup(database).name == "Ada"


def test_withdraw_asks_first_then_offers_a_way_back(
    saved: Session, client: FlaskClient, database: Database, links: Links
) -> None:
    signup = make_signup(saved, make_course(saved))
    saved.commit()
    assert "Withdraw from" in text_of(client.get(path_of(links, signup, "/withdraw")))
    assert state_of(database, signup) is SignupState.CONFIRMED
    client.post(path_of(links, signup, "/withdraw"))
    assert state_of(database, signup) is SignupState.WITHDRAWN
    assert "Sign me up again" in text_of(client.get(path_of(links, signup)))
    assert client.get(path_of(links, signup, "/edit")).status_code == 404
    client.post(path_of(links, signup, "/return"))
    assert state_of(database, signup) is SignupState.CONFIRMED


def test_withdrawn_from_a_course_that_is_over_offers_no_way_back(
    saved: Session, client: FlaskClient, links: Links
) -> None:
    course = make_course(saved, state=CourseState.FINISHED)
    signup = make_signup(saved, course, state=SignupState.WITHDRAWN)
    saved.commit()
    assert "Sign me up again" not in text_of(client.get(path_of(links, signup)))
    assert client.post(path_of(links, signup, "/return")).status_code == 409


def test_disown_deletes_a_sign_up_made_by_somebody_else(
    saved: Session, client: FlaskClient, database: Database, links: Links
) -> None:
    signup = make_signup(saved, make_course(saved), state=SignupState.PENDING, confirmed_at=None)
    saved.commit()
    answer = client.post(path_of(links, signup, "/disown"), follow_redirects=True)
    assert "is deleted" in text_of(answer)
    with database.reading() as session:
        assert session.scalar(select(func.count(Signup.id))) == 0


def test_waiting_learner_is_told_so(saved: Session, client: FlaskClient, links: Links) -> None:
    signup = make_signup(saved, make_course(saved), waiting=True)
    saved.commit()
    assert "You are on the waiting list" in text_of(client.get(path_of(links, signup)))


def test_unplaced_learner_reads_why_and_what_would_help(
    saved: Session, client: FlaskClient, links: Links
) -> None:
    course = make_course(saved)
    signup = make_signup(saved, course)
    run = Run(course_id=course.id, published_at=now())
    saved.add(run)
    saved.flush()
    saved.add(Seat(run_id=run.id, signup_id=signup.id, reason="Few hours.", remedy="One more evening."))
    saved.commit()
    text = text_of(client.get(path_of(links, signup)))
    assert "Few hours." in text
    assert "One more evening." in text


def test_proposal_is_not_shown_before_it_is_published(
    saved: Session, client: FlaskClient, links: Links
) -> None:
    course = make_course(saved)
    signup = make_signup(saved, course)
    run = Run(course_id=course.id)
    saved.add(run)
    saved.flush()
    cohort = Cohort(run_id=run.id, position=1, name="Cohort Secret", score=1.0)
    saved.add(cohort)
    saved.flush()
    saved.add(Seat(run_id=run.id, signup_id=signup.id, cohort_id=cohort.id))
    saved.commit()
    assert "Cohort Secret" not in text_of(client.get(path_of(links, signup)))
    assert client.get(path_of(links, signup, "/cohort")).status_code == 404


# ---- the cohort ----


def pair(session: Session, course: Course) -> tuple[Signup, Signup]:
    me = make_signup(
        session, course, ("Chess", "Go"), name="Ada", email="ada@example.org", time_zone="America/New_York"
    )
    other = make_signup(
        session,
        course,
        ("chess", "Knitting"),
        name="Bertrand",
        email="bertrand@example.org",
        time_zone="Asia/Tokyo",
        goal="To think.",
        can_help_with=["logic"],
        avoids=["ada@example.org"],
        works_with=["alfred@example.org"],
    )
    return me, other


def test_cohort_page_shows_what_the_others_share_and_nothing_private(
    saved: Session, client: FlaskClient, links: Links
) -> None:
    me, other = pair(saved, make_course(saved))
    seat(saved, me, other, reasons=["You all like chess."])
    saved.commit()
    text = text_of(client.get(path_of(links, me, "/cohort")))
    for shown in (
        "Bertrand",
        "To think.",
        "logic",
        "Tokyo",
        "You all like chess.",
        "You both like",
        "Knitting",
    ):
        assert shown in text
    assert "@example.org" in f"{other.email} {other.avoids} {other.works_with}"
    assert "@example.org" not in text


def test_cohort_page_shows_times_in_ones_own_zone_and_the_cohorts(
    saved: Session, client: FlaskClient, links: Links
) -> None:
    me, other = pair(saved, make_course(saved, weeks=12))
    seat(saved, me, other)
    saved.commit()
    text = text_of(client.get(path_of(links, me, "/cohort")))
    assert "Monday, 11 January, 13:00" in text
    assert "Monday 13:00–14:30" in text
    assert "Monday 14:00–15:30" in text  # while only New York has changed its clocks
    assert "Monday 19:00–20:30 in Berlin" in text
    assert "Tuesday 03:00–04:30" in text_of(client.get(path_of(links, other, "/cohort")))


def test_cohort_page_leaves_out_what_the_course_does_not_ask(
    saved: Session, client: FlaskClient, links: Links
) -> None:
    course = make_course(saved)
    me, other = pair(saved, course)
    seat(saved, me, other)
    for question in course.questions:
        question.asked = False
    saved.commit()
    text = text_of(client.get(path_of(links, me, "/cohort")))
    assert "To think." not in text
    assert "Knitting" not in text


def test_cohort_page_of_another_cohort_is_never_shown(
    saved: Session, client: FlaskClient, links: Links
) -> None:
    course = make_course(saved)
    me, other = pair(saved, course)
    seat(saved, other, name="Cohort Elsewhere")
    saved.commit()
    assert client.get(path_of(links, me, "/cohort")).status_code == 404
    assert "Cohort Elsewhere" not in text_of(client.get(path_of(links, me)))


def test_cohort_page_is_gone_after_withdrawing(saved: Session, client: FlaskClient, links: Links) -> None:
    me, other = pair(saved, make_course(saved))
    seat(saved, me, other)
    saved.commit()
    client.post(path_of(links, me, "/withdraw"))
    assert client.get(path_of(links, me, "/cohort")).status_code == 404
    text = text_of(client.get(path_of(links, other, "/cohort")))
    assert "1 people" not in text
    assert "Ada" not in text


def test_cohort_calendar_is_a_file_without_addresses(
    saved: Session, client: FlaskClient, links: Links
) -> None:
    me, other = pair(saved, make_course(saved, slug="web"))
    seat(saved, me, other)
    saved.commit()
    answer = client.get(path_of(links, me, "/cohort.ics"))
    assert answer.mimetype == "text/calendar"
    assert "BEGIN:VEVENT" in text_of(answer)
    assert "@example.org" not in text_of(answer)
    assert answer.headers["Content-Disposition"] == 'attachment; filename="web.ics"'


def test_cohort_page_needs_the_same_queries_for_any_size(
    saved: Session, client: FlaskClient, links: Links, count_queries: list[str]
) -> None:
    counts = []
    for size in (2, 30):
        course = make_course(saved)
        members = [make_signup(saved, course, ("Chess", f"Thing {n}")) for n in range(size)]
        seat(saved, *members)
        saved.commit()
        count_queries.clear()
        assert client.get(path_of(links, members[0], "/cohort")).status_code == 200
        counts.append(len([sql for sql in count_queries if sql.startswith("SELECT")]))
    assert counts[0] == counts[1]
    assert counts[0] <= 12

"""A course's own questions on pages: asked of learners, answered, shown, taken back; made by organisers."""

from __future__ import annotations

import csv
import html
import io
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict
from werkzeug.test import TestResponse

from cohorts import exports, imports, native, privacy
from cohorts.answers import answers_of
from cohorts.asking import custom_questions
from cohorts.door import MatchSettings, to_pool
from cohorts.links import Links
from cohorts.models import Course, Membership, RunState, Signup, User, now
from cohorts.questions import Kind
from tests.factories import ask, make_course, make_signup, make_user
from tests.questions import EXAMPLES
from tests.web.test_organiser import make_proposal

QUESTIONS = tuple(example.question for example in EXAMPLES.values())
KEPT = {example.question.key: example.kept for example in EXAMPLES.values()}
PERSON = [
    ("name", "Ada Lovelace"),
    ("email", "ada@example.org"),
    ("time_zone", "Europe/London"),
    ("availability", "36"),
    ("availability", "37"),
    ("goal", "To sing <b>loudly</b>."),
]
POSTED = [(f"q-{name}", value) for example in EXAMPLES.values() for name, value in example.posted]


def alone(client: FlaskClient, session: Session) -> FlaskClient:
    """Let the test's own session go before each request: SQLite has one writer."""
    send = client.open

    def send_alone(*args: Any, **kwargs: Any) -> Any:
        session.commit()
        return send(*args, **kwargs)

    client.open = send_alone  # type: ignore[method-assign]
    return client


@pytest.fixture
def client(app: Flask, session: Session) -> FlaskClient:
    """A browser of a learner."""
    return alone(app.test_client(), session)


@pytest.fixture
def course(session: Session) -> Iterator[Course]:
    """A course that asks one question of every kind."""
    yield ask(session, make_course(session, slug="songs", title="Songs"), *QUESTIONS)
    session.rollback()


def sign_up(client: FlaskClient, *changed: tuple[str, str], without: tuple[str, ...] = ()) -> TestResponse:
    """Post a sign-up; what is ``changed`` takes the place of what else has its name."""
    names = {name for name, _ in changed}
    kept = [(name, value) for name, value in [*PERSON, *POSTED] if name not in names and name not in without]
    return client.post("/c/songs", data=MultiDict([*kept, *changed]))


def ada(session: Session) -> Signup:
    session.expire_all()
    return session.scalars(select(Signup).where(Signup.email == "ada@example.org")).one()


# ---- Each kind all the way ----


def test_every_kind_goes_from_the_form_to_the_matcher_and_into_the_roster(
    session: Session, course: Course, client: FlaskClient
) -> None:
    session.commit()
    answer = sign_up(client, ("not_alone", "role"), ("shown_asked", "yes"), ("shown", "artists"))
    assert answer.status_code == 302, answer.text
    signup = ada(session)
    assert signup.custom == KEPT
    assert (signup.not_alone, signup.shown) == (["role"], ["artists"])

    settings = MatchSettings.of_course(signup.course)
    (learner,) = to_pool([(signup.key, answers_of(signup))], settings.custom).learners
    matched = {example.question.key: example.matched for example in EXAMPLES.values()}
    assert {key: learner.answers[key] for key in KEPT} == matched

    signup.state, signup.confirmed_at = "confirmed", now()
    run = make_proposal(session, signup.course)
    run.state, run.published_at = RunState.PUBLISHED, now()
    session.flush()
    content = exports.FORMATS["csv"](session, signup.course).decode()
    (row,) = [row for row in csv.DictReader(io.StringIO(content)) if row["email"] == "ada@example.org"]
    cells = {example.question.key: example.cell for example in EXAMPLES.values()}
    cells["artists"] = cells["artists"].replace("=SUM", "'=SUM")
    assert {key: row[key] for key in cells} == cells
    assert '"answers": {' in exports.FORMATS["json"](session, signup.course).decode()
    assert exports.FORMATS["xlsx"](session, signup.course).startswith(b"PK")


def test_answer_that_looks_like_a_formula_is_none_in_a_roster(
    session: Session, course: Course, client: FlaskClient
) -> None:
    session.commit()
    sign_up(client, ("q-song", "=HYPERLINK(1)"))
    signup = ada(session)
    assert native.write([answers_of(signup)], QUESTIONS).splitlines()[1].endswith(",'=HYPERLINK(1)")


def test_answers_come_back_into_the_form_and_unchanged_out_of_it(
    session: Session, course: Course, client: FlaskClient, links: Links
) -> None:
    signup = make_signup(session, course, custom=KEPT, not_alone=["role"], shown=["artists", "goal"])
    session.commit()
    path = links.learner(signup).removeprefix(links.public_url) + "/edit"
    posted = as_posted(client.get(path).text)
    assert client.post(path, data=posted).status_code == 302
    session.expire_all()
    assert signup.custom == KEPT
    assert (signup.not_alone, signup.shown) == (["role"], ["artists", "goal"])


def as_posted(page: str) -> MultiDict[str, str]:
    """Return what a browser would send of the form on a page if nobody touched it."""
    form = page[page.index("<form class") :]
    found: list[tuple[str, str]] = []
    for tag in re.findall(r"<input [^>]*>", form):
        attributes = dict(re.findall(r'([\w-]+)="([^"]*)"', tag))
        is_box = attributes.get("type") in ("checkbox", "radio")
        if "name" in attributes and (not is_box or " checked" in tag):
            found.append((attributes["name"], attributes.get("value", "")))
    for tag, text in re.findall(r"<textarea ([^>]*)>(.*?)</textarea>", form, re.DOTALL):
        # The first line end in a text area is for the eyes of whoever reads the source.
        found.append((re.findall(r'name="([^"]*)"', tag)[0], text.removeprefix("\r\n").removeprefix("\n")))
    for tag, options in re.findall(r"<select ([^>]*)>(.*?)</select>", form, re.DOTALL):
        chosen = re.findall(r'value="([^"]*)" selected', options)
        found += [(re.findall(r'name="([^"]*)"', tag)[0], value) for value in chosen]
    return MultiDict(
        [(html.unescape(name), html.unescape(value)) for name, value in found if name != "csrf_token"]
    )


def test_file_of_a_course_has_columns_for_its_questions(session: Session, course: Course) -> None:
    person = answers_of(make_signup(session, course, custom=KEPT))
    session.flush()
    content = native.write([person], custom_questions(course)).encode()
    other = ask(session, make_course(session), *QUESTIONS)
    plan = imports.dry_run(session, other, content, "people.csv")
    imports.apply(session, other, plan, leave_out_refused=False, at=now())
    (found,) = session.scalars(select(Signup).where(Signup.course_id == other.id))
    assert found.custom == KEPT
    again = imports.dry_run(session, other, content, "people.csv")
    assert [row.action for row in again.rows] == [imports.Action.SAME]
    few = b"email,time_zone,availability,role\n" + f"{person.email},UTC,Mon 18:00-21:00,a teacher\n".encode()
    changed = imports.dry_run(session, other, few, "few.csv")
    assert changed.rows[0].changes == ("role",)
    imports.apply(session, other, changed, leave_out_refused=False, at=now())
    session.expire_all()
    assert found.custom == KEPT | {"role": "A teacher"}  # what the file has no column for stays


def test_file_with_a_wrong_answer_says_in_which_column(session: Session, course: Course) -> None:
    content = b"email,time_zone,availability,start_new\na@example.org,UTC,Mon 18:00-21:00,eleven\n"
    (row,) = imports.dry_run(session, course, content, "people.csv").rows
    assert [(problem.column, problem.message) for problem in row.problems] == [
        ("start_new", "Choose a number from 1 to 7.")
    ]


def test_cohort_sees_only_what_is_shared(
    session: Session, course: Course, client: FlaskClient, links: Links
) -> None:
    shy = make_signup(session, course, name="Shy", custom=KEPT | {"song": "Secret song"}, shown=["artists"])
    other = make_signup(session, course, name="Other")
    run = make_proposal(session, course)
    run.state = RunState.PUBLISHED
    cohort_id = run.cohorts[0].id
    session.add_all(Membership(signup_id=each.id, cohort_id=cohort_id) for each in (shy, other))
    session.commit()
    page = client.get(links.learner(other).removeprefix(links.public_url) + "/cohort").text
    assert "Tyler, the Creator" in page
    for hidden in ("Secret song", "A player", "ear training", "Kazoo"):
        assert hidden not in page


def test_answer_is_taken_back_on_the_page_of_my_data(
    session: Session, course: Course, client: FlaskClient, links: Links
) -> None:
    signup = make_signup(session, course, custom=KEPT, goal="To sing.")
    session.commit()
    path = links.learner(signup).removeprefix(links.public_url)
    page = client.get(f"{path}/my-data").text
    assert html.escape("<script>alert(1)</script>", quote=False) in page
    assert "<script>alert" not in page
    for key in ("role", "goal"):
        assert client.get(f"{path}/answers/{key}/take-back").status_code == 405
        assert client.post(f"{path}/answers/{key}/take-back").status_code == 302
    assert client.post(f"{path}/answers/email/take-back").status_code == 404
    session.expire_all()
    assert "role" not in signup.custom
    assert signup.goal == ""
    assert signup.custom["artists"] == KEPT["artists"]


def test_erasing_leaves_no_answer(session: Session, course: Course) -> None:
    signup = make_signup(session, course, custom={"song": "A very unusual song"})
    session.flush()
    assert "A very unusual song" in str(privacy.export(session, signup))
    privacy.erase(session, signup, now())
    assert session.scalars(select(Signup.custom)).all() == []


# ---- What is wrong is named, and what was given stays ----

HELP = ",".join(map(str, range(41)))
INTERESTS = "\n".join(map(str, range(101)))
BROKEN: dict[str, tuple[tuple[str, str], str, str]] = {
    "no name": (("name", ""), "name", "Your name"),
    "a name with NUL": (("name", "A\x00da"), "name", "Your name"),
    "an endless name": (("name", "x" * 10_000), "name", "Your name"),
    "no address": (("email", "ada"), "email", "E-mail address"),
    "no zone": (("time_zone", "Mars/Olympus"), "time_zone", "Your time zone"),
    "no times": (("availability", ""), "availability", "When are you free?"),
    "times in words": (("availability", "Monday"), "availability", "When are you free?"),
    "too many interests": (
        ("interests", INTERESTS),
        "interests",
        "What are you interested in?",
    ),
    "hours in words": (("hours_per_week", "many"), "hours_per_week", "How many hours a week do you have?"),
    "an unknown experience": (
        ("experience", "wizard"),
        "experience",
        "How familiar are you with the subject?",
    ),
    "no person": (("works_with", "Bob"), "works_with", "Whom do you want to be with?"),
    "a label with NUL": (("q-instruments", "a\x00b"), "q-instruments", "What do you play?"),
    "an endless label": (("q-artists", "x" * 81), "q-artists", "Which five artists do you love?"),
    "an unknown option": (("q-role", "A president"), "q-role", "What are you here as?"),
    "neither yes nor no": (("q-camera", "perhaps"), "q-camera", "Will your camera be on?"),
    "no answer where one is needed": (("q-camera", ""), "q-camera", "Will your camera be on?"),
    "a step beyond the scale": (("q-start_new", "8"), "q-start_new", "How do you start something new?"),
    "a rating in words": (("q-taste-Jazz", "much"), "q-taste", "How do you like these?"),
    "a rating of something else": (("q-taste-Polka", "3"), "q-taste", "How do you like these?"),
    "too much help": (
        ("q-trade-can", HELP),
        "q-trade",
        "What do you give and take?",
    ),
    "an endless text": (("q-song", "x" * 1001), "q-song", "Which song made you cry? "),
}


@pytest.mark.parametrize(("changed", "field", "label"), BROKEN.values(), ids=BROKEN)
def test_broken_answer_is_named_in_the_summary_and_the_others_are_kept(
    session: Session,
    course: Course,
    client: FlaskClient,
    changed: tuple[str, str],
    field: str,
    label: str,
) -> None:
    next(row for row in course.questions if row.key == "camera").required = True
    session.commit()
    chosen = (("shown_asked", "yes"), ("shown", "song"), ("not_alone", "instruments"))
    answer = sign_up(client, changed, *chosen)
    assert answer.status_code == 422
    page = answer.text
    summary = page[page.index('id="error-summary"') : page.index("</ul>", page.index('id="error-summary"'))]
    links = re.findall(r'<a href="#([^"]*)">([^<]*)</a>', summary)
    assert [target for target, _ in links] == [field]
    assert html.unescape(links[0][1]).startswith(label)
    assert f'id="{field}"' in page
    sent = as_posted(page)
    broken = {changed[0]} if not changed[0].startswith("q-taste") else {changed[0], "q-taste-Polka"}
    for name, value in [*PERSON, ("shown", "song"), ("not_alone", "instruments")]:
        assert name in broken or value in sent.getlist(name), name
    kept = {name for name, value in POSTED if value and name not in broken}
    assert {name for name, value in sent.items(multi=True) if name.startswith("q-") and value} >= kept
    assert session.scalars(select(Signup)).all() == []


def test_hostile_form_is_refused_or_kept_as_text(
    session: Session, course: Course, client: FlaskClient
) -> None:
    session.commit()
    evil = "<img src=x onerror=alert(1)>"
    many = [("shown", evil)] * 500 + [("not_alone", "\x00")] * 500 + [("q-nothing", evil), ("q-", evil)]
    answer = sign_up(client, *many, ("q-artists", evil), ("shown_asked", "yes"))
    assert answer.status_code == 302
    signup = ada(session)
    assert (signup.custom["artists"], signup.shown, signup.not_alone) == ([evil], [], [])
    assert set(signup.custom) == set(KEPT)


# ---- Organisers ----


@pytest.fixture
def organiser(session: Session) -> User:
    user = make_user(session)
    session.commit()
    return user


@pytest.fixture
def mine(session: Session, organiser: User) -> Course:
    """A course of the organiser that asks two questions of its own."""
    two = (EXAMPLES[Kind.ONE].question, EXAMPLES[Kind.TEXT].question)
    course = ask(session, make_course(session, organiser, slug="mine", title="Mine"), *two)
    session.commit()
    return course


@pytest.fixture
def browser(
    signed_in: Callable[[User], FlaskClient], session: Session, organiser: User, mine: Course
) -> FlaskClient:
    return alone(signed_in(organiser), session)


USUAL = {"asked": "optional", "counts": "similar", "weight": "1"}
AS_FILLED_IN: dict[Kind, dict[str, Any]] = {
    Kind.MANY: {"options": "Guitar\nDrums, bongos\n\nPiano", "may_mind": "y", "counts": "similar"},
    Kind.FAVOURITES: {"options": "The Beatles\r\nTyler, the Creator", "points": "5", "weight": "4"},
    Kind.ONE: {"options": "A listener\nA player\nA teacher", "counts": "balanced", "may_mind": "y"},
    Kind.YES_NO: {"counts": "same"},
    Kind.SCALE: {
        "low": "I read first",
        "high": "I try at once",
        "points": "7",
        "counts": "diverse",
        "weight": "0.5",
    },
    Kind.RATING: {"options": "Jazz\nRock: heavy\nFolk", "points": "5"},
    Kind.HELP: {"counts": "complementary"},
    Kind.TEXT: {"counts": "shown"},
}


@pytest.mark.parametrize("kind", Kind)
def test_organiser_adds_a_question_of_every_kind(
    session: Session, mine: Course, browser: FlaskClient, kind: Kind
) -> None:
    question = EXAMPLES[kind].question
    path = f"/organise/mine/questions/new?kind={kind.value}"
    assert browser.get(path).status_code == 200
    filled = {
        "label": question.label,
        "help": question.help,
        "asked": "optional",
        "counts": "similar",
        "weight": "1",
    }
    answer = browser.post(path, data=filled | AS_FILLED_IN[kind])
    assert (answer.status_code, answer.location) == (302, "/organise/mine/settings#own"), answer.text
    session.expire_all()
    added = custom_questions(mine)[-1]
    assert {name: getattr(added, name) for name in question.__slots__ if name != "key"} == {
        name: getattr(question, name) for name in question.__slots__ if name != "key"
    }
    page = browser.get("/organise/mine/preview").text
    assert html.escape(question.label, quote=False) in page
    assert f'name="q-{added.key}' in page
    again = browser.get(f"/organise/mine/questions/{added.key}").text
    sent = as_posted(again)
    assert browser.post(f"/organise/mine/questions/{added.key}", data=sent).status_code == 302
    session.expire_all()
    assert custom_questions(mine)[-1] == added


@pytest.mark.parametrize(
    ("kind", "given", "field"),
    [
        ("text", {"label": ""}, "label"),
        ("text", {"label": "x" * 201}, "label"),
        ("one", {"options": "only one"}, "options"),
        ("one", {"options": "a; b\nc"}, "options"),
        ("one", {"counts": "complementary"}, "counts"),
        ("scale", {"points": "99"}, "points"),
        ("scale", {"points": "many"}, "points"),
        ("scale", {"low": "x" * 81}, "low"),
        ("one", {"weight": "99"}, "weight"),
    ],
)
def test_question_that_does_not_fit_is_named_and_kept(
    session: Session, mine: Course, browser: FlaskClient, kind: str, given: dict[str, str], field: str
) -> None:
    filled = {
        "label": "Which <one>?",
        "options": "a\nb",
        "asked": "optional",
        "counts": "similar",
        "points": "5",
    }
    answer = browser.post(f"/organise/mine/questions/new?kind={kind}", data=filled | {"weight": "1"} | given)
    assert answer.status_code == 422
    assert f'href="#{field}"' in answer.text
    if "label" not in given:
        assert 'value="Which &lt;one&gt;?"' in answer.text
    session.expire_all()
    assert len(custom_questions(mine)) == 2


def test_organiser_chooses_a_kind_first(browser: FlaskClient) -> None:
    page = browser.get("/organise/mine/questions/new").text
    assert all(f"kind={kind.value}" in page for kind in Kind)
    assert browser.get("/organise/mine/questions/new?kind=nonsense").text == page


def test_organiser_moves_a_question(session: Session, mine: Course, browser: FlaskClient) -> None:
    assert browser.post("/organise/mine/questions/song/move", data={"to": "up"}).status_code == 302
    session.expire_all()
    assert [question.key for question in custom_questions(mine)] == ["song", "role"]
    assert browser.post("/organise/mine/questions/song/move", data={"to": "away"}).status_code == 400


def test_organiser_is_told_what_removing_deletes(
    session: Session, mine: Course, browser: FlaskClient
) -> None:
    signup = make_signup(session, mine, custom={"role": "A player", "song": "Hey"})
    session.commit()
    page = browser.get("/organise/mine/questions/role/remove").text
    assert "1 learner has answered it" in page
    assert browser.post("/organise/mine/questions/role/remove").status_code == 302
    session.expire_all()
    assert signup.custom == {"song": "Hey"}
    assert [question.key for question in custom_questions(mine)] == ["song"]
    assert browser.get("/organise/mine/questions/role").status_code == 404


def test_settings_and_matching_go_on_with_questions_of_its_own(
    session: Session, mine: Course, browser: FlaskClient
) -> None:
    page = browser.get("/organise/mine/settings").text
    assert "What are you here as?" in page
    assert browser.post("/organise/mine/settings", data=as_posted(page)).status_code == 302
    for _ in range(8):
        make_signup(session, mine, custom={"role": "A player"})
    session.commit()
    page = browser.get("/organise/mine/match").text
    assert "What are you here as?" in page
    answer = browser.post("/organise/mine/match", data=as_posted(page) | {"weights-q-role-weight": "4"})
    assert answer.status_code == 302
    session.expire_all()
    weights = {question.key: question.weight for question in custom_questions(mine)}
    assert weights == {"role": 4.0, "song": 0.0}


def test_organiser_sees_answers_but_never_whom_somebody_avoids(
    session: Session, mine: Course, browser: FlaskClient
) -> None:
    given = {"role": "A player", "song": "<script>alert(1)</script>"}
    signup = make_signup(session, mine, custom=given, shown=[], avoids=["x@example.org"])
    session.commit()
    page = browser.get(f"/organise/mine/signups/{signup.key}").text
    assert "A player" in page
    assert "&lt;script&gt;" in page
    assert "x@example.org" not in page

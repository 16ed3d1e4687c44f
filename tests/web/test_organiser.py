"""The organiser's pages: what they show, change and refuse, and to whom."""

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from threading import Barrier
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from werkzeug.routing import Rule

from cohorts import notices
from cohorts.database import Database
from cohorts.door import MatchSettings
from cohorts.links import Links
from cohorts.models import (
    Cohort,
    Course,
    CourseState,
    Interest,
    Mail,
    Membership,
    Role,
    Run,
    RunState,
    Seat,
    Signup,
    SignupState,
    Upload,
    User,
    now,
)
from cohorts.questions import QUESTIONS
from tests.factories import make_course, make_signup, make_user
from web import proposals
from web.course_forms import LENGTHS
from web.outlook import MOVES, outlook

SignIn = Callable[[User], FlaskClient]


def text_of(response: Any) -> str:
    """The words of a page, without its tags."""
    return " ".join(re.sub(r"<[^>]+>", " ", response.get_data(as_text=True)).split())


@pytest.fixture
def organiser(session: Session) -> User:
    user = make_user(session)
    session.commit()
    return user


@pytest.fixture
def course(session: Session, organiser: User) -> Course:
    course = make_course(session, organiser, slug="poems", title="Reading poems")
    session.commit()
    return course


@pytest.fixture
def browser(signed_in: SignIn, organiser: User, session: Session) -> FlaskClient:
    """A browser of the organiser. The test's own session lets go first: SQLite has one writer."""
    browser = signed_in(organiser)
    send = browser.open

    def send_alone(*args: Any, **kwargs: Any) -> Any:
        session.commit()
        return send(*args, **kwargs)

    browser.open = send_alone  # type: ignore[method-assign]
    return browser


def make_proposal(session: Session, course: Course, size: int = 4, cohorts: int = 1, **given: Any) -> Run:
    """A proposal with full cohorts and one learner who is in none."""
    run = Run(course_id=course.id, **{"state": RunState.PROPOSED, "objective": 9.0, "bound": 10.0, **given})
    session.add(run)
    session.flush()
    for position in range(cohorts):
        cohort = Cohort(
            run_id=run.id,
            position=position,
            name=f"Cohort {position + 1}",
            score=float(cohorts - position),
            meetings=[["Europe/Berlin", 46], ["Europe/Berlin", 120]],
            reasons=["Everybody likes sonnets."],
        )
        session.add(cohort)
        session.flush()
        for _ in range(size):
            session.add(Seat(run_id=run.id, cohort_id=cohort.id, signup_id=make_signup(session, course).id))
    lonely = make_signup(session, course, name="Lonely Learner")
    session.add(
        Seat(run_id=run.id, signup_id=lonely.id, reason="No common hour.", remedy="One more evening.")
    )
    run.n_learners, run.n_placed = size * cohorts + 1, size * cohorts
    session.commit()
    return run


def course_form(**given: str) -> dict[str, str]:
    """What a browser sends for a new course with nothing changed but ``given``."""
    form = {
        "title": "Reading poems",
        "start": "2027-01-11",
        "weeks": "8",
        "size_min": "4",
        "target_size": "6",
        "size_max": "8",
        "meeting_minutes": "90",
    }
    for key in QUESTIONS:
        form[f"questions-{key}-asked"] = "optional"
        form[f"questions-{key}-weight"] = "1"
    return form | given


def match_form(**given: str) -> dict[str, str]:
    """What a browser sends to match a course."""
    form = {
        "size_min": "4",
        "target_size": "4",
        "size_max": "6",
        "meeting_minutes": "60",
        "random_state": "3",
    }
    form |= {f"weights-{key}-weight": "0.5" for key in QUESTIONS}
    return form | given


# ---- Who gets in ----


VALUES = {
    "weighing_key": "none",
    "slug": "poems",
    "key": "0123456789abcdef",
    "format_": "csv",
    "question": "artists",
    "person": "1",
}


def organiser_rules(app: Flask) -> list[tuple[Rule, str]]:
    """Every route of the blueprint with every method it takes."""
    rules = [rule for rule in app.url_map.iter_rules() if rule.endpoint.startswith("organiser.")]
    return [
        (rule, method) for rule in rules for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})
    ]


def address(app: Flask, rule: Rule, values: dict[str, str]) -> str:
    with app.test_request_context():
        built = app.url_map.bind("localhost").build(
            rule.endpoint, {name: values[name] for name in rule.arguments}
        )
    return built


def test_every_route_belongs_to_a_course_or_is_known(app: Flask) -> None:
    without = {rule.endpoint for rule, _ in organiser_rules(app) if "slug" not in rule.arguments}
    assert without == {"organiser.courses", "organiser.new"}


def test_every_route_of_a_foreign_course_answers_404(
    app: Flask, session: Session, course: Course, signed_in: SignIn
) -> None:
    stranger = make_user(session)
    run = make_proposal(session, course)
    learner = session.scalar(select(Signup).limit(1))
    upload = Upload(course_id=course.id, user_id=stranger.id, name="a.csv", content=b"")
    session.add(upload)
    session.commit()
    assert learner is not None
    keys = {
        "run": run.key,
        "publish": run.key,
        "cancel": run.key,
        "run_progress": run.key,
        **dict.fromkeys(("board", "weigh", "change_board", "rerun", "take_it_back"), run.key),
        "signup": learner.key,
    }
    browser = signed_in(stranger)
    answers = {}
    for rule, method in organiser_rules(app):
        if "slug" not in rule.arguments:
            continue
        values = VALUES | {"key": keys.get(rule.endpoint.removeprefix("organiser."), upload.key)}
        answers[rule.endpoint, method] = browser.open(address(app, rule, values), method=method).status_code
    assert set(answers.values()) == {404}


def test_every_route_with_a_foreign_key_answers_404(
    app: Flask, session: Session, course: Course, organiser: User, browser: FlaskClient
) -> None:
    other = make_course(session, make_user(session))
    run = make_proposal(session, other)
    learner = make_signup(session, other)
    upload = Upload(course_id=other.id, user_id=organiser.id, name="a.csv", content=b"")
    session.add(upload)
    session.commit()
    keys = {
        "run": run.key,
        "publish": run.key,
        "cancel": run.key,
        "run_progress": run.key,
        **dict.fromkeys(("board", "weigh", "change_board", "rerun", "take_it_back"), run.key),
        "signup": learner.key,
    }
    answers = {}
    for rule, method in organiser_rules(app):
        if "key" not in rule.arguments:
            continue
        values = VALUES | {"key": keys.get(rule.endpoint.removeprefix("organiser."), upload.key)}
        answers[rule.endpoint, method] = browser.open(address(app, rule, values), method=method).status_code
    assert set(answers.values()) == {404}
    assert len(answers) >= 8


def test_every_route_without_signing_in_leads_to_sign_in(
    app: Flask, course: Course, client: FlaskClient
) -> None:
    for rule, method in organiser_rules(app):
        answer = client.open(address(app, rule, VALUES), method=method)
        assert (answer.status_code, answer.location.partition("?")[0]) == (302, "/sign-in"), rule


def test_admin_sees_a_course_of_somebody_else(session: Session, course: Course, signed_in: SignIn) -> None:
    admin = make_user(session, role=Role.ADMIN)
    session.commit()
    assert signed_in(admin).get("/organise/poems").status_code == 200


def test_posts_without_a_token_are_refused(app: Flask, course: Course, browser: FlaskClient) -> None:
    app.config["WTF_CSRF_ENABLED"] = True
    for rule, method in organiser_rules(app):
        if method == "POST":
            assert browser.post(address(app, rule, VALUES)).status_code == 400, rule


def test_address_with_a_nul_answers_404(browser: FlaskClient, course: Course) -> None:
    assert browser.get("/organise/po%00ems").status_code == 404
    assert browser.get("/organise/poems/signups?q=%00").status_code == 200


# ---- Courses ----


def test_course_list_when_empty(browser: FlaskClient) -> None:
    assert "No courses yet" in text_of(browser.get("/organise/"))


def test_course_list_counts_learners(session: Session, course: Course, browser: FlaskClient) -> None:
    make_signup(session, course)
    session.commit()
    assert "Reading poems 1 learner" in text_of(browser.get("/organise/"))


def test_new_shows_sensible_defaults(browser: FlaskClient) -> None:
    page = browser.get("/organise/new").get_data(as_text=True)
    for name, value in {"size_min": 4, "target_size": 6, "size_max": 8, "weeks": 8}.items():
        assert re.search(rf'<input[^>]*name="{name}"[^>]*value="{value}"', page)
    assert '<option selected value="90">' in page


def test_new_makes_a_draft(session: Session, browser: FlaskClient) -> None:
    form = course_form(interests="Rilke\r\nSappho", opens_at="2026-12-24T18:30", capacity="40")
    form["questions-goal-asked"] = "no"
    form["questions-languages-asked"] = "required"
    form["questions-interests-weight"] = "0.5"
    answer = browser.post("/organise/new", data=form)
    assert (answer.status_code, answer.location) == (302, "/organise/reading-poems")
    made = session.scalars(select(Course)).one()
    assert (made.state, made.capacity, made.start) == (CourseState.DRAFT, 40, date(2027, 1, 11))
    assert made.opens_at == datetime(2026, 12, 24, 18, 30, tzinfo=UTC)
    asked = {each.key: (each.asked, each.required, each.weight) for each in made.questions}
    assert asked["goal"] == (False, False, 1.0)
    assert asked["languages"] == (True, True, QUESTIONS["languages"].weight)
    assert asked["interests"] == (True, False, 0.5)
    assert [each.label for each in made.interests] == ["Rilke", "Sappho"]


WRONG = [
    ("title", ""),
    ("title", "x" * 121),
    ("summary", "x" * 201),
    ("description", "x" * 10_001),
    ("start", ""),
    ("start", "tomorrow"),
    ("start", "9999-12-31"),
    ("weeks", ""),
    ("weeks", "many"),
    ("weeks", "53"),
    ("meeting_minutes", "17"),
    ("meeting_minutes", "long"),
    ("size_min", "1"),
    ("size_min", "-4"),
    ("size_min", "99999999999999999999"),
    ("target_size", "9"),
    ("size_max", "3"),
    ("size_max", "٣"),
    ("capacity", "0"),
    ("capacity", "1.5"),
    ("opens_at", "soon"),
    ("closes_at", "2026-13-01T00:00"),
    ("questions-goal-asked", "perhaps"),
    ("questions-goal-weight", "7"),
    ("questions-goal-weight", "nan"),
    ("interests", "x" * 81),
]


@pytest.mark.parametrize(("field", "value"), WRONG)
def test_new_with_a_wrong_field(session: Session, browser: FlaskClient, field: str, value: str) -> None:
    answer = browser.post("/organise/new", data=course_form(**{"summary": "Keep me", field: value}))
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert "<title>Error: " in page
    assert f'href="#{field}"' in page
    assert "Keep me" in page or field == "summary"
    assert session.scalar(select(func.count()).select_from(Course)) == 0


def test_new_shows_everything_that_is_wrong_at_once(browser: FlaskClient) -> None:
    form = course_form(title="", weeks="99", size_max="2", start="soon", **{"questions-goal-weight": "some"})
    page = browser.post("/organise/new", data=form).get_data(as_text=True)
    links = set(re.findall(r'<li><a href="#([^"]*)">', page))
    assert links == {"title", "weeks", "size_max", "start", "questions-goal-weight"}


def test_new_with_a_nul_in_a_text(session: Session, browser: FlaskClient) -> None:
    assert browser.post("/organise/new", data=course_form(title="Po\x00ems")).status_code == 302
    assert session.scalars(select(Course.title)).all() == ["Poems"]


def test_new_with_nothing_sent(browser: FlaskClient) -> None:
    assert browser.post("/organise/new", data={}).status_code == 422


def test_settings_change_a_course(session: Session, course: Course, browser: FlaskClient) -> None:
    answer = browser.post(
        "/organise/poems/settings", data=course_form(title="Verses", slug="poems", weeks="10")
    )
    session.refresh(course)
    assert (answer.location, course.title, course.weeks) == ("/organise/poems", "Verses", 10)


def test_settings_keep_an_unusual_weight_and_length(
    session: Session, course: Course, browser: FlaskClient
) -> None:
    course.meeting_minutes = 210
    course.questions[0].weight = 2.5
    session.commit()
    assert course.meeting_minutes not in LENGTHS
    page = browser.get("/organise/poems/settings").get_data(as_text=True)
    assert '<option selected value="210">' in page
    assert '<option selected value="2.5">' in page
    form = course_form(slug="poems", meeting_minutes="210", **{"questions-interests-weight": "2.5"})
    assert browser.post("/organise/poems/settings", data=form).status_code == 302


def test_settings_change_the_address_of_a_draft(
    session: Session, organiser: User, browser: FlaskClient
) -> None:
    make_course(session, organiser, slug="draft", state=CourseState.DRAFT)
    session.commit()
    answer = browser.post("/organise/draft/settings", data=course_form(slug="verses"))
    assert answer.location == "/organise/verses"


def test_settings_with_an_address_that_is_taken(
    session: Session, course: Course, organiser: User, browser: FlaskClient
) -> None:
    make_course(session, organiser, slug="draft", state=CourseState.DRAFT)
    session.commit()
    answer = browser.post("/organise/draft/settings", data=course_form(slug="poems"))
    assert answer.status_code == 422
    assert 'href="#slug"' in answer.get_data(as_text=True)


def test_settings_of_a_running_course_keep_its_times(
    session: Session, course: Course, browser: FlaskClient
) -> None:
    course.state = CourseState.RUNNING
    session.commit()
    answer = browser.post("/organise/poems/settings", data=course_form(slug="poems", weeks="9"))
    assert (answer.status_code, "told when they meet" in text_of(answer)) == (422, True)


def test_settings_that_raise_the_capacity_let_the_waiting_in(
    session: Session, course: Course, browser: FlaskClient
) -> None:
    course.capacity = 1
    make_signup(session, course)
    waiting = make_signup(session, course, waiting=True)
    session.commit()
    browser.post("/organise/poems/settings", data=course_form(slug="poems", capacity="2"))
    session.refresh(waiting)
    assert waiting.waiting is False


# ---- The desk ----


@pytest.mark.parametrize("state", list(CourseState))
@pytest.mark.parametrize("opens_in", [None, -1, 1])
@pytest.mark.parametrize("closes_in", [None, -1, 2])
def test_every_action_the_desk_offers_is_possible(
    session: Session, state: CourseState, opens_in: int | None, closes_in: int | None
) -> None:
    at = now()
    dates = [None if days is None else at + timedelta(days=days) for days in (opens_in, closes_in)]
    course = make_course(session, state=state, opens_at=dates[0], closes_at=dates[1])
    for action, _, _ in outlook(course, at).actions:
        before = course.state
        MOVES[action][0](session, course)
        course.state = before
        course.opens_at, course.closes_at = dates
        session.flush()


def test_desk_when_nobody_has_signed_up(course: Course, browser: FlaskClient) -> None:
    page = text_of(browser.get("/organise/poems"))
    assert "Nobody has signed up yet" in page
    assert "Sign-up is open" in page


def test_desk_shows_the_link_to_share(course: Course, browser: FlaskClient) -> None:
    assert 'value="http://localhost/c/poems"' in browser.get("/organise/poems").get_data(as_text=True)


@pytest.mark.parametrize("number", [1, 30])
def test_desk_takes_a_fixed_number_of_queries(
    session: Session, course: Course, browser: FlaskClient, count_queries: list[str], number: int
) -> None:
    for each in range(number):
        make_signup(session, course, interests=(f"interest {each}",))
    for _ in range(number):
        session.add(Run(course_id=course.id, state=RunState.CANCELLED))
    session.commit()
    count_queries.clear()
    assert browser.get("/organise/poems").status_code == 200
    selects = [each for each in count_queries if each.startswith("SELECT")]
    assert len(selects) == 8  # account, user twice, course, sign-ups, interests, runs, requests for help


def test_desk_shows_the_week_as_numbers_in_a_zone(
    session: Session, course: Course, browser: FlaskClient
) -> None:
    make_signup(session, course, time_zone="Asia/Tokyo")  # free on Monday 18:00 to 21:00
    session.commit()
    page = browser.get("/organise/poems?zone=Asia/Tokyo").get_data(as_text=True)
    row = re.search(r'<tr><th scope="row">18:00</th>(.*?)</tr>', page)
    assert row is not None
    assert row[1].startswith('<td class="heat-9">1</td><td class="heat-0">')


def test_desk_with_an_unknown_zone(session: Session, course: Course, browser: FlaskClient) -> None:
    make_signup(session, course)
    session.commit()
    for zone in ("../../etc/passwd", "Factory"):
        page = browser.get(f"/organise/poems?zone={zone}")
        assert (page.status_code, "in the time zone UTC" in text_of(page)) == (200, True)


def test_move_opens_and_closes(session: Session, course: Course, browser: FlaskClient) -> None:
    states = []
    for to in ("close", "open", "hide", "open"):
        assert browser.post("/organise/poems/state", data={"to": to}).status_code == 302
        session.refresh(course)
        states.append(course.state)
    assert states == [CourseState.CLOSED, CourseState.OPEN, CourseState.DRAFT, CourseState.OPEN]


def test_move_that_is_not_possible(course: Course, browser: FlaskClient) -> None:
    assert browser.post("/organise/poems/state", data={"to": "finish"}).status_code == 409


def test_move_that_is_unknown(course: Course, browser: FlaskClient) -> None:
    assert browser.post("/organise/poems/state", data={"to": "fly"}).status_code == 400


# ---- Sign-ups ----


def test_signups_filter_by_state_and_text(session: Session, course: Course, browser: FlaskClient) -> None:
    make_signup(session, course, name="Ada Green", email="ada@example.org", interests=("Rilke", "Sappho"))
    make_signup(session, course, name="Bo Green", state=SignupState.PENDING)
    make_signup(session, course, name="Cy_ Blue", waiting=True)
    session.commit()

    def shown(query: str) -> set[str]:
        page = text_of(browser.get(f"/organise/poems/signups{query}"))
        return {name for name in ("Ada Green", "Bo Green", "Cy_ Blue") if name in page}

    assert shown("") == {"Ada Green", "Bo Green", "Cy_ Blue"}
    assert shown("?state=confirmed") == {"Ada Green"}
    assert shown("?state=waiting") == {"Cy_ Blue"}
    assert shown("?q=GREEN") == {"Ada Green", "Bo Green"}
    assert shown("?q=ada@") == {"Ada Green"}
    assert shown("?q=_") == {"Cy_ Blue"}
    assert shown("?q=green&state=pending") == {"Bo Green"}
    assert shown("?q=nobody") == set()


def test_signups_are_paged(session: Session, course: Course, browser: FlaskClient) -> None:
    for number in range(101):
        make_signup(session, course, name=f"Person {number:03d}")
    session.commit()
    first, second = (text_of(browser.get(f"/organise/poems/signups?page={page}")) for page in (1, 2))
    assert ("Person 099" in first, "Person 100" in first) == (True, False)
    assert ("Person 099" in second, "Person 100" in second) == (False, True)
    assert browser.get("/organise/poems/signups?page=-3").status_code == 200
    assert browser.get("/organise/poems/signups?page=99999999999999999999").status_code == 200


@pytest.mark.parametrize("number", [1, 30])
def test_signups_take_a_fixed_number_of_queries(
    session: Session, course: Course, browser: FlaskClient, count_queries: list[str], number: int
) -> None:
    for each in range(number):
        make_signup(session, course, interests=(f"interest {each}",))
    session.commit()
    count_queries.clear()
    browser.get("/organise/poems/signups")
    assert len([each for each in count_queries if each.startswith("SELECT")]) == 4


def test_nobody_learns_who_avoids_whom(session: Session, course: Course, browser: FlaskClient) -> None:
    hidden = "hidden.enemy@example.org"
    signup = make_signup(session, course, avoids=[hidden])
    session.commit()
    pages = ("", "/signups", f"/signups/{signup.key}", "/match", "/runs", "/roster")
    assert [hidden in browser.get(f"/organise/poems{page}").get_data(as_text=True) for page in pages] == [
        False
    ] * 6
    assert "kept private" in text_of(browser.get(f"/organise/poems/signups/{signup.key}"))
    assert "1 learner wants not to be with somebody" in text_of(browser.get("/organise/poems"))


def test_signup_looks_the_same_with_and_without_a_private_answer(
    session: Session, course: Course, browser: FlaskClient
) -> None:
    common = {"name": "Ada Green", "email": "ada@example.org", "created_at": now(), "confirmed_at": now()}
    quiet = make_signup(session, course, **common)
    other = make_course(session, session.get_one(User, 1), slug="verses", title=course.title)
    private = make_signup(session, other, avoids=["x@example.org"], **common)
    session.commit()
    pages = [
        text_of(browser.get(f"/organise/{slug}/signups/{signup.key}"))
        for slug, signup in (("poems", quiet), ("verses", private))
    ]
    assert pages[0] == pages[1]


# ---- Matching ----


def fill(session: Session, course: Course, number: int) -> None:
    for _ in range(number):
        make_signup(session, course)
    session.commit()


def test_match_asks_for_a_run(app: Flask, session: Session, course: Course, browser: FlaskClient) -> None:
    fill(session, course, 4)
    answer = browser.post("/organise/poems/match", data=match_form(time_limit="10"))
    run = session.scalars(select(Run)).one()
    session.refresh(course)
    assert (answer.status_code, answer.location) == (302, f"/organise/poems/runs/{run.key}")
    assert (run.state, run.random_state) == (RunState.QUEUED, 3)
    assert (course.target_size, course.size_max, course.meeting_minutes) == (4, 6, 60)
    assert {each.key: each.weight for each in course.questions}["interests"] == 0.5
    assert app.extensions["jobs"].waiting() == {run.id}


def test_match_keeps_the_rules_chosen_for_the_run(
    session: Session, course: Course, browser: FlaskClient
) -> None:
    fill(session, course, 4)
    chosen = {"worst_off": "0.3", "max_simultaneous": "2", "on_conflict": "unplace", "asynchronous": "y"}
    browser.post("/organise/poems/match", data=match_form(**chosen))
    kept = session.scalars(select(Run)).one().parameters
    assert (kept["worst_off_weight"], kept["max_simultaneous"], kept["on_conflict"]) == (0.3, 2, "unplace")
    assert (kept["asynchronous"], kept["convenor_required"]) == (True, False)


def test_match_locks_the_course_before_it_changes_it(
    session: Session, course: Course, browser: FlaskClient, count_queries: list[str]
) -> None:
    make_signup(session, course)
    browser.post("/organise/poems/match", data=match_form(meeting_minutes="60"))
    on_courses = [each for each in count_queries if "courses" in each and "FOR UPDATE" in each]
    assert len(on_courses) == (0 if session.get_bind().dialect.name == "sqlite" else 1)


def test_match_offers_weights_of_asked_questions_alone(
    session: Session, course: Course, browser: FlaskClient
) -> None:
    fill(session, course, 4)
    goal = next(each for each in course.questions if each.key == "goal")
    goal.asked = False
    session.commit()
    page = browser.get("/organise/poems/match").get_data(as_text=True)
    assert re.findall(r'<select[^>]*name="weights-(\w+)-weight"', page) == [
        "interests",
        "experience",
        "hours_per_week",
        "can_help_with",
        "wants_help_with",
    ]
    before = goal.weight
    assert browser.post("/organise/poems/match", data=match_form()).status_code == 302
    session.refresh(goal)
    assert (goal.weight, goal.asked) == (before, False)


def test_match_pressed_twice_answers_409_with_a_way_on(
    session: Session, course: Course, browser: FlaskClient
) -> None:
    fill(session, course, 4)
    browser.post("/organise/poems/match", data=match_form())
    answer = browser.post("/organise/poems/match", data=match_form())
    run = session.scalars(select(Run)).one()
    assert answer.status_code == 409
    assert f'href="/organise/poems/runs/{run.key}"' in answer.get_data(as_text=True)


def test_match_with_too_few_learners(session: Session, course: Course, browser: FlaskClient) -> None:
    fill(session, course, 3)
    answer = browser.post("/organise/poems/match", data=match_form())
    assert answer.status_code == 422
    assert "only 3 have confirmed" in text_of(answer)
    assert session.scalars(select(Run)).all() == []


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("size_min", "1"),
        ("size_max", "2"),
        ("target_size", "many"),
        ("meeting_minutes", "7"),
        ("random_state", "-1"),
        ("time_limit", "999999"),
        ("worst_off", "7"),
        ("max_simultaneous", "0"),
        ("on_conflict", "guess"),
        ("weights-interests-weight", "11"),
    ],
)
def test_match_with_a_wrong_field(
    session: Session, course: Course, browser: FlaskClient, field: str, value: str
) -> None:
    fill(session, course, 4)
    answer = browser.post("/organise/poems/match", data=match_form(**{field: value}))
    assert answer.status_code == 422
    assert f'href="#{field}"' in answer.get_data(as_text=True)
    assert session.scalars(select(Run)).all() == []


def test_match_page_while_a_run_is_under_way(session: Session, course: Course, browser: FlaskClient) -> None:
    session.add(Run(course_id=course.id, state=RunState.RUNNING, progress=0.42, stage="Improving"))
    session.commit()
    page = browser.get("/organise/poems/match").get_data(as_text=True)
    assert "A match is under way" in page
    assert 'value="0.42"' in page
    assert "<form" not in page.partition("<main")[2].partition("</main>")[0]


@pytest.mark.parametrize("state", list(RunState))
def test_run_page_in_every_state(
    session: Session, course: Course, browser: FlaskClient, state: RunState
) -> None:
    published = now() if state is RunState.PUBLISHED else None
    run = make_proposal(
        session, course, state=state, published_at=published, reason="Nobody is ever free.", progress=0.5
    )
    page = text_of(browser.get(f"/organise/poems/runs/{run.key}"))
    said = {
        RunState.QUEUED: "Cohorts are being formed",
        RunState.RUNNING: "Cohorts are being formed",
        RunState.PROPOSED: "Publish …",
        RunState.PUBLISHED: "Roster",
        RunState.CANCELLED: "This run was cancelled",
        RunState.FAILED: "Nobody is ever free.",
    }
    assert said[state] in page


def test_run_progress_as_json(session: Session, course: Course, browser: FlaskClient) -> None:
    run = make_proposal(session, course, state=RunState.RUNNING, progress=0.25, stage="Improving")
    answer = browser.get(f"/organise/poems/runs/{run.key}.json")
    assert answer.json == {"state": "running", "active": True, "progress": 0.25, "stage": "Improving"}


def test_cancel_a_waiting_run(session: Session, course: Course, browser: FlaskClient) -> None:
    run = make_proposal(session, course, state=RunState.QUEUED)
    assert browser.post(f"/organise/poems/runs/{run.key}/cancel").status_code == 302
    session.refresh(run)
    assert run.state is RunState.CANCELLED


def test_proposal_shows_cohorts_and_who_has_none(
    session: Session, course: Course, browser: FlaskClient
) -> None:
    run = make_proposal(session, course, cohorts=2)
    page = text_of(browser.get(f"/organise/poems/runs/{run.key}"))
    assert "Everybody likes sonnets." in page
    assert "Lonely Learner" in page
    assert "No common hour." in page
    assert "One more evening." in page
    assert "No other proposal can score more than 11.1% higher" in page


def test_proposal_in_both_orders(session: Session, course: Course, browser: FlaskClient) -> None:
    run = make_proposal(session, course, cohorts=3)

    def order(by: str) -> list[str]:
        page = browser.get(f"/organise/poems/runs/{run.key}?by={by}").get_data(as_text=True)
        return re.findall(r"<h3>(Cohort \d)</h3>", page)

    assert order("worst") == ["Cohort 3", "Cohort 2", "Cohort 1"]
    assert order("name") == ["Cohort 1", "Cohort 2", "Cohort 3"]


def test_proposal_shows_times_in_a_zone(session: Session, course: Course, browser: FlaskClient) -> None:
    run = make_proposal(session, course)  # Monday 23:00 and Wednesday 12:00 in Berlin
    own = text_of(browser.get(f"/organise/poems/runs/{run.key}"))
    tokyo = text_of(browser.get(f"/organise/poems/runs/{run.key}?zone=Asia/Tokyo"))
    assert "Monday 23:00–00:30" in own
    assert "Tuesday 07:00–08:30" in tokyo


@pytest.mark.parametrize("cohorts", [1, 30])
def test_proposal_takes_a_fixed_number_of_queries(
    session: Session, course: Course, browser: FlaskClient, count_queries: list[str], cohorts: int
) -> None:
    run = make_proposal(session, course, cohorts=cohorts)
    count_queries.clear()
    browser.get(f"/organise/poems/runs/{run.key}")
    assert len([each for each in count_queries if each.startswith("SELECT")]) == 10


def test_proposal_without_any_cohort(session: Session, course: Course, browser: FlaskClient) -> None:
    run = make_proposal(session, course, cohorts=0, objective=0.0, bound=0.0)
    assert browser.get(f"/organise/poems/runs/{run.key}").status_code == 200


def test_blocks_over_midnight_are_two_pieces(session: Session) -> None:
    course = make_course(session, meeting_minutes=90)
    sunday_night = proposals.Meeting("UTC", 6 * 48 + 46)
    assert proposals.blocks(course, [sunday_night], "UTC") == [(0, 0, 1), (6, 46, 2)]


@pytest.mark.parametrize(
    ("objective", "bound", "words"),
    [
        (10.0, 10.0, "proven best"),
        (10.0, 10.001, "0.1% higher"),
        (9.0, 10.0, "11.1% higher"),
        (None, None, ""),
        (0.0, 0.0, ""),
    ],
)
def test_gap_in_words(objective: float | None, bound: float | None, words: str) -> None:
    said = proposals.gap_in_words(Run(objective=objective, bound=bound))
    assert (words in said, bool(said)) == (True, bool(words))


# ---- Publishing ----


def test_publish_says_first_how_many_mails_go(session: Session, course: Course, browser: FlaskClient) -> None:
    run = make_proposal(session, course)
    gone = session.scalars(select(Seat).where(Seat.cohort_id.is_not(None)).limit(1)).one().signup
    gone.state = SignupState.WITHDRAWN
    session.commit()
    page = text_of(browser.get(f"/organise/poems/runs/{run.key}/publish"))
    assert "3 learners get a mail with the names" in page
    assert "1 learner gets a mail that says why" in page
    assert "1 learner has withdrawn" in page
    assert session.scalar(select(func.count()).select_from(Mail)) == 0


def test_publish_after_the_meetings_got_longer_says_what_to_do(
    session: Session, course: Course, browser: FlaskClient
) -> None:
    run = make_proposal(session, course, parameters=MatchSettings.of_course(course).as_json())
    course.meeting_minutes += 30
    for send in (browser.get, browser.post):
        answer = send(f"/organise/poems/runs/{run.key}/publish")
        assert answer.status_code == 409
        assert "Since this run the course has changed: the length of meetings." in text_of(answer)


def test_publish_makes_cohorts_official(session: Session, course: Course, browser: FlaskClient) -> None:
    run = make_proposal(session, course)
    answer = browser.post(f"/organise/poems/runs/{run.key}/publish")
    session.refresh(run)
    session.refresh(course)
    assert (answer.status_code, run.state, course.state) == (302, RunState.PUBLISHED, CourseState.RUNNING)
    assert session.scalar(select(func.count()).select_from(Membership)) == 4
    assert sorted(session.scalars(select(Mail.kind))) == ["placed"] * 4 + ["unplaced"]


@pytest.mark.parametrize("state", list(CourseState))
def test_publish_starts_a_course_from_every_state(
    session: Session, course: Course, browser: FlaskClient, state: CourseState
) -> None:
    run = make_proposal(session, course)
    course.state = state
    session.commit()
    assert browser.post(f"/organise/poems/runs/{run.key}/publish").status_code == 302
    session.refresh(course)
    assert course.state is CourseState.RUNNING


def test_publish_twice_answers_409_and_mails_once(
    session: Session, course: Course, browser: FlaskClient
) -> None:
    run = make_proposal(session, course)
    answers = [browser.post(f"/organise/poems/runs/{run.key}/publish") for _ in range(2)]
    assert [answer.status_code for answer in answers] == [302, 409]
    assert f'href="/organise/poems/runs/{run.key}"' in answers[1].get_data(as_text=True)
    assert session.scalar(select(func.count()).select_from(Mail)) == 5


def at_once(browsers: list[FlaskClient], path: str, **form: str) -> list[int]:
    """Post from several browsers at the same moment; the statuses of the answers, in order."""
    start = Barrier(len(browsers))

    def post(browser: FlaskClient) -> int:
        start.wait()
        return browser.post(path, data=form).status_code

    with ThreadPoolExecutor(len(browsers)) as threads:
        return sorted(threads.map(post, browsers))


def test_publish_from_four_browsers_at_once(
    session: Session, course: Course, organiser: User, signed_in: SignIn
) -> None:
    run = make_proposal(session, course)
    browsers = [signed_in(organiser) for _ in range(4)]
    assert at_once(browsers, f"/organise/poems/runs/{run.key}/publish") == [302, 409, 409, 409]
    assert session.scalar(select(func.count()).select_from(Mail)) == 5


def test_match_from_four_browsers_at_once(
    session: Session, course: Course, organiser: User, signed_in: SignIn
) -> None:
    fill(session, course, 4)
    browsers = [signed_in(organiser) for _ in range(4)]
    assert at_once(browsers, "/organise/poems/match", **match_form()) == [302, 409, 409, 409]
    assert session.scalar(select(func.count()).select_from(Run)) == 1


@pytest.mark.parametrize("state", [RunState.FAILED, RunState.CANCELLED, RunState.RUNNING])
def test_publish_what_is_no_proposal(
    session: Session, course: Course, browser: FlaskClient, state: RunState
) -> None:
    run = make_proposal(session, course, state=state)
    address = f"/organise/poems/runs/{run.key}/publish"
    assert [browser.get(address).status_code, browser.post(address).status_code] == [409, 409]


def test_mails_after_publishing_say_who_when_and_why(
    session: Session, course: Course, browser: FlaskClient, links: Links
) -> None:
    run = make_proposal(session, course)
    browser.post(f"/organise/poems/runs/{run.key}/publish", data={"at_once": "1"})
    mails = {mail.kind: mail for mail in session.scalars(select(Mail).order_by(Mail.id))}
    words = {}
    for kind, mail in mails.items():
        message = notices.render(session, mail, links, "cohorts@example.org")
        assert message is not None
        assert mail.signup is not None
        words[kind] = " ".join(message.get_content().split())
        assert links.learner(mail.signup) in words[kind]
    members = session.scalars(select(Signup.name).where(Signup.name != "Lonely Learner")).all()
    assert all(name in words["placed"] for name in members)
    assert "Your first meeting: Monday, 11 January 2027, 22:00" in words["placed"]  # 23:00 in Berlin
    assert "Why: No common hour." in words["unplaced"]
    assert "What would help: One more evening." in words["unplaced"]


def test_roster_before_anything_is_published(course: Course, browser: FlaskClient) -> None:
    assert "No cohorts are published yet" in text_of(browser.get("/organise/poems/roster"))


def test_roster_is_filtered(session: Session, course: Course, browser: FlaskClient) -> None:
    run = make_proposal(session, course, cohorts=2)
    browser.post(f"/organise/poems/runs/{run.key}/publish")

    def cohorts(query: str) -> set[str]:
        return set(re.findall(r"Cohort \d", text_of(browser.get(f"/organise/poems/roster{query}"))))

    assert cohorts("") == {"Cohort 1", "Cohort 2"}
    assert cohorts("?q=cohort+2") == {"Cohort 2"}
    assert "No row fits" in text_of(browser.get("/organise/poems/roster?q=nobody"))


@pytest.mark.parametrize("name", ["csv", "xlsx", "json", "ics"])
def test_roster_as_a_file(session: Session, course: Course, browser: FlaskClient, name: str) -> None:
    run = make_proposal(session, course)
    browser.post(f"/organise/poems/runs/{run.key}/publish")
    answer = browser.get(f"/organise/poems/roster.{name}")
    assert answer.status_code == 200
    assert answer.headers["Content-Disposition"] == f'attachment; filename="poems-roster.{name}"'
    assert len(answer.data) > 0


def test_roster_in_an_unknown_format(course: Course, browser: FlaskClient) -> None:
    assert browser.get("/organise/poems/roster.exe").status_code == 404


# ---- What a page may not do ----


def test_no_get_changes_anything(
    app: Flask, database: Database, session: Session, course: Course, browser: FlaskClient
) -> None:
    run = make_proposal(session, course)
    counts = [
        select(func.count()).select_from(table) for table in (Course, Signup, Run, Mail, Membership, Interest)
    ]
    before = [session.scalar(count) for count in counts]
    for path in ("", "/settings", "/signups", "/import", "/match", "/runs", f"/runs/{run.key}", "/roster"):
        assert browser.get(f"/organise/poems{path}").status_code == 200
    assert browser.get(f"/organise/poems/runs/{run.key}/publish").status_code == 200
    assert [session.scalar(count) for count in counts] == before


def test_no_page_has_inline_styles_or_scripts(session: Session, course: Course, browser: FlaskClient) -> None:
    run = make_proposal(session, course)
    for path in ("", "/settings", "/signups", "/import", "/match", "/runs", f"/runs/{run.key}", "/roster"):
        page = browser.get(f"/organise/poems{path}").get_data(as_text=True)
        assert re.findall(r"<style|\sstyle=|\son\w+=|<script(?![^>]*src=)", page) == []


@pytest.mark.parametrize("state", [CourseState.CLOSED, CourseState.RUNNING])
def test_desk_lets_late_learners_in_by_hand(
    session: Session, course: Course, browser: FlaskClient, state: CourseState
) -> None:
    course.state = state
    late = make_signup(session, course, waiting=True)
    session.commit()
    assert "Give 1 waiting learner a place" in text_of(browser.get("/organise/poems"))
    assert browser.post("/organise/poems/state", data={"to": "admit"}).status_code == 302
    session.refresh(late)
    assert late.waiting is False
    assert "waiting learner a place" not in text_of(browser.get("/organise/poems"))

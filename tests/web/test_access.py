"""Who may see what: every route of the site, asked by everybody it is not meant for."""

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from cohorts import dry_runs
from cohorts.database import Database
from cohorts.door import MatchSettings
from cohorts.links import Links
from cohorts.models import (
    Base,
    Cohort,
    Course,
    CourseOrganiser,
    CourseRole,
    ExportPreset,
    FacilitatedCohort,
    Membership,
    Run,
    RunKind,
    RunState,
    Signup,
    Upload,
    User,
)
from tests.factories import make_cohort, make_course, make_signup, make_user
from web import logbook

PUBLIC = {"static", "learner.home", "auth.sign_in", "auth.confirm_sign_in", "auth.sign_out"}
"""Routes that are for everybody; each has tests of its own."""

PUBLIC_COURSE = {
    "learner.course",
    "learner.sign_up",
    "learner.thanks",
    "learner.count_overlap",
    "learner.ask_for_old_answers",
}

GOVERNED = {"people", "invite", "revoke", "give_role", "remove", "log"}
"""Views for owners alone."""

LOOKED_AT = {
    "desk", "signups", "signup", "run_list", "run", "run_progress", "preview", "roster", "cohort", "export",
    "export_page", "chosen", "print_roster",
    "share", "qr", "figures", "connections", "connections_drawn", "rematched", "compare", "fairness",
}  # fmt: skip
"""Views that show something and can change nothing, which readers see."""

TENDED = {"roster", "cohort", "fix_meeting", "set_channel"}
"""Views that facilitators see, each with their own cohorts alone."""

KEYS = ("run", "rematch", "upload", "signup", "cohort", "preset")
"""What a key in an address may be the key of."""

SIGN_UPS = b"email,time_zone,availability\nnew@example.org,UTC,Mon 18:00-20:00\n"


def everything(database: Database) -> dict[str, list[object]]:
    with database.engine.connect() as connection:
        return {table.name: list(connection.execute(select(table))) for table in Base.metadata.sorted_tables}


@pytest.fixture
def foreign(database: Database, links: Links) -> dict[str, str]:
    """A course with a run, an upload and a learner, none of which is the asker's."""
    with database.transaction() as session:
        owner = make_user(session)
        course = make_course(session, owner, slug="foreign", title="Kept from strangers")
        learner = make_signup(session, course, name="Secret Name")
        parameters = MatchSettings.of_course(course).as_json()
        run = Run(course=course, state=RunState.PROPOSED, parameters=parameters, n_learners=1, n_placed=1)
        official = make_cohort(session, make_signup(session, course, name="Secret Member"))
        cohort = Cohort(run=run, position=1, name="Cohort 1", score=0.5, meetings=[["UTC", 36]])
        upload = Upload(course_id=course.id, user_id=owner.id, name="a.csv", content=SIGN_UPS)
        preset = ExportPreset(course_id=course.id, name="Secret Name", format="csv")
        rematch = Run(course=course, kind=RunKind.REMATCH, state=RunState.PROPOSED, n_learners=1, n_placed=1)
        session.add_all([run, cohort, upload, preset, rematch])
        session.flush()
        dry_runs.ask(session, upload)
        session.add(Membership(signup_id=learner.id, cohort_id=cohort.id))
        return {
            "slug": course.slug,
            "run": run.key,
            "rematch": rematch.key,
            "upload": upload.key,
            "signup": learner.key,
            "cohort": official.key,
            "preset": preset.key,
            "token": links.learner_token(learner),
            "person": str(owner.id),
        }


def paths(app: Flask, blueprint: str, values: dict[str, str]) -> list[tuple[str, str]]:
    """Return (method, path) for every route of a blueprint; every argument must be known here."""
    adapter = app.url_map.bind("localhost")
    found = []
    for rule in app.url_map.iter_rules():
        if rule.endpoint.split(".")[0] != blueprint or rule.endpoint in PUBLIC | PUBLIC_COURSE:
            continue
        for method in (rule.methods or set()) & {"GET", "POST"}:
            for key in KEYS if "key" in rule.arguments else ("run",):
                arguments = {
                    name: values[key] if name == "key" else values.get(name, "csv") for name in rule.arguments
                }
                found.append((method, adapter.build(rule.endpoint, arguments, method=method)))
    return found


def test_organisers_pages_show_strangers_nothing(
    app: Flask, database: Database, foreign: dict[str, str], signed_in: Callable[[User], FlaskClient]
) -> None:
    with database.transaction() as session:
        stranger = make_user(session)
    browser = signed_in(stranger)
    before = everything(database)
    asked = [(m, p) for m, p in paths(app, "organiser", foreign) if "foreign" in p]
    assert len(asked) >= 15
    for method, path in asked:
        answer = browser.open(path, method=method)
        assert (answer.status_code, path) == (404, path)
        assert "Kept from strangers" not in answer.text
        assert "Secret Name" not in answer.text
        assert "Secret Member" not in answer.text
    assert everything(database) == before


def test_organisers_pages_ask_nobody_to_sign_in(
    app: Flask, client: FlaskClient, database: Database, foreign: dict[str, str]
) -> None:
    before = everything(database)
    for method, path in paths(app, "organiser", foreign):
        answer = client.open(path, method=method)
        assert (answer.status_code, path) == (302, path)
        assert answer.headers["Location"].startswith("/sign-in")
    assert everything(database) == before


@pytest.mark.parametrize("spoil", [lambda t: t[:-2] + "xx", lambda t: "nonsense", lambda t: t.swapcase()])
def test_learners_pages_open_by_their_own_link_alone(
    app: Flask,
    client: FlaskClient,
    database: Database,
    foreign: dict[str, str],
    spoil: Callable[[str], str],
) -> None:
    before = everything(database)
    asked = paths(app, "learner", foreign | {"token": spoil(foreign["token"])})
    assert len(asked) >= 8
    for method, path in asked:
        answer = client.open(path, method=method)
        assert (answer.status_code, path) == (404, path)
        assert "Secret Name" not in answer.text
    assert everything(database) == before


def test_learners_link_shows_nobody_elses_answers(
    app: Flask, client: FlaskClient, database: Database, foreign: dict[str, str], links: Links
) -> None:
    with database.transaction() as session:
        owner = session.scalars(select(Signup).where(Signup.name == "Secret Name")).one()
        other = make_signup(session, owner.course, name="Curious Other")
        token = links.learner_token(other)
    shown = 0
    for method, path in paths(app, "learner", foreign | {"token": token}):
        if method == "GET":
            answer = client.get(path)
            assert "Secret Name" not in answer.text
            shown += "Curious Other" in answer.text
    assert shown >= 1


def test_opening_pages_changes_nothing(
    app: Flask, database: Database, foreign: dict[str, str], signed_in: Callable[[User], FlaskClient]
) -> None:
    with database.reading() as session:
        owner = session.scalars(select(User)).first()
    assert owner is not None
    browser = signed_in(owner)
    before = everything(database)
    opened = 0
    for blueprint in ("organiser", "learner"):
        for method, path in paths(app, blueprint, foreign):
            if method == "GET":
                for asking in (browser.get, browser.head):
                    with asking(path) as answer:
                        assert answer.status_code in (200, 302, 404, 409), path
                        opened += answer.status_code == 200
    assert opened >= 20
    assert everything(database) == before


def with_role(database: Database, role: CourseRole, *, tending: str = "") -> User:
    """Somebody who has a role in the foreign course, and looks after the cohort with a key."""
    with database.transaction() as session:
        user = make_user(session)
        course = session.scalars(select(Course).where(Course.slug == "foreign")).one()
        session.add(CourseOrganiser(course_id=course.id, user_id=user.id, role=role))
        if tending:
            cohort = session.scalars(select(Cohort).where(Cohort.key == tending)).one()
            session.add(FacilitatedCohort(user_id=user.id, cohort_id=cohort.id))
    return user


def views(app: Flask, values: dict[str, str]) -> list[tuple[str, str, str]]:
    """Return (method, path, name of the view) for every page of a course."""
    adapter = app.url_map.bind("localhost")
    asked = [(m, p) for m, p in paths(app, "organiser", values) if "foreign" in p]
    return [(m, p, adapter.match(p, method=m)[0].removeprefix("organiser.")) for m, p in asked]


def test_organisers_see_all_but_what_owners_see(
    app: Flask, database: Database, foreign: dict[str, str], signed_in: Callable[[User], FlaskClient]
) -> None:
    browser = signed_in(with_role(database, CourseRole.ORGANISER))
    before = everything(database)
    for method, path, view in views(app, foreign):
        if method == "GET" or view in GOVERNED:
            status = browser.open(path, method=method).status_code
            assert (status == 403) == (view in GOVERNED), (method, path, status)
    assert everything(database) == before


def test_readers_change_nothing(
    app: Flask, database: Database, foreign: dict[str, str], signed_in: Callable[[User], FlaskClient]
) -> None:
    browser = signed_in(with_role(database, CourseRole.READER))
    before = everything(database)
    seen = set()
    for method, path, view in views(app, foreign):
        answer = browser.open(path, method=method)
        if view not in LOOKED_AT:
            assert (answer.status_code, method, path) == (403, method, path)
        elif answer.status_code == 200:
            seen.add(view)
            if answer.content_type.startswith("text/html"):
                content = answer.text.partition("<main")[2].partition("</main>")[0]
                assert 'method="post"' not in content, path
    assert seen >= LOOKED_AT - {"run_progress"}
    assert everything(database) == before


def test_facilitators_see_their_own_cohorts_alone(
    app: Flask, database: Database, foreign: dict[str, str], signed_in: Callable[[User], FlaskClient]
) -> None:
    with database.transaction() as session:
        course = session.scalars(select(Course).where(Course.slug == "foreign")).one()
        own = make_cohort(session, make_signup(session, course, name="Own Member")).key
    browser = signed_in(with_role(database, CourseRole.FACILITATOR, tending=own))
    before = everything(database)
    for method, path, view in views(app, foreign):
        answer = browser.open(path, method=method)
        assert "Secret" not in answer.text, path
        expected = 403 if view not in TENDED else 200 if view == "roster" else 404
        assert (answer.status_code, method, path) == (expected, method, path)
    assert everything(database) == before
    roster = browser.get("/organise/foreign/roster").text
    assert "Own Member" in roster
    page = browser.get(f"/organise/foreign/cohorts/{own}")
    assert (page.status_code, "Own Member" in page.text) == (200, True)
    channel = {"channel": "https://chat.example.org/room"}
    assert browser.post(f"/organise/foreign/cohorts/{own}/channel", data=channel).status_code == 302
    with database.reading() as session:
        assert session.scalars(select(Cohort.channel).where(Cohort.key == own)).one() == channel["channel"]


def test_every_post_to_a_course_has_words_in_the_log(app: Flask) -> None:
    posts = {
        rule.endpoint.partition(".")[2]
        for rule in app.url_map.iter_rules()
        if rule.endpoint.startswith("organiser.") and "POST" in (rule.methods or ())
    }
    assert len(posts) >= 15
    assert posts <= logbook.ACTIONS.keys() | logbook.QUIET, "say in web.logbook.ACTIONS what these do"


def test_every_post_that_changes_something_is_in_the_log(
    app: Flask, database: Database, foreign: dict[str, str], signed_in: Callable[[User], FlaskClient]
) -> None:
    with database.reading() as session:
        owner = session.scalars(select(User)).first()
    assert owner is not None
    browser = signed_in(owner)
    channel = {"channel": "https://chat.example.org/room", "to": "close", "email": "new@example.org"}
    noted = set()
    for method, path, view in views(app, foreign):
        if method != "POST" or view in {"remove", "give_role", *logbook.QUIET}:
            continue
        before = everything(database)
        answer = browser.post(path, data=channel | {"role": "reader"})
        after = everything(database)
        entries = after["audit_log"][len(before["audit_log"]) :]
        assert bool(entries) == (after != before), (path, answer.status_code)
        noted |= {entry.action for entry in entries}  # type: ignore[attr-defined]
        assert all(entry.user_id == owner.id for entry in entries)  # type: ignore[attr-defined]
    assert noted >= {"move", "invite", "apply", "publish"}

"""Who may see what: every route of the site, asked by everybody it is not meant for."""

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from cohorts.database import Database
from cohorts.door import MatchSettings
from cohorts.links import Links
from cohorts.models import Base, Cohort, Membership, Run, RunState, Signup, Upload, User
from tests.factories import make_cohort, make_course, make_signup, make_user

PUBLIC = {"static", "learner.home", "auth.sign_in", "auth.confirm_sign_in", "auth.sign_out"}
"""Routes that are for everybody; each has tests of its own."""

PUBLIC_COURSE = {
    "learner.course",
    "learner.sign_up",
    "learner.thanks",
    "learner.count_overlap",
    "learner.ask_for_old_answers",
}

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
        session.add_all([run, cohort, upload])
        session.flush()
        session.add(Membership(signup_id=learner.id, cohort_id=cohort.id))
        return {
            "slug": course.slug,
            "run": run.key,
            "upload": upload.key,
            "signup": learner.key,
            "cohort": official.key,
            "token": links.learner_token(learner),
        }


def paths(app: Flask, blueprint: str, values: dict[str, str]) -> list[tuple[str, str]]:
    """Return (method, path) for every route of a blueprint; every argument must be known here."""
    adapter = app.url_map.bind("localhost")
    found = []
    for rule in app.url_map.iter_rules():
        if rule.endpoint.split(".")[0] != blueprint or rule.endpoint in PUBLIC | PUBLIC_COURSE:
            continue
        for method in (rule.methods or set()) & {"GET", "POST"}:
            for key in ("run", "upload", "signup", "cohort") if "key" in rule.arguments else ("run",):
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

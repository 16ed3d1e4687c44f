"""Every route, asked by everybody, with every method: who gets in, and what the others are answered.

The routes come from the URL map. One that is in no list below fails the first test.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.routing import Rule

from cohorts import people, tokens
from cohorts.database import Database
from cohorts.links import Links
from cohorts.models import Course, CourseRole, Role, User, now
from cohorts.policies import MAY, Act
from cohorts.tokens import Scope
from tests.factories import make_course, make_signup, make_user
from tests.web.test_access import GOVERNED, KEYS, LOOKED_AT, TENDED, everything, foreign, with_role

__all__ = ["foreign"]

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
VISITED = {"roster", "cohort"}

FOR_ALL = {
    "static", "learner.home", "learner.course", "learner.sign_up", "learner.thanks", "learner.count_overlap",
    "learner.ask_for_old_answers", "auth.sign_in", "auth.sign_out", "auth.change_language",
    "auth.second_step", "health.alive", "health.ready", "api-docs.openapi_json",
}  # fmt: skip
"""For everybody."""

BY_A_SECRET = {
    "auth.confirm_sign_in": "token", "auth.join": "token", "learner.ask_to_stop_mails": "token",
    "learner.stop_mails": "token", "learner.ask_to_stop_help_mails": "token",
    "learner.stop_help_mails": "token", "learner.subscription": "feed",
}  # fmt: skip
"""For whoever has a link of its own kind; the name is that of the secret in the address."""

OF_A_LEARNER = {
    "add_connection", "answer", "ask_for_another", "ask_for_help", "ask_to_erase", "attended", "be_findable",
    "block", "calendar", "change_language", "changes", "channel", "check_in", "choose_mails", "cohort",
    "come_back", "confirm", "connections", "deny_connection", "disown", "download", "edit", "erase", "fix",
    "join", "leave", "leave_cohort", "left_cohort", "mails", "meeting", "mine", "my_data", "pause", "rejoin",
    "renew_calendar", "resume", "save", "save_check_in", "say_still_here", "sign_up_again", "still_here",
    "support", "take_back", "take_back_connection", "take_seat", "tick", "unblock", "vote", "withdraw",
}  # fmt: skip
"""For whoever has the personal link of a learner."""

SIGNED_IN = {
    "organiser.courses", "organiser.new", "account.confirm_factor", "account.make_token",
    "account.prepare_factor", "account.remove_factor", "account.revoke_token", "account.security",
    "account.sign_out_elsewhere", "account.tokens",
}  # fmt: skip
"""For whoever is signed in, about what is theirs."""

CHANGED = {
    "accept_rematch", "answer_request", "apply", "apply_connections", "board", "cancel", "change_board",
    "connection_columns", "copy", "decline_rematch", "discard", "discard_connections", "discard_letter",
    "dry_run", "edit_letter", "import_", "import_columns", "import_connections", "import_progress", "letter",
    "letters", "look_again", "make_move", "match", "move", "move_question", "new_question",
    "preview_connections", "publish", "question", "refused_rows", "rehearse", "rematch", "rematch_rule",
    "remove_connections", "remove_preset", "remove_question", "rerun", "save_preset", "send_letter",
    "settings", "study_connections", "take_it_back", "take_rematch_back", "try_letter", "weigh", "weighed",
    "weighing", "write_letter",
}  # fmt: skip
"""For those who may change the course."""

WITH_A_TOKEN: dict[str, tuple[Scope, Act | None]] = {
    "list_courses": (Scope.READ, None),
    "get_course": (Scope.READ, Act.VISIT),
    "list_signups": (Scope.READ, Act.LOOK),
    "get_signup": (Scope.READ, Act.LOOK),
    "add_signups": (Scope.SIGNUPS, Act.CHANGE),
    "list_runs": (Scope.READ, Act.LOOK),
    "start_run": (Scope.RUNS, Act.CHANGE),
    "get_run": (Scope.READ, Act.LOOK),
    "cancel_run": (Scope.RUNS, Act.CHANGE),
    "list_proposed_cohorts": (Scope.READ, Act.LOOK),
    "list_cohorts": (Scope.READ, Act.VISIT),
    "get_cohort": (Scope.READ, Act.VISIT),
    "list_connections": (Scope.READ, Act.LOOK),
    "add_connections": (Scope.CONNECTIONS, Act.CHANGE),
    "list_roster": (Scope.READ, Act.LOOK),
    "get_roster_file": (Scope.READ, Act.LOOK),
}
"""Operations of the API: the scope a token needs, and what its user has to be allowed in the course."""


def act_of(view: str) -> Act:
    """What somebody has to be allowed in a course to see this view of it."""
    if view in GOVERNED:
        return Act.GOVERN
    if view in VISITED:
        return Act.VISIT
    if view in TENDED:
        return Act.TEND
    return Act.LOOK if view in LOOKED_AT else Act.CHANGE


def rules(app: Flask, blueprint: str = "") -> Iterator[Rule]:
    for rule in app.url_map.iter_rules():
        if not blueprint or rule.endpoint.split(".")[0] == blueprint:
            yield rule


def test_every_route_is_in_one_list(app: Flask) -> None:
    of_courses = CHANGED | LOOKED_AT | TENDED | GOVERNED
    listed = [
        *FOR_ALL,
        *BY_A_SECRET,
        "health.metrics",
        *SIGNED_IN,
        *(f"learner.{view}" for view in OF_A_LEARNER),
        *(f"organiser.{view}" for view in of_courses),
        *(f"api.{view}" for view in WITH_A_TOKEN),
    ]
    assert len(set(listed)) == len(listed)
    assert not CHANGED & (LOOKED_AT | TENDED | GOVERNED)
    assert set(listed) == {rule.endpoint for rule in rules(app)}


def asked(app: Flask, rule: Rule, method: str, values: dict[str, str]) -> list[str]:
    """Return the addresses of a route in the foreign course; what a key is the key of is tried in turn."""
    adapter = app.url_map.bind("localhost")
    keys = KEYS if "key" in rule.arguments else KEYS[:1]
    allowed = next(iter(rule.methods or {"GET"}))
    return [
        adapter.build(
            rule.endpoint,
            {name: values[key] if name == "key" else values.get(name, "csv") for name in rule.arguments},
            method=allowed,
        )
        for key in keys
    ]


@dataclass(frozen=True)
class Asker:
    """Somebody who asks: what they are in the foreign course, if anything, and their browser."""

    role: CourseRole | None
    browser: FlaskClient


ASKERS = ["nobody", "learner", "other organiser", "facilitator", "reader", "organiser", "owner", "admin"]


@pytest.fixture
def asker(
    request: pytest.FixtureRequest,
    app: Flask,
    database: Database,
    links: Links,
    foreign: dict[str, str],
    signed_in: Callable[[User], FlaskClient],
) -> Asker:
    who: str = request.param
    if who == "nobody":
        return Asker(None, app.test_client())
    if who == "learner":  # a learner has no account; their browser has been on pages of their own
        browser = app.test_client()
        with database.transaction() as session:
            other = make_signup(session, make_course(session))
            token = links.learner_token(other)
        assert browser.get(f"/l/{token}").status_code == 200
        return Asker(None, browser)
    if who in ("other organiser", "admin"):
        with database.transaction() as session:
            user = make_user(session, role=Role.ADMIN if who == "admin" else Role.ORGANISER)
            make_course(session, user, title="Their own")
        return Asker(CourseRole.OWNER if who == "admin" else None, signed_in(user))
    role = CourseRole(who)
    return Asker(role, signed_in(with_role(database, role)))


each_asker = pytest.mark.parametrize("asker", ASKERS, indirect=True)
on_sqlite = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
"""What is asked here is decided before any database is; PostgreSQL would answer the same."""


@on_sqlite
@each_asker
def test_pages_of_a_course(
    app: Flask, foreign: dict[str, str], asker: Asker, request: pytest.FixtureRequest
) -> None:
    who = request.node.callspec.params["asker"]
    tried = 0
    for rule in rules(app, "organiser"):
        if rule.endpoint in SIGNED_IN:
            continue
        act = act_of(rule.endpoint.removeprefix("organiser."))
        for method in METHODS:
            statuses = set()
            for path in asked(app, rule, method, foreign):
                with asker.browser.open(path, method=method) as answer:
                    statuses.add(answer.status_code)
                    to_sign_in = answer.headers.get("Location", "").startswith("/sign-in")
            told = (who, method, rule.rule, statuses)
            tried += 1
            if method not in (rule.methods or ()):
                # Another route may take this address with that method, for whoever may go there.
                assert statuses <= {405, 404, 403, 302} or (asker.role and act in MAY[asker.role]), told
            elif who in ("nobody", "learner"):
                assert statuses == {302}, told
                assert to_sign_in, told
            elif asker.role is None:
                assert statuses == {404}, told
            elif act not in MAY[asker.role]:
                assert statuses == {403}, told
            else:
                assert 403 not in statuses, told
                assert not any(status >= 500 for status in statuses), told
                if method == "GET" and rule.arguments == {"slug"}:
                    assert statuses & {200, 302, 409, 422}, told
    assert tried > 400


@on_sqlite
@each_asker
def test_pages_of_whoever_is_signed_in(
    app: Flask, foreign: dict[str, str], asker: Asker, request: pytest.FixtureRequest
) -> None:
    is_in = request.node.callspec.params["asker"] not in ("nobody", "learner")
    for rule in rules(app):
        if rule.endpoint not in SIGNED_IN:
            continue
        for method in {"GET", "POST"} & (rule.methods or set()):
            path = asked(app, rule, method, foreign)[0]
            answer = asker.browser.open(path, method=method)
            to_sign_in = answer.headers.get("Location", "").startswith("/sign-in")
            assert to_sign_in != is_in, (rule.rule, answer.status_code)
            assert "Kept from strangers" not in answer.text or asker.role is not None


@on_sqlite
@each_asker
def test_links_open_to_their_own_secret_alone(
    app: Flask, database: Database, links: Links, foreign: dict[str, str], asker: Asker
) -> None:
    with database.transaction() as session:
        other = make_signup(session, make_course(session))
        another_kind = links.calendar(other).rpartition("/")[2].removesuffix(".ics")
    before = everything(database)
    for secret in ("", "x", another_kind, foreign["token"][:-3] + "abc", "%00", "..%2f..%2fetc%2fpasswd"):
        for rule in rules(app):
            name = BY_A_SECRET.get(rule.endpoint, "token")
            view = rule.endpoint.removeprefix("learner.")
            if rule.endpoint not in BY_A_SECRET and not (
                rule.endpoint.startswith("learner.") and view in OF_A_LEARNER
            ):
                continue
            if rule.endpoint == "learner.subscription" and secret == another_kind:
                continue
            filled = foreign | {name: "SECRET", "stamp": "20270113T180000Z"}
            for method in ("GET", "POST"):
                if method in (rule.methods or ()):
                    path = asked(app, rule, method, filled)[0].replace("SECRET", secret)
                    answer = asker.browser.open(path, method=method)
                    assert answer.status_code in (404, 405, 308), (path, answer.status_code)
                    assert "Secret" not in answer.text
    assert everything(database) == before


def allowed(user_role: CourseRole | None, needed: Act | None) -> bool:
    return needed is None or (user_role is not None and needed in MAY[user_role])


@on_sqlite
@pytest.mark.parametrize("who", ["nobody", "other organiser", "facilitator", "reader", "organiser", "owner"])
def test_operations_of_the_api(app: Flask, database: Database, foreign: dict[str, str], who: str) -> None:
    with database.transaction() as session:
        if who in ("nobody", "other organiser"):
            user, role = make_user(session), None
        else:
            role = CourseRole(who)
    if role is not None:
        user = with_role(database, role)
    with database.transaction() as session:
        kept = session.get_one(User, user.id)
        texts = {scope: tokens.make(session, kept, "t", [scope], 7, now())[1] for scope in Scope}
    client = app.test_client()
    tried = 0
    for rule in rules(app, "api"):
        needed, act = WITH_A_TOKEN[rule.endpoint.removeprefix("api.")]
        values = {**foreign, "course": "foreign", "format_": "csv"}
        path = asked(app, rule, "GET", values)[0]
        for method in {"GET", "POST"} & (rule.methods or set()):
            for scope in Scope:
                headers = {} if who == "nobody" else {"Authorization": f"Bearer {texts[scope]}"}
                somewhere = {"REMOTE_ADDR": f"192.0.2.{tried}"}  # an address that often fails has to wait
                answer = client.open(
                    path,
                    method=method,
                    headers=headers,
                    json={} if method == "POST" else None,
                    environ_base=somewhere,
                )
                told = (who, method, rule.rule, scope, answer.status_code)
                tried += 1
                if who == "nobody":
                    assert answer.status_code == 401, told
                elif scope is not needed:
                    assert answer.status_code == 403, told
                elif allowed(role, act):
                    assert answer.status_code not in (401, 403), told
                    assert answer.status_code < 500, told
                else:
                    assert answer.status_code == (404 if role is None else 403), told
                assert answer.status_code < 400 or answer.content_type == "application/problem+json"
    assert tried >= 60


@on_sqlite
def test_a_token_of_somebody_who_organises_no_more_opens_nothing(
    app: Flask, database: Database, foreign: dict[str, str]
) -> None:
    user = with_role(database, CourseRole.ORGANISER)
    with database.transaction() as session:
        text = tokens.make(session, session.get_one(User, user.id), "t", [Scope.READ], 7, now())[1]
    client, headers = app.test_client(), {"Authorization": f"Bearer {text}"}
    assert client.get("/api/v1/courses/foreign", headers=headers).status_code == 200
    with database.transaction() as session:
        course = session.scalars(select(Course).where(Course.slug == "foreign")).one()
        people.remove(session, course, user.id)
    assert client.get("/api/v1/courses/foreign", headers=headers).status_code == 404
    with database.transaction() as session:
        session.get_one(User, user.id).active = False
    elsewhere = {"REMOTE_ADDR": "192.0.2.250"}
    assert client.get("/api/v1/courses", headers=headers, environ_base=elsewhere).status_code == 401

"""The JSON API: who may ask what, how often, and what is told."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from cohorts import audit, people, tokens
from cohorts.database import Database
from cohorts.models import (
    ApiToken,
    Cohort,
    Connection,
    Course,
    CourseOrganiser,
    CourseRole,
    Interaction,
    InteractionImport,
    Run,
    RunState,
    Signup,
    SignupState,
    Source,
    User,
    now,
)
from cohorts.tokens import Scope
from tests.factories import ask, make_cohort, make_course, make_signup, make_user
from tests.questions import EXAMPLES

PROBLEM = "application/problem+json"
Ask = Callable[..., TestResponse]


def token_of(database: Database, user: User, *scopes: Scope) -> str:
    with database.transaction() as session:
        return tokens.make(session, session.get_one(User, user.id), "t", scopes or tuple(Scope), 7, now())[1]


@pytest.fixture
def owner(database: Database) -> User:
    """The owner of the course ``music``, with a cohort of three and somebody unconfirmed."""
    with database.transaction() as session:
        user = make_user(session)
        course = make_course(session, user, slug="music", size_min=2)
        people = [make_signup(session, course, ("Jazz",), name=name) for name in ("Ada", "Ben", "Chi")]
        make_cohort(session, *people, name="Larks")
        make_signup(session, course, name="Unsure", state=SignupState.PENDING, avoids=["x@example.org"])
    return user


@pytest.fixture
def api(client: FlaskClient, database: Database, owner: User) -> Ask:
    """Ask the API with a token of the owner that may do everything."""
    text = token_of(database, owner)

    def asking(path: str, body: object = None, token: str = text) -> TestResponse:
        headers = {"Authorization": f"Bearer {token}"}
        path = f"/api/v1{path}"
        return (
            client.get(path, headers=headers)
            if body is None
            else client.post(path, headers=headers, json=body)
        )

    return asking


def test_lists_come_in_pages(api: Ask) -> None:
    names, cursor = [], ""
    while True:
        page = api(f"/courses/music/signups?limit=3{cursor}").json
        assert page is not None
        names += [each["name"] for each in page["items"]]
        if page["next"] is None:
            break
        cursor = f"&cursor={page['next']}"
    assert names == ["Ada", "Ben", "Chi", "Unsure"]
    rows, cursor = [], ""
    while cursor is not None:
        page = api(f"/courses/music/roster?limit=2{cursor and '&cursor=' + cursor}").json
        rows += [each["name"] for each in page["items"]]
        cursor = page["next"]
    assert rows == ["Ada", "Ben", "Chi"]
    assert [each["name"] for each in api("/courses/music/signups?state=pending").json["items"]] == ["Unsure"]
    assert api("/courses/music/roster?cursor=fff").status_code == 422


def test_nobody_learns_whom_somebody_avoids(api: Ask) -> None:
    assert "x@example.org" not in api("/courses/music/signups").text
    assert "avoids" not in api("/courses/music/signups").text


def test_cohorts_are_told_with_their_members(api: Ask, database: Database) -> None:
    (cohort,) = api("/courses/music/cohorts").json["items"]
    assert (cohort["name"], cohort["meeting"]) == ("Larks", {"zone": "Europe/Berlin", "slot": 38})
    assert [each["name"] for each in cohort["members"]] == ["Ada", "Ben", "Chi"]
    assert api(f"/courses/music/cohorts/{cohort['key']}").json == cohort
    (run,) = api("/courses/music/runs").json["items"]
    assert api(f"/courses/music/runs/{run['key']}/cohorts").json["items"] == [cohort]


def test_facilitators_get_their_own_cohorts_and_nothing_else(
    api: Ask, client: FlaskClient, database: Database
) -> None:
    with database.transaction() as session:
        course = session.scalars(select(Course)).one()
        other = make_cohort(session, make_signup(session, course, name="Dora"), name="Owls")
        user = make_user(session)
        role = CourseRole.FACILITATOR
        session.add(CourseOrganiser(course_id=course.id, user_id=user.id, role=role))
        session.flush()
        people.give_role(session, course, user.id, role, [other.key])
        larks = session.scalars(select(Cohort).where(Cohort.name == "Larks")).one().key
    headers = {"Authorization": f"Bearer {token_of(database, user)}"}
    path = "/api/v1/courses/music"
    (found,) = client.get(f"{path}/cohorts", headers=headers).json["items"]
    assert (found["name"], [each["name"] for each in found["members"]]) == ("Owls", ["Dora"])
    assert client.get(f"{path}/cohorts/{other.key}", headers=headers).json["name"] == "Owls"
    assert client.get(f"{path}/cohorts/{larks}", headers=headers).status_code == 404
    for closed in ("signups", "runs", "roster", "rosters/csv", "connections"):
        assert client.get(f"{path}/{closed}", headers=headers).status_code == 403, closed
    assert {each["name"] for each in api("/courses/music/cohorts").json["items"]} == {"Larks", "Owls"}


def test_roster_as_a_file(api: Ask) -> None:
    answer = api("/courses/music/rosters/csv?columns=name&columns=cohort")
    assert answer.content_type == "text/csv; charset=utf-8"
    assert answer.text.splitlines()[:2] == ["name,cohort", "Ada,Larks"]
    assert api("/courses/music/rosters/exe").status_code == 404
    assert api("/courses/music/rosters/csv?columns=shoes").json["errors"] == {
        "columns": ["The roster has no column shoes."]
    }


def test_sign_ups_come_in(api: Ask, database: Database) -> None:
    with database.transaction() as session:
        course = session.scalars(select(Course)).one()
        ask(session, course, *(each.question for each in EXAMPLES.values()))
    key, example = next((each.question.key, each) for each in EXAMPLES.values())
    dora = {"name": "Dora", "email": "Dora@Example.org", "time_zone": "UTC", "availability": [36, 37, 38]}
    dora |= {"custom": {key: example.kept}, "interests": ["Jazz"]}
    dry = api("/courses/music/signups", {"signups": [dora], "dry_run": True}).json
    assert (dry["added"], dry["problems"]) == (1, {})
    assert api("/courses/music/signups", {"signups": [dora]}).json["added"] == 1
    again = api("/courses/music/signups", {"signups": [dora]}).json
    assert (again["added"], again["same"]) == (0, 1)
    hours = {"email": "dora@example.org", "time_zone": "UTC", "availability": [40]}
    assert api("/courses/music/signups", {"signups": [hours]}).json["changed"] == 1
    with database.reading() as session:
        kept = session.scalars(select(Signup).where(Signup.email == "dora@example.org")).one()
        assert (kept.state, kept.availability) == (SignupState.CONFIRMED, frozenset({40}))
        assert kept.custom == {key: example.kept}
        assert [each.label for each in kept.interests] == ["Jazz"]
        course = session.scalars(select(Course)).one()
        assert {each.action for each in audit.page(session, course).entries} == {"apply"}


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"email": "nobody"}, "signups.1.email"),
        ({"time_zone": "Mars"}, "signups.1.time_zone"),
        ({"email": "a@example.org"}, "signups.1.email"),
        ({"custom": {"shoes": 9}}, "custom"),
        ({"availability": [336]}, "json"),
        ({"goal": "\0"}, "json"),
        ({"goal": "\ud800"}, "json"),
        ({"shoes": 9}, "json"),
    ],
)
def test_wrong_sign_ups_are_refused_whole(
    api: Ask, database: Database, changed: dict[str, object], field: str
) -> None:
    good = {"email": "a@example.org", "time_zone": "UTC", "availability": [36]}
    wrong = {**good, "email": "b@example.org", **changed}
    answer = api("/courses/music/signups", {"signups": [good, wrong]})
    assert (answer.status_code, answer.content_type, list(answer.json["errors"])) == (422, PROBLEM, [field])
    with database.reading() as session:
        assert len(session.scalars(select(Signup)).all()) == 4


def test_others_are_stored_where_some_may_be_left_out(api: Ask) -> None:
    good = {"email": "a@example.org", "time_zone": "UTC", "availability": [36]}
    done = api(
        "/courses/music/signups", {"signups": [{**good, "email": "b"}, good], "leave_out_refused": True}
    )
    assert (done.json["added"], done.json["refused"], list(done.json["problems"])) == (1, 1, ["0"])


@pytest.mark.parametrize("body", [b"{", b"[" * 200_000, b'{"random_state": ' + b"9" * 5000 + b"}"])
def test_what_is_no_json_is_refused(
    api: Ask, client: FlaskClient, database: Database, owner: User, body: bytes
) -> None:
    headers = {"Authorization": f"Bearer {token_of(database, owner)}", "Content-Type": "application/json"}
    answer = client.post("/api/v1/courses/music/runs", headers=headers, data=body)
    assert (answer.status_code, answer.content_type) == (400, PROBLEM)


def test_run_is_started_watched_and_cancelled(api: Ask, database: Database) -> None:
    started = api("/courses/music/runs", {"random_state": 7})
    assert (started.status_code, started.json["state"], started.json["random_state"]) == (202, "queued", 7)
    again = api("/courses/music/runs", {})
    assert (again.status_code, again.content_type) == (409, PROBLEM)
    run = f"/courses/music/runs/{started.json['key']}"
    assert api(run).json == started.json
    assert api(f"{run}/cancel", {}).json["state"] == "cancelled"
    assert api(f"{run}/cancel", {}).json["state"] == "cancelled"
    with database.reading() as session:
        assert (
            session.scalars(select(Run.state).where(Run.key == started.json["key"])).one()
            is RunState.CANCELLED
        )
        course = session.scalars(select(Course)).one()
        assert {each.action for each in audit.page(session, course).entries} == {"match", "cancel"}


def test_connections_of_few_are_not_told(api: Ask, database: Database) -> None:
    def connect(*pairs: tuple[int, int]) -> list[dict[str, object]]:
        with database.transaction() as session:
            course = session.scalars(select(Course)).one()
            people = session.scalars(select(Signup).order_by(Signup.id)).all()
            for one, other in pairs:
                row = {"from_id": people[one].id, "to_id": people[other].id, "source": Source.TALKED_WITH}
                session.add(Connection(course_id=course.id, **row))
        items: list[dict[str, object]] = api("/courses/music/connections").json["items"]
        return items

    with database.transaction() as session:
        course = session.scalars(select(Course)).one()
        make_cohort(session, *(make_signup(session, course) for _ in range(3)))
    talked = connect((0, 1), (1, 0), (0, 4), (1, 5))[0]
    assert talked == {"source": "talked with", "within": None, "across": None}
    talked = connect((2, 6), (0, 2), (4, 5), (5, 6))[0]
    assert talked == {"source": "talked with", "within": 4, "across": 3}


def test_interactions_come_in_once(api: Ask, database: Database, owner: User) -> None:
    with database.reading() as session:
        ada, ben = session.scalars(select(Signup).order_by(Signup.id).limit(2)).all()
    reply = {"from": ada.email.upper(), "to": ben.key, "time": "2026-01-13T18:00:00+01:00", "kind": "reply"}
    told = [
        reply,
        reply | {"from": "stranger@example.org"},
        reply | {"to": ada.key},
        reply | {"time": "2090-01-01T00:00:00"},
        reply | {"from": " "},
        reply | {"from": "Ada", "to": "Ben"},
    ]
    dry = api("/courses/music/connections", {"connections": told, "dry_run": True}).json
    counts = {"kept": 1, "repeated": 1, "of_unknown": 1, "own": 1, "wrong": 2}
    assert {name: dry[name] for name in counts} == counts
    assert dry["problems"] == {
        "1": {"from": ["Nobody is signed up as this."]},
        "3": {"time": ["This lies in the future."]},
        "4": {"from": ["It is not told who this was."]},
    }
    assert api("/courses/music/connections", {"connections": told}).json == dry
    again = api("/courses/music/connections", {"connections": told}).json
    assert (again["kept"], again["repeated"]) == (0, 2)
    with database.reading() as session:
        kept = session.scalars(select(Interaction)).one()
        assert (kept.from_id, kept.to_id, kept.kind) == (ada.id, ben.id, "reply")
        whole_day = session.scalars(select(InteractionImport)).one()
        assert (whole_day.source, whole_day.n_kept, whole_day.n_repeated) == (Source.API, 1, 3)
        course = session.scalars(select(Course)).one()
        assert {each.action for each in audit.page(session, course).entries} == {"apply_connections"}
    for wrong in (reply | {"time": "0001-01-01T00:00:00"}, reply | {"kind": "x" * 41}, {"from": "a"}):
        assert api("/courses/music/connections", {"connections": [wrong]}).status_code == 422
    reader = token_of(database, owner, Scope.READ, Scope.SIGNUPS, Scope.RUNS)
    assert api("/courses/music/connections", {"connections": [reply]}, reader).status_code == 403


class TestTokens:
    """Who may ask, and how often."""

    def test_token_is_kept_as_a_digest_alone(self, database: Database, owner: User) -> None:
        text = token_of(database, owner)
        with database.reading() as session:
            row = session.scalars(select(ApiToken)).one()
            assert text.startswith(tokens.PREFIX)
            assert len(text) >= len(tokens.PREFIX) + 43
            assert text not in str(vars(row))

    @pytest.mark.parametrize("shown", ["", "nonsense", "cohorts_nonsense", "cohorts_é"])
    def test_wrong_token(self, api: Ask, shown: str) -> None:
        answer = api("/courses", token=shown)
        assert (answer.status_code, answer.content_type) == (401, PROBLEM)
        assert answer.headers["WWW-Authenticate"] == "Bearer"

    def test_expired_revoked_or_somebody_gone(self, api: Ask, database: Database, owner: User) -> None:
        for spoil in (
            lambda token, user: setattr(token, "expires_at", now() - timedelta(seconds=1)),
            lambda token, user: setattr(user, "active", False),
        ):
            text = token_of(database, owner)
            assert api("/courses", token=text).status_code == 200
            with database.transaction() as session:
                token = session.scalars(select(ApiToken).order_by(ApiToken.id.desc())).first()
                spoil(token, session.get_one(User, owner.id))
            assert api("/courses", token=text).status_code == 401

    def test_scopes(self, api: Ask, database: Database, owner: User) -> None:
        reader = token_of(database, owner, Scope.READ)
        writer = token_of(database, owner, Scope.SIGNUPS)
        assert api("/courses", token=reader).status_code == 200
        assert api("/courses", token=writer).status_code == 403
        assert api("/courses/music/runs", {}, token=reader).status_code == 403
        assert api("/courses/music/signups", {"signups": []}, token=writer).status_code == 422

    def test_reach_is_that_of_its_user(self, api: Ask, database: Database) -> None:
        with database.transaction() as session:
            stranger, reader = make_user(session), make_user(session)
            course = session.scalars(select(Course)).one()
            session.add(CourseOrganiser(course_id=course.id, user_id=reader.id, role=CourseRole.READER))
        foreign = token_of(database, stranger)
        assert api("/courses", token=foreign).json == {"items": [], "next": None}
        assert api("/courses/music", token=foreign).status_code == 404
        looking = token_of(database, reader)
        assert api("/courses/music/signups", token=looking).status_code == 200
        assert api("/courses/music/runs", {}, token=looking).status_code == 403

    def test_cookie_opens_nothing(self, owner: User, signed_in: Callable[[User], FlaskClient]) -> None:
        assert signed_in(owner).get("/api/v1/courses").status_code == 401

    def test_rate_is_limited_for_each_token(
        self, api: Ask, database: Database, owner: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(tokens, "PER_MINUTE", 3)
        at = now()
        monkeypatch.setattr("web.api_base.now", lambda: at)
        text = token_of(database, owner)
        assert [api("/courses", token=text).status_code for _ in range(5)] == [200, 200, 200, 429, 429]
        refused = api("/courses", token=text)
        assert 1 <= int(refused.headers["Retry-After"]) <= 60
        assert api("/courses").status_code == 200
        at += timedelta(minutes=1)
        assert api("/courses", token=text).status_code == 200
        with database.reading() as session:
            assert session.scalars(select(ApiToken).order_by(ApiToken.id.desc())).first().last_used_at == at

    def test_page_makes_shows_once_and_revokes(
        self, api: Ask, database: Database, owner: User, signed_in: Callable[[User], FlaskClient]
    ) -> None:
        browser = signed_in(owner)
        form = {"name": "Nightly", "scopes": ["read"], "days": "30"}
        made = browser.post("/account/tokens", data=form)
        text = made.text.partition("<code>cohorts_")[2].partition("</code>")[0]
        assert api("/courses", token=f"cohorts_{text}").status_code == 200
        page = browser.get("/account/tokens").text
        assert ("Nightly" in page, text in page) == (True, False)
        with database.reading() as session:
            key = session.scalars(select(ApiToken.key).where(ApiToken.name == "Nightly")).one()
        assert browser.post(f"/account/tokens/{key}/revoke").status_code == 302
        assert browser.post(f"/account/tokens/{key}/revoke").status_code == 404
        assert api("/courses", token=f"cohorts_{text}").status_code == 401

    @pytest.mark.parametrize("wrong", [{"name": ""}, {"scopes": []}, {"days": "9"}, {"scopes": ["all"]}])
    def test_page_refuses(
        self,
        database: Database,
        owner: User,
        signed_in: Callable[[User], FlaskClient],
        wrong: dict[str, object],
    ) -> None:
        form = {"name": "Nightly", "scopes": ["read"], "days": "30", **wrong}
        assert signed_in(owner).post("/account/tokens", data=form).status_code == 422
        with database.reading() as session:
            assert session.scalars(select(ApiToken)).all() == []

    def test_nobody_revokes_anothers(
        self, api: Ask, database: Database, owner: User, signed_in: Callable[[User], FlaskClient]
    ) -> None:
        with database.transaction() as session:
            stranger = make_user(session)
            key = session.scalars(select(ApiToken.key)).one()
        browser = signed_in(stranger)
        assert browser.post(f"/account/tokens/{key}/revoke").status_code == 404
        assert api("/courses").status_code == 200


def test_number_of_queries_does_not_grow(
    client: FlaskClient, database: Database, count_queries: list[str]
) -> None:
    counts = []
    for n in (2, 30):
        with database.transaction() as session:
            user = make_user(session)
            course = make_course(session, user, slug=f"c{n}")
            for _ in range(n):
                make_cohort(session, make_signup(session, course, ("Jazz",)))
        headers = {"Authorization": f"Bearer {token_of(database, user)}"}
        for path in ("signups", "cohorts", "runs", "roster", "connections"):
            count_queries.clear()
            answer = client.get(f"/api/v1/courses/c{n}/{path}", headers=headers)
            assert answer.status_code == 200
            counts.append(len(count_queries))
    assert counts[:5] == counts[5:]

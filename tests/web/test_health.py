"""What those who run the site can see of it: pages, figures, logs and what is wrong with it."""

from __future__ import annotations

import io
import json
import logging
import os
import stat
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from prometheus_client.parser import text_string_to_metric_families
from smtpdfix import SMTPDFix
from sqlalchemy import text

import config
from cohorts import notices, vitals
from cohorts.database import Database
from cohorts.links import Links
from cohorts.models import Role, now
from config import Settings
from tests.conftest import SECRET
from tests.factories import make_course, make_signup, make_user
from tests.site import Site
from web import create_app, logs
from web.doctor import examine

TOKEN = "a token for figures"


def test_alive_and_ready(client: FlaskClient, database: Database) -> None:
    assert (client.get("/healthz").status_code, client.get("/readyz").json) == (
        200,
        {"status": "ok", "database": "ok"},
    )


def test_not_ready_before_the_tables_are_there(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'empty.sqlite3'}")
    settings = config.load({"COHORTS_SECRET_KEY": SECRET, "COHORTS_DATA_DIR": str(tmp_path)})
    client = create_app(settings, database).test_client()
    assert client.get("/healthz").status_code == 200
    assert client.get("/readyz").status_code == 503
    assert client.get("/readyz").json["database"] == "needs: cohorts db upgrade"  # type: ignore[index]
    database.upgrade("0003")
    assert client.get("/readyz").status_code == 503
    database.upgrade()
    assert client.get("/readyz").status_code == 200
    database.engine.dispose()


def test_not_ready_while_the_database_is_away(tmp_path: Path) -> None:
    database = Database("postgresql://nobody@127.0.0.1:9/nowhere")
    settings = config.load({"COHORTS_SECRET_KEY": SECRET, "COHORTS_DATA_DIR": str(tmp_path)})
    answer = create_app(settings, database).test_client().get("/readyz")
    assert (answer.status_code, answer.json["database"]) == (503, "does not answer")  # type: ignore[index]


@pytest.fixture
def measured(settings: Settings, database: Database) -> FlaskClient:
    """A site whose figures may be read."""
    return create_app(replace(settings, metrics_token=TOKEN), database).test_client()


def figures(client: FlaskClient) -> dict[str, float]:
    answer = client.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
    assert answer.status_code == 200
    return {
        " ".join((sample.name, *(value for _, value in sorted(sample.labels.items())))): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def test_figures_are_for_whoever_has_the_token(measured: FlaskClient, client: FlaskClient) -> None:
    assert measured.get("/metrics").status_code == 404
    for wrong in ("", "Bearer ", "Bearer nonsense", f"Bearer {TOKEN}x", TOKEN[:-1]):
        assert measured.get("/metrics", headers={"Authorization": wrong}).status_code == 404
        assert client.get("/metrics", headers={"Authorization": wrong}).status_code == 404


def test_figures_tell_how_requests_did_and_what_waits(measured: FlaskClient, database: Database) -> None:
    with database.transaction() as session:
        signup = make_signup(session, make_course(session, slug="web"))
        for _ in range(3):
            notices.enqueue(session, notices.Kind.CONFIRM, signup=signup).not_before = now() - timedelta(
                0, 90
            )
        vitals.beat(session, "worker:1", now() - timedelta(seconds=30))
    before = figures(measured)
    assert measured.get("/c/web").status_code == 200
    assert measured.get("/nowhere").status_code == 404
    after = figures(measured)
    assert after["cohorts_request_seconds_count learner.course GET 200"] == 1
    assert "cohorts_request_seconds_count learner.course GET 200" not in before
    assert after["cohorts_mails_waiting"] == 3
    assert 89 < after["cohorts_oldest_mail_seconds"] < 150
    assert 29 < after["cohorts_worker_seen_seconds"] < 90
    assert after["cohorts_runs_waiting"] == 0
    assert "cohorts_oldest_run_seconds" not in after
    assert "web" not in " ".join(after).split()


def test_a_worker_that_is_long_gone_is_forgotten(database: Database) -> None:
    with database.transaction() as session:
        vitals.beat(session, "old", now() - 2 * vitals.FORGET_AFTER)
        assert vitals.read(session, now()).worker_seen is not None
        vitals.beat(session, "new", now())
        vitals.beat(session, "new", now())
        assert session.execute(text("SELECT worker FROM worker_beats")).scalars().all() == ["new"]


@pytest.fixture
def logged(settings: Settings) -> Iterator[io.StringIO]:
    """What is logged as JSON; afterwards logging is as it was."""
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    logs.set_up(replace(settings, log_format="json"))
    stream = io.StringIO()
    root.handlers[0].setStream(stream)  # type: ignore[attr-defined]
    yield stream
    root.handlers[:], root.level = before, level


def test_each_request_is_one_line_without_anybodys_data(
    logged: io.StringIO, client: FlaskClient, database: Database, links: Links
) -> None:
    with database.transaction() as session:
        signup = make_signup(session, make_course(session, slug="web"), name="Cara Canary")
        token = links.learner_token(signup)
    assert client.get(f"/l/{token}?secret=1").status_code == 200
    assert client.post("/sign-in", data={"email": "canary@example.org"}).status_code == 200
    lines = [json.loads(line) for line in logged.getvalue().splitlines()]
    told = [(each["method"], each["endpoint"], each["status"]) for each in lines]
    assert told == [("GET", "learner.mine", 200), ("POST", "auth.sign_in", 200)]
    assert all(each["level"] == "INFO" and len(each["request_id"]) == 32 for each in lines)
    assert lines[0]["request_id"] != lines[1]["request_id"]
    for canary in (token, "anary", "secret"):
        assert canary not in logged.getvalue()


def test_a_mishap_is_logged_with_the_requests_id_and_without_what_was_stored(
    logged: io.StringIO, app: Flask, client: FlaskClient, database: Database
) -> None:
    canary = "c4n4ry@example.org"

    def broken() -> str:
        with database.transaction() as session:
            make_user(session, email=canary)
            make_user(session, email=canary)
        return ""

    app.view_functions["learner.home"] = broken
    answer = client.get("/")
    assert answer.status_code == 500
    mishap = next(json.loads(line) for line in logged.getvalue().splitlines() if "IntegrityError" in line)
    assert mishap["request_id"] == answer.headers["X-Request-ID"]
    if database.is_sqlite:  # PostgreSQL itself names the value that is there already
        assert "c4n4ry" not in logged.getvalue().replace('canary = "c4n4ry@example.org"', "")


@pytest.mark.parametrize(
    ("proxies", "given", "kept"),
    [
        (1, "abc-123_DEF.4", True),
        (0, "abc-123_DEF.4", False),
        (1, "short", False),
        (1, "two words and more", False),
        (1, "x" * 65, False),
    ],
)
def test_the_id_of_a_trusted_proxy_is_kept(
    settings: Settings, database: Database, proxies: int, given: str, kept: bool
) -> None:
    client = create_app(replace(settings, trusted_proxies=proxies), database).test_client()
    answer = client.get("/healthz", headers={"X-Request-ID": given})
    assert (answer.headers["X-Request-ID"] == given) is kept


def what_to_do(settings: Settings) -> dict[str, str]:
    return {each.what: each.to_do for each in examine(settings) if each.to_do}


def test_the_doctor_finds_nothing_wrong_with_a_site_that_runs(site: Site, tmp_path: Path) -> None:
    with site.database.transaction() as session:
        make_user(session, role=Role.ADMIN)
    environ = {
        "COHORTS_SECRET_KEY": SECRET,
        "COHORTS_DATA_DIR": str(tmp_path),
        "COHORTS_PUBLIC_URL": site.url,
        "COHORTS_MAIL_URL": f"smtp://{site.smtpd.hostname}:{site.smtpd.port}",
        "DATABASE_URL": site.database.url.render_as_string(hide_password=False),
    }
    (tmp_path / "test.sqlite3").touch()
    os.chmod(tmp_path / "test.sqlite3", 0o600)
    settings = config.load(environ)
    until = now() + timedelta(seconds=30)
    while any("worker" in each for each in what_to_do(settings)) and now() < until:
        pass
    assert what_to_do(settings) == {}


def test_the_doctor_names_what_is_wrong_and_what_to_do(tmp_path: Path, smtpd: SMTPDFix) -> None:
    key = tmp_path / "key"
    key.write_text("k" * 40)
    key.chmod(0o644)
    environ = {
        "COHORTS_ENV": "production",
        "COHORTS_SECRET_KEY_FILE": str(key),
        "COHORTS_DATA_DIR": str(tmp_path),
        "COHORTS_PUBLIC_URL": "http://127.0.0.1:9",
        "COHORTS_MAIL_URL": "smtp://127.0.0.1:9",
        "COHORTS_QUEUE_URL": "postgresql://nobody@127.0.0.1:9/nowhere",
    }
    settings = config.load(environ)
    assert "Run: cohorts db upgrade" in what_to_do(settings).values()
    database = Database(settings.database_url)
    database.upgrade()
    file = Path(database.url.database or "")
    file.chmod(0o644)
    with database.transaction() as session:
        mail = notices.enqueue(
            session, notices.Kind.CONFIRM, signup=make_signup(session, make_course(session))
        )
        mail.not_before = now() - timedelta(hours=1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COHORTS_SECRET_KEY_FILE", str(key))
        found = what_to_do(settings)
    assert [what.split(":")[0] for what in found] == [
        "COHORTS_PUBLIC_URL is http",
        f"Others can read {key}.",
        f"Others can read {file}.",
        "There is no administrator.",
        "No worker is alive",
        "1 mails wait, one for 60 minutes.",
        "The queue cannot be used",
        "The mail server 127.0.0.1 does not take mails",
        "http",
    ]
    assert stat.S_IMODE(key.stat().st_mode) == 0o644
    away = config.load({**environ, "DATABASE_URL": "postgresql://nobody@127.0.0.1:9/nowhere"})
    assert "Start it, and look at DATABASE_URL." in what_to_do(away).values()
    database.engine.dispose()

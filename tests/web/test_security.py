"""What holds on every answer, whoever asks."""

import logging
import subprocess
import sys
from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

import config
from cohorts.database import Database
from cohorts.models import User
from config import Settings
from tests.factories import make_course, make_user
from web import create_app


@pytest.mark.parametrize("path", ["/", "/sign-in", "/nowhere", "/static/app.css", "/l/nonsense"])
def test_headers_are_on_every_answer(client: FlaskClient, path: str) -> None:
    with client.get(path) as answer:
        headers = answer.headers
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Referrer-Policy"] == "same-origin"


def test_pages_are_not_cached_but_files_are(client: FlaskClient) -> None:
    assert client.get("/").headers["Cache-Control"] == "no-store"
    with client.get("/static/app.css") as answer:
        assert "max-age" in answer.headers["Cache-Control"]


def test_pages_are_not_compressed_but_files_are(client: FlaskClient) -> None:
    accept = {"Accept-Encoding": "gzip"}
    assert "Content-Encoding" not in client.get("/", headers=accept).headers
    with client.get("/static/app.css", headers=accept) as answer:
        assert answer.headers["Content-Encoding"] == "gzip"


def test_page_of_a_course_is_compressed_for_strangers_alone(
    session: Session, client: FlaskClient, signed_in: Callable[[User], FlaskClient]
) -> None:
    organiser = make_user(session)
    make_course(session, slug="web")
    session.commit()
    accept = {"Accept-Encoding": "gzip"}
    assert client.get("/c/web", headers=accept).headers["Content-Encoding"] == "gzip"
    assert "Content-Encoding" not in client.post("/c/web", data={"name": "Ada"}, headers=accept).headers
    assert "Content-Encoding" not in signed_in(organiser).get("/c/web", headers=accept).headers


def test_cookies_are_strict_behind_https(database: Database, settings: Settings) -> None:
    environ = {
        "COHORTS_ENV": "production",
        "COHORTS_SECRET_KEY": settings.secret_key + "x" * 32,
        "COHORTS_PUBLIC_URL": "https://cohorts.example.org",
        "COHORTS_QUEUE_URL": settings.queue_url,
        "DATABASE_URL": settings.database_url,
    }
    app = create_app(config.load(environ), database)
    answer = app.test_client().get("/sign-in", base_url="https://cohorts.example.org")
    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith("__Host-cohorts=")
    for attribute in ("Secure", "HttpOnly", "SameSite=Lax", "Path=/"):
        assert attribute in cookie
    assert answer.headers["Strict-Transport-Security"] == "max-age=31536000"


def test_forms_without_a_token_are_refused_with_words(app: Flask) -> None:
    app.config["WTF_CSRF_ENABLED"] = True
    answer = app.test_client().post("/sign-in", data={"email": "a@example.org"})
    assert answer.status_code == 400
    assert "send it once more" in answer.text


def test_every_change_needs_a_token(app: Flask) -> None:
    """No route that takes POST is left out of the protection, but those that mail programs post to.

    The API looks at no cookie: it asks for a token of its own.
    """
    app.config["WTF_CSRF_ENABLED"] = True
    client = app.test_client()
    for rule in app.url_map.iter_rules():
        by_mail_programs = rule.endpoint in ("learner.stop_mails", "learner.stop_help_mails")
        if "POST" in (rule.methods or ()) and not by_mail_programs:
            values = dict.fromkeys(rule.arguments, "1")
            path = app.url_map.bind("localhost").build(rule.endpoint, values, method="POST")
            expected = 401 if rule.endpoint.startswith("api.") else 400
            assert client.post(path).status_code == expected, rule


def test_unexpected_errors_show_no_traceback(
    app: Flask, client: FlaskClient, caplog: pytest.LogCaptureFixture
) -> None:
    def broken() -> str:
        raise RuntimeError("the database password is hunter2")

    app.view_functions["learner.home"] = broken
    with caplog.at_level(logging.ERROR):
        answer = client.get("/")
    assert answer.status_code == 500
    assert "hunter2" not in answer.text
    assert "Something went wrong" in answer.text
    assert "hunter2" in caplog.text


def test_the_web_process_never_loads_the_matcher(database: Database, settings: Settings) -> None:
    program = (
        "import sys, web; app = web.create_app(); app.test_client().get('/');"
        "print({'matcher', 'sklearn', 'numba', 'ortools'} & set(sys.modules))"
    )
    environ = {
        "COHORTS_SECRET_KEY": settings.secret_key,
        "COHORTS_QUEUE_URL": settings.queue_url,
        "DATABASE_URL": settings.database_url,
    }
    done = subprocess.run([sys.executable, "-c", program], env=environ, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "set()\n", "")


def test_head_requests_change_nothing(client: FlaskClient, database: Database) -> None:
    with database.transaction() as session:
        slug = make_course(session).slug
    assert client.head(f"/c/{slug}").status_code == 200

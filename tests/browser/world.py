"""A site with something in it, served from this process."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread
from typing import Any

from flask import Flask
from sqlalchemy.orm import Session
from werkzeug.serving import WSGIRequestHandler, make_server

import config
from cohorts.database import Database
from cohorts.links import Links
from cohorts.models import User
from tests.site import SECRET
from web import create_app


@dataclass
class World:
    """What addresses of the pages are made of."""

    url: str
    database: Database
    links: Links
    words: dict[str, str] = field(default_factory=dict)
    """Slugs, tokens and keys by the name that a path of the registry uses."""
    users: dict[str, User] = field(default_factory=dict)
    """Who can sign in."""

    def address(self, path: str) -> str:
        """Return where a path of the registry leads; sign-in links soon run out, so they are made now."""
        links = {}
        if "{sign_in}" in path or "{mailed_sign_in}" in path:
            with self.database.reading() as session:
                guest = session.get_one(User, self.users["guest"].id)
                links["sign_in"] = self.links.sign_in(guest).rpartition("/")[2]
                links["mailed_sign_in"] = self.links.mailed_sign_in(guest).rpartition("/")[2]
        return self.url + path.format(**self.words, **links)

    def sign_in_link(self, who: str) -> str:
        """Return a link by which somebody signs in once."""
        with self.database.reading() as session:
            return self.links.sign_in(session.get_one(User, self.users[who].id))


@contextmanager
def served(folder: Path, fill: Callable[[World, Session], None]) -> Iterator[World]:
    """Serve a new site from this process, with what ``fill`` puts into it."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    environ = {"COHORTS_SECRET_KEY": SECRET, "COHORTS_DATA_DIR": str(folder), "COHORTS_PUBLIC_URL": url}
    settings = config.load(environ)
    database = Database(settings.database_url)
    database.upgrade()
    world = World(url, database, Links(SECRET, url))
    with database.transaction() as session:
        fill(world, session)
    server = make_server(
        "127.0.0.1", port, _with_a_fault(create_app(settings, database)), threaded=True, request_handler=Quiet
    )
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield world
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
        database.engine.dispose()


class Quiet(WSGIRequestHandler):
    """Answers without a line for each request."""

    def log(self, *_: Any) -> None:
        """Say nothing."""


def _with_a_fault(app: Flask) -> Flask:
    """Add a page that breaks, to see what people see then."""

    def broken() -> str:
        raise RuntimeError("broken on purpose")

    app.add_url_rule("/broken", "broken", broken)
    return app

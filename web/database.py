"""The request's database session."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from flask import Flask, current_app, g, request
from sqlalchemy.orm import Session

from cohorts import language
from cohorts.database import Database


def session() -> Session:
    """Return the session of this request; it may write unless the request is a GET or HEAD.

    Nothing is saved before the view calls ``session().commit()``.
    """
    if "session" not in g:
        database: Database = current_app.extensions["database"]
        g.session = database.session(writes=request.method not in ("GET", "HEAD", "OPTIONS"))
    found: Session = g.session
    return found


def streamed(write: Callable[[Session], Iterator[bytes]]) -> Iterator[bytes]:
    """Yield an answer while it is sent, in the language of the request.

    The request is over by then and its session closed, so ``write`` gets one of its own.
    """
    database: Database = current_app.extensions["database"]
    locale = language.locale()

    def pieces() -> Iterator[bytes]:
        with language.using(locale), database.reading() as own:
            yield from write(own)

    return pieces()


def init_app(app: Flask, database: Database) -> None:
    """Give ``app`` its database; every request's session is closed at its end."""
    app.extensions["database"] = database

    @app.teardown_appcontext
    def close(error: BaseException | None) -> None:
        opened: Session | None = g.pop("session", None)
        if opened is not None:
            opened.close()

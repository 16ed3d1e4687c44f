"""How the JSON API is asked and answers: tokens, pages of lists, problems, and its OpenAPI document."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from http import HTTPStatus
from typing import Any, Final

from flask import Flask, current_app, g, request
from flask.typing import ResponseReturnValue
from flask_smorest import Api, Blueprint
from sqlalchemy import Select
from webargs.flaskparser import FlaskParser
from werkzeug.exceptions import BadRequest

from cohorts import policies, tokens
from cohorts.database import Database
from cohorts.exceptions import InvalidInput
from cohorts.language import gettext as _
from cohorts.models import User, now
from cohorts.policies import Act
from cohorts.tokens import NotAuthenticated, Scope, TooManyRequests

from .api_schemas import Problem
from .database import session
from .limits import RateLimit

PREFIX: Final = "/api/v1"
PROBLEM: Final = "application/problem+json"
KEY: Final = {"type": "string", "pattern": "^[0-9a-f]{32}$"}

REFUSALS: Final = (
    *("BAD_REQUEST", "UNAUTHORIZED", "FORBIDDEN", "NOT_FOUND", "CONFLICT"),
    *("UNPROCESSABLE_ENTITY", "TOO_MANY_REQUESTS"),
)
"""Names of the statuses with which a request is refused."""

_failures: Final = RateLimit(30, 60)
"""How often one address may show what is no token."""


class Parser(FlaskParser):
    """Reads requests; a body that Python's parser gives up on is no JSON."""

    def load_json(self, req: Any, schema: Any) -> Any:
        """Return what the body says."""
        try:
            return super().load_json(req, schema)
        except (ValueError, RecursionError) as error:
            raise BadRequest(_("This is not JSON.")) from error


class ApiBlueprint(Blueprint):
    """A blueprint whose requests are read by `Parser`."""

    ARGUMENTS_PARSER = Parser()


class Document(Api):
    """The OpenAPI document; errors of the API are answered where all errors are, see ``web.errors``."""

    ERROR_SCHEMA = Problem
    DEFAULT_ERROR_RESPONSE_NAME = None

    def _register_error_handlers(self) -> None:
        """Leave errors alone."""

    def _register_responses(self) -> None:
        """Say that every refusal is a problem in JSON."""
        for name in REFUSALS:
            self.spec.components.response(
                name,
                {
                    "description": HTTPStatus[name].phrase,
                    "content": {PROBLEM: {"schema": self.ERROR_SCHEMA}},
                },
                lazy=True,
            )


def document(app: Flask) -> Document:
    """Put the OpenAPI document on ``app``."""
    app.config.update(
        API_TITLE="Cohorts",
        API_VERSION="1",
        OPENAPI_VERSION="3.1.0",
        OPENAPI_URL_PREFIX=PREFIX,
        API_SPEC_OPTIONS={
            "info": {"description": "Courses, sign-ups, runs, cohorts and rosters for programs."},
            "components": {"securitySchemes": {"token": {"type": "http", "scheme": "bearer"}}},
            "security": [{"token": []}],
        },
    )
    return Document(app)


def operation(
    blueprint: Blueprint,
    rule: str,
    scope: Scope,
    *,
    act: Act = Act.LOOK,
    method: str = "GET",
    also: Sequence[str] = (),
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Make a view an operation of the API: for tokens of a scope, on courses in which their user may ``act``.

    ``also`` are the names of refusals that this operation alone can have.
    """

    def decorate(view: Callable[..., Any]) -> Callable[..., Any]:
        asked = _query_of(view)

        @wraps(view)
        def guarded(*args: Any, **kwargs: Any) -> ResponseReturnValue:
            user = authenticate(scope)
            unknown = sorted(request.args.keys() - asked)
            if unknown:  # a slip of the pen is told, not passed over
                raise InvalidInput({unknown[0]: [_("There is no such argument.")]})
            if "course" in kwargs:
                kwargs["course"], g.role = policies.admit(session(), user, kwargs["course"], act)
            answer: ResponseReturnValue = view(*args, **kwargs)
            return answer

        refusals = ["UNAUTHORIZED", "FORBIDDEN", "UNPROCESSABLE_ENTITY", "TOO_MANY_REQUESTS", *also]
        refusals += ["NOT_FOUND"] if "<" in rule else []
        for name in refusals:
            guarded = blueprint.alt_response(HTTPStatus[name].value, name)(guarded)
        parameters = [
            {"in": "path", "name": name, "required": True, "schema": KEY}
            for name in ("signup", "run", "cohort")
            if f"<{name}>" in rule
        ]
        return blueprint.route(rule, methods=[method], parameters=parameters)(guarded)  # type: ignore[no-any-return]

    return decorate


def _query_of(view: Callable[..., Any]) -> set[str]:
    """Return the arguments of the address that a view takes, as its document tells them."""
    told = getattr(view, "_apidoc", {}).get("arguments", {}).get("parameters", ())
    return {name for each in told if each["in"] == "query" for name in each["schema"]().fields}


def authenticate(scope: Scope) -> User:
    """Return the user for whom the token of this request acts, and count the request.

    Raises:
        NotAuthenticated: There is no valid token.
        OutOfScope: It was not made for this.
        TooManyRequests: It, or an address that guesses tokens, came too often.
    """
    kind, _, text = request.headers.get("Authorization", "").partition(" ")
    database: Database = current_app.extensions["database"]
    try:
        if kind.lower() != "bearer" or not text.startswith(tokens.PREFIX):
            raise NotAuthenticated
        # Before the session of the request begins: on SQLite two writers of one request would wait for ever.
        user_id = tokens.use(database, text.strip(), scope, now())
    except NotAuthenticated:
        if not _failures.allows(request.remote_addr or ""):
            raise TooManyRequests(60) from None
        raise
    g.me = session().get_one(User, user_id)
    user: User = g.me
    return user


def page(
    query: Select[Any], column: Any, arguments: dict[str, Any], *, newest: bool = False
) -> dict[str, Any]:
    """Return a page of rows in the order of an id, and the cursor of the next one."""
    limit, after = arguments["limit"], decoded(arguments["cursor"])
    if after:
        query = query.where(column < after if newest else column > after)
    ordered = query.order_by(column.desc() if newest else column).limit(limit + 1)
    found = session().scalars(ordered).all()
    more = len(found) > limit
    return {"items": found[:limit], "next": encoded(found[limit - 1].id if more else None)}


def encoded(last: int | None) -> str | None:
    """Return a cursor that goes on behind a row."""
    return None if last is None else f"{last:x}"


def decoded(cursor: str) -> int:
    """Return the id that a cursor goes on behind, 0 at the beginning."""
    return int(cursor, 16) if cursor else 0

"""The OpenAPI document, held against the API by Schemathesis: no fault, no answer it does not tell of."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from itertools import cycle
from pathlib import Path

import pytest
import schemathesis
from flask import Flask
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import APIOperation, Case, GenerationMode
from schemathesis.checks import CHECKS, load_all_checks

import config
from cohorts import tokens
from cohorts.database import Database
from cohorts.models import now
from tests import size
from tests.factories import ask, make_cohort, make_course, make_signup, make_user
from tests.questions import EXAMPLES
from tests.site import SECRET
from web import create_app

EXAMPLES_EACH = size.usual(4, full=45)
"""How many cases of each operation are tried, as many that fit the document and as many that do not.

At full size they are more than a thousand together.
"""

load_all_checks()
# What a learner's answers must be is more than a document can say, so that not all it allows is taken.
LEFT_OUT = CHECKS.get_by_names(["positive_data_acceptance"])
# Where a wrong address is mended nothing wrong may be left.
MENDED = CHECKS.get_by_names(["negative_data_rejection"])


@pytest.fixture(scope="module")
def api(migrated_sqlite: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    """An application with a course that has something of everything."""
    folder = tmp_path_factory.mktemp("api")
    file = folder / "api.sqlite3"
    file.write_bytes(migrated_sqlite.read_bytes())
    database = Database(f"sqlite:///{file}")
    environ = {"COHORTS_SECRET_KEY": SECRET, "COHORTS_DATA_DIR": str(folder)}
    app = create_app(config.load({**environ, "DATABASE_URL": f"sqlite:///{file}"}), database)
    with database.transaction() as session:
        user = make_user(session)
        course = make_course(session, user, slug="music", size_min=2)
        ask(session, course, *(each.question for each in EXAMPLES.values()))
        people = [make_signup(session, course, ("Jazz",)) for _ in range(6)]
        cohort = make_cohort(session, *people)
        _token, text = tokens.make(session, user, "test", list(tokens.Scope), 7, now())
        app.config["KNOWN"] = {
            "course": "music",
            "signup": people[0].key,
            "run": cohort.run.key,
            "cohort": cohort.key,
            "format_": "csv",
        }
        app.config["TOKEN"] = text
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tokens, "PER_MINUTE", 1_000_000)
        patch.setattr("web.api_base._failures.allows", lambda key: True)
        yield app
    database.engine.dispose()


def test_answers_are_those_of_the_document(api: Flask) -> None:
    schema = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", api)
    operations = [each.ok() for each in schema.get_all_operations()]
    routes = {rule.endpoint for rule in api.url_map.iter_rules() if rule.endpoint.startswith("api.")}
    assert len(operations) == len(routes)
    tried: Counter[tuple[str, GenerationMode]] = Counter()
    statuses: Counter[int] = Counter()
    for operation in operations:
        for mode in GenerationMode:
            try_out(operation, mode, api, tried, statuses)
    assert len(tried) >= 2 * len(operations) - 1
    assert statuses.keys() >= {200, 404, 422}
    if EXAMPLES_EACH > 4:
        assert tried.total() >= 1000


def try_out(
    operation: APIOperation,
    mode: GenerationMode,
    api: Flask,
    tried: Counter[tuple[str, GenerationMode]],
    statuses: Counter[int],
) -> None:
    """Try an operation with what fits its part of the document, or with what does not."""
    known = cycle([True, True, False])
    headers = {"Authorization": f"Bearer {api.config['TOKEN']}"}

    @given(operation.as_strategy(generation_mode=mode))
    @settings(
        max_examples=EXAMPLES_EACH,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate],
        derandomize=True,
        database=None,
    )
    def try_one(case: Case) -> None:
        left_out = LEFT_OUT
        if next(known):  # most made-up names lead nowhere
            case.path_parameters = {name: api.config["KNOWN"][name] for name in case.path_parameters or {}}
            left_out = [*LEFT_OUT, *MENDED]
        answer = case.call_and_validate(headers=headers, excluded_checks=left_out)
        tried[operation.label, mode] += 1
        statuses[answer.status_code] += 1

    with suppress(Unsatisfiable):  # an operation that takes nothing cannot be given what does not fit
        try_one()

"""The address of every page that organisers can get, as the URL map knows them."""

from __future__ import annotations

from collections.abc import Iterator

from flask import Flask

from cohorts.exports import FORMATS
from tests.crowds import Crowd

KEYS: dict[str, tuple[dict[str, str], ...]] = {
    "organiser.cohort": ({"key": "cohort"},),
    "organiser.preview_connections": ({"key": "talked"},),
    "organiser.connection_columns": ({"key": "unclear"},),
    "organiser.import_progress": ({"key": "upload"},),
    "organiser.dry_run": ({"key": "upload"},),
    "organiser.import_columns": ({"key": "upload"},),
    "organiser.refused_rows": ({"key": "upload"},),
    "organiser.letter": ({"key": "letter"},),
    "organiser.edit_letter": ({"key": "letter"},),
    "organiser.question": ({"question": "question"},),
    "organiser.remove_question": ({"question": "question"},),
    "organiser.run": ({"key": "proposed"}, {"key": "published"}, {"key": "running"}),
    "organiser.run_progress": ({"key": "running"},),
    "organiser.rematched": ({"key": "rematched"},),
    "organiser.fairness": ({"key": "proposed"},),
    "organiser.board": ({"key": "proposed"}, {"key": "published"}),
    "organiser.publish": ({"key": "proposed"},),
    "organiser.weighing": ({"key": "proposed", "weighing_key": "weighing"},),
    "organiser.weighed": ({"key": "proposed", "weighing_key": "weighing"},),
    "organiser.signup": ({"key": "signup"},),
    "organiser.export": tuple({"format_": name} for name in FORMATS),
}
"""What stands in the addresses of pages, beside the course: names of ``Crowd.words``, or formats."""
QUERIES: dict[str, tuple[dict[str, str], ...]] = {
    "organiser.signups": ({}, {"q": "an"}, {"state": "pending"}),
    "organiser.roster": ({}, {"q": "Berlin"}),
    "organiser.chosen": ({"format": "csv", "login": "email"},),
}
"""What addresses can ask for in their query."""


def organisers_pages(app: Flask, crowd: Crowd) -> Iterator[tuple[str, str]]:
    """Yield a name and an address for every page that organisers can get, as the URL map knows them.

    Raises:
        KeyError: ``KEYS`` does not say what stands in the address of a page.
    """
    adapter = app.url_map.bind("localhost")
    for rule in sorted(app.url_map.iter_rules(), key=lambda rule: rule.rule):
        if rule.endpoint.partition(".")[0] != "organiser" or "GET" not in (rule.methods or ()):
            continue
        needs_keys = rule.arguments - {"slug"}
        for keys in KEYS[rule.endpoint] if needs_keys else ({},):
            given = {name: crowd.words.get(word, word) for name, word in keys.items()}
            given |= {"slug": crowd.course.slug} if "slug" in rule.arguments else {}
            for asked in QUERIES.get(rule.endpoint, ({},)):
                name = " ".join([rule.endpoint.partition(".")[2], *keys.values(), *asked.values()])
                yield name, adapter.build(rule.endpoint, {**given, **asked}, method="GET")

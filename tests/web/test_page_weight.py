"""How much a learner on a phone has to load before they can sign up."""

from __future__ import annotations

import re
from urllib.parse import urljoin

from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from cohorts.models import Interest
from tests.factories import make_course, make_signup

MOST = 100_000
LINKS = re.compile(
    rb"""(?:src|href)="(/static/[^"]+)"|url\(["']?(?!data:)([^"')]+)|(?:from|import) ["'](\.[^"']+)"""
)
"""Addresses of files in HTML, in style sheets and in modules."""


def weights(client: FlaskClient, address: str) -> dict[str, int]:
    """Load a page and all it needs, as a browser does; return the bytes of each answer on the wire."""
    found: dict[str, int] = {}
    waiting = [address]
    while waiting:
        path = waiting.pop()
        if path in found:
            continue
        with client.get(path, headers={"Accept-Encoding": "gzip"}) as packed:
            found[path] = len(packed.get_data()) + len(str(packed.headers))
        with client.get(path) as plain:
            assert plain.status_code == 200, path
            for names in LINKS.findall(plain.get_data()):
                waiting += [urljoin(path, name.decode()) for name in names if name]
    return found


def test_first_load_of_a_course_takes_at_most_100_kb(session: Session, client: FlaskClient) -> None:
    course = make_course(session, slug="web", description="What you hear is what you make. " * 40)
    course.interests = [Interest(key=f"thing {n}", label=f"Thing {n}", listed=True) for n in range(40)]
    for number in range(40):
        make_signup(session, course, interests=(f"Something {number}",))
    session.commit()
    found = weights(client, "/c/web")
    assert {"/static/app.css", "/static/app.js", "/static/availability-grid.js"} <= set(found)
    assert sum(found.values()) <= MOST, found

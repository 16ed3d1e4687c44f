"""My data shows words: every column that is held has a name, and no mark of the program is left as it is."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from cohorts import checkins, notices, privacy
from cohorts.checkins import Pulse
from cohorts.links import Links
from cohorts.models import Base, Met, Signup
from cohorts.questions import Experience
from tests.factories import ask, make_cohort, make_course, make_signup
from tests.questions import EXAMPLES
from web.held import COLUMNS, TABLES

NOW = datetime(2027, 1, 13, 20, tzinfo=UTC)


def test_every_table_and_column_that_is_held_has_a_name() -> None:
    signups = Base.metadata.tables["signups"]
    owned = [
        table
        for table in Base.metadata.sorted_tables
        if table is signups
        or any(
            key.column.table is signups and key.parent.name in privacy.OWNERS for key in table.foreign_keys
        )
    ]
    assert {table.name for table in owned} <= set(TABLES)
    assert {column.key for table in owned for column in privacy.columns(table)} <= set(COLUMNS)


def held_by(session: Session) -> Signup:
    """A learner with something of what can be held."""
    course = ask(session, make_course(session), *(each.question for each in EXAMPLES.values()))
    course.start = NOW.date()
    me = make_signup(
        session,
        course,
        ("Jazz",),
        time_zone="Asia/Tokyo",
        confirmed_at=NOW,
        experience=Experience.BEGINNER,
        stopped_mails=["check-ins"],
        custom={each.question.key: each.kept for each in EXAMPLES.values()},
        not_alone=["role"],
        shown=["can_help_with", "role"],
    )
    mate = make_signup(session, course, name="Mate")
    make_cohort(session, me, mate, name="Larks")
    said = Pulse(met=Met.NOT_YET, social=4, talked_with=frozenset({mate.key}))
    checkins.check_in(session, me, said, NOW)
    notices.enqueue(session, notices.Kind.ALREADY_SIGNED_UP, signup=me)
    session.commit()
    return me


def test_my_data_is_in_words(session: Session, client: FlaskClient, links: Links) -> None:
    me = held_by(session)
    path = f"/l/{links.learner_token(me)}/my-data"
    shown = client.get(path).text.partition('id="held"')[2]
    for name in (
        "time_zone",
        "can_help_with",
        "confirmed_at",
        "already_signed_up",
        "beginner",
        "not yet",
        "check-ins",
    ):
        assert not re.search(rf">\s*{name}\s*<", shown), name
    for words in (
        "It is new to me",
        "Not yet",
        "You are signed up already",
        "I talked with them",
        "Check-ins",
    ):
        assert words in shown
    assert "14 January 2027, 05:00" in shown  # by the clock of Tokyo
    assert "Can help with" in shown
    assert EXAMPLES[next(iter(EXAMPLES))].question.label in shown
    assert '"confirmed_at": "2027-01-13T20:00:00+00:00"' in client.get(f"{path}.json").text  # keys stay there

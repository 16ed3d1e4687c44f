"""Importing interactions: who people are, what is kept, that nothing is kept twice, what is never kept."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from cohorts import conversations, interactions, privacy, ties
from cohorts.interactions import Outcome
from cohorts.models import Base, Course, Interaction, InteractionImport, Signup, SignupState, Source
from cohorts.told import Reading
from tests import chat_files as made
from tests.factories import make_course, make_signup, make_user

NOW = datetime(2027, 1, 20, 12, tzinfo=UTC)


@pytest.fixture
def course(session: Session) -> Course:
    return make_course(session)


@pytest.fixture
def people(session: Session, course: Course) -> list[Signup]:
    return [
        make_signup(session, course, name=name, email=f"{name.lower()}@example.org")
        for name in ("Ann", "Bo", "Cy")
    ]


def reading(*rows: str) -> Reading:
    found = conversations.read("\n".join(("from,to,time,kind", *rows)).encode())
    assert not isinstance(found, Reading)
    return conversations.of_table(found, conversations.guess(found))


def outcomes(session: Session, course: Course, *rows: str, **names: str) -> list[Outcome]:
    found = interactions.plan(session, course, reading(*rows), names, NOW)
    return [row.outcome for row in found.rows]


def test_people_are_known_by_address_user_name_or_a_name_of_their_own(
    session: Session, course: Course, people: list[Signup]
) -> None:
    make_signup(session, course, name="Two")
    make_signup(session, course, name="two")
    make_signup(session, course, name="Pen", email="pen@example.org", state=SignupState.PENDING)
    rows = (
        "ANN@example.org,<bo@example.org>,2027-01-13,",
        "Ann, BO ,2027-01-14,",
        "@annk,cy,2027-01-15,",
        "Two,Ann,2027-01-13,",
        "pen@example.org,Ann,2027-01-13,",
    )
    keep, unknown = Outcome.KEEP, Outcome.UNKNOWN
    known = outcomes(session, course, *rows, annk="ann@example.org")
    assert known == [unknown, keep, keep, unknown, unknown]
    assert outcomes(session, course, rows[2]) == [unknown]
    assert outcomes(session, course, rows[2], annk="gone@example.org") == [unknown]


def test_what_becomes_of_each_row(session: Session, course: Course, people: list[Signup]) -> None:
    rows = (
        "Ann,Bo,2027-01-13 18:00,reply",
        "Ann,Bo,2027-01-13 19:00+01:00,reply",
        "Ann,Bo,2027-01-13 18:00,mention",
        "Ann,ann@example.org,2027-01-13,",
        "x,x,2027-01-13,",
        "Ann,x,2027-01-13,",
        "y,x,2027-01-13,",
        "Ann,Bo,2027-03-01,",
        "Ann,Bo,soon,",
    )
    found = interactions.plan(session, course, reading(*rows), {}, NOW)
    assert found.counts == {
        Outcome.KEEP: 2,
        Outcome.REPEATED: 1,
        Outcome.OWN: 2,
        Outcome.UNKNOWN: 2,
        Outcome.WRONG: 2,
    }
    assert found.unknown == (("x", 2), ("y", 1))
    assert session.scalars(select(InteractionImport)).all() == []


def test_the_same_file_again_adds_nothing_and_a_longer_one_only_the_rest(
    session: Session, course: Course, people: list[Signup]
) -> None:
    rows = ["Ann,Bo,2027-01-13 18:00,reply", "Bo,Ann,2027-01-13 18:01,reply", "Ann,x,2027-01-13,"]
    first = interactions.apply(session, course, reading(*rows), {}, NOW)
    again = interactions.apply(session, course, reading(*rows), {}, NOW)
    more = interactions.apply(session, course, reading("Cy,Bo,2027-01-14,", *rows), {}, NOW)
    assert [(each.n_kept, each.n_repeated, each.n_unknown) for each in (first, again, more)] == [
        (2, 0, 1),
        (0, 2, 1),
        (1, 2, 1),
    ]
    assert session.scalar(select(func.count()).select_from(Interaction)) == 3
    assert interactions.imports(session, course) == [more, again, first]


def test_columns_renamed_between_two_exports_change_nothing(
    session: Session, course: Course, people: list[Signup]
) -> None:
    for head in ("from,to,time", "Author,In reply to,Posted at"):
        found = conversations.read(f"{head}\rAnn,Bo,2027-01-13 18:00\r".encode())
        assert not isinstance(found, Reading)
        told = conversations.of_table(found, conversations.guess(found))
        interactions.apply(session, course, told, {}, NOW)
    assert [each.n_kept for each in interactions.imports(session, course)] == [0, 1]


def test_what_was_imported_ties(session: Session, course: Course, people: list[Signup]) -> None:
    ann, bo, cy = people
    user = make_user(session)
    found = conversations.read(made.slack())
    assert isinstance(found, Reading)
    done = interactions.apply(session, course, found, {}, datetime(2027, 1, 14, tzinfo=UTC), user=user)
    assert (done.tool, done.n_kept, done.user_id, done.source) == ("Slack", 2, user.id, Source.IMPORTED)
    assert [(tie.one, tie.two) for tie in ties.of_course(session, course, NOW)] == [
        (ann.id, bo.id),
        (bo.id, cy.id),
    ]


def test_learning_records_find_people_by_the_digest_of_their_address(
    session: Session, course: Course, people: list[Signup]
) -> None:
    found = conversations.read(json.dumps(made.xapi()).encode())
    assert isinstance(found, Reading)
    plan = interactions.plan(session, course, found, {}, NOW)
    assert plan.counts[Outcome.KEEP] == 3


def test_nothing_is_kept_of_who_is_not_known(session: Session, course: Course, people: list[Signup]) -> None:
    interactions.apply(session, course, reading("Ann,canary@example.org,2027-01-13,reply"), {}, NOW)
    session.flush()
    kept = [repr(list(session.execute(select(table)))) for table in Base.metadata.sorted_tables]
    assert "canary" not in "".join(kept)


def test_an_erased_persons_interactions_become_a_count(
    session: Session, course: Course, people: list[Signup]
) -> None:
    ann, bo, _cy = people
    told = reading("Ann,Bo,2027-01-13,", "Bo,Ann,2027-01-14,", "Bo,Cy,2027-01-14,")
    made = interactions.apply(session, course, told, {}, NOW)
    privacy.erase(session, ann, NOW)
    session.refresh(made)
    assert (made.n_kept, made.n_erased) == (3, 2)
    assert [each.from_id for each in session.scalars(select(Interaction))] == [bo.id]
    assert sum(ties.erased(session, course).values()) == 1


def test_reading_what_is_known_takes_as_many_queries_for_many(
    session: Session, course: Course, people: list[Signup], count_queries: list[str]
) -> None:
    def asked(n: int) -> int:
        rows = [f"Ann,Bo,{NOW - timedelta(minutes=each):%Y-%m-%d %H:%M}," for each in range(n)]
        count_queries.clear()
        interactions.apply(session, course, reading(*rows), {}, NOW)
        return len(count_queries)

    assert asked(1) == asked(30)

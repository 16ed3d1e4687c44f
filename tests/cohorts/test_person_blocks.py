"""Blocking a person: private, one-sided, and kept by every later match."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from cohorts import person_blocks, runs
from cohorts.database import Database
from cohorts.exceptions import InvalidInput, NotFound
from cohorts.models import PersonBlock, Run, Seat
from tests.factories import make_cohort, make_course, make_signup

NOW = datetime(2027, 1, 13, 12, tzinfo=UTC)


def test_block_by_name_keeps_no_address(session: Session) -> None:
    course = make_course(session)
    me, other = (
        make_signup(session, course),
        make_signup(session, course, name="Ann", email="ann@example.org"),
    )
    make_cohort(session, me, other)
    found = person_blocks.block(session, me, key=other.key, at=NOW)
    assert found.label == "Ann"
    assert "example" not in repr([getattr(found, column.name) for column in PersonBlock.__table__.columns])
    assert person_blocks.of(session, other) == []


def test_block_twice_is_once_and_unblock_takes_it_back(session: Session) -> None:
    me = make_signup(session, make_course(session), works_with=["ann@example.org", "bo@example.org"])
    first = person_blocks.block(session, me, email=" Ann@Example.org ", at=NOW)
    assert person_blocks.block(session, me, email="ann@example.org", at=NOW) is first
    assert me.works_with == ["bo@example.org"]
    person_blocks.unblock(session, me, first.key)
    person_blocks.unblock(session, me, first.key)
    assert person_blocks.of(session, me) == []


def test_unblock_reaches_ones_own_blocks_alone(session: Session) -> None:
    course = make_course(session)
    me, other = make_signup(session, course), make_signup(session, course)
    found = person_blocks.block(session, me, email="ann@example.org", at=NOW)
    person_blocks.unblock(session, other, found.key)
    assert person_blocks.of(session, me) == [found]


@pytest.mark.parametrize("text", ["", "Ann", "ann@", "me@example.org", "a\x00@example.org"])
def test_block_needs_an_address_of_somebody_else(session: Session, text: str) -> None:
    me = make_signup(session, make_course(session), email="me@example.org")
    with pytest.raises(InvalidInput) as caught:
        person_blocks.block(session, me, email=text, at=NOW)
    assert list(caught.value.errors) == ["email"]


def test_block_by_name_is_for_those_known(session: Session) -> None:
    course = make_course(session)
    me, stranger = make_signup(session, course), make_signup(session, course)
    with pytest.raises(NotFound):
        person_blocks.block(session, me, key=stranger.key, at=NOW)


def test_blocks_have_a_limit(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(person_blocks, "MOST", 2)
    me = make_signup(session, make_course(session))
    for number in range(2):
        person_blocks.block(session, me, email=f"a{number}@example.org", at=NOW)
    with pytest.raises(InvalidInput, match="2 people already"):
        person_blocks.block(session, me, email="a2@example.org", at=NOW)


def test_knew_are_those_who_were_there_at_the_same_time(session: Session) -> None:
    course = make_course(session)
    me, before, with_me, after = (make_signup(session, course, name=name) for name in ("Me", "A", "B", "C"))
    cohort = make_cohort(session, me, before, with_me, after, at=NOW)
    spans = {
        me: (NOW, NOW + timedelta(days=9)),
        before: (NOW - timedelta(days=9), NOW),
        with_me: (NOW - timedelta(days=9), None),
        after: (NOW + timedelta(days=9), None),
    }
    for membership in cohort.memberships:
        membership.since, membership.until = spans[membership.signup]
    session.flush()
    assert [each.name for each in person_blocks.knew(session, me)] == ["B"]


def test_blocked_counts_as_avoided_in_a_match_whoever_they_wanted_to_be_with(session: Session) -> None:
    course = make_course(session)
    me = make_signup(session, course, email="me@example.org", works_with=["ann@example.org"])
    ann = make_signup(session, course, email="ann@example.org", avoids=["zoe@example.org"])
    earlier = make_signup(session, make_course(session), email="me@example.org")
    person_blocks.block(session, earlier, email="ann@example.org", at=NOW)
    person_blocks.block(session, me, email="not-here@example.org", at=NOW)
    mine, theirs = person_blocks.answers_with_blocks(session, [me, ann])
    assert (mine.works_with, mine.avoids) == ((), ("ann@example.org",))
    assert (theirs.works_with, theirs.avoids) == ((), ("zoe@example.org",))
    assert person_blocks.answers_with_blocks(session, []) == []


def test_match_keeps_blocked_people_apart(database: Database) -> None:
    with database.transaction() as session:
        course = make_course(session, size_min=2, target_size=3, size_max=3)
        learners = [make_signup(session, course) for _ in range(6)]
        for other in learners[1:3]:
            person_blocks.block(session, learners[0], email=other.email, at=NOW)
        run_id, ids = runs.request(session, course, None, time_limit=2.0).id, [each.id for each in learners]
    runs.execute(database, run_id, "test")
    with database.reading() as session:
        assert session.get_one(Run, run_id).reason == ""
        seats = dict(session.execute(select(Seat.signup_id, Seat.cohort_id)).all())
    assert seats[ids[0]] is not None
    assert seats[ids[0]] not in {seats[ids[1]], seats[ids[2]]}


def test_block_outlives_the_sign_up_of_the_blocked(session: Session) -> None:
    course = make_course(session)
    me, other = make_signup(session, course), make_signup(session, course, email="ann@example.org")
    person_blocks.block(session, me, email=other.email, at=NOW)
    session.delete(other)
    session.flush()
    again = make_signup(session, course, email="ann@example.org")
    assert person_blocks.apart(session, me, [again]) == {again.id}
    assert person_blocks.apart(session, again, [me]) == {me.id}

"""Whom a learner has connected with, and what of others' words they are not to know."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from cohorts import acquaintances, checkins, denials, person_blocks
from cohorts.checkins import Pulse
from cohorts.exceptions import InvalidInput, NotFound
from cohorts.models import (
    Attendance,
    Cohort,
    Connection,
    Course,
    CourseState,
    Interaction,
    InteractionImport,
    Membership,
    Signup,
    Source,
    now,
)
from tests.factories import make_cohort, make_course, make_signup

AT = now()
TALKED, GO_ON = Source.TALKED_WITH, Source.GO_ON_WITH


@pytest.fixture
def course(session: Session) -> Course:
    start = (AT - timedelta(weeks=2)).date()
    return make_course(session, start=start, state=CourseState.RUNNING)


@pytest.fixture
def cohort(session: Session, course: Course) -> Cohort:
    return make_cohort(session, *(make_signup(session, course, name=name) for name in ("Ann", "Bob", "Cid")))


@pytest.fixture
def ann(cohort: Cohort) -> Signup:
    return cohort.memberships[0].signup


@pytest.fixture
def bob(cohort: Cohort) -> Signup:
    return cohort.memberships[1].signup


@pytest.fixture
def zoe(session: Session, course: Course) -> Signup:
    """Somebody outside the cohort whom nobody can find."""
    return make_signup(session, course, name="Zoe", email="zoe@example.org")


def says(session: Session, one: Signup, other: Signup, source: Source = TALKED, at: datetime = AT) -> None:
    session.add(Connection(course_id=one.course_id, from_id=one.id, to_id=other.id, source=source, at=at))
    session.flush()


def met(session: Session, cohort: Cohort, *people: Signup, days_ago: int = 1) -> None:
    starts_at = AT - timedelta(days=days_ago)
    for each in people:
        session.add(Attendance(cohort_id=cohort.id, signup_id=each.id, starts_at=starts_at, was_there=True))
    session.flush()


def wrote(session: Session, one: Signup, other: Signup) -> None:
    told = InteractionImport(course_id=one.course_id, source=Source.IMPORTED, tool="zulip")
    session.add(told)
    session.flush()
    session.add(Interaction(import_id=told.id, from_id=one.id, to_id=other.id, at=AT))
    session.flush()


def names(session: Session, signup: Signup) -> list[str]:
    return [each.name for each in acquaintances.of_learner(session, signup)]


def test_what_others_said_is_theirs(session: Session, ann: Signup, bob: Signup) -> None:
    for source in (TALKED, GO_ON):
        says(session, bob, ann, source)
    assert acquaintances.of_learner(session, ann) == []
    says(session, ann, bob)
    (found,) = acquaintances.of_learner(session, ann)
    assert ([each.source for each in found.said], found.is_mutual) == ([TALKED], False)


def test_both_are_told_when_each_wants_to_go_on(session: Session, ann: Signup, bob: Signup) -> None:
    says(session, ann, bob, GO_ON)
    assert not acquaintances.of_learner(session, ann)[0].is_mutual
    says(session, bob, ann, GO_ON)
    for one in (ann, bob):
        assert acquaintances.of_learner(session, one)[0].is_mutual
    block = person_blocks.block(session, bob, key=ann.key, at=AT)
    (found,) = acquaintances.of_learner(session, ann)  # who blocked whom is not told by somebody's absence
    assert (found.name, found.is_mutual) == ("Bob", False)
    person_blocks.unblock(session, bob, block.key)
    denials.deny(session, bob, ann.key, AT)
    assert not acquaintances.of_learner(session, ann)[0].is_mutual


def test_those_blocked_or_denied_are_not_listed(session: Session, ann: Signup, bob: Signup) -> None:
    says(session, ann, bob)
    block = person_blocks.block(session, ann, key=bob.key, at=AT)
    assert names(session, ann) == []
    person_blocks.unblock(session, ann, block.key)
    denials.deny(session, ann, bob.key, AT)
    assert names(session, ann) == []
    denials.take_back(session, ann, bob.key)
    assert names(session, ann) == ["Bob"]


def test_meetings_count_where_both_were(session: Session, cohort: Cohort, ann: Signup, bob: Signup) -> None:
    met(session, cohort, ann, bob, days_ago=9)
    met(session, cohort, ann, bob, days_ago=2)
    met(session, cohort, bob, days_ago=1)
    (found,) = acquaintances.of_learner(session, ann)
    assert (found.name, found.n_meetings, found.was_mate) == ("Bob", 2, True)
    assert found.last_meeting == AT - timedelta(days=2)


def test_who_was_met_elsewhere_is_named_only_if_they_let_others_find_them(
    session: Session, ann: Signup, bob: Signup, zoe: Signup
) -> None:
    wrote(session, zoe, ann)
    wrote(session, ann, bob)
    assert names(session, ann) == ["Bob"]
    zoe.findable = True
    assert sorted(names(session, ann)) == ["Bob", "Zoe"]


def test_an_address_tells_nothing_of_who_is_signed_up(session: Session, ann: Signup, zoe: Signup) -> None:
    says(session, zoe, ann, GO_ON)
    for text in ("Zoe@example.org", "nobody@example.org"):
        acquaintances.say(session, ann, GO_ON, AT, text=text)
    found = acquaintances.of_learner(session, ann)
    assert {(each.name, each.other, each.is_mutual) for each in found} == {
        ("zoe@example.org", None, False),
        ("nobody@example.org", None, False),
    }
    person_blocks.block(session, ann, email="zoe@example.org", at=AT)
    assert names(session, ann) == ["nobody@example.org"]


def test_saying_the_same_twice_in_a_week_is_once(session: Session, ann: Signup, bob: Signup) -> None:
    for days in (0, 6, 8):
        acquaintances.say(session, ann, TALKED, AT + timedelta(days=days), key=bob.key)
    acquaintances.say(session, ann, GO_ON, AT, key=bob.key)
    (found,) = acquaintances.of_learner(session, ann)
    assert [each.source for each in found.said] == [TALKED, GO_ON, TALKED]


def test_nobody_can_be_named_who_is_not_known(
    session: Session, ann: Signup, zoe: Signup, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(NotFound):
        acquaintances.say(session, ann, TALKED, AT, key=zoe.key)
    for text in ("", "Zoe", ann.email):
        with pytest.raises(InvalidInput):
            acquaintances.say(session, ann, TALKED, AT, text=text)
    zoe.findable = True
    session.flush()
    acquaintances.say(session, ann, TALKED, AT, text=checkins.found_as(zoe))
    monkeypatch.setattr(acquaintances, "MOST", 1)
    with pytest.raises(InvalidInput):
        acquaintances.say(session, ann, TALKED, AT, text="one@example.org")


def test_only_ones_own_words_are_taken_back(session: Session, ann: Signup, bob: Signup) -> None:
    says(session, bob, ann)
    says(session, ann, bob)
    theirs = session.scalars(select(Connection.id).where(Connection.from_id == bob.id)).one()
    with pytest.raises(NotFound):
        acquaintances.take_back(session, ann, theirs)
    mine = session.scalars(select(Connection.id).where(Connection.from_id == ann.id)).one()
    acquaintances.take_back(session, ann, mine)
    assert session.scalars(select(Connection.id)).all() == [theirs]
    with pytest.raises(NotFound):
        acquaintances.take_back(session, ann, mine)


def test_what_was_added_stands_in_the_check_in_of_the_week(
    session: Session, ann: Signup, bob: Signup
) -> None:
    acquaintances.say(session, ann, GO_ON, AT, key=bob.key)
    acquaintances.say(session, ann, TALKED, AT, text="friend@example.org")
    said = checkins.open_round(session, ann, AT).said
    assert said == Pulse(go_on_with=frozenset({bob.key}), others_talked_with=("friend@example.org",))
    checkins.check_in(session, ann, said, AT)
    assert sorted(names(session, ann)) == ["Bob", "friend@example.org"]


def test_two_know_each_other_by_both_their_words_or_an_earlier_meeting(
    session: Session, course: Course, cohort: Cohort, ann: Signup, bob: Signup, zoe: Signup
) -> None:
    cid = cohort.memberships[2].signup
    people = [ann.id, bob.id, cid.id, zoe.id]

    def known(*here: Cohort) -> set[tuple[int, int]]:
        return acquaintances.know_each_other(session, course, people, [each.id for each in here])

    met(session, cohort, ann, cid)
    met(session, cohort, bob, days_ago=2)
    says(session, ann, bob)
    assert known(cohort) == set()
    says(session, bob, ann, GO_ON)
    assert known(cohort) == {(ann.id, bob.id)}
    assert known() == {(ann.id, bob.id), (ann.id, cid.id)}
    assert acquaintances.known_to(session, bob, [ann, cid]) == {ann.id}
    assert acquaintances.known_to(session, cid, [ann, bob]) == set()
    session.query(Membership).filter_by(signup_id=cid.id).one().until = AT
    session.flush()
    assert acquaintances.known_to(session, cid, [ann, bob]) == {ann.id}
    denials.deny(session, cid, ann.key, AT)
    assert known() == {(ann.id, bob.id)}
    person_blocks.block(session, bob, key=ann.key, at=AT)
    assert known() == set()


def test_denying_tells_nothing_of_a_block(session: Session, ann: Signup, zoe: Signup) -> None:
    with pytest.raises(NotFound):
        denials.deny(session, ann, zoe.key, AT)
    says(session, ann, zoe)
    person_blocks.block(session, zoe, email=ann.email, at=AT)
    denials.deny(session, ann, zoe.key, AT)
    assert [each.other_id for each in denials.of(session, ann)] == [zoe.id]

"""Who is connected with whom: every source, what outranks them, and what an erasure leaves."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from cohorts import denials, person_blocks, privacy, ties
from cohorts.exceptions import NotFound
from cohorts.models import (
    Attendance,
    Connection,
    ConnectionDenial,
    Course,
    Interaction,
    InteractionImport,
    Membership,
    Signup,
    SignupState,
    Source,
)
from cohorts.standing import standing_of
from cohorts.ties import WEIGHTS
from tests.factories import make_cohort, make_course, make_signup, make_user

NOW = datetime(2027, 2, 1, 12, tzinfo=UTC)
"""A Monday."""


@pytest.fixture
def course(session: Session) -> Course:
    return make_course(session)


def say(session: Session, one: Signup, other: Signup | str, at: datetime = NOW, **given: Source) -> None:
    """Let somebody name another in a check-in."""
    named = {"to_address": other} if isinstance(other, str) else {"to_id": other.id}
    source = given.get("source", Source.TALKED_WITH)
    session.add(Connection(course_id=one.course_id, from_id=one.id, source=source, at=at, **named))
    session.flush()


def bring(session: Session, course: Course, *pairs: tuple[Signup, Signup], at: datetime = NOW) -> None:
    """Import a reply of the one to the other for each pair."""
    made = InteractionImport(course_id=course.id, source=Source.IMPORTED, tool="csv", n_kept=len(pairs))
    session.add(made)
    session.flush()
    for one, other in pairs:
        session.add(Interaction(import_id=made.id, from_id=one.id, to_id=other.id, at=at, kind="reply"))
    session.flush()


def meet(session: Session, *people: Signup, at: datetime = NOW) -> None:
    """Let people have been at a meeting of the first one's cohort."""
    cohort = standing_of(session, people[0]).cohort
    assert cohort is not None
    for each in people:
        session.add(Attendance(cohort_id=cohort.id, signup_id=each.id, starts_at=at, was_there=True))
    session.flush()


def pairs(session: Session, course: Course, at: datetime = NOW) -> dict[tuple[int, int], frozenset[Source]]:
    return {(tie.one, tie.two): tie.sources for tie in ties.of_course(session, course, at)}


def test_every_source_ties_and_a_pair_is_one_tie(session: Session, course: Course) -> None:
    a, b, c, d = (make_signup(session, course) for _ in range(4))
    make_cohort(session, a, b, at=NOW - timedelta(days=30))
    e = make_signup(session, course, works_with=[a.email, "nobody@example.org"], created_at=NOW)
    say(session, a, b)
    say(session, b, a, NOW - timedelta(days=7), source=Source.GO_ON_WITH)
    say(session, c, d.email)
    say(session, c, "nobody@example.org")
    bring(session, course, (a, c))
    meet(session, a, b, at=NOW - timedelta(days=14))
    assert pairs(session, course) == {
        (a.id, b.id): {Source.TALKED_WITH, Source.GO_ON_WITH, Source.MET},
        (a.id, c.id): {Source.IMPORTED},
        (a.id, e.id): {Source.INVITED_BY},
        (c.id, d.id): {Source.TALKED_WITH},
    }
    first = ties.of_course(session, course, NOW)[0]
    assert (first.first, first.last) == (NOW - timedelta(days=14), NOW)
    faded = 0.5**0.25  # a week in a half-life of four
    met = WEIGHTS[Source.MET] * 0.5**0.5
    mine = 1 - (1 - WEIGHTS[Source.TALKED_WITH]) * (1 - met)
    theirs = 1 - (1 - faded) * (1 - met)
    assert first.strength == pytest.approx((mine + theirs) / 2)


def test_what_is_still_to_come_and_who_never_confirmed_do_not_count(session: Session, course: Course) -> None:
    a, b = (make_signup(session, course) for _ in range(2))
    pending = make_signup(session, course, state=SignupState.PENDING, confirmed_at=None)
    gone = make_signup(session, course, state=SignupState.WITHDRAWN)
    say(session, a, b, NOW + timedelta(hours=1))
    say(session, a, pending)
    say(session, a, pending.email)
    say(session, a, gone)
    assert list(pairs(session, course)) == [(a.id, gone.id)]


def test_the_half_life_is_the_courses(session: Session, course: Course) -> None:
    course.half_life_days = 7
    a, b = (make_signup(session, course) for _ in range(2))
    say(session, a, b, NOW - timedelta(days=7), source=Source.GO_ON_WITH)
    [tie] = ties.of_course(session, course, NOW)
    assert tie.strength == pytest.approx(0.25)


def test_across_is_by_the_cohorts_at_the_time(session: Session, course: Course) -> None:
    a, b, c, alone = (make_signup(session, course) for _ in range(4))
    make_cohort(session, a, b, at=NOW - timedelta(days=10))
    make_cohort(session, c, at=NOW - timedelta(days=10))
    say(session, a, c, NOW - timedelta(days=20))  # before there were cohorts
    say(session, a, c, NOW - timedelta(days=5))
    say(session, b, c, NOW - timedelta(days=20))
    say(session, a, b, NOW - timedelta(days=5))
    say(session, a, alone, NOW - timedelta(days=5))
    [stay] = session.scalars(select(Membership).where(Membership.signup_id == c.id))
    stay.until = NOW - timedelta(days=3)
    session.flush()
    make_cohort(session, c, at=NOW - timedelta(days=3))
    session.flush()
    found = {(tie.one, tie.two): tie.across for tie in ties.of_course(session, course, NOW)}
    assert found == {
        (a.id, b.id): False,
        (a.id, c.id): True,
        (b.id, c.id): None,
        (a.id, alone.id): None,
    }


def test_a_denial_by_either_ends_a_tie_until_it_is_taken_back(session: Session, course: Course) -> None:
    a, b = (make_signup(session, course) for _ in range(2))
    bring(session, course, (a, b), (b, a), at=NOW)
    denials.deny(session, b, a.key, NOW)
    denials.deny(session, b, a.key, NOW)
    assert len(session.scalars(select(ConnectionDenial)).all()) == 1
    assert pairs(session, course) == {}
    assert ties.of_learner(session, a, NOW) == []
    assert [each.other for each in denials.of(session, b)] == [a]
    denials.take_back(session, b, a.key)
    assert list(pairs(session, course)) == [(a.id, b.id)]


def test_only_who_is_known_can_be_denied(session: Session, course: Course) -> None:
    a, b, mate = (make_signup(session, course) for _ in range(3))
    foreign = make_signup(session, make_course(session))
    make_cohort(session, a, mate)
    say(session, b, a)  # which is not for a to know
    for other in (b, foreign, a):
        with pytest.raises(NotFound):
            denials.deny(session, a, other.key, NOW)
    denials.deny(session, a, mate.key, NOW)


@pytest.mark.parametrize("way", ["blocks", "is blocked", "avoids", "blocked in another course"])
def test_a_block_outranks_everything(session: Session, course: Course, way: str) -> None:
    a, b = (make_signup(session, course) for _ in range(2))
    make_cohort(session, a, b, at=NOW - timedelta(days=30))
    say(session, a, b)
    say(session, b, a)
    bring(session, course, (a, b))
    meet(session, a, b)
    assert list(pairs(session, course)) == [(a.id, b.id)]
    if way == "blocks":
        person_blocks.block(session, a, key=b.key, at=NOW)
    elif way == "is blocked":
        person_blocks.block(session, b, email=a.email, at=NOW)
    elif way == "avoids":
        b.avoids = [a.email]
    else:
        elsewhere = make_signup(session, make_course(session), email=a.email)
        person_blocks.block(session, elsewhere, email=b.email, at=NOW)
    session.flush()
    assert pairs(session, course) == {}
    assert ties.of_learner(session, a, NOW) == ties.of_learner(session, b, NOW) == []


def test_a_flood_from_one_side_is_half_a_tie_and_changes_no_other(session: Session, course: Course) -> None:
    a, b, c = (make_signup(session, course) for _ in range(3))
    say(session, b, c)
    bring(session, course, (b, c))
    before = {tie.one: tie.strength for tie in ties.of_course(session, course, NOW)}
    for minute in range(300):
        bring(session, course, (a, b), at=NOW - timedelta(minutes=minute))
    after = {(tie.one, tie.two): tie.strength for tie in ties.of_course(session, course, NOW)}
    assert after[a.id, b.id] == pytest.approx(0.5)
    assert after[b.id, c.id] == before[b.id]


def test_a_learner_sees_what_is_theirs_to_know(session: Session, course: Course) -> None:
    a, b, c, d, e = (make_signup(session, course) for _ in range(5))
    say(session, a, b)
    say(session, c, a)
    say(session, c, a.email)
    say(session, a, d.email)
    bring(session, course, (e, a))
    say(session, e, a, NOW - timedelta(days=1))
    say(session, b, c)
    found = {(tie.one, tie.two): tie.sources for tie in ties.of_learner(session, a, NOW)}
    assert found == {(a.id, b.id): {Source.TALKED_WITH}, (a.id, e.id): {Source.IMPORTED}}


def test_the_number_of_queries_does_not_grow(
    session: Session, course: Course, count_queries: list[str]
) -> None:
    def asked() -> int:
        count_queries.clear()
        ties.of_course(session, course, NOW)
        return len(count_queries)

    people = [make_signup(session, course) for _ in range(2)]
    make_cohort(session, *people)
    say(session, *people)
    few = asked()
    more = [make_signup(session, course) for _ in range(28)]
    make_cohort(session, *more)
    meet(session, *more)
    for one, other in pairwise(more):
        say(session, one, other)
        bring(session, course, (other, one))
    assert asked() == few <= 10


def test_an_erasure_leaves_counts(session: Session, course: Course) -> None:
    a, b, c, d = (make_signup(session, course) for _ in range(4))
    make_cohort(session, a, b, at=NOW - timedelta(days=30))
    make_cohort(session, c, at=NOW - timedelta(days=30))
    say(session, a, b)
    say(session, c, a.email)
    bring(session, course, (a, d), (d, a), (b, c), at=NOW - timedelta(days=7))
    denials.deny(session, b, a.key, NOW)
    denials.take_back(session, b, a.key)
    privacy.erase(session, a, NOW)
    monday = date(2027, 2, 1)
    assert ties.erased(session, course) == {
        (monday, False): 1,
        (monday, True): 1,
        (date(2027, 1, 25), None): 1,
    }
    assert list(pairs(session, course)) == [(b.id, c.id)]
    [made] = session.scalars(select(InteractionImport))
    assert (made.n_kept, made.n_erased) == (3, 2)
    privacy.erase(session, b, NOW)
    assert ties.erased(session, course)[date(2027, 1, 25), True] == 1
    assert session.scalars(select(Interaction)).all() == []


def test_an_import_may_outlive_who_made_it(session: Session, course: Course) -> None:
    user = make_user(session)
    a, b = (make_signup(session, course) for _ in range(2))
    bring(session, course, (a, b))
    [made] = session.scalars(select(InteractionImport))
    made.user_id = user.id
    session.flush()
    session.delete(user)
    session.flush()
    session.expire_all()
    assert made.user_id is None
    assert list(pairs(session, course)) == [(a.id, b.id)]

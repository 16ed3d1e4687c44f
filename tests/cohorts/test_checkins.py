"""Check-ins: what is kept, what may be said, and when."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from cohorts import checkins, person_blocks
from cohorts.checkins import Pulse
from cohorts.exceptions import Conflict, InvalidInput
from cohorts.models import CheckIn, Connection, Course, HelpRequest, Met, Signup, Source
from tests.factories import make_cohort, make_course, make_signup

START = date(2027, 1, 11)
WEDNESDAY = datetime(2027, 1, 13, 20, tzinfo=UTC)
"""In the first week."""


@pytest.fixture
def course(session: Session) -> Course:
    return make_course(session, start=START, weeks=4)


@pytest.fixture
def me(session: Session, course: Course) -> Signup:
    mine = make_signup(session, course, name="Me")
    make_cohort(
        session, mine, make_signup(session, course, name="Ann"), make_signup(session, course, name="Bo")
    )
    return mine


def mates(session: Session, me: Signup) -> dict[str, str]:
    return {each.name: each.key for each in checkins.open_round(session, me, WEDNESDAY).mates}


def connections(session: Session) -> list[tuple[str, str]]:
    rows = session.scalars(select(Connection).order_by(Connection.id)).all()
    return sorted((row.source.value, row.to.name if row.to else row.to_address) for row in rows)


def test_check_in_comes_back_as_it_was_given(session: Session, me: Signup) -> None:
    keys = mates(session, me)
    pulse = Pulse(
        met=Met.NOT_YET,
        social=5,
        teaching=1,
        talked_with=frozenset(keys.values()),
        go_on_with=frozenset({keys["Ann"]}),
        others_talked_with=("zoe@example.org",),
        help="We cannot agree on a time.",
    )
    checkins.check_in(session, me, pulse, WEDNESDAY)
    assert checkins.open_round(session, me, WEDNESDAY + timedelta(days=1)).said == pulse
    assert connections(session) == [
        ("go on with", "Ann"),
        ("talked with", "Ann"),
        ("talked with", "Bo"),
        ("talked with", "zoe@example.org"),
    ]


def test_check_in_again_in_a_week_replaces_and_keeps_the_dates_of_what_stays(
    session: Session, me: Signup
) -> None:
    keys = mates(session, me)
    checkins.check_in(session, me, Pulse(met=Met.NO, talked_with=frozenset(keys.values())), WEDNESDAY)
    later = WEDNESDAY + timedelta(days=2)
    both = Pulse(met=Met.YES, talked_with=frozenset({keys["Bo"]}), go_on_with=frozenset({keys["Bo"]}))
    checkins.check_in(session, me, both, later)
    assert session.scalars(select(CheckIn.met)).all() == [Met.YES]
    rows = session.execute(select(Connection.source, Connection.at).order_by(Connection.id)).all()
    assert [tuple(row) for row in rows] == [(Source.TALKED_WITH, WEDNESDAY), (Source.GO_ON_WITH, later)]


def test_check_in_of_the_next_week_is_another(session: Session, me: Signup) -> None:
    keys = mates(session, me)
    said = Pulse(met=Met.YES, talked_with=frozenset({keys["Ann"]}))
    checkins.check_in(session, me, said, WEDNESDAY)
    following = checkins.open_round(session, me, WEDNESDAY + timedelta(weeks=1))
    assert (following.week, following.said) == (2, Pulse())
    checkins.check_in(session, me, said, WEDNESDAY + timedelta(weeks=1))
    assert session.scalars(select(CheckIn.week).order_by(CheckIn.week)).all() == [1, 2]
    assert session.scalar(select(func.count(Connection.id))) == 2


@pytest.mark.parametrize(
    ("zone", "at", "week"),
    [
        ("UTC", datetime(2027, 1, 10, 23, 59, tzinfo=UTC), None),
        ("Asia/Tokyo", datetime(2027, 1, 10, 15, 0, tzinfo=UTC), 1),
        ("UTC", datetime(2027, 1, 17, 23, 59, tzinfo=UTC), 1),
        ("America/New_York", datetime(2027, 1, 18, 4, 59, tzinfo=UTC), 1),
        ("America/New_York", datetime(2027, 1, 18, 5, 0, tzinfo=UTC), 2),
        ("UTC", datetime(2027, 2, 7, 23, 59, tzinfo=UTC), 4),
        ("UTC", datetime(2027, 2, 8, 0, 0, tzinfo=UTC), None),
    ],
)
def test_weeks_begin_on_mondays_where_the_learner_lives(
    session: Session, me: Signup, zone: str, at: datetime, week: int | None
) -> None:
    me.time_zone = zone
    if week is None:
        with pytest.raises(Conflict, match="during the course"):
            checkins.open_round(session, me, at)
    else:
        assert checkins.open_round(session, me, at).week == week


def test_check_in_is_for_those_in_a_cohort(session: Session, course: Course) -> None:
    with pytest.raises(Conflict, match="in a cohort"):
        checkins.open_round(session, make_signup(session, course), WEDNESDAY)


def test_nothing_answered_is_a_check_in_too(session: Session, me: Signup) -> None:
    checkins.check_in(session, me, Pulse(), WEDNESDAY)
    assert checkins.has_checked_in(session, me, 1)
    assert connections(session) == []
    assert session.scalar(select(func.count(HelpRequest.id))) == 0


def test_address_is_kept_the_same_whether_it_is_signed_up_or_not(session: Session, me: Signup) -> None:
    known = make_signup(session, me.course, email="known@example.org")
    addresses = ("known@example.org", "unknown@example.org")
    checkins.check_in(session, me, Pulse(others_talked_with=addresses), WEDNESDAY)
    rows = session.execute(select(Connection.to_id, Connection.to_address).order_by(Connection.to_address))
    assert [tuple(row) for row in rows] == [(None, address) for address in addresses]
    assert known.name not in repr(checkins.open_round(session, me, WEDNESDAY))


def test_only_those_who_opted_in_are_found_by_name(session: Session, me: Signup) -> None:
    found = make_signup(session, me.course, name="Open Olga", time_zone="Europe/Riga", findable=True)
    make_signup(session, me.course, name="Shy Sam")
    elsewhere = make_course(session)
    make_signup(session, elsewhere, name="Far Fay", findable=True)
    round_ = checkins.open_round(session, me, WEDNESDAY)
    assert round_.findable == {"Open Olga (Riga)": found.id}
    checkins.check_in(session, me, Pulse(others_go_on_with=("open olga  (riga)",)), WEDNESDAY)
    assert connections(session) == [("go on with", "Open Olga")]
    with pytest.raises(InvalidInput) as caught:
        checkins.check_in(session, me, Pulse(others_talked_with=("Shy Sam (UTC)",)), WEDNESDAY)
    assert list(caught.value.errors) == ["others_talked_with"]


def test_whoever_was_named_stays_named_after_they_opt_out(session: Session, me: Signup) -> None:
    other = make_signup(session, me.course, name="Open Olga", findable=True)
    said = Pulse(others_talked_with=("Open Olga (UTC)",))
    checkins.check_in(session, me, said, WEDNESDAY)
    other.findable = False
    checkins.check_in(session, me, said, WEDNESDAY)
    assert connections(session) == [("talked with", "Open Olga")]


@pytest.mark.parametrize("blocker", ["me", "other"])
def test_whoever_is_to_be_apart_is_not_suggested(session: Session, me: Signup, blocker: str) -> None:
    other = make_signup(session, me.course, findable=True)
    one, two = (me, other) if blocker == "me" else (other, me)
    assert checkins.open_round(session, me, WEDNESDAY).findable
    person_blocks.block(session, one, email=two.email, at=WEDNESDAY)
    assert checkins.open_round(session, me, WEDNESDAY).findable == {}


@pytest.mark.parametrize(
    ("pulse", "field"),
    [
        (Pulse(social=6), "social"),
        (Pulse(teaching=0), "teaching"),
        (Pulse(talked_with=frozenset({"nobody"})), "talked_with"),
        (Pulse(go_on_with=frozenset({"\x00"})), "go_on_with"),
        (Pulse(others_talked_with=("me@",)), "others_talked_with"),
        (Pulse(others_go_on_with=tuple(f"a{n}@example.org" for n in range(21))), "others_go_on_with"),
        (Pulse(help="x" * 1001), "help"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_is_kept(
    session: Session, me: Signup, pulse: Pulse, field: str
) -> None:
    with pytest.raises(InvalidInput) as caught:
        checkins.check_in(session, me, pulse, WEDNESDAY)
    assert list(caught.value.errors) == [field]
    assert not checkins.has_checked_in(session, me, 1)
    assert connections(session) == []


def test_own_address_is_refused(session: Session, me: Signup) -> None:
    with pytest.raises(InvalidInput, match="your own address"):
        checkins.check_in(session, me, Pulse(others_talked_with=(me.email,)), WEDNESDAY)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(texts=st.lists(st.text(max_size=40), max_size=4), help_=st.text(max_size=60))
def test_any_text_is_either_kept_or_refused(
    session: Session, me: Signup, texts: list[str], help_: str
) -> None:
    pulse = Pulse(others_talked_with=tuple(texts), help=help_.encode(errors="ignore").decode())
    refused: set[str] = set()
    with session.begin_nested() as savepoint:
        try:
            checkins.check_in(session, me, pulse, WEDNESDAY)
        except InvalidInput as error:
            refused = set(error.errors)
        savepoint.rollback()
    assert refused <= {"others_talked_with"}


def test_queries_do_not_grow_with_the_cohort(
    session: Session, course: Course, count_queries: list[str]
) -> None:
    counts = []
    for size in (2, 8):
        mine = make_signup(session, course)
        others = [make_signup(session, course, findable=True) for _ in range(size)]
        make_cohort(session, mine, *others)
        session.flush()
        session.expire_all()
        mine = session.get_one(Signup, mine.id)
        assert mine.course.weeks == 4
        count_queries.clear()
        checkins.open_round(session, mine, WEDNESDAY)
        counts.append(len(count_queries))
    assert counts[0] == counts[1]

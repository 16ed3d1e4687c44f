"""Voting, fixing a meeting and saying where to talk, also by two people at once."""

from collections.abc import Callable
from threading import Barrier, Thread

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from cohorts import channels, choosing, meetings, notices, privacy, signups
from cohorts.choosing import CHECKLIST, MeetingChanged
from cohorts.database import Database
from cohorts.exceptions import Conflict, InvalidInput, NotFound
from cohorts.links import Links
from cohorts.meetings import Meeting
from cohorts.models import (
    Attendance,
    Cohort,
    FixedMeeting,
    Mail,
    MailState,
    MeetingVote,
    Membership,
    Reminder,
    Signup,
    now,
)
from cohorts.notices import Kind
from tests.factories import make_cohort, make_course, make_signup

MONDAY, TUESDAY = Meeting("Europe/Berlin", 38), Meeting("Europe/Berlin", 48 + 38)
SENDER = "cohorts@example.org"


@pytest.fixture
def members(session: Session) -> list[Signup]:
    """Three members of a cohort; the first offered to get it going."""
    course = make_course(session)
    return [make_signup(session, course, name=name, convenor=name == "Ada") for name in ("Ada", "Ben", "Cem")]


@pytest.fixture
def cohort(session: Session, members: list[Signup]) -> Cohort:
    return make_cohort(session, *members)


def meeting_mails(session: Session) -> list[str]:
    return [
        mail.signup.name
        for mail in session.scalars(select(Mail).where(Mail.kind == Kind.MEETING).order_by(Mail.id))
        if mail.signup and mail.state is MailState.WAITING
    ]


# ---- votes ----


def test_vote_for_several_times_and_take_one_back(
    session: Session, cohort: Cohort, members: list[Signup]
) -> None:
    ada, ben, _ = members
    for voter, meeting in ((ada, MONDAY), (ada, TUESDAY), (ben, TUESDAY), (ben, TUESDAY)):
        choosing.vote(session, cohort, voter, meeting, suits=True)
    votes = choosing.votes_of(session, cohort, ada)
    assert (votes.counts, votes.mine) == ({MONDAY: 1, TUESDAY: 2}, {MONDAY, TUESDAY})
    assert votes.favourite == TUESDAY
    for _ in range(2):
        choosing.vote(session, cohort, ada, TUESDAY, suits=False)
    votes = choosing.votes_of(session, cohort, ada)
    assert (votes.counts, votes.mine) == ({MONDAY: 1, TUESDAY: 1}, {MONDAY})
    assert votes.favourite == MONDAY


def test_votes_without_any_have_no_favourite(session: Session, cohort: Cohort) -> None:
    votes = choosing.votes_of(session, cohort)
    assert (votes.counts, votes.mine, votes.favourite) == ({MONDAY: 0, TUESDAY: 0}, set(), None)


def test_vote_for_a_time_that_is_not_common_is_refused(
    session: Session, cohort: Cohort, members: list[Signup]
) -> None:
    with pytest.raises(NotFound):
        choosing.vote(session, cohort, members[0], Meeting("Europe/Berlin", 0), suits=True)


def test_votes_of_who_left_do_not_count(session: Session, cohort: Cohort, members: list[Signup]) -> None:
    choosing.vote(session, cohort, members[1], MONDAY, suits=True)
    signups.withdraw(session, members[1], now())
    assert choosing.votes_of(session, cohort).counts[MONDAY] == 0
    with pytest.raises(Conflict, match="not in this cohort"):
        choosing.vote(session, cohort, members[1], MONDAY, suits=True)


# ---- fixing ----


def test_fix_tells_the_others_and_counts_up(session: Session, cohort: Cohort, members: list[Signup]) -> None:
    assert (meetings.weekly(cohort), choosing.version(cohort)) == (MONDAY, 0)
    choosing.fix(session, cohort, TUESDAY, now(), seen=0, by=members[0])
    assert (meetings.weekly(cohort), choosing.version(cohort)) == (TUESDAY, 1)
    assert cohort.fixed[0].signup is members[0]
    assert meeting_mails(session) == ["Ben", "Cem"]


def test_fix_again_drops_the_mail_that_has_not_gone(
    session: Session, cohort: Cohort, members: list[Signup]
) -> None:
    choosing.fix(session, cohort, TUESDAY, now(), seen=0, by=members[0])
    choosing.fix(session, cohort, MONDAY, now(), seen=1, by=None)
    session.expire_all()
    assert meeting_mails(session) == ["Ada", "Ben", "Cem"]
    assert [each.signup_id for each in cohort.fixed] == [members[0].id, None]


def test_fix_the_same_time_again_writes_to_nobody(
    session: Session, cohort: Cohort, members: list[Signup]
) -> None:
    choosing.fix(session, cohort, MONDAY, now(), seen=0, by=members[0])
    choosing.fix(session, cohort, MONDAY, now(), seen=1, by=members[0])
    assert choosing.version(cohort) == 1
    assert meeting_mails(session) == ["Ben", "Cem"]


def test_fix_by_somebody_who_has_not_seen_the_last_change_is_refused(
    session: Session, cohort: Cohort, members: list[Signup]
) -> None:
    choosing.fix(session, cohort, TUESDAY, now(), seen=0, by=None)
    with pytest.raises(MeetingChanged):
        choosing.fix(session, cohort, MONDAY, now(), seen=0, by=members[0])
    assert meetings.weekly(cohort) == TUESDAY


def test_fix_is_for_the_convenor_and_for_anybody_where_there_is_none(
    session: Session, cohort: Cohort, members: list[Signup]
) -> None:
    with pytest.raises(Conflict, match="ask them"):
        choosing.fix(session, cohort, MONDAY, now(), seen=0, by=members[1])
    members[0].convenor = False
    choosing.fix(session, cohort, MONDAY, now(), seen=0, by=members[1])
    assert choosing.version(cohort) == 1


def test_fix_a_time_that_is_not_common_or_a_cohort_that_has_ended_is_refused(
    session: Session, cohort: Cohort
) -> None:
    with pytest.raises(NotFound):
        choosing.fix(session, cohort, Meeting("UTC", 38), now(), seen=0)
    cohort.ended_at = now()
    with pytest.raises(Conflict, match="has ended"):
        choosing.fix(session, cohort, MONDAY, now(), seen=0)


def prepare_race(database: Database) -> tuple[int, int]:
    with database.transaction() as session:
        course = make_course(session)
        pair = [make_signup(session, course, convenor=True) for _ in range(2)]
        return make_cohort(session, *pair).id, pair[0].id


def race(database: Database, cohort_id: int, ready: Callable[[], object]) -> list[type[Exception] | None]:
    """Have two people fix different times who have both seen the first page; return how it went."""
    outcomes: list[type[Exception] | None] = []

    def fix(meeting: Meeting) -> None:
        try:
            with database.session(writes=False) as session:
                cohort = session.get_one(Cohort, cohort_id)
                seen = choosing.version(cohort)
            ready()
            with database.transaction() as session:
                choosing.fix(session, session.get_one(Cohort, cohort_id), meeting, now(), seen=seen)
        except (Conflict, IntegrityError) as error:
            outcomes.append(type(error))
        else:
            outcomes.append(None)

    threads = [Thread(target=fix, args=(meeting,)) for meeting in (MONDAY, TUESDAY)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcomes


def test_two_fix_at_once_and_the_second_is_told(database: Database) -> None:
    for _ in range(5):
        cohort_id, _ = prepare_race(database)
        outcomes = race(database, cohort_id, Barrier(2).wait)
        assert sorted(map(str, outcomes)) == sorted(map(str, [None, MeetingChanged]))
        with database.reading() as session:
            rows = session.scalars(select(FixedMeeting).where(FixedMeeting.cohort_id == cohort_id)).all()
            assert [row.sequence for row in rows] == [1]
            members = select(Membership.signup_id).where(Membership.cohort_id == cohort_id)
            mails = select(func.count(Mail.id)).where(Mail.signup_id.in_(members))
            assert session.scalar(mails.where(Mail.kind == Kind.MEETING)) == 2


def test_two_fix_at_once_without_the_lock_collide(
    migrated_postgresql: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The positive control: both believe to be first, and only the unique row keeps the second out.

    SQLite has one writer at a time, so there the race cannot be had.
    """
    cohort_id, _ = prepare_race(migrated_postgresql)
    both_are_in = Barrier(2)

    def enter_without_lock(session: Session, cohort: Cohort, member: Signup | None = None) -> None:
        assert choosing.version(cohort) == 0
        both_are_in.wait(timeout=20)

    monkeypatch.setattr(choosing, "enter", enter_without_lock)
    outcomes = race(migrated_postgresql, cohort_id, lambda: None)
    assert sorted(map(str, outcomes)) == sorted(map(str, [None, IntegrityError]))


def test_mail_tells_the_new_time_in_each_members_own_zone(
    session: Session, cohort: Cohort, members: list[Signup], links: Links
) -> None:
    members[1].time_zone = "America/New_York"
    cohort.channel = "https://chat.example.org/room"
    choosing.fix(session, cohort, TUESDAY, now(), seen=0, by=members[0])
    mail = session.scalars(select(Mail).where(Mail.signup_id == members[1].id)).one()
    message = notices.render(session, mail, links, SENDER)
    assert message is not None
    text = message.get_content()
    assert message["Subject"] == f"{cohort.name} meets on Tuesday, 12 January"
    for words in (
        "Ada has fixed when",
        "Every week: Tuesday 13:00–14:30",
        "Next: Tuesday, 12 January at 13:00, 90 minutes",
        "Where: https://chat.example.org/room",
        "America/New_York",
        links.learner(members[1]) + "/meetings/20270112T1800Z",
    ):
        assert words in text
    choosing.fix(session, cohort, MONDAY, now(), seen=1)
    again = session.scalars(select(Mail).where(Mail.signup_id == members[1].id).order_by(Mail.id)).all()[-1]
    moved = notices.render(session, again, links, SENDER)
    assert moved is not None
    assert "has a new time" in moved["Subject"]
    assert "Every week: Monday 13:00" in moved.get_content()


def test_mail_about_a_meeting_goes_to_members_only(
    session: Session, cohort: Cohort, members: list[Signup], links: Links
) -> None:
    choosing.fix(session, cohort, TUESDAY, now(), seen=0, by=members[0])
    signups.withdraw(session, members[1], now())
    left = session.scalars(select(Mail).where(Mail.signup_id == members[1].id)).one()
    assert notices.render(session, left, links, SENDER) is None


# ---- the channel and the convenor's list ----


@pytest.mark.parametrize(
    "address",
    [
        "https://meet.example.org/room-1",
        "https://example.org:8443/?a=b#c",
        "https://münchen.example/raum",
        "  https://chat.example.org  ",
    ],
)
def test_channel_is_kept_and_shown_with_its_host(session: Session, cohort: Cohort, address: str) -> None:
    choosing.set_channel(session, cohort, address)
    assert cohort.channel == address.strip()
    assert channels.host(cohort.channel).isascii()
    choosing.set_channel(session, cohort, "")
    assert cohort.channel == ""


@pytest.mark.parametrize(
    "address",
    [
        "javascript:alert(1)",
        "http://example.org",
        "data:text/html,x",
        "//example.org",
        "example.org",
        "https://",
        "https://localhost",
        "https://user:pw@example.org",
        "https://example.org@evil.example",
        "https://exa mple.org",
        "https://example.org/\u202e",
        "https://example.org\\@evil.example",
        "https://[::1",
        "https://example.org:99999/",
        "https://" + "a" * 64 + ".example.org",
        "https://example.org/" + "a" * 500,
    ],
)
def test_channel_that_is_no_plain_https_address_is_refused(
    session: Session, cohort: Cohort, address: str
) -> None:
    with pytest.raises(InvalidInput) as caught:
        choosing.set_channel(session, cohort, address)
    assert list(caught.value.errors) == ["channel"]
    assert cohort.channel == ""


@given(st.text(max_size=60))
def test_channel_check_lets_nothing_through_but_https(text: str) -> None:
    for address in (text, f"https://{text}"):
        try:
            kept = channels.checked(address)
        except ValueError:
            continue
        assert kept.casefold().startswith("https://")
        assert "@" not in kept.split("/")[2]
        assert channels.host(kept) != ""


def test_channel_is_for_the_convenor_to_set(session: Session, cohort: Cohort, members: list[Signup]) -> None:
    with pytest.raises(Conflict):
        choosing.set_channel(session, cohort, "https://a.example.org", by=members[2])
    choosing.set_channel(session, cohort, "https://a.example.org", by=members[0])
    assert cohort.channel == "https://a.example.org"


def test_ticks_are_kept_and_what_is_done_ticks_itself(
    session: Session, cohort: Cohort, members: list[Signup]
) -> None:
    assert choosing.done(cohort) == set()
    choosing.tick(session, cohort, "plan", done=True, by=members[0])
    choosing.tick(session, cohort, "hello", done=True, by=members[0])
    choosing.tick(session, cohort, "plan", done=False, by=members[0])
    assert choosing.done(cohort) == {"hello"}
    choosing.fix(session, cohort, MONDAY, now(), seen=0, by=members[0])
    choosing.set_channel(session, cohort, "https://a.example.org", by=members[0])
    assert choosing.done(cohort) == {"hello", "meeting", "channel"}
    with pytest.raises(NotFound):
        choosing.tick(session, cohort, "nonsense", done=True, by=members[0])
    with pytest.raises(Conflict):
        choosing.tick(session, cohort, "plan", done=True, by=members[1])
    assert set(CHECKLIST) > choosing.done(cohort)


# ---- erasure ----


def test_a_member_sees_all_that_is_kept_of_them_and_can_erase_it(
    session: Session, cohort: Cohort, members: list[Signup]
) -> None:
    ada, ben, _ = members
    choosing.vote(session, cohort, ada, MONDAY, suits=True)
    choosing.fix(session, cohort, MONDAY, now(), seen=0, by=ada)
    for each in (ada, ben):
        session.add(Attendance(cohort_id=cohort.id, signup_id=each.id, starts_at=now(), noted_by_id=ada.id))
    session.add(Reminder(cohort_id=cohort.id, signup_id=ada.id, starts_at=now()))
    session.flush()
    known = privacy.export(session, ada)
    assert [(row["cohort"], row["slot"]) for row in known["meeting_votes"]] == [(cohort.name, 38)]
    assert [row["sequence"] for row in known["fixed_meetings"]] == [1]
    assert [sorted(row) for row in known["attendances"]] == [
        ["answer", "answered_at", "cohort", "noted_at", "starts_at", "was_there"]
    ]
    assert len(known["reminders"]) == 1
    assert "calendar_version" not in known["signups"][0]
    privacy.erase(session, ada, now())
    session.expire_all()
    assert [(row.sequence, row.signup_id) for row in cohort.fixed] == [(1, None)]
    assert session.scalars(select(MeetingVote)).all() == []
    assert session.scalars(select(Reminder)).all() == []
    kept = session.scalars(select(Attendance)).all()
    assert [(row.signup_id, row.noted_by_id) for row in kept] == [(ben.id, None)]

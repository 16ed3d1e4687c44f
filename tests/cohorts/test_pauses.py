"""Pauses: a day ends them, or a press; mails wait."""

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy.orm import Session

from cohorts import notices, pauses
from cohorts.database import Database
from cohorts.exceptions import InvalidInput
from cohorts.links import Links
from cohorts.mailers import TerminalMailer
from cohorts.models import Mail, MailState, Signup, now
from cohorts.notices import Kind
from tests.factories import make_cohort, make_course, make_signup

NOW = datetime(2027, 1, 13, 12, tzinfo=UTC)


def learner(session: Session, **given: object) -> Signup:
    return make_signup(session, make_course(session, start=date(2027, 1, 11), weeks=4), **given)


def test_pause_lasts_to_its_day_where_the_learner_lives(session: Session) -> None:
    me = learner(session, time_zone="Asia/Tokyo")
    pauses.pause(session, me, date(2027, 1, 20), NOW)
    assert pauses.is_paused(me, NOW)
    assert pauses.is_paused(me, datetime(2027, 1, 19, 14, 59, tzinfo=UTC))
    assert not pauses.is_paused(me, datetime(2027, 1, 19, 15, 0, tzinfo=UTC))
    assert pauses.ends(me) == datetime(2027, 1, 19, 15, 0, tzinfo=UTC)


@pytest.mark.parametrize("until", [None, date(2027, 1, 13), date(2020, 1, 1), date(2027, 2, 9)])
def test_pause_ends_on_a_day_to_come_and_within_the_course(session: Session, until: date | None) -> None:
    me = learner(session)
    with pytest.raises(InvalidInput) as caught:
        pauses.pause(session, me, until, NOW)
    assert list(caught.value.errors) == ["until"]
    assert me.paused_until is None


def test_pauses_are_counted(session: Session) -> None:
    course = make_course(session)
    for until in (None, date(2027, 1, 13), date(2027, 1, 14), date(2027, 2, 1)):
        make_signup(session, course, paused_until=until)
    learner(session, paused_until=date(2027, 2, 1))
    assert pauses.count(session, course, NOW) == 2


def test_mails_wait_for_the_end_of_a_pause_and_go_after_a_press(
    database: Database, links: Links, capsys: pytest.CaptureFixture[str]
) -> None:
    today = now().date()
    with database.transaction() as session:
        course = make_course(session, start=today, weeks=8)
        me = make_signup(session, course, paused_until=today + timedelta(days=9))
        make_cohort(session, me)
        mail = notices.enqueue(session, Kind.PLACED, signup=me)
        session.flush()
        mail_id, signup_id = mail.id, me.id

    def deliver() -> tuple[int, MailState]:
        sent = notices.deliver_due(database, links, TerminalMailer(), "cohorts@example.org")
        with database.reading() as session:
            return sent, session.get_one(Mail, mail_id).state

    assert deliver() == (0, MailState.WAITING)
    with database.reading() as session:
        waits_until = session.get_one(Mail, mail_id).not_before
        assert waits_until == pauses.ends(session.get_one(Signup, signup_id))
    with database.transaction() as session:
        pauses.resume(session, session.get_one(Signup, signup_id))
    assert deliver() == (1, MailState.SENT)


def test_mail_with_the_personal_link_goes_out_during_a_pause(database: Database, links: Links) -> None:
    with database.transaction() as session:
        me = make_signup(session, make_course(session), paused_until=now().date() + timedelta(days=9))
        notices.enqueue(session, Kind.ALREADY_SIGNED_UP, signup=me)
    assert notices.deliver_due(database, links, TerminalMailer(), "cohorts@example.org") == 1

"""The outbox: every mail goes once, in words made when it leaves."""

import smtplib
from collections.abc import Callable
from email.header import decode_header, make_header
from email.message import EmailMessage
from threading import Barrier, Thread
from typing import Any

import pytest
from smtpdfix import SMTPDFix
from sqlalchemy import select
from sqlalchemy.orm import Session

from cohorts import notices, nudges, presence
from cohorts.database import Database
from cohorts.links import Links
from cohorts.mailers import MailError, SmtpMailer, from_url
from cohorts.models import Mail, MailState, Signup, SignupState, now
from cohorts.notices import Kind
from tests.factories import make_course, make_signup, make_user

SENDER = "Cohorts <cohorts@example.org>"


class Recorder:
    """A mailer that keeps what it is given, or refuses it."""

    def __init__(self, refuse: MailError | None = None) -> None:
        self.sent: list[EmailMessage] = []
        self.refuse = refuse

    def __enter__(self) -> "Recorder":
        return self

    def __exit__(self, *error: Any) -> None:
        pass

    def send(self, message: EmailMessage) -> None:
        if self.refuse is not None:
            raise self.refuse
        self.sent.append(message)


@pytest.fixture
def waiting_mail(database: Database) -> Callable[[], int]:
    def put() -> int:
        with database.transaction() as session:
            user = make_user(session, name="Ann \r\nBcc: everybody@example.org")
            mail = notices.enqueue(session, Kind.SIGN_IN, user=user)
            session.flush()
            return mail.id

    return put


def mail_row(database: Database, mail_id: int) -> Mail:
    with database.reading() as session:
        return session.get_one(Mail, mail_id)


def test_deliver_due_sends_once(database: Database, links: Links, waiting_mail: Callable[[], int]) -> None:
    mail_id, recorder = waiting_mail(), Recorder()
    assert notices.deliver_due(database, links, recorder, SENDER) == 1
    assert notices.deliver_due(database, links, recorder, SENDER) == 0
    assert [message["Subject"] for message in recorder.sent] == ["Your sign-in link for Cohorts"]
    row = mail_row(database, mail_id)
    assert (row.state, row.attempts) == (MailState.SENT, 1)
    assert recorder.sent[0]["Message-ID"] == f"<{row.key}@localhost>"


def test_who_waits_at_their_screen_comes_first_and_others_at_a_pace(
    database: Database, links: Links, waiting_mail: Callable[[], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    with database.transaction() as session:
        course = make_course(session)
        for _ in range(notices.BATCH + 10):
            notices.enqueue(session, Kind.PLACE_FREE, signup=make_signup(session, course))
    waiting_mail()
    pauses, recorder = list[float](), Recorder()
    monkeypatch.setattr(notices.time, "sleep", pauses.append)
    assert notices.deliver_due(database, links, recorder, SENDER, per_second=2) == notices.BATCH
    assert recorder.sent[0]["Subject"] == "Your sign-in link for Cohorts"
    assert len(pauses) == notices.BATCH - 1
    assert all(0 < pause <= 0.5 for pause in pauses)
    assert notices.deliver_due(database, links, recorder, SENDER) == 11
    assert set(pauses[notices.BATCH - 1 :]) == {0.0}


def test_deliver_due_uncommitted_is_not_sent(database: Database, links: Links) -> None:
    recorder = Recorder()
    with database.session(writes=True) as session:
        notices.enqueue(session, Kind.SIGN_IN, user=make_user(session))
        session.flush()
        session.rollback()
    assert notices.deliver_due(database, links, recorder, SENDER) == 0
    assert recorder.sent == []


def test_deliver_due_name_with_line_breaks_stays_one_header(
    database: Database, links: Links, waiting_mail: Callable[[], int]
) -> None:
    waiting_mail()
    recorder = Recorder()
    notices.deliver_due(database, links, recorder, SENDER)
    assert recorder.sent[0]["Bcc"] is None
    assert len(recorder.sent[0].get_all("To")) == 1


def test_deliver_due_without_words_holds_up_nobody(
    database: Database, links: Links, waiting_mail: Callable[[], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    spoilt, fine, recorder, render = waiting_mail(), waiting_mail(), Recorder(), notices.render

    def fail_once(session: Session, mail: Mail, links: Links, sender: str) -> EmailMessage | None:
        return render(session, mail, links, "\n" if mail.id == spoilt else sender)

    monkeypatch.setattr(notices, "render", fail_once)
    assert notices.deliver_due(database, links, recorder, SENDER) == 1
    assert (mail_row(database, fine).state, len(recorder.sent)) == (MailState.SENT, 1)
    row = mail_row(database, spoilt)
    assert (row.state, row.attempts, row.last_error) == (MailState.WAITING, 1, "It cannot be put into words.")
    assert row.not_before > now()


def test_deliver_due_refused_for_now_is_tried_later(
    database: Database, links: Links, waiting_mail: Callable[[], int]
) -> None:
    mail_id = waiting_mail()
    assert notices.deliver_due(database, links, Recorder(MailError("busy")), SENDER) == 0
    row = mail_row(database, mail_id)
    assert (row.state, row.attempts, row.last_error) == (MailState.WAITING, 1, "busy")
    assert row.not_before > now()


def test_deliver_due_refused_for_good_is_dropped(
    database: Database, links: Links, waiting_mail: Callable[[], int]
) -> None:
    mail_id = waiting_mail()
    notices.deliver_due(database, links, Recorder(MailError("no such address", permanent=True)), SENDER)
    assert mail_row(database, mail_id).state is MailState.DROPPED


def test_deliver_due_two_workers_send_each_mail_once(
    database: Database, links: Links, waiting_mail: Callable[[], int]
) -> None:
    for _ in range(20):
        waiting_mail()
    recorder, barrier = Recorder(), Barrier(2)

    def work() -> None:
        barrier.wait()
        notices.deliver_due(database, links, recorder, SENDER)

    threads = [Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({message["Message-ID"] for message in recorder.sent}) == 20
    assert len(recorder.sent) == 20


def test_deliver_due_erased_user_leaves_no_mail(
    database: Database, links: Links, waiting_mail: Callable[[], int]
) -> None:
    mail_id = waiting_mail()
    with database.transaction() as session:
        session.delete(session.get_one(Mail, mail_id).user)
    with database.reading() as session:
        assert session.scalar(select(Mail.id)) is None


def test_smtp_mailer_hands_over_to_a_real_server(session: Session, smtpd: SMTPDFix, links: Links) -> None:
    user = make_user(session, name="Zoë Łukasz", email="zoe@example.org")
    mail = notices.enqueue(session, Kind.SIGN_IN, user=user)
    session.flush()
    message = notices.render(session, mail, links, SENDER)
    assert message is not None
    with from_url(f"smtp://{smtpd.hostname}:{smtpd.port}") as mailer:
        mailer.send(message)
        mailer.send(message)
    assert len(smtpd.messages) == 2
    received = smtpd.messages[0]
    assert str(make_header(decode_header(received["To"]))) == "Zoë Łukasz <zoe@example.org>"
    assert "/sign-in/" in received.get_payload(decode=True).decode()


def test_smtp_mailer_unreachable_is_a_mail_error() -> None:
    with SmtpMailer("smtp://127.0.0.1:1") as mailer, pytest.raises(MailError) as caught:
        mailer.send(EmailMessage())
    assert not caught.value.permanent


@pytest.mark.parametrize(
    ("answer", "is_unknown"),
    [
        ((550, b"5.1.1 <nobody@example.org>: no such user"), True),
        ((550, b"5.2.1 mailbox disabled"), True),
        ((550, b"no such user"), True),
        ((553, b"mailbox name not allowed"), True),
        ((550, b"5.7.1 relaying denied"), False),
        ((550, b"Relay access denied"), False),
        ((552, b"5.2.2 mailbox full"), False),
        ((530, b"authentication required"), False),
        ((450, b"4.2.1 try again later"), False),
    ],
)
def test_smtp_mailer_tells_a_mailbox_that_is_not_there_from_a_server_that_lets_nobody_in(
    monkeypatch: pytest.MonkeyPatch, smtpd: SMTPDFix, answer: tuple[int, bytes], is_unknown: bool
) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise smtplib.SMTPRecipientsRefused({"nobody@example.org": answer})

    monkeypatch.setattr(smtplib.SMTP, "send_message", refuse)
    with SmtpMailer(f"smtp://{smtpd.hostname}:{smtpd.port}") as mailer, pytest.raises(MailError) as caught:
        mailer.send(EmailMessage())
    assert (caught.value.is_unknown, caught.value.permanent) == (is_unknown, answer[0] >= 500)


def test_an_address_that_takes_no_mail_gets_none_until_its_learner_shows_up(
    database: Database, links: Links
) -> None:
    gone = Recorder(MailError("the address was refused", permanent=True, is_unknown=True))
    with database.transaction() as session:
        me = make_signup(session, make_course(session))
        notices.enqueue(session, Kind.PLACE_FREE, signup=me)
    notices.deliver_due(database, links, gone, SENDER)
    with database.transaction() as session:
        me = session.get_one(Signup, me.id)
        assert presence.of(session, me).bounced_at is not None
        assert nudges.unreachable(session, me.course) == [me]
        notices.enqueue(session, Kind.PLACE_FREE, signup=me)
        notices.enqueue(session, Kind.ALREADY_SIGNED_UP, signup=me)
    tried = Recorder()
    notices.deliver_due(database, links, tried, SENDER)
    assert [each["Subject"].split()[:4] for each in tried.sent] == [["You", "are", "known", "to"]]
    with database.transaction() as session:
        me = session.get_one(Signup, me.id)
        presence.seen(session, me, now())
        assert nudges.unreachable(session, me.course) == []
        notices.enqueue(session, Kind.PLACE_FREE, signup=me)
    assert notices.deliver_due(database, links, tried, SENDER) == 1


def test_smtp_mailer_refused_address_is_permanent(monkeypatch: pytest.MonkeyPatch, smtpd: SMTPDFix) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise smtplib.SMTPRecipientsRefused({"nobody@example.org": (550, b"no such user")})

    monkeypatch.setattr(smtplib.SMTP, "send_message", refuse)
    with from_url(f"smtp://{smtpd.hostname}:{smtpd.port}") as mailer, pytest.raises(MailError) as caught:
        mailer.send(EmailMessage())
    assert caught.value.permanent


def test_render_unconfirmed_address_gets_no_name_that_somebody_typed(session: Session, links: Links) -> None:
    signup = make_signup(session, make_course(session), name="Buy now http://x", confirmed_at=None)
    signup.state = SignupState.PENDING
    mail = notices.enqueue(session, Kind.CONFIRM, signup=signup)
    session.flush()
    message = notices.render(session, mail, links, SENDER)
    assert message is not None
    assert message["To"] == signup.email
    assert "Buy now" not in message.as_string()

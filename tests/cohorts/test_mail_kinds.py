"""Every kind of mail, put into words: what its headers say, and that its text is whole."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from smtpdfix import SMTPDFix
from sqlalchemy import select
from sqlalchemy.orm import Session

from cohorts import (
    choosing,
    help_requests,
    language,
    letters,
    memberships,
    notices,
    people,
    presence,
    rematch_mails,
)
from cohorts.links import Links
from cohorts.mailers import MESSAGES, from_url
from cohorts.meetings import Meeting
from cohorts.models import (
    Attendance,
    Audience,
    Cause,
    Cohort,
    CohortChange,
    Course,
    CourseRole,
    CourseState,
    Decision,
    Fate,
    Invitation,
    Mail,
    Membership,
    Reminder,
    Reseating,
    Run,
    RunKind,
    RunState,
    Seat,
    Signup,
    SignupState,
    User,
    now,
)
from cohorts.notices import OPTIONAL, Kind
from cohorts.subscriptions import Topic
from cohorts.texts import one_line
from tests.factories import make_course, make_signup, make_user

SENDER = "Cohorts <cohorts@example.org>"
LONG = "Wolfeschlegelsteinhausenbergerdorff " * 2 + "Nguyễn Ωμέγα 小林"
HOSTILE = "Eve\r\nBcc: everybody@example.org\r\n\r\n\u202egro.elpmaxe\u2066 <b>{{ 31 * 31337 }}%s</b>"
NAMES = {"usual": "Amina Yusuf", "long": LONG, "hostile": HOSTILE}
TITLES = {"usual": "Play with your music", "long": "Donaudampfschifffahrt und " * 7, "hostile": HOSTILE}

SUBJECTS = {
    Kind.CONFIRM: "Confirm your sign-up for Play with your music",
    Kind.ALREADY_SIGNED_UP: "You are known to Play with your music already",
    Kind.WAITING: "You are on the waiting list of Play with your music",
    Kind.PLACE_FREE: "You have a place in Play with your music",
    Kind.PLACED: "Your cohort for Play with your music: Cohort 1",
    Kind.UNPLACED: "No cohort yet for Play with your music",
    Kind.MEETING: "Cohort 1 meets on Monday, 11 January",
    Kind.REMINDER: "You meet on Monday, 11 January at 18:00",
    Kind.COHORT_CHANGED: "Your cohort Cohort 1 has changed",
    Kind.MOVED: "Your cohort for Play with your music is Cohort 1 now",
    Kind.RESEATED: "Your cohort for Play with your music is Cohort 1 now",
    Kind.REMATCH_FOUND: "1 learner in Play with your music could have another seat",
    Kind.CHECK_IN: "Ten seconds about this week in Play with your music",
    Kind.STILL_HERE: "Are you still there? Play with your music",
    Kind.SEAT_FREED: "Your seat in Cohort 1 is free for others now",
    Kind.OLD_ANSWERS: "Your answers for Play with your music",
    Kind.HELP_ASKED: "1 learner in Play with your music asks for help",
    Kind.SIGN_IN: "Your sign-in link for Cohorts",
    Kind.MESSAGE: "News of Play with your music",
    Kind.INVITATION: "Help to organise Play with your music",
}
"""What each kind says in a list of mails: a new kind needs a line here, and maybe a scene below."""

TO_ORGANISERS = {Kind.SIGN_IN, Kind.INVITATION, Kind.HELP_ASKED, Kind.REMATCH_FOUND}


def pending(session: Session, signup: Signup) -> None:
    signup.state, signup.confirmed_at = SignupState.PENDING, None


def waiting(session: Session, signup: Signup) -> None:
    signup.waiting = True


def placed(session: Session, signup: Signup) -> None:
    """Put a learner into a published cohort, beside somebody whose name is as long or as hostile."""
    run = Run(course_id=signup.course_id, state=RunState.PUBLISHED, published_at=now())
    cohort = Cohort(run=run, position=1, name="Cohort 1", score=0.5, meetings=[["UTC", 36]])
    session.add_all([run, cohort])
    session.flush()
    for each in (signup, make_signup(session, signup.course, name=signup.name)):
        session.add(Membership(signup_id=each.id, cohort_id=cohort.id))


def fixed(session: Session, signup: Signup) -> None:
    """Have the other member, whose name is as long or as hostile, fix when the cohort meets."""
    placed(session, signup)
    cohort = session.scalars(select(Cohort).order_by(Cohort.id.desc())).first()
    assert cohort is not None
    other = cohort.memberships[-1].signup
    choosing.fix(session, cohort, Meeting("UTC", 36), now(), seen=0, by=other)


def reseated(session: Session, signup: Signup) -> None:
    """Put a learner into a cohort by a rematch, because theirs had become too small."""
    placed(session, signup)
    run = Run(course_id=signup.course_id, kind=RunKind.REMATCH, state=RunState.PUBLISHED, published_at=now())
    session.add(run)
    session.flush()
    left = CohortChange(run_id=run.id, number=1, fate=Fate.MERGES, name=signup.name)
    row = Reseating(run_id=run.id, signup_id=signup.id, left=left, bundle=1, cause=Cause.TOO_SMALL)
    row.state, row.decided_at = Decision.ACCEPTED, now()
    session.add(row)


def rematched(session: Session, name: str, title: str) -> Mail:
    """Have a course rematched by itself."""
    course = make_course(session, make_user(session, name=name), title=title)
    run = Run(course_id=course.id, kind=RunKind.REMATCH, state=RunState.PROPOSED)
    session.add(run)
    session.flush()
    signup = make_signup(session, course)
    session.add(Reseating(run_id=run.id, signup_id=signup.id, bundle=1, cause=Cause.NO_COHORT))
    rematch_mails.tell_organisers(session, course, now())
    return session.scalars(select(Mail).where(Mail.kind == Kind.REMATCH_FOUND.value)).one()


def under_way(session: Session, signup: Signup) -> None:
    signup.course.start = now().date() - timedelta(days=10)


def quiet(session: Session, signup: Signup) -> None:
    """Have a learner miss two meetings at which the other was, and ask whether they are still there."""
    placed(session, signup)
    course, at = signup.course, now()
    course.state, course.nudge_after, course.remove_after = CourseState.RUNNING, 2, 2
    course.start = now().date() - timedelta(weeks=4)
    stays = session.scalars(select(Membership).join(Cohort).join(Run).where(Run.course_id == course.id)).all()
    for stay in stays:
        stay.since = now() - timedelta(weeks=5)
        for weeks in (2, 3):
            meeting = {"cohort_id": stay.cohort_id, "starts_at": at - timedelta(weeks=weeks)}
            there = stay.signup is not signup
            session.add(Attendance(signup_id=stay.signup_id, was_there=there, **meeting))
    presence.keep(session, [signup.id], nudged_at=now())


def gone(session: Session, signup: Signup) -> None:
    placed(session, signup)
    presence.keep(session, [signup.id], removed_at=now())
    session.flush()
    memberships.move(session, {signup: None}, memberships.SILENT, now(), told=None)


def unplaced(session: Session, signup: Signup) -> None:
    run = Run(course_id=signup.course_id, state=RunState.PUBLISHED, published_at=now())
    seat = Seat(run=run, signup_id=signup.id, reason="Nobody is free when you are.", remedy="Add an evening.")
    session.add_all([run, seat])


SCENES: dict[Kind, Callable[[Session, Signup], None]] = {
    Kind.CONFIRM: pending,
    Kind.WAITING: waiting,
    Kind.PLACED: placed,
    Kind.UNPLACED: unplaced,
    Kind.MEETING: fixed,
    Kind.REMINDER: placed,
    Kind.COHORT_CHANGED: placed,
    Kind.MOVED: placed,
    Kind.RESEATED: reseated,
    Kind.CHECK_IN: under_way,
    Kind.STILL_HERE: quiet,
    Kind.SEAT_FREED: gone,
}
"""What has to be so for a mail to have something to say; a confirmed sign-up is enough for the others."""


def mail_of(session: Session, kind: Kind, name: str, title: str) -> Mail:
    """Put one mail of a kind into the outbox, with all it speaks of."""
    course: Course
    if kind is Kind.INVITATION:
        mail = invited(session, make_user(session, name=name), title)
    elif kind is Kind.HELP_ASKED:
        course = make_course(session, make_user(session, name=name), title=title)
        help_requests.ask(session, make_signup(session, course, name=name), "A secret worry", now())
        mail = session.scalars(select(Mail).where(Mail.kind == kind.value)).one()
    elif kind is Kind.REMATCH_FOUND:
        mail = rematched(session, name, title)
    elif kind in TO_ORGANISERS:
        mail = notices.enqueue(session, kind, user=make_user(session, name=name))
    else:
        course = make_course(session, title=title)
        signup = make_signup(session, course, name=name)
        SCENES.get(kind, lambda *_: None)(session, signup)
        mail = notices.enqueue(session, kind, signup=signup)
        mail.course = make_course(session, title=title) if kind is Kind.OLD_ANSWERS else None
        if kind is Kind.REMINDER:
            remind(session, mail)
        if kind is Kind.MESSAGE:
            text = "Dear {name}, {cohort} of {course}: {link}"
            author = make_user(session, name=name)
            mail.message = letters.write(session, course, author, "News of {course}", text, Audience.EVERYONE)
    session.flush()
    return mail


def invited(session: Session, by: User, title: str) -> Mail:
    """Have somebody invite somebody else to organise a course."""
    course = make_course(session, by, title=title)
    people.invite(session, course, by, "invited@example.org", CourseRole.FACILITATOR, now())
    return session.scalars(select(Mail).where(Mail.invitation_id.is_not(None))).one()


def remind(session: Session, mail: Mail) -> None:
    """Say which meeting a mail reminds of."""
    membership = session.scalars(select(Membership).where(Membership.signup == mail.signup)).one()
    session.add(
        Reminder(
            cohort_id=membership.cohort_id,
            signup_id=membership.signup_id,
            starts_at=datetime(2027, 1, 11, 18, tzinfo=UTC),
            mail=mail,
        )
    )


def addressee(mail: Mail) -> Signup | User | Invitation:
    found = mail.signup or mail.user or mail.invitation
    assert found is not None
    return found


def render(session: Session, links: Links, mail: Mail) -> EmailMessage:
    message = notices.render(session, mail, links, SENDER)
    assert message is not None
    return message


def over_the_wire(message: EmailMessage) -> EmailMessage:
    """Return a mail as its receiver reads it."""
    raw = message.as_bytes(policy=message.policy.clone(linesep="\r\n"))
    assert all(len(line) <= 998 for line in raw.split(b"\r\n"))  # RFC 5322
    return message_from_bytes(raw, policy=policy.default)


every_kind = pytest.mark.parametrize("kind", Kind)


@every_kind
def test_subject_tells_what_the_mail_is_about(session: Session, links: Links, kind: Kind) -> None:
    message = render(session, links, mail_of(session, kind, NAMES["usual"], TITLES["usual"]))
    assert over_the_wire(message)["Subject"] == SUBJECTS[kind]


@every_kind
@pytest.mark.parametrize("style", NAMES)
def test_the_title_of_a_course_leaves_the_rest_of_the_subject_standing(
    session: Session, links: Links, kind: Kind, style: str
) -> None:
    subject = over_the_wire(render(session, links, mail_of(session, kind, "Ada", TITLES[style])))["Subject"]
    before, _title, after = SUBJECTS[kind].partition(TITLES["usual"])
    assert subject.startswith(before)
    assert subject.endswith(after)


@given(st.text(st.characters(exclude_categories=["C"]), min_size=1, max_size=120).map(one_line).filter(bool))
@example("Your cohort for “Musique à plusieurs voix, première édition”: la création sonore, à l’écoute")
@example("x" * 70 + " " + "y" * 40)
@example("=?utf-8?q?a=0ABcc=3A?= and more")
def test_a_subject_arrives_as_it_was_written(subject: str) -> None:
    message = EmailMessage(MESSAGES)
    message["Subject"] = subject
    assert message["Subject"] == subject
    raw = message.as_bytes(policy=message.policy.clone(linesep="\r\n"))
    assert message_from_bytes(raw, policy=policy.default)["Subject"] == subject


@every_kind
@pytest.mark.parametrize("style", NAMES)
def test_headers_are_whole_and_nobody_elses(session: Session, links: Links, kind: Kind, style: str) -> None:
    mail = mail_of(session, kind, NAMES[style], TITLES[style])
    message = over_the_wire(render(session, links, mail))
    expected = {"From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "Content-Language"}
    expected |= {"Content-Type", "Content-Transfer-Encoding", "MIME-Version"}
    if kind not in TO_ORGANISERS - {Kind.HELP_ASKED}:
        expected |= {"List-Unsubscribe", "List-Unsubscribe-Post"}
    if kind is Kind.MESSAGE:
        expected |= {"Reply-To"}
    assert sorted(message.keys()) == sorted(expected)
    assert message["From"] == SENDER
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Message-ID"] == f"<{mail.key}@localhost>"
    (to,) = message["To"].addresses
    assert to.addr_spec == addressee(mail).email
    assert not re.search("[\u202a-\u202e\u2066-\u2069\r\n]", message["Subject"] + to.display_name)


@every_kind
@pytest.mark.parametrize("locale", language.available())
@pytest.mark.parametrize("style", NAMES)
def test_text_is_plain_and_whole(session: Session, links: Links, kind: Kind, style: str, locale: str) -> None:
    name = NAMES[style]
    mail = mail_of(session, kind, name, TITLES[style])
    addressee(mail).locale = locale
    message = over_the_wire(render(session, links, mail))
    assert message["Content-Language"] == locale
    assert 10 <= len(message["Subject"]) <= 120
    assert message.get_content_type() == "text/plain"
    assert message.get_content_charset() == "utf-8"
    text = message.get_content().replace(" ".join(name.split()), "").replace(name, "")
    text = text.replace("\n".join(name.splitlines()), "")
    if style != "hostile":
        assert re.findall(r"\{\{|\}\}|\{%|%\(|\bNone\b|Undefined|<[a-z]|\n{4}", text) == []
    assert "971447" not in text  # words of others are never taken for a template
    assert not re.search("[\u202a-\u202e\u2066-\u2069]", text)


@every_kind
def test_links_belong_to_the_addressee(session: Session, links: Links, kind: Kind) -> None:
    mail = mail_of(session, kind, NAMES["usual"], TITLES["usual"])
    text = render(session, links, mail).get_content()
    found = re.findall(r"https?://\S+", text)
    assert found != []
    for link in found:
        route, token = re.fullmatch(r"http://localhost/([a-z-]+)/([\w.-]+)\S*", link).groups()  # type: ignore[union-attr]
        if route == "sign-in":
            assert links.read_sign_in(session, token) == (mail.user, False)
        elif route == "join":
            assert links.read_invitation(session, token) is mail.invitation
        elif route == "stop-help-mails":
            assert links.read_stop_help_mails(session, token).user is mail.user
        elif route == "organise":
            assert mail.course is not None
            assert token == mail.course.slug
        elif route == "stop-mails":
            assert links.read_stop_mails(session, token)[0] is mail.signup
        else:
            assert (route, links.read_learner(session, token)) == ("l", mail.signup)


@pytest.mark.parametrize("kind", [kind for kind in Kind if kind not in TO_ORGANISERS])
def test_list_unsubscribe_stops_this_kind_or_all_that_can_be_stopped(
    session: Session, links: Links, kind: Kind
) -> None:
    mail = mail_of(session, kind, NAMES["usual"], TITLES["usual"])
    message = over_the_wire(render(session, links, mail))
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    token = re.fullmatch(r"<http://localhost/stop-mails/(\S+)>", message["List-Unsubscribe"])
    assert token is not None
    topics = [OPTIONAL[kind]] if kind in OPTIONAL else list(Topic)
    assert links.read_stop_mails(session, token[1]) == (mail.signup, topics)
    # One can also stop them without a mail program that knows the header.
    assert (token[1] in message.get_content()) == (kind in OPTIONAL)


@pytest.mark.parametrize("kind", [kind for kind in Kind if kind not in TO_ORGANISERS])
def test_stopped_mails_are_not_sent_and_needed_ones_are(session: Session, links: Links, kind: Kind) -> None:
    mail = mail_of(session, kind, NAMES["usual"], TITLES["usual"])
    assert mail.signup is not None
    mail.signup.stopped_mails = [topic.value for topic in Topic]
    assert (notices.render(session, mail, links, SENDER) is None) == (kind in OPTIONAL)


def test_every_kind_through_a_real_server(session: Session, smtpd: SMTPDFix, links: Links) -> None:
    sent = [render(session, links, mail_of(session, kind, HOSTILE, TITLES["long"])) for kind in Kind]
    with from_url(f"smtp://{smtpd.hostname}:{smtpd.port}") as mailer:
        for message in sent:
            mailer.send(message)
    received = [message_from_bytes(each.as_bytes(), policy=policy.default) for each in smtpd.messages]
    assert len(received) == len(Kind)
    for there, here in zip(received, sent, strict=True):
        for header in ("To", "Subject", "Message-ID", "List-Unsubscribe", "List-Unsubscribe-Post"):
            # A long address goes to a line of its own, after a space that means nothing.
            assert (there[header] or "").strip() == (here[header] or "")
        assert there.get_content().replace("\r\n", "\n") == here.get_content()
        assert there["Bcc"] is None


def test_every_topic_has_mails_that_it_stops() -> None:
    assert set(OPTIONAL.values()) == set(Topic)


def test_a_kind_that_can_be_stopped_has_its_own_link(
    session: Session, links: Links, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(OPTIONAL, Kind.PLACE_FREE, Topic.NEWS)
    mail = mail_of(session, Kind.PLACE_FREE, NAMES["usual"], TITLES["usual"])
    message = render(session, links, mail)
    assert mail.signup is not None
    stop = links.stop_mails(mail.signup, [Topic.NEWS])
    assert message["List-Unsubscribe"] == f"<{stop}>"
    assert message.get_content().endswith(f"{stop}\n")
    mail.signup.stopped_mails = ["reminders"]
    assert notices.render(session, mail, links, SENDER) is not None
    mail.signup.stopped_mails = ["news"]
    assert notices.render(session, mail, links, SENDER) is None
    assert session.scalars(select(Mail.id)).all() == [mail.id]

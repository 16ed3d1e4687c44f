"""What organisers see of check-ins, the weekly mail, and requests for help."""

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from cohorts import checkin_mails, help_requests, notices, pulse
from cohorts.exceptions import NotFound
from cohorts.links import Links
from cohorts.models import (
    CheckIn,
    Course,
    CourseState,
    Departure,
    HelpRequest,
    Leaving,
    Mail,
    Met,
    SignupState,
    now,
)
from tests.factories import make_cohort, make_course, make_signup

FRIDAY = datetime(2027, 1, 15, 12, tzinfo=UTC)


def course_with(session: Session, n_answers: int) -> Course:
    course = make_course(session, start=date(2027, 1, 11))
    for number in range(n_answers):
        me = make_signup(session, course)
        session.add(CheckIn(signup_id=me.id, week=1, met=Met.YES, social=1 + number % 5, teaching=5))
    session.flush()
    return course


def test_nothing_below_five_is_told(session: Session) -> None:
    [week] = pulse.weeks(session, course_with(session, 4))
    assert week.is_hidden
    assert set(week.met.values()) | set(week.presence.values()) == {None}


def test_five_are_told_and_each_answer_by_itself(session: Session) -> None:
    course = course_with(session, 5)
    for met in (Met.NO, Met.NO):
        session.add(CheckIn(signup_id=make_signup(session, course).id, week=1, met=met, cognitive=2))
    [week] = pulse.weeks(session, course)
    assert week.met == {Met.YES: 5, Met.NO: None, Met.NOT_YET: None}
    assert week.presence == {"social": 3.0, "cognitive": None, "teaching": 5.0}
    assert not week.is_hidden


def test_pulse_is_of_one_course(session: Session) -> None:
    course_with(session, 9)
    assert pulse.weeks(session, make_course(session)) == []


def test_reasons_and_words_of_leaving_are_told_from_five_on(session: Session) -> None:
    course = make_course(session)
    session.add_all(
        Departure(course_id=course.id, whole_course=True, because=Leaving.TIMES, words=f"Word {number}")
        for number in range(4)
    )
    session.flush()
    assert (pulse.reasons_to_leave(session, course), pulse.words_on_leaving(session, course)) == ([], [])
    session.add(Departure(course_id=course.id, whole_course=False, because=Leaving.TIMES, words="A word"))
    session.add(Departure(course_id=course.id, whole_course=False, because=Leaving.LIFE, words=""))
    session.flush()
    assert pulse.reasons_to_leave(session, course) == [(Leaving.TIMES, 5)]
    assert pulse.words_on_leaving(session, course) == ["A word", "Word 0", "Word 1", "Word 2", "Word 3"]


def test_who_leaves_often_is_one_person(session: Session) -> None:
    course = make_course(session)
    leavers = [make_signup(session, course) for _ in range(5)]

    def leave(number: int) -> None:
        me = leavers[number]
        session.add(
            Departure(course_id=course.id, signup_id=me.id, whole_course=False, words=f"Word {number}")
        )
        session.add(Departure(course_id=course.id, signup_id=me.id, whole_course=True, because=Leaving.LIFE))
        session.flush()

    for number in (0, 0, 0, 0, 0, 1, 2, 3):
        leave(number)
    assert (pulse.reasons_to_leave(session, course), pulse.words_on_leaving(session, course)) == ([], [])
    leave(4)
    assert pulse.reasons_to_leave(session, course) == [(Leaving.LIFE, 5)]
    assert len(pulse.words_on_leaving(session, course)) == 9


# ---- requests for help ----


def test_request_for_help_is_one_until_it_is_answered(session: Session) -> None:
    course = make_course(session)
    me = make_signup(session, course)
    for text in ("Help!", "Help, \x00please!", "Help, please!"):
        help_requests.ask(session, me, text, FRIDAY)
    [request] = help_requests.of_course(session, course)
    assert (request.words, request.signup) == ("Help, please!", me)
    help_requests.answered(session, course, request.key, FRIDAY)
    help_requests.answered(session, course, request.key, FRIDAY + timedelta(days=1))
    assert request.answered_at == FRIDAY
    assert (help_requests.of_course(session, course), help_requests.words(session, me)) == ([], "")
    help_requests.ask(session, me, "Once more", FRIDAY)
    help_requests.ask(session, me, " ", FRIDAY)
    assert session.scalars(select(HelpRequest.words)).all() == ["Help, please!"]


def test_request_of_another_course_is_not_found(session: Session) -> None:
    me = make_signup(session, make_course(session))
    help_requests.ask(session, me, "Help!", FRIDAY)
    key = session.scalars(select(HelpRequest.key)).one()
    with pytest.raises(NotFound):
        help_requests.answered(session, make_course(session), key, FRIDAY)


# ---- the weekly mail ----


def running(session: Session) -> Course:
    return make_course(session, start=date(2027, 1, 11), weeks=3, state=CourseState.RUNNING)


def asked(session: Session) -> list[str]:
    mails = session.scalars(select(Mail).where(Mail.kind == "check_in").order_by(Mail.id))
    return [each.signup.name for each in mails if each.signup is not None]


def test_mail_goes_from_friday_noon_where_each_lives_once_a_week(session: Session) -> None:
    course = running(session)
    zones = ("Asia/Tokyo", "UTC", "America/New_York")
    make_cohort(session, *(make_signup(session, course, name=zone, time_zone=zone) for zone in zones))
    assert checkin_mails.send(session, FRIDAY - timedelta(hours=10)) == 0
    assert checkin_mails.send(session, FRIDAY - timedelta(hours=9)) == 1
    assert checkin_mails.send(session, FRIDAY) == 1
    assert checkin_mails.send(session, FRIDAY + timedelta(hours=5)) == 1
    assert checkin_mails.send(session, FRIDAY + timedelta(days=2)) == 0
    assert asked(session) == list(zones)
    assert checkin_mails.send(session, FRIDAY + timedelta(days=3)) == 0
    assert checkin_mails.send(session, FRIDAY + timedelta(days=7, hours=5)) == 3
    assert checkin_mails.send(session, FRIDAY + timedelta(days=21)) == 0


def test_mail_goes_to_nobody_who_is_away_out_done_or_without_a_cohort(session: Session) -> None:
    course = running(session)
    done = make_signup(session, course, name="done")
    session.add(CheckIn(signup_id=done.id, week=1))
    earlier = make_signup(session, course, name="earlier")
    away = make_signup(session, course, name="away", paused_until=date(2027, 1, 20))
    out = make_signup(session, course, name="out", state=SignupState.WITHDRAWN)
    make_cohort(session, done, away, out, earlier)
    make_cohort(session, make_signup(session, course, name="ended"), ended_at=FRIDAY)
    make_signup(session, course, name="alone")
    closed = make_course(session, start=date(2027, 1, 11), state=CourseState.FINISHED)
    make_cohort(session, make_signup(session, closed, name="over"))
    checkin_mails.send(session, FRIDAY)
    assert asked(session) == ["earlier"]
    checkin_mails.send(session, FRIDAY + timedelta(days=7))
    assert asked(session) == ["earlier", "done", "earlier", "away"]


def test_mail_needs_as_many_queries_for_one_learner_as_for_thirty(
    session: Session, count_queries: list[str]
) -> None:
    counts = []
    for n_learners in (1, 30):
        course = running(session)
        make_cohort(session, *(make_signup(session, course) for _ in range(n_learners)))
        session.flush()
        session.expire_all()
        count_queries.clear()
        assert checkin_mails.send(session, FRIDAY) == n_learners
        counts.append(sum(each.lstrip().startswith("SELECT") for each in count_queries))
    assert counts[0] == counts[1]


def test_mail_holds_the_link_and_is_dropped_when_its_week_is_over(session: Session, links: Links) -> None:
    monday = now().date() - timedelta(days=now().weekday())
    course = make_course(session, start=monday, weeks=2, state=CourseState.RUNNING, title="Choirs")
    me = make_signup(session, course)
    make_cohort(session, me, make_signup(session, course, name="Other"))
    mail = notices.enqueue(session, notices.Kind.CHECK_IN, signup=me)
    changed = notices.enqueue(session, notices.Kind.COHORT_CHANGED, signup=me)
    session.flush()
    message = notices.render(session, mail, links, "cohorts@example.org")
    assert message is not None
    assert message["Subject"] == "Ten seconds about this week in Choirs"
    assert f"{links.learner(me)}/check-in\n" in message.get_content()
    text = notices.render(session, changed, links, "cohorts@example.org")
    assert text is not None
    assert "  - Other\n" in text.get_content()
    mail.created_at -= timedelta(days=7)
    assert notices.render(session, mail, links, "cohorts@example.org") is None

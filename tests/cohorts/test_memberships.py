"""Memberships: one change ends some, opens others, and everybody it touches hears of it once."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from cohorts import memberships, notices
from cohorts.database import Database
from cohorts.links import Links
from cohorts.models import Cohort, CourseState, Mail, MailState, Membership, Signup, now
from cohorts.notices import Kind
from cohorts.standing import members_of
from tests.cohorts.test_notices import SENDER, Recorder
from tests.factories import make_cohort, make_course, make_signup

HOLD = timedelta(minutes=10)


def two_cohorts(session: Session) -> tuple[Cohort, Cohort]:
    """Cohorts of Ann, Bob and Cas, and of Dot and Eve."""
    course = make_course(session, state=CourseState.RUNNING)
    people = [make_signup(session, course, name=name) for name in ("Ann", "Bob", "Cas", "Dot", "Eve")]
    return (
        make_cohort(session, *people[:3], name="One"),
        make_cohort(session, *people[3:], name="Two"),
    )


def person(session: Session, name: str) -> Signup:
    return session.scalars(select(Signup).where(Signup.name == name)).one()


def names(cohort: Cohort) -> list[str]:
    return [each.name for each in members_of(cohort)]


def deliver(database: Database, links: Links) -> list[tuple[str, str]]:
    """Send what is due; return whom what was sent to, by name and subject."""
    recorder = Recorder()
    while notices.deliver_due(database, links, recorder, SENDER):
        pass
    return sorted((each["To"].addresses[0].display_name, each["Subject"]) for each in recorder.sent)


def let_time_pass(session: Session) -> None:
    waits = update(Mail).where(Mail.state == MailState.WAITING)
    session.execute(waits.values(not_before=now() - timedelta(seconds=1)))


def test_two_change_places_in_one_step_that_tells_each_of_them_once(session: Session) -> None:
    one, two = two_cohorts(session)
    ann, dot, at = person(session, "Ann"), person(session, "Dot"), now()
    mails = memberships.move(session, {ann: two, dot: one}, memberships.BY_HAND, at, hold=HOLD)
    assert (names(one), names(two)) == (["Bob", "Cas", "Dot"], ["Ann", "Eve"])
    assert [(each.signup.name, each.kind) for each in mails if each.signup] == [
        ("Ann", "moved"),
        ("Dot", "moved"),
        ("Bob", "cohort_changed"),
        ("Cas", "cohort_changed"),
        ("Eve", "cohort_changed"),
    ]
    assert {each.not_before for each in mails} == {at + HOLD}
    history = session.scalars(
        select(Membership).where(Membership.signup == ann).order_by(Membership.id)
    ).all()
    assert [(each.until, each.ended_because) for each in history] == [(at, "moved by hand"), (None, "")]
    assert history[1].since == at


def test_out_of_a_cohort_into_one_and_nowhere_at_all(session: Session) -> None:
    one, two = two_cohorts(session)
    ann, dot = person(session, "Ann"), person(session, "Dot")
    assert memberships.move(session, {ann: one, dot: two}, "moved", now()) == []
    memberships.move(session, {ann: None}, "left", now(), told=None)
    assert not memberships.has_one(session, ann)
    assert memberships.move(session, {ann: None}, "left", now()) == []
    mails = memberships.move(session, {ann: two}, "moved", now())
    assert [each.kind for each in mails] == ["moved", "cohort_changed", "cohort_changed"]
    assert (names(one), names(two)) == (["Bob", "Cas"], ["Ann", "Dot", "Eve"])


def test_who_is_moved_twice_hears_of_it_once_when_nothing_is_held_back(
    database: Database, links: Links
) -> None:
    with database.transaction() as session:
        one, two = two_cohorts(session)
        ann = person(session, "Ann")
        memberships.move(session, {ann: two}, "moved", now() - 2 * HOLD, hold=HOLD)
        held = memberships.move(session, {person(session, "Bob"): two}, "moved", now(), hold=HOLD)
        memberships.move(session, {ann: one}, "moved", now() - 2 * HOLD, hold=HOLD)
        assert len(held) == 5
    # Everybody is touched by the change that can still be undone, so nobody hears of anything.
    assert deliver(database, links) == []
    with database.transaction() as session:
        let_time_pass(session)
    assert deliver(database, links) == [
        ("Ann", f"Your cohort for {course_title(database)} is One now"),
        ("Bob", f"Your cohort for {course_title(database)} is Two now"),
        ("Cas", "Your cohort One has changed"),
        ("Dot", "Your cohort Two has changed"),
        ("Eve", "Your cohort Two has changed"),
    ]
    assert deliver(database, links) == []


def course_title(database: Database) -> str:
    with database.reading() as session:
        return session.scalars(select(Signup)).all()[0].course.title


def test_who_was_taken_out_reads_where_other_seats_are(session: Session, links: Links) -> None:
    two_cohorts(session)
    ann = person(session, "Ann")
    mail = memberships.move(session, {ann: None}, memberships.BY_HAND, now())[0]
    message = notices.render(session, mail, links, SENDER)
    assert message is not None
    assert "You are in no cohort of" in message["Subject"]
    assert "/changes" in message.get_content()
    assert mail.kind == Kind.MOVED

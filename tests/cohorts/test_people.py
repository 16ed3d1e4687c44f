"""Who organises a course: invitations, roles, and an owner at all times."""

import threading
from datetime import timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from cohorts import notices, people, policies
from cohorts.database import Database
from cohorts.exceptions import Conflict, InvalidInput, InvalidLink, NotAllowed, NotFound
from cohorts.links import Links
from cohorts.models import Course, CourseOrganiser, CourseRole, FacilitatedCohort, Mail, User, now
from cohorts.policies import Act
from tests.factories import make_cohort, make_course, make_signup, make_user

SENDER = "cohorts@example.org"


def test_every_role_may_do_what_the_table_says(session: Session) -> None:
    for role in CourseRole:
        user = make_user(session)
        course = make_course(session)
        session.add(CourseOrganiser(course_id=course.id, user_id=user.id, role=role))
        session.flush()
        for act in Act:
            if act in policies.MAY[role]:
                assert policies.course_for(session, user, course.slug, act) is course
            else:
                with pytest.raises(NotAllowed):
                    policies.course_for(session, user, course.slug, act)


def test_only_owners_govern_and_readers_only_look() -> None:
    assert [role for role in CourseRole if Act.GOVERN in policies.MAY[role]] == [CourseRole.OWNER]
    assert policies.MAY[CourseRole.READER] == {Act.LOOK, Act.VISIT}
    assert Act.LOOK not in policies.MAY[CourseRole.FACILITATOR]


def test_invitation_makes_a_stranger_an_organiser_once(session: Session, links: Links) -> None:
    owner = make_user(session)
    course = make_course(session, owner)
    found = people.invite(session, course, owner, " New@Example.org ", CourseRole.READER, now())
    mail = session.scalars(select(Mail).where(Mail.invitation_id == found.id)).one()
    message = notices.render(session, mail, links, SENDER)
    assert message is not None
    assert message["To"] == "New@example.org".lower()
    assert links.invitation(found) in message.get_content()
    user, is_new = people.accept(session, found, now())
    assert (user.email, is_new) == ("new@example.org", True)
    assert policies.course_for(session, user, course.slug, Act.LOOK) is course
    with pytest.raises(InvalidLink):
        people.accept(session, found, now())
    token = links.invitation(found).rpartition("/")[2]
    session.expire_all()
    with pytest.raises(InvalidLink):
        links.read_invitation(session, token)
    assert notices.render(session, mail, links, SENDER) is None


def test_invitation_runs_out_and_can_be_taken_back(session: Session, links: Links) -> None:
    owner = make_user(session)
    course = make_course(session, owner)
    then = now() - timedelta(days=people.DAYS_TO_LIVE, minutes=1)
    old = people.invite(session, course, owner, "old@example.org", CourseRole.READER, then)
    with pytest.raises(InvalidLink):
        people.accept(session, old, now())
    back = people.invite(session, course, owner, "back@example.org", CourseRole.READER, now())
    token = links.invitation(back).rpartition("/")[2]
    assert links.read_invitation(session, token) is back
    people.revoke(session, course, back.key, now())
    with pytest.raises(InvalidLink):
        links.read_invitation(session, token)
    with pytest.raises(NotFound):
        people.revoke(session, make_course(session, owner), back.key, now())


def test_a_later_invitation_replaces_an_earlier_one(session: Session) -> None:
    owner = make_user(session)
    course = make_course(session, owner)
    people.invite(session, course, owner, "ann@example.org", CourseRole.OWNER, now())
    second = people.invite(session, course, owner, "ann@example.org", CourseRole.READER, now())
    assert people.invitations(session, course, now()) == [second]
    with pytest.raises(InvalidInput):
        people.invite(session, course, owner, owner.email, CourseRole.READER, now())
    with pytest.raises(InvalidInput):
        people.invite(session, course, owner, "no address", CourseRole.READER, now())


def test_invitations_are_limited(session: Session) -> None:
    owner = make_user(session)
    course = make_course(session, owner)
    for number in range(people.MOST_OPEN):
        people.invite(session, course, owner, f"a{number}@example.org", CourseRole.READER, now())
    with pytest.raises(InvalidInput):
        people.invite(session, course, owner, "one.more@example.org", CourseRole.READER, now())


def test_facilitator_gets_cohorts_of_this_course_alone(session: Session) -> None:
    owner = make_user(session)
    course, other = make_course(session, owner), make_course(session, owner)
    own = make_cohort(session, make_signup(session, course))
    foreign = make_cohort(session, make_signup(session, other))
    found = people.invite(
        session, course, owner, "f@example.org", CourseRole.FACILITATOR, now(), cohorts=[own.key, foreign.key]
    )
    user, _ = people.accept(session, found, now())
    tended = set(
        session.scalars(select(FacilitatedCohort.cohort_id).where(FacilitatedCohort.user_id == user.id))
    )
    assert tended == {own.id}
    people.give_role(session, course, user.id, CourseRole.READER)
    assert session.scalar(select(func.count()).select_from(FacilitatedCohort)) == 0


def test_account_that_is_switched_off_cannot_join(session: Session) -> None:
    owner = make_user(session)
    course = make_course(session, owner)
    make_user(session, email="off@example.org", active=False)
    found = people.invite(session, course, owner, "off@example.org", CourseRole.OWNER, now())
    with pytest.raises(Conflict):
        people.accept(session, found, now())


def test_the_last_owner_stays(session: Session) -> None:
    owner, second = make_user(session), make_user(session)
    course = make_course(session, owner)
    session.add(CourseOrganiser(course_id=course.id, user_id=second.id, role=CourseRole.ORGANISER))
    session.flush()
    for act in (
        lambda: people.remove(session, course, owner.id),
        lambda: people.give_role(session, course, owner.id, CourseRole.READER),
    ):
        with pytest.raises(Conflict):
            act()
    people.give_role(session, course, second.id, CourseRole.OWNER)
    people.remove(session, course, owner.id)
    assert [each.user for each in people.of_course(session, course)] == [second]
    with pytest.raises(NotFound):
        people.remove(session, course, owner.id)


def test_two_owners_who_remove_each_other_at_once_leave_one(database: Database) -> None:
    with database.transaction() as session:
        first, second = make_user(session), make_user(session)
        course = make_course(session, first)
        session.add(CourseOrganiser(course_id=course.id, user_id=second.id))
    both, refused = threading.Barrier(2), []

    def remove(user: User) -> None:
        try:
            with database.session(writes=True) as session, session.begin():
                found = session.get_one(Course, course.id) if not database.is_sqlite else None
                both.wait(timeout=20) if not database.is_sqlite else None
                people.remove(session, found or session.get_one(Course, course.id), user.id)
        except Conflict:
            refused.append(user)

    threads = [threading.Thread(target=remove, args=(user,)) for user in (first, second)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.reading() as session:
        assert session.scalar(select(func.count()).select_from(CourseOrganiser)) == 1
    assert len(refused) == 1

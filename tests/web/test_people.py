"""The pages of who organises a course, accepting an invitation, and the log."""

from collections.abc import Callable

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from cohorts import people, privacy
from cohorts.links import Links
from cohorts.models import AuditEntry, Course, CourseOrganiser, CourseRole, Invitation, User, now
from tests.factories import make_course, make_signup, make_user

SignIn = Callable[[User], FlaskClient]


@pytest.fixture
def owner(session: Session) -> User:
    return make_user(session, name="Olga Owner")


@pytest.fixture
def course(session: Session, owner: User) -> Course:
    course = make_course(session, owner, slug="poems", title="Reading poems")
    session.commit()
    return course


def invitation_path(session: Session, links: Links) -> str:
    found = session.scalars(select(Invitation).order_by(Invitation.id.desc())).first()
    assert found is not None
    path = links.invitation(found).removeprefix(links.public_url)
    session.commit()  # one that may write keeps the site waiting
    return path


def test_invited_stranger_accepts_by_pressing_a_button(
    session: Session, course: Course, owner: User, signed_in: SignIn, client: FlaskClient, links: Links
) -> None:
    sent = signed_in(owner).post(
        "/organise/poems/people/invite", data={"email": "new@example.org", "role": "reader"}
    )
    assert sent.status_code == 302
    path = invitation_path(session, links)
    assert "Reading poems" in client.get(path).text
    assert session.scalar(select(User).where(User.email == "new@example.org")) is None  # looking joins nobody
    session.commit()
    assert client.post(path, follow_redirects=True).status_code == 200
    assert client.get("/organise/poems").status_code == 200
    assert client.get("/organise/poems/settings").status_code == 403
    assert client.post(path).status_code == 404
    assert client.get(path).status_code == 404


def test_invited_account_is_not_signed_in_by_a_link_that_lives_for_days(
    session: Session, course: Course, owner: User, client: FlaskClient, links: Links
) -> None:
    known = make_user(session)
    people.invite(session, course, owner, known.email, CourseRole.ORGANISER, now())
    session.commit()
    answer = client.post(invitation_path(session, links))
    assert answer.location == "/sign-in"
    assert client.get("/organise/").status_code == 302
    assert session.get(CourseOrganiser, (course.id, known.id)) is not None
    session.commit()


def test_invitation_that_was_spoilt(client: FlaskClient) -> None:
    for method in ("GET", "POST"):
        assert client.open("/join/nonsense", method=method).status_code == 404


def test_invite_with_a_wrong_address_says_so(course: Course, owner: User, signed_in: SignIn) -> None:
    answer = signed_in(owner).post(
        "/organise/poems/people/invite", data={"email": "nobody\x00", "role": "reader"}
    )
    assert answer.status_code == 422
    assert 'href="#email"' in answer.text
    assert signed_in(owner).post("/organise/poems/people/invite", data={"role": "king"}).status_code == 400


def test_owner_changes_roles_and_removes(
    session: Session, course: Course, owner: User, signed_in: SignIn
) -> None:
    second = make_user(session)
    session.add(CourseOrganiser(course_id=course.id, user_id=second.id, role=CourseRole.READER))
    session.commit()
    browser = signed_in(owner)
    there = f"/organise/poems/people/{second.id}"
    assert browser.post(f"{there}/role", data={"role": "organiser"}).status_code == 302
    assert signed_in(second).get("/organise/poems/settings").status_code == 200
    assert browser.post(f"/organise/poems/people/{owner.id}/remove").status_code == 409
    assert browser.post(f"{there}/remove").status_code == 302
    assert signed_in(second).get("/organise/poems").status_code == 404
    for strange in ("999999999", "x", "²", "9" * 30):
        assert browser.post(f"/organise/poems/people/{strange}/remove").status_code == 404
    log = browser.get("/organise/poems/log").text
    assert "removed somebody from the course" in log
    assert "gave somebody a role, as an organiser" in log
    assert second.email in log


def test_log_forgets_the_name_of_who_is_erased(
    session: Session, course: Course, owner: User, signed_in: SignIn
) -> None:
    signup = make_signup(session, course, name="Secret Name")
    entry = AuditEntry(course_id=course.id, user_id=owner.id, action="erase", subject=signup.key)
    session.add(entry)
    session.commit()
    browser = signed_in(owner)
    assert "Secret Name" in browser.get("/organise/poems/log").text
    privacy.erase(session, signup, now())
    session.commit()
    page = browser.get("/organise/poems/log").text
    assert "Olga Owner" in page
    assert "Secret Name" not in page


@pytest.mark.parametrize("path", ["people", "log"])
def test_pages_take_a_fixed_number_of_queries(
    session: Session,
    course: Course,
    owner: User,
    signed_in: SignIn,
    count_queries: list[str],
    path: str,
) -> None:
    browser, counts = signed_in(owner), []
    for number in (1, 30):
        for _ in range(number):
            user = make_user(session)
            session.add(CourseOrganiser(course_id=course.id, user_id=user.id, role=CourseRole.READER))
            session.add(AuditEntry(course_id=course.id, user_id=user.id, action="move", detail="open"))
        session.commit()
        count_queries.clear()
        assert browser.get(f"/organise/poems/{path}").status_code == 200
        counts.append(len(count_queries))
    assert counts[0] == counts[1]

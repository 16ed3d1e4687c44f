"""A learner's page of the people they have connected with."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from cohorts.links import Links
from cohorts.models import Connection, ConnectionDenial, Course, CourseState, Signup, Source, now
from tests.factories import make_cohort, make_course, make_signup


@pytest.fixture
def course(session: Session) -> Course:
    return make_course(session, slug="poems", start=now().date(), state=CourseState.RUNNING)


def page_of(links: Links, signup: Signup) -> str:
    return f"{links.learner(signup).removeprefix(links.public_url)}/connections"


def test_adding_taking_back_and_denying(
    session: Session, client: FlaskClient, links: Links, course: Course
) -> None:
    ann, bob = (make_signup(session, course, name=name) for name in ("Ann", "Bob Bobson"))
    make_cohort(session, ann, bob)
    session.commit()
    page = page_of(links, ann)
    assert "Nobody yet" in client.get(page).text
    assert client.post(page, data={"what": "go on with", "mate": bob.key}).status_code == 302
    row = session.scalars(select(Connection)).one()
    assert (row.from_id, row.to_id, row.source) == (ann.id, bob.id, Source.GO_ON_WITH)
    session.commit()
    assert "You want to go on with them" in client.get(page).text
    assert (
        "Ann" not in client.get(page_of(links, bob)).text.partition('class="people')[2].partition("<form")[0]
    )
    assert client.post(f"{page}/take-back", data={"said": row.id}).status_code == 302
    assert client.post(f"{page}/take-back", data={"said": row.id}).status_code == 404
    assert client.post(f"{page}/deny", data={"person": bob.key}).status_code == 302
    assert session.scalars(select(ConnectionDenial.other_id)).all() == [bob.id]
    session.commit()
    assert "Let it count again: Bob Bobson" in client.get(page).text
    assert client.post(f"{page}/deny", data={"person": bob.key, "denied": "no"}).status_code == 302
    assert session.scalars(select(ConnectionDenial.other_id)).all() == []


def test_what_is_wrong_is_said_at_the_field(
    session: Session, client: FlaskClient, links: Links, course: Course
) -> None:
    ann = make_signup(session, course)
    session.commit()
    answer = client.post(page_of(links, ann), data={"what": "talked with", "who": "No\x00body"})
    assert answer.status_code == 422
    assert 'href="#who"' in answer.text
    assert "Nobody can be found as" in answer.text
    assert client.post(page_of(links, ann), data={"what": "met"}).status_code == 422
    assert session.scalars(select(Connection)).all() == []


@pytest.mark.parametrize("said", ["", "x", "-1", "9" * 30, "²"])
def test_foreign_words_and_people_are_not_found(
    session: Session, client: FlaskClient, links: Links, course: Course, said: str
) -> None:
    ann = make_signup(session, course)
    bob, cid = (make_signup(session, make_course(session)) for _ in range(2))
    row = Connection(course_id=bob.course_id, from_id=bob.id, to_id=cid.id, source=Source.TALKED_WITH)
    session.add(row)
    session.commit()
    page = page_of(links, ann)
    for number in (row.id, said):
        assert client.post(f"{page}/take-back", data={"said": number}).status_code == 404
    for person in (bob.key, ann.key, "", "\x00"):
        assert client.post(f"{page}/deny", data={"person": person}).status_code == 404
    assert client.post(page, data={"mate": bob.key}).status_code == 404
    assert session.scalars(select(Connection.id)).all() == [row.id]


def test_page_takes_as_many_queries_for_30_people_as_for_one(
    session: Session, client: FlaskClient, links: Links, course: Course, count_queries: list[str]
) -> None:
    found = []
    for number in (1, 30):
        ann, *others = (make_signup(session, course) for _ in range(number + 1))
        make_cohort(session, ann, *others)
        for each in others:
            for one, two in ((ann, each), (each, ann)):
                row = {"course_id": course.id, "from_id": one.id, "to_id": two.id}
                session.add(Connection(**row, source=Source.GO_ON_WITH))
        session.commit()
        count_queries.clear()
        assert client.get(page_of(links, ann)).text.count("You both want to go on") == number
        found.append(len([each for each in count_queries if each.startswith("SELECT")]))
    assert found[0] == found[1] <= 20


def test_cohort_page_says_whom_one_knows(
    session: Session, client: FlaskClient, links: Links, course: Course
) -> None:
    ann, bob = (make_signup(session, course) for _ in range(2))
    make_cohort(session, ann, bob)
    row = {"course_id": course.id, "source": Source.TALKED_WITH}
    session.add(Connection(**row, from_id=ann.id, to_id=bob.id))
    session.commit()
    page = page_of(links, ann).replace("/connections", "/cohort")
    assert "You know each other" not in client.get(page).text
    session.add(Connection(**row, from_id=bob.id, to_id=ann.id))
    session.commit()
    assert client.get(page).text.count("You know each other") == 1

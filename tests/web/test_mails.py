"""Choosing one's mails, and stopping them from the mail itself."""

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from cohorts import subscriptions
from cohorts.database import Database
from cohorts.links import Links
from cohorts.models import CourseOrganiser, Signup
from cohorts.subscriptions import Topic
from tests.factories import make_course, make_signup, make_user

ONE_CLICK = {"List-Unsubscribe": "One-Click"}


@pytest.fixture
def learner(database: Database) -> Signup:
    with database.transaction() as session:
        return make_signup(session, make_course(session))


def stopped(database: Database, learner: Signup) -> list[str]:
    with database.reading() as session:
        return session.get_one(Signup, learner.id).stopped_mails


def path(links: Links, learner: Signup, *topics: Topic) -> str:
    return links.stop_mails(learner, topics).removeprefix(links.public_url)


@pytest.mark.parametrize("content_type", ["application/x-www-form-urlencoded", "multipart/form-data"])
def test_stop_mails_takes_a_mail_programs_post_without_cookie_or_form_token(
    app: Flask, database: Database, links: Links, learner: Signup, content_type: str
) -> None:
    app.config["WTF_CSRF_ENABLED"] = True
    browser = app.test_client(use_cookies=False)
    stop = path(links, learner, Topic.REMINDERS)
    for _ in range(2):  # stopping again does nothing
        answer = browser.post(stop, data=ONE_CLICK, content_type=content_type)
        assert answer.status_code == 200  # RFC 8058: a redirect would not be followed
        assert "These mails are stopped" in answer.text
    assert stopped(database, learner) == ["reminders"]


def test_stop_mails_opened_by_a_scanner_changes_nothing(
    client: FlaskClient, database: Database, links: Links, learner: Signup
) -> None:
    stop = path(links, learner, *Topic)
    for ask in (client.get, client.head, client.options):
        assert ask(stop).status_code == 200
    assert "<button" in client.get(stop).text
    assert stopped(database, learner) == []


def test_stop_mails_shows_neither_name_nor_address_nor_the_personal_link(
    client: FlaskClient, links: Links, learner: Signup
) -> None:
    text = client.get(path(links, learner, *Topic)).text
    assert learner.course.title in text
    for secret in (learner.name, learner.email, links.learner_token(learner)):
        assert secret not in text


def test_stop_mails_can_be_taken_back(
    client: FlaskClient, database: Database, links: Links, learner: Signup
) -> None:
    client.post(path(links, learner, *Topic), data=ONE_CLICK)
    assert stopped(database, learner) == [topic.value for topic in Topic]
    answer = client.post(path(links, learner, Topic.CHECK_INS), data={"resume": "1"})
    assert "These mails come again" in answer.text
    assert stopped(database, learner) == [each.value for each in Topic if each is not Topic.CHECK_INS]


def test_stop_mails_works_after_the_personal_link_was_replaced(
    client: FlaskClient, database: Database, links: Links, learner: Signup
) -> None:
    stop = path(links, learner, Topic.NEWS)
    with database.transaction() as session:
        session.get_one(Signup, learner.id).link_version += 1
    assert client.post(stop, data=ONE_CLICK).status_code == 200
    assert stopped(database, learner) == ["news"]


def test_stop_mails_of_nobody_is_not_found(
    client: FlaskClient, database: Database, links: Links, learner: Signup
) -> None:
    stop = path(links, learner, Topic.NEWS)
    tokens = [f"/stop-mails/{links.learner_token(learner)}", f"{stop[:-2]}xx", "/stop-mails/nonsense"]
    assert [client.post(each, data=ONE_CLICK).status_code for each in tokens] == [404, 404, 404]
    assert stopped(database, learner) == []
    with database.transaction() as session:
        session.delete(session.get_one(Signup, learner.id))
    assert client.post(stop, data=ONE_CLICK).status_code == 404


def test_stop_link_is_no_personal_link(client: FlaskClient, links: Links, learner: Signup) -> None:
    token = path(links, learner, *Topic).removeprefix("/stop-mails/")
    assert client.get(f"/l/{token}").status_code == 404


def test_mails_page_keeps_what_is_ticked(
    client: FlaskClient, database: Database, links: Links, learner: Signup
) -> None:
    page = f"/l/{links.learner_token(learner)}/mails"
    assert client.get(page).text.count(" checked") == len(Topic)
    client.post(page, data={"wanted": ["check-ins", "no such topic"]})
    assert stopped(database, learner) == [each.value for each in Topic if each is not Topic.CHECK_INS]
    assert client.get(page).text.count(" checked") == 1
    client.post(page, data={})
    assert stopped(database, learner) == [topic.value for topic in Topic]


def test_stop_keeps_what_was_stopped_since_the_row_was_read(
    session: Session, database: Database, links: Links
) -> None:
    read_early = make_signup(session, make_course(session))
    session.commit()
    with database.transaction() as other:
        subscriptions.stop(other, other.get_one(Signup, read_early.id), [Topic.REMINDERS])
    subscriptions.stop(session, read_early, [Topic.NEWS])
    session.commit()
    assert stopped(database, read_early) == ["reminders", "news"]


def test_an_organiser_stops_mails_about_help_with_one_press_and_no_cookie(
    app: Flask, session: Session, database: Database, links: Links
) -> None:
    app.config["WTF_CSRF_ENABLED"] = True
    user = make_user(session)
    course = make_course(session, user, title="Play")
    mine = session.get_one(CourseOrganiser, (course.id, user.id))
    session.commit()
    path, client = links.stop_help_mails(mine).removeprefix("http://localhost"), app.test_client()

    def stopped() -> list[str]:
        with database.reading() as reading:
            return reading.get_one(CourseOrganiser, (course.id, user.id)).stopped_mails

    assert "Stop these mails?" in client.get(path).text
    assert stopped() == []
    assert client.post(path, data={"List-Unsubscribe": "One-Click"}).status_code == 200
    assert stopped() == ["help"]
    assert "These mails come again" in client.post(path, data={"resume": "1"}).text
    assert stopped() == []
    assert client.post(f"{path}x").status_code == 404

"""Saying whether one comes, and the calendars that follow a cohort."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import vobject
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from cohorts import choosing
from cohorts.database import Database
from cohorts.links import Links
from cohorts.meetings import Meeting
from cohorts.models import Answer, Attendance, Cohort, Signup, now
from tests.factories import make_cohort, make_course, make_signup

FIRST = "20270111T1800Z"


@pytest.fixture
def saved(session: Session) -> Iterator[Session]:
    """Give a session for preparing rows; ``commit`` it before a request."""
    yield session
    session.rollback()


@pytest.fixture
def members(saved: Session) -> list[Signup]:
    course = make_course(saved, slug="web", weeks=3)
    return [make_signup(saved, course, name=name, time_zone="Asia/Tokyo") for name in ("Ada", "Ben", "Cem")]


@pytest.fixture
def cohort(saved: Session, members: list[Signup]) -> Cohort:
    found = make_cohort(saved, *members)
    saved.commit()
    return found


@pytest.fixture
def way(links: Links, members: list[Signup], cohort: Cohort) -> str:
    """Give the beginning of Ada's addresses."""
    return links.learner(members[0]).removeprefix(links.public_url)


def text_of(answer: TestResponse) -> str:
    return answer.get_data(as_text=True)


def answers(database: Database) -> list[Answer | None]:
    with database.reading() as session:
        return [row.answer for row in session.scalars(select(Attendance).order_by(Attendance.id))]


# ---- saying whether one comes ----


def test_opening_the_link_of_a_mail_says_nothing(client: FlaskClient, database: Database, way: str) -> None:
    text = text_of(client.get(f"{way}/meetings/{FIRST}"))
    assert client.head(f"{way}/meetings/{FIRST}").status_code == 200
    assert "Tuesday, 12 January, 03:00" in text
    assert "That is Monday, 11 January, 19:00 in Berlin" in text
    assert "Nobody has said yet" in text
    assert answers(database) == []


def test_one_press_says_it_and_another_takes_it_back(
    client: FlaskClient, database: Database, links: Links, members: list[Signup], way: str
) -> None:
    answer = client.post(f"{way}/meetings/{FIRST}", data={"answer": "coming"})
    assert (answer.status_code, answer.location) == (302, f"{way}/meetings/{FIRST}")
    assert answers(database) == [Answer.COMING]
    seen_by_ben = links.learner(members[1]).removeprefix(links.public_url) + "/cohort"
    text = text_of(client.get(seen_by_ben))
    assert "1 of 3 will be there" in text
    assert ": Ada." in text
    client.post(f"{way}/meetings/{FIRST}", data={"answer": "absent"})
    assert answers(database) == [Answer.ABSENT]
    assert "Cannot come: Ada." in text_of(client.get(seen_by_ben))


def test_answer_from_the_cohorts_page_leads_back_there(client: FlaskClient, way: str) -> None:
    answer = client.post(f"{way}/meetings/{FIRST}", data={"answer": "coming", "from": "cohort"})
    assert answer.location == f"{way}/cohort#next"


@pytest.mark.parametrize("said", ["", "maybe", "COMING"])
def test_answer_that_is_neither_is_refused(
    client: FlaskClient, database: Database, way: str, said: str
) -> None:
    assert client.post(f"{way}/meetings/{FIRST}", data={"answer": said}).status_code == 400
    assert answers(database) == []


@pytest.mark.parametrize("stamp", ["20270111T1700Z", "20270301T1800Z", "nonsense", "20270111T1800"])
def test_meeting_that_is_not_answers_404(
    client: FlaskClient, database: Database, way: str, stamp: str
) -> None:
    assert client.get(f"{way}/meetings/{stamp}").status_code == 404
    assert client.post(f"{way}/meetings/{stamp}", data={"answer": "coming"}).status_code == 404
    assert client.post(f"{way}/meetings/{stamp}/attendance", data={"met": "no"}).status_code == 404
    assert answers(database) == []


def test_link_of_an_old_mail_leads_to_the_new_time(
    saved: Session, client: FlaskClient, cohort: Cohort, way: str
) -> None:
    choosing.fix(saved, cohort, Meeting("Europe/Berlin", 86), now(), seen=0)
    saved.commit()
    answer = client.get(f"{way}/meetings/{FIRST}")
    assert answer.status_code == 404
    text = text_of(answer)
    assert "This meeting has moved" in text
    assert "Wednesday, 13 January at 03:00" in text
    assert f"{way}/meetings/20270112T1800Z" in text


def test_attendance_cannot_be_noted_beforehand(client: FlaskClient, database: Database, way: str) -> None:
    answer = client.post(f"{way}/meetings/{FIRST}/attendance", data={"met": "no"})
    assert answer.status_code == 409
    assert answers(database) == []


# ---- calendars ----


def events(answer: TestResponse) -> list[tuple[str, str, str, datetime]]:
    """Return UID, number, status and start in UTC of each event."""
    found = vobject.readOne(answer.get_data(as_text=True))
    return [
        (
            each.uid.value,
            each.sequence.value,
            each.status.value,
            each.dtstart.value.astimezone(UTC),
        )
        for each in getattr(found, "vevent_list", [])
    ]


def feed_of(links: Links, database: Database, signup: Signup) -> str:
    with database.reading() as session:
        return links.calendar(session.get_one(Signup, signup.id)).removeprefix(links.public_url)


def test_feed_follows_a_change_and_is_kept_privately(
    saved: Session,
    client: FlaskClient,
    database: Database,
    links: Links,
    members: list[Signup],
    cohort: Cohort,
) -> None:
    feed = feed_of(links, database, members[0])
    first = client.get(feed)
    assert first.mimetype == "text/calendar"
    assert first.headers["Cache-Control"] == "private, max-age=900"
    assert "Content-Disposition" not in first.headers
    assert [each[1:3] for each in events(first)] == [("0", "TENTATIVE")] * 3
    assert "@example.org" not in text_of(first)
    again = client.get(feed, headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.get_data()) == (304, b"")
    choosing.fix(saved, cohort, Meeting("Europe/Berlin", 86), now(), seen=0)
    saved.commit()
    changed = client.get(feed, headers={"If-None-Match": first.headers["ETag"]})
    assert changed.status_code == 200
    assert changed.headers["ETag"] != first.headers["ETag"]
    assert changed.last_modified is not None
    assert first.last_modified is not None
    assert changed.last_modified > first.last_modified
    assert [each[0] for each in events(changed)] == [each[0] for each in events(first)]
    assert [each[1:3] for each in events(changed)] == [("1", "CONFIRMED")] * 3
    assert [each[3].weekday() for each in events(changed)] == [1, 1, 1]


def test_feed_of_who_left_cancels_the_meetings(
    client: FlaskClient, database: Database, links: Links, members: list[Signup], cohort: Cohort, way: str
) -> None:
    feed = feed_of(links, database, members[0])
    client.post(f"{way}/withdraw")
    assert client.get(f"{way}/cohort.ics").status_code == 404
    assert [each[2] for each in events(client.get(feed))] == ["CANCELLED"] * 3


def test_feed_stops_when_its_address_is_renewed(
    client: FlaskClient, database: Database, links: Links, members: list[Signup], way: str
) -> None:
    old = feed_of(links, database, members[0])
    others = feed_of(links, database, members[1])
    assert old in text_of(client.get(f"{way}/cohort"))
    assert client.post(f"{way}/calendar/renew").status_code == 302
    new = feed_of(links, database, members[0])
    assert [client.get(path).status_code for path in (old, new, others)] == [404, 200, 200]
    assert old not in text_of(client.get(f"{way}/cohort"))


def test_feed_stops_with_a_new_personal_link(
    saved: Session,
    client: FlaskClient,
    database: Database,
    links: Links,
    members: list[Signup],
    cohort: Cohort,
) -> None:
    feed = feed_of(links, database, members[0])
    members[0].link_version += 1
    saved.commit()
    assert client.get(feed).status_code == 404


def test_token_of_a_calendar_opens_nothing_else(
    client: FlaskClient, database: Database, links: Links, members: list[Signup], cohort: Cohort, way: str
) -> None:
    token = feed_of(links, database, members[0]).removeprefix("/calendar/").removesuffix(".ics")
    personal = way.removeprefix("/l/")
    for path in (f"/l/{token}", f"/l/{token}/cohort", f"/calendar/{personal}.ics", "/calendar/x.ics"):
        assert client.get(path).status_code == 404
    assert client.post(f"/l/{token}/meetings/{FIRST}", data={"answer": "coming"}).status_code == 404
    assert client.post(f"/calendar/{token}.ics").status_code == 405
    assert answers(database) == []


def test_feed_needs_the_same_queries_for_any_number_of_stays(
    saved: Session, client: FlaskClient, database: Database, links: Links, count_queries: list[str]
) -> None:
    counts = []
    for more in (1, 8):
        course = make_course(saved, weeks=3)
        me = make_signup(saved, course)
        for number in range(more):
            since = now() - timedelta(days=more - number)
            found = make_cohort(saved, me, at=since)
            found.memberships[0].until = since + timedelta(hours=1) if number < more - 1 else None
            saved.flush()
        saved.commit()
        feed = feed_of(links, database, me)
        count_queries.clear()
        assert client.get(feed).status_code == 200
        counts.append(len([sql for sql in count_queries if sql.startswith("SELECT")]))
    assert counts[0] == counts[1]

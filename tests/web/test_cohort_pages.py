"""A learner's own cohort: what to do first, voting, fixing, the link, the list, and why these people."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from cohorts import choosing
from cohorts.database import Database
from cohorts.links import Links
from cohorts.meetings import Meeting
from cohorts.models import Cohort, Signup, now
from tests.factories import make_cohort, make_course, make_signup

MONDAY, TUESDAY = "Europe/Berlin:38", "Europe/Berlin:86"


@pytest.fixture
def saved(session: Session) -> Iterator[Session]:
    """Give a session for preparing rows; ``commit`` it before a request."""
    yield session
    session.rollback()


@pytest.fixture
def members(saved: Session) -> list[Signup]:
    """Ada offered to get it going; all sit in other zones."""
    course = make_course(saved)
    ada = make_signup(
        saved, course, ("Chess", "Jazz"), name="Ada", convenor=True, can_help_with=["Logic", "guitar"]
    )
    ben = make_signup(
        saved,
        course,
        ("chess", "Jazz"),
        name="Ben",
        time_zone="Asia/Tokyo",
        wants_help_with=["logic"],
        can_help_with=["tuning"],
    )
    cem = make_signup(
        saved,
        course,
        ("Jazz", "Knitting"),
        name="Cem <b>",
        time_zone="America/New_York",
        wants_help_with=["guitar"],
    )
    return [ada, ben, cem]


@pytest.fixture
def cohort(saved: Session, members: list[Signup]) -> Cohort:
    found = make_cohort(saved, *members)
    saved.commit()
    return found


@pytest.fixture
def ways(links: Links, members: list[Signup], cohort: Cohort) -> list[str]:
    """Give the address of the cohort's page for each member."""
    return [links.learner(each).removeprefix(links.public_url) + "/cohort" for each in members]


def text_of(answer: TestResponse) -> str:
    return answer.get_data(as_text=True)


def kept(database: Database, cohort: Cohort) -> Cohort:
    with database.reading() as session:
        return session.get_one(Cohort, cohort.id)


def test_first_step_leads_from_the_vote_to_the_meeting(client: FlaskClient, ways: list[str]) -> None:
    ada, ben, _ = ways
    assert "Which times suit you?" in text_of(client.get(ada))
    client.post(ada + "/vote", data={"block": TUESDAY, "suits": "yes"})
    client.post(ben + "/vote", data={"block": TUESDAY, "suits": "yes"})
    assert "Fix your first meeting" in text_of(client.get(ada))
    assert "Thank you for your vote" in text_of(client.get(ben))
    client.post(ada + "/meeting", data={"block": TUESDAY, "seen": 0})
    assert "Say where you talk" in text_of(client.get(ada))
    assert "Will you be at the next meeting?" in text_of(client.get(ben))
    client.post(ada + "/channel", data={"channel": "https://chat.example.org/room"})
    assert "Will you be at the next meeting?" in text_of(client.get(ada))


def test_votes_show_how_many_and_not_who(client: FlaskClient, ways: list[str]) -> None:
    answer = client.post(ways[1] + "/vote", data={"block": TUESDAY, "suits": "yes"})
    assert (answer.status_code, answer.location) == (302, ways[1] + "#when")
    mine, others = text_of(client.get(ways[1])), text_of(client.get(ways[0]))
    assert mine.count('aria-pressed="true"') == 1
    assert others.count('aria-pressed="true"') == 0
    assert "1 member<" in others
    client.post(ways[1] + "/vote", data={"block": TUESDAY, "suits": "no"})
    assert "1 member<" not in text_of(client.get(ways[0]))


@pytest.mark.parametrize(
    "block", ["", "nonsense", "Europe/Berlin:0", "Europe/Berlin:x", "UTC:99999999999999999"]
)
def test_vote_or_fix_of_an_unknown_time_answers_404(
    client: FlaskClient, database: Database, cohort: Cohort, ways: list[str], block: str
) -> None:
    for way in ("/vote", "/meeting"):
        answer = client.post(ways[0] + way, data={"block": block, "seen": 0, "suits": "yes"})
        assert answer.status_code == 404
    assert kept(database, cohort).fixed == []


def test_fixing_moves_the_page_to_the_new_time(client: FlaskClient, ways: list[str]) -> None:
    assert "Proposed for" in text_of(client.get(ways[1]))
    answer = client.post(ways[0] + "/meeting", data={"block": TUESDAY, "seen": 0})
    assert answer.status_code == 302
    text = text_of(client.get(ways[1]))
    assert "Proposed" not in text
    assert "Wednesday, 13 January, 03:00" in text
    assert "Tuesday 19:00–20:30" in text  # in Berlin, a day earlier than in Tokyo
    assert "Fix this" not in text


def test_fixing_what_somebody_else_has_fixed_shows_the_change_first(
    client: FlaskClient, database: Database, cohort: Cohort, ways: list[str]
) -> None:
    client.post(ways[0] + "/meeting", data={"block": TUESDAY, "seen": 0})
    answer = client.post(ways[0] + "/meeting", data={"block": MONDAY, "seen": 0})
    text = text_of(answer)
    assert answer.status_code == 409
    assert "Somebody was faster" in text
    assert "Ada has just fixed the meeting" in text
    assert choosing.version(kept(database, cohort)) == 1
    assert f'name="block" value="{MONDAY}"><input type="hidden" name="seen" value="1"' in text
    client.post(ways[0] + "/meeting", data={"block": MONDAY, "seen": 1})
    assert choosing.version(kept(database, cohort)) == 2


@pytest.mark.parametrize("seen", ["", "x", "-1", "7"])
def test_fixing_without_saying_what_one_has_seen_changes_nothing(
    client: FlaskClient, database: Database, cohort: Cohort, ways: list[str], seen: str
) -> None:
    assert client.post(ways[0] + "/meeting", data={"block": TUESDAY, "seen": seen}).status_code == 409
    assert kept(database, cohort).fixed == []


def test_who_gets_it_going_is_named_only_if_they_let_it_be_known(
    saved: Session, client: FlaskClient, members: list[Signup], ways: list[str]
) -> None:
    text = text_of(client.get(ways[1]))
    assert "Ada can then fix one." in text
    assert text.count("gets the first meeting going") == 1
    members[0].shown = []
    saved.commit()
    text = text_of(client.get(ways[1]))
    assert "One of you can then fix one." in text
    assert "gets the first meeting going" not in text
    assert "Fix this" in text_of(client.get(ways[0]))


def test_what_is_the_convenors_is_refused_to_others(
    client: FlaskClient, database: Database, cohort: Cohort, ways: list[str]
) -> None:
    text = text_of(client.get(ways[1]))
    for hidden in ("Fix this", "To get it going", "Save the link"):
        assert hidden not in text
        assert hidden in text_of(client.get(ways[0]))
    for way, data in (
        ("/meeting", {"block": TUESDAY, "seen": "0"}),
        ("/channel", {"channel": "https://evil.example.org"}),
        ("/ticks", {"item": "plan", "done": "yes"}),
    ):
        assert client.post(ways[1] + way, data=data).status_code == 409
    found = kept(database, cohort)
    assert (found.fixed, found.channel, found.ticks) == ([], "", [])


def test_channel_is_a_link_that_takes_nothing_along(client: FlaskClient, ways: list[str]) -> None:
    client.post(ways[0] + "/channel", data={"channel": 'https://chat.example.org/a?b="><script>'})
    text = text_of(client.get(ways[1]))
    assert "Leads to chat.example.org" in text
    assert "<script>" not in text.split("</head>")[1]
    links = [part for part in text.split("<a ") if "chat.example.org" in part.split(">")[0]]
    assert links != []
    assert all('rel="noreferrer noopener"' in part.split(">")[0] for part in links)


def test_channel_that_is_refused_is_shown_with_what_is_wrong(
    client: FlaskClient, database: Database, cohort: Cohort, ways: list[str]
) -> None:
    answer = client.post(ways[0] + "/channel", data={"channel": "http://chat.example.org"})
    text = text_of(answer)
    assert answer.status_code == 422
    assert "must start with https://" in text
    assert 'value="http://chat.example.org"' in text
    assert kept(database, cohort).channel == ""


def test_list_keeps_its_ticks(client: FlaskClient, ways: list[str]) -> None:
    client.post(ways[0] + "/ticks", data={"item": "plan", "done": "yes"})
    assert text_of(client.get(ways[0])).count('class="is-done"') == 1
    client.post(ways[0] + "/meeting", data={"block": MONDAY, "seen": 0})
    assert text_of(client.get(ways[0])).count('class="is-done"') == 2
    client.post(ways[0] + "/ticks", data={"item": "plan", "done": "no"})
    assert text_of(client.get(ways[0])).count('class="is-done"') == 1
    assert client.post(ways[0] + "/ticks", data={"item": "x", "done": "yes"}).status_code == 404


def test_list_is_everybodys_where_nobody_offered(
    saved: Session, client: FlaskClient, members: list[Signup], ways: list[str]
) -> None:
    members[0].convenor = False
    saved.commit()
    text = text_of(client.get(ways[1]))
    assert "Nobody has offered to get the first meeting going" in text
    assert "Fix this" in text


def test_why_us_names_what_is_shared_and_who_can_help(client: FlaskClient, ways: list[str]) -> None:
    ben, cem = (text_of(client.get(way)) for way in ways[1:])
    assert "Ada can help you with Logic." in ben
    assert "Ada can help you with guitar." in cem
    assert "Ada, you and Cem &lt;b&gt;" in ben
    assert "Ada and you" in ben  # both like chess


def test_why_us_and_the_cards_tell_only_what_each_chose_to_share(
    saved: Session, client: FlaskClient, members: list[Signup], ways: list[str]
) -> None:
    text = text_of(client.get(ways[0]))
    assert "You can help Ben with Logic." in text
    assert "tuning" in text
    members[1].shown = ["interests"]
    saved.commit()
    text = text_of(client.get(ways[0]))
    assert "Ben with" not in text
    assert "tuning" not in text
    assert "Ada, you and Cem" not in text
    assert "you, Ben and Cem" in text  # Jazz
    members[1].shown = []
    saved.commit()
    assert "you and Cem" in text_of(client.get(ways[0]))
    assert "tuning" not in text_of(client.get(ways[1]))  # one's own card is what the others see


def test_who_are_in_it_comes_with_their_clocks(client: FlaskClient, ways: list[str]) -> None:
    text = text_of(client.get(ways[0]))
    for city in ("Tokyo, where it is", "New York, where it is"):
        assert city in text
    assert "Cem <b>" not in text


def test_cohort_without_common_times_is_told_to_write(
    saved: Session, client: FlaskClient, links: Links
) -> None:
    pair = [
        make_signup(saved, make_course(saved), name="Ida"),
    ]
    make_cohort(saved, *pair, meetings=[])
    saved.commit()
    way = links.learner(pair[0]).removeprefix(links.public_url)
    text = text_of(client.get(way + "/cohort"))
    assert "No fixed meeting" in text
    assert "Suits me" not in text
    assert b"VEVENT" not in client.get(way + "/cohort.ics").get_data()


def test_member_who_left_can_change_nothing(
    saved: Session, client: FlaskClient, database: Database, cohort: Cohort, ways: list[str]
) -> None:
    cohort.memberships[0].until = now()
    saved.commit()
    for way, data in (
        ("/vote", {"block": TUESDAY, "suits": "yes"}),
        ("/meeting", {"block": TUESDAY, "seen": "0"}),
        ("/channel", {"channel": "https://evil.example.org"}),
        ("/ticks", {"item": "plan", "done": "yes"}),
    ):
        assert client.post(ways[0] + way, data=data).status_code == 404
    found = kept(database, cohort)
    assert (found.fixed, found.channel, found.ticks) == ([], "", [])


def test_past_meeting_asks_who_was_there(saved: Session, client: FlaskClient, links: Links) -> None:
    at = now()
    course = make_course(saved, start=(at - timedelta(days=8)).date(), weeks=4)
    alone = make_signup(saved, course, name="Ada")
    begun = at - timedelta(hours=3)
    slot = begun.weekday() * 48 + begun.hour * 2
    cohort = make_cohort(saved, alone, meetings=[["UTC", slot]])
    choosing.fix(saved, cohort, Meeting("UTC", slot), at - timedelta(days=30), seen=0)
    saved.commit()
    way = links.learner(alone).removeprefix(links.public_url)
    text = text_of(client.get(way + "/cohort"))
    assert "Did you meet?" in text
    stamp = text.split("/meetings/")[1].split('"')[0]
    page = text_of(client.get(f"{way}/meetings/{stamp}"))
    assert "Who was there?" in page
    client.post(f"{way}/meetings/{stamp}/attendance", data={"met": "yes", "there": [alone.key]})
    assert "Did you meet?" not in text_of(client.get(way + "/cohort"))
    assert "1 of you was at the last meeting" in text_of(client.get(way + "/cohort"))

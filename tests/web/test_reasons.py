"""What a match says reaches everybody in their own language: on pages, in mails and in files."""

from __future__ import annotations

import json
from collections.abc import Callable
from html import unescape

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from cohorts import notices, privacy, proposals, roster, runs
from cohorts.database import Database
from cohorts.language import Sentence, using
from cohorts.links import Links
from cohorts.models import Cohort, Course, Mail, Run, Seat, Signup, User
from cohorts.notices import Kind
from cohorts.questions import Counts, CustomQuestion
from cohorts.questions import Kind as Asked
from tests.factories import ask, make_course, make_signup, make_user

SignIn = Callable[[User], FlaskClient]

LABEL = "Who, of <b>%(these)s</b>?"
LONE_HOURS = frozenset({36, 37, 132, 133, 134})
SPANISH = {"Accept-Language": "es-ES"}

WHY = {
    "en": "No 90-minute block is free for at least 3 others who share a language with you.",
    "es": "No hay 90 minutos que tengan libres al menos 3 personas que compartan contigo un idioma.",
}
HELP = {
    "en": "Adding Monday 18:00–19:30 in your own time would fit 1 cohort that has a seat.",
    "es": "Si añades el lunes 18:00–19:30, en tu hora, encajarías en 1 grupo en el que hay sitio.",
}
REASONS = {
    "en": [
        "Shared interests: Jazz (5) and Dub (2) of 5.",
        f"Shared “{LABEL}”: <i>Nina</i> (5) of 5.",
        "4 common blocks of 90 minutes in every week.",
        "1 below the target size.",
    ],
    "es": [
        "En común, intereses: Jazz (5) y Dub (2), de 5.",
        f"En común, «{LABEL}»: <i>Nina</i> (5), de 5.",
        "4 horas en común para reunirse 90 minutos todas las semanas.",
        "1 por debajo del tamaño previsto.",
    ],
}


@pytest.fixture
def organiser(database: Database) -> User:
    with database.transaction() as session:
        return make_user(session)


@pytest.fixture
def run_id(database: Database, organiser: User) -> int:
    """Match and publish a course with five who fit and one who lacks half an hour on Monday."""
    with database.transaction() as session:
        course = make_course(session, session.get_one(User, organiser.id), slug="music")
        question = CustomQuestion(
            key="who", kind=Asked.MANY, label=LABEL, options=("<i>Nina</i>",), counts=Counts.SIMILAR
        )
        ask(session, course, question)
        for number in range(5):
            interests = ("Jazz", "Dub") if number < 2 else ("Jazz",)
            make_signup(session, course, interests, custom={"who": ["<i>Nina</i>"]})
        make_signup(session, course, name="Lone", locale="es", availability=LONE_HOURS)
        run_id = runs.request(session, course, None, time_limit=3).id
    runs.execute(database, run_id, "worker")
    with database.transaction() as session:
        proposals.publish(session, session.get_one(Run, run_id))
    return run_id


@pytest.fixture
def lone(run_id: int, database: Database) -> Signup:
    with database.reading() as session:
        return session.scalars(select(Signup).where(Signup.name == "Lone")).one()


def path_of(links: Links, signup: Signup, then: str = "") -> str:
    return links.learner(signup).removeprefix(links.public_url) + then


def test_what_is_stored_keeps_its_parts(run_id: int, database: Database) -> None:
    with database.reading() as session:
        seat = session.scalars(select(Seat).where(Seat.run_id == run_id, Seat.cohort_id.is_(None))).one()
        assert isinstance(seat.remedy, Sentence)
        assert seat.remedy["values"] == {"num": 1, "hours": {"slot": 36, "n_slots": 3}}
        assert isinstance(seat.reason, Sentence)
        assert seat.reason["values"]["what"] == {"text": "a language", "values": {}}
        (cohort,) = session.scalars(select(Cohort))
        assert cohort.reasons[0]["values"]["answers"] == ["Jazz (5)", "Dub (2)"]  # type: ignore[index]


@pytest.mark.parametrize("code", ["en", "es"])
def test_learner_reads_why_and_what_would_help_in_their_language(
    lone: Signup, client: FlaskClient, links: Links, database: Database, code: str
) -> None:
    with database.transaction() as session:
        session.get_one(Signup, lone.id).locale = code
    page = unescape(client.get(path_of(links, lone)).text)
    assert (WHY[code] in page, HELP[code] in page) == (True, True)


@pytest.mark.parametrize("code", ["en", "es"])
def test_mail_says_why_and_what_would_help_in_their_language(
    lone: Signup, links: Links, database: Database, code: str
) -> None:
    with database.transaction() as session:
        session.get_one(Signup, lone.id).locale = code
    with database.reading() as session:
        mail = session.scalars(select(Mail).where(Mail.kind == Kind.UNPLACED)).one()
        message = notices.render(session, mail, links, "cohorts@example.org")
        assert message is not None
        text = " ".join(message.get_content().split())
    assert (WHY[code] in text, HELP[code] in text) == (True, True)


@pytest.mark.parametrize("code", ["en", "es"])
def test_organiser_reads_the_reasons_of_a_cohort_and_of_the_unplaced(
    run_id: int, database: Database, organiser: User, signed_in: SignIn, code: str
) -> None:
    with database.transaction() as session:
        session.get_one(User, organiser.id).locale = code
        key = session.get_one(Run, run_id).key
    browser = signed_in(organiser)
    page = browser.get(f"/organise/music/runs/{key}").text
    assert "&lt;i&gt;Nina&lt;/i&gt; (5)" in page
    assert "<i>Nina" not in page
    assert "<b>%(these)s" not in page
    page = unescape(page)
    assert [each for each in [*REASONS[code], WHY[code], HELP[code]] if each not in page] == []
    assert WHY[code] in unescape(browser.get("/organise/music/roster").text)


def test_members_read_the_reasons_of_their_cohort(
    run_id: int, client: FlaskClient, links: Links, database: Database
) -> None:
    with database.reading() as session:
        member = session.scalars(select(Signup).where(Signup.name != "Lone").limit(1)).one()
    page = unescape(client.get(path_of(links, member, "/cohort"), headers=SPANISH).text)
    *told, traded = REASONS["es"]
    assert [each for each in told if each not in page] == []
    # What their cohort does without is for who answers for the whole.
    assert traded not in page


def test_hours_are_written_as_in_the_country_of_the_learner(
    lone: Signup, client: FlaskClient, links: Links, database: Database
) -> None:
    with database.transaction() as session:
        session.get_one(Signup, lone.id).locale = "en_US"
    page = unescape(client.get(path_of(links, lone)).text).replace("\u202f", " ")
    assert "Adding Monday 6:00 PM–7:30 PM in your own time" in page


def test_data_of_a_learner_tells_the_reason_in_words(lone: Signup, database: Database) -> None:
    with database.reading() as session, using("es"):
        (seat,) = privacy.export(session, session.get_one(Signup, lone.id))["seats"]
    assert (seat["reason"], seat["remedy"]) == (WHY["es"], HELP["es"])
    assert json.loads(json.dumps(seat)) == seat


def test_what_was_stored_as_plain_text_is_shown_as_it_is(
    run_id: int, session: Session, client: FlaskClient, links: Links, lone: Signup
) -> None:
    seat = session.scalars(select(Seat).where(Seat.signup_id == lone.id)).one()
    seat.reason, seat.remedy = "Nobody, 100 % <sure>.", 'An hour at {"18:00"}.'
    (cohort,) = session.scalars(select(Cohort))
    cohort.reasons = ["You all like %(chess)s."]
    session.commit()
    page = unescape(client.get(path_of(links, lone)).text)
    assert "Nobody, 100 % <sure>." in page
    assert 'An hour at {"18:00"}.' in page
    course = session.scalars(select(Course)).one()
    assert [row.reason for row in roster.stream(session, course) if row.reason] == ["Nobody, 100 % <sure>."]
    member = session.scalars(select(Signup).where(Signup.name != "Lone").limit(1)).one()
    session.commit()
    assert "You all like %(chess)s." in client.get(path_of(links, member, "/cohort")).text

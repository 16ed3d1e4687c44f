"""A site with something of everything: courses, learners and runs in every state that has a page."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import date, timedelta
from pathlib import Path
from threading import Thread
from typing import Any

from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.serving import WSGIRequestHandler, make_server

import config
from cohorts import (
    adjust,
    attendance,
    audit,
    checkins,
    choosing,
    door,
    help_requests,
    letters,
    meetings,
    moves,
    people,
    person_blocks,
    presets,
    proposals,
    schedule,
    weighing,
)
from cohorts.adjust import Hand
from cohorts.checkins import Pulse
from cohorts.database import Database
from cohorts.exports import Choice
from cohorts.links import Links
from cohorts.models import (
    Answer,
    Audience,
    CheckIn,
    Cohort,
    Course,
    CourseOrganiser,
    CourseRole,
    CourseState,
    Departure,
    Leaving,
    Met,
    Run,
    RunState,
    Seat,
    Signup,
    SignupState,
    Upload,
    User,
    now,
)
from cohorts.subscriptions import Topic
from cohorts.weighing import Weigher
from matcher.said import Asked, Hours, say, say_number
from tests.factories import ask, make_cohort, make_course, make_signup, make_user
from tests.questions import EXAMPLES
from tests.site import SECRET
from web import create_app

NAMES = (
    "Amina Yusuf", "Ben Okafor", "Chiara Rossi", "Dmitri Ivanov", "Elif Yılmaz", "Farid Haddad", "Grace Kim",
    "Hana Nováková", "Ivo", "João da Silva", "Kaja Lindqvist", "Liam O’Brien",
)  # fmt: skip
ZONES = ("Europe/Berlin", "Africa/Lagos", "America/New_York", "Asia/Kolkata")
INTERESTS = ("Jazz", "The Beatles", "Field recording", "Mixing", "Songwriting", "Synthesizers", "Choir")
EVENINGS = frozenset(range(34, 44)) | frozenset(range(130, 140))
WORD = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft"
ARABIC_NAMES = ("ليلى حسن", "يوسف الخطيب", "مريم العلي", "דנה לוי", "سامر ناصر")


@dataclass
class World:
    """What addresses of the pages are made of."""

    url: str
    database: Database
    links: Links
    words: dict[str, str] = field(default_factory=dict)
    """Slugs, tokens and keys by the name that a path of the registry uses."""
    users: dict[str, User] = field(default_factory=dict)
    """Who can sign in."""

    def sign_in_link(self, who: str) -> str:
        """Return a link by which somebody signs in once."""
        with self.database.reading() as session:
            return self.links.sign_in(session.get_one(User, self.users[who].id))


@contextmanager
def served(folder: Path, fill: Callable[[World, Session], None]) -> Iterator[World]:
    """Serve a new site from this process, with what ``fill`` puts into it."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    environ = {
        "COHORTS_SECRET_KEY": SECRET,
        "COHORTS_DATA_DIR": str(folder),
        "COHORTS_PUBLIC_URL": url,
    }
    settings = config.load(environ)
    database = Database(settings.database_url)
    database.upgrade()
    world = World(url, database, Links(SECRET, url))
    with database.transaction() as session:
        fill(world, session)
    server = make_server(
        "127.0.0.1", port, _with_a_fault(create_app(settings, database)), threaded=True, request_handler=Quiet
    )
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield world
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
        database.engine.dispose()


class Quiet(WSGIRequestHandler):
    """Answers without a line for each request."""

    def log(self, *_: Any) -> None:
        """Say nothing."""


def _with_a_fault(app: Flask) -> Flask:
    """Add a page that breaks, to see what people see then."""

    def broken() -> str:
        raise RuntimeError("broken on purpose")

    app.add_url_rule("/broken", "broken", broken)
    return app


def fill_bare(world: World, session: Session) -> None:
    """Leave the site as it is before anybody made a course."""
    world.users["organiser"] = make_user(session, name="Olga Organiser")


def fill(world: World, session: Session) -> None:
    """Put in something of everything."""
    organiser = make_user(session, name="Olga Organiser", email="olga@example.org")
    world.users |= {"organiser": organiser, "newcomer": make_user(session, name="New")}
    _signing_up(world, session, organiser)
    _runs(world, session, organiser)
    _published(world, session, organiser)
    _meeting(world, session, organiser)
    _long(world, session, organiser)
    _many(world, session, organiser)
    _going_on(world, session, organiser)
    _arabic(world, session, organiser)
    _own_questions(world, session, organiser)
    _shared(world, session, organiser)
    course = _course(world, session, organiser, "files", "Files and rosters")
    rows = b"email,time_zone,availability\nann@example.org,UTC,Mon 18:00-20:00\nbad,UTC,Mon 25:00-26:00\n"
    upload = Upload(course_id=course.id, user_id=organiser.id, name="sign-ups.csv", content=rows)
    session.add(upload)
    session.flush()
    world.words["upload"] = upload.key


def _course(
    world: World, session: Session, organiser: User, name: str, title: str, people: int = 0, **given: Any
) -> Course:
    """Make a course; its slug is called ``name``."""
    described = {
        "summary": "Learn how records are made by making one.",
        "description": "Six weeks, one song. You pick a piece, take it apart and put it together anew.",
        "start": date.today() + timedelta(weeks=6),
    }
    course = make_course(session, organiser, slug=name, title=title, **{**described, **given})
    world.words[name] = course.slug
    for number in range(people):
        _learner(session, course, NAMES[number % len(NAMES)], number)
    return course


def _learner(session: Session, course: Course, name: str, number: int = 0, **given: Any) -> Signup:
    answers = {
        "time_zone": ZONES[number % len(ZONES)],
        "availability": EVENINGS,
        "languages": ["English", "German"][: 1 + number % 2],
        "goal": "Finish one song that I am not ashamed of." if number % 3 else "",
        "can_help_with": ["mixing"] if number % 2 else [],
        "convenor": number % 4 == 0,
        "created_at": now() - timedelta(days=20 - number % 13),
    }
    liked = tuple(INTERESTS[(number + step) % len(INTERESTS)] for step in range(3))
    return make_signup(session, course, liked, name=name, **{**answers, **given})


def _token(world: World, name: str, signup: Signup) -> None:
    world.words[name] = world.links.learner_token(signup)


def _signing_up(world: World, session: Session, organiser: User) -> None:
    """Courses that people sign up for, and learners at each step of it."""
    course = _course(world, session, organiser, "usual", "Play with your music", people=8)
    pending = _learner(session, course, "Petra Pending", state=SignupState.PENDING, confirmed_at=None)
    withdrawn = _learner(session, course, "Wim Withdrawn", state=SignupState.WITHDRAWN, withdrawn_at=now())
    signed_up = _learner(session, course, "Amina Yusuf")
    full = _course(world, session, organiser, "full", "Only a few places", people=2, capacity=2)
    waiting = _learner(session, full, "Wanda Waits", waiting=True)
    _course(world, session, organiser, "first", "Nobody is here yet")
    _course(world, session, organiser, "draft", "Still being written", state=CourseState.DRAFT)
    later = now() + timedelta(days=9)
    _course(world, session, organiser, "later", "Opens in some days", opens_at=later)
    _course(world, session, organiser, "ages", "Music for everybody", asks_age=True)
    _course(world, session, organiser, "over", "Long ago", people=6, state=CourseState.FINISHED)
    for name, signup in (
        ("pending", pending),
        ("withdrawn", withdrawn),
        ("signed_up", signed_up),
        ("waiting", waiting),
    ):
        _token(world, name, signup)
    world.words["signup"] = signed_up.key
    world.words["stop"] = world.links.stop_mails(signed_up, [Topic.REMINDERS]).rpartition("/")[2]
    world.words["sign_in"] = world.links.sign_in(make_user(session)).rpartition("/")[2]


def _own_questions(world: World, session: Session, organiser: User) -> None:
    """A course that asks a question of its own of every kind, and a learner who answered all."""
    course = _course(world, session, organiser, "questions", "Songs and sounds")
    ask(session, course, *(example.question for example in EXAMPLES.values()))
    answers = {example.question.key: example.kept for example in EXAMPLES.values()}
    signup = _learner(session, course, "Ada Answers", custom=answers, not_alone=["role"])
    _token(world, "answered", signup)
    world.words["answered_signup"] = signup.key


def _shared(world: World, session: Session, organiser: User) -> None:
    """A course with an organiser of every role, open invitations, and a log of what they did."""
    course = _course(world, session, organiser, "shared", "Many hands", people=8)
    members = list(session.scalars(select(Signup).where(Signup.course_id == course.id)))
    cohorts = [make_cohort(session, *members[:4]), make_cohort(session, *members[4:])]
    world.users["facilitator"] = make_user(session, name="Fatima Facilitator")
    world.users["reader"] = make_user(session, name="", email="reader@example.org")
    for name in ("facilitator", "reader"):
        role, user = CourseRole(name), world.users[name]
        session.add(CourseOrganiser(course_id=course.id, user_id=user.id, role=role))
        session.flush()
        people.give_role(session, course, user.id, role, [cohorts[0].key])
    for email in ("ana@example.org", f"a.very.long.address@{WORD[:50].lower()}.example.org"):
        found = people.invite(
            session, course, organiser, email, CourseRole.ORGANISER, now(), cohorts=[cohorts[1].key]
        )
    world.words["invitation"] = world.links.invitation(found).rpartition("/")[2]
    text = "Dear {name},\n\nwe begin on Monday. {cohort} meets then, {nick}. Your page: {link}\n\n" + WORD
    for name in ("letter", "letter-sent"):
        letter = letters.write(session, course, organiser, "We begin soon", text, Audience.EVERYONE)
        world.words[name] = letter.key
    letters.send(session, letter, now())
    done = [
        ("new", "", ""),
        ("move", "", "open"),
        ("publish", "", ""),
        ("set_channel", cohorts[0].key, ""),
        ("give_role", str(world.users["reader"].id), "reader"),
    ]
    for action, subject, detail in done:
        audit.record(session, course, organiser, action, now(), subject=subject, detail=detail)


def _runs(world: World, session: Session, organiser: User) -> None:
    """One course for each state of a run that is no proposal; two cannot be under way in one course."""
    states: dict[RunState, dict[str, Any]] = {
        RunState.QUEUED: {},
        RunState.RUNNING: {"progress": 0.4, "stage": "Improving the cohorts"},
        RunState.FAILED: {
            "reason": "Nobody's hours meet anybody else's. Ask for more hours, or shorter meetings."
        },
        RunState.CANCELLED: {},
    }
    for state, given in states.items():
        course = _course(world, session, organiser, f"course-{state}", f"A run is {state}", people=5)
        run = Run(course_id=course.id, state=state, n_learners=5, **given)
        session.add(run)
        session.flush()
        world.words[f"run-{state}"] = run.key


REASONS = (
    say(
        "Shared %(question)s: %(answers)s of %(members)s.",
        question=Asked("interests"),
        answers=("Jazz (4)", "Dub (2)"),
        members=5,
    ),
    say_number(
        "%(num)s member finds help here with what they asked for.",
        "%(num)s members find help here with what they asked for.",
        2,
    ),
    say_number(
        "%(num)s common block of %(minutes)s minutes in every week.",
        "%(num)s common blocks of %(minutes)s minutes in every week.",
        2,
        minutes=90,
    ),
    say("%(number)s below the target size.", number=1),
)
REASON = say_number(
    "Fewer than %(num)s other shares %(what)s with you.",
    "Fewer than %(num)s others share %(what)s with you.",
    3,
    what=say("a language"),
)
REMEDY = say_number(
    "Adding %(hours)s in your own time would fit %(num)s cohort that has a seat.",
    "Adding %(hours)s in your own time would fit %(num)s cohorts that have a seat.",
    1,
    hours=Hours(36, 3),
)
"""What a match says of a cohort, and of a learner who has none."""


def _proposal(
    session: Session, course: Course, cohorts: Sequence[Sequence[Signup]], out: Sequence[Signup]
) -> Run:
    """Propose some cohorts, and leave some learners out with a reason."""
    placed = sum(map(len, cohorts))
    run = Run(
        course_id=course.id,
        state=RunState.PROPOSED,
        parameters=door.MatchSettings.of_course(course).as_json(),
        n_learners=placed + len(out),
        n_placed=placed,
        objective=0.61 * len(cohorts),
        bound=0.64 * len(cohorts),
        seconds=3.2,
        finished_at=now(),
    )
    session.add(run)
    for number, members in enumerate(cohorts, 1):
        cohort = Cohort(
            run=run,
            position=number,
            name=f"Cohort {number}",
            score=0.45 + 0.03 * (number % 7),
            meetings=[["Europe/Berlin", 36], ["Africa/Lagos", 130]],
            reasons=[door.sentence_of(each, {}) for each in REASONS],
        )
        session.add_all(Seat(run=run, cohort=cohort, signup_id=each.id) for each in members)
    reason, remedy = (door.sentence_of(each, {}) for each in (REASON, REMEDY))
    session.add_all(Seat(run=run, signup_id=each.id, reason=reason, remedy=remedy) for each in out)
    session.flush()
    return run


def _published(world: World, session: Session, organiser: User) -> None:
    """A proposal to look at, and one that is published, with a learner who has no cohort."""
    course = _course(world, session, organiser, "proposed", "Proposed, not published")
    people = [
        _learner(session, course, NAMES[number % 12], number, time_zone=ZONES[number % 2])
        for number in range(11)
    ]
    run = _proposal(session, course, [people[:5], people[5:10]], people[10:])
    world.words["run-proposed"] = run.key
    _board(world, session, run, organiser, people)

    course = _course(world, session, organiser, "running", "Listening together")
    people = [_learner(session, course, NAMES[number % 12], number) for number in range(11)]
    run = _proposal(session, course, [people[:5], people[5:10]], people[10:])
    proposals.publish(session, run)
    world.words["run-published"] = run.key
    _token(world, "placed", people[0])
    _token(world, "unplaced", people[10])


def _board(world: World, session: Session, run: Run, organiser: User, people: Sequence[Signup]) -> None:
    """What a proposal's board can show: changes by hand, and what others would do."""
    first, second = run.cohorts
    for version, (cohort, name) in enumerate(((first, "Early birds"), (second, "Night owls"))):
        adjust.rename(session, run, cohort.key, name, Hand(organiser, version, now()))
    adjust.pin_cohort(session, run, second.key, True, Hand(organiser, 2, now()))
    adjust.pin_learner(session, run, people[0].key, True, Hand(organiser, 3, now()))
    adjust.pin_learner(session, run, people[0].key, False, Hand(organiser, 4, now()))
    adjust.undo(session, run, Hand(organiser, 5, now()))
    next(seat for seat in run.seats if seat.cohort_id is None).size_max = 9
    weigher = Weigher(world.database)
    for name, learner, cohort in (
        ("weighing", people[1], None),
        ("weighing-swaps", people[1], second),
        ("weighing-unplaced", people[10], first),
    ):
        asked = weighing.ask(session, run, learner.key, cohort.key if cohort else "", now())
        asked.effects, asked.weighed_at = [asdict(each) for each in weigher.effects(session, asked)], now()
        world.words[name] = asked.key
    world.words["weighing-waiting"] = weighing.ask(session, run, people[2].key, "", now()).key


def _meeting(world: World, session: Session, organiser: User) -> None:
    """A cohort in the middle of its course, with votes, a time that was fixed, a link and answers."""
    at = now()
    start = at.date() - timedelta(days=at.weekday() + 14)
    course = _course(world, session, organiser, "met", "Meeting every week", start=start, weeks=8)
    people = [_learner(session, course, NAMES[number], number, convenor=number == 1) for number in range(5)]
    run = _proposal(session, course, [people], [])
    proposals.publish(session, run)
    run.published_at = at - timedelta(days=14)
    (cohort,) = run.cohorts
    for membership in cohort.memberships:
        membership.since = run.published_at
    blocks = meetings.of_cohort(cohort)
    for number, voter in enumerate(people[:4]):
        for block in blocks[: 1 + number % 2]:
            choosing.vote(session, cohort, voter, block, suits=True)
    choosing.fix(session, cohort, blocks[0], at - timedelta(days=13), seen=0, by=people[1])
    choosing.set_channel(session, cohort, "https://chat.example.org/room", by=people[1])
    choosing.tick(session, cohort, "hello", done=True, by=people[1])
    following, last = schedule.coming(course, cohort, at), schedule.latest(course, cohort, at)
    assert following is not None
    assert last is not None
    for learner, said in ((people[1], Answer.COMING), (people[2], Answer.ABSENT)):
        attendance.answer(session, cohort, learner, following.starts_at, said, at - timedelta(days=12))
    world.words["meeting-next"] = meetings.stamp(following.starts_at)
    world.words["meeting-last"] = meetings.stamp(last.starts_at)
    world.words["cohort-met"] = cohort.key
    _token(world, "met", people[0])
    _token(world, "convenor", people[1])


def _long(world: World, session: Session, organiser: User) -> None:
    """Names and texts as long as they may be, with no place to break them."""
    course = _course(
        world,
        session,
        organiser,
        "long",
        f"{WORD} und {WORD}"[:120],
        summary=WORD * 2,
        description=f"{WORD * 3}\n\n" + "Many words, and then some more. " * 40,
    )
    people = [
        _learner(
            session,
            course,
            (f"{WORD}{number}" if number % 2 else "Wolfeschlegelsteinhausen Bergerdorff " * 3)[:100].strip(),
            number,
            email=f"{'a' * 60}{number}@{'b' * 60}.example.org",
            time_zone="America/Argentina/ComodRivadavia",
            goal=WORD * 5,
            can_help_with=[WORD[:80]] * 1 + ["mixing"],
            languages=["English", WORD[:60]],
        )
        for number in range(6)
    ]
    run = _proposal(session, course, [people[:5]], people[5:])
    run.cohorts[0].name = "Cohort of the " + WORD[:60]
    run.cohorts[0].reasons = [f"All of you like {WORD}."]
    world.words["run-long"] = run.key
    left = _proposal(session, course, [people[:5]], people[5:])
    left.cohorts[0].name = WORD[:60]
    world.words["run-long-proposed"] = left.key
    proposals.publish(session, run)
    for name in (WORD[: presets.MAX_NAME], "Canvas, every Monday"):
        presets.save(session, course, name, "canvas", Choice(login="local"))
    _token(world, "long_placed", people[0])
    _token(world, "long_unplaced", people[5])
    world.words["long_signup"] = people[0].key
    form = _course(world, session, organiser, "long-form", f"{WORD} {WORD}"[:120], summary=WORD)
    _learner(session, form, WORD[:100])


def _many(world: World, session: Session, organiser: User) -> None:
    """More of everything than anybody has seen."""
    course = _course(world, session, organiser, "many", "A very large course")
    labels = tuple(f"Interest {number}" for number in range(60))
    people = [
        make_signup(
            session,
            course,
            labels if number < 8 else labels[number % 50 : number % 50 + 4],
            name=f"{NAMES[number % len(NAMES)]} {number}",
            time_zone=ZONES[number % len(ZONES)],
            availability=EVENINGS | frozenset(range(number % 24, 300, 3)),
            can_help_with=[f"subject {each}" for each in range(12)],
            languages=["English", "German", "French", "Spanish", "Portuguese", "Turkish", "Arabic", "Hindi"],
        )
        for number in range(96)
    ]
    groups = [people[first : first + 8] for first in range(0, 88, 8)]
    run = _proposal(session, course, groups, people[88:])
    run.cohorts[0].meetings = [["Europe/Berlin", slot] for slot in range(20, 60, 2)]
    world.words["run-many"] = run.key
    world.words["cohort-many"] = run.cohorts[0].key
    proposals.publish(session, run)
    _token(world, "many_placed", people[0])
    form = _course(world, session, organiser, "many-interests", "A great many interests")
    for number in range(6):
        make_signup(session, form, labels, name=f"Learner {number}")
    for number in range(30):
        _course(world, session, organiser, f"course-{number}", f"One of many courses, number {number}")


def _going_on(world: World, session: Session, organiser: User) -> None:
    """A course under way: check-ins, a request for help, pauses, open seats, somebody between cohorts."""
    monday = date.today() - timedelta(days=date.today().weekday())
    course = _course(
        world,
        session,
        organiser,
        "going-on",
        "Singing on Tuesdays",
        start=monday - timedelta(weeks=2),
        size_max=7,
    )
    people = [_learner(session, course, NAMES[number % 12], number) for number in range(24)]
    hours = EVENINGS | frozenset(range(28, 48)) | frozenset(range(124, 144))
    for each in people:
        each.availability, each.languages = hours, ["English"]
    run = _proposal(session, course, [people[:6], people[6:11], people[11:16], people[16:23]], people[23:])
    proposals.publish(session, run)
    for membership in run.cohorts[0].memberships:
        membership.since -= timedelta(weeks=3)
    for number, each in enumerate(people[:20]):
        for week in (1, 2):
            met = Met.YES if number % 3 else Met.NO
            scale = {"social": 3 + number % 3, "cognitive": 2 + number % 4, "teaching": 1 + number % 5}
            session.add(CheckIn(signup_id=each.id, week=week, met=met, **scale))
        if number % 3 == 0:
            session.add(
                Departure(
                    course_id=course.id, whole_course=True, because=Leaving.TIMES, words="Too late for me."
                )
            )
    at = now()
    help_requests.ask(session, people[2], "We cannot find a time, and nobody answers in the channel.", at)
    checking = people[1]
    mates = [each.key for each in people[2:5]]
    said = Pulse(
        met=Met.YES, social=4, teaching=2, talked_with=frozenset(mates), go_on_with=frozenset(mates[:1])
    )
    checkins.check_in(session, checking, said, at)
    person_blocks.block(session, checking, key=people[5].key, at=at)
    person_blocks.block(session, checking, email="somebody@example.org", at=at)
    people[3].paused_until = date.today() + timedelta(days=9)
    moves.leave_cohort(session, people[4], Leaving.SILENT, "", at)
    for name, number in (("checking", 0), ("checked", 1), ("paused", 3), ("between", 4)):
        _token(world, name, people[number])


def _arabic(world: World, session: Session, organiser: User) -> None:
    """Names and texts that run from right to left."""
    course = _course(
        world,
        session,
        organiser,
        "arabic",
        "العب بموسيقاك",
        summary="تعلّم كيف تُصنع الأغاني بأن تصنع واحدة.",
        description="ستة أسابيع وأغنية واحدة. تختار مقطوعة وتفككها ثم تعيد تركيبها على طريقتك.",
    )
    people = [
        make_signup(
            session, course, ("جاز", "עיבוד"), name=name, time_zone="Africa/Cairo", availability=EVENINGS
        )
        for name in ARABIC_NAMES
    ]
    run = _proposal(session, course, [people], [])
    world.words["run-arabic"] = run.key
    proposals.publish(session, run)
    _token(world, "arabic_placed", people[0])
    world.words["arabic_form"] = _course(world, session, organiser, "arabic-form", "العب بموسيقاك").slug

"""Something of everything: courses, learners and runs in every state that has a page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import date, timedelta
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from cohorts import (
    adjust,
    attendance,
    audit,
    checkins,
    choosing,
    help_requests,
    letters,
    meetings,
    memberships,
    moves,
    people,
    person_blocks,
    presence,
    proposals,
    schedule,
    tokens,
    uploads,
    weighing,
)
from cohorts.adjust import Hand
from cohorts.checkins import Pulse
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
    Membership,
    Met,
    Run,
    RunState,
    Signup,
    SignupState,
    UploadStage,
    User,
    Weighing,
    now,
)
from cohorts.second_factors import Factors
from cohorts.subscriptions import Topic
from cohorts.weighing import Weigher
from tests import tool_files
from tests.browser.compared import compared
from tests.browser.connected import connected
from tests.browser.extremes import WORD, arabic, long, many
from tests.browser.healing import healing
from tests.browser.interacting import told_elsewhere
from tests.browser.people import EVENINGS, NAMES, ZONES, keep_token, new_course, new_learner, new_proposal
from tests.browser.world import World
from tests.factories import ask, make_cohort, make_user
from tests.questions import EXAMPLES
from tests.site import SECRET


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
    long(world, session, organiser)
    many(world, session, organiser)
    _going_on(world, session, organiser)
    arabic(world, session, organiser)
    connected(world, session, organiser)
    healing(world, session, organiser)
    compared(world, session, organiser)
    _own_questions(world, session, organiser)
    _shared(world, session, organiser)
    _tokens(world, session)
    course = new_course(world, session, organiser, "files", "Files and rosters")
    rows = b"email,time_zone,availability\nann@example.org,UTC,Mon 18:00-20:00\nbad,UTC,Mon 25:00-26:00\n"
    _files(world, session, organiser, course, rows)


def _files(world: World, session: Session, organiser: User, course: Course, rows: bytes) -> None:
    """Files that wait to be read, to be looked at, to be imported, and one that was imported."""
    unclear = tool_files.GOOGLE.replace("1,No", "not sure,No").replace("Asia/Tokyo", "UTC+2")
    summed = "E-mail,Time zone,Monday\nann@example.org,UTC,9-11\nCount,1,\n"
    sheets = tool_files.book_of({"Answers": tool_files.TITLED, "Notes": (("Who", "What"), ("Ann", "Late"))})
    for name, content in (
        ("upload", rows),
        ("upload_google", unclear.encode()),
        ("upload_busy", tool_files.GRUEPR.encode()),
        ("upload_long", tool_files.csv_of((WORD * 3, "E-mail"), (WORD * 4, "x" * 90), ("", "a\nb")).encode()),
        ("upload_summed", summed.encode()),
        ("upload_sheets", sheets),
    ):
        taken = uploads.take(session, course, organiser, f"{name}.csv", content)
        world.words[name] = taken.upload.key
    for stage in (UploadStage.UNREAD, UploadStage.IMPORTING, UploadStage.IMPORTED):
        kept = uploads.keep(session, course, organiser, "large.csv", b"")
        kept.stage, kept.progress = stage, 0.4
        kept.reading = {"added": 4_990, "changed": 7, "left_out": 3}
        world.words[f"upload_{stage}"] = kept.key

    told_elsewhere(world, session, course, organiser)


def _tokens(world: World, session: Session) -> None:
    """One token that works and was used, and one whose time is over."""
    for name, age in (("Sign-ups from the shop", 2), ("Nightly export", 40)):
        made = now() - timedelta(days=age)
        token, _text = tokens.make(session, world.users["organiser"], name, list(tokens.Scope), 30, made)
        token.last_used_at = made + timedelta(hours=5)


def _signing_up(world: World, session: Session, organiser: User) -> None:
    """Courses that people sign up for, and learners at each step of it."""
    course = new_course(world, session, organiser, "usual", "Play with your music", people=8)
    pending = new_learner(session, course, "Petra Pending", state=SignupState.PENDING, confirmed_at=None)
    withdrawn = new_learner(session, course, "Wim Withdrawn", state=SignupState.WITHDRAWN, withdrawn_at=now())
    signed_up = new_learner(session, course, "Amina Yusuf")
    full = new_course(world, session, organiser, "full", "Only a few places", people=2, capacity=2)
    waiting = new_learner(session, full, "Wanda Waits", waiting=True)
    new_course(world, session, organiser, "first", "Nobody is here yet")
    new_course(world, session, organiser, "draft", "Still being written", state=CourseState.DRAFT)
    later = now() + timedelta(days=9)
    new_course(world, session, organiser, "later", "Opens in some days", opens_at=later)
    new_course(world, session, organiser, "ages", "Music for everybody", asks_age=True)
    new_course(world, session, organiser, "over", "Long ago", people=6, state=CourseState.FINISHED)
    for name, signup in (
        ("pending", pending),
        ("withdrawn", withdrawn),
        ("signed_up", signed_up),
        ("waiting", waiting),
    ):
        keep_token(world, name, signup)
    world.words["signup"] = signed_up.key
    world.words["stop"] = world.links.stop_mails(signed_up, [Topic.REMINDERS]).rpartition("/")[2]
    mine = session.get_one(CourseOrganiser, (course.id, organiser.id))
    world.words["stop_help"] = world.links.stop_help_mails(mine).rpartition("/")[2]
    world.users["guest"] = make_user(session)
    careful = world.users["careful"] = make_user(session, name="Cara Careful")
    factors = Factors(SECRET)
    factors.confirm(session, careful, factors.prepare(session, careful).now(), now())


def _own_questions(world: World, session: Session, organiser: User) -> None:
    """A course that asks a question of its own of every kind, and a learner who answered all."""
    course = new_course(world, session, organiser, "questions", "Songs and sounds")
    ask(session, course, *(example.question for example in EXAMPLES.values()))
    answers = {example.question.key: example.kept for example in EXAMPLES.values()}
    signup = new_learner(session, course, "Ada Answers", custom=answers, not_alone=["role"])
    keep_token(world, "answered", signup)
    world.words["answered_signup"] = signup.key


def _shared(world: World, session: Session, organiser: User) -> None:
    """A course with an organiser of every role, open invitations, and a log of what they did."""
    course = new_course(world, session, organiser, "shared", "Many hands", people=8)
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
    text = "Dear {name},\n\nwe begin next week. {cohort} meets then, {nick}. Your page: {link}\n\n" + WORD
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
        course = new_course(world, session, organiser, f"course-{state}", f"A run is {state}", people=5)
        run = Run(course_id=course.id, state=state, n_learners=5, **given)
        session.add(run)
        session.flush()
        world.words[f"run-{state}"] = run.key


def _published(world: World, session: Session, organiser: User) -> None:
    """A proposal to look at, and one that is published, with a learner who has no cohort."""
    course = new_course(world, session, organiser, "proposed", "Proposed, not published")
    people = [
        new_learner(session, course, NAMES[number % 12], number, time_zone=ZONES[number % 2])
        for number in range(11)
    ]
    run = new_proposal(session, course, [people[:5], people[5:10]], people[10:])
    world.words["run-proposed"] = run.key
    _board(world, session, run, organiser, people)

    course = new_course(world, session, organiser, "running", "Listening together")
    people = [new_learner(session, course, NAMES[number % 12], number) for number in range(11)]
    run = new_proposal(session, course, [people[:5], people[5:10]], people[10:])
    proposals.publish(session, run)
    world.words["run-published"] = run.key
    asked = _weighed(world, session, run, people[6], run.cohorts[0])
    adjust.move(session, run, asked, run.cohorts[0].key, "", Hand(organiser, 0, now()), set_aside=True)
    world.words["weighing-living"] = _weighed(world, session, run, people[7], None).key
    keep_token(world, "placed", people[0])
    keep_token(world, "unplaced", people[10])


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
    time = meetings.of_cohort(first)[-1].key
    adjust.choose_time(session, run, first.key, time, Hand(organiser, 6, now()))
    adjust.set_channel(session, run, first.key, "https://talk.example.org/early", Hand(organiser, 7, now()))
    second.chosen = ["Europe/Berlin", 101]  # does not suit them any more
    for name, learner, cohort in (
        ("weighing", people[1], None),
        ("weighing-swaps", people[1], second),
        ("weighing-unplaced", people[10], first),
    ):
        world.words[name] = _weighed(world, session, run, learner, cohort).key
    world.words["weighing-waiting"] = weighing.ask(session, run, people[2].key, "", now()).key


def _weighed(world: World, session: Session, run: Run, learner: Signup, cohort: Cohort | None) -> Weighing:
    """Ask where a learner could sit, and answer."""
    asked = weighing.ask(session, run, learner.key, cohort.key if cohort else "", now())
    effects = Weigher(world.database).effects(session, asked)
    asked.effects, asked.weighed_at = [asdict(each) for each in effects], now()
    session.flush()
    return asked


def _meeting(world: World, session: Session, organiser: User) -> None:
    """A cohort in the middle of its course, with votes, a time that was fixed, a link and answers."""
    at = now()
    start = at.date() - timedelta(days=at.weekday() + 14)
    course = new_course(world, session, organiser, "met", "Meeting every week", start=start, weeks=8)
    people = [
        new_learner(session, course, NAMES[number], number, convenor=number == 1) for number in range(5)
    ]
    run = new_proposal(session, course, [people], [])
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
    keep_token(world, "met", people[0])
    keep_token(world, "convenor", people[1])


def _going_on(world: World, session: Session, organiser: User) -> None:
    """A course under way: check-ins, a request for help, pauses, open seats, somebody between cohorts."""
    monday = date.today() - timedelta(days=date.today().weekday())
    course = new_course(
        world,
        session,
        organiser,
        "going-on",
        "Singing on Tuesdays",
        start=monday - timedelta(weeks=2),
        size_max=7,
    )
    people = [new_learner(session, course, NAMES[number % 12], number) for number in range(24)]
    hours = EVENINGS | frozenset(range(28, 48)) | frozenset(range(124, 144))
    for each in people:
        each.availability, each.languages = hours, ["English"]
    run = new_proposal(session, course, [people[:6], people[6:11], people[11:16], people[16:23]], people[23:])
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
    _quiet(world, session, course, people)
    for name, number in (
        ("checking", 0), ("checked", 1), ("paused", 3), ("between", 4),
        ("asked", 12), ("gone", 17), ("unreachable", 13),
    ):  # fmt: skip
        keep_token(world, name, people[number])
    world.words["gone_signup"] = people[17].key


def _quiet(world: World, session: Session, course: Course, people: Sequence[Signup]) -> None:
    """One who was asked whether they are still there, one who lost their seat, one whom no mail reaches."""
    course.nudge_after = course.remove_after = 2
    asked, gone, unreachable = people[12], people[17], people[13]
    session.execute(delete(CheckIn).where(CheckIn.signup_id.in_([asked.id, gone.id])))
    for each in session.scalars(select(Membership).where(Membership.signup_id.in_([asked.id, gone.id]))):
        each.since -= timedelta(weeks=3)
    session.flush()
    presence.keep(session, [asked.id], nudged_at=now())
    presence.keep(session, [gone.id], nudged_at=now() - timedelta(days=9), removed_at=now())
    memberships.move(session, {gone: None}, memberships.SILENT, now(), told=None)
    presence.bounced(session, unreachable, now())
    presence.bounced(session, gone, now())

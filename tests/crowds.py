"""A course of any size with all that an organiser's desk can show, written straight into the tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import timedelta
from itertools import pairwise
from random import Random
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from cohorts import courses, custom, door, dry_runs, meetings, native, sample, uploads
from cohorts.answers import Answers
from cohorts.asking import custom_questions, usually_shown
from cohorts.drafts import Draft
from cohorts.effects import Effect, Figures, Touched
from cohorts.models import (
    Adjustment,
    Attendance,
    Audience,
    AuditEntry,
    Base,
    Cause,
    Change,
    CheckIn,
    Cohort,
    CohortChange,
    Connection,
    Course,
    CourseOrganiser,
    CourseRole,
    CourseState,
    Departure,
    ExportPreset,
    Fate,
    FixedMeeting,
    HelpRequest,
    Interest,
    Leaving,
    Mail,
    Membership,
    Message,
    Met,
    Presence,
    Purpose,
    Reseating,
    Run,
    RunKind,
    RunState,
    Seat,
    SeatChange,
    Signup,
    SignupState,
    Source,
    User,
    Weighing,
    now,
    signup_interests,
)
from cohorts.notices import Kind
from cohorts.policies import FEW
from matcher.said import say
from tests.factories import make_user

SIZE = 6
LEFT_OUT = 0.02
"""The share of learners that a match leaves without a cohort."""
WEEKS = 3
"""The course is so many weeks old."""


@dataclass
class Crowd:
    """A course with many learners."""

    owner: User
    course: Course
    words: dict[str, str] = field(default_factory=dict)
    """Keys of rows, by what they are."""


def gather(session: Session, n: int, seed: int = 1) -> Crowd:
    """Fill tables with a course of ``n`` sign-ups; the same number and seed give the same ones."""
    random = Random(seed)
    people = sample.people(n, seed)
    people[0] = replace(people[0], works_with=(people[1].email,), avoids=(people[2].email,))
    owner = make_user(session)
    crowd = Crowd(owner, _course(session, owner, people))
    ids = _signups(session, crowd, people, random)
    confirmed = list(
        session.scalars(
            select(Signup.id)
            .where(Signup.course_id == crowd.course.id, Signup.state == SignupState.CONFIRMED)
            .where(Signup.waiting.is_(False))
            .order_by(Signup.id)
        )
    )
    random.shuffle(confirmed)
    _published(session, crowd, confirmed, random)
    _proposed(session, crowd, confirmed[1:], random)
    _going_on(session, crowd, confirmed, random)
    _desk(session, crowd, people, n)
    crowd.words["signup"] = session.get_one(Signup, ids[0]).key
    return crowd


def _fill(session: Session, model: type[Base], rows: Sequence[dict[str, Any]]) -> list[int]:
    """Insert rows at once; return their ids, in order."""
    if not rows:
        return []
    table: Any = model
    return list(session.scalars(insert(table).returning(table.id, sort_by_parameter_order=True), rows))


def _course(session: Session, owner: User, people: Sequence[Answers]) -> Course:
    details = courses.Details(
        title=f"A course of {len(people)}",
        start=meetings.first_monday(now().date() - timedelta(weeks=WEEKS)),
        interests=sample.interests_of(people),
    )
    course = courses.create(session, owner, details)
    for each in sample.QUESTIONS:
        custom.add(session, course, each)
    course.state = CourseState.RUNNING
    session.flush()
    return course


def _signups(session: Session, crowd: Crowd, people: Sequence[Answers], random: Random) -> list[int]:
    """Write who signed up, and what interests them."""
    at, course = now(), crowd.course
    artists, rating, scale = custom_questions(course)

    def answers(random: Random) -> dict[str, Any]:
        return {
            artists.key: random.sample(artists.options, 2),
            rating.key: {item: random.randint(1, 5) for item in rating.options},
            scale.key: random.randint(1, 5),
        }

    rows = []
    for number, person in enumerate(people):
        states = (SignupState.CONFIRMED, SignupState.PENDING, SignupState.WITHDRAWN)
        state = states[0] if number < SIZE else random.choices(states, (92, 4, 4))[0]
        given = {name: value for name, value in asdict(person).items() if hasattr(Signup, name)}
        given = {name: list(value) if isinstance(value, tuple) else value for name, value in given.items()}
        given |= {"shown": usually_shown(course), "custom": answers(random)}
        given.pop("interests")
        made = at - timedelta(days=WEEKS * 7 + random.randrange(60), minutes=random.randrange(1440))
        rows.append(
            {
                **given,
                "course_id": course.id,
                "state": state,
                "waiting": number >= SIZE and random.random() < 0.02,
                "created_at": made,
                "updated_at": made,
                "confirmed_at": None if state is SignupState.PENDING else made + timedelta(hours=2),
                "withdrawn_at": at if state is SignupState.WITHDRAWN else None,
            }
        )
    ids = _fill(session, Signup, rows)
    known = {each.key: each.id for each in course.interests}
    own = {label.casefold(): label for person in people for label in person.interests}
    own = {key: label for key, label in own.items() if key not in known}
    made_up = [{"course_id": course.id, "key": key, "label": label} for key, label in own.items()]
    known |= dict(zip(own, _fill(session, Interest, made_up), strict=True))
    picked = {
        (signup_id, known[label.casefold()])
        for signup_id, person in zip(ids, people, strict=True)
        for label in person.interests
    }
    session.execute(
        insert(signup_interests), [{"signup_id": one, "interest_id": other} for one, other in sorted(picked)]
    )
    session.expire(course, ["interests"])
    return ids


def _run(session: Session, crowd: Crowd, name: str, learners: int, **given: Any) -> Run:
    """Write a run whose key is called ``name``."""
    at = now()
    usual = {"seconds": 30.0, "bound": 0.7 * learners, "objective": 0.6 * learners, "finished_at": at}
    run = Run(
        course_id=crowd.course.id,
        parameters=door.MatchSettings.of_course(crowd.course).as_json(),
        n_learners=learners,
        n_placed=learners,
        requested_by=crowd.owner.id,
        **{**usual, **given},
    )
    session.add(run)
    session.flush()
    crowd.words[name] = run.key
    return run


def _cohorts(
    session: Session, run: Run, learners: Sequence[int], random: Random
) -> list[tuple[int, Sequence[int]]]:
    """Write the cohorts of a run with their seats, and who has none; return ids of cohorts and members."""
    left = max(1, int(LEFT_OUT * len(learners)))
    placed = learners[left:]
    parts = [placed[first : first + SIZE] for first in range(0, len(placed), SIZE)]
    reason = door.sentence_of(say("%(number)s common hours are in this cohort.", number=2), {})
    ids = _fill(
        session,
        Cohort,
        [
            {
                "run_id": run.id,
                "position": position,
                "name": f"Cohort {position}",
                "score": 0.3 + random.random() / 2,
                "meetings": [["Europe/Berlin", random.randrange(336)] for _ in range(random.randint(1, 8))],
                "reasons": [reason, reason],
            }
            for position in range(1, len(parts) + 1)
        ],
    )
    seats = [
        {"run_id": run.id, "signup_id": one, "cohort_id": cohort_id, "reason": "", "remedy": ""}
        for cohort_id, members in zip(ids, parts, strict=True)
        for one in members
    ]
    seats += [
        {"run_id": run.id, "signup_id": one, "cohort_id": None, "reason": reason, "remedy": reason}
        for one in learners[:left]
    ]
    _fill(session, Seat, seats)
    run.n_placed = len(placed)
    return list(zip(ids, parts, strict=True))


def _published(session: Session, crowd: Crowd, learners: Sequence[int], random: Random) -> None:
    """Write cohorts that have met since the course began; half of them have fixed when."""
    since = now() - timedelta(weeks=WEEKS)
    run = _run(
        session,
        crowd,
        "published",
        len(learners),
        state=RunState.PUBLISHED,
        published_at=since,
        created_at=since,
    )
    cohorts = _cohorts(session, run, learners, random)
    _fill(
        session,
        Membership,
        [
            {"signup_id": one, "cohort_id": cohort_id, "since": since}
            for cohort_id, members in cohorts
            for one in members
        ],
    )
    _fill(
        session,
        FixedMeeting,
        [
            {
                "cohort_id": cohort_id,
                "sequence": 1,
                "zone": "Europe/Berlin",
                "slot": 36,
                "signup_id": members[0],
            }
            for cohort_id, members in cohorts[::2]
        ],
    )
    _fill(
        session,
        Attendance,
        [
            {
                "cohort_id": cohort_id,
                "signup_id": one,
                "starts_at": since + timedelta(weeks=week),
                "was_there": random.random() < 0.8,
            }
            for cohort_id, members in cohorts
            for one in members
            for week in range(WEEKS)
        ],
    )
    session.execute(insert(Presence), [{"signup_id": one, "seen_at": now()} for one in learners])
    _rematched(session, crowd, learners, cohorts)
    crowd.words["cohort"] = session.get_one(Cohort, cohorts[0][0]).key


def _rematched(
    session: Session, crowd: Crowd, learners: Sequence[int], cohorts: Sequence[tuple[int, Sequence[int]]]
) -> None:
    """Write a rematch that proposes a seat for everybody who has none."""
    seated = {one for _, members in cohorts for one in members}
    without = [one for one in learners if one not in seated][: len(cohorts)]
    run = _run(session, crowd, "rematched", len(learners), state=RunState.PROPOSED, kind=RunKind.REMATCH)
    changes = _fill(
        session,
        CohortChange,
        [
            {
                "run_id": run.id,
                "number": number,
                "cohort_id": cohort_id,
                "fate": Fate.GOES_ON,
                "name": f"Cohort {number}",
                "n_before": len(members),
                "n_after": len(members) + 1,
            }
            for number, (cohort_id, members) in enumerate(cohorts[: len(without)], 1)
        ],
    )
    _fill(
        session,
        Reseating,
        [
            {
                "run_id": run.id,
                "signup_id": one,
                "joined_id": change,
                "bundle": number,
                "cause": Cause.NO_COHORT,
            }
            for number, (one, change) in enumerate(zip(without, changes, strict=True), 1)
        ],
    )


def _proposed(session: Session, crowd: Crowd, learners: Sequence[int], random: Random) -> None:
    """Write a proposal that was changed by hand, what else could be done to it, and a run under way."""
    run = _run(session, crowd, "proposed", len(learners), state=RunState.PROPOSED)
    cohorts = _cohorts(session, run, learners, random)
    changed = range(1, max(3, len(learners) // 100))
    made = _fill(
        session,
        Adjustment,
        [
            {"run_id": run.id, "number": number, "change": Change.PIN, "by_id": crowd.owner.id}
            for number in changed
        ],
    )
    session.execute(
        insert(SeatChange),
        [
            {
                "adjustment_id": adjustment,
                "signup_id": cohorts[0][1][0],
                "left_id": cohorts[0][0],
                "joined_id": cohorts[0][0],
                "was_pinned": number % 2 == 0,
                "is_pinned": number % 2 == 1,
            }
            for number, adjustment in enumerate(made, 1)
        ],
    )
    home, members = cohorts[0]
    before = Figures(list(members), 0.5, 6.0, [["Europe/Berlin", 36]], [], [])
    effects = [
        Effect(
            other,
            None,
            [Touched(home, before, before), Touched(other, Figures([*there], 0.5, 6.0, [], [], []), before)],
        )
        for other, there in cohorts[1:61]
    ]
    weighing = Weighing(
        run_id=run.id,
        version=len(changed),
        signup_id=members[0],
        effects=[asdict(each) for each in effects],
        weighed_at=now(),
    )
    session.add(weighing)
    session.flush()
    crowd.words["weighing"] = weighing.key
    _run(session, crowd, "rehearsed", len(learners), state=RunState.PROPOSED, rehearsal=True)
    _run(session, crowd, "running", len(learners), state=RunState.RUNNING, progress=0.4, finished_at=None)


def _going_on(session: Session, crowd: Crowd, learners: Sequence[int], random: Random) -> None:
    """Write what learners have said since the course began."""
    at, course = now(), crowd.course
    _fill(
        session,
        CheckIn,
        [
            {"signup_id": one, "week": week, "met": random.choice([*Met]), "social": random.randint(1, 5)}
            for one in learners
            for week in range(1, WEEKS + 1)
            if random.random() < 0.7
        ],
    )
    pairs = [tuple(random.sample(learners, 2)) for _ in learners]
    pairs += [pair for one, other in pairwise(learners) for pair in ((one, other), (other, one))]
    _fill(
        session,
        Connection,
        [
            {
                "course_id": course.id,
                "from_id": one,
                "to_id": other,
                "source": random.choice([*Source]),
                "at": at - timedelta(days=random.randrange(WEEKS * 7)),
            }
            for one, other in pairs
        ],
    )
    some = learners[: max(FEW + 1, len(learners) // 20)]
    _fill(
        session,
        Departure,
        [
            {
                "course_id": course.id,
                "signup_id": one,
                "whole_course": False,
                "because": random.choice([*Leaving]),
                "words": "Too late in the evening for me.",
                "at": at - timedelta(days=random.randrange(WEEKS * 7)),
            }
            for one in some
        ],
    )
    _fill(
        session, HelpRequest, [{"signup_id": one, "words": "Nobody answers.", "at": at} for one in some[::5]]
    )


def _desk(session: Session, crowd: Crowd, people: Sequence[Answers], n: int) -> None:
    """Write what organisers did: letters, a log, ways to export, a file to import, others who help."""
    at, course, owner = now(), crowd.course, crowd.owner
    letter = {"course_id": course.id, "author_id": owner.id, "subject": "We begin", "text": "Dear {name},"}
    sent = {**letter, "audience": Audience.EVERYONE, "sent_at": at, "n_sent": n}
    drafts = _fill(session, Message, [{**letter, "audience": Audience.EVERYONE}])
    _fill(session, Message, [sent] * max(1, n // 100))
    _fill(
        session,
        Mail,
        [
            {"kind": Kind.PLACED, "signup_id": one, "message_id": None}
            for one in session.scalars(select(Signup.id).where(Signup.course_id == course.id))
        ],
    )
    _fill(
        session,
        AuditEntry,
        [
            {
                "course_id": course.id,
                "user_id": owner.id,
                "at": at,
                "action": "settings",
                "subject": course.slug,
            }
            for _ in range(n)
        ],
    )
    _fill(
        session,
        ExportPreset,
        [{"course_id": course.id, "name": f"Way {each}", "format": "csv"} for each in range(1 + n // 200)],
    )
    helping = _fill(
        session,
        User,
        [{"email": f"helper{each}@example.org", "name": "Helper"} for each in range(1 + n // 300)],
    )
    session.execute(
        insert(CourseOrganiser),
        [{"course_id": course.id, "user_id": each, "role": CourseRole.READER} for each in helping],
    )
    content = native.write(people).encode() + b"broken,not an address,Nowhere/City\r\n"
    upload = uploads.keep(session, course, owner, "sign-ups.csv", content)
    dry_runs.keep(session, upload, dry_runs.read(session, upload))
    pairs = list(pairwise(people))
    for name, head in (("talked", "from,to,time"), ("unclear", "one,other,something")):
        lines = [f"{one.email},{other.email},2026-01-05T10:00:00Z" for one, other in pairs]
        draft = Draft.of("\n".join([head, *lines]).encode(), "talks.csv", {}).to_bytes()
        kept = uploads.keep(session, course, owner, "talks.csv", draft, purpose=Purpose.INTERACTIONS)
        crowd.words[name] = kept.key
    question = next(each.key for each in course.questions if each.kind is not None)
    letter_key = session.get_one(Message, drafts[0]).key
    crowd.words |= {"upload": upload.key, "question": question, "letter": letter_key}

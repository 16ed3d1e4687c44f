"""Courses: made, changed, opened and closed by their organisers."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import date, datetime, timedelta
from typing import Final

from sqlalchemy import Select, case, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from .answers import interest_key
from .connections import HALF_LIFE
from .exceptions import Conflict, InvalidInput
from .language import gettext as _
from .language import lazy_gettext as lazy
from .models import (
    Course,
    CourseOrganiser,
    CourseQuestion,
    CourseRole,
    CourseState,
    Interest,
    Signup,
    SignupState,
    User,
    signup_interests,
)
from .policies import role_of, within_reach
from .questions import GOALS as COUNTED
from .questions import MAX_WEIGHT as MAX_WEIGHT
from .questions import QUESTIONS
from .texts import one_line

MOVES: Final = {
    CourseState.DRAFT: frozenset({CourseState.OPEN, CourseState.RUNNING}),
    CourseState.OPEN: frozenset({CourseState.DRAFT, CourseState.CLOSED, CourseState.RUNNING}),
    CourseState.CLOSED: frozenset({CourseState.OPEN, CourseState.RUNNING}),
    CourseState.RUNNING: frozenset({CourseState.FINISHED}),
    CourseState.FINISHED: frozenset({CourseState.RUNNING}),
}
"""From each state, the states a course may go to next; a course runs once cohorts are published."""
GOALS: Final = tuple(key for key, question in QUESTIONS.items() if question.counts in COUNTED)
"""Keys of the questions whose answers have a weight."""

MAX_SLUG: Final = 60
MAX_TITLE: Final = 120
MAX_INTEREST: Final = 80
MAX_CAPACITY: Final = 100_000
MOST_MISSED: Final = 10
COPY_AHEAD: Final = timedelta(weeks=6)
YEARS: Final = range(2000, 2101)

TIMES: Final = {
    "start": lazy("the first day"),
    "weeks": lazy("the number of weeks"),
    "meeting_minutes": lazy("the length of meetings"),
}
"""Details that decide when a cohort can meet, in words."""

_TAKEN_SLUGS: Final = frozenset({"new"})  # an address below /organise of its own


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """How a course asks one question; ``required`` implies ``asked``."""

    asked: bool = True
    required: bool = False
    weight: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Details:
    """Everything an organiser says about a course.

    Attributes:
        slug: Last part of its address; made from the title when empty.
        capacity: Most places handed out; None for no limit.
        opens_at: Sign-up opens then; None for as soon as the page is open.
        closes_at: Sign-up closes then; None for by hand.
        asks_age: Whether learners are asked if they are old enough (see ``cohorts.old_enough``).
        half_life_days: After so many days a sign of a connection counts half (see ``cohorts.connections``).
        nudge_after: So many check-ins or meetings missed in a row let a learner be asked whether they are
            still there; 0 for never (see ``cohorts.signals``).
        remove_after: So many more, and their seat is released; 0 for never.
        questions: How each question is asked, by key; those left out stay as they are.
        interests: Labels that learners can pick from; None leaves them as they are.
        own_weights: How much those of the course's own questions count that are goals, by key; those left out
            stay as they are. The questions themselves are changed in ``cohorts.custom``.
    """

    title: str
    start: date
    slug: str = ""
    summary: str = ""
    description: str = ""
    weeks: int = 8
    meeting_minutes: int = 90
    size_min: int = 4
    target_size: int = 6
    size_max: int = 8
    capacity: int | None = None
    opens_at: datetime | None = None
    closes_at: datetime | None = None
    asks_age: bool = True
    nudge_after: int = 2
    remove_after: int = 2
    half_life_days: int = HALF_LIFE.days
    questions: Mapping[str, Asking] = field(default_factory=dict)
    interests: tuple[str, ...] | None = None
    own_weights: Mapping[str, float] = field(default_factory=dict)


_COLUMNS: Final = tuple(
    each.name
    for each in fields(Details)
    if each.name not in ("slug", "questions", "interests", "own_weights")
)


_QUESTION: Final = tuple(
    each.key for each in CourseQuestion.__table__.columns if each.key not in ("course_id",)
)


@dataclass(frozen=True, slots=True)
class Listed:
    """A course, what somebody is in it, and its sign-ups: confirmed with a place, unconfirmed, waiting."""

    course: Course
    role: CourseRole
    confirmed: int
    pending: int
    waiting: int


def details_of(course: Course) -> Details:
    """Return what a course's organiser has said about it."""
    return Details(
        slug=course.slug,
        questions={
            each.key: Asking(asked=each.asked, required=each.required, weight=each.weight)
            for each in course.questions
            if each.kind is None
        },
        own_weights={each.key: each.weight for each in course.questions if each.counts in COUNTED},
        interests=tuple(each.label for each in course.interests if each.listed),
        **{name: getattr(course, name) for name in _COLUMNS},
    )


def create(session: Session, user: User, details: Details) -> Course:
    """Make a course as a draft that ``user`` organises.

    Raises:
        InvalidInput: A detail is missing or does not fit the others.
    """
    check(details)
    course = Course(slug=details.slug or _free_slug(session, details.title), state=CourseState.DRAFT)
    course.questions = [
        CourseQuestion(
            key=question.key, asked=True, required=False, weight=question.weight, position=position
        )
        for position, question in enumerate(QUESTIONS.values())
    ]
    _fill(course, details)
    with session.no_autoflush:
        _claim_slug(session, course)
    session.add(CourseOrganiser(course_id=course.id, user_id=user.id))
    session.flush()
    return course


def copy(session: Session, user: User, course: Course, at: datetime) -> Course:
    """Make a draft like ``course`` with its questions, some whole weeks later; nothing of its learners.

    It starts on the same weekday, in `COPY_AHEAD` at the earliest; sign-up opens and closes as much later.
    """
    late = (at.date() + COPY_AHEAD - course.start).days
    shift = timedelta(weeks=max(0, -(-late // 7)))
    found = details_of(course)
    moments = {name: getattr(found, name) for name in ("start", "opens_at", "closes_at")}
    later = {name: moment + shift for name, moment in moments.items() if moment is not None}
    made = create(session, user, replace(found, slug="", **later))
    made.questions += [
        CourseQuestion(**{name: getattr(each, name) for name in _QUESTION})
        for each in course.questions
        if each.kind is not None
    ]
    session.flush()
    return made


def update(session: Session, course: Course, details: Details) -> None:
    """Change a course; the address only of a draft, the times only until cohorts are published.

    Raises:
        InvalidInput: A detail is missing, does not fit the others, or cannot change any more.
    """
    check(details)
    _check_change(course, details)
    _fill(course, details)
    course.slug = details.slug or course.slug
    _claim_slug(session, course)
    _drop_unused_interests(session, course)


def open_sign_up(session: Session, course: Course, *, at: datetime) -> None:
    """Open sign-up now, by hand; a date that says otherwise is dropped.

    Raises:
        Conflict: The course has gone too far to be opened.
    """
    move(session, course, CourseState.OPEN)
    if course.opens_at is not None and course.opens_at > at:
        course.opens_at = None
    if course.closes_at is not None and course.closes_at <= at:
        course.closes_at = None
    session.flush()


def announce(session: Session, course: Course) -> None:
    """Show a draft's page; sign-up opens by itself at ``opens_at``.

    Raises:
        Conflict: The course has gone too far to be opened.
    """
    move(session, course, CourseState.OPEN)


def close_sign_up(session: Session, course: Course) -> None:
    """Close sign-up by hand; whoever comes now waits.

    Raises:
        Conflict: Sign-up was never open, or cohorts are published.
    """
    move(session, course, CourseState.CLOSED)


def move(session: Session, course: Course, to: CourseState) -> None:
    """Bring a course into the state ``to``; nothing happens when it is there already.

    Raises:
        Conflict: ``MOVES`` does not lead there.
    """
    session.refresh(course, ["state"], with_for_update=True)
    if course.state is to:
        return
    if to not in MOVES[course.state]:
        raise Conflict(_("That cannot be done with this course as it stands now."))
    course.state = to
    session.flush()


def for_user(session: Session, user: User) -> list[Listed]:
    """Return the courses ``user`` runs, latest start first, with their sign-ups counted."""
    rows = session.execute(_listing(user))
    return [Listed(course, role_of(user, role), *counts) for course, role, *counts in rows]


def _listing(user: User) -> Select[Course, CourseRole, int, int, int]:
    own = (CourseOrganiser.course_id == Course.id) & (CourseOrganiser.user_id == user.id)
    holds_place = Signup.waiting.is_(False)
    counted = (
        holds_place & (Signup.state == SignupState.CONFIRMED),
        holds_place & (Signup.state == SignupState.PENDING),
        Signup.waiting.is_(True) & (Signup.state != SignupState.WITHDRAWN),
    )
    counts = [func.coalesce(func.sum(case((condition, 1), else_=0)), 0) for condition in counted]
    return (
        select(Course, CourseOrganiser.role, *counts)
        .outerjoin(CourseOrganiser, own)
        .outerjoin(Signup, Signup.course_id == Course.id)
        .where(within_reach(user))
        .group_by(Course.id, CourseOrganiser.role)
        .order_by(Course.start.desc(), Course.id.desc())
    )


def slug_from(title: str) -> str:
    """Return a title as the last part of an address: plain letters, digits and hyphens."""
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    words = re.findall(r"[a-z0-9]+", plain)
    return "-".join(words)[:MAX_SLUG].strip("-") or "course"


def _free_slug(session: Session, title: str) -> str:
    """Return the slug of a title with a number behind it if another course has it already."""
    stem = slug_from(title)
    short = stem[: MAX_SLUG - 6].strip("-")
    taken = _TAKEN_SLUGS | set(session.scalars(select(Course.slug).where(Course.slug.startswith(short))))
    numbered = (f"{short}-{number}" for number in range(2, 100_000))
    return next(slug for slug in (stem, *numbered) if slug not in taken)


def _claim_slug(session: Session, course: Course) -> None:
    """Write a course; its address may have been taken, even at this very moment."""
    slug = course.slug
    try:
        with session.begin_nested():
            session.add(course)
            session.flush()
    except IntegrityError as error:
        if "slug" not in str(error.orig):
            raise
        raise InvalidInput(
            {"slug": [_("Another course has the address “%(slug)s”. Choose another.", slug=slug)]}
        ) from error


def _fill(course: Course, details: Details) -> None:
    for name in _COLUMNS:
        setattr(course, name, getattr(details, name))
    course.title = one_line(details.title)
    known = {each.key: each for each in course.questions}
    for key, asking in details.questions.items():
        if key not in known:  # a question that is newer than the course
            known[key] = CourseQuestion(key=key, position=list(QUESTIONS).index(key))
            course.questions.append(known[key])
        question = known[key]
        question.asked = asking.asked or asking.required
        question.required = asking.required
        question.weight = asking.weight
    for key, weight in details.own_weights.items():
        if key in known and known[key].kind is not None:
            known[key].weight = weight
    if details.interests is not None:
        _list_interests(course, details.interests)


def _list_interests(course: Course, labels: Iterable[str]) -> None:
    """List exactly ``labels``; what learners added stays, but is not listed."""
    known = {each.key: each for each in course.interests}
    wanted = {interest_key(label): " ".join(label.split()) for label in labels if label.strip()}
    for key, label in wanted.items():
        if key not in known:
            course.interests.append(Interest(key=key, label=label, listed=True))
        else:
            known[key].label = label
    for key, interest in known.items():
        interest.listed = key in wanted


def _drop_unused_interests(session: Session, course: Course) -> None:
    """Remove what is not listed and nobody picked."""
    picked = set(
        session.scalars(
            select(signup_interests.c.interest_id)
            .join(Interest, Interest.id == signup_interests.c.interest_id)
            .where(Interest.course_id == course.id, Interest.listed.is_(False))
        )
    )
    for interest in list(course.interests):
        if not interest.listed and interest.id not in picked:
            course.interests.remove(interest)
    session.flush()


def _check_change(course: Course, details: Details) -> None:
    """Refuse to change what learners rely on already."""
    errors: dict[str, list[str]] = {}
    if details.slug and details.slug != course.slug and course.state is not CourseState.DRAFT:
        errors["slug"] = [_("Learners know this address; it can only change in a draft.")]
    if course.state in (CourseState.RUNNING, CourseState.FINISHED):
        changed = [name for name in TIMES if getattr(course, name) != getattr(details, name)]
        message = _("Cohorts have been told when they meet, so this cannot change any more.")
        errors.update({name: [message] for name in changed})
    if errors:
        raise InvalidInput(errors)


def check(details: Details) -> None:
    """Refuse details that do not fit; every field that is wrong is named.

    Raises:
        InvalidInput: A detail is missing or does not fit the others.
    """
    errors: dict[str, list[str]] = {}
    for name, is_wrong, message in _rules(details):
        if is_wrong:
            errors.setdefault(name, []).append(message)
    if errors:
        raise InvalidInput(errors)


def _rules(details: Details) -> Iterable[tuple[str, bool, str]]:
    """Yield what must not be, as field, whether it is so, and a sentence about it."""
    slug, opens, closes = details.slug, details.opens_at, details.closes_at
    yield "title", not details.title.strip(), _("Give the course a title.")
    yield (
        "title",
        len(details.title) > MAX_TITLE,
        _("Keep the title within %(most)s characters.", most=MAX_TITLE),
    )
    if slug:
        words = _("Use small letters, digits and single hyphens, such as python-for-biologists.")
        yield "slug", not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", slug) or len(slug) > MAX_SLUG, words
        yield (
            "slug",
            slug in _TAKEN_SLUGS,
            _("The address “%(slug)s” is kept for this site itself.", slug=slug),
        )
    for name in ("start", "opens_at", "closes_at"):
        moment: date | None = getattr(details, name)
        yield name, moment is not None and moment.year not in YEARS, _("Look at the year again.")
    yield "weeks", not 1 <= details.weeks <= 52, _("A course lasts from 1 to 52 weeks.")
    yield from _meeting_rules(details)
    wrong = details.capacity is not None and not 1 <= details.capacity <= MAX_CAPACITY
    yield (
        "capacity",
        wrong,
        _("Write a number from 1 to %(most)s, or nothing for no limit.", most=f"{MAX_CAPACITY:,}"),
    )
    wrong = not 1 <= details.half_life_days <= 365
    yield "half_life_days", wrong, _("Connections count half after 1 to 365 days.")
    for name in ("nudge_after", "remove_after"):
        wrong = not 0 <= getattr(details, name) <= MOST_MISSED
        yield name, wrong, _("Choose a number from 0 (never) to %(most)s.", most=MOST_MISSED)
    late = opens is not None and closes is not None and closes <= opens
    yield "closes_at", late, _("Sign-up must close after it opens.")
    for key, asking in details.questions.items():
        wrong = key not in QUESTIONS or not 0 <= asking.weight <= MAX_WEIGHT
        yield (
            "questions",
            wrong,
            _("%(key)s: a weight lies between 0 and %(most)g.", key=key, most=MAX_WEIGHT),
        )
    wrong = any(not 0 <= weight <= MAX_WEIGHT for weight in details.own_weights.values())
    yield "questions", wrong, _("A weight lies between 0 and %(most)s.", most=f"{MAX_WEIGHT:g}")
    for label in details.interests or ():
        yield (
            "interests",
            len(label) > MAX_INTEREST,
            _("“%(label)s…” is longer than %(most)s characters.", label=label[:20], most=MAX_INTEREST),
        )


def _meeting_rules(details: Details) -> Iterable[tuple[str, bool, str]]:
    minutes, low, target, high = (
        details.meeting_minutes,
        details.size_min,
        details.target_size,
        details.size_max,
    )
    wrong = not 30 <= minutes <= 480 or minutes % 30 != 0
    yield "meeting_minutes", wrong, _("A meeting lasts from 30 to 480 minutes, in steps of 30.")
    yield "size_min", low < 2, _("The smallest cohort has at least 2 people.")
    yield "size_max", high > 50, _("The largest cohort has at most 50 people.")
    yield "size_max", high < low, _("The largest cohort cannot be smaller than the smallest.")
    yield (
        "target_size",
        not low <= target <= high and low <= high,
        _("Usual size: between smallest and largest."),
    )

"""Signing up: places and the waiting list, confirming, editing, withdrawing and coming back."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from sqlalchemy import delete, func, select
from sqlalchemy.exc import InvalidRequestError
from sqlalchemy.orm import Session, selectinload

from . import kinds, language, memberships, old_enough
from .answers import FIELDS, Answers, answers_of, check, interest_key
from .asking import choosable, custom_questions, usually_shown
from .exceptions import Conflict, InvalidInput, NotFound, SignUpClosed
from .language import gettext as _
from .models import (
    Course,
    CourseState,
    Interest,
    Mail,
    MailState,
    Membership,
    Signup,
    SignupState,
    now,
    signup_interests,
)
from .notices import Kind, enqueue
from .questions import QUESTIONS

__all__ = ["Answers", "InterestBook", "Phase", "answers_of", "check", "phase", "sign_up", "store"]

UNCONFIRMED_KEPT: Final = timedelta(hours=48)
MAIL_PAUSE: Final = timedelta(minutes=10)
"""Signing up with one address again and again does not fill its mailbox."""
MAX_SUGGESTIONS: Final = 40


class Phase(StrEnum):
    """Whether a course takes sign-ups; who comes late waits for a place."""

    NOT_YET = "not yet"
    OPEN = "open"
    LATE = "late"
    OVER = "over"


def phase(course: Course, at: datetime) -> Phase:
    """Return whether ``course`` takes sign-ups at the moment ``at``."""
    end = course.start + timedelta(weeks=course.weeks)
    if course.state is CourseState.FINISHED or at.date() > end:
        return Phase.OVER
    if course.state is CourseState.DRAFT:
        return Phase.NOT_YET
    if course.state is not CourseState.OPEN:
        return Phase.LATE
    if course.opens_at is not None and at < course.opens_at:
        return Phase.NOT_YET
    return Phase.LATE if course.closes_at is not None and at >= course.closes_at else Phase.OPEN


def open_courses(session: Session, at: datetime) -> list[Course]:
    """Return the courses that anybody may sign up for at the moment ``at``, next start first."""
    open_now = select(Course).where(Course.state == CourseState.OPEN).order_by(Course.start, Course.id)
    return [course for course in session.scalars(open_now) if phase(course, at) is Phase.OPEN]


def public_course(session: Session, slug: str) -> Course:
    """Return the course with a public page at ``slug``, its questions loaded.

    Raises:
        NotFound: There is none, or it is a draft still.
    """
    course = session.scalar(select(Course).where(Course.slug == slug).options(selectinload(Course.questions)))
    if course is None or course.state is CourseState.DRAFT:
        raise NotFound
    return course


def count_confirmed(session: Session, course: Course) -> int:
    """Return how many learners have confirmed their sign-up and not withdrawn."""
    confirmed = Signup.state == SignupState.CONFIRMED
    return session.scalar(select(func.count(Signup.id)).where(Signup.course_id == course.id, confirmed)) or 0


def places_taken(session: Session, course: Course) -> int:
    """Return how many places are taken: by whoever signed up, has not withdrawn and does not wait."""
    takes_place = (Signup.state != SignupState.WITHDRAWN) & Signup.waiting.is_(False)
    return (
        session.scalar(select(func.count(Signup.id)).where(Signup.course_id == course.id, takes_place)) or 0
    )


def has_room(session: Session, course: Course) -> bool:
    """Tell whether a course has a free place, whether or not it is still handed out to all comers."""
    return course.capacity is None or places_taken(session, course) < course.capacity


def suggestions(session: Session, course: Course) -> tuple[list[str], list[str]]:
    """Return the interests the organiser listed, and what confirmed learners added, most liked first."""
    picked = (
        select(signup_interests.c.interest_id, func.count().label("times"))
        .join(Signup, Signup.id == signup_interests.c.signup_id)
        .where(Signup.course_id == course.id, Signup.state == SignupState.CONFIRMED)
        .group_by(signup_interests.c.interest_id)
        .subquery()
    )
    rows = session.execute(
        select(Interest.label, Interest.listed)
        .outerjoin(picked, picked.c.interest_id == Interest.id)
        .where(Interest.course_id == course.id, Interest.listed.is_(True) | (picked.c.times > 0))
        .order_by(func.coalesce(picked.c.times, 0).desc(), Interest.label)
    ).all()
    added = [label for label, is_listed in rows if not is_listed][:MAX_SUGGESTIONS]
    return sorted((label for label, is_listed in rows if is_listed), key=str.casefold), added


class InterestBook:
    """All interests of a course by what their spellings have in common, read once."""

    def __init__(self, session: Session, course: Course) -> None:
        """Read the interests of ``course``; lock it first if others may be adding some."""
        self._session = session
        self._course = course
        rows = session.scalars(select(Interest).where(Interest.course_id == course.id))
        self._known = {interest.key: interest for interest in rows}

    def find(self, labels: Iterable[str]) -> list[Interest]:
        """Return the interests with these labels, each once; unknown ones are added."""
        return list({interest_key(label): self._one(label) for label in labels}.values())

    def _one(self, label: str) -> Interest:
        key = interest_key(label)
        if key not in self._known:
            self._known[key] = Interest(course_id=self._course.id, key=key, label=label, listed=False)
            self._session.add(self._known[key])
        return self._known[key]


def store(
    session: Session,
    course: Course,
    answers: Answers,
    *,
    signup: Signup | None = None,
    interests: InterestBook | None = None,
) -> Signup:
    """Write ``answers`` to a new sign-up or over an old one, and send no mail.

    Args:
        session: Is not flushed, so that thousands of rows go in a few statements.
        course: The course that is signed up for.
        answers: Checked already.
        signup: The row to change; load its interests with the others' when changing many.
        interests: Shared by all rows of a file, so that each is not looked up anew.
    """
    book = interests or InterestBook(session, course)
    if signup is None:
        signup = Signup(course_id=course.id, state=SignupState.PENDING, waiting=False)
        session.add(signup)
    for name in FIELDS:
        value = getattr(answers, name)
        if name != "interests":
            setattr(signup, name, list(value) if isinstance(value, tuple) else value)
    signup.interests = book.find(answers.interests)
    _store_custom(course, signup, answers)
    signup.updated_at = now()  # interests are rows of their own, which a match reads as well
    return signup


def _store_custom(course: Course, signup: Signup, answers: Answers) -> None:
    """Write the answers to a course's own questions; those to one that rests stay as they are."""
    custom, before = {}, signup.custom or {}
    for question in custom_questions(course):
        given = answers.custom if question.asked else before
        found = kinds.clean(question, given.get(question.key)) if question.asked else given.get(question.key)
        if found is not None:
            custom[question.key] = found
    signup.custom = custom
    minded = {question.key for question in custom_questions(course) if question.may_mind}
    signup.not_alone = sorted(minded.intersection(answers.not_alone))
    known = {key for key, question in QUESTIONS.items() if question.shown is not None}
    known |= {question.key for question in custom_questions(course)}
    shown = usually_shown(course) if answers.shown is None else answers.shown
    signup.shown = sorted(known.intersection(shown))


def show(session: Session, signup: Signup, keys: Iterable[str]) -> None:
    """Let a learner's cohort see the answers to exactly these of the questions they may choose about."""
    may = {key for key, _words, _usual in choosable(signup.course)}
    others = [key for key in signup.shown if key not in may]
    signup.shown = sorted({*others, *may.intersection(keys)})
    session.flush()


def forget_answer(session: Session, signup: Signup, key: str) -> None:
    """Take back one answer, also one that the course requires; whoever edits is asked for it again.

    Raises:
        NotFound: There is no such question, or it is one nobody can be signed up without.
    """
    own = {question.key for question in custom_questions(signup.course)}
    if key not in QUESTIONS and key not in own:
        raise NotFound
    if key in QUESTIONS:
        value = getattr(Answers(name="", email="", time_zone="", availability=frozenset()), key)
        setattr(signup, key, list(value) if isinstance(value, tuple) else value)
    forget(signup, key)
    session.flush()


def forget(signup: Signup, key: str) -> None:
    """Drop all that a learner said in answer to one of their course's own questions."""
    signup.custom = {name: value for name, value in signup.custom.items() if name != key}
    signup.not_alone = [name for name in signup.not_alone if name != key]
    signup.shown = [name for name in signup.shown if name != key]


def sign_up(
    session: Session, course: Course, answers: Answers, at: datetime, *, of_age: int | None = None
) -> None:
    """Sign a learner up, for a place or for the waiting list; a mail asks them to confirm.

    Whoever has signed up already changes nothing by this; a mail with their personal link goes
    to the address instead. The caller cannot tell the two apart, so nobody learns who is there.
    ``of_age`` is the age they say they have reached, which a course may ask.

    Raises:
        SignUpClosed: Sign-up is not open yet, or over.
        InvalidInput: Some answers are wrong.
    """
    lock(session, course)
    _require_phase(course, at, Phase.OPEN, Phase.LATE)
    errors = check(answers, course)
    age = old_enough.age_to_ask(course, answers.time_zone, of_age)
    if age is not None:
        errors["old_enough"] = [old_enough.question(age)]
    if errors:
        raise InvalidInput(errors)
    known = session.scalar(select(Signup).where(Signup.course_id == course.id, Signup.email == answers.email))
    if known is not None:
        _remind(session, known, at)
        return
    fill_places(session, course, at)
    waiting = not _has_place(session, course, at)
    signup = store(session, course, answers)
    signup.waiting = waiting
    signup.locale = language.locale()
    signup.created_at = at
    _note_age(signup, of_age if course.asks_age else None, at)
    enqueue(session, Kind.CONFIRM, signup=signup)
    session.flush()


def confirm(session: Session, signup: Signup, at: datetime) -> None:
    """Confirm a sign-up, so that it counts. Confirming again does nothing.

    Raises:
        Conflict: It has been withdrawn, or its time ran out.
    """
    course = lock_with(session, signup)
    if signup.state is SignupState.WITHDRAWN:
        raise Conflict(_("This sign-up does not hold a place any more. Press “Sign me up again”."))
    if signup.state is SignupState.PENDING:
        _confirmed(session, course, signup, at)


def edit(
    session: Session,
    signup: Signup,
    answers: Answers,
    *,
    of_age: int | None = None,
    at: datetime | None = None,
) -> None:
    """Replace a learner's answers.

    Whoever said that they are old enough says so again, with ``of_age``, if they are now where that takes
    more years; those whom an organiser brought in are not asked.

    Raises:
        Conflict: They have withdrawn.
        InvalidInput: Some answers are wrong, or the address is not the one that was confirmed.
    """
    course = lock_with(session, signup)
    if signup.state is SignupState.WITHDRAWN:
        raise Conflict(_("You have withdrawn. Sign up again first."))
    errors = check(answers, course)
    if answers.email != signup.email:
        errors.setdefault("email", []).append(_("The address cannot be changed; sign up with the new one."))
    if signup.of_age is not None:
        said = max(signup.of_age, of_age or 0)
        age = old_enough.age_to_ask(course, answers.time_zone, said)
        if age is not None:
            errors["old_enough"] = [old_enough.question(age)]
        elif said > signup.of_age:
            _note_age(signup, said, at or now())
    if errors:
        raise InvalidInput(errors)
    store(session, course, answers, signup=signup)
    session.flush()


def _note_age(signup: Signup, of_age: int | None, at: datetime) -> None:
    if of_age is not None:
        signup.of_age, signup.of_age_at = of_age, at


def withdraw(session: Session, signup: Signup, at: datetime) -> None:
    """Take a learner out, of their cohort too; the place goes to whoever waits longest.

    Withdrawing twice does nothing the second time.
    """
    course = lock_with(session, signup)
    if signup.state is not SignupState.WITHDRAWN:
        _take_out(session, signup, at)
        fill_places(session, course, at)


def disown(session: Session, signup: Signup, at: datetime) -> None:
    """Forget a sign-up that somebody made with another person's address.

    Raises:
        Conflict: It was confirmed, so it is theirs.
    """
    course = lock_with(session, signup)
    if signup.confirmed_at is not None:
        raise Conflict(_("This sign-up was confirmed with this address. Withdraw instead."))
    session.execute(delete(Mail).where(Mail.signup_id == signup.id))
    session.delete(signup)
    session.flush()
    fill_places(session, course, at)


def come_back(session: Session, signup: Signup, at: datetime) -> None:
    """Sign a learner up again who had withdrawn or confirmed too late; their answers are still there.

    Raises:
        SignUpClosed: The course takes nobody any more.
    """
    course = lock_with(session, signup)
    if signup.state is not SignupState.WITHDRAWN:
        return
    _require_phase(course, at, Phase.OPEN, Phase.LATE)
    fill_places(session, course, at)
    signup.waiting = not _has_place(session, course, at)
    signup.withdrawn_at = None
    signup.created_at = at  # whoever comes back stands at the end of the waiting list
    _confirmed(session, course, signup, at)


def expire_unconfirmed(session: Session, at: datetime) -> int:
    """Take the places of sign-ups that nobody confirmed within 48 hours; return how many they were.

    Free places, these and those of a capacity that was raised, go to whoever waits.
    """
    late = (Signup.state == SignupState.PENDING) & (Signup.created_at < at - UNCONFIRMED_KEPT)
    waits = (Signup.state == SignupState.CONFIRMED) & Signup.waiting.is_(True)
    in_open_course = Signup.course_id.in_(select(Course.id).where(Course.state == CourseState.OPEN))
    concerned = select(Signup.course_id).where(late | (waits & in_open_course))
    expired = 0
    for course in session.scalars(select(Course).where(Course.id.in_(concerned)).order_by(Course.id)).all():
        lock(session, course)
        for signup in session.scalars(select(Signup).where(late, Signup.course_id == course.id)).all():
            _take_out(session, signup, at)
            expired += 1
        fill_places(session, course, at)
    return expired


def fill_places(session: Session, course: Course, at: datetime) -> int:
    """Give free places to confirmed learners who wait, longest first; return how many moved up.

    The course must be locked. Call it whenever places come free: after a withdrawal, or when an
    organiser raises the capacity or opens sign-up again.
    """
    return admit(session, course) if phase(course, at) is Phase.OPEN else 0


def admit(session: Session, course: Course) -> int:
    """Give free places to confirmed learners who wait, also late ones; return how many moved up.

    The course must be locked. They take part in the next match.
    """
    waiting = (
        select(Signup)
        .where(Signup.course_id == course.id, Signup.waiting.is_(True))
        .where(Signup.state == SignupState.CONFIRMED)
        .order_by(Signup.created_at, Signup.id)
    )
    if course.capacity is not None:
        session.flush()
        waiting = waiting.limit(max(0, course.capacity - places_taken(session, course)))
    lucky = session.scalars(waiting).all()
    for signup in lucky:
        signup.waiting = False
        enqueue(session, Kind.PLACE_FREE, signup=signup)
    session.flush()
    return len(lucky)


def lock(session: Session, course: Course) -> None:
    """Wait until nobody else hands out places of ``course``; it holds until the transaction ends."""
    session.flush()  # refreshing would undo what has not been written yet
    session.refresh(course, ["state", "capacity", "opens_at", "closes_at"], with_for_update=True)


def lock_with(session: Session, signup: Signup) -> Course:
    """Lock the course of a sign-up, and see the sign-up as it is since then.

    Raises:
        NotFound: It has been deleted in the meantime.
    """
    lock(session, signup.course)
    try:
        session.refresh(signup, ["state", "waiting", "confirmed_at"])
    except InvalidRequestError as error:
        raise NotFound(_("This sign-up was deleted, with everything in it.")) from error
    return signup.course


def _require_phase(course: Course, at: datetime, *allowed: Phase) -> None:
    present = phase(course, at)
    if present not in allowed:
        is_early = present is Phase.NOT_YET
        raise SignUpClosed(
            _("Sign-up for this course is not open yet.")
            if is_early
            else _("Sign-up for this course is over.")
        )


def _has_place(session: Session, course: Course, at: datetime) -> bool:
    """Tell whether one more learner gets a place at once. The course must be locked."""
    return phase(course, at) is Phase.OPEN and has_room(session, course)


def _confirmed(session: Session, course: Course, signup: Signup, at: datetime) -> None:
    signup.state = SignupState.CONFIRMED
    signup.confirmed_at = at
    session.flush()
    fill_places(session, course, at)
    if signup.waiting:
        enqueue(session, Kind.WAITING, signup=signup)
        session.flush()


def _take_out(session: Session, signup: Signup, at: datetime) -> None:
    signup.state = SignupState.WITHDRAWN
    signup.waiting = False
    signup.withdrawn_at = at
    open_ones = select(Membership).where(Membership.signup_id == signup.id, Membership.until.is_(None))
    for membership in session.scalars(open_ones):
        memberships.end(membership, at, memberships.WITHDREW)
    session.flush()


def _remind(session: Session, signup: Signup, at: datetime) -> None:
    """Mail the personal link to somebody who signs up again, unless that has just been done."""
    recent = (
        select(Mail.id)
        .where(Mail.signup_id == signup.id, Mail.state != MailState.DROPPED)
        .where(Mail.kind == Kind.ALREADY_SIGNED_UP.value, Mail.created_at > at - MAIL_PAUSE)
    )
    if session.scalar(recent.limit(1)) is None:
        enqueue(session, Kind.ALREADY_SIGNED_UP, signup=signup).created_at = at
        session.flush()

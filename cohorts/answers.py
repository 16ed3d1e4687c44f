"""What a learner answers, and what is wrong with it: one definition for the form and for files."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import available_timezones

from email_validator import EmailNotValidError, validate_email

from . import kinds
from .asking import custom_questions
from .language import gettext as _
from .questions import Experience
from .texts import interest_key as interest_key
from .texts import is_plain, once, one_line
from .week import SLOTS

if TYPE_CHECKING:
    # A file of sign-ups is read without a database; SQLAlchemy takes a third of a second to load.
    from .models import Course, Signup

MAX_NAME: Final = 100
MAX_GOAL: Final = 1000
MAX_ITEM: Final = 80
MAX_INTERESTS: Final = 100
MAX_OTHERS: Final = 20
MIN_HOURS: Final = 0.0
MAX_HOURS: Final = 168.0

_REGIONS: Final = frozenset(
    (
        "Africa",
        "America",
        "Antarctica",
        "Arctic",
        "Asia",
        "Atlantic",
        "Australia",
        "Europe",
        "Indian",
        "Pacific",
    )
)
_LISTS: Final = (
    ("languages", MAX_OTHERS),
    ("interests", MAX_INTERESTS),
    ("can_help_with", MAX_OTHERS),
    ("wants_help_with", MAX_OTHERS),
)
_TAGS: Final = tuple(name for name, _most in _LISTS)
_PEOPLE: Final = ("works_with", "avoids")

Errors = dict[str, list[str]]
"""Plain sentences by the name of the field they are about."""


@lru_cache(maxsize=1)
def time_zones() -> frozenset[str]:
    """Return the zones a learner can be in: those of a region, such as Europe/Berlin, and UTC."""
    return frozenset(
        name for name in available_timezones() if name == "UTC" or name.split("/", 1)[0] in _REGIONS
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """One learner's answers, tidied: spaces, case of addresses, and repetitions do not count.

    Attributes:
        name: What the others call this learner.
        email: Their address, in lower case.
        time_zone: IANA name.
        availability: Half hours of their own week in which they are free, from 0 (Monday 00:00) to 335.
        if_needed: Half hours that would do if nothing else fits; one that is free as well counts as free.
        languages: Names of languages, in English if there is an English name.
        interests: Labels, the course's or their own.
        experience: How familiar they are with the subject.
        hours_per_week: How many hours a week they have.
        goal: What they want to get out of the course.
        can_help_with: What they can help others with.
        wants_help_with: What they want help with.
        works_with: Addresses of people they want to be with.
        avoids: Addresses of people they do not want to be with.
        convenor: Would they get the first meeting going?
        custom: Answers to the course's own questions, by key.
        not_alone: Keys of those with whose answer they do not want to be the only one.
        shown: Keys of the questions whose answer their cohort sees; None for what is usual.
    """

    name: str
    email: str
    time_zone: str
    availability: frozenset[int]
    if_needed: frozenset[int] = frozenset()
    languages: tuple[str, ...] = ()
    interests: tuple[str, ...] = ()
    experience: Experience | None = None
    hours_per_week: float | None = None
    goal: str = ""
    can_help_with: tuple[str, ...] = ()
    wants_help_with: tuple[str, ...] = ()
    works_with: tuple[str, ...] = ()
    avoids: tuple[str, ...] = ()
    convenor: bool = False
    custom: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    not_alone: tuple[str, ...] = ()
    shown: tuple[str, ...] | None = dataclasses.field(default=None, compare=False)

    def __post_init__(self) -> None:
        tidied: dict[str, object] = {
            "name": one_line(self.name),
            "email": address(self.email),
            "time_zone": self.time_zone.strip(),
            "availability": frozenset(self.availability),
            "if_needed": frozenset(self.if_needed) - frozenset(self.availability),
            "goal": self.goal.replace("\r\n", "\n").strip(),
        }
        tidied |= {name: once(map(one_line, getattr(self, name))) for name in _TAGS}
        tidied |= {name: once(map(address, getattr(self, name))) for name in _PEOPLE}
        for name, value in tidied.items():
            object.__setattr__(self, name, value)


FIELDS: Final = tuple(
    each.name for each in fields(Answers) if each.name not in ("custom", "not_alone", "shown")
)
"""Names of the answers to what every course can ask, in the order of the form and of a file's columns."""


def answers_of(signup: Signup) -> Answers:
    """Return the answers a sign-up holds."""
    given = {name: getattr(signup, name) for name in FIELDS if name != "interests"}
    given |= {name: tuple(given[name]) for name in (*_TAGS, *_PEOPLE) if name != "interests"}
    return Answers(
        **given,
        interests=tuple(interest.label for interest in signup.interests),
        custom={
            own.key: kept
            for own in custom_questions(signup.course)
            if (kept := kinds.fitting(own, signup.custom.get(own.key))) is not None
        },
        not_alone=tuple(signup.not_alone),
        shown=tuple(signup.shown),
    )


@lru_cache(maxsize=20_000)
def address(text: str) -> str:
    """Return an e-mail address in the one spelling that is kept and compared.

    What is no address comes back in lower case, for ``check`` to complain about.
    """
    try:
        found = validate_email(text.strip(), check_deliverability=False, allow_smtputf8=False)
    except EmailNotValidError:
        return text.strip().lower()
    return (found.ascii_email or found.normalized).lower()


@lru_cache(maxsize=20_000)
def is_address(text: str) -> bool:
    """Tell whether ``text`` has the form of an e-mail address; nobody is asked whether it exists."""
    try:
        validate_email(text, check_deliverability=False, allow_smtputf8=False)
    except EmailNotValidError:
        return False
    return True


def check(answers: Answers, course: Course | None) -> Errors:
    """Return what is wrong with ``answers`` for ``course``; nothing when they can be stored.

    Without a course nothing but the fixed questions is required.
    """
    errors: Errors = {}
    for name, sentence in _findings(answers, course):
        errors.setdefault(name, []).append(sentence)
    return errors


def _findings(answers: Answers, course: Course | None) -> Iterator[tuple[str, str]]:
    yield from _about_person(answers)
    yield from _about_week(answers)
    yield from _about_lists(answers)
    yield from _about_others(answers)
    if course is not None:
        yield from _about_course(answers, course)


def _about_person(answers: Answers) -> Iterator[tuple[str, str]]:
    if not answers.name:
        yield "name", _("Tell us your name.")
    elif len(answers.name) > MAX_NAME:
        yield "name", _("Use at most %(most)s characters for your name.", most=MAX_NAME)
    elif not is_plain(answers.name):
        yield "name", _("Your name contains characters that cannot be shown.")
    if not answers.email:
        yield "email", _("Tell us your e-mail address.")
    elif not is_address(answers.email):
        yield "email", _("This is not an e-mail address. It should look like name@example.org.")
    if len(answers.goal) > MAX_GOAL:
        yield "goal", _("Use at most %(most)s characters.", most=MAX_GOAL)
    elif not is_plain(answers.goal.replace("\n", "").replace("\t", "")):
        yield "goal", _("This text contains characters that cannot be shown.")


def _about_week(answers: Answers) -> Iterator[tuple[str, str]]:
    if not answers.time_zone:
        yield "time_zone", _("Choose your time zone.")
    elif answers.time_zone not in time_zones():
        yield "time_zone", _("Choose a time zone from the list, such as Europe/Berlin.")
    if not answers.availability and not answers.if_needed:
        yield "availability", _("No time is marked yet. Mark every half hour in which you could meet.")
    for field in ("availability", "if_needed"):
        slots: frozenset[int] = getattr(answers, field)
        if not all(0 <= slot < SLOTS for slot in slots):
            yield field, _("Some of these times are not half hours of a week.")
    hours = answers.hours_per_week
    if hours is not None and not MIN_HOURS <= hours <= MAX_HOURS:
        yield (
            "hours_per_week",
            _("Give a number of hours from %(least)g to %(most)g.", least=MIN_HOURS, most=MAX_HOURS),
        )


def _about_lists(answers: Answers) -> Iterator[tuple[str, str]]:
    for field, most in _LISTS:
        items: tuple[str, ...] = getattr(answers, field)
        if len(items) > most:
            yield field, _("Give at most %(most)s.", most=most)
        if any(len(item) > MAX_ITEM for item in items):
            yield field, _("Use at most %(most)s characters for each.", most=MAX_ITEM)
        if not all(map(is_plain, items)):
            yield field, _("Some of these contain characters that cannot be shown.")


def _about_others(answers: Answers) -> Iterator[tuple[str, str]]:
    for field in _PEOPLE:
        people: tuple[str, ...] = getattr(answers, field)
        if len(people) > MAX_OTHERS:
            yield field, _("Name at most %(most)s people.", most=MAX_OTHERS)
        wrong = [person for person in people if not is_address(person)]
        if wrong:
            yield field, _("“%(text)s” is not an e-mail address.", text=wrong[0][:MAX_ITEM])
        if answers.email and answers.email in people:
            yield field, _("This is your own address; name other people.")
    both = [person for person in answers.avoids if person in answers.works_with]
    if both:
        yield (
            "avoids",
            _(
                "You also want to be with %(person)s. Leave this address out of one of the two.",
                person=both[0],
            ),
        )


def _about_course(answers: Answers, course: Course) -> Iterator[tuple[str, str]]:
    for question in course.questions:
        if (
            question.kind is None
            and question.required
            and question.asked
            and getattr(answers, question.key) in ("", (), None)
        ):
            yield question.key, _("This course needs an answer here.")
    for own in custom_questions(course):
        if not own.asked:
            continue
        try:
            found = kinds.clean(own, answers.custom.get(own.key))
        except kinds.Unfit as error:
            yield own.key, str(error)
        else:
            if found is None and own.required:
                yield own.key, _("This course needs an answer here.")

"""Sample sign-ups: made up, the same for the same seed, and shaped like those of a real open course."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from random import Random
from typing import Any, Final

from sqlalchemy.orm import Session

from . import courses, custom, imports, meetings, native
from .answers import Answers
from .models import Course, User, now
from .questions import Counts, CustomQuestion, Experience, Kind
from .sample_words import ARTISTS, GOALS, REGIONS, SKILLS, TOPICS, Region, Weighted
from .week import SLOTS

EVENING: Final = range(36, 45)
"""Half hours of a day in which people with a day's work are free: 18:00 to 22:30."""

_PAIRS: Final = 0.03
_AVOIDS: Final = 0.01
_MISSPELT: Final = 0.03


def people(n: int, seed: int) -> list[Answers]:
    """Return ``n`` sign-ups; the same number and seed give the same ones."""
    random = Random(seed)  # noqa: S311 (no secret is made here)
    made = [_person(random, number) for number in range(1, n + 1)]
    _pair_up(random, made)
    _keep_apart(random, made)
    return made


def _person(random: Random, number: int) -> Answers:
    regions = [sum(weight for _, weight in region.zones) for region in REGIONS]
    region = random.choices(REGIONS, regions)[0]
    name = f"{random.choice(region.given)} {random.choice(region.family)}".replace("-", " ")
    helps: tuple[str, ...] = tuple(random.sample(SKILLS, random.choice((0, 0, 1, 2))))
    others = [each for each in SKILLS if each not in helps]
    return Answers(
        name=name,
        email=f"{_plain(name)}{number}@example.org",
        time_zone=_pick(random, region.zones),
        availability=_availability(random),
        languages=_languages(random, region),
        interests=_interests(random),
        experience=random.choices((*Experience, None), (10, 6, 2, 1))[0],
        hours_per_week=random.choices((None, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0, 15.0), range(1, 10))[0],
        goal=random.choice(GOALS) if random.random() < 0.4 else "",
        can_help_with=helps,
        wants_help_with=tuple(random.sample(others, random.choice((0, 1, 1, 2)))),
        convenor=random.random() < 0.2,
    )


def _plain(name: str) -> str:
    """Return a name as the first part of an address."""
    letters = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return ".".join(letters.casefold().split())


def _pick(random: Random, among: Weighted) -> str:
    return random.choices([each for each, _ in among], [weight for _, weight in among])[0]


def _languages(random: Random, region: Region) -> tuple[str, ...]:
    spoken = [language for language, share in region.languages if random.random() < share]
    if random.random() < region.english or not spoken:
        spoken.append("English")
    return tuple(spoken)


def _availability(random: Random) -> frozenset[int]:
    """Return the free half hours of somebody with a habit: evenings, daytime, early mornings or nights."""
    habit = random.choices(("evenings", "daytime", "early", "night"), (70, 16, 8, 6))[0]
    first = {"evenings": 36, "daytime": 20, "early": 12, "night": 44}[habit]
    free: set[int] = set()
    for day in range(7):
        weekend = day >= 5
        if random.random() < (0.65 if weekend else 0.6):
            start = random.choice((18, 20, 26, 30)) if weekend else first + random.randrange(4)
            free |= {day * 48 + start + each for each in range(random.choice((4, 5, 6, 8)))}
    if not free:
        return frozenset(slot for day in range(7) for slot in range(day * 48 + 36, day * 48 + 42))
    return frozenset(slot % SLOTS for slot in free)


def _interests(random: Random) -> tuple[str, ...]:
    """Return a few interests of one topic and perhaps some of another, now and then misspelt."""
    main, other = random.sample(sorted(TOPICS), 2)
    picked = random.sample(TOPICS[main], random.choice((2, 3, 3, 4, 5)))
    picked += random.sample(TOPICS[other], random.choice((0, 0, 1, 2)))
    return tuple(_misspelt(random, each) if random.random() < _MISSPELT else each for each in picked)


def _misspelt(random: Random, word: str) -> str:
    """Return a word with two neighbouring letters swapped, or one doubled."""
    place = random.randrange(1, len(word) - 1)
    if random.random() < 0.5:
        return word[:place] + word[place + 1] + word[place] + word[place + 2 :]
    return word[:place] + word[place] + word[place:]


def _pair_up(random: Random, made: list[Answers]) -> None:
    """Let some neighbours in time name each other, and give them an evening in common."""
    by_zone: dict[str, list[int]] = {}
    for place, person in enumerate(made):
        by_zone.setdefault(person.time_zone, []).append(place)
    for places in by_zone.values():
        for one, other in zip(places[::2], places[1::2], strict=False):
            if random.random() < _PAIRS * 2:
                _name_each_other(made, one, other)


def _name_each_other(made: list[Answers], one: int, other: int) -> None:
    shared = made[one].availability | made[other].availability
    languages = made[one].languages + made[other].languages
    for here, there in ((one, other), (other, one)):
        made[here] = replace(
            made[here], availability=shared, languages=languages, works_with=(made[there].email,)
        )


def _keep_apart(random: Random, made: list[Answers]) -> None:
    """Let a few name somebody they do not want to be with (never one they want to be with)."""
    for place, person in enumerate(made):
        if random.random() >= _AVOIDS:
            continue
        other = random.choice(made)
        if other.email != person.email and other.email not in person.works_with:
            made[place] = replace(person, avoids=(other.email,))


def interests_of(made: Sequence[Answers]) -> tuple[str, ...]:
    """Return the interests that a course with these sign-ups lists: every topic's, well spelt."""
    picked = {each for person in made for each in person.interests}
    return tuple(
        sorted({each for topic in TOPICS.values() for each in topic if each in picked}, key=str.casefold)
    )


QUESTIONS: Final = (
    CustomQuestion(
        kind=Kind.FAVOURITES,
        label="Which artists do you love?",
        help="Up to three. Spelling does not matter.",
        options=ARTISTS,
        points=3,
        counts=Counts.SIMILAR,
        weight=1.0,
    ),
    CustomQuestion(
        kind=Kind.RATING,
        label="How much do you like to do this?",
        options=("Listening closely", "Recording", "Mixing", "Writing songs"),
        points=5,
        counts=Counts.SIMILAR,
        weight=0.5,
    ),
    CustomQuestion(
        kind=Kind.SCALE,
        label="How do you start something new?",
        options=("I read about it first", "I try at once"),
        points=5,
        counts=Counts.BALANCED,
        weight=0.5,
    ),
)
"""What the sample course asks of its own."""


def _answered(made: Sequence[Answers], asked: Sequence[CustomQuestion], seed: int) -> list[Answers]:
    """Return sign-ups with answers to the questions of the sample course; some people leave some out."""
    random = Random(seed)  # noqa: S311 (no secret is made here)
    artists, rating, scale = asked
    answered = []
    for person in made:
        loved = random.sample(ARTISTS, random.randrange(4))
        custom_answers: dict[str, Any] = {
            artists.key: [_misspelt(random, each) if random.random() < _MISSPELT else each for each in loved],
            rating.key: {item: random.randint(1, 5) for item in rating.options if random.random() < 0.8},
            scale.key: random.choice((None, 1, 2, 2, 3, 3, 4, 4, 5)),
        }
        answered.append(replace(person, custom={key: kept for key, kept in custom_answers.items() if kept}))
    return answered


def course(session: Session, user: User, n: int = 120, seed: int = 1) -> Course:
    """Make the sample course of ``user``: open, with ``n`` confirmed sign-ups, ready to be matched."""
    at = now()
    made = people(n, seed)
    details = courses.Details(
        title="Play with your music (sample)",
        summary="Eight weeks of listening closely, recording at home and mixing together.",
        description="A course to try things out with. Everybody in it is made up.",
        start=meetings.first_monday(at.date()) + timedelta(weeks=4),
        interests=interests_of(made),
    )
    found = courses.create(session, user, details)
    asked = [custom.add(session, found, each) for each in QUESTIONS]
    courses.open_sign_up(session, found, at=at)
    made = _answered(made, asked, seed)
    plan = imports.dry_run(session, found, native.write(made, asked).encode(), "sample.csv")
    imports.apply(session, found, plan, leave_out_refused=False, at=at)
    return found

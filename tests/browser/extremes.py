"""Scenes with more, longer or otherwise written things than is usual."""

from __future__ import annotations

from sqlalchemy.orm import Session

from cohorts import presets, proposals
from cohorts.exports import Choice
from cohorts.models import User
from tests.browser.people import EVENINGS, NAMES, ZONES, keep_token, new_course, new_learner, new_proposal
from tests.browser.world import World
from tests.factories import make_signup

WORD = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft"
ARABIC_NAMES = ("ليلى حسن", "يوسف الخطيب", "مريم العلي", "דנה לוי", "سامر ناصر")


def long(world: World, session: Session, organiser: User) -> None:
    """Names and texts as long as they may be, with no place to break them."""
    course = new_course(
        world,
        session,
        organiser,
        "long",
        f"{WORD} und {WORD}"[:120],
        summary=WORD * 2,
        description=f"{WORD * 3}\n\n" + "Many words, and then some more. " * 40,
    )
    people = [
        new_learner(
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
    run = new_proposal(session, course, [people[:5]], people[5:])
    run.cohorts[0].name = "Cohort of the " + WORD[:60]
    run.cohorts[0].reasons = [f"All of you like {WORD}."]
    world.words["run-long"] = run.key
    left = new_proposal(session, course, [people[:5]], people[5:])
    left.cohorts[0].name = WORD[:60]
    world.words["run-long-proposed"] = left.key
    proposals.publish(session, run)
    for name in (WORD[: presets.MAX_NAME], "Canvas, every week"):
        presets.save(session, course, name, "canvas", Choice(login="local"))
    keep_token(world, "long_placed", people[0])
    keep_token(world, "long_unplaced", people[5])
    world.words["long_signup"] = people[0].key
    form = new_course(world, session, organiser, "long-form", f"{WORD} {WORD}"[:120], summary=WORD)
    new_learner(session, form, WORD[:100])


def many(world: World, session: Session, organiser: User) -> None:
    """More of everything than anybody has seen."""
    course = new_course(world, session, organiser, "many", "A very large course")
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
    run = new_proposal(session, course, groups, people[88:])
    run.cohorts[0].meetings = [["Europe/Berlin", slot] for slot in range(20, 60, 2)]
    world.words["run-many"] = run.key
    world.words["cohort-many"] = run.cohorts[0].key
    proposals.publish(session, run)
    keep_token(world, "many_placed", people[0])
    form = new_course(world, session, organiser, "many-interests", "A great many interests")
    for number in range(6):
        make_signup(session, form, labels, name=f"Learner {number}")
    for number in range(30):
        new_course(world, session, organiser, f"course-{number}", f"One of many courses, number {number}")


def arabic(world: World, session: Session, organiser: User) -> None:
    """Names and texts that run from right to left."""
    course = new_course(
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
    run = new_proposal(session, course, [people], [])
    world.words["run-arabic"] = run.key
    proposals.publish(session, run)
    keep_token(world, "arabic_placed", people[0])
    world.words["arabic_form"] = new_course(world, session, organiser, "arabic-form", "العب بموسيقاك").slug

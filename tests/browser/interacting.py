"""Files of interactions on their way into a course."""

from __future__ import annotations

from sqlalchemy.orm import Session

from cohorts import interactions, uploads
from cohorts.drafts import Draft
from cohorts.models import Course, Purpose, User, now
from tests.browser.extremes import WORD
from tests.browser.world import World
from tests.factories import make_signup


def told_elsewhere(world: World, session: Session, course: Course, organiser: User) -> None:
    """One file that was imported; one that is clear but for some rows; one whose columns nobody knows."""
    for name in ("Ann Author", "Bo Baker"):
        make_signup(session, course, name=name)
    rows = ["from,to,time,kind", *(f"Ann Author,Bo Baker,2026-01-13 18:{n:02},reply" for n in range(12))]
    old = Draft.of("\n".join(rows[:4]).encode(), "", {})
    interactions.apply(session, course, old.reading(), {}, now(), user=organiser)
    rows += [
        "Ann Author,somebody,2026-01-13,mention",
        "Bo Baker,Ann Author,soon,",
        f"{WORD * 3},x,2026-01-14,",
    ]
    unclear = "one,other,moment\nAnn Author,Bo Baker,2026-01-13\n"
    for word, content in (("interactions", "\n".join(rows)), ("interactions_unclear", unclear)):
        draft = Draft.of(content.encode(), "", {}).to_bytes()
        name = "chat in our course.csv"
        kept = uploads.keep(session, course, organiser, name, draft, purpose=Purpose.INTERACTIONS)
        world.words[word] = kept.key

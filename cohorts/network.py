"""The network of a course for its organisers: how its cohorts hang together, and which have gone quiet."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from sqlalchemy import Row, func, select
from sqlalchemy.orm import Session, load_only

from . import graph, ties
from .graph import Tally, Week
from .models import Attendance, CheckIn, Cohort, Course, CourseState, Membership, Run, RunState, Signup
from .ties import Tie

MOST_NAMED: Final = 50


Stay = tuple[int, int, datetime]
"""That somebody is in a cohort since when: the ids of both, and the moment."""


@dataclass(frozen=True, slots=True)
class Home:
    """A cohort and its connections.

    Attributes:
        id: Of its row; ``key`` and ``name`` likewise.
        n_members: How many are in it now.
        within: Pairs who are connected in it: 0, or None where they are of fewer than five people.
        outward: Pairs of a member and somebody in another cohort, likewise.
        reaches: With how many other cohorts it is connected.
        cuts_off: How many other cohorts would lose the connection to most without it; 0 for most.
        last_sign: When somebody in it last checked in, was noted at a meeting, or a connection showed.
        is_silent: Whether that is too long ago.
    """

    id: int
    key: str
    name: str
    n_members: int
    within: int | None
    outward: int | None
    reaches: int
    cuts_off: int
    last_sign: datetime | None
    is_silent: bool


@dataclass(frozen=True, slots=True)
class Network:
    """How the cohorts of a course hang together.

    Attributes:
        homes: Its cohorts in their order.
        lines: Which of them are connected: their numbers in ``homes``, and how many people connect them; None
            where these are fewer than five.
        n_members: How many are in a cohort.
        n_ties: How many pairs of all learners are connected now; None where of fewer than five people.
        share: The part of the pairs within cohorts and between them that is between.
        bridging: How many are connected with somebody in another cohort; None where fewer than five.
        alone: How many are connected with nobody; None where fewer than five.
        alone_named: Those of them who let others find them by name.
        weeks: Connections by the week they began in.
    """

    homes: list[Home]
    lines: list[tuple[int, int, int | None]]
    n_members: int
    n_ties: int | None
    share: float | None
    bridging: int | None
    alone: int | None
    alone_named: list[Signup]
    weeks: list[Week]

    @property
    def silent(self) -> list[Home]:
        """The cohorts from which nothing is heard, quiet for the longest first."""
        quiet = [each for each in self.homes if each.is_silent]
        return sorted(quiet, key=lambda each: each.last_sign.timestamp() if each.last_sign else 0.0)

    @property
    def bridges(self) -> list[Home]:
        """The cohorts without which others would be cut off, those first that hold most."""
        return sorted((each for each in self.homes if each.cuts_off), key=lambda each: -each.cuts_off)


def of_course(session: Session, course: Course, at: datetime) -> Network:
    """Read the network of a course; the number of queries does not grow with that of people."""
    every = ties.of_course(session, course, at)
    lasting = graph.lasting(every)
    rows, stays = _cohorts(session, course), _stays(session, course)
    seats = {person: home for person, home, _since in stays}
    between = graph.between(lasting, seats)
    inside, outside = graph.within(lasting, seats), graph.outward(between)
    cut = graph.held_together(between)
    signs = _signs(session, course, every, stays)
    quiet = graph.silent(_since(stays), signs, at) if course.state is CourseState.RUNNING else {}
    connected, across = graph.tally(lasting), graph.together(between.values())
    alone = graph.alone(connected, seats)
    place = {each.id: number for number, each in enumerate(rows)}
    reaches = Counter(end for pair in between for end in pair)
    sizes = Counter(seats.values())
    homes = [
        Home(
            id=each.id,
            key=each.key,
            name=each.name,
            n_members=sizes[each.id],
            within=inside.get(each.id, Tally()).told,
            outward=outside.get(each.id, Tally()).told,
            reaches=reaches[each.id],
            cuts_off=cut.get(each.id, 0),
            last_sign=signs.get(each.id),
            is_silent=each.id in quiet,
        )
        for each in rows
    ]
    return Network(
        homes=homes,
        lines=[(place[one], place[two], graph.told(tally.people)) for (one, two), tally in between.items()],
        n_members=len(seats),
        n_ties=connected.told,
        share=graph.share(graph.together(inside.values()), across),
        bridging=graph.told(across.people),
        alone=graph.told(alone),
        alone_named=[each for each in _findable(session, course) if each.id in alone][:MOST_NAMED],
        weeks=graph.by_week(course, every, ties.erased(session, course)),
    )


def _cohorts(session: Session, course: Course) -> Sequence[Row[int, str, str]]:
    """Return id, key and name of the living cohorts of a course, in their order."""
    found = select(Cohort.id, Cohort.key, Cohort.name).join(Run)
    here = found.where(Run.course_id == course.id, Run.state == RunState.PUBLISHED, Cohort.ended_at.is_(None))
    return session.execute(here.order_by(Cohort.position, Cohort.id)).all()


def _stays(session: Session, course: Course) -> list[Stay]:
    """Return who is in which living cohort of a course."""
    found = (
        select(Membership.signup_id, Membership.cohort_id, Membership.since)
        .join(Cohort, Cohort.id == Membership.cohort_id)
        .join(Run, Run.id == Cohort.run_id)
        .where(Run.course_id == course.id, Run.state == RunState.PUBLISHED, Cohort.ended_at.is_(None))
        .where(Membership.until.is_(None))
    )
    return [(person, home, since) for person, home, since in session.execute(found)]


def _findable(session: Session, course: Course) -> Sequence[Signup]:
    """Return who lets others in the course find them, by name."""
    found = select(Signup).where(Signup.course_id == course.id, Signup.findable.is_(True))
    columns = load_only(Signup.key, Signup.name)
    return session.scalars(found.options(columns).order_by(Signup.name, Signup.id)).all()


def _since(stays: Iterable[Stay]) -> dict[int, datetime]:
    """Return when the member of each cohort came who has been in it for the longest."""
    begun: dict[int, datetime] = {}
    for _person, home, since in stays:
        begun[home] = min(since, begun.get(home, since))
    return begun


def _signs(
    session: Session, course: Course, every: Iterable[Tie], stays: Iterable[Stay]
) -> dict[int, datetime]:
    """Return the last sign of life of each cohort that gave one."""
    checked = (
        select(Membership.cohort_id, func.max(CheckIn.updated_at))
        .join(CheckIn, CheckIn.signup_id == Membership.signup_id)
        .join(Signup, Signup.id == Membership.signup_id)
        .where(Signup.course_id == course.id, Membership.until.is_(None))
        .where(CheckIn.updated_at >= Membership.since)
        .group_by(Membership.cohort_id)
    )
    met = (
        select(Attendance.cohort_id, func.max(Attendance.starts_at))
        .join(Signup, Signup.id == Attendance.signup_id)
        .where(Signup.course_id == course.id, Attendance.was_there.is_(True))
        .group_by(Attendance.cohort_id)
    )
    homes = {person: (home, since) for person, home, since in stays}
    nowhere = 0, datetime.max.replace(tzinfo=UTC)
    found: dict[int, datetime] = {}
    for cohort_id, moment in (*session.execute(checked), *session.execute(met)):
        found[cohort_id] = max(moment, found.get(cohort_id, moment))
    for tie in every:
        for person in (tie.one, tie.two):
            home, since = homes.get(person, nowhere)
            if home and tie.last >= since and (home not in found or tie.last > found[home]):
                found[home] = tie.last
    return found

"""Whom a learner has connected with, as far as it is theirs to know.

Theirs to know is what they said themselves, meetings at which both were noted, and what the two wrote to
each other elsewhere. What others said of them is not, with one exception: when each of two has named the
other, both are told that they know each other, and whether both want to go on. Whoever is named by an
address stays an address, signed up or not; and whoever was met elsewhere alone has a name here only if
they let others find them by it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session, aliased, joinedload

from . import checkins, denials, person_blocks, ties
from .exceptions import InvalidInput, NotFound
from .language import gettext as _
from .models import SAID, Attendance, Connection, Course, Interaction, Membership, Signup, Source

MOST: Final = 300
"""So many things a learner can say of others in one course."""

SOON: Final = timedelta(days=7)
"""Saying the same of the same person again so soon adds nothing."""


@dataclass(slots=True)
class Acquaintance:
    """Somebody a learner has connected with.

    Attributes:
        other: Their sign-up; None for whoever is known by an ``address`` alone.
        said: What the learner said of them, latest first.
        n_meetings: At so many meetings both were; ``last_meeting`` is when the latest began.
        elsewhere: When they last had to do with each other somewhere else, as an import tells.
        is_mutual: Each wants to go on with the other.
        was_mate: They were in one cohort, now or before.
    """

    other: Signup | None
    address: str = ""
    said: list[Connection] = field(default_factory=list)
    n_meetings: int = 0
    last_meeting: datetime | None = None
    elsewhere: datetime | None = None
    is_mutual: bool = False
    was_mate: bool = False

    @property
    def name(self) -> str:
        """What the learner knows them as."""
        return self.other.name if self.other is not None else self.address

    @property
    def last(self) -> datetime:
        """When something last showed that they are connected."""
        shown = (*(each.at for each in self.said), self.last_meeting, self.elsewhere)
        return max(each for each in shown if each is not None)


def of_learner(session: Session, signup: Signup) -> list[Acquaintance]:
    """Return whom a learner has connected with, latest first.

    Left out are those they blocked and those of whom they said that they are not connected. The number of
    queries does not grow with that of people.
    """
    mates = {each.id: each for each in person_blocks.knew(session, signup)}
    found: dict[int | str, Acquaintance] = {}
    for row in _said(session, signup):
        who = row.to_id if row.to_id is not None else row.to_address
        found.setdefault(who, Acquaintance(row.to, row.to_address)).said.append(row)
    for other, (number, latest) in _met(session, signup).items():
        if other in mates:
            known = found.setdefault(other, Acquaintance(mates[other]))
            known.n_meetings, known.last_meeting = number, latest
    for person, moment in _elsewhere(session, signup):
        if person.findable or person.id in mates or person.id in found:
            found.setdefault(person.id, Acquaintance(person)).elsewhere = moment
    shown = _unless_hidden(session, signup, found.values())
    mutual = _mutual(session, signup, shown)
    for each in shown:
        each.was_mate = each.other is not None and each.other.id in mates
        each.is_mutual = each.other is not None and each.other.id in mutual
    return sorted(shown, key=lambda each: each.last, reverse=True)


def know_each_other(
    session: Session, course: Course, people: Collection[int], cohorts: Collection[int]
) -> set[tuple[int, int]]:
    """Return which of some people know each other, as pairs of ids in order, in at most six queries.

    That is, each has said something of the other, or both were at a meeting of a cohort that is not among
    ``cohorts``: that those who meet there know each other says nothing new. Blocks and denials outrank it.
    """
    mine, theirs = aliased(Connection), aliased(Connection)
    said = (
        select(mine.from_id, mine.to_id)
        .join(theirs, (theirs.from_id == mine.to_id) & (theirs.to_id == mine.from_id))
        .where(mine.from_id < mine.to_id, mine.from_id.in_(people), mine.to_id.in_(people))
    )
    one, other = aliased(Attendance), aliased(Attendance)
    met = (
        select(one.signup_id, other.signup_id)
        .join(other, (other.cohort_id == one.cohort_id) & (other.starts_at == one.starts_at))
        .where(one.signup_id < other.signup_id, one.signup_id.in_(people), other.signup_id.in_(people))
        .where(one.was_there.is_(True), other.was_there.is_(True))
        .where(one.cohort_id.not_in(cohorts))
    )
    rows = [row for query in (said, met) for row in session.execute(query.distinct())]
    found = {(low, high) for low, high in rows if high is not None}
    return found - ties.apart(session, course.id) if found else found


def known_to(session: Session, signup: Signup, others: Iterable[Signup]) -> set[int]:
    """Return the ids of those whom a learner knows; meetings of their present cohort tell nothing new."""
    home = select(Membership.cohort_id).where(Membership.signup_id == signup.id, Membership.until.is_(None))
    people = {signup.id, *(each.id for each in others)}
    pairs = know_each_other(session, signup.course, people, session.scalars(home).all())
    return {each for pair in pairs if signup.id in pair for each in pair} - {signup.id}


def say(
    session: Session, signup: Signup, source: Source, at: datetime, *, key: str = "", text: str = ""
) -> None:
    """Keep what a learner says of somebody: by ``key`` of those they were in a cohort with, else by ``text``.

    What comes back does not depend on whether an address is signed up.

    Raises:
        InvalidInput: Nobody is named, or the text names nobody; or they have said very much.
        NotFound: The learner never was in a cohort with whom the key names.
    """
    session.refresh(signup, ["state"], with_for_update=True)
    to_id, to_address = _named(session, signup, key, text)
    mine = select(Connection).where(Connection.from_id == signup.id)
    if (session.scalar(select(func.count()).select_from(mine.subquery())) or 0) >= MOST:
        raise InvalidInput({"who": [_("You have said so much already that no more fits.")]})
    same = mine.where(
        Connection.source == source,
        Connection.to_id == to_id if to_id is not None else Connection.to_address == to_address,
        Connection.at > at - SOON,
    )
    if session.scalar(same.limit(1)) is None:
        row = Connection(course_id=signup.course_id, from_id=signup.id, source=source, at=at)
        row.to_id, row.to_address = to_id, to_address
        session.add(row)
    session.flush()


def take_back(session: Session, signup: Signup, number: int) -> None:
    """Take back something a learner said of somebody.

    Raises:
        NotFound: They said no such thing (any more).
    """
    mine = select(Connection).where(Connection.from_id == signup.id, Connection.id == number)
    found = session.scalar(mine)
    if found is None:
        raise NotFound
    session.delete(found)
    session.flush()


def _named(session: Session, signup: Signup, key: str, text: str) -> tuple[int | None, str]:
    mates = person_blocks.knew(session, signup)
    if key:
        found = next((each for each in mates if each.key == key), None)
        if found is None:
            raise NotFound
        return found.id, ""
    if not text:
        raise InvalidInput({"who": [_("Choose somebody, or write a name or an address.")]})
    named = checkins.somebody(signup, checkins.findable_by(session, signup, []), text)
    if isinstance(named, str):
        raise InvalidInput({"who": [named]})
    return named


def _said(session: Session, signup: Signup) -> Sequence[Connection]:
    mine = select(Connection).where(Connection.from_id == signup.id, Connection.source.in_(SAID))
    latest = mine.order_by(Connection.at.desc(), Connection.id.desc())
    return session.scalars(latest.options(joinedload(Connection.to))).all()


def _met(session: Session, signup: Signup) -> dict[int, tuple[int, datetime]]:
    """Return with whom a learner was at meetings, at how many, and when the latest began."""
    mine = aliased(Attendance)
    rows = (
        select(Attendance.signup_id, func.count(), func.max(Attendance.starts_at))
        .join(mine, (mine.cohort_id == Attendance.cohort_id) & (mine.starts_at == Attendance.starts_at))
        .where(mine.signup_id == signup.id, mine.was_there.is_(True))
        .where(Attendance.signup_id != signup.id, Attendance.was_there.is_(True))
        .group_by(Attendance.signup_id)
    )
    return {other: (number, latest) for other, number, latest in session.execute(rows)}


def _elsewhere(session: Session, signup: Signup) -> list[tuple[Signup, datetime]]:
    """Return with whom a learner had to do elsewhere, and when last."""
    mine = or_(Interaction.from_id == signup.id, Interaction.to_id == signup.id)
    moments: dict[int, datetime] = {}
    rows = select(Interaction.from_id, Interaction.to_id, func.max(Interaction.at)).where(mine)
    for one, two, moment in session.execute(rows.group_by(Interaction.from_id, Interaction.to_id)):
        other = two if one == signup.id else one
        moments[other] = max(moment, moments.get(other, moment))
    people = session.scalars(select(Signup).where(Signup.id.in_(moments)))
    return [(each, moments[each.id]) for each in people]


def _unless_hidden(session: Session, signup: Signup, found: Iterable[Acquaintance]) -> list[Acquaintance]:
    """Leave out whom a learner blocked, and with whom they say they are not connected."""
    blocked = {each.digest for each in person_blocks.of(session, signup)}
    denied = {each.other_id for each in denials.of(session, signup)}
    return [
        each
        for each in found
        if person_blocks.digest(each.other.email if each.other else each.address) not in blocked
        and (each.other is None or each.other.id not in denied)
    ]


def _mutual(session: Session, signup: Signup, found: Iterable[Acquaintance]) -> set[int]:
    """Return who wants to go on with a learner who wants to go on with them."""
    wanted = {
        each.other.id: each.other
        for each in found
        if each.other is not None and any(row.source is Source.GO_ON_WITH for row in each.said)
    }
    if not wanted:
        return set()
    theirs = select(Connection.from_id).where(
        Connection.from_id.in_(wanted), Connection.to_id == signup.id, Connection.source == Source.GO_ON_WITH
    )
    agreed = set(session.scalars(theirs))
    never = ties.apart(session, signup.course_id) if agreed else set()
    return {each for each in agreed if (min(each, signup.id), max(each, signup.id)) not in never}

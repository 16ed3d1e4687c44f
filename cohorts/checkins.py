"""Check-ins: ten seconds a week in which a learner says how it goes.

The three scales ask after the social, cognitive and teaching presence of the Community of Inquiry
(Garrison, Anderson and Archer 2000), each in one sentence of our own. What a learner says of others is
kept as dated connections. All of it is the learner's own: others see counts of five or more.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from . import help_requests, person_blocks
from .answers import address, interest_key, is_address
from .exceptions import Conflict, InvalidInput
from .language import gettext as _
from .language import lazy_gettext as _l
from .meetings import course_week, week_begins
from .models import SAID, CheckIn, Connection, Met, Signup, SignupState, Source
from .standing import members_of, standing_of

SCALE: Final = range(1, 6)
MOST_OTHERS: Final = 20
MOST_SUGGESTED: Final = 300

PRESENCES: Final = {
    "social": _l("I could be myself with the others."),
    "cognitive": _l("Something became clearer to me."),
    "teaching": _l("I knew what to do next, or somebody showed me."),
}
"""What is asked of each presence, on a scale from 1 (not at all) to 5 (very much)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pulse:
    """What a learner says in one check-in; everything may be left out.

    Attributes:
        met: Whether they met their cohort.
        social: How much they could be themselves, 1 to 5; likewise ``cognitive`` and ``teaching``.
        talked_with: Keys of members of their cohort they talked with.
        go_on_with: Keys of those they want to go on with.
        others_talked_with: Others, by the name they can be found under or by their address.
        others_go_on_with: Likewise.
        help: What they want help with.
    """

    met: Met | None = None
    social: int | None = None
    cognitive: int | None = None
    teaching: int | None = None
    talked_with: frozenset[str] = frozenset()
    go_on_with: frozenset[str] = frozenset()
    others_talked_with: tuple[str, ...] = ()
    others_go_on_with: tuple[str, ...] = ()
    help: str = ""


@dataclass(frozen=True, slots=True)
class Round:
    """The check-in that a learner can give now.

    Attributes:
        week: The week of the course.
        mates: The other members of their cohort, by name.
        findable: Sign-ups outside the cohort that may be found, by the name they are found under.
        given: The check-in of this week, if there is one already.
        said: What was said in it, or nothing yet.
    """

    week: int
    mates: list[Signup]
    findable: dict[str, int] = field(repr=False)
    given: CheckIn | None
    said: Pulse


def open_round(session: Session, signup: Signup, at: datetime) -> Round:
    """Return the check-in a learner can give, or change, in this week of the course.

    Raises:
        Conflict: They are in no cohort, or the course is not on.
    """
    cohort = standing_of(session, signup).cohort
    week = course_week(signup.course, at, signup.time_zone)
    if cohort is None:
        raise Conflict(_("Check-ins are for those who are in a cohort, and you are in none at the moment."))
    if week is None:
        raise Conflict(_("Check-ins are given during the course, and it is not on at the moment."))
    mates = [each for each in members_of(cohort) if each.id != signup.id]
    given = session.scalar(select(CheckIn).where(CheckIn.signup_id == signup.id, CheckIn.week == week))
    findable = findable_by(session, signup, mates)
    said = _said(
        given, list(_connections(session, signup, week)), mates, help_requests.words(session, signup)
    )
    return Round(week, mates, findable, given, said)


def has_checked_in(session: Session, signup: Signup, week: int) -> bool:
    """Tell whether a learner has given the check-in of a week."""
    mine = select(CheckIn.id).where(CheckIn.signup_id == signup.id, CheckIn.week == week)
    return session.scalar(mine) is not None


def check_in(session: Session, signup: Signup, pulse: Pulse, at: datetime) -> None:
    """Keep what a learner says of this week, in the place of what they said before.

    Raises:
        Conflict: They are in no cohort, or the course is not on.
        InvalidInput: Somebody they name is not known, or a value is off its scale.
    """
    # Two presses at once write one check-in, not two.
    session.refresh(signup, ["state"], with_for_update=True)
    now = open_round(session, signup, at)
    named = _named(signup, now, pulse)
    given = now.given or CheckIn(signup_id=signup.id, week=now.week, created_at=at)
    given.met, given.updated_at = pulse.met, at
    for name in PRESENCES:
        setattr(given, name, getattr(pulse, name))
    session.add(given)
    _connect(session, signup, now.week, named, at)
    help_requests.ask(session, signup, pulse.help, at)
    session.flush()


Named = tuple[Source, int | None, str]
"""What is said, of which sign-up, or else of which address."""


def _named(signup: Signup, now: Round, pulse: Pulse) -> set[Named]:
    """Return whom a check-in names.

    Raises:
        InvalidInput: Somebody is not known, or a value is off its scale.
    """
    errors: dict[str, list[str]] = {}
    named: set[Named] = set()
    for name in PRESENCES:
        if getattr(pulse, name) not in (None, *SCALE):
            errors[name] = [_("Choose one of the five.")]
    keys = {each.key: each.id for each in now.mates}
    for source in SAID:
        key = source.value.replace(" ", "_")
        ticked: frozenset[str] = getattr(pulse, key)
        named |= {(source, keys[each], "") for each in ticked if each in keys}
        if not ticked <= keys.keys():
            errors[key] = [_("Your cohort has changed in the meantime. Look at these names again.")]
        texts: tuple[str, ...] = getattr(pulse, f"others_{key}")
        wrong = list(_outside(signup, now, source, texts, named))
        if wrong:
            errors[f"others_{key}"] = wrong
    if len(pulse.help) > help_requests.MOST:
        errors["help"] = [_("Use at most %(most)s characters.", most=help_requests.MOST)]
    if errors:
        raise InvalidInput(errors)
    return named


def _outside(
    signup: Signup, now: Round, source: Source, texts: Sequence[str], named: set[Named]
) -> Iterator[str]:
    """Add people outside the cohort to ``named``; yield what is wrong with a text."""
    if len(texts) > MOST_OTHERS:
        yield _("Name at most %(most)s people.", most=MOST_OTHERS)
    for text in texts:
        found = somebody(signup, now.findable, text)
        if isinstance(found, str):
            yield found
        else:
            named.add((source, *found))


def somebody(signup: Signup, findable: Mapping[str, int], text: str) -> tuple[int | None, str] | str:
    """Return whom a text names, as a sign-up or else as an address, or what is wrong with it.

    An address is kept as it is, whether it is signed up or not, so that nobody learns which.
    """
    found = next(
        (each for label, each in findable.items() if interest_key(label) == interest_key(text)), None
    )
    if found is not None:
        return found, ""
    if not is_address(address(text)):
        return _("Nobody can be found as “%(text)s”. Write their e-mail address.", text=text[:80])
    if address(text) == signup.email:
        return _("This is your own address; name other people.")
    return None, address(text)


def _connect(session: Session, signup: Signup, week: int, named: set[Named], at: datetime) -> None:
    """Make the connections of a week those that are named; what stays keeps its date."""
    for row in _connections(session, signup, week):
        mine = (row.source, row.to_id, row.to_address)
        if mine in named:
            named.remove(mine)
        else:
            session.delete(row)
    for source, to_id, to_address in sorted(named, key=str):
        session.add(
            Connection(
                course_id=signup.course_id,
                from_id=signup.id,
                to_id=to_id,
                to_address=to_address,
                source=source,
                at=at,
            )
        )


def _connections(session: Session, signup: Signup, week: int) -> Sequence[Connection]:
    since = week_begins(signup.course, week, signup.time_zone)
    mine = select(Connection).where(Connection.from_id == signup.id, Connection.at >= since)
    return session.scalars(mine.order_by(Connection.id)).all()


def _said(given: CheckIn | None, rows: Iterable[Connection], mates: list[Signup], help_: str) -> Pulse:
    keys = {each.id: each.key for each in mates}
    rows = list(rows)

    def ticked(source: Source) -> frozenset[str]:
        return frozenset(keys[row.to_id] for row in rows if row.source is source and row.to_id in keys)

    def others(source: Source) -> tuple[str, ...]:
        outside = (row for row in rows if row.source is source and row.to_id not in keys)
        return tuple(found_as(row.to) if row.to is not None else row.to_address for row in outside)

    return Pulse(
        met=given.met if given else None,
        **{name: getattr(given, name) if given else None for name in PRESENCES},
        talked_with=ticked(Source.TALKED_WITH),
        go_on_with=ticked(Source.GO_ON_WITH),
        others_talked_with=others(Source.TALKED_WITH),
        others_go_on_with=others(Source.GO_ON_WITH),
        help=help_,
    )


def found_as(signup: Signup) -> str:
    """Return what somebody can be found under: their name and the city of their time zone."""
    return f"{signup.name} ({signup.time_zone.rpartition('/')[2].replace('_', ' ')})"


def findable_by(session: Session, signup: Signup, mates: Sequence[Signup]) -> dict[str, int]:
    """Return who outside the cohort wants to be found; two who look the same are found by nobody."""
    here = {signup.id, *(each.id for each in mates)}
    named = select(Connection.to_id).where(Connection.from_id == signup.id, Connection.to_id.is_not(None))
    people = session.scalars(
        select(Signup)
        .where(Signup.course_id == signup.course_id, Signup.state == SignupState.CONFIRMED)
        .where(or_(Signup.findable.is_(True), Signup.id.in_(named)), Signup.id.not_in(here))
        .order_by(Signup.name, Signup.id)
        .limit(MOST_SUGGESTED)
    ).all()
    apart = person_blocks.apart(session, signup, people)
    labels = Counter(found_as(each) for each in people)
    return {
        found_as(each): each.id for each in people if labels[found_as(each)] == 1 and each.id not in apart
    }

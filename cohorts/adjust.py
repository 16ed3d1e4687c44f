"""Adjusting cohorts by hand: move, swap, unseat, pin, name, choose a time and a link; undo and redo.

A board is that of a proposal, or of the cohorts that live (see ``cohorts.living``): there learners are
moved, and whoever that touches hears of it ten minutes later. Every change appends to the list of
adjustments of its run, whose length is the board's version. Whoever changes a board says which version they
saw; when somebody else was faster, nothing is saved and they are shown what came in between.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, joinedload, selectinload

from . import channels, meetings, signups
from . import living as living_cohorts
from .crowding import SIMULTANEOUS, Crowd
from .door import MatchSettings
from .effects import Effect
from .exceptions import Conflict, InvalidInput, NotFound
from .language import gettext as _
from .language import lazy_gettext as lazy
from .models import Adjustment, Change, Cohort, Run, RunState, Seat, SeatChange, User, Weighing
from .weighing import effects, version

FIGURES: Final = (
    "name",
    "score",
    "parts",
    "meetings",
    "reasons",
    "set_aside",
    "pinned",
    "chosen",
    "channel",
)
"""What of a cohort an adjustment can change."""
MOST_NAME: Final = 60
MOST_WORDS: Final = 300


class Stale(Conflict):
    """The board was changed after the page was opened."""

    said = lazy("Somebody else changed this board in the meantime.")


class RuleBreak(Conflict):
    """A change breaks a rule that an organiser may set aside."""

    said = lazy("This would break a rule, so it was not done.")

    def __init__(self, rule: str) -> None:
        """Keep the name of the rule."""
        self.rule = rule
        super().__init__()


@dataclass(frozen=True, slots=True)
class Hand:
    """Who changes a board, when, and which version of it they saw."""

    by: User | None
    seen: int
    at: datetime


def move(
    session: Session,
    run: Run,
    weighing: Weighing,
    to_key: str,
    swap_key: str,
    hand: Hand,
    *,
    set_aside: bool = False,
    because: str = "",
) -> Adjustment:
    """Make a change that was weighed: move a learner, or let them change places with another.

    ``to_key`` is empty for no cohort, ``swap_key`` for nobody.

    Raises:
        Stale: The board has changed since.
        Conflict: A cohort or a learner is not as it was weighed, or a rule would break.
        NotFound: No such change was weighed.
    """
    board = _Locked(session, run, hand, living=True)
    if weighing.version != board.version and living_cohorts.settings_of(run).max_simultaneous:
        raise Conflict(_("Other cohorts have changed, and may meet at other times now."))
    effect = board.find(weighing, to_key, swap_key)
    if not effect.is_possible or (effect.new_breaks and not set_aside):
        raise Conflict(_("This would break a rule, so it was not done."))
    learner, other = board.seat_of(weighing.signup_id), board.seat_of(effect.swap_id)
    assert learner is not None
    changes = {
        each.cohort_id: {
            "score": each.after.score,
            "parts": each.after.parts,
            "meetings": each.after.meetings,
            "reasons": each.after.reasons,
            "set_aside": each.after.broken,
        }
        for each in effect.touched
    }
    seats = {learner: effect.to_id}
    if other is not None:
        seats[other] = learner.cohort_id
    words = _limited(because, MOST_WORDS, "because") if effect.new_breaks else ""
    return board.add(
        Change.MOVE if other is None else Change.SWAP,
        changes,
        {seat: (cohort, False) for seat, cohort in seats.items()},
        gain=effect.gain,
        because=words,
    )


def pin_learner(session: Session, run: Run, key: str, pinned: bool, hand: Hand) -> Adjustment:
    """Pin a learner to those pinned in the same cohort, or let them go.

    Raises:
        Stale: The board has changed since.
        NotFound: The learner has no cohort in this proposal.
    """
    board = _Locked(session, run, hand)
    seat = next((each for each in board.seats if each.signup.key == key and each.cohort_id is not None), None)
    if seat is None:
        raise NotFound
    return board.add(Change.PIN, {}, {seat: (seat.cohort_id, pinned)})


def pin_cohort(session: Session, run: Run, key: str, pinned: bool, hand: Hand) -> Adjustment:
    """Pin a whole cohort, or let it go.

    Raises:
        Stale: The board has changed since.
        NotFound: The proposal has no such cohort.
    """
    board = _Locked(session, run, hand)
    return board.add(Change.PIN, {board.cohort_id(key): {"pinned": pinned}}, {})


def rename(session: Session, run: Run, key: str, name: str, hand: Hand) -> Adjustment:
    """Give a cohort a name.

    Raises:
        Stale: The board has changed since.
        InvalidInput: The name is empty, too long or another cohort's.
        NotFound: The proposal has no such cohort.
    """
    board = _Locked(session, run, hand)
    name = " ".join(_limited(name, MOST_NAME, "name").split())
    wanted = board.cohort_id(key)
    if not name:
        raise InvalidInput({"name": [_("Give it a name.")]})
    taken = {each.name.casefold() for each in board.cohorts.values() if each.id != wanted}
    if name.casefold() in taken:
        raise InvalidInput({"name": [_("Another cohort has this name.")]})
    return board.add(Change.NAME, {wanted: {"name": name}}, {})


def choose_time(
    session: Session,
    run: Run,
    key: str,
    block: str,
    hand: Hand,
    *,
    set_aside: bool = False,
    because: str = "",
) -> Adjustment:
    """Choose one of a cohort's common times as its weekly meeting; with no ``block`` its members choose.

    Raises:
        Stale: The board has changed since.
        Conflict: More cohorts would meet at one time than is allowed, and that was not set aside.
        NotFound: The proposal has no such cohort, or it has no such time.
    """
    board = _Locked(session, run, hand)
    cohort = board.cohorts[board.cohort_id(key)]
    wish = meetings.read_key(block) if block else None
    if wish is not None and wish not in meetings.of_cohort(cohort):
        raise NotFound(_("This is not a time that they all have in common."))
    broken = [each for each in cohort.set_aside if each not in (meetings.CHOSEN, SIMULTANEOUS)]
    others = (meetings.weekly(each) for each in board.cohorts.values() if each.id != cohort.id)
    crowd = Crowd(MatchSettings.from_json(run.parameters), others)
    is_new = False
    if not crowd.has_room(wish or next(iter(meetings.of_cohort(cohort)), None)):
        is_new = SIMULTANEOUS not in cohort.set_aside
        broken.append(SIMULTANEOUS)
    if is_new and not set_aside:
        raise RuleBreak(SIMULTANEOUS)
    return board.add(
        Change.MEETING,
        {cohort.id: {"chosen": [wish.zone, wish.slot] if wish else [], "set_aside": broken}},
        {},
        because=_limited(because, MOST_WORDS, "because") if is_new else "",
    )


def set_channel(session: Session, run: Run, key: str, address: str, hand: Hand) -> Adjustment:
    """Say where a cohort is to talk; an empty address takes it back.

    Raises:
        Stale: The board has changed since.
        InvalidInput: It is no https address.
        NotFound: The proposal has no such cohort.
    """
    board = _Locked(session, run, hand)
    wanted = board.cohort_id(key)
    return board.add(Change.CHANNEL, {wanted: {"channel": channels.read(address)}}, {})


def undo(session: Session, run: Run, hand: Hand) -> Adjustment:
    """Take back the last change that holds.

    Raises:
        Stale: The board has changed since.
        Conflict: There is nothing to undo.
    """
    board = _Locked(session, run, hand, living=True)
    done, _undone = walk(adjustments(session, run, living=board.is_living))
    if not done:
        raise Conflict(_("There is nothing to undo."))
    return board.again(done[-1], Change.UNDO)


def redo(session: Session, run: Run, hand: Hand) -> Adjustment:
    """Make the change again that was undone last.

    Raises:
        Stale: The board has changed since.
        Conflict: There is nothing to redo.
    """
    board = _Locked(session, run, hand, living=True)
    _done, undone = walk(adjustments(session, run, living=board.is_living))
    if not undone:
        raise Conflict(_("There is nothing to redo."))
    return board.again(undone[-1], Change.REDO)


def walk(listed: Sequence[Adjustment]) -> tuple[list[Adjustment], list[Adjustment]]:
    """Return the changes that hold and those that can be redone, each with the next to take last."""
    done: list[Adjustment] = []
    undone: list[Adjustment] = []
    for each in listed:
        if each.change is Change.UNDO:
            undone.append(done.pop())
        elif each.change is Change.REDO:
            done.append(undone.pop())
        else:
            done.append(each)
            undone.clear()
    return done, undone


def adjustments(
    session: Session, run: Run, *, after: int = 0, living: bool | None = None
) -> list[Adjustment]:
    """Return what was done on a board by hand, in order, with the people it was about.

    ``living`` picks what was done before the cohorts were published, or since.
    """
    of = joinedload(Adjustment.of)
    found = select(Adjustment).where(Adjustment.run_id == run.id, Adjustment.number > after)
    if living is not None:
        found = found.where(Adjustment.living.is_(living))
    return list(
        session.scalars(
            found.order_by(Adjustment.number).options(
                joinedload(Adjustment.by),
                *(
                    way.joinedload(SeatChange.signup)
                    for way in (selectinload(Adjustment.seats), of.selectinload(Adjustment.seats))
                ),
            )
        )
    )


_Seated = Seat | living_cohorts.Place


class _Locked:
    """A board nobody else changes at the same time: of a proposal, or of the living cohorts of a course."""

    def __init__(self, session: Session, run: Run, hand: Hand, *, living: bool = False) -> None:
        if living and run.state is RunState.PUBLISHED:
            signups.lock(session, run.course)  # learners take seats and leave by themselves
        session.refresh(run, with_for_update=True)
        self.is_living = living and living_cohorts.is_on(session, run)
        if run.state is not RunState.PROPOSED and not self.is_living:
            raise Conflict(_("This run is not a proposal any more, so it cannot be changed by hand."))
        self.version = version(session, run)
        if hand.seen != self.version:
            raise Stale
        self._session, self._run, self._hand = session, run, hand
        mine = Cohort.run_id == run.id
        if self.is_living:
            mine = Cohort.id.in_([each.id for each in living_cohorts.cohorts_of(session, run.course)])
        found = session.scalars(select(Cohort).where(mine).execution_options(populate_existing=True))
        self.cohorts = {each.id: each for each in found}
        self.seats: Sequence[_Seated]
        if self.is_living:
            self.seats = living_cohorts.places(session, run.course_id)
        else:
            self.seats = session.scalars(
                select(Seat)
                .where(Seat.run_id == run.id)
                .options(joinedload(Seat.signup))
                .execution_options(populate_existing=True)
            ).all()

    def cohort_id(self, key: str) -> int:
        """Return the id of a cohort of this proposal."""
        found = next((each.id for each in self.cohorts.values() if each.key == key), None)
        if found is None:
            raise NotFound
        return found

    def seat_of(self, signup_id: int | None) -> _Seated | None:
        """Return the seat of a learner."""
        return next((each for each in self.seats if each.signup_id == signup_id), None)

    def find(self, weighing: Weighing, to_key: str, swap_key: str) -> Effect:
        """Return a change that was weighed, if the cohorts it touches are still as they were then."""
        to_id = self.cohort_id(to_key) if to_key else None
        swap = next((each for each in self.seats if swap_key and each.signup.key == swap_key), None)
        if swap_key and swap is None:
            raise NotFound
        wanted = (to_id, swap.signup_id if swap else None)
        effect = next((each for each in effects(weighing) if (each.to_id, each.swap_id) == wanted), None)
        if effect is None:
            raise NotFound
        for each in effect.touched:
            members = sorted(seat.signup_id for seat in self.seats if seat.cohort_id == each.cohort_id)
            if members != each.before.members:
                raise Conflict(
                    _("The members of a cohort have changed, so its figures do not hold any more.")
                )
        return effect

    def add(
        self,
        change: Change,
        cohorts: Mapping[int, Mapping[str, Any]],
        seats: Mapping[_Seated, tuple[int | None, bool]],
        *,
        of: Adjustment | None = None,
        gain: float = 0.0,
        because: str = "",
    ) -> Adjustment:
        """Change cohorts and seats, and append to the list what was changed."""
        found = Adjustment(
            run_id=self._run.id,
            number=self.version + 1,
            change=change,
            living=self.is_living,
            of_id=of.id if of else None,
            by_id=self._hand.by.id if self._hand.by else None,
            at=self._hand.at,
            gain=gain,
            because=because,
        )
        found.cohorts = {str(key): self._change(self.cohorts[key], values) for key, values in cohorts.items()}
        for seat, (cohort_id, pinned) in seats.items():
            found.seats.append(
                SeatChange(
                    signup=seat.signup,
                    left_id=seat.cohort_id,
                    joined_id=cohort_id,
                    was_pinned=seat.pinned,
                    is_pinned=pinned,
                )
            )
            seat.cohort_id, seat.pinned = cohort_id, pinned
        if not self.is_living:
            if self._run.objective is not None:
                self._run.objective += gain
            self._run.n_placed = sum(each.cohort_id is not None for each in self.seats)
        try:
            with self._session.begin_nested():
                self._session.add(found)
        except IntegrityError as error:
            raise Stale from error
        if self.is_living:
            self._seat_members(found)
        return found

    def _seat_members(self, change: Adjustment) -> None:
        """Seat learners where a change says: as if what it reverses had never been, while nobody was told."""
        if change.of_id is not None:
            reversed_ = self._last_about(change.of_id, before=change.number)
            if living_cohorts.leave_at(self._session, reversed_, self._hand.at):
                living_cohorts.unmake(self._session, reversed_)
                return
        living_cohorts.apply(self._session, change, self.cohorts.values())

    def _last_about(self, change_id: int, before: int | None = None) -> Adjustment:
        """Return the last row about a change: itself, or the one that undid it or made it again last."""
        found = select(Adjustment).where((Adjustment.id == change_id) | (Adjustment.of_id == change_id))
        if before is not None:
            found = found.where(Adjustment.number < before)
        return self._session.scalars(found.order_by(Adjustment.number.desc()).limit(1)).one()

    def again(self, of: Adjustment, change: Change) -> Adjustment:
        """Undo an adjustment or do it once more; whoever has been erased since is left out."""
        back = change is Change.UNDO
        cohorts = {int(key): pair[0 if back else 1] for key, pair in of.cohorts.items()}
        if self.is_living:
            homes = {each.signup_id: each.cohort_id for each in self.seats}
            living_cohorts.require_as_left(self._session, self._last_about(of.id), homes)
        places = {seat.signup_id: seat for seat in self.seats}
        seats = {
            places[each.signup_id]: (each.left_id, each.was_pinned)
            if back
            else (each.joined_id, each.is_pinned)
            for each in of.seats
        }
        return self.add(change, cohorts, seats, of=of, gain=-of.gain if back else of.gain)

    def _change(self, cohort: Cohort, values: Mapping[str, Any]) -> list[dict[str, Any]]:
        before = {name: getattr(cohort, name) for name in values}
        for name, value in values.items():
            setattr(cohort, name, value)
        return [before, dict(values)]


def _limited(text: str, most: int, name: str) -> str:
    text = text.replace("\x00", "").strip()
    if len(text) > most:
        raise InvalidInput({name: [_("Use at most %(most)s characters.", most=most)]})
    return text

"""A cohort chooses when it meets and where it talks: votes, fixing a time, and the convenor's list."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from . import channels, meetings, notices
from .exceptions import Conflict, NotFound
from .language import gettext as _
from .language import lazy_gettext as lazy
from .meetings import Meeting
from .models import Cohort, FixedMeeting, MeetingVote, Membership, Signup
from .standing import enter, members_of

CHECKLIST: Final = ("meeting", "channel", "hello", "plan", "nudge")
"""What a convenor sees to, in this order. The first two tick themselves."""


class MeetingChanged(Conflict):
    """Somebody else fixed the meeting in the meantime."""

    said = lazy("Somebody else fixed the meeting in the meantime. Look at the new time before you change it.")


@dataclass(frozen=True, slots=True)
class Votes:
    """How many members each time suits, and which suit the one who asks."""

    counts: Mapping[Meeting, int]
    mine: Collection[Meeting]

    @property
    def favourite(self) -> Meeting | None:
        """The time that suits most, the first of several in their usual order; None without votes."""
        most = max(self.counts, key=self.counts.__getitem__, default=None)
        return most if most is not None and self.counts[most] else None


def votes_of(session: Session, cohort: Cohort, viewer: Signup | None = None) -> Votes:
    """Return the votes of the present members, the times in their usual order."""
    cast = session.execute(
        select(MeetingVote.zone, MeetingVote.slot, MeetingVote.signup_id)
        .join(
            Membership,
            (Membership.signup_id == MeetingVote.signup_id) & (Membership.cohort_id == MeetingVote.cohort_id),
        )
        .where(MeetingVote.cohort_id == cohort.id, Membership.until.is_(None))
    ).all()
    counted = Counter(Meeting(zone, slot) for zone, slot, _ in cast)
    counts = {each: counted[each] for each in meetings.of_cohort(cohort)}
    mine = {Meeting(zone, slot) for zone, slot, voter in cast if viewer is not None and voter == viewer.id}
    return Votes(counts, mine & counts.keys())


def version(cohort: Cohort) -> int:
    """Return how often the time of a cohort was fixed; whoever changes it says which they have seen."""
    return cohort.fixed[-1].sequence if cohort.fixed else 0


def may_convene(cohort: Cohort, signup: Signup) -> bool:
    """Tell whether a member may fix the meeting and say where to talk.

    Those may who offered to get it going; where nobody did, any member may.
    """
    members = members_of(cohort)
    convenors = [each for each in members if each.convenor] or members
    return any(each.id == signup.id for each in convenors)


def vote(session: Session, cohort: Cohort, signup: Signup, meeting: Meeting, *, suits: bool) -> None:
    """Say that a common block suits a member, or does not any more. Saying so twice changes nothing.

    Raises:
        Conflict: They have left the cohort, or it has ended.
        NotFound: The cohort has no such block.
    """
    enter(session, cohort, signup)
    if meeting not in meetings.of_cohort(cohort):
        raise NotFound(_("This is not a time that you all have in common."))
    known = session.get(MeetingVote, (cohort.id, signup.id, meeting.zone, meeting.slot))
    if suits and known is None:
        session.add(
            MeetingVote(cohort_id=cohort.id, signup_id=signup.id, zone=meeting.zone, slot=meeting.slot)
        )
    elif not suits and known is not None:
        session.delete(known)
    session.flush()


def fix(
    session: Session,
    cohort: Cohort,
    meeting: Meeting,
    at: datetime,
    *,
    seen: int,
    by: Signup | None = None,
) -> None:
    """Fix when a cohort meets every week, and write to its members.

    Args:
        session: Is flushed.
        cohort: Its memberships and run are loaded.
        meeting: One of the common blocks.
        at: Now; meetings that have begun stay where they were.
        seen: The version that whoever fixes has seen.
        by: The member who fixes it; None for the organiser, who sees to it that they may.

    Raises:
        MeetingChanged: Somebody else was faster; nothing is changed.
        Conflict: The member may not, has left, or the cohort has ended.
        NotFound: The cohort has no such block.
    """
    enter(session, cohort, by)
    if by is not None:
        _require_convenor(cohort, by)
    if meeting not in meetings.of_cohort(cohort):
        raise NotFound(_("This is not a time that you all have in common."))
    if version(cohort) != seen:
        raise MeetingChanged
    if cohort.fixed and meetings.weekly(cohort) == meeting:
        return
    cohort.fixed.append(
        FixedMeeting(
            sequence=seen + 1,
            zone=meeting.zone,
            slot=meeting.slot,
            fixed_at=at,
            signup_id=None if by is None else by.id,
        )
    )
    others = [each for each in members_of(cohort) if by is None or each.id != by.id]
    notices.enqueue_latest(session, notices.Kind.MEETING, *others)
    session.flush()


def set_channel(session: Session, cohort: Cohort, address: str, *, by: Signup | None = None) -> None:
    """Say where a cohort talks; an empty address takes it back.

    Raises:
        InvalidInput: It is no https address.
        Conflict: The member may not, has left, or the cohort has ended.
    """
    enter(session, cohort, by)
    if by is not None:
        _require_convenor(cohort, by)
    cohort.channel = channels.read(address)
    session.flush()


def tick(session: Session, cohort: Cohort, item: str, *, done: bool, by: Signup) -> None:
    """Note that something on the convenor's list is done, or is not.

    Raises:
        NotFound: The list has no such item.
        Conflict: The member may not, has left, or the cohort has ended.
    """
    enter(session, cohort, by)
    _require_convenor(cohort, by)
    if item not in CHECKLIST:
        raise NotFound
    kept = {each for each in cohort.ticks if each != item} | ({item} if done else set())
    cohort.ticks = [each for each in CHECKLIST if each in kept]
    session.flush()


def done(cohort: Cohort) -> set[str]:
    """Return what of the convenor's list is done."""
    by_itself = {"meeting": bool(cohort.fixed), "channel": bool(cohort.channel)}
    return {item for item in CHECKLIST if by_itself.get(item, item in cohort.ticks)}


def _require_convenor(cohort: Cohort, signup: Signup) -> None:
    if not may_convene(cohort, signup):
        raise Conflict(_("Somebody else in your cohort gets the meeting going; ask them."))

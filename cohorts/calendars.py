"""The meetings of cohorts as iCalendar (RFC 5545): a file, or an address that calendars look at again.

Each meeting is an event of its own, told apart by its cohort and its week. When the time is changed,
the events of the weeks to come move: they keep their UID and get a higher SEQUENCE, so that no
calendar shows a meeting twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from . import schedule
from .models import Cohort, Course, Membership
from .schedule import Occurrence

if TYPE_CHECKING:
    # Only calendars need the library, which takes a while to load.
    import icalendar

_DAY: Final = timedelta(days=1)
_MINUTE: Final = timedelta(minutes=1)
_LOOK_AGAIN: Final = "PT1H"
_END: Final = b"END:VCALENDAR\r\n"
_EVENTS: Final = 200
"""So many are written at once."""


@dataclass(frozen=True, slots=True)
class Stay:
    """From when to when somebody's calendar has the meetings of a cohort; open while ``until`` is None."""

    since: datetime
    until: datetime | None

    def covers(self, moment: datetime) -> bool:
        """Tell whether a moment lies in it."""
        return self.since <= moment and (self.until is None or moment < self.until)


@dataclass(frozen=True, slots=True)
class Entry:
    """One event: a meeting as it stands in somebody's calendar."""

    cohort: Cohort
    occurrence: Occurrence
    sequence: int
    changed_at: datetime
    is_cancelled: bool


def calendar(course: Course, cohorts: Iterable[Cohort]) -> Iterator[bytes]:
    """Yield the meetings of cohorts as a file, each in its anchor zone.

    The same cohorts give the same bytes.
    """
    return _pieces(course, [entry for cohort in cohorts for entry in of_cohort(course, cohort)])


def of_cohort(course: Course, cohort: Cohort) -> list[Entry]:
    """Return the events of a whole cohort; those after its end are cancelled."""
    began = cohort.run.published_at or cohort.run.created_at
    return list(_entries(course, cohort, [Stay(began, cohort.ended_at)]))


def of_learner(course: Course, memberships: Iterable[Membership]) -> list[Entry]:
    """Return the events of every cohort a learner is or was in; those after they left are cancelled."""
    stays: dict[int, tuple[Cohort, list[Stay]]] = {}
    for each in sorted(memberships, key=lambda each: (each.since, each.id)):
        found = stays.setdefault(each.cohort_id, (each.cohort, []))[1]
        found.append(Stay(each.since, each.until or each.cohort.ended_at))
    return [entry for cohort, found in stays.values() for entry in _entries(course, cohort, found)]


def changed_at(entries: Sequence[Entry]) -> datetime | None:
    """Return when a calendar was last changed, if there is anything in it."""
    return max((each.changed_at for each in entries), default=None)


def write(course: Course, entries: Sequence[Entry]) -> bytes:
    """Return events as iCalendar, with the clock changes of their zones."""
    return b"".join(_pieces(course, entries))


def _pieces(course: Course, entries: Sequence[Entry]) -> Iterator[bytes]:
    """Yield events as iCalendar: those of thousands of meetings take a second to be written."""
    import icalendar

    made = icalendar.Calendar()
    made.add("prodid", "-//cohorts//roster//EN")
    made.add("version", "2.0")
    made.add("method", "PUBLISH")
    made.add("x-wr-calname", course.title)
    made.add("refresh-interval", timedelta(hours=1), parameters={"VALUE": "DURATION"})
    made.add("x-published-ttl", _LOOK_AGAIN)
    starts = [entry.occurrence.start for entry in entries]
    for zone in sorted({str(start.tzinfo) for start in starts} - {"UTC"}):
        made.add_component(_zone_rules(zone, min(starts) - _DAY, max(starts) + 2 * _DAY))
    yield made.to_ical().removesuffix(_END)
    for first in range(0, len(entries), _EVENTS):
        yield b"".join(_event(course, entry).to_ical() for entry in entries[first : first + _EVENTS])
    yield _END


def _entries(course: Course, cohort: Cohort, stays: Sequence[Stay]) -> Iterator[Entry]:
    """Yield the events of one cohort for somebody who was in it during these stays, earliest first.

    Leaving and coming back are changes, too: each makes every number higher than it was before.
    """
    left = stays[-1].until
    comings_and_goings = 2 * len(stays) - (2 if left is None else 1)
    for each in schedule.of_cohort(course, cohort, until=left):
        if each.starts_at < stays[0].since:
            continue
        is_in = any(stay.covers(each.starts_at) for stay in stays)
        yield Entry(
            cohort,
            each,
            each.sequence + comings_and_goings,
            max(each.since, stays[-1].since, left or each.since, cohort.run.created_at),
            each.is_cancelled or not is_in,
        )


def _event(course: Course, entry: Entry) -> icalendar.Event:
    import icalendar

    meeting, cohort = entry.occurrence, entry.cohort
    event = icalendar.Event()
    event.add("uid", f"{cohort.key}-{meeting.week + 1}@cohorts")
    event.add("dtstamp", entry.changed_at)
    event.add("sequence", entry.sequence)
    event.add("status", _status(entry))
    event.add("summary", f"{course.title}: {cohort.name}")
    event.add("dtstart", _in_zone(meeting.start))
    event.add("duration", timedelta(minutes=course.meeting_minutes))
    if cohort.channel and not entry.is_cancelled:
        event.add("location", cohort.channel)
    return event


def _status(entry: Entry) -> str:
    """Return whether a meeting is off, agreed, or only proposed."""
    if entry.is_cancelled:
        return "CANCELLED"
    return "CONFIRMED" if entry.occurrence.is_fixed else "TENTATIVE"


def _in_zone(start: datetime) -> datetime:
    """Return a start as calendars want it: ``UTC`` has no rules to be sent along."""
    return start.replace(tzinfo=UTC) if start.tzinfo == ZoneInfo("UTC") else start


def _zone_rules(name: str, first: datetime, last: datetime) -> icalendar.Timezone:
    """Return the offsets that hold in a zone from ``first`` to ``last``.

    They are written change by change, because the library dates the clock's leap forward an hour late.
    """
    import icalendar

    zone = ZoneInfo(name)
    rules = icalendar.Timezone()
    rules.add("tzid", name)
    began = first.astimezone(UTC).replace(second=0, microsecond=0)
    for moment in (began, *_changes(zone, began, last.astimezone(UTC))):
        before = (moment - _MINUTE if moment != began else moment).astimezone(zone).utcoffset()
        local = moment.astimezone(zone)
        part = icalendar.TimezoneDaylight() if local.dst() else icalendar.TimezoneStandard()
        part.add("tzoffsetfrom", before)
        part.add("tzoffsetto", local.utcoffset())
        part.add("tzname", local.tzname())
        # The wall clock as it stood before the change.
        part.add("dtstart", (moment + (before or timedelta())).replace(tzinfo=None))
        rules.add_component(part)
    return rules


def _changes(zone: ZoneInfo, first: datetime, last: datetime) -> Iterator[datetime]:
    """Yield every minute in UTC from which another offset holds."""
    day = first
    while day < last:
        low, high = day, day + _DAY
        if low.astimezone(zone).utcoffset() != high.astimezone(zone).utcoffset():
            while high - low > _MINUTE:
                middle = low + (high - low) // 2 // _MINUTE * _MINUTE
                same = middle.astimezone(zone).utcoffset() == low.astimezone(zone).utcoffset()
                low, high = (middle, high) if same else (low, middle)
            yield high
        day += _DAY

"""The meetings of cohorts as iCalendar (RFC 5545)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from . import meetings
from .models import Cohort, Course

if TYPE_CHECKING:
    # Only calendars need the library, which takes a while to load.
    import icalendar

_DAY: Final = timedelta(days=1)
_MINUTE: Final = timedelta(minutes=1)


def calendar(course: Course, cohorts: Sequence[Cohort]) -> bytes:
    """Return the weekly meetings of cohorts as iCalendar, each in its anchor zone.

    The same cohorts give the same bytes, and a cohort's event keeps its UID for good.
    """
    import icalendar

    made = icalendar.Calendar()
    made.add("prodid", "-//cohorts//roster//EN")
    made.add("version", "2.0")
    made.add("method", "PUBLISH")
    made.add("x-wr-calname", course.title)
    found = [(cohort, starts) for cohort in cohorts if (starts := _starts(course, cohort))]
    for zone in sorted({meetings.of_cohort(cohort)[0].zone for cohort, _ in found} - {"UTC"}):
        starts = [start for _, each in found for start in each]
        made.add_component(_zone_rules(zone, min(starts) - _DAY, max(starts) + 2 * _DAY))
    for cohort, starts in found:
        made.add_component(_event(course, cohort, starts))
    content: bytes = made.to_ical()
    return content


def _starts(course: Course, cohort: Cohort) -> list[datetime]:
    """Return when a cohort meets by the best of its common blocks."""
    blocks = meetings.of_cohort(cohort)
    return meetings.occurrences(course, blocks[0]) if blocks else []


def _event(course: Course, cohort: Cohort, starts: Sequence[datetime]) -> icalendar.Event:
    import icalendar

    event = icalendar.Event()
    event.add("uid", f"{cohort.key}@cohorts")
    event.add("dtstamp", cohort.run.published_at or cohort.run.created_at)
    # A cohort that has ended is taken out of the calendars it was in.
    event.add("sequence", 1 if cohort.ended_at else 0)
    event.add("status", "CANCELLED" if cohort.ended_at else "CONFIRMED")
    event.add("summary", f"{course.title}: {cohort.name}")
    event.add("dtstart", _in_zone(starts[0]))
    event.add("duration", timedelta(minutes=course.meeting_minutes))
    event.add("rrule", {"freq": "weekly", "count": len(starts)})
    return event


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

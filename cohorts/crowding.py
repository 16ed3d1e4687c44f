"""How many cohorts meet at one time: no more than a facilitator can attend, where an organiser says so."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, date
from functools import lru_cache
from typing import Final

from .door import MatchSettings
from .meetings import Meeting, occurrences

SIMULTANEOUS: Final = "simultaneous"
"""The rule that is broken where more cohorts meet."""
_QUARTER: Final = 15 * 60
"""Every time zone is whole quarters of an hour from every other."""


class Crowd:
    """How many of some meetings are under way at each quarter of an hour of a course."""

    def __init__(self, settings: MatchSettings, meetings: Iterable[Meeting | None]) -> None:
        self._settings = settings
        self._most = settings.max_simultaneous
        self._busy: Counter[int] = Counter()
        for each in meetings:
            self.add(each)

    def add(self, meeting: Meeting | None) -> None:
        """Let one more cohort meet then."""
        if meeting is not None and self._most is not None:
            self._busy.update(self._quarters(meeting))

    def without(self, meetings: Iterable[Meeting | None]) -> Crowd:
        """Return the others, when the cohorts that meet then are looked at by themselves."""
        others = Crowd(self._settings, [])
        if self._most is not None:
            others._busy = self._busy.copy()
            for each in meetings:
                if each is not None:
                    others._busy.subtract(self._quarters(each))
        return others

    def has_room(self, meeting: Meeting | None) -> bool:
        """Tell whether one more cohort can meet then."""
        if meeting is None or self._most is None:
            return True
        return all(self._busy[each] < self._most for each in self._quarters(meeting))

    def _quarters(self, meeting: Meeting) -> frozenset[int]:
        settings = self._settings
        return _quarters(settings.start, settings.weeks, settings.meeting_minutes, meeting)


@lru_cache(maxsize=20_000)
def _quarters(start: date, weeks: int, minutes: int, meeting: Meeting) -> frozenset[int]:
    dates = MatchSettings(start=start, weeks=weeks, meeting_minutes=minutes)
    return frozenset(
        int(each.astimezone(UTC).timestamp()) // _QUARTER + piece
        for each in occurrences(dates, meeting)
        for piece in range(minutes // 15)
    )

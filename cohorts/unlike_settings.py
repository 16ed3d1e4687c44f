"""What was set differently in some runs, in words."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from . import goals
from .door import MatchSettings
from .language import date, number, percent
from .language import gettext as _
from .language import lazy_gettext as lazy
from .models import Course, Run


def _any_number(value: int | None) -> str:
    return _("any number") if value is None else number(value)


def _yes(value: bool) -> str:
    return _("yes") if value else _("no")


def _minutes(value: int) -> str:
    return _("%(num)s minutes", num=number(value))


def _seconds(value: float | None) -> str:
    return _("as long as it needs") if value is None else _("%(number)s seconds", number=number(value))


def _on_conflict(value: str) -> str:
    return _("leave those people out") if value == "unplace" else _("stop, and tell me whose")


_NAMED: Final[dict[str, tuple[Any, Callable[[Any], str]]]] = {
    "size_min": (lazy("Smallest cohort"), number),
    "target_size": (lazy("Best size of a cohort"), number),
    "size_max": (lazy("Largest cohort"), number),
    "meeting_minutes": (lazy("Length of a meeting"), _minutes),
    "start": (lazy("First day of the course"), date),
    "weeks": (lazy("Weeks of the course"), number),
    "convenor_required": (lazy("Every cohort has somebody who would get the first meeting going"), _yes),
    "max_simultaneous": (lazy("Cohorts that may meet at one time"), _any_number),
    "asynchronous": (
        lazy("People whose hours fit nobody's get a cohort without a fixed meeting"),
        _yes,
    ),
    "worst_off_weight": (lazy("Those who fit least count"), percent),
    "on_conflict": (lazy("If wishes contradict each other"), _on_conflict),
    "time_limit": (lazy("Time to search"), _seconds),
    "random_state": (lazy("Variant"), number),
}


def unlike(course: Course, runs: Sequence[Run]) -> list[tuple[str, list[str]]]:
    """Return each setting that is not the same in all of some runs: its name, and what it was in each.

    A run whose settings were not kept says that they are not known.
    """
    kept = [MatchSettings.from_json(run.parameters) if run.parameters else None for run in runs]
    found = []
    for name, (label, say) in _NAMED.items():
        values = [None if each is None else say(getattr(each, name)) for each in kept]
        found.append((str(label), values))
    labels = goals.labels(course)
    weighed = {key for each in kept if each for key in each.weights}
    for key in sorted(weighed, key=lambda key: (*labels, key).index(key)):
        values = [None if each is None else number(each.weights.get(key, 0.0)) for each in kept]
        found.append((_("Weight of “%(question)s”", question=labels.get(key, key)), values))
    return [
        (label, [_("not known") if value is None else value for value in values])
        for label, values in found
        if len(set(values) - {None}) > 1
    ]

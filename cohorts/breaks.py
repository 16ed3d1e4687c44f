"""Rules that a cohort made by hand would break: in words, and which of them an organiser may set aside."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from .crowding import SIMULTANEOUS
from .door import MatchSettings
from .language import gettext as _
from .language import ngettext
from .meetings import CHOSEN

PRIVATE: Final = "private"
"""Wishes that nobody else learns of: whom somebody avoids, or with what they do not want to be alone."""

_PRIVATE_RULES: Final = frozenset({"apart", "not the only one"})


def told(rules: Iterable[str]) -> list[str]:
    """Return the names under which broken rules may be kept and shown; which private wish it is stays so."""
    return list(dict.fromkeys(PRIVATE if rule in _PRIVATE_RULES else rule for rule in rules))


def may_set_aside(rules: Iterable[str]) -> bool:
    """Tell whether an organiser may set these rules aside; what somebody asked for privately always holds."""
    return PRIVATE not in rules


def words(rule: str, settings: MatchSettings, n_members: int) -> str:
    """Say which rule a cohort of so many members breaks."""
    if rule == "size":
        return _(
            "%(number)s members, where %(least)s to %(most)s are allowed",
            number=n_members,
            least=settings.size_min,
            most=settings.size_max,
        )
    if rule == "meeting":
        return _(
            "No time of %(minutes)s minutes suits all of them in every week",
            minutes=settings.meeting_minutes,
        )
    if rule == SIMULTANEOUS:
        return ngettext(
            "More than %(num)s cohort would meet at one time",
            "More than %(num)s cohorts would meet at one time",
            settings.max_simultaneous or 0,
        )
    return {
        CHOSEN: _("The weekly time that was chosen does not suit all of them"),
        "language": _("They share no language"),
        "shared answer": _("They gave different answers where a cohort has the same"),
        "together": _("Two people who asked to be together would be parted"),
        "past mates": _("People would meet again who were in a cohort together before"),
        "convenor": _("Nobody there is willing to get it going"),
        PRIVATE: _("Something that somebody asked for in private would not be kept"),
    }[rule]


def all_words(rules: Sequence[str], settings: MatchSettings, n_members: int) -> list[str]:
    """Say which rules a cohort of so many members breaks."""
    return [words(rule, settings, n_members) for rule in rules]

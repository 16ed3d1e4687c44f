"""What would have to give, so that those without a cohort get one: settings of a match, each changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from .door import MatchSettings
from .language import gettext as _
from .language import ngettext
from .models import Seat

MOST_SIZES: Final = 3


@dataclass(frozen=True, slots=True)
class Remedy:
    """One rule that could give.

    Attributes:
        key: What a form calls it.
        changes: The settings that differ, by name.
        words: What it would be, as one can press it.
        hint: What is to be expected of it.
    """

    key: str
    changes: Mapping[str, Any]
    words: str
    hint: str


def remedies(settings: MatchSettings, unplaced: Sequence[Seat]) -> list[Remedy]:
    """Return the rules of a match that could give for the sake of those who have no cohort."""
    if not unplaced:
        return []
    found = [_larger(size, unplaced) for size in _sizes(unplaced)]
    if not settings.asynchronous and len(unplaced) >= settings.size_min:
        found.append(
            Remedy(
                "asynchronous",
                {"asynchronous": True},
                _("Form cohorts without a fixed meeting"),
                _("For those whose hours have none in common; they write to each other instead."),
            )
        )
    if settings.convenor_required:
        found.append(
            Remedy(
                "convenor",
                {"convenor_required": False},
                _("Do without somebody who gets it going"),
                _("Not every cohort then has a member who is willing to convene it."),
            )
        )
    if settings.max_simultaneous is not None:
        found.append(
            Remedy(
                "simultaneous",
                {"max_simultaneous": None},
                _("Let any number of cohorts meet at one time"),
                _("A facilitator then cannot attend every meeting."),
            )
        )
    return found


def _sizes(unplaced: Sequence[Seat]) -> list[int]:
    return sorted({seat.size_max for seat in unplaced if seat.size_max is not None})[:MOST_SIZES]


def _larger(size: int, unplaced: Sequence[Seat]) -> Remedy:
    helped = sum(seat.size_max is not None and seat.size_max <= size for seat in unplaced)
    return Remedy(
        f"size-{size}",
        {"size_max": size},
        _("Allow %(size)s in a cohort", size=size),
        ngettext(
            "Size alone keeps %(num)s learner out who could then be seated.",
            "Size alone keeps %(num)s learners out who could then be seated.",
            helped,
        ),
    )

"""What would have to give, so that those without a cohort get one: settings of a match, each changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from .door import MatchSettings
from .language import gettext as _
from .language import ngettext
from .models import Cohort, Run, Seat, Signup
from .seats import can_talk

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
    if any(seat.language for seat in unplaced):
        found.append(_any_language(settings, [seat for seat in unplaced if seat.language]))
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


def _any_language(settings: MatchSettings, kept_out: Sequence[Seat]) -> Remedy:
    """Let the rule give for those whom it keeps out alone: everybody else still shares a language."""
    return Remedy(
        "language",
        {"any_language": tuple(sorted({*settings.any_language, *(seat.signup.key for seat in kept_out)}))},
        _("Seat %(name)s whatever the others speak", name=kept_out[0].signup.name)
        if len(kept_out) == 1
        else ngettext(
            "Seat %(num)s learner whatever the others speak",
            "Seat %(num)s learners whatever the others speak",
            len(kept_out),
        ),
        _(
            "Too few speak a language of theirs. Ask them first: their cohort may share no language with "
            "them, and its card says so."
        ),
    )


def note_languages(session: Session, run: Run, settings: MatchSettings) -> None:
    """Note which cohorts of a new proposal share no language, because that rule gave for a member."""
    if not settings.any_language:
        return
    session.flush()
    relaxed = select(Seat.cohort_id).join(Signup).where(Seat.run_id == run.id)
    cohorts = session.scalars(
        select(Cohort)
        .where(Cohort.id.in_(relaxed.where(Signup.key.in_(settings.any_language))))
        .options(selectinload(Cohort.seats).joinedload(Seat.signup))
    )
    for cohort in cohorts:
        if "language" not in cohort.set_aside and not can_talk([seat.signup for seat in cohort.seats]):
            cohort.set_aside = [*cohort.set_aside, "language"]


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

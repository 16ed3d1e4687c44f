"""How strongly two people are connected, from what is known of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Generic, TypeVar

HALF_LIFE: Final = timedelta(days=28)
"""After so long what somebody said, or did together with another, counts half."""


Person = TypeVar("Person", str, int)
"""What people are told apart by."""


@dataclass(frozen=True, slots=True)
class Contact(Generic[Person]):
    """One sign that somebody is connected with somebody else: who gave it, to whom, when, and how strong it
    is, 0 to 1.
    """

    giver: Person
    taker: Person
    at: datetime
    strength: float = 1.0


def strengths(
    contacts: Iterable[Contact[Person]], until: datetime, half_life: timedelta = HALF_LIFE
) -> dict[tuple[Person, Person], float]:
    """Return how strongly each pair is connected, 0 to 1, by the two in order.

    A contact fades by half in each ``half_life``. Of one side's contacts the first tells most: many bring
    that side near 1, never over it. Both sides count alike, so somebody who writes to everybody and is
    answered by nobody is connected by half at most.
    """
    missing: dict[tuple[Person, Person], float] = defaultdict(lambda: 1.0)
    for contact in contacts:
        if contact.giver != contact.taker:
            age = max(timedelta(0), until - contact.at)
            missing[contact.giver, contact.taker] *= 1.0 - contact.strength * 0.5 ** (age / half_life)
    found: dict[tuple[Person, Person], float] = defaultdict(float)
    for (giver, taker), left in missing.items():
        found[min(giver, taker), max(giver, taker)] += (1.0 - left) / 2
    return dict(found)

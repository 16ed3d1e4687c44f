"""Why these people: what they have in common, and who can help whom with what."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

from .answers import interest_key
from .models import Signup

Shows = Callable[[Signup], Collection[str]]
"""Returns the keys of the questions whose answers a member shows to their cohort."""


@dataclass(frozen=True, slots=True)
class Shared:
    """An interest, and the members who have it."""

    label: str
    members: list[Signup]


@dataclass(frozen=True, slots=True)
class Help:
    """That one member can help another with something."""

    helper: Signup
    helped: Signup
    topics: list[str]


@dataclass(frozen=True, slots=True)
class CommonGround:
    """What connects the members of a cohort.

    Attributes:
        shared: Interests of two members or more; those of the viewer first, then those of most.
        helps: Who can help whom; what concerns the viewer first.
    """

    shared: list[Shared]
    helps: list[Help]


def of_cohort(members: Sequence[Signup], viewer: Signup, shows: Shows) -> CommonGround:
    """Return what a viewer may know of what connects the members of their cohort, themselves included.

    Only answers that members show to their cohort count; the viewer sees their own in any case.
    """

    def told(member: Signup, key: str) -> list[str]:
        if member.id != viewer.id and key not in shows(member):
            return []
        value = getattr(member, key)
        return [each if isinstance(each, str) else each.label for each in value]

    def concerns_viewer(people: Iterable[Signup]) -> bool:
        return any(each.id == viewer.id for each in people)

    shared = sorted(
        _shared(members, told),
        key=lambda each: (not concerns_viewer(each.members), -len(each.members), each.label.casefold()),
    )
    helps = sorted(
        _helps(members, told), key=lambda each: (each.helped.id != viewer.id, each.helper.id != viewer.id)
    )
    return CommonGround(shared, helps)


def _shared(members: Sequence[Signup], told: Callable[[Signup, str], list[str]]) -> Iterator[Shared]:
    """Yield the interests that several members have, spelt as the first of them did."""
    labels: dict[str, str] = {}
    people: dict[str, dict[int, Signup]] = {}
    for member in members:
        for label in told(member, "interests"):
            key = interest_key(label)
            labels.setdefault(key, label)
            people.setdefault(key, {})[member.id] = member
    for key, found in people.items():
        if len(found) > 1:
            yield Shared(labels[key], list(found.values()))


def _helps(members: Sequence[Signup], told: Callable[[Signup, str], list[str]]) -> Iterator[Help]:
    for helped in members:
        wanted = {interest_key(label) for label in told(helped, "wants_help_with")}
        for helper in members:
            topics = [label for label in told(helper, "can_help_with") if interest_key(label) in wanted]
            if topics and helper.id != helped.id:
                yield Help(helper, helped, topics)

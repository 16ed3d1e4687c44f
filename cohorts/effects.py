"""What a change by hand would do to the cohorts it touches: score, times, and the rules they break."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Self

from . import breaks, meetings
from .crowding import SIMULTANEOUS, Crowd
from .door import MatchSettings, Scales
from .language import Sentence
from .meetings import Meeting
from .models import Cohort


@dataclass(frozen=True, slots=True)
class Figures:
    """A cohort as it is or would be: who is in it, by the ids of their sign-ups, and what it is worth.

    What is said about it and what each goal adds to its score is told of a cohort after a change alone.
    """

    members: list[int]
    score: float
    worth: float
    meetings: list[list[Any]]
    broken: list[str]
    reasons: list[Sentence]
    parts: dict[str, list[float]] | None = None


@dataclass(frozen=True, slots=True)
class Touched:
    """A cohort before a change and after it."""

    cohort_id: int
    before: Figures
    after: Figures

    @property
    def new_breaks(self) -> list[str]:
        """The rules that hold before the change and not after it."""
        return [rule for rule in self.after.broken if rule not in self.before.broken]


@dataclass(frozen=True, slots=True)
class Effect:
    """What a change would do: the learner sits in ``to_id`` then, and ``swap_id`` in their old seat."""

    to_id: int | None
    swap_id: int | None
    touched: list[Touched]

    @property
    def gain(self) -> float:
        """What all cohorts together are worth more."""
        return sum(each.after.worth - each.before.worth for each in self.touched)

    @property
    def new_breaks(self) -> list[str]:
        """The rules that this change would break."""
        return list(dict.fromkeys(rule for each in self.touched for rule in each.new_breaks))

    @property
    def is_possible(self) -> bool:
        """Whether an organiser may make this change at all."""
        return breaks.may_set_aside(self.new_breaks)

    @classmethod
    def from_json(cls, kept: dict[str, Any]) -> Self:
        """Return an effect that was kept with a weighing."""
        touched = [
            Touched(each["cohort_id"], Figures(**each["before"]), Figures(**each["after"]))
            for each in kept["touched"]
        ]
        return cls(kept["to_id"], kept["swap_id"], touched)


class Board:
    """Who sits where, and what a change would do to it."""

    def __init__(
        self,
        scales: Scales,
        settings: MatchSettings,
        labels: Mapping[str, str],
        cohorts: Sequence[Cohort],
        homes: Mapping[int, int | None],
    ) -> None:
        """Take the cohorts, and the home of each learner by the id of their sign-up."""
        self._scales, self._labels = scales, labels
        self._cohorts = {each.id: each for each in cohorts}
        # Those that a match left without a meeting need none; those that lost theirs by hand do.
        self._without = {
            each.id
            for each in cohorts
            if settings.asynchronous and not each.meetings and "meeting" not in each.set_aside
        }
        self._times = {each.id: meetings.weekly(each) for each in cohorts}
        self._crowd = Crowd(settings, self._times.values())
        self._home = homes
        self._members: dict[int | None, list[int]] = defaultdict(list, {each.id: [] for each in cohorts})
        for signup_id, cohort_id in sorted(homes.items()):
            self._members[cohort_id].append(signup_id)
        self._known: dict[tuple[int, tuple[int, ...]], Figures] = {}

    def moves(self, learner: int, to: Sequence[int | None] = ()) -> Iterator[Effect]:
        """Move a learner to each of some cohorts; usually to all others, and to none."""
        home = self._home[learner]
        for there in to or self._members:
            if there != home:
                yield Effect(there, None, self._touched({home: (learner, None), there: (None, learner)}))
        if not to and home is not None and None not in self._members:
            yield Effect(None, None, self._touched({home: (learner, None)}))

    def swaps(self, learner: int, there: int) -> Iterator[Effect]:
        """Let a learner change places with each member of a cohort."""
        home = self._home[learner]
        if home == there:
            return
        for other in self._members[there]:
            yield Effect(there, other, self._touched({home: (learner, other), there: (other, learner)}))

    def with_reasons(self, effect: Effect) -> Effect:
        """Add what is said about the cohorts after a change."""
        touched = []
        for each in effect.touched:
            members, asynchronous = each.after.members, each.cohort_id in self._without
            after = asdict(each.after) | {
                "reasons": self._scales.reasons(members, self._labels, asynchronous=asynchronous),
                "parts": self._scales.parts(members, asynchronous=asynchronous),
            }
            touched.append(Touched(each.cohort_id, each.before, Figures(**after)))
        return Effect(effect.to_id, effect.swap_id, touched)

    def _touched(self, changes: dict[int | None, tuple[int | None, int | None]]) -> list[Touched]:
        found = []
        for cohort_id, (leaves, comes) in changes.items():
            if cohort_id is None:
                continue
            before = self._members[cohort_id]
            after = [each for each in before if each != leaves]
            after = after if comes is None else sorted([*after, comes])
            found.append(Touched(cohort_id, self._weigh(cohort_id, before), self._weigh(cohort_id, after)))
        crowd = self._crowd.without(self._times[each.cohort_id] for each in found)
        return [self._at_times(each, crowd) for each in found]

    def _at_times(self, touched: Touched, crowd: Crowd) -> Touched:
        """See to when a cohort meets, where ``crowd`` are the others: its best time with room comes first.

        A time that somebody decided for holds, or it is a rule that breaks.
        """
        cohort = self._cohorts[touched.cohort_id]
        now_at = self._times[cohort.id]
        is_crowded = not self._crowd.without([now_at]).has_room(now_at)
        before = _breaking(cohort, touched.before, is_crowded=is_crowded)
        blocks = [Meeting(*each) for each in touched.after.meetings]
        wish = meetings.wanted(cohort)
        time = wish if wish in blocks or cohort.fixed else next(filter(crowd.has_room, blocks), None)
        if time in blocks:
            blocks = [time, *(each for each in blocks if each != time)]
        time = time or next(iter(blocks), None)
        ordered = replace(touched.after, meetings=[[each.zone, each.slot] for each in blocks])
        after = _breaking(cohort, ordered, is_crowded=not crowd.has_room(time))
        crowd.add(time)
        return Touched(cohort.id, before, after)

    def _weigh(self, cohort_id: int, members: Sequence[int]) -> Figures:
        known = (cohort_id, tuple(members))
        if known not in self._known:
            found = self._scales.weigh(members, asynchronous=cohort_id in self._without)
            self._known[known] = Figures(
                list(members), found.score, found.worth, found.meetings, breaks.told(found.broken), []
            )
        return self._known[known]


def _breaking(cohort: Cohort, figures: Figures, *, is_crowded: bool) -> Figures:
    """Add what a cohort breaks by the time at which it meets."""
    wish = meetings.wanted(cohort)
    more = [SIMULTANEOUS] if is_crowded else []
    if wish is not None and figures.members and [wish.zone, wish.slot] not in figures.meetings:
        more.append(meetings.CHOSEN)
    return replace(figures, broken=[*figures.broken, *more])

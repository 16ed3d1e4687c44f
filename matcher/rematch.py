"""The recipe for cohorts that stand already: seat people again with the least disturbance.

Cohorts with enough members are left alone: people may join them, nobody is moved out of them who did not
ask. One with too few is filled, merged with another, or closed along its members' connections. New cohorts
are formed of those who are left.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import compress
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from matcher.checks import CROWDED, crowded, own_scores
from matcher.exceptions import InvalidPool, MatcherError
from matcher.matching import Meeting, Share, Unplaced
from matcher.meetings import count_blocks
from matcher.params import Params
from matcher.pool import Pool
from matcher.preview import Preview
from matcher.problem import Problem, build_problem, take
from matcher.progress import Progress, Watch
from matcher.said import Hours, Said, say, say_number
from matcher.standing import Change, Seats, Standing, build_seats, check_standing, is_in_need, ties_of
from matcher.units import contradictions

if TYPE_CHECKING:
    from matcher.affinity import Affinity
    from matcher.crowding import Crowding
    from matcher.seating import Opening, Reseated

Cohort = tuple[int, ...]

# More learners than this are too many for affinities of all pairs.
MOST = 10_000


@dataclass(frozen=True, slots=True)
class CohortAfter:
    """A cohort after a rematch.

    Attributes:
        members: indices into the pool.
        place: which of the standing cohorts it is; None for a new one.
        score: what it is worth to its average member, 0 to 1.
        meetings: its common blocks, the fixed one first.
        own_scores: what it is worth to each member.
        reasons: why these people.
        broken: in words, each rule that it does not keep: it stood so before, and nothing could be done.
        asynchronous: whether it does without a meeting.
        shares: what each goal adds to the score.
    """

    members: Cohort
    place: int | None
    score: float
    meetings: tuple[Meeting, ...]
    own_scores: tuple[float, ...]
    reasons: tuple[Said, ...]
    broken: tuple[str, ...] = ()
    asynchronous: bool = False
    shares: tuple[Share, ...] = ()


@dataclass(frozen=True, slots=True)
class Move:
    """Somebody who sits elsewhere afterwards.

    Attributes:
        learner: index into the pool.
        before: the standing cohort they were in, by its place; None for somebody without a cohort.
        after: their cohort, a place in `Rematching.cohorts`; None for somebody who loses their seat.
        reasons: why, in words that name nobody.
        score_before, score_after: what the cohort is worth to them; None without one.
        knows: indices of those they are connected with in the cohort they join.
    """

    learner: int
    before: int | None
    after: int | None
    reasons: tuple[Said, ...]
    score_before: float | None
    score_after: float | None
    knows: Cohort = ()

    @property
    def is_move(self) -> bool:
        """Whether a member of a cohort comes into another one."""
        return self.before is not None and self.after is not None


@dataclass(frozen=True)
class Rematching:
    """The cohorts of a pool after a rematch, and who sits elsewhere than before.

    `objective` counts what the cohorts are worth, and what ties and moves weigh (see `matcher.standing`); no
    way to seat people again passes `bound`. `scores_before` are those of the standing cohorts.
    """

    pool: Pool
    params: Params
    standing: tuple[Standing, ...]
    cohorts: tuple[CohortAfter, ...]
    moves: tuple[Move, ...]
    unplaced: tuple[Unplaced, ...]
    objective: float
    bound: float
    gap: float
    seconds: float
    stopped: bool = False
    ties: Sequence[Mapping[int, float]] = field(default_factory=tuple, repr=False)
    scores_before: tuple[float, ...] = ()

    @property
    def n_placed(self) -> int:
        """How many learners have a cohort."""
        return sum(len(cohort.members) for cohort in self.cohorts)

    @property
    def n_moved(self) -> int:
        """How many members of a cohort come into another one."""
        return sum(move.is_move for move in self.moves)

    @property
    def mean_score(self) -> float:
        """The mean over placed learners of what their cohort is worth to them, 0 when nobody is placed."""
        own = [score for cohort in self.cohorts for score in cohort.own_scores]
        return float(np.mean(own)) if own else 0.0

    @property
    def connections_kept(self) -> int:
        """How many pairs who are connected shared a cohort before and still do."""
        return self._pairs(together_before=True)

    @property
    def connections_joined(self) -> int:
        """How many pairs who are connected share a cohort now and did not before."""
        return self._pairs(together_before=False)

    def _pairs(self, *, together_before: bool) -> int:
        before = {i: place for place, one in enumerate(self.standing) for i in one.members}
        after = {i: place for place, one in enumerate(self.cohorts) for i in one.members}
        return sum(
            i < j
            and after.get(i, -1) == after.get(j, -2)
            and (before.get(i, -1) == before.get(j, -2)) is together_before
            for i, ties in enumerate(self.ties)
            for j in ties
        )


def rematch(
    pool: Pool,
    params: Params,
    standing: Sequence[Standing],
    change: Change | None = None,
    *,
    affinity: Affinity | ArrayLike | None = None,
    progress: Callable[[Progress], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> Rematching:
    """Seat people again with the least disturbance.

    `pool` holds everybody who takes part now: those in the `standing` cohorts and those without one. Who
    dropped out is not in it. Their `connections` say whom they know, `apart` and `past_mates` whom they do
    not come together with (again). The result keeps every rule of a match, but for cohorts that broke one
    before and cannot be helped; these say so. The same input gives the same result, unless the time limit
    cuts the search.

    Raises:
        InvalidPool: an answer is not of its question's kind, or `standing` does not fit the pool.
    """
    change = change or Change()
    check_standing(pool, standing, change)
    if len(pool) > MOST:
        raise InvalidPool(f"only pools of up to {MOST:,} learners can be rematched, not {len(pool):,}")
    # Deferred, as in `matcher.match`: compiled kernels and scikit-learn take a moment to load.
    from matcher.affinity import dense
    from matcher.company import Company
    from matcher.solve import warm_up

    # Compiling, which only the first run does, is not counted against the time limit.
    warm_up(params, again=True)
    watch = Watch(params.seconds_allowed(len(pool)), progress, should_stop)
    watch.report(0.02, say("Comparing answers"))
    preview = Preview(pool, params, affinity)
    p = build_problem(pool, params, preview.hours, dense(preview.affinity, watch.tick))
    possible = Company(p, params, preview, standing, change).possible()
    if possible is not pool:
        pool, preview = possible, Preview(possible, params, p.affinity)
        p = build_problem(pool, params, preview.hours, p.affinity)
    scene = _Scene(pool, params, tuple(standing), change, p, preview)
    reseated = scene.seat(watch)
    watch.report(0.95, say("Checking the rules"))
    found = _Told(scene, reseated).rematching(watch)
    watch.report(1.0, say("Done"), found.objective, found.bound)
    return found


@dataclass(frozen=True)
class _Scene:
    """A pool and its cohorts, ready to be seated again; `preview` scores any cohort."""

    pool: Pool
    params: Params
    standing: tuple[Standing, ...]
    change: Change
    p: Problem
    preview: Preview

    def seat(self, watch: Watch) -> Reseated:
        """Find the best seats."""
        # Deferred: OR-Tools takes a third of a second to import.
        from matcher.seating import Seating
        from matcher.seats import reseat

        openings = [self._opening(c) for c in range(len(self.standing))]
        kept = {i for each in openings for i in each.kept}
        people = [i for i in range(len(self.pool)) if i not in kept and i not in self.barred]
        home = {i for cohort in self.standing for i in cohort.members}
        people += [i for i in home - kept if i in self.barred]
        along = {i for i in home if not self._unit(i).isdisjoint(self.change.asked)}
        q = build_seats(
            self.pool,
            self.params.size_max,
            self.standing,
            home - kept,
            along,
            self.change,
            self.preview.meetings,
        )
        if self.params.max_simultaneous is not None:
            self._guard_the_living(q, home - kept)
        seating = Seating(
            self.p,
            q,
            openings,
            np.array(sorted(people), dtype=np.int32),
            self.change,
            self.crowding,
        )
        watch.report(0.15, say("Finding seats"))
        return reseat(
            seating,
            lambda: self._new_cohorts(seating.people, watch),
            self.change.max_moves,
            watch,
            self.params.random_state,
        )

    def _guard_the_living(self, q: Seats, movable: set[int]) -> None:
        """Make a seat in a living cohort dearer than all in small ones together, which may want its time."""
        small = {i for one in self.standing if is_in_need(one, self.params) for i in one.members}
        dearer = q.seat * len(small & movable)
        for i in movable - small:
            q.stays[i] += dearer
            q.goes[i] += dearer

    @cached_property
    def crowding(self) -> Crowding | None:
        """The times of cohorts, where only so many may meet at one time."""
        if self.params.max_simultaneous is None:
            return None
        # Deferred: OR-Tools.
        from matcher.crowding import Crowding

        return Crowding(self.params, self.standing, self.preview.meetings)

    @cached_property
    def barred(self) -> dict[int, Said | None]:
        """Whom no cohort can seat, whatever the others do."""
        return contradictions(self.p)

    def _opening(self, c: int) -> Opening:
        """Who stays in a standing cohort: all but those who asked for another, and their company; newcomers
        who are to be with those who stay come in. From one with too few, all may go.
        """
        from matcher.seating import Opening

        cohort = self.standing[c]
        inside, units = set(cohort.members), [self._unit(i) for i in cohort.members]
        stay = {i for unit in units for i in unit if unit.isdisjoint(self.change.asked)}
        if is_in_need(cohort, self.params):
            own = {i for i in stay & inside if self._unit(i) <= inside}
            return Opening(c, (), tuple(sorted(own)), in_need=True)
        is_open = len(stay) < self.params.size_max and not cohort.asynchronous
        return Opening(c, tuple(sorted(stay)), is_open=is_open)

    def _unit(self, i: int) -> set[int]:
        """A learner and those who are to be together with them."""
        start, unit = self.p.unit_start, self.p.unit[i]
        return set(self.p.unit_members[start[unit] : start[unit + 1]].tolist())

    def _new_cohorts(self, people: NDArray[np.int32], watch: Watch) -> list[Cohort]:
        """Cohorts that those who might move could form among themselves, as a match of them alone would."""
        from matcher.solve import search

        rows = people[~np.isin(people, list(self.barred))].astype(np.intp)
        if len(rows) < self.params.size_min:
            return []
        part = take(self.p, rows)._replace(affinity=self.p.affinity[np.ix_(rows, rows)])
        active, seen = np.arange(len(rows), dtype=np.int32), dict[Cohort, float]()
        search(part, self.params, active, seen, True, watch.beside())
        return sorted(tuple(rows[list(members)].tolist()) for members in seen)


class _Told:
    """Says what a rematch changes, and why."""

    def __init__(self, scene: _Scene, reseated: Reseated) -> None:
        self.scene, self.reseated = scene, reseated
        self.pool, self.params, self.preview = scene.pool, scene.params, scene.preview
        self.ties = ties_of(scene.pool)
        self.times = self._times()
        going_on = sorted(reseated.going_on.items())
        self.cohorts = [self._cohort(members, place) for place, members in going_on]
        self.cohorts += [self._cohort(members, None) for members in reseated.new]
        self.home = {i: c for c, cohort in enumerate(scene.standing) for i in cohort.members}

    def rematching(self, watch: Watch) -> Rematching:
        """All of it.

        Raises:
            MatcherError: a cohort that was changed breaks a rule. That is a fault of the matcher.
        """
        scene, found = self.scene, self.reseated
        after = {i: k for k, cohort in enumerate(self.cohorts) for i in cohort.members}
        changed = [i for i in range(len(self.pool)) if self._sits_elsewhere(i, after.get(i))]
        before = self._scores_before({self.home[i] for i in changed if i in self.home})
        moves = tuple(self._move(i, after.get(i), before) for i in changed)
        return Rematching(
            pool=self.pool,
            params=self.params,
            standing=scene.standing,
            cohorts=tuple(self.cohorts),
            moves=moves,
            unplaced=self._unplaced(after),
            objective=found.objective,
            bound=found.bound,
            gap=(found.bound - found.objective) / found.bound
            if found.bound - found.objective > 1e-6
            else 0.0,
            seconds=watch.elapsed,
            stopped=watch.stopped,
            ties=self.ties,
            scores_before=tuple(
                self.preview.score(one.members, one.asynchronous).score for one in scene.standing
            ),
        )

    def _cohort(self, members: Cohort, place: int | None) -> CohortAfter:
        standing = None if place is None else self.scene.standing[place]
        asynchronous = standing is not None and standing.asynchronous
        check = self.preview.score(members, asynchronous)
        if check.broken and (standing is None or not set(members) <= set(standing.members)):
            raise MatcherError(
                f"the matcher made a cohort that breaks its own rules: {check.broken}; please report this"
            )
        meetings = self._fixed_first(check.meetings, None if standing is None else standing.meeting)
        kept = meetings if self.times is None else self._kept(members, meetings)
        return CohortAfter(
            members=members,
            place=place,
            score=check.score,
            meetings=kept,
            own_scores=self._own_scores(members, asynchronous),
            reasons=self.preview.reasons.of(members, meetings, kept) if kept else (),
            broken=(*check.broken, *((CROWDED,) if self._is_crowded(members, place) else ())),
            asynchronous=asynchronous,
            shares=self.preview.shares(members, asynchronous),
        )

    def _times(self) -> dict[Cohort, Meeting] | None:
        """When each cohort meets, where only so many may at one time; None where any number may.

        Raises:
            MatcherError: a cohort that has another time than before is one too many then.
        """
        if self.scene.crowding is None:
            return None
        from matcher.crowding import meet

        cohorts = [*self.reseated.going_on.items(), *((-1, members) for members in self.reseated.new)]
        return meet(self.scene.crowding, cohorts, self.reseated.untimed)

    @cached_property
    def crowded(self) -> set[Cohort]:
        """The cohorts at whose time more meet than may.

        Raises:
            MatcherError: one of them did not meet then before. That is a fault of the matcher.
        """
        times = self.times or {}
        found = set(compress(times, crowded(self.params, list(times.values()))))
        before = {place: one.meeting for place, one in enumerate(self.scene.standing)}
        stood = {m for place, m in self.reseated.going_on.items() if before[place] == times.get(m)}
        if found - stood:
            raise MatcherError("the matcher let too many cohorts meet at one time; please report this")
        return found

    def _is_crowded(self, members: Cohort, place: int | None) -> bool:
        return members in self.crowded or place in self.reseated.untimed

    def _kept(self, members: Cohort, meetings: tuple[Meeting, ...]) -> tuple[Meeting, ...]:
        """The one of some meetings that a cohort keeps."""
        kept = (self.times or {}).get(members)
        if kept is None or not meetings:
            return ()
        place = self.preview.meetings.place
        return (next((each for each in meetings if place(each) == place(kept)), kept),)

    def _fixed_first(self, meetings: tuple[Meeting, ...], fixed: Meeting | None) -> tuple[Meeting, ...]:
        if fixed is None:
            return meetings
        place = self.preview.meetings.place
        return tuple(sorted(meetings, key=lambda each: place(each) != place(fixed)))

    def _own_scores(self, members: Cohort, asynchronous: bool = False) -> tuple[float, ...]:
        rows = np.array(members, dtype=np.intp)
        among = self.preview.affinity.between(rows, rows)
        blocks = 0.0 if asynchronous else count_blocks(self.preview.hours, members)
        return own_scores(self.pool, self.params, among, members, blocks)

    def _sits_elsewhere(self, i: int, after: int | None) -> bool:
        if after is None:
            return i in self.home
        return self.cohorts[after].place is None or self.cohorts[after].place != self.home.get(i)

    def _scores_before(self, places: Collection[int]) -> dict[int, float]:
        """What their cohort, as it stands, is worth to the members of some cohorts."""
        found: dict[int, float] = {}
        for place in places:
            one = self.scene.standing[place]
            found.update(zip(one.members, self._own_scores(one.members, one.asynchronous), strict=True))
        return found

    def _move(self, i: int, after: int | None, before: Mapping[int, float]) -> Move:
        if after is None:
            return Move(i, self.home[i], None, tuple(self._leaving(i, seated=False)), before[i], None)
        cohort = self.cohorts[after]
        knows = tuple(sorted(j for j in cohort.members if j in self.ties[i]))
        return Move(
            learner=i,
            before=self.home.get(i),
            after=after,
            reasons=(*self._leaving(i, seated=True), *self._joining(i, cohort, knows)),
            score_before=before.get(i),
            score_after=cohort.own_scores[cohort.members.index(i)],
            knows=knows,
        )

    def _leaving(self, i: int, *, seated: bool) -> list[Said]:
        if i not in self.home:
            return []
        cohort = self.scene.standing[self.home[i]]
        if i in self.scene.change.asked:
            said = say("Asked for another cohort.")
        elif is_in_need(cohort, self.params):
            said = say_number(
                "The cohort they were in has come down to %(num)s person.",
                "The cohort they were in has come down to %(num)s people.",
                len(cohort.members),
            )
        else:
            said = say("Comes along with somebody they asked to be with.")
        return [said] if seated else [said, say("No other cohort can take them now.")]

    def _joining(self, i: int, cohort: CohortAfter, knows: Cohort) -> list[Said]:
        others = len(cohort.members) - 1
        said = []
        if cohort.meetings:
            first = cohort.meetings[0]
            said.append(
                say_number(
                    "Free on %(hours)s (%(zone)s), as is the other one.",
                    "Free on %(hours)s (%(zone)s), as are all %(num)s others.",
                    others,
                    hours=Hours(first.slot, self.params.block_slots),
                    zone=first.zone,
                )
            )
        if knows:
            said.append(
                say_number(
                    "Is connected with %(num)s of them.", "Is connected with %(num)s of them.", len(knows)
                )
            )
        shared = self.preview.reasons.in_common(i, cohort.members)
        if shared:
            said.append(say("Has in common with others there: %(answers)s.", answers=shared))
        return said

    def _unplaced(self, after: Mapping[int, int]) -> tuple[Unplaced, ...]:
        # Deferred: kernels take a moment to load.
        from matcher.unplaced import UnplacedReasons

        reasons = UnplacedReasons(self.pool, self.params, self.preview.hours, self.scene.p, self.cohorts)
        return tuple(reasons.of(i, self.scene.barred.get(i)) for i in range(len(self.pool)) if i not in after)

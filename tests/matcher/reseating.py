"""All ways to seat people again, by brute force: what `rematch` has to equal where they are few."""

import datetime as dt
from dataclasses import replace
from functools import cache
from itertools import combinations
from zoneinfo import ZoneInfo

import numpy as np

from matcher import Pool
from matcher.affinity import pool_affinity
from matcher.checks import plain_score
from matcher.pool import mutual_groups
from matcher.rules import CommonBlock, Together, rules_of
from matcher.score import PLACED
from matcher.standing import NEW_TIME, WISH, seat_worth


class BruteForce:
    """All ways to seat people again, valued from the definitions.

    A cohort that keeps the rules keeps them; one that breaks some either is healed by who joins, or is left
    as it is. One with too few goes on with those who did not ask to leave, or closes.
    """

    def __init__(self, pool, scene):
        # The pool may be without wishes that would cost a seat.
        self.pool, self.params, self.change = pool, scene.params, scene.change
        self.standing = scene.standing
        self.low = scene.params.size_min
        self.home = {i: c for c, one in enumerate(scene.standing) for i in one.members}
        self.unit = {i: set(group) for group in mutual_groups(pool) for i in group}
        self.rules = [rule for rule in rules_of(pool, scene.params) if not isinstance(rule, CommonBlock)]
        self.affinity = pool_affinity(pool, scene.params)
        self.seat = seat_worth(scene.params.size_max, scene.change)
        self.ties = [
            {
                other.id: max(one.connections.get(other.id, 0), other.connections.get(one.id, 0))
                for other in pool.learners
                if other is not one and other.id not in one.apart and one.id not in other.apart
            }
            for one in pool.learners
        ]
        zones = {"UTC", *(one.time_zone for one in pool.learners)}
        strict = Pool(tuple(replace(one, if_needed=frozenset()) for one in pool.learners))
        self.suits, self.suits_freely = (
            {
                (zone, slot): {i for i in range(len(pool)) if block.holds([i], zone, slot)}
                for zone in zones
                for slot in range(336)
            }
            for block in (CommonBlock(pool, scene.params), CommonBlock(strict, scene.params))
        )
        self.kept = {c: self._kept(one) for c, one in enumerate(scene.standing)}
        kept = {i for members in self.kept.values() for i in members}
        self.people = [i for i in range(len(pool)) if i not in kept]

    def in_need(self, c):
        return len(self.standing[c].members) < self.low

    def _kept(self, one):
        if len(one.members) < self.low:
            return ()
        stay = [self.unit[i] for i in one.members if self.unit[i].isdisjoint(self.change.asked)]
        return tuple(sorted(set().union(*stay)))

    def keeps_rules(self, members, but=()):
        return any(
            set(members) <= who for place, who in self.suits.items() if self._may_anchor(place[0], members)
        ) and not any(True for r in self.rules if not isinstance(r, but) for _ in r.broken(members))

    def _may_anchor(self, zone, members):
        return zone == "UTC" or zone in {self.pool.learners[i].time_zone for i in members}

    def blocks(self, members):
        zones = {"UTC", *(self.pool.learners[i].time_zone for i in members)}
        counted = [
            [
                sum(set(members) <= suits[zone, slot] for slot in range(336))
                for suits in (self.suits, self.suits_freely)
            ]
            for zone in zones
        ]
        return max((sum(each) if each[0] else 0) for each in counted) / 2

    def worth(self, c, members):
        among = self.affinity[np.ix_(members, members)]
        value = len(members) * (
            PLACED + plain_score(self.pool, self.params, among, members, self.blocks(members))
        )
        stay = [i for i in members if c >= 0 and self.home.get(i) == c]
        value += sum(self.stays(i) for i in stay)
        value += sum(self.comes(i, members) for i in members if i not in stay)
        fixed = self.standing[c].meeting if c >= 0 else None
        if fixed and not CommonBlock(self.pool, self.params).holds(members, fixed.zone, fixed.slot):
            value -= NEW_TIME * len(stay)
        return value

    def stays(self, i):
        if i not in self.people:
            return 0.0
        return self.seat_of(i) - WISH * (i in self.change.asked)

    def seat_of(self, i):
        return self.seat

    def comes(self, i, members):
        ties = {self.pool.index()[other]: strength for other, strength in self.ties[i].items()}
        value = self.change.tie_reward * max([0.0, *(ties.get(j, 0.0) for j in members)])
        if i in self.home:
            one = self.standing[self.home[i]]
            value -= self.change.tie_cost * sum(ties.get(j, 0.0) for j in one.members if j not in members)
            value += self.seat_of(i)
            along = not self.unit[i].isdisjoint(self.change.asked)
            value -= 0.0 if along else self.change.move_cost * (1 + one.since)
            again = any(j in one.members and j not in self.unit[i] for j in members)
            value -= WISH * (again and i in self.change.asked)
        return value

    def ways(self, c):
        """Each choice of people who are in a standing cohort, and what it is worth."""
        one, kept = self.standing[c], self.kept[c]
        there = [i for i in self.people if self.home.get(i) == c]
        own = [
            i for i in there if self.in_need(c) and self.unit[i] <= set(one.members) - set(self.change.asked)
        ]
        whole = (*kept, *there)
        broken = not self.keeps_rules(whole, but=Together)
        for some in subsets([i for i in self.people if i not in own]):
            people = (*own, *some)
            members = tuple(sorted((*kept, *people)))
            joins = [i for i in people if i not in there]
            if not set(members) & set(one.members):
                continue
            if self.keeps_rules(members) and (not joins or self.can_join(c, some)):
                yield people, self.worth(c, members)
            elif joins:
                continue
            elif self.in_need(c):
                if self.change.keep_small and len(people) > 1:
                    yield people, sum(map(self.stays, people))
            elif people == tuple(there) or (broken and len(members) >= self.low):
                yield people, PLACED * len(members) + sum(map(self.stays, people))
        if self.in_need(c) or not kept:
            yield (), 0.0

    def can_join(self, c, some):
        fixed = self.standing[c].meeting
        if fixed is None or self.in_need(c) or self.change.move_meetings:
            return True
        return CommonBlock(self.pool, self.params).holds(some, fixed.zone, fixed.slot)

    def best(self):
        ways = [list(self.ways(c)) for c in range(len(self.standing))]
        new = [
            (some, self.worth(-1, some))
            for some in subsets(self.people)
            if len(some) >= 2 and self.keeps_rules(some)
        ]
        most = self.change.max_moves

        @cache
        def found(c, left, moves):
            if c == len(ways):
                return self._best_new(left, moves, new, found_new)
            values = [
                value + found(c + 1, left - frozenset(some), moves - self.n_moves(some, c))
                for some, value in ways[c]
                if left >= set(some) and self.n_moves(some, c) <= moves
            ]
            return max(values, default=-np.inf)

        @cache
        def found_new(left, moves):
            return self._best_new(left, moves, new, found_new)

        return found(0, frozenset(self.people), np.inf if most is None else most)

    def _best_new(self, left, moves, new, again):
        if not left:
            return 0.0
        first = min(left)
        with_first = [
            value + again(left - frozenset(some), moves - self.n_moves(some, -1))
            for some, value in new
            if min(some) == first and left >= set(some) and self.n_moves(some, -1) <= moves
        ]
        return max([again(left - {first}, moves), *with_first])

    def n_moves(self, some, c):
        return sum(self.home.get(i, c) != c for i in some)


class BruteForceOfTimes(BruteForce):
    """The same where only so many cohorts may meet at one time: every choice, the best first, is tried with
    every time.
    """

    def seat_of(self, i):
        # Times are short: nobody in a living cohort is to lose a seat for all those in small ones.
        if self.in_need(self.home[i]):
            return self.seat
        return self.seat * (1 + sum(self.in_need(self.home[j]) for j in self.people if j in self.home))

    def best(self):
        found = [(0.0, (), frozenset(self.people), 0)]
        for c in range(len(self.standing)):
            ways = [(*way, times) for way in self.ways(c) for times in self._times(c, *way)]
            found = [
                (so_far + value - weighs, (*held, times), left - set(some), moves + self.n_moves(some, c))
                for so_far, held, left, moves in found
                for some, value, (times, weighs) in ways
                if left >= set(some)
            ]
        new = [
            (set(some), self.worth(-1, some), ("new", self._shared(some)), self.n_moves(some, -1))
            for some in subsets(self.people)
            if len(some) >= 2 and self.keeps_rules(some)
        ]
        whole = []
        while found:
            whole += found
            found = [
                (
                    so_far + value,
                    (*held, times),
                    frozenset(i for i in left - some if i > min(some)),
                    moves + n,
                )
                for so_far, held, left, moves in found
                for some, value, times, n in new
                if left >= some
            ]
        most = np.inf if self.change.max_moves is None else self.change.max_moves
        allowed = ((value, held) for value, held, _, moves in whole if moves <= most)
        best_first = sorted(allowed, key=lambda each: -each[0])
        return next((value for value, held in best_first if self._fits(held)), -np.inf)

    def _times(self, c, some, value):
        """When a standing cohort may meet, and what it weighs: at its own time, at others, or at none."""
        members, fixed = tuple(sorted((*self.kept[c], *some))), self.standing[c].meeting
        if not members:
            yield ("none", ()), 0.0
            return
        others, block = self._shared(members), CommonBlock(self.pool, self.params)
        if fixed and (not others or block.holds(members, fixed.zone, fixed.slot)):
            yield ("own", (pieces(self.params, fixed.zone, fixed.slot),)), 0.0
            return
        yield ("new" if others else "none", others), 0.0
        if others and set(members) <= set(self.standing[c].members):
            yield ("none", ()), self.seat * max(1, len(members) - 1)

    def _shared(self, members):
        return tuple(
            {
                pieces(self.params, *place)
                for place, who in self.suits.items()
                if set(members) <= who and self._may_anchor(place[0], members)
            }
        )

    def _fits(self, held):
        own = [times[0] for kind, times in held if kind == "own"]
        return self._fits_new(own, [times for kind, times in held if kind == "new"], [])

    def _fits_new(self, held, waiting, new):
        if not waiting:
            busy = [piece for each in (*held, *new) for piece in each]
            return all(busy.count(piece) <= self.params.max_simultaneous for each in new for piece in each)
        return any(self._fits_new(held, waiting[1:], [*new, time]) for time in waiting[0])


@cache
def pieces(params, zone, slot):
    """The quarters of an hour that a meeting takes, as a tuple."""
    found = set()
    for week in range(params.weeks):
        day = params.first_monday + dt.timedelta(weeks=week, days=slot // 48)
        start = dt.datetime.combine(day, dt.time(slot % 48 // 2, slot % 2 * 30), ZoneInfo(zone))
        for k in range(2 * params.block_slots):
            found.add(start.astimezone(dt.UTC) + k * dt.timedelta(minutes=15))
    return frozenset(found)


def subsets(people):
    return (some for k in range(len(people) + 1) for some in combinations(people, k))

"""OR-Tools: who takes which free seat, which cohorts are merged or closed, and which new ones are opened.

Every way in which a standing cohort can go on, with whom joins it, is a column, and so is every new cohort.
Those who might move, and each standing cohort, are in one column at most: set packing, as in a match. Where
the columns can be listed, the best set of them is proven. Else they are generated: the relaxation prices
seats and people, and for each cohort those who gain most at these prices are tried together, until nothing is
gained any more.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from matcher.cuts import solve_relaxation
from matcher.joining import fitting, nearest_units
from matcher.partition import Constraint, Limit, best_of_all, best_set
from matcher.progress import Watch
from matcher.said import say
from matcher.seating import Cohort, Columns, Reseated, Seating
from matcher.simultaneous import Held
from matcher.solve import ceilings

# Up to so many columns, found in so many steps, all are listed, unless more people might move.
MOST_LISTED, MOST_STEPS, MOST_MOVABLE = 200_000, 2_000_000, 150
# How many newcomers and how many others are tried together beside each cohort, more where one is in need;
# how many columns are kept.
TRIED, TRIED_IN_NEED, KEPT = 5, 6, 4
MOST_ROUNDS = 60
# What the relaxation has to gain in some rounds, or all cohorts are asked once more and it ends.
TOO_LITTLE, PATIENCE = 0.02, 4
# New cohorts taken up in one round.
TAKEN_UP = 2_000
# CP-SAT's deterministic time to choose among generated columns.
EFFORT = 3.0
# How far below 0 the first reduced costs are at which it looks.
FIRST_MARGIN = 0.1
TRIFLE = 1e-6


def reseat(
    seating: Seating,
    candidates: Callable[[], Sequence[Cohort]],
    max_moves: int | None,
    watch: Watch,
    seed: int,
) -> Reseated:
    """Seat the people as well as can be.

    `candidates` gives new cohorts to be looked at where there are too many to list, as tuples of indices.
    """
    listed = _listed(seating)
    if listed is not None:
        watch.report(0.5, say("Proving that no better seats exist"))
        return _chosen_exactly(seating, listed, max_moves, watch, seed)
    columns, ceiling = _generated(seating, candidates(), watch)
    watch.report(0.85, say("Choosing the best set of cohorts"))
    seen = _by_rows(columns, seating.n_rows)
    limits = _limits(seating, list(seen), max_moves)
    chosen = _chosen_nearby(seating, seen, limits, watch, seed)
    value = sum(seen[each] for each in chosen)
    return seating.reseated(chosen, value, max(value, ceiling))


def _listed(seating: Seating) -> Columns | None:
    """All columns, or None when they are too many."""
    if len(seating.people) > MOST_MOVABLE:
        return None
    left, steps, columns = MOST_LISTED, np.array([MOST_STEPS]), [seating.unaided()]
    for at in [*(k for k, each in enumerate(seating.openings) if each.is_open), -1]:
        found = seating.joined(at, seating.units, left, steps)
        if found is None:
            return None
        columns.append(found)
        left -= len(found.gains)
    return seating.gathered(columns)


def _limits(seating: Seating, columns: Sequence[Cohort], max_moves: int | None) -> list[Constraint]:
    limits: list[Constraint] = []
    if max_moves is not None:
        limits.append(Limit(seating.moves(columns), max_moves))
    if seating.crowding is not None:
        limits.append(Held(seating, seating.crowding))
    return limits


def _chosen_exactly(
    seating: Seating, columns: Columns, max_moves: int | None, watch: Watch, seed: int
) -> Reseated:
    seen = _by_rows(columns, seating.n_rows)
    limits = _limits(seating, list(seen), max_moves)
    start = _begun(seating, seen, limits)
    value = sum(seen[each] for each in start)
    if not seen:
        return seating.reseated([], 0.0, 0.0)
    chosen, bound = best_of_all(
        columns.rows, columns.gains, start, value, seating.n_rows, watch, seed, limits
    )
    value = sum(seen[each] for each in chosen)
    # Without a bound yet: no two columns hold the same person.
    return seating.reseated(
        chosen, value, float(_each_best(columns, seating.n_rows)) if bound is None else bound
    )


def _chosen_nearby(
    seating: Seating, seen: dict[Cohort, float], limits: Sequence[Constraint], watch: Watch, seed: int
) -> list[Cohort]:
    """The best choice among the columns whose reduced cost is near 0, then among more, until it is the best
    of all.

    A choice with a column of reduced cost -d is worth less than the relaxation by at least d.
    """
    columns = list(seen)
    if not columns:
        return []
    gains = np.array([seen[each] for each in columns])
    relaxed = solve_relaxation(_matrix(columns, seating.n_rows), gains, seating.n_rows)
    best, margin = _begun(seating, seen, limits), FIRST_MARGIN
    while True:
        near = {each: seen[each] for each in itertools.compress(columns, relaxed.reduced >= -margin)}
        start = [each for each in best if each in near]
        found, _ = best_set(near, start, watch, EFFORT, seed, limits)
        best = max(best, found, key=lambda chosen: sum(seen[each] for each in chosen))
        value = sum(seen[each] for each in best)
        if relaxed.bound - value <= margin or len(near) == len(seen) or watch.is_over(0.95):
            return best
        margin *= 4


def _each_best(columns: Columns, n_rows: int) -> float:
    """A plain bound: each row, once, the most that its best column gives to one of its rows."""
    sizes = (columns.rows < n_rows).sum(axis=1)
    best = np.zeros(n_rows + 1)
    for k in range(columns.rows.shape[1]):
        np.maximum.at(best, columns.rows[:, k], np.maximum(0.0, columns.gains / sizes))
    return float(best[:n_rows].sum())


def _by_rows(columns: Columns, n_rows: int) -> dict[Cohort, float]:
    return {
        tuple(row for row in rows if row < n_rows): gain
        for rows, gain in zip(columns.rows.tolist(), columns.gains.tolist(), strict=True)
    }


def _begun(seating: Seating, seen: dict[Cohort, float], limits: Sequence[Constraint]) -> list[Cohort]:
    """A choice to begin from: greedily, or everybody where they are and others greedily, what is better."""
    at_home = [rows for rows in map(seating.at_home, range(len(seating.openings))) if rows in seen]
    choices = [_greedily(seen, limits, first) for first in ([], at_home)]
    return max(choices, key=lambda chosen: sum(seen[each] for each in chosen))


def _greedily(
    seen: dict[Cohort, float], limits: Sequence[Constraint], first: Sequence[Cohort]
) -> list[Cohort]:
    """Some columns and, of those beside them, the one that gains most for each of its people first."""
    tallies = [limit.tally() for limit in limits]
    chosen: list[Cohort] = []
    taken = set[int]()
    gaining = (
        rows for rows in sorted(seen, key=lambda rows: (-seen[rows] / len(rows), rows)) if seen[rows] > 0
    )
    for rows in (*first, *gaining):
        if taken.isdisjoint(rows) and all(may(rows) for may in tallies):
            chosen.append(rows)
            taken.update(rows)
    return chosen


def _generated(seating: Seating, candidates: Sequence[Cohort], watch: Watch) -> tuple[Columns, float]:
    """Columns for which the relaxation found use, and a bound on what any choice adds.

    Most cohorts soon gain nothing more. They are asked again when nobody else gains anything.
    """
    new = _valued(seating, candidates)
    held = dict(_by_rows(seating.gathered([seating.unaided(), _merged(seating)]), seating.n_rows))
    prices = np.zeros(seating.n_rows)
    everybody = [at for at, each in enumerate(seating.openings) if each.is_open]
    asked, worths = everybody, [0.0]
    for at in range(MOST_ROUNDS):
        even = _evened(seating, prices)
        found = {k: columns for k in asked if len((columns := _tried(seating, k, prices, even, watch)).gains)}
        fresh = {
            rows: gain
            for columns in (*found.values(), _paying(new, prices))
            for rows, gain in _by_rows(columns, seating.n_rows).items()
            if rows not in held
        }
        stalls = at > PATIENCE and worths[-1] - worths[-PATIENCE] < TOO_LITTLE
        if asked == everybody and (stalls or not fresh):
            break
        held.update(fresh)
        if watch.is_over(0.6):
            break
        asked = list(found) if fresh and not stalls else everybody
        gains = np.array(list(held.values()))
        relaxed = solve_relaxation(_matrix(list(held), seating.n_rows), gains, seating.n_rows)
        prices = relaxed.prices
        worths.append(relaxed.bound)
        watch.report(0.2 + 0.6 * at / MOST_ROUNDS, say("Finding seats"))
    rows = np.full((len(held), seating.width), seating.n_rows, dtype=np.int32)
    for at, each in enumerate(held):
        rows[at, : len(each)] = each
    return Columns(rows, np.array(list(held.values()))), _ceiling(seating, prices)


def _matrix(columns: Sequence[Cohort], n_rows: int) -> sparse.csr_array:
    row = np.array([each for rows in columns for each in rows], dtype=np.intp)
    column = np.repeat(np.arange(len(columns)), [len(rows) for rows in columns])
    return sparse.csr_array((np.ones(len(row)), (row, column)), shape=(n_rows, len(columns)))


def _valued(seating: Seating, candidates: Sequence[Cohort]) -> Columns:
    """New cohorts as columns."""
    added = np.full((len(candidates), seating.width), len(seating.p.unit), dtype=np.int32)
    values = np.zeros(len(candidates))
    for at, members in enumerate(candidates):
        added[at, : len(members)] = members
        values[at] = seating.worth(-1, members)
    return seating.columns(-1, added, values)


def _paying(columns: Columns, prices: NDArray[np.float64]) -> Columns:
    """Those that gain more than their rows cost, the best first."""
    reduced = columns.gains - np.append(prices, 0.0)[columns.rows].sum(axis=1)
    best = np.argsort(-reduced, kind="stable")[:TAKEN_UP]
    best = best[reduced[best] > TRIFLE]
    return Columns(columns.rows[best], columns.gains[best])


def _merged(seating: Seating) -> Columns:
    """Every merger of two cohorts that cannot go on alone, and of one with one that can."""
    columns = []
    ailing = [each for each in seating.openings if each.own]
    for at, opening in enumerate(seating.openings):
        if not opening.is_open:
            continue
        for other in ailing:
            size = len(opening.kept) + len(opening.own) + len(other.own)
            if other is opening or size > seating.p.sizes[1]:
                continue
            if seating.is_timed(opening) and not seating.can_make(opening, other.own):
                continue
            value = seating.worth(opening.place, (*opening.kept, *opening.own, *other.own))
            if value > -np.inf:
                added = np.array([other.own], dtype=np.int32)
                columns.append(seating.columns(at, added, np.array([value])))
    return seating.gathered(columns)


def _tried(
    seating: Seating, at: int, prices: NDArray[np.float64], even: NDArray[np.float64], watch: Watch
) -> Columns:
    """The columns of an opening that gain most at these prices, of those who seem to.

    A relaxation may ask all that a cohort in need is worth of one of its members, and nothing of others, who
    then seem to be bargains to everybody. So `even` prices are looked at, too, with such a sum shared out.
    """
    watch.tick()
    opening = seating.openings[at]
    start = np.array([*opening.kept, *opening.own], dtype=np.int32)
    others = seating.units[~np.isin(seating.units, seating.p.unit[start])]
    has_home = seating.q.home[seating.p.unit_members[seating.p.unit_start[others]]] >= 0
    most = TRIED_IN_NEED if len(start) < seating.p.sizes[0] else TRIED
    units = np.concatenate(
        [
            nearest_units(
                seating.p, seating.q, opening.place, start, some, cost, seating.is_timed(opening), most
            )
            for some, cost in (
                (others[~has_home], seating.by_person(prices)),
                (others[has_home], seating.by_person(even)),
            )
        ]
    )
    units = units[units >= 0]
    found = seating.joined(at, units, 1 << len(units), np.array([2 << len(units)])) if len(units) else None
    if found is None:
        return Columns(np.zeros((0, seating.width), dtype=np.int32), np.zeros(0))
    paying = [_paying(found, each) for each in (prices, even)]
    return seating.gathered([Columns(each.rows[:KEPT], each.gains[:KEPT]) for each in paying])


def _evened(seating: Seating, prices: NDArray[np.float64]) -> NDArray[np.float64]:
    """The same prices with those of each cohort in need shared out among its members."""
    even = prices.copy()
    for opening in seating.openings:
        if opening.own:
            rows = seating.row[list(opening.own)]
            even[rows] = even[rows].mean()
    return even


def _ceiling(seating: Seating, prices: NDArray[np.float64]) -> float:
    """A bound on what any choice of columns adds, from prices of people and of openings.

    Any prices give one. A relaxation may ask nothing for somebody whom no column takes, who then seems to be
    a bargain to each cohort that they nearly fit; the most they could be worth, asked once, bounds that
    better.
    """
    best_mate, extra = _at_best(seating)
    p, people = seating.p, seating.people
    blocks, sizes = ceilings(p)
    goals = p.weights[1] + p.weights[2]
    most = (
        p.weights[0] + goals * best_mate + blocks[people] + np.nanmax(sizes) + extra + seating.q.goes[people]
    )
    own = prices[: len(people)]
    bounds = []
    for dear in (0.0, 0.25, 0.5):
        asked = prices.copy()
        asked[: len(people)] = np.where(own < dear * most, np.maximum(own, most), own)
        beyond = sum(
            max(0.0, _most_beyond(seating, at, asked, best_mate, extra))
            for at, opening in enumerate(seating.openings)
            if opening.is_open
        )
        unaided = seating.unaided()
        left = unaided.gains - np.append(asked, 0.0)[unaided.rows].sum(axis=1)
        new = np.maximum(0.0, most - asked[: len(people)])
        bounds.append(asked.sum() + beyond + np.maximum(0.0, left).sum() + new.sum())
    return float(min(bounds))


def _at_best(seating: Seating) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(m,) the greatest affinity of each of the people to another, and the most that their ties can add."""
    p, q, people = seating.p, seating.q, seating.people
    to_each = p.affinity[np.ix_(people, people)].astype(np.float64)
    np.fill_diagonal(to_each, 0.0)
    reward = [q.strength[q.tie_start[i] : q.tie_start[i + 1]].max(initial=0.0) for i in people.tolist()]
    return to_each.max(axis=1, initial=0.0), q.weights[0] * np.array(reward)


def _most_beyond(
    seating: Seating,
    at: int,
    prices: NDArray[np.float64],
    best_mate: NDArray[np.float64],
    extra: NDArray[np.float64],
) -> float:
    """What the best column of an opening might gain beyond these prices.

    A cohort's affinity is a mean over pairs, so each who joins adds no more than their affinity to those who
    are there, and half of their greatest affinity to each other who joins.
    """
    p, q, people, opening = seating.p, seating.q, seating.people, seating.openings[at]
    start = np.array([*opening.kept, *opening.own], dtype=np.int32)
    fits = fitting(p, start, people)
    if seating.is_timed(opening):
        anchor, slot = q.meeting[opening.place]
        fits &= (p.can[people, anchor, slot // 64] >> np.uint64(slot % 64)) & np.uint64(1) > 0
    joins = people[fits]
    among = p.affinity[np.ix_(start, start)]
    pairs = float((among.sum() - np.trace(among)) / 2)
    counts = np.bitwise_count(np.bitwise_and.reduce(p.can[start])).sum(axis=1)
    counts = counts + np.bitwise_count(np.bitwise_and.reduce(p.prefers[start])).sum(axis=1)
    # Nobody has all starts in common.
    blocks = p.block_values[min(counts.max(), len(p.block_values) - 1)]
    own = list(opening.own)
    fixed = prices[len(people) + at] + prices[seating.row[own]].sum() + seating.bases[at] - q.stays[own].sum()
    whole = extra[fits] + np.where(q.home[joins] == opening.place, q.stays[joins], q.goes[joins])
    whole -= prices[: len(people)][fits]
    liking = p.affinity[np.ix_(joins, start)].sum(axis=1)
    goals, best = p.weights[1] + p.weights[2], 0.0
    for joining in range(1, min(int(p.sizes[1]) - len(start), len(joins)) + 1):
        k = len(start) + joining
        if k >= p.sizes[0]:
            share = 2 * goals / (k - 1)
            each = np.sort(share * (liking + (joining - 1) / 2 * best_mate[fits]) + whole)[::-1]
            together = k * (p.weights[0] + blocks + p.size_values[k]) + share * pairs
            best = max(best, float(together + each[:joining].sum() - fixed))
    return best

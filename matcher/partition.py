"""OR-Tools: the best set of cohorts out of all that were seen, and a bound on any matching.

This module imports OR-Tools, whose start takes a third of a second: `matcher.match` imports it when it
is needed.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray
from ortools.sat.python import cp_model
from scipy import sparse

from matcher.cuts import solve_relaxation, tighten
from matcher.progress import EVERY, Watch

# CP-SAT counts in integers: worths are told in millionths.
SCALE = 1_000_000
COLUMNS_A_ROUND = 3_000
MOST_FOR_CP_SAT = 60_000
# How far below the bound the first search for a provably best matching looks, in worth.
FIRST_MARGIN = 0.1

Cohort = tuple[int, ...]


class Constraint(Protocol):
    """What a choice of cohorts has to keep beside that they are disjoint."""

    def add_to(
        self, model: cp_model.CpModel, columns: Sequence[Cohort], chosen: Sequence[cp_model.IntVar]
    ) -> None:
        """Have a model keep it."""

    def tally(self) -> Callable[[Cohort], bool]:
        """Says of one cohort after the other whether it can be chosen beside those before."""


class Limit(NamedTuple):
    """At most `most` of what `uses` counts for each cohort (0 for one it does not name)."""

    uses: Mapping[Cohort, int]
    most: int

    def add_to(
        self, model: cp_model.CpModel, columns: Sequence[Cohort], chosen: Sequence[cp_model.IntVar]
    ) -> None:
        """Have a model keep it."""
        uses = [self.uses.get(c, 0) for c in columns]
        model.add(cp_model.LinearExpr.weighted_sum(chosen, uses) <= self.most)

    def tally(self) -> Callable[[Cohort], bool]:
        """Says of one cohort after the other whether it can be chosen beside those before."""
        left = self.most

        def may(cohort: Cohort) -> bool:
            nonlocal left
            uses = self.uses.get(cohort, 0)
            if uses > left:
                return False
            left -= uses
            return True

        return may


def best_set(
    seen: dict[Cohort, float],
    start: Sequence[Cohort],
    watch: Watch,
    effort: float,
    seed: int,
    limits: Sequence[Constraint] = (),
) -> tuple[list[Cohort], bool]:
    """The disjoint cohorts of greatest total worth among those seen (set packing), within `limits`.

    `seen` maps sorted member tuples to their worths, `start` is a solution to begin from, `effort` is
    CP-SAT's deterministic time, so that a run repeats whatever the machine. Returns the cohorts, never
    worth less than `start`, and whether they are proven to be the best.
    """
    columns = sorted(seen)
    model = cp_model.CpModel()
    chosen = [model.new_bool_var("") for _ in columns]
    holders: dict[int, list[cp_model.IntVar]] = {}
    for column, variable in zip(columns, chosen, strict=True):
        for i in column:
            holders.setdefault(i, []).append(variable)
    for variables in holders.values():
        if len(variables) > 1:
            model.add_at_most_one(variables)
    for limit in limits:
        limit.add_to(model, columns, chosen)
    model.maximize(cp_model.LinearExpr.weighted_sum(chosen, [round(seen[c] * SCALE) for c in columns]))
    begin = set(start)
    for column, variable in zip(columns, chosen, strict=True):
        model.add_hint(variable, column in begin)
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    solver.parameters.random_seed = seed % 2**31
    solver.parameters.max_deterministic_time = effort
    status = run_solver(solver, model, watch)
    if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
        return list(start), False
    found = [
        column for column, variable in zip(columns, chosen, strict=True) if solver.boolean_value(variable)
    ]
    better = sum(seen[c] for c in found) > sum(seen[c] for c in start)
    return (found if better else list(start)), status == cp_model.OPTIMAL


def run_solver(solver: cp_model.CpSolver, model: cp_model.CpModel, watch: Watch) -> object:
    """Solve beside this thread, which goes on reporting progress and ends the search when time is up."""
    status: list[object] = []
    beside = threading.Thread(target=lambda: status.append(solver.solve(model)))
    beside.start()
    while beside.is_alive():
        if watch.tick():
            solver.stop_search()
        beside.join(EVERY / 4)
    return status[0] if status else None


def best_of_all(
    columns: NDArray[np.int32],
    worths: NDArray[np.float64],
    start: Sequence[Cohort],
    start_worth: float,
    n: int,
    watch: Watch,
    seed: int,
    limits: Sequence[Constraint] = (),
) -> tuple[list[Cohort], float | None]:
    """The best set of disjoint cohorts out of all that keep the rules, with the proof.

    The linear relaxation of set packing gives a bound and reduced costs. A matching with a cohort whose
    reduced cost is below -d is worth less than the bound - d. So CP-SAT chooses among the cohorts above
    -d alone, for growing d, until what it finds is worth at least the bound - d: then it is the best of
    all. `columns` (m, size_max) are padded with n.

    Returns the cohorts and the bound, None when time ran out before there was one.
    """
    relaxed = relaxation(columns, worths, n, watch)
    if relaxed is None:
        return list(start), None
    bound, reduced = relaxed
    near = np.flatnonzero(reduced >= start_worth - bound - 1e-6)
    if len(near) > MOST_FOR_CP_SAT:
        return list(start), bound
    columns, worths = columns[near], worths[near]
    if len(near):
        bound, reduced = tighten(columns, worths, n, watch)
    bound = max(bound, start_worth)
    best, best_worth, margin = list(start), start_worth, FIRST_MARGIN
    while not watch.tick():
        close = np.flatnonzero(reduced >= -margin)
        seen = {tuple(sorted(columns[c][columns[c] < n].tolist())): float(worths[c]) for c in close}
        chosen, proven = best_set(seen, [c for c in best if c in seen], watch, 30.0, seed, limits)
        value = sum(seen[c] for c in chosen)
        if value > best_worth:
            best, best_worth = chosen, value
        if not proven:
            break
        if best_worth >= bound - margin or len(close) == len(reduced):
            return best, best_worth
        margin = min(2 * margin, bound - best_worth + 1e-6)
    return best, bound


def relaxation(
    columns: NDArray[np.int32], worths: NDArray[np.float64], n: int, watch: Watch
) -> tuple[float, NDArray[np.float64]] | None:
    """The linear relaxation of set packing by column generation, pricing the whole list each time.

    Returns a bound that holds whatever the duals' rounding, and (m,) reduced costs; None when time ran out.
    """
    held = np.argsort(-worths / (columns < n).sum(axis=1), kind="stable")[:COLUMNS_A_ROUND]
    while not watch.tick():
        duals = solve_relaxation(_rows(columns[held], n), worths[held], n).prices
        reduced = worths - np.append(duals, 0.0)[columns].sum(axis=1)
        gain = np.argsort(-reduced, kind="stable")[:COLUMNS_A_ROUND]
        gain = np.setdiff1d(gain[reduced[gain] > 1e-7], held)
        if not len(gain):
            # A matching has at most n cohorts, each with at most this reduced cost.
            return float(duals.sum() + n * max(0.0, float(reduced.max(initial=0.0)))), reduced
        held = np.concatenate([held, gain])
    return None


def _rows(columns: NDArray[np.int32], n: int) -> sparse.csr_array:
    """(n, m) which learner is in which column."""
    row, place = np.nonzero(columns < n)
    return sparse.csr_array((np.ones(len(row)), (columns[row, place], row)), shape=(n, len(columns)))


def quick_bound(
    learners: NDArray[np.int32],
    best_mates: NDArray[np.float64],
    blocks: NDArray[np.float64],
    sizes: NDArray[np.float64],
    goals: NDArray[np.float64],
) -> float:
    """A bound from each learner alone: nobody is worth more than with the best mates they could have.

    A cohort's affinity is the mean over its members of their mean affinity to the others, and the least
    one's is no more than that mean; so a learner adds at most the mean over their k - 1 best mates, for
    the best k.

    Args:
        learners: (m,) who could be placed.
        best_mates: (n, size_max - 1) affinity of each learner's best mates, falling, NaN where there is none.
        blocks: (n,) what the common blocks can add at most for each learner.
        sizes: (size_max + 1,) what each size adds; NaN where the size is not allowed.
        goals: worth of being placed, of the mean affinity, of the least one's.
    """
    total = np.cumsum(best_mates[learners], axis=1)
    k = np.arange(2, total.shape[1] + 2)
    each = (goals[1] + goals[2]) * total / (k - 1) + sizes[k] + goals[0] + blocks[learners, None]
    return float(np.nansum(np.fmax.reduce(each, axis=1)))

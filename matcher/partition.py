"""OR-Tools: the best set of cohorts out of all that were seen, and a bound on any matching.

This module imports OR-Tools, whose start takes a third of a second: `matcher.match` imports it when it is needed.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from ortools.sat.python import cp_model

from matcher.progress import EVERY, Watch

# CP-SAT counts in integers: worths are told in millionths.
SCALE = 1_000_000

Cohort = tuple[int, ...]


def best_set(
    seen: dict[Cohort, float], start: Sequence[Cohort], watch: Watch, effort: float, seed: int
) -> tuple[list[Cohort], bool]:
    """The disjoint cohorts of greatest total worth among those seen (set packing).

    `seen` maps sorted member tuples to their worths, `start` is a solution to begin from, `effort` is CP-SAT's
    deterministic time, so that a run repeats whatever the machine. Returns the cohorts, never worth less than `start`,
    and whether they are proven to be the best.
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
    model.maximize(cp_model.LinearExpr.weighted_sum(chosen, [round(seen[c] * SCALE) for c in columns]))
    begin = set(start)
    for column, variable in zip(columns, chosen, strict=True):
        model.add_hint(variable, column in begin)
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    solver.parameters.random_seed = seed % 2**31
    solver.parameters.max_deterministic_time = effort
    status = _solve(solver, model, watch)
    if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
        return list(start), False
    found = [
        column for column, variable in zip(columns, chosen, strict=True) if solver.boolean_value(variable)
    ]
    better = sum(seen[c] for c in found) > sum(seen[c] for c in start)
    return (found if better else list(start)), status == cp_model.OPTIMAL


def _solve(solver: cp_model.CpSolver, model: cp_model.CpModel, watch: Watch) -> object:
    """Solve beside this thread, which goes on reporting progress and ends the search when time is up."""
    status: list[object] = []
    beside = threading.Thread(target=lambda: status.append(solver.solve(model)))
    beside.start()
    while beside.is_alive():
        if watch.tick():
            solver.stop_search()
        beside.join(EVERY / 4)
    return status[0] if status else None


def quick_bound(
    learners: NDArray[np.int32],
    best_mates: NDArray[np.float64],
    blocks: NDArray[np.float64],
    sizes: NDArray[np.float64],
    goals: NDArray[np.float64],
) -> float:
    """A bound from each learner alone: nobody is worth more than with the best mates they could have.

    A cohort's affinity is the mean over its members of their mean affinity to the others, and the least one's is
    no more than that mean; so a learner adds at most the mean over their k - 1 best mates, for the best k.

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

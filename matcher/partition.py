"""OR-Tools: the best set of cohorts out of all that were seen, and a bound on any matching.

This module imports OR-Tools, whose start takes a third of a second: `matcher.match` imports it when it
is needed.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from ortools.sat.python import cp_model
from scipy import sparse
from scipy.optimize import linprog

from matcher.progress import EVERY, Watch

# CP-SAT counts in integers: worths are told in millionths.
SCALE = 1_000_000
COLUMNS_A_ROUND = 3_000
MOST_FOR_CP_SAT = 60_000

Cohort = tuple[int, ...]


def best_set(
    seen: dict[Cohort, float], start: Sequence[Cohort], watch: Watch, effort: float, seed: int
) -> tuple[list[Cohort], bool]:
    """The disjoint cohorts of greatest total worth among those seen (set packing).

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


def best_of_all(
    columns: NDArray[np.int32],
    worths: NDArray[np.float64],
    start: Sequence[Cohort],
    start_worth: float,
    n: int,
    watch: Watch,
    seed: int,
) -> tuple[list[Cohort], float | None]:
    """The best set of disjoint cohorts out of all that keep the rules, with the proof.

    The linear relaxation of set packing gives duals and a bound. A cohort whose reduced cost lies
    further below zero than the relaxation lies above `start` can be in no better solution (reduced-cost
    fixing), and what is left is small enough for CP-SAT. `columns` (m, size_max) are padded with n.

    Returns the cohorts and the bound, None when time ran out before there was one.
    """
    relaxed = relaxation(columns, worths, n, watch)
    if relaxed is None:
        return list(start), None
    bound, reduced = relaxed
    near = np.flatnonzero(reduced >= start_worth - bound - 1e-6)
    if len(near) > MOST_FOR_CP_SAT:
        return list(start), bound
    seen = {tuple(sorted(columns[c][columns[c] < n].tolist())): float(worths[c]) for c in near}
    seen.update(
        {c: w for c, w in zip(start, _worths_of(start, columns, worths, n), strict=True) if c not in seen}
    )
    chosen, proven = best_set(seen, start, watch, 30.0, seed)
    return chosen, (sum(seen[c] for c in chosen) if proven else bound)


def _worths_of(
    cohorts: Sequence[Cohort], columns: NDArray[np.int32], worths: NDArray[np.float64], n: int
) -> list[float]:
    """The worth of each cohort, looked up in the list of all."""
    width = columns.shape[1]
    padded = np.array([list(c) + [n] * (width - len(c)) for c in cohorts], dtype=np.int32).reshape(-1, width)
    ordered = np.sort(columns, axis=1)
    return [float(worths[np.flatnonzero((ordered == row).all(axis=1))[0]]) for row in padded]


def relaxation(
    columns: NDArray[np.int32], worths: NDArray[np.float64], n: int, watch: Watch
) -> tuple[float, NDArray[np.float64]] | None:
    """The linear relaxation of set packing by column generation, pricing the whole list each time.

    Returns a bound that holds whatever the duals' rounding, and (m,) reduced costs; None when time ran out.
    """
    held = np.argsort(-worths / (columns < n).sum(axis=1), kind="stable")[:COLUMNS_A_ROUND]
    while not watch.tick():
        duals = _duals(columns[held], worths[held], n)
        reduced = worths - np.append(duals, 0.0)[columns].sum(axis=1)
        gain = np.argsort(-reduced, kind="stable")[:COLUMNS_A_ROUND]
        gain = np.setdiff1d(gain[reduced[gain] > 1e-7], held)
        if not len(gain):
            # A matching has at most n cohorts, each with at most this reduced cost.
            return float(duals.sum() + n * max(0.0, float(reduced.max(initial=0.0)))), reduced
        held = np.concatenate([held, gain])
    return None


def _duals(columns: NDArray[np.int32], worths: NDArray[np.float64], n: int) -> NDArray[np.float64]:
    """The price of each learner's seat in the relaxation over these columns."""
    row, place = np.nonzero(columns < n)
    ones = np.ones(len(row))
    matrix = sparse.csr_array((ones, (columns[row, place], row)), shape=(n, len(columns)))
    # HiGHS through SciPy: the package highspy and OR-Tools clash in one process.
    result = linprog(-worths, A_ub=matrix, b_ub=np.ones(n), bounds=(0, None), method="highs")
    prices: NDArray[np.float64] = np.maximum(0.0, -np.asarray(result.ineqlin.marginals))
    return prices


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

"""How near to its own certified bound does a match come, where only affinity counts?

    python -m benchmarks.certified [--n 500] [--size 5] [--seconds 10 30] [--seeds 5] [--json OUT.json]

Affinities are cosines of normal points in 16 dimensions, everybody can meet everybody, and all cohorts have
one size. The table tells the sum of the cosines inside cohorts, the bound that the match gives on it, and
the share of the one in the other.
"""

from __future__ import annotations

import argparse
import statistics
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.mdgp import cosines
from benchmarks.signups import START, show
from matcher import Learner, Params, Pool, match


def row(n: int, size: int, seconds: float, seed: int) -> dict[str, Any]:
    """One match of n learners."""
    pool = Pool(tuple(Learner(str(i), "UTC", frozenset(range(3))) for i in range(n)))
    params = Params(
        start=START,
        size_min=size,
        target_size=size,
        size_max=size,
        common_blocks_weight=0.0,
        size_weight=0.0,
        worst_off_weight=0.0,
        time_limit=seconds,
        random_state=seed,
    )
    rows = cosines(n, np.random.default_rng(12345)).rows.astype(np.float64)
    found = match(pool, params, affinity=(1 + rows @ rows.T) / 2)

    def cosine_sum(objective: float) -> float:
        """A matching of everybody is worth n x (2 + mean affinity), and affinity is (1 + cosine) / 2."""
        return (2 * (objective / n - 2) - 1) * n * (size - 1) / 2

    reached, bound = cosine_sum(found.objective), cosine_sum(found.bound)
    return {
        "n": n,
        "size": size,
        "limit": seconds,
        "seed": seed,
        "sum": round(reached, 2),
        "bound": round(bound, 2),
        "share": round(reached / bound, 4),
        "seconds": round(found.seconds, 1),
    }


def main() -> None:
    """One row a limit and a seed, and the mean and the median of each limit."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--n", type=int, default=500)
    parser.add_argument("--size", type=int, default=5)
    parser.add_argument("--seconds", type=float, nargs="+", default=[10.0, 30.0])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    row(20, asked.size, 5.0, 0)
    rows = []
    for seconds in asked.seconds:
        found = [row(asked.n, asked.size, seconds, seed) for seed in range(asked.seeds)]
        runs = found[:]
        for name, middle_of in (("mean", statistics.mean), ("median", statistics.median)):
            keys = ("sum", "bound", "share", "seconds")
            middle = {key: round(middle_of(one[key] for one in runs), 4) for key in keys}
            found.append(found[0] | {"seed": name} | middle)
        rows += found
    show(rows, asked.json)


if __name__ == "__main__":
    main()

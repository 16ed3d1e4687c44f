"""How good are the cohorts of real sign-up files, and how long do they take?

    python -m benchmarks.roster_quality FILE.csv... [--seeds 1] [--json OUT.json]

Beside the matcher stand the two ways in use elsewhere: random cohorts and slices of the list sorted by
time zone.
"""

from __future__ import annotations

import argparse
import random
import resource
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.signups import default_params, mean_jaccard, measures, read_pool, show
from matcher import Params, Pool, match, score_cohorts


def sliced(order: Sequence[int], size: int) -> list[list[int]]:
    """The order cut into cohorts of `size`; what is left over at the end has none."""
    return [list(order[at : at + size]) for at in range(0, len(order) - size + 1, size)]


def naive(pool: Pool, params: Params, groups: list[list[int]]) -> dict[str, Any]:
    """The measures of cohorts that took no notice of anything."""
    checks = score_cohorts(pool, params, groups)
    return {
        "placed": round(sum(map(len, groups)) / max(1, len(pool)), 4),
        "cohorts": len(groups),
        "jaccard": round(mean_jaccard(pool, groups), 4),
        "blocks_median": sorted(len(check.meetings) for check in checks)[len(checks) // 2],
        "broken": sum(bool(check.broken) for check in checks),
        "objective": None,
        "gap": None,
        "seconds": 0.0,
    }


def main() -> None:
    """Match each file once a seed and print one row each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    rows = []
    for path in asked.files:
        pool, params = read_pool(path), default_params()
        order = list(range(len(pool)))
        by_zone = sorted(order, key=lambda i: (pool.learners[i].time_zone, i))
        random.Random(0).shuffle(order)
        rivals = {"random sixes": sliced(order, 6), "sorted by zone, sliced": sliced(by_zone, 6)}
        for how, groups in rivals.items():
            rows.append({"file": path.stem, "how": how, **naive(pool, params, groups), "peak_mb": None})
        for seed in range(asked.seeds):
            found = measures(match(pool, default_params(random_state=seed)))
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
            rows.append({"file": path.stem, "how": f"matcher, seed {seed}", **found, "peak_mb": peak})
    show(rows, asked.json)


if __name__ == "__main__":
    main()

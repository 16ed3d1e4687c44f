"""Up to which size is the optimum proven, and how fast?

    python -m benchmarks.small_optimal [--seeds 3] [--json OUT.json]

Pools are generated: two to five evenings a learner in two zones, six interests of twenty, cohorts of 4 to 6.
"""

from __future__ import annotations

import argparse
import random
from pathlib import Path

from benchmarks.signups import default_params, show
from matcher import Learner, Pool, match


def sparse_pool(n: int, evenings: int, seed: int) -> Pool:
    """n learners, each free for some hours on a few evenings."""
    draw = random.Random(seed)
    learners = []
    for i in range(n):
        free: set[int] = set()
        for day in draw.sample(range(7), evenings):
            start = day * 48 + draw.choice([34, 36, 38, 40])
            free |= {slot % 336 for slot in range(start, start + draw.choice([4, 5, 6, 8]))}
        tags = frozenset(f"tag {int(draw.paretovariate(0.7)) % 20}" for _ in range(6))
        zone = draw.choice(["Europe/Berlin", "America/New_York"])
        learners.append(Learner(f"l{i}", zone, frozenset(free), answers={"interests": tags}))
    return Pool(tuple(learners))


def main() -> None:
    """One row a pool."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    rows = []
    for n, evenings in ((20, 3), (30, 3), (40, 2), (40, 3), (40, 4), (40, 5)):
        for seed in range(asked.seeds):
            params = default_params(size_min=4, size_max=6, target_size=5)
            found = match(sparse_pool(n, evenings, seed), params)
            rows.append(
                {
                    "learners": n,
                    "evenings": evenings,
                    "seed": seed,
                    "placed": found.n_placed,
                    "objective": round(found.objective, 4),
                    "gap": round(found.gap or 0.0, 6),
                    "proven": not found.gap,
                    "seconds": round(found.seconds, 2),
                }
            )
    show(rows, asked.json)


if __name__ == "__main__":
    main()

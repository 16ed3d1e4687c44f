"""How quickly a change made by hand is scored, against scoring all cohorts anew."""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from benchmarks.signups import default_params, read_pool, show
from matcher import Preview, score_cohorts

CALLS = 200


def seconds(call: Callable[[], object]) -> float:
    """How long one call takes."""
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def main() -> None:
    """Print the figures of one file of sign-ups."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    pool, params, random = read_pool(asked.file), default_params(), np.random.default_rng(0)
    cohorts = [part.tolist() for part in np.array_split(random.permutation(len(pool)), len(pool) // 6)]
    anew = seconds(lambda: score_cohorts(pool, params, cohorts))
    made: list[Preview] = []
    preparing = seconds(lambda: made.append(Preview(pool, params)))
    moves = [(int(random.integers(len(pool))), int(random.integers(len(cohorts)))) for _ in range(CALLS)]
    moves = [(one, to) for one, to in moves if one not in cohorts[to]]
    calls = [seconds(lambda move=move: made[0].what_if(cohorts, *move)) for move in moves]
    median = statistics.median(calls)
    figures = {
        "learners": len(pool),
        "score_cohorts_s": round(anew, 2),
        "prepare_s": round(preparing, 2),
        "what_if_median_ms": round(1000 * median, 2),
        "what_if_p95_ms": round(1000 * float(np.quantile(calls, 0.95)), 2),
        "ratio": round(anew / median),
    }
    show([figures], asked.json)


if __name__ == "__main__":
    main()

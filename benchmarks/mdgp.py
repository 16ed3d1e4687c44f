"""How near to the best known is the search where only affinity counts, and all cohorts have one size?

    python -m benchmarks.mdgp [--only NAME] [--seconds S] [--seeds 3] [--json OUT.json]
    python -m benchmarks.mdgp --file INSTANCE --cohorts M --seconds S

Without a file, the classical kinds are generated: RanReal (weights uniform in 0-100), Geo (Euclidean
distances of points in 2 to 21 dimensions) and cosines of normal points. Files are those of MDGPlib: a first
line that starts with the number of elements, then lines `i j weight`.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.signups import show
from matcher.grouping import Kinship, group_equally, inside
from matcher.progress import Watch

Random = np.random.Generator


def ran_real(n: int, random: Random) -> Kinship:
    """Weights uniform in 0-100."""
    upper = np.triu(random.uniform(0, 100, (n, n)), 1)
    return Kinship.of_matrix(upper + upper.T)


def geo(n: int, random: Random) -> Kinship:
    """Distances of points with coordinates uniform in 0-100."""
    points = random.uniform(0, 100, (n, int(random.integers(2, 22))))
    return Kinship.of_matrix(np.sqrt(((points[:, None] - points[None]) ** 2).sum(axis=2)))


def cosines(n: int, random: Random) -> Kinship:
    """Cosines of normal points in 16 dimensions."""
    points = random.standard_normal((n, 16))
    return Kinship.of_rows(points / np.linalg.norm(points, axis=1, keepdims=True))


@dataclass(frozen=True)
class Case:
    """A kind of instance, its size, the size of cohorts and the seconds a search may take."""

    make: Callable[[int, Random], Kinship]
    n: int
    size: int
    seconds: float


CASES = {
    "RanReal 240 in 20s": Case(ran_real, 240, 20, 20),
    "RanReal 480 in 24s": Case(ran_real, 480, 24, 60),
    "Geo 480 in 24s": Case(geo, 480, 24, 60),
    "cosine 500 in 5s": Case(cosines, 500, 5, 10),
    "cosine 5000 in 5s": Case(cosines, 5_000, 5, 60),
    "cosine 100000 in 5s": Case(cosines, 100_000, 5, 90),
}


def read(path: Path) -> Kinship:
    """An instance file of MDGPlib."""
    head, *lines = path.read_text(encoding="utf-8").split("\n")
    n = int(head.split()[0])
    matrix: NDArray[np.float64] = np.zeros((n, n))
    for line in lines:
        if line.strip():
            i, j, weight = line.split()[:3]
            matrix[int(i), int(j)] = matrix[int(j), int(i)] = float(weight)
    return Kinship.of_matrix(matrix)


def row(name: str, kin: Kinship, size: int, seconds: float, seeds: int) -> dict[str, Any]:
    """Mean, least and greatest sum over the seeds, beside cohorts at random."""
    sums, took = [], []
    for seed in range(seeds):
        watch = Watch(seconds)
        sums.append(inside(kin, group_equally(kin, size, watch, random_state=seed, fill_time=True)))
        took.append(watch.elapsed)
    at_random = np.random.default_rng(0).permutation(len(kin)).astype(np.int32).reshape(-1, size)
    return {
        "instance": name,
        "seeds": seeds,
        "seconds": round(float(np.mean(took)), 1),
        "mean": round(float(np.mean(sums)), 1),
        "median": round(float(np.median(sums)), 1),
        "least": round(min(sums), 1),
        "greatest": round(max(sums), 1),
        "a learner": round(float(np.mean(sums)) / len(kin), 4),
        "random": round(inside(kin, at_random), 1),
    }


def main() -> None:
    """One row an instance."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", choices=CASES)
    parser.add_argument("--file", type=Path)
    parser.add_argument("--cohorts", type=int)
    parser.add_argument("--seconds", type=float)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    group_equally(ran_real(40, np.random.default_rng(0)), 20, Watch(1), random_state=0)
    group_equally(cosines(40, np.random.default_rng(0)), 5, Watch(1), random_state=0)
    if asked.file:
        kin = read(asked.file)
        rows = [row(asked.file.name, kin, len(kin) // asked.cohorts, asked.seconds or 60.0, asked.seeds)]
    else:
        chosen = {asked.only: CASES[asked.only]} if asked.only else CASES
        rows = []
        for name, case in chosen.items():
            kin = case.make(case.n, np.random.default_rng(12345))
            rows.append(row(name, kin, case.size, asked.seconds or case.seconds, asked.seeds))
    show(rows, asked.json)


if __name__ == "__main__":
    main()

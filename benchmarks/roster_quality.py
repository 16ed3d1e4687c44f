"""How good are the cohorts of real sign-up files, beside those of the ways used elsewhere?

    python -m benchmarks.roster_quality FILE.csv[:N]... [--seeds 5] [--json OUT.json]

`FILE.csv:N` takes N of the sign-ups, drawn at random. Every way runs on one core in a process of its own,
with the seconds that the matcher took (mean of its seeds), and one judge looks at the cohorts of all. A way
that depends on chance has a row for the mean and one for the median of its seeds.
"""

from __future__ import annotations

import argparse
import random
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks import peers
from benchmarks.child import Done, in_child
from benchmarks.signups import default_params, measures, read_pool, show
from matcher import Params, Pool, Preview, match

DIGITS = {"placed": 4, "cohorts": 0, "jaccard": 4, "blocks_median": 1, "broken": 1, "objective": 2}
DIGITS |= {"share": 4, "spread": 4, "gap": 4, "seconds": 2, "peak_mb": 0}
# A way that does not end by itself is stopped when it takes so much longer than the matcher.
GRACE = 1.1
Figures = dict[str, float]


@dataclass(frozen=True)
class Peer:
    """A way that is used elsewhere; whether chance plays a part, and whether it does not end by itself when
    its time is over.
    """

    name: str
    way: peers.Way
    by_chance: bool = True
    to_stop: bool = False


PEERS = (
    Peer("random sixes", peers.at_random),
    Peer("sorted by zone, sliced", peers.by_zone, by_chance=False),
    Peer("k-means-constrained, interests", peers.k_means, to_stop=True),
    Peer("k-means-constrained, interests and hours", peers.k_means_with_hours, to_stop=True),
    Peer("plain CP-SAT", peers.cp_sat),
)


@dataclass(frozen=True)
class Sample:
    """A file of sign-ups, or some of them."""

    path: Path
    n: int | None

    @classmethod
    def parse(cls, text: str) -> Sample:
        """`FILE` or `FILE:N`."""
        name, colon, n = text.rpartition(":")
        return cls(Path(name), int(n)) if colon and n.isdecimal() else cls(Path(text), None)

    def pool(self) -> Pool:
        """Its learners, in the file's order."""
        pool = read_pool(self.path)
        if self.n is None or self.n >= len(pool):
            return pool
        chosen = random.Random(0).sample(range(len(pool)), self.n)
        return Pool(tuple(pool.learners[i] for i in sorted(chosen)))


@dataclass(frozen=True)
class Matched:
    """The matcher's cohorts, the bound and its own seconds, without the loading of kernels."""

    cohorts: list[tuple[int, ...]]
    bound: float
    seconds: float


def matched(pool: Pool, params: Params) -> Matched:
    """Run the matcher."""
    found = match(pool, params)
    return Matched([cohort.members for cohort in found.cohorts], found.bound, found.seconds)


class Bench:
    """One pool, and all ways tried on it."""

    def __init__(self, sample: Sample, seeds: int) -> None:
        self.name = sample.path.stem
        self.pool = sample.pool()
        self.preview = Preview(self.pool, default_params())
        self.seeds = range(seeds)
        runs = [in_child(matched, self.pool, default_params(random_state=seed)) for seed in self.seeds]
        for run in runs:
            if run.failure:
                raise SystemExit(f"The matcher failed on {self.name}: {run.failure}")
        self.bound = min(run.answer.bound for run in runs)
        self.seconds = statistics.mean(run.answer.seconds for run in runs)
        self.ours = [self.judged(run.answer.cohorts, run.answer.seconds, run.peak_mb) for run in runs]

    def judged(self, cohorts: Sequence[Sequence[int]], seconds: float, peak_mb: int) -> Figures:
        """The figures of one run."""
        figures = measures(self.preview, cohorts)
        figures["gap"] = max(0.0, self.bound - figures["objective"]) / self.bound
        return {**figures, "seconds": seconds, "peak_mb": peak_mb}

    def rows(self) -> list[dict[str, Any]]:
        """Every way's rows, the matcher's last."""
        return [row for peer in PEERS for row in self._rows_of(peer)] + self._told("matcher", self.ours)

    def _rows_of(self, peer: Peer) -> list[dict[str, Any]]:
        runs: list[Figures] = []
        for seed in self.seeds if peer.by_chance else range(1):
            done = self._run(peer, seed)
            if done.failure:
                # What is not installed, too large or too slow is so for the next seed as well.
                return [self._row(peer.name, 1, "none", {}, done.failure)]
            runs.append(self.judged(done.answer, done.seconds, done.peak_mb))
        found = sum(run["cohorts"] > 0 for run in runs)
        note = "" if found == len(runs) else f"cohorts found with {found} of {len(runs)} seeds"
        return self._told(peer.name, runs, note)

    def _run(self, peer: Peer, seed: int) -> Done:
        params = default_params(random_state=seed)
        limit = GRACE * self.seconds + 1 if peer.to_stop else None
        return in_child(peer.way, self.pool, params, self.seconds, limit=limit)

    def _told(self, how: str, runs: Sequence[Figures], note: str = "") -> list[dict[str, Any]]:
        """Mean and median of several runs, or the one run."""
        if len(runs) == 1:
            return [self._row(how, 1, "one run", self._middle(runs, statistics.mean), note)]
        kinds = {"mean": statistics.mean, "median": statistics.median}
        return [
            self._row(how, len(runs), kind, self._middle(runs, middle), note)
            for kind, middle in kinds.items()
        ]

    def _middle(self, runs: Sequence[Figures], middle: Callable[[list[float]], float]) -> Figures:
        figures: Figures = {name: middle([run[name] for run in runs]) for name in runs[0]}
        objectives = [run["objective"] for run in runs]
        figures["share"] = figures["objective"] / middle([run["objective"] for run in self.ours])
        figures["spread"] = (max(objectives) - min(objectives)) / (statistics.mean(objectives) or 1.0)
        return figures

    def _row(
        self, how: str, seeds: int, kind: str, figures: Mapping[str, float], note: str
    ) -> dict[str, Any]:
        told = {name: _rounded(figures.get(name), digits) for name, digits in DIGITS.items()}
        about = {"file": self.name, "learners": len(self.pool), "how": how, "seeds": seeds, "figure": kind}
        return {**about, **told, "note": note}


def _rounded(figure: float | None, digits: int) -> float | None:
    return None if figure is None else round(float(figure), digits or None)


def main() -> None:
    """Try every way on each file."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("files", nargs="+", type=Sample.parse, metavar="FILE[:N]")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    show([row for sample in asked.files for row in Bench(sample, asked.seeds).rows()], asked.json)


if __name__ == "__main__":
    main()

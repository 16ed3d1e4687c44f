"""Do time and memory grow about linearly, and are cohorts as good in a large pool as in a small one?

    python -m benchmarks.scale [--n 5282 20000 100000] [--jobs 2] [--backend loky|threading|dask]
        [--seconds S] [--json OUT.json]

The pools are those of `cohorts sample`: several zones, habits, topics and misspellings, pairs who want to be
together and some who do not. With dask, a local cluster of `--jobs` worker processes is started.
"""

from __future__ import annotations

import argparse
import contextlib
import statistics
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import joblib
import psutil

from benchmarks.signups import default_params, show
from cohorts.answers import Answers
from cohorts.sample import people
from matcher import Learner, Pool, match

GIGABYTE = 2**30
PIECE = 5_000


def world(n: int, seed: int = 1) -> Pool:
    """A pool of `n` made-up learners; a larger one holds the smaller one's people."""
    same: dict[Any, Any] = {}
    return Pool(
        tuple(
            _learner(person, start // PIECE, same)
            for start in range(0, n, PIECE)
            for person in people(min(PIECE, n - start), seed + start)
        )
    )


def _learner(person: Answers, piece: int, same: dict[Any, Any]) -> Learner:
    def named(emails: tuple[str, ...]) -> frozenset[str]:
        return frozenset(f"{piece}.{email}" for email in emails)

    languages = frozenset(person.languages)
    return Learner(
        id=f"{piece}.{person.email}",
        time_zone=person.time_zone or "UTC",
        free=person.availability,
        languages=same.setdefault(languages, languages),
        answers={"interests": frozenset(person.interests)},
        together=named(person.works_with),
        apart=named(person.avoids),
        convenor=person.convenor,
    )


@contextlib.contextmanager
def peak_memory() -> Iterator[list[float]]:
    """A list whose one entry is the most gigabytes that this process and its children held together."""
    most, over = [0.0], threading.Event()

    def look() -> None:
        here = psutil.Process()
        while not over.wait(0.5):
            held = 0
            for process in (here, *here.children(recursive=True)):
                with contextlib.suppress(psutil.Error):
                    held += process.memory_full_info().pss
            most[0] = max(most[0], held / GIGABYTE)

    looking = threading.Thread(target=look)
    looking.start()
    try:
        yield most
    finally:
        over.set()
        looking.join()


@contextlib.contextmanager
def workers(backend: str, jobs: int) -> Iterator[None]:
    """Where blocks are solved."""
    if backend != "dask":
        with joblib.parallel_config(backend=backend, n_jobs=jobs):
            yield
        return
    from distributed import Client, LocalCluster

    with (
        LocalCluster(n_workers=jobs, threads_per_worker=1, dashboard_address=":0") as cluster,
        Client(cluster) as client,
        joblib.parallel_config(backend="dask", client=client),
    ):
        yield


def run(n: int, backend: str, jobs: int, seconds: float | None) -> dict[str, Any]:
    """One row of the table."""
    began = time.perf_counter()
    pool = world(n)
    made = time.perf_counter() - began
    with peak_memory() as memory, workers(backend, jobs):
        matching = match(pool, default_params(time_limit=seconds, n_jobs=1 if backend == "dask" else jobs))
    sizes = [len(cohort.members) for cohort in matching.cohorts]
    scores = [cohort.score for cohort in matching.cohorts]
    return {
        "n": n,
        "placed": round(matching.n_placed / n, 4),
        "mean score": round(sum(map(lambda k, s: k * s, sizes, scores)) / max(1, sum(sizes)), 4),
        "worst tenth": round(statistics.quantiles(scores, n=10)[0], 4),
        "broken": sum(matching.rules.values()),
        "gap": None if matching.gap is None else round(matching.gap, 3),
        "GB": round(memory[0], 2),
        "seconds": round(matching.seconds, 1),
        "seconds to make": round(made, 1),
    }


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--n", type=int, nargs="+", default=[5_282, 20_000, 100_000])
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--backend", choices=["loky", "threading", "dask"], default="loky")
    parser.add_argument("--seconds", type=float)
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    show([run(n, asked.backend, asked.jobs, asked.seconds) for n in asked.n], asked.json)


if __name__ == "__main__":
    main()

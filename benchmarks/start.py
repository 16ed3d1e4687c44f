"""How long does `cohorts match` take on 30 people, as a whole process, and how much of that are imports?

    python -m benchmarks.start [--runs 5] [--json OUT.json]

Each command runs once to fill the caches and then `--runs` times; the medians are told, in seconds and as a
multiple of a bare `python -c pass`. The processor's seconds tell how much a busy machine has added. Imports
are the sum of what `python -X importtime` counts for each module, the interpreter's own among them.
"""

from __future__ import annotations

import argparse
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.signups import show

COHORTS = str(Path(sys.executable).with_name("cohorts"))
N = 30
# `import time: self [us] | cumulative | imported package`
IMPORTED = re.compile(r"^import time:\s+(\d+) \|", re.MULTILINE)


@dataclass(frozen=True)
class Run:
    """The seconds that a command took, those that the processor worked on it, and what it said."""

    seconds: float
    cpu: float
    said: str

    @property
    def imports(self) -> float:
        """The seconds that imports took, where the command was run with `-X importtime`."""
        return sum(map(int, IMPORTED.findall(self.said))) / 1e6


def run(*words: str) -> Run:
    """Run a command to its end."""
    began, before = time.perf_counter(), _cpu()
    done = subprocess.run(words, check=True, capture_output=True, text=True)
    return Run(time.perf_counter() - began, _cpu() - before, done.stderr)


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def again(command: Sequence[str], runs: int) -> list[Run]:
    """Several runs of a command whose caches are warm."""
    run(*command)
    return [run(*command) for _ in range(runs)]


def row(what: str, seconds: Sequence[float], cpu: Sequence[float] | None, bare: float) -> dict[str, Any]:
    """Medians of several runs."""
    middle = statistics.median(seconds)
    return {
        "what": what,
        "runs": len(seconds),
        "seconds": round(middle, 3),
        "least": round(min(seconds), 3),
        "greatest": round(max(seconds), 3),
        "cpu": None if cpu is None else round(statistics.median(cpu), 3),
        "times bare python": round(middle / bare, 1),
    }


def rows(match: Sequence[str], runs: int) -> list[dict[str, Any]]:
    """One row a command, and one for the imports of the last."""
    commands = {
        "python -c pass": [sys.executable, "-c", "pass"],
        "cohorts --version": [COHORTS, "--version"],
        f"cohorts match, {N} sign-ups": match,
    }
    took = {what: again(command, runs) for what, command in commands.items()}
    bare = statistics.median([one.seconds for one in took["python -c pass"]])
    told = [
        row(what, [one.seconds for one in ones], [one.cpu for one in ones], bare)
        for what, ones in took.items()
    ]
    traced = [run(sys.executable, "-X", "importtime", *match) for _ in range(runs)]
    return [*told, row("of which imports", [one.imports for one in traced], None, bare)]


def main() -> None:
    """One row a command."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        signups, roster = str(Path(folder, "signups.csv")), str(Path(folder, "roster.csv"))
        run(COHORTS, "sample", "--n", str(N), "--seed", "1", "--out", signups)
        show(rows([COHORTS, "match", signups, "--out", roster], asked.runs), asked.json)


if __name__ == "__main__":
    main()

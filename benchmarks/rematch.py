"""What does a rematch keep, when people drop out, others join, and some know each other?

    python -m benchmarks.rematch SIGNUPS.csv[:N] [--seeds 5] [--json OUT.json]

The sign-ups but for some are matched. Then 15 % of the placed drop out at random, those who were held back
(200, or a twentieth) join, and the cohorts are rematched: once knowing of no connections, once with
connections drawn between people whose hours meet. Told are the share of cohorts at or above the least size,
moves of staying members, also for each who dropped out, how many of the movers and newcomers join somebody
they are connected with, the mean pairwise likeness of interests, broken rules, the gap and the seconds of the
rematch alone.
"""

from __future__ import annotations

import argparse
import random
import statistics
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.roster_quality import Sample
from benchmarks.signups import default_params, mean_jaccard, show
from matcher import Learner, Pool, Rematching, Standing, match, rematch
from matcher.availability import availability
from matcher.checks import count_broken

DROPPED, HELD_BACK, CONNECTIONS = 0.15, 200, 1500


def scene(
    learners: Sequence[Learner], seed: int
) -> tuple[list[Learner], list[Standing], int, list[tuple[int, int]]]:
    """Those who take part after some dropped out and others joined, the cohorts that stand, how many dropped
    out, and pairs of people, by their places, who might be connected.
    """
    draw = random.Random(seed)
    held = set(draw.sample(range(len(learners)), min(HELD_BACK, len(learners) // 20)))
    began = Pool(tuple(one for i, one in enumerate(learners) if i not in held))
    matching = match(began, default_params(random_state=seed))
    placed = [i for cohort in matching.cohorts for i in cohort.members]
    gone = set(draw.sample(placed, round(DROPPED * len(placed))))
    stay = [i for i in range(len(began)) if i not in gone]
    place = {i: k for k, i in enumerate(stay)}
    standing = [
        Standing(members, cohort.meetings[0])
        for cohort in matching.cohorts
        if (members := tuple(place[i] for i in cohort.members if i in place))
    ]
    people = [began.learners[i] for i in stay] + [learners[i] for i in sorted(held)]
    return people, standing, len(gone), acquainted(people, draw)


def acquainted(people: Sequence[Learner], draw: random.Random) -> list[tuple[int, int]]:
    """Pairs of people who share an hour in UTC; fewer than can be had where there are few people."""
    can = availability(Pool(tuple(people)), default_params()).can[:, 0]
    wanted = CONNECTIONS * len(people) // 5_000
    pairs: set[tuple[int, int]] = set()
    while len(pairs) < wanted:
        i, j = sorted(draw.sample(range(len(people)), 2))
        if (can[i] & can[j]).any():
            pairs.add((i, j))
    return sorted(pairs)


def connected(people: Sequence[Learner], pairs: Sequence[tuple[int, int]]) -> list[Learner]:
    """The same people, who know of the pairs."""
    known: dict[int, dict[str, float]] = {}
    for i, j in pairs:
        known.setdefault(i, {})[people[j].id] = 0.5
    return [replace(one, connections=known.get(i, {})) for i, one in enumerate(people)]


def join_somebody(found: Rematching, pairs: Sequence[tuple[int, int]]) -> int:
    """How many of those who sit elsewhere than before are connected with somebody there."""
    knows: dict[int, set[int]] = {}
    for i, j in pairs:
        knows.setdefault(i, set()).add(j)
        knows.setdefault(j, set()).add(i)
    return sum(
        move.after is not None and bool(knows.get(move.learner, set()) & {*found.cohorts[move.after].members})
        for move in found.moves
    )


def row(
    how: str, found: Rematching, seed: int, gone: int, pairs: Sequence[tuple[int, int]]
) -> dict[str, Any]:
    """What one rematch came to."""
    groups = [one.members for one in found.cohorts]
    broken = count_broken(found.pool, found.params, groups, [one.meetings for one in found.cohorts])
    return {
        "connections": how,
        "seed": seed,
        "people": len(found.pool),
        "dropped": gone,
        "placed": round(found.n_placed / len(found.pool), 4),
        "cohorts": len(groups),
        "not_too_small": round(statistics.mean(len(g) >= found.params.size_min for g in groups), 4),
        "moved": found.n_moved,
        "moved_per_drop": round(found.n_moved / gone, 3),
        "lost_seat": sum(move.after is None for move in found.moves),
        "newcomers": sum(move.before is None for move in found.moves),
        "join_somebody": join_somebody(found, pairs),
        "jaccard": round(mean_jaccard(found.pool, groups), 4),
        "broken": sum(broken.values()),
        "gap": round(found.gap, 4),
        "seconds": round(found.seconds, 1),
    }


def rows(sample: Sample, seeds: int) -> list[dict[str, Any]]:
    """Both ways for each seed, and their medians."""
    learners = sample.pool().learners
    found: list[dict[str, Any]] = []
    for seed in range(seeds):
        people, standing, gone, pairs = scene(learners, seed)
        for how, some in (("unknown", people), ("known", connected(people, pairs))):
            result = rematch(Pool(tuple(some)), default_params(random_state=seed), standing)
            found.append(row(how, result, seed, gone, pairs))
    for how in ("unknown", "known"):
        of = [one for one in found if one["connections"] == how]
        medians = {
            key: statistics.median(one[key] for one in of)
            for key in of[0]
            if key not in ("seed", "connections")
        }
        found.append({"connections": how, "seed": "median", **medians})
    return found


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("file", type=Sample.parse, metavar="FILE[:N]")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    show(rows(options.file, options.seeds), options.json)


if __name__ == "__main__":
    main()

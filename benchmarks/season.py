"""Do cohorts last a season, and at what price in moves?

    python -m benchmarks.season SIGNUPS.csv[:N] [--weeks 8] [--seeds 3] [--json OUT.json] [--picture OUT.svg]

The sign-ups are matched, then weeks go by. Each week one in twenty leaves, and of those who left before one
in ten comes back. Members of a cohort that is large enough get to know each other, a pair in five a week, and
now and then people of two cohorts whose hours meet do. Four ways to go on are told apart: never rematching,
rematching each week, and matching everybody afresh each week, knowing of connections or not. Told are, week
by week, how many sit in a cohort that is large enough, how many members were moved, and how many of all
connections join people of one cohort.
"""

from __future__ import annotations

import argparse
import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.pictures import draw_season
from benchmarks.roster_quality import Sample
from benchmarks.signups import default_params, show
from matcher import Learner, Meeting, Params, Pool, Standing, match, rematch

LEAVE, RETURN, GET_TO_KNOW, ACROSS = 0.05, 0.1, 0.2, 0.01

Names = frozenset[str]


@dataclass
class Season:
    """Where people are, by their ids."""

    learners: dict[str, Learner]
    params: Params
    draw: random.Random
    cohorts: list[tuple[Names, Meeting]] = field(default_factory=list)
    away: set[str] = field(default_factory=set)
    ties: Counter[tuple[str, str]] = field(default_factory=Counter)

    def pool(self) -> Pool:
        """Those who take part, and whom they know."""
        known: dict[str, dict[str, float]] = {}
        for (one, two), times in self.ties.items():
            known.setdefault(one, {})[two] = 1.0 - 0.5**times
        return Pool(
            tuple(
                replace(learner, connections=known.get(name, {}))
                for name, learner in self.learners.items()
                if name not in self.away
            )
        )

    def begin(self, *, knowing: bool = False) -> None:
        """Match everybody, if wished knowing of connections."""
        pool = self.pool() if knowing else Pool(tuple(self.learners[one.id] for one in self.pool().learners))
        self.cohorts = [
            (frozenset(pool.learners[i].id for i in cohort.members), cohort.meetings[0])
            for cohort in match(pool, self.params).cohorts
        ]

    def week(self) -> None:
        """Some leave, some return, some get to know each other."""
        back = {name for name in sorted(self.away) if self.draw.random() < RETURN}
        present = sorted(self.learners.keys() - self.away)
        self.away |= {name for name in present if self.draw.random() < LEAVE}
        self.away -= back
        self.cohorts = [
            (left, meeting) for members, meeting in self.cohorts if (left := members - self.away - back)
        ]
        for members, _meeting in self.cohorts:
            if len(members) >= self.params.size_min:
                names = sorted(members)
                for at, one in enumerate(names):
                    for two in names[at + 1 :]:
                        self.ties[one, two] += self.draw.random() < GET_TO_KNOW
        present = sorted(self.learners.keys() - self.away)
        for _ in range(round(ACROSS * len(present))):
            one, two = sorted(self.draw.sample(present, 2))
            if self.learners[one].free & self.learners[two].free:
                self.ties[one, two] += 1
        self.ties = +self.ties

    def seated(self) -> int:
        """How many are in a cohort that is large enough."""
        return sum(len(members) for members, _ in self.cohorts if len(members) >= self.params.size_min)

    def within(self) -> int:
        """How many connections join two of one cohort."""
        home = {name: at for at, (members, _) in enumerate(self.cohorts) for name in members}
        return sum(home.get(one, -1) == home.get(two, -2) for one, two in self.ties)


def never(season: Season) -> int:
    """Leave everything as it is."""
    return 0


def rematched(season: Season) -> int:
    """Rematch; return how many members moved."""
    pool = season.pool()
    place = pool.index()
    standing = [Standing(tuple(place[name] for name in members), at) for members, at in season.cohorts]
    found = rematch(pool, season.params, standing)
    season.cohorts = [
        (frozenset(pool.learners[i].id for i in one.members), one.meetings[0]) for one in found.cohorts
    ]
    return found.n_moved


def afresh(season: Season, *, knowing: bool = False) -> int:
    """Match everybody anew; return how many members do not find themselves where most of theirs are."""
    before = [members for members, _ in season.cohorts]
    season.begin(knowing=knowing)
    home = {name: at for at, members in enumerate(before) for name in members}
    stays: dict[int, tuple[int, int]] = {}
    for at, (members, _) in enumerate(season.cohorts):
        shared = Counter(home[name] for name in members if name in home).most_common(1)
        if shared:
            old, size = shared[0]
            stays[old] = max(stays.get(old, (0, -1)), (size, at))
    return sum(map(len, before)) - sum(size for size, _ in stays.values())


WAYS: dict[str, Callable[[Season], int]] = {
    "never": never,
    "rematch": rematched,
    "afresh": afresh,
    "afresh, with connections": partial(afresh, knowing=True),
}


def lived(sample: Sample, weeks: int, seed: int) -> list[dict[str, Any]]:
    """One season in each way, with the same luck."""
    found = []
    people = {one.id: one for one in sample.pool().learners}
    for how, go_on in WAYS.items():
        season = Season(people, default_params(random_state=seed), random.Random(seed))
        season.begin()
        for week in range(weeks + 1):
            moved = 0
            if week:
                season.week()
                moved = go_on(season)
            found.append(
                {
                    "how": how,
                    "seed": seed,
                    "week": week,
                    "present": len(people) - len(season.away),
                    "seated": season.seated(),
                    "moved": moved,
                    "connections": len(season.ties),
                    "within": season.within(),
                }
            )
    return found


def in_all(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Each way as a whole: the mean share of those present who are seated, moves, connections at the end."""
    found = []
    for how in WAYS:
        of = [one for one in rows if one["how"] == how and one["week"]]
        last = max(one["week"] for one in of)
        ends = [one for one in of if one["week"] == last]
        found.append(
            {
                "how": how,
                "seeds": len(ends),
                "seated": round(sum(one["seated"] / one["present"] for one in of) / len(of), 4),
                "seated_at_the_end": round(
                    sum(one["seated"] / one["present"] for one in ends) / len(ends), 4
                ),
                "moves_a_season": round(sum(one["moved"] for one in of) / len(ends), 1),
                "within_at_the_end": round(sum(one["within"] for one in ends) / len(ends), 1),
            }
        )
    return found


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("file", type=Sample.parse, metavar="FILE[:N]")
    parser.add_argument("--weeks", type=int, default=8)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--picture", type=Path)
    options = parser.parse_args()
    rows = [row for seed in range(options.seeds) for row in lived(options.file, options.weeks, seed)]
    show(in_all(rows), None)
    print()
    show(rows, options.json)
    if options.picture:
        draw_season(rows).save(options.picture)


if __name__ == "__main__":
    main()

"""Sign-up files in the native columns as pools, and the measures by which a matching of them is judged."""

from __future__ import annotations

import csv
import datetime as dt
import json
import statistics
from collections.abc import Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

from matcher import Learner, Params, Pool, Preview, Question
from matcher.score import PLACED

DAYS = {day: place for place, day in enumerate(("mon", "tue", "wed", "thu", "fri", "sat", "sun"))}
START = dt.date(2027, 1, 11)


def items(cell: str | None) -> frozenset[str]:
    """The items of a cell, separated by `;`."""
    return frozenset(part.strip() for part in (cell or "").split(";") if part.strip())


def slots(cell: str | None) -> frozenset[int]:
    """`Mon 18:00-21:00; Sat 09:00-12:00` as half-hour slots of the week."""
    free: set[int] = set()
    for span in items(cell):
        day, hours = span.split(None, 1)
        start, end = (int(t.split(":")[0]) * 60 + int(t.split(":")[1]) for t in hours.split("-"))
        end += 24 * 60 if end <= start else 0
        base = DAYS[day[:3].casefold()] * 24 * 60
        free |= {(base + minute) // 30 % 336 for minute in range(start, end - 29, 30)}
    return frozenset(free)


def read_pool(path: Path) -> Pool:
    """The learners of a file, with interests as their one answer."""
    with path.open(encoding="utf-8-sig", newline="") as lines:
        return Pool(
            tuple(
                Learner(
                    id=row["email"],
                    time_zone=row["time_zone"] or "UTC",
                    free=slots(row["availability"]),
                    languages=items(row["languages"]),
                    answers={"interests": items(row["interests"])},
                    together=items(row["works_with"]),
                    apart=items(row["avoids"]),
                    convenor=row["convenor"].casefold() == "yes",
                )
                for row in csv.DictReader(lines)
            )
        )


def default_params(**fields: Any) -> Params:
    """Interests alone, sizes 4 to 8 around 6, 90 minutes, eight weeks."""
    return Params(start=START, questions=(Question("interests", "tags"),), **fields)


def jaccard(one: frozenset[str], two: frozenset[str]) -> float:
    """The plain Jaccard index, 0 for two empty sets."""
    return len(one & two) / len(one | two) if one | two else 0.0


def mean_jaccard(pool: Pool, cohorts: Sequence[Sequence[int]]) -> float:
    """Mean over cohorts of the mean pairwise Jaccard index of interests."""
    sets = [frozenset(tag.casefold() for tag in one.answers["interests"]) for one in pool.learners]  # type: ignore[union-attr]
    means = [statistics.mean(jaccard(sets[i], sets[j]) for i, j in combinations(c, 2)) for c in cohorts]
    return statistics.mean(means) if means else 0.0


def measures(preview: Preview, cohorts: Sequence[Sequence[int]]) -> dict[str, float]:
    """What a judge looks at, whoever made them; cohorts that break a rule add nothing to the objective."""
    checks = [preview.score(members) for members in cohorts]
    kept = [check for check in checks if not check.broken]
    return {
        "placed": sum(map(len, cohorts)) / max(1, len(preview.pool)),
        "cohorts": len(cohorts),
        "jaccard": mean_jaccard(preview.pool, cohorts),
        "blocks_median": statistics.median([len(check.meetings) for check in checks] or [0]),
        "broken": len(checks) - len(kept),
        "objective": sum(len(check.members) * (PLACED + check.score) for check in kept),
    }


def show(rows: Sequence[dict[str, Any]], out: Path | None) -> None:
    """Print a table and, when asked, write the same as JSON."""
    names = list(rows[0])
    print("| " + " | ".join(names) + " |")
    print("|" + "---|" * len(names))
    for row in rows:
        print("| " + " | ".join(str(row[name]) for name in names) + " |")
    if out is not None:
        out.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")

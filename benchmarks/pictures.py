"""The pictures of docs/explanation/how-matching-works.md, drawn from a match of generated sign-ups.

    python -m benchmarks.pictures [FOLDER]

`search.svg` shows how the cohorts get better while the search goes on, and the bound above them;
`common-block.svg` shows one cohort's free hours side by side and the blocks that all of them share.
"""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import numpy as np

from benchmarks.signups import START
from matcher import Learner, Matching, Params, Pool, Progress, Question, match
from matcher.availability import availability, unpack
from matcher.score import PLACED

DASHES = ("2 5", "", "9 4", "14 4 2 4")
INK, SOFT, ACCENT, PAPER = "#334155", "#94a3b8", "#2563eb", "#ffffff"
ZONES = ("Europe/Berlin", "Europe/Lisbon", "America/New_York", "Africa/Nairobi", "Asia/Kolkata")
DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def sample(n: int, seed: int) -> Pool:
    """n learners of five zones, free on some evenings and at a week-end, with five interests of forty."""
    draw = random.Random(seed)
    learners = []
    for i in range(n):
        free: set[int] = set()
        for day in draw.sample(range(7), 3):
            start = day * 48 + draw.choice([16, 20, 32, 34, 36])
            free |= {slot % 336 for slot in range(start, start + draw.choice([6, 8, 12]))}
        tags = frozenset(f"interest {int(draw.paretovariate(0.6)) % 40}" for _ in range(5))
        learners.append(Learner(f"l{i}", draw.choice(ZONES), frozenset(free), answers={"interests": tags}))
    return Pool(tuple(learners))


class Drawing:
    """An SVG with the few shapes that the pictures need."""

    def __init__(self, width: int, height: int, title: str) -> None:
        size = {"viewBox": f"0 0 {width} {height}", "role": "img", "font-family": "system-ui, sans-serif"}
        self.root = ET.Element("svg", {"xmlns": "http://www.w3.org/2000/svg", **size})
        ET.SubElement(self.root, "title").text = title
        self.box(0, 0, width, height, PAPER)

    def box(self, x: float, y: float, width: float, height: float, fill: str) -> None:
        """A filled rectangle."""
        place = {"x": x, "y": y, "width": width, "height": height}
        ET.SubElement(self.root, "rect", {k: f"{v:.1f}" for k, v in place.items()} | {"fill": fill})

    def line(self, points: Sequence[tuple[float, float]], stroke: str, dashes: str = "") -> None:
        """A line through points."""
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        look = {"fill": "none", "stroke": stroke, "stroke-width": "2", "stroke-dasharray": dashes or "none"}
        ET.SubElement(self.root, "polyline", {"points": path, **look})

    def text(self, x: float, y: float, words: str, anchor: str = "start", fill: str = INK) -> None:
        """A line of text."""
        look = {"x": f"{x:.1f}", "y": f"{y:.1f}", "text-anchor": anchor, "fill": fill, "font-size": "13"}
        ET.SubElement(self.root, "text", look).text = words

    def save(self, path: Path) -> None:
        """Write the file."""
        ET.indent(self.root)
        path.write_text(ET.tostring(self.root, encoding="unicode") + "\n", encoding="utf-8")


def draw_search(said: Sequence[tuple[float, Progress]], found: Matching) -> Drawing:
    """Mean score a learner over the seconds of the search, and the bound above it."""
    n = found.n_placed
    steps = [(at, one.objective / n - PLACED) for at, one in said if one.objective]
    top = found.bound / n - PLACED if found.bound else max(score for _, score in steps)
    low, seconds = min(score for _, score in steps), max(found.seconds, said[-1][0])
    picture = Drawing(720, 300, "The cohorts get better while the search goes on; the bound lies above them")

    def place(at: float, score: float) -> tuple[float, float]:
        return 70 + 620 * at / seconds, 250 - 200 * (score - low) / max(1e-9, top - low)

    picture.line([place(0, low), place(seconds, low)], SOFT)
    picture.line([place(0, top), place(seconds, top)], SOFT, "6 4")
    picture.line([place(*step) for step in [*steps, (seconds, found.objective / n - PLACED)]], ACCENT)
    picture.text(690, place(0, top)[1] - 8, f"no matching can pass {top:.3f}", "end")
    picture.text(
        690, 240, f"mean score of a learner: from {low:.3f} to {found.objective / n - PLACED:.3f}", "end"
    )
    picture.text(70, 280, "0 s")
    picture.text(690, 280, f"{seconds:.0f} s", "end")
    return picture


def draw_hours(pool: Pool, params: Params, found: Matching) -> Drawing:
    """The block starts of one cohort's members in a week of UTC, and those that all share."""
    cohort = max(found.cohorts, key=lambda c: len({pool.learners[i].time_zone for i in c.members}))
    hours = availability(Pool(tuple(pool.learners[i] for i in cohort.members)), params)
    starts = unpack(hours.can[:, 0])
    height = 60 + 30 * len(starts)
    picture = Drawing(960, height + 40, "When each member of a cohort can start a meeting, and when all can")
    for day, name in enumerate(DAYS):
        picture.text(170 + 110 * day, 24, name)
        picture.line([(165 + 110 * day, 32), (165 + 110 * day, height)], "#e2e8f0")
    for row, (i, can) in enumerate(zip(cohort.members, starts, strict=True)):
        picture.text(155, 58 + 30 * row, pool.learners[i].time_zone, "end")
        for slot in np.flatnonzero(can).tolist():
            picture.box(165 + 770 * slot / 336, 42 + 30 * row, 2.4, 22, SOFT)
    for slot in np.flatnonzero(starts.all(axis=0)).tolist():
        picture.box(165 + 770 * slot / 336, 36, 2.4, height - 32, ACCENT)
    picture.text(
        165, height + 26, "A stripe is a half hour (UTC) at which a meeting could start; blue: for all."
    )
    return picture


def draw_season(weeks: Sequence[dict[str, Any]]) -> Drawing:
    """The share of those present who sit in a cohort that is large enough, week by week, for each way to go
    on.

    Args:
        weeks: rows with `how`, `week`, `present` and `seated`; several of one week are taken together.
    """
    picture = Drawing(800, 320, "How many sit in a cohort that is large enough, week by week")
    last = max(each["week"] for each in weeks)

    def place(week: float, share: float) -> tuple[float, float]:
        return 60 + 440 * week / last, 270 - 230 * share

    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        picture.line([place(0, share), place(last, share)], "#e2e8f0")
        picture.text(52, place(0, share)[1] + 4, f"{share:.0%}", "end")
    ends = []
    for how, dashes in zip(("never", "rematch", "afresh", "afresh, with connections"), DASHES, strict=True):
        mine = [each for each in weeks if each["how"] == how]
        shares = [
            sum(each["seated"] for each in mine if each["week"] == week)
            / sum(each["present"] for each in mine if each["week"] == week)
            for week in range(last + 1)
        ]
        look = ACCENT if how == "rematch" else INK, dashes
        picture.line([place(*point) for point in enumerate(shares)], *look)
        moves = sum(each["moved"] for each in mine) / len({each["seed"] for each in mine})
        ends.append((place(last, shares[-1])[1], look, f"{how}: {moves:.0f} moves"))
    below = 0.0
    for y, look, words in sorted(ends):
        below = max(y, below + 18)
        picture.line([(514, below), (542, below)], *look)
        picture.text(550, below + 4, words)
    picture.text(60, 300, "week 0")
    picture.text(500, 300, f"week {last}", "end")
    return picture


def main() -> None:
    """Match once and draw both."""
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "docs/images")
    pool, params = sample(240, 0), Params(start=START, questions=(Question("interests", "tags"),))
    match(sample(30, 1), params)
    said: list[tuple[float, Progress]] = []

    began = time.perf_counter()
    found = match(pool, params, progress=lambda one: said.append((time.perf_counter() - began, one)))
    draw_search(said, found).save(folder / "search.svg")
    draw_hours(pool, params, found).save(folder / "common-block.svg")


if __name__ == "__main__":
    main()

"""The picture of a network: each cohort a disc with a mark for everybody in it, and lines between cohorts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from cohorts import layout
from cohorts.layout import Points
from cohorts.network import Home, Network
from cohorts.policies import FEW

WIDTH: Final = 400
MOST_HEIGHT: Final = 320
COLOURS: Final = 8
OUTLINES: Final[dict[str, tuple[float, float, tuple[str | float, ...]]]] = {
    "circle": (0, 0, ("h", 0)),
    "square": (0.9, 0.9, ("h", 1.8, "v", 1.8, "h", -1.8, "z")),
    "triangle": (0, 1.1, ("l", 1.1, 2, "h", -2.2, "z")),
    "diamond": (0, 1.2, ("l", 1.2, 1.2, -1.2, 1.2, -1.2, -1.2, "z")),
}
"""The marks of people: from the middle so far left and up, then on, all in halves of a mark."""
SHAPES: Final = tuple(OUTLINES)
MOST_LABELS: Final = 60
"""With more cohorts than this, names would be no more than a blur."""
LABEL: Final = 18
_LARGEST: Final = 8.0
"""So many units of the picture a person is wide at most."""
_MARGIN: Final = 16
_MANY: Final = 2 * FEW


@dataclass(frozen=True, slots=True)
class Disc:
    """A cohort in the picture.

    Attributes:
        home: The cohort.
        x: Its middle; ``y`` likewise.
        r: Its radius.
        colour: A number below `COLOURS`.
        shape: One of `SHAPES`; no two of thirty-two cohorts have the same colour and shape.
        people: Where its members are, as numbers x, y, x, y …
        ring: How many pairs are connected in it: 0 none, 1 of fewer than five people, 2 more.
    """

    home: Home
    x: float
    y: float
    r: float
    colour: int
    shape: str
    people: list[float]
    ring: int

    @property
    def label(self) -> str:
        """Its name, as much of it as there is room for."""
        name = self.home.name
        return name if len(name) <= LABEL else f"{name[: LABEL - 1]}…"


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture of a network, ``WIDTH`` units wide.

    Attributes:
        height: In the same units.
        unit: How wide a person is.
        discs: The cohorts in their order.
        lines: Numbers of two cohorts, and how many people connect them: 0 fewer than five, 1 a few, 2 many.
    """

    height: float
    unit: float
    discs: list[Disc]
    lines: list[tuple[int, int, int]]

    def path(self, level: int) -> str:
        """Return the lines of one level as the path of an SVG."""
        ends = ((self.discs[one], self.discs[two]) for one, two, each in self.lines if each == level)
        return "".join(f"M{one.x:g} {one.y:g}L{two.x:g} {two.y:g}" for one, two in ends)

    def marks(self, disc: Disc) -> str:
        """Return the members of a cohort as the path of an SVG; a circle is a point with a round pen."""
        left, up, outline = OUTLINES[disc.shape]
        half = 0.35 * self.unit
        steps = " ".join(f"{each * half:.3g}" if isinstance(each, int | float) else each for each in outline)
        places = zip(disc.people[::2], disc.people[1::2], strict=True)
        return "".join(f"M{x - left * half:.5g} {y - up * half:.5g}{steps}" for x, y in places)

    def as_json(self) -> dict[str, Any]:
        """Return what a browser draws it from by itself."""
        return {
            "cohorts": [
                {
                    "name": each.home.name,
                    "x": each.x,
                    "y": each.y,
                    "r": each.r,
                    "colour": each.colour,
                    "shape": each.shape,
                    "people": each.people,
                    "silent": each.home.is_silent,
                }
                for each in self.discs
            ],
            "lines": self.lines,
            "unit": self.unit,
        }


def draw(network: Network) -> Picture:
    """Place the cohorts of a network; the same network always looks the same."""
    radii = [layout.radius(each.n_members) for each in network.homes]
    places = layout.spring(radii, [(one, two) for one, two, _people in network.lines])
    places, unit, height = _fitted(places, radii)
    discs = [
        _disc(number, home, place, radii[number], unit)
        for number, (home, place) in enumerate(zip(network.homes, places, strict=True))
    ]
    return Picture(height, unit, discs, [(one, two, _level(people)) for one, two, people in network.lines])


def _fitted(places: Points, radii: Sequence[float]) -> tuple[Points, float, float]:
    """Return places in a picture that lies rather than stands, how wide a person is there, and its height."""
    if not len(places):
        return places, 1.0, 0.0
    if np.ptp(places[:, 1]) > np.ptp(places[:, 0]):
        places = places[:, ::-1]
    reach = np.asarray(radii)[:, None]
    first, last = (places - reach).min(axis=0), (places + reach).max(axis=0)
    wide, high = last - first
    unit = min((WIDTH - 4 * _MARGIN) / wide, (MOST_HEIGHT - 3 * _MARGIN) / high, _LARGEST)
    inset = np.array([(WIDTH - unit * wide) / 2, _MARGIN])
    return (places - first) * unit + inset, float(unit), float(np.ceil(unit * high + 3 * _MARGIN))


def _disc(number: int, home: Home, place: Points, radius: float, unit: float) -> Disc:
    people = place + unit * layout.sunflower(home.n_members)
    return Disc(
        home=home,
        x=round(float(place[0]), 1),
        y=round(float(place[1]), 1),
        r=round(radius * unit, 1),
        colour=number % COLOURS,
        shape=SHAPES[(number + number // COLOURS) % len(SHAPES)],
        people=np.round(people, 1).ravel().tolist(),
        ring=1 if home.within is None else 2 if home.within else 0,
    )


def _level(people: int | None) -> int:
    return 0 if people is None else 1 if people < _MANY else 2

"""Where the cohorts of a network are drawn: those with many connections near each other, none over another.

A spring layout after Fruchterman and Reingold ("Graph drawing by force-directed placement", 1991) in their
variant for large graphs, where only what is near pushes away. The same network always looks the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.spatial import KDTree

Points = NDArray[np.float64]

GOLDEN_ANGLE: Final = np.pi * (3 - np.sqrt(5))
"""Turned by it each, points on a spiral fill a disc evenly."""
_STEPS: Final = 60
_STEPS_IF_MANY: Final = 20
_MANY: Final = 150
_GAP: Final = 2.4
"""So much room stays around each disc, in the widths of a person."""


def sunflower(n_points: int, spacing: float = 1.0) -> Points:
    """Return points that fill a disc around the origin evenly, shape (n_points, 2)."""
    number = np.arange(n_points)
    distance, angle = spacing * 0.6 * np.sqrt(number + 0.5), number * GOLDEN_ANGLE
    return np.stack([distance * np.cos(angle), distance * np.sin(angle)], axis=1)


def radius(n_people: int) -> float:
    """Return the radius of the disc that holds so many people, each one unit wide."""
    return 0.6 * float(np.sqrt(n_people + 0.5)) + 0.7


def spring(radii: Sequence[float], lines: Sequence[tuple[int, int]]) -> Points:
    """Return where discs go, shape (n_discs, 2); ``lines`` join two of them by their numbers.

    The cost grows with the number of discs and lines, not with its square. What was asked for lately is not
    reckoned again: most times somebody looks, nothing that places anything has changed.
    """
    return _spring(tuple(radii), tuple(lines)).copy()


@lru_cache(maxsize=8)
def _spring(radii: tuple[float, ...], lines: tuple[tuple[int, int], ...]) -> Points:
    sizes = np.asarray(radii, dtype=float)
    if not len(sizes):
        return np.zeros((0, 2))
    ends = np.asarray(lines, dtype=int).reshape(-1, 2)
    distance = 2 * float(sizes.mean()) + 2 * _GAP
    places = _start(sunflower(len(sizes), spacing=1.2 * distance), ends)
    for heat in np.linspace(1.0, 0.05, _STEPS if len(sizes) <= _MANY else _STEPS_IF_MANY):
        moves = _moves(places, ends, distance)
        length = np.linalg.norm(moves, axis=1, keepdims=True)
        places = places + moves * np.minimum(1.0, heat * distance / np.maximum(length, 1e-9))
    places = places - places.mean(axis=0)
    room, taken = 2 * np.pi * places.var(axis=0).sum(), 2 * np.pi * ((sizes + _GAP) ** 2).sum()
    return _apart(places * max(1.0, np.sqrt(taken / max(room, 1e-9))), sizes)


def _start(places: Points, ends: NDArray[np.int64]) -> Points:
    """Return places to begin with, in which those that are connected are near each other already.

    By power iteration, as in spectral layouts (Koren, "Drawing graphs by eigenvectors", 2005): each place is
    again and again moved to the mean of its neighbours', and what is alike in all is taken out.
    """
    n = len(places)
    if not len(ends) or n < 4:
        return places
    one, two = np.concatenate([ends, ends[:, ::-1], np.arange(n)[:, None].repeat(2, axis=1)]).T
    joined = csr_array((np.ones(len(one)), (one, two)), shape=(n, n))
    root = np.sqrt(joined.sum(axis=1))
    vectors = np.column_stack([root, places * root[:, None]])
    for step in range(100):
        vectors = (joined @ (vectors / root[:, None])) / root[:, None]
        if step % 5 == 4:
            vectors = np.linalg.qr(vectors)[0]
    ranks = np.argsort(np.argsort(vectors[:, 1:] / root[:, None], axis=0, kind="stable"), axis=0)
    spread = float(np.ptp(places, axis=0).max())
    return np.asarray((ranks / n - 0.5) * spread)


def _moves(places: Points, ends: NDArray[np.int64], distance: float) -> Points:
    """Return where each disc is pushed by those near it, and pulled by its lines and a little inwards."""
    near = KDTree(places).query_pairs(2 * distance, output_type="ndarray")
    moves = -0.15 * places
    away = places[near[:, 0]] - places[near[:, 1]]
    push = away * (distance / np.maximum(np.linalg.norm(away, axis=1), 1e-6))[:, None] ** 2
    _add(moves, near, push)
    along = places[ends[:, 1]] - places[ends[:, 0]]
    pull = along * (np.linalg.norm(along, axis=1) / distance)[:, None]
    # A disc with many lines is not torn to and fro by each of them with full force.
    n_lines = np.maximum(np.bincount(ends.ravel(), minlength=len(places)), 1)
    _add(moves, ends, pull / np.sqrt(n_lines[ends].max(axis=1))[:, None])
    return moves


def _add(moves: Points, pairs: NDArray[np.int64], force: Points) -> None:
    """Add a force to the first of each pair and its opposite to the second."""
    for axis in (0, 1):
        for end, sign in ((0, 1.0), (1, -1.0)):
            moves[:, axis] += np.bincount(pairs[:, end], sign * force[:, axis], minlength=len(moves))


def _apart(places: Points, sizes: NDArray[np.float64]) -> Points:
    """Push discs apart until none is over another, nor much nearer to it than it should."""
    reach = 2 * float(sizes.max()) + 2 * _GAP
    for _ in range(200):
        near = KDTree(places).query_pairs(reach, output_type="ndarray")
        away = places[near[:, 0]] - places[near[:, 1]]
        length = np.linalg.norm(away, axis=1)
        missing = sizes[near].sum(axis=1) + _GAP - length
        if not (missing > _GAP / 2).any():
            break
        step = away / np.maximum(length, 1e-9)[:, None] * (np.maximum(missing, 0) * 0.52)[:, None]
        places = places.copy()
        _add(places, near, step)
    return places

"""How much a test tries: the usual run is short, ``./run test --full`` takes what its subject deserves."""

from __future__ import annotations

is_full = False
"""Set from the command line before any test is read."""


def usual(number: int, *, full: int) -> int:
    """Return how many rounds, people or cases a test is to try."""
    return full if is_full else number

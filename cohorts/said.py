"""Words by which the cells of a survey say yes, no, or something between."""

from __future__ import annotations

from typing import Final

YES_WORDS: Final = frozenset(
    (
        "ok", "yes", "y", "x", "✓", "✔", "✅", "1", "true", "checked", "sí", "si", "ja", "oui",
        "sim", "free", "available",
    )
)  # fmt: skip
MAYBE_WORDS: Final = frozenset(
    (
        "(ok)", "(yes)", "maybe", "ifneedbe", "if need be", "if needed", "yes, if need be", "~",
        "possibly", "perhaps",
    )
)  # fmt: skip
NO_WORDS: Final = frozenset(
    (
        "", "no", "n", "0", "false", "busy", "unavailable", "not available", "-", "–", "nein",
        "non", "não", "✗", "✖",
    )
)  # fmt: skip
"""Blank is no, as Doodle leaves it."""

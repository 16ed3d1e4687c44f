"""How what people write is tidied and compared."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from functools import lru_cache


@lru_cache(maxsize=10_000)
def interest_key(label: str) -> str:
    """Return what two spellings of one interest have in common."""
    return " ".join(unicodedata.normalize("NFKC", label).casefold().split())


def one_line(text: str) -> str:
    """Return a text with single spaces, and none around it."""
    return " ".join(text.split())


def once(items: Iterable[str]) -> tuple[str, ...]:
    """Drop empty items, and those that came before in another spelling."""
    return tuple({interest_key(item): item for item in reversed([*items]) if item}.values())[::-1]


def is_plain(text: str) -> bool:
    """Tell whether a text has no control characters and nothing that no database keeps."""
    return not any(unicodedata.category(character) in ("Cc", "Cs") for character in text)

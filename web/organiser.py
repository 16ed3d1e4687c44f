"""The organiser's side: one blueprint, its views grouped by subject."""

from __future__ import annotations

from . import (
    board,
    cohort_desk,
    comparing_pages,
    connection_imports,
    figures,
    import_pages,
    joining,
    letters,
    network_pages,
    people_pages,
    proposals,
    questions,
    rematch_pages,
    roster_pages,
    security_pages,
    sharing,
)
from .desk import blueprint

__all__ = [
    "blueprint",
    "board",
    "cohort_desk",
    "comparing_pages",
    "connection_imports",
    "figures",
    "import_pages",
    "joining",
    "letters",
    "network_pages",
    "people_pages",
    "proposals",
    "questions",
    "rematch_pages",
    "roster_pages",
    "security_pages",
    "sharing",
]

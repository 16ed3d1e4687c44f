"""Which column of a spreadsheet is what: guessed from its headings, changed by hand, kept as JSON."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from functools import partial
from typing import Any, Final

from . import clocks
from .answers import FIELDS, time_zones
from .dialects import NATIVE, Layout
from .headings import BUSY, FIRST, IGNORED, LAST, NAMES, TURNED, WRONG, target
from .language import gettext as _
from .questions import CustomQuestion
from .tables import heading_key
from .texts import interest_key

HOURS: Final = ("availability", "if_needed", BUSY)
SEVERAL: Final = frozenset(
    (*HOURS, "languages", "interests", "can_help_with", "wants_help_with", "works_with", "avoids", "goal")
)
"""What may have several columns, as questions of a course's own may; of anything else the first counts."""

_OTHER: Final = frozenset(("other", "otro", "andere", "sonstiges", "autre", "outro", "anders"))
NAMED: Final = frozenset(("name", FIRST, LAST, TURNED))


class Repeated(StrEnum):
    """Which of several rows of one person counts."""

    LATEST = "latest"
    FIRST = "first"
    REFUSE = "refuse"


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a sheet is read.

    Attributes:
        targets: What each column holds: an answer's name, a part of one, a question's key, or nothing.
        zone: Time zone of whoever's row names none.
        hours: Free hours of whoever's row names none, written like ``Mon 18:00-21:00``.
        asked: Hours of a day that a question about busy times asked about, such as ``08:00-20:00``.
        repeated: Which row counts when a person has several.
        lenient: Whether an answer that may be left out, and cannot be read, is left out.
        header: Number of the row with the headings, the lower one if they are two; 0 to find it.
        head_rows: How many rows of headings there are, 1 or 2; 0 to find out. Without any, ``header`` is -1.
    """

    targets: tuple[str, ...]
    zone: str = ""
    hours: str = ""
    asked: str = ""
    repeated: Repeated = Repeated.LATEST
    lenient: bool = False
    header: int = 0
    head_rows: int = 0

    @property
    def is_plain(self) -> bool:
        """Whether nothing is asked for but columns as they are called."""
        return replace(self, targets=()) == Recipe((), repeated=Repeated.REFUSE)

    def to_json(self) -> dict[str, Any]:
        """Return a recipe in plain values."""
        return asdict(self) | {"targets": list(self.targets)}

    @classmethod
    def from_json(cls, kept: Mapping[str, Any], questions: Sequence[CustomQuestion] = ()) -> Recipe:
        """Return a kept recipe; a column for a question that is gone is left out."""
        known = {*NAMES, *(each.key for each in questions)}
        targets = tuple(each if each in known else IGNORED for each in kept["targets"])
        return cls(**{**kept, "targets": targets, "repeated": Repeated(kept["repeated"])})

    def problems(self) -> dict[str, str]:
        """Return what is wrong with what was filled in, by field."""
        found = {}
        if self.zone and self.zone not in time_zones():
            found["zone"] = _("Choose a time zone from the list, such as Europe/Berlin.")
        for name, convert in (("hours", clocks.week), ("asked", clocks.times)):
            try:
                convert(getattr(self, name))
            except ValueError as error:
                found[name] = str(error)
        return found


@dataclass(frozen=True, slots=True)
class Known:
    """What a course knows that helps to read a file: its interests and questions, and who is signed up."""

    interests: tuple[str, ...] = ()
    questions: tuple[CustomQuestion, ...] = ()
    required: frozenset[str] = frozenset()
    called: Mapping[str, str] = field(default_factory=dict)
    """Addresses by name; empty for a name that several have."""


NOBODY: Final = Known()


def by_name(people: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return the addresses of people by their names; a name of several has none."""
    found: dict[str, set[str]] = defaultdict(set)
    for name, email in people:
        if name and email:
            found[interest_key(name)].add(email)
    return {name: emails.pop() if len(emails) == 1 else "" for name, emails in found.items()}


def digest(layout: Layout) -> str:
    """Return what tells files with the same columns in the same order, whatever stands below."""
    texts = [heading.text for heading in layout.headings if heading.text != WRONG]
    return hashlib.sha256("\0".join([layout.dialect, *texts]).encode()).hexdigest()


def fitted(recipe: Recipe, layout: Layout) -> Recipe:
    """Return a kept recipe for a file that may have a column more, or less, at its end."""
    width = len(layout.headings)
    return replace(recipe, targets=(recipe.targets + (IGNORED,) * width)[:width])


# Guessing


def guessed(recipe: Recipe | None, layout: Layout, known: Known = NOBODY) -> Recipe:
    """Return the recipe that a sheet suggests, with what was said already and is not about columns."""
    found = guess(layout, known)
    return replace(recipe, targets=found.targets) if recipe else found


def guess(layout: Layout, known: Known = NOBODY) -> Recipe:
    """Return the recipe that the headings, and the cells below them, suggest."""
    own = {question.key for question in known.questions}
    if layout.dialect == NATIVE:
        keys = (heading_key(heading.text) for heading in layout.headings)
        return Recipe(
            tuple(key if key in own or key in FIELDS else IGNORED for key in keys), repeated=Repeated.REFUSE
        )
    fixed = dict(layout.fixed)
    found = [
        fixed.get(column, target(heading, known.questions)) for column, heading in enumerate(layout.headings)
    ]
    _options(layout, known, found)
    for wanted in set(found) - SEVERAL - own - {IGNORED}:
        columns = [column for column, each in enumerate(found) if each == wanted]
        best = max(columns, key=partial(_addresses, layout)) if wanted == "email" else columns[0]
        for column in columns:
            found[column] = wanted if column == best else IGNORED
    if "name" in found or TURNED in found:
        found = [IGNORED if each in (FIRST, LAST) else each for each in found]
    return Recipe(tuple(found))


def _addresses(layout: Layout, column: int) -> int:
    return sum("@" in line[column] for line in layout.body[:50])


def _options(layout: Layout, known: Known, found: list[str]) -> None:
    """Find columns that stand for one option each: in Typeform's files their cells repeat the heading."""
    asked = [("interests", known.interests), *((each.key, each.options) for each in known.questions)]
    owners = {interest_key(option): key for key, options in reversed(asked) for option in options}
    for column, heading in enumerate(layout.headings):
        key = interest_key(heading.text)
        filled = {interest_key(line[column]) for line in layout.body[:2000]} - {""}
        if key in owners and filled <= {key, "1", "0", "y", "n", "yes", "no", "true", "false"}:
            found[column] = owners[key]
        elif column and key in _OTHER and found[column] == IGNORED and _is_option(layout, column - 1, owners):
            found[column] = found[column - 1]


def _is_option(layout: Layout, column: int, owners: Mapping[str, str]) -> bool:
    return interest_key(layout.headings[column].text) in {*owners, *_OTHER}

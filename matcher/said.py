"""What the matcher says to people: in English, and still in the parts it was put together from.

Who shows it in another language finds a translation of the template and fills in the values again. `say` and
`say_number` mark their templates for translation; values are named, and a percent sign is written `%%`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from matcher.params import clock


@dataclass(frozen=True, slots=True)
class Hours:
    """A stretch of the week on the clock of whoever reads it: its first slot, and how many."""

    slot: int
    n_slots: int

    def __str__(self) -> str:
        return f"{clock(self.slot)}-{clock(self.slot + self.n_slots).split()[1]}"


@dataclass(frozen=True, slots=True)
class Asked:
    """A question by its key, for whoever knows how it is worded."""

    key: str

    def __str__(self) -> str:
        return self.key.replace("_", " ")


class Said(str):
    """A sentence or a part of one: a `str` of its English that knows its template and values.

    A value is a number, somebody's own words, a tuple of such words, `Hours`, `Asked` or another `Said`.
    With a number `n` there are two templates; the number, and the language, decide which one is taken.
    """

    __slots__ = ("n", "plural", "template", "values")

    template: str
    values: Mapping[str, Value]
    plural: str
    n: int | None

    def __new__(
        cls, template: str, values: Mapping[str, Value], plural: str = "", n: int | None = None
    ) -> Self:
        """Fill in the values."""
        form = template if n in (None, 1) else plural
        said = super().__new__(cls, form % {name: _english(value) for name, value in values.items()})
        said.template, said.values, said.plural, said.n = template, values, plural, n
        return said

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.template, self.values, self.plural, self.n)


class Traded(Said):
    """What a cohort does without for the sake of all: for who answers for the whole, not for its members."""

    __slots__ = ()


Value = str | int | tuple[str, ...] | Hours | Asked | Said


def say(template: str, /, **values: Value) -> Said:
    """Say something."""
    return Said(template, values)


def say_number(singular: str, plural: str, n: int, /, **values: Value) -> Said:
    """Say something about a number of things, which the templates may name `%(num)s`."""
    return Said(singular, {"num": n, **values}, plural, n)


def _english(value: Value) -> str:
    return ", ".join(value) if isinstance(value, tuple) else str(value)

"""The fields of a course's own questions: one for each kind, all read into what ``cohorts.kinds`` judges."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from werkzeug.datastructures import MultiDict
from wtforms import Field

from cohorts import kinds
from cohorts.questions import CustomQuestion, Kind
from cohorts.texts import interest_key

PREFIX: Final = "q-"
"""Stands before the key of a question in the name of its field, so that it meets no other's."""

_SEPARATORS: Final = re.compile(r"[,;\n]")


class CustomField(Field):  # type: ignore[misc]
    """A question of a course's own; ``data`` is the answer as given, whether it fits or not."""

    def __init__(self, question: CustomQuestion, **kwargs: Any) -> None:
        """Ask ``question``."""
        super().__init__(label=question.label, **kwargs)
        self.question = question
        self.kind = question.kind.value
        self.options = question.options
        self.steps = range(1, question.points + 1)

    def process(
        self, formdata: MultiDict[str, str] | None, data: Any = None, extra_filters: Any = None
    ) -> None:
        """Begin with a kept answer; take what was posted."""
        self.process_errors: list[str] = []
        self.object_data = self.data = None if data is None or isinstance(data, type) else data
        if formdata is not None:
            self.data = READERS[self.question.kind](self, formdata)

    @property
    def ticked(self) -> set[str]:
        """The options that are chosen, whatever the case they were written in."""
        return self._ticked(self.data)

    @property
    def others(self) -> list[str]:
        """What was added to the options."""
        return self._others(self.data)

    def side(self, name: str) -> dict[str, Any]:
        """Return what one side of needs and offers shows: ticked options, and what was added to them."""
        labels = self.data.get(name, []) if isinstance(self.data, Mapping) else []
        return {"ticked": self._ticked(labels), "others": self._others(labels)}

    def rated(self, item: str) -> str:
        """Return the rating of an item as it was posted, or nothing."""
        return str(self.data.get(item, "")) if isinstance(self.data, Mapping) else ""

    def line(self, number: int) -> str:
        """Return one of the favourites, counted from 0."""
        return self.data[number] if isinstance(self.data, list) and number < len(self.data) else ""

    @property
    def chosen(self) -> str:
        """The option, step or yes and no that is chosen, as its radio button calls it."""
        if isinstance(self.data, bool):
            return "yes" if self.data else "no"
        return "" if self.data is None else str(self.data)

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """The options, each as the value and the words of a radio button."""
        return [(option, option) for option in self.options]

    def _ticked(self, labels: Any) -> set[str]:
        chosen = {interest_key(label) for label in labels} if isinstance(labels, list) else set()
        return {option for option in self.options if interest_key(option) in chosen}

    def _others(self, labels: Any) -> list[str]:
        known = {interest_key(option) for option in self.options}
        return (
            [label for label in labels if interest_key(label) not in known]
            if isinstance(labels, list)
            else []
        )


def _labels(field: CustomField, posted: list[str]) -> list[str]:
    """Read ticks and free texts; a value that is an option counts as one even if it contains a comma."""
    pieces = ([text] if text in field.options else _SEPARATORS.split(text) for text in posted)
    return [label.strip() for found in pieces for label in found if label.strip()]


def _many(field: CustomField, posted: MultiDict[str, str]) -> list[str]:
    return _labels(field, posted.getlist(field.name))


def _favourites(field: CustomField, posted: MultiDict[str, str]) -> list[str]:
    return [line.strip() for line in posted.getlist(field.name) if line.strip()]


def _rating(field: CustomField, posted: MultiDict[str, str]) -> dict[str, str]:
    start = f"{field.name}-"
    return {
        name.removeprefix(start): posted[name] for name in posted if name.startswith(start) and posted[name]
    }


def _help(field: CustomField, posted: MultiDict[str, str]) -> dict[str, list[str]]:
    return {side: _labels(field, posted.getlist(f"{field.name}-{side}")) for side in (kinds.CAN, kinds.WANTS)}


def _single(field: CustomField, posted: MultiDict[str, str]) -> str:
    return posted.get(field.name, "")


READERS: Final[dict[Kind, Callable[[CustomField, MultiDict[str, str]], Any]]] = {
    Kind.MANY: _many,
    Kind.FAVOURITES: _favourites,
    Kind.RATING: _rating,
    Kind.HELP: _help,
    **dict.fromkeys((Kind.ONE, Kind.YES_NO, Kind.SCALE, Kind.TEXT), _single),
}
"""How an answer of each kind is posted."""

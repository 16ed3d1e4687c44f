"""What is kept of a file of interactions while it waits: who, to whom, when and what, and no word more."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Self

from . import conversations
from .conversations import Columns
from .sheets import Line, Sheet
from .told import Reading, Slip, Told

_LONGEST: Final = 200
"""Cells that are longer name nobody."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A file that waits: what it tells, or a table whose columns are to be said; and who is who in it."""

    found: Reading | Sheet
    names: Mapping[str, str] = field(default_factory=dict)
    columns: Columns = field(default_factory=dict)

    @classmethod
    def of(cls, content: bytes, name: str, names: Mapping[str, str]) -> Self:
        """Return the draft of a file.

        Raises:
            UnreadableFile: It cannot be read.
        """
        found = conversations.read(content, name)
        return cls(found, names, conversations.guess(found) if isinstance(found, Sheet) else {})

    @property
    def table(self) -> Sheet | None:
        """The table, if it is one."""
        return self.found if isinstance(self.found, Sheet) else None

    @property
    def is_clear(self) -> bool:
        """Whether nobody needs to say what the columns are."""
        return self.table is None or all(each in self.columns for each in conversations.NEEDED)

    def reading(self) -> Reading:
        """Return what the file tells.

        Raises:
            MalformedFile: It is a table of which a needed column is not known.
        """
        if isinstance(self.found, Reading):
            return self.found
        return conversations.of_table(self.found, self.columns)

    def to_bytes(self) -> bytes:
        """Return the draft as text in which an erasure can find names and addresses."""
        plain: dict[str, Any] = {"names": dict(self.names), "columns": self.columns}
        if isinstance(self.found, Sheet):
            plain["lines"] = [
                [line.number, *(cell[:_LONGEST] for cell in line.cells)] for line in self.found.lines
            ]
        else:
            plain |= {
                "tool": self.found.tool,
                "told": [
                    [each.place, each.giver, each.taker, each.at.isoformat(), each.kind]
                    for each in self.found.told
                ],
                "slips": [[each.place, each.message] for each in self.found.slips],
                "notes": self.found.notes,
            }
        return json.dumps(plain, ensure_ascii=False).encode()

    @classmethod
    def from_bytes(cls, kept: bytes) -> Self:
        """Return a draft that was kept."""
        plain = json.loads(kept)
        if "lines" in plain:
            lines = tuple(Line(number, tuple(cells)) for number, *cells in plain["lines"])
            return cls(Sheet(lines), plain["names"], plain["columns"])
        told = (
            Told(place, tuple(giver), tuple(taker), datetime.fromisoformat(at), kind)
            for place, giver, taker, at, kind in plain["told"]
        )
        slips = (Slip(place, message) for place, message in plain["slips"])
        reading = Reading(plain["tool"], tuple(told), tuple(slips), tuple(plain["notes"]))
        return cls(reading, plain["names"])

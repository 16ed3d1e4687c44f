"""What an organiser is shown of a file before it is read: each column with what its cells become."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from . import availability, cells, grids, kinds
from .answers import address, is_address
from .headings import IGNORED, SENT, Heading
from .language import gettext as _
from .readings import Reader
from .recipes import HOURS, NAMED


@dataclass(frozen=True, slots=True)
class Sample:
    """A cell and what it becomes; with a problem, why it becomes nothing."""

    found: str
    becomes: str
    problem: str = ""


def samples(reader: Reader, column: int, most: int = 3) -> list[Sample]:
    """Return the commonest cells of a column and what each becomes by itself, those with problems first."""
    counted = Counter(line[column] for line in reader.layout.body if line[column])
    shown = [_sample(reader, column, cell) for cell, _times in counted.most_common(200)]
    return sorted(shown, key=lambda each: not each.problem)[:most]


def _sample(reader: Reader, column: int, cell: str) -> Sample:
    wanted, heading = reader.recipe.targets[column], reader.layout.headings[column]
    try:
        return Sample(cell, _becomes(reader, wanted, heading, cell))
    except ValueError as error:
        return Sample(cell, "", str(error))


def _becomes(reader: Reader, wanted: str, heading: Heading, cell: str) -> str:
    if wanted in HOURS:
        found = grids.marks(heading, cell, wanted, reader.grids[wanted])
        pieces = availability.pieces(found.full)
        if found.maybe:
            pieces = [*pieces, _("if needed: %(hours)s", hours=", ".join(availability.pieces(found.maybe)))]
        return ", ".join(pieces) or _("nothing")
    if wanted == IGNORED:
        return ""
    if wanted in (*NAMED, "goal"):
        return cell
    if wanted == "email" and not is_address(address(cell)):
        raise ValueError(_("This is not an e-mail address. It should look like name@example.org."))
    if wanted == SENT:
        return _moment(reader, cell)
    if wanted in reader.own:
        question = reader.own[wanted]
        return ", ".join(kinds.words(question, cells.custom(question, [(heading.option, cell)])))
    value = reader.convert(wanted, [(heading, cell)])
    if isinstance(value, bool):
        return _("Yes") if value else _("No")
    if isinstance(value, tuple):
        return " · ".join(value)
    return f"{value:g}" if isinstance(value, float) else str(value)


def _moment(reader: Reader, cell: str) -> str:
    found = reader.sent(cell)
    if found is None:
        raise ValueError(_("This is no date and time; the order of the rows counts instead."))
    return found.strftime("%Y-%m-%d %H:%M")

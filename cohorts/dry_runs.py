"""A file that waits is read once: what its columns are and what would become of each row is kept.

Pages only show what is kept. A small file is read while its organiser waits, a large one by the worker
(see ``cohorts.importing``). What is kept goes with the file: imported, forgotten, expired or erased.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from sqlalchemy import delete, func, insert, select
from sqlalchemy.orm import Session

from . import imports, readings, recipes, sheets
from .dialects import Layout
from .exceptions import UnreadableFile
from .headings import WRONG
from .imports import Action, Plan, PlannedRow
from .models import Signup, Upload, UploadRow, UploadStage, now
from .questions import CustomQuestion
from .recipes import Recipe
from .samples import samples
from .tables import Problem

PAGE: Final = 100
"""Rows of a list on one page."""
SMALL: Final = 1_500
"""So many rows, with those who are signed up, are read or imported in less than a second."""
SMALL_CELLS: Final = 150_000
SHOWN: Final = 200
"""Letters of a cell that are kept to be shown; the whole cell is in the file."""

REFUSED, OTHERS, REPEATED, NO_SIGN_UPS = "refused", "others", "repeated", "none"
LISTS: Final = (REFUSED, OTHERS, REPEATED, NO_SIGN_UPS)
"""Where a row is shown: refused, fit to import, given way to a later answer, or no sign-up at all."""

Progress = Callable[[float], None]


def is_small(session: Session, upload: Upload) -> bool:
    """Tell whether a file can be read or imported while somebody waits."""
    rows = upload.content.count(b"\n")
    signed_up = session.scalar(select(func.count(Signup.id)).where(Signup.course_id == upload.course_id)) or 0
    return rows + signed_up <= SMALL and upload.content.count(b",") <= SMALL_CELLS


def ask(session: Session, upload: Upload, recipe: Recipe | None = None) -> None:
    """Have a file read, by another recipe if there is one: at once if it is small, else by the worker."""
    if recipe is not None:
        upload.recipe = recipe.to_json()
    upload.stage, upload.progress, upload.attempts, upload.trouble = UploadStage.UNREAD, 0.0, 0, ""
    if is_small(session, upload):
        keep(session, upload, read(session, upload))
    session.flush()


@dataclass(frozen=True, slots=True)
class Reading:
    """A file as it was read: its layout, the recipe it was read by, and what an import would do."""

    layout: Layout
    recipe: Recipe
    plan: Plan | None
    columns: list[dict[str, Any]]
    trouble: str = ""


def layout_of(upload: Upload, recipe: Recipe | None) -> Layout:
    """Return the rows and headings of a file.

    Raises:
        MalformedFile: There are no rows below the headings, or the row that was said to have them is empty.
    """
    header, head_rows = (recipe.header, recipe.head_rows) if recipe else (0, 0)
    return readings.layout_of(upload.content, header, head_rows)


def recipe_of(upload: Upload, questions: Sequence[CustomQuestion] = ()) -> Recipe | None:
    """Return how the columns of a file are read, if that is known already."""
    return Recipe.from_json(upload.recipe, questions) if upload.recipe else None


def read(session: Session, upload: Upload, progress: Progress = lambda fraction: None) -> Reading:
    """Read a file; nothing is stored."""
    course = upload.course
    known = imports.knowledge(course)
    recipe, trouble = recipe_of(upload, known.questions), ""
    try:
        layout = layout_of(upload, recipe)
    except UnreadableFile as error:  # the row that was said to have the headings has none
        layout, trouble, recipe = layout_of(upload, None), str(error), None
    recipe = (
        recipes.fitted(recipe, layout)
        if recipe and recipe.targets
        else recipes.guessed(recipe, layout, known)
    )
    plan = imports.dry_run_by(session, course, layout, recipe, upload.name, progress)
    reader = readings.Reader(layout, recipe, known)
    columns = [
        {
            "place": place,
            "letter": sheets.letter(place),
            "heading": heading.text,
            "target": recipe.targets[place],
            "samples": [
                [each.found[:SHOWN], each.becomes[:SHOWN], each.problem] for each in samples(reader, place)
            ],
        }
        for place, heading in enumerate(layout.headings)
        if heading.text != WRONG and (heading.text or any(line[place] for line in layout.body))
    ]
    return Reading(layout, recipe, plan, columns, trouble)


def keep(session: Session, upload: Upload, reading: Reading) -> None:
    """Keep what was read of a file for its pages."""
    plan, layout = reading.plan, reading.layout
    assert plan is not None
    session.execute(delete(UploadRow).where(UploadRow.upload_id == upload.id))
    rows = list(_rows(upload, plan, layout))
    if rows:
        session.execute(insert(UploadRow), rows)
    lists = {each: sum(row["kind"] == each for row in rows) for each in LISTS}
    upload.recipe = reading.recipe.to_json()
    upload.reading = {
        "dialect": layout.dialect,
        "digest": recipes.digest(readings.layout_of(upload.content) if reading.recipe.header else layout),
        "header": layout.header,
        "is_grouped": layout.is_grouped,
        "n_rows": len(layout.body),
        "columns": reading.columns,
        "counts": {action.value: number for action, number in plan.counts.items()},
        "lists": lists,
        "unused": list(plan.file.unknown),
        "read_at": now().isoformat(),
    }
    upload.stage, upload.trouble, upload.progress = UploadStage.READ, reading.trouble, 1.0
    upload.lease_until = None


def _rows(upload: Upload, plan: Plan, layout: Layout) -> Iterator[dict[str, Any]]:
    refused = [row for row in plan.rows if row.action is Action.REFUSE]
    others = sorted(
        (row for row in plan.rows if row.action is not Action.REFUSE), key=lambda row: not row.notes
    )
    for kind, found in ((REFUSED, refused), (OTHERS, others)):
        for place, row in enumerate(found):
            yield _row(upload, kind, place, row)
    gone = (
        {"line": each.line, "email": each.email, "notes": [str(each.kept)]} for each in plan.file.superseded
    )
    left = ({"line": number, "email": "", "notes": [why]} for number, why in layout.left_out)
    for kind, listed in ((REPEATED, gone), (NO_SIGN_UPS, left)):
        for place, values in enumerate(listed):
            yield _EMPTY | {"upload_id": upload.id, "kind": kind, "place": place} | values


_EMPTY: Final[dict[str, Any]] = {"action": "", "name": "", "waiting": False, "problems": [], "changes": []}


def _row(upload: Upload, kind: str, place: int, row: PlannedRow) -> dict[str, Any]:
    problems = (asdict(each) for each in row.problems)
    return {
        "upload_id": upload.id,
        "kind": kind,
        "place": place,
        "line": row.line,
        "action": row.action.value,
        "name": row.answers.name[:SHOWN] if row.answers else "",
        "email": row.answers.email[:SHOWN] if row.answers else "",
        "waiting": row.waiting,
        "problems": [each | {"found": each["found"][:SHOWN]} for each in problems],
        "changes": list(row.changes),
        "notes": list(row.notes),
    }


@dataclass(frozen=True, slots=True)
class Page:
    """Some rows of one list of a dry run."""

    rows: Sequence[UploadRow]
    kind: str
    number: int
    pages: int


def page(session: Session, upload: Upload, kind: str, number: int) -> Page:
    """Return a page of a list of a dry run."""
    total = (upload.reading or {}).get("lists", {}).get(kind, 0)
    pages = max(1, -(-total // PAGE))
    number = min(max(1, number), pages)
    found = session.scalars(
        select(UploadRow)
        .where(UploadRow.upload_id == upload.id, UploadRow.kind == kind)
        .order_by(UploadRow.place)
        .offset((number - 1) * PAGE)
        .limit(PAGE)
    )
    return Page(found.all(), kind, number, pages)


def to_mend(session: Session, upload: Upload) -> bytes | None:
    """Return the refused rows as a file like the one they came in, or None if there are none."""
    found = session.execute(
        select(UploadRow.line, UploadRow.problems).where(
            UploadRow.upload_id == upload.id, UploadRow.kind == REFUSED
        )
    )
    wrong = {line: imports.in_short(Problem(**each) for each in problems) for line, problems in found}
    return layout_of(upload, recipe_of(upload)).to_mend(wrong) if wrong else None

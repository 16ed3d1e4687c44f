"""Files that wait between their upload and their import, and how the columns of such files are read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import delete, select
from sqlalchemy.orm import Session, defer

from . import dialects, dry_runs, imports, recipes, sheets
from .dialects import Layout
from .exceptions import NotFound
from .headings import IGNORED, is_known
from .language import gettext as _
from .models import Course, KeptRecipe, Purpose, Upload, User, new_key
from .questions import CustomQuestion
from .recipes import Recipe
from .sheets import Sheet
from .tables import MalformedFile

LIFETIME: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Taken:
    """A file that was taken: the sheet that looks like sign-ups, and whether its columns are clear."""

    upload: Upload
    is_clear: bool
    is_as_before: bool
    notes: tuple[str, ...] = ()


def take(session: Session, course: Course, user: User, name: str, content: bytes) -> Taken:
    """Keep every sheet of a file, and have each read.

    Raises:
        MalformedFile: No sheet can be read.
    """
    known = imports.knowledge(course)
    layouts, notes = _layouts(sheets.read_all(content, is_known))
    book, kept = new_key(), []
    for sheet, layout in layouts:
        recipe = kept_recipe(session, course, recipes.digest(layout), known.questions)
        upload = keep(
            session, course, user, name, sheets.to_keep(sheet), recipe, book=book, sheet=sheet.title
        )
        dry_runs.ask(session, upload)
        meant = sum(each != IGNORED for each in recipes.guess(layout, known).targets)
        is_clear = recipe is not None or layout.dialect == dialects.NATIVE
        kept.append((meant, Taken(upload, is_clear, recipe is not None, notes)))
    return max(kept, key=lambda each: each[0])[1]


def _layouts(found: Sequence[Sheet]) -> tuple[list[tuple[Sheet, Layout]], tuple[str, ...]]:
    """Return the sheets that have rows below headings, and notes on the others."""
    layouts: list[tuple[Sheet, Layout]] = []
    notes: list[str] = [note for sheet in found for note in sheet.notes]
    refused = None
    for sheet in found:
        try:
            layouts.append((sheet, dialects.recognise(sheet)))
        except MalformedFile as error:
            refused = refused or error
            notes.append(_("The sheet %(sheet)s is not read. %(why)s", sheet=sheet.title, why=str(error)))
    if refused is not None and not layouts:
        raise refused
    return layouts, tuple(notes)


def keep(
    session: Session,
    course: Course,
    user: User,
    name: str,
    content: bytes,
    recipe: Recipe | None = None,
    purpose: Purpose = Purpose.SIGNUPS,
    *,
    book: str = "",
    sheet: str = "",
) -> Upload:
    """Keep a sheet until it is imported, or for a day; sheets of one workbook have the same ``book``.

    It must be text: an erasure looks for addresses in it.
    """
    upload = Upload(course=course, user=user, name=name[:200], content=content, purpose=purpose)
    upload.book, upload.sheet = book or new_key(), sheet[:200]
    upload.recipe = recipe.to_json() if recipe else None
    session.add(upload)
    session.flush()
    return upload


def sheets_of(session: Session, upload: Upload) -> list[Upload]:
    """Return the sheets of the workbook that a file is one of, in their order."""
    found = session.scalars(
        select(Upload)
        .where(Upload.book == upload.book, Upload.course_id == upload.course_id)
        .options(defer(Upload.content), defer(Upload.reading))
        .order_by(Upload.id)
    )
    return list(found)


def get(session: Session, course: Course, user: User, key: str, purpose: Purpose = Purpose.SIGNUPS) -> Upload:
    """Return a file that ``user`` keeps for ``course``.

    Raises:
        NotFound: There is none for this purpose, it has expired, or it is somebody else's.
    """
    mine = select(Upload).where(Upload.course_id == course.id, Upload.user_id == user.id)
    # pages of sign-ups show what was read of a file, and not the file
    wanted = mine.where(Upload.key == key, Upload.purpose == purpose).options(defer(Upload.content))
    upload = session.scalar(wanted)
    if upload is None:
        raise NotFound(_("This file is not kept any more. Upload it again."))
    return upload


def expire(session: Session, at: datetime) -> None:
    """Delete the files that nobody imported within a day."""
    session.execute(delete(Upload).where(Upload.created_at < at - LIFETIME))


def keep_recipe(session: Session, course: Course, digest: str, recipe: Recipe, at: datetime) -> None:
    """Keep how the columns of a file are read, for the next file with the same headings."""
    kept = _kept(session, course, digest)
    if kept is None:
        kept = KeptRecipe(course_id=course.id, digest=digest)
        session.add(kept)
    kept.recipe, kept.kept_at = recipe.to_json(), at
    session.flush()


def kept_recipe(
    session: Session, course: Course, digest: str, questions: Sequence[CustomQuestion] = ()
) -> Recipe | None:
    """Return how an earlier file with the same headings was read, if that was kept."""
    kept = _kept(session, course, digest)
    return Recipe.from_json(kept.recipe, questions) if kept else None


def _kept(session: Session, course: Course, digest: str) -> KeptRecipe | None:
    return session.scalar(
        select(KeptRecipe).where(KeptRecipe.course_id == course.id, KeptRecipe.digest == digest)
    )

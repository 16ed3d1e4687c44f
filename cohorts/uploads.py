"""Files that wait between their dry run and their import, and how the columns of such files are read."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from .exceptions import NotFound
from .language import gettext as _
from .models import Course, KeptRecipe, Purpose, Upload, User
from .questions import CustomQuestion
from .recipes import Recipe

LIFETIME: Final = timedelta(days=1)


def keep(
    session: Session,
    course: Course,
    user: User,
    name: str,
    content: bytes,
    recipe: Recipe | None = None,
    purpose: Purpose = Purpose.SIGNUPS,
) -> Upload:
    """Keep a file until it is imported, or for a day.

    It must be text: an erasure looks for addresses in it.
    """
    upload = Upload(course_id=course.id, user_id=user.id, name=name[:200], content=content, purpose=purpose)
    upload.recipe = recipe.to_json() if recipe else None
    session.add(upload)
    session.flush()
    return upload


def get(session: Session, course: Course, user: User, key: str, purpose: Purpose = Purpose.SIGNUPS) -> Upload:
    """Return a file that ``user`` keeps for ``course``.

    Raises:
        NotFound: There is none for this purpose, it has expired, or it is somebody else's.
    """
    mine = select(Upload).where(Upload.course_id == course.id, Upload.user_id == user.id)
    upload = session.scalar(mine.where(Upload.key == key, Upload.purpose == purpose))
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

"""Files that wait between their dry run and their import."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from .exceptions import NotFound
from .language import gettext as _
from .models import Course, Upload, User

LIFETIME: Final = timedelta(days=1)


def keep(session: Session, course: Course, user: User, name: str, content: bytes) -> Upload:
    """Keep a file until it is imported, or for a day."""
    upload = Upload(course_id=course.id, user_id=user.id, name=name[:200], content=content)
    session.add(upload)
    session.flush()
    return upload


def get(session: Session, course: Course, user: User, key: str) -> Upload:
    """Return a file that ``user`` keeps for ``course``.

    Raises:
        NotFound: There is none, it has expired, or it is somebody else's.
    """
    upload = session.scalar(
        select(Upload).where(Upload.key == key, Upload.course_id == course.id, Upload.user_id == user.id)
    )
    if upload is None:
        raise NotFound(_("This file is not kept any more. Upload it again."))
    return upload


def expire(session: Session, at: datetime) -> None:
    """Delete the files that nobody imported within a day."""
    session.execute(delete(Upload).where(Upload.created_at < at - LIFETIME))

"""What the worker does with files: it reads large ones and imports them, all of a file or nothing.

A file is held for a while and let go when that has passed without a word, so what a killed worker left is
taken up by the next one. An import is one transaction: a worker that dies in it leaves nothing behind.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import ColumnElement, and_, delete, or_, select, update
from sqlalchemy.orm import Session

from . import dry_runs, imports, language
from .database import Database
from .exceptions import CohortsError
from .imports import ImportResult
from .language import gettext as _
from .models import Purpose, Upload, UploadRow, UploadStage, User, new_key, now

LEASE: Final = timedelta(seconds=30)
ATTEMPTS: Final = 3
PAUSE: Final = 1.0
"""Seconds between two words about how far the work is."""

_WORK: Final = (UploadStage.UNREAD, UploadStage.IMPORTING)

_log = logging.getLogger(__name__)


def apply(session: Session, upload: Upload, *, leave_out: bool, at: datetime) -> ImportResult | None:
    """Import a file: at once if it is small, and forget it; else have the worker do it, and return None.

    Raises:
        RowsRefused: A row is refused and ``leave_out`` is false; nothing is stored.
    """
    if not dry_runs.is_small(session, upload):
        upload.stage, upload.leave_out, upload.progress = UploadStage.IMPORTING, leave_out, 0.0
        upload.attempts, upload.trouble = 0, ""
        session.flush()
        return None
    result = _apply(session, upload, dry_runs.read(session, upload), leave_out=leave_out, at=at)
    forget(session, upload)
    return result


def forget(session: Session, upload: Upload) -> None:
    """Delete a file and the other sheets of its workbook."""
    session.execute(delete(Upload).where(Upload.book == upload.book))


def _apply(
    session: Session, upload: Upload, reading: dry_runs.Reading, *, leave_out: bool, at: datetime
) -> ImportResult:
    assert reading.plan is not None
    return imports.apply(session, upload.course, reading.plan, leave_out_refused=leave_out, at=at)


# The worker's part


def _due(at: datetime) -> tuple[ColumnElement[bool], ...]:
    is_work = and_(Upload.purpose == Purpose.SIGNUPS, Upload.stage.in_(_WORK))
    return is_work, or_(Upload.lease_until.is_(None), Upload.lease_until < at)


def work_off(database: Database, worker: str) -> int:
    """Read and import all files that wait, and return how many they were."""
    with database.reading() as session:
        due = session.scalars(select(Upload.id).where(*_due(now())).order_by(Upload.id)).all()
    return sum(execute(database, upload_id, worker) for upload_id in due)


def execute(database: Database, upload_id: int, worker: str) -> bool:
    """Read or import one file; doing so again, or beside another worker, changes nothing."""
    holder = f"{worker}:{new_key()}"
    if not _claim(database, upload_id, holder):
        return False
    with database.reading() as session:
        locale = session.scalar(select(User.locale).join(Upload).where(Upload.id == upload_id))
    with language.using(locale):
        try:
            _work(database, upload_id, holder)
        except CohortsError as error:
            _fail(database, upload_id, holder, str(error))
        except Exception:
            _log.exception("upload %d failed", upload_id)
            message = _("This file stopped on an error of ours, which is noted. Nothing was changed.")
            _fail(database, upload_id, holder, message)
    return True


def _claim(database: Database, upload_id: int, holder: str) -> bool:
    at = now()
    with database.transaction() as session:
        claimed = session.execute(
            update(Upload)
            .where(Upload.id == upload_id, *_due(at))
            .values(worker=holder, lease_until=at + LEASE, attempts=Upload.attempts + 1)
            .execution_options(synchronize_session=False)
        )
        if claimed.rowcount != 1:  # type: ignore[attr-defined]
            return False
        upload = session.get_one(Upload, upload_id)
        if upload.attempts > ATTEMPTS:
            _give_up(upload, _("The worker stopped again and again over this file. See its log."))
            return False
    return True


def _held(session: Session, upload_id: int, holder: str) -> Upload | None:
    """Return a file, locked, if it is still held."""
    return session.scalar(
        select(Upload)
        .where(Upload.id == upload_id, Upload.worker == holder, Upload.stage.in_(_WORK))
        .with_for_update()
    )


def _work(database: Database, upload_id: int, holder: str) -> None:
    with database.reading() as session:
        upload = session.get(Upload, upload_id)
        if upload is None:
            return
        reading = dry_runs.read(session, upload, _reporter(database, upload_id, holder))
    with database.transaction() as session:
        upload = _held(session, upload_id, holder)
        if upload is None:
            return
        if upload.stage is UploadStage.UNREAD:
            dry_runs.keep(session, upload, reading)
            return
        result = _apply(session, upload, reading, leave_out=upload.leave_out, at=now())
        _close(session, upload, result)


def _close(session: Session, upload: Upload, result: ImportResult) -> None:
    """Keep of an imported file only what its organiser is told."""
    session.execute(delete(Upload).where(Upload.book == upload.book, Upload.id != upload.id))
    session.execute(delete(UploadRow).where(UploadRow.upload_id == upload.id))
    upload.content, upload.recipe = b"", None
    upload.reading = {"added": result.added, "changed": result.changed, "left_out": result.left_out}
    upload.stage, upload.progress, upload.lease_until = UploadStage.IMPORTED, 1.0, None


def _fail(database: Database, upload_id: int, holder: str, message: str) -> None:
    with database.transaction() as session:
        upload = _held(session, upload_id, holder)
        if upload is not None:
            _give_up(upload, message)


def _give_up(upload: Upload, message: str) -> None:
    """Leave a file as it was, with what went wrong."""
    upload.stage, upload.trouble, upload.lease_until = UploadStage.READ, message, None


def _reporter(database: Database, upload_id: int, holder: str) -> Callable[[float], None]:
    """Return what notes how far the work is, and so keeps hold of the file."""
    said = time.monotonic()

    def report(fraction: float) -> None:
        nonlocal said
        if time.monotonic() - said < PAUSE:
            return
        said = time.monotonic()
        with database.transaction() as session:
            session.execute(
                update(Upload)
                .where(Upload.id == upload_id, Upload.worker == holder)
                .values(progress=fraction, lease_until=now() + LEASE)
                .execution_options(synchronize_session=False)
            )

    return report

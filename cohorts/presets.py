"""Presets: ways to export the rosters of a course, kept under a name."""

from __future__ import annotations

from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from . import signups
from .exceptions import InvalidInput, NotFound
from .exports import FORMATS, Choice, check
from .language import gettext as _
from .models import Course, ExportPreset
from .texts import is_plain, one_line

MAX_NAME: Final = 60
MOST: Final = 50


def of_course(session: Session, course: Course) -> list[ExportPreset]:
    """Return the presets of a course by name."""
    found = session.scalars(select(ExportPreset).where(ExportPreset.course_id == course.id))
    return sorted(found, key=lambda preset: preset.name.casefold())


def get(session: Session, course: Course, key: str) -> ExportPreset:
    """Return a preset of a course.

    Raises:
        NotFound: The course has none with this key.
    """
    mine = select(ExportPreset).where(ExportPreset.course_id == course.id, ExportPreset.key == key)
    found = session.scalar(mine)
    if found is None:
        raise NotFound
    return found


def save(session: Session, course: Course, name: str, format_: str, choice: Choice) -> ExportPreset:
    """Keep a way to export under a name, in the place of what had that name before.

    Raises:
        InvalidInput: The name is missing or too long, there are very many, or the choice does not fit.
    """
    name = one_line(name)
    if not name or len(name) > MAX_NAME or not is_plain(name):
        raise InvalidInput({"name": [_("Give it a name of at most %(most)s characters.", most=MAX_NAME)]})
    if format_ not in FORMATS:
        raise InvalidInput({"format": [_("Choose one of the formats.")]})
    check(session, course, choice)
    signups.lock(session, course)  # two who save one name at once save it once
    mine = select(ExportPreset).where(ExportPreset.course_id == course.id)
    preset = session.scalar(mine.where(ExportPreset.name == name))
    if preset is None:
        if session.scalar(select(func.count()).select_from(mine.subquery())) == MOST:
            message = _("A course keeps at most %(most)s. Remove one first.", most=MOST)
            raise InvalidInput({"name": [message]})
        preset = ExportPreset(course_id=course.id, name=name)
        session.add(preset)
    preset.format, preset.choice = format_, choice.as_json()
    session.flush()
    return preset

"""Errors of the domain. Each says what is the matter in words for whoever meets it."""

from __future__ import annotations

from typing import ClassVar

from .language import lazy_gettext as lazy


class CohortsError(Exception):
    """Something of the domain went wrong.

    Attributes:
        said: The message where none is given; in the language of whoever it is raised for.
    """

    said: ClassVar[str] = lazy("Something went wrong.")

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or str(self.said))


class NotFound(CohortsError):
    """What was asked for is not there, or not for whoever asked."""

    said = lazy("There is nothing at this address, or it is not yours to see.")


class NotAllowed(CohortsError):
    """Somebody's role in a course does not go as far."""

    said = lazy("Your role in this course does not include this. An owner of the course can change that.")


class InvalidLink(CohortsError):
    """A personal link was not made here, or not any more."""

    said = lazy(
        "A newer link took its place, or it was cut off on its way. Look for the newest mail we sent you."
    )


class SignUpClosed(CohortsError):
    """Somebody signs up too early or too late."""

    said = lazy("Sign-up for this course is not open.")


class InvalidInput(CohortsError):
    """Some answers need another look."""

    def __init__(self, errors: dict[str, list[str]]) -> None:
        """Keep the errors, a list of plain sentences for each field."""
        self.errors = errors
        super().__init__("; ".join(f"{field}: {' '.join(texts)}" for field, texts in errors.items()))


class Conflict(CohortsError):
    """Somebody else was faster."""

    said = lazy("Somebody else changed this in the meantime. Look at the new state and try again.")


class RunInProgress(Conflict):
    """A course is matched once at a time."""

    said = lazy("A match for this course is under way already.")


class UnreadableFile(CohortsError):
    """A file makes no sense."""

    said = lazy("This file cannot be read.")


class UnfitPool(CohortsError):
    """The matcher cannot take these sign-ups, or these settings."""

    said = lazy("These sign-ups and settings cannot be matched.")


class Contradiction(UnfitPool):
    """People's wishes cannot all be kept."""

    said = lazy("People's wishes cannot all be kept, whatever anybody else does.")

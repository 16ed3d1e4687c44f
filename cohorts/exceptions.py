"""Errors of the domain. The docstring of each is its message unless a better one is given."""

from __future__ import annotations


class CohortsError(Exception):
    """Something went wrong."""

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or type(self).__doc__)


class NotFound(CohortsError):
    """There is nothing at this address, or it is not yours to see."""


class InvalidLink(CohortsError):
    """This link is not valid any more. Ask for a new one."""


class SignUpClosed(CohortsError):
    """Sign-up for this course is not open."""


class InvalidInput(CohortsError):
    """Some answers need another look."""

    def __init__(self, errors: dict[str, list[str]]) -> None:
        """Keep the errors, a list of plain sentences for each field."""
        self.errors = errors
        super().__init__("; ".join(f"{field}: {' '.join(texts)}" for field, texts in errors.items()))


class Conflict(CohortsError):
    """Somebody else changed this in the meantime. Look at the new state and try again."""


class RunInProgress(Conflict):
    """A match for this course is under way already."""


class UnreadableFile(CohortsError):
    """This file cannot be read."""


class UnfitPool(CohortsError):
    """These sign-ups and settings cannot be matched."""


class Contradiction(UnfitPool):
    """People's wishes cannot all be kept, whatever anybody else does."""

"""Files that are whole or not there at all."""

from __future__ import annotations

import errno
import os
import stat
import tempfile
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self


class OutputFile:
    """A file that appears under its name only once it is written completely.

    It is opened before the work that fills it, so that an unwritable place is found out at once.
    A device or a pipe cannot be replaced and is written to directly.
    """

    def __init__(self, path: str) -> None:
        """Open a new file beside ``path``; raises OSError when that cannot be done."""
        self.path = Path(os.path.realpath(path))
        self._temporary: Path | None = None
        # Looked at by the name that was given: /dev/stdout leads to a pipe that has no other.
        kind = os.stat(path).st_mode if os.path.exists(path) else stat.S_IFREG
        if stat.S_ISDIR(kind):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), path)
        if not stat.S_ISREG(kind):
            self._file = open(path, "wb")  # noqa: SIM115 (closed by __exit__)
            return
        if self.path.exists() and not os.access(self.path, os.W_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)
        descriptor, name = tempfile.mkstemp(dir=self.path.parent, prefix=f".{self.path.name}.")
        self._temporary = Path(name)
        self._file = os.fdopen(descriptor, "wb")

    def __enter__(self) -> Self:
        """Be ready."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave nothing behind that was not finished."""
        self._file.close()
        if self._temporary is not None:
            with suppress(FileNotFoundError):
                self._temporary.unlink()

    def write(self, content: bytes) -> None:
        """Write everything and give the file its name."""
        self.write_pieces([content])

    def write_pieces(self, pieces: Iterable[bytes]) -> None:
        """Write everything, piece by piece, and give the file its name."""
        for piece in pieces:
            self._file.write(piece)
        self._file.flush()
        if self._temporary is None:
            return
        os.fsync(self._file.fileno())
        os.chmod(self._temporary, self._mode())
        os.replace(self._temporary, self.path)

    def _mode(self) -> int:
        """Return the permissions of the file that is replaced, or those of any new file."""
        if self.path.exists():
            return stat.S_IMODE(self.path.stat().st_mode)
        umask = os.umask(0)
        os.umask(umask)
        return 0o666 & ~umask

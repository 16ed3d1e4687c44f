"""Files that hold others, and JSON: opened without trust, bombs refused."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from typing import Any, Final

from . import tables
from .language import gettext as _
from .tables import MalformedFile

MAX_UNPACKED: Final = 200 * 1024 * 1024
MAX_PARTS: Final = 20_000
_READ: Final = (".json", ".ndjson", ".jsonl", ".csv")


def is_archive(content: bytes) -> bool:
    """Tell whether these are several files in one."""
    return content.startswith((b"PK\x03\x04", b"\x1f\x8b"))


def parts(content: bytes) -> dict[str, bytes]:
    """Return the JSON and CSV files in an archive by their names.

    Raises:
        MalformedFile: It is damaged, locked, or unpacks to too much.
    """
    found: dict[str, bytes] = {}
    total = 0
    try:
        for count, (name, size, data) in enumerate(_unpacked(content), start=1):
            total += size
            if total > MAX_UNPACKED or count > MAX_PARTS:
                raise MalformedFile(
                    _("Unpacked, this archive is larger than can be read. Bring fewer channels at a time.")
                )
            if data is not None:
                found[name] = data
    except MalformedFile:
        raise
    except (OSError, EOFError, ValueError, RuntimeError, zlib.error, zipfile.BadZipFile, tarfile.TarError):
        raise MalformedFile(
            _("This archive is damaged or locked with a password. Export it anew and bring that.")
        ) from None
    return found


def _unpacked(content: bytes) -> Iterator[tuple[str, int, bytes | None]]:
    """Yield each file with its size before it is read, so that no more than that is ever unpacked."""
    if content.startswith(b"\x1f\x8b"):
        yield from _of_tar(content)
        return
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for part in archive.infolist():
            wanted = part.filename.casefold().endswith(_READ) and part.file_size <= MAX_UNPACKED
            yield part.filename, part.file_size, None
            if wanted:
                yield part.filename, 0, archive.read(part)


def _of_tar(content: bytes) -> Iterator[tuple[str, int, bytes | None]]:
    with gzip.GzipFile(fileobj=io.BytesIO(content)) as packed:
        plain = packed.read(MAX_UNPACKED + 1)
    if len(plain) > MAX_UNPACKED:
        yield "", MAX_UNPACKED + 1, None
    with tarfile.open(fileobj=io.BytesIO(plain), mode="r:") as archive:
        for part in archive:
            yield part.name, part.size, None
            file = archive.extractfile(part) if part.isfile() else None
            if file is not None and part.name.casefold().endswith(_READ):
                yield part.name, 0, file.read()


def parsed(content: bytes) -> Any:
    """Return what a JSON file says; of one object a line a list of them, where a line is broken None.

    Raises:
        MalformedFile: It is no JSON.
    """
    text = tables.decode(content)
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        lines = [_line(each) for each in text.split("\n") if each.strip()]
    if not any(isinstance(each, dict) for each in lines):
        raise MalformedFile(_("This file begins like JSON, but cannot be read as such. Export it anew."))
    return lines


def _line(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None

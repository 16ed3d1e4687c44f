"""Compiling kernels with numba, and keeping the result on disk without ever using a stale one."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from typing import Any, TypeVar, cast

import numba

F = TypeVar("F", bound=Callable[..., Any])

settings: Any = numba.config
HERE = Path(__file__).parent
# Every file with kernels: one is compiled into the next.
SOURCES = (
    "score.py",
    "state.py",
    "construct.py",
    "search.py",
    "reshape.py",
    "columns.py",
    "grouping.py",
    "tempering.py",
    "pricing.py",
    "openings.py",
    "standing.py",
    "joining.py",
)


@cache
def fingerprint() -> str:
    """Changes whenever one of the kernels' files does."""
    digest = hashlib.sha256(numba.__version__.encode())
    for name in SOURCES:
        path = HERE / name
        digest.update(path.read_bytes() if path.exists() else b"")
    return digest.hexdigest()[:16]


def kernel(function: F, *, fastmath: bool = False) -> F:
    """Compile with numba; cached on disk, and free of the interpreter's lock so that searches run side
    by side.

    numba drops a cached kernel when its own file changes, but not when a kernel that it calls, in
    another file, does. A folder for each fingerprint of all the files makes sure that what runs is what
    is written. With `fastmath` sums may be taken in another order, which is quicker.
    """
    before = settings.CACHE_DIR
    settings.CACHE_DIR = str(Path(before or HERE / "__pycache__") / fingerprint())
    try:
        return cast(F, numba.njit(cache=True, nogil=True, fastmath=fastmath)(function))
    finally:
        settings.CACHE_DIR = before


# Sums in any order: for searches that do not ask for the last digit.
fast_kernel = partial(kernel, fastmath=True)

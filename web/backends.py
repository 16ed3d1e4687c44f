"""Where a large match is worked on: threads, processes, or the machines of a dask cluster."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

import click

BACKENDS = ("loky", "threading", "dask")
CONNECT_SECONDS = 10


class NoCluster(click.ClickException):
    """Dask is not installed, or its scheduler cannot be reached."""

    exit_code = 2


@contextmanager
def working_on(backend: str | None, scheduler: str | None, jobs: int) -> Iterator[None]:
    """Let joblib use this backend; with dask all of the cluster at `scheduler`.

    Raises:
        NoCluster: dask is not installed, or there is no scheduler.
    """
    if backend is None and scheduler is None:
        yield
        return
    import joblib  # takes a tenth of a second, which a match without it need not pay

    if backend not in (None, "dask"):
        if scheduler is not None:
            raise NoCluster("--scheduler goes with --backend dask alone.")
        with joblib.parallel_config(backend=backend, n_jobs=jobs):
            yield
        return
    if scheduler is None:
        raise NoCluster("--backend dask needs --scheduler, such as tcp://127.0.0.1:8786.")
    with _connected(scheduler) as client, joblib.parallel_config(backend="dask", client=client):
        yield


def _connected(scheduler: str) -> Any:
    try:
        import distributed
    except ImportError as error:
        raise NoCluster("dask is not installed here. Install: pip install 'cohorts[scale]'") from error
    try:
        return cast(Any, distributed.Client)(scheduler, timeout=CONNECT_SECONDS)
    except (OSError, ValueError) as error:
        raise NoCluster(f"No dask scheduler answers at {scheduler}: {error}") from error

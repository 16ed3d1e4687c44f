"""Runs a function in a process of its own, so that its memory can be told and its time limited."""

from __future__ import annotations

import multiprocessing
import resource
import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

# A fork would hang once scikit-learn has used its threads.
PROCESSES = multiprocessing.get_context("spawn")


@dataclass(frozen=True)
class Done:
    """What a function gave back, its seconds, and the most memory that its process held.

    `failure` says in words why there is no answer.
    """

    answer: Any = None
    seconds: float = 0.0
    peak_mb: int = 0
    failure: str = ""


def in_child(function: Callable[..., Any], *about: Any, limit: float | None = None) -> Done:
    """Call a function of a module; imports are not counted, and after `limit` seconds it is stopped."""
    here, there = PROCESSES.Pipe()
    child = PROCESSES.Process(target=_work, args=(there, function, about))
    child.start()
    there.close()
    try:
        here.recv()
        if not here.poll(limit):
            return Done(seconds=limit or 0.0, failure=f"not done in {limit:.0f} s")
        done: Done = here.recv()
        return done
    except EOFError:
        return Done(failure="died")
    finally:
        child.terminate()
        child.join()


def _work(pipe: Connection, function: Callable[..., Any], about: tuple[Any, ...]) -> None:
    pipe.send("ready")
    began = time.perf_counter()
    try:
        answer, failure = function(*about), ""
    except Exception as error:
        answer, failure = None, str(error) or type(error).__name__
    seconds = time.perf_counter() - began
    pipe.send(Done(answer, seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024, failure))

"""How a match tells how far it is, and how it learns that it should end."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from matcher.said import Said, say

# Reports come at most this often, in seconds, so that they cost nothing.
EVERY = 0.2


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a match is: a fraction from 0 to 1, the stage in words, and the best objective and bound
    so far.
    """

    fraction: float
    stage: Said
    objective: float | None = None
    bound: float | None = None


class Watch:
    """Keeps the time of one match, passes progress on and asks whether to stop."""

    def __init__(
        self,
        seconds: float,
        progress: Callable[[Progress], None] | None = None,
        should_stop: Callable[[], bool] | None = None,
    ) -> None:
        self.began = time.perf_counter()
        self.seconds = seconds
        self.stopped = False
        self.latest = Progress(0.0, say("Reading the sign-ups"))
        self._progress = progress
        self._should_stop = should_stop
        self._told = -EVERY

    @property
    def elapsed(self) -> float:
        """Seconds since the match began."""
        return time.perf_counter() - self.began

    def left(self, share: float = 1.0) -> float:
        """Seconds until `share` of the time is used up; 0 when it is."""
        return max(0.0, self.seconds * share - self.elapsed)

    def report(
        self, fraction: float, stage: Said, objective: float | None = None, bound: float | None = None
    ) -> None:
        """Say how far the match is; the fraction never falls."""
        fraction = max(self.latest.fraction, min(1.0, fraction))
        keep = self.latest
        self.latest = Progress(
            fraction,
            stage,
            keep.objective if objective is None else objective,
            keep.bound if bound is None else bound,
        )
        self.tick()

    def tick(self) -> bool:
        """Pass the latest progress on and ask whether to stop, unless that was done a moment ago; is it
        over?
        """
        if self.elapsed - self._told >= EVERY or self.latest.fraction == 1.0:
            self._told = self.elapsed
            if self._progress is not None:
                self._progress(self.latest)
            self.stopped = self.stopped or (self._should_stop is not None and bool(self._should_stop()))
        return self.is_over()

    def is_over(self, share: float = 1.0) -> bool:
        """Whether somebody asked to stop or `share` of the time is used up."""
        return self.stopped or self.elapsed >= self.seconds * share

    def beside(self) -> Watch:
        """A watch for a smaller search within the same time, whose figures are its own affair."""
        return Watch(self.left(), should_stop=self.tick)


class Budget:
    """How much a search may still do: so many proposals, or as many as the time allows.

    With `fill_time` the search goes on until the share `until` of the watch's time is up, and may differ from
    run to run; without, it ends after `proposals`, or when that time is up.
    """

    def __init__(self, watch: Watch, until: float, proposals: int, fill_time: bool) -> None:
        self._watch, self._proposals, self._fill_time = watch, proposals, fill_time
        self._began, self._spent = watch.elapsed, 0
        self._span = max(1e-3, watch.left(until))

    @property
    def done(self) -> float:
        """The share used up, 1 or more when all is."""
        late = (self._watch.elapsed - self._began) / self._span
        return late if self._fill_time else max(late, self._spent / self._proposals)

    def spend(self, proposals: int) -> None:
        """Count some proposals."""
        self._spent += proposals

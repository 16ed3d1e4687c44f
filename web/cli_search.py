"""What commands that search have in common: their options, stopping them, and how far they are."""

from __future__ import annotations

import atexit
import gc
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from types import FrameType, TracebackType
from typing import TYPE_CHECKING, Any, Self

import click

from .backends import BACKENDS
from .outputs import OutputFile

if TYPE_CHECKING:
    from cohorts.door import MatchSettings

INTERRUPTED = 130
BAD_INPUT = 2


class Refused(click.ClickException):
    """Something in what was given is wrong; a sentence says what, and the exit status is 2."""

    exit_code = BAD_INPUT


class Sizes(click.ParamType[tuple[int, int]]):
    """The sizes a cohort may have: ``4-8``, or ``6`` for exactly six."""

    name = "MIN-MAX"

    def convert(
        self, value: Any, param: click.Parameter | None, context: click.Context | None
    ) -> tuple[int, int]:
        """Return the smallest and the largest size."""
        least, dash, most = str(value).replace("–", "-").partition("-")
        try:
            return int(least), int(most if dash else least)
        except ValueError:
            self.fail(f"{value!r} is not a range of sizes such as 4-8.", param, context)


class Stop:
    """Notes that somebody pressed Ctrl-C (or sent SIGTERM); the second time ends at once."""

    def __init__(self) -> None:
        """Start with nobody having asked."""
        self.asked = False
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Self:
        """Listen from now on."""
        self._before = {each: signal.signal(each, self._note) for each in (signal.SIGINT, signal.SIGTERM)}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave signals to whoever had them."""
        for each, handler in self._before.items():
            signal.signal(each, handler)

    def __call__(self) -> bool:
        """Tell whether to stop."""
        return self.asked

    def _note(self, number: int, frame: FrameType | None) -> None:
        if self.asked:
            sys.exit(INTERRUPTED)
        self.asked = True


def search_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options of a search; ``settings_of`` reads them."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


_OPTIONS = (
    click.option("--size", type=Sizes(), default="4-8", show_default=True, help="Sizes a cohort may have."),
    click.option("--target-size", type=int, help="Size to aim for.  [default: 6, within --size]"),
    click.option(
        "--meeting",
        type=click.IntRange(30, 480),
        default=90,
        show_default=True,
        help="Minutes of the weekly meeting.",
    ),
    click.option(
        "--start",
        type=click.DateTime(["%Y-%m-%d"]),
        default="2027-01-11",
        show_default=True,
        help="First day of the course.",
    ),
    click.option(
        "--weeks", type=click.IntRange(1, 52), default=8, show_default=True, help="Weeks of the course."
    ),
    click.option(
        "--time-limit",
        type=click.FloatRange(min=0, min_open=True),
        help="Seconds to search.  [default: grows with the number of sign-ups]",
    ),
    click.option(
        "--seed",
        type=click.IntRange(min=0),
        default=0,
        show_default=True,
        help="The same seed gives the same matching.",
    ),
    click.option("--jobs", type=click.IntRange(min=1), default=1, show_default=True, help="Cores to use."),
    click.option("--convenor", is_flag=True, help="Every cohort has somebody willing to convene."),
    click.option(
        "--worst-off",
        type=click.FloatRange(0, 1),
        default=0.1,
        show_default=True,
        help="How much the member who fits least with the others counts against the average.",
    ),
    click.option(
        "--max-simultaneous",
        type=click.IntRange(min=1),
        help="Cohorts that may meet at one time.  [default: any]",
    ),
    click.option(
        "--asynchronous", is_flag=True, help="Cohorts without a meeting for people whose hours fit nobody's."
    ),
    click.option(
        "--on-conflict",
        type=click.Choice(["refuse", "unplace"]),
        default="refuse",
        show_default=True,
        help="Stop when people's wishes contradict each other, or leave those people out.",
    ),
    click.option(
        "--backend",
        type=click.Choice(BACKENDS),
        help="What large pools are worked on with.  [default: loky when --jobs is more than 1]",
    ),
    click.option("--scheduler", metavar="URL", help="The dask scheduler, such as tcp://127.0.0.1:8786."),
)


def settings_of(
    size: tuple[int, int],
    target_size: int | None,
    meeting: int,
    start: datetime,
    seed: int,
    jobs: int,
    convenor: bool,
    worst_off: float,
    **chosen: Any,
) -> MatchSettings:
    """Return what the options ask for.

    Raises:
        Refused: Two of them do not go together.
    """
    # Deferred, as all of the domain here: --help needs none of it.
    from cohorts.door import MatchSettings, to_params
    from cohorts.exceptions import UnfitPool

    least, most = size
    target_size = min(max(6, least), most) if target_size is None else target_size
    if not 2 <= least <= target_size <= most <= 64:
        raise Refused(
            f"Sizes {least}-{most} with a target of {target_size} cannot be: sizes lie between 2 and 64, "
            "the smallest comes first, and the target lies between them."
        )
    settings = MatchSettings(
        size_min=least,
        size_max=most,
        target_size=target_size,
        meeting_minutes=meeting,
        start=start.date(),
        random_state=seed,
        n_jobs=jobs,
        convenor_required=convenor,
        worst_off_weight=worst_off,
        **chosen,
    )
    try:
        to_params(settings)
    except UnfitPool as error:
        raise Refused(f"{error}.") from error
    return settings


@contextmanager
def few_collections() -> Iterator[None]:
    """Look for garbage seldom, and not once more when the process ends.

    Nearly all that scikit-learn, numba and OR-Tools load is there to stay; looking through it again and again
    takes a fifth of a match of 30 people.
    """
    before = gc.get_threshold()
    gc.set_threshold(50_000, 20, 20)
    atexit.register(gc.freeze)
    try:
        yield
    finally:
        gc.set_threshold(*before)


class Bar:
    """A progress bar on a terminal; silent where nobody looks."""

    WIDTH = 30

    def __init__(self) -> None:
        """Look whether anybody looks."""
        self._is_seen = sys.stderr.isatty()

    def __call__(self, progress: Any) -> None:
        """Show how far the search is."""
        if self._is_seen:
            filled = round(progress.fraction * self.WIDTH)
            bar = "█" * filled + "░" * (self.WIDTH - filled)
            click.echo(f"\r{bar} {progress.fraction:4.0%}  {progress.stage[:40]:<40}", nl=False, err=True)

    def finish(self) -> None:
        """Wipe the bar away."""
        if self._is_seen:
            click.echo(f"\r{' ' * (self.WIDTH + 48)}\r", nl=False, err=True)


def open_output(path: str) -> OutputFile:
    """Open a file to be written, before the work that fills it."""
    try:
        return OutputFile(path)
    except OSError as error:
        raise Refused(f"{path} cannot be written: {error.strerror or error}.") from error

"""``cohorts match``: from a file of sign-ups to a roster, without a database."""

from __future__ import annotations

import atexit
import gc
import json
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import datetime
from pathlib import Path
from types import FrameType, TracebackType
from typing import TYPE_CHECKING, Any, Self

import click

from .backends import BACKENDS, working_on
from .outputs import OutputFile

if TYPE_CHECKING:
    from cohorts import native
    from cohorts.answers import Answers
    from cohorts.door import Matching, MatchSettings

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


@click.command(name="match")
@click.argument("signups", type=click.Path())
@click.option("--out", required=True, type=click.Path(), help="Where the roster goes, as CSV.")
@click.option("--size", type=Sizes(), default="4-8", show_default=True, help="Sizes a cohort may have.")
@click.option("--target-size", type=int, help="Size to aim for.  [default: 6, within --size]")
@click.option(
    "--meeting",
    type=click.IntRange(30, 480),
    default=90,
    show_default=True,
    help="Minutes of the weekly meeting.",
)
@click.option(
    "--start",
    type=click.DateTime(["%Y-%m-%d"]),
    default="2027-01-11",
    show_default=True,
    help="First day of the course.",
)
@click.option(
    "--weeks", type=click.IntRange(1, 52), default=8, show_default=True, help="Weeks of the course."
)
@click.option(
    "--time-limit",
    type=click.FloatRange(min=0, min_open=True),
    help="Seconds to search.  [default: grows with the number of sign-ups]",
)
@click.option(
    "--seed",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    help="The same seed gives the same matching.",
)
@click.option("--jobs", type=click.IntRange(min=1), default=1, show_default=True, help="Cores to use.")
@click.option("--convenor", is_flag=True, help="Every cohort has somebody willing to convene.")
@click.option(
    "--worst-off",
    type=click.FloatRange(0, 1),
    default=0.1,
    show_default=True,
    help="How much the member who fits least with the others counts against the average.",
)
@click.option(
    "--max-simultaneous",
    type=click.IntRange(min=1),
    help="Cohorts that may meet at one time.  [default: any]",
)
@click.option(
    "--asynchronous", is_flag=True, help="Cohorts without a meeting for people whose hours fit nobody's."
)
@click.option(
    "--on-conflict",
    type=click.Choice(["refuse", "unplace"]),
    default="refuse",
    show_default=True,
    help="Stop when people's wishes contradict each other, or leave those people out.",
)
@click.option(
    "--backend",
    type=click.Choice(BACKENDS),
    help="What large pools are worked on with.  [default: loky when --jobs is more than 1]",
)
@click.option("--scheduler", metavar="URL", help="The dask scheduler, such as tcp://127.0.0.1:8786.")
@click.option("--report", type=click.Path(), help="Where a report goes, as JSON.")
@click.option("--zone", default="", help="Time zone of whoever's row names none, such as Europe/Berlin.")
def match_command(
    signups: str,
    out: str,
    size: tuple[int, int],
    target_size: int | None,
    meeting: int,
    start: datetime,
    weeks: int,
    time_limit: float | None,
    seed: int,
    jobs: int,
    convenor: bool,
    worst_off: float,
    max_simultaneous: int | None,
    asynchronous: bool,
    on_conflict: str,
    backend: str | None,
    scheduler: str | None,
    report: str | None,
    zone: str,
) -> None:
    """Form cohorts from the sign-ups in a file and write their roster.

    Reads the native columns, and what survey tools such as Google Forms write.
    Needs no database. Ctrl-C ends the search early and writes the best matching so far.

    Example: cohorts match signups.csv --out roster.csv --size 4-8 --report report.json
    """
    with Stop() as stop, few_collections(), ExitStack() as files:
        people = read_people(signups, zone)
        settings = _settings(
            size,
            target_size,
            start=start.date(),
            weeks=weeks,
            meeting_minutes=meeting,
            time_limit=time_limit,
            random_state=seed,
            n_jobs=jobs,
            convenor_required=convenor,
            worst_off_weight=worst_off,
            max_simultaneous=max_simultaneous,
            asynchronous=asynchronous,
            on_conflict=on_conflict,
        )
        roster_file = files.enter_context(_open(out))
        report_file = files.enter_context(_open(report)) if report else None
        with working_on(backend, scheduler, jobs):
            matching = _search(people, settings, stop)
        _write(people, settings, matching, roster_file, report_file)
    click.echo(_summary(matching, out), err=True)
    if stop.asked:
        sys.exit(INTERRUPTED)


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


def read_people(path: str, zone: str = "") -> list[Answers]:
    """Return the sign-ups in a file; every problem is printed as FILE:LINE: column: what is wrong."""
    # Deferred, as all of the domain here: --help needs none of it.
    from cohorts import native

    file = read_file(path, lambda content: _native_or_any(content, zone))
    print_file_notes(path, file)
    entries = [
        native.checked(entry, entry.answers, None) if entry.answers else entry for entry in file.entries
    ]
    if file.unknown:
        click.echo(f"{path}:1: not known and ignored: {', '.join(file.unknown)}", err=True)
    if print_problems(path, entries):
        sys.exit(BAD_INPUT)
    people = {entry.answers.email: entry.answers for entry in entries if entry.answers}
    absent = [each for person in people.values() for each in native.absent(person, people)]
    if absent:
        click.echo(f"{path}: {_not_there(absent)}", err=True)
    return list(people.values())


def _native_or_any(content: bytes, zone: str) -> native.File:
    """Read the native columns; whatever else a file may be takes longer to find out."""
    from cohorts import native
    from cohorts.tables import MalformedFile

    try:
        return native.read(content)
    except MalformedFile:
        from cohorts import readings

        return readings.read_any(content, zone=zone)


def print_file_notes(path: str, file: native.File) -> None:
    """Print which rows of a file are left out, and why."""
    for note in file.notes:
        click.echo(f"{path}: note: {note}", err=True)
    for row in file.superseded:
        click.echo(f"{path}:{row.line}: note: row {row.kept} has newer answers of {row.email}.", err=True)


def _not_there(absent: Sequence[str]) -> str:
    named = f"of the people somebody wants to be with {'is' if len(absent) == 1 else 'are'} not in it"
    return f"{len(absent)} {named}: {', '.join(absent[:3])}{'…' if len(absent) > 3 else ''}"


def read_file(path: str, read: Any) -> Any:
    """Return what ``read`` makes of the bytes of a file."""
    from cohorts.tables import WHOLE_ROW, MalformedFile

    try:
        return read(Path(path).read_bytes())
    except MalformedFile as error:
        raise Refused(f"{path}:{error.line}: {WHOLE_ROW}: {error}") from error
    except OSError as error:
        raise Refused(f"{path} cannot be read: {error.strerror or error}.") from error


def print_problems(path: str, rows: Sequence[Any]) -> bool:
    """Print the problems of all rows, one a line; tell whether there was one."""
    found = [(row.line, problem) for row in rows for problem in row.problems]
    for line, problem in found:
        click.echo(f"{path}:{line}: {problem.heading or problem.column}: {problem.message}", err=True)
    return bool(found)


def _settings(
    size: tuple[int, int],
    target_size: int | None,
    **chosen: Any,
) -> MatchSettings:
    from cohorts.door import MatchSettings, to_params
    from cohorts.exceptions import UnfitPool

    least, most = size
    target_size = min(max(6, least), most) if target_size is None else target_size
    if not 2 <= least <= target_size <= most <= 64:
        raise Refused(
            f"Sizes {least}-{most} with a target of {target_size} cannot be: sizes lie between 2 and 64, "
            "the smallest comes first, and the target lies between them."
        )
    settings = MatchSettings(size_min=least, size_max=most, target_size=target_size, **chosen)
    try:
        to_params(settings)
    except UnfitPool as error:
        raise Refused(f"{error}.") from error
    return settings


def _open(path: str) -> OutputFile:
    try:
        return OutputFile(path)
    except OSError as error:
        raise Refused(f"{path} cannot be written: {error.strerror or error}.") from error


def _search(people: Sequence[Answers], settings: MatchSettings, stop: Stop) -> Matching:
    from cohorts.door import match_answers
    from cohorts.exceptions import UnfitPool

    bar = Bar()
    try:
        return match_answers(
            [(person.email, person) for person in people], settings, progress=bar, should_stop=stop
        )
    except UnfitPool as error:
        if stop.asked:
            click.echo("Stopped before there was a matching; nothing was written.", err=True)
            sys.exit(INTERRUPTED)
        raise Refused(f"{error}.") from error
    finally:
        bar.finish()


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


def _write(
    people: Sequence[Answers],
    settings: MatchSettings,
    matching: Matching,
    roster_file: OutputFile,
    report_file: OutputFile | None,
) -> None:
    from cohorts import reports, roster_rows

    try:
        roster_file.write(roster_rows.to_csv(reports.roster_of(people, settings, matching)))
        if report_file is not None:
            document = json.dumps(reports.report_of(people, matching), ensure_ascii=False, indent=1)
            report_file.write(document.encode() + b"\n")
    except OSError as error:
        raise Refused(f"The roster cannot be written: {error.strerror or error}.") from error


def _summary(matching: Matching, out: str) -> str:
    n_learners, n_cohorts = len(matching.labels), len(matching.cohorts)
    placed = (
        f"{matching.n_placed} of {n_learners} learners placed in {n_cohorts} cohorts"
        f" after {matching.seconds:.1f} s: {out}"
    )
    if not n_cohorts:
        return placed
    scores = (
        f"score of a learner's cohort: {matching.mean_score:.3f} on average, a tenth below "
        f"{matching.p10_score:.3f}, the least {matching.min_score:.3f}"
    )
    proof = "" if matching.gap is None else f"; at most {matching.gap:.1%} below what could be reached"
    return f"{placed}\n{scores}{proof}"

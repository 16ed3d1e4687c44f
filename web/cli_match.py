"""``cohorts match``: from a file of sign-ups to a roster, without a database."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .backends import working_on
from .cli_search import (
    BAD_INPUT,
    INTERRUPTED,
    Bar,
    Refused,
    Stop,
    few_collections,
    open_output,
    search_options,
    settings_of,
)
from .outputs import OutputFile

if TYPE_CHECKING:
    from cohorts import native
    from cohorts.answers import Answers
    from cohorts.door import Matching, MatchSettings


@click.command(name="match")
@click.argument("signups", type=click.Path())
@click.option("--out", required=True, type=click.Path(), help="Where the roster goes, as CSV.")
@search_options
@click.option("--report", type=click.Path(), help="Where a report goes, as JSON.")
@click.option("--zone", default="", help="Time zone of whoever's row names none, such as Europe/Berlin.")
def match_command(
    signups: str,
    out: str,
    backend: str | None,
    scheduler: str | None,
    report: str | None,
    zone: str,
    **chosen: Any,
) -> None:
    """Form cohorts from the sign-ups in a file and write their roster.

    Reads the native columns, and what survey tools such as Google Forms write.
    Needs no database. Ctrl-C ends the search early and writes the best matching so far.

    Example: cohorts match signups.csv --out roster.csv --size 4-8 --report report.json
    """
    with Stop() as stop, few_collections(), ExitStack() as files:
        people = read_people(signups, zone)
        say_who_is_absent(signups, people)
        settings = settings_of(**chosen)
        roster_file = files.enter_context(open_output(out))
        report_file = files.enter_context(open_output(report)) if report else None
        with working_on(backend, scheduler, settings.n_jobs):
            matching = _search(people, settings, stop)
        _write(people, settings, matching, roster_file, report_file)
    click.echo(_summary(matching, out), err=True)
    if stop.asked:
        sys.exit(INTERRUPTED)


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
    return list({entry.answers.email: entry.answers for entry in entries if entry.answers}.values())


def say_who_is_absent(path: str, people: Sequence[Answers]) -> None:
    """Print whom people want to be with who are not among them."""
    from cohorts import native

    known = {person.email for person in people}
    absent = [each for person in people for each in native.absent(person, known)]
    if absent:
        click.echo(f"{path}: {_not_there(absent)}", err=True)


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


def _write(
    people: Sequence[Answers],
    settings: MatchSettings,
    matching: Matching,
    roster_file: OutputFile,
    report_file: OutputFile | None,
) -> None:
    from cohorts import reports, roster_rows

    try:
        rows = reports.roster_of(people, settings, reports.named(matching), matching.unplaced)
        roster_file.write(roster_rows.to_csv(rows))
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

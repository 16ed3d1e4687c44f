"""``cohorts rematch``: from sign-ups and a roster to a new roster, without a database."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack
from datetime import timedelta
from itertools import count
from typing import TYPE_CHECKING, Any

import click

from .backends import working_on
from .cli_match import print_problems, read_file, read_people
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

if TYPE_CHECKING:
    from cohorts.answers import Answers
    from cohorts.door import MatchSettings, Rematching, RematchWishes, Standing
    from cohorts.rematch_files import StandingCohort


@click.command(name="rematch")
@click.argument("signups", type=click.Path())
@click.argument("roster", type=click.Path())
@click.option("--left", required=True, type=click.Path(), help="Who is out of the course: a column email.")
@click.option("--joined", type=click.Path(), help="Who has joined since: sign-ups in the native columns.")
@click.option(
    "--connections", type=click.Path(), help="Who knows whom: columns from, to, time and perhaps strength."
)
@click.option(
    "--half-life",
    type=click.IntRange(min=1),
    default=28,
    show_default=True,
    help="Days after which a connection counts half.",
)
@click.option(
    "--max-moves", type=click.IntRange(min=0), help="Members who may change their cohort.  [default: any]"
)
@click.option("--move-meetings", is_flag=True, help="Cohorts may get another meeting time.")
@click.option("--keep-small", is_flag=True, help="Leave cohorts too small that nobody can join as they are.")
@click.option("--out", required=True, type=click.Path(), help="Where the new roster goes, as CSV.")
@search_options
@click.option("--report", type=click.Path(), help="Where a report goes, as JSON.")
@click.option("--zone", default="", help="Time zone of whoever's row names none, such as Europe/Berlin.")
def rematch_command(
    signups: str,
    roster: str,
    left: str,
    joined: str | None,
    connections: str | None,
    half_life: int,
    max_moves: int | None,
    move_meetings: bool,
    keep_small: bool,
    out: str,
    report: str | None,
    backend: str | None,
    scheduler: str | None,
    zone: str,
    **chosen: Any,
) -> None:
    """Seat people again: fill seats, merge or close cohorts that have become too small, open new ones.

    SIGNUPS are the sign-ups that ROSTER was made from. Cohorts that are large enough keep their members and
    their meeting. Needs no database. Ctrl-C ends the search early and writes the best found so far.

    Example: cohorts rematch signups.csv roster.csv --left left.csv --joined joined.csv --out new.csv
    """
    from cohorts.door import RematchWishes

    with Stop() as stop, few_collections(), ExitStack() as files:
        people, standing_then = _people(signups, roster, left, joined, zone)
        settings = settings_of(**chosen)
        standing = _standing(standing_then, people, settings)
        ties = _ties(connections, people, timedelta(days=half_life))
        wishes = RematchWishes(max_moves=max_moves, move_meetings=move_meetings, keep_small=keep_small)
        roster_file = files.enter_context(open_output(out))
        report_file = files.enter_context(open_output(report)) if report else None
        with working_on(backend, scheduler, settings.n_jobs):
            found = _search(people, settings, [each for _name, each in standing], ties, wishes, stop)
        names = [name for name, _each in standing]
        fresh = _unused({each.name for each in standing_then})
        cohorts = [(next(fresh) if each.place is None else names[each.place], each) for each in found.cohorts]
        _write(people, settings, found, cohorts, names, roster_file, report_file)
    click.echo(_summary(found, out), err=True)
    if stop.asked:
        sys.exit(INTERRUPTED)


def _people(
    signups: str, roster: str, left: str, joined: str | None, zone: str
) -> tuple[dict[str, Answers], list[StandingCohort]]:
    """Return everybody who takes part now, by address, and the cohorts as they stood."""
    from cohorts import rematch_files

    people = {each.email: each for each in read_people(signups, zone)}
    newcomers = {each.email: each for each in read_people(joined, zone)} if joined else {}
    cohorts, noted = read_file(roster, rematch_files.read_roster)
    gone, unread = read_file(left, rematch_files.read_addresses)
    wrong = print_problems(roster, noted) | print_problems(left, unread)
    for cohort in cohorts:
        for email in sorted(cohort.members.keys() - people.keys() - newcomers.keys()):
            click.echo(f"{roster}: email: {email} is not among the sign-ups of {signups}", err=True)
            wrong = True
    for email in sorted(gone.keys() & newcomers.keys()):
        click.echo(f"{left}:{gone[email]}: email: {email} is in {joined} as well; keep one of them", err=True)
        wrong = True
    if wrong:
        sys.exit(BAD_INPUT)
    for email in sorted(gone.keys() - people.keys()):
        click.echo(f"{left}:{gone[email]}: email: {email} is not among the sign-ups, and ignored", err=True)
    return {email: each for email, each in (people | newcomers).items() if email not in gone}, cohorts


def _unused(taken: Collection[str]) -> Iterator[str]:
    """Yield names for new cohorts, counting on from those that are taken."""
    from cohorts.roster_rows import cohort_name

    return (name for at in count(len(taken) + 1) if (name := cohort_name(at)) not in taken)


def _standing(
    cohorts: Sequence[StandingCohort], people: Mapping[str, Answers], settings: MatchSettings
) -> list[tuple[str, Standing]]:
    """Return the cohorts that still have somebody, each with its name."""
    from cohorts.door import Standing
    from cohorts.rematch_files import MeetingTimes

    times = MeetingTimes(settings)
    found = []
    for cohort in cohorts:
        told = {email: text for email, text in cohort.members.items() if email in people}
        if told:
            found.append((cohort.name, Standing(members=tuple(told), meeting=times.of(told, people))))
    return found


def _ties(
    connections: str | None, people: Mapping[str, Answers], half_life: timedelta
) -> dict[tuple[str, str], float]:
    from cohorts import rematch_files

    if connections is None:
        return {}
    contacts, noted = read_file(connections, rematch_files.read_contacts)
    if print_problems(connections, noted):
        sys.exit(BAD_INPUT)
    unknown = sum(each.giver not in people or each.taker not in people for each in contacts)
    if unknown:
        click.echo(f"{connections}: {unknown} rows name somebody who does not take part", err=True)
    return rematch_files.ties(contacts, people, half_life)


def _search(
    people: Mapping[str, Answers],
    settings: MatchSettings,
    standing: Sequence[Standing],
    ties: Mapping[tuple[str, str], float],
    wishes: RematchWishes,
    stop: Callable[[], bool],
) -> Rematching:
    from cohorts.door import rematch_answers
    from cohorts.exceptions import UnfitPool

    bar = Bar()
    try:
        return rematch_answers(
            list(people.items()), settings, standing, ties, wishes, progress=bar, should_stop=stop
        )
    except UnfitPool as error:
        raise Refused(f"{error}.") from error
    finally:
        bar.finish()


def _write(
    people: Mapping[str, Answers],
    settings: MatchSettings,
    found: Rematching,
    cohorts: Sequence[tuple[str, Any]],
    before: Sequence[str],
    roster_file: Any,
    report_file: Any,
) -> None:
    from cohorts import reports, roster_rows

    everybody = list(people.values())
    rows = reports.roster_of(everybody, settings, cohorts, found.unplaced)
    try:
        roster_file.write(roster_rows.to_csv(rows))
        if report_file is not None:
            report = reports.report_of_rematch(everybody, found, cohorts, before)
            report_file.write(json.dumps(report, ensure_ascii=False, indent=1).encode() + b"\n")
    except OSError as error:
        raise Refused(f"The roster cannot be written: {error.strerror or error}.") from error


def _summary(found: Rematching, out: str) -> str:
    lost = sum(move.after is None for move in found.moves)
    joined = sum(move.before is None for move in found.moves)
    return (
        f"{found.n_placed} of {len(found.pool)} learners have a cohort, {len(found.cohorts)} in all, after "
        f"{found.seconds:.1f} s: {out}\n{found.n_moved} moved, {joined} joined, {lost} lost their seat; "
        f"at most {found.gap:.1%} below what could be reached"
    )

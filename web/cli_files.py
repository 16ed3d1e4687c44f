"""Commands that read and write files of a course, and that add those who organise."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from .cli_match import print_file_notes, print_problems, read_file
from .cli_search import BAD_INPUT, Refused
from .outputs import OutputFile

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from cohorts.database import Database
    from cohorts.imports import Plan
    from cohorts.models import Course
    from cohorts.sheets import Sheet
    from cohorts.told import Reading

FORMATS = (
    *("csv", "xlsx", "json", "ics", "txt", "mail-merge", "canvas"),
    *("moodle-groups", "moodle-users", "moodle-members", "catme", "gruepr"),
)
"""The names of ``cohorts.exports.FORMATS``, here too so that help is shown at once."""


@click.command(name="import")
@click.argument("course")
@click.argument("file", type=click.Path())
@click.option("--dry-run", is_flag=True, help="Say what would happen and store nothing.")
@click.option("--leave-out-refused", is_flag=True, help="Import the other rows when some are refused.")
@click.option("--zone", default="", help="Time zone of whoever's row names none, such as Europe/Berlin.")
def import_command(course: str, file: str, dry_run: bool, leave_out_refused: bool, zone: str) -> None:
    """Add the sign-ups in FILE to COURSE (the last part of its address), confirmed and without mail.

    Reads the native columns, and what survey tools such as Google Forms write.

    Refused rows are printed as FILE:LINE: column: what is wrong.

    Example: cohorts import play-with-your-music signups.csv --dry-run
    """
    # Only what a command needs is loaded, so that the others start at once.
    from cohorts import imports
    from cohorts.models import now

    with opened() as database, database.transaction() as session:
        found = named_course(session, course)
        plan = read_file(file, lambda content: imports.dry_run(session, found, content, file, zone))
        _print_notes(file, plan)
        refused = print_problems(file, plan.rows) and not leave_out_refused
        if dry_run:
            counts = plan.counts.values()
            click.echo("{} to add, {} to change, {} the same, {} refused.".format(*counts))
        if refused:
            sys.exit(BAD_INPUT)
        if dry_run:
            return
        result = imports.apply(session, found, plan, leave_out_refused=leave_out_refused, at=now())
    click.echo(f"{result.added} added, {result.changed} changed, {result.left_out} left out.")


def _print_notes(file: str, plan: Plan) -> None:
    for problem in plan.problems:
        click.echo(f"{file}:1: {problem.column}: {problem.message}", err=True)
    print_file_notes(file, plan.file)
    for row in plan.rows:
        for note in row.notes:
            click.echo(f"{file}:{row.line}: note: {note}", err=True)


@click.command(name="import-connections")
@click.argument("course")
@click.argument("file", type=click.Path())
@click.option("--names", type=click.Path(), help="Who is who: in each row a user name and an address.")
@click.option("--columns", default="", help="Columns of a table, such as from=Author,to=Answered,time=Date.")
@click.option("--dry-run", is_flag=True, help="Say what would be kept and store nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, with the fields of the API.")
def import_connections_command(
    course: str, file: str, names: str | None, columns: str, dry_run: bool, as_json: bool
) -> None:
    """Add who had to do with whom, as FILE tells, to COURSE (the last part of its address).

    Reads tables with the columns from, to, time and perhaps kind, and exports of Discourse, Zulip, Slack,
    Discord and xAPI. What was kept before is not kept again.

    Example: cohorts import-connections play-with-your-music slack-export.zip
    """
    from cohorts import interactions
    from cohorts.models import now

    from .api_schemas import interactions_done

    reading = read_interactions(file, columns)
    known: dict[str, str] = {}
    slips = list(reading.slips)
    if names:
        known, more = read_file(names, interactions.read_names)
        for each in more:
            click.echo(f"{names}: {each.place}: {each.message}", err=True)
    with opened() as database, database.transaction() as session:
        found = named_course(session, course)
        plan = interactions.plan(session, found, reading, known, now())
        if not dry_run:
            interactions.apply(session, found, reading, known, now())
    for each in slips:
        click.echo(f"{file}: {each.place}: {each.message}", err=True)
    for name, number in plan.unknown:
        click.echo(f"{file}: not signed up: {name} ({number})", err=True)
    done = interactions_done(plan)
    if as_json:
        click.echo(json.dumps(done, ensure_ascii=False, indent=1))
        return
    click.echo(
        "{kept} {word}, {repeated} there already, {of_unknown} of unknown people, {own} with oneself, "
        "{wrong} not understood.".format(word="to keep" if dry_run else "kept", **done)
    )


def read_interactions(file: str, columns: str) -> Reading:
    """Read a file of interactions, its columns as they were told where they were."""
    from cohorts import conversations
    from cohorts.sheets import Sheet
    from cohorts.tables import heading_key

    found: Reading | Sheet = read_file(file, lambda content: conversations.read(content, file))
    if not isinstance(found, Sheet):
        return found
    headings = {heading_key(each): place for place, each in enumerate(found.lines[0].cells)}
    chosen = conversations.guess(found)
    for pair in filter(None, map(str.strip, columns.split(","))):
        field, _equals, heading = pair.partition("=")
        if field not in conversations.FIELDS or heading_key(heading) not in headings:
            raise Refused(f"--columns {pair}: write from, to, time or kind, =, and a heading of {file}.")
        chosen[field] = headings[heading_key(heading)]
    reading: Reading = read_file(file, lambda _content: conversations.of_table(found, chosen))
    return reading


@click.command(name="export")
@click.argument("course")
@click.option("--format", "format_", type=click.Choice(FORMATS), default="csv", show_default=True)
@click.option("--out", type=click.Path(), help="Where the roster goes.  [default: standard output]")
@click.option("--cohort", default="", help="Name of the one cohort to write.  [default: all]")
@click.option("--columns", default="", help="Columns of CSV, XLSX and JSON, separated by commas.")
@click.option("--login", default="email", show_default=True, help="email, local, or the key of a question.")
@click.option("--their-course", default="", help="Short name of the course in Moodle.  [default: COURSE]")
def export_command(
    course: str, format_: str, out: str | None, cohort: str, columns: str, login: str, their_course: str
) -> None:
    """Write the roster of COURSE (the last part of its address) in a format.

    Example: cohorts export play-with-your-music --format canvas --login local --out groups.csv
    """
    from cohorts import exports

    if out is None and format_ == "xlsx" and sys.stdout.isatty():
        raise Refused("A workbook cannot be shown on a terminal. Give --out FILE.")
    with opened() as database, database.reading() as session:
        found = named_course(session, course)
        choice = exports.Choice(
            cohort=_cohort_key(session, found, cohort) if cohort else "",
            columns=tuple(each.strip() for each in columns.split(",") if each.strip()),
            login=login,
            their_course=their_course,
        )
        _put(exports.FORMATS[format_].stream(session, found, choice), out)


def _cohort_key(session: Session, course: Course, name: str) -> str:
    from cohorts import roster

    keys = [each.key for each in roster.cohorts(session, course) if name in (each.name, each.key)]
    if len(keys) != 1:
        raise Refused(f"There {'is no cohort' if not keys else 'are several cohorts called'} {name}.")
    return keys[0]


@click.command(name="sample")
@click.option("--n", "n", type=click.IntRange(1, 1_000_000), default=120, show_default=True, help="How many.")
@click.option("--seed", type=int, default=1, show_default=True, help="The same seed gives the same people.")
@click.option("--out", type=click.Path(), help="Where they go.  [default: standard output]")
def sample_command(n: int, seed: int, out: str | None) -> None:
    """Make up sign-ups, in the columns that `cohorts match` and `cohorts import` read.

    Example: cohorts sample --n 120 --seed 1 --out signups.csv
    """
    from cohorts import native, sample

    _put([native.write(sample.people(n, seed)).encode()], out)


@click.group(name="user")
def user_group() -> None:
    """Look after those who sign in.

    Example: cohorts user add ada@example.org --role organiser
    """


@user_group.command(name="add")
@click.argument("email")
@click.option("--role", type=click.Choice(["organiser", "admin"]), default="organiser", show_default=True)
@click.option("--name", default="", help="Name shown on the site.")
def add_user(email: str, role: str, name: str) -> None:
    """Let EMAIL sign in.

    Example: cohorts user add ada@example.org --role organiser --name "Ada Obi"
    """
    from sqlalchemy import select

    from cohorts.answers import address, is_address
    from cohorts.models import Role, User

    found = address(email)
    if not is_address(found):
        raise Refused(f"{email} is not an e-mail address.")
    with opened() as database, database.transaction() as session:
        if session.scalar(select(User.id).where(User.email == found)) is not None:
            raise Refused(f"{found} can sign in already.")
        session.add(User(email=found, name=name, role=Role(role)))
    click.echo(f"{found} is {'an organiser' if role == 'organiser' else 'an administrator'} now.")


@user_group.command(name="link")
@click.argument("email")
def link_user(email: str) -> None:
    """Print a link that signs EMAIL in once, within ten minutes.

    Example: cohorts user link ada@example.org
    """
    from sqlalchemy import select

    import config
    from cohorts.answers import address
    from cohorts.links import Links
    from cohorts.models import User

    settings = config.load()
    with opened() as database, database.reading() as session:
        user = session.scalar(select(User).where(User.email == address(email), User.active.is_(True)))
        if user is None:
            raise Refused(f"Nobody signs in as {email}. Add them with: cohorts user add {email}")
        click.echo(Links(settings.secret_key, settings.public_url).sign_in(user))


@user_group.command(name="reset")
@click.argument("email")
def reset_user(email: str) -> None:
    """Sign EMAIL out everywhere and switch their second factor off, for whoever has lost their phone.

    Example: cohorts user reset ada@example.org
    """
    from sqlalchemy import delete, select

    from cohorts import browser_sessions
    from cohorts.answers import address
    from cohorts.models import SecondFactor, User

    with opened() as database, database.transaction() as session:
        user_id = session.scalar(select(User.id).where(User.email == address(email)))
        if user_id is None:
            raise Refused(f"Nobody signs in as {email}.")
        browser_sessions.end_all(session, user_id)
        session.execute(delete(SecondFactor).where(SecondFactor.user_id == user_id))
    click.echo(f"{address(email)} is signed out everywhere and has no second factor.")


@contextmanager
def opened() -> Iterator[Database]:
    """Give the database that the settings name, and let go of it at the end."""
    from .serving import open_database

    database = open_database()
    try:
        yield database
    finally:
        database.engine.dispose()


def named_course(session: Session, slug: str) -> Course:
    """Return the course with this last part of its address."""
    from sqlalchemy import select

    from cohorts.models import Course

    found = session.scalar(select(Course).where(Course.slug == slug))
    if found is None:
        raise Refused(f"There is no course {slug}.")
    return found


def _put(pieces: Iterable[bytes], out: str | None) -> None:
    """Write to a file, whole or not at all, or to standard output."""
    if out is None or out == "-":
        for piece in pieces:
            sys.stdout.buffer.write(piece)
        return
    try:
        with OutputFile(out) as file:
            file.write_pieces(pieces)
    except OSError as error:
        raise Refused(f"{Path(out)} cannot be written: {error.strerror or error}.") from error

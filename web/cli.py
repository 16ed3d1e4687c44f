"""The ``cohorts`` command."""

from __future__ import annotations

from typing import Any

import click

from .cli_backups import backup_command, restore_command
from .cli_files import (
    export_command,
    import_command,
    import_connections_command,
    sample_command,
    user_group,
)
from .cli_lists import courses_command, runs_command, signups_command
from .cli_match import match_command
from .cli_rematch import rematch_command
from .cli_search import Refused


class PlainErrors(click.Group):
    """A group whose commands end an expected error with one sentence instead of a traceback."""

    def invoke(self, context: click.Context) -> Any:
        """Run a command."""
        try:
            return super().invoke(context)
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except Exception as error:
            message = _in_words(error)
            if message is None:
                raise
            raise Refused(message) from error


def _in_words(error: Exception) -> str | None:
    """Return a sentence about an error that is no fault of ours, else None."""
    from sqlalchemy.exc import OperationalError, ProgrammingError

    from cohorts.exceptions import CohortsError
    from config import InvalidSettings

    if isinstance(error, (CohortsError, InvalidSettings)):
        return str(error)
    if isinstance(error, (OperationalError, ProgrammingError)):
        return f"The database cannot be used ({error.orig}). If it is new, run: cohorts db upgrade"
    return None


@click.group(cls=PlainErrors)
@click.version_option(package_name="cohorts")
def cli() -> None:
    """Form small cohorts of online learners who can really meet."""


@cli.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8000, show_default=True, help="Port to listen on.")
@click.option("--processes", default=2, show_default=True, help="Web processes, four threads each.")
@click.option("--with-worker", is_flag=True, help="Keep a worker beside the web server.")
@click.pass_context
def serve(context: click.Context, host: str, port: int, processes: int, with_worker: bool) -> None:
    """Serve the site.

    Example: cohorts serve --port 8080 --with-worker
    """
    from . import serving

    context.exit(serving.serve(host, port, processes, with_worker=with_worker))


@cli.command()
def worker() -> None:
    """Execute matches and send mail, until stopped.

    Example: cohorts worker
    """
    from . import serving

    serving.work()


@cli.command()
@click.pass_context
def doctor(context: click.Context) -> None:
    """Say what is wrong with this installation, and how to mend it; the exit status is 1 if something is.

    Example: cohorts doctor
    """
    import config

    from .doctor import examine

    found = list(examine(config.load()))
    for each in found:
        click.echo(f"{'✗' if each.to_do else '✓'} {each.what}")
        if each.to_do:
            click.echo(f"    {each.to_do}")
    context.exit(1 if any(each.to_do for each in found) else 0)


@cli.group()
def db() -> None:
    """Look after the database.

    Example: cohorts db upgrade
    """


@db.command()
@click.argument("revision", default="head")
def upgrade(revision: str) -> None:
    """Migrate the database up to REVISION (the newest unless given).

    Example: cohorts db upgrade
    """
    from . import serving

    serving.open_database().upgrade(revision)


@db.command()
@click.argument("revision")
def downgrade(revision: str) -> None:
    """Migrate the database down to REVISION; ``base`` removes all tables.

    Example: cohorts db downgrade 0001
    """
    from . import serving

    serving.open_database().downgrade(revision)


COMMANDS = (
    *(match_command, rematch_command, sample_command, courses_command, signups_command, runs_command),
    *(import_command, import_connections_command, export_command, user_group),
    *(backup_command, restore_command),
)

for command in COMMANDS:
    cli.add_command(command)

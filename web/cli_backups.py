"""Commands that keep everything safe: a backup of the database, and putting one back."""

from __future__ import annotations

from pathlib import Path

import click


@click.command(name="backup")
@click.argument("file", type=click.Path(path_type=Path))
def backup_command(file: Path) -> None:
    """Write everything in the database to the new FILE, while people go on working.

    FILE holds names, addresses and hours of everybody: keep it where only you can read it, and no longer than
    you need it.

    Example: cohorts backup /var/backups/cohorts-2027-01-31.sqlite3
    """
    # Only what a command needs is loaded, so that the others start at once.
    from cohorts import backups

    from .cli_files import opened
    from .cli_search import Refused

    with opened() as database:
        try:
            n_rows = backups.write(database, file)
        except OSError as error:
            raise Refused(f"{file} cannot be written: {error.strerror}.") from error
    click.echo(f"{n_rows} rows are in {file}.")


@click.command(name="restore")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--replace", is_flag=True, help="Put it in the place of what is in the database now.")
def restore_command(file: Path, replace: bool) -> None:
    """Put the backup FILE into the database. Stop the web server and the workers first.

    Whoever was erased since the backup is erased again. Everybody has to sign in again.

    Example: cohorts restore /var/backups/cohorts-2027-01-31.sqlite3 --replace
    """
    from cohorts import backups
    from cohorts.models import now

    from .cli_files import opened

    with opened() as database:
        n_erased = backups.restore(database, file, now(), replace=replace)
    click.echo(f"{file} is back." + (f" {n_erased} erased again." if n_erased else ""))

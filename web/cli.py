"""The ``cohorts`` command."""

from __future__ import annotations

import click


@click.group()
@click.version_option(package_name="cohorts")
def cli() -> None:
    """Form small cohorts of online learners who can really meet."""

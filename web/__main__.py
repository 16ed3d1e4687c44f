"""``python -m web`` is the ``cohorts`` command."""

from .cli import cli

if __name__ == "__main__":
    cli(prog_name="cohorts")

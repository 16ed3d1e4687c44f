"""The documentation names what there is, its links lead somewhere, and its commands run."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

import config
from cohorts.exports import FORMATS
from cohorts.native import COLUMNS
from web.cli import cli

ROOT = Path(config.__file__).parent
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
REFERENCE = ROOT / "docs" / "reference"


def commands(group: click.Group, path: str = "cohorts") -> Iterator[tuple[str, click.Command]]:
    """Give every command with its full name."""
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from commands(command, f"{path} {name}")
        else:
            yield f"{path} {name}", command


COMMANDS = dict(commands(cli))


def test_every_setting_is_documented() -> None:
    page = (REFERENCE / "settings.md").read_text()
    assert re.findall(r"^\| `([A-Z_]+)` \|", page, re.M) == list(config.NAMES)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_documented_with_its_options(name: str) -> None:
    page = (REFERENCE / "commands.md").read_text()
    _, _, section = page.partition(f"## `{name}`")
    assert section != "", f"commands.md has no section on {name}"
    section = section.split("\n## ")[0]
    options = [option for each in COMMANDS[name].params for option in each.opts if option.startswith("--")]
    assert [option for option in options if option not in section] == []


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_with_an_example(name: str) -> None:
    done = CliRunner().invoke(cli, [*name.split()[1:], "--help"])
    assert done.exit_code == 0
    assert re.search(rf"Example:\s+{name}", done.output), done.output


@pytest.mark.parametrize("name", [*COLUMNS, *FORMATS])
def test_every_column_and_format_is_documented(name: str) -> None:
    assert f"`{name}`" in (REFERENCE / "file-formats.md").read_text()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text())
    local = [target for target in targets if not target.startswith(("http:", "https:", "mailto:"))]
    assert [target for target in local if not (page.parent / target).exists()] == []


def documented_commands() -> list[str]:
    """Return the commands in docs that work on files alone, in the order of the pages."""
    lines = [line.strip() for page in PAGES for line in page.read_text().replace("\\\n", " ").splitlines()]
    on_files = re.compile(r"^\./run cohorts (sample|match) ")
    return [line for line in lines if on_files.match(line)]


def test_commands_in_the_docs_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    given = documented_commands()
    assert len(given) >= 2
    for line in given:
        done = CliRunner().invoke(cli, shlex.split(line)[2:])
        assert done.exit_code == 0, f"{line}\n{done.output}"

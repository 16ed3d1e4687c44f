"""The documentation names what there is, its links lead somewhere, and its commands run."""

import re
import shlex
import subprocess
import sys
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
    on_files = re.compile(r"^(\./run cohorts (sample|match|rematch) |\(echo )")
    return [line for line in lines if on_files.match(line)]


def test_commands_in_the_docs_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    given = documented_commands()
    assert len(given) >= 2
    for line in given:
        if line.startswith("("):
            subprocess.run(line, shell=True, check=True)
            continue
        done = CliRunner().invoke(cli, shlex.split(line)[2:])
        assert done.exit_code == 0, f"{line}\n{done.output}"


DEPLOY = ROOT / "docs" / "how-to" / "deploy"


def test_the_settings_of_an_installation_are_understood(tmp_path: Path) -> None:
    lines = (DEPLOY / "environment").read_text().splitlines()
    (tmp_path / "secret_key").write_text("k" * 40)
    environ = dict(line.split("=", 1) for line in lines)
    settings = config.load(environ | {"COHORTS_SECRET_KEY_FILE": str(tmp_path / "secret_key")})
    assert settings.production
    assert settings.trusted_proxies == 1


@pytest.mark.parametrize("unit", sorted(DEPLOY.glob("*.service")), ids=lambda unit: unit.name)
def test_units_start_commands_that_there_are(unit: Path) -> None:
    started = re.findall(r"/srv/cohorts/\.venv/bin/cohorts ([a-z -]+)(.*)", unit.read_text())
    assert started
    for words, _rest in started:
        name = " ".join(word for word in words.split() if not word.startswith("-"))
        options = [word for word in words.split() if word.startswith("--")]
        known = [option for each in COMMANDS[f"cohorts {name}"].params for option in each.opts]
        assert set(options) <= set(known)


def test_the_container_file_passes_its_linter() -> None:
    file = DEPLOY / "Containerfile"
    linter = Path(sys.executable).with_name("hadolint")
    done = subprocess.run([linter, "--no-color", file], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "")
    copied = re.findall(r"^COPY (.+) \S+$", file.read_text(), re.M)
    assert [name for names in copied for name in names.split() if not (ROOT / name).exists()] == []

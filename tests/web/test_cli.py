"""The ``cohorts`` command, through click's runner and as a real process."""

from __future__ import annotations

import contextlib
import csv
import gc
import io
import json
import os
import pty
import signal
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import click
import pytest
from click.testing import CliRunner, Result
from sqlalchemy import select

from cohorts import browser_sessions, native, sample
from cohorts.answers import Answers
from cohorts.database import Database
from cohorts.exports import FORMATS
from cohorts.links import Links
from cohorts.models import Course, Role, Signup, User, now
from cohorts.second_factors import Factors
from tests import tool_files
from tests.cohorts.test_roster import publish
from tests.conftest import SECRET
from tests.factories import make_course
from web import cli_files
from web.cli import cli

HEADER = "name,email,time_zone,availability\n"
START = date(2027, 1, 11)
ROOT = Path(__file__).parents[2]
COMMAND = (sys.executable, "-c", "from web.cli import cli; cli(prog_name='cohorts')")


def commands(group: click.Group, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for name, command in group.commands.items():
        yield (*path, name)
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, arguments, prog_name="cohorts")


def process(*arguments: str, stdout: int | None = None) -> subprocess.Popen[bytes]:
    """Start the command as users do."""
    return subprocess.Popen([*COMMAND, *arguments], cwd=ROOT, stdout=stdout, stderr=subprocess.PIPE)


def in_every_week(person: Answers, zone: str, slot: int, weeks: int = 8) -> bool:
    """Tell whether somebody is free for 90 minutes from a wall-clock time of ``zone`` in every week."""
    day, half_hours = divmod(slot, 48)
    for week in range(weeks):
        naive = datetime(START.year, START.month, START.day) + timedelta(
            weeks=week, days=day, minutes=30 * half_hours
        )
        start = naive.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
        for minutes in (0, 30, 60):
            local = (start + timedelta(minutes=minutes)).astimezone(ZoneInfo(person.time_zone))
            if local.weekday() * 48 + local.hour * 2 + local.minute // 30 not in person.availability:
                return False
    return True


def judge(
    people: list[Answers], roster: list[dict[str, str]], report: dict[str, list[dict[str, object]]]
) -> None:
    """Hold a roster against the rules, from their definitions alone."""
    by_email = {person.email: person for person in people}
    assert sorted(row["email"] for row in roster) == sorted(by_email)
    cohorts: dict[str, list[Answers]] = defaultdict(list)
    for row in roster:
        assert bool(row["cohort"]) == bool(row["meeting"]) != bool(row["reason"])
        if row["cohort"]:
            cohorts[row["cohort"]].append(by_email[row["email"]])
    placed = {person.email: name for name, members in cohorts.items() for person in members}
    for members in cohorts.values():
        assert 4 <= len(members) <= 8
        assert frozenset.intersection(*(frozenset(each.languages) for each in members))
        together = {each.email for each in members}
        assert not any(together & set(each.avoids) for each in members)
    for person in people:
        for other in person.works_with:
            assert placed.get(person.email) == placed.get(other)
    for told in report["cohorts"]:
        assert {each.email for each in cohorts[told["name"]]} == set(told["members"])
        days = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
        for block in told["common_blocks"]:
            day, clock = block["start"].split()
            slot = days.index(day) * 48 + int(clock[:2]) * 2 + int(clock[3:]) // 30
            assert all(in_every_week(each, block["zone"], slot) for each in cohorts[told["name"]])
    assert {each["email"] for each in report["unplaced"]} == by_email.keys() - placed.keys()


@pytest.mark.parametrize("path", list(commands(cli)), ids=" ".join)
def test_every_command_has_help_with_an_example(path: tuple[str, ...]) -> None:
    result = run(*path, "--help")
    assert result.exit_code == 0
    assert f"Example: cohorts {path[0]}" in result.output


def test_match_needs_neither_the_database_nor_the_web(tmp_path: Path) -> None:
    signups, out = tmp_path / "signups.csv", tmp_path / "roster.csv"
    assert run("sample", "--n", "8", "--out", str(signups)).exit_code == 0
    program = (
        "import sys; from web.cli import cli;"
        "cli(['match', *sys.argv[1:], '--time-limit', '5'], standalone_mode=False);"
        "print({'sqlalchemy', 'alembic', 'cohorts.models', 'flask', 'wtforms', 'config'} & set(sys.modules))"
    )
    words = [sys.executable, "-c", program, str(signups), "--out", str(out)]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True)
    assert (done.stdout, out.exists()) == ("set()\n", True)


def test_match_leaves_the_collector_as_it_was(tmp_path: Path) -> None:
    before, signups = gc.get_threshold(), tmp_path / "signups.csv"
    signups.write_text(HEADER, encoding="utf-8")
    run("match", str(signups), "--out", str(tmp_path / "roster.csv"))
    assert gc.get_threshold() == before


def test_match_places_a_sample_within_the_rules(tmp_path: Path) -> None:
    people = sample.people(60, 4)
    signups, out, report = tmp_path / "s.csv", tmp_path / "r.csv", tmp_path / "r.json"
    signups.write_text(native.write(people))
    result = run("match", str(signups), "--out", str(out), "--report", str(report), "--time-limit", "3")
    assert result.exit_code == 0, result.output
    told = json.loads(report.read_text())
    roster = list(csv.DictReader(io.StringIO(out.read_text(), newline="")))
    judge(people, roster, told)
    assert list(roster[0])[:6] == ["cohort", "name", "email", "time_zone", "meeting", "reason"]
    assert told["n_learners"] == 60
    assert told["n_placed"] == sum(bool(row["cohort"]) for row in roster) > 40
    assert told["n_cohorts"] == len(told["cohorts"])
    assert set(told["rules"].values()) == {0}
    assert told["bound"] >= told["objective"] - 1e-6
    assert told.keys() >= {"gap", "seconds", "random_state", "unplaced"}


def test_match_writes_the_same_for_the_same_seed(tmp_path: Path) -> None:
    signups = tmp_path / "s.csv"
    signups.write_text(native.write(sample.people(16, 2)))
    for name in ("a.csv", "b.csv"):
        assert run("match", str(signups), "--out", str(tmp_path / name), "--seed", "5").exit_code == 0
    assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "b.csv").read_bytes()


def test_match_of_bad_rows_lists_all_problems_and_writes_nothing(tmp_path: Path) -> None:
    signups, out = tmp_path / "s.csv", tmp_path / "r.csv"
    signups.write_text(HEADER + "A,a@example.org,Mars,Mon 25:00-26:00\nB,b,UTC,Mon 18-20\n")
    result = run("match", str(signups), "--out", str(out))
    assert result.exit_code == 2
    assert result.stderr.splitlines() == [
        f"{signups}:2: time_zone: 'Mars' is not a time zone of the IANA list, such as Europe/Berlin.",
        f"{signups}:2: availability: 'Mon 25:00-26:00' has a time that does not exist: 25:00.",
        f"{signups}:3: email: This is not an e-mail address. It should look like name@example.org.",
    ]
    assert not out.exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--size", "8-4"], "Sizes 8-4 with a target of 4 cannot be"),
        (["--size", "x"], "'x' is not a range of sizes such as 4-8."),
        (["--target-size", "9"], "Sizes 4-8 with a target of 9 cannot be"),
        (["--time-limit", "0"], "0.0 is not in the range x>0."),
        (["--start", "soon"], "'soon' does not match"),
        (["--weeks", "0"], "0 is not in the range"),
        (["--out", "/nonexistent/r.csv"], "/nonexistent/r.csv cannot be written: No such file or directory."),
        (["--report", "/nonexistent/r.json"], "/nonexistent/r.json cannot be written"),
        (["--out", "/"], "/ cannot be written: Is a directory."),
    ],
)
def test_match_with_a_wrong_option(tmp_path: Path, arguments: list[str], message: str) -> None:
    signups = tmp_path / "s.csv"
    signups.write_text(native.write(sample.people(8, 1)))
    result = run("match", str(signups), "--out", str(tmp_path / "r.csv"), *arguments)
    assert (result.exit_code, message in result.stderr, result.stdout) == (2, True, "")
    assert [path.name for path in tmp_path.iterdir()] == ["s.csv"]


def contradictory(tmp_path: Path) -> Path:
    """Twelve people, of whom three want what cannot all be."""
    people = list(sample.people(12, 6))
    a, b, c = (person.email for person in people[:3])
    wishes = [((b,), ()), ((a, c), ()), ((b,), (a,))]
    for place, (works_with, avoids) in enumerate(wishes):
        people[place] = replace(people[place], works_with=works_with, avoids=avoids)
    signups = tmp_path / "s.csv"
    signups.write_text(native.write(people))
    return signups


def test_match_of_contradictory_wishes_names_the_people(tmp_path: Path) -> None:
    signups, roster = contradictory(tmp_path), tmp_path / "r.csv"
    refused = run("match", str(signups), "--out", str(roster))
    assert (refused.exit_code, "want to be together" in refused.stderr, roster.exists()) == (2, True, False)
    matched = run("match", str(signups), "--out", str(roster), "--on-conflict", "unplace")
    assert (matched.exit_code, roster.exists()) == (0, True)


def test_match_with_every_rule(tmp_path: Path) -> None:
    signups, report = tmp_path / "s.csv", tmp_path / "r.json"
    signups.write_text(native.write(sample.people(24, 6)))
    rules = ["--convenor", "--worst-off", "0.5", "--max-simultaneous", "1", "--asynchronous"]
    result = run("match", str(signups), "--out", str(tmp_path / "r.csv"), "--report", str(report), *rules)
    assert (result.exit_code, "at most" in result.stderr) == (0, True)
    told = json.loads(report.read_text())
    assert 0 < told["min_score"] <= told["p10_score"] <= told["mean_score"] <= 1
    assert set(told["rules"].values()) == {0}


def test_match_of_a_missing_file(tmp_path: Path) -> None:
    result = run("match", str(tmp_path / "none.csv"), "--out", str(tmp_path / "r.csv"))
    assert result.exit_code == 2
    assert result.stderr == f"Error: {tmp_path}/none.csv cannot be read: No such file or directory.\n"


def test_match_of_an_unreadable_file_names_the_line(tmp_path: Path) -> None:
    signups = tmp_path / "s.csv"
    signups.write_bytes(HEADER.encode() + b'A,a@example.org,UTC,"Mon 18-20\n')
    result = run("match", str(signups), "--out", str(tmp_path / "r.csv"))
    message = f'Error: {signups}:2: row: A quotation mark (") opened on line 2 is never closed.\n'
    assert (result.exit_code, result.stderr) == (2, message)


def test_match_reads_what_a_survey_tool_writes(tmp_path: Path) -> None:
    signups, out = tmp_path / "answers.csv", tmp_path / "r.csv"
    signups.write_text(tool_files.GRUEPR)
    result = run("match", str(signups), "--out", str(out), "--size", "2-4", "--zone", "Mars/Base")
    assert (result.exit_code, out.exists()) == (2, False)
    assert "Choose a time zone from the list" in result.stderr
    result = run("match", str(signups), "--out", str(out), "--size", "2-4", "--zone", "America/New_York")
    assert result.exit_code == 0
    assert [row["name"] for row in csv.DictReader(out.read_text().splitlines())] == [
        "Ann Lee",
        "Bob Ray",
        "Cai Li",
    ]


def test_match_says_which_columns_it_ignores(tmp_path: Path) -> None:
    signups = tmp_path / "s.csv"
    signups.write_text(HEADER.strip() + ",shoes\n" + "A,a@example.org,UTC,Mon 18-20,9\n")
    result = run("match", str(signups), "--out", str(tmp_path / "r.csv"))
    assert result.exit_code == 0
    assert f"{signups}:1: not known and ignored: shoes" in result.stderr


def test_match_says_when_a_wish_names_somebody_who_is_not_there(tmp_path: Path) -> None:
    signups = tmp_path / "s.csv"
    signups.write_text(HEADER.strip() + ",works_with\n" + "A,a@example.org,UTC,Mon 18-20,b@example.org\n")
    result = run("match", str(signups), "--out", str(tmp_path / "r.csv"))
    message = f"{signups}: 1 of the people somebody wants to be with is not in it: b@example.org"
    assert (result.exit_code, result.stderr.splitlines()[0]) == (0, message)


def test_match_leaves_the_old_roster_whole_when_it_fails(tmp_path: Path) -> None:
    signups, out = tmp_path / "s.csv", tmp_path / "r.csv"
    signups.write_text(HEADER + "A,a,UTC,Mon 18-20\n")
    out.write_text("old")
    assert run("match", str(signups), "--out", str(out)).exit_code == 2
    assert out.read_text() == "old"


class Terminal:
    """The command with a terminal as its standard error, on which it shows how far it is."""

    def __init__(self, *arguments: str) -> None:
        self._ours, theirs = pty.openpty()
        self.process = subprocess.Popen([*COMMAND, *arguments], cwd=ROOT, stderr=theirs)
        os.close(theirs)

    def read_until(self, text: str = "") -> str:
        """Return what is shown until ``text`` is, or to the end."""
        shown = b""
        with contextlib.suppress(OSError):  # Linux says so when the other end is closed
            while not text or text.encode() not in shown:
                shown += os.read(self._ours, 4096)
        return shown.decode(errors="replace")

    def end(self) -> int:
        """Return the exit status."""
        self.read_until()
        os.close(self._ours)
        return self.process.wait()


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_match_that_is_interrupted_writes_the_best_so_far(tmp_path: Path, stop: signal.Signals) -> None:
    people = sample.people(1000, 6)
    signups, out = tmp_path / "s.csv", tmp_path / "r.csv"
    signups.write_text(native.write(people))
    terminal = Terminal("match", str(signups), "--out", str(out), "--time-limit", "300")
    assert "Improving" in terminal.read_until("Improving the cohorts")
    assert not out.exists()
    terminal.process.send_signal(stop)
    assert terminal.end() == 130
    roster = list(csv.DictReader(io.StringIO(out.read_text(), newline="")))
    assert sorted(row["email"] for row in roster) == sorted(person.email for person in people)
    assert sum(bool(row["cohort"]) for row in roster) > 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["r.csv", "s.csv"]


def test_match_shows_a_bar_on_a_terminal(tmp_path: Path) -> None:
    signups = tmp_path / "s.csv"
    signups.write_text(native.write(sample.people(12, 6)))
    terminal = Terminal("match", str(signups), "--out", str(tmp_path / "r.csv"))
    assert "█" in terminal.read_until("█")
    assert terminal.end() == 0


def test_match_shows_no_bar_in_a_pipe(tmp_path: Path) -> None:
    signups = tmp_path / "s.csv"
    signups.write_text(native.write(sample.people(12, 6)))
    started = process("match", str(signups), "--out", str(tmp_path / "r.csv"))
    _, errors = started.communicate(timeout=60)
    assert (started.returncode, len(errors.splitlines()), b"\r" in errors) == (0, 2, False)


def test_match_to_a_pipe_writes_the_roster_alone(tmp_path: Path) -> None:
    signups = tmp_path / "s.csv"
    signups.write_text(native.write(sample.people(12, 6)))
    started = process("match", str(signups), "--out", "/dev/stdout", stdout=subprocess.PIPE)
    roster, _ = started.communicate(timeout=60)
    assert started.returncode == 0
    assert len(list(csv.DictReader(io.StringIO(roster.decode(), newline="")))) == 12


def test_sample_is_reproducible_and_can_be_read(tmp_path: Path) -> None:
    first = run("sample", "--n", "25", "--seed", "3")
    assert first.stdout_bytes == run("sample", "--n", "25", "--seed", "3").stdout_bytes
    assert run("sample", "--n", "25", "--seed", "3", "--out", str(tmp_path / "s.csv")).exit_code == 0
    assert (tmp_path / "s.csv").read_bytes() == first.stdout_bytes
    entries = native.read(first.stdout_bytes).entries
    assert [entry.answers for entry in entries] == sample.people(25, 3)


@pytest.fixture
def environment(database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let commands use this test's database."""
    monkeypatch.setenv("COHORTS_SECRET_KEY", SECRET)
    monkeypatch.setenv("COHORTS_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("COHORTS_PUBLIC_URL", "http://localhost")
    monkeypatch.setenv("DATABASE_URL", database.url.render_as_string(hide_password=False))


@pytest.mark.usefixtures("environment")
class TestWithDatabase:
    """Commands on a course that is stored."""

    def test_import_adds_the_rows_of_a_file(self, database: Database, tmp_path: Path) -> None:
        with database.transaction() as session:
            make_course(session, slug="music")
        signups = tmp_path / "s.csv"
        signups.write_text(native.write(sample.people(20, 1)))
        dry = run("import", "music", str(signups), "--dry-run")
        assert (dry.exit_code, dry.stdout) == (0, "20 to add, 0 to change, 0 the same, 0 refused.\n")
        result = run("import", "music", str(signups))
        assert (result.exit_code, result.stdout) == (0, "20 added, 0 changed, 0 left out.\n")
        with database.reading() as session:
            assert len(session.scalars(select(Signup)).all()) == 20

    def test_import_of_refused_rows(self, database: Database, tmp_path: Path) -> None:
        with database.transaction() as session:
            make_course(session, slug="music")
        signups = tmp_path / "s.csv"
        signups.write_text(HEADER + "A,a@example.org,UTC,Mon 18-20\nB,b,UTC,Mon 18-20\n")
        refused = run("import", "music", str(signups), "--dry-run")
        assert refused.stdout == "1 to add, 0 to change, 0 the same, 1 refused.\n"
        refused = run("import", "music", str(signups))
        assert refused.exit_code == 2
        assert f"{signups}:3: email: This is not an e-mail address." in refused.stderr
        with database.reading() as session:
            assert session.scalars(select(Signup)).all() == []
        result = run("import", "music", str(signups), "--leave-out-refused")
        assert (result.exit_code, result.stdout) == (0, "1 added, 0 changed, 1 left out.\n")

    def test_import_into_a_course_that_is_not_there(self, tmp_path: Path) -> None:
        result = run("import", "nothing", str(tmp_path / "s.csv"))
        assert (result.exit_code, result.stderr) == (2, "Error: There is no course nothing.\n")

    @pytest.mark.parametrize("format_", FORMATS)
    def test_export_to_a_file_and_to_standard_output(
        self, database: Database, tmp_path: Path, format_: str
    ) -> None:
        with database.transaction() as session:
            publish(session, make_course(session, slug="music"), ["UTC", "Asia/Tokyo"])
        out = tmp_path / f"roster.{format_}"
        assert run("export", "music", "--format", format_, "--out", str(out)).exit_code == 0
        printed = run("export", "music", "--format", format_)
        assert printed.exit_code == 0
        assert printed.stdout_bytes[:4] == out.read_bytes()[:4]

    def test_export_of_one_cohort_and_some_columns(self, database: Database) -> None:
        with database.transaction() as session:
            publish(session, make_course(session, slug="music"), ["UTC", "UTC"], ["UTC"])
        result = run("export", "music", "--cohort", "Cohort 2", "--columns", "cohort,time_zone")
        assert result.stdout_bytes == b"cohort,time_zone\r\nCohort 2,UTC\r\n"
        wrong = run("export", "music", "--cohort", "Cohort 9")
        assert (wrong.exit_code, wrong.stderr) == (2, "Error: There is no cohort Cohort 9.\n")
        wrong = run("export", "music", "--columns", "shoes")
        assert (wrong.exit_code, "no column shoes" in wrong.stderr) == (2, True)

    def test_lists_for_people_and_for_scripts(self, database: Database) -> None:
        with database.transaction() as session:
            publish(session, make_course(session, slug="music", title="Music"), ["UTC", "UTC"])
        assert run("courses").stdout == "music\topen\t2027-01-11\tMusic\n"
        assert json.loads(run("courses", "--json").stdout)[0]["slug"] == "music"
        people = json.loads(run("signups", "music", "--json").stdout)
        assert [each["state"] for each in people] == ["confirmed"] * 3
        assert "secret@example.org" not in run("signups", "music", "--json").stdout
        assert len(run("signups", "music").stdout.splitlines()) == 3
        assert json.loads(run("runs", "music", "--json").stdout)[0]["state"] == "published"
        assert run("runs", "nothing").stderr == "Error: There is no course nothing.\n"

    def test_user_add_and_link(self, database: Database, links: Links) -> None:
        added = run("user", "add", "Ada@Example.org", "--role", "admin", "--name", "Ada")
        assert (added.exit_code, added.stdout) == (0, "ada@example.org is an administrator now.\n")
        printed = run("user", "link", "ada@example.org").stdout.strip()
        with database.reading() as session:
            user, _ = links.read_sign_in(session, printed.rpartition("/")[2])
            assert (user.email, user.role, user.name) == ("ada@example.org", Role.ADMIN, "Ada")

    def test_user_reset_signs_out_and_asks_for_no_second_factor(self, database: Database) -> None:
        run("user", "add", "ada@example.org")
        with database.transaction() as session:
            user = session.scalars(select(User)).one()
            browser_sessions.begin(session, user, now())
            factors = Factors(SECRET)
            factors.confirm(session, user, factors.prepare(session, user).now(), now())
        assert run("user", "reset", "ada@example.org").exit_code == 0
        with database.reading() as session:
            assert browser_sessions.count(session, user, now()) == 0
            assert factors.of(session, user) is None
        assert run("user", "reset", "bea@example.org").exit_code == 2

    def test_user_add_twice(self, database: Database) -> None:
        assert run("user", "add", "ada@example.org").exit_code == 0
        again = run("user", "add", "ada@example.org")
        assert (again.exit_code, again.stderr) == (2, "Error: ada@example.org can sign in already.\n")
        with database.reading() as session:
            assert len(session.scalars(select(User)).all()) == 1

    def test_user_add_without_an_address(self) -> None:
        result = run("user", "add", "ada")
        assert (result.exit_code, result.stderr) == (2, "Error: ada is not an e-mail address.\n")

    def test_user_link_for_nobody(self) -> None:
        result = run("user", "link", "x@example.org")
        assert result.exit_code == 2
        assert "Nobody signs in as x@example.org." in result.stderr

    def test_sample_course_can_be_matched_from_its_export(self, database: Database) -> None:
        with database.transaction() as session:
            user = User(email="o@example.org")
            session.add(user)
            session.flush()
            slug = sample.course(session, user, n=20).slug
        with database.reading() as session:
            assert session.scalar(select(Course.slug)) == slug


def test_every_format_can_be_named() -> None:
    assert tuple(FORMATS) == cli_files.FORMATS


def test_database_that_was_never_migrated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COHORTS_SECRET_KEY", SECRET)
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path / 'new.sqlite3'}")
    result = run("export", "music")
    assert result.exit_code == 2
    assert result.stderr.endswith("If it is new, run: cohorts db upgrade\n")


def test_setting_that_is_not_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COHORTS_COLOUR", "blue")
    result = run("export", "music")
    assert result.exit_code == 2
    assert result.stderr.startswith("Error: Unknown setting COHORTS_COLOUR.")

"""``cohorts rematch``: a new roster from sign-ups, a roster, who left, who joined and who knows whom."""

from __future__ import annotations

import csv
import json
from collections import defaultdict
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cohorts import native, sample
from cohorts.answers import Answers
from web.cli import cli

PEOPLE = list(sample.people(90, 3))
SIGNED_UP, NEWCOMERS = PEOPLE[:80], PEOPLE[80:]
LIMIT = ("--time-limit", "30")


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(cli, [str(each) for each in arguments], prog_name="cohorts")


def write_people(path: Path, people: list[Answers]) -> Path:
    path.write_text(native.write(people), encoding="utf-8")
    return path


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def by_cohort(path: Path) -> dict[str, set[str]]:
    found: dict[str, set[str]] = defaultdict(set)
    for row in rows(path):
        if row["cohort"]:
            found[row["cohort"]].add(row["email"])
    return dict(found)


@pytest.fixture(scope="module")
def matched(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a folder with sign-ups, a roster made of them, newcomers, and a cohort and a half who left."""
    folder = tmp_path_factory.mktemp("matched")
    write_people(folder / "signups.csv", SIGNED_UP)
    write_people(folder / "joined.csv", NEWCOMERS)
    assert run("match", folder / "signups.csv", "--out", folder / "roster.csv", *LIMIT).exit_code == 0
    first, second, *_ = by_cohort(folder / "roster.csv").values()
    gone = [*sorted(first)[2:], *sorted(second)[:1]]
    (folder / "left.csv").write_text(
        "email,why\n" + "".join(f"{each},life\n" for each in gone), encoding="utf-8"
    )
    return folder


def rematch(matched: Path, out: Path, *more: str | Path) -> Result:
    files = (matched / "signups.csv", matched / "roster.csv", "--left", matched / "left.csv")
    return run("rematch", *files, "--out", out, *LIMIT, *more)


def test_rematch_keeps_living_cohorts_and_lists_everybody_who_is_there(matched: Path, tmp_path: Path) -> None:
    out, report = tmp_path / "new.csv", tmp_path / "report.json"
    result = rematch(matched, out, "--joined", matched / "joined.csv", "--report", report)
    assert result.exit_code == 0, result.output
    gone = {row["email"] for row in rows(matched / "left.csv")}
    listed = [row["email"] for row in rows(out)]
    assert sorted(listed) == sorted({each.email for each in PEOPLE} - gone)
    before, after = by_cohort(matched / "roster.csv"), by_cohort(out)
    times = {row["email"]: row["meeting"] for row in rows(matched / "roster.csv")}
    now = {row["email"]: row["meeting"] for row in rows(out)}
    living = {name: members - gone for name, members in before.items() if len(members - gone) >= 4}
    assert len(living) > 5
    for name, members in living.items():
        assert members <= after[name]
        assert {times[each] for each in members} == {now[each] for each in members}
    assert all(4 <= len(members) <= 8 for members in after.values())
    told = json.loads(report.read_text(encoding="utf-8"))
    home = {email: name for name, members in before.items() for email in members}
    seat = {email: name for name, members in after.items() for email in members}
    moved = {each for each in seat if each in home and seat[each] != home[each]}
    assert {each["person"] for each in told["moves"]} == moved
    assert told["n_moved"] == len(moved)
    for move in told["moves"]:
        assert (move["from"], move["to"]) == (home[move["person"]], seat[move["person"]])
        left = len(before[move["from"]] - gone)
        assert left < 4
        assert f"has come down to {left} " in move["reason"]
        assert "@" not in move["reason"]
    assert {each["person"] for each in told["joined"]} == seat.keys() - home.keys()
    assert told["n_placed"] == len(seat)
    assert told["objective"] <= told["bound"] + 1e-6
    assert f"{len(moved)} moved" in result.output


def test_rematch_of_nothing_new_changes_nothing(matched: Path, tmp_path: Path) -> None:
    nobody = tmp_path / "left.csv"
    nobody.write_text("email\nnobody@example.org\n", encoding="utf-8")
    out = tmp_path / "new.csv"
    files = (matched / "signups.csv", matched / "roster.csv", "--left", nobody)
    result = run("rematch", *files, "--out", out, *LIMIT)
    assert result.exit_code == 0, result.output
    assert "left.csv:2: email: nobody@example.org is not among the sign-ups" in result.output
    assert by_cohort(out) == by_cohort(matched / "roster.csv")
    assert rows(out)[0] == rows(matched / "roster.csv")[0]


def test_rematch_joins_people_to_those_they_know(matched: Path, tmp_path: Path) -> None:
    before = by_cohort(matched / "roster.csv")
    open_seats = [sorted(members) for members in before.values() if len(members) < 8]
    lines = [
        f"{newcomer.email},{member},2027-02-0{day}T18:30:00Z,1"
        for newcomer in NEWCOMERS
        for members in open_seats
        for member in members[:1]
        for day in (1, 2)
    ]
    connections = tmp_path / "connections.csv"
    connections.write_text("\n".join(["from,to,time,strength", *lines]) + "\n", encoding="utf-8")
    known = {members[0] for members in open_seats}
    joining = {}
    for name, more in (("without", ()), ("with", ("--connections", connections))):
        out, report = tmp_path / f"{name}.csv", tmp_path / f"{name}.json"
        result = rematch(matched, out, "--joined", matched / "joined.csv", "--report", report, *more)
        assert result.exit_code == 0, result.output
        told = json.loads(report.read_text(encoding="utf-8"))
        after = by_cohort(out)
        seat = {email: members for members in after.values() for email in members}
        joining[name] = [each.email for each in NEWCOMERS if known & seat.get(each.email, set())]
        knowing = sorted(each["person"] for each in told["joined"] if each["knows"])
        assert knowing == (sorted(joining[name]) if more else [])
        assert told["connections_joined"] == sum(len(each["knows"]) for each in told["joined"])
    assert joining["with"]
    assert len(joining["with"]) >= len(joining["without"])


def test_rematch_moves_nobody_when_nobody_may_move(matched: Path, tmp_path: Path) -> None:
    out, report = tmp_path / "new.csv", tmp_path / "report.json"
    result = rematch(matched, out, "--max-moves", "0", "--keep-small", "--report", report)
    assert result.exit_code == 0, result.output
    told = json.loads(report.read_text(encoding="utf-8"))
    assert told["moves"] == told["without_a_cohort"] == []
    gone = {row["email"] for row in rows(matched / "left.csv")}
    after = by_cohort(out)
    for name, members in by_cohort(matched / "roster.csv").items():
        assert members - gone <= after[name]
    small = [each for each in told["cohorts"] if len(each["members"]) < 4]
    assert all(each["broken"] for each in small)


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"left": "name\nAnn\n"}, "left.csv:1: row: The first line has no column email"),
        (
            {"roster": "email,cohort\nstranger@example.org,A\n"},
            "stranger@example.org is not among the sign-ups",
        ),
        (
            {"roster": f"email,cohort\n{PEOPLE[0].email},A\n{PEOPLE[0].email},B\n"},
            f"roster.csv:3: email: {PEOPLE[0].email} is on line 2 already.",
        ),
        ({"left": f"email\n{NEWCOMERS[0].email}\n"}, "joined.csv as well; keep one of them"),
        (
            {"connections": "from,to,time\na@example.org,b@example.org,yesterday\n"},
            "connections.csv:2: time: 'yesterday' is not a date or time",
        ),
        (
            {"connections": "from,to,time,strength\na@example.org,b@example.org,2027-02-01,much\n"},
            "connections.csv:2: strength: 'much' is not a number from 0 to 1.",
        ),
    ],
)
def test_rematch_of_wrong_files_says_where_and_writes_nothing(
    matched: Path, tmp_path: Path, files: dict[str, str], message: str
) -> None:
    paths = {name: matched / f"{name}.csv" for name in ("signups", "roster", "left", "joined")}
    for name, content in files.items():
        paths[name] = tmp_path / f"{name}.csv"
        paths[name].write_text(content, encoding="utf-8")
    arguments = [paths.pop("signups"), paths.pop("roster")]
    arguments += [each for name, path in paths.items() for each in (f"--{name}", path)]
    result = run("rematch", *arguments, "--out", tmp_path / "new.csv")
    assert result.exit_code == 2
    assert message in result.output
    assert not (tmp_path / "new.csv").exists()


def test_rematch_keeps_the_limit_of_meetings_at_one_time(matched: Path, tmp_path: Path) -> None:
    out, report = tmp_path / "new.csv", tmp_path / "report.json"
    more = ("--joined", matched / "joined.csv", "--max-simultaneous", "1", "--report", report)
    assert rematch(matched, out, *more).exit_code == 0
    before = {frozenset(each) for each in by_cohort(matched / "roster.csv").values()}
    told = json.loads(report.read_text(encoding="utf-8"))["cohorts"]
    assert all(len(each["common_blocks"]) <= 1 for each in told)
    assert not [each for each in told if each["new"] and each["broken"]]
    assert before & {frozenset(each) for each in by_cohort(out).values()}

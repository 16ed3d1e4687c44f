"""Every cell of a row that is accepted is stored, below a column named as ignored, or listed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cohorts import availability, readings
from cohorts.answers import Answers
from cohorts.dialects import Layout
from cohorts.headings import FIRST, IGNORED, LAST, SENT, TURNED, Heading, target
from cohorts.native import Entry, File
from cohorts.readings import layout_of
from cohorts.recipes import Recipe, Repeated, guess
from tests.tool_files import csv_of

ZONES = ("Europe/Berlin", "Asia/Tokyo", "America/Lima")
LEVELS = ("beginner", "intermediate", "advanced")
HOURS = tuple(f"{day} {start}-{start + 1}" for day in ("Mon", "Tue", "Sun") for start in (9, 15, 20))
WORDS = st.text("abcdefghijklmnopqrstuvwxyz", min_size=3, max_size=9).map(lambda word: f"q{word}")
CELLS: dict[str, st.SearchStrategy[str]] = {
    "name": WORDS,
    FIRST: WORDS,
    LAST: WORDS,
    TURNED: WORDS,
    "time_zone": st.sampled_from(ZONES),
    "experience": st.sampled_from(LEVELS),
    "hours_per_week": st.integers(1, 60).map(str),
    "convenor": st.just("yes"),
    "goal": WORDS,
    "interests": WORDS,
    "languages": WORDS,
    "can_help_with": WORDS,
    "wants_help_with": WORDS,
    "works_with": WORDS.map(lambda word: f"{word}@example.org"),
    "avoids": WORDS.map(lambda word: f"{word}@example.org"),
    "availability": st.sampled_from(HOURS),
    "if_needed": st.sampled_from(HOURS),
    SENT: st.sampled_from(("2027-01-01 10:00", "soon")),
    IGNORED: WORDS,
}
"""What stands in a column by what it is taken for; each cell says something."""
UNREADABLE = {
    "time_zone": "Mars",
    "experience": "it depends",
    "hours_per_week": "some",
    "convenor": "perhaps not",
    "availability": "whenever",
    "if_needed": "now and then",
}


@st.composite
def sheets(draw: st.DrawFn) -> tuple[tuple[str, ...], list[list[str]]]:
    """A recipe by hand, any target any number of times, and rows; some cells of some rows say nothing."""
    targets = ("email", *draw(st.lists(st.sampled_from(sorted(CELLS)), min_size=1, max_size=8)))
    rows = []
    for number in range(draw(st.integers(1, 5))):
        cells = [draw(st.one_of(st.just(""), CELLS[each])) for each in targets[1:]]
        rows.append([f"p{number}@example.org", *cells])
    return targets, rows


def sheet_of(targets: Sequence[str], rows: Sequence[Sequence[str]]) -> Layout:
    """Return a sheet whose headings say nothing, so that the recipe alone tells what stands below them."""
    head = [f"Heading {place}" for place in range(len(targets))]
    return layout_of(csv_of(["E-mail", *head[1:]], *rows).encode())


def read(targets: Sequence[str], rows: Sequence[Sequence[str]], **changed: Any) -> File:
    recipe = Recipe(tuple(targets), zone="UTC", hours="Wed 12:00-13:00", **changed)
    return readings.read(sheet_of(targets, rows), recipe)


def is_stored(wanted: str, cell: str, answers: Answers) -> bool:
    """Tell whether what a cell says is among the answers."""
    if wanted in (FIRST, LAST, TURNED, "name"):
        return cell in answers.name
    if wanted in ("availability", "if_needed"):
        return availability.parse(cell) <= answers.availability | answers.if_needed
    stored = getattr(answers, wanted)
    if isinstance(stored, tuple):
        return cell in stored
    if wanted == "goal":
        return cell in stored.split("\n")
    return stored == {"hours_per_week": float, "convenor": bool}.get(wanted, str)(cell)


def is_listed(cell: str, place: int, entry: Entry, file: File) -> bool:
    """Tell whether a cell is named in what an organiser is shown."""
    said = [*entry.notes, *(f"{problem.found} {problem.heading}" for problem in entry.problems)]
    return f"Heading {place}" in file.unknown or any(cell in text for text in said)


@given(sheets())
def test_every_cell_is_stored_or_named(drawn: tuple[tuple[str, ...], list[list[str]]]) -> None:
    targets, rows = drawn
    file = read(targets, rows)
    assert len(file.entries) == len(rows)
    for entry, row in zip(file.entries, rows, strict=True):
        assert entry.answers is not None
        assert entry.answers.email == row[0]
        for place, (wanted, cell) in enumerate(zip(targets, row, strict=True)):
            if place and cell and not is_listed(cell, place, entry, file):
                if wanted == SENT:
                    assert cell != "soon"
                else:
                    assert is_stored(wanted, cell, entry.answers), (wanted, cell)


@given(sheets(), st.data())
def test_bad_rows_take_no_good_ones_with_them(
    drawn: tuple[tuple[str, ...], list[list[str]]], data: st.DataObject
) -> None:
    targets, good = drawn
    breakable = [place for place, wanted in enumerate(targets) if wanted in UNREADABLE]
    bad = [["not an address", *good[0][1:]], [good[0][0].replace("p", "x"), *good[0][1:], *["stray"] * 3]]
    for place in breakable:
        row = ["y@example.org", *good[0][1:]]
        row[place] = UNREADABLE[targets[place]]
        bad.append(row)
    mixed = data.draw(st.permutations([*good, *bad]))
    alone = {entry.answers.email: entry for entry in read(targets, good).entries if entry.answers}
    file = read(targets, mixed, repeated=Repeated.FIRST)
    found = {entry.answers.email: entry for entry in file.entries if entry.answers}
    for email, entry in alone.items():
        assert found[email] == replace(entry, line=found[email].line)
    assert len(file.entries) + len(file.superseded) == len(mixed)


# ---- LimeSurvey's codes, wishes in two columns, letters for days ----


@pytest.mark.parametrize(
    ("heading", "cell", "interests", "problem"),
    [
        ("Which topics interest you? [Jazz]", "Y", ("Jazz",), ""),
        ("Which topics interest you? [Jazz]", "Yes", ("Jazz",), ""),
        ("Which topics interest you? [Jazz]", "N", (), ""),
        ("Which topics interest you? [Jazz]", "N/A", (), ""),
        ("interests[jazz]", "Y", ("jazz",), ""),
        ("interests[SQ001]", "Y", (), "SQ001 is LimeSurvey's code"),
        ("interests[SQ001]", "N", (), ""),
        ("Which topics interest you?", "A2", (), "A2 is LimeSurvey's code"),
        ("Which topics interest you?", "Jazz; Folk", ("Jazz", "Folk"), ""),
    ],
)
def test_codes_of_limesurvey(heading: str, cell: str, interests: tuple[str, ...], problem: str) -> None:
    rows = (("id", "submitdate", "email", heading), ("1", "2027-01-01", "ann@example.org", cell))
    layout = layout_of(csv_of(*rows, delimiter=";").encode())
    (entry,) = readings.read(layout, guess(layout)).entries
    assert entry.answers is not None
    assert entry.answers.interests == interests
    assert [each.message[: len(problem)] for each in entry.problems] == ([problem] if problem else [])


@pytest.mark.parametrize(
    ("heading", "wanted"),
    [
        ("What can you help others with?", "can_help_with"),
        ("What could you offer?", "can_help_with"),
        ("I would like to help others with", "can_help_with"),
        ("Offers", "can_help_with"),
        ("What do you need help with?", "wants_help_with"),
        ("What do you want help with?", "wants_help_with"),
        ("Where could you use some help?", "wants_help_with"),
        ("Needs", "wants_help_with"),
        ("Who would you like to work with?", "works_with"),
        ("Anybody you would rather not work with?", "avoids"),
        ("Start language", "languages"),
    ],
)
def test_needs_and_offers_have_a_column_each(heading: str, wanted: str) -> None:
    assert target(Heading.of(heading)) == wanted


@pytest.mark.parametrize(
    ("heading", "hours"),
    [
        ("Schedule: M 8:00 AM", "Mon 08:00-09:00"),
        ("T 9am", "Tue 09:00-10:00"),
        ("R 3:00 PM", "Thu 15:00-16:00"),
        ("Th 10:00-12:00", "Thu 10:00-12:00"),
        ("U 12 PM", "Sun 12:00-13:00"),
    ],
)
def test_day_is_a_letter_before_an_hour(heading: str, hours: str) -> None:
    layout = layout_of(csv_of(("E-mail", heading), ("ann@example.org", "1")).encode())
    (entry,) = readings.read(layout, Recipe(("email", "availability"))).entries
    assert entry.answers is not None
    assert availability.write(entry.answers.availability) == hours

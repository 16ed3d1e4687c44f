"""Cells of surveys: what they are read as, and what is refused because it would be guessing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from cohorts import cells
from cohorts.questions import Experience

OPTIONS = ("Drums, bongos", "Piano", "Guitar")


@pytest.mark.parametrize(
    ("cell", "answers"),
    [
        ("Drums, bongos, Piano, Kazoo", ("Drums, bongos", "Piano", "Kazoo")),
        ("drums, bongos;Jazz, Rock;piano", ("drums, bongos", "Jazz, Rock", "piano")),
        ("Kazoo, Drums, bongos", ("Kazoo", "Drums, bongos")),
        ("Snare Drums, bongos", ("Snare Drums", "bongos")),
        ("Guitar\nDrums, bongos\n", ("Guitar", "Drums, bongos")),
        ("Tyler, the Creator; x", ("Tyler, the Creator", "x")),
        (" ; , ", ()),
    ],
)
def test_answers_in_one_cell(cell: str, answers: tuple[str, ...]) -> None:
    assert cells.split(cell, OPTIONS) == answers


@pytest.mark.parametrize(
    ("read", "cell", "value"),
    [
        (cells.time_zone, "EST", "America/New_York"),
        (cells.time_zone, "Berlin", "Europe/Berlin"),
        (cells.time_zone, "new york", "America/New_York"),
        (cells.time_zone, "America/New York", "America/New_York"),
        (cells.time_zone, "US/Eastern", "America/New_York"),
        (cells.time_zone, "(GMT-05:00) Eastern Time (US & Canada)", "America/New_York"),
        (cells.time_zone, "(UTC+01:00) Amsterdam, Berlin, Bern", "Europe/Amsterdam"),
        (cells.time_zone, "London, UK", "Europe/London"),
        (cells.time_zone, "GMT", "UTC"),
        (cells.hours, "40+", 40.0),
        (cells.hours, "9-10 hours", 9.5),
        (cells.hours, "10–12 h per week", 11.0),
        (cells.hours, "about 5 hrs/week", 5.0),
        (cells.hours, "5,5", 5.5),
        (cells.experience, "Beginner (0-1 years)", Experience.BEGINNER),
        (cells.experience, "I'm an expert", Experience.ADVANCED),
        (cells.yes_or_no, "Yes, gladly", True),
        (cells.yes_or_no, "TRUE", True),
        (cells.yes_or_no, "No thanks", False),
        (cells.yes_or_no, "", False),
    ],
)
def test_cell_is_read(read: Callable[[str], Any], cell: str, value: object) -> None:
    assert read(cell) == value


@pytest.mark.parametrize(
    ("read", "cell"),
    [
        (cells.time_zone, "UTC+2"),
        (cells.time_zone, "+05:30"),
        (cells.time_zone, "CST"),
        (cells.time_zone, "Mars"),
        (cells.hours, "Just learning HTML. Not sure…"),
        (cells.hours, "2 hours a day"),
        (cells.hours, "2027-10-09"),
        (cells.experience, "3"),
        (cells.experience, "between beginner and advanced"),
        (cells.yes_or_no, "maybe"),
    ],
)
def test_cell_is_not_guessed_at(read: Callable[[str], Any], cell: str) -> None:
    with pytest.raises(ValueError, match="'"):
        read(cell)


@pytest.mark.parametrize(
    ("cell", "addresses"),
    [
        ("Ann Lee; bob@x.org", ("ann@x.org", "bob@x.org")),
        ("ann@x.org, bob@x.org", ("ann@x.org", "bob@x.org")),
        ("ann@x.org bob@x.org", ("ann@x.org", "bob@x.org")),
        ("Ann Lee <ann@x.org>", ("ann@x.org",)),
        ("ann LEE, nobody", ("ann@x.org", "nobody")),
        ("Two Of Them", ("Two Of Them",)),
    ],
)
def test_people_by_address_or_name(cell: str, addresses: tuple[str, ...]) -> None:
    assert cells.people(cell, {"ann lee": "ann@x.org", "two of them": ""}) == addresses

"""Files of sign-ups as other tools write them: the same three people, each time with that tool's mess."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence

import xlsxwriter

ANN, BOB, CAI = "ann@example.org", "bob@example.org", "cai@example.org"


def csv_of(*rows: Sequence[str], delimiter: str = ",", end: str = "\r\n") -> str:
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=delimiter, lineterminator=end).writerows(rows)
    return text.getvalue()


def xlsx_of(
    *rows: Iterable[object],
    merged: Sequence[tuple[int, int, int, str]] = (),
    name: str = "Form Responses 1",
) -> bytes:
    """Return a workbook; ``merged`` has cells over several columns: row, first, last, text."""
    content = io.BytesIO()
    with xlsxwriter.Workbook(content, {"in_memory": True, "strings_to_formulas": False}) as book:
        sheet = book.add_worksheet(name)
        for line, row in enumerate(rows):
            for place, cell in enumerate(row):
                if cell not in ("", None):
                    sheet.write(line, place, cell)
        for line, first, last, text in merged:
            if first == last:
                sheet.write(line, first, text)
            else:
                sheet.merge_range(line, first, line, last, text)
    return content.getvalue()


def book_of(sheets: Mapping[str, Iterable[Iterable[object]]], hidden: Sequence[str] = ()) -> bytes:
    """Return a workbook of several sheets."""
    content = io.BytesIO()
    with xlsxwriter.Workbook(content, {"in_memory": True, "strings_to_formulas": False}) as book:
        for title, rows in sheets.items():
            sheet = book.add_worksheet(title)
            for line, row in enumerate(rows):
                for place, cell in enumerate(row):
                    if cell not in ("", None):
                        sheet.write(line, place, cell)
            if title in hidden:
                sheet.hide()
    return content.getvalue()


TITLED = (
    ("Music course, spring: we ask for", "Name", "E-mail", "Availability"),
    ("About you", "", "When are you free?", ""),
    ("Who", "Contact", "Monday", "Tuesday"),
    ("Ann", ANN, "18-20", ""),
    ("Bob", BOB, "", "9-11 am"),
)
"""Two rows of headings below a title that looks like one."""

GOOGLE = csv_of(
    (
        "Timestamp",
        "Email Address",
        "What is your name?",
        "Which time zone are you in?",
        "When are you free? [Monday]",
        "When are you free? [Tuesday]",
        "Which topics interest you?",
        "How many hours a week do you have?",
        "Would you lead the first meeting?",
    ),
    ("2018/02/07 3:48:34 PM EST", ANN, "Ann", "Europe/Berlin", "6 PM, 7 PM, 8 PM", "", "Drums, bongos, Jazz", "40+", "Yes"),
    ("2018/02/07 4:00:00 PM EST", BOB, "Bob", "Berlin", "6 PM", "7 PM", "Jazz", "1", "No"),
    ("2018/02/08 9:00:00 AM EST", "Bob@Example.org", "Bob", "Berlin", "8 PM", "7 PM", "Folk;Jazz", "9-10 hours", ""),
    ("2018/02/07 5:00:00 PM EST", CAI, "Cai\nLi", "Asia/Tokyo", "7 PM", "7 PM", "", "", ""),
)  # fmt: skip

_BUSY = "Check the times that you are BUSY and will be UNAVAILABLE for group work. [{}]"
GRUEPR = csv_of(
    (
        "Timestamp",
        "What is your first name (or the name you prefer to be called)?",
        "What is your last name?",
        "What is your email address?",
        _BUSY.format("Monday"),
        _BUSY.format("Tuesday"),
        "In which section are you enrolled?",
        "Please list name(s) of people you would like to have on your team",
        "Please list name(s) of people you would like to not have on your team",
    ),
    ("2027-01-02T10:00:00", "Ann", "Lee", ANN, "9 AM;10 AM", "", "1", "Bob Ray", "Cai Li"),
    ("2027-01-02T10:01:00", "Bob", "Ray", BOB, "9 AM;10 AM;11 AM;noon", "9 AM", "1", "", ""),
    ("2027-01-02T10:02:00", "Cai", "Li", CAI, "", "", "2", "", ""),
)

TYPEFORM = csv_of(
    ("#", "Jazz", "Folk", "Other", "What's your name?", "Your e-mail", "Your time zone", "When could you meet?",
     "Other", "Other", "Start Date (UTC)", "Submit Date (UTC)", "Network ID"),
    ("a1", "Jazz", "", "Dub", "Ann", ANN, "Europe/Berlin", "Mon-Fri 18:00–20:00", "", "", "2027-01-01 10:00:00", "2027-01-01 10:05:00", "x"),
    ("a2", "", "Folk", "", "Bob", BOB, "Europe/London", "Saturday morning", "", "", "2027-01-01 10:00:00", "2027-01-01 10:06:00", "y"),
    ("a3", "Jazz", "Folk", "", "Cai", CAI, "Asia/Tokyo", "Tue 6-9 pm; Thu 6-9 pm", "", "", "2027-01-01 10:00:00", "2027-01-01 10:07:00", "z"),
)  # fmt: skip

LIMESURVEY = csv_of(
    ("Response ID", "Date submitted", "Last page", "Start language", "Seed", "G01Q01. Your name", "G01Q02. Your e-mail",
     "G01Q03. Time zone", "G02Q01[SQ001]. When are you unavailable? [Monday 18:00-19:00]",
     "G02Q01[SQ002]. When are you unavailable? [Monday 19:00-20:00]", "G02Q02[SQ001]. Which topics interest you? [Jazz]",
     "G02Q02[SQ002]. Which topics interest you? [Drums, bongos]", "G02Q02[other]. Which topics interest you? [Other]"),
    ("1", "2027-01-01 10:00:00", "2", "en", "5", "Ann", ANN, "Europe/Berlin", "N", "Y", "Y", "N", ""),
    ("2", "2027-01-01 10:00:00", "2", "en", "6", "Bob", BOB, "Europe/Berlin", "Y", "N", "Y", "Y", "Dub"),
    ("3", "2027-01-01 10:00:00", "2", "en", "7", "Cai", CAI, "Europe/Berlin", "N", "N", "N", "N", ""),
    delimiter=";",
)  # fmt: skip

DOODLE = xlsx_of(
    ['Poll "First meeting"'],
    ["https://doodle.com/poll/abc"],
    [],
    [],
    ["", "Mon 11", "", "Tue 12"],
    ["", "6:00 PM – 7:00 PM", "7:00 PM – 8:00 PM", "6:00 PM – 7:00 PM"],
    ["Ann", "OK", "(OK)", ""],
    ["Bob", "", "OK", "OK"],
    ["Nobody Known", "OK", "", ""],
    ["Count", 2, 1, 1],
    merged=[(3, 1, 3, "January 2027")],
)

CANVAS_GRADEBOOK = csv_of(
    ("Student", "ID", "SIS User ID", "SIS Login ID", "Section", "Essay (11)"),
    ("    Points Possible", "", "", "", "", "10"),
    ("Lee, Ann", "1", "s1", ANN, "Section 1", "9"),
    ("Ray, Bob", "2", "s2", BOB, "Section 1", ""),
    ("Student, Test", "3", "", "7f3a", "Section 1", ""),
)
CANVAS_GROUPS = csv_of(
    (
        "name",
        "canvas_user_id",
        "user_id",
        "login_id",
        "sections",
        "group_name",
        "canvas_group_id",
        "group_id",
    ),
    ("Ann Lee", "1", "s1", ANN, "Section 1", "", "", ""),
    ("Bob Ray", "2", "s2", BOB, "Section 1", "", "", ""),
)
MOODLE = csv_of(
    ("First name", "Surname", "Email address", "Groups"),
    ("Ann", "Lee", ANN, ""),
    ("Bob", "Ray", BOB, "A, B"),
)
MOODLE_UPLOAD = csv_of(
    ("username", "firstname", "lastname", "email", "course1", "group1"),
    ("ann", "Ann", "Lee", ANN, "music", ""),
    ("bob", "Bob", "Ray", BOB, "music", ""),
)
CATME = csv_of(
    ("ID", "FIRST", "Last", "Email", "Team", "Section"),
    ("1", "Ann", "Lee", ANN, "", "1"),
    ("2", "Bob", "Ray", BOB, "", "1"),
)
QUALTRICS = csv_of(
    ("RecordedDate", "Q1", "Q2", "Q3", "Q4"),
    ("Recorded Date", "Your name", "Your e-mail", "Your time zone", "When are you free?"),
    ('{"ImportId":"recordedDate"}', '{"ImportId":"QID1"}', '{"ImportId":"QID2"}', '{"ImportId":"QID3"}', '{"ImportId":"QID4"}'),
    ("2027-01-02 10:00:00", "Ann", ANN, "UTC", "Mon 18:00-20:00"),
    ("2027-01-02 10:00:00", "Bob", BOB, "UTC", "Mon 18:00-20:00"),
)  # fmt: skip
NATIVE = csv_of(
    ("Email", "Time zone", "availability", "name"),
    (ANN, "UTC", "Mon 18:00-20:00", "Ann"),
    (BOB, "UTC", "Mon 18:00-20:00", "Bob"),
)

"""Files of any number of sign-ups, each written as one tool writes it: ``KINDS[name].make(path, people)``.

``people`` are ``Answers``, such as ``cohorts.sample.people(300, 5)``. ``tells`` has the answers that such a
file has something about: those arrive as they were, of the others nothing does. Files without an address,
or without a zone or hours, need what ``lacks`` says: people who are signed up, or a zone and hours for all.
A course that lists ``sample.interests_of(people)`` as its interests has options for the columns of options.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cohorts import availability, native, sample
from cohorts.answers import Answers
from cohorts.questions import Experience
from cohorts.week import WEEKDAYS
from tests.tool_files import csv_of, xlsx_of

People = Sequence[Answers]
Row = Sequence[object]

_WHO: Final = frozenset(("name", "email"))
_WHEN: Final = frozenset(("time_zone", "availability"))
_LIKES: Final = frozenset(("interests", "languages", "experience", "hours_per_week", "convenor"))
_HELP: Final = frozenset(("can_help_with", "wants_help_with"))
_WISHES: Final = frozenset(("works_with", "avoids"))
SURVEY: Final = _WHO | _WHEN | _LIKES | _HELP | _WISHES | {"goal"}


@dataclass(frozen=True)
class Kind:
    """A kind of file.

    Attributes:
        make: Call with a path and with people, to write them.
        suffix: How the name of such a file ends.
        tells: Answers that it has something about.
        dialect: What the wizard calls the tool.
        lacks: What the wizard must be told or know before anybody new can be signed up.
    """

    make: Callable[[Path, People], None]
    suffix: str
    tells: frozenset[str]
    dialect: str

    @property
    def lacks(self) -> frozenset[str]:
        return frozenset(("email", "time_zone", "availability")) - self.tells


# What stands in cells


def _clock(half: int) -> str:
    """Return an hour as forms of the United States have it: ``6:30 PM``."""
    hour, minute = divmod(half % 48 * 30, 60)
    return f"{(hour - 1) % 12 + 1}:{minute:02d} {'AM' if hour < 12 else 'PM'}"


def _on(day: int, person: Answers, *, busy: bool = False) -> list[str]:
    """Return the half hours of a day in which somebody is free, or is not."""
    return [_clock(half) for half in range(48) if ((day * 48 + half) in person.availability) is not busy]


def _said(level: Experience | None) -> str:
    return {None: "", "beginner": "Beginner", "intermediate": "Some experience", "advanced": "Advanced"}[
        level
    ]


def _hours(person: Answers) -> str:
    return "" if person.hours_per_week is None else f"{person.hours_per_week:g} hours"


def _called(people: People) -> Callable[[Iterable[str]], str]:
    """Return what writes people as others call them: by a name, or by the address if several have it."""
    times = Counter(person.name for person in people)
    names = {person.email: person.name for person in people if times[person.name] == 1}
    return lambda emails: "; ".join(names.get(email, email) for email in emails)


def _parts(name: str) -> tuple[str, str]:
    first, _space, last = name.partition(" ")
    return first, last


def _save(path: Path, *rows: Sequence[str], delimiter: str = ",", encoding: str = "utf-8") -> None:
    path.write_bytes(csv_of(*rows, delimiter=delimiter).encode(encoding))


def _save_sheet(path: Path, rows: Iterable[Row], merged: Sequence[tuple[int, int, int, str]] = ()) -> None:
    path.write_bytes(xlsx_of(*rows, merged=merged, name="Poll"))


# The tools


def native_csv(path: Path, people: People) -> None:
    """Write the columns of this site."""
    path.write_text(native.write(people), encoding="utf-8")


def native_xlsx(path: Path, people: People) -> None:
    """Write the columns of this site as a workbook."""
    _save_sheet(path, csv.reader(io.StringIO(native.write(people))))


def google(path: Path, people: People) -> None:
    """Write answers to a form of Google: a grid of days, options in one cell, a byte order mark."""
    head = (
        "Timestamp",
        "Email Address",
        "What should we call you?\n(Your name)",
        "Which time zone are you in?",
        *(f"When are you free? [{day}]" for day in WEEKDAYS),
        "Which topics interest you?",
        "Which languages do you speak?",
        "How experienced are you? (Experience)",
        "How many hours a week do you have?",
        "What do you hope to get out of this?",
        "What could you help others with?",
        "What do you need help with?",
        "Would you get the first meeting going?",
        "Who would you like to be with?",
        "Is there anybody you would rather not be with?",
    )
    called = _called(people)
    rows = (
        (
            f"2026/11/{day + 1:02d} 3:{at:02d}:34 PM EST",
            each.email.upper() if at % 7 == 0 else each.email,
            each.name,
            each.time_zone,
            *(", ".join(_on(day, each)) for day in range(7)),
            ", ".join(each.interests),
            ", ".join(each.languages),
            _said(each.experience),
            _hours(each),
            each.goal,
            ", ".join(each.can_help_with),
            ", ".join(each.wants_help_with),
            "Yes" if each.convenor else "No",
            called(each.works_with),
            called(each.avoids),
        )
        for place, each in enumerate(people)
        for day, at in [divmod(place % 1500, 60)]
    )
    _save(path, head, *rows, encoding="utf-8-sig")


def typeform(path: Path, people: People) -> None:
    """Write answers as Typeform does: a column for each option, whose cells repeat it, and ``Other``."""
    options = sample.interests_of(people)
    head = (
        "#",
        "Hi! What's your *name*?",
        "And your e-mail?",
        "Which time zone do you live in?",
        *options,
        "Other",
        "When could you meet?",
        "Which languages do you speak?",
        "How experienced are you?",
        "How many hours a week have you got?",
        "What's your goal?",
        "What can you help others with?",
        "What do you want help with?",
        "Would you host the first meeting?",
        "Who would you like to be with?",
        "Who would you rather avoid?",
        "Start Date (UTC)",
        "Submit Date (UTC)",
        "Network ID",
    )
    called = _called(people)
    rows = (
        (
            f"{place:032x}",
            each.name,
            each.email,
            each.time_zone.replace("_", " "),
            *(option if option in each.interests else "" for option in options),
            ";".join(other for other in each.interests if other not in options),
            availability.write(each.availability).replace("-", "–").replace("; ", ", "),
            ", ".join(each.languages),
            _said(each.experience),
            _hours(each),
            each.goal,
            ", ".join(each.can_help_with),
            ", ".join(each.wants_help_with),
            str(int(each.convenor)),
            called(each.works_with),
            called(each.avoids),
            "2026-11-01 10:00:00",
            f"2026-11-01 10:{place // 60 % 60:02d}:{place % 60:02d}",
            "a0b1c2",
        )
        for place, each in enumerate(people)
    )
    _save(path, head, *rows)


def _limesurvey(path: Path, people: People, yes: str, no: str, nothing: str) -> None:
    options = sample.interests_of(people)
    half_hours = [(day, half) for day in range(7) for half in range(48)]
    free = (
        f"G02Q01[SQ{at:03d}]. When are you available? [{WEEKDAYS[day]} {half // 2:02d}:{half % 2 * 30:02d}-"
        f"{(half + 1) // 2:02d}:{(half + 1) % 2 * 30:02d}]"
        for at, (day, half) in enumerate(half_hours, start=1)
    )
    head = (
        "Response ID",
        "Date submitted",
        "Last page",
        "Start language",
        "Seed",
        "G01Q01. Your name",
        "G01Q02. Your e-mail",
        "G01Q03. Time zone",
        *free,
        *(f"G02Q02[SQ{at:03d}]. Which topics interest you? [{each}]" for at, each in enumerate(options, 1)),
        "G02Q02[other]. Which topics interest you? [Other]",
        "G01Q04. Which languages do you speak?",
        "G01Q05. How experienced are you?",
        "G01Q06. Hours a week",
        "G01Q07. What is your goal?",
        "G03Q01. What can you help others with?",
        "G03Q02. What do you want help with?",
        "G03Q03. Would you host the first meeting?",
        "G03Q04. Who would you like to be with?",
        "G03Q05. Who would you rather avoid?",
    )
    called = _called(people)
    rows = (
        (
            str(place),
            f"2026-11-01 10:{place // 60 % 60:02d}:{place % 60:02d}",
            "3",
            "en",
            "17",
            each.name,
            each.email,
            each.time_zone,
            *(yes if day * 48 + half in each.availability else no for day, half in half_hours),
            *(yes if option in each.interests else no for option in options),
            "; ".join(other for other in each.interests if other not in options),
            "; ".join(each.languages),
            _said(each.experience) or nothing,
            f"{each.hours_per_week or 0:.10f}" if each.hours_per_week else "",
            each.goal,
            "; ".join(each.can_help_with),
            "; ".join(each.wants_help_with),
            yes if each.convenor else no,
            called(each.works_with),
            called(each.avoids),
        )
        for place, each in enumerate(people, start=1)
    )
    _save(path, head, *rows, delimiter=";", encoding="utf-8-sig")


def limesurvey(path: Path, people: People) -> None:
    """Write answers as LimeSurvey does with full answers: ``Yes`` and ``No`` below every option."""
    _limesurvey(path, people, "Yes", "No", "N/A")


def limesurvey_codes(path: Path, people: People) -> None:
    """Write answers as LimeSurvey does with codes of answers: ``Y`` and ``N``."""
    _limesurvey(path, people, "Y", "N", "")


def gruepr(path: Path, people: People) -> None:
    """Write answers as the form has them that gruepr makes: when somebody is busy."""
    busy = "Check the times that you are BUSY and will be UNAVAILABLE for group work. [{}]"
    head = (
        "Timestamp",
        "What is your first name (or the name you prefer to be called)?",
        "What is your last name?",
        "What is your email address?",
        "What time zone will you be based in during this class?",
        *(busy.format(day) for day in WEEKDAYS),
        "In which section are you enrolled?",
        "Please list name(s) of people you would like to have on your team",
        "Please list name(s) of people you would like to not have on your team",
    )
    called = _called(people)
    rows = (
        (
            f"2026-11-01T10:{place // 60 % 60:02d}:{place % 60:02d}",
            *_parts(each.name),
            each.email,
            each.time_zone,
            *(";".join(_on(day, each, busy=True)) for day in range(7)),
            "1",
            called(each.works_with),
            called(each.avoids),
        )
        for place, each in enumerate(people)
    )
    _save(path, head, *rows)


def qualtrics(path: Path, people: People) -> None:
    """Write answers as Qualtrics does: three rows of headings."""
    asked = {
        "RecordedDate": "Recorded Date",
        "Q1": "Your name",
        "Q2": "Your e-mail",
        "Q3": "Your time zone",
        "Q4": "When are you free?",
        "Q5": "Which topics interest you?",
    }
    ids = (f'{{"ImportId":"QID{place}"}}' for place in range(len(asked)))
    rows = (
        (
            "2026-11-01 10:00:00",
            each.name,
            each.email,
            each.time_zone,
            availability.write(each.availability),
            ",".join(each.interests),
        )
        for each in people
    )
    _save(path, list(asked), list(asked.values()), list(ids), *rows)


def doodle(path: Path, people: People) -> None:
    """Write a poll of Doodle for half hours of one week: months, days and hours over names and ``OK``.

    Whoever shares a name writes the address behind it.
    """
    times = Counter(person.name for person in people)
    half_hours = [(day, half) for day in range(7) for half in range(48)]
    days = ["", *(f"{WEEKDAYS[day][:3]} {day + 11}" if half == 0 else "" for day, half in half_hours)]
    hours = ["", *(f"{_clock(half)} – {_clock(half + 1)}" for _day, half in half_hours)]
    rows: list[Row] = [['Poll "When can you meet?"'], ["https://doodle.com/poll/abc"], [], [], days, hours]
    rows += (
        (
            each.name if times[each.name] == 1 else f"{each.name} <{each.email}>",
            *(
                "OK"
                if day * 48 + half in each.availability
                else "(OK)"
                if day * 48 + half in each.if_needed
                else ""
                for day, half in half_hours
            ),
        )
        for each in people
    )
    rows.append(
        ["Count", *(sum(day * 48 + half in each.availability for each in people) for day, half in half_hours)]
    )
    _save_sheet(path, rows, [(3, 1, 336, "January 2027")])


def canvas_gradebook(path: Path, people: People) -> None:
    """Write the gradebook of Canvas: the last name first, and rows that are no students."""
    rows = (
        (", ".join(reversed(_parts(each.name))), str(place), f"s{place}", each.email, "Section 1", "9")
        for place, each in enumerate(people)
    )
    _save(
        path,
        ("Student", "ID", "SIS User ID", "SIS Login ID", "Section", "Essay (11)"),
        ("    Points Possible", "", "", "", "", "10"),
        *rows,
        ("Student, Test", "999", "", "7f3a", "Section 1", ""),
        encoding="utf-8-sig",
    )


def canvas_people(path: Path, people: People) -> None:
    """Write the list of people that Canvas gives for its groups."""
    head = (
        "name",
        "canvas_user_id",
        "user_id",
        "login_id",
        "sections",
        "group_name",
        "canvas_group_id",
        "group_id",
    )
    rows = (
        (each.name, str(place), f"s{place}", each.email, "Section 1", "", "", "")
        for place, each in enumerate(people)
    )
    _save(path, head, *rows)


def moodle(path: Path, people: People) -> None:
    """Write the list of participants of Moodle."""
    _save(
        path,
        ("First name", "Last name", "Email address", "Groups"),
        *((*_parts(each.name), each.email, "") for each in people),
    )


def moodle_upload(path: Path, people: People) -> None:
    """Write a file to upload users to Moodle."""
    rows = ((f"u{place}", *_parts(each.name), each.email, "music", "") for place, each in enumerate(people))
    _save(path, ("username", "firstname", "lastname", "email", "course1", "group1"), *rows)


def catme(path: Path, people: People) -> None:
    """Write a list of students as CATME takes and gives it."""
    rows = ((str(place), *_parts(each.name), each.email, "", "1") for place, each in enumerate(people))
    _save(path, ("ID", "First", "Last", "Email", "Team", "Section"), *rows)


def catme_survey(path: Path, people: People) -> None:
    """Write answers to a survey of CATME: a column for each half hour in which somebody may be busy."""
    half_hours = [(day, half) for day in range(7) for half in range(48)]
    head = ("First", "Last", "Email", "ID", "Section")
    hours = (f"Schedule: {'MTWRFSU'[day]} {_clock(half)}" for day, half in half_hours)
    rows = (
        (
            *(*_parts(each.name), each.email, str(place), "1"),
            *("0" if day * 48 + half in each.availability else "1" for day, half in half_hours),
        )
        for place, each in enumerate(people)
    )
    _save(path, (*head, *hours), *rows)


KINDS: Final = {
    "native": Kind(native_csv, ".csv", SURVEY | {"if_needed"}, "The columns of this site"),
    "native workbook": Kind(native_xlsx, ".xlsx", SURVEY | {"if_needed"}, "The columns of this site"),
    "google": Kind(google, ".csv", SURVEY, "Google Forms"),
    "typeform": Kind(typeform, ".csv", SURVEY, "Typeform"),
    "limesurvey": Kind(limesurvey, ".csv", SURVEY, "LimeSurvey"),
    "limesurvey codes": Kind(limesurvey_codes, ".csv", SURVEY, "LimeSurvey"),
    "gruepr": Kind(gruepr, ".csv", _WHO | _WHEN | _WISHES, "gruepr"),
    "qualtrics": Kind(qualtrics, ".csv", _WHO | _WHEN | {"interests"}, "Qualtrics"),
    "doodle": Kind(doodle, ".xlsx", frozenset(("name", "availability", "if_needed")), "Doodle"),
    "canvas gradebook": Kind(canvas_gradebook, ".csv", _WHO, "Canvas"),
    "canvas people": Kind(canvas_people, ".csv", _WHO, "Canvas"),
    "moodle": Kind(moodle, ".csv", _WHO, "Moodle"),
    "moodle upload": Kind(moodle_upload, ".csv", _WHO, "Moodle"),
    "catme": Kind(catme, ".csv", _WHO, "CATME"),
    "catme survey": Kind(catme_survey, ".csv", _WHO | {"availability"}, "CATME"),
}
"""Every kind of file that the wizard recognises."""

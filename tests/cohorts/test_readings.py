"""Files of other tools: what is recognised, what each cell becomes, and that nothing is lost silently."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cohorts import availability, native, readings, sample, sheets
from cohorts.answers import Answers
from cohorts.headings import BUSY, FIRST, IGNORED, LAST, SENT, is_known
from cohorts.native import File
from cohorts.readings import layout_of
from cohorts.recipes import Known, Recipe, Repeated, guess
from cohorts.samples import samples
from tests import tool_files as made
from tests.questions import EXAMPLES
from tests.tool_files import ANN, BOB, CAI, csv_of, xlsx_of

KNOWN = Known(interests=("Jazz", "Folk", "Drums, bongos"), called={"ann": ANN, "bob": BOB})


def read(content: str | bytes, known: Known = KNOWN, **changed: object) -> File:
    layout = layout_of(content.encode() if isinstance(content, str) else content)
    return readings.read(layout, replace(guess(layout, known), **changed), known)  # type: ignore[arg-type]


def people(file: File) -> dict[str, Answers]:
    return {entry.answers.email: entry.answers for entry in file.entries if entry.answers}


def problems(file: File) -> list[tuple[int, str, str, str]]:
    """Return each problem: its row, the heading, what was found, and the beginning of what to do."""
    return [(e.line, p.heading, p.found, p.message[:40]) for e in file.entries for p in e.problems]


def hours(found: Answers) -> str:
    return availability.write(found.availability)


@pytest.mark.parametrize(
    ("content", "dialect", "emails"),
    [
        (made.NATIVE, "native", [ANN, BOB]),
        (made.GOOGLE, "google", [ANN, CAI, BOB]),
        (made.GRUEPR, "gruepr", [ANN, BOB, CAI]),
        (made.TYPEFORM, "typeform", [ANN, BOB, CAI]),
        (made.LIMESURVEY, "limesurvey", [ANN, BOB, CAI]),
        (made.DOODLE, "doodle", [ANN, BOB, ""]),
        (made.CANVAS_GRADEBOOK, "canvas", [ANN, BOB]),
        (made.CANVAS_GROUPS, "canvas", [ANN, BOB]),
        (made.MOODLE, "moodle", [ANN, BOB]),
        (made.MOODLE_UPLOAD, "moodle", [ANN, BOB]),
        (made.CATME, "catme", [ANN, BOB]),
        (made.QUALTRICS, "qualtrics", [ANN, BOB]),
        ("Who,Mail address,E-mail,Free\nAnn,,ann@example.org,Mon 18-20\n", "plain", [ANN]),
    ],
)
def test_dialect_is_recognised(content: str | bytes, dialect: str, emails: list[str]) -> None:
    raw = content.encode() if isinstance(content, str) else content
    assert layout_of(raw).dialect == dialect
    assert sorted(people(read(raw))) == sorted(emails)


def test_google_forms() -> None:
    file = read(made.GOOGLE)
    found = people(file)
    assert problems(file) == []
    assert hours(found[ANN]) == "Mon 18:00-21:00"
    assert hours(found[BOB]) == "Mon 20:00-21:00; Tue 19:00-20:00"
    assert found[ANN].interests == ("Drums, bongos", "Jazz")
    assert (found[BOB].interests, found[BOB].time_zone) == (("Folk", "Jazz"), "Europe/Berlin")
    assert (found[ANN].hours_per_week, found[BOB].hours_per_week) == (40.0, 9.5)
    assert (found[ANN].convenor, found[CAI].name) == (True, "Cai Li")
    assert [(each.line, each.kept, each.email) for each in file.superseded] == [(3, 4, BOB)]
    assert file.columns == (
        "name", "email", "time_zone", "availability", "interests", "hours_per_week", "convenor",
    )  # fmt: skip


def test_gruepr_busy_grid_is_turned_round_and_names_become_addresses() -> None:
    file = read(made.GRUEPR, zone="America/New_York")
    found = people(file)
    assert hours(found[ANN]) == "Mon 11:00-13:00; Tue 09:00-13:00"
    assert hours(found[BOB]) == "Tue 10:00-13:00"
    assert hours(found[CAI]) == "Mon 09:00-13:00; Tue 09:00-13:00"
    assert (found[ANN].works_with, found[ANN].avoids, found[ANN].name) == ((BOB,), (CAI,), "Ann Lee")
    assert [entry.notes[0][:26] for entry in file.entries if entry.notes] == ["No hour is marked as busy,"]


def test_busy_grid_counts_from_the_hours_that_were_asked_about() -> None:
    found = people(read(made.GRUEPR, zone="UTC", asked="08:00-15:00"))
    assert hours(found[BOB]) == "Mon 08:00-09:00; Mon 13:00-15:00; Tue 08:00-09:00; Tue 10:00-15:00"


@pytest.mark.parametrize(
    ("heading", "target"),
    [
        ("Times you are available [Monday]", "availability"),
        ("Times you are UNAVAILABLE [Monday]", BUSY),
        ("Times you're not available [Monday]", BUSY),
        ("Times you can’t meet [Monday]", BUSY),
        ("When are you busy? [Monday]", BUSY),
        ("When are you free? [Monday]", "availability"),
        ("¿Cuándo no disponible? [lunes]", BUSY),
        ("Monday", "availability"),
    ],
)
def test_polarity_of_a_grid(heading: str, target: str) -> None:
    assert guess(layout_of(f"E-mail,{heading}\na@example.org,9am\n".encode())).targets == ("email", target)


def test_typeform_options_have_columns_and_four_are_called_other() -> None:
    file = read(made.TYPEFORM)
    found = people(file)
    assert found[ANN].interests == ("Jazz", "Dub")
    assert [found[each].interests for each in (BOB, CAI)] == [("Folk",), ("Jazz", "Folk")]
    assert hours(found[BOB]) == "Sat 08:00-12:00"
    assert hours(found[CAI]) == "Tue 18:00-21:00; Thu 18:00-21:00"
    assert hours(found[ANN]).count("18:00-20:00") == 5
    assert problems(file) == []


def test_limesurvey_says_yes_and_no_and_busy_for_each_hour() -> None:
    found = people(read(made.LIMESURVEY))
    assert hours(found[ANN]) == "Mon 18:00-19:00"
    assert hours(found[BOB]) == "Mon 19:00-20:00"
    assert hours(found[CAI]) == "Mon 18:00-20:00"
    assert found[BOB].interests == ("Jazz", "Drums, bongos", "Dub")
    assert found[CAI].interests == ()


def test_doodle_has_three_rows_of_headings_three_states_and_a_footer() -> None:
    file = read(made.DOODLE, zone="UTC")
    ann, bob, nobody = (entry.answers for entry in file.entries if entry.answers)
    assert (hours(ann), availability.write(ann.if_needed)) == ("Mon 18:00-19:00", "Mon 19:00-20:00")
    assert hours(bob) == "Mon 19:00-20:00; Tue 18:00-19:00"
    assert (ann.email, bob.email, nobody.email) == (ANN, BOB, "")
    assert problems(file) == [(9, "", "", "No e-mail address, and nobody called Nob")]
    assert file.notes == ("Row 10 is no sign-up. It counts or sums up the rows above.",)
    assert file.columns == ("name", "availability", "if_needed")


def test_name_that_several_have_is_not_guessed_at() -> None:
    file = read(made.DOODLE, replace(KNOWN, called={"ann": "", "bob": BOB}))
    assert problems(file)[0] == (7, "", "", "More than one is called Ann. Write the e")


def test_canvas_gradebook_has_rows_that_are_no_students() -> None:
    file = read(made.CANVAS_GRADEBOOK, zone="UTC", hours="Mon-Tue 18:00-19:00")
    assert [(entry.line, entry.answers.name) for entry in file.entries if entry.answers] == [
        (3, "Ann Lee"),
        (4, "Bob Ray"),
    ]
    assert [note[:6] for note in file.notes] == ["Row 2 ", "Row 5 "]
    assert hours(people(file)[ANN]) == "Mon 18:00-19:00; Tue 18:00-19:00"
    assert file.columns == ("name", "email")


def test_moodle_upload_has_the_address_in_email_not_in_username() -> None:
    assert guess(layout_of(made.MOODLE_UPLOAD.encode())).targets == (
        IGNORED, FIRST, LAST, "email", IGNORED, IGNORED,
    )  # fmt: skip


@pytest.mark.parametrize("rule", [Repeated.LATEST, Repeated.FIRST, Repeated.REFUSE])
def test_answers_of_one_person_by_rule(rule: Repeated) -> None:
    """The later row was sent earlier, so the moment decides and not the order."""
    rows = (
        ("Timestamp", "E-mail", "Goal"),
        ("13/2/2027 10:00:00", ANN, "newer"),
        ("12/2/2027 11:00:00", ANN, "older"),
    )
    file = read(csv_of(*rows), repeated=rule)
    goals = [entry.answers.goal for entry in file.entries if entry.answers]
    assert goals == {"latest": ["newer"], "first": ["older"], "refuse": ["newer", "older"]}[rule]
    refused = [(3, "E-mail", ANN, f"{ANN} is in row 2 already. Leave out one of them."[:40])]
    assert problems(file) == (refused if rule is Repeated.REFUSE else [])
    assert len(file.superseded) == (rule != "refuse")


@pytest.mark.parametrize(
    ("heading", "cell", "wrong"),
    [
        (
            "How many hours a week?",
            "Just learning HTML. Not sure…",
            "'Just learning HTML. Not sure…' is not a",
        ),
        ("Time zone", "UTC+2", "'UTC+2' says nothing of summer time. Wri"),
        ("Free times [Monday]", "sometimes", "'sometimes' is not an hour. Write hours "),
        ("Free times [9 am]", "sometimes", "'sometimes' names no day. Write days suc"),
        ("Free times [Monday 9 am]", "sometimes", "'sometimes' is neither free nor busy. Wr"),
        ("When are you free?", "whenever", "'whenever' is not a day and hours. Write"),
        ("Experience", "it depends", "'it depends' is not one of: beginner, in"),
        ("Would you lead a meeting?", "depends", "'depends' is neither yes nor no."),
    ],
)
def test_cell_that_is_not_understood_is_named_with_row_column_and_content(
    heading: str, cell: str, wrong: str
) -> None:
    content = csv_of(("E-mail", heading), (BOB, ""), (), (ANN, cell))
    assert problems(read(content)) == [(4, heading, cell, wrong)]


def test_answer_that_may_be_left_out_is_left_out_when_told() -> None:
    content = csv_of(("E-mail", "Time zone", "Hours a week"), (ANN, "UTC+2", "not sure"))
    file = read(content, lenient=True)
    assert [each[1] for each in problems(file)] == ["Time zone"]
    assert file.entries[0].notes == ("“not sure” below Hours a week is left out.",)


@pytest.mark.parametrize(
    ("encoding", "end"),
    [("utf-8", "\r"), ("utf-8-sig", "\r\n"), ("utf-16", "\n"), ("cp1252", "\r\n")],
)
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_letters_line_ends_and_delimiters(encoding: str, end: str, delimiter: str) -> None:
    rows = (("E-mail", "Your name", "Free on [Monday]"), (ANN, "Änne – “Ä”", "9–11am; 1 pm, 2 pm"))
    file = read(csv_of(*rows, delimiter=delimiter, end=end).encode(encoding))
    assert people(file)[ANN].name == "Änne – “Ä”"
    assert hours(people(file)[ANN]) == "Mon 09:00-11:00; Mon 13:00-15:00"


def test_workbook_has_numbers_days_and_a_title_over_merged_headings() -> None:
    rows = (
        ("Music course, spring",),
        ("About you", "", "When are you free?"),
        ("Name", "E-mail", "Monday", "Tuesday", "Hours a week"),
        (),
        ("Ann", ANN, "18:00-19:00", 18, 7.5),
    )
    file = read(xlsx_of(*rows, merged=[(1, 2, 3, "When are you free?")]))
    assert [(entry.line, hours(entry.answers)) for entry in file.entries if entry.answers] == [
        (5, "Mon 18:00-19:00; Tue 18:00-19:00")
    ]
    assert people(file)[ANN].hours_per_week == 7.5


def test_repeated_headings_are_no_trouble_and_rows_that_are_too_long_are() -> None:
    file = read("E-mail,Other,Other,Other,Other\nann@example.org,a,b,c,d\nbob@example.org,a,b,c,d,stray\n")
    assert file.unknown == ("Other", "Other", "Other", "Other")
    assert problems(file) == [(3, "", "stray", "This row has more cells than the header.")]


def test_native_columns_of_which_one_is_there_twice_are_chosen_by_hand() -> None:
    content = "email,time_zone,availability,goal,Goal\nann@example.org,UTC,Mon 18-20,one,two\n"
    assert layout_of(content.encode()).dialect == "plain"
    assert people(read(content))[ANN].goal == "one\ntwo"


def test_sheet_without_headings_is_read_from_the_first_row() -> None:
    layout = layout_of(b"ann@example.org\tAnn\nbob@example.org\tBob\n")
    assert [heading.text for heading in layout.headings] == ["Column A", "Column B"]
    file = readings.read(layout, Recipe(("email", "name")), KNOWN)
    assert [entry.line for entry in file.entries] == [1, 2]


def test_apostrophe_before_what_looks_like_a_formula_is_taken_off() -> None:
    found = people(read(csv_of(("E-mail", "Goal", "Name"), (ANN, "'=1+1", "'@Ann"))))
    assert (found[ANN].goal, found[ANN].name) == ("=1+1", "@Ann")


HEADINGS = st.sampled_from(
    [
        "Timestamp", "E-mail", "Name", "First name", "Last name", "Student", "ID", "Section",
        "Time zone", "Other", "Free? [Monday]", "Busy? [Mon 9-10]", "Busy? [9 am]", "When are you free?",
        "If needed", "Hours a week", "Interests", "Experience", "Lead a meeting?", "Work with", "Avoid",
        "Goal", "Jazz", "What do you play?", "How do you like these? [Jazz]", "#", "Network ID",
        "Will your camera be on?", "", "Count", "role",
    ]
)  # fmt: skip
CELL = st.one_of(
    st.sampled_from(
        [
            "", "a@example.org", "b@example.org", "Ann", "Lee, Ann", "9am", "9-10;noon", "Mon 18-20",
            "99:99", "(OK)", "x", "OK", "no", "UTC", "UTC+2", "EST", "40+", "2027-01-02",
            "31/12/2027 9:00", "00/00/0000", "9999999999999", "Jazz, Drums, bongos", "=1+1", "-",
            "\u202e", "1e999", "nan", "Count", "[", "(9", "a@", "7 - much", "12 am",
        ]
    ),
    st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), max_size=20),
)  # fmt: skip


@given(
    st.lists(HEADINGS, min_size=2, max_size=9), st.lists(st.lists(CELL, min_size=2, max_size=9), max_size=6)
)
def test_whatever_stands_in_a_file_no_row_is_lost_and_nothing_breaks(
    headings: list[str], rows: list[list[str]]
) -> None:
    content = csv_of(headings, *rows).encode()
    try:
        layout = layout_of(content)
    except readings.MalformedFile:
        return
    known = replace(OWN, interests=KNOWN.interests, called=KNOWN.called)
    for rule in Repeated:
        recipe = replace(guess(layout, known), repeated=rule, asked="8-20", hours="Mon 18:00-20:00")
        file = readings.read(layout, recipe, known)
        seen = [entry.line for entry in file.entries] + [each.line for each in file.superseded]
        assert sorted(seen) == [line.number for line in layout.body]
    left = {number for number, _why in layout.left_out} | {line.number for line in layout.head}
    every = {line.number for line in sheets.read(content, is_known).lines}
    assert every == left | {line.number for line in layout.body}
    reader = readings.Reader(layout, guess(layout, known), known)
    for column in range(len(layout.headings)):
        assert all(each.found for each in samples(reader, column))


# ---- Questions of a course's own ----

OWN = Known(questions=tuple(example.question for example in EXAMPLES.values()))


def test_questions_of_a_courses_own_are_found_by_key_and_by_label() -> None:
    for by in ("key", "label"):
        head = ("E-mail", *(getattr(question, by) for question in OWN.questions))
        layout = layout_of(csv_of(head, (ANN, *(each.cell for each in EXAMPLES.values()))).encode())
        assert guess(layout, OWN).targets == ("email", *(question.key for question in OWN.questions))
        (entry,) = readings.read(layout, guess(layout, OWN), OWN).entries
        assert entry.problems == ()
        assert entry.answers is not None
        assert entry.answers.custom == {each.question.key: each.kept for each in EXAMPLES.values()}


def test_questions_of_a_courses_own_as_other_tools_write_their_answers() -> None:
    cells = {
        "What do you play?": "Drums, bongos, piano, Kazoo",
        "Will your camera be on?": "Yes, always",
        "How do you start something new?": "7 - I try at once",
        "How do you like these? [Jazz]": "5",
        "How do you like these? [Rock: heavy]": "",
        "How do you like these? [Folk]": "1 (not at all)",
    }
    layout = layout_of(csv_of(("E-mail", *cells), (ANN, *cells.values())).encode())
    (entry,) = readings.read(layout, guess(layout, OWN), OWN).entries
    assert entry.problems == ()
    assert entry.answers is not None
    assert entry.answers.custom == {
        "instruments": ["Drums, bongos", "Piano", "Kazoo"],
        "camera": True,
        "start_new": 7,
        "taste": {"Jazz": 5, "Folk": 1},
    }


# ---- The native columns ----


@given(st.integers(1, 30), st.integers(0, 10_000), st.randoms(use_true_random=False))
def test_native_export_reads_back_the_same_in_any_order_of_columns(
    n: int, seed: int, shuffled: random.Random
) -> None:
    given_ = sample.people(n, seed)
    rows = [list(line.cells) for line in sheets.read(native.write(given_).encode()).lines]
    width = len(rows[0])
    order = shuffled.sample(range(width), width)
    content = csv_of(*([(row + [""] * width)[place] for place in order] for row in rows))
    assert list(people(read(content)).values()) == given_
    assert list(people(readings.read_any(content.encode())).values()) == given_


def test_native_columns_are_read_the_same_from_a_workbook() -> None:
    given_ = sample.people(12, 3)
    lines = sheets.read(native.write(given_).encode()).lines
    content = xlsx_of(*(line.cells for line in lines))
    assert list(people(readings.read_any(content)).values()) == given_


def test_columns_of_a_native_file_can_be_changed_by_hand() -> None:
    layout = layout_of(made.NATIVE.encode())
    recipe = replace(guess(layout), targets=("email", "time_zone", BUSY, "goal"), asked="17:00-21:00")
    found = people(readings.read(layout, recipe))[ANN]
    assert found.goal == "Ann"
    assert hours(found).startswith("Mon 17:00-18:00; Mon 20:00-21:00; Tue 17:00-21:00")


def test_command_line_reads_what_is_enough_and_refuses_the_rest() -> None:
    assert list(people(readings.read_any(made.GOOGLE.encode()))) == [ANN, BOB, CAI]
    with pytest.raises(readings.MalformedFile, match="has no column time_zone, availability"):
        readings.read_any(made.MOODLE.encode().replace(b"Email address", b"email"))


def test_guess_finds_each_single_answer_once() -> None:
    layout = layout_of(
        b"Timestamp,E-mail,Your e-mail again,Submitted\n2027-01-01,a@example.org,a@example.org,x\n"
    )
    assert guess(layout).targets == (SENT, "email", IGNORED, IGNORED)

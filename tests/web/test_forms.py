"""The sign-up form: how what was posted becomes answers."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.datastructures import MultiDict
from wtforms import Form

from cohorts.models import Course, CourseQuestion
from cohorts.questions import QUESTIONS, Experience
from web.forms import HoursField, PeopleField, SignUpForm, SlotsField, TagsField

POSTED = MultiDict(
    [
        ("name", " Ada  Lovelace "),
        ("email", "ADA@example.org"),
        ("time_zone", "Europe/London"),
        ("availability", "36"),
        ("availability", "37"),
        ("if_needed", "37"),
        ("if_needed", "38"),
        ("languages", "English"),
        ("languages", "Polish, Welsh"),
        ("interests", "Art, music and film"),
        ("interests", "Chess\r\nGo, Knitting"),
        ("experience", "beginner"),
        ("hours_per_week", "2,5"),
        ("goal", "Win."),
        ("can_help_with", "maths"),
        ("wants_help_with", ""),
        ("works_with", "bob@example.org eve@example.org"),
        ("avoids", ""),
        ("convenor", "y"),
    ]
)


@pytest.fixture
def request_context() -> Iterator[None]:
    app = Flask(__name__)
    app.config.update(SECRET_KEY="a secret key", WTF_CSRF_ENABLED=False)
    with app.test_request_context():
        yield


def course_asking(*keys: str, required: tuple[str, ...] = ()) -> Course:
    course = Course(title="Course")
    course.questions = [
        CourseQuestion(key=key, asked=key in keys, required=key in required) for key in QUESTIONS
    ]
    return course


@pytest.mark.usefixtures("request_context")
def test_form_reads_every_answer() -> None:
    form = SignUpForm(course_asking(*QUESTIONS), POSTED, interests=["Art, music and film", "Chess"])
    assert form.validate(), form.errors
    answers = form.answers()
    assert (answers.name, answers.email) == ("Ada Lovelace", "ada@example.org")
    assert answers.availability == {36, 37}
    assert answers.if_needed == {38}  # what is free as well is free
    assert answers.languages == ("English", "Polish", "Welsh")
    assert answers.interests == ("Art, music and film", "Chess", "Go", "Knitting")
    assert (answers.experience, answers.hours_per_week) == (Experience.BEGINNER, 2.5)
    assert answers.works_with == ("bob@example.org", "eve@example.org")
    assert (answers.wants_help_with, answers.avoids, answers.convenor) == ((), (), True)


@pytest.mark.usefixtures("request_context")
def test_form_leaves_out_what_the_course_does_not_ask() -> None:
    form = SignUpForm(course_asking("goal"), POSTED)
    always = {"name", "email", "time_zone", "availability", "if_needed", "whole_week"}
    always |= {"not_alone", "shown", "shown_asked"}
    assert {field.name for field in form} == always | {"goal"}
    assert form.validate(), form.errors
    assert form.answers().interests == ()
    assert form.answers().goal == "Win."


@pytest.mark.usefixtures("request_context")
def test_form_asks_for_what_the_course_requires() -> None:
    keys = tuple(key for key in QUESTIONS if key != "convenor")
    few = MultiDict(
        [(key, value) for key, value in POSTED.items(multi=True) if key not in QUESTIONS or key == "convenor"]
    )
    form = SignUpForm(course_asking(*QUESTIONS, required=keys), few)
    assert not form.validate()
    assert set(form.errors) == set(keys)


WRONG = {
    "name": ("name", "x" * 101),
    "email": ("email", "ada"),
    "time zone": ("time_zone", "Mars/Olympus_Mons"),
    "slot in words": ("availability", "Monday"),
    "slot too late": ("availability", "336"),
    "languages": ("languages", "x" * 81),
    "interests": ("interests", ",".join(f"thing {n}" for n in range(101))),
    "experience": ("experience", "guru"),
    "hours in words": ("hours_per_week", "a few"),
    "hours negative": ("hours_per_week", "-1"),
    "hours too many": ("hours_per_week", "169"),
    "goal": ("goal", "x" * 1001),
    "help offered": ("can_help_with", "x" * 81),
    "help wanted": ("wants_help_with", "x" * 81),
    "friend": ("works_with", "Bob"),
    "oneself": ("works_with", "ada@example.org"),
    "avoided": ("avoids", "Eve"),
}


@pytest.mark.parametrize(("name", "value"), WRONG.values(), ids=WRONG)
@pytest.mark.usefixtures("request_context")
def test_form_names_the_field_that_is_wrong_and_keeps_the_rest(name: str, value: str) -> None:
    posted = MultiDict(POSTED)
    posted[name] = value
    form = SignUpForm(course_asking(*QUESTIONS), posted, interests=["Chess"])
    assert not form.validate()
    assert list(form.errors) == [name]
    assert all(isinstance(sentence, str) and sentence for sentence in form.errors[name])
    untouched = SignUpForm(course_asking(*QUESTIONS), POSTED, interests=["Chess"])
    assert {f.name: f.data for f in form if f.name != name} == {
        f.name: f.data for f in untouched if f.name != name
    }


@given(st.frozensets(st.integers(0, 335)))
def test_slots_field_reads_what_checkboxes_post(slots: frozenset[int]) -> None:
    class OneField(Form):
        availability = SlotsField()

    form = OneField(MultiDict([("availability", str(slot)) for slot in slots]))
    assert form.validate()
    assert form.availability.data == slots


@given(st.lists(st.text(max_size=12), max_size=6))
def test_tags_field_reads_back_what_it_shows(texts: list[str]) -> None:
    class OneField(Form):
        tags = TagsField()

    form = OneField(MultiDict([("tags", text) for text in texts]))
    shown = OneField(MultiDict([("tags", "\n".join(form.tags.data))]))
    assert shown.tags.data == form.tags.data


def test_tags_field_tells_ticked_from_added() -> None:
    class OneField(Form):
        tags = TagsField()

    form = OneField()
    form.tags.options = ["Chess", "Go"]
    form.tags.process(MultiDict([("tags", "chess, Knitting")]))
    assert (form.tags.ticked, form.tags.others) == ({"Chess"}, ["Knitting"])


def test_people_field_splits_at_any_space() -> None:
    class OneField(Form):
        people = PeopleField()

    form = OneField(MultiDict([("people", "a@example.org, b@example.org\nc@example.org;d@example.org")]))
    assert form.people.data == ["a@example.org", "b@example.org", "c@example.org", "d@example.org"]


@pytest.mark.parametrize(
    ("text", "hours"), [("", None), ("4", 4.0), ("2.5", 2.5), ("2,5", 2.5), (" 3 ", 3.0)]
)
def test_hours_field_understands_commas(text: str, hours: float | None) -> None:
    class OneField(Form):
        hours = HoursField()

    form = OneField(MultiDict([("hours", text)]))
    assert form.validate()
    assert form.hours.hours == hours


def whole_week(**given: str) -> SignUpForm:
    posted = MultiDict([each for each in POSTED.items(multi=True) if each[0] != "availability"])
    posted.setlist("availability", [str(slot) for slot in range(336)])
    return SignUpForm(course_asking(), posted | MultiDict(given))


@pytest.mark.usefixtures("request_context")
def test_whole_week_is_asked_about_once() -> None:
    form = whole_week()
    assert not form.validate()
    assert form.errors == {"availability": ["You marked the whole week, nights too. Is that what you meant?"]}
    form = whole_week(whole_week="yes")
    assert form.validate(), form.errors
    assert len(form.answers().availability) == 336
    form = whole_week(whole_week="days")
    assert form.validate(), form.errors
    assert form.answers().availability == {day * 48 + row for day in range(7) for row in range(16, 44)}


@pytest.mark.usefixtures("request_context")
def test_hours_that_would_do_if_needed_are_enough() -> None:
    form = SignUpForm(course_asking(), MultiDict([*ONLY_IF_NEEDED]))
    assert form.validate(), form.errors
    assert (form.answers().availability, form.answers().if_needed) == (frozenset(), {40})


ONLY_IF_NEEDED = (
    ("name", "Ada"),
    ("email", "ada@example.org"),
    ("time_zone", "UTC"),
    ("if_needed", "40"),
)

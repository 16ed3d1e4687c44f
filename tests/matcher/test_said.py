"""What is said is English, and still in its parts for whoever says it in another language."""

import copy
import pickle

import pytest

from matcher.said import Asked, Hours, say, say_number

NESTED = say_number(
    "No %(what)s for %(num)s other.", "No %(what)s for %(num)s others.", 3, what=say("a %(x)s", x="day")
)


def test_what_is_said_is_its_english():
    assert say("Shared %(q)s: %(tags)s.", q=Asked("own_words"), tags=("art", "50 %")) == (
        "Shared own words: art, 50 %."
    )
    assert NESTED == "No a day for 3 others."
    assert say("All of it, 100 %%.") == "All of it, 100 %."


@pytest.mark.parametrize(("n", "english"), [(0, "0 days"), (1, "1 day"), (2, "2 days")])
def test_the_number_decides_which_template_is_taken(n, english):
    assert say_number("%(num)s day", "%(num)s days", n) == english


def test_words_of_somebody_are_no_template():
    assert say("%(tag)s.", tag="%(secret)s %d") == "%(secret)s %d."


@pytest.mark.parametrize("again", [copy.deepcopy, lambda said: pickle.loads(pickle.dumps(said))])
def test_the_parts_are_kept_in_a_copy(again):
    said = again(NESTED)
    assert (said, said.template, said.plural, said.n, said.values) == (
        NESTED,
        NESTED.template,
        NESTED.plural,
        3,
        NESTED.values,
    )
    assert said.values["what"].template == "a %(x)s"


@pytest.mark.parametrize(
    ("hours", "english"),
    [
        (Hours(36, 3), "Monday 18:00-19:30"),
        (Hours(47, 3), "Monday 23:30-01:00"),
        (Hours(335, 2), "Sunday 23:30-00:30"),
    ],
)
def test_hours_are_those_of_a_clock(hours, english):
    assert str(hours) == english

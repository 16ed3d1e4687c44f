import pytest

from matcher.spelling import edits, one_spelling, plain


@pytest.mark.parametrize(
    ("tag", "form"),
    [
        ("The  Beatles", "beatles"),
        ("front-end", "front end"),
        ("c++", "c++"),
        ("c#", "c#"),
        ("ＡＢＣ", "abc"),
        ("a cat", "cat"),
        ("the xx", "the xx"),
    ],
)
def test_plain_form_keeps_what_tells_tags_apart(tag, form):
    assert plain(tag) == form


def test_one_spelling_joins_variants_and_rare_slips_under_the_most_common():
    sets = [frozenset({"the beatles"})] * 5 + [
        frozenset({"beatles"}),
        frozenset({"beetles"}),
        frozenset({"beattles"}),
    ]
    right = one_spelling(sets)
    assert set(right.values()) == {"the beatles"}


@pytest.mark.parametrize(
    ("common", "other"),
    [
        ("hiking", "biking"),
        ("cics 501", "cics 502"),
        ("java", "javascript"),
        ("pottery", "lottery"),
        ("piano", "pianos"),
    ],
)
def test_one_spelling_leaves_different_things_apart(common, other):
    # Both are common, or differ in the first letter or a number: no slips of the pen.
    times = 5 if other == "pianos" else 1
    right = one_spelling([frozenset({common})] * 5 + [frozenset({other})] * times)
    assert right[other] == other


@pytest.mark.parametrize(
    ("a", "b", "distance"),
    [
        ("", "", 0),
        ("abc", "abc", 0),
        ("abc", "acb", 1),
        ("abc", "ab", 1),
        ("abc", "axc", 1),
        ("abcd", "badc", 2),
        ("abc", "xyz", 3),
    ],
)
def test_edits_counts_insertions_replacements_and_neighbour_swaps(a, b, distance):
    assert edits(a, b, 2) == edits(b, a, 2) == distance


def test_one_spelling_of_no_tags_is_empty():
    assert one_spelling([frozenset()]) == {}

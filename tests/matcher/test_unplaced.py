"""Why somebody has no cohort, and which single change would give them one: shown by making the change."""

import dataclasses

import numpy as np
import pytest

from matcher import match, score_cohorts
from matcher.openings import ALONE, APART, LANGUAGE, MEETING, PAST, SIZE, Openings
from matcher.preview import Preview
from tests.matcher.pools import TOPICS, learner, params_of, pool_of, small_params

FULL = {"size_min": 3, "target_size": 3, "size_max": 3}
ROOM = {"size_min": 3, "target_size": 3, "size_max": 4}


def odd_one(params, mates=3, **fields):
    """The odd one out of some learners who fit, after a match."""
    pool = pool_of(*(learner(i, languages=frozenset({"en"})) for i in range(mates)), learner("x", **fields))
    return pool, match(pool, params)


@pytest.mark.parametrize(
    ("params", "fields", "remedy", "changed", "params_changed"),
    [
        (FULL, {}, "With 4 as the largest size you would have a seat in 1 cohort.", {}, {"size_max": 4}),
        (
            ROOM,
            {"languages": frozenset({"fr"})},
            "Without the rule of a shared language you would have a seat in 1 cohort.",
            {"languages": frozenset()},
            {},
        ),
        (
            ROOM,
            {"past_mates": frozenset({"0"})},
            "If people might meet again, you would have a seat in 1 cohort.",
            {},
            {"max_past_mates": 1},
        ),
        (
            ROOM,
            {"not_alone": frozenset({"topics"}), "answers": {"topics": "x"}},
            "If you might be the only one with your answer, you would have a seat in 1 cohort.",
            {"not_alone": frozenset()},
            {},
        ),
        (
            ROOM,
            {"free": {36, 37}},
            "Adding Monday 18:00-19:30 in your own time would fit 1 cohort that has a seat.",
            {"free": frozenset({36, 37, 38})},
            {},
        ),
    ],
)
def test_remedy_names_the_one_change_that_helps(params, fields, remedy, changed, params_changed):
    pool, matching = odd_one(params_of(**params, questions=(TOPICS,)), **fields)
    assert matching.labels.tolist() == [0, 0, 0, -1]
    assert matching.unplaced[0].remedies == (remedy,)
    better = pool_of(*pool.learners[:3], dataclasses.replace(pool.learners[3], **changed))
    assert match(better, params_of(**{**params, **params_changed})).n_placed == 4


def test_remedies_of_one_kept_apart_do_not_say_so():
    _, matching = odd_one(params_of(**ROOM), apart=frozenset({"0"}))
    assert matching.unplaced[0].remedies == ()
    assert "apart" not in matching.unplaced[0].reason


def test_remedies_begin_with_the_smallest_change():
    pool = pool_of(
        *(learner(i, languages=frozenset({"fr"})) for i in range(3)),
        *(learner(f"b{i}", range(132, 138), languages=frozenset({"en"})) for i in range(4)),
        learner("x", [*range(36, 42), 132, 133], languages=frozenset({"en"})),
    )
    matching = match(pool, params_of(size_min=3, target_size=4, size_max=5, on_conflict="unplace"))
    assert matching.labels.tolist() == [0, 0, 0, 1, 1, 1, 1, -1]
    assert matching.unplaced[0].remedies == (
        "Adding Wednesday 18:00-19:30 in your own time would fit 1 cohort that has a seat.",
        "Without the rule of a shared language you would have a seat in 1 cohort.",
    )


def test_openings_find_the_same_rules_as_the_judge():
    random = np.random.default_rng(5)
    names = [str(i) for i in range(40)]
    pool = pool_of(
        *(
            learner(
                name,
                range(36 + 48 * int(random.integers(2)), 42 + 48 * int(random.integers(1, 3))),
                languages=frozenset(random.choice(["en", "fr", "de"], 2).tolist()),
                apart=frozenset(random.choice(names, 2).tolist()),
                past_mates=frozenset(random.choice(names, 6).tolist()) - {name},
                not_alone=frozenset({"topics"} if random.random() < 0.3 else ()),
                answers={"topics": str(random.choice(["a", "b", "c"]))},
            )
            for name in names
        )
    )
    params = small_params(max_past_mates=1)
    cohorts = [tuple(range(start, start + size)) for start, size in [(0, 2), (2, 3), (5, 4), (9, 2), (11, 3)]]
    openings = Openings(Preview(pool, params)._problem, cohorts)
    words = {
        SIZE: "members, where",
        LANGUAGE: "no language",
        MEETING: "no 90-minute",
        APART: "kept apart",
        PAST: "would meet",
        ALONE: "the only one",
    }
    for i in range(14, 40):
        joined = score_cohorts(pool, params, [[*members, i] for members in cohorts])
        told = [sum(bit for bit, said in words.items() if said in str(check.broken)) for check in joined]
        assert openings.barriers([i]).tolist() == told

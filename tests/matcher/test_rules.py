"""Each rule: one micro-pool that must be seated, and one that must not, with the reason."""

import dataclasses

import pytest

from matcher import match, score_cohorts
from matcher.rules import RULES, rules_of
from tests.matcher.pools import learner, params_of, pool_of, small_params

THREE = {"size_min": 3, "target_size": 3, "size_max": 3}
OTHER = range(100, 106)

# rule, a pool that keeps it, the same with it broken, parameters, what the unplaced read, what a hand-
# made cohort reads
CASES = {
    "size": (
        [learner("a"), learner("b"), learner("c")],
        [learner("a"), learner("b")],
        params_of(**THREE),
        "There are not 2 other learners to be with.",
        "2 members, where 3 to 3 are allowed",
    ),
    "meeting": (
        [learner("a"), learner("b"), learner("c", range(38, 50))],
        [learner("a"), learner("b"), learner("c", OTHER)],
        params_of(**THREE),
        "No 90-minute block is free for at least 2 others who share a language with you.",
        "no 90-minute block suits everybody in every week",
    ),
    "language": (
        [
            learner("a", languages=frozenset({"English "})),
            learner("b", languages=frozenset({"english", "fr"})),
            learner("c"),
        ],
        [learner("a", languages=frozenset({"en"})), learner("b", languages=frozenset({"fr"})), learner("c")],
        params_of(**THREE),
        "Fewer than 2 others share a language with you.",
        "no language that all members share",
    ),
    "shared answer": (
        [
            learner("a", answers={"role": "Nurse "}),
            learner("b", answers={"role": frozenset({"cook", "nurse"})}),
            learner("c"),
        ],
        [
            learner("a", answers={"role": "nurse"}),
            learner("b", answers={"role": "cook"}),
            learner("c"),
        ],
        params_of(**THREE, same=("role",)),
        "Fewer than 2 others share a language and the answers that must be the same with you.",
        "no answer to role that all members share",
    ),
    "apart": (
        [learner("a", apart=frozenset({"z", "a"})), learner("b"), learner("c")],
        [learner("a", apart=frozenset({"b"})), learner("b"), learner("c")],
        params_of(**THREE),
        "There are not 2 other learners to be with.",
        "a and b are to be kept apart",
    ),
    "together": (
        [learner("a", together=frozenset({"b"})), learner("b", together=frozenset({"a"})), learner("c")],
        [
            learner("a", together=frozenset({"b"})),
            learner("b", OTHER, together=frozenset({"a"})),
            learner("c"),
        ],
        params_of(**THREE),
        "You and the person you asked to be with share no meeting time.",
        "no 90-minute block suits everybody in every week",
    ),
    "past mates": (
        [learner("a", past_mates=frozenset({"z", "a"})), learner("b"), learner("c")],
        [learner("a", past_mates=frozenset({"b"})), learner("b"), learner("c")],
        params_of(**THREE),
        "There are not 2 other learners to be with.",
        "a would meet 1 again, where 0 are allowed",
    ),
    "not the only one": (
        [
            learner("a", answers={"role": "Nurse "}, not_alone=frozenset({"role"})),
            learner("b", answers={"role": frozenset({"cook", "nurse"})}),
            learner("c"),
        ],
        [
            learner("a", answers={"role": "nurse"}, not_alone=frozenset({"role"})),
            learner("b", answers={"role": "cook"}),
            learner("c"),
        ],
        params_of(**THREE),
        "Nobody who could meet you gave the answer with which you do not want to be the only one.",
        "a would be the only one with this answer to role",
    ),
    "convenor": (
        [learner("a", convenor=True), learner("b"), learner("c")],
        [learner("a"), learner("b"), learner("c")],
        params_of(**THREE, convenor_required=True, on_conflict="unplace"),
        "Nobody who could meet you is willing to convene a cohort.",
        "nobody here is willing to convene",
    ),
}


def test_every_rule_has_its_two_pools():
    assert sorted(CASES) == sorted(rule.name for rule in RULES)


@pytest.mark.parametrize("name", CASES)
def test_rule_kept_everybody_is_seated(name):
    keeps, _, params, _, _ = CASES[name]
    matching = match(pool_of(*keeps), params)
    assert matching.labels.tolist() == [0] * len(keeps)
    assert matching.rules == dict.fromkeys((rule.name for rule in RULES), 0)


@pytest.mark.parametrize("name", CASES)
def test_rule_broken_nobody_is_seated_and_the_reason_is_said(name):
    _, breaks, params, reason, _ = CASES[name]
    matching = match(pool_of(*breaks), params)
    assert matching.labels.tolist() == [-1] * len(breaks)
    assert matching.unplaced[0].reason == reason


@pytest.mark.parametrize("name", CASES)
def test_rule_broken_by_hand_is_said_in_words(name):
    keeps, breaks, params, _, words = CASES[name]
    good, bad = (score_cohorts(pool_of(*ones), params, [range(len(ones))])[0] for ones in (keeps, breaks))
    assert good.broken == ()
    assert words in bad.broken


def test_together_broken_by_hand_names_the_missing_one():
    pool = pool_of(
        learner("a", together=frozenset({"b"})), learner("b", together=frozenset({"a"})), learner("c")
    )
    check = score_cohorts(pool, small_params(), [[0, 2]])[0]
    assert check.broken == ("a is to be with b, who is not here",)


@pytest.mark.parametrize(
    ("units", "reason"),
    [
        (
            [{"apart": frozenset({"b"})}, {}],
            "Not everything that you and the people you asked to be with wish for can be kept at once.",
        ),
        (
            [{"languages": frozenset({"en"})}, {"languages": frozenset({"fr"})}],
            "You and the person you asked to be with share no language.",
        ),
    ],
)
def test_together_that_contradicts_another_rule_leaves_the_pair_out(units, reason):
    a, b = (
        dataclasses.replace(learner(name, together=frozenset({mate})), **fields)
        for name, mate, fields in zip("ab", "ba", units, strict=True)
    )
    matching = match(pool_of(a, b, learner("c"), learner("d")), small_params(on_conflict="unplace"))
    assert matching.labels.tolist() == [-1, -1, 0, 0]
    assert matching.unplaced[0].reason == reason


def test_together_larger_than_a_cohort_is_left_out():
    names = "abcde"
    chain = [learner(n, together=frozenset(names) - {n}) for n in names]
    matching = match(pool_of(*chain), small_params(on_conflict="unplace"))
    assert matching.unplaced[0].reason == (
        "You and the people you asked to be with are 5 together, more than the 4 of a cohort."
    )


def test_rules_say_nothing_about_a_good_cohort():
    pool = pool_of(learner("a", convenor=True), learner("b"))
    assert [words for rule in rules_of(pool, small_params()) for words in rule.broken([0, 1])] == []

"""Contradictory wishes are refused, in the fewest people."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matcher import Infeasible, match
from matcher.conflicts import Conflicts, refuse_conflicts
from matcher.pool import mutual_groups
from tests.matcher.pools import any_params, learner, params_of, pool_of, pools, small_params


def chain(names, **fields):
    """Learners of whom each asks to be with those before and after."""
    return [
        learner(
            name,
            together=frozenset(names[max(0, at - 1) : at] + names[at + 1 : at + 2]),
            **fields.get(name, {}),
        )
        for at, name in enumerate(names)
    ]


@pytest.mark.parametrize(
    ("people", "named", "rules"),
    [
        (
            [*chain("abcd", a={"apart": frozenset("c")}), learner("x"), *chain("yz")],
            ("a", "b", "c"),
            ("together", "apart"),
        ),
        (chain("abcdefg"), ("c", "d", "e", "f", "g"), ("together", "size")),
        (
            chain("abcd", b={"languages": frozenset({"en"})}, c={"languages": frozenset({"fr", "de"})}),
            ("b", "c"),
            ("together", "language"),
        ),
        (chain("abc", a={"past_mates": frozenset("c")}), ("a", "b", "c"), ("together", "past mates")),
    ],
)
def test_match_refuses_contradictory_wishes_before_it_searches(people, named, rules):
    said = []
    with pytest.raises(Infeasible) as refused:
        match(pool_of(*people), small_params(), progress=said.append)
    assert (refused.value.learners, refused.value.rules) == (named, rules)
    assert all(name in str(refused.value) for name in named)
    assert said == []


def test_match_leaves_them_out_when_told_to():
    people = [*chain("abc", a={"apart": frozenset("c")}), *map(learner, "wxyz")]
    matching = match(pool_of(*people), small_params(on_conflict="unplace"))
    assert [one.learner for one in matching.unplaced] == [0, 1, 2]


def test_match_refuses_when_nobody_is_willing_to_convene():
    with pytest.raises(Infeasible, match="nobody in the pool") as refused:
        match(pool_of(*map(learner, "abc")), params_of(convenor_required=True))
    assert (refused.value.learners, refused.value.rules) == ((), ("convenor",))
    assert match(pool_of(), params_of(convenor_required=True)).n_placed == 0


def refusal(pool, params):
    """What is refused, None when nothing is."""
    try:
        refuse_conflicts(pool, params)
    except Infeasible as refused:
        return refused
    return None


@given(pool=pools(), params=any_params())
def test_refusal_names_a_minimal_set_of_people(pool, params):
    conflicts, refused, place = Conflicts(pool, params), refusal(pool, params), pool.index()
    if refused is None:
        assert not any(conflicts.rules(unit) for unit in mutual_groups(pool) if len(unit) > 1)
        return
    people = [place[name] for name in refused.learners]
    assert refused.rules == ("convenor",) or conflicts.rules(people)
    for one in people:
        rest = [i for i in people if i != one]
        assert not any(conflicts.rules(piece) for piece in conflicts._pieces(rest))


@given(st.integers(2, 30))
def test_smallest_finds_the_two_who_share_no_language(n):
    names = [f"p{k}" for k in range(n)]
    people = chain(names, p0={"languages": frozenset({"en"})}, p1={"languages": frozenset({"fr"})})
    with pytest.raises(Infeasible) as refused:
        refuse_conflicts(pool_of(*people), params_of(size_max=40))
    assert refused.value.learners == ("p0", "p1")

import pytest

from matcher import InvalidPool, Learner
from matcher.pool import fold, mutual_groups
from tests.matcher.pools import learner, pool_of


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (learner(""), "learner 0: id"),
        (learner("a", zone="Mars/Base"), "a: time_zone: 'Mars/Base'"),
        (learner("a", zone=""), "a: time_zone"),
        (learner("a", zone="America"), "a: time_zone"),
        (learner("a", free={336}), "a: free: 336"),
        (learner("a", free={-1}), "a: free: -1"),
        (learner("a", free={True}), "a: free: True"),
        (learner("a", if_needed=frozenset({400})), "a: if_needed: 400"),
        (learner("a", free={5}, if_needed=frozenset({5})), "a: if_needed: slot 5 is also in free"),
    ],
)
def test_pool_with_a_wrong_field_names_learner_and_field(wrong, said):
    with pytest.raises(InvalidPool, match=said):
        pool_of(wrong)


def test_pool_with_an_id_twice_is_refused():
    with pytest.raises(InvalidPool, match="b: id: there are two"):
        pool_of(learner("a"), learner("b"), learner("b"))


def test_mutual_groups_link_chains_and_ignore_one_sided_wishes():
    a = learner("a", together=frozenset({"b", "gone"}))
    b = learner("b", together=frozenset({"a", "c"}))
    c = learner("c", together=frozenset({"b", "d"}))
    d = learner("d", together=frozenset({"d"}))
    assert mutual_groups(pool_of(a, b, c, d)) == [[0, 1, 2], [3]]


def test_fold_drops_case_spaces_and_empty_words():
    assert fold([" English", "ENGLISH", " "]) == frozenset({"english"})


def test_learner_is_frozen():
    with pytest.raises(AttributeError):
        Learner("a", "UTC", frozenset()).id = "b"

import numpy as np
import pytest

from matcher import MatcherError, Preview, score_cohorts
from tests.matcher.pools import TOPICS, learner, params_of, pool_of, small_params
from tests.matcher.test_match import crowd

TASTES = ["art", "art", "art", "chess", "chess", "chess", "art"]
POOL = pool_of(*(learner(i, answers={"topics": frozenset({taste})}) for i, taste in enumerate(TASTES)))
PARAMS = small_params(questions=(TOPICS,))


@pytest.fixture(scope="module")
def preview():
    return Preview(POOL, PARAMS)


def test_preview_scores_as_score_cohorts_does():
    pool, params = crowd(30), params_of(questions=(TOPICS,))
    groups = [range(5), range(5, 11), [0, 7, 3], []]
    assert score_cohorts(pool, params, groups) == [Preview(pool, params).score(group) for group in groups]


def test_preview_takes_an_affinity_that_is_known_already():
    alike = np.ones((7, 7), dtype=np.float32)
    assert Preview(POOL, PARAMS, alike).score([0, 3, 6]).score > Preview(POOL, PARAMS).score([0, 3, 6]).score


def test_preview_says_each_broken_rule_in_words():
    pool = pool_of(
        learner("a", apart=frozenset("b")), learner("b", languages=frozenset({"fr"})), learner("c", {100})
    )
    preview = Preview(pool, small_params(size_min=4, target_size=4))
    assert preview.score([0, 1, 2]).broken == (
        "3 members, where 4 to 4 are allowed",
        "no 90-minute block suits everybody in every week",
        "a and b are to be kept apart",
    )
    assert preview.score([0, 1, 2], asynchronous=True).broken == (
        "3 members, where 4 to 4 are allowed",
        "a and b are to be kept apart",
    )


def test_what_if_of_a_move_shows_both_cohorts_before_and_after(preview):
    before, after = preview.what_if([[0, 1, 3], [2, 4, 5, 6]], 6, 0)
    assert [check.members for check in before] == [(2, 4, 5, 6), (0, 1, 3)]
    assert [check.members for check in after] == [(2, 4, 5), (0, 1, 3, 6)]
    assert before == (preview.score([2, 4, 5, 6]), preview.score([0, 1, 3]))
    assert after == (preview.score([2, 4, 5]), preview.score([0, 1, 3, 6]))


def test_what_if_of_a_swap_brings_like_to_like(preview):
    before, after = preview.what_if([[0, 1, 3], [2, 4, 5]], 3, 1, swap_with=2)
    assert [check.members for check in after] == [(0, 1, 2), (4, 5, 3)]
    assert all(new.score > old.score for new, old in zip(after, before, strict=True))


def test_what_if_a_learner_comes_from_nowhere_or_leaves(preview):
    before, after = preview.what_if([[0, 1, 2], [3, 4, 5]], 6, 0)
    assert ([c.members for c in before], [c.members for c in after]) == ([(0, 1, 2)], [(0, 1, 2, 6)])
    before, after = preview.what_if([[0, 1], [3, 4, 5]], 0, None)
    assert [check.members for check in after] == [(1,)]
    assert after[0].broken == ("1 members, where 2 to 4 are allowed",)


def test_what_if_names_a_rule_that_the_move_would_break(preview):
    _, after = preview.what_if([[0, 1, 2, 6], [3, 4, 5]], 3, 0)
    assert [check.broken for check in after] == [(), ("5 members, where 2 to 4 are allowed",)]


@pytest.mark.parametrize(
    ("change", "said"), [((0, 0), "already"), ((0, 1, 2), "does not sit"), ((6, None), "already")]
)
def test_what_if_refuses_what_is_no_change(preview, change, said):
    with pytest.raises(MatcherError, match=said):
        preview.what_if([[0, 1, 2], [3, 4, 5]], *change)

"""The shares of a score: they add up to it, whoever weighs the cohort."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from matcher import Change, Preview, Question, Standing, match, match_around, rematch
from matcher.score import weights
from tests.matcher.pools import any_params, learner, params_of, pool_of, pools
from tests.matcher.test_match import TOPICS, crowd


def check_shares(one):
    assert sum(share.value for share in one.shares) == pytest.approx(one.score, abs=1e-5)
    for share in one.shares:
        assert -1e-6 <= share.value <= share.most + 1e-6


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(pool=pools(most=8), params=any_params(), data=st.data())
def test_shares_of_any_cohort_add_up_to_its_score(pool, params, data):
    if not len(pool):
        return
    preview = Preview(pool, params)
    members = data.draw(st.lists(st.integers(0, len(pool) - 1), min_size=1, max_size=6, unique=True))
    asynchronous = data.draw(st.booleans())
    shares = preview.shares(members, asynchronous)
    assert sum(one.value for one in shares) == pytest.approx(
        preview.score(members, asynchronous).score, abs=1e-5
    )
    assert all(-1e-6 <= one.value <= one.most + 1e-6 for one in shares)
    names = [one.goal for one in shares]
    assert names[-2:] == ["common blocks", "size"]
    assert len(set(names)) == len(names)
    goals = weights(params)
    # Where no question counts, nobody can reach the share of affinity.
    missed = 0 if len(names) > 2 else goals.affinity + goals.worst_off
    assert sum(one.most for one in shares) == pytest.approx(1 - missed)


def test_share_of_a_question_grows_with_what_members_have_in_common_in_it():
    answers = [("art", 1.0), ("art", 9.0), ("chess", 1.0), ("chess", 9.0)] * 3
    pool = pool_of(
        *(
            learner(i, answers={"topics": frozenset({topic}), "hours": hours})
            for i, (topic, hours) in enumerate(answers)
        )
    )
    params = params_of(size_min=2, target_size=2, questions=(TOPICS, Question("hours", "number")))
    preview = Preview(pool, params)

    def found(*members):
        return {one.goal: round(one.value / one.most, 3) for one in preview.shares(members)}

    assert found(0, 1) == {"topics": 1, "hours": 0, "common blocks": 0.938, "size": 1}
    assert found(0, 2) == {"topics": 0, "hours": 1, "common blocks": 0.938, "size": 1}


@pytest.mark.parametrize("affinity", [None, np.full((24, 24), 0.5, dtype=np.float32)])
def test_every_cohort_of_a_match_and_of_a_rematch_says_its_shares(affinity):
    pool, params = crowd(24), params_of(questions=(TOPICS,), time_limit=1, random_state=1)
    found = match(pool, params, affinity=affinity)
    kept = match_around(pool, params, [[0, 5, 9, 11]], affinity=affinity)
    first = [i for cohort in found.cohorts for i in cohort.members][:6]
    again = rematch(pool, params, [Standing(tuple(first))], Change(), affinity=affinity)
    named = "affinity" if affinity is not None else "topics"
    for one in (*found.cohorts, *kept.cohorts, *again.cohorts):
        check_shares(one)
        assert [share.goal for share in one.shares] == [named, "common blocks", "size"]

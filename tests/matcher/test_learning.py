import dataclasses
import itertools
import re
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from matcher import InvalidPool, Observed, Pool, Question, learning, match
from matcher.affinity import AffinityModel, dense, predictive_power
from matcher.observed import MOST, OTHERS, Pairs
from tests.matcher.pools import learner, params_of, pool_of

QUESTIONS = (
    Question("field", "category"),
    Question("level", "category", weight=2.0),
    Question("hours", "number"),
)


def pool_at_random(n=90, seed=0, **fields):
    random = np.random.default_rng(seed)
    return pool_of(
        *(
            learner(
                f"p{i:03d}",
                answers={
                    "field": str(random.integers(5)),
                    "level": str(random.integers(3)),
                    "hours": float(random.integers(20)),
                },
                **fields,
            )
            for i in range(n)
        )
    )


def connections(pool, n, seed=0, key=None):
    """n pairs at random, of equal answers to a question if a key is given."""
    pairs = [
        (a.id, b.id)
        for a, b in itertools.combinations(pool.learners, 2)
        if key is None or a.answers[key] == b.answers[key]
    ]
    picked = np.random.default_rng(seed).permutation(len(pairs))[:n]
    return [pairs[k] for k in picked]


def fitted(pool, observed, **fields):
    return AffinityModel(params_of(questions=QUESTIONS, **fields)).fit(pool, observed)


POOL = pool_at_random()
PLANTED = Observed(connections(POOL, 120, key="field"))


@pytest.fixture(scope="module")
def planted():
    return fitted(POOL, PLANTED)


@pytest.fixture
def quick(monkeypatch):
    """For tests of what does not hang on how well learning does."""
    monkeypatch.setattr(learning, "ROUNDS", 1)
    monkeypatch.setattr(learning, "GROUPS", 3)


def test_planted_question_gets_the_weight_and_is_used(planted):
    learnt = planted.learnt_
    chosen = fitted(POOL, None)
    assert planted.names_ == ["field", "level", "hours"]
    assert learnt.is_used
    assert learnt.gain.low > 0
    assert learnt.auc.value > learnt.auc_organiser.value + 0.1
    assert learnt.weights[0] > 3.0
    assert sum(learnt.weights) == pytest.approx(4.0)
    assert min(learnt.weights) >= 0
    assert planted.weights_[0] > 2 * chosen.weights_[0]
    assert planted.weights_.sum() == pytest.approx(1.0)
    assert (learnt.n_connected, learnt.n_others) == (120, 600)
    assert re.fullmatch(
        r"Learnt weights predict held-out connections better \(AUC 0\.\d\d, 0\.\d\d-0\.\d\d\) "
        r"than the chosen ones \(0\.\d\d\), and are used\.",
        learnt.words,
    )


def test_learnt_weights_count_in_units_of_spread(planted):
    chosen = fitted(POOL, None)
    by_spread = np.multiply(chosen.weights_ / [1.0, 2.0, 1.0], planted.learnt_.weights)
    assert np.allclose(planted.weights_, by_spread / by_spread.sum())


def test_learnt_affinity_matches(planted):
    params = params_of(questions=QUESTIONS, time_limit=1.0)
    small = Pool(POOL.learners[:12])
    matching = match(small, params, affinity=planted.transform(small))
    assert sorted(i for cohort in matching.cohorts for i in cohort.members) == list(range(12))


def test_connections_at_random_leave_the_organisers_weights():
    """Chance lets at most one in twenty pass; of six, it may be one."""
    fits = [fitted(POOL, Observed(connections(POOL, 60, seed))) for seed in range(6)]
    stand = [fit for fit in fits if not fit.learnt_.is_used]
    assert len(stand) >= 5
    for fit in stand:
        assert fit.weights_.tolist() == fitted(POOL, None).weights_.tolist()
        assert "no better" in fit.learnt_.words
        assert "stand" in fit.learnt_.words


def test_connections_as_the_organiser_thought_leave_their_weights():
    affinity = dense(fitted(POOL, None).transform(POOL))
    ends = np.array(list(itertools.combinations(range(len(POOL)), 2)))
    likely = 6 * affinity[ends[:, 0], ends[:, 1]] + np.random.default_rng(0).gumbel(size=len(ends))
    pairs = [(POOL.learners[i].id, POOL.learners[j].id) for i, j in ends[np.argsort(-likely)[:150]]]
    learnt = fitted(POOL, Observed(pairs)).learnt_
    assert not learnt.is_used
    assert learnt.auc.low > 0.5
    assert f"than the chosen ones ({learnt.auc_organiser.value:.2f}), which stand." in learnt.words


def test_too_few_connections_leave_the_organisers_weights():
    fit = fitted(POOL, Observed(connections(POOL, 7)))
    assert fit.weights_.tolist() == fitted(POOL, None).weights_.tolist()
    assert fit.learnt_ == learning.Learnt(
        (1.0, 2.0, 1.0),
        7,
        35,
        "Too few connections to learn from (7; at least 30 are needed). The chosen weights stand.",
    )


def test_too_few_others_leave_the_organisers_weights():
    pairs = connections(POOL, 60)
    learnt = fitted(POOL, Observed(pairs[:40], could_have=pairs[20:])).learnt_
    assert learnt.words == (
        "Too few pairs to compare connections with (20; at least 30 are needed). The chosen weights stand."
    )


def test_one_question_leaves_nothing_to_weigh_up():
    params = params_of(questions=QUESTIONS[:1])
    learnt = AffinityModel(params).fit(POOL, PLANTED).learnt_
    assert learnt.words.startswith("Nothing to weigh up")
    assert learnt.weights == (1.0,)


def test_empty_pool_learns_nothing():
    assert fitted(pool_of(), Observed([("a", "b")])).learnt_.is_used is False


def test_same_seed_learns_the_same_and_another_nearly(quick):
    first, again, other = (fitted(POOL, PLANTED, random_state=seed).learnt_ for seed in (1, 1, 2))
    assert first == again
    assert first != other
    assert first.auc.value == pytest.approx(other.auc.value, abs=0.05)


def test_order_and_direction_do_not_matter(quick, planted):
    turned = [(b, a) for a, b in PLANTED.connected[::-1]]
    first = fitted(POOL, PLANTED).learnt_
    again = fitted(Pool(POOL.learners[::-1]), Observed(turned + turned[:5])).learnt_
    assert np.allclose(first.weights, again.weights, atol=1e-3)
    assert dataclasses.astuple(first.auc) == pytest.approx(dataclasses.astuple(again.auc), abs=1e-3)


def test_unknown_ids_are_left_out(quick):
    strangers = [("gone", "p000"), ("p001", "left"), ("gone", "left")]
    more = Observed([*PLANTED.connected, *strangers])
    assert fitted(POOL, more).learnt_ == fitted(POOL, PLANTED).learnt_


def test_known_connections_are_no_clue(quick):
    """The ties in the pool are the very connections to predict: with them as a clue the AUC would be 1."""
    ties = {person.id: {} for person in POOL.learners}
    for one, other in PLANTED.connected:
        ties[one][other] = 1.0
    told = Pool(tuple(dataclasses.replace(one, connections=ties[one.id]) for one in POOL.learners))
    fit, without = fitted(told, PLANTED), fitted(POOL, PLANTED)
    assert fit.names_ == ["field", "level", "hours", "connections"]
    assert fit.learnt_.weights[:3] == without.learnt_.weights
    assert fit.learnt_.weights[3] == 1.0
    assert fit.learnt_.auc == without.learnt_.auc
    power = predictive_power(told, params_of(questions=QUESTIONS), PLANTED)
    assert [part.name for part in power] == ["field", "level", "hours"]


@pytest.mark.parametrize("goal", ["diverse", "balanced"])
def test_what_mixes_and_balances_keeps_its_weight(quick, goal):
    mixing = dataclasses.replace(QUESTIONS[1], goal=goal)
    params = params_of(questions=(QUESTIONS[0], mixing, QUESTIONS[2]))
    learnt = AffinityModel(params).fit(POOL, PLANTED).learnt_
    assert learnt.is_used
    assert learnt.weights[1] == 2.0
    assert learnt.weights[0] + learnt.weights[2] == pytest.approx(2.0)


def test_whole_weights_are_not_rounded(quick):
    whole = tuple(dataclasses.replace(question, weight=1) for question in QUESTIONS)
    learnt = AffinityModel(params_of(questions=whole)).fit(POOL, PLANTED).learnt_
    assert sum(learnt.weights) == pytest.approx(3.0)


def test_ticks_while_learning(quick):
    ticks = []
    AffinityModel(params_of(questions=QUESTIONS)).fit(POOL, PLANTED, tick=lambda: ticks.append(1))
    assert len(ticks) > len(QUESTIONS)


def test_predictive_power_says_what_counts_also_of_questions_without_weight():
    questions = (*(dataclasses.replace(q, weight=0.0) for q in QUESTIONS), Question("none", "text"))
    field, level, hours = predictive_power(POOL, params_of(questions=questions), PLANTED)
    assert field.words == f"Pairs that field draws together connect more than others (AUC {field.auc})."
    assert level.words == f"level tells who connects no better than chance (AUC {level.auc})."
    assert (level.auc.low < 0.5 < level.auc.high, hours.auc.low < 0.5 < hours.auc.high) == (True, True)


def test_predictive_power_of_what_is_turned_round_is_less_than_chance():
    questions = (Question("field", "category", "diverse"),)
    (field,) = predictive_power(POOL, params_of(questions=questions), PLANTED)
    assert field.words == f"Pairs that field draws together connect less than others (AUC {field.auc})."


def test_predictive_power_of_few_connections_is_not_told():
    few = Observed(connections(POOL, 29))
    field, *_ = predictive_power(POOL, params_of(questions=QUESTIONS), few)
    assert field == learning.Power(
        "field", None, "Too few connections to learn from (29; at least 30 are needed)."
    )


def pairs_at_random(random, n_learners=40, n_connected=60, n_others=200):
    every = np.array(list(itertools.combinations(range(n_learners), 2)))
    ends = random.permutation(every)[: n_connected + n_others]
    return Pairs(ends, np.arange(len(ends)) < n_connected)


def sample_at_random(seed, k=3, slope=1.0):
    """Similarities at random, where connected pairs have more of the first."""
    random = np.random.default_rng(seed)
    pairs = pairs_at_random(random)
    x = random.normal(size=(len(pairs), k))
    x[pairs.connected, 0] += slope
    return learning.Sample(x, pairs)


shares = st.lists(st.floats(0.1, 5.0), min_size=3, max_size=3).map(np.array)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6), chosen=shares, strength=st.sampled_from([0.0, 0.01, 1.0, 100.0]))
def test_weights_are_shares_and_nobodys_is_negative(seed, chosen, strength):
    weights = learning.fit_weights(sample_at_random(seed), chosen, strength)
    assert weights.min() >= 0
    assert weights.sum() == pytest.approx(1.0)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6), chosen=shares)
def test_endless_penalty_gives_the_organisers_weights(seed, chosen):
    weights = learning.fit_weights(sample_at_random(seed), chosen, 1e6)
    assert np.allclose(weights, chosen / chosen.sum(), atol=1e-3)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6), chosen=shares)
def test_stronger_penalty_is_nearer_to_the_organisers_weights(seed, chosen):
    towards = chosen / np.linalg.norm(chosen)
    apart = []
    for strength in (0.01, 1.0, 100.0):
        weights = learning._fit(sample_at_random(seed), chosen, strength)[1:]
        apart.append(np.linalg.norm(weights - (weights @ towards) * towards))
    assert apart == pytest.approx(sorted(apart, reverse=True), abs=1e-3)


def test_without_a_penalty_it_is_plain_logistic_regression():
    sample = sample_at_random(0)
    sample.x[sample.pairs.connected] += 0.4
    plain = LogisticRegression(C=1e9, tol=1e-8).fit(sample.x, sample.pairs.connected).coef_[0]
    assert plain.min() > 0
    assert np.allclose(learning.fit_weights(sample, np.ones(3), 0.0), plain / plain.sum(), atol=1e-4)


def test_what_tells_nothing_leaves_the_organisers_weights():
    sample = sample_at_random(0)
    worse = learning.Sample(-np.abs(sample.x) * sample.pairs.connected[:, None], sample.pairs)
    assert learning.fit_weights(worse, np.array([1.0, 2.0, 1.0]), 0.01).tolist() == [0.25, 0.5, 0.25]
    one_sort = sample.where(sample.pairs.connected)
    fit = learning.fit_best(one_sort, np.array([1.0, 2.0, 1.0]), np.random.default_rng(0))
    assert fit.tolist() == [0.25, 0.5, 0.25]


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_folds_judge_each_pair_once_by_others_learners(seed):
    random = np.random.default_rng(seed)
    pairs = pairs_at_random(random)
    judged = np.zeros(len(pairs), dtype=int)
    for train, test in learning._folds(pairs, random):
        judged += test
        assert not np.isin(pairs.ends[train], pairs.ends[test]).any()
    assert judged.tolist() == [1] * len(pairs)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**6), levels=st.integers(1, 50))
def test_auc_is_that_of_scikit_learn(seed, levels):
    random = np.random.default_rng(seed)
    pairs = pairs_at_random(random)
    scores = random.integers(levels, size=len(pairs)).astype(float)
    auc = auc_of(scores, pairs)
    assert auc.value == pytest.approx(roc_auc_score(pairs.connected, scores), abs=1e-6)
    assert auc.low <= auc.value <= auc.high


def test_interval_heeds_that_pairs_share_learners():
    """Connected pairs of twenty people, others of twenty more, and scores that hang on the people alone."""
    random = np.random.default_rng(0)
    every = random.permutation(list(itertools.combinations(range(20), 2)))[:60]
    connected = np.repeat([True, False], 60)
    pairs = Pairs(np.concatenate([every, every + 20]), connected)
    # The same pairs as if each had people of its own.
    apart = Pairs(np.arange(240).reshape(-1, 2), connected)
    scores = [random.normal(size=40)[pairs.ends].sum(axis=1) for _ in range(300)]
    assert 0.8 < share_of_intervals_with_chance(scores, pairs) < 0.95
    assert share_of_intervals_with_chance(scores, apart) < 0.7


def auc_of(scores, pairs, folds=0):
    folds = np.broadcast_to(folds, len(pairs))
    return learning._estimate(learning._auc(scores, pairs.connected, folds), pairs)


def share_of_intervals_with_chance(scores, pairs):
    aucs = [auc_of(one, pairs) for one in scores]
    return np.mean([auc.low < 0.5 < auc.high for auc in aucs])


def test_auc_compares_pairs_of_one_fold_alone():
    pairs = pairs_at_random(np.random.default_rng(0), n_connected=3, n_others=5)
    scores = np.array([1.0, 9.0, 2.0, 0.0, 8.0, 8.5, 3.0, 1.0])
    # 1 against 0 and 3, 9 against 8 and 8.5; the last fold has no other pair, the one before none connected.
    folds = np.array([0, 1, 3, 0, 1, 1, 0, 2])
    assert auc_of(scores, pairs, folds).value == (0.5 + 1.0) / 2
    assert auc_of(scores, pairs, np.arange(8)) == learning.Estimate(0.5, 0.5, 0.5)


ids = st.sampled_from([f"p{k}" for k in range(12)])
some_pairs = st.lists(st.tuples(ids, ids).filter(lambda pair: pair[0] != pair[1]), max_size=40)


@settings(max_examples=100, deadline=None)
@given(connected=some_pairs, could_have=st.none() | some_pairs, seed=st.integers(0, 9))
def test_pairs_are_known_new_and_of_two_learners(connected, could_have, seed):
    observed = Observed(connected, could_have)
    pool = [f"p{k}" for k in range(2, 12)]
    pairs = observed.pairs(reversed(pool), np.random.default_rng(seed))
    told = [frozenset(sorted(pool)[place] for place in ends) for ends in pairs.ends]
    wanted = {frozenset(pair) for pair in connected if set(pair) <= set(pool)}
    n_connected, n_others = pairs.counts
    assert set(told[:n_connected]) == wanted
    assert not set(told[n_connected:]) & wanted
    assert len(set(told)) == len(told)
    assert {len(pair) for pair in told} <= {2}
    assert n_others <= OTHERS * n_connected
    if could_have is not None:
        chance = {frozenset(pair) for pair in could_have if set(pair) <= set(pool)}
        assert set(told[n_connected:]) <= chance
        assert n_others == min(OTHERS * n_connected, len(chance - wanted))


@given(pairs=some_pairs)
def test_observed_is_in_one_order(pairs):
    assume(pairs)
    assert Observed(pairs) == Observed([(b, a) for a, b in reversed(pairs)] + pairs)


def test_others_are_drawn_from_those_who_connect():
    """Two who connected with nobody may never have been there."""
    observed = Observed(connections(Pool(POOL.learners[:20]), 40))
    pairs = observed.pairs(POOL.index(), np.random.default_rng(0))
    assert set(pairs.ends[~pairs.connected].ravel().tolist()) <= set(range(20))
    assert pairs.counts[1] > 100


def test_many_connections_are_sampled(monkeypatch):
    assert MOST >= 1000
    monkeypatch.setattr("matcher.observed.MOST", 50)
    observed = Observed(connections(POOL, 400))
    pairs = observed.pairs(POOL.index(), np.random.default_rng(0))
    assert pairs.counts == (50, 250)
    known = {tuple(POOL.index()[name] for name in pair) for pair in observed.connected}
    assert not known & {tuple(ends) for ends in pairs.ends[50:].tolist()}


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"connected": [("a", "a")]}, "connected: 'a' is paired with themselves; a pair needs two learners"),
        ({"connected": [], "could_have": [("b", "b")]}, "could_have: 'b' is paired with themselves"),
        ({"connected": [("a", "b", "c")]}, r"connected: \('a', 'b', 'c'\) is not a pair of learners' ids"),
        ({"connected": ["ab"]}, "connected: 'ab' is not a pair"),
        ({"connected": [(1, 2)]}, r"connected: \(1, 2\) is not a pair"),
    ],
)
def test_pair_that_cannot_be_names_what_is_wrong(fields, wrong):
    with pytest.raises(InvalidPool, match=wrong):
        Observed(**fields)


def test_observed_is_imported_without_scikit_learn():
    code = "import sys, matcher; matcher.Observed([]); print('sklearn' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout == "False\n"

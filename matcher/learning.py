"""Learning from observed connections how much each question should weigh.

A logistic regression on the questions' similarities tells pairs that connected from others. No question
weighs less than nothing, and a ridge penalty draws the weights towards the organiser's, up to a common
scale, which is free. How strong it is, cross-validation decides. Whether the learnt weights are any better,
pairs that they were not learnt from decide.

Pairs that share a learner tell partly the same, which is heeded twice:

- Learners are held out, not pairs. They are dealt into groups, and pairs between two groups are judged by
  weights learnt without anybody of either: the strictest of the three schemes in Park and Marcotte, "Flaws in
  evaluation schemes for pair-input computational predictions", Nature Methods 9 (2012).
- The standard error of an AUC adds up what all pairs of a learner contribute, before squaring: the variance
  of DeLong, DeLong and Clarke-Pearson, "Comparing the areas under two or more correlated receiver operating
  characteristic curves", Biometrics 44 (1988), made robust by Aronow, Samii and Assenova, "Cluster-robust
  variance estimation for dyadic data", Political Analysis 23 (2015).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit, log_expit
from scipy.stats import norm, rankdata

from matcher.observed import Flags, Pairs
from matcher.said import Said, say

Values = NDArray[np.float64]

# With fewer pairs of either sort, nothing is learnt.
LEAST = 30
# Into how many groups learners are dealt, and how often anew.
GROUPS = 5
ROUNDS = 2
# Strengths of the penalty to choose from. The loss is a mean over pairs, with similarities in units of their
# spread: the first all but keeps the organiser's weights, the last all but forgets them.
STRENGTHS = (10.0, 1.0, 0.1, 0.01)
# Weights that add up to less are nothing.
NOTHING = 1e-3
# How sure one may be that an interval holds the truth.
SURE = 0.9


@dataclass(frozen=True)
class Estimate:
    """A value, and from where to where it might well lie."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.2f}, {self.low:.2f}-{self.high:.2f}"


@dataclass(frozen=True)
class Learnt:
    """What connections taught, and whether it is used.

    An AUC is how often, of a pair that connected and one that did not, the former has the greater affinity:
    0.5 is chance. `auc` is that of learnt weights for learners whom they were not learnt from,
    `auc_organiser` that of the organiser's weights for the same pairs, `gain` the difference; each with its
    90 % interval, or None when there was too little to learn from. `weights` are what an organiser would
    choose to have them: one a part, adding up to what the organiser's do. `words` says it all.
    """

    weights: tuple[float, ...]
    n_connected: int
    n_others: int
    words: Said
    is_used: bool = False
    auc: Estimate | None = None
    auc_organiser: Estimate | None = None
    gain: Estimate | None = None


@dataclass(frozen=True)
class Power:
    """How well one part alone predicts connections.

    The intervals of all parts hold the truth together with 90 % certainty (Bonferroni), so that one in many
    does not shine by chance. `auc` is None when there was too little to tell.
    """

    name: str
    auc: Estimate | None
    words: str


@dataclass(frozen=True)
class Sample:
    """(m, k) similarities, in units of their spread, of m pairs."""

    x: Values
    pairs: Pairs

    @property
    def is_mixed(self) -> bool:
        """Whether some connected and some did not."""
        return min(self.pairs.counts) > 0

    def where(self, flags: Flags) -> Sample:
        """Some of the pairs."""
        return Sample(self.x[flags], Pairs(self.pairs.ends[flags], self.pairs.connected[flags]))


def learn(
    sample: Sample, chosen: Values, random: np.random.Generator, tick: Callable[[], object] = lambda: None
) -> Learnt:
    """Learn weights, and judge whether they are worth using.

    Args:
        sample: m pairs, k similarities.
        chosen: (k,) the organiser's weights, each more than 0.
        random: deals learners into groups.
        tick: called a few times a second.
    """
    counts = sample.pairs.counts
    if lack := _lack_of_pairs(*counts) or _lack_of_parts(len(chosen)):
        words = say("%(lack)s The chosen weights stand.", lack=lack)
        return Learnt(tuple(chosen.tolist()), *counts, words)
    ours, theirs = np.mean([_held_out(sample, chosen, random, tick) for _ in range(ROUNDS)], axis=0)
    auc, auc_organiser, gain = (_estimate(auc, sample.pairs) for auc in (ours, theirs, ours - theirs))
    is_used = gain.low > 0 and auc.low > 0.5
    weights = fit_best(sample, chosen, random) * chosen.sum()
    words = _words(is_used, auc, auc_organiser)
    return Learnt(tuple(weights.tolist()), *counts, words, is_used, auc, auc_organiser, gain)


def powers(sample: Sample, names: Sequence[str]) -> tuple[Power, ...]:
    """How well each of the k similarities predicts connections."""
    lack = _lack_of_pairs(*sample.pairs.counts)
    return tuple(
        Power(name, None, lack) if lack else _power(name, column, sample.pairs, len(names))
        for name, column in zip(names, sample.x.T, strict=True)
    )


def fit_weights(sample: Sample, chosen: Values, strength: float) -> Values:
    """(k,) the weights that best tell connected pairs from others, adding up to 1; the greater the strength,
    the nearer to the organiser's.
    """
    found = _fit(sample, chosen, strength)[1:].round(9).clip(0.0)
    # Where nothing tells them apart, nothing speaks against the organiser's.
    return _shares(found if found.sum() > NOTHING else chosen)


def fit_best(sample: Sample, chosen: Values, random: np.random.Generator) -> Values:
    """`fit_weights` with the strength that predicts held-out learners' connections best.

    Pairs of one sort alone teach nothing: the organiser's weights remain.
    """
    if not sample.is_mixed:
        return _shares(chosen)
    losses = np.zeros(len(STRENGTHS))
    for train, test in _folds(sample.pairs, random):
        known, unknown = sample.where(train), sample.where(test)
        if known.is_mixed:
            fits = (_fit(known, chosen, strength) for strength in STRENGTHS)
            losses += [_log_loss(_logits(unknown, fit), unknown) for fit in fits]
    return fit_weights(sample, chosen, STRENGTHS[losses.argmin()])


def _shares(weights: Values) -> Values:
    shares: Values = weights / weights.sum()
    return shares


def _held_out(
    sample: Sample, chosen: Values, random: np.random.Generator, tick: Callable[[], object]
) -> Values:
    """(2, 1 + m) `_auc` by weights that knew neither learner of a pair, and by the organiser's.

    Only pairs that were judged by the same weights are compared.
    """
    scores, folds = np.zeros((2, len(sample.pairs))), np.zeros(len(sample.pairs), dtype=np.intp)
    for fold, (train, test) in enumerate(_folds(sample.pairs, random)):
        weights = np.stack([fit_best(sample.where(train), chosen, random), chosen])
        scores[:, test], folds[test] = weights @ sample.x[test].T, fold
        tick()
    return np.stack([_auc(some, sample.pairs.connected, folds) for some in scores])


def _folds(pairs: Pairs, random: np.random.Generator) -> Iterator[tuple[Flags, Flags]]:
    """Which pairs to learn from and which to judge: for any two groups of learners (or one), the pairs
    without anybody of either, and those between them (or within it).
    """
    learners, ends = np.unique(pairs.ends, return_inverse=True)
    dealt = random.permutation(len(learners)) % GROUPS
    low, high = np.sort(dealt[ends.reshape(-1, 2)], axis=1).T
    for a, b in sorted(set(zip(low.tolist(), high.tolist(), strict=True))):
        yield ~(np.isin(low, (a, b)) | np.isin(high, (a, b))), (low == a) & (high == b)


def _fit(sample: Sample, chosen: Values, strength: float) -> Values:
    """(1 + k,) the intercept and the weights of the least penalised loss."""
    towards = chosen / np.linalg.norm(chosen)

    def loss(at: Values) -> tuple[float, Values]:
        # What no multiple of the organiser's weights explains.
        apart = at[1:] - (at[1:] @ towards) * towards
        logits = _logits(sample, at)
        value = _log_loss(logits, sample) / len(logits) + strength / 2 * apart @ apart
        off = (expit(logits) - sample.pairs.connected) / len(logits)
        slope = np.einsum("m,mk->k", off, sample.x) + strength * apart
        return float(value), np.concatenate([[off.sum()], slope])

    bounds = [(None, None)] + [(0, None)] * len(chosen)
    start = np.zeros(1 + len(chosen))
    # With this few variables SLSQP is as quick as any, and unlike L-BFGS-B it wakes no threads.
    found: Values = minimize(loss, start, jac=True, method="SLSQP", bounds=bounds, tol=1e-9).x
    return found


def _logits(sample: Sample, at: Values) -> Values:
    # `@` would wake all threads for each of these many small products.
    logits: Values = at[0] + np.einsum("mk,k->m", sample.x, at[1:])
    return logits


def _log_loss(logits: Values, sample: Sample) -> float:
    """How unlikely the pairs were taken to be: minus the sum of the logarithms."""
    return float(-log_expit(np.where(sample.pairs.connected, logits, -logits)).sum())


def _auc(scores: Values, connected: Flags, folds: NDArray[np.intp]) -> Values:
    """(1 + m) the AUC of pairs within folds, and how far each pair moves it.

    A fold counts by its connected pairs; one without pairs of both sorts tells nothing.
    """
    placed, weight = np.zeros(len(scores)), np.zeros(len(scores))
    for fold in np.unique(folds):
        yes, no = connected & (folds == fold), ~connected & (folds == fold)
        if yes.any() and no.any():
            placed[yes], placed[no] = _places(scores[yes], scores[no])
            weight[yes], weight[no] = 1.0, yes.sum() / no.sum()
    if not weight.any():
        return np.concatenate([[0.5], placed])
    weight /= weight[connected].sum()
    value = weight[connected] @ placed[connected]
    return np.concatenate([[value], weight * (placed - value)])


def _places(yes: Values, no: Values) -> tuple[Values, Values]:
    """Of the scores of the other sort, the share that each is on the right side of; ties count half."""
    ranks = rankdata(np.concatenate([yes, no]))
    return (
        (ranks[: len(yes)] - rankdata(yes)) / len(no),
        1 - (ranks[len(yes) :] - rankdata(no)) / len(yes),
    )


def _estimate(auc: Values, pairs: Pairs, sure: float = SURE) -> Estimate:
    """An `_auc`, or the difference of two, with its interval."""
    moves = auc[1:]
    by_learner = np.bincount(pairs.ends.ravel(), weights=np.repeat(moves, 2))
    # Each pair is in the sums of two learners, but should be squared once.
    variance = max(by_learner @ by_learner - moves @ moves, moves @ moves)
    ends = auc[0] + norm.ppf((1 + sure) / 2) * np.sqrt(variance) * np.array([0, -1, 1])
    # Rounded, so that what is 0.5 but for the last digit is chance.
    return Estimate(*ends.round(6).tolist())


def _power(name: str, similarities: Values, pairs: Pairs, n_parts: int) -> Power:
    one_fold = np.zeros(len(pairs), dtype=np.intp)
    auc = _estimate(_auc(similarities, pairs.connected, one_fold), pairs, 1 - (1 - SURE) / n_parts)
    if auc.low > 0.5:
        words = f"Pairs that {name} draws together connect more than others (AUC {auc})."
    elif auc.high < 0.5:
        words = f"Pairs that {name} draws together connect less than others (AUC {auc})."
    else:
        words = f"{name} tells who connects no better than chance (AUC {auc})."
    return Power(name, auc, words)


def _words(is_used: bool, auc: Estimate, auc_organiser: Estimate) -> Said:
    values = {"auc": str(auc), "chosen": f"{auc_organiser.value:.2f}"}
    if is_used:
        return say(
            "Learnt weights predict held-out connections better (AUC %(auc)s) than the chosen ones "
            "(%(chosen)s), and are used.",
            **values,
        )
    if auc.low > 0.5:
        return say(
            "Learnt weights predict held-out connections no better (AUC %(auc)s) than the chosen ones "
            "(%(chosen)s), which stand.",
            **values,
        )
    return say(
        "Learnt weights predict held-out connections no better (AUC %(auc)s) than chance; the chosen ones "
        "(%(chosen)s) stand.",
        **values,
    )


def _lack_of_pairs(n_connected: int, n_others: int) -> Said | None:
    if n_connected < LEAST:
        return say(
            "Too few connections to learn from (%(number)s; at least %(least)s are needed).",
            number=n_connected,
            least=LEAST,
        )
    if n_others < LEAST:
        return say(
            "Too few pairs to compare connections with (%(number)s; at least %(least)s are needed).",
            number=n_others,
            least=LEAST,
        )
    return None


def _lack_of_parts(n_parts: int) -> Said | None:
    if n_parts < 2:
        return say("Nothing to weigh up: fewer than two questions that look for likeness were answered.")
    return None

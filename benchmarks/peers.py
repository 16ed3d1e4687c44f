"""Ways of making cohorts that are used elsewhere, one small function each.

Each takes a pool, parameters and the seconds that the matcher had for the same, and gives cohorts back. They
use one core, and their seed is `params.random_state`.
"""

from __future__ import annotations

import datetime as dt
import random
import time
from collections.abc import Callable, Sequence
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray
from ortools.sat.python import cp_model
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.preprocessing import normalize
from threadpoolctl import threadpool_limits

from benchmarks.plain_model import PlainModel, literals
from matcher import Params, Pool
from matcher.availability import availability, unpack

Groups = list[list[int]]
Way = Callable[[Pool, Params, float], Groups]
Rows = NDArray[np.float64]

DIMENSIONS = 50
# Hours count twice as much as interests where both do: of the weights tried the best compromise.
HOURS_WEIGHT = 2.0
# k-means-constrained starts so often unless told otherwise.
STARTS = 10
MOST_LITERALS = 3_000_000


class CannotRun(Exception):
    """This way cannot be tried here; the message says why."""


def n_cohorts(pool: Pool, params: Params) -> int:
    """As many cohorts as the target size asks for."""
    return max(1, round(len(pool) / params.target_size))


def sliced(order: Sequence[int], params: Params) -> Groups:
    """The order cut into cohorts as equal as can be."""
    number = max(1, round(len(order) / params.target_size))
    return [part.tolist() for part in np.array_split(np.asarray(order, dtype=np.intp), number)]


def at_random(pool: Pool, params: Params, seconds: float) -> Groups:
    """Sixes of a shuffled list."""
    order = list(range(len(pool)))
    random.Random(params.random_state).shuffle(order)
    return sliced(order, params)


def by_zone(pool: Pool, params: Params, seconds: float) -> Groups:
    """The list sorted by the offset from UTC when the course starts, cut into sixes."""
    noon = dt.datetime.combine(params.start, dt.time(12))
    offsets = [noon.replace(tzinfo=ZoneInfo(one.time_zone)).utcoffset() for one in pool.learners]
    return sliced(sorted(range(len(pool)), key=lambda i: (offsets[i], i)), params)


def interests_of(pool: Pool) -> Rows:
    """(n, 50) unit rows: TF-IDF of interests, its dimensions reduced by a truncated SVD."""
    tags = [frozenset(tag.casefold() for tag in one.answers["interests"]) for one in pool.learners]  # type: ignore[union-attr]
    return _reduced(TfidfVectorizer(analyzer=sorted).fit_transform(tags))


def hours_of(pool: Pool, params: Params) -> Rows:
    """(n, 50) unit rows: the half hours of UTC's week at which a meeting can start, reduced as well."""
    return _reduced(unpack(availability(pool, params).can[:, 0]).astype(np.float64))


def _reduced(features: Rows) -> Rows:
    kept = min(DIMENSIONS, features.shape[1] - 1)
    reduced: Rows = normalize(TruncatedSVD(kept, random_state=0).fit_transform(features))
    return reduced


def k_means(pool: Pool, params: Params, seconds: float) -> Groups:
    """k-means-constrained on interests."""
    return _clustered(lambda: interests_of(pool), pool, params, seconds)


def k_means_with_hours(pool: Pool, params: Params, seconds: float) -> Groups:
    """k-means-constrained on interests and hours, so that members are free at much the same time."""

    def features() -> Rows:
        return np.hstack([interests_of(pool), HOURS_WEIGHT * hours_of(pool, params)])

    return _clustered(features, pool, params, seconds)


def _clustered(make: Callable[[], Rows], pool: Pool, params: Params, seconds: float) -> Groups:
    """Clusters of the sizes allowed: the tightest of ten starts, or of as many as fit into the time."""
    try:
        from k_means_constrained import KMeansConstrained
    except ImportError as error:
        raise CannotRun("not installed: pip install -e '.[bench]'") from error

    settings = {"n_clusters": n_cohorts(pool, params), "size_min": params.size_min, "n_init": 1}
    began, tried = time.perf_counter(), []
    with threadpool_limits(1):
        features = make()
        for start in range(STARTS):
            seed = STARTS * params.random_state + start
            one = KMeansConstrained(**settings, size_max=params.size_max, random_state=seed)
            tried.append(one.fit(features))
            if (time.perf_counter() - began) * (start + 2) / (start + 1) > seconds:
                break
    labels = min(tried, key=lambda one: one.inertia_).labels_
    return [np.flatnonzero(labels == label).tolist() for label in range(settings["n_clusters"])]


def cp_sat(pool: Pool, params: Params, seconds: float) -> Groups:
    """The plain model of `plain_model`, solved by CP-SAT for as many seconds; no cohorts when it found none.

    Building the model is not counted against the time.
    """
    large = literals(pool, params)
    if large > MOST_LITERALS:
        raise CannotRun(f"model too large: {large / 1e6:.1f} million literals")
    plain = PlainModel(pool, params)
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    # All of CP-SAT's strategies take turns on the one core, with its neighbourhood searches among them.
    solver.parameters.interleave_search = True
    solver.parameters.max_time_in_seconds = seconds
    solver.parameters.random_seed = params.random_state
    if solver.solve(plain.model) not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
        return []
    return plain.cohorts(solver)

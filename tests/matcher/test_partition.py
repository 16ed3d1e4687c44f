from itertools import combinations

import numpy as np
import pytest

from matcher.partition import best_of_all, best_set, quick_bound, relaxation
from matcher.progress import Watch


def random_columns(seed, n=9):
    random = np.random.default_rng(seed)
    return {
        c: float(len(c) * (2 + random.random()))
        for k in (2, 3)
        for c in combinations(range(n), k)
        if random.random() < 0.4
    }


def brute(seen, left):
    if not left:
        return 0.0
    rest = left[1:]
    return max(
        [
            brute(seen, rest),
            *(
                w + brute(seen, tuple(i for i in left if i not in c))
                for c, w in seen.items()
                if c[0] == left[0] and set(c) <= set(left)
            ),
        ]
    )


def as_arrays(seen, n=9):
    columns = np.array([list(c) + [n] * (3 - len(c)) for c in seen], dtype=np.int32)
    return columns, np.array(list(seen.values()))


@pytest.mark.parametrize("seed", range(5))
def test_best_set_and_best_of_all_equal_brute_force(seed):
    seen = random_columns(seed)
    start = [next(iter(seen))]
    best = brute(seen, tuple(range(9)))
    chosen, proven = best_set(seen, start, Watch(30), 10, 0)
    assert sum(seen[c] for c in chosen) == pytest.approx(best, abs=1e-5)
    assert proven is True
    again, bound = best_of_all(*as_arrays(seen), start, seen[start[0]], 9, Watch(30), 0)
    assert sum(seen[c] for c in again) == pytest.approx(best, abs=1e-5)
    assert bound == pytest.approx(best, abs=1e-5)


def test_relaxation_is_a_bound_and_prices_no_column_above_0():
    seen = random_columns(7)
    bound, reduced = relaxation(*as_arrays(seen), 9, Watch(30))
    assert bound >= brute(seen, tuple(range(9))) - 1e-9
    assert reduced.max() <= 1e-6


def test_best_set_that_has_no_time_keeps_the_start():
    seen = random_columns(1)
    start = [next(iter(seen))]
    chosen, _ = best_set(seen, start, Watch(60, should_stop=lambda: True), 1e-9, 0)
    assert sum(seen[c] for c in chosen) >= seen[start[0]]


def test_quick_bound_takes_the_best_mates_and_size():
    mates = np.array([[0.9, 0.5], [0.9, np.nan], [np.nan, np.nan]])
    sizes = np.array([np.nan, np.nan, 0.0, 0.3])
    goals = np.array([2.0, 0.8, 0.2])
    # The first: a pair gives 0.9, a triple 0.7 + 0.3; the second: a pair; the third can be in no cohort.
    bound = quick_bound(np.arange(3, dtype=np.int32), mates, np.zeros(3), sizes, goals)
    assert bound == pytest.approx((2 + 1.0) + (2 + 0.9))

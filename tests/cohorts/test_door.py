"""What crosses the door to the matcher."""

from __future__ import annotations

from cohorts.answers import Answers
from cohorts.door import to_pool

EVENING = frozenset(range(36, 42))
NIGHT = frozenset(range(44, 48))


def test_hours_that_would_do_if_needed_reach_the_matcher() -> None:
    answers = Answers(
        name="Ada", email="ada@example.org", time_zone="UTC", availability=EVENING, if_needed=EVENING | NIGHT
    )
    (learner,) = to_pool([("a", answers)]).learners
    assert (learner.free, learner.if_needed) == (EVENING, NIGHT)

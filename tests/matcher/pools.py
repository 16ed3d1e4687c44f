"""Small pools for the tests, by hand and from Hypothesis."""

import datetime as dt

from hypothesis import strategies as st

from matcher import Learner, Params, Pool, Question

WINTER = dt.date(2027, 1, 11)
SPRING = dt.date(2027, 3, 1)
EVENING = frozenset(range(36, 42))
ZONES = (
    "UTC",
    "America/New_York",
    "Europe/London",
    "Asia/Kolkata",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
    "Pacific/Auckland",
    "Pacific/Chatham",
    "America/St_Johns",
)


def learner(name, free=EVENING, zone="UTC", **fields):
    return Learner(id=str(name), time_zone=zone, free=frozenset(free), **fields)


def pool_of(*learners):
    return Pool(tuple(learners))


def params_of(**fields):
    fields.setdefault("start", WINTER)
    return Params(**fields)


def small_params(**fields):
    """Cohorts of two to four, so that few learners already leave a choice."""
    fields = {"size_min": 2, "target_size": 3, "size_max": 4, **fields}
    return params_of(**fields)


TOPICS = Question("topics", "tags")


def spans():
    """A week's free slots: a few runs, some of them over the end of the week."""
    run = st.tuples(st.integers(0, 335), st.integers(1, 30))
    return st.lists(run, max_size=4).map(
        lambda runs: frozenset((start + k) % 336 for start, length in runs for k in range(length))
    )


def crowded_spans():
    """Free slots that mostly meet: an evening or two out of three."""
    evenings = st.lists(st.sampled_from([36, 84, 330]), min_size=1, max_size=2, unique=True)
    return evenings.map(lambda starts: frozenset((s + k) % 336 for s in starts for k in range(8)))


@st.composite
def learners(draw, name, names, zones=ZONES):
    free = draw(st.one_of(crowded_spans(), crowded_spans(), spans()))
    if_needed = draw(st.one_of(st.just(frozenset()), spans())) - free
    some = st.frozensets(st.sampled_from(names), max_size=2)
    words = st.frozensets(st.sampled_from(["art", "Art", "bikes", "chess", "dance"]), max_size=3)
    return Learner(
        id=name,
        time_zone=draw(st.sampled_from(zones)),
        free=free,
        if_needed=if_needed,
        languages=draw(st.frozensets(st.sampled_from(["en", "EN ", "fr"]), max_size=2)),
        answers={"topics": draw(words), "hours": draw(st.none() | st.floats(0, 40))},
        offers=draw(words),
        wants=draw(words),
        together=draw(some),
        apart=draw(st.one_of(st.just(frozenset()), st.just(frozenset()), some)),
        convenor=draw(st.booleans()),
        not_alone=draw(
            st.sampled_from([frozenset(), frozenset(), frozenset({"topics"}), frozenset({"hours"})])
        ),
        past_mates=draw(st.one_of(st.just(frozenset()), st.just(frozenset()), some)),
        connections=draw(st.dictionaries(st.sampled_from(names), st.floats(0, 1), max_size=2)),
        dropout=draw(st.sampled_from([0.0, 0.0, 0.1, 0.5, 1.0])),
    )


@st.composite
def pools(draw, most=12, zones=ZONES):
    names = [f"p{k}" for k in range(draw(st.integers(0, most)))]
    return Pool(tuple(draw(learners(name, names, zones)) for name in names))


@st.composite
def any_params(draw):
    low = draw(st.integers(2, 3))
    high = draw(st.integers(low, 5))
    return params_of(
        start=draw(st.sampled_from([WINTER, SPRING, dt.date(2026, 10, 21)])),
        weeks=draw(st.integers(1, 6)),
        size_min=low,
        size_max=high,
        target_size=draw(st.integers(low, high)),
        meeting_minutes=draw(st.sampled_from([30, 45, 60, 90])),
        questions=draw(st.sampled_from([(), (TOPICS,), (TOPICS, Question("hours", "number", "diverse"))])),
        same=draw(st.sampled_from([(), (), ("topics",), ("topics", "hours")])),
        convenor_required=draw(st.booleans()),
        max_past_mates=draw(st.integers(0, 1)),
        on_conflict="unplace",
        random_state=draw(st.integers(0, 3)),
    )

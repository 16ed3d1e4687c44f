import datetime as dt

from matcher import Meeting, match
from tests.matcher.pools import SPRING, learner, params_of, pool_of


def meetings_of(*learners, **fields):
    (cohort,) = match(pool_of(*learners), params_of(**fields)).cohorts
    return cohort.meetings


def test_meetings_put_free_before_if_needed_and_humane_before_night():
    night, day, evening = range(4, 7), range(20, 23), range(84, 87)
    reluctant = learner("r", [*night, *day], if_needed=frozenset(evening))
    found = meetings_of(*(learner(i, [*night, *day, *evening]) for i in range(3)), reluctant)
    assert found == (Meeting("UTC", 20, 0, 4), Meeting("UTC", 4, 0, 0), Meeting("UTC", 84, 1, 4))


def test_meetings_are_told_in_the_zone_of_most():
    kolkata = [learner(f"k{i}", range(47, 50), "Asia/Kolkata") for i in range(3)]
    assert meetings_of(*kolkata, learner("u"))[0] == Meeting("Asia/Kolkata", 47, 0, 1)


def test_meetings_told_over_the_edge_of_the_week_name_the_right_day():
    tokyo = [learner(i, range(0, 3), "Asia/Tokyo") for i in range(4)]
    assert meetings_of(*tokyo) == (Meeting("Asia/Tokyo", 0, 0, 0),)


def test_meetings_over_a_clock_change_hold_both_anchors_once():
    berlin = [learner(i, range(36, 44), "Europe/Berlin") for i in range(4)]
    found = meetings_of(*berlin, start=dt.date(2027, 3, 22), weeks=3)
    local = {m.slot for m in found if m.zone == "Europe/Berlin"}
    utc = {m.slot for m in found if m.zone == "UTC"}
    # In UTC the evening moves an hour earlier on 28 March, so two starts fewer hold throughout.
    assert (local, utc) == (set(range(36, 42)), set(range(34, 38)))
    assert found[0].zone == "Europe/Berlin"


def test_meetings_without_a_change_in_the_course_are_listed_once():
    berlin = [learner(i, range(36, 44), "Europe/Berlin") for i in range(4)]
    assert len(meetings_of(*berlin)) == 6
    assert len(meetings_of(*berlin, start=SPRING, weeks=2)) == 6

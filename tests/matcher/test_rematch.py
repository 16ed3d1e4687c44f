"""Whatever stands: no rule newly broken, nobody lost, living cohorts left alone; small cases match brute
force.
"""

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from matcher import Change, Meeting, Pool, Standing, rematch
from matcher.checks import CROWDED
from tests.matcher.pools import EVENING, TOPICS, learner, params_of, pool_of, small_params
from tests.matcher.reseating import BruteForce, BruteForceOfTimes
from tests.matcher.standings import Scene, judged, scene_of, scenes

SLOW = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))


@SLOW
@given(scene=scenes())
def test_rematch_breaks_no_rule_and_loses_nobody(scene):
    judged(scene, scene.rematch())


@settings(SLOW, max_examples=10)
@given(scene=scenes())
def test_rematch_twice_gives_the_same(scene):
    one, two = (replace(scene.rematch(), seconds=0.0) for _ in range(2))
    assert one == two


@settings(SLOW, max_examples=10)
@given(scene=scenes())
def test_rematch_stopped_at_once_keeps_the_rules_and_everybody(scene):
    judged(scene, scene.rematch(should_stop=lambda: True))


NEAR = ("UTC", "Asia/Kolkata", "Asia/Kathmandu")


@settings(SLOW, max_examples=40)
@given(
    scene=scenes(most=8, zones=NEAR, params=small_params(questions=(TOPICS,), weeks=2)),
    convenor=st.booleans(),
)
def test_rematch_of_a_small_scene_equals_brute_force(scene, convenor):
    scene = replace(
        scene,
        params=replace(scene.params, convenor_required=convenor),
        standing=tuple(one for one in scene.standing if not one.asynchronous),
    )
    scene = replace(
        scene,
        change=replace(
            scene.change, asked=scene.change.asked & {i for one in scene.standing for i in one.members}
        ),
    )
    found = judged(scene, scene.rematch())
    brute = BruteForce(found.pool, scene)
    assert found.objective == pytest.approx(brute.best(), abs=1e-4)
    assert found.bound == pytest.approx(found.objective, abs=1e-4)


@SLOW
@given(scene=scenes(), most=st.integers(1, 2))
def test_rematch_keeps_the_limit_of_cohorts_at_one_time(scene, most):
    scene = replace(scene, params=replace(scene.params, max_simultaneous=most))
    judged(scene, scene.rematch())


@settings(SLOW, max_examples=40)
@given(
    scene=scenes(most=6, zones=NEAR, params=small_params(questions=(TOPICS,), weeks=2, max_simultaneous=1))
)
def test_rematch_with_a_limit_equals_brute_force(scene):
    asked = {i for one in scene.standing if not one.asynchronous for i in one.members} & scene.change.asked
    standing = tuple(one for one in scene.standing if not one.asynchronous)
    scene = replace(scene, standing=standing, change=replace(scene.change, asked=asked))
    found = judged(scene, scene.rematch())
    best = BruteForceOfTimes(found.pool, scene).best()
    assert found.objective == pytest.approx(best, abs=1e-4)
    assert found.bound == pytest.approx(found.objective, abs=1e-4)


# By hand, each thing once. Cohorts are of 4 to 8, free on Monday evening, and meet at 18:00.
FREE = "Free on Monday 18:00-19:30 (UTC), as are all %s others."
LATER = frozenset(range(84, 90))


def people(names, free=EVENING, **fields):
    return [learner(name, free, **fields) for name in names]


def test_rematch_of_nobody_is_empty():
    found = rematch(Pool(()), params_of(), [])
    assert (found.cohorts, found.moves, found.unplaced, found.objective, found.gap) == ((), (), (), 0.0, 0.0)


def test_rematch_fills_a_seat():
    found = judged_by_hand([people("abcde")], people("n"))
    assert [one.members for one in found.cohorts] == [(0, 1, 2, 3, 4, 5)]
    assert [(move.learner, move.before, move.after) for move in found.moves] == [(5, None, 0)]
    assert found.moves[0].reasons == (FREE % 5,)
    assert found.n_moved == 0


def test_rematch_fills_a_cohort_that_is_too_small():
    found = judged_by_hand([people("abc"), people("defghijk")], people("n"))
    assert [one.members for one in found.cohorts] == [(0, 1, 2, 11), tuple(range(3, 11))]
    assert found.cohorts[0].broken == ()
    assert found.n_moved == 0


def test_rematch_merges_two_that_are_too_small():
    found = judged_by_hand([people("abc"), people("def")], [])
    assert [one.members for one in found.cohorts] == [(0, 1, 2, 3, 4, 5)]
    assert found.cohorts[0].place in (0, 1)
    assert found.n_moved == 3
    assert {move.reasons for move in found.moves} == {
        ("The cohort they were in has come down to 3 people.", FREE % 5)
    }


def test_rematch_closes_a_cohort_along_its_members_connections():
    small = [*people("a", connections={"m": 1.0}), *people("b", connections={"s": 1.0})]
    living = [people("klmnopq"), people("rstuvwx")]
    found = judged_by_hand([small, *living], [])
    assert [(move.learner, move.after, move.knows) for move in found.moves] == [(0, 0, (4,)), (1, 1, (10,))]
    assert [one.place for one in found.cohorts] == [1, 2]
    assert found.moves[0].reasons == (
        "The cohort they were in has come down to 2 people.",
        FREE % 7,
        "Is connected with 1 of them.",
    )
    assert (found.connections_kept, found.connections_joined) == (0, 2)


def test_rematch_opens_a_new_cohort():
    found = judged_by_hand([people("abcd")], people("wxyz", LATER))
    assert [(one.members, one.place) for one in found.cohorts] == [((0, 1, 2, 3), 0), ((4, 5, 6, 7), None)]
    assert found.moves[0].reasons == ("Free on Tuesday 18:00-19:30 (UTC), as are all 3 others.",)


def test_rematch_keeps_people_apart():
    found = judged_by_hand([people("abcd"), people("efgh")], people("n", apart=frozenset("a")))
    assert [one.members for one in found.cohorts] == [(0, 1, 2, 3), (4, 5, 6, 7, 8)]
    found = judged_by_hand([people("abcd")], people("n", apart=frozenset("a")))
    assert [one.learner for one in found.unplaced] == [4]


def test_rematch_never_returns_somebody_to_those_they_left():
    back = people("n", past_mates=frozenset("abcd"), connections={"a": 1.0})
    found = judged_by_hand([people("abcd"), people("efgh")], back)
    assert [one.members for one in found.cohorts] == [(0, 1, 2, 3), (4, 5, 6, 7, 8)]


@pytest.mark.parametrize("knows", ["a", "f"])
def test_rematch_lets_a_tie_decide_between_two_seats(knows):
    found = judged_by_hand(
        [people("abcd"), people("efgh")], people("n", connections={knows: 0.2}), connections_weight=0.0
    )
    assert found.moves[0].after == "af".index(knows)
    assert found.moves[0].reasons[1] == "Is connected with 1 of them."


def test_rematch_lets_who_asked_to_leave_stay_where_nothing_is_better():
    found = judged_by_hand([people("abcde"), people("fghijklm")], [], asked={0})
    assert found.moves == ()
    assert [one.members for one in found.cohorts] == [(0, 1, 2, 3, 4), tuple(range(5, 13))]


def test_rematch_moves_who_asked_for_it():
    found = judged_by_hand([people("abcde"), people("fghi")], [], asked={0})
    assert [(move.learner, move.before, move.after) for move in found.moves] == [(0, 0, 1)]
    assert found.moves[0].reasons == ("Asked for another cohort.", FREE % 4)


def test_rematch_moves_the_company_of_who_asked():
    company = [*people("a", together=frozenset("b")), *people("b", together=frozenset("a"))]
    found = judged_by_hand([[*company, *people("cdef")], people("ghij")], [], asked={0})
    assert [(move.learner, move.after) for move in found.moves] == [(0, 1), (1, 1)]
    assert found.moves[1].reasons[0] == "Comes along with somebody they asked to be with."


def test_rematch_lets_so_many_leave_that_their_cohort_can_go_on():
    found = judged_by_hand([people("abcde"), people("fghi")], [], asked={0, 1})
    assert [one.place for one in found.cohorts] == [0, 1]
    assert [len(one.members) for one in found.cohorts] == [4, 5]


def test_rematch_takes_the_same_people_for_no_other_cohort():
    found = judged_by_hand([people("abcd"), people("efgh")], [], asked={0, 1, 2, 3})
    assert found.moves == ()
    found = judged_by_hand([people("abcd"), people("efgh"), people("ijkl")], [], asked={0, 1, 2, 3})
    assert [move.learner for move in found.moves] == [0, 1, 2, 3]
    assert {move.after for move in found.moves} == {0, 1}


def test_rematch_takes_no_seat_away_for_newcomers():
    trio = [people(name, together=frozenset("xyz"), apart=frozenset("a"))[0] for name in "xyz"]
    found = judged_by_hand([people("abcdef")], trio, asked={0})
    assert [one.members for one in found.cohorts] == [(0, 1, 2, 3, 4, 5)]
    assert [one.learner for one in found.unplaced] == [6, 7, 8]


def test_rematch_brings_a_newcomer_to_the_member_they_are_to_be_with():
    first = [*people("a", together=frozenset("n")), *people("bcdef")]
    newcomer = people("n", together=frozenset("a"), connections=dict.fromkeys("ghij", 1.0))
    found = judged_by_hand([first, people("ghij")], newcomer)
    assert [one.members for one in found.cohorts] == [(0, 1, 2, 3, 4, 5, 10), (6, 7, 8, 9)]


def test_rematch_leaves_out_a_wish_that_would_cost_a_seat():
    full = [*people("a", together=frozenset("n")), *people("bcdefgh")]
    found = judged_by_hand([full, people("ijkl")], people("n", together=frozenset("a")))
    assert [one.members for one in found.cohorts] == [tuple(range(8)), (8, 9, 10, 11, 12)]
    assert [one.broken for one in found.cohorts] == [(), ()]
    untimely = people("n", frozenset(range(37, 42)), together=frozenset("a"))
    found = judged_by_hand([[*people("a", together=frozenset("n")), *people("bcd")]], untimely)
    assert [one.members for one in found.cohorts] == [(0, 1, 2, 3)]


def test_rematch_that_may_move_nobody_moves_nobody():
    found = judged_by_hand([people("abc"), people("def")], people("n"), max_moves=0)
    assert [len(one.members) for one in found.cohorts] == [4]
    assert found.n_moved == 0
    lost = [move for move in found.moves if move.after is None]
    assert [move.reasons for move in lost] == 3 * [
        ("The cohort they were in has come down to 3 people.", "No other cohort can take them now.")
    ]
    assert [one.learner for one in found.unplaced] == [move.learner for move in lost]


def test_rematch_keeps_a_small_cohort_that_nothing_helps_where_that_is_allowed():
    found = judged_by_hand([people("ab"), people("cdef", LATER)], [], keep_small=True, asked={0})
    assert [one.members for one in found.cohorts] == [(0, 1), (2, 3, 4, 5)]
    assert found.cohorts[0].broken == ("2 members, where 4 to 8 are allowed",)
    found = judged_by_hand([people("ab"), people("cdef", LATER)], [], asked={0})
    assert found.moves[0].reasons == ("Asked for another cohort.", "No other cohort can take them now.")


def test_rematch_heals_a_cohort_whose_convenor_left():
    willing = people("n", convenor=True)
    found = judged_by_hand([people("abcd")], [*people("m"), *willing], convenor_required=True)
    assert [(one.members, one.broken) for one in found.cohorts] == [((0, 1, 2, 3, 4, 5), ())]


def test_rematch_says_that_a_cohort_has_no_convenor_and_lets_nobody_join():
    found = judged_by_hand([people("abcd")], people("m"), convenor_required=True, asked={0})
    assert [one.members for one in found.cohorts] == [(0, 1, 2, 3)]
    assert found.cohorts[0].broken == ("nobody here is willing to convene",)
    assert [one.learner for one in found.unplaced] == [4]


@pytest.mark.parametrize("may", [False, True])
def test_rematch_moves_the_meeting_of_a_living_cohort_only_if_allowed(may):
    found = judged_by_hand([people("abcd")], people("n", range(37, 42)), move_meetings=may)
    assert [len(one.members) for one in found.cohorts] == [5 if may else 4]
    assert found.cohorts[0].meetings[0].slot == (37 if may else 36)


def test_rematch_keeps_a_meeting_told_in_the_zone_of_somebody_who_left():
    # 19:00 in Berlin is 18:00 UTC; nobody who lives there is in the pool any more.
    late = people("n", range(38, 44))
    pool = pool_of(*people("abcd", range(36, 44)), *late)
    standing = [Standing((0, 1, 2, 3), Meeting("Europe/Berlin", 38))]
    found = rematch(pool, params_of(), standing)
    assert [one.members for one in found.cohorts] == [(0, 1, 2, 3)]


def test_rematch_of_a_cohort_that_is_too_large_loses_nobody():
    found = judged_by_hand([people("abcdefghi")], people("z"), asked={0})
    assert [one.members for one in found.cohorts] == [tuple(range(9))]
    assert found.cohorts[0].broken == ("9 members, where 4 to 8 are allowed",)


@pytest.mark.parametrize(("most", "opens"), [(None, 1), (2, 1), (1, 0)])
def test_rematch_opens_no_cohort_at_a_full_time(most, opens):
    four = people("xyzw", range(36, 39), apart=frozenset("abcd"))
    found = judged_by_hand([people("abcd")], four, max_simultaneous=most)
    assert [one.place for one in found.cohorts] == [0] + [None] * opens
    assert [one.broken for one in found.cohorts] == [()] * (1 + opens)


def test_rematch_opens_a_cohort_at_a_time_with_room():
    free = [*range(36, 39), *range(84, 87)]
    found = judged_by_hand(
        [people("abcd")], people("xyzw", free, apart=frozenset("abcd")), max_simultaneous=1
    )
    assert [[each.slot for each in one.meetings] for one in found.cohorts] == [[36], [84]]


def test_rematch_leaves_cohorts_that_are_too_many_at_their_time_and_says_so():
    found = judged_by_hand(
        [people("abcd"), people("efgh")], people("n", apart=frozenset("abcd")), max_simultaneous=1
    )
    assert [one.members for one in found.cohorts] == [(0, 1, 2, 3), (4, 5, 6, 7, 8)]
    assert [one.broken for one in found.cohorts] == [(CROWDED,), (CROWDED,)]


def test_rematch_gives_cohorts_without_a_time_different_ones():
    free = [*range(36, 39), *range(84, 87)]
    pool, params = pool_of(*people("abcdefgh", free)), params_of(max_simultaneous=1)
    scene = Scene(pool, params, (Standing((0, 1, 2, 3)), Standing((4, 5, 6, 7))), Change())
    found = judged(scene, scene.rematch())
    assert {each.slot for one in found.cohorts for each in one.meetings} == {36, 84}
    scene = replace(scene, pool=pool_of(*people("abcdefgh", range(36, 39))))
    found = judged(scene, scene.rematch())
    assert sorted((len(one.meetings), one.broken) for one in found.cohorts) == [(0, (CROWDED,)), (1, ())]


def judged_by_hand(
    cohorts, newcomers, asked=(), max_moves=None, keep_small=False, move_meetings=False, **fields
):
    change = Change(
        max_moves=max_moves, keep_small=keep_small, move_meetings=move_meetings, asked=frozenset(asked)
    )
    scene = scene_of(cohorts, newcomers, change, params_of(**fields))
    return judged(scene, scene.rematch())

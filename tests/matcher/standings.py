"""Cohorts that stand, for the tests: by hand, from a match some of whose learners have dropped out, and from
Hypothesis; and what must hold of any rematch.
"""

import re
from collections import Counter
from dataclasses import dataclass, replace

from hypothesis import assume
from hypothesis import strategies as st

from matcher import Change, Meeting, Params, Pool, Rematching, Standing, match, rematch
from matcher.checks import CROWDED, count_broken
from matcher.pool import mutual_groups
from matcher.rules import CommonBlock, rules_of
from tests.matcher.pools import ZONES, any_params, pools
from tests.matcher.reseating import pieces

MONDAY = Meeting("UTC", 36)


@dataclass(frozen=True)
class Scene:
    pool: Pool
    params: Params
    standing: tuple[Standing, ...]
    change: Change

    def rematch(self, **kwargs):
        return rematch(self.pool, self.params, self.standing, self.change, **kwargs)


def scene_of(cohorts, newcomers, change, params):
    """Some cohorts of learners, each of which meets on Monday at 18:00 where all its members can, and
    learners without one.
    """
    pool = Pool(tuple(one for members in [*cohorts, newcomers] for one in members))
    ends = [sum(map(len, cohorts[: c + 1])) for c in range(len(cohorts))]
    standing = tuple(
        Standing(
            tuple(range(end - len(members), end)),
            MONDAY if all(one.free >= set(range(36, 39)) for one in members) else None,
        )
        for members, end in zip(cohorts, ends, strict=True)
    )
    return Scene(pool, params, standing, change)


def without(pool, cohorts, gone):
    """The pool without those who dropped out, and the cohorts that are left, with their new indices."""
    stay = [i for i in range(len(pool)) if i not in gone]
    place = {i: k for k, i in enumerate(stay)}
    left = [tuple(place[i] for i in members if i in place) for members in cohorts]
    return Pool(tuple(pool.learners[i] for i in stay)), left


@st.composite
def matched(draw, pool, params):
    """Cohorts that a match formed of some of a pool, each meeting at one of its times."""
    first = draw(st.integers(0, len(pool)))
    part = Pool(pool.learners[:first])
    params = replace(params, max_simultaneous=None, asynchronous=draw(st.booleans()), on_conflict="unplace")
    cohorts = match(part, params).cohorts
    return [
        Standing(
            one.members,
            draw(st.sampled_from([None, *one.meetings])),
            one.asynchronous,
            draw(st.sampled_from([0.0, 0.5, 1.0])),
        )
        for one in cohorts
    ]


@st.composite
def by_hand(draw, pool):
    """Cohorts of anybody, as an organiser might have made them, whatever the rules."""
    labels = [draw(st.integers(-1, 2)) for _ in pool.learners]
    meeting = st.builds(Meeting, st.sampled_from(ZONES), st.sampled_from([36, 37, 84, 85]))
    return [
        Standing(
            tuple(i for i, label in enumerate(labels) if label == c),
            draw(st.none() | meeting),
            since=draw(st.sampled_from([0.0, 1.0])),
        )
        for c in range(3)
        if c in labels
    ]


@st.composite
def changes(draw, seated):
    return Change(
        move_cost=draw(st.sampled_from([0.0, 0.3])),
        tie_cost=draw(st.sampled_from([0.0, 0.3])),
        tie_reward=draw(st.sampled_from([0.0, 0.5])),
        max_moves=draw(st.sampled_from([None, None, 0, 1, 2])),
        move_meetings=draw(st.booleans()),
        keep_small=draw(st.booleans()),
        asked=draw(st.frozensets(st.sampled_from(seated), max_size=2)) if seated else frozenset(),
    )


@st.composite
def scenes(draw, most=12, zones=ZONES, params=None):
    pool = draw(pools(most=most, zones=zones))
    params = params or draw(any_params())
    standing = draw(st.one_of(matched(pool, params), by_hand(pool)))
    gone = draw(st.frozensets(st.integers(0, len(pool) - 1), max_size=4)) if len(pool) else frozenset()
    pool, left = without(pool, [one.members for one in standing], gone)
    standing = tuple(
        replace(one, members=members) for one, members in zip(standing, left, strict=True) if members
    )
    assume(len(pool) > 0)
    seated = [i for one in standing for i in one.members]
    return Scene(pool, params, standing, draw(changes(seated)))


def broken_rules(pool, params, members, asynchronous=False):
    """The names of the rules that some members break."""
    return {
        rule.name
        for rule in rules_of(pool, params)
        if not (asynchronous and isinstance(rule, CommonBlock)) and any(True for _ in rule.broken(members))
    }


def judged(scene: Scene, found: Rematching):
    """What must hold of any rematch, from the definitions."""
    pool, params, change = found.pool, found.params, scene.change
    home = {i: c for c, one in enumerate(scene.standing) for i in one.members}
    after = {i: k for k, one in enumerate(found.cohorts) for i in one.members}
    seated = [i for one in found.cohorts for i in one.members]
    assert sorted(seated + [one.learner for one in found.unplaced]) == list(range(len(scene.pool)))
    assert all(one.reason for one in found.unplaced)
    assert found.bound >= found.objective - 1e-6
    assert change.max_moves is None or found.n_moved <= change.max_moves
    _keep_the_rules(scene, found)
    _tell_who_moves(found, home, after)
    meets = CommonBlock(pool, params)
    unit_of = {i: unit for unit in mutual_groups(pool) for i in unit}
    going_on = {one.place: one for one in found.cohorts if one.place is not None}
    for place, one in enumerate(scene.standing):
        if len(one.members) < params.size_min:
            continue
        for i in one.members:
            assert i in after
            if change.asked.isdisjoint(unit_of[i]):
                assert found.cohorts[after[i]].place == place
        if one.meeting is None or change.move_meetings or place not in going_on:
            continue
        come = [i for i in going_on[place].members if home.get(i) != place]
        assert meets.holds(come, one.meeting.zone, one.meeting.slot)
    return found


def _keep_the_rules(scene, found):
    _keep_the_limit(scene, found)
    sound = [
        one for one in found.cohorts if set(one.broken) <= {CROWDED} and (one.meetings or not one.broken)
    ]
    claimed = [None if one.asynchronous else one.meetings for one in sound]
    params = replace(found.params, asynchronous=True, max_simultaneous=None)
    broken = count_broken(found.pool, params, [one.members for one in sound], claimed)
    assert broken == dict.fromkeys(broken, 0)
    for one in found.cohorts:
        if set(one.broken) - {CROWDED}:
            assert one.place is not None
            assert set(one.members) <= set(scene.standing[one.place].members)
            assert broken_rules(found.pool, found.params, one.members, one.asynchronous)
        if one.place is None:
            assert not one.asynchronous


def _keep_the_limit(scene, found):
    """Who has another time than before meets where there is room; who meets where there is none is told."""
    most, held = found.params.max_simultaneous, []
    for one in found.cohorts:
        fixed = None if one.place is None else scene.standing[one.place].meeting
        if one.asynchronous or most is None:
            continue
        assert len(one.meetings) <= 1
        # A cohort whose members share no time at all keeps the one it had.
        meeting = one.meetings[0] if one.meetings else (fixed if one.broken else None)
        if meeting is None:
            assert one.place is not None
            assert one.broken
        else:
            own = fixed is not None and pieces(found.params, fixed.zone, fixed.slot)
            held.append((pieces(found.params, meeting.zone, meeting.slot), own, one))
    busy = Counter(piece for mine, _, _ in held for piece in mine)
    for mine, own, one in held:
        crowded = any(busy[piece] > most for piece in mine)
        assert not crowded or mine == own
        assert not one.meetings or (CROWDED in one.broken) == crowded


def _tell_who_moves(found, home, after):
    places = {
        i: found.cohorts[k].place if found.cohorts[k].place is not None else -1 for i, k in after.items()
    }
    elsewhere = [i for i in range(len(found.pool)) if places.get(i) != home.get(i)]
    assert [move.learner for move in found.moves] == elsewhere
    for move in found.moves:
        assert (move.before, move.after) == (home.get(move.learner), after.get(move.learner))
        assert (move.score_before is None) == (move.before is None)
        assert (move.score_after is None) == (move.after is None)
        assert move.reasons
    told = [*(said for move in found.moves for said in move.reasons)]
    told += [said for one in found.cohorts for said in one.reasons]
    told += [said for one in found.unplaced for said in (one.reason, *one.remedies)]
    assert not [said for said in told if re.search(r"\bp\d+\b", said)]

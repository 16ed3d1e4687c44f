"""The board: what was changed by hand is scored as a match scores it, and any of it can be taken back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, replace
from threading import Barrier, Thread

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from cohorts import adjust, meetings, notices, proposals, runs, signups, take_back, weighing
from cohorts.adjust import Hand, RuleBreak, Stale
from cohorts.answers import answers_of
from cohorts.database import Database
from cohorts.door import MatchSettings
from cohorts.exceptions import Conflict, InvalidInput, NotFound
from cohorts.links import Links
from cohorts.models import (
    Adjustment,
    Change,
    Cohort,
    Course,
    FixedMeeting,
    Mail,
    Run,
    RunState,
    Seat,
    SeatChange,
    Signup,
    Weighing,
    now,
)
from cohorts.remedies import remedies
from cohorts.weighing import Weigher
from tests.factories import make_course, make_signup

SUNDAY_MORNING = frozenset(range(6 * 48 + 16, 6 * 48 + 20))


def proposal(database: Database) -> int:
    """Propose three cohorts of six, and leave out one learner whom nobody can meet; return the run's id."""
    with database.transaction() as session:
        course = make_course(session)
        people = [
            make_signup(session, course, (f"Topic {number % 4}", "Music"), name=f"Learner {number:02}")
            for number in range(18)
        ]
        lone = make_signup(session, course, name="Lone", availability=SUNDAY_MORNING)
        parameters = MatchSettings.of_course(course, time_limit=2).as_json()
        run = Run(course=course, state=RunState.PROPOSED, parameters=parameters, n_learners=19, n_placed=18)
        session.add_all([run, Seat(run=run, signup=lone, reason="Nobody is free when you are.")])
        for number in range(3):
            cohort = Cohort(run=run, position=number + 1, name=f"Cohort {number + 1}", score=0.0)
            session.add_all(Seat(run=run, cohort=cohort, signup=each) for each in people[number * 6 :][:6])
        session.flush()
        scales = Weigher(database)._scales_of(session, run)
        run.objective = 0.0
        for cohort in run.cohorts:
            found = scales.weigh(seat.signup_id for seat in cohort.seats)
            cohort.score, cohort.meetings = found.score, found.meetings
            run.objective += found.worth
        return run.id


def hand(session: Session, run: Run) -> Hand:
    return Hand(None, weighing.version(session, run), now())


def weighed(
    session: Session, run: Run, weigher: Weigher, learner: Signup, cohort: Cohort | None = None
) -> Weighing:
    """Ask, and let the worker's part answer within the same transaction."""
    found = weighing.ask(session, run, learner.key, cohort.key if cohort else "", now())
    if found.weighed_at is None:
        found.effects, found.weighed_at = [asdict(each) for each in weigher.effects(session, found)], now()
        session.flush()
    return found


def state(session: Session, run: Run) -> tuple[object, ...]:
    """Everything about a board that an adjustment can change."""
    session.expire_all()
    cohorts = session.scalars(select(Cohort).where(Cohort.run_id == run.id).order_by(Cohort.id)).all()
    seats = session.execute(
        select(Seat.signup_id, Seat.cohort_id, Seat.pinned).where(Seat.run_id == run.id).order_by(Seat.id)
    ).all()
    figures = [tuple(repr(getattr(each, name)) for name in adjust.FIGURES) for each in cohorts]
    return figures, [tuple(row) for row in seats], round(run.objective or 0, 6), run.n_placed


def test_a_move_is_told_before_it_is_made_and_changes_what_was_told(database: Database) -> None:
    run_id, weigher = proposal(database), Weigher(database)
    with database.transaction() as session:
        run = session.get_one(Run, run_id)
        first, second, *_rest = run.cohorts
        learner = first.seats[0].signup
        asked = weighing.ask(session, run, learner.key, "", now())
        assert asked.weighed_at is None
    assert weigher.weigh_waiting() == 1
    assert weigher.weigh_waiting() == 0
    with database.transaction() as session:
        run = session.get_one(Run, run_id)
        asked = session.get_one(Weighing, asked.id)
        effects = {each.to_id: each for each in weighing.effects(asked)}
        assert set(effects) == {None, *(each.id for each in run.cohorts if each.id != first.id)}
        left, joined = effects[second.id].touched
        assert (left.cohort_id, joined.cohort_id) == (first.id, second.id)
        assert left.before.score == pytest.approx(first.score, abs=1e-6)
        assert (len(left.after.members), len(joined.after.members)) == (5, 7)
        adjust.move(session, run, asked, second.key, "", hand(session, run))
    with database.reading() as session:
        moved = session.get_one(Cohort, second.id)
        assert moved.score == joined.after.score != second.score
        assert learner.id in {seat.signup_id for seat in moved.seats}
        assert moved.meetings == joined.after.meetings
        assert moved.reasons != []
        assert moved.parts is not None
        assert sum(value for value, _most in moved.parts.values()) == pytest.approx(moved.score, abs=1e-4)


OPERATIONS = st.lists(
    st.tuples(
        st.sampled_from(["move", "swap", "out", "pin", "hold", "name", "time", "talk", "undo", "redo"]),
        st.integers(0, 99),
        st.integers(0, 99),
    ),
    min_size=1,
    max_size=12,
)


def test_any_sequence_loses_nobody_scores_as_a_match_and_can_be_undone(database: Database) -> None:
    run_id, weigher = proposal(database), Weigher(database)

    @settings(max_examples=25, suppress_health_check=list(HealthCheck))
    @given(OPERATIONS)
    def check(operations: list[tuple[str, int, int]]) -> None:
        with database.session(writes=True) as session:
            run = session.get_one(Run, run_id)
            everybody = set(session.scalars(select(Seat.signup_id).where(Seat.run_id == run.id)))
            start = state(session, run)
            done, undone = [start], []
            for kind, one, two in operations:
                if not act(session, run, weigher, kind, one, two):
                    continue
                present = state(session, run)
                if kind == "undo":
                    undone.append(done.pop())
                    assert present == done[-1]
                elif kind == "redo":
                    done.append(undone.pop())
                    assert present == done[-1]
                else:
                    done.append(present)
                    undone.clear()
                seats = session.scalars(select(Seat).where(Seat.run_id == run.id)).all()
                assert {each.signup_id for each in seats} == everybody
                assert len(seats) == len(everybody)
                check_scores(session, run, weigher)
            end = state(session, run)
            for _ in done[1:]:
                adjust.undo(session, run, hand(session, run))
            assert state(session, run) == start
            for _ in done[1:]:
                adjust.redo(session, run, hand(session, run))
            assert state(session, run) == end
            numbers = session.scalars(select(Adjustment.number).order_by(Adjustment.number)).all()
            assert list(numbers) == list(range(1, len(numbers) + 1))
            session.rollback()

    check()


def act(session: Session, run: Run, weigher: Weigher, kind: str, one: int, two: int) -> bool:
    """Do something to a board if it can be done; tell whether it was."""
    seats = session.scalars(select(Seat).where(Seat.run_id == run.id).order_by(Seat.id)).all()
    cohorts = session.scalars(select(Cohort).where(Cohort.run_id == run.id).order_by(Cohort.id)).all()
    seat, cohort, at = seats[one % len(seats)], cohorts[two % len(cohorts)], hand(session, run)
    if kind in ("undo", "redo"):
        done, undone = adjust.walk(adjust.adjustments(session, run))
        if (done if kind == "undo" else undone) == []:
            return False
        (adjust.undo if kind == "undo" else adjust.redo)(session, run, at)
    elif kind == "pin":
        if seat.cohort_id is None:
            return False
        adjust.pin_learner(session, run, seat.signup.key, two % 2 == 0, at)
    elif kind == "hold":
        adjust.pin_cohort(session, run, cohort.key, one % 2 == 0, at)
    elif kind == "time":
        blocks = [each.key for each in meetings.of_cohort(cohort)]
        adjust.choose_time(session, run, cohort.key, ([*blocks, ""])[one % (len(blocks) + 1)], at)
    elif kind == "talk":
        adjust.set_channel(session, run, cohort.key, f"https://talk.example.org/{one}", at)
    elif kind == "name":
        adjust.rename(session, run, cohort.key, f"Name {one} {two}", at)
    else:
        asked = weighed(session, run, weigher, seat.signup, None if kind == "out" else cohort)
        fitting = [
            each
            for each in weighing.effects(asked)
            if (each.swap_id is not None) == (kind == "swap") and (each.to_id is None) == (kind == "out")
        ]
        if not fitting:
            return False
        effect = fitting[two % len(fitting)]
        other = next((each.signup.key for each in seats if each.signup_id == effect.swap_id), "")
        to = "" if effect.to_id is None else cohort.key
        adjust.move(session, run, asked, to, other, at, set_aside=True)
    return True


def check_scores(session: Session, run: Run, weigher: Weigher) -> None:
    """Every cohort has the score that the matcher gives its members, and the run the sum of their worths."""
    scales = weigher._scales_of(session, run)
    total = 0.0
    for cohort in session.scalars(select(Cohort).where(Cohort.run_id == run.id)):
        members = sorted(session.scalars(select(Seat.signup_id).where(Seat.cohort_id == cohort.id)))
        found = scales.weigh(members)
        assert cohort.score == pytest.approx(found.score, abs=1e-6)
        assert sorted(cohort.meetings) == sorted(found.meetings)
        total += found.worth
    assert run.objective == pytest.approx(total, abs=1e-4)


@pytest.fixture
def board(database: Database) -> tuple[Database, int, Weigher]:
    return database, proposal(database), Weigher(database)


Board = tuple[Database, int, Weigher]


def test_a_rule_is_kept_unless_it_is_set_aside_and_then_that_is_kept_in_mind(board: Board) -> None:
    database, run_id, weigher = board
    with database.transaction() as session:
        run = session.get_one(Run, run_id)
        lone = session.scalars(select(Signup).where(Signup.name == "Lone")).one()
        cohort = run.cohorts[0]
        asked = weighed(session, run, weigher, lone, cohort)
        (effect, *_swaps) = weighing.effects(asked)
        assert effect.new_breaks == ["meeting"]
        with pytest.raises(Conflict, match="would break a rule"):
            adjust.move(session, run, asked, cohort.key, "", hand(session, run))
        done = adjust.move(
            session,
            run,
            asked,
            cohort.key,
            "",
            hand(session, run),
            set_aside=True,
            because="They asked for it.",
        )
        assert done.because == "They asked for it."
        assert (cohort.set_aside, cohort.meetings) == (["meeting"], [])
        assert run.n_placed == 19
        # Once set aside, the rule does not stand in the way of what else is done to that cohort.
        other = run.cohorts[1].seats[0].signup
        again = next(
            e for e in weighing.effects(weighed(session, run, weigher, other, cohort)) if e.swap_id is None
        )
        assert again.new_breaks == []


def test_what_was_asked_for_in_private_always_holds_and_stays_private(board: Board) -> None:
    database, run_id, weigher = board
    with database.transaction() as session:
        run = session.get_one(Run, run_id)
        learner, cohort = run.cohorts[0].seats[0].signup, run.cohorts[1]
        cohort.seats[0].signup.avoids = [learner.email]
        session.flush()
        asked = weighed(session, run, weigher, learner, cohort)
        effect = next(each for each in weighing.effects(asked) if each.swap_id is None)
        assert effect.new_breaks == ["private"]
        assert not effect.is_possible
        with pytest.raises(Conflict):
            adjust.move(session, run, asked, cohort.key, "", hand(session, run), set_aside=True)
        assert learner.email not in str(asked.effects)


def test_a_change_of_what_somebody_else_has_changed_is_refused(board: Board) -> None:
    database, run_id, _weigher = board
    with database.transaction() as session:
        run = session.get_one(Run, run_id)
        first, second = run.cohorts[:2]
        seen = hand(session, run)
        adjust.rename(session, run, first.key, "The early birds", seen)
        with pytest.raises(Stale):
            adjust.rename(session, run, second.key, "The owls", seen)
        (change,) = adjust.adjustments(session, run, after=seen.seen)
        assert (change.change, change.cohorts) == (
            Change.NAME,
            {str(first.id): [{"name": "Cohort 1"}, {"name": "The early birds"}]},
        )
        adjust.rename(session, run, second.key, "The owls", hand(session, run))
        assert [each.name for each in run.cohorts[:2]] == ["The early birds", "The owls"]


def test_a_weighing_of_other_members_is_refused(board: Board) -> None:
    database, run_id, weigher = board
    with database.transaction() as session:
        run = session.get_one(Run, run_id)
        first, second, third = run.cohorts[:3]
        one, two = (seat.signup for seat in first.seats[:2])
        asked = weighed(session, run, weigher, one, second)
        adjust.move(
            session, run, weighed(session, run, weigher, two, third), third.key, "", hand(session, run)
        )
        with pytest.raises(Conflict, match="members of a cohort have changed"):
            adjust.move(session, run, asked, second.key, "", hand(session, run), set_aside=True)


def race(
    database: Database, run_id: int, act: Callable[[Session, Run, Cohort, Hand], object]
) -> tuple[list[str], int]:
    """Two organisers who see the same board do something to it at once; return how it ended for each."""
    barrier, outcomes = Barrier(2), []

    def press(number: int) -> None:
        with database.reading() as session:
            run = session.get_one(Run, run_id)
            seen = hand(session, run)
        barrier.wait()
        try:
            with database.transaction() as session:
                run = session.get_one(Run, run_id)
                act(session, run, run.cohorts[number], seen)
            outcomes.append("saved")
        except Stale:
            outcomes.append("stale")

    threads = [Thread(target=press, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.reading() as session:
        return sorted(outcomes), session.scalar(select(func.count()).select_from(Adjustment)) or 0


def test_two_at_once_the_second_is_told(database: Database) -> None:
    run_id = proposal(database)
    outcome = race(
        database, run_id, lambda s, run, cohort, seen: adjust.rename(s, run, cohort.key, "Ours", seen)
    )
    assert outcome == (["saved", "stale"], 1)


def test_two_at_once_without_looking_at_the_version_both_save(database: Database) -> None:
    """The positive control: what the version prevents would happen without it."""
    run_id = proposal(database)

    def careless(session: Session, run: Run, cohort: Cohort, _seen: Hand) -> None:
        session.refresh(run, with_for_update=True)
        adjust.pin_cohort(session, run, cohort.key, True, hand(session, run))

    assert race(database, run_id, careless) == (["saved", "saved"], 2)


def test_names_are_checked(board: Board) -> None:
    database, run_id, _weigher = board
    with database.transaction() as session:
        run = session.get_one(Run, run_id)
        for name in ("", "  ", "x" * 61, "cohort 2"):
            with pytest.raises(InvalidInput):
                adjust.rename(session, run, run.cohorts[0].key, name, hand(session, run))
        with pytest.raises(NotFound):
            adjust.rename(session, run, "nobody's", "Fine", hand(session, run))


def test_only_a_proposal_can_be_changed(board: Board) -> None:
    database, run_id, _weigher = board
    with database.transaction() as session:
        run = session.get_one(Run, run_id)
        run.state = RunState.PUBLISHED
        session.flush()
        with pytest.raises(Conflict, match="not a proposal any more"):
            adjust.pin_cohort(session, run, run.cohorts[0].key, True, hand(session, run))


def test_who_is_erased_is_left_out_of_what_is_undone(board: Board) -> None:
    database, run_id, weigher = board
    with database.transaction() as session:
        run = session.get_one(Run, run_id)
        first, second = run.cohorts[:2]
        learner, other = first.seats[0].signup, second.seats[0].signup
        asked = weighed(session, run, weigher, learner, second)
        adjust.move(session, run, asked, second.key, other.key, hand(session, run), set_aside=True)
        session.delete(session.get_one(Signup, learner.id))
        session.flush()
        session.expire_all()
        assert session.scalar(select(func.count()).select_from(SeatChange)) == 1
        assert session.scalar(select(func.count()).select_from(Weighing)) == 0
        adjust.undo(session, run, hand(session, run))
        back = session.scalars(select(Seat).where(Seat.signup_id == other.id)).one()
        assert back.cohort_id == second.id


def test_pins_survive_a_rerun(board: Board) -> None:
    database, run_id, weigher = board
    with database.transaction() as session:
        run = session.get_one(Run, run_id)
        first, second, third = run.cohorts[:3]
        lone = session.scalars(select(Signup).where(Signup.name == "Lone")).one()
        asked = weighed(session, run, weigher, lone, first)
        adjust.move(session, run, asked, first.key, "", hand(session, run), set_aside=True)
        adjust.rename(session, run, first.key, "With Lone", hand(session, run))
        adjust.pin_cohort(session, run, first.key, True, hand(session, run))
        # Two who are as unlike as can be, put together and pinned.
        mates = [third.seats[0].signup, second.seats[0].signup]
        adjust.move(
            session, run, weighed(session, run, weigher, mates[1], third), third.key, "", hand(session, run)
        )
        for each in mates:
            adjust.pin_learner(session, run, each.key, True, hand(session, run))
        adjust.rename(session, run, third.key, "The pair", hand(session, run))
        kept = {seat.signup_id for seat in session.scalars(select(Seat).where(Seat.cohort_id == first.id))}
        again = runs.rerun(session, run, None, random_state=1)
        names = {each.id for each in mates}
    runs.execute(database, again.id, "worker")
    with database.reading() as session:
        found = session.get_one(Run, again.id)
        assert (found.state, found.n_placed) == (RunState.PROPOSED, 19)
        by_name = {each.name: each for each in found.cohorts}
        whole = by_name["With Lone"]
        assert {seat.signup_id for seat in whole.seats} == kept
        assert (whole.pinned, whole.set_aside) == (True, ["meeting"])
        pair = by_name["The pair"]
        assert {seat.signup_id for seat in pair.seats if seat.pinned} == names
        assert len(by_name) == len(found.cohorts)


def test_a_rerun_with_a_larger_size_seats_whom_size_kept_out(database: Database) -> None:
    with database.transaction() as session:
        course = make_course(session, size_min=4, target_size=4, size_max=4)
        for _ in range(5):
            make_signup(session, course, ("Music",))
        run_id = runs.request(session, course, None, time_limit=2).id
    runs.execute(database, run_id, "worker")
    with database.transaction() as session:
        run = session.get_one(Run, run_id)
        (seat,) = session.scalars(select(Seat).where(Seat.run_id == run_id, Seat.cohort_id.is_(None)))
        assert seat.size_max == 5
        again = runs.rerun(session, run, None, size_max=seat.size_max)
    runs.execute(database, again.id, "worker")
    with database.reading() as session:
        assert session.get_one(Run, again.id).n_placed == 5
        assert session.get_one(Course, run.course_id).size_max == 4


def test_an_edit_of_interests_is_weighed_anew(database: Database, links: Links) -> None:
    run_id, weigher = proposal(database), Weigher(database)
    with database.transaction() as session:
        run = session.get_one(Run, run_id)
        first, second = run.cohorts[:2]
        learner = first.seats[0].signup
        asked = weighed(session, run, weigher, learner, second)
        before = weighing.effects(asked)[0].gain
        session.delete(asked)
        given = answers_of(learner)
        signups.edit(session, learner, replace(given, interests=("Falconry",)))
    with database.transaction() as session:
        run = session.get_one(Run, run_id)
        learner, second = session.get_one(Signup, learner.id), run.cohorts[1]
        # The same worker, which has the pool from before in its memory.
        after = weighing.effects(weighed(session, run, weigher, learner, second))[0].gain
        afresh = Weigher(database).effects(session, session.scalars(select(Weighing)).one())[0].gain
        assert after == pytest.approx(afresh)
        assert after != pytest.approx(before)


LATER = frozenset(range(38, 42))
"""Monday 19:00 to 21:00."""


def times(cohort: Cohort) -> list[str]:
    return [each.key for each in meetings.of_cohort(cohort)]


def test_a_chosen_time_and_a_link_are_published_told_and_taken_back(database: Database, links: Links) -> None:
    run_id = proposal(database)
    with database.transaction() as session:
        run = session.get_one(Run, run_id)
        cohort, other = run.cohorts[:2]
        last = times(cohort)[-1]
        assert last != times(cohort)[0]
        adjust.choose_time(session, run, cohort.key, last, hand(session, run))
        adjust.set_channel(session, run, cohort.key, " https://talk.example.org/1 ", hand(session, run))
        with pytest.raises(NotFound):
            adjust.choose_time(session, run, cohort.key, "UTC:0", hand(session, run))
        with pytest.raises(InvalidInput):
            adjust.set_channel(session, run, cohort.key, "http://talk.example.org", hand(session, run))
        learner = cohort.seats[0].signup
        proposals.publish(session, run, hold=notices.HOLD)
        assert [(each.sequence, f"{each.zone}:{each.slot}") for each in cohort.fixed] == [(1, last)]
        assert other.fixed == []
        mail = session.scalars(select(Mail).where(Mail.signup_id == learner.id)).one()
        message = notices.render(session, mail, links, "cohorts@example.org")
        assert message is not None
        start = int(last.rpartition(":")[2]) % 48 // 2
        assert f", {start}:" in message.get_content().partition("Your first meeting")[2].split("\n")[0]
        assert "https://talk.example.org/1" in message.get_content()
        take_back.take_back(session, run)
        assert session.scalar(select(func.count()).select_from(FixedMeeting)) == 0
        session.expire_all()
        assert meetings.weekly(cohort) == meetings.read_key(last)


def test_a_chosen_time_that_no_longer_suits_is_told_before_and_after(board: Board) -> None:
    database, run_id, weigher = board
    with database.transaction() as session:
        run = session.get_one(Run, run_id)
        first, second = run.cohorts[:2]
        comes = second.seats[0].signup
        comes.availability = LATER
        adjust.choose_time(session, run, first.key, times(first)[0], hand(session, run))
        assert times(first)[0] == "UTC:36"
        asked = weighed(session, run, weigher, comes, first)
        effect = next(each for each in weighing.effects(asked) if each.swap_id is None)
        assert effect.new_breaks == ["chosen"]
        with pytest.raises(Conflict):
            adjust.move(session, run, asked, first.key, "", hand(session, run))
        adjust.move(session, run, asked, first.key, "", hand(session, run), set_aside=True)
        assert first.set_aside == ["chosen"]
        assert meetings.weekly(first) == meetings.Meeting("UTC", 36)  # an organiser said so
        adjust.choose_time(session, run, first.key, "UTC:38", hand(session, run))
        assert (first.set_aside, meetings.weekly(first)) == ([], meetings.Meeting("UTC", 38))
        for _ in range(2):
            adjust.undo(session, run, hand(session, run))
        assert (first.set_aside, first.chosen) == ([], ["UTC", 36])


def limited(session: Session, run: Run, most: int) -> None:
    """Let at most so many cohorts meet at one time, and each at the start it has now."""
    run.parameters = run.parameters | {"max_simultaneous": most}
    session.flush()


def test_cohorts_at_one_time_are_counted_for_chosen_times_and_for_moves(board: Board) -> None:
    database, run_id, weigher = board
    with database.transaction() as session:
        run = session.get_one(Run, run_id)
        limited(session, run, 2)
        first, second, third = run.cohorts
        adjust.choose_time(session, run, first.key, "UTC:36", hand(session, run), set_aside=True)
        adjust.choose_time(session, run, second.key, "UTC:36", hand(session, run), set_aside=True)
        adjust.choose_time(session, run, third.key, "UTC:39", hand(session, run))
        with pytest.raises(RuleBreak) as refused:
            adjust.choose_time(session, run, third.key, "UTC:38", hand(session, run))
        assert refused.value.rule == "simultaneous"
        done = adjust.choose_time(
            session, run, third.key, "UTC:38", hand(session, run), set_aside=True, because="Two of us come."
        )
        assert (third.set_aside, done.because) == (["simultaneous"], "Two of us come.")
        adjust.undo(session, run, hand(session, run))
        assert third.set_aside == []
        # The third has no time decided for, and whoever comes leaves it none but that of the others.
        adjust.choose_time(session, run, third.key, "", hand(session, run), set_aside=True)
        third.set_aside, third.meetings = [], [["UTC", 39], *third.meetings]
        comes = first.seats[0].signup
        comes.availability = frozenset(range(36, 40))
        session.flush()
        asked = weighed(session, run, weigher, comes, third)
        effect = next(each for each in weighing.effects(asked) if each.swap_id is None)
        assert effect.new_breaks == ["simultaneous"]
        adjust.rename(session, run, first.key, "Early", hand(session, run))
        with pytest.raises(Conflict, match="other times"):
            adjust.move(session, run, asked, third.key, "", hand(session, run), set_aside=True)


def test_a_pinned_time_survives_a_rerun_and_is_counted(board: Board) -> None:
    database, run_id, _weigher = board
    with database.transaction() as session:
        run = session.get_one(Run, run_id)
        first = run.cohorts[0]
        adjust.choose_time(session, run, first.key, "UTC:38", hand(session, run))
        adjust.set_channel(session, run, first.key, "https://talk.example.org/1", hand(session, run))
        adjust.pin_cohort(session, run, first.key, True, hand(session, run))
        again = runs.rerun(session, run, None, max_simultaneous=1)
    runs.execute(database, again.id, "worker")
    with database.reading() as session:
        found = session.get_one(Run, again.id)
        assert found.state is RunState.PROPOSED
        kept = next(each for each in found.cohorts if each.pinned)
        assert (kept.chosen, kept.channel) == (["UTC", 38], "https://talk.example.org/1")
        others = [meetings.weekly(each) for each in found.cohorts if each.id != kept.id]
        # 18:00 to 21:00 has room for two meetings of 90 minutes, and 19:00 to 20:30 leaves room for none.
        assert others == []
        assert found.n_placed == 6


def test_whom_languages_keep_out_is_seated_when_that_rule_gives_for_them(database: Database) -> None:
    with database.transaction() as session:
        course = make_course(session, size_min=4, target_size=4, size_max=5)
        for _ in range(4):
            make_signup(session, course, ("Music",))
        lone = make_signup(session, course, ("Music",), name="Malee", languages=["Thai"])
        run_id = runs.request(session, course, None, time_limit=2).id
    runs.execute(database, run_id, "worker")
    with database.transaction() as session:
        run = session.get_one(Run, run_id)
        unplaced = session.scalars(select(Seat).where(Seat.run_id == run_id, Seat.cohort_id.is_(None))).all()
        (offered,) = remedies(MatchSettings.from_json(run.parameters), unplaced)
        assert offered.words == "Seat Malee whatever the others speak"
        assert offered.changes == {"any_language": (lone.key,)}
        again = runs.rerun(session, run, None, **offered.changes)
    runs.execute(database, again.id, "worker")
    with database.reading() as session:
        found = session.get_one(Run, again.id)
        assert found.n_placed == 5
        assert [each.set_aside for each in found.cohorts] == [["language"]]

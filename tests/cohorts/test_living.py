"""Living cohorts changed by hand: who is touched hears of it once, and what is undone in time never was."""

from __future__ import annotations

from datetime import timedelta
from threading import Barrier, Thread

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from cohorts import adjust, moves, proposals, roster, take_back, weighing
from cohorts.adjust import Hand, Stale
from cohorts.database import Database
from cohorts.exceptions import Conflict
from cohorts.links import Links
from cohorts.models import Adjustment, Cohort, Mail, MailState, Membership, Run, Signup, now
from cohorts.notices import HOLD
from cohorts.standing import members_of
from cohorts.weighing import Weigher
from tests.cohorts.test_adjust import hand, proposal, weighed
from tests.cohorts.test_memberships import deliver, let_time_pass


def published(database: Database, *, part: bool = False) -> int:
    """Publish three cohorts of six, or the first alone, whose mails have left; return the run's id."""
    run_id = proposal(database)
    with database.transaction() as session:
        run = session.get_one(Run, run_id)
        proposals.publish(session, run, [run.cohorts[0].key] if part else None)
        session.execute(update(Mail).values(state=MailState.SENT))
    return run_id


def everything(session: Session) -> tuple[object, ...]:
    """What a change could leave behind: memberships, the figures of cohorts, and mails that wait."""
    session.expire_all()
    rows = session.execute(
        select(Membership.signup_id, Membership.cohort_id, Membership.since, Membership.until)
        .order_by(Membership.id)
        .add_columns(Membership.ended_because)
    ).all()
    cohorts = session.scalars(select(Cohort).order_by(Cohort.id)).all()
    waiting = session.scalar(select(func.count()).where(Mail.state == MailState.WAITING))
    figures = [[repr(getattr(each, name)) for name in adjust.FIGURES] for each in cohorts]
    return [tuple(row) for row in rows], figures, waiting


def move(
    session: Session, run: Run, weigher: Weigher, learner: Signup, there: Cohort, swap: Signup | None = None
) -> Adjustment:
    asked = weighed(session, run, weigher, learner, there)
    key = swap.key if swap else ""
    return adjust.move(session, run, asked, there.key, key, hand(session, run), set_aside=True)


def living(session: Session, run: Run) -> list[Cohort]:
    return roster.cohorts(session, run.course)


def waiting(session: Session) -> dict[str, str]:
    found = session.scalars(select(Mail).where(Mail.state == MailState.WAITING)).all()
    return {each.signup.name: each.kind for each in found if each.signup}


def test_a_swap_writes_to_those_it_touches_and_an_undo_in_time_leaves_no_trace(
    database: Database, links: Links
) -> None:
    run_id, weigher = published(database), Weigher(database)
    with database.transaction() as session:
        run = session.get_one(Run, run_id)
        start = everything(session)
        first, second, third = living(session, run)
        one, two = members_of(first)[0], members_of(second)[0]
        change = move(session, run, weigher, one, second, two)
        assert change.living
        assert {each.name for each in members_of(second)} >= {one.name}
        told = waiting(session)
        assert len(told) == 12
        assert {name for name, kind in told.items() if kind == "moved"} == {one.name, two.name}
        assert not {each.name for each in members_of(third)} & set(told)
        assert second.score == pytest.approx(change.cohorts[str(second.id)][1]["score"])
        assert run.n_placed == 18
    assert deliver(database, links) == []
    with database.transaction() as session:
        run = session.get_one(Run, run_id)
        adjust.undo(session, run, hand(session, run))
        assert everything(session) == start
        adjust.redo(session, run, hand(session, run))
        assert len(waiting(session)) == 12
        adjust.undo(session, run, hand(session, run))
        assert everything(session) == start
    assert deliver(database, links) == []


def test_an_undo_after_the_mails_have_left_is_a_move_of_its_own(database: Database, links: Links) -> None:
    run_id, weigher = published(database), Weigher(database)
    with database.transaction() as session:
        run = session.get_one(Run, run_id)
        first, second, _third = living(session, run)
        one = members_of(first)[0]
        move(session, run, weigher, one, second)
        let_time_pass(session)
    assert len(deliver(database, links)) == 12
    with database.transaction() as session:
        run = session.get_one(Run, run_id)
        adjust.undo(session, run, hand(session, run))
        history = session.scalars(
            select(Membership).where(Membership.signup_id == one.id).order_by(Membership.id)
        ).all()
        assert [each.cohort_id for each in history] == [first.id, second.id, first.id]
        assert [each.ended_because for each in history] == ["moved by hand", "moved by hand", ""]
        assert len(waiting(session)) == 12
        # Made again while the mails about the undoing wait: they never leave.
        adjust.redo(session, run, hand(session, run))
        assert waiting(session) == {}
        assert (
            session.scalar(
                select(Membership.cohort_id).where(Membership.signup_id == one.id, Membership.until.is_(None))
            )
            == second.id
        )


def test_rules_hold_for_living_cohorts_and_a_late_learner_finds_a_seat(database: Database) -> None:
    run_id, weigher = published(database), Weigher(database)
    with database.transaction() as session:
        run = session.get_one(Run, run_id)
        first = living(session, run)[0]
        lone = session.scalars(select(Signup).where(Signup.name == "Lone")).one()
        asked = weighed(session, run, weigher, lone, first)
        with pytest.raises(Conflict, match="break a rule"):
            adjust.move(session, run, asked, first.key, "", hand(session, run))
        adjust.move(session, run, asked, first.key, "", hand(session, run), set_aside=True, because="Listens")
        assert first.set_aside == ["meeting"]
        assert "Lone" in {each.name for each in members_of(first)}
        with pytest.raises(Conflict, match="not a proposal any more"):
            adjust.pin_cohort(session, run, first.key, True, hand(session, run))


def test_who_moved_by_themselves_is_seen_and_stands_in_the_way_of_an_undo(database: Database) -> None:
    run_id, weigher = published(database), Weigher(database)
    with database.transaction() as session:
        run = session.get_one(Run, run_id)
        first, second, third = living(session, run)
        one, other, left = members_of(first)[:3]
        asked = weighed(session, run, weigher, one, second)
        moves.leave_cohort(session, left, None, "", now())
        with pytest.raises(Conflict, match="members of a cohort have changed"):
            adjust.move(session, run, asked, second.key, "", hand(session, run))
        # A move of somebody else makes the question a new one.
        move(session, run, weigher, other, third)
        homes = {each.name for each in proposals.of_living(session, run.course).cohorts[0].members}
        assert left.name not in homes
        assert other.name not in homes
        moves.take_seat(session, left, third.key, now() + timedelta(seconds=1))
        with pytest.raises(Conflict, match="cannot be reversed"):
            adjust.undo(session, run, hand(session, run))


def test_cohorts_of_all_parts_are_on_the_board_of_the_last(database: Database) -> None:
    run_id, weigher = published(database, part=True), Weigher(database)
    with database.transaction() as session:
        run = session.get_one(Run, run_id)
        rest = session.scalars(select(Run).where(Run.part_of_id == run_id)).one()
        proposals.publish(session, rest, hold=HOLD)
        first, second, third = living(session, rest)
        one, two = members_of(first)[0], members_of(second)[0]
        with pytest.raises(Conflict, match="not a proposal any more"):
            adjust.undo(session, run, hand(session, run))
        move(session, rest, weigher, one, second)
        assert one.name in {each.name for each in members_of(second)}
        with pytest.raises(Conflict, match="moved by hand"):
            take_back.take_back(session, rest)
        adjust.undo(session, rest, hand(session, rest))
        move(session, rest, weigher, two, third)
        adjust.undo(session, rest, hand(session, rest))
        take_back.take_back(session, rest)
        assert [each.id for each in living(session, run)] == [first.id]
        assert len(members_of(first)) == 6


def test_two_organisers_at_once_the_second_is_told(database: Database) -> None:
    run_id, weigher = published(database), Weigher(database)
    with database.transaction() as session:
        run = session.get_one(Run, run_id)
        first, second, third = living(session, run)
        asked = [
            weighed(session, run, weigher, member, there).key
            for member, there in zip(members_of(first), (second, third), strict=False)
        ]
        keys = [second.key, third.key]
    barrier, outcomes = Barrier(2), []

    def press(number: int) -> None:
        barrier.wait()
        try:
            with database.transaction() as session:
                run = session.get_one(Run, run_id)
                question = weighing.get(session, run, asked[number])
                adjust.move(session, run, question, keys[number], "", Hand(None, 0, now()))
            outcomes.append("saved")
        except Stale:
            outcomes.append("stale")

    threads = [Thread(target=press, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["saved", "stale"]
    with database.reading() as session:
        assert session.scalar(select(func.count()).where(Membership.until.is_(None))) == 18
        assert session.scalar(select(func.count()).where(Membership.until.is_not(None))) == 1

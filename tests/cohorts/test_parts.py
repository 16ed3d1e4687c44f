"""Publishing in part, and taking back what was published before its mails leave."""

from __future__ import annotations

from datetime import timedelta
from threading import Barrier, Thread

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from cohorts import moves, notices, person_blocks, proposals, roster, runs, take_back
from cohorts.database import Database
from cohorts.exceptions import Conflict
from cohorts.links import Links
from cohorts.models import Cohort, CourseState, Mail, MailState, Membership, Run, RunState, Seat, now
from cohorts.notices import HOLD
from cohorts.standing import standing_of
from tests.cohorts.test_adjust import proposal
from tests.factories import make_cohort, make_signup


def mails(session: Session, *states: MailState) -> list[str]:
    """The kinds of the mails in the outbox in some states, in order."""
    found = select(Mail.kind).where(Mail.state.in_(states or (MailState.WAITING,)))
    return sorted(session.scalars(found))


def living(session: Session) -> int:
    return session.scalar(select(func.count()).select_from(Membership).where(Membership.until.is_(None))) or 0


def test_some_cohorts_are_published_and_the_others_stay_a_proposal(database: Database) -> None:
    run_id = proposal(database)
    with database.transaction() as session:
        run = session.get_one(Run, run_id)
        first, second, third = run.cohorts
        rest = proposals.publish(session, run, [first.key])
        assert rest is not None
        assert (run.state, rest.state) == (RunState.PUBLISHED, RunState.PROPOSED)
        assert [each.id for each in run.cohorts] == [first.id]
        assert {each.id for each in rest.cohorts} == {second.id, third.id}
        assert (run.n_learners, run.n_placed, rest.n_learners, rest.n_placed) == (6, 6, 13, 12)
        assert mails(session) == ["placed"] * 6
        assert living(session) == 6
        told = {row.reason for row in roster.stream(session, run.course) if not row.cohort}
        assert told == {"In a part of the proposal that is not published yet."}
        assert proposals.publish(session, rest) is None
        # The first part lives on, and now those without a cohort hear so.
        assert living(session) == 18
        assert mails(session) == ["placed"] * 18 + ["unplaced"]
        assert session.scalar(select(func.count()).where(Cohort.ended_at.is_not(None))) == 0


def test_nothing_chosen_is_refused_and_all_chosen_is_the_whole(database: Database) -> None:
    run_id = proposal(database)
    with database.transaction() as session:
        run = session.get_one(Run, run_id)
        with pytest.raises(Conflict, match="at least one"):
            proposals.publish(session, run, ["nobody's"])
        assert proposals.publish(session, run, [each.key for each in run.cohorts]) is None
        assert len(mails(session)) == 19


def test_who_took_a_seat_in_another_part_keeps_it(database: Database) -> None:
    run_id = proposal(database)
    with database.transaction() as session:
        run = session.get_one(Run, run_id)
        first, second, _third = run.cohorts
        mover = second.seats[0].signup_id
        rest = proposals.publish(session, run, [first.key])
        assert rest is not None
        session.add(Membership(signup_id=mover, cohort_id=first.id))
        session.flush()
        proposals.publish(session, rest)
        open_ones = session.scalars(
            select(Membership.cohort_id).where(Membership.signup_id == mover, Membership.until.is_(None))
        ).all()
        assert open_ones == [first.id]


def test_what_is_left_over_is_not_published_over_a_newer_match(database: Database) -> None:
    run_id = proposal(database)
    with database.transaction() as session:
        run = session.get_one(Run, run_id)
        rest = proposals.publish(session, run, [run.cohorts[0].key])
        assert rest is not None
        make_cohort(session, make_signup(session, run.course), course=run.course, at=now())
        with pytest.raises(Conflict, match="have been published since"):
            proposals.publish(session, rest)


def test_a_board_that_was_changed_since_is_not_published(database: Database) -> None:
    run_id = proposal(database)
    with database.transaction() as session, pytest.raises(Conflict, match="changed these cohorts by hand"):
        proposals.publish(session, session.get_one(Run, run_id), seen=3)


def test_taken_back_it_is_as_if_it_had_not_been(database: Database) -> None:
    run_id = proposal(database)
    with database.transaction() as session:
        run = session.get_one(Run, run_id)
        before = make_cohort(session, *(seat.signup for seat in run.cohorts[0].seats))
        proposals.publish(session, run, hold=HOLD)
        assert run.course.state is CourseState.RUNNING
        assert session.scalar(select(Cohort.ended_at).where(Cohort.id == before.id)) is not None
        assert (living(session), len(mails(session))) == (18, 19)
        assert take_back.until(session, run, now()) is not None
        take_back.take_back(session, run)
        assert (run.state, run.published_at) == (RunState.PROPOSED, None)
        assert run.course.state is CourseState.OPEN
        assert mails(session) == []
        assert living(session) == 6
        assert session.scalar(select(func.count()).select_from(Membership)) == 6
        assert session.get_one(Cohort, before.id).ended_at is None
        with pytest.raises(Conflict, match="cannot be taken back"):
            take_back.take_back(session, run)
        # And it can be published after all.
        proposals.publish(session, run)
        assert (living(session), len(mails(session))) == (18, 19)


def test_mails_wait_and_then_it_is_too_late(database: Database) -> None:
    run_id = proposal(database)
    with database.transaction() as session:
        proposals.publish(session, session.get_one(Run, run_id), hold=HOLD)
    mailer = Silent()
    links = Links("a secret for tests", "http://localhost")
    assert notices.deliver_due(database, links, mailer, "cohorts@example.org") == 0
    with database.transaction() as session:
        session.execute(update(Mail).values(not_before=now() - timedelta(seconds=1)))
    assert notices.deliver_due(database, links, mailer, "cohorts@example.org") == 19
    with database.transaction() as session:
        run = session.get_one(Run, run_id)
        assert take_back.until(session, run, now()) is None
        with pytest.raises(Conflict, match="cannot be taken back"):
            take_back.take_back(session, run)
        assert living(session) == 18


class Silent:
    """Takes every mail."""

    def __enter__(self) -> Silent:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def send(self, message: object) -> None:
        pass


def test_taking_back_while_mails_begin_to_leave_is_all_or_nothing(database: Database) -> None:
    run_id = proposal(database)
    with database.transaction() as session:
        proposals.publish(session, session.get_one(Run, run_id), hold=HOLD)
        ids = session.scalars(select(Mail.id)).all()
    barrier, outcomes = Barrier(2), []

    def leave() -> None:
        barrier.wait()
        with database.transaction() as session:
            # What a worker does whose clock is ahead.
            claimed = session.execute(
                update(Mail)
                .where(Mail.id == ids[-1], Mail.state == MailState.WAITING)
                .values(attempts=Mail.attempts + 1)
                .execution_options(synchronize_session=False)
            )
            outcomes.append(("left", claimed.rowcount))

    def back() -> None:
        barrier.wait()
        try:
            with database.transaction() as session:
                take_back.take_back(session, session.get_one(Run, run_id))
            outcomes.append(("back", 1))
        except Conflict:
            outcomes.append(("back", 0))

    threads = [Thread(target=each) for each in (leave, back)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = dict(outcomes)
    assert found["left"] + found["back"] == 1
    with database.reading() as session:
        assert living(session) == (0 if found["back"] else 18)
        assert len(mails(session)) == (0 if found["back"] else 19)
        assert session.scalar(select(func.count()).select_from(Seat)) == 19


def test_what_another_proposal_took_the_place_of_is_not_taken_back(database: Database) -> None:
    first_id = proposal(database)
    with database.transaction() as session:
        course = session.get_one(Run, first_id).course
        second_id = runs.request(session, course, None, time_limit=1).id
    runs.execute(database, second_id, "worker")
    with database.transaction() as session:
        first, second = session.get_one(Run, first_id), session.get_one(Run, second_id)
        proposals.publish(session, first, hold=HOLD)
        proposals.publish(session, second, hold=HOLD)
        assert take_back.until(session, first, now()) is None
        with pytest.raises(Conflict, match="cannot be taken back"):
            take_back.take_back(session, first)
        take_back.take_back(session, second)
        take_back.take_back(session, first)
        assert first.course.state is CourseState.OPEN


def test_a_part_taken_back_leaves_the_course_running_until_the_other_is(database: Database) -> None:
    run_id = proposal(database)
    with database.transaction() as session:
        run = session.get_one(Run, run_id)
        rest = proposals.publish(session, run, [run.cohorts[0].key], hold=HOLD)
        assert rest is not None
        proposals.publish(session, rest, hold=HOLD)
        take_back.take_back(session, run)
        assert (run.course.state, living(session)) == (CourseState.RUNNING, 12)
        take_back.take_back(session, rest)
        assert (run.course.state, living(session)) == (CourseState.OPEN, 0)


def test_whoever_left_the_course_is_not_back_by_taking_back(database: Database) -> None:
    run_id = proposal(database)
    with database.transaction() as session:
        run = session.get_one(Run, run_id)
        leaver, *others = (seat.signup for seat in run.cohorts[0].seats)
        make_cohort(session, leaver, *others)
        proposals.publish(session, run, hold=HOLD)
        moves.leave_course(session, leaver, None, "", now())
        take_back.take_back(session, run)
        assert living(session) == 5
        assert standing_of(session, leaver).cohort is None


def test_two_are_not_seated_together_when_one_has_blocked_the_other_since(database: Database) -> None:
    run_id = proposal(database)
    with database.transaction() as session:
        run = session.get_one(Run, run_id)
        one, other, *_ = (seat.signup for seat in run.cohorts[0].seats)
        person_blocks.block(session, one, email=other.email, at=now())
        with pytest.raises(Conflict, match="wish"):
            proposals.publish(session, run)

"""A season of a course, lived through in any order: whatever people do, what must hold holds.

Hypothesis invents who signs up, leaves, pauses, comes back, blocks and is silent, and what organisers do in
between; the real matcher seats them. After every step the rows themselves are looked at.
"""

from __future__ import annotations

import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from itertools import combinations
from pathlib import Path
from typing import Any
from unittest.mock import patch

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from cohorts import (
    adjust,
    attendance,
    checkins,
    deciding,
    denials,
    history,
    models,
    moves,
    notices,
    nudges,
    pauses,
    person_blocks,
    presence,
    privacy,
    proposals,
    roster,
    runs,
    schedule,
    seats,
    signups,
    statistics,
    take_back,
    weighing,
)
from cohorts.adjust import Hand
from cohorts.answers import Answers, answers_of
from cohorts.checkins import Pulse
from cohorts.database import Database
from cohorts.exceptions import CohortsError
from cohorts.links import Links
from cohorts.meetings import in_zone
from cohorts.models import (
    Answer,
    Cohort,
    Course,
    CourseState,
    Leaving,
    Mail,
    Membership,
    Run,
    RunKind,
    RunState,
    Seat,
    Signup,
    SignupState,
)
from cohorts.standing import members_of, standing_of
from tests import size
from tests.cohorts.test_notices import SENDER, Recorder
from tests.factories import make_course
from tests.site import SECRET
from tests.size import usual

EVENINGS = frozenset(range(36, 42))
HOURS = (EVENINGS, EVENINGS | frozenset(range(84, 92)), frozenset(range(84, 92)))
"""Monday evenings, these and Tuesday evenings, and Tuesday evenings alone."""
N_PEOPLE = 12
LINKS = Links(SECRET, "http://localhost")
REAL_NOW = models.now

people = st.integers(0, N_PEOPLE - 1)
hours = st.sampled_from(HOURS)
numbers = st.integers(0, 99)
foes = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), max_size=3)


class Season(RuleBasedStateMachine):
    """One course of eight weeks for at most ten learners, in cohorts of two to four."""

    template: Path
    folder: Path

    def __init__(self) -> None:
        super().__init__()
        file = self.folder / "season.sqlite3"
        for each in self.folder.glob("season.sqlite3*"):
            each.unlink()
        file.write_bytes(self.template.read_bytes())
        self.database = Database(f"sqlite:///{file}")
        self.at = REAL_NOW()
        self.clocks = [
            patch.object(module, "now", lambda: self.at)
            for name, module in list(sys.modules.items())
            if name.startswith("cohorts.") and getattr(module, "now", None) is REAL_NOW
        ]
        for clock in self.clocks:
            clock.start()
        self.erased_from: set[int | None] = set()
        self.apart: dict[frozenset[int], datetime] = {}

    def teardown(self) -> None:
        for clock in self.clocks:
            clock.stop()
        self.database.engine.dispose()

    @initialize(
        first=st.integers(4, 9),
        size_max=st.sampled_from([3, 4]),
        capacity=st.sampled_from([None, 8, 10]),
        runs_already=st.booleans(),
        foes=foes,
    )
    def open_the_course(
        self,
        first: int,
        size_max: int,
        capacity: int | None,
        runs_already: bool,
        foes: list[tuple[int, int]],
    ) -> None:
        today = self.at.date()
        with self.database.transaction() as session:
            course = make_course(
                session,
                start=today - timedelta(days=today.weekday() + 7),
                size_min=2,
                target_size=3,
                size_max=size_max,
                capacity=capacity,
                meeting_minutes=60,
                nudge_after=1,
                remove_after=1,
            )
            for number in range(first):
                signups.sign_up(session, course, self.answers(number, HOURS[0]), self.at)
        for number in range(first):
            self.confirm(number)
        for one, other in foes:
            self.block(one, other)
        if runs_already:
            self.match(0)
            self.publish()

    # What people do. Whatever the domain refuses changes nothing, and is as good.

    @contextmanager
    def acting(self) -> Iterator[tuple[Session, Course]]:
        """Act in a transaction; a refusal by the domain undoes it."""
        self.at += timedelta(minutes=1)
        with self.database.session(writes=True) as session:
            try:
                yield session, session.scalars(select(Course)).one()
            except CohortsError:
                session.rollback()
            else:
                session.commit()

    def person(self, session: Session, number: int) -> Signup | None:
        return session.scalar(select(Signup).where(Signup.email == address(number)))

    def act(self, number: int, done: Callable[[Session, Signup], object]) -> None:
        with self.acting() as (session, _course):
            me = self.person(session, number)
            if me is not None:
                done(session, me)

    @staticmethod
    def answers(number: int, free: frozenset[int], **more: Any) -> Answers:
        name = f"Person {number}"
        return Answers(name=name, email=address(number), time_zone="UTC", availability=free, **more)

    @rule(number=people, free=hours)
    def sign_up(self, number: int, free: frozenset[int]) -> None:
        with self.acting() as (session, course):
            signups.sign_up(session, course, self.answers(number, free), self.at)

    @rule(number=people)
    def confirm(self, number: int) -> None:
        self.act(number, lambda session, me: signups.confirm(session, me, self.at))

    @rule(number=people, because=st.sampled_from([None, *Leaving]))
    def withdraw(self, number: int, because: Leaving | None) -> None:
        self.act(number, lambda session, me: moves.leave_course(session, me, because, "", self.at))

    @rule(number=people)
    def leave_the_cohort(self, number: int) -> None:
        self.act(number, lambda session, me: moves.leave_cohort(session, me, None, "", self.at))

    @rule(number=people)
    def ask_for_another_cohort(self, number: int) -> None:
        self.act(number, lambda session, me: moves.ask_for_another(session, me, self.at))

    @rule(number=people)
    def come_back(self, number: int) -> None:
        self.act(number, lambda session, me: signups.come_back(session, me, self.at))

    @rule(number=people)
    def show_up_again(self, number: int) -> None:
        self.act(number, lambda session, me: nudges.rejoin(session, me, self.at))

    @rule(number=people, which=numbers)
    def take_an_open_seat(self, number: int, which: int) -> None:
        def take(session: Session, me: Signup) -> None:
            offered = seats.open_seats(session, me, self.at)
            if offered:
                moves.take_seat(session, me, offered[which % len(offered)].cohort.key, self.at)

        self.act(number, take)

    @rule(number=people, days=st.integers(1, 20))
    def pause(self, number: int, days: int) -> None:
        self.act(
            number, lambda session, me: pauses.pause(session, me, self.at.date() + timedelta(days), self.at)
        )

    @rule(number=people)
    def resume(self, number: int) -> None:
        self.act(number, lambda session, me: pauses.resume(session, me))

    @rule(number=people, free=hours, other=people)
    def edit(self, number: int, free: frozenset[int], other: int) -> None:
        def change(session: Session, me: Signup) -> None:
            avoids = (address(other),) if other != number and other % 3 == 0 else ()
            given = self.answers(number, free, avoids=avoids, shown=answers_of(me).shown)
            signups.edit(session, me, given, at=self.at)

        self.act(number, change)

    @rule(number=people, which=numbers)
    def check_in(self, number: int, which: int) -> None:
        def say(session: Session, me: Signup) -> None:
            cohort = standing_of(session, me).cohort
            mates = [] if cohort is None else [each.key for each in members_of(cohort) if each.id != me.id]
            talked = frozenset(mates[: which % 3])
            checkins.check_in(session, me, Pulse(talked_with=talked, go_on_with=talked), self.at)

        self.act(number, say)

    @rule(number=people, there=numbers)
    def say_who_was_there(self, number: int, there: int) -> None:
        def note(session: Session, me: Signup) -> None:
            cohort = standing_of(session, me).cohort
            meeting = cohort and schedule.latest(me.course, cohort, self.at)
            if cohort is not None and meeting is not None:
                members = [each.key for each in members_of(cohort)][: there % 4]
                attendance.note(session, cohort, me, meeting.starts_at, members, self.at)

        self.act(number, note)

    @rule(number=people, said=st.sampled_from(Answer))
    def answer_an_invitation(self, number: int, said: Answer) -> None:
        def answer(session: Session, me: Signup) -> None:
            cohort = standing_of(session, me).cohort
            meeting = cohort and schedule.coming(me.course, cohort, self.at)
            if cohort is not None and meeting is not None:
                attendance.answer(session, cohort, me, meeting.starts_at, said, self.at)

        self.act(number, answer)

    @rule(number=people, other=people)
    def deny(self, number: int, other: int) -> None:
        def say(session: Session, me: Signup) -> None:
            them = self.person(session, other)
            if them is not None:
                denials.deny(session, me, them.key, self.at)

        self.act(number, say)

    @rule(number=people, other=people)
    def block(self, number: int, other: int) -> None:
        self.act(
            number,
            lambda session, me: person_blocks.block(session, me, email=address(other), at=self.at),
        )

    @rule(number=people, which=numbers)
    def block_a_mate(self, number: int, which: int) -> None:
        """Block somebody one sits with, or is to sit with."""

        def block(session: Session, me: Signup) -> None:
            here = select(Seat.cohort_id).where(Seat.signup_id == me.id, Seat.cohort_id.is_not(None))
            near = select(Signup.email).join(Seat).where(Seat.cohort_id.in_(here), Signup.id != me.id)
            mates = sorted(set(session.scalars(near)))
            if mates:
                person_blocks.block(session, me, email=mates[which % len(mates)], at=self.at)

        self.act(number, block)

    @rule(number=people)
    def erase(self, number: int) -> None:
        def forget(session: Session, me: Signup) -> None:
            for table in (Membership, Seat):
                mine = select(table.cohort_id).where(table.signup_id == me.id)
                self.erased_from.update(session.scalars(mine))
            privacy.erase(session, me, self.at)

        self.act(number, forget)

    # What organisers and the worker do.

    @rule(weeks=st.sampled_from([0, 0, 1, 1, 2]))
    def time_passes(self, weeks: int) -> None:
        """Let some time pass, with all the worker does meanwhile."""
        with self.database.reading() as session:
            course = session.scalars(select(Course)).one()
            last = course.start + timedelta(weeks=course.weeks - 1)
        if in_zone(self.at, "UTC").date() + timedelta(weeks=weeks) < last:
            self.at += timedelta(weeks=weeks)
        self.at += timedelta(minutes=11)
        nudges.attend(self.database, self.at)
        with self.acting() as (session, _course):
            signups.expire_unconfirmed(session, self.at)
        while notices.deliver_due(self.database, LINKS, Recorder(), SENDER):
            pass

    @rule()
    def admit_those_who_wait(self) -> None:
        with self.acting() as (session, course):
            signups.lock(session, course)
            signups.admit(session, course)

    @rule(variant=st.integers(0, 3))
    def match(self, variant: int) -> None:
        run_id = None
        with self.acting() as (session, course):
            chosen = {"time_limit": 0.05, "on_conflict": "unplace", "random_state": variant}
            run = runs.request(session, course, None, **chosen)
            run.created_at = self.at
            run_id = run.id
        if run_id is not None:
            runs.execute(self.database, run_id, "worker")

    def has_proposal(self) -> bool:
        with self.database.reading() as session:
            return session.scalar(latest(RunState.PROPOSED)) is not None

    @precondition(has_proposal)
    @rule(which=numbers, effect=numbers, set_aside=st.booleans())
    def adjust_by_hand(self, which: int, effect: int, set_aside: bool) -> None:
        asked = None
        with self.acting() as (session, _course):
            run = session.scalars(latest(RunState.PROPOSED)).one()
            learners = sorted(session.scalars(select(Signup.key).join(Seat).where(Seat.run_id == run.id)))
            if learners:
                asked = weighing.ask(session, run, learners[which % len(learners)], "", self.at).id
        if asked is None:
            return
        weighing.Weigher(self.database).weigh_waiting()
        with self.acting() as (session, _course):
            run = session.scalars(latest(RunState.PROPOSED)).one()
            found = session.get_one(models.Weighing, asked)
            told = weighing.effects(found)
            if told:
                chosen = told[effect % len(told)]
                key = "" if chosen.to_id is None else session.get_one(Cohort, chosen.to_id).key
                other = "" if chosen.swap_id is None else session.get_one(Signup, chosen.swap_id).key
                hand = Hand(None, weighing.version(session, run), self.at)
                adjust.move(session, run, found, key, other, hand, set_aside=set_aside)

    @precondition(has_proposal)
    @rule(back=st.booleans())
    def think_again(self, back: bool) -> None:
        with self.acting() as (session, _course):
            run = session.scalars(latest(RunState.PROPOSED)).one()
            hand = Hand(None, weighing.version(session, run), self.at)
            (adjust.undo if back else adjust.redo)(session, run, hand)

    @precondition(has_proposal)
    @rule()
    def publish(self) -> None:
        with self.acting() as (session, _course):
            run = session.scalars(latest(RunState.PROPOSED)).one()
            proposals.publish(session, run, hold=notices.HOLD)

    @rule()
    def take_it_back(self) -> None:
        with self.acting() as (session, _course):
            run = session.scalar(latest(RunState.PUBLISHED))
            if run is not None:
                take_back.take_back(session, run)

    @rule(variant=st.integers(0, 3), most=st.sampled_from([None, 0, 2]))
    def rematch(self, variant: int, most: int | None) -> None:
        run_id = None
        with self.acting() as (session, course):
            chosen = {"random_state": variant, "time_limit": 0.2, "max_moves": most}
            run = runs.request_rematch(session, course, None, **chosen)
            run.created_at = self.at
            run_id = run.id
        if run_id is not None:
            runs.execute(self.database, run_id, "worker")

    @rule(all_of_it=st.booleans())
    def accept_a_rematch(self, all_of_it: bool) -> None:
        with self.acting() as (session, _course):
            run = session.scalar(latest(RunState.PROPOSED, RunKind.REMATCH))
            if run is not None:
                bundles = sorted(deciding.in_bundles(deciding.reseatings_of(session, run)))
                chosen = None if all_of_it else bundles[:1]
                deciding.accept(session, run, None, self.at, chosen=chosen)

    @rule()
    def take_a_rematch_back(self) -> None:
        with self.acting() as (session, _course):
            accepted = select(Run).where(Run.kind == RunKind.REMATCH).order_by(Run.id.desc()).limit(1)
            run = session.scalar(accepted)
            if run is not None:
                deciding.take_it_back(session, run, self.at)

    # What holds after every step.

    @invariant()
    def nobody_is_in_two_living_cohorts(self) -> None:
        with self.database.reading() as session:
            seated = session.execute(
                select(Membership.signup_id, Cohort.ended_at, Run.state)
                .join(Cohort, Cohort.id == Membership.cohort_id)
                .join(Run, Run.id == Cohort.run_id)
                .where(Membership.until.is_(None))
            ).all()
        assert all(number == 1 for number in Counter(each for each, _, _ in seated).values())
        assert [(ended, state) for _, ended, state in seated] == [(None, RunState.PUBLISHED)] * len(seated)

    @invariant()
    def history_never_overlaps(self) -> None:
        with self.database.reading() as session:
            assert history.overlaps(session) == []

    @invariant()
    def history_tells_of_what_was(self) -> None:
        with self.database.reading() as session:
            for each in session.scalars(select(Membership)):
                assert each.since <= self.at
                assert each.until is None or (each.until <= self.at and each.ended_because)

    @invariant()
    def only_those_who_take_part_are_seated(self) -> None:
        with self.database.reading() as session:
            for signup in session.scalars(select(Signup).join(Membership).where(Membership.until.is_(None))):
                assert (signup.state, signup.waiting) == (SignupState.CONFIRMED, False)
                assert presence.of(session, signup).removed_at is None

    @invariant()
    def sizes_are_in_bounds_or_there_is_a_reason(self) -> None:
        with self.database.reading() as session:
            course = session.scalars(select(Course)).one_or_none()
            if course is None:
                return
            for cohort in roster.cohorts(session, course):
                members = [each for each in cohort.memberships if each.until is None]
                if "size" in cohort.set_aside:
                    continue
                assert len(members) <= course.size_max
                if len(members) < course.size_min:
                    assert self.has_lost_somebody(session, cohort, len(members))

    def has_lost_somebody(self, session: Session, cohort: Cohort, n_members: int) -> bool:
        """Tell whether it was larger once, or was to be: somebody left, withdrew or was erased."""
        seats = session.scalar(select(func.count()).where(Seat.cohort_id == cohort.id)) or 0
        left = seats > n_members or len(cohort.memberships) > n_members
        return left or cohort.id in self.erased_from

    @invariant()
    def nobody_is_put_together_with_whom_they_are_apart_from(self) -> None:
        """Those who sat together when one of them wished to be apart may go on until one of them leaves."""
        with self.database.reading() as session:
            course = session.scalars(select(Course)).one_or_none()
            if course is None:
                return
            wished = {frozenset(pair) for pair in person_blocks.pairs(session, course.id)}
            self.apart = {pair: self.apart.get(pair, self.at) for pair in wished}
            together: dict[int, list[Membership]] = defaultdict(list)
            for each in session.scalars(select(Membership).where(Membership.until.is_(None))):
                together[each.cohort_id].append(each)
        for members in together.values():
            for one, other in combinations(members, 2):
                pair = frozenset({one.signup_id, other.signup_id})
                assert pair not in self.apart or max(one.since, other.since) < self.apart[pair]

    @invariant()
    def counts_agree(self) -> None:
        with self.database.reading() as session:
            course = session.scalars(select(Course)).one_or_none()
            if course is None:
                return
            rows = session.scalars(select(Signup)).all()
            present = [each for each in rows if each.state is not SignupState.WITHDRAWN]
            taken = [each for each in present if not each.waiting]
            counted = statistics.of_course(session, course)
            assert sum(counted.states.values()) == len(rows)
            assert counted.states["withdrawn"] == len(rows) - len(present)
            assert signups.places_taken(session, course) == len(taken)
            listed = list(roster.stream(session, course))
            seated = session.scalars(select(Membership.signup_id).where(Membership.until.is_(None))).all()
            assert sum(bool(row.cohort) for row in listed) == len(seated)
            if listed:
                confirmed = [each for each in taken if each.state is SignupState.CONFIRMED]
                assert sorted(row.email for row in listed) == sorted(each.email for each in confirmed)
            for run in session.scalars(latest(RunState.PROPOSED)):
                placed = select(func.count()).where(Seat.run_id == run.id, Seat.cohort_id.is_not(None))
                assert run.n_placed == session.scalar(placed)

    @invariant()
    def every_mail_can_be_put_into_words(self) -> None:
        with self.database.reading() as session:
            assert session.scalars(select(Mail.kind).where(Mail.last_error != "")).all() == []

    @invariant()
    def nobody_is_seated_before_the_course_runs(self) -> None:
        with self.database.reading() as session:
            course = session.scalars(select(Course)).one_or_none()
            if course is not None and course.state is not CourseState.RUNNING:
                assert session.scalar(select(func.count()).where(Membership.until.is_(None))) == 0


def address(number: int) -> str:
    return f"person{number}@example.org"


def latest(state: RunState, kind: RunKind = RunKind.MATCH) -> Select[Run]:
    return select(Run).where(Run.state == state, Run.kind == kind).order_by(Run.id.desc()).limit(1)


def test_whatever_people_do_in_a_season_what_must_hold_holds(migrated_sqlite: Path, tmp_path: Path) -> None:
    machine = type("OneSeason", (Season,), {"template": migrated_sqlite, "folder": tmp_path})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=usual(14, full=500),
            stateful_step_count=usual(30, full=80),
            deadline=None,
            phases=tuple(Phase) if size.is_full else (Phase.generate,),  # to shrink takes minutes
            suppress_health_check=list(HealthCheck),
        ),
    )

"""Rematches: who is looked at, what is proposed, what accepting it does, and what the world has overtaken."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from threading import Barrier, Thread
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from cohorts import (
    deciding,
    moves,
    person_blocks,
    privacy,
    rematch_rules,
    rematches,
    runs,
    signups,
    take_back,
)
from cohorts.database import Database
from cohorts.exceptions import Conflict, RunInProgress, UnfitPool
from cohorts.models import (
    Cause,
    Cohort,
    CohortChange,
    Connection,
    Course,
    CourseState,
    Decision,
    Fate,
    Mail,
    MailState,
    Membership,
    RematchWhen,
    Reseating,
    Run,
    RunKind,
    RunState,
    Seat,
    Signup,
    SignupState,
    Source,
    now,
)
from cohorts.notices import Kind
from cohorts.reseatings import bundles
from tests.factories import make_cohort, make_course, make_signup, make_user

NEVER_FREE = frozenset(range(6 * 48 + 16, 6 * 48 + 20))


@dataclass
class Town:
    """A running course of three to five in a cohort: a large one, a small one, and somebody with none."""

    course: int
    large: int
    small: int
    people: dict[str, int]

    def signup(self, session: Session, name: str) -> Signup:
        return session.get_one(Signup, self.people[name])


def found_town(session: Session, newcomers: int = 1, **given: object) -> Town:
    course = make_course(
        session,
        make_user(session),
        **{"state": CourseState.RUNNING, "size_min": 3, "target_size": 4, "size_max": 5, **given},
    )
    names = ("Ana", "Bo", "Cleo", "Dan", "Eve", "Finn", *(f"New {n}" for n in range(1, newcomers + 1)))
    people = {name: make_signup(session, course, ("Music",), name=name) for name in names}
    large = make_cohort(session, *(people[each] for each in ("Ana", "Bo", "Cleo", "Dan")), name="Large")
    small = make_cohort(session, people["Eve"], people["Finn"], name="Small")
    return Town(course.id, large.id, small.id, {name: each.id for name, each in people.items()})


@pytest.fixture
def town(database: Database) -> Town:
    with database.transaction() as session:
        return found_town(session)


def rematched(database: Database, town: Town, **wishes: Any) -> int:
    """Rematch a course and return the id of the run."""
    with database.transaction() as session:
        course = session.get_one(Course, town.course)
        run_id = runs.request_rematch(session, course, make_user(session), time_limit=3, **wishes).id
    runs.execute(database, run_id, "worker")
    return run_id


def accepted(database: Database, run_id: int, **given: Any) -> deciding.Outcome:
    with database.transaction() as session:
        run = session.get_one(Run, run_id)
        return deciding.accept(session, run, make_user(session), now(), **given)


def homes(session: Session) -> dict[str, str | None]:
    found = session.execute(
        select(Signup.name, Cohort.name)
        .join(Membership, (Membership.signup_id == Signup.id) & Membership.until.is_(None))
        .join(Cohort, Cohort.id == Membership.cohort_id)
    )
    return dict(found.all())


def told(session: Session) -> dict[str, str]:
    """Who gets which mail."""
    mails = session.scalars(select(Mail).where(Mail.state == MailState.WAITING, Mail.signup_id.is_not(None)))
    return {each.signup.name: each.kind for each in mails if each.signup is not None}


def proposed(session: Session, run_id: int) -> list[Reseating]:
    return deciding.reseatings_of(session, session.get_one(Run, run_id))


def test_nobody_to_seat_is_refused(session: Session) -> None:
    town = found_town(session, newcomers=0)
    course = session.get_one(Course, town.course)
    for name in ("Eve", "Finn"):
        moves.leave_course(session, town.signup(session, name), None, "", now())
    with pytest.raises(UnfitPool, match="all is well"):
        runs.request_rematch(session, course, None)
    course.state = CourseState.OPEN
    with pytest.raises(UnfitPool, match="nothing to rematch around"):
        runs.request_rematch(session, course, None)


def test_request_beside_another_run_is_refused(session: Session) -> None:
    course = session.get_one(Course, found_town(session).course)
    run = runs.request_rematch(session, course, None, max_moves=2)
    assert (run.kind, run.state, run.wishes["max_moves"]) == (RunKind.REMATCH, RunState.QUEUED, 2)
    with pytest.raises(RunInProgress):
        runs.request(session, course, None)


def test_scene_has_everybody_who_might_sit_elsewhere(session: Session) -> None:
    town = found_town(session, capacity=10)
    course = session.get_one(Course, town.course)
    at = now()
    moves.leave_cohort(session, town.signup(session, "Dan"), None, "", at)
    moves.ask_for_another(session, town.signup(session, "Ana"), at)
    away = make_signup(session, course, name="Away", paused_until=date(2030, 1, 1))
    for n in range(4):
        make_signup(session, course, name=f"Waits {n}", waiting=True, created_at=at + timedelta(n))
    make_signup(session, course, state=SignupState.PENDING)
    seen = rematches.scene(session, course, at)
    assert {each.name for each in seen.without} == {"Dan", "New 1"}
    # Nine places are taken, that of the pending one among them: one more fits.
    assert [each.name for each in seen.waiting] == ["Waits 0"][: 10 - signups.places_taken(session, course)]
    assert [each.name for each in seen.small] == ["Small"]
    assert seen.asked == {town.people["Ana"]}
    assert seen.returning == {town.people["Dan"]}
    assert away.id not in {each.id for each in seen.people}


def test_small_cohort_is_filled_and_told_why(database: Database, town: Town) -> None:
    run_id = rematched(database, town)
    with database.reading() as session:
        run = session.get_one(Run, run_id)
        assert (run.state, run.n_learners, run.n_placed) == (RunState.PROPOSED, 7, 7)
        assert run.objective is not None
        assert run.bound is not None
        assert run.objective <= run.bound + 1e-6
        [row] = proposed(session, run_id)
        assert (row.signup.name, row.cause, row.left, row.state) == (
            "New 1",
            Cause.NO_COHORT,
            None,
            Decision.PROPOSED,
        )
        assert row.joined is not None
        assert (row.joined.name, row.joined.fate) == ("Small", Fate.GOES_ON)
        assert (row.joined.n_before, row.joined.n_after) == (2, 3)
        assert row.reasons
        assert homes(session).get("New 1") is None


def test_accepting_seats_and_tells_only_those_touched(database: Database, town: Town) -> None:
    run_id = rematched(database, town)
    assert accepted(database, run_id) == deciding.Outcome(1, [])
    with database.reading() as session:
        assert homes(session)["New 1"] == "Small"
        assert told(session) == {
            "New 1": Kind.RESEATED,
            "Eve": Kind.COHORT_CHANGED,
            "Finn": Kind.COHORT_CHANGED,
        }
        assert session.get_one(Run, run_id).state is RunState.PUBLISHED
    with pytest.raises(Conflict, match="decided already"):
        accepted(database, run_id)


def test_small_cohort_merges_whole_and_can_be_taken_back(database: Database) -> None:
    with database.transaction() as session:
        town = found_town(session, newcomers=0, size_max=6)
    run_id = rematched(database, town)
    with database.reading() as session:
        rows = proposed(session, run_id)
        assert {(each.signup.name, each.cause) for each in rows} == {
            ("Eve", Cause.TOO_SMALL),
            ("Finn", Cause.TOO_SMALL),
        }
        assert len({each.bundle for each in rows}) == 1
        changes = session.scalars(select(CohortChange).order_by(CohortChange.number)).all()
        assert {each.name: each.fate for each in changes} == {"Large": Fate.GOES_ON, "Small": Fate.MERGES}
        before = homes(session)
    accepted(database, run_id)
    with database.reading() as session:
        assert set(homes(session).values()) == {"Large"}
        assert session.get_one(Cohort, town.small).ended_at is not None
        ended = session.scalars(select(Membership).where(Membership.until.is_not(None))).all()
        assert {each.ended_because for each in ended} == {"rematched"}
        assert set(told(session)) == {"Ana", "Bo", "Cleo", "Dan", "Eve", "Finn"}
    with database.transaction() as session:
        assert deciding.take_it_back(session, session.get_one(Run, run_id), now()) == 2
    with database.reading() as session:
        assert homes(session) == before
        assert session.get_one(Cohort, town.small).ended_at is None
        assert told(session) == {}
        assert {each.state for each in proposed(session, run_id)} == {Decision.PROPOSED}
    assert accepted(database, run_id).accepted == 2


def test_new_cohort_opens_whole_and_vanishes_when_taken_back(database: Database) -> None:
    with database.transaction() as session:
        town = found_town(session, newcomers=9)
    run_id = rematched(database, town)
    with database.reading() as session:
        opened = session.scalars(select(CohortChange).where(CohortChange.fate == Fate.OPENS)).all()
        assert opened
        rows = [each for each in proposed(session, run_id) if each.joined in opened]
        for change in opened:
            assert len({each.bundle for each in rows if each.joined is change}) == 1
        assert not session.scalars(select(Cohort).where(Cohort.run_id == run_id)).all()
        chosen = rows[0].bundle
    n = accepted(database, run_id, chosen=[chosen]).accepted
    with database.reading() as session:
        [cohort] = session.scalars(select(Cohort).where(Cohort.run_id == run_id)).all()
        assert 3 <= n <= 5
        assert list(homes(session).values()).count(cohort.name) == n
        assert cohort.meetings
    with database.transaction() as session:
        deciding.take_it_back(session, session.get_one(Run, run_id), now())
        assert not session.scalars(select(Cohort).where(Cohort.run_id == run_id)).all()


def test_part_is_accepted_and_the_rest_declined(database: Database) -> None:
    with database.transaction() as session:
        town = found_town(session, newcomers=2, size_min=2, target_size=3)
        moves.leave_course(session, town.signup(session, "Finn"), None, "", now())
        session.execute(delete(Mail))
        make_signup(session, session.get_one(Course, town.course), name="Far", availability=NEVER_FREE)
    run_id = rematched(database, town)
    with database.reading() as session:
        rows = proposed(session, run_id)
        unplaced = session.scalars(select(Seat).where(Seat.run_id == run_id)).all()
        assert [each.signup.name for each in unplaced] == ["Far"]
    some = rows[0].bundle
    accepted(database, run_id, chosen=[some])
    with database.transaction() as session:
        run = session.get_one(Run, run_id)
        rest = deciding.in_bundles(proposed(session, run_id))
        assert some not in rest
        if rest:
            assert deciding.decline(session, run, None, now()) == sum(map(len, rest.values()))
    with database.reading() as session:
        states = {each.bundle: each.state for each in proposed(session, run_id)}
        assert states.pop(some) is Decision.ACCEPTED
        assert set(states.values()) <= {Decision.DECLINED}


def test_a_new_cohort_is_not_opened_at_a_time_that_is_full_by_now(database: Database) -> None:
    """The limit is that of the published match; what fills the time after the proposal outdates it."""
    with database.transaction() as session:
        town = found_town(session, newcomers=9)
        for run in session.scalars(select(Run)):
            run.parameters = (run.parameters or {}) | {"max_simultaneous": 2}
    run_id = rematched(database, town)
    with database.transaction() as session:
        run = session.get_one(Run, run_id)
        assert run.parameters["max_simultaneous"] == 2
        opened = session.scalars(select(CohortChange).where(CohortChange.fate == Fate.OPENS)).all()
        assert {len(each.meetings) for each in opened} == {1}
        assert deciding.troubles(session, run, proposed(session, run_id), now()) == {}
        for number in range(2):
            late = [make_signup(session, run.course) for _ in range(3)]
            make_cohort(session, *late, name=f"Late {number}").meetings = list(opened[0].meetings)
    outcome = accepted(database, run_id)
    assert any("at one time" in each for each in outcome.outdated)


@pytest.mark.parametrize("what", ["withdrew", "took a seat", "cohort ended", "filled", "blocked", "busy"])
def test_what_the_world_has_overtaken_is_outdated(database: Database, town: Town, what: str) -> None:
    run_id = rematched(database, town)
    with database.transaction() as session:
        newcomer, eve = town.signup(session, "New 1"), town.signup(session, "Eve")
        course = session.get_one(Course, town.course)
        small = session.get_one(Cohort, town.small)
        if what == "withdrew":
            moves.leave_course(session, newcomer, None, "", now())
        elif what == "took a seat":
            moves.take_seat(session, newcomer, session.get_one(Cohort, town.large).key, now())
        elif what == "cohort ended":
            for membership in small.memberships:
                membership.until = now()
            small.ended_at = now()
        elif what == "filled":
            for _ in range(3):
                late = make_signup(session, course)
                session.add(Membership(signup_id=late.id, cohort_id=town.small))
        elif what == "blocked":
            person_blocks.block(session, eve, email=newcomer.email, at=now())
        else:
            newcomer.availability = NEVER_FREE
        session.execute(delete(Mail))
    words = {
        "withdrew": "New 1 has left the course",
        "took a seat": "New 1 sits elsewhere",
        "cohort ended": "Small has ended",
        "filled": "Small has no free seat",
        "blocked": "wishes have changed",
        "busy": "time of Small does not suit",
    }
    with database.reading() as session:
        run = session.get_one(Run, run_id)
        assert words[what] in deciding.troubles(session, run, proposed(session, run_id), now())[1]
        before = homes(session)
    outcome = accepted(database, run_id)
    assert outcome.accepted == 0
    assert words[what] in outcome.outdated[0]
    with database.reading() as session:
        assert homes(session) == before
        assert told(session) == {}
        assert [each.state for each in proposed(session, run_id)] == [Decision.OUTDATED]
        assert session.get_one(Run, run_id).state is RunState.PROPOSED


def test_nobody_comes_back_to_those_they_left_or_blocked(database: Database) -> None:
    with database.transaction() as session:
        town = found_town(session, newcomers=2)
        moves.leave_cohort(session, town.signup(session, "Finn"), None, "", now() - timedelta(days=3))
        eve, first = town.signup(session, "Eve"), town.signup(session, "New 1")
        person_blocks.block(session, eve, email=first.email, at=now())
    accepted(database, rematched(database, town))
    with database.reading() as session:
        found = homes(session)
        assert found["Finn"] != found["Eve"]
        assert found.get("New 1") != found["Eve"]


def test_who_withdrew_and_came_back_may_join_their_old_people(database: Database) -> None:
    with database.transaction() as session:
        town = found_town(session, newcomers=0)
        finn = town.signup(session, "Finn")
        moves.leave_course(session, finn, None, "", now() - timedelta(days=3))
        finn.state, finn.waiting = SignupState.CONFIRMED, True
        other = make_signup(session, session.get_one(Course, town.course), name="Gil")
        session.add(Membership(signup_id=other.id, cohort_id=town.small))
    accepted(database, rematched(database, town))
    with database.reading() as session:
        assert homes(session)["Finn"] is not None
        assert not town.signup(session, "Finn").waiting


def test_who_asked_moves_and_their_wish_is_over(database: Database) -> None:
    with database.transaction() as session:
        town = found_town(session, newcomers=0, size_min=2, target_size=3)
        moves.ask_for_another(session, town.signup(session, "Ana"), now())
        for one, other in (("Ana", "Eve"), ("Eve", "Ana")):
            session.add(
                Connection(
                    course_id=town.course,
                    from_id=town.people[one],
                    to_id=town.people[other],
                    source=Source.GO_ON_WITH,
                )
            )
    run_id = rematched(database, town)
    with database.reading() as session:
        [row] = proposed(session, run_id)
        assert (row.signup.name, row.cause, row.n_known) == ("Ana", Cause.ASKED, 1)
    accepted(database, run_id)
    with database.reading() as session:
        ana = town.signup(session, "Ana")
        assert homes(session)["Ana"] == "Small"
        assert not moves.wants_another(session, ana)
        left = session.scalar(select(Membership.ended_because).where(Membership.until.is_not(None)))
        assert left == "asked"
        assert set(told(session)) == {"Ana", "Bo", "Cleo", "Dan", "Eve", "Finn"}


def at_once(*jobs: Callable[[], None]) -> list[str]:
    """Run jobs at the same moment; return what became of each."""
    barrier, outcomes = Barrier(len(jobs)), []

    def do(job: Callable[[], None]) -> None:
        barrier.wait()
        try:
            job()
            outcomes.append("done")
        except Conflict:
            outcomes.append("refused")

    threads = [Thread(target=do, args=(each,)) for each in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(outcomes)


def test_two_organisers_accept_at_once(database: Database, town: Town) -> None:
    run_id = rematched(database, town)

    def accept() -> None:
        with database.transaction() as session:
            deciding.accept(session, session.get_one(Run, run_id), None, now())

    assert at_once(accept, accept) == ["done", "refused"]
    with database.reading() as session:
        assert len(session.scalars(select(Membership)).all()) == 7
        assert len(told(session)) == 3


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_without_the_lock_two_would_decide_the_same(
    database: Database, town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The race above is real: when nobody waits, both see what is to be decided and decide it."""
    run_id = rematched(database, town)
    barrier = Barrier(2)

    def unlocked(session: Session, run: Run, chosen: object) -> tuple[Course, deciding.Bundles]:
        found = deciding.in_bundles(deciding.reseatings_of(session, run))
        barrier.wait()
        return session.get_one(Course, run.course_id), found

    monkeypatch.setattr(deciding, "_open", unlocked)

    def accept() -> None:
        with database.transaction() as session:
            assert deciding.accept(session, session.get_one(Run, run_id), None, now()).accepted == 1

    assert at_once(accept, accept) == ["done", "done"]


def test_withdrawing_while_it_is_accepted_leaves_nobody_withdrawn_in_a_seat(
    database: Database, town: Town
) -> None:
    run_id = rematched(database, town)

    def accept() -> None:
        with database.transaction() as session:
            deciding.accept(session, session.get_one(Run, run_id), None, now())

    def withdraw() -> None:
        with database.transaction() as session:
            moves.leave_course(session, town.signup(session, "New 1"), None, "", now())

    assert at_once(accept, withdraw) == ["done", "done"]
    with database.reading() as session:
        assert "New 1" not in homes(session)
        assert town.signup(session, "New 1").state is SignupState.WITHDRAWN


def test_an_earlier_proposal_is_outdated_by_the_next(database: Database, town: Town) -> None:
    first = rematched(database, town)
    rematched(database, town)
    with database.reading() as session:
        assert {each.state for each in proposed(session, first)} == {Decision.OUTDATED}
    with pytest.raises(Conflict):
        accepted(database, first)


def test_a_publication_is_not_taken_back_under_a_rematch(database: Database, town: Town) -> None:
    run_id = rematched(database, town)
    accepted(database, run_id)
    with database.transaction() as session:
        match = session.get_one(Cohort, town.small).run
        mail = Mail(kind=Kind.PLACED.value, signup_id=town.people["Eve"], run_id=match.id)
        mail.not_before = now() + timedelta(minutes=5)
        session.add(mail)
        session.flush()
        assert take_back.until(session, match, now()) is None


def test_erased_learners_leave_no_trace(database: Database, town: Town) -> None:
    run_id = rematched(database, town)
    with database.transaction() as session:
        privacy.erase(session, town.signup(session, "New 1"), now())
    with database.reading() as session:
        assert proposed(session, run_id) == []
    with pytest.raises(Conflict):
        accepted(database, run_id)


NIGHT = datetime(2026, 12, 1, 3, 30, tzinfo=UTC)


def test_the_rule_asks_once_while_nothing_changes(database: Database, town: Town) -> None:
    with database.transaction() as session:
        course = session.get_one(Course, town.course)
        rematch_rules.choose(session, course, RematchWhen.TOO_SMALL)
        [run_id] = rematch_rules.see_to(session, NIGHT)
        assert rematch_rules.see_to(session, NIGHT) == []
    runs.execute(database, run_id, "worker")
    with database.transaction() as session:
        assert rematch_rules.see_to(session, NIGHT + timedelta(days=1)) == []
        mails = session.scalars(select(Mail).where(Mail.kind == Kind.REMATCH_FOUND)).all()
        assert len(mails) == 1
        assert homes(session).get("New 1") is None
        moves.leave_course(session, town.signup(session, "Finn"), None, "", NIGHT)
        assert len(rematch_rules.see_to(session, NIGHT)) == 1


def test_the_nightly_rule_waits_for_the_night(database: Database, town: Town) -> None:
    with database.transaction() as session:
        course = session.get_one(Course, town.course)
        rematch_rules.choose(session, course, RematchWhen.NIGHTLY)
        assert rematch_rules.see_to(session, NIGHT - timedelta(hours=2)) == []
        assert len(rematch_rules.see_to(session, NIGHT)) == 1
        rematch_rules.choose(session, course, RematchWhen.NEVER)
        assert rematch_rules.see_to(session, NIGHT + timedelta(days=1)) == []


def test_the_rule_acts_within_its_limits(database: Database) -> None:
    with database.transaction() as session:
        town = found_town(session, newcomers=1, size_max=6)
        course = session.get_one(Course, town.course)
        rematch_rules.choose(session, course, RematchWhen.TOO_SMALL, act_within=0)
        [run_id] = rematch_rules.see_to(session, NIGHT)
    runs.execute(database, run_id, "worker")
    with database.reading() as session:
        run = session.get_one(Run, run_id)
        assert run.state is RunState.PUBLISHED
        # Nobody may be moved, so the newcomer fills the small cohort.
        assert homes(session)["New 1"] == "Small"
        assert homes(session)["Eve"] == "Small"


@given(st.integers(1, 8), st.data())
def test_bundles_are_the_finest_that_keep_everything_together(n: int, data: st.DataObject) -> None:
    groups = data.draw(st.lists(st.lists(st.integers(0, n - 1), min_size=1, max_size=3), max_size=6))
    found = bundles(n, groups)
    assert all(len({found[each] for each in group}) == 1 for group in groups)
    assert sorted(set(found)) == list(range(1, len(set(found)) + 1))
    links = {(a, b) for group in groups for a in group for b in group}
    for one in range(n):
        reach = {one}
        while True:
            more = {b for a, b in links if a in reach} - reach
            if not more:
                break
            reach |= more
        assert {each for each in range(n) if found[each] == found[one]} == reach

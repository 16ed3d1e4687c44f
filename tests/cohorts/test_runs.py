"""Runs: one at a time, claimed once, stored whole, cancelled, failed and published with reasons."""

from collections.abc import Callable
from datetime import date, timedelta
from threading import Barrier, Thread

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from cohorts import door, leases, proposals, roster, runs, signups
from cohorts.database import Database
from cohorts.exceptions import Conflict, NotFound, RunInProgress, UnfitPool
from cohorts.models import (
    Cohort,
    Course,
    CourseState,
    Mail,
    Membership,
    Run,
    RunState,
    Seat,
    Signup,
    SignupState,
    now,
)
from tests.factories import make_course, make_signup, make_user

SUNDAY_MORNING = frozenset(range(6 * 48 + 16, 6 * 48 + 20))


def course_of(session: Session, n_learners: int, **given: object) -> Course:
    course = make_course(session, **given)
    for number in range(n_learners):
        make_signup(session, course, (f"Topic {number % 3}", "Music"))
    return course


def proposed_run(database: Database, n_learners: int = 12, n_lonely: int = 1) -> int:
    """Match a small course and return the id of its run."""
    with database.transaction() as session:
        course = course_of(session, n_learners)
        for _ in range(n_lonely):
            make_signup(session, course, availability=SUNDAY_MORNING)
        run_id = runs.request(session, course, make_user(session), time_limit=3).id
    runs.execute(database, run_id, "worker")
    return run_id


def count(session: Session, table: type) -> int:
    return session.scalar(select(func.count()).select_from(table)) or 0


def test_request_keeps_the_settings(session: Session) -> None:
    course = course_of(session, 5, size_min=3, target_size=4, size_max=5, meeting_minutes=60)
    next(each for each in course.questions if each.key == "goal").asked = False
    next(each for each in course.questions if each.key == "interests").weight = 2.5
    run = runs.request(session, course, None, time_limit=7, random_state=3)
    settings = door.MatchSettings.from_json(run.parameters)
    assert (settings.size_min, settings.target_size, settings.size_max) == (3, 4, 5)
    assert (settings.start, settings.meeting_minutes) == (course.start, 60)
    assert (settings.time_limit, settings.random_state) == (7, 3)
    assert settings.weights["interests"] == 2.5
    assert "goal" not in settings.weights


def test_request_counts_only_who_can_be_matched(session: Session) -> None:
    course = course_of(session, 4)
    make_signup(session, course, state=SignupState.PENDING)
    make_signup(session, course, state=SignupState.WITHDRAWN)
    make_signup(session, course, waiting=True)
    assert runs.request(session, course, None).n_learners == 4


def test_request_too_few_is_refused(session: Session) -> None:
    with pytest.raises(UnfitPool, match="at least 4 learners, but only 3"):
        runs.request(session, course_of(session, 3), None)


def test_request_beside_another_is_refused(session: Session) -> None:
    course = course_of(session, 4)
    run = runs.request(session, course, None)
    with pytest.raises(RunInProgress):
        runs.request(session, course, None)
    runs.cancel(session, run)
    assert runs.request(session, course, None).state is RunState.QUEUED


def test_request_twice_at_once_makes_one_run(database: Database) -> None:
    with database.transaction() as session:
        course_id = course_of(session, 4).id
    barrier, outcomes = Barrier(4), []

    def ask() -> None:
        barrier.wait()
        try:
            with database.transaction() as session:
                runs.request(session, session.get_one(Course, course_id), None)
            outcomes.append("run")
        except RunInProgress:
            outcomes.append("refused")

    threads = [Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["refused", "refused", "refused", "run"]


def test_execute_seats_everybody_once(database: Database) -> None:
    run_id = proposed_run(database)
    with database.reading() as session:
        run = session.get_one(Run, run_id)
        assert (run.state, run.n_learners, run.n_placed, run.attempts) == (RunState.PROPOSED, 13, 12, 1)
        seats = session.scalars(select(Seat)).all()
        assert len({seat.signup_id for seat in seats}) == 13
        unplaced = [seat for seat in seats if seat.cohort_id is None]
        assert len(unplaced) == 1
        assert unplaced[0].reason != ""
        sizes = session.scalars(
            select(func.count()).where(Seat.cohort_id.is_not(None)).group_by(Seat.cohort_id)
        )
        assert all(4 <= size <= 8 for size in sizes)
        for cohort in session.scalars(select(Cohort)):
            assert cohort.meetings != []
            assert cohort.parts is not None
            assert sum(value for value, _most in cohort.parts.values()) == pytest.approx(
                cohort.score, abs=1e-4
            )


def test_execute_speaks_the_language_of_whoever_asked(database: Database) -> None:
    with database.transaction() as session:
        course = course_of(session, 8)
        run_id = runs.request(session, course, make_user(session, locale="es_MX"), time_limit=3).id
    runs.execute(database, run_id, "worker")
    with database.reading() as session:
        assert session.scalars(select(Cohort.name).order_by(Cohort.position)).first() == "Grupo 1"


def test_execute_again_changes_nothing(database: Database) -> None:
    run_id = proposed_run(database)
    runs.execute(database, run_id, "another worker")
    with database.reading() as session:
        assert session.get_one(Run, run_id).attempts == 1
        assert count(session, Seat) == 13


def test_execute_of_a_silent_worker_is_taken_over_and_its_result_thrown_away(database: Database) -> None:
    with database.transaction() as session:
        run_id = runs.request(session, course_of(session, 8), None, time_limit=3).id
        silent = leases.claim(session, run_id, "silent")
        assert silent is not None
        session.execute(update(Run).values(lease_until=now() - timedelta(seconds=1)))
    with database.reading() as session:
        assert runs.due(session, now()) == [run_id]
    runs.execute(database, run_id, "busy")
    with database.transaction() as session:
        assert leases.held_run(session, silent) is None
        assert session.get_one(Run, run_id).attempts == 2
        assert runs.due(session, now() + timedelta(days=1)) == []


def test_claim_at_once_succeeds_once(database: Database) -> None:
    with database.transaction() as session:
        run_id = runs.request(session, course_of(session, 4), None).id
    barrier, claims = Barrier(4), []

    def claim() -> None:
        barrier.wait()
        with database.transaction() as session:
            claims.append(leases.claim(session, run_id, "worker"))

    threads = [Thread(target=claim) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len([each for each in claims if each is not None]) == 1


def test_claim_after_three_lost_workers_fails_the_run(session: Session) -> None:
    run = runs.request(session, course_of(session, 4), None)
    for _ in range(3):
        assert leases.claim(session, run.id, "worker") is not None
        session.execute(update(Run).values(lease_until=now() - timedelta(seconds=1)))
    assert leases.claim(session, run.id, "worker") is None
    session.refresh(run)
    assert run.state is RunState.FAILED
    assert "stopped again and again" in run.reason


def test_cancel_queued_is_at_once(session: Session) -> None:
    run = runs.request(session, course_of(session, 4), None)
    runs.cancel(session, run)
    assert run.state is RunState.CANCELLED


def test_cancel_running_stores_nothing(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    with database.transaction() as session:
        run_id = runs.request(session, course_of(session, 8), None, time_limit=3).id
    match = runs.match_answers

    def cancelled_meanwhile(*args: object, **kwargs: object) -> object:
        with database.transaction() as session:
            runs.cancel(session, session.get_one(Run, run_id))
        return match(*args, **kwargs)

    monkeypatch.setattr(runs, "match_answers", cancelled_meanwhile)
    runs.execute(database, run_id, "worker")
    with database.reading() as session:
        assert session.get_one(Run, run_id).state is RunState.CANCELLED
        assert count(session, Seat) == 0


def test_execute_error_is_a_failed_run_with_a_reason(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    with database.transaction() as session:
        run_id = runs.request(session, course_of(session, 4), None).id

    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("the details are for the log")

    monkeypatch.setattr(runs, "match_answers", broken)
    runs.execute(database, run_id, "worker")
    with database.reading() as session:
        run = session.get_one(Run, run_id)
        assert run.state is RunState.FAILED
        assert run.reason.startswith("The match stopped")
        assert "details" not in run.reason


def test_execute_names_the_people_whose_wishes_contradict_each_other(database: Database) -> None:
    with database.transaction() as session:
        course = course_of(session, 4)
        ana, ben, cho = (
            make_signup(session, course, name=name, email=f"{name}@example.org")
            for name in ("Ana", "Ben", "Cho")
        )
        ana.works_with, ben.works_with, cho.works_with = [ben.email], [ana.email, cho.email], [ben.email]
        cho.avoids = [ana.email]
        ids = [runs.request(session, course, None, time_limit=3).id]
    runs.execute(database, ids[0], "worker")
    with database.transaction() as session:
        run = session.get_one(Run, ids[0])
        assert run.state is RunState.FAILED
        assert run.reason.startswith("Ana, Ben and Cho want to be together, but not all wishes among them")
        others = runs.request(session, run.course, None, time_limit=3, on_conflict="unplace")
        ids.append(others.id)
    runs.execute(database, ids[1], "worker")
    with database.reading() as session:
        run = session.get_one(Run, ids[1])
        assert (run.state, run.n_learners, run.n_placed) == (RunState.PROPOSED, 7, 4)


@pytest.mark.parametrize(
    ("names", "rules", "said"),
    [
        ([], ("convenor",), "nobody who takes part is"),
        (["Ana", "Ben"], ("together", "language"), "Ana and Ben want to be together, but share no language"),
        (["Ana", "Ben", "Cho"], ("together", "size"), "but a cohort has at most 2 members"),
    ],
)
def test_contradiction_says_what_it_is_about(names: list[str], rules: tuple[str, ...], said: str) -> None:
    assert door.contradiction(names, rules, 2).endswith(said)


def test_execute_gives_those_whose_hours_fit_nobodys_a_cohort_without_a_meeting(database: Database) -> None:
    with database.transaction() as session:
        course = course_of(session, 4)
        for day in range(4):
            make_signup(session, course, availability=frozenset(range(day * 48 + 10, day * 48 + 14)))
        run_id = runs.request(session, course, None, time_limit=3, asynchronous=True).id
    runs.execute(database, run_id, "worker")
    with database.transaction() as session:
        run = session.get_one(Run, run_id)
        assert sorted(len(cohort.meetings) > 0 for cohort in run.cohorts) == [False, True]
        proposals.publish(session, run)
        rows = list(roster.stream(session, run.course))
        assert sorted({row.meeting for row in rows}) == ["Monday 18:00–19:30", "no fixed meeting"]


def test_request_keeps_what_is_chosen_for_the_run(session: Session) -> None:
    chosen = {"worst_off_weight": 0.3, "max_simultaneous": 2, "convenor_required": True}
    run = runs.request(session, course_of(session, 4), None, **chosen)
    settings = door.MatchSettings.from_json(run.parameters)
    params = door.to_params(settings)
    assert {name: getattr(params, name) for name in chosen} == chosen


def test_settings_of_an_older_run_can_still_be_read() -> None:
    kept = door.MatchSettings(start=date(2027, 1, 11)).as_json()
    for name in ("worst_off_weight", "max_simultaneous", "asynchronous", "on_conflict"):
        del kept[name]
    assert door.MatchSettings.from_json(kept) == door.MatchSettings(start=date(2027, 1, 11))


def test_get_of_another_course_is_not_found(session: Session) -> None:
    run = runs.request(session, course_of(session, 4), None)
    assert runs.get(session, run.course, run.key) is run
    with pytest.raises(NotFound):
        runs.get(session, make_course(session), run.key)


def test_of_run_loads_in_a_fixed_number_of_queries(database: Database, count_queries: list[str]) -> None:
    counts = []
    for n_learners in (4, 30):
        run_id = proposed_run(database, n_learners)
        with database.reading() as session:
            run = session.get_one(Run, run_id)
            count_queries.clear()
            proposal = proposals.of_run(session, run)
            names = [member.name for each in proposal.cohorts for member in each.members]
            assert len(names) == n_learners
            assert len(proposal.unplaced) == 1
            counts.append(len([each for each in count_queries if each.startswith("SELECT")]))
    assert counts == [4, 4]


def test_publish_opens_memberships_and_writes_to_everybody(database: Database) -> None:
    run_id = proposed_run(database)
    with database.transaction() as session:
        assert count(session, Mail) == 0
        proposals.publish(session, session.get_one(Run, run_id))
    with database.reading() as session:
        run = session.get_one(Run, run_id)
        assert run.state is RunState.PUBLISHED
        assert run.course.state is CourseState.RUNNING
        assert count(session, Membership) == 12
        kinds = session.scalars(select(Mail.kind).order_by(Mail.kind)).all()
        assert kinds == ["placed"] * 12 + ["unplaced"]


def test_publish_twice_is_refused(database: Database) -> None:
    run_id = proposed_run(database)
    with database.transaction() as session:
        proposals.publish(session, session.get_one(Run, run_id))
        with pytest.raises(Conflict):
            proposals.publish(session, session.get_one(Run, run_id))
        assert count(session, Mail) == 13


def test_publish_leaves_out_who_withdrew(database: Database) -> None:
    run_id = proposed_run(database)
    with database.transaction() as session:
        gone = session.scalars(select(Signup).join(Seat).where(Seat.cohort_id.is_not(None))).first()
        assert gone is not None
        signups.withdraw(session, gone, now())
    with database.transaction() as session:
        proposals.publish(session, session.get_one(Run, run_id))
        assert session.scalar(select(Membership).where(Membership.signup_id == gone.id)) is None
        assert session.scalar(select(Mail).where(Mail.signup_id == gone.id)) is None
        assert count(session, Membership) == 11


def test_publish_leaves_out_who_came_back_to_wait(database: Database) -> None:
    run_id = proposed_run(database)
    with database.transaction() as session:
        back = session.scalars(select(Signup).join(Seat).where(Seat.cohort_id.is_not(None))).first()
        assert back is not None
        signups.withdraw(session, back, now())
        back.course.capacity = 12
        session.flush()
        signups.come_back(session, back, now())
        assert (back.state, back.waiting) == (SignupState.CONFIRMED, True)
        proposals.publish(session, session.get_one(Run, run_id))
        assert session.scalar(select(Membership).where(Membership.signup_id == back.id)) is None
        assert count(session, Membership) == 11


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"start": date(2027, 1, 18)}, "the first day"),
        ({"weeks": 9}, "the number of weeks"),
        ({"meeting_minutes": 120}, "the length of meetings"),
    ],
)
def test_publish_after_the_times_changed_is_refused(
    database: Database, make_proposal: Callable[[], int], change: dict[str, object], words: str
) -> None:
    run_id = make_proposal()
    with database.transaction() as session:
        run = session.get_one(Run, run_id)
        run.parameters = door.MatchSettings.of_course(run.course).as_json()
        before = {name: getattr(run.course, name) for name in change}
        session.execute(update(Course).where(Course.id == run.course_id).values(change))
        with pytest.raises(Conflict, match=words):
            proposals.publish(session, run)
        assert (run.state, count(session, Mail)) == (RunState.PROPOSED, 0)
        session.execute(update(Course).where(Course.id == run.course_id).values(before))
        proposals.publish(session, run)
        assert run.state is RunState.PUBLISHED


def race_publish_with_withdrawal(database: Database, run_id: int) -> None:
    """Publish and withdraw at the same moment."""
    with database.reading() as session:
        signup_id = session.scalars(select(Seat.signup_id).where(Seat.cohort_id.is_not(None))).first()
    barrier = Barrier(2)

    def publish() -> None:
        barrier.wait()
        with database.transaction() as session:
            proposals.publish(session, session.get_one(Run, run_id))

    def withdraw() -> None:
        barrier.wait()
        with database.transaction() as session:
            signups.withdraw(session, session.get_one(Signup, signup_id), now())

    threads = [Thread(target=publish), Thread(target=withdraw)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.reading() as session:
        still_open = select(Membership).where(Membership.signup_id == signup_id, Membership.until.is_(None))
        assert session.scalar(still_open) is None
        assert session.get_one(Run, run_id).state is RunState.PUBLISHED


def test_publish_beside_a_withdrawal_never_seats_who_withdrew(
    database: Database, make_proposal: Callable[[], int]
) -> None:
    for _ in range(10):
        race_publish_with_withdrawal(database, make_proposal())


@pytest.fixture
def make_proposal(database: Database) -> Callable[[], int]:
    """Make proposals without a search, for tests that need many."""

    def make() -> int:
        with database.transaction() as session:
            course = course_of(session, 5)
            run = Run(course_id=course.id, state=RunState.PROPOSED)
            cohort = Cohort(run=run, position=1, name="Cohort 1", score=0.5, meetings=[["UTC", 36]])
            members = session.scalars(select(Signup.id).where(Signup.course_id == course.id))
            run.seats = [Seat(signup_id=each, cohort=cohort) for each in members]
            session.add(run)
            session.flush()
            return run.id

    return make


def test_publish_another_run_ends_the_earlier_cohorts(
    database: Database, make_proposal: Callable[[], int]
) -> None:
    first = make_proposal()
    with database.transaction() as session:
        proposals.publish(session, session.get_one(Run, first))
        run = session.get_one(Run, first)
        again = Run(course_id=run.course_id, state=RunState.PROPOSED)
        cohort = Cohort(run=again, position=1, name="Cohort 1", score=0.5, meetings=[["UTC", 36]])
        again.seats = [Seat(signup_id=seat.signup_id, cohort=cohort) for seat in run.seats]
        session.add(again)
        session.flush()
        proposals.publish(session, again)
    with database.reading() as session:
        memberships = session.scalars(select(Membership)).all()
        assert len([each for each in memberships if each.until is None]) == 5
        ended = [each for each in memberships if each.until is not None]
        assert {each.ended_because for each in ended} == {"a new match was published"}
        assert len(ended) == 5

"""Courses are made, changed, opened and closed; their sign-ups are counted."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from cohorts import courses, statistics
from cohorts.answers import interest_key
from cohorts.asking import custom_questions
from cohorts.courses import Asking, Details
from cohorts.exceptions import Conflict, InvalidInput
from cohorts.models import Course, CourseState, Interest, Role, Signup, SignupState
from cohorts.questions import QUESTIONS
from tests.factories import ask, make_course, make_signup, make_user
from tests.questions import EXAMPLES

PLAIN = Details(title="Reading poems together", start=date(2027, 1, 11))
AT = datetime(2026, 12, 1, 12, tzinfo=UTC)


def test_create_with_defaults(session: Session) -> None:
    course = courses.create(session, make_user(session), PLAIN)
    assert (course.slug, course.state) == ("reading-poems-together", CourseState.DRAFT)
    assert (course.size_min, course.target_size, course.size_max) == (4, 6, 8)
    assert [(each.key, each.weight, each.asked, each.required) for each in course.questions] == [
        (key, question.weight, True, False) for key, question in QUESTIONS.items()
    ]


def test_create_makes_its_maker_the_organiser(session: Session) -> None:
    maker, other = make_user(session), make_user(session)
    course = courses.create(session, maker, PLAIN)
    assert [listed.course for listed in courses.for_user(session, maker)] == [course]
    assert courses.for_user(session, other) == []


def test_create_with_the_same_title_thrice(session: Session) -> None:
    user = make_user(session)
    slugs = [courses.create(session, user, PLAIN).slug for _ in range(3)]
    assert slugs == ["reading-poems-together", "reading-poems-together-2", "reading-poems-together-3"]


def test_create_with_a_slug_that_is_taken(session: Session) -> None:
    user = make_user(session)
    courses.create(session, user, replace(PLAIN, slug="poems"))
    with pytest.raises(InvalidInput) as caught:
        courses.create(session, user, replace(PLAIN, slug="poems"))
    assert list(caught.value.errors) == ["slug"]
    assert len(session.scalars(select(Course)).all()) == 1


def test_create_with_a_title_that_is_an_address_of_the_site(session: Session) -> None:
    assert courses.create(session, make_user(session), replace(PLAIN, title="New!")).slug == "new-2"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"title": " "}, "title"),
        ({"title": "x" * 121}, "title"),
        ({"slug": "Not a slug"}, "slug"),
        ({"slug": "new"}, "slug"),
        ({"slug": "x" * 61}, "slug"),
        ({"start": date(9999, 12, 31)}, "start"),
        ({"opens_at": datetime(1027, 1, 1, tzinfo=UTC)}, "opens_at"),
        ({"weeks": 0}, "weeks"),
        ({"weeks": 53}, "weeks"),
        ({"meeting_minutes": 20}, "meeting_minutes"),
        ({"meeting_minutes": 45}, "meeting_minutes"),
        ({"meeting_minutes": 510}, "meeting_minutes"),
        ({"size_min": 1}, "size_min"),
        ({"size_max": 3}, "size_max"),
        ({"size_max": 51}, "size_max"),
        ({"target_size": 9}, "target_size"),
        ({"target_size": 3}, "target_size"),
        ({"capacity": 0}, "capacity"),
        ({"capacity": 100_001}, "capacity"),
        ({"opens_at": AT, "closes_at": AT}, "closes_at"),
        ({"questions": {"goal": Asking(weight=-1)}}, "questions"),
        ({"questions": {"goal": Asking(weight=11)}}, "questions"),
        ({"questions": {"unheard of": Asking()}}, "questions"),
        ({"interests": ("x" * 81,)}, "interests"),
    ],
)
def test_create_with_a_wrong_detail(session: Session, change: dict[str, object], field: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        courses.create(session, make_user(session), replace(PLAIN, **change))  # type: ignore[arg-type]
    assert list(caught.value.errors) == [field]


def test_update_changes_what_is_given(session: Session) -> None:
    course = courses.create(session, make_user(session), PLAIN)
    changed = replace(
        courses.details_of(course),
        title="Poems",
        slug="poems",
        capacity=50,
        questions={"goal": Asking(asked=False, required=True, weight=3.0)},
        interests=("Rilke", "  Emily   Dickinson ", "rilke", ""),
    )
    courses.update(session, course, changed)
    goal = next(each for each in course.questions if each.key == "goal")
    assert (course.title, course.slug, course.capacity) == ("Poems", "poems", 50)
    assert (goal.asked, goal.required, goal.weight) == (True, True, 3.0)
    assert courses.details_of(course).interests == ("rilke", "Emily Dickinson")


def test_update_with_own_details_changes_nothing(session: Session) -> None:
    course = courses.create(session, make_user(session), replace(PLAIN, interests=("Rilke", "Sappho")))
    before = courses.details_of(course)
    courses.update(session, course, before)
    assert courses.details_of(course) == before


def test_update_adds_a_question_that_is_newer_than_the_course(session: Session) -> None:
    course = make_course(session)
    course.questions = []
    session.flush()
    courses.update(
        session, course, replace(PLAIN, slug=course.slug, questions={"goal": Asking(required=True)})
    )
    assert [(each.key, each.required) for each in course.questions] == [("goal", True)]


def test_update_address_of_an_open_course(session: Session) -> None:
    course = make_course(session, slug="poems")
    with pytest.raises(InvalidInput) as caught:
        courses.update(session, course, replace(courses.details_of(course), slug="verses"))
    assert (list(caught.value.errors), course.slug) == (["slug"], "poems")


def test_update_address_to_one_that_is_taken(session: Session) -> None:
    make_course(session, slug="poems")
    course = make_course(session, state=CourseState.DRAFT)
    with pytest.raises(InvalidInput) as caught:
        courses.update(session, course, replace(courses.details_of(course), slug="poems"))
    assert list(caught.value.errors) == ["slug"]


@pytest.mark.parametrize(
    "change",
    [{"start": date(2027, 2, 1)}, {"weeks": 9}, {"meeting_minutes": 60}],
    ids=lambda change: next(iter(change)),
)
def test_update_times_of_a_running_course(session: Session, change: dict[str, object]) -> None:
    course = make_course(session, state=CourseState.RUNNING)
    with pytest.raises(InvalidInput) as caught:
        courses.update(session, course, replace(courses.details_of(course), **change))  # type: ignore[arg-type]
    assert set(caught.value.errors) == set(change)


def test_update_interests_keeps_what_a_learner_picked(session: Session) -> None:
    course = make_course(session)
    courses.update(session, course, replace(courses.details_of(course), interests=("Rilke", "Sappho")))
    session.refresh(course, ["interests"])
    make_signup(session, course, interests=("rilke",))
    courses.update(session, course, replace(courses.details_of(course), interests=("Basho",)))
    stored = session.execute(select(Interest.label, Interest.listed).order_by(Interest.label))
    assert [tuple(row) for row in stored] == [("Basho", True), ("Rilke", False)]


@pytest.mark.parametrize("before", list(CourseState))
@pytest.mark.parametrize("after", list(CourseState))
def test_move(session: Session, before: CourseState, after: CourseState) -> None:
    course = make_course(session, state=before)
    if after is before or after in courses.MOVES[before]:
        courses.move(session, course, after)
        assert course.state is after
    else:
        with pytest.raises(Conflict):
            courses.move(session, course, after)
        assert course.state is before


def test_every_state_has_moves() -> None:
    assert set(courses.MOVES) == set(CourseState)


def test_open_sign_up_drops_dates_that_say_otherwise(session: Session) -> None:
    day = timedelta(days=1)
    early = make_course(session, state=CourseState.DRAFT, opens_at=AT + day, closes_at=AT + 2 * day)
    late = make_course(session, state=CourseState.CLOSED, opens_at=AT - 2 * day, closes_at=AT - day)
    for course in (early, late):
        courses.open_sign_up(session, course, at=AT)
    assert (early.opens_at, early.closes_at) == (None, AT + 2 * day)
    assert (late.opens_at, late.closes_at) == (AT - 2 * day, None)


def test_announce_keeps_the_opening_date(session: Session) -> None:
    course = make_course(session, state=CourseState.DRAFT, opens_at=AT)
    courses.announce(session, course)
    assert (course.state, course.opens_at) == (CourseState.OPEN, AT)


def test_close_sign_up_of_an_open_course(session: Session) -> None:
    course = make_course(session)
    courses.close_sign_up(session, course)
    assert course.state is CourseState.CLOSED


def fill(session: Session, course: Course, number: int) -> None:
    """Sign ``number`` learners up, in every state."""
    states = (SignupState.CONFIRMED, SignupState.PENDING, SignupState.WITHDRAWN)
    for each in range(number):
        make_signup(session, course, interests=(f"interest {each % 4}",), state=states[each % 3])


def test_for_user_counts_by_state(session: Session) -> None:
    user = make_user(session)
    course = make_course(session, user)
    fill(session, course, 5)
    make_signup(session, course, waiting=True)
    make_signup(session, course, waiting=True, state=SignupState.WITHDRAWN)
    empty = make_course(session, user)
    found = {
        each.course: (each.confirmed, each.pending, each.waiting) for each in courses.for_user(session, user)
    }
    assert found == {course: (2, 2, 1), empty: (0, 0, 0)}


def test_for_user_as_admin_sees_all(session: Session) -> None:
    made = {make_course(session, make_user(session)), make_course(session)}
    admin = make_user(session, role=Role.ADMIN)
    assert {each.course for each in courses.for_user(session, admin)} == made


@pytest.mark.parametrize("number", [1, 30])
def test_for_user_takes_one_query(session: Session, count_queries: list[str], number: int) -> None:
    user = make_user(session)
    for _ in range(number):
        fill(session, make_course(session, user), 3)
    session.expunge_all()
    count_queries.clear()
    assert len(courses.for_user(session, user)) == number
    assert len(count_queries) == 1


@pytest.mark.parametrize("number", [1, 30])
def test_statistics_take_two_queries(session: Session, count_queries: list[str], number: int) -> None:
    course = make_course(session)
    fill(session, course, number)
    count_queries.clear()
    statistics.of_course(session, course)
    assert len(count_queries) == 2


def test_statistics_of_an_empty_course(session: Session) -> None:
    found = statistics.of_course(session, make_course(session))
    assert (found.n_learners, found.over_time, found.interests, found.most_free) == (0, [], [], 0)


def test_statistics_count(session: Session) -> None:
    course = make_course(session)
    day = timedelta(days=1)
    make_signup(
        session, course, interests=("Rilke", "Sappho"), created_at=AT, languages=["English", "German"]
    )
    make_signup(
        session, course, interests=("Rilke",), created_at=AT + 2 * day, convenor=True, works_with=["a@b.c"]
    )
    make_signup(session, course, created_at=AT + 2 * day, waiting=True, avoids=["a@b.c"])
    make_signup(session, course, interests=("Basho",), state=SignupState.WITHDRAWN)
    found = statistics.of_course(session, course)
    assert found.states == {"confirmed": 2, "waiting": 1, "withdrawn": 1}
    assert found.over_time == [(AT.date(), 1), ((AT + day).date(), 1), ((AT + 2 * day).date(), 3)]
    assert found.interests == [("Rilke", 2), ("Sappho", 1), ("Basho", 0)]
    assert found.rare_interests == ["Sappho"]
    assert found.languages == [("English", 3), ("German", 1)]
    assert (found.convenors, found.wishes, found.concerns) == (1, 1, 1)


def test_statistics_show_availability_in_a_zone(session: Session) -> None:
    course = make_course(session)
    monday_eight = frozenset({16})
    make_signup(session, course, time_zone="Asia/Tokyo", availability=monday_eight)  # Sunday 23:00 UTC
    make_signup(session, course, time_zone="America/New_York", availability=monday_eight)  # 13:00 UTC
    make_signup(session, course, time_zone="Asia/Kolkata", availability=monday_eight)  # 02:30 UTC

    def free(zone: str) -> set[tuple[int, int]]:
        week = statistics.of_course(session, course, zone).free
        return {(day, slot) for day, slots in enumerate(week) for slot, count in enumerate(slots) if count}

    assert free("UTC") == {(6, 46), (0, 26), (0, 5)}
    assert free("Asia/Tokyo") == {(0, 16), (0, 44), (0, 23)}


@given(st.text(max_size=200))
def test_slug_from_any_title(title: str) -> None:
    slug = courses.slug_from(title)
    courses.check(replace(PLAIN, slug=f"{slug[:50]}".strip("-") + "-course"))
    assert 1 <= len(slug) <= courses.MAX_SLUG


@given(st.text(min_size=1, max_size=60))
def test_interest_key_knows_its_own_spelling(label: str) -> None:
    key = interest_key(label)
    assert interest_key(key) == key
    assert interest_key(f"  {label}  ") == key


def test_create_with_long_titles_that_begin_alike(session: Session) -> None:
    user = make_user(session)
    title = "listening " * 10
    slugs = [courses.create(session, user, replace(PLAIN, title=title)).slug for _ in range(3)]
    assert len(set(slugs)) == 3
    assert all(len(slug) <= courses.MAX_SLUG for slug in slugs)


def test_copy_takes_settings_and_questions_and_nothing_of_learners(session: Session) -> None:
    user = make_user(session)
    course = make_course(
        session,
        user,
        title="Reading poems",
        start=date(2020, 1, 8),
        opens_at=datetime(2019, 12, 1, 9, tzinfo=UTC),
        size_max=9,
        state=CourseState.FINISHED,
    )
    ask(session, course, *(example.question for example in EXAMPLES.values()))
    course.interests.append(Interest(key="listed", label="Listed", listed=True))
    make_signup(session, course, interests=("Mine alone",))
    at = datetime(2026, 5, 1, tzinfo=UTC)
    made = courses.copy(session, user, course, at)
    session.expire_all()
    assert (made.title, made.state, made.size_max) == ("Reading poems", CourseState.DRAFT, 9)
    assert made.slug != course.slug
    assert made.start.weekday() == course.start.weekday()
    assert timedelta(weeks=6) <= made.start - at.date() < timedelta(weeks=7)
    assert made.opens_at is not None
    assert course.opens_at is not None
    assert made.start - made.opens_at.date() == course.start - course.opens_at.date()
    assert [each.label for each in made.interests] == ["Listed"]
    assert custom_questions(made) == custom_questions(course)
    assert session.scalar(select(Signup).where(Signup.course_id == made.id)) is None


def test_copy_of_a_course_that_starts_late_keeps_its_dates(session: Session) -> None:
    user = make_user(session)
    course = make_course(session, user, start=date(2027, 1, 11))
    assert courses.copy(session, user, course, datetime(2026, 5, 1, tzinfo=UTC)).start == course.start

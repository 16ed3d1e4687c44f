"""Which meetings a cohort has, through every change of its time."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from cohorts import schedule
from cohorts.models import Cohort, Course, FixedMeeting, Run

PUBLISHED = datetime(2027, 2, 1, tzinfo=UTC)
MONDAY_19, TUESDAY_19, THURSDAY_19 = 38, 48 + 38, 3 * 48 + 38


def course(start: date = date(2027, 3, 1), weeks: int = 3) -> Course:
    return Course(title="A course", start=start, weeks=weeks, meeting_minutes=90)


def cohort(*fixed: tuple[datetime, int], zone: str = "UTC", published: datetime | None = PUBLISHED) -> Cohort:
    """Return a cohort that was to meet on Tuesdays, and was given other times at some moments."""
    run = Run(created_at=PUBLISHED, published_at=published)
    rows = [
        FixedMeeting(sequence=place, zone=zone, slot=slot, fixed_at=at)
        for place, (at, slot) in enumerate(fixed, start=1)
    ]
    return Cohort(run=run, key="k", name="Cohort 1", meetings=[[zone, TUESDAY_19]], fixed=rows)


def told(course: Course, cohort: Cohort) -> list[tuple[int, str, int, bool]]:
    """Return week, day, number of the plan, and whether it is on."""
    return [
        (each.week, f"{each.start:%d %b}", each.sequence, not each.is_cancelled)
        for each in schedule.of_cohort(course, cohort)
    ]


def test_before_anybody_fixes_the_best_common_time_holds() -> None:
    assert told(course(), cohort()) == [
        (0, "02 Mar", 0, True),
        (1, "09 Mar", 0, True),
        (2, "16 Mar", 0, True),
    ]
    assert not any(each.is_fixed for each in schedule.of_cohort(course(), cohort()))


def test_cohort_without_a_common_time_has_no_meetings() -> None:
    alone = cohort()
    alone.meetings = []
    assert schedule.of_cohort(course(), alone) == []
    assert schedule.coming(course(), alone, PUBLISHED) is None


def test_fixing_moves_what_is_to_come_and_leaves_what_has_been() -> None:
    moved = cohort((datetime(2027, 3, 3, 12, tzinfo=UTC), THURSDAY_19))
    assert told(course(), moved) == [(0, "02 Mar", 0, True), (1, "11 Mar", 1, True), (2, "18 Mar", 1, True)]


def test_fixing_the_proposed_time_makes_it_certain() -> None:
    agreed = cohort((datetime(2027, 2, 2, tzinfo=UTC), TUESDAY_19))
    assert told(course(), agreed) == [(0, "02 Mar", 1, True), (1, "09 Mar", 1, True), (2, "16 Mar", 1, True)]


def test_week_whose_new_time_is_over_has_no_meeting() -> None:
    """On Tuesday noon, hours before they would meet, the meeting goes to Mondays."""
    moved = cohort((datetime(2027, 3, 9, 12, tzinfo=UTC), MONDAY_19))
    assert told(course(), moved) == [(0, "02 Mar", 0, True), (1, "09 Mar", 1, False), (2, "15 Mar", 1, True)]


def test_cancelled_week_comes_back_with_a_later_time() -> None:
    noon = datetime(2027, 3, 9, 12, tzinfo=UTC)
    moved = cohort((noon, MONDAY_19), (noon + timedelta(hours=1), THURSDAY_19))
    assert told(course(), moved)[1:] == [(1, "11 Mar", 2, True), (2, "18 Mar", 2, True)]


def test_cohort_published_in_mid_course_has_no_meetings_before() -> None:
    late = cohort(published=datetime(2027, 3, 9, 20, tzinfo=UTC))
    assert told(course(), late) == [(2, "16 Mar", 0, True)]


def test_plans_after_somebody_left_are_not_theirs_to_see() -> None:
    moved = cohort((datetime(2027, 3, 3, 12, tzinfo=UTC), THURSDAY_19))
    seen = schedule.of_cohort(course(), moved, until=datetime(2027, 3, 3, 11, tzinfo=UTC))
    assert [f"{each.start:%d %b}" for each in seen] == ["02 Mar", "09 Mar", "16 Mar"]


def test_coming_is_the_meeting_under_way_until_it_ends() -> None:
    begin = datetime(2027, 3, 9, 19, tzinfo=UTC)
    for minutes, day in ((-1, 9), (0, 9), (89, 9), (90, 16)):
        found = schedule.coming(course(), cohort(), begin + timedelta(minutes=minutes))
        assert found is not None
        assert found.start.day == day
    assert schedule.coming(course(), cohort(), begin + timedelta(days=8)) is None


def test_latest_is_the_meeting_that_has_begun() -> None:
    begin = datetime(2027, 3, 9, 19, tzinfo=UTC)
    found = schedule.latest(course(), cohort(), begin)
    assert found is not None
    assert found.start == begin
    assert schedule.latest(course(), cohort(), PUBLISHED) is None


@given(
    zone=st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"]),
    changes=st.lists(
        st.tuples(st.datetimes(datetime(2027, 2, 20), datetime(2027, 5, 1)), st.integers(0, 335)), max_size=5
    ),
)
def test_every_week_has_at_most_one_meeting_and_the_past_never_moves(
    zone: str, changes: list[tuple[datetime, int]]
) -> None:
    a_course = course(weeks=8)
    made = sorted((at.replace(tzinfo=UTC), slot) for at, slot in changes)
    before: dict[int, datetime] = {}
    for number in range(len(made) + 1):
        found = schedule.of_cohort(a_course, cohort(*made[:number], zone=zone))
        assert len({each.week for each in found}) == len(found)
        at = made[number - 1][0] if number else PUBLISHED
        now_on = {each.week: each.starts_at for each in schedule.standing(found)}
        assert {w: s for w, s in now_on.items() if s <= at} == {w: s for w, s in before.items() if s <= at}
        for each in schedule.standing(found):
            slot = made[each.sequence - 1][1] if each.sequence else TUESDAY_19
            local = each.starts_at.astimezone(ZoneInfo(zone))
            # A wall-clock time that a clock change skips is an hour later, or half an hour.
            minutes = local.weekday() * 1440 + local.hour * 60 + local.minute - slot * 30
            assert minutes in (0, 30, 60)
        before = now_on

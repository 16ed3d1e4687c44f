"""The small picture of a week: the right days and hours, cut to those that matter."""

from datetime import date

from cohorts import language
from cohorts.meetings import Meeting
from cohorts.models import Course
from web.week_picture import Piece, draw

COURSE = Course(start=date(2027, 1, 11), weeks=4, meeting_minutes=90)


def test_picture_without_common_times_is_none() -> None:
    assert draw(COURSE, [], None, "UTC") is None


def test_picture_shows_an_hour_before_and_after() -> None:
    monday, tuesday = Meeting("UTC", 38), Meeting("UTC", 48 + 39)
    picture = draw(COURSE, [monday, tuesday], tuesday, "UTC")
    assert picture is not None
    assert picture.days == ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
    assert picture.height == 8  # from 18:00 to 22:00
    assert picture.common == [Piece(0, 2, 3), Piece(1, 3, 3)]
    assert picture.chosen == [Piece(1, 3, 3)]
    assert picture.hours == [(0, "18:00"), (4, "20:00")]


def test_picture_of_a_meeting_over_midnight_has_two_pieces() -> None:
    sunday = Meeting("UTC", 6 * 48 + 47)
    picture = draw(COURSE, [sunday], sunday, "UTC")
    assert picture is not None
    assert (picture.height, picture.common) == (48, [Piece(0, 0, 2), Piece(6, 47, 1)])


def test_picture_is_seen_from_a_time_zone() -> None:
    picture = draw(COURSE, [Meeting("Europe/Berlin", 38)], None, "Asia/Tokyo")
    assert picture is not None
    assert picture.common == [Piece(1, 2, 3)]  # Tuesday 03:00, below 02:00


def test_picture_starts_the_week_as_the_reader_does() -> None:
    with language.using("es-MX"):
        picture = draw(COURSE, [Meeting("UTC", 38)], None, "UTC")
    assert picture is not None
    assert picture.common[0].column == 1  # after Sunday

"""Days, hours and moments as people write them."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from cohorts import availability, clocks


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("Mon, Wed-Fri", (0, 2, 3, 4)),
        ("Tuesdays & Thu", (1, 3)),
        ("Fri-Mon", (4, 5, 6, 0)),
        ("weekends", (5, 6)),
        ("Weekdays", (0, 1, 2, 3, 4)),
        ("Mo/We", (0, 2)),
        ("Mardi", (1,)),
        ("miércoles", (2,)),
        ("Donnerstag", (3,)),
        ("segunda-feira", (0,)),
        ("sábado", (5,)),
        ("Mon 18:00", ()),
        ("Monday or so", ()),
        ("", ()),
    ],
)
def test_days(text: str, days: tuple[int, ...]) -> None:
    assert clocks.days(text) == days


@pytest.mark.parametrize(
    ("text", "hours"),
    [
        ("9am, 10am-noon; evening", [(9, None), (10, 12), (17, 21)]),
        ("9–11 am", [(9, 11)]),
        ("11-1pm", [(11, 13)]),
        ("9:00 AM – 10:30 AM (CET)", [(9, 10.5)]),
        ("18h30-20h", [(18.5, 20)]),
        ("18.30-20.00 Uhr", [(18.5, 20)]),
        ("Morning (8-12)", [(8, 12)]),
        ("10 p.m.-midnight", [(22, 24)]),
        ("12 AM; 12 PM", [(0, None), (12, None)]),
        ("9 to 10 am and 17", [(9, 10), (17, None)]),
        ("9:00:00 AM", [(9, None)]),
        ("None", []),
        ("n/a", []),
    ],
)
def test_times(text: str, hours: list[tuple[float, float | None]]) -> None:
    found = [(start / 60, None if end is None else end / 60) for start, end in clocks.times(text)]
    assert found == hours


@pytest.mark.parametrize("text", ["soon", "25:00", "13 pm", "9-soon", "9;soon", "9 9", "24:00", "9-25"])
def test_times_that_are_none(text: str) -> None:
    with pytest.raises(ValueError, match="is not an hour"):
        clocks.times(text)


@pytest.mark.parametrize(
    ("text", "week"),
    [
        ("Mon-Tue 6-9 pm; Saturday morning", "Mon 18:00-21:00; Tue 18:00-21:00; Sat 08:00-12:00"),
        ("Monday: 6pm-9pm, Tue 9-12", "Mon 18:00-21:00; Tue 09:00-12:00"),
        ("Mon and Wed 18-20", "Mon 18:00-20:00; Wed 18:00-20:00"),
        ("Mon 6-9pm, 10pm-11pm", "Mon 18:00-21:00; Mon 22:00-23:00"),
        ("Sun 23-1", "Mon 00:00-01:00; Sun 23:00-24:00"),
        ("lunes 18:15-19:50", "Mon 18:30-19:30"),
        ("Saturday all day", "Sat 00:00-24:00"),
        ("never", ""),
    ],
)  # fmt: skip
def test_week(text: str, week: str) -> None:
    assert availability.write(clocks.week(text)) == week


@pytest.mark.parametrize("text", ["whenever", "18-20", "Mon", "Mon 18-20; Tue", "mornings"])
def test_week_that_is_none(text: str) -> None:
    with pytest.raises(ValueError, match=r"is not a day and hours|is not an hour"):
        clocks.week(text)


def test_busy_hours_take_all_half_hours_that_they_touch() -> None:
    assert availability.write(clocks.week("Mon 18:15-19:50", touched=True)) == "Mon 18:00-20:00"


@pytest.mark.parametrize(
    ("text", "day", "hours"),
    [
        ("January 2027 Mon 11 6:00 PM – 7:00 PM", 0, ((1080, 1140),)),
        ("2027-01-12 18:00", 1, ((1080, None),)),
        ("Wednesday", 2, ()),
        ("9-10", None, ((540, 600),)),
        ("What is your 1st choice?", None, ()),
        ("Monday or Tuesday, 9 am", None, ((540, None),)),
    ],
)
def test_day_and_hours_in_a_heading(text: str, day: int | None, hours: tuple[clocks.Span, ...]) -> None:
    assert (clocks.day_in(text), clocks.spans_in(text)) == (day, hours)


@pytest.mark.parametrize(
    "text",
    [
        "2018/02/07 3:48:34 PM EST", "2/7/2018 15:48:34", "2018-02-07T15:48:34Z", "Feb 7, 2018 3:48:34 PM",
        "2018-02-07 15:48:34", "43138.65872685185", "43138,65872685185",
    ],
)  # fmt: skip
def test_moment(text: str) -> None:
    found = clocks.moment(text)
    assert found is not None
    assert abs(found - datetime.fromisoformat("2018-02-07T15:48:34+00:00")) < timedelta(seconds=1)


@pytest.mark.parametrize(
    ("column", "day_first"),
    [
        (["1/2/2027", "13/2/2027"], True),
        (["1/2/2027", "2/13/2027"], False),
        (["01.02.2027 18:00"], True),
        ([""], False),
    ],
)
def test_order_of_days_and_months_is_one_for_a_column(column: list[str], *, day_first: bool) -> None:
    assert clocks.is_day_first(column) is day_first


def test_text_that_is_no_moment() -> None:
    assert [clocks.moment(text) for text in ("", "soon", "99/99/2027", "9" * 30)] == [None] * 4

"""The language people are spoken to in."""

import json
import subprocess
import sys
from datetime import UTC, date, datetime
from threading import Thread

import pytest
from jinja2 import Environment

from cohorts import language
from cohorts.language import gettext, lazy_gettext, ngettext, using

MOMENT = datetime(2026, 11, 25, 18, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("tag", "locale"),
    [
        ("en", "en"),
        ("EN-us", "en_US"),
        ("es", "es"),
        ("es-MX", "es_MX"),
        ("es-419", "es_419"),
        ("es-XX", "es"),
        ("es-u-ca-buddhist", "es"),
        ("xx", None),
        ("", None),
        ("root", None),
        ("../../etc/passwd", None),
        ("e" * 5000, None),
        ("\0", None),
    ],
)
def test_tags_are_known_or_not(tag: str, locale: str | None) -> None:
    assert language.known(tag) == locale


def test_the_first_known_of_several_tags_counts() -> None:
    assert language.first_known(("xx", "es-MX", "en")) == "es_MX"
    assert language.first_known(("xx", "")) is None


def test_english_is_spoken_where_nobody_said_otherwise() -> None:
    assert language.locale() == "en"
    assert gettext("Language") == "Language"
    assert ngettext("%(num)s day", "%(num)s days", 2) == "2 days"


def test_a_language_is_spoken_for_a_while() -> None:
    with using("es-MX"):
        assert (language.locale(), language.code(), gettext("Language")) == ("es_MX", "es", "Idioma")
        with using(None):
            assert gettext("Language") == "Language"
        with pytest.raises(ZeroDivisionError), using("en-US"):
            raise ZeroDivisionError
        assert gettext("Language") == "Idioma"
    assert gettext("Language") == "Language"


def test_each_thread_speaks_its_own_language() -> None:
    heard = []
    with using("es"):
        thread = Thread(target=lambda: heard.append(gettext("Language")))
        thread.start()
        thread.join()
    assert heard == ["Language"]


def test_a_percent_sign_is_written_twice() -> None:
    assert gettext("%(n)s %% of all", n=5) == "5 % of all"


def test_a_lazy_text_follows_the_language() -> None:
    text = lazy_gettext("Language")
    assert (f"{text}", text.upper(), str(text), text == "Language") == (
        "Language",
        "LANGUAGE",
        "Language",
        True,
    )
    with using("es"):
        assert (f"{text}", text.upper(), str(text), text == "Idioma") == ("Idioma", "IDIOMA", "Idioma", True)
        assert json.dumps({"text": str(text)}) == '{"text": "Idioma"}'
        assert Environment(autoescape=True).from_string("{{ text }}").render(text=text) == "Idioma"


def test_templates_speak_the_present_language() -> None:
    environment = Environment(autoescape=True)
    language.install(environment)
    template = environment.from_string(
        '{{ _("Language") }} {{ day | date }} {% trans n=2 %}one{% pluralize %}{{ n }}{% endtrans %}'
    )
    with using("es"):
        assert template.render(day=MOMENT) == "Idioma 25 de noviembre de 2026 2"
    assert template.render(day=MOMENT) == "Language 25 November 2026 2"


@pytest.mark.parametrize(
    ("tag", "date_", "day", "with_weekday", "time", "week", "number", "names"),
    [
        (
            None,
            "25 November 2026",
            "25 November",
            "Wednesday, 25 November",
            "18:30",
            0,
            "12,345.5",
            "a, b and c",
        ),
        (
            "en-US",
            "November 25, 2026",
            "November 25",
            "Wednesday, November 25",
            "6:30\u202fPM",
            6,
            "12,345.5",
            "a, b, and c",
        ),
        (
            "es",
            "25 de noviembre de 2026",
            "25 de noviembre",
            "miércoles, 25 de noviembre",
            "18:30",
            0,
            "12.345,5",
            "a, b y c",
        ),
        (
            "es-MX",
            "25 de noviembre de 2026",
            "25 de noviembre",
            "miércoles, 25 de noviembre",
            "6:30\u202fp.m.",
            6,
            "12,345.5",
            "a, b y c",
        ),
    ],
)
def test_dates_times_and_numbers(
    tag: str | None, date_: str, day: str, with_weekday: str, time: str, week: int, number: str, names: str
) -> None:
    with using(tag):
        assert language.date(MOMENT) == date_
        assert language.day(date(2026, 11, 25)) == day
        assert language.day_and_weekday(MOMENT) == with_weekday
        assert language.time(MOMENT) == time
        assert language.moment(MOMENT) == f"{date_}, {time}"
        assert language.week() == [(week + each) % 7 for each in range(7)]
        assert language.number(12345.5) == number
        assert language.listing("abc") == names


def test_lines_run_from_right_to_left_where_they_do(monkeypatch: pytest.MonkeyPatch) -> None:
    assert language.direction() == "ltr"
    monkeypatch.setattr(language, "locale", lambda: "ar")
    assert language.direction() == "rtl"


def test_languages_are_called_by_their_own_names() -> None:
    assert [language.own_name(tag) for tag in language.available()] == ["English", "español"]


def test_no_babel_is_loaded_before_it_is_needed() -> None:
    program = (
        "import sys; from cohorts.language import gettext, lazy_gettext as lazy;"
        "assert gettext('A') == str(lazy('A')) == 'A'; sys.exit('babel' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0

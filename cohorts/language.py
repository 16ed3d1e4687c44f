"""The language people are spoken to in: texts, and how dates, times and numbers are written.

A locale such as ``es_MX`` says both. Its texts come from the nearest catalogue,
``cohorts/translations/<locale>/LC_MESSAGES/messages.po`` (here that of ``es``); the texts in the sources are
English and need none. Babel is loaded for what plain English does not need, and not before.

Every text is a format: values are named, ``gettext("Hello %(name)s", name=name)``, and a percent sign is
written ``%%``.
"""

from __future__ import annotations

import datetime as dt
import gettext as catalogues
import io
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, cast

from .week import SLOT_MINUTES, SLOTS, WEEKDAYS

if TYPE_CHECKING:
    import babel
    import jinja2

ENGLISH: Final = "en"
_PLAIN_ENGLISH: Final = "en_GB"
"""How English is written where nobody said which: day before month, 24 hours, Monday first."""
_DAY: Final = SLOTS // len(WEEKDAYS)
_TRANSLATIONS: Final = Path(__file__).with_name("translations")

_present: ContextVar[str] = ContextVar("locale", default=ENGLISH)


def locale() -> str:
    """Return the present locale, such as ``en`` or ``es_MX``."""
    return _present.get()


def speak(tag: str | None) -> None:
    """Speak the language of a tag from now on; without a known one, English."""
    _present.set((tag and known(tag)) or ENGLISH)


@contextmanager
def using(tag: str | None) -> Iterator[None]:
    """Speak the language of a tag for a while."""
    before = _present.get()
    speak(tag)
    try:
        yield
    finally:
        _present.set(before)


# Which languages there are


@lru_cache(maxsize=1)
def available() -> tuple[str, ...]:
    """Return the locales that have texts."""
    return (ENGLISH, *sorted(each.name for each in _TRANSLATIONS.iterdir() if each.is_dir()))


@lru_cache(maxsize=1000)
def known(tag: str) -> str | None:
    """Return the locale of a language tag such as ``es-MX``, if there are texts for it.

    A part that nobody knows is left out: ``es-XX`` is ``es``.
    """
    parts = tag.replace("-", "_").split("_")[:4]
    while parts:
        found = _parse("_".join(parts))
        if found is not None:
            return found if _with_texts(found) else None
        parts.pop()
    return None


def first_known(tags: Iterable[str]) -> str | None:
    """Return the locale of the first language tag there are texts for."""
    return next((found for tag in tags if (found := known(tag))), None)


def texts_of(tag: str) -> str | None:
    """Return the locale whose texts a language tag gets: that of ``es-MX`` is ``es``."""
    found = known(tag)
    return found and _with_texts(found)


def own_name(tag: str) -> str:
    """Return what a language is called by those who speak it."""
    import babel

    return babel.Locale.parse(tag).get_display_name() or tag


def code() -> str:
    """Return the language of the texts as HTML and mails name it, such as ``es`` or ``pt-BR``."""
    return (_with_texts(locale()) or ENGLISH).replace("_", "-")


def direction() -> str:
    """Return ``rtl`` where lines run from right to left, and ``ltr`` elsewhere."""
    return _babel(locale()).text_direction


def _parse(name: str) -> str | None:
    import babel

    try:
        return str(babel.Locale.parse(name))
    except (ValueError, babel.UnknownLocaleError):
        return None


def _with_texts(name: str) -> str | None:
    """Return the nearest locale with texts: ``es`` for ``es_MX``."""
    while name and name not in available():
        name = name.rpartition("_")[0]
    return name or None


# Texts


@lru_cache(maxsize=100)
def _catalogue(name: str) -> catalogues.NullTranslations:
    """Return the texts of a locale, read from the file that translators edit."""
    nearest = _with_texts(name)
    if nearest in (None, ENGLISH):
        return catalogues.NullTranslations()
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po

    compiled = io.BytesIO()
    with (_TRANSLATIONS / str(nearest) / "LC_MESSAGES" / "messages.po").open("rb") as file:
        write_mo(compiled, read_po(file, locale=nearest, abort_invalid=True))
    compiled.seek(0)
    return catalogues.GNUTranslations(compiled)


def gettext(message: str, /, **values: object) -> str:
    """Return a text in the present language."""
    return _catalogue(_present.get()).gettext(message) % values


def ngettext(singular: str, plural: str, n: int, /, **values: object) -> str:
    """Return the text that goes with a number, which the text may name ``%(num)s``."""
    return _catalogue(_present.get()).ngettext(singular, plural, n) % {"num": n, **values}


def pgettext(context: str, message: str, /, **values: object) -> str:
    """Return a text whose English means more than one thing; the context says which is meant."""
    return _catalogue(_present.get()).pgettext(context, message) % values


def marked(message: str) -> str:
    """Mark a text that is stored in English, for ``translated`` to find when it is shown."""
    return message


class Sentence(dict[str, Any]):
    """A text that is stored apart from its values, ``{"text": …, "values": {…}}``, to be shown later.

    With a number there are ``plural`` and ``n`` as well; ``traded`` marks what a cohort does without, which
    its members need not read. A value is a number, somebody's own words, a list of
    such words, a stretch of the week ``{"slot": …, "n_slots": …}``, or another sentence.
    """


def translated(stored: str | Mapping[str, Any]) -> str:
    """Return a stored text in the present language, or as it is if nobody translated it."""
    if isinstance(stored, str):
        return _catalogue(_present.get()).gettext(stored) if stored else ""
    text, plural = stored["text"], stored.get("plural")
    values = {name: _filled_in(value) for name, value in stored["values"].items()}
    return gettext(text, **values) if plural is None else ngettext(text, plural, stored["n"], **values)


def _filled_in(value: Any) -> str:
    """Return a value of a stored text as it is shown; words in it are somebody's own and stay as they are."""
    if isinstance(value, list):
        return listing(value)
    if not isinstance(value, dict):
        return str(value)
    return slots(value["slot"], value["n_slots"]) if "slot" in value else translated(value)


class LazyText:
    """A text that is put into the present language each time it is read."""

    __slots__ = ("_message", "_values")

    def __init__(self, message: str, values: dict[str, object]) -> None:
        """Keep the English and its values."""
        self._message, self._values = message, values

    def __str__(self) -> str:
        return gettext(self._message, **self._values)

    def __repr__(self) -> str:
        return f"lazy_gettext({self._message!r})"

    def __eq__(self, other: object) -> bool:
        return str(self) == str(other) if isinstance(other, str | LazyText) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._message)

    def __bool__(self) -> bool:
        return bool(self._message)

    def __mod__(self, values: object) -> str:
        return str(self) % values

    def __getattr__(self, name: str) -> object:
        return getattr(str(self), name)


def lazy_gettext(message: str, /, **values: object) -> str:
    """Return a text for a module or a class to hold: it follows the language of whoever reads it.

    It does what a ``str`` does where texts are shown; for anything else take ``str(text)``.
    """
    return cast(str, LazyText(message, values))


def install(environment: jinja2.Environment) -> None:
    """Teach templates ``_``, ``{% trans %}`` and the formats of this module."""
    environment.add_extension("jinja2.ext.i18n")
    environment.policies["ext.i18n.trimmed"] = True
    environment.install_gettext_callables(  # type: ignore[attr-defined]
        lambda text: _catalogue(_present.get()).gettext(text),
        lambda singular, plural, n: _catalogue(_present.get()).ngettext(singular, plural, n),
        newstyle=True,
        pgettext=lambda context, text: _catalogue(_present.get()).pgettext(context, text),
    )
    filters: tuple[Callable[..., str], ...] = (translated, date, day, day_and_weekday, time)
    filters += (slot_time, moment, weekday, listing, number, percent)
    environment.filters.update({each.__name__: each for each in filters})


# Dates, times, numbers and lists


@lru_cache(maxsize=100)
def _babel(name: str) -> babel.Locale:
    import babel

    return babel.Locale.parse(_PLAIN_ENGLISH if name == ENGLISH else name)


def date(value: dt.date) -> str:
    """Return a date with its year: 25 November 2026."""
    from babel.dates import format_date

    return format_date(value, "long", locale=_babel(locale()))


def day(value: dt.date) -> str:
    """Return a date without its year: 25 November."""
    if locale() == ENGLISH:
        return f"{value.day} {value:%B}"
    from babel.dates import format_skeleton

    # The skeletons of Babel are for moments, and a date is none.
    return format_skeleton("MMMMd", dt.datetime(value.year, value.month, value.day), locale=_babel(locale()))


def day_and_weekday(value: dt.date) -> str:
    """Return a date with its weekday and without its year: Wednesday, 25 November."""
    return gettext("%(weekday)s, %(day)s", weekday=weekday(value.weekday()), day=day(value))


def time(value: dt.time | dt.datetime) -> str:
    """Return a time of day as its own clock shows it: 18:30, or 6:30 PM."""
    if locale() == ENGLISH:
        return f"{value:%H:%M}"
    from babel.dates import format_time

    return format_time(value.replace(tzinfo=None), "short", locale=_babel(locale()))


def city(zone: str) -> str:
    """Return what people call the city of a time zone: Nueva York is that of America/New_York in Spanish."""
    from babel.dates import get_timezone, get_timezone_location

    return get_timezone_location(get_timezone(zone), locale=_babel(locale()), return_city=True)


def slot_time(slot: int) -> str:
    """Return when a half hour of a day begins, as clocks show it; where hours go up to 24, 48 is 24:00."""
    if slot == _DAY and "H" in str(_babel(locale()).time_formats["short"]):
        return "24:00"
    return time(dt.time(slot // 2 % 24, slot % 2 * SLOT_MINUTES))


def hours(day: int, start: dt.time, end: dt.time) -> str:
    """Return a stretch of a weekday, 0 being Monday: Monday 18:00–19:30."""
    return gettext("%(weekday)s %(start)s–%(end)s", weekday=weekday(day), start=time(start), end=time(end))


def slots(first: int, n: int) -> str:
    """Return a stretch of half hours of the week: Monday 18:00–19:30."""
    day, start = divmod(first, _DAY)
    end = start + n
    return gettext(
        "%(weekday)s %(start)s–%(end)s",
        weekday=weekday(day),
        start=slot_time(start),
        end=slot_time(end if end == _DAY else end % _DAY),
    )


def moment(value: dt.datetime) -> str:
    """Return a date and a time of day as its own clock shows them: 25 November 2026, 18:30."""
    return gettext("%(date)s, %(time)s", date=date(value), time=time(value))


def weekday(index: int, width: Literal["wide", "abbreviated", "short", "narrow"] = "wide") -> str:
    """Return the name of a weekday, 0 being Monday."""
    if locale() == ENGLISH and width == "wide":
        return WEEKDAYS[index]
    from babel.dates import get_day_names

    names = get_day_names(width, "stand-alone", locale=_babel(locale()))
    return str(names[index])


def week() -> list[int]:
    """Return the weekdays, 0 being Monday, in the order in which a week is counted."""
    first = _babel(locale()).first_week_day
    return [(first + each) % 7 for each in range(7)]


def listing(items: Iterable[object]) -> str:
    """Return items as one text: Ann, Ben and Cem."""
    from babel.lists import format_list

    return format_list([str(item) for item in items], locale=_babel(locale()))


def number(value: float) -> str:
    """Return a number with the marks of the present locale: 1,234.5."""
    from babel.numbers import format_decimal

    return format_decimal(value, locale=_babel(locale()))


def percent(value: float) -> str:
    """Return a share of 1 in hundredths with at most one decimal: 12.5%."""
    from babel.numbers import format_percent

    return format_percent(value, "#,##0.#%", locale=_babel(locale()))

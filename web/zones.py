"""Time zones as people find them: cities by continent."""

from __future__ import annotations

from functools import lru_cache
from importlib.resources import files
from itertools import groupby

from cohorts import language, old_enough
from cohorts.language import marked

_CONTINENTS = {
    "Africa": marked("Africa"),
    "America": marked("America"),
    "Antarctica": marked("Antarctica"),
    "Arctic": marked("Arctic"),
    "Asia": marked("Asia"),
    "Atlantic": marked("Atlantic"),
    "Australia": marked("Australia"),
    "Europe": marked("Europe"),
    "Indian": marked("Indian"),
    "Pacific": marked("Pacific"),
}


def cities() -> dict[str, list[tuple[str, str]]]:
    """Return the zones of the world, (IANA name, city) in the order of cities, by continent."""
    return _cities(language.locale())


@lru_cache(maxsize=16)
def _cities(locale: str) -> dict[str, list[tuple[str, str]]]:
    by_continent = groupby(_names(), key=lambda name: name.split("/", 1)[0])
    found = {
        language.translated(_CONTINENTS[continent]): sorted(
            ((name, city(name)) for name in zones), key=lambda zone: zone[1]
        )
        for continent, zones in by_continent
    }
    return {**found, language.gettext("Nowhere in particular"): [("UTC", "UTC")]}


@lru_cache(maxsize=1)
def _names() -> list[str]:
    table = files("tzdata").joinpath("zoneinfo", "zone.tab").read_text(encoding="utf-8")
    return sorted(line.split("\t")[2] for line in table.splitlines() if not line.startswith("#"))


def city(zone: str) -> str:
    """Return what people call a zone: America/Argentina/Buenos_Aires is Buenos Aires, Argentina."""
    if language.code() != language.ENGLISH and "/" in zone:
        return language.city(zone)
    *regions, name = zone.replace("_", " ").split("/")[1:] or [zone]
    return ", ".join([name, *reversed(regions)])


@lru_cache(maxsize=1)
def by_age() -> dict[int, list[str]]:
    """Return the zones where another age than elsewhere holds, by that age."""
    found: dict[int, list[str]] = {}
    for zone in _names():
        found.setdefault(old_enough.age_in(zone), []).append(zone)
    return {age: zones for age, zones in found.items() if age != old_enough.ELSEWHERE}


def is_listed(zone: str) -> bool:
    """Tell whether ``cities`` has a zone; browsers know some by an older name."""
    return zone == "UTC" or zone in _names()

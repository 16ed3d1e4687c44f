"""Time zones as people find them: cities by continent."""

from __future__ import annotations

from functools import lru_cache
from importlib.resources import files
from itertools import groupby


@lru_cache(maxsize=1)
def cities() -> dict[str, list[tuple[str, str]]]:
    """Return the zones of the world, (IANA name, city) in the order of cities, by continent."""
    table = files("tzdata").joinpath("zoneinfo", "zone.tab").read_text(encoding="utf-8")
    names = sorted(line.split("\t")[2] for line in table.splitlines() if not line.startswith("#"))
    by_continent = groupby(names, key=lambda name: name.split("/", 1)[0])
    found = {
        continent: sorted(((name, city(name)) for name in zones), key=lambda zone: zone[1])
        for continent, zones in by_continent
    }
    return {**found, "Nowhere in particular": [("UTC", "UTC")]}


def city(zone: str) -> str:
    """Return what people call a zone: America/Argentina/Buenos_Aires is Buenos Aires, Argentina."""
    *regions, name = zone.replace("_", " ").split("/")[1:] or [zone]
    return ", ".join([name, *reversed(regions)])


def is_listed(zone: str) -> bool:
    """Tell whether ``cities`` has a zone; browsers know some by an older name."""
    return any(zone == name for zones in cities().values() for name, _city in zones)

"""From which age somebody may give their data to a course by themselves, by the country of their time zone.

Only what a learner said is kept: that they have reached an age, which one, and when. Nobody is asked when
they were born.

Sources: Regulation (EU) 2016/679 (GDPR), article 8(1): 16 unless a member state's law says less, and those
laws as listed by the European Union Agency for Fundamental Rights ("Consent to use data on children") and
changed since (Denmark, 15 since 2024; Slovenia, 15 since 2023); United Kingdom, Data Protection Act 2018,
section 9; United States, COPPA, 15 U.S.C. 6501; South Korea, Personal Information Protection Act, article
22-2; China, Personal Information Protection Law, article 31. Elsewhere, and where the country is not known,
the strictest of these holds. It is a table of what usually holds, and no legal advice.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from .language import gettext as _
from .models import Course

STRICTEST: Final = 16

_BY_AGE: Final = {
    13: "AX BE EE FI GB GI IS LV MT NO PT SE SJ" + " AS GU MP PR UM US VI",
    14: "AT BG CY ES IT LT" + " CN KR",
    15: "CZ DK FR GF GP GR MF MQ RE SI YT",
    16: "DE HR HU IE LI LU NL PL RO SK",
}
AGES: Final = {country: age for age, countries in _BY_AGE.items() for country in countries.split()}
"""The age by ISO 3166 country; those of 16 are named to say that their law was looked at."""


@lru_cache(maxsize=1000)
def age_in(time_zone: str) -> int:
    """Return the age that holds where a time zone is; the strictest where that is not known."""
    from babel.core import get_global

    zone = get_global("zone_aliases").get(time_zone, time_zone)
    return AGES.get(get_global("zone_territories").get(zone, ""), STRICTEST)


def age_to_ask(course: Course, time_zone: str, said: int | None) -> int | None:
    """Return the age a learner has to say they have reached, or None where nothing is to be asked.

    ``said`` is the age they said they have reached already; a greater one says it of a smaller one, too.
    """
    age = age_in(time_zone)
    return age if course.asks_age and (said is None or said < age) else None


def question(age: int) -> str:
    """Return what is wrong when nobody has said that they are old enough."""
    return _("Say whether you are at least %(age)s years old.", age=age)

"""From which age somebody may give their data to a course by themselves, by the country of their time zone.

Only what a learner said is kept: that they have reached an age, which one, and when. Nobody is asked when
they were born.

Sources, read in November 2026: Regulation (EU) 2016/679 (GDPR), article 8(1), which says 16 unless a state's
law says less, and those laws; the latest to change were Slovenia's (ZVOP-2, article 8: 15 since 2023) and
Denmark's (databeskyttelsesloven, section 6: 15 since 2024), while Norway (13, personopplysningsloven,
section 5) and Portugal (13) had changes under way. United Kingdom, Data Protection Act 2018, section 9;
United States, COPPA, 15 U.S.C. 6501; South Korea, Personal Information Protection Act, article 22-2; China,
Personal Information Protection Law, article 31; India, Digital Personal Data Protection Act 2023, sections
2(f) and 9; South Africa, Protection of Personal Information Act, sections 34 and 35. Elsewhere, and where
the country is not known, what the GDPR itself says holds. It is a table of what usually holds, and no legal
advice.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from .language import gettext as _
from .models import Course

ELSEWHERE: Final = 16

_BY_AGE: Final = {
    13: "AX BE EE FI GB GI IS LV MT NO PT SE SJ" + " AS GU MP PR UM US VI",
    14: "AT BG CY ES IT LT" + " CN KR",
    15: "CZ DK FR GF GP GR MF MQ RE SI YT",
    16: "DE HR HU IE LI LU NL PL RO SK",
    18: "IN ZA",
}
AGES: Final = {country: age for age, countries in _BY_AGE.items() for country in countries.split()}
"""The age by ISO 3166 country; those of 16 are named to say that their law was looked at."""


@lru_cache(maxsize=1000)
def age_in(time_zone: str) -> int:
    """Return the age that holds where a time zone is; that of the GDPR where that is not known."""
    from babel.core import get_global

    zone = get_global("zone_aliases").get(time_zone, time_zone)
    return AGES.get(get_global("zone_territories").get(zone, ""), ELSEWHERE)


def age_to_ask(course: Course, time_zone: str, said: int | None) -> int | None:
    """Return the age a learner has to say they have reached, or None where nothing is to be asked.

    ``said`` is the age they said they have reached already; a greater one says it of a smaller one, too.
    """
    age = age_in(time_zone)
    return age if course.asks_age and (said is None or said < age) else None


def question(age: int) -> str:
    """Return what is wrong when nobody has said that they are old enough."""
    return _("Say whether you are at least %(age)s years old.", age=age)

"""What was done to a proposal by hand, in words."""

from __future__ import annotations

from collections.abc import Mapping

from . import language
from .channels import host
from .language import gettext as _
from .models import Adjustment, Change, SeatChange


def in_words(adjustment: Adjustment, names: Mapping[int, str]) -> str:
    """Say what an adjustment did; ``names`` are those of the run's cohorts by their ids."""
    if adjustment.of is not None:
        what = in_words(adjustment.of, names)
        if adjustment.change is Change.UNDO:
            return _("Undone: %(what)s", what=what)
        return _("Done again: %(what)s", what=what)
    if adjustment.change is Change.NAME:
        ((before, after),) = adjustment.cohorts.values()
        return _("%(before)s is called %(after)s now", before=before["name"], after=after["name"])
    if adjustment.change in (Change.MEETING, Change.CHANNEL):
        return _set(adjustment, names)
    if adjustment.change is Change.PIN:
        return _pinned(adjustment, names)
    if not adjustment.seats:
        return _("Somebody was moved who has erased their data since")
    people = [each.signup.name for each in adjustment.seats]
    if adjustment.change is Change.SWAP and len(people) > 1:
        return _("%(one)s and %(two)s changed places", one=people[0], two=people[1])
    return _moved(adjustment.seats[0], people[0], names)


def _pinned(adjustment: Adjustment, names: Mapping[int, str]) -> str:
    for key, (_before, after) in adjustment.cohorts.items():
        name = names.get(int(key), "")
        return _("%(name)s was pinned", name=name) if after["pinned"] else _("%(name)s was let go", name=name)
    for each in adjustment.seats:
        name = each.signup.name
        return _("%(name)s was pinned", name=name) if each.is_pinned else _("%(name)s was let go", name=name)
    return _("Somebody was pinned who has erased their data since")


def _set(adjustment: Adjustment, names: Mapping[int, str]) -> str:
    ((key, (_before, after)),) = adjustment.cohorts.items()
    name = names.get(int(key), "")
    if adjustment.change is Change.CHANNEL:
        if after["channel"]:
            return _("%(name)s talks at %(place)s", name=name, place=host(after["channel"]))
        return _("The link of %(name)s was taken away", name=name)
    if not after["chosen"]:
        return _("%(name)s is to choose its time itself", name=name)
    zone, slot = after["chosen"]
    day, start = divmod(slot, 48)
    return _(
        "%(name)s is to meet on %(weekday)s at %(time)s in %(zone)s",
        name=name,
        weekday=language.weekday(day),
        time=language.slot_time(start),
        zone=zone,
    )


def _moved(change: SeatChange, name: str, names: Mapping[int, str]) -> str:
    left, joined = names.get(change.left_id or 0), names.get(change.joined_id or 0)
    if left is None:
        return _("%(name)s got a seat in %(cohort)s", name=name, cohort=joined)
    if joined is None:
        return _("%(name)s was taken out of %(cohort)s", name=name, cohort=left)
    return _("%(name)s moved from %(left)s to %(joined)s", name=name, left=left, joined=joined)

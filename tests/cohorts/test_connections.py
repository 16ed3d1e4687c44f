"""How strongly people are connected: properties of what fades, adds up and never passes 1."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cohorts.connections import HALF_LIFE, Contact, strengths

NOW = datetime(2027, 3, 1, tzinfo=UTC)
PEOPLE = st.sampled_from("abcd")
CONTACTS = st.lists(
    st.builds(
        Contact,
        giver=PEOPLE,
        taker=PEOPLE,
        at=st.integers(0, 200).map(lambda days: NOW - timedelta(days=days)),
        strength=st.floats(0, 1),
    )
)


@given(CONTACTS)
def test_strengths_lie_between_0_and_1_and_nobody_is_tied_to_themselves(contacts: list[Contact]) -> None:
    found = strengths(contacts, NOW)
    assert all(one < two and 0 <= strength <= 1 for (one, two), strength in found.items())


@given(CONTACTS, st.builds(Contact, giver=PEOPLE, taker=PEOPLE, at=st.just(NOW), strength=st.floats(0, 1)))
def test_one_contact_more_weakens_nobody(contacts: list[Contact], more: Contact) -> None:
    before, after = strengths(contacts, NOW), strengths([*contacts, more], NOW)
    assert all(after[pair] >= strength - 1e-12 for pair, strength in before.items())


@given(CONTACTS)
def test_order_and_direction_do_not_matter(contacts: list[Contact]) -> None:
    turned = [Contact(each.taker, each.giver, each.at, each.strength) for each in reversed(contacts)]
    assert strengths(turned, NOW) == pytest.approx(strengths(contacts, NOW))


def test_a_flood_from_one_side_is_half_a_connection() -> None:
    flood = [Contact("a", "b", NOW) for _ in range(500)]
    answered = [*flood, Contact("b", "a", NOW)]
    assert strengths(flood, NOW) == {("a", "b"): pytest.approx(0.5)}
    assert strengths(answered, NOW) == {("a", "b"): pytest.approx(1.0)}


def test_contacts_fade_by_half_in_a_half_life() -> None:
    old = [Contact("a", "b", NOW - HALF_LIFE), Contact("b", "a", NOW - HALF_LIFE)]
    assert strengths(old, NOW) == {("a", "b"): pytest.approx(0.5)}
    assert strengths(old, NOW, timedelta(days=14)) == {("a", "b"): pytest.approx(0.25)}

"""Why these people: what members have in common and who can help whom, by what they chose to share."""

from __future__ import annotations

from cohorts import common_ground
from cohorts.common_ground import CommonGround
from cohorts.models import Interest, Signup

SHARED = {"interests", "can_help_with", "wants_help_with"}


def member(number: int, interests: str = "", can: str = "", wants: str = "") -> Signup:
    """Return a member with answers that are one letter or word each."""
    return Signup(
        id=number,
        name=f"Member {number}",
        interests=[Interest(label=label) for label in interests.split()],
        can_help_with=can.split(),
        wants_help_with=wants.split(),
    )


def told(members: list[Signup], viewer: Signup, shows: dict[int, set[str]] | None = None) -> CommonGround:
    return common_ground.of_cohort(members, viewer, lambda each: (shows or {}).get(each.id, SHARED))


def interests(ground: CommonGround) -> list[tuple[str, list[int]]]:
    return [(each.label, [member.id for member in each.members]) for each in ground.shared]


def helps(ground: CommonGround) -> list[tuple[int, int, list[str]]]:
    return [(each.helper.id, each.helped.id, each.topics) for each in ground.helps]


def test_shared_interests_of_the_viewer_come_first_then_those_of_most() -> None:
    people = [
        member(1, "Chess Go"),
        member(2, "chess Jazz Tango"),
        member(3, "JAZZ tango"),
        member(4, "jazz Ｇｏ"),
    ]
    assert interests(told(people, people[0])) == [
        ("Chess", [1, 2]),
        ("Go", [1, 4]),
        ("Jazz", [2, 3, 4]),
        ("Tango", [2, 3]),
    ]


def test_interest_of_one_member_alone_is_not_shared() -> None:
    people = [member(1, "Chess chess"), member(2, "Go")]
    assert told(people, people[0]).shared == []


def test_help_for_the_viewer_comes_first_and_nobody_helps_themselves() -> None:
    people = [
        member(1, can="maths", wants="poetry"),
        member(2, can="Poetry maths", wants="maths"),
        member(3, wants="MATHS cooking"),
    ]
    assert helps(told(people, people[0])) == [
        (2, 1, ["Poetry"]),
        (1, 2, ["maths"]),
        (1, 3, ["maths"]),
        (2, 3, ["maths"]),
    ]


def test_what_a_member_keeps_to_themselves_connects_them_with_nobody() -> None:
    people = [member(1, "Chess", can="maths"), member(2, "Chess", wants="maths"), member(3, "Chess")]
    shows = {2: {"can_help_with"}}
    assert interests(told(people, people[0], shows)) == [("Chess", [1, 3])]
    assert helps(told(people, people[0], shows)) == []
    mine = told(people, people[1], shows)  # one's own answers are one's own to see
    assert interests(mine) == [("Chess", [1, 2, 3])]
    assert helps(mine) == [(1, 2, ["maths"])]

"""A question of every kind, with an answer as it is posted, kept, given to the matcher and written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from cohorts.questions import Counts, CustomQuestion, Kind
from matcher import Exchange


@dataclass(frozen=True)
class Example:
    """A question with one answer in all its shapes; ``posted`` goes without the prefix of the fields."""

    question: CustomQuestion
    posted: list[tuple[str, str]]
    kept: Any
    matched: Any
    cell: str
    words: list[str]


EXAMPLES = {
    example.question.kind: example
    for example in (
        Example(
            CustomQuestion(
                key="instruments",
                kind=Kind.MANY,
                label="What do you play?",
                help="Singing counts.",
                options=("Guitar", "Drums, bongos", "Piano"),
                counts=Counts.SIMILAR,
                may_mind=True,
            ),
            [
                ("instruments", "Drums, bongos"),
                ("instruments", "piano\r\nKazoo, "),
            ],
            ["Drums, bongos", "Piano", "Kazoo"],
            frozenset({"Drums, bongos", "Piano", "Kazoo"}),
            "Drums, bongos; Piano; Kazoo",
            ["Drums, bongos", "Piano", "Kazoo"],
        ),
        Example(
            CustomQuestion(
                key="artists",
                kind=Kind.FAVOURITES,
                label="Which five artists do you love?",
                options=("The Beatles", "Tyler, the Creator"),
                points=5,
                counts=Counts.SIMILAR,
                weight=4.0,
            ),
            [
                ("artists", "the  beatles"),
                ("artists", ""),
                ("artists", "Tyler, the Creator"),
                ("artists", "=SUM(A1)"),
            ],
            ["The Beatles", "Tyler, the Creator", "=SUM(A1)"],
            frozenset({"The Beatles", "Tyler, the Creator", "=SUM(A1)"}),
            "The Beatles; Tyler, the Creator; =SUM(A1)",
            ["The Beatles", "Tyler, the Creator", "=SUM(A1)"],
        ),
        Example(
            CustomQuestion(
                key="role",
                kind=Kind.ONE,
                label="What are you here as?",
                options=("A listener", "A player", "A teacher"),
                counts=Counts.BALANCED,
                may_mind=True,
            ),
            [("role", "A player")],
            "A player",
            "A player",
            "A player",
            ["A player"],
        ),
        Example(
            CustomQuestion(
                key="camera",
                kind=Kind.YES_NO,
                label="Will your camera be on?",
                counts=Counts.SAME,
                weight=0.0,
            ),
            [("camera", "no")],
            False,
            "no",
            "no",
            ["No"],
        ),
        Example(
            CustomQuestion(
                key="start_new",
                kind=Kind.SCALE,
                label="How do you start something new?",
                options=("I read first", "I try at once"),
                points=7,
                counts=Counts.DIVERSE,
                weight=0.5,
            ),
            [("start_new", "7")],
            7,
            7,
            "7",
            ["7 of 7 (I try at once)"],
        ),
        Example(
            CustomQuestion(
                key="taste",
                kind=Kind.RATING,
                label="How do you like these?",
                options=("Jazz", "Rock: heavy", "Folk"),
                points=5,
                counts=Counts.SIMILAR,
            ),
            [("taste-Jazz", "5"), ("taste-Rock: heavy", ""), ("taste-Folk", "1")],
            {"Jazz": 5, "Folk": 1},
            {"Jazz": 5, "Folk": 1},
            "Jazz: 5; Folk: 1",
            ["Jazz: 5 of 5", "Folk: 1 of 5"],
        ),
        Example(
            CustomQuestion(
                key="trade",
                kind=Kind.HELP,
                label="What do you give and take?",
                counts=Counts.COMPLEMENTARY,
            ),
            [("trade-can", "mixing, ear training"), ("trade-wants", "Lyrics")],
            {"can": ["mixing", "ear training"], "wants": ["Lyrics"]},
            Exchange(frozenset({"mixing", "ear training"}), frozenset({"Lyrics"})),
            "can: mixing; can: ear training; wants: Lyrics",
            [
                "can help with mixing",
                "can help with ear training",
                "would like help with Lyrics",
            ],
        ),
        Example(
            CustomQuestion(
                key="song",
                kind=Kind.TEXT,
                label="Which song made you cry?",
                help="Only if you like.",
                counts=Counts.SHOWN,
                weight=0.0,
            ),
            [("song", "<script>alert(1)</script>\r\nand then some ")],
            "<script>alert(1)</script>\nand then some",
            "<script>alert(1)</script>\nand then some",
            "<script>alert(1)</script>\nand then some",
            ["<script>alert(1)</script>\nand then some"],
        ),
    )
}
"""One of each."""

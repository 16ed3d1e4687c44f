"""Runs: from sign-ups to a proposal. The one door to the matcher."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING

from .exceptions import UnfitPool
from .questions import QUESTIONS, Counts

if TYPE_CHECKING:
    # The matcher brings scikit-learn, numba and OR-Tools, which take a second to start: only those
    # who match load it, and the web process never does.
    import matcher

    from .signups import Answers

HELP: tuple[str, str] = ("can_help_with", "wants_help_with")
"""The two questions that complement each other; they count in a match as one."""


def default_weights() -> dict[str, float]:
    """Return the usual weight of every question that has one."""
    goals = (Counts.SIMILAR, Counts.COMPLEMENTARY)
    return {question.key: question.weight for question in QUESTIONS.values() if question.counts in goals}


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchSettings:
    """What an organiser chooses for one match.

    Attributes:
        start: First day of the course.
        weights: Weight of each goal by the key of its question; a question that is left out counts 0.
        time_limit: Seconds the search may take; None lets it grow with the number of learners.
    """

    start: date
    weeks: int = 8
    size_min: int = 4
    size_max: int = 8
    target_size: int = 6
    meeting_minutes: int = 90
    weights: Mapping[str, float] = field(default_factory=default_weights)
    convenor_required: bool = False
    time_limit: float | None = None
    random_state: int = 0
    n_jobs: int = 1


def to_pool(people: Sequence[tuple[str, Answers]]) -> matcher.Pool:
    """Return the pool of these people, each with an id of their own, in the same order.

    Raises:
        UnfitPool: Two people share an id or a value that the matcher cannot take.
    """
    import matcher

    ids = {answers.email.casefold(): identity for identity, answers in people}
    try:
        return matcher.Pool(tuple(_learner(identity, answers, ids) for identity, answers in people))
    except matcher.InvalidPool as error:
        raise UnfitPool(str(error)) from error


def to_params(settings: MatchSettings) -> matcher.Params:
    """Return the matcher's parameters.

    Raises:
        UnfitPool: A setting is out of its range, or two do not go together.
    """
    import matcher

    weights = settings.weights
    try:
        return matcher.Params(
            start=settings.start,
            weeks=settings.weeks,
            size_min=settings.size_min,
            size_max=settings.size_max,
            target_size=settings.target_size,
            meeting_minutes=settings.meeting_minutes,
            questions=tuple(
                matcher.Question(question.key, question.kind, "similar", weights.get(question.key, 0.0))
                for question in QUESTIONS.values()
                if question.counts is Counts.SIMILAR and question.kind is not None
            ),
            complement_weight=sum(weights.get(key, 0.0) for key in HELP) / len(HELP),
            convenor_required=settings.convenor_required,
            time_limit=settings.time_limit,
            random_state=settings.random_state,
            n_jobs=settings.n_jobs,
        )
    except matcher.InvalidParams as error:
        raise UnfitPool(str(error)) from error


def match_answers(
    people: Sequence[tuple[str, Answers]],
    settings: MatchSettings,
    *,
    progress: Callable[[matcher.Progress], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> matcher.Matching:
    """Match people who are given with an id each; nothing is stored.

    ``should_stop`` ends the search early; the best matching found so far is returned.

    Raises:
        UnfitPool: The settings or the answers cannot be matched.
    """
    import matcher

    pool, params = to_pool(people), to_params(settings)
    try:
        return matcher.match(pool, params, progress=progress, should_stop=should_stop)
    except matcher.MatcherError as error:
        raise UnfitPool(str(error)) from error


def _learner(identity: str, answers: Answers, ids: Mapping[str, str]) -> matcher.Learner:
    """Return one learner; people they named who are not in the pool are left out."""
    import matcher

    def known(addresses: Sequence[str]) -> frozenset[str]:
        return frozenset(ids[each.casefold()] for each in addresses if each.casefold() in ids) - {identity}

    return matcher.Learner(
        id=identity,
        time_zone=answers.time_zone,
        free=answers.availability,
        languages=frozenset(language.casefold() for language in answers.languages),
        answers={
            "interests": frozenset(answers.interests),
            "experience": answers.experience.value if answers.experience else None,
            "hours_per_week": answers.hours_per_week,
            "goal": answers.goal or None,
        },
        offers=frozenset(answers.can_help_with),
        wants=frozenset(answers.wants_help_with),
        together=known(answers.works_with),
        apart=known(answers.avoids),
        convenor=answers.convenor,
    )

"""The one door to the matcher: answers and settings in, a matching out. Nothing here needs a database."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from typing import TYPE_CHECKING, Any, Final, Literal, Self

from . import meetings
from .answers import Answers
from .asking import custom_questions
from .exceptions import Contradiction, UnfitPool
from .kinds import CAN, WANTS
from .language import Sentence, marked
from .language import gettext as _
from .questions import GOALS, QUESTIONS, Counts, CustomQuestion, Kind

if TYPE_CHECKING:
    # The matcher brings scikit-learn, numba and OR-Tools, which take a second to start: only those
    # who match load it, and the web process never does.
    import matcher
    from matcher import CohortAfter as CohortAfter
    from matcher import Matching as Matching
    from matcher import Meeting as Meeting
    from matcher import Progress as Progress
    from matcher import Rematching as Rematching
    from matcher import Said as Said
    from matcher import Unplaced as Unplaced

    from .models import Course


HELP: tuple[str, str] = ("can_help_with", "wants_help_with")
"""The two questions that complement each other; they count in a match as one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One of a course's own questions as it enters a match."""

    key: str
    kind: Kind
    counts: Counts
    may_mind: bool = False


def default_weights() -> dict[str, float]:
    """Return the usual weight of every question that has one."""
    return {question.key: question.weight for question in QUESTIONS.values() if question.counts in GOALS}


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchSettings:
    """What an organiser chooses for one match.

    Attributes:
        start: First day of the course.
        weights: Weight of each goal by the key of its question; a question that is left out counts 0.
        custom: The course's own questions that enter the match.
        worst_off_weight: How much of a cohort's affinity is that of the member who fits least, 0 to 1.
        max_simultaneous: How many cohorts may meet at one time; None for any number.
        asynchronous: Whether those whose hours fit nobody's get a cohort without a meeting.
        any_language: Ids of those who are seated whatever languages they speak.
        dropout: The share of people who are likely not to go on; cohorts are made larger for it, within
            their bounds, so that enough stay.
        on_conflict: Whether people whose wishes contradict each other stop the match or are left out.
        time_limit: Seconds the search may take; None lets it grow with the number of learners.
    """

    start: date
    weeks: int = 8
    size_min: int = 4
    size_max: int = 8
    target_size: int = 6
    meeting_minutes: int = 90
    weights: Mapping[str, float] = field(default_factory=default_weights)
    custom: tuple[Asked, ...] = ()
    convenor_required: bool = False
    worst_off_weight: float = 0.1
    max_simultaneous: int | None = None
    asynchronous: bool = False
    dropout: float = 0.0
    any_language: tuple[str, ...] = ()
    on_conflict: Literal["refuse", "unplace"] = "refuse"
    time_limit: float | None = None
    random_state: int = 0
    n_jobs: int = 1

    def as_json(self) -> dict[str, Any]:
        """Return the settings as they are kept with a run."""
        return asdict(self) | {"start": self.start.isoformat(), "weights": dict(self.weights)}

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> Self:
        """Return the settings that were kept with a run."""
        custom = tuple(
            Asked(**{**each, "kind": Kind(each["kind"]), "counts": Counts(each["counts"])})
            for each in kept.get("custom", ())
        )
        some = {"custom": custom, "any_language": tuple(kept.get("any_language", ()))}
        return cls(**{**kept, "start": date.fromisoformat(kept["start"]), **some})

    @classmethod
    def of_course(cls, course: Course, **chosen: Any) -> Self:
        """Return the settings of a course; a question it does not ask counts 0."""
        return cls(
            start=course.start,
            weeks=course.weeks,
            size_min=course.size_min,
            size_max=course.size_max,
            target_size=course.target_size,
            meeting_minutes=course.meeting_minutes,
            weights={question.key: question.weight for question in course.questions if question.asked},
            custom=tuple(_asked(each) for each in custom_questions(course) if each.asked),
            **chosen,
        )


def _asked(question: CustomQuestion) -> Asked:
    return Asked(key=question.key, kind=question.kind, counts=question.counts, may_mind=question.may_mind)


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A cohort as it stands, told by the ids of those who are still in it; see ``matcher.Standing``."""

    members: tuple[str, ...]
    meeting: meetings.Meeting | None = None
    asynchronous: bool = False
    since: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RematchWishes:
    """What an organiser allows a rematch to do; see ``matcher.Change``. ``asked`` are ids."""

    max_moves: int | None = None
    move_meetings: bool = False
    keep_small: bool = False
    asked: frozenset[str] = frozenset()


def to_pool(
    people: Sequence[tuple[str, Answers]],
    custom: Sequence[Asked] = (),
    ties: Mapping[tuple[str, str], float] | None = None,
    dropout: float = 0.0,
) -> matcher.Pool:
    """Return the pool of these people, each with an id of their own, in the same order.

    Of a course's own questions only those in ``custom`` are looked at. ``ties`` says how strongly two ids are
    connected, ``dropout`` how likely it is of anybody that they do not go on.

    Raises:
        UnfitPool: Two people share an id or a value that the matcher cannot take.
    """
    import matcher

    ids = {answers.email.casefold(): identity for identity, answers in people}
    tied: dict[str, dict[str, float]] = {}
    for (one, two), strength in (ties or {}).items():
        tied.setdefault(one, {})[two] = strength
    try:
        return matcher.Pool(
            tuple(
                replace(_learner(identity, answers, ids, custom, tied.get(identity, {})), dropout=dropout)
                for identity, answers in people
            )
        )
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
            questions=(
                *(
                    matcher.Question(question.key, question.kind, "similar", weights.get(question.key, 0.0))
                    for question in QUESTIONS.values()
                    if question.counts is Counts.SIMILAR and question.kind is not None
                ),
                *(
                    matcher.Question(each.key, _MATCHED_AS[each.kind], goal, weights.get(each.key, 0.0))
                    for each in settings.custom
                    if (goal := _GOALS.get(each.counts)) is not None
                ),
            ),
            same=tuple(each.key for each in settings.custom if each.counts is Counts.SAME),
            complement_weight=sum(weights.get(key, 0.0) for key in HELP) / len(HELP),
            convenor_required=settings.convenor_required,
            worst_off_weight=settings.worst_off_weight,
            max_simultaneous=settings.max_simultaneous,
            asynchronous=settings.asynchronous,
            on_conflict=settings.on_conflict,
            time_limit=settings.time_limit,
            random_state=settings.random_state,
            n_jobs=settings.n_jobs,
        )
    except matcher.InvalidParams as error:
        raise UnfitPool(str(error)) from error


@dataclass(frozen=True, slots=True)
class Seen:
    """Who connected, as pairs of ids; and who had the chance, None if that could be anybody."""

    connected: Collection[tuple[str, str]]
    could_have: Collection[tuple[str, str]] | None = None


Estimate = tuple[float, float, float]
"""A value, and from where to where it might well lie."""


@dataclass(frozen=True, slots=True)
class Lesson:
    """What connections taught about weights.

    Attributes:
        weights: The weights to match with: those that were learnt if they are used, else as before.
        is_used: Whether they predict held-out connections better than those that were chosen.
        words: What came of it.
        n_connected: How many connections there were to learn from.
        n_others: How many pairs that did not connect they were compared with.
        auc: Of the learnt weights; None if there was too little to learn from. Likewise ``auc_chosen``.
    """

    weights: dict[str, float]
    is_used: bool
    words: Sentence
    n_connected: int
    n_others: int
    auc: Estimate | None
    auc_chosen: Estimate | None


def learn(
    people: Sequence[tuple[str, Answers]],
    settings: MatchSettings,
    seen: Seen,
    tick: Callable[[], object] = lambda: None,
) -> Lesson:
    """Learn from connections how much each question should count.

    ``tick`` is called every second or so; it may raise, to end this early.

    Raises:
        UnfitPool: The settings or the answers cannot be matched.
    """
    import matcher
    from matcher.affinity import AffinityModel

    pool, params = to_pool(people, settings.custom, dropout=settings.dropout), to_params(settings)
    try:
        observed = matcher.Observed(seen.connected, seen.could_have)
        model = AffinityModel(params).fit(pool, observed, tick)
    except matcher.MatcherError as error:
        raise UnfitPool(str(error)) from error
    learnt = model.learnt_
    assert learnt is not None, "there was something to learn from"
    weights = dict(settings.weights)
    if learnt.is_used:
        for name, weight in zip(model.names_, learnt.weights, strict=True):
            for key in HELP if name == WANTS_AND_OFFERS else (name,):
                weights[key] = round(weight, 3)
    return Lesson(
        weights,
        learnt.is_used,
        sentence_of(learnt.words, {}),
        learnt.n_connected,
        learnt.n_others,
        _estimate(learnt.auc),
        _estimate(learnt.auc_organiser),
    )


WANTS_AND_OFFERS: Final = "wants and offers"
"""What the matcher calls the two questions in ``HELP`` together."""
COMMON_BLOCKS: Final = "common blocks"
SIZE: Final = "size"
CONNECTIONS: Final = "connections"
AFFINITY: Final = "affinity"
"""What it calls the other goals that are no questions."""


def _estimate(found: Any) -> Estimate | None:
    return None if found is None else (found.value, found.low, found.high)


@dataclass(frozen=True, slots=True)
class Power:
    """How well one thing alone predicts who connects; ``auc`` is None if there was too little to tell."""

    name: str
    auc: Estimate | None


def predictive_power(
    people: Sequence[tuple[str, Answers]],
    settings: MatchSettings,
    seen: Seen,
    known: Mapping[str, Collection[tuple[str, str]]],
) -> list[Power]:
    """Tell how well each question, common hours and each set of pairs that is ``known`` predict connections.

    Raises:
        UnfitPool: The settings or the answers cannot be matched.
    """
    import matcher
    from matcher import affinity

    pool, params = to_pool(people, settings.custom, dropout=settings.dropout), to_params(settings)
    observed = matcher.Observed(seen.connected, seen.could_have)
    try:
        found = affinity.predictive_power(pool, params, observed, known)
    except matcher.MatcherError as error:
        raise UnfitPool(str(error)) from error
    return [Power(each.name, _estimate(each.auc)) for each in found]


def match_answers(
    people: Sequence[tuple[str, Answers]],
    settings: MatchSettings,
    *,
    kept: Sequence[Sequence[int]] = (),
    times: Sequence[meetings.Meeting | None] = (),
    progress: Callable[[matcher.Progress], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> matcher.Matching:
    """Match people who are given with an id each; nothing is stored.

    The cohorts ``kept``, each the places of its members in ``people``, stay as they are; they come first,
    and meet at the ``times`` given.
    ``should_stop`` ends the search early; the best matching found so far is returned.

    Raises:
        Contradiction: People's wishes cannot all be kept; it names them.
        UnfitPool: The settings or the answers cannot be matched.
    """
    import matcher

    people = [(key, _spoken_of(key, answers, settings)) for key, answers in people]
    pool, params = to_pool(people, settings.custom, dropout=settings.dropout), to_params(settings)
    held = [None if each is None else matcher.Meeting(each.zone, each.slot) for each in times]
    try:
        return matcher.match_around(
            pool, params, kept, times=held, progress=progress, should_stop=should_stop
        )
    except matcher.Infeasible as error:
        names = {identity: answers.name for identity, answers in people}
        raise Contradiction(
            contradiction([names[each] for each in error.learners], error.rules, settings.size_max)
        ) from error
    except matcher.MatcherError as error:
        raise UnfitPool(str(error)) from error


def parts_of(shares: Iterable[matcher.Share]) -> dict[str, list[float]]:
    """Return what each goal adds to a cohort's score, and the most it could add, as a cohort keeps them."""
    return {each.goal: [round(each.value, 6), round(each.most, 6)] for each in shares}


def _spoken_of(identity: str, answers: Answers, settings: MatchSettings) -> Answers:
    """Return answers without languages, which go with any, for whom that rule was relaxed."""
    return replace(answers, languages=()) if identity in settings.any_language else answers


@dataclass(frozen=True, slots=True)
class Weighed:
    """What a cohort made by hand is worth, and which rules it breaks, by their names.

    ``worth`` is its share of the objective, ``meetings`` are its common blocks as a cohort keeps them.
    """

    score: float
    worth: float
    meetings: list[list[Any]]
    broken: list[str]


class Scales:
    """The learners of a run, made ready once, so that any cohort of them is weighed in a moment."""

    def __init__(self, people: Sequence[tuple[int, str, Answers]], settings: MatchSettings) -> None:
        """Take people with the id of their row and the one they have in a match.

        Raises:
            UnfitPool: The settings or the answers cannot be matched.
        """
        import matcher

        self._place = {row: place for place, (row, _key, _answers) in enumerate(people)}
        known = [(key, answers) for _row, key, answers in people]
        pool = to_pool(known, settings.custom, dropout=settings.dropout)
        try:
            self._preview = matcher.Preview(pool, to_params(settings))
        except matcher.MatcherError as error:
            raise UnfitPool(str(error)) from error

    def weigh(self, members: Iterable[int], *, asynchronous: bool = False) -> Weighed:
        """Weigh a cohort of these rows; one without members is none, and breaks nothing."""
        import matcher

        places = [self._place[each] for each in members]
        if not places:
            return Weighed(0.0, 0.0, [], [])
        check = self._preview.score(places, asynchronous)
        worth = matcher.objective_of(self._preview.params, [check.score], [len(places)])
        meetings = [[meeting.zone, meeting.slot] for meeting in check.meetings]
        return Weighed(check.score, worth, meetings, list(check.rules))

    def reasons(
        self, members: Iterable[int], labels: Mapping[str, str], *, asynchronous: bool = False
    ) -> list[Sentence]:
        """Say why the members of a cohort belong together."""
        places = [self._place[each] for each in members]
        if not places:
            return []
        check = self._preview.score(places, asynchronous)
        return [sentence_of(each, labels) for each in self._preview.told(check)]

    def parts(self, members: Iterable[int], *, asynchronous: bool = False) -> dict[str, list[float]]:
        """Tell what each goal adds to the score of a cohort; one without members is none."""
        places = [self._place[each] for each in members]
        return parts_of(self._preview.shares(places, asynchronous)) if places else {}


def rematch_answers(
    people: Sequence[tuple[str, Answers]],
    settings: MatchSettings,
    standing: Sequence[Standing],
    ties: Mapping[tuple[str, str], float],
    wishes: RematchWishes,
    *,
    progress: Callable[[matcher.Progress], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> matcher.Rematching:
    """Seat people again who are given with an id each; nothing is stored.

    Those of ``people`` who are in none of the ``standing`` cohorts are without one. ``ties`` says how
    strongly two ids are connected, 0 to 1.

    Raises:
        UnfitPool: The settings, the answers or the cohorts cannot be matched.
    """
    import matcher

    pool, params = to_pool(people, settings.custom, ties, settings.dropout), to_params(settings)
    place = pool.index()
    cohorts = [
        matcher.Standing(
            members=tuple(place[each] for each in one.members),
            meeting=None if one.meeting is None else matcher.Meeting(one.meeting.zone, one.meeting.slot),
            asynchronous=one.asynchronous,
            since=one.since,
        )
        for one in standing
    ]
    change = matcher.Change(
        max_moves=wishes.max_moves,
        move_meetings=wishes.move_meetings,
        keep_small=wishes.keep_small,
        asked=frozenset(place[each] for each in wishes.asked),
    )
    try:
        return matcher.rematch(pool, params, cohorts, change, progress=progress, should_stop=should_stop)
    except matcher.MatcherError as error:
        raise UnfitPool(str(error)) from error


def contradiction(names: Sequence[str], rules: Collection[str], size_max: int) -> str:
    """Say whose wishes contradict each other, and in what; not who wants to be apart from whom."""
    if not names:
        return _("Every cohort is to have somebody willing to convene, but nobody who takes part is")
    who = f"{', '.join(names[:-1])} {_('and')} {names[-1]}"
    if "size" in rules:
        return _(
            "%(people)s want to be together, but a cohort has at most %(most)s members",
            people=who,
            most=size_max,
        )
    if "language" in rules:
        return _("%(people)s want to be together, but share no language", people=who)
    if "shared answer" in rules:
        return _(
            "%(people)s want to be together, but gave different answers where a cohort has the same",
            people=who,
        )
    return _(
        "%(people)s want to be together, but not all wishes among them, to be with people and to be apart, "
        "can be kept",
        people=who,
    )


def sentence_of(said: matcher.Said, labels: Mapping[str, str]) -> Sentence:
    """Return what the matcher said as it is stored, to be worded when it is shown.

    ``labels`` are the course's own questions by their keys. What a cohort does without is ``traded``.
    """
    import matcher

    values = {name: _value_of(value, labels) for name, value in said.values.items()}
    sentence = Sentence(text=said.template, values=values)
    if said.n is not None:
        sentence |= {"plural": said.plural, "n": said.n}
    if isinstance(said, matcher.Traded):
        sentence["traded"] = True
    return sentence


def _value_of(value: matcher.Value, labels: Mapping[str, str]) -> Any:
    import matcher

    if isinstance(value, matcher.Said):
        return sentence_of(value, labels)
    if isinstance(value, matcher.Hours):
        return asdict(value)
    if isinstance(value, matcher.Asked):
        if value.key in labels:
            return Sentence(text=marked("“%(label)s”"), values={"label": labels[value.key]})
        return Sentence(text=_NAMED[value.key], values={}) if value.key in _NAMED else str(value)
    return list(value) if isinstance(value, tuple) else value


_NAMED: Final[Mapping[str, str]] = {"interests": marked("interests")}
"""How a reason calls the questions that every course can ask and whose answers it can name."""


_MATCHED_AS: Final[Mapping[Kind, Literal["tags", "text", "number", "category", "ratings", "help"]]] = {
    Kind.MANY: "tags",
    Kind.FAVOURITES: "tags",
    Kind.ONE: "category",
    Kind.YES_NO: "category",
    Kind.SCALE: "number",
    Kind.RATING: "ratings",
    Kind.HELP: "help",
    Kind.TEXT: "text",
}
"""What an answer of each kind is to the matcher."""


_GOALS: Final[Mapping[Counts, Literal["similar", "diverse", "balanced", "complementary"]]] = {
    Counts.SIMILAR: "similar",
    Counts.DIVERSE: "diverse",
    Counts.BALANCED: "balanced",
    Counts.COMPLEMENTARY: "complementary",
}


def _matched(kind: Kind, kept: Any) -> matcher.Answer:
    """Return an answer to a course's own question as the matcher knows it."""
    import matcher

    if kind in (Kind.MANY, Kind.FAVOURITES):
        return frozenset(kept)
    if kind is Kind.YES_NO:
        return "yes" if kept else "no"
    if kind is Kind.HELP:
        return matcher.Exchange(frozenset(kept.get(CAN, ())), frozenset(kept.get(WANTS, ())))
    answer: matcher.Answer = kept
    return answer


def _learner(
    identity: str,
    answers: Answers,
    ids: Mapping[str, str],
    custom: Sequence[Asked],
    ties: Mapping[str, float],
) -> matcher.Learner:
    """Return one learner; people they named who are not in the pool are left out."""
    import matcher

    def known(addresses: Sequence[str]) -> frozenset[str]:
        return frozenset(ids[each.casefold()] for each in addresses if each.casefold() in ids) - {identity}

    return matcher.Learner(
        id=identity,
        time_zone=answers.time_zone,
        free=answers.availability,
        if_needed=answers.if_needed,
        languages=frozenset(language.casefold() for language in answers.languages),
        answers={
            "interests": frozenset(answers.interests),
            "experience": answers.experience.value if answers.experience else None,
            "hours_per_week": answers.hours_per_week,
            "goal": answers.goal or None,
            **{
                each.key: _matched(each.kind, answers.custom[each.key])
                for each in custom
                if answers.custom.get(each.key) is not None
            },
        },
        offers=frozenset(answers.can_help_with),
        wants=frozenset(answers.wants_help_with),
        together=known(answers.works_with),
        apart=known(answers.avoids),
        connections=ties,
        convenor=answers.convenor,
        not_alone=frozenset(each.key for each in custom if each.may_mind).intersection(answers.not_alone),
        private=frozenset() if answers.shown is None else _tagged(custom).difference(answers.shown),
    )


def _tagged(custom: Sequence[Asked]) -> frozenset[str]:
    """Return the keys of the questions whose answers a reason might name."""
    return frozenset({"interests", *(each.key for each in custom)})


def warm_up() -> None:
    """Compile the kernels ahead of the first run; after an installation that takes half a minute."""
    from matcher.solve import warm_up

    warm_up()

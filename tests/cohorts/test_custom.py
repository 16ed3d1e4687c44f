"""A course's own questions: made, changed, put in order, removed, answered, shown and taken back."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy.orm import Session

from cohorts import custom, signups
from cohorts.answers import Answers, answers_of
from cohorts.asking import custom_questions
from cohorts.door import MatchSettings, to_params, to_pool
from cohorts.exceptions import Conflict, InvalidInput, NotFound
from cohorts.models import Course, Signup
from cohorts.native import COLUMNS
from cohorts.questions import Counts, CustomQuestion, Kind
from cohorts.wording import in_words, shown_answers
from tests.factories import MONDAY_EVENING, ask, make_course, make_signup
from tests.questions import EXAMPLES, Example

TEXT = CustomQuestion(kind=Kind.TEXT, label="Anything else?")
KEPT = {example.question.key: example.kept for example in EXAMPLES.values()}


def asking_everything(session: Session) -> Course:
    return ask(session, make_course(session), *(example.question for example in EXAMPLES.values()))


def keys(course: Course) -> list[str]:
    return [question.key for question in custom_questions(course)]


# ---- The questions ----


def test_add_names_a_question_by_its_words(session: Session) -> None:
    course = make_course(session)
    for label, key in (
        ("Which five artists do you love?", "which_five_artists_do_you_love"),
        ("Which five artists do you LOVE", "which_five_artists_do_you_love_2"),
        ("你喜欢什么？", "question"),
        ("Name", "name_2"),
        ("Interests", "interests_2"),
        ("New", "new_2"),
        ("Cohort", "cohort_2"),
    ):
        assert custom.add(session, course, replace(TEXT, label=label)).key == key
    session.expire_all()
    assert [question.label for question in custom_questions(course)][:2] == [
        "Which five artists do you love?",
        "Which five artists do you LOVE",
    ]
    assert not set(keys(course)) & set(COLUMNS)


@pytest.mark.parametrize("example", EXAMPLES.values(), ids=EXAMPLES)
def test_question_comes_back_as_it_was_added(session: Session, example: Example) -> None:
    course, question = make_course(session), example.question
    added = custom.add(session, course, question)
    session.expire_all()
    assert custom.get(course, added.key) == added == replace(question, key=added.key)


@pytest.mark.parametrize(
    ("question", "field"),
    [
        (replace(TEXT, label=" "), "label"),
        (replace(TEXT, label="x" * 201), "label"),
        (replace(TEXT, label="a\x00b"), "label"),
        (replace(TEXT, help="x" * 201), "help"),
        (replace(TEXT, counts=Counts.SAME), "counts"),
        (replace(TEXT, counts=Counts.SIMILAR, weight=11.0), "weight"),
        (replace(TEXT, counts=Counts.SIMILAR, weight=-1.0), "weight"),
        (replace(TEXT, counts=Counts.SIMILAR, weight=float("nan")), "weight"),
        (CustomQuestion(kind=Kind.ONE, label="Which?", options=("a", " A ")), "options"),
        (CustomQuestion(kind=Kind.ONE, label="Which?", options=("a", "b; c")), "options"),
        (CustomQuestion(kind=Kind.MANY, label="Which?", options=("x" * 81,)), "options"),
        (CustomQuestion(kind=Kind.MANY, label="Which?", options=tuple(map(str, range(101)))), "options"),
        (CustomQuestion(kind=Kind.RATING, label="Which?"), "options"),
        (CustomQuestion(kind=Kind.SCALE, label="How?", points=11), "points"),
        (CustomQuestion(kind=Kind.FAVOURITES, label="Which?", points=0), "points"),
    ],
)
def test_add_names_what_does_not_fit(session: Session, question: CustomQuestion, field: str) -> None:
    course = make_course(session)
    with pytest.raises(InvalidInput) as caught:
        custom.add(session, course, question)
    assert list(caught.value.errors) == [field]
    assert custom_questions(course) == []


def test_add_ends_somewhere(session: Session) -> None:
    course = make_course(session)
    for number in range(custom.MAX_QUESTIONS):
        custom.add(session, course, replace(TEXT, label=f"Question {number}"))
    with pytest.raises(Conflict):
        custom.add(session, course, TEXT)


def test_change_keeps_key_and_kind(session: Session) -> None:
    course = asking_everything(session)
    changed = replace(EXAMPLES[Kind.ONE].question, kind=Kind.TEXT, label="Who are you?", options=("x", "y"))
    custom.change(session, course, changed)
    session.expire_all()
    assert custom.get(course, "role") == replace(changed, kind=Kind.ONE)
    with pytest.raises(NotFound):
        custom.change(session, course, replace(changed, key="goal"))


def test_move_swaps_neighbours_and_stops_at_the_ends(session: Session) -> None:
    course = asking_everything(session)
    before = keys(course)
    custom.move(session, course, before[1], up=True)
    assert keys(course)[:2] == [before[1], before[0]]
    custom.move(session, course, before[1], up=True)
    custom.move(session, course, before[-1], up=False)
    assert keys(course) == [before[1], before[0], *before[2:]]


def test_remove_deletes_every_answer_and_no_other(session: Session) -> None:
    course = asking_everything(session)
    signup = make_signup(session, course, custom=KEPT, not_alone=["instruments", "role"])
    quiet = make_signup(session, course, shown=[])
    assert custom.count_answers(session, course) == dict.fromkeys(KEPT, 1)
    custom.remove(session, course, "role")
    session.flush()
    session.expire_all()
    assert signup.custom == {key: kept for key, kept in KEPT.items() if key != "role"}
    assert signup.not_alone == ["instruments"]
    assert "role" not in signup.shown
    assert quiet.custom == {}
    assert "role" not in keys(course)
    assert "goal" in {row.key for row in course.questions}


def test_remove_of_a_question_that_every_course_can_ask_is_not_found(session: Session) -> None:
    with pytest.raises(NotFound):
        custom.remove(session, make_course(session), "goal")


def test_counting_answers_takes_one_query(session: Session, count_queries: list[str]) -> None:
    course = asking_everything(session)
    make_signup(session, course, custom={"camera": False})
    count_queries.clear()
    assert custom.count_answers(session, course)["camera"] == 1
    assert len(count_queries) == 1


# ---- The answers ----


def stored(session: Session, course: Course, **given: object) -> Signup:
    answers = Answers(
        name="Ada", email="ada@example.org", time_zone="UTC", availability=MONDAY_EVENING, **given
    )  # type: ignore[arg-type]
    signup = signups.store(session, course, answers)
    session.flush()
    return signup


def test_store_keeps_what_is_asked_tidied_and_drops_the_rest(session: Session) -> None:
    course = asking_everything(session)
    given = {"role": " a PLAYER", "song": "", "unknown": ["x"], "start_new": "7"}
    signup = stored(
        session, course, custom=given, not_alone=("role", "camera", "unknown"), shown=("role", "avoids")
    )
    session.expire_all()
    assert signup.custom == {"role": "A player", "start_new": 7}
    assert signup.not_alone == ["role"]  # of the camera nobody may say so
    assert signup.shown == ["role"]


def test_answers_to_a_question_that_rests_stay(session: Session) -> None:
    course = asking_everything(session)
    signup = stored(session, course, custom=KEPT)
    custom.change(session, course, replace(custom.get(course, "song"), asked=False))
    edited = replace(answers_of(signup), custom={"role": "A teacher", "song": "another"})
    signups.store(session, course, edited, signup=signup)
    session.flush()
    assert signup.custom == {"role": "A teacher", "song": KEPT["song"]}


def test_required_question_wants_an_answer(session: Session) -> None:
    required = replace(EXAMPLES[Kind.YES_NO].question, required=True)
    course = ask(session, make_course(session), required)
    answers = Answers(name="Ada", email="a@example.org", time_zone="UTC", availability=MONDAY_EVENING)
    assert list(signups.check(answers, course)) == ["camera"]
    assert signups.check(replace(answers, custom={"camera": False}), course) == {}


def test_cohort_sees_what_is_usual_until_the_learner_says_otherwise(session: Session) -> None:
    course = asking_everything(session)
    signup = stored(
        session, course, custom=KEPT, goal="To sing.", languages=("English",), avoids=("x@example.org",)
    )
    shown = {answer.key for answer in shown_answers(signup)}
    assert shown == {"goal", "convenor", *KEPT}
    signups.show(session, signup, ["role", "avoids", "works_with", "nonsense"])
    assert {answer.key: answer.words for answer in shown_answers(signup)} == {"role": ["A player"]}
    assert {answer.key for answer in in_words(signup) if answer.words} > {"avoids", "goal", *KEPT}
    signup.shown = ["avoids", "works_with"]  # whatever is in the row, these are never shown
    assert shown_answers(signup) == []


def test_answer_of_a_question_that_is_not_asked_is_not_shown(session: Session) -> None:
    course = asking_everything(session)
    signup = stored(session, course, custom=KEPT)
    custom.change(session, course, replace(custom.get(course, "song"), asked=False))
    session.expire_all()
    assert "song" not in {answer.key for answer in shown_answers(signup)}


@pytest.mark.parametrize(
    ("key", "left"),
    [("interests", []), ("goal", ""), ("languages", []), ("experience", None), ("convenor", False)],
)
def test_forget_answer_takes_back_one_that_every_course_can_ask(
    session: Session, key: str, left: object
) -> None:
    signup = make_signup(
        session, make_course(session), ("Jazz",), goal="x", experience="beginner", convenor=True
    )
    signups.forget_answer(session, signup, key)
    session.expire_all()
    assert getattr(signup, key) == left
    assert key not in signup.shown


def test_forget_answer_takes_back_one_of_the_courses_own(session: Session) -> None:
    signup = make_signup(session, asking_everything(session), custom=KEPT, not_alone=["role"])
    signups.forget_answer(session, signup, "role")
    session.expire_all()
    assert "role" not in signup.custom | dict.fromkeys(signup.not_alone) | dict.fromkeys(signup.shown)
    assert signup.custom["artists"] == KEPT["artists"]
    for key in ("email", "name", "nonsense", "availability"):
        with pytest.raises(NotFound):
            signups.forget_answer(session, signup, key)


# ---- The match ----


def test_every_kind_reaches_the_matcher_as_it_counts(session: Session) -> None:
    course = asking_everything(session)
    signup = make_signup(session, course, custom=KEPT, not_alone=["role"], shown=["artists"])
    settings = MatchSettings.from_json(MatchSettings.of_course(course).as_json())
    (learner,) = to_pool([(signup.key, answers_of(signup))], settings.custom).learners
    given = {key: learner.answers[key] for key in KEPT}
    assert given == {example.question.key: example.matched for example in EXAMPLES.values()}
    assert learner.not_alone == {"role"}
    assert learner.private == ({"interests"} | set(KEPT)) - {"artists"}
    params = to_params(settings)
    goals = {question.key: (question.kind, question.goal, question.weight) for question in params.questions}
    assert {key: goal for key, goal in goals.items() if key in KEPT} == {
        "instruments": ("tags", "similar", 1.0),
        "artists": ("tags", "similar", 4.0),
        "role": ("category", "balanced", 1.0),
        "start_new": ("number", "diverse", 0.5),
        "taste": ("ratings", "similar", 1.0),
        "trade": ("help", "complementary", 1.0),
    }
    assert params.same == ("camera",)


def test_question_that_rests_does_not_reach_the_matcher(session: Session) -> None:
    course = asking_everything(session)
    custom.change(session, course, replace(custom.get(course, "camera"), asked=False))
    session.expire_all()
    assert to_params(MatchSettings.of_course(course)).same == ()

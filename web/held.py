"""What is held about a learner, row by row, in words that a person understands."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from cohorts import availability, kinds, language, meetings, privacy
from cohorts.asking import custom_questions
from cohorts.language import Sentence, gettext, translated
from cohorts.language import lazy_gettext as _
from cohorts.models import Signup
from cohorts.notices import Kind
from cohorts.questions import QUESTIONS
from cohorts.subscriptions import Topic
from cohorts.told import MENTION, REPLY
from cohorts.wording import EXPERIENCES

from .changes_forms import MET, REASONS
from .database import session
from .mails import TOPICS

TABLES: Final = {
    "signups": _("Your sign-up"),
    "signup_interests": _("Your interests"),
    "memberships": _("Your cohorts"),
    "seats": _("What was proposed for you"),
    "seat_changes": _("What an organiser tried for you in a proposal"),
    "reseatings": _("Another seat that was proposed for you"),
    "weighings": _("What was worked out for you"),
    "check_ins": _("Your check-ins"),
    "connections": _("Whom you talked with"),
    "interactions": _("Whom you answered or mentioned elsewhere"),
    "connection_denials": _("Whom you said you are not connected with"),
    "help_requests": _("Your requests for help"),
    "departures": _("What you left, and why"),
    "attendances": _("Whether you came to meetings"),
    "fixed_meetings": _("Meetings you fixed"),
    "meeting_votes": _("Meeting times that suit you"),
    "reminders": _("Reminders to you"),
    "outbox": _("Mails to you"),
    "person_blocks": _("Whom you blocked"),
    "presences": _("Signs of life"),
}
"""What a set of rows is called."""

COLUMNS: Final = {
    **{key: question.short for key, question in QUESTIONS.items()},
    "adjustment": _("Change it belongs to"),
    "answer": _("What you said before"),
    "answered_at": _("Answered on"),
    "asked_at": _("Asked on"),
    "at": _("On"),
    "attempts": _("How often it was tried"),
    "availability": _("When you are free"),
    "because": _("Why"),
    "bounced_at": _("Your address took no mail on"),
    "cause": _("Why"),
    "cognitive": _("Something became clearer to me (1 to 5)"),
    "cohort": _("Cohort"),
    "confirmed_at": _("Confirmed on"),
    "course": _("Course"),
    "created_at": _("Written on"),
    "custom": _("Answers to this course's own questions"),
    "decided_at": _("Decided on"),
    "email": _("E-mail address"),
    "ended_because": _("Why it ended"),
    "findable": _("Others in the course can find you by name"),
    "fixed_at": _("Fixed on"),
    "if_needed": _("Only if needed"),
    "import": _("Where it was told"),
    "interest": _("Interest"),
    "invitation": _("Invitation it carries"),
    "is_pinned": _("Held in place afterwards"),
    "joined": _("Cohort you would join"),
    "key": _("Name of this entry for computers"),
    "kind": _("What it is about"),
    "label": _("How you know them"),
    "last_error": _("What went wrong"),
    "left": _("Cohort you would leave"),
    "locale": _("Language"),
    "mail": _("The mail it came by"),
    "message": _("Letter it carries"),
    "met": _("Did you meet?"),
    "name": _("Name"),
    "not_alone": _("Questions whose answer you do not want to be alone with"),
    "not_before": _("Not sent before"),
    "noted_at": _("Noted on"),
    "nudged_at": _("Asked whether you are still there on"),
    "of_age": _("You are at least this many years old"),
    "of_age_at": _("You said so on"),
    "other": _("The other"),
    "paused_until": _("Away until"),
    "pinned": _("Held in place"),
    "reason": _("Reason"),
    "removed_at": _("Your seat was released on"),
    "remedy": _("What would help"),
    "run": _("Match it comes from"),
    "seen_at": _("Last press of a button on your pages"),
    "score_after": _("How well the cohort would fit you"),
    "score_before": _("How well your cohort fitted you"),
    "sent_at": _("Sent on"),
    "sequence": _("How many times it was fixed before"),
    "shown": _("What your cohort sees"),
    "since": _("Since"),
    "size_max": _("Largest cohort it would fit"),
    "language": _("Your languages keep you out"),
    "slot": _("Starts"),
    "social": _("I could be myself with the others (1 to 5)"),
    "source": _("What you said"),
    "starts_at": _("Meeting on"),
    "state": _("How it stands"),
    "stopped_mails": _("Mails you stopped"),
    "teaching": _("I knew what to do next (1 to 5)"),
    "time_zone": _("Your time zone"),
    "to": _("Who"),
    "to_address": _("Their address"),
    "trouble": _("What went wrong"),
    "until": _("Until"),
    "updated_at": _("Last changed on"),
    "user": _("To"),
    "version": _("Version of the proposal"),
    "waiting": _("On the waiting list"),
    "wants_another_at": _("You asked for another cohort on"),
    "was_pinned": _("Held in place before"),
    "was_there": _("You were there"),
    "was_waiting": _("You were on the waiting list until then"),
    "week": _("Week of the course"),
    "weighed_at": _("Worked out on"),
    "whole_course": _("You left the whole course"),
    "withdrawn_at": _("Withdrawn on"),
    "words": _("Your words"),
    "zone": _("By the clock of"),
}
"""What a column is called, the same in every table."""

CODES: Final[dict[str, Mapping[str, str]]] = {
    "state": {
        "pending": _("Not confirmed"),
        "confirmed": _("Confirmed"),
        "withdrawn": _("Withdrawn"),
        "waiting": _("Waiting"),
        "sent": _("Sent"),
        "dropped": _("Not sent"),
        "proposed": _("Proposed"),
        "accepted": _("Accepted"),
        "declined": _("Declined"),
        "outdated": _("Overtaken by other changes"),
    },
    "experience": {key.value: words for key, words in EXPERIENCES.items()},
    "met": {key.value: words for key, words in MET},
    "because": {key.value: words for key, words in REASONS},
    "source": {"talked with": _("I talked with them"), "go on with": _("I want to go on with them")},
    "cause": {
        "no cohort": _("You had no cohort"),
        "asked": _("You asked for another cohort"),
        "too small": _("Your cohort had become too small"),
        "along": _("You come along with somebody you asked to be with"),
    },
    "answer": {"coming": _("I'll be there"), "absent": _("I can't")},
    "ended_because": {
        "left": _("You left"),
        "moved": _("You moved to another cohort"),
        "asked": _("You asked for another cohort"),
        "rematched": _("Your cohort had become too small"),
        "moved by hand": _("The organisers gave you another seat"),
        "withdrew": _("You left the course"),
        "silent": _("We did not hear from you"),
        "a new match was published": _("Cohorts were formed anew"),
    },
    "kind": {
        Kind.CONFIRM: _("Please confirm"),
        Kind.ALREADY_SIGNED_UP: _("You are signed up already"),
        Kind.WAITING: _("You are on the waiting list"),
        Kind.PLACE_FREE: _("You have a place"),
        Kind.PLACED: _("You have a cohort"),
        Kind.UNPLACED: _("No cohort yet"),
        Kind.MEETING: _("When your cohort meets"),
        Kind.REMINDER: _("Reminder of a meeting"),
        Kind.COHORT_CHANGED: _("Your cohort has changed"),
        Kind.MOVED: _("Your seat has changed"),
        Kind.RESEATED: _("You have another seat"),
        Kind.CHECK_IN: _("Check-in"),
        Kind.STILL_HERE: _("Whether you are still there"),
        Kind.SEAT_FREED: _("Your seat was released"),
        Kind.OLD_ANSWERS: _("Your answers for another course"),
        REPLY: _("An answer"),
        MENTION: _("A mention"),
    },
    "stopped_mails": {topic.value: TOPICS[topic][0] for topic in Topic},
}
"""What the words of the program mean that a column holds."""


@dataclass(frozen=True, slots=True)
class Held:
    """Rows of one kind: what they are called, and each with its filled columns in words."""

    title: str
    rows: list[list[tuple[str, list[str]]]]


def in_words(signup: Signup) -> Iterator[Held]:
    """Yield all that is held about a learner; what is empty is left out."""
    for table, rows in privacy.rows(session(), signup).items():
        title = str(TABLES.get(table, table.replace("_", " ").capitalize()))
        worded = [
            [(_label(name), words) for name, value in row.items() if (words := _words(signup, name, value))]
            for row in rows
        ]
        if worded:
            yield Held(title, worded)


def _label(column: str) -> str:
    return str(COLUMNS.get(column, column.replace("_", " ").capitalize()))


def _words(signup: Signup, column: str, value: Any) -> list[str]:
    """Return a value as its learner reads it, on their own clock; nothing for an empty one."""
    if value is None or value in ("", [], {}):
        return []
    if column == "custom":
        own = custom_questions(signup.course)
        return [
            f"{each.label}: {language.listing(said)}"
            for each in own
            if (said := kinds.words(each, value.get(each.key)))
        ]
    if isinstance(value, list):
        return [_word(signup, column, each) for each in value]
    if isinstance(value, frozenset):
        return availability.pieces(value)
    return [_word(signup, column, value)]


def _word(signup: Signup, column: str, value: Any) -> str:
    if isinstance(value, bool):
        return gettext("Yes") if value else gettext("No")
    if isinstance(value, datetime):
        return language.moment(meetings.in_zone(value, signup.time_zone))
    if isinstance(value, date):
        return language.date(value)
    if isinstance(value, Sentence | dict):
        return translated(value)
    if column in ("shown", "not_alone"):
        return _question(signup, value)
    if column == "slot":
        day, start = divmod(value, 48)
        return f"{language.weekday(day)} {language.slot_time(start)}"
    if column == "locale":
        return language.own_name(value)
    if isinstance(value, float):
        return language.number(value)
    return str(CODES.get(column, {}).get(value, value))


def _question(signup: Signup, key: str) -> str:
    """Return what a question is called, by its key."""
    own = {each.key: each.label for each in custom_questions(signup.course)}
    return str(QUESTIONS[key].short) if key in QUESTIONS else own.get(key, key)

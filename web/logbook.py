"""What organisers do is noted at one place: as their request commits, in the transaction that it commits.

Every POST to a course writes an entry by itself, so none can be forgotten; `ACTIONS` holds the words for it.
"""

from __future__ import annotations

from typing import Final

from flask import g, request
from sqlalchemy import event
from sqlalchemy.orm import Session

from cohorts import audit
from cohorts.language import lazy_gettext as _
from cohorts.models import now

ACTIONS: Final = {
    "joined": _("accepted an invitation"),
    "new": _("made the course"),
    "copy": _("made the course, as a copy of another"),
    "settings": _("changed the settings"),
    "move": _("changed how the course stands"),
    "answer_request": _("marked a request for help as answered"),
    "fix_meeting": _("fixed when a cohort meets"),
    "set_channel": _("changed where a cohort talks"),
    "match": _("asked for a match"),
    "cancel": _("cancelled a run"),
    "make_move": _("moved a learner on the board"),
    "change_board": _("changed the board of a proposal"),
    "rehearse": _("asked who could be placed now"),
    "study_connections": _("asked what predicts connections"),
    "rerun": _("asked for a match around what is pinned"),
    "rematch": _("asked for a rematch"),
    "rematch_rule": _("set when the course is rematched by itself"),
    "accept_rematch": _("accepted changes of a rematch"),
    "decline_rematch": _("declined changes of a rematch"),
    "take_rematch_back": _("took back changes of a rematch"),
    "publish": _("published cohorts"),
    "take_it_back": _("took back what was published"),
    "import_": _("uploaded a file"),
    "import_columns": _("said what the columns of a file are"),
    "apply": _("imported sign-ups from a file"),
    "discard": _("discarded a file"),
    "import_connections": _("uploaded a file of interactions"),
    "connection_columns": _("said what the columns of a file of interactions are"),
    "apply_connections": _("imported interactions from a file"),
    "discard_connections": _("discarded a file of interactions"),
    "remove_connections": _("took imported interactions back"),
    "new_question": _("added a question"),
    "question": _("changed a question"),
    "move_question": _("moved a question"),
    "remove_question": _("removed a question"),
    "write_letter": _("wrote the draft of a letter"),
    "edit_letter": _("changed the draft of a letter"),
    "try_letter": _("tried a letter out"),
    "send_letter": _("sent a letter"),
    "discard_letter": _("threw the draft of a letter away"),
    "save_preset": _("saved a way to export rosters"),
    "remove_preset": _("removed a way to export rosters"),
    "invite": _("invited somebody"),
    "revoke": _("took an invitation back"),
    "give_role": _("gave somebody a role"),
    "remove": _("removed somebody from the course"),
}
"""What an entry says, by the name of the view that made it."""

QUIET: Final = frozenset({"look_again", "weigh"})
"""Views that only ask what a change would do, and so leave no entry."""

DETAILS: Final = {
    "open": _("opened sign-up"),
    "announce": _("showed the page"),
    "close": _("closed sign-up"),
    "hide": _("hid the page"),
    "admit": _("gave waiting learners places"),
    "finish": _("finished the course"),
    "resume": _("let the course run again"),
    "owner": _("as an owner"),
    "organiser": _("as an organiser"),
    "facilitator": _("as a facilitator"),
    "reader": _("as a reader"),
}
"""What a view may say beside; nothing else is ever noted, so that no learner's answer gets there."""

SUBJECTS: Final = ("key", "question", "person")
"""Parts of an address that name what was acted on."""


def watch(session: Session) -> None:
    """Note what this request does to its course when it commits ``session``."""
    event.listen(session, "before_commit", _note)


def say(detail: str) -> None:
    """Note beside the action one of `DETAILS`."""
    g.noted_detail = detail if detail in DETAILS else ""


def _note(session: Session) -> None:
    action = str(request.endpoint).rpartition(".")[2]
    if session.in_nested_transaction() or action in QUIET or "course" not in g or "noted" in g:
        return
    g.noted = True
    values = request.view_args or {}
    audit.record(
        session,
        g.course,
        g.me,
        action,
        now(),
        subject=next((values[name] for name in SUBJECTS if name in values), ""),
        detail=g.get("noted_detail", ""),
    )

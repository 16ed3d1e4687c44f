"""Whatever file tells of interactions: its tool is recognised, and it is read as that tool meant it.

A plain table is given back as it is, for somebody may have to say what its columns are.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from . import archives, chats, clocks, forums, sheets
from .language import gettext as _
from .language import lazy_gettext as lazy
from .sheets import Line, Sheet
from .tables import MalformedFile, heading_key
from .told import Reading, Slip, Told, called, moment, one, text_of

TABLE: Final = "CSV"

FIELDS: Final = {
    "from": lazy("Who"),
    "to": lazy("To whom"),
    "time": lazy("When"),
    "kind": lazy("What it was"),
}
"""What a column of a table can hold; all but the last are needed."""
NEEDED: Final = ("from", "to", "time")

_TO: Final = (
    r"(to|recipient|receiver|target|taker|addressee|mentioned|an|para|à|destinatari[oa]|destinataire)"
)
_ANSWERED: Final = r"((in )?repl(y|ied) to|answered|responds? to)"
_RULES: Final = (
    ("to", rf"^{_TO}\b.*(mail|address)|^({_ANSWERED}).*(mail|address)"),
    ("from", r"^(from|sender|author|user|actor|giver|poster|learner|student|de|von)\b.*(mail|address)"),
    ("to", rf"^{_ANSWERED}\b|^{_TO}( (user ?)?name| user| id)?$"),
    (
        "from",
        r"^(from|sender|author|source|user|actor|giver|poster|posted by|by|who|von|de|remitente|expéditeur"
        r"|e ?mail|student|learner)( (user ?)?name| user| id)?$|^user ?name$",
    ),
    (
        "time",
        r"^(time|time ?stamp|date|date ?time|at|when|created( at)?|sent( at)?|posted( at)?|occurred( at)?"
        r"|event ?time|zeit|datum|fecha|hora|heure)\b",
    ),
    ("kind", r"^(kind|type|action|verb|event|event ?name|interaction|art|tipo)\b"),
)
"""What the words of a heading say; what tells an address goes before a name."""

Columns = dict[str, int]
"""Which column, counted from 0, holds which of `FIELDS`."""


def read(content: bytes, name: str = "") -> Reading | Sheet:
    """Read a file; a plain table comes back as it is.

    Raises:
        UnreadableFile: It cannot be read, or is of no kind that is known.
    """
    if archives.is_archive(content) and not _is_workbook(content):
        return _archive(archives.parts(content), name)
    start = content.lstrip(b"\xef\xbb\xbf \t\r\n")[:1]
    if start in (b"{", b"["):
        return _json(archives.parsed(content))
    sheet = sheets.read(content, lambda text: bool(_field(text)))
    if forums.is_posts(sheet.lines[0].cells):
        return forums.posts_of_sheet(sheet)
    if forums.is_user_archive(sheet.lines[0].cells):
        return forums.user_archive(sheet, name)
    if chats.is_discord_sheet(sheet):
        return chats.discord_sheet(sheet)
    return sheet


def _is_workbook(content: bytes) -> bool:
    return content.startswith(b"PK\x03\x04") and b"xl/" in content


def _archive(parts: Mapping[str, bytes], name: str) -> Reading:
    archive = next((each for each in parts if each.endswith("user_archive.csv")), None)
    if archive is not None:
        return forums.user_archive(sheets.read(parts[archive]), f"{name} {archive}")
    said = {each: archives.parsed(content) for each, content in parts.items() if content.strip()
            and not each.endswith(".csv")}  # fmt: skip
    if chats.is_slack(said):
        return chats.slack(said)
    if any(chats.is_zulip(each) for each in said.values()):
        return chats.zulip(said)
    channels = {each: content for each, content in said.items() if chats.is_discord(content)}
    if channels:
        return chats.discord(channels)
    raise _unknown()


def _json(said: Any) -> Reading | Sheet:
    if chats.is_discord(said):
        return chats.discord({"": said})
    if chats.is_zulip(said):
        return chats.zulip({"": said})
    if isinstance(said, dict):
        if "rows" in said and "columns" in said:
            return _explorer(said)
        posts = said.get("post_stream", said)
        posts = posts.get("posts", said.get("latest_posts")) if isinstance(posts, dict) else None
        said = said.get("statements", [said] if forums.is_statement(said) else posts)
    entries = said if isinstance(said, list) else []
    first = next((each for each in entries if isinstance(each, dict)), {})
    if forums.is_statement(first):
        return forums.xapi(entries)
    if "post_number" in first:
        return forums.discourse([each for each in entries if isinstance(each, dict)])
    if "ts" in first and "user" in first:
        return chats.slack_channel(entries)
    if "sender_full_name" in first:
        return chats.zulip({"": {"messages": entries}})
    if {"from", "to"} <= {_field(text_of(each)) for each in first}:
        return _sheet([*first], [each for each in entries if isinstance(each, dict)])
    raise _unknown()


def _explorer(said: dict[str, Any]) -> Reading | Sheet:
    headings, rows = forums.explorer(said)
    return forums.discourse(rows) if forums.is_posts(headings) else _sheet(headings, rows)


def _sheet(headings: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> Sheet:
    """Return entries with names as a table."""
    if not rows or not headings:
        raise MalformedFile(_("The file is empty."))
    body = (
        Line(number, tuple(text_of(row.get(name)) for name in headings))
        for number, row in enumerate(rows, start=2)
    )
    return Sheet((Line(1, tuple(headings)), *body))


def _unknown() -> MalformedFile:
    return MalformedFile(
        _(
            "This is none of the files that are known here. Bring a table with the columns from, to and "
            "time, or an export of Discourse, Zulip, Slack, Discord or xAPI."
        )
    )


# Tables


def _field(heading: str) -> str:
    """Return which of `FIELDS` a heading names, or nothing."""
    text = heading_key(heading).replace("_", " ")
    return next((field for field, words in _RULES if re.search(words, text)), "")


def guess(sheet: Sheet) -> Columns:
    """Return which column of a table is what, as far as its headings tell."""
    found: Columns = {}
    keys = [heading_key(each).replace("_", " ") for each in sheet.lines[0].cells]
    for field, words in _RULES:
        column = next(
            (
                place
                for place, key in enumerate(keys)
                if re.search(words, key) and place not in found.values()
            ),
            None,
        )
        if column is not None:
            found.setdefault(field, column)
    return found


@dataclass(frozen=True, slots=True)
class _Row:
    """A row of a table by what its columns hold."""

    line: Line
    columns: Columns

    def cell(self, field: str) -> str:
        return self.line[self.columns[field]] if field in self.columns else ""


def of_table(sheet: Sheet, columns: Columns) -> Reading:
    """Read a table whose columns are known.

    Raises:
        MalformedFile: A needed column is not among them, or there are no rows.
    """
    missing = [str(FIELDS[each]) for each in NEEDED if each not in columns]
    if missing:
        raise MalformedFile(
            _("It is not known which column says: %(missing)s.", missing=", ".join(missing).lower())
        )
    rows = [_Row(line, columns) for line in sheet.lines[1:]]
    if not rows:
        raise MalformedFile(_("The file has a header but no rows below it."))
    day_first = clocks.is_day_first(row.cell("time") for row in rows)

    def told(row: _Row) -> Told | Slip:
        place = _("row %(number)s", number=row.line.number)
        text = row.cell("time")
        at = moment(text, day_first=day_first)
        if at is None and text:
            return Slip(place, _("“%(text)s” is not a date and time.", text=text[:60]))
        return one(place, called(row.cell("from")), called(row.cell("to")), at, row.cell("kind"))

    return Reading.of(TABLE, map(told, rows))

"""What exports of forums and learning records tell: who answered or mentioned whom.

Of Discourse: posts from its Data Explorer or its pages, and the archive that a user can download. Of
learning records: statements in xAPI whose object, instructor or team is a person.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from .language import gettext as _
from .sheets import Sheet
from .tables import MalformedFile, heading_key
from .told import MENTION, REPLY, Person, Reading, Slip, Told, called, moment, one, record, records, text_of

Found = Iterator[Told | Slip | None]

DISCOURSE, XAPI = "Discourse", "xAPI"

_MENTION: Final = re.compile(r"(?<![\w`@/.])@([\w][\w.-]{0,59}[\w]|[\w])")
_QUOTE: Final = re.compile(r'\[quote="?([\w][\w.-]*)', re.IGNORECASE)
_LINKED: Final = re.compile(r'class="mention"[^>]{0,300}>@([\w.-]+)<')
_QUOTED: Final = re.compile(r'<aside class="quote[^"]{0,100}"[^>]{0,300}data-username="([\w.-]+)"')
_WHISPER: Final = "4"
"""What Discourse calls a post that only staff can see."""
_ENDS: Final = re.compile(r"\[/quote\]", re.IGNORECASE)
_ARCHIVE: Final = re.compile(r"user_archive-(.+?)-\d{6}-\d{6}")

Post = Mapping[str, Any]


def is_posts(headings: Iterable[str]) -> bool:
    """Tell whether a table with these headings holds posts of Discourse."""
    names = {heading_key(each) for each in headings}
    return {"topic_id", "post_number", "reply_to_post_number"} <= names


def is_user_archive(headings: Iterable[str]) -> bool:
    """Tell whether a table with these headings is what a user of Discourse can download."""
    names = {heading_key(each) for each in headings}
    return {"is_pm", "url", "created_at"} <= names and bool(names & {"post", "post_raw"})


def posts_of_sheet(sheet: Sheet) -> Reading:
    """Read posts of Discourse that stand in a table."""
    return discourse(rows_of(sheet.lines[0].cells, [line.cells for line in sheet.lines[1:]]))


def rows_of(headings: Sequence[str], rows: Iterable[Sequence[Any]]) -> list[dict[str, Any]]:
    """Return the rows of a table by its headings."""
    names = [heading_key(text_of(each)) for each in headings]
    return [dict(zip(names, row, strict=False)) for row in rows if isinstance(row, list | tuple)]


def explorer(said: dict[str, Any]) -> tuple[list[str], list[dict[str, Any]]]:
    """Return the columns and rows of what the Data Explorer of Discourse found.

    Where a row has a user's number, the user's name is added that the file has beside.
    """
    columns = said.get("columns")
    headings = [text_of(each) for each in columns] if isinstance(columns, list) else []
    given = said.get("rows")
    rows = rows_of(headings, given if isinstance(given, list) else [])
    users = {
        text_of(each.get("id")): text_of(each.get("username"))
        for each in records(record(said.get("relations")).get("user"))
    }
    for row in rows:
        for name in [each for each in row if each.endswith("user_id")]:
            found = users.get(text_of(row[name]))
            if found:
                row.setdefault(f"{name.removesuffix('_id')}name", found)
    names = dict.fromkeys([*map(heading_key, headings), *(name for row in rows for name in row)])
    return list(names), rows


def discourse(posts: Sequence[Post]) -> Reading:
    """Read posts of Discourse: answers to a post, quotes and mentions."""
    authors = {
        (text_of(each.get("topic_id")), text_of(each.get("post_number"))): _author(each) for each in posts
    }
    return Reading.of(
        DISCOURSE, (found for place, each in _placed(posts) for found in _post(place, each, authors))
    )


def _author(post: Post) -> Person:
    return called(post.get("email"), post.get("username"), post.get("name"), post.get("user_id"))


def _post(place: str, post: Post, authors: Mapping[tuple[str, str], Person]) -> Found:
    if post.get("archetype") == "private_message" or text_of(post.get("post_type")) == _WHISPER:
        yield None
        return
    author, at = _author(post), moment(post.get("created_at"))
    user = record(post.get("reply_to_user"))
    answered = called(user.get("username"), post.get("reply_to_username")) or authors.get(
        (text_of(post.get("topic_id")), text_of(post.get("reply_to_post_number"))), ()
    )
    if answered:
        yield one(place, author, answered, at, REPLY)
    named = _addressed(text_of(post.get("raw")), text_of(post.get("cooked")))
    others = [(kind, name) for kind, name in named if name not in answered]
    yield from (one(place, author, called(name), at, kind) for kind, name in others)
    if not answered and not others:
        yield None


def _addressed(raw: str, cooked: str = "") -> list[tuple[str, str]]:
    """Return who is quoted and mentioned in a post."""
    quoted = dict.fromkeys((*_QUOTE.findall(raw), *_QUOTED.findall(cooked)))
    own = (re.split(r"\[quote", each, maxsplit=1, flags=re.IGNORECASE)[0] for each in _ENDS.split(raw))
    mentioned = dict.fromkeys((*_MENTION.findall(" ".join(own)), *_LINKED.findall(cooked)))
    return [
        *((REPLY, name) for name in quoted),
        *((MENTION, name) for name in mentioned if name not in quoted),
    ]


def user_archive(sheet: Sheet, name: str) -> Reading:
    """Read what a user of Discourse downloaded: whom they quoted and mentioned in public.

    Raises:
        MalformedFile: The name of the file does not tell whose archive it is.
    """
    found = _ARCHIVE.search(name)
    if found is None:
        raise MalformedFile(
            _(
                "This archive does not say whose it is. Bring the file under the name that Discourse gave "
                "it, such as user_archive-ann-270113-180000.zip."
            )
        )
    owner, rows = called(found[1]), rows_of(sheet.lines[0].cells, [line.cells for line in sheet.lines[1:]])

    def tells() -> Found:
        for place, row in _placed(rows):
            others = _addressed(text_of(row.get("post_raw") or row.get("post")))
            if text_of(row.get("is_pm")).casefold() not in ("no", "false", "", "0") or not others:
                yield None
                continue
            at = moment(row.get("created_at"))
            yield from (one(place, owner, called(other), at, kind) for kind, other in others)

    return Reading.of(DISCOURSE, tells())


def is_statement(said: Any) -> bool:
    """Tell whether this is a statement in xAPI."""
    return isinstance(said, dict) and "actor" in said and "verb" in said


def xapi(statements: Iterable[Any]) -> Reading:
    """Read statements: an actor and the people who are their object, instructor or team."""
    return Reading.of(
        XAPI, (found for place, each in _placed(statements) for found in _statement(place, each))
    )


def _statement(place: str, statement: Any) -> Found:
    if not is_statement(statement):
        yield Slip(place, _("This is no statement in xAPI."))
        return
    context, verb = record(statement.get("context")), record(statement.get("verb"))
    actor = record(statement.get("actor"))
    others = [
        *_people(record(statement.get("object")), typed=True),
        *_people(record(context.get("instructor"))),
        *_people(record(context.get("team"))),
    ]
    at = moment(statement.get("timestamp") or statement.get("stored"))
    kind = text_of(verb.get("id")).rstrip("/").rpartition("/")[2]
    givers = _people(actor)
    pairs = dict.fromkeys((giver, other) for giver in givers for other in others if other != giver)
    if others and not givers:
        yield Slip(place, _("It is not told who this was."))
        return
    yield from (one(place, giver, other, at, kind) for giver, other in pairs)
    if not pairs:
        yield None


def _people(agent: dict[str, Any], *, typed: bool = False) -> list[Person]:
    """Return an agent, or the members of a group; an object of another type is nobody."""
    kind = agent.get("objectType", "" if typed else "Agent")
    agents = list(records(agent.get("member"))) if kind == "Group" else [agent]
    if kind not in ("Agent", "Group"):
        return []
    return [person for person in map(_person, agents) if person]


def _person(agent: dict[str, Any]) -> Person:
    account = record(agent.get("account"))
    mail = text_of(agent.get("mbox")).removeprefix("mailto:")
    digest = text_of(agent.get("mbox_sha1sum")).casefold()
    return called(mail, f"sha1:{digest}" if digest else "", account.get("name"), agent.get("name"))


def _placed(entries: Iterable[Any]) -> Iterator[tuple[str, Any]]:
    """Yield entries with the words for where they stand."""
    for number, each in enumerate(entries, start=1):
        yield _("entry %(number)s", number=number), each

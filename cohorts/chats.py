"""What exports of chats tell: who answered or mentioned whom in Slack, Discord and Zulip.

Only what was said in channels is read. Private messages and private channels are passed over, and of what
was written nothing is kept but who is addressed in it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any, Final

from .language import gettext as _
from .sheets import Sheet
from .tables import MalformedFile
from .told import MENTION, REPLY, Person, Reading, Slip, Told, called, moment, one, record, records, text_of

Found = Iterator[Told | Slip | None]

SLACK, DISCORD, ZULIP = "Slack", "Discord", "Zulip"

_PRIVATE: Final = ("dms.json", "mpims.json", "groups.json")
_SLACK_MENTION: Final = re.compile(r"<@([UW][A-Z0-9]+)(?:\|[^>]*)?>")
_ZULIP_MENTION: Final = re.compile(r"@(_?)\*\*([^*\n]{1,200}?)(?:\|(\d+))?\*\*")


def is_slack(files: Mapping[str, Any]) -> bool:
    """Tell whether these are the files of a Slack export."""
    users = next((said for name, said in files.items() if _base(name) == "users.json"), None)
    return any("profile" in each or "team_id" in each for each in records(users))


def slack(files: Mapping[str, Any]) -> Reading:
    """Read a Slack export: answers in threads, and mentions."""
    people = {text_of(each.get("id")): _slack_person(each) for each in records(_named(files, "users.json"))}
    private = {
        text_of(each.get(key))
        for name in _PRIVATE
        for each in records(_named(files, name))
        for key in ("id", "name")
    }
    days = {
        name: said
        for name, said in files.items()
        if len(PurePosixPath(name).parts) > 1 and PurePosixPath(name).parent.name not in private
    }
    return Reading.of(SLACK, (each for name in sorted(days) for each in _slack_day(name, days[name], people)))


def slack_channel(messages: Any) -> Reading:
    """Read one file of a Slack export by itself: people are known by their ids alone."""
    return Reading.of(SLACK, _slack_day("", messages, {}))


def _slack_person(user: dict[str, Any]) -> Person:
    profile = record(user.get("profile"))
    names = (profile.get("real_name"), user.get("real_name"), profile.get("display_name"))
    return called(profile.get("email"), user.get("id"), user.get("name"), *names)


def _slack_day(name: str, messages: Any, people: Mapping[str, Person]) -> Found:
    said = list(records(messages))
    authors = {text_of(each.get("ts")): text_of(each.get("user")) for each in said}

    def person(user_id: str) -> Person:
        return people.get(user_id) or called(user_id)

    for place, each in _placed(name, said):
        author = text_of(each.get("user"))
        if each.get("subtype") not in (None, "thread_broadcast", "me_message") or not author:
            yield None
            continue
        at, thread = moment(each.get("ts")), text_of(each.get("thread_ts"))
        asked = text_of(each.get("parent_user_id")) or authors.get(thread, "")
        is_answer = bool(thread) and thread != text_of(each.get("ts"))
        mentioned = set(_SLACK_MENTION.findall(text_of(each.get("text"))))
        if is_answer and asked:
            yield one(place, person(author), person(asked), at, REPLY)
            mentioned.discard(asked)
        for other in sorted(mentioned):
            yield one(place, person(author), person(other), at, MENTION)
        if not mentioned and not (is_answer and asked):
            yield None


def is_discord(said: Any) -> bool:
    """Tell whether this is a channel as DiscordChatExporter writes it."""
    return isinstance(said, dict) and "guild" in said and "messages" in said


def discord(channels: Mapping[str, Any]) -> Reading:
    """Read channels as DiscordChatExporter writes them as JSON: answers, and mentions.

    Raises:
        MalformedFile: All of them are private.
    """
    public = {
        name: said
        for name, said in channels.items()
        if not text_of(record(said.get("channel")).get("type")).startswith("Direct")
    }
    if not public:
        raise MalformedFile(_("These are private messages, which are not read. Bring a channel of a server."))
    authors = {
        text_of(each.get("id")): record(each.get("author"))
        for said in public.values()
        for each in records(said.get("messages"))
    }
    return Reading.of(
        DISCORD, (each for name in sorted(public) for each in _discord(name, public[name], authors))
    )


def _discord(name: str, said: dict[str, Any], authors: Mapping[str, dict[str, Any]]) -> Found:
    for place, each in _placed(name, list(records(said.get("messages")))):
        author, at = record(each.get("author")), moment(each.get("timestamp"))
        asked = authors.get(text_of(record(each.get("reference")).get("messageId")), {})
        is_answer = each.get("type", "Reply") == "Reply" and bool(asked)
        if author.get("isBot") is True:
            yield None
            continue
        asked = {} if asked.get("isBot") is True else asked
        # Discord mentions whoever is answered, too.
        mentioned = [
            other
            for other in records(each.get("mentions"))
            if other.get("isBot") is not True and other.get("id") != asked.get("id")
        ]
        if is_answer and asked:
            yield one(place, _discord_person(author), _discord_person(asked), at, REPLY)
        for other in mentioned:
            yield one(place, _discord_person(author), _discord_person(other), at, MENTION)
        if not mentioned and not (is_answer and asked):
            yield None


def _discord_person(user: dict[str, Any]) -> Person:
    name, number = text_of(user.get("name")), text_of(user.get("discriminator"))
    tag = f"{name}#{number}" if number.strip("0") else ""
    return called(tag, name, user.get("nickname"), user.get("id"))


def is_discord_sheet(sheet: Sheet) -> bool:
    """Tell whether this is a channel as DiscordChatExporter writes it as CSV."""
    return {"AuthorID", "Author", "Date", "Content"} <= set(sheet.lines[0].cells)


def discord_sheet(sheet: Sheet) -> Reading:
    """Read a channel that DiscordChatExporter wrote as CSV: it has mentions alone."""
    place_of = {heading: place for place, heading in enumerate(sheet.lines[0].cells)}
    tags = {line[place_of["Author"]]: line[place_of["AuthorID"]] for line in sheet.lines[1:]}
    people = {tag.partition("#")[0]: called(tag, tag.partition("#")[0], key) for tag, key in tags.items()}
    anybody = "|".join(re.escape(each) for each in sorted(people, key=len, reverse=True) if each)
    mention = re.compile(rf"@({anybody})(?!\w)") if anybody else None

    def found() -> Found:
        for line in sheet.lines[1:]:
            place = _("row %(number)s", number=line.number)
            author, at = line[place_of["Author"]].partition("#")[0], moment(line[place_of["Date"]])
            others = sorted(set(mention.findall(line[place_of["Content"]])) if mention else ())
            for other in others:
                yield one(place, people[author], people[other], at, MENTION)
            if not others:
                yield None

    return Reading.of(DISCORD, found())


def is_zulip(said: Any) -> bool:
    """Tell whether this is a file of a Zulip export, or an answer of its API."""
    if not isinstance(said, dict):
        return False
    sent = next(records(said.get("messages")), {})
    return "zerver_message" in said or "zerver_userprofile" in said or "sender_full_name" in sent


def zulip(files: Mapping[str, Any]) -> Reading:
    """Read a Zulip export, or messages as its API gives them: quotes and mentions."""
    people: dict[str, Person] = {}
    private = {
        text_of(each.get("id"))
        for said in files.values()
        for each in records(record(said).get("zerver_stream"))
        if each.get("invite_only") is True
    }
    streams: set[str] | None = None
    for said in files.values():
        for each in records(record(said).get("zerver_userprofile")):
            address, shown = text_of(each.get("delivery_email")), text_of(each.get("email"))
            person = called(address, shown, each.get("full_name"))
            people[text_of(each.get("id"))] = person
            # Where two have one name, a mention of either says which by number.
            people[f"@{text_of(each.get('full_name'))}"] = person
        recipients = list(records(record(said).get("zerver_recipient")))
        if recipients:
            streams = streams or set()
            streams |= {
                text_of(each.get("id"))
                for each in recipients
                if each.get("type") == 2 and text_of(each.get("type_id")) not in private
            }
    return Reading.of(
        ZULIP, (each for name in sorted(files) for each in _zulip(name, files[name], people, streams))
    )


def _zulip(name: str, said: Any, people: Mapping[str, Person], streams: set[str] | None) -> Found:
    exported = list(records(record(said).get("zerver_message")))
    by_api = list(records(record(said).get("messages")))
    for place, each in _placed(name, exported or by_api):
        is_private = (
            text_of(each.get("recipient")) not in streams
            if exported and streams is not None
            else each.get("type") in ("private", "direct") or not text_of(each.get("subject", "-"))
        )
        if is_private:
            yield None
            continue
        sender = text_of(each.get("sender") if exported else each.get("sender_id"))
        author = people.get(sender) or called(each.get("sender_email"), each.get("sender_full_name"), sender)
        at = moment(each.get("date_sent") if exported else each.get("timestamp"))
        # A silent mention stands before what is quoted of somebody.
        others = dict.fromkeys(
            (REPLY if silent else MENTION, people.get(key or f"@{shown}") or called(shown))
            for silent, shown, key in _ZULIP_MENTION.findall(text_of(each.get("content")))
            if shown not in ("all", "everyone", "stream", "channel", "topic")
        )
        yield from (one(place, author, other, at, kind) for kind, other in others)
        if not others:
            yield None


def _placed(name: str, entries: Iterable[Any]) -> Iterator[tuple[str, Any]]:
    """Yield entries with the words for where they stand."""
    for number, each in enumerate(entries, start=1):
        there = _("message %(number)s", number=number)
        yield (f"{name}, {there}" if name else there), each


def _base(name: str) -> str:
    return PurePosixPath(name).name


def _named(files: Mapping[str, Any], base: str) -> Any:
    return next((said for name, said in files.items() if _base(name) == base), None)

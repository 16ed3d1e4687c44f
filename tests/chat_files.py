"""Exports of chats and forums, as small as they can be and still as their tools write them."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
import zipfile
from collections.abc import Mapping
from typing import Any


def zip_of(**files: Any) -> bytes:
    """An archive of JSON files by name, where ``__`` is a slash; bytes stay as they are."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, said in files.items():
            plain = said if isinstance(said, bytes) else json.dumps(said).encode()
            path = name.replace("__", "/")
            archive.writestr(path if "." in path else f"{path}.json", plain)
    return content.getvalue()


def tar_of(files: Mapping[str, Any]) -> bytes:
    """The same as a gzipped tar."""
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w") as archive:
        for name, said in files.items():
            body = json.dumps(said).encode()
            entry = tarfile.TarInfo(name)
            entry.size = len(body)
            archive.addfile(entry, io.BytesIO(body))
    return gzip.compress(plain.getvalue())


def slack() -> bytes:
    """Ann asks, Bo answers in the thread and mentions Cy; a bot speaks; Ann writes to Bo in private."""
    people = [
        {"id": "U1", "name": "ann", "profile": {"email": "ann@example.org", "real_name": "Ann"}},
        {"id": "U2", "name": "bo", "profile": {"email": "bo@example.org", "real_name": "Bo"}},
        {"id": "U3", "name": "cy", "real_name": "Cy", "profile": {}},
    ]
    day = [
        {
            "type": "message",
            "user": "U1",
            "text": "Who knows?",
            "ts": "1768294000.000100",
            "thread_ts": "1768294000.000100",
        },
        {
            "type": "message",
            "user": "U2",
            "text": "I do, and so does <@U3|cy>",
            "ts": "1768294060.000200",
            "thread_ts": "1768294000.000100",
            "parent_user_id": "U1",
        },
        {"type": "message", "subtype": "bot_message", "text": "<@U1>", "ts": "1768294070.000200"},
        {
            "type": "message",
            "subtype": "channel_join",
            "user": "U3",
            "text": "<@U3> joined",
            "ts": "1768294080.0",
        },
    ]
    secret = [{"type": "message", "user": "U1", "text": "<@U2> a secret", "ts": "1768294090.000200"}]
    return zip_of(
        users=people,
        channels=[{"id": "C1", "name": "general"}],
        dms=[{"id": "D1", "members": ["U1", "U2"]}],
        **{"general__2027-01-13.json": day, "D1__2027-01-13.json": secret},
    )


def discord() -> dict[str, Any]:
    """Ann asks, Bo answers and mentions Cy; a bot is mentioned."""
    ann = {"id": "1", "name": "ann", "discriminator": "0000", "nickname": "Ann", "isBot": False}
    bo = {"id": "2", "name": "bo", "discriminator": "4242", "nickname": "Bo", "isBot": False}
    cy = {"id": "3", "name": "cy", "discriminator": "0000", "nickname": "Cy", "isBot": False}
    bot = {"id": "4", "name": "helper", "discriminator": "0000", "nickname": "Helper", "isBot": True}
    at = "2027-01-13T18:00:00.000+00:00"
    return {
        "guild": {"id": "9", "name": "Course"},
        "channel": {"id": "8", "type": "GuildTextChat", "name": "general"},
        "messages": [
            {
                "id": "10",
                "type": "Default",
                "timestamp": at,
                "content": "Who?",
                "author": ann,
                "mentions": [],
            },
            {
                "id": "11",
                "type": "Reply",
                "timestamp": "2027-01-13T19:01:00+01:00",
                "content": "I, @Cy",
                "author": bo,
                "mentions": [ann, cy, bot],
                "reference": {"messageId": "10", "channelId": "8", "guildId": "9"},
            },
            {
                "id": "12",
                "type": "Default",
                "timestamp": at,
                "content": "@Ann",
                "author": bot,
                "mentions": [ann],
            },
        ],
    }


def zulip() -> dict[str, Any]:
    """Ann mentions Bo, Bo quotes Ann; Ann writes to Bo in private."""
    return {
        "export/realm.json": {
            "zerver_userprofile": [
                {"id": 1, "full_name": "Ann", "email": "user1@zulip", "delivery_email": "ann@example.org"},
                {"id": 2, "full_name": "Bo", "email": "bo@example.org"},
            ],
            "zerver_stream": [{"id": 1, "invite_only": False}, {"id": 3, "invite_only": True}],
            "zerver_recipient": [
                {"id": 5, "type": 2, "type_id": 1},
                {"id": 6, "type": 1, "type_id": 2},
                {"id": 7, "type": 2, "type_id": 3},
            ],
        },
        "export/messages-000001.json": {
            "zerver_message": [
                {
                    "id": 1,
                    "sender": 1,
                    "recipient": 5,
                    "subject": "Jazz",
                    "date_sent": 1799830000.5,
                    "content": "@**Bo** hello @**all**",
                },
                {
                    "id": 2,
                    "sender": 2,
                    "recipient": 5,
                    "subject": "Jazz",
                    "date_sent": 1799830060,
                    "content": "@_**Ann|1** [said](https://z):\n```quote\nhi\n```",
                },
                {
                    "id": 3,
                    "sender": 1,
                    "recipient": 6,
                    "subject": "",
                    "date_sent": 1799830090,
                    "content": "@**Bo** a secret",
                },
                {
                    "id": 4,
                    "sender": 2,
                    "recipient": 7,
                    "subject": "Staff",
                    "date_sent": 1799830090,
                    "content": "@**Ann** a secret in a private channel",
                },
            ]
        },
    }


def discourse() -> dict[str, Any]:
    """What the Data Explorer found: Ann opens a topic, Bo answers her, Cy quotes Bo and mentions Ann."""
    return {
        "success": True,
        "columns": ["user_id", "topic_id", "post_number", "reply_to_post_number", "created_at", "raw"],
        "rows": [
            [1, 7, 1, None, "2027-01-13T18:00:00.000Z", "Who knows me@example.org?"],
            [2, 7, 2, 1, "2027-01-13T18:01:00.000Z", "I do."],
            [3, 7, 3, None, "2027-01-13 18:02:00", '[quote="bo, post:2"]\n@zed I do.\n[/quote]\n@ann, too.'],
        ],
        "relations": {
            "user": [{"id": 1, "username": "ann"}, {"id": 2, "username": "bo"}, {"id": 3, "username": "cy"}]
        },
    }


def xapi() -> list[dict[str, Any]]:
    """Ann answers Bo; Cy is taught by Bo in a team with Ann; Ann looks at a video."""
    ann = {"objectType": "Agent", "mbox": "mailto:Ann@example.org", "name": "Ann"}
    # The digest of mailto:bo@example.org.
    bo = {"mbox_sha1sum": "16cdffaa89e80db57d007e33ad3d7628f59291e8", "objectType": "Agent"}
    cy = {"account": {"homePage": "https://lms.example.org", "name": "cy"}}
    verb = {"id": "http://adlnet.gov/expapi/verbs/responded"}
    return [
        {"actor": ann, "verb": verb, "object": bo, "timestamp": "2027-01-13T18:00:00Z"},
        {
            "actor": cy,
            "verb": {"id": "http://adlnet.gov/expapi/verbs/attended/"},
            "object": {"id": "https://lms.example.org/meeting"},
            "context": {"instructor": bo, "team": {"objectType": "Group", "member": [ann, cy]}},
            "stored": "2027-01-13T18:05:00Z",
        },
        {
            "actor": ann,
            "verb": verb,
            "object": {"id": "https://example.org/video"},
            "timestamp": "2027-01-13T18:00:00Z",
        },
    ]

"""Files that tell who had to do with whom: every tool as it writes, messy tables, and whatever bytes."""

from __future__ import annotations

import io
import json
import zipfile
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cohorts import conversations, interactions
from cohorts.conversations import guess, of_table
from cohorts.exceptions import UnreadableFile
from cohorts.sheets import Sheet
from cohorts.told import Reading, moment
from tests import chat_files as made
from tests.tool_files import xlsx_of

SIX = datetime(2027, 1, 13, 18, tzinfo=UTC)


def read(content: bytes | str, name: str = "") -> Reading:
    found = conversations.read(content.encode() if isinstance(content, str) else content, name)
    return of_table(found, guess(found)) if isinstance(found, Sheet) else found


def told(content: bytes | str, name: str = "") -> list[tuple[str, str, str]]:
    return [(each.giver[0], each.taker[0], each.kind) for each in read(content, name).told]


def test_slack_tells_of_threads_and_mentions_in_channels_alone() -> None:
    found = read(made.slack())
    assert found.tool == "Slack"
    assert [(each.giver[0], each.taker[0], each.kind) for each in found.told] == [
        ("bo@example.org", "ann@example.org", "reply"),
        ("bo@example.org", "U3", "mention"),
    ]
    assert found.told[1].taker == ("U3", "cy", "Cy")
    assert found.told[0].at == datetime.fromtimestamp(1768294060.0002, UTC)
    assert found.notes == ("3 entries answer or mention nobody.",)


def test_one_file_of_a_slack_export_knows_people_by_their_ids() -> None:
    day = json.loads(zipfile.ZipFile(io.BytesIO(made.slack())).read("general/2027-01-13.json"))
    assert told(json.dumps(day)) == [("U2", "U1", "reply"), ("U2", "U3", "mention")]


def test_discord_tells_of_answers_and_mentions_but_not_of_bots() -> None:
    expected = [("bo#4242", "ann", "reply"), ("bo#4242", "cy", "mention")]
    assert told(json.dumps(made.discord())) == expected
    assert told(made.zip_of(general=made.discord())) == expected
    assert read(json.dumps(made.discord())).told[0].at == SIX.replace(minute=1)


def test_private_messages_of_discord_are_refused() -> None:
    said = made.discord()
    said["channel"]["type"] = "DirectTextChat"
    with pytest.raises(UnreadableFile, match="private messages"):
        read(json.dumps(said))


def test_discord_as_csv_has_mentions() -> None:
    text = (
        "AuthorID,Author,Date,Content,Attachments,Reactions\n"
        '"1","ann","2027-01-13T18:00:00.0000000+00:00","Hello","",""\n'
        '"2","bo#4242","2027-01-13T18:01:00.0000000+00:00","Well, @ann and @annabel","",""\n'
    )
    assert told(text) == [("bo#4242", "ann", "mention")]


@pytest.mark.parametrize("pack", ["tar", "zip"])
def test_zulip_tells_of_quotes_and_mentions_in_channels_alone(pack: str) -> None:
    files = made.zulip()
    packed = {name.replace("/", "__"): said for name, said in files.items()}
    found = told(made.tar_of(files) if pack == "tar" else made.zip_of(**packed))
    assert found == [
        ("ann@example.org", "bo@example.org", "mention"),
        ("bo@example.org", "ann@example.org", "reply"),
    ]


def test_messages_from_the_api_of_zulip() -> None:
    sent = {
        "sender_email": "ann@example.org",
        "sender_full_name": "Ann",
        "sender_id": 1,
        "timestamp": 1799830000,
    }
    public = {**sent, "type": "stream", "subject": "Jazz", "content": "@**Bo|2** hello"}
    private = {**sent, "type": "private", "subject": "", "content": "@**Bo|2** a secret"}
    assert told(json.dumps({"messages": [public, private]})) == [("ann@example.org", "Bo", "mention")]


def test_discourse_tells_of_answers_quotes_and_mentions() -> None:
    expected = [("bo", "ann", "reply"), ("cy", "bo", "reply"), ("cy", "ann", "mention")]
    assert told(json.dumps(made.discourse())) == expected
    posts = [
        {
            "username": "bo",
            "topic_id": 7,
            "post_number": 2,
            "created_at": "2027-01-13T18:01:00Z",
            "reply_to_user": {"username": "ann"},
        },
        {
            "username": "cy",
            "topic_id": 7,
            "post_number": 3,
            "created_at": "2027-01-13T18:02:00Z",
            "cooked": '<a class="mention" href="/u/ann">@ann</a>',
        },
    ]
    whisper = {**posts[0], "username": "zed", "post_type": 4}
    private = {**posts[0], "username": "zed", "archetype": "private_message"}
    posts += [whisper, private]
    topic = {"post_stream": {"posts": posts}}
    assert told(json.dumps(topic)) == [("bo", "ann", "reply"), ("cy", "ann", "mention")]


def test_discourse_as_csv_and_a_users_archive() -> None:
    head = "username,topic_id,post_number,reply_to_post_number,created_at"
    table = f"{head}\rann,7,1,,2027-01-13 18:00\rbo,7,2,1,2027-01-13 18:01\r"
    assert told(table) == [("bo", "ann", "reply")]
    archive = (
        "topic_title,category,is_pm,post_raw,url,created_at\n"
        "Jazz,x,No,Thanks @bo,https://f/t/7/3,2027-01-13 18:02:00 UTC\n"
        "Jazz,x,Yes,A secret for @cy,https://f/t/8/1,2027-01-13 18:03:00 UTC\n"
    )
    name = "user_archive-ann-270113-180000.zip"
    packed = made.zip_of(**{"user_archive.csv": archive.encode()})
    assert told(packed, name) == told(archive, name) == [("ann", "bo", "mention")]
    with pytest.raises(UnreadableFile, match="whose it is"):
        read(packed, "archive.zip")


@pytest.mark.parametrize("way", ["list", "lines", "more"])
def test_xapi_tells_of_people_as_object_instructor_and_team(way: str) -> None:
    statements = made.xapi()
    content = {
        "list": json.dumps(statements),
        "lines": "\r\n".join(json.dumps(each) for each in statements),
        "more": json.dumps({"statements": statements, "more": ""}),
    }[way]
    digest = "sha1:" + made.xapi()[0]["object"]["mbox_sha1sum"]
    assert told(content) == [
        ("Ann@example.org", digest, "responded"),
        ("cy", digest, "attended"),
        ("cy", "Ann@example.org", "attended"),
    ]


def test_a_broken_line_of_statements_is_told_and_the_others_are_kept() -> None:
    found = read(json.dumps(made.xapi()[0]) + "\n{broken\n" + json.dumps(made.xapi()[0]))
    assert len(found.told) == 2
    assert [(each.place, each.message) for each in found.slips] == [
        ("entry 2", "This is no statement in xAPI.")
    ]


TABLE = "from,to,time,kind\nann@example.org,bo@example.org,2027-01-13T18:00:00Z,reply\n"


@pytest.mark.parametrize(
    "content",
    [
        TABLE,
        TABLE.replace("\n", "\r"),
        TABLE.replace(",", ";"),
        TABLE.replace(",", "\t"),
        b"\xff\xfe" + TABLE.encode("utf-16-le"),
        TABLE.replace("from,to,time,kind", "Sender e-mail,Recipient e-mail,Sent at,Type"),
        "Von,An,Datum,Art\nann@example.org,bo@example.org,13.01.2027 18:00,reply\n",
        "author,author email,replied to,in reply to email,timestamp,verb\n"
        "x,ann@example.org,y,bo@example.org,1799863200,reply\n",
        json.dumps(
            [{"from": "ann@example.org", "to": "bo@example.org", "time": "2027-01-13 18:00", "kind": "reply"}]
        ),
        xlsx_of(
            ["from", "to", "time", "kind"],
            ["ann@example.org", "bo@example.org", datetime(2027, 1, 13, 18), "reply"],
        ),
    ],
)
def test_a_table_is_read_whatever_it_is_called(content: str | bytes) -> None:
    [found] = read(content).told
    assert (found.giver, found.taker, found.at, found.kind) == (
        ("ann@example.org",),
        ("bo@example.org",),
        SIX,
        "reply",
    )


def test_rows_that_lack_something_are_told_one_by_one() -> None:
    found = read(
        TABLE + ",bo@example.org,2027-01-13,\nann,,2027-01-13,\nann,bo,soon,\nann,bo,,\nann,bo,1816-01-01,\n"
    )
    assert len(found.told) == 1
    assert [(each.place, each.message) for each in found.slips] == [
        ("row 3", "It is not told who this was."),
        ("row 4", "It is not told to whom."),
        ("row 5", "“soon” is not a date and time."),
        ("row 6", "It is not told when this was."),
        ("row 7", "“1816-01-01” is not a date and time."),
    ]


def test_a_table_without_a_needed_column_says_which() -> None:
    with pytest.raises(UnreadableFile, match="to whom, when"):
        read("from,cake\nann,apple\n")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[1, 2]",
        b"{}",
        b"[" * 100_000,
        b"%PDF-1.7",
        b"PK\x03\x04 broken",
        b"\x1f\x8b broken",
        made.zip_of(other={"x": 1}),
        made.tar_of({"other.json": {"x": 1}}),
        made.zip_of(empty=b""),
    ],
)
def test_what_is_none_of_these_is_refused_in_words(content: bytes) -> None:
    with pytest.raises(UnreadableFile) as refused:
        read(content)
    assert str(refused.value)


@pytest.mark.parametrize("pack", [made.tar_of, lambda files: made.zip_of(**files)])
def test_bombs_are_refused_before_they_go_off(pack, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setattr("cohorts.archives.MAX_UNPACKED", 50_000)
    with pytest.raises(UnreadableFile, match="larger than can be read"):
        read(pack({"a.json": ["x" * 60_000]}))
    with pytest.raises(UnreadableFile, match="larger than can be read"):
        read(pack({"a.png": ["x" * 60_000], "b.json": []}))


def test_too_much_is_refused() -> None:
    one = read(TABLE).told[0]
    with pytest.raises(UnreadableFile, match="more than 3"):
        Reading.of("CSV", [one] * 4, most=3)


def test_a_post_full_of_marks_takes_no_time() -> None:
    said = made.discourse()
    said["rows"][2][5] = "[quote=" * 50_000 + "@a" * 50_000 + '<aside class="quote"' * 20_000
    assert read(json.dumps(said)).tool == "Discourse"


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)
KEYS = (
    *("user", "ts", "text", "thread_ts", "author", "mentions", "reference", "messages", "guild", "channel"),
    *("zerver_message", "zerver_userprofile", "sender", "content", "columns", "rows", "relations", "actor"),
    *("verb", "object", "context", "team", "member", "timestamp", "post_number", "topic_id", "raw", "from"),
    *("to", "time", "statements", "post_stream", "posts", "objectType", "sender_full_name", "is_pm"),
)
LIKE = st.recursive(
    JUNK | st.sampled_from(["Group", "Agent", "1799830000", "2027-01-13", "@ann", "<@U1>", "@**Bo**"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=5),
    max_leaves=20,
)


@given(st.binary(max_size=300) | LIKE.map(lambda said: json.dumps(said).encode()) | st.text().map(str.encode))
def test_whatever_the_bytes_they_are_read_or_refused(content: bytes) -> None:
    try:
        found = read(content)
    except UnreadableFile:
        return
    assert all(each.giver and each.taker and each.at.tzinfo for each in found.told)


@given(st.lists(JUNK, max_size=4), st.lists(JUNK, max_size=4))
def test_junk_around_a_good_entry_costs_only_itself(before: list[object], after: list[object]) -> None:
    mention = {"user": "U1", "text": "<@U2>", "ts": "1799830000.000100"}
    for good in (made.xapi()[0], mention):
        assert len(read(json.dumps([good, *before, *after, good])).told) == 2


@given(st.text(st.characters(exclude_categories=("Cs",)), max_size=40).filter(lambda text: '"' not in text))
def test_a_good_row_is_kept_whatever_stands_in_the_next(junk: str) -> None:
    junk = junk.replace(",", " ").replace("\r", " ").replace("\n", " ").replace("\0", "")
    found = read(TABLE + f"{junk},{junk},{junk},{junk}\n" + TABLE.partition("\n")[2])
    assert len(found.told) >= 2
    assert len(found.told) + len(found.slips) == 3 or not junk.strip()


@given(st.one_of(st.text(max_size=30), st.floats(), st.integers(), st.datetimes().map(str)))
def test_a_moment_is_of_our_days_or_none(value: object) -> None:
    found = moment(value)
    assert found is None or (found.tzinfo is UTC and 2000 <= found.year < 2100)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1799863200", SIX),
        ("1799863200000", SIX),
        (1799863200.0, SIX),
        ("20270113T180000Z", SIX),
        ("2027-01-13 19:00+01:00", SIX),
        ("Jan 13, 2027 6:00 PM", SIX),
        ("20270113", SIX.replace(hour=0)),
        ("46400.75", SIX),
        ("1e999", None),
        ("12:30", None),
        ("-5", None),
        ("nan", None),
        ("", None),
    ],
)
def test_moments(text: object, expected: datetime | None) -> None:
    assert moment(text) == expected


def test_who_is_who_is_read_from_a_table() -> None:
    table = (
        "user name,e-mail\n@Ann_K,ann@example.org\nbo,bo2,BO@example.org\ncy,\nx@example.org,y@example.org\n"
    )
    names, slips = interactions.read_names(table.encode())
    assert names == {"ann_k": "ann@example.org", "bo": "bo@example.org", "bo2": "bo@example.org"}
    assert [each.place for each in slips] == ["row 4", "row 5"]

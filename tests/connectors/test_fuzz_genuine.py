"""Genuine payloads of every platform, spoilt in thousands of ways: an item, or a sentence; never anything else.

``HUB_TEST_EXAMPLES=100000 python3 run.py test tests/connectors/test_fuzz_genuine.py`` tries so many per parser.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import re
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, note, settings
from hypothesis import strategies as st
from openpyxl import Workbook

from connectors.base import (
    Accept,
    AccountRef,
    Attached,
    Challenge,
    ConnectorError,
    Inbound,
    Kind,
    Notice,
    Page,
    RawItem,
    Reject,
    Unparsable,
)
from connectors.feed.entries import items_of as feed_items
from connectors.files import FileRefused, RowError, read, suggest, to_item
from connectors.mailbox.bounces import bounce_of
from connectors.mailbox.letters import item_of as mail_item
from connectors.manual.pasted import item_of as pasted_item
from connectors.manual.pasted import read as pasted
from connectors.registry import connectors
from connectors.text import as_payload
from tests.sims.feed import FeedServer
from tests.sims.mutations import spoilt, spoilt_bytes
from tests.sims.pushing import DOORS, QUIET
from tests.sims.recording import PLATFORMS, Recorded, Retold, made, methods, record
from workflows.letters.files import judge

EXAMPLES = int(os.environ.get("HUB_TEST_EXAMPLES", "500"))
EVERY = connectors(live=False)
TAKING = {**DOORS, **QUIET}
NOW = datetime(2026, 11, 27, 4, 0, tzinfo=UTC)
# The chance's seed is all that is drawn: a hundred thousand examples cost seconds, not hours.
CHANCE = st.randoms(use_true_random=True)
BATCH = 25
many = settings(
    max_examples=-(-EXAMPLES // BATCH), deadline=None, database=None, phases=(Phase.generate,),
    suppress_health_check=list(HealthCheck),
)  # fmt: skip


def spoil(tried: Callable[[random.Random], None]) -> None:
    """Call ``tried`` with a chance of its own so many times, twenty-five for each that hypothesis draws."""

    @many
    @given(CHANCE)
    def drawn(chance: random.Random) -> None:
        for _ in range(BATCH):
            tried(chance)

    drawn()


@pytest.fixture(scope="module")
def loop() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as runner:
        yield runner


@pytest.fixture(scope="module")
def recorded(loop: asyncio.Runner, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Recorded]:
    """What the servers of all platforms told; they are gone when the spoiling begins."""
    found = {}
    for platform in PLATFORMS:
        with ExitStack() as stack:
            found[platform] = loop.run(record(platform, stack, tmp_path_factory.mktemp(platform)))
            assert len(found[platform].answers) >= 1
    return found


def assert_storable(item: RawItem) -> None:
    assert 0 < len(item.external_id) <= 300
    assert "\x00" not in item.payload
    (item.external_id + item.payload).encode()
    json.loads(item.payload)


def assert_in_words(text: str) -> None:
    assert re.search("[\u4e00-\u9fff]{4}", text), text


def assert_parsed(platform: str, ref: AccountRef, item: RawItem) -> None:
    try:
        found = EVERY[platform].parse(ref, item)
    except Unparsable as error:
        assert_in_words(str(error))
        return
    assert isinstance(found, Inbound)
    assert found.created_at.tzinfo is not None
    assert found.reply_until is None or found.reply_until.tzinfo is not None
    said = (found.text, found.author.name, found.author.id, found.title, found.thread_id, found.parent_id, found.url)
    "".join(said).encode()
    json.dumps(dict(found.extra)).encode()
    for one in found.media:
        (one.kind + one.url + one.description).encode()


# what was stored ------------------------------------------------------------------------------------------------------

LETTER = {
    "number": "1234567890", "kind": "求助", "title": "路灯", "text": "路灯不亮", "place": "某路", "name": "李女士",
    "sender": "letter:1", "first": "", "at": "2026-11-27T12:00:00+08:00", "has_contact": True,
    "files": [{"kind": "image", "url": "/letters/files/1", "name": "a.jpg"}],
}  # fmt: skip
ROW = {
    "text": "路灯不亮", "created_at": "2026-11-27 09:00", "author": "李", "author_id": "1", "likes": "3", "url": "",
    "subject": "路灯", "answer": "已修", "answered_at": "2026-11-27 10:00", "extra": {"街道": "甲"}, "dislikes": "1",
}  # fmt: skip
MAILS = (
    b"From: =?gb2312?B?zfXEsw==?= <wang@example.com>\r\nMessage-ID: <1@x>\r\nDate: Fri, 27 Nov 2026 09:00:00 +0800\r\n"
    b"Subject: =?utf-8?B?5YGc5rC0?=\r\nReferences: <0@x> <9@x>\r\nReply-To: <b@example.com>\r\n"
    b"Content-Type: multipart/mixed; boundary=B\r\n\r\n--B\r\nContent-Type: text/html; charset=gb2312\r\n\r\n"
    b"<p>\xc2\xb7\xb5\xc6</p>\r\n--B\r\nContent-Type: image/png; name=\"=?utf-8?B?5Zu+?=.png\"\r\n"
    b"Content-Disposition: attachment; filename*=utf-8''%E5%9B%BE.png\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    b"iVBORw0KGgo=\r\n--B--\r\n",
    b"From: li@example.com\r\nMessage-ID: <2@x>\r\nDate: Fri, 27 Nov 2026 09:00:00 +0800\r\nSubject: s\r\n"
    b"Content-Type: text/plain; charset=gb18030\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n=C2=B7=B5=C6\r\n"
    b"\r\nOn Thu, 26 Nov 2026 at 09:00, press <press@example.com> wrote:\r\n> alt\r\n",
    b"From: MAILER-DAEMON@example.com\r\nSubject: Undelivered\r\nAuto-Submitted: auto-replied\r\nMessage-ID: <d@x>\r\n"
    b"Content-Type: multipart/report; report-type=delivery-status; boundary=R\r\n\r\n--R\r\n"
    b"Content-Type: text/plain\r\n\r\nno\r\n--R\r\n"
    b"Content-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; x\r\n\r\n"
    b"Final-Recipient: rfc822; a@b.c\r\nAction: failed\r\nStatus: 5.1.1\r\n\r\n"
    b"--R\r\nContent-Type: message/rfc822\r\n\r\nMessage-ID: <o@x>\r\n"
    b"Subject: s\r\n\r\nx\r\n--R--\r\n",
)  # fmt: skip
PASTED = (
    "李女士\n路灯什么时候修\n3小时前 · 广东  回复\n赞 12\n\n老陈：井盖丢了\n11-26 08:30\n\n"
    "王某\n2026年11月25日 9:00\n好",
    "李: 路灯\n王: 井盖\n陈: 停水\n昨天 12:30",
)  # fmt: skip


def stored_items(recorded: Mapping[str, Recorded], platform: str) -> list[RawItem]:
    """Genuine items of a platform: read from its server, pushed, written, pasted, imported."""
    if platform == "webform":
        return [RawItem(Kind.letter, "1", as_payload(LETTER))]
    if platform == "mailbox":
        return [mail_item(mail, NOW) for mail in MAILS]
    if platform == "manual":
        return [pasted_item(one, "https://example.org/1", "作品") for one in pasted(PASTED[0], NOW)]
    if platform == "file":
        return [RawItem(Kind.letter, "1", as_payload(ROW))]
    return recorded[platform].items if platform in recorded else []


def pushed_items(loop: asyncio.Runner, platform: str) -> list[RawItem]:
    found: list[RawItem] = []
    for door in TAKING.values():
        for body in (door.about(1), *door.more):
            answer = loop.run(EVERY[door.platform].receive(door.ref(), "POST", *door.sign(body)))
            assert isinstance(answer, Accept), answer
            found += answer.items if door.platform == platform else ()
    return found


@pytest.mark.parametrize("platform", sorted(EVERY))
def test_a_spoilt_item_is_understood_or_unparsable(
    platform: str, recorded: Mapping[str, Recorded], loop: asyncio.Runner
) -> None:
    items = stored_items(recorded, platform) + pushed_items(loop, platform)
    if not items:
        assert not EVERY[platform].streams, "read from a server that is not recorded: tests/sims/recording.py"
        pytest.skip("nothing comes from there")
    ref = recorded[platform].ref if platform in recorded else AccountRef(1, platform, "x", "500", "http://127.0.0.1:9")
    for item in items:
        EVERY[platform].parse(ref, item)  # genuine ones are understood

    def tried(chance: random.Random) -> None:
        item = chance.choice(items)
        kind = item.kind if chance.random() < 0.9 else chance.choice(list(Kind))
        payload = spoilt(chance, item.payload.encode()).decode("utf-8", "backslashreplace")
        note(payload)
        assert_parsed(platform, ref, RawItem(kind, item.external_id, payload))

    spoil(tried)


# what is pushed -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(TAKING))
def test_a_spoilt_push_is_taken_or_refused(name: str, loop: asyncio.Runner) -> None:
    door, bodies = TAKING[name], [TAKING[name].about(1), *TAKING[name].more]
    ref, connector = door.ref(), EVERY[door.platform]

    def tried(chance: random.Random) -> None:
        body = spoilt(chance, chance.choice(bodies))
        query, headers, sent = door.sign(body)
        if chance.random() < 0.1:
            sent = spoilt_bytes(chance, sent)
        note(repr(sent))
        answer = loop.run(connector.receive(ref, "POST", query, headers, sent))
        assert isinstance(answer, Accept | Challenge | Reject)
        if isinstance(answer, Reject):
            assert 400 <= answer.status < 500
            assert_in_words(answer.reason)
        elif isinstance(answer, Accept):
            answer.body.encode()
            assert all(isinstance(one, Notice) for one in answer.notices)
            for item in answer.items:
                assert_storable(item)
                assert_parsed(door.platform, ref, item)

    spoil(tried)


def test_every_platform_that_takes_pushes_is_spoilt() -> None:
    taking = set()
    for platform, connector in EVERY.items():
        if "不" not in _refusal(connector, platform):
            taking.add(platform)
    assert taking == {door.platform for door in TAKING.values()}


def _refusal(connector: Any, platform: str) -> str:
    answer = asyncio.run(connector.receive(AccountRef(1, platform, "x", "1", ""), "POST", {}, {}, b"x"))
    assert isinstance(answer, Reject)
    return answer.reason if answer.status == 404 else ""


# what is answered -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("platform", PLATFORMS)
def test_a_spoilt_answer_is_an_outcome_or_an_error_in_words(
    platform: str, recorded: Mapping[str, Recorded], loop: asyncio.Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every call, with what its server once answered, spoilt."""
    kept, http = recorded[platform], Retold(recorded[platform].answers)
    connector, calls = made(platform, http), list(methods(recorded[platform]).items())
    monkeypatch.setattr("connectors.mastodon.media.WAITS", ())

    def tried(chance: random.Random) -> None:
        http.chance, http.told = chance, []
        name, call = chance.choice(calls)
        try:
            found = loop.run(_awaited(call(connector)))
        except ConnectorError as error:
            assert_in_words(error.human)
            (error.human + error.code).encode()
            return
        except Exception:
            note(f"{name}: {http.told}")
            raise
        if isinstance(found, Page):
            for item in found.items:
                assert_storable(item)
                assert_parsed(platform, kept.ref, item)
            json.dumps(dict(found.cursor)).encode()

    spoil(tried)


async def _awaited(call: Any) -> Any:
    return await call


# bytes ----------------------------------------------------------------------------------------------------------------


def test_a_spoilt_mail_is_a_letter_or_waits_in_quarantine() -> None:
    def tried(chance: random.Random) -> None:
        mail = spoilt_bytes(chance, chance.choice(MAILS))
        note(repr(mail))
        bounce_of(mail)
        item = mail_item(mail, NOW, truncated=chance.random() < 0.1)
        assert_storable(item)
        assert_parsed("mailbox", AccountRef(1, "mailbox", "x", "press@example.com", ""), item)

    spoil(tried)


def test_a_spoilt_feed_is_entries_or_an_error() -> None:
    server, bodies = FeedServer(), []
    for atom in (False, True):
        server.show([(str(n), f"第 {n} 条", "<p>停水&amp;停电</p>") for n in range(2)], atom=atom)
        bodies.append(server.body)
    kinds = ("application/xml", "text/xml; charset=gb2312", "text/html", "application/rss+xml; charset=x", "", ";;=")

    def tried(chance: random.Random) -> None:
        body = spoilt_bytes(chance, chance.choice(bodies))
        note(repr(body))
        try:
            items = feed_items(body, {"content-type": chance.choice(kinds)})
        except ConnectorError as error:
            assert_in_words(error.human)
            return
        for item in items:
            assert_storable(item)
            assert_parsed("feed", AccountRef(1, "feed", "x", "", ""), item)

    spoil(tried)


def test_spoilt_pasted_comments_are_comments_or_nothing() -> None:
    def tried(chance: random.Random) -> None:
        text = spoilt_bytes(chance, chance.choice(PASTED).encode()).decode("utf-8", "surrogateescape")
        note(repr(text))
        for one in pasted(text, NOW):
            assert one.at <= NOW
            item = pasted_item(one)
            assert_storable(item)
            assert_parsed("manual", AccountRef(1, "manual", "x", "", ""), item)

    spoil(tried)


def test_spoilt_files_with_letters_are_kept_or_refused() -> None:
    genuine = (
        b"\xff\xd8\xff\xe0\x00\x10JFIF",
        b"\x89PNG\r\n\x1a\n\x00\x00",
        b"GIF89a",
        b"RIFF\x00\x00\x00\x00WEBPVP8 ",
        b"%PDF-1.7",
    )
    names = (b"a.jpg", "图片.png".encode(), b"..\\..\\x.pdf", b"a/b.gif")

    def tried(chance: random.Random) -> None:
        sent = [
            Attached(
                spoilt_bytes(chance, chance.choice(names)).decode("utf-8", "surrogateescape"),
                spoilt_bytes(chance, chance.choice(genuine)),
            )
            for _ in range(chance.randint(1, 6))
        ]  # fmt: skip
        note(repr(sent))
        kept, why = judge(sent)
        assert bool(kept) != bool(why)
        if why:
            assert_in_words(why)
        for file in kept:
            assert file.name.endswith((".jpg", ".png", ".gif", ".webp", ".pdf"))
            assert not set(file.name) & set('/\\"<>|:*?\x00\r\n')

    spoil(tried)


def _table(kind: str) -> bytes:
    lines = [
        ["编号", "内容", "时间", "昵称"],
        ["1", "路灯，不亮", "2026-11-27 09:00", "李"],
        ["2", "井盖", "2026/11/27", "王"],
    ]
    if kind == "csv":
        return "\r\n".join(",".join(f'"{cell}"' for cell in line) for line in lines).encode("gb18030")
    book, held = Workbook(), BytesIO()
    assert book.active is not None
    for line in lines:
        book.active.append(line)
    book.save(held)
    return held.getvalue()


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_a_spoilt_table_is_rows_or_a_refusal(kind: str) -> None:
    genuine = _table(kind)

    def tried(chance: random.Random) -> None:
        body = spoilt_bytes(chance, genuine)
        note(repr(body))
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / f"a.{kind}"
            path.write_bytes(body)
            try:
                with read(path) as source:
                    rows = list(source.rows)
                    mapping = suggest(
                        source.headers, [row[1] if isinstance(row, tuple) else row.cells for row in rows[:5]]
                    )
                    found = [to_item(row, mapping) for row in rows]
            except FileRefused as error:
                assert_in_words(str(error))
                return
        for one in found:
            if isinstance(one, RowError):
                assert_in_words(one.why)
            else:
                assert_storable(one)
                assert_parsed("file", AccountRef(1, "file", "x", "", ""), one)

    spoil(tried)

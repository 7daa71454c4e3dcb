"""The feed connector against feeds of both kinds, and against feeds that are none."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.base import AccountRef, ConnectorError, ErrorKind, Inbound, RawItem
from connectors.feed.client import FeedConnector
from connectors.feed.entries import items_of
from connectors.http import Http
from tests.sims.feed import FeedServer, feed_server

NOW = datetime(2026, 11, 27, tzinfo=UTC)
connector = FeedConnector(Http(live=False, clock=lambda: NOW))


@pytest.fixture
def feed() -> Iterator[FeedServer]:
    with feed_server() as found:
        yield found


@pytest.fixture
def ref(feed: FeedServer) -> AccountRef:
    return AccountRef(1, "feed", "留言板", "", feed.base_url + "/feed")


def read(items: tuple[RawItem, ...], ref: AccountRef) -> list[Inbound]:
    return [connector.parse(ref, item) for item in items]


@pytest.mark.parametrize("atom", [False, True])
async def test_entries_come_whole_and_again_only_when_something_changed(
    feed: FeedServer, ref: AccountRef, atom: bool
) -> None:
    feed.show([("2", "第二条", "<p>路灯<b>坏了</b></p><script>x</script>"), ("1", "第一条", "停水")], atom=atom)
    page = await connector.pull(ref, "entries", {})
    first, second = read(page.items, ref)
    assert (first.title, second.title, second.text) == ("第一条", "第二条", "路灯坏了")
    assert (second.external_id, second.url) == ("https://example.org/2",) * 2
    assert second.created_at == datetime(2026, 11, 23, 1, tzinfo=UTC)
    assert not second.needs_answer
    same = await connector.pull(ref, "entries", page.cursor)
    assert (same.items, same.cursor) == ((), page.cursor)
    feed.show([("3", "第三条", "新"), ("2", "第二条", "路灯")], atom=atom)
    newer = await connector.pull(ref, "entries", page.cursor)
    assert {item.external_id for item in newer.items} > {second.external_id}
    assert "if-none-match" in feed.asked[-1]


async def test_a_feed_that_says_how_long_it_stays_the_same_is_left_alone_until_then(
    feed: FeedServer, ref: AccountRef
) -> None:
    now = [NOW]
    patient = FeedConnector(Http(live=False, clock=lambda: now[0]))
    feed.show([("1", "第一条", "<ttl>1440</ttl>停水")])
    feed.body = feed.body.replace(b"<description>", b"<ttl> 60 </ttl><description>", 1)
    cursor = (await patient.pull(ref, "entries", {})).cursor
    for minutes, asked in ((59, 1), (60, 2), (119, 2), (121, 3)):
        now[0] = NOW + timedelta(minutes=minutes)
        cursor = (await patient.pull(ref, "entries", cursor)).cursor
        assert (minutes, len(feed.asked)) == (minutes, asked)
    often = dataclasses.replace(ref, options={"pull_every": "900"})
    assert "until" not in (await patient.pull(often, "entries", {})).cursor, "the office's own interval comes first"
    feed.show([("2", "第二条", "<ttl>1440</ttl>")])
    assert "until" not in (await patient.pull(ref, "entries", {})).cursor


async def test_a_message_board_opens_cases(feed: FeedServer, ref: AccountRef) -> None:
    feed.show([("1", "第一条", "停水")])
    board = dataclasses.replace(ref, options={"cases": "是"})
    page = await connector.pull(board, "entries", {})
    assert all(one.needs_answer for one in read(page.items, board))
    assert (await connector.check(board)).note == "订阅源里现有 1 条"


async def test_redirects_are_followed_a_little_and_never_off_the_machine(feed: FeedServer, ref: AccountRef) -> None:
    feed.show([("1", "第一条", "停水")])
    feed.status, feed.headers = 301, {"Location": "/feed"}
    moved = dataclasses.replace(ref, base_url=feed.base_url + "/moved")
    assert len((await connector.pull(moved, "entries", {})).items) == 1
    for target in ("/moved", "http://169.254.169.254/latest", "file:///etc/passwd", "gopher://x", ""):
        feed.headers = {"Location": target}
        with pytest.raises(ConnectorError):
            await connector.pull(moved, "entries", {})


@pytest.mark.parametrize(
    ("status", "kind"), [(404, ErrorKind.not_found), (500, ErrorKind.transient), (429, ErrorKind.rate_limited)]
)
async def test_refusals_are_told(feed: FeedServer, ref: AccountRef, status: int, kind: ErrorKind) -> None:
    feed.status, feed.headers = status, {"Retry-After": "60"}
    with pytest.raises(ConnectorError) as caught:
        await connector.pull(ref, "entries", {})
    assert caught.value.kind is kind
    assert caught.value.retry_at is not None


@pytest.mark.parametrize("body", [
    b"<html><body>login</body></html>", b"", b"{}", b"\xff\xfe\x00",
    b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "' + b"y" * 1000 + b'">]><x>' + b"&a;" * 1000 + b"</x>",
])  # fmt: skip
async def test_what_is_no_feed_is_said(feed: FeedServer, ref: AccountRef, body: bytes) -> None:
    feed.body = body
    with pytest.raises(ConnectorError) as caught:
        await connector.pull(ref, "entries", {})
    assert caught.value.kind is ErrorKind.protocol


async def test_no_entity_reaches_into_the_machine(feed: FeedServer, ref: AccountRef) -> None:
    feed.body = (
        b'<?xml version="1.0"?><!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
        b"<rss version='2.0'><channel><title>t</title><item><title>a &x; b</title><guid>1</guid></item></channel></rss>"
    )
    found = read((await connector.pull(ref, "entries", {})).items, ref)
    assert [one.external_id for one in found] == ["1"]
    assert all("root:" not in one.text + one.title for one in found)


async def test_a_body_that_is_a_path_opens_no_file(feed: FeedServer, ref: AccountRef, tmp_path: Path) -> None:
    feed.show([("1", "本机的秘密", "只在这台机器上")])
    (tmp_path / "local.xml").write_bytes(feed.body)
    feed.body = str(tmp_path / "local.xml").encode()
    with pytest.raises(ConnectorError) as caught:
        await connector.pull(ref, "entries", {})
    assert caught.value.kind is ErrorKind.protocol


async def test_a_redirect_to_what_is_no_address_is_the_servers_fault(feed: FeedServer, ref: AccountRef) -> None:
    feed.status, feed.headers = 302, {"Location": "http://["}
    with pytest.raises(ConnectorError) as caught:
        await connector.pull(dataclasses.replace(ref, base_url=feed.base_url + "/moved"), "entries", {})
    assert caught.value.kind is ErrorKind.protocol


async def test_an_address_that_is_none_is_a_wrong_setting(ref: AccountRef) -> None:
    for address, kinds in (
        ("http://[", {ErrorKind.bug, ErrorKind.permission}),
        ("feed://example.org", {ErrorKind.bug}),
        ("x", {ErrorKind.bug}),
        ("", {ErrorKind.bug}),
    ):
        with pytest.raises(ConnectorError) as caught:
            await connector.pull(dataclasses.replace(ref, base_url=address), "entries", {})
        assert caught.value.kind in kinds


@pytest.mark.parametrize("tag", ['"é"', '"' + "x" * 499 + '"'])
async def test_a_validator_that_cannot_be_sent_back_whole_is_dropped(
    feed: FeedServer, ref: AccountRef, tag: str
) -> None:
    feed.show([("1", "第一条", "停水")])
    feed.headers = {"ETag": tag, "Last-Modified": "Mon, 23 Nov 2026 01:00:00 GMT"}
    page = await connector.pull(ref, "entries", {})
    assert page.cursor == {"modified": "Mon, 23 Nov 2026 01:00:00 GMT"}
    kept_before = {"etag": tag, **page.cursor}
    assert await connector.pull(ref, "entries", kept_before) == page
    assert "if-none-match" not in feed.asked[-1]
    assert "if-modified-since" in feed.asked[-1]


def test_the_interval_is_what_was_typed_within_reason(ref: AccountRef) -> None:
    every = {"": 900, "600": 600, "十分钟": 900, "5": 60, "nan": 900, "1e9": 604_800}
    for typed, seconds in every.items():
        assert connector.limits(dataclasses.replace(ref, options={"pull_every": typed})).pull_every == seconds


@given(st.binary(max_size=2000))
def test_any_bytes_are_a_feed_or_are_said_to_be_none(data: bytes) -> None:
    try:
        items = items_of(b"<rss version='2.0'><channel><item>" + data, {})
    except ConnectorError:
        return
    assert all(item.external_id for item in items)

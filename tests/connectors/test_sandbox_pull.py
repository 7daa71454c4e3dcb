"""Nothing citizens say on the sandbox is lost or doubled on its way in."""

from __future__ import annotations

from typing import Any

import pytest

from connectors.base import AccountRef, ConnectorError, Effect, ErrorKind, Kind, Unparsable
from connectors.sandbox.client import SandboxConnector
from tests.sims.sandbox import Control, SandboxProcess


async def walk(client: SandboxConnector, ref: AccountRef, stream: str, cursor: dict[str, Any]) -> tuple[list[Any], Any]:
    items, more = [], True
    while more:
        page = await client.pull(ref, stream, cursor)
        items += page.items
        cursor, more = dict(page.cursor), page.more
    return items, cursor


async def test_25_mentions_with_page_size_10_arrive_as_25(sandbox: Control, client: SandboxConnector) -> None:
    account = sandbox.account("临江发布")
    ids = sandbox.mentions(account["uid"], "路灯坏了 {n}", count=25, author="小明")
    ref = sandbox.ref(account, page_size=10)
    items, cursor = await walk(client, ref, "mentions", {})
    assert sorted(i.external_id for i in items) == ids
    assert cursor == {"high": ids[-1]}
    assert await walk(client, ref, "mentions", cursor) == ([], cursor)


async def test_an_interrupted_walk_goes_on_where_its_last_stored_page_ended(
    sandbox: Control, client: SandboxConnector
) -> None:
    account = sandbox.account("临江发布")
    ref = sandbox.ref(account, page_size=10)
    first = sandbox.mentions(account["uid"], "早 {n}", count=3)
    _, cursor = await walk(client, ref, "mentions", {})
    second = sandbox.mentions(account["uid"], "中 {n}", count=25)
    page = await client.pull(ref, "mentions", cursor)
    assert page.more
    assert page.cursor["high"] == first[-1], "high must not move before the walk is over"
    third = sandbox.mentions(account["uid"], "晚 {n}", count=7)
    stored = [i.external_id for i in page.items]
    rest, cursor = await walk(client, ref, "mentions", dict(page.cursor))
    stored += [i.external_id for i in rest]
    newest, cursor = await walk(client, ref, "mentions", cursor)
    stored += [i.external_id for i in newest]
    assert sorted(stored) == sorted(second + third)
    assert cursor == {"high": third[-1]}


async def test_the_first_walk_is_bounded(sandbox: Control, client: SandboxConnector) -> None:
    account = sandbox.account("临江发布")
    ids = sandbox.mentions(account["uid"], "旧 {n}", count=60)
    items, cursor = await walk(client, sandbox.ref(account, page_size=10, look_back=30), "mentions", {})
    assert sorted(i.external_id for i in items) == ids[-30:]
    assert cursor == {"high": ids[-1]}


async def test_comments_and_private_messages_are_understood(sandbox: Control, client: SandboxConnector) -> None:
    account = sandbox.account("临江发布")
    ref = sandbox.ref(account)
    [post] = sandbox.posts(account["uid"], "今日停水通知")
    [comment] = sandbox.comments("停到几点？", post=post, author="老王")
    [answer] = sandbox.comments("同问", comment=comment, author="小李")
    [message] = sandbox.messages(account["uid"], "我想反映一个问题", author="小赵")
    comments, _ = await walk(client, ref, "comments", {})
    second, first = (client.parse(ref, item) for item in comments)
    assert (first.external_id, first.thread_id, first.parent_id, first.text) == (comment, post, post, "停到几点？")
    assert (second.external_id, second.thread_id, second.parent_id) == (answer, post, comment)
    assert (first.author.name, first.is_own, first.created_at.tzinfo is not None) == ("老王", False, True)
    [raw], _ = await walk(client, ref, "messages", {})
    private = client.parse(ref, raw)
    assert (private.kind, private.external_id, private.thread_id) == (
        Kind.private,
        message,
        f"private:{private.author.id}",
    )
    assert private.reply_until is not None
    assert (private.reply_until - private.created_at).total_seconds() == 48 * 3600


async def test_ids_beyond_2_to_the_53_stay_exact(sandbox: Control, client: SandboxConnector) -> None:
    account = sandbox.account("临江发布")
    ids = sandbox.mentions(account["uid"], "{n}", count=3)
    assert all(int(i) > 2**53 for i in ids)
    assert any(int(float(i)) != int(i) for i in ids), "the rounding trap must be set"
    items, _ = await walk(client, sandbox.ref(account), "mentions", {})
    assert sorted(client.parse(sandbox.ref(account), i).external_id for i in items) == ids


@pytest.mark.parametrize("how", ["no_time", "bad_time", "no_id", "no_user", "no_text", "not_object", "nested"])
async def test_a_broken_item_stops_nothing_and_says_why(sandbox: Control, client: SandboxConnector, how: str) -> None:
    account = sandbox.account("临江发布")
    ref = sandbox.ref(account, page_size=2)
    before = sandbox.mentions(account["uid"], "好 {n}", count=2)
    sandbox.mentions(account["uid"], "坏", broken=how)
    after = sandbox.mentions(account["uid"], "好 {n}", count=2)
    items, _ = await walk(client, ref, "mentions", {})
    good, bad = [], []
    for item in items:
        try:
            good.append(client.parse(ref, item).external_id)
        except Unparsable as error:
            bad.append(str(error))
    assert sorted(good) == before + after
    assert len(bad) == 1
    assert any("\u4e00" <= char <= "\u9fff" for char in bad[0])


async def test_hostile_text_comes_through_and_is_harmless(sandbox: Control, client: SandboxConnector) -> None:
    account = sandbox.account("临江发布")
    ref = sandbox.ref(account)
    text = "<script>alert(1)</script> 😀\u202e倒\u0000零\U00020000 " + "长" * 10_000
    sandbox.mentions(account["uid"], text, author="<b>" + "名" * 10_000)
    [item], _ = await walk(client, ref, "mentions", {})
    found = client.parse(ref, item)
    assert "\x00" not in found.text
    assert "\x00" not in item.payload
    assert "😀\u202e倒零\U00020000" in found.text
    assert found.text.count("长") == 10_000


async def test_the_counter_of_unread_items(sandbox: Control, client: SandboxConnector) -> None:
    account = sandbox.account("临江发布")
    ref = sandbox.ref(account)
    sandbox.mentions(account["uid"], "{n}", count=4)
    sandbox.messages(account["uid"], "{n}", count=2)
    assert await client._get(ref, "/2/remind/unread_count.json", {}) == {"mention_status": 4, "cmt": 0, "dm": 2}
    await walk(client, ref, "mentions", {})
    assert await client._get(ref, "/2/remind/unread_count.json", {}) == {"mention_status": 0, "cmt": 0, "dm": 2}


async def test_reading_faults_are_named_and_harmless(sandbox: Control, client: SandboxConnector) -> None:
    account = sandbox.account("临江发布")
    ref = sandbox.ref(account)
    expected = {
        "garbage": ErrorKind.protocol,
        "drop": ErrorKind.transient,
        "rate_limit": ErrorKind.rate_limited,
        "error_after": ErrorKind.transient,
    }
    for kind, wanted in expected.items():
        more = {"seconds": 90} if kind == "rate_limit" else {}
        sandbox.fault(kind, operation="any", count=1, **more)
        with pytest.raises(ConnectorError) as caught:
            await client.pull(ref, "mentions", {})
        assert (caught.value.kind, caught.value.effect) == (wanted, Effect.not_done)
        if kind == "rate_limit":
            assert caught.value.retry_at is not None
            assert 60 < (caught.value.retry_at - client._http.clock()).total_seconds() <= 92
    assert sandbox.faults() == []


async def test_everything_survives_kill_9_and_restart(
    sandbox_process: SandboxProcess, sandbox: Control, client: SandboxConnector
) -> None:
    account = sandbox.account("临江发布")
    ids = sandbox.mentions(account["uid"], "{n}", count=1000)
    url = sandbox_process.base_url
    sandbox_process.kill()
    assert sandbox_process.start() == url
    items, _ = await walk(client, sandbox.ref(account, page_size=200), "mentions", {})
    assert sorted(i.external_id for i in items) == ids


async def test_a_foreign_or_expired_token_is_an_unhealthy_answer(sandbox: Control, client: SandboxConnector) -> None:
    account = sandbox.account("临江发布")
    assert (await client.check(sandbox.ref(account))).ok
    other = sandbox.account("临江城管")
    swapped = sandbox.ref(account | {"token": other["token"]})
    health = await client.check(swapped)
    assert not health.ok
    assert "临江城管" in health.note
    sandbox.account("临江发布", expires_at=1)
    health = await client.check(sandbox.ref(account))
    assert not health.ok
    assert "过期" in health.note

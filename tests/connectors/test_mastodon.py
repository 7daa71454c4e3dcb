"""The Mastodon connector against mastodon_mock, a third-party server, over real HTTP."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from connectors.base import AccountRef, ConnectorError, Done, Effect, ErrorKind, Kind, Metric, Outgoing, OwnItems
from connectors.http import Http
from connectors.mastodon import reading
from connectors.mastodon.client import MastodonConnector
from tests.sims.faults import FaultProxy
from tests.sims.mastodon import MastodonProcess
from tests.sims.serving import Answer, Asked, served


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MastodonProcess]:
    process = MastodonProcess(tmp_path_factory.mktemp("mastodon"))
    process.start()
    yield process
    process.kill()


@pytest.fixture
def mastodon(server: MastodonProcess) -> MastodonProcess:
    server.lift()
    server.reset()
    return server


@pytest.fixture
def connector() -> MastodonConnector:
    return MastodonConnector(Http(live=False, read=2.0, total=4.0))


async def walk(
    connector: MastodonConnector, ref: AccountRef, cursor: dict[str, Any], most: int = 100
) -> tuple[list[Any], dict[str, Any]]:
    items, more = [], True
    while more and most:
        page = await connector.pull(ref, "mentions", cursor)
        items += page.items
        cursor, more, most = dict(page.cursor), page.more, most - 1
    return items, cursor


async def test_25_mentions_with_page_size_10_arrive_as_25(
    mastodon: MastodonProcess, connector: MastodonConnector
) -> None:
    ref = mastodon.ref(page_size=10)
    sent = [mastodon.post("alice", f"@press 第 {n} 件")["id"] for n in range(25)]
    items, cursor = await walk(connector, ref, {})
    assert sorted(i.external_id for i in items) == sorted(sent)
    second = [mastodon.post("bob", f"@press 又 {n} 件")["id"] for n in range(25)]
    items, cursor = await walk(connector, ref, cursor)
    assert sorted(i.external_id for i in items) == sorted(second)
    assert await walk(connector, ref, cursor) == ([], cursor)


async def test_a_crash_in_mid_walk_loses_none(mastodon: MastodonProcess, connector: MastodonConnector) -> None:
    ref = mastodon.ref(page_size=10)
    first = [mastodon.post("alice", f"@press 第 {n} 件")["id"] for n in range(25)]
    stored, cursor = await walk(connector, ref, {}, most=1)
    later = [mastodon.post("bob", f"@press 后来 {n}")["id"] for n in range(15)]
    # The process dies here: what counts is the last stored cursor.
    more, cursor = await walk(connector, ref, cursor)
    stored += more
    more, cursor = await walk(connector, ref, cursor, most=1)
    stored += more
    more, cursor = await walk(connector, ref, cursor)
    stored += more
    assert sorted(i.external_id for i in stored) == sorted(first + later)


class _Late:
    """A server that knows notifications by number, and shows some of them later than others with higher ones."""

    def __init__(self, shown: list[int]) -> None:
        self.shown = shown
        self.asked: list[str] = []

    def answer(self, asked: Asked) -> Answer:
        self.asked.append(asked.query.get("min_id", ""))
        least, most = int(asked.query.get("min_id", "0")), int(asked.query.get("max_id", "9999"))
        above = sorted(n for n in self.shown if least < n < most)
        status = {
            "visibility": "public",
            "content": "路灯",
            "account": {"id": "2"},
            "created_at": "2026-11-23T01:00:00Z",
        }
        page = above[: int(asked.query["limit"])]
        return Answer.of([{"id": str(n), "type": "mention", "status": {**status, "id": f"s{n}"}} for n in page[::-1]])


async def test_a_mention_that_is_shown_after_newer_ones_is_not_lost() -> None:
    late, now = _Late([1]), [datetime(2026, 11, 23, tzinfo=UTC)]
    with served(late.answer) as url:
        reader = MastodonConnector(Http(live=False, clock=lambda: now[0]))
        ref = AccountRef(1, "mastodon", "press", "1", url, {"token": "t"}, {"page_size": 3})

        async def read() -> list[str]:
            nonlocal cursor
            items, cursor = await walk(reader, ref, cursor)
            return [item.external_id for item in items]

        cursor: dict[str, Any] = {}
        assert await read() == ["s1"]
        late.shown += [2, 4, 5, 6, 7, 8, 10]
        assert sorted(await read()) == ["s10", "s2", "s4", "s5", "s6", "s7", "s8"]
        now[0] += timedelta(seconds=30)
        late.shown += [3, 9]
        assert sorted(await read()) == ["s3", "s9"], "each once, over several pages"
        for minutes in (1, 2, 3):
            now[0] += timedelta(minutes=minutes)
            assert await read() == []
        late.asked.clear()
        assert (await read(), late.asked) == ([], ["10"]), "after a while nothing is read twice"


async def test_a_burst_keeps_the_cursor_small_and_loses_nothing() -> None:
    late = _Late([1])
    with served(late.answer) as url:
        reader = MastodonConnector(Http(live=False))
        ref = AccountRef(1, "mastodon", "press", "1", url, {"token": "t"}, {"page_size": 40})
        _, cursor = await walk(reader, ref, {})
        late.shown += range(2, 700)
        items, cursor = await walk(reader, ref, cursor)
        assert [len(items), len({item.external_id for item in items})] == [698, 698]
        assert len(cursor["tail"]["seen"]) <= reading.MOST_SEEN
        late.shown += [700]
        items, cursor = await walk(reader, ref, cursor)
        assert [item.external_id for item in items] == ["s700"]


async def test_the_first_walk_is_bounded(mastodon: MastodonProcess, connector: MastodonConnector) -> None:
    sent = [mastodon.post("alice", f"@press {n}")["id"] for n in range(30)]
    items, _ = await walk(connector, mastodon.ref(page_size=10, look_back=20), {})
    assert sorted(i.external_id for i in items) == sorted(sent[-20:])


async def test_follows_and_likes_hide_no_mention(mastodon: MastodonProcess, connector: MastodonConnector) -> None:
    own = mastodon.post("press", "通知")["id"]
    before = mastodon.post("alice", "@press 一")["id"]
    _, cursor = await walk(connector, mastodon.ref(), {})
    mastodon.call("POST", f"/api/v1/statuses/{own}/favourite", "bob")
    after = mastodon.post("alice", "@press 二")["id"]
    items, _ = await walk(connector, mastodon.ref(), cursor)
    assert [i.external_id for i in items] == [after]
    assert before != after


async def test_a_mention_is_understood(mastodon: MastodonProcess, connector: MastodonConnector) -> None:
    ref = mastodon.ref()
    text = "@press 解放路 <b>路灯</b> & 井盖坏了\n第二行 😀\n\n见 https://example.org/a?b=1&c=2"
    sent = mastodon.post("alice", text, spoiler_text="市政")
    [item], _ = await walk(connector, ref, {})
    found = connector.parse(ref, item)
    assert found.text == "解放路 <b>路灯</b> & 井盖坏了\n第二行 😀\n\n见 https://example.org/a?b=1&c=2"
    assert (found.kind, found.title, found.author.name, found.is_own) == (Kind.mention, "市政", "爱丽丝", False)
    assert (found.external_id, found.thread_id, found.parent_id) == (sent["id"], sent["id"], "")
    assert found.url == sent["url"]
    assert found.created_at.tzinfo is not None


async def test_the_root_of_a_long_thread_is_found(mastodon: MastodonProcess, connector: MastodonConnector) -> None:
    root = mastodon.post("press", "今日停水通知")["id"]
    parent = root
    for who in ("alice", "bob", "alice"):
        parent = mastodon.post(who, f"@press {who} 说", in_reply_to_id=parent)["id"]
    items, _ = await walk(connector, mastodon.ref(), {})
    found = {connector.parse(mastodon.ref(), i).thread_id for i in items}
    assert (found, len(items)) == ({root}, 3)


async def test_an_answer_stands_in_the_thread_and_mentions_the_author(
    mastodon: MastodonProcess, connector: MastodonConnector
) -> None:
    ref = mastodon.ref()
    sent = mastodon.post("alice", "@press 路灯坏了", visibility="unlisted")
    out = Outgoing("已通知市政部门，\n三天内修好。", "key-1", sent["id"], Kind.mention, sent["id"])
    since = datetime.now(UTC)
    done = await connector.reply(ref, out)
    assert isinstance(done, Done)
    [below] = mastodon.below(sent["id"])
    assert (below["id"], below["in_reply_to_id"], below["visibility"]) == (done.external_id, sent["id"], "unlisted")
    assert [m["acct"] for m in below["mentions"]] == ["alice"]
    own = await connector.find_own(ref, since, out)
    assert ([o.text for o in own.items], own.complete) == ([out.text], True)
    assert await connector.exists(ref, done.external_id)


async def test_direct_stays_direct(mastodon: MastodonProcess, connector: MastodonConnector) -> None:
    ref = mastodon.ref()
    sent = mastodon.post("bob", "@press 我要举报", visibility="direct")
    [item], _ = await walk(connector, ref, {})
    found = connector.parse(ref, item)
    assert (found.kind, found.text, found.extra["visibility"]) == (Kind.private, "我要举报", "direct")
    out = Outgoing("已受理", "key-1", found.external_id, Kind.private, found.thread_id, found.author.id)
    since = datetime.now(UTC)
    done = await connector.reply(ref, out)
    assert isinstance(done, Done)
    assert mastodon.status(done.external_id)["visibility"] == "direct"
    assert [s["id"] for s in mastodon.below(sent["id"], "bob")] == [done.external_id], "the citizen sees it"
    assert [o.external_id for o in (await connector.find_own(ref, since, out)).items] == [done.external_id]


async def test_a_post_goes_out_is_found_and_can_be_deleted(
    mastodon: MastodonProcess, connector: MastodonConnector
) -> None:
    ref = mastodon.ref()
    since = datetime.now(UTC)
    out = Outgoing("今日天气晴\n\n详见 https://example.org/x", "key-1")
    done = await connector.publish(ref, out)
    assert isinstance(done, Done)
    own = await connector.find_own(ref, since, out)
    assert [(o.external_id, o.text) for o in own.items] == [(done.external_id, out.text)]
    assert own.complete
    assert (await connector.find_own(ref, since + timedelta(minutes=1), out)).items == ()
    await connector.delete(ref, done.external_id)
    assert not await connector.exists(ref, done.external_id)
    await connector.delete(ref, done.external_id)


async def test_figures_of_own_posts_are_told_and_what_is_gone_has_none(
    mastodon: MastodonProcess, connector: MastodonConnector
) -> None:
    own, gone = (mastodon.post("press", f"通知{n}")["id"] for n in range(2))
    mastodon.call("POST", f"/api/v1/statuses/{own}/favourite", "bob")
    mastodon.post("alice", "@press 好", in_reply_to_id=own)
    await connector.delete(mastodon.ref(), gone)
    found = await connector.metrics(mastodon.ref(), [own, gone, "../accounts"])
    assert found == [Metric(own, likes=1, comments=1, reposts=0)]


async def test_own_posts_and_own_answers_are_not_confused(
    mastodon: MastodonProcess, connector: MastodonConnector
) -> None:
    ref, since = mastodon.ref(), datetime.now(UTC)
    one, two = (mastodon.post("alice", f"@press {n}")["id"] for n in range(2))
    reply = Outgoing("收到", "a", one, Kind.mention, one)
    await connector.reply(ref, reply)
    await connector.publish(ref, Outgoing("收到", "b"))
    assert len((await connector.find_own(ref, since, reply)).items) == 1
    assert len((await connector.find_own(ref, since, Outgoing("收到", "b"))).items) == 1
    other = Outgoing("收到", "c", two, Kind.mention, two)
    assert await connector.find_own(ref, since, other) == OwnItems((), complete=True)


async def test_the_own_list_is_read_back_over_pages(mastodon: MastodonProcess, connector: MastodonConnector) -> None:
    ref, since = mastodon.ref(), datetime.now(UTC)
    first = await connector.publish(ref, Outgoing("第一条", "k0"))
    for n in range(45):
        mastodon.post("press", f"第 {n} 条")
    own = await connector.find_own(ref, since, Outgoing("第一条", "k0"))
    assert isinstance(first, Done)
    assert own.items[-1].external_id == first.external_id
    assert (len(own.items), own.complete) == (46, True)


async def test_a_lost_answer_is_unknown_and_read_back(mastodon: MastodonProcess, connector: MastodonConnector) -> None:
    ref = mastodon.ref()
    sent = mastodon.post("alice", "@press 路灯坏了")["id"]
    async with FaultProxy(mastodon.base_url, "POST") as proxy:
        through = AccountRef(1, "mastodon", "press", ref.external_id, proxy.base_url, ref.secrets)
        for out in (Outgoing("今日天气晴", "k"), Outgoing("已修", "k2", sent, Kind.mention, sent)):
            since = datetime.now(UTC)
            proxy.spoil("drop")
            with pytest.raises(ConnectorError) as caught:
                await (connector.reply if out.target_kind else connector.publish)(through, out)
            assert caught.value.effect is Effect.unknown
            own = await connector.find_own(through, since, out)
            assert [o.text for o in own.items] == [out.text]
        assert proxy.spoilt == 2


@pytest.mark.parametrize(
    ("effect", "kind", "outcome"),
    [
        ({"type": "status", "status": 503}, ErrorKind.transient, Effect.unknown),
        ({"type": "status", "status": 500, "body": {"error": "boom"}}, ErrorKind.transient, Effect.unknown),
        ({"type": "malformed"}, ErrorKind.protocol, Effect.unknown),
        ({"type": "latency", "delay_ms": 3000}, ErrorKind.transient, Effect.unknown),
        ({"type": "status", "status": 401, "body": {"error": "The access token is invalid"}}, ErrorKind.auth_human, 0),
        ({"type": "status", "status": 400, "body": {"error": "Bad access token"}}, ErrorKind.auth_human, 0),
        ({"type": "status", "status": 400, "body": {"error": "Status is too long"}}, ErrorKind.content_rejected, 0),
        ({"type": "status", "status": 422, "body": {"error": "Text can't be blank"}}, ErrorKind.content_rejected, 0),
        ({"type": "status", "status": 403, "body": {"error": "outside scopes"}}, ErrorKind.permission, 0),
        (
            {"type": "status", "status": 403, "body": {"error": "Your login is disabled"}},
            ErrorKind.account_risk,
            0,
        ),
        ({"type": "ratelimit"}, ErrorKind.rate_limited, 0),
    ],
)
async def test_faults_have_kind_effect_and_a_sentence(
    mastodon: MastodonProcess, connector: MastodonConnector, effect: dict[str, Any], kind: ErrorKind, outcome: Any
) -> None:
    ref = mastodon.ref()
    mastodon.fault(effect, methods=("POST",), path="/api/v1/statuses")
    with pytest.raises(ConnectorError) as caught:
        await connector.publish(ref, Outgoing("今日天气晴", "k"))
    error = caught.value
    assert (error.kind, error.effect) == (kind, outcome or Effect.not_done)
    assert "press_token" not in str(error)
    assert any("\u4e00" <= char <= "\u9fff" for char in error.human)


@pytest.mark.parametrize("reset", ["2026-11-23T12:05:00.000Z", "1795435500"])
async def test_both_forms_of_the_reset_time_are_read(mastodon: MastodonProcess, reset: str) -> None:
    now = datetime(2026, 11, 23, 12, tzinfo=UTC)
    connector = MastodonConnector(Http(live=False, clock=lambda: now))
    ref = mastodon.ref()
    mastodon.fault({"type": "status", "status": 429, "headers": {"X-RateLimit-Reset": reset}})
    with pytest.raises(ConnectorError) as caught:
        await connector.publish(ref, Outgoing("今日天气晴", "k"))
    assert caught.value.retry_at == datetime(2026, 11, 23, 12, 5, tzinfo=UTC)


async def test_a_dead_or_foreign_token_is_an_unhealthy_answer(
    mastodon: MastodonProcess, connector: MastodonConnector
) -> None:
    ref = mastodon.ref()
    health = await connector.check(ref)
    assert (health.ok, health.account_id, health.account_name) == (True, ref.external_id, "press")
    learned = AccountRef(1, "mastodon", "press", ref.external_id, ref.base_url, ref.secrets, health.learned)
    assert connector.limits(learned).post_length == 500
    for token in ("nonsense", "", "press_token_of_old"):
        dead = AccountRef(1, "mastodon", "press", ref.external_id, ref.base_url, {"token": token})
        assert "重新授权" in (await connector.check(dead)).note
    foreign = AccountRef(1, "mastodon", "press", ref.external_id, ref.base_url, {"token": "bob_token"})
    assert "另一个账号" in (await connector.check(foreign)).note


async def test_a_server_that_tells_no_limits_gets_the_usual_ones(
    mastodon: MastodonProcess, connector: MastodonConnector
) -> None:
    mastodon.fault({"type": "status", "status": 500}, path="/api/v*/instance", count=2)
    health = await connector.check(mastodon.ref())
    assert (health.ok, dict(health.learned)) == (True, {})
    assert connector.limits(mastodon.ref()).post_length == 500


async def test_lengths_are_the_servers(mastodon: MastodonProcess, connector: MastodonConnector) -> None:
    ref = mastodon.ref()
    fits = "字" * 476 + " https://example.org/" + "x" * 5
    assert connector.measure(fits) == 500
    assert connector.validate(ref, Outgoing(fits, "k")) == []
    assert connector.validate(ref, Outgoing("字" + fits, "k"))
    with pytest.raises(ConnectorError) as caught:
        await connector.publish(ref, Outgoing("字" * 501, "k"))
    assert caught.value.kind is ErrorKind.content_rejected
    sent = mastodon.post("alice", "@press x")["id"]
    reply = Outgoing("字" * connector.limits(ref).reply_length, "k", sent, Kind.mention, sent)
    assert connector.validate(ref, reply) == []
    assert isinstance(await connector.reply(ref, reply), Done)


async def test_an_answer_to_what_is_gone_was_not_sent(mastodon: MastodonProcess, connector: MastodonConnector) -> None:
    sent = mastodon.post("alice", "@press x")["id"]
    mastodon.call("DELETE", f"/api/v1/statuses/{sent}", "alice")
    with pytest.raises(ConnectorError) as caught:
        await connector.reply(mastodon.ref(), Outgoing("好", "k", sent, Kind.mention, sent))
    assert (caught.value.kind, caught.value.effect) == (ErrorKind.not_found, Effect.not_done)


async def test_everything_survives_kill_9_of_the_server(tmp_path_factory: pytest.TempPathFactory) -> None:
    server = MastodonProcess(tmp_path_factory.mktemp("mastodon-restart"))
    server.start()
    try:
        sent = server.post("alice", "@press 在吗")["id"]
        ref = server.ref()
        server.kill()
        connector = MastodonConnector(Http(live=False))
        with pytest.raises(ConnectorError) as caught:
            await connector.publish(ref, Outgoing("x", "k"))
        assert caught.value.effect is Effect.not_done
        server.start()
        items, _ = await walk(connector, ref, {})
        assert [i.external_id for i in items] == [sent]
    finally:
        server.kill()


async def test_waiting_ends_with_a_mention(mastodon: MastodonProcess, connector: MastodonConnector) -> None:
    waiting = asyncio.create_task(connector.wait(mastodon.ref(), "mentions", {}))
    await asyncio.sleep(1.0)
    assert not waiting.done()
    await asyncio.to_thread(mastodon.post, "alice", "@press 停水了")
    await asyncio.wait_for(waiting, 10)


async def test_waiting_says_when_there_is_no_stream(mastodon: MastodonProcess, connector: MastodonConnector) -> None:
    for status, kind in ((404, ErrorKind.not_found), (503, ErrorKind.transient)):
        mastodon.fault({"type": "status", "status": status}, path="/api/v1/streaming/user")
        with pytest.raises(ConnectorError) as caught:
            await connector.wait(mastodon.ref(), "mentions", {})
        assert caught.value.kind is kind
    with pytest.raises(ConnectorError) as caught:
        await connector.wait(dataclasses.replace(mastodon.ref(), base_url="http://127.0.0.1:9"), "mentions", {})
    assert caught.value.kind is ErrorKind.transient


async def test_access_is_granted_by_page(mastodon: MastodonProcess, connector: MastodonConnector) -> None:
    back = "http://127.0.0.1:8000/accounts/authorised"
    form = {"client_name": "hub", "redirect_uris": back, "scopes": "read write"}
    app = mastodon.call("POST", "/api/v1/apps", data=form)
    options = {"app_key": app["client_id"]}
    ref = AccountRef(1, "mastodon", "x", "", mastodon.base_url, {"app_secret": app["client_secret"]}, options)
    url = connector.authorise_url(ref, back, "state-1")
    query = parse_qs(urlsplit(url).query)
    assert (query["state"], query["redirect_uri"], query["scope"]) == (["state-1"], [back], ["read write"])
    picked = {name: values[0] for name, values in query.items()} | {"username": "press"}
    granted = httpx.post(mastodon.base_url + "/oauth/authorize", data=picked, trust_env=False)
    brought = {name: values[0] for name, values in parse_qs(urlsplit(granted.headers["location"]).query).items()}
    renewed = await connector.exchange(ref, back, brought)
    health = await connector.check(dataclasses.replace(ref, secrets=dict(renewed.secrets)))
    assert health.ok
    for bad in ({"error": "access_denied"}, {}, {"code": "nonsense"}):
        with pytest.raises(ConnectorError) as caught:
            await connector.exchange(ref, back, bad)
        assert caught.value.kind is ErrorKind.auth_human
    assert connector.authorise_url(mastodon.ref(), back, "s") == ""

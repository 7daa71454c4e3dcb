"""What comes from Weibo: rounds behind one probe, walks a kill cannot harm, nothing lost on a hundred calls a day."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from connectors.base import AccountRef, ConnectorError, ErrorKind, Kind, Page, Purpose, RawItem, Unparsable, Window
from connectors.budget import Scope, Standing
from connectors.http import Http
from connectors.weibo.client import WeiboConnector
from connectors.weibo.links import id_of_link, mid_of, short_of
from connectors.weibo.reading import STREAM
from tests.sims.weibo import WeiboControl


class CountingMeter:
    """Counts every call as the hub's meter does, in memory, on a clock of its own."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 23, tzinfo=UTC)
        self.spent: Counter[tuple[str, int, int]] = Counter()
        self.taken: list[str] = []
        self.told: list[Standing] = []

    async def take(self, account: AccountRef, windows: Sequence[Window], calls: str) -> None:
        share = 1.0 if account.purpose is Purpose.people else 0.7
        mine = [w for w in windows if w.calls == calls]
        keys = [self._key(w) for w in mine]
        for window, key in zip(mine, keys, strict=True):
            if self.spent[key] + 1 > window.most * share + 1e-9:
                kind = ErrorKind.quota_day if window.per >= timedelta(days=1) else ErrorKind.rate_limited
                raise ConnectorError(kind, "用完了", code="budget", retry_at=self.now + window.per)
        self.spent.update(keys)
        self.taken.append(calls)

    def _key(self, window: Window) -> tuple[str, int, int]:
        seconds = int(window.per.total_seconds())
        return f"{window.calls}/{window.scope.value}", seconds, int((self.now.timestamp() + 8 * 3600) // seconds)

    async def learn(self, account: AccountRef, standings: Sequence[Standing]) -> None:
        self.told += standings


class Reader:
    """Reads a stream as the hub does: pages and cursor kept together, every cursor through JSON."""

    def __init__(self, connector: WeiboConnector, ref: AccountRef) -> None:
        self.connector = connector
        self.ref = ref
        self.cursor: Mapping[str, Any] = {}
        self.stored: dict[tuple[Kind, str], RawItem] = {}

    async def step(self, *, kept: bool = True) -> Page:
        """One call; ``kept`` False: the process was killed before the page was stored."""
        page = await self.connector.pull(self.ref, STREAM, self.cursor)
        if kept:
            self.stored |= {(item.kind, item.external_id): item for item in page.items}
            self.cursor = json.loads(json.dumps(page.cursor))
        return page

    async def round(self) -> int:
        """To the end of a round; how many calls."""
        calls = 1
        while (await self.step()).more:
            calls += 1
        return calls

    def ids(self, kind: Kind) -> set[str]:
        return {external_id for found, external_id in self.stored if found is kind}


@pytest.fixture
def reader(microblog: WeiboConnector, press: AccountRef) -> Reader:
    return Reader(microblog, press)


async def test_everything_new_comes_whatever_its_number(weibo: WeiboControl, reader: Reader) -> None:
    uid = reader.ref.external_id
    await reader.round()
    mentions = weibo.mentions(uid, "路灯坏了 {n}", count=130)
    [post] = weibo.posts(uid, "通知")
    comments = weibo.comments("几点？{n}", post=post, count=75)
    named = weibo.comments("@临江发布 也看看这里 {n}", post=mentions[0], count=3)
    assert await reader.round() == 1 + 3 + 2 + 1
    assert reader.ids(Kind.mention) == set(mentions)
    assert reader.ids(Kind.comment) == set(comments) | set(named)


async def test_a_quiet_round_is_one_call(weibo: WeiboControl, reader: Reader) -> None:
    weibo.mentions(reader.ref.external_id, "路灯坏了")
    await reader.round()
    before = len(weibo.asked())
    assert [await reader.round() for _ in range(3)] == [1, 1, 1]
    assert {call["path"] for call in weibo.asked()[before:]} == {"/2/remind/unread_count.json"}


async def test_one_list_that_changed_costs_one_call_more(weibo: WeiboControl, reader: Reader) -> None:
    await reader.round()
    [new] = weibo.mentions(reader.ref.external_id, "路灯坏了")
    assert await reader.round() == 2
    assert reader.ids(Kind.mention) == {new}


def aged(reader: Reader, hours: float, *, looked: bool = False, began: bool = False) -> None:
    """The cursor as it would stand had the last look, or the round, been so long ago."""
    old = (datetime.now(UTC) - timedelta(hours=hours)).isoformat()
    cursor = json.loads(json.dumps(reader.cursor))
    if looked:
        for one in cursor["lists"].values():
            one["looked_at"] = old
    if began:
        cursor["began"] = old
    reader.cursor = cursor


async def test_what_somebody_else_has_looked_at_comes_with_the_next_look(weibo: WeiboControl, reader: Reader) -> None:
    """The counters are the account's, not ours: a clerk who opens the list on the site sets them back."""
    await reader.round()
    wanted = set(weibo.mentions(reader.ref.external_id, "乙 {n}", count=2))
    await Reader(reader.connector, reader.ref).round()
    assert await reader.round() == 1
    assert reader.ids(Kind.mention) == set()
    aged(reader, 7, looked=True)
    await reader.round()
    assert reader.ids(Kind.mention) == wanted


async def test_counters_that_do_not_fall_by_reading_are_found_out(weibo: WeiboControl, reader: Reader) -> None:
    weibo.rules(sticky_counters=1)
    uid = reader.ref.external_id
    await reader.round()
    weibo.mentions(uid, "甲 {n}", count=2)
    assert [await reader.round() for _ in range(4)] == [2, 2, 1, 1]
    weibo.mentions(uid, "乙 {n}", count=2)
    assert [await reader.round() for _ in range(3)] == [2, 1, 1]
    assert len(reader.ids(Kind.mention)) == 4


async def test_as_many_as_the_last_time_are_news_all_the_same(weibo: WeiboControl, reader: Reader) -> None:
    await reader.round()
    for turn in range(1, 4):
        weibo.mentions(reader.ref.external_id, f"第 {turn} 次 {{n}}", count=5)
        await reader.round()
        assert len(reader.ids(Kind.mention)) == 5 * turn


async def test_what_was_held_back_comes_with_the_next_look_from_further_back(
    weibo: WeiboControl, reader: Reader
) -> None:
    """A post under review becomes visible later, with an id below the newest that is known."""
    uid = reader.ref.external_id
    weibo.mentions(uid, "早的 {n}", count=3)
    await reader.round()
    late = weibo.mentions(uid, "被审核的", listed=False)
    after = weibo.mentions(uid, "之后的 {n}", count=2)
    await reader.round()
    assert not set(late) & reader.ids(Kind.mention)
    assert set(after) <= reader.ids(Kind.mention)
    weibo.show_late(uid, late[0])
    await reader.round()
    aged(reader, 7, looked=True)
    await reader.round()
    assert set(late) <= reader.ids(Kind.mention)


@pytest.mark.parametrize("seed", range(6))
async def test_kills_between_pages_lose_nothing(weibo: WeiboControl, reader: Reader, seed: int) -> None:
    """Killed before the commit at every third step, with new items coming in the middle of a walk."""
    uid = reader.ref.external_id
    options = dict(reader.ref.options) | {"page_size": 3 + seed}
    reader.ref = AccountRef(1, "weibo", "x", uid, reader.ref.base_url, reader.ref.secrets, options)
    await reader.round()
    wanted = set(weibo.mentions(uid, "一 {n}", count=20 + seed))
    for number in range(200):
        page = await reader.step(kept=(number + seed) % 3 != 0)
        if number in (4, 9):
            wanted |= set(weibo.mentions(uid, f"又 {number} {{n}}", count=4))
        if not page.more and number > 40:
            break
    await reader.round()
    assert reader.ids(Kind.mention) == wanted


async def test_what_came_above_a_walk_left_half_way_comes_in_the_round_that_ends_it(
    weibo: WeiboControl, reader: Reader
) -> None:
    uid = reader.ref.external_id
    reader.ref = AccountRef(
        1, "weibo", "x", uid, reader.ref.base_url, reader.ref.secrets, {**reader.ref.options, "page_size": 3}
    )
    await reader.round()
    for turn in range(2):
        wanted = set(weibo.mentions(uid, f"先 {turn} {{n}}", count=8))
        assert (await reader.step()).more
        assert (await reader.step()).more
        wanted |= set(weibo.mentions(uid, f"后 {turn} {{n}}", count=4))
        aged(reader, 1, began=True)
        await reader.round()
        assert wanted <= reader.ids(Kind.mention)
        assert not reader.cursor["lists"]["mentions"].get("sticky"), "the counter falls by reading"
    assert await reader.round() == 1


async def test_a_token_that_dies_in_mid_walk_goes_on_with_the_next(weibo: WeiboControl, reader: Reader) -> None:
    uid = reader.ref.external_id
    await reader.round()
    wanted = set(weibo.mentions(uid, "路灯 {n}", count=120))
    await reader.step()
    await reader.step()
    weibo.end(uid, "password")
    with pytest.raises(ConnectorError) as caught:
        await reader.step()
    assert caught.value.kind is ErrorKind.auth_human
    assert "密码" in caught.value.human
    reader.ref = weibo.ref({"uid": uid, "screen_name": "临江发布", "token": "x"})
    await reader.round()
    assert reader.ids(Kind.mention) == wanted


async def test_an_app_without_counters_reads_the_lists(weibo: WeiboControl, reader: Reader) -> None:
    weibo.rules(remind_off=1)
    [new] = weibo.mentions(reader.ref.external_id, "路灯坏了")
    await reader.round()
    assert reader.ids(Kind.mention) == {new}
    before = len(weibo.asked())
    await reader.round()
    assert "/2/remind/unread_count.json" not in {call["path"] for call in weibo.asked()[before:]}


async def test_a_list_without_rights_says_which_and_does_not_starve_the_others(
    weibo: WeiboControl, reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    wire = reader.connector._wire
    real = wire.get

    async def refusing(account: AccountRef, url: str, **params: str) -> Any:
        if "comments/mentions" in url:
            raise ConnectorError(ErrorKind.permission, "该应用没有这项接口权限，请管理员向平台申请", code="10014")
        return await real(account, url, **params)

    monkeypatch.setattr(wire, "get", refusing)
    seen = set()
    for number in range(8):
        [new] = weibo.mentions(reader.ref.external_id, f"路灯 {number}")
        seen.add(new)
        if reader.cursor:
            aged(reader, 1, began=True)
        with pytest.raises(ConnectorError, match="@我的评论"):
            await reader.round()
    assert len(seen - reader.ids(Kind.mention)) <= 2


async def test_deleted_stubs_are_passed_over(weibo: WeiboControl, reader: Reader) -> None:
    weibo.rules(deleted_stubs=1)
    first, second = weibo.mentions(reader.ref.external_id, "路灯 {n}", count=2)
    weibo.take_down(second)
    await reader.round()
    assert reader.ids(Kind.mention) == {first}


async def test_items_are_understood(weibo: WeiboControl, reader: Reader) -> None:
    uid = reader.ref.external_id
    [mention] = weibo.mentions(uid, "解放路路灯坏了", author="小赵")
    [post] = weibo.posts(uid, "通知")
    [comment] = weibo.comments("几点停水？", post=post, author="小钱")
    [below] = weibo.comments("同问", comment=comment, author="小孙")
    await reader.round()
    parsed = {i.external_id: reader.connector.parse(reader.ref, i) for i in reader.stored.values()}
    found = parsed[mention]
    assert (found.kind, found.author.name, found.thread_id) == (Kind.mention, "小赵", mention)
    assert found.text == "@临江发布 解放路路灯坏了"
    assert id_of_link(found.url) == mention
    assert abs((found.created_at - datetime.now(UTC)).total_seconds()) < 10
    assert found.reply_until is None
    assert (parsed[comment].thread_id, parsed[comment].parent_id) == (post, post)
    assert (parsed[below].thread_id, parsed[below].parent_id) == (post, comment)
    assert id_of_link(parsed[below].url) == post


async def test_a_long_post_comes_whole(weibo: WeiboControl, reader: Reader) -> None:
    said = "路灯坏了。" * 100
    [long] = weibo.mentions(reader.ref.external_id, said)
    await reader.round()
    found = reader.connector.parse(reader.ref, reader.stored[(Kind.mention, long)])
    assert found.text == f"@临江发布 {said}"


async def test_only_the_first_walk_is_bounded(weibo: WeiboControl, reader: Reader) -> None:
    options = dict(reader.ref.options) | {"look_back": 20, "page_size": 10}
    reader.ref = AccountRef(1, "weibo", "x", reader.ref.external_id, reader.ref.base_url, reader.ref.secrets, options)
    weibo.mentions(reader.ref.external_id, "旧 {n}", count=60)
    await reader.round()
    assert len(reader.stored) == 20
    weibo.mentions(reader.ref.external_id, "新 {n}", count=60)
    await reader.round()
    assert len(reader.stored) == 80


@pytest.mark.parametrize("clock_off", [-600, 0, 600])
async def test_a_day_of_300_mentions_on_a_hundred_calls(weibo: WeiboControl, press: AccountRef, clock_off: int) -> None:
    """In fast time, paced as the hub paces: nothing lost at the end, and people's calls never refused."""
    meter = CountingMeter()
    at = [meter.now]
    connector = WeiboConnector(Http(live=False, clock=lambda: at[0] + timedelta(seconds=clock_off), meter=meter))
    reading = AccountRef(
        1, "weibo", "x", press.external_id, press.base_url, press.secrets, press.options, purpose=Purpose.reading
    )
    reader, wanted = Reader(connector, reading), set[str]()
    weibo.rules(calls_per_day=100)
    answers, due, day_end = 0, meter.now, datetime(2026, 11, 23, 16, tzinfo=UTC) + timedelta(days=1)
    start = datetime(2026, 11, 23, 16, tzinfo=UTC)
    at[0] = meter.now = due = start
    minute = timedelta(minutes=1)
    while meter.now < day_end:
        weibo.clock(meter.now.timestamp())
        number = int((meter.now - start) / minute)
        if number % 24 == 0 and number < 1430:
            wanted |= set(weibo.mentions(press.external_id, f"第 {number} 分钟 {{n}}", count=5))
        if number % 60 == 30:
            await connector.check(press) if number == 30 else await connector.exists(press, min(wanted))
            answers += 1
        if meter.now >= due:
            used = len(meter.taken)
            await reader.round()
            spent = len(meter.taken) - used
            left = max(1.0, 70 - meter.spent[("all/account", 86400, int((meter.now.timestamp() + 8 * 3600) // 86400))])
            due = meter.now + max(timedelta(minutes=3), (day_end - meter.now) / (left / spent))
        meter.now += minute
        at[0] = meter.now
    assert answers == 24
    weibo.clock(day_end.timestamp() + 60)
    at[0] = meter.now = day_end + minute
    await reader.round()
    assert reader.ids(Kind.mention) == wanted
    assert len(wanted) == 300
    assert all(call["code"] == 0 for call in weibo.asked()), "the platform never had to refuse"
    weibo.clock(None)


async def test_the_platforms_own_word_on_its_limits_is_learnt(weibo: WeiboControl, press: AccountRef) -> None:
    meter = CountingMeter()
    connector = WeiboConnector(Http(live=False, meter=meter))
    weibo.rules(calls_per_day=3)
    for _ in range(3):
        await connector.pull(press, STREAM, {})
    with pytest.raises(ConnectorError) as caught:
        await connector.pull(press, STREAM, {})
    assert caught.value.kind is ErrorKind.quota_day
    assert caught.value.retry_at is not None
    assert timedelta(0) < caught.value.retry_at - datetime.now(UTC) <= timedelta(days=1, seconds=5)
    own = [one for one in meter.told if one.calls == "all" and one.scope is Scope.account]
    assert [(one.calls, one.left, one.most) for one in own][-1] == ("all", 0, 3)
    health = await connector.check(weibo.ref(weibo.account("清河发布"), number=2))
    assert dict(health.learned) == {"user_limit": 3, "user_limit_seconds": 86400}
    [window, *_] = connector.budgets(AccountRef(1, "weibo", "x", "1", "", options=health.learned))
    assert (window.most, window.per) == (3, timedelta(days=1))


@pytest.mark.parametrize("body", ["[]", "{}", "null", '{"statuses": 1}', '"x"', "<html>502</html>"])
async def test_an_answer_that_is_no_list_moves_nothing(reader: Reader, body: str, weibo: WeiboControl) -> None:
    await reader.round()
    before = dict(reader.cursor)
    weibo.fault("garbage", operation="any", status=200, count=1)
    with pytest.raises(ConnectorError) as caught:
        await reader.step()
    assert caught.value.kind is ErrorKind.protocol
    assert reader.cursor == before


@pytest.mark.parametrize(("mid", "short"), [("3501756485200075", "z0JH2lOMb"), ("4000000000000001", "E00000001")])
def test_ids_and_addresses(mid: str, short: str) -> None:
    assert short_of(mid) == short
    assert mid_of(short) == mid
    assert id_of_link(f"https://weibo.com/1234567890/{short}?from=x#comment") == mid
    assert id_of_link(f"https://m.weibo.cn/status/{mid}") == mid


@pytest.mark.parametrize(
    "link", ["", "weibo.com", "https://example.com/1/z0JH2lOMb", "https://weibo.com/u/1", "http://["]
)
def test_other_addresses_are_refused_in_words(link: str) -> None:
    with pytest.raises(Unparsable, match="链接"):
        id_of_link(link)

"""What must hold for every platform that is read: everything arrives, once, whatever breaks on the way.

A platform is put on the stage by what brings items to it; one that enters the registry without a stage, or without a
reason why it needs none, fails here.
"""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import col, func, select

from connectors.base import AccountRef, Published
from connectors.registry import connectors
from hub import clock
from hub.db import Context, reading, unit_of_work
from hub.models import Account, Arrival, Delivery, DeliveryKind, DeliveryState, Stream
from tests.sims.douyin import douyin
from tests.sims.exchange import KEY, KEY_ID, hotline
from tests.sims.faults import FaultProxy
from tests.sims.feed import feed_server
from tests.sims.mail import PASSWORD, USER, imap_server
from tests.sims.mastodon import MastodonProcess
from tests.sims.sandbox import Control, SandboxProcess
from tests.sims.wechat import WechatProcess
from tests.sims.weibo import WeiboControl, WeiboProcess
from workflows.house import House
from workflows.intake import pulling
from workflows.intake.pulling import pull_stream
from workflows.intake.streams import make_missing

# Why a platform is not read here.
ELSEWHERE = {
    "file": "files are imported: test_file_imports",
    "webform": "letters are written into the hub: tests/web/test_letters.py",
    "manual": "people bring what was said: tests/connectors/test_pasted_comments.py",
    "bilibili": "its platform tells nothing of what people say: tests/connectors/test_bilibili.py",
    "kuaishou": "its platform tells nothing of what people say: tests/connectors/test_kuaishou.py",
}
FAULTS = ["drop", "truncate", "html", "gzip", "broken gzip", "redirect", "slow", "empty", "error"]


@dataclass
class Stage:
    """One platform with items on it. ``bring`` makes so many new ones; ``ref`` is its account; ``page`` their number
    on one page; ``lock`` makes the credentials worthless, ``open`` good again (None: there are none); ``clear`` forgets
    what is there (None: it is read away in large pages); ``published``: own items whose comments are read."""

    ref: AccountRef
    bring: Callable[[int], Any]
    page: int
    speaks_http: bool = True
    lock: Callable[[], Any] | None = None
    open: Callable[[], Any] | None = None
    clear: Callable[[], Any] | None = None
    published: tuple[Published, ...] = ()


def _sandbox(stack: ExitStack, folder: Path) -> Stage:
    control: Control = stack.enter_context(SandboxProcess(folder))
    account = control.account("临江发布")
    ref = control.ref(account, page_size=5)

    def lock() -> None:
        control.fault("refuse", operation="any", code=21327, count=1000)

    return Stage(ref, lambda n: control.mentions(account["uid"], "路灯坏了 {n}", count=n), 5, True, lock, control.lift)


def _weibo(stack: ExitStack, folder: Path) -> Stage:
    process = WeiboProcess(folder)
    process.start()
    stack.callback(process.kill)
    weibo = WeiboControl(process.base_url)
    weibo.reset()
    account = weibo.account("临江发布")
    # The rules of the simulator count calls as the platform does: this is about items, not about budgets.
    weibo.rules(calls_per_day=100_000, writes_per_hour=100_000, comments_per_hour=100_000)
    ref = weibo.ref(account, page_size=5)

    def lock() -> None:
        weibo.fault("refuse", operation="any", code=21332, count=1000)

    return Stage(ref, lambda n: weibo.mentions(account["uid"], "路灯坏了 {n}", count=n), 5, True, lock, weibo.lift)


def _wechat(stack: ExitStack, folder: Path) -> Stage:
    platform = stack.enter_context(WechatProcess())
    account = platform.account(review_seconds=0.1)
    article = platform.stand(account, datetime.now(UTC))

    def lock() -> None:
        platform.post("accounts", app=account["app"], secret="another")
        platform.post("revoke", app=account["app"])

    return Stage(
        platform.ref(account, open_comment="1", pull_every=0.001),
        lambda n: platform.post("comments", msg_data_id=article.extra["msg_data_id"], text="几点来水？{n}", count=n),
        44,  # pages of 49 overlap by 5
        lock=lock,
        open=lambda: platform.post("accounts", app=account["app"], secret=account["secret"]),
        clear=lambda: platform.post("comments/clear"),
        published=(article,),
    )


def _mastodon(stack: ExitStack, folder: Path) -> Stage:
    server = MastodonProcess(folder)
    server.start()
    stack.callback(server.kill)
    made = itertools.count()

    def bring(n: int) -> None:
        for _ in range(n):
            server.post("alice", f"@press 路灯坏了 {next(made)}")

    def lock() -> None:
        server.fault({"type": "status", "status": 401}, path="/api/v1/notifications", count=1000)

    return Stage(server.ref(page_size=5), bring, 5, True, lock, server.lift)


def _mailbox(stack: ExitStack, folder: Path) -> Stage:
    imap = stack.enter_context(imap_server())
    made = itertools.count()

    def bring(n: int) -> None:
        now = datetime.now(UTC)
        date = now.strftime("%a, %d %b %Y %H:%M:%S +0000")
        mails = [
            f"From: li@example.com\r\nMessage-ID: <{k}@x>\r\nDate: {date}\r\nSubject: s\r\n\r\nletter {k}\r\n".encode()
            for k in itertools.islice(made, n)
        ]
        imap.deliver(*mails, at=now)

    def clear() -> None:
        with imap.session() as client:
            client.delete_messages(client.search("ALL"))
            client.expunge()

    ref = AccountRef(1, "mailbox", "信箱", USER, imap.base_url, {"password": PASSWORD})
    return Stage(ref, bring, 20, speaks_http=False, clear=clear)


def _feed(stack: ExitStack, folder: Path) -> Stage:
    feed = stack.enter_context(feed_server())
    shown: list[tuple[str, str, str]] = []

    def bring(n: int) -> None:
        shown[:0] = [(str(len(shown) + k), f"第 {len(shown) + k} 条", "停水") for k in range(n)]
        feed.show(shown)

    bring(0)
    return Stage(AccountRef(1, "feed", "留言板", "", feed.base_url + "/feed"), bring, 5)


def _exchange(stack: ExitStack, folder: Path) -> Stage:
    other = stack.enter_context(hotline())
    other.page = 5

    def bring(n: int) -> None:
        start = len(other.orders)
        other.orders += [{"order_id": f"GD{start + k}", "content": f"第 {start + k} 件"} for k in range(n)]

    ref = AccountRef(1, "exchange", "12345", "", other.base_url, {"key": KEY}, {"key_id": KEY_ID, "pull": "是"})
    return Stage(
        ref, bring, 5, True, lambda: other.statuses.extend([401] * 50), other.statuses.clear, other.orders.clear
    )


def _douyin(stack: ExitStack, folder: Path) -> Stage:
    there = stack.enter_context(douyin())
    there.page = 5
    work = there.work("停水通知")

    def lock() -> None:
        there.dead = 28001045

    def unlock() -> None:
        there.dead = 0

    def bring(n: int) -> None:
        there.say(work, "路灯坏了", count=n)

    ref = there.ref(pull_every=0.001, longest_pause=0.001)
    return Stage(ref, bring, 5, True, lock, unlock, there.comments.clear)


STAGES = {
    "sandbox": _sandbox, "weibo": _weibo, "mastodon": _mastodon, "mailbox": _mailbox, "feed": _feed,
    "exchange": _exchange, "douyin": _douyin, "wechat": _wechat,
}  # fmt: skip


def test_every_platform_has_a_stage_or_a_reason() -> None:
    assert set(connectors(live=False)) == set(STAGES) | set(ELSEWHERE)
    assert not set(STAGES) & set(ELSEWHERE)


def _together(name: str) -> Any:
    """All tests on one stage run in one process: it is set up once."""
    return pytest.param(name, marks=pytest.mark.xdist_group(f"stage-{name}"))


@pytest.fixture(scope="module", params=map(_together, sorted(STAGES)))
def stage(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with ExitStack() as stack:
        yield STAGES[request.param](stack, tmp_path_factory.mktemp(request.param))


@dataclass
class Office:
    """A house with the account connected through a proxy that spoils answers."""

    house: House
    stream: int
    proxy: FaultProxy | None

    async def read(self) -> None:
        """As the worker does, as soon as it may: until nothing is left or the stream has failed."""
        for _ in range(10):
            await self.due()
            await pull_stream(self.house, self.stream)
            row = await self.row()
            if row.error_kind or row.due_at > clock.now():
                return

    async def due(self) -> None:
        async with unit_of_work(self.house.ctx) as unit:
            await unit.claim(Stream, col(Stream.id) == self.stream, due_at=clock.now(), lease_until=None)

    async def row(self) -> Stream:
        async with reading(self.house.ctx) as unit:
            return await unit.one(select(Stream).where(col(Stream.id) == self.stream))

    async def arrived(self) -> int:
        """How many there are; one that came twice would be refused by the table, so this is also how many came once."""
        async with reading(self.house.ctx) as unit:
            return await unit.one(select(func.count(col(Arrival.id))))


@pytest.fixture
def http_stage(stage: Stage) -> Stage:
    """The stage, where a proxy can spoil its answers."""
    if not stage.speaks_http:
        pytest.skip("does not speak HTTP: its own tests break its connections")
    return stage


@pytest.fixture
async def office(ctx: Context, stage: Stage) -> AsyncIterator[Office]:
    house = House(ctx, connectors(live=False))
    async with FaultProxy(stage.ref.base_url) as proxy:
        path = stage.ref.base_url.partition("://")[2].partition("/")[2]
        url = f"{proxy.base_url}/{path}".rstrip("/") if stage.speaks_http else stage.ref.base_url
        async with unit_of_work(ctx) as unit:
            account = Account(
                platform=stage.ref.platform, name=stage.ref.name, external_id=stage.ref.external_id, base_url=url,
                sealed=ctx.vault.seal(stage.ref.secrets), options={**stage.ref.options, "page_size": 200},
            )  # fmt: skip
            unit.add(account)
            await unit.flush()
            for one in stage.published:
                unit.add(_sent(account.id or 0, one))
        await make_missing(house)
        async with reading(ctx) as unit:
            first = house.platforms[account.platform].streams[0]
            stream = await unit.one(select(col(Stream.id)).where(Stream.name == first))
        found = Office(house, stream or 0, proxy if stage.speaks_http else None)
        if stage.clear is not None:
            stage.clear()
        await found.read()  # whatever earlier tests left on the platform
        async with unit_of_work(ctx) as unit:
            await unit.claim(Account, col(Account.id) == account.id, options=dict(stage.ref.options))
        yield found


def _sent(account_id: int, item: Published) -> Delivery:
    """A young one: older ones are looked at more rarely."""
    now = clock.now()
    return Delivery(
        kind=DeliveryKind.post, account_id=account_id, text="停水通知", content_hash="-", approved_hash="-",
        state=DeliveryState.sent, scheduled_at=now, sent_at=now, remote_id=item.external_id, extra=dict(item.extra),
    )  # fmt: skip


async def test_more_than_a_page_all_arrive_and_nothing_twice(office: Office, stage: Stage) -> None:
    before = await office.arrived()
    stage.bring(3 * stage.page + 1)
    await office.read()
    assert await office.arrived() - before == 3 * stage.page + 1
    await office.read()
    assert await office.arrived() - before == 3 * stage.page + 1
    assert (await office.row()).error == ""


class _Killed(BaseException):
    """The process is gone: nothing is tidied up."""


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("step", [0, 1, 2])
async def test_a_process_that_dies_around_a_commit_loses_nothing(
    office: Office, stage: Stage, monkeypatch: pytest.MonkeyPatch, when: str, step: int
) -> None:
    before, count = await office.arrived(), 3 * stage.page + 1
    stage.bring(count)
    real, commits = pulling._keep, itertools.count()

    async def keep(*args: Any) -> Any:
        dies = next(commits) == step
        if dies and when == "before":
            raise _Killed
        kept = await real(*args)
        if dies:
            raise _Killed
        return kept

    await office.due()
    with monkeypatch.context() as patch:
        patch.setattr(pulling, "_keep", keep)
        with suppress(_Killed):
            await pull_stream(office.house, office.stream)
    await office.read()
    assert await office.arrived() - before == count


@pytest.mark.parametrize("after", [0, 1])
@pytest.mark.parametrize("fault", FAULTS)
async def test_an_answer_that_is_spoilt_in_mid_walk_loses_nothing(
    http_stage: Stage, office: Office, fault: str, after: int
) -> None:
    assert office.proxy is not None
    before, count = await office.arrived(), 2 * http_stage.page + 1
    http_stage.bring(count)
    office.proxy.spoil(fault, after=after)
    await office.read()
    row = await office.row()
    if fault in ("gzip", "slow"):
        assert row.error == "", "packed or slow is no error"
    elif office.proxy.spoilt and row.error:
        assert any("\u4e00" <= char <= "\u9fff" for char in row.error)
        assert "169.254" not in row.error
    office.proxy.heal()
    await office.read()
    assert await office.arrived() - before == count
    assert (await office.row()).error == ""


async def test_credentials_that_die_in_mid_walk_are_told_and_lose_nothing(office: Office, stage: Stage) -> None:
    if stage.lock is None or stage.open is None:
        pytest.skip("has no credentials, or tests of its own for their end")
    before, count = await office.arrived(), 3 * stage.page + 1
    stage.bring(count)
    await office.due()
    stage.lock()
    await pull_stream(office.house, office.stream)
    row = await office.row()
    assert row.error_kind in ("auth_human", "auth_expired")
    assert row.due_at > clock.now() + timedelta(minutes=5), "a dead token is not asked again and again"
    stage.open()
    async with unit_of_work(office.house.ctx) as unit:
        await unit.claim(Account, col(Account.id) > 0, circuit="closed", circuit_reason="")
    await office.read()
    assert await office.arrived() - before == count

"""What real servers answered to every method of a connector, kept to be answered again, spoilt."""

from __future__ import annotations

import itertools
import random
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from connectors.base import (
    AccountRef,
    Attachment,
    Connector,
    ConnectorError,
    Done,
    Kind,
    Outgoing,
    Pending,
    Published,
    RawItem,
    Uploaded,
)
from connectors.http import Answer, Http
from connectors.registry import connectors
from tests.sims.bilibili import bilibili
from tests.sims.douyin import douyin
from tests.sims.exchange import KEY, KEY_ID, hotline
from tests.sims.feed import feed_server
from tests.sims.film import MB, film
from tests.sims.kuaishou import kuaishou
from tests.sims.mastodon import MastodonProcess
from tests.sims.mutations import spoilt
from tests.sims.sandbox import SandboxProcess
from tests.sims.wechat import WechatProcess, picture
from tests.sims.weibo import LINK, WeiboControl, WeiboProcess

SINCE = timedelta(hours=1)


class Recording(Http):
    """The real door, which remembers every answer by its path."""

    def __init__(self) -> None:
        super().__init__(live=False)
        self.answers: dict[str, list[Answer]] = {}

    async def call(self, method: str, url: str, **asked: Any) -> Answer:
        answer = await super().call(method, url, **asked)
        known = self.answers.setdefault(urlsplit(url).path, [])
        if len(known) < 8:
            known.append(answer)
        return answer


class Retold(Http):
    """Answers every call with a genuine answer of that path, or of another one; mostly spoilt."""

    def __init__(self, answers: Mapping[str, list[Answer]]) -> None:
        super().__init__(live=False)
        self._answers, self._all = answers, [one for known in answers.values() for one in known]
        self.chance = random.Random()
        self.told: list[bytes] = []

    async def call(self, method: str, url: str, *, write: bool = False, **asked: Any) -> Answer:
        chance = self.chance
        genuine = chance.choice(self._answers.get(urlsplit(url).path) or self._all)
        if chance.random() < 0.05:
            genuine = chance.choice(self._all)
        status = (
            genuine.status if chance.random() < 0.9 else chance.choice([200, 201, 302, 304, 400, 401, 404, 429, 500])
        )
        body = spoilt(chance, genuine.body) if chance.random() < 0.7 else genuine.body
        self.told.append(body)
        return Answer(status, genuine.headers, body, write)


@dataclass
class Recorded:
    """One platform: its account, the answers of its server, the items that came, and calls worth making again."""

    platform: str
    ref: AccountRef
    answers: dict[str, list[Answer]]
    items: list[RawItem] = field(default_factory=list)
    targets: list[Outgoing] = field(default_factory=list)
    own: list[str] = field(default_factory=list)
    jobs: list[str] = field(default_factory=list)
    uploads: list[tuple[Outgoing, Mapping[str, str]]] = field(default_factory=list)


Method = Callable[[Connector], Awaitable[Any]]


def made(platform: str, http: Http) -> Connector:
    """The connector of the registry over another door."""
    kind: Any = type(connectors(live=False)[platform])
    return kind(http)  # type: ignore[no-any-return]


def methods(kept: Recorded) -> dict[str, Method]:
    """Every call a connector may make for this account."""
    ref, since = kept.ref, datetime.now(UTC) - SINCE
    found: dict[str, Method] = {
        "check": lambda c: c.check(ref), "refresh": lambda c: c.refresh(ref),
        "exchange": lambda c: c.exchange(ref, "http://127.0.0.1:9/back", {"code": "c0de"}),
        "metrics": lambda c: c.metrics(ref, kept.own),
    }  # fmt: skip
    for stream in made(kept.platform, Http(live=False)).streams:
        found[f"pull {stream}"] = lambda c, stream=stream: c.pull(ref, stream, {})  # type: ignore[misc]
        found[f"pull {stream} on"] = lambda c, stream=stream: c.pull(ref, stream, {"high": "1", "after": "1"})  # type: ignore[misc]
    for number, out in enumerate(kept.targets):
        found[f"write {number}"] = lambda c, out=out: (c.publish if out.target_kind is None else c.reply)(ref, out)  # type: ignore[misc]
        found[f"find_own {number}"] = lambda c, out=out: c.find_own(ref, since, out)  # type: ignore[misc]
    for number, (out, state) in enumerate(kept.uploads):
        found[f"upload {number}"] = lambda c, out=out, state=state: c.upload(ref, out, state)  # type: ignore[misc]
    for number, own in enumerate(kept.own):
        found[f"exists {number}"] = lambda c, own=own: c.exists(ref, own)  # type: ignore[misc]
        found[f"delete {number}"] = lambda c, own=own: c.delete(ref, own)  # type: ignore[misc]
    for number, job in enumerate(kept.jobs):
        found[f"poll_job {number}"] = lambda c, job=job: c.poll_job(ref, job)  # type: ignore[misc]
    return found


async def record(platform: str, stack: ExitStack, folder: Path) -> Recorded:
    """Start the platform's server, put something on it, make every call once."""
    ref, targets, after = _STAGES[platform](stack, folder)
    http = Recording()
    connector = made(platform, http)
    kept = Recorded(platform, ref, http.answers)
    if (renewed := await _tried(connector.refresh(ref))) is not None:
        kept.ref = ref = replace(ref, secrets={**ref.secrets, **renewed.secrets})
    targets = [await _brought(connector, ref, out, kept) for out in targets]
    for out in targets:
        done = await _tried((connector.publish if out.target_kind is None else connector.reply)(ref, out))
        extra: Mapping[str, str] = {}
        if isinstance(done, Pending):
            extra = done.extra
            kept.jobs.append(done.job)
            done = await _ended(connector, ref, done)
        if isinstance(done, Done) and done.external_id:
            one = Published(done.external_id, datetime.now(UTC), {**extra, **done.extra})
            after(one)
            kept.own.append(done.external_id)
            kept.ref = ref = replace(ref, published=(*ref.published, one))
    await _read(connector, ref, kept)
    kept.targets = [*targets, *itertools.islice(_answers_to(connector, ref, kept.items), 4)]
    for call in methods(kept).values():
        await _tried(call(connector))
    return kept


async def _read(connector: Connector, ref: AccountRef, kept: Recorded) -> None:
    for stream in connector.streams:
        cursor: Mapping[str, Any] = {}
        for _ in range(3):
            page = await _tried(connector.pull(ref, stream, cursor))
            if page is None:
                break
            kept.items += page.items
            cursor = page.cursor


async def _brought(connector: Connector, ref: AccountRef, out: Outgoing, kept: Recorded) -> Outgoing:
    """What is to go out, its video there; every step of its way is kept."""
    state: Mapping[str, str] = {}
    while out.video is not None:
        kept.uploads.append((out, state))
        step = await connector.upload(ref, out, state)
        if isinstance(step, Uploaded):
            return replace(out, uploaded=step.ref)
        state = step.state
    return out


async def _ended(connector: Connector, ref: AccountRef, pending: Pending) -> Any:
    for _ in range(20):
        done = await _tried(connector.poll_job(ref, pending.job))
        if isinstance(done, Done):
            return done
        time.sleep(0.2)
    return None


async def _tried(call: Awaitable[Any]) -> Any:
    try:
        return await call
    except ConnectorError:
        return None


def _answers_to(connector: Connector, ref: AccountRef, items: list[RawItem]) -> Iterator[Outgoing]:
    """One answer to one item of each kind."""
    for kind in Kind:
        for item in [one for one in items if one.kind is kind][:1]:
            found = connector.parse(ref, item)
            yield Outgoing("好的，马上处理", "k9", item.external_id, kind, found.thread_id, found.author.id)


# the stages -----------------------------------------------------------------------------------------------------------

Staged = tuple[AccountRef, list[Outgoing], Callable[[Published], Any]]


def _nothing(_: Published) -> None:
    """Nobody says anything about it."""


def _sandbox(stack: ExitStack, folder: Path) -> Staged:
    control = stack.enter_context(SandboxProcess(folder))
    account = control.account("临江发布")
    control.mentions(account["uid"], "路灯坏了 {n}", count=7)
    control.comments("还没修 {n}", post=control.posts(account["uid"], "通知", count=1)[0], count=3)
    control.messages(account["uid"], "井盖丢了 {n}", count=3)
    return control.ref(account, page_size=5), [Outgoing("今日停水", "k1")], _nothing


def _weibo(stack: ExitStack, folder: Path) -> Staged:
    process = WeiboProcess(folder)
    process.start()
    stack.callback(process.kill)
    control = WeiboControl(process.base_url)
    account = control.account("临江发布")
    control.rules(
        calls_per_day=10**6, calls_per_hour_from_one_address=10**6, writes_per_hour=10**6, comments_per_hour=10**6
    )
    control.mentions(account["uid"], "路灯坏了 {n}", count=7)
    control.comments("还没修 {n}", post=control.posts(account["uid"], "通知", count=1)[0], count=3)
    ref = control.ref(
        account, page_size=5, budgets={"all": 100_000}, article="yes", cover_url="https://example.org/c.png"
    )
    return ref, [
        Outgoing(f"今日停水 {LINK}", "k1"), Outgoing("长文" * 30, "k2", title="题", form="article"),
    ], _nothing  # fmt: skip


def _mastodon(stack: ExitStack, folder: Path) -> Staged:
    server = MastodonProcess(folder)
    server.start()
    stack.callback(server.kill)
    for n in range(4):
        server.post("alice", f"@press 路灯坏了 {n}")
    first = server.post("alice", "@press 私下说", visibility="direct")
    server.post("alice", "@press 还有", in_reply_to_id=first["id"], visibility="direct")
    return server.ref(page_size=3, app_key="a"), [Outgoing("今日停水", "k1")], _nothing


def _wechat(stack: ExitStack, folder: Path) -> Staged:
    control = stack.enter_context(WechatProcess(folder))
    account = control.account(review_seconds=0.1)
    ref = control.ref(account, open_comment="1")
    pictures = (picture(), picture(description="现场"))

    def comment(one: Published) -> None:
        if one.extra.get("msg_data_id"):
            control.post("comments", msg_data_id=one.extra["msg_data_id"], text="何时来水 {n}", count=3)

    return ref, [
        Outgoing("第一段。\n[图2]\n第二段。", "k1", title="停水通知", attachments=pictures),
        Outgoing("第一段。", "k2", title="停水通知", form="mass", attachments=pictures[:1]),
    ], comment  # fmt: skip


def _feed(stack: ExitStack, folder: Path) -> Staged:
    feed = stack.enter_context(feed_server())
    feed.show([(str(n), f"第 {n} 条", "<p>停水&amp;停电</p>") for n in range(4)])
    return AccountRef(1, "feed", "留言板", "", feed.base_url + "/feed"), [], _nothing


def _exchange(stack: ExitStack, folder: Path) -> Staged:
    other = stack.enter_context(hotline())
    other.orders += [{"order_id": f"GD{n}", "content": f"第 {n} 件", "phone": "138"} for n in range(4)]
    ref = AccountRef(1, "exchange", "12345", "", other.base_url, {"key": KEY}, {"key_id": KEY_ID, "pull": "是"})
    return ref, [], _nothing


def _douyin(stack: ExitStack, folder: Path) -> Staged:
    there = stack.enter_context(douyin())
    there.is_open_at_once = True
    there.say(there.work("停水通知"), "何时来水 {n}", count=25)

    def reviewed(_: Published) -> None:
        there.works[0]["video_status"] = 5

    out = Outgoing("今日停水", "k1", attachments=(picture(),))
    moving = Outgoing("停水", "k3", form="video", attachments=(picture(),), video=film(folder, 11 * MB))
    return there.ref(), [out, Outgoing("视频", "k2", form="by_hand"), moving], reviewed


def _bilibili(stack: ExitStack, folder: Path) -> Staged:
    there = stack.enter_context(bilibili())
    there.is_open_at_once = True
    there.videos["BV1xx411c7mD"] = {"view": 7, "like": 1, "reply": 0, "share": 2}
    return there.ref(), [
        Outgoing("停水。" * 100, "k1", title="停水通知", attachments=(picture(),)),
        Outgoing("停水", "k2", title="停水", form="video", attachments=(picture(),), video=film(folder, 9 * MB)),
    ], _nothing  # fmt: skip


def _kuaishou(stack: ExitStack, folder: Path) -> Staged:
    there = stack.enter_context(kuaishou())
    cover = Attachment("1.jpg", "image/jpeg", b"\xff\xd8\xff" + b"0" * 50)
    there.is_open_at_once = True
    there.work("停水通知")
    return there.ref(), [Outgoing("停水", "k1", attachments=(cover,), video=film(folder, 9 * MB))], _nothing


_STAGES: Mapping[str, Callable[[ExitStack, Path], Staged]] = {
    "sandbox": _sandbox, "weibo": _weibo, "mastodon": _mastodon, "wechat": _wechat, "feed": _feed,
    "exchange": _exchange, "douyin": _douyin, "bilibili": _bilibili, "kuaishou": _kuaishou,
}  # fmt: skip
PLATFORMS = tuple(sorted(_STAGES))

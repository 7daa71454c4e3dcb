"""WeChat's pushes at a real hub: three at the same moment, a slow database, a receipt in the mode of the push."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import select

from hub.db import reading, unit_of_work
from hub.models import Account, Arrival, Message
from tests.sims.wechat import Control, WechatProcess
from tests.web.test_server import free_port, running
from tests.web.world import World
from workflows.accounts import push_path
from workflows.house import House
from workflows.intake import jobs

MODES = ("plain", "compatible", "secure")
RECEIPT = "已收到您的来信，我们会尽快答复。"


@pytest.fixture(scope="module")
def platform() -> Iterator[Control]:
    with WechatProcess() as control:
        yield control


@pytest.fixture
async def official(platform: Control, house: House, world: World) -> dict[str, Any]:
    """An account on the platform that is the world's account in the hub."""
    platform.post("reset")
    made = platform.account()
    async with unit_of_work(house.ctx) as unit:
        account = await unit.one(select(Account).where(Account.id == world.account_id))
        account.platform, account.external_id, account.base_url = "wechat", made["gh"], platform.base_url
        account.options = {"app_key": made["app"], "receipt": RECEIPT}
        keys = {"app_secret": made["secret"], "token": made["token"], "aes_key": made["aes_key"]}
        account.sealed = house.ctx.vault.seal(keys)
        unit.add(account)
    return made | {"path": push_path(house.ctx.settings, world.account_id)}


def attach(platform: Control, official: dict[str, Any], port: int, mode: str) -> None:
    url = f"http://127.0.0.1:{port}{official['path']}"
    platform.post("accounts", app=official["app"], push_url=url, mode=mode)


async def kept(house: House) -> tuple[list[str], list[str]]:
    """What is stored of WeChat, as arrivals and as messages read from them."""
    await jobs.read_arrivals(house)
    async with reading(house.ctx) as unit:
        arrivals = await unit.all(select(Arrival).where(Arrival.via == "push"))
        messages = await unit.all(select(Message).where(Message.external_id.in_([a.external_id for a in arrivals])))  # type: ignore[attr-defined]
    return [a.external_id for a in arrivals], [m.text for m in messages]


async def test_three_at_the_same_moment_are_one_row_and_three_answers_in_every_mode(
    platform: Control, official: dict[str, Any], house: House, tmp_path: Path
) -> None:
    port, numbers = free_port(), []
    with running(tmp_path, port):
        for mode in MODES:
            attach(platform, official, port, mode)
            assert platform.post("challenge", app=official["app"])["ok"]
            numbers += platform.say(official, f"路灯不亮（{mode}）", parallel=3)["ids"]
            await asyncio.to_thread(platform.until, lambda s: all(p["state"] == "done" for p in s["pushes"]))
    pushes = platform.state()["pushes"]
    assert [push["tries"] for push in pushes] == [1, 1, 1]
    assert [status for push in pushes for status, _ in push["answers"]] == [200] * 9
    assert platform.says("receipt") == [RECEIPT] * 3, "nine proper receipts; the platform shows one per message"
    assert await kept(house) == (numbers, [f"路灯不亮（{mode}）" for mode in MODES])


@contextmanager
def slow(path: Path, seconds: float) -> Iterator[None]:
    """Somebody else writes to the database for so long."""
    begun = threading.Event()

    def hold() -> None:
        with closing(sqlite3.connect(path, timeout=30, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            begun.set()
            time.sleep(seconds)
            other.execute("COMMIT")

    thread = threading.Thread(target=hold)
    thread.start()
    begun.wait(30)
    yield
    thread.join()


async def test_a_slow_database_is_still_in_time(
    platform: Control, official: dict[str, Any], house: House, tmp_path: Path, db_url: str
) -> None:
    port = free_port()
    with running(tmp_path, port):
        attach(platform, official, port, "secure")
        assert platform.post("challenge", app=official["app"])["ok"]
        with slow(Path(db_url.removeprefix("sqlite+aiosqlite:///")), 2.5):
            begun = time.monotonic()
            number = platform.say(official, "路灯不亮", parallel=3)["ids"][0]
            state = await asyncio.to_thread(platform.until, lambda s: s["pushes"][0]["state"] == "done")
            took = time.monotonic() - begun
    (push,) = state["pushes"]
    assert 2 < took < 5
    assert (push["tries"], [status for status, _ in push["answers"]]) == (1, [200, 200, 200])
    assert await kept(house) == ([number], ["路灯不亮"])


async def test_a_database_too_slow_for_the_platform_loses_nothing(
    platform: Control, official: dict[str, Any], house: House, tmp_path: Path, db_url: str
) -> None:
    """The platform cuts after five seconds and tries again; the late first try and the second are one row."""
    port = free_port()
    with running(tmp_path, port):
        attach(platform, official, port, "plain")
        assert platform.post("challenge", app=official["app"])["ok"]
        with slow(Path(db_url.removeprefix("sqlite+aiosqlite:///")), 7.0):
            number = platform.say(official, "路灯不亮")["ids"][0]
            state = await asyncio.to_thread(platform.until, lambda s: s["pushes"][0]["state"] == "done")
    assert state["pushes"][0]["tries"] in (2, 3)
    assert await kept(house) == ([number], ["路灯不亮"])


async def test_who_leaves_closes_the_window(
    platform: Control, official: dict[str, Any], house: House, tmp_path: Path
) -> None:
    port = free_port()
    with running(tmp_path, port):
        attach(platform, official, port, "plain")
        platform.say(official, "路灯不亮", author="老陈")
        await asyncio.to_thread(platform.until, lambda s: all(p["state"] == "done" for p in s["pushes"]))
        await kept(house)
        platform.post("unfollow", app=official["app"], author="老陈")
        await asyncio.to_thread(platform.until, lambda s: len(s["pushes"]) == 2 and s["pushes"][1]["state"] == "done")
    async with reading(house.ctx) as unit:
        message = await unit.one(select(Message).where(Message.text == "路灯不亮"))
    assert message.extra["reply_left"] == 5
    assert message.reply_until is not None
    assert (message.reply_until - message.created_at).total_seconds() < 60

"""Kill everything, again and again: no acknowledged arrival is lost, none comes twice, nothing is sent twice.

The judge is the sandbox platform: what it pushed and saw acknowledged, and what it accepted.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import col, func, select

from hub import clock, migrations
from hub.db import Context, make_engine, reading
from hub.models import Account, Arrival, Delivery, DeliveryState, Message
from hub.settings import Settings
from tests.faults.tree import Marksman, Storm, Tree
from tests.sims.sandbox import Control, SandboxProcess
from tests.workflows.delivery.office import Office, open_office
from workflows.accounts import push_path

SHOTS = int(os.environ.get("HUB_TEST_SHOTS", "40"))
PAUSE = 0.8
ACCOUNTS = ("临江发布", "临江交通", "临江城管")
POSTS, PUSHED, LISTED = 100, 700, 300
SETTLED = {DeliveryState.sent, DeliveryState.failed, DeliveryState.missed, DeliveryState.cancelled}


def run_in_office(data: Path, sandbox: Control, work: Callable[[Office], Awaitable[Any]]) -> Any:
    """Do ``work`` in this process over the same database the killed processes use."""

    async def go() -> Any:
        settings = Settings(data=data)
        ctx = Context(settings, make_engine(settings.database))
        try:
            return await work(await open_office(ctx, sandbox))
        finally:
            await ctx.close()

    return asyncio.run(go())


async def prepare(office: Office, address: str, span: float) -> None:
    """Three accounts that get pushes; a hundred posts on each of them, due all through the storm."""
    for name in ACCOUNTS[1:]:
        await office.connect(name)
    for account_id in office.accounts:
        url = address + push_path(office.ctx.settings, account_id)
        async with office.read() as unit:
            name = (await unit.get(Account, account_id)).name
        office.sandbox.account(name, uid=office.uids[account_id], push_url=url)
    for number in range(POSTS):
        at = clock.now() + timedelta(seconds=15 + number * span / POSTS)
        await office.approved(f"第 {number} 号通告：请各位市民互相转告。", office.accounts, scheduled_at=at)


def settle(data: Path, seconds: float) -> tuple[Counter[str], float]:
    """Wait until every delivery is settled or parked for a person; the states, and how long it took."""
    begun = time.monotonic()
    while True:
        states, open_ones = asyncio.run(_open_deliveries(data))
        waited = time.monotonic() - begun
        if not open_ones or waited > seconds:
            return states, waited
        time.sleep(0.5)


async def _open_deliveries(data: Path) -> tuple[Counter[str], int]:
    settings = Settings(data=data)
    ctx = Context(settings, make_engine(settings.database))
    try:
        async with reading(ctx) as unit:
            rows = await unit.all(select(Delivery))
            waiting = await unit.one(select(func.count()).where(col(Arrival.state) == "stored"))
    finally:
        await ctx.close()
    parked = [row for row in rows if row.state is DeliveryState.unknown and row.attempt_at is None]
    done = [row for row in rows if row.state in SETTLED]
    return Counter(row.state.value for row in rows), len(rows) - len(parked) - len(done) + waiting


async def _all(data: Path, statement: Any) -> list[Any]:
    settings = Settings(data=data)
    ctx = Context(settings, make_engine(settings.database))
    try:
        async with reading(ctx) as unit:
            return list(await unit.all(statement))
    finally:
        await ctx.close()


@pytest.fixture
def platform(tmp_path: Path) -> Any:
    process = SandboxProcess(tmp_path / "platform", push_interval=2.0)
    process.start()
    control = Control(process.base_url)
    control.push_tries(10_000)  # this platform does not give up: all that it pushes must arrive in the end
    yield control
    process.kill()


@pytest.mark.parametrize("flush", [False, True], ids=["kills", "kills-and-flushes"])
def test_killed_again_and_again_nothing_is_lost_or_doubled(tmp_path: Path, platform: Control, flush: bool) -> None:
    shots = SHOTS if not flush else SHOTS // 2
    data = tmp_path / "hub"
    data.mkdir()
    migrations.upgrade(Settings(data=data).database)
    tree = Tree(data, platform.base_url, HUB_OVERDUE_PER_MINUTE="100000", HUB_LOG_LEVEL="WARNING")
    run_in_office(data, platform, lambda office: prepare(office, tree.address, shots * PAUSE))
    uids = [row["uid"] for row in platform.accounts()]
    tree.start()

    def say(number: int) -> None:
        if number % 10 < 7:
            platform.pushes(uids[number % 3], f"第 {number} 封私信：楼道灯坏了", author=f"市民{number}")
        else:
            platform.mentions(uids[number % 3], f"第 {number} 次提及：公交晚点", author=f"市民{number}", push=False)
        if flush and number % 50 == 25:
            tree.flush()

    storm = Storm(say, PUSHED + LISTED, shots * PAUSE)
    storm.start()
    try:
        Marksman(tree, shots, PAUSE).run()
        storm.join(120)
        assert not storm.is_alive()
        tree.await_health(60)
        states, waited = settle(data, 60)
        await_pushes(platform, 60)
        await_listed(data, 60 - waited)
        verify_arrivals(data, platform)
        verify_deliveries(data, platform)
        assert waited < 60, f"not settled within 60 s: {states}"
        assert sum(tree.kills.values()) >= shots
    finally:
        tree.stop()


def await_pushes(platform: Control, seconds: float) -> None:
    """Until the platform has no push left to try."""
    end = time.monotonic() + seconds
    while platform.push_counts()["waiting"] and time.monotonic() < end:
        time.sleep(0.5)
    assert platform.push_counts()["waiting"] == 0


def await_listed(data: Path, seconds: float) -> None:
    """Until the lists have been read to their ends: a stream whose reader was killed waits for its lease."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if len(asyncio.run(_all(data, select(col(Message.id)).where(col(Message.text).contains("次提及"))))) == LISTED:
            return
        time.sleep(1)


def verify_arrivals(data: Path, platform: Control) -> None:
    """Every push that was acknowledged and every listed mention is exactly one message."""
    messages = asyncio.run(_all(data, select(Message).where(~col(Message.is_own))))
    texts = Counter(message.text for message in messages)
    assert max(texts.values()) == 1, [text for text, times in texts.items() if times > 1][:5]
    counts = platform.push_counts()
    pushed = [text for text in texts if "封私信" in text]
    assert len(pushed) == counts["done"] == PUSHED, f"{counts} at the platform, {len(pushed)} stored"
    listed = [text for text in texts if "次提及" in text]
    assert len(listed) == LISTED, f"{LISTED} listed, {len(listed)} stored"


def verify_deliveries(data: Path, platform: Control) -> None:
    """Nothing twice; all that we call sent is there; all that is there we call sent, or a person was asked."""
    assert platform.doubles() == []
    accepted = {item["id"]: item for item in platform.accepted()}
    deliveries = asyncio.run(_all(data, select(Delivery)))
    assert len(deliveries) == POSTS * len(ACCOUNTS)
    sent = {row.remote_id: row for row in deliveries if row.state is DeliveryState.sent}
    assert set(sent) <= set(accepted)
    assert len(sent) == sum(row.state is DeliveryState.sent for row in deliveries)
    unexplained = [row for row in deliveries if row.state not in SETTLED and not row.error]
    assert unexplained == [], f"no reason given: {[row.id for row in unexplained]}"
    unclaimed = set(accepted) - set(sent)
    asked = [row for row in deliveries if row.state is DeliveryState.unknown]
    assert len(unclaimed) <= len(asked), f"live but not called sent: {len(unclaimed)}, asked {len(asked)}"

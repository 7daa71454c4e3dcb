"""A whole worker over the pretend platform: prompt with a queue, punctual without one."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from redis import Redis
from sqlmodel import col, func, select

from hub import clock
from hub.db import Context, make_engine
from hub.embedded import Valkey
from hub.models import Delivery, DeliveryState, Heartbeat
from hub.settings import Settings
from tests.sims.sandbox import Control
from tests.workflows.delivery.office import Office, open_office
from workflows import worker
from workflows.bell import ArqBell
from workflows.delivery.engine import Dispatcher
from workflows.desk import DeskBell
from workflows.house import House
from workflows.jobs import NAMES


@asynccontextmanager
async def working(office: Office) -> AsyncIterator[None]:
    """A worker of its own house beside the office, as another process would be."""
    bell, stop = DeskBell(), asyncio.Event()
    settings = office.ctx.settings
    house = House(Context(settings, make_engine(settings.database), bell), office.house.platforms)
    task = asyncio.create_task(worker.work(house, bell, stop))
    try:
        yield
    finally:
        stop.set()
        await asyncio.wait_for(task, 6)
        await house.close()


@asynccontextmanager
async def dispatching(office: Office) -> AsyncIterator[None]:
    """Only the part of a worker that sends."""
    stop = asyncio.Event()
    house = House(Context(office.ctx.settings, make_engine(office.ctx.settings.database)), office.house.platforms)
    dispatcher = Dispatcher(house)
    task = asyncio.create_task(dispatcher.run(stop))
    try:
        yield
    finally:
        stop.set()
        await task
        await dispatcher.close(5)
        await house.close()


Opener = Callable[..., Awaitable[Office]]


@pytest.fixture
async def open_at(tmp_path: Path, db_url: str, sandbox: Control) -> AsyncIterator[Opener]:
    """Opens an office whose bell rings at ``queue``; by default nobody is there."""
    opened: list[Context] = []

    async def make(queue: str = "unix:///nowhere/at/all.sock", url: str = db_url, **given: Any) -> Office:
        settings = Settings(data=tmp_path, db_url=url, redis_url=queue, **given)
        opened.append(Context(settings, make_engine(url), ArqBell(queue)))
        return await open_office(opened[-1], sandbox)

    yield make
    for ctx in opened:
        await ctx.close()
        assert isinstance(ctx.bell, ArqBell)
        await ctx.bell.close()


async def until_settled(office: Office, ids: list[int], seconds: float = 15.0) -> None:
    until = time.monotonic() + seconds
    settled = [DeliveryState.sent, DeliveryState.failed, DeliveryState.missed]
    open_ones = select(func.count()).where(col(Delivery.id).in_(ids), col(Delivery.state).not_in(settled))
    while True:
        async with office.read() as unit:
            left = await unit.one(open_ones)
        if not left:
            return
        assert time.monotonic() < until, f"{left} of {len(ids)} are not settled"
        await asyncio.sleep(0.05)


async def first_beat(office: Office, seconds: float = 15.0) -> Heartbeat:
    """The worker's sign of life once it has read what arrived."""
    until = time.monotonic() + seconds
    while True:
        async with office.read() as unit:
            beats = await unit.all(select(Heartbeat).where(Heartbeat.kind == "worker"))
        if beats and beats[0].data["jobs"].get("read_arrivals", {}).get("at"):
            return beats[0]
        assert time.monotonic() < until, "no sign of life"
        await asyncio.sleep(0.05)


async def lateness(office: Office, ids: list[int]) -> list[float]:
    """Seconds between the plan and the platform's own moment of acceptance."""
    accepted = {item["id"]: item["accepted_at"] for item in office.sandbox.accepted()}
    late = []
    for key in ids:
        delivery = await office.delivery(key)
        late.append(accepted[delivery.remote_id] - delivery.scheduled_at.timestamp())
    return sorted(late)


async def test_punctual_to_the_second_and_never_early_without_any_queue(open_at: Opener) -> None:
    office = await open_at()
    ids = []
    for number in range(4):
        account = await office.connect(f"准点{number}")
        ids += [key for at in range(5) for key in await office.approved(f"{number}-{at}", [account], after=2 + at / 2)]
    async with working(office):
        await until_settled(office, ids)
    late = await lateness(office, ids)
    assert len(late) == 20
    assert late[0] >= 0
    assert late[10] <= 0.5
    assert late[-1] <= 2.0


async def test_a_ring_makes_it_prompt(open_at: Opener, queue_url: str) -> None:
    office = await open_at(queue_url, sweep_seconds=30)
    async with working(office):
        await first_beat(office)  # its first sweep is behind it, the next is far away
        (one,) = await office.approved()
        await until_settled(office, [one], 3)
    assert await office.states([one]) == ["sent"]


async def test_the_queue_may_be_emptied_and_may_die(open_at: Opener, tmp_path: Path) -> None:
    folder = tmp_path / "queue"
    server = Valkey(folder, persist=False)
    server.start()
    office = await open_at(server.url, sweep_seconds=1)
    async with working(office):
        (first,) = await office.approved(after=1)
        with Redis(unix_socket_path=str(server.socket)) as client:
            client.flushall()
        await until_settled(office, [first])
        assert server.pid
        os.kill(server.pid, 9)
        began = time.monotonic()
        (second,) = await office.approved()
        assert time.monotonic() - began < 3, "nobody waits for a bell that is away"
        await until_settled(office, [second])
        server.stop()
        server.start()
        (third,) = await office.approved()
        await until_settled(office, [third])
    server.stop()
    assert await office.states([first, second, third]) == ["sent"] * 3


async def test_two_workers_race_for_what_is_due_and_each_leaves_once(open_at: Opener, any_db_url: str) -> None:
    office = await open_at(url=any_db_url)
    accounts = [await office.connect(f"并发{number}") for number in range(20)]
    rounds = 10 if office.ctx.is_sqlite else 4
    ids = []
    for number in range(rounds):
        ids += await office.approved(f"同时{number}", accounts, after=3600)
    assert len(ids) == 20 * rounds
    due = clock.now() + timedelta(seconds=1)
    async with office.work() as unit:
        for key in ids:
            await unit.claim(Delivery, col(Delivery.id) == key, scheduled_at=due, attempt_at=due)
    async with dispatching(office), dispatching(office):
        await until_settled(office, ids, 60)
    assert set(await office.states(ids)) == {"sent"}
    accepted = office.sandbox.accepted()
    assert len(accepted) == len(ids)
    assert len({(item["account"], item["text"]) for item in accepted}) == len(ids)
    by_account: dict[str, list[str]] = {}
    for item in accepted:
        by_account.setdefault(item["account"], []).append(item["text"])
    assert all(texts == [f"同时{number}" for number in range(rounds)] for texts in by_account.values())


async def test_signs_of_life(open_at: Opener) -> None:
    office = await open_at()
    async with working(office):
        beat = await first_beat(office)
    assert clock.now() - beat.at < timedelta(seconds=3)
    assert set(beat.data["jobs"]) | {"send_delivery", "sweep_deliveries"} == set(NAMES)


async def test_a_slow_platform_holds_up_its_own_account_only(open_at: Opener) -> None:
    office = await open_at()
    slow = await office.connect("慢账号")
    office.sandbox.fault("delay", account="慢账号", operation="publish", seconds=2.5)
    ids = await office.approved("慢", [slow], after=1)
    fast = [key for at in range(3) for key in await office.approved(f"快{at}", after=1 + at / 2)]
    async with working(office):
        await until_settled(office, fast)
        assert await office.states(ids) == ["sending"]
        await until_settled(office, ids)
    assert (await lateness(office, fast))[-1] < 1.0


async def test_sigterm_ends_it_within_five_seconds(open_at: Opener, tmp_path: Path, db_url: str) -> None:
    office = await open_at()
    ids = await office.approved("进程中发出", after=3)
    code = (
        "import sys; from pathlib import Path; from hub.settings import load; from workflows.worker import run_worker;"
        "run_worker(load(Path(sys.argv[1]), db_url=sys.argv[2]))"
    )
    root = str(Path(__file__).resolve().parents[3])
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path), db_url], cwd=root, env=os.environ | {"PYTHONPATH": root}
    )
    try:
        await until_settled(office, ids, 30)
        began = time.monotonic()
        process.terminate()
        assert await asyncio.to_thread(process.wait, 10) == 0
        assert time.monotonic() - began < 5
    finally:
        process.kill()
    assert await office.states(ids) == ["sent"]


async def test_a_stop_lets_the_call_at_hand_end_and_begins_no_other(open_at: Opener) -> None:
    office = await open_at()
    office.sandbox.fault("delay", operation="publish", seconds=0.5)
    ids = [key for text in ("一", "二", "三") for key in await office.approved(text, after=0.2)]
    await asyncio.sleep(0.3)  # all three are due when it first looks
    async with dispatching(office):
        until = time.monotonic() + 10
        while (await office.states(ids))[0] == "waiting":
            assert time.monotonic() < until, "nothing was begun"
            await asyncio.sleep(0.02)
    assert await office.states(ids) == ["sent", "waiting", "waiting"]


async def test_what_goes_on_after_a_cancellation_is_cancelled_again() -> None:
    lost = asyncio.Event()

    async def deaf_once() -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            lost.set()  # as a client that takes the cancellation for a broken reply
        await asyncio.Event().wait()

    tasks = [asyncio.create_task(deaf_once()), asyncio.create_task(asyncio.sleep(60))]
    await asyncio.sleep(0)
    await asyncio.wait_for(worker._end(tasks), 5)
    assert lost.is_set()
    assert all(task.cancelled() for task in tasks)

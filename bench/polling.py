"""Seven hundred accounts polled while nothing happens: how much of a core the whole hub takes."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import psutil  # type: ignore[import-untyped]
from sqlmodel import col, func, select

from bench import ground, running
from bench.figures import Figure
from hub import clock
from hub.db import reading, unit_of_work
from hub.embedded.valkey import Valkey
from hub.models import Account, Arrival, Department, Stream
from web.demo.sandbox import Control
from workflows.house import House, open_house
from workflows.intake import streams

ACCOUNTS, STREAMS, EVERY = 700, 3, 60.0
WARM, MEASURED = 75.0, 60.0
MARK = 0.5


def run() -> Iterator[Figure]:
    """CPU seconds of worker, web and queue per second, every stream of every account read once a minute."""
    with ground.folder() as data, running_platform(data) as control:
        settings = ground.settings_in(data)
        asyncio.run(_connect(open_house(settings), control))
        with Valkey(data) as queue, _hub(data, queue.url) as processes:
            time.sleep(WARM)
            assert queue.pid, "the queue is not a process of ours"
            tree = [psutil.Process(pid) for pid in (*processes, queue.pid)]
            before, begun = _spent(tree), time.monotonic()
            time.sleep(MEASURED)
            share = (_spent(tree) - before) / (time.monotonic() - begun)
            ended = [process.pid for process in tree if process.status() == psutil.STATUS_ZOMBIE]
            asked, late, new = asyncio.run(_read(open_house(settings)))
    assert not ended, f"ended meanwhile: {ended}"
    assert asked == ACCOUNTS * STREAMS, f"{asked} streams instead of {ACCOUNTS * STREAMS}"
    assert late == 0, f"{late} streams were not read, or with an error, for {2 * EVERY:g} s"
    assert new == 0, f"{new} messages came in"
    said = f"{ACCOUNTS} accounts, {asked} streams asked every {EVERY:g} s, none later than two of them, nothing new"
    yield Figure("polling_core_share", round(share, 3), "cores", MARK, round(share / MARK, 2), f"{said}; mark: at most")


@contextmanager
def running_platform(data: Path) -> Iterator[Control]:
    """The sandbox platform; what it spends is not the hub's."""
    port = running.free_port()
    command = [sys.executable, "-m", "connectors.sandbox", "--port", str(port), "--data", str(data)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        control = Control(f"http://127.0.0.1:{port}")
        control.await_ready()
        yield control
    finally:
        process.terminate()
        process.wait(15)


async def _connect(house: House, control: Control) -> None:
    """All accounts and their streams, spread over the minute as after a while of running."""
    try:
        for n in range(ACCOUNTS):
            there = control.save_account(screen_name=f"县{n}发布")
            async with unit_of_work(house.ctx) as unit:
                if n == 0:
                    unit.add(Department(id=1, code="press", name="新闻办", short_name="新闻办", path="/1/"))
                    await unit.flush()
                unit.add(Account(
                    platform="sandbox", name=f"县{n}发布", external_id=str(there["uid"]), base_url=control.address,
                    sealed=house.ctx.vault.seal({"token": there["token"], "app_secret": there["app_secret"]}),
                    options={"pull_every": EVERY}, department_id=1,
                ))  # fmt: skip
        await streams.make_missing(house)
        async with unit_of_work(house.ctx) as unit:
            for stream in await unit.all(select(Stream)):
                stream.due_at = clock.now() + timedelta(seconds=(stream.id or 0) * 7 % EVERY)
    finally:
        await house.close()


@contextmanager
def _hub(data: Path, queue_url: str) -> Iterator[list[int]]:
    """Worker and web as processes; their ids."""
    env = {**os.environ, "HUB_DATA": str(data), "HUB_LOG_LEVEL": "WARNING", "HUB_REDIS_URL": queue_url}
    env["HUB_PORT"] = str(running.free_port())
    started = [subprocess.Popen([sys.executable, "-m", "web.cli", name], env=env) for name in ("worker", "web")]
    try:
        yield [process.pid for process in started]
    finally:
        for process in started:
            process.terminate()
        for process in started:
            process.wait(15)


def _spent(tree: list[psutil.Process]) -> float:
    """CPU seconds of these processes and of those they ended."""
    return sum(sum(process.cpu_times()[:4]) for process in tree)


async def _read(house: House) -> tuple[int, int, int]:
    """How many streams there are, how many of them were not read well for two intervals, and how much came in."""
    try:
        async with reading(house.ctx) as unit:
            count = await unit.one(select(func.count(col(Stream.id))))
            old = col(Stream.pulled_at).is_(None) | (col(Stream.pulled_at) < clock.now() - timedelta(seconds=2 * EVERY))
            late = await unit.one(select(func.count(col(Stream.id))).where(old | (col(Stream.failures) > 0)))
            return count, late, await unit.one(select(func.count(col(Arrival.id))))
    finally:
        await house.close()

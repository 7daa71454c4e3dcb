"""A press office whose posts go out through a real worker, judged by the sandbox platform's clock."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from bench import ground, running
from hub import clock
from hub.db import unit_of_work
from hub.embedded.valkey import Valkey
from hub.models import Account, Department, Role, User, UserRole
from hub.people import load_actor
from web.demo.sandbox import Control
from workflows.checking.confirming import asked
from workflows.house import House, open_house
from workflows.publishing import service
from workflows.publishing.checks import remarks_of
from workflows.publishing.content import Draft

# Time to plan and to start the worker, which must stand ready when the first one is due.
HEAD_START, PLANNING = timedelta(seconds=15), timedelta(seconds=0.1)


@dataclass(frozen=True, slots=True)
class Gone:
    """One post the platform took: which one, of which account, and how many seconds after its time."""

    number: int
    account: str
    late: float


def send_all(data: Path, offsets: Sequence[float], accounts: int, *, platform_seconds: float = 0.0) -> list[Gone]:
    """Plan one post per offset (seconds after the first), let a worker send them; what the platform took, in its order.

    Posts go to ``accounts`` accounts in turn; the platform takes ``platform_seconds`` for each.
    """
    settings = ground.settings_in(data)
    with Valkey(data) as queue, _platform(data) as control:
        begin = asyncio.run(_plan(open_house(settings), control, offsets, accounts))
        if platform_seconds:
            control.fault("delay", seconds=platform_seconds)
        due = [begin + timedelta(seconds=offset) for offset in offsets]
        with _worker(data, queue.url):
            return _collect(control, due, [f"账号{n}" for n in range(accounts)])


@contextmanager
def _platform(data: Path) -> Iterator[Control]:
    port = running.free_port()
    command = [sys.executable, "-m", "connectors.sandbox", "--port", str(port), "--data", str(data)]
    with _process(command, os.environ.copy()):
        control = Control(f"http://127.0.0.1:{port}")
        control.await_ready()
        yield control


@contextmanager
def _worker(data: Path, queue_url: str) -> Iterator[None]:
    env = {**os.environ, "HUB_DATA": str(data), "HUB_LOG_LEVEL": "ERROR", "HUB_REDIS_URL": queue_url}
    with _process([sys.executable, "-m", "web.cli", "worker"], env):
        yield


@contextmanager
def _process(command: list[str], env: dict[str, str]) -> Iterator[None]:
    process = subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.terminate()
        process.wait(15)


def _collect(control: Control, due: Sequence[datetime], names: Sequence[str]) -> list[Gone]:
    """Wait for the last one to be due, then until nothing more comes."""
    time.sleep(max(0.0, due[-1].timestamp() - time.time()))
    deadline = time.time() + 60
    accepted: list[dict[str, Any]] = []
    while len(accepted) < len(due) and time.time() < deadline:
        time.sleep(1.0)
        accepted = [item | {"account": name} for name in names for item in control.accepted(name)]
    gone = [
        Gone(number, item["account"], item["accepted_at"] - due[number].timestamp())
        for item in accepted
        for number in [int(item["text"].split()[1])]
    ]
    return sorted(gone, key=lambda one: one.late)


async def _plan(house: House, control: Control, offsets: Sequence[float], accounts: int) -> datetime:
    """The posts, written, submitted and approved; the time of the first."""
    try:
        press, review, ids = await _people(house, control, accounts)
        begin = clock.now() + HEAD_START + len(offsets) * PLANNING
        for number, offset in enumerate(offsets):
            text = f"第 {number} 号通告"
            at = begin + timedelta(seconds=offset)
            async with unit_of_work(house.ctx) as unit:
                draft = Draft(text, text, {ids[number % accounts]: ""}, scheduled_at=at)
                post = await service.create(unit, press, draft)
                close = asked(await remarks_of(unit, post))  # what stands close by on the calendar was read
                post = await service.submit(house, unit, press, post.id or 0, version=post.version, confirm=close)
                await service.approve(house, unit, review, post.id or 0, content_hash=post.content_hash)
        return begin
    finally:
        await house.close()


async def _people(house: House, control: Control, accounts: int) -> tuple[Any, Any, list[int]]:
    async with unit_of_work(house.ctx) as unit:
        unit.add(Department(id=1, code="press", name="新闻办", short_name="新闻办", path="/1/"))
        for number, role in enumerate((Role.press_officer, Role.reviewer1), 1):
            unit.add(User(id=number, username=role.value, name=role.value, department_id=1, password_hash="-"))
            unit.add(UserRole(user_id=number, role=role))
        ids = [await _connect(unit, control, f"账号{n}") for n in range(accounts)]
        return await load_actor(unit, 1), await load_actor(unit, 2), ids


async def _connect(unit: Any, control: Control, name: str) -> int:
    remote = control.save_account(screen_name=name)
    account = Account(
        platform="sandbox",
        name=name,
        external_id=str(remote["uid"]),
        base_url=control.address,
        sealed=unit.ctx.vault.seal({"token": remote["token"], "app_secret": remote["app_secret"]}),
    )
    unit.add(account)
    await unit.flush()
    return account.id or 0

"""How late a post goes out: 200 posts over five minutes through a real worker, judged by the sandbox's clock."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

from bench import ground, running
from bench.figures import Figure, quantile
from hub import clock
from hub.db import unit_of_work
from hub.embedded.valkey import Valkey
from hub.models import Account, Department, Role, User, UserRole
from hub.people import load_actor
from web.demo.sandbox import Control
from workflows.house import House, open_house
from workflows.publishing import service
from workflows.publishing.content import Draft

POSTS, SPAN = 200, 300.0
ACCOUNTS = 8
MARK_P99 = 2.0


def run() -> Iterator[Figure]:
    """Seconds between the planned time and the platform's acceptance; nothing may go out early."""
    with ground.folder() as data:
        late = _measure(data)
    assert len(late) == POSTS, f"{len(late)} of {POSTS} went out"
    assert min(late) >= -0.01, f"{-min(late):.3f} s early"
    for share, name in ((0.5, "p50"), (0.95, "p95"), (0.99, "p99")):
        value = quantile(late, share)
        against = MARK_P99 if name == "p99" else None
        ratio = None if against is None else round(value / against, 3)
        what = f"{POSTS} posts in {SPAN:.0f} s" + ("; mark: at most" if against else "")
        yield Figure(f"delivery_lateness_{name}", round(value, 3), "s", against, ratio, what)


def _measure(data: Path) -> list[float]:
    settings = ground.settings_in(data)
    port = running.free_port()
    env = {**os.environ, "HUB_DATA": str(data), "HUB_LOG_LEVEL": "ERROR"}
    sandbox = subprocess.Popen([sys.executable, "-m", "connectors.sandbox", "--port", str(port), "--data", str(data)],
                               stdout=subprocess.DEVNULL)  # fmt: skip
    control = Control(f"http://127.0.0.1:{port}")
    with Valkey(data) as queue:
        env["HUB_REDIS_URL"] = queue.url
        worker = None
        try:
            control.await_ready()
            planned = asyncio.run(_plan(open_house(settings), control))
            worker = subprocess.Popen([sys.executable, "-m", "web.cli", "worker"], env=env)
            time.sleep(max(0.0, max(planned.values()) - time.time()) + 10)
            accepted = [item for name in _names() for item in control.accepted(name)]
            return [item["accepted_at"] - planned[item["text"]] for item in accepted]
        finally:
            for process in (worker, sandbox):
                if process is not None:
                    process.terminate()
                    process.wait(15)


def _names() -> list[str]:
    return [f"账号{n}" for n in range(ACCOUNTS)]


async def _plan(house: House, control: Control) -> dict[str, float]:
    """The posts, written, submitted and approved; text → unix time."""
    try:
        press, review, accounts = await _people(house, control)
        begin, planned = clock.now() + timedelta(seconds=20), {}
        for number in range(POSTS):
            at = begin + timedelta(seconds=number * SPAN / POSTS)
            text = f"第 {number} 号通告"
            async with unit_of_work(house.ctx) as unit:
                draft = Draft(text, text, {accounts[number % ACCOUNTS]: ""}, scheduled_at=at)
                post = await service.create(unit, press, draft)
                post = await service.submit(house, unit, press, post.id or 0, version=post.version)
                await service.approve(house, unit, review, post.id or 0, content_hash=post.content_hash)
            planned[text] = at.timestamp()
        return planned
    finally:
        await house.close()


async def _people(house: House, control: Control) -> tuple[Any, Any, list[int]]:
    async with unit_of_work(house.ctx) as unit:
        unit.add(Department(id=1, code="press", name="新闻办", short_name="新闻办", path="/1/"))
        for number, role in enumerate((Role.press_officer, Role.reviewer1), 1):
            unit.add(User(id=number, username=role.value, name=role.value, department_id=1, password_hash="-"))
            unit.add(UserRole(user_id=number, role=role))
        accounts = []
        for name in _names():
            remote = control.save_account(screen_name=name)
            sealed = unit.ctx.vault.seal({"token": remote["token"], "app_secret": remote["app_secret"]})
            account = Account(platform="sandbox", name=name, external_id=str(remote["uid"]), base_url=control.address,
                              sealed=sealed)  # fmt: skip
            unit.add(account)
            accounts.append(account)
        await unit.flush()
        return await load_actor(unit, 1), await load_actor(unit, 2), [account.id or 0 for account in accounts]

"""Every ring has somebody who hears it, and everything that is heard for is rung for or runs by itself."""

from __future__ import annotations

import ast
import asyncio
from pathlib import Path
from typing import Any

from hub.db import Context
from workflows.desk import Desk, Job
from workflows.house import House
from workflows.jobs import DELIVERY_RINGS, JOBS, NAMES

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("hub", "workflows", "web")


def rings_in(source: str) -> set[str]:
    """Names rung for by ``….later("name", …)``."""
    return {
        node.args[0].value
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "later"
        and node.args
        and isinstance(node.args[0], ast.Constant)
    }


def all_rings() -> set[str]:
    files = [path for room in ROOMS for path in (ROOT / room).rglob("*.py") if "node_modules" not in path.parts]
    return set().union(*(rings_in(path.read_text("utf-8")) for path in files))


def test_every_ring_is_declared() -> None:
    assert all_rings() <= set(NAMES)


def test_every_delivery_ring_is_used() -> None:
    assert set(DELIVERY_RINGS) <= all_rings()


def test_the_reader_finds_rings() -> None:
    assert rings_in('unit.later("send_nothing", "1")\nlater("not_a_ring")') == {"send_nothing"}


def test_names_are_given_once_and_equal_the_functions() -> None:
    assert len(NAMES) == len(set(NAMES))
    assert [job.name for job in JOBS] == [getattr(job.work, "__name__", "") for job in JOBS]


async def test_a_ring_during_a_run_runs_once_more_and_never_twice_at_once(ctx: Context) -> None:
    running, most, runs = 0, 0, 0
    gate = asyncio.Event()

    async def work(_house: Any) -> None:
        nonlocal running, most, runs
        running += 1
        most = max(most, running)
        await gate.wait()
        running -= 1
        runs += 1

    stop = asyncio.Event()
    desk = Desk(House(ctx, {}), [Job("work", work, every=3600)])
    task = asyncio.create_task(desk.run(stop))
    await asyncio.sleep(0.01)
    for _ in range(5):
        assert desk.poke("work")
    gate.set()
    while runs < 2:
        await asyncio.sleep(0.01)
    await asyncio.sleep(0.05)
    stop.set()
    await task
    await desk.close(1)
    assert (runs, most) == (2, 1)
    assert not desk.poke("nobody_declared_this")


async def test_a_job_that_breaks_is_run_again(ctx: Context) -> None:
    seen: list[int] = []

    async def work(_house: Any) -> None:
        seen.append(1)
        if len(seen) == 1:
            raise RuntimeError("once")

    stop = asyncio.Event()
    desk = Desk(House(ctx, {}), [Job("work", work, every=0.05)])
    task = asyncio.create_task(desk.run(stop))
    while len(seen) < 3:
        await asyncio.sleep(0.05)
    stop.set()
    await task
    await desk.close(1)
    assert desk.traces["work"].troubles == 1
    assert desk.traces["work"].error == ""

"""Pieces of work that share a transaction: all kept, or each judged alone; nobody answered before the commit."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from sqlmodel import col, select

from hub.db import Context, Unit, reading, unit_of_work
from hub.models import Heartbeat
from workflows.delivery.together import Together


def writes(name: str, seen: list[int] | None = None) -> Callable[[Unit], Awaitable[str]]:
    async def work(unit: Unit) -> str:
        if seen is not None:
            seen.append(len(await unit.all(select(Heartbeat))))
        unit.add(Heartbeat(name=name, kind="test"))
        return name

    return work


async def names(ctx: Context) -> list[str]:
    async with reading(ctx) as unit:
        return list(await unit.all(select(Heartbeat.name).order_by(col(Heartbeat.name))))


async def test_one_commit_carries_many_and_each_sees_the_one_before(ctx: Context) -> None:
    together, seen = Together(ctx), list[int]()
    async with unit_of_work(ctx):  # while somebody writes, all of them come
        tasks = [asyncio.create_task(together.do(writes(f"{n:02}", seen))) for n in range(20)]
        await asyncio.sleep(0.05)
        assert not any(task.done() for task in tasks)
    assert await asyncio.gather(*tasks) == [f"{n:02}" for n in range(20)]
    assert seen == list(range(20))
    assert len(await names(ctx)) == 20


async def test_one_that_fails_takes_nobody_with_it(any_ctx: Context) -> None:
    async def fails(unit: Unit) -> None:
        unit.add(Heartbeat(name="half", kind="test"))
        await unit.flush()
        raise RuntimeError("no")

    together = Together(any_ctx)
    answers = await asyncio.gather(
        together.do(writes("a")), together.do(fails), together.do(writes("b")), return_exceptions=True
    )
    assert answers[0] == "a"
    assert isinstance(answers[1], RuntimeError)
    assert answers[2] == "b"
    assert await names(any_ctx) == ["a", "b"]


async def test_who_gives_up_waiting_harms_nobody(ctx: Context) -> None:
    together = Together(ctx)
    async with unit_of_work(ctx):
        gone, stays = (asyncio.create_task(together.do(writes(name))) for name in ("gone", "stays"))
        await asyncio.sleep(0.05)
        gone.cancel()
        with pytest.raises(asyncio.CancelledError):
            await gone
    assert await stays == "stays"
    await together.close()
    assert await names(ctx) == ["gone", "stays"], "what was asked for is done, only nobody waits for it"

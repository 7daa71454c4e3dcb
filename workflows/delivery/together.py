"""Writes of many lanes in one transaction: whoever comes while one is written goes into the next.

The embedded database has one writer, so lanes that end at the same moment would queue for a transaction each. Nobody
is answered before the commit, and each piece of work sees what the one before it wrote, as it would in a transaction
of its own. PostgreSQL has many writers, and rows locked in one long transaction would only keep others waiting: there
everyone gets their own.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from hub.db import Context, Unit, unit_of_work

Work = Callable[[Unit], Awaitable[Any]]
AT_ONCE = 16


class Together:
    """Runs pieces of work inside units of work of their process, several per transaction where that helps."""

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx
        self._waiting: list[tuple[Work, asyncio.Future[Any]]] = []
        self._writer: asyncio.Task[None] | None = None

    async def do(self, work: Work) -> Any:
        """What ``work`` returned, once it is committed; what it raised, when nothing of it is kept."""
        if not self._ctx.is_sqlite:
            async with unit_of_work(self._ctx) as unit:
                return await work(unit)
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._waiting.append((work, answer))
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._write(), name="write-together")
        return await answer

    async def close(self) -> None:
        """Wait for what is being written."""
        if self._writer is not None:
            await asyncio.gather(self._writer, return_exceptions=True)

    async def _write(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting[:AT_ONCE], self._waiting[AT_ONCE:]
            try:
                await self._write_batch(batch)
            except Exception:  # noqa: BLE001 -- one of them failed and took the others' work with it: each alone
                for one in batch:
                    await self._write_alone(*one)

    async def _write_batch(self, batch: list[tuple[Work, asyncio.Future[Any]]]) -> None:
        answers = []
        async with unit_of_work(self._ctx) as unit:
            for work, _answer in batch:
                answers.append(await work(unit))
                await unit.flush()
                unit.session.expunge_all()  # the next one reads for itself
        for (_work, answer), value in zip(batch, answers, strict=True):
            if not answer.done():
                answer.set_result(value)

    async def _write_alone(self, work: Work, answer: asyncio.Future[Any]) -> None:
        try:
            async with unit_of_work(self._ctx) as unit:
                value = await work(unit)
        except Exception as error:  # noqa: BLE001 -- it is the asker's, who handles it
            if not answer.done():
                answer.set_exception(error)
        else:
            if not answer.done():
                answer.set_result(value)

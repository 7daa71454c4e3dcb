"""Many askers at once, one piece of work: whoever comes while one is done goes into the next."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

Asked = TypeVar("Asked")
Told = TypeVar("Told")
AT_ONCE = 200


class Batched(Generic[Asked, Told]):
    """Calls ``work`` with everything that waits, in order; it tells as many answers, in the same order.

    A single asker waits for nobody. Nobody is told before ``work`` has returned, so that what ``work`` commits is
    committed. Where it fails with several, each is tried alone, and only those at fault get the error: ``work`` must
    leave nothing behind when it raises.
    """

    def __init__(self, work: Callable[[Sequence[Asked]], Awaitable[Sequence[Told]]]) -> None:
        self._work = work
        self._waiting: list[tuple[Asked, asyncio.Future[Told]]] = []
        self._task: asyncio.Task[None] | None = None

    async def ask(self, one: Asked) -> Told:
        """What ``work`` tells for ``one``; what it raised."""
        answer: asyncio.Future[Told] = asyncio.get_running_loop().create_future()
        self._waiting.append((one, answer))
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run(), name="batched")
        return await answer

    async def _run(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting[:AT_ONCE], self._waiting[AT_ONCE:]
            if not await self._tried(batch) and len(batch) > 1:
                for one in batch:
                    await self._tried([one])

    async def _tried(self, batch: Sequence[tuple[Asked, asyncio.Future[Told]]]) -> bool:
        try:
            told = await self._work([one for one, _ in batch])
        except Exception as error:  # noqa: BLE001 -- it is the asker's, who handles it
            if len(batch) == 1 and not batch[0][1].done():
                batch[0][1].set_exception(error)
            return False
        for (_, answer), value in zip(batch, told, strict=True):
            if not answer.done():
                answer.set_result(value)
        return True

"""The engine: what is due is handled within moments, each lane in order, lanes side by side.

All of it is idempotent and may run in any number of processes at once: the door and the conditional updates decide,
not this module.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from sqlmodel import col, func, select

from hub import clock, log
from hub.db import reading, unit_of_work
from hub.models import Delivery, DeliveryKind, DeliveryState
from workflows.delivery import byhand, readback
from workflows.delivery.door import is_missed, moments
from workflows.delivery.sending import send
from workflows.delivery.together import Together
from workflows.house import House

S = DeliveryState
Lane = tuple[str, int, int]
AT_ONCE = 32
BATCH = 500
SHORTEST_WAIT = 0.1
LONGEST_WAIT = 1.0
_log = log.get(__name__)


@dataclass(frozen=True, slots=True)
class Due:
    """One row that is due, with the little that is needed to line it up."""

    id: int
    state: DeliveryState
    lane: Lane


class Dispatcher:
    """Keeps sending what is due until told to stop. One per process; any number of processes side by side.

    A lane is one account's posts, what is said of one case, or one unknown outcome. A slow platform holds up its own
    lane only. ``wake`` makes it look at once; without it, it sleeps until the next row is due or a sweep is.
    """

    def __init__(self, house: House) -> None:
        self.house = house
        self.looked_at: datetime | None = None
        self.handled = 0
        self._missed_at: datetime | None = None
        self._together = Together(house.ctx)
        self._running: dict[Lane, asyncio.Task[None]] = {}
        self._blocked: dict[Lane, float] = {}
        self._bell = asyncio.Event()
        self._closing = False

    @property
    def running(self) -> int:
        """How many lanes are being worked on."""
        return len(self._running)

    def wake(self) -> None:
        """Look at once."""
        self._bell.set()

    async def run(self, stop: asyncio.Event) -> None:
        """Until ``stop``; then running calls get the chance to end, see :meth:`close`."""
        while not stop.is_set():
            try:
                self._bell.clear()
                await self.start_due()
                pause = await self._until_next()
            except Exception:  # noqa: BLE001 -- the database may be away: everything waits in its row, we try again
                _log.exception("dispatch_failed")
                pause = 1.0
            await _first_of(pause, self._bell, stop)

    async def start_due(self) -> int:
        """Start a task for every lane that has something due and is not running here; how many were started."""
        lanes: dict[Lane, list[Due]] = defaultdict(list)
        for due in await self._due():
            lanes[due.lane].append(due)
        started = 0
        for lane, rows in lanes.items():
            if lane in self._running or len(self._running) >= AT_ONCE:
                continue
            self._running[lane] = asyncio.create_task(self._work(lane, rows), name=f"deliver-{lane}")
            started += 1
        self.looked_at = clock.now()
        return started

    async def close(self, patience: float) -> None:
        """Begin nothing more; wait for running calls, then cancel them: their leases expire and the outcome is read
        back."""
        self._closing = True
        tasks = list(self._running.values())
        if tasks:
            await asyncio.wait(tasks, timeout=patience)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._together.close()

    async def drain(self) -> int:
        """Handle everything that is due now, until nothing moves any more; how many rows were handled."""
        before = None
        while before != self.handled:
            before = self.handled
            await self.start_due()
            await asyncio.gather(*self._running.values())
        return self.handled

    async def _work(self, lane: Lane, rows: list[Due]) -> None:
        try:
            for due in rows:
                if self._closing:
                    return
                if await self._handle(due) is not None:
                    self.handled += 1
                    self._blocked.pop(lane, None)
                elif due.state is S.waiting:
                    await self._give_way(lane)
                    return
        except Exception:  # noqa: BLE001 -- one row's trouble stays its own; the next look tries again
            _log.exception("delivery_trouble", lane=str(lane))
            await asyncio.sleep(1.0)
        finally:
            self._running.pop(lane, None)
            self._bell.set()

    async def _give_way(self, lane: Lane) -> None:
        """An earlier one is on its way in another process: leave the lane to it, a little longer each time."""
        wait = self._blocked.get(lane, SHORTEST_WAIT)
        self._blocked[lane] = min(wait * 2, LONGEST_WAIT)
        await asyncio.sleep(wait)

    async def _handle(self, due: Due) -> DeliveryState | None:
        if due.state is S.waiting:
            return await send(self.house, due.id, self._together)
        if due.state is S.by_hand:
            reminded: DeliveryState | None = await self._together.do(partial(byhand.remind, delivery_id=due.id))
            return reminded
        if due.state is S.sending:
            async with unit_of_work(self.house.ctx) as unit:
                await readback.expire(unit, due.id)
        return await readback.check(self.house, due.id)

    async def _due(self) -> list[Due]:
        now = clock.now()
        async with reading(self.house.ctx) as unit:
            rows = await unit.rows(_due_rows(col(Delivery.attempt_at) <= now))
            if self._missed_at is None or now - self._missed_at >= timedelta(seconds=self._sweep_seconds):
                self._missed_at = now
                rows = [*rows, *await unit.rows(_due_rows(col(Delivery.state) == S.waiting, is_missed(moments(now))))]
        return list({row.id: Due(row.id, row.state, _lane(row)) for row in rows}.values())

    @property
    def _sweep_seconds(self) -> float:
        return float(self.house.ctx.settings.sweep_seconds)

    async def _until_next(self) -> float:
        """Seconds until the next row is due, at most until the next sweep; never a busy loop over blocked rows."""
        async with reading(self.house.ctx) as unit:
            next_at = await unit.one(
                select(func.min(Delivery.attempt_at)).where(col(Delivery.attempt_at) > (self.looked_at or clock.now()))
            )
        if next_at is None:
            return self._sweep_seconds
        return min(self._sweep_seconds, max(0.0, (next_at - clock.now()).total_seconds()))


def _lane(row: Any) -> Lane:
    if row.state is not S.waiting:
        return ("look", row.id, 0)
    if row.kind is not DeliveryKind.post:
        return ("case", row.account_id, row.case_id or 0)
    return ("post", row.account_id, 0)


def _due_rows(*conditions: Any) -> Any:
    return (
        select(Delivery.id, Delivery.state, Delivery.kind, Delivery.account_id, Delivery.case_id)  # type: ignore[call-overload]
        .where(*conditions)
        .order_by(col(Delivery.scheduled_at), col(Delivery.id))
        .limit(BATCH)
    )


async def _first_of(seconds: float, *events: asyncio.Event) -> None:
    """Sleep until one of the events is set, at most ``seconds``."""
    waits = [asyncio.create_task(event.wait()) for event in events]
    try:
        await asyncio.wait(waits, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()


async def sweep(house: House) -> int:
    """One full pass over everything that is due: sends, expired leases, unknown outcomes, missed; how many rows."""
    return await Dispatcher(house).drain()


__all__ = ["Dispatcher", "send", "sweep"]

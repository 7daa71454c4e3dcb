"""Taking turns at the embedded database: its single writer is waited for in a queue, not by trying again and again.

SQLite lets waiting writers poll, and whoever polls at the right moment wins: with forty lanes at once some starved
beyond the 15 seconds after which the driver gives up. One queue per process leaves one waiter per process.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from weakref import WeakKeyDictionary

from sqlalchemy import Engine

from hub.db import Context, Unit, unit_of_work

_turns: WeakKeyDictionary[Engine, asyncio.Lock] = WeakKeyDictionary()


@asynccontextmanager
async def writing(ctx: Context) -> AsyncIterator[Unit]:
    """A unit of work, one after another within this process where the database has a single writer."""
    if not ctx.is_sqlite:
        async with unit_of_work(ctx) as unit:
            yield unit
        return
    async with _turns.setdefault(ctx.engine.sync_engine, asyncio.Lock()), unit_of_work(ctx) as unit:
        yield unit

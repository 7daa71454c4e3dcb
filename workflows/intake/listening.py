"""Streams whose platform calls when something has come: one listener per stream over all processes, by lease.

Hearing something only makes the stream due at once; the reading, its cursor and its lease are those of every stream.
A platform that cannot be heard is still read at its interval.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import socket
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import exists, or_, update
from sqlmodel import col, select

from connectors.base import AccountRef, Connector, ConnectorError, Purpose
from hub import clock, log
from hub.db import reading, unit_of_work
from hub.models import Account, Stream
from workflows import circuits
from workflows.house import House
from workflows.tokens import Line

LEASE = timedelta(seconds=60)
LOOK_EVERY = 10.0
AT_ONCE = 200
LONGEST_WAIT = 35 * 60.0
# Between two times of hearing something: a platform that calls without end is still read at a sane pace.
BREATH = 1.0
# Between two looks at how far a reading is.
LOOK_AGAIN = 1.0
FIRST_BACK_OFF, LONGEST_BACK_OFF = 5.0, 600.0
_random = secrets.SystemRandom()
_log = log.get(__name__)


class Listeners:
    """The listeners of one process. ``wake`` is told the name of the job that reads what is due."""

    def __init__(self, house: House, wake: Callable[[str], object], *, at_once: int = AT_ONCE) -> None:
        self.house = house
        self.wake = wake
        self.at_once = at_once
        self.me = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"[-100:]
        self._tasks: dict[int, asyncio.Task[None]] = {}

    @property
    def running(self) -> int:
        """How many streams are listened to here."""
        return len(self._tasks)

    async def run(self, stop: asyncio.Event) -> None:
        """Until ``stop``: keep what is ours, take what nobody has."""
        while not stop.is_set():
            try:
                await self.look()
            except Exception:  # noqa: BLE001 -- the database may be away: leases run out, the next look tries again
                _log.exception("listening_failed")
            await _pause(LOOK_EVERY, stop)
        await self.close()

    async def look(self) -> None:
        """Prolong the leases that still make sense, end the others, and listen to streams that nobody hears."""
        platforms = {name for name, connector in self.house.platforms.items() if connector.waits}
        if not platforms:
            return
        kept = await self._prolong() if self._tasks else set()
        for number in [one for one, task in self._tasks.items() if one not in kept or task.done()]:
            self._tasks.pop(number).cancel()
        for number, name, account_id in await self._free(platforms):
            if await self._claim(number):
                self._tasks[number] = asyncio.create_task(self._listen(number, name, account_id), name=f"hear-{number}")

    async def close(self) -> None:
        """Stop listening and leave the streams to others at once."""
        tasks, self._tasks = list(self._tasks.values()), {}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if tasks:
            async with unit_of_work(self.house.ctx) as unit:
                mine = col(Stream.listener) == self.me
                await unit.run(update(Stream).where(mine).values(listener="", listen_until=None))

    async def _prolong(self) -> set[int]:
        """The streams that stay ours: leased by us, their account in use and well."""
        until = clock.now() + LEASE
        mine = (col(Stream.listener) == self.me, col(Stream.id).in_(list(self._tasks)), _is_in_use())
        statement = update(Stream).where(*mine).values(listen_until=until).returning(col(Stream.id))
        async with unit_of_work(self.house.ctx) as unit:
            return {row[0] for row in await unit.run(statement)}

    async def _free(self, platforms: set[str]) -> Sequence[tuple[int, str, int]]:
        room = self.at_once - len(self._tasks)
        if room <= 0:
            return []
        free = (
            select(Stream.id, Stream.name, Stream.account_id, Account.platform)
            .join(Account, col(Account.id) == col(Stream.account_id))
            .where(col(Account.platform).in_(platforms), col(Account.is_active), circuits.is_closed(), _is_unheard())
            .order_by(col(Stream.id))
            .limit(room)
        )
        async with reading(self.house.ctx) as unit:
            rows = await unit.rows(free)
        return [(row[0], row[1], row[2]) for row in rows if row[1] in self.house.platforms[row[3]].waits]

    async def _claim(self, number: int) -> bool:
        mine = (col(Stream.id) == number, _is_unheard())
        async with unit_of_work(self.house.ctx) as unit:
            return await unit.claim(Stream, *mine, listener=self.me, listen_until=clock.now() + LEASE)

    async def _listen(self, number: int, name: str, account_id: int) -> None:
        failures = 0
        while True:
            if not (ref := await self._ref(account_id)):
                return
            connector, cursor = self.house.platforms[ref.platform], await self._read_to(number)
            try:
                async with asyncio.timeout(LONGEST_WAIT):
                    await Line(self.house, ref).call(_waiting(connector, name, cursor))
            except (ConnectorError, TimeoutError) as error:
                failures += 1
                _log.info("not_heard", stream=number, error=type(error).__name__, failures=failures)
            except Exception as error:  # noqa: BLE001 -- a connector's own fault: it is read at its interval all the same
                failures += 1
                _log.error("listening broke", stream=number, error=type(error).__name__)
            else:
                failures = 0
                await self._until_read(number, await self._make_due(number))
            await asyncio.sleep(back_off(failures))

    async def _ref(self, account_id: int) -> AccountRef | None:
        """The account with its present secrets."""
        async with reading(self.house.ctx) as unit:
            account = await unit.get(Account, account_id)
        return self.house.ref(account, Purpose.reading) if account is not None and account.is_active else None

    async def _read_to(self, number: int) -> Mapping[str, Any]:
        """How far the stream is read; nothing while reading it fails: what lies there would be told again and again."""
        async with reading(self.house.ctx) as unit:
            stream = await unit.get(Stream, number)
        return stream.cursor if stream is not None and not stream.failures else {}

    async def _until_read(self, number: int, since: datetime) -> None:
        """Until what was heard of has been read, or could not be, or a minute is over: then the cursor is known."""
        for _ in range(int(LEASE.total_seconds())):
            async with reading(self.house.ctx) as unit:
                stream = await unit.get(Stream, number)
            if stream is None or stream.failures or (stream.pulled_at is not None and stream.pulled_at >= since):
                return
            await asyncio.sleep(LOOK_AGAIN)

    async def _make_due(self, number: int) -> datetime:
        """Have it read now; since when it is due. Whoever reads it just now began before this was heard: then once
        more after that."""
        for _ in range(int(LEASE.total_seconds())):
            now = clock.now()
            free = or_(col(Stream.lease_until).is_(None), col(Stream.lease_until) < now)
            async with unit_of_work(self.house.ctx) as unit:
                if await unit.claim(Stream, col(Stream.id) == number, free, due_at=now):
                    self.wake("pull_due")
                    return now
            await asyncio.sleep(LOOK_AGAIN)
        return clock.now()


def _waiting(connector: Connector, name: str, cursor: Mapping[str, Any]) -> Callable[[AccountRef], Awaitable[None]]:
    async def wait(account: AccountRef) -> None:
        await connector.wait(account, name, cursor)

    return wait


def back_off(failures: int) -> float:
    """Seconds until it is tried again: a breath when all is well, else 5 s doubled up to ten minutes, spread."""
    if not failures:
        return BREATH
    return float(min(FIRST_BACK_OFF * 2 ** min(failures - 1, 12), LONGEST_BACK_OFF) * _random.uniform(0.8, 1.2))


def _is_unheard() -> Any:
    return or_(col(Stream.listen_until).is_(None), col(Stream.listen_until) < clock.now())


def _is_in_use() -> Any:
    return exists().where(col(Account.id) == col(Stream.account_id), col(Account.is_active), circuits.is_closed())


async def _pause(seconds: float, stop: asyncio.Event) -> None:
    try:
        async with asyncio.timeout(seconds):
            await stop.wait()
    except TimeoutError:
        return

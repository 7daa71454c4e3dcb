"""The bell: tells a worker through Redis or Valkey that something waits. A lost ring is harmless."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

from arq.connections import ArqRedis
from redis.exceptions import RedisError

from hub import log

QUEUE = "zhengsheng:bell"
PATIENCE = 0.5
# While the queue is away nobody waits for it: one try in so many seconds.
QUIET = 2.0
_log = log.get(__name__)


def dumps(job: Any) -> bytes:
    """JSON, not arq's pickle: whoever can write to the queue must not be able to run code here."""
    return json.dumps(job, default=str).encode()


def open_queue(url: str, patience: float = PATIENCE) -> ArqRedis:
    """A connection pool that gives up soon; nothing is contacted yet."""
    queue = ArqRedis.from_url(url, socket_timeout=patience, socket_connect_timeout=patience)
    assert isinstance(queue, ArqRedis)
    queue.default_queue_name = QUEUE
    queue.job_serializer = dumps
    queue.job_deserializer = json.loads
    return queue


class ArqBell:
    """Rings through arq. Never raises, never holds a request up for longer than half a second, reconnects by itself.

    The same ring twice while the first still waits counts once (fixed job ids).
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._queue: ArqRedis | None = None
        self._away_until = 0.0

    async def ring(self, job: str, *args: str) -> None:
        """Ask for ``job`` soon."""
        if time.monotonic() < self._away_until:
            return
        try:
            async with asyncio.timeout(PATIENCE):
                self._queue = self._queue or open_queue(self._url)
                await self._queue.enqueue_job(job, *args, _job_id=":".join((job, *args)))
        except (RedisError, OSError, TimeoutError, ValueError) as error:
            self._away_until = time.monotonic() + QUIET
            _log.warning("bell_away", job=job, error=type(error).__name__)

    async def close(self) -> None:
        """Give the connections back."""
        if self._queue is not None:
            await self._queue.aclose(close_connection_pool=True)
            self._queue = None

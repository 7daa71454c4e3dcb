"""Counts that all processes share, in Redis or Valkey. They may vanish: whoever relies on one counts as well."""

from __future__ import annotations

import asyncio
import hashlib
import math
import time
from dataclasses import dataclass

from redis.asyncio import Redis
from redis.exceptions import RedisError

from hub import log
from hub.settings import Settings
from workflows.bell import PATIENCE, QUIET

PLACE = "zhengsheng:tally"
_log = log.get(__name__)


@dataclass(frozen=True, slots=True)
class Count:
    """How many so far, and in how many seconds it begins anew."""

    n: int
    left: int


class Tally:
    """Counts by name, each over a span that begins with its first. Never raises, and holds nobody up for longer than
    half a second; what names hold (addresses) is not kept readable.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._client: Redis | None = None
        self._away_until = 0.0

    async def add(self, name: str, seconds: float) -> Count | None:
        """One more; None where nobody can tell."""
        key = self._key(name)
        if (client := self._open()) is None:
            return None
        try:
            async with asyncio.timeout(PATIENCE), client.pipeline(transaction=True) as together:
                together.set(key, 0, px=math.ceil(seconds * 1000), nx=True)
                together.incr(key)
                together.pttl(key)
                _made, n, left = await together.execute()
        except (RedisError, OSError, TimeoutError) as error:
            self._is_away(error)
            return None
        return Count(int(n), max(1, math.ceil(int(left) / 1000)))

    async def take_back(self, name: str) -> None:
        """One less: it was none after all."""
        key = self._key(name)
        if (client := self._open()) is None:
            return
        try:
            async with asyncio.timeout(PATIENCE):
                if int(await client.decr(key)) <= 0:  # it had ended meanwhile, and would never end again
                    await client.delete(key)
        except (RedisError, OSError, TimeoutError) as error:
            self._is_away(error)

    async def close(self) -> None:
        """Give the connections back."""
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    def _open(self) -> Redis | None:
        if time.monotonic() < self._away_until:
            return None
        if self._client is None:
            url = self._settings.queue
            self._client = Redis.from_url(url, socket_timeout=PATIENCE, socket_connect_timeout=PATIENCE)
        return self._client

    def _is_away(self, error: Exception) -> None:
        self._away_until = time.monotonic() + QUIET
        _log.warning("tally_away", error=type(error).__name__)

    def _key(self, name: str) -> str:
        made = hashlib.blake2b(name.encode(), key=self._settings.key[:64], digest_size=16).hexdigest()
        return f"{PLACE}:{made}"
